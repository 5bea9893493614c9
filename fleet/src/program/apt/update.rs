//! `apt-get update`: reads what sources say, and fetches the lists of packages.

use std::sync::Arc;
use std::time::Duration;

use super::{Wishes, bytes, duration, lock};
use crate::files::{Credentials, Files};
use crate::packages::{Index, Package, Repository, Signature};
use crate::program::Invocation;
use crate::web::{self, Unfetched, Url};

/// A source: one suite of a repository, with the components that are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) url: String,
    pub(super) suite: String,
    pub(super) components: Vec<String>,
    /// The keyring that it must be signed by; those of the system without.
    pub(super) keyring: Option<String>,
    /// The architectures whose lists are fetched; that of the host without.
    pub(super) architectures: Vec<String>,
}

impl Source {
    /// Returns the architectures whose lists are fetched on a host of one.
    fn architectures<'a>(&'a self, own: &'a str) -> Vec<&'a str> {
        match self.architectures.is_empty() {
            true => vec![own],
            false => self.architectures.iter().map(String::as_str).collect(),
        }
    }
}

/// How fetching one source went.
enum Fetched {
    Lists(Vec<Index>, u64),
    /// What is said, and whether it is an error or but a warning.
    Failed {
        shown: String,
        said: String,
        is_error: bool,
        /// Whether there is a file of the repository at all.
        has_release: bool,
    },
}

pub(super) async fn update(invocation: &mut Invocation, wishes: &Wishes) -> u8 {
    if let Some(status) = lock::needs_root(invocation, lock::Which::Lists) {
        return status;
    }
    let held = match lock::take(invocation, lock::Which::Lists, 0).await {
        Ok(held) => held,
        Err(holder) => {
            invocation.print("Reading package lists...\n");
            return lock::complain(invocation, lock::Which::Lists, &holder);
        }
    };
    let sources = match invocation.host(|host| sources(&host.files)) {
        Ok(sources) => sources,
        Err(said) => {
            invocation.complain(&said);
            return 100;
        }
    };
    let own = super::architecture(invocation);
    let started = invocation.fleet.elapsed();
    invocation.spend(crate::time::of("apt-get update")).await;
    let (mut indexes, mut total, mut number) = (Vec::new(), 0, 0);
    let (mut warnings, mut errors) = (Vec::new(), Vec::new());
    let mut shown = String::new();
    for source in &sources {
        number += 1;
        let (url, suite) = (&source.url, &source.suite);
        match fetch(invocation, source).await {
            Fetched::Lists(lists, _) if is_known(invocation, &lists) => {
                shown.push_str(&format!("Hit:{number} {url} {suite} InRelease\n"));
                indexes.extend(lists);
            }
            Fetched::Lists(lists, size) => {
                shown.push_str(&format!(
                    "Get:{number} {url} {suite} InRelease [{}]\n",
                    bytes(2412)
                ));
                for list in &lists {
                    let size = list.packages.len() as u64 * 900 + 400;
                    for architecture in source.architectures(own) {
                        number += 1;
                        shown.push_str(&format!(
                            "Get:{number} {url} {suite}/{} {architecture} Packages [{}]\n",
                            list.component,
                            bytes(size)
                        ));
                    }
                }
                total += size;
                indexes.extend(lists);
            }
            Fetched::Failed {
                shown: line,
                said,
                is_error,
                has_release,
            } => {
                if !has_release {
                    shown.push_str(&format!("Ign:{number} {url} {suite} InRelease\n"));
                    number += 1;
                }
                shown.push_str(&format!("Err:{number} {line}\n"));
                let old = invocation.host(|host| Arc::clone(&host.packages.indexes));
                let is_same = |index: &&Index| index.url == *url && index.suite == *suite;
                indexes.extend(old.iter().filter(is_same).cloned());
                if is_error { &mut errors } else { &mut warnings }.push(said);
            }
        }
    }
    invocation.host(|host| host.packages.indexes = Arc::new(indexes));
    remember(invocation, &sources);
    let time = invocation.fleet.elapsed() - started;
    if wishes.quiet < 2 {
        invocation.print(&shown);
    }
    if total > 0 && wishes.quiet < 2 {
        let rate = total as f64 / time.as_secs_f64().max(0.01);
        let (total, rate) = (bytes(total), bytes(rate as u64));
        invocation.print(&format!(
            "Fetched {total} in {} ({rate}/s)\n",
            duration(time)
        ));
    }
    if wishes.quiet < 2 {
        invocation.print("Reading package lists...\n");
    }
    drop(held);
    finish(invocation, &warnings, &errors)
}

