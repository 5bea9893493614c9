//! `launchpad rehearse`: runs a command on simulated hosts that match the configuration.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use config::{Code, Config, Diagnostic};
use fleet::scenario::Scenario;
use report::style::Style;
use tokio::sync::mpsc::unbounded_channel;

use crate::arguments::{ClusterOptions, RehearseArguments, RehearsedCommand, StartingPoint};
use crate::error::{self, CliError};
use crate::rehearsal::{self, Problem, Setting, Summary, Tape, Watch};
use crate::session;
use crate::world::{Stream, World};

/// Everything that the thread of a rehearsal takes along.
struct Job {
    config: Config,
    text: Option<String>,
    scenario: Scenario,
    seed: u64,
    epoch: Duration,
    words: Vec<String>,
    starts_installed: bool,
    is_strict: bool,
    environment: std::collections::BTreeMap<String, String>,
    home: Option<std::path::PathBuf>,
    current_dir: std::path::PathBuf,
    stdout: Stream,
    stderr: Stream,
    signals: tokio::sync::mpsc::UnboundedReceiver<i32>,
}

pub(crate) async fn run(world: &mut World, arguments: &RehearseArguments) -> Result<u8, CliError> {
    let (config, text) = configuration(world, &arguments.cluster).await?;
    let scenario = scenario(world, arguments.scenario.as_deref())?;
    let seed = arguments.seed.or(scenario.seed).unwrap_or(1);
    let style = Style::wanted(
        world.stdout.is_terminal,
        world.var("NO_COLOR"),
        world.var("TERM"),
    );
    let (_nobody, silence) = unbounded_channel();
    let job = Job {
        words: words(arguments, text.is_some()),
        config,
        text,
        scenario,
        seed,
        epoch: Duration::try_from((world.now)().as_duration()).unwrap_or_default(),
        starts_installed: arguments.from == StartingPoint::Installed,
        is_strict: arguments.strict,
        environment: world.environment.clone(),
        home: world.home.clone(),
        current_dir: world.current_dir.clone(),
        stdout: world.stdout.clone(),
        stderr: world.stderr.clone().unblocked(),
        signals: std::mem::replace(&mut world.signals, silence),
    };
    let (status, summary) = on_a_thread_of_its_own(job).await?;
    world.print(&summary.text(style))?;
    let has_unknown = arguments.strict && !summary.not_simulated.is_empty();
    if has_unknown && status == error::DONE {
        world.say("error: something was asked for that is not simulated (`--strict`)");
        return Ok(error::FAILED);
    }
    Ok(status)
}

/// Returns the configuration, and its text where it is the built-in one.
pub(super) async fn configuration(
    world: &mut World,
    cluster: &ClusterOptions,
) -> Result<(Config, Option<String>), CliError> {
    let is_there = world.current_dir.join("launchpad.yaml").exists();
    if cluster.config.is_some() || is_there {
        let loaded = session::load(world, cluster).await?;
        return Ok((loaded.config, None));
    }
    world.say(
        "There is no launchpad.yaml here: this is the built-in example of 3 managers and 5 \
         workers. Use `--config PATH` for your own cluster.",
    );
    let source = config::Source {
        name: "<example>".to_owned(),
        text: rehearsal::EXAMPLE.as_bytes().to_vec(),
    };
    let loaded = config::load(source, world).map_err(CliError::Config)?;
    Ok((loaded.config, Some(rehearsal::EXAMPLE.to_owned())))
}

/// Reads a scenario, where there is one.
pub(super) fn scenario(world: &World, path: Option<&Path>) -> Result<Scenario, CliError> {
    let Some(path) = path else {
        return Ok(Scenario::default());
    };
    let text =
        std::fs::read_to_string(world.current_dir.join(path)).map_err(|source| CliError::Read {
            path: path.to_owned(),
            source,
        })?;
    Scenario::parse(&text)
        .map_err(|error| CliError::Usage(format!("the scenario {}: {error}", path.display())))
}

