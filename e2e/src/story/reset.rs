//! A reset takes back what an apply has done, twice without complaint, and leaves hosts that can be used again.

use anyhow::{Context, Result};
use futures_util::future::try_join_all;
use serde_json::json;

use super::{Scene, converged};
use crate::lab::Config;
use crate::lab::inventory::{AFTER_RESET, BY_ITSELF, Compare, Ignored, Inventory, ignored, listed};
use crate::lab::services::MKE_VERSIONS;

/// What stays without `prune`: the engine's data and settings.
const DATA: &[Ignored] = &[
    ignored(
        "file",
        "/var/lib/docker",
        "engine data goes only with prune",
    ),
    ignored(
        "file",
        "/var/lib/containerd",
        "engine data goes only with prune",
    ),
    ignored("file", "/etc/docker*", "engine settings go only with prune"),
    ignored(
        "package",
        "docker-ee",
        "its configuration files go only with prune",
    ),
];

/// Plays the story.
pub(crate) async fn play(scene: &mut Scene) -> Result<()> {
    let before = inventories(scene).await?;
    for prune in [false, true] {
        let config = scene.lab.config().with("/spec/mcr/prune", json!(prune));
        cycle(scene, &config, prune, &before).await?;
    }
    Ok(())
}

/// Applies, resets twice, and applies again after the last reset.
async fn cycle(
    scene: &mut Scene,
    config: &Config,
    prune: bool,
    before: &[Inventory],
) -> Result<()> {
    let path = scene.save(config)?;
    let title = if prune { "with prune" } else { "without prune" };
    apply(scene, &path)
        .await
        .with_context(|| format!("before a reset {title}"))?;
    scene
        .launchpad()?
        .run(&["reset", "--force", "-c", &path])
        .await?
        .expect(0)?;
    scene
        .moment(if prune { "after-prune" } else { "after-reset" })
        .await?;
    compare(scene, before, prune, title).await?;
    converged::check_clean(scene, &format!("after a reset {title}")).await?;
    scene
        .launchpad()?
        .run(&["reset", "--force", "-c", &path])
        .await?
        .expect(0)?;
    compare(scene, before, prune, &format!("a second time {title}")).await?;
    apply(scene, &path)
        .await
        .with_context(|| format!("after a reset {title}"))
}

async fn apply(scene: &mut Scene, path: &str) -> Result<()> {
    scene
        .launchpad()?
        .run(&["apply", "-c", path])
        .await?
        .expect(0)?;
    converged::check(scene, MKE_VERSIONS[0]).await?;
    Ok(())
}

async fn inventories(scene: &Scene) -> Result<Vec<Inventory>> {
    try_join_all(scene.lab.hosts.iter().map(|host| host.inventory())).await
}

async fn compare(scene: &mut Scene, before: &[Inventory], prune: bool, title: &str) -> Result<()> {
    let after = inventories(scene).await?;
    let data = if prune { &[] } else { DATA };
    let hosts = scene.lab.hosts.clone();
    for (host, (before, after)) in hosts.iter().zip(before.iter().zip(&after)) {
        let allowed = [BY_ITSELF, AFTER_RESET, data];
        let differences = before.differences(after, Compare::Content, &allowed);
        scene.check(differences.is_empty(), || {
            let list = listed(&differences).unwrap_or_default();
            format!("a reset {title} left on {}:\n{list}", host.name)
        });
    }
    Ok(())
}
