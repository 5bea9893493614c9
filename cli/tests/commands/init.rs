//! `init` and `schema`: a first configuration, and what editors are told of it.

use std::collections::VecDeque;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};

use cli::world::Ask;
use secrecy::SecretString;
use tokio::sync::mpsc::unbounded_channel;

use super::*;

/// A person who has made up her mind.
struct Person {
    answers: Mutex<VecDeque<&'static str>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Ask for Person {
    fn secret(&self, _: &str) -> io::Result<Option<SecretString>> {
        Ok(None)
    }

    fn line(&self, question: &str) -> io::Result<Option<String>> {
        self.asked.lock().unwrap().push(question.to_owned());
        let answer = self.answers.lock().unwrap().pop_front();
        Ok(answer.map(str::to_owned))
    }
}

/// A command that was answered.
struct Held {
    status: u8,
    stdout: String,
    stderr: String,
    asked: Vec<String>,
    home: tempfile::TempDir,
}

/// Runs `init` in a directory of its own; without answers, nobody is there to ask.
async fn init(home: tempfile::TempDir, line: &str, answers: &[&'static str]) -> Held {
    let (stdout, stderr) = (Recording::default(), Recording::default());
    let work = home.path().join("work");
    std::fs::create_dir_all(&work).unwrap();
    let setting = Setting {
        environment: BTreeMap::new(),
        home: Some(home.path().to_owned()),
        current_dir: work,
        config: None,
        stdout: Stream::in_memory(stdout.clone()),
        stderr: Stream::in_memory(stderr.clone()),
        seed: 1,
        signals: None,
    };
    let fleet = nobody();
    let mut world = rehearsal::world(&fleet, setting);
    world.is_rehearsal = false;
    let asked = Arc::new(Mutex::new(Vec::new()));
    if !answers.is_empty() {
        world.ask = Arc::new(Person {
            answers: Mutex::new(answers.iter().copied().collect()),
            asked: Arc::clone(&asked),
        });
    }
    let words = std::iter::once("launchpad").chain(line.split(' '));
    let words: Vec<OsString> = words.map(Into::into).collect();
    let status = Box::pin(cli::run(world, words)).await;
    let asked = asked.lock().unwrap().clone();
    Held {
        status,
        stdout: stdout.text(),
        stderr: stderr.text(),
        asked,
        home,
    }
}

fn home() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Returns the warnings of a configuration that loads, and the configuration as it is used.
async fn described(text: &str) -> (String, String) {
    let ran = run(&nobody(), text, "describe config").await;
    assert_eq!(ran.status, 0, "{}\n{text}", ran.stderr);
    (ran.stderr, ran.stdout)
}

#[tokio::test]
async fn without_a_person_and_flags_the_template_says_what_is_to_be_done() {
    let held = init(home(), "init", &[]).await;

    assert_eq!(held.status, 0, "{}", held.stderr);
    assert!(
        held.stderr.contains("2 lines are left to be done"),
        "{}",
        held.stderr
    );
    let (warnings, _) = described(&held.stdout).await;
    assert_eq!(
        warnings.matches("warning[LP-C0086]: to do: ").count(),
        2,
        "{warnings}"
    );
}

#[tokio::test]
async fn flags_say_it_all() {
    let line = "init -k mke --name prod --hosts 10.0.0.1-10.0.0.3 --hosts node[1-2].example.com \
                --user ops --key ~/.ssh/prod --managers 3 --mke-version 3.9.2 -a -u \
                --disable-telemetry";
    let held = init(home(), line, &["nobody asks"]).await;

    assert_eq!((held.status, held.asked.len()), (0, 0), "{}", held.stderr);
    let (_, shown) = described(&held.stdout).await;
    assert_eq!(shown.matches("role: manager").count(), 3, "{shown}");
    assert_eq!(shown.matches("user: ops").count(), 5, "{shown}");
    assert!(shown.contains("channel: stable-29.2"), "{shown}");
    assert!(shown.contains("name: prod"), "{shown}");
}

#[tokio::test]
async fn an_inventory_gives_hosts_and_roles() {
    let home = home();
    std::fs::create_dir(home.path().join("work")).unwrap();
    let text = "[managers]\nm1 ansible_host=10.0.0.1\n[workers]\nw[1:2].example.com\n";
    std::fs::write(home.path().join("work/hosts.ini"), text).unwrap();

    let held = init(home, "init --inventory hosts.ini --user ops", &[]).await;

    assert_eq!(held.status, 0, "{}", held.stderr);
    assert_eq!(
        held.stdout.matches("- role: manager").count(),
        1,
        "{}",
        held.stdout
    );
    assert!(
        held.stdout.contains("address: w2.example.com"),
        "{}",
        held.stdout
    );
}

#[tokio::test]
async fn an_interview_asks_for_what_flags_do_not_say() {
    let home = home();
    std::fs::create_dir(home.path().join(".ssh")).unwrap();
    for (name, text) in [
        ("id_rsa", "-----BEGIN OPENSSH PRIVATE KEY-----\n"),
        ("id_ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----\n"),
        ("id_ed25519.pub", "ssh-ed25519 AAAA\n"),
    ] {
        std::fs::write(home.path().join(".ssh").join(name), text).unwrap();
    }
    let answers = [
        "",
        "three",
        "3.8.9",
        "10.0.0.300",
        "10.0.0.1-10.0.0.4",
        "ops",
        "",
        "1",
        "2",
        "",
    ];

    let held = init(home, "init --name east", &answers[1..]).await;

    assert_eq!(held.status, 0, "{}", held.stderr);
    assert_eq!(
        held.asked,
        [
            "Version of MKE [3.8.8]: ",
            "Version of MKE [3.8.8]: ",
            "Hosts (10.0.0.11-10.0.0.15, node[01-05].example.com, or a file with one on each line) \
             [later]: ",
            "Hosts (10.0.0.11-10.0.0.15, node[01-05].example.com, or a file with one on each line) \
             [later]: ",
            "Login user of the hosts [root]: ",
            "Private key [~/.ssh/id_ed25519]: ",
            "Hosts for Mirantis Secure Registry [0]: ",
            "Managers among 3 hosts [3]: ",
            "Managers among 3 hosts [3]: ",
        ]
    );
    assert!(
        held.stderr.contains("`three` is not a version; once more:"),
        "{}",
        held.stderr
    );
    assert!(
        held.stderr
            .contains("Keys: ~/.ssh/id_ed25519, ~/.ssh/id_rsa"),
        "{}",
        held.stderr
    );
    assert!(
        held.stderr.contains("2 managers cannot outvote"),
        "{}",
        held.stderr
    );
    let (_, shown) = described(&held.stdout).await;
    assert_eq!(shown.matches("role: manager").count(), 3, "{shown}");
    assert_eq!(shown.matches("role: msr").count(), 1, "{shown}");
    assert!(shown.contains("version: 3.8.9"), "{shown}");
}

#[tokio::test]
async fn who_leaves_the_interview_gets_no_file() {
    let held = init(home(), "init --output launchpad.yaml", &["east"]).await;

    assert_eq!(held.status, 1, "{}", held.stderr);
    assert!(
        held.stderr.contains("nothing was changed"),
        "{}",
        held.stderr
    );
    assert_eq!(
        std::fs::read_dir(held.home.path().join("work"))
            .unwrap()
            .count(),
        0
    );
}

#[tokio::test]
async fn a_signal_ends_the_interview_and_leaves_nothing() {
    let home = home();
    std::fs::create_dir(home.path().join("work")).unwrap();
    let (sender, signals) = unbounded_channel();
    sender.send(2).unwrap();
    let setting = Setting {
        environment: BTreeMap::new(),
        home: Some(home.path().to_owned()),
        current_dir: home.path().join("work"),
        config: None,
        stdout: Stream::in_memory(Recording::default()),
        stderr: Stream::in_memory(Recording::default()),
        seed: 1,
        signals: Some(signals),
    };
    let (answer, waits) = std::sync::mpsc::channel();
    let mut world = rehearsal::world(&nobody(), setting);
    world.ask = Arc::new(Silent(Mutex::new(waits)));
    let words = ["launchpad", "init", "--output", "x.yaml"].map(OsString::from);

    let status = Box::pin(cli::run(world, words)).await;
    drop(answer);

    assert_eq!(status, 130);
    assert_eq!(
        std::fs::read_dir(home.path().join("work")).unwrap().count(),
        0
    );
}

/// A person who says nothing until the test is over.
struct Silent(Mutex<std::sync::mpsc::Receiver<()>>);

impl Ask for Silent {
    fn secret(&self, _: &str) -> io::Result<Option<SecretString>> {
        Ok(None)
    }

    fn line(&self, _: &str) -> io::Result<Option<String>> {
        let _ = self.0.lock().unwrap().recv();
        Ok(None)
    }
}

#[tokio::test]
async fn a_file_is_replaced_only_where_that_is_asked_for() {
    let line = "init --hosts 10.0.0.1 --user ops --output launchpad.yaml";
    let first = init(home(), line, &[]).await;
    assert_eq!(first.status, 0, "{}", first.stderr);
    let file = first.home.path().join("work/launchpad.yaml");
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(written.contains("10.0.0.1"), "{written}");
    assert_eq!(first.stdout, "");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0);

    let other = "init --hosts 10.0.0.9 --user ops --output launchpad.yaml";
    let second = init(first.home, other, &[]).await;
    assert_eq!(second.status, 2);
    assert!(
        second
            .stderr
            .contains("is there already: `--force` replaces it"),
        "{}",
        second.stderr
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), written);

    let third = init(second.home, &format!("{other} --force"), &[]).await;
    assert_eq!(third.status, 0, "{}", third.stderr);
    assert!(std::fs::read_to_string(&file).unwrap().contains("10.0.0.9"));
}

