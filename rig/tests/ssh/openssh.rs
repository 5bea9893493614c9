//! The system's own `ssh` in place of ours: the same expectations, and nothing left behind.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rig::command::{Command, Effect};
use rig::connection::OpenSshEndpoint;
use rig::files::Written;
use rig::observer::Unobserved;
use rig::protocol::openssh::{Answering, AskPrompt, OpenSshConnector, OpenSshOptions};
use rig::redact::Redactor;
use rig::retry::Backoff;
use rig::{
    CommandError, ConnectError, Connection, ConnectionError, Connector as _, Endpoint, ExitStatus,
    Host, HostOptions,
};
use secrecy::SecretString;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::server::{Server, keygen, user};

/// Longer than anything here takes, shorter than a hang is noticed by a person.
const SOON: Duration = Duration::from_secs(40);

/// Somebody who uses `ssh`, with a home of their own; nothing of the real user's is read.
struct Client<'a> {
    server: &'a Server,
    places: tempfile::TempDir,
}

impl<'a> Client<'a> {
    fn of(server: &'a Server) -> Self {
        let client = Self {
            server,
            places: tempfile::tempdir().unwrap(),
        };
        client.configure("");
        client
    }

    /// Writes an ssh_config: `first`, and what every client needs.
    fn configure(&self, first: &str) {
        let home = self.server.dir.path().display();
        self.configure_all(&format!(
            "{first}\nHost *\n  IdentityFile {home}/.ssh/id_ed25519\n"
        ));
    }

    /// Writes an ssh_config that names no key.
    fn configure_without_key(&self) {
        self.configure_all("IdentityAgent none\n");
    }

    fn configure_all(&self, first: &str) {
        let home = self.server.dir.path().display();
        let text = format!(
            "{first}\nHost *\n  IdentitiesOnly yes\n  UserKnownHostsFile {home}/.ssh/known_hosts\n  GlobalKnownHostsFile /dev/null\n"
        );
        fs::write(self.config(), text).unwrap();
    }

    fn config(&self) -> PathBuf {
        self.server.path("client_config")
    }

    fn options(&self) -> OpenSshOptions {
        let path = std::env::var_os("PATH").unwrap();
        let home = self.server.dir.path().into();
        let mut options =
            OpenSshOptions::of_environment(vec![("PATH".into(), path), ("HOME".into(), home)]);
        options.places = vec![self.places.path().to_owned()];
        options
    }

    fn endpoint(&self) -> OpenSshEndpoint {
        OpenSshEndpoint {
            address: "127.0.0.1".to_owned(),
            port: Some(self.server.port),
            user: Some(user()),
            key_path: None,
            config_path: Some(self.config()),
            options: std::collections::BTreeMap::new(),
            disable_multiplexing: false,
        }
    }

