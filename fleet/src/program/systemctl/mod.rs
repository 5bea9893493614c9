//! `systemctl`, and what packages of Debian call of it.

mod control;
mod daemon;
mod list;
mod show;

use futures_util::future::BoxFuture;

pub(crate) use control::{boot, kill_engine, restart, start, stop};

use super::{Invocation, Program};
use crate::files::{Credentials, Follow};
use crate::systemd::{self, Load, Systemd, Unit, full_name};

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "systemctl",
        run: systemctl,
    },
    Program {
        name: "deb-systemd-helper",
        run: helper,
    },
    Program {
        name: "deb-systemd-invoke",
        run: invoke,
    },
];

/// What was asked for besides the verb.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    pub(crate) is_quiet: bool,
    pub(crate) now: bool,
    pub(crate) only_value: bool,
    pub(crate) all: bool,
    pub(crate) no_legend: bool,
    pub(crate) plain: bool,
    pub(crate) properties: Vec<String>,
    pub(crate) kinds: Vec<String>,
    pub(crate) states: Vec<String>,
    pub(crate) names: Vec<String>,
}

fn systemctl(invocation: &mut Invocation) -> BoxFuture<'_, u8> {
    Box::pin(async move {
        invocation.spend(crate::time::of("systemctl")).await;
        if let Some(run) = super::power::by_name(&invocation.name) {
            return run(invocation).await;
        }
        let (verb, wishes) = match parse(&invocation.arguments) {
            Ok(parsed) => parsed,
            Err(option) => return invocation.not_simulated(&option),
        };
        let is_there = invocation.host(|host| host.files.exists("/run/systemd/system"));
        if !is_there {
            invocation.complain(
                "System has not been booted with systemd as init system (PID 1). Can't operate.\n\
                 Failed to connect to bus: Host is down\n",
            );
            return 1;
        }
        run(invocation, &verb, &wishes).await
    })
}

fn parse(arguments: &[String]) -> Result<(String, Wishes), String> {
    let mut wishes = Wishes::default();
    let mut words = arguments.iter();
    let lists = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
    while let Some(word) = words.next() {
        let (name, inline) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
            _ => (word.as_str(), None),
        };
        let value = |words: &mut std::slice::Iter<'_, String>| {
            inline
                .clone()
                .or_else(|| words.next().cloned())
                .unwrap_or_default()
        };
        match name {
            "-q" | "--quiet" => wishes.is_quiet = true,
            "--no-pager" | "-l" | "--full" | "--no-block" | "--no-reload" | "--no-ask-password"
            | "--system" => {}
            "--now" => wishes.now = true,
            "--value" => wishes.only_value = true,
            "-a" | "--all" => wishes.all = true,
            "--no-legend" => wishes.no_legend = true,
            "--plain" => wishes.plain = true,
            "-p" | "--property" => wishes.properties.extend(lists(&value(&mut words))),
            "-t" | "--type" => wishes.kinds.extend(lists(&value(&mut words))),
            "--state" => wishes.states.extend(lists(&value(&mut words))),
            "--failed" => wishes.states.push("failed".to_owned()),
            "-n" | "--lines" => drop(value(&mut words)),
            "--version" => wishes.names.insert(0, "--version".to_owned()),
            option if option.starts_with('-') && option.len() > 1 => {
                return Err(format!("option {option}"));
            }
            _ => wishes.names.push(word.clone()),
        }
    }
    let verb = if wishes.names.is_empty() {
        "list-units".to_owned()
    } else {
        wishes.names.remove(0)
    };
    Ok((verb, wishes))
}

async fn run(invocation: &mut Invocation, verb: &str, wishes: &Wishes) -> u8 {
    match verb {
        "--version" => {
            invocation.print("systemd 252 (252.39-1~deb12u2)\n");
            0
        }
        "start" | "stop" | "restart" | "try-restart" | "reload" | "reload-or-restart" | "kill" => {
            for_each(invocation, verb, &wishes.names).await
        }
        "daemon-reload" | "daemon-reexec" => reload(invocation).await,
        "enable" | "disable" | "mask" | "unmask" | "reenable" => {
            let status = change_links(invocation, verb, wishes);
            if status == 0 && wishes.now {
                let action = if verb == "enable" { "start" } else { "stop" };
                return for_each(invocation, action, &wishes.names).await;
            }
            status
        }
        "is-active" | "is-failed" => show::is_in_state(invocation, verb, wishes),
        "is-enabled" => show::is_enabled(invocation, wishes),
        "show" => show::show(invocation, wishes),
        "status" => show::status(invocation, wishes),
        "cat" => show::cat(invocation, wishes),
        "reset-failed" => reset_failed(invocation, wishes),
        "list-units" => list::units(invocation, wishes),
        "list-unit-files" => list::files(invocation, wishes),
        "is-system-running" => list::is_running(invocation),
        "get-default" => {
            invocation.print("multi-user.target\n");
            0
        }
        "reboot" | "poweroff" | "halt" => crate::program::power::ask(invocation, verb).await,
        "list-dependencies" => list::dependencies(invocation, wishes),
        other if VERBS.contains(&other) => invocation.not_simulated(&format!("verb {other}")),
        other => {
            invocation.complain(&format!("Unknown command verb {other}.\n"));
            1
        }
    }
}

