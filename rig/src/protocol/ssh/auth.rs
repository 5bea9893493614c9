//! Logging in: which keys are offered, in which order, and what became of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::client::{AuthResult, Handle};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Algorithm, HashAlg, PrivateKey, PrivateKeyWithHashAlg};
use russh::{AgentAuthError, MethodKind};
use tokio::net::UnixStream;

use super::channel::Shared;
use super::handshake::Client;
use super::keys::{KeyFault, KeyFile, KeyFiles, locked, public_beside};
use crate::connection::ConnectError;

/// A key that can be offered.
#[derive(Clone)]
pub(super) enum Credential {
    /// From a file.
    File { path: PathBuf, key: Arc<PrivateKey> },
    /// The agent signs.
    Agent(Box<AgentIdentity>),
}

impl Credential {
    fn algorithm(&self) -> Algorithm {
        match self {
            Self::File { key, .. } => key.algorithm(),
            Self::Agent(identity) => identity.public_key().algorithm(),
        }
    }

    fn is_same(&self, data: &KeyData) -> bool {
        match self {
            Self::File { key, .. } => key.public_key().key_data() == data,
            Self::Agent(identity) => plain_key(identity).is_some_and(|known| known == data),
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::File { path, key } => format!(
                "{} ({} {})",
                path.display(),
                key.algorithm(),
                key.fingerprint(HashAlg::Sha256)
            ),
            Self::Agent(identity) => {
                let key = identity.public_key();
                let comment = match identity.comment() {
                    "" => String::new(),
                    comment => format!(" `{comment}`"),
                };
                format!(
                    "the agent's{comment} ({} {})",
                    key.algorithm(),
                    key.fingerprint(HashAlg::Sha256)
                )
            }
        }
    }
}

/// Where keys may come from.
#[derive(Debug, Clone)]
pub(super) struct Sources {
    /// The files to use.
    pub(super) files: Vec<PathBuf>,
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
    /// Encrypted keys that would need their passphrase.
    pub(super) locked: Vec<(PathBuf, Arc<zeroize::Zeroizing<String>>)>,
}

impl Offer {
    fn add(&mut self, credential: Credential) {
        let is_there = match &credential {
            Credential::File { key, .. } => self.holds(key.public_key().key_data()),
            Credential::Agent(identity) => plain_key(identity).is_some_and(|key| self.holds(key)),
        };
        if !is_there {
            self.credentials.push(credential);
        }
    }

    fn holds(&self, data: &KeyData) -> bool {
        self.credentials.iter().any(|known| known.is_same(data))
    }

    fn pass_over(&mut self, path: &Path, why: &str) {
        self.passed_over.push(format!("{} ({why})", path.display()));
    }
}

/// Finds out what can be offered.
pub(super) async fn collect(
    sources: &Sources,
    files: &KeyFiles,
    agent: &[AgentIdentity],
) -> Result<Offer, ConnectError> {
    let mut offer = Offer::default();
    for path in &sources.files {
        let loaded = match files.load(path).await {
            // `ssh-keygen` puts the public half beside; the agent may hold the other.
            Err(KeyFault::Missing) => match public_beside(path).await {
                Some(public) => Ok(KeyFile::Public(public)),
                None => Err(KeyFault::Missing),
            },
            other => other,
        };
        match loaded {
            Ok(KeyFile::Ready(key)) => offer.add(Credential::File {
                path: path.clone(),
                key,
            }),
            Ok(KeyFile::Public(public)) => match of_agent(agent, public.key_data()) {
                Some(identity) => offer.add(Credential::Agent(Box::new(identity))),
                None if sources.named_by == NamedBy::Host => {
                    return Err(ConnectError::KeyFile {
                        path: path.clone(),
                        reason: "it is a public key, and the agent does not hold the private one"
                            .to_owned(),
                        hint: "add the key to your agent with `ssh-add`".to_owned(),
                    });
                }
                None => offer.pass_over(path, "a public key that the agent does not hold"),
            },
            Ok(KeyFile::Encrypted { text, public }) => {
                let held = public.and_then(|public| of_agent(agent, public.key_data()));
                match held {
                    Some(identity) => offer.add(Credential::Agent(Box::new(identity))),
                    None => {
                        offer.pass_over(path, "encrypted, its passphrase is not known");
                        offer.locked.push((path.clone(), text));
                    }
                }
            }
            Err(fault) if sources.named_by == NamedBy::Host => return Err(fault.into_error(path)),
            Err(KeyFault::Missing) if sources.named_by == NamedBy::Default => {}
            Err(fault) => offer.pass_over(path, fault.reason()),
        }
    }
    if !sources.only_files {
        for identity in agent {
            offer.add(Credential::Agent(Box::new(identity.clone())));
        }
    }
    Ok(offer)
}

/// Returns the error of a key that somebody named and that is still locked.
pub(super) fn locked_error(sources: &Sources, offer: &Offer) -> Option<ConnectError> {
    if sources.named_by == NamedBy::Default {
        return None;
    }
    let (path, _) = offer.locked.first()?;
    Some(locked(path).into_error(path))
}

fn of_agent(agent: &[AgentIdentity], data: &KeyData) -> Option<AgentIdentity> {
    agent
        .iter()
        .find(|identity| plain_key(identity).is_some_and(|key| key == data))
        .cloned()
}

