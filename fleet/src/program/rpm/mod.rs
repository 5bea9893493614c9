//! `rpm`: the database of packages, asked and changed.

mod change;
pub(crate) mod fetch;
pub(crate) mod keys;
mod macros;
mod query;
mod tags;
pub(crate) mod work;

#[cfg(test)]
mod tests;

use futures_util::future::BoxFuture;

use super::{Invocation, Program};
use change::How;
use query::{Ask, Which};

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "rpm",
        run: rpm,
    },
    Program {
        name: "rpmkeys",
        run: rpm,
    },
];

/// What rpm says to whoever may not write its database.
const LOCKED_AWAY: &str =
    "error: can't create transaction lock on /var/lib/rpm/.rpm.lock (Permission denied)";

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Query,
    Verify,
    Install(How),
    Erase,
    Import,
    CheckSignature,
    Evaluate,
    Version,
    Initialise,
}

/// What was asked for besides the verb.
#[derive(Debug, Clone)]
struct Wishes {
    verb: Option<Verb>,
    which: Which,
    asks: Vec<Ask>,
    format: Option<String>,
    is_quiet: bool,
    is_test: bool,
    is_forced: bool,
    ignores_needs: bool,
    expressions: Vec<String>,
    operands: Vec<String>,
}

/// Why a command line cannot be used.
enum BadLine {
    Unknown(String),
    NotSimulated(String),
}

fn rpm(invocation: &mut Invocation) -> BoxFuture<'_, u8> {
    Box::pin(async move {
        invocation.spend(crate::time::of("dpkg-query")).await;
        let wishes = match parse(&invocation.arguments) {
            Ok(wishes) => wishes,
            Err(BadLine::Unknown(option)) => {
                invocation.complain(&format!("rpm: {option}: unknown option\n"));
                return 1;
            }
            Err(BadLine::NotSimulated(option)) => {
                return invocation.not_simulated(&format!("option {option}"));
            }
        };
        match wishes.verb {
            Some(Verb::Query) => query::query(invocation, &wishes),
            Some(Verb::Verify) => query::verify(invocation, &wishes),
            Some(Verb::Install(how)) => change::install(invocation, &wishes, how).await,
            Some(Verb::Erase) => change::erase(invocation, &wishes).await,
            Some(Verb::Import) => keys::import(invocation, &wishes.operands).await,
            Some(Verb::CheckSignature) => check(invocation, &wishes.operands),
            Some(Verb::Evaluate) => {
                let mut status = 0;
                for expression in &wishes.expressions {
                    status |= macros::evaluate(invocation, expression);
                }
                status
            }
            Some(Verb::Version) => {
                let own = invocation.host(|host| host.packages.get("rpm").cloned());
                let own = own.map(|one| one.package.version.clone());
                let version = own.unwrap_or_else(|| "4.18.0".to_owned());
                let version = version.split('-').next().unwrap_or_default().to_owned();
                invocation.print(&format!("RPM version {version}\n"));
                0
            }
            Some(Verb::Initialise) => 0,
            None => {
                invocation.complain("RPM version 4.18.0\nusage: rpm [OPTION...] PACKAGE...\n");
                1
            }
        }
    })
}

/// Where a rehearsal may assume it, takes a package that nobody knows to be installed.
pub(crate) fn assume(invocation: &mut Invocation, name: &str) {
    if !invocation.world(|world| world.assumes) {
        return;
    }
    invocation.assume(&format!(
        "the package {name}, which is taken to be installed"
    ));
    let machine = invocation.host(|host| host.hardware.machine.clone());
    let package = crate::packages::Package::base(name, "1.0-1", &machine);
    let since = invocation.now();
    invocation.host(|host| {
        host.packages.set(crate::packages::Installed {
            package: std::sync::Arc::new(package),
            state: crate::packages::State::Installed,
            is_automatic: false,
            is_held: false,
            origin: String::new(),
            since,
        });
    });
}

/// `rpm -K`: packages on the host are none here, so nothing has a signature.
fn check(invocation: &mut Invocation, operands: &[String]) -> u8 {
    for operand in operands {
        let path = invocation.path(operand);
        let said = match invocation.host(|host| host.files.exists(&path)) {
            true => format!("{operand}: not an rpm package (or package manifest): \n"),
            false => format!("error: {operand}: open failed: No such file or directory\n"),
        };
        invocation.complain(&said);
    }
    1
}

fn parse(arguments: &[String]) -> Result<Wishes, BadLine> {
    let mut wishes = Wishes {
        verb: None,
        which: Which::Name,
        asks: Vec::new(),
        format: None,
        is_quiet: false,
        is_test: false,
        is_forced: false,
        ignores_needs: false,
        expressions: Vec::new(),
        operands: Vec::new(),
    };
    let mut words = arguments.iter().cloned();
    while let Some(word) = words.next() {
        if let Some(long) = word.strip_prefix("--").filter(|long| !long.is_empty()) {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (long.to_owned(), None),
            };
            long_option(&mut wishes, &name, value, &mut words)?;
        } else if let Some(letters) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            short_options(&mut wishes, &word, letters, &mut words)?;
        } else {
            wishes.operands.push(word);
        }
    }
    let is_query = matches!(wishes.verb, Some(Verb::Query));
    if is_query && wishes.asks.is_empty() && wishes.format.is_none() {
        wishes.asks.push(Ask::Name);
    }
    Ok(wishes)
}

