//! The clients of OpenSSH, rsync's and curl's, as Debian has them.

mod forward;
mod system;
mod transfer;

use anyhow::{Context, Result};

use super::{Bench, Check, ensure_same, ensure_so};
use crate::command::Cmd;
use crate::paths::write_mode;

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("status, stdout, stderr and stdin of a command", |bench| {
        Box::pin(commands(bench))
    }),
    ("the end of a command by a signal", |bench| {
        Box::pin(signals(bench))
    }),
    ("a terminal and its size", |bench| Box::pin(terminal(bench))),
    ("jumps over a bastion", |bench| Box::pin(jumps(bench))),
    ("keys of hosts", |bench| Box::pin(keys(bench))),
    ("many sessions on one connection", |bench| {
        Box::pin(control_master(bench))
    }),
    ("the API of MKE through a forwarded port", |bench| {
        Box::pin(forward::forward(bench))
    }),
    ("a registry through a forwarded port", |bench| {
        Box::pin(forward::registry(bench))
    }),
    ("the engine and its swarm, over ssh", |bench| {
        Box::pin(engine(bench))
    }),
    ("ssh-copy-id, and a login by that key", |bench| {
        Box::pin(copy_id(bench))
    }),
    ("a login that asks again", |bench| {
        Box::pin(asked_again(bench))
    }),
    ("scp in both protocols", |bench| {
        Box::pin(transfer::scp(bench))
    }),
    ("a batch of sftp", |bench| Box::pin(transfer::sftp(bench))),
    ("a transfer that goes on where it broke off", |bench| {
        Box::pin(transfer::resumed(bench))
    }),
    ("tar over ssh", |bench| Box::pin(transfer::tar(bench))),
    ("rsync to a host that has none", |bench| {
        Box::pin(transfer::rsync(bench))
    }),
    ("a /tmp that runs no programs", |bench| {
        Box::pin(system::noexec(bench))
    }),
    ("the mode of SELinux", |bench| {
        Box::pin(system::selinux(bench))
    }),
    ("services of a host with OpenRC", |bench| {
        Box::pin(system::openrc(bench))
    }),
    ("packages for another processor", |bench| {
        Box::pin(system::processor(bench))
    }),
    ("a host that boots anew", |bench| {
        Box::pin(system::reboot(bench))
    }),
    ("what happens on hosts meanwhile takes no years", |bench| {
        Box::pin(system::clock(bench))
    }),
];

async fn commands(bench: &Bench) -> Result<()> {
    let came = bench
        .sim
        .ssh("m1", "echo out; echo err >&2; exit 7")
        .await?;
    let said = (came.code(), came.stdout.as_str(), came.stderr.as_str());
    ensure_same("a command", said, (7, "out\n", "err\n"))?;

    let text = "line\n".repeat(50_000);
    let sent = bench
        .sim
        .client("ssh")
        .args(["w2", "tee /tmp/sent; exit 0"]);
    let sent = sent.input(text.clone()).run().await?;
    ensure_so(
        sent.stdout == text,
        "what was sent comes back",
        sent.stdout.len(),
    )?;
    let kept = bench
        .sim
        .root("w2", "wc -c < /tmp/sent; stat -c '%U %a' /tmp/sent")
        .await?;
    ensure_same("what was sent", kept.as_str(), "250000\nrocky 644\n")?;
    // The client has a window of 2 MiB.
    let long = bench.sim.ssh("w3", "seq 1000000").await?;
    let numbers: String = (1..=1_000_000)
        .map(|number| format!("{number}\n"))
        .collect();
    ensure_so(
        long.stdout == numbers,
        "an answer of three windows",
        long.stdout.len(),
    )?;

    let missing = bench.sim.ssh("w3", "no-such-program").await?;
    ensure_same("the status of what is missing", missing.code(), 127)?;
    ensure_so(
        missing
            .stderr
            .contains("no-such-program: command not found"),
        "a program that is missing",
        missing,
    )
}

async fn signals(bench: &Bench) -> Result<()> {
    let killed = bench.sim.client("ssh").args(["-v", "m1", "kill -TERM $$"]);
    let killed = killed.finish().await?;

    ensure_same("the status", killed.code(), 255)?;
    ensure_so(
        killed.stderr.contains("rtype exit-signal"),
        "how it ended",
        &killed.stderr,
    )?;
    let inner = bench
        .sim
        .ssh("m1", "sh -c 'kill -KILL $$'; echo $?")
        .await?;
    ensure_same("as a shell on the host sees it", inner.text(), "137")
}

