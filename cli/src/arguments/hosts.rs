//! What may be typed for commands that work on single hosts.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{ClusterOptions, Common, OutputFormat, duration};

/// How many hosts are worked on at the same time with a bare `--parallel`.
const PARALLEL: u16 = 64;

/// Which hosts are meant, and how many at a time.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Hosts")]
pub struct HostSelection {
    /// A host by its address: `10.0.0.1`, `10.0.0.1:2222`, `[fd00::1]:22`; `localhost` is this machine.
    /// Several: repeat it, or separate them by commas
    #[arg(
        long = "target",
        short = 't',
        value_name = "HOST",
        value_delimiter = ','
    )]
    pub targets: Vec<String>,
    /// Hosts of a role: `manager`, `worker`, `msr`
    #[arg(long, short = 'r', value_name = "ROLE")]
    pub role: Option<String>,
    /// Hosts of an operating system: `linux`, `windows`, or an ID of os-release such as `ubuntu`
    #[arg(long, short = 'o', value_name = "OS")]
    pub os: Option<String>,
    /// Only the first of the hosts
    #[arg(long, short = 'f', num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_name = "BOOL", hide_possible_values = true)]
    pub first: Option<bool>,
    /// Allow more than one host
    #[arg(long, short = 'A', num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_name = "BOOL", hide_possible_values = true)]
    pub all: Option<bool>,
    /// Work on many hosts at the same time (64, or `=N`) and on all of them whatever happens to one;
    /// without, on one after the other, up to the first that fails
    #[arg(long, short = 'p', num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_name = "N", value_parser = parallel)]
    pub parallel: Option<u16>,
    /// Leave a host after this time (`90s`, `30m`), connecting included; what runs there is ended
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// As root
    #[arg(long, short = 's')]
    pub sudo: bool,
}

impl HostSelection {
    /// Returns the time-out of a host, where there is one.
    pub fn limit(&self) -> Option<Duration> {
        self.timeout.filter(|limit| !limit.is_zero())
    }
}

/// Reads how many hosts; older versions took yes and no.
fn parallel(text: &str) -> Result<u16, String> {
    match text {
        "true" => Ok(PARALLEL),
        "false" => Ok(1),
        number => number
            .parse()
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(|| format!("`{text}` is no number of hosts")),
    }
}

/// Arguments of `exec`.
#[derive(Debug, Clone, Args)]
pub struct ExecArguments {
    /// Common flags.
    #[command(flatten)]
    pub common: Common,
    /// Flags of the cluster.
    #[command(flatten)]
    pub cluster: ClusterOptions,
    /// The hosts.
    #[command(flatten)]
    pub hosts: HostSelection,
    /// Give the host this terminal: for editors, shells, and whatever asks
    #[arg(long, short = 'i', num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_name = "BOOL", hide_possible_values = true)]
    pub interactive: Option<bool>,
    /// Hand standard input on to the command; each of several hosts gets all of it
    #[arg(long)]
    pub stdin: bool,
    /// How it is printed: `json` is one object a line for each host, when it is done
    #[arg(long, value_enum, default_value = "table", value_name = "FORMAT")]
    pub output: OutputFormat,
    /// The command and its arguments, as they are; pipes and `$VARIABLES` of the host take
    /// `sh -c '…'`. Without one, a shell on one host
    #[arg(trailing_var_arg = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// Arguments of `upload`.
#[derive(Debug, Clone, Args)]
pub struct UploadArguments {
    /// Common flags.
    #[command(flatten)]
    pub common: Common,
    /// Flags of the cluster.
    #[command(flatten)]
    pub cluster: ClusterOptions,
    /// The hosts.
    #[command(flatten)]
    pub hosts: HostSelection,
    /// Mode of the file on the host, octal; that of the file here unless told
    #[arg(long, value_name = "MODE", value_parser = mode)]
    pub mode: Option<String>,
    /// How it is printed: `json` is one object a line for each host, when it is done
    #[arg(long, value_enum, default_value = "table", value_name = "FORMAT")]
    pub output: OutputFormat,
    /// The file here
    #[arg(value_name = "FILE")]
    pub source: PathBuf,
    /// Where it shall be on the hosts: a path, or a directory where it ends with `/`
    #[arg(value_name = "PATH")]
    pub target: String,
}

/// Arguments of `download`.
#[derive(Debug, Clone, Args)]
pub struct DownloadArguments {
    /// Common flags.
    #[command(flatten)]
    pub common: Common,
    /// Flags of the cluster.
    #[command(flatten)]
    pub cluster: ClusterOptions,
    /// The hosts.
    #[command(flatten)]
    pub hosts: HostSelection,
    /// How it is printed: `json` is one object a line for each host, when it is done
    #[arg(long, value_enum, default_value = "table", value_name = "FORMAT")]
    pub output: OutputFormat,
    /// The file on the hosts
    #[arg(value_name = "PATH")]
    pub source: String,
    /// Where it shall be here: a file, or a directory; of several hosts, a directory that gets one
    /// for each
    #[arg(value_name = "FILE")]
    pub target: PathBuf,
}

/// Reads an octal mode: `644`, `0644`.
fn mode(text: &str) -> Result<String, String> {
    match u32::from_str_radix(text, 8) {
        Ok(mode) if mode <= 0o7777 => Ok(format!("{mode:04o}")),
        Ok(_) | Err(_) => Err(format!("`{text}` is no mode such as `0644`")),
    }
}

#[cfg(test)]
mod tests {
    use super::{mode, parallel};

    #[test]
    fn parallel_takes_a_number_and_what_older_scripts_say() {
        assert_eq!(parallel("true"), Ok(64));
        assert_eq!(parallel("false"), Ok(1));
        assert_eq!(parallel("7"), Ok(7));
        assert!(parallel("0").is_err());
        assert!(parallel("many").is_err());
    }

    #[test]
    fn modes_are_octal() {
        assert_eq!(mode("644"), Ok("0644".to_owned()));
        assert_eq!(mode("04755"), Ok("4755".to_owned()));
        assert!(mode("888").is_err());
        assert!(mode("17777").is_err());
    }
}
