//! `start-stop-daemon` of dpkg: starts what stays, and stops it by the file that its number is in.

use std::sync::Arc;
use std::time::Duration;

use super::{Invocation, Running, dockerd};
use crate::files::{Content, Credentials, Follow, Kind};
use crate::pipe::{Reader, Writer};
use crate::process::{Birth, Child, Ended, Pid, Signal, start};
use crate::program::options::{self, Long, Options, Value};

const LONG: &[Long] = &[
    ("start", 'S', Value::None),
    ("stop", 'K', Value::None),
    ("status", 'T', Value::None),
    ("exec", 'x', Value::Needed),
    ("startas", 'a', Value::Needed),
    ("name", 'n', Value::Needed),
    ("pidfile", 'p', Value::Needed),
    ("signal", 's', Value::Needed),
    ("retry", 'R', Value::Needed),
    ("chdir", 'd', Value::Needed),
    ("chuid", 'c', Value::Needed),
    ("nicelevel", 'N', Value::Needed),
    ("umask", 'k', Value::Needed),
    ("oknodo", 'o', Value::None),
    ("quiet", 'q', Value::None),
    ("test", 't', Value::None),
    ("background", 'b', Value::None),
    ("no-close", 'C', Value::None),
    ("make-pidfile", 'm', Value::None),
    ("remove-pidfile", 'M', Value::None),
];

/// How long a program may take to end where nothing else is said.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) fn start_stop_daemon(invocation: &mut Invocation) -> Running<'_> {
    Box::pin(async move {
        let short = "+SKTx:a:n:p:s:R:d:c:N:k:oqtbCmM";
        let options = match options::read(invocation, short, LONG) {
            Ok(options) => options,
            Err(status) => return status,
        };
        if options.has('t') {
            return invocation.not_simulated("the option --test");
        }
        match (options.has('S'), options.has('K'), options.has('T')) {
            (true, false, false) => begin(invocation, &options).await,
            (false, true, false) => end(invocation, &options).await,
            (false, false, true) => status(invocation, &options),
            _ => {
                invocation.complain(
                    "start-stop-daemon: need one of --start or --stop or --status\n\
                     Try 'start-stop-daemon --help' for more information.",
                );
                3
            }
        }
    })
}

/// Returns the number in the file, and whether a process of the program has it.
fn find(invocation: &Invocation, options: &Options) -> (Option<Pid>, bool) {
    let program = options.value('x').map(|path| invocation.path(path));
    let file = options.value('p').map(|path| invocation.path(path));
    invocation.host(|host| {
        let is_it = |pid: &Pid| {
            let found = host.processes.all().get(pid);
            found.is_some_and(|process| {
                let first = process.command.first();
                program.is_none() || first == program.as_ref()
            })
        };
        let Some(file) = file else {
            let pid = host.processes.all().keys().find(|pid| is_it(pid)).copied();
            return (pid, pid.is_some());
        };
        let text = host.files.text(&file).unwrap_or_default();
        let pid = text.trim().parse().ok().map(Pid);
        (pid, pid.as_ref().is_some_and(is_it))
    })
}

fn status(invocation: &Invocation, options: &Options) -> u8 {
    match find(invocation, options) {
        (_, true) => 0,
        (Some(_), false) => 1,
        (None, false) => 3,
    }
}

/// Returns what is said where there is nothing to do.
fn nothing(invocation: &mut Invocation, options: &Options, said: &str) -> u8 {
    if !options.has('q') {
        invocation.print(&format!("{said}\n"));
    }
    u8::from(!options.has('o'))
}

async fn begin(invocation: &mut Invocation, options: &Options) -> u8 {
    let program = options
        .value('a')
        .or(options.value('x'))
        .unwrap_or_default();
    let program = invocation.path(program);
    if find(invocation, options).1 {
        return nothing(invocation, options, &format!("{program} already running."));
    }
    if !invocation.host(|host| host.files.exists(&program)) {
        invocation.complain(&format!(
            "start-stop-daemon: unable to stat {program} (No such file or directory)"
        ));
        return 2;
    }
    let mut words = vec![program.clone()];
    words.extend(options.operands.iter().cloned());
    let keeps = options.has('C') || !options.has('b');
    let stdout = match keeps {
        true => invocation.stdout.clone(),
        false => Writer::null(),
    };
    invocation.flush().await;
    let child = if program.ends_with("/dockerd") {
        dockerd::start(invocation, words, stdout)
    } else if is_simulated(invocation, &program) {
        let Ok(launch) = invocation.launch(words) else {
            return 2;
        };
        let child = crate::program::launch::Launch {
            parent: Pid(1),
            session: 0,
            directory: options.value('d').unwrap_or("/").to_owned(),
            stdin: Reader::null(),
            stderr: match keeps {
                true => invocation.stderr.clone(),
                false => Writer::null(),
            },
            stdout,
            ..launch
        }
        .start();
        if !options.has('b') {
            let (ended, owed) = child.wait().await;
            invocation.owed += owed;
            return ended.status();
        }
        child
    } else {
        stay(invocation, words)
    };
    invocation.spend(crate::time::of("service")).await;
    note(invocation, options, &program, child.pid)
}

