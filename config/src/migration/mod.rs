//! From the form of any release to the current one.
//!
//! [`FORMS`] lists the forms that a document may have. Each has a file with the step to the next
//! one. A step changes the tree through a [`Draft`], which keeps what was done as typed edits with
//! their places; a value that was not touched keeps its place in the text, so that an error found
//! after nine steps still points at the line that the user wrote, and so that [`rewrite`] can print
//! the new form with everything that did not have to change.
//!
//! What changes the meaning of a document is told as a warning when it is loaded.

mod bare;
mod document;
mod draft;
mod edit;
mod flag;
mod mke_v1_1;
mod mke_v1_2;
mod mke_v1_3;
mod mke_v1_4;
mod mke_v1_5;
mod notes;
mod rewrite;
mod v1;
mod v1beta1;
mod v1beta2;
mod v1beta3;

use crate::node::Node;

pub use document::{Migrated, migrated};
use draft::{Draft, Outcome};
pub use notes::Note;
pub(crate) use notes::{Paths, warnings};

/// The form that is read.
pub(crate) const CURRENT: &str = "launchpad.mirantis.com/mke/v1.6";

/// A form that documents had.
pub(crate) struct Form {
    /// Its `apiVersion`; the form of 0.5.0 has none.
    pub(crate) name: &'static str,
    /// Other spellings of it.
    aliases: &'static [&'static str],
    /// Which releases had it as their newest.
    pub(crate) releases: &'static str,
    /// Whether keys that nobody knows were ignored (before 1.1.0-rc2).
    pub(crate) ignores_unknown: bool,
    /// Whether variables of the environment were put in (since 1.1).
    pub(crate) has_variables: bool,
    /// The engine that was installed where the document named none.
    engine: &'static str,
    /// The step to the next form.
    step: fn(&mut Draft),
}

/// All forms before the current one, each with the step to the next.
pub(crate) const FORMS: &[Form] = &[
    Form {
        name: "",
        aliases: &[],
        releases: "0.5",
        ignores_unknown: true,
        has_variables: false,
        engine: "19.03.8",
        step: bare::step,
    },
    Form {
        name: "launchpad.mirantis.com/v1beta1",
        aliases: &[],
        releases: "0.6 to 0.11",
        ignores_unknown: true,
        has_variables: false,
        engine: "19.03.8",
        step: v1beta1::step,
    },
    Form {
        name: "launchpad.mirantis.com/v1beta2",
        aliases: &[],
        releases: "0.12",
        ignores_unknown: true,
        has_variables: false,
        engine: "19.03.8",
        step: v1beta2::step,
    },
    Form {
        name: "launchpad.mirantis.com/v1beta3",
        aliases: &[],
        releases: "0.13 and 0.14",
        ignores_unknown: true,
        has_variables: false,
        engine: "19.03.12",
        step: v1beta3::step,
    },
    Form {
        name: "launchpad.mirantis.com/v1",
        aliases: &[],
        releases: "1.0",
        ignores_unknown: true,
        has_variables: false,
        engine: "19.03.12",
        step: v1::step,
    },
    Form {
        name: "launchpad.mirantis.com/mke/v1.1",
        // So it was called in 1.1.0-rc1 to rc4.
        aliases: &["launchpad.mirantis.com/v1.1"],
        releases: "1.1",
        ignores_unknown: false,
        has_variables: true,
        engine: "19.03.12",
        step: mke_v1_1::step,
    },
    Form {
        name: "launchpad.mirantis.com/mke/v1.2",
        aliases: &[],
        releases: "1.2.0-beta3 to beta6",
        ignores_unknown: false,
        has_variables: true,
        engine: "20.10.0",
        step: mke_v1_2::step,
    },
    Form {
        name: "launchpad.mirantis.com/mke/v1.3",
        aliases: &[],
        releases: "1.2",
        ignores_unknown: false,
        has_variables: true,
        engine: "20.10.0",
        step: mke_v1_3::step,
    },
    Form {
        name: "launchpad.mirantis.com/mke/v1.4",
        aliases: &[],
        releases: "1.3.0 to 1.5.7",
        ignores_unknown: false,
        has_variables: true,
        engine: "20.10.0 or 20.10.13",
        step: mke_v1_4::step,
    },
    Form {
        name: "launchpad.mirantis.com/mke/v1.5",
        aliases: &[],
        releases: "1.5.8 to 1.5.15",
        ignores_unknown: false,
        has_variables: true,
        engine: "20.10.13",
        step: mke_v1_5::step,
    },
];

/// Why a document is brought into the current form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To be used: variables have been put in already, and a `$` that was no variable is a text.
    Load,
    /// To be printed: expressions stand as they were written, and have to mean the same afterwards.
    Rewrite,
}

/// Returns the form with a name; nothing for the current one, and for unknown ones.
pub(crate) fn form(api_version: &str) -> Option<&'static Form> {
    let is_it = |form: &&Form| form.name == api_version || form.aliases.contains(&api_version);
    FORMS
        .iter()
        .filter(|form| !form.name.is_empty())
        .find(is_it)
}

/// Returns the form of 0.5.0 where a document without `apiVersion` has it.
pub(crate) fn bare_form(root: &Node) -> Option<&'static Form> {
    let has = |key: &str| root.field(key).is_some();
    let is_bare = has("hosts") && !has("apiVersion") && !has("spec") && !has("kind");
    FORMS.first().filter(|_| is_bare)
}

/// Brings a tree into the current form, and returns what was done.
pub(crate) fn migrate(root: &mut Node, form: &'static Form, purpose: Purpose) -> Outcome {
    let first = FORMS.iter().position(|one| std::ptr::eq(one, form));
    let mut draft = Draft::new(std::mem::replace(root, Node::nothing()), form, purpose);
    for step in FORMS.iter().skip(first.unwrap_or(0)) {
        (step.step)(&mut draft);
    }
    let (migrated, outcome) = draft.finish();
    *root = migrated;
    outcome
}
