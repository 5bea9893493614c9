//! The programs `sh`, `dash` and `bash`, and the shell that a login starts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::connection::session::Asked;
use crate::environment::Environment;
use crate::files::Credentials;
use crate::pipe::{Reader, Writer, take_lines};
use crate::process::{Ended, Pid};
use crate::program::launch::{DEFAULT_PATH, Launch};
use crate::program::{Invocation, Program};
use crate::world::{Fleet, HostId};

use super::parse::Dialect;
use super::redirect::open_error;
use super::variable::Variable;
use super::{Context, Descriptor, Flow, Options, Shell};

/// The path that sshd of Debian gives to a user.
const LOGIN_PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/games";

/// How much of its input a shell reads at a time, as dash does.
const BLOCK: usize = 8192;

/// The shells.
pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "sh",
        run: |invocation| Box::pin(run(invocation, Dialect::Posix)),
    },
    Program {
        name: "dash",
        run: |invocation| Box::pin(run(invocation, Dialect::Posix)),
    },
    Program {
        name: "bash",
        run: |invocation| Box::pin(run(invocation, Dialect::Bash)),
    },
];

/// What a login starts.
#[derive(Debug)]
pub(crate) struct Login {
    /// The session of the connection.
    pub(crate) session: u64,
    /// Who.
    pub(crate) credentials: Credentials,
    /// The environment.
    pub(crate) environment: Environment,
    /// What is asked for.
    pub(crate) asked: Asked,
    /// Standard input.
    pub(crate) stdin: Reader,
    /// Standard output.
    pub(crate) stdout: Writer,
    /// Standard error.
    pub(crate) stderr: Writer,
}

/// Runs the login shell of a user, as sshd does: a command line, or what comes on its input.
pub(crate) async fn run_login(fleet: &Fleet, host: HostId, login: Login) -> Ended {
    let passwd = fleet.host(host, |host| host.files.text("/etc/passwd"));
    let passwd = passwd.unwrap_or_default();
    let entry = passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.first() == Some(&login.credentials.user.as_str()));
    let field = |at: usize, default: &str| {
        let found = entry.as_ref().and_then(|fields| fields.get(at));
        found
            .filter(|text| !text.is_empty())
            .map_or_else(|| default.to_owned(), |text| (*text).to_owned())
    };
    let path = field(6, "/bin/sh");
    let home = field(5, "/");
    let exists = fleet.host(host, |host| host.files.exists(&home));
    let name = path.rsplit('/').next().unwrap_or("sh").to_owned();
    let mut environment = login.environment;
    for (key, value) in [
        ("USER", login.credentials.user.as_str()),
        ("LOGNAME", &login.credentials.user),
        ("HOME", &home),
        ("PATH", LOGIN_PATH),
        ("SHELL", &path),
        ("MOTD_SHOWN", "pam"),
    ] {
        environment.insert_new(key, value);
    }
    let more = fleet.host(host, |host| host.files.text("/etc/environment"));
    environment.extend(crate::accounts::environment(&more.unwrap_or_default()));
    if name == "bash" {
        // Bash counts itself, and takes itself off again where it gives way to another program.
        environment.insert("PWD", home.as_str());
        environment.insert("SHLVL", "0");
    }
    let launch = Launch {
        fleet: fleet.clone(),
        host,
        parent: Pid(1),
        session: login.session,
        path,
        arguments: match login.asked {
            Asked::Command(line) => vec![name, "-c".to_owned(), line],
            Asked::Shell => vec![format!("-{name}")],
        },
        environment,
        directory: if exists { home } else { "/".to_owned() },
        credentials: login.credentials,
        umask: 0o022,
        stdin: login.stdin,
        stdout: login.stdout,
        stderr: login.stderr,
        ignored: std::collections::BTreeSet::new(),
    };
    launch.finish().await
}

/// Runs a command as root, as the service manager does; returns its exit status.
pub(crate) async fn run_as_root(fleet: &Fleet, host: HostId, words: &[String]) -> u8 {
    let Some(path) = words.first() else {
        return 0;
    };
    let launch = Launch::of_root(fleet, host, path.clone(), words.to_vec());
    launch.finish().await.status()
}

/// What a shell is told to run.
enum Source {
    Text(String),
    Stdin,
    File(String),
}

/// What its arguments say.
struct Setting {
    source: Source,
    name: String,
    positional: Vec<String>,
    options: Options,
    is_login: bool,
    is_interactive: bool,
}

