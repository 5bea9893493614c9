//! The clients of OpenSSH, rsync's and curl's, as Debian has them.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

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
        Box::pin(forward(bench))
    }),
    ("the engine and its swarm, over ssh", |bench| {
        Box::pin(engine(bench))
    }),
    ("ssh-copy-id, and a login by that key", |bench| {
        Box::pin(copy_id(bench))
    }),
    ("scp in both protocols", |bench| Box::pin(scp(bench))),
    ("a batch of sftp", |bench| Box::pin(sftp(bench))),
    ("a transfer that goes on where it broke off", |bench| {
        Box::pin(resumed(bench))
    }),
    ("tar over ssh", |bench| Box::pin(tar(bench))),
    ("rsync to a host that has none", |bench| {
        Box::pin(rsync(bench))
    }),
    ("what happens on hosts meanwhile takes no years", |bench| {
        Box::pin(clock(bench))
    }),
];

/// When the files that are sent were changed, as `touch` and `stat` have it.
const CHANGED: (&str, &str) = ("2020-01-02T03:04:05Z", "1577934245");

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
    let shown = Cmd::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
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

/// The certificate of MKE is that of the cluster, and names what the configuration asks for.
async fn forward(bench: &Bench) -> Result<()> {
    let script = "cat /var/lib/docker/volumes/ucp-node-certs/_data/ca.pem";
    let authority = bench.path("ca.pem");
    write_mode(&authority, bench.sim.root("m1", script).await?, 0o600)?;
    let socket = bench.path("forward");
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let line = format!(
        "{} -o ExitOnForwardFailure=yes -M -S {} -f -N -L {port}:127.0.0.1:443 m1 \
         >/dev/null 2>&1 </dev/null",
        bench.sim.ssh_line(),
        socket.display()
    );
    Cmd::new("sh").args(["-c", &line]).run().await?;
    let curl = |path: &str| {
        Cmd::new("curl")
            .args([
                "--silent",
                "--show-error",
                "--fail",
                "--max-time",
                "30",
                "--cacert",
            ])
            .arg(&authority)
            .args(["--resolve", &format!("mke.example.com:{port}:127.0.0.1")])
            .arg(format!("https://mke.example.com:{port}{path}"))
    };

    let ping = curl("/_ping").run().await?;
    let login = r#"{"username":"admin","password":"a-rehearsal-needs-no-secret"}"#;
    let login = curl("/auth/login").args(["--data", login]).run().await?;
    let token: serde_json::Value = serde_json::from_str(&login.stdout)?;
    let token = token["auth_token"].as_str().context("no token")?.to_owned();
    let bearer = format!("Authorization: Bearer {token}");
    let nodes = curl("/nodes").args(["--header", &bearer]).run().await?;
    let wrong = curl("/nodes").args(["--header", "Authorization: Bearer x"]);
    let wrong = wrong.finish().await?;
    let stranger = curl("/_ping").args(["--cacert", "/etc/ssl/certs/ca-certificates.crt"]);
    let stranger = stranger.finish().await?;
    let end = bench.sim.client("ssh").arg("-S").arg(&socket);
    end.args(["-O", "exit", "m1"]).run().await?;

    ensure_same("the ping", ping.text(), "OK")?;
    let nodes: serde_json::Value = serde_json::from_str(&nodes.stdout)?;
    let names = |node: &serde_json::Value| node["Description"]["Hostname"].clone();
    let mut names: Vec<_> = nodes
        .as_array()
        .context("no nodes")?
        .iter()
        .map(names)
        .collect();
    names.sort_by_key(ToString::to_string);
    ensure_same("the nodes", names, vec!["m1", "w1", "w2", "w3", "w4"])?;
    ensure_same("without a token", wrong.code(), 22)?;
    ensure_same("to somebody who trusts others", stranger.code(), 60)
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

/// Makes a tree with modes, times and a link.
async fn make_tree(bench: &Bench, name: &str) -> Result<()> {
    let script = "umask 022; mkdir -p \"$1/inner\" && cd \"$1\" && echo one > a && \
                  head -c 300000 /dev/zero | tr '\\0' x > inner/large && \
                  echo '#!/bin/sh' > inner/run && echo > shared && chmod 600 a && chmod 664 shared && \
                  chmod 755 inner/run && ln -s a link && \
                  touch -d \"$2\" a shared inner/large inner/run inner .";
    Cmd::new("sh")
        .args(["-c", script, "sh"])
        .arg(bench.path(name))
        .arg(CHANGED.0)
        .run()
        .await?;
    Ok(())
}

/// Describes a tree: kinds, modes, times, sums.
const DESCRIBE: &str = "cd \"$1\" && find . -type f -exec stat -c '%n %a %Y' {} + | sort && \
                        find . -type f -exec sha256sum {} + | sort -k2";

async fn scp(bench: &Bench) -> Result<()> {
    make_tree(bench, "tree").await?;
    let tree = bench.path("tree");
    let describe = Cmd::new("sh").args(["-c", DESCRIBE, "sh"]).arg(&tree);
    let original = describe.run().await?.stdout;
    for (protocol, name) in [("-O", "old"), ("-s", "sftp")] {
        let there = format!("/tmp/{name}");
        let client = |words: &[&str]| bench.sim.client("scp").arg(protocol).args(words);
        client(&["-q", "-r", "-p"])
            .arg(&tree)
            .arg(format!("m1:{there}"))
            .run()
            .await?;
        let describe = DESCRIBE.replace("\"$1\"", &there);
        // A link is followed, as `scp` does.
        let kept = bench
            .sim
            .root("m1", &format!("rm {there}/link; {describe}"))
            .await?;
        ensure_same("the tree on the host", kept.as_str(), original.as_str())?;

        let back = bench.path(&format!("back-{name}"));
        client(&["-q", "-r", "-p"])
            .arg(format!("m1:{there}"))
            .arg(&back)
            .run()
            .await?;
        let describe = Cmd::new("sh").args(["-c", DESCRIBE, "sh"]).arg(&back);
        let came = describe.run().await?.stdout;
        ensure_same("the tree that comes back", came.as_str(), original.as_str())?;

        let plain = format!("m1:/tmp/plain-{name}");
        client(&["-q"])
            .arg(tree.join("inner/run"))
            .arg(&plain)
            .run()
            .await?;
        let script = format!("stat -c '%a %U' /tmp/plain-{name}");
        let kept = bench.sim.root("m1", &script).await?;
        ensure_same("without -p", kept.as_str(), "755 ubuntu\n")?;
        let refused = client(&["-q"])
            .arg(tree.join("a"))
            .arg("m1:/root/a")
            .finish();
        let refused = refused.await?;
        ensure_same("where it may not write", refused.code(), 1)?;
        let is_said = refused.stderr.contains("Permission denied");
        ensure_so(is_said, "why", &refused.stderr)?;
    }
    Ok(())
}

async fn sftp(bench: &Bench) -> Result<()> {
    let file = bench.path("sent");
    write_mode(&file, "sent\n", 0o640)?;
    let back = bench.path("got");
    let batch = format!(
        "mkdir /tmp/batch\nput -p {sent} /tmp/batch/one\nchmod 604 /tmp/batch/one\n\
         rename /tmp/batch/one /tmp/batch/two\nsymlink two /tmp/batch/three\n\
         put {sent} /tmp/batch/gone\nrm /tmp/batch/gone\nls -l /tmp/batch\n\
         get /tmp/batch/three {back}\n-rmdir /tmp/batch\n-get /tmp/batch/missing\npwd\n",
        sent = file.display(),
        back = back.display(),
    );
    let came = bench
        .sim
        .client("sftp")
        .args(["-b", "-", "m1"])
        .input(batch)
        .finish()
        .await?;

    ensure_so(came.code() == 0, "the batch", &came)?;
    let listed = "-rw----r--    1 ubuntu   ubuntu          5 ";
    ensure_so(came.stdout.contains(listed), "its list", &came.stdout)?;
    ensure_so(
        came.stdout
            .ends_with("Remote working directory: /home/ubuntu\n"),
        "pwd",
        &came,
    )?;
    ensure_so(
        came.stderr.contains("missing\" not found"),
        "what is missing",
        &came.stderr,
    )?;
    ensure_same(
        "what came",
        std::fs::read_to_string(&back)?.as_str(),
        "sent\n",
    )?;
    let script = "cd /tmp/batch && ls && readlink three && stat -c %a two && cat two";
    let kept = bench.sim.root("m1", script).await?;
    ensure_same(
        "what is there",
        kept.as_str(),
        "three\ntwo\ntwo\n604\nsent\n",
    )?;
    let mode = std::fs::metadata(&back)?.permissions().mode() & 0o777;
    ensure_same("the mode of what came", mode, 0o604)
}

/// `reput` and `reget` begin at an offset, `-a` appends.
async fn resumed(bench: &Bench) -> Result<()> {
    let file = bench.path("long");
    let text: String = (0..20_000).map(|number| format!("{number}\n")).collect();
    write_mode(&file, &text, 0o644)?;
    let part = bench.path("part");
    write_mode(&part, &text[..50_000], 0o644)?;
    let batch = format!(
        "put {part} /tmp/long\nreput {file} /tmp/long\nreget /tmp/long {part}\n",
        part = part.display(),
        file = file.display(),
    );
    bench
        .sim
        .client("sftp")
        .args(["-b", "-", "w3"])
        .input(batch)
        .run()
        .await?;

    ensure_so(
        std::fs::read_to_string(&part)? == text,
        "what came back",
        (),
    )?;
    let here = Cmd::new("sha256sum").arg(&file).run().await?.stdout;
    let there = bench.sim.root("w3", "sha256sum /tmp/long").await?;
    ensure_same("its sum", there.split(' ').next(), here.split(' ').next())
}

async fn tar(bench: &Bench) -> Result<()> {
    make_tree(bench, "packed").await?;
    let pack = Cmd::new("tar")
        .arg("-C")
        .arg(bench.path("packed"))
        .args(["-cf", "-", "."]);
    let unpack = "mkdir /tmp/packed && tar -C /tmp/packed -xpf -";
    let unpack = bench.sim.client("ssh").args(["w2", unpack]);
    pack.pipe_into(unpack).await?;
    let describe = Cmd::new("sh")
        .args(["-c", DESCRIBE, "sh"])
        .arg(bench.path("packed"));
    let original = describe.run().await?.stdout;
    let kept = bench
        .sim
        .root("w2", &DESCRIBE.replace("\"$1\"", "/tmp/packed"))
        .await?;
    ensure_same("the tree on the host", kept.as_str(), original.as_str())?;
    let link = bench.sim.root("w2", "readlink /tmp/packed/link").await?;
    ensure_same("its link", link.as_str(), "a\n")?;

    let back = bench.path("unpacked");
    std::fs::create_dir(&back)?;
    let pack = bench
        .sim
        .client("ssh")
        .args(["w2", "tar -C /tmp/packed -czf - ."]);
    pack.pipe_into(Cmd::new("tar").arg("-C").arg(&back).args(["-xpzf", "-"]))
        .await?;
    let describe = Cmd::new("sh").args(["-c", DESCRIBE, "sh"]).arg(&back);
    ensure_same(
        "and back",
        describe.run().await?.stdout.as_str(),
        original.as_str(),
    )
}

/// The fleet has no rsync to install; a real host without it says the same.
async fn rsync(bench: &Bench) -> Result<()> {
    let line = bench.sim.ssh_line();
    let refused = Cmd::new("rsync")
        .args(["-a", "-e", &line, "."])
        .arg("m1:/tmp/synchronised")
        .inside(&bench.directory)
        .finish()
        .await?;

    ensure_so(
        refused
            .stderr
            .starts_with("bash: line 1: rsync: command not found\n")
            && refused
                .stderr
                .contains("connection unexpectedly closed (0 bytes received so far)"),
        "what it says",
        &refused.stderr,
    )?;
    // Releases differ in what they call it.
    ensure_so(matches!(refused.code(), 12 | 127), "its status", &refused)
}

async fn clock(bench: &Bench) -> Result<()> {
    let here = Cmd::new("date").arg("+%Y").run().await?.stdout;
    for host in ["m1", "w1", "w4"] {
        let there = bench.sim.root(host, "date +%Y").await?;
        ensure_same("the year of the host", there.as_str(), here.as_str())?;
    }
    Ok(())
}
