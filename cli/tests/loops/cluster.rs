//! Four hosts, and commands that are run on them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cli::rehearsal::{self, Setting};
use cli::world::{Recording, Stream};
use fleet::build::HostSpec;
use fleet::host::Init;
use fleet::{Fleet, HostId};
use phase::{Envelope, Sink};
use tokio::sync::mpsc::UnboundedReceiver;

/// A time, as any other.
const EPOCH: Duration = Duration::from_secs(1_795_000_000);

/// What must be seen nowhere.
pub(crate) const SECRET: &str = "correct-horse-battery";

/// The hosts: name and last byte of the address.
pub(crate) const HOSTS: [(&str, u8); 4] = [("m1", 11), ("m2", 12), ("m3", 13), ("w1", 21)];

/// The bastion, which is the host after them: name and last byte of the address.
pub(crate) const BASTION: (&str, u8) = ("b1", 250);

/// The hosts in the order in which they are named.
pub(crate) const ORDER: [usize; 4] = [0, 1, 2, 3];

/// Does something in a time of its own.
pub(crate) fn in_its_own_time<T>(work: impl Future<Output = T>) -> T {
    rehearsal::runtime().unwrap().block_on(work)
}

/// What a host is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Machine {
    /// Ubuntu 22.04.
    Plain,
    /// The same, with OpenRC in place of systemd.
    OpenRc,
    /// Ubuntu 26.04: coreutils of uutils, sudo-rs.
    Rust,
}

/// Lets what still goes on come to its end.
pub(crate) async fn settle() {
    tokio::time::sleep(Duration::from_secs(120)).await;
}

/// What a command left behind.
pub(crate) struct Ran {
    /// Its exit status.
    pub(crate) status: u8,
    /// Everything that it printed.
    pub(crate) printed: String,
    /// Everything that it told its sinks, as JSON.
    pub(crate) told: String,
}

/// A cluster that is worked on.
pub(crate) struct Cluster {
    pub(crate) fleet: Fleet,
    /// The order of the hosts in the configuration.
    pub(crate) order: Vec<usize>,
    /// Whether the hosts are reached through a bastion.
    pub(crate) has_bastion: bool,
    /// Whether the configuration asks for more than it did at first.
    pub(crate) is_changed: bool,
    /// Whether what it asks for then has a proxy.
    pub(crate) has_proxy: bool,
}

impl Cluster {
    /// Returns four bare hosts. With one seed of eight, what runs their services is OpenRC; with another
    /// they have Ubuntu 26.04, and with a third some of them.
    pub(crate) fn new(seed: u64, order: &[usize]) -> Self {
        let machines = match seed % 8 {
            2 => [Machine::Rust; 4],
            5 => [Machine::Rust, Machine::Plain, Machine::Plain, Machine::Rust],
            7 => [Machine::OpenRc; 4],
            _ => [Machine::Plain; 4],
        };
        Self::with(seed, order, machines)
    }

    /// Returns four bare hosts of these kinds.
    pub(crate) fn with(seed: u64, order: &[usize], machines: [Machine; 4]) -> Self {
        let fleet = Fleet::new(seed, EPOCH);
        for ((name, last), machine) in HOSTS.into_iter().zip(machines) {
            let mut spec = HostSpec::new(name, [10, 0, 0, last].into());
            match machine {
                Machine::Plain => {}
                Machine::OpenRc => spec.init = Init::OpenRc,
                Machine::Rust => "ubuntu-26.04".clone_into(&mut spec.profile),
            }
            fleet.add_host(&spec).unwrap();
        }
        fleet.add_archive();
        fleet.add_engine_repository("https://repos.mirantis.com", "stable-25.0");
        fleet.add_registry("docker.io");
        fleet.audit();
        Self {
            fleet,
            order: order.to_vec(),
            has_bastion: false,
            is_changed: false,
            has_proxy: !machines.contains(&Machine::OpenRc),
        }
    }

