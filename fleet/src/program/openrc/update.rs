//! Who is in which runlevel: `rc-update`, and `update-rc.d` for packages.

use super::{Invocation, is_root};
use crate::files::Credentials;
use crate::openrc::{self, SCRIPTS};

/// What is done with a service and a runlevel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Add,
    Delete,
}

pub(super) fn rc_update(invocation: &mut Invocation) -> u8 {
    let mut words = Vec::new();
    let (mut all, mut is_verbose) = (false, false);
    for word in invocation.arguments.clone() {
        match word.as_str() {
            "-a" | "--all" => all = true,
            "-v" | "--verbose" => is_verbose = true,
            "-C" | "--nocolor" | "-q" | "--quiet" => {}
            option if option.starts_with('-') => {
                return invocation.not_simulated(&format!("option {option}"));
            }
            _ => words.push(word),
        }
    }
    let verb = if words.is_empty() {
        "show".to_owned()
    } else {
        words.remove(0)
    };
    let change = match verb.as_str() {
        "add" => Change::Add,
        "del" | "delete" => Change::Delete,
        "show" => return show(invocation, &words, is_verbose),
        "-u" | "update" => return 0,
        other => {
            invocation.complain(&format!(" * rc-update: invalid command `{other}'"));
            return 1;
        }
    };
    if words.is_empty() {
        invocation.complain(" * rc-update: no service specified");
        return 1;
    }
    let name = words.remove(0);
    let levels = match (all, words.is_empty()) {
        (true, _) => invocation.host(|host| openrc::levels(&host.files)),
        (false, true) => vec![invocation.host(|host| openrc::level(&host.files))],
        (false, false) => words,
    };
    let mut status = 0;
    for level in levels {
        let changed = match change {
            Change::Add => add(invocation, &name, &level),
            Change::Delete => delete(invocation, &name, &level),
        };
        match changed {
            Ok(said) => invocation.print(&format!(" * {said}\n")),
            Err(said) => {
                invocation.complain(&format!(" * rc-update: {said}"));
                status = 1;
            }
        }
    }
    status
}

fn is_level(invocation: &Invocation, level: &str) -> Result<(), String> {
    let is_one = invocation.host(|host| openrc::levels(&host.files).iter().any(|one| one == level));
    match is_one {
        true => Ok(()),
        false => Err(format!("`{level}' is not a valid runlevel")),
    }
}

fn add(invocation: &Invocation, name: &str, level: &str) -> Result<String, String> {
    is_level(invocation, level)?;
    let script = format!("{SCRIPTS}/{name}");
    let now = invocation.now();
    let is_root = is_root(invocation);
    invocation.host(|host| {
        if !host.files.exists(&script) {
            return Err(format!("service `{name}' does not exist"));
        }
        if openrc::is_member(&host.files, level, name) {
            return Ok(format!(
                "rc-update: {name} already installed in runlevel `{level}'; skipping"
            ));
        }
        let link = format!("/etc/runlevels/{level}/{name}");
        let failed =
            |why: String| format!("failed to add service `{name}' to runlevel `{level}': {why}");
        if !is_root {
            return Err(failed("Permission denied".to_owned()));
        }
        let root = Credentials::root();
        let made = host.files.link_symbolic(&script, &link, &root, now);
        made.map_err(|errno| failed(errno.to_string()))?;
        Ok(format!("service {name} added to runlevel {level}"))
    })
}

fn delete(invocation: &Invocation, name: &str, level: &str) -> Result<String, String> {
    is_level(invocation, level)?;
    let now = invocation.now();
    let is_root = is_root(invocation);
    invocation.host(|host| {
        if !openrc::is_member(&host.files, level, name) {
            return Err(format!("service `{name}' is not in the runlevel `{level}'"));
        }
        let failed = |why: String| {
            format!("failed to remove service `{name}' from runlevel `{level}': {why}")
        };
        if !is_root {
            return Err(failed("Permission denied".to_owned()));
        }
        let root = Credentials::root();
        let link = format!("/etc/runlevels/{level}/{name}");
        let removed = host.files.remove_file(&link, &root, now);
        removed.map_err(|errno| failed(errno.to_string()))?;
        Ok(format!("service {name} removed from runlevel {level}"))
    })
}

/// A line for each service, a column for each runlevel.
fn show(invocation: &mut Invocation, levels: &[String], shows_all: bool) -> u8 {
    let levels = match levels.is_empty() {
        true => invocation.host(|host| openrc::levels(&host.files)),
        false => levels.to_vec(),
    };
    for level in &levels {
        if let Err(said) = is_level(invocation, level) {
            invocation.complain(&format!(" * rc-update: {said}"));
            return 1;
        }
    }
    let text = invocation.host(|host| {
        let mut text = String::new();
        for name in openrc::services(&host.files) {
            let is_in = |level: &String| openrc::is_member(&host.files, level, &name);
            if !shows_all && !levels.iter().any(is_in) {
                continue;
            }
            text.push_str(&format!("{name:>21} |"));
            for level in &levels {
                let shown = if is_in(level) { level.as_str() } else { "" };
                text.push_str(&format!(" {shown:<0$}", level.len()));
            }
            text.push('\n');
        }
        text
    });
    invocation.print(&text);
    0
}

/// `update-rc.d NAME defaults|remove|enable|disable`.
pub(super) fn update_rc_d(invocation: &mut Invocation) -> u8 {
    if let Some(status) = super::refuse_systemd(invocation) {
        return status;
    }
    let words: Vec<String> = invocation
        .arguments
        .iter()
        .filter(|word| *word != "-f")
        .cloned()
        .collect();
    let [name, verb, ..] = words.as_slice() else {
        return invocation.not_simulated("without a service and a command");
    };
    match verb.as_str() {
        "defaults" | "enable" => match add(invocation, name, "default") {
            Ok(said) => {
                if !said.ends_with("skipping") {
                    invocation.print(&format!(" * {said}\n"));
                }
                0
            }
            Err(said) => {
                invocation.complain(&format!(" * rc-update: {said}"));
                1
            }
        },
        "remove" | "disable" => {
            for level in invocation.host(|host| openrc::levels(&host.files)) {
                // It is in some of them.
                let _ = delete(invocation, name, &level);
            }
            0
        }
        other => invocation.not_simulated(&format!("command {other}")),
    }
}
