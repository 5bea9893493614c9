//! One run over a cluster: load the configuration, open the sinks, run, tell.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use config::{Config, Diagnostic, Source};
use phase::{Emitter, Limits, Manager, Mode, Options, Roster, RunReport, Stage, Stop, StopReason};
use phase::{Ending, Event};
use product::mke::connect::{Connecting, endpoint};
use product::mke::lock::HostLocks;
use product::mke::shared::{Clock, RegistryLogin, Shared, Wishes};
use product::mke::{MkeDomain, supported};
use report::fold::Titles;
use report::{FinishReport, Output, RunDirectory, Sinks, SinksOptions, Style, Verbosity};
use rig::redact::Redactor;
use rig::retry::Backoff;
use secrecy::SecretString;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::VERSION;
use crate::confirm::Confirmer;
use crate::arguments::{ClusterOptions, Common, OutputFormat, RunOptions};
use crate::error::{self, CliError};
use crate::world::World;

/// What a command asks of its run.
pub(crate) struct Request<'a> {
    /// The command (`apply`).
    pub(crate) command: &'static str,
    /// Common flags.
    pub(crate) common: &'a Common,
    /// Flags of the cluster.
    pub(crate) cluster: &'a ClusterOptions,
    /// Flags of the run, where it has any.
    pub(crate) run: Option<&'a RunOptions>,
    /// How far it goes.
    pub(crate) mode: Mode,
    /// `--force` of apply.
    pub(crate) force: bool,
    /// Whether a failed phase removes what it made.
    pub(crate) clean_up: bool,
    /// Whether everything that the configuration asks for has to be there already.
    pub(crate) must_be_supported: bool,
    /// The command line that repeats it.
    pub(crate) repeat_with: String,
}

/// How a run went.
pub(crate) struct Finished {
    /// What the manager says.
    pub(crate) report: RunReport<MkeDomain>,
    /// What every phase shared.
    pub(crate) shared: Arc<Shared>,
    /// The titles of the phases.
    pub(crate) titles: Titles,
    /// What to colour data with.
    pub(crate) style: Style,
}

/// A configuration, with how it was given.
pub(crate) struct Loaded {
    /// The configuration.
    pub(crate) config: Config,
    /// Where it came from, for the command line that repeats the run.
    pub(crate) origin: String,
}

/// Reads the configuration and prints its warnings.
pub(crate) fn load(world: &mut World, options: &ClusterOptions) -> Result<Loaded, CliError> {
    let (source, origin) = read(world, options.config.as_deref())?;
    let loaded = config::load(source, world).map_err(CliError::Config)?;
    for warning in &loaded.warnings {
        world.say(&warning.to_string());
    }
    Ok(Loaded {
        config: loaded.config,
        origin,
    })
}

fn read(world: &mut World, given: Option<&str>) -> Result<(Source, String), CliError> {
    if given == Some("-") {
        let mut text = Vec::new();
        // One byte more than is read is enough to tell that there is too much.
        let mut limited = (&mut world.stdin).take(config::LARGEST_DOCUMENT as u64 + 1);
        limited
            .read_to_end(&mut text)
            .map_err(|source| CliError::Local {
                what: "cannot read the configuration from standard input".to_owned(),
                source,
            })?;
        let name = "<stdin>".to_owned();
        return Ok((Source { name, text }, "-".to_owned()));
    }
    let path = match given {
        Some(path) => PathBuf::from(path),
        None => config::locate(None, world).unwrap_or_else(|| PathBuf::from("launchpad.yaml")),
    };
    let full = world.current_dir.join(&path);
    let text = std::fs::read(&full).map_err(|source| CliError::Read {
        path: path.clone(),
        source,
    })?;
    let name = path.display().to_string();
    Ok((
        Source {
            name: name.clone(),
            text,
        },
        name,
    ))
}

