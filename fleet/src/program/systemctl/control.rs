//! Starting and stopping.

use std::time::Duration;

use super::daemon::{self, Exit};
use super::{Invocation, unit};
use crate::engine;
use crate::process::{Pid, Process, Signal};
use crate::systemd::{Active, Behaviour, Entry, Load, Unit, UnitState};
use crate::world::{Fleet, HostId};

/// Why a unit was not started or stopped, and the status that `systemctl` ends with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// What is printed.
    pub(crate) text: String,
    /// The exit status.
    pub(crate) status: u8,
}

/// Who starts and stops: a command, or the host itself when it boots.
#[derive(Debug, Clone)]
pub(super) struct Manager {
    pub(super) fleet: Fleet,
    pub(super) host: HostId,
}

/// Starts a unit and what it needs.
pub(crate) async fn start(invocation: &mut Invocation, name: &str) -> Result<(), Refused> {
    let known = unit(invocation, name);
    refuse(&known, name, "start")?;
    Manager::of(invocation).start(&known, 0).await
}

/// Stops a unit, and what needs it.
pub(crate) async fn stop(invocation: &mut Invocation, name: &str) -> Result<(), Refused> {
    let known = unit(invocation, name);
    let manager = Manager::of(invocation);
    let is_active = manager.state(&known.name).active != Active::Inactive;
    if known.load == Load::NotFound && !is_active {
        return Err(Refused {
            text: format!("Failed to stop {name}: Unit {name} not loaded.\n"),
            status: 5,
        });
    }
    manager.stop(&known).await;
    let socket = known.name.replace(".service", ".socket");
    let is_triggered = socket != known.name && manager.state(&socket).is_active();
    if is_active && is_triggered {
        invocation.complain(&format!(
            "Warning: Stopping {}, but it can still be activated by:\n  {socket}\n",
            known.name
        ));
    }
    Ok(())
}

/// Restarts a unit.
pub(crate) async fn restart(invocation: &mut Invocation, name: &str) -> Result<(), Refused> {
    let known = unit(invocation, name);
    refuse(&known, name, "restart")?;
    let manager = Manager::of(invocation);
    manager.stop(&known).await;
    manager.start(&known, 0).await
}

/// Lets a unit read its configuration again.
pub(super) async fn reload(
    invocation: &mut Invocation,
    name: &str,
    verb: &str,
) -> Result<(), Refused> {
    let known = unit(invocation, name);
    refuse(&known, name, verb)?;
    let manager = Manager::of(invocation);
    if !manager.state(&known.name).is_active() {
        if verb == "reload-or-restart" {
            return manager.start(&known, 0).await;
        }
        return Err(Refused {
            text: format!("{} is not active, cannot reload.\n", known.name),
            status: 1,
        });
    }
    if known.value("Service", "ExecReload").is_none() {
        if verb == "reload-or-restart" {
            return restart(invocation, name).await;
        }
        return Err(Refused {
            text: format!(
                "Failed to reload {name}: Job type reload is not applicable for unit {name}.\n"
            ),
            status: 3,
        });
    }
    Ok(())
}

/// Sends a service a signal; the engine is started again as its unit says.
pub(super) async fn kill(invocation: &mut Invocation, name: &str) -> Result<(), Refused> {
    let known = unit(invocation, name);
    refuse(&known, name, "kill")?;
    let manager = Manager::of(invocation);
    manager.stop(&known).await;
    if known
        .value("Service", "Restart")
        .is_some_and(|when| when != "no")
    {
        return manager.start(&known, 0).await;
    }
    Ok(())
}

