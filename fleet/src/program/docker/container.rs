//! `ps`, `rm`, `stop`, `logs`, …

use std::collections::BTreeMap;
use std::time::Duration;

use regex::Regex;

use super::flags::{Flag, Flags};
use super::listing::{Listing, has_label, labels};
use super::{Docker, Failure, Outcome, only, said, some, unknown, usage};
use crate::engine::container::{Container, Line, Stream};
use crate::engine::lifecycle::{self, Removal};
use crate::engine::value::{Value, map};
use crate::engine::{names, show};
use crate::world::{HostId, World};

const PS: &[Flag] = &[
    Flag::switch("all").short('a'),
    Flag::switch("quiet").short('q'),
    Flag::switch("no-trunc"),
    Flag::switch("latest").short('l'),
    Flag::value("last").short('n'),
    Flag::value("filter").short('f'),
    Flag::value("format"),
];

const COLUMNS: &[(&str, &str)] = &[
    ("ID", "CONTAINER ID"),
    ("Image", "IMAGE"),
    ("Command", "COMMAND"),
    ("RunningFor", "CREATED"),
    ("Status", "STATUS"),
    ("Ports", "PORTS"),
    ("Names", "NAMES"),
];

/// Commands that the real one has, and that are not simulated.
const UNKNOWN: &[&str] = &[
    "attach",
    "build",
    "builder",
    "buildx",
    "checkpoint",
    "commit",
    "compose",
    "context",
    "diff",
    "events",
    "export",
    "import",
    "manifest",
    "plugin",
    "push",
    "search",
    "stack",
    "stats",
    "top",
    "trust",
    "update",
];

const LOGS: &[Flag] = &[
    Flag::switch("follow").short('f'),
    Flag::switch("timestamps").short('t'),
    Flag::value("tail").short('n'),
    Flag::value("since"),
];

