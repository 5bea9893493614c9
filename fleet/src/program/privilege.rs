//! `sudo` and `doas`: rules are those of `/etc/sudoers`, `/etc/sudoers.d` and `/etc/doas.conf`.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{Invocation, Program};
use crate::accounts;
use crate::files::{Credentials, Files};
use crate::host::SudoWish;
use crate::systemd::Entry;

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "sudo",
        run: sudo,
    },
    Program {
        name: "doas",
        run: doas,
    },
];

/// Where `sudo` looks for programs, and what it gives them as `PATH`: `secure_path` of Debian's sudoers.
const SECURE_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What the rules say of a user and a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Free,
    WithPassword,
    Refused,
    /// The user is in no rule at all.
    Stranger,
}

fn sudo(invocation: &mut Invocation) -> BoxFuture<'_, u8> {
    Box::pin(async move {
        invocation.spend(crate::time::of("sudo")).await;
        let (mut never_asks, mut keeps, mut target) = (false, false, "root".to_owned());
        let (mut logs_in, mut validates, mut lists) = (false, false, false);
        let arguments = invocation.arguments.clone();
        let mut words: &[String] = &arguments;
        while let Some((word, rest)) = words.split_first() {
            words = rest;
            match word.as_str() {
                "--" => break,
                "-n" | "--non-interactive" => never_asks = true,
                "-E" | "--preserve-env" => keeps = true,
                "-H" | "-S" | "-k" => {}
                "-i" | "--login" => logs_in = true,
                "-v" => validates = true,
                "-l" | "--list" => lists = true,
                "-u" | "--user" => {
                    if let Some((name, rest)) = words.split_first() {
                        target.clone_from(name);
                        words = rest;
                    }
                }
                word if word.starts_with('-') => {
                    return invocation.not_simulated(&format!("option {word}"));
                }
                _ => {
                    let start = arguments.len() - words.len() - 1;
                    words = &arguments[start..];
                    break;
                }
            }
        }
        let command: Vec<String> = words.to_vec();
        if lists && command.is_empty() {
            return list(invocation);
        }
        if lists {
            return invocation.not_simulated("-l with a command");
        }
        if command.is_empty() && !validates && !logs_in {
            invocation.complain("usage: sudo -h | -K | -k | -V\n");
            return 1;
        }
        let find = |name: &String| invocation.find_program_in(Some(SECURE_PATH), name);
        let program = command.first().map(find);
        let program = program.flatten().unwrap_or_default();
        let who = invocation.credentials.clone();
        let wish = invocation
            .host(|host| host.sudo_wish)
            .filter(|_| who.uid != 0);
        if wish == Some(SudoWish::Terminal) {
            invocation.complain("sudo: sorry, you must have a tty to run sudo\n");
            return 1;
        }
        let verdict = match wish {
            Some(_) => Verdict::WithPassword,
            None => invocation.host(|host| judge(&host.files, &who, &program)),
        };
        match verdict {
            Verdict::Free => {}
            Verdict::WithPassword | Verdict::Stranger | Verdict::Refused if never_asks => {
                invocation.complain("sudo: a password is required\n");
                return 1;
            }
            Verdict::WithPassword | Verdict::Stranger => {
                invocation.complain(
                    "sudo: a terminal is required to read the password; either use the -S option \
                     to read from standard input or configure an askpass helper\nsudo: a password \
                     is required\n",
                );
                return 1;
            }
            Verdict::Refused => {
                let (user, name) = (
                    invocation.credentials.user.clone(),
                    invocation.host(|host| host.host_name().to_owned()),
                );
                let words = command.join(" ");
                invocation.complain(&format!(
                    "Sorry, user {user} is not allowed to execute '{words}' as {target} on {name}.\n"
                ));
                return 1;
            }
        }
        if validates {
            return 0;
        }
        if let Some(name) = command.first().filter(|_| program.is_empty() && !logs_in) {
            invocation.complain(&format!("sudo: {name}: command not found\n"));
            return 1;
        }
        become_user(invocation, &target, keeps, logs_in, command).await
    })
}

/// Tells what the user may do; `judge` is what counts.
fn list(invocation: &mut Invocation) -> u8 {
    let who = invocation.credentials.clone();
    let (name, rules) = invocation.host(|host| {
        let free = judge(&host.files, &who, "/") == Verdict::Free;
        (host.host_name().to_owned(), free)
    });
    if !rules {
        return invocation.not_simulated("-l for somebody who may not do everything");
    }
    let user = &who.user;
    invocation.print(&format!(
        "Matching Defaults entries for {user} on {name}:\n    env_reset, mail_badpass,\n    \
         secure_path=/usr/local/sbin\\:/usr/local/bin\\:/usr/sbin\\:/usr/bin\\:/sbin\\:/bin,\n    \
         use_pty\n\nUser {user} may run the following commands on {name}:\n    (ALL) NOPASSWD: ALL\n"
    ));
    0
}

/// Tells the journal, as PAM does, at the begin or the end of a session.
fn tell_journal(invocation: &Invocation, uid: u32, what: &str) {
    let at = invocation.now().as_micros() as u64;
    let by = match what {
        "opened" => format!("(uid=0) by (uid={uid})"),
        _ => String::new(),
    };
    let entry = Entry {
        at,
        unit: invocation.host(|host| host.family.ssh_unit()).to_owned(),
        identifier: "sudo".to_owned(),
        pid: invocation.pid.0,
        message: format!("pam_unix(sudo:session): session {what} for user root{by}"),
        is_error: false,
    };
    invocation.host(|host| Arc::make_mut(&mut host.systemd.journal).add(entry));
}

