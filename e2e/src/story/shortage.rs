//! What an apply needs from elsewhere and does not get: packages, room, a registry that lets it in, a
//! certificate that somebody trusts.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;

use super::refusal::{Before, Refusal, refused};
use super::{Scene, converged};
use crate::command::Cmd;
use crate::lab::launchpad::Launchpad;
use crate::lab::services::{self, MKE_VERSIONS, PRIVATE_USER};
use crate::lab::{Flavour, Host, PREFIX};
use crate::recipe::keys;

/// A password that every careless way of quoting breaks.
const PASSWORD: &str = r#"pa$s "wo'rd" \ ! & 100% `x`"#;

/// How long a run may take to find a source that does not answer: each is given 20 s.
const PROBED: Duration = Duration::from_secs(40);

/// How long a run may take to get to a step that fails.
const MIDWAY: Duration = Duration::from_secs(120);

/// The host that joins when the registry has a certificate of its own CA.
const NEW: &str = "w2";

/// Plays the story.
pub(crate) async fn play(scene: &mut Scene) -> Result<()> {
    let played = shortages(scene).await;
    // Other stories find the services as they expect them, whatever came of this one.
    let repositories = Cmd::new("docker").args(["start", &service("repositories")]);
    repositories.run().await?;
    services::renew_private(&scene.lab.images, scene.lab.dir()).await?;
    played
}

async fn shortages(scene: &mut Scene) -> Result<()> {
    let config = scene
        .lab
        .config()
        .with("/spec/mke/imageRepo", json!("private.lab/mirantis"));
    let path = scene.save(&config)?;
    no_repository(scene, &path).await?;
    no_room(scene, &path).await?;
    let launchpad = wrong_password(scene, &path).await?;
    let run = launchpad.run(&["apply", "-c", &path]).await?.expect(0)?;
    scene.check(!run.text().contains(PASSWORD), || {
        "the password of the registry is in launchpad's output".to_owned()
    });
    converged::check(scene, MKE_VERSIONS[0]).await?;
    own_authority(scene, &launchpad).await?;
    converged::check(scene, MKE_VERSIONS[0]).await?;
    converged::check_clean(scene, "after all shortages").await
}

fn service(name: &str) -> String {
    format!("{PREFIX}-{name}")
}

/// The package repository is away: it is seen before any host is changed.
async fn no_repository(scene: &mut Scene, path: &str) -> Result<()> {
    let when = "without its package repository";
    let before = Before::of(&scene.lab.hosts).await?;
    let repositories = service("repositories");
    Cmd::new("docker")
        .args(["stop", "--time", "0", &repositories])
        .run()
        .await?;
    let refusal = Refusal {
        when,
        within: PROBED,
        says: &[
            "2 hosts: the host does not reach",
            "repos.mirantis.com",
            "spec.mcr.repoURL",
        ],
        never_says: &[],
    };
    refused(scene, &["apply", "-c", path], &refusal).await?;
    scene.moment("after-refusal").await?;
    before.check_unchanged(scene, when).await?;
    Cmd::new("docker")
        .args(["start", &repositories])
        .run()
        .await?;
    Ok(())
}

/// A disk that is too small is seen before any change; one that is full where nobody looks fails the step, by name.
async fn no_room(scene: &mut Scene, path: &str) -> Result<()> {
    let host = scene.lab.host("w1")?.clone();
    let address = host.ip.to_string();
    let others: Vec<Host> = scene
        .lab
        .hosts
        .iter()
        .filter(|one| one.name != host.name)
        .cloned()
        .collect();
    let before = Before::of(&others).await?;
    host.sh("mkdir /var/lib/docker && mount -t tmpfs -o size=300m lab /var/lib/docker")
        .await?;
    let when = "with a disk that is too small";
    let refusal = Refusal {
        when,
        within: PROBED,
        says: &[
            &address,
            "0.5 GB of free disk under /var/lib/docker",
            "has 0.3 GB",
            "make room",
        ],
        never_says: &[],
    };
    refused(scene, &["apply", "-c", path], &refusal).await?;
    before.check_unchanged(scene, when).await?;
    host.sh("umount /var/lib/docker && rmdir /var/lib/docker")
        .await?;

    host.sh("mount -t tmpfs -o size=1m lab /var/cache/apt")
        .await?;
    let refusal = Refusal {
        when: "with a full disk",
        within: MIDWAY,
        says: &[
            &address,
            "No space left on device",
            "make room on the host (`df -h`",
        ],
        never_says: &["journalctl", "REGISTRY_"],
    };
    refused(scene, &["apply", "-c", path], &refusal).await?;
    let engine = host
        .exec(["sh", "-c", "command -v dockerd"])
        .finish()
        .await?;
    scene.check(engine.text().is_empty(), || {
        "w1 has an engine, although its disk was full".to_owned()
    });
    host.sh("umount /var/cache/apt").await?;
    Ok(())
}

