//! `launchpad version`.

use crate::error::{CliError, DONE};
use crate::world::World;
use crate::{COMMIT, VERSION};

pub(crate) fn run(world: &mut World) -> Result<u8, CliError> {
    world.print(&format!("version: {VERSION}\ncommit: {COMMIT}\n"))?;
    Ok(DONE)
}
