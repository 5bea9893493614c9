//! `dnf`, which is `yum`, too: version 4.

mod announce;
mod download;
mod jobs;
mod list;
mod plugin;
mod problem;
mod repository;
mod select;
mod table;
#[cfg(test)]
mod tests;
mod transaction;
mod wishes;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::apt::lock;
use super::{Invocation, Program};
use crate::packages::Metadata;
use crate::packages::rpm::plan::{Job, Manner, Pool, plan};
use problem::Ask;
use repository::{Age, Settings};

use wishes::{BadLine, Choice, Wishes};

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "dnf",
        run: dnf,
    },
    Program {
        name: "dnf-3",
        run: dnf,
    },
    Program {
        name: "yum",
        run: dnf,
    },
];

/// Commands that change packages, and so need root and the lock.
const CHANGES: &[&str] = &[
    "install",
    "remove",
    "upgrade",
    "downgrade",
    "reinstall",
    "autoremove",
];

fn dnf(invocation: &mut Invocation) -> BoxFuture<'_, u8> {
    Box::pin(async move {
        invocation.spend(crate::time::of("dnf")).await;
        let mut wishes = match wishes::parse(&invocation.arguments) {
            Ok(wishes) => wishes,
            Err(BadLine::Unknown(option)) => return bad_option(invocation, &option),
            Err(BadLine::NotSimulated(option)) => {
                return invocation.not_simulated(&format!("option {option}"));
            }
        };
        if wishes.has("--version") {
            return version(invocation);
        }
        wishes.command = proper(&wishes.command).to_owned();
        run(invocation, &wishes).await
    })
}

/// Returns the name of a command that has several.
fn proper(command: &str) -> &str {
    match command {
        "in" => "install",
        "erase" | "rm" => "remove",
        "update" | "upgrade-minimal" | "up" | "update-to" => "upgrade",
        "ls" => "list",
        "se" => "search",
        "whatprovides" | "wp" => "provides",
        "rq" => "repoquery",
        "mc" => "makecache",
        "check-upgrade" => "check-update",
        "dg" => "downgrade",
        other => other,
    }
}

fn bad_option(invocation: &mut Invocation, option: &str) -> u8 {
    let mut words = invocation.arguments.iter();
    let command = words.find(|word| !word.starts_with('-')).cloned();
    let command = command.map_or_else(String::new, |command| format!(" {command}"));
    usage(invocation, &command);
    invocation.complain(&format!(
        "dnf{command}: error: unrecognized arguments: {option}\n"
    ));
    2
}

fn usage(invocation: &mut Invocation, command: &str) {
    let text = include_str!("../../../data/dnf-usage.txt");
    let pad = " ".repeat("usage: dnf  ".len() + command.len() - 1);
    let lines: Vec<&str> = text.lines().collect();
    let mut said = format!("usage: dnf{command} ");
    said.push_str(&lines.join(&format!("\n{pad}")));
    invocation.complain(&said);
}

fn version(invocation: &mut Invocation) -> u8 {
    let own = invocation.host(|host| {
        host.packages
            .get("dnf")
            .map(|one| one.package.version.clone())
    });
    let own = own.unwrap_or_else(|| "4.14.0-9".to_owned());
    let own = own.split('-').next().unwrap_or_default().to_owned();
    invocation.print(&format!("{own}\n"));
    0
}

