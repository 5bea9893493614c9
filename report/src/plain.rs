//! Events as lines of text.
//!
//! Pure: an event and the state after it in, lines out. The log of a run, a stderr that is no
//! terminal and what scrolls above the live lines of a terminal are all made here.

use jiff::Timestamp;
use phase::event::Stream;
use phase::{Disruption, Envelope, Event, PlanReport};

use crate::elapsed::Elapsed;
use crate::errors::{Group, block, name_hosts, one_line};
use crate::fold::Fold;
use crate::plan;
use crate::printable::{fit, printable};
use crate::style::{Style, Tone};
use crate::summary;

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Verbosity {
    /// Warnings and failures (`describe`).
    Quiet,
    /// What happens.
    #[default]
    Normal,
    /// And the commands.
    Debug,
    /// And their output, and every fact.
    Trace,
}

/// How weighty a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something failed.
    Error,
    /// Something to look at.
    Warn,
    /// What happens.
    Info,
    /// A command.
    Debug,
    /// A line of output, a fact.
    Trace,
}

/// One line of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How weighty it is.
    pub level: Level,
    /// Whether it begins a message; the others belong to the one before.
    pub leads: bool,
    /// The text, printable.
    pub text: String,
}

/// What stands before the text of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamp {
    /// RFC 3339 time in UTC with milliseconds, and the level: the log of a run.
    Log,
    /// Hours, minutes and seconds in UTC, and the level: a stderr that is no terminal.
    Clock,
    /// Only `warning:` and `error:`: a terminal.
    Bare,
}

impl Verbosity {
    /// Returns the least weighty level that is shown.
    pub fn level(self) -> Level {
        match self {
            Self::Quiet => Level::Warn,
            Self::Normal => Level::Info,
            Self::Debug => Level::Debug,
            Self::Trace => Level::Trace,
        }
    }
}

/// Returns the lines that say what has happened.
///
/// `fold` is the state after the event.
pub fn lines(fold: &Fold, envelope: &Envelope, verbosity: Verbosity) -> Vec<Line> {
    let shown = verbosity.level();
    // The frequent ones first: most of their text is never shown.
    if least_weighty(&envelope.event) > shown {
        return Vec::new();
    }
    let mut lines = say(fold, &envelope.event, verbosity);
    lines.retain(|line| line.level <= shown);
    lines
}

/// Returns the text of a line as it is printed, without the line end.
pub fn print(line: &Line, stamp: Stamp, at: Option<Timestamp>, style: Style) -> String {
    let tone = match line.level {
        Level::Error => Tone::Bad,
        Level::Warn => Tone::Warn,
        Level::Info => Tone::Normal,
        Level::Debug | Level::Trace => Tone::Faint,
    };
    let tag = match line.level {
        Level::Error => "ERROR",
        Level::Warn => "WARN ",
        Level::Info => "INFO ",
        Level::Debug => "DEBUG",
        Level::Trace => "TRACE",
    };
    let time = |pattern: &str| match at {
        Some(at) => at.strftime(pattern).to_string(),
        None => "-".to_owned(),
    };
    match (stamp, line.level, line.leads) {
        (Stamp::Log, ..) => {
            let time = time("%Y-%m-%dT%H:%M:%S%.3fZ");
            format!("{time} {tag} {}", line.text)
        }
        (Stamp::Clock, ..) => {
            format!(
                "{} {} {}",
                time("%H:%M:%S"),
                style.paint(tone, tag),
                line.text
            )
        }
        (Stamp::Bare, Level::Error, true) => {
            format!("{} {}", style.paint(tone, "error:"), line.text)
        }
        (Stamp::Bare, Level::Warn, true) => {
            format!("{} {}", style.paint(tone, "warning:"), line.text)
        }
        (Stamp::Bare, Level::Error | Level::Warn, false) => line.text.clone(),
        (Stamp::Bare, ..) => style.paint(tone, &line.text),
    }
}

