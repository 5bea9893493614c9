//! OpenRC's commands, and what packages of Debian call of it: `rc-service` and what stands for it are
//! here.

mod daemon;
mod dockerd;
mod level;
mod service;
mod shutdown;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
mod update;

use futures_util::future::BoxFuture;

pub(crate) use dockerd::kill as kill_engine;
pub(crate) use level::boot;
pub(crate) use shutdown::shutdown;

use super::{Invocation, Program};
use crate::files::{Credentials, Follow};
use crate::host::Init;
use crate::openrc::{self, SCRIPTS};

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "rc-service",
        run: |invocation| Box::pin(rc_service(invocation)),
    },
    Program {
        name: "service",
        run: |invocation| Box::pin(plain_service(invocation)),
    },
    Program {
        name: "invoke-rc.d",
        run: |invocation| Box::pin(invoke(invocation)),
    },
    Program {
        name: "openrc-run",
        run: service::openrc_run,
    },
    Program {
        name: "openrc",
        run: level::openrc,
    },
    Program {
        name: "rc-status",
        run: level::rc_status,
    },
    Program {
        name: "rc-update",
        run: |invocation| Box::pin(async { update::rc_update(invocation) }),
    },
    Program {
        name: "update-rc.d",
        run: |invocation| Box::pin(async { update::update_rc_d(invocation) }),
    },
    Program {
        name: "start-stop-daemon",
        run: daemon::start_stop_daemon,
    },
];

/// What `rc-service` does only where a service is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Only {
    Started,
    NotStarted,
    Inactive,
}

/// What was asked of `rc-service`.
#[derive(Debug, Default)]
struct Asked {
    only: Option<Only>,
    /// Whether a service that is not there is no failure.
    may_be_missing: bool,
    /// `--exists`, `--resolve`, `--list`.
    question: Option<char>,
    words: Vec<String>,
}

/// Reads the arguments of `rc-service`; options that are openrc-run's are handed on.
fn read(arguments: &[String]) -> Result<Asked, String> {
    let mut asked = Asked::default();
    for word in arguments {
        match word.as_str() {
            "-e" | "--exists" => asked.question = Some('e'),
            "-r" | "--resolve" => asked.question = Some('r'),
            "-l" | "--list" => asked.question = Some('l'),
            "-i" | "--ifexists" => asked.may_be_missing = true,
            "-s" | "--ifstarted" => asked.only = Some(Only::Started),
            "-S" | "--ifstopped" | "-N" | "--ifnotstarted" => asked.only = Some(Only::NotStarted),
            "-I" | "--ifinactive" => asked.only = Some(Only::Inactive),
            "-C" | "--nocolor" | "-D" | "--nodeps" | "-q" | "--quiet" | "-v" | "--verbose" => {
                asked.words.push(word.clone());
            }
            option if option.starts_with('-') => return Err(option.to_owned()),
            _ => asked.words.push(word.clone()),
        }
    }
    // The service comes first, whatever options stand before it.
    asked.words.sort_by_key(|word| word.starts_with('-'));
    Ok(asked)
}

async fn rc_service(invocation: &mut Invocation) -> u8 {
    let asked = match read(&invocation.arguments) {
        Ok(asked) => asked,
        Err(option) => {
            invocation.complain(&format!("rc-service: unrecognized option '{option}'"));
            invocation.complain("Usage: rc-service [options] [-i] <service> <cmd>...");
            return 1;
        }
    };
    if asked.question == Some('l') {
        for name in invocation.host(|host| openrc::services(&host.files)) {
            invocation.print(&format!("{name}\n"));
        }
        return 0;
    }
    let Some(name) = asked.words.first().filter(|word| !word.starts_with('-')) else {
        invocation.complain(" * rc-service: you need to specify a service");
        return 1;
    };
    let path = invocation.host(|host| resolve(&host.files, name));
    match (asked.question, &path) {
        (Some('e'), _) => return u8::from(path.is_none()),
        (Some(_), Some(path)) => {
            invocation.print(&format!("{path}\n"));
            return 0;
        }
        (Some(_), None) => return 1,
        (None, None) if asked.may_be_missing => return 0,
        (None, None) => {
            let said = format!(" * rc-service: service `{name}' does not exist");
            invocation.complain(&said);
            return 1;
        }
        (None, Some(_)) => {}
    }
    let is_started = is_started(invocation, name);
    let is_so = match asked.only {
        None => true,
        Some(Only::Started) => is_started,
        Some(Only::NotStarted) => !is_started,
        Some(Only::Inactive) => false,
    };
    if !is_so {
        return 0;
    }
    let rest = asked.words.iter().skip(1).cloned();
    let words = path.into_iter().chain(rest).collect();
    become_script(invocation, words).await
}

