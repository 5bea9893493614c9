//! `apiVersion` and `kind`: which form the document has.

use crate::code::Code;
use crate::migration::{FORMS, Form, bare_form, form};
use crate::node::Node;
use crate::problem::{Problem, Problems};
use crate::shown::{nearest, one_of, quoted};
use crate::source::Span;

/// The version of the API that is read.
pub(crate) use crate::migration::CURRENT;

/// The kinds of clusters.
pub(crate) const KINDS: &[&str] = &["mke", "mke+msr"];

/// What a document says of its form.
pub(crate) enum Version {
    /// It has the current one, or none that is said: then it is taken for a current one, for the
    /// sake of its other problems.
    Current,
    /// It has the form of an older release.
    Older(&'static Form),
    /// Nothing is known of it.
    Unknown,
}

/// Returns which form a document has.
pub(crate) fn version(root: &Node, problems: &Problems) -> Version {
    if let Some(form) = bare_form(root) {
        return Version::Older(form);
    }
    let hint = format!("add `apiVersion: {CURRENT}`");
    let Some((version, span)) = text(root, "apiVersion", &hint, problems) else {
        return Version::Current;
    };
    if version == CURRENT {
        return Version::Current;
    }
    if let Some(form) = form(&version) {
        return Version::Older(form);
    }
    let message = format!("unknown `apiVersion` {}", quoted(&version));
    let names: Vec<&str> = FORMS
        .iter()
        .map(|form| form.name)
        .chain([CURRENT])
        .collect();
    let hint = match nearest(&version, &names) {
        Some(near) => format!("did you mean `{near}`? The newest is `{CURRENT}`"),
        None => format!("use `{CURRENT}`"),
    };
    problems.add(
        Problem::error(Code::ApiVersion, span, message)
            .path("apiVersion")
            .hint(hint),
    );
    Version::Unknown
}

/// Returns the kind of cluster, which is never taken from the environment.
pub(crate) fn kind(root: &Node, problems: &Problems) -> Option<String> {
    let hint = "add `kind: mke`, or `kind: mke+msr` with Mirantis Secure Registry";
    let (kind, span) = text(root, "kind", hint, problems)?;
    if !KINDS.contains(&kind.as_str()) {
        let hint = match nearest(&kind, KINDS) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("use {}", one_of(KINDS)),
        };
        let message = format!("unknown kind {}", quoted(&kind));
        let problem = Problem::error(Code::Kind, span, message);
        problems.add(problem.path("kind").hint(hint));
        return None;
    }
    Some(kind)
}

/// Returns the text of a key at the top, with its place.
fn text(root: &Node, key: &str, hint: &str, problems: &Problems) -> Option<(String, Span)> {
    let Some(entry) = root.field(key) else {
        let start = root.span.start;
        let place = Span { start, end: start };
        let message = format!("`{key}` is missing");
        problems.add(Problem::error(Code::MissingKey, place, message).hint(hint));
        return None;
    };
    let scalar = entry.value.scalar().filter(|_| !entry.value.is_null());
    let Some(scalar) = scalar else {
        let message = format!("`{key}` has to be a text, not {}", entry.value.describe());
        let code = if entry.value.is_null() {
            Code::EmptyKey
        } else {
            Code::WrongType
        };
        let problem = Problem::error(code, entry.key_span, message);
        problems.add(problem.path(key).hint(hint));
        return None;
    };
    Some((scalar.text.clone(), entry.value.span))
}
