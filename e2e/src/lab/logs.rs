//! What is kept when something went wrong: journals, container logs, and what Launchpad wrote.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use futures_util::future::join_all;

use super::{Host, Lab, PREFIX};
use crate::command::Cmd;
use crate::paths::write;

/// What is asked on every host: the file it goes to and the script.
const QUESTIONS: &[(&str, &str)] = &[
    ("journal.log", "journalctl --no-pager -o short-iso-precise"),
    (
        "units.txt",
        "systemctl --failed --no-pager; systemctl list-units --no-pager",
    ),
    ("processes.txt", "ps axfww -o pid,etime,args"),
    (
        "engine.txt",
        "systemctl is-active docker && { timeout 20 docker ps -a --no-trunc; timeout 20 docker info; \
         timeout 20 docker node ls; timeout 20 docker service ls; \
         for id in $(timeout 20 docker ps -aq); do echo \"== $id\"; \
         timeout 20 docker logs --tail 200 \"$id\"; done; } 2>&1",
    ),
];

/// Collects the logs of a lab into a new directory and returns it.
pub(crate) async fn collect(lab: &Lab, title: &str) -> Result<PathBuf> {
    let now = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S").to_string();
    let dir = lab.paths.logs().join(format!("{now}-{title}"));
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot create `{}`", dir.display()))?;
    let hosts = join_all(lab.hosts.iter().map(|host| of_host(host, &dir))).await;
    let services = join_all(["repositories", "registry", "private"].map(|name| {
        let dir = dir.clone();
        async move {
            let container = format!("{PREFIX}-{name}");
            let logs = Cmd::new("docker")
                .args(["logs", &container])
                .finish()
                .await?;
            write(
                &dir.join(format!("{name}.log")),
                format!("{}{}", logs.stdout, logs.stderr),
            )
        }
    }))
    .await;
    hosts.into_iter().chain(services).collect::<Result<()>>()?;
    copy_run(lab.dir(), &dir).await?;
    Ok(dir)
}

async fn of_host(host: &Host, dir: &Path) -> Result<()> {
    for (file, script) in QUESTIONS {
        let answer = host.exec(["sh", "-c", script]).finish().await?;
        let path = dir.join(host.name.to_string()).join(file);
        write(&path, format!("{}{}", answer.stdout, answer.stderr))?;
    }
    Ok(())
}

/// Copies what Launchpad printed and wrote; keys stay behind.
async fn copy_run(from: &Path, to: &Path) -> Result<()> {
    for part in ["output", "home", "launchpad.yaml"] {
        let part = from.join(part);
        if part.exists() {
            Cmd::new("cp").arg("-a").arg(&part).arg(to).run().await?;
        }
    }
    Ok(())
}
