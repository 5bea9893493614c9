//! The live lines of a terminal: phases, the slowest hosts, totals.
//!
//! Pure: the state of the run in, text out. The block stands below everything else that is
//! printed and is drawn over its last form, by cursor movement and nothing more: the cursor stays
//! visible and no mode of the terminal is changed, so that a killed launchpad leaves nothing behind.

use phase::Event;
use unicode_width::UnicodeWidthStr;

use crate::elapsed::Elapsed;
use crate::fold::{Busy, Fold, PhaseState, PhaseStatus};
use crate::plain::{Verbosity, count};
use crate::printable::{fit, pad, printable};
use crate::style::{Style, Tone};

/// How many running phases are shown.
const PHASES: usize = 4;

/// How many busy hosts are shown.
const HOSTS: usize = 6;

/// How wide the column of host names gets.
const HOST_COLUMNS: usize = 24;

/// The size of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Characters per line.
    pub columns: usize,
    /// Lines.
    pub rows: usize,
}

impl Default for Size {
    fn default() -> Self {
        Self {
            columns: 80,
            rows: 24,
        }
    }
}

/// Returns whether an event is worth a line that scrolls above the live lines.
///
/// What the live lines show anyway is not, unless the user wants to see everything.
pub fn scrolls(event: &Event, verbosity: Verbosity) -> bool {
    if verbosity >= Verbosity::Debug {
        return true;
    }
    match event {
        Event::PhaseStarted { .. }
        | Event::StepStarted { .. }
        | Event::StepFinished { .. }
        | Event::Retrying { .. }
        | Event::Progress { .. }
        | Event::FactGathered { .. }
        | Event::CommandStarted { .. }
        | Event::OutputLine { .. }
        | Event::CommandFinished { .. } => false,
        Event::RunStarted { .. }
        | Event::Planned { .. }
        | Event::PhaseSkipped { .. }
        | Event::PhaseFinished { .. }
        | Event::Warning { .. }
        | Event::Failed { .. }
        | Event::SetAside { .. }
        | Event::CleanedUp { .. }
        | Event::Stopping { .. }
        | Event::RunFinished { .. } => true,
    }
}

/// Returns the live lines: at most twelve, none before the run and after it.
pub fn live_lines(fold: &Fold, now_ms: u64, size: Size, style: Style) -> Vec<String> {
    let Some(run) = fold.run.as_ref().filter(|_| fold.ended.is_none()) else {
        return Vec::new();
    };
    let mut lines: Vec<(Tone, String)> = Vec::new();
    let running: Vec<(&PhaseState, u64)> = fold.phases.iter().filter_map(running).collect();
    for (phase, since_ms) in running.iter().take(PHASES) {
        let (through, all) = fold.hosts_through(phase);
        let title = printable(fold.titles.of(&phase.id));
        let elapsed = Elapsed(now_ms.saturating_sub(*since_ms));
        let text = format!("{title}: {through}/{all} hosts, {elapsed}");
        lines.push((Tone::Title, text));
    }
    if running.len() > PHASES {
        let text = format!("and {} more phases", running.len() - PHASES);
        lines.push((Tone::Faint, text));
    }
    lines.extend(busy_lines(fold, now_ms));
    let mut last = format!("{} {}, {}", run.command, run.cluster, Elapsed(now_ms));
    let over = fold.phases.iter().filter(|phase| is_over(phase)).count();
    last.push_str(&format!(", {over}/{} phases", fold.phases.len()));
    let warnings = usize::try_from(fold.counts.warnings).unwrap_or(usize::MAX);
    for (number, noun) in [(warnings, "warning"), (fold.failures.len(), "failure")] {
        if number > 0 {
            last.push_str(&format!(", {}", count(number, noun)));
        }
    }
    if !fold.set_aside.is_empty() {
        last.push_str(&format!(", {} set aside", fold.set_aside.len()));
    }
    if let Some(reason) = &fold.stopping {
        last.push_str(&format!(", stopping ({reason})"));
    }
    // One line of the screen is the cursor's; what is cut off is the detail, not the total.
    let room = size.rows.saturating_sub(2);
    lines.truncate(room);
    if room > 0 {
        lines.push((Tone::Faint, printable(&last).into_owned()));
    }
    // A line that filled the last column would wrap on some terminals.
    let columns = size.columns.saturating_sub(1);
    lines
        .iter()
        .map(|(tone, line)| style.paint(*tone, &fit(line, columns)))
        .collect()
}

fn running(phase: &PhaseState) -> Option<(&PhaseState, u64)> {
    match phase.status {
        PhaseStatus::Running { since_ms } => Some((phase, since_ms)),
        PhaseStatus::Waiting | PhaseStatus::Skipped | PhaseStatus::Finished { .. } => None,
    }
}

fn is_over(phase: &PhaseState) -> bool {
    match phase.status {
        PhaseStatus::Skipped | PhaseStatus::Finished { .. } => true,
        PhaseStatus::Waiting | PhaseStatus::Running { .. } => false,
    }
}

fn busy_lines(fold: &Fold, now_ms: u64) -> Vec<(Tone, String)> {
    let busy = fold.busy();
    let shown = &busy[..busy.len().min(HOSTS)];
    let hosts: Vec<String> = shown
        .iter()
        .map(|busy| fit(&printable(busy.host), HOST_COLUMNS).into_owned())
        .collect();
    let columns = hosts.iter().map(|host| host.width()).max().unwrap_or(0);
    let line = |(busy, host): (&Busy<'_>, &String)| {
        let elapsed = Elapsed(now_ms.saturating_sub(busy.since_ms));
        let mut text = format!(
            "  {}  {elapsed:>7}  {}",
            pad(host, columns),
            printable(busy.what)
        );
        if let Some(progress) = busy.progress {
            text.push_str(&format!(": {}", printable(progress)));
        }
        (Tone::Normal, text)
    };
    shown.iter().zip(&hosts).map(line).collect()
}

/// Draws the live lines over their last form.
#[derive(Debug, Default)]
pub struct Painter {
    drawn: usize,
}

impl Painter {
    /// Returns what has to be written so that `above` scrolls by and `live` stands below it.
    pub fn frame(&mut self, above: &[String], live: &[String]) -> String {
        let mut frame = String::new();
        if self.drawn > 0 {
            // To the first live line, then clear from there to the end of the screen.
            frame.push_str(&format!("\r\u{1b}[{}A\u{1b}[J", self.drawn));
        }
        for line in above.iter().chain(live) {
            frame.push_str(line);
            frame.push('\n');
        }
        self.drawn = live.len();
        frame
    }
}
