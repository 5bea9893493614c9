//! A private sshd, started for one test.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use rig::connection::SshEndpoint;
use rig::observer::Unobserved;
use rig::protocol::ssh::{SshConnector, SshOptions};
use rig::redact::Redactor;
use rig::retry::Backoff;
use rig::{ConnectError, Connection, Connector as _, Endpoint, Host, HostOptions};

/// The program; servers want to be started by their full path.
const SSHD: &str = "/usr/sbin/sshd";
/// What keeps bash from reading `~/.bashrc` for each command, as it does under a server: that of
/// whoever runs this may take a second.
const NO_RC: &str = "SetEnv SHLVL=2";

/// The RSA key of all servers: finding one takes a second.
static RSA: OnceLock<(String, String)> = OnceLock::new();

/// Makes a key pair: the private half, and the public one.
fn rsa() -> (String, String) {
    let dir = tempfile::tempdir().unwrap();
    keygen(&dir.path().join("key"), "rsa", &[]);
    let read = |name| fs::read_to_string(dir.path().join(name)).unwrap();
    (read("key"), read("key.pub"))
}

/// Whether changes are refused.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum DryRun {
    Yes,
    No,
}

/// A running sshd, and the home directory of a client that may log in to it.
pub(crate) struct Server {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) port: u16,
    process: Child,
}

impl Server {
    /// Starts a server with the settings of a stock one.
    pub(crate) fn start() -> Self {
        Self::with("")
    }

    /// Starts a server with further settings.
    pub(crate) fn with(settings: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path();
        keygen(&path.join("host_ed25519"), "ed25519", &[]);
        let (private, public) = RSA.get_or_init(rsa);
        fs::write(path.join("host_rsa.pub"), public).unwrap();
        fs::write(path.join("host_rsa"), private).unwrap();
        let only_ours = fs::Permissions::from_mode(0o600);
        fs::set_permissions(path.join("host_rsa"), only_ours).unwrap();
        fs::create_dir(path.join(".ssh")).unwrap();
        keygen(&path.join(".ssh/id_ed25519"), "ed25519", &[]);
        let public = fs::read(path.join(".ssh/id_ed25519.pub")).unwrap();
        fs::write(path.join("authorized"), public).unwrap();
        let (process, port) = launch(path, settings);
        Self { dir, port, process }
    }

    /// Accepts one more key.
    pub(crate) fn authorize(&self, key: &Path) {
        let mut public = key.as_os_str().to_owned();
        public.push(".pub");
        let mut all = fs::read_to_string(self.path("authorized")).unwrap();
        all.push_str(&fs::read_to_string(public).unwrap());
        fs::write(self.path("authorized"), all).unwrap();
    }

    /// Stops the server and starts it anew on the same port, with a new host key.
    pub(crate) fn renew_host_keys(&mut self) {
        self.stop();
        for kind in ["ed25519", "rsa"] {
            fs::remove_file(self.path(&format!("host_{kind}"))).unwrap();
            keygen(&self.path(&format!("host_{kind}")), kind, &[]);
        }
        self.process = spawn(self.dir.path(), self.port, "");
        wait_for(self.port);
    }

    /// Stops the server and starts it anew on the same port, with further settings.
    pub(crate) fn restart_with(&mut self, settings: &str) {
        self.stop();
        self.process = spawn(self.dir.path(), self.port, settings);
        wait_for(self.port);
    }

    /// Stops the server.
    pub(crate) fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Returns a path below the home directory of the client.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Returns what the client connects with; nothing of the real user's is read.
    pub(crate) fn options(&self) -> SshOptions {
        let mut options =
            SshOptions::for_home(self.dir.path(), Arc::new(std::time::SystemTime::now));
        options.config_files = vec![self.path(".ssh/config")];
        options.global_known_hosts = Vec::new();
        options.local_user = user();
        options
    }

    /// Returns where the server is.
    pub(crate) fn endpoint(&self) -> SshEndpoint {
        SshEndpoint {
            address: "127.0.0.1".to_owned(),
            port: Some(self.port),
            user: Some(user()),
            key_path: None,
            host_key: None,
            bastion: None,
        }
    }

    /// Connects as the client does by default.
    pub(crate) async fn connect(&self) -> Arc<dyn Connection> {
        self.connect_with(self.options()).await
    }

    /// Connects with settings of its own.
    pub(crate) async fn connect_with(&self, options: SshOptions) -> Arc<dyn Connection> {
        match connect(options, self.endpoint()).await {
            Ok(connection) => connection,
            Err(error) => panic!("{error}; {error:?}"),
        }
    }

