//! Swarms: joining, elections, tasks, leaving.

use std::time::Duration;

use super::Cluster;
use crate::engine::power::{self, Halt};
use crate::engine::swarm::node::{self, Availability, Update};
use crate::engine::swarm::service::{self, Spec};
use crate::engine::swarm::{managed, membership};

const NO_LEADER: &str = "The swarm does not have a leader";

fn everywhere(image: &str) -> Spec {
    Spec {
        name: "all".to_owned(),
        image: image.to_owned(),
        ..Spec::default()
    }
}

#[tokio::test(start_paused = true)]
async fn hosts_join_with_the_right_token_only() {
    let cluster = Cluster::new(1, 3);
    cluster.init(0).await;
    let token = cluster.see(|world, _| world.swarm(0).tokens.token(false));

    let (status, said) = cluster.join_with(1, "SWMTKN-1-x-y", "10.0.0.1:2377").await;
    assert_eq!(status, 500);
    assert!(said.contains("invalid join token"), "{said}");
    let wrong = format!("{}zzzzz", &token[..token.len() - 5]);
    let (_, said) = cluster.join_with(1, &wrong, "10.0.0.1:2377").await;
    assert!(said.contains("A valid join token is necessary"), "{said}");
    let before = tokio::time::Instant::now();
    let (_, said) = cluster.join_with(1, &token, "10.9.9.9:2377").await;
    assert!(
        said.contains("Timeout was reached before node joined"),
        "{said}"
    );
    assert!(before.elapsed() >= Duration::from_secs(20));
    let (_, said) = cluster.join_with(1, &token, "10.0.0.3:2377").await;
    assert!(said.contains("connection refused"), "{said}");

    assert_eq!(cluster.join_with(1, &token, "10.0.0.1:2377").await.0, 200);
    let (_, said) = cluster.join_with(1, &token, "10.0.0.1:2377").await;
    assert!(said.contains("already part of a swarm"), "{said}");
    assert_eq!(cluster.nodes("ready"), [0, 1]);
}

