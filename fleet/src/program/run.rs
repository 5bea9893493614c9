//! Programs that run programs: `env`, `nohup`, `timeout`, `xargs`, `nice`, `setsid`.

use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};

use super::coreutils::{Coreutils, usage};
use super::launch::Launch;
use super::options::{self, Value};
use super::{Invocation, Program};
use crate::files::{Errno, Follow};
use crate::pipe::Reader;
use crate::process::{Child, Signal};

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "env",
        run: |invocation| Box::pin(env(invocation)),
    },
    Program {
        name: "printenv",
        run: |invocation| Box::pin(async { printenv(invocation) }),
    },
    Program {
        name: "nohup",
        run: |invocation| Box::pin(nohup(invocation)),
    },
    Program {
        name: "nice",
        run: |invocation| Box::pin(nice(invocation, "+n:")),
    },
    Program {
        name: "ionice",
        run: |invocation| Box::pin(nice(invocation, "+c:n:t")),
    },
    Program {
        name: "setsid",
        run: |invocation| Box::pin(nice(invocation, "+w")),
    },
    Program {
        name: "timeout",
        run: |invocation| Box::pin(timeout(invocation)),
    },
    Program {
        name: "xargs",
        run: |invocation| Box::pin(xargs(invocation)),
    },
];

/// Prepares a program, or complains as all of these do.
fn prepare(invocation: &mut Invocation, words: Vec<String>) -> Result<Launch, u8> {
    let name = words.first().cloned().unwrap_or_default();
    invocation.launch(words).inspect_err(|status| {
        let errno = match *status {
            126 => Errno::Access,
            _ => Errno::NotFound,
        };
        let program = invocation
            .name
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        let what = match program.as_str() {
            "xargs" => Some(format!("{name}: {errno}")),
            _ => invocation.coreutils.run(&program, &name, errno),
        };
        if let Some(what) = what {
            invocation.error(&what);
        }
        if (*status, program.as_str(), invocation.coreutils) == (127, "env", Coreutils::Uutils) {
            invocation.error(usage::SHEBANG);
        }
    })
}

async fn become_or_complain(invocation: &mut Invocation, words: Vec<String>) -> u8 {
    match prepare(invocation, words) {
        Ok(launch) => invocation.become_program(launch).await,
        Err(status) => status,
    }
}

async fn env(invocation: &mut Invocation) -> u8 {
    let long = [
        ("ignore-environment", 'i', Value::None),
        ("unset", 'u', Value::Needed),
        ("chdir", 'C', Value::Needed),
    ];
    let mut options = match options::read(invocation, "+iu:C:0", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.has('i') || options.operands.first().is_some_and(|word| word == "-") {
        invocation.environment.clear();
        options.operands.retain(|word| word != "-");
    }
    for name in options.values('u') {
        invocation.environment.remove(name);
    }
    if let Some(directory) = options.value('C') {
        let path = invocation.path(directory);
        let found = invocation.files(|files, who, _| files.stat(&path, Follow::Yes, who));
        let errno = match found {
            Ok(stat) if stat.is_directory() => None,
            Ok(_) => Some(Errno::NotDirectory),
            Err(errno) => Some(errno),
        };
        if let Some(errno) = errno {
            let text = invocation.coreutils.change_directory(directory, errno);
            invocation.error(&text);
            return 125;
        }
        invocation.directory = path;
    }
    let end = options
        .operands
        .iter()
        .position(|word| !word.contains('='))
        .unwrap_or(options.operands.len());
    let command = options.operands.split_off(end);
    for word in options.operands {
        if let Some((name, value)) = word.split_once('=') {
            invocation.environment.insert(name, value);
        }
    }
    if command.is_empty() {
        let environment = invocation.environment.clone();
        for (name, value) in environment.iter() {
            invocation.print(&format!("{name}={value}\n"));
        }
        return 0;
    }
    become_or_complain(invocation, command).await
}

fn printenv(invocation: &mut Invocation) -> u8 {
    let names = invocation.arguments.clone();
    let all = invocation.environment.clone();
    if names.is_empty() {
        for (name, value) in all.iter() {
            invocation.print(&format!("{name}={value}\n"));
        }
        return 0;
    }
    let mut status = 0;
    for name in names {
        match all.get(&name) {
            Some(value) => invocation.print(&format!("{value}\n")),
            None => status = 1,
        }
    }
    status
}

async fn nohup(invocation: &mut Invocation) -> u8 {
    let words = invocation.arguments.clone();
    if words.is_empty() {
        invocation.lacks(0, "missing operand");
        return 125;
    }
    match prepare(invocation, words) {
        Ok(mut launch) => {
            launch.ignored.insert(Signal::HUP);
            invocation.become_program(launch).await
        }
        Err(status) => status,
    }
}

async fn nice(invocation: &mut Invocation, short: &str) -> u8 {
    match options::read(invocation, short, &[]) {
        Ok(options) if options.operands.is_empty() => {
            invocation.not_simulated("a call without a command")
        }
        Ok(options) => become_or_complain(invocation, options.operands).await,
        Err(status) => status,
    }
}

/// Ends what it watches when it is ended itself.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.control.signal(Signal::TERM);
    }
}

