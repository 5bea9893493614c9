//! Containers.

use std::time::Duration;

use crate::engine::container::{Container, Mount, MountKind, Status};
use crate::engine::settings::Settings;
use crate::engine::value::{Value, map};
use crate::engine::{lifecycle, names, volume};
use crate::world::{HostId, World};

/// Returns what `GET /containers/{id}/json` answers.
pub(crate) fn inspect(world: &World, host: HostId, container: &Container) -> Value {
    let when = |time: Option<Duration>| {
        time.map_or_else(
            || names::NEVER.to_owned(),
            |time| names::timestamp(world.wall(host, time)),
        )
    };
    let words = lifecycle::argv(world, host, container);
    let (path, arguments) = words
        .split_first()
        .map_or((String::new(), Vec::new()), |(path, rest)| {
            (path.clone(), rest.to_vec())
        });
    let root = &world.engine(host).settings.data_root;
    let directory = format!("{root}/containers/{}", container.id);
    map! {
        "Id": &container.id,
        "Created": names::timestamp(world.wall(host, container.created)),
        "Path": path,
        "Args": arguments,
        "State": state(container, &when),
        "Image": &container.image_id,
        "ResolvConfPath": format!("{directory}/resolv.conf"),
        "HostnamePath": format!("{directory}/hostname"),
        "HostsPath": format!("{directory}/hosts"),
        "LogPath": format!("{directory}/{}-json.log", container.id),
        "Name": format!("/{}", container.name),
        "RestartCount": container.state.restarts,
        "Driver": &world.engine(host).settings.storage_driver,
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "docker-default",
        "ExecIDs": Value::Null,
        "HostConfig": host_config(&world.engine(host).settings, container),
        "GraphDriver": map! { "Data": Value::Null, "Name": "overlay2" },
        "Mounts": mounts(world, host, container),
        "Config": config(world, host, container),
        "NetworkSettings": network_settings(world, host, container),
    }
}

/// Returns the number that the first process of a container has on its host.
pub(crate) fn pid(container: &Container) -> u32 {
    1000 + container.state.run
}

fn state(container: &Container, when: &impl Fn(Option<Duration>) -> String) -> Value {
    let state = &container.state;
    let is_alive = state.status.is_alive();
    map! {
        "Status": state.status.name(),
        "Running": is_alive,
        "Paused": state.status == Status::Paused,
        "Restarting": state.status == Status::Restarting,
        "OOMKilled": false,
        "Dead": false,
        "Pid": if is_alive { pid(container) } else { 0 },
        "ExitCode": state.exit_code,
        "Error": &state.error,
        "StartedAt": when(state.started),
        "FinishedAt": when(state.finished),
    }
}

fn bind(mount: &Mount) -> Option<String> {
    let mode = if mount.is_read_only { ":ro" } else { "" };
    (mount.kind != MountKind::Tmpfs).then(|| format!("{}:{}{mode}", mount.source, mount.target))
}

fn host_config(settings: &Settings, container: &Container) -> Value {
    let spec = &container.spec;
    let (policy, times) = spec.restart.parts();
    let binds: Vec<String> = spec.mounts.iter().filter_map(bind).collect();
    map! {
        "Binds": if binds.is_empty() { Value::Null } else { Value::from(binds) },
        "ContainerIDFile": "",
        "LogConfig": map! {
            "Type": &settings.log_driver,
            "Config": &settings.log_options,
        },
        "NetworkMode": &spec.network,
        "PortBindings": ports(container),
        "RestartPolicy": map! { "Name": policy, "MaximumRetryCount": times },
        "AutoRemove": spec.removes_itself,
        "Privileged": spec.is_privileged,
        "PublishAllPorts": false,
        "ReadonlyRootfs": false,
        "SecurityOpt": if spec.security.is_empty() {
            Value::Null
        } else {
            Value::from(spec.security.clone())
        },
        "PidMode": &spec.pid_mode,
        "IpcMode": "private",
        "Runtime": "runc",
        "Memory": 0,
        "NanoCpus": 0,
    }
}

fn ports(container: &Container) -> Value {
    let bindings = container.spec.ports.iter().map(|(outer, inner)| {
        let inner = if inner.contains('/') {
            inner.clone()
        } else {
            format!("{inner}/tcp")
        };
        (
            inner,
            Value::from(vec![map! { "HostIp": "", "HostPort": outer }]),
        )
    });
    Value::Map(bindings.collect())
}

fn mounts(world: &World, host: HostId, container: &Container) -> Value {
    let shown = |mount: &Mount| {
        let source = match mount.kind {
            MountKind::Volume => volume::mount_point(world, host, &mount.source),
            MountKind::Bind | MountKind::Tmpfs => mount.source.clone(),
        };
        let mut members = vec![("Type".to_owned(), Value::from(mount.kind.name()))];
        if mount.kind == MountKind::Volume {
            members.push(("Name".to_owned(), Value::from(&mount.source)));
        }
        let rest = map! {
            "Source": source,
            "Destination": &mount.target,
            "Driver": if mount.kind == MountKind::Volume { "local" } else { "" },
            "Mode": if mount.is_read_only { "ro" } else { "" },
            "RW": !mount.is_read_only,
            "Propagation": if mount.kind == MountKind::Bind { "rprivate" } else { "" },
        };
        if let Value::Map(rest) = rest {
            members.extend(rest);
        }
        Value::Map(members)
    };
    container.spec.mounts.iter().map(shown).collect()
}

