//! What is true of any bytes that are given as a configuration.
//!
//! Tests try it on a fixed corpus that is damaged the same way in each run, `./dev fuzz` on what
//! libFuzzer thinks of.

use config::{Diagnostics, LARGEST_DOCUMENT, Secrets, Source, World, load, migrated};

/// Takes the bytes through loading and migrating; returns what is wrong with us.
pub(crate) fn holds(bytes: &[u8], world: &dyn World) -> Result<(), String> {
    let before = match load(source(bytes), world) {
        Ok(loaded) => {
            lies_inside(&loaded.warnings.into(), bytes)?;
            loaded.config.to_yaml(Secrets::Shown)
        }
        Err(problems) => {
            lies_inside(&problems, bytes)?;
            // It may be too broken to load and still have a newest form.
            drop(migrated(source(bytes), world));
            return Ok(());
        }
    };
    let Ok(first) = migrated(source(bytes), world) else {
        return Ok(());
    };
    if first.text.contains("# TODO") {
        return Ok(());
    }
    let after = load(source(first.text.as_bytes()), world)
        .map(|loaded| loaded.config.to_yaml(Secrets::Shown));
    if after.as_ref() != Ok(&before) {
        return Err(format!(
            "it meant\n{before}\nand means, once migrated,\n{after:?}\n{}",
            first.text
        ));
    }
    match migrated(source(first.text.as_bytes()), world) {
        Ok(second) if second.text == first.text => Ok(()),
        Ok(second) => Err(format!(
            "migrated once:\n{}\nand twice:\n{}",
            first.text, second.text
        )),
        Err(problems) => Err(format!("cannot be migrated again: {problems}")),
    }
}

fn source(bytes: &[u8]) -> Source {
    Source {
        name: "launchpad.yaml".to_owned(),
        text: bytes.to_vec(),
    }
}

/// Makes sure that what is told can be found in the text.
fn lies_inside(found: &Diagnostics, bytes: &[u8]) -> Result<(), String> {
    let longest = bytes.len() + 1;
    for one in &found.items {
        let Some(at) = one.position else {
            if bytes.len() > LARGEST_DOCUMENT {
                continue;
            }
            return Err(format!("without a place: {one}"));
        };
        let mut is_inside = (1..=longest).contains(&at.line) && (1..=longest).contains(&at.column);
        if let Some(snippet) = &one.snippet {
            let width = snippet.line.chars().count();
            is_inside &= snippet.width >= 1 && snippet.start + snippet.width <= width + 1;
        }
        if !is_inside {
            return Err(format!("outside of the text: {one:?}"));
        }
    }
    Ok(())
}
