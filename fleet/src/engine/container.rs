//! Containers, their states and their logs.

use std::collections::BTreeMap;
use std::time::Duration;

use super::names;
use crate::world::HostId;

/// A container.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Container {
    /// Its id.
    pub(crate) id: String,
    /// Its name, without a slash.
    pub(crate) name: String,
    /// The id of its image.
    pub(crate) image_id: String,
    /// What was asked for.
    pub(crate) spec: Spec,
    /// When it was made.
    pub(crate) created: Duration,
    /// How it is.
    pub(crate) state: State,
    /// What it has printed.
    pub(crate) log: Vec<Line>,
    /// The task of a swarm that it is for.
    pub(crate) task: Option<String>,
    /// The host that it is, where somebody has needed one.
    pub(crate) inside: Option<HostId>,
}

/// What a container was asked to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Spec {
    /// The name of the image, as it was given.
    pub(crate) image: String,
    /// What runs, where it is not what the image says.
    pub(crate) entrypoint: Option<Vec<String>>,
    /// The arguments; those of the image where there are none.
    pub(crate) command: Vec<String>,
    /// The environment, `NAME=value`.
    pub(crate) environment: Vec<String>,
    /// The labels.
    pub(crate) labels: BTreeMap<String, String>,
    /// What is mounted.
    pub(crate) mounts: Vec<Mount>,
    /// The network: `default`, `host`, a name.
    pub(crate) network: String,
    /// When it is started again.
    pub(crate) restart: Restart,
    /// Its host name, where it is not its id.
    pub(crate) host_name: Option<String>,
    /// Who runs in it.
    pub(crate) user: String,
    /// Where that runs.
    pub(crate) directory: String,
    /// Whether it may do everything.
    pub(crate) is_privileged: bool,
    /// `--security-opt`.
    pub(crate) security: Vec<String>,
    /// `--pid`.
    pub(crate) pid_mode: String,
    /// Whether it has a terminal.
    pub(crate) has_terminal: bool,
    /// Whether its standard input is open.
    pub(crate) has_input: bool,
    /// Whether it is removed when it has ended.
    pub(crate) removes_itself: bool,
    /// Ports of the host and what they lead to.
    pub(crate) ports: Vec<(String, String)>,
}

/// Something that is mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mount {
    /// Of which kind it is.
    pub(crate) kind: MountKind,
    /// The path on the host or the name of the volume.
    pub(crate) source: String,
    /// The path in the container.
    pub(crate) target: String,
    /// Whether it can only be read.
    pub(crate) is_read_only: bool,
}

/// A kind of mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MountKind {
    /// A path of the host.
    Bind,
    /// A volume.
    Volume,
    /// Memory.
    Tmpfs,
}

impl MountKind {
    /// Returns its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bind => "bind",
            Self::Volume => "volume",
            Self::Tmpfs => "tmpfs",
        }
    }
}

impl Mount {
    /// Returns whether it is of a volume.
    pub(crate) fn is_volume(&self, name: &str) -> bool {
        self.kind == MountKind::Volume && self.source == name
    }
}

/// When a container is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Restart {
    /// Never.
    #[default]
    No,
    /// Whenever it has ended.
    Always,
    /// Whenever it has ended, unless somebody has stopped it.
    UnlessStopped,
    /// When it has failed, that often; 0 is without end.
    OnFailure(u32),
}

impl Restart {
    /// Reads the value of `--restart`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            None => match text {
                "" | "no" => Some(Self::No),
                "always" => Some(Self::Always),
                "unless-stopped" => Some(Self::UnlessStopped),
                "on-failure" => Some(Self::OnFailure(0)),
                _ => None,
            },
            Some(("on-failure", times)) => times.parse().ok().map(Self::OnFailure),
            Some(_) => None,
        }
    }

    /// Returns its name and how often it applies.
    pub(crate) fn parts(self) -> (&'static str, u32) {
        match self {
            Self::No => ("no", 0),
            Self::Always => ("always", 0),
            Self::UnlessStopped => ("unless-stopped", 0),
            Self::OnFailure(times) => ("on-failure", times),
        }
    }
}

/// How a container is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct State {
    /// Which state it is in.
    pub(crate) status: Status,
    /// When its process was started.
    pub(crate) started: Option<Duration>,
    /// When its process has ended.
    pub(crate) finished: Option<Duration>,
    /// How its process has ended.
    pub(crate) exit_code: u8,
    /// Why it could not be started.
    pub(crate) error: String,
    /// Whether somebody has stopped it.
    pub(crate) was_stopped: bool,
    /// How often it was started by its policy.
    pub(crate) restarts: u32,
    /// Which of its processes this is.
    pub(crate) run: u32,
}

/// A state of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Status {
    /// It was never started.
    #[default]
    Created,
    /// Its process runs.
    Running,
    /// Its process is held.
    Paused,
    /// Its process has ended and is about to be started again.
    Restarting,
    /// Its process has ended.
    Exited,
}

impl Status {
    /// Returns its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Exited => "exited",
        }
    }

    /// Returns whether there is a process.
    pub(crate) fn is_alive(self) -> bool {
        matches!(self, Self::Running | Self::Paused | Self::Restarting)
    }
}

/// Where something is printed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Error,
}

/// A line of a log, without its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// When it was printed.
    pub(crate) at: Duration,
    /// Where to.
    pub(crate) stream: Stream,
    /// What.
    pub(crate) text: String,
    /// Whether its end was printed, too.
    pub(crate) is_whole: bool,
}

impl Container {
    /// Says how it is, as listings do.
    pub(crate) fn status(&self, now: Duration) -> String {
        let since =
            |time: Option<Duration>| names::span(now.saturating_sub(time.unwrap_or(self.created)));
        let state = &self.state;
        match state.status {
            Status::Created => "Created".to_owned(),
            Status::Running => match super::msr::health(self, now) {
                "none" => format!("Up {}", since(state.started)),
                "starting" => format!("Up {} (health: starting)", since(state.started)),
                health => format!("Up {} ({health})", since(state.started)),
            },
            Status::Paused => format!("Up {} (Paused)", since(state.started)),
            Status::Restarting => {
                format!(
                    "Restarting ({}) {} ago",
                    state.exit_code,
                    since(state.finished)
                )
            }
            Status::Exited => format!("Exited ({}) {} ago", state.exit_code, since(state.finished)),
        }
    }

    /// Returns the value of a variable of its environment.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        let pairs = self.spec.environment.iter().rev();
        pairs
            .filter_map(|pair| pair.split_once('='))
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// Adds a line to the log.
    pub(crate) fn print(&mut self, at: Duration, stream: Stream, text: impl Into<String>) {
        let text = text.into();
        self.keep(Line {
            at,
            stream,
            text,
            is_whole: true,
        });
    }

    /// Adds a line to the log that may have no end.
    pub(crate) fn print_part(&mut self, at: Duration, stream: Stream, text: &str) {
        let whole = text.strip_suffix('\n');
        self.keep(Line {
            at,
            stream,
            text: whole.unwrap_or(text).to_owned(),
            is_whole: whole.is_some(),
        });
    }

    fn keep(&mut self, line: Line) {
        /// How many lines are kept.
        const KEPT: usize = 20_000;
        if self.log.len() < KEPT {
            self.log.push(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_read() {
        for (text, wanted) in [
            ("no", Some(Restart::No)),
            ("unless-stopped", Some(Restart::UnlessStopped)),
            ("on-failure:3", Some(Restart::OnFailure(3))),
            ("sometimes", None),
            ("always:3", None),
        ] {
            assert_eq!(Restart::parse(text), wanted, "{text}");
        }
    }
}
