//! What was found, as a table with equal problems as one, and as JSON.

use std::time::Duration;

use report::fold::Titles;
use report::{Table, errors};
use rig::privilege::Privilege;
use serde_json::{Value, json};

use super::judge::{Finding, Weight};
use super::on_host::Checked;

/// Returns a row for each host, and then what is wrong.
pub(super) fn text(found: &[Checked]) -> String {
    let mut table = Table::new(["HOST", "WAY", "LOGIN", "PRIVILEGE", "ROUND_TRIP", "STATE"]);
    for checked in found {
        table.row([
            Some(checked.name.clone()),
            checked.connected_in.map(|_| way(checked)),
            login(checked),
            checked.access.as_ref().map(|access| {
                let word = access
                    .privilege
                    .as_ref()
                    .map_or("none", |it| privilege(*it));
                word.to_owned()
            }),
            checked
                .sessions
                .as_ref()
                .map(|it| format!("{} ms", it.round_trip.as_millis())),
            Some(state(checked)),
        ]);
    }
    let mut text = table.to_text();
    for (weight, word) in [
        (Weight::Problem, "error"),
        (Weight::Warning, "warning"),
        (Weight::Note, "note"),
    ] {
        let failures: Vec<_> = found
            .iter()
            .flat_map(|checked| {
                let those = checked.findings.iter().filter(|it| it.weight == weight);
                those.map(|it| it.failure.clone().on_host(&checked.name))
            })
            .collect();
        for group in errors::group(&failures) {
            text.push_str(&format!("\n{word}: "));
            for line in errors::block(&group, &Titles::default()) {
                text.push_str(&line);
                text.push('\n');
            }
        }
    }
    text
}

fn privilege(privilege: Privilege) -> &'static str {
    match privilege {
        Privilege::Root => "root",
        Privilege::Sudo => "sudo",
        Privilege::Doas => "doas",
    }
}

fn way(checked: &Checked) -> String {
    match checked.passage.through.as_slice() {
        [] => "direct".to_owned(),
        through => format!("via {}", through.join(", ")),
    }
}

fn login(checked: &Checked) -> Option<String> {
    let access = checked.access.as_ref().map(|access| access.user.clone());
    access.or_else(|| checked.passage.user.clone())
}

fn state(checked: &Checked) -> String {
    let of = |weight| {
        let those = checked
            .findings
            .iter()
            .filter(move |it| it.weight == weight);
        those.map(|it| it.class).collect::<Vec<_>>()
    };
    match (of(Weight::Problem), of(Weight::Warning)) {
        (problems, warnings) if problems.is_empty() && warnings.is_empty() => "ok".to_owned(),
        (problems, warnings) if problems.is_empty() => format!("ok ({})", warnings.join(", ")),
        (problems, _) => problems.join(", "),
    }
}

/// Returns one object for all hosts; its shape is documented and does not change.
pub(super) fn json(found: &[Checked]) -> String {
    let problems = found.iter().filter(|it| it.has_problem()).count();
    let hosts: Vec<Value> = found.iter().map(host).collect();
    let object = json!({
        "hosts": hosts,
        "ok": found.len() - problems,
        "failed": problems,
    });
    format!("{object:#}\n")
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn host(checked: &Checked) -> Value {
    let passage = &checked.passage;
    let access = checked.access.as_ref();
    json!({
        "host": checked.name,
        "state": if checked.has_problem() { "failed" } else { "ok" },
        "findings": checked.findings.iter().map(finding).collect::<Vec<_>>(),
        "way": {
            "target": passage.target,
            "through": passage.through,
            "user": passage.user,
            "credential": passage.credential,
            "host_key": passage.host_key,
            "known_by": passage.known_by,
        },
        "login": access.map(|access| json!({
            "user": access.user,
            "uid": access.uid,
            "shell": access.shell,
            "home": access.home,
            "greeting": access.greeting,
        })),
        "privilege": access.and_then(|it| it.privilege.as_ref().ok()).map(|it| privilege(*it)),
        "places": access.map(|access| access.places.iter().map(|place| json!({
            "path": place.path,
            "exists": place.exists,
            "writable": place.is_writable,
            "read_only": place.is_read_only(),
            "noexec": place.forbids_programs(),
            "free_bytes": place.free_kib.map(|kib| kib.saturating_mul(1024)),
            "free_inodes": place.free_inodes,
        })).collect::<Vec<_>>()),
        "sessions": checked.sessions.as_ref().map(|it| it.open),
        "connect_ms": checked.connected_in.map(millis),
        "round_trip_ms": checked.sessions.as_ref().map(|it| millis(it.round_trip)),
        "duration_ms": millis(checked.duration),
    })
}

fn finding(finding: &Finding) -> Value {
    json!({
        "weight": match finding.weight {
            Weight::Problem => "problem",
            Weight::Warning => "warning",
            Weight::Note => "note",
        },
        "class": finding.class,
        "message": finding.failure.message,
        "causes": finding.failure.causes,
        "hint": finding.failure.hint,
    })
}
