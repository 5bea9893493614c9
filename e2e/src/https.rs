//! HTTPS to one address with one root of trust, for the registry and the managers' API.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;

/// How long connecting, and one answer, may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// Whose certificates are believed.
#[derive(Clone)]
pub(crate) struct Trust(Arc<ClientConfig>);

impl Trust {
    /// Believes only what the first certificate of a PEM text has signed.
    pub(crate) fn only(pem: &str) -> Result<Self> {
        let ca = CertificateDer::from_pem_slice(pem.as_bytes())
            .context("the text holds no certificate")?;
        let mut roots = RootCertStore::empty();
        roots
            .add(ca)
            .context("the certificate cannot be a root of trust")?;
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .context("no version of TLS is available")?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }
}

/// A connection.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    /// Connects to an address, expecting a certificate for a host name or IP address.
    pub(crate) async fn open(address: SocketAddr, host: &str, trust: &Trust) -> Result<Self> {
        let connecting = async {
            let stream = tokio::net::TcpStream::connect(address)
                .await
                .with_context(|| format!("cannot reach {address}"))?;
            let name = ServerName::try_from(host.to_owned()).context("not a host name")?;
            let stream = TlsConnector::from(trust.0.clone())
                .connect(name, stream)
                .await
                .with_context(|| format!("no trusted certificate for `{host}` at {address}"))?;
            let (sender, connection) = handshake(TokioIo::new(stream))
                .await
                .with_context(|| format!("{address} speaks no HTTP"))?;
            // Ends with its sender; what went wrong in it shows in the answers.
            tokio::spawn(connection);
            Ok(Self { sender })
        };
        tokio::time::timeout(DEADLINE, connecting)
            .await
            .with_context(|| format!("{address} does not finish a TLS handshake"))?
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>> {
        let path = request.uri().path().to_owned();
        let answering = async {
            self.sender
                .ready()
                .await
                .context("the connection is closed")?;
            let (parts, body) = self.sender.send_request(request).await?.into_parts();
            let body = body
                .collect()
                .await
                .context("the answer ended early")?
                .to_bytes();
            Ok::<_, anyhow::Error>(Response::from_parts(parts, body))
        };
        tokio::time::timeout(DEADLINE, answering)
            .await
            .with_context(|| format!("no answer to `{path}` in time"))?
            .with_context(|| format!("no answer to `{path}`"))
    }
}
