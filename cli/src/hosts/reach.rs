//! The handles of hosts outside of a run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use config::Config;
use futures_util::StreamExt as _;
use phase::{Emitter, Envelope, Event, Failure, HostId, Sink};
use product::mke::connect::{Connecting, Way};
use rig::command::{Command, Effect};
use rig::os::OsRelease;
use rig::retry::Backoff;
use rig::{CommandError, ConnectError, Connector, Host};

use super::selection::{self, Chosen, Reach};
use super::writer::Writer;
use crate::arguments::{ClusterOptions, Common, HostSelection};
use crate::confirm::Confirmer;
use crate::error::CliError;
use crate::session::{self, on};
use crate::world::World;

/// How many hosts are asked for their operating system at the same time.
const ASKED_AT_ONCE: usize = 64;
/// How long that question may take.
const ASKING: Duration = Duration::from_secs(30);

/// Tells the ID of os-release; Windows has neither.
const OS: &str = "cat /etc/os-release 2>/dev/null || cat /usr/lib/os-release";

fn ways(chosen: &[Chosen]) -> Vec<(&str, &config::Connection)> {
    let ways = chosen
        .iter()
        .map(|one| (one.name.as_str(), &one.connection));
    ways.collect()
}

impl Chosen {
    fn way(&self) -> Way<'_> {
        Way {
            connection: &self.connection,
            sudo_override: self.sudo_override,
            sudo_docker: self.sudo_docker,
        }
    }
}

/// How hosts are reached.
pub(crate) struct Hosts {
    connecting: Connecting,
}

impl Hosts {
    /// Prepares to reach hosts: asks for passphrases, and connects to none of them yet.
    pub(crate) async fn prepare(
        world: &mut World,
        common: &Common,
        cluster: &ClusterOptions,
        config: &Config,
        chosen: &[Chosen],
        writer: &Writer,
    ) -> Result<Self, CliError> {
        let connector = session::prepare(world, cluster, &ways(chosen)).await?;
        let writes = (writer, chosen.len());
        Ok(Self::of(
            world,
            (common, cluster),
            config,
            connector,
            writes,
        ))
    }

    /// Prepares as [`Hosts::prepare`] does; hosts that cannot be connected to are returned by name.
    pub(crate) async fn prepare_some(
        world: &mut World,
        common: &Common,
        cluster: &ClusterOptions,
        config: &Config,
        chosen: &[Chosen],
        writer: &Writer,
    ) -> Result<(Self, BTreeMap<String, Arc<ConnectError>>), CliError> {
        let (connector, unprepared) = session::open(world, cluster, &ways(chosen)).await?;
        let writes = (writer, chosen.len());
        let hosts = Self::of(world, (common, cluster), config, connector, writes);
        let unprepared = unprepared.into_iter().filter_map(|one| {
            let name = chosen.get(one.index)?.name.clone();
            Some((name, Arc::new(one.error)))
        });
        Ok((hosts, unprepared.collect()))
    }

    fn of(
        world: &mut World,
        (common, cluster): (&Common, &ClusterOptions),
        config: &Config,
        connector: Arc<dyn Connector>,
        (writer, count): (&Writer, usize),
    ) -> Self {
        session::warn_of_few_files(world, count);
        let teller = Teller {
            writer: writer.clone(),
            shows_commands: session::is_debug(world, common),
        };
        let connecting = Connecting {
            connector,
            emitter: Emitter::new(vec![Arc::new(teller)]),
            redactor: session::redactor(cluster, config, &[]),
            limits: rig::limits::SharedLimits::default(),
            backoff: Backoff {
                deadline: Duration::from_secs(10),
                ..Backoff::default()
            },
            dry_run: false,
            confirm: on(cluster.confirm)
                .then(|| Arc::new(Confirmer::new(Arc::clone(&world.ask))) as Arc<dyn rig::Confirm>),
        };
        Self { connecting }
    }