/// A password that the registry does not take; returns launchpad with the right one.
async fn wrong_password(scene: &mut Scene, path: &str) -> Result<Launchpad> {
    let authority = (scene.lab.images.keys.ca(), scene.lab.images.keys.tls());
    let authority = (authority.0.as_path(), authority.1.as_path());
    services::start_private(&scene.lab.images, scene.lab.dir(), PASSWORD, authority).await?;
    let right = scene
        .launchpad()?
        .clone()
        .env("REGISTRY_USERNAME", PRIVATE_USER);
    // One character less, as a shell would leave it.
    let wrong = right
        .clone()
        .env("REGISTRY_PASSWORD", &PASSWORD.replace('\\', ""));
    let manager = scene.lab.host("m1")?.clone();
    let address = manager.ip.to_string();
    let refusal = Refusal {
        when: "with a password that the registry does not take",
        within: MIDWAY,
        says: &[
            &address,
            "cannot log in to the registry `private.lab`",
            "401 Unauthorized",
            "REGISTRY_PASSWORD",
        ],
        never_says: &["pa$s"],
    };
    scene.launchpad = Some(wrong);
    refused(scene, &["apply", "-c", path], &refusal).await?;
    let swarm = manager
        .exec(["docker", "info", "--format", "{{.Swarm.LocalNodeState}}"])
        .run()
        .await?;
    scene.check_equal("the swarm of m1", swarm.text(), "inactive");
    let right = right.env("REGISTRY_PASSWORD", PASSWORD);
    scene.launchpad = Some(right.clone());
    Ok(right)
}

/// The registry has a certificate of its own CA; a host that joins has to trust it.
async fn own_authority(scene: &mut Scene, launchpad: &Launchpad) -> Result<()> {
    let dir = scene.lab.dir().join("own-authority");
    keys::make_certificates(&dir, "Another CA")?;
    let authority = (dir.join("ca.crt"), dir.join("tls"));
    let paths = (authority.0.as_path(), authority.1.as_path());
    services::start_private(&scene.lab.images, scene.lab.dir(), PASSWORD, paths).await?;
    scene.lab.add_hosts(&[NEW.parse()?], Flavour::Bare).await?;
    let path = scene.save(
        &scene
            .lab
            .config()
            .with("/spec/mke/imageRepo", json!("private.lab/mirantis")),
    )?;
    let host = scene.lab.host(NEW)?.clone();
    let before = Before::of(&scene.lab.hosts).await?;
    let (when, address) = ("with a registry of an unknown CA", host.ip.to_string());
    let refusal = Refusal {
        when,
        within: PROBED,
        says: &[
            &address,
            "the host does not reach `private.lab`",
            "SSL certificate problem",
            "`/etc/docker/certs.d/private.lab/ca.crt`",
        ],
        never_says: &[],
    };
    refused(scene, &["apply", "-c", &path], &refusal).await?;
    before.check_unchanged(scene, when).await?;

    let ca = std::fs::read_to_string(&authority.0).context("cannot read the other CA")?;
    host.exec([
        "sh",
        "-c",
        "mkdir -p /etc/docker/certs.d/private.lab && cat >/etc/docker/certs.d/private.lab/ca.crt",
    ])
    .input(ca)
    .run()
    .await?;
    launchpad.run(&["apply", "-c", &path]).await?.expect(0)?;
    let log = scene.lab.service_log("private").await?;
    let pulls = log
        .lines()
        .filter(|line| line.contains("/manifests/") && line.contains(&address));
    scene.check(pulls.count() > 0, || {
        format!("{NEW} has pulled nothing from the registry of the unknown CA")
    });
    Ok(())
}
