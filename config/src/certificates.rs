//! Certificates that the configuration gives as files or as text.

use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};

use crate::decode::Fields;

/// A CA certificate, a certificate and its key.
#[derive(Debug, Clone)]
pub struct Certificates {
    /// The certificate of the CA.
    pub ca: SecretString,
    /// The certificate.
    pub cert: SecretString,
    /// The private key.
    pub key: SecretString,
}

/// Certificates as they are given, each by itself.
#[derive(Debug, Clone, Default)]
pub struct CertificateParts {
    /// The certificate of the CA.
    pub ca: CertificatePart,
    /// The certificate.
    pub cert: CertificatePart,
    /// The private key.
    pub key: CertificatePart,
}

/// One of them.
#[derive(Debug, Clone, Default)]
pub struct CertificatePart {
    /// The file that it was read from, `~` expanded.
    pub path: Option<PathBuf>,
    /// The text; that of the file wins.
    pub data: Option<SecretString>,
    /// Whether one of its keys is there, even if it could not be read.
    is_given: bool,
}

impl CertificateParts {
    /// Reads the six keys.
    pub(crate) fn decode(fields: &mut Fields<'_>) -> Self {
        Self {
            ca: CertificatePart::decode(fields, "caCertPath", "caCertData"),
            cert: CertificatePart::decode(fields, "certPath", "certData"),
            key: CertificatePart::decode(fields, "keyPath", "keyData"),
        }
    }

    /// Returns all three, where all three are given.
    pub(crate) fn complete(&self) -> Option<Certificates> {
        Some(Certificates {
            ca: self.ca.data.clone()?,
            cert: self.cert.data.clone()?,
            key: self.key.data.clone()?,
        })
    }

    /// Returns the names of the keys that are missing, where some are given.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        let parts = [
            (&self.ca, "caCertPath"),
            (&self.cert, "certPath"),
            (&self.key, "keyPath"),
        ];
        let missing: Vec<&str> = parts
            .iter()
            .filter(|(part, _)| !part.is_given)
            .map(|(_, name)| *name)
            .collect();
        if missing.len() == parts.len() {
            return Vec::new();
        }
        missing
    }
}

impl CertificatePart {
    fn decode(fields: &mut Fields<'_>, path: &'static str, data: &'static str) -> Self {
        let is_given = [data, path]
            .map(|key| fields.take(key).is_some())
            .contains(&true);
        let text = fields.take(data).and_then(|value| value.secret());
        let file = file(fields, path);
        let (path, read) = file.unzip();
        Self {
            path,
            is_given,
            data: read
                .or(text)
                .filter(|text| !text.expose_secret().is_empty()),
        }
    }
}

/// Returns the path of a key that names a file, with what the file holds.
pub(crate) fn file(fields: &mut Fields<'_>, key: &'static str) -> Option<(PathBuf, SecretString)> {
    let value = fields.take(key)?;
    let is_empty = value.is_scalar() && value.text().is_some_and(|text| text.is_empty());
    if is_empty {
        return None;
    }
    let (path, text) = value.text_file()?;
    if key == "keyPath" {
        value.check_private(&path);
    }
    Some((path, text))
}
