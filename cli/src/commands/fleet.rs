//! `launchpad fleet`: simulated hosts that other programs reach over SSH.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::sync::Arc;
use std::time::Duration;

use config::{Config, Secrets};
use fleet::door::{Bind, Doors, KeyKind, Opening, Pace, Simulation};
use fleet::scenario::Scenario;
use fleet::{Fleet, HostId};
use futures_util::future::BoxFuture;
use report::Table;
use serde_json::Value;
use tokio::net::UnixListener;
use tokio::sync::mpsc::unbounded_channel;

use super::rehearse;
use crate::arguments::{
    FleetCommand, FleetDirectory, FleetExecArguments, FleetInjectArguments, FleetInspectArguments,
    FleetUpArguments, OutputFormat, StartingPoint,
};
use crate::doors::control::{Call, Frame, Request};
use crate::doors::{Files, Identity, Steered, write};
use crate::error::{self, CliError};
use crate::rehearsal::{self, Setting};
use crate::session;
use crate::world::{Stream, World};

pub(crate) async fn run(world: &mut World, command: &FleetCommand) -> Result<u8, CliError> {
    match command {
        FleetCommand::Up(arguments) => Box::pin(up(world, arguments)).await,
        FleetCommand::Exec(arguments) => exec(world, arguments).await,
        FleetCommand::Inject(arguments) => inject(world, arguments).await,
        FleetCommand::Inspect(arguments) => inspect(world, arguments).await,
        FleetCommand::Down(arguments) => {
            let files = files(world, &arguments.directory)?;
            let frames = call(world, &files, &Request::Down).await?;
            Ok(frames.status)
        }
    }
}

fn local(what: impl Into<String>) -> impl FnOnce(io::Error) -> CliError {
    let what = what.into();
    move |source| CliError::Local { what, source }
}

fn files(world: &World, given: &FleetDirectory) -> Result<Files, CliError> {
    let directory = match (&given.directory, &world.home) {
        (Some(path), _) => world.current_dir.join(path),
        (None, Some(home)) => home.join(".mirantis-launchpad/fleet"),
        (None, None) => {
            let text = "there is no home directory: say where the fleet is with `--directory PATH`";
            return Err(CliError::Usage(text.to_owned()));
        }
    };
    Ok(Files { directory })
}

async fn up(world: &mut World, arguments: &FleetUpArguments) -> Result<u8, CliError> {
    let files = files(world, &arguments.directory)?;
    let (mut config, _) = rehearse::configuration(world, &arguments.cluster).await?;
    let bind = arguments.bind.map_or(Bind::EachItsOwn, Bind::All);
    name_doors(&mut config, bind);
    let scenario = rehearse::scenario(world, arguments.scenario.as_deref())?;
    let listener = take_directory(&files).await?;
    let simulation = Simulation::start(arguments.time)
        .await
        .map_err(local("cannot start the simulated hosts"))?;
    let plan = Plan {
        seed: arguments.seed.or(scenario.seed).unwrap_or(1),
        epoch: Duration::try_from((world.now)().as_duration()).unwrap_or_default(),
        scenario,
        is_installed: arguments.from == StartingPoint::Installed,
        environment: world.environment.clone(),
        home: world.home.clone(),
        current_dir: world.current_dir.clone(),
    };
    let built = build(&simulation, config.clone(), plan).await?;
    let identity = Identity::generate().map_err(local("cannot make a key"))?;
    for host in hosts(&built) {
        let authorized = built.authorize(host, &identity.public);
        authorized.map_err(|error| CliError::Prepare(error.to_string()))?;
    }
    let (notes, mut told) = unbounded_channel();
    let opening = Opening {
        bind,
        port: arguments.port,
        most: arguments.connections,
        most_of_host: arguments.connections,
        has_certificates: false,
        kinds: vec![KeyKind::Ed25519, KeyKind::Ecdsa],
        apis: apis(&config, &built),
        notes,
    };
    let doors = Doors::open(&built, &simulation, opening)
        .await
        .map_err(refused)?;
    write(&files, &config, &built, &doors, &identity)?;
    let greeting = greeting(&files, &doors, arguments.time);
    world.print(&greeting)?;
    let steered = Arc::new(Steered {
        fleet: built,
        simulation,
        doors,
    });
    let serving = tokio::spawn(steered.serve(listener));
    tokio::pin!(serving);
    let status = loop {
        tokio::select! {
            _ = &mut serving => break error::DONE,
            Some(signal) = session::next_signal(&mut world.signals) => {
                serving.abort();
                break error::signalled(signal);
            }
            Some(note) = told.recv() => world.say(&format!("{}: {}", note.host, note.what)),
        }
    };
    // The next fleet makes its own.
    let _ = std::fs::remove_file(files.socket());
    Ok(status)
}

