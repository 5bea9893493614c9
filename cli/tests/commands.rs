//! Whole commands in process: a world of values around `cli::run`, and hosts that answer the
//! discovery script with what real hosts have printed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::io::{self, Cursor, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use cli::World;
use cli::world::{Ask, Connections, Stream, Unprepared};
use report::terminal::Size;
use rig::connection::{ByteStream, ConnectionError, Process};
use rig::{ConnectError, Connection, Connector, Endpoint, ExitStatus};
use secrecy::SecretString;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const BARE: &str = include_str!("../../product/tests/recorded/bare.txt");
const MANAGER: &str = include_str!("../../product/tests/recorded/manager.txt");
const WORKER: &str = include_str!("../../product/tests/recorded/worker.txt");
/// The run id of every run here, and the mark that recordings have in its place.
const RUN: &str = "0badcafe";
const RECORDED: &str = "recorded";
const PASSWORD: &str = "s3cret-of-admin";

const CONFIG: &str = "apiVersion: launchpad.mirantis.com/mke/v1.6
kind: mke
metadata: {name: toy}
spec:
  hosts:
  - role: manager
    ssh: {address: 10.77.1.1, user: lab}
  - role: worker
    ssh: {address: 10.77.1.11, user: lab}
  mcr: {channel: stable-20.10}
  mke:
    version: 3.8.8
    adminUsername: admin
    adminPassword: ${PASSWORD}
    installFlags: [--san=10.77.1.1, --san=10.77.1.2]
";

/// What hosts answer, and what they were sent.
#[derive(Clone, Default)]
struct Hosts {
    answers: BTreeMap<&'static str, String>,
    sent: Arc<Mutex<Vec<(String, String)>>>,
}

impl Hosts {
    fn bare() -> Self {
        Self::of(&[
            (
                "10.77.1.1",
                BARE.replace("10.77.1.13", "10.77.1.1")
                    .replace("\n w3\n", "\n m1\n"),
            ),
            ("10.77.1.11", BARE.replace("10.77.1.13", "10.77.1.11")),
        ])
    }

    /// A cluster of the lab with two managers, of which the configuration knows one.
    fn installed() -> Self {
        Self::of(&[
            ("10.77.1.1", MANAGER.to_owned()),
            ("10.77.1.11", WORKER.to_owned()),
        ])
    }

    fn of(answers: &[(&'static str, String)]) -> Self {
        Self {
            answers: answers.iter().cloned().collect(),
            sent: Arc::default(),
        }
    }

    fn sent(&self) -> Vec<(String, String)> {
        self.sent.lock().unwrap().clone()
    }
}

#[async_trait]
impl Connections for Hosts {
    async fn open(&self, _: &[Endpoint], _: Arc<dyn Ask>) -> (Arc<dyn Connector>, Vec<Unprepared>) {
        (Arc::new(self.clone()), Vec::new())
    }
}

#[async_trait]
impl Connector for Hosts {
    async fn connect(&self, endpoint: &Endpoint) -> Result<Arc<dyn Connection>, ConnectError> {
        let name = endpoint.to_string();
        match self.answers.get(name.as_str()) {
            None => Err(ConnectError::Refused { target: name }),
            Some(answer) => Ok(Arc::new(HostThatAnswers {
                name,
                answer: answer.clone(),
                sent: Arc::clone(&self.sent),
            })),
        }
    }
}

struct HostThatAnswers {
    name: String,
    answer: String,
    sent: Arc<Mutex<Vec<(String, String)>>>,
}

#[async_trait]
impl Connection for HostThatAnswers {
    async fn exec(&self, _: &str) -> Result<Process, ConnectionError> {
        let (stdin, mut program) = tokio::io::duplex(1 << 20);
        let (mut out, stdout) = tokio::io::duplex(1 << 20);
        let (mut error, stderr) = tokio::io::duplex(1 << 10);
        let (name, answer) = (self.name.clone(), self.answer.clone());
        let sent = Arc::clone(&self.sent);
        let task = tokio::spawn(async move {
            let mut text = String::new();
            program.read_to_string(&mut text).await.unwrap();
            // The shell announces itself with the mark that the program begins with.
            let mark = text.split('\'').nth(3).unwrap().to_owned();
            let is_discovery = text.contains("Prints every fact of a host");
            sent.lock().unwrap().push((name, text));
            let answer = if is_discovery {
                answer.replace(RECORDED, RUN)
            } else {
                String::new()
            };
            out.write_all(format!("{mark} 1\n{answer}").as_bytes())
                .await
                .unwrap();
            error
                .write_all(format!("{mark}\n").as_bytes())
                .await
                .unwrap();
        });
        Ok(Process {
            stdin: Box::new(stdin),
            stdout: Box::new(stdout),
            stderr: Box::new(stderr),
            exit: Box::pin(async move {
                task.await.unwrap();
                Ok(ExitStatus::Code(0))
            }),
        })
    }

    async fn dial(&self, _: &str, _: u16) -> Result<Box<dyn ByteStream>, ConnectionError> {
        panic!("nobody dials here")
    }

    fn is_open(&self) -> bool {
        true
    }

    async fn close(&self) {}
}

struct NobodyAnswers;

impl Ask for NobodyAnswers {
    fn secret(&self, _: &str) -> io::Result<Option<SecretString>> {
        Ok(None)
    }
    fn line(&self, _: &str) -> io::Result<Option<String>> {
        Ok(None)
    }
}

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Buffer {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// What came of a command.
struct Ran {
    status: u8,
    stdout: String,
    stderr: String,
    home: tempfile::TempDir,
}

impl Ran {
    fn files(&self) -> BTreeMap<PathBuf, String> {
        let mut found = BTreeMap::new();
        let mut open = vec![self.home.path().to_owned()];
        while let Some(directory) = open.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    let text = std::fs::read_to_string(&path).unwrap();
                    found.insert(path, text);
                }
            }
        }
        found
    }
}

