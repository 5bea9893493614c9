//! A fleet that is as the lab's hosts are.

use std::sync::Arc;
use std::time::Duration;

use cli::rehearsal::{self, Setting};
use cli::world::{Recording, Stream};
use fleet::build::HostSpec;
use fleet::files::{Credentials, Mount};
use fleet::host::Init;
use fleet::profile::Kernel;
use fleet::{Build, Fleet, HostId};
use rig::connection::SshEndpoint;
use rig::{Connector as _, Endpoint, ExitStatus};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use parity::{Answer, Row, State, System};

/// The time at which the recordings were made.
const EPOCH: Duration = Duration::from_secs(1_795_641_600);

const PASSWORD: &str = "a-password-of-the-lab";

const CONFIG: &str = "apiVersion: launchpad.mirantis.com/mke/v1.6
kind: mke
metadata: {name: lab}
spec:
  hosts:
  - role: manager
    ssh: {address: 10.77.1.1, user: lab}
  - role: manager
    ssh: {address: 10.77.1.2, user: lab}
  - role: manager
    ssh: {address: 10.77.1.3, user: lab}
  - role: worker
    ssh: {address: 10.77.1.11, user: lab}
  mcr: {channel: stable-20.10}
  mke:
    version: 3.8.8
    adminUsername: admin
    adminPassword: orange-boat-7
    installFlags: [--san=10.77.1.1, --san=10.77.1.2, --san=10.77.1.3]
";

/// Hosts as those of the lab.
pub(crate) struct Lab {
    fleet: Fleet,
}

impl Lab {
    /// Returns hosts in a state.
    pub(crate) async fn of(state: &State) -> Self {
        let fleet = Fleet::new(7, EPOCH);
        if matches!(state.system, System::Rocky | System::Sles) {
            crate::rpm::add(&fleet, state, EPOCH - Duration::from_secs(86_400));
            return Self { fleet };
        }
        for name in state.hosts {
            let mut spec = HostSpec::new(name, address(name).into());
            spec.login = "lab".to_owned();
            match state.system {
                System::OpenRc => spec.init = Init::OpenRc,
                System::Uutils => "ubuntu-26.04".clone_into(&mut spec.profile),
                System::Ubuntu | System::Rocky | System::Sles => {}
            }
            spec.processors = 2;
            spec.memory_kib = 24_683_656;
            spec.disk = 252 << 30;
            spec.is_container = true;
            spec.kernel = Some(kernel());
            spec.mounts = mounts();
            spec.open_files = 20_000;
            let host = fleet.add_host(&spec).unwrap();
            furnish(&fleet, host);
        }
        add_outside(&fleet);
        let names = [
            "docker.io/mirantis/busybox:1",
            "private.lab/mirantis/busybox:1",
        ];
        fleet.add_bare_image(&names, "lab.reference");
        if state.is_installed {
            install(&fleet).await;
        }
        Self { fleet }
    }

    /// Runs a row as launchpad would.
    pub(crate) async fn run(&self, row: &Row) -> Answer {
        let mut words = Vec::new();
        for word in row.words() {
            let value = match word.question(row) {
                None => PASSWORD.to_owned(),
                Some((host, command)) => {
                    let said = self.ask(host, &format!("sudo -n {command}")).await;
                    said.stdout.trim().to_owned()
                }
            };
            words.push((word, value));
        }
        self.ask(&row.host, &row.program(&words)).await
    }

    async fn ask(&self, host: &str, program: &str) -> Answer {
        let [a, b, c, d] = address(host);
        let endpoint = Endpoint::Ssh(SshEndpoint {
            address: format!("{a}.{b}.{c}.{d}"),
            port: None,
            user: Some("lab".to_owned()),
            key_path: None,
            host_key: None,
            bastion: None,
        });
        let connection = self.fleet.connector().connect(&endpoint).await.unwrap();
        let process = connection.exec("exec /bin/sh -s").await.unwrap();
        let rig::connection::Process {
            mut stdin,
            mut stdout,
            mut stderr,
            exit,
        } = process;
        let (mut out, mut error) = (Vec::new(), Vec::new());
        let send = async {
            let _ = stdin.write_all(program.as_bytes()).await;
            let _ = stdin.shutdown().await;
        };
        let ended = tokio::time::timeout(Duration::from_secs(1200), async {
            tokio::join!(
                send,
                stdout.read_to_end(&mut out),
                stderr.read_to_end(&mut error),
                exit
            )
        })
        .await;
        let status = match ended {
            Err(_) => 124,
            Ok((.., Ok(ExitStatus::Code(code)))) => code,
            Ok((.., Ok(ExitStatus::Signal(_)))) => 255,
            Ok((.., Err(error))) => panic!("{error}"),
        };
        connection.close().await;
        Answer {
            status,
            stdout: String::from_utf8_lossy(&out).into_owned(),
            stderr: String::from_utf8_lossy(&error).into_owned(),
        }
    }
}

