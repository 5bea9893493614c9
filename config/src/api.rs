//! `apiVersion` and `kind`: which form the document has.

use crate::node::Node;
use crate::problem::{Problem, Problems};
use crate::shown::{nearest, one_of, quoted};
use crate::source::Span;

/// The version of the API that is read.
pub(crate) const CURRENT: &str = "launchpad.mirantis.com/mke/v1.6";

/// Versions of the API that the Go Launchpad knows.
const OLDER: &[&str] = &[
    "launchpad.mirantis.com/v1beta1",
    "launchpad.mirantis.com/v1beta2",
    "launchpad.mirantis.com/v1beta3",
    "launchpad.mirantis.com/v1",
    "launchpad.mirantis.com/mke/v1.1",
    "launchpad.mirantis.com/mke/v1.2",
    "launchpad.mirantis.com/mke/v1.3",
    "launchpad.mirantis.com/mke/v1.4",
    "launchpad.mirantis.com/mke/v1.5",
];

/// The kinds of clusters.
pub(crate) const KINDS: &[&str] = &["mke", "mke+msr"];

/// Checks that a document is one that is read, and brings it into the current form.
///
/// Returns whether it makes sense to go on: a document without a version is taken for a current
/// one, for the sake of its other problems. Documents of older versions are refused as yet; their
/// migrations change the tree here, before anything else looks at it.
pub(crate) fn migrate(root: &mut Node, problems: &Problems) -> bool {
    let hint = format!("add `apiVersion: {CURRENT}`");
    let Some((version, span)) = text(root, "apiVersion", &hint, problems) else {
        return true;
    };
    if version == CURRENT {
        return true;
    }
    let problem = if OLDER.contains(&version.as_str()) {
        let message = format!("configurations of {} cannot be read yet", quoted(&version));
        let hint = format!("bring it into the form of `{CURRENT}` and change `apiVersion`");
        Problem::error(span, message).hint(hint)
    } else {
        let message = format!("unknown `apiVersion` {}", quoted(&version));
        Problem::error(span, message).hint(format!("use `{CURRENT}`"))
    };
    problems.add(problem.path("apiVersion"));
    false
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
        let problem = Problem::error(span, format!("unknown kind {}", quoted(&kind)));
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
        problems.add(Problem::error(place, format!("`{key}` is missing")).hint(hint));
        return None;
    };
    let scalar = entry.value.scalar().filter(|_| !entry.value.is_null());
    let Some(scalar) = scalar else {
        let message = format!("`{key}` has to be a text, not {}", entry.value.describe());
        problems.add(Problem::error(entry.key_span, message).path(key).hint(hint));
        return None;
    };
    Some((scalar.text.clone(), entry.value.span))
}
