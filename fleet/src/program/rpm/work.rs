//! Putting packages in place and taking them away: files, scripts, and what the database holds.

use std::sync::Arc;

use crate::files::{Content, Credentials, Errno, Kind};
use crate::packages::rpm::nvra;
use crate::packages::{Installed, Package, PackageFile, State};
use crate::pipe::{Reader, pipe};
use crate::program::Invocation;
use crate::program::dpkg::{place, take_away};
use crate::program::launch::Launch;

/// What happened to a package, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Happened {
    /// A script was run; what it printed, and what rpm says of it.
    Script(String),
    /// Its files came or went; what rpm says of them.
    Files(String),
}

/// What came of a package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Done {
    /// What happened.
    pub(crate) happened: Vec<Happened>,
    /// The script that failed, as dnf calls it.
    pub(crate) failed_script: Option<&'static str>,
    /// Whether nothing of it was done.
    pub(crate) is_refused: bool,
}

/// Where a package comes from, and how.
#[derive(Debug, Clone, Default)]
pub(crate) struct Source {
    /// The repository.
    pub(crate) repository: String,
    /// Whether it comes because others need it.
    pub(crate) is_automatic: bool,
    /// Whether its scripts are run.
    pub(crate) is_quiet: bool,
}

/// Installs a package; one of the same name stays in place until it is erased.
pub(crate) async fn install(
    invocation: &mut Invocation,
    package: &Arc<Package>,
    source: &Source,
) -> Done {
    let mut done = Done::default();
    let old = invocation.host(|host| host.packages.get(&package.name).cloned());
    let count = if old.is_some() { "2" } else { "1" };
    if !source.is_quiet {
        script(invocation, package, "pre", count, &mut done).await;
    }
    if done.is_refused {
        return done;
    }
    invocation.spend(crate::time::of("dpkg unpack")).await;
    invocation.flush().await;
    let now = invocation.now();
    let placed = invocation.host(|host| {
        let mut said = String::new();
        for file in &package.files {
            said.push_str(&put(host, file, old.as_ref(), now)?);
        }
        host.packages.set(Installed {
            package: Arc::clone(package),
            state: State::Installed,
            is_automatic: old.as_ref().map_or(source.is_automatic, |old| {
                old.is_automatic && source.is_automatic
            }),
            is_held: false,
            origin: source.repository.clone(),
            since: now,
        });
        Ok::<String, (String, Errno)>(said)
    });
    match placed {
        Ok(said) => done.happened.push(Happened::Files(said)),
        Err((path, errno)) => {
            let reason = match errno {
                Errno::NoSpace => "cpio: write failed - No space left on device".to_owned(),
                other => format!("cpio: open failed - {other}"),
            };
            done.happened.push(Happened::Files(format!(
                "error: unpacking of archive failed on file {path}: {reason}\nerror: {}: install \
                 failed\n",
                nvra(package)
            )));
            done.is_refused = true;
            return done;
        }
    }
    if !source.is_quiet {
        script(invocation, package, "post", count, &mut done).await;
    }
    done
}

/// Erases a package; `left` is how many of its name stay.
pub(crate) async fn erase(invocation: &mut Invocation, package: &Arc<Package>, left: u8) -> Done {
    let mut done = Done::default();
    let count = left.to_string();
    script(invocation, package, "preun", &count, &mut done).await;
    if done.is_refused {
        return done;
    }
    let now = invocation.now();
    let said = invocation.host(|host| {
        if left == 0 {
            host.packages.forget(&package.name);
        }
        let mut said = String::new();
        for file in package.files.iter().rev() {
            let path = file.path();
            let is_owned = host.packages.installed.values().any(|one| {
                let mut files = one.package.files.iter();
                files.any(|other| other.path() == path)
            });
            if is_owned {
                continue;
            }
            if let PackageFile::Configuration(_, _, text) = file
                && host.files.text(path).is_some_and(|found| found != *text)
            {
                let saved = format!("{path}.rpmsave");
                let root = Credentials::root();
                // What cannot be kept is lost, as with rpm itself.
                let _ = host.files.rename(path, &saved, &root, now);
                said.push_str(&format!("warning: {path} saved as {saved}\n"));
                continue;
            }
            take_away(&mut host.files, file, now);
        }
        said
    });
    done.happened.push(Happened::Files(said));
    script(invocation, package, "postun", &count, &mut done).await;
    done
}

/// Puts a file in place; a configuration file that somebody has changed stays.
fn put(
    host: &mut crate::host::Host,
    file: &PackageFile,
    old: Option<&Installed>,
    now: std::time::Duration,
) -> Result<String, (String, Errno)> {
    let PackageFile::Configuration(path, mode, text) = file else {
        place(&mut host.files, file, now)?;
        return Ok(String::new());
    };
    let before = old.and_then(|old| {
        let mut files = old.package.files.iter();
        files.find_map(|file| match file {
            PackageFile::Configuration(own, _, text) if own == path => Some(text.clone()),
            _ => None,
        })
    });
    let found = host.files.text(path);
    let is_changed = found.is_some() && found != before && found.as_ref() != Some(text);
    let (target, said) = match (is_changed, before.as_ref() == Some(text)) {
        (true, true) => return Ok(String::new()),
        (true, false) => {
            let beside = format!("{path}.rpmnew");
            let said = format!("warning: {path} created as {beside}\n");
            (beside, said)
        }
        (false, _) => (path.clone(), String::new()),
    };
    let plain = PackageFile::Text(target, *mode, text.clone());
    place(&mut host.files, &plain, now)?;
    Ok(said)
}

/// Runs a script of a package from a file, with what it prints kept.
async fn script(
    invocation: &mut Invocation,
    package: &Package,
    which: &'static str,
    count: &str,
    done: &mut Done,
) {
    let Some(text) = package.scripts.get(which) else {
        return;
    };
    let (path, now) = (
        format!("/var/tmp/rpm-tmp.{}", package.name),
        invocation.now(),
    );
    let root = Credentials::root();
    let content = Content::from(text.as_str());
    let written = invocation.host(|host| {
        // What an interrupted run has left.
        let _ = host.files.remove_file(&path, &root, now);
        let kind = Kind::File(content);
        host.files.make_node(&path, kind, 0o644, &root, now)
    });
    let words = ["/bin/sh", path.as_str(), count].map(str::to_owned);
    let (status, mut said) = match (written, invocation.launch(words.to_vec())) {
        (Ok(()), Ok(launch)) => {
            let (writer, reader) = pipe();
            let launch = Launch {
                stdin: Reader::null(),
                stdout: writer.clone(),
                stderr: writer,
                ..launch
            };
            let (status, said) = tokio::join!(invocation.run_launch(launch), reader.read_to_end());
            let said = said.unwrap_or_default();
            (status, String::from_utf8_lossy(&said).into_owned())
        }
        (_, Err(status)) => (status, String::new()),
        (Err(_), _) => (127, String::new()),
    };
    let _ = invocation.host(|host| host.files.remove_file(&path, &root, now));
    if status != 0 {
        let (long, short) = match which {
            "pre" => ("%prein", "PREIN"),
            "post" => ("%post", "POSTIN"),
            "preun" => ("%preun", "PREUN"),
            _ => ("%postun", "POSTUN"),
        };
        done.is_refused = matches!(which, "pre" | "preun");
        let severity = if done.is_refused { "error" } else { "warning" };
        let name = nvra(package);
        said.push_str(&format!(
            "{severity}: {long}({name}) scriptlet failed, exit status {status}\n"
        ));
        done.failed_script = Some(short);
    }
    done.happened.push(Happened::Script(said));
}
