//! The HTTPS API of MKE, reached through a host: it works wherever the host can be reached.
//!
//! Every answer is verified with the cluster CA, or with the CA of the external server
//! certificate; there is no way to skip that.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use rig::Host;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

/// The largest answer that is read, in bytes: a listing of 1000 nodes has a few MB.
const LARGEST_ANSWER: usize = 64 << 20;

/// Why a request to MKE failed.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The CA is not PEM.
    #[error("cannot read the CA certificates")]
    Ca(#[source] rustls::pki_types::pem::Error),
    /// The CA cannot be used to verify anything.
    #[error("cannot verify with the CA certificates")]
    Verifier(#[source] rustls::client::VerifierBuilderError),
    /// TLS could not be set up.
    #[error("cannot set up TLS")]
    Setup(#[source] rustls::Error),
    /// The host could not open a connection to the port.
    #[error("cannot reach port {port} on the host")]
    Dial {
        /// The port of the controller.
        port: u16,
        /// The cause.
        #[source]
        source: rig::ConnectionError,
    },
    /// The TLS handshake failed; a wrong certificate is among the causes.
    #[error("the TLS handshake with MKE failed")]
    Handshake(#[source] std::io::Error),
    /// The HTTP exchange failed.
    #[error("the HTTP exchange with MKE failed")]
    Exchange(#[source] hyper::Error),
    /// The answer could not be read to its end.
    #[error("the answer of MKE could not be read")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The request could not be written.
    #[error("the request cannot be made")]
    Request(#[source] hyper::http::Error),
    /// Nothing came back in time.
    #[error("MKE did not answer within {} s", .0.as_secs())]
    TimedOut(Duration),
}

/// An answer of MKE.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// The body.
    pub body: Bytes,
}

/// A client of MKE's API.
#[derive(Debug, Clone)]
pub struct Api {
    tls: Arc<ClientConfig>,
    port: u16,
    /// What requests say that they are sent to.
    authority: String,
}

impl ApiError {
    /// Returns whether the controller has shown a certificate that cannot be trusted.
    pub fn is_untrusted(&self) -> bool {
        let Self::Handshake(error) = self else {
            return false;
        };
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        matches!(inner, Some(rustls::Error::InvalidCertificate(_)))
    }
}

impl Api {
    /// Makes a client that trusts `ca` (PEM), for a controller on `port` whose certificate is made
    /// out to one of `names`.
    ///
    /// # Errors
    ///
    /// Fails where `ca` holds no usable certificate.
    pub fn try_new(ca: &str, names: &[String], port: u16) -> Result<Self, ApiError> {
        let certificates = CertificateDer::pem_slice_iter(ca.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(ApiError::Ca)?;
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates.iter().cloned());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let inner =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .map_err(ApiError::Verifier)?;
        let names = names
            .iter()
            .filter_map(|name| ServerName::try_from(name.clone()).ok())
            .collect();
        let verifier = AnyName {
            inner,
            names,
            trusted: certificates,
        };
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(ApiError::Setup)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Self {
            tls: Arc::new(tls),
            port,
            authority: format!("127.0.0.1:{port}"),
        })
    }

    /// Lets requests say that they are sent to `authority` (`mke.example.com:8443`): MKE writes
    /// that into client bundles as the address of the cluster. A bundle that somebody had fetched
    /// through a tunnel sent `docker` to `tcp://127.0.0.1:8443`.
    #[must_use]
    pub fn addressed_as(mut self, authority: String) -> Self {
        self.authority = authority;
        self
    }

    /// Sends a GET to the controller on `host`.
    ///
    /// # Errors
    ///
    /// Fails where no verified answer comes within `limit`.
    pub async fn get(
        &self,
        host: &Host,
        path: &str,
        token: Option<&str>,
        limit: Duration,
    ) -> Result<Answer, ApiError> {
        let mut request = Request::builder().method(Method::GET).uri(path);
        if let Some(token) = token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        self.send(host, request, Bytes::new(), limit).await
    }

    /// Sends a POST with a JSON body to the controller on `host`.
    ///
    /// # Errors
    ///
    /// Fails where no verified answer comes within `limit`.
    pub async fn post_json(
        &self,
        host: &Host,
        path: &str,
        body: Bytes,
        limit: Duration,
    ) -> Result<Answer, ApiError> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header("Content-Type", "application/json");
        self.send(host, request, body, limit).await
    }

    async fn send(
        &self,
        host: &Host,
        request: hyper::http::request::Builder,
        body: Bytes,
        limit: Duration,
    ) -> Result<Answer, ApiError> {
        let request = request
            .header("Host", &self.authority)
            .header("Connection", "close")
            .body(Full::new(body))
            .map_err(ApiError::Request)?;
        tokio::time::timeout(limit, self.exchange(host, request))
            .await
            .unwrap_or(Err(ApiError::TimedOut(limit)))
    }

    async fn exchange(
        &self,
        host: &Host,
        request: Request<Full<Bytes>>,
    ) -> Result<Answer, ApiError> {
        let port = self.port;
        let stream = host
            .dial("127.0.0.1", port)
            .await
            .map_err(|source| ApiError::Dial { port, source })?;
        let connector = tokio_rustls::TlsConnector::from(Arc::clone(&self.tls));
        let name = ServerName::IpAddress(std::net::IpAddr::from([127, 0, 0, 1]).into());
        let stream = connector
            .connect(name, stream)
            .await
            .map_err(ApiError::Handshake)?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(ApiError::Exchange)?;
        let answer = async {
            let answer = sender
                .send_request(request)
                .await
                .map_err(ApiError::Exchange)?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), LARGEST_ANSWER);
            let body = body.collect().await.map_err(ApiError::Body)?.to_bytes();
            Ok(Answer { status, body })
        };
        let mut answer = std::pin::pin!(answer);
        tokio::select! {
            biased;
            answer = &mut answer => answer,
            // The connection ends by itself after the whole answer, or by an error. An error behind
            // the whole answer is none: a server that closes first has nobody to say goodbye to.
            ended = connection => match (answer.await, ended) {
                (Ok(answer), _) => Ok(answer),
                (Err(error), Ok(())) => Err(error),
                (Err(_), Err(error)) => Err(ApiError::Exchange(error)),
            },
        }
    }
}

