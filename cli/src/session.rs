//! One run over a cluster: load the configuration, open the sinks, run, tell.

use std::sync::Arc;
use std::time::Duration;

use config::{Code, Config, Connection, Diagnostic, Diagnostics};
use phase::{Emitter, Limits, Manager, Mode, Options, Roster, RunReport, Stage, Stop, StopReason};
use phase::{Ending, Event, Failure};
use product::mke::connect::{Connecting, endpoint};
use product::mke::lock::HostLocks;
use product::mke::shared::{Clock, RegistryLogin, Shared, Wishes};
use product::mke::{MkeDomain, supported};
use report::fold::Titles;
use report::{FinishReport, Output, RunDirectory, Sinks, SinksOptions, Style, Verbosity};
use rig::connection::Unprepared;
use rig::redact::Redactor;
use rig::retry::Backoff;
use secrecy::SecretString;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::VERSION;
use crate::arguments::{ClusterOptions, Common, OutputFormat, RunOptions};
use crate::confirm::Confirmer;
use crate::error::{self, CliError};
use crate::reading;
use crate::world::{Manner, World};

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
pub(crate) async fn load(world: &mut World, options: &ClusterOptions) -> Result<Loaded, CliError> {
    let (source, origin) = reading::read(world, options.config.as_deref()).await?;
    let loaded = config::load(source, world).map_err(CliError::Config)?;
    if !loaded.warnings.is_empty() {
        world.say(&Diagnostics::from(loaded.warnings).to_string());
    }
    Ok(Loaded {
        config: loaded.config,
        origin,
    })
}

/// Does something that may block for as long as a person or a pipe likes; a signal ends the wait.
pub(crate) async fn interruptible<T: Send + 'static>(
    world: &mut World,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, CliError> {
    let work = tokio::task::spawn_blocking(work);
    tokio::select! {
        done = work => done.map_err(|error| CliError::Local {
            what: "cannot wait for an answer".to_owned(),
            source: error.into(),
        }),
        Some(signal) = next_signal(&mut world.signals) => Err(CliError::Interrupted(signal)),
    }
}

/// Refuses what has no phase yet, before anything is connected to.
pub(crate) fn refuse_unsupported(config: &Config) -> Result<(), CliError> {
    let found = supported::not_yet_supported(config);
    if found.is_empty() {
        return Ok(());
    }
    let diagnostics: Vec<Diagnostic> = found
        .into_iter()
        .map(|one| config.problem_at(Code::NotYet, &one.path, one.message))
        .collect();
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
        refuse_unsupported(&loaded.config)?;
    }
    let config = loaded.config;
    let logins = registry_logins(world, &config)?;
    let redactor = redactor(request.cluster, &config, &logins);
    warn_of_few_files(world, config.hosts.len());
    let connector = prepare_all(world, request.cluster, &config).await?;

    let now = (world.now)();
    let run_id = (world.run_id)();
    let sinks = open_sinks(world, request, &config.name, &run_id, now);
    let mut told = sinks.sinks();
    told.extend(world.listeners.iter().cloned());
    let emitter = Emitter::new(told);
    let clock = Arc::clone(&world.now);
    let debug = is_debug(world, request.common) || is_trace(world, request.common);
    let wishes = Wishes { debug, logins };
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
    hand_over_password(world, &shared);
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

/// What this program itself has open, beside one connection for each host.
const OWN_FILES: u64 = 64;

pub(crate) fn warn_of_few_files(world: &mut World, hosts: usize) {
    let wanted = OWN_FILES + hosts as u64;
    if world.open_files < wanted {
        let text = format!(
            "warning: only {} files may be open at the same time, {hosts} hosts want {wanted}: raise \
             the limit with `ulimit -n {wanted}`, or bound the hosts at work with `--parallel-hosts`",
            world.open_files
        );
        world.say(&text);
    }
}

/// Puts a password that the installer has made up where only the user can read it.
fn hand_over_password(world: &mut World, shared: &Shared) {
    let Some(password) = shared.generated_password() else {
        return;
    };
    if world.is_rehearsal {
        world.say("MKE would make up a password for `admin`: set `spec.mke.adminPassword`");
        return;
    }
    let written = match world.home.as_deref() {
        None => Err("there is no home directory".to_owned()),
        Some(home) => report::directory::keep_password(home, &shared.config.name, password)
            .map_err(|error| error.to_string()),
    };
    match written {
        Ok(path) => world.say(&format!(
            "MKE has made up a password for `admin`; it is in `{}`. Set it as \
             `spec.mke.adminPassword`, and remove the file",
            path.display()
        )),
        Err(why) => world.say(&format!(
            "warning: the password that MKE has made up could not be kept ({why}): set another one \
             with MKE's own tools"
        )),
    }
}

/// Somebody who only wants to see the cluster is not kept waiting for hosts that are down.
pub(crate) fn backoff(mode: Mode) -> Backoff {
    match mode {
        Mode::Observe => Backoff {
            deadline: Duration::from_secs(10),
            ..Backoff::default()
        },
        Mode::Plan | Mode::Run => Backoff::default(),
    }
}

/// A closed channel is a world without signals.
pub(crate) async fn next_signal(signals: &mut UnboundedReceiver<i32>) -> Option<i32> {
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
        timeout: run
            .and_then(|run| run.timeout)
            .filter(|limit| !limit.is_zero()),
        break_lock: run.is_some_and(|run| run.break_lock),
    }
}

