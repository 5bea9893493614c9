//! Encrypted keys in the old PEM format (`Proc-Type: 4,ENCRYPTED`), as OpenSSL writes them.
//!
//! The cipher's key is derived with MD5 and without a count: this is here to read keys that exist,
//! never to write one.

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt as _, KeyIvInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use russh::keys::{PrivateKey, decode_secret_key};
use zeroize::Zeroizing;

/// Why a key cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum LegacyError {
    /// The file is damaged, or of a kind that is not known.
    #[error("{0}")]
    Format(String),
    /// The passphrase is not the right one.
    #[error("the passphrase is wrong")]
    Passphrase,
}

/// The ciphers that OpenSSL was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cipher {
    Des3,
    Aes128,
    Aes192,
    Aes256,
}

impl Cipher {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "DES-EDE3-CBC" => Self::Des3,
            "AES-128-CBC" => Self::Aes128,
            "AES-192-CBC" => Self::Aes192,
            "AES-256-CBC" => Self::Aes256,
            _ => return None,
        })
    }

    fn key_length(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Des3 | Self::Aes192 => 24,
            Self::Aes256 => 32,
        }
    }

    fn decrypt(self, key: &[u8], iv: &[u8], data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        macro_rules! decrypt {
            ($cipher:ty) => {
                cbc::Decryptor::<$cipher>::new_from_slices(key, iv)
                    .ok()?
                    .decrypt_padded_vec::<Pkcs7>(data)
                    .ok()?
            };
        }
        Some(Zeroizing::new(match self {
            Self::Des3 => decrypt!(des::TdesEde3),
            Self::Aes128 => decrypt!(aes::Aes128),
            Self::Aes192 => decrypt!(aes::Aes192),
            Self::Aes256 => decrypt!(aes::Aes256),
        }))
    }
}

/// A key file, taken apart.
struct Pem {
    /// `RSA` or `EC`.
    kind: String,
    cipher: Cipher,
    iv: Vec<u8>,
    data: Vec<u8>,
}

/// Says what keeps a file from being read with any passphrase.
pub(super) fn fault(text: &str) -> Option<String> {
    parse(text).err()
}

/// Reads a key.
pub(super) fn decrypt(text: &str, passphrase: &str) -> Result<PrivateKey, LegacyError> {
    let pem = parse(text).map_err(LegacyError::Format)?;
    let key = derive(passphrase.as_bytes(), &pem.iv, pem.cipher.key_length());
    let plain = pem
        .cipher
        .decrypt(&key, &pem.iv, &pem.data)
        .ok_or(LegacyError::Passphrase)?;
    let kind = &pem.kind;
    let body = Zeroizing::new(STANDARD.encode(&*plain));
    let text = Zeroizing::new(format!(
        "-----BEGIN {kind} PRIVATE KEY-----\n{}\n-----END {kind} PRIVATE KEY-----\n",
        *body
    ));
    // One in 256 wrong passphrases leaves a good end, but no key.
    decode_secret_key(&text, None).or(Err(LegacyError::Passphrase))
}

/// OpenSSL's EVP_BytesToKey with MD5 and one round; the salt is the first half of the IV.
fn derive(passphrase: &[u8], iv: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    let salt = &iv[..iv.len().min(8)];
    let mut key = Zeroizing::new(Vec::new());
    let mut last: Option<[u8; 16]> = None;
    while key.len() < length {
        let mut context = md5::Context::new();
        if let Some(last) = &last {
            context.consume(last);
        }
        context.consume(passphrase);
        context.consume(salt);
        let digest = context.finalize().0;
        key.extend_from_slice(&digest);
        last = Some(digest);
    }
    key.truncate(length);
    key
}

fn parse(text: &str) -> Result<Pem, String> {
    let damaged = || "its PEM text is damaged".to_owned();
    let (_, after) = text.split_once("-----BEGIN ").ok_or_else(damaged)?;
    let (kind, after) = after.split_once(" PRIVATE KEY-----").ok_or_else(damaged)?;
    if !matches!(kind, "RSA" | "EC") {
        return Err(format!("{kind} keys are not supported"));
    }
    let (inside, _) = after.split_once("-----END ").ok_or_else(damaged)?;
    let mut lines = inside.trim_start().lines().map(str::trim);
    let mut information = None;
    for line in lines.by_ref() {
        match line.split_once(':') {
            Some(("DEK-Info", value)) => information = Some(value.trim()),
            Some(_) => {}
            None => break,
        }
    }
    let (name, iv) = information
        .and_then(|information| information.split_once(','))
        .ok_or_else(damaged)?;
    let cipher = Cipher::parse(name)
        .ok_or_else(|| format!("it is encrypted with {name}, which is not supported"))?;
    let data: String = lines.collect();
    Ok(Pem {
        kind: kind.to_owned(),
        cipher,
        iv: hexadecimal(iv).ok_or_else(damaged)?,
        data: STANDARD
            .decode(data)
            .map_err(|error| format!("its PEM text is damaged: {error}"))?,
    })
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim().as_bytes();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::*;

    fn run(program: &str, arguments: &[&str], directory: &Path) -> String {
        let output = Command::new(program)
            .args(arguments)
            .current_dir(directory)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{program} {arguments:?}: {output:?}"
        );
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn every_cipher_and_kind_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        for (kind, bits) in [("rsa", "2048"), ("ecdsa", "256"), ("ecdsa", "384")] {
            let name = format!("{kind}{bits}");
            let arguments = [
                "-q", "-t", kind, "-b", bits, "-m", "PEM", "-N", "", "-f", &name,
            ];
            run("ssh-keygen", &arguments, at);
            let public = std::fs::read_to_string(at.join(format!("{name}.pub"))).unwrap();
            let program = if kind == "rsa" { "rsa" } else { "ec" };
            for cipher in ["-des3", "-aes128", "-aes192", "-aes256"] {
                let mut arguments = vec![program, "-in", &name, "-passout", "pass:open sesame"];
                arguments.push(cipher);
                if kind == "rsa" {
                    arguments.push("-traditional");
                }
                let text = run("openssl", &arguments, at);
                assert!(text.contains("Proc-Type: 4,ENCRYPTED"), "{text}");

                let key = decrypt(&text, "open sesame").unwrap();

                let line = key.public_key().to_openssh().unwrap();
                let same: Vec<&str> = public.split(' ').take(2).collect();
                assert_eq!(line.split(' ').take(2).collect::<Vec<_>>(), same);
                assert_eq!(
                    decrypt(&text, "sesame").unwrap_err(),
                    LegacyError::Passphrase
                );
            }
        }
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let text = |kind: &str, cipher: &str| {
            format!(
                "-----BEGIN {kind} PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\
                 DEK-Info: {cipher},00112233\n\nAAAA\n-----END {kind} PRIVATE KEY-----\n"
            )
        };

        assert!(fault(&text("DSA", "AES-128-CBC")).unwrap().contains("DSA"));
        assert!(
            fault(&text("RSA", "CAMELLIA-128-CBC"))
                .unwrap()
                .contains("CAMELLIA")
        );
        assert!(fault("-----BEGIN RSA PRIVATE KEY-----").is_some());
        assert_eq!(fault(&text("EC", "DES-EDE3-CBC")), None);
        // An IV that is too short is no panic.
        assert!(decrypt(&text("EC", "DES-EDE3-CBC"), "x").is_err());
    }
}
