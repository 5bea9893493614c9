//! The machine's container engine: started when it is installed but not running.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::tools::is_root;
use crate::command::{Cmd, last_lines};
use crate::paths::Paths;
use crate::talk::Talk;

/// How long a starting engine may take to answer.
const START: Duration = Duration::from_secs(90);

/// Kernel limits that many hosts on one machine use up, and what they need.
const LIMITS: &[(&str, u64)] = &[
    ("/proc/sys/fs/inotify/max_user_instances", 8192),
    ("/proc/sys/fs/inotify/max_user_watches", 1_048_576),
    ("/proc/sys/kernel/keys/maxkeys", 20_000),
];

/// Makes sure that the engine answers.
pub(crate) async fn ensure(paths: &Paths, talk: Talk) -> Result<()> {
    if !answers().await {
        start(paths, talk).await?;
    }
    raise_limits(talk);
    Ok(())
}

/// Restarts an engine that has lost count of a network's ends, if nothing runs in it.
pub(crate) async fn restart_idle(paths: &Paths, talk: Talk) -> Result<()> {
    let running = Cmd::new("docker").args(["ps", "-aq"]).run().await?;
    if !running.text().is_empty() {
        bail!("the engine has to be restarted, and containers that are not the lab's run in it");
    }
    talk.say("restarting the container engine");
    let script = r#"
        if [ -d /run/systemd/system ]; then exec systemctl restart docker; fi
        id=$(cat /var/run/docker.pid) && kill "$id" || exit 1
        while kill -0 "$id" 2>/dev/null; do sleep 0.1; done
    "#;
    Cmd::new("sh")
        .args(["-c", script])
        .within(START)
        .run()
        .await?;
    ensure(paths, talk).await
}

async fn answers() -> bool {
    Cmd::new("docker")
        .arg("info")
        .within(Duration::from_secs(20))
        .succeeds()
        .await
}

async fn start(paths: &Paths, talk: Talk) -> Result<()> {
    if !is_root() {
        bail!(
            "the container engine does not answer, and only root can start it: \
             run `sudo dockerd` or `sudo systemctl start docker`, or be in group docker"
        );
    }
    let log = paths.lab.join("dockerd.log");
    if Path::new("/run/systemd/system").exists() {
        talk.say("starting the container engine (systemctl start docker)");
        Cmd::new("systemctl")
            .args(["start", "docker"])
            .run()
            .await?;
    } else {
        talk.say(format!(
            "starting the container engine, its log is `{}`",
            log.display()
        ));
        // Detached: it outlives this driver, whose Ctrl-C must not reach it.
        let script = r#"exec setsid --fork dockerd >"$1" 2>&1 </dev/null"#;
        Cmd::new("sh")
            .args(["-c", script, "sh"])
            .arg(&log)
            .run()
            .await?;
    }
    let started = Instant::now();
    while !answers().await {
        if started.elapsed() > START {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            bail!(
                "the container engine does not answer after {} s; install package docker.io \
                 where it is missing; it said:\n{}",
                START.as_secs(),
                last_lines(&said, 20)
            );
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

/// Raises the limits that are too low; where that is not allowed, a few hosts work all the same.
fn raise_limits(talk: Talk) {
    for (path, wanted) in LIMITS {
        if let Err(error) = raise(path, *wanted) {
            talk.say(format!("the limit {path} stays low: {error:#}"));
        }
    }
}

fn raise(path: &str, wanted: u64) -> Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{path}`"))?;
    let limit: u64 = text
        .trim()
        .parse()
        .with_context(|| format!("no number in `{path}`"))?;
    if limit < wanted {
        std::fs::write(path, wanted.to_string())
            .with_context(|| format!("cannot write `{path}`"))?;
    }
    Ok(())
}
