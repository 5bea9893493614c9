//! Commands and scripts whose answers the fleet has to give, too: run on hosts of the lab, and
//! compared with their recordings or recorded anew. What they are: `fleet/tests/parity/README.md`.

mod report;
mod selection;
mod send;
mod writes;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use parity::{Answer, Row, State, System};

use crate::lab::{Flavour, Lab, logs, services};
use crate::recipe::rpms::Engines;
use crate::story::{Scene, caught};
use report::{End, Outcome};

pub(crate) use report::Report;
pub(crate) use selection::Selection;
pub(crate) use writes::Writes;

/// Where rows, recordings and rules are in the repository.
pub(crate) const DATA: &str = "fleet/tests/parity";

/// Runs rows on fresh hosts in the states that they need.
pub(crate) async fn run(
    lab: Lab,
    selection: &Selection,
    writes: Writes,
    launchpad: &Path,
) -> Result<Report> {
    let mut run = Run {
        answers: lab.paths.logs().join("parity"),
        scene: Scene::new(lab),
        selection,
        writes,
        report: Report::new(writes),
    };
    // Those of the last run.
    crate::cache::remove(&run.answers)?;
    let ended = caught(run.all(launchpad)).await;
    if ended.is_err() {
        match logs::collect(&run.scene.lab, "parity").await {
            Ok(dir) => run
                .scene
                .say(format!("the logs of all hosts are in `{}`", dir.display())),
            Err(error) => run
                .scene
                .say(format!("logs cannot be collected: {error:#}")),
        }
    }
    ended.map(|()| run.report)
}

/// Rows at work.
struct Run<'a> {
    scene: Scene,
    selection: &'a Selection,
    writes: Writes,
    /// Where answers that differ are kept, whole.
    answers: PathBuf,
    report: Report,
}

/// Returns what hosts of a system are made of, and the packages that they are offered.
fn image_of(system: System) -> Option<(Flavour, Engines)> {
    match system {
        System::Ubuntu => Some((Flavour::Bare, Engines::Real)),
        System::Rocky => Some((Flavour::Rocky, Engines::Small)),
        System::Sles => Some((Flavour::Sles, Engines::Small)),
        System::OpenRc | System::Uutils => None,
    }
}

impl Run<'_> {
    async fn all(&mut self, launchpad: &Path) -> Result<()> {
        // Before hosts are started: a binary that is missing is known at once.
        let mut states = self.selection.states.iter();
        if states.any(|(state, _)| state.is_installed) {
            self.scene.use_launchpad(launchpad)?;
        }
        let mut standing: Option<&State> = None;
        for (state, rows) in &self.selection.states {
            let Some(image) = image_of(state.system) else {
                self.scene.say(format!(
                    "state {}: left out, as the lab has no hosts of its system",
                    state.name
                ));
                continue;
            };
            if standing.is_none_or(|standing| !state.follows(standing)) {
                self.bring_about(state, image).await?;
                standing = Some(state);
            }
            let chosen = rows.iter().filter(|row| self.selection.has(row)).count();
            self.scene.say(format!(
                "state {}: {} rows, {chosen} of them compared",
                state.name,
                rows.len()
            ));
            for row in rows {
                self.row(row).await?;
            }
        }
        if self.report.has_recorded() {
            let host = self.scene.lab.host("m1")?;
            self.report.circumstances = Some(report::circumstances(host).await?);
        }
        Ok(())
    }

    /// Starts the hosts of a state.
    async fn bring_about(&mut self, state: &State, image: (Flavour, Engines)) -> Result<()> {
        let (flavour, engines) = image;
        services::renew_repositories(&self.scene.lab.images, engines).await?;
        self.scene.start_hosts(state.hosts, flavour).await?;
        if !state.is_installed {
            return Ok(());
        }
        self.scene.say("installing the cluster");
        self.scene.install().await?;
        let problems = self.scene.take_problems();
        if !problems.is_empty() {
            bail!("the cluster is not whole: {}", problems.join("; "));
        }
        Ok(())
    }

    /// Runs a row; where it was chosen, its answer is judged. That the others have one is enough.
    async fn row(&mut self, row: &Row) -> Result<()> {
        let started = Instant::now();
        let answer = send::send(&self.scene.lab, row).await;
        let took = started.elapsed();
        let end = match answer {
            Err(error) => End::NoAnswer(format!("{error:#}")),
            Ok(_) if !self.selection.has(row) => return Ok(()),
            Ok(answer) => self.judge(row, &answer)?,
        };
        let path = row.path();
        let outcome = Outcome { path, took, end };
        outcome.say(self.scene.lab.talk);
        self.report.add(outcome);
        Ok(())
    }

    /// Compares an answer with the recording; where that is wanted, it becomes the recording.
    fn judge(&self, row: &Row, answer: &Answer) -> Result<End> {
        let difference = parity::difference(&self.selection.rules, row, answer);
        if self.writes.wants(difference.is_some()) {
            writes::replace(&row.recording(&self.selection.data), &answer.text())?;
            return Ok(End::Recorded);
        }
        let Some(difference) = difference else {
            return Ok(End::Equal);
        };
        let kept = self.answers.join(format!("{}.txt", row.path()));
        crate::paths::write(&kept, answer.text()).context("cannot keep an answer that differs")?;
        Ok(End::Different(difference))
    }
}
