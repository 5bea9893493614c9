//! Launchpad 0.13 and 0.14: as `v1`.

use super::draft::Draft;

/// To `v1`.
pub(super) fn step(draft: &mut Draft) {
    draft.version("launchpad.mirantis.com/v1");
}
