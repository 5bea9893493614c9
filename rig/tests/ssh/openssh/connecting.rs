//! From ssh_config to a login, and what goes wrong on the way.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rig::connection::OpenSshEndpoint;
use rig::protocol::openssh::{Answering, AskPrompt, OpenSshConnector};
use rig::{ConnectError, Connector as _, Endpoint, ExitStatus};
use secrecy::SecretString;
use tokio::time::timeout;

use super::{Client, status};
use crate::server::{Server, keygen, user};

/// Nobody is asked here: the program answers by itself.
struct Unasked;

#[async_trait]
impl AskPrompt for Unasked {
    async fn ask(&self, question: &str) -> Option<SecretString> {
        panic!("{question}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connecting_that_is_given_up_leaves_nothing_behind() {
    let silent = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let server = Server::start();
    let client = Client::of(&server);
    let mut endpoint = client.endpoint();
    endpoint.port = Some(silent.local_addr().unwrap().port());

    let connector = OpenSshConnector::new(client.options());
    let endpoint = Endpoint::OpenSsh(endpoint);
    let connecting = connector.connect(&endpoint);
    let _ = timeout(Duration::from_secs(1), connecting).await;

    drop(connector);
    client.assert_nothing_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ssh_config_is_the_users_own_with_aliases_and_matches() {
    let server = Server::start();
    let client = Client::of(&server);
    client.configure(&format!(
        "Match originalhost web exec \"true\"\n  HostName 127.0.0.1\n  Port {}\n  User {}\n  \
         RemoteCommand tmux attach\n  RequestTTY force\n  ControlMaster auto\n  ControlPersist yes\n  \
         ControlPath {}/own\n  LogLevel QUIET\n",
        server.port,
        user(),
        client.server.dir.path().display(),
    ));
    let endpoint = OpenSshEndpoint {
        address: "web".to_owned(),
        port: None,
        user: None,
        ..client.endpoint()
    };

    let connection = client.connect_to(endpoint).await.unwrap();

    assert_eq!(status(&connection, "exit 5").await, ExitStatus::Code(5));
    assert!(!server.path("own").exists(), "the user's socket is theirs");
    drop(connection);
    client.assert_nothing_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_of_the_users_own_is_used_where_the_options_speak_of_it() {
    let server = Server::start();
    let client = Client::of(&server);
    let own = client.connect().await;
    let place = fs::read_dir(client.places.path()).unwrap().next();
    let mut files = fs::read_dir(place.unwrap().unwrap().path()).unwrap();
    let socket = files.find_map(|file| {
        let file = file.unwrap();
        file.file_type().unwrap().is_socket().then(|| file.path())
    });
    let socket = socket.unwrap();
    let socket = socket.to_str().unwrap();
    let endpoint = client.endpoint_with(&[("controlpath", socket)]);

    let connection = client.connect_to(endpoint).await.unwrap();

    assert_eq!(status(&connection, "exit 5").await, ExitStatus::Code(5));
    assert_eq!(client.masters(), 1);
    connection.close().await;
    assert!(own.is_open(), "what is not ours stays");
    assert_eq!(status(&own, "exit 6").await, ExitStatus::Code(6));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_ipv6_is_one() {
    let server = Server::with("ListenAddress ::1");
    if !Path::new("/proc/net/if_inet6").exists() {
        return;
    }
    let client = Client::of(&server);
    let endpoint = OpenSshEndpoint {
        address: "::1".to_owned(),
        ..client.endpoint()
    };

    let connection = client.connect_to(endpoint).await.unwrap();

    assert_eq!(status(&connection, "exit 5").await, ExitStatus::Code(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jump_host_of_ssh_config_is_gone_through() {
    let server = Server::start();
    let gate = Server::start();
    let client = Client::of(&server);
    let key = gate.path(".ssh/id_ed25519");
    client.configure(&format!(
        "Host gate\n  HostName 127.0.0.1\n  Port {}\n  User {}\n  IdentityFile {}\n  \
         StrictHostKeyChecking accept-new\n\
         Host 127.0.0.1\n  ProxyJump gate\n",
        gate.port,
        user(),
        key.display()
    ));
    // The jump host is asked for by its alias, and would else be gone to through itself.
    client.configure(
        &fs::read_to_string(client.config())
            .unwrap()
            .replace("Host 127.0.0.1\n", "Match originalhost 127.0.0.1\n"),
    );

    let connection = client.connect().await;
    assert_eq!(status(&connection, "exit 5").await, ExitStatus::Code(5));
    drop(connection);
    client.assert_nothing_is_left().await;

    fs::write(gate.path("authorized"), "").unwrap();
    let error = client.failed(client.endpoint()).await;
    assert!(matches!(error, ConnectError::Bastion { .. }), "{error}");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("accepts none of the keys"), "{cause}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_login_has_its_own_error() {
    let server = Server::start();
    let client = Client::of(&server);
    let stranger = server.path("stranger");
    keygen(&stranger, "ed25519", &[]);
    let denied = OpenSshEndpoint {
        key_path: Some(stranger),
        ..client.endpoint()
    };
    client.configure_without_key();
    let missing = OpenSshEndpoint {
        key_path: Some(server.path("missing")),
        ..client.endpoint()
    };

    let denied = client.failed(denied).await;
    let missing = client.failed(missing).await;

    let text = denied.to_string();
    assert!(matches!(denied, ConnectError::Auth { .. }), "{text}");
    assert!(text.contains("stranger ED25519 SHA256:"), "{text}");
    assert!(text.contains("the server accepts publickey"), "{text}");
    assert!(!denied.is_transient() && denied.hint().is_some());
    assert!(matches!(missing, ConnectError::KeyFile { .. }), "{missing}");
    client.assert_nothing_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_host_keys_are_accepted_once_and_changed_ones_never() {
    let mut server = Server::start();
    for (option, line) in [("yes", ""), ("ask", ""), ("", "yes"), ("", "ask")] {
        let client = Client::of(&server);
        let mut endpoint = client.endpoint();
        if !option.is_empty() {
            endpoint = client.endpoint_with(&[("stricthostkeychecking", option)]);
        }
        if !line.is_empty() {
            client.configure(&format!("Host 127.*\n  StrictHostKeyChecking {line}\n"));
        }
        let strict = client.failed(endpoint).await;
        let text = strict.to_string();
        assert!(
            matches!(strict, ConnectError::HostKeyUnknown { .. }),
            "{text}"
        );
        assert!(text.contains("SHA256:"), "{text}");
    }
    for _ in 0..2 {
        let client = Client::of(&server);
        client.connect().await.close().await;
        let known = fs::read_to_string(server.path(".ssh/known_hosts")).unwrap();
        assert!(known.lines().count() <= 2, "{known}");
        assert!(known.contains(&format!("[127.0.0.1]:{} ", server.port)));
    }

    server.renew_host_keys();
    let client = Client::of(&server);
    let changed = client.failed(client.endpoint()).await;

    let text = changed.to_string();
    assert!(
        matches!(changed, ConnectError::HostKeyChanged { .. }),
        "{text}"
    );
    assert!(
        text.contains("SHA256:") && text.contains("known_hosts:"),
        "{text}"
    );
    assert!(!changed.is_transient());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_way_there_has_its_own_error() {
    let server = Server::start();
    let client = Client::of(&server);
    let closed = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let refused = OpenSshEndpoint {
        port: Some(port),
        ..client.endpoint()
    };
    let unknown = OpenSshEndpoint {
        address: "no-such-host.invalid".to_owned(),
        ..client.endpoint()
    };
    let no_config = OpenSshEndpoint {
        config_path: Some(server.path("nowhere")),
        ..client.endpoint()
    };

    let refused = client.failed(refused).await;
    let unknown = client.failed(unknown).await;
    let no_config = client.failed(no_config).await;
    let option = client.endpoint_with(&[("Nonsense", "1")]);
    let option = client.failed(option).await;
    let common = client.endpoint_with(&[("KexAlgorithms", "diffie-hellman-group1-sha1")]);
    let common = client.failed(common).await;
    client.configure("Host *\n  Nonsense yes\n");
    let line = client.failed(client.endpoint()).await;

    assert!(matches!(refused, ConnectError::Refused { .. }), "{refused}");
    assert!(matches!(unknown, ConnectError::Dns { .. }), "{unknown}");
    assert!(
        matches!(no_config, ConnectError::File { .. }),
        "{no_config}"
    );
    assert!(
        matches!(option, ConnectError::OpenSshOptions { .. }),
        "{option}"
    );
    assert!(
        matches!(
            common,
            ConnectError::NoCommonAlgorithm {
                what: "key exchange",
                ..
            }
        ),
        "{common}"
    );
    assert!(
        matches!(line, ConnectError::SshConfig { line: 2, .. }),
        "{line}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_hang_up_or_never_greet_are_given_up_and_may_be_tried_again() {
    let server = Server::start();
    let client = Client::of(&server);
    let listen = || std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let (rude, silent) = (listen(), listen());
    let at = |listener: &std::net::TcpListener, options: &[(&str, &str)]| OpenSshEndpoint {
        port: Some(listener.local_addr().unwrap().port()),
        ..client.endpoint_with(options)
    };
    let (first, second) = (at(&rude, &[]), at(&silent, &[("ConnectTimeout", "1")]));
    let hang_up = std::thread::spawn(move || drop(rude.accept()));

    let hung_up = client.failed(first).await;
    let never = client.failed(second).await;

    hang_up.join().unwrap();
    assert!(
        matches!(hung_up, ConnectError::ResetBeforeAuth { .. }),
        "{hung_up}"
    );
    assert!(matches!(never, ConnectError::NoBanner { .. }), "{never}");
    assert!(hung_up.is_transient() && never.is_transient());
    client.assert_nothing_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_without_ssh_says_what_to_install() {
    let server = Server::start();
    let client = Client::of(&server);
    let mut options = client.options();
    options.search_path = server.path("empty").into();

    let connector = OpenSshConnector::new(options);
    let endpoint = Endpoint::OpenSsh(client.endpoint());
    let error = connector.connect(&endpoint).await.err().unwrap();

    assert!(matches!(error, ConnectError::Program { .. }), "{error}");
    assert!(error.hint().unwrap().contains("openssh-client"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_of_connections_meets_no_reset_of_a_stock_server() {
    let server = Server::with("MaxStartups 10:30:100");
    let client = Client::of(&server);
    let connector = OpenSshConnector::new(client.options());

    let tasks: Vec<_> = (0..40)
        .map(|_| {
            let (connector, endpoint) = (connector.clone(), client.endpoint());
            tokio::spawn(async move { connector.connect(&Endpoint::OpenSsh(endpoint)).await })
        })
        .collect();
    let mut connections = Vec::new();
    for task in tasks {
        connections.push(task.await.unwrap().unwrap());
    }

    assert_eq!(client.masters(), 40);
    drop((connections, connector));
    client.assert_nothing_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passphrase_is_asked_for_before_the_run_and_never_in_it() {
    let server = Server::start();
    let client = Client::of(&server);
    client.configure_without_key();
    let key = server.path("locked");
    keygen(&key, "ed25519", &["-N", "open sesame"]);
    server.authorize(&key);
    let endpoint = OpenSshEndpoint {
        key_path: Some(key),
        ..client.endpoint()
    };
    let program = server.path("askpass");
    let text = format!(
        "#!/bin/sh\necho \"$1\" >>{}\n[ -S \"$LAUNCHPAD_ASKPASS\" ] && echo 'open sesame'\n",
        server.path("asked").display()
    );
    fs::write(&program, text).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
    let mut options = client.options();
    let nobody = OpenSshConnector::new(options.clone());
    options.asking = Some(Answering {
        program,
        ask: Arc::new(Unasked),
    });
    let connector = OpenSshConnector::new(options);

    let unasked = nobody.connect(&Endpoint::OpenSsh(endpoint.clone())).await;
    assert!(!server.path("asked").exists(), "a run asks nobody");
    let unprepared = connector.prepare(std::slice::from_ref(&endpoint)).await;

    let unasked = unasked.err().unwrap();
    assert!(unasked.to_string().contains("passphrase"), "{unasked}");
    assert!(unprepared.is_empty(), "{unprepared:?}");
    let connection = connector
        .connect(&Endpoint::OpenSsh(endpoint))
        .await
        .unwrap();
    assert_eq!(status(&connection, "exit 5").await, ExitStatus::Code(5));
    let asked = fs::read_to_string(server.path("asked")).unwrap();
    assert_eq!(asked.lines().count(), 1, "{asked}");
    assert!(asked.contains("passphrase"), "{asked}");
    drop((connection, connector, nobody));
    client.assert_nothing_is_left().await;
}
