//! `run`, `create`.

use std::collections::BTreeMap;

use super::flags::{Flag, Flags};
use super::{Docker, Failure, Outcome, said, unknown, usage};
use crate::engine::container::{Container, Mount, MountKind, Restart, Spec};
use crate::engine::disk::cannot;
use crate::engine::image::Reference;
use crate::engine::{lifecycle, names};

const RUN: &[Flag] = &[
    Flag::switch("detach").short('d'),
    Flag::switch("interactive").short('i'),
    Flag::switch("tty").short('t'),
    Flag::switch("rm"),
    Flag::value("name"),
    Flag::value("label").short('l'),
    Flag::value("env").short('e'),
    Flag::value("env-file"),
    Flag::value("volume").short('v'),
    Flag::value("mount"),
    Flag::value("network"),
    Flag::value("net"),
    Flag::value("restart"),
    Flag::value("entrypoint"),
    Flag::switch("privileged"),
    Flag::value("security-opt"),
    Flag::value("pid"),
    Flag::value("hostname").short('h'),
    Flag::value("workdir").short('w'),
    Flag::value("user").short('u'),
    Flag::value("pull"),
    Flag::value("publish").short('p'),
    Flag::value("log-driver"),
    Flag::value("log-opt"),
    Flag::value("cap-add"),
    Flag::value("memory").short('m'),
    Flag::switch("quiet").short('q'),
    Flag::switch("init"),
];

/// A failure before a container runs has a status of its own.
fn before(failure: Failure) -> Failure {
    match failure {
        Failure::Said(text, 1) => {
            let text = text.replacen(
                "Error response from daemon",
                "docker: Error response from daemon",
                1,
            );
            // The command ends a sentence that has no end.
            let text = text.trim_end_matches('.');
            Failure::Said(format!("{text}.\nSee 'docker run --help'."), 125)
        }
        other => other,
    }
}

