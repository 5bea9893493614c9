//! What ssh_config may ask of the machine: variables, users, names, commands.

use std::collections::{BTreeMap, HashMap};
use std::net::ToSocketAddrs as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long a command of `Match exec` may take.
const LIMIT: Duration = Duration::from_secs(10);

/// What ssh_config may ask of the machine.
pub(in super::super) trait World: Send + Sync {
    /// Returns a variable of the environment.
    fn variable(&self, name: &str) -> Option<String>;
    /// Returns the home directory of a user.
    fn home_of(&self, user: &str) -> Option<PathBuf>;
    /// Returns whether a name has an address.
    fn has_address(&self, name: &str) -> bool;
    /// Returns whether a command ends well; nothing where commands must not be run.
    fn succeeds(&self, command: &str) -> Option<bool>;
}

/// The machine that this runs on. Each question is asked once.
pub(in super::super) struct ThisMachine {
    variables: BTreeMap<String, String>,
    may_run: bool,
    commands: Mutex<HashMap<String, bool>>,
    names: Mutex<HashMap<String, bool>>,
}

impl ThisMachine {
    pub(in super::super) fn new(variables: BTreeMap<String, String>, may_run: bool) -> Self {
        Self {
            variables,
            may_run,
            commands: Mutex::default(),
            names: Mutex::default(),
        }
    }

    fn run(&self, command: &str) -> bool {
        let usual = || "/bin/sh".to_owned();
        let shell = self.variable("SHELL").unwrap_or_else(usual);
        let mut process = tokio::process::Command::new(shell);
        process
            .args(["-c", command])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        // A thread of its own: whoever asks may stand in a runtime, where one more cannot begin.
        let waiting = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .ok()?;
            runtime.block_on(async {
                let status = tokio::time::timeout(LIMIT, process.status()).await;
                status.ok()?.ok()
            })
        });
        let status = waiting.join().ok().flatten();
        status.is_some_and(|status| status.success())
    }
}

fn once(kept: &Mutex<HashMap<String, bool>>, key: &str, answer: impl FnOnce() -> bool) -> bool {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = kept.get(key) {
        return *known;
    }
    let answer = answer();
    kept.insert(key.to_owned(), answer);
    answer
}

impl World for ThisMachine {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn home_of(&self, user: &str) -> Option<PathBuf> {
        // Users of a directory service are not there; nobody was seen to need them here.
        let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
        home_in(&passwd, user)
    }

    fn has_address(&self, name: &str) -> bool {
        once(&self.names, name, || {
            (name, 0)
                .to_socket_addrs()
                .is_ok_and(|mut found| found.next().is_some())
        })
    }

    fn succeeds(&self, command: &str) -> Option<bool> {
        self.may_run
            .then(|| once(&self.commands, command, || self.run(command)))
    }
}

/// Finds the home directory of a user in the text of `/etc/passwd`.
fn home_in(passwd: &str, user: &str) -> Option<PathBuf> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == user).then(|| fields.nth(4).map(PathBuf::from))?
    })
}

/// A machine for tests.
#[cfg(test)]
#[derive(Default)]
pub(super) struct Fake {
    pub(super) variables: BTreeMap<String, String>,
    pub(super) homes: BTreeMap<String, PathBuf>,
    pub(super) names: Vec<String>,
    /// Commands that end well; nothing where none may run.
    pub(super) commands: Option<Vec<String>>,
}

#[cfg(test)]
impl World for Fake {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn home_of(&self, user: &str) -> Option<PathBuf> {
        self.homes.get(user).cloned()
    }

    fn has_address(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    fn succeeds(&self, command: &str) -> Option<bool> {
        let commands = self.commands.as_ref()?;
        Some(commands.iter().any(|known| known == command))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn homes_are_found_by_name() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\neve:x:1:1::/home/eve:/bin/sh\n";

        assert_eq!(home_in(passwd, "eve"), Some(PathBuf::from("/home/eve")));
        assert_eq!(home_in(passwd, "ev"), None);
    }

    #[test]
    fn commands_run_once_and_only_where_they_may() {
        let directory = tempfile::tempdir().unwrap();
        let count = directory.path().join("count");
        let command = format!("echo x >> {}", count.display());

        let refused = ThisMachine::new(BTreeMap::new(), false);
        assert_eq!(refused.succeeds(&command), None);
        assert!(!count.exists());

        let machine = ThisMachine::new(BTreeMap::new(), true);
        assert_eq!(machine.succeeds(&command), Some(true));
        assert_eq!(machine.succeeds(&command), Some(true));
        assert_eq!(machine.succeeds("exit 3"), Some(false));
        assert_eq!(std::fs::read_to_string(&count).unwrap(), "x\n");
    }
}
