//! Who may log in: what sshd decides from the files of its host.

use std::time::Duration;

use russh::keys::ssh_key::certificate::CertType;
use russh::keys::{Certificate, HashAlg, PublicKey};
use sha_crypt::{PasswordHasher as _, PasswordVerifier as _, ShaCrypt};

use super::authorized::Entry;
use super::settings::{Settings, Who};
use crate::accounts::{self, Account};
use crate::files::{Credentials, Files, Follow};
use crate::shell::pattern::fits;

/// What somebody may do who has logged in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Grant {
    /// The only command that he may run.
    pub(super) command: Option<String>,
    /// Variables that his key brings.
    pub(super) environment: Vec<(String, String)>,
    /// Whether he gets no terminal.
    pub(super) has_no_terminal: bool,
    /// Whether nothing is forwarded for him.
    pub(super) forwards_nothing: bool,
}

/// Somebody at the door of a host.
#[derive(Debug, Clone)]
pub(super) struct Guest<'a> {
    /// The files of the host.
    pub(super) files: &'a Files,
    /// What its server is told.
    pub(super) settings: &'a Settings,
    /// The name that was given.
    pub(super) user: &'a str,
    /// Where he comes from.
    pub(super) peer: &'a str,
    /// The time of the host.
    pub(super) now: Duration,
}

