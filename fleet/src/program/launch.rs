//! Finding and starting programs: what `execve` does.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::Invocation;
use super::coreutils::{self, Coreutils};
use super::invocation::absolute;
use crate::environment::Environment;
use crate::files::{Content, Credentials, Errno, Files, Follow};
use crate::pipe::{Reader, Writer};
use crate::process::{self, Birth, Child, Control, Ended, Pid, Signal};
use crate::world::{Fleet, HostId};

/// What it takes to make a process and to load a program.
const START: Duration = Duration::from_millis(1);
/// Where programs are looked for without `PATH`.
pub(crate) const DEFAULT_PATH: &str =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Everything that a program is started with.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    /// The fleet.
    pub(crate) fleet: Fleet,
    /// The host.
    pub(crate) host: HostId,
    /// Who starts it.
    pub(crate) parent: Pid,
    /// The session that it belongs to.
    pub(crate) session: u64,
    /// The file.
    pub(crate) path: String,
    /// Its arguments; the first is the name that it is called by.
    pub(crate) arguments: Vec<String>,
    /// Its environment.
    pub(crate) environment: Environment,
    /// Its working directory.
    pub(crate) directory: String,
    /// Who runs it.
    pub(crate) credentials: Credentials,
    /// The bits that new files do not get.
    pub(crate) umask: u32,
    /// Standard input.
    pub(crate) stdin: Reader,
    /// Standard output.
    pub(crate) stdout: Writer,
    /// Standard error.
    pub(crate) stderr: Writer,
    /// The signals that it ignores from the start.
    pub(crate) ignored: BTreeSet<Signal>,
}

impl Launch {
    /// Returns what starts a program as the service manager does: as root, with nothing to read
    /// and nobody to listen.
    pub(crate) fn of_root(
        fleet: &Fleet,
        host: HostId,
        path: String,
        arguments: Vec<String>,
    ) -> Self {
        Self {
            fleet: fleet.clone(),
            host,
            parent: Pid(1),
            session: 0,
            path,
            arguments,
            environment: [("PATH", DEFAULT_PATH)].into_iter().collect(),
            directory: "/".to_owned(),
            credentials: Credentials::root(),
            umask: 0o022,
            stdin: Reader::null(),
            stdout: Writer::null(),
            stderr: Writer::null(),
            ignored: BTreeSet::new(),
        }
    }

    /// Runs it as a process of its own, for as long as it takes.
    pub(crate) async fn finish(self) -> Ended {
        let (ended, owed) = self.start().wait().await;
        tokio::time::sleep(owed).await;
        ended
    }

    /// Starts it as a process of its own.
    pub(crate) fn start(self) -> Child {
        let birth = Birth {
            parent: self.parent,
            session: self.session,
            user: self.credentials.user.clone(),
            command: self.arguments.clone(),
            ignored: self.ignored.clone(),
        };
        let fleet = self.fleet.clone();
        process::start(&fleet, self.host, birth, |pid, control| {
            self.become_process(pid, control)
        })
    }

    /// Runs it in a process that is there already, as `exec` does.
    pub(crate) async fn become_process(self, pid: Pid, control: Arc<Control>) -> (Ended, Duration) {
        let mut launch = self;
        control.set_dispositions(BTreeSet::new(), launch.ignored.clone());
        for _ in 0..5 {
            match launch.image() {
                Image::Program(name) => return launch.run(&name, pid, control).await,
                Image::Script(interpreter, argument) => {
                    let mut arguments = vec![interpreter.clone()];
                    arguments.extend(argument);
                    arguments.push(launch.path.clone());
                    arguments.extend(launch.arguments.drain(..).skip(1));
                    launch.arguments = arguments;
                    launch.path = interpreter;
                }
            }
        }
        (Ended::Code(126), START)
    }

    fn image(&self) -> Image {
        let content = self.fleet.host(self.host, |host| {
            host.files.read(&self.path, &Credentials::root())
        });
        match content {
            Ok(Content::Program(name)) => Image::Program(name.to_string()),
            Ok(content) => script_of(&content.slice(0, 256)),
            Err(_) => Image::Program(String::new()),
        }
    }

