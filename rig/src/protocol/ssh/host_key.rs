//! Whether the key of a host is accepted.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PublicKey};

use super::known_hosts::{KnownHosts, Marker, Recorded, fingerprint};
use crate::connection::ConnectError;

/// What to do with keys that are not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Strictness {
    /// Record new ones.
    #[default]
    AcceptNew,
    /// Accept new ones only where somebody recorded them.
    Known,
    /// Accept new ones, whatever else is recorded; a changed one is still refused.
    Off,
}

/// Checks the key of one host.
pub(super) struct HostKeyCheck {
    /// The name that is looked up, and recorded.
    name: String,
    strictness: Strictness,
    hashed: bool,
    /// The files to look at; a new key goes to the first of the user's.
    paths: Vec<PathBuf>,
    record_to: Option<PathBuf>,
    pinned: Option<PublicKey>,
    known: Arc<KnownHosts>,
    algorithms: Vec<Algorithm>,
}

/// What a check is made of.
pub(super) struct CheckOptions {
    pub(super) name: String,
    pub(super) strictness: Strictness,
    pub(super) hashed: bool,
    pub(super) user_files: Vec<PathBuf>,
    pub(super) global_files: Vec<PathBuf>,
    pub(super) pinned: Option<PublicKey>,
}

impl HostKeyCheck {
    /// Looks up what is recorded.
    pub(super) fn new(options: CheckOptions, known: Arc<KnownHosts>) -> Result<Self, ConnectError> {
        let record_to = options.user_files.first().cloned();
        let mut paths = options.user_files;
        paths.extend(options.global_files);
        let kinds: Vec<String> = match &options.pinned {
            Some(key) => vec![key.algorithm().to_string()],
            None => known
                .find(&paths, &options.name)?
                .into_iter()
                .filter(|recorded| recorded.marker == Marker::Host)
                .map(|recorded| recorded.kind)
                .collect(),
        };
        Ok(Self {
            name: options.name,
            strictness: options.strictness,
            hashed: options.hashed,
            paths,
            record_to,
            pinned: options.pinned,
            known,
            algorithms: order(&kinds),
        })
    }

    /// Returns the algorithms to ask for: first those of which a key is recorded.
    pub(super) fn algorithms(&self) -> Vec<Algorithm> {
        self.algorithms.clone()
    }

    /// Accepts the key, or says why not.
    pub(super) fn verify(&self, key: &PublicKey) -> Result<(), ConnectError> {
        let kind = key.algorithm().to_string();
        let bytes = key.to_bytes().map_err(|error| ConnectError::Protocol {
            target: self.name.clone(),
            reason: format!("the host key cannot be read: {error}"),
        })?;
        let offered = format!("{kind} {}", fingerprint(&bytes));
        if let Some(pinned) = &self.pinned {
            if pinned.key_data() == key.key_data() {
                return Ok(());
            }
            let wanted = pinned.fingerprint(HashAlg::Sha256);
            return Err(ConnectError::HostKeyNotPinned {
                target: self.name.clone(),
                reason: format!(
                    "the host offers {offered}, wanted is {} {wanted}",
                    pinned.algorithm()
                ),
            });
        }
        // Hosts with one name must not record it twice.
        let _writing = self
            .known
            .writing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let recorded = self.known.find(&self.paths, &self.name)?;
        match judge(&recorded, &kind, &bytes) {
            Judgement::Known => Ok(()),
            Judgement::Revoked(by) => Err(ConnectError::HostKeyRevoked {
                target: self.name.clone(),
                reason: format!("{offered}, {}:{}", by.path.display(), by.line),
            }),
            Judgement::Changed(by) => Err(self.changed(&offered, by)),
            Judgement::OtherKind(by) if self.strictness != Strictness::Off => {
                Err(self.changed(&offered, by))
            }
            Judgement::OtherKind(_) | Judgement::New => self.meet(key, &offered),
        }
    }

    fn changed(&self, offered: &str, by: &Recorded) -> ConnectError {
        ConnectError::HostKeyChanged {
            target: self.name.clone(),
            reason: format!(
                "the host offers {offered}, recorded is {} {} ({}:{})",
                by.kind,
                fingerprint(&by.key),
                by.path.display(),
                by.line
            ),
        }
    }

    fn meet(&self, key: &PublicKey, offered: &str) -> Result<(), ConnectError> {
        if self.strictness == Strictness::Known {
            return Err(ConnectError::HostKeyUnknown {
                target: self.name.clone(),
                reason: format!("the host offers {offered}"),
            });
        }
        let Some(path) = &self.record_to else {
            return Ok(());
        };
        let written = key
            .to_openssh()
            .map_err(std::io::Error::other)
            .and_then(|line| KnownHosts::append(path, &self.name, self.hashed, &line));
        if let Err(error) = written {
            // As in OpenSSH: a home that cannot be written to does not keep anyone out.
            tracing::warn!(name = self.name, path = %path.display(), %error,
                "the host key is accepted, but cannot be recorded");
        }
        Ok(())
    }
}

enum Judgement<'a> {
    Known,
    Revoked(&'a Recorded),
    /// Another key of the same kind is recorded.
    Changed(&'a Recorded),
    /// Only keys of other kinds are recorded, although those were asked for first.
    OtherKind(&'a Recorded),
    New,
}

fn judge<'a>(recorded: &'a [Recorded], kind: &str, key: &[u8]) -> Judgement<'a> {
    let is_it = |entry: &&Recorded| entry.key == key;
    let of = |marker| recorded.iter().filter(move |entry| entry.marker == marker);
    if let Some(by) = of(Marker::Revoked).find(is_it) {
        return Judgement::Revoked(by);
    }
    if of(Marker::Host).any(|entry| entry.key == key) {
        return Judgement::Known;
    }
    let mut known = of(Marker::Host);
    match known.clone().find(|entry| entry.kind == kind) {
        Some(by) => Judgement::Changed(by),
        None => known.next().map_or(Judgement::New, Judgement::OtherKind),
    }
}

/// Orders the algorithms of host keys: those of the recorded kinds come first.
fn order(kinds: &[String]) -> Vec<Algorithm> {
    let ecdsa = |curve| Algorithm::Ecdsa { curve };
    let rsa = |hash| Algorithm::Rsa { hash: Some(hash) };
    // Without `ssh-rsa`: its signatures are SHA-1.
    let all = [
        ("ssh-ed25519", Algorithm::Ed25519),
        ("ecdsa-sha2-nistp256", ecdsa(EcdsaCurve::NistP256)),
        ("ecdsa-sha2-nistp384", ecdsa(EcdsaCurve::NistP384)),
        ("ecdsa-sha2-nistp521", ecdsa(EcdsaCurve::NistP521)),
        ("ssh-rsa", rsa(HashAlg::Sha512)),
        ("ssh-rsa", rsa(HashAlg::Sha256)),
    ];
    let (first, rest): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|(kind, _)| kinds.iter().any(|recorded| recorded == kind));
    first
        .into_iter()
        .chain(rest)
        .map(|(_, algorithm)| algorithm)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_kinds_are_asked_for_first() {
        let names: Vec<String> = order(&["ssh-rsa".to_owned()])
            .iter()
            .map(ToString::to_string)
            .collect();

        assert_eq!(
            names[..3],
            ["rsa-sha2-512", "rsa-sha2-256", "ssh-ed25519"],
            "{names:?}"
        );
        assert_eq!(names.len(), 6);
    }
}
