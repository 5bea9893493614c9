//! The processes of containers: programs that run on the host that a container is.
//!
//! A container gets that host when somebody needs it first: a process, a command, a copy. Its main
//! process is a task like every other; it is started as soon as the world is left, and lets the
//! engine know when it has ended.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::container::{Container, Mount, MountKind, Spec, Status, Stream};
use super::image::{Behaviour, Image};
use super::show::info::major;
use super::{Refusal, enter, lifecycle, names, refusal, root, show, volume};
use crate::accounts;
use crate::environment::Environment;
use crate::files::{Credentials, Files, Follow, Kind, Mount as FileMount};
use crate::host::Host;
use crate::inside::Shared;
use crate::network::Interface;
use crate::pipe::{Reader, Writer, pipe, take_lines};
use crate::process::{Pid, Signal};
use crate::program::launch::{DEFAULT_PATH, Launch, search};
use crate::world::{Fleet, HostId, World};

/// How much of what a process prints is taken at a time.
const PIECE: usize = 64 << 10;

/// The streams of somebody who is attached to a container.
#[derive(Debug, Clone)]
pub(crate) struct Attached {
    /// What the process reads.
    pub(crate) stdin: Reader,
    /// Where to its output goes.
    pub(crate) stdout: Writer,
    /// Where to its errors go.
    pub(crate) stderr: Writer,
}

/// A process that starts as soon as the world is left.
#[derive(Debug)]
pub(crate) struct Birth {
    host: HostId,
    container: String,
    run: u32,
    program: Program,
    attached: Option<Attached>,
    /// Whether its standard input is open though nobody is attached.
    is_open: bool,
}

/// A program in a container, with everything that it is started with.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// The host that the container is.
    pub(crate) inside: HostId,
    path: String,
    words: Vec<String>,
    environment: Environment,
    directory: String,
    credentials: Credentials,
}

/// What is asked for with a command in a container.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// The words of the command.
    pub(crate) words: Vec<String>,
    /// Further variables.
    pub(crate) environment: Vec<String>,
    /// Who runs it; nobody in particular where it is empty.
    pub(crate) user: String,
    /// Where; where the container runs in case it is empty.
    pub(crate) directory: String,
}

impl Program {
    /// Returns what starts it.
    pub(crate) fn launch(self, fleet: &Fleet, parent: Pid, streams: Attached) -> Launch {
        Launch {
            fleet: fleet.clone(),
            host: self.inside,
            parent,
            session: 0,
            path: self.path,
            arguments: self.words,
            environment: self.environment,
            directory: self.directory,
            credentials: self.credentials,
            umask: 0o022,
            stdin: streams.stdin,
            stdout: streams.stdout,
            stderr: streams.stderr,
            ignored: std::collections::BTreeSet::new(),
        }
    }
}

/// Returns the words that a container runs as a program of its own; `None` where it does what its
/// image does.
fn program_words(world: &World, host: HostId, container: &Container) -> Option<Vec<String>> {
    let local = world.engine(host).images.find(&container.image_id)?;
    let words = lifecycle::argv(world, host, container);
    let own = local
        .image
        .entrypoint
        .first()
        .or(local.image.command.first());
    match local.image.behaviour {
        Behaviour::Shell => Some(words),
        Behaviour::Mke | Behaviour::Msr | Behaviour::Greets => {
            (words.first() != own).then_some(words)
        }
        // Its entry point runs what it is given.
        Behaviour::Stays if words.first() == own => {
            let rest = words.get(1..).unwrap_or_default();
            let is_other = rest != local.image.command && local.image.system.is_some();
            (is_other && !rest.is_empty()).then(|| rest.to_vec())
        }
        Behaviour::Stays => Some(words),
    }
}

/// Returns whether the main process of a container is a program.
pub(crate) fn is_program(world: &World, host: HostId, id: &str) -> bool {
    let container = world.engine(host).containers.get(id);
    container.is_some_and(|one| program_words(world, host, one).is_some())
}