fn long_option(
    wishes: &mut Wishes,
    name: &str,
    value: Option<String>,
    words: &mut impl Iterator<Item = String>,
) -> Result<(), BadLine> {
    let mut needed = || value.clone().or_else(|| words.next()).unwrap_or_default();
    match name {
        "query" => wishes.verb = Some(Verb::Query),
        "verify" => wishes.verb = Some(Verb::Verify),
        "install" => wishes.verb = Some(Verb::Install(How::Install)),
        "upgrade" => wishes.verb = Some(Verb::Install(How::Upgrade)),
        "freshen" => wishes.verb = Some(Verb::Install(How::Freshen)),
        "erase" => wishes.verb = Some(Verb::Erase),
        "import" => wishes.verb = Some(Verb::Import),
        "checksig" => wishes.verb = Some(Verb::CheckSignature),
        "version" => wishes.verb = Some(Verb::Version),
        "initdb" | "rebuilddb" => wishes.verb = Some(Verb::Initialise),
        "eval" => {
            wishes.verb = Some(Verb::Evaluate);
            let expression = needed();
            wishes.expressions.push(expression);
        }
        "all" => wishes.which = Which::All,
        "file" => wishes.which = Which::File,
        "whatprovides" => wishes.which = Which::Provides,
        "whatrequires" => wishes.which = Which::Requires,
        "info" => wishes.asks.push(Ask::Information),
        "list" => wishes.asks.push(Ask::Files),
        "configfiles" => wishes.asks.push(Ask::Configuration),
        "docfiles" => wishes.asks.push(Ask::Documentation),
        "scripts" => wishes.asks.push(Ask::Scripts),
        "requires" => wishes.asks.push(Ask::Requires),
        "provides" => wishes.asks.push(Ask::Provides),
        "conflicts" => wishes.asks.push(Ask::Conflicts),
        "obsoletes" => wishes.asks.push(Ask::Obsoletes),
        "changelog" | "triggers" => wishes.asks.push(Ask::Nothing),
        "qf" | "queryformat" => wishes.format = Some(needed()),
        "quiet" => wishes.is_quiet = true,
        "test" => wishes.is_test = true,
        "nodeps" => wishes.ignores_needs = true,
        "force" | "replacepkgs" | "oldpackage" => wishes.is_forced = true,
        "nosignature" | "nodigest" | "hash" | "verbose" | "percent" | "allmatches"
        | "ignorearch" | "ignoreos" | "replacefiles" => {}
        "root" | "dbpath" | "define" | "undefine" | "excludepath" | "prefix" | "relocate"
        | "noscripts" | "justdb" | "rcfile" | "noplugins" | "last" | "dump" | "queryfiles"
        | "package" | "recommends" | "suggests" | "supplements" | "enhances" | "state"
        | "nofiles" | "nomd5" | "excludedocs" | "setperms" | "setugids" | "querytags"
        | "showrc" | "verifydb" | "notriggers" => {
            return Err(BadLine::NotSimulated(format!("--{name}")));
        }
        other => return Err(BadLine::Unknown(format!("--{other}"))),
    }
    Ok(())
}

fn short_options(
    wishes: &mut Wishes,
    word: &str,
    letters: &str,
    words: &mut impl Iterator<Item = String>,
) -> Result<(), BadLine> {
    let has_query = letters.contains(['q', 'V']) || wishes.verb.is_some();
    for letter in letters.chars() {
        match letter {
            'q' => wishes.verb = Some(Verb::Query),
            'V' => wishes.verb = Some(Verb::Verify),
            'a' => wishes.which = Which::All,
            'f' => wishes.which = Which::File,
            'i' if has_query => wishes.asks.push(Ask::Information),
            'i' => wishes.verb = Some(Verb::Install(How::Install)),
            'U' => wishes.verb = Some(Verb::Install(How::Upgrade)),
            'F' => wishes.verb = Some(Verb::Install(How::Freshen)),
            'e' => wishes.verb = Some(Verb::Erase),
            'K' => wishes.verb = Some(Verb::CheckSignature),
            'E' => {
                wishes.verb = Some(Verb::Evaluate);
                wishes.expressions.push(words.next().unwrap_or_default());
            }
            'l' => wishes.asks.push(Ask::Files),
            'c' => wishes.asks.push(Ask::Configuration),
            'd' => wishes.asks.push(Ask::Documentation),
            'R' => wishes.asks.push(Ask::Requires),
            'P' => wishes.asks.push(Ask::Provides),
            'v' | 'h' => {}
            'p' | 'D' | 's' | 'L' | 'A' | 'g' => {
                return Err(BadLine::NotSimulated(format!("-{letter}")));
            }
            _ => return Err(BadLine::Unknown(word.to_owned())),
        }
    }
    Ok(())
}
