//! `launchpad exec`: runs a command on hosts, or gives a host the terminal.
//!
//! | module | holds |
//! |---|---|
//! | `on_host` | one command on one host: its streams, its time, its end |
//! | `show` | what hosts print: as it is, with a prefix, or as JSON |
//! | `input` | standard input, for one host or for many |
//! | `terminal` | a shell, or a command that wants a terminal |

mod input;
mod on_host;
mod show;
mod terminal;

use crate::arguments::{ExecArguments, OutputFormat};
use crate::error::{self, CliError};
use crate::hosts::crowd::{self, Pace};
use crate::hosts::outcome;
use crate::hosts::reach;
use crate::hosts::selection::Reach;
use crate::hosts::writer::{To, Writer};
use crate::session::on;
use crate::world::World;

use self::input::Input;
use self::on_host::Job;
use self::show::Show;

pub(crate) async fn run(world: &mut World, arguments: &ExecArguments) -> Result<u8, CliError> {
    let words = words(arguments)?;
    let wants_terminal = wants_terminal(world, arguments, &words)?;
    let writer = Writer::new(world);
    let reach = if wants_terminal {
        Reach::One
    } else {
        Reach::Many
    };
    let flags = (&arguments.common, &arguments.cluster);
    let (hosts, chosen) = reach::chosen(world, flags, &arguments.hosts, reach, &writer).await?;
    let Some(first) = chosen.first() else {
        writer.say("no hosts found");
        writer.flush().await;
        return Ok(error::DONE);
    };
    let command = (!words.is_empty()).then(|| rig::shell::show(words.iter().map(String::as_str)));
    if wants_terminal {
        let asked = terminal::Asked {
            command: command.as_deref(),
            elevated: arguments.hosts.sudo,
        };
        return terminal::run(world, &hosts, first, &asked).await;
    }
    let input = if arguments.stdin {
        Input::open(world, chosen.len()).await?
    } else {
        Input::none()
    };
    let show = Show::new(world, arguments.output, &chosen);
    let job = Job {
        hosts: &hosts,
        command: command.unwrap_or_default(),
        elevated: arguments.hosts.sudo,
        limit: arguments.hosts.limit(),
        input: &input,
        show: &show,
        writer: &writer,
    };
    let pace = Pace::of(arguments.hosts.parallel);
    let work = |number: usize, stop| job.run(number, &chosen[number], stop);
    let done = crowd::each(&mut world.signals, &writer, &chosen, pace, work).await?;
    if arguments.output == OutputFormat::Json {
        outcome::write_not_begun(&done.outcomes, &writer).await;
    } else if let Some(text) = outcome::summary(&done.outcomes) {
        writer
            .write(To::Stderr, format!("{text}\n").into_bytes())
            .await;
    }
    writer.flush().await;
    Ok(done
        .status
        .unwrap_or_else(|| outcome::status(&done.outcomes)))
}

/// Returns the command's words as text.
fn words(arguments: &ExecArguments) -> Result<Vec<String>, CliError> {
    let words = arguments.command.iter().map(|word| {
        word.to_str()
            .map(str::to_owned)
            .ok_or_else(|| CliError::Usage(format!("`{}` is not UTF-8", word.to_string_lossy())))
    });
    words.collect()
}

/// Returns whether a host is given the terminal.
fn wants_terminal(
    world: &World,
    arguments: &ExecArguments,
    words: &[String],
) -> Result<bool, CliError> {
    if words.first().is_some_and(String::is_empty) {
        return Err(CliError::Usage("the command is empty".to_owned()));
    }
    if !on(arguments.interactive) && !words.is_empty() {
        return Ok(false);
    }
    let refused = |text: &str| Err(CliError::Usage(text.to_owned()));
    if arguments.stdin || arguments.output == OutputFormat::Json {
        return refused(if words.is_empty() {
            "there is no command to run: name one, or leave `--stdin` and `--output json` out for a \
             shell"
        } else {
            "a terminal takes neither `--stdin` nor `--output json`"
        });
    }
    if !world.terminal.is_there() {
        return refused(if words.is_empty() {
            "there is no command to run, and no terminal for a shell: name a command"
        } else {
            "`--interactive` wants a terminal, and standard input or output is none: leave it out, \
             and hand input on with `--stdin`"
        });
    }
    Ok(true)
}
