//! Whether the key of a host is accepted.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::SystemTime;

use russh::keys::{Certificate, HashAlg, PublicKey, PublicKeyOrCertificate};

use super::algorithms::KnownKinds;
use super::host_certificate;
use super::known_hosts::{self, KnownHosts, Marker, Recorded, fingerprint};
use super::revoked;
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

/// A key that was accepted, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Accepted {
    /// Kind and fingerprint.
    pub(super) key: String,
    /// Who vouches for it.
    pub(super) by: String,
}

/// Checks the key of one host.
pub(super) struct HostKeyCheck {
    options: CheckOptions,
    known: Arc<KnownHosts>,
    kinds: KnownKinds,
}

/// What a check is made of.
pub(super) struct CheckOptions {
    /// The host, without its port.
    pub(super) host: String,
    pub(super) port: u16,
    /// A name that stands for the host, whatever its port.
    pub(super) alias: Option<String>,
    pub(super) strictness: Strictness,
    pub(super) hashed: bool,
    /// A new key goes to the first of them.
    pub(super) user_files: Vec<PathBuf>,
    pub(super) global_files: Vec<PathBuf>,
    pub(super) pinned: Option<PublicKey>,
    /// Lists of keys that are accepted of nobody (RevokedHostKeys).
    pub(super) revoked: Vec<PathBuf>,
    /// The address that was connected to, where it is to be checked, too (CheckHostIP).
    pub(super) address: Option<IpAddr>,
    /// The time, for certificates.
    pub(super) now: SystemTime,
}

impl CheckOptions {
    /// Returns the name that is looked up, and recorded.
    fn name(&self) -> String {
        match &self.alias {
            Some(alias) => alias.clone(),
            None => known_hosts::name(&self.host, self.port),
        }
    }

    /// Returns the name without a port, where it has one: a key of that name is as good.
    fn name_without_port(&self) -> Option<&str> {
        let has_port = self.alias.is_none() && self.port != 22;
        has_port.then_some(&self.host)
    }

    /// Returns the name that certificates speak for.
    fn principal(&self) -> String {
        let name = self.alias.as_ref().unwrap_or(&self.host);
        name.to_lowercase()
    }

    fn paths(&self) -> Vec<PathBuf> {
        let all = self.user_files.iter().chain(&self.global_files);
        all.cloned().collect()
    }
}

impl HostKeyCheck {
    /// Looks up what is recorded.
    pub(super) fn new(options: CheckOptions, known: Arc<KnownHosts>) -> Result<Self, ConnectError> {
        let mut check = Self {
            options,
            known,
            kinds: KnownKinds::default(),
        };
        if let Some(pinned) = &check.options.pinned {
            check.kinds.kinds = vec![pinned.algorithm().to_string()];
            return Ok(check);
        }
        let of = |marker, recorded: &[Recorded]| -> Vec<String> {
            let those = recorded.iter().filter(|entry| entry.marker == marker);
            those.map(|entry| entry.kind.clone()).collect()
        };
        let recorded = check.find(&check.options.name())?;
        let plain = check.find_without_port()?;
        check.kinds.kinds = of(Marker::Host, &recorded);
        if check.kinds.kinds.is_empty() {
            check.kinds.kinds = of(Marker::Host, &plain);
        }
        check.kinds.has_authority = !of(Marker::Authority, &recorded).is_empty()
            || !of(Marker::Authority, &plain).is_empty();
        Ok(check)
    }

    fn find(&self, name: &str) -> Result<Vec<Recorded>, ConnectError> {
        self.known.find(&self.options.paths(), name)
    }

    fn find_without_port(&self) -> Result<Vec<Recorded>, ConnectError> {
        match self.options.name_without_port() {
            Some(name) => self.find(name),
            None => Ok(Vec::new()),
        }
    }

    /// Returns what is recorded of the host: what to ask it for.
    pub(super) fn kinds(&self) -> &KnownKinds {
        &self.kinds
    }

