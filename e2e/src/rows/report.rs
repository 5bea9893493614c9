//! How rows went, in words.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;

use super::Writes;
use crate::lab::Host;
use crate::lab::services::MKE_VERSIONS;
use crate::recipe::packages::OLD_CHANNEL;
use crate::talk::{Talk, seconds};

/// How many lines of a difference are shown.
const SHOWN_LINES: usize = 20;

/// How many characters of such a line are shown.
const SHOWN_CHARACTERS: usize = 160;

/// How many characters say of which side a line is.
const MARK: usize = 2;

/// How a row went.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) path: String,
    pub(super) took: Duration,
    pub(super) end: End,
}

/// What became of an answer.
#[derive(Debug)]
pub(super) enum End {
    /// It is that of the recording.
    Equal,
    /// It is another one; lines that differ.
    Different(String),
    /// It is the recording now.
    Recorded,
    /// There is none, and why.
    NoAnswer(String),
}

impl Outcome {
    /// Says it.
    pub(super) fn say(&self, talk: Talk) {
        let (word, detail) = match &self.end {
            End::Equal => ("equal    ", String::new()),
            End::Different(difference) => ("DIFFERENT", short(difference)),
            End::Recorded => ("recorded ", String::new()),
            End::NoAnswer(why) => ("NO ANSWER", why.clone()),
        };
        talk.say(format!("{word} {} ({})", self.path, seconds(self.took)));
        talk.detail(detail);
    }
}

/// Returns the beginning of a difference; of long lines, what is around their first difference.
fn short(difference: &str) -> String {
    let lines: Vec<&str> = difference.lines().collect();
    let mut shown: Vec<String> = Vec::new();
    for (index, line) in lines.iter().take(SHOWN_LINES).enumerate() {
        let before = index.checked_sub(1).map(|before| lines[before]);
        let beside = before.into_iter().chain(lines.get(index + 1).copied());
        let common = beside.map(|other| common_start(line, other)).max();
        shown.push(cut(line, common.unwrap_or_default()));
    }
    if lines.len() > SHOWN_LINES {
        shown.push(format!("… and {} lines more", lines.len() - SHOWN_LINES));
    }
    shown.join("\n")
}

/// Returns how many characters a line that is missing and one that is too many begin with alike.
fn common_start(one: &str, other: &str) -> usize {
    if one.starts_with('-') == other.starts_with('-') {
        return 0;
    }
    let pairs = one.chars().zip(other.chars()).skip(MARK);
    pairs.take_while(|(one, other)| one == other).count()
}

/// Cuts a long line to what is around a place in it.
fn cut(line: &str, place: usize) -> String {
    if line.chars().count() <= SHOWN_CHARACTERS {
        return line.to_owned();
    }
    let skipped = place.saturating_sub(SHOWN_CHARACTERS / 4);
    let mark: String = line.chars().take(MARK).collect();
    let rest = line.chars().skip(MARK + skipped);
    let shown: String = rest.take(SHOWN_CHARACTERS).collect();
    let dots = if skipped > 0 { "…" } else { "" };
    format!("{mark}{dots}{shown}…")
}

/// How all rows went.
pub(crate) struct Report {
    writes: Writes,
    outcomes: Vec<Outcome>,
    /// Of what and when recordings were made, where any was.
    pub(super) circumstances: Option<String>,
}

impl Report {
    pub(super) fn new(writes: Writes) -> Self {
        Self {
            writes,
            outcomes: Vec::new(),
            circumstances: None,
        }
    }

    pub(super) fn add(&mut self, outcome: Outcome) {
        self.outcomes.push(outcome);
    }

    /// Says whether a recording was written.
    pub(super) fn has_recorded(&self) -> bool {
        self.count(|end| matches!(end, End::Recorded)) > 0
    }

    /// Says it.
    pub(crate) fn say(&self, talk: Talk) {
        for outcome in &self.outcomes {
            let word = match &outcome.end {
                End::Equal | End::Recorded => continue,
                End::Different(_) => "differs",
                End::NoAnswer(_) => "has no answer",
            };
            talk.say(format!("{} {word}", outcome.path));
        }
        talk.say(self.summary());
        if let Some(circumstances) = &self.circumstances {
            talk.say(
                "bring the paragraph `Recorded on …` of fleet/tests/parity/README.md up to date:",
            );
            talk.detail(circumstances);
        }
    }

