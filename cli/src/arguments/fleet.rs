//! What may be typed for `fleet`.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{ClusterOptions, Common, OutputFormat, StartingPoint};

/// What is done with a simulated fleet.
#[derive(Debug, Clone, Subcommand)]
pub enum FleetCommand {
    /// Open the doors of simulated hosts that match the configuration, until stopped
    Up(FleetUpArguments),
    /// Run a command as root on a host, without SSH
    Exec(FleetExecArguments),
    /// Let something go wrong on a host, as the events of a scenario do
    Inject(FleetInjectArguments),
    /// Show what hosts have sent and received, what runs on them, and what is not simulated
    Inspect(FleetInspectArguments),
    /// Close the doors
    Down(FleetDownArguments),
}

/// Where a fleet keeps its files.
#[derive(Debug, Clone, Args)]
pub struct FleetDirectory {
    /// The directory of the fleet; `~/.mirantis-launchpad/fleet` unless told
    #[arg(long, value_name = "PATH")]
    pub directory: Option<PathBuf>,
}

/// Arguments of `fleet up`.
#[derive(Debug, Clone, Args)]
pub struct FleetUpArguments {
    /// Common flags.
    #[command(flatten)]
    pub common: Common,
    /// Flags of the cluster.
    #[command(flatten)]
    pub cluster: ClusterOptions,
    /// Where its files are.
    #[command(flatten)]
    pub directory: FleetDirectory,
    /// What hosts are like and what goes wrong, as YAML
    #[arg(long, value_name = "PATH")]
    pub scenario: Option<PathBuf>,
    /// Where chance comes from: equal seeds give equal hosts, and equal keys of hosts
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// How fast the time of hosts goes: `real`, `scaled=N`, `instant`
    #[arg(long, default_value = "real", value_name = "PACE", value_parser = pace)]
    pub time: fleet::door::Pace,
    /// What the hosts are at the start
    #[arg(long, value_enum, default_value = "bare", value_name = "STATE")]
    pub from: StartingPoint,
    /// Give all hosts this address and a port each; without, each has an address of its own
    #[arg(long, value_name = "ADDRESS")]
    pub bind: Option<IpAddr>,
    /// The port that is tried first where each host has its own address
    #[arg(long, default_value_t = 2222, value_name = "PORT")]
    pub port: u16,
    /// How many connections there may be at a time
    #[arg(long, default_value_t = 4096, value_name = "N")]
    pub connections: usize,
}

/// Arguments of `fleet exec`.
#[derive(Debug, Clone, Args)]
pub struct FleetExecArguments {
    /// Where its files are.
    #[command(flatten)]
    pub directory: FleetDirectory,
    /// The host, by name or address
    #[arg(value_name = "HOST")]
    pub host: String,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Arguments of `fleet inject`.
#[derive(Debug, Clone, Args)]
pub struct FleetInjectArguments {
    /// Where its files are.
    #[command(flatten)]
    pub directory: FleetDirectory,
    /// The host, by name or address
    #[arg(value_name = "HOST")]
    pub host: String,
    /// What happens: `reboot`, `cut`, `access`, … as `do` of an event in a scenario
    #[arg(value_name = "FAULT")]
    pub fault: String,
    /// The other keys of the event, such as `for=30s` or `trouble=filtered`
    #[arg(value_name = "KEY=VALUE")]
    pub keys: Vec<String>,
}

/// Arguments of `fleet inspect`.
#[derive(Debug, Clone, Args)]
pub struct FleetInspectArguments {
    /// Where its files are.
    #[command(flatten)]
    pub directory: FleetDirectory,
    /// The host, by name or address; all unless told
    #[arg(value_name = "HOST")]
    pub host: Option<String>,
    /// How the result is printed
    #[arg(long, value_enum, default_value = "table", value_name = "FORMAT")]
    pub output: OutputFormat,
}

/// Arguments of `fleet down`.
#[derive(Debug, Clone, Args)]
pub struct FleetDownArguments {
    /// Where its files are.
    #[command(flatten)]
    pub directory: FleetDirectory,
}

fn pace(text: &str) -> Result<fleet::door::Pace, String> {
    use fleet::door::Pace;
    match text.split_once('=') {
        None if text == "real" => Ok(Pace::Real),
        None if text == "instant" => Ok(Pace::Instant),
        Some(("scaled", factor)) => match factor.parse() {
            Ok(factor) if factor > 0 => Ok(Pace::Scaled(factor)),
            _ => Err("how many times as fast: a number from 1".to_owned()),
        },
        _ => Err("it is `real`, `scaled=N` or `instant`".to_owned()),
    }
}
