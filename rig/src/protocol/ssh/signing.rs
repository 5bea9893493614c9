//! Signing with a key of a file or of the agent, whatever is offered with it.

use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::signature::Signer as _;
use russh::keys::ssh_encoding::Encode as _;
use russh::keys::ssh_key::private::KeypairData;
use russh::keys::ssh_key::{self, Signature};
use russh::keys::{HashAlg, PrivateKey, PublicKey};
use tokio::net::UnixStream;

use super::offers::Signer;

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub(super) enum SignError {
    /// The connection is gone.
    #[error("the connection ended")]
    Send(#[from] russh::SendError),
    /// The agent does not sign.
    #[error("{0}")]
    Agent(String),
    /// The key does not sign.
    #[error("it cannot sign: {0}")]
    Key(#[from] ssh_key::Error),
}

/// What signs.
///
/// A certificate may come from a file and its key from the agent; so what is to be signed with is
/// not taken from what was offered.
pub(super) enum Pen<'a> {
    Key(&'a PrivateKey),
    Agent {
        identity: &'a AgentIdentity,
        client: &'a mut AgentClient<UnixStream>,
    },
}

impl<'a> Pen<'a> {
    /// Returns what signs for a credential; nothing where the agent is gone.
    pub(super) fn new(
        signer: &'a Signer,
        agent: Option<&'a mut AgentClient<UnixStream>>,
    ) -> Option<Self> {
        Some(match signer {
            Signer::Key(key) => Self::Key(key),
            Signer::Agent(identity) => Self::Agent {
                identity,
                client: agent?,
            },
        })
    }

    pub(super) fn public_key(&self) -> PublicKey {
        match self {
            Self::Key(key) => key.public_key().clone(),
            Self::Agent { identity, .. } => identity.public_key().into_owned(),
        }
    }
}

impl russh::Signer for Pen<'_> {
    type Error = SignError;

    async fn auth_sign(
        &mut self,
        _offered: &AgentIdentity,
        hash: Option<HashAlg>,
        data: Vec<u8>,
    ) -> Result<Vec<u8>, Self::Error> {
        match self {
            Self::Key(key) => Ok(sign(key, hash, data)?),
            Self::Agent { identity, client } => {
                let signed = client.sign_request(identity, hash, data).await;
                signed.map_err(|error| SignError::Agent(explain(&error)))
            }
        }
    }
}

fn explain(error: &russh::keys::Error) -> String {
    match error {
        russh::keys::Error::AgentFailure => {
            "the agent refuses to sign with it; it may be locked, or want a confirmation".to_owned()
        }
        other => format!("the agent does not sign with it: {other}"),
    }
}

/// Appends the signature to what is signed, as the protocol wants it.
fn sign(key: &PrivateKey, hash: Option<HashAlg>, mut data: Vec<u8>) -> ssh_key::Result<Vec<u8>> {
    let signature: Signature = match key.key_data() {
        KeypairData::Rsa(pair) => (pair, hash).try_sign(&data)?,
        pair => pair.try_sign(&data)?,
    };
    let mut encoded = Vec::new();
    signature.encode(&mut encoded)?;
    encoded.encode(&mut data)?;
    Ok(data)
}
