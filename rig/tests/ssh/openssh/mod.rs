//! The system's own `ssh` in place of ours: the same expectations, and nothing left behind.
//!
//! | module | holds |
//! |---|---|
//! | `channels` | processes, streams, commands, lost connections |
//! | `connecting` | ssh_config, logging in, host keys, what goes wrong on the way |

mod channels;
mod connecting;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rig::connection::OpenSshEndpoint;
use rig::protocol::openssh::{OpenSshConnector, OpenSshOptions};
use rig::{ConnectError, Connection, Connector as _, Endpoint, ExitStatus, Host};
use tokio::time::timeout;

use crate::server::{DryRun, Server, failed, host_options, user};

/// Longer than anything here takes, shorter than a hang is noticed by a person.
const SOON: Duration = Duration::from_secs(40);

/// Somebody who uses `ssh`, with a home of their own; nothing of the real user's is read.
struct Client<'a> {
    server: &'a Server,
    places: tempfile::TempDir,
}

impl<'a> Client<'a> {
    fn of(server: &'a Server) -> Self {
        let client = Self {
            server,
            places: tempfile::tempdir().unwrap(),
        };
        client.configure("");
        client
    }

    /// Writes an ssh_config: `first`, and what every client needs.
    fn configure(&self, first: &str) {
        let home = self.server.dir.path().display();
        self.configure_all(&format!(
            "{first}\nHost *\n  IdentityFile {home}/.ssh/id_ed25519\n"
        ));
    }

    /// Writes an ssh_config that names no key.
    fn configure_without_key(&self) {
        self.configure_all("IdentityAgent none\n");
    }

    fn configure_all(&self, first: &str) {
        let home = self.server.dir.path().display();
        let text = format!(
            "{first}\nHost *\n  IdentitiesOnly yes\n  UserKnownHostsFile {home}/.ssh/known_hosts\n  GlobalKnownHostsFile /dev/null\n"
        );
        fs::write(self.config(), text).unwrap();
    }

    fn config(&self) -> PathBuf {
        self.server.path("client_config")
    }

    fn options(&self) -> OpenSshOptions {
        let path = std::env::var_os("PATH").unwrap();
        let home = self.server.dir.path().into();
        let mut options =
            OpenSshOptions::of_environment(vec![("PATH".into(), path), ("HOME".into(), home)]);
        options.places = vec![self.places.path().to_owned()];
        options
    }

    fn endpoint(&self) -> OpenSshEndpoint {
        OpenSshEndpoint {
            address: "127.0.0.1".to_owned(),
            port: Some(self.server.port),
            user: Some(user()),
            key_path: None,
            config_path: Some(self.config()),
            options: std::collections::BTreeMap::new(),
            disable_multiplexing: false,
        }
    }

    fn endpoint_with(&self, options: &[(&str, &str)]) -> OpenSshEndpoint {
        let mut endpoint = self.endpoint();
        let options = options.iter();
        endpoint.options = options
            .map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()]))
            .collect();
        endpoint
    }

    async fn connect_to(
        &self,
        endpoint: OpenSshEndpoint,
    ) -> Result<Arc<dyn Connection>, ConnectError> {
        let connector = OpenSshConnector::new(self.options());
        let connecting = async { connector.connect(&Endpoint::OpenSsh(endpoint)).await };
        timeout(SOON, connecting).await.unwrap()
    }

    async fn connect(&self) -> Arc<dyn Connection> {
        self.connect_to(self.endpoint()).await.unwrap()
    }

    async fn failed(&self, endpoint: OpenSshEndpoint) -> ConnectError {
        failed(self.connect_to(endpoint).await)
    }

    fn host_of(&self, endpoint: OpenSshEndpoint) -> Host {
        let connector = Arc::new(OpenSshConnector::new(self.options()));
        let options = host_options(DryRun::No);
        Host::new(connector, Endpoint::OpenSsh(endpoint), options)
    }

    fn host(&self) -> Host {
        self.host_of(self.endpoint())
    }

    /// Returns the processes that know of our sockets.
    fn processes(&self) -> Vec<String> {
        let place = self.places.path().to_str().unwrap();
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            if line.contains(place) {
                found.push(line);
            }
        }
        found
    }

    fn masters(&self) -> usize {
        let all = self.processes();
        all.iter().filter(|line| line.contains(" -M -N ")).count()
    }

    /// Waits until nothing is left: no process, no socket, no directory.
    async fn assert_nothing_is_left(&self) {
        let started = Instant::now();
        loop {
            let processes = self.processes();
            let files = fs::read_dir(self.places.path()).unwrap().count();
            if processes.is_empty() && files == 0 {
                return;
            }
            assert!(
                started.elapsed() < SOON,
                "{files} files are left, and {processes:?}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn status(connection: &Arc<dyn Connection>, line: &str) -> ExitStatus {
    let process = connection.exec(line).await.unwrap();
    timeout(SOON, process.exit).await.unwrap().unwrap()
}
