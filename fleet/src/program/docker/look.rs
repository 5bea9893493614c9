//! `top`, `stats`, `port`: looks into containers that run.

use std::time::Duration;

use super::flags::{Flag, Flags};
use super::listing::Listing;
use super::{Docker, Failure, Outcome, only, unknown, usage};
use crate::engine::container::{Container, Status};
use crate::engine::value::{Value, map};
use crate::engine::{lifecycle, names, refusal, show};
use crate::process::Pid;
use crate::world::{HostId, World};

/// The columns of `ps -ef`, which the engine calls where nothing else is asked for.
const FULL: &[&str] = &["uid", "pid", "ppid", "c", "stime", "tty", "time", "cmd"];

const STATS: &[(&str, &str)] = &[
    ("ID", "CONTAINER ID"),
    ("Name", "NAME"),
    ("CPUPerc", "CPU %"),
    ("MemUsage", "MEM USAGE / LIMIT"),
    ("MemPerc", "MEM %"),
    ("NetIO", "NET I/O"),
    ("BlockIO", "BLOCK I/O"),
    ("PIDs", "PIDS"),
];

/// A process of a container as its host sees it.
struct Seen {
    pid: u32,
    parent: u32,
    user: String,
    words: Vec<String>,
    started: Duration,
}

impl Docker<'_> {
    /// `docker top`: what `ps` of the host tells of the processes of a container.
    pub(super) async fn top(&mut self, words: &[&str]) -> Outcome {
        let Some((name, options)) = words.split_first() else {
            return Err(usage("top", "requires at least 1 argument"));
        };
        let columns = columns(options)?;
        let name = (*name).to_owned();
        let seen = self
            .engine(|world, host, now| {
                let container = lifecycle::find(world, host, &name)?;
                let id = container.id.clone();
                if !container.state.status.is_alive() {
                    return Err(refusal(409, format!("Container {id} is not running")));
                }
                if !columns.iter().any(|column| column == "pid") {
                    return Err(refusal(500, "Couldn't find PID field in ps output"));
                }
                Ok(processes(world, host, &id, now))
            })
            .await;
        let seen = seen.map_err(|failure| self.of_client(failure))?;
        let heads = columns.iter().map(|column| match column.as_str() {
            "args" | "cmd" | "comm" => "COMMAND".to_owned(),
            other => other.to_uppercase(),
        });
        let mut heads: Vec<String> = heads.collect();
        if options.is_empty()
            && let Some(last) = heads.last_mut()
        {
            "CMD".clone_into(last);
        }
        let mut rows = vec![heads];
        for one in &seen {
            let cells = columns.iter().map(|column| cell(one, column));
            rows.push(cells.collect::<Result<Vec<String>, Failure>>()?);
        }
        // The command has a writer of columns that are at least 20 wide.
        for row in rows {
            let (last, cells) = row
                .split_last()
                .map_or(("", &[][..]), |(last, cells)| (last.as_str(), cells));
            let cells = cells.iter().map(|cell| format!("{cell:<20}"));
            self.invocation
                .print(&format!("{}{last}\n", cells.collect::<String>()));
        }
        Ok(0)
    }

    /// `docker stats`: once. Containers of the fleet use little, and always the same.
    pub(super) async fn stats(&mut self, words: &[&str]) -> Outcome {
        let known = [
            Flag::switch("all").short('a'),
            Flag::switch("no-stream"),
            Flag::switch("no-trunc"),
            Flag::value("format"),
        ];
        let flags = Flags::parse(&known, words)?;
        if !flags.has("no-stream") {
            return Err(unknown("stats without --no-stream"));
        }
        let shows_all = flags.has("all");
        let rows = self
            .engine(|world, host, now| {
                let mut found: Vec<Container> = Vec::new();
                for name in &flags.rest {
                    found.push(lifecycle::find(world, host, name)?.clone());
                }
                if flags.rest.is_empty() {
                    let all = world.engine(host).containers.values();
                    let shown = all.filter(|one| shows_all || one.state.status.is_alive());
                    found.extend(shown.cloned());
                    found.sort_by_key(|one| std::cmp::Reverse(one.created));
                }
                let is_whole = flags.has("no-trunc");
                let rows = found
                    .iter()
                    .map(|one| stats_row(world, host, one, is_whole, now));
                Ok(rows.collect::<Vec<Value>>())
            })
            .await?;
        // The engine measures twice, a second apart.
        self.invocation.sleep(Duration::from_secs(2)).await;
        let listing = Listing {
            columns: STATS,
            rows,
            key: "ID",
        };
        self.list(listing, &flags)
    }

    /// `docker port`.
    pub(super) async fn port(&mut self, words: &[&str]) -> Outcome {
        let flags = Flags::parse(&[], words)?;
        let name = only(&flags, "port")?.to_owned();
        let ports = self
            .engine(|world, host, _| Ok(lifecycle::find(world, host, &name)?.spec.ports.clone()))
            .await?;
        for (outer, inner) in ports {
            let inner = if inner.contains('/') {
                inner
            } else {
                inner + "/tcp"
            };
            self.invocation
                .print(&format!("{inner} -> 0.0.0.0:{outer}\n"));
        }
        Ok(0)
    }
}