/// Returns the command line that is rehearsed.
fn words(arguments: &RehearseArguments, is_example: bool) -> Vec<String> {
    let command = match arguments.command {
        RehearsedCommand::Apply => "apply",
        RehearsedCommand::Reset => "reset",
    };
    let mut words = vec!["launchpad".to_owned(), command.to_owned()];
    if is_example {
        words.extend(["--config".to_owned(), "-".to_owned()]);
    } else if let Some(path) = &arguments.cluster.config {
        words.extend(["--config".to_owned(), path.clone()]);
    }
    if arguments.command == RehearsedCommand::Reset {
        words.push("--force".to_owned());
    }
    if arguments.commands {
        words.push("--debug".to_owned());
    }
    words
}

/// Runs a rehearsal on a thread and a runtime of its own, and waits for it.
async fn on_a_thread_of_its_own(job: Job) -> Result<(u8, Summary), CliError> {
    let local = |what: &str| {
        let what = what.to_owned();
        move |source| CliError::Local { what, source }
    };
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("rehearsal".to_owned())
        .stack_size(64 << 20)
        .spawn(move || {
            let result = rehearsal::runtime()
                .map_err(local("cannot start the rehearsal"))
                .and_then(|runtime| runtime.block_on(rehearse(job)));
            // Nobody waits any more where the program was told to leave.
            let _ = sender.send(result);
        })
        .map_err(local("cannot start the rehearsal"))?;
    match receiver.await {
        Ok(result) => result,
        Err(_) => Err(CliError::Local {
            what: "the rehearsal has come to no end".to_owned(),
            source: std::io::Error::other("its thread has panicked"),
        }),
    }
}

async fn rehearse(job: Job) -> Result<(u8, Summary), CliError> {
    let started = Instant::now();
    let built = rehearsal::fleet_of(&job.config, &job.scenario, job.seed, job.epoch);
    let fleet = built.map_err(|problems| refused(&job.config, problems))?;
    fleet.set_assumes(!job.is_strict);
    let setting = |stdout: Stream, stderr: Stream| Setting {
        environment: job.environment.clone(),
        home: job.home.clone(),
        current_dir: job.current_dir.clone(),
        config: job.text.clone(),
        stdout,
        stderr,
        seed: job.seed,
        signals: None,
    };
    if job.starts_installed {
        let silent = || Stream::in_memory(std::io::sink());
        let words: Vec<&str> = apply_words(&job.words);
        let status = rehearsal::run(&fleet, setting(silent(), silent()), &words).await;
        if status != error::DONE {
            return Err(CliError::Usage(
                "the cluster cannot be installed as the configuration says: rehearse `--from bare` \
                 first, and see why"
                    .to_owned(),
            ));
        }
        fleet.forget_counts();
    }
    let given = job.scenario.events.len();
    let scenario = job.scenario.drawn(&fleet, job.seed);
    let start = fleet.elapsed();
    if let Err(error) = scenario.apply(&fleet) {
        return Err(CliError::Usage(format!("the scenario: {error}")));
    }
    let tape = Tape::default();
    let watch = Watch::start(&fleet, job.config.mke.controller_port());
    let mut world = rehearsal::world(
        &fleet,
        Setting {
            signals: Some(job.signals),
            ..setting(job.stdout.clone(), job.stderr.clone())
        },
    );
    world.listeners.push(Arc::new(tape.clone()));
    let words: Vec<std::ffi::OsString> = job.words.iter().map(Into::into).collect();
    let status = Box::pin(crate::run(world, words)).await;
    let mut summary = rehearsal::summarise(&fleet, &tape, &watch, started.elapsed());
    summary.drawn = scenario.events[given..].to_vec();
    summary.missed = scenario
        .missed(&fleet, start)
        .into_iter()
        .cloned()
        .collect();
    Ok((status, summary))
}

/// Returns the command line that makes the cluster before it is changed.
fn apply_words(words: &[String]) -> Vec<&str> {
    let words = words.iter().map(String::as_str);
    words
        .map(|word| if word == "reset" { "apply" } else { word })
        .filter(|word| !["--force", "--debug"].contains(word))
        .collect()
}

/// Returns why hosts cannot be simulated, each with its place in the configuration.
pub(super) fn refused(config: &Config, problems: Vec<Problem>) -> CliError {
    let diagnostics: Vec<Diagnostic> = problems
        .into_iter()
        .map(|one| config.problem_at(Code::NotSimulated, &one.path, one.message))
        .collect();
    CliError::Config(diagnostics.into())
}
