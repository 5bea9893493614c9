//! One host: a container with systemd, sshd, a package manager, and a boot id of its own.

use std::fmt;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::PREFIX;
use super::inventory::{self, Inventory};
use crate::command::{Cmd, Finished};
use crate::recipe::host::USER;

/// The name of a host: `m1` is the first manager, `w1` the first worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    role: Role,
    number: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    Manager,
    Worker,
}

impl Name {
    /// Says whether the host is meant to be a manager.
    pub(crate) fn is_manager(self) -> bool {
        self.role == Role::Manager
    }

    fn ip(self) -> Ipv4Addr {
        let first = match self.role {
            Role::Manager => 0,
            Role::Worker => 10,
        };
        Ipv4Addr::new(10, 77, 1, first + self.number)
    }
}

impl FromStr for Name {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let role = match text.as_bytes().first() {
            Some(b'm') => Role::Manager,
            Some(b'w') => Role::Worker,
            _ => bail!("`{text}` is not the name of a host: write m1 to m9 or w1 to w99"),
        };
        let most = if role == Role::Manager { 9 } else { 99 };
        let number = text[1..]
            .parse()
            .ok()
            .filter(|number| (1..=most).contains(number));
        let number = number
            .with_context(|| format!("`{text}` is not the name of a host: m1 to m9, w1 to w99"))?;
        Ok(Self { role, number })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = if self.is_manager() { 'm' } else { 'w' };
        write!(f, "{letter}{}", self.number)
    }
}

/// What sshd has logged since the host's last boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SshCount {
    /// Commands, shells and file transfers started.
    pub(crate) commands: usize,
    /// Logins.
    pub(crate) logins: usize,
}

impl SshCount {
    /// Returns what has been added since an earlier count.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            commands: self.commands.saturating_sub(earlier.commands),
            logins: self.logins.saturating_sub(earlier.logins),
        }
    }
}

/// A host of the lab.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) name: Name,
    pub(crate) ip: Ipv4Addr,
    /// The keys of the run.
    dir: PathBuf,
}

impl Host {
    /// Names a host; it may not run yet.
    pub(crate) fn new(name: Name, dir: &Path) -> Self {
        Self {
            name,
            ip: name.ip(),
            dir: dir.to_owned(),
        }
    }

    /// Returns the name of its container.
    pub(crate) fn container(&self) -> String {
        format!("{PREFIX}-{}", self.name)
    }

    /// Starts the container.
    pub(crate) async fn start(&self, image: &str, key: &str) -> Result<()> {
        let name = self.name.to_string();
        Cmd::new("docker")
            .args([
                "run",
                "--detach",
                "--name",
                &self.container(),
                "--hostname",
                &name,
            ])
            .args([
                "--label",
                PREFIX,
                "--label",
                &format!("{PREFIX}.host={name}"),
            ])
            .args(["--network", PREFIX, "--ip", &self.ip.to_string()])
            // All that systemd and a nested engine need, but not the machine's clock, limits and modules.
            .args([
                "--cap-add",
                "ALL",
                "--cap-drop",
                "SYS_RESOURCE",
                "--cap-drop",
                "SYS_TIME",
            ])
            .args([
                "--cap-drop",
                "SYS_MODULE",
                "--security-opt",
                "seccomp=unconfined",
            ])
            .args([
                "--security-opt",
                "apparmor=unconfined",
                "--cgroupns=private",
            ])
            .args([
                "--device-cgroup-rule",
                "a *:* rwm",
                "--stop-signal",
                "SIGRTMIN+3",
            ])
            // A reboot ends PID 1; the engine starts it anew.
            .args([
                "--restart",
                "unless-stopped",
                "--tmpfs",
                "/run:exec,mode=755",
            ])
            .args(["--tmpfs", "/run/lock", "--tmpfs", "/tmp:exec"])
            // The nested engine cannot stack its file systems on an overlay.
            .args([
                "--volume",
                "/var/lib",
                "--env",
                &format!("LAB_SSH_KEY={key}"),
                image,
            ])
            .run()
            .await?;
        Ok(())
    }

    /// Removes the container and its volume.
    pub(crate) async fn remove(&self) -> Result<()> {
        Cmd::new("docker")
            .args(["rm", "--force", "--volumes", &self.container()])
            .run()
            .await?;
        Ok(())
    }

