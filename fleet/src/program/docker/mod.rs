//! The docker command.
//!
//! | module | holds |
//! |---|---|
//! | [`archive`] | `save`, `load` |
//! | [`container`] | `rm`, `stop`, `wait`, … |
//! | [`copy`] | `cp` |
//! | [`exec`] | `exec` |
//! | [`flags`] | the reader of its command line |
//! | [`history`] | `history` |
//! | [`image`] | `pull`, `images`, `login`, … |
//! | [`info`] | `info` as lines |
//! | [`inspect`] | `inspect`, of everything |
//! | [`listing`] | tables, and the templates of `--format` |
//! | [`logs`] | `logs`, and what those see who are attached |
//! | [`look`] | `top`, `stats`, `port` |
//! | [`network`], [`volume`] | networks and volumes |
//! | [`node`] | `node` |
//! | [`object`] | `config`, `secret` |
//! | [`ps`] | `ps` |
//! | [`push`] | `push` |
//! | [`mod@run`] | `run`, `create` |
//! | [`service`] | `service` |
//! | [`swarm`] | `swarm` |
//! | [`system`] | `info`, `version`, `system` |

mod archive;
mod container;
mod copy;
mod exec;
mod flags;
mod history;
mod image;
mod info;
mod inspect;
mod listing;
mod logs;
mod look;
mod network;
mod node;
mod object;
mod ps;
mod push;
mod run;
mod service;
mod swarm;
mod system;
#[cfg(test)]
mod tests;
mod volume;

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{Invocation, Program};
use crate::engine::registry::Login;
use crate::engine::swarm::objects::Kind;
use crate::engine::{self, Refusal, api, show};
use crate::host::{Host, Init};
use crate::systemd::Active;
use crate::world::{HostId, World};
use flags::{Flag, Flags};

/// The programs of this module.
pub(crate) const PROGRAMS: &[Program] = &[Program {
    name: "docker",
    run,
}];

/// How long the command takes to start, and the engine to answer.
const TAKES: Duration = Duration::from_millis(45);

/// The longest time without a look at a container that is waited for.
const LOOK: Duration = Duration::from_millis(500);

/// What comes of a command: its exit status.
type Outcome = Result<u8, Failure>;

/// Why a command fails.
#[derive(Debug)]
enum Failure {
    /// It says so.
    Said(String, u8),
    /// It was given a flag that there is not.
    NoFlag(String),
    /// It is not simulated.
    NotSimulated(String),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Said(
            format!("Error response from daemon: {}", refusal.message.trim_end()),
            1,
        )
    }
}

fn said(text: impl Into<String>) -> Failure {
    Failure::Said(text.into(), 1)
}

fn unknown(what: impl Into<String>) -> Failure {
    Failure::NotSimulated(what.into())
}

/// One run of the command.
struct Docker<'a> {
    invocation: &'a mut Invocation,
}

fn run(invocation: &mut Invocation) -> BoxFuture<'_, u8> {
    Box::pin(async move {
        let mut docker = Docker { invocation };
        let outcome = docker.dispatch().await;
        match outcome {
            Ok(status) => status,
            Err(Failure::Said(text, status)) => {
                docker.invocation.complain(&text);
                status
            }
            Err(Failure::NoFlag(flag)) => {
                let command = command_of(&docker.invocation.arguments);
                docker
                    .invocation
                    .complain(&format!("unknown {flag}\nSee 'docker {command} --help'."));
                125
            }
            Err(Failure::NotSimulated(what)) => docker.invocation.not_simulated(&what),
        }
    })
}

/// Commands that have commands.
const GROUPS: &[&str] = &[
    "builder",
    "config",
    "container",
    "context",
    "image",
    "manifest",
    "network",
    "node",
    "plugin",
    "secret",
    "service",
    "stack",
    "swarm",
    "system",
    "trust",
    "volume",
];

