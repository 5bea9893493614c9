//! What may be typed.
//!
//! Older versions of launchpad took `-name` for `--name`, `--flag=false`, `help` behind a command
//! and `h` for `help`: all of that works on. Variables of the environment stand in for flags that
//! are not given; see [`Common`].

mod check;
#[cfg(feature = "fleet")]
mod fleet;
mod hosts;
mod init;
mod validate;

use std::ffi::OsString;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use self::check::{CheckCommand, CheckSshArguments};
#[cfg(feature = "fleet")]
pub use self::fleet::{
    FleetCommand, FleetDirectory, FleetDownArguments, FleetExecArguments, FleetInjectArguments,
    FleetInspectArguments, FleetUpArguments,
};
pub use self::hosts::{DownloadArguments, ExecArguments, HostSelection, UploadArguments};
pub use self::init::{ClusterKind, InitArguments};
pub use self::validate::{ExplainArguments, ValidateArguments};

/// Mirantis Launchpad: installs, changes and removes clusters of MCR and MKE
#[derive(Debug, Parser)]
#[command(
    name = "launchpad",
    disable_version_flag = true,
    arg_required_else_help = true,
    subcommand_required = true,
    after_help = "Documentation: https://docs.mirantis.com/mke/current/\n\
                  Problems: https://github.com/Mirantis/launchpad/issues"
)]
pub struct Arguments {
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// A command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a first configuration: from flags, an inventory, or a short interview
    Init(InitArguments),
    /// Make the cluster as the configuration says
    Apply(ApplyArguments),
    /// Show what apply would change, and change nothing; exit status 3 where something would
    Plan(PlanArguments),
    /// Remove MKE and MCR from all hosts of the configuration
    Reset(ResetArguments),
    /// Show the state of the cluster, or the configuration as launchpad understands it
    Describe(DescribeArguments),
    /// Show what is wrong with configurations, and connect to nothing
    Validate(ValidateArguments),
    /// Show what the code of a problem means, and how to mend it
    Explain(ExplainArguments),
    /// Print a configuration of an older release in its newest form
    Migrate(MigrateArguments),
    /// Run a command on hosts, or open a shell on one
    Exec(ExecArguments),
    /// Look whether everything is as it has to be, and change nothing
    #[command(subcommand, arg_required_else_help = true)]
    Check(CheckCommand),
    /// Copy a file to hosts, whole or not at all
    Upload(UploadArguments),
    /// Copy a file from hosts, whole or not at all
    Download(DownloadArguments),
    /// Run a command on simulated hosts that match the configuration, in virtual time
    #[cfg(feature = "fleet")]
    Rehearse(RehearseArguments),
    /// Serve simulated hosts that match the configuration to other programs, over SSH
    #[cfg(feature = "fleet")]
    #[command(subcommand, arg_required_else_help = true)]
    Fleet(FleetCommand),
    /// Accepted for older scripts: nothing has to be registered
    Register(RegisterArguments),
    /// Print the JSON Schema of launchpad.yaml, for editors
    Schema,
    /// Print a completion script for a shell
    Completion(CompletionArguments),
    /// Show the version of launchpad
    Version,
    /// Fetch a client bundle of MKE, for `kubectl` and `docker`
    ClientConfig(ClientConfigArguments),
    /// The older name of client-config
    #[command(hide = true)]
    DownloadBundle(ClientConfigArguments),
    /// Download the newest launchpad
    #[command(hide = true)]
    DownloadLaunchpad,
}

/// Flags that every command has.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// Show commands, and let the vendor's installers say more [env: DEBUG]
    #[arg(long, short = 'd', num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_name = "BOOL", hide_possible_values = true)]
    pub debug: Option<bool>,
    /// Show commands, their output and every fact [env: TRACE]
    #[arg(long, alias = "dd", hide = true, num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_name = "BOOL", hide_possible_values = true)]
    pub trace: Option<bool>,
    /// Accepted for older scripts: there is no telemetry [env: DISABLE_TELEMETRY]
    #[arg(long, num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_name = "BOOL", hide_possible_values = true)]
    pub disable_telemetry: Option<bool>,
    /// Accepted for older scripts: no license has to be accepted [env: ACCEPT_LICENSE]
    #[arg(long, short = 'a', num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_name = "BOOL", hide_possible_values = true)]
    pub accept_license: Option<bool>,
    /// Accepted for older scripts: launchpad never asks the internet for newer versions
    /// [env: DISABLE_UPGRADE_CHECK]
    #[arg(long, short = 'u', num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_name = "BOOL", hide_possible_values = true)]
    pub disable_upgrade_check: Option<bool>,
}

