//! Secrets reach those who need them and are seen by nobody else.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::Scene;
use crate::lab::config::{ADMIN, literal};
use crate::lab::services::{MKE_VERSIONS, PRIVATE_PASSWORD_FILE, PRIVATE_USER};
use crate::lab::watch::{Place, Secret, Seen, Watch};
use crate::lab::{Host, cluster};

/// A password that every careless way of quoting breaks.
pub(crate) const ADMIN_PASSWORD: &str = r#"orca'9 "$x\`pw&*"#;

/// Where on a host a file may not hold a secret. Left out is the engine's store of layers, which are
/// public, and the swarm's own encrypted store, where MKE keeps what it was given.
const PLACES: &str = "/etc /root /home /tmp /var/tmp /var/log /var/cache /var/spool /opt /usr/local \
    /run /dev/shm /var/lib/docker/containers";

/// Plays the story.
pub(crate) async fn play(scene: &mut Scene) -> Result<()> {
    let registry = std::fs::read_to_string(scene.lab.dir().join(PRIVATE_PASSWORD_FILE))
        .context("cannot read the password of the private registry")?;
    let secrets = vec![
        Secret::new("admin password", ADMIN_PASSWORD),
        Secret::new("registry password", &registry),
    ];
    let config = scene
        .lab
        .config()
        .with(
            "/spec/mke/adminPassword",
            Value::from(literal(ADMIN_PASSWORD)),
        )
        .with("/spec/mke/imageRepo", json!("private.lab/mirantis"));
    let path = scene.save(&config)?;
    let launchpad = scene
        .launchpad()?
        .clone()
        .env("REGISTRY_USERNAME", PRIVATE_USER)
        .env("REGISTRY_PASSWORD", &registry);

    let watch = Watch::start(secrets.clone())?;
    scene.moment("during-apply").await?;
    let run = launchpad.run(&["apply", "--debug", "-c", &path]).await;
    let seen = watch.stop()?;
    let run = run?.expect(0)?;
    scene.moment("after-apply").await?;

    check_processes(scene, &seen);
    check_arrived(scene).await?;
    for secret in &secrets {
        scene.check(!secret.is_in(run.text().as_bytes()), || {
            format!("the {} is in launchpad's output", secret.name)
        });
        let home = scene.lab.home();
        let files = files_with(&home, secret)?;
        scene.check(files.is_empty(), || {
            format!("the {} is in {files:?}", secret.name)
        });
        for host in scene.lab.hosts.clone() {
            check_host(scene, &host, secret).await?;
        }
    }
    Ok(())
}

/// Arguments are public; the environment of the bootstrap container is the one place for the password.
fn check_processes(scene: &mut Scene, seen: &Seen) {
    scene.say(format!("all processes were looked at {} times", seen.looks));
    scene.check(seen.looks > 100, || {
        format!("only {} looks at the processes", seen.looks)
    });
    for sighting in &seen.sightings {
        // A host is one container; a container in it is a second one in the path.
        let depth = sighting.group.matches("docker").count();
        let is_launchpad = Path::new(&sighting.program).ends_with("launchpad");
        let is_allowed = sighting.place == Place::Environment && (depth >= 2 || is_launchpad);
        scene.check(is_allowed, || {
            format!(
                "the {} was in the {:?} of `{}` ({})",
                sighting.secret, sighting.place, sighting.program, sighting.group
            )
        });
    }
}

/// Nobody can keep a secret by not using it: the passwords have done their work.
async fn check_arrived(scene: &mut Scene) -> Result<()> {
    let manager = scene.lab.host("m1")?.clone();
    let ca = cluster::ca(&manager, MKE_VERSIONS[0]).await?;
    cluster::wait_healthy(&[&manager], &ca, std::time::Duration::from_secs(60)).await?;
    let is_let_in = cluster::log_in(&manager, &ca, ADMIN, ADMIN_PASSWORD).await?;
    scene.check(is_let_in, || {
        "the administrator's password does not open MKE".to_owned()
    });
    let other = cluster::log_in(&manager, &ca, ADMIN, "another").await?;
    scene.check(!other, || "any password opens MKE".to_owned());
    let log = scene.lab.service_log("private").await?;
    let pulls = log
        .lines()
        .filter(|line| line.contains("/manifests/") && line.contains("ucp"));
    scene.check(pulls.count() > 0, || {
        "nothing was pulled from the private registry".to_owned()
    });
    Ok(())
}

async fn check_host(scene: &mut Scene, host: &Host, secret: &Secret) -> Result<()> {
    // Patterns and script come on standard input: the search shows no secret, either.
    let patterns: String = secret
        .forms()
        .iter()
        .map(|form| format!("{form}\n"))
        .collect();
    let search = |script: String| host.exec(["sh", "-c", &script]).input(patterns.clone());
    let questions = [
        (
            "files",
            format!("grep -rlaF -f - {PLACES} 2>/dev/null | grep -v '^/run/log/journal/'"),
        ),
        ("journal", with_patterns("journalctl --no-pager -o verbose")),
        (
            "docker inspect",
            with_patterns(
                "docker ps -aq | xargs -r docker inspect; docker service ls -q 2>/dev/null | \
                 xargs -r docker service inspect; docker images -q | xargs -r docker inspect",
            ),
        ),
        (
            "docker logs",
            with_patterns("for id in $(docker ps -aq); do docker logs \"$id\" 2>&1; done"),
        ),
    ];
    for (what, script) in questions {
        let found = search(script).finish().await?;
        scene.check(found.text().is_empty(), || {
            format!(
                "the {} is in {what} of {}: {}",
                secret.name,
                host.name,
                found.text()
            )
        });
    }
    Ok(())
}

/// Counts the lines of some output that hold a pattern of the standard input; prints nothing if there are none.
fn with_patterns(commands: &str) -> String {
    format!(
        "umask 077; patterns=$(mktemp /dev/shm/patterns.XXXXXX); cat >\"$patterns\"; \
         {{ {commands}; }} </dev/null 2>/dev/null | grep -acF -f \"$patterns\" | grep -v '^0$'; \
         rm -f \"$patterns\""
    )
}

/// Returns the files below a directory that hold a secret.
fn files_with(dir: &Path, secret: &Secret) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        let entries =
            std::fs::read_dir(&dir).with_context(|| format!("cannot read `{}`", dir.display()))?;
        for entry in entries {
            let entry = entry.context("cannot read a directory")?;
            let path = entry.path();
            let kind = entry
                .file_type()
                .context("cannot read the type of a file")?;
            if kind.is_dir() {
                open.push(path);
            } else if kind.is_file() {
                let content = std::fs::read(&path)
                    .with_context(|| format!("cannot read `{}`", path.display()))?;
                if secret.is_in(&content) {
                    found.push(path.display().to_string());
                }
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_a_secret_is_found_at_any_depth() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("a/b")).unwrap();
        let content = json!({ "password": ADMIN_PASSWORD }).to_string();
        std::fs::write(dir.path().join("a/b/events.jsonl"), content).unwrap();
        std::fs::write(dir.path().join("a/clean"), "nothing").unwrap();

        let found = files_with(dir.path(), &Secret::new("x", ADMIN_PASSWORD)).unwrap();

        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].ends_with("a/b/events.jsonl"), "{found:?}");
    }
}
