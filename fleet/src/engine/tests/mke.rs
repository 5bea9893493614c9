//! MKE from its installation to its removal.

use std::time::Duration;

use super::Cluster;
use crate::engine::container::{Mount, MountKind, Spec, Status};
use crate::engine::image::Reference;
use crate::engine::mke::serve;
use crate::engine::swarm::node::{self, Availability, Update};
use crate::engine::{lifecycle, pull};
use crate::world::HostId;

impl Cluster {
    /// Starts the bootstrapper as `docker run -d --name ucp` does.
    async fn bootstrap(&self, host: usize, version: &str, arguments: &[&str]) -> Duration {
        let host = self.hosts[host];
        let image = format!("docker.io/mirantis/ucp:{version}");
        self.see(|world, now| {
            let reference = Reference::parse(&image).unwrap();
            pull::at_once(world, host, &reference, None, now).unwrap();
            let spec = Spec {
                image,
                command: arguments.iter().map(|&word| word.to_owned()).collect(),
                mounts: vec![Mount {
                    kind: MountKind::Bind,
                    source: "/var/run/docker.sock".to_owned(),
                    target: "/var/run/docker.sock".to_owned(),
                    is_read_only: false,
                }],
                ..Spec::default()
            };
            let id = lifecycle::create(world, host, Some("ucp"), spec, now).unwrap();
            lifecycle::start(world, host, &id, now).unwrap();
        });
        let started = tokio::time::Instant::now();
        while self.status(host).0 == Status::Running {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        started.elapsed()
    }

    fn status(&self, host: HostId) -> (Status, u8) {
        self.see(|world, _| {
            let state = &world.engine(host).find("ucp").unwrap().state;
            (state.status, state.exit_code)
        })
    }

    fn finish(&self, host: usize) -> (u8, String) {
        let host = self.hosts[host];
        let (_, status) = self.status(host);
        self.see(|world, now| {
            let container = world.engine(host).find("ucp").unwrap();
            let lines = container.log.iter().map(|line| line.text.clone() + "\n");
            let log: String = lines.collect();
            lifecycle::remove(world, host, "ucp", lifecycle::Removal::default(), now).unwrap();
            (status, log)
        })
    }

    async fn ping(&self, host: usize) -> Result<u16, String> {
        let request = standin::http::Request {
            method: "GET".to_owned(),
            path: "/_ping".to_owned(),
            ..standin::http::Request::default()
        };
        let answer = serve::https(&self.fleet, self.hosts[host], "127.0.0.1", 443, request);
        answer.await.map(|answer| answer.status)
    }

    fn containers(&self, host: usize) -> Vec<String> {
        self.see(|world, _| {
            let containers = world.engine(self.hosts[host]).containers.values();
            let named = containers.filter(|one| one.state.status == Status::Running);
            let mut names: Vec<String> = named
                .map(|one| {
                    let name = one.name.split('.').next().unwrap_or_default();
                    format!("{name} {}", one.spec.image.rsplit(':').next().unwrap())
                })
                .collect();
            names.sort();
            names
        })
    }
}

const INSTALL: &[&str] = &[
    "install",
    "--admin-password",
    "orcaorca",
    "--san",
    "mke.lab",
];

#[tokio::test(start_paused = true)]
async fn a_large_cluster_is_upgraded() {
    let cluster = Cluster::swarm(13, 1, 49).await;
    cluster.bootstrap(0, "3.8.8", INSTALL).await;
    let (status, log) = cluster.finish(0);
    assert_eq!(status, 0, "{log}");
    cluster.wait(120).await;
    let id = cluster.see(|world, _| world.swarm(0).id.clone());

    cluster
        .bootstrap(0, "3.8.9", &["upgrade", "--id", &id])
        .await;

    let (status, log) = cluster.finish(0);
    assert_eq!(status, 0, "{log}");
    assert!(
        cluster
            .containers(0)
            .contains(&"ucp-proxy 3.8.9".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn from_install_to_uninstall() {
    let cluster = Cluster::swarm(11, 3, 2).await;

    let took = cluster.bootstrap(0, "3.8.8", INSTALL).await;
    let (status, log) = cluster.finish(0);
    assert_eq!(status, 0, "{log}");
    assert!(log.contains("All Installation Steps Completed"), "{log}");
    assert!(
        (200..420).contains(&took.as_secs()),
        "install took {took:?}"
    );

    cluster.wait(120).await;
    for host in 0..3 {
        assert_eq!(cluster.ping(host).await, Ok(200), "host {host}");
        let wanted = ["ucp-agent 3.8.8", "ucp-controller 3.8.8", "ucp-proxy 3.8.8"];
        assert_eq!(cluster.containers(host), wanted);
    }
    assert_eq!(
        cluster.containers(4),
        ["ucp-agent 3.8.8", "ucp-proxy 3.8.8"]
    );
    assert!(cluster.ping(4).await.is_err());

    let id = cluster.see(|world, _| world.swarm(0).id.clone());
    let took = cluster
        .bootstrap(0, "3.8.9", &["upgrade", "--id", &id])
        .await;
    let (status, log) = cluster.finish(0);
    assert_eq!(status, 0, "{log}");
    assert!(
        (360..900).contains(&took.as_secs()),
        "upgrade took {took:?}"
    );
    cluster.wait(150).await;
    assert_eq!(
        cluster.containers(4),
        ["ucp-agent 3.8.9", "ucp-proxy 3.8.9"]
    );
    assert_eq!(cluster.ping(2).await, Ok(200));

    let took = cluster
        .bootstrap(0, "3.8.9", &["uninstall-ucp", "--id", &id])
        .await;
    let (status, log) = cluster.finish(0);
    assert_eq!(status, 0, "{log}");
    assert!(
        (25..130).contains(&took.as_secs()),
        "uninstall took {took:?}"
    );
    for host in 0..5 {
        assert!(
            cluster.containers(host).is_empty(),
            "{:?}",
            cluster.containers(host)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_healthy_cluster_survives_its_leader() {
    let cluster = Cluster::swarm(12, 3, 1).await;
    cluster.bootstrap(0, "3.8.8", INSTALL).await;
    cluster.wait(120).await;

    cluster.stop(0);
    assert_eq!(cluster.ping(1).await, Ok(500));
    assert!(cluster.ping(0).await.is_err());
    cluster.wait(12).await;
    assert_eq!(cluster.ping(1).await, Ok(200));

    cluster.start(0);
    cluster.wait(20).await;
    assert_eq!(cluster.ping(0).await, Ok(200));
}

#[tokio::test(start_paused = true)]
async fn a_drained_worker_loses_its_agent_and_a_new_one_gets_it() {
    let cluster = Cluster::swarm(13, 1, 1).await;
    cluster.bootstrap(0, "3.8.8", INSTALL).await;
    cluster.wait(60).await;
    let availability = |availability| {
        cluster.see(|world, now| {
            let update = Update {
                availability: Some(availability),
                ..Update::default()
            };
            node::update(world, 0, "h1", &update, now).unwrap();
        });
    };

    availability(Availability::Drain);
    cluster.wait(10).await;
    assert_eq!(cluster.containers(1), ["ucp-proxy 3.8.8"]);
    availability(Availability::Active);
    cluster.wait(10).await;
    assert_eq!(
        cluster.containers(1),
        ["ucp-agent 3.8.8", "ucp-proxy 3.8.8"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_fault_hits_the_next_bootstrapper_only() {
    let cluster = Cluster::swarm(14, 1, 0).await;
    cluster.see(|world, _| {
        let faults = &mut world.engines.faults;
        faults.insert("UCP_SIM_FAIL".to_owned(), "the disk is on fire".to_owned());
    });

    cluster.bootstrap(0, "3.8.8", INSTALL).await;
    let (status, log) = cluster.finish(0);
    assert_eq!(status, 1);
    assert!(
        log.contains("level=fatal msg=\"the disk is on fire\""),
        "{log}"
    );

    cluster.bootstrap(0, "3.8.8", INSTALL).await;
    assert_eq!(cluster.finish(0).0, 0);
}

#[tokio::test(start_paused = true)]
async fn idle_nodes_cost_nothing() {
    let cluster = Cluster::swarm(15, 3, 200).await;
    cluster.bootstrap(0, "3.8.8", INSTALL).await;
    cluster.wait(300).await;

    assert_eq!(cluster.nodes("ready").len(), 203);
    assert_eq!(cluster.containers(202).len(), 2);
    assert_eq!(cluster.see(|world, _| world.engines.queue.len()), 0);
}

#[tokio::test(start_paused = true)]
async fn equal_seeds_make_equal_clusters() {
    let mut clusters = Vec::new();
    for _ in 0..2 {
        let cluster = Cluster::swarm(16, 3, 1).await;
        let took = cluster.bootstrap(0, "3.8.8", INSTALL).await;
        cluster.wait(100).await;
        let state = cluster.see(|world, _| {
            let engines: Vec<_> = world.hosts.iter().map(|host| host.engine.clone()).collect();
            (world.swarm(0).clone(), engines)
        });
        clusters.push((took, state));
    }

    assert_eq!(clusters[0].0, clusters[1].0);
    assert!(clusters[0].1 == clusters[1].1);
}
