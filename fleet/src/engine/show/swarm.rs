//! Nodes, services, tasks, configs, secrets.

use std::time::Duration;

use crate::engine::names;
use crate::engine::swarm::Swarm;
use crate::engine::swarm::node::{AVAILABILITIES, Node};
use crate::engine::swarm::objects::{Kind, Object};
use crate::engine::swarm::service::{self, RESTARTS, Service, Task};
use crate::engine::value::{Value, map};
use crate::world::{HostId, World};

fn nanoseconds(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

/// Returns whether a manager can be reached, in docker's words.
pub(crate) fn reachability(node: &Node) -> &'static str {
    if node.silent_since.is_some() || node.has_left {
        "unreachable"
    } else {
        "reachable"
    }
}

/// Returns what `GET /nodes/{id}` answers.
pub(crate) fn node(
    world: &World,
    host: HostId,
    swarm: &Swarm,
    node: &Node,
    now: Duration,
) -> Value {
    let machine = &world.hosts[node.host.0].hardware;
    let availability = AVAILABILITIES
        .iter()
        .find(|(_, one)| *one == node.availability);
    let manager = node.is_manager.then(|| {
        map! {
            "Leader": swarm.leader.as_deref() == Some(&node.id),
            "Reachability": reachability(node),
            "Addr": format!("{}:{}", node.address, node.port),
        }
    });
    let state = node.state(now);
    let mut status = vec![("State".to_owned(), Value::from(state))];
    if state == "down" {
        let message = if node.has_left {
            ""
        } else {
            "heartbeat failure"
        };
        if !message.is_empty() {
            status.push(("Message".to_owned(), Value::from(message)));
        }
    }
    status.push(("Addr".to_owned(), Value::from(&node.address)));
    map! {
        "ID": &node.id,
        "Version": map! { "Index": node.version },
        "CreatedAt": names::timestamp(world.wall(host, node.joined)),
        "UpdatedAt": names::timestamp(world.wall(host, node.updated)),
        "Spec": map! {
            "Labels": &node.labels,
            "Role": if node.is_manager { "manager" } else { "worker" },
            "Availability": availability.map_or("", |(name, _)| name),
        },
        "Description": map! {
            "Hostname": &node.host_name,
            "Platform": map! { "Architecture": &machine.machine, "OS": "linux" },
            "Resources": map! {
                "NanoCPUs": i64::from(machine.processors) * 1_000_000_000,
                "MemoryBytes": machine.memory_kib * 1024,
            },
            "Engine": map! {
                "EngineVersion": &node.engine_version,
                "Plugins": vec![
                    map! { "Type": "Network", "Name": "bridge" },
                    map! { "Type": "Network", "Name": "overlay" },
                    map! { "Type": "Volume", "Name": "local" },
                ],
            },
            "TLSInfo": map! { "TrustRoot": "", "CertIssuerSubject": "", "CertIssuerPublicKey": "" },
        },
        "Status": Value::Map(status),
        "ManagerStatus": manager,
    }
}

fn spec(spec: &service::Spec) -> Value {
    let condition = RESTARTS.iter().find(|(_, one)| *one == spec.restart);
    let mounts: Value = spec
        .mounts
        .iter()
        .map(|mount| {
            map! {
                "Type": mount.kind.name(), "Source": &mount.source, "Target": &mount.target,
            }
        })
        .collect();
    let mut container = vec![("Image".to_owned(), Value::from(&spec.image))];
    for (name, words) in [
        ("Command", &spec.command),
        ("Args", &spec.arguments),
        ("Env", &spec.environment),
    ] {
        if !words.is_empty() {
            container.push((name.to_owned(), Value::from(words.clone())));
        }
    }
    if !spec.container_labels.is_empty() {
        container.push(("Labels".to_owned(), Value::from(&spec.container_labels)));
    }
    if !spec.mounts.is_empty() {
        container.push(("Mounts".to_owned(), mounts));
    }
    container.push(("Isolation".to_owned(), Value::from("default")));
    let mode = match spec.replicas {
        Some(count) => map! { "Replicated": map! { "Replicas": count } },
        None => map! { "Global": map! {} },
    };
    map! {
        "Name": &spec.name,
        "Labels": &spec.labels,
        "TaskTemplate": map! {
            "ContainerSpec": Value::Map(container),
            "Resources": map! {},
            "RestartPolicy": map! {
                "Condition": condition.map_or("any", |(name, _)| name),
                "Delay": nanoseconds(spec.restart_delay),
                "MaxAttempts": 0,
            },
            "Placement": map! { "Constraints": spec.constraints.clone() },
            "ForceUpdate": spec.force,
            "Runtime": "container",
        },
        "Mode": mode,
        "UpdateConfig": map! {
            "Parallelism": spec.update.parallelism,
            "Delay": nanoseconds(spec.update.delay),
            "FailureAction": "continue",
            "Monitor": nanoseconds(spec.update.monitor),
            "MaxFailureRatio": 0,
            "Order": if spec.update.starts_first { "start-first" } else { "stop-first" },
        },
        "EndpointSpec": map! { "Mode": "vip" },
    }
}