/// Verbs of the real one that are not simulated.
const VERBS: &[&str] = &[
    "add-requires",
    "add-wants",
    "bind",
    "cancel",
    "clean",
    "condreload",
    "condrestart",
    "condstop",
    "default",
    "edit",
    "emergency",
    "exit",
    "force-reload",
    "freeze",
    "get-property",
    "help",
    "hibernate",
    "import-environment",
    "isolate",
    "kexec",
    "link",
    "list-automounts",
    "list-jobs",
    "list-machines",
    "list-paths",
    "list-sockets",
    "list-timers",
    "log-level",
    "log-target",
    "mount-image",
    "preset",
    "preset-all",
    "rescue",
    "revert",
    "service-log-level",
    "service-watchdogs",
    "set-default",
    "set-environment",
    "set-property",
    "show-environment",
    "suspend",
    "switch-root",
    "thaw",
    "unset-environment",
    "whoami",
];

/// Returns the names that arguments stand for: a pattern stands for all units that it fits.
pub(crate) fn expand(invocation: &Invocation, names: &[String]) -> Vec<String> {
    let known = invocation.host(|host| host.systemd.read.keys().cloned().collect::<Vec<_>>());
    let mut all = Vec::new();
    for name in names {
        if name.contains(['*', '?', '[']) {
            let fits = known
                .iter()
                .filter(|one| crate::shell::pattern::fits(name, one));
            all.extend(fits.cloned());
        } else {
            all.push(name.clone());
        }
    }
    all
}

/// Returns a unit as the manager knows it.
pub(crate) fn unit(invocation: &Invocation, name: &str) -> std::sync::Arc<Unit> {
    invocation.host(|host| {
        let files = host.files.clone();
        host.systemd.unit(&files, name)
    })
}

async fn for_each(invocation: &mut Invocation, verb: &str, names: &[String]) -> u8 {
    if names.is_empty() {
        invocation.complain("Too few arguments.\n");
        return 1;
    }
    let mut status = 0;
    for name in expand(invocation, names) {
        let name = full_name(&name);
        if invocation.credentials.uid != 0 {
            invocation.complain(&format!(
                "Failed to {verb} {name}: Access denied\nSee system logs and 'systemctl status \
                 {name}' for details.\n"
            ));
            status = 4;
            continue;
        }
        if verb != "kill" && needs_reload(invocation, &name) {
            invocation.complain(&format!(
                "Warning: The unit file, source configuration file or drop-ins of {name} changed \
                 on disk. Run 'systemctl daemon-reload' to reload units.\n"
            ));
        }
        let ended = match verb {
            "start" => start(invocation, &name).await,
            "stop" => stop(invocation, &name).await,
            "kill" => control::kill(invocation, &name).await,
            "reload" | "reload-or-restart" => control::reload(invocation, &name, verb).await,
            "try-restart" => match unit_is_active(invocation, &name) {
                true => restart(invocation, &name).await,
                false => Ok(()),
            },
            _ => restart(invocation, &name).await,
        };
        if let Err(refused) = ended {
            invocation.complain(&refused.text);
            status = refused.status;
        }
    }
    status
}

fn needs_reload(invocation: &Invocation, name: &str) -> bool {
    invocation.host(|host| host.systemd.needs_reload(&host.files, name))
}

fn unit_is_active(invocation: &Invocation, name: &str) -> bool {
    let unit = unit(invocation, name);
    invocation.host(|host| host.systemd.is_active(&unit.name))
}

async fn reload(invocation: &mut Invocation) -> u8 {
    if invocation.credentials.uid != 0 {
        invocation.complain("Failed to reload daemon: Access denied\n");
        return 1;
    }
    invocation
        .spend(crate::time::of("systemctl daemon-reload"))
        .await;
    invocation.host(|host| {
        let files = host.files.clone();
        host.systemd.reload(&files);
    });
    0
}

