//! The last words of a run: how it ended, what failed, what was left out, what took longest.

use phase::{Ending, Failure};

use crate::elapsed::Elapsed;
use crate::errors::{block, group};
use crate::fold::{Ended, Fold};
use crate::plain::{Level, Line, count, counted_hosts};
use crate::printable::printable;

/// Runs that were shorter than this do not tell what took longest.
const WORTH_A_LOOK_MS: u64 = 10_000;

/// Returns the lines that end a run; none where it has not ended.
pub fn lines(fold: &Fold) -> Vec<Line> {
    let Some(ended) = &fold.ended else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    for group in group(&fold.failures) {
        lines.extend(Line::message(Level::Error, block(&group, &fold.titles)));
    }
    lines.extend(set_aside(fold));
    lines.extend(left_running(fold, ended));
    lines.extend(slowest(fold, ended));
    lines.push(last_line(fold, ended));
    lines
}

/// Returns the lines that say where to go on: how to repeat the run, where its log is.
pub fn pointers(fold: &Fold, repeat_with: Option<&str>, log: Option<&str>) -> Vec<Line> {
    let Some(ended) = &fold.ended else {
        return Vec::new();
    };
    let (level, again) = match ended.ending {
        Ending::Done | Ending::Planned => (Level::Info, false),
        Ending::Partial => (Level::Warn, true),
        Ending::Failed | Ending::Interrupted | Ending::Panicked => (Level::Error, true),
    };
    let mut texts = Vec::new();
    if let Some(command) = repeat_with.filter(|_| again) {
        texts.push(format!("  repeat with: {command}"));
    }
    texts.extend(log.map(|log| format!("  log: {log}")));
    let mut lines = Line::message(level, texts);
    for line in &mut lines {
        line.leads = false;
    }
    lines
}

fn set_aside(fold: &Fold) -> Vec<Line> {
    let aside: Vec<Failure> = fold
        .set_aside
        .iter()
        .map(|(host, failure)| {
            let mut failure = failure.clone();
            failure.host = Some(host.clone());
            failure.message = format!("set aside: {}", failure.message);
            failure
        })
        .collect();
    let mut lines = Vec::new();
    for group in group(&aside) {
        lines.extend(Line::message(Level::Warn, block(&group, &fold.titles)));
    }
    lines
}

/// What was running when the run was left at once: the remote side may still be at it.
fn left_running(fold: &Fold, ended: &Ended) -> Vec<Line> {
    let line = |running: &crate::fold::RunningStep| {
        let elapsed = Elapsed(ended.duration_ms.saturating_sub(running.since_ms));
        let step = &running.step;
        let text = format!("{}: left after {elapsed}: {}", step.host, step.what);
        Line::new(Level::Warn, printable(&text))
    };
    fold.steps.values().map(line).collect()
}

fn slowest(fold: &Fold, ended: &Ended) -> Vec<Line> {
    if ended.duration_ms < WORTH_A_LOOK_MS || fold.slowest_steps.is_empty() {
        return Vec::new();
    }
    let steps: Vec<String> = fold
        .slowest_steps
        .iter()
        .map(|step| {
            let title = fold.titles.of(&step.phase);
            format!("{title} on {} {}", step.host, Elapsed(step.duration_ms))
        })
        .collect();
    let hosts: Vec<String> = fold
        .slowest_hosts()
        .into_iter()
        .map(|(host, ms)| format!("{host} {}", Elapsed(ms)))
        .collect();
    vec![
        Line::info(printable(&format!("Slowest steps: {}", steps.join(", ")))),
        Line::info(printable(&format!("Slowest hosts: {}", hosts.join(", ")))),
    ]
}

fn last_line(fold: &Fold, ended: &Ended) -> Line {
    let took = Elapsed(ended.duration_ms);
    let steps = count(
        usize::try_from(ended.steps_done).unwrap_or(usize::MAX),
        "step",
    );
    let aside: Vec<&str> = fold
        .set_aside
        .iter()
        .map(|(host, _)| host.as_str())
        .collect();
    let (level, text) = match ended.ending {
        Ending::Done if ended.steps_done == 0 => (
            Level::Info,
            format!("Done in {took}: nothing had to be changed"),
        ),
        Ending::Done => (Level::Info, format!("Done in {took}: {steps}")),
        Ending::Planned => (
            Level::Info,
            format!("Planned in {took}: nothing was changed"),
        ),
        Ending::Partial => {
            let aside = counted_hosts(&aside);
            let text = format!("Done in {took} ({steps}), but {aside} were set aside");
            (Level::Warn, text)
        }
        Ending::Failed => {
            let text = format!("Failed after {took}: {steps} carried out before");
            (Level::Error, text)
        }
        Ending::Interrupted => {
            let why = fold.stopping.as_deref().unwrap_or("at once");
            let text = format!("Interrupted ({why}) after {took}: {steps} carried out before");
            (Level::Error, text)
        }
        Ending::Panicked => {
            let text = format!("launchpad itself failed after {took}: send us the log of this run");
            (Level::Error, text)
        }
    };
    Line::new(level, printable(&text))
}
