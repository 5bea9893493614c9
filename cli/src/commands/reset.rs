//! `launchpad reset`: removes MKE and MCR from all hosts of the configuration.

use std::sync::Arc;

use phase::{Ending, Mode};
use product::mke::reset::reset;

use crate::arguments::ResetArguments;
use crate::error::CliError;
use crate::session::{self, Loaded, Request, on};
use crate::world::World;

pub(crate) async fn run(world: &mut World, arguments: &ResetArguments) -> Result<u8, CliError> {
    let loaded = session::load(world, &arguments.cluster).await?;
    session::refuse_unsupported(&loaded.config)?;
    if !arguments.dry_run && !on(arguments.force) {
        confirm(world, &loaded).await?;
    }
    let request = Request {
        command: "reset",
        common: &arguments.common,
        cluster: &arguments.cluster,
        run: Some(&arguments.run),
        mode: if arguments.dry_run {
            Mode::Plan
        } else {
            Mode::Run
        },
        clean_up: true,
        must_be_supported: true,
        repeat_with: session::repeat_with("reset", &loaded.origin),
    };
    let finished = session::run(world, &request, loaded, reset).await?;
    if finished.report.ending == Ending::Planned {
        session::print_plan(world, &finished, arguments.output)?;
    }
    Ok(session::status(&finished.report))
}

/// Asks whether the cluster may be destroyed; without anybody to ask, `--force` is needed.
async fn confirm(world: &mut World, loaded: &Loaded) -> Result<(), CliError> {
    let config = &loaded.config;
    let data = if config.mcr.prune {
        "the engine's data included"
    } else {
        "but for the engine's data"
    };
    let question = format!(
        "reset removes MKE and the container engine, {data}, from all {} hosts of cluster `{}`.\n\
         Destroy the cluster? [y/N] ",
        config.hosts.len(),
        config.name
    );
    let ask = Arc::clone(&world.ask);
    let answer = session::interruptible(world, move || ask.line(&question))
        .await?
        .map_err(|source| CliError::Local {
            what: "cannot ask for confirmation".to_owned(),
            source,
        })?;
    match answer.as_deref().map(str::trim) {
        None => Err(CliError::Usage(
            "reset destroys the cluster and nobody can be asked: confirm with `--force`".to_owned(),
        )),
        Some("y" | "Y" | "yes" | "Yes" | "YES") => Ok(()),
        Some(_) => Err(CliError::NotConfirmed),
    }
}
