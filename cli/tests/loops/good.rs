//! Commands that have to succeed, and be simulated as a whole.

use fleet::connection::Kind;

use crate::cluster::{Cluster, Machine, ORDER, Ran, settle};

/// Runs a command that has to succeed, without anything that is not simulated.
pub(crate) async fn good(cluster: &Cluster, words: &[&str]) -> Ran {
    let ran = cluster.run(words, None).await.unwrap();
    assert_eq!(ran.status, 0, "{words:?}: {}", ran.printed);
    let unknown = cluster.fleet.not_simulated();
    assert!(unknown.is_empty(), "{unknown:?}");
    let breaches = cluster.fleet.breaches();
    assert!(breaches.is_empty(), "{breaches:#?}");
    ran
}

/// Returns a cluster that was installed on hosts, and has come to rest.
pub(crate) async fn installed(machines: [Machine; 4]) -> Cluster {
    let cluster = Cluster::with(1, &ORDER, machines);
    good(&cluster, &["apply"]).await;
    settle().await;
    cluster
}

/// Returns how many changes hosts were sent by another `apply`.
pub(crate) async fn changes_of_another_apply(cluster: &Cluster) -> usize {
    cluster.fleet.forget_counts();
    good(cluster, &["apply"]).await;
    let sent = cluster.fleet.sent();
    sent.iter().filter(|one| one.kind == Kind::Change).count()
}