async fn run(invocation: &mut Invocation, wishes: &Wishes) -> u8 {
    let command = wishes.command.as_str();
    let is_known = CHANGES.contains(&command) || OTHERS.contains(&command);
    if !is_known {
        let name = invocation
            .name
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        let path = format!("/usr/bin/{name}");
        if command.is_empty() {
            return invocation.not_simulated("no command");
        }
        invocation.complain(&format!(
            "No such command: {command}. Please use {path} --help\nIt could be a DNF plugin command, \
             try: \"dnf install 'dnf-command({command})'\"\n"
        ));
        return 1;
    }
    let needs_names = ["install", "downgrade", "reinstall", "provides", "search"];
    if needs_names.contains(&command) && wishes.names.is_empty() {
        usage(invocation, &format!(" {command}"));
        invocation.complain(&format!(
            "dnf {command}: error: the following arguments are required: {}\n",
            if command == "search" {
                "KEYWORD"
            } else {
                "PACKAGE"
            }
        ));
        return 2;
    }
    crate::program::subscription::preamble(invocation, wishes.is_quiet);
    let settings = repository::read(invocation, wishes);
    if let Some(status) = judge_repositories(invocation, &settings) {
        return status;
    }
    if CHANGES.contains(&command) {
        return change(invocation, wishes, &settings).await;
    }
    match command {
        "makecache" => makecache(invocation, wishes, &settings).await,
        "clean" => clean(invocation, wishes),
        "repolist" => list::repositories(invocation, wishes, &settings),
        "config-manager" => plugin::config_manager(invocation, wishes, &settings).await,
        "versionlock" => plugin::versionlock(invocation, wishes, &settings).await,
        "module" => plugin::module(invocation, wishes),
        "check" => 0,
        "history" => list::history(invocation, wishes),
        _ => list::run(invocation, wishes, &settings).await,
    }
}

/// Commands that change no packages.
const OTHERS: &[&str] = &[
    "makecache",
    "clean",
    "repolist",
    "config-manager",
    "versionlock",
    "module",
    "check",
    "list",
    "info",
    "repoquery",
    "search",
    "provides",
    "check-update",
    "history",
];

/// Says which repositories the command line names and nobody has; one that is to be used must be
/// there.
fn judge_repositories(invocation: &mut Invocation, settings: &Settings) -> Option<u8> {
    for (choice, id) in &settings.unknown {
        if *choice == Choice::Disable {
            invocation.complain(&format!("No repository match: {id}\n"));
        } else {
            invocation.complain(&format!("Error: Unknown repo: '{id}'\n"));
            return Some(1);
        }
    }
    None
}

async fn makecache(invocation: &mut Invocation, wishes: &Wishes, settings: &Settings) -> u8 {
    if settings.enabled().next().is_none() {
        return no_repositories(invocation, settings);
    }
    match repository::load(invocation, wishes, settings, Age::New).await {
        Ok(_) => {
            if !wishes.is_quiet {
                invocation.print("Metadata cache created.\n");
            }
            0
        }
        Err(status) => status,
    }
}

fn no_repositories(invocation: &mut Invocation, settings: &Settings) -> u8 {
    let places = match settings.main.value("reposdir") {
        Some(place) => format!("\"{place}\""),
        None => "\"/etc/yum.repos.d\", \"/etc/yum/repos.d\", \"/etc/distro.repos.d\"".to_owned(),
    };
    invocation.complain(&format!(
        "Error: There are no enabled repositories in {places}.\n"
    ));
    1
}

/// `dnf clean`: what repositories have told is forgotten.
fn clean(invocation: &mut Invocation, wishes: &Wishes) -> u8 {
    let kinds = ["all", "metadata", "dbcache", "expire-cache", "packages"];
    if wishes
        .names
        .iter()
        .any(|name| !kinds.contains(&name.as_str()))
        || wishes.names.is_empty()
    {
        return invocation.not_simulated("clean without a kind that is known");
    }
    let count = invocation.host(|host| {
        let count = host.packages.metadata.len();
        if wishes.names.iter().any(|name| name != "packages") {
            host.packages.metadata = Arc::default();
        }
        count
    });
    if !wishes.is_quiet {
        invocation.print(&format!("{} files removed\n", count * 7));
    }
    0
}

