//! The HTTPS API of controllers: `standin` says what is answered.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use standin::command::Seed;
use standin::controller::{Controller, Handling, Question, Site, Told};
use standin::engine::{Action, Identity};
use standin::http::Answer;
use standin::wire;
use tokio::io::DuplexStream;
use tokio_rustls::TlsAcceptor;

use super::{certificate, view};
use crate::engine::container::Status;
use crate::engine::{api, around, enter};
use crate::world::{Fleet, HostId, World};

/// How long an exchange takes that needs a look at the engine.
const TAKES: Duration = Duration::from_millis(40);

/// What a controller serves.
pub(super) struct Serving {
    controller: Controller,
    site: Site,
    /// When its port is open.
    ready: Duration,
    tls: Option<Arc<ServerConfig>>,
}

impl Serving {
    /// Sets a site up.
    pub(super) fn new(site: Site, seed: Seed, ready: Duration) -> Self {
        Self {
            controller: Controller::new(site.clone(), seed),
            site,
            ready,
            tls: None,
        }
    }
}

/// A controller that listens.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Listener {
    host: HostId,
    container: String,
    is_held: bool,
}

/// Returns the host that an address leads to from another.
fn target(world: &World, from: HostId, address: &str) -> Option<HostId> {
    let is_local = address == "localhost" || address == "::1" || address.starts_with("127.");
    let target = if is_local {
        Some(from)
    } else {
        around::host_with(world, from, address)
    };
    target.filter(|&to| around::is_connected(world, from, to))
}

fn listener(world: &World, host: HostId, port: u16, now: Duration) -> Option<Listener> {
    let first = (host, String::new());
    let actors = world.engines.actors.all.range(first..);
    for ((_, id), actor) in actors.take_while(|((of, _), _)| *of == host) {
        let Some(serving) = &actor.serving else {
            continue;
        };
        let status = world.engine(host).containers.get(id)?.state.status;
        if serving.site.state.port == port && serving.ready <= now && status.is_alive() {
            return Some(Listener {
                host,
                container: id.clone(),
                is_held: status == Status::Paused,
            });
        }
    }
    None
}

/// Returns the ports on which controllers of a host listen.
pub(crate) fn ports(world: &World, host: HostId, now: Duration) -> Vec<u16> {
    let first = (host, String::new());
    let actors = world.engines.actors.all.range(first..);
    let own = actors.take_while(|((of, _), _)| *of == host);
    own.filter_map(|(_, actor)| actor.serving.as_ref())
        .filter(|serving| serving.ready <= now)
        .map(|serving| serving.site.state.port)
        .collect()
}

fn with<T>(
    world: &mut World,
    listener: &Listener,
    work: impl FnOnce(&mut Serving) -> T,
) -> Option<T> {
    let key = (listener.host, listener.container.clone());
    let actor = world.engines.actors.all.get_mut(&key)?;
    actor.serving.as_mut().map(work)
}

/// Answers a request to a controller, without the cost of TLS. Where nothing listens there is no
/// answer; a controller that is held does not answer before it is let go.
pub(crate) async fn https(
    fleet: &Fleet,
    from: HostId,
    address: &str,
    port: u16,
    request: standin::http::Request,
) -> Result<Answer, String> {
    let found = enter(fleet, |world, now| {
        let target = target(world, from, address)?;
        listener(world, target, port, now)
    });
    let Some(listener) = found else {
        return Err("Connection refused".to_owned());
    };
    hold(fleet, &listener).await;
    tokio::time::sleep(TAKES).await;
    let answer = enter(fleet, |world, now| handle(world, &listener, &request, now));
    answer.ok_or_else(|| "Connection reset by peer".to_owned())
}

/// Lets the controller under an address answer a request from a host, at once; also returns its host.
pub(crate) fn ask(
    world: &mut World,
    from: HostId,
    address: &str,
    port: u16,
    request: &standin::http::Request,
    now: Duration,
) -> Option<(Answer, HostId)> {
    let target = target(world, from, address)?;
    let listener = listener(world, target, port, now).filter(|one| !one.is_held)?;
    let answer = handle(world, &listener, request, now)?;
    Some((answer, target))
}

/// Returns whether the controller of a host answers that it is well.
pub(crate) fn is_well(world: &mut World, host: HostId, port: u16, now: Duration) -> bool {
    if !around::is_up(world, host) {
        return false;
    }
    let Some(listener) = listener(world, host, port, now).filter(|one| !one.is_held) else {
        return false;
    };
    let request = standin::http::Request {
        method: "GET".to_owned(),
        path: "/_ping".to_owned(),
        ..standin::http::Request::default()
    };
    handle(world, &listener, &request, now).is_some_and(|answer| answer.status == 200)
}

