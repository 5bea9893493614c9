//! Playing stories: fresh hosts where needed, logs when one fails, and faults that must be seen.

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use futures_util::FutureExt;

use super::{Fault, Outcome, Scene, State, Story, Tool, by_name};
use crate::lab::{Lab, logs};

/// Plays stories one after the other, all of them, also when one has failed.
pub(crate) async fn play_all(
    lab: Lab,
    stories: &[&'static Story],
    launchpad: &Path,
) -> Result<Vec<Outcome>> {
    let mut scene = Scene::new(lab);
    let mut state = State::Used;
    let mut outcomes = Vec::new();
    for story in stories {
        scene.say(format!("story {}: {}", story.name, story.about));
        let (outcome, left) = play(&mut scene, story, launchpad, state).await?;
        scene.say(outcome.to_string());
        state = left;
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

/// Plays the story of each fault with the fault planted; each must fail.
pub(crate) async fn play_faults(
    lab: Lab,
    faults: &[&'static Fault],
    launchpad: &Path,
) -> Result<Vec<Outcome>> {
    let mut scene = Scene::new(lab);
    let mut outcomes = Vec::new();
    for fault in faults {
        // A fault may have broken a service.
        scene.lab.renew().await?;
        let story = by_name(fault.story)?;
        scene.say(format!("fault {} in story {}", fault.name, story.name));
        scene.fault = Some(fault);
        scene.is_planted = false;
        let (outcome, _) = play(&mut scene, story, launchpad, State::Used).await?;
        let problem = if outcome.is_green() {
            Some("the story did not see it".to_owned())
        } else if !scene.is_planted {
            Some("the story failed before the fault was planted".to_owned())
        } else if !outcome
            .problems
            .iter()
            .any(|problem| problem.contains(fault.sign))
        {
            Some(format!("the story failed without saying `{}`", fault.sign))
        } else {
            None
        };
        let name = format!("fault {}", fault.name);
        outcomes.push(Outcome::new(
            &name,
            outcome.took,
            problem.into_iter().collect(),
        ));
    }
    Ok(outcomes)
}

/// Plays one story on hosts in the state it needs, and says what state they are in afterwards.
async fn play(
    scene: &mut Scene,
    story: &'static Story,
    launchpad: &Path,
    state: State,
) -> Result<(Outcome, State)> {
    let started = Instant::now();
    scene.problems.clear();
    let playing = async {
        set(scene, story, launchpad, state)
            .await
            .context("cannot set the scene")?;
        (story.play)(scene).await
    };
    if let Err(error) = caught(playing).await {
        scene.problem(format!("{error:#}"));
    }
    let problems = scene.take_problems();
    if problems.is_empty() {
        let outcome = Outcome::new(story.name, started.elapsed(), problems);
        return Ok((outcome, story.leaves));
    }
    let title = scene.fault.map_or(story.name, |fault| fault.name);
    match logs::collect(&scene.lab, title).await {
        Ok(dir) => scene.say(format!("the logs of all hosts are in `{}`", dir.display())),
        Err(error) => scene.say(format!("logs cannot be collected: {error:#}")),
    }
    Ok((
        Outcome::new(story.name, started.elapsed(), problems),
        State::Used,
    ))
}

/// Makes an error of a panic, so that the lab is removed all the same.
pub(crate) async fn caught<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    AssertUnwindSafe(work)
        .catch_unwind()
        .await
        .unwrap_or_else(|panic| {
            let said = panic.downcast_ref::<String>().map(String::as_str);
            let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(anyhow::anyhow!(
                "the driver panicked: {}",
                said.unwrap_or("without a word")
            ))
        })
}

/// Brings the hosts into the state that a story starts from.
async fn set(scene: &mut Scene, story: &Story, launchpad: &Path, state: State) -> Result<()> {
    if story.from == State::Installed && state == State::Installed && has_hosts(scene, story) {
        return Ok(());
    }
    scene.start_hosts(story.hosts, story.flavour).await?;
    if story.tool == Tool::Launchpad {
        scene.use_launchpad(launchpad)?;
    }
    if story.from == State::Installed {
        scene.say("installing the cluster that the story starts from");
        scene.install().await?;
    }
    Ok(())
}

fn has_hosts(scene: &Scene, story: &Story) -> bool {
    let running = scene.lab.hosts.iter().map(|host| host.name.to_string());
    running.eq(story.hosts.iter().map(|name| (*name).to_owned()))
}
