//! Launchpad 1.3.0 to 1.5.7: what concerns the swarm is set for MKE.

use super::draft::{Draft, form};

/// To `mke/v1.5`.
pub(super) fn step(draft: &mut Draft) {
    draft.drop_null("spec.mcr");
    for key in ["swarmInstallFlags", "swarmUpdateCommands"] {
        let from = format!("spec.mke.{key}");
        draft.drop_null(&from);
        let why = "the swarm is made by the engine";
        draft.shift(&from, &format!("spec.mcr.{key}"), false, form(why));
    }
    draft.version("launchpad.mirantis.com/mke/v1.5");
}
