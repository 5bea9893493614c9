//! Ansible, with the inventory of the fleet: what it does without Python on the hosts, and how it says
//! that the rest needs Python.

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Bench, Check, ensure_same, ensure_so};
use crate::command::{Cmd, Finished};
use crate::paths::write_mode;

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("raw on every host, over the bastion, too", |bench| {
        Box::pin(raw(bench))
    }),
    ("raw as root", |bench| Box::pin(become_root(bench))),
    ("groups of the inventory", |bench| Box::pin(groups(bench))),
    ("script in each way of transfer", |bench| {
        Box::pin(script(bench))
    }),
    ("transfers and their contents", |bench| {
        Box::pin(transfers(bench))
    }),
    ("command and copy want Python", |bench| {
        Box::pin(python(bench))
    }),
];

/// `raw` is a line of the user's shell on a terminal.
const HOSTS: &[(&str, &str)] = &[
    ("bastion1", "ubuntu"),
    ("m1", "ubuntu"),
    ("w1", "ubuntu"),
    ("w2", "rocky"),
    ("w3", "sles"),
    ("w4", "ubuntu"),
];

fn ansible(bench: &Bench, words: &[&str]) -> Cmd {
    Cmd::new("ansible")
        .arg("-i")
        .arg(bench.sim.file("inventory.yaml"))
        .args(words)
        .env("ANSIBLE_HOME", bench.path("ansible"))
        .env("ANSIBLE_NOCOLOR", "1")
        .env("ANSIBLE_LOCAL_TEMP", bench.path("ansible-local"))
        .env("ANSIBLE_CALLBACK_RESULT_FORMAT", "json")
        .env("ANSIBLE_SSH_RETRIES", "0")
        .env("LC_ALL", "C.UTF-8")
}

