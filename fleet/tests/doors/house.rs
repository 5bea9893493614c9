//! A fleet whose doors are open, and the clients of the system.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use fleet::build::HostSpec;
use fleet::door::{Bind, Doors, KeyKind, Note, Opening, Pace, Simulation, key_of};
use fleet::host::Init;
use fleet::scenario::Scenario;
use fleet::{Fleet, HostId};
use russh::keys::ssh_key::LineEnding;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Longer than anything here takes, shorter than a hang is noticed by a person.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// A fleet with open doors.
pub(crate) struct House {
    pub(crate) fleet: Fleet,
    pub(crate) simulation: Simulation,
    pub(crate) doors: Doors,
    pub(crate) notes: std::sync::Mutex<UnboundedReceiver<Note>>,
    directory: TempDir,
    // The last: what is above lives on it.
    pub(crate) runtime: Runtime,
}

/// How a house is opened.
pub(crate) struct Plan {
    pub(crate) hosts: usize,
    /// Their operating system.
    pub(crate) os: &'static str,
    /// What runs their services.
    pub(crate) init: Init,
    pub(crate) pace: Pace,
    pub(crate) most: usize,
    pub(crate) has_certificates: bool,
    /// What is done to the hosts before.
    pub(crate) prepare: Box<dyn FnOnce(&Fleet) + Send>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            hosts: 1,
            os: fleet::profile::DEFAULT,
            init: Init::Systemd,
            pace: Pace::Real,
            most: 10_000,
            has_certificates: false,
            prepare: Box::new(|_| {}),
        }
    }
}

impl Plan {
    /// Writes a file of every host before.
    pub(crate) fn with_file(path: &str, text: &str) -> Self {
        let (path, text) = (path.to_owned(), text.to_owned());
        let prepare = Box::new(move |fleet: &Fleet| {
            let root = fleet::files::Credentials::root();
            let count = fleet.world(|world| world.hosts.len());
            for host in (0..count).map(HostId) {
                let text = text.clone();
                let now = fleet.epoch();
                let written = fleet.host(host, |host| {
                    host.files.write(&path, text, 0o644, &root, now)
                });
                written.unwrap();
            }
        });
        Self {
            prepare,
            ..Self::default()
        }
    }

    /// Adds to the configuration of the server of every host.
    pub(crate) fn with_sshd(text: &str) -> Self {
        Self::with_file("/etc/ssh/sshd_config.d/10-test.conf", text)
    }
}

impl House {
    /// One host, `m1`, at 10.0.0.1, with the user `ubuntu`.
    pub(crate) fn open() -> Self {
        Self::with(Plan::default())
    }