#[tokio::test]
async fn what_makes_no_cluster_is_refused_and_nothing_is_printed() {
    for (line, told) in [
        (
            "init --hosts 10.0.0.1-10.0.0.4 --managers 2",
            "use an odd number",
        ),
        (
            "init --hosts 10.0.0.1 --managers 3",
            "3 managers are wanted, and there are 1 hosts",
        ),
        (
            "init --hosts 10.0.0.1 --kind mke+msr",
            "hosts for MSR besides a manager",
        ),
        ("init --hosts 10.0.0.300", "`10.0.0.300` is no host"),
        ("init --hosts 10.0.0.1 --name a/b", "cannot name a cluster"),
        (
            "init --hosts 10.0.0.1 --mke-version new",
            "`new` is not a version",
        ),
        (
            "init --hosts 10.0.0.1 --mke-version 3.8",
            "`3.8` names no release",
        ),
        (
            "init --hosts 10.0.0.1 --channel ../x",
            "`../x` is not a channel",
        ),
        ("init --inventory nothing.ini", "cannot read the inventory"),
        ("init --kind k0s", "invalid value 'k0s'"),
    ] {
        let held = init(home(), line, &[]).await;
        assert_ne!(held.status, 0, "{line}");
        assert!(held.stderr.contains(told), "{line}: {}", held.stderr);
        assert_eq!(held.stdout, "", "{line}");
    }
}

#[tokio::test]
async fn the_schema_is_data() {
    let ran = run(&nobody(), CONFIG, "schema").await;

    let schema: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();

    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    assert_eq!(schema["$id"], config::SCHEMA_URL);
    assert!(schema["$defs"]["mke"]["properties"]["version"].is_object());
}
