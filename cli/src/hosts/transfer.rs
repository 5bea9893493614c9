//! What `upload` and `download` have in common.

use std::time::Duration;

use phase::{Failure, Stop};
use rig::transfer::TransferError;
use serde_json::Value;
use tokio::time::Instant;

use super::crowd::{self, Pace};
use super::outcome::{self, Ended, Outcome};
use super::reach::{self, Hosts};
use super::selection::{Chosen, Reach};
use super::writer::{To, Writer};
use crate::arguments::{ClusterOptions, Common, HostSelection, OutputFormat};
use crate::error::CliError;
use crate::world::World;

/// Tells what is done, as lines or as JSON.
pub(crate) struct Progress {
    writer: Writer,
    output: OutputFormat,
}

/// Returns the hosts that are meant; nothing where there are none, which is told.
pub(crate) async fn open(
    world: &mut World,
    flags: (&Common, &ClusterOptions),
    hosts: &HostSelection,
    output: OutputFormat,
) -> Result<Option<(Hosts, Vec<Chosen>, Progress)>, CliError> {
    let writer = Writer::new(world);
    let (reached, chosen) = reach::chosen(world, flags, hosts, Reach::Many, &writer).await?;
    if chosen.is_empty() {
        writer.say("no hosts found");
        writer.flush().await;
        return Ok(None);
    }
    Ok(Some((reached, chosen, Progress { writer, output })))
}

/// Works on all hosts and tells how it went.
pub(crate) async fn carry_out<F: Future<Output = Outcome>>(
    world: &mut World,
    progress: &Progress,
    chosen: &[Chosen],
    pace: Pace,
    work: impl Fn(usize, Stop) -> F,
) -> Result<u8, CliError> {
    let writer = &progress.writer;
    let done = crowd::each(&mut world.signals, writer, chosen, pace, work).await?;
    if progress.output == OutputFormat::Json {
        outcome::write_not_begun(&done.outcomes, writer).await;
    } else if let Some(text) = outcome::summary(&done.outcomes) {
        let text = format!("{text}\n");
        writer.write(To::Stderr, text.into_bytes()).await;
    }
    writer.flush().await;
    Ok(done
        .status
        .unwrap_or_else(|| outcome::status(&done.outcomes)))
}

impl Progress {
    /// Bounds the work on a host, and tells how it ended to a program that reads it.
    pub(crate) async fn of(
        &self,
        chosen: &Chosen,
        limit: Option<Duration>,
        stop: Stop,
        work: impl Future<Output = Outcome>,
    ) -> Outcome {
        let started = Instant::now();
        let work = async {
            match limit {
                None => work.await,
                Some(limit) => match tokio::time::timeout(limit, work).await {
                    Ok(outcome) => outcome,
                    Err(_elapsed) => Outcome::of(&chosen.name, Ended::TimedOut(limit)),
                },
            }
        };
        // Left on the way, a copy is ended on the host, where nothing of it stays.
        let mut outcome = tokio::select! {
            outcome = work => outcome,
            () = stop.stopping() => Outcome::of(&chosen.name, Ended::Interrupted),
        };
        outcome.duration = started.elapsed();
        if self.output == OutputFormat::Json {
            let line = format!("{}\n", outcome.to_json());
            self.writer.write(To::Stdout, line.into_bytes()).await;
        }
        outcome
    }

    /// Tells a person.
    pub(crate) async fn tell(&self, line: &str) {
        if self.output != OutputFormat::Json {
            let line = format!("{line}\n");
            self.writer.write(To::Stdout, line.into_bytes()).await;
        }
    }
}

impl Outcome {
    /// Adds what a program may want to know.
    pub(crate) fn add<const N: usize>(&mut self, details: [(&str, Value); N]) {
        let details = details.map(|(name, value)| (name.to_owned(), value));
        self.details.extend(details);
    }
}

/// Returns a transfer's error as a failure of its host.
pub(crate) fn failure(name: &str, error: &TransferError) -> Failure {
    let mut failure = Failure::new("cannot copy the file")
        .caused_by(error)
        .on_host(name);
    if let TransferError::Command { source, .. } = error {
        if let Some((_, _, stderr)) = source.exited() {
            failure.causes = stderr.lines().map(str::to_owned).collect();
        }
        if source.is_connection_lost() {
            failure = failure.unreachable();
        }
    }
    let hint = error.hint();
    hint.into_iter().fold(failure, Failure::hint)
}
