//! `service`.

use std::time::Duration;

use super::flags::{Flag, Flags};
use super::listing::{Listing, capital, has_label};
use super::run::mount;
use super::{Docker, Failure, Outcome, only, said, some, unknown, usage};
use crate::engine::image::{Reference, without_digest};
use crate::engine::swarm::service::{self, RESTARTS, Rolling, Service, Spec, Task};
use crate::engine::swarm::{Swarm, managed};
use crate::engine::value::{Value, map};
use crate::engine::{names, pull};

const COLUMNS: &[(&str, &str)] = &[
    ("ID", "ID"),
    ("Name", "NAME"),
    ("Mode", "MODE"),
    ("Replicas", "REPLICAS"),
    ("Image", "IMAGE"),
    ("Ports", "PORTS"),
];

/// The columns of tasks.
pub(super) const TASKS: &[(&str, &str)] = &[
    ("ID", "ID"),
    ("Name", "NAME"),
    ("Image", "IMAGE"),
    ("Node", "NODE"),
    ("DesiredState", "DESIRED STATE"),
    ("CurrentState", "CURRENT STATE"),
    ("Error", "ERROR"),
    ("Ports", "PORTS"),
];

const CREATE: &[Flag] = &[
    Flag::value("name"),
    Flag::value("mode"),
    Flag::value("replicas"),
    Flag::value("label").short('l'),
    Flag::value("container-label"),
    Flag::value("env").short('e'),
    Flag::value("mount"),
    Flag::value("network"),
    Flag::value("constraint"),
    Flag::value("restart-condition"),
    Flag::value("restart-delay"),
    Flag::value("update-parallelism"),
    Flag::value("update-delay"),
    Flag::value("update-order"),
    Flag::value("entrypoint"),
    Flag::switch("detach").short('d'),
    Flag::switch("quiet").short('q'),
    Flag::switch("with-registry-auth"),
];

const UPDATE: &[Flag] = &[
    Flag::value("image"),
    Flag::value("replicas"),
    Flag::value("label-add"),
    Flag::value("label-rm"),
    Flag::value("env-add"),
    Flag::value("constraint-add"),
    Flag::value("constraint-rm"),
    Flag::value("args"),
    Flag::value("update-parallelism"),
    Flag::value("update-delay"),
    Flag::value("update-order"),
    Flag::switch("force"),
    Flag::switch("detach").short('d'),
    Flag::switch("quiet").short('q'),
    Flag::switch("with-registry-auth"),
];