async fn become_user(
    invocation: &mut Invocation,
    target: &str,
    keeps: bool,
    logs_in: bool,
    mut command: Vec<String>,
) -> u8 {
    let found = invocation.host(|host| {
        let account = accounts::account(&host.files, target);
        account.zip(accounts::credentials(&host.files, target))
    });
    let Some((account, credentials)) = found else {
        invocation.complain(&format!(
            "sudo: unknown user {target}\nsudo: error initializing audit plugin sudoers_audit\n"
        ));
        return 1;
    };
    let before = invocation.credentials.clone();
    let mut environment = invocation.environment.clone();
    if !keeps {
        let kept = ["TERM", "LANG", "LC_ALL", "COLUMNS", "LINES", "DISPLAY"];
        environment.retain(|name| kept.contains(&name) || name.starts_with("LC_"));
    }
    let pairs = [
        ("PATH", SECURE_PATH.to_owned()),
        ("HOME", account.home.clone()),
        ("USER", account.name.clone()),
        ("LOGNAME", account.name.clone()),
        ("SHELL", account.shell.clone()),
        ("MAIL", format!("/var/mail/{}", account.name)),
        ("SUDO_USER", before.user.clone()),
        ("SUDO_UID", before.uid.to_string()),
        ("SUDO_GID", before.gid.to_string()),
        ("SUDO_COMMAND", command.join(" ")),
    ];
    environment.extend(pairs);
    if logs_in {
        let line = command.join(" ");
        command = vec![account.shell.clone(), "-l".to_owned()];
        if !line.is_empty() {
            command.extend(["-c".to_owned(), line]);
        }
        invocation.directory.clone_from(&account.home);
    }
    invocation.credentials = credentials;
    invocation.environment = environment;
    tell_journal(invocation, before.uid, "opened");
    let status = match invocation.launch(command) {
        Ok(launch) => invocation.run_launch(launch).await,
        Err(status) => status,
    };
    tell_journal(invocation, before.uid, "closed");
    status
}

/// Judges by the rules of sudo; the last rule that fits counts.
fn judge(files: &Files, who: &Credentials, program: &str) -> Verdict {
    if who.uid == 0 {
        return Verdict::Free;
    }
    let root = Credentials::root();
    let mut text = files.text("/etc/sudoers").unwrap_or_default();
    for name in files.list("/etc/sudoers.d", &root).unwrap_or_default() {
        // sudo leaves out names with a dot or a tilde at the end.
        if !name.contains('.') && !name.ends_with('~') {
            let more = files.text(&format!("/etc/sudoers.d/{name}"));
            text.push_str(&more.unwrap_or_default());
        }
    }
    let groups: Vec<String> = accounts::groups(files)
        .into_iter()
        .filter(|group| who.gid == group.gid || who.groups.contains(&group.gid))
        .map(|group| format!("%{}", group.name))
        .collect();
    let mut verdict = Verdict::Stranger;
    for line in text.lines().map(str::trim) {
        let Some((subject, rest)) = line.split_once(char::is_whitespace) else {
            continue;
        };
        let is_meant =
            subject == who.user || subject == "ALL" || groups.iter().any(|one| one == subject);
        let Some((_, rule)) = rest.split_once('=').filter(|_| is_meant) else {
            continue;
        };
        let rule = rule.trim();
        let rule = match rule.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
            Some((_, rest)) => rest.trim(),
            None => rule,
        };
        let (is_free, commands) = match rule.strip_prefix("NOPASSWD:") {
            Some(rest) => (true, rest),
            None => (false, rule.trim_start_matches("PASSWD:")),
        };
        let fits = |command: &str| {
            let command = command.split_whitespace().next().unwrap_or_default();
            command == "ALL" || command == program || same_program(command, program)
        };
        if commands.split(',').map(str::trim).any(fits) {
            verdict = if is_free {
                Verdict::Free
            } else {
                Verdict::WithPassword
            };
        } else if verdict == Verdict::Stranger {
            verdict = Verdict::Refused;
        }
    }
    verdict
}

/// `/bin` and `/usr/bin` are one directory.
fn same_program(one: &str, other: &str) -> bool {
    one.trim_start_matches("/usr") == other.trim_start_matches("/usr")
}

fn doas(invocation: &mut Invocation) -> BoxFuture<'_, u8> {
    Box::pin(async move {
        let mut words = invocation.arguments.clone();
        let mut never_asks = false;
        while let Some(word) = words.first().cloned() {
            match word.as_str() {
                "-n" => never_asks = true,
                "--" => {
                    words.remove(0);
                    break;
                }
                option if option.starts_with('-') => {
                    return invocation.not_simulated(&format!("option {option}"));
                }
                _ => break,
            }
            words.remove(0);
        }
        let user = invocation.credentials.user.clone();
        let rules = invocation.host(|host| host.files.text("/etc/doas.conf"));
        let rules = rules.unwrap_or_default();
        let fits = |line: &&str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words.first() == Some(&"permit") && words.contains(&user.as_str())
        };
        let rule = rules.lines().rfind(|line| fits(line)).map(str::to_owned);
        match rule {
            _ if invocation.credentials.uid == 0 => {}
            None => {
                invocation.complain("doas: Operation not permitted\n");
                return 1;
            }
            Some(rule) if !rule.contains("nopass") => {
                invocation.complain(if never_asks {
                    "doas: Authentication required\n"
                } else {
                    "doas: a tty is required\n"
                });
                return 1;
            }
            Some(_) => {}
        }
        if let Some(name) = words.first()
            && invocation.find_program(name).is_none()
        {
            let said = format!("doas: {name}: command not found\n");
            invocation.complain(&said);
            return 1;
        }
        become_user(invocation, "root", false, false, words).await
    })
}
