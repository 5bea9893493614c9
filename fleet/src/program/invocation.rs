//! One run of a program, and what every program may do.

use std::sync::Arc;
use std::time::Duration;

use super::coreutils::{Coreutils, usage};
use super::launch::Launch;
use crate::environment::Environment;
use crate::files::{Credentials, Files};
use crate::host::Host;
use crate::open::Opener;
use crate::pipe::{Reader, WriteError, Writer};
use crate::process::{Control, Ended, Pid, Signal};
use crate::world::{Fleet, HostId, World};

/// What is owed below this is not worth a sleep.
pub(crate) const WORTH_SLEEPING: Duration = Duration::from_millis(20);
/// The exit status of what is not simulated.
const NOT_SIMULATED: u8 = 70;

/// One run of a program.
pub(crate) struct Invocation {
    /// The fleet.
    pub(crate) fleet: Fleet,
    /// The host that it runs on.
    pub(crate) host: HostId,
    /// Its process.
    pub(crate) pid: Pid,
    /// Its parent.
    pub(crate) parent: Pid,
    /// The session that it belongs to.
    pub(crate) session: u64,
    /// What its process is steered by.
    pub(crate) control: Arc<Control>,
    /// Whose coreutils it is of.
    pub(crate) coreutils: Coreutils,
    /// The name that it was called by; programs of uutils have only that of their own.
    pub(crate) name: String,
    /// Its arguments, without the name.
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
    /// How much time it has used and not waited for yet.
    pub(crate) owed: Duration,
    /// What was printed and not written yet, in order; whether it goes to standard error.
    pub(crate) printed: Vec<(bool, Vec<u8>)>,
    /// Whether it has a terminal of its own for what it prints: line ends get a carriage return,
    /// and errors come with everything else.
    pub(crate) is_on_terminal: bool,
    /// Whether its standard output refused something.
    pub(crate) has_failed_to_write: bool,
    /// Whether it ends well all the same.
    pub(crate) ignores_failed_writes: bool,
}

impl Invocation {
    fn put(&mut self, is_error: bool, bytes: &[u8]) {
        if self.is_on_terminal {
            self.put_on_terminal(bytes);
            return;
        }
        match self.printed.last_mut() {
            Some((same, buffer)) if *same == is_error => buffer.extend_from_slice(bytes),
            _ => self.printed.push((is_error, bytes.to_vec())),
        }
    }

    fn put_on_terminal(&mut self, bytes: &[u8]) {
        let mut out = Vec::with_capacity(bytes.len() + 16);
        for byte in bytes {
            if *byte == b'\n' {
                out.push(b'\r');
            }
            out.push(*byte);
        }
        match self.printed.last_mut() {
            Some((false, buffer)) => buffer.extend_from_slice(&out),
            _ => self.printed.push((false, out)),
        }
    }

    /// Returns its descriptors that are terminals.
    pub(crate) fn terminals(&self) -> Vec<u32> {
        let all = [
            self.stdin.as_terminal(),
            self.stdout.as_terminal(),
            self.stderr.as_terminal(),
        ];
        let found = (0..).zip(all).filter(|(_, one)| one.is_some());
        found.map(|(number, _)| number).collect()
    }

    /// Prints a text.
    pub(crate) fn print(&mut self, text: &str) {
        self.put(false, text.as_bytes());
    }

    /// Prints bytes.
    pub(crate) fn print_bytes(&mut self, bytes: &[u8]) {
        self.put(false, bytes);
    }

    /// Prints a line on standard error.
    pub(crate) fn complain(&mut self, text: &str) {
        self.put(true, text.as_bytes());
        if !text.ends_with('\n') {
            self.put(true, b"\n");
        }
    }

    /// Prints a text on standard error as it is.
    pub(crate) fn print_error(&mut self, text: &str) {
        self.put(true, text.as_bytes());
    }