/// Flags of commands that work on a cluster.
#[derive(Debug, Clone, Args)]
pub struct ClusterOptions {
    /// The configuration; `-` reads it from standard input
    #[arg(long, short = 'c', value_name = "PATH")]
    pub config: Option<String>,
    /// Ask before each remote command
    #[arg(long, num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_name = "BOOL", hide_possible_values = true)]
    pub confirm: Option<bool>,
    /// Show secrets in logs and messages
    #[arg(long, num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_name = "BOOL", hide_possible_values = true)]
    pub disable_redact: Option<bool>,
    /// Run the commands of `Match exec` in ssh_config; without, such a block counts as not met
    #[arg(long, num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_name = "BOOL", hide_possible_values = true)]
    pub allow_match_exec: Option<bool>,
}

/// Arguments of migrate.
#[derive(Debug, Clone, Args)]
pub struct MigrateArguments {
    /// The configuration; `-` reads it from standard input
    #[arg(long, short = 'c', value_name = "PATH")]
    pub config: Option<String>,
    /// Replace the file, and keep the old one as `PATH.bak`
    #[arg(long, short = 'w')]
    pub write: bool,
    /// Show what changes instead of the new text
    #[arg(long)]
    pub diff: bool,
    /// Common flags.
    #[command(flatten)]
    pub common: Common,
}

/// How a run goes about its work.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Run options")]
pub struct RunOptions {
    /// How many workers may be disturbed at the same time
    #[arg(long, default_value = "5", value_name = "N",
        value_parser = clap::value_parser!(u16).range(1..))]
    pub concurrency: u16,
    /// How many hosts are worked on at the same time; all unless told
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub parallel_hosts: Option<u16>,
    /// Go on without this many workers (`3` or `10%`) that cannot be reached; they are named at
    /// the end, and the exit status is 1
    #[arg(long, default_value = "0", value_name = "N|%", value_parser = budget)]
    pub allow_unreachable: Budget,
    /// Stop after this time (`90s`, `30m`, `1h30m`; 0 is no limit): no new step starts, running ones
    /// are ended
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// Take over the run lock of a run that is dead
    #[arg(long)]
    pub break_lock: bool,
}

/// How many hosts may be set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// So many.
    Hosts(usize),
    /// So many of a hundred.
    Percent(u8),
}

impl Budget {
    /// Returns how many of `hosts` that is, rounded down.
    pub fn of(self, hosts: usize) -> usize {
        match self {
            Self::Hosts(count) => count,
            Self::Percent(percent) => hosts * usize::from(percent) / 100,
        }
    }
}

fn budget(text: &str) -> Result<Budget, String> {
    let wrong = || format!("`{text}` is neither a number nor a percentage such as `10%`");
    match text.strip_suffix('%') {
        Some(number) => match number.parse() {
            Ok(percent @ 0..=100) => Ok(Budget::Percent(percent)),
            Ok(_) | Err(_) => Err(wrong()),
        },
        None => text.parse().map(Budget::Hosts).map_err(|_error| wrong()),
    }
}

/// Reads `90s`, `30m`, `2h`, `1h30m0s`; a bare number is seconds, and 0 is no limit.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time such as `90s`, `30m` or `1h30m`");
    if let Ok(seconds) = text.parse() {
        return Ok(Duration::from_secs(seconds));
    }
    let mut total: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest
            .find(|char: char| !char.is_ascii_digit())
            .ok_or_else(wrong)?;
        let number: u64 = rest[..digits].parse().map_err(|_error| wrong())?;
        let mut after = rest[digits..].chars();
        let factor = match after.next() {
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some(_) | None => return Err(wrong()),
        };
        let seconds = number.checked_mul(factor).ok_or_else(wrong)?;
        total = total.checked_add(seconds).ok_or_else(wrong)?;
        rest = after.as_str();
    }
    if text.is_empty() {
        return Err(wrong());
    }
    Ok(Duration::from_secs(total))
}

