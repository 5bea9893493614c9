//! The API over loopback, verified with the CA of the cluster.

use std::io::Cursor;

use http_body_util::BodyExt as _;
use hyper::header;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use standin::password::PasswordHash;
use standin::state::ClusterState;
use tokio_rustls::TlsConnector;

use super::*;
use crate::certificate::{authority, issue};
use crate::fake::Fake;

const PASSWORD: &str = "orca'9 \"$x";

/// A controller on a port of its own.
struct Api {
    address: SocketAddr,
    authority: Identity,
    _fake: Fake,
}

fn engine() -> Fake {
    Fake::start(|request| match request.path.as_str() {
        "/info" => (
            200,
            r#"{"Swarm":{"ControlAvailable":true,"Error":""}}"#.into(),
        ),
        "/nodes" => (200, r#"[{"Status":{"State":"ready"}}]"#.into()),
        _ => (404, r#"{"message":"not found"}"#.into()),
    })
}

fn site(authority: &Identity) -> Site {
    let names = ["127.0.0.1".to_owned(), "mke.lab".to_owned()];
    Site {
        server: issue(authority, "ucp-controller", &names).unwrap(),
        ca: authority.certificate.clone(),
        state: ClusterState {
            authority: authority.clone(),
            sans: vec!["mke.lab".to_owned()],
            username: "admin".to_owned(),
            password: PasswordHash::of(PASSWORD, Seed([1; 32])),
            port: 443,
            uses_external_cert: false,
            has_license: false,
        },
    }
}

impl Api {
    async fn start(fake: Fake) -> Self {
        let authority = authority().unwrap();
        let site = site(&authority);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let engine = fake.engine();
        tokio::spawn(serve_on(listener, engine, site, Seed([2; 32])));
        Self {
            address,
            authority,
            _fake: fake,
        }
    }

    /// Sends a request as a client that trusts only the CA of the cluster.
    async fn send(
        &self,
        name: &str,
        client: Option<&Identity>,
        request: Request<Full<Bytes>>,
    ) -> std::io::Result<(u16, Bytes)> {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_slice(self.authority.certificate.as_bytes());
        roots.add(root.unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = match client {
            None => config.with_no_client_auth(),
            Some(client) => {
                let certificate = CertificateDer::from_pem_slice(client.certificate.as_bytes());
                let key = PrivateKeyDer::from_pem_slice(client.key.as_bytes());
                config
                    .with_client_auth_cert(vec![certificate.unwrap()], key.unwrap())
                    .unwrap()
            }
        };
        let stream = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let stream = TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(std::io::Error::other)?;
        tokio::spawn(connection);
        let answer = sender.send_request(request).await;
        let answer = answer.map_err(std::io::Error::other)?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await;
        Ok((status, body.map_err(std::io::Error::other)?.to_bytes()))
    }

    async fn get(&self, path: &str, token: Option<&str>) -> (u16, Bytes) {
        let mut request = get(path);
        if let Some(token) = token {
            let value = format!("Bearer {token}").parse().unwrap();
            request.headers_mut().insert(header::AUTHORIZATION, value);
        }
        self.send("127.0.0.1", None, request).await.unwrap()
    }

    async fn log_in(&self, password: &str) -> (u16, Value) {
        let body = json!({ "username": "admin", "password": password }).to_string();
        let request = Request::post("/auth/login").body(Full::new(Bytes::from(body)));
        let sent = self.send("127.0.0.1", None, request.unwrap()).await;
        let (status, body) = sent.unwrap();
        (status, serde_json::from_slice(&body).unwrap())
    }
}

fn get(path: &str) -> Request<Full<Bytes>> {
    Request::get(path).body(Full::default()).unwrap()
}

#[tokio::test]
async fn every_name_of_the_certificate_is_good_and_no_other() {
    let api = Api::start(engine()).await;

    for name in ["127.0.0.1", "mke.lab"] {
        let (status, body) = api.send(name, None, get("/_ping")).await.unwrap();
        assert_eq!((status, &body[..]), (200, &b"OK"[..]));
    }
    assert!(api.send("other.lab", None, get("/_ping")).await.is_err());
}

#[tokio::test]
async fn a_silent_or_leaderless_engine_is_not_well() {
    let lost = r#"{"Swarm":{"ControlAvailable":true,"Error":"no leader"}}"#;
    let api = Api::start(Fake::start(move |_| (200, lost.into()))).await;

    assert_eq!(api.get("/_ping", None).await.0, 500);
    let api = Api::start(Fake::start(|_| (500, "broken".into()))).await;
    assert_eq!(api.get("/_ping", None).await.0, 500);
}

#[tokio::test]
async fn the_password_opens_what_is_closed() {
    let api = Api::start(engine()).await;
    assert_eq!(api.get("/nodes", None).await.0, 401);
    assert_eq!(api.log_in("another").await.0, 401);

    let (status, body) = api.log_in(PASSWORD).await;
    assert_eq!(status, 200);
    let token = body["auth_token"].as_str().unwrap();
    let (status, nodes) = api.get("/nodes", Some(token)).await;
    assert_eq!(status, 200);
    let nodes: Value = serde_json::from_slice(&nodes).unwrap();
    assert_eq!(nodes[0]["Status"]["State"], "ready");
    let (status, bundle) = api.get("/api/clientbundle", Some(token)).await;
    assert_eq!((status, &bundle[..2]), (200, &b"PK"[..]));
}

#[tokio::test]
async fn a_bundle_holds_a_certificate_that_opens_the_api() {
    let api = Api::start(engine()).await;
    let (_, body) = api.log_in(PASSWORD).await;
    let token = body["auth_token"].as_str().unwrap();
    let (_, bundle) = api.get("/api/clientbundle", Some(token)).await;
    let mut archive = zip::ZipArchive::new(Cursor::new(bundle)).unwrap();
    let mut read = |name: &str| {
        let mut text = String::new();
        let mut file = archive.by_name(name).unwrap();
        std::io::Read::read_to_string(&mut file, &mut text).unwrap();
        text
    };
    let client = Identity {
        certificate: read("tls/docker/cert.pem"),
        key: read("key.pem"),
    };

    let (status, _) = api
        .send("127.0.0.1", Some(&client), get("/nodes"))
        .await
        .unwrap();

    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    let api = Api::start(engine()).await;
    let stranger = issue(&authority().unwrap(), "admin", &[]).unwrap();

    let refused = api.send("127.0.0.1", Some(&stranger), get("/_ping")).await;

    assert!(refused.is_err());
}

#[tokio::test]
async fn a_path_has_its_methods() {
    let api = Api::start(engine()).await;
    let request = Request::post("/_ping").body(Full::default()).unwrap();

    assert_eq!(api.send("127.0.0.1", None, request).await.unwrap().0, 405);
}

#[tokio::test]
async fn a_request_that_is_too_large_is_refused() {
    let api = Api::start(engine()).await;
    let body = Full::new(Bytes::from(vec![b'x'; wire::LARGEST + 1]));
    let request = Request::post("/auth/login").body(body).unwrap();

    assert_eq!(api.send("127.0.0.1", None, request).await.unwrap().0, 413);
}

#[tokio::test]
async fn a_certificate_that_is_none_is_an_error() {
    let site = Site {
        server: Identity::default(),
        ..site(&authority().unwrap())
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let fake = engine();

    let ended = serve_on(listener, fake.engine(), site, Seed([2; 32])).await;

    let error = ended.unwrap_err();
    assert!(error.contains("server certificate"), "{error}");
}
