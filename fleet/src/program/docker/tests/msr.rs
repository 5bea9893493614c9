//! MSR from its installation to its removal, as an installer without knowledge of the fleet does it.

use super::install;
use crate::engine::tests::Cluster;

const MKE: &str = "--ucp-url=\"10.0.0.1\" --ucp-username=\"admin\" --ucp-password=\"orca orca\" \
    --ucp-insecure-tls";

/// A manager with MKE, and two workers.
async fn cluster() -> Cluster {
    let cluster = Cluster::swarm(12, 1, 2).await;
    install(&cluster).await;
    cluster.wait(120).await;
    cluster
}

fn bootstrapper(words: &str) -> String {
    format!("docker run -i --rm mirantis/dtr:2.9.28 {words} 2>&1")
}

async fn install_replica(cluster: &Cluster) -> String {
    let words = format!("install {MKE} --ucp-node h1 --replica-id 000000000001");
    cluster.good(1, &bootstrapper(&words)).await
}

#[tokio::test(start_paused = true)]
async fn replicas_are_installed_joined_and_upgraded() {
    let cluster = cluster().await;
    let images = cluster.good(1, &bootstrapper("images")).await;
    assert!(
        images.contains("\nmirantis/dtr-rethink:2.9.28\n"),
        "{images}"
    );

    let log = install_replica(&cluster).await;
    assert!(
        log.ends_with("msg=\"Replica ID is set to: 000000000001\"\n"),
        "{log}"
    );
    let join = format!("join --ucp-node h2 --existing-replica-id 000000000001 {MKE}");
    cluster.good(1, &bootstrapper(&join)).await;
    assert_eq!(known(&cluster, 1).await, "2.9.28 000000000001\n");
    assert!(known(&cluster, 2).await.starts_with("2.9.28 "));

    let upgrade = format!("upgrade --existing-replica-id 000000000001 {MKE}");
    let newer = bootstrapper(&upgrade).replace("2.9.28", "2.9.29");
    cluster.good(1, &newer).await;
    assert_eq!(known(&cluster, 1).await, "2.9.29 000000000001\n");
    assert!(known(&cluster, 2).await.starts_with("2.9.29 "));
    cluster.good(0, "docker network rm dtr-ol").await;
}

/// What a replica says of itself.
async fn known(cluster: &Cluster, host: usize) -> String {
    let script = "docker inspect $(docker ps -aq --filter name=dtr-rethinkdb) --format \
        '{{ index .Config.Labels \"com.docker.dtr.version\"}} \
        {{ index .Config.Labels \"com.docker.dtr.replica\"}}'";
    cluster.good(host, script).await
}

#[tokio::test(start_paused = true)]
async fn a_replica_becomes_well_and_answers() {
    let cluster = cluster().await;
    install_replica(&cluster).await;
    let ask = "docker ps -q -f health=healthy -f name=dtr-nginx | wc -l; \
        curl -kso /dev/null -w '%{http_code}\n' https://localhost:443/_ping";
    assert_eq!(cluster.good(1, ask).await, "0\n503\n");

    cluster.wait(30).await;

    assert_eq!(cluster.good(1, ask).await, "1\n200\n");
    let status = "docker ps -f name=dtr-nginx --format '{{.Status}}'";
    let said = cluster.good(1, status).await;
    assert!(said.ends_with(" (healthy)\n"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_is_refused() {
    let cluster = cluster().await;
    install_replica(&cluster).await;
    let rows = [
        ("install --ucp-node h2", "--ucp-url is required"),
        (
            "install --ucp-node h0 --replica-https-port 443 MKE",
            "already in use on node h0: [443]",
        ),
        ("install --ucp-node h9 MKE", "h9\\\" was not found"),
        (
            "join --ucp-node h2 --existing-replica-id 000000000009 MKE",
            "Replica 000000000009 was not found",
        ),
        (
            "install --ucp-node h2 --replica-id xyz MKE",
            "Invalid replica ID",
        ),
    ];

    for (words, wanted) in rows {
        let script = bootstrapper(&words.replace("MKE", MKE));
        let ran = cluster.sh(1, &script).await;

        assert_eq!(ran.status, 1, "{words}: {}", ran.stdout);
        assert!(
            ran.stdout.contains("level=fatal"),
            "{words}: {}",
            ran.stdout
        );
        assert!(ran.stdout.contains(wanted), "{words}: {}", ran.stdout);
    }
    let wrong = MKE.replace("orca orca", "wrong");
    let ran = cluster
        .sh(1, &bootstrapper(&format!("install --ucp-node h2 {wrong}")))
        .await;
    assert!(
        ran.stdout.contains("Authentication failed"),
        "{}",
        ran.stdout
    );
}

#[tokio::test(start_paused = true)]
async fn a_replica_is_destroyed() {
    let cluster = cluster().await;
    install_replica(&cluster).await;
    let words = format!("destroy {MKE} --replica-id 000000000001");

    let (status, said) = cluster
        .bad(1, "docker run -it --rm mirantis/dtr:2.9.28 destroy")
        .await;
    assert_eq!(
        (status, said.as_str()),
        (1, "the input device is not a TTY\n")
    );
    cluster.good(1, &bootstrapper(&words)).await;

    let left = "docker ps -aq --filter name=dtr-; docker volume ls -q --filter name=dtr-";
    assert_eq!(cluster.good(1, left).await, "");
}