/// Returns the words of a command line that say which command it is.
fn command_of(words: &[String]) -> String {
    let global = Flags::parse_until_word(GLOBAL, words);
    let words = global.map(|global| global.rest).unwrap_or_default();
    let count = match words.first() {
        Some(first) if GROUPS.contains(&first.as_str()) => 2,
        _ => 1,
    };
    words
        .iter()
        .take(count)
        .cloned()
        .collect::<Vec<_>>()
        .join(" ")
}

/// Flags before the command.
const GLOBAL: &[Flag] = &[
    Flag::value("config"),
    Flag::value("host").short('H'),
    Flag::value("log-level").short('l'),
    Flag::switch("debug").short('D'),
    Flag::switch("version").short('v'),
];

impl Docker<'_> {
    async fn dispatch(&mut self) -> Outcome {
        self.invocation.spend(TAKES).await;
        let words = self.invocation.arguments.clone();
        let global = Flags::parse_until_word(GLOBAL, &words)?;
        if let Some(directory) = global.value("config") {
            let environment = &mut self.invocation.environment;
            environment.insert("DOCKER_CONFIG", directory);
        }
        if let Some(host) = global.value("host")
            && !host.ends_with("/var/run/docker.sock")
        {
            return Err(unknown(format!("the engine at {host}")));
        }
        if global.has("version") {
            return self.print_version();
        }
        let words: Vec<&str> = global.rest.iter().map(String::as_str).collect();
        let Some((command, rest)) = words.split_first() else {
            return Err(unknown("its help"));
        };
        match (*command, rest) {
            ("info", rest) | ("system", ["info", rest @ ..]) => self.info(rest).await,
            ("version", rest) => self.version(rest).await,
            ("system", rest) => self.system(rest).await,
            ("inspect", rest) => self.inspect(rest, None).await,
            ("container", rest) => match rest.split_first() {
                Some((word, rest)) => self.container(word, rest).await,
                None => Err(unknown("the help of container")),
            },
            ("image", rest) => self.image(rest).await,
            ("images", rest) => self.images(rest).await,
            ("rmi", rest) => self.remove_images(rest).await,
            ("pull" | "push" | "tag" | "load" | "save" | "history", rest) => {
                self.image(&[&[*command], rest].concat()).await
            }
            ("login", rest) => self.log_in(rest).await,
            ("logout", rest) => self.log_out(rest).await,
            ("volume", rest) => self.volume(rest).await,
            ("network", rest) => self.network(rest).await,
            ("config", rest) => self.object(Kind::Config, rest).await,
            ("secret", rest) => self.object(Kind::Secret, rest).await,
            ("node", rest) => self.node(rest).await,
            ("service", rest) => self.service(rest).await,
            ("swarm", rest) => self.swarm(rest).await,
            ("stack", ["ls", rest @ ..]) => self.list_stacks(rest).await,
            ("plugin", ["ls", rest @ ..]) => self.list_plugins(rest).await,
            (word, rest) => self.container(word, rest).await,
        }
    }

    fn host(&self) -> HostId {
        self.invocation.host
    }

    /// Does something with the engine, as far as nothing keeps the command from reaching it.
    async fn engine<T>(
        &mut self,
        work: impl FnOnce(&mut World, HostId, Duration) -> Result<T, Refusal>,
    ) -> Result<T, Failure> {
        self.reach().await?;
        let host = self.host();
        let done = engine::enter(&self.invocation.fleet, |world, now| work(world, host, now));
        done.map_err(|refusal| self.in_words_of_client(refusal))
    }

    /// Says why the engine refuses. Before version 25, the command had words of its own for what is
    /// not there (rows of `tests/parity/recorded/manager`, with 20.10).
    fn in_words_of_client(&self, refusal: Refusal) -> Failure {
        if !refusal.is_missing() || show::info::major(&self.client_version()) >= 25 {
            return Failure::from(refusal);
        }
        let words: Vec<&str> = refusal.message.split(' ').collect();
        match words.as_slice() {
            [kind, name, "not", "found"] => said(format!("Error: No such {kind}: {name}")),
            ["get", name, "no", "such", "volume"] => said(format!(
                "Error: No such volume: {}",
                name.trim_end_matches(':')
            )),
            _ => Failure::from(refusal),
        }
    }

    /// Waits for the engine, and fails where it cannot be reached.
    async fn reach(&mut self) -> Result<(), Failure> {
        if !self.may_reach() {
            return Err(said(format!(
                "permission denied while trying to connect to the Docker daemon socket at \
                 unix:///var/run/docker.sock: Get \
                 \"http://%2Fvar%2Frun%2Fdocker.sock/{}\": dial unix /var/run/docker.sock: \
                 connect: permission denied",
                self.asks_for()
            )));
        }
        let (fleet, host) = (self.invocation.fleet.clone(), self.host());
        if fleet.world(|world| world.engine(host).hangs) {
            self.invocation.flush().await;
            api::wait_while_it_hangs(&fleet, host).await;
        }
        while self.invocation.host(is_on_its_way) {
            self.invocation.flush().await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        if fleet.world(|world| world.engine(host).is_running) {
            Ok(())
        } else {
            Err(said(CANNOT_CONNECT))
        }
    }

    /// Returns what the command asks the engine for first. Where it could not ask for the version of
    /// the API, it speaks the oldest.
    fn asks_for(&self) -> String {
        let command = command_of(&self.invocation.arguments);
        match command.as_str() {
            "ps" | "container ls" | "container ps" => "v1.24/containers/json".to_owned(),
            "version" => "v1.24/version".to_owned(),
            "images" | "image ls" => "v1.24/images/json".to_owned(),
            _ => format!("v{}/info", show::info::api_version(&self.client_version())),
        }
    }

    /// Returns whether the user may use the socket: root, and the group docker.
    fn may_reach(&self) -> bool {
        let credentials = &self.invocation.credentials;
        if credentials.uid == 0 {
            return true;
        }
        let groups = self.invocation.host(|host| host.files.text("/etc/group"));
        let groups = groups.unwrap_or_default();
        let mut lines = groups
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>());
        let docker = lines.find(|fields| fields.first() == Some(&"docker"));
        let id = docker.and_then(|fields| fields.get(2)?.parse::<u32>().ok());
        id.is_some_and(|id| credentials.gid == id || credentials.groups.contains(&id))
    }

    /// Returns the version of this command.
    fn client_version(&self) -> String {
        let host = self.host();
        let version = self
            .invocation
            .world(|world| world.engine(host).version.clone());
        if version.is_empty() {
            "25.0.9".to_owned()
        } else {
            version
        }
    }

    /// Sleeps until something may have happened.
    async fn wait(&mut self) {
        let (next, changes) = engine::enter(&self.invocation.fleet, |world, now| {
            let next = world.engines.queue.next();
            let changes = std::sync::Arc::clone(&world.engines.changes);
            (next.map(|next| next.saturating_sub(now)), changes)
        });
        let shortest = Duration::from_millis(20);
        let wait = next.unwrap_or(LOOK).clamp(shortest, LOOK);
        tokio::select! {
            biased;
            () = changes.notified() => {}
            () = self.invocation.sleep(wait) => {}
        }
    }

    /// Does something for each name; what cannot be done is told, and the others go on.
    async fn each(
        &mut self,
        names: &[String],
        mut work: impl FnMut(&mut World, HostId, Duration, &str) -> Result<String, Refusal>,
    ) -> Outcome {
        let mut status = 0;
        for name in names {
            let done = self
                .engine(|world, host, now| work(world, host, now, name))
                .await;
            match done {
                Ok(text) => self.invocation.print(&format!("{text}\n")),
                Err(Failure::Said(text, code)) => {
                    self.invocation.complain(&text);
                    status = code;
                }
                Err(other) => return Err(other),
            }
        }
        Ok(status)
    }

    /// Returns the file in which logins are.
    fn config_path(&self) -> String {
        let directory = self.invocation.variable("DOCKER_CONFIG").map(str::to_owned);
        let home = || {
            let home = self.invocation.variable("HOME").unwrap_or("/root");
            format!("{home}/.docker")
        };
        let directory = directory
            .filter(|text| !text.is_empty())
            .unwrap_or_else(home);
        self.invocation.path(&format!("{directory}/config.json"))
    }

    /// Returns the login for a registry that the user has.
    fn login_for(&self, domain: &str) -> Option<Login> {
        use base64::Engine as _;
        let path = self.config_path();
        let who = self.invocation.credentials.clone();
        let text = self.invocation.host(|host| {
            let content = host.files.read(&path, &who).ok()?;
            Some(content.text().into_owned())
        })?;
        let config: serde_json::Value = serde_json::from_str(&text).ok()?;
        let auth = config["auths"][image::server(domain)]["auth"]
            .as_str()?
            .to_owned();
        let auth = base64::prelude::BASE64_STANDARD.decode(auth).ok()?;
        let auth = String::from_utf8(auth).ok()?;
        let (username, password) = auth.split_once(':')?;
        Some(Login {
            username: username.to_owned(),
            password: password.to_owned(),
        })
    }
}

