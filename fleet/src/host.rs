//! One host: everything that it is.

use crate::engine::Engine;
use crate::files::Files;
use crate::process::Processes;

/// A host.
#[derive(Debug)]
pub struct Host {
    /// Its name in the fleet, and its host name.
    pub name: String,
    /// Its file tree; cheap to clone.
    pub files: Files,
    /// Its processes.
    pub(crate) processes: Processes,
    /// Its container engine (state of docker: containers, images, volumes, membership).
    pub(crate) engine: Engine,
    /// By how many seconds its clock is ahead.
    pub clock_skew: f64,
    /// When it was booted, as the time since the start of the fleet; negative for before that.
    pub booted: f64,
    /// The id of this boot.
    pub boot_id: String,
}
