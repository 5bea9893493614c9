//! Documents of old releases in the newest form.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../load/damage.rs"]
mod damage;
mod documents;
#[path = "../load/fake.rs"]
#[allow(dead_code, reason = "the tests of loading use the rest")]
mod fake;
mod properties;
#[path = "../load/property.rs"]
mod property;

use config::{Diagnostics, Migrated, Secrets, Source, load, migrated};

fn source(text: &str) -> Source {
    Source {
        name: "old.yaml".to_owned(),
        text: text.as_bytes().to_vec(),
    }
}

fn migrate(text: &str) -> Result<Migrated, Diagnostics> {
    migrated(source(text), &documents::machine())
}

/// Loads a document, and returns all of it as text.
fn load_shown(text: &str) -> Result<String, Diagnostics> {
    let loaded = load(source(text), &documents::machine())?;
    Ok(loaded.config.to_yaml(Secrets::Shown))
}
