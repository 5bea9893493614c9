//! Registries, by a client of HTTPS that knows nothing of the fleet.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::house::{House, Plan};

const LAB: &str = "registry.example.com";

fn house() -> House {
    House::with(Plan {
        prepare: Box::new(|fleet| fleet.add_private_registry(LAB, "u", "p")),
        ..Plan::default()
    })
}

fn address(house: &House, domain: &str) -> SocketAddr {
    let mut registries = house.doors.registries().iter();
    let found = registries.find(|one| one.domain == domain);
    found.unwrap().address
}

/// Asks over a stream for a path; returns the whole answer.
async fn get<S>(house: &House, stream: S, name: &str, path: &str, header: &str) -> String
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let authority = house.fleet.registry_authority().unwrap();
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{header}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // Some servers end without a word of TLS.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_registry_proves_who_it_is_and_asks_who_somebody_is() {
    let house = house();
    let address = address(&house, LAB);

    let user = "Authorization: Basic dTpw\r\n";
    let itself = address.ip().to_string();
    for (name, path, header, status) in [
        (LAB, "/v2/", "", "HTTP/1.1 401"),
        (LAB, "/v2/", user, "HTTP/1.1 200"),
        (
            &itself,
            "/v2/mirantis/ucp/manifests/3.8.8",
            user,
            "HTTP/1.1 200",
        ),
    ] {
        let answer = house.runtime.block_on(async {
            let stream = TcpStream::connect(address).await.unwrap();
            get(&house, stream, name, path, header).await
        });
        assert!(answer.starts_with(status), "{name} {path}: {answer}");
    }
}

#[test]
fn a_registry_is_reached_through_a_host() {
    let house = house();
    let mut ssh = tokio::process::Command::from(house.client("ssh"));
    ssh.args(["-W", &format!("{LAB}:443"), "m1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true);

    let answer = house.runtime.block_on(async {
        let mut ssh = ssh.spawn().unwrap();
        let stream = tokio::io::join(ssh.stdout.take().unwrap(), ssh.stdin.take().unwrap());
        get(&house, stream, LAB, "/v2/", "").await
    });

    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.contains("UNAUTHORIZED"), "{answer}");
}

#[test]
fn a_registry_that_is_down_takes_no_connection() {
    let house = house();
    let address = address(&house, LAB);
    house.apply(&format!(
        "events: [{{at: 0s, do: site-down, site: {LAB}, for: 1h}}]"
    ));

    house.until("it is down", || {
        house.runtime.block_on(async {
            let Ok(mut stream) = TcpStream::connect(address).await else {
                return true;
            };
            // As long as it is there, it waits for a word.
            let read = stream.read_u8();
            let read = tokio::time::timeout(Duration::from_millis(50), read).await;
            read.is_ok_and(|read| read.is_err())
        })
    });
}