/// Returns the key of an identity that is nothing but a key: a certificate and its key are two
/// different credentials.
fn plain_key(identity: &AgentIdentity) -> Option<&KeyData> {
    match identity {
        AgentIdentity::PublicKey { key, .. } => Some(key.key_data()),
        AgentIdentity::Certificate { .. } => None,
    }
}

/// A connection to an agent, and the keys that it holds.
pub(super) struct Agent {
    pub(super) client: AgentClient<UnixStream>,
    pub(super) identities: Vec<AgentIdentity>,
}

/// Asks an agent for its keys.
pub(super) async fn ask_agent(socket: &Path) -> Result<Agent, russh::keys::Error> {
    let mut client = AgentClient::connect_uds(socket).await?;
    let identities = client.request_identities().await?;
    Ok(Agent { client, identities })
}

/// Who logs in, and where.
pub(super) struct Login<'a> {
    pub(super) user: &'a str,
    pub(super) target: &'a str,
    pub(super) shared: &'a Shared,
}

/// What became of one key.
enum Tried {
    Accepted,
    /// The methods that the server would accept.
    Refused(Vec<String>),
    /// It was not offered at all.
    NotOffered(String),
}

/// Offers the keys one after the other.
pub(super) async fn log_in(
    login: &Login<'_>,
    handle: &mut Handle<Client>,
    offer: &Offer,
    mut agent: Option<AgentClient<UnixStream>>,
) -> Result<(), ConnectError> {
    let mut tried = Vec::new();
    let mut accepted: Option<String> = None;
    let mut rsa = None;
    for credential in &offer.credentials {
        let described = credential.describe();
        if credential.algorithm().is_rsa() && rsa.is_none() {
            rsa = Some(rsa_hash(handle).await);
        }
        let result = offer_key(login.user, handle, credential, rsa.flatten(), &mut agent).await;
        match result {
            Tried::Accepted => return Ok(()),
            Tried::NotOffered(why) => tried.push(format!("{described}: {why}")),
            Tried::Refused(methods) => {
                tried.push(described);
                if !methods.is_empty() {
                    let goes_on = methods.iter().any(|method| method == "publickey");
                    accepted = Some(methods.join(", "));
                    if goes_on {
                        continue;
                    }
                }
                break;
            }
        }
        if handle.is_closed() {
            break;
        }
    }
    let ended = handle.is_closed().then(|| {
        login
            .shared
            .reason()
            .unwrap_or_else(|| "it closed the connection".to_owned())
    });
    if let (None, Some(reason)) = (&accepted, &ended) {
        return Err(ConnectError::ResetBeforeAuth {
            target: login.target.to_owned(),
            reason: reason.clone(),
        });
    }
    let mut accepted = accepted.unwrap_or_else(|| "nothing".to_owned());
    if let Some(reason) = ended {
        accepted = format!("{accepted} ({reason})");
    }
    if !offer.passed_over.is_empty() {
        tried.push(format!("not used: {}", offer.passed_over.join(", ")));
    }
    Err(ConnectError::Auth {
        user: login.user.to_owned(),
        target: login.target.to_owned(),
        tried: tried.join("; "),
        accepted,
    })
}

/// How to sign with RSA keys here; nothing where the server wants SHA-1.
async fn rsa_hash(handle: &Handle<Client>) -> Option<HashAlg> {
    match handle.best_supported_rsa_hash().await {
        Ok(Some(hash)) => hash,
        // The server does not say; every one that is still in use knows this.
        Ok(None) | Err(_) => Some(HashAlg::Sha256),
    }
}

async fn offer_key(
    user: &str,
    handle: &mut Handle<Client>,
    credential: &Credential,
    rsa: Option<HashAlg>,
    agent: &mut Option<AgentClient<UnixStream>>,
) -> Tried {
    let is_rsa = credential.algorithm().is_rsa();
    if is_rsa && rsa.is_none() {
        return Tried::NotOffered("the server accepts RSA keys with SHA-1 only".to_owned());
    }
    let hash = rsa.filter(|_| is_rsa);
    let result = match (credential, agent) {
        (Credential::File { key, .. }, _) => {
            let key = PrivateKeyWithHashAlg::new(Arc::clone(key), hash);
            let answer = handle.authenticate_publickey(user, key).await;
            answer.map_err(|error| error.to_string())
        }
        (Credential::Agent(_), None) => Err("the agent is gone".to_owned()),
        (Credential::Agent(identity), Some(agent)) => match &**identity {
            AgentIdentity::PublicKey { key, .. } => {
                handle
                    .authenticate_publickey_with(user, key.clone(), hash, agent)
                    .await
            }
            AgentIdentity::Certificate { certificate, .. } => {
                handle
                    .authenticate_certificate_with(user, certificate.clone(), hash, agent)
                    .await
            }
        }
        .map_err(|error| match error {
            AgentAuthError::Key(error) => format!("the agent does not sign with it: {error}"),
            AgentAuthError::Send(error) => error.to_string(),
        }),
    };
    match result {
        Ok(AuthResult::Success) => Tried::Accepted,
        Ok(AuthResult::Failure {
            remaining_methods, ..
        }) => Tried::Refused(
            remaining_methods
                .iter()
                .map(|method: &MethodKind| String::from(method))
                .collect(),
        ),
        Err(why) => Tried::NotOffered(why),
    }
}