/// Returns whether lists are those that the host has.
fn is_known(invocation: &Invocation, lists: &[Index]) -> bool {
    let known = invocation.host(|host| Arc::clone(&host.packages.indexes));
    lists.iter().all(|list| known.contains(list))
}

fn finish(invocation: &mut Invocation, warnings: &[String], errors: &[String]) -> u8 {
    for said in warnings {
        invocation.complain(said);
    }
    if !warnings.is_empty() && errors.is_empty() {
        invocation.complain(
            "W: Some index files failed to download. They have been ignored, or old ones used \
             instead.\n",
        );
    }
    for said in errors {
        invocation.complain(said);
    }
    if errors.is_empty() { 0 } else { 100 }
}

/// Keeps files for every list, as apt does: hooks look for them.
fn remember(invocation: &mut Invocation, sources: &[Source]) {
    let now = invocation.now();
    let root = Credentials::root();
    let architecture = super::architecture(invocation);
    invocation.host(|host| {
        let lists = "/var/lib/apt/lists";
        // A full disk is what the installation will fail by.
        let _ = host
            .files
            .write(&format!("{lists}/lock"), "", 0o640, &root, now);
        for directory in ["auxfiles", "partial"] {
            let _ = host
                .files
                .make_dirs(&format!("{lists}/{directory}"), 0o755, &root, now);
        }
        let indexes = Arc::clone(&host.packages.indexes);
        for source in sources {
            let url = source.url.split("://").nth(1).unwrap_or_default();
            let start = format!("{lists}/{}_dists_{}", url.replace('/', "_"), source.suite);
            let own = indexes.iter();
            let mut own = own.filter(|one| one.url == source.url && one.suite == source.suite);
            let components: Vec<&str> = own.by_ref().map(|one| one.component.as_str()).collect();
            if components.is_empty() {
                continue;
            }
            let _ = host
                .files
                .write(&format!("{start}_InRelease"), "", 0o644, &root, now);
            for component in components {
                for architecture in source.architectures(architecture) {
                    let path = format!("{start}_{component}_binary-{architecture}_Packages");
                    let _ = host.files.write(&path, "", 0o644, &root, now);
                }
            }
        }
    });
}

async fn fetch(invocation: &mut Invocation, source: &Source) -> Fetched {
    let Source { url, suite, .. } = source;
    let release = format!("{url}/dists/{suite}/InRelease");
    let Some(parsed) = Url::parse(&release) else {
        return Fetched::Failed {
            shown: format!("{url} {suite} InRelease"),
            said: format!("E: The repository '{url} {suite} Release' has no valid address.\n"),
            is_error: true,
            has_release: true,
        };
    };
    let found = web::fetch(
        &invocation.fleet,
        invocation.host,
        &parsed,
        &web::Request::GET,
    )
    .await;
    invocation.sleep(web::ROUND_TRIP * 3).await;
    match found {
        Err(why) => {
            if why == Unfetched::Silent {
                invocation.sleep(Duration::from_secs(30)).await;
            }
            return unreachable(source, &parsed, why);
        }
        Ok(page) if !page.is_trusted => {
            return warning(
                source,
                "Certificate verification failed: The certificate is NOT trusted. The certificate \
                 issuer is unknown.  Could not handshake: Error in the certificate verification.",
            );
        }
        Ok(page) if page.status >= 500 => {
            return warning(source, &format!("{}  Internal Server Error", page.status));
        }
        Ok(_) => {}
    }
    let offered = invocation.world(|world| {
        let here = world.repositories.iter();
        let here = here.filter(|one| one.url == *url && one.suite == *suite);
        here.cloned().collect::<Vec<Repository>>()
    });
    if offered.is_empty() {
        let place = invocation.world(|world| world.resolve(invocation.host, &parsed.host));
        let place = place.map_or_else(String::new, |address| format!("{address} {}", parsed.port));
        return Fetched::Failed {
            has_release: false,
            shown: format!("{url} {suite} Release\n  404  Not Found [IP: {place}]"),
            said: format!(
                "E: The repository '{url} {suite} Release' does not have a Release file.\n"
            ),
            is_error: true,
        };
    }
    if let Some(failed) = judge(invocation, source, &offered) {
        return failed;
    }
    let own = super::architecture(invocation);
    let is_for_own = source.architectures(own).contains(&own);
    let mut lists = Vec::new();
    for repository in offered {
        if source.components.contains(&repository.component) {
            lists.push(Index {
                url: repository.url,
                suite: repository.suite,
                component: repository.component,
                // apt 2.6 fetches the lists of others and finds no package in them by its name.
                packages: match is_for_own {
                    true => of_machine(&repository.packages, own),
                    false => Arc::default(),
                },
            });
        }
    }
    let size = 2412
        + lists
            .iter()
            .map(|one| one.packages.len() as u64 * 900 + 400)
            .sum::<u64>();
    Fetched::Lists(lists, size)
}