/// Refuses what has no phase yet, before anything is connected to.
fn refuse_unsupported(config: &Config, origin: &str) -> Result<(), CliError> {
    let found = supported::not_yet_supported(config);
    if found.is_empty() {
        return Ok(());
    }
    let diagnostics: Vec<Diagnostic> = found
        .into_iter()
        .map(|one| config.problem_at(&one.path, one.message))
        .collect();
    let _ = origin;
    Err(CliError::Config(diagnostics.into()))
}

/// Runs the phases that `build` makes, and tells how it went.
pub(crate) async fn run(
    world: &mut World,
    request: &Request<'_>,
    loaded: Loaded,
    build: impl FnOnce(Connecting) -> Manager<MkeDomain>,
) -> Result<Finished, CliError> {
    if request.must_be_supported {
        refuse_unsupported(&loaded.config, &loaded.origin)?;
    }
    let config = loaded.config;
    let redactor = Redactor::new();
    let logins = registry_logins(world, &config);
    if !on(request.cluster.disable_redact) {
        redact(&redactor, &config, &logins);
    }
    let connector = prepare(world, &config).await?;

    let now = (world.now)();
    let run_id = (world.run_id)();
    let sinks = open_sinks(world, request, &config.name, &run_id, now);
    let emitter = Emitter::new(sinks.sinks());
    let clock = Arc::clone(&world.now);
    let debug = is_debug(world, request.common) || is_trace(world, request.common);
    let wishes = Wishes {
        force: request.force,
        debug,
        logins,
    };
    let clock = Clock(Arc::new(move || clock().as_duration().as_secs_f64()));
    let cluster = config.name.clone();
    let shared = Arc::new(Shared::new(config, run_id.clone(), wishes, clock));
    let manager = build(Connecting {
        connector,
        emitter: emitter.clone(),
        redactor,
        limits: rig::limits::SharedLimits::default(),
        backoff: backoff(request.mode),
        dry_run: request.mode != Mode::Run,
        confirm: on(request.cluster.confirm)
            .then(|| Arc::new(Confirmer::new(Arc::clone(&world.ask))) as Arc<dyn rig::Confirm>),
    });
    let locks = HostLocks::new(Arc::clone(&shared));
    let stop = Stop::new();
    let options = options(request, &shared, run_id, cluster, now, world.owner.clone());
    let stage = Stage {
        shared: Arc::clone(&shared),
        roster: Roster::new(shared.names().iter().cloned()),
        emitter: emitter.clone(),
        store: (request.mode == Mode::Run).then_some(&locks as &dyn phase::lock::LockStore),
        stop: stop.clone(),
    };
    let report = {
        let mut running = std::pin::pin!(manager.run(stage, &options));
        loop {
            tokio::select! {
                biased;
                report = &mut running => break report,
                Some(number) = next_signal(&mut world.signals) => take_signal(&stop, &emitter, number),
            }
        }
    };
    for host in shared.connected_hosts().values() {
        host.close().await;
    }
    let finished = sinks.finish().await;
    tell_log_error(world, &finished);
    let style = Style::wanted(
        world.stdout.is_terminal,
        world.var("NO_COLOR"),
        world.var("TERM"),
    );
    Ok(Finished {
        report,
        shared,
        titles: finished.fold.titles.clone(),
        style,
    })
}

/// Somebody who only wants to see the cluster is not kept waiting for hosts that are down.
fn backoff(mode: Mode) -> Backoff {
    match mode {
        Mode::Observe => Backoff {
            deadline: Duration::from_secs(10),
            ..Backoff::default()
        },
        Mode::Plan | Mode::Run => Backoff::default(),
    }
}

/// A closed channel is a world without signals.
async fn next_signal(signals: &mut UnboundedReceiver<i32>) -> Option<i32> {
    match signals.recv().await {
        Some(number) => Some(number),
        None => std::future::pending().await,
    }
}

fn take_signal(stop: &Stop, emitter: &Emitter, number: i32) {
    let is_first = !matches!(stop.reason(), Some(StopReason::Signal(_)));
    stop.signal(number);
    if is_first {
        emitter.emit(Event::Warning {
            host: None,
            message: "stopping: no new step starts, running steps come to their end".to_owned(),
            hint: Some("once more leaves at once; what runs on hosts may go on there".to_owned()),
        });
    }
}

