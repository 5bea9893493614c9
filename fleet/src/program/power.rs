//! Booting, powering off.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{Invocation, Program};
use crate::files::{Credentials, Follow, Kind};
use crate::host::{Init, Power};
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

/// Returns what a name of `systemctl` stands for, where it is one of these.
pub(crate) fn by_name(name: &str) -> Option<for<'a> fn(&'a mut Invocation) -> BoxFuture<'a, u8>> {
    let name = name.rsplit('/').next();
    let found = PROGRAMS.iter().find(|one| Some(one.name) == name);
    found.map(|one| one.run)
}

fn power(invocation: &mut Invocation) -> BoxFuture<'_, u8> {
    Box::pin(async move {
        let name = invocation.name.clone();
        let verb = name.rsplit('/').next().unwrap_or_default();
        ask(invocation, verb).await
    })
}

fn shutdown(invocation: &mut Invocation) -> BoxFuture<'_, u8> {
    Box::pin(async move {
        if invocation.host(|host| host.init) != Init::Systemd {
            return super::openrc::shutdown(invocation).await;
        }
        let verb = match invocation.arguments.first().map(String::as_str) {
            Some("-r" | "--reboot") => "reboot",
            Some("-h" | "-P" | "--poweroff") => "poweroff",
            _ => return invocation.not_simulated("without -r or -h"),
        };
        let time = invocation.arguments.get(1).cloned().unwrap_or("+1".into());
        if time == "now" {
            return ask(invocation, verb).await;
        }
        match time.strip_prefix('+').unwrap_or(&time).parse::<u64>() {
            Ok(minutes) => schedule(invocation, verb, Duration::from_secs(60 * minutes)).await,
            Err(_) => invocation.not_simulated(&format!("time {time}")),
        }
    })
}

/// Reboots or powers off in a while, and says when.
async fn schedule(invocation: &mut Invocation, verb: &str, delay: Duration) -> u8 {
    if invocation.credentials.uid == 0 {
        let action = match verb {
            "reboot" => "Reboot",
            _ => "Shutdown",
        };
        let when = invocation.fleet.time_of(invocation.host) + delay;
        let when = super::time::format("%a %Y-%m-%d %H:%M:%S UTC", when).unwrap_or_default();
        invocation.complain(&format!(
            "{action} scheduled for {when}, use 'shutdown -c' to cancel."
        ));
    }
    ask_in(invocation, verb, delay).await
}

/// Reboots or powers off, as somebody on the host asks for it.
pub(crate) async fn ask(invocation: &mut Invocation, verb: &str) -> u8 {
    ask_in(invocation, verb, Duration::ZERO).await
}

async fn ask_in(invocation: &mut Invocation, verb: &str, delay: Duration) -> u8 {
    if invocation.credentials.uid != 0 {
        if invocation.host(|host| host.init) != Init::Systemd {
            invocation.complain(&format!("{verb}: must be superuser."));
            return 1;
        }
        invocation.complain(&format!(
            "Failed to set wall message, ignoring: Access denied\nFailed to {verb} system via \
             logind: Access denied\n"
        ));
        return 1;
    }
    let (fleet, host) = (invocation.fleet.clone(), invocation.host);
    let is_reboot = verb == "reboot";
    tokio::spawn(async move {
        // The command is back before the host goes.
        tokio::time::sleep(delay + Duration::from_millis(500)).await;
        match is_reboot {
            true => fleet.reboot(host).await,
            false => fleet.power_off(host),
        }
    });
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
            host.systemd.is_booting = host.init == Init::Systemd;
        });
        match self.host(host, |host| host.init) {
            Init::Systemd => super::systemctl::boot(self, host).await,
            Init::OpenRc => super::openrc::boot(self, host).await,
        }
        self.host(host, |host| host.systemd.is_booting = false);
    }

    /// Boots a host anew.
    pub async fn reboot(&self, host: HostId) {
        self.power_off(host);
        self.power_on(host).await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::testing::{bash, host_of};

    #[tokio::test(start_paused = true)]
    async fn a_shutdown_comes_after_so_many_minutes() {
        let (fleet, host) = host_of("ubuntu-22.04", |_| {});
        for (time, delay) in [("0", 1), ("+0", 1), ("", 61), ("+2", 121)] {
            let before = fleet.host(host, |host| host.boot_id.clone());
            let ran = bash(&fleet, host, &format!("/usr/sbin/shutdown --reboot {time}")).await;

            assert_eq!(ran.status, 0, "{time}");
            assert!(ran.stderr.starts_with("Reboot scheduled for "), "{ran:?}");
            tokio::time::sleep(Duration::from_secs(delay - 1)).await;
            assert_eq!(fleet.host(host, |host| host.boot_id.clone()), before);
            tokio::time::sleep(Duration::from_secs(120)).await;
            assert_ne!(fleet.host(host, |host| host.boot_id.clone()), before);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_reboot_is_one_under_every_name() {
        for script in [
            "/usr/sbin/reboot",
            "PATH=/sbin:/bin reboot",
            "systemctl reboot",
        ] {
            for profile in ["ubuntu-22.04", "rocky-9", "sles-15.5"] {
                let (fleet, host) = host_of(profile, |_| {});
                let before = fleet.host(host, |host| host.boot_id.clone());

                let ran = bash(&fleet, host, script).await;
                tokio::time::sleep(Duration::from_secs(120)).await;

                assert_eq!(ran.status, 0, "{script}: {ran:?}");
                let after = fleet.host(host, |host| host.boot_id.clone());
                assert_ne!(after, before, "{script} {profile}");
            }
        }
    }
}