async fn timeout(invocation: &mut Invocation) -> u8 {
    let long = [
        ("kill-after", 'k', Value::Needed),
        ("signal", 's', Value::Needed),
        ("preserve-status", 'p', Value::None),
        ("foreground", 'f', Value::None),
        ("verbose", 'v', Value::None),
    ];
    let options = match options::read(invocation, "+k:s:v", &long) {
        Ok(options) => options,
        Err(_) => return 125,
    };
    let read = |text: Option<&str>| text.map(super::time::parse_interval);
    let signal = match options.value('s').map(Signal::parse) {
        None => Signal::TERM,
        Some(Some(signal)) => signal,
        Some(None) => {
            let text = format!(
                "'{}': invalid signal",
                options.value('s').unwrap_or_default()
            );
            invocation.misused(&text);
            return 125;
        }
    };
    if invocation.coreutils == Coreutils::Uutils
        && let Some(status) = usage::incomplete(invocation, options.operands.len())
    {
        return status;
    }
    let (Some(Some(limit)), kill_after) = (
        read(options.operands.first().map(String::as_str)),
        read(options.value('k')),
    ) else {
        if let Some(text) = options.operands.first() {
            invocation.error(&format!("invalid time interval '{text}'"));
        }
        invocation.complain("Try 'timeout --help' for more information.");
        return 125;
    };
    if options.operands.len() < 2 {
        invocation.error("missing operand");
        invocation.complain("Try 'timeout --help' for more information.");
        return 125;
    }
    let launch = match prepare(invocation, options.operands[1..].to_vec()) {
        Ok(launch) => launch,
        Err(status) => return status,
    };
    let guard = Guard(launch.start());
    // What it passes on is not its own.
    invocation.stdin = Reader::null();
    invocation.stdout = crate::pipe::Writer::null();
    if limit.is_zero() {
        let (ended, owed) = guard.0.wait().await;
        invocation.owed += owed;
        return ended.status();
    }
    let ended = tokio::time::timeout(limit, guard.0.wait()).await;
    if let Ok((ended, owed)) = ended {
        invocation.owed += owed;
        return ended.status();
    }
    signal_tree(invocation, &guard.0, signal);
    guard.0.control.signal(Signal::CONT);
    let killed = match kill_after.flatten() {
        Some(more) => match tokio::time::timeout(more, guard.0.wait()).await {
            Ok((ended, _)) => Some(ended),
            Err(_) => {
                signal_tree(invocation, &guard.0, Signal::KILL);
                guard.0.wait().await;
                None
            }
        },
        None => Some(guard.0.wait().await.0),
    };
    let ends_itself = invocation.coreutils == Coreutils::Gnu;
    if ends_itself && (killed.is_none() || signal == Signal::KILL) {
        // It ends itself by the same signal.
        invocation.control.signal(Signal::KILL);
        std::future::pending::<()>().await;
    }
    match killed {
        None => 137,
        Some(ended) if options.has('p') => ended.status(),
        Some(_) => 124,
    }
}

/// Signals a process and what came of it: `timeout` has a process group of its own.
fn signal_tree(invocation: &Invocation, child: &Child, signal: Signal) {
    let controls = invocation.host(|host| {
        let all = host.processes.all();
        let mut family = vec![child.pid];
        let mut at = 0;
        while let Some(parent) = family.get(at).copied() {
            at += 1;
            family.extend(
                all.iter()
                    .filter(|(_, process)| process.parent == parent)
                    .map(|(pid, _)| *pid),
            );
        }
        let controls = family.into_iter().filter_map(|pid| all.get(&pid));
        controls
            .map(|process| std::sync::Arc::clone(&process.control))
            .collect::<Vec<_>>()
    });
    child.control.signal(signal);
    for control in controls {
        if !std::sync::Arc::ptr_eq(&control, &child.control) {
            control.signal(signal);
        }
    }
}

