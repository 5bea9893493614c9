//! The commands of the driver.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use crate::cache::remove;
use crate::command::Cmd;
use crate::judge;
use crate::lab::{self, Flavour, Lab, Name, PREFIX};
use crate::machine::{engine, tools};
use crate::paths::Paths;
use crate::recipe;
use crate::rows::{self, Selection, Writes};
use crate::story::{self, Outcome};
use crate::talk::Talk;

/// The lab of real hosts: systemd, sshd, a package manager, a real container engine, in containers of this machine.
#[derive(Debug, Parser)]
#[command(name = "e2e")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start hosts and leave them running
    Up {
        /// Names: m1 to m9 are managers, w1 to w99 workers
        #[arg(long, value_delimiter = ',', default_value = "m1,m2,m3,w1,w2")]
        hosts: Vec<Name>,
        /// What the hosts start from
        #[arg(long, value_enum, default_value = "bare")]
        image: Flavour,
    },
    /// Remove all hosts and services
    Down,
    /// Play stories on fresh hosts and remove everything afterwards
    Run {
        /// Stories; all but the hard ones if none is named, and `hard` for all of those
        stories: Vec<String>,
        /// Keep the hosts when the last story is over
        #[arg(long)]
        keep: bool,
        /// The binary to test instead of the one cargo has built
        #[arg(long)]
        launchpad: Option<PathBuf>,
    },
    /// Plant faults and make sure that the stories see them
    Faults {
        /// Faults; all if none is named
        faults: Vec<String>,
        /// The binary to test instead of the one cargo has built
        #[arg(long)]
        launchpad: Option<PathBuf>,
    },
    /// Run the rows of fleet/tests/parity on fresh hosts and compare what came with their recordings
    Parity {
        /// Beginnings of the paths of rows, as in `bare/03 manager`; all rows if none is named
        rows: Vec<String>,
        /// Write the recordings that differ anew
        #[arg(long)]
        refresh: bool,
        /// Write equal ones anew, too
        #[arg(long, requires = "refresh")]
        all: bool,
        /// The binary that makes the cluster instead of the one cargo has built
        #[arg(long)]
        launchpad: Option<PathBuf>,
    },
    /// Play tools that know nothing of it against the simulated fleet
    Judges {
        /// Judges (stock, ansible, pyinfra); all if none is named
        judges: Vec<String>,
        /// The binary to test instead of the one cargo has built
        #[arg(long)]
        launchpad: Option<PathBuf>,
    },
    /// List stories and faults
    List,
    /// Show what runs
    Status,
    /// Print a launchpad.yaml for the running hosts
    Config,
    /// Build the images only
    Images,
}

/// Runs one command.
pub(crate) async fn run(arguments: Arguments, talk: Talk) -> Result<ExitCode> {
    if let Command::List = arguments.command {
        print!("{}", story::list());
        return Ok(ExitCode::SUCCESS);
    }
    let paths = Paths::find()?;
    if let Command::Judges { judges, launchpad } = arguments.command {
        let launchpad = launchpad.unwrap_or_else(|| paths.launchpad());
        return judge::play(talk, &judges, &launchpad).await;
    }
    let _lock = lock()?;
    match arguments.command {
        Command::Up { hosts, image } => {
            let work = up(&paths, talk, &hosts, image);
            until_signal(&paths, talk, work, After::RemoveIfFailed).await?;
            talk.say(format!(
                "ssh -i {dir}/id_ed25519 lab@10.77.1.1; `e2e config` prints a launchpad.yaml",
                dir = standing(&paths).display()
            ));
            Ok(ExitCode::SUCCESS)
        }
        Command::Down => {
            tear_down(&paths, talk).await?;
            remove(&standing(&paths))?;
            talk.say("nothing of the lab runs; its images stay for the next time");
            Ok(ExitCode::SUCCESS)
        }
        Command::Run {
            stories,
            keep,
            launchpad,
        } => {
            let stories = story::select(&stories)?;
            let launchpad = launchpad.unwrap_or_else(|| paths.launchpad());
            let work = async {
                let (lab, _dir) = fresh(&paths, talk, keep).await?;
                story::play_all(lab, &stories, &launchpad).await
            };
            let after = if keep { After::Keep } else { After::Remove };
            let outcomes = until_signal(&paths, talk, work, after).await?;
            Ok(report(talk, &outcomes))
        }
        Command::Faults { faults, launchpad } => {
            let faults = story::select_faults(&faults)?;
            let launchpad = launchpad.unwrap_or_else(|| paths.launchpad());
            let work = async {
                let (lab, _dir) = fresh(&paths, talk, false).await?;
                story::play_faults(lab, &faults, &launchpad).await
            };
            let outcomes = until_signal(&paths, talk, work, After::Remove).await?;
            Ok(report(talk, &outcomes))
        }
        Command::Parity {
            rows,
            refresh,
            all,
            launchpad,
        } => {
            let writes = Writes::from_flags(refresh, all);
            let selection = Selection::read(&paths.root.join(rows::DATA), &rows)?;
            let launchpad = launchpad.unwrap_or_else(|| paths.launchpad());
            let work = async {
                let (lab, _dir) = fresh(&paths, talk, false).await?;
                rows::run(lab, &selection, writes, &launchpad).await
            };
            let report = until_signal(&paths, talk, work, After::Remove).await?;
            report.say(talk);
            Ok(report.exit_code())
        }
        Command::Status => status().await,
        Command::Config => {
            let dir = standing(&paths);
            let images = images(&paths, Talk::new()).await?;
            let lab = Lab::attach(talk, &paths, images, &dir).await?;
            if lab.hosts.is_empty() {
                bail!("no hosts run: start some with `e2e up`");
            }
            print!("{}", lab.config().to_yaml());
            Ok(ExitCode::SUCCESS)
        }
        Command::Images => {
            images(&paths, talk).await?;
            talk.say("all images are ready");
            Ok(ExitCode::SUCCESS)
        }
        Command::Judges { .. } | Command::List => Ok(ExitCode::SUCCESS),
    }
}