/// Names the doors of the managers before other names of MKE: its certificates are good for them, and
/// the first name, by which clients reach it, is one that they reach.
fn name_doors(config: &mut Config, bind: Bind) {
    let managers = config.hosts.iter().enumerate();
    let managers = managers.filter(|(_, host)| host.role == config::Role::Manager);
    let (inside, mut names): (Vec<String>, Vec<String>) = managers
        .map(|(index, host)| {
            // Hosts are made in the order of the configuration.
            let door = bind.address_of(HostId(index)).to_string();
            (host.address().to_owned(), door)
        })
        .unzip();
    names.dedup();
    let flags = &mut config.mke.install_flags;
    if !flags.has("--san") {
        // What would be taken without any.
        names.extend(inside);
    }
    flags.add_first("--san", &names);
}

fn hosts(fleet: &Fleet) -> impl Iterator<Item = HostId> {
    let count = fleet.world(|world| world.hosts.len());
    (0..count).map(HostId)
}

/// Returns why doors stay closed, with the next move where there is one.
fn refused(error: fleet::door::DoorError) -> CliError {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    let mut is_full = false;
    while let Some(cause) = source {
        text.push_str(&format!("\n  because {cause}"));
        let errno = cause
            .downcast_ref::<io::Error>()
            .and_then(io::Error::raw_os_error);
        is_full |= errno == Some(rustix::io::Errno::MFILE.raw_os_error());
        source = cause.source();
    }
    if is_full {
        text.push_str("\n  hint: raise the limit of open files (`ulimit -n`), two for each host");
    }
    CliError::Prepare(text)
}

/// Takes the directory of a fleet: nobody else may look into it, and no other fleet may use it.
async fn take_directory(files: &Files) -> Result<UnixListener, CliError> {
    let directory = &files.directory;
    let shown = directory.display();
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(local(format!("cannot create the directory `{shown}`")))?;
    let rights = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(directory, rights)
        .map_err(local(format!("cannot make `{shown}` private")))?;
    let socket = files.socket();
    if tokio::net::UnixStream::connect(&socket).await.is_ok() {
        return Err(CliError::Usage(format!(
            "a fleet is up in `{shown}` already: close it with `launchpad fleet down --directory \
             {shown}`, or use another directory"
        )));
    }
    match std::fs::remove_file(&socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(local(format!("cannot remove `{}`", socket.display()))(
                error,
            ));
        }
        _ => {}
    }
    let listener = UnixListener::bind(&socket)
        .map_err(local(format!("cannot listen at `{}`", socket.display())))?;
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600))
        .map_err(local(format!("cannot make `{}` private", socket.display())))?;
    Ok(listener)
}

/// What a fleet is built from, besides the configuration.
struct Plan {
    seed: u64,
    epoch: Duration,
    scenario: Scenario,
    is_installed: bool,
    environment: BTreeMap<String, String>,
    home: Option<std::path::PathBuf>,
    current_dir: std::path::PathBuf,
}

/// Builds the hosts, on their thread.
async fn build(simulation: &Simulation, config: Config, plan: Plan) -> Result<Fleet, CliError> {
    let built = simulation.run_at_once(async move {
        let fleet = rehearsal::fleet_of(&config, &plan.scenario, plan.seed, plan.epoch);
        let fleet = fleet.map_err(|problems| rehearse::refused(&config, problems))?;
        if plan.is_installed {
            install(&fleet, &config, &plan).await?;
        }
        let scenario = plan.scenario.drawn(&fleet, plan.seed);
        scenario
            .apply(&fleet)
            .map_err(|error| CliError::Usage(format!("the scenario: {error}")))?;
        Ok(fleet)
    });
    built
        .await
        .map_err(local("the simulated hosts have come to no end"))?
}

