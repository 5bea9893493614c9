//! `launchpad check ssh`: goes to all hosts as a run does, looks what it finds there, and changes
//! nothing.
//!
//! | module | holds |
//! |---|---|
//! | `on_host` | one host: the way, the login, the questions, the sessions |
//! | `judge` | what is wrong with what was found: pure |
//! | `show` | as a table with equal problems as one, and as JSON |

mod judge;
mod on_host;
mod show;

use std::sync::{Mutex, PoisonError};

use self::on_host::Checked;
use crate::arguments::{CheckSshArguments, OutputFormat};
use crate::error::{self, CliError};
use crate::hosts::crowd::{self, Pace};
use crate::hosts::outcome::{Ended, Outcome};
use crate::hosts::reach::Hosts;
use crate::hosts::selection;
use crate::hosts::writer::{To, Writer};
use crate::session;
use crate::world::World;

/// How many hosts are looked at at the same time.
const AT_ONCE: usize = 64;

pub(crate) async fn run(world: &mut World, arguments: &CheckSshArguments) -> Result<u8, CliError> {
    let writer = Writer::new(world);
    let (common, cluster) = (&arguments.common, &arguments.cluster);
    let config = session::load(world, cluster).await?.config;
    let mut chosen = selection::candidates(&config, &arguments.selection())?;
    let prepared = Hosts::prepare_some(world, common, cluster, &config, &chosen, &writer);
    let (hosts, unprepared) = prepared.await?;
    let hosts = if session::is_debug(world, common) {
        hosts
    } else {
        hosts.silent()
    };
    if let Some(os) = &arguments.os {
        let systems = tokio::select! {
            systems = hosts.systems(&chosen) => systems,
            Some(signal) = world.signals.recv() => return Err(CliError::Interrupted(signal)),
        };
        chosen = selection::keep_os(chosen, os, &systems);
    }
    let found: Vec<Mutex<Option<Checked>>> = chosen.iter().map(|_| Mutex::default()).collect();
    let work = |number: usize, stop: phase::Stop| {
        let (hosts, one, unprepared) = (&hosts, &chosen[number], &unprepared);
        let place = &found[number];
        async move {
            let checking = on_host::check(hosts, number, one, unprepared, arguments.limit());
            let checked = tokio::select! {
                checked = checking => checked,
                () = stop.stopping() => return Outcome::of(&one.name, Ended::Interrupted),
            };
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(checked);
            Outcome::of(&one.name, Ended::Status(rig::ExitStatus::Code(0)))
        }
    };
    let pace = Pace::AtOnce(AT_ONCE);
    let done = crowd::each(&mut world.signals, &writer, &chosen, pace, work).await?;
    let found = found.into_iter().filter_map(|place| {
        let checked = place.into_inner();
        checked.unwrap_or_else(PoisonError::into_inner)
    });
    let found: Vec<Checked> = found.collect();
    let text = match arguments.output {
        OutputFormat::Json => show::json(&found),
        OutputFormat::Table => show::text(&found),
    };
    writer.write(To::Stdout, text.into_bytes()).await;
    writer.flush().await;
    let is_bad = found.iter().any(Checked::has_problem);
    let status = if is_bad { error::FAILED } else { error::DONE };
    Ok(done.status.unwrap_or(status))
}
