//! A host that freezes in the middle of an apply, and an engine that hangs: only by name, for the waiting takes long.

use std::time::Duration;

use anyhow::{Context, Result};

use super::interrupted::wait_for;
use super::{Scene, converged};
use crate::lab::cluster;
use crate::lab::services::MKE_VERSIONS;

/// Three questions without an answer, 15 s apart, and what the other hosts need meanwhile.
const NOTICED: Duration = Duration::from_secs(120);

/// How long a host may take to come back.
const BACK: Duration = Duration::from_secs(60);

/// Plays the story.
pub(crate) async fn play(scene: &mut Scene) -> Result<()> {
    let path = scene.save(&scene.lab.config())?;
    freeze(scene, &path).await?;
    apply(scene, &path, "with the host thawed").await?;
    hang(scene, &path).await?;
    converged::check_clean(scene, "after all that was frozen").await
}

/// A host freezes while packages are installed on it.
async fn freeze(scene: &mut Scene, path: &str) -> Result<()> {
    let host = scene.lab.host("w2")?.clone();
    let mut running = scene.launchpad()?.start(&["apply", "-c", path])?;
    running
        .until(async {
            wait_for(&host, "pgrep -x dpkg").await?;
            host.pause().await
        })
        .await?;
    scene.moment("frozen").await?;
    let run = running.finish(NOTICED).await;
    let thawed = host.unpause().await;
    let run = run?;
    let when = "with a host that freezes in the middle";
    scene.check_equal(&format!("the exit status {when}"), run.code, 1);
    thawed?;
    let text = run.text();
    let address = format!("{}: ", host.ip);
    for words in [
        address.as_str(),
        "the host did not answer any more",
        "then run again",
    ] {
        scene.check(text.contains(words), || {
            format!("{when}, launchpad does not say `{words}`:\n{text}")
        });
    }
    // The others have not waited for it.
    let manager = scene.lab.host("m1")?.clone();
    let nodes = cluster::nodes(&manager)
        .await
        .context("the others have made no swarm")?;
    let names: Vec<String> = nodes.into_iter().map(|node| node.hostname).collect();
    scene.check_equal(
        "the nodes that have not frozen",
        names,
        vec!["m1".to_owned(), "w1".to_owned()],
    );
    host.wait_ssh(BACK).await
}

/// An engine takes connections and never answers.
async fn hang(scene: &mut Scene, path: &str) -> Result<()> {
    let worker = scene.lab.host("w1")?.clone();
    let before = worker.engine_starts().await?;
    worker.sh("kill -STOP $(pidof dockerd)").await?;
    apply(scene, path, "with an engine that hangs").await?;
    let added = worker.engine_starts().await? - before;
    scene.check_equal("engine starts on w1", added, 1);
    Ok(())
}

async fn apply(scene: &mut Scene, path: &str, when: &'static str) -> Result<()> {
    let run = scene.launchpad()?.run(&["apply", "-c", path]).await?;
    run.expect(0).context(when)?;
    converged::check(scene, MKE_VERSIONS[0]).await?;
    Ok(())
}
