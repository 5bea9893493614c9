//! The judges of the simulated fleet: tools that know nothing of it, played against `launchpad fleet up`.
//!
//! | module | holds |
//! |---|---|
//! | `sim` | a fleet that is up, and the doors that a judge looks through |
//! | `stock` | the clients of OpenSSH, rsync's and curl's |
//! | `ansible` | Ansible without Python on the hosts |
//! | `pyinfra` | facts and operations of pyinfra |

mod ansible;
mod pyinfra;
mod sim;
mod stock;

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};

use crate::talk::{Talk, seconds};
use sim::Sim;

/// What a check does.
type Check = for<'a> fn(&'a Bench) -> Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// How long a check may take.
const DEADLINE: Duration = Duration::from_secs(120);

/// A judge and what it looks at.
struct Judge {
    name: &'static str,
    checks: &'static [(&'static str, Check)],
}

const JUDGES: &[Judge] = &[
    Judge {
        name: "stock",
        checks: stock::CHECKS,
    },
    Judge {
        name: "ansible",
        checks: ansible::CHECKS,
    },
    Judge {
        name: "pyinfra",
        checks: pyinfra::CHECKS,
    },
];

/// What checks work with.
pub(crate) struct Bench {
    sim: Sim,
    /// A directory for files of this machine.
    directory: PathBuf,
}

impl Bench {
    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

/// Plays the judges of these names, all without one, each on a fresh fleet.
pub(crate) async fn play(talk: Talk, names: &[String], launchpad: &Path) -> Result<ExitCode> {
    let launchpad = std::path::absolute(launchpad)?;
    if let Some(name) = names.iter().find(|name| {
        let judge = |judge: &Judge| judge.name == **name;
        !JUDGES.iter().any(judge)
    }) {
        bail!("there is no judge `{name}`");
    }
    let mut failed = 0;
    let is_wanted =
        |judge: &&Judge| names.is_empty() || names.iter().any(|name| name == judge.name);
    for judge in JUDGES.iter().filter(is_wanted) {
        let directory = tempfile::tempdir()?;
        let bench = Bench {
            sim: Sim::start(&launchpad, &directory.path().join("sim")).await?,
            directory: directory.path().to_owned(),
        };
        for (what, check) in judge.checks {
            let started = Instant::now();
            let ended = tokio::time::timeout(DEADLINE, check(&bench)).await;
            let ended = ended.unwrap_or_else(|_| Err(anyhow!("it does not end")));
            let took = seconds(started.elapsed());
            match ended {
                Ok(()) => talk.say(format!("{}: {what} ({took})", judge.name)),
                Err(error) => {
                    failed += 1;
                    talk.say(format!("{}: {what} ({took}): FAILED", judge.name));
                    talk.detail(format!("{error:#}"));
                }
            }
        }
        failed += usize::from(!bench.sim.stop(talk).await?);
    }
    talk.say(match failed {
        0 => "the judges have noticed nothing".to_owned(),
        _ => format!("{failed} checks have failed"),
    });
    Ok(match failed {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

/// Fails with what was said unless something is so.
fn ensure_so(is_so: bool, what: &str, said: impl std::fmt::Debug) -> Result<()> {
    if !is_so {
        bail!("{what}: {said:#?}");
    }
    Ok(())
}

/// Fails unless what came is what was expected.
fn ensure_same<T: PartialEq<U> + std::fmt::Debug, U: std::fmt::Debug>(
    what: &str,
    came: T,
    expected: U,
) -> Result<()> {
    if came != expected {
        bail!("{what}: expected {expected:?}, came {came:?}");
    }
    Ok(())
}
