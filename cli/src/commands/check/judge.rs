//! What is wrong with what was found on a host: pure.

use phase::Failure;
use rig::access::{Access, Place};
use rig::sessions::Sessions;

/// How much something matters, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// A run does not come through.
    Problem,
    /// A run comes through, slower or not in all cases.
    Warning,
    /// It does no harm.
    Note,
}

/// Something that was found.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) weight: Weight,
    /// A word for it, for programs.
    pub(super) class: &'static str,
    /// What was tried, what the other side said, the next move.
    pub(super) failure: Failure,
}

impl Finding {
    pub(super) fn problem(class: &'static str, failure: Failure) -> Self {
        Self {
            weight: Weight::Problem,
            class,
            failure,
        }
    }

    fn warning(class: &'static str, failure: Failure) -> Self {
        Self {
            weight: Weight::Warning,
            ..Self::problem(class, failure)
        }
    }

    fn note(class: &'static str, failure: Failure) -> Self {
        Self {
            weight: Weight::Note,
            ..Self::problem(class, failure)
        }
    }
}

/// Judges what a login has found.
pub(super) fn access(access: &Access) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Err(refused) = &access.privilege {
        let message = format!("`{}` is not root, and {}", access.user, refused.said());
        let hint = refused.hint().replace("USER", &access.user);
        found.push(Finding::problem(
            "no-root",
            Failure::new(message).hint(hint),
        ));
    }
    for place in &access.places {
        if place.path == access.home {
            found.extend(home(place));
        } else {
            found.extend(of_root(place));
        }
    }
    if let Some(line) = access.greeting.lines().next() {
        let failure = Failure::new(format!(
            "the login shell prints `{line}` before every command"
        ))
        .hint("nothing has to be done; `scp` and others may mind it: see the start files");
        found.push(Finding::note("greeting", failure));
    }
    found
}

/// A home directory is wanted by the user's own commands, not by a run.
fn home(place: &Place) -> Option<Finding> {
    let path = &place.path;
    let (class, what, hint) = if !place.exists {
        (
            "no-home",
            "is not there",
            "make it: `mkhomedir_helper USER`",
        )
    } else if place.is_read_only() {
        ("read-only-home", "is mounted read-only", READ_ONLY)
    } else if place.is_full() {
        ("full-home", "is on a file system that is full", FULL)
    } else if !place.is_writable {
        (
            "read-only-home",
            "cannot be written to by its user",
            "give it to its user: `chown`",
        )
    } else {
        return None;
    };
    let failure = Failure::new(format!("the home directory `{path}` {what}")).hint(hint);
    Some(Finding::warning(class, failure))
}

const READ_ONLY: &str = "find out why (`findmnt -T`, `dmesg`) and `mount -o remount,rw` it";
const FULL: &str = "make room: `df -h` and `df -i` tell which file system is full";

fn of_root(place: &Place) -> Vec<Finding> {
    let path = &place.path;
    let mut found = Vec::new();
    if place.is_read_only() {
        let failure = Failure::new(format!("`{path}` is mounted read-only")).hint(READ_ONLY);
        found.push(Finding::problem("read-only", failure));
    } else if place.is_full() {
        let failure = Failure::new(format!("`{path}` is on a file system that is full")).hint(FULL);
        found.push(Finding::problem("full", failure));
    }
    if place.forbids_programs() && (path == "/tmp" || path.starts_with("/var/lib")) {
        let message = format!("programs cannot be started from `{path}`: it is mounted noexec");
        let failure = Failure::new(message).hint(format!(
            "if a hook or an installer needs it: `mount -o remount,exec {path}`"
        ));
        found.push(Finding::warning("noexec", failure));
    }
    found
}

/// Judges how many sessions a host allows, where so many are wanted.
pub(super) fn sessions(sessions: &Sessions, wanted: usize) -> Option<Finding> {
    let said = sessions.refused.as_ref()?;
    let message = format!(
        "the host allows {} of {wanted} sessions on one connection: it says `{said}`",
        sessions.open
    );
    let failure = Failure::new(message)
        .hint("raise `MaxSessions` in sshd_config (a stock sshd has 10): with fewer a run waits");
    Some(Finding::warning("max-sessions", failure))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rig::privilege::{NoPrivilege, Privilege};

    use super::*;

    fn place(path: &str, options: &str, free_kib: u64) -> Place {
        Place {
            path: path.to_owned(),
            exists: true,
            is_writable: true,
            free_kib: Some(free_kib),
            free_inodes: None,
            options: options.split(',').map(str::to_owned).collect(),
        }
    }

    fn good() -> Access {
        Access {
            user: "ops".to_owned(),
            uid: Some(1000),
            shell: None,
            home: "/home/ops".to_owned(),
            privilege: Ok(Privilege::Sudo),
            places: vec![place("/home/ops", "rw", 9999), place("/tmp", "rw", 9999)],
            greeting: String::new(),
        }
    }

    type Change = fn(&mut Access);

    fn classes(found: &Access) -> Vec<(Weight, &'static str)> {
        let found = access(found).into_iter();
        found.map(|it| (it.weight, it.class)).collect()
    }

    #[test]
    fn a_good_host_has_no_finding() {
        assert_eq!(classes(&good()), []);
    }

    #[test]
    fn each_fault_has_a_class_and_a_next_move() {
        let cases: [(Change, Weight, &str); 8] = [
            (
                |it| it.privilege = Err(NoPrivilege::default()),
                Weight::Problem,
                "no-root",
            ),
            (|it| it.places[0].exists = false, Weight::Warning, "no-home"),
            (
                |it| it.places[0].is_writable = false,
                Weight::Warning,
                "read-only-home",
            ),
            (
                |it| it.places[0].free_kib = Some(0),
                Weight::Warning,
                "full-home",
            ),
            (
                |it| it.places[1].options = vec!["ro".to_owned()],
                Weight::Problem,
                "read-only",
            ),
            (
                |it| it.places[1].free_inodes = Some(0),
                Weight::Problem,
                "full",
            ),
            (
                |it| it.places[1].options = vec!["noexec".to_owned()],
                Weight::Warning,
                "noexec",
            ),
            (
                |it| it.greeting = "hello".to_owned(),
                Weight::Note,
                "greeting",
            ),
        ];
        for (change, weight, class) in cases {
            let mut access_of = good();
            change(&mut access_of);

            assert_eq!(classes(&access_of), [(weight, class)]);
            assert!(
                access(&access_of)
                    .iter()
                    .all(|it| it.failure.hint.is_some())
            );
        }
    }

    #[test]
    fn fewer_sessions_are_a_warning_with_what_the_host_said() {
        let mut found = Sessions {
            open: 8,
            refused: None,
            round_trip: Duration::ZERO,
        };
        assert!(sessions(&found, 8).is_none());
        found.open = 2;
        found.refused = Some("open failed".to_owned());

        let finding = sessions(&found, 8).unwrap();

        assert_eq!(finding.weight, Weight::Warning);
        assert!(finding.failure.message.contains("2 of 8"));
    }
}