/// Finds out which program a container is to run, if it is one.
///
/// # Errors
///
/// Fails as runc does where there is no such program.
pub(crate) fn plan(
    world: &mut World,
    host: HostId,
    id: &str,
    now: Duration,
) -> Result<Option<Program>, Refusal> {
    let container = lifecycle::find(world, host, id)?;
    let Some(words) = program_words(world, host, container) else {
        return Ok(None);
    };
    let asked = Asked {
        words,
        ..Asked::default()
    };
    let version = major(&world.engine(host).version);
    let found = program(world, host, id, asked, now)?;
    found.map(Some).map_err(|problem| {
        let task = match version {
            ..24 => "",
            _ => "failed to create task for container: ",
        };
        let text = format!(
            "{task}failed to create shim task: OCI runtime create failed: runc create failed: \
             unable to start container process: {problem}: unknown"
        );
        refusal(400, text)
    })
}

/// Finds a program in a container, or says what runc says where there is none.
pub(crate) fn program(
    world: &mut World,
    host: HostId,
    id: &str,
    asked: Asked,
    now: Duration,
) -> Result<Result<Program, String>, Refusal> {
    let inside = inside(world, host, id, now)?;
    let spec = lifecycle::find(world, host, id)?.spec.clone();
    let environment = environment(world, host, id, &asked.environment)?;
    let user = Some(&asked.user).filter(|user| !user.is_empty());
    let user = user.unwrap_or(&spec.user).clone();
    let directory = [&asked.directory, &spec.directory];
    let directory = directory.into_iter().find(|text| !text.is_empty());
    let directory = directory.map_or_else(|| "/".to_owned(), |text| crate::files::normalise(text));
    let wall = world.wall(host, now);
    world.with_host(inside, |machine| {
        let (credentials, home) = account(&machine.files, &user)?;
        let mut environment = environment;
        environment.insert_new("HOME", &home);
        // It is made where it is not there; what is in its way is met by the program.
        let root = Credentials::root();
        let _ = machine.files.make_dirs(&directory, 0o755, &root, wall);
        let name = asked.words.first().cloned().unwrap_or_default();
        let path = environment.get("PATH");
        let found = search(&machine.files, &name, path, &directory, &credentials);
        Ok(match found {
            Ok(path) => Ok(Program {
                inside,
                path,
                words: asked.words,
                environment,
                directory,
                credentials,
            }),
            Err(status) => Err(unfound(&name, status)),
        })
    })
}

/// Says why a program cannot be run, as runc does.
fn unfound(name: &str, status: u8) -> String {
    match (name.contains('/'), status) {
        (_, 126) => format!("exec: \"{name}\": permission denied"),
        (true, _) => format!("exec: \"{name}\": stat {name}: no such file or directory"),
        (false, _) => format!("exec: \"{name}\": executable file not found in $PATH"),
    }
}

/// Returns the rights of a user in a container, by a name or by ids, and the home.
fn account(files: &Files, user: &str) -> Result<(Credentials, String), Refusal> {
    let (user, group) = user.split_once(':').unwrap_or((user, ""));
    let user = if user.is_empty() { "0" } else { user };
    let known = accounts::accounts(files).into_iter();
    let mut known = known.filter(|one| one.name == user || one.uid.to_string() == user);
    let found = known.next();
    let (uid, gid, name, home) = match (found, user.parse::<u32>()) {
        (Some(one), _) => (one.uid, one.gid, one.name, one.home),
        (None, Ok(uid)) => (uid, 0, user.to_owned(), "/".to_owned()),
        (None, Err(_)) => {
            let text = format!("unable to find user {user}: no matching entries in passwd file");
            return Err(refusal(400, text));
        }
    };
    let gid = match group {
        "" => gid,
        group => {
            let named = accounts::group(files, group).map(|one| one.gid);
            let text = format!("unable to find group {group}: no matching entries in group file");
            named
                .or_else(|| group.parse().ok())
                .ok_or_else(|| refusal(400, text))?
        }
    };
    let name = if uid == 0 { "root".to_owned() } else { name };
    let groups = accounts::credentials(files, &name).map(|one| one.groups);
    let credentials = Credentials {
        groups: groups.unwrap_or_else(|| vec![gid]),
        user: name,
        uid,
        gid,
    };
    Ok((credentials, home))
}

/// Returns the environment of a container, in the order in which the engine makes it
/// (`CreateDaemonEnvironment` of moby).
fn environment(
    world: &World,
    host: HostId,
    id: &str,
    more: &[String],
) -> Result<Environment, Refusal> {
    let container = lifecycle::find(world, host, id)?;
    let local = world.engine(host).images.find(&container.image_id);
    let of_image = local
        .map(|local| local.image.environment.clone())
        .unwrap_or_default();
    let mut all = Environment::default();
    all.insert_new("PATH", DEFAULT_PATH);
    all.insert_new("HOSTNAME", &host_name(world, host, container));
    for pair in of_image
        .iter()
        .chain(&container.spec.environment)
        .chain(more)
    {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        all.insert(name, value);
    }
    Ok(all)
}

