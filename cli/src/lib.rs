//! The `launchpad` command line.
//!
//! [`run`] takes a [`World`] (environment, directories, streams, signals, clock, connections) and
//! arguments, and returns an exit status: every command runs in a test as it is. This is the only
//! crate that prints errors.
//!
//! | module | holds |
//! |---|---|
//! | [`world`] | everything outside of the program, as values |
//! | [`arguments`] | what may be typed, in the syntax of older versions too |
//! | `commands` | one file for each command |
//! | `hosts` | commands on single hosts: which ones, how many at a time, what came of each |
//! | `reading` | the configuration: from a file or standard input, within limits |
//! | `session` | one run over a cluster: load, open sinks, run, tell |
//! | `rehearsal` | the same commands on simulated hosts, in virtual time |
//! | `doors` | simulated hosts that other programs reach over SSH |
//! | `private` | files and directories for the user alone, written as a whole or not at all |
//! | `confirm` | asking before each remote command |
//! | [`error`] | what can go wrong before a run, and exit statuses |

pub mod arguments;
mod commands;
mod confirm;
#[cfg(feature = "fleet")]
mod doors;
pub mod error;
mod hosts;
mod private;
mod reading;
#[cfg(feature = "fleet")]
pub mod rehearsal;
mod session;
pub mod world;

use std::ffi::OsString;
use std::io::Write as _;

use clap::Parser as _;

use crate::arguments::{Arguments, CheckCommand, Command, normalise};
use crate::error::CliError;
pub use crate::world::World;

/// Hosts are worked on by many small tasks, and a rehearsal has those of both sides: the allocator of
/// the C library took half of its time and a third more memory (`./dev bench`), and that of musl
/// is slower still.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Version of launchpad.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit that launchpad was built from; `HEAD` where the build does not say.
pub const COMMIT: &str = match option_env!("LAUNCHPAD_COMMIT") {
    Some(commit) => commit,
    None => "HEAD",
};

/// Runs one command line, program name included, and returns its exit status.
pub async fn run(mut world: World, arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let parsed = match Arguments::try_parse_from(normalise(arguments)) {
        Ok(parsed) => parsed,
        Err(error) => return usage(&mut world, &error),
    };
    let result = match parsed.command {
        Command::Init(arguments) => commands::init::run(&mut world, &arguments).await,
        Command::Apply(arguments) => commands::apply::run(&mut world, &arguments).await,
        Command::Plan(arguments) => commands::plan::run(&mut world, &arguments).await,
        Command::Reset(arguments) => commands::reset::run(&mut world, &arguments).await,
        Command::Migrate(arguments) => commands::migrate::run(&mut world, &arguments).await,
        Command::Describe(arguments) => commands::describe::run(&mut world, &arguments).await,
        Command::Validate(arguments) => commands::validate::run(&mut world, &arguments).await,
        Command::Explain(arguments) => commands::explain::run(&mut world, &arguments),
        Command::Exec(arguments) => commands::exec::run(&mut world, &arguments).await,
        Command::Check(CheckCommand::Ssh(arguments)) => {
            commands::check::run(&mut world, &arguments).await
        }
        Command::Upload(arguments) => commands::upload::run(&mut world, &arguments).await,
        Command::Download(arguments) => commands::download::run(&mut world, &arguments).await,
        #[cfg(feature = "fleet")]
        Command::Fleet(command) => commands::fleet::run(&mut world, &command).await,
        #[cfg(feature = "fleet")]
        Command::Rehearse(arguments) => commands::rehearse::run(&mut world, &arguments).await,
        Command::Register(arguments) => commands::register::run(&mut world, &arguments),
        Command::Completion(arguments) => commands::completion::run(&mut world, &arguments),
        Command::Schema => commands::schema::run(&mut world),
        Command::Version => commands::version::run(&mut world),
        Command::ClientConfig(arguments) => {
            commands::client_config::run(&mut world, &arguments).await
        }
        Command::DownloadBundle(arguments) => {
            world.say("warning: `download-bundle` is called `client-config` now");
            commands::client_config::run(&mut world, &arguments).await
        }
        Command::DownloadLaunchpad => Err(CliError::NotYet("download-launchpad")),
    };
    match result {
        Ok(status) => status,
        Err(error) => {
            let status = error.status();
            world.say(&error.text());
            status
        }
    }
}

/// Prints help on stdout, and what was typed wrong on stderr.
fn usage(world: &mut World, error: &clap::Error) -> u8 {
    use clap::error::ErrorKind;
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayVersion
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            // A closed pipe is the reader's way to say that this is enough.
            let _ = world.stdout.write_all(text.as_bytes());
            let _ = world.stdout.flush();
            error::DONE
        }
        _ => {
            world.say(text.trim_end());
            error::USAGE
        }
    }
}
