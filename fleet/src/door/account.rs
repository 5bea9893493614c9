//! What lets somebody in from outside: keys and passwords of the users who log in.

use std::time::Duration;

use russh::keys::PublicKey;

use super::login::shadow_of;
use crate::accounts;
use crate::files::{Credentials, Errno, Follow};
use crate::host::Host;
use crate::world::{Fleet, HostId};

/// Why somebody cannot be let in.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// There is no such user.
    #[error("{host} has no user `{user}`")]
    User {
        /// The host.
        host: String,
        /// Who.
        user: String,
    },
    /// A file cannot be written.
    #[error("cannot write `{path}` on {host}")]
    File {
        /// The host.
        host: String,
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: Errno,
    },
    /// A password cannot be kept.
    #[error("cannot keep the password of {user} on {host}")]
    Password {
        /// The host.
        host: String,
        /// Whose.
        user: String,
        /// Why.
        #[source]
        source: sha_crypt::password_hash::Error,
    },
}

impl Fleet {
    /// Lets the user who logs in to a host do so with a key.
    ///
    /// # Errors
    ///
    /// Fails where the host refuses the file.
    pub fn authorize(&self, host: HostId, key: &PublicKey) -> Result<(), AccountError> {
        let now = self.epoch();
        let line = format!("{}\n", key.to_openssh().unwrap_or_default());
        self.host(host, |host| authorize(host, &line, now))
    }

    /// Gives the user who logs in to a host a password.
    ///
    /// # Errors
    ///
    /// Fails where the host refuses the file.
    pub fn set_password(&self, host: HostId, password: &str) -> Result<(), AccountError> {
        let now = self.epoch();
        self.host(host, |host| set_password(host, password, now))
    }
}

fn authorize(host: &mut Host, line: &str, now: Duration) -> Result<(), AccountError> {
    let user = host.login.clone();
    let account = accounts::account(&host.files, &user);
    let account = account.ok_or_else(|| AccountError::User {
        host: host.name.clone(),
        user: user.clone(),
    })?;
    let directory = format!("{}/.ssh", account.home);
    let path = format!("{directory}/authorized_keys");
    let root = Credentials::root();
    let (uid, gid) = (Some(account.uid), Some(account.gid));
    let files = &mut host.files;
    let written = (|| {
        if !files.exists(&directory) {
            files.make_dirs(&directory, 0o700, &root, now)?;
            files.set_owner(&directory, uid, gid, Follow::Yes, &root)?;
        }
        files.append(&path, line.as_bytes(), 0o600, &root, now)?;
        files.set_owner(&path, uid, gid, Follow::Yes, &root)
    })();
    written.map_err(|source| AccountError::File {
        host: host.name.clone(),
        path,
        source,
    })
}

fn set_password(host: &mut Host, password: &str, now: Duration) -> Result<(), AccountError> {
    const PATH: &str = "/etc/shadow";
    let user = host.login.clone();
    let salt = &host.boot_id.as_bytes()[..12.min(host.boot_id.len())];
    let hash = shadow_of(password, salt).map_err(|source| AccountError::Password {
        host: host.name.clone(),
        user: user.clone(),
        source,
    })?;
    let old = host.files.text(PATH).unwrap_or_default();
    let secret_of = |name: &str| {
        let mut lines = old.lines().filter_map(|line| line.split_once(':'));
        let rest = lines
            .find(|(known, _)| *known == name)
            .map(|(_, rest)| rest);
        rest.map_or_else(|| "*:19700:0:99999:7:::".to_owned(), str::to_owned)
    };
    let lines = accounts::accounts(&host.files).into_iter().map(|account| {
        let rest = match account.name == user {
            true => format!("{hash}:19700:0:99999:7:::"),
            false => secret_of(&account.name),
        };
        format!("{}:{rest}\n", account.name)
    });
    let text: String = lines.collect();
    let written = host
        .files
        .write(PATH, text, 0o640, &Credentials::root(), now);
    written.map_err(|source| AccountError::File {
        host: host.name.clone(),
        path: PATH.to_owned(),
        source,
    })
}
