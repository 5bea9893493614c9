//! The lab of real hosts and the stories that run on it.
//!
//! | module | holds |
//! |---|---|
//! | `machine` | the machine the lab runs on: tools, apt mirror, container engine |
//! | `recipe` | what a lab is made of, kept by a hash of its recipe |
//! | `lab` | a running lab: services, hosts, inventories, runs of Launchpad, the watch for secrets |
//! | `story` | what is proved, asserted from the hosts' side, and the faults that turn it red |
//! | `rows` | commands and scripts whose answers the fleet has to give, too: compared with recordings, or recorded |
//! | `judge` | other people's tools, played against a fleet that is up |
//! | `drive` | the commands of this binary |

#![expect(
    clippy::print_stdout,
    reason = "a driver for developers: its output is its report"
)]

mod cache;
mod command;
mod drive;
mod https;
mod judge;
mod lab;
mod machine;
mod paths;
mod recipe;
mod registry;
mod rows;
mod story;
mod talk;

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    let talk = talk::Talk::new();
    match drive::run(drive::Arguments::parse(), talk).await {
        Ok(code) => code,
        Err(error) => {
            talk.say(format!("failed: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
