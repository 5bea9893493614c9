//! What came of each host: in words, as JSON, as an exit status.

use std::time::Duration;

use phase::Failure;
use report::errors;
use report::fold::Titles;
use rig::ExitStatus;
use serde_json::{Map, Value, json};

use super::writer::{To, Writer};
use crate::error;

/// How much of the end of an output is kept for the summary, in bytes.
const TAIL: usize = 4 << 10;
/// How many lines of it are shown.
const TAIL_LINES: usize = 20;
/// The status of a program that was ended because its time was over, as `timeout(1)` has it.
const TIMED_OUT: u8 = 124;
/// The status where a host could not be reached, as `ssh(1)` has it.
const NOT_REACHED: u8 = 255;

/// How it ended on a host.
#[derive(Debug)]
pub(crate) enum Ended {
    /// With a status of the host.
    Status(ExitStatus),
    /// It could not be done.
    Failed(Box<Failure>),
    /// It was not done in time.
    TimedOut(Duration),
    /// A signal of the user, or the end of whoever read its output.
    Interrupted,
    /// It was not begun, because another host had failed.
    NotBegun,
}

/// What came of a host.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The host.
    pub(crate) name: String,
    /// How it ended.
    pub(crate) ended: Ended,
    /// The end of what was printed there.
    pub(crate) tail: Vec<u8>,
    /// What the command has to say of it, as JSON.
    pub(crate) details: Map<String, Value>,
    /// How long it took.
    pub(crate) duration: Duration,
    /// Whether something was begun on the host.
    pub(crate) was_begun: bool,
}

impl Outcome {
    /// Makes the outcome of a host on which nothing was begun.
    pub(crate) fn not_begun(name: &str, ended: Ended) -> Self {
        Self {
            was_begun: false,
            ..Self::of(name, ended)
        }
    }

    /// Makes the outcome of a host.
    pub(crate) fn of(name: &str, ended: Ended) -> Self {
        Self {
            name: name.to_owned(),
            ended,
            tail: Vec::new(),
            details: Map::new(),
            duration: Duration::ZERO,
            was_begun: true,
        }
    }

    /// Returns whether all is well.
    pub(crate) fn is_good(&self) -> bool {
        matches!(&self.ended, Ended::Status(status) if status.success())
    }

    /// Returns it as a failure; nothing where all is well.
    fn failure(&self) -> Option<Failure> {
        let failure = match &self.ended {
            Ended::Status(status) if status.success() => return None,
            Ended::Failed(failure) => (**failure).clone(),
            Ended::Status(status) => {
                let mut failure = Failure::new(status.to_string());
                failure.causes = tail_lines(&self.tail);
                failure
            }
            Ended::TimedOut(limit) => {
                let mut failure = Failure::new(format!("not done within {}", said(*limit)));
                failure.causes = tail_lines(&self.tail);
                failure
            }
            Ended::Interrupted => Failure::new("interrupted"),
            Ended::NotBegun => Failure::new("not begun: another host had failed"),
        };
        Some(failure.on_host(&self.name))
    }

    /// Returns it as JSON: one shape for all commands, and what each of them adds.
    pub(crate) fn to_json(&self) -> Value {
        let (status, signal) = match &self.ended {
            Ended::Status(ExitStatus::Code(code)) => (json!(code), Value::Null),
            Ended::Status(ExitStatus::Signal(name)) => (Value::Null, json!(name)),
            _ => (Value::Null, Value::Null),
        };
        let (state, error) = match &self.ended {
            Ended::Status(status) if status.success() => ("done", Value::Null),
            Ended::Status(_) => ("failed", Value::Null),
            Ended::Failed(failure) => (
                if failure.unreachable {
                    "unreachable"
                } else {
                    "failed"
                },
                json!({
                    "message": failure.message,
                    "causes": failure.causes,
                    "hint": failure.hint,
                }),
            ),
            Ended::TimedOut(_) => ("timed-out", Value::Null),
            Ended::Interrupted => ("interrupted", Value::Null),
            Ended::NotBegun => ("not-begun", Value::Null),
        };
        let mut object = json!({
            "host": self.name,
            "state": state,
            "status": status,
            "signal": signal,
            "error": error,
            "duration_ms": u64::try_from(self.duration.as_millis()).unwrap_or(u64::MAX),
        });
        if let Value::Object(object) = &mut object {
            object.extend(self.details.clone());
        }
        object
    }
}

