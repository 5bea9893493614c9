//! Programs about processes: `kill`, `pkill`, `pgrep`, `ps`.

use super::options::{self, Value};
use super::{Invocation, Program};
use crate::process::{Pid, Process, SIGNALS, Signal};

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "kill",
        run: |invocation| Box::pin(kill(invocation)),
    },
    Program {
        name: "pkill",
        run: |invocation| Box::pin(pgrep(invocation, true)),
    },
    Program {
        name: "pgrep",
        run: |invocation| Box::pin(pgrep(invocation, false)),
    },
    Program {
        name: "ps",
        run: |invocation| Box::pin(async { ps(invocation) }),
    },
];

async fn kill(invocation: &mut Invocation) -> u8 {
    let mut words = invocation.arguments.clone();
    let mut signal = Signal::TERM;
    if let Some(word) = words.first().cloned()
        && word.starts_with('-')
        && word.len() > 1
    {
        words.remove(0);
        let name = match word.as_str() {
            "-l" => {
                invocation.print(&format!("{}\n", SIGNALS.join("\n")));
                return 0;
            }
            "-s" | "-n" if !words.is_empty() => words.remove(0),
            "--" => "TERM".to_owned(),
            word => word[1..].to_owned(),
        };
        match Signal::parse(&name) {
            Some(found) => signal = found,
            None => {
                invocation.error(&format!("unknown signal {name}"));
                return 1;
            }
        }
    }
    let mut status = 0;
    for word in words {
        let Ok(number) = word.parse() else {
            return invocation.not_simulated(&format!("the process {word}"));
        };
        let user = invocation.credentials.user.clone();
        if let Err(why) = invocation.host(|host| host.processes.kill(Pid(number), signal, &user)) {
            invocation.error(&format!("({word}): {why}"));
            status = 1;
        }
    }
    tokio::task::yield_now().await;
    status
}

fn all_of(invocation: &Invocation) -> Vec<(Pid, Process)> {
    invocation.host(|host| {
        host.processes
            .all()
            .iter()
            .map(|(pid, process)| (*pid, process.clone()))
            .collect()
    })
}

fn short_name(process: &Process) -> String {
    let first = process.command.first().map_or("", String::as_str);
    let name = first.rsplit('/').next().unwrap_or(first);
    name.trim_start_matches('-').chars().take(15).collect()
}

