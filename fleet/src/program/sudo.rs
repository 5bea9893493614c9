//! `sudo`, as sudo.ws has it (1.9), and sudo-rs (0.2.13), which Ubuntu 26.04 has: what it is asked for, and
//! what each says where it refuses. The rules are read beside, in `privilege`.
//!
//! What sudo-rs says was recorded with the published sudo-rs 0.2.13 (`fleet/tests/parity`, state `uutils`).

use futures_util::future::BoxFuture;

use super::privilege::{SECURE_PATH, Transition, Verdict, become_user, complain_of_command, judge};
use super::{Invocation, Program};
use crate::host::SudoWish;

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "sudo",
        run: |invocation| run(invocation, Maker::Ws),
    },
    Program {
        name: "sudo-rs",
        run: |invocation| run(invocation, Maker::Rs),
    },
];

/// Whose sudo it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Maker {
    /// That of sudo.ws.
    Ws,
    /// sudo-rs.
    Rs,
}

/// What sudo-rs says of its use.
const USAGE: &str = "\
usage: sudo -h | -K | -k | -V
usage: sudo [-ABbknS] [-p prompt] [-D directory] [-g group] [-u user] [-i | -s] [command [arg ...]]
usage: sudo -v [-ABknS] [-p prompt] [-g group] [-u user]
usage: sudo -l [-ABknS] [-p prompt] [-U user] [-g group] [-u user] [command [arg ...]]
usage: sudo -e [-ABknS] [-p prompt] [-D directory] [-g group] [-u user] file ...
";

/// What it wants to be told, at least one of.
const ACTIONS: &str = "expected one of these actions: --help, --version, --remove-timestamp, --validate, --list, \
                       --edit, --login, --shell, a command as a positional argument, --reset-timestamp";

/// Options of sudo-rs that are not simulated, besides those that take part in others.
const OTHER: &[&str] = &[
    "-A", "-B", "-b", "-K", "-k", "-p", "-D", "-g", "-U", "-e", "-s", "-h", "--help", "--shell",
    "--edit",
];

/// What it is asked for.
#[derive(Debug, Default)]
struct Call {
    never_asks: bool,
    /// The option that wants the environment kept, as it was written.
    keeps: Option<String>,
    target: String,
    logs_in: bool,
    validates: bool,
    lists: bool,
    command: Vec<String>,
}

fn run(invocation: &mut Invocation, maker: Maker) -> BoxFuture<'_, u8> {
    Box::pin(async move {
        invocation.spend(crate::time::of("sudo")).await;
        let call = match read(invocation, maker) {
            Ok(call) => call,
            Err(status) => return status,
        };
        if call.command.is_empty() && !call.validates && !call.logs_in && !call.lists {
            match maker {
                Maker::Ws => invocation.complain("usage: sudo -h | -K | -k | -V\n"),
                Maker::Rs => invocation.print_error(&format!("{ACTIONS}\n{USAGE}")),
            }
            return 1;
        }
        let verdict = verdict(invocation, maker, &call);
        if let Some(status) = refuse(invocation, maker, &call, verdict) {
            return status;
        }
        if call.lists {
            return list(invocation, maker, &call);
        }
        if call.validates {
            return 0;
        }
        if let Some(name) = call.command.first().filter(|_| !call.logs_in)
            && find(invocation, name).is_none()
        {
            complain_of_command(invocation, maker, name);
            return 1;
        }
        let mut keeps = call.keeps.is_some();
        if let (Maker::Rs, Some(option)) = (maker, &call.keeps)
            && !option.contains('=')
        {
            invocation.complain(&format!(
                "sudo: preserving the entire environment is not supported, '{option}' is ignored"
            ));
            keeps = false;
        }
        let transition = Transition {
            maker,
            target: call.target,
            keeps,
            logs_in: call.logs_in,
            command: call.command,
        };
        become_user(invocation, transition).await
    })
}

/// Reads the arguments; fails with the exit status where nothing is left to do.
fn read(invocation: &mut Invocation, maker: Maker) -> Result<Call, u8> {
    let mut call = Call {
        target: "root".to_owned(),
        ..Call::default()
    };
    let mut words = invocation.arguments.clone().into_iter().peekable();
    while let Some(word) = words.next_if(|word| word.len() > 1 && word.starts_with('-')) {
        match word.as_str() {
            "--" => break,
            "-n" | "--non-interactive" => call.never_asks = true,
            "-E" | "--preserve-env" => call.keeps = Some(word),
            "-H" | "--set-home" | "-S" | "--stdin" => {}
            "-k" if maker == Maker::Ws => {}
            "-i" | "--login" => call.logs_in = true,
            "-v" | "--validate" => call.validates = true,
            "-l" | "--list" => call.lists = true,
            "-V" | "--version" if maker == Maker::Rs => {
                invocation.print("sudo-rs 0.2.13-0ubuntu1\n");
                return Err(0);
            }
            "-u" | "--user" => match words.next() {
                Some(name) => call.target = name,
                None if maker == Maker::Rs => {
                    let option = if word == "-u" { "-u" } else { "--user" };
                    return Err(misused(
                        invocation,
                        &format!("'{option}' expects an argument"),
                    ));
                }
                None => {}
            },
            _ => match word.strip_prefix("--user=") {
                Some(name) => name.clone_into(&mut call.target),
                None => return Err(strange(invocation, maker, &word)),
            },
        }
    }
    call.command = words.collect();
    Ok(call)
}

