//! dockerd as a process of its own, as scripts of services start it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::Invocation;
use crate::engine;
use crate::files::Credentials;
use crate::pipe::Writer;
use crate::process::{self, Birth, Child, Control, Ended, Pid, Signal};
use crate::world::{Fleet, HostId};

/// Where its number is, where it is not told.
const PIDFILE: &str = "/run/docker.pid";

/// Kills the engine of a host. Nobody starts it again.
pub(crate) fn kill(fleet: &Fleet, host: HostId) {
    fleet.host(host, |host| {
        let found = crate::openrc::process_of(host, "/usr/bin/dockerd");
        if let Some(pid) = found.map(|(pid, _)| pid) {
            // It is there: nobody else has the host.
            let _ = host.processes.kill(pid, Signal::KILL, "root");
        }
    });
}

/// Starts it; what it says goes to `said`.
pub(super) fn start(invocation: &Invocation, words: Vec<String>, said: Writer) -> Child {
    let pidfile = words
        .iter()
        .position(|word| word == "-p" || word == "--pidfile");
    let pidfile = pidfile.and_then(|at| words.get(at + 1));
    let engine = Dockerd {
        fleet: invocation.fleet.clone(),
        host: invocation.host,
        boot: invocation.host(|host| host.boot_id.clone()),
        pidfile: pidfile.map_or(PIDFILE, String::as_str).to_owned(),
        has_started: false,
    };
    let birth = Birth {
        parent: Pid(1),
        session: 0,
        user: "root".to_owned(),
        command: words,
        ignored: BTreeSet::new(),
    };
    process::start(&invocation.fleet, invocation.host, birth, |pid, control| {
        engine.run(pid, control, said)
    })
}

struct Dockerd {
    fleet: Fleet,
    host: HostId,
    boot: String,
    pidfile: String,
    has_started: bool,
}

impl Dockerd {
    async fn run(mut self, pid: Pid, control: Arc<Control>, said: Writer) -> (Ended, Duration) {
        control.set_dispositions(BTreeSet::from([Signal::TERM, Signal::INT]), BTreeSet::new());
        self.say(&said, "info", "Starting up").await;
        self.write_pidfile(Some(pid));
        tokio::time::sleep(crate::time::of("dockerd")).await;
        let broken = self.fleet.host(self.host, |host| {
            host.systemd.broken.get("docker.service").cloned()
        });
        let started = match broken {
            Some(broken) => Err(broken),
            None => engine::start(&self.fleet, self.host),
        };
        if let Err(why) = started {
            // Whoever is told by nobody finds it in the log.
            let _ = said.write(format!("{why}\n").as_bytes()).await;
            self.write_pidfile(None);
            return (Ended::Code(1), Duration::ZERO);
        }
        self.has_started = true;
        self.say(&said, "info", "Daemon has completed initialization")
            .await;
        self.say(&said, "info", "API listen on /run/docker.sock")
            .await;
        while control.take_pending().is_none() {
            control.interrupted().await;
        }
        self.say(&said, "info", "Processing signal 'terminated'")
            .await;
        tokio::time::sleep(engine::time_to_stop(&self.fleet, self.host)).await;
        engine::stop(&self.fleet, self.host);
        self.has_started = false;
        self.write_pidfile(None);
        self.say(&said, "info", "Daemon shutdown complete").await;
        (Ended::Code(0), Duration::ZERO)
    }

    async fn say(&self, said: &Writer, level: &str, message: &str) {
        let at = engine::names::timestamp(self.fleet.time_of(self.host));
        let line = format!("time=\"{at}\" level={level} msg=\"{message}\"\n");
        // On a disk that is full nothing is logged.
        let _ = said.write(line.as_bytes()).await;
    }

    fn write_pidfile(&self, pid: Option<Pid>) {
        let now = self.fleet.time_of(self.host);
        let root = Credentials::root();
        self.fleet.host(self.host, |host| {
            // On a disk that is full there is none, and one that is gone need not be removed.
            let _ = match pid {
                Some(pid) => {
                    let text = format!("{}\n", pid.0);
                    host.files.write(&self.pidfile, text, 0o644, &root, now)
                }
                None => host.files.remove_file(&self.pidfile, &root, now),
            };
        });
    }
}

impl Drop for Dockerd {
    /// A process that is killed takes its engine along; one that lost its power did before.
    fn drop(&mut self) {
        let same_boot = self.fleet.host(self.host, |host| {
            host.boot_id == self.boot && host.power != crate::host::Power::Off
        });
        if self.has_started && same_boot {
            engine::kill(&self.fleet, self.host);
        }
    }
}
