//! The lab proves itself: everything the other stories lean on works without Launchpad.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures_util::future::try_join_all;

use super::Scene;
use crate::lab::inventory::{BY_ITSELF, Compare, listed};
use crate::lab::services::{PRIVATE_PASSWORD_FILE, PRIVATE_USER};
use crate::lab::{Host, cluster};
use crate::recipe::packages::OLD_CHANNEL;
use crate::talk::seconds;

/// Installs the engine from the product's repository as an administrator would.
const INSTALL: &str = r#"
set -eu
sudo apt-get update -q
sudo DEBIAN_FRONTEND=noninteractive apt-get install -y -q socat jq
curl -fsSL https://repos.mirantis.com/ubuntu/gpg |
    sudo gpg --batch --yes --dearmor --output /usr/share/keyrings/mirantis.gpg
printf 'Types: deb\nURIs: https://repos.mirantis.com/ubuntu\nSuites: jammy\nArchitectures: amd64\nComponents: %s\nSigned-By: /usr/share/keyrings/mirantis.gpg\n' "$CHANNEL" |
    sudo tee /etc/apt/sources.list.d/mirantis.sources >/dev/null
sudo apt-get update -q
sudo DEBIAN_FRONTEND=noninteractive apt-get install -y -q docker-ee docker-ee-cli containerd.io
sudo docker version --format '{{.Server.Version}}'
"#;

/// Plays the story.
pub(crate) async fn play(scene: &mut Scene) -> Result<()> {
    counts(scene).await?;
    inventories(scene).await?;
    metadata(scene).await?;
    install(scene).await?;
    scene.moment("before-pull").await?;
    pull(scene).await?;
    swarm(scene).await?;
    reboot(scene).await?;
    hardships(scene).await
}

/// Each command over ssh is counted once, on the right host.
async fn counts(scene: &mut Scene) -> Result<()> {
    let host = scene.lab.host("m1")?.clone();
    let other = scene.lab.host("w1")?.clone();
    let before = (host.ssh_count().await?, other.ssh_count().await?);
    for _ in 0..3 {
        host.ssh(&["true"]).run().await?;
    }
    let after = (host.ssh_count().await?, other.ssh_count().await?);
    let added = after.0.since(before.0);
    scene.check_equal("commands counted on m1", added.commands, 3);
    scene.check_equal("logins counted on m1", added.logins, 3);
    scene.check_equal(
        "commands counted on w1",
        after.1.since(before.1).commands,
        0,
    );
    Ok(())
}

/// A host that nobody touches does not change; a file that is written shows.
async fn inventories(scene: &mut Scene) -> Result<()> {
    let host = scene.lab.host("m1")?.clone();
    host.sh("echo lab >/etc/hostname.lab").await?;
    let started = Instant::now();
    let before = host.inventory().await?;
    let took = started.elapsed();
    host.ssh(&["sudo", "-n", "cat", "/etc/shadow"])
        .run()
        .await?;
    scene.moment("between-inventories").await?;
    let after = host.inventory().await?;
    let differences = before.differences(&after, Compare::Writes, &[BY_ITSELF]);
    scene.check(differences.is_empty(), || {
        format!(
            "a host changed by itself:\n{}",
            listed(&differences).unwrap_or_default()
        )
    });

    host.sh("sleep 0.01; echo lab >/etc/hostname.lab").await?;
    let written = after.differences(&host.inventory().await?, Compare::Writes, &[BY_ITSELF]);
    let names: Vec<&str> = written
        .iter()
        .map(|difference| difference.name.as_str())
        .collect();
    scene.check_equal("the rewritten file shows", names, vec!["/etc/hostname.lab"]);
    scene.say(format!(
        "an inventory has {} files and takes {}",
        after.names("file").count(),
        seconds(took)
    ));
    Ok(())
}

/// The hosts cannot ask the cloud that the machine may run in.
async fn metadata(scene: &mut Scene) -> Result<()> {
    let host = scene.lab.host("w1")?.clone();
    let asked = host
        .exec([
            "curl",
            "-s",
            "-m",
            "5",
            "http://169.254.169.254/latest/meta-data/",
        ])
        .finish()
        .await?;
    scene.check(asked.code() == 7, || {
        format!(
            "the metadata service is not refused: curl ended with {}",
            asked.code()
        )
    });
    Ok(())
}

async fn install(scene: &mut Scene) -> Result<()> {
    let started = Instant::now();
    let hosts = scene.lab.hosts.clone();
    let versions = try_join_all(hosts.iter().map(install_engine)).await?;
    for version in &versions {
        scene.check(version.starts_with("20.10."), || {
            format!("the engine is {version}")
        });
    }
    scene.say(format!(
        "engine {} installed after {}",
        versions[0],
        seconds(started.elapsed())
    ));
    Ok(())
}

