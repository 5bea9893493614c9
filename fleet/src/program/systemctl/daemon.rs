//! What services run: real programs of the host, where they are simulated; and what the engine says
//! of itself.

use crate::files::{Content, Credentials, Follow, Kind};
use crate::process::{Child, Ended};
use crate::program::launch::{DEFAULT_PATH, Launch};
use crate::systemd::{Active, Behaviour, Unit, split_words};

use super::control::Manager;

/// What dockerd says while it starts (20.10, recorded on the lab).
pub(super) const STARTING: &[&str] = &[
    "Starting up",
    "[core] [Channel #1] Channel created",
    "[core] [Channel #1] Channel switches to new LB policy \\\"pick_first\\\"",
    "[core] [Channel #1] Channel Connectivity change to READY",
    "[core] [Channel #4] Channel created",
    "[core] [Channel #4] Channel Connectivity change to READY",
    "[graphdriver] using prior storage driver: overlay2",
    "Loading containers: start.",
    "Default bridge (docker0) is assigned with an IP address 172.17.0.0/16. Daemon option --bip can \
     be used to set a preferred IP address",
    "Loading containers: done.",
    "Docker daemon",
    "Daemon has completed initialization",
];

/// What dockerd says before it ends.
pub(super) const STOPPING: &[&str] = &[
    "Processing signal 'terminated'",
    "[core] Channel Connectivity change to SHUTDOWN",
    "[core] Subchannel Connectivity change to SHUTDOWN",
    "stopping event stream following graceful shutdown",
    "Daemon shutdown complete",
];

/// How a process ended that should have gone on, or should have ended well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exit {
    /// Its status.
    pub(super) status: u8,
    /// What it said.
    pub(super) said: Option<String>,
}

impl Exit {
    /// A process that says why it ends.
    pub(super) fn saying(said: String) -> Self {
        Self {
            status: 1,
            said: Some(said),
        }
    }
}

/// Returns how systemd words the end of a process.
pub(super) fn ended(status: u8) -> String {
    let name = match status {
        1 => "FAILURE",
        203 => "EXEC",
        _ => "n/a",
    };
    format!("code=exited, status={status}/{name}")
}

/// Starts the program of a service of type `simple`, where it is one that is simulated, or none.
/// What other programs do is not known: they stay.
pub(super) fn start(manager: &Manager, unit: &Unit, behaviour: &Behaviour) -> Option<Child> {
    let kind = unit.value("Service", "Type").unwrap_or("simple");
    if !matches!(behaviour, Behaviour::Daemon(_)) || !["simple", "exec"].contains(&kind) {
        return None;
    }
    let command = unit.value("Service", "ExecStart")?;
    let words = split_words(command.trim_start_matches(['-', '@', ':', '+', '!']));
    let path = words.first()?.clone();
    let root = Credentials::root();
    let is_simulated = manager.fleet.host(manager.host, |host| {
        match host.files.node(&path, Follow::Yes, &root) {
            Ok(node) => match &node.kind {
                Kind::File(Content::Program(name)) => crate::program::is_known(name),
                Kind::File(Content::Bytes(bytes)) => bytes.starts_with(b"#!"),
                _ => false,
            },
            Err(_) => true,
        }
    });
    is_simulated.then(|| {
        let launch = Launch {
            environment: unit
                .environment()
                .into_iter()
                .chain([("PATH".to_owned(), DEFAULT_PATH.to_owned())])
                .collect(),
            ..Launch::of_root(&manager.fleet, manager.host, path, words)
        };
        launch.start()
    })
}

/// Waits for the end of a service, and takes note of it.
pub(super) fn watch(manager: &Manager, unit: &Unit, child: Child) {
    let (manager, name) = (manager.clone(), unit.name.clone());
    let command = unit.value("Service", "ExecStart").unwrap_or_default();
    let path = split_words(command).first().cloned().unwrap_or_default();
    let path = path.trim_start_matches(['-', '@', ':', '+', '!']);
    let is_missing = manager
        .fleet
        .host(manager.host, |host| !host.files.exists(path));
    tokio::spawn(async move {
        let (how, _) = child.wait().await;
        if manager.state(&name).main_pid != child.pid.0 {
            return;
        }
        let status = match how {
            // What cannot be executed has a status of its own.
            Ended::Code(_) if is_missing => 203,
            Ended::Code(status) => status,
            Ended::Signal(signal) => signal.0,
        };
        if status != 0 {
            let said = format!("{name}: Main process exited, {}", ended(status));
            manager.say(&name, "systemd", 1, said);
        }
        manager.set(&name, |state| {
            let (active, sub, result) = match status {
                0 => (Active::Inactive, "dead", "success"),
                _ => (Active::Failed, "failed", "exit-code"),
            };
            (state.active, state.sub, state.result) = (active, sub, result);
            state.main_pid = 0;
            state.exit_status = status;
        });
    });
}