fn options(
    request: &Request<'_>,
    shared: &Shared,
    run_id: String,
    cluster: String,
    now: jiff::Timestamp,
    owner: String,
) -> Options {
    let run = request.run;
    let parallel = run.and_then(|run| run.parallel_hosts).map(usize::from);
    let concurrency = run.map_or(5, |run| usize::from(run.concurrency));
    let workers = shared.names().len() - shared.managers().len();
    Options {
        run_id,
        version: VERSION.to_owned(),
        command: request.command.to_owned(),
        cluster,
        started_at: now.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        owner,
        mode: request.mode,
        limits: Limits::new(concurrency, parallel),
        allow_unreachable: run.map_or(0, |run| run.allow_unreachable.of(workers)),
        clean_up: request.clean_up,
        timeout: run.and_then(|run| run.timeout).filter(|limit| !limit.is_zero()),
        break_lock: run.is_some_and(|run| run.break_lock),
    }
}

/// Opens the sinks of a run; without a run directory it goes on with a warning.
fn open_sinks(
    world: &mut World,
    request: &Request<'_>,
    cluster: &str,
    run_id: &str,
    now: jiff::Timestamp,
) -> Sinks {
    let directory = match world.home.as_deref() {
        None => Err("there is no home directory".to_owned()),
        Some(home) => RunDirectory::create(home, cluster, request.command, run_id, now)
            .map_err(|error| chain(&error)),
    };
    let directory = match directory {
        Ok(directory) => Some(directory),
        Err(why) => {
            world.say(&format!("warning: this run keeps no log: {why}"));
            None
        }
    };
    let stderr = world.stderr.clone();
    let size = Arc::clone(&world.terminal_size);
    // Live lines would write over the questions.
    let is_terminal = stderr.is_terminal && !on(request.cluster.confirm);
    let output = Output::new(
        Box::new(stderr),
        is_terminal,
        world.var("NO_COLOR"),
        world.var("TERM"),
    )
    .sized_by(move || size());
    Sinks::open(SinksOptions {
        stderr: output,
        directory,
        verbosity: verbosity(world, request),
        repeat_with: Some(request.repeat_with.clone()),
    })
}

fn verbosity(world: &World, request: &Request<'_>) -> Verbosity {
    if is_trace(world, request.common) {
        Verbosity::Trace
    } else if is_debug(world, request.common) {
        Verbosity::Debug
    } else if request.mode == Mode::Observe {
        Verbosity::Quiet
    } else {
        Verbosity::Normal
    }
}

fn is_debug(world: &World, common: &Common) -> bool {
    common.debug.unwrap_or_else(|| world.flag("DEBUG"))
}

fn is_trace(world: &World, common: &Common) -> bool {
    common.trace.unwrap_or_else(|| world.flag("TRACE"))
}

/// Returns whether a flag was given, and not as `--flag=false`.
pub(crate) fn on(flag: Option<bool>) -> bool {
    flag == Some(true)
}

fn tell_log_error(world: &mut World, finished: &FinishReport) {
    if let Some(error) = &finished.log_error {
        let text = format!(
            "warning: the log of this run is not whole: {}",
            chain(error)
        );
        world.say(&text);
    }
}

/// Returns an error with its causes as one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Makes the connector, and asks for passphrases, before anything is connected to.
async fn prepare(world: &mut World, config: &Config) -> Result<Arc<dyn rig::Connector>, CliError> {
    let endpoints: Vec<rig::Endpoint> = config
        .hosts
        .iter()
        .map(|host| endpoint(&host.connection))
        .collect();
    let connections = Arc::clone(&world.connections);
    let ask = Arc::clone(&world.ask);
    let (connector, unprepared) = tokio::select! {
        opened = connections.open(&endpoints, ask) => opened,
        Some(signal) = next_signal(&mut world.signals) => return Err(CliError::Interrupted(signal)),
    };
    if unprepared.is_empty() {
        return Ok(connector);
    }
    let lines: Vec<String> = unprepared
        .iter()
        .map(|one| {
            let name = config.hosts.get(one.index).map_or("?", |host| host.name());
            let hint = one
                .error
                .hint()
                .map(|hint| format!("\n  hint: {hint}"))
                .unwrap_or_default();
            format!("{name}: {}{hint}", chain(&one.error))
        })
        .collect();
    Err(CliError::Prepare(lines.join("\nerror: ")))
}