impl Docker<'_> {
    /// Commands of containers, with or without the word `container`.
    pub(super) async fn container(&mut self, word: &str, rest: &[&str]) -> Outcome {
        match word {
            "ps" | "ls" | "list" => self.list_containers(rest).await,
            "run" => self.run(rest).await,
            "create" => self.create(rest).await,
            "start" => self.start(rest).await,
            "stop" | "restart" => self.stop(word, rest).await,
            "kill" => self.kill(rest).await,
            "rm" | "remove" => self.remove(rest).await,
            "pause" => self.pause(rest, true).await,
            "unpause" => self.pause(rest, false).await,
            "rename" => self.rename(rest).await,
            "wait" => self.wait_for(rest).await,
            "logs" => self.logs(rest).await,
            "port" => self.port(rest).await,
            "inspect" => self.inspect(rest, Some("container")).await,
            "prune" => self.prune_containers(rest).await,
            "exec" => self.exec(rest).await,
            "cp" => self.copy(rest).await,
            word if UNKNOWN.contains(&word) => Err(unknown(format!("the command {word}"))),
            word => Err(said(format!(
                "docker: '{word}' is not a docker command.\nSee 'docker --help'"
            ))),
        }
    }

    async fn list_containers(&mut self, words: &[&str]) -> Outcome {
        let flags = Flags::parse(PS, words)?;
        let filters = Filters::parse(&flags)?;
        let shows_all = flags.has("all") || filters.wants_stopped();
        let is_whole = flags.has("no-trunc");
        let rows = self
            .engine(|world, host, now| {
                let mut containers: Vec<&Container> = world
                    .engine(host)
                    .containers
                    .values()
                    .filter(|one| shows_all || one.state.status.is_alive())
                    .filter(|one| filters.fit(world, host, one))
                    .collect();
                containers.sort_by_key(|one| std::cmp::Reverse(one.created));
                let rows = containers.into_iter();
                let rows = rows.map(|one| row(world, host, one, now, is_whole));
                Ok(rows.collect::<Vec<_>>())
            })
            .await?;
        let last = match (flags.has("latest"), flags.value("last")) {
            (true, _) => 1,
            (false, Some(last)) => last.parse().unwrap_or(usize::MAX),
            (false, None) => usize::MAX,
        };
        let listing = Listing {
            columns: COLUMNS,
            rows: rows.into_iter().take(last).collect(),
            key: "ID",
        };
        self.list(listing, &flags)
    }

    async fn start(&mut self, words: &[&str]) -> Outcome {
        let known = [
            Flag::switch("attach").short('a'),
            Flag::switch("interactive").short('i'),
        ];
        let flags = Flags::parse(&known, words)?;
        some(&flags, "start")?;
        if flags.has("attach") {
            let name = only(&flags, "start")?.to_owned();
            let id = self
                .engine(|world, host, now| {
                    lifecycle::start(world, host, &name, now)?;
                    Ok(lifecycle::find(world, host, &name)?.id.clone())
                })
                .await?;
            return self.attach(&id).await;
        }
        let status = self
            .each(&flags.rest, |world, host, now, name| {
                lifecycle::start(world, host, name, now).map(|()| name.to_owned())
            })
            .await?;
        if status != 0 {
            let text = format!(
                "Error: failed to start containers: {}",
                flags.rest.join(", ")
            );
            self.invocation.complain(&text);
        }
        Ok(status)
    }

    async fn stop(&mut self, word: &str, words: &[&str]) -> Outcome {
        let known = [
            Flag::value("time").short('t'),
            Flag::value("timeout"),
            Flag::value("signal").short('s'),
        ];
        let flags = Flags::parse(&known, words)?;
        some(&flags, word)?;
        let grace = flags.value("time").or(flags.value("timeout"));
        let grace = grace
            .and_then(|text| text.parse().ok())
            .map(Duration::from_secs);
        let grace = grace.unwrap_or(lifecycle::GRACE);
        let mut status = 0;
        for name in &flags.rest {
            let found = self
                .engine(|world, host, _| {
                    let id = lifecycle::find(world, host, name)?.id.clone();
                    let took = lifecycle::time_to_end(world, host, &id, grace);
                    Ok((took, lifecycle::exit_by_term(world, host, &id)))
                })
                .await;
            if let Ok((took, code)) = &found {
                self.invocation.sleep(*took).await;
                let code = *code;
                self.engine(|world, host, now| {
                    lifecycle::end(world, host, name, code, now)?;
                    if word == "restart" {
                        lifecycle::start(world, host, name, now)?;
                    }
                    Ok(())
                })
                .await?;
                self.invocation.print(&format!("{name}\n"));
            }
            if let Err(failure) = found {
                status = self.tell(failure)?;
            }
        }
        Ok(status)
    }

    /// Says why something failed, and returns the exit status.
    pub(super) fn tell(&mut self, failure: Failure) -> Outcome {
        match failure {
            Failure::Said(text, status) => {
                self.invocation.complain(&text);
                Ok(status)
            }
            other => Err(other),
        }
    }

    /// Says that a container is not there, as `rm` and `logs` did before version 25.
    pub(super) fn of_client(&self, failure: Failure) -> Failure {
        match failure {
            Failure::Said(text, status) if show::info::major(&self.client_version()) < 25 => {
                let old = text.replacen("Error response from daemon: No such", "Error: No such", 1);
                Failure::Said(old, status)
            }
            other => other,
        }
    }

    async fn kill(&mut self, words: &[&str]) -> Outcome {
        let flags = Flags::parse(&[Flag::value("signal").short('s')], words)?;
        some(&flags, "kill")?;
        let signal = signal(flags.value("signal").unwrap_or("KILL"))?;
        self.each(&flags.rest, |world, host, now, name| {
            lifecycle::kill(world, host, name, signal, now).map(|()| name.to_owned())
        })
        .await
    }

    async fn remove(&mut self, words: &[&str]) -> Outcome {
        let known = [
            Flag::switch("force").short('f'),
            Flag::switch("volumes").short('v'),
        ];
        let flags = Flags::parse(&known, words)?;
        some(&flags, "rm")?;
        let how = Removal {
            is_forced: flags.has("force"),
            with_volumes: flags.has("volumes"),
        };
        let is_new = show::info::major(&self.client_version()) >= 20;
        let mut status = 0;
        for name in &flags.rest {
            let removed = self
                .engine(|world, host, now| lifecycle::remove(world, host, name, how, now))
                .await;
            match removed {
                Ok(()) => self.invocation.print(&format!("{name}\n")),
                Err(failure) => {
                    let failure = self.of_client(failure);
                    let code = self.tell(failure)?;
                    // By force, what is not there is removed already (since 20.10).
                    let is_there = self
                        .engine(|world, host, _| Ok(world.engine(host).find(name).is_some()))
                        .await?;
                    if !(is_new && how.is_forced && !is_there) {
                        status = code;
                    }
                }
            }
        }
        Ok(status)
    }

    async fn pause(&mut self, words: &[&str], holds: bool) -> Outcome {
        let flags = Flags::parse(&[], words)?;
        some(&flags, if holds { "pause" } else { "unpause" })?;
        self.each(&flags.rest, |world, host, now, name| {
            lifecycle::pause(world, host, name, holds, now).map(|()| name.to_owned())
        })
        .await
    }

    async fn rename(&mut self, words: &[&str]) -> Outcome {
        let flags = Flags::parse(&[], words)?;
        let [old, new] = flags.rest.as_slice() else {
            return Err(usage("rename", "requires exactly 2 arguments"));
        };
        self.engine(|world, host, _| lifecycle::rename(world, host, old, new))
            .await?;
        Ok(0)
    }

    async fn wait_for(&mut self, words: &[&str]) -> Outcome {
        let flags = Flags::parse(&[], words)?;
        some(&flags, "wait")?;
        for name in &flags.rest {
            loop {
                let (is_alive, code) = self
                    .engine(|world, host, _| {
                        let state = &lifecycle::find(world, host, name)?.state;
                        Ok((state.status.is_alive(), state.exit_code))
                    })
                    .await?;
                if !is_alive {
                    self.invocation.print(&format!("{code}\n"));
                    break;
                }
                self.wait().await;
            }
        }
        Ok(0)
    }

    async fn port(&mut self, words: &[&str]) -> Outcome {
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

    async fn prune_containers(&mut self, words: &[&str]) -> Outcome {
        let flags = Flags::parse(&[Flag::switch("force").short('f')], words)?;
        if !flags.has("force") {
            return Err(unknown("a question to the user"));
        }
        let removed = self
            .engine(|world, host, now| {
                let containers = world.engine(host).containers.values();
                let ended = containers.filter(|one| !one.state.status.is_alive());
                let ids: Vec<String> = ended.map(|one| one.id.clone()).collect();
                for id in &ids {
                    lifecycle::remove(world, host, id, Removal::default(), now)?;
                }
                Ok(ids)
            })
            .await?;
        if !removed.is_empty() {
            self.invocation
                .print(&format!("Deleted Containers:\n{}\n\n", removed.join("\n")));
        }
        self.invocation.print("Total reclaimed space: 0B\n");
        Ok(0)
    }

    async fn logs(&mut self, words: &[&str]) -> Outcome {
        let flags = Flags::parse(LOGS, words)?;
        let name = only(&flags, "logs")?.to_owned();
        let found = self
            .engine(|world, host, _| Ok(lifecycle::find(world, host, &name)?.id.clone()))
            .await;
        let id = found.map_err(|failure| self.of_client(failure))?;
        let wanted = Wanted {
            since: flags.value("since").map(str::to_owned),
            tail: match flags.value("tail") {
                None | Some("all" | "-1") => usize::MAX,
                Some(text) => text.parse().ok().ok_or_else(|| {
                    said(format!(
                        "Error response from daemon: invalid tail value: {text}"
                    ))
                })?,
            },
            has_times: flags.has("timestamps"),
        };
        self.print_log(&id, &wanted, flags.has("follow")).await
    }

    /// Prints what a container prints until it has ended, and returns its exit status.
    pub(super) async fn attach(&mut self, id: &str) -> Outcome {
        let wanted = Wanted {
            since: None,
            tail: usize::MAX,
            has_times: false,
        };
        self.print_log(id, &wanted, true).await?;
        let host = self.host();
        let status = self.invocation.world(|world| {
            let container = world.engine(host).containers.get(id);
            container.map(|one| one.state.exit_code)
        });
        Ok(status.unwrap_or_default())
    }

    async fn print_log(&mut self, id: &str, wanted: &Wanted, follows: bool) -> Outcome {
        let mut printed = None;
        loop {
            let seen = self
                .engine(|world, host, _| {
                    let Some(one) = world.engine(host).containers.get(id) else {
                        return Ok(None);
                    };
                    let first = printed.unwrap_or_else(|| wanted.first(world, host, one));
                    let lines: Vec<(String, Line)> = one.log[first.min(one.log.len())..]
                        .iter()
                        .map(|line| (names::timestamp(world.wall(host, line.at)), line.clone()))
                        .collect();
                    Ok(Some((lines, one.log.len(), one.state.status.is_alive())))
                })
                .await;
            let Some((lines, count, is_alive)) = seen? else {
                return Ok(0);
            };
            printed = Some(count);
            for (time, line) in lines {
                self.print_line(wanted.has_times.then_some(time), &line);
            }
            if !follows || !is_alive {
                return Ok(0);
            }
            self.invocation.flush().await;
            self.wait().await;
        }
    }

    fn print_line(&mut self, time: Option<String>, line: &Line) {
        let text = match time {
            Some(time) => format!("{time} {}\n", line.text),
            None => format!("{}\n", line.text),
        };
        match line.stream {
            Stream::Out => self.invocation.print(&text),
            Stream::Error => self.invocation.complain(&text),
        }
    }
}