/// Splits the input of `xargs`: blanks separate, quotes and backslashes hold together.
fn split_words(text: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut rest = text.chars();
    while let Some(one) = rest.next() {
        match (quote, one) {
            (Some(open), _) if one == open => quote = None,
            (Some(open), '\n') => return Err(kind_of(open)),
            (Some(_), _) => word.get_or_insert_default().push(one),
            (None, '\'' | '"') => {
                quote = Some(one);
                word.get_or_insert_default();
            }
            (None, '\\') => word.get_or_insert_default().extend(rest.next()),
            (None, one) if one.is_whitespace() => words.extend(word.take()),
            (None, _) => word.get_or_insert_default().push(one),
        }
    }
    words.extend(word);
    match quote {
        Some(open) => Err(kind_of(open)),
        None => Ok(words),
    }
}

fn kind_of(quote: char) -> &'static str {
    if quote == '"' { "double" } else { "single" }
}

async fn xargs(invocation: &mut Invocation) -> u8 {
    let long = [
        ("max-procs", 'P', Value::Needed),
        ("max-args", 'n', Value::Needed),
        ("replace", 'I', Value::Needed),
        ("no-run-if-empty", 'r', Value::None),
        ("null", '0', Value::None),
        ("max-lines", 'L', Value::Needed),
        ("delimiter", 'd', Value::Needed),
    ];
    let options = match options::read(invocation, "+P:n:I:r0L:d:t", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.has('t') {
        return invocation.not_simulated("the option -t");
    }
    let input = invocation.read_input().await;
    let text = String::from_utf8_lossy(&input).into_owned();
    let separator = match options.value('d') {
        Some("\\n") => Some('\n'),
        Some("\\0") => Some('\0'),
        Some(text) => text.chars().next(),
        None if options.has('0') => Some('\0'),
        None if options.has('I') || options.has('L') => Some('\n'),
        None => None,
    };
    let words = match separator {
        Some(separator) => {
            let text = text.strip_suffix(separator).unwrap_or(&text);
            let parts = text.split(separator).map(str::to_owned);
            let parts = parts.filter(|part| !part.trim().is_empty() || options.has('0'));
            Ok(if text.is_empty() {
                Vec::new()
            } else {
                parts.collect()
            })
        }
        None => split_words(&text),
    };
    let words = match words {
        Ok(words) => words,
        Err(kind) => {
            let text = "quote; by default quotes are special to xargs unless you use the -0 option";
            invocation.error(&format!("unmatched {kind} {text}"));
            return 1;
        }
    };
    let command = match options.operands.is_empty() {
        true => vec!["echo".to_owned()],
        false => options.operands.clone(),
    };
    let number = |flag: char| {
        options
            .value(flag)
            .and_then(|text| text.parse::<usize>().ok())
    };
    let most = number('P').unwrap_or(1);
    let most = if most == 0 { usize::MAX } else { most };
    let calls: Vec<Vec<String>> = match options.value('I') {
        Some(mark) => words
            .iter()
            .map(|word| {
                command
                    .iter()
                    .map(|part| part.replace(mark, word.trim_start()))
                    .collect()
            })
            .collect(),
        None => {
            let each = number('n').or(number('L')).unwrap_or(5000).max(1);
            let mut calls: Vec<Vec<String>> = words
                .chunks(each)
                .map(|chunk| [&command[..], chunk].concat())
                .collect();
            if calls.is_empty() && !options.has('r') {
                calls.push(command.clone());
            }
            calls
        }
    };
    run_calls(invocation, calls, most).await
}

async fn run_calls(invocation: &mut Invocation, calls: Vec<Vec<String>>, most: usize) -> u8 {
    let mut running = FuturesUnordered::new();
    let mut status = 0;
    let mut worst = Duration::ZERO;
    let mut note = |code: u8| match code {
        0 => {}
        255 => status = 124,
        126 | 127 if status < 124 => status = code,
        128.. => status = 125,
        _ if status == 0 => status = 123,
        _ => {}
    };
    for call in calls {
        if running.len() >= most
            && let Some((code, owed)) = running.next().await
        {
            note(code);
            worst = worst.max(owed);
        }
        match prepare(invocation, call) {
            Ok(launch) => {
                let child = Launch {
                    stdin: Reader::null(),
                    ..launch
                }
                .start();
                running.push(async move {
                    let (ended, owed) = child.wait().await;
                    (ended.status(), owed)
                });
                if most == 1
                    && let Some((code, owed)) = running.next().await
                {
                    note(code);
                    invocation.spend(owed).await;
                }
            }
            Err(code) => {
                note(code);
                break;
            }
        }
    }
    while let Some((code, owed)) = running.next().await {
        note(code);
        worst = worst.max(owed);
    }
    invocation.spend(worst).await;
    status
}