/// Waits while a controller is held.
async fn hold(fleet: &Fleet, listener: &Listener) {
    loop {
        let is_held = enter(fleet, |world, _| {
            let containers = &world.engine(listener.host).containers;
            let found = containers.get(&listener.container);
            found.is_some_and(|one| one.state.status == Status::Paused)
        });
        if !is_held {
            return;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Lets a controller answer.
fn handle(
    world: &mut World,
    listener: &Listener,
    request: &standin::http::Request,
    now: Duration,
) -> Option<Answer> {
    let host = world.hosts.get(listener.host.0)?;
    if let Some(wrong) = host.api_answers.get(&request.path) {
        return Some(Answer::text(wrong.status, wrong.text.as_str()));
    }
    let handling = with(world, listener, |serving| serving.controller.begin(request))?;
    match handling {
        Handling::Answer(answer) => Some(answer),
        Handling::Ask(question) => {
            let told = find_out(world, listener, &question, now);
            with(world, listener, |serving| {
                serving.controller.finish(&question, told)
            })
        }
    }
}

fn find_out(world: &mut World, listener: &Listener, question: &Question, now: Duration) -> Told {
    let host = listener.host;
    match question {
        Question::Certificate(_) => {
            let action = with(world, listener, |one| one.controller.user_certificate());
            match action {
                Some(Action::Issue {
                    authority,
                    common_name,
                    names,
                }) => {
                    let made = certificate::issue(
                        &mut world.rng,
                        &authority,
                        certificate::AUTHORITY,
                        &common_name,
                        &names,
                    );
                    made.map_or_else(Told::Refused, Told::Identity)
                }
                _ => Told::Identity(Identity::default()),
            }
        }
        _ if !world.engine(host).is_answering() => Told::Refused(view::silent()),
        Question::Health => Told::Swarm(view::swarm(world, host)),
        Question::Engine(path) => {
            let answer = api::get(world, host, path, now);
            Told::Engine {
                status: answer.status,
                body: answer.body,
            }
        }
    }
}

/// Connects to a controller: where one listens, the other end serves TLS and HTTP.
///
/// Nothing listens where there is no stream.
pub(crate) fn dial(fleet: &Fleet, from: HostId, address: &str, port: u16) -> Option<DuplexStream> {
    let (listener, tls) = enter(fleet, |world, now| {
        let target = target(world, from, address)?;
        let listener = listener(world, target, port, now)?;
        let tls = with(world, &listener, |serving| {
            if serving.tls.is_none() {
                serving.tls = wire::tls(&serving.site).ok().map(Arc::new);
            }
            serving.tls.clone()
        });
        Some((listener, tls??))
    })?;
    let (near, far) = tokio::io::duplex(64 << 10);
    let fleet = fleet.clone();
    tokio::spawn(connection(fleet, listener, tls, far));
    Some(near)
}

/// Serves one connection; how it ends is the client's affair.
async fn connection(
    fleet: Fleet,
    listener: Listener,
    tls: Arc<ServerConfig>,
    stream: DuplexStream,
) {
    hold(&fleet, &listener).await;
    let Ok(stream) = TlsAcceptor::from(tls).accept(stream).await else {
        return;
    };
    let has_certificate = stream.get_ref().1.peer_certificates().is_some();
    let service = service_fn(move |request| {
        let (fleet, listener) = (fleet.clone(), listener.clone());
        async move { Ok::<_, Infallible>(exchange(&fleet, &listener, request, has_certificate).await) }
    });
    let _ = hyper::server::conn::http1::Builder::new()
        // Who has closed his half is answered, as by the server of Go 1.26 (`net/http`).
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn exchange(
    fleet: &Fleet,
    listener: &Listener,
    request: Request<Incoming>,
    has_certificate: bool,
) -> Response<Full<Bytes>> {
    let request = match wire::request(request, has_certificate).await {
        Ok(request) => request,
        Err(answer) => return wire::response(answer),
    };
    hold(fleet, listener).await;
    tokio::time::sleep(TAKES).await;
    let answer = enter(fleet, |world, now| handle(world, listener, &request, now));
    wire::response(answer.unwrap_or_else(|| Answer::text(502, "the controller is gone\n")))
}
