//! How a command becomes root on a host, and why it may not.

/// How a command becomes root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Privilege {
    /// The login user is root.
    Root,
    /// `sudo -n`.
    Sudo,
    /// `doas -n`.
    Doas,
}

/// There is no way to become root, and this is what was said to those who tried.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
#[error("the login user is not root, and {}", self.said())]
pub struct NoPrivilege {
    /// What `sudo -n` said; nothing where there is none.
    pub sudo: Option<String>,
    /// What `doas -n` said; nothing where there is none.
    pub doas: Option<String>,
}

/// Tries every way for real: a listing of rights (`sudo -l`) succeeds with partial rights too.
///
/// The first line says what works; where nothing does, each line after it is what a program said,
/// behind its name. The script of discovery asks with the same words.
pub const DETECT: &str = concat!(
    include_str!("privilege.sh"),
    "printf '%s\n%s' \"$as\" \"$refused\"\n"
);

/// The same without the words that print the answer: `$as` is what works, `$refused` what was said.
pub const TRY: &str = include_str!("privilege.sh");

/// What refusals look like, and what is to be done; the first that fits counts.
const REMEDIES: &[(&[&str], &str)] = &[
    (
        &["must have a tty", "a tty is required", "no tty present"],
        "take the user out of `requiretty`: `Defaults:USER !requiretty` in a file of /etc/sudoers.d",
    ),
    (
        &[
            "not in the sudoers",
            "not allowed to",
            "may not run sudo",
            // sudo-rs 0.2.13, whoever it is that it refuses.
            "afraid I can't do that",
            "Operation not permitted",
        ],
        "allow it: `USER ALL=(ALL) NOPASSWD: ALL` in a file of /etc/sudoers.d, or log in as root",
    ),
    (
        &[
            "password is required",
            "Authentication required",
            // sudo-rs 0.2.13, with and without `-n`.
            "interactive authentication is required",
            "terminal is required to authenticate",
        ],
        "allow it without a password: `USER ALL=(ALL) NOPASSWD: ALL` in a file of /etc/sudoers.d, or \
         log in as root",
    ),
    (
        &["setuid", "no new privileges"],
        "mend the mode of sudo (`chmod 4755 /usr/bin/sudo`) or the mount options of its file system",
    ),
    (
        &["syntax error", "parse error", "no valid sudoers"],
        "mend the file that sudo names: `visudo -c`",
    ),
];

impl NoPrivilege {
    /// Reads the lines after the first of the answer to [`DETECT`].
    pub fn parse(text: &str) -> Self {
        let said_by = |name: &str| {
            let lines = text.lines().filter_map(|line| line.strip_prefix(name));
            let lines: Vec<&str> = lines.map(str::trim).filter(|it| !it.is_empty()).collect();
            // What is only a remark (a host name that does not resolve) stands before.
            let last = lines.last()?;
            Some(crate::observer::printable(last))
        };
        Self {
            sudo: said_by("sudo> "),
            doas: said_by("doas> "),
        }
    }

    /// Returns what was tried and what came of it.
    pub fn said(&self) -> String {
        match (&self.sudo, &self.doas) {
            (None, None) => "there is neither sudo nor doas".to_owned(),
            (Some(sudo), None) => format!("`sudo -n` says `{sudo}`"),
            (None, Some(doas)) => format!("`doas -n` says `{doas}`"),
            (Some(sudo), Some(doas)) => {
                format!("`sudo -n` says `{sudo}`, `doas -n` says `{doas}`")
            }
        }
    }

    /// Returns one step that the user can take.
    pub fn hint(&self) -> String {
        let Some(said) = self.sudo.as_ref().or(self.doas.as_ref()) else {
            return "install sudo and allow it to this user without a password, or log in as root"
                .to_owned();
        };
        let is_doas = self.sudo.is_none();
        let fits = |marks: &&[&str]| marks.iter().any(|mark| said.contains(mark));
        match REMEDIES.iter().find(|(marks, _)| fits(marks)) {
            Some(_) if is_doas => {
                "allow it: `permit nopass USER` in /etc/doas.conf, or log in as root".to_owned()
            }
            Some((_, remedy)) => (*remedy).to_owned(),
            None => {
                "run `sudo -n id -u` there as this user and mend what it complains of, or log in \
                     as root"
                    .to_owned()
            }
        }
    }
}

