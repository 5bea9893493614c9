//! What helps where a command failed for want of something that only the host's owner can give:
//! known by what programs print when the kernel refuses them.

/// What is printed, and the one step that helps.
const REMEDIES: &[(&[&str], &str)] = &[
    (
        // ENOSPC and EDQUOT in the words of the C library, and apt's own look ahead.
        &[
            "No space left on device",
            "no space left on device",
            "Disk quota exceeded",
            "You don't have enough free space in",
        ],
        "make room on the host (`df -h` and `df -i` show what is full), then run again",
    ),
    (
        &["Read-only file system", "read-only file system"],
        "find out why the file system is read-only (`dmesg` on the host), then run again",
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

/// Returns one step that helps, from the standard error of a command that failed.
pub(crate) fn remedy(stderr: &str) -> Option<&'static str> {
    let is_known = |words: &&[&str]| words.iter().any(|words| stderr.contains(words));
    let found = REMEDIES.iter().find(|(words, _)| is_known(words));
    found.map(|(_, step)| *step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_known_by_what_is_printed() {
        // Printed by a shell, by apt 2.6 and by engine 20.10 on a host whose disk was full.
        for said in [
            "cat: write error: No space left on device",
            "E: Write error - write (28: No space left on device)\nE: IO Error saving source cache",
            "failed to register layer: write /bin/x: no space left on device",
        ] {
            assert!(
                remedy(said).is_some_and(|step| step.contains("df -h")),
                "{said}"
            );
        }
    }

    #[test]
    fn a_repository_that_is_down_is_known_by_what_is_printed() {
        let said =
            "E: Failed to fetch http://archive.lab/x.deb  Could not connect to archive.lab:80";

        assert!(remedy(said).is_some_and(|step| step.contains("repositories")));
    }

    #[test]
    fn what_is_not_known_gets_no_advice() {
        assert_eq!(remedy("E: Unable to locate package nosuch"), None);
    }
}