    /// Prints a line on standard error, after the name of the program.
    pub(crate) fn error(&mut self, text: &str) {
        let text = format!("{}: {text}", self.name);
        self.complain(&text);
    }

    /// Says that operands are missing where there are so many; returns the exit status.
    pub(crate) fn lacks(&mut self, operands: usize, what: &str) -> u8 {
        if self.coreutils == Coreutils::Uutils
            && let Some(status) = usage::incomplete(self, operands)
        {
            return status;
        }
        self.misused(what)
    }

    /// Says what is wrong with how it was called, and where to read more; returns 1.
    pub(crate) fn misused(&mut self, what: &str) -> u8 {
        let name = self.name.clone();
        self.error(what);
        self.complain(&format!("Try '{name} --help' for more information."));
        1
    }

    /// Writes what was printed. Where nobody reads, the process ends by SIGPIPE.
    pub(crate) async fn flush(&mut self) {
        for (is_error, bytes) in std::mem::take(&mut self.printed) {
            let writer = if is_error { &self.stderr } else { &self.stdout };
            match writer.write(&bytes).await {
                Ok(()) => {}
                Err(WriteError::Broken) => {
                    let is_ignored = self.control.ignored().contains(&Signal::PIPE);
                    if !is_ignored {
                        self.control.signal(Signal::PIPE);
                        std::future::pending::<()>().await;
                    }
                    self.refuse(is_error, "Broken pipe").await;
                }
                Err(WriteError::Closed) => self.refuse(is_error, "Bad file descriptor").await,
                Err(WriteError::Errno(errno)) => {
                    self.refuse(is_error, &errno.to_string()).await;
                }
            }
        }
    }

    async fn refuse(&mut self, is_error: bool, why: &str) {
        if is_error || self.has_failed_to_write {
            return;
        }
        self.has_failed_to_write = true;
        let mut operands = self.arguments.iter().filter(|word| !word.starts_with('-'));
        let last = operands.next_back().map(String::as_str);
        match self.coreutils.write(&self.name, last, why) {
            // There is nobody left to tell.
            Some(text) => drop(self.stderr.write(format!("{text}\n").as_bytes()).await),
            None => self.ignores_failed_writes = true,
        }
    }

    /// Reads standard input to its end.
    pub(crate) async fn read_input(&mut self) -> Vec<u8> {
        self.flush().await;
        match self.stdin.read_to_end().await {
            Ok(bytes) => bytes,
            Err(error) => {
                self.error(&format!("-: {error}"));
                Vec::new()
            }
        }
    }

    /// Reads a file that is an operand; `-` is standard input. Complains where it cannot be read.
    pub(crate) async fn read_operand(&mut self, operand: &str) -> Option<Vec<u8>> {
        if operand == "-" || operand == "/dev/stdin" {
            return Some(self.read_input().await);
        }
        let path = self.path(operand);
        match self.opener().content(&path) {
            Ok(content) => Some(content.whole().to_vec()),
            Err(errno) => {
                self.error(&format!("{operand}: {errno}"));
                None
            }
        }
    }