async fn change(invocation: &mut Invocation, wishes: &Wishes, settings: &Settings) -> u8 {
    if invocation.credentials.uid != 0 {
        invocation.complain(
            "Error: This command has to be run with superuser privileges (under the root user on \
             most systems).\n",
        );
        return 1;
    }
    let _held = take(invocation).await;
    let is_removal = ["remove", "autoremove"].contains(&wishes.command.as_str());
    let metadata = if wishes.command == "remove" {
        BTreeMap::new()
    } else {
        if settings.enabled().next().is_none() && !is_removal {
            return no_repositories(invocation, settings);
        }
        match repository::load(invocation, wishes, settings, wishes.age()).await {
            Ok(metadata) => metadata,
            Err(status) => return status,
        }
    };
    assume_unknown(invocation, wishes, settings, &metadata);
    let pool = select::pool(invocation, wishes, settings, &metadata);
    let said = jobs::jobs(invocation, wishes, &pool);
    let (jobs, ask) = match said {
        Ok(found) => found,
        Err(status) => return status,
    };
    carry_out(invocation, wishes, settings, &metadata, &pool, &jobs, ask).await
}

/// Waits for the lock as long as it takes, and says so.
async fn take(invocation: &mut Invocation) -> lock::Held {
    let mut has_said = false;
    loop {
        let holder = match lock::take(invocation, lock::Which::Packages, 0).await {
            Ok(held) => return held,
            Err(holder) => holder,
        };
        if !has_said {
            has_said = true;
            invocation.print(&format!(
                "Waiting for process with pid {} to finish.\n",
                holder.pid
            ));
        }
        invocation.sleep(std::time::Duration::from_secs(1)).await;
    }
}

/// Where a rehearsal may assume it, a package that nobody knows is one of the distribution: users'
/// hooks install what they like.
fn assume_unknown(
    invocation: &mut Invocation,
    wishes: &Wishes,
    settings: &Settings,
    metadata: &BTreeMap<String, Metadata>,
) {
    if wishes.command != "install" || !invocation.is_users() {
        return;
    }
    let pool = select::pool(invocation, wishes, settings, metadata);
    for name in &wishes.names {
        let is_known = !select::offers_for(&pool, name).is_empty()
            || !select::here_for(&pool, name).is_empty();
        if !is_known && !name.contains(['*', '/']) {
            super::rpm::assume(invocation, name);
        }
    }
}

/// Makes a plan of what is to be done, and carries it out.
async fn carry_out(
    invocation: &mut Invocation,
    wishes: &Wishes,
    settings: &Settings,
    metadata: &BTreeMap<String, Metadata>,
    pool: &Pool,
    jobs: &[Job],
    ask: Ask,
) -> u8 {
    let is_removal = jobs.iter().any(|job| matches!(job, Job::Remove(_)));
    let cleans = settings.main.says_yes("clean_requirements_on_remove", true);
    let is_best = settings.main.says_yes("best", false);
    let manner = Manner {
        is_best: wishes.best.unwrap_or(is_best) && !wishes.skips_broken,
        may_erase: wishes.may_erase || is_removal,
        cleans: is_removal && cleans && !wishes.keeps_unused,
    };
    let planned = plan(pool, jobs, manner);
    let plan = match planned {
        Ok(plan) => plan,
        Err(problems) => {
            let texts = problems.iter().map(|problem| problem::text(problem, ask));
            let texts: Vec<String> = texts.collect();
            invocation.complain(&format!("Error: \n{}", texts.join("\n")));
            let advice = problem::advice(&problems, manner.is_best, manner.may_erase);
            jobs::say(invocation, wishes, advice.trim_end());
            return 1;
        }
    };
    if !plan.skipped.is_empty() {
        let best = Manner {
            is_best: true,
            ..manner
        };
        let problems = crate::packages::rpm::plan::plan(pool, jobs, best).err();
        for problem in problems.unwrap_or_default() {
            invocation.complain(&format!("\n{}", problem::text(&problem, ask)));
        }
    }
    jobs::say(invocation, wishes, "Dependencies resolved.");
    transaction::run(invocation, wishes, settings, metadata, plan).await
}
