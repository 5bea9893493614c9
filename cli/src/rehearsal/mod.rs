//! Rehearsals: the same commands, on simulated hosts, in virtual time.
//!
//! A rehearsal has a thread and a runtime of its own, whose clock is paused: it moves on whenever
//! everybody waits. Nothing in it has a socket, a blocking thread or a child process. What a user
//! sees is what [`crate::run`] prints; the summary comes from the fleet.

mod build;
mod summary;
mod watch;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Cursor};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fleet::Fleet;
use jiff::Timestamp;
use rig::Endpoint;
use secrecy::SecretString;
use tokio::sync::mpsc::unbounded_channel;

pub use build::{Problem, fleet_of};
pub use summary::{Summary, Tape, summarise};
pub use watch::{Outage, Watch};

use crate::world::{Ask, Connections, Manner, NoTerminal, Opened, Stream, World};

/// The configuration of the built-in example.
pub const EXAMPLE: &str = include_str!("example.yaml");

/// What a rehearsal is made of, besides the fleet.
pub struct Setting {
    /// The environment.
    pub environment: BTreeMap<String, String>,
    /// Home directory of the user: paths of the configuration are read relative to it, and the run
    /// directory is made below it.
    pub home: Option<std::path::PathBuf>,
    /// Current directory.
    pub current_dir: std::path::PathBuf,
    /// The configuration, where it is read from standard input.
    pub config: Option<String>,
    /// Where data goes.
    pub stdout: Stream,
    /// Where talk goes.
    pub stderr: Stream,
    /// Where chance comes from.
    pub seed: u64,
    /// Signals, by number; none where nobody sends any.
    pub signals: Option<tokio::sync::mpsc::UnboundedReceiver<i32>>,
}

/// Returns the runtime of a rehearsal.
///
/// # Errors
///
/// Fails where the operating system refuses.
pub fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
}

/// Returns a world around a fleet.
pub fn world(fleet: &Fleet, setting: Setting) -> World {
    let (_nobody, silence) = unbounded_channel();
    let clock = fleet.clone();
    let now = move || {
        let time = clock.epoch() + clock.elapsed();
        // The epoch is a time of this century.
        Timestamp::from_duration(jiff::SignedDuration::try_from(time).unwrap_or_default())
            .unwrap_or_default()
    };
    let ids = std::sync::atomic::AtomicU64::new(setting.seed);
    let run_id = move || {
        let count = ids.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mixed = count.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31);
        format!("{:08x}", mixed & 0xffff_ffff)
    };
    World {
        environment: setting.environment,
        home: setting.home,
        current_dir: setting.current_dir,
        stdin: Box::new(Cursor::new(setting.config.unwrap_or_default())),
        stdout: setting.stdout,
        stderr: setting.stderr,
        terminal_size: Arc::new(report::terminal::Size::default),
        ask: Arc::new(Nobody),
        terminal: Arc::new(NoTerminal),
        signals: setting.signals.unwrap_or(silence),
        now: Arc::new(now),
        run_id: Box::new(run_id),
        open_files: u64::MAX,
        owner: "rehearsal@fleet".to_owned(),
        connections: Arc::new(FleetConnections(fleet.clone())),
        is_rehearsal: true,
        listeners: Vec::new(),
    }
}

/// Runs one command line on a fleet.
pub async fn run(fleet: &Fleet, setting: Setting, words: &[&str]) -> u8 {
    let arguments: Vec<OsString> = words.iter().map(OsString::from).collect();
    Box::pin(crate::run(world(fleet, setting), arguments)).await
}

/// Returns a time as people say it: `4m 32s`, `850 ms`.
pub(crate) fn said(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        1..=59 => format!("{:.1} s", time.as_secs_f64()),
        60..=3599 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!(
            "{}h {:02}m {:02}s",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        ),
    }
}

/// Nobody is asked in a rehearsal.
struct Nobody;

impl Ask for Nobody {
    fn secret(&self, _: &str) -> io::Result<Option<SecretString>> {
        Ok(None)
    }

    fn line(&self, _: &str) -> io::Result<Option<String>> {
        Ok(None)
    }
}

struct FleetConnections(Fleet);

#[async_trait]
impl Connections for FleetConnections {
    async fn open(&self, _: &[Endpoint], _: Manner) -> Opened {
        Opened {
            connector: Arc::new(self.0.connector()),
            unprepared: Vec::new(),
            warnings: Vec::new(),
        }
    }
}
