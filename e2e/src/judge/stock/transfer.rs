//! Files by scp, sftp, tar and rsync.

use std::os::unix::fs::PermissionsExt as _;

use anyhow::Result;

use super::super::{Bench, ensure_same, ensure_so};
use crate::command::Cmd;
use crate::paths::write_mode;

/// When the files that are sent were changed, as `touch` and `stat` have it.
const CHANGED: (&str, &str) = ("2020-01-02T03:04:05Z", "1577934245");

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

pub(super) async fn scp(bench: &Bench) -> Result<()> {
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

pub(super) async fn sftp(bench: &Bench) -> Result<()> {
    let file = bench.path("sent");
    write_mode(&file, "sent\n", 0o640)?;
    let back = bench.path("got");
    let batch = format!(
        "mkdir /tmp/batch\nput -p {sent} /tmp/batch/one\nchmod 604 /tmp/batch/one\n\
         rename /tmp/batch/one /tmp/batch/two\nsymlink two /tmp/batch/three\n\
         put {sent} /tmp/batch/gone\nrm /tmp/batch/gone\n\
         put {sent} /tmp/batch/late\nchmod 604 /tmp/batch/late\n\
         -rename -l /tmp/batch/late /tmp/batch/two\n\
         -rename /tmp/batch/late /tmp/batch/two\nls -l /tmp/batch\n\
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
    // Only the extension of OpenSSH replaces what is there.
    let refused = "remote rename \"/tmp/batch/late\" to \"/tmp/batch/two\": Failure";
    let refusals = came.stderr.matches(refused).count();
    ensure_same("a name that is taken", refusals, 1)?;
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
pub(super) async fn resumed(bench: &Bench) -> Result<()> {
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

pub(super) async fn tar(bench: &Bench) -> Result<()> {
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
pub(super) async fn rsync(bench: &Bench) -> Result<()> {
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
