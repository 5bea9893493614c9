//! `launchpad register`: accepted for older scripts; nothing is asked, sent or kept.

use crate::arguments::RegisterArguments;
use crate::error::{CliError, DONE};
use crate::world::World;

pub(crate) fn run(world: &mut World, _arguments: &RegisterArguments) -> Result<u8, CliError> {
    world
        .say("Nothing has to be registered: no command asks for it, and nothing is sent anywhere.");
    Ok(DONE)
}