/// Returns the columns that options of `ps` ask for.
fn columns(options: &[&str]) -> Result<Vec<String>, Failure> {
    let names = match options {
        [] | ["-ef"] => FULL.iter().map(|&name| name.to_owned()).collect(),
        ["-o", list] | ["-eo", list] => list.split(',').map(str::to_owned).collect(),
        [one] if one.starts_with("-o") => one[2..].split(',').map(str::to_owned).collect(),
        other => return Err(unknown(format!("top with ps {}", other.join(" ")))),
    };
    Ok(names)
}

/// Returns what is in a column of a process.
fn cell(one: &Seen, column: &str) -> Result<String, Failure> {
    Ok(match column {
        "pid" => one.pid.to_string(),
        "ppid" => one.parent.to_string(),
        "uid" | "user" => one.user.clone(),
        "c" => "0".to_owned(),
        "tty" => "?".to_owned(),
        "time" => "00:00:00".to_owned(),
        "stime" => crate::program::time::format("%H:%M", one.started).unwrap_or_default(),
        "args" | "cmd" => one.words.join(" "),
        "comm" => {
            let first = one.words.first().map_or("", String::as_str);
            first
                .rsplit('/')
                .next()
                .unwrap_or(first)
                .chars()
                .take(15)
                .collect()
        }
        other => return Err(unknown(format!("the column {other} of ps"))),
    })
}

/// Returns the processes of a container: of one that is no program, the one that it has.
fn processes(world: &mut World, host: HostId, id: &str, now: Duration) -> Vec<Seen> {
    let Some(container) = world.engine(host).containers.get(id).cloned() else {
        return Vec::new();
    };
    let first = show::container::pid(&container);
    let shim = first.saturating_sub(20);
    let own = Seen {
        pid: first,
        parent: shim,
        user: "root".to_owned(),
        words: lifecycle::argv(world, host, &container),
        started: world.wall(host, container.state.started.unwrap_or(now)),
    };
    let Some(inside) = container.inside else {
        return vec![own];
    };
    let seen: Vec<Seen> = world.with_host(inside, |machine| {
        let outer = |pid: Pid| if pid.0 == 0 { shim } else { first + pid.0 - 1 };
        let all = machine.processes.all().iter();
        all.map(|(pid, process)| Seen {
            pid: outer(*pid),
            parent: outer(process.parent),
            user: process.user.clone(),
            words: process.command.clone(),
            started: process.started,
        })
        .collect()
    });
    if seen.is_empty() { vec![own] } else { seen }
}

fn stats_row(
    world: &mut World,
    host: HostId,
    one: &Container,
    is_whole: bool,
    now: Duration,
) -> Value {
    let limit = world.hosts[host.0].hardware.memory_kib * 1024;
    let count = match one.state.status {
        Status::Running | Status::Paused => processes(world, host, &one.id, now).len(),
        Status::Created | Status::Restarting | Status::Exited => 0,
    };
    let used = count as u64 * (1 << 20);
    let share = used as f64 * 100.0 / limit.max(1) as f64;
    map! {
        "BlockIO": "0B / 0B",
        "CPUPerc": "0.00%",
        "Container": &one.id,
        "ID": if is_whole { one.id.clone() } else { names::short(&one.id) },
        "MemPerc": format!("{share:.2}%"),
        "MemUsage": format!("{} / {}", names::binary_size(used), names::binary_size(limit)),
        "Name": &one.name,
        "NetIO": "0B / 0B",
        "PIDs": count.to_string(),
    }
}
