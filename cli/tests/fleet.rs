//! `launchpad fleet`, whole: simulated hosts that other programs reach.

#![cfg(feature = "fleet")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Longer than anything here takes, shorter than a hang is noticed by a person.
const SOON: Duration = Duration::from_secs(120);

/// A fleet that is up; it goes with the test.
struct Up {
    home: TempDir,
    child: Child,
}

impl Drop for Up {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn launchpad(home: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_launchpad"));
    command.env_clear();
    command
        .env("HOME", home.path())
        .env("PATH", "/usr/bin:/bin");
    command.current_dir(home.path());
    command
}

fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

impl Up {
    fn start(words: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = launchpad(&home);
        command.args(["fleet", "up", "--bind", "127.0.0.1", "--directory", "sim"]);
        command
            .args(words)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let mut up = Self { home, child };
        let end = Instant::now() + SOON;
        while !up.path("launchpad.yaml").exists() {
            assert!(Instant::now() < end, "it does not come up");
            assert_eq!(up.child.try_wait().unwrap(), None, "it has left");
            std::thread::sleep(Duration::from_millis(20));
        }
        up
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join("sim").join(name)
    }

    fn fleet(&self, words: &[&str]) -> Output {
        let (verb, rest) = words.split_first().unwrap();
        let mut command = launchpad(&self.home);
        command
            .args(["fleet", verb, "--directory", "sim"])
            .args(rest);
        command.output().unwrap()
    }

