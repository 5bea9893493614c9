//! What breaks under a healthy cluster: engines, keys, hosts, the network. Launchpad mends what it may, refuses where
//! it must, and the same command works once the world is well again.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;

use super::interrupted::wait_for;
use super::refusal::{Before, Refusal, refused};
use super::{Scene, converged, smoke};
use crate::command::Cmd;
use crate::lab::inventory::{Ignored, ignored};
use crate::lab::services::MKE_VERSIONS;
use crate::lab::slow::SlowWay;
use crate::lab::{Config, Flavour, Host, cluster};
use crate::paths::write;

/// A host with an engine and a swarm of its own.
const STRANGER: &str = "w4";

/// How long a run may take to say what it saw at its first look: docker is given 20 s to answer.
const FIRST_LOOK: Duration = Duration::from_secs(40);

/// How long a run may try to connect to a host that does not answer.
const CONNECTING: Duration = Duration::from_secs(75);

/// How long a host may take to come back.
const BACK: Duration = Duration::from_secs(90);

/// How long a run may take that is disturbed on its way.
const DISTURBED: Duration = Duration::from_secs(180);

/// The link that is slow: the time each way, and the loss in per cent.
const SLOW: (Duration, u8) = (Duration::from_millis(25), 2);

/// What the swarm does where a node was frozen.
const OF_A_FROZEN_HOST: &[Ignored] = &[
    ignored(
        "container",
        "*",
        "the tasks of a node that was away are started anew",
    ),
    ignored(
        "rule",
        "*",
        "the engine's networks follow the nodes of the cluster",
    ),
];

/// Plays the story.
pub(crate) async fn play(scene: &mut Scene) -> Result<()> {
    let path = scene.save(&scene.lab.config())?;
    leader_without_engine(scene, &path).await?;
    frozen_and_exchanged(scene, &path).await?;
    stranger(scene).await?;
    slow_way(scene).await?;
    reboot(scene).await?;
    converged::check(scene, MKE_VERSIONS[0]).await?;
    converged::check_clean(scene, "after all outages").await
}

async fn leader(scene: &Scene) -> Result<Host> {
    let managers = scene.lab.managers();
    let nodes = cluster::nodes(managers[0]).await?;
    let leads = nodes.iter().find(|node| node.is_leader);
    let leads = leads.context("nobody leads the swarm")?;
    Ok(scene.lab.host(&leads.hostname)?.clone())
}

/// The engine of the raft leader is dead: it is started again, and no other is touched.
async fn leader_without_engine(scene: &mut Scene, path: &str) -> Result<()> {
    let leader = leader(scene).await?;
    let others: Vec<Host> = scene
        .lab
        .hosts
        .iter()
        .filter(|host| host.name != leader.name)
        .cloned()
        .collect();
    let mut starts = Vec::new();
    for host in &others {
        starts.push(host.engine_starts().await?);
    }
    leader
        .sh("systemctl stop docker.socket docker.service")
        .await?;
    // The cluster is well again, but for that host, once the others have elected one of themselves.
    let other = others.iter().find(|host| host.name.is_manager());
    let other = other.context("there is one manager only")?;
    let elected = "docker node ls --format '{{.ManagerStatus}}' | grep -qx Leader";
    wait_for(other, elected).await?;
    scene
        .launchpad()?
        .run(&["apply", "-c", path])
        .await?
        .expect(0)
        .context("with a dead engine on the leader")?;
    scene.moment("after-restart").await?;
    for (host, before) in others.iter().zip(starts) {
        let added = host.engine_starts().await? - before;
        scene.check_equal(&format!("engine starts on {}", host.name), added, 0);
    }
    converged::check(scene, MKE_VERSIONS[0]).await?;
    Ok(())
}

/// One host does not answer, another has a new host key: both are named, and nothing is changed.
async fn frozen_and_exchanged(scene: &mut Scene, path: &str) -> Result<()> {
    let (exchanged, frozen) = (scene.lab.host("w1")?.clone(), scene.lab.host("w2")?.clone());
    exchanged
        .sh(
            "cd /etc/ssh && mkdir /root/keys && mv ssh_host_* /root/keys && \
             ssh-keygen -q -t ed25519 -N '' -f ssh_host_ed25519_key && systemctl restart ssh",
        )
        .await?;
    let before = Before::of(&scene.lab.hosts).await?.but(OF_A_FROZEN_HOST);
    frozen.pause().await?;
    let addresses = [&exchanged, &frozen].map(|host| host.ip.to_string());
    let remove = format!("ssh-keygen -R '{}'", addresses[0]);
    let when = "with a frozen host and an exchanged one";
    let refusal = Refusal {
        when,
        within: CONNECTING,
        says: &[
            &format!(
                "the host key of `{}` is not the one that is known",
                addresses[0]
            ),
            &remove,
            &format!(
                "`{}:22` took the connection, but said nothing",
                addresses[1]
            ),
            "look whether the host is frozen",
        ],
        never_says: &[],
    };
    let run = refused(scene, &["apply", "-c", path], &refusal).await;
    frozen.unpause().await?;
    run?;
    scene.moment("after-refusal").await?;
    frozen.wait_ssh(BACK).await?;
    cluster::wait_ready(scene.lab.managers()[0], scene.lab.hosts.len()).await?;
    before.check_unchanged(scene, when).await?;
    // As the message says.
    Cmd::new("ssh-keygen")
        .args(["-q", "-R", &addresses[0], "-f"])
        .arg(scene.lab.home().join(".ssh/known_hosts"))
        .run()
        .await?;
    scene
        .launchpad()?
        .run(&["apply", "-c", path])
        .await?
        .expect(0)
        .context("with the host thawed and the old key removed")?;
    Ok(())
}