    async fn run(self, image: &str, pid: Pid, control: Arc<Control>) -> (Ended, Duration) {
        let (coreutils, program) = Coreutils::of(image);
        let mut arguments = self.arguments.into_iter();
        let mut invocation = Invocation {
            coreutils,
            name: arguments.next().unwrap_or_default(),
            arguments: arguments.collect(),
            fleet: self.fleet.clone(),
            host: self.host,
            pid,
            parent: self.parent,
            session: self.session,
            control,
            environment: self.environment,
            directory: self.directory,
            credentials: self.credentials,
            umask: self.umask,
            stdin: self.stdin,
            stdout: self.stdout,
            stderr: self.stderr,
            owed: START,
            printed: Vec::new(),
            is_on_terminal: false,
            has_failed_to_write: false,
            ignores_failed_writes: false,
        };
        self.fleet.host(self.host, |host| {
            let (name, arguments) = (&invocation.name, &invocation.arguments);
            host.processes.set_command(pid, name, arguments);
        });
        if coreutils == Coreutils::Uutils {
            program.clone_into(&mut invocation.name);
        }
        let answered = coreutils::answer_first(&mut invocation);
        let status = match super::find(program) {
            Some(program) => match answered {
                Some(status) => status,
                None => (program.run)(&mut invocation).await,
            },
            None if invocation.is_taken_for_done() => 0,
            None => invocation.not_simulated("the program"),
        };
        invocation.flush().await;
        let status = match invocation.has_failed_to_write {
            true if status == 0 && !invocation.ignores_failed_writes => 1,
            _ => status,
        };
        (Ended::Code(status), invocation.owed)
    }
}

/// What a file holds that can be run.
enum Image {
    Program(String),
    /// The interpreter, and its argument.
    Script(String, Option<String>),
}

fn script_of(start: &[u8]) -> Image {
    let text = String::from_utf8_lossy(start);
    let line = text.lines().next().unwrap_or_default();
    let Some(rest) = line.strip_prefix("#!") else {
        return Image::Script("/bin/sh".to_owned(), None);
    };
    let rest = rest.trim();
    match rest.split_once([' ', '\t']) {
        Some((interpreter, argument)) => {
            Image::Script(interpreter.to_owned(), Some(argument.trim().to_owned()))
        }
        None => Image::Script(rest.to_owned(), None),
    }
}

/// Looks for a program as a shell does.
///
/// # Errors
///
/// Fails with 127 where there is none, and with 126 where there is one that may not be run.
pub(crate) fn find_executable(
    fleet: &Fleet,
    host: HostId,
    name: &str,
    search: Option<&str>,
    directory: &str,
    who: &Credentials,
) -> Result<String, u8> {
    fleet.host(host, |host| {
        self::search(&host.files, name, search, directory, who)
    })
}

/// Looks for a program in a file tree.
///
/// # Errors
///
/// Fails as [`find_executable`].
pub(crate) fn search(
    files: &Files,
    name: &str,
    places: Option<&str>,
    directory: &str,
    who: &Credentials,
) -> Result<String, u8> {
    if name.is_empty() {
        return Err(127);
    }
    if name.contains('/') {
        let path = absolute(directory, name);
        return may_run(files, &path, who).map(|()| path);
    }
    let mut worst = 127;
    for place in places.unwrap_or(DEFAULT_PATH).split(':') {
        let mut path = absolute(directory, place);
        path.push('/');
        path.push_str(name);
        match may_run(files, &path, who) {
            Ok(()) => return Ok(path),
            Err(126) if files.exists(&path) => worst = 126,
            Err(_) => {}
        }
    }
    Err(worst)
}

/// Returns whether a path leads to a file system that is mounted `noexec`.
fn forbids_programs(files: &Files, path: &str, who: &Credentials) -> bool {
    // Nearly no host has one.
    if !files.mounts().iter().any(|mount| mount.has("noexec")) {
        return false;
    }
    let full = files.resolve(path, Follow::Yes, who);
    let mount = full.ok().and_then(|full| files.mount_of(&full));
    mount.is_some_and(|mount| mount.has("noexec"))
}

fn may_run(files: &Files, path: &str, who: &Credentials) -> Result<(), u8> {
    match files.node(path, Follow::Yes, who) {
        Ok(node) if !node.stat().is_file() => Err(126),
        Ok(node) if node.allows(who, 1) && !forbids_programs(files, path, who) => Ok(()),
        Ok(_) | Err(Errno::Access | Errno::NotDirectory) => Err(126),
        Err(_) => Err(127),
    }
}
