//! `rm`, `stop`, `wait`, …

use std::time::Duration;

use super::flags::{Flag, Flags};
use super::{Docker, Failure, Outcome, only, said, some, unknown, usage};
use crate::engine::container::Restart;
use crate::engine::lifecycle::{self, Removal};
use crate::engine::{process, show};
use crate::process::Signal;

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
    "search",
    "stack",
    "trust",
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
            "stats" => self.stats(rest).await,
            "top" => self.top(rest).await,
            "update" => self.update_containers(rest).await,
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

    async fn start(&mut self, words: &[&str]) -> Outcome {
        let known = [
            Flag::switch("attach").short('a'),
            Flag::switch("interactive").short('i'),
        ];
        let flags = Flags::parse(&known, words)?;
        some(&flags, "start")?;
        if flags.has("attach") {
            let name = only(&flags, "start")?.to_owned();
            return self.start_attached(&name, flags.has("interactive")).await;
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
            let stopped = match self.stop_one(name, grace).await {
                Ok(()) if word == "restart" => {
                    self.engine(|world, host, now| lifecycle::start(world, host, name, now))
                        .await
                }
                stopped => stopped,
            };
            match stopped {
                Ok(()) => self.invocation.print(&format!("{name}\n")),
                Err(failure) => status = self.tell(failure)?,
            }
        }
        Ok(status)
    }

    /// Asks a container to end, and ends it where it does not within a time.
    async fn stop_one(&mut self, name: &str, grace: Duration) -> Result<(), Failure> {
        let (id, is_program, took, code) = self
            .engine(|world, host, _| {
                let id = lifecycle::find(world, host, name)?.id.clone();
                let is_program = process::is_program(world, host, &id);
                let took = lifecycle::time_to_end(world, host, &id, grace);
                let code = lifecycle::exit_by_term(world, host, &id);
                if is_program {
                    lifecycle::change(world, host, &id, |one| one.state.was_stopped = true);
                    process::signal(world, host, &id, Signal::TERM.0);
                }
                Ok((id, is_program, took, code))
            })
            .await?;
        let code = match is_program {
            false => {
                self.invocation.sleep(took).await;
                code
            }
            true => {
                let ended = tokio::time::timeout(grace, self.until_ended(&id)).await;
                // After a time, what does not listen is killed.
                if ended.is_ok() { 0 } else { 137 }
            }
        };
        self.engine(|world, host, now| lifecycle::end(world, host, &id, code, now))
            .await
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

    /// `docker update`: only of the policy by which it is started again.
    async fn update_containers(&mut self, words: &[&str]) -> Outcome {
        let flags = Flags::parse(&[Flag::value("restart")], words)?;
        some(&flags, "update")?;
        let policy = flags
            .value("restart")
            .map(|text| (text, Restart::parse(text)));
        let policy = match policy {
            None => {
                return Err(said(
                    "You must provide one or more flags when using this command.",
                ));
            }
            Some((text, None)) => return Err(said(format!("invalid restart policy {text}"))),
            Some((_, Some(policy))) => policy,
        };
        self.each(&flags.rest, |world, host, _, name| {
            let id = lifecycle::find(world, host, name)?.id.clone();
            lifecycle::change(world, host, &id, |one| one.spec.restart = policy);
            Ok(name.to_owned())
        })
        .await
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
