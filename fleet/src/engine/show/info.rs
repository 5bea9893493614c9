//! An engine as a whole: `info`, `version`.

use std::time::Duration;

use crate::engine::container::Status;
use crate::engine::swarm::node::Node;
use crate::engine::swarm::{NO_LEADER, Swarm, raft};
use crate::engine::value::{Value, map};
use crate::engine::{Engine, around, names};
use crate::world::{HostId, World};

/// Returns the version of an engine as a number, like 25 for 25.0.9.
pub(crate) fn major(version: &str) -> u32 {
    let first = version.split('.').next();
    first.and_then(|first| first.parse().ok()).unwrap_or(25)
}

/// Returns the version of the API of an engine.
pub(crate) fn api_version(version: &str) -> &'static str {
    match major(version) {
        0..=20 => "1.41",
        21..=23 => "1.42",
        24 => "1.43",
        25 => "1.44",
        26 => "1.45",
        27 => "1.47",
        28 => "1.51",
        _ => "1.52",
    }
}

/// Returns what `GET /info` answers.
pub(crate) fn info(world: &World, host: HostId, now: Duration) -> Value {
    let engine = world.engine(host);
    let machine = &world.hosts[host.0].hardware;
    let (system, release) = around::system(world, host);
    let count = |wanted: &[Status]| {
        let containers = engine.containers.values();
        let found = containers.filter(|one| wanted.contains(&one.state.status));
        found.count()
    };
    let running = count(&[Status::Running, Status::Restarting]);
    let paused = count(&[Status::Paused]);
    let (driver, status) = driver(&engine.settings.storage_driver);
    map! {
        "ID": &engine.id,
        "Containers": engine.containers.len(),
        "ContainersRunning": running,
        "ContainersPaused": paused,
        "ContainersStopped": engine.containers.len() - running - paused,
        "Images": engine.images.len(),
        "Driver": driver,
        "DriverStatus": status,
        "Plugins": map! {
            "Volume": vec!["local"],
            "Network": vec!["bridge", "host", "ipvlan", "macvlan", "null", "overlay"],
            "Authorization": Value::Null,
            "Log": vec![
                "awslogs", "fluentd", "gcplogs", "gelf", "journald", "json-file", "local",
                "splunk", "syslog",
            ],
        },
        "MemoryLimit": true,
        "SwapLimit": true,
        "CpuCfsPeriod": true,
        "CpuCfsQuota": true,
        "CPUShares": true,
        "CPUSet": true,
        "PidsLimit": true,
        "IPv4Forwarding": true,
        "BridgeNfIptables": true,
        "BridgeNfIp6tables": true,
        "Debug": engine.settings.debug,
        "NFd": 24 + 12 * running,
        "OomKillDisable": false,
        "NGoroutines": 40 + 20 * running,
        "SystemTime": names::timestamp(world.wall(host, now)),
        "LoggingDriver": &engine.settings.log_driver,
        "CgroupDriver": &engine.settings.cgroup_driver,
        "CgroupVersion": "2",
        "NEventsListener": 0,
        "KernelVersion": &machine.kernel,
        "OperatingSystem": system,
        "OSVersion": release,
        "OSType": "linux",
        "Architecture": "x86_64",
        "IndexServerAddress": "https://index.docker.io/v1/",
        "RegistryConfig": registries(engine),
        "NCPU": machine.processors,
        "MemTotal": machine.memory_kib * 1024,
        "GenericResources": Value::Null,
        "DockerRootDir": &engine.settings.data_root,
        "HttpProxy": "",
        "HttpsProxy": "",
        "NoProxy": "",
        "Name": &world.hosts[host.0].name,
        "Labels": engine.settings.labels.clone(),
        "ExperimentalBuild": false,
        "ServerVersion": &engine.version,
        "Runtimes": map! {
            "io.containerd.runc.v2": map! { "path": "runc" },
            "runc": map! { "path": "runc" },
        },
        "DefaultRuntime": "runc",
        "Swarm": swarm(world, host, now),
        "LiveRestoreEnabled": engine.settings.live_restore,
        "Isolation": "",
        "InitBinary": "docker-init",
        "ContainerdCommit": map! { "ID": "1.6.28", "Expected": "1.6.28" },
        "RuncCommit": map! { "ID": "v1.1.12-0-g51d5e94", "Expected": "v1.1.12-0-g51d5e94" },
        "InitCommit": map! { "ID": "de40ad0", "Expected": "de40ad0" },
        "SecurityOptions": vec![
            "name=apparmor", "name=seccomp,profile=builtin", "name=cgroupns",
        ],
        "Warnings": warnings(world, host),
    }
}

