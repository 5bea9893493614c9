//! `journalctl`.

use futures_util::future::BoxFuture;

use super::{Invocation, Program, clock};
use crate::systemd::{Entry, full_name};

pub(crate) const PROGRAMS: &[Program] = &[Program {
    name: "journalctl",
    run: journalctl,
}];

/// Which lines are asked for, and how they are to look.
#[derive(Debug, Default)]
struct Wishes {
    unit: Option<String>,
    most: Option<usize>,
    is_quiet: bool,
    only_messages: bool,
    only_errors: bool,
    since: Option<u64>,
}

/// Options of the real one that are not simulated.
const OPTIONS: &[&str] = &[
    "--all",
    "--after-cursor",
    "--boot",
    "--case-sensitive",
    "--catalog",
    "--cursor",
    "--directory",
    "--disk-usage",
    "--dmesg",
    "--facility",
    "--field",
    "--fields",
    "--file",
    "--flush",
    "--follow",
    "--grep",
    "--header",
    "--identifier",
    "--list-boots",
    "--list-catalog",
    "--machine",
    "--merge",
    "--no-full",
    "--no-hostname",
    "--no-tail",
    "--output-fields",
    "--relinquish-var",
    "--reverse",
    "--root",
    "--rotate",
    "--show-cursor",
    "--sync",
    "--system",
    "--until",
    "--user",
    "--user-unit",
    "--utc",
    "--vacuum-files",
    "--vacuum-size",
    "--vacuum-time",
    "--verify",
    "--version",
];

/// Why a command line makes no sense.
enum Wrong {
    NoSuch(String),
    NotSimulated(String),
}

fn journalctl(invocation: &mut Invocation) -> BoxFuture<'_, u8> {
    Box::pin(async move {
        invocation.spend(crate::time::of("systemctl")).await;
        let now = invocation.now().as_secs();
        let wishes = match parse(&invocation.arguments, now) {
            Ok(wishes) => wishes,
            Err(Wrong::NoSuch(option)) => {
                invocation.error(&format!("unrecognized option '{option}'"));
                return 1;
            }
            Err(Wrong::NotSimulated(what)) => return invocation.not_simulated(&what),
        };
        let may_read = invocation.credentials.uid == 0 || {
            let group =
                invocation.host(|host| crate::accounts::group(&host.files, "systemd-journal"));
            group.is_some_and(|group| invocation.credentials.groups.contains(&group.gid))
        };
        let text = if may_read {
            told(invocation, &wishes)
        } else {
            String::new()
        };
        if !text.is_empty() {
            invocation.print(&text);
        } else if !wishes.is_quiet {
            invocation.print("-- No entries --\n");
        }
        0
    })
}

fn parse(arguments: &[String], now: u64) -> Result<Wishes, Wrong> {
    let mut wishes = Wishes::default();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let (name, inline) = match (word.split_once('='), word.split_at_checked(2)) {
            (Some((name, value)), _) if name.starts_with("--") => (name, Some(value.to_owned())),
            (_, Some((name @ ("-n" | "-u" | "-o" | "-p" | "-S"), rest))) if !rest.is_empty() => {
                (name, Some(rest.to_owned()))
            }
            _ => (word.as_str(), None),
        };
        let mut value = || {
            inline
                .clone()
                .or_else(|| words.next().cloned())
                .unwrap_or_default()
        };
        match name {
            "-u" | "--unit" | "-xeu" | "-eu" | "-xu" => wishes.unit = Some(full_name(&value())),
            "-n" | "--lines" => wishes.most = value().parse().ok(),
            "-o" | "--output" => {
                wishes.only_messages = match value().as_str() {
                    "cat" => true,
                    "short" => false,
                    other => return Err(Wrong::NotSimulated(format!("output {other}"))),
                };
            }
            "-p" | "--priority" => {
                wishes.only_errors = match value().as_str() {
                    "err" | "error" | "3" | "crit" | "2" => true,
                    "info" | "6" | "debug" | "7" => false,
                    other => return Err(Wrong::NotSimulated(format!("priority {other}"))),
                };
            }
            "-S" | "--since" => {
                let text = value();
                let since = since(&text, now);
                let unknown = || Wrong::NotSimulated(format!("the time {text}"));
                wishes.since = Some(since.ok_or_else(unknown)?);
            }
            "-q" | "--quiet" => wishes.is_quiet = true,
            "--no-pager" | "-x" | "-e" | "-b" | "-xe" | "-a" | "-l" | "--pager-end" | "--full" => {}
            other if !other.starts_with("--") || OPTIONS.contains(&other) => {
                return Err(Wrong::NotSimulated(format!("option {other}")));
            }
            other => return Err(Wrong::NoSuch(other.to_owned())),
        }
    }
    Ok(wishes)
}

/// Reads `today`, `2 hours ago`, `-5min`, `@1795641600`.
fn since(text: &str, now: u64) -> Option<u64> {
    if text == "today" {
        return Some(now - now % 86_400);
    }
    if let Some(seconds) = text.strip_prefix('@') {
        return seconds.parse().ok();
    }
    let span = text
        .strip_suffix("ago")
        .or_else(|| text.strip_prefix('-'))?
        .trim();
    let end = span
        .find(|one: char| !one.is_ascii_digit())
        .unwrap_or(span.len());
    let (count, unit) = span.split_at(end);
    let unit = match unit.trim() {
        "s" | "sec" | "second" | "seconds" | "" => 1,
        "m" | "min" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3600,
        "d" | "day" | "days" => 86_400,
        _ => return None,
    };
    Some(now.saturating_sub(count.parse::<u64>().ok()? * unit))
}

/// Returns the last lines of one unit, as `systemctl status` shows them.
pub(super) fn lines(invocation: &Invocation, unit: Option<&str>, most: Option<usize>) -> String {
    let wishes = Wishes {
        unit: unit.map(str::to_owned),
        most,
        ..Wishes::default()
    };
    told(invocation, &wishes)
}

/// Returns the last lines of the journal, of one unit or of all.
fn told(invocation: &Invocation, wishes: &Wishes) -> String {
    let name = invocation.host(|host| host.host_name().to_owned());
    let chosen: Vec<Entry> = invocation.host(|host| {
        let belongs = |entry: &&Entry| {
            let is_of_unit = wishes.unit.as_ref().is_none_or(|unit| {
                entry.unit == *unit
                    || (entry.unit == "init.scope" && entry.message.contains(&format!(" {unit} ")))
            });
            is_of_unit
                && (!wishes.only_errors || entry.is_error)
                && wishes
                    .since
                    .is_none_or(|since| entry.at / 1_000_000 >= since)
        };
        let entries = host.systemd.journal.entries().rev().filter(belongs);
        let mut entries: Vec<Entry> = entries
            .take(wishes.most.unwrap_or(usize::MAX))
            .cloned()
            .collect();
        entries.reverse();
        entries
    });
    let mut text = String::new();
    for entry in chosen {
        if wishes.only_messages {
            text.push_str(&format!("{}\n", entry.message));
            continue;
        }
        let at = clock::syslog(entry.at / 1_000_000);
        let who = match entry.pid {
            0 => entry.identifier,
            pid => format!("{}[{pid}]", entry.identifier),
        };
        text.push_str(&format!("{at} {name} {who}: {}\n", entry.message));
    }
    text
}
