//! What a login finds on a host: who it is, how it becomes root, where it may write. One script,
//! one round trip, read by a pure function; nothing is changed.

use std::time::Duration;

use crate::command::{Command, Effect};
use crate::host::{CommandError, Host};
use crate::observer::printable;
use crate::privilege::{NoPrivilege, Privilege, TRY};

/// The script; it is described at its top.
const SCRIPT: &str = include_str!("access.sh");
/// How long it may take; what may hang in it has limits of its own.
const LIMIT: Duration = Duration::from_secs(60);
/// A file system with less room counts as full.
const LEAST_KIB: u64 = 1024;

/// What a login finds on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Name of the login user.
    pub user: String,
    /// Its number.
    pub uid: Option<u32>,
    /// Its login shell, where the host says it.
    pub shell: Option<String>,
    /// Its home directory.
    pub home: String,
    /// How a command becomes root, or why it may not.
    pub privilege: Result<Privilege, NoPrivilege>,
    /// Its home directory, where it has one, and the places that were asked for.
    pub places: Vec<Place>,
    /// What the login shell printed before anything was asked.
    pub greeting: String,
}

/// A directory, and the file system it is on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The directory.
    pub path: String,
    /// Whether it is there.
    pub exists: bool,
    /// Whether the login user may write to it.
    pub is_writable: bool,
    /// How many KiB are free, for those who are not root.
    pub free_kib: Option<u64>,
    /// How many files can still be made; nothing where the file system does not count them.
    pub free_inodes: Option<u64>,
    /// The mount options.
    pub options: Vec<String>,
}

impl Place {
    /// Returns whether the file system is mounted read-only.
    pub fn is_read_only(&self) -> bool {
        self.options.iter().any(|option| option == "ro")
    }

    /// Returns whether programs on it cannot be started.
    pub fn forbids_programs(&self) -> bool {
        self.options.iter().any(|option| option == "noexec")
    }

    /// Returns whether nothing more fits.
    pub fn is_full(&self) -> bool {
        self.free_kib.is_some_and(|kib| kib < LEAST_KIB) || self.free_inodes == Some(0)
    }
}

/// The answer of a host does not make sense.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The script did not come to its end.
    #[error("the answer of the host ends early: {last}")]
    Truncated {
        /// Its last line.
        last: String,
    },
    /// It could not be asked.
    #[error(transparent)]
    Command(#[from] CommandError),
}

/// Asks a host; root has to be able to write to `places`.
///
/// # Errors
///
/// Fails where the host does not answer, or not as a host with a shell would.
pub async fn ask(host: &Host, places: &[&str]) -> Result<Access, AccessError> {
    let command = Command::script(format!("{TRY}{SCRIPT}"), Effect::Read)
        .args(places.iter().copied())
        .title("look what a login finds")
        .timeout(LIMIT);
    let output = host.run(command).await?;
    parse(&output.stdout_text(), &output.greeting)
}

/// Reads the answer of a host.
///
/// # Errors
///
/// Fails where it does not hold the whole answer.
pub fn parse(text: &str, greeting: &str) -> Result<Access, AccessError> {
    let mut access = Access {
        user: String::new(),
        uid: None,
        shell: None,
        home: String::new(),
        privilege: Err(NoPrivilege::default()),
        places: Vec::new(),
        greeting: greeting.to_owned(),
    };
    let (mut is_whole, mut of_privilege) = (false, String::new());
    for line in text.lines() {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        let said = || Some(printable(value)).filter(|value| !value.is_empty());
        match key {
            "user" => access.user = printable(value),
            "uid" => access.uid = value.parse().ok(),
            "home" => access.home = printable(value),
            "shell" => access.shell = said(),
            "privilege" => of_privilege = format!("{value}\n"),
            "sudo>" | "doas>" => of_privilege.push_str(&format!("{line}\n")),
            "place" => access.places.push(Place {
                path: printable(value),
                ..Place::default()
            }),
            "end" => is_whole = true,
            _ => {
                if let Some(place) = access.places.last_mut() {
                    take(place, key, value);
                }
            }
        }
    }
    if !is_whole {
        let last = printable(text.lines().last().unwrap_or_default());
        return Err(AccessError::Truncated { last });
    }
    access.privilege = Privilege::detected(&of_privilege);
    Ok(access)
}

fn take(place: &mut Place, key: &str, value: &str) {
    match key {
        "exists" => place.exists = true,
        "writable" => place.is_writable = true,
        "free_kib" => place.free_kib = value.parse().ok(),
        // Some file systems make as many as are wanted, and say 0 of 0.
        "inodes" => {
            place.free_inodes = value
                .split_once(' ')
                .filter(|(all, _)| *all != "0" && *all != "-")
                .and_then(|(_, free)| free.parse().ok());
        }
        "options" => place.options = value.split(',').map(printable).collect(),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "user ops\nuid 1000\nhome /home/ops\nshell /bin/bash\n\
        privilege none\nsudo> sudo: a password is required\n\
        place /home/ops\nexists yes\nfree_kib 5\noptions ro,relatime\ninodes 100 0\n\
        place /tmp\nexists yes\nwritable yes\nfree_kib 99999\noptions rw,noexec\ninodes 0 0\n\
        end yes\n";

    #[test]
    fn an_answer_is_read() {
        let access = parse(ANSWER, "Welcome!").unwrap();

        assert_eq!((access.user.as_str(), access.uid), ("ops", Some(1000)));
        assert_eq!(access.shell.as_deref(), Some("/bin/bash"));
        let refused = access.privilege.unwrap_err();
        assert_eq!(
            refused.sudo.as_deref(),
            Some("sudo: a password is required")
        );
        let [home, tmp] = access.places.as_slice() else {
            panic!("two places: {:?}", access.places);
        };
        assert!(home.is_read_only() && home.is_full() && !home.is_writable);
        assert!(tmp.forbids_programs() && !tmp.is_full() && tmp.is_writable);
        assert_eq!((home.free_inodes, tmp.free_inodes), (Some(0), None));
        assert_eq!(access.greeting, "Welcome!");
    }

    #[test]
    fn an_answer_that_was_cut_off_is_not_taken_for_whole() {
        for at in 0..ANSWER.len() - "end yes\n".len() {
            assert!(parse(&ANSWER[..at], "").is_err(), "{at}");
        }
    }

    #[test]
    fn this_machine_answers() {
        let ran = std::process::Command::new("/bin/sh")
            .args([
                "-c",
                &format!("{TRY}{SCRIPT}"),
                "sh",
                "/tmp",
                "/nowhere/at/all",
            ])
            .output()
            .unwrap();

        let access = parse(&String::from_utf8_lossy(&ran.stdout), "").unwrap();

        assert_eq!(ran.stderr, b"", "{}", String::from_utf8_lossy(&ran.stderr));
        let [.., tmp, nowhere] = access.places.as_slice() else {
            panic!("{:?}", access.places);
        };
        assert!(tmp.exists && tmp.free_kib.is_some() && !tmp.options.is_empty());
        assert!(!nowhere.exists && !nowhere.options.is_empty());
    }
}
