//! A changed configuration touches the hosts it is about, and no others.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::future::try_join_all;
use serde_json::json;

use super::{Scene, converged};
use crate::https::Trust;
use crate::lab::cluster::{self, HealthWatch};
use crate::lab::config::literal;
use crate::lab::inventory::{BY_ITSELF, Compare, Ignored, Inventory, ignored, listed};
use crate::lab::services::MKE_VERSIONS;
use crate::lab::{Config, Flavour, Host};

/// The worker whose environment changes.
const WORKER: &str = "w1";
/// The host that joins.
const NEW: &str = "w3";

/// A variable that the engine needs in its own environment, and one that is only the host's.
const PROXY: (&str, &str) = ("NO_PROXY", "10.77.0.0/16,*.lab");
const NOTE: (&str, &str) = ("LAB_NOTE", "two words * and $HOME");

/// What a manager sees of other hosts.
const OF_OTHERS: &[Ignored] = &[
    ignored("node", "*", "managers see every node of the cluster"),
    ignored(
        "rule",
        "*",
        "the engine's networks follow the nodes of the cluster",
    ),
];

/// Plays the story.
pub(crate) async fn play(scene: &mut Scene) -> Result<()> {
    let plain = scene.lab.config();
    let manager = quiet_manager(scene).await?;
    let worker = scene.lab.host(WORKER)?.clone();
    let ca = cluster::ca(&manager, MKE_VERSIONS[0]).await?;

    scene.lab.add_hosts(&[NEW.parse()?], Flavour::Bare).await?;
    let grown = scene.lab.config();
    let changed = grown
        .clone()
        .with_host(&manager, "mcrConfig", json!({ "debug": true }))
        .with_host(
            &worker,
            "environment",
            json!({ PROXY.0: PROXY.1, NOTE.0: literal(NOTE.1) }),
        );
    scene.check(plain != grown && grown != changed, || {
        "the configurations are equal".to_owned()
    });
    scene.moment("before-change").await?;
    let touched = [manager.clone(), worker.clone()];
    apply(scene, &changed, &touched, &ca).await?;
    scene.moment("after-change").await?;
    check_changed(scene, &manager, &worker).await?;
    converged::check(scene, MKE_VERSIONS[0]).await?;

    apply(scene, &grown, &touched, &ca).await?;
    check_taken_back(scene, &manager, &worker).await?;
    converged::check(scene, MKE_VERSIONS[0]).await?;
    Ok(())
}

/// Returns a manager that does not lead the swarm, so that its restart starts no election.
async fn quiet_manager(scene: &Scene) -> Result<Host> {
    let managers = scene.lab.managers();
    let nodes = cluster::nodes(managers[0]).await?;
    let is_leader = |host: &Host| {
        nodes
            .iter()
            .any(|node| node.is_leader && node.hostname == host.name.to_string())
    };
    let quiet = managers.into_iter().rev().find(|host| !is_leader(host));
    Ok(quiet.context("every manager leads the swarm")?.clone())
}