    /// Tells nothing on the way any more, such as that connecting is tried once more.
    pub(crate) fn silent(mut self) -> Self {
        self.connecting.emitter = Emitter::new(Vec::new());
        self
    }

    /// Makes the handle of a host that is not connected to yet; `number` tells it from others.
    pub(crate) fn handle(&self, number: usize, chosen: &Chosen) -> Host {
        self.connecting
            .handle(HostId(number), &chosen.name, &chosen.way())
    }

    /// Connects to a host; `number` tells it from others.
    pub(crate) async fn open(&self, number: usize, chosen: &Chosen) -> Result<Host, Failure> {
        let way = chosen.way();
        let opened = self
            .connecting
            .open_way(HostId(number), &chosen.name, &way)
            .await;
        opened.map_err(|failure| failure.on_host(&chosen.name))
    }

    /// Asks hosts for their operating system; those that do not answer are not in it.
    pub(crate) async fn systems(&self, chosen: &[Chosen]) -> BTreeMap<String, String> {
        let asked = chosen.iter().enumerate().map(|(number, one)| async move {
            let system = self.system(number, one).await?;
            Some((one.name.clone(), system))
        });
        let asked = asked.collect::<Vec<_>>();
        let answers = futures_util::stream::iter(asked).buffer_unordered(ASKED_AT_ONCE);
        answers.filter_map(std::future::ready).collect().await
    }

    async fn system(&self, number: usize, chosen: &Chosen) -> Option<String> {
        if matches!(chosen.connection, config::Connection::WinRm(_)) {
            return Some("windows".to_owned());
        }
        let host = self.open(number, chosen).await.ok()?;
        let command = Command::script(OS, Effect::Read).timeout(ASKING);
        let answer = host.run(command).await;
        host.close().await;
        Some(OsRelease::parse(&answer.ok()?.stdout_text()).id)
    }
}

/// Returns the hosts that are meant, and how they are reached.
pub(crate) async fn chosen(
    world: &mut World,
    (common, cluster): (&Common, &ClusterOptions),
    hosts: &HostSelection,
    reach: Reach,
    writer: &Writer,
) -> Result<(Hosts, Vec<Chosen>), CliError> {
    let loaded = session::load(world, cluster).await?;
    let config = loaded.config;
    let mut chosen = selection::candidates(&config, hosts)?;
    if hosts.os.is_none() {
        chosen = selection::settle(chosen, hosts, reach)?;
    }
    let reached = Hosts::prepare(world, common, cluster, &config, &chosen, writer).await?;
    if let Some(os) = &hosts.os {
        let systems = tokio::select! {
            systems = reached.systems(&chosen) => systems,
            Some(signal) = world.signals.recv() => return Err(CliError::Interrupted(signal)),
        };
        let kept = selection::keep_os(chosen, os, &systems);
        chosen = selection::settle(kept, hosts, reach)?;
    }
    Ok((reached, chosen))
}

/// Returns a command's error as a failure of its host.
pub(crate) fn failure(message: &str, name: &str, error: &CommandError) -> Failure {
    let mut failure = Failure::new(message).caused_by(error).on_host(name);
    if let Some(hint) = error.hint() {
        failure = failure.hint(hint);
    }
    if error.is_connection_lost() {
        failure = failure.unreachable();
    }
    failure
}

/// Tells on standard error what takes a user's patience.
struct Teller {
    writer: Writer,
    shows_commands: bool,
}

impl Sink for Teller {
    fn receive(&self, envelope: &Envelope) {
        let line = match &envelope.event {
            Event::Retrying {
                host,
                what,
                delay_ms,
                error,
                ..
            } => {
                let seconds = delay_ms.div_ceil(1000).max(1);
                format!("{host}: {error}; once more ({what}) in {seconds} s")
            }
            Event::CommandStarted { host, command, .. } if self.shows_commands => {
                format!("{host}: $ {command}")
            }
            Event::CommandFinished { host, status, .. } if self.shows_commands => {
                format!("{host}: {status}")
            }
            _ => return,
        };
        self.writer.say(&line);
    }
}