/// Kills the engine of a host; systemd starts it again, as its unit says.
pub(crate) async fn kill_engine(fleet: &Fleet, host: HostId) {
    let manager = Manager {
        fleet: fleet.clone(),
        host,
    };
    let unit = manager.unit("docker.service");
    let before = manager.state(&unit.name);
    if !before.is_active() {
        return;
    }
    engine::kill(fleet, host);
    fleet.host(host, |host| host.processes.remove(Pid(before.main_pid)));
    let said = "docker.service: Main process exited, code=killed, status=9/KILL";
    manager.say(&unit.name, "systemd", 1, said);
    manager.set(&unit.name, |state| {
        state.active = Active::Activating;
        state.sub = "auto-restart";
        state.main_pid = 0;
        state.restarts += 1;
    });
    tokio::time::sleep(Duration::from_secs(2)).await;
    while manager.state(&unit.name).active == Active::Activating {
        if manager.start(&unit, 0).await.is_ok() {
            return;
        }
        if manager.state(&unit.name).result == "start-limit-hit" {
            return;
        }
        manager.set(&unit.name, |state| {
            state.active = Active::Activating;
            state.sub = "auto-restart";
        });
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

/// Starts everything that starts with a host.
pub(crate) async fn boot(fleet: &Fleet, host: HostId) {
    let manager = Manager {
        fleet: fleet.clone(),
        host,
    };
    let wanted = fleet.host(host, |host| crate::systemd::wanted_at_boot(&host.files));
    for name in wanted {
        let known = manager.unit(&name);
        if known.load == Load::Loaded && !manager.state(&known.name).is_active() {
            // A service that does not start keeps no host from booting.
            let _ = manager.start(&known, 0).await;
        }
    }
}

fn refuse(unit: &Unit, name: &str, verb: &str) -> Result<(), Refused> {
    match unit.load {
        Load::NotFound => Err(Refused {
            text: format!("Failed to {verb} {name}: Unit {name} not found.\n"),
            status: 5,
        }),
        Load::Masked => Err(Refused {
            text: format!("Failed to {verb} {name}: Unit {name} is masked.\n"),
            status: 1,
        }),
        Load::BadSetting => Err(Refused {
            text: format!(
                "Failed to {verb} {name}: Unit {name} has a bad unit file setting.\nSee system \
                 logs and 'systemctl status {name}' for details.\n"
            ),
            status: 1,
        }),
        Load::Loaded => Ok(()),
    }
}

impl Manager {
    fn of(invocation: &Invocation) -> Self {
        Self {
            fleet: invocation.fleet.clone(),
            host: invocation.host,
        }
    }

    fn unit(&self, name: &str) -> std::sync::Arc<Unit> {
        self.fleet.host(self.host, |host| {
            let files = host.files.clone();
            host.systemd.unit(&files, name)
        })
    }

    pub(super) fn state(&self, name: &str) -> UnitState {
        self.fleet.host(self.host, |host| host.systemd.state(name))
    }

    pub(super) fn set(&self, name: &str, change: impl FnOnce(&mut UnitState)) {
        let now = self.fleet.time_of(self.host).as_secs();
        self.fleet.host(self.host, |host| {
            let mut state = host.systemd.state(name);
            change(&mut state);
            state.since = now;
            host.systemd.set_state(name, state);
        });
    }

    pub(super) fn say(&self, unit: &str, identifier: &str, pid: u32, message: impl Into<String>) {
        let message = message.into();
        let at = self.fleet.time_of(self.host).as_micros() as u64;
        let entry = Entry {
            at,
            unit: unit.to_owned(),
            identifier: identifier.to_owned(),
            pid,
            is_error: message.starts_with("Failed to start"),
            message,
        };
        self.fleet.host(self.host, |host| {
            std::sync::Arc::make_mut(&mut host.systemd.journal).add(entry);
        });
    }

    /// Starts a unit; those that it needs come first. `depth` ends circles.
    async fn start(&self, unit: &Unit, depth: usize) -> Result<(), Refused> {
        let name = unit.name.clone();
        if self.state(&name).is_active() || depth > 8 {
            return Ok(());
        }
        for key in ["Requires", "Wants", "BindsTo"] {
            for needed in unit.values("Unit", key) {
                let needed = self.unit(&needed);
                if needed.load != Load::Loaded {
                    continue;
                }
                let started = Box::pin(self.start(&needed, depth + 1)).await;
                if key != "Wants" && started.is_err() {
                    return Err(Refused {
                        text: format!(
                            "A dependency job for {name} failed. See 'journalctl -xe' for \
                             details.\n"
                        ),
                        status: 1,
                    });
                }
            }
        }
        self.say(
            "init.scope",
            "systemd",
            1,
            format!("Starting {}...", named(unit)),
        );
        let behaviour = unit.behaviour();
        if self.is_over_limit(unit) {
            return Err(self.fail(
                unit,
                "start-limit-hit",
                "Start request repeated too quickly.",
            ));
        }
        self.set(&name, |state| {
            state.active = Active::Activating;
            state.sub = "start";
        });
        match self.launch(unit, &behaviour).await {
            Ok(()) => {
                self.up(unit, &behaviour);
                Ok(())
            }
            Err(Exit { status, said }) => {
                let program = program_of(&behaviour);
                let pid = self
                    .fleet
                    .host(self.host, |host| host.processes.take_number());
                if let Some(said) = said {
                    self.say(&name, program, pid, said);
                }
                let how = daemon::ended(status);
                self.say(
                    &name,
                    "systemd",
                    1,
                    format!("{name}: Main process exited, {how}"),
                );
                self.set(&name, |state| state.exit_status = status);
                Err(self.fail(unit, "exit-code", "Failed with result 'exit-code'."))
            }
        }
    }

    /// Whether a service was started too often lately (`StartLimitBurst`).
    fn is_over_limit(&self, unit: &Unit) -> bool {
        if !unit.name.ends_with(".service") {
            return false;
        }
        let number = |key: &str| {
            let value = unit
                .value("Service", key)
                .or_else(|| unit.value("Unit", key));
            value.and_then(|value| value.trim_end_matches('s').parse::<u64>().ok())
        };
        let burst = number("StartLimitBurst").unwrap_or(5) as usize;
        let interval = number("StartLimitInterval")
            .or_else(|| number("StartLimitIntervalSec"))
            .unwrap_or(10);
        let now = self.fleet.elapsed().as_secs();
        let mut is_over = false;
        self.set(&unit.name, |state| {
            state.attempts.retain(|at| at + interval > now);
            is_over = state.attempts.len() >= burst;
            if !is_over {
                state.attempts.push(now);
            }
        });
        is_over
    }

    async fn launch(&self, unit: &Unit, behaviour: &Behaviour) -> Result<(), Exit> {
        let broken = self.fleet.host(self.host, |host| {
            host.systemd.broken.get(&unit.name).cloned()
        });
        let time = match behaviour {
            Behaviour::Engine => crate::time::of("dockerd"),
            Behaviour::Passive => Duration::ZERO,
            _ => crate::time::of("service"),
        };
        tokio::time::sleep(time).await;
        if let Some(said) = broken {
            return Err(Exit::saying(said));
        }
        match behaviour {
            Behaviour::Engine => engine::start(&self.fleet, self.host).map_err(Exit::saying),
            Behaviour::OneShot(words) => self.run_once(words).await,
            Behaviour::Containerd | Behaviour::Daemon(_) | Behaviour::Passive => Ok(()),
        }
    }

    async fn run_once(&self, words: &[String]) -> Result<(), Exit> {
        match crate::shell::run_as_root(&self.fleet, self.host, words).await {
            0 => Ok(()),
            status => Err(Exit { status, said: None }),
        }
    }

    fn up(&self, unit: &Unit, behaviour: &Behaviour) {
        let program = program_of(behaviour);
        let has_process = matches!(
            behaviour,
            Behaviour::Engine | Behaviour::Containerd | Behaviour::Daemon(_)
        );
        let uptime = self.fleet.host(self.host, |host| -host.booted);
        let started = (self.fleet.elapsed().as_secs_f64() + uptime) * 1e6;
        let child = daemon::start(self, unit, behaviour);
        let pid = match (&child, has_process) {
            (Some(child), _) => child.pid.0,
            (None, true) => self.add_process(unit, program),
            (None, false) => 0,
        };
        self.set(&unit.name, |state| {
            state.active = Active::Active;
            state.result = "success";
            state.main_pid = pid;
            state.sub = match behaviour {
                Behaviour::OneShot(_) => "exited",
                Behaviour::Passive if unit.name.ends_with(".socket") => "listening",
                Behaviour::Passive => "active",
                _ => "running",
            };
            if has_process {
                state.started = started as u64;
            }
        });
        if matches!(behaviour, Behaviour::OneShot(_))
            && unit.value("Service", "RemainAfterExit") != Some("yes")
        {
            self.set(&unit.name, |state| {
                state.active = Active::Inactive;
                state.sub = "dead";
            });
        }
        if *behaviour == Behaviour::Engine {
            self.say_as_engine(&unit.name, pid, daemon::STARTING);
        }
        self.say(
            "init.scope",
            "systemd",
            1,
            format!("Started {}.", named(unit)),
        );
        if *behaviour == Behaviour::Engine {
            self.say_as_engine(&unit.name, pid, &["API listen on /run/docker.sock"]);
        }
        if let Some(child) = child {
            daemon::watch(self, unit, child);
        }
    }

    /// Says something as dockerd words it.
    fn say_as_engine(&self, name: &str, pid: u32, all: &[&str]) {
        let now = self.fleet.time_of(self.host);
        for said in all {
            let at = crate::engine::names::timestamp(now);
            self.say(
                name,
                "dockerd",
                pid,
                format!("time=\"{at}\" level=info msg=\"{said}\""),
            );
        }
    }

    /// Puts the process of a service into the table.
    fn add_process(&self, unit: &Unit, program: &str) -> u32 {
        let command = unit.value("Service", "ExecStart").unwrap_or(program);
        let process = Process {
            parent: Pid(1),
            session: 0,
            user: "root".to_owned(),
            command: crate::systemd::split_words(command),
            started: self.fleet.time_of(self.host),
            control: std::sync::Arc::default(),
        };
        self.fleet
            .host(self.host, |host| host.processes.add_resident(None, process))
            .0
    }

    fn fail(&self, unit: &Unit, result: &'static str, said: &str) -> Refused {
        let name = &unit.name;
        self.set(name, |state| {
            state.active = Active::Failed;
            state.sub = "failed";
            state.result = result;
            state.main_pid = 0;
        });
        self.say(name, "systemd", 1, format!("{name}: {said}"));
        self.say(
            name,
            "systemd",
            1,
            format!("Failed to start {}.", named(unit)),
        );
        let why = if result == "start-limit-hit" {
            format!(
                "Job for {name} failed.\nSee \"systemctl status {name}\" and \"journalctl -xeu \
                 {name}\" for details.\n"
            )
        } else {
            format!(
                "Job for {name} failed because the control process exited with error code.\nSee \
                 \"systemctl status {name}\" and \"journalctl -xeu {name}\" for details.\n"
            )
        };
        Refused {
            text: why,
            status: 1,
        }
    }

    /// Stops a unit, and before it those that require it.
    async fn stop(&self, unit: &Unit) {
        let name = unit.name.clone();
        let dependants: Vec<String> = self.fleet.host(self.host, |host| {
            let needs = |other: &Unit| {
                let needed = [
                    other.values("Unit", "Requires"),
                    other.values("Unit", "BindsTo"),
                ];
                needed.concat().contains(&name)
            };
            let read = host.systemd.read.values();
            let needing = read
                .filter(|other| needs(other))
                .map(|other| other.name.clone());
            needing
                .filter(|other| host.systemd.is_active(other))
                .collect()
        });
        for dependant in dependants {
            let dependant = self.unit(&dependant);
            Box::pin(self.stop(&dependant)).await;
        }
        let before = self.state(&name);
        if before.active == Active::Inactive || before.active == Active::Failed {
            return;
        }
        self.say(
            "init.scope",
            "systemd",
            1,
            format!("Stopping {}...", named(unit)),
        );
        self.set(&name, |state| {
            state.active = Active::Deactivating;
            state.sub = "stop-sigterm";
        });
        let behaviour = unit.behaviour();
        if behaviour == Behaviour::Engine {
            self.say_as_engine(&name, before.main_pid, daemon::STOPPING);
            tokio::time::sleep(engine::time_to_stop(&self.fleet, self.host)).await;
            engine::stop(&self.fleet, self.host);
        }
        self.fleet.host(self.host, |host| {
            // It may have ended by itself.
            let _ = host
                .processes
                .kill(Pid(before.main_pid), Signal::TERM, "root");
            host.processes.remove(Pid(before.main_pid));
        });
        self.set(&name, |state| {
            state.active = Active::Inactive;
            state.sub = "dead";
            state.main_pid = 0;
        });
        if behaviour != Behaviour::Passive {
            self.say(
                &name,
                "systemd",
                1,
                format!("{name}: Deactivated successfully."),
            );
        }
        self.say(
            "init.scope",
            "systemd",
            1,
            format!("Stopped {}.", named(unit)),
        );
    }
}

fn named(unit: &Unit) -> String {
    format!("{} - {}", unit.name, unit.description())
}

fn program_of(behaviour: &Behaviour) -> &str {
    match behaviour {
        Behaviour::Engine => "dockerd",
        Behaviour::Containerd => "containerd",
        Behaviour::Daemon(name) => name,
        Behaviour::OneShot(words) => {
            let first = words.first().map_or("", String::as_str);
            first.rsplit('/').next().unwrap_or_default()
        }
        Behaviour::Passive => "systemd",
    }
}