    /// Waits until the login user gets in over ssh.
    pub(crate) async fn wait_ssh(&self, deadline: Duration) -> Result<()> {
        let started = Instant::now();
        loop {
            // A plain connection first: a login costs the host a hundred times as much.
            let port = (self.ip, 22);
            let connecting = tokio::net::TcpStream::connect(port);
            let opened = tokio::time::timeout(Duration::from_secs(2), connecting).await;
            let last = if matches!(opened, Ok(Ok(_))) {
                let login = self
                    .ssh(&["true"])
                    .within(Duration::from_secs(15))
                    .finish()
                    .await?;
                if login.status.success() {
                    return Ok(());
                }
                login.stderr
            } else {
                "nothing listens".to_owned()
            };
            if started.elapsed() > deadline {
                let shown = last.trim();
                bail!(
                    "{} lets nobody in after {} s: {shown}",
                    self.name,
                    deadline.as_secs()
                );
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Returns a command for the login user over ssh.
    pub(crate) fn ssh(&self, command: &[&str]) -> Cmd {
        let option = |name: &str, value: String| format!("{name}={value}");
        Cmd::new("ssh")
            .args(["-F", "none", "-i"])
            .arg(self.dir.join("id_ed25519"))
            .arg("-o")
            .arg(option(
                "UserKnownHostsFile",
                self.dir.join("known_hosts").display().to_string(),
            ))
            .args(["-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"])
            .args([
                "-o",
                "StrictHostKeyChecking=accept-new",
                "-o",
                "BatchMode=yes",
            ])
            .args(["-o", "ConnectTimeout=5", "-o", "LogLevel=ERROR"])
            .arg(format!("{USER}@{}", self.ip))
            .args(command)
    }

    /// Returns a command that runs as root inside, without ssh.
    pub(crate) fn exec<I>(&self, command: I) -> Cmd
    where
        I: IntoIterator,
        I::Item: AsRef<std::ffi::OsStr>,
    {
        Cmd::new("docker")
            .args(["exec", "-i", &self.container()])
            .args(command)
    }

    /// Runs a shell script as root inside; any exit status but 0 is an error.
    pub(crate) async fn sh(&self, script: &str) -> Result<Finished> {
        let run = self.exec(["sh", "-s"]).input(script).run().await;
        run.with_context(|| format!("a script failed on {}", self.name))
    }

    /// Counts what sshd has logged since the host's boot.
    pub(crate) async fn ssh_count(&self) -> Result<SshCount> {
        let log = self
            .exec(["journalctl", "-o", "cat", "--no-pager", "_COMM=sshd"])
            .run()
            .await?;
        Ok(count(&log.stdout))
    }

    /// Counts how often the engine has started since the host's boot.
    pub(crate) async fn engine_starts(&self) -> Result<usize> {
        let log = self
            .exec([
                "journalctl",
                "-o",
                "cat",
                "--no-pager",
                "-u",
                "docker.service",
            ])
            .run()
            .await?;
        let is_start = |line: &&str| {
            line.starts_with("Started ") && line.contains("Docker Application Container Engine")
        };
        Ok(log.stdout.lines().filter(is_start).count())
    }

    /// Returns the id of the host's boot.
    pub(crate) async fn boot_id(&self) -> Result<String> {
        let id = self
            .exec(["cat", "/proc/sys/kernel/random/boot_id"])
            .run()
            .await?;
        Ok(id.text().to_owned())
    }

    /// Waits until the host has booted again and lets its user in.
    pub(crate) async fn wait_reboot(&self, before: &str, deadline: Duration) -> Result<()> {
        let started = Instant::now();
        loop {
            if let Ok(id) = self.boot_id().await
                && id != before
            {
                return self
                    .wait_ssh(deadline.saturating_sub(started.elapsed()))
                    .await;
            }
            if started.elapsed() > deadline {
                bail!(
                    "{} has not rebooted after {} s",
                    self.name,
                    deadline.as_secs()
                );
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Returns what is on the host.
    pub(crate) async fn inventory(&self) -> Result<Inventory> {
        let taken = self.exec(["sh", "-s"]).input(inventory::SCRIPT).run().await;
        let taken = taken.with_context(|| format!("cannot take the inventory of {}", self.name))?;
        Inventory::parse(&taken.stdout)
            .with_context(|| format!("cannot read the inventory of {}", self.name))
    }

    /// Freezes every process: connections open, nothing answers.
    pub(crate) async fn pause(&self) -> Result<()> {
        Cmd::new("docker")
            .args(["pause", &self.container()])
            .run()
            .await?;
        Ok(())
    }

    /// Thaws the host.
    pub(crate) async fn unpause(&self) -> Result<()> {
        Cmd::new("docker")
            .args(["unpause", &self.container()])
            .run()
            .await?;
        Ok(())
    }

    /// Kills every ssh session, as a cut connection would; sshd goes on listening.
    pub(crate) async fn kill_ssh_sessions(&self) -> Result<()> {
        let killed = self
            .exec(["pkill", "-KILL", "-f", "^sshd: lab@"])
            .finish()
            .await?;
        match killed.code() {
            0 => Ok(()),
            1 => bail!("{} has no ssh session to kill", self.name),
            code => bail!(
                "cannot kill the ssh sessions of {}: status {code}",
                self.name
            ),
        }
    }
}

fn count(log: &str) -> SshCount {
    let lines_with = |start: &str| log.lines().filter(|line| line.starts_with(start)).count();
    SshCount {
        commands: lines_with("Starting session:"),
        logins: lines_with("Accepted publickey"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_address() {
        let ip = |name: &str| name.parse::<Name>().unwrap().ip().to_string();

        assert_eq!(ip("m3"), "10.77.1.3");
        assert_eq!(ip("w1"), "10.77.1.11");
        assert_eq!(ip("w99"), "10.77.1.109");
    }

    #[test]
    fn other_names_are_refused() {
        for name in ["", "m", "m0", "m10", "w100", "x1", "m-1"] {
            assert!(name.parse::<Name>().is_err(), "{name}");
        }
    }

    #[test]
    fn sessions_and_logins_are_counted() {
        // From a lab host with sshd at LogLevel VERBOSE.
        let log = "Connection from 10.77.0.1 port 49882 on 10.77.1.1 port 22 rdomain \"\"\n\
            Accepted key ED25519 SHA256:x found at /run/lab/authorized_keys:1\n\
            Accepted publickey for lab from 10.77.0.1 port 49882 ssh2: ED25519 SHA256:x\n\
            Starting session: command for lab from 10.77.0.1 port 49882 id 0\n\
            Starting session: subsystem 'sftp' for lab from 10.77.0.1 port 49882 id 1\n";

        assert_eq!(
            count(log),
            SshCount {
                commands: 2,
                logins: 1
            }
        );
    }
}
