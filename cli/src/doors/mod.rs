//! Fleets whose doors are open: simulated hosts that other programs reach over SSH.
//!
//! | module | holds |
//! |---|---|
//! | `files` | what clients are told: `ssh_config`, keys, an inventory, a `launchpad.yaml` |
//! | `control` | the socket that steers a fleet, both ends of it |
//! | `answer` | what is answered there |

mod answer;
pub(crate) mod control;
mod files;

pub(crate) use answer::Steered;
pub(crate) use files::{Files, Identity, write};
