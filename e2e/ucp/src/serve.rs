//! The HTTPS API of a controller: `standin` says what is answered.

use std::convert::Infallible;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use standin::command::Seed;
use standin::controller::{Controller, Handling, Question, Site, Told};
use standin::engine::{Identity, Reply};
use standin::wire;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::engine::Engine;
use crate::{act, view};

/// How long a client may take for its handshake, and between requests.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long the engine may take to say that it is well; probes give up after 5 s.
const HEALTH: Duration = Duration::from_secs(4);

/// What all connections share.
struct Server {
    engine: Engine,
    controller: Mutex<Controller>,
    acceptor: TlsAcceptor,
}

/// Serves a site on its port.
///
/// # Errors
///
/// Fails where the port is taken or the certificate is no good.
pub(crate) async fn forever(engine: Engine, site: Site, seed: Seed) -> Result<Infallible, String> {
    let port = site.state.port;
    let listener = match TcpListener::bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))).await {
        Ok(listener) => listener,
        // A host without IPv6.
        Err(_) => TcpListener::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)))
            .await
            .map_err(|error| format!("unable to listen on port {port}: {error}"))?,
    };
    serve_on(listener, engine, site, seed).await
}

async fn serve_on(
    listener: TcpListener,
    engine: Engine,
    site: Site,
    seed: Seed,
) -> Result<Infallible, String> {
    let config = wire::tls(&site)?;
    let server = Arc::new(Server {
        engine,
        controller: Mutex::new(Controller::new(site, seed)),
        acceptor: TlsAcceptor::from(Arc::new(config)),
    });
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connection(Arc::clone(&server), stream));
            }
            // The client is gone already, or there are too many: neither is for long.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Serves one connection; how it ends is the client's affair.
async fn connection(server: Arc<Server>, stream: TcpStream) {
    let handshake = tokio::time::timeout(PATIENCE, server.acceptor.accept(stream));
    let Ok(Ok(stream)) = handshake.await else {
        return;
    };
    let has_certificate = stream.get_ref().1.peer_certificates().is_some();
    let service = service_fn(move |request| {
        let server = Arc::clone(&server);
        async move { Ok::<_, Infallible>(server.handle(request, has_certificate).await) }
    });
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

impl Server {
    async fn handle(
        &self,
        request: Request<Incoming>,
        has_certificate: bool,
    ) -> Response<Full<Bytes>> {
        let request = match wire::request(request, has_certificate).await {
            Ok(request) => request,
            Err(answer) => return wire::response(answer),
        };
        let handling = self.controller().begin(&request);
        wire::response(match handling {
            Handling::Answer(answer) => answer,
            Handling::Ask(question) => {
                let told = self.find_out(&question).await;
                self.controller().finish(&question, told)
            }
        })
    }

    fn controller(&self) -> std::sync::MutexGuard<'_, Controller> {
        self.controller
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn find_out(&self, question: &Question) -> Told {
        let told = match question {
            Question::Health => view::membership(&self.engine.within(HEALTH))
                .await
                .map(Told::Swarm),
            Question::Engine(path) => {
                let request = crate::engine::request(Method::GET, path, None);
                match request {
                    Ok(request) => self.engine.send(request).await.map(|answer| Told::Engine {
                        status: answer.status,
                        body: answer.body.to_vec(),
                    }),
                    Err(refusal) => Err(refusal),
                }
            }
            Question::Certificate(_) => {
                let action = self.controller().user_certificate();
                act::carry_out(&self.engine, action)
                    .await
                    .map(|reply| match reply {
                        Reply::Identity(identity) => Told::Identity(identity),
                        Reply::Done | Reply::File(_) => Told::Identity(Identity::default()),
                    })
            }
        };
        told.unwrap_or_else(Told::Refused)
    }
}

#[cfg(test)]
#[path = "serve_tests.rs"]
mod tests;