async fn run(hosts: &Hosts, config: &str, line: &str) -> Ran {
    let home = tempfile::tempdir().unwrap();
    run_in(home, hosts, config, line).await
}

async fn run_in(home: tempfile::TempDir, hosts: &Hosts, config: &str, line: &str) -> Ran {
    let (stdout, stderr) = (Buffer::default(), Buffer::default());
    let (_sender, signals) = tokio::sync::mpsc::unbounded_channel();
    let directory = home.path().join("work");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("launchpad.yaml"), config).unwrap();
    let world = World {
        environment: BTreeMap::from([("PASSWORD".to_owned(), PASSWORD.to_owned())]),
        home: Some(home.path().to_owned()),
        current_dir: directory,
        stdin: Box::new(Cursor::new(config.to_owned())),
        stdout: Stream::in_memory(stdout.clone()),
        stderr: Stream::in_memory(stderr.clone()),
        terminal_size: Arc::new(Size::default),
        ask: Arc::new(NobodyAnswers),
        signals,
        now: Arc::new(|| "2026-01-02T03:04:05Z".parse().unwrap()),
        run_id: Box::new(|| RUN.to_owned()),
        open_files: 1024,
        owner: "me@here".to_owned(),
        is_rehearsal: false,
        listeners: Vec::new(),
        connections: Arc::new(hosts.clone()),
    };
    let words = std::iter::once("launchpad").chain(line.split(' '));
    let status = cli::run(world, words.map(Into::into)).await;
    Ran {
        status,
        stdout: stdout.text(),
        stderr: stderr.text(),
        home,
    }
}

#[tokio::test]
async fn a_plan_for_bare_hosts_shows_steps_and_sends_only_questions() {
    let hosts = Hosts::bare();

    let ran = run(&hosts, CONFIG, "plan").await;

    assert_eq!(ran.status, 3, "{}", ran.stderr);
    for part in [
        "install MCR from channel stable-20.10",
        "install MKE 3.8.8",
        "2 hosts change",
    ] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
    // One script for each host, and one that looks whether it reaches its repositories.
    assert_eq!(hosts.sent().len(), 4);
}

#[tokio::test]
async fn a_plan_is_data_on_request() {
    let ran = run(&Hosts::bare(), CONFIG, "plan --output json").await;

    let plan: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();

    assert!(plan.to_string().contains("install-mke"), "{plan}");
}