/// Applies a configuration and checks who was disturbed.
async fn apply(scene: &mut Scene, config: &Config, touched: &[Host], ca: &Trust) -> Result<()> {
    let is_touched = |host: &Host| touched.iter().any(|one| one.name == host.name);
    let hosts: Vec<Host> = scene
        .lab
        .hosts
        .iter()
        .filter(|host| host.name.to_string() != NEW)
        .cloned()
        .collect();
    let others: Vec<Host> = hosts
        .iter()
        .filter(|host| !is_touched(host))
        .cloned()
        .collect();
    let before = inventories(&others).await?;
    let starts = engine_starts(&hosts).await?;
    let managers: Vec<Host> = others
        .iter()
        .filter(|host| host.name.is_manager())
        .cloned()
        .collect();
    let health = HealthWatch::start(&managers, ca);

    let path = scene.save(config)?;
    let run = scene.launchpad()?.run(&["apply", "-c", &path]).await;
    let health = health.stop().await?;
    run?.expect(0)?;
    scene.moment("before-comparing").await?;

    for watched in health {
        scene.check(watched.bad.is_empty() && watched.good > 0, || {
            format!(
                "the API of {} answered {} times and failed: {:?}",
                watched.host, watched.good, watched.bad
            )
        });
    }
    let after = inventories(&others).await?;
    for host in &others {
        let name = host.name.to_string();
        let allowed = [BY_ITSELF, OF_OTHERS];
        let differences = before[&name].differences(&after[&name], Compare::Writes, &allowed);
        scene.check(differences.is_empty(), || {
            let list = listed(&differences).unwrap_or_default();
            format!("{name} was not to be touched:\n{list}")
        });
    }
    let added = engine_starts(&hosts).await?;
    for host in &hosts {
        let name = host.name.to_string();
        let wanted = usize::from(is_touched(host));
        let restarts = added[&name] - starts[&name];
        scene.check_equal(&format!("engine starts on {name}"), restarts, wanted);
    }
    Ok(())
}

async fn inventories(hosts: &[Host]) -> Result<BTreeMap<String, Inventory>> {
    try_join_all(
        hosts
            .iter()
            .map(|host| async { Ok((host.name.to_string(), host.inventory().await?)) }),
    )
    .await
    .map(|pairs| pairs.into_iter().collect())
}

async fn engine_starts(hosts: &[Host]) -> Result<BTreeMap<String, usize>> {
    try_join_all(
        hosts
            .iter()
            .map(|host| async { Ok((host.name.to_string(), host.engine_starts().await?)) }),
    )
    .await
    .map(|pairs| pairs.into_iter().collect())
}

async fn check_changed(scene: &mut Scene, manager: &Host, worker: &Host) -> Result<()> {
    let debug = manager
        .exec(["docker", "info", "--format", "{{.Debug}}"])
        .run()
        .await?;
    scene.check_equal("the engine's debug mode", debug.text(), "true");
    let login = worker.ssh(&["env"]).run().await?.stdout;
    for (name, value) in [PROXY, NOTE] {
        let line = format!("{name}={value}");
        scene.check(login.lines().any(|found| found == line), || {
            format!("a new login on {} does not see `{line}`", worker.name)
        });
    }
    let engine = engine_environment(worker).await?;
    let line = format!("{}={}", PROXY.0, PROXY.1);
    scene.check(engine.lines().any(|found| found == line), || {
        format!("the engine of {} runs without `{line}`", worker.name)
    });
    Ok(())
}

async fn check_taken_back(scene: &mut Scene, manager: &Host, worker: &Host) -> Result<()> {
    let debug = manager
        .exec(["docker", "info", "--format", "{{.Debug}}"])
        .run()
        .await?;
    scene.check_equal(
        "the engine's debug mode after its key is gone",
        debug.text(),
        "false",
    );
    let file = manager
        .exec(["cat", "/etc/docker/daemon.json"])
        .finish()
        .await?
        .stdout;
    scene.check(!file.contains("debug"), || {
        format!("daemon.json still has the key: {file}")
    });
    let login = worker.ssh(&["env"]).run().await?.stdout;
    let engine = engine_environment(worker).await?;
    for (name, _) in [PROXY, NOTE] {
        let start = format!("{name}=");
        let is_left = |text: &str| text.lines().any(|line| line.starts_with(&start));
        scene.check(!is_left(&login), || {
            format!("a new login still sees {name}")
        });
        scene.check(!is_left(&engine), || format!("the engine still has {name}"));
    }
    Ok(())
}

/// Returns the environment that the running engine really has.
async fn engine_environment(host: &Host) -> Result<String> {
    let script =
        r#"tr '\0' '\n' <"/proc/$(systemctl show docker.service --value -p MainPID)/environ""#;
    let environment = host
        .exec(["sh", "-c", script])
        .within(Duration::from_secs(20))
        .run()
        .await?;
    Ok(environment.stdout)
}