impl Docker<'_> {
    /// `docker run`.
    pub(super) async fn run(&mut self, words: &[&str]) -> Outcome {
        let (flags, spec) = self.read_run("run", words).await?;
        if flags.has("tty") {
            self.needs_terminal(&flags)?;
            return Err(unknown("a terminal (-t)"));
        }
        let is_open = spec.has_input;
        let id = self.make(&flags, spec).await.map_err(before)?;
        if flags.has("detach") {
            let started = self
                .engine(|world, host, now| lifecycle::start(world, host, &id, now))
                .await;
            self.or_unstarted(&id, started).await?;
            self.invocation.print(&format!("{id}\n"));
            return Ok(0);
        }
        self.attach_from_start(&id, is_open).await
    }

    /// Fails where a terminal is asked for, and the input is none.
    pub(super) fn needs_terminal(&self, flags: &Flags) -> Result<(), Failure> {
        let has_terminal = self.invocation.stdin.as_terminal().is_some();
        match flags.has("interactive") && !has_terminal {
            true => Err(said("the input device is not a TTY")),
            false => Ok(()),
        }
    }

    /// Says why a container could not be started; one that removes itself is gone then.
    async fn or_unstarted<T>(
        &mut self,
        id: &str,
        started: Result<T, Failure>,
    ) -> Result<T, Failure> {
        let failure = match started {
            Ok(started) => return Ok(started),
            Err(failure) => failure,
        };
        self.engine(|world, host, now| {
            let container = world.engine(host).containers.get(id);
            match container.is_some_and(|one| one.spec.removes_itself) {
                true => lifecycle::remove(world, host, id, lifecycle::Removal::default(), now),
                false => Ok(()),
            }
        })
        .await?;
        Err(match failure {
            Failure::Said(text, _) => {
                let status = match lifecycle::refusal_status(&text) {
                    128 => 125,
                    status => status,
                };
                Failure::Said(format!("docker: {}.", text.trim_end_matches('.')), status)
            }
            other => other,
        })
    }

    /// Shows what a container prints. One that removes itself is read before it is gone.
    async fn attach_from_start(&mut self, id: &str, is_open: bool) -> Outcome {
        let removes = self
            .engine(|world, host, _| {
                let container = world.engine_mut(host).containers.get_mut(id);
                Ok(container.is_some_and(|one| std::mem::take(&mut one.spec.removes_itself)))
            })
            .await?;
        let outcome = self.start_attached(id, is_open).await;
        if removes && outcome.is_err() {
            self.engine(|world, host, _| {
                let change = |one: &mut Container| one.spec.removes_itself = true;
                lifecycle::change(world, host, id, change);
                Ok(())
            })
            .await?;
        }
        let outcome = self.or_unstarted(id, outcome).await;
        if removes && outcome.is_ok() {
            let how = lifecycle::Removal {
                is_forced: true,
                with_volumes: true,
            };
            self.engine(
                |world, host, now| match lifecycle::remove(world, host, id, how, now) {
                    // Somebody else was faster.
                    Err(refusal) if refusal.is_missing() => Ok(()),
                    result => result,
                },
            )
            .await?;
        }
        outcome
    }

    /// `docker create`.
    pub(super) async fn create(&mut self, words: &[&str]) -> Outcome {
        let (flags, spec) = self.read_run("create", words).await?;
        let id = self.make(&flags, spec).await?;
        self.invocation.print(&format!("{id}\n"));
        Ok(0)
    }

    async fn read_run(&mut self, command: &str, words: &[&str]) -> Result<(Flags, Spec), Failure> {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        let flags = Flags::parse_until_word(RUN, &words)?;
        let Some((image, arguments)) = flags.rest.split_first() else {
            return Err(usage(command, "requires at least 1 argument"));
        };
        let restart = flags.value("restart").unwrap_or("no");
        let restart = Restart::parse(restart).ok_or_else(|| {
            Failure::Said(
                format!(
                    "docker: Error response from daemon: invalid restart policy: unknown policy \
                     '{restart}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'.\n\
                     See 'docker run --help'."
                ),
                125,
            )
        })?;
        if flags.has("rm") && restart != Restart::No {
            let text = "docker: Conflicting options: --restart and --rm.\nSee 'docker run --help'.";
            return Err(Failure::Said(text.to_owned(), 125));
        }
        let entrypoint = flags.value("entrypoint").map(|word| vec![word.to_owned()]);
        let spec = Spec {
            image: image.clone(),
            entrypoint,
            command: arguments.to_vec(),
            environment: self.environment(&flags).await?,
            labels: flags.pairs("label").into_iter().collect::<BTreeMap<_, _>>(),
            mounts: self.mounts(&flags)?,
            network: flags
                .value("network")
                .or(flags.value("net"))
                .unwrap_or("default")
                .to_owned(),
            restart,
            host_name: flags.value("hostname").map(str::to_owned),
            user: flags.value("user").unwrap_or_default().to_owned(),
            directory: flags.value("workdir").unwrap_or_default().to_owned(),
            is_privileged: flags.has("privileged"),
            security: flags.all("security-opt"),
            pid_mode: flags.value("pid").unwrap_or_default().to_owned(),
            has_terminal: flags.has("tty"),
            has_input: flags.has("interactive"),
            removes_itself: flags.has("rm"),
            ports: published(&flags)?,
        };
        Ok((flags, spec))
    }

    async fn environment(&mut self, flags: &Flags) -> Result<Vec<String>, Failure> {
        let mut environment = Vec::new();
        for file in flags.all("env-file") {
            let text = self.env_file(&file).await?;
            for line in text.lines().map(str::trim_start) {
                if !line.is_empty() && !line.starts_with('#') {
                    environment.extend(self.variable_line(line));
                }
            }
        }
        for pair in flags.all("env") {
            environment.extend(self.variable_line(&pair));
        }
        Ok(environment)
    }

    /// Returns a pair: of a name alone, with the value that the command itself has.
    fn variable_line(&self, text: &str) -> Option<String> {
        if text.contains('=') {
            return Some(text.to_owned());
        }
        let value = self.invocation.variable(text)?;
        Some(format!("{text}={value}"))
    }

    async fn env_file(&mut self, file: &str) -> Result<String, Failure> {
        if ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"].contains(&file) {
            let bytes = self.invocation.read_input().await;
            return Ok(String::from_utf8_lossy(&bytes).into_owned());
        }
        let path = self.invocation.path(file);
        let who = self.invocation.credentials.clone();
        let read = self.invocation.host(|host| host.files.read(&path, &who));
        match read {
            Ok(content) => Ok(content.text().into_owned()),
            Err(errno) => {
                let problem = cannot(&format!("docker: open {file}"), errno);
                let text = format!("{problem}.\nSee 'docker run --help'.");
                Err(Failure::Said(text, 125))
            }
        }
    }

    fn mounts(&mut self, flags: &Flags) -> Result<Vec<Mount>, Failure> {
        let mut mounts = Vec::new();
        for text in flags.all("volume") {
            let parts: Vec<&str> = text.split(':').collect();
            let anonymous = self
                .invocation
                .world(|world| names::hex(&mut world.rng, 32));
            let (source, target, mode) = match parts.as_slice() {
                [target] => (anonymous.as_str(), *target, ""),
                [source, target] => (*source, *target, ""),
                [source, target, mode] => (*source, *target, *mode),
                _ => {
                    let text = format!(
                        "docker: Error response from daemon: invalid volume specification: \
                         '{text}'.\nSee 'docker run --help'."
                    );
                    return Err(Failure::Said(text, 125));
                }
            };
            mounts.push(Mount {
                kind: if source.starts_with('/') {
                    MountKind::Bind
                } else {
                    MountKind::Volume
                },
                source: source.to_owned(),
                target: target.to_owned(),
                is_read_only: mode.split(',').any(|word| word == "ro"),
            });
        }
        for text in flags.all("mount") {
            mounts.push(mount(&text)?);
        }
        Ok(mounts)
    }

    /// Makes a container; an image that is not there is pulled first.
    async fn make(&mut self, flags: &Flags, spec: Spec) -> Result<String, Failure> {
        let pull = flags.value("pull").unwrap_or("missing");
        if !["missing", "always", "never"].contains(&pull) {
            return Err(unknown(format!("--pull {pull}")));
        }
        let name = flags.value("name").map(str::to_owned);
        let reference = Reference::parse(&spec.image).map_err(|text| {
            Failure::Said(format!("docker: {text}.\nSee 'docker run --help'."), 125)
        })?;
        let image = spec.image.clone();
        let is_there = self
            .engine(|world, host, _| Ok(world.engine(host).images.find(&image).is_some()))
            .await?;
        if pull == "always" || !is_there && pull == "missing" {
            if pull == "missing" {
                self.invocation
                    .complain(&format!("Unable to find image '{reference}' locally"));
            }
            let (text, _) = self.fetch(&reference).await?;
            self.invocation.complain(&text);
        }
        self.engine(|world, host, now| lifecycle::create(world, host, name.as_deref(), spec, now))
            .await
    }
}

