//! How a command becomes root on a host.

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

/// There is no way to become root.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the login user is not root, and neither `sudo -n` nor `doas -n` makes it so")]
pub struct NoPrivilege;

/// Tries every way for real: a listing of rights (`sudo -l`) succeeds with partial rights too.
pub(crate) const DETECT: &str = r#"
if [ "$(id -u)" = 0 ]; then echo root
elif [ "$(sudo -n -- id -u 2>/dev/null)" = 0 ]; then echo sudo
elif [ "$(doas -n id -u 2>/dev/null)" = 0 ]; then echo doas
else echo none
fi
"#;

impl Privilege {
    /// Reads the answer of the detection script, or the fact of that name.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "root" => Some(Self::Root),
            "sudo" => Some(Self::Sudo),
            "doas" => Some(Self::Doas),
            _ => None,
        }
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
