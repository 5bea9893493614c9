//! `docker info` as lines.

use std::time::Duration;

use crate::engine::names;
use crate::engine::value::Value;

/// Returns what `docker info` prints; nothing of the engine where it does not answer.
pub(super) fn plain(info: &Value, client: &Value, problem: Option<&str>) -> String {
    let mut out = match client.at(&["Platform", "Name"]).as_text() {
        "" => "Client:\n".to_owned(),
        platform => format!(
            "Client: {platform}\n Version:    {}\n",
            client.at(&["Version"]).as_text()
        ),
    };
    out.push_str(" Context:    default\n Debug Mode: false\n\nServer:\n");
    if problem.is_some() {
        return out;
    }
    engine(&mut out, info);
    swarm(&mut out, info.at(&["Swarm"]));
    system(&mut out, info);
    out.push('\n');
    out
}

fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        other => other.json(),
    }
}

/// Adds a line for each name.
fn lines(out: &mut String, value: &Value, indent: &str, names: &[(&str, &[&str])]) {
    for (label, path) in names {
        out.push_str(&format!("{indent}{label}: {}\n", shown(value.at(path))));
    }
}

fn words(value: &Value) -> String {
    match value {
        Value::List(values) => values.iter().map(shown).collect::<Vec<_>>().join(" "),
        _ => String::new(),
    }
}

fn engine(out: &mut String, info: &Value) {
    lines(out, info, " ", &[("Containers", &["Containers"])]);
    let containers: [(&str, &[&str]); 3] = [
        ("Running", &["ContainersRunning"]),
        ("Paused", &["ContainersPaused"]),
        ("Stopped", &["ContainersStopped"]),
    ];
    lines(out, info, "  ", &containers);
    let driver: [(&str, &[&str]); 3] = [
        ("Images", &["Images"]),
        ("Server Version", &["ServerVersion"]),
        ("Storage Driver", &["Driver"]),
    ];
    lines(out, info, " ", &driver);
    if let Value::List(pairs) = info.at(&["DriverStatus"]) {
        for pair in pairs {
            if let Value::List(pair) = pair
                && let [name, value] = pair.as_slice()
            {
                out.push_str(&format!("  {}: {}\n", shown(name), shown(value)));
            }
        }
    }
    let groups: [(&str, &[&str]); 3] = [
        ("Logging Driver", &["LoggingDriver"]),
        ("Cgroup Driver", &["CgroupDriver"]),
        ("Cgroup Version", &["CgroupVersion"]),
    ];
    lines(out, info, " ", &groups);
    out.push_str(" Plugins:\n");
    for kind in ["Volume", "Network", "Log"] {
        let plugins = words(info.at(&["Plugins", kind]));
        out.push_str(&format!("  {kind}: {plugins}\n"));
    }
}

fn swarm(out: &mut String, swarm: &Value) {
    lines(out, swarm, " ", &[("Swarm", &["LocalNodeState"])]);
    if !swarm.at(&["NodeID"]).is_true() {
        return;
    }
    lines(out, swarm, "  ", &[("NodeID", &["NodeID"])]);
    if swarm.at(&["Error"]).is_true() {
        lines(out, swarm, "  ", &[("Error", &["Error"])]);
    }
    lines(out, swarm, "  ", &[("Is Manager", &["ControlAvailable"])]);
    if swarm.at(&["Cluster"]).is_true() {
        cluster(out, swarm);
    }
    lines(out, swarm, "  ", &[("Node Address", &["NodeAddr"])]);
    if let Value::List(managers) = swarm.at(&["RemoteManagers"]) {
        let mut addresses: Vec<String> = managers
            .iter()
            .map(|one| shown(one.at(&["Addr"])))
            .collect();
        addresses.sort();
        out.push_str("  Manager Addresses:\n");
        for address in addresses {
            out.push_str(&format!("   {address}\n"));
        }
    }
}