/// `script` gives `ssh` a terminal of this machine.
async fn terminal(bench: &Bench) -> Result<()> {
    let line = format!(
        "stty rows 37 cols 123; {} -tt m1 'stty size; test -t 0 && echo $TERM; exit 5'",
        bench.sim.ssh_line()
    );
    // At the end of its input `script` would type something: its input is a pipe that has no end.
    let script = "mkfifo \"$1\"; script --quiet --return --command \"$2\" /dev/null <>\"$1\"";
    let shown = Cmd::new("sh")
        .args(["-c", script, "sh"])
        .arg(bench.path("typed"))
        .arg(&line)
        .env("TERM", "xterm-256color");
    let shown = shown.finish().await?;

    ensure_same("the status", shown.code(), 5)?;
    let expected = "37 123\r\nxterm-256color\r\n";
    ensure_so(
        shown.stdout.contains(expected),
        "the terminal",
        &shown.stdout,
    )?;
    let without = bench
        .sim
        .ssh("m1", "test -t 0 || echo none; stty size")
        .await?;
    ensure_same("without one", without.text(), "none")?;
    ensure_same("its status", without.code(), 1)
}

async fn jumps(bench: &Bench) -> Result<()> {
    for arguments in [
        &["w4", "hostname"][..],
        &["-J", "bastion1", "w4", "hostname"],
    ] {
        let came = bench.sim.client("ssh").args(arguments).run().await?;
        ensure_same("the host behind the bastion", came.text(), "w4")?;
    }
    let (address, _) = bench.sim.address("w4").await?;
    ensure_same(
        "which is not reached directly",
        address.as_str(),
        "10.0.0.24",
    )
}

async fn keys(bench: &Bench) -> Result<()> {
    let known = std::fs::read_to_string(bench.sim.file("known_hosts"))?;
    let key = |line: &str| {
        let words: Vec<String> = line.split(' ').skip(1).map(str::to_owned).collect();
        words.join(" ")
    };
    for host in ["m1", "w2", "bastion1"] {
        let (address, port) = bench.sim.address(host).await?;
        let scanned = Cmd::new("ssh-keyscan").args(["-p", &port, &address]).run();
        let scanned = scanned.await?.stdout;
        let mut shown: Vec<String> = scanned.lines().map(key).collect();
        shown.sort();
        let of_it = known
            .lines()
            .filter(|line| line.starts_with(&format!("{host},")));
        let mut known: Vec<String> = of_it.map(key).collect();
        known.sort();
        ensure_same("the keys that it shows", shown, known)?;
    }
    let path = "/etc/ssh/ssh_host_ed25519_key.pub";
    let kept = bench
        .sim
        .root("m1", &format!("cut -d' ' -f2 {path}"))
        .await?;
    ensure_so(known.contains(kept.trim()), "the key in its file", kept)
}

async fn control_master(bench: &Bench) -> Result<()> {
    let socket = bench.path("master");
    let master = |words: &[&str]| {
        let cmd = bench.sim.client("ssh").arg("-S").arg(&socket).args(words);
        cmd.args(["w1"])
    };
    let line = format!(
        "{} -M -S {} -f -N w1 >/dev/null 2>&1 </dev/null",
        bench.sim.ssh_line(),
        socket.display()
    );
    Cmd::new("sh").args(["-c", &line]).run().await?;
    // `w1` allows three sessions on a connection; the one of `-N` is none.
    let one = || master(&[]).arg("echo begun; cat");
    let (mut waiting, mut outs) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let mut child = one().spawn()?;
        let mut out = child.stdout.take().context("no output")?;
        let mut begun = [0; 6];
        tokio::io::AsyncReadExt::read_exact(&mut out, &mut begun).await?;
        waiting.push(child);
        outs.push(out);
    }
    let fourth = bench
        .sim
        .client("ssh")
        .arg("-S")
        .arg(&socket)
        .args([
            "-o",
            "ControlMaster=no",
            "-o",
            "BatchMode=yes",
            "-v",
            "w1",
            "true",
        ])
        .finish()
        .await?;
    ensure_so(
        fourth.stderr.contains("Session open refused by peer"),
        "a fourth session",
        &fourth.stderr,
    )?;
    let running = bench.sim.root("w1", "pgrep -c -x cat").await?;
    ensure_same("how many wait", running.as_str(), "3\n")?;
    for mut child in waiting {
        drop(child.stdin.take());
        ensure_so(child.wait().await?.success(), "a session that ends", ())?;
    }
    master(&["-O", "check"]).run().await?;
    master(&["-O", "exit"]).run().await?;
    Ok(())
}

