//! The keys of hosts: made from the seed, and kept where a host keeps them, below `/etc/ssh`.

use std::convert::Infallible;
use std::time::Duration;

use russh::keys::ssh_key::certificate::CertType;
use russh::keys::ssh_key::rand_core::{TryCryptoRng, TryRng};
use russh::keys::ssh_key::{self, LineEnding, certificate};
use russh::keys::{Algorithm, Certificate, EcdsaCurve, PrivateKey, PublicKey};
use sha2::{Digest as _, Sha256};

use super::settings::Settings;
use crate::files::{Credentials, Files};
use crate::world::{Fleet, HostId};

/// Where keys of hosts are where the configuration says nothing.
const PLACES: [&str; 3] = [
    "/etc/ssh/ssh_host_rsa_key",
    "/etc/ssh/ssh_host_ecdsa_key",
    "/etc/ssh/ssh_host_ed25519_key",
];

/// How long certificates of hosts are valid.
const YEAR: u64 = 365 * 86_400;

/// A kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyKind {
    /// Ed25519.
    Ed25519,
    /// ECDSA on the curve P-256.
    Ecdsa,
    /// RSA with 2048 bits; it takes a while to make.
    Rsa,
}

impl KeyKind {
    fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::Ecdsa => "ecdsa",
            Self::Rsa => "rsa",
        }
    }

    fn algorithm(self) -> Algorithm {
        match self {
            Self::Ed25519 => Algorithm::Ed25519,
            Self::Ecdsa => Algorithm::Ecdsa {
                curve: EcdsaCurve::NistP256,
            },
            Self::Rsa => Algorithm::Rsa { hash: None },
        }
    }
}

/// Numbers that nobody guesses who does not know where they come from.
struct Numbers {
    seed: [u8; 32],
    count: u64,
}

impl Numbers {
    fn from(seed: u64, what: &[&str]) -> Self {
        let mut hash = Sha256::new();
        hash.update(seed.to_be_bytes());
        for word in what {
            hash.update(word.as_bytes());
            hash.update([0]);
        }
        Self {
            seed: hash.finalize().into(),
            count: 0,
        }
    }
}