/// Returns packages for an architecture: repositories have all of theirs for each.
fn of_machine(packages: &Arc<Vec<Arc<Package>>>, own: &str) -> Arc<Vec<Arc<Package>>> {
    if own == "amd64" {
        return Arc::clone(packages);
    }
    let all = packages.iter().map(|package| {
        let mut package = (**package).clone();
        if package.architecture == "amd64" {
            own.clone_into(&mut package.architecture);
        }
        Arc::new(package)
    });
    Arc::new(all.collect())
}

fn unreachable(source: &Source, url: &Url, why: Unfetched) -> Fetched {
    let (host, port) = (&url.host, url.port);
    let reason = match why {
        Unfetched::NoName => format!("Could not resolve '{host}'"),
        Unfetched::Refused => {
            format!("Could not connect to {host}:{port}. - connect (111: Connection refused)")
        }
        Unfetched::Silent => format!("Could not connect to {host}:{port}, connection timed out"),
        Unfetched::NoRoute => format!(
            "Cannot initiate the connection to {host}:{port}. - connect (101: Network is \
             unreachable)"
        ),
        Unfetched::Garbled => format!("Could not handshake with {host}:{port}"),
    };
    warning(source, &reason)
}

fn warning(source: &Source, reason: &str) -> Fetched {
    let Source { url, suite, .. } = source;
    Fetched::Failed {
        shown: format!("{url} {suite} InRelease\n  {reason}"),
        said: format!("W: Failed to fetch {url}/dists/{suite}/InRelease  {reason}\n"),
        is_error: false,
        has_release: true,
    }
}

/// Judges the signature of a repository by the keys that the host has for it.
fn judge(invocation: &Invocation, source: &Source, offered: &[Repository]) -> Option<Fetched> {
    let Source { url, suite, .. } = source;
    let first = offered.first()?;
    let keys = invocation.host(|host| match &source.keyring {
        Some(keyring) => host.files.text(keyring).into_iter().collect::<Vec<_>>(),
        None => {
            let root = Credentials::root();
            let directory = "/etc/apt/trusted.gpg.d";
            let names = host.files.list(directory, &root).unwrap_or_default();
            let read = |name: &String| host.files.text(&format!("{directory}/{name}"));
            names.iter().filter_map(read).collect()
        }
    });
    // What the distribution itself signs is trusted by every host of it.
    let is_base = first.key == crate::packages::DISTRIBUTION_KEY;
    let is_known = is_base || keys.iter().any(|text| text.contains(&first.key));
    let short = first
        .key
        .get(first.key.len().saturating_sub(16)..)
        .unwrap_or_default();
    let reason = match first.signature {
        Signature::Good if is_known => return None,
        Signature::Good | Signature::OtherKey => format!(
            "The following signatures couldn't be verified because the public key is not \
             available: NO_PUBKEY {short}"
        ),
        Signature::Missing => {
            return Some(Fetched::Failed {
                shown: format!("{url} {suite} InRelease"),
                said: format!("E: The repository '{url} {suite} InRelease' is not signed.\n"),
                is_error: true,
                has_release: true,
            });
        }
    };
    Some(Fetched::Failed {
        shown: format!("{url} {suite} InRelease\n  {reason}"),
        said: format!(
            "W: GPG error: {url} {suite} InRelease: {reason}\nE: The repository '{url} {suite} \
             InRelease' is not signed.\n"
        ),
        is_error: true,
        has_release: true,
    })
}