/// What one host is told, another one knows.
async fn engine(bench: &Bench) -> Result<()> {
    let told = "sudo docker node update --label-add tier=front --availability pause w2";
    let told = bench.sim.ssh("m1", told).await?;
    ensure_same("a label", (told.code(), told.text()), (0, "w2"))?;
    let format = "{{.Spec.Availability}} {{index .Spec.Labels \"tier\"}}";
    let line = format!("docker node inspect --format '{format}' w2");
    let kept = bench.sim.root("m1", &line).await?;
    ensure_same("the label of the node", kept.as_str(), "pause front\n")?;

    let line = "sudo docker run -d --name judged --env TIER=front --label judged=yes alpine \
                sleep infinity";
    let run = bench.sim.ssh("w1", line).await?;
    ensure_so(
        run.code() == 0 && run.text().len() == 64,
        "a container",
        &run,
    )?;
    let script = "docker inspect --format '{{.State.Running}} {{.Config.Labels.judged}}' judged; \
                  docker exec judged printenv TIER; docker ps -q --no-trunc --filter name=judged";
    let kept = bench.sim.root("w1", script).await?;
    let expected = format!("true yes\nfront\n{}\n", run.text());
    ensure_same("the container", kept, expected)?;
    let removed = bench.sim.ssh("w1", "sudo docker rm -f judged").await?;
    ensure_same("its end", (removed.code(), removed.text()), (0, "judged"))?;
    let left = bench.sim.ssh("w1", "sudo docker inspect judged").await?;
    ensure_same("what is left", left.code(), 1)
}

/// `w1` takes passwords, too.
async fn copy_id(bench: &Bench) -> Result<()> {
    let key = bench.path("another");
    Cmd::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "another", "-f"])
        .arg(&key)
        .run()
        .await?;
    let told = std::fs::read_to_string(bench.sim.file("ssh_config"))?;
    let is_kept = |line: &&str| !line.contains("Identit");
    let told: Vec<&str> = told.lines().filter(is_kept).collect();
    let config = bench.path("without-key");
    write_mode(&config, told.join("\n"), 0o600)?;
    let answers = bench.path("askpass");
    write_mode(&answers, "#!/bin/sh\necho \"$PASSWORD\"\n", 0o700)?;
    std::fs::create_dir(bench.path(".ssh"))?;
    let by_password = |program: &str, password: &str| {
        Cmd::new("setsid")
            .args(["--wait", program, "-F"])
            .arg(&config)
            .env("SSH_ASKPASS", &answers)
            .env("SSH_ASKPASS_REQUIRE", "force")
            .env("SSH_AUTH_SOCK", "")
            .env("HOME", &bench.directory)
            .env("PASSWORD", password)
    };
    let identity = |cmd: Cmd| {
        let cmd = cmd.args([
            "-o",
            "IdentitiesOnly=yes",
            "-o",
            "PasswordAuthentication=no",
            "-i",
        ]);
        cmd.arg(&key).args(["w1", "id -un"])
    };

    let before = identity(by_password("ssh", "")).finish().await?;
    ensure_so(
        before.stderr.contains("Permission denied"),
        "before",
        &before,
    )?;
    let wrong = by_password("ssh", "guessed")
        .args(["w1", "true"])
        .finish()
        .await?;
    ensure_so(
        wrong.stderr.contains("Permission denied"),
        "a wrong password",
        &wrong,
    )?;
    let copied = by_password("ssh-copy-id", "a-password")
        .arg("-i")
        .arg(&key)
        .arg("w1");
    let copied = copied.finish().await?;
    ensure_so(copied.code() == 0, "ssh-copy-id", &copied)?;
    ensure_so(
        copied.stdout.contains("Number of key(s) added: 1"),
        "it says so",
        &copied,
    )?;
    let after = identity(by_password("ssh", "")).run().await?;
    ensure_same("after", after.text(), "ubuntu")?;

    let script = "stat -c '%a %U' ~ubuntu/.ssh ~ubuntu/.ssh/authorized_keys; \
                  grep -c another ~ubuntu/.ssh/authorized_keys";
    let kept = bench.sim.root("w1", script).await?;
    ensure_same("on the host", kept.as_str(), "700 ubuntu\n600 ubuntu\n1\n")
}

/// `w3` asks for passwords by keyboard-interactive: as often as OpenSSH's client wants to be asked.
async fn asked_again(bench: &Bench) -> Result<()> {
    let (answers, asked) = (bench.path("second"), bench.path("asked"));
    let script = "#!/bin/sh\necho \"$1\" >> \"$ASKED\"\n\
                  [ $(wc -l < \"$ASKED\") = 1 ] && echo guessed || echo a-password\n";
    write_mode(&answers, script, 0o700)?;
    let login = |prompts: &str| {
        bench
            .sim
            .client("ssh")
            .args(["-o", "PreferredAuthentications=keyboard-interactive"])
            .args(["-o", "BatchMode=no", "-o", prompts, "w3", "id -un"])
            .env("SSH_ASKPASS", &answers)
            .env("SSH_ASKPASS_REQUIRE", "force")
            .env("ASKED", &asked)
    };

    let once = login("NumberOfPasswordPrompts=1").finish().await?;
    ensure_same("asked once", once.code(), 255)?;
    std::fs::remove_file(&asked)?;
    let twice = login("NumberOfPasswordPrompts=2").finish().await?;
    ensure_so(twice.code() == 0, "asked twice", &twice)?;
    ensure_same("who it is", twice.text(), "sles")?;
    let questions = std::fs::read_to_string(&asked)?;
    ensure_same("how often it asked", questions.lines().count(), 2)
}
