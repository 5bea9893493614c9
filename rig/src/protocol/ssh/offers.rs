//! Which keys are offered to a host, in the order of OpenSSH.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::keys::agent::AgentIdentity;
use russh::keys::ssh_key::certificate::CertType;
use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Algorithm, Certificate, HashAlg, PrivateKey};
use zeroize::Zeroizing;

use super::algorithms::Algorithms;
use super::keys::{KeyFault, KeyFile, KeyFiles, certificate_at, locked, public_beside};
use crate::connection::ConnectError;
use crate::protocol::beside;

/// Who signs.
#[derive(Clone)]
pub(super) enum Signer {
    /// A key from a file.
    Key(Arc<PrivateKey>),
    /// The agent, with this identity.
    Agent(Box<AgentIdentity>),
}

/// Something that can be offered.
#[derive(Clone)]
pub(super) struct Credential {
    /// The file it comes from; nothing where only the agent knows it.
    path: Option<PathBuf>,
    pub(super) certificate: Option<Box<Certificate>>,
    pub(super) signer: Signer,
}

impl Credential {
    fn of_agent(identity: &AgentIdentity) -> Self {
        Self {
            path: None,
            certificate: match identity {
                AgentIdentity::Certificate { certificate, .. } => {
                    Some(Box::new(certificate.clone()))
                }
                AgentIdentity::PublicKey { .. } => None,
            },
            signer: Signer::Agent(Box::new(identity.clone())),
        }
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        match &self.signer {
            Signer::Key(key) => key.algorithm(),
            Signer::Agent(identity) => identity.public_key().algorithm(),
        }
    }