#[tokio::test(start_paused = true)]
async fn another_manager_leads_when_the_leader_is_gone() {
    let cluster = Cluster::swarm(2, 3, 1).await;
    assert_eq!(cluster.leader(), Some(0));

    cluster.stop(0);
    assert_eq!(cluster.leader(), None);
    let said = cluster.see(|world, _| managed(world, cluster.hosts[1]).unwrap_err().message);
    assert!(said.contains(NO_LEADER), "{said}");
    cluster.wait(11).await;
    assert!(matches!(cluster.leader(), Some(1 | 2)));
    assert_eq!(cluster.get(1, "/nodes").await.0, 200);
    cluster.wait(6).await;
    assert_eq!(cluster.nodes("down"), [0]);

    cluster.start(0);
    cluster.wait(8).await;
    assert_eq!(cluster.nodes("ready"), [0, 1, 2, 3]);
    assert!(!cluster.see(|world, _| world.swarm(0).ever_lost_quorum()));
    assert_eq!(
        cluster.see(|world, _| world.swarm(0).most_managers_down()),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn without_a_quorum_nothing_can_be_done() {
    let cluster = Cluster::swarm(3, 3, 0).await;

    cluster.stop(1);
    cluster.stop(2);
    cluster.wait(15).await;
    let (status, body) = cluster.get(0, "/nodes").await;
    assert_eq!(status, 500);
    assert!(
        body["message"].as_str().unwrap().contains(NO_LEADER),
        "{body}"
    );
    let (_, info) = cluster.get(0, "/info").await;
    assert_eq!(info["Swarm"]["ControlAvailable"], true);
    assert!(
        info["Swarm"]["Error"].as_str().unwrap().contains(NO_LEADER),
        "{info}"
    );

    cluster.start(1);
    cluster.wait(13).await;
    assert_eq!(cluster.get(0, "/nodes").await.0, 200);
    assert!(cluster.see(|world, _| world.swarm(0).ever_lost_quorum()));
}

#[tokio::test(start_paused = true)]
async fn a_manager_that_is_cut_off_knows_no_leader() {
    let cluster = Cluster::swarm(4, 3, 0).await;
    let hosts = cluster.hosts.clone();

    cluster.see(|world, now| {
        for other in [1, 2] {
            world.network.set_cut(hosts[0], hosts[other], true);
        }
        power::network_changed(world, now);
    });
    cluster.wait(12).await;

    assert!(matches!(cluster.leader(), Some(1 | 2)));
    assert!(cluster.see(|world, _| managed(world, hosts[0])).is_err());
    assert!(cluster.see(|world, _| managed(world, hosts[1])).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_global_service_is_on_every_node_that_takes_tasks() {
    let cluster = Cluster::swarm(5, 1, 2).await;

    cluster.see(|world, now| service::create(world, 0, everywhere("nginx"), now).unwrap());
    cluster.wait(20).await;
    let running = |cluster: &Cluster| {
        cluster.see(|world, now| {
            let swarm = world.swarm(0);
            swarm.replicas(swarm.find_service("all").unwrap(), now)
        })
    };
    assert_eq!(running(&cluster), (3, 3));

    cluster.see(|world, now| {
        let update = Update {
            availability: Some(Availability::Drain),
            ..Update::default()
        };
        node::update(world, 0, "h2", &update, now).unwrap();
    });
    cluster.wait(5).await;
    assert_eq!(running(&cluster), (2, 2));
    assert_eq!(
        cluster.see(|world, _| world.engine(cluster.hosts[2]).containers.len()),
        0
    );

    cluster.see(|world, now| service::remove(world, 0, "all", now).unwrap());
    cluster.wait(5).await;
    assert_eq!(
        cluster.see(|world, _| world.engine(cluster.hosts[1]).containers.len()),
        0
    );
    assert!(cluster.see(|world, _| world.swarm(0).tasks.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn replicas_move_away_from_a_node_that_is_down() {
    let cluster = Cluster::swarm(6, 1, 2).await;
    let spec = Spec {
        replicas: Some(3),
        ..everywhere("nginx")
    };

    cluster.see(|world, now| service::create(world, 0, spec, now).unwrap());
    cluster.wait(20).await;
    cluster.see(|world, now| power::stop(world, cluster.hosts[1], Halt::PowerCut, now));
    cluster.wait(40).await;

    let places = cluster.see(|world, _| {
        let tasks = world.swarm(0).tasks.values();
        let alive = tasks.filter(|task| task.should_run && !task.state.is_over());
        let mut hosts: Vec<usize> = alive
            .map(|task| world.swarm(0).nodes[task.node.as_ref().unwrap()].host.0)
            .collect();
        hosts.sort_unstable();
        hosts
    });
    assert_eq!(
        places.iter().filter(|host| **host != 1).count(),
        3,
        "{places:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn managers_leave_only_by_force() {
    let cluster = Cluster::swarm(7, 2, 1).await;
    let leave = |host: usize, is_forced: bool| {
        cluster.see(|world, now| membership::leave(world, cluster.hosts[host], is_forced, now))
    };

    let said = leave(1, false).unwrap_err().message;
    assert!(said.contains("leaves 1 managers out of 2"), "{said}");
    assert!(leave(2, false).is_ok());
    assert_eq!(cluster.nodes("down"), [2]);
    assert!(
        leave(2, false)
            .unwrap_err()
            .message
            .contains("not part of a swarm")
    );
    assert!(leave(1, true).is_ok());
    assert!(
        cluster
            .see(|world, _| managed(world, cluster.hosts[0]))
            .is_err()
    );
    assert!(leave(0, true).is_ok());
    assert_eq!(
        cluster.get(0, "/info").await.1["Swarm"]["LocalNodeState"],
        "inactive"
    );
}

#[tokio::test(start_paused = true)]
async fn nodes_are_removed_by_the_rules() {
    let cluster = Cluster::swarm(8, 3, 1).await;
    let remove = |text: &str, is_forced: bool| {
        cluster.see(|world, now| node::remove(world, 0, text, is_forced, now))
    };

    let said = remove("h1", true).unwrap_err().message;
    assert!(
        said.contains("must be demoted to worker before removal"),
        "{said}"
    );
    let said = remove("h3", false).unwrap_err().message;
    assert!(said.contains("is not down and can't be removed"), "{said}");
    assert!(
        remove("nope", false)
            .unwrap_err()
            .message
            .contains("node nope not found")
    );
    cluster.see(|world, now| {
        let update = Update {
            is_manager: Some(false),
            ..Update::default()
        };
        node::update(world, 0, "h1", &update, now).unwrap();
    });
    assert!(remove("h1", true).is_ok());
    assert_eq!(cluster.nodes("ready"), [0, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn what_is_removed_from_the_disk_is_forgotten() {
    let cluster = Cluster::swarm(9, 1, 1).await;
    cluster.see(|world, now| service::create(world, 0, everywhere("nginx"), now).unwrap());
    cluster.wait(20).await;
    assert!(cluster.see(|world, _| world.engine(cluster.hosts[1]).images.len()) > 0);

    cluster.stop(1);
    cluster.see(|world, _| {
        let root = crate::files::Credentials::root();
        let files = &mut world.hosts[1].files;
        files
            .remove_tree("/var/lib/docker", &root, Duration::ZERO)
            .unwrap();
    });
    cluster.start(1);

    let (_, info) = cluster.get(1, "/info").await;
    assert_eq!(info["Images"], 0);
    assert_eq!(info["Containers"], 0);
    assert_eq!(info["Swarm"]["LocalNodeState"], "inactive");
}