/// How data is printed on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// Arguments of `apply`.
#[derive(Debug, Clone, Args)]
pub struct ApplyArguments {
    /// Common flags.
    #[command(flatten)]
    pub common: Common,
    /// Flags of the cluster.
    #[command(flatten)]
    pub cluster: ClusterOptions,
    /// Flags of the run.
    #[command(flatten)]
    pub run: RunOptions,
    /// Show what would change, and change nothing; exit status 3 where something would
    #[arg(long)]
    pub dry_run: bool,
    /// How a dry run prints its plan
    #[arg(long, value_enum, default_value = "table", value_name = "FORMAT")]
    pub output: OutputFormat,
    /// Accepted for older scripts: what would be refused cannot be done yet either
    #[arg(long, short = 'f', hide = true, num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_name = "BOOL", hide_possible_values = true)]
    pub force: Option<bool>,
    /// Leave what a failed phase has made
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_name = "BOOL", hide_possible_values = true)]
    pub disable_cleanup: Option<bool>,
    /// Accepted for older scripts: there is no logo
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_name = "BOOL", hide_possible_values = true)]
    pub disable_logo: Option<bool>,
    /// Accepted for older scripts: what has to be upgraded is found out
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_name = "BOOL", hide_possible_values = true)]
    pub force_upgrade: Option<bool>,
}

/// Arguments of `plan`.
#[derive(Debug, Clone, Args)]
pub struct PlanArguments {
    /// Common flags.
    #[command(flatten)]
    pub common: Common,
    /// Flags of the cluster.
    #[command(flatten)]
    pub cluster: ClusterOptions,
    /// Flags of the run.
    #[command(flatten)]
    pub run: RunOptions,
    /// How the plan is printed
    #[arg(long, value_enum, default_value = "table", value_name = "FORMAT")]
    pub output: OutputFormat,
}

/// Arguments of `reset`.
#[derive(Debug, Clone, Args)]
pub struct ResetArguments {
    /// Common flags.
    #[command(flatten)]
    pub common: Common,
    /// Flags of the cluster.
    #[command(flatten)]
    pub cluster: ClusterOptions,
    /// Flags of the run.
    #[command(flatten)]
    pub run: RunOptions,
    /// Do not ask for confirmation
    #[arg(long, short = 'f', num_args = 0..=1, require_equals = true,
        default_missing_value = "true", value_name = "BOOL", hide_possible_values = true)]
    pub force: Option<bool>,
    /// Show what would be removed, and remove nothing; exit status 3 where something would
    #[arg(long)]
    pub dry_run: bool,
    /// How a dry run prints its plan
    #[arg(long, value_enum, default_value = "table", value_name = "FORMAT")]
    pub output: OutputFormat,
}

/// Arguments of `describe`.
#[derive(Debug, Clone, Args)]
pub struct DescribeArguments {
    /// What to show
    #[arg(value_enum, value_name = "REPORT")]
    pub report: Report,
    /// Common flags.
    #[command(flatten)]
    pub common: Common,
    /// Flags of the cluster.
    #[command(flatten)]
    pub cluster: ClusterOptions,
    /// Show the secrets of the configuration, with `config`
    #[arg(long)]
    pub show_secrets: bool,
    /// How it is printed; `config` is YAML in a table's place
    #[arg(long, value_enum, default_value = "table", value_name = "FORMAT")]
    pub output: OutputFormat,
}

/// A report of `describe`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Report {
    /// A row for each host.
    Hosts,
    /// MKE.
    Mke,
    /// MSR.
    Msr,
    /// The configuration with all defaults; no host is asked.
    Config,
}

/// Arguments of `rehearse`.
#[cfg(feature = "fleet")]
#[derive(Debug, Clone, Args)]
pub struct RehearseArguments {
    /// Common flags.
    #[command(flatten)]
    pub common: Common,
    /// Flags of the cluster.
    #[command(flatten)]
    pub cluster: ClusterOptions,
    /// What hosts are like and what goes wrong, as YAML
    #[arg(long, value_name = "PATH")]
    pub scenario: Option<std::path::PathBuf>,
    /// Where chance comes from: equal seeds give equal rehearsals
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// What the hosts are before the command
    #[arg(long, value_enum, default_value = "bare", value_name = "STATE")]
    pub from: StartingPoint,
    /// The command
    #[arg(long, value_enum, default_value = "apply", value_name = "COMMAND")]
    pub command: RehearsedCommand,
    /// Show every command that hosts are sent
    #[arg(long)]
    pub commands: bool,
    /// Fail where a hook wants something that is not simulated; without, it is taken to succeed
    /// without effect
    #[arg(long)]
    pub strict: bool,
}

