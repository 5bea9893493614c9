//! Processes that a shell starts.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::environment::Environment;
use crate::pipe::{Reader, Writer};
use crate::process::{self, Birth, Child, Ended, Signal};
use crate::program::launch::Launch;

use super::tree::Command;
use super::{Context, Descriptor, Job, Shell};

impl Shell {
    /// Starts a subshell that runs a command.
    pub(super) fn start_subshell(
        &self,
        body: &Arc<Command>,
        descriptors: BTreeMap<u32, Descriptor>,
        is_tested: bool,
    ) -> Child {
        let mut shell = self.clone();
        shell.descriptors = descriptors;
        shell.jobs.clear();
        shell.loops = 0;
        shell.owed = std::time::Duration::ZERO;
        shell.depth = 0;
        let birth = Birth {
            parent: self.process,
            session: self.session,
            user: self.credentials.user.clone(),
            command: vec![self.name.clone()],
            ignored: self.ignored_from_start.clone(),
        };
        let body = Arc::clone(body);
        process::start(&self.fleet, self.host, birth, |pid, control| async move {
            shell.process = pid;
            shell.control = control;
            shell.reset_traps();
            let context = Context {
                is_tested,
                is_last: true,
            };
            shell.run(&body, context).await;
            shell.finish().await
        })
    }

    /// Returns what starts a program with everything that the shell has.
    pub(super) fn launch(
        &self,
        path: String,
        arguments: Vec<String>,
        environment: Environment,
    ) -> Launch {
        Launch {
            fleet: self.fleet.clone(),
            host: self.host,
            parent: self.process,
            session: self.session,
            path,
            arguments,
            environment,
            directory: self.directory.clone(),
            credentials: self.credentials.clone(),
            umask: self.umask,
            stdin: self.reader(0),
            stdout: self.writer(1),
            stderr: self.writer(2),
            ignored: self.ignored(),
        }
    }

    fn ignored(&self) -> std::collections::BTreeSet<Signal> {
        let mut ignored = self.ignored_from_start.clone();
        let by_trap = self.traps.iter().filter(|(_, action)| action.is_empty());
        ignored.extend(by_trap.map(|(number, _)| Signal(*number)));
        ignored
    }

    /// Replaces the shell by a program.
    pub(super) async fn become_program(&mut self, launch: Launch) {
        let (pid, control) = (self.process, Arc::clone(&self.control));
        self.descriptors.clear();
        self.jobs.clear();
        let (ended, owed) = launch.become_process(pid, control).await;
        self.owed += owed;
        self.status = ended.status();
        self.traps.clear();
    }

    /// Waits for a process in the foreground; returns its status.
    pub(super) async fn wait_for(&mut self, child: &Child) -> u8 {
        let (ended, owed) = child.wait().await;
        self.owed += owed;
        self.say_how(ended).await;
        self.settle().await;
        ended.status()
    }

    /// Says what ended a process, where that was a signal.
    pub(super) async fn say_how(&mut self, ended: Ended) {
        if let Ended::Signal(signal) = ended {
            let text = signal.description();
            if !text.is_empty() {
                self.print_to(2, format!("{text}\n").as_bytes()).await;
            }
        }
    }

    /// Sleeps what is owed, where it has become worth it.
    pub(super) async fn settle(&mut self) {
        if self.owed >= crate::program::WORTH_SLEEPING {
            let owed = std::mem::take(&mut self.owed);
            tokio::time::sleep(owed).await;
        }
    }

    /// Runs a pipeline; returns its status.
    pub(super) async fn pipeline(&mut self, stages: &[Arc<Command>], is_tested: bool) -> u8 {
        let mut children = Vec::with_capacity(stages.len());
        let mut input: Option<Reader> = None;
        for (index, stage) in stages.iter().enumerate() {
            let mut descriptors = self.descriptors.clone();
            if let Some(reader) = input.take() {
                descriptors.insert(0, Descriptor::reader(reader));
            }
            if index + 1 < stages.len() {
                let (writer, reader): (Writer, Reader) = crate::pipe::pipe();
                descriptors.insert(1, Descriptor::writer(writer));
                input = Some(reader);
            }
            children.push(self.start_subshell(stage, descriptors, is_tested));
        }
        let mut status = 0;
        let mut failed = 0;
        let mut longest = std::time::Duration::ZERO;
        let count = children.len();
        for (index, child) in children.into_iter().enumerate() {
            let (ended, owed) = child.wait().await;
            longest = longest.max(owed);
            status = ended.status();
            if status != 0 {
                failed = status;
            }
            if index + 1 == count {
                self.say_how(ended).await;
            }
        }
        self.owed += longest;
        self.settle().await;
        match self.options.fails_in_pipes {
            true => failed,
            false => status,
        }
    }

    /// Starts a command in the background.
    pub(super) fn start_background(&mut self, body: &Arc<Command>) {
        let mut descriptors = self.descriptors.clone();
        descriptors.insert(0, Descriptor::reader(Reader::null()));
        let before = self.ignored_from_start.clone();
        if self.options.is_interactive {
            // The keys are for what is in the foreground.
            self.ignored_from_start.extend([Signal::INT, Signal::QUIT]);
        }
        let child = self.start_subshell(body, descriptors, false);
        self.ignored_from_start = before;
        self.last_background = Some(child.pid);
        self.jobs.push(Job { child });
    }
}
