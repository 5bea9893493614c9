//! Launchpad 0.12: the product is called UCP.

use super::draft::{Draft, form};

/// To `v1beta3`.
pub(super) fn step(draft: &mut Draft) {
    draft.drop_null("spec.engine.installURL");
    let path = "spec.engine.installURL";
    if draft.given("spec.engine.installURLLinux").is_some() {
        draft.drop(path, form("`installURLLinux` is there, too"));
    } else {
        let why = "the scripts of Linux and Windows have keys of their own";
        draft.rename(path, "installURLLinux", form(why));
    }
    draft.version("launchpad.mirantis.com/v1beta3");
}
