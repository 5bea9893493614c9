//! Salted hashes of passwords, and secrets that are made up.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::command::Seed;

/// How often a password is hashed: enough that the hash tells nothing to whoever searches a lab.
const ROUNDS: u32 = 10_000;

/// What is kept of a password: PBKDF2 with HMAC-SHA-256 over a salt.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordHash {
    rounds: u32,
    salt: String,
    hash: String,
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

impl PasswordHash {
    /// Hashes a password; equal seeds give equal salts.
    pub fn of(password: &str, seed: Seed) -> Self {
        let salt = BASE64_STANDARD.encode(&derive(seed, "salt")[..16]);
        Self {
            rounds: ROUNDS,
            hash: BASE64_STANDARD.encode(stretch(password, &salt, ROUNDS)),
            salt,
        }
    }

    /// Returns whether this is the password.
    pub fn fits(&self, password: &str) -> bool {
        let Ok(wanted) = BASE64_STANDARD.decode(&self.hash) else {
            return false;
        };
        is_equal(&stretch(password, &self.salt, self.rounds), &wanted)
    }
}

/// The first block of PBKDF2, which is all of it for a hash of this length.
fn stretch(password: &str, salt: &str, rounds: u32) -> [u8; 32] {
    let mut block = mac(
        password.as_bytes(),
        &[salt.as_bytes(), &1_u32.to_be_bytes()],
    );
    let mut sum = block;
    for _ in 1..rounds {
        block = mac(password.as_bytes(), &[&block]);
        for (one, other) in sum.iter_mut().zip(block) {
            *one ^= other;
        }
    }
    sum
}

/// Returns HMAC-SHA-256 of some parts under a key.
pub(crate) fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        // Never: HMAC takes keys of every length.
        return [0; 32];
    };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Compares without telling by its time where two values differ.
pub(crate) fn is_equal(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .fold(0, |sum, (one, other)| sum | (one ^ other))
            == 0
}

/// Returns a value that nobody can guess without the seed.
pub(crate) fn derive(seed: Seed, purpose: &str) -> [u8; 32] {
    mac(&seed.0, &[purpose.as_bytes()])
}

/// Makes a password up.
pub fn make_up(seed: Seed) -> String {
    let random = derive(seed, "password");
    BASE64_STANDARD
        .encode(random)
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(32)
        .collect()
}

/// Returns bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_pbkdf2() {
        // The second vector of RFC 7914, section 11, is for 80000 rounds of a longer output; this
        // is `hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 2)`.
        assert_eq!(
            hex(&stretch("password", "salt", 2)),
            "ae4d0c95af6b46d32d0adff928f06dd02a303f8ef3c251dfd6e2d85a95474c43"
        );
    }

    #[test]
    fn only_the_password_fits() {
        let hash = PasswordHash::of("orca'9 \"$x", Seed([1; 32]));

        assert!(hash.fits("orca'9 \"$x"));
        assert!(!hash.fits("orca'9 \"$"));
        assert!(!hash.fits(""));
    }

    #[test]
    fn equal_passwords_have_different_hashes() {
        let of = |seed| PasswordHash::of("password", Seed([seed; 32]));

        assert_ne!(of(1), of(2));
        assert_eq!(of(1), of(1));
    }

    #[test]
    fn the_password_is_not_in_what_is_kept() {
        let hash = PasswordHash::of("orcaorcaorca", Seed([1; 32]));

        let kept = serde_json::to_string(&hash).unwrap();
        let inside = BASE64_STANDARD.encode("orcaorcaorca");

        assert!(!kept.contains("orca") && !kept.contains(&inside), "{kept}");
    }

    #[test]
    fn a_made_up_password_is_long_and_plain() {
        let password = make_up(Seed([3; 32]));

        assert_eq!(password.len(), 32);
        assert_ne!(password, make_up(Seed([4; 32])));
    }
}
