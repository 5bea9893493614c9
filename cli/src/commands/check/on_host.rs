//! One host: the way there, the login, the questions, the sessions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use phase::Failure;
use product::mke::connect::unreachable;
use rig::access::{self, Access, AccessError};
use rig::sessions::Sessions;
use rig::{CommandError, ConnectError, Host, Passage};
use tokio::time::Instant;

use super::judge::{self, Finding, Weight};
use crate::hosts::reach::{self, Hosts};
use crate::hosts::selection::Chosen;

/// How many sessions a run opens on one connection.
pub(super) const SESSIONS: usize = rig::limits::SESSIONS;

/// Where a run writes to as root.
const PLACES: [&str; 5] = ["/tmp", "/etc", "/run", "/var/lib", "/var/lib/docker"];

/// What was found on a host, as far as it went.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) name: String,
    pub(super) passage: Passage,
    pub(super) access: Option<Access>,
    pub(super) sessions: Option<Sessions>,
    /// How long connecting took, login included.
    pub(super) connected_in: Option<Duration>,
    pub(super) duration: Duration,
    /// What is wrong, the worst first.
    pub(super) findings: Vec<Finding>,
}

impl Checked {
    /// Returns whether a run would not come through.
    pub(super) fn has_problem(&self) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|finding| finding.weight == Weight::Problem)
    }
}

/// Looks at a host, no longer than it may take.
pub(super) async fn check(
    hosts: &Hosts,
    number: usize,
    chosen: &Chosen,
    unprepared: &BTreeMap<String, Arc<ConnectError>>,
    limit: Option<Duration>,
) -> Checked {
    let started = Instant::now();
    let checked = Mutex::new(Checked {
        name: chosen.name.clone(),
        ..Checked::default()
    });
    let stage = Mutex::new("connecting");
    let host = hosts.handle(number, chosen);
    let work = look(&host, unprepared.get(&chosen.name), &checked, &stage);
    let is_late = match limit {
        Some(limit) => tokio::time::timeout(limit, work).await.is_err(),
        None => {
            work.await;
            false
        }
    };
    host.close().await;
    let mut checked = checked.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let (true, Some(limit)) = (is_late, limit) {
        let stage = stage.into_inner().unwrap_or_else(PoisonError::into_inner);
        let seconds = limit.as_secs();
        let failure = Failure::new(format!("no answer within {seconds} s, while {stage}"))
            .hint("look whether the host is frozen or overloaded, or give it more `--timeout`");
        checked.findings.push(Finding::problem("time-out", failure));
    }
    if let Some(access) = &checked.access {
        let found = judge::access(access);
        checked.findings.extend(found);
    }
    if let Some(sessions) = &checked.sessions {
        let found = judge::sessions(sessions, SESSIONS);
        checked.findings.extend(found);
    }
    checked.findings.sort_by_key(|finding| finding.weight);
    checked.duration = started.elapsed();
    checked
}

/// Takes one step after the other, up to the first that fails.
async fn look(
    host: &Host,
    unprepared: Option<&Arc<ConnectError>>,
    checked: &Mutex<Checked>,
    stage: &Mutex<&'static str>,
) {
    let note = |change: &dyn Fn(&mut Checked)| {
        change(&mut checked.lock().unwrap_or_else(PoisonError::into_inner));
    };
    let begin = |what| *stage.lock().unwrap_or_else(PoisonError::into_inner) = what;
    let fail = |finding: Finding| {
        let mut checked = checked.lock().unwrap_or_else(PoisonError::into_inner);
        checked.findings.push(finding);
    };
    let started = Instant::now();
    let connected = match unprepared {
        Some(error) => Err(Arc::clone(error)),
        None => host.connect().await,
    };
    if let Err(error) = connected {
        return fail(Finding::problem(error.class(), unreachable(&error)));
    }
    let passage = host.passage().await;
    note(&|checked| {
        checked.connected_in = Some(started.elapsed());
        checked.passage = passage.clone();
    });
    begin("asking the host");
    let access = match access::ask(host, &PLACES).await {
        Ok(access) => access,
        Err(error) => return fail(not_asked(&error)),
    };
    note(&|checked| checked.access = Some(access.clone()));
    begin("opening sessions");
    match host.count_sessions(SESSIONS).await {
        Ok(sessions) => note(&|checked| checked.sessions = Some(sessions.clone())),
        Err(error) => fail(of_command(&error)),
    }
}

fn not_asked(error: &AccessError) -> Finding {
    match error {
        AccessError::Command(error) => of_command(error),
        AccessError::Truncated { .. } => Finding::problem(
            "no-answer",
            Failure::new("the host cannot be asked")
                .caused_by(error)
                .hint("check that `/bin/sh` works on this host for the login user"),
        ),
    }
}

fn of_command(error: &CommandError) -> Finding {
    let class = match error {
        CommandError::NoShell { .. } => "no-shell",
        CommandError::TimedOut { .. } => "time-out",
        CommandError::Connection { .. } | CommandError::Connect(_) => "lost",
        _ => "command",
    };
    let failure = reach::failure("the host cannot be asked", "", error);
    Finding::problem(
        class,
        Failure {
            host: None,
            ..failure
        },
    )
}
