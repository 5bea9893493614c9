//! What is about processes: `wait`, `kill`, `jobs`, `trap`.

use std::sync::Arc;

use super::super::variable::quote;
use super::super::{Job, Shell};
use super::{Builtin, Done};
use crate::process::{Pid, SIGNALS, Signal};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin {
        name: "wait",
        is_special: false,
        run: |shell, words| Box::pin(wait(shell, words)),
    },
    Builtin {
        name: "kill",
        is_special: false,
        run: |shell, words| Box::pin(kill(shell, words)),
    },
    Builtin {
        name: "jobs",
        is_special: false,
        run: |shell, words| {
            Box::pin(async move {
                match shell.jobs.is_empty() {
                    true => shell.done(0),
                    false if words.get(1).is_some_and(|word| word == "-p") => {
                        let lines = shell
                            .jobs
                            .iter()
                            .map(|job| format!("{}\n", job.child.pid.0));
                        let text: String = lines.collect();
                        shell.put(text.as_bytes()).await
                    }
                    false => Err(shell.not_simulated("jobs")),
                }
            })
        },
    },
    Builtin {
        name: "fg",
        is_special: false,
        run: |shell, _| Box::pin(async { Err(shell.fail("No current job")) }),
    },
    Builtin {
        name: "bg",
        is_special: false,
        run: |shell, _| Box::pin(async { Err(shell.fail("No current job")) }),
    },
    Builtin {
        name: "trap",
        is_special: true,
        run: |shell, words| Box::pin(trap(shell, words)),
    },
];

/// Waits for a job; the status where a signal that is caught comes first.
async fn wait_for_job(shell: &mut Shell, job: &Job) -> u8 {
    shell.settle().await;
    let control = Arc::clone(&shell.control);
    tokio::select! {
        biased;
        (ended, owed) = job.child.wait() => {
            shell.owed += owed;
            shell.jobs.retain(|one| one.child.pid != job.child.pid);
            shell.say_how(ended).await;
            shell.settle().await;
            ended.status()
        }
        () = control.interrupted() => control.first_pending().map_or(0, |signal| 128 + signal.0),
    }
}

async fn wait(shell: &mut Shell, words: Vec<String>) -> Done {
    if words.len() == 1 {
        for job in shell.jobs.clone() {
            let status = wait_for_job(shell, &job).await;
            if shell.control.has_pending() {
                return shell.done(status);
            }
        }
        return shell.done(0);
    }
    let mut status = 127;
    for word in &words[1..] {
        let job = find_job(shell, word);
        status = match job {
            Some(job) => wait_for_job(shell, &job).await,
            None => 127,
        };
    }
    shell.done(status)
}

fn find_job(shell: &Shell, word: &str) -> Option<Job> {
    if let Some(number) = word.strip_prefix('%') {
        return match number {
            "" | "%" | "+" => shell.jobs.last().cloned(),
            number => shell
                .jobs
                .get(number.parse::<usize>().ok()?.checked_sub(1)?)
                .cloned(),
        };
    }
    let pid = Pid(word.parse().ok()?);
    shell.jobs.iter().find(|job| job.child.pid == pid).cloned()
}

async fn kill(shell: &mut Shell, words: Vec<String>) -> Done {
    const USAGE: &str = "Usage: kill [-s sigspec | -signum | -sigspec] [pid | job]... or\n\
                         kill -l [exitstatus]";
    let mut signal = Signal::TERM;
    let mut at = 1;
    match words.get(1).map(String::as_str) {
        None => return Err(shell.fail(USAGE)),
        Some("-l") => return list_signals(shell, words.get(2).cloned()).await,
        Some("-s" | "-n") => {
            let name = words.get(2).cloned().unwrap_or_default();
            signal = parse_signal(shell, &name)?;
            at = 3;
        }
        Some("--") => at = 2,
        Some(word) if word.starts_with('-') => {
            signal = parse_signal(shell, &word[1..])?;
            at = 2;
            if words.get(at).is_some_and(|word| word == "--") {
                at += 1;
            }
        }
        Some(_) => {}
    }
    let mut status = 0;
    for word in words.get(at..).unwrap_or_default() {
        let pid = match find_job(shell, word) {
            Some(job) => Some(job.child.pid),
            None => word.parse().ok().map(Pid),
        };
        let group = word
            .strip_prefix('-')
            .and_then(|number| number.parse().ok())
            .map(Pid);
        let user = &shell.credentials.user;
        let sent = shell.fleet.host(shell.host, |host| match (pid, group) {
            (Some(pid), _) => Some(host.processes.kill(pid, signal, user)),
            (None, Some(group)) => Some(host.processes.kill_group(group, signal, user)),
            (None, None) => None,
        });
        let Some(sent) = sent else {
            return Err(shell.fail(&format!("Illegal number: {word}")));
        };
        if let Err(why) = sent {
            shell
                .print_to(
                    2,
                    format!("{}: {}: kill: {why}\n\n", shell.name, shell.line).as_bytes(),
                )
                .await;
            status = 1;
        }
    }
    // What is killed is gone when the next command runs.
    tokio::task::yield_now().await;
    shell.done(status)
}

fn parse_signal(shell: &mut Shell, name: &str) -> Result<Signal, super::super::expand::Fault> {
    Signal::parse(name).ok_or_else(|| shell.fail(&format!("invalid signal number or name: {name}")))
}

async fn list_signals(shell: &mut Shell, number: Option<String>) -> Done {
    let text = match number {
        Some(number) => {
            let number: u8 = number.parse().unwrap_or(0);
            format!("{}\n", Signal(number & 127).name())
        }
        None => {
            let names = SIGNALS.iter().map(|name| format!("{name}\n"));
            std::iter::once("0\n".to_owned()).chain(names).collect()
        }
    };
    shell.put(text.as_bytes()).await
}

fn trap_number(name: &str) -> Option<u8> {
    match name {
        "EXIT" | "0" => Some(0),
        name => Signal::parse(name).map(|signal| signal.0),
    }
}

async fn trap(shell: &mut Shell, words: Vec<String>) -> Done {
    let (_, operands) = match words.get(1).map(String::as_str) {
        Some("-") => (String::new(), words[1..].to_vec()),
        _ => shell.letters(&words, "lp")?,
    };
    let Some(action) = operands.first() else {
        let lines = shell.traps.iter().map(|(number, action)| {
            let name = if *number == 0 {
                "EXIT"
            } else {
                Signal(*number).name()
            };
            format!("trap -- {} {name}\n", quote(action))
        });
        let text: String = lines.collect();
        return shell.put(text.as_bytes()).await;
    };
    let (action, names) = match operands.len() {
        1 => (None, &operands[..]),
        _ if action == "-" => (None, &operands[1..]),
        _ if action.parse::<u8>().is_ok() => (None, &operands[..]),
        _ => (Some(action.clone()), &operands[1..]),
    };
    for name in names {
        let Some(number) = trap_number(name) else {
            shell
                .print_to(2, format!("trap: {name}: bad trap\n").as_bytes())
                .await;
            return shell.done(1);
        };
        match &action {
            Some(action) => shell.traps.insert(number, action.clone()),
            None => shell.traps.remove(&number),
        };
    }
    shell.apply_traps();
    shell.done(0)
}
