//! Private keys: each file is read once, and its passphrase asked for once.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use russh::keys::ssh_key::private::KeypairData;
use russh::keys::{Certificate, PrivateKey, PublicKey, decode_secret_key};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::legacy_pem;
use crate::connection::ConnectError;
use crate::protocol::beside;

/// A key file is not longer than that.
const LARGEST_FILE: u64 = 1 << 20;
/// How often a wrong passphrase may be typed.
const TRIES: u32 = 3;

/// Asks the user for the passphrase of a key file.
#[async_trait]
pub trait AskPassphrase: Send + Sync {
    /// Asks; `again` says that the last answer was wrong. Returns nothing where nobody can be
    /// asked, or does not want to answer.
    async fn ask(&self, key: &Path, again: bool) -> Option<SecretString>;
}

/// Nobody can be asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct NobodyToAsk;

#[async_trait]
impl AskPassphrase for NobodyToAsk {
    async fn ask(&self, _key: &Path, _again: bool) -> Option<SecretString> {
        None
    }
}

/// What a key file holds.
#[derive(Clone)]
pub(super) enum KeyFile {
    /// A key that can be used.
    Ready(Arc<PrivateKey>),
    /// A key that needs its passphrase; its public half, where it is known.
    Encrypted {
        text: Arc<Zeroizing<String>>,
        public: Option<PublicKey>,
    },
    /// The public half only: the agent may hold the other.
    Public(PublicKey),
}

/// Why a key file cannot be used.
#[derive(Debug, Clone)]
pub(super) enum KeyFault {
    /// It is not there.
    Missing,
    /// It is of no use.
    Bad {
        /// Why.
        reason: String,
        /// What would help.
        hint: String,
    },
}

impl KeyFault {
    pub(super) fn reason(&self) -> &str {
        match self {
            Self::Missing => "there is no such file",
            Self::Bad { reason, .. } => reason,
        }
    }

    pub(super) fn into_error(self, path: &Path) -> ConnectError {
        let hint = match &self {
            Self::Missing => "set `keyPath` of this host to a private key".to_owned(),
            Self::Bad { hint, .. } => hint.clone(),
        };
        ConnectError::KeyFile {
            path: path.to_owned(),
            reason: self.reason().to_owned(),
            hint,
        }
    }
}

/// The key files that were read.
#[derive(Default)]
pub(super) struct KeyFiles {
    files: Mutex<HashMap<PathBuf, KeyFile>>,
}

impl KeyFiles {
    /// Returns what a key file holds.
    pub(super) fn load(&self, path: &Path) -> Result<KeyFile, KeyFault> {
        if let Some(file) = self.known(path) {
            return Ok(file);
        }
        let text = read(path)?;
        let mut file = parse(&text, path)?;
        if let KeyFile::Encrypted {
            public: public @ None,
            ..
        } = &mut file
        {
            *public = public_beside(path);
        }
        self.keep(path, file.clone());
        Ok(file)
    }

    fn known(&self, path: &Path) -> Option<KeyFile> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.get(path).cloned()
    }

    fn keep(&self, path: &Path, file: KeyFile) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.insert(path.to_owned(), file);
    }

    /// Asks for the passphrase of an encrypted key, and keeps the key.
    pub(super) async fn unlock(
        &self,
        path: &Path,
        text: Arc<Zeroizing<String>>,
        ask: &dyn AskPassphrase,
    ) -> Result<(), KeyFault> {
        for attempt in 0..TRIES {
            let Some(passphrase) = ask.ask(path, attempt > 0).await else {
                return Err(locked(path));
            };
            let text = Arc::clone(&text);
            // Deriving the key takes a good part of a second, on purpose.
            let decrypted =
                tokio::task::spawn_blocking(move || decrypt(&text, passphrase.expose_secret()))
                    .await;
            if let Ok(Some(key)) = decrypted {
                self.keep(path, KeyFile::Ready(Arc::new(key)));
                return Ok(());
            }
        }
        Err(KeyFault::Bad {
            reason: format!("the passphrase was wrong {TRIES} times"),
            hint: format!("try it with `ssh-keygen -y -f {}`", path.display()),
        })
    }
}

