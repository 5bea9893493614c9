//! `launchpad rehearse`, whole: what users see of it.

#![cfg(feature = "fleet")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::process::{Command, Output};

use tempfile::TempDir;

const CONFIG: &str = "apiVersion: launchpad.mirantis.com/mke/v1.6
kind: mke
metadata: {name: mine}
spec:
  hosts:
  - role: manager
    ssh: {address: 10.1.0.1, user: ops, keyPath: /nowhere/key}
  - role: worker
    ssh: {address: 10.1.0.2, user: ops}
    hooks: {apply: {before: [HOOK]}}
  mcr: {channel: stable-25.0}
  mke:
    version: 3.8.8
    adminUsername: admin
    adminPassword: s3cret-of-admin
    installFlags: [--san=mke.example.com]
";

/// A home directory with a configuration in it.
fn home(hook: &str) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(
        home.path().join("launchpad.yaml"),
        CONFIG.replace("HOOK", hook),
    )
    .unwrap();
    home
}

fn rehearse(home: &TempDir, words: &[&str]) -> (String, String, i32) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_launchpad"))
        .arg("rehearse")
        .args(words)
        .env_clear()
        .env("HOME", home.path())
        .current_dir(home.path())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(stdout), text(stderr), status.code().unwrap())
}

/// Leaves out what is real time.
fn without_real_time(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.contains("rehearsed in"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn an_install_is_rehearsed() {
    let home = home("\"true\"");

    let (out, error, status) = rehearse(&home, &[]);

    assert_eq!(status, 0, "{error}");
    for part in [
        "Timeline",
        "Install MKE components",
        "quorum   never lost",
        "It would work",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert!(!out.contains("Not simulated"), "{out}");
    assert!(!format!("{out}{error}").contains("s3cret-of-admin"));
}

#[test]
fn it_writes_nothing_but_its_own_directory() {
    let home = home("\"true\"");

    rehearse(&home, &[]);

    let top: Vec<String> = names(home.path());
    assert_eq!(top, [".mirantis-launchpad", "launchpad.yaml"]);
    let cluster = home.path().join(".mirantis-launchpad/cluster/mine");
    assert_eq!(names(&cluster), ["runs"]);
    let runs = names(&cluster.join("runs"));
    assert!(
        runs.len() == 1 && runs[0].contains("-rehearse-apply-"),
        "{runs:?}"
    );
}

fn names(path: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(path).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn equal_seeds_give_equal_rehearsals() {
    let home = home("\"true\"");

    let first = rehearse(&home, &["--seed", "7"]);
    let second = rehearse(&home, &["--seed", "7"]);

    assert_eq!(without_real_time(&first.0), without_real_time(&second.0));
}

#[test]
fn chance_is_told_as_the_scenario_that_repeats_it() {
    let home = home("\"true\"");
    let chance = home.path().join("chance.yaml");
    std::fs::write(&chance, "random-events: 2\n").unwrap();

    let (out, _, status) = rehearse(&home, &["--scenario", "chance.yaml", "--seed", "4"]);

    let (_, drawn) = out.split_once("repeats it)\n").unwrap();
    let lines = drawn.lines().take_while(|line| line.starts_with("  "));
    let drawn: String = lines.map(|line| format!("{}\n", &line[2..])).collect();
    assert_eq!(drawn.matches("do: ").count(), 2, "{drawn}");
    std::fs::write(&chance, drawn).unwrap();
    let (again, _, same) = rehearse(&home, &["--scenario", "chance.yaml", "--seed", "4"]);
    assert_eq!(same, status);
    let (before, _) = out.split_once("\nDrawn by chance").unwrap();
    assert!(again.starts_with(before), "{out}\n{again}");
}

#[test]
fn events_that_never_happened_are_told() {
    let home = home("\"true\"");
    let scenario = "events: [{at: 9h, host: 10.1.0.1, do: reboot}]\n";
    std::fs::write(home.path().join("late.yaml"), scenario).unwrap();

    let (out, _, status) = rehearse(&home, &["--scenario", "late.yaml"]);

    assert_eq!(status, 0, "{out}");
    assert!(out.contains("Never happened"), "{out}");
    assert!(out.contains("do: reboot"), "{out}");
}

#[test]
fn an_unknown_program_of_a_hook_is_told_and_with_strict_it_fails() {
    let home = home("frobnicate --all");

    let (out, _, status) = rehearse(&home, &[]);
    let (_, strict, strict_status) = rehearse(&home, &["--strict"]);

    assert_eq!(status, 0, "{out}");
    assert!(
        out.contains("frobnicate: taken to succeed without effect"),
        "{out}"
    );
    assert_eq!(strict_status, 1, "{strict}");
}

#[test]
fn a_hook_that_would_fail_fails() {
    let home = home("test -e /nowhere");

    let (out, error, status) = rehearse(&home, &[]);

    assert_eq!(status, 1, "{error}");
    assert!(out.contains("It would fail"), "{out}");
}

#[test]
fn a_scenario_disturbs_an_installed_cluster() {
    let home = home("\"true\"");
    let scenario = "events:\n- {at: 1s, host: 10.1.0.2, do: restart-sshd}\n";
    std::fs::write(home.path().join("storm.yaml"), scenario).unwrap();

    let (out, error, status) =
        rehearse(&home, &["--from", "installed", "--scenario", "storm.yaml"]);

    assert_eq!(status, 0, "{error}");
    assert!(out.contains("nothing that runs was restarted"), "{out}");
}

#[test]
fn a_reset_is_rehearsed() {
    let home = home("\"true\"");

    let (out, error, status) = rehearse(&home, &["--from", "installed", "--command", "reset"]);

    assert_eq!(status, 0, "{error}");
    assert!(out.contains("destroy"), "{out}");
}

#[test]
fn bad_input_is_refused_before_anything_is_simulated() {
    let home = home("\"true\"");
    let write = |name: &str, text: &str| std::fs::write(home.path().join(name), text).unwrap();
    write(
        "unknown.yaml",
        "events:\n- {at: 1s, host: 10.1.0.2, do: explode}\n",
    );
    write(
        "nobody.yaml",
        "events:\n- {at: 1s, host: 10.1.0.9, do: reboot}\n",
    );
    write("system.yaml", "hosts:\n- {host: 10.1.0.2, os: plan-9}\n");
    let windows = CONFIG.replace("HOOK", "\"true\"").replace(
        "ssh: {address: 10.1.0.2, user: ops}",
        "winRM: {address: 10.1.0.2, user: Administrator, password: pass-word}",
    );
    write("windows.yaml", &windows);

    for (words, part) in [
        (["--scenario", "unknown.yaml"], "explode"),
        (["--scenario", "nobody.yaml"], "there is no host `10.1.0.9`"),
        (
            ["--scenario", "system.yaml"],
            "there is no profile `plan-9`",
        ),
        (
            ["--config", "windows.yaml"],
            "Windows cannot be rehearsed yet",
        ),
    ] {
        let (out, error, status) = rehearse(&home, &words);

        assert_eq!(status, 2, "{words:?}: {error}");
        assert!(error.contains(part), "{words:?}: {error}");
        assert_eq!(out, "", "{words:?}");
    }
}

#[test]
fn an_install_is_rehearsed_on_hosts_with_openrc() {
    let home = home("/usr/sbin/rc-service --list, /usr/sbin/rc-update show, rc-status");
    let scenario = "hosts:\n- {host: 10.1.0.1, init: openrc}\n- {host: 10.1.0.2, init: openrc}\n";
    std::fs::write(home.path().join("openrc.yaml"), scenario).unwrap();
    let rocky = "hosts:\n- {host: 10.1.0.2, os: rocky-9, init: openrc}\n";
    std::fs::write(home.path().join("rocky.yaml"), rocky).unwrap();

    let (out, error, status) = rehearse(&home, &["--scenario", "openrc.yaml"]);
    let refused = rehearse(&home, &["--scenario", "rocky.yaml"]);

    assert_eq!(status, 0, "{out}{error}");
    assert!(out.contains("It would work"), "{out}");
    assert_eq!(refused.2, 2, "{}", refused.1);
    assert!(
        refused.1.contains("there is no OpenRC for `rocky-9`"),
        "{}",
        refused.1
    );
}

#[test]
fn hosts_behind_the_systems_openssh_are_rehearsed_without_it() {
    let home = home("\"true\"");
    let config = CONFIG.replace("HOOK", "\"true\"").replace(
        "ssh: {address: 10.1.0.2, user: ops}",
        "openSSH: {address: worker-two, user: ops, configPath: /nowhere/config}",
    );
    std::fs::write(home.path().join("open.yaml"), config).unwrap();

    // There is no PATH, so there is no `ssh`.
    let (_, error, status) = rehearse(&home, &["--config", "open.yaml"]);

    assert_eq!(status, 0, "{error}");
    assert!(error.contains("worker-two"), "{error}");
}

#[test]
fn without_a_configuration_there_is_an_example() {
    let home = tempfile::tempdir().unwrap();

    let (out, error, status) = rehearse(&home, &[]);

    assert_eq!(status, 0, "{error}");
    assert!(
        error.contains("built-in example of 3 managers and 5 workers"),
        "{error}"
    );
    assert!(out.contains("10.0.0.25"), "{out}");
}

#[test]
fn an_install_and_a_reset_are_rehearsed_on_every_family() {
    let home = home("\"true\"");
    let systems = [
        ("rocky-9", "amd64"),
        ("sles-15.5", "amd64"),
        ("rhel-8", "amd64"),
        ("ol-9", "arm64"),
        ("sles-12.5", "amd64"),
        ("centos-10", "amd64"),
        ("ubuntu-24.04", "arm64"),
    ];
    let (mut hosts, mut traits) = (String::new(), "hosts:\n".to_owned());
    for (index, (os, architecture)) in systems.iter().enumerate() {
        let role = if index == 0 { "manager" } else { "worker" };
        let address = format!("10.1.0.{}", index + 1);
        hosts.push_str(&format!(
            "  - role: {role}\n    ssh: {{address: {address}, user: ops}}\n"
        ));
        traits.push_str(&format!(
            "- host: {address}\n  os: {os}\n  architecture: {architecture}\n"
        ));
    }
    let (before, rest) = CONFIG.split_once("  - role: manager\n").unwrap();
    let (_, after) = rest.split_once("  mcr:").unwrap();
    let config = format!("{before}{hosts}  mcr:{after}");
    std::fs::write(home.path().join("launchpad.yaml"), config).unwrap();
    std::fs::write(home.path().join("scenario.yaml"), traits).unwrap();

    let scenario = ["--scenario", "scenario.yaml"];
    for more in [&[][..], &["--command", "reset", "--from", "installed"]] {
        let (out, error, status) = rehearse(&home, &[&scenario[..], more].concat());

        assert_eq!(status, 0, "{more:?}: {out}{error}");
        assert!(out.contains("It would work"), "{more:?}: {out}");
        assert!(!out.contains("Not simulated"), "{more:?}: {out}");
    }
}