fn published(flags: &Flags) -> Result<Vec<(String, String)>, Failure> {
    let ports = flags.all("publish").into_iter();
    ports
        .map(|text| match text.rsplit_once(':') {
            Some((outer, inner)) => Ok((
                outer.rsplit(':').next().unwrap_or(outer).to_owned(),
                inner.to_owned(),
            )),
            None => Err(unknown("a port that the engine chooses")),
        })
        .collect()
}

/// Reads the value of `--mount`.
pub(super) fn mount(text: &str) -> Result<Mount, Failure> {
    let mut mount = Mount {
        kind: MountKind::Volume,
        source: String::new(),
        target: String::new(),
        is_read_only: false,
    };
    for part in text.split(',') {
        let (name, value) = part.split_once('=').unwrap_or((part, "true"));
        match name {
            "type" => {
                mount.kind = match value {
                    "bind" => MountKind::Bind,
                    "volume" => MountKind::Volume,
                    "tmpfs" => MountKind::Tmpfs,
                    other => return Err(unknown(format!("a mount of type {other}"))),
                }
            }
            "source" | "src" => value.clone_into(&mut mount.source),
            "target" | "dst" | "destination" => value.clone_into(&mut mount.target),
            "readonly" | "ro" => mount.is_read_only = value != "false",
            other => return Err(unknown(format!("{other} of a mount"))),
        }
    }
    if mount.target.is_empty() {
        let text = format!("invalid argument \"{text}\" for \"--mount\" flag: target is required");
        return Err(match said(text) {
            Failure::Said(text, _) => Failure::Said(text, 125),
            other => other,
        });
    }
    Ok(mount)
}
