//! A fleet that is as the lab's hosts are.

use std::time::Duration;

use cli::rehearsal::{self, Setting};
use cli::world::Stream;
use fleet::build::HostSpec;
use fleet::{Fleet, HostId};
use rig::connection::SshEndpoint;
use rig::{Connector as _, Endpoint, ExitStatus};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::row::{Answer, Row};

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
pub struct Lab {
    fleet: Fleet,
    host: &'static str,
}

impl Lab {
    /// Returns hosts in a state.
    pub async fn of(state: &str) -> Self {
        let is_cluster = ["manager", "worker"].contains(&state);
        let fleet = Fleet::new(7, EPOCH);
        let names: &[(&str, u8)] = if is_cluster {
            &[("m1", 1), ("m2", 2), ("m3", 3), ("w1", 11)]
        } else {
            &[("m1", 1), ("w1", 11)]
        };
        for (name, last) in names {
            let mut spec = HostSpec::new(name, [10, 77, 1, *last].into());
            spec.login = "lab".to_owned();
            spec.processors = 2;
            spec.memory_kib = 24_683_656;
            spec.disk = 252 << 30;
            fleet.add_host(&spec).unwrap();
        }
        fleet.add_archive();
        fleet.add_engine_repository("https://repos.mirantis.com", "stable-20.10");
        fleet.add_registry("docker.io");
        fleet.add_private_registry("private.lab", "puller", PASSWORD);
        for image in [
            "docker.io/mirantis/busybox:1",
            "private.lab/mirantis/busybox:1",
        ] {
            fleet.add_image(image, "busybox");
        }
        if is_cluster {
            install(&fleet).await;
        }
        let host = match state {
            "bare" | "worker" => "10.77.1.11",
            _ => "10.77.1.1",
        };
        Self { fleet, host }
    }

    /// Runs a row as launchpad would.
    pub async fn run(&self, row: &Row) -> Answer {
        let address = match row.host.as_deref() {
            None => self.host,
            Some("m1") => "10.77.1.1",
            Some("w1") => "10.77.1.11",
            Some(other) => panic!("{}: {other} is no host of the lab", row.name),
        };
        let token = "docker swarm join-token -q worker";
        let node = "docker info --format '{{.Swarm.NodeID}}'";
        let mut words = vec![("{{private-password}}", PASSWORD.to_owned())];
        if row.script.contains("{{worker-token}}") || row.arguments.contains("{{worker-token}}") {
            let said = self.ask("10.77.1.1", &format!("sudo -n {token}")).await;
            words.push(("{{worker-token}}", said.stdout.trim().to_owned()));
        }
        if row.script.contains("{{node-id}}") || row.arguments.contains("{{node-id}}") {
            let said = self.ask(address, &format!("sudo -n {node}")).await;
            words.push(("{{node-id}}", said.stdout.trim().to_owned()));
        }
        self.ask(address, &row.program(&words)).await
    }

    async fn ask(&self, address: &str, program: &str) -> Answer {
        let endpoint = Endpoint::Ssh(SshEndpoint {
            address: address.to_owned(),
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

async fn install(fleet: &Fleet) {
    let seen = Seen::default();
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
}

/// Keeps what is written.
#[derive(Clone, Default)]
struct Seen(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl Seen {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl std::io::Write for Seen {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