impl Docker<'_> {
    /// Commands of services.
    pub(super) async fn service(&mut self, words: &[&str]) -> Outcome {
        match words {
            ["ls" | "list", rest @ ..] => self.list_services(rest).await,
            ["inspect", rest @ ..] => self.inspect(rest, Some("service")).await,
            ["ps", rest @ ..] => self.tasks_of_services(rest).await,
            ["create", rest @ ..] => self.create_service(rest).await,
            ["update", rest @ ..] => self.update_service(rest).await,
            ["scale", rest @ ..] => self.scale(rest).await,
            ["rm" | "remove", rest @ ..] => {
                let flags = Flags::parse(&[], rest)?;
                some(&flags, "service rm")?;
                self.each(&flags.rest, |world, host, now, name| {
                    let swarm = managed(world, host)?;
                    service::remove(world, swarm, name, now).map(|()| name.to_owned())
                })
                .await
            }
            [word, ..] => Err(unknown(format!("the command service {word}"))),
            [] => Err(unknown("the help of service")),
        }
    }

    async fn list_services(&mut self, words: &[&str]) -> Outcome {
        let known = [
            Flag::switch("quiet").short('q'),
            Flag::value("filter").short('f'),
            Flag::value("format"),
        ];
        let flags = Flags::parse(&known, words)?;
        let filters = flags.filters(&["name", "id", "label", "mode"])?;
        let rows = self
            .engine(|world, host, now| {
                let swarm = world.swarm(managed(world, host)?);
                let mut found: Vec<&Service> = swarm
                    .services
                    .values()
                    .filter(|one| filters.iter().all(|(name, value)| fits(one, name, value)))
                    .collect();
                found.sort_by(|one, other| one.spec.name.cmp(&other.spec.name));
                let rows = found.into_iter().map(|one| {
                    let (running, wanted) = swarm.replicas(one, now);
                    map! {
                        "ID": names::short(&one.id),
                        "Name": &one.spec.name,
                        "Mode": mode(one),
                        "Replicas": format!("{running}/{wanted}"),
                        "Image": without_digest(&one.spec.image),
                        "Ports": "",
                    }
                });
                Ok(rows.collect::<Vec<_>>())
            })
            .await?;
        let listing = Listing {
            columns: COLUMNS,
            rows,
            key: "ID",
        };
        self.list(listing, &flags)
    }

    async fn tasks_of_services(&mut self, words: &[&str]) -> Outcome {
        let known = [
            Flag::switch("quiet").short('q'),
            Flag::switch("no-trunc"),
            Flag::value("filter").short('f'),
            Flag::value("format"),
        ];
        let flags = Flags::parse(&known, words)?;
        some(&flags, "service ps")?;
        let filters = flags.filters(&["desired-state"])?;
        let rows = self
            .engine(|world, host, now| {
                let swarm = world.swarm(managed(world, host)?);
                let mut rows = Vec::new();
                for name in &flags.rest {
                    let id = swarm.find_service(name)?.id.clone();
                    let of_service = swarm.tasks.values().filter(|task| task.service == id);
                    let mut tasks: Vec<&Task> = of_service
                        .filter(|task| filters.iter().all(|(_, value)| value == desired(task)))
                        .collect();
                    tasks.sort_by_key(|task| (task.slot, std::cmp::Reverse(task.created)));
                    rows.extend(
                        tasks
                            .into_iter()
                            .map(|task| task_row(swarm, task, now, &flags)),
                    );
                }
                Ok(rows)
            })
            .await;
        let rows = match rows {
            Err(Failure::Said(text, status)) => {
                // The command looks for the names itself.
                let text = match text.strip_prefix("Error: No such service: ") {
                    Some(name) => format!("no such service: {name}"),
                    None => text,
                };
                return Err(Failure::Said(text, status));
            }
            other => other?,
        };
        let listing = Listing {
            columns: TASKS,
            rows,
            key: "ID",
        };
        self.list(listing, &flags)
    }

    async fn create_service(&mut self, words: &[&str]) -> Outcome {
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        let flags = Flags::parse_until_word(CREATE, &words)?;
        let mut spec = self.spec(&flags)?;
        spec.image = self.with_digest(spec.image).await?;
        let id = self
            .engine(|world, host, now| {
                let swarm = managed(world, host)?;
                service::create(world, swarm, spec, now)
            })
            .await?;
        self.invocation.print(&format!("{id}\n"));
        self.converge(&id, &flags).await
    }

    fn spec(&self, flags: &Flags) -> Result<Spec, Failure> {
        let Some((image, arguments)) = flags.rest.split_first() else {
            return Err(usage("service create", "requires at least 1 argument"));
        };
        let replicas = match (
            flags.value("mode").unwrap_or("replicated"),
            flags.value("replicas"),
        ) {
            ("global", None) => None,
            ("global", Some(_)) => {
                return Err(said(
                    "replicas can only be used with replicated or replicated-job mode",
                ));
            }
            ("replicated", count) => Some(number(count.unwrap_or("1"))?),
            (mode, _) => return Err(unknown(format!("the mode {mode}"))),
        };
        let name = flags.value("name").map(str::to_owned).unwrap_or_else(|| {
            self.invocation
                .world(|world| names::container_name(&mut world.rng))
        });
        let condition = flags.value("restart-condition").unwrap_or("any");
        let restart = RESTARTS.iter().find(|(known, _)| *known == condition);
        let restart = restart.ok_or_else(|| {
            said(format!(
                "invalid argument \"{condition}\" for \"--restart-condition\" flag"
            ))
        })?;
        let mounts = flags.all("mount");
        Ok(Spec {
            name,
            labels: flags.pairs("label").into_iter().collect(),
            image: image.clone(),
            command: flags.all("entrypoint"),
            arguments: arguments.to_vec(),
            environment: flags.all("env"),
            container_labels: flags.pairs("container-label").into_iter().collect(),
            mounts: mounts
                .iter()
                .map(|text| mount(text))
                .collect::<Result<_, _>>()?,
            networks: flags.all("network"),
            replicas,
            constraints: flags.all("constraint"),
            restart: restart.1,
            restart_delay: match flags.value("restart-delay") {
                Some(text) => span(text)?,
                None => Duration::from_secs(5),
            },
            update: rolling(flags, Rolling::default())?,
            force: 0,
        })
    }

    async fn update_service(&mut self, words: &[&str]) -> Outcome {
        let flags = Flags::parse(UPDATE, words)?;
        let name = only(&flags, "service update")?.to_owned();
        let replicas = flags.value("replicas").map(number).transpose()?;
        let old = self
            .engine(|world, host, _| {
                let swarm = world.swarm(managed(world, host)?);
                Ok(swarm.find_service(&name)?.spec.clone())
            })
            .await?;
        let update = rolling(&flags, old.update)?;
        let image = match flags.value("image") {
            Some(image) => Some(self.with_digest(image.to_owned()).await?),
            None => None,
        };
        let id = self
            .engine(|world, host, now| {
                let swarm = managed(world, host)?;
                let change = |spec: &mut Spec| {
                    change(spec, &flags, replicas, update);
                    if let Some(image) = image {
                        spec.image = image;
                    }
                };
                service::update(world, swarm, &name, change, now)
            })
            .await?;
        self.invocation.print(&format!("{name}\n"));
        self.converge(&id, &flags).await
    }

    /// Asks the registry for the digest of an image, so that all nodes run the same one. Without an
    /// answer the name goes as it is.
    async fn with_digest(&mut self, image: String) -> Result<String, Failure> {
        let Ok(reference) = Reference::parse(&image) else {
            return Ok(image);
        };
        if reference.digest.is_some() {
            return Ok(image);
        }
        let login = self.login_for(&reference.domain);
        let found = self
            .engine(|world, host, _| Ok(pull::digest(world, host, &reference, login.as_ref())))
            .await?;
        match found {
            Ok((digest, took)) => {
                self.invocation.sleep(took).await;
                Ok(format!("{reference}@{digest}"))
            }
            Err(trouble) => {
                self.invocation.sleep(trouble.took).await;
                self.invocation.complain(&format!(
                    "image {reference} could not be accessed on a registry to record\nits digest. \
                     Each node will access {reference} independently,\npossibly leading to \
                     different nodes running different\nversions of the image.\n\n"
                ));
                Ok(image)
            }
        }
    }

    async fn scale(&mut self, words: &[&str]) -> Outcome {
        let flags = Flags::parse(&[Flag::switch("detach").short('d')], words)?;
        some(&flags, "service scale")?;
        for word in flags.rest.clone() {
            let Some((name, count)) = word.split_once('=') else {
                return Err(said(format!(
                    "invalid scale specifier '{word}'. See 'docker service scale --help'."
                )));
            };
            let count = number(count)?;
            let id = self
                .engine(|world, host, now| {
                    let swarm = managed(world, host)?;
                    service::update(world, swarm, name, |spec| spec.replicas = Some(count), now)
                })
                .await?;
            self.invocation
                .print(&format!("{name} scaled to {count}\n"));
            self.converge(&id, &flags).await?;
        }
        Ok(0)
    }

    /// Waits until as many tasks run as there should be.
    async fn converge(&mut self, id: &str, flags: &Flags) -> Outcome {
        if flags.has("detach") {
            return Ok(0);
        }
        loop {
            let (running, wanted, is_updating) = self
                .engine(|world, host, now| {
                    let swarm = world.swarm(managed(world, host)?);
                    let service = swarm.find_service(id)?;
                    let (running, wanted) = swarm.replicas(service, now);
                    let update = service.update.as_ref();
                    let is_updating = update.is_some_and(|one| one.completed.is_none());
                    Ok((running, wanted, is_updating))
                })
                .await?;
            if running >= wanted && !is_updating {
                break;
            }
            self.wait().await;
        }
        if !flags.has("quiet") {
            let text = format!("overall progress: done\nverify: Service {id} converged\n");
            self.invocation.print(&text);
        }
        Ok(0)
    }
}

