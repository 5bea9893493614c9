//! Clusters on hosts of Ubuntu 26.04, whose coreutils are those of uutils and whose sudo is sudo-rs.

use fleet::HostId;

use crate::cluster::{Machine, in_its_own_time, settle};
use crate::good::{changes_of_another_apply, good, installed};

const ALL: [Machine; 4] = [Machine::Rust; 4];

#[test]
fn an_install_converges_and_a_reset_takes_it_away() {
    in_its_own_time(async {
        let cluster = installed(ALL).await;
        let first = HostId(0);
        let has = |path: &str| cluster.fleet.host(first, |host| host.files.exists(path));
        assert!(has("/usr/lib/cargo/bin/coreutils/install") && has("/usr/bin/docker"));

        assert_eq!(changes_of_another_apply(&cluster).await, 0);
        good(&cluster, &["reset", "--force"]).await;
        settle().await;

        assert!(!has("/usr/bin/docker") && !has("/var/lib/launchpad/owned.json"));
    });
}

#[test]
fn hosts_of_both_kinds_make_one_cluster_that_takes_changes() {
    in_its_own_time(async {
        let mut cluster =
            installed([Machine::Plain, Machine::Rust, Machine::Rust, Machine::Plain]).await;
        cluster.is_changed = true;

        good(&cluster, &["apply"]).await;
        settle().await;

        let changed = cluster
            .fleet
            .host(HostId(1), |host| host.files.text("/etc/docker/daemon.json"));
        assert!(changed.is_some_and(|text| text.contains("debug")));
        assert_eq!(changes_of_another_apply(&cluster).await, 0);
    });
}
