//! A host is given the terminal of the user: a shell, or a command that wants one.

use std::os::unix::process::ExitStatusExt as _;

use rig::connection::{Interactive, Process, Terminal};
use rig::{CommandError, ConnectionError, ExitStatus};
use tokio::io::AsyncWriteExt as _;

use crate::error::{self, CliError};
use crate::hosts::outcome::{self, Ended, Outcome};
use crate::hosts::reach::{Hosts, failure};
use crate::hosts::selection::Chosen;
use crate::world::{RawTerminal, World};

/// Ctrl-C.
const SIGINT: i32 = 2;

/// What is asked of the host.
pub(super) struct Asked<'a> {
    /// The command; nothing is a shell.
    pub(super) command: Option<&'a str>,
    /// Whether it is run as root.
    pub(super) elevated: bool,
}

/// Gives a host the terminal, up to the end of what runs there.
pub(super) async fn run(
    world: &mut World,
    hosts: &Hosts,
    chosen: &Chosen,
    asked: &Asked<'_>,
) -> Result<u8, CliError> {
    let terminal = Terminal {
        kind: world.var("TERM").unwrap_or("xterm").to_owned(),
        size: world.terminal.size().map_err(no_terminal)?,
    };
    let opened = tokio::select! {
        opened = hosts.open(0, chosen) => opened,
        Some(signal) = world.signals.recv() => return Err(CliError::Interrupted(signal)),
    };
    let host = match opened {
        Ok(host) => host,
        Err(failure) => return Ok(tell(world, chosen, Ended::Failed(Box::new(failure)))),
    };
    let started = tokio::select! {
        started = host.interact(asked.command, asked.elevated, &terminal) => started,
        Some(signal) = world.signals.recv() => return Err(CliError::Interrupted(signal)),
    };
    let ended = match started {
        Ok(Interactive::Streams(process)) => {
            let raw = world.terminal.take_over().map_err(no_terminal)?;
            streams(world, process, raw).await
        }
        Ok(Interactive::Program(program)) => Ok(this_program(world, program).await?),
        Err(error) => Err(error),
    };
    host.close().await;
    let ended = match ended {
        Ok(status) => Ended::Status(status),
        Err(error) => Ended::Failed(Box::new(failure(
            "cannot give the terminal to the host",
            &chosen.name,
            &error,
        ))),
    };
    Ok(tell(world, chosen, ended))
}

fn no_terminal(source: std::io::Error) -> CliError {
    CliError::Local {
        what: "cannot use the terminal".to_owned(),
        source,
    }
}

fn tell(world: &mut World, chosen: &Chosen, ended: Ended) -> u8 {
    let outcomes = [Outcome::of(&chosen.name, ended)];
    if let Some(text) = outcome::summary(&outcomes) {
        world.say(&text);
    }
    outcome::status(&outcomes)
}

/// Carries keys there and what is shown back. Ctrl-C is a key like any other.
async fn streams(
    world: &mut World,
    process: Process,
    raw: RawTerminal,
) -> Result<ExitStatus, CommandError> {
    let Process {
        mut stdin,
        mut stdout,
        mut stderr,
        exit,
    } = process;
    let RawTerminal {
        mut input,
        mut output,
        give_back,
    } = raw;
    let keys = async {
        // A terminal that is gone (a closed window) is the end of the input.
        let _ = tokio::io::copy(&mut input, &mut stdin).await;
        let _ = stdin.shutdown().await;
        std::future::pending::<()>().await;
    };
    let shown = async {
        let _ = tokio::io::copy(&mut stdout, &mut output).await;
        // A terminal has one output; whatever comes apart is a word of the server.
        let _ = tokio::io::copy(&mut stderr, &mut output).await;
        let _ = output.flush().await;
        exit.await
    };
    let ended = tokio::select! {
        ended = shown => ended,
        () = keys => Ok(ExitStatus::Code(0)),
        Some(signal) = world.signals.recv() => {
            let number = u32::from(error::signalled(signal));
            Ok(ExitStatus::Code(number))
        }
    };
    drop(give_back);
    ended.map_err(|source: ConnectionError| CommandError::Connection {
        command: "terminal".to_owned(),
        source,
    })
}

/// Runs a program of this machine that takes the terminal itself. Ctrl-C reaches it from there, and
/// not through us.
async fn this_program(
    world: &mut World,
    program: std::process::Command,
) -> Result<ExitStatus, CliError> {
    let name = program.get_program().to_string_lossy().into_owned();
    let failed = |source| CliError::Local {
        what: format!("cannot run `{name}`"),
        source,
    };
    let mut program = tokio::process::Command::from(program);
    let mut child = program.kill_on_drop(true).spawn().map_err(&failed)?;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status.map_err(&failed)?,
            Some(signal) = world.signals.recv() => {
                if signal != SIGINT {
                    child.start_kill().map_err(&failed)?;
                }
            }
        }
    };
    Ok(match (status.code(), status.signal()) {
        (Some(code), _) => ExitStatus::Code(code.unsigned_abs()),
        (None, Some(signal)) => ExitStatus::Signal(signal.to_string()),
        (None, None) => ExitStatus::Code(u32::from(error::FAILED)),
    })
}
