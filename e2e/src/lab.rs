//! A running lab: services, hosts, and what stories ask of them.

pub(crate) mod cluster;
pub(crate) mod config;
pub(crate) mod host;
pub(crate) mod inventory;
pub(crate) mod launchpad;
pub(crate) mod logs;
pub(crate) mod services;
pub(crate) mod slow;
pub(crate) mod watch;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures_util::future::{join_all, try_join_all};

pub(crate) use config::Config;
pub(crate) use host::{Host, Name};

use crate::command::Cmd;
use crate::paths::Paths;
use crate::recipe::Images;
use crate::talk::{Talk, seconds};

/// What every container, network and volume of the lab is called and labelled.
pub(crate) const PREFIX: &str = "launchpad-lab";

/// The lab's network: `m1` is .1.1, `w1` is .1.11, the services are in .255.
pub(crate) const SUBNET: &str = "10.77.0.0/16";

/// How long a started host may take until it lets its user in.
const BOOT: Duration = Duration::from_secs(120);

/// Which image hosts start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Flavour {
    /// As the distribution leaves it.
    Bare,
    /// With the engine of the older channel installed.
    Engine,
    /// Rocky Linux as the distribution leaves it.
    Rocky,
    /// SLES as the distribution leaves it.
    Sles,
}

/// A lab with its services running.
pub(crate) struct Lab {
    pub(crate) talk: Talk,
    pub(crate) paths: Paths,
    pub(crate) images: Images,
    /// The running hosts, in the order they were started.
    pub(crate) hosts: Vec<Host>,
    /// Keys, known hosts, home directory of this run.
    dir: PathBuf,
}

impl Lab {
    /// Removes what an earlier run left and starts the services.
    pub(crate) async fn start(
        talk: Talk,
        paths: &Paths,
        images: Images,
        dir: &Path,
    ) -> Result<Self> {
        down().await?;
        services::start(&images, dir).await?;
        talk.say("the package repository and the registries answer");
        if !dir.join("id_ed25519").exists() {
            Cmd::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-C", "launchpad-lab", "-f"])
                .arg(dir.join("id_ed25519"))
                .run()
                .await?;
        }
        std::fs::create_dir_all(dir.join("home")).context("cannot create a home directory")?;
        Ok(Self {
            talk,
            paths: paths.clone(),
            images,
            hosts: Vec::new(),
            dir: dir.to_owned(),
        })
    }

    /// Starts over: no hosts, fresh services.
    pub(crate) async fn renew(&mut self) -> Result<()> {
        self.remove_hosts().await?;
        down().await?;
        services::start(&self.images, &self.dir).await
    }

    /// Opens a lab that another run of the driver has started.
    pub(crate) async fn attach(
        talk: Talk,
        paths: &Paths,
        images: Images,
        dir: &Path,
    ) -> Result<Self> {
        let list = Cmd::new("docker")
            .args([
                "ps",
                "--filter",
                &format!("label={PREFIX}.host"),
                "--format",
            ])
            .arg(format!("{{{{.Label \"{PREFIX}.host\"}}}}"))
            .run()
            .await?;
        let mut names = list
            .stdout
            .lines()
            .map(str::parse)
            .collect::<Result<Vec<Name>, anyhow::Error>>()?;
        names.sort();
        let hosts = names.into_iter().map(|name| Host::new(name, dir)).collect();
        Ok(Self {
            talk,
            paths: paths.clone(),
            images,
            hosts,
            dir: dir.to_owned(),
        })
    }

    /// Starts fresh hosts at the same time and waits until each lets its user in.
    pub(crate) async fn add_hosts(&mut self, names: &[Name], flavour: Flavour) -> Result<()> {
        let started = Instant::now();
        let image = match flavour {
            Flavour::Bare => &self.images.bare,
            Flavour::Engine => &self.images.engine,
            Flavour::Rocky => &self.images.rocky,
            Flavour::Sles => &self.images.sles,
        };
        let key = self.public_key()?;
        let hosts: Vec<Host> = names
            .iter()
            .map(|name| Host::new(*name, &self.dir))
            .collect();
        // Known before they run: a host that fails to start is removed and its logs are kept, too.
        self.hosts.extend(hosts.iter().cloned());
        try_join_all(hosts.iter().map(|host| async {
            host.start(image, &key).await?;
            host.wait_ssh(BOOT).await
        }))
        .await?;
        let list: Vec<String> = names.iter().map(ToString::to_string).collect();
        self.talk.say(format!(
            "{} let their user in after {}",
            list.join(" "),
            seconds(started.elapsed())
        ));
        Ok(())
    }