    pub(crate) fn with(plan: Plan) -> Self {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(2).enable_all().build().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let key = key_of(7, KeyKind::Ed25519, &["user"]).unwrap();
        let private = key.to_openssh(LineEnding::LF).unwrap();
        let path = directory.path().join("id");
        write_private(&path, &private);
        let public = format!("{} test\n", key.public_key().to_openssh().unwrap());
        std::fs::write(directory.path().join("id.pub"), public).unwrap();

        let (notes, told) = unbounded_channel();
        let (fleet, simulation, doors) = runtime.block_on(async {
            let simulation = Simulation::start(plan.pace).await.unwrap();
            let public = key.public_key().clone();
            let (count, os) = (plan.hosts, plan.os);
            let (init, prepare) = (plan.init, plan.prepare);
            let fleet = simulation.run(async move {
                let fleet = Fleet::new(5, Duration::from_secs(1_790_000_000));
                for number in 1..=count {
                    let address =
                        Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 0, 0, 0)) + number as u32);
                    let mut spec = HostSpec::new(&format!("m{number}"), address.into());
                    os.clone_into(&mut spec.profile);
                    spec.init = init;
                    let host = fleet.add_host(&spec).unwrap();
                    fleet.authorize(host, &public).unwrap();
                }
                prepare(&fleet);
                fleet
            });
            let fleet = fleet.await.unwrap();
            let opening = Opening {
                bind: Bind::All(IpAddr::from([127, 0, 0, 1])),
                port: 0,
                most: plan.most,
                most_of_host: plan.most,
                has_certificates: plan.has_certificates,
                kinds: vec![KeyKind::Ed25519, KeyKind::Ecdsa],
                apis: BTreeMap::new(),
                notes,
            };
            let doors = Doors::open(&fleet, &simulation, opening).await.unwrap();
            (fleet, simulation, doors)
        });
        let house = Self {
            fleet,
            simulation,
            doors,
            notes: told.into(),
            directory,
            runtime,
        };
        house.write_config();
        house
    }

    /// Writes what clients are told: an `ssh_config` and the keys of the hosts.
    fn write_config(&self) {
        let path = self.directory.path().display();
        let mut config = String::new();
        let mut known = String::new();
        for door in self.doors.opened() {
            config += &format!(
                "Host {0}\n  HostName {1}\n  Port {2}\n  HostKeyAlias {0}\n",
                door.name,
                door.address.ip(),
                door.address.port()
            );
            for key in &door.keys {
                known += &format!("{} {}\n", door.name, key.to_openssh().unwrap());
            }
        }
        config += &format!(
            "Host *\n  User ubuntu\n  IdentityFile {path}/id\n  IdentitiesOnly yes\n  \
             UserKnownHostsFile {path}/known_hosts\n  GlobalKnownHostsFile none\n  \
             StrictHostKeyChecking yes\n  BatchMode yes\n  ConnectTimeout 20\n  \
             IdentityAgent none\n"
        );
        std::fs::write(self.path("config"), config).unwrap();
        std::fs::write(self.path("known_hosts"), known).unwrap();
    }

    /// A path in the directory of the client.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.doors.opened()[0].address
    }

    /// A client of OpenSSH that reads the configuration.
    pub(crate) fn client(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.arg("-F").arg(self.path("config"));
        command.env_clear();
        command.env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin");
        command.env("HOME", self.directory.path());
        command
    }

    /// Runs `ssh` to its end.
    pub(crate) fn ssh(&self, arguments: &[&str]) -> Answer {
        let mut command = self.client("ssh");
        command.args(arguments).stdin(Stdio::null());
        run(command, b"")
    }

    /// Makes hosts what a scenario says.
    pub(crate) fn apply(&self, scenario: &str) {
        let scenario = Scenario::parse(scenario).unwrap();
        let fleet = self.fleet.clone();
        let applied = self.simulation.run(async move { scenario.apply(&fleet) });
        self.runtime.block_on(applied).unwrap().unwrap();
    }

    /// Runs a script as root, without SSH.
    pub(crate) fn as_root(&self, script: &str) -> u8 {
        let (fleet, script) = (self.fleet.clone(), script.to_owned());
        let work = async move { fleet.run_script(HostId(0), &script).await };
        self.runtime.block_on(self.simulation.run(work)).unwrap()
    }

    /// The text of a file of the first host.
    pub(crate) fn text(&self, path: &str) -> Option<String> {
        self.fleet.host(HostId(0), |host| host.files.text(path))
    }

    /// Waits until something is so.
    pub(crate) fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let end = Instant::now() + SOON;
        while !is_so() {
            assert!(Instant::now() < end, "never: {what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// What a client has said, and how it has ended.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs a client to its end, which must come.
pub(crate) fn run(mut command: Command, input: &[u8]) -> Answer {
    if !input.is_empty() {
        command.stdin(Stdio::piped());
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    if let Some(mut stdin) = child.stdin.take() {
        let input = input.to_vec();
        std::thread::spawn(move || {
            // The client may leave before it has read everything.
            let _ = stdin.write_all(&input);
        });
    }
    finish(child)
}

/// Waits for the end of a client.
pub(crate) fn finish(child: Child) -> Answer {
    let id = child.id().to_string();
    let (done, watch) = std::sync::mpsc::channel::<()>();
    let watchdog = std::thread::spawn(move || {
        if watch.recv_timeout(SOON) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            // The test fails by the status then.
            let _ = Command::new("kill").args(["-9", &id]).status();
        }
    });
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    drop(done);
    watchdog.join().unwrap();
    Answer {
        status: status.code(),
        out: String::from_utf8_lossy(&stdout).into_owned(),
        err: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

fn write_private(path: &Path, text: &str) {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    let file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path);
    file.unwrap().write_all(text.as_bytes()).unwrap();
}
