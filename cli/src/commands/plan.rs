//! `launchpad plan`: shows what apply would change, and changes nothing.

use phase::{Ending, Mode};
use product::mke::apply::apply;

use crate::arguments::PlanArguments;
use crate::error::CliError;
use crate::session::{self, Request};
use crate::world::World;

pub(crate) async fn run(world: &mut World, arguments: &PlanArguments) -> Result<u8, CliError> {
    let loaded = session::load(world, &arguments.cluster).await?;
    let request = Request {
        command: "plan",
        common: &arguments.common,
        cluster: &arguments.cluster,
        run: Some(&arguments.run),
        mode: Mode::Plan,
        clean_up: true,
        must_be_supported: true,
        repeat_with: session::repeat_with("plan", &loaded.origin),
    };
    let finished = session::run(world, &request, loaded, apply).await?;
    if finished.report.ending == Ending::Planned {
        session::print_plan(world, &finished, arguments.output)?;
    }
    Ok(session::status(&finished.report))
}