    fn summary(&self) -> String {
        let took: Duration = self.outcomes.iter().map(|outcome| outcome.took).sum();
        let mut parts = vec![
            format!("{} rows", self.outcomes.len()),
            format!("{} equal", self.count(|end| matches!(end, End::Equal))),
        ];
        let recorded = self.count(|end| matches!(end, End::Recorded));
        let different = self.count(|end| matches!(end, End::Different(_)));
        match self.writes {
            Writes::Nothing => parts.push(format!("{different} different")),
            Writes::Differing | Writes::All => parts.push(format!("{recorded} recorded")),
        }
        let silent = self.count(|end| matches!(end, End::NoAnswer(_)));
        parts.push(format!("{silent} without an answer"));
        format!("{} in {}", parts.join(", "), seconds(took))
    }

    /// Returns success where every row is equal to its recording now.
    pub(crate) fn exit_code(&self) -> ExitCode {
        if self.is_good() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    fn is_good(&self) -> bool {
        self.count(|end| matches!(end, End::Different(_) | End::NoAnswer(_))) == 0
    }

    fn count(&self, is_counted: impl Fn(&End) -> bool) -> usize {
        let ends = self.outcomes.iter().map(|outcome| &outcome.end);
        ends.filter(|end| is_counted(end)).count()
    }
}

/// Asks a host for what the README says of recordings.
pub(super) async fn circumstances(host: &Host) -> Result<String> {
    let script = r#"
        date +%F
        cat /etc/debian_version 2>/dev/null || echo 'that does not tell'
        . /etc/os-release; echo "$PRETTY_NAME"
        nproc
        dpkg-query -W -f '${Version}\n' docker-ee 2>/dev/null || rpm -q docker-ee 2>/dev/null || echo 'not installed'
        for tool in apt-get dnf rpm zypper; do
            command -v "$tool" >/dev/null && printf '%s %s, ' "$tool" "$("$tool" --version | grep -o '[0-9][0-9.]*' | head -n 1)"
        done
        echo
    "#;
    let said = host.sh(script).await?;
    let mut lines = said.stdout.lines();
    let mut next = || lines.next().unwrap_or("unknown").to_owned();
    Ok(format!(
        "{} by the clock of the hosts; Debian {}, calls itself {}; {} processors; channel {OLD_CHANNEL}, \
         package docker-ee {}; {}the stand-in of MKE {}",
        next(),
        next(),
        next(),
        next(),
        next(),
        next(),
        MKE_VERSIONS[0]
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(writes: Writes, ends: Vec<End>) -> Report {
        let mut report = Report::new(writes);
        for end in ends {
            report.add(Outcome {
                path: "bare/01-some".to_owned(),
                took: Duration::from_millis(500),
                end,
            });
        }
        report
    }

    #[test]
    fn equal_and_recorded_rows_are_good() {
        let good = report(Writes::Differing, vec![End::Equal, End::Recorded]);

        assert!(good.is_good());
        assert_eq!(
            good.summary(),
            "2 rows, 1 equal, 1 recorded, 0 without an answer in 1.0 s"
        );
    }

    #[test]
    fn one_row_that_differs_or_is_silent_is_a_failure() {
        let different = report(
            Writes::Nothing,
            vec![End::Equal, End::Different("- a".into())],
        );
        let silent = report(
            Writes::All,
            vec![End::Recorded, End::NoAnswer("late".into())],
        );

        assert!(!different.is_good() && !silent.is_good());
        assert_eq!(
            different.summary(),
            "2 rows, 1 equal, 1 different, 0 without an answer in 1.0 s"
        );
    }

    #[test]
    fn a_long_difference_is_cut() {
        let difference: String = (0..30).map(|number| format!("+ {number}\n")).collect();

        let shown = short(&difference);

        assert!(shown.ends_with("+ 19\n… and 10 lines more"), "{shown}");
        assert_eq!(short("- one\n+ two\n"), "- one\n+ two");
    }

    #[test]
    fn a_long_line_is_shown_where_it_differs() {
        let (start, end) = ("s".repeat(300), "e".repeat(300));
        let difference = format!("- {start}one{end}\n+ {start}two{end}\n");

        let shown = short(&difference);

        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines[0].starts_with("- …sss") && lines[0].contains("sonee"));
        assert!(lines[1].starts_with("+ …sss") && lines[1].contains("stwoe"));
    }
}
