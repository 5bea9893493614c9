//! How many sessions a host lets us open on one connection (`MaxSessions` of sshd).

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::Instant;

use crate::command::{Command, Effect};
use crate::connection::{ConnectionError, Process};
use crate::exchange::{LINE, mark};
use crate::host::{CommandError, Host};

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sessions {
    /// How many there were at the same time.
    pub open: usize,
    /// What the host said to the next one; nothing where none was refused.
    pub refused: Option<String>,
    /// How long it took to open the first: a round trip.
    pub round_trip: Duration,
}

impl Host {
    /// Opens sessions until the host refuses one, at most so many, and ends them again.
    ///
    /// # Errors
    ///
    /// Fails where the connection breaks.
    pub async fn count_sessions(&self, most: usize) -> Result<Sessions, CommandError> {
        let command = Command::script(":", Effect::Read).title("open sessions");
        let lost = |source| CommandError::Connection {
            command: command.to_string(),
            source,
        };
        let connection = self.connection().await.map_err(CommandError::Connect)?;
        let started = Instant::now();
        let mut round_trip = Duration::ZERO;
        let mut open: Vec<Process> = Vec::new();
        let mut refused = None;
        while open.len() < most && refused.is_none() {
            match connection.exec(LINE).await {
                Ok(process) => {
                    if open.is_empty() {
                        round_trip = started.elapsed();
                    }
                    open.push(process);
                }
                Err(ConnectionError::ChannelRefused { reason }) => refused = Some(reason),
                Err(error) => return Err(lost(error)),
            }
        }
        let count = open.len();
        let ended = open.into_iter().map(|process| end(process, &command));
        for ended in futures_util::future::join_all(ended).await {
            ended.map_err(lost)?;
        }
        Ok(Sessions {
            open: count,
            refused,
            round_trip,
        })
    }
}

/// Lets the shell of a session do nothing, and waits for its end: nothing stays.
async fn end(mut process: Process, command: &Command) -> Result<(), ConnectionError> {
    let program = command.program(&mark(command), None).unwrap_or_default();
    // A shell that has ended by itself reads nothing; its exit says so.
    let _ = process.stdin.write_all(program.as_bytes()).await;
    let _ = process.stdin.shutdown().await;
    let mut printed = Vec::new();
    let _ = process.stdout.read_to_end(&mut printed).await;
    process.exit.await.map(drop)
}
