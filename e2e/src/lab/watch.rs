//! Looking for secrets where every user of a machine can see them: in the arguments and environments of processes.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use base64::prelude::{BASE64_STANDARD, Engine};

use crate::machine::tools::is_root;

/// The time between two looks at all processes.
const INTERVAL: Duration = Duration::from_millis(4);

/// A secret under a name that may be shown.
#[derive(Clone, Debug)]
pub(crate) struct Secret {
    pub(crate) name: &'static str,
    forms: Vec<String>,
}

impl Secret {
    /// Prepares the forms in which a secret may turn up: raw, quoted, JSON-escaped, base64.
    pub(crate) fn new(name: &'static str, value: &str) -> Self {
        let json = serde_json::Value::from(value).to_string();
        let mut forms = vec![
            value.to_owned(),
            json.trim_matches('"').to_owned(),
            value.replace('\'', r"'\''"),
            value.replace('\'', r#"'"'"'"#),
        ];
        forms.extend((0..3).map(|offset| base64_inside(value, offset)));
        forms.sort();
        forms.dedup();
        Self { name, forms }
    }

    /// Returns the texts to search for.
    pub(crate) fn forms(&self) -> &[String] {
        &self.forms
    }

    /// Says whether the secret is in some bytes.
    pub(crate) fn is_in(&self, bytes: &[u8]) -> bool {
        self.forms
            .iter()
            .any(|form| contains(bytes, form.as_bytes()))
    }
}

/// Returns the base64 digits that stand for a text which begins at an offset inside a longer one.
fn base64_inside(value: &str, offset: usize) -> String {
    let mut bytes = vec![0; offset];
    bytes.extend_from_slice(value.as_bytes());
    // A digit is certain if all of its six bits are of the text.
    let first = (offset * 8).div_ceil(6);
    let last = bytes.len() * 8 / 6;
    BASE64_STANDARD.encode(&bytes)[first..last].to_owned()
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    !wanted.is_empty() && bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// Where a process showed a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// Its arguments, which every user can read.
    Arguments,
    /// Its environment, which its user and root can read.
    Environment,
}

/// A process that showed a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sighting {
    pub(crate) place: Place,
    pub(crate) secret: &'static str,
    /// The program, without its arguments.
    pub(crate) program: String,
    /// The control group, which names the containers around the process, outermost first.
    pub(crate) group: String,
}

/// What a watch has seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) sightings: BTreeSet<Sighting>,
    /// How often all processes were looked at.
    pub(crate) looks: u64,
}

/// A thread that looks at all processes of the machine, those inside the hosts included.
pub(crate) struct Watch {
    stop: Arc<AtomicBool>,
    looks: Arc<AtomicU64>,
    thread: std::thread::JoinHandle<BTreeSet<Sighting>>,
}

impl Watch {
    /// Starts looking.
    pub(crate) fn start(secrets: Vec<Secret>) -> Result<Self> {
        if !is_root() {
            bail!("only root sees the processes of the hosts");
        }
        let stop = Arc::new(AtomicBool::new(false));
        let looks = Arc::new(AtomicU64::new(0));
        let (until, counter) = (stop.clone(), looks.clone());
        let thread = std::thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || {
                let mut sightings = BTreeSet::new();
                while !until.load(Ordering::Relaxed) {
                    look(&secrets, &mut sightings);
                    counter.fetch_add(1, Ordering::Relaxed);
                    std::thread::sleep(INTERVAL);
                }
                sightings
            })
            .context("cannot start a thread")?;
        Ok(Self {
            stop,
            looks,
            thread,
        })
    }

    /// Stops looking.
    pub(crate) fn stop(self) -> Result<Seen> {
        self.stop.store(true, Ordering::Relaxed);
        let Ok(sightings) = self.thread.join() else {
            bail!("the watch has panicked");
        };
        Ok(Seen {
            sightings,
            looks: self.looks.load(Ordering::Relaxed),
        })
    }
}

fn look(secrets: &[Secret], sightings: &mut BTreeSet<Sighting>) {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if name
            .to_string_lossy()
            .bytes()
            .all(|byte| byte.is_ascii_digit())
        {
            look_at(&entry.path(), secrets, sightings);
        }
    }
}

/// Looks at one process; one that is gone meanwhile has empty files.
fn look_at(process: &Path, secrets: &[Secret], sightings: &mut BTreeSet<Sighting>) {
    let read = |file: &str| std::fs::read(process.join(file)).unwrap_or_default();
    let arguments = read("cmdline");
    if arguments.is_empty() {
        return;
    }
    for (place, bytes) in [
        (Place::Environment, read("environ")),
        (Place::Arguments, arguments.clone()),
    ] {
        for secret in secrets.iter().filter(|secret| secret.is_in(&bytes)) {
            let program = arguments
                .split(|byte| *byte == 0)
                .next()
                .unwrap_or_default();
            let group = String::from_utf8_lossy(&read("cgroup")).into_owned();
            sightings.insert(Sighting {
                place,
                secret: secret.name,
                program: String::from_utf8_lossy(program).into_owned(),
                group: longest_path(&group),
            });
        }
    }
}

/// Returns the path of the control group that says most.
fn longest_path(groups: &str) -> String {
    let paths = groups.lines().filter_map(|line| line.splitn(3, ':').nth(2));
    paths
        .max_by_key(|path| path.len())
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: &str = "pa'ss \"word\"$x";

    #[test]
    fn a_secret_is_found_in_every_form() {
        let secret = Secret::new("x", VALUE);
        let login = |user: &str| BASE64_STANDARD.encode(format!("{user}:{VALUE}"));

        for text in [
            format!("--password={VALUE}"),
            serde_json::json!({ "password": VALUE }).to_string(),
            "sh -c 'login '\"'\"'pa'\"'\"'ss \"word\"$x'".replace("'\"'\"'pa", "pa"),
            BASE64_STANDARD.encode(VALUE),
            login("a"),
            login("ab"),
            login("abc"),
        ] {
            assert!(secret.is_in(text.as_bytes()), "{text}");
        }
        assert!(!secret.is_in(b"--password=other"));
    }

    #[test]
    fn a_process_that_shows_a_secret_is_seen() {
        let value = format!("planted-{}", std::process::id());
        let watch = Watch::start(vec![Secret::new("planted", &value)]);
        let Ok(watch) = watch else {
            assert!(!is_root(), "root may watch");
            return;
        };
        let mut child = std::process::Command::new("sleep")
            .env("PLANTED", &value)
            .arg("60")
            .spawn()
            .unwrap();
        while watch.looks.load(Ordering::Relaxed) < 3 {
            std::thread::yield_now();
        }

        let seen = watch.stop().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();

        let places: Vec<Place> = seen
            .sightings
            .iter()
            .map(|sighting| sighting.place)
            .collect();
        assert_eq!(places, [Place::Environment]);
    }
}
