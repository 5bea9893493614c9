//! Whom to believe: host certificates, addresses, and peers that are no sshd.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rig::connection::SshEndpoint;
use rig::protocol::ssh::SshConnector;
use rig::{ConnectError, Connector as _, Endpoint};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::server::{Server, connect, failed, keygen};

/// Has the host keys of a server signed; returns the line of the authority's key.
fn signed_server(arguments: &[&str]) -> (Server, String) {
    let mut server = Server::start();
    let authority = server.path("authority");
    keygen(&authority, "ed25519", &[]);
    let mut settings = String::new();
    for kind in ["ed25519", "rsa"] {
        let output = Command::new("ssh-keygen")
            .args(["-q", "-h", "-I", "the host", "-s"])
            .arg(&authority)
            .args(arguments)
            .arg(server.path(&format!("host_{kind}.pub")))
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let certificate = server.path(&format!("host_{kind}-cert.pub"));
        settings.push_str(&format!("HostCertificate {}\n", certificate.display()));
    }
    server.restart_with(&settings);
    let public = fs::read_to_string(server.path("authority.pub")).unwrap();
    (server, public)
}

fn know(server: &Server, line: &str) {
    fs::write(server.path(".ssh/known_hosts"), line).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_speaks_for_hosts_that_nobody_recorded() {
    let (server, authority) = signed_server(&["-n", "127.0.0.*"]);
    fs::write(server.path(".ssh/config"), "StrictHostKeyChecking yes\n").unwrap();
    for names in [format!("[127.0.0.1]:{}", server.port), "127.*".to_owned()] {
        let line = format!("@cert-authority {names} {authority}");
        know(&server, &line);

        let connected = connect(server.options(), server.endpoint()).await;

        assert!(connected.is_ok(), "{names}: {:?}", connected.err());
        let known = fs::read_to_string(server.path(".ssh/known_hosts")).unwrap();
        assert_eq!(known, line, "something was recorded");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_of_rsa_keys_are_accepted_too() {
    let (server, authority) = signed_server(&["-n", "127.0.0.1"]);
    know(&server, &format!("@cert-authority * {authority}"));
    let text = "StrictHostKeyChecking yes\n\
                HostKeyAlgorithms rsa-sha2-512-cert-v01@openssh.com,rsa-sha2-512\n";
    fs::write(server.path(".ssh/config"), text).unwrap();

    let connected = connect(server.options(), server.endpoint()).await;

    assert!(connected.is_ok(), "{:?}", connected.err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_for_another_name_or_time_is_refused() {
    for (arguments, wanted) in [
        (&["-n", "other.lan"][..], "other.lan"),
        (
            &["-n", "127.0.0.1", "-V", "20200101:20200102"][..],
            "expired",
        ),
    ] {
        let (server, authority) = signed_server(arguments);
        know(&server, &format!("@cert-authority * {authority}"));

        let error = failed(connect(server.options(), server.endpoint()).await);

        let text = error.to_string();
        assert!(
            matches!(error, ConnectError::HostCertificate { .. }),
            "{text}"
        );
        assert!(
            text.contains(wanted) && text.contains("known_hosts:1"),
            "{text}"
        );
        assert!(!error.is_transient());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_authority_speaks_for_nobody() {
    let (server, authority) = signed_server(&["-n", "127.0.0.1"]);
    know(
        &server,
        &format!("@cert-authority * {authority}@revoked * {authority}"),
    );

    let error = failed(connect(server.options(), server.endpoint()).await);

    assert!(
        matches!(error, ConnectError::HostKeyRevoked { .. }),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_authority_counts_for_nothing() {
    let (server, _) = signed_server(&["-n", "127.0.0.1"]);
    keygen(&server.path("stranger"), "ed25519", &[]);
    let stranger = fs::read_to_string(server.path("stranger.pub")).unwrap();
    know(&server, &format!("@cert-authority * {stranger}"));
    fs::write(server.path(".ssh/config"), "StrictHostKeyChecking yes\n").unwrap();

    let error = failed(connect(server.options(), server.endpoint()).await);

    assert!(
        matches!(error, ConnectError::HostKeyUnknown { .. }),
        "{error}"
    );
}

/// Makes a key revocation list of what `ssh-keygen` takes.
fn revocation_list(server: &Server, name: &str, options: &[&str], input: &str) -> String {
    let (list, spec) = (server.path(name), server.path("spec"));
    fs::write(&spec, input).unwrap();
    let output = Command::new("ssh-keygen")
        .args(["-q", "-k", "-f"])
        .arg(&list)
        .args(options)
        .arg(&spec)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    list.display().to_string()
}

/// Connects with a list of revoked keys; returns whether one was found there.
async fn is_revoked(server: &Server, list: &str) -> bool {
    let text =
        format!("HostKeyAlgorithms ^ssh-ed25519-cert-v01@openssh.com\nRevokedHostKeys {list}\n");
    fs::write(server.path(".ssh/config"), text).unwrap();
    match connect(server.options(), server.endpoint()).await {
        Ok(_) => false,
        Err(ConnectError::HostKeyRevoked { reason, .. }) => {
            assert!(reason.contains(list), "{reason}");
            true
        }
        Err(error) => panic!("{list}: {error}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_on_a_list_of_revoked_keys_is_refused() {
    let server = Server::start();
    let other = server.path("other");
    keygen(&other, "ed25519", &[]);
    let own = fs::read_to_string(server.path("host_ed25519.pub")).unwrap();
    let other = fs::read_to_string(server.path("other.pub")).unwrap();
    for (which, expected) in [(&own, true), (&other, false)] {
        let plain = server.path("plain");
        fs::write(&plain, format!("# taken back\n\nnonsense\n{which}")).unwrap();
        let lists = [
            plain.display().to_string(),
            revocation_list(&server, "explicit", &[], which),
            revocation_list(&server, "sha1", &[], &format!("sha1: {which}")),
            revocation_list(&server, "sha256", &[], &format!("sha256: {which}")),
        ];
        for list in lists {
            assert_eq!(is_revoked(&server, &list).await, expected, "{list}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_on_a_list_of_revoked_keys_is_refused() {
    let (server, authority) = signed_server(&["-n", "127.0.0.1", "-z", "70"]);
    know(&server, &format!("@cert-authority * {authority}"));
    let by = server.path("authority.pub").display().to_string();
    let by = ["-s", by.as_str()];
    for (number, (input, expected)) in [
        ("serial: 70", true),
        ("serial: 7", false),
        ("serial: 60-80", true),
        ("serial: 71-80", false),
        // Near each other, they are written as bits.
        ("serial: 66\nserial: 68\nserial: 70\nserial: 73", true),
        ("serial: 66\nserial: 68\nserial: 71\nserial: 73", false),
        ("id: the host", true),
        ("id: another host", false),
    ]
    .into_iter()
    .enumerate()
    {
        let list = revocation_list(&server, &format!("list{number}"), &by, input);
        assert_eq!(is_revoked(&server, &list).await, expected, "{input}");
    }
    let list = revocation_list(&server, "authority.krl", &[], &authority);
    assert!(is_revoked(&server, &list).await, "its authority");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_list_of_revoked_keys_no_host_is_believed() {
    let server = Server::start();
    let cut = revocation_list(&server, "whole", &[], "");
    let bytes = fs::read(&cut).unwrap();
    fs::write(server.path("cut"), &bytes[..bytes.len() - 5]).unwrap();
    for name in ["missing", "cut"] {
        let list = server.path(name).display().to_string();
        let text = format!("RevokedHostKeys {list}\n");
        fs::write(server.path(".ssh/config"), text).unwrap();

        let error = failed(connect(server.options(), server.endpoint()).await);

        let told = format!("{error}: {:?}", std::error::Error::source(&error));
        assert!(matches!(error, ConnectError::File { .. }), "{told}");
        assert!(error.to_string().contains(&list), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_host_key_is_refused() {
    let server = Server::start();
    let public = fs::read_to_string(server.path("host_ed25519.pub")).unwrap();
    know(&server, &format!("* {public}@revoked * {public}"));

    let error = failed(connect(server.options(), server.endpoint()).await);

    assert!(
        matches!(error, ConnectError::HostKeyRevoked { .. }),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_known_without_the_port_is_known() {
    let server = Server::start();
    let public = fs::read_to_string(server.path("host_ed25519.pub")).unwrap();
    let line = format!("127.0.0.1 {public}");
    know(&server, &line);
    fs::write(server.path(".ssh/config"), "StrictHostKeyChecking yes\n").unwrap();

    let connected = connect(server.options(), server.endpoint()).await;

    assert!(connected.is_ok(), "{:?}", connected.err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_is_checked_where_ssh_config_says_so() {
    let server = Server::start();
    let right = fs::read_to_string(server.path("host_ed25519.pub")).unwrap();
    let wrong = fs::read_to_string(server.path(".ssh/id_ed25519.pub")).unwrap();
    let endpoint = SshEndpoint {
        address: "localhost".to_owned(),
        ..server.endpoint()
    };
    let port = server.port;
    know(
        &server,
        &format!("[localhost]:{port} {right}[127.0.0.1]:{port} {wrong}"),
    );

    let unchecked = connect(server.options(), endpoint.clone()).await;
    fs::write(server.path(".ssh/config"), "CheckHostIP yes\n").unwrap();
    let error = failed(connect(server.options(), endpoint.clone()).await);
    know(&server, &format!("[localhost]:{port} {right}"));
    let connected = connect(server.options(), endpoint).await;

    assert!(unchecked.is_ok(), "{:?}", unchecked.err());
    assert!(
        matches!(error, ConnectError::HostKeyChanged { .. }),
        "{error}"
    );
    assert!(error.to_string().contains("[127.0.0.1]"), "{error}");
    assert!(connected.is_ok(), "{:?}", connected.err());
    let known = fs::read_to_string(server.path(".ssh/known_hosts")).unwrap();
    assert!(known.contains(&format!("[127.0.0.1]:{port} ")), "{known}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_common_algorithm_both_lists_are_shown() {
    let server = Server::with("KexAlgorithms diffie-hellman-group16-sha512");
    let config = server.path(".ssh/config");
    fs::write(&config, "KexAlgorithms curve25519-sha256\n").unwrap();

    let error = failed(connect(server.options(), server.endpoint()).await);
    fs::write(&config, "KexAlgorithms ^diffie-hellman-group16-sha512\n").unwrap();
    let connected = connect(server.options(), server.endpoint()).await;

    let text = error.to_string();
    assert!(
        matches!(error, ConnectError::NoCommonAlgorithm { .. }),
        "{text}"
    );
    assert!(
        text.contains("curve25519-sha256") && text.contains("group16"),
        "{text}"
    );
    assert!(error.hint().unwrap().contains("KexAlgorithms"));
    assert!(connected.is_ok(), "{:?}", connected.err());
}

/// Says something to everyone who connects, then hangs up.
async fn speaker(words: &'static str) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                // What the other side says first; else its end would be a reset.
                let mut greeting = [0; 256];
                let _ = stream.read(&mut greeting).await;
                let _ = stream.write_all(words.as_bytes()).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_is_no_sshd_is_told_from_one_that_is_busy() {
    let server = Server::start();
    let at = |port| SshEndpoint {
        port: Some(port),
        ..server.endpoint()
    };
    let web = speaker("HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n").await;
    let busy = speaker("Exceeded MaxStartups\r\n").await;

    let is_web = failed(connect(server.options(), at(web)).await);
    let is_busy = failed(connect(server.options(), at(busy)).await);

    assert!(matches!(is_web, ConnectError::NotSsh { .. }), "{is_web}");
    assert!(is_web.to_string().contains("HTTP/1.1 400"), "{is_web}");
    assert!(!is_web.is_transient());
    let text = is_busy.to_string();
    assert!(
        matches!(is_busy, ConnectError::ResetBeforeAuth { .. }),
        "{text}"
    );
    assert!(
        text.contains("MaxStartups") && is_busy.is_transient(),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_to_connect_is_that_of_ssh_config() {
    let server = Server::start();
    let text = "ConnectTimeout 1\nServerAliveInterval 0\n";
    fs::write(server.path(".ssh/config"), text).unwrap();
    let mut options = server.options();
    options.timeouts.connect = Duration::ZERO;

    let connected = connect(options, server.endpoint()).await;

    assert!(connected.is_ok(), "{:?}", connected.err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_passed_over_in_ssh_config_is_known() {
    let server = Server::start();
    let config = server.path(".ssh/config");
    fs::write(&config, "Match exec \"touch %d/ran\"\nPort 1\n").unwrap();
    let mut endpoint = server.endpoint();
    let ran = server.path("ran");

    let connector = SshConnector::new(server.options());
    connector
        .connect(&Endpoint::Ssh(endpoint.clone()))
        .await
        .unwrap();
    assert!(!ran.exists());
    endpoint.port = None;
    let mut options = server.options();
    options.match_exec = true;
    let error = failed(connect(options, endpoint).await);

    let warnings = connector.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!(
        (warnings[0].path.as_path(), warnings[0].line),
        (Path::new(&config), 1)
    );
    assert!(ran.exists(), "{error}");
    assert!(error.to_string().contains(":1"), "{error}");
}