fn read_arguments(invocation: &mut Invocation, dialect: Dialect) -> Result<Setting, u8> {
    let words = invocation.arguments.clone();
    let mut options = Options::default();
    let mut at = 0;
    let (mut is_text, mut is_login) = (false, invocation.name.starts_with('-'));
    let mut is_interactive = false;
    while let Some(word) = words.get(at) {
        if word == "--" {
            at += 1;
            break;
        }
        if word == "-" {
            at += 1;
            break;
        }
        let is_on = match word.chars().next() {
            Some('-') => true,
            Some('+') => false,
            _ => break,
        };
        at += 1;
        match word.as_str() {
            "--login" => is_login = true,
            "--norc" | "--noprofile" | "--posix" if dialect == Dialect::Bash => {}
            word if word.starts_with("--") => {
                return Err(invocation.not_simulated(&format!("the option {word}")));
            }
            word => {
                for letter in word[1..].chars() {
                    match letter {
                        'c' => is_text = true,
                        'l' => is_login = true,
                        'i' => is_interactive = true,
                        'o' => {
                            let name = words.get(at).cloned().unwrap_or_default();
                            at += 1;
                            if !options.switch_long(&name, is_on, dialect) {
                                let text = format!("0: Illegal option -o {name}");
                                invocation.complain(&format!("{}: {text}", invocation.name));
                                return Err(2);
                            }
                        }
                        letter if options.switch(letter, is_on) => {}
                        letter => {
                            let text = format!("0: Illegal option -{letter}");
                            invocation.complain(&format!("{}: {text}", invocation.name));
                            return Err(2);
                        }
                    }
                }
            }
        }
    }
    let mut rest = words[at.min(words.len())..].iter().cloned();
    let mut name = invocation.name.clone();
    let source = if is_text {
        let Some(text) = rest.next() else {
            invocation.complain(&format!("{}: 0: -c requires an argument", invocation.name));
            return Err(2);
        };
        name = rest.next().unwrap_or(name);
        Source::Text(text)
    } else if options.reads_stdin {
        Source::Stdin
    } else {
        match rest.next() {
            Some(file) => {
                name.clone_from(&file);
                Source::File(file)
            }
            None => Source::Stdin,
        }
    };
    options.reads_stdin = matches!(source, Source::Stdin);
    let has_terminal = |reader: &Reader| reader.as_terminal().is_some();
    if is_interactive && !(options.reads_stdin && has_terminal(&invocation.stdin)) {
        return Err(invocation.not_simulated("the option -i without a terminal"));
    }
    Ok(Setting {
        is_interactive: options.reads_stdin
            && has_terminal(&invocation.stdin)
            && invocation.stderr.as_terminal().is_some(),
        source,
        name,
        positional: rest.collect(),
        options,
        is_login,
    })
}

async fn run(invocation: &mut Invocation, dialect: Dialect) -> u8 {
    let setting = match read_arguments(invocation, dialect) {
        Ok(setting) => setting,
        Err(status) => return status,
    };
    let mut shell = make_shell(invocation, dialect, &setting);
    // The streams belong to the shell now: what it closes is closed.
    invocation.stdin = Reader::null();
    invocation.stdout = Writer::null();
    invocation.stderr = Writer::null();
    if setting.is_interactive {
        shell.become_interactive();
    }
    let flow = shell.start_files(invocation, &setting).await;
    if flow == Flow::Next {
        let context = Context {
            is_tested: false,
            is_last: true,
        };
        match &setting.source {
            Source::Text(text) => {
                shell.run_text(text, 1, context).await;
            }
            Source::File(file) => shell.run_file(file, context).await,
            Source::Stdin if setting.is_interactive => shell.run_interactive().await,
            Source::Stdin => shell.run_stdin().await,
        }
    }
    let (ended, owed) = shell.finish().await;
    invocation.owed = owed;
    ended.status()
}