/// Returns the lines that say what has been running for long.
pub fn heartbeat(fold: &Fold, now_ms: u64, long_ms: u64) -> Vec<Line> {
    if fold.ended.is_some() {
        return Vec::new();
    }
    let long: Vec<_> = fold
        .busy()
        .into_iter()
        .filter(|busy| now_ms.saturating_sub(busy.since_ms) >= long_ms)
        .collect();
    let shown = long.iter().take(5).map(|busy| {
        let elapsed = Elapsed(now_ms.saturating_sub(busy.since_ms));
        let what = fit(busy.what, 60).into_owned();
        let what = printable(&what).into_owned();
        let mut text = format!(
            "{}: still running for {elapsed}: {what}",
            printable(busy.host)
        );
        if let Some(progress) = busy.progress {
            text.push_str(&format!(" ({})", printable(progress)));
        }
        Line::info(text)
    });
    let mut lines: Vec<Line> = shown.collect();
    if long.len() > lines.len() {
        let more = long.len() - lines.len();
        lines.push(Line::info(format!("{more} more hosts are still busy")));
    }
    lines
}

impl Line {
    /// Makes a line that says what happens.
    pub fn info(text: impl Into<String>) -> Self {
        Self::new(Level::Info, text)
    }

    /// Makes a line of a level.
    pub fn new(level: Level, text: impl Into<String>) -> Self {
        Self {
            level,
            leads: true,
            text: text.into(),
        }
    }

    /// Makes a message of several lines.
    pub fn message(level: Level, texts: impl IntoIterator<Item = String>) -> Vec<Self> {
        texts
            .into_iter()
            .enumerate()
            .map(|(index, text)| Self {
                level,
                leads: index == 0,
                text,
            })
            .collect()
    }
}

fn least_weighty(event: &Event) -> Level {
    match event {
        Event::OutputLine { .. } | Event::FactGathered { .. } => Level::Trace,
        Event::CommandStarted { .. } | Event::CommandFinished { .. } => Level::Debug,
        Event::Warning { .. } | Event::SetAside { .. } => Level::Warn,
        Event::Failed { .. } | Event::RunFinished { .. } => Level::Error,
        Event::StepFinished { .. } | Event::CleanedUp { .. } | Event::PhaseFinished { .. } => {
            Level::Error
        }
        Event::RunStarted { .. }
        | Event::Planned { .. }
        | Event::PhaseStarted { .. }
        | Event::PhaseSkipped { .. }
        | Event::StepStarted { .. }
        | Event::Retrying { .. }
        | Event::Progress { .. }
        | Event::Stopping { .. } => Level::Info,
    }
}