    /// Puts one more host in front of them.
    pub(crate) fn behind_a_bastion(mut self) -> Self {
        let (name, last) = BASTION;
        let spec = HostSpec::new(name, [10, 0, 0, last].into());
        self.fleet.add_host(&spec).unwrap();
        self.has_bastion = true;
        self
    }

    fn config(&self) -> String {
        let way = if self.has_bastion {
            format!(", bastion: {{address: 10.0.0.{}, user: ubuntu}}", BASTION.1)
        } else {
            String::new()
        };
        let mut hosts = String::new();
        for index in &self.order {
            let (name, last) = HOSTS[*index];
            let role = if name.starts_with('m') {
                "manager"
            } else {
                "worker"
            };
            let more = match (self.is_changed, self.has_proxy) {
                (false, _) => "",
                (true, false) => "    mcrConfig: {debug: true}\n",
                (true, true) => {
                    "    mcrConfig: {debug: true}\n    environment: {HTTP_PROXY: \
                     http://10.0.0.9:3128}\n"
                }
            };
            hosts.push_str(&format!(
                "  - role: {role}\n    ssh: {{address: 10.0.0.{last}, user: ubuntu{way}}}\n{more}    \
                 hooks: {{apply: {{before: [\"true\"], after: [\"test -e /etc/hosts\"]}}}}\n"
            ));
        }
        format!(
            "apiVersion: launchpad.mirantis.com/mke/v1.6\nkind: mke\nmetadata: {{name: loop}}\n\
             spec:\n  hosts:\n{hosts}  mcr: {{channel: stable-25.0, prune: true}}\n  mke:\n    \
             version: 3.8.8\n    adminUsername: admin\n    adminPassword: {SECRET}\n    \
             installFlags: [--san=mke.example.com]\n"
        )
    }

    /// Runs a command; it is given six hours of its time.
    pub(crate) async fn run(
        &self,
        words: &[&str],
        signals: Option<UnboundedReceiver<i32>>,
    ) -> Result<Ran, String> {
        let printed = Recording::default();
        let told = Tape::default();
        let setting = Setting {
            environment: BTreeMap::new(),
            home: None,
            current_dir: "/".into(),
            config: Some(self.config()),
            stdout: Stream::in_memory(printed.clone()),
            stderr: Stream::in_memory(printed.clone()),
            seed: self.fleet.elapsed().as_millis() as u64,
            signals,
        };
        let mut world = rehearsal::world(&self.fleet, setting);
        world.listeners.push(Arc::new(told.clone()));
        let mut line = vec!["launchpad"];
        line.extend(words);
        line.extend(["-c", "-"]);
        let line: Vec<std::ffi::OsString> = line.iter().map(Into::into).collect();
        let running = Box::pin(cli::run(world, line));
        let limit = Duration::from_secs(6 * 3600);
        let status = tokio::time::timeout(limit, running).await;
        let printed = printed.text();
        match status {
            Ok(status) => Ok(Ran {
                status,
                printed,
                told: told.text(),
            }),
            Err(_) => Err(format!(
                "{words:?} did not end within six hours:\n{printed}"
            )),
        }
    }

    /// Returns how many commands each host was sent since the last [`Fleet::forget_counts`].
    pub(crate) fn counts(&self) -> Vec<(HostId, u64)> {
        let sent = self.fleet.sent();
        let count = |index: usize| {
            let host = HostId(index);
            (
                host,
                sent.iter().filter(|one| one.host == host).count() as u64,
            )
        };
        (0..HOSTS.len()).map(count).collect()
    }
}

/// Keeps what sinks are told.
#[derive(Clone, Default)]
struct Tape(Arc<Mutex<String>>);

impl Tape {
    fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

impl Sink for Tape {
    fn receive(&self, envelope: &Envelope) {
        let line = serde_json::to_string(envelope).unwrap();
        let mut text = self.0.lock().unwrap();
        text.push_str(&line);
        text.push('\n');
    }
}
