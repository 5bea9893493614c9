//! `journalctl`.

use futures_util::future::BoxFuture;

use super::{Invocation, Program, clock};
use crate::systemd::{Entry, full_name};

pub(crate) const PROGRAMS: &[Program] = &[Program {
    name: "journalctl",
    run: journalctl,
}];

fn journalctl(invocation: &mut Invocation) -> BoxFuture<'_, u8> {
    Box::pin(async move {
        invocation.spend(crate::time::of("systemctl")).await;
        let mut unit = None;
        let mut most = None;
        let arguments = invocation.arguments.clone();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "-u" | "--unit" => unit = words.next().map(|name| full_name(name)),
                "-n" | "--lines" => most = words.next().and_then(|text| text.parse().ok()),
                "--no-pager" | "-q" | "--quiet" | "-x" | "-e" | "-b" | "-xe" | "-a" | "-l" => {}
                "-xeu" => unit = words.next().map(|name| full_name(name)),
                word => match word.split_at_checked(2) {
                    Some(("-n", rest)) => most = rest.parse().ok(),
                    Some(("-u", rest)) => unit = Some(full_name(rest)),
                    _ if word.starts_with("--unit=") => unit = Some(full_name(&word[7..])),
                    _ if word.starts_with("--lines=") => most = word[8..].parse().ok(),
                    _ => return invocation.not_simulated(&format!("option {word}")),
                },
            }
        }
        let may_read = invocation.credentials.uid == 0 || {
            let group =
                invocation.host(|host| crate::accounts::group(&host.files, "systemd-journal"));
            group.is_some_and(|group| invocation.credentials.groups.contains(&group.gid))
        };
        let text = if may_read {
            lines(invocation, unit.as_deref(), most)
        } else {
            String::new()
        };
        if text.is_empty() {
            invocation.print("-- No entries --\n");
        } else {
            invocation.print(&text);
        }
        0
    })
}

/// Returns the last lines of the journal, of one unit or of all.
pub(super) fn lines(invocation: &Invocation, unit: Option<&str>, most: Option<usize>) -> String {
    let name = invocation.host(|host| host.host_name().to_owned());
    let chosen: Vec<Entry> = invocation.host(|host| {
        let belongs = |entry: &&Entry| {
            unit.is_none_or(|unit| {
                entry.unit == unit
                    || (entry.unit == "init.scope" && entry.message.contains(&format!(" {unit} ")))
            })
        };
        let entries = host.systemd.journal.entries().rev().filter(belongs);
        let mut entries: Vec<Entry> = entries.take(most.unwrap_or(usize::MAX)).cloned().collect();
        entries.reverse();
        entries
    });
    let mut text = String::new();
    for entry in chosen {
        let at = clock::syslog(entry.at / 1_000_000);
        let who = match entry.pid {
            0 => entry.identifier,
            pid => format!("{}[{pid}]", entry.identifier),
        };
        text.push_str(&format!("{at} {name} {who}: {}\n", entry.message));
    }
    text
}