/// Takes note of every secret that is known from the start.
fn redact(redactor: &Redactor, config: &Config, logins: &[RegistryLogin]) {
    if let Some(password) = &config.mke.admin_password {
        redactor.add(password);
    }
    if let Some(license) = &config.mke.license {
        redactor.add(license);
    }
    if let Some(certificates) = &config.mke.certificates {
        redactor.add(&certificates.key);
    }
    for login in logins {
        redactor.add(&login.password);
    }
}

/// Reads the credentials of registries from the environment: the first prefix with a user wins.
fn registry_logins(world: &mut World, config: &Config) -> Vec<RegistryLogin> {
    for prefix in ["MKE_REGISTRY_", "REGISTRY_"] {
        let Some(username) = world
            .var(&format!("{prefix}USERNAME"))
            .filter(|name| !name.is_empty())
        else {
            continue;
        };
        let username = username.to_owned();
        let Some(password) = world
            .var(&format!("{prefix}PASSWORD"))
            .filter(|text| !text.is_empty())
        else {
            world.say(&format!(
                "warning: {prefix}USERNAME is set and {prefix}PASSWORD is not: there is no login to \
                 the registry"
            ));
            return Vec::new();
        };
        return vec![RegistryLogin {
            server: registry_server(&config.mke.image_repo),
            username,
            password: SecretString::from(password.to_owned()),
        }];
    }
    Vec::new()
}

/// Returns the registry as `docker login` takes it; nothing for Docker Hub.
fn registry_server(repository: &str) -> String {
    let first = repository.split('/').next().unwrap_or_default();
    let is_host = first.contains(['.', ':']) || first == "localhost";
    if !is_host || first == "docker.io" || first == "index.docker.io" {
        return String::new();
    }
    first.to_owned()
}

/// Prints a plan on stdout.
pub(crate) fn print_plan(
    world: &mut World,
    finished: &Finished,
    format: OutputFormat,
) -> Result<(), CliError> {
    let plan = &finished.report.plan;
    let text = match format {
        OutputFormat::Table => report::plan::text(
            plan,
            report::plan::By::Phase,
            &finished.titles,
            finished.style,
        ),
        OutputFormat::Json => pretty(&report::plan::to_json(plan, &finished.titles)),
    };
    world.print(&text)
}

/// Returns JSON as text with a line end.
pub(crate) fn pretty(value: &serde_json::Value) -> String {
    // A value of JSON always has a text.
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

/// Returns the exit status of a run.
pub(crate) fn status(report: &RunReport<MkeDomain>) -> u8 {
    match report.ending {
        Ending::Done => error::DONE,
        Ending::Planned if report.plan.has_changes() => error::PENDING,
        Ending::Planned => error::DONE,
        Ending::Interrupted => match report.stopped {
            Some(StopReason::Signal(signal)) => error::signalled(signal),
            _ => error::FAILED,
        },
        Ending::Partial | Ending::Failed | Ending::Panicked => error::FAILED,
    }
}

/// Returns the command line that repeats a run.
pub(crate) fn repeat_with(command: &str, origin: &str) -> String {
    let path = Path::new(origin);
    let shown = rig::shell::show([path.to_str().unwrap_or(origin)]);
    if origin == "launchpad.yaml" {
        format!("launchpad {command}")
    } else {
        format!("launchpad {command} -c {shown}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_hub_is_logged_in_to_without_a_name() {
        assert_eq!(registry_server("docker.io/mirantis"), "");
        assert_eq!(registry_server("mirantis"), "");
        assert_eq!(registry_server("private.lab/mirantis"), "private.lab");
        assert_eq!(registry_server("localhost:5000/x"), "localhost:5000");
    }
}