/// Returns the name that the host in a container has.
fn host_name(world: &World, host: HostId, container: &Container) -> String {
    match (&container.spec.host_name, container.spec.network.as_str()) {
        (Some(name), _) => name.clone(),
        (None, "host") => world.hosts[host.0].host_name().to_owned(),
        (None, _) => names::short(&container.id),
    }
}

/// Returns the host that a container is, and makes it where nobody has needed it yet.
pub(crate) fn inside(
    world: &mut World,
    host: HostId,
    id: &str,
    now: Duration,
) -> Result<HostId, Refusal> {
    let container = lifecycle::find(world, host, id)?;
    if let Some(inside) = container.inside {
        return Ok(inside);
    }
    let (spec, image_id) = (container.spec.clone(), container.image_id.clone());
    let name = host_name(world, host, container);
    let local = world.engine(host).images.find(&image_id);
    let missing = || refusal(404, format!("No such image: {image_id}"));
    let image = Arc::clone(&local.ok_or_else(missing)?.image);
    let wall = world.wall(host, now);
    let address = show::container::own_address(world, host, id);
    let mut machine = machine(world, host, &image, &name);
    connect(&mut machine, &world.hosts[host.0], &spec, address);
    write_names(&mut machine, &world.hosts[host.0].files, wall);
    let shared = mount_all(world, host, &mut machine, &spec, wall);
    let inside = world.insides.add(host, machine, shared);
    lifecycle::change(world, host, id, |one| one.inside = Some(inside));
    Ok(inside)
}

/// Makes a host with the files of an image.
fn machine(world: &mut World, host: HostId, image: &Image, name: &str) -> Host {
    let entrypoint = image.entrypoint.first().or(image.command.first());
    let key = match image.system {
        Some(system) => format!("{system:?}"),
        None => image.id.clone(),
    };
    let tree = world.engines.trees.entry(key).or_insert_with(|| {
        let entrypoint = entrypoint.map_or("/program", String::as_str);
        root::tree(image.system, entrypoint, image.created)
    });
    let files = tree.clone();
    let outer = &world.hosts[host.0];
    let mut machine = Host {
        files,
        hardware: outer.hardware.clone(),
        booted: outer.booted,
        boot_id: outer.boot_id.clone(),
        clock_skew: outer.clock_skew,
        is_container: true,
        ..Host::blank(name)
    };
    name.clone_into(&mut machine.hardware.host_name);
    let size = outer
        .files
        .mount_of("/var/lib/docker")
        .map_or(0, |mount| mount.size);
    machine.files.change_mount("/", |mount| {
        "overlay".clone_into(&mut mount.device);
        "overlay".clone_into(&mut mount.kind);
        mount.size = size;
    });
    machine.processes.start_with_one();
    machine
}

/// Gives the host in a container its interfaces.
fn connect(machine: &mut Host, outer: &Host, spec: &Spec, address: Option<IpAddr>) {
    if spec.network == "host" {
        machine.interfaces.clone_from(&outer.interfaces);
        machine.routes.clone_from(&outer.routes);
        return;
    }
    let interface = |name: &str, address: IpAddr, prefix: u8, mtu: u32| Interface {
        name: name.to_owned(),
        index: if name == "lo" { 1 } else { 2 },
        mac: match address {
            IpAddr::V4(four) if name != "lo" => {
                let octets = four.octets().map(|octet| format!("{octet:02x}"));
                format!("02:42:{}", octets.join(":"))
            }
            _ => "00:00:00:00:00:00".to_owned(),
        },
        addresses: vec![(address, prefix)],
        mtu,
        is_up: true,
        peer: None,
        is_virtual: false,
    };
    machine.interfaces = vec![interface("lo", IpAddr::from([127, 0, 0, 1]), 8, 65_536)];
    if let Some(address) = address.filter(|_| spec.network != "none") {
        machine
            .interfaces
            .push(interface("eth0", address, 16, 1500));
    }
}

