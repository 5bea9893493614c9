//! The questions of `init`: each has an answer that Enter takes, and what flags say is not asked.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::{Source, Starter, USUAL_MKE, fitting_channel, propose_managers};

use super::inventory;
use crate::arguments::InitArguments;
use crate::error::CliError;
use crate::session;
use crate::world::World;

/// How often a question is asked before the interview is given up.
const MOST_TRIES: usize = 5;
/// Keys that are proposed first, as `ssh` looks for them.
const USUAL_KEYS: [&str; 3] = ["id_ed25519", "id_ecdsa", "id_rsa"];

/// Asks for what is not known. Where nobody can be asked, everything stays as it is.
pub(super) async fn hold(
    world: &mut World,
    arguments: &InitArguments,
    known: Starter,
) -> Result<Starter, CliError> {
    let mut interview = Interview {
        world,
        has_begun: false,
    };
    match interview.ask_all(arguments, known.clone()).await {
        Err(Left::Nobody) => Ok(known),
        Err(Left::Failed(error)) => Err(error),
        Ok(starter) => Ok(starter),
    }
}

/// Why an interview has ended early.
enum Left {
    /// There is nobody to ask.
    Nobody,
    /// Something went wrong, or the person has left.
    Failed(CliError),
}

impl From<CliError> for Left {
    fn from(error: CliError) -> Self {
        Self::Failed(error)
    }
}

struct Interview<'w> {
    world: &'w mut World,
    has_begun: bool,
}

impl Interview<'_> {
    async fn ask_all(
        &mut self,
        arguments: &InitArguments,
        mut known: Starter,
    ) -> Result<Starter, Left> {
        if known.name.is_none() {
            let name = self.ask("Name of the cluster", "my-cluster", named).await?;
            known.name = Some(name);
        }
        if known.mke_version.is_none() {
            let version = self.ask("Version of MKE", USUAL_MKE, of_version).await?;
            known.mke_version = Some(version);
        }
        let version = known.mke_version.as_deref().unwrap_or(USUAL_MKE);
        if known.channel.is_none() && fitting_channel(version).is_none() {
            let question = format!("Channel of the engine for MKE {version}");
            let channel = self
                .ask(&question, "leave it to be done", from_channel)
                .await?;
            known.channel = channel;
        }
        known.hosts = self.ask_for_hosts().await?;
        if known.hosts.is_empty() {
            return Ok(known);
        }
        if known.user.is_none() && known.hosts.iter().any(|host| host.user.is_none()) {
            let user = self
                .ask("Login user of the hosts", "root", logging_in)
                .await?;
            known.user = Some(user);
        }
        if known.key.is_none() && known.hosts.iter().any(|host| host.key.is_none()) {
            known.key = self.ask_for_key().await?;
        }
        self.ask_for_roles(arguments, known).await
    }

    async fn ask_for_hosts(&mut self) -> Result<Vec<config::ListedHost>, Left> {
        let question = "Hosts (10.0.0.11-10.0.0.15, node[01-05].example.com, or a file with one on each \
                        line)";
        let place = Place::of(self.world);
        let read = move |text: &str| {
            let path = place.path(text);
            if text == LATER {
                Ok(Vec::new())
            } else if path.is_file() {
                inventory(&path).map_err(|error| error.text())
            } else {
                config::parse_hosts(text).map_err(|error| error.to_string())
            }
        };
        self.ask(question, LATER, read).await
    }

    /// Proposes the keys that are there.
    async fn ask_for_key(&mut self) -> Result<Option<String>, Left> {
        let found = keys(self.world.home.as_deref());
        let usual = found.first().map_or(NO_KEY, String::as_str);
        if found.len() > 1 {
            self.world.say(&format!("Keys: {}", found.join(", ")));
        }
        let place = Place::of(self.world);
        let read = move |text: &str| {
            if text == NO_KEY || text == "-" {
                return Ok(None);
            }
            if place.path(text).is_file() {
                return Ok(Some(text.to_owned()));
            }
            Err(format!(
                "there is no file `{text}`; `-` is no key of its own"
            ))
        };
        self.ask("Private key", usual, read).await
    }

    async fn ask_for_roles(
        &mut self,
        arguments: &InitArguments,
        mut known: Starter,
    ) -> Result<Starter, Left> {
        let total = known.hosts.len();
        let has_roles = known.hosts.iter().any(|host| host.role.is_some());
        let is_asked = arguments.kind.is_none() && arguments.msr_hosts.is_none() && !has_roles;
        if is_asked && total > 1 {
            let starter = known.clone();
            let count = move |text: &str| {
                let msr_hosts = number(text)?;
                let starter = Starter {
                    msr_hosts,
                    ..starter.clone()
                };
                starter.to_yaml().map_err(|error| error.to_string())?;
                Ok(msr_hosts)
            };
            let question = "Hosts for Mirantis Secure Registry";
            known.msr_hosts = self.ask(question, "0", count).await?;
        }
        if known.managers.is_none() && !has_roles {
            let rest = total.saturating_sub(known.msr_hosts);
            let usual = propose_managers(rest).to_string();
            let starter = known.clone();
            let count = move |text: &str| {
                let managers = number(text)?;
                let starter = Starter {
                    managers: Some(managers),
                    ..starter.clone()
                };
                starter.to_yaml().map_err(|error| error.to_string())?;
                Ok(managers)
            };
            let question = format!("Managers among {rest} hosts");
            known.managers = Some(self.ask(&question, &usual, count).await?);
        }
        Ok(known)
    }

    /// Asks until an answer can be read; Enter takes the usual one.
    async fn ask<T>(
        &mut self,
        question: &str,
        usual: &str,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Left> {
        let text = format!("{question} [{usual}]: ");
        for _ in 0..MOST_TRIES {
            let ask = Arc::clone(&self.world.ask);
            let line = text.clone();
            let answer = session::interruptible(self.world, move || ask.line(&line))
                .await?
                .map_err(|source| CliError::Local {
                    what: "cannot ask".to_owned(),
                    source,
                })?;
            let Some(answer) = answer else {
                return Err(if self.has_begun {
                    Left::Failed(CliError::NotConfirmed)
                } else {
                    Left::Nobody
                });
            };
            self.has_begun = true;
            let answer = answer.trim();
            match read(if answer.is_empty() { usual } else { answer }) {
                Ok(value) => return Ok(value),
                Err(why) => self.world.say(&format!("{why}; once more:")),
            }
        }
        let message = format!("no answer to `{question}` that could be used: nothing was written");
        Err(Left::Failed(CliError::Usage(message)))
    }
}

