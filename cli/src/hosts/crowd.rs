//! Work on many hosts: one after the other, or so many at a time. The first signal ends what runs,
//! on the hosts too; the second leaves.

use std::io;

use futures_util::StreamExt as _;
use phase::Stop;
use tokio::sync::mpsc::UnboundedReceiver;

use super::outcome::{Ended, Outcome};
use super::selection::Chosen;
use super::writer::Writer;
use crate::error::{self, CliError};

/// The status of a program whose output nobody reads any more.
const UNREAD: u8 = 128 + 13;

/// How many hosts are worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// One after the other, up to the first that fails.
    InTurn,
    /// So many at the same time, all of them.
    AtOnce(usize),
}

impl Pace {
    /// Returns the pace that so many at a time are.
    pub(crate) fn of(parallel: Option<u16>) -> Self {
        match parallel {
            None => Self::InTurn,
            Some(count) => Self::AtOnce(usize::from(count)),
        }
    }
}

/// What came of all hosts.
pub(crate) struct Crowd {
    /// Of each host, in the order that they were chosen.
    pub(crate) outcomes: Vec<Outcome>,
    /// The status, where it is not that of the hosts.
    pub(crate) status: Option<u8>,
}

/// Does some work on each host. `work` has to end soon when it is told to stop.
///
/// # Errors
///
/// Fails where standard output cannot be written to, or somebody wants to leave at once.
pub(crate) async fn each<F: Future<Output = Outcome>>(
    signals: &mut UnboundedReceiver<i32>,
    writer: &Writer,
    chosen: &[Chosen],
    pace: Pace,
    work: impl Fn(usize, Stop) -> F,
) -> Result<Crowd, CliError> {
    let stop = Stop::new();
    let all = in_order(chosen, pace, &stop, work);
    let mut all = std::pin::pin!(all);
    let (mut signal, mut broken) = (None, None);
    let outcomes = loop {
        tokio::select! {
            biased;
            outcomes = &mut all => break outcomes,
            Some(number) = signals.recv() => {
                if signal.is_some() {
                    return Err(CliError::Interrupted(number));
                }
                signal = Some(number);
                stop.signal(number);
                writer.say("stopping: what runs on hosts is ended; once more leaves at once");
            }
            error = writer.broken(), if broken.is_none() => {
                stop.gracefully(phase::StopReason::Failed);
                broken = Some(error);
            }
        }
    };
    let status = match (signal, broken) {
        (Some(number), _) => Some(error::signalled(number)),
        (None, Some(error)) if error.kind() == io::ErrorKind::BrokenPipe => Some(UNREAD),
        (None, Some(error)) => {
            return Err(CliError::Local {
                what: "cannot write to standard output".to_owned(),
                source: io::Error::new(error.kind(), error.to_string()),
            });
        }
        (None, None) => None,
    };
    Ok(Crowd { outcomes, status })
}

async fn in_order<F: Future<Output = Outcome>>(
    chosen: &[Chosen],
    pace: Pace,
    stop: &Stop,
    work: impl Fn(usize, Stop) -> F,
) -> Vec<Outcome> {
    match pace {
        Pace::InTurn => {
            let mut outcomes: Vec<Outcome> = Vec::new();
            for (number, one) in chosen.iter().enumerate() {
                let outcome = if stop.is_stopping() {
                    Outcome::not_begun(&one.name, Ended::Interrupted)
                } else if outcomes.iter().all(Outcome::is_good) {
                    work(number, stop.clone()).await
                } else {
                    Outcome::not_begun(&one.name, Ended::NotBegun)
                };
                outcomes.push(outcome);
            }
            outcomes
        }
        Pace::AtOnce(count) => {
            let all = (0..chosen.len()).map(|number| {
                let done = work(number, stop.clone());
                async move { (number, done.await) }
            });
            let all = futures_util::stream::iter(all).buffer_unordered(count);
            let mut outcomes: Vec<(usize, Outcome)> = all.collect().await;
            outcomes.sort_by_key(|(number, _)| *number);
            outcomes.into_iter().map(|(_, outcome)| outcome).collect()
        }
    }
}
