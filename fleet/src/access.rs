//! The way to a host and its login, where they are not what they should be.

use serde::{Deserialize, Serialize};

use crate::accounts;
use crate::files::Mount;
use crate::host::{Host, LoginShell, Sshd, SudoWish};
use crate::world::{Fleet, HostId};

/// What is the matter with the way to a host, or with its login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "docs/rehearse.md describes each of them")]
pub enum Trouble {
    Refused,
    Filtered,
    Reset,
    Silent,
    LoginRefused,
    HostKeyChanged,
    SudoPassword,
    Requiretty,
    ShellGreets,
    ShellEnds,
    OneSession,
    TwoSessions,
    ReadOnlyHome,
    NoexecTmp,
    NoForwarding,
}

/// All of them.
pub const TROUBLES: &[Trouble] = &[
    Trouble::Refused,
    Trouble::Filtered,
    Trouble::Reset,
    Trouble::Silent,
    Trouble::LoginRefused,
    Trouble::HostKeyChanged,
    Trouble::SudoPassword,
    Trouble::Requiretty,
    Trouble::ShellGreets,
    Trouble::ShellEnds,
    Trouble::OneSession,
    Trouble::TwoSessions,
    Trouble::ReadOnlyHome,
    Trouble::NoexecTmp,
    Trouble::NoForwarding,
];

impl Trouble {
    /// Returns whether a run comes through in spite of it.
    pub fn is_harmless(self) -> bool {
        matches!(
            self,
            Self::ShellGreets
                | Self::OneSession
                | Self::TwoSessions
                | Self::ReadOnlyHome
                | Self::NoexecTmp
                | Self::NoForwarding
        )
    }

    /// Returns whether new connections meet it, and not those that there are.
    fn is_of_sshd(self) -> Option<Sshd> {
        Some(match self {
            Self::Refused => Sshd::Down,
            Self::Filtered => Sshd::Filtered,
            Self::Reset => Sshd::Resets,
            Self::Silent => Sshd::Silent,
            Self::LoginRefused => Sshd::Rejects,
            Self::HostKeyChanged => Sshd::OtherKey,
            _ => return None,
        })
    }
}

impl Fleet {
    /// Lets a host have a trouble, or be rid of it.
    pub fn trouble(&self, host: HostId, trouble: Trouble, is_there: bool) {
        self.host(host, |host| set(host, trouble, is_there));
        // What keeps new connections out is seen where the old ones are gone.
        if is_there && trouble.is_of_sshd().is_some() {
            self.cut_connections(host);
        }
    }

    /// Rids all hosts of all troubles.
    pub fn end_troubles(&self) {
        let count = self.world(|world| world.hosts.len());
        for host in (0..count).map(HostId) {
            for trouble in TROUBLES {
                self.trouble(host, *trouble, false);
            }
        }
    }
}

fn set(host: &mut Host, trouble: Trouble, is_there: bool) {
    if let Some(sshd) = trouble.is_of_sshd() {
        if is_there {
            host.sshd = sshd;
        } else if host.sshd == sshd {
            host.sshd = Sshd::Up;
        }
        return;
    }
    match trouble {
        Trouble::SudoPassword => host.sudo_wish = is_there.then_some(SudoWish::Password),
        Trouble::Requiretty => host.sudo_wish = is_there.then_some(SudoWish::Terminal),
        Trouble::ShellGreets => host.login_shell = shell(is_there, LoginShell::Greets),
        Trouble::ShellEnds => host.login_shell = shell(is_there, LoginShell::Ends),
        Trouble::OneSession => host.max_sessions = if is_there { 1 } else { 10 },
        Trouble::TwoSessions => host.max_sessions = if is_there { 2 } else { 10 },
        Trouble::NoForwarding => host.forwards = !is_there,
        Trouble::ReadOnlyHome => {
            if let Some(account) = accounts::account(&host.files, &host.login) {
                mount(host, &account.home, "ro,relatime", is_there);
            }
        }
        Trouble::NoexecTmp => mount(host, "/tmp", "rw,noexec,relatime", is_there),
        _ => {}
    }
}

fn shell(is_there: bool, shell: LoginShell) -> LoginShell {
    if is_there { shell } else { LoginShell::Plain }
}

/// Mounts the file system of a directory once more, with other options; or takes that away.
fn mount(host: &mut Host, point: &str, options: &str, is_there: bool) {
    if !is_there {
        let is_ours = |mount: &Mount| mount.point == point && mount.options == options;
        if host.files.mounts().iter().any(is_ours) {
            host.files.unmount(point);
        }
        return;
    }
    if let Some(under) = host.files.mount_of(point).cloned() {
        host.files.mount(Mount {
            point: point.to_owned(),
            options: options.to_owned(),
            ..under
        });
    }
}
