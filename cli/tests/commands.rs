//! Whole commands in process: a world of values around `cli::run`, and simulated hosts.

#![cfg(feature = "fleet")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Cursor;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cli::rehearsal::{self, Setting};
use cli::world::{Recording, Stream};
use fleet::build::HostSpec;
use fleet::connection::Kind;
use fleet::host::Sshd;
use fleet::{Fleet, HostId};
use tokio::sync::mpsc::UnboundedReceiver;

#[path = "commands/check.rs"]
mod check;
#[path = "commands/client_config.rs"]
mod client_config;
#[path = "commands/exec.rs"]
mod exec;
#[path = "commands/init.rs"]
mod init;
#[path = "commands/migrate.rs"]
mod migrate;
#[path = "commands/reset.rs"]
mod reset;
#[path = "commands/validate.rs"]
mod validate;

/// A time, as any other.
const EPOCH: Duration = Duration::from_secs(1_795_000_000);
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

/// A bare manager and a bare worker.
fn bare() -> Fleet {
    bare_of(fleet::profile::DEFAULT)
}

/// The same, with a system.
fn bare_of(profile: &str) -> Fleet {
    let fleet = nobody();
    for (name, last) in [("m1", 1), ("w1", 11)] {
        let mut spec = HostSpec::new(name, [10, 77, 1, last].into());
        spec.login = "lab".to_owned();
        profile.clone_into(&mut spec.profile);
        fleet.add_host(&spec).unwrap();
    }
    fleet.add_archive();
    fleet.add_engine_repository("https://repos.mirantis.com", "stable-20.10");
    fleet.add_registry("docker.io");
    fleet
}

/// The same as the configuration wants them; nothing is counted yet.
async fn installed() -> Fleet {
    let fleet = bare();
    let ran = run(&fleet, CONFIG, "apply").await;
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    fleet.forget_counts();
    fleet
}

/// No hosts at all.
fn nobody() -> Fleet {
    Fleet::new(1, EPOCH)
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

async fn run(fleet: &Fleet, config: &str, line: &str) -> Ran {
    let home = tempfile::tempdir().unwrap();
    run_in(home, fleet, config, line).await
}

async fn run_in(home: tempfile::TempDir, fleet: &Fleet, config: &str, line: &str) -> Ran {
    let given = Given {
        stdin: config.as_bytes().to_vec(),
        home: Some(home),
        signals: None,
    };
    let words: Vec<&str> = line.split(' ').collect();
    run_words(fleet, config, &words, given).await
}

/// What a command is given.
#[derive(Default)]
struct Given {
    stdin: Vec<u8>,
    signals: Option<UnboundedReceiver<i32>>,
    home: Option<tempfile::TempDir>,
}

/// Runs a command as on a machine of its own: with files, and without the marks of a rehearsal.
async fn run_words(fleet: &Fleet, config: &str, words: &[&str], given: Given) -> Ran {
    let home = given.home.unwrap_or_else(|| tempfile::tempdir().unwrap());
    let (stdout, stderr) = (Recording::default(), Recording::default());
    let directory = home.path().join("work");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("launchpad.yaml"), config).unwrap();
    let setting = Setting {
        environment: BTreeMap::from([("PASSWORD".to_owned(), PASSWORD.to_owned())]),
        home: Some(home.path().to_owned()),
        current_dir: directory,
        config: None,
        stdout: Stream::in_memory(stdout.clone()),
        stderr: Stream::in_memory(stderr.clone()),
        seed: 1,
        signals: given.signals,
    };
    let mut world = rehearsal::world(fleet, setting);
    world.stdin = Box::new(Cursor::new(given.stdin));
    world.is_rehearsal = false;
    let words = std::iter::once("launchpad").chain(words.iter().copied());
    let words: Vec<OsString> = words.map(Into::into).collect();
    let status = Box::pin(cli::run(world, words)).await;
    Ran {
        status,
        stdout: stdout.text(),
        stderr: stderr.text(),
        home,
    }
}

/// Returns how many commands hosts were sent, and how many of them may have changed something.
fn sent(fleet: &Fleet) -> (usize, usize) {
    let sent = fleet.sent();
    let changes = sent.iter().filter(|one| one.kind == Kind::Change).count();
    (sent.len(), changes)
}