/// Returns what `GET /services/{id}` answers.
pub(crate) fn service(world: &World, host: HostId, service: &Service) -> Value {
    let wall = |time: Duration| names::timestamp(world.wall(host, time));
    let update = service.update.as_ref().map(|update| {
        let mut members = vec![
            ("State".to_owned(), Value::from(update.state())),
            ("StartedAt".to_owned(), Value::from(wall(update.started))),
        ];
        if let Some(completed) = update.completed {
            members.push(("CompletedAt".to_owned(), Value::from(wall(completed))));
        }
        let message = match update.completed {
            Some(_) => "update completed",
            None => "update in progress",
        };
        members.push(("Message".to_owned(), Value::from(message)));
        Value::Map(members)
    });
    map! {
        "ID": &service.id,
        "Version": map! { "Index": service.version },
        "CreatedAt": wall(service.created),
        "UpdatedAt": wall(service.updated),
        "Spec": spec(&service.spec),
        "PreviousSpec": service.previous.as_deref().map(spec),
        "Endpoint": map! { "Spec": map! {} },
        "UpdateStatus": update,
    }
}

/// Returns what `GET /tasks/{id}` answers.
pub(crate) fn task(world: &World, host: HostId, task: &Task) -> Value {
    let wall = |time: Duration| names::timestamp(world.wall(host, time));
    let desired = match (task.should_run, task.state.is_over()) {
        (true, false) => "running",
        _ => "shutdown",
    };
    let container = task.container.as_ref().map(|id| {
        map! { "ContainerID": id, "PID": 0, "ExitCode": task.exit_code }
    });
    map! {
        "ID": &task.id,
        "Version": map! { "Index": task.generation },
        "CreatedAt": wall(task.created),
        "UpdatedAt": wall(task.since),
        "Labels": map! {},
        "Spec": map! {
            "ContainerSpec": map! { "Image": &task.image },
            "Resources": map! {},
            "ForceUpdate": 0,
        },
        "ServiceID": &task.service,
        "Slot": task.slot,
        "NodeID": task.node.clone().unwrap_or_default(),
        "Status": map! {
            "Timestamp": wall(task.since),
            "State": task.state.name(),
            "Message": if task.error.is_empty() { task.state.name() } else { "" },
            "Err": &task.error,
            "ContainerStatus": container,
        },
        "DesiredState": desired,
    }
}

/// Returns what `GET /configs/{id}` or `/secrets/{id}` answers: of a secret, not what it holds.
pub(crate) fn object(world: &World, host: HostId, kind: Kind, object: &Object) -> Value {
    let wall = names::timestamp(world.wall(host, object.created));
    let mut spec = vec![
        ("Name".to_owned(), Value::from(&object.name)),
        ("Labels".to_owned(), Value::from(&object.labels)),
    ];
    if kind == Kind::Config {
        let data = Value::Bytes(object.data.clone());
        spec.push(("Data".to_owned(), data));
    }
    map! {
        "ID": &object.id,
        "Version": map! { "Index": object.version },
        "CreatedAt": wall.clone(),
        "UpdatedAt": wall,
        "Spec": Value::Map(spec),
    }
}