impl Privilege {
    /// Reads the first line of the answer to [`DETECT`], or the fact of that name.
    pub fn parse(text: &str) -> Option<Self> {
        match text.lines().next().unwrap_or_default().trim() {
            "root" => Some(Self::Root),
            "sudo" => Some(Self::Sudo),
            "doas" => Some(Self::Doas),
            _ => None,
        }
    }

    /// Reads the answer to [`DETECT`].
    ///
    /// # Errors
    ///
    /// Fails where there is no way.
    pub fn detected(text: &str) -> Result<Self, NoPrivilege> {
        Self::parse(text).ok_or_else(|| NoPrivilege::parse(text))
    }

    /// What stands before `/bin/sh`.
    pub(crate) fn wrapper(self) -> Option<&'static str> {
        match self {
            Self::Root => None,
            Self::Sudo => Some("sudo -n --"),
            Self::Doas => Some("doas -n --"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (String, String) {
        let error = Privilege::detected(text).unwrap_err();
        (error.to_string(), error.hint())
    }

    #[test]
    fn what_works_is_on_the_first_line() {
        for (text, expected) in [
            ("root\n", Privilege::Root),
            ("sudo\n", Privilege::Sudo),
            ("doas", Privilege::Doas),
        ] {
            assert_eq!(Privilege::detected(text), Ok(expected));
        }
    }

    #[test]
    fn what_sudo_says_is_told_with_a_remedy_that_fits() {
        for (said, remedy) in [
            ("sudo: a password is required", "NOPASSWD"),
            (
                "sudo: sorry, you must have a tty to run sudo",
                "!requiretty",
            ),
            (
                "Sorry, user ops is not allowed to execute '/usr/bin/id -u' as root on w1.",
                "NOPASSWD",
            ),
            ("ops is not in the sudoers file.", "NOPASSWD"),
            (
                "sudo: /usr/bin/sudo must be owned by uid 0 and have the setuid bit set",
                "chmod 4755",
            ),
            ("sudo: /etc/sudoers.d/x:1:1: syntax error", "visudo -c"),
            (
                "sudo: interactive authentication is required",
                "without a password",
            ),
            (
                "sudo: A terminal is required to authenticate",
                "without a password",
            ),
            (
                "sudo: I'm sorry ops. I'm afraid I can't do that",
                "allow it: `USER",
            ),
            ("sudo: something new", "sudo -n id -u"),
        ] {
            let (message, hint) = refused(&format!(
                "none\nsudo> sudo: unable to resolve host w1\nsudo> {said}\n"
            ));

            assert_eq!(
                message,
                format!("the login user is not root, and `sudo -n` says `{said}`")
            );
            assert!(hint.contains(remedy), "{said}: {hint}");
        }
    }

    #[test]
    fn where_there_is_no_sudo_it_is_not_told_to_mend_it() {
        let (message, hint) = refused("none\n");
        assert!(message.ends_with("there is neither sudo nor doas"));
        assert!(hint.starts_with("install sudo"), "{hint}");

        let (message, hint) = refused("none\ndoas> doas: Authentication required\n");
        assert!(message.ends_with("`doas -n` says `doas: Authentication required`"));
        assert!(hint.contains("/etc/doas.conf"), "{hint}");
    }

    /// The discovery of a product and a host that is asked by itself must not differ.
    #[test]
    fn a_shell_can_read_the_question() {
        let ran = std::process::Command::new("/bin/sh")
            .args(["-n", "-c", DETECT])
            .output()
            .unwrap();

        assert!(ran.status.success(), "{ran:?}");
        assert_eq!(ran.stderr, b"");
    }
}
