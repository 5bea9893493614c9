//! The HTTP API on the socket of an engine, for who speaks it without the docker command.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value as Json;

use super::show;
use super::swarm::membership::{self, Request as Join};
use super::swarm::node::AVAILABILITIES;
use super::swarm::objects::Kind;
use super::swarm::{Settings, managed};
use super::value::{Value, map};
use super::{Refusal, enter, lifecycle, refusal};
use crate::world::{Fleet, HostId, World};

/// A request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    /// `GET`, `POST`, …
    pub(crate) method: String,
    /// The path with its query.
    pub(crate) target: String,
    /// The body.
    pub(crate) body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Response {
    /// The status.
    pub(crate) status: u16,
    /// The type of the body.
    pub(crate) content_type: &'static str,
    /// The body.
    pub(crate) body: Vec<u8>,
}

/// How long an engine takes to answer.
const TAKES: Duration = Duration::from_millis(15);

/// How long nothing happens where an engine hangs, before it is looked at again.
const HANGS: Duration = Duration::from_secs(1);

impl Response {
    fn json(status: u16, value: &Value) -> Self {
        let mut body = value.json();
        body.push('\n');
        Self {
            status,
            content_type: "application/json",
            body: body.into_bytes(),
        }
    }

    fn text(text: &str) -> Self {
        Self {
            status: 200,
            content_type: "text/plain; charset=utf-8",
            body: text.as_bytes().to_vec(),
        }
    }

    fn refused(refusal: &Refusal) -> Self {
        let message = map! { "message": &refusal.message };
        Self::json(refusal.status.unwrap_or(500), &message)
    }
}

/// Sends a request to the engine of a host. There is no answer where no engine listens; one that
/// hangs does not answer.
pub(crate) async fn send(fleet: &Fleet, host: HostId, request: &Request) -> Option<Response> {
    wait_while_it_hangs(fleet, host).await;
    tokio::time::sleep(TAKES).await;
    let (path, query) = taken_apart(&request.target);
    let (took, response) = enter(fleet, |world, now| {
        if !world.engine(host).is_running {
            return None;
        }
        let at_once = |response| Some((Duration::ZERO, response));
        match (request.method.as_str(), path.as_str()) {
            ("GET" | "HEAD", _) => at_once(get(world, host, &request.target, now)),
            ("POST", "/swarm/join") => Some(join(world, host, &request.body, now)),
            ("POST", "/swarm/init") => Some(init(world, host, &request.body, now)),
            ("POST", "/swarm/leave") => {
                let is_forced = query.get("force").is_some_and(|value| is_true(value));
                Some(match membership::leave(world, host, is_forced, now) {
                    Ok(took) => (took, Response::text("")),
                    Err(refusal) => (Duration::ZERO, Response::refused(&refusal)),
                })
            }
            (method, path) => {
                let what = format!("{method} {path} of the engine's API");
                world.note_not_simulated(host, "dockerd", &what);
                let message = format!("dockerd: not simulated: {what}");
                at_once(Response::refused(&refusal(501, message)))
            }
        }
    })?;
    tokio::time::sleep(took).await;
    Some(response)
}

/// Waits while an engine hangs.
pub(crate) async fn wait_while_it_hangs(fleet: &Fleet, host: HostId) {
    while fleet.world(|world| world.engine(host).is_running && world.engine(host).hangs) {
        tokio::time::sleep(HANGS).await;
    }
}

fn is_true(value: &str) -> bool {
    matches!(value, "1" | "true" | "True")
}

