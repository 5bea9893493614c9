//! Hosts behind other hosts: bastions of the configuration, ProxyJump and ProxyCommand.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rig::connection::SshEndpoint;
use rig::protocol::ssh::{SshConnector, SshOptions};
use rig::{ConnectError, Connection, Connector as _, Endpoint, ExitStatus};
use tokio::io::{AsyncReadExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::server::{Server, failed, user};

/// More than one connection to a bastion carries.
const MANY: usize = 70;

/// A host that is reached through a bastion; the client's home is that of the bastion.
struct Pair {
    bastion: Server,
    host: Server,
}

impl Pair {
    fn start() -> Self {
        Self::with("")
    }

    /// Starts both, the bastion with further settings.
    fn with(settings: &str) -> Self {
        let bastion = Server::with(settings);
        let host = Server::start();
        host.authorize(&bastion.path(".ssh/id_ed25519"));
        Self { bastion, host }
    }

    /// Returns the way to the host, as the configuration would have it.
    fn endpoint(&self) -> SshEndpoint {
        self.endpoint_over(self.bastion.endpoint())
    }

    fn endpoint_over(&self, bastion: SshEndpoint) -> SshEndpoint {
        SshEndpoint {
            bastion: Some(Box::new(bastion)),
            ..self.host.endpoint()
        }
    }

    /// Writes ssh_config, and returns what the client connects with.
    fn options(&self, ssh_config: &str) -> SshOptions {
        fs::write(self.bastion.path(".ssh/config"), ssh_config).unwrap();
        self.bastion.options()
    }
}

async fn connect(
    connector: &SshConnector,
    endpoint: SshEndpoint,
) -> Result<Arc<dyn Connection>, ConnectError> {
    connector.connect(&Endpoint::Ssh(endpoint)).await
}

async fn failure(options: SshOptions, endpoint: SshEndpoint) -> ConnectError {
    failed(connect(&SshConnector::new(options), endpoint).await)
}

/// Returns what a command prints.
async fn run(connection: &Arc<dyn Connection>, line: &str) -> String {
    let mut process = connection.exec(line).await.unwrap();
    let mut text = String::new();
    process.stdout.read_to_string(&mut text).await.unwrap();
    assert_eq!(process.exit.await.unwrap(), ExitStatus::Code(0));
    text
}

/// Returns the port that the host sees its client come to: where the session ended up.
async fn port_of(connection: &Arc<dyn Connection>) -> u16 {
    let seen = run(connection, "echo ${SSH_CONNECTION##* }").await;
    seen.trim().parse().unwrap()
}

/// Passes connections on to a server, and counts them.
async fn count_connections(port: u16) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let own = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                if let Ok(mut far) = TcpStream::connect(("127.0.0.1", port)).await {
                    // Either side ends it.
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                }
            });
        }
    });
    (own, count)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_behind_a_bastion_is_reached_and_its_own_key_is_kept() {
    let pair = Pair::start();
    let connector = SshConnector::new(pair.options(""));

    let connection = connect(&connector, pair.endpoint()).await.unwrap();

    assert_eq!(port_of(&connection).await, pair.host.port);
    let known = fs::read_to_string(pair.bastion.path(".ssh/known_hosts")).unwrap();
    for server in [&pair.bastion, &pair.host] {
        let name = format!("[127.0.0.1]:{} ssh-ed25519 ", server.port);
        let public = fs::read_to_string(server.path("host_ed25519.pub")).unwrap();
        let key = public.split(' ').nth(1).unwrap();
        let line = known.lines().find(|line| line.starts_with(&name));
        assert!(line.is_some_and(|line| line.contains(key)), "{known}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_key_behind_a_bastion_is_seen() {
    let mut pair = Pair::start();
    let options = pair.options("");
    let connector = SshConnector::new(options.clone());
    connect(&connector, pair.endpoint()).await.unwrap();
    pair.host.renew_host_keys();

    let error = failure(options, pair.endpoint()).await;

    assert!(
        matches!(error, ConnectError::HostKeyChanged { .. }),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_share_the_connections_to_their_bastion() {
    let pair = Pair::start();
    let (port, count) = count_connections(pair.bastion.port).await;
    let bastion = SshEndpoint {
        port: Some(port),
        ..pair.bastion.endpoint()
    };
    let connector = SshConnector::new(pair.options(""));
    let connecting = (0..MANY).map(|_| {
        let (connector, endpoint) = (connector.clone(), pair.endpoint_over(bastion.clone()));
        tokio::spawn(async move { connect(&connector, endpoint).await })
    });

    let connected = futures_util::future::join_all(connecting).await;

    for connection in &connected {
        // A stock sshd on both sides: none of them may have been turned away.
        let connection = connection.as_ref().unwrap().as_ref().unwrap();
        assert!(connection.is_open());
    }
    assert_eq!(count.load(Ordering::SeqCst), 2);
    assert_eq!(
        run(
            connected[MANY - 1].as_ref().unwrap().as_ref().unwrap(),
            "echo a"
        )
        .await,
        "a\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bastion_that_is_not_there_is_named() {
    let mut pair = Pair::start();
    let options = pair.options("");
    pair.bastion.stop();

    let error = failure(options, pair.endpoint()).await;

    let ConnectError::Bastion { bastion, source } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(bastion, "127.0.0.1");
    assert!(
        matches!(**source, ConnectError::Refused { .. }),
        "{source:?}"
    );
    assert!(error.is_transient());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_jumps_of_ssh_config_lead_to_a_host() {
    let pair = Pair::start();
    let second = Server::start();
    second.authorize(&pair.bastion.path(".ssh/id_ed25519"));
    let port = |server: &Server| server.port;
    let config = format!(
        "Host *\n  HostName 127.0.0.1\nHost first\n  Port {}\nHost second\n  Port {}\n\
         Host far\n  Port {}\n  ProxyJump first,second\nHost farther\n  Port {}\n  ProxyJump far\n",
        port(&pair.bastion),
        port(&second),
        port(&pair.host),
        port(&pair.bastion),
    );
    let connector = SshConnector::new(pair.options(&config));
    let named = |address: &str| SshEndpoint {
        address: address.to_owned(),
        port: None,
        ..pair.host.endpoint()
    };

    let far = connect(&connector, named("far")).await.unwrap();
    let farther = connect(&connector, named("farther")).await.unwrap();

    // Who jumps logs in as the user of this machine.
    assert_eq!(run(&far, "id -un").await.trim(), user());
    assert_eq!(port_of(&far).await, pair.host.port);
    assert_eq!(port_of(&farther).await, pair.bastion.port);
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_jump_through_each_other_are_an_error() {
    let pair = Pair::start();
    let options = pair.options("Host a\n ProxyJump b\nHost b\n ProxyJump a\n");
    let endpoint = SshEndpoint {
        address: "a".to_owned(),
        ..pair.host.endpoint()
    };

    let error = failure(options, endpoint).await;

    assert!(
        matches!(error, ConnectError::TooManyJumps { .. }),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bastion_that_does_not_forward_says_so() {
    let pair = Pair::with("AllowTcpForwarding no");

    let error = failure(pair.options(""), pair.endpoint()).await;

    assert!(
        matches!(error, ConnectError::ForwardingRefused { .. }),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("AllowTcpForwarding"));
    assert!(!error.is_transient());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_the_bastion_does_not_reach_is_named_with_both() {
    let pair = Pair::start();
    let closed = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let endpoint = SshEndpoint {
        port: Some(port),
        ..pair.endpoint()
    };

    let error = failure(pair.options(""), endpoint).await;

    let ConnectError::BeyondBastion {
        bastion, target, ..
    } = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!(
        (bastion.as_str(), target),
        ("127.0.0.1", &format!("127.0.0.1:{port}"))
    );
    assert!(
        error
            .hint()
            .unwrap()
            .contains(&format!("nc -vz 127.0.0.1 {port}"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bastion_that_was_restarted_is_connected_to_anew() {
    let pair = Pair::start();
    let connector = SshConnector::new(pair.options(""));
    let first = connect(&connector, pair.endpoint()).await.unwrap();
    pair.bastion.kill_sessions("-KILL");
    let lost = first.exec("true").await;
    assert!(lost.is_err() || lost.unwrap().exit.await.is_err());

    let second = connect(&connector, pair.endpoint()).await.unwrap();

    assert_eq!(port_of(&second).await, pair.host.port);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_of_ssh_config_leads_to_a_host() {
    let pair = Pair::start();
    let home = pair.bastion.dir.path().display();
    let config = format!(
        "Host far\n  HostName 127.0.0.1\n  Port {}\n  ProxyCommand ssh -F /dev/null -o \
         UserKnownHostsFile={home}/.ssh/other -o StrictHostKeyChecking=accept-new -i \
         {home}/.ssh/id_ed25519 -p {} -l {} -W %h:%p 127.0.0.1\n",
        pair.host.port,
        pair.bastion.port,
        user()
    );
    let endpoint = SshEndpoint {
        address: "far".to_owned(),
        port: None,
        ..pair.host.endpoint()
    };
    let connector = SshConnector::new(pair.options(&config));

    let connection = connect(&connector, endpoint).await.unwrap();

    assert_eq!(port_of(&connection).await, pair.host.port);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_leads_nowhere_speaks_for_itself() {
    let pair = Pair::start();
    let config = "Host far\n  ProxyCommand sh -c 'echo no way to %h >&2; exit 1'\n";
    let endpoint = SshEndpoint {
        address: "far".to_owned(),
        ..pair.host.endpoint()
    };

    let error = failure(pair.options(config), endpoint).await;

    let ConnectError::ProxyCommand { reason, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(reason, "no way to far");
}
