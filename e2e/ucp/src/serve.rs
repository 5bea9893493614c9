//! The HTTPS API of a controller: `standin` says what is answered.

use std::convert::Infallible;
use std::io::{Cursor, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use standin::bundle::Entry;
use standin::command::Seed;
use standin::controller::{Controller, Handling, Question, Site, Told};
use standin::engine::{Identity, Reply};
use standin::http::{Answer, Body};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::engine::Engine;
use crate::{act, view};

/// The largest request that is read, in bytes.
const LARGEST: usize = 1 << 20;

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
    let config = tls(&site.server, &site.state.authority.certificate)?;
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

/// Sets TLS up: a client may show a certificate, and then it has to be one of the cluster's.
fn tls(server: &Identity, ca: &str) -> Result<ServerConfig, String> {
    let certificates = CertificateDer::pem_slice_iter(server.certificate.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("the server certificate cannot be read: {error}"))?;
    let key = PrivateKeyDer::from_pem_slice(server.key.as_bytes())
        .map_err(|error| format!("the key of the server certificate cannot be read: {error}"))?;
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(ca.as_bytes())
        .map_err(|error| format!("the CA of the cluster cannot be read: {error}"))?;
    roots
        .add(root)
        .map_err(|error| format!("the CA of the cluster cannot be used: {error}"))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let clients =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()
            .map_err(|error| format!("clients cannot be verified: {error}"))?;
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))?
        .with_client_cert_verifier(clients)
        .with_single_cert(certificates, key)
        .map_err(|error| format!("the server certificate cannot be used: {error}"))
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
        let (parts, body) = request.into_parts();
        let Ok(body) = Limited::new(body, LARGEST).collect().await else {
            return response(Answer::text(413, "the request is too large\n"));
        };
        let authorization = parts.headers.get(header::AUTHORIZATION);
        let request = standin::http::Request {
            method: parts.method.as_str().to_owned(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().map(str::to_owned),
            authorization: authorization
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned),
            has_certificate,
            body: body.to_bytes().to_vec(),
        };
        let handling = self.controller().begin(&request);
        response(match handling {
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
            Question::Certificate => {
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

fn response(answer: Answer) -> Response<Full<Bytes>> {
    let (kind, body) = match answer.body {
        Body::Text(text) => ("text/plain; charset=utf-8", text.into_bytes()),
        Body::Json(body) => ("application/json", body),
        Body::Archive(entries) => ("application/zip", pack(&entries).unwrap_or_default()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = hyper::StatusCode::from_u16(answer.status)
        .unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    if let Some(methods) = answer.allow {
        headers.insert(header::ALLOW, header::HeaderValue::from_static(methods));
    }
    response
}

/// Packs the files of a bundle.
fn pack(entries: &[Entry]) -> zip::result::ZipResult<Vec<u8>> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .unix_permissions(0o600);
    for entry in entries {
        writer.start_file(entry.path.as_str(), options)?;
        writer.write_all(entry.content.as_bytes())?;
    }
    Ok(writer.finish()?.into_inner())
}

#[cfg(test)]
#[path = "serve_tests.rs"]
mod tests;