fn reset_failed(invocation: &mut Invocation, wishes: &Wishes) -> u8 {
    let mut status = 0;
    if wishes.names.is_empty() {
        invocation.host(|host| {
            for (name, mut state) in (*host.systemd.states).clone() {
                state.clear_failure();
                host.systemd.set_state(&name, state);
            }
        });
    }
    for name in expand(invocation, &wishes.names) {
        let unit = unit(invocation, &name);
        let is_loaded = invocation.host(|host| {
            let is_loaded = unit.load != Load::NotFound;
            let mut state = host.systemd.state(&unit.name);
            if is_loaded || host.systemd.states.contains_key(&unit.name) {
                state.clear_failure();
                host.systemd.set_state(&unit.name, state);
            }
            is_loaded
        });
        if !is_loaded {
            let name = full_name(&name);
            invocation.complain(&format!(
                "Failed to reset failed state of unit {name}: Unit {name} not loaded.\n"
            ));
            status = 1;
        }
    }
    status
}

/// Tells of links: the arrow is one of ASCII where the locale has no other, and to a terminal goes
/// a carriage return in front of the end of a line.
fn tell(invocation: &mut Invocation, said: &str) {
    if said.is_empty() {
        return;
    }
    let mut names = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter();
    let locale = names.find_map(|name| invocation.variable(name).filter(|value| !value.is_empty()));
    let has_arrows = locale.is_none_or(|locale| locale.to_uppercase().contains("UTF"));
    let said = match has_arrows {
        true => said.to_owned(),
        false => said.replace('→', "->"),
    };
    if invocation.stderr.is_terminal() {
        invocation.complain(&said.replace('\n', "\r\n"));
    } else {
        invocation.complain(&said);
    }
}

/// Makes and removes the links that let units start with the host, or keep them from starting.
fn change_links(invocation: &mut Invocation, verb: &str, wishes: &Wishes) -> u8 {
    let now = invocation.now();
    for name in &wishes.names {
        let name = full_name(name);
        if invocation.credentials.uid != 0 {
            invocation.complain(&format!("Failed to {verb} unit: Access denied\n"));
            return 1;
        }
        let said = invocation.host(|host| {
            let files = &mut host.files;
            match verb {
                "enable" | "reenable" => enable(files, &name, now),
                "disable" => disable(files, &name, now),
                "mask" => mask(files, &name, now),
                _ => Ok(unmask(files, &name, now)),
            }
        });
        match said {
            Ok(said) if !wishes.is_quiet => tell(invocation, &said),
            Ok(_) => {}
            Err(said) => {
                invocation.complain(&said);
                return 1;
            }
        }
        // The manager reads units again after each of these verbs.
        invocation.host(|host| {
            let files = host.files.clone();
            host.systemd.reload(&files);
        });
    }
    0
}

type Files = crate::files::Files;
type Moment = std::time::Duration;

fn enable(files: &mut Files, name: &str, now: Moment) -> Result<String, String> {
    let unit = Systemd::on_disk(files, name);
    match unit.load {
        Load::NotFound => {
            return Err(format!(
                "Failed to enable unit: Unit file {name} does not exist.\n"
            ));
        }
        Load::Masked => {
            let path = unit.fragment.unwrap_or_default();
            return Err(format!(
                "Failed to enable unit: Unit file {path} is masked.\n"
            ));
        }
        Load::Loaded | Load::BadSetting => {}
    }
    let mut said = String::new();
    for (link, target) in systemd::install_links(&unit) {
        said.push_str(&make_link(files, &link, &target, now));
    }
    Ok(said)
}

fn disable(files: &mut Files, name: &str, now: Moment) -> Result<String, String> {
    let root = Credentials::root();
    let unit = Systemd::on_disk(files, name);
    if unit.load == Load::NotFound {
        return Err(format!(
            "Failed to disable unit: Unit file {name} does not exist.\n"
        ));
    }
    let mut said = String::new();
    for (link, _) in systemd::install_links(&unit) {
        if files.stat(&link, Follow::No, &root).is_ok()
            && files.remove_file(&link, &root, now).is_ok()
        {
            said.push_str(&format!("Removed \"{link}\".\n"));
        }
    }
    Ok(said)
}

fn mask(files: &mut Files, name: &str, now: Moment) -> Result<String, String> {
    let path = format!("/etc/systemd/system/{name}");
    let mut said = String::new();
    if !systemd::is_known(files, name) {
        said = format!("Unit {name} does not exist, proceeding anyway.\n");
    }
    let root = Credentials::root();
    let is_masked = Systemd::on_disk(files, name).load == Load::Masked;
    let found = files.stat(&path, Follow::No, &root);
    if found.is_ok_and(|found| found.target.is_none()) {
        return Err(format!(
            "Failed to mask unit: File {path} already exists.\n"
        ));
    }
    if !is_masked {
        said.push_str(&make_link(files, &path, "/dev/null", now));
    }
    Ok(said)
}