/// Installs the engine on a host; returns its version.
pub(super) async fn install_engine(host: &Host) -> Result<String> {
    let installed = host
        .ssh(&[&format!("CHANNEL={OLD_CHANNEL}"), "sh", "-s"])
        .input(INSTALL)
        .within(Duration::from_secs(300))
        .run()
        .await
        .with_context(|| format!("cannot install the engine on {}", host.name))?;
    let version = installed.text().lines().last();
    Ok(version.unwrap_or_default().to_owned())
}

/// Images come under their public names, and from a registry that wants a password only with it.
async fn pull(scene: &mut Scene) -> Result<()> {
    let host = scene.lab.host("m1")?.clone();
    let docker = |args: &[&str]| host.exec(["docker"]).args(args);
    docker(&["pull", "-q", "mirantis/ucp:3.8.8"]).run().await?;
    let said = docker(&["run", "--rm", "mirantis/busybox:1", "echo", "hello"])
        .run()
        .await?;
    scene.check_equal("a nested container says", said.text(), "hello");

    let private = "private.lab/mirantis/busybox:1";
    let refused = docker(&["pull", "-q", private]).finish().await?;
    scene.check(!refused.status.success(), || {
        "anybody may pull from private.lab".to_owned()
    });
    let password = std::fs::read_to_string(scene.lab.dir().join(PRIVATE_PASSWORD_FILE))
        .context("cannot read the password of the private registry")?;
    docker(&[
        "login",
        "-u",
        PRIVATE_USER,
        "--password-stdin",
        "private.lab",
    ])
    .input(password)
    .run()
    .await?;
    docker(&["pull", "-q", private]).run().await?;
    Ok(())
}

async fn swarm(scene: &mut Scene) -> Result<()> {
    let started = Instant::now();
    let leader = scene.lab.host("m1")?.clone();
    let docker = |host: &Host, args: &[&str]| host.exec(["docker"]).args(args);
    let address = format!("--advertise-addr={}", leader.ip);
    docker(&leader, &["swarm", "init", &address]).run().await?;
    let token = async |role: &str| -> Result<String> {
        let token = docker(&leader, &["swarm", "join-token", "-q", role])
            .run()
            .await?;
        Ok(token.text().to_owned())
    };
    let (manager, worker) = (token("manager").await?, token("worker").await?);
    let ip = leader.ip.to_string();
    for host in scene
        .lab
        .hosts
        .clone()
        .iter()
        .filter(|host| host.name != leader.name)
    {
        let token = if host.name.is_manager() {
            &manager
        } else {
            &worker
        };
        docker(host, &["swarm", "join", "--token", token, &ip])
            .run()
            .await?;
    }
    cluster::wait_ready(&leader, scene.lab.hosts.len()).await?;
    scene.say(format!(
        "a swarm of {} is ready after {}",
        scene.lab.hosts.len(),
        seconds(started.elapsed())
    ));
    Ok(())
}

/// A reboot is a new boot of the same host.
async fn reboot(scene: &mut Scene) -> Result<()> {
    let host = scene.lab.host("w1")?.clone();
    let leader = scene.lab.host("m1")?.clone();
    let boot = host.boot_id().await?;
    let same = "cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub; ip -4 -o addr show eth0 | cut -d: -f2-";
    let before = host.sh(same).await?.stdout;
    host.sh("touch /run/gone /root/kept").await?;
    let started = Instant::now();
    host.ssh(&["sudo", "systemctl", "reboot"]).finish().await?;
    host.wait_reboot(&boot, Duration::from_secs(90)).await?;
    scene.say(format!(
        "w1 lets its user in again {} after a reboot",
        seconds(started.elapsed())
    ));
    scene.check_equal("w1 after a reboot", host.sh(same).await?.stdout, before);
    let files = host
        .exec(["ls", "/run/gone", "/root/kept"])
        .finish()
        .await?;
    scene.check_equal("what is left on w1", files.text(), "/root/kept");
    cluster::wait_ready(&leader, scene.lab.hosts.len()).await
}

/// The verbs of later stories: freezing a host, cutting its sessions.
async fn hardships(scene: &mut Scene) -> Result<()> {
    let host = scene.lab.host("m2")?.clone();
    host.pause().await?;
    let frozen = host
        .ssh(&["true"])
        .within(Duration::from_secs(20))
        .finish()
        .await?;
    scene.check_equal("ssh to a frozen host ends with", frozen.code(), 255);
    host.unpause().await?;
    host.wait_ssh(Duration::from_secs(30)).await?;

    let command = host.ssh(&["echo begun; exec sleep 60"]);
    let cut = async {
        let started = Instant::now();
        while !host
            .exec(["pgrep", "-u", "lab", "-x", "sleep"])
            .succeeds()
            .await
        {
            if started.elapsed() > Duration::from_secs(20) {
                bail!("a command over ssh does not start");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        host.kill_ssh_sessions().await
    };
    let (ended, cut) = tokio::join!(command.finish(), cut);
    cut?;
    scene.check_equal("a command over a cut session ends with", ended?.code(), 255);
    Ok(())
}