/// Writes the three files that the engine makes for each container.
fn write_names(machine: &mut Host, outer: &Files, wall: Duration) {
    let root = Credentials::root();
    let name = machine.host_name().to_owned();
    let own = machine
        .address()
        .map(|address| format!("{address}\t{name}\n"));
    let hosts = format!(
        "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\n\
         ff00::0\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n{}",
        own.unwrap_or_default()
    );
    let resolver = outer.text("/etc/resolv.conf").unwrap_or_default();
    for (path, text) in [
        ("/etc/hostname", format!("{name}\n")),
        ("/etc/hosts", hosts),
        ("/etc/resolv.conf", resolver),
    ] {
        // The directory is one of every root.
        let _ = machine.files.write(path, text, 0o644, &root, wall);
    }
}

/// Mounts what a container has in common with its host; returns where that is.
fn mount_all(
    world: &mut World,
    host: HostId,
    machine: &mut Host,
    spec: &Spec,
    wall: Duration,
) -> Vec<Shared> {
    let mut shared = Vec::new();
    for mount in &spec.mounts {
        let source = match mount.kind {
            MountKind::Volume => volume::mount_point(world, host, &mount.source),
            MountKind::Bind => mount.source.clone(),
            MountKind::Tmpfs => String::new(),
        };
        let outside = &mut world.hosts[host.0].files;
        shared.extend(share(outside, &mut machine.files, mount, &source, wall));
    }
    shared
}

/// Mounts one of them: what is not there outside is made, and a volume without anything in it gets
/// what the image has.
fn share(
    outside: &mut Files,
    inside: &mut Files,
    mount: &Mount,
    source: &str,
    wall: Duration,
) -> Option<Shared> {
    let root = Credentials::root();
    let target = crate::files::normalise(&mount.target);
    let target = inside
        .resolve(&target, Follow::Yes, &root)
        .unwrap_or(target);
    let option = if mount.is_read_only { "ro" } else { "rw" };
    let mut mounted = FileMount {
        point: target.clone(),
        device: "tmpfs".to_owned(),
        kind: "tmpfs".to_owned(),
        options: format!("{option},relatime"),
        size: 1 << 30,
        used: 0,
    };
    if mount.kind == MountKind::Tmpfs {
        let _ = inside.make_dirs(&target, 0o1777, &root, wall);
        inside.mount(mounted);
        return None;
    }
    if !outside.exists(source) {
        outside.make_dirs(source, 0o755, &root, wall).ok()?;
    }
    let source = outside.resolve(source, Follow::Yes, &root).ok()?;
    let found = outside.node(&source, Follow::No, &root).ok()?;
    match &found.kind {
        Kind::Directory(children) => {
            let is_empty = children.is_empty();
            let _ = inside.make_dirs(&target, 0o755, &root, wall);
            if is_empty && mount.kind == MountKind::Volume {
                outside.share_from(&source, inside, &target);
            }
        }
        _ => {
            let (directory, _) = crate::files::split(&target);
            let _ = inside.make_dirs(directory, 0o755, &root, wall);
            if !inside.exists(&target) {
                let _ = inside.write(&target, "", 0o644, &root, wall);
            }
        }
    }
    if let Some(under) = outside.mount_of(&source) {
        mounted = FileMount {
            point: target.clone(),
            options: mounted.options,
            ..under.clone()
        };
    }
    inside.mount(mounted);
    Some(Shared::new(source, target))
}

/// Lets a program be the main process of a container that has just been started.
pub(crate) fn launch(world: &mut World, host: HostId, id: &str, program: Program) {
    let Some(container) = world.engine(host).containers.get(id) else {
        return;
    };
    let (run, has_input) = (container.state.run, container.spec.has_input);
    let attached = world.engines.attached.remove(&(host, id.to_owned()));
    world.with_host(program.inside, |machine| machine.processes.start_with_one());
    world.engines.births.push(Birth {
        host,
        container: id.to_owned(),
        run,
        program,
        is_open: has_input && attached.is_none(),
        attached,
    });
}

