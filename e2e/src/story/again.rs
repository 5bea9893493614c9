//! An apply with nothing to do does nothing, and asks each host once.

use std::time::Instant;

use anyhow::Result;
use futures_util::future::try_join_all;

use super::Scene;
use crate::lab::inventory::{BY_ITSELF, Compare, listed};
use crate::talk::seconds;

/// Plays the story.
pub(crate) async fn play(scene: &mut Scene) -> Result<()> {
    let config = scene.save(&scene.lab.config())?;
    check(scene, &config).await
}

/// Applies a configuration to a cluster that is like it, and looks whether anything happened.
pub(super) async fn check(scene: &mut Scene, config: &str) -> Result<()> {
    let hosts = scene.lab.hosts.clone();
    let before = try_join_all(hosts.iter().map(|host| host.inventory())).await?;
    let counted = try_join_all(hosts.iter().map(|host| host.ssh_count())).await?;

    let started = Instant::now();
    scene
        .launchpad()?
        .run(&["apply", "-c", config])
        .await?
        .expect(0)?;
    let took = started.elapsed();
    scene.moment("after-second-apply").await?;

    let counts = try_join_all(hosts.iter().map(|host| host.ssh_count())).await?;
    let after = try_join_all(hosts.iter().map(|host| host.inventory())).await?;
    let mut commands = Vec::new();
    for (index, host) in hosts.iter().enumerate() {
        let differences = before[index].differences(&after[index], Compare::Writes, &[BY_ITSELF]);
        scene.check(differences.is_empty(), || {
            let list = listed(&differences).unwrap_or_default();
            format!("an apply with nothing to do changed {}:\n{list}", host.name)
        });
        commands.push(counts[index].since(counted[index]).commands);
    }
    let shown: Vec<String> = commands.iter().map(ToString::to_string).collect();
    scene.say(format!(
        "an apply with nothing to do took {} and {} commands over ssh",
        seconds(took),
        shown.join(" ")
    ));
    // One script per host; one manager may be asked for the cluster's CA, too.
    let total: usize = commands.iter().sum();
    let most = commands.iter().copied().max().unwrap_or_default();
    scene.check(most <= 2 && total <= hosts.len() + 1, || {
        format!(
            "an apply with nothing to do sent {} commands",
            shown.join(" ")
        )
    });
    scene.check(commands.iter().all(|count| *count >= 1), || {
        format!("a host was not asked at all: {} commands", shown.join(" "))
    });
    let plan = scene.launchpad()?.run(&["plan", "-c", config]).await?;
    scene.check_equal("the exit status of a plan with nothing to do", plan.code, 0);
    Ok(())
}
