//! What hosts are: their clock, their boots, their `/tmp`, SELinux, OpenRC, another processor.

use anyhow::Result;

use super::super::{Bench, ensure_same, ensure_so};
use crate::command::Cmd;

/// `/tmp` of `w4` is mounted `noexec`: what is read by a shell runs, what the kernel starts does not.
pub(super) async fn noexec(bench: &Bench) -> Result<()> {
    let line = "printf '#!/bin/sh\\necho ran\\n' > /tmp/own; chmod 755 /tmp/own; /tmp/own; \
                echo $?; sh /tmp/own; cp /tmp/own ~/own; ~/own";
    let ran = bench.sim.ssh("w4", line).await?;
    ensure_same("what ran", ran.stdout.as_str(), "126\nran\nran\n")?;
    ensure_so(
        ran.stderr.contains("/tmp/own: Permission denied"),
        "why",
        &ran.stderr,
    )
}

/// What is on the disk stays; the boot has another id, and services are there again.
pub(super) async fn reboot(bench: &Bench) -> Result<()> {
    let id = "cat /proc/sys/kernel/random/boot_id";
    let before = bench.sim.ssh("w1", id).await?;
    let script = "touch /run/volatile /etc/durable; reboot";
    let told = bench
        .sim
        .ssh("w1", &format!("sudo sh -c '{script}'"))
        .await?;
    ensure_so(matches!(told.code(), 0 | 255), "the reboot", &told)?;
    // While somebody waits on another host, the time of all goes on.
    bench.sim.root("m1", "sleep 120").await?;
    let line = format!("{id}; ls -d /run/volatile /etc/durable; systemctl is-active docker");
    let after = bench.sim.ssh("w1", &line).await?;
    let (id, rest) = after.stdout.split_once('\n').unwrap_or_default();
    ensure_so(id.len() == 36 && id != before.text(), "the id", &after)?;
    ensure_same("what is left", rest, "/etc/durable\nactive\n")
}

pub(super) async fn clock(bench: &Bench) -> Result<()> {
    let here = Cmd::new("date").arg("+%Y").run().await?.stdout;
    for host in ["m1", "w1", "w4"] {
        let there = bench.sim.root(host, "date +%Y").await?;
        ensure_same("the year of the host", there.as_str(), here.as_str())?;
    }
    Ok(())
}

/// `w2` has SELinux; what commands say is what the kernel says.
pub(super) async fn selinux(bench: &Bench) -> Result<()> {
    for (value, mode) in [("1", "Enforcing"), ("0", "Permissive"), ("1", "Enforcing")] {
        let line = format!("sudo setenforce {value} && sudo getenforce");
        let said = bench.sim.ssh("w2", &line).await?;
        ensure_same("what is said", (said.code(), said.text()), (0, mode))?;
        let kept = bench.sim.root("w2", "cat /sys/fs/selinux/enforce").await?;
        ensure_same("what is so", kept.trim(), value)?;
    }
    Ok(())
}

/// `w4` has OpenRC, and the `shutdown` of the init of System V.
pub(super) async fn openrc(bench: &Bench) -> Result<()> {
    // It never ends: time jumps to whatever else is waited for.
    let (script, own) = (
        "#!/sbin/openrc-run\ncommand=/usr/bin/sleep\ncommand_args=infinity\n\
         command_background=yes\npidfile=/run/judged.pid\n",
        "/etc/init.d/judged",
    );
    let line = format!(
        "printf '{}' | sudo tee {own} >/dev/null && sudo chmod 755 {own} && \
         sudo rc-service judged start && sudo rc-update add judged default",
        script.replace('\n', "\\n")
    );
    let begun = bench.sim.ssh("w4", &line).await?;
    ensure_so(begun.code() == 0, "a service", &begun)?;
    let look = "pgrep -c -x sleep; readlink /etc/runlevels/default/judged";
    let kept = bench.sim.root("w4", look).await?;
    ensure_same("it runs", kept, format!("1\n{own}\n"))?;
    let ended = "sudo rc-service judged stop && sudo rc-update del judged default";
    let ended = bench.sim.ssh("w4", ended).await?;
    ensure_so(ended.code() == 0, "its end", &ended)?;
    let kept = bench.sim.root("w4", &format!("{look}; true")).await?;
    ensure_same("it is gone", kept.as_str(), "0\n")?;

    let refused = bench.sim.ssh("w4", "sudo shutdown --reboot 0").await?;
    let is_said = refused.stderr.contains("shutdown: invalid option -- '-'\n");
    ensure_so(refused.code() == 1 && is_said, "a long option", &refused)
}

/// `w4` has processors of arm64.
pub(super) async fn processor(bench: &Bench) -> Result<()> {
    let source = |architectures: &str| {
        format!(
            "sed 's/^deb \\(\\[.*\\]\\)* */deb [arch={architectures} trusted=yes] /' \
             /etc/apt/sources.list | sudo tee /etc/apt/sources.list.d/other.list >/dev/null; \
             cp /etc/apt/sources.list /tmp/kept; sudo cp /dev/null /etc/apt/sources.list; \
             sudo apt-get -qq update; sudo apt-get -qq -y install jq >/dev/null; echo $?; \
             sudo cp /tmp/kept /etc/apt/sources.list; sudo rm /etc/apt/sources.list.d/other.list"
        )
    };
    let other = bench.sim.ssh("w4", &source("amd64")).await?;
    ensure_same("for others", other.text(), "100")?;
    let is_said = other.stderr.contains("E: Unable to locate package jq");
    ensure_so(is_said, "its words", &other.stderr)?;
    let own = bench.sim.ssh("w4", &source("amd64,arm64")).await?;
    ensure_so(own.text() == "0", "for its own", &own)?;
    let kept = bench
        .sim
        .root("w4", "uname -m; dpkg-query -Wf '${Architecture}' jq")
        .await?;
    ensure_same("what is there", kept.as_str(), "aarch64\narm64")
}
