//! A fleet that is up, and the doors that a judge looks through: SSH, and `launchpad fleet exec`
//! behind the back of SSH.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::{Child, Command};

use crate::command::{Cmd, Finished};
use crate::paths::write;
use crate::talk::Talk;

/// How long a fleet may take to come up.
const COME_UP: Duration = Duration::from_secs(60);

/// How long a tool may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// A fleet of an installed cluster: `m1` and `w1` have Ubuntu, `w2` Rocky Linux, `w3` SLES, and the
/// way to `w4`, of arm64 and with OpenRC, goes through `bastion1`.
pub(super) struct Sim {
    launchpad: PathBuf,
    directory: PathBuf,
    /// It goes with this.
    _child: Child,
}

impl Sim {
    /// Starts a fleet, and waits until its doors are open.
    pub(super) async fn start(launchpad: &Path, directory: &Path) -> Result<Self> {
        let config = directory.with_extension("yaml");
        let scenario = directory.with_extension("scenario.yaml");
        write(&config, include_str!("judges.yaml"))?;
        write(&scenario, include_str!("scenario.yaml"))?;
        let log = directory.with_extension("log");
        let said = std::fs::File::create(&log).context("cannot write what the fleet says")?;
        let mut child = Command::new(launchpad)
            .args(["fleet", "up", "--from", "installed", "--time", "instant"])
            .args(["--seed", "7", "--config"])
            .arg(&config)
            .arg("--scenario")
            .arg(&scenario)
            .arg("--directory")
            .arg(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start `{}`", launchpad.display()))?;
        let is_up = async {
            while !directory.join("launchpad.yaml").exists() {
                if let Some(status) = child.try_wait()? {
                    bail!("`launchpad fleet up` has left with {status}");
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok(())
        };
        let ended = tokio::time::timeout(COME_UP, is_up).await;
        let ended = ended.unwrap_or_else(|_| Err(anyhow::anyhow!("the fleet does not come up")));
        ended.with_context(|| std::fs::read_to_string(&log).unwrap_or_default())?;
        Ok(Self {
            launchpad: launchpad.to_owned(),
            directory: directory.to_owned(),
            _child: child,
        })
    }

    /// A file that the fleet has written.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// A client of SSH with the configuration of the fleet.
    pub(super) fn client(&self, program: &str) -> Cmd {
        Cmd::new(program)
            .arg("-F")
            .arg(self.file("ssh_config"))
            .within(DEADLINE)
    }

    /// The command line of `ssh` for other tools.
    pub(super) fn ssh_line(&self) -> String {
        format!("ssh -F {}", self.file("ssh_config").display())
    }

    /// Runs a command line through `ssh`.
    pub(super) async fn ssh(&self, host: &str, line: &str) -> Result<Finished> {
        self.client("ssh").args([host, line]).finish().await
    }

    /// Runs a script as root on a host, not through SSH.
    pub(super) async fn root(&self, host: &str, script: &str) -> Result<String> {
        let finished = self
            .fleet("exec")
            .args([host, "--", "sh", "-c", script])
            .run();
        Ok(finished.await?.stdout)
    }

    fn fleet(&self, verb: &str) -> Cmd {
        Cmd::new(&self.launchpad)
            .args(["fleet", verb, "--directory"])
            .arg(&self.directory)
            .within(DEADLINE)
    }

    /// The address and the port of a host, as `ssh -G` reads them.
    pub(super) async fn address(&self, host: &str) -> Result<(String, String)> {
        let read = self.client("ssh").args(["-G", host]).run().await?;
        let value = |key: &str| {
            let mut lines = read.stdout.lines();
            lines
                .find_map(|line| line.strip_prefix(key))
                .map(str::to_owned)
        };
        let found = value("hostname ").zip(value("port "));
        found.with_context(|| format!("`{host}` has no address"))
    }

    /// Closes the doors. Returns whether all that was asked for is simulated.
    pub(super) async fn stop(self, talk: Talk) -> Result<bool> {
        let told = self
            .fleet("inspect")
            .args(["--output", "json"])
            .run()
            .await?;
        let told: serde_json::Value = serde_json::from_str(&told.stdout)?;
        let unknown = told["notSimulated"].as_array().context("no list")?;
        for one in unknown {
            talk.say(format!("asked for, and not simulated: {one}"));
        }
        self.fleet("down").run().await?;
        Ok(unknown.is_empty())
    }
}