    fn key(&self) -> KeyData {
        match &self.signer {
            Signer::Key(key) => key.public_key().key_data().clone(),
            Signer::Agent(identity) => identity.public_key().key_data().clone(),
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        match (&self.certificate, &other.certificate) {
            (Some(mine), Some(its)) => mine == its,
            (None, None) => self.key() == other.key(),
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    /// Says which it is, without a secret.
    pub(super) fn describe(&self) -> String {
        let fingerprint = self.key().fingerprint(HashAlg::Sha256);
        let kind = match &self.certificate {
            Some(certificate) => format!("certificate `{}`, ", certificate.key_id()),
            None => String::new(),
        };
        let origin = match (&self.path, &self.signer) {
            (Some(path), _) => path.display().to_string(),
            (None, Signer::Agent(identity)) if !identity.comment().is_empty() => {
                format!("the agent's `{}`", identity.comment())
            }
            (None, _) => "the agent's".to_owned(),
        };
        format!("{origin} ({kind}{} {fingerprint})", self.algorithm())
    }
}

/// Where keys may come from.
#[derive(Debug, Clone)]
pub(super) struct Sources {
    /// The files to use.
    pub(super) files: Vec<PathBuf>,
    /// Certificates that go with them; where none is named, those beside the files.
    pub(super) certificates: Vec<PathBuf>,
    /// Who named them.
    pub(super) named_by: NamedBy,
    /// Whether the agent's other keys are left alone.
    pub(super) only_files: bool,
}

/// Who named a key file: the more somebody meant it, the more its absence is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NamedBy {
    /// The host's `keyPath`.
    Host,
    /// ssh_config.
    SshConfig,
    /// Nobody: it is a usual place.
    Default,
}

/// What is offered, and why the rest is not.
#[derive(Default)]
pub(super) struct Offer {
    pub(super) credentials: Vec<Credential>,
    /// `id_rsa (it is encrypted)`.
    pub(super) passed_over: Vec<String>,
    /// Why the agent that there should be gives no key.
    pub(super) agent_fault: Option<String>,
    /// Encrypted keys that would need their passphrase.
    pub(super) locked: Vec<(PathBuf, Arc<Zeroizing<String>>)>,
}

/// A key that was named, and who can sign with it.
struct Named {
    path: PathBuf,
    public: KeyData,
    signer: Option<Signer>,
}

/// What was named, before it is put into order.
#[derive(Default)]
struct Found {
    keys: Vec<Named>,
    /// Keys and certificates of files, in their order.
    files: Vec<Credential>,
    /// Certificates that were named themselves.
    certificates: Vec<Credential>,
}

/// Finds out what can be offered.
///
/// The order is that of OpenSSH: certificates that were named; keys of the agent that were named,
/// as the agent has them; its other keys; keys of files.
pub(super) fn collect(
    sources: &Sources,
    files: &KeyFiles,
    agent: &[AgentIdentity],
    algorithms: &Algorithms,
) -> Result<Offer, ConnectError> {
    let mut offer = Offer::default();
    let mut found = Found::default();
    for path in &sources.files {
        if let Some(named) = load(sources, files, path, agent, &mut offer)? {
            found.keys.push(named);
        }
    }
    certificates(sources, agent, &mut found, &mut offer);
    let held = agent.iter().map(Credential::of_agent);
    let (named, other): (Vec<_>, Vec<_>) = held.partition(|credential| {
        let mut files = found.files.iter();
        files.any(|file| file.is_same(credential))
    });
    let mut all = found.certificates;
    all.extend(named);
    if !sources.only_files {
        all.extend(other);
    }
    all.extend(found.files);
    for credential in all {
        let is_certificate = credential.certificate.is_some();
        let is_known = offer.credentials.iter().any(|it| it.is_same(&credential));
        if is_known {
            continue;
        }
        if algorithms.accepts(&credential.algorithm(), is_certificate) {
            offer.credentials.push(credential);
        } else {
            let why = "its algorithm is not in PubkeyAcceptedAlgorithms";
            let text = format!("{} ({why})", credential.describe());
            offer.passed_over.push(text);
        }
    }
    Ok(offer)
}

/// Reads a key file, or the public half beside where there is no other.
fn read(files: &KeyFiles, path: &Path) -> Result<KeyFile, KeyFault> {
    match files.load(path) {
        // `ssh-keygen` puts the public half beside; the agent may hold the other.
        Err(KeyFault::Missing) => {
            let public = public_beside(path);
            public.map(KeyFile::Public).ok_or(KeyFault::Missing)
        }
        other => other,
    }
}

/// Finds out who can sign with one key that was named.
fn load(
    sources: &Sources,
    files: &KeyFiles,
    path: &Path,
    agent: &[AgentIdentity],
    offer: &mut Offer,
) -> Result<Option<Named>, ConnectError> {
    let loaded = read(files, path);
    let mut pass_over = |why: &str| {
        let text = format!("{} ({why})", path.display());
        offer.passed_over.push(text);
    };
    let (public, signer) = match loaded {
        Ok(KeyFile::Ready(key)) => {
            let public = key.public_key().key_data().clone();
            (public, Some(Signer::Key(key)))
        }
        Ok(KeyFile::Public(public)) => {
            let public = public.key_data().clone();
            let signer = of_agent(agent, &public);
            if signer.is_none() && sources.named_by == NamedBy::Host {
                return Err(ConnectError::KeyFile {
                    path: path.to_owned(),
                    reason: "it is a public key, and the agent does not hold the private one"
                        .to_owned(),
                    hint: "add the key to your agent with `ssh-add`".to_owned(),
                });
            }
            if signer.is_none() {
                pass_over("a public key that the agent does not hold");
            }
            (public, signer)
        }
        Ok(KeyFile::Encrypted { text, public }) => {
            let public = public.map(|public| public.key_data().clone());
            let signer = public.as_ref().and_then(|public| of_agent(agent, public));
            if signer.is_none() {
                pass_over("encrypted, its passphrase is not known");
                offer.locked.push((path.to_owned(), text));
            }
            let Some(public) = public else {
                return Ok(None);
            };
            (public, signer)
        }
        Err(fault) if sources.named_by == NamedBy::Host => return Err(fault.into_error(path)),
        Err(KeyFault::Missing) if sources.named_by == NamedBy::Default => return Ok(None),
        Err(fault) => {
            pass_over(fault.reason());
            return Ok(None);
        }
    };
    Ok(Some(Named {
        path: path.to_owned(),
        public,
        signer,
    }))
}

/// Finds the certificates of the keys, and lists both.
fn certificates(sources: &Sources, agent: &[AgentIdentity], found: &mut Found, offer: &mut Offer) {
    for path in &sources.certificates {
        match user_certificate(path) {
            Ok(certificate) => {
                let key = certificate.public_key();
                let of_file = found.keys.iter().find(|named| named.public == *key);
                let signer = of_file.and_then(|named| named.signer.clone());
                match signer.or_else(|| of_agent(agent, key)) {
                    Some(signer) => found.certificates.push(Credential {
                        path: Some(path.clone()),
                        certificate: Some(Box::new(certificate)),
                        signer,
                    }),
                    None => offer.passed_over.push(format!(
                        "{} (a certificate whose key is not there)",
                        path.display()
                    )),
                }
            }
            Err(why) => {
                let text = format!("{} ({why})", path.display());
                offer.passed_over.push(text);
            }
        }
    }
    for named in &found.keys {
        let Some(signer) = &named.signer else {
            continue;
        };
        found.files.push(Credential {
            path: Some(named.path.clone()),
            certificate: None,
            signer: signer.clone(),
        });
        if !sources.certificates.is_empty() {
            continue;
        }
        let beside = beside(&named.path, "-cert.pub");
        let certificate = user_certificate(&beside).ok();
        let certificate = certificate.filter(|it| *it.public_key() == named.public);
        if let Some(certificate) = certificate {
            found.files.push(Credential {
                path: Some(beside),
                certificate: Some(Box::new(certificate)),
                signer: signer.clone(),
            });
        }
    }
}

fn user_certificate(path: &Path) -> Result<Certificate, String> {
    let certificate = certificate_at(path)?;
    match certificate.cert_type() {
        CertType::User => Ok(certificate),
        CertType::Host => Err("the certificate of a host".to_owned()),
    }
}

/// Returns whether a locked key has to be opened, as nothing else can take its place.
pub(super) fn is_locked_needed(sources: &Sources, offer: &Offer) -> bool {
    match sources.named_by {
        NamedBy::Host => true,
        // One of several: the others may do.
        NamedBy::SshConfig => offer.credentials.is_empty(),
        NamedBy::Default => false,
    }
}

/// Returns the error of a key that somebody named and that is still locked.
pub(super) fn locked_error(sources: &Sources, offer: &Offer) -> Option<ConnectError> {
    if !is_locked_needed(sources, offer) {
        return None;
    }
    let (path, _) = offer.locked.first()?;
    Some(locked(path).into_error(path))
}

/// Finds a key of the agent; a certificate and its key are two different things.
fn of_agent(agent: &[AgentIdentity], data: &KeyData) -> Option<Signer> {
    let mut keys = agent.iter();
    let identity = keys.find(|identity| match identity {
        AgentIdentity::PublicKey { key, .. } => key.key_data() == data,
        AgentIdentity::Certificate { .. } => false,
    })?;
    Some(Signer::Agent(Box::new(identity.clone())))
}