    fn ssh(&self, words: &[&str]) -> Output {
        let mut command = Command::new("ssh");
        command.arg("-F").arg(self.path("ssh_config"));
        command
            .args(["-o", "BatchMode=yes", "-o", "ConnectTimeout=30"])
            .args(words);
        command.stdin(Stdio::null()).output().unwrap()
    }
}

#[test]
fn a_fleet_is_served_steered_and_closed() {
    let mut up = Up::start(&["--time", "instant"]);

    let named = up.ssh(&["m1", "hostname; whoami"]);
    assert_eq!(
        text(&named.stdout),
        "m1\nubuntu\n",
        "{}",
        text(&named.stderr)
    );

    let ran = up.fleet(&[
        "exec",
        "w2",
        "--",
        "sh",
        "-c",
        "id -un; hostname >&2; exit 4",
    ]);
    assert_eq!(
        (text(&ran.stdout), text(&ran.stderr)),
        ("root\n".into(), "w2\n".into())
    );
    assert_eq!(ran.status.code(), Some(4));

    let injected = up.fleet(&["inject", "w1", "access", "trouble=refused"]);
    assert!(injected.status.success(), "{}", text(&injected.stderr));
    let end = Instant::now() + SOON;
    while !text(&up.ssh(&["w1", "true"]).stderr).contains("Connection refused") {
        assert!(Instant::now() < end, "the fault is not noticed");
    }
    let wrong = up.fleet(&["inject", "w1", "reboots"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", text(&wrong.stderr));

    let told = up.fleet(&["inspect", "m1", "--output", "json"]);
    let told: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(told["hosts"][0]["commands"], 1, "{told}");
    let table = up.fleet(&["inspect"]);
    assert!(
        text(&table.stdout).contains("w5"),
        "{}",
        text(&table.stdout)
    );

    assert!(up.fleet(&["down"]).status.success());
    assert_eq!(up.child.wait().unwrap().code(), Some(0));
    let gone = up.fleet(&["down"]);
    assert!(
        text(&gone.stderr).contains("no fleet is up"),
        "{}",
        text(&gone.stderr)
    );
}

#[test]
fn its_files_are_for_the_user_alone_and_its_directory_for_one_fleet() {
    let up = Up::start(&[]);
    let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;

    assert_eq!(mode(up.path("")), 0o700);
    for name in ["control", "id_ed25519", "launchpad.yaml", "ssh_config"] {
        assert_eq!(mode(up.path(name)), 0o600, "{name}");
    }
    let second = up.fleet(&["up"]);
    assert_eq!(second.status.code(), Some(2));
    assert!(
        text(&second.stderr).contains("is up in"),
        "{}",
        text(&second.stderr)
    );
}

#[test]
fn too_few_open_files_are_told_before_it_begins() {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new("/bin/sh");
    command
        .args([
            "-c",
            "ulimit -n 15 && exec \"$0\" fleet up --bind 127.0.0.1",
        ])
        .arg(env!("CARGO_BIN_EXE_launchpad"))
        .env_clear()
        .env("HOME", home.path())
        .current_dir(home.path());

    let output = command.output().unwrap();

    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("\nerror: cannot open the door of "), "{said}");
    assert!(
        said.contains("hint: raise the limit of open files"),
        "{said}"
    );
}

#[test]
fn launchpad_itself_finds_the_hosts_as_the_configuration_says() {
    let up = Up::start(&["--time", "instant"]);

    let mut command = launchpad(&up.home);
    command.args([
        "exec",
        "--config",
        "sim/launchpad.yaml",
        "--all",
        "--",
        "hostname",
    ]);
    let ran = command.output().unwrap();

    let out = text(&ran.stdout);
    assert!(ran.status.success(), "{out}{}", text(&ran.stderr));
    for name in ["m1", "m2", "m3", "w1", "w2", "w3", "w4", "w5"] {
        assert!(
            out.lines().any(|line| line.ends_with(name)),
            "{name}: {out}"
        );
    }
}

#[test]
fn the_api_of_an_installed_cluster_answers_through_a_host() {
    let up = Up::start(&["--time", "instant", "--from", "installed"]);

    let node = up.ssh(&["m1", "sudo docker node ls --format '{{.Hostname}}' | wc -l"]);
    assert_eq!(text(&node.stdout), "8\n", "{}", text(&node.stderr));

    let mut command = launchpad(&up.home);
    command.args([
        "describe",
        "--config",
        "sim/launchpad.yaml",
        "mke",
        "--output",
        "json",
    ]);
    let told = command.output().unwrap();
    let mke = text(&told.stdout);
    assert!(mke.contains("3.8.8"), "{mke}{}", text(&told.stderr));
    // Clients dial the first name of the cluster.
    assert!(mke.contains("https://127.0.0.1/"), "{mke}");

    // As it was installed: for its doors, too.
    let mut command = launchpad(&up.home);
    let again = command.args(["apply", "--config", "sim/launchpad.yaml"]);
    let again = again.output().unwrap();
    let said = text(&again.stderr);
    let labels = "Label nodes: skipped: every node has its labels";
    assert!(again.status.success() && said.contains(labels), "{said}");
    assert!(!said.contains("--san"), "{said}");
}

#[test]
fn ansible_keeps_the_connections_of_fleets_apart() {
    let ways: Vec<String> = (0..2)
        .map(|_| {
            let up = Up::start(&["--time", "instant"]);
            let inventory = std::fs::read_to_string(up.path("inventory.yaml")).unwrap();
            let mut lines = inventory.lines().map(str::trim);
            let line = lines.find(|line| line.starts_with("ansible_control_path: "));
            line.unwrap_or_else(|| panic!("{inventory}")).to_owned()
        })
        .collect();

    assert_ne!(ways[0], ways[1]);
    assert!(ways[0].ends_with("-%%h-%%p\""), "{}", ways[0]);
}

/// Runs `client-config` in a shell, after other words of it.
fn client_config(up: &Up, before: &str) -> Output {
    let mut shell = Command::new("sh");
    let line = format!("{before}exec \"$0\" client-config --config sim/launchpad.yaml");
    shell.args(["-c", &line, env!("CARGO_BIN_EXE_launchpad")]);
    shell.env_clear().env("HOME", up.home.path());
    shell.env("PATH", "/usr/bin:/bin");
    shell.current_dir(up.home.path()).output().unwrap()
}

#[test]
fn a_full_disk_leaves_the_older_bundle() {
    let up = Up::start(&["--time", "instant", "--from", "installed"]);
    let first = client_config(&up, "");
    assert!(first.status.success(), "{}", text(&first.stderr));
    let printed = text(&first.stdout);
    let directory = PathBuf::from(printed.lines().next().unwrap());
    let key = std::fs::read(directory.join("key.pem")).unwrap();

    // No file can become longer than nothing: the log of the run neither, which does not stop it.
    let full = client_config(&up, "trap '' XFSZ; ulimit -f 0; ");

    let told = text(&full.stderr);
    assert_eq!(full.status.code(), Some(1), "{told}");
    assert!(told.contains("File too large"), "{told}");
    assert!(told.contains("cannot write"), "{told}");
    assert_eq!(std::fs::read(directory.join("key.pem")).unwrap(), key);
    let beside = std::fs::read_dir(directory.parent().unwrap()).unwrap();
    assert_eq!(beside.count(), 1, "something is left");
}