/// Starts a process. The world has been left.
pub(super) fn begin(fleet: &Fleet, birth: Birth) {
    let (stdout, out) = pipe();
    let (stderr, error) = pipe();
    let attached = birth.attached;
    let (held, open) = pipe();
    let stdin = match &attached {
        Some(one) => one.stdin.clone(),
        None if birth.is_open => open,
        None => Reader::null(),
    };
    let streams = Attached {
        stdin,
        stdout,
        stderr,
    };
    let whose = Whose {
        fleet: fleet.clone(),
        host: birth.host,
        container: birth.container,
    };
    let (to_out, to_error) = match attached {
        Some(one) => (Some(one.stdout), Some(one.stderr)),
        None => (None, None),
    };
    let inside = birth.program.inside;
    let child = birth.program.launch(fleet, Pid(0), streams).start();
    let run = birth.run;
    tokio::spawn(async move {
        let watch = async {
            let (ended, owed) = child.wait().await;
            drop(held);
            tokio::time::sleep(owed).await;
            // With its first process, all others of a container end.
            whose
                .fleet
                .host(inside, |machine| machine.processes.kill_all());
            ended.status()
        };
        let (status, (), ()) = tokio::join!(
            watch,
            whose.keep(out, Stream::Out, to_out),
            whose.keep(error, Stream::Error, to_error),
        );
        enter(&whose.fleet, |world, now| {
            lifecycle::ended(world, whose.host, &whose.container, run, status, now);
        });
        whose.restart_in_time().await;
    });
}

/// The container of a process.
struct Whose {
    fleet: Fleet,
    host: HostId,
    container: String,
}

impl Whose {
    /// Keeps what a process prints in the log, and passes it on.
    async fn keep(&self, from: Reader, stream: Stream, to: Option<Writer>) {
        let mut to = to;
        let mut rest: Vec<u8> = Vec::new();
        loop {
            let piece = from.read(PIECE).await.unwrap_or_default();
            if let Some(writer) = &to
                && writer.write(&piece).await.is_err()
            {
                // Whoever was attached has gone.
                to = None;
            }
            self.log(stream, &take_lines(&mut rest, &piece));
            if piece.is_empty() {
                return;
            }
        }
    }

    fn log(&self, stream: Stream, text: &str) {
        let now = self.fleet.elapsed();
        self.fleet.world(|world| {
            let containers = &mut world.engine_mut(self.host).containers;
            if let Some(container) = containers.get_mut(&self.container) {
                for line in text.split_inclusive('\n') {
                    container.print_part(now, stream, line);
                }
            }
            world.engines.changes.notify_waiters();
        });
    }

    /// Waits until the container is started again, where its policy says so: nobody may look at the
    /// queue in the meantime.
    async fn restart_in_time(&self) {
        let wait = self.fleet.world(|world| {
            let container = world.engine(self.host).containers.get(&self.container);
            let waits = container.is_some_and(|one| one.state.status == Status::Restarting);
            world.engines.changes.notify_waiters();
            waits.then(|| world.engines.queue.next())?
        });
        if let Some(at) = wait {
            tokio::time::sleep(at.saturating_sub(self.fleet.elapsed())).await;
            enter(&self.fleet, |_, _| ());
        }
    }
}

/// Sends a signal to the main process of a container; returns whether there is one.
pub(crate) fn signal(world: &mut World, host: HostId, id: &str, signal: u8) -> bool {
    let container = world.engine(host).containers.get(id);
    let Some(inside) = container.and_then(|one| one.inside) else {
        return false;
    };
    world.with_host(inside, |machine| {
        let first = machine.processes.all().get(&Pid(1));
        let control = first.map(|process| Arc::clone(&process.control));
        control
            .inspect(|control| control.signal(Signal(signal)))
            .is_some()
    })
}

/// Sends a signal to all processes of a container.
pub(crate) fn signal_all(world: &mut World, host: HostId, id: &str, signal: Signal) {
    let container = world.engine(host).containers.get(id);
    if let Some(inside) = container.and_then(|one| one.inside) {
        world.with_host(inside, |machine| {
            for process in machine.processes.all().values() {
                process.control.signal(signal);
            }
        });
    }
}

/// Returns whether the main process of a container does something of its own about a signal.
pub(crate) fn catches(world: &World, host: HostId, id: &str, signal: Signal) -> bool {
    let container = world.engine(host).containers.get(id);
    let inside = container.and_then(|one| one.inside);
    inside.is_some_and(|inside| world.insides.catches(inside, signal))
}

/// Ends all processes of a container.
pub(crate) fn kill_all(world: &mut World, host: HostId, id: &str) {
    let container = world.engine(host).containers.get(id);
    if let Some(inside) = container.and_then(|one| one.inside) {
        world.with_host(inside, |machine| machine.processes.kill_all());
    }
    world
        .engines
        .births
        .retain(|birth| birth.host != host || birth.container != id);
}