/// The directory of a lab that stays up.
fn standing(paths: &Paths) -> PathBuf {
    paths.lab.join("up")
}

/// Makes this driver the only one on the machine: the lab has fixed names and addresses.
fn lock() -> Result<File> {
    let path = std::env::temp_dir().join(format!("{PREFIX}.lock"));
    let file = File::options()
        .create(true)
        .append(true)
        .open(&path)
        .with_context(|| format!("cannot open `{}`", path.display()))?;
    if file.try_lock().is_err() {
        bail!(
            "another driver is at work on this machine (it holds `{}`)",
            path.display()
        );
    }
    Ok(file)
}

async fn images(paths: &Paths, talk: Talk) -> Result<recipe::Images> {
    tools::ensure(talk).await?;
    engine::ensure(paths, talk).await?;
    recipe::ensure(paths, talk).await
}

async fn up(paths: &Paths, talk: Talk, hosts: &[Name], image: Flavour) -> Result<()> {
    let images = images(paths, talk).await?;
    let dir = standing(paths);
    remove(&dir)?;
    private_directory(&dir)?;
    let mut lab = Lab::start(talk, paths, images, &dir).await?;
    let added = lab.add_hosts(hosts, image).await;
    if added.is_err() {
        let logs = lab::logs::collect(&lab, "up").await?;
        talk.say(format!("the logs of the hosts are in `{}`", logs.display()));
    }
    added
}

/// Starts a lab for stories, with its keys in a directory that is removed with it.
async fn fresh(paths: &Paths, talk: Talk, keep: bool) -> Result<(Lab, Option<tempfile::TempDir>)> {
    let images = images(paths, talk).await?;
    if keep {
        let dir = standing(paths);
        remove(&dir)?;
        private_directory(&dir)?;
        return Ok((Lab::start(talk, paths, images, &dir).await?, None));
    }
    let dir = tempfile::Builder::new()
        .prefix("launchpad-lab-")
        .tempdir()
        .context("cannot create a directory for the run")?;
    let lab = Lab::start(talk, paths, images, dir.path()).await?;
    Ok((lab, Some(dir)))
}

fn private_directory(dir: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("cannot create `{}`", dir.display()))
}

/// What becomes of the lab when some work is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    Remove,
    RemoveIfFailed,
    Keep,
}

/// Does some work until it ends or a signal comes, and removes the lab where wanted, whatever happened.
async fn until_signal<T>(
    paths: &Paths,
    talk: Talk,
    work: impl Future<Output = Result<T>>,
    after: After,
) -> Result<T> {
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot handle signals")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot handle signals")?;
    let mut hang_up = signal(SignalKind::hangup()).context("cannot handle signals")?;
    let ended = tokio::select! {
        ended = work => ended,
        _ = interrupt.recv() => Err(anyhow::anyhow!("interrupted")),
        _ = terminate.recv() => Err(anyhow::anyhow!("terminated")),
        _ = hang_up.recv() => Err(anyhow::anyhow!("the terminal is gone")),
    };
    if after == After::Remove || ended.is_err() && after == After::RemoveIfFailed {
        tear_down(paths, talk).await?;
    }
    ended
}

/// Removes the lab. An engine that kills many containers at the same time may lose count of the ends
/// of their network, and knows better once it was restarted.
async fn tear_down(paths: &Paths, talk: Talk) -> Result<()> {
    match lab::down().await {
        Err(error) if format!("{error:#}").contains("active endpoints") => {
            engine::restart_idle(paths, talk).await?;
            lab::down().await
        }
        ended => ended,
    }
}

async fn status() -> Result<ExitCode> {
    let rows = Cmd::new("docker")
        .args([
            "ps",
            "-a",
            "--filter",
            &format!("label={PREFIX}"),
            "--format",
        ])
        .arg("table {{.Names}}\t{{.Status}}\t{{.Image}}")
        .run()
        .await?;
    print!("{}", rows.stdout);
    Ok(ExitCode::SUCCESS)
}

fn report(talk: Talk, outcomes: &[Outcome]) -> ExitCode {
    for outcome in outcomes {
        talk.say(outcome.to_string());
    }
    let red = outcomes
        .iter()
        .filter(|outcome| !outcome.is_green())
        .count();
    talk.say(format!(
        "{} of {} as expected",
        outcomes.len() - red,
        outcomes.len()
    ));
    if red == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
