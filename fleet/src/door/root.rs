//! Commands of who owns the fleet: as root, without SSH.

use crate::files::Credentials;
use crate::pipe::{Reader, Writer, pipe};
use crate::program::launch::{Launch, find_executable};
use crate::world::{Fleet, HostId};

use super::Simulation;

/// A piece of what a command says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// On standard output.
    Out(Vec<u8>),
    /// On standard error.
    Err(Vec<u8>),
}

impl Simulation {
    /// Runs a command as root on a host, without a connection; `hear` is told what it says. Returns
    /// the status that a shell would see.
    ///
    /// # Errors
    ///
    /// Fails where the hosts are gone.
    pub async fn exec(
        &self,
        fleet: &Fleet,
        host: HostId,
        words: Vec<String>,
        mut hear: impl FnMut(Said) + Send,
    ) -> std::io::Result<u8> {
        let (out_writer, out) = pipe();
        let (err_writer, err) = pipe();
        let waiting = self.wait_for_host();
        let fleet = fleet.clone();
        let ended = self.run(async move {
            let status = run(&fleet, host, words, out_writer, err_writer).await;
            // The clock must not jump while the answer is on its way.
            drop(waiting);
            status
        });
        let (mut is_out, mut is_err) = (true, true);
        tokio::pin!(ended);
        let mut status = None;
        while is_out || is_err || status.is_none() {
            tokio::select! {
                piece = read(&out), if is_out => match piece {
                    Some(piece) => hear(Said::Out(piece)),
                    None => is_out = false,
                },
                piece = read(&err), if is_err => match piece {
                    Some(piece) => hear(Said::Err(piece)),
                    None => is_err = false,
                },
                result = &mut ended, if status.is_none() => status = Some(result?),
            }
        }
        Ok(status.unwrap_or_default())
    }
}

/// A process of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessRow {
    /// Its number.
    pub pid: u32,
    /// Who runs it.
    pub user: String,
    /// Its command line.
    pub command: String,
}

impl Fleet {
    /// Returns the processes of a host.
    pub fn processes_of(&self, host: HostId) -> Vec<ProcessRow> {
        self.host(host, |host| {
            let all = host.processes.all().iter();
            let rows = all.map(|(pid, process)| ProcessRow {
                pid: pid.0,
                user: process.user.clone(),
                command: process.command.join(" "),
            });
            rows.collect()
        })
    }
}

async fn read(output: &Reader) -> Option<Vec<u8>> {
    let piece = output.read(32 << 10).await.ok()?;
    (!piece.is_empty()).then(|| piece.to_vec())
}

async fn run(
    fleet: &Fleet,
    host: HostId,
    words: Vec<String>,
    stdout: Writer,
    stderr: Writer,
) -> u8 {
    let root = Credentials::root();
    let name = words.first().cloned().unwrap_or_default();
    let path = match find_executable(fleet, host, &name, None, "/root", &root) {
        Ok(path) => path,
        Err(status) => {
            let why = match status {
                126 => "Permission denied",
                _ => "command not found",
            };
            // Nobody may be listening any more.
            let _ = stderr.write(format!("{name}: {why}\n").as_bytes()).await;
            return status;
        }
    };
    let places = [("HOME", "/root"), ("USER", "root"), ("LOGNAME", "root")];
    let mut launch = Launch {
        directory: "/root".to_owned(),
        stdout,
        stderr,
        ..Launch::of_root(fleet, host, path, words)
    };
    for (name, value) in places {
        launch.environment.insert(name, value);
    }
    launch.finish().await.status()
}
