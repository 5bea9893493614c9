//! `launchpad schema`: the JSON Schema of launchpad.yaml, for editors and other programs.

use crate::error::{CliError, DONE};
use crate::world::World;

pub(crate) fn run(world: &mut World) -> Result<u8, CliError> {
    world.print(&config::json_schema())?;
    Ok(DONE)
}