/// What the command says where no engine listens.
/// Returns whether an engine is about to come up. Its socket is there before it is: who connects waits.
fn is_on_its_way(host: &mut Host) -> bool {
    if host.init != Init::Systemd {
        // Nobody listens for it.
        return false;
    }
    let service = host.systemd.state("docker.service");
    let is_starting = service.active == Active::Activating && service.sub != "auto-restart";
    let is_wanted = || {
        host.files
            .exists("/etc/systemd/system/multi-user.target.wants/docker.service")
    };
    !host.engine.is_running
        && (is_starting
            || host.systemd.is_booting && service.active == Active::Inactive && is_wanted())
}

const CANNOT_CONNECT: &str = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. \
                              Is the docker daemon running?";

/// Synopses and summaries of commands, as they stand behind complaints about arguments.
const SYNOPSES: &[(&str, &str, &str)] = &[
    (
        "run",
        "[OPTIONS] IMAGE [COMMAND] [ARG...]",
        "Run a command in a new container",
    ),
    ("swarm leave", "[OPTIONS]", "Leave the swarm"),
    (
        "swarm join",
        "[OPTIONS] HOST:PORT",
        "Join a swarm as a node and/or manager",
    ),
    (
        "rm",
        "[OPTIONS] CONTAINER [CONTAINER...]",
        "Remove one or more containers",
    ),
    (
        "tag",
        "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
        "Create a tag TARGET_IMAGE that refers to \
      SOURCE_IMAGE",
    ),
    (
        "inspect",
        "[OPTIONS] NAME|ID [NAME|ID...]",
        "Return low-level information on Docker objects",
    ),
    ("node update", "[OPTIONS] NODE", "Update a node"),
    (
        "pull",
        "[OPTIONS] NAME[:TAG|@DIGEST]",
        "Pull an image or a repository from a registry",
    ),
];

/// Says that arguments are missing, or too many, as the command does.
fn usage(command: &str, wants: &str) -> Failure {
    let known = SYNOPSES.iter().find(|(name, ..)| *name == command);
    let more = known.map_or_else(String::new, |(_, synopsis, summary)| {
        format!("\n\nUsage:  docker {command} {synopsis}\n\n{summary}")
    });
    said(format!(
        "\"docker {command}\" {wants}.\nSee 'docker {command} --help'.{more}"
    ))
}

/// Fails where there is an argument.
fn none(flags: &Flags, command: &str) -> Result<(), Failure> {
    match flags.rest.is_empty() {
        true => Ok(()),
        false => Err(usage(command, "accepts no arguments")),
    }
}

/// Fails unless there is at least one argument.
fn some(flags: &Flags, command: &str) -> Result<(), Failure> {
    if flags.rest.is_empty() {
        return Err(usage(command, "requires at least 1 argument"));
    }
    Ok(())
}

/// Returns the only argument.
fn only<'a>(flags: &'a Flags, command: &str) -> Result<&'a str, Failure> {
    match flags.rest.as_slice() {
        [one] => Ok(one),
        _ => Err(usage(command, "requires exactly 1 argument")),
    }
}
