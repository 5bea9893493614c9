//! What may be typed for `check`.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::{ClusterOptions, Common, HostSelection, OutputFormat, duration};

/// What is looked at.
#[derive(Debug, Clone, Subcommand)]
pub enum CheckCommand {
    /// The way to every host, its login, and what an installation needs there
    Ssh(CheckSshArguments),
}

/// Arguments of `check ssh`.
#[derive(Debug, Clone, Args)]
pub struct CheckSshArguments {
    /// A host by its address, as with `exec`; all hosts unless told
    #[arg(
        long = "target",
        short = 't',
        value_name = "HOST",
        value_delimiter = ',',
        help_heading = "Hosts"
    )]
    pub targets: Vec<String>,
    /// Hosts of a role: `manager`, `worker`, `msr`
    #[arg(long, short = 'r', value_name = "ROLE", help_heading = "Hosts")]
    pub role: Option<String>,
    /// Hosts of an operating system: `linux`, `windows`, or an ID of os-release such as `ubuntu`
    #[arg(long, short = 'o', value_name = "OS", help_heading = "Hosts")]
    pub os: Option<String>,
    /// How long a host may take (`90s`, `2m`; 0 is no limit)
    #[arg(long, default_value = "90s", value_name = "TIME", value_parser = duration,
        help_heading = "Hosts")]
    pub timeout: Duration,
    /// How the result is printed
    #[arg(long, value_enum, default_value = "table", value_name = "FORMAT")]
    pub output: OutputFormat,
    /// Flags of the cluster.
    #[command(flatten)]
    pub cluster: ClusterOptions,
    /// Common flags.
    #[command(flatten)]
    pub common: Common,
}

impl CheckSshArguments {
    /// Returns which hosts are meant, as other commands say it.
    pub fn selection(&self) -> HostSelection {
        HostSelection {
            targets: self.targets.clone(),
            role: self.role.clone(),
            os: self.os.clone(),
            first: None,
            all: Some(true),
            parallel: None,
            timeout: None,
            sudo: false,
        }
    }

    /// Returns how long a host may take; nothing where it is not limited.
    pub fn limit(&self) -> Option<Duration> {
        Some(self.timeout).filter(|limit| !limit.is_zero())
    }
}
