//! The stand-in of MKE behind a real engine socket: the program of the images `mirantis/ucp*`.
//!
//! What it does is decided by `standin`; here is what touches the world. One binary is every
//! image: the first argument says what it is.
//!
//! | module | holds |
//! |---|---|
//! | `world` | what the process finds around it |
//! | `drive` | the loop between a machine and the engine |
//! | `engine` | a client of the engine's API |
//! | `view` | looking at the engine |
//! | `act` | what is done to it, and to the process's own files |
//! | `tarball` | the one file of an archive |
//! | `certificate` | authorities and certificates |
//! | `serve` | the HTTPS API of a controller |
//! | `print` | lines |

mod act;
mod certificate;
mod drive;
mod engine;
mod print;
mod serve;
mod tarball;
mod view;
mod world;

#[cfg(test)]
mod fake;

use std::process::ExitCode;

use standin::command::{Command, Operation};
use tokio::signal::unix::{SignalKind, signal};

use crate::engine::Engine;

/// Where the engine is.
const SOCKET: &str = "/var/run/docker.sock";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let environment = world::environment();
    let command = match Command::parse(&arguments, &environment) {
        Ok(command) => command,
        Err(usage) => {
            print::plain(&usage.text);
            return ExitCode::from(usage.status);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => ExitCode::from(runtime.block_on(run(command, environment))),
        Err(error) => {
            print::fatal(&format!("unable to start: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Runs until the end, or until a signal: the first process of a container has no other default
/// than to ignore them.
async fn run(command: Command, environment: standin::Environment) -> u8 {
    let signals = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    );
    let (Ok(mut terminate), Ok(mut interrupt)) = signals else {
        print::fatal("unable to wait for signals");
        return 1;
    };
    let is_role = is_role(command.operation);
    tokio::select! {
        status = drive::to_the_end(Engine::at(SOCKET), command, environment) => status,
        _ = terminate.recv() => if is_role { 0 } else { 143 },
        _ = interrupt.recv() => if is_role { 0 } else { 130 },
    }
}

/// Returns whether an operation goes on until it is told to end, which is no failure then.
///
/// Whoever removes MKE from a node is none: its good end says that nothing is left.
fn is_role(operation: Operation) -> bool {
    match operation {
        Operation::Agent | Operation::Controller | Operation::Proxy => true,
        Operation::Install
        | Operation::Upgrade
        | Operation::Uninstall
        | Operation::UninstallAgent
        | Operation::Images
        | Operation::DumpCerts
        | Operation::Id => false,
    }
}
