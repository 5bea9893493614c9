//! One command on one host.

use std::time::Duration;

use phase::Stop;
use rig::CommandError;
use rig::attached::Attached;
use rig::command::{Command, Effect};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::Instant;

use super::input::Input;
use super::show::{Output, Show};
use crate::hosts::outcome::{Ended, Outcome};
use crate::hosts::reach::{Hosts, failure};
use crate::hosts::selection::Chosen;
use crate::hosts::writer::{To, Writer};

/// How much of an output is read at a time.
const PIECE: usize = 32 << 10;

/// What is run on every host.
pub(super) struct Job<'a> {
    pub(super) hosts: &'a Hosts,
    /// The command, as a shell reads it.
    pub(super) command: String,
    pub(super) elevated: bool,
    /// How long a host may take.
    pub(super) limit: Option<Duration>,
    pub(super) input: &'a Input,
    pub(super) show: &'a Show,
    pub(super) writer: &'a Writer,
}

/// Why a host was left.
enum Left {
    TimedOut(Duration),
    Interrupted,
}

impl Job<'_> {
    /// Runs the command on a host.
    pub(super) async fn run(&self, number: usize, chosen: &Chosen, stop: Stop) -> Outcome {
        let started = Instant::now();
        let deadline = self.limit.map(|limit| started + limit);
        let outputs = [To::Stdout, To::Stderr];
        let mut outputs = outputs.map(|to| self.show.of(number, &chosen.name, to));
        let leave = async {
            let stopping = stop.stopping();
            match (deadline, self.limit) {
                (Some(deadline), Some(limit)) => {
                    let in_time = tokio::time::timeout_at(deadline, stopping).await;
                    in_time.map_or(Left::TimedOut(limit), |()| Left::Interrupted)
                }
                _ => {
                    stopping.await;
                    Left::Interrupted
                }
            }
        };
        let mut leave = std::pin::pin!(leave);
        let ended = self.ended(number, chosen, &mut outputs, &mut leave).await;
        let mut outcome = Outcome::of(&chosen.name, ended);
        outcome.duration = started.elapsed();
        self.show.finish(&mut outcome, outputs, self.writer).await;
        outcome
    }

    async fn ended(
        &self,
        number: usize,
        chosen: &Chosen,
        outputs: &mut [Output<'_>; 2],
        leave: &mut (impl Future<Output = Left> + Unpin),
    ) -> Ended {
        let opened = tokio::select! {
            opened = self.hosts.open(number, chosen) => opened,
            left = &mut *leave => return left.into(),
        };
        let host = match opened {
            Ok(host) => host,
            Err(failure) => return Ended::Failed(Box::new(failure)),
        };
        let command = Command::raw(self.command.as_str(), Effect::Change);
        let command = if self.elevated {
            command.elevated()
        } else {
            command
        };
        let attached = tokio::select! {
            attached = host.attach(command, self.input.is_there()) => attached,
            left = &mut *leave => return left.into(),
        };
        let ended = match attached {
            Err(error) => Err(error),
            Ok(attached) => self.carry(attached, outputs, leave).await,
        };
        host.close().await;
        match ended {
            Ok(ended) => ended,
            Err(error) => {
                let message = "cannot run the command";
                Ended::Failed(Box::new(failure(message, &chosen.name, &error)))
            }
        }
    }

    /// Moves the streams of a command to their ends.
    async fn carry(
        &self,
        attached: Attached,
        outputs: &mut [Output<'_>; 2],
        leave: &mut (impl Future<Output = Left> + Unpin),
    ) -> Result<Ended, CommandError> {
        let Attached {
            mut stdin,
            stdout,
            stderr,
            mut ending,
        } = attached;
        let [out, err] = outputs;
        let carried = async {
            let feed = async {
                self.input.feed(&mut *stdin).await;
                std::future::pending::<()>().await;
            };
            let read = async {
                tokio::join!(self.pass(stdout, out), self.pass(stderr, err));
            };
            tokio::select! {
                () = read => {}
                () = feed => {}
            }
            ending.wait().await
        };
        let left = tokio::select! {
            ended = carried => return ended.map(Ended::Status),
            left = leave => left,
        };
        ending.end().await;
        Ok(left.into())
    }

    /// Hands an output on, up to its end. What is wrong with it is told by how the command ends.
    async fn pass(&self, mut from: Box<dyn AsyncRead + Send + Unpin>, to: &mut Output<'_>) {
        let mut piece = vec![0; PIECE];
        while let Ok(length @ 1..) = from.read(&mut piece).await {
            to.take(&piece[..length], self.writer).await;
        }
        to.end(self.writer).await;
    }
}

impl From<Left> for Ended {
    fn from(left: Left) -> Self {
        match left {
            Left::TimedOut(limit) => Self::TimedOut(limit),
            Left::Interrupted => Self::Interrupted,
        }
    }
}