    /// Removes all hosts, so that others can be started under their names.
    pub(crate) async fn remove_hosts(&mut self) -> Result<()> {
        thaw().await;
        let removed = join_all(self.hosts.iter().map(Host::remove)).await;
        self.hosts.clear();
        // New hosts on the same addresses have other keys.
        crate::cache::remove(&self.dir.join("known_hosts"))?;
        crate::cache::remove(&self.home())?;
        std::fs::create_dir_all(self.home()).context("cannot create a home directory")?;
        removed.into_iter().collect()
    }

    /// Returns the host with a name.
    pub(crate) fn host(&self, name: &str) -> Result<&Host> {
        let found = self.hosts.iter().find(|host| host.name.to_string() == name);
        found.with_context(|| format!("the lab has no host {name}"))
    }

    /// Returns the managers.
    pub(crate) fn managers(&self) -> Vec<&Host> {
        self.hosts
            .iter()
            .filter(|host| host.name.is_manager())
            .collect()
    }

    /// Returns what a service has logged.
    pub(crate) async fn service_log(&self, name: &str) -> Result<String> {
        let log = Cmd::new("docker")
            .args(["logs", &format!("{PREFIX}-{name}")])
            .run()
            .await?;
        Ok(format!("{}{}", log.stdout, log.stderr))
    }

    /// Returns the home directory that Launchpad gets.
    pub(crate) fn home(&self) -> PathBuf {
        self.dir.join("home")
    }

    /// Returns the directory of this run.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns the configuration of a cluster of all hosts.
    pub(crate) fn config(&self) -> Config {
        Config::of(&self.hosts, &self.key())
    }

    /// Returns the private key of this run.
    pub(crate) fn key(&self) -> PathBuf {
        self.dir.join("id_ed25519")
    }

    fn public_key(&self) -> Result<String> {
        let file = self.dir.join("id_ed25519.pub");
        let key = std::fs::read_to_string(&file)
            .with_context(|| format!("cannot read `{}`", file.display()))?;
        Ok(key.trim().to_owned())
    }
}

/// Thaws containers that a story has paused inside of a host: what is frozen cannot be killed, and a
/// host that holds it could not be removed. Best effort: where nothing is frozen there is nothing to do.
async fn thaw() {
    let script = r#"
        find /sys/fs/cgroup -path '*docker*' -name freezer.state 2>/dev/null |
            while read -r state; do grep -q FROZEN "$state" && echo THAWED >"$state"; done
        find /sys/fs/cgroup -path '*docker*' -name cgroup.freeze 2>/dev/null |
            while read -r state; do grep -q 1 "$state" && echo 0 >"$state"; done
        true
    "#;
    let _ = Cmd::new("sh").args(["-c", script]).finish().await;
}

/// Removes a network, with the ends that containers have left in it when they were killed.
async fn remove_network(network: &str) -> Result<()> {
    let ends = Cmd::new("docker")
        .args(["network", "inspect", "--format"])
        .args([
            "{{range $id, $end := .Containers}}{{$end.Name}} {{end}}",
            network,
        ])
        .run()
        .await?;
    for end in ends.stdout.split_whitespace() {
        Cmd::new("docker")
            .args(["network", "disconnect", "--force", network, end])
            .finish()
            .await?;
    }
    Cmd::new("docker")
        .args(["network", "rm", network])
        .run()
        .await?;
    Ok(())
}

/// Removes every container, volume and network of the lab.
pub(crate) async fn down() -> Result<()> {
    slow::restore().await;
    let label = format!("label={PREFIX}");
    let list = |args: &[&str]| Cmd::new("docker").args(args).args(["--filter", &label]);
    thaw().await;
    let containers = list(&["ps", "-aq"]).run().await?;
    let removals = containers.stdout.lines().map(|id| {
        Cmd::new("docker")
            .args(["rm", "--force", "--volumes", id])
            .finish()
    });
    let mut removed = join_all(removals).await;
    // An engine that is busy gives up on some; once more, one after the other.
    for id in list(&["ps", "-aq"]).run().await?.stdout.lines() {
        let again = Cmd::new("docker")
            .args(["rm", "--force", "--volumes", id])
            .finish();
        removed.push(again.await);
    }
    for volume in list(&["volume", "ls", "-q"]).run().await?.stdout.lines() {
        Cmd::new("docker")
            .args(["volume", "rm", "--force", volume])
            .run()
            .await?;
    }
    for network in list(&["network", "ls", "-q"]).run().await?.stdout.lines() {
        remove_network(network).await?;
    }
    services::unblock_metadata().await?;
    let left = list(&["ps", "-aq"]).run().await?;
    if left.text().is_empty() {
        return Ok(());
    }
    let said: Vec<String> = removed
        .into_iter()
        .map(|end| end.map_or_else(|error| format!("{error:#}"), |finished| finished.stderr))
        .collect();
    bail!(
        "containers of the lab cannot be removed: {}",
        said.join("; ")
    );
}
