//! The record of what is ours on a host: `/var/lib/launchpad/owned.json`, root's, mode 0600.
//!
//! It holds names and hashes, no values. Without it we own nothing that is there already, so that
//! what an administrator has written by hand is never removed. It is written before what it speaks
//! of: a record of a thing that was not made yet does no harm, as its hash does not fit.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::action::Action;

/// Where the record is.
pub const PATH: &str = "/var/lib/launchpad/owned.json";

/// The directory of the record.
pub const DIRECTORY: &str = "/var/lib/launchpad";

/// What is ours on a host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Owned {
    /// Keys of daemon.json, with the hash of the value that we gave them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub daemon_json: BTreeMap<String, String>,
    /// Variables of /etc/environment, with the hash of the value that we gave them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// Whole files, with the hash of their text.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
    /// Packages of the engine that we installed.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub packages: BTreeSet<String>,
    /// Hash of the flags that MKE was installed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mke_install_flags: Option<String>,
}

impl Owned {
    /// Reads a record; what cannot be read owns nothing.
    pub fn parse(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// Returns the record as text.
    pub fn to_text(&self) -> String {
        // Maps of strings always have a JSON form.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Returns whether nothing is ours.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns what makes this the record of the host.
    pub fn record(&self) -> Action {
        if self.is_empty() {
            Action::Remove {
                paths: vec![PATH.to_owned()],
            }
        } else {
            Action::write(PATH, "0600", &self.to_text())
        }
    }

    /// Returns whether a file is ours, and as we left it.
    pub fn owns_file(&self, path: &str, text: &str) -> bool {
        self.files.get(path) == Some(&hash(text))
    }
}

/// Returns the hash by which the record speaks of a value.
pub fn hash(value: &str) -> String {
    Sha256::digest(value.trim_end_matches('\n').as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_its_text() {
        let owned = Owned {
            packages: BTreeSet::from(["docker-ee".to_owned()]),
            environment: BTreeMap::from([("A".to_owned(), hash("1"))]),
            ..Owned::default()
        };

        assert_eq!(Owned::parse(&owned.to_text()), owned);
    }

    #[test]
    fn a_record_that_cannot_be_read_owns_nothing() {
        assert!(Owned::parse("{\"environment\": [").is_empty());
    }

    #[test]
    fn the_record_holds_no_value() {
        let owned = Owned {
            environment: BTreeMap::from([("HTTP_PROXY".to_owned(), hash("http://u:hunter2@p"))]),
            ..Owned::default()
        };

        assert!(!owned.to_text().contains("hunter2"));
    }
}
