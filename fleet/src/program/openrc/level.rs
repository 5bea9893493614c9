//! Runlevels: `openrc`, `rc-status`, and booting.

use super::service::{command, in_order, tell_learnt};
use super::{Invocation, Running, is_root, is_started, set_started};
use crate::openrc::{self, BOOT};
use crate::program::launch::Launch;
use crate::world::{Fleet, HostId};

/// Starts what starts with a host, runlevel by runlevel.
pub(crate) async fn boot(fleet: &Fleet, host: HostId) {
    let now = fleet.time_of(host);
    fleet.host(host, |host| openrc::make_state(&mut host.files, now));
    for level in BOOT {
        let words = ["/usr/sbin/openrc", level].map(str::to_owned).to_vec();
        let launch = Launch::of_root(fleet, host, "/usr/sbin/openrc".to_owned(), words);
        // A service that does not start keeps no host from booting.
        let _ = launch.finish().await;
    }
}

/// `openrc [RUNLEVEL]`: stops what is not in the runlevel, starts what is.
pub(super) fn openrc(invocation: &mut Invocation) -> Running<'_> {
    Box::pin(async move {
        let current = invocation.host(|host| openrc::level(&host.files));
        let level = invocation.arguments.first().cloned().unwrap_or(current);
        if level.starts_with('-') {
            return invocation.not_simulated(&format!("option {level}"));
        }
        if !is_root(invocation) {
            invocation.complain(" * openrc: superuser access required");
            return 1;
        }
        let known = invocation.host(|host| openrc::levels(&host.files));
        if !known.contains(&level) {
            invocation.complain(&format!(" * `{level}' is not a valid runlevel"));
            return 1;
        }
        tell_learnt(invocation);
        enter(invocation, &level).await;
        0
    })
}

async fn enter(invocation: &mut Invocation, level: &str) {
    let now = invocation.now();
    let (mut leaving, entering) = invocation.host(|host| {
        openrc::set_level(&mut host.files, level, now);
        let files = &host.files;
        let stays = |name: &String| {
            let levels = ["sysinit", "boot", level];
            levels.iter().any(|one| openrc::is_member(files, one, name))
        };
        let mut leaving = openrc::started(files);
        leaving.retain(|name| !stays(name));
        (leaving, openrc::members(files, level))
    });
    leaving = in_order(invocation, leaving).await;
    for name in leaving.iter().rev() {
        if is_started(invocation, name) {
            command(invocation, name, "stop").await;
            set_started(invocation, name, false);
        }
    }
    for name in in_order(invocation, entering).await {
        if !is_started(invocation, &name) && command(invocation, &name, "start").await == 0 {
            set_started(invocation, &name, true);
        }
    }
}

/// What `rc-status` was asked for.
#[derive(Debug, Default)]
struct Wishes {
    all: bool,
    question: Option<char>,
    levels: Vec<String>,
}

pub(super) fn rc_status(invocation: &mut Invocation) -> Running<'_> {
    Box::pin(async move {
        let mut wishes = Wishes::default();
        for word in invocation.arguments.clone() {
            match word.as_str() {
                "-a" | "--all" => wishes.all = true,
                "-c" | "--crashed" => wishes.question = Some('c'),
                "-l" | "--list" => wishes.question = Some('l'),
                "-m" | "--manual" => wishes.question = Some('m'),
                "-r" | "--runlevel" => wishes.question = Some('r'),
                "-s" | "--servicelist" => wishes.question = Some('s'),
                "-C" | "--nocolor" => {}
                option if option.starts_with('-') => {
                    return invocation.not_simulated(&format!("option {option}"));
                }
                _ => wishes.levels.push(word),
            }
        }
        match wishes.question {
            None => show(invocation, wishes).await,
            Some(question) => answer(invocation, question).await,
        }
    })
}

async fn answer(invocation: &mut Invocation, question: char) -> u8 {
    let (level, levels) =
        invocation.host(|host| (openrc::level(&host.files), openrc::levels(&host.files)));
    match question {
        // What died is not noticed where start-stop-daemon is dpkg's.
        'c' => return 1,
        'l' => invocation.print(&(levels.join("\n") + "\n")),
        'r' => invocation.print(&format!("{level}\n")),
        'm' => {
            tell_learnt(invocation);
            let manual = manual(invocation);
            list(invocation, &manual);
        }
        _ => {
            tell_learnt(invocation);
            let all = invocation.host(|host| openrc::services(&host.files));
            list(invocation, &all);
        }
    }
    0
}

async fn show(invocation: &mut Invocation, wishes: Wishes) -> u8 {
    let (level, levels) =
        invocation.host(|host| (openrc::level(&host.files), openrc::levels(&host.files)));
    if let Some(wrong) = wishes.levels.iter().find(|one| !levels.contains(one)) {
        invocation.complain(&format!(" * runlevel `{wrong}' does not exist"));
        return 1;
    }
    tell_learnt(invocation);
    let shows_dynamic = wishes.all || wishes.levels.is_empty();
    let shown = match (wishes.all, wishes.levels.is_empty()) {
        (true, _) => levels,
        (false, true) => vec![level],
        (false, false) => wishes.levels,
    };
    for level in shown {
        let members = invocation.host(|host| openrc::members(&host.files, &level));
        let members = in_order(invocation, members).await;
        invocation.print(&format!("Runlevel: {level}\n"));
        list(invocation, &members);
    }
    if shows_dynamic {
        invocation.print("Dynamic Runlevel: hotplugged\nDynamic Runlevel: needed/wanted\n");
        invocation.print("Dynamic Runlevel: manual\n");
        let manual = manual(invocation);
        list(invocation, &manual);
    }
    0
}

/// Returns what runs and is in no runlevel that is on.
fn manual(invocation: &Invocation) -> Vec<String> {
    invocation.host(|host| {
        let files = &host.files;
        let level = openrc::level(files);
        let is_in = |name: &String| {
            let levels = ["sysinit", "boot", level.as_str()];
            levels.iter().any(|one| openrc::is_member(files, one, name))
        };
        let mut names = openrc::started(files);
        names.retain(|name| !is_in(name));
        names
    })
}

fn list(invocation: &mut Invocation, names: &[String]) {
    for name in names {
        let state = if is_started(invocation, name) {
            "started"
        } else {
            "stopped"
        };
        invocation.print(&format!(" {name:<66}[  {state}  ]\n"));
    }
}