/// The fault of a key whose passphrase is not known.
pub(super) fn locked(path: &Path) -> KeyFault {
    KeyFault::Bad {
        reason: "it is encrypted, and there is nobody to ask for its passphrase".to_owned(),
        hint: format!(
            "add the key to your agent with `ssh-add {}`, or run this on a terminal",
            path.display()
        ),
    }
}

/// Decrypts a key; nothing where the passphrase is wrong.
fn decrypt(text: &str, passphrase: &str) -> Option<PrivateKey> {
    if is_legacy(text) {
        return legacy_pem::decrypt(text, passphrase).ok();
    }
    decode_secret_key(text, Some(passphrase)).ok()
}

fn is_legacy(text: &str) -> bool {
    text.contains("Proc-Type: 4,ENCRYPTED")
}

/// Reads a certificate.
pub(super) fn certificate_at(path: &Path) -> Result<Certificate, String> {
    let text = read(path).map_err(|fault| fault.reason().to_owned())?;
    Certificate::from_openssh(text.trim())
        .map_err(|error| format!("it is not a certificate: {error}"))
}

/// Returns the public key in `<path>.pub`.
pub(super) fn public_beside(path: &Path) -> Option<PublicKey> {
    let text = read(&beside(path, ".pub")).ok()?;
    PublicKey::from_openssh(text.trim()).ok()
}

fn read(path: &Path) -> Result<Zeroizing<String>, KeyFault> {
    let fault = |error: &io::Error| match error.kind() {
        io::ErrorKind::NotFound => KeyFault::Missing,
        _ => KeyFault::Bad {
            reason: error.to_string(),
            hint: "check the owner and the mode of the file".to_owned(),
        },
    };
    // Small files of this machine: a thread for each of a thousand hosts would cost more.
    let metadata = std::fs::metadata(path).map_err(|error| fault(&error))?;
    if !metadata.is_file() || metadata.len() > LARGEST_FILE {
        return Err(not_a_key("it is not a key"));
    }
    let bytes = std::fs::read(path).map_err(|error| fault(&error))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(_binary) => Err(not_a_key("it is not a key in a text format")),
    }
}

fn not_a_key(reason: &str) -> KeyFault {
    KeyFault::Bad {
        reason: reason.to_owned(),
        hint: "name the file of a private key in the OpenSSH or the PEM format".to_owned(),
    }
}

fn parse(text: &Zeroizing<String>, path: &Path) -> Result<KeyFile, KeyFault> {
    let trimmed = text.trim();
    let encrypted = |public| KeyFile::Encrypted {
        text: Arc::new(text.clone()),
        public,
    };
    if trimmed.contains("-----BEGIN OPENSSH PRIVATE KEY-----") {
        let key = PrivateKey::from_openssh(trimmed)
            .map_err(|error| not_a_key(&format!("it cannot be read: {error}")))?;
        if key.is_encrypted() {
            return Ok(encrypted(Some(key.public_key().clone())));
        }
        return Ok(match key.key_data() {
            // The file only names a key that a device holds; the agent knows how to ask it.
            KeypairData::SkEd25519(_) | KeypairData::SkEcdsaSha2NistP256(_) => {
                KeyFile::Public(key.public_key().clone())
            }
            _ => KeyFile::Ready(Arc::new(key)),
        });
    }
    if trimmed.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") {
        return Ok(encrypted(None));
    }
    if is_legacy(trimmed) {
        let Some(reason) = legacy_pem::fault(trimmed) else {
            return Ok(encrypted(None));
        };
        return Err(KeyFault::Bad {
            reason,
            hint: format!(
                "bring it into the OpenSSH format with `ssh-keygen -p -f {}`",
                path.display()
            ),
        });
    }
    if trimmed.contains("-----BEGIN ") {
        let key = decode_secret_key(trimmed, None)
            .map_err(|error| not_a_key(&format!("it cannot be read: {error}")))?;
        return Ok(KeyFile::Ready(Arc::new(key)));
    }
    PublicKey::from_openssh(trimmed)
        .map(KeyFile::Public)
        .map_err(|error| not_a_key(&format!("it cannot be read: {error}")))
}