/// Which lines of a log are wanted.
struct Wanted {
    since: Option<String>,
    tail: usize,
    has_times: bool,
}

impl Wanted {
    /// Returns the place of the first line.
    fn first(&self, world: &World, host: HostId, container: &Container) -> usize {
        let by_tail = container.log.len().saturating_sub(self.tail);
        let Some(since) = &self.since else {
            return by_tail;
        };
        let is_late = |line: &Line| names::timestamp(world.wall(host, line.at)) >= *since;
        let by_time = container.log.iter().position(is_late);
        by_time.unwrap_or(container.log.len()).max(by_tail)
    }
}

fn signal(name: &str) -> Result<u8, Failure> {
    let known = [
        ("HUP", 1),
        ("INT", 2),
        ("QUIT", 3),
        ("KILL", 9),
        ("USR1", 10),
        ("USR2", 12),
        ("TERM", 15),
    ];
    let short = name.trim_start_matches("SIG");
    let found = known.iter().find(|(word, _)| *word == short);
    let number = found
        .map(|(_, number)| *number)
        .or_else(|| name.parse().ok());
    number.ok_or_else(|| {
        said(format!(
            "Error response from daemon: Invalid signal: {name}"
        ))
    })
}

/// Returns a container as listings show it.
fn row(world: &World, host: HostId, one: &Container, now: Duration, is_whole: bool) -> Value {
    let command = show::container::command(world, host, one);
    let command = if is_whole || command.chars().count() <= 20 {
        command
    } else {
        command.chars().take(19).chain(['…']).collect()
    };
    let mounts = one
        .spec
        .mounts
        .iter()
        .map(|mount| match mount.source.chars().count() {
            count if count > 15 && !is_whole => {
                mount.source.chars().take(14).chain(['…']).collect()
            }
            _ => mount.source.clone(),
        });
    let volumes = one
        .spec
        .mounts
        .iter()
        .filter(|mount| mount.kind.name() == "volume");
    let ports = one.spec.ports.iter().map(|(outer, inner)| {
        let inner = inner.trim_end_matches("/tcp");
        format!("0.0.0.0:{outer}->{inner}/tcp")
    });
    let image = show::container::image_name(world, host, one);
    map! {
        "ID": if is_whole { one.id.clone() } else { names::short(&one.id) },
        "Image": image,
        "Command": format!("\"{command}\""),
        "CreatedAt": names::date(world.wall(host, one.created)),
        "RunningFor": format!("{} ago", names::span(now.saturating_sub(one.created))),
        "Status": one.status(now),
        "State": one.state.status.name(),
        "Ports": ports.collect::<Vec<_>>().join(", "),
        "Names": &one.name,
        "Size": "0B",
        "Labels": labels(&one.spec.labels),
        "Mounts": mounts.collect::<Vec<_>>().join(","),
        "Networks": show::container::networks(one).join(","),
        "LocalVolumes": volumes.count().to_string(),
    }
}