fn cluster(out: &mut String, swarm: &Value) {
    let span = |path: &[&str]| match swarm.at(path) {
        Value::Int(nanoseconds) => names::span(Duration::from_nanos(
            u64::try_from(*nanoseconds).unwrap_or(0),
        )),
        _ => String::new(),
    };
    let numbers: [(&str, &[&str]); 3] = [
        ("ClusterID", &["Cluster", "ID"]),
        ("Managers", &["Managers"]),
        ("Nodes", &["Nodes"]),
    ];
    lines(out, swarm, "  ", &numbers);
    if let Value::List(pools) = swarm.at(&["Cluster", "DefaultAddrPool"]) {
        let pools: String = pools
            .iter()
            .map(|pool| format!("{}  ", shown(pool)))
            .collect();
        out.push_str(&format!("  Default Address Pool: {pools}\n"));
    }
    let settings: [(&str, &[&str]); 2] = [
        ("SubnetSize", &["Cluster", "SubnetSize"]),
        ("Data Path Port", &["Cluster", "DataPathPort"]),
    ];
    lines(out, swarm, "  ", &settings);
    let spec = swarm.at(&["Cluster", "Spec"]);
    out.push_str("  Orchestration:\n");
    let limit: [(&str, &[&str]); 1] = [(
        "Task History Retention Limit",
        &["Orchestration", "TaskHistoryRetentionLimit"],
    )];
    lines(out, spec, "   ", &limit);
    out.push_str("  Raft:\n");
    let raft: [(&str, &[&str]); 4] = [
        ("Snapshot Interval", &["Raft", "SnapshotInterval"]),
        (
            "Number of Old Snapshots to Retain",
            &["Raft", "KeepOldSnapshots"],
        ),
        ("Heartbeat Tick", &["Raft", "HeartbeatTick"]),
        ("Election Tick", &["Raft", "ElectionTick"]),
    ];
    lines(out, spec, "   ", &raft);
    out.push_str(&format!(
        "  Dispatcher:\n   Heartbeat Period: {}\n  CA Configuration:\n   Expiry Duration: {}\n   \
         Force Rotate: 0\n",
        span(&["Cluster", "Spec", "Dispatcher", "HeartbeatPeriod"]),
        span(&["Cluster", "Spec", "CAConfig", "NodeCertExpiry"])
    ));
    let locks: [(&str, &[&str]); 1] = [(
        "Autolock Managers",
        &["Spec", "EncryptionConfig", "AutoLockManagers"],
    )];
    let cluster = swarm.at(&["Cluster"]);
    lines(out, cluster, "  ", &locks);
    let rotation: [(&str, &[&str]); 1] =
        [("Root Rotation In Progress", &["RootRotationInProgress"])];
    lines(out, cluster, "  ", &rotation);
}

fn system(out: &mut String, info: &Value) {
    if let Value::Map(runtimes) = info.at(&["Runtimes"]) {
        let names: Vec<&str> = runtimes.iter().map(|(name, _)| name.as_str()).collect();
        out.push_str(&format!(" Runtimes: {}\n", names.join(" ")));
    }
    let programs: [(&str, &[&str]); 5] = [
        ("Default Runtime", &["DefaultRuntime"]),
        ("Init Binary", &["InitBinary"]),
        ("containerd version", &["ContainerdCommit", "ID"]),
        ("runc version", &["RuncCommit", "ID"]),
        ("init version", &["InitCommit", "ID"]),
    ];
    lines(out, info, " ", &programs);
    out.push_str(" Security Options:\n");
    if let Value::List(options) = info.at(&["SecurityOptions"]) {
        for option in options {
            let text = shown(option);
            let mut parts = text.split(',').filter_map(|part| part.split_once('='));
            let name = parts.next().map_or("", |(_, name)| name);
            out.push_str(&format!("  {name}\n"));
            if let Some((_, profile)) = parts.next() {
                out.push_str(&format!("   Profile: {profile}\n"));
            }
        }
    }
    let memory = match info.at(&["MemTotal"]) {
        Value::Int(bytes) => names::binary_size(u64::try_from(*bytes).unwrap_or_default()),
        _ => String::new(),
    };
    let machine: [(&str, &[&str]); 5] = [
        ("Kernel Version", &["KernelVersion"]),
        ("Operating System", &["OperatingSystem"]),
        ("OSType", &["OSType"]),
        ("Architecture", &["Architecture"]),
        ("CPUs", &["NCPU"]),
    ];
    lines(out, info, " ", &machine);
    out.push_str(&format!(" Total Memory: {memory}\n"));
    let own: [(&str, &[&str]); 5] = [
        ("Name", &["Name"]),
        ("ID", &["ID"]),
        ("Docker Root Dir", &["DockerRootDir"]),
        ("Debug Mode", &["Debug"]),
        ("Registry", &["IndexServerAddress"]),
    ];
    lines(out, info, " ", &own);
    out.push_str(" Labels:\n");
    if let Value::List(labels) = info.at(&["Labels"]) {
        for label in labels {
            out.push_str(&format!("  {}\n", shown(label)));
        }
    }
    out.push_str(" Experimental: false\n Insecure Registries:\n");
    if let Value::Map(indices) = info.at(&["RegistryConfig", "IndexConfigs"]) {
        let insecure = indices
            .iter()
            .filter(|(_, one)| !one.at(&["Secure"]).is_true());
        for (name, _) in insecure {
            out.push_str(&format!("  {name}\n"));
        }
    }
    out.push_str("  127.0.0.0/8\n");
    lines(
        out,
        info,
        " ",
        &[("Live Restore Enabled", &["LiveRestoreEnabled"])],
    );
}