/// Accepts a certificate that the CA has signed for any of some names.
///
/// A controller is reached through its own host, under an address that no certificate needs to
/// know; what has to be certain is that it is a controller of this cluster.
#[derive(Debug)]
struct AnyName {
    inner: Arc<WebPkiServerVerifier>,
    names: Vec<ServerName<'static>>,
    trusted: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        // A self-signed server certificate that is trusted as its own root: what
        // `openssl req -x509` makes. webpki refuses it (CaUsedAsEndEntity); it is trusted by value.
        if self.trusted.iter().any(|trusted| trusted == end_entity) {
            return Ok(ServerCertVerified::assertion());
        }
        let mut result = self.inner.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        for name in &self.names {
            if result.is_ok() {
                break;
            }
            result =
                self.inner
                    .verify_server_cert(end_entity, intermediates, name, ocsp_response, now);
        }
        result
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    use rustls::ServerConfig;
    use rustls::pki_types::PrivateKeyDer;
    use tokio_rustls::{TlsAcceptor, TlsConnector};

    use super::*;

    struct Authority {
        pem: String,
        issuer: Issuer<'static, KeyPair>,
    }

    fn authority() -> Authority {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Authority {
            pem: params.self_signed(&key).unwrap().pem(),
            issuer: Issuer::new(params, key),
        }
    }

    fn server(authority: &Authority, name: &str) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &authority.issuer).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }

    /// Shakes hands as a request does.
    async fn shake(api: &Api, server: TlsAcceptor) -> Result<(), ApiError> {
        let (near, far) = tokio::io::duplex(64 << 10);
        let connector = TlsConnector::from(Arc::clone(&api.tls));
        let name = ServerName::IpAddress(std::net::IpAddr::from([127, 0, 0, 1]).into());
        let (client, _) = tokio::join!(connector.connect(name, near), server.accept(far));
        client.map(drop).map_err(ApiError::Handshake)
    }

    #[tokio::test]
    async fn only_a_name_of_the_cluster_signed_by_its_ca_is_trusted() {
        let (ours, theirs) = (authority(), authority());
        let names = ["10.0.0.1".to_owned(), "mke.lab".to_owned()];
        let api = Api::try_new(&ours.pem, &names, 443).unwrap();

        for name in ["mke.lab", "10.0.0.1", "127.0.0.1"] {
            assert!(shake(&api, server(&ours, name)).await.is_ok(), "{name}");
        }
        for stranger in [server(&ours, "other.lab"), server(&theirs, "mke.lab")] {
            let error = shake(&api, stranger).await.unwrap_err();
            assert!(error.is_untrusted(), "{error:?}");
        }
        let silent = ApiError::Handshake(std::io::ErrorKind::UnexpectedEof.into());
        assert!(!silent.is_untrusted());
    }

    #[test]
    fn without_a_ca_there_is_no_client() {
        let nothing = Api::try_new("no certificate", &[], 443);

        assert!(matches!(nothing, Err(ApiError::Verifier(_))), "{nothing:?}");
    }
}
