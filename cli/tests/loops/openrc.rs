//! Clusters on hosts whose services OpenRC runs.

use std::time::Duration;

use fleet::connection::Kind;
use fleet::fault::{Blow, When};
use fleet::files::{Credentials, Follow};
use fleet::{Fleet, HostId};

use crate::cluster::{Cluster, HOSTS, Machine, ORDER, in_its_own_time, settle};
use crate::good::{changes_of_another_apply, good, installed};

const ALL: [Machine; 4] = [Machine::OpenRc; 4];

fn hosts() -> impl Iterator<Item = HostId> {
    (0..HOSTS.len()).map(HostId)
}

/// Returns when the file with the number of the engine was written, as text; empty without.
fn engine_since(fleet: &Fleet, host: HostId) -> String {
    let root = Credentials::root();
    fleet.host(host, |host| {
        let found = host.files.stat("/run/docker.pid", Follow::Yes, &root);
        found.map_or(String::new(), |stat| format!("{:?}", stat.modified))
    })
}

fn has(fleet: &Fleet, host: HostId, path: &str) -> bool {
    let root = Credentials::root();
    fleet.host(host, |host| {
        host.files.stat(path, Follow::No, &root).is_ok()
    })
}

#[test]
fn an_install_converges_and_starts_with_the_host() {
    in_its_own_time(async {
        let cluster = installed(ALL).await;

        assert_eq!(changes_of_another_apply(&cluster).await, 0);
        for host in hosts() {
            assert!(has(&cluster.fleet, host, "/etc/runlevels/default/docker"));
            assert!(!has(&cluster.fleet, host, "/run/systemd/system"));
        }
    });
}

#[test]
fn one_host_with_openrc_is_as_good_as_the_others() {
    in_its_own_time(async {
        let cluster = installed([
            Machine::Plain,
            Machine::OpenRc,
            Machine::Plain,
            Machine::OpenRc,
        ])
        .await;

        assert_eq!(changes_of_another_apply(&cluster).await, 0);
    });
}

#[test]
fn engines_are_restarted_when_their_configuration_changes_and_only_then() {
    in_its_own_time(async {
        let mut cluster = installed(ALL).await;
        let before: Vec<String> = hosts()
            .map(|host| engine_since(&cluster.fleet, host))
            .collect();
        cluster.is_changed = true;

        let ran = good(&cluster, &["apply"]).await;
        settle().await;

        let after: Vec<String> = hosts()
            .map(|host| engine_since(&cluster.fleet, host))
            .collect();
        for (host, (before, after)) in before.iter().zip(&after).enumerate() {
            assert!(
                !before.is_empty() && before != after,
                "{host}: {}",
                ran.printed
            );
        }
        assert_eq!(cluster.fleet.quorum().most_managers_down, 1);
        assert_eq!(changes_of_another_apply(&cluster).await, 0);
        let last: Vec<String> = hosts()
            .map(|host| engine_since(&cluster.fleet, host))
            .collect();
        assert_eq!(last, after);
    });
}

#[test]
fn a_reset_leaves_no_service_behind() {
    in_its_own_time(async {
        let cluster = installed(ALL).await;

        good(&cluster, &["reset", "--force"]).await;
        settle().await;

        for host in hosts() {
            for path in [
                "/etc/runlevels/default/docker",
                "/etc/init.d/docker",
                "/usr/bin/dockerd",
                "/run/docker.pid",
                "/run/docker-ssd.pid",
                "/var/log/docker.log",
                "/var/lib/docker",
            ] {
                assert!(!has(&cluster.fleet, host, path), "{host:?} {path}");
            }
        }
        good(&cluster, &["apply"]).await;
    });
}

#[test]
fn an_engine_that_was_killed_is_started_by_the_next_run() {
    in_its_own_time(async {
        let cluster = installed(ALL).await;
        let now = cluster.fleet.elapsed();
        cluster
            .fleet
            .plan_blow(HostId(3), When::At(now), Blow::KillEngine);
        settle().await;
        let before = engine_since(&cluster.fleet, HostId(3));

        good(&cluster, &["apply"]).await;

        assert_ne!(engine_since(&cluster.fleet, HostId(3)), before);
        assert_eq!(changes_of_another_apply(&cluster).await, 0);
    });
}

#[test]
fn an_engine_that_does_not_come_up_is_told_with_the_end_of_its_log() {
    in_its_own_time(async {
        let cluster = installed(ALL).await;
        let now = cluster.fleet.elapsed();
        let broken = Blow::BreakEngine(Some(Duration::from_secs(3600)));
        cluster.fleet.plan_blow(HostId(3), When::At(now), broken);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let began = cluster.fleet.elapsed();

        let ran = cluster.run(&["apply"], None).await.unwrap();

        assert_eq!(ran.status, 1, "{}", ran.printed);
        let said = "failed to start daemon: broken by the scenario";
        assert!(ran.printed.contains(said), "{}", ran.printed);
        let took = cluster.fleet.elapsed() - began;
        assert!(took < Duration::from_secs(60), "{took:?}: {}", ran.printed);
    });
}

#[test]
fn a_cluster_comes_back_after_a_boot() {
    in_its_own_time(async {
        let cluster = installed(ALL).await;

        cluster.fleet.reboot(HostId(3)).await;
        settle().await;

        assert!(!engine_since(&cluster.fleet, HostId(3)).is_empty());
        assert_eq!(changes_of_another_apply(&cluster).await, 0);
    });
}

#[test]
fn proxies_of_engines_are_refused_with_what_to_do() {
    in_its_own_time(async {
        let mut cluster = Cluster::with(1, &ORDER, ALL);
        (cluster.is_changed, cluster.has_proxy) = (true, true);

        let ran = cluster.run(&["apply"], None).await.unwrap();

        assert_eq!(ran.status, 1, "{}", ran.printed);
        let sent = cluster.fleet.sent();
        assert!(!sent.iter().any(|one| one.kind == Kind::Change));
        assert!(
            ran.printed.contains("/etc/default/docker"),
            "{}",
            ran.printed
        );
    });
}
