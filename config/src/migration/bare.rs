//! Launchpad 0.5.0: no `apiVersion`; `hosts`, `engine`, `ucp` and `name` at the top.

use super::draft::{Draft, form};

/// To `v1beta1`.
pub(super) fn step(draft: &mut Draft) {
    let why = "the parts of a cluster stand below `spec`";
    for (from, to) in [
        ("hosts", "spec.hosts"),
        ("engine", "spec.engine"),
        ("ucp", "spec.ucp"),
    ] {
        draft.shift(from, to, false, form(why));
    }
    let why = "the name of a cluster stands below `metadata`";
    draft.shift("name", "metadata.name", false, form(why));
    draft.version("launchpad.mirantis.com/v1beta1");
    draft.kind("UCP");
}