/// Takes a target apart: the path without the version of the API, and the query.
fn taken_apart(target: &str) -> (String, BTreeMap<String, String>) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = match path
        .strip_prefix("/v1.")
        .and_then(|rest| rest.split_once('/'))
    {
        Some((version, rest)) if version.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("/{rest}")
        }
        _ => path.to_owned(),
    };
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let query = pairs.map(|(name, value)| (name.to_owned(), decoded(value)));
    (path, query.collect())
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes.get(at + 1..at + 3);
        let code = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match (
            bytes[at],
            code.and_then(|code| u8::from_str_radix(code, 16).ok()),
        ) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (b'+', _) => {
                out.push(b' ');
                at += 1;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Answers what only looks.
pub(crate) fn get(world: &mut World, host: HostId, target: &str, now: Duration) -> Response {
    let (path, query) = taken_apart(target);
    match look(world, host, &path, &query, now) {
        Ok(Some(value)) => match value {
            Value::Text(text) => Response::text(&text),
            value => Response::json(200, &value),
        },
        Ok(None) => {
            let what = format!("GET {path} of the engine's API");
            world.note_not_simulated(host, "dockerd", &what);
            Response::refused(&refusal(501, format!("dockerd: not simulated: {what}")))
        }
        Err(refusal) => Response::refused(&refusal),
    }
}

/// The values of a filter of a query: `{"name":{"ucp":true}}` or `{"name":["ucp"]}`.
fn filter(query: &BTreeMap<String, String>, name: &str) -> Vec<String> {
    let text = query.get("filters").map(String::as_str).unwrap_or_default();
    match serde_json::from_str::<Json>(text)
        .ok()
        .and_then(|all| all.get(name).cloned())
    {
        Some(Json::Object(values)) => values.keys().cloned().collect(),
        Some(Json::Array(values)) => {
            let values = values.iter().filter_map(Json::as_str);
            values.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

fn look(
    world: &World,
    host: HostId,
    path: &str,
    query: &BTreeMap<String, String>,
    now: Duration,
) -> Result<Option<Value>, Refusal> {
    let engine = world.engine(host);
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    Ok(Some(match parts.as_slice() {
        ["_ping"] => Value::from("OK"),
        ["version"] => show::info::version(world, host),
        ["info"] => show::info::info(world, host, now),
        ["containers", "json"] => {
            let shows_all = query.get("all").is_some_and(|value| is_true(value));
            let names = filter(query, "name");
            let containers = engine.containers.values();
            let wanted = containers.filter(|one| {
                (shows_all || one.state.status.is_alive())
                    && (names.is_empty() || names.iter().any(|name| one.name.contains(name)))
            });
            wanted
                .map(|one| show::container::summary(world, host, one, now))
                .collect()
        }
        ["containers", name, "json"] => {
            show::container::inspect(world, host, lifecycle::find(world, host, name)?)
        }
        ["images", "json"] => engine
            .images
            .iter()
            .map(show::local::image_summary)
            .collect(),
        ["volumes"] => {
            let volumes = engine.volumes.values();
            let volumes: Value = volumes
                .map(|one| show::local::volume(world, host, one))
                .collect();
            map! { "Volumes": volumes, "Warnings": Value::Null }
        }
        ["networks"] => {
            let networks = engine.networks.values();
            networks
                .map(|one| show::local::network(world, host, one))
                .collect()
        }
        ["swarm"] => {
            let swarm = world.swarm(managed(world, host)?);
            show::info::cluster(world, host, swarm)
        }
        ["nodes" | "services" | "tasks" | "configs", ..] => {
            return in_swarm(world, host, &parts, query, now);
        }
        _ => return Ok(None),
    }))
}

fn in_swarm(
    world: &World,
    host: HostId,
    parts: &[&str],
    query: &BTreeMap<String, String>,
    now: Duration,
) -> Result<Option<Value>, Refusal> {
    let swarm = world.swarm(managed(world, host)?);
    let names = filter(query, "name");
    Ok(Some(match parts {
        ["nodes"] => {
            let nodes = swarm.nodes.values();
            nodes
                .map(|node| show::swarm::node(world, host, swarm, node, now))
                .collect()
        }
        ["nodes", id] => show::swarm::node(world, host, swarm, swarm.find_node(id)?, now),
        ["services"] => {
            let services = swarm.services.values().filter(|one| {
                names.is_empty() || names.iter().any(|name| one.spec.name.starts_with(name))
            });
            services
                .map(|service| show::swarm::service(world, host, service))
                .collect()
        }
        ["services", id] => show::swarm::service(world, host, swarm.find_service(id)?),
        ["tasks"] => {
            let services = filter(query, "service");
            let mut ids = Vec::new();
            for service in &services {
                ids.push(swarm.find_service(service)?.id.clone());
            }
            let tasks = swarm.tasks.values();
            let wanted = tasks.filter(|task| ids.is_empty() || ids.contains(&task.service));
            wanted
                .map(|task| show::swarm::task(world, host, task))
                .collect()
        }
        ["configs"] => {
            let configs = swarm.configs.values();
            configs
                .map(|one| show::swarm::object(world, host, Kind::Config, one))
                .collect()
        }
        _ => return Ok(None),
    }))
}

fn text(body: &Json, name: &str) -> String {
    body[name].as_str().unwrap_or_default().to_owned()
}

fn parsed(body: &[u8]) -> Result<(Json, Join), Refusal> {
    let body: Json = serde_json::from_slice(body)
        .map_err(|error| refusal(400, format!("invalid JSON: {error}")))?;
    let availability = text(&body, "Availability");
    let remotes = body["RemoteAddrs"].as_array().into_iter().flatten();
    let request = Join {
        advertise: text(&body, "AdvertiseAddr"),
        listen: text(&body, "ListenAddr"),
        remotes: remotes
            .filter_map(|one| one.as_str().map(str::to_owned))
            .collect(),
        token: text(&body, "JoinToken"),
        availability: AVAILABILITIES
            .iter()
            .find(|(name, _)| *name == availability)
            .map(|(_, one)| *one),
    };
    Ok((body, request))
}

fn join(world: &mut World, host: HostId, body: &[u8], now: Duration) -> (Duration, Response) {
    let request = match parsed(body) {
        Ok((_, request)) => request,
        Err(refusal) => return (Duration::ZERO, Response::refused(&refusal)),
    };
    let (took, result) = membership::join(world, host, &request, now);
    match result {
        Ok(()) => (took, Response::text("")),
        Err(refusal) => (took, Response::refused(&refusal)),
    }
}

fn init(world: &mut World, host: HostId, body: &[u8], now: Duration) -> (Duration, Response) {
    let made = parsed(body)
        .and_then(|(_, request)| membership::init(world, host, &request, Settings::default(), now));
    match made {
        Ok((node, took)) => (took, Response::json(200, &Value::from(node))),
        Err(refusal) => (Duration::ZERO, Response::refused(&refusal)),
    }
}