fn say(fold: &Fold, event: &Event, verbosity: Verbosity) -> Vec<Line> {
    let title = |phase: &str| printable(fold.titles.of(phase)).into_owned();
    match event {
        Event::RunStarted {
            run_id,
            version,
            command,
            cluster,
            hosts,
            ..
        } => vec![Line::info(printable(&format!(
            "launchpad {version}: {command} of cluster `{cluster}`, {}, run {run_id}",
            count(hosts.len(), "host")
        )))],
        Event::Planned { plan } => planned(fold, plan),
        Event::PhaseStarted { phase } => {
            vec![Line::info(format!("==> Running phase: {}", title(phase)))]
        }
        Event::PhaseSkipped { phase, reason } => {
            let reason = printable(reason);
            vec![Line::info(format!("{}: skipped: {reason}", title(phase)))]
        }
        Event::PhaseFinished {
            phase,
            ok,
            duration_ms,
        } => vec![phase_finished(fold, phase, *ok, *duration_ms)],
        Event::StepStarted { step } => vec![Line::info(printable(&format!(
            "{}: {} ({})",
            step.host, step.what, step.why
        )))],
        Event::StepFinished {
            phase,
            host,
            ok,
            duration_ms,
        } => vec![step_finished(fold, phase, host, *ok, *duration_ms)],
        Event::FactGathered { host, fact, value } => {
            let host = host.as_deref().unwrap_or("cluster");
            let text = format!("{host}: {fact} = {value}");
            vec![Line::new(Level::Trace, printable(&text))]
        }
        Event::CommandStarted {
            host,
            id,
            command,
            reads_only,
        } => {
            let kind = if *reads_only { "reads" } else { "changes" };
            let text = format!("{host}: command {id} ({kind}): {command}");
            vec![Line::new(Level::Debug, printable(&text))]
        }
        Event::OutputLine {
            host,
            id,
            stream,
            line,
        } => {
            let stream = match stream {
                Stream::Stdout => "stdout",
                Stream::Stderr => "stderr",
            };
            let text = format!("{host}: command {id} {stream}: {line}");
            vec![Line::new(Level::Trace, printable(&text))]
        }
        Event::CommandFinished {
            host,
            id,
            status,
            duration_ms,
        } => {
            let took = Elapsed(*duration_ms);
            let text = format!("{host}: command {id} ended after {took}: {status}");
            vec![Line::new(Level::Debug, printable(&text))]
        }
        Event::Retrying {
            host,
            what,
            attempt,
            delay_ms,
            error,
        } => vec![Line::info(printable(&format!(
            "{host}: {what}: try {attempt} failed, next in {}: {error}",
            Elapsed(*delay_ms)
        )))],
        Event::Progress { host, message, .. } => {
            vec![Line::info(printable(&format!("{host}: {message}")))]
        }
        Event::Warning {
            host,
            message,
            hint,
        } => warning(host.as_deref(), message, hint.as_deref()),
        Event::Failed { failure } => {
            // The end of the run shows every failure in full, equal ones as one.
            if verbosity <= Verbosity::Normal {
                return vec![Line::new(Level::Error, one_line(failure))];
            }
            let group = Group {
                failure,
                hosts: failure.host.iter().map(String::as_str).collect(),
                count: 1,
            };
            Line::message(Level::Error, block(&group, &fold.titles))
        }
        Event::SetAside { host, failure } => {
            let text = format!(
                "{host}: set aside, the others go on: {}",
                without_host(failure)
            );
            vec![Line::new(Level::Warn, printable(&text))]
        }
        Event::CleanedUp { phase, host, ok } => vec![cleaned_up(&title(phase), host, *ok)],
        Event::Stopping { reason } => vec![Line::info(printable(&format!(
            "Stopping ({reason}): running steps end, no new one starts"
        )))],
        Event::RunFinished { .. } => summary::lines(fold),
    }
}

fn planned(fold: &Fold, plan: &PlanReport) -> Vec<Line> {
    let again = if fold.counts.plans > 1 {
        "New plan"
    } else {
        "Plan"
    };
    let summary = plan::Summary::of(plan);
    let mut lines = vec![Line::info(format!("{again}: {summary}"))];
    for step in &plan.steps {
        let disruption = match step.disruption {
            Disruption::None => String::new(),
            other => format!(" [{other}]"),
        };
        let title = fold.titles.of(&step.phase);
        let text = format!(
            "planned: {title}: {}: {}{disruption} ({})",
            step.host, step.what, step.why
        );
        lines.push(Line::new(Level::Debug, printable(&text)));
    }
    for skipped in &plan.skipped {
        let title = fold.titles.of(&skipped.phase);
        let text = format!("planned: {title}: nothing to do: {}", skipped.reason);
        lines.push(Line::new(Level::Debug, printable(&text)));
    }
    lines
}