/// Where paths start that a person types.
struct Place {
    home: Option<PathBuf>,
    current_dir: PathBuf,
}

impl Place {
    fn of(world: &World) -> Self {
        Self {
            home: world.home.clone(),
            current_dir: world.current_dir.clone(),
        }
    }

    fn path(&self, text: &str) -> PathBuf {
        match (text.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => self.current_dir.join(text),
        }
    }
}

/// Hosts are left to be done.
const LATER: &str = "later";
/// Keys are left to the agent and to ssh_config.
const NO_KEY: &str = "that of ssh";

fn number(text: &str) -> Result<usize, String> {
    text.parse()
        .map_err(|_error| format!("`{text}` is no number of hosts"))
}

/// Reads an answer as loading would: the whole configuration with it has to be right.
fn tried(starter: &Starter, text: &str) -> Result<String, String> {
    let yaml = starter.to_yaml().map_err(|error| error.to_string())?;
    let source = Source {
        name: String::new(),
        text: yaml.into_bytes(),
    };
    match config::load(source, &Empty) {
        Ok(loaded) => match super::short_version(&loaded) {
            Some(short) => Err(short.to_owned()),
            None => Ok(text.to_owned()),
        },
        Err(problems) => Err(problems
            .items
            .first()
            .map_or_else(String::new, |one| one.message.clone())),
    }
}

fn named(text: &str) -> Result<String, String> {
    let name = Some(text.to_owned());
    tried(
        &Starter {
            name,
            ..Starter::default()
        },
        text,
    )
}

fn of_version(text: &str) -> Result<String, String> {
    let mke_version = Some(text.to_owned());
    tried(
        &Starter {
            mke_version,
            ..Starter::default()
        },
        text,
    )
}

fn from_channel(text: &str) -> Result<Option<String>, String> {
    if text.contains(' ') {
        return Ok(None);
    }
    let channel = Some(text.to_owned());
    tried(
        &Starter {
            channel,
            ..Starter::default()
        },
        text,
    )
    .map(Some)
}

fn logging_in(text: &str) -> Result<String, String> {
    let user = Some(text.to_owned());
    let hosts = config::parse_hosts("10.0.0.1").map_err(|error| error.to_string())?;
    tried(
        &Starter {
            user,
            hosts,
            ..Starter::default()
        },
        text,
    )
}

/// A machine with nothing on it: answers stand for themselves.
struct Empty;

impl config::World for Empty {
    fn var(&self, _name: &str) -> Option<String> {
        None
    }

    fn home(&self) -> Option<PathBuf> {
        None
    }

    fn current_dir(&self) -> PathBuf {
        PathBuf::from("/")
    }

    fn read(&self, _path: &Path) -> std::io::Result<Vec<u8>> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

/// Returns the private keys in `~/.ssh`, those that `ssh` looks for first.
fn keys(home: Option<&Path>) -> Vec<String> {
    let Some(folder) = home.map(|home| home.join(".ssh")) else {
        return Vec::new();
    };
    // A folder that is not there, or that nobody may read, has no key to propose.
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| is_private_key(&entry.path()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort_by_key(|name| {
        let place = USUAL_KEYS.iter().position(|usual| usual == name);
        (place.unwrap_or(USUAL_KEYS.len()), name.clone())
    });
    names
        .into_iter()
        .map(|name| format!("~/.ssh/{name}"))
        .collect()
}

/// Whether a file begins like a private key.
fn is_private_key(path: &Path) -> bool {
    let mut head = Vec::new();
    let is_file = path.metadata().is_ok_and(|found| found.is_file());
    let read = File::open(path)
        .ok()
        .filter(|_| is_file)
        .and_then(|file| file.take(64).read_to_end(&mut head).ok());
    let text = String::from_utf8_lossy(&head);
    let first = text.lines().next().unwrap_or_default();
    read.is_some() && first.starts_with("-----BEGIN ") && first.contains("PRIVATE KEY")
}