/// Makes the cluster as the configuration says. It is a whole command line within this one, which
/// the compiler wants to be told the type of.
fn install<'a>(
    fleet: &'a Fleet,
    config: &'a Config,
    plan: &'a Plan,
) -> BoxFuture<'a, Result<(), CliError>> {
    Box::pin(async move {
        let silent = || Stream::in_memory(io::sink());
        let setting = Setting {
            environment: plan.environment.clone(),
            home: plan.home.clone(),
            current_dir: plan.current_dir.clone(),
            config: Some(config.to_yaml(Secrets::Shown)),
            stdout: silent(),
            stderr: silent(),
            seed: plan.seed,
            signals: None,
        };
        let words = ["launchpad", "apply", "--config", "-"];
        if rehearsal::run(fleet, setting, &words).await != error::DONE {
            return Err(CliError::Usage(
            "the cluster cannot be installed as the configuration says: see why with `launchpad \
             rehearse`"
                .to_owned(),
        ));
        }
        fleet.forget_counts();
        Ok(())
    })
}

/// Returns the hosts that serve the API of MKE, and its port.
fn apis(config: &Config, fleet: &Fleet) -> BTreeMap<HostId, u16> {
    let managers = config.managers();
    let found = managers.filter_map(|host| {
        let address = host.connection.address();
        let host = fleet.world(|world| world.host_at(address))?;
        Some((host, config.mke.controller_port()))
    });
    found.collect()
}

fn greeting(files: &Files, doors: &Doors, pace: Pace) -> String {
    let mut table = Table::new(["HOST", "SSH", "MKE API"]);
    for door in doors.opened() {
        table.row([
            Some(door.name.clone()),
            Some(door.address.to_string()),
            door.api.map(|address| address.to_string()),
        ]);
    }
    let time = match pace {
        Pace::Real => "real".to_owned(),
        Pace::Scaled(factor) => format!("{factor} times as fast"),
        Pace::Instant => "instant".to_owned(),
    };
    let mut registries = Table::new(["REGISTRY", "HTTPS"]);
    for registry in doors.registries() {
        let address = registry.address.to_string();
        registries.row([Some(registry.domain.clone()), Some(address)]);
    }
    let first = doors.opened().first().map_or("HOST", |door| &door.name);
    format!(
        "{}\n{}\nTheir time is {time}. Their files are in {}:\n\n  ssh -F {} {first}\n  \
         ansible -i {} all -m raw -a uptime\n  launchpad apply --config {}\n\nStop with Ctrl-C, or \
         `launchpad fleet down`.\n",
        table.to_text(),
        registries.to_text(),
        files.directory.display(),
        files.ssh_config().display(),
        files.inventory().display(),
        files.launchpad().display(),
    )
}

/// What came of a request.
struct Answered {
    status: u8,
    told: Vec<u8>,
}

/// Asks a fleet, and shows what commands say.
async fn call(world: &mut World, files: &Files, request: &Request) -> Result<Answered, CliError> {
    let socket = files.socket();
    let shown = files.directory.display();
    let mut call = match Call::make(&socket, request).await {
        Ok(call) => call,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
            ) =>
        {
            return Err(CliError::Usage(format!(
                "no fleet is up in `{shown}`: start one with `launchpad fleet up`, or say where it \
                 is with `--directory PATH`"
            )));
        }
        Err(error) => return Err(local(format!("cannot reach the fleet in `{shown}`"))(error)),
    };
    let mut told = Vec::new();
    loop {
        let frame = tokio::select! {
            frame = call.next() => frame,
            Some(signal) = session::next_signal(&mut world.signals) => {
                return Err(CliError::Interrupted(signal));
            }
        };
        match frame.map_err(local(format!("the fleet in `{shown}` has left")))? {
            Frame::Out(bytes) => put(&mut world.stdout, &bytes),
            Frame::Err(bytes) => put(&mut world.stderr, &bytes),
            Frame::Told(bytes) => told = bytes,
            Frame::Refused(text) => return Err(CliError::Usage(text)),
            Frame::Done(status) => return Ok(Answered { status, told }),
        }
    }
}