fn phase_finished(fold: &Fold, phase: &str, ok: bool, duration_ms: u64) -> Line {
    let title = printable(fold.titles.of(phase)).into_owned();
    let took = Elapsed(duration_ms);
    if !ok && has_failed(fold, phase) {
        return Line::new(Level::Error, format!("{title}: failed after {took}"));
    }
    if !ok {
        // Hosts that failed elsewhere, or a run that was stopped, never got here.
        let text = format!("{title}: stopped after {took}: not every host got through");
        return Line::info(text);
    }
    let hosts = fold.phase(phase).map_or(0, |phase| phase.hosts.len());
    match hosts {
        0 => Line::info(format!("{title}: done in {took}")),
        hosts => Line::info(format!(
            "{title}: done in {took} on {}",
            count(hosts, "host")
        )),
    }
}

/// Returns whether it is this phase that a host has failed in.
fn has_failed(fold: &Fold, phase: &str) -> bool {
    let aside = fold.set_aside.iter().map(|(_, failure)| failure);
    let mut failures = fold.failures.iter().chain(aside);
    failures.any(|failure| failure.phase.as_deref() == Some(phase))
}

fn step_finished(fold: &Fold, phase: &str, host: &str, ok: bool, duration_ms: u64) -> Line {
    let what = fold.ended_step.as_ref().map_or(phase, |step| &step.what);
    let took = Elapsed(duration_ms);
    let (level, how) = if ok {
        (Level::Info, "done in")
    } else {
        (Level::Error, "failed after")
    };
    Line::new(level, printable(&format!("{host}: {how} {took}: {what}")))
}

fn cleaned_up(title: &str, host: &str, ok: bool) -> Line {
    let host = printable(host);
    if ok {
        Line::info(format!("{host}: removed what {title} had made"))
    } else {
        let text = format!("{host}: cannot remove all of what {title} had made");
        Line::new(Level::Warn, text)
    }
}

fn warning(host: Option<&str>, message: &str, hint: Option<&str>) -> Vec<Line> {
    let mut texts = vec![match host {
        Some(host) => printable(&format!("{host}: {message}")).into_owned(),
        None => printable(message).into_owned(),
    }];
    texts.extend(hint.map(|hint| format!("  hint: {}", printable(hint))));
    Line::message(Level::Warn, texts)
}

fn without_host(failure: &phase::Failure) -> String {
    let parts = std::iter::once(&failure.message).chain(&failure.causes);
    parts.map(String::as_str).collect::<Vec<_>>().join(": ")
}

/// Returns a number with its noun.
pub(crate) fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

/// Returns hosts as a phrase: their number and their names.
pub(crate) fn counted_hosts(hosts: &[&str]) -> String {
    format!("{} ({})", count(hosts.len(), "host"), name_hosts(hosts))
}

#[cfg(test)]
mod tests {
    use phase::Failure;

    use super::*;

    fn finished(phase: &str, ok: bool) -> Event {
        Event::PhaseFinished {
            phase: phase.to_owned(),
            ok,
            duration_ms: 60_000,
        }
    }

    #[test]
    fn only_the_phase_that_failed_is_said_to_have_failed() {
        let failure = Failure::new("the connection was lost").in_phase("prepare-hosts");
        let events = [
            Event::Failed { failure },
            finished("prepare-hosts", false),
            finished("join-workers", false),
        ];
        let mut fold = Fold::default();
        let mut told = Vec::new();

        for (index, event) in (0..).zip(events) {
            let envelope = Envelope {
                index,
                at_ms: 0,
                event,
            };
            fold.apply(&envelope);
            told.extend(lines(&fold, &envelope, Verbosity::default()));
        }

        let about = |phase: &str| {
            let found = told.iter().rfind(|line| line.text.starts_with(phase));
            found.map(|line| (line.level, line.text.clone()))
        };
        let (level, text) = about("prepare-hosts").unwrap();
        assert!(
            level == Level::Error && text.contains("failed after"),
            "{text}"
        );
        let (level, text) = about("join-workers").unwrap();
        assert!(
            level == Level::Info && text.contains("stopped after"),
            "{text}"
        );
    }
}