fn unmask(files: &mut Files, name: &str, now: Moment) -> String {
    let root = Credentials::root();
    let path = format!("/etc/systemd/system/{name}");
    let target = files
        .stat(&path, Follow::No, &root)
        .ok()
        .and_then(|stat| stat.target);
    let is_masked = target.as_deref() == Some("/dev/null");
    if is_masked && files.remove_file(&path, &root, now).is_ok() {
        return format!("Removed \"{path}\".\n");
    }
    String::new()
}

fn make_link(files: &mut Files, link: &str, target: &str, now: Moment) -> String {
    let root = Credentials::root();
    if let Ok(stat) = files.stat(link, Follow::No, &root) {
        if stat.target.as_deref() == Some(target) {
            return String::new();
        }
        // What is in the way is replaced, as `--force` is not asked for only by links of its own.
        let _ = files.remove_file(link, &root, now);
    }
    let (directory, _) = crate::files::split(link);
    let made = files
        .make_dirs(directory, 0o755, &root, now)
        .and_then(|()| files.link_symbolic(target, link, &root, now));
    match made {
        Ok(()) => format!("Created symlink {link} → {target}.\n"),
        Err(errno) => format!("Failed to create symlink {link}: {errno}\n"),
    }
}

/// `deb-systemd-helper`: keeps links, and remembers which were there, for packages that go and
/// come.
fn helper(invocation: &mut Invocation) -> BoxFuture<'_, u8> {
    Box::pin(async move {
        let mut words: Vec<String> = invocation.arguments.clone();
        words.retain(|word| word != "--quiet");
        let Some((verb, units)) = words.split_first() else {
            return invocation.not_simulated("no verb");
        };
        let now = invocation.now();
        for name in units {
            let name = full_name(name);
            let said = invocation.host(|host| {
                let files = &mut host.files;
                // `systemctl preset` speaks; what the helper does itself, it does in silence.
                match verb.as_str() {
                    "enable" => return enable(files, &name, now).unwrap_or_default(),
                    "update-state" => drop(enable(files, &name, now)),
                    "mask" => drop(mask(files, &name, now)),
                    "unmask" => drop(unmask(files, &name, now)),
                    "purge" => drop(purge(files, &name, now)),
                    "disable" => drop(disable(files, &name, now)),
                    _ => {}
                }
                String::new()
            });
            tell(invocation, &said);
        }
        let known = [
            "enable",
            "disable",
            "mask",
            "unmask",
            "purge",
            "update-state",
        ];
        match verb.as_str() {
            verb if known.contains(&verb) => 0,
            "was-enabled" | "debian-installed" => 0,
            other => invocation.not_simulated(&format!("verb {other}")),
        }
    })
}

/// Removes every link to a unit that is no more.
fn purge(files: &mut Files, name: &str, now: Moment) -> bool {
    let root = Credentials::root();
    let mut links = Vec::new();
    files.visit("/etc/systemd/system", &mut |path, node| {
        let is_link = matches!(node.kind, crate::files::Kind::Link(_));
        if is_link && path.ends_with(&format!("/{name}")) && path.contains(".wants/") {
            links.push(path.to_owned());
        }
    });
    // Drop-ins stay; where there are none, their directory goes along.
    let _ = files.remove_dir(&format!("/etc/systemd/system/{name}.d"), &root, now);
    let removed = links
        .iter()
        .filter(|link| files.remove_file(link, &root, now).is_ok());
    removed.count() > 0
}

/// `deb-systemd-invoke`: starts and stops services for packages, unless they are masked or
/// forbidden by policy.
fn invoke(invocation: &mut Invocation) -> BoxFuture<'_, u8> {
    Box::pin(async move {
        let words = invocation.arguments.clone();
        let Some((verb, units)) = words.split_first() else {
            return invocation.not_simulated("no verb");
        };
        for name in units {
            let unit = unit(invocation, name);
            if unit.load == Load::Masked {
                continue;
            }
            let ended = match verb.as_str() {
                "start" => start(invocation, &unit.name).await,
                "stop" => stop(invocation, &unit.name).await,
                "restart" | "try-restart" => restart(invocation, &unit.name).await,
                other => return invocation.not_simulated(&format!("verb {other}")),
            };
            if let Err(refused) = ended {
                invocation.complain(&refused.text);
                return refused.status;
            }
        }
        0
    })
}