impl TryRng for Numbers {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for piece in bytes.chunks_mut(32) {
            let mut hash = Sha256::new();
            hash.update(self.seed);
            hash.update(self.count.to_be_bytes());
            self.count += 1;
            piece.copy_from_slice(&hash.finalize()[..piece.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Numbers {}

/// Makes a key from a seed: the same for the same words.
///
/// # Errors
///
/// Fails where the library does.
pub fn key_of(seed: u64, kind: KeyKind, what: &[&str]) -> Result<PrivateKey, ssh_key::Error> {
    let mut words = vec![kind.name()];
    words.extend_from_slice(what);
    let mut numbers = Numbers::from(seed, &words);
    PrivateKey::random(&mut numbers, kind.algorithm())
}

/// Returns a key as clients keep it: its public half, and the text of the private one.
///
/// # Errors
///
/// Fails where the library does.
pub fn halves_of(key: &PrivateKey) -> Result<(PublicKey, String), ssh_key::Error> {
    let private = key.to_openssh(LineEnding::LF)?;
    Ok((key.public_key().clone(), private.to_string()))
}

/// Returns a public key as one line, without a comment.
pub fn text_of(key: &PublicKey) -> String {
    let mut key = key.clone();
    key.set_comment("");
    key.to_openssh().unwrap_or_default()
}

/// The authority that signs the keys of the hosts of a fleet.
///
/// # Errors
///
/// Fails where the library does.
pub fn authority_of(seed: u64) -> Result<PrivateKey, ssh_key::Error> {
    key_of(seed, KeyKind::Ed25519, &["authority"])
}

/// How the keys of a host are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HostKeys {
    /// Their kinds.
    pub(super) kinds: Vec<KeyKind>,
    /// Whether an authority signs them.
    pub(super) has_certificates: bool,
}

/// Writes the keys of a host where it keeps them; keys of other kinds go.
///
/// # Errors
///
/// Fails where the library does.
pub(super) fn write_host_keys(
    fleet: &Fleet,
    host: HostId,
    wanted: &HostKeys,
) -> Result<(), ssh_key::Error> {
    let seed = fleet.seed();
    let now = fleet.epoch();
    let (name, addresses) = fleet.host(host, |host| {
        let addresses = host.addresses().map(|one| one.to_string());
        (host.name.clone(), addresses.collect::<Vec<_>>())
    });
    let mut files = Vec::new();
    for kind in &wanted.kinds {
        let mut key = key_of(seed, *kind, &["host", &name])?;
        key.set_comment(format!("root@{name}"));
        let path = format!("/etc/ssh/ssh_host_{}_key", kind.name());
        let private = key.to_openssh(LineEnding::LF)?;
        let public = format!("{}\n", key.public_key().to_openssh()?);
        if wanted.has_certificates {
            let certificate = certify(seed, &key, &name, &addresses, now)?;
            let text = format!("{}\n", certificate.to_openssh()?);
            files.push((format!("{path}-cert.pub"), 0o644, text));
        }
        files.push((path.clone(), 0o600, private.to_string()));
        files.push((format!("{path}.pub"), 0o644, public));
    }
    let root = Credentials::root();
    fleet.host(host, |host| {
        for path in PLACES {
            for path in [path.to_owned(), format!("{path}.pub")] {
                if host.files.exists(&path) {
                    // It was there a moment ago.
                    let _ = host.files.remove_file(&path, &root, now);
                }
            }
        }
        for (path, mode, text) in files {
            // Every profile has the directory.
            let _ = host.files.write(&path, text, mode, &root, now);
        }
    });
    Ok(())
}

/// Signs the key of a host, for its names and addresses.
fn certify(
    seed: u64,
    key: &PrivateKey,
    name: &str,
    addresses: &[String],
    now: Duration,
) -> Result<Certificate, ssh_key::Error> {
    let mut numbers = Numbers::from(seed, &["nonce", name, key.algorithm().as_str()]);
    let from = now.as_secs().saturating_sub(86_400);
    let public = key.public_key();
    let mut builder =
        certificate::Builder::new_with_random_nonce(&mut numbers, public, from, from + YEAR)?;
    builder.serial(1)?;
    builder.key_id(name)?;
    builder.cert_type(CertType::Host)?;
    builder.valid_principal(name)?;
    for address in addresses {
        builder.valid_principal(address)?;
    }
    builder.sign(&authority_of(seed)?)
}

/// The keys that a server shows.
#[derive(Debug, Clone, Default)]
pub(super) struct Shown {
    /// The keys.
    pub(super) keys: Vec<PrivateKey>,
    /// Their certificates.
    pub(super) certificates: Vec<Certificate>,
    /// What cannot be read, and why.
    pub(super) wrong: Vec<String>,
}

/// Reads the keys that the configuration of a host names.
pub(super) fn read_host_keys(files: &Files, settings: &Settings) -> Shown {
    let named: Vec<&str> = settings.values("hostkey", None).collect();
    let (paths, are_named) = match named.is_empty() {
        true => (PLACES.to_vec(), false),
        false => (named, true),
    };
    let mut shown = Shown::default();
    for path in paths {
        let Some(text) = files.text(path) else {
            if are_named {
                shown.wrong.push(format!("Unable to load host key: {path}"));
            }
            continue;
        };
        match PrivateKey::from_openssh(&text) {
            Ok(key) => shown.keys.push(key),
            Err(error) => {
                let why = format!("Unable to load host key \"{path}\": {error}");
                shown.wrong.push(why);
            }
        }
    }
    for path in settings.values("hostcertificate", None) {
        let text = files.text(path).unwrap_or_default();
        match Certificate::from_openssh(text.trim()) {
            Ok(certificate) => shown.certificates.push(certificate),
            Err(error) => {
                let why = format!("Could not load host certificate \"{path}\": {error}");
                shown.wrong.push(why);
            }
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_that_of_its_seed_and_its_words() {
        for kind in [KeyKind::Ed25519, KeyKind::Ecdsa] {
            let key = |seed, name| {
                let key = key_of(seed, kind, &["host", name]).unwrap();
                key.public_key().to_openssh().unwrap()
            };

            assert_eq!(key(1, "m1"), key(1, "m1"));
            assert_ne!(key(1, "m1"), key(1, "m2"));
            assert_ne!(key(1, "m1"), key(2, "m1"));
        }
    }
}
