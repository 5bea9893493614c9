//! A plan changes nothing; an apply makes a cluster of bare hosts.

use std::time::Instant;

use anyhow::Result;
use futures_util::future::try_join_all;

use super::{Scene, converged};
use crate::lab::inventory::{BY_ITSELF, Compare, listed};
use crate::lab::services::MKE_VERSIONS;
use crate::talk::seconds;

/// Plays the story.
pub(crate) async fn play(scene: &mut Scene) -> Result<()> {
    let config = scene.save(&scene.lab.config())?;
    plan(scene, &config).await?;
    let started = Instant::now();
    scene
        .launchpad()?
        .run(&["apply", "-c", &config])
        .await?
        .expect(0)?;
    scene.say(format!("a fresh apply took {}", seconds(started.elapsed())));
    scene.moment("after-apply").await?;
    converged::check(scene, MKE_VERSIONS[0]).await?;
    converged::check_clean(scene, "after an apply").await
}

/// Looks at every host before and after a plan.
async fn plan(scene: &mut Scene, config: &str) -> Result<()> {
    let hosts = scene.lab.hosts.clone();
    let before = try_join_all(hosts.iter().map(|host| host.inventory())).await?;
    let run = scene.launchpad()?.run(&["plan", "-c", config]).await?;
    scene.check_equal("the exit status of a plan for bare hosts", run.code, 3);
    scene.moment("after-plan").await?;
    let after = try_join_all(hosts.iter().map(|host| host.inventory())).await?;
    for (host, (before, after)) in hosts.iter().zip(before.iter().zip(&after)) {
        let differences = before.differences(after, Compare::Writes, &[BY_ITSELF]);
        scene.check(differences.is_empty(), || {
            let list = listed(&differences).unwrap_or_default();
            format!("a plan changed {}:\n{list}", host.name)
        });
    }
    Ok(())
}
