//! `rpm -q` and `rpm -V`.

use super::Wishes;
use super::tags::{self, BadFormat};
use crate::packages::rpm::{capabilities, meets, needs, nvra, relation, show};
use crate::packages::{Installed, PackageFile, State};
use crate::program::{Invocation, clock};
use crate::shell::pattern;

/// What is asked of each package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    Name,
    Information,
    Files,
    Configuration,
    Documentation,
    Scripts,
    Requires,
    Provides,
    Conflicts,
    Obsoletes,
    Nothing,
}

/// Which packages are meant by an operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Name,
    All,
    File,
    Provides,
    Requires,
}

pub(super) fn query(invocation: &mut Invocation, wishes: &Wishes) -> u8 {
    if wishes.operands.is_empty() && wishes.which != Which::All {
        invocation.complain("rpm: no arguments given for query\n");
        return 1;
    }
    let all = database(invocation);
    // The status is the number of operands that lead nowhere.
    let mut status: u8 = 0;
    let mut chosen: Vec<Installed> = Vec::new();
    if wishes.which == Which::All {
        let fits = |one: &&Installed| {
            let mut patterns = wishes.operands.iter();
            wishes.operands.is_empty() || patterns.any(|pattern| is_named(one, pattern))
        };
        chosen.extend(all.iter().filter(fits).cloned());
        return show_all(invocation, wishes, &chosen);
    }
    for operand in &wishes.operands {
        let found = match select(invocation, wishes.which, &all, operand) {
            Ok(found) => found,
            Err(said) => {
                match said {
                    Said::Out(text) if !wishes.is_quiet => invocation.print(&text),
                    Said::Error(text) if !wishes.is_quiet => invocation.complain(&text),
                    Said::Out(_) | Said::Error(_) => {}
                }
                status = status.saturating_add(1);
                continue;
            }
        };
        status = status.max(show_all(invocation, wishes, &found));
    }
    status
}

/// Whether a package is meant.
type Fits<'a> = dyn Fn(&Installed) -> bool + 'a;

/// What is said of an operand that leads nowhere, and where.
enum Said {
    Out(String),
    Error(String),
}

fn select(
    invocation: &Invocation,
    which: Which,
    all: &[Installed],
    operand: &str,
) -> Result<Vec<Installed>, Said> {
    let (fits, said): (Box<Fits<'_>>, String) = match which {
        Which::Name | Which::All => (
            Box::new(|one| is_spelt(one, operand)),
            format!("package {operand} is not installed\n"),
        ),
        Which::File => {
            let path = invocation.path(operand);
            if !invocation.host(|host| host.files.exists(&path)) {
                return Err(Said::Error(format!(
                    "error: file {operand}: No such file or directory\n"
                )));
            }
            (
                Box::new(move |one| tags::paths(&one.package).contains(&path)),
                format!("file {operand} is not owned by any package\n"),
            )
        }
        Which::Provides => {
            let wanted = relation(operand);
            (
                Box::new(move |one| meets(&one.package, &wanted)),
                format!("no package provides {operand}\n"),
            )
        }
        Which::Requires => (
            Box::new(|one| needs(&one.package).any(|need| need.name == operand)),
            format!("no package requires {operand}\n"),
        ),
    };
    let found: Vec<Installed> = all.iter().filter(|one| fits(one)).cloned().collect();
    if found.is_empty() {
        return Err(Said::Out(said));
    }
    Ok(found)
}

/// Returns all packages, keys among them.
pub(super) fn database(invocation: &Invocation) -> Vec<Installed> {
    invocation.host(|host| {
        let installed = host.packages.installed.values();
        let installed = installed.filter(|one| one.state != State::ConfigFiles);
        let keys = host
            .packages
            .keys
            .iter()
            .map(|key| super::keys::package(key));
        installed.cloned().chain(keys).collect()
    })
}

/// Whether a package is called by an operand: name, name-version, name-version-release, each with
/// an architecture or without.
pub(super) fn is_spelt(one: &Installed, operand: &str) -> bool {
    let package = &one.package;
    let plain = crate::packages::rpm::without_epoch(&package.version);
    let version = plain.rsplit_once('-').map_or(plain, |(version, _)| version);
    let (name, architecture) = (&package.name, &package.architecture);
    let forms = [
        name.clone(),
        format!("{name}-{version}"),
        format!("{name}-{plain}"),
        format!("{name}-{}", package.version),
    ];
    let mut forms = forms.iter();
    forms.any(|form| form == operand || format!("{form}.{architecture}") == operand)
}

fn is_named(one: &Installed, text: &str) -> bool {
    let is_pattern = text.contains(['*', '?', '[']);
    if !is_pattern {
        return is_spelt(one, text);
    }
    pattern::fits(text, &one.package.name) || pattern::fits(text, &nvra(&one.package))
}

fn show_all(invocation: &mut Invocation, wishes: &Wishes, found: &[Installed]) -> u8 {
    if wishes.is_quiet {
        return 0;
    }
    for one in found {
        if let Some(format) = &wishes.format {
            match tags::format(one, format) {
                Ok(text) => invocation.print(&text),
                Err(BadFormat::Tag(tag)) => {
                    invocation.complain(&format!(
                        "error: incorrect format: unknown tag: \"{tag}\"\n"
                    ));
                    return 0;
                }
                Err(BadFormat::Syntax(what)) => {
                    invocation.complain(&format!("error: incorrect format: {what}\n"));
                    return 0;
                }
                Err(BadFormat::NotSimulated(what)) => {
                    return invocation.not_simulated(&format!("the format :{what}"));
                }
            }
        }
        for ask in &wishes.asks {
            let text = answer(one, *ask);
            invocation.print(&text);
        }
    }
    0
}

