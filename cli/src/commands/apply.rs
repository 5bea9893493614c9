//! `launchpad apply`: makes the cluster as the configuration says.

use phase::{Ending, Mode};
use product::mke::apply::apply;

use crate::arguments::ApplyArguments;
use crate::error::CliError;
use crate::session::{self, Request, on};
use crate::world::World;

pub(crate) async fn run(world: &mut World, arguments: &ApplyArguments) -> Result<u8, CliError> {
    let loaded = session::load(world, &arguments.cluster).await?;
    let request = Request {
        command: "apply",
        common: &arguments.common,
        cluster: &arguments.cluster,
        run: Some(&arguments.run),
        mode: if arguments.dry_run {
            Mode::Plan
        } else {
            Mode::Run
        },
        clean_up: !on(arguments.disable_cleanup),
        must_be_supported: true,
        repeat_with: session::repeat_with("apply", &loaded.origin),
    };
    let finished = session::run(world, &request, loaded, apply).await?;
    match finished.report.ending {
        Ending::Planned => session::print_plan(world, &finished, arguments.output)?,
        Ending::Done | Ending::Partial => {
            let url = finished.shared.config.mke_url();
            world.say(&format!("MKE cluster admin UI: {url}"));
        }
        Ending::Failed | Ending::Interrupted | Ending::Panicked => {}
    }
    Ok(session::status(&finished.report))
}
