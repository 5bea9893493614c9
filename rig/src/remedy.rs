//! What programs and shells complain of, and one step that mends it: pure.

/// What is printed, and the one step that helps; the first that fits counts.
const COMPLAINTS: &[(&[&str], &str)] = &[
    (
        // ENOSPC in the words of the C library and of Go, and apt's own look ahead.
        &[
            "No space left on device",
            "no space left on device",
            "You don't have enough free space in",
        ],
        "make room on the host (`df -h` and `df -i` show what is full), then run again",
    ),
    (
        &["Disk quota exceeded", "disk quota exceeded"],
        "raise the quota of the login user, or make room (`quota` tells), then run again",
    ),
    (
        &["Read-only file system", "read-only file system"],
        "find out why it is mounted read-only (`findmnt -O ro`, `dmesg`), and `mount -o \
         remount,rw` it",
    ),
    (
        // apt, dnf and zypper.
        &[
            "Temporary failure resolving",
            "Failed to fetch http",
            "Cannot download repomd.xml",
            "Download (curl) error",
        ],
        "check that the host reaches its package repositories (route, DNS, proxy in `environment`), \
         then run again",
    ),
];

/// Returns one step that mends what a program complains of.
pub(crate) fn of_stderr(stderr: &str) -> Option<&'static str> {
    let is_known = |words: &&[&str]| words.iter().any(|words| stderr.contains(words));
    let found = COMPLAINTS.iter().find(|(words, _)| is_known(words));
    found.map(|(_, step)| *step)
}

/// Returns one step that mends a login shell, from what it printed instead of starting `/bin/sh`.
pub(crate) fn of_shell(printed: &str) -> &'static str {
    if printed.contains("account is currently not available") {
        return "give the user a login shell: `usermod -s /bin/sh USER`";
    }
    if printed.contains("/bin/sh") && printed.contains("not found") {
        return "mend the `/bin/sh` of the host";
    }
    "run `ssh USER@HOST 'exec /bin/sh -c id'` and mend what keeps it from printing an id: the login \
     shell (`getent passwd USER`), its start files (an `exit`), or `ForceCommand` of sshd_config"
}

/// Returns what a shell has said, as the end of a sentence.
pub(crate) fn said(printed: &str) -> String {
    match printed.trim() {
        "" => "printed nothing".to_owned(),
        printed => format!("printed `{printed}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_or_read_only_file_system_has_a_remedy_of_its_own() {
        let full = of_stderr("cp: error writing '/tmp/x': No space left on device\n");
        assert!(full.is_some_and(|hint| hint.contains("df -i")));
        let fixed = of_stderr("mkdir: cannot create directory 'x': Read-only file system");
        assert!(fixed.is_some_and(|hint| hint.contains("remount,rw")));
        assert_eq!(of_stderr("E: Unable to locate package nosuch"), None);
    }

    #[test]
    fn a_full_disk_is_known_by_what_is_printed() {
        // Printed by a shell, by apt 2.6 and by engine 20.10 on a host whose disk was full.
        for said in [
            "cat: write error: No space left on device",
            "E: Write error - write (28: No space left on device)\nE: IO Error saving source cache",
            "failed to register layer: write /bin/x: no space left on device",
        ] {
            assert!(
                of_stderr(said).is_some_and(|step| step.contains("df -h")),
                "{said}"
            );
        }
    }

    #[test]
    fn a_repository_that_is_down_is_known_by_what_is_printed() {
        let said =
            "E: Failed to fetch http://archive.lab/x.deb  Could not connect to archive.lab:80";

        assert!(of_stderr(said).is_some_and(|step| step.contains("repositories")));
    }

    #[test]
    fn a_shell_that_lets_nobody_in_is_told_from_one_that_ends_early() {
        assert!(of_shell("This account is currently not available.").contains("usermod"));
        assert!(of_shell("").contains("ForceCommand"));
        assert_eq!(said(" \n"), "printed nothing");
        assert_eq!(said("menu\n"), "printed `menu`");
    }
}