/// A host that shall join manages a swarm of its own.
async fn stranger(scene: &mut Scene) -> Result<()> {
    scene
        .lab
        .add_hosts(&[STRANGER.parse()?], Flavour::Bare)
        .await?;
    let host = scene.lab.host(STRANGER)?.clone();
    smoke::install_engine(&host).await?;
    let address = host.ip.to_string();
    host.exec(["docker", "swarm", "init", "--advertise-addr", &address])
        .run()
        .await?;
    // A new swarm makes its network by itself, some time after the command has ended.
    let settled = "docker network inspect ingress | grep -q ingress-sbox && \
                   docker node ls --format '{{.Status}} {{.ManagerStatus}}' | grep -qx 'Ready Leader'";
    wait_for(&host, settled).await?;
    let path = scene.save(&scene.lab.config())?;
    let before = Before::of(&scene.lab.hosts).await?;
    let when = "with a host of another swarm";
    let refusal = Refusal {
        when,
        within: FIRST_LOOK,
        says: &[&address, "of another swarm", "`docker swarm leave --force`"],
        never_says: &["different swarms"],
    };
    refused(scene, &["apply", "-c", &path], &refusal).await?;
    before.check_unchanged(scene, when).await?;
    host.exec(["docker", "swarm", "leave", "--force"])
        .run()
        .await?;
    Ok(())
}

/// The stranger joins, over a slow way, while every sshd is restarted.
async fn slow_way(scene: &mut Scene) -> Result<()> {
    let hosts = scene.lab.hosts.clone();
    let worker = scene.lab.host("w3")?.clone();
    let config = scene
        .lab
        .config()
        .with_host(&worker, "mcrConfig", json!({ "debug": true }));
    let path = scene.save(&config)?;
    let way = SlowWay::lay(&hosts, SLOW.0, SLOW.1).await?;
    let file = scene.lab.home().join(".ssh/config");
    write(&file, way.ssh_config())?;
    let played = over(scene, &path, &worker).await;
    let (carried, lost) = way.close().await?;
    crate::cache::remove(&file)?;
    played?;
    scene.say(format!(
        "{carried} bytes took the slow way, and {lost} packets were lost"
    ));
    scene.check(carried > 10_000 && lost > 0, || {
        format!("only {carried} bytes took the slow way, and {lost} packets were lost")
    });
    // As the slow way has left it.
    let plan = scene.launchpad()?.run(&["plan", "-c", &path]).await?;
    scene.check_equal("the exit status of a plan with nothing to do", plan.code, 0);
    converged::check(scene, MKE_VERSIONS[0]).await?;
    Ok(())
}

async fn over(scene: &mut Scene, path: &str, worker: &Host) -> Result<()> {
    let plan = scene.launchpad()?.run(&["plan", "-c", path]).await?;
    scene.check_equal("the exit status of a plan over a slow way", plan.code, 3);
    let mut running = scene.launchpad()?.start(&["apply", "-c", path])?;
    running
        .until(async {
            wait_for(worker, "pgrep -f 'systemctl restart docker'").await?;
            for host in &scene.lab.hosts {
                host.sh("systemctl restart ssh").await?;
            }
            Ok(())
        })
        .await?;
    running
        .finish(DISTURBED)
        .await?
        .expect(0)
        .context("over a slow way, with every sshd restarted")?;
    Ok(())
}

/// A manager reboots while its engine is restarted: the run says so, or outwaits it; the same command converges.
async fn reboot(scene: &mut Scene) -> Result<()> {
    let leader = leader(scene).await?;
    let managers = scene.lab.managers();
    let manager = managers.into_iter().find(|host| host.name != leader.name);
    let manager = manager.context("there is one manager only")?.clone();
    let settings = json!({ "debug": true });
    let config: Config = scene
        .lab
        .config()
        .with_host(&manager, "mcrConfig", settings);
    let path = scene.save(&config)?;
    let boot = manager.boot_id().await?;
    let mut running = scene.launchpad()?.start(&["apply", "-c", &path])?;
    running
        .until(async {
            wait_for(&manager, "pgrep -f 'systemctl restart docker'").await?;
            manager.exec(["systemctl", "reboot"]).finish().await?;
            Ok(())
        })
        .await?;
    let run = running.finish(DISTURBED).await?;
    let (text, address) = (run.text(), manager.ip.to_string());
    let is_told = run.code == 1 && text.contains(&address) && text.contains("hint: ");
    scene.check(run.code == 0 || is_told, || {
        format!(
            "a run whose manager reboots ended with {}:\n{text}",
            run.code
        )
    });
    scene.check(!text.contains("check `mcrConfig`"), || {
        format!("the reboot of a manager is told of as a wrong setting:\n{text}")
    });
    manager.wait_reboot(&boot, BACK).await?;
    scene
        .launchpad()?
        .run(&["apply", "-c", &path])
        .await?
        .expect(0)
        .context("after the reboot of a manager")?;
    let debug = manager
        .exec(["docker", "info", "--format", "{{.Debug}}"])
        .run()
        .await?;
    scene.check_equal(
        "the debug mode of the rebooted manager",
        debug.text(),
        "true",
    );
    Ok(())
}