/// Opens the sinks of a run; without a run directory it goes on with a warning.
pub(crate) fn open_sinks(
    world: &mut World,
    request: &Request<'_>,
    cluster: &str,
    run_id: &str,
    now: jiff::Timestamp,
) -> Sinks {
    let directory = match world.home.as_deref() {
        None => Err("there is no home directory".to_owned()),
        Some(home) => RunDirectory::create(home, cluster, &kind(world, request), run_id, now)
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
    let is_in_memory = stderr.is_in_memory;
    // Live lines would write over the questions.
    let is_terminal = stderr.is_terminal && !on(request.cluster.confirm);
    let output = Output::new(
        Box::new(stderr),
        is_terminal,
        world.var("NO_COLOR"),
        world.var("TERM"),
    )
    .sized_by(move || size());
    let output = if is_in_memory {
        output.in_memory()
    } else {
        output
    };
    Sinks::open(SinksOptions {
        stderr: output,
        directory,
        verbosity: verbosity(world, request),
        repeat_with: Some(request.repeat_with.clone()),
    })
}

/// Returns what the directory of a run is called after: `apply.log` is that of a real one.
fn kind(world: &World, request: &Request<'_>) -> String {
    let kind = match (request.mode, request.command) {
        (Mode::Plan, "reset") => "reset-plan",
        (Mode::Plan, _) => "plan",
        (Mode::Observe | Mode::Run, command) => command,
    };
    if world.is_rehearsal {
        format!("rehearse-{kind}")
    } else {
        kind.to_owned()
    }
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

pub(crate) fn is_debug(world: &World, common: &Common) -> bool {
    common.debug.unwrap_or_else(|| world.flag("DEBUG"))
}

fn is_trace(world: &World, common: &Common) -> bool {
    common.trace.unwrap_or_else(|| world.flag("TRACE"))
}

/// Returns whether a flag was given, and not as `--flag=false`.
pub(crate) fn on(flag: Option<bool>) -> bool {
    flag == Some(true)
}

pub(crate) fn tell_log_error(world: &mut World, finished: &FinishReport) {
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

/// Makes the connector for all hosts of a configuration; see [`prepare`].
pub(crate) async fn prepare_all(
    world: &mut World,
    options: &ClusterOptions,
    config: &Config,
) -> Result<Arc<dyn rig::Connector>, CliError> {
    let names = config.host_names();
    let connections = config.hosts.iter().map(|host| &host.connection);
    let ways: Vec<_> = names.iter().map(String::as_str).zip(connections).collect();
    prepare(world, options, &ways).await
}

/// Makes the connector for some hosts, each with its name, and asks for passphrases, before anything
/// is connected to.
pub(crate) async fn prepare(
    world: &mut World,
    options: &ClusterOptions,
    ways: &[(&str, &Connection)],
) -> Result<Arc<dyn rig::Connector>, CliError> {
    let (connector, unprepared) = open(world, options, ways).await?;
    if unprepared.is_empty() {
        return Ok(connector);
    }
    let failures: Vec<Failure> = unprepared
        .iter()
        .map(|one| {
            let name = ways.get(one.index).map_or("?", |(name, _)| *name);
            let failure = Failure::new("cannot connect").caused_by(&one.error);
            let hint = one.error.hint();
            hint.into_iter().fold(failure, Failure::hint).on_host(name)
        })
        .collect();
    let text = report::errors::text(&failures, &Titles::default());
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    Err(CliError::Prepare(text.trim_end().to_owned()))
}

/// Makes the connector for some hosts as [`prepare`] does, with those of them that cannot be
/// connected to.
pub(crate) async fn open(
    world: &mut World,
    options: &ClusterOptions,
    ways: &[(&str, &Connection)],
) -> Result<(Arc<dyn rig::Connector>, Vec<Unprepared>), CliError> {
    let endpoints: Vec<rig::Endpoint> = ways.iter().map(|(_, way)| endpoint(way)).collect();
    let connections = Arc::clone(&world.connections);
    let manner = Manner {
        ask: Arc::clone(&world.ask),
        allow_match_exec: on(options.allow_match_exec),
    };
    let opened = tokio::select! {
        opened = connections.open(&endpoints, manner) => opened,
        Some(signal) = next_signal(&mut world.signals) => return Err(CliError::Interrupted(signal)),
    };
    for warning in &opened.warnings {
        world.say(&format!("warning: {warning}"));
    }
    Ok((opened.connector, opened.unprepared))
}

/// Returns what takes every secret that is known from the start out of texts.
pub(crate) fn redactor(
    options: &ClusterOptions,
    config: &Config,
    logins: &[RegistryLogin],
) -> Redactor {
    if on(options.disable_redact) {
        return Redactor::off();
    }
    let redactor = Redactor::new();
    redact(&redactor, config, logins);
    redactor
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
    for host in &config.hosts {
        for password in host
            .environment
            .values()
            .filter_map(|value| url_password(value))
        {
            redactor.add(&SecretString::from(password.to_owned()));
        }
    }
}

/// Returns the password in a URL (`http://user:password@proxy:3128`).
fn url_password(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (user, _) = authority.rsplit_once('@')?;
    user.split_once(':').map(|(_, password)| password)
}

/// Reads the credentials of registries from the environment: the first prefix with a user wins.
fn registry_logins(world: &World, config: &Config) -> Result<Vec<RegistryLogin>, CliError> {
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
            return Err(CliError::Usage(format!(
                "{prefix}USERNAME is set and {prefix}PASSWORD is not: set both, or neither"
            )));
        };
        return Ok(vec![RegistryLogin {
            server: registry_server(&config.mke.image_repo),
            username,
            password: SecretString::from(password.to_owned()),
        }]);
    }
    Ok(Vec::new())
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
    let path = std::path::Path::new(origin);
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