    /// Returns what opens files for it.
    pub(crate) fn opener(&self) -> Opener<'_> {
        Opener {
            fleet: &self.fleet,
            host: self.host,
            who: &self.credentials,
            umask: self.umask,
        }
    }

    /// Does something with the files of the host as the user who runs it, at this time.
    pub(crate) fn files<T>(&self, work: impl FnOnce(&mut Files, &Credentials, Duration) -> T) -> T {
        let now = self.now();
        self.host(|host| work(&mut host.files, &self.credentials, now))
    }

    /// Uses time; sleeps where it has become worth it.
    pub(crate) async fn spend(&mut self, time: Duration) {
        self.owed += time;
        if self.owed >= WORTH_SLEEPING {
            self.flush().await;
            let owed = std::mem::take(&mut self.owed);
            tokio::time::sleep(owed).await;
        }
    }

    /// Sleeps for a time. A signal ends the process, and with it the sleep.
    pub(crate) async fn sleep(&mut self, time: Duration) {
        self.flush().await;
        let owed = std::mem::take(&mut self.owed);
        tokio::time::sleep(owed + time).await;
    }

    /// Fails loudly: what was asked for is not simulated. Returns the exit status.
    pub(crate) fn not_simulated(&mut self, what: &str) -> u8 {
        let name = self.name.rsplit('/').next().unwrap_or_default().to_owned();
        self.fleet.note_not_simulated(self.host, &name, what);
        self.complain(&format!("{name}: not simulated: {what}"));
        NOT_SIMULATED
    }

    /// Returns the time since 1970 by the clock of the host.
    pub(crate) fn now(&self) -> Duration {
        self.fleet.time_of(self.host)
    }

    /// Does something with the host, while nobody else does.
    pub(crate) fn host<T>(&self, work: impl FnOnce(&mut Host) -> T) -> T {
        self.fleet.host(self.host, work)
    }

    /// Does something with the world, while nobody else does.
    pub(crate) fn world<T>(&self, work: impl FnOnce(&mut World) -> T) -> T {
        self.fleet.world(work)
    }

    /// Returns a variable of the environment.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name)
    }

    /// Returns the absolute form of a path. `.` and `..` are left to the file tree, which knows
    /// the symbolic links.
    pub(crate) fn path(&self, path: &str) -> String {
        absolute(&self.directory, path)
    }

    /// Returns what starts another program with everything that this one has, `arguments` first
    /// being its name.
    ///
    /// # Errors
    ///
    /// Fails with 127 where there is no such program, and with 126 where it may not be run.
    pub(crate) fn launch(&self, arguments: Vec<String>) -> Result<Launch, u8> {
        let name = arguments.first().cloned().unwrap_or_default();
        let path = super::launch::find_executable(
            &self.fleet,
            self.host,
            &name,
            self.variable("PATH"),
            &self.directory,
            &self.credentials,
        )?;
        Ok(Launch {
            fleet: self.fleet.clone(),
            host: self.host,
            parent: self.pid,
            session: self.session,
            path,
            arguments,
            environment: self.environment.clone(),
            directory: self.directory.clone(),
            credentials: self.credentials.clone(),
            umask: self.umask,
            stdin: self.stdin.clone(),
            stdout: self.stdout.clone(),
            stderr: self.stderr.clone(),
            ignored: self.control.ignored(),
        })
    }

    /// Runs another program as a process of its own, with our outputs, and waits for its end.
    /// Returns its exit status; 126 or 127, and says nothing, where it cannot be run.
    pub(crate) async fn run_program(&mut self, arguments: &[String], stdin: Reader) -> u8 {
        self.flush().await;
        match self.launch(arguments.to_vec()) {
            Ok(launch) => self.run_launch(Launch { stdin, ..launch }).await,
            Err(status) => status,
        }
    }

    /// Runs what was prepared, and waits for its end.
    pub(crate) async fn run_launch(&mut self, launch: Launch) -> u8 {
        self.flush().await;
        let (ended, owed) = launch.start().wait().await;
        self.owed += owed;
        ended.status()
    }

    /// Replaces this program by another one, as `exec` does.
    pub(crate) async fn become_program(&mut self, launch: Launch) -> u8 {
        self.flush().await;
        let (pid, control) = (self.pid, Arc::clone(&self.control));
        self.stdin = Reader::null();
        self.stdout = Writer::null();
        let (ended, owed) = launch.become_process(pid, control).await;
        self.owed += owed;
        match ended {
            Ended::Code(code) => code,
            Ended::Signal(signal) => signal.0 + 128,
        }
    }
}

/// Returns the absolute form of a path.
pub(crate) fn absolute(directory: &str, path: &str) -> String {
    if path.starts_with('/') || path.is_empty() {
        return path.to_owned();
    }
    format!("{}/{path}", directory.trim_end_matches('/'))
}