    /// Accepts the key, or says why not.
    pub(super) fn verify(
        &self,
        offered: &PublicKeyOrCertificate,
    ) -> Result<Accepted, ConnectError> {
        self.verify_not_revoked(offered)?;
        let key = offered.public_key();
        let accepted = |by: String| Accepted {
            key: format!("{} {}", key.algorithm(), key.fingerprint(HashAlg::Sha256)),
            by,
        };
        if let Some(pinned) = &self.options.pinned {
            self.verify_pinned(pinned, &key)?;
            return Ok(accepted("`hostKey` of the configuration".to_owned()));
        }
        if let Some(certificate) = offered.certificate()
            && let Some(authority) = self.verify_certificate(certificate)?
        {
            return Ok(accepted(format!(
                "the certificate `{}` of the authority of {authority}",
                certificate.key_id()
            )));
        }
        self.verify_key(&key).map(accepted)
    }

    fn verify_not_revoked(&self, offered: &PublicKeyOrCertificate) -> Result<(), ConnectError> {
        match revoked::revoking(&self.options.revoked, offered) {
            Ok(None) => Ok(()),
            Ok(Some(path)) => {
                let key = offered.public_key();
                let fingerprint = key.fingerprint(HashAlg::Sha256);
                Err(ConnectError::HostKeyRevoked {
                    target: self.options.name(),
                    reason: format!("{} {fingerprint}, {}", key.algorithm(), path.display()),
                })
            }
            Err((path, source)) => Err(ConnectError::File { path, source }),
        }
    }

    fn verify_pinned(&self, pinned: &PublicKey, key: &PublicKey) -> Result<(), ConnectError> {
        if pinned.key_data() == key.key_data() {
            return Ok(());
        }
        let show = |key: &PublicKey| {
            let fingerprint = key.fingerprint(HashAlg::Sha256);
            format!("{} {fingerprint}", key.algorithm())
        };
        Err(ConnectError::HostKeyNotPinned {
            target: self.options.name(),
            reason: format!("the host offers {}, wanted is {}", show(key), show(pinned)),
        })
    }

    /// Returns the place of the authority that speaks for the host, where one does; it must do so
    /// well.
    fn verify_certificate(
        &self,
        certificate: &Certificate,
    ) -> Result<Option<String>, ConnectError> {
        let mut recorded = self.find(&self.options.name())?;
        recorded.extend(self.find_without_port()?);
        let authority = PublicKey::new(certificate.signature_key().clone(), "");
        let key = PublicKey::new(certificate.public_key().clone(), "");
        let (authority, key) = (self.bytes(&authority)?, self.bytes(&key)?);
        let of = |marker| recorded.iter().filter(move |entry| entry.marker == marker);
        let mut revoked = of(Marker::Revoked);
        if let Some(by) = revoked.find(|entry| entry.key == authority || entry.key == key) {
            return Err(self.revoked(&format!("the certificate `{}`", certificate.key_id()), by));
        }
        let Some(by) = of(Marker::Authority).find(|entry| entry.key == authority) else {
            return Ok(None);
        };
        let principal = self.options.principal();
        match host_certificate::fault(certificate, &principal, self.options.now) {
            None => Ok(Some(place(by))),
            Some(fault) => Err(ConnectError::HostCertificate {
                target: self.options.name(),
                reason: format!(
                    "the certificate `{}` of the authority of {}:{}: {fault}",
                    certificate.key_id(),
                    by.path.display(),
                    by.line
                ),
            }),
        }
    }

    fn bytes(&self, key: &PublicKey) -> Result<Vec<u8>, ConnectError> {
        key.to_bytes().map_err(|error| ConnectError::Protocol {
            target: self.options.name(),
            reason: format!("the host key cannot be read: {error}"),
        })
    }