async fn pgrep(invocation: &mut Invocation, kills: bool) -> u8 {
    let mut signal = Signal::TERM;
    if kills {
        let is_signal =
            |word: &String| word.starts_with('-') && Signal::parse(&word[1..]).is_some();
        if let Some(at) = invocation.arguments.iter().position(is_signal) {
            let word = invocation.arguments.remove(at);
            signal = Signal::parse(&word[1..]).unwrap_or(signal);
        }
    }
    let long = [
        ("full", 'f', Value::None),
        ("exact", 'x', Value::None),
        ("euid", 'u', Value::Needed),
        ("list-name", 'l', Value::None),
        ("list-full", 'a', Value::None),
        ("parent", 'P', Value::Needed),
        ("count", 'c', Value::None),
    ];
    let options = match options::read(invocation, "fxu:laP:onic", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.has('o') || options.has('n') {
        return invocation.not_simulated("one of the options -o, -n");
    }
    let pattern = options.operands.first().cloned().unwrap_or_default();
    let pattern = if options.has('x') {
        format!("^({pattern})$")
    } else {
        pattern
    };
    let regex = super::posix::compile(&pattern, super::posix::Syntax::Extended, options.has('i'));
    let Ok(regex) = regex else {
        return invocation.not_simulated("this expression");
    };
    let own = invocation.pid;
    let fits = |process: &Process| {
        let text = match options.has('f') {
            true => process.command.join(" "),
            false => short_name(process),
        };
        let by_user = options.value('u').is_none_or(|user| user == process.user);
        let by_parent = options
            .value('P')
            .is_none_or(|parent| parent == process.parent.0.to_string());
        by_user && by_parent && regex.is_match(text.as_bytes())
    };
    let found: Vec<(Pid, Process)> = all_of(invocation)
        .into_iter()
        .filter(|(pid, process)| *pid != own && fits(process))
        .collect();
    if options.has('c') {
        invocation.print(&format!("{}\n", found.len()));
    }
    for (pid, process) in found.iter().filter(|_| kills || !options.has('c')) {
        if kills {
            process.control.signal(signal);
            continue;
        }
        let name = match (options.has('a'), options.has('l')) {
            (true, _) => format!(" {}", process.command.join(" ")),
            (_, true) => format!(" {}", short_name(process)),
            _ => String::new(),
        };
        invocation.print(&format!("{}{name}\n", pid.0));
    }
    tokio::task::yield_now().await;
    u8::from(found.is_empty())
}

/// A column of `ps`.
fn cell(
    pid: Pid,
    process: &Process,
    column: &str,
    now: std::time::Duration,
) -> Option<(&'static str, String)> {
    let elapsed = now.saturating_sub(process.started).as_secs();
    Some(match column {
        "pid" => ("PID", pid.0.to_string()),
        "ppid" => ("PPID", process.parent.0.to_string()),
        "user" | "euser" => ("USER", process.user.clone()),
        "comm" | "ucmd" => ("COMMAND", short_name(process)),
        "args" | "cmd" | "command" => ("COMMAND", process.command.join(" ")),
        "etimes" => ("ELAPSED", elapsed.to_string()),
        "stat" | "state" | "s" => ("STAT", "S".to_owned()),
        "%cpu" | "pcpu" => ("%CPU", "0.0".to_owned()),
        "%mem" | "pmem" => ("%MEM", "0.0".to_owned()),
        _ => return None,
    })
}

fn ps(invocation: &mut Invocation) -> u8 {
    let words = invocation.arguments.clone();
    let (mut columns, mut is_all, mut pids): (Vec<String>, bool, Vec<u32>) =
        (Vec::new(), false, Vec::new());
    let (mut at, mut named, mut wants_header) = (0, None, true);
    while let Some(word) = words.get(at).cloned() {
        at += 1;
        match word.as_str() {
            "aux" | "-ef" | "-e" | "-A" | "ax" | "-ax" => is_all = true,
            "--no-headers" | "--no-heading" | "h" => wants_header = false,
            "-eo" | "-Ao" | "-o" | "axo" => {
                is_all |= word != "-o";
                columns.extend(
                    words
                        .get(at)
                        .cloned()
                        .unwrap_or_default()
                        .split(',')
                        .map(str::to_owned),
                );
                at += 1;
            }
            "-p" => {
                pids.extend(
                    words
                        .get(at)
                        .cloned()
                        .unwrap_or_default()
                        .split(',')
                        .filter_map(|text| text.parse::<u32>().ok()),
                );
                at += 1;
            }
            "-C" => {
                named = words.get(at).cloned();
                at += 1;
            }
            other => return invocation.not_simulated(&format!("the option {other}")),
        }
    }
    if let (Some(name), true) = (&named, columns.is_empty()) {
        return ps_of(invocation, name);
    }
    if columns.is_empty() {
        columns = ["user", "pid", "ppid", "args"].map(str::to_owned).to_vec();
    }
    let has_header = wants_header && !columns.iter().all(|column| column.ends_with('='));
    let now = invocation.now();
    let session = invocation.session;
    let mut count = 0;
    let mut text = String::new();
    for (pid, process) in all_of(invocation) {
        let is_wanted = match (&named, pids.is_empty()) {
            (Some(name), _) => short_name(&process) == *name,
            (None, true) => is_all || process.session == session,
            (None, false) => pids.contains(&pid.0),
        };
        if !is_wanted {
            continue;
        }
        let mut cells = Vec::new();
        let mut titles = Vec::new();
        for column in &columns {
            let Some((title, value)) = cell(pid, &process, column.trim_end_matches('='), now)
            else {
                return invocation.not_simulated(&format!("the column {column}"));
            };
            let width = if title == "USER" || title == "COMMAND" {
                0
            } else {
                7
            };
            let is_number = width > 0;
            titles.push(if is_number {
                format!("{title:>width$}")
            } else {
                format!("{title:<8}")
            });
            cells.push(if is_number {
                format!("{value:>width$}")
            } else {
                format!("{value:<8}")
            });
        }
        if count == 0 && has_header {
            text.push_str(&format!("{}\n", titles.join(" ").trim_end()));
        }
        count += 1;
        text.push_str(&format!("{}\n", cells.join(" ").trim_end()));
    }
    invocation.print(&text);
    u8::from(count == 0)
}

/// `ps -C NAME`.
fn ps_of(invocation: &mut Invocation, name: &str) -> u8 {
    let all = all_of(invocation).into_iter();
    let own: Vec<u32> = all
        .filter(|(_, process)| short_name(process) == name)
        .map(|(pid, _)| pid.0)
        .collect();
    invocation.print("    PID TTY          TIME CMD\n");
    for pid in &own {
        invocation.print(&format!("{pid:>7} ?        00:00:00 {name}\n"));
    }
    u8::from(own.is_empty())
}