/// What simulated hosts are before anybody comes.
#[cfg(feature = "fleet")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StartingPoint {
    /// An operating system and nothing else.
    #[value(alias = "fresh")]
    Bare,
    /// A cluster as the configuration says.
    Installed,
}

/// A command that can be rehearsed.
#[cfg(feature = "fleet")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RehearsedCommand {
    /// `launchpad apply`.
    Apply,
    /// `launchpad reset`.
    Reset,
}

/// Arguments of `client-config`.
#[derive(Debug, Clone, Args)]
pub struct ClientConfigArguments {
    /// Common flags.
    #[command(flatten)]
    pub common: Common,
    /// Flags of the cluster.
    #[command(flatten)]
    pub cluster: ClusterOptions,
    /// Merge the access into a kubeconfig: that of `$KUBECONFIG` or `~/.kube/config`, or PATH
    #[arg(long, value_name = "PATH", num_args = 0..=1, require_equals = true)]
    pub merge: Option<Option<std::path::PathBuf>>,
    /// How the result is printed
    #[arg(long, value_enum, default_value = "table", value_name = "FORMAT")]
    pub output: OutputFormat,
    /// Accepted for older scripts: the user is that of the configuration
    #[arg(long, hide = true, value_name = "NAME", value_parser = ignored)]
    pub username: Option<Ignored>,
    /// Accepted for older scripts: the password is that of the configuration
    #[arg(long, alias = "Password", hide = true, value_name = "PASSWORD", value_parser = ignored)]
    pub password: Option<Ignored>,
}

/// A value that is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ignored;

#[expect(
    clippy::unnecessary_wraps,
    reason = "what a parser of values looks like"
)]
fn ignored(_: &str) -> Result<Ignored, std::convert::Infallible> {
    Ok(Ignored)
}

/// Arguments of `register`.
#[derive(Debug, Clone, Args)]
pub struct RegisterArguments {
    /// Your name
    #[arg(long, short = 'n')]
    pub name: Option<String>,
    /// Your company
    #[arg(long, short = 'c')]
    pub company: Option<String>,
    /// Your address
    #[arg(long, short = 'e')]
    pub email: Option<String>,
    /// Common flags.
    #[command(flatten)]
    pub common: Common,
}

/// Arguments of `completion`.
#[derive(Debug, Clone, Args)]
pub struct CompletionArguments {
    /// `bash`, `zsh` or `fish`, also as a path [env: SHELL]
    #[arg(long, short = 's', value_name = "SHELL")]
    pub shell: Option<String>,
}

/// Long flags that older versions took with one dash.
const LONG_FLAGS: &[&str] = &[
    "debug",
    "trace",
    "dd",
    "disable-telemetry",
    "accept-license",
    "disable-upgrade-check",
    "config",
    "confirm",
    "disable-redact",
    "concurrency",
    "force",
    "disable-cleanup",
    "disable-logo",
    "force-upgrade",
    "name",
    "company",
    "email",
    "shell",
    "kind",
    "merge",
    "output",
    "username",
    "password",
    "Password",
    "help",
];

/// Flags of `exec` that older versions took with one dash.
const EXEC_FLAGS: &[&str] = &[
    "target",
    "interactive",
    "first",
    "all",
    "parallel",
    "role",
    "os",
];

/// Flags of `exec` whose value is the next word.
const EXEC_VALUES: &[&str] = &[
    "-t",
    "--target",
    "-r",
    "--role",
    "-o",
    "--os",
    "-c",
    "--config",
    "--output",
    "--timeout",
];

