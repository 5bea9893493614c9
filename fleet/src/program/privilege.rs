//! Becoming somebody else: the rules of `/etc/sudoers`, `/etc/sudoers.d` and `/etc/doas.conf`, and `doas`.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::sudo::Maker;
use super::{Invocation, Program};
use crate::accounts;
use crate::environment::Environment;
use crate::files::{Credentials, Files};
use crate::process::Ended;
use crate::systemd::Entry;

pub(crate) const PROGRAMS: &[Program] = &[Program {
    name: "doas",
    run: doas,
}];

/// Where `sudo` looks for programs, and what it gives them as `PATH`: `secure_path` of Debian's sudoers.
pub(super) const SECURE_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What the rules say of a user and a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may run, without a word.
    Free,
    /// It may run, after a password.
    WithPassword,
    /// It may run only from a terminal.
    WithoutTerminal,
    /// It may not run.
    Refused,
    /// The user is in no rule at all.
    Stranger,
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

/// Who somebody becomes, and how.
#[derive(Debug, Clone)]
pub(super) struct Transition {
    /// Whose sudo does it.
    pub(super) maker: Maker,
    /// Who it is.
    pub(super) target: String,
    /// Whether the environment is kept.
    pub(super) keeps: bool,
    /// Whether a shell of a login runs the command.
    pub(super) logs_in: bool,
    /// What is run.
    pub(super) command: Vec<String>,
}

/// Returns the environment of a command that somebody else runs.
fn environment_of(
    invocation: &Invocation,
    transition: &Transition,
    account: &accounts::Account,
) -> Environment {
    let before = &invocation.credentials;
    let mut environment = invocation.environment.clone();
    let home = environment.get("HOME").unwrap_or("/").to_owned();
    if !transition.keeps {
        let kept = ["TERM", "LANG", "LC_ALL", "COLUMNS", "LINES", "DISPLAY"];
        environment.retain(|name| kept.contains(&name) || name.starts_with("LC_"));
    }
    let command = &transition.command;
    let pairs = [
        ("PATH", SECURE_PATH.to_owned()),
        ("HOME", account.home.clone()),
        ("USER", account.name.clone()),
        ("LOGNAME", account.name.clone()),
        ("SHELL", account.shell.clone()),
        ("SUDO_USER", before.user.clone()),
        ("SUDO_UID", before.uid.to_string()),
        ("SUDO_GID", before.gid.to_string()),
    ];
    environment.extend(pairs);
    match transition.maker {
        Maker::Ws => {
            environment.insert("MAIL", format!("/var/mail/{}", account.name));
            environment.insert("SUDO_COMMAND", command.join(" "));
        }
        Maker::Rs => {
            let find = |name: &String| invocation.find_program_in(Some(SECURE_PATH), name);
            let path = command.first().map(find);
            let words: Vec<String> = path
                .flatten()
                .into_iter()
                .chain(command.iter().skip(1).cloned())
                .collect();
            environment.insert("SUDO_COMMAND", words.join(" "));
            environment.insert("SUDO_HOME", home);
            if environment.get("TERM").is_none() {
                environment.insert("TERM", "unknown");
            }
        }
    }
    environment
}

/// Says that a command is not there, or cannot be run.
pub(super) fn complain_of_command(invocation: &mut Invocation, maker: Maker, name: &str) {
    let path = invocation.path(name);
    let is_there = name.contains('/') && invocation.host(|host| host.files.exists(&path));
    let text = match (maker, is_there) {
        (Maker::Ws, _) => format!("sudo: {name}: command not found"),
        (Maker::Rs, false) => format!("sudo: '{name}': command not found"),
        (Maker::Rs, true) => {
            format!("sudo: cannot execute '{name}': Permission denied (os error 13)")
        }
    };
    invocation.complain(&text);
}

/// Runs a command as somebody.
pub(super) async fn become_user(invocation: &mut Invocation, transition: Transition) -> u8 {
    let Transition { maker, target, .. } = &transition;
    let found = invocation.host(|host| {
        let account = accounts::account(&host.files, target);
        account.zip(accounts::credentials(&host.files, target))
    });
    let Some((account, credentials)) = found else {
        invocation.complain(&match maker {
            Maker::Ws => format!(
                "sudo: unknown user {target}\nsudo: error initializing audit plugin sudoers_audit\n"
            ),
            Maker::Rs => format!("sudo: user '{target}' not found"),
        });
        return 1;
    };
    let before = invocation.credentials.clone();
    let environment = environment_of(invocation, &transition, &account);
    let mut command = transition.command.clone();
    if transition.logs_in {
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
    invocation.flush().await;
    let ended = match invocation.launch(command) {
        Ok(launch) => {
            let (ended, owed) = launch.start().wait().await;
            invocation.owed += owed;
            ended
        }
        Err(status) => Ended::Code(status),
    };
    tell_journal(invocation, before.uid, "closed");
    if let (Maker::Rs, Ended::Signal(signal)) = (maker, ended) {
        // It ends itself by the signal that has ended the command.
        invocation.control.signal(signal);
        std::future::pending::<()>().await;
    }
    ended.status()
}

/// Judges by the rules of sudo; the last rule that fits counts.
pub(super) fn judge(files: &Files, who: &Credentials, program: &str) -> Verdict {
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
        let transition = Transition {
            maker: Maker::Ws,
            target: "root".to_owned(),
            keeps: false,
            logs_in: false,
            command: words,
        };
        become_user(invocation, transition).await
    })
}