/// Writes the file with the number: ours, or that of a program that goes to the background itself.
fn note(invocation: &mut Invocation, options: &Options, program: &str, pid: Pid) -> u8 {
    let is_own = !options.has('b') && !is_simulated(invocation, program);
    let Some(file) = options.value('p').filter(|_| options.has('m') || is_own) else {
        return 0;
    };
    let written = invocation.write_file(file, format!("{}\n", pid.0).into_bytes());
    match written {
        Ok(()) => 0,
        Err(errno) => {
            invocation.complain(&format!(
                "start-stop-daemon: unable to open pidfile {file} for writing ({errno})"
            ));
            2
        }
    }
}

/// Whether a program does something of its own; what others do is not known, and they stay.
fn is_simulated(invocation: &Invocation, path: &str) -> bool {
    let root = Credentials::root();
    invocation.host(|host| match host.files.node(path, Follow::Yes, &root) {
        Ok(node) => match &node.kind {
            Kind::File(Content::Program(name)) => crate::program::is_known(name),
            Kind::File(Content::Bytes(bytes)) => bytes.starts_with(b"#!"),
            _ => false,
        },
        Err(_) => false,
    })
}

fn stay(invocation: &Invocation, words: Vec<String>) -> Child {
    let birth = Birth {
        parent: Pid(1),
        session: 0,
        user: "root".to_owned(),
        command: words,
        ignored: std::collections::BTreeSet::new(),
    };
    let for_ever = |_, _| std::future::pending::<(Ended, Duration)>();
    start(&invocation.fleet, invocation.host, birth, for_ever)
}

async fn end(invocation: &mut Invocation, options: &Options) -> u8 {
    let (pid, is_there) = find(invocation, options);
    let named = options
        .value('x')
        .or(options.value('p'))
        .unwrap_or_default()
        .to_owned();
    let Some(pid) = pid.filter(|_| is_there) else {
        remove_file(invocation, options);
        let said = match options.value('x') {
            Some(program) => format!("No {program} found running; none killed."),
            None => format!("No process in pidfile '{named}' found running; none killed."),
        };
        return nothing(invocation, options, &said);
    };
    let signal = options
        .value('s')
        .and_then(Signal::parse)
        .unwrap_or(Signal::TERM);
    let sent = invocation.host(|host| {
        let user = invocation.credentials.user.clone();
        host.processes.kill(pid, signal, &user)
    });
    if let Err(why) = sent {
        invocation.complain(&format!(
            "start-stop-daemon: warning: failed to kill {}: {why}",
            pid.0
        ));
        return 1;
    }
    if signal == Signal::HUP {
        return 0;
    }
    let retry = options
        .value('R')
        .and_then(|text| text.split('/').next_back());
    let retry = retry
        .and_then(|text| text.parse().ok())
        .map(Duration::from_secs);
    let is_gone = wait(invocation, pid, retry.unwrap_or(PATIENCE)).await;
    if !is_gone && retry.is_some() {
        let killed = invocation.host(|host| host.processes.kill(pid, Signal::KILL, "root"));
        if killed.is_ok() && !wait(invocation, pid, PATIENCE).await {
            return 2;
        }
    }
    remove_file(invocation, options);
    0
}

/// What removes the file with its number itself.
const TIDY: &str = "/usr/sbin/sshd";

fn remove_file(invocation: &Invocation, options: &Options) {
    let goes = options.has('M') || options.value('x') == Some(TIDY);
    if let Some(file) = options.value('p').filter(|_| goes) {
        let file = invocation.path(file);
        // It may be gone.
        let _ = invocation.files(|files, who, now| files.remove_file(&file, who, now));
    }
}

/// Waits for the end of a process. One that is there from the start has no task, and just goes.
async fn wait(invocation: &mut Invocation, pid: Pid, limit: Duration) -> bool {
    let began = invocation.fleet.elapsed();
    loop {
        invocation.sleep(Duration::from_millis(20)).await;
        let (is_there, is_resident) = invocation.host(|host| {
            let found = host.processes.all().get(&pid);
            let is_resident = found.is_some_and(|one| Arc::strong_count(&one.control) == 1);
            (found.is_some(), is_resident)
        });
        if is_resident {
            invocation.host(|host| host.processes.remove(pid));
        }
        if !is_there || is_resident {
            return true;
        }
        if invocation.fleet.elapsed() >= began + limit {
            return false;
        }
    }
}