/// The filters of `ps`.
struct Filters {
    all: BTreeMap<String, Vec<String>>,
    names: Vec<Regex>,
}

impl Filters {
    fn parse(flags: &Flags) -> Result<Self, Failure> {
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in flags.pairs("filter") {
            if ![
                "name", "id", "status", "label", "ancestor", "volume", "network", "exited",
            ]
            .contains(&name.as_str())
            {
                let others = ["before", "since", "publish", "expose", "health", "is-task"];
                return Err(if others.contains(&name.as_str()) {
                    unknown(format!("the filter {name}"))
                } else {
                    said(format!(
                        "Error response from daemon: Invalid filter '{name}'"
                    ))
                });
            }
            all.entry(name).or_default().push(value);
        }
        let names = all.get("name").into_iter().flatten();
        let names = names.map(|name| {
            Regex::new(name).ok().ok_or_else(|| {
                said(format!(
                    "Error response from daemon: invalid filter 'name={name}'"
                ))
            })
        });
        let names = names.collect::<Result<_, _>>()?;
        Ok(Self { all, names })
    }

    fn wants_stopped(&self) -> bool {
        self.all.contains_key("status") || self.all.contains_key("exited")
    }

    fn fit(&self, world: &World, host: HostId, one: &Container) -> bool {
        let named =
            |name: &Regex| name.is_match(&one.name) || name.is_match(&format!("/{}", one.name));
        let any = |filter: &str, fits: &dyn Fn(&str) -> bool| {
            let values = self.all.get(filter);
            values.is_none_or(|values| values.iter().any(|value| fits(value)))
        };
        let wanted = self.all.get("label");
        let has = |label: &String| has_label(&one.spec.labels, label);
        let is_of = |image: &str| {
            let found = world.engine(host).images.find(image);
            found.is_some_and(|local| local.image.id == one.image_id)
        };
        let mounts = |volume: &str| {
            let mut mounts = one.spec.mounts.iter();
            mounts.any(|mount| mount.source == volume || mount.target == volume)
        };
        (self.names.is_empty() || self.names.iter().any(named))
            && any("id", &|id| one.id.starts_with(id))
            && any("status", &|status| one.state.status.name() == status)
            && wanted.is_none_or(|labels| labels.iter().all(has))
            && any("ancestor", &is_of)
            && any("volume", &mounts)
            && any("network", &|name| {
                show::container::networks(one).contains(&name.to_owned())
            })
            && any("exited", &|code| one.state.exit_code.to_string() == code)
    }
}
