//! An engine as a whole: `info`, `version`.

use std::time::Duration;

use crate::engine::container::Status;
use crate::engine::swarm::node::Node;
use crate::engine::swarm::{NO_LEADER, Swarm, raft};
use crate::engine::value::{Value, map};
use crate::engine::{Engine, around, names};
use crate::host::Init;
use crate::profile::Kernel;
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
    let build = world.build(&engine.version);
    let is_old = major(&engine.version) < 23;
    let kernel = &machine.kernel;
    let count = |wanted: &[Status]| {
        let containers = engine.containers.values();
        let found = containers.filter(|one| wanted.contains(&one.state.status));
        found.count()
    };
    let running = count(&[Status::Running, Status::Restarting]);
    let paused = count(&[Status::Paused]);
    let (driver, status) = driver(&engine.settings.storage_driver, is_old);
    let mut logs = vec![
        "awslogs",
        "fluentd",
        "gcplogs",
        "gelf",
        "journald",
        "json-file",
        "local",
        "splunk",
        "syslog",
    ];
    if is_old {
        logs.insert(7, "logentries");
    }
    let mut members = vec![
        ("MemoryLimit", true),
        ("SwapLimit", true),
        ("KernelMemory", true),
        ("KernelMemoryTCP", true),
        ("CpuCfsPeriod", true),
        ("CpuCfsQuota", true),
        ("CPUShares", true),
        ("CPUSet", true),
        ("PidsLimit", true),
        ("IPv4Forwarding", true),
        ("BridgeNfIptables", true),
        ("BridgeNfIp6tables", true),
        ("Debug", engine.settings.debug),
    ];
    // Control groups of version 2 have no limits for memory of the kernel.
    members.retain(|(name, _)| is_old && kernel.cgroups == 1 || !name.starts_with("KernelMemory"));
    let driver_of_groups = match (kernel.cgroups, engine.settings.cgroup_driver.as_str()) {
        (1, "") => "cgroupfs",
        (_, "") if world.hosts[host.0].init == Init::OpenRc => "cgroupfs",
        (_, "") => "systemd",
        (_, driver) => driver,
    };
    let mut runtimes = vec!["io.containerd.runc.v2", "runc"];
    if is_old {
        runtimes.insert(1, "io.containerd.runtime.v1.linux");
    }
    let runtimes = runtimes.into_iter();
    let runtimes = runtimes.map(|name| (name.to_owned(), map! { "path": "runc" }));
    let mut info = map! {
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
            "Log": logs,
        },
    };
    let rest = map! {
        "NFd": 24 + 12 * running,
        "OomKillDisable": kernel.cgroups == 1,
        "NGoroutines": 40 + 20 * running,
        "SystemTime": names::timestamp(world.wall(host, now)),
        "LoggingDriver": &engine.settings.log_driver,
        "CgroupDriver": driver_of_groups,
        "CgroupVersion": kernel.cgroups.to_string(),
        "NEventsListener": 0,
        "KernelVersion": &machine.kernel.release,
        "OperatingSystem": system,
        "OSVersion": release,
        "OSType": "linux",
        "Architecture": &machine.machine,
        "IndexServerAddress": "https://index.docker.io/v1/",
        "RegistryConfig": registries(engine, is_old),
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
        "ServerVersion": &build.version,
        "Runtimes": Value::Map(runtimes.collect()),
        "DefaultRuntime": "runc",
        "Swarm": swarm(world, host, now),
        "LiveRestoreEnabled": engine.settings.live_restore,
        "Isolation": "",
        "InitBinary": "docker-init",
        "ContainerdCommit": commit(&build.containerd.1),
        "RuncCommit": commit(&build.runc.1),
        "InitCommit": commit(&build.init.1),
        "SecurityOptions": security(kernel, is_old),
        "Warnings": warnings(world, host),
    };
    if let (Value::Map(info), Value::Map(rest)) = (&mut info, rest) {
        let members = members.into_iter();
        info.extend(members.map(|(name, value)| (name.to_owned(), Value::from(value))));
        info.extend(rest);
    }
    info
}

fn commit(id: &str) -> Value {
    map! { "ID": id, "Expected": id }
}

fn security(kernel: &Kernel, is_old: bool) -> Vec<&'static str> {
    let profile = match is_old {
        true => "name=seccomp,profile=default",
        false => "name=seccomp,profile=builtin",
    };
    let all = [
        (kernel.has_apparmor, "name=apparmor"),
        (true, profile),
        (kernel.cgroups == 2, "name=cgroupns"),
    ];
    all.into_iter()
        .filter(|(is, _)| *is)
        .map(|(_, name)| name)
        .collect()
}

/// Returns the driver with what it tells of itself.
fn driver(name: &str, is_old: bool) -> (&str, Value) {
    let mut pairs = vec![
        ("Backing Filesystem", "extfs"),
        ("Supports d_type", "true"),
        ("Using metacopy", "false"),
        ("Native Overlay Diff", "true"),
        ("userxattr", "false"),
    ];
    pairs.retain(|(name, _)| !is_old || *name != "Using metacopy");
    let pairs = pairs.into_iter();
    (
        name,
        pairs
            .map(|(name, value)| Value::from(vec![name, value]))
            .collect(),
    )
}

fn registries(engine: &Engine, is_old: bool) -> Value {
    let none = || {
        if is_old {
            Value::List(Vec::new())
        } else {
            Value::Null
        }
    };
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
        "AllowNondistributableArtifactsCIDRs": none(),
        "AllowNondistributableArtifactsHostnames": none(),
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
/// Commands before version 23 leave the fields out.
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
    let build = world.build(&engine.version);
    let component = |name: &str, (version, commit): &(String, String)| {
        map! { "Name": name, "Version": version, "Details": map! { "GitCommit": commit } }
    };
    map! {
        "Platform": map! { "Name": &build.platform },
        "Components": vec![
            map! {
                "Name": "Engine",
                "Version": &build.version,
                "Details": map! {
                    "ApiVersion": api_version(&engine.version),
                    "Arch": crate::packages::debian_architecture(&machine.machine),
                    "BuildTime": &build.built,
                    "Experimental": "false",
                    "GitCommit": &build.commit,
                    "GoVersion": &build.go,
                    "KernelVersion": &machine.kernel.release,
                    "MinAPIVersion": &build.least_api,
                    "Os": "linux",
                },
            },
            component("containerd", &build.containerd),
            component("runc", &build.runc),
            component("docker-init", &build.init),
        ],
        "Version": &build.version,
        "ApiVersion": api_version(&engine.version),
        "MinAPIVersion": &build.least_api,
        "GitCommit": &build.commit,
        "GoVersion": &build.go,
        "Os": "linux",
        "Arch": crate::packages::debian_architecture(&machine.machine),
        "KernelVersion": &machine.kernel.release,
        "BuildTime": &build.built,
    }
}