fn config(world: &World, host: HostId, container: &Container) -> Value {
    let spec = &container.spec;
    let local = world.engine(host).images.find(&container.image_id);
    let image = local.map(|local| &local.image);
    let mut environment = spec.environment.clone();
    for pair in image
        .map(|image| image.environment.as_slice())
        .unwrap_or_default()
    {
        let name = pair.split('=').next().unwrap_or_default();
        if container.variable(name).is_none() {
            environment.push(pair.clone());
        }
    }
    let entrypoint = spec
        .entrypoint
        .clone()
        .or_else(|| image.map(|image| image.entrypoint.clone()))
        .filter(|words| !words.is_empty());
    let command = match (spec.command.is_empty(), image) {
        (true, Some(image)) if spec.entrypoint.is_none() => image.command.clone(),
        _ => spec.command.clone(),
    };
    let host_name = spec.host_name.clone().unwrap_or_else(|| {
        if spec.network == "host" {
            world.hosts[host.0].name.clone()
        } else {
            names::short(&container.id)
        }
    });
    map! {
        "Hostname": host_name,
        "Domainname": "",
        "User": &spec.user,
        "AttachStdin": spec.has_input,
        "AttachStdout": true,
        "AttachStderr": true,
        "Tty": spec.has_terminal,
        "OpenStdin": spec.has_input,
        "StdinOnce": spec.has_input,
        "Env": environment,
        "Cmd": if command.is_empty() { Value::Null } else { Value::from(command) },
        "Image": &spec.image,
        "Volumes": Value::Null,
        "WorkingDir": &spec.directory,
        "Entrypoint": entrypoint,
        "OnBuild": Value::Null,
        "Labels": &spec.labels,
    }
}

/// Returns the networks of a container.
pub(crate) fn networks(container: &Container) -> Vec<String> {
    let network = match container.spec.network.as_str() {
        "" | "default" => "bridge",
        name => name,
    };
    vec![network.to_owned()]
}

/// Returns the address of a container in its network.
fn address(world: &World, host: HostId, container: &Container) -> String {
    if container.spec.network == "host" || !container.state.status.is_alive() {
        return String::new();
    }
    let address = own_address(world, host, &container.id);
    address
        .map(|address| address.to_string())
        .unwrap_or_default()
}

/// Returns the address that a container has while it runs.
pub(crate) fn own_address(world: &World, host: HostId, id: &str) -> Option<std::net::IpAddr> {
    let mut before = world.engine(host).containers.keys();
    let place = before.position(|one| one == id)?;
    format!("172.17.0.{}", place % 250 + 2).parse().ok()
}

fn network_settings(world: &World, host: HostId, container: &Container) -> Value {
    let address = address(world, host, container);
    let networks = networks(container).into_iter().map(|name| {
        let id = world
            .engine(host)
            .networks
            .get(&name)
            .map(|one| one.id.clone());
        let shown = map! {
            "IPAMConfig": Value::Null,
            "Links": Value::Null,
            "Aliases": Value::Null,
            "NetworkID": id.unwrap_or_default(),
            "EndpointID": "",
            "Gateway": if address.is_empty() { "" } else { "172.17.0.1" },
            "IPAddress": &address,
            "IPPrefixLen": if address.is_empty() { 0 } else { 16 },
        };
        (name, shown)
    });
    map! {
        "Bridge": "",
        "SandboxID": "",
        "Ports": ports(container),
        "Gateway": if address.is_empty() { "" } else { "172.17.0.1" },
        "IPAddress": &address,
        "Networks": Value::Map(networks.collect()),
    }
}

/// Returns the command of a container as listings show it, without quotes.
pub(crate) fn command(world: &World, host: HostId, container: &Container) -> String {
    lifecycle::argv(world, host, container).join(" ")
}

/// Returns the name of the image of a container: its id, where the name belongs to another.
pub(crate) fn image_name(world: &World, host: HostId, container: &Container) -> String {
    let named = world.engine(host).images.find(&container.spec.image);
    if named.is_some_and(|local| local.image.id == container.image_id) {
        container.spec.image.clone()
    } else {
        names::short(&container.image_id)
    }
}

/// Returns what `GET /containers/json` answers for a container.
pub(crate) fn summary(world: &World, host: HostId, container: &Container, now: Duration) -> Value {
    let networks = networks(container).into_iter();
    let networks = networks.map(|name| (name, map! { "IPAddress": "" }));
    map! {
        "Id": &container.id,
        "Names": vec![format!("/{}", container.name)],
        "Image": image_name(world, host, container),
        "ImageID": &container.image_id,
        "Command": command(world, host, container),
        "Created": world.wall(host, container.created).as_secs(),
        "Ports": Value::List(Vec::new()),
        "Labels": &container.spec.labels,
        "State": container.state.status.name(),
        "Status": container.status(now),
        "HostConfig": map! { "NetworkMode": &container.spec.network },
        "NetworkSettings": map! { "Networks": Value::Map(networks.collect()) },
        "Mounts": mounts(world, host, container),
    }
}