impl Guest<'_> {
    /// Returns the account, where it exists, may log in, and has a shell that exists.
    pub(super) fn account(&self) -> Option<(Account, Vec<String>)> {
        let account = accounts::account(self.files, self.user)?;
        let all = accounts::groups(self.files).into_iter();
        let own = all.filter(|group| {
            group.gid == account.gid || group.members.iter().any(|one| one == self.user)
        });
        let groups: Vec<String> = own.map(|group| group.name).collect();
        let who = Who {
            user: self.user,
            groups: &groups,
        };
        let shell = match account.shell.is_empty() {
            true => "/bin/sh",
            false => &account.shell,
        };
        let may = self.settings.lets_in(who) && self.files.exists(shell);
        may.then_some((account, groups))
    }

    /// Returns what somebody with a key may do; none where the key is not his.
    pub(super) fn with_key(&self, key: &PublicKey) -> Option<Grant> {
        let (account, groups) = self.account()?;
        let who = Some(Who {
            user: self.user,
            groups: &groups,
        });
        if !self.settings.is_on("pubkeyauthentication", who, true) {
            return None;
        }
        let entries = self.entries(&account, who);
        let mut own = entries
            .iter()
            .filter(|entry| entry.key.key_data() == key.key_data() && !entry.has("cert-authority"));
        let grant = own.find_map(|entry| self.grant(entry))?;
        self.as_root_may(&account, who, grant)
    }

    /// Returns whether authorities are trusted, so that a key may have a certificate.
    pub(super) fn trusts_authorities(&self) -> bool {
        let Some((account, groups)) = self.account() else {
            return false;
        };
        let who = Some(Who {
            user: self.user,
            groups: &groups,
        });
        let entries = self.entries(&account, who);
        self.settings.value("trustedusercakeys", who).is_some()
            || entries.iter().any(|entry| entry.has("cert-authority"))
    }

    /// Returns what somebody with a certificate may do; none where it is not good for him.
    pub(super) fn with_certificate(&self, certificate: &Certificate) -> Option<Grant> {
        let (account, groups) = self.account()?;
        let who = Some(Who {
            user: self.user,
            groups: &groups,
        });
        if certificate.cert_type() != CertType::User {
            return None;
        }
        let signer = certificate.signature_key().fingerprint(HashAlg::Sha256);
        let now = self.now.as_secs();
        if certificate.validate_at(now, [&signer]).is_err() {
            return None;
        }
        let mut principals = certificate.valid_principals().iter();
        let is_for_user = principals.any(|name| name == self.user);
        let trusted = self.settings.value("trustedusercakeys", who);
        let trusted = trusted
            .and_then(|path| self.files.text(path))
            .unwrap_or_default();
        let mut authorities = trusted
            .lines()
            .filter_map(|line| line.parse::<PublicKey>().ok());
        let is_signer = |key: &PublicKey| key.fingerprint(HashAlg::Sha256) == signer;
        let mut grant = match authorities.any(|key| is_signer(&key)) && is_for_user {
            true => Grant::default(),
            false => {
                let entries = self.entries(&account, who);
                let mut signers = entries
                    .iter()
                    .filter(|entry| entry.has("cert-authority") && is_signer(&entry.key));
                let is_for_all = certificate.valid_principals().is_empty();
                let grant = signers.find_map(|entry| self.grant(entry));
                grant.filter(|_| is_for_user || is_for_all)?
            }
        };
        for (name, value) in certificate.critical_options().iter() {
            match name.as_str() {
                "force-command" => grant.command = Some(value.clone()),
                "source-address" if value.split(',').any(|one| fits(one, self.peer)) => {}
                _ => return None,
            }
        }
        let extensions = certificate.extensions();
        grant.has_no_terminal |= !extensions.contains_key("permit-pty");
        grant.forwards_nothing |= !extensions.contains_key("permit-port-forwarding");
        self.as_root_may(&account, who, grant)
    }

    /// Returns what somebody with a password may do; none where it is not his.
    pub(super) fn with_password(&self, password: &str) -> Option<Grant> {
        let (account, groups) = self.account()?;
        let who = Some(Who {
            user: self.user,
            groups: &groups,
        });
        let root = self.settings.value("permitrootlogin", who);
        if account.uid == 0 && root != Some("yes") {
            return None;
        }
        let shadow = self.files.text("/etc/shadow")?;
        let mut lines = shadow
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>());
        let line = lines.find(|fields| fields.first() == Some(&self.user))?;
        let hash = *line.get(1)?;
        if hash.is_empty() {
            let may = self.settings.is_on("permitemptypasswords", who, false);
            return (may && password.is_empty()).then(Grant::default);
        }
        let verified = ShaCrypt::default().verify_password(password.as_bytes(), hash);
        verified.is_ok().then(Grant::default)
    }

    /// Returns the keys of an account, from files that nobody else may write to.
    fn entries(&self, account: &Account, who: Option<Who<'_>>) -> Vec<Entry> {
        let named = self.settings.value("authorizedkeysfile", who);
        let named = named.unwrap_or(".ssh/authorized_keys .ssh/authorized_keys2");
        let is_strict = self.settings.is_on("strictmodes", who, true);
        let mut all = Vec::new();
        for word in named.split_whitespace().filter(|word| *word != "none") {
            let path = word
                .replace("%h", &account.home)
                .replace("%u", &account.name)
                .replace("%%", "%");
            let path = match path.starts_with('/') {
                true => path,
                false => format!("{}/{path}", account.home),
            };
            if is_strict && !self.is_safe(&path, account) {
                continue;
            }
            let text = self.files.text(&path).unwrap_or_default();
            all.extend(Entry::read_all(&text));
        }
        all
    }

    /// Returns whether nobody but the user and root may change a file, or a directory from it up to
    /// the home directory.
    fn is_safe(&self, path: &str, account: &Account) -> bool {
        let root = Credentials::root();
        let mut path = path.to_owned();
        loop {
            let Ok(stat) = self.files.stat(&path, Follow::Yes, &root) else {
                return false;
            };
            let is_own = stat.uid == 0 || stat.uid == account.uid;
            if !is_own || stat.mode & 0o022 != 0 {
                return false;
            }
            if path == account.home || path == "/" {
                return true;
            }
            path = crate::files::split(&path).0.to_owned();
            if path.is_empty() {
                return true;
            }
        }
    }

    /// Returns what the options of a key grant; none where it is not good from here.
    fn grant(&self, entry: &Entry) -> Option<Grant> {
        let mut grant = Grant::default();
        for (name, value) in &entry.options {
            match name.as_str() {
                "command" => grant.command = Some(value.clone()),
                "environment" => {
                    let pair = value.split_once('=');
                    let pair = pair.map(|(name, value)| (name.to_owned(), value.to_owned()));
                    grant.environment.extend(pair);
                }
                "from" if !value.split(',').any(|one| fits(one, self.peer)) => return None,
                "no-pty" => grant.has_no_terminal = true,
                "pty" => grant.has_no_terminal = false,
                "no-port-forwarding" => grant.forwards_nothing = true,
                "port-forwarding" => grant.forwards_nothing = false,
                "restrict" => {
                    grant.has_no_terminal = true;
                    grant.forwards_nothing = true;
                }
                _ => {}
            }
        }
        Some(grant)
    }

    /// Returns a grant where its user is not root, or root may log in so.
    fn as_root_may(&self, account: &Account, who: Option<Who<'_>>, grant: Grant) -> Option<Grant> {
        if account.uid != 0 {
            return Some(grant);
        }
        let may = match self.settings.value("permitrootlogin", who) {
            Some("no") => false,
            Some("forced-commands-only") => grant.command.is_some(),
            _ => true,
        };
        may.then_some(grant)
    }
}

/// Returns a password as `/etc/shadow` keeps it.
///
/// # Errors
///
/// Fails where the library does.
pub(super) fn shadow_of(
    password: &str,
    salt: &[u8],
) -> Result<String, sha_crypt::password_hash::Error> {
    let hash = ShaCrypt::SHA512.hash_password_with_salt(password.as_bytes(), salt)?;
    Ok(hash.as_str().to_owned())
}
