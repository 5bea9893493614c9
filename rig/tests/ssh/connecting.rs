//! Logging in, and whether the host is the one it was.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rig::connection::SshEndpoint;
use rig::protocol::ssh::{AskPassphrase, SshConnector};
use rig::{ConnectError, Connector as _, Endpoint};
use secrecy::SecretString;

use crate::server::{Server, connect, failed, keygen};

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_all_kinds_open_the_door() {
    let server = Server::start();
    let kinds: [(&str, &[&str]); 6] = [
        ("ed25519", &[]),
        ("rsa", &["-b", "2048"]),
        ("rsa", &["-b", "2048", "-m", "PEM"]),
        ("ecdsa", &["-b", "256"]),
        ("ecdsa", &["-b", "384"]),
        ("ecdsa", &["-b", "521", "-m", "PKCS8"]),
    ];
    for (index, (kind, arguments)) in kinds.into_iter().enumerate() {
        let key = server.path(&format!("key-{index}"));
        keygen(&key, kind, arguments);
        server.authorize(&key);
        let mut endpoint = server.endpoint();
        endpoint.key_path = Some(key);

        let connected = connect(server.options(), endpoint).await;

        assert!(
            connected.is_ok(),
            "{kind} {arguments:?}: {:?}",
            connected.err()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_not_accepted_says_what_was_tried() {
    let server = Server::start();
    let key = server.path("stranger");
    keygen(&key, "ed25519", &[]);
    let mut endpoint = server.endpoint();
    endpoint.key_path = Some(key);

    let error = failed(connect(server.options(), endpoint).await);

    let text = error.to_string();
    assert!(matches!(error, ConnectError::Auth { .. }), "{text}");
    assert!(!error.is_transient());
    assert!(text.contains("stranger"), "{text}");
    assert!(text.contains("SHA256:"), "{text}");
    assert!(text.contains("publickey"), "{text}");
    assert!(error.hint().is_some());
}

/// Knows one passphrase, and counts how often it is asked.
struct Knows {
    passphrase: &'static str,
    asked: AtomicUsize,
}

#[async_trait]
impl AskPassphrase for Knows {
    async fn ask(&self, _key: &Path, again: bool) -> Option<SecretString> {
        let before = self.asked.fetch_add(1, Ordering::SeqCst);
        assert_eq!(
            again,
            before > 0,
            "the question does not say whether it is the first"
        );
        Some(SecretString::from(self.passphrase))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passphrase_is_asked_for_once_before_anything_runs() {
    let server = Server::start();
    let key = server.path("locked");
    keygen(&key, "ed25519", &["-N", "open sesame"]);
    server.authorize(&key);
    let mut endpoint = server.endpoint();
    endpoint.key_path = Some(key);
    let knows = Arc::new(Knows {
        passphrase: "open sesame",
        asked: AtomicUsize::new(0),
    });
    let mut options = server.options();
    options.passphrases = Arc::clone(&knows) as Arc<dyn AskPassphrase>;
    let connector = SshConnector::new(options);

    let unprepared = connector
        .prepare(&[endpoint.clone(), endpoint.clone()])
        .await;

    assert!(unprepared.is_empty(), "{unprepared:?}");
    for _ in 0..2 {
        let connected = connector.connect(&Endpoint::Ssh(endpoint.clone())).await;
        assert!(connected.is_ok(), "{:?}", connected.err());
    }
    assert_eq!(knows.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_key_and_nobody_to_ask_is_named() {
    let server = Server::start();
    let key = server.path("locked");
    keygen(&key, "ed25519", &["-N", "open sesame"]);
    let mut endpoint = server.endpoint();
    endpoint.key_path = Some(key);

    let connector = SshConnector::new(server.options());
    let unprepared = connector.prepare(&[endpoint]).await;

    assert_eq!(unprepared.len(), 1);
    let text = unprepared[0].error.to_string();
    assert!(
        text.contains("locked") && text.contains("passphrase"),
        "{text}"
    );
    let hint = unprepared[0].error.hint().unwrap();
    assert!(hint.contains("ssh-add"), "{hint}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_that_is_not_there_is_an_error_of_its_host() {
    let server = Server::start();
    let mut endpoint = server.endpoint();
    endpoint.key_path = Some(server.path("missing"));

    let error = failed(connect(server.options(), endpoint).await);

    assert!(matches!(error, ConnectError::KeyFile { .. }), "{error}");
    assert!(error.to_string().contains("missing"), "{error}");
}

/// An agent of OpenSSH that ends with the test.
pub(crate) struct AgentOfOpenSsh(std::process::Child);

impl AgentOfOpenSsh {
    pub(crate) fn start(socket: &Path) -> Self {
        let child = Command::new("ssh-agent")
            .args(["-D", "-a"])
            .arg(socket)
            // Nobody is asked to confirm anything.
            .env_remove("DISPLAY")
            .env("SSH_ASKPASS", "/bin/false")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while !socket.exists() {
            assert!(
                started.elapsed() < Duration::from_secs(10),
                "the agent does not start"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        Self(child)
    }

    pub(crate) fn add(socket: &Path, key: &Path) {
        Self::add_with(socket, key, &[]);
    }

    /// Adds a key that the agent uses only after a question, which nobody answers here.
    pub(crate) fn confirm(socket: &Path, key: &Path) {
        Self::add_with(socket, key, &["-c"]);
    }

    fn add_with(socket: &Path, key: &Path, arguments: &[&str]) {
        let added = Command::new("ssh-add")
            .arg("-q")
            .args(arguments)
            .arg(key)
            .env("SSH_AUTH_SOCK", socket)
            .output()
            .unwrap();
        assert!(added.status.success(), "{added:?}");
    }
}

impl Drop for AgentOfOpenSsh {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agent_opens_what_no_file_does() {
    let server = Server::start();
    let socket = server.path("agent");
    let _agent = AgentOfOpenSsh::start(&socket);
    for (name, kind) in [("of-agent", "ed25519"), ("of-agent-rsa", "rsa")] {
        let key = server.path(name);
        keygen(&key, kind, &[]);
        server.authorize(&key);
        AgentOfOpenSsh::add(&socket, &key);
        // Only the agent has it from here on.
        fs::remove_file(&key).unwrap();
        let mut options = server.options();
        options.default_identities = Vec::new();
        options.agent = Some(socket.clone());

        let connected = connect(options, server.endpoint()).await;

        assert!(connected.is_ok(), "{kind}: {:?}", connected.err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn identities_only_leaves_the_agents_other_keys_alone() {
    let server = Server::start();
    let socket = server.path("agent");
    let _agent = AgentOfOpenSsh::start(&socket);
    let (good, named) = (server.path("good"), server.path("named"));
    for key in [&good, &named] {
        keygen(key, "ed25519", &[]);
    }
    server.authorize(&good);
    AgentOfOpenSsh::add(&socket, &good);
    let text = format!("IdentityFile {}\nIdentitiesOnly yes\n", named.display());
    fs::write(server.path(".ssh/config"), text).unwrap();
    let mut options = server.options();
    options.agent = Some(socket);

    let error = failed(connect(options, server.endpoint()).await);

    assert!(error.to_string().contains("named"), "{error}");
    assert!(!error.to_string().contains("agent's"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ssh_config_names_host_port_user_and_key() {
    let server = Server::start();
    let text = format!(
        "Host alias\n  HostName 127.0.0.1\n  Port {}\n  User {}\n  IdentityFile ~/.ssh/id_ed25519\n",
        server.port,
        crate::server::user()
    );
    fs::write(server.path(".ssh/config"), text).unwrap();
    let endpoint = SshEndpoint {
        address: "alias".to_owned(),
        port: None,
        user: None,
        ..server.endpoint()
    };

    let connected = connect(server.options(), endpoint).await;

    assert!(connected.is_ok(), "{:?}", connected.err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_host_is_recorded_once_under_the_name_that_is_looked_up() {
    let server = Server::start();

    for _ in 0..2 {
        connect(server.options(), server.endpoint()).await.unwrap();
    }

    let known = fs::read_to_string(server.path(".ssh/known_hosts")).unwrap();
    assert_eq!(known.lines().count(), 1, "{known}");
    assert!(
        known.starts_with(&format!("[127.0.0.1]:{} ", server.port)),
        "{known}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_host_key_is_fatal_and_says_what_to_do() {
    let mut server = Server::start();
    connect(server.options(), server.endpoint()).await.unwrap();
    server.renew_host_keys();

    let error = failed(connect(server.options(), server.endpoint()).await);

    assert!(
        matches!(error, ConnectError::HostKeyChanged { .. }),
        "{error}"
    );
    assert!(!error.is_transient());
    assert!(error.hint().unwrap().contains("ssh-keygen -R"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kind_of_host_key_that_is_recorded_is_asked_for() {
    let server = Server::start();
    let public = fs::read_to_string(server.path("host_rsa.pub")).unwrap();
    let line = format!("[127.0.0.1]:{} {public}", server.port);
    fs::write(server.path(".ssh/known_hosts"), line).unwrap();

    let connected = connect(server.options(), server.endpoint()).await;

    assert!(connected.is_ok(), "{:?}", connected.err());
    let known = fs::read_to_string(server.path(".ssh/known_hosts")).unwrap();
    assert_eq!(known.lines().count(), 1, "{known}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hashed_names_are_found() {
    let server = Server::start();
    connect(server.options(), server.endpoint()).await.unwrap();
    let known = server.path(".ssh/known_hosts");
    let hashed = Command::new("ssh-keygen")
        .arg("-H")
        .arg("-f")
        .arg(&known)
        .output();
    assert!(hashed.unwrap().status.success());

    connect(server.options(), server.endpoint()).await.unwrap();

    let text = fs::read_to_string(known).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.starts_with("|1|"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn strict_checking_accepts_nobody_new() {
    let server = Server::start();
    fs::write(server.path(".ssh/config"), "StrictHostKeyChecking yes\n").unwrap();

    let error = failed(connect(server.options(), server.endpoint()).await);

    assert!(
        matches!(error, ConnectError::HostKeyUnknown { .. }),
        "{error}"
    );
    assert!(!server.path(".ssh/known_hosts").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pinned_host_key_is_the_only_one_that_counts() {
    let server = Server::start();
    let right = fs::read_to_string(server.path("host_ed25519.pub")).unwrap();
    let wrong = fs::read_to_string(server.path(".ssh/id_ed25519.pub")).unwrap();
    let pinned = |key: &str| SshEndpoint {
        host_key: Some(key.to_owned()),
        ..server.endpoint()
    };

    connect(server.options(), pinned(&right)).await.unwrap();
    let error = failed(connect(server.options(), pinned(&wrong)).await);

    assert!(
        matches!(error, ConnectError::HostKeyNotPinned { .. }),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_of_connections_meets_no_reset_of_a_stock_server() {
    // What OpenSSH ships with.
    let server = Server::with("MaxStartups 10:30:100");
    let connector = SshConnector::new(server.options());

    let tasks: Vec<_> = (0..60)
        .map(|_| {
            let (connector, endpoint) = (connector.clone(), server.endpoint());
            tokio::spawn(async move { connector.connect(&Endpoint::Ssh(endpoint)).await })
        })
        .collect();

    for task in tasks {
        // Each is tried once: a retry would hide a reset.
        let connected = task.await.unwrap();
        assert!(connected.is_ok(), "{:?}", connected.err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_greets_is_given_up_in_time() {
    let silent = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let server = Server::start();
    let endpoint = SshEndpoint {
        port: Some(silent.local_addr().unwrap().port()),
        ..server.endpoint()
    };
    let mut options = server.options();
    options.timeouts.handshake = Duration::from_millis(300);

    let error = failed(connect(options, endpoint).await);

    assert!(matches!(error, ConnectError::NoBanner { .. }), "{error}");
    assert!(error.is_transient());
    assert!(error.hint().unwrap().contains("frozen"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_up_is_tried_again() {
    let rude = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let server = Server::start();
    let endpoint = SshEndpoint {
        port: Some(rude.local_addr().unwrap().port()),
        ..server.endpoint()
    };
    let hang_up = tokio::spawn(async move { while rude.accept().await.is_ok() {} });

    let error = failed(connect(server.options(), endpoint).await);
    hang_up.abort();

    assert!(
        matches!(error, ConnectError::ResetBeforeAuth { .. }),
        "{error}"
    );
    assert!(error.is_transient());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_port_is_refused() {
    let server = Server::start();
    let closed = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let endpoint = SshEndpoint {
        port: Some(closed.local_addr().unwrap().port()),
        ..server.endpoint()
    };
    drop(closed);

    let error = failed(connect(server.options(), endpoint).await);

    assert!(matches!(error, ConnectError::Refused { .. }), "{error}");
    assert!(error.is_transient());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_up_is_met_by_a_later_attempt() {
    let mut server = Server::start();
    server.stop();
    fs::write(server.path(".ssh/config"), "ConnectionAttempts 14\n").unwrap();
    let (options, endpoint) = (server.options(), server.endpoint());
    let connecting = tokio::spawn(async move { connect(options, endpoint).await });

    server.restart_with("");

    let connected = connecting.await.unwrap();
    assert!(connected.is_ok(), "{:?}", connected.err());
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn the_interface_of_ssh_config_is_used() {
    let server = Server::start();
    for (name, is_there) in [("lo", true), ("nosuch0", false)] {
        fs::write(
            server.path(".ssh/config"),
            format!("BindInterface {name}\n"),
        )
        .unwrap();

        let connected = connect(server.options(), server.endpoint()).await;

        match connected {
            Ok(_) => assert!(is_there, "{name}"),
            Err(ConnectError::Unreachable { source, .. }) => {
                assert!(!is_there, "{name}: {source}");
                assert!(source.to_string().contains("BindInterface"), "{source}");
            }
            Err(error) => panic!("{name}: {error}"),
        }
    }
}