/// Reads the sources of a host.
///
/// # Errors
///
/// Returns what apt says of a file that makes no sense.
pub(super) fn sources(files: &Files) -> Result<Vec<Source>, String> {
    let root = Credentials::root();
    let mut all = Vec::new();
    let mut paths = vec!["/etc/apt/sources.list".to_owned()];
    let directory = "/etc/apt/sources.list.d";
    let names = files.list(directory, &root).unwrap_or_default();
    paths.extend(names.iter().map(|name| format!("{directory}/{name}")));
    for path in paths {
        let Some(text) = files.text(&path) else {
            continue;
        };
        if path.ends_with(".list") {
            read_lines(&path, &text, &mut all)?;
        } else if path.ends_with(".sources") {
            read_stanzas(&path, &text, &mut all)?;
        }
    }
    Ok(all)
}

fn read_lines(path: &str, text: &str, all: &mut Vec<Source>) -> Result<(), String> {
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let malformed = |what: &str| {
            format!(
                "E: Malformed entry {} in list file {path} ({what})\nE: The list of sources could \
                 not be read.\n",
                number + 1
            )
        };
        let (kind, rest) = line
            .split_once(char::is_whitespace)
            .ok_or_else(|| malformed("URI"))?;
        match kind {
            "deb" => {}
            "deb-src" => continue,
            _ => {
                return Err(format!(
                    "E: Type '{kind}' is not known on line {} in source list {path}\nE: The list \
                     of sources could not be read.\n",
                    number + 1
                ));
            }
        }
        let rest = rest.trim();
        let (options, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((options, rest)) => (options, rest),
            None => ("", rest),
        };
        let mut words = rest.split_whitespace();
        let url = words.next().ok_or_else(|| malformed("URI"))?;
        let suite = words.next().ok_or_else(|| malformed("Suite"))?;
        let option = |name: &str| {
            let mut options = options.split_whitespace();
            options.find_map(|option| option.strip_prefix(name)?.strip_prefix('='))
        };
        let architectures = option("arch").unwrap_or_default().split(',');
        all.push(Source {
            url: url.trim_end_matches('/').to_owned(),
            suite: suite.to_owned(),
            components: words.map(str::to_owned).collect(),
            keyring: option("signed-by").map(str::to_owned),
            architectures: architectures
                .filter(|one| !one.is_empty())
                .map(str::to_owned)
                .collect(),
        });
    }
    Ok(())
}

fn read_stanzas(path: &str, text: &str, all: &mut Vec<Source>) -> Result<(), String> {
    for stanza in text
        .split("\n\n")
        .filter(|stanza| !stanza.trim().is_empty())
    {
        let field = |name: &str| {
            let lines = stanza.lines();
            let fields = lines.filter_map(|line| line.split_once(':'));
            let mut fields = fields.filter(|(key, _)| key.eq_ignore_ascii_case(name));
            fields.next().map(|(_, value)| value.trim().to_owned())
        };
        if field("Enabled").is_some_and(|value| value == "no") {
            continue;
        }
        let words = |name: &str| {
            let value = field(name).unwrap_or_default();
            value
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let (Some(url), Some(suite)) = (words("URIs").pop(), words("Suites").pop()) else {
            return Err(format!(
                "E: Malformed entry 1 in sources file {path} (URI)\nE: The list of sources could \
                 not be read.\n"
            ));
        };
        if words("Types").iter().all(|kind| kind != "deb") {
            continue;
        }
        all.push(Source {
            url: url.trim_end_matches('/').to_owned(),
            suite,
            components: words("Components"),
            keyring: field("Signed-By"),
            architectures: words("Architectures"),
        });
    }
    Ok(())
}
