//! OpenRC: services are scripts in `/etc/init.d`, runlevels are directories of links, and what runs
//! is noted in `/run/openrc`. All of it is files of the host; the programs in `program::openrc` work
//! on them. What they say is held against Debian 12 (`fleet/tests/parity`, state `openrc`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::files::{Content, Credentials, Files, Follow, Kind};
use crate::host::{Host, Init};
use crate::packages::{Installed, Package, State};
use crate::process::{Pid, Process};
use crate::systemd::Systemd;

const SERVICES: &str = include_str!("../data/openrc/services.txt");
const LIBRARY: &str = include_str!("../data/openrc/openrc-run.sh");
const FUNCTIONS: &str = include_str!("../data/openrc/init-functions.sh");
const SSH: &str = include_str!("../data/openrc/ssh.sh");
const CRON: &str = include_str!("../data/openrc/cron.sh");

/// Where scripts of services are.
pub(crate) const SCRIPTS: &str = "/etc/init.d";
/// What runs scripts that are openrc-run's own.
pub(crate) const RUNNER: &str = "/lib/rc/sh/openrc-run.sh";
/// The runlevels that a boot goes through.
pub(crate) const BOOT: [&str; 3] = ["sysinit", "boot", "default"];

const STARTED: &str = "/run/openrc/started";
const DEPENDENCIES: &str = "/run/openrc/deptree";
const LEVEL: &str = "/run/openrc/softlevel";

/// Programs of the packages that are not there: systemd's.
const OF_SYSTEMD: &[&str] = &[
    "busctl",
    "hostnamectl",
    "journalctl",
    "localectl",
    "loginctl",
    "networkctl",
    "systemctl",
    "timedatectl",
];

/// Programs that are there instead.
const OF_OPENRC: &[&str] = &[
    "/usr/sbin/openrc",
    "/usr/sbin/openrc-run",
    "/usr/sbin/rc-service",
    "/usr/sbin/rc-update",
    "/usr/bin/rc-status",
    "/usr/sbin/init",
    "/usr/sbin/halt",
    "/usr/sbin/poweroff",
    "/usr/sbin/reboot",
    "/usr/sbin/shutdown",
    "/usr/sbin/cron",
];

/// Packages of Debian 12.
const PACKAGES: &[(&str, &str)] = &[
    ("cron", "3.0pl1-162"),
    ("initscripts", "3.06-4"),
    ("librc1", "0.45.2-2+deb12u1"),
    ("openrc", "0.45.2-2+deb12u1"),
    ("sysvinit-core", "3.06-4"),
];

/// Returns the runlevels with their services, in the order in which those are started; `-` are
/// those of none.
fn table() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    let lines = SERVICES.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| {
        let mut words = line.split(' ');
        Some((words.next()?, words.collect()))
    })
}

/// Makes a host that was built for systemd one that OpenRC has booted.
pub(crate) fn furnish(host: &mut Host, written: Duration) {
    host.init = Init::OpenRc;
    host.systemd = Systemd::default();
    let root = Credentials::root();
    let files = &mut host.files;
    for directory in ["/usr/bin", "/usr/sbin"] {
        for name in files.list(directory, &root).unwrap_or_default() {
            let path = format!("{directory}/{name}");
            let is_link_to_it = files.node(&path, Follow::No, &root).is_ok_and(|node| {
                matches!(&node.kind, Kind::Link(target) if target.ends_with("/systemctl")
                    || target.contains("/systemd"))
            });
            let is_its = OF_SYSTEMD.contains(&&*name) || name.starts_with("systemd");
            if is_its || is_link_to_it {
                // What a profile has can be removed; its test makes sure.
                let _ = files.remove_file(&path, &root, written);
            }
        }
    }
    for path in [
        "/run/systemd",
        "/run/log/journal",
        "/run/dbus",
        "/run/sshd.pid",
    ] {
        let _ = files.remove_tree(path, &root, written);
    }
    for path in OF_OPENRC {
        let name = path.rsplit('/').next().unwrap_or_default();
        let content = Content::Program(Arc::from(name));
        let _ = files.write(path, content, 0o755, &root, written);
    }
    add_scripts(files, written);
    host.fresh = host.files.clone();
    add_state(&mut host.files, written);
    add_packages(host, written);
    add_processes(host, written);
}