fn answer(one: &Installed, ask: Ask) -> String {
    let package = &one.package;
    let lines = |all: Vec<String>| {
        all.iter()
            .map(|line| format!("{line}\n"))
            .collect::<String>()
    };
    match ask {
        Ask::Name if package.name == "gpg-pubkey" => {
            format!("{}-{}\n", package.name, package.version)
        }
        Ask::Name => format!("{}\n", nvra(package)),
        Ask::Information => information(one),
        Ask::Files => match tags::paths(package) {
            none if none.is_empty() => "(contains no files)\n".to_owned(),
            all => lines(all),
        },
        Ask::Configuration => {
            let of_users = package.files.iter().filter(|file| is_configuration(file));
            let of_users: Vec<String> = of_users.map(|file| file.path().to_owned()).collect();
            match tags::paths(package) {
                none if none.is_empty() => "(contains no files)\n".to_owned(),
                _ => lines(of_users),
            }
        }
        Ask::Documentation => match tags::paths(package) {
            none if none.is_empty() => "(contains no files)\n".to_owned(),
            _ => String::new(),
        },
        Ask::Scripts => scripts(one),
        Ask::Requires => lines(tags::requirements(package)),
        Ask::Provides => lines(capabilities(package).iter().map(show).collect()),
        Ask::Conflicts => lines(package.conflicts.iter().map(show).collect()),
        Ask::Obsoletes => lines(package.obsoletes.iter().map(show).collect()),
        Ask::Nothing => String::new(),
    }
}

fn is_configuration(file: &PackageFile) -> bool {
    matches!(file, PackageFile::Configuration(..))
}

fn information(one: &Installed) -> String {
    let package = &one.package;
    let tag = |name: &str| {
        let values = tags::values(one, name).unwrap_or_default();
        values.into_iter().next().unwrap_or_default()
    };
    let mut text = format!("Name        : {}\n", package.name);
    if package.version.contains(':') {
        text.push_str(&format!("Epoch       : {}\n", tag("epoch")));
    }
    let built = clock::plain(tags::BUILT);
    let since = clock::plain(one.since.as_secs());
    text.push_str(&format!(
        "Version     : {}\nRelease     : {}\nArchitecture: {}\nInstall Date: {since}\nGroup       : \
         {}\nSize        : {}\nLicense     : {}\nSignature   : (none)\nSource RPM  : {}\nBuild Date  \
         : {built}\nBuild Host  : {}\n",
        tag("version"),
        tag("release"),
        package.architecture,
        tag("group"),
        package.installed_size,
        package.license,
        tag("sourcerpm"),
        tag("buildhost"),
    ));
    for (title, value) in [("Vendor", &package.vendor), ("URL", &package.url)] {
        if !value.is_empty() {
            text.push_str(&format!("{title:<12}: {value}\n"));
        }
    }
    let summary = &package.summary;
    text.push_str(&format!(
        "Summary     : {summary}\nDescription :\n{summary}.\n"
    ));
    text
}

fn scripts(one: &Installed) -> String {
    let names = [
        ("pre", "preinstall"),
        ("post", "postinstall"),
        ("preun", "preuninstall"),
        ("postun", "postuninstall"),
    ];
    let mut text = String::new();
    for (name, title) in names {
        if let Some(script) = one.package.scripts.get(name) {
            let script = script.trim_end();
            text.push_str(&format!("{title} scriptlet (using /bin/sh):\n{script}\n"));
        }
    }
    text
}

/// `rpm -V`: says which files are not as they came.
pub(super) fn verify(invocation: &mut Invocation, wishes: &Wishes) -> u8 {
    let all = database(invocation);
    let mut status = 0;
    let operands = match wishes.which {
        Which::All => all.iter().map(|one| one.package.name.clone()).collect(),
        _ => wishes.operands.clone(),
    };
    for operand in &operands {
        let found: Vec<&Installed> = all.iter().filter(|one| is_spelt(one, operand)).collect();
        if found.is_empty() {
            invocation.print(&format!("package {operand} is not installed\n"));
            status = 1;
        }
        for one in found {
            let text = invocation.host(|host| {
                let files = one.package.files.iter();
                files.map(|file| differs(host, file)).collect::<String>()
            });
            if !text.is_empty() {
                status = 1;
                invocation.print(&text);
            }
        }
    }
    status
}

fn differs(host: &crate::host::Host, file: &PackageFile) -> String {
    let path = file.path();
    let kind = if is_configuration(file) { 'c' } else { ' ' };
    if !host.files.exists(path) {
        return format!("missing   {kind} {path}\n");
    }
    let (PackageFile::Text(_, _, text) | PackageFile::Configuration(_, _, text)) = file else {
        return String::new();
    };
    match host.files.text(path) {
        Some(found) if found == *text => String::new(),
        found => {
            let is_as_long = found.is_some_and(|found| found.len() == text.len());
            let size = if is_as_long { '.' } else { 'S' };
            format!("{size}.5....T.  {kind} {path}\n")
        }
    }
}