/// Tells a program of hosts on which nothing was begun; of the others it was told already.
pub(crate) async fn write_not_begun(outcomes: &[Outcome], writer: &Writer) {
    let mut lines = String::new();
    for outcome in outcomes {
        if !outcome.was_begun {
            lines.push_str(&format!("{}\n", outcome.to_json()));
        }
    }
    writer.write(To::Stdout, lines.into_bytes()).await;
}

/// Keeps the end of an output.
pub(crate) fn keep_tail(tail: &mut Vec<u8>, bytes: &[u8]) {
    tail.extend_from_slice(bytes);
    if tail.len() > 2 * TAIL {
        tail.drain(..tail.len() - TAIL);
    }
}

/// Returns the last lines of an output, without what a terminal would act on.
fn tail_lines(tail: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(&tail[tail.len().saturating_sub(TAIL)..]);
    let lines: Vec<String> = text
        .lines()
        .map(|line| rig::observer::printable(line).trim_end().to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].to_vec()
}

/// Returns the exit status: of one host its own; of several 1 if any failed, and 255 where one
/// could not be reached.
pub(crate) fn status(outcomes: &[Outcome]) -> u8 {
    let is_unreached =
        |outcome: &Outcome| matches!(&outcome.ended, Ended::Failed(failure) if failure.unreachable);
    if outcomes.iter().any(is_unreached) {
        return NOT_REACHED;
    }
    match outcomes {
        [one] => match &one.ended {
            Ended::Status(status) => status_of(status),
            Ended::TimedOut(_) => TIMED_OUT,
            Ended::Failed(_) | Ended::Interrupted | Ended::NotBegun => error::FAILED,
        },
        several if several.iter().all(Outcome::is_good) => error::DONE,
        _ => error::FAILED,
    }
}

/// Returns the status of a process as a shell tells it.
fn status_of(status: &ExitStatus) -> u8 {
    const SIGNALS: &[(&str, u8)] = &[
        ("HUP", 1),
        ("INT", 2),
        ("QUIT", 3),
        ("ILL", 4),
        ("TRAP", 5),
        ("ABRT", 6),
        ("BUS", 7),
        ("FPE", 8),
        ("KILL", 9),
        ("USR1", 10),
        ("SEGV", 11),
        ("USR2", 12),
        ("PIPE", 13),
        ("ALRM", 14),
        ("TERM", 15),
    ];
    match status {
        // Windows has larger ones: a failure must not become a 0.
        ExitStatus::Code(code) => u8::try_from(*code).unwrap_or(error::FAILED),
        ExitStatus::Signal(name) => {
            let by_name = SIGNALS.iter().find(|(known, _)| known == name);
            let number = by_name.map(|(_, number)| *number).or(name.parse().ok());
            number.map_or(error::FAILED, |number| 128_u8.saturating_add(number))
        }
    }
}

/// Returns the failures in words: of one host what it has not said itself, of several all of them,
/// equal ones as one. Nothing where all is well.
pub(crate) fn summary(outcomes: &[Outcome]) -> Option<String> {
    let failures: Vec<Failure> = outcomes.iter().filter_map(Outcome::failure).collect();
    // Who has pressed Ctrl-C need not be told of it.
    let has_spoken = |one: &Outcome| matches!(one.ended, Ended::Status(_) | Ended::Interrupted);
    match outcomes {
        [one] if has_spoken(one) => return None,
        [_] => {
            return Some(
                errors::text(&failures, &Titles::default())
                    .trim_end()
                    .to_owned(),
            );
        }
        _ if failures.is_empty() => return None,
        _ => {}
    }
    let mut text = format!(
        "error: {} of {} hosts failed",
        failures.len(),
        outcomes.len()
    );
    for group in errors::group(&failures) {
        let mut lines = if group.failure.unreachable || group.failure.hint.is_some() {
            errors::block(&group, &Titles::default())
        } else {
            with_output(&group)
        }
        .into_iter();
        text.push_str(&format!("\n- {}", lines.next().unwrap_or_default()));
        for line in lines {
            text.push_str(&format!("\n  {line}"));
        }
    }
    Some(text)
}

