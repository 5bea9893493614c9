//! Registries for clients that are no engines of the fleet: TLS of `rustls`, HTTP of `hyper`.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use standin::engine::Identity;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use tokio_rustls::TlsAcceptor;

use super::distribution::{self, Answer, Question};
use super::{Health, Transport, host_and_port};
use crate::engine::mke::certificate;
use crate::engine::{Refusal, enter};
use crate::network::Place;
use crate::world::{Fleet, HostId};

/// The name of the authority that signs for registries.
const AUTHORITY: &str = "Registries of the fleet";
/// Keeps the chance behind certificates apart from the fleet's: whoever asks a registry changes
/// nothing else.
const SEED: u64 = 0x0072_6567_6973_7472;

/// What registries show to clients that are no engines of the fleet.
#[derive(Debug, Default)]
pub(crate) struct Fronts {
    authority: Option<Identity>,
    /// Names besides their own, by which they are reached.
    names: BTreeMap<String, Vec<String>>,
    /// By the names under which images are known.
    tls: BTreeMap<String, Arc<ServerConfig>>,
}

impl Fronts {
    /// Returns the certificate of the authority, made where there is none yet.
    fn authority(&mut self, seed: u64) -> Result<&Identity, Refusal> {
        if self.authority.is_none() {
            let mut rng = SmallRng::seed_from_u64(seed ^ SEED);
            self.authority = Some(certificate::authority(&mut rng, AUTHORITY)?);
        }
        // It was made in the line before.
        Ok(self.authority.get_or_insert_default())
    }

    fn tls(&mut self, domain: &str, seed: u64) -> Result<Arc<ServerConfig>, Refusal> {
        if let Some(tls) = self.tls.get(domain) {
            return Ok(Arc::clone(tls));
        }
        let (host, _) = host_and_port(domain);
        let mut names = vec![host.to_owned()];
        names.extend(self.names.get(domain).into_iter().flatten().cloned());
        let authority = self.authority(seed)?;
        // Each has a key of its own.
        let turn = domain
            .bytes()
            .fold(seed, |sum, byte| sum.rotate_left(8) ^ u64::from(byte));
        let mut rng = SmallRng::seed_from_u64(turn ^ SEED);
        let identity = certificate::issue(&mut rng, authority, AUTHORITY, host, &names)?;
        let tls = Arc::new(settings(&identity).map_err(|text| crate::engine::refusal(500, text))?);
        self.tls.insert(domain.to_owned(), Arc::clone(&tls));
        Ok(tls)
    }
}

fn settings(identity: &Identity) -> Result<ServerConfig, String> {
    let certificates = CertificateDer::pem_slice_iter(identity.certificate.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("the certificate cannot be read: {error}"))?;
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes())
        .map_err(|error| format!("the key cannot be read: {error}"))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be set up: {error}"))?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(|error| format!("the certificate cannot be used: {error}"))
}

/// A registry that somebody has connected to.
#[derive(Clone)]
struct Front {
    fleet: Fleet,
    domain: Arc<str>,
}

/// Connects to a registry as a host would; `None` where nothing listens.
pub(crate) fn dial(fleet: &Fleet, from: HostId, name: &str, port: u16) -> Option<DuplexStream> {
    let domain = fleet.world(|world| {
        let Ok(Place::Site(site)) = world.route(from, name) else {
            return None;
        };
        let mut domains = world.engines.registries.all.keys();
        let domain = domains.find(|domain| host_and_port(domain) == (site.as_str(), port));
        domain.cloned()
    });
    call(fleet, &domain?)
}

/// Connects to the registry under a name; `None` where nothing listens.
fn call(fleet: &Fleet, domain: &str) -> Option<DuplexStream> {
    let seed = fleet.seed();
    let (health, tls) = fleet.world(|world| {
        let registry = world.engines.registries.get(domain)?;
        let (health, transport) = (registry.health, registry.transport);
        let tls = match transport {
            Transport::Plain => None,
            _ => Some(world.engines.fronts.tls(domain, seed).ok()?),
        };
        Some((health, tls))
    })?;
    let (near, far) = tokio::io::duplex(64 << 10);
    let front = Front {
        fleet: fleet.clone(),
        domain: domain.into(),
    };
    match health {
        Health::Refuses => return None,
        // Held until the client has enough of it.
        Health::Silent => drop(tokio::spawn(hold(far))),
        Health::Well | Health::Broken => drop(tokio::spawn(front.connection(far, tls))),
    }
    Some(near)
}

async fn hold(mut stream: DuplexStream) {
    // It takes what it is sent; how that ends is the client's affair.
    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
}

impl Front {
    /// Serves one connection; how it ends is the client's affair.
    async fn connection(self, stream: DuplexStream, tls: Option<Arc<ServerConfig>>) {
        match tls {
            None => self.serve(stream).await,
            Some(tls) => {
                if let Ok(stream) = TlsAcceptor::from(tls).accept(stream).await {
                    self.serve(stream).await;
                }
            }
        }
    }

    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let service = service_fn(move |request| {
            let front = self.clone();
            async move { Ok::<_, Infallible>(front.exchange(request).await) }
        });
        let _ = hyper::server::conn::http1::Builder::new()
            .half_close(true)
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }

    async fn exchange(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (parts, _) = request.into_parts();
        let authorization = parts.headers.get(header::AUTHORIZATION);
        let question = Question {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            authorization: authorization.and_then(|value| value.to_str().ok()),
        };
        let domain = &*self.domain;
        let took = self.fleet.world(|world| {
            let registry = world.engines.registries.get(domain);
            registry.map(|registry| registry.round_trip)
        });
        tokio::time::sleep(took.unwrap_or_default()).await;
        let answer = enter(&self.fleet, |world, _| {
            let registries = &mut world.engines.registries;
            let is_well = registries
                .get(domain)
                .is_some_and(|one| one.health == Health::Well);
            is_well.then(|| distribution::answer(registries, domain, &question))
        });
        response(answer.unwrap_or_else(|| Answer {
            status: 503,
            headers: Vec::new(),
            body: b"Service Unavailable\n".to_vec(),
        }))
    }
}

fn response(answer: Answer) -> Response<Full<Bytes>> {
    // To HEAD, `hyper` sends the length alone.
    let mut response = Response::new(Full::new(Bytes::from(answer.body)));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if let Ok(value) = header::HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

impl Fleet {
    /// Returns the registries, by the names under which images are known.
    pub fn registries(&self) -> Vec<String> {
        self.world(|world| world.engines.registries.all.keys().cloned().collect())
    }

    /// Lets a registry be reached by one more name or address: its certificate has it.
    pub(crate) fn name_registry(&self, domain: &str, name: String) {
        self.world(|world| {
            let fronts = &mut world.engines.fronts;
            fronts.tls.remove(domain);
            fronts
                .names
                .entry(domain.to_owned())
                .or_default()
                .push(name);
        });
    }

    /// Returns the certificate of the authority that signs for registries, in PEM.
    ///
    /// # Errors
    ///
    /// Fails where the crypto library does, with what it says.
    pub fn registry_authority(&self) -> Result<String, String> {
        let seed = self.seed();
        self.world(|world| {
            let authority = world.engines.fronts.authority(seed);
            let authority = authority.map_err(|refusal| refusal.message)?;
            Ok(authority.certificate.clone())
        })
    }

    /// Connects to a registry from outside; `None` where nothing listens.
    pub(crate) fn call_registry(&self, domain: &str) -> Option<DuplexStream> {
        call(self, domain)
    }
}