fn driver(name: &str) -> (&str, Value) {
    let pairs = [
        ("Backing Filesystem", "extfs"),
        ("Supports d_type", "true"),
        ("Using metacopy", "false"),
        ("Native Overlay Diff", "true"),
        ("userxattr", "false"),
    ];
    let pairs = pairs.map(|(name, value)| Value::from(vec![name, value]));
    (name, pairs.into_iter().collect())
}

fn registries(engine: &Engine) -> Value {
    let index = |name: &str, mirrors: &[String], is_secure: bool| {
        map! {
            "Name": name,
            "Mirrors": mirrors.to_vec(),
            "Secure": is_secure,
            "Official": name == "docker.io",
        }
    };
    let mirrors = &engine.settings.mirrors;
    let mut indices = vec![("docker.io".to_owned(), index("docker.io", mirrors, true))];
    for name in &engine.settings.insecure_registries {
        indices.push((name.clone(), index(name, &[], false)));
    }
    map! {
        "AllowNondistributableArtifactsCIDRs": Value::Null,
        "AllowNondistributableArtifactsHostnames": Value::Null,
        "InsecureRegistryCIDRs": vec!["127.0.0.0/8"],
        "IndexConfigs": Value::Map(indices),
        "Mirrors": mirrors.clone(),
    }
}

/// Returns the state of an engine in its swarm: `inactive`, `pending`, `active`, `locked`, `error`.
pub(crate) fn local_state(world: &World, host: HostId, now: Duration) -> &'static str {
    match &world.engine(host).membership {
        None => "inactive",
        Some(_) if raft::is_pending(world, host, now) => "pending",
        Some(_) => "active",
    }
}

