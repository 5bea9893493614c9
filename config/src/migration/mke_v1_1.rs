//! Launchpad 1.1: what is called MCR is called engine.

use super::draft::{Draft, form};

/// To `mke/v1.2`.
pub(super) fn step(draft: &mut Draft) {
    // The candidates of 1.1.0 kept the old kind.
    draft.kind_by_products(&["DockerEnterprise"]);
    let why = "Docker Engine is called MCR now";
    for host in draft.hosts() {
        let path = format!("{host}.engineConfig");
        draft.drop_null(&path);
        draft.rename(&path, "mcrConfig", form(why));
    }
    draft.drop_null("spec.engine");
    draft.rename("spec.engine", "mcr", form(why));
    draft.version("launchpad.mirantis.com/mke/v1.2");
}
