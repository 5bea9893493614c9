//! Keys of hosts that were taken back (RevokedHostKeys of ssh_config): a list of public keys, or a
//! key revocation list as `ssh-keygen -k` writes it (PROTOCOL.krl of OpenSSH).

use std::io;
use std::path::{Path, PathBuf};

use russh::keys::{Certificate, PublicKey, PublicKeyOrCertificate};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

/// What a key revocation list begins with.
const MAGIC: &[u8] = b"SSHKRL\n\0";
/// The version of the format.
const FORMAT: u32 = 1;

/// Returns the first file that takes a key back.
///
/// # Errors
///
/// Fails where a file cannot be read: then no host can be believed.
pub(super) fn revoking<'f>(
    files: &'f [PathBuf],
    offered: &PublicKeyOrCertificate,
) -> Result<Option<&'f Path>, (PathBuf, io::Error)> {
    for path in files {
        let failed = |error| (path.clone(), error);
        let bytes = std::fs::read(path).map_err(failed)?;
        let is_revoked = if bytes.starts_with(MAGIC) {
            Keys::of(offered).and_then(|keys| keys.are_in(&bytes))
        } else {
            is_listed(&bytes, offered)
        };
        if is_revoked.map_err(failed)? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Looks for a key, or the authority that has signed it, in a list of public keys.
fn is_listed(bytes: &[u8], offered: &PublicKeyOrCertificate) -> io::Result<bool> {
    let keys = Keys::of(offered)?;
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().map(str::trim);
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let Ok(listed) = PublicKey::from_openssh(line) else {
            continue;
        };
        let listed = listed.to_bytes().map_err(io::Error::other)?;
        if listed == keys.key
            || keys
                .authority()
                .is_some_and(|authority| listed == authority)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What a host offers, as it goes over the wire.
struct Keys<'c> {
    key: Vec<u8>,
    certificate: Option<(&'c Certificate, Vec<u8>)>,
}

impl<'c> Keys<'c> {
    fn of(offered: &'c PublicKeyOrCertificate) -> io::Result<Self> {
        let key = offered.public_key().to_bytes().map_err(io::Error::other)?;
        let certificate = match offered.certificate() {
            None => None,
            Some(certificate) => {
                let authority = PublicKey::new(certificate.signature_key().clone(), "");
                let authority = authority.to_bytes().map_err(io::Error::other)?;
                Some((certificate, authority))
            }
        };
        Ok(Self { key, certificate })
    }

    fn authority(&self) -> Option<&[u8]> {
        let certificate = self.certificate.as_ref();
        certificate.map(|(_, authority)| authority.as_slice())
    }

    /// Looks into a key revocation list.
    fn are_in(&self, list: &[u8]) -> io::Result<bool> {
        let mut list = Reader(list.get(MAGIC.len()..).unwrap_or_default());
        if list.number()? != FORMAT {
            return Err(invalid("its version is not known"));
        }
        // Its own version, when it was made, flags; reserved, and a comment.
        for _ in 0..3 {
            list.large()?;
        }
        list.string()?;
        list.string()?;
        while !list.0.is_empty() {
            let kind = list.byte()?;
            let mut section = Reader(list.string()?);
            if self.are_in_section(kind, &mut section)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn are_in_section(&self, kind: u8, section: &mut Reader<'_>) -> io::Result<bool> {
        let both = || std::iter::once(self.key.as_slice()).chain(self.authority());
        match kind {
            1 => self.is_certificate_in(section),
            2 => section.any(|listed| both().any(|key| listed == key)),
            3 => section.any(|listed| both().any(|key| listed == Sha1::digest(key).as_slice())),
            // Signatures: who may write the list is decided by who may write the file.
            4 => Ok(false),
            5 => section.any(|listed| both().any(|key| listed == Sha256::digest(key).as_slice())),
            255 => section.extension(),
            _ => Err(invalid("it has a section of an unknown kind")),
        }
    }

    /// Looks into the certificates of one authority; of any, where none is named.
    fn is_certificate_in(&self, section: &mut Reader<'_>) -> io::Result<bool> {
        let by = section.string()?;
        section.string()?;
        let certificate = self.certificate.as_ref();
        let of_it = certificate.filter(|(_, authority)| by.is_empty() || by == authority);
        let Some((certificate, _)) = of_it else {
            return Ok(false);
        };
        let serial = certificate.serial();
        while !section.0.is_empty() {
            let kind = section.byte()?;
            let mut inner = Reader(section.string()?);
            let is_in = match kind {
                0x20 => inner.any_serial(serial)?,
                0x21 => (inner.large()?..=inner.large()?).contains(&serial),
                0x22 => inner.has_bit(serial)?,
                0x23 => inner.any(|id| id == certificate.key_id().as_bytes())?,
                0x39 => inner.extension()?,
                _ => return Err(invalid("it has certificates of an unknown kind")),
            };
            if is_in {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the key revocation list cannot be read: {what}"),
    )
}

/// Numbers and strings of the SSH protocol (RFC 4251, section 5).
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, length: usize) -> io::Result<&'b [u8]> {
        let cut = self.0.split_at_checked(length);
        let (taken, rest) = cut.ok_or_else(|| invalid("it ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> io::Result<u8> {
        Ok(self.take(1)?.first().copied().unwrap_or_default())
    }

    fn number(&mut self) -> io::Result<u32> {
        let bytes = self.take(4)?.iter();
        Ok(bytes.fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    fn large(&mut self) -> io::Result<u64> {
        let bytes = self.take(8)?.iter();
        Ok(bytes.fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn string(&mut self) -> io::Result<&'b [u8]> {
        let length = self.number()?;
        self.take(usize::try_from(length).map_err(|_too_long| invalid("it ends too early"))?)
    }

    /// Returns whether any of the strings that are left is meant.
    fn any(&mut self, is_meant: impl Fn(&[u8]) -> bool) -> io::Result<bool> {
        while !self.0.is_empty() {
            if is_meant(self.string()?) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn any_serial(&mut self, serial: u64) -> io::Result<bool> {
        while !self.0.is_empty() {
            if self.large()? == serial {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns whether the bit of a number is set: an offset, then the bits, the last byte first.
    fn has_bit(&mut self, serial: u64) -> io::Result<bool> {
        let Some(index) = serial.checked_sub(self.large()?) else {
            return Ok(false);
        };
        let bits = self.string()?;
        let byte = usize::try_from(index / 8).ok();
        let byte = byte.and_then(|byte| bits.iter().rev().nth(byte));
        Ok(byte.is_some_and(|byte| byte >> (index % 8) & 1 == 1))
    }

    /// Passes over an extension that does not have to be understood.
    fn extension(&mut self) -> io::Result<bool> {
        self.string()?;
        match self.byte()? {
            0 => Ok(false),
            _ => Err(invalid("it has an extension that has to be understood")),
        }
    }
}