/// Returns the script of a service. One whose script is gone is still known by its runlevel.
fn resolve(files: &crate::files::Files, name: &str) -> Option<String> {
    let root = Credentials::root();
    let path = format!("{SCRIPTS}/{name}");
    let is_file = files
        .stat(&path, Follow::Yes, &root)
        .is_ok_and(|stat| stat.is_file());
    let is_known = || openrc::is_member(files, &openrc::level(files), name);
    (is_file || is_known()).then_some(path)
}

async fn become_script(invocation: &mut Invocation, words: Vec<String>) -> u8 {
    match invocation.launch(words) {
        Ok(launch) => invocation.become_program(launch).await,
        Err(126) => {
            invocation.complain(" * rc-service: Permission denied");
            1
        }
        Err(_) => {
            invocation.complain(" * rc-service: No such file or directory");
            1
        }
    }
}

/// `service NAME COMMAND`: the script, in an environment of its own.
async fn plain_service(invocation: &mut Invocation) -> u8 {
    if let Some(status) = refuse_systemd(invocation) {
        return status;
    }
    let mut words = invocation.arguments.clone();
    let (Some(name), 2..) = (words.first().cloned(), words.len()) else {
        return invocation.not_simulated("without a service and a command");
    };
    words[0] = format!("{SCRIPTS}/{name}");
    match invocation.launch(words) {
        Ok(launch) => invocation.become_program(launch).await,
        Err(_) => {
            invocation.complain(&format!("{name}: unrecognized service"));
            1
        }
    }
}

/// `invoke-rc.d NAME COMMAND`, as packages start what they bring.
async fn invoke(invocation: &mut Invocation) -> u8 {
    if let Some(status) = refuse_systemd(invocation) {
        return status;
    }
    let options = |word: &&String| !word.starts_with("--");
    let mut words: Vec<String> = invocation
        .arguments
        .iter()
        .filter(options)
        .cloned()
        .collect();
    if words.len() < 2 {
        return invocation.not_simulated("without a service and a command");
    }
    words[0] = format!("{SCRIPTS}/{}", words[0]);
    match invocation.launch(words) {
        Ok(launch) => invocation.become_program(launch).await,
        // There is nothing to start.
        Err(_) => 0,
    }
}

/// Programs of Debian that have another part to play under systemd.
fn refuse_systemd(invocation: &mut Invocation) -> Option<u8> {
    let is_systemd = invocation.host(|host| host.init == Init::Systemd);
    is_systemd.then(|| invocation.not_simulated("on a host with systemd"))
}

/// Returns whether who asks may change services.
fn is_root(invocation: &Invocation) -> bool {
    invocation.credentials.uid == 0
}

/// Returns whether a service counts as started.
fn is_started(invocation: &Invocation, name: &str) -> bool {
    invocation.host(|host| openrc::is_started(&host.files, name))
}

/// Lets a service count as started, or not.
fn set_started(invocation: &Invocation, name: &str, is_started: bool) {
    let now = invocation.now();
    invocation.host(|host| openrc::set_started(&mut host.files, name, is_started, now));
}

/// A future of a program.
type Running<'a> = BoxFuture<'a, u8>;