fn add_scripts(files: &mut Files, written: Duration) {
    let root = Credentials::root();
    for directory in ["/lib/rc/sh", "/lib/lsb", SCRIPTS, "/etc/runlevels"] {
        let _ = files.make_dirs(directory, 0o755, &root, written);
    }
    let texts = [
        (RUNNER, 0o755, LIBRARY),
        ("/lib/lsb/init-functions", 0o644, FUNCTIONS),
        ("/etc/rc.conf", 0o644, "rc_tty_number=12\n"),
    ];
    for (path, mode, text) in texts {
        let _ = files.write(path, text, mode, &root, written);
    }
    for (level, names) in table() {
        let directory = format!("/etc/runlevels/{level}");
        if level != "-" {
            let _ = files.make_dirs(&directory, 0o755, &root, written);
        }
        for name in names {
            let text = match name {
                "ssh" => SSH.to_owned(),
                "cron" => CRON.to_owned(),
                other => silent(other),
            };
            let path = format!("{SCRIPTS}/{name}");
            let _ = files.write(&path, text, 0o755, &root, written);
            if level != "-" {
                let link = format!("{directory}/{name}");
                let _ = files.link_symbolic(&path, &link, &root, written);
            }
        }
    }
}

/// A service of the distribution whose work is done.
fn silent(name: &str) -> String {
    format!(
        "#!/bin/sh\n### BEGIN INIT INFO\n# Provides:          {name}\n### END INIT INFO\nexit 0\n"
    )
}

/// Adds what a boot leaves in `/run`.
fn add_state(files: &mut Files, written: Duration) {
    let root = Credentials::root();
    make_state(files, written);
    for (level, names) in table() {
        for name in names.iter().filter(|_| BOOT.contains(&level)) {
            set_started(files, name, true, written);
        }
    }
    let _ = files.write(LEVEL, "default", 0o644, &root, written);
    let _ = files.write("/run/sshd.pid", "212\n", 0o644, &root, written);
    let _ = files.write("/run/crond.pid", "198\n", 0o644, &root, written);
    for (path, text) in [
        ("/proc/1/comm", "init\n"),
        ("/proc/1/cmdline", "init [2]\0"),
    ] {
        let _ = files.write(path, text, 0o444, &root, written);
    }
}

/// Makes the directories in which is noted what runs.
pub(crate) fn make_state(files: &mut Files, now: Duration) {
    let root = Credentials::root();
    for name in [
        "daemons",
        "exclusive",
        "failed",
        "hotplugged",
        "inactive",
        "options",
        "scheduled",
        "started",
        "starting",
        "stopping",
        "tmp",
        "wasinactive",
    ] {
        // On a disk that is full there is no state.
        let _ = files.make_dirs(&format!("/run/openrc/{name}"), 0o755, &root, now);
    }
    learn(files, now);
}

fn add_packages(host: &mut Host, written: Duration) {
    for name in [
        "systemd",
        "systemd-sysv",
        "libpam-systemd",
        "libsystemd-shared",
    ] {
        host.packages.forget(name);
    }
    for (name, version) in PACKAGES {
        host.packages.set(Installed {
            package: Arc::new(Package::base(name, version, "amd64")),
            state: State::Installed,
            is_automatic: false,
            is_held: false,
            origin: String::new(),
            since: written,
        });
    }
}

fn add_processes(host: &mut Host, started: Duration) {
    for (pid, command) in [
        (1, "init [2]"),
        (198, "/usr/sbin/cron"),
        (212, "/usr/sbin/sshd"),
    ] {
        let process = Process {
            parent: Pid(u32::from(pid != 1)),
            session: 0,
            user: "root".to_owned(),
            command: command.split(' ').map(str::to_owned).collect(),
            started,
            control: Arc::default(),
        };
        host.processes.add_resident(Some(Pid(pid)), process);
    }
}

/// Returns the process of a program that init or nobody has started.
pub(crate) fn process_of<'a>(host: &'a Host, program: &str) -> Option<(Pid, &'a Process)> {
    let all = host.processes.all().iter();
    let mut found = all.filter(|(_, process)| {
        process.session == 0 && process.command.first().is_some_and(|one| one == program)
    });
    found.next().map(|(pid, process)| (*pid, process))
}

/// Returns the current runlevel.
pub(crate) fn level(files: &Files) -> String {
    let text = files.text(LEVEL).unwrap_or_default();
    let text = text.trim();
    if text.is_empty() { "sysinit" } else { text }.to_owned()
}

/// Sets the current runlevel.
pub(crate) fn set_level(files: &mut Files, level: &str, now: Duration) {
    // On a disk that is full it stays the one before.
    let _ = files.write(LEVEL, level.to_owned(), 0o644, &Credentials::root(), now);
}

/// Returns the runlevels.
pub(crate) fn levels(files: &Files) -> Vec<String> {
    let root = Credentials::root();
    files.list("/etc/runlevels", &root).unwrap_or_default()
}

/// Returns the services of the host that have a script.
pub(crate) fn services(files: &Files) -> Vec<String> {
    let root = Credentials::root();
    files.list(SCRIPTS, &root).unwrap_or_default()
}