fn swarm(world: &World, host: HostId, now: Duration) -> Value {
    let state = local_state(world, host, now);
    let membership = world.engine(host).membership.as_ref();
    let found = membership.and_then(|one| {
        let swarm = world.swarm(one.swarm);
        Some((one.swarm, swarm, swarm.nodes.get(&one.node)?))
    });
    let Some((index, swarm, node)) = found else {
        return map! {
            "NodeID": membership.map(|one| one.node.clone()).unwrap_or_default(),
            "NodeAddr": "",
            "LocalNodeState": state,
            "ControlAvailable": false,
            "Error": "",
            "RemoteManagers": Value::Null,
            "Nodes": 0,
            "Managers": 0,
            "Cluster": Value::Null,
        };
    };
    let has_leader = raft::sees_leader(world, index, host);
    let manages = node.is_manager;
    let counts = |count: usize| {
        if manages && has_leader {
            Value::from(count)
        } else {
            Value::Null
        }
    };
    let mut members = vec![
        ("NodeID", Value::from(&node.id)),
        ("NodeAddr", Value::from(&node.address)),
        ("LocalNodeState", Value::from(state)),
        (
            "ControlAvailable",
            Value::from(manages && state == "active"),
        ),
        (
            "Error",
            Value::from(if manages && !has_leader {
                NO_LEADER
            } else {
                ""
            }),
        ),
        ("RemoteManagers", remotes(swarm)),
    ];
    if manages && has_leader {
        members.push(("Nodes", counts(swarm.nodes.len())));
        members.push(("Managers", counts(swarm.managers().count())));
        members.push(("Cluster", cluster(world, host, swarm)));
        if let Some(warning) = two_managers(swarm) {
            members.push(("Warnings", Value::from(vec![warning])));
        }
    } else {
        members.push(("Nodes", Value::from(0)));
        members.push(("Managers", Value::from(0)));
        members.push(("Cluster", Value::Null));
    }
    let members = members.into_iter();
    Value::Map(
        members
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

fn remotes(swarm: &Swarm) -> Value {
    let remote = |node: &Node| {
        map! { "NodeID": &node.id, "Addr": format!("{}:{}", node.address, node.port) }
    };
    swarm.managers().map(remote).collect()
}

/// Returns what `GET /swarm` and `info` tell of a swarm.
pub(crate) fn cluster(world: &World, host: HostId, swarm: &Swarm) -> Value {
    let nanoseconds = |time: Duration| i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
    let settings = &swarm.settings;
    map! {
        "ID": &swarm.id,
        "Version": map! { "Index": swarm.version },
        "CreatedAt": names::timestamp(world.wall(host, swarm.created)),
        "UpdatedAt": names::timestamp(world.wall(host, swarm.updated)),
        "Spec": map! {
            "Name": "default",
            "Labels": map! {},
            "Orchestration": map! { "TaskHistoryRetentionLimit": settings.history_limit },
            "Raft": map! {
                "SnapshotInterval": 10000,
                "KeepOldSnapshots": 0,
                "LogEntriesForSlowFollowers": 500,
                "ElectionTick": 10,
                "HeartbeatTick": 1,
            },
            "Dispatcher": map! { "HeartbeatPeriod": nanoseconds(settings.heartbeat) },
            "CAConfig": map! { "NodeCertExpiry": nanoseconds(settings.certificate_expiry) },
            "TaskDefaults": map! {},
            "EncryptionConfig": map! { "AutoLockManagers": settings.is_locked },
        },
        "TLSInfo": map! {
            "TrustRoot": "-----BEGIN CERTIFICATE-----\nMIIBaTCCARCgAwIBAgIU\n\
                          -----END CERTIFICATE-----\n",
            "CertIssuerSubject": "MBMxETAPBgNVBAMTCHN3YXJtLWNh",
            "CertIssuerPublicKey": "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE",
        },
        "RootRotationInProgress": false,
        "DefaultAddrPool": settings.address_pools.clone(),
        "SubnetSize": settings.subnet_size,
        "DataPathPort": settings.data_path_port,
    }
}

fn two_managers(swarm: &Swarm) -> Option<&'static str> {
    (swarm.managers().count() == 2).then_some(
        "WARNING: Running Swarm in a two-manager configuration. This configuration provides\n         \
         no fault tolerance, and poses a high risk to lose control over the cluster.\n         \
         Refer to https://docs.docker.com/engine/swarm/admin_guide/ to configure the\n         \
         Swarm for fault-tolerance.",
    )
}

fn warnings(world: &World, host: HostId) -> Value {
    let membership = world.engine(host).membership.as_ref();
    let swarm = membership.map(|one| world.swarm(one.swarm));
    let warning = swarm.and_then(two_managers);
    warning.map_or(Value::Null, |warning| Value::from(vec![warning]))
}

/// Returns what `GET /info` would say of an engine that does not answer: nothing, in all fields.
pub(crate) fn nothing(error: &str) -> Value {
    map! {
        "ID": "",
        "Containers": 0,
        "ContainersRunning": 0,
        "ContainersPaused": 0,
        "ContainersStopped": 0,
        "Images": 0,
        "Driver": "",
        "DriverStatus": Value::Null,
        "SystemTime": "",
        "LoggingDriver": "",
        "CgroupDriver": "",
        "KernelVersion": "",
        "OperatingSystem": "",
        "OSVersion": "",
        "OSType": "",
        "Architecture": "",
        "NCPU": 0,
        "MemTotal": 0,
        "DockerRootDir": "",
        "Name": "",
        "Labels": Value::Null,
        "ServerVersion": "",
        "Swarm": map! {
            "NodeID": "",
            "NodeAddr": "",
            "LocalNodeState": "",
            "ControlAvailable": false,
            "Error": "",
            "RemoteManagers": Value::Null,
            "Cluster": Value::Null,
        },
        "LiveRestoreEnabled": false,
        "SecurityOptions": Value::Null,
        "Warnings": Value::Null,
        "ServerErrors": vec![error],
    }
}

/// Returns what `GET /version` answers.
pub(crate) fn version(world: &World, host: HostId) -> Value {
    let engine = world.engine(host);
    let machine = &world.hosts[host.0].hardware;
    map! {
        "Platform": map! { "Name": "Mirantis Container Runtime" },
        "Components": vec![map! {
            "Name": "Engine",
            "Version": &engine.version,
            "Details": map! {
                "ApiVersion": api_version(&engine.version),
                "Arch": "amd64",
                "BuildTime": "2024-06-05T11:29:22.000000000+00:00",
                "Experimental": "false",
                "GitCommit": "5f9da84",
                "GoVersion": "go1.21.11",
                "KernelVersion": &machine.kernel,
                "MinAPIVersion": "1.24",
                "Os": "linux",
            },
        }],
        "Version": &engine.version,
        "ApiVersion": api_version(&engine.version),
        "MinAPIVersion": "1.24",
        "GitCommit": "5f9da84",
        "GoVersion": "go1.21.11",
        "Os": "linux",
        "Arch": "amd64",
        "KernelVersion": &machine.kernel,
        "BuildTime": "2024-06-05T11:29:22.000000000+00:00",
    }
}
