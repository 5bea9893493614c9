//! The handshake over a stream, up to the check of the host key.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use russh::client::{self, DisconnectReason, Handle};
use russh::keys::{Algorithm, PublicKeyOrCertificate};
use russh::{Preferred, cipher, kex};

use super::channel::Shared;
use super::host_key::HostKeyCheck;
use super::wire::{Cut, Wire};
use crate::connection::{ByteStream, ConnectError};

/// How many messages of a channel wait for its task; one holds 32 KiB at most.
const CHANNEL_MESSAGES: usize = 32;

/// Why the handshake failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The protocol failed.
    #[error(transparent)]
    Protocol(#[from] russh::Error),
    /// The host key was not accepted.
    #[error(transparent)]
    HostKey(Box<ConnectError>),
}

/// Our side of the protocol.
pub(super) struct Client {
    check: HostKeyCheck,
    shared: Arc<Shared>,
}

impl client::Handler for Client {
    type Error = Failure;

    async fn check_server_key(
        &mut self,
        key: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        self.check
            .verify(&key.public_key())
            .map_err(|error| Failure::HostKey(Box::new(error)))?;
        Ok(true)
    }

    async fn disconnected(
        &mut self,
        reason: DisconnectReason<Self::Error>,
    ) -> Result<(), Self::Error> {
        let text = match &reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                format!("the host ended it: {}", info.message.trim())
            }
            DisconnectReason::Error(Failure::Protocol(error)) => explain(error),
            DisconnectReason::Error(error @ Failure::HostKey(_)) => error.to_string(),
        };
        self.shared.ended(text);
        Ok(())
    }
}

/// A connection whose host key is accepted, and that has not logged in.
pub(super) struct Greeted {
    pub(super) handle: Handle<Client>,
    pub(super) shared: Arc<Shared>,
    pub(super) cut: Cut,
}

/// Speaks SSH over `stream` until the keys are exchanged and the host key is accepted.
pub(super) async fn greet(
    stream: Box<dyn ByteStream>,
    check: HostKeyCheck,
    target: &str,
    keep_alive: Duration,
) -> Result<Greeted, ConnectError> {
    let missed = 3;
    let (wire, cut) = Wire::new(stream, keep_alive * (missed + 1));
    let shared = Arc::new(Shared::default());
    let config = client::Config {
        preferred: preferred(check.algorithms()),
        keepalive_interval: Some(keep_alive),
        keepalive_max: missed as usize,
        channel_buffer_size: CHANNEL_MESSAGES,
        ..client::Config::default()
    };
    let client = Client {
        check,
        shared: Arc::clone(&shared),
    };
    let failure = match client::connect_stream(Arc::new(config), wire, client).await {
        Ok(handle) => {
            return Ok(Greeted {
                handle,
                shared,
                cut,
            });
        }
        Err(failure) => failure,
    };
    let target = target.to_owned();
    Err(match failure {
        Failure::HostKey(error) => *error,
        Failure::Protocol(error) if was_closed(&error) => ConnectError::ResetBeforeAuth {
            target,
            reason: shared.reason().unwrap_or_else(|| explain(&error)),
        },
        Failure::Protocol(error) => ConnectError::Protocol {
            target,
            reason: explain(&error),
        },
    })
}

fn was_closed(error: &russh::Error) -> bool {
    match error {
        russh::Error::Disconnect | russh::Error::HUP => true,
        russh::Error::IO(error) => matches!(
            error.kind(),
            io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::UnexpectedEof
        ),
        _ => false,
    }
}

fn explain(error: &russh::Error) -> String {
    match error {
        russh::Error::Disconnect | russh::Error::HUP => "it ended without a word".to_owned(),
        russh::Error::KeepaliveTimeout => "the host did not answer any more".to_owned(),
        russh::Error::NoCommonAlgo { kind, theirs, .. } => {
            let kind = format!("{kind:?}").to_lowercase();
            let theirs = theirs.join(", ");
            format!("no {kind} algorithm in common; the server offers {theirs}")
        }
        other => other.to_string(),
    }
}

/// The algorithms that are offered, best first.
fn preferred(host_keys: Vec<Algorithm>) -> Preferred {
    let mut exchanges: Vec<kex::Name> = Preferred::DEFAULT.kex.to_vec();
    // Servers in FIPS mode may know no other.
    let curves = [
        kex::ECDH_SHA2_NISTP256,
        kex::ECDH_SHA2_NISTP384,
        kex::ECDH_SHA2_NISTP521,
    ];
    let at = exchanges
        .iter()
        .position(|name| *name == kex::DH_GEX_SHA256)
        .unwrap_or(exchanges.len());
    exchanges.splice(at..at, curves);
    Preferred {
        kex: Cow::Owned(exchanges),
        key: Cow::Owned(host_keys),
        cipher: Cow::Borrowed(&[
            cipher::AES_128_GCM,
            cipher::AES_256_GCM,
            cipher::CHACHA20_POLY1305,
            cipher::AES_256_CTR,
            cipher::AES_192_CTR,
            cipher::AES_128_CTR,
        ]),
        ..Preferred::DEFAULT
    }
}