/// Returns the lines of failures whose causes are what a command has printed.
fn with_output(group: &errors::Group<'_>) -> Vec<String> {
    let message = &group.failure.message;
    let mut lines = match group.hosts.as_slice() {
        [] => vec![message.clone()],
        [host] => vec![format!("{host}: {message}")],
        hosts => vec![
            format!("{} hosts: {message}", hosts.len()),
            format!("  hosts: {}", errors::name_hosts(hosts)),
        ],
    };
    lines.extend(
        group
            .failure
            .causes
            .iter()
            .map(|line| format!("  | {line}")),
    );
    lines
}

/// Returns a time as it may be typed.
fn said(limit: Duration) -> String {
    match limit.as_secs() {
        seconds if seconds >= 60 && seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exited(name: &str, code: u32, tail: &str) -> Outcome {
        Outcome {
            tail: tail.as_bytes().to_vec(),
            ..Outcome::of(name, Ended::Status(ExitStatus::Code(code)))
        }
    }

    fn unreachable(name: &str) -> Outcome {
        let failure = Failure::new("cannot connect").on_host(name).unreachable();
        Outcome::of(name, Ended::Failed(Box::new(failure)))
    }

    #[test]
    fn one_host_passes_its_status_on() {
        let status_of_one = |ended| status(&[Outcome::of("a", ended)]);

        assert_eq!(status(&[exited("a", 0, "")]), 0);
        assert_eq!(status(&[exited("a", 37, "")]), 37);
        assert_eq!(status(&[exited("a", 256, "")]), 1);
        let killed = ExitStatus::Signal("KILL".to_owned());
        assert_eq!(status_of_one(Ended::Status(killed)), 137);
        let local = ExitStatus::Signal("15".to_owned());
        assert_eq!(status_of_one(Ended::Status(local)), 143);
        assert_eq!(status_of_one(Ended::TimedOut(Duration::from_secs(1))), 124);
        assert_eq!(status(&[unreachable("a")]), 255);
    }

    #[test]
    fn several_hosts_fail_together() {
        assert_eq!(status(&[]), 0);
        assert_eq!(status(&[exited("a", 0, ""), exited("b", 0, "")]), 0);
        assert_eq!(status(&[exited("a", 0, ""), exited("b", 7, "")]), 1);
        assert_eq!(status(&[exited("a", 7, ""), unreachable("b")]), 255);
    }

    #[test]
    fn equal_failures_are_told_once() {
        let mut outcomes: Vec<Outcome> = (1..=7)
            .map(|number| {
                let name = format!("w{number}");
                exited(
                    &name,
                    2,
                    &format!("{name}: no \u{1b}[1msuch\u{1b}[m file\n"),
                )
            })
            .collect();
        outcomes.push(exited("w8", 0, "fine"));
        outcomes.push(exited("w9", 2, "another\n"));
        outcomes.push(unreachable("m1"));

        let expected = "\
error: 9 of 10 hosts failed
- 7 hosts: exit status 2
    hosts: w1, w2, w3, w4, w5 and 2 more
    | w1: no such file
- w9: exit status 2
    | another
- m1: cannot connect";
        assert_eq!(summary(&outcomes).as_deref(), Some(expected));
    }

    #[test]
    fn one_host_has_spoken_for_itself() {
        assert_eq!(summary(&[exited("a", 2, "no\n")]), None);
        let told = summary(&[unreachable("a")]);
        assert_eq!(told.as_deref(), Some("error: a: cannot connect"));
    }

    #[test]
    fn json_has_one_shape() {
        let object = exited("a", 3, "").to_json();

        assert_eq!(object["state"], "failed");
        assert_eq!(object["status"], 3);
        assert_eq!(object["error"], Value::Null);
        let object = unreachable("a").to_json();
        assert_eq!(object["state"], "unreachable");
        assert_eq!(object["error"]["message"], "cannot connect");
    }

    #[test]
    fn of_much_output_the_end_is_kept() {
        let mut tail = Vec::new();
        for number in 0..10_000 {
            keep_tail(&mut tail, format!("line {number}\n").as_bytes());
        }

        assert!(tail.len() <= 2 * TAIL);
        let lines = tail_lines(&tail);
        assert_eq!(lines.len(), TAIL_LINES);
        assert_eq!(lines.last().map(String::as_str), Some("line 9999"));
    }
}
