//! What programs and shells complain of, and one step that mends it: pure.

/// What stands in standard error, and what is to be done; the first that fits counts.
const COMPLAINTS: &[(&str, &str)] = &[
    (
        "No space left on device",
        "make room on the host: `df -h` and `df -i` tell which file system is full",
    ),
    (
        "Disk quota exceeded",
        "raise the quota of the login user, or make room: `quota` tells",
    ),
    (
        "Read-only file system",
        "find out why it is mounted read-only (`findmnt -O ro`, `dmesg`), and `mount -o \
         remount,rw` it",
    ),
];

/// Returns one step that mends what a program complains of.
pub(crate) fn of_stderr(stderr: &str) -> Option<&'static str> {
    let found = COMPLAINTS.iter().find(|(mark, _)| stderr.contains(mark));
    found.map(|(_, remedy)| *remedy)
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
        assert_eq!(of_stderr("no such file"), None);
    }

    #[test]
    fn a_shell_that_lets_nobody_in_is_told_from_one_that_ends_early() {
        assert!(of_shell("This account is currently not available.").contains("usermod"));
        assert!(of_shell("").contains("ForceCommand"));
        assert_eq!(said(" \n"), "printed nothing");
        assert_eq!(said("menu\n"), "printed `menu`");
    }
}