/// Runs an action on hosts; returns the result of each as Ansible has kept it.
async fn results(bench: &Bench, words: &[&str]) -> Result<(Finished, Vec<(String, Value)>)> {
    let tree = tempfile::tempdir_in(&bench.directory)?;
    let finished = ansible(bench, words)
        .arg("--tree")
        .arg(tree.path())
        .finish()
        .await?;
    let mut found = Vec::new();
    for entry in std::fs::read_dir(tree.path())? {
        let entry = entry?;
        let text = std::fs::read_to_string(entry.path())?;
        let value = serde_json::from_str(&text).context("a result that is no JSON")?;
        found.push((entry.file_name().to_string_lossy().into_owned(), value));
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    Ok((finished, found))
}

async fn raw(bench: &Bench) -> Result<()> {
    let line = "echo $(hostname) $(id -un) && tty >/dev/null && echo terminal && exit 3";
    let (finished, found) = results(bench, &["all", "-m", "raw", "-a", line]).await?;

    ensure_same("hosts", found.len(), HOSTS.len())?;
    for ((host, result), (expected, user)) in found.iter().zip(HOSTS) {
        ensure_same("the host", host.as_str(), *expected)?;
        let out = format!("{host} {user}\r\nterminal\r\n");
        ensure_same(
            "what it says",
            result["stdout"].as_str(),
            Some(out.as_str()),
        )?;
        ensure_same("its status", result["rc"].as_i64(), Some(3))?;
    }
    ensure_same("the status of ansible", finished.code(), 2)
}

async fn become_root(bench: &Bench) -> Result<()> {
    let line = "umask 027; echo raw > /etc/raw; uptime";
    let words = ["m1:w2:w3", "--become", "-m", "raw", "-a", line];
    let (finished, found) = results(bench, &words).await?;

    ensure_so(
        finished.code() == 0 && found.len() == 3,
        "it succeeds",
        &finished,
    )?;
    for (host, result) in found {
        let said = result["stdout"].as_str().unwrap_or_default();
        ensure_so(
            said.contains(",  0 users,  load average: 0."),
            "uptime",
            said,
        )?;
        let kept = bench
            .sim
            .root(&host, "stat -c '%U %a' /etc/raw; cat /etc/raw")
            .await?;
        ensure_same("the file", kept.as_str(), "root 640\nraw\n")?;
    }
    Ok(())
}

async fn groups(bench: &Bench) -> Result<()> {
    for (group, expected) in [
        ("managers", "m1"),
        ("bastions", "bastion1"),
        ("workers[3]", "w4"),
    ] {
        let (_, found) = results(bench, &[group, "-m", "raw", "-a", "hostname"]).await?;
        let names: Vec<&str> = found.iter().map(|(host, _)| host.as_str()).collect();
        ensure_same("the hosts of the group", names, vec![expected])?;
    }
    Ok(())
}

async fn script(bench: &Bench) -> Result<()> {
    let path = bench.path("judge.sh");
    let text = "#!/bin/sh\necho \"$1 on $(hostname)\"; stat -c %a \"$0\" > /tmp/mode; exit 4\n";
    write_mode(&path, text, 0o755)?;
    let words = format!("{} hello", path.display());
    // What is piped has no mode of its own.
    for (method, mode) in [("sftp", "755"), ("scp", "755"), ("piped", "744")] {
        let method = format!("ansible_ssh_transfer_method={method}");
        let words = ["w1:w4", "-m", "script", "-a", &words, "-e", &method];
        let (_, found) = results(bench, &words).await?;
        ensure_same("hosts", found.len(), 2)?;
        for (host, result) in found {
            let out = format!("hello on {host}\r\n");
            ensure_same(
                "what it says",
                result["stdout"].as_str(),
                Some(out.as_str()),
            )?;
            ensure_same("its status", result["rc"].as_i64(), Some(4))?;
            let script = "cat /tmp/mode; rm /tmp/mode; ls ~ubuntu/.ansible/tmp | wc -l";
            let kept = bench.sim.root(&host, script).await?;
            let expected = format!("{mode}\n0\n");
            ensure_same("its mode, and what is left of it", kept, expected)?;
        }
    }
    Ok(())
}

/// The plugin of connections alone puts and fetches files, as its actions do.
async fn transfers(bench: &Bench) -> Result<()> {
    let sent = bench.path("transfer");
    let text: String = (0..40_000).map(|number| format!("{number}\n")).collect();
    write_mode(&sent, &text, 0o644)?;
    let play = bench.path("transfer.py");
    write_mode(&play, include_str!("transfer.py"), 0o644)?;
    let here = Cmd::new("sha256sum").arg(&sent).run().await?.stdout;
    for method in ["sftp", "scp", "piped"] {
        let back = bench.path(&format!("transfer-{method}"));
        let there = format!("/tmp/transfer-{method}");
        Cmd::new("python3")
            .arg(&play)
            .args([method, "w2"])
            .arg(bench.sim.file("ssh_config"))
            .arg(&sent)
            .arg(&there)
            .arg(&back)
            .run()
            .await?;
        let kept = bench
            .sim
            .root("w2", &format!("sha256sum < {there}"))
            .await?;
        ensure_same(
            "the sum on the host",
            kept.split(' ').next(),
            here.split(' ').next(),
        )?;
        ensure_so(
            std::fs::read_to_string(&back)? == text,
            "what comes back",
            method,
        )?;
    }
    Ok(())
}

async fn python(bench: &Bench) -> Result<()> {
    let (_, found) = results(bench, &["w1", "-m", "command", "-a", "uptime"]).await?;
    let (_, result) = found.first().context("no result")?;
    ensure_same(
        "the message",
        result["msg"].as_str(),
        Some("The module interpreter '/usr/bin/python3' was not found."),
    )?;
    ensure_same("the status", result["rc"].as_i64(), Some(127))?;
    ensure_same(
        "what the shell of the host says",
        result["module_stdout"].as_str(),
        Some("/bin/sh: 1: /usr/bin/python3: not found\r\n"),
    )?;
    let (finished, found) = results(bench, &["w2", "-m", "command", "-a", "uptime"]).await?;
    let (_, result) = found.first().context("no result")?;
    ensure_same(
        "that of Rocky Linux",
        result["module_stdout"].as_str(),
        Some("/bin/sh: line 1: /usr/bin/python3: No such file or directory\r\n"),
    )?;
    let is_warned = finished
        .stderr
        .contains("No python interpreters found for host 'w2'");
    ensure_so(is_warned, "the warning", &finished.stderr)?;

    let words = ["w1", "-m", "copy", "-a", "content=x dest=/tmp/copied"];
    let (_, found) = results(bench, &words).await?;
    let (_, result) = found.first().context("no result")?;
    let said = result["msg"].as_str().unwrap_or_default();
    let is_said = said.contains("Failed to get information on remote file (/tmp/copied)");
    ensure_so(is_said, "the message of copy", said)?;
    let kept = bench
        .sim
        .root("w1", "test -e /tmp/copied || echo none")
        .await?;
    ensure_same("the file", kept.as_str(), "none\n")
}