/// Shows what a command says; a reader that has gone wants no more of it.
fn put(stream: &mut Stream, bytes: &[u8]) {
    use std::io::Write as _;
    let _ = stream.write_all(bytes).and_then(|()| stream.flush());
}

async fn exec(world: &mut World, arguments: &FleetExecArguments) -> Result<u8, CliError> {
    let files = files(world, &arguments.directory)?;
    let request = Request::Exec {
        host: arguments.host.clone(),
        words: arguments.command.clone(),
    };
    Ok(call(world, &files, &request).await?.status)
}

async fn inject(world: &mut World, arguments: &FleetInjectArguments) -> Result<u8, CliError> {
    let files = files(world, &arguments.directory)?;
    let event = event_of(arguments)?;
    Ok(call(world, &files, &Request::Inject { event })
        .await?
        .status)
}

fn event_of(arguments: &FleetInjectArguments) -> Result<Value, CliError> {
    let mut event = serde_json::Map::new();
    event.insert("do".to_owned(), arguments.fault.clone().into());
    event.insert("host".to_owned(), arguments.host.clone().into());
    for word in &arguments.keys {
        let Some((key, value)) = word.split_once('=') else {
            let text = format!("`{word}` is no key of an event: write `KEY=VALUE`, as `for=30s`");
            return Err(CliError::Usage(text));
        };
        // Numbers are numbers; everything else is a text.
        let number = serde_json::from_str(value).ok().filter(Value::is_number);
        event.insert(key.to_owned(), number.unwrap_or_else(|| value.into()));
    }
    Ok(event.into())
}

async fn inspect(world: &mut World, arguments: &FleetInspectArguments) -> Result<u8, CliError> {
    let files = files(world, &arguments.directory)?;
    let host = arguments.host.clone();
    let answered = call(world, &files, &Request::Inspect { host }).await?;
    let told: Value = serde_json::from_slice(&answered.told)
        .map_err(|error| local("cannot read what the fleet has told")(error.into()))?;
    let text = match arguments.output {
        OutputFormat::Json => session::pretty(&told),
        OutputFormat::Table => tables(&told, arguments.host.is_some()),
    };
    world.print(&text)?;
    Ok(answered.status)
}

fn tables(told: &Value, has_processes: bool) -> String {
    let rows = |key: &str| told[key].as_array().cloned().unwrap_or_default();
    let cell = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let table = |header: &[&str], keys: &[&str], rows: &[Value]| {
        let mut table = Table::new(header.iter().copied());
        for row in rows {
            table.row(keys.iter().map(|key| cell(&row[*key])));
        }
        table.to_text()
    };
    let hosts = rows("hosts");
    let mut text = table(
        &[
            "HOST",
            "SSH",
            "MKE API",
            "USER",
            "POWER",
            "CONNECTIONS",
            "COMMANDS",
            "ROUND TRIPS",
            "SENT",
            "RECEIVED",
            "DIALS",
        ],
        &[
            "name",
            "address",
            "api",
            "user",
            "power",
            "connections",
            "commands",
            "roundTrips",
            "sent",
            "received",
            "dials",
        ],
        &hosts,
    );
    for host in hosts.iter().filter(|_| has_processes) {
        let processes = host["processes"].as_array().cloned().unwrap_or_default();
        text.push('\n');
        text.push_str(&table(
            &["PID", "USER", "COMMAND"],
            &["pid", "user", "command"],
            &processes,
        ));
    }
    let missing = rows("notSimulated");
    if !missing.is_empty() {
        text.push_str("\nNot simulated, and asked for:\n");
        text.push_str(&table(
            &["HOST", "PROGRAM", "WHAT"],
            &["host", "program", "what"],
            &missing,
        ));
    }
    text
}