/// Returns where a program is that somebody else is to run.
fn find(invocation: &Invocation, name: &str) -> Option<String> {
    invocation.find_program_in(Some(SECURE_PATH), name)
}

/// Says that an option is not there, or not simulated.
fn strange(invocation: &mut Invocation, maker: Maker, word: &str) -> u8 {
    let is_group = !word.starts_with("--") && word.len() > 2;
    if maker == Maker::Ws || is_group || OTHER.contains(&word) || word.contains('=') {
        return invocation.not_simulated(&format!("option {word}"));
    }
    misused(invocation, "invalid option provided")
}

fn misused(invocation: &mut Invocation, what: &str) -> u8 {
    invocation.print_error(&format!("{what}\n{USAGE}"));
    1
}

/// Judges a call by the rules, and by what the host wants of everybody.
fn verdict(invocation: &mut Invocation, maker: Maker, call: &Call) -> Verdict {
    let program = call.command.first();
    let program = program.and_then(|name| find(invocation, name));
    let program = program.unwrap_or_default();
    let who = invocation.credentials.clone();
    let wish = invocation
        .host(|host| host.sudo_wish)
        .filter(|_| who.uid != 0);
    match (wish, maker) {
        (Some(SudoWish::Terminal), Maker::Ws) => Verdict::WithoutTerminal,
        (Some(SudoWish::Terminal), Maker::Rs) => {
            // It does not know the setting, and goes on.
            invocation.complain(
                "/etc/sudoers:1:10: unknown setting: 'requiretty'\nDefaults requiretty\n         ^~~~~~~~~~",
            );
            invocation.host(|host| judge(&host.files, &who, &program))
        }
        (Some(SudoWish::Password), _) => Verdict::WithPassword,
        (None, _) => invocation.host(|host| judge(&host.files, &who, &program)),
    }
}

/// Refuses what the rules do not allow; returns the exit status where it does.
fn refuse(invocation: &mut Invocation, maker: Maker, call: &Call, verdict: Verdict) -> Option<u8> {
    let user = invocation.credentials.user.clone();
    let name = invocation.host(|host| host.host_name().to_owned());
    // sudo-rs lets somebody see the rules, or prove who it is, who may do something at all.
    let wants_little = maker == Maker::Rs && (call.lists || call.validates);
    let complaint = match (maker, verdict) {
        (_, Verdict::Free) => return None,
        (Maker::Rs, Verdict::Refused) if wants_little => return None,
        (Maker::Rs, Verdict::Stranger) if call.lists => {
            format!("sudo: Sorry, user {user} may not run sudo on {name}.")
        }
        (Maker::Rs, Verdict::Stranger | Verdict::Refused) => {
            format!("sudo: I'm sorry {user}. I'm afraid I can't do that")
        }
        (Maker::Rs, Verdict::WithPassword | Verdict::WithoutTerminal) => match call.never_asks {
            true => "sudo: interactive authentication is required".to_owned(),
            false => "sudo: A terminal is required to authenticate".to_owned(),
        },
        (Maker::Ws, Verdict::WithoutTerminal) => {
            "sudo: sorry, you must have a tty to run sudo".to_owned()
        }
        (Maker::Ws, _) if call.lists && call.command.is_empty() => {
            return Some(invocation.not_simulated("-l for somebody who may not do everything"));
        }
        (Maker::Ws, _) if call.never_asks => "sudo: a password is required".to_owned(),
        (Maker::Ws, Verdict::WithPassword | Verdict::Stranger) => {
            "sudo: a terminal is required to read the password; either use the -S option to read from \
             standard input or configure an askpass helper\nsudo: a password is required"
                .to_owned()
        }
        (Maker::Ws, Verdict::Refused) => {
            let (words, target) = (call.command.join(" "), &call.target);
            format!("Sorry, user {user} is not allowed to execute '{words}' as {target} on {name}.")
        }
    };
    invocation.complain(&complaint);
    Some(1)
}

/// Tells what the user may do; `judge` is what counts. With a command, tells where it is.
fn list(invocation: &mut Invocation, maker: Maker, call: &Call) -> u8 {
    if let Some(name) = call.command.first() {
        if maker == Maker::Ws {
            return invocation.not_simulated("-l with a command");
        }
        let Some(path) = find(invocation, name) else {
            invocation.complain(&format!("sudo: '{name}': command not found"));
            return 1;
        };
        let words = [std::slice::from_ref(&path), &call.command[1..]].concat();
        invocation.print(&format!("{}\n", words.join(" ")));
        return 0;
    }
    let who = invocation.credentials.clone();
    let (name, is_free) = invocation.host(|host| {
        let is_free = judge(&host.files, &who, "/") == Verdict::Free;
        (host.host_name().to_owned(), is_free)
    });
    if !is_free {
        return invocation.not_simulated("-l for somebody who may not do everything");
    }
    let user = &who.user;
    let defaults = match maker {
        Maker::Ws => format!(
            "Matching Defaults entries for {user} on {name}:\n    env_reset, mail_badpass,\n    \
             secure_path=/usr/local/sbin\\:/usr/local/bin\\:/usr/sbin\\:/usr/bin\\:/sbin\\:/bin,\n    \
             use_pty\n\n"
        ),
        Maker::Rs => String::new(),
    };
    invocation.print(&format!(
        "{defaults}User {user} may run the following commands on {name}:\n    (ALL) NOPASSWD: ALL\n"
    ));
    0
}