/// The address that the lab gives a host.
fn address(host: &str) -> [u8; 4] {
    let last = match host {
        "m1" => 1,
        "m2" => 2,
        "m3" => 3,
        "w1" => 11,
        other => panic!("{other} is no host of the lab"),
    };
    [10, 77, 1, last]
}

/// The kernel of the machine that the lab runs on.
fn kernel() -> Kernel {
    Kernel {
        release: "6.18.44-fc-v782".to_owned(),
        build: "#1 SMP PREEMPT_DYNAMIC Thu Nov 19 2026".to_owned(),
        cgroups: 1,
        has_apparmor: false,
    }
}

/// A volume below `/var/lib`, and memory below `/tmp`.
fn mounts() -> Vec<Mount> {
    let mount = |point: &str, device: &str, kind: &str, size: u64, used: u64| Mount {
        point: point.to_owned(),
        device: device.to_owned(),
        kind: kind.to_owned(),
        options: "rw,relatime".to_owned(),
        size,
        used,
    };
    vec![
        mount("/var/lib", "/dev/vda", "ext4", 252 << 30, 30 << 30),
        mount("/tmp", "tmpfs", "tmpfs", 12 << 30, 0),
        mount("/proc", "proc", "proc", 0, 0),
    ]
}

/// What the image of the lab's hosts has of its own.
fn furnish(fleet: &Fleet, host: HostId) {
    let root = Credentials::root();
    let now = EPOCH - Duration::from_secs(86_400);
    fleet.host(host, |host| {
        let source = "deb http://archive.lab/ubuntu jammy main\n";
        let list = "/etc/apt/sources.list";
        host.files.write(list, source, 0o644, &root, now).unwrap();
        let unit = "/etc/systemd/system/lab-hostkeys.service";
        let text = "[Service]\nType=oneshot\nExecStart=/bin/true\n";
        host.files.write(unit, text, 0o644, &root, now).unwrap();
    });
}

/// What is around the hosts: the lab's archive, its repository with an engine repacked from Debian,
/// and its registries.
fn add_outside(fleet: &Fleet) {
    fleet.add_archive_at("archive.lab");
    fleet.add_engine_repository("https://repos.mirantis.com", "stable-20.10");
    fleet.world(|world| {
        if let Some(site) = world.network.sites.get_mut("repos.mirantis.com") {
            site.address = [10, 77, 255, 2].into();
        }
        // The lab's packages do not tell how much they take.
        for repository in &mut world.repositories {
            if repository.component == "stable-20.10" {
                let packages = repository.packages.iter().map(|package| {
                    let mut package = (**package).clone();
                    package.installed_size = 0;
                    Arc::new(package)
                });
                repository.packages = Arc::new(packages.collect());
            }
        }
    });
    let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
    let build = Build {
        version: "20.10.24+dfsg1".to_owned(),
        platform: String::new(),
        client_commit: "297e128".to_owned(),
        commit: "5d6db84".to_owned(),
        go: "go1.19.8".to_owned(),
        built: "Thu Apr 27 08:44:22 2023".to_owned(),
        least_api: "1.12".to_owned(),
        containerd: pair("1.6.20~ds1", "1.6.20~ds1-1+deb12u3"),
        runc: pair("1.1.5+ds1", "1.1.5+ds1-1+deb12u1"),
        init: pair("0.19.0", ""),
    };
    fleet.set_build("20.10.24", build);
    fleet.add_registry("docker.io");
    fleet.make_own_registry("docker.io", &["3.8.8"], "lab.reference");
    fleet.add_private_registry("private.lab", "puller", PASSWORD);
}

async fn install(fleet: &Fleet) {
    let seen = Recording::default();
    let setting = Setting {
        environment: std::collections::BTreeMap::new(),
        home: None,
        current_dir: "/".into(),
        config: Some(CONFIG.to_owned()),
        stdout: Stream::in_memory(std::io::sink()),
        stderr: Stream::in_memory(seen.clone()),
        seed: 1,
        signals: None,
    };
    let status = rehearsal::run(fleet, setting, &["launchpad", "apply", "-c", "-"]).await;
    assert_eq!(status, 0, "{}", seen.text());
    assert_eq!(fleet.host(HostId(0), |host| host.name.clone()), "m1");
    // Agents on all nodes have had their time.
    tokio::time::sleep(Duration::from_secs(30)).await;
}