/// Returns the services of a runlevel that have a script, in no particular order.
pub(crate) fn members(files: &Files, level: &str) -> Vec<String> {
    let root = Credentials::root();
    let names = files.list(&format!("/etc/runlevels/{level}"), &root);
    let mut names = names.unwrap_or_default();
    names.retain(|name| files.exists(&format!("{SCRIPTS}/{name}")));
    names
}

/// Returns whether a service is in a runlevel; its script need not be there.
pub(crate) fn is_member(files: &Files, level: &str, name: &str) -> bool {
    let root = Credentials::root();
    let link = format!("/etc/runlevels/{level}/{name}");
    files.stat(&link, Follow::No, &root).is_ok()
}

/// Returns whether a service counts as started.
pub(crate) fn is_started(files: &Files, name: &str) -> bool {
    let root = Credentials::root();
    files
        .stat(&format!("{STARTED}/{name}"), Follow::No, &root)
        .is_ok()
}

/// Returns the services that count as started.
pub(crate) fn started(files: &Files) -> Vec<String> {
    files
        .list(STARTED, &Credentials::root())
        .unwrap_or_default()
}

/// Lets a service count as started, or not.
pub(crate) fn set_started(files: &mut Files, name: &str, is_started: bool, now: Duration) {
    let root = Credentials::root();
    let path = format!("{STARTED}/{name}");
    // It may be so already.
    let _ = match is_started {
        true => files.link_symbolic(&format!("{SCRIPTS}/{name}"), &path, &root, now),
        false => files.remove_file(&path, &root, now),
    };
}

/// Returns when scripts or settings were changed last.
fn changed(files: &Files) -> Duration {
    let root = Credentials::root();
    let mut newest = Duration::ZERO;
    for path in [SCRIPTS, "/etc/conf.d", "/etc/rc.conf"] {
        let inner = files.list(path, &root).unwrap_or_default().into_iter();
        let inner = inner.map(|name| format!("{path}/{name}"));
        for one in inner.chain([path.to_owned()]) {
            if let Ok(stat) = files.stat(&one, Follow::Yes, &root) {
                newest = newest.max(stat.modified);
            }
        }
    }
    newest
}

/// Reads anew which service depends on which, where scripts or settings are younger than what is
/// known; returns whether it did.
pub(crate) fn learn(files: &mut Files, now: Duration) -> bool {
    let root = Credentials::root();
    let newest = changed(files);
    let known = files.stat(DEPENDENCIES, Follow::Yes, &root);
    if known.is_ok_and(|known| known.modified.as_secs() >= newest.as_secs()) {
        return false;
    }
    let _ = files.write(DEPENDENCIES, "", 0o644, &root, now);
    let _ = files.set_modified(DEPENDENCIES, newest, &root);
    true
}

/// Which services a service wants before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Depends {
    /// Those that it does not start without.
    pub(crate) needs: Vec<String>,
    /// Those that are started before it, where they are there.
    pub(crate) wants: Vec<String>,
    /// Those that come first where both are started.
    pub(crate) after: Vec<String>,
}

impl Depends {
    /// Reads what `depend` of a script says.
    pub(crate) fn read(text: &str) -> Self {
        let mut depends = Self::default();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let list = match words.next() {
                Some("need") => &mut depends.needs,
                Some("want" | "use") => &mut depends.wants,
                Some("after") => &mut depends.after,
                _ => continue,
            };
            list.extend(words.map(str::to_owned));
        }
        depends
    }
}

/// Puts services into the order in which they are started: those of the distribution as they are
/// there, others behind what they depend on.
pub(crate) fn in_order(mut names: Vec<String>, depends: &BTreeMap<String, Depends>) -> Vec<String> {
    let known: Vec<&str> = table().flat_map(|(_, names)| names).collect();
    let place = |name: &String| known.iter().position(|one| one == name);
    names.sort_by_key(|name| (place(name).unwrap_or(usize::MAX), name.clone()));
    let others: Vec<String> = names
        .iter()
        .filter(|name| place(name).is_none())
        .cloned()
        .collect();
    for name in others {
        let Some(depends) = depends.get(&name) else {
            continue;
        };
        let first = [&depends.needs, &depends.wants, &depends.after];
        let is_first = |other: &String| first.iter().any(|list| list.contains(other));
        names.retain(|one| *one != name);
        let last = names.iter().rposition(is_first);
        let at = last.map_or(names.len(), |last| last + 1);
        names.insert(at, name);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_come_behind_what_they_depend_on() {
        let names = ["own", "ssh", "cron", "bootlogs", "upper"];
        let depends = BTreeMap::from([
            ("own".to_owned(), Depends::read("after cron\n")),
            (
                "upper".to_owned(),
                Depends::read("need own\nkeyword -stop\n"),
            ),
        ]);

        let sorted = in_order(names.map(str::to_owned).to_vec(), &depends);

        assert_eq!(sorted, ["ssh", "cron", "own", "upper", "bootlogs"]);
    }
}
