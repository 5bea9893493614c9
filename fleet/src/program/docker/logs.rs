//! `logs`, and what those see who are attached.

use super::flags::{Flag, Flags};
use super::{Docker, Outcome, only, said};
use crate::engine::container::{Container, Line, Stream};
use crate::engine::process::{self, Attached};
use crate::engine::{lifecycle, names};
use crate::pipe::{Reader, Writer, pipe};
use crate::world::{HostId, World};

/// How much is passed on at a time.
const PIECE: usize = 64 << 10;

const LOGS: &[Flag] = &[
    Flag::switch("follow").short('f'),
    Flag::switch("timestamps").short('t'),
    Flag::value("tail").short('n'),
    Flag::value("since"),
];

impl Docker<'_> {
    /// `docker logs`.
    pub(super) async fn logs(&mut self, words: &[&str]) -> Outcome {
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
        self.until_ended(id).await
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
        let end = if line.is_whole { "\n" } else { "" };
        let text = match time {
            Some(time) => format!("{time} {}{end}", line.text),
            None => format!("{}{end}", line.text),
        };
        match line.stream {
            Stream::Out => self.invocation.print(&text),
            Stream::Error => self.invocation.print_error(&text),
        }
    }

    /// Starts a container and shows what it prints until it has ended; returns its exit status.
    /// `is_open` is whether it reads the standard input.
    pub(super) async fn start_attached(&mut self, name: &str, is_open: bool) -> Outcome {
        let (stdout, out) = pipe();
        let (stderr, error) = pipe();
        let stdin = match is_open {
            true => self.invocation.stdin.clone(),
            false => Reader::null(),
        };
        let streams = Attached {
            stdin,
            stdout,
            stderr,
        };
        let (id, is_program) = self
            .engine(|world, host, now| {
                let id = lifecycle::find(world, host, name)?.id.clone();
                let key = (host, id.clone());
                let is_program = process::is_program(world, host, &id);
                if is_program {
                    world.engines.attached.insert(key.clone(), streams);
                }
                let started = lifecycle::start(world, host, &id, now);
                world.engines.attached.remove(&key);
                started.map(|()| (id, is_program))
            })
            .await?;
        if !is_program {
            return self.attach(&id).await;
        }
        self.invocation.flush().await;
        let (own, errors) = (&self.invocation.stdout, &self.invocation.stderr);
        tokio::join!(pass_on(&out, own), pass_on(&error, errors));
        self.until_ended(&id).await
    }

    /// Waits until a container has ended; returns its exit status.
    pub(super) async fn until_ended(&mut self, id: &str) -> Outcome {
        loop {
            let state = self
                .engine(|world, host, _| {
                    let container = world.engine(host).containers.get(id);
                    Ok(container.map(|one| (one.state.status.is_alive(), one.state.exit_code)))
                })
                .await?;
            match state {
                Some((true, _)) => self.wait().await,
                Some((false, status)) => return Ok(status),
                None => return Ok(0),
            }
        }
    }
}

/// Passes on what comes, as long as somebody takes it.
async fn pass_on(from: &Reader, to: &Writer) {
    loop {
        let piece = from.read(PIECE).await.unwrap_or_default();
        if piece.is_empty() || to.write(&piece).await.is_err() {
            return;
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