fn change(spec: &mut Spec, flags: &Flags, replicas: Option<u64>, update: Rolling) {
    if replicas.is_some() {
        spec.replicas = replicas;
    }
    if let Some(arguments) = flags.value("args") {
        spec.arguments = arguments.split_whitespace().map(str::to_owned).collect();
    }
    spec.labels.extend(flags.pairs("label-add"));
    for label in flags.all("label-rm") {
        spec.labels.remove(&label);
    }
    for pair in flags.all("env-add") {
        let name = pair.split('=').next().unwrap_or_default().to_owned() + "=";
        spec.environment.retain(|old| !old.starts_with(&name));
        spec.environment.push(pair);
    }
    spec.constraints.extend(flags.all("constraint-add"));
    let gone = flags.all("constraint-rm");
    spec.constraints.retain(|one| !gone.contains(one));
    if flags.has("force") {
        spec.force += 1;
    }
    spec.update = update;
}

fn rolling(flags: &Flags, old: Rolling) -> Result<Rolling, Failure> {
    Ok(Rolling {
        parallelism: match flags.value("update-parallelism") {
            Some(text) => usize::try_from(number(text)?).unwrap_or(usize::MAX),
            None => old.parallelism,
        },
        delay: match flags.value("update-delay") {
            Some(text) => span(text)?,
            None => old.delay,
        },
        starts_first: match flags.value("update-order") {
            Some(text) => text == "start-first",
            None => old.starts_first,
        },
        ..old
    })
}

