//! How requests and answers travel: HTTP of `hyper`, TLS of `rustls`. Who serves a controller has
//! the stream, the clock and the limits.

use std::io::{Cursor, Write as _};
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::{Response, StatusCode, header};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use crate::bundle::Entry;
use crate::controller::Site;
use crate::http::{Answer, Body, Request};

/// The largest request that is read, in bytes.
pub const LARGEST: usize = 1 << 20;

/// Sets TLS up: a client may show a certificate, and then it has to be one of the cluster's.
///
/// # Errors
///
/// Fails where a certificate or a key of the site is no good.
pub fn tls(site: &Site) -> Result<ServerConfig, String> {
    let certificates = CertificateDer::pem_slice_iter(site.server.certificate.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("the server certificate cannot be read: {error}"))?;
    let key = PrivateKeyDer::from_pem_slice(site.server.key.as_bytes())
        .map_err(|error| format!("the key of the server certificate cannot be read: {error}"))?;
    let mut roots = RootCertStore::empty();
    let authority = &site.state.authority.certificate;
    let root = CertificateDer::from_pem_slice(authority.as_bytes())
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

/// Reads a request to its end.
///
/// # Errors
///
/// Fails with the answer to a request that is too large, or that breaks off.
pub async fn request(
    request: hyper::Request<Incoming>,
    has_certificate: bool,
) -> Result<Request, Answer> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, LARGEST).collect().await else {
        return Err(Answer::text(413, "the request is too large\n"));
    };
    let header = |name: header::HeaderName| {
        let value = parts.headers.get(name)?.to_str();
        value.ok().map(str::to_owned)
    };
    Ok(Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        host: header(header::HOST),
        authorization: header(header::AUTHORIZATION),
        has_certificate,
        body: body.to_bytes().to_vec(),
    })
}

/// Returns an answer as it is sent.
pub fn response(answer: Answer) -> Response<Full<Bytes>> {
    let (kind, body) = content(answer.body);
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    if let Some(methods) = answer.allow {
        headers.insert(header::ALLOW, header::HeaderValue::from_static(methods));
    }
    response
}

/// Returns the type of a body, and its bytes.
pub fn content(body: Body) -> (&'static str, Vec<u8>) {
    match body {
        Body::Text(text) => ("text/plain; charset=utf-8", text.into_bytes()),
        Body::Json(body) => ("application/json", body),
        Body::Archive(entries) => ("application/zip", pack(&entries).unwrap_or_default()),
    }
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