/// Brings arguments in the syntax of older versions into today's.
pub fn normalise(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    if arguments.get(1).is_some_and(|word| word == "h") {
        arguments[1] = "help".into();
    }
    let is_exec = arguments.get(1).is_some_and(|word| word == "exec");
    // `launchpad apply help` is the help of apply.
    let asks_for_help = |word: &OsString| word == "help" || word == "h";
    if !is_exec && arguments.len() == 3 && arguments.get(2).is_some_and(asks_for_help) {
        arguments[2] = "--help".into();
    }
    let is_long = |name: &str| {
        let bare = name.split('=').next().unwrap_or(name);
        LONG_FLAGS.contains(&bare) || is_exec && EXEC_FLAGS.contains(&bare)
    };
    let mut is_value = false;
    for argument in arguments.iter_mut().skip(if is_exec { 2 } else { 1 }) {
        let text = argument.to_str().unwrap_or_default();
        // Behind the first word of the command to run, everything is that command's.
        if text == "--" || is_exec && !is_value && !text.starts_with('-') {
            break;
        }
        let long = text
            .strip_prefix('-')
            .filter(|name| !is_value && !name.starts_with('-') && is_long(name))
            .map(|name| format!("--{name}"));
        if let Some(long) = long {
            *argument = long.into();
        }
        is_value = is_exec && !is_value && EXEC_VALUES.iter().any(|flag| argument == flag);
    }
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        let words = line.split(' ').map(OsString::from);
        Arguments::try_parse_from(normalise(words))
    }

    #[test]
    fn the_definition_holds_together() {
        use clap::CommandFactory as _;
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_syntax_of_older_versions_works_on() {
        let line = "launchpad apply -config x.yaml --debug=false -disable-telemetry -a -u --dd";
        let Command::Apply(apply) = parse(line).unwrap().command else {
            panic!("this is an apply");
        };

        assert_eq!(apply.cluster.config.as_deref(), Some("x.yaml"));
        assert_eq!(apply.common.debug, Some(false));
        assert_eq!(apply.common.trace, Some(true));
        assert_eq!(apply.common.disable_telemetry, Some(true));
        assert_eq!(apply.common.accept_license, Some(true));
        assert_eq!(apply.run.concurrency, 5);
    }

    #[test]
    fn exec_takes_old_flags_and_leaves_the_command_as_it_is() {
        let line = "launchpad exec -role manager -first=true -t 10.0.0.1 -p ls -role -l --all help";
        let Command::Exec(exec) = parse(line).unwrap().command else {
            panic!("this is an exec");
        };

        assert_eq!(exec.hosts.role.as_deref(), Some("manager"));
        assert_eq!(exec.hosts.targets, ["10.0.0.1"]);
        assert_eq!((exec.hosts.first, exec.hosts.all), (Some(true), None));
        assert_eq!(exec.hosts.parallel, Some(64));
        assert_eq!(exec.command, ["ls", "-role", "-l", "--all", "help"]);

        let Command::Exec(exec) = parse("launchpad exec help").unwrap().command else {
            panic!("this is an exec");
        };
        assert_eq!(exec.command, ["help"]);
        assert!(parse("launchpad exec --al ls").is_err());
    }

    #[test]
    fn help_is_asked_for_in_many_ways() {
        for line in [
            "launchpad help",
            "launchpad h",
            "launchpad apply help",
            "launchpad apply -h",
        ] {
            let error = parse(line).unwrap_err();
            assert_eq!(error.kind(), clap::error::ErrorKind::DisplayHelp, "{line}");
        }
    }

    #[test]
    fn budgets_and_times_have_units() {
        assert_eq!(budget("3"), Ok(Budget::Hosts(3)));
        assert_eq!(budget("10%").map(|budget| budget.of(37)), Ok(3));
        assert!(budget("101%").is_err());
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7200)));
        assert_eq!(duration("1h30m5s"), Ok(Duration::from_secs(5405)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        for text in ["", "5d", "m", "1h30", "99999999999999999999s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_password_of_older_scripts_is_taken_and_not_kept() {
        for flag in ["--Password", "--password", "-Password", "-password"] {
            let line = format!("launchpad download-bundle -username admin {flag} s3cret");
            let Command::DownloadBundle(arguments) = parse(&line).unwrap().command else {
                panic!("this is a download-bundle");
            };

            assert_eq!(arguments.password, Some(Ignored), "{flag}");
            assert!(!format!("{arguments:?}").contains("s3cret"), "{flag}");
        }
    }

    #[test]
    fn a_kubeconfig_may_be_named() {
        let merge = |line| match parse(line).unwrap().command {
            Command::ClientConfig(arguments) => arguments.merge,
            _ => panic!("this is a client-config"),
        };

        assert_eq!(merge("launchpad client-config"), None);
        assert_eq!(merge("launchpad client-config --merge"), Some(None));
        let named = merge("launchpad client-config --merge=x/config");
        assert_eq!(named, Some(Some("x/config".into())));
    }

    #[test]
    fn a_concurrency_below_one_is_refused() {
        assert!(parse("launchpad apply --concurrency 0").is_err());
    }
}
