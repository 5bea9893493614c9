//! Booting, powering off.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{Invocation, Program};
use crate::files::{Credentials, Follow, Kind};
use crate::host::Power;
use crate::world::{Fleet, HostId};

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "reboot",
        run: power,
    },
    Program {
        name: "poweroff",
        run: power,
    },
    Program {
        name: "halt",
        run: power,
    },
    Program {
        name: "shutdown",
        run: shutdown,
    },
];

fn power(invocation: &mut Invocation) -> BoxFuture<'_, u8> {
    Box::pin(async move {
        let verb = invocation.name.clone();
        ask(invocation, &verb).await
    })
}

fn shutdown(invocation: &mut Invocation) -> BoxFuture<'_, u8> {
    Box::pin(async move {
        let verb = match invocation.arguments.first().map(String::as_str) {
            Some("-r" | "--reboot") => "reboot",
            Some("-h" | "-P" | "--poweroff") => "poweroff",
            _ => return invocation.not_simulated("without -r or -h"),
        };
        match invocation.arguments.get(1).map(String::as_str) {
            None | Some("now" | "+0") => ask(invocation, verb).await,
            Some(time) => {
                let what = format!("time {time}");
                invocation.not_simulated(&what)
            }
        }
    })
}

/// Reboots or powers off, as somebody on the host asks for it.
pub(crate) async fn ask(invocation: &mut Invocation, verb: &str) -> u8 {
    if invocation.credentials.uid != 0 {
        invocation.complain(&format!(
            "Failed to set wall message, ignoring: Access denied\nFailed to {verb} system via \
             logind: Access denied\n"
        ));
        return 1;
    }
    let (fleet, host) = (invocation.fleet.clone(), invocation.host);
    if verb == "reboot" {
        // The command is back before the host goes.
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(500)).await;
            fleet.reboot(host).await;
        });
    } else {
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(500)).await;
            fleet.power_off(host);
        });
    }
    0
}

impl Fleet {
    /// Takes the power of a host away: everything that runs on it is gone, without a word.
    pub fn power_off(&self, host: HostId) {
        let now = self.time_of(host);
        crate::engine::lose_power(self, host);
        self.host(host, |host| {
            host.power = Power::Off;
            host.processes.kill_all();
            host.systemd.lose_power();
            host.packages.holder = None;
            host.packages.list_holder = None;
            let root = Credentials::root();
            for directory in ["/run", "/tmp", "/dev/shm"] {
                for name in host.files.list(directory, &root).unwrap_or_default() {
                    // A mounted directory is emptied by the next of these.
                    let _ = host
                        .files
                        .remove_tree(&format!("{directory}/{name}"), &root, now);
                }
            }
            let fresh = host.fresh.clone();
            fresh.visit("/run", &mut |path, node| {
                let kind = match &node.kind {
                    Kind::Directory(_) => Kind::Directory(BTreeMap::new()),
                    other => other.clone(),
                };
                // Parents come first; what is there already stays.
                if host
                    .files
                    .make_node(path, kind, node.mode, &root, now)
                    .is_ok()
                {
                    let (uid, gid) = (Some(node.uid), Some(node.gid));
                    let _ = host.files.set_owner(path, uid, gid, Follow::No, &root);
                }
            });
        });
    }

    /// Boots a host that is off.
    pub async fn power_on(&self, host: HostId) {
        let time = self.host(host, |host| {
            host.power = Power::Booting;
            host.boot_time
        });
        tokio::time::sleep(time).await;
        let id = self.world(|world| crate::build::uuid(&mut world.rng));
        let elapsed = self.elapsed().as_secs_f64();
        let now = self.time_of(host);
        self.host(host, |host| {
            host.boot_id = id;
            super::selinux::boot(host, now);
            host.booted = elapsed;
            host.power = Power::On;
        });
        super::systemctl::boot(self, host).await;
    }

    /// Boots a host anew.
    pub async fn reboot(&self, host: HostId) {
        self.power_off(host);
        self.power_on(host).await;
    }
}