    /// Returns the handle of a host.
    pub(crate) fn host(&self) -> Host {
        self.host_in(DryRun::No)
    }

    /// Returns the handle of a host of a run that may, or may not, change it.
    pub(crate) fn host_in(&self, dry_run: DryRun) -> Host {
        let connector = Arc::new(SshConnector::new(self.options()));
        Host::new(
            connector,
            Endpoint::Ssh(self.endpoint()),
            host_options(dry_run),
        )
    }

    /// Kills what serves the sessions, as a broken network or a restart of the machine would.
    pub(crate) fn kill_sessions(&self, signal: &str) {
        let children = Command::new("pgrep")
            .args(["-P", &self.process.id().to_string()])
            .output()
            .unwrap();
        let children = String::from_utf8(children.stdout).unwrap();
        assert!(!children.trim().is_empty(), "nobody is connected");
        let mut all: Vec<String> = Vec::new();
        for child in children.split_whitespace() {
            let inner = Command::new("pgrep").args(["-P", child]).output().unwrap();
            let inner = String::from_utf8(inner.stdout).unwrap();
            all.push(child.to_owned());
            // The process of the user, one below with privilege separation.
            all.extend(inner.split_whitespace().map(str::to_owned).filter(|id| {
                fs::read_to_string(format!("/proc/{id}/cmdline"))
                    .is_ok_and(|line| line.starts_with("sshd"))
            }));
        }
        let status = Command::new("kill").arg(signal).args(&all).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Connects with a connector of its own.
pub(crate) async fn connect(
    options: SshOptions,
    endpoint: SshEndpoint,
) -> Result<Arc<dyn Connection>, ConnectError> {
    let connector = SshConnector::new(options);
    connector.connect(&Endpoint::Ssh(endpoint)).await
}

/// Returns why nobody connected.
pub(crate) fn failed(result: Result<Arc<dyn Connection>, ConnectError>) -> ConnectError {
    match result {
        Ok(_) => panic!("it connected"),
        Err(error) => error,
    }
}

/// Returns what the handle of a host is made with.
pub(crate) fn host_options(dry_run: DryRun) -> HostOptions {
    HostOptions {
        name: "host".to_owned(),
        sudo_override: false,
        sudo_docker: false,
        dry_run: dry_run == DryRun::Yes,
        confirm: None,
        observer: Arc::new(Unobserved),
        redactor: Redactor::new(),
        limits: rig::limits::SharedLimits::default(),
        backoff: Backoff {
            deadline: Duration::from_secs(5),
            ..Backoff::default()
        },
    }
}

/// Returns the user that runs the tests: the only one that a private sshd can always log in.
pub(crate) fn user() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Makes a key pair without a passphrase, unless the arguments say otherwise.
pub(crate) fn keygen(path: &Path, kind: &str, arguments: &[&str]) {
    let mut command = Command::new("ssh-keygen");
    command
        .args(["-q", "-t", kind, "-C", "test", "-f"])
        .arg(path);
    if !arguments.contains(&"-N") {
        command.args(["-N", ""]);
    }
    let output = command.args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Starts a server on a port that is free.
fn launch(dir: &Path, settings: &str) -> (Child, u16) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let process = spawn(dir, port, settings);
    wait_for(port);
    (process, port)
}

fn spawn(dir: &Path, port: u16, settings: &str) -> Child {
    let home = dir.display();
    // The first value of a setting counts.
    let text = format!(
        "{settings}\nPort {port}\nListenAddress 127.0.0.1\nHostKey {home}/host_ed25519\n\
         HostKey {home}/host_rsa\nAuthorizedKeysFile {home}/authorized\nStrictModes no\n\
         UsePAM no\nPidFile none\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
         PermitRootLogin yes\nPrintMotd no\nLogLevel ERROR\n{NO_RC}\n"
    );
    let config = dir.join("sshd_config");
    fs::write(&config, text).unwrap();
    fs::set_permissions(&config, fs::Permissions::from_mode(0o600)).unwrap();
    if user() == "root" {
        // Where the server's child without rights lives; a packaged service makes it itself.
        fs::create_dir_all("/run/sshd").unwrap();
    }
    Command::new(SSHD)
        .args(["-D", "-e", "-f"])
        .arg(&config)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{SSHD} is needed: {error}; run `./dev test`"))
}

fn wait_for(port: u16) {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let started = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "sshd does not start"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}