#[tokio::test(start_paused = true)]
async fn a_plan_for_bare_hosts_shows_steps_and_sends_only_questions() {
    let hosts = bare();

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
    assert_eq!(sent(&hosts), (4, 0));
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_data_on_request() {
    let ran = run(&bare(), CONFIG, "plan --output json").await;

    let plan: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();

    assert!(plan.to_string().contains("install-mke"), "{plan}");
}

#[tokio::test(start_paused = true)]
async fn an_apply_with_nothing_to_do_asks_each_host_once() {
    let hosts = installed().await;

    let ran = run(&hosts, CONFIG, "apply").await;

    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(sent(&hosts), (2, 0), "{}", ran.stderr);
    assert!(ran.stderr.contains("nothing"), "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_of_a_reset_shows_what_goes() {
    let hosts = installed().await;

    let ran = run(&hosts, CONFIG, "reset --dry-run").await;

    assert_eq!(ran.status, 3, "{}", ran.stderr);
    assert!(ran.stdout.contains("uninstall MKE 3.8.8"), "{}", ran.stdout);
    assert_eq!(sent(&hosts), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_reset_that_nobody_confirms_changes_nothing() {
    let hosts = installed().await;

    let ran = run(&hosts, CONFIG, "reset").await;

    assert_eq!(ran.status, 2);
    assert!(ran.stderr.contains("--force"), "{}", ran.stderr);
    assert_eq!(sent(&hosts), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_wrong_configuration_is_told_whole_before_anybody_is_connected_to() {
    let hosts = bare();
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
    assert_eq!(sent(&hosts), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_has_no_phase_yet_is_refused_with_its_line() {
    let images = CONFIG.replacen("user: lab}", "user: lab}\n    imageDir: /images", 1);
    let win_rm = CONFIG.replace(
        "ssh: {address: 10.77.1.11, user: lab}",
        "winRM: {address: 10.77.1.11, password: x}",
    );
    let prune = format!("{CONFIG}  cluster: {{prune: true}}\n");
    for (config, named) in [
        (images, "images"),
        (win_rm, "Windows"),
        (prune, "remove nodes"),
    ] {
        for command in ["plan", "apply", "reset", "reset --force"] {
            let hosts = bare();

            let ran = run(&hosts, &config, command).await;

            assert_eq!(ran.status, 2, "{command}: {}", ran.stderr);
            assert!(ran.stderr.contains(named), "{named}: {}", ran.stderr);
            assert!(ran.stderr.contains("launchpad.yaml:"), "{}", ran.stderr);
            assert_eq!(sent(&hosts), (0, 0));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_down_does_not_hide_the_others() {
    let hosts = installed().await;
    hosts.host(HostId(1), |host| host.sshd = Sshd::Down);

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

#[tokio::test(start_paused = true)]
async fn mke_is_described_as_rows_or_data() {
    let table = run(&installed().await, CONFIG, "describe mke").await;
    let json = run(&installed().await, CONFIG, "describe mke --output json").await;

    assert!(table.stdout.contains("3.8.8"), "{}", table.stdout);
    let status: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(status["state"], "installed");
}

#[tokio::test(start_paused = true)]
async fn the_configuration_is_shown_without_secrets_unless_asked() {
    let masked = run(&nobody(), CONFIG, "describe config").await;
    let shown = run(&nobody(), CONFIG, "describe config --disable-redact").await;

    assert_eq!((masked.status, shown.status), (0, 0));
    assert!(!masked.stdout.contains(PASSWORD), "{}", masked.stdout);
    assert!(shown.stdout.contains(PASSWORD), "{}", shown.stdout);
}

#[tokio::test(start_paused = true)]
async fn a_configuration_comes_from_standard_input() {
    let ran = run(&installed().await, CONFIG, "plan -c -").await;

    assert_eq!(ran.status, 0, "{}", ran.stderr);
}

#[tokio::test(start_paused = true)]
async fn a_configuration_that_is_not_there_is_named() {
    let ran = run(&nobody(), CONFIG, "plan -c other.yaml").await;

    assert_eq!(ran.status, 2);
    assert!(ran.stderr.contains("other.yaml"), "{}", ran.stderr);
    assert!(ran.stderr.contains("other.yml"), "{}", ran.stderr);
}

#[tokio::test(start_paused = true)]
async fn a_run_keeps_its_own_directory_for_its_user_alone() {
    let first = run(&installed().await, CONFIG, "apply --debug").await;
    let Ran { home, .. } = first;
    let second = run_in(home, &installed().await, CONFIG, "apply --trace").await;

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

#[tokio::test(start_paused = true)]
async fn the_password_is_in_no_output_and_no_file() {
    for command in [
        "apply --dry-run --trace",
        "plan --trace",
        "describe hosts --trace",
    ] {
        let ran = run(&bare(), CONFIG, command).await;

        assert!(!ran.stdout.contains(PASSWORD), "{command}");
        assert!(!ran.stderr.contains(PASSWORD), "{command}: {}", ran.stderr);
        for (path, text) in ran.files() {
            assert!(!text.contains(PASSWORD), "{command}: {}", path.display());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_stream_begins_and_ends_once() {
    let ran = run(&installed().await, CONFIG, "apply").await;

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

#[tokio::test(start_paused = true)]
async fn small_commands_work() {
    let nobody = nobody();
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