#[tokio::test]
async fn an_apply_with_nothing_to_do_asks_each_host_once() {
    let hosts = Hosts::installed();

    let ran = run(&hosts, CONFIG, "apply").await;

    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(hosts.sent().len(), 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("nothing"), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
}

#[tokio::test]
async fn a_dry_run_of_a_reset_shows_what_goes() {
    let hosts = Hosts::installed();

    let ran = run(&hosts, CONFIG, "reset --dry-run").await;

    assert_eq!(ran.status, 3, "{}", ran.stderr);
    assert!(ran.stdout.contains("uninstall MKE 3.8.8"), "{}", ran.stdout);
    assert_eq!(hosts.sent().len(), 2);
}

#[tokio::test]
async fn a_reset_that_nobody_confirms_changes_nothing() {
    let hosts = Hosts::installed();

    let ran = run(&hosts, CONFIG, "reset").await;

    assert_eq!(ran.status, 2);
    assert!(ran.stderr.contains("--force"), "{}", ran.stderr);
    assert_eq!(hosts.sent().len(), 0);
}

#[tokio::test]
async fn a_wrong_configuration_is_told_whole_before_anybody_is_connected_to() {
    let hosts = Hosts::bare();
    let config = CONFIG
        .replace("role: worker", "role: wroker")
        .replace("user: lab}\n  mcr", "user: lab, prot: 1}\n  mcr");

    for command in ["plan", "apply", "reset --force", "describe hosts"] {
        let ran = run(&hosts, &config, command).await;

        assert_eq!(ran.status, 2, "{command}");
        for part in ["launchpad.yaml:8:11", "did you mean `worker`", "`prot`"] {
            assert!(
                ran.stderr.contains(part),
                "{command}: {part}: {}",
                ran.stderr
            );
        }
    }
    assert_eq!(hosts.sent().len(), 0);
}

#[tokio::test]
async fn what_has_no_phase_yet_is_refused_with_its_line() {
    let bastion = CONFIG.replace(
        "address: 10.77.1.11, user: lab",
        "address: 10.77.1.11, bastion: {address: 10.77.1.12}",
    );
    let images = CONFIG.replacen("user: lab}", "user: lab}\n    imageDir: /images", 1);
    let win_rm = CONFIG.replace(
        "ssh: {address: 10.77.1.11, user: lab}",
        "winRM: {address: 10.77.1.11, password: x}",
    );
    let prune = format!("{CONFIG}  cluster: {{prune: true}}\n");
    for (config, named) in [
        (bastion, "bastion"),
        (images, "images"),
        (win_rm, "Windows"),
        (prune, "remove nodes"),
    ] {
        for command in ["plan", "apply", "reset", "reset --force"] {
            let hosts = Hosts::bare();

            let ran = run(&hosts, &config, command).await;

            assert_eq!(ran.status, 2, "{command}: {}", ran.stderr);
            assert!(ran.stderr.contains(named), "{named}: {}", ran.stderr);
            assert!(ran.stderr.contains("launchpad.yaml:"), "{}", ran.stderr);
            assert_eq!(hosts.sent().len(), 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_down_does_not_hide_the_others() {
    let mut hosts = Hosts::installed();
    hosts.answers.remove("10.77.1.11");

    let ran = run(&hosts, CONFIG, "describe hosts").await;

    assert_eq!(ran.status, 1, "{}", ran.stderr);
    let row = |start: &str| {
        let line = ran.stdout.lines().find(|line| line.starts_with(start));
        line.unwrap_or_else(|| panic!("{}", ran.stdout)).to_owned()
    };
    assert!(row("10.77.1.1 ").contains("20.10.24"), "{}", ran.stdout);
    assert!(row("10.77.1.11").contains("n/a"), "{}", ran.stdout);
    assert!(ran.stderr.contains("refused"), "{}", ran.stderr);
}

#[tokio::test]
async fn mke_is_described_as_rows_or_data() {
    let table = run(&Hosts::installed(), CONFIG, "describe mke").await;
    let json = run(&Hosts::installed(), CONFIG, "describe mke --output json").await;

    assert!(table.stdout.contains("3.8.8"), "{}", table.stdout);
    let status: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(status["state"], "installed");
}

#[tokio::test]
async fn the_configuration_is_shown_without_secrets_unless_asked() {
    let masked = run(&Hosts::default(), CONFIG, "describe config").await;
    let shown = run(
        &Hosts::default(),
        CONFIG,
        "describe config --disable-redact",
    )
    .await;

    assert_eq!((masked.status, shown.status), (0, 0));
    assert!(!masked.stdout.contains(PASSWORD), "{}", masked.stdout);
    assert!(shown.stdout.contains(PASSWORD), "{}", shown.stdout);
}

#[tokio::test]
async fn a_configuration_comes_from_standard_input() {
    let ran = run(&Hosts::installed(), CONFIG, "plan -c -").await;

    assert_eq!(ran.status, 0, "{}", ran.stderr);
}

#[tokio::test]
async fn a_configuration_that_is_not_there_is_named() {
    let ran = run(&Hosts::default(), CONFIG, "plan -c other.yaml").await;

    assert_eq!(ran.status, 2);
    assert!(ran.stderr.contains("other.yaml"), "{}", ran.stderr);
    assert!(ran.stderr.contains("other.yml"), "{}", ran.stderr);
}

#[tokio::test]
async fn a_run_keeps_its_own_directory_for_its_user_alone() {
    let first = run(&Hosts::installed(), CONFIG, "apply --debug").await;
    let Ran { home, .. } = first;
    let second = run_in(home, &Hosts::installed(), CONFIG, "apply --trace").await;

    let files = second.files();
    let named = |end: &str| files.keys().filter(|path| path.ends_with(end)).count();
    assert_eq!((named("launchpad.log"), named("events.jsonl")), (2, 2));
    let cluster = second.home.path().join(".mirantis-launchpad/cluster/toy");
    assert!(cluster.join("apply.log").exists());
    for path in files.keys().filter(|path| path.starts_with(&cluster)) {
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(path), 0o600, "{}", path.display());
        assert_eq!(mode(path.parent().unwrap()), 0o700, "{}", path.display());
    }
}

#[tokio::test]
async fn the_password_is_in_no_output_and_no_file() {
    for command in [
        "apply --dry-run --trace",
        "plan --trace",
        "describe hosts --trace",
    ] {
        let ran = run(&Hosts::bare(), CONFIG, command).await;

        assert!(!ran.stdout.contains(PASSWORD), "{command}");
        assert!(!ran.stderr.contains(PASSWORD), "{command}: {}", ran.stderr);
        for (path, text) in ran.files() {
            assert!(!text.contains(PASSWORD), "{command}: {}", path.display());
        }
    }
}

#[tokio::test]
async fn an_event_stream_begins_and_ends_once() {
    let ran = run(&Hosts::installed(), CONFIG, "apply").await;

    let files = ran.files();
    let (_, text) = files
        .iter()
        .find(|(path, _)| path.ends_with("events.jsonl"))
        .unwrap();
    let events: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let count = |kind: &str| {
        events
            .iter()
            .filter(|event| event.to_string().contains(kind))
            .count()
    };
    assert_eq!(
        (count("\"run-started\""), count("\"run-finished\"")),
        (1, 1),
        "{text}"
    );
    assert!(events[0].to_string().contains("\"run-started\""));
    assert!(
        events[events.len() - 1]
            .to_string()
            .contains("\"run-finished\"")
    );
}

#[tokio::test]
async fn small_commands_work() {
    let nobody = Hosts::default();
    let version = run(&nobody, "", "version").await;
    assert!(
        version.stdout.starts_with("version: "),
        "{}",
        version.stdout
    );
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&nobody, "", &format!("completion --shell /bin/{shell}")).await;
        assert!(script.stdout.contains("launchpad"), "{shell}");
    }
    assert_eq!(run(&nobody, "", "completion --shell tcsh").await.status, 2);
    assert_eq!(run(&nobody, "", "register -a").await.status, 0);
    assert_eq!(run(&nobody, "", "nonsense").await.status, 2);
    assert_eq!(run(&nobody, "", "client-config").await.status, 2);
    let help = run(&nobody, "", "help").await;
    assert_eq!((help.status, help.stderr.as_str()), (0, ""));
    assert!(help.stdout.contains("apply"), "{}", help.stdout);
}
