//! A cluster of Ubuntu, Rocky Linux and SLES: made, left alone, and taken back.

use std::time::Instant;

use anyhow::Result;
use futures_util::future::try_join_all;
use serde_json::json;

use super::{Scene, again, converged};
use crate::lab::inventory::{AFTER_RESET, BY_ITSELF, Compare, Ignored, ignored, listed};
use crate::lab::services::MKE_VERSIONS;
use crate::lab::{Flavour, Name};
use crate::recipe::packages::OLD_CHANNEL;
use crate::talk::seconds;

/// The hosts beside the Ubuntu one that the story starts with.
const ROCKY: &[&str] = &["m2", "w2"];
const SLES: &[&str] = &["m3", "w1"];

/// What an apply followed by a reset may leave on a host with rpm.
const AFTER_RESET_RPM: &[Ignored] = &[
    ignored(
        "file",
        "/var/lib/rpm/*",
        "the package database; its content is compared",
    ),
    ignored("file", "/var/lib/dnf/*", "the history of dnf"),
    ignored("file", "/var/lib/zypp*", "what zypper knows of packages"),
    ignored(
        "file",
        "/var/lib/YaST2*",
        "an anonymous id that zypper makes",
    ),
    ignored(
        "package",
        "gpg-pubkey",
        "dnf takes up the key of the distribution, which is the product's here, with its first package",
    ),
    ignored(
        "package",
        "iputils",
        "a tool that prepare-hosts installs and leaves",
    ),
];

/// Plays the story.
pub(crate) async fn play(scene: &mut Scene) -> Result<()> {
    for (names, flavour) in [(ROCKY, Flavour::Rocky), (SLES, Flavour::Sles)] {
        let names: Vec<Name> = names
            .iter()
            .map(|name| name.parse())
            .collect::<Result<_>>()?;
        scene.lab.add_hosts(&names, flavour).await?;
    }
    let hosts = scene.lab.hosts.clone();
    let before = try_join_all(hosts.iter().map(|host| host.inventory())).await?;
    let config = scene.lab.config().with("/spec/mcr/prune", json!(true));
    let path = scene.save(&config)?;
    let started = Instant::now();
    scene
        .launchpad()?
        .run(&["apply", "-c", &path])
        .await?
        .expect(0)?;
    scene.say(format!("a fresh apply took {}", seconds(started.elapsed())));
    scene.moment("after-apply").await?;
    converged::check(scene, MKE_VERSIONS[0]).await?;
    converged::check_clean(scene, "after an apply").await?;
    check_engines(scene).await?;
    again::check(scene, &path).await?;

    let started = Instant::now();
    scene
        .launchpad()?
        .run(&["reset", "--force", "-c", &path])
        .await?
        .expect(0)?;
    scene.say(format!("a reset took {}", seconds(started.elapsed())));
    let after = try_join_all(hosts.iter().map(|host| host.inventory())).await?;
    for (host, (before, after)) in hosts.iter().zip(before.iter().zip(&after)) {
        let allowed = [BY_ITSELF, AFTER_RESET, AFTER_RESET_RPM];
        let differences = before.differences(after, Compare::Content, &allowed);
        scene.check(differences.is_empty(), || {
            let list = listed(&differences).unwrap_or_default();
            format!("a reset left on {}:\n{list}", host.name)
        });
    }
    converged::check_clean(scene, "after a reset").await
}

/// Asks every engine for its version: that of the channel, whatever the system.
async fn check_engines(scene: &mut Scene) -> Result<()> {
    for host in scene.lab.hosts.clone() {
        let version = host
            .sh("docker version --format '{{.Server.Version}} {{.Client.Version}}'")
            .await?;
        let found: Vec<&str> = version.stdout.split_whitespace().collect();
        let wanted = OLD_CHANNEL.trim_start_matches("stable-");
        let is_right = found.len() == 2 && found.iter().all(|version| version.starts_with(wanted));
        scene.check(is_right, || {
            format!("the engine of {} is {found:?} and not {wanted}", host.name)
        });
    }
    Ok(())
}
