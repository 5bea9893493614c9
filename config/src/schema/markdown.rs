//! The tables of the reference, `docs/configuration.md`: what stands between its marks.
//!
//! `<!-- keys: mcr -->` begins the table of block `mcr`, `<!-- end of keys -->` ends it. What stands
//! outside of marks is written by hand.

use super::{Absent, Block, Key, Kind, Standing, every_key};
use crate::schema::DOCUMENT;
use crate::shown::one_of;

const BEGIN: &str = "<!-- keys: ";
const END: &str = "<!-- end of keys -->\n";
/// Blocks without a section of their own: their keys stand in the table above.
const INLINE: &[&str] = &["metadata", "hooks", "hookPair", "cloud"];

/// Returns the reference with new tables.
///
/// # Errors
///
/// Fails with a sentence where a mark names no block, or has no end.
pub(super) fn renewed(reference: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = reference;
    while let Some((before, after)) = rest.split_once(BEGIN) {
        let (name, after) = after
            .split_once(" -->\n")
            .ok_or_else(|| "a mark is not closed".to_owned())?;
        let (_, after) = after
            .split_once(END)
            .ok_or_else(|| format!("the table of `{name}` has no end"))?;
        let block = named(name).ok_or_else(|| format!("there is no block `{name}`"))?;
        out.push_str(&format!("{before}{BEGIN}{name} -->\n{}{END}", table(block)));
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// Returns the names of the blocks that have a table of their own.
pub(super) fn sections() -> Vec<&'static str> {
    let mut names = vec![DOCUMENT.name];
    for placed in every_key() {
        let below = placed.key.block().map(|block| block.name);
        names.extend(below.filter(|name| !INLINE.contains(name) && *name != "spec"));
    }
    names.sort_unstable();
    names.dedup();
    names
}

fn named(name: &str) -> Option<&'static Block> {
    if name == DOCUMENT.name {
        return Some(&DOCUMENT);
    }
    let mut below = every_key().iter().filter_map(|placed| placed.key.block());
    below.find(|block| block.name == name)
}

fn table(block: &Block) -> String {
    let mut out =
        "| key | type | default | meaning | example |\n|---|---|---|---|---|\n".to_owned();
    rows(block, "", &mut out);
    out
}

fn rows(block: &Block, prefix: &str, out: &mut String) {
    for key in block.keys {
        let name = format!("{prefix}{}", key.name);
        match key.block().filter(|below| INLINE.contains(&below.name)) {
            Some(below) => rows(below, &format!("{name}."), out),
            None => out.push_str(&row(key, &name)),
        }
    }
}

fn row(key: &Key, name: &str) -> String {
    let example = if key.example.is_empty() {
        String::new()
    } else {
        format!("`{}`", key.example)
    };
    let default = match key.absent {
        Absent::Refused => "required".to_owned(),
        Absent::Nothing => "none".to_owned(),
        Absent::Value(value) => format!("`{value}`"),
        Absent::Told(phrase) => phrase.to_owned(),
    };
    let about = match key.standing {
        Standing::Used => key.about.to_owned(),
        Standing::NotYet => format!("{}. **Not yet**", key.about),
        Standing::Deprecated => format!("{}. Deprecated", key.about),
        Standing::NoEffect => format!("**without effect**: {}", key.about),
    };
    format!(
        "| `{name}` | {} | {default} | {about} | {example} |\n",
        kind(&key.kind)
    )
}

fn kind(kind: &Kind) -> String {
    match kind {
        Kind::Text
        | Kind::Secret
        | Kind::ClusterName
        | Kind::Alias
        | Kind::User
        | Kind::LongText
        | Kind::Channel => "text".to_owned(),
        Kind::Constant(word) => format!("`{word}`"),
        Kind::Fixed(words) | Kind::Word(words) => one_of(words),
        Kind::Address => "name or address".to_owned(),
        Kind::Url => "URL".to_owned(),
        Kind::Version => "version".to_owned(),
        Kind::Path => "path".to_owned(),
        Kind::File => "file".to_owned(),
        Kind::Switch => "true or false".to_owned(),
        Kind::Number(least, u32::MAX) => format!("number, {least} or more"),
        Kind::Number(least, most) => format!("number, {least} to {most}"),
        Kind::Texts => "list of texts".to_owned(),
        Kind::Flags => "[flags](#flags)".to_owned(),
        Kind::Free | Kind::Variables | Kind::Options => "map".to_owned(),
        Kind::One(block) if block.name == "spec" => "map".to_owned(),
        Kind::One(block) => format!("[map]({})", section(block.name)),
        Kind::Many(block) => format!("[list of maps]({})", section(block.name)),
    }
}

/// Returns the link to the section of a block.
fn section(block: &str) -> &'static str {
    match block {
        "host" => "#spechosts",
        "ssh" => "#ssh",
        "openSSH" => "#openssh",
        "winRM" => "#winrm-not-yet",
        "localhost" => "#localhost",
        "mcr" => "#specmcr",
        "mke" => "#specmke",
        "msr" => "#specmsr-not-yet",
        "cluster" => "#speccluster",
        _ => "#top-level",
    }
}
