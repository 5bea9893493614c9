//! Launchpad 1.2: versions had defaults.

use super::draft::{Draft, meaning};

/// The versions of the release that first read `mke/v1.3`.
const MKE: &str = "3.4.0";
const MSR: &str = "2.9.0";

/// To `mke/v1.4`.
pub(super) fn step(draft: &mut Draft) {
    draft.drop_null("spec.mke");
    draft.drop_null("spec.msr");
    default(draft, "spec.mke", MKE, "MKE");
    let is_msr = |host: &String| draft.text(&format!("{host}.role")) == Some("msr");
    if draft.value("spec.msr").is_some() || draft.hosts().iter().any(is_msr) {
        default(draft, "spec.msr", MSR, "MSR");
    }
    draft.version("launchpad.mirantis.com/mke/v1.4");
}

fn default(draft: &mut Draft, block: &str, version: &'static str, product: &str) {
    let path = format!("{block}.version");
    let is_block = draft.value(block).is_none() || draft.is_mapping(block);
    if !is_block
        || draft
            .given(&path)
            .is_some_and(|value| value.scalar().is_none())
    {
        return;
    }
    if draft.filled(&path).is_some() {
        return;
    }
    let why = format!("no version of {product} is set: it was {version} in Launchpad 1.2");
    let hint = format!("set `{path}` to the version that you want");
    let span = draft.written_at(&path);
    draft.set(&path, version, span, meaning(why, hint));
}
