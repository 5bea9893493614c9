//! `inspect`, of everything.

use std::time::Duration;

use super::flags::{Flag, Flags};
use super::listing::{fill, template};
use super::{Docker, Outcome, said, some};
use crate::engine::show;
use crate::engine::swarm::managed;
use crate::engine::swarm::objects::Kind;
use crate::engine::value::Value;
use crate::engine::{Refusal, lifecycle, refusal};
use crate::world::{HostId, World};

/// The kinds, in the order in which they are tried.
const KINDS: &[&str] = &[
    "container",
    "image",
    "network",
    "volume",
    "service",
    "task",
    "node",
    "secret",
    "config",
];

impl Docker<'_> {
    /// Shows things of a kind, or of the first kind that has one of that name.
    pub(super) async fn inspect(&mut self, words: &[&str], kind: Option<&str>) -> Outcome {
        let known = [
            Flag::value("format").short('f'),
            Flag::value("type"),
            Flag::switch("size").short('s'),
        ];
        let flags = Flags::parse(&known, words)?;
        some(&flags, "inspect")?;
        let kind = kind.or(flags.value("type")).map(str::to_owned);
        if let Some(kind) = kind.as_deref().filter(|kind| !KINDS.contains(kind)) {
            return Err(said(format!("\"{kind}\" is not a valid value for --type")));
        }
        let major = show::info::major(&self.client_version());
        // Before version 23, `json` was a text like any other.
        let is_json = flags.value("format") == Some("json") && major >= 23;
        let format = flags.value("format").filter(|_| !is_json);
        let format = format.map(template).transpose()?;
        let (mut found, mut problems) = (Vec::new(), Vec::new());
        for name in &flags.rest {
            let value = self
                .engine(|world, host, now| {
                    Ok(match &kind {
                        Some(kind) => look(world, host, kind, name, now)
                            .map_err(|refusal| missing(kind, name, &refusal, major)),
                        None => {
                            let mut kinds = KINDS.iter();
                            let found =
                                kinds.find_map(|kind| look(world, host, kind, name, now).ok());
                            found.ok_or_else(|| format!("Error: No such object: {name}"))
                        }
                    })
                })
                .await?;
            match value {
                Ok(value) => found.push(value),
                Err(problem) => problems.push(problem),
            }
        }
        match format {
            None if is_json => {
                let text = Value::List(found).json();
                self.invocation.print(&format!("{text}\n"));
            }
            None => {
                let text = Value::List(found).pretty();
                self.invocation.print(&format!("{text}\n"));
            }
            Some(_) if found.is_empty() => self.invocation.print("\n"),
            Some(format) => {
                for value in &found {
                    let text = fill(&format, value).inspect_err(|_| self.invocation.print("\n"))?;
                    self.invocation.print(&format!("{text}\n"));
                }
            }
        }
        if problems.is_empty() {
            return Ok(0);
        }
        let text = problems.join("\n");
        // Commands of the swarm wrapped what was not there, before version 23.
        let wraps = kind
            .is_some_and(|kind| ["node", "service", "config", "secret"].contains(&kind.as_str()));
        Err(said(match wraps && major < 23 {
            true => format!("Status: {text}, Code: 1"),
            false => text,
        }))
    }
}

/// Says that something is not there: the command did so itself before version 25.
fn missing(kind: &str, name: &str, refusal: &Refusal, major: u32) -> String {
    if refusal.is_missing() && major < 23 && kind == "service" {
        return format!("Error: no such service: {name}");
    }
    if refusal.is_missing() && major < 25 {
        return format!("Error: No such {kind}: {name}");
    }
    format!("Error response from daemon: {}", refusal.message)
}

/// Returns the document of a thing.
pub(super) fn look(
    world: &World,
    host: HostId,
    kind: &str,
    name: &str,
    now: Duration,
) -> Result<Value, Refusal> {
    match kind {
        "container" => {
            let found = lifecycle::find(world, host, name)?;
            Ok(show::container::inspect(world, host, found))
        }
        "image" => super::image::find(world, host, name).map(show::local::image),
        "network" => {
            let networks = &world.engine(host).networks;
            let found = networks.get(name).or_else(|| {
                networks
                    .values()
                    .find(|one| !name.is_empty() && one.id.starts_with(name))
            });
            let missing = || refusal(404, format!("network {name} not found"));
            found
                .map(|one| show::local::network(world, host, one))
                .ok_or_else(missing)
        }
        "volume" => {
            let found = world.engine(host).volumes.get(name);
            let missing = || refusal(404, format!("get {name}: no such volume"));
            found
                .map(|one| show::local::volume(world, host, one))
                .ok_or_else(missing)
        }
        "node" => {
            let swarm = world.swarm(managed(world, host)?);
            let own = world.engine(host).membership.as_ref();
            let name = match (name, own) {
                ("self", Some(own)) => own.node.as_str(),
                (name, _) => name,
            };
            let node = swarm.find_node(name)?;
            Ok(show::swarm::node(world, host, swarm, node, now))
        }
        "service" => {
            let swarm = world.swarm(managed(world, host)?);
            Ok(show::swarm::service(world, host, swarm.find_service(name)?))
        }
        "task" => {
            let swarm = world.swarm(managed(world, host)?);
            let found = swarm.tasks.get(name);
            let missing = || refusal(404, format!("task {name} not found"));
            found
                .map(|one| show::swarm::task(world, host, one))
                .ok_or_else(missing)
        }
        "config" | "secret" => {
            let kind = if kind == "config" {
                Kind::Config
            } else {
                Kind::Secret
            };
            let swarm = world.swarm(managed(world, host)?);
            let found = kind.find(swarm, name)?;
            Ok(show::swarm::object(world, host, kind, &found))
        }
        kind => Err(refusal(400, format!("unknown type {kind}"))),
    }
}
