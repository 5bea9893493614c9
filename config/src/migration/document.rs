//! A document in its newest form, as a text.

use super::draft::{Draft, meaning};
use super::notes::{Note, Paths, notes};
use super::{CURRENT, Purpose, migrate, rewrite};
use crate::api::Version;
use crate::decode::{Context, Value};
use crate::diagnostic::Diagnostics;
use crate::load;
use crate::node::Node;
use crate::problem::Problems;
use crate::source::{Source, Text};
use crate::world::World;

/// A document that was brought into the newest form.
#[derive(Debug, Clone)]
pub struct Migrated {
    /// The old text, decoded.
    pub old: String,
    /// The new text; the old one where it is in the newest form already.
    pub text: String,
    /// The `apiVersion` of the old text; empty where it has none.
    pub from: String,
    /// The newest form.
    pub to: &'static str,
    /// What was done, in the order of the document.
    pub notes: Vec<Note>,
    /// Whether the text could not be kept: comments and the order of keys are lost.
    pub is_plain: bool,
}

/// Brings a document into the newest form. Variables stay as they are written.
///
/// # Errors
///
/// Fails with what keeps the document from being read.
pub fn migrated(source: Source, world: &dyn World) -> Result<Migrated, Diagnostics> {
    let text = Text::decode(source).map_err(|problem| vec![*problem])?;
    let problems = Problems::default();
    let (old, version) = load::read(&text, &problems)?;
    if problems.has_errors() {
        return Err(load::failed(problems, &text, &old, Vec::new()));
    }
    let Version::Older(form) = version else {
        return Ok(Migrated {
            old: text.text.clone(),
            text: text.text,
            from: CURRENT.to_owned(),
            to: CURRENT,
            notes: Vec::new(),
            is_plain: false,
        });
    };
    let mut new = old.clone();
    let mut changes = migrate(&mut new, form, Purpose::Rewrite).changes;
    if form.ignores_unknown {
        let mut draft = Draft::new(new, form, Purpose::Rewrite);
        for path in unknown(&draft, world) {
            let why = "nobody knows the key: it was ignored";
            draft.drop(&path, meaning(why, "check that it is not misspelt"));
        }
        let (tree, more) = draft.finish();
        new = tree;
        changes.extend(more.changes);
    }
    let written = rewrite::rewrite(&text, &old, &new, &changes);
    let notes = notes(&changes, &Paths::of(&old), &new, &text);
    Ok(Migrated {
        old: text.text,
        text: written.text,
        from: form.name.to_owned(),
        to: CURRENT,
        notes,
        is_plain: written.is_plain,
    })
}

/// Returns the paths of all keys that nobody asks for.
fn unknown(draft: &Draft, world: &dyn World) -> Vec<String> {
    let problems = Problems::default();
    let cx = Context::new(world, &problems, &[]).ignoring_unknown(true);
    let root: &Node = draft.root();
    let _ = load::document(&Value::root(&cx, root));
    cx.unknown()
}