    /// Returns who vouches for a key.
    fn verify_key(&self, key: &PublicKey) -> Result<String, ConnectError> {
        let kind = key.algorithm().to_string();
        let bytes = self.bytes(key)?;
        let offered = format!("{kind} {}", fingerprint(&bytes));
        // Hosts with one name must not record it twice.
        let writing = Arc::clone(&self.known);
        let _writing = writing
            .writing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let name = self.options.name();
        let recorded = self.find(&name)?;
        let by = match judge(&recorded, &kind, &bytes) {
            Judgement::Known(by) => place(by),
            Judgement::Revoked(by) => return Err(self.revoked(&offered, by)),
            Judgement::Changed(by) => return Err(self.changed(&name, &offered, by)),
            Judgement::OtherKind(by) if self.options.strictness != Strictness::Off => {
                return Err(self.changed(&name, &offered, by));
            }
            Judgement::OtherKind(_) | Judgement::New => {
                let plain = self.find_without_port()?;
                match judge(&plain, &kind, &bytes) {
                    Judgement::Known(by) => place(by),
                    Judgement::Revoked(by) => return Err(self.revoked(&offered, by)),
                    Judgement::Changed(_) | Judgement::OtherKind(_) | Judgement::New => {
                        self.meet(key, &offered)?
                    }
                }
            }
        };
        self.verify_address(key, &kind, &bytes)?;
        Ok(by)
    }

    /// Looks at what is recorded for the address (CheckHostIP).
    fn verify_address(
        &self,
        key: &PublicKey,
        kind: &str,
        bytes: &[u8],
    ) -> Result<(), ConnectError> {
        let Some(address) = self.options.address else {
            return Ok(());
        };
        let name = known_hosts::name(&address.to_string(), self.options.port);
        if name == self.options.name() {
            return Ok(());
        }
        let recorded = self.find(&name)?;
        let offered = format!("{kind} {}", fingerprint(bytes));
        match judge(&recorded, kind, bytes) {
            Judgement::Known(_) => Ok(()),
            Judgement::Revoked(by) => Err(self.revoked(&offered, by)),
            Judgement::Changed(by) | Judgement::OtherKind(by) => match self.options.strictness {
                Strictness::Off => Ok(()),
                Strictness::AcceptNew | Strictness::Known => Err(self.changed(&name, &offered, by)),
            },
            Judgement::New => {
                self.record(&name, key);
                Ok(())
            }
        }
    }

    fn revoked(&self, offered: &str, by: &Recorded) -> ConnectError {
        ConnectError::HostKeyRevoked {
            target: self.options.name(),
            reason: format!("{offered}, {}:{}", by.path.display(), by.line),
        }
    }

    fn changed(&self, name: &str, offered: &str, by: &Recorded) -> ConnectError {
        ConnectError::HostKeyChanged {
            target: name.to_owned(),
            reason: format!(
                "the host offers {offered}, recorded is {} {} ({}:{})",
                by.kind,
                fingerprint(&by.key),
                by.path.display(),
                by.line
            ),
        }
    }

    fn meet(&self, key: &PublicKey, offered: &str) -> Result<String, ConnectError> {
        let name = self.options.name();
        if self.options.strictness == Strictness::Known {
            return Err(ConnectError::HostKeyUnknown {
                target: name,
                reason: format!("the host offers {offered}"),
            });
        }
        self.record(&name, key);
        Ok(match self.options.user_files.first() {
            Some(path) => format!("nobody before; it was met now, see {}", path.display()),
            None => "nobody: it is new".to_owned(),
        })
    }

    fn record(&self, name: &str, key: &PublicKey) {
        let Some(path) = self.options.user_files.first() else {
            return;
        };
        let written = key
            .to_openssh()
            .map_err(std::io::Error::other)
            .and_then(|line| KnownHosts::append(path, name, self.options.hashed, &line));
        if let Err(error) = written {
            // As in OpenSSH: a home that cannot be written to does not keep anyone out.
            tracing::warn!(name, path = %path.display(), %error,
                "the host key is accepted, but cannot be recorded");
        }
    }
}

/// Returns where a key is recorded.
fn place(by: &Recorded) -> String {
    format!("{}:{}", by.path.display(), by.line)
}

enum Judgement<'a> {
    Known(&'a Recorded),
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
    if let Some(by) = of(Marker::Host).find(is_it) {
        return Judgement::Known(by);
    }
    let mut known = of(Marker::Host);
    match known.clone().find(|entry| entry.kind == kind) {
        Some(by) => Judgement::Changed(by),
        None => known.next().map_or(Judgement::New, Judgement::OtherKind),
    }
}