fn make_shell(invocation: &Invocation, dialect: Dialect, setting: &Setting) -> Shell {
    let mut variables: BTreeMap<Arc<str>, Variable> = BTreeMap::new();
    for (made, (name, value)) in invocation.environment.iter().enumerate() {
        if super::parse::is_name(name) {
            let variable = Variable {
                value: Some(Arc::clone(value)),
                is_exported: true,
                is_read_only: false,
                made,
            };
            variables.insert(Arc::clone(name), variable);
        }
    }
    let mut preset = |name: &str, value: &str, overrides: bool| {
        let variable = variables.entry(Arc::from(name)).or_default();
        if overrides || variable.value.is_none() {
            variable.value = Some(Arc::from(value));
        }
    };
    preset("IFS", " \t\n", true);
    preset("OPTIND", "1", true);
    preset(
        "PS1",
        if invocation.credentials.uid == 0 {
            "# "
        } else {
            "$ "
        },
        false,
    );
    preset("PS2", "> ", false);
    preset("PS4", "+ ", false);
    preset("PATH", DEFAULT_PATH, false);
    preset("PWD", &invocation.directory, true);
    preset("PPID", &invocation.parent.0.to_string(), true);
    // Dash exports the directory that it has found out.
    if dialect == Dialect::Posix
        && let Some(directory) = variables.get_mut("PWD")
    {
        directory.is_exported = true;
    }
    let descriptors = BTreeMap::from([
        (0, Descriptor::reader(invocation.stdin.clone())),
        (1, Descriptor::writer(invocation.stdout.clone())),
        (2, Descriptor::writer(invocation.stderr.clone())),
    ]);
    Shell {
        fleet: invocation.fleet.clone(),
        host: invocation.host,
        pid: invocation.pid,
        process: invocation.pid,
        session: invocation.session,
        control: Arc::clone(&invocation.control),
        credentials: invocation.credentials.clone(),
        umask: invocation.umask,
        directory: invocation.directory.clone(),
        name: setting.name.clone(),
        dialect,
        variables: Arc::new(variables),
        functions: Arc::new(BTreeMap::new()),
        positional: setting.positional.clone(),
        options: setting.options,
        status: 0,
        descriptors,
        traps: BTreeMap::new(),
        ignored_from_start: invocation.control.ignored(),
        jobs: Vec::new(),
        last_background: None,
        locals: Vec::new(),
        loops: 0,
        depth: 0,
        calls: 0,
        line: 1,
        is_tested: false,
        builtin: None,
        owed: invocation.owed + Duration::ZERO,
        substitution_status: None,
        option_offset: 0,
        is_ending: false,
        is_interrupted: false,
    }
}

impl Shell {
    /// Runs the files that greet: profiles at a login, and what bash reads where sshd started it.
    async fn start_files(&mut self, invocation: &Invocation, setting: &Setting) -> Flow {
        let home = self.variable("HOME").unwrap_or_default().to_owned();
        let is_from_sshd = invocation.parent == Pid(1)
            && (self.variable("SSH_CLIENT").is_some() || self.variable("SSH_CONNECTION").is_some());
        let mut paths = Vec::new();
        if setting.is_login {
            paths.push("/etc/profile".to_owned());
            let own = [".bash_profile", ".profile"].map(|name| format!("{home}/{name}"));
            let found = own.into_iter().find(|path| {
                let is_read = self.dialect == Dialect::Bash || path.ends_with("/.profile");
                is_read && self.opener().content(path).is_ok()
            });
            paths.extend(found);
        } else if self.dialect == Dialect::Bash && (setting.is_interactive || is_from_sshd) {
            paths.push("/etc/bash.bashrc".to_owned());
            paths.push(format!("{home}/.bashrc"));
        }
        for path in paths {
            let Ok(content) = self.opener().content(&path) else {
                continue;
            };
            let text = content.text().into_owned();
            match self.run_text(&text, 1, Context::default()).await {
                Flow::Exit => return Flow::Exit,
                _ => self.status = 0,
            }
        }
        Flow::Next
    }

    async fn run_file(&mut self, file: &str, context: Context) {
        let path = self.absolute(file);
        match self.opener().content(&path) {
            Ok(content) => {
                let text = content.text().into_owned();
                self.run_text(&text, 1, context).await;
            }
            Err(errno) => {
                let shell = match self.dialect {
                    Dialect::Posix => "sh: 0: cannot open",
                    Dialect::Bash => "bash:",
                };
                let text = format!("{shell} {file}: {}\n", open_error(errno));
                self.print_to(2, text.as_bytes()).await;
                self.status = if self.dialect == Dialect::Posix {
                    2
                } else {
                    127
                };
            }
        }
    }

    /// Runs what comes on standard input, each command as soon as it is complete.
    async fn run_stdin(&mut self) {
        let mut text = String::new();
        let mut bytes: Vec<u8> = Vec::new();
        let mut line = 1;
        let mut is_over = false;
        while !is_over {
            let piece = self.reader(0).read(BLOCK).await.unwrap_or_default();
            is_over = piece.is_empty();
            text.push_str(&take_lines(&mut bytes, &piece));
            if text.is_empty() {
                continue;
            }
            // What comes from outside has marks of its own: nobody sends the same again.
            let script = super::script::parse(&text, line, self.dialect);
            let (count, length, next_line) = match script.whole {
                Some(whole) if !is_over => whole,
                _ => (script.commands.len(), script.length, script.line),
            };
            text = text.split_off(length);
            line = next_line;
            for command in script.commands.iter().take(count) {
                if self.run(command, Context::default()).await != Flow::Next {
                    return;
                }
            }
            match &script.error {
                Some(error) if is_over || !error.is_incomplete => {
                    self.show_syntax_error(error).await;
                    return;
                }
                _ => {}
            }
        }
    }
}