    fn endpoint_with(&self, options: &[(&str, &str)]) -> OpenSshEndpoint {
        let mut endpoint = self.endpoint();
        let options = options.iter();
        endpoint.options = options
            .map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()]))
            .collect();
        endpoint
    }

    async fn connect_to(
        &self,
        endpoint: OpenSshEndpoint,
    ) -> Result<Arc<dyn Connection>, ConnectError> {
        let connector = OpenSshConnector::new(self.options());
        let connecting = async { connector.connect(&Endpoint::OpenSsh(endpoint)).await };
        timeout(SOON, connecting).await.unwrap()
    }

    async fn connect(&self) -> Arc<dyn Connection> {
        self.connect_to(self.endpoint()).await.unwrap()
    }

    async fn failed(&self, endpoint: OpenSshEndpoint) -> ConnectError {
        match self.connect_to(endpoint).await {
            Ok(_) => panic!("it connected"),
            Err(error) => error,
        }
    }

    fn host_of(&self, endpoint: OpenSshEndpoint) -> Host {
        let options = HostOptions {
            name: "host".to_owned(),
            sudo_override: false,
            sudo_docker: false,
            dry_run: false,
            confirm: None,
            observer: Arc::new(Unobserved),
            redactor: Redactor::new(),
            limits: rig::limits::SharedLimits::default(),
            backoff: Backoff {
                deadline: Duration::from_secs(5),
                ..Backoff::default()
            },
        };
        let connector = Arc::new(OpenSshConnector::new(self.options()));
        Host::new(connector, Endpoint::OpenSsh(endpoint), options)
    }

    fn host(&self) -> Host {
        self.host_of(self.endpoint())
    }

    /// Returns the processes that know of our sockets.
    fn processes(&self) -> Vec<String> {
        let place = self.places.path().to_str().unwrap();
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            if line.contains(place) {
                found.push(line);
            }
        }
        found
    }

    fn masters(&self) -> usize {
        let all = self.processes();
        all.iter().filter(|line| line.contains(" -M -N ")).count()
    }

    /// Waits until nothing is left: no process, no socket, no directory.
    async fn assert_nothing_is_left(&self) {
        let started = Instant::now();
        loop {
            let processes = self.processes();
            let files = fs::read_dir(self.places.path()).unwrap().count();
            if processes.is_empty() && files == 0 {
                return;
            }
            assert!(
                started.elapsed() < SOON,
                "{files} files are left, and {processes:?}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn script(text: &str) -> Command {
    Command::script(text, Effect::Read).timeout(Duration::from_secs(60))
}

async fn printed(host: &Host, command: Command) -> String {
    match host.run(command).await {
        Ok(output) => output.stdout_text().into_owned(),
        Err(error) => panic!("{error}: {error:?}"),
    }
}

async fn status(connection: &Arc<dyn Connection>, line: &str) -> ExitStatus {
    let process = connection.exec(line).await.unwrap();
    timeout(SOON, process.exit).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_have_streams_and_a_status_of_their_own() {
    let server = Server::start();
    let client = Client::of(&server);
    let connection = client.connect().await;

    let mut process = connection
        .exec("cat; echo words >&2; exit 255")
        .await
        .unwrap();
    process.stdin.write_all(b"in and out\n").await.unwrap();
    process.stdin.shutdown().await.unwrap();
    let (mut stdout, mut stderr) = (String::new(), String::new());
    process.stdout.read_to_string(&mut stdout).await.unwrap();
    process.stderr.read_to_string(&mut stderr).await.unwrap();
    let ended = timeout(SOON, process.exit).await.unwrap().unwrap();

    assert_eq!(
        (stdout.as_str(), stderr.as_str()),
        ("in and out\n", "words\n")
    );
    assert_eq!(ended, ExitStatus::Code(255));
    assert_eq!(status(&connection, "exit 7").await, ExitStatus::Code(7));
    let signalled = status(&connection, "kill -TERM $$").await;
    assert!(matches!(signalled, ExitStatus::Signal(_)), "{signalled}");
    assert!(connection.is_open());
    connection.close().await;
    assert!(!connection.is_open());
    assert!(matches!(
        connection.exec("true").await.err(),
        Some(ConnectionError::Lost { .. })
    ));
    drop(connection);
    client.assert_nothing_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_dropped_leaves_nothing_behind() {
    let server = Server::start();
    let client = Client::of(&server);
    let connection = client.connect().await;
    assert_eq!(client.masters(), 1);
    let running = connection.exec("sleep 1000").await.unwrap();

    drop(connection);
    assert_eq!(client.masters(), 1, "a process keeps its connection");
    drop(running);

    client.assert_nothing_is_left().await;
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
async fn a_writer_that_waits_for_room_ends_with_the_process() {
    let server = Server::start();
    let client = Client::of(&server);
    let connection = client.connect().await;
    let mut process = connection
        .exec("head -c 100 >/dev/null; exit 7")
        .await
        .unwrap();

    let ended = timeout(SOON, async {
        let write = async {
            let block = vec![b'x'; 1 << 20];
            while process.stdin.write_all(&block).await.is_ok() {}
        };
        tokio::join!(write, process.exit).1
    });

    assert_eq!(ended.await.unwrap().unwrap(), ExitStatus::Code(7));
}

#[tokio::test(flavor = "multi_thread")]
async fn output_that_nobody_reads_does_not_stop_others() {
    let server = Server::start();
    let client = Client::of(&server);
    let connection = client.connect().await;
    let _unread = connection.exec("yes | head -c 200000000").await.unwrap();

    let mut other = connection.exec("echo well").await.unwrap();
    let mut text = String::new();
    let read = timeout(SOON, other.stdout.read_to_string(&mut text)).await;

    read.unwrap().unwrap();
    assert_eq!(text, "well\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_processes_share_one_connection() {
    let server = Server::with("MaxSessions 100");
    let client = Client::of(&server);
    let connection = client.connect().await;

    let running: Vec<_> = (0..50)
        .map(|number| {
            let connection = Arc::clone(&connection);
            tokio::spawn(async move {
                let line = format!("cat >/dev/null; echo {number}; exit {number}");
                let mut process = connection.exec(&line).await.unwrap();
                process.stdin.shutdown().await.unwrap();
                let mut text = String::new();
                process.stdout.read_to_string(&mut text).await.unwrap();
                (text, process.exit.await.unwrap())
            })
        })
        .collect();

    for (number, task) in running.into_iter().enumerate() {
        let (text, status) = timeout(SOON, task).await.unwrap().unwrap();
        assert_eq!(text, format!("{number}\n"));
        assert_eq!(status.code(), u32::try_from(number).ok());
    }
    assert_eq!(client.masters(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_with_few_sessions_serves_all_commands() {
    for settings in ["MaxSessions 10", "MaxSessions 1"] {
        let server = Server::with(settings);
        let client = Client::of(&server);
        let host = client.host();

        let count = if settings.ends_with("10") { 50 } else { 4 };
        let tasks: Vec<_> = (0..count)
            .map(|number| {
                let host = host.clone();
                tokio::spawn(async move { printed(&host, script(&format!("echo {number}"))).await })
            })
            .collect();

        for (number, task) in tasks.into_iter().enumerate() {
            assert_eq!(task.await.unwrap(), format!("{number}\n"), "{settings}");
        }
        host.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_without_multiplexing_has_a_connection_for_each_command() {
    let server = Server::with("MaxSessions 1");
    let client = Client::of(&server);
    let mut endpoint = client.endpoint();
    endpoint.disable_multiplexing = true;
    let host = client.host_of(endpoint);

    let waiting = {
        let host = host.clone();
        let fifo = server.path("fifo");
        let text = format!("mkfifo {0}; cat {0}", fifo.display());
        tokio::spawn(async move { printed(&host, script(&text)).await })
    };
    // The second ends while the first is still open: one session would not do for both.
    let fifo = server.path("fifo");
    let text = format!(
        "until [ -p {0} ]; do sleep 0.05; done; echo hello >{0}; echo said",
        fifo.display()
    );
    assert_eq!(printed(&host, script(&text)).await, "said\n");
    assert_eq!(waiting.await.unwrap(), "hello\n");
    let error = host.run(script("exit 255")).await.unwrap_err();
    assert_eq!(error.exited().unwrap().1, &ExitStatus::Code(255));

    host.close().await;
    drop(host);
    client.assert_nothing_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_files_and_secrets_go_the_same_way_as_over_our_own_ssh() {
    let server = Server::start();
    let client = Client::of(&server);
    let host = client.host();
    let words = ["a b", "it's", "$HOME", "`id`", "*", "", "x\ny", "€"];
    let target = server.path("up/load.bin");
    let target = target.to_str().unwrap();
    let content: Vec<u8> = (0..3_000_000_u32).map(|it| (it % 251) as u8).collect();

    let text = printed(&host, Command::read("printf").arg("%s|").args(words)).await;
    let secret = "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; echo; done 2>/dev/null; cat";
    let secret = script(secret).secret_stdin(SecretString::from("tr0ub4dor-and-3"));
    let seen = printed(&host, secret).await;
    let mut source = std::io::Cursor::new(&content);
    let uploaded = host
        .files()
        .upload(&mut source, target, "0640", false)
        .await;
    let mut back = Vec::new();
    host.files()
        .download(target, &mut back, false)
        .await
        .unwrap();
    let mut lines = 0;
    let mut count = |_: &str| lines += 1;
    let streamed = host.stream(script("seq 100000"), &mut count).await;

    assert_eq!(text, words.map(|word| format!("{word}|")).concat());
    assert_eq!(
        seen.matches("tr0ub4dor-and-3").count(),
        1,
        "only its own input"
    );
    assert_eq!(uploaded.unwrap(), Written::Changed);
    assert_eq!(back, content);
    assert!(streamed.unwrap().status.success());
    assert_eq!(lines, 100_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_takes_too_long_is_ended_on_the_host() {
    let server = Server::start();
    let client = Client::of(&server);
    let host = client.host();
    let mark = format!("sleep 93{}", server.port);
    let command = Command::script(mark.clone(), Effect::Change).timeout(Duration::from_secs(1));

    let error = host.run(command).await.unwrap_err();

    assert!(matches!(error, CommandError::TimedOut { .. }), "{error}");
    assert!(!is_running(&mark), "{mark} goes on");
}

fn is_running(mark: &str) -> bool {
    fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).replace('\0', " ").trim() == mark
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_no_status_and_the_next_command_connects_anew() {
    let server = Server::start();
    let client = Client::of(&server);
    let host = client.host();
    let mark = format!("sleep 92{}", server.port);
    let running = {
        let (host, mark) = (host.clone(), mark.clone());
        tokio::spawn(async move { host.run(Command::script(mark, Effect::Change)).await })
    };
    let started = Instant::now();
    while !is_running(&mark) {
        assert!(started.elapsed() < SOON, "it does not start");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    server.kill_sessions("-KILL");

    let error = timeout(SOON, running).await.unwrap().unwrap().unwrap_err();
    assert!(error.is_connection_lost(), "{error}");
    assert_eq!(printed(&host, script("echo again")).await, "again\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_falls_silent_is_given_up() {
    let server = Server::start();
    let client = Client::of(&server);
    let endpoint = client.endpoint_with(&[("ServerAliveInterval", "1")]);
    let connection = client.connect_to(endpoint).await.unwrap();
    let mut process = connection.exec("echo started; sleep 1000").await.unwrap();
    let mut first = [0; 8];
    process.stdout.read_exact(&mut first).await.unwrap();

    server.kill_sessions("-STOP");
    let ended = timeout(SOON, process.exit).await;
    server.kill_sessions("-KILL");

    let error = ended.unwrap().unwrap_err();
    assert!(error.is_lost(), "{error}");
    assert!(error.to_string().contains("not responding"), "{error}");
    assert!(!connection.is_open());
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_lead_where_the_host_can_go_and_a_broken_one_is_no_end() {
    let server = Server::start();
    let client = Client::of(&server);
    let connection = client.connect().await;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let port = listener.local_addr().unwrap().port();
    let echo = tokio::spawn(async move {
        let (mut first, _) = listener.accept().await.unwrap();
        let (mut read, mut write) = first.split();
        tokio::io::copy(&mut read, &mut write).await.unwrap();
        drop(first);
        // The second one is kept open, and says one word.
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"x").await.unwrap();
        let _ = stream.read(&mut [0]).await;
    });

    let mut stream = connection.dial("127.0.0.1", port).await.unwrap();
    let block = vec![7; 300_000];
    let (mut read, mut write) = tokio::io::split(&mut stream);
    let mut back = Vec::new();
    let send = async {
        write.write_all(&block).await.unwrap();
        write.shutdown().await.unwrap();
    };
    let both = async { tokio::join!(send, read.read_to_end(&mut back)).1 };
    timeout(SOON, both).await.unwrap().unwrap();
    assert_eq!(back, block);

    let mut cut = connection.dial("127.0.0.1", port).await.unwrap();
    assert_eq!(cut.read_u8().await.unwrap(), b'x');
    server.kill_sessions("-KILL");
    let ended = timeout(SOON, cut.read(&mut [0; 8])).await.unwrap();
    assert!(ended.is_err(), "{ended:?}");
    echo.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_the_host_cannot_or_may_not_reach_is_refused() {
    let closed = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    for (settings, words) in [("", "refused"), ("AllowTcpForwarding no", "prohibited")] {
        let server = Server::with(settings);
        let client = Client::of(&server);
        let connection = client.connect().await;

        let error = connection.dial("127.0.0.1", port).await.err().unwrap();

        assert!(
            matches!(error, ConnectionError::DialRefused { .. }),
            "{error}"
        );
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(status(&connection, "exit 3").await, ExitStatus::Code(3));
    }
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
    assert!(matches!(error, ConnectError::Bastion(_)), "{error}");
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
    assert!(common.to_string().contains("the server offers"), "{common}");
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
    assert!(matches!(never, ConnectError::TimedOut { .. }), "{never}");
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

/// Nobody is asked here: the program answers by itself.
struct Unasked;

#[async_trait]
impl AskPrompt for Unasked {
    async fn ask(&self, question: &str) -> Option<SecretString> {
        panic!("{question}");
    }
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

    assert!(unasked.is_err());
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