fn number(text: &str) -> Result<u64, Failure> {
    let parsed = text.parse();
    parsed
        .ok()
        .ok_or_else(|| Failure::Said(format!("invalid argument \"{text}\": invalid syntax"), 125))
}

/// Reads a time like `10s`, `1m30s`, `500ms`.
fn span(text: &str) -> Result<Duration, Failure> {
    let bad = || Failure::Said(format!("invalid duration {text:?}"), 125);
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest
            .find(|one: char| !one.is_ascii_digit() && one != '.')
            .ok_or_else(bad)?;
        let value: f64 = rest[..digits].parse().ok().ok_or_else(bad)?;
        let after = &rest[digits..];
        let unit = after
            .find(|one: char| one.is_ascii_digit())
            .unwrap_or(after.len());
        let seconds = match &after[..unit] {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(bad()),
        };
        total += Duration::from_secs_f64(value * seconds);
        rest = &after[unit..];
    }
    Ok(total)
}

fn mode(service: &Service) -> &'static str {
    match service.spec.replicas {
        Some(_) => "replicated",
        None => "global",
    }
}

fn fits(service: &Service, filter: &str, value: &str) -> bool {
    match filter {
        "name" => service.spec.name.starts_with(value),
        "id" => service.id.starts_with(value),
        "mode" => mode(service) == value,
        _ => has_label(&service.spec.labels, value),
    }
}

fn desired(task: &Task) -> &'static str {
    if task.should_run && !task.state.is_over() {
        "running"
    } else {
        "shutdown"
    }
}

/// Returns a task as listings show it.
pub(super) fn task_row(swarm: &Swarm, task: &Task, now: Duration, flags: &Flags) -> Value {
    let is_whole = flags.has("no-trunc");
    let service = swarm.services.get(&task.service);
    let service = service.map_or(task.service.as_str(), |service| service.spec.name.as_str());
    let node = task.node.as_ref().and_then(|id| swarm.nodes.get(id));
    let age = names::span(now.saturating_sub(task.since));
    let state = format!("{} {} ago", capital(task.state.name()), age.to_lowercase());
    let error = match task.error.as_str() {
        "" => String::new(),
        error if is_whole || error.len() <= 27 => format!("\"{error}\""),
        error => format!("\"{}…\"", error.chars().take(26).collect::<String>()),
    };
    map! {
        "ID": if is_whole { task.id.clone() } else { names::short(&task.id) },
        "Name": task.short_name(service),
        "Image": if is_whole { &task.image } else { without_digest(&task.image) },
        "Node": node.map(|node| node.host_name.clone()).unwrap_or_default(),
        "DesiredState": capital(desired(task)),
        "CurrentState": state,
        "Error": error,
        "Ports": "",
    }
}
