//! Processes and their signals.
//!
//! A process is a task that is raced against its control: a signal that ends it drops the task,
//! and with it the ends of the pipes that it held.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::world::{Fleet, HostId};

/// The id of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pid(pub(crate) u32);

/// A signal, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Signal(pub(crate) u8);

/// The names of the signals, from number 1.
pub(crate) const SIGNALS: &[&str] = &[
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
    "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
    "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
];

impl Signal {
    pub(crate) const HUP: Self = Self(1);
    pub(crate) const INT: Self = Self(2);
    pub(crate) const QUIT: Self = Self(3);
    pub(crate) const KILL: Self = Self(9);
    pub(crate) const PIPE: Self = Self(13);
    pub(crate) const TERM: Self = Self(15);
    pub(crate) const CONT: Self = Self(18);
    pub(crate) const STOP: Self = Self(19);
    pub(crate) const TSTP: Self = Self(20);
    pub(crate) const WINCH: Self = Self(28);

    /// Returns the signal with a name (with or without `SIG`) or a number.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Ok(number) = text.parse::<u8>() {
            return (number <= 64).then_some(Self(number));
        }
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        let at = SIGNALS.iter().position(|one| *one == name)?;
        u8::try_from(at + 1).ok().map(Self)
    }

    /// Returns its name without `SIG`.
    pub(crate) fn name(self) -> &'static str {
        let at = usize::from(self.0).wrapping_sub(1);
        SIGNALS.get(at).copied().unwrap_or("0")
    }

    /// Returns what a shell says of a process that it ended.
    pub(crate) fn description(self) -> &'static str {
        match self.name() {
            "HUP" => "Hangup",
            "QUIT" => "Quit",
            "ILL" => "Illegal instruction",
            "ABRT" => "Aborted",
            "KILL" => "Killed",
            "SEGV" => "Segmentation fault",
            "TERM" => "Terminated",
            "USR1" => "User defined signal 1",
            "USR2" => "User defined signal 2",
            "ALRM" => "Alarm clock",
            "INT" | "PIPE" => "",
            other => other,
        }
    }

    fn is_harmless(self) -> bool {
        matches!(
            self.name(),
            "CHLD" | "CONT" | "URG" | "WINCH" | "STOP" | "TSTP" | "TTIN" | "TTOU"
        )
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// By itself, with this status.
    Code(u8),
    /// By a signal.
    Signal(Signal),
}

impl Ended {
    /// Returns the status that a shell sees.
    pub(crate) fn status(self) -> u8 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => signal.0.saturating_add(128),
        }
    }
}

#[derive(Debug, Default)]
struct State {
    killed: Option<Signal>,
    is_stopped: bool,
    /// Whether it is the first process of a container: what it does not catch does nothing.
    is_first: bool,
    pending: VecDeque<Signal>,
    ignored: BTreeSet<Signal>,
    caught: BTreeSet<Signal>,
    ended: Option<(Ended, Duration)>,
    wakers: Vec<Waker>,
}

/// What a process is steered by.
#[derive(Debug, Default)]
pub(crate) struct Control {
    state: Mutex<State>,
}

impl Control {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let (result, wakers) = {
            let mut state = self.state();
            let result = change(&mut state);
            (result, std::mem::take(&mut state.wakers))
        };
        for waker in wakers {
            waker.wake();
        }
        result
    }

    /// Delivers a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        self.change(|state| match signal {
            Signal(0) => {}
            Signal::KILL => state.killed = state.killed.or(Some(signal)),
            Signal::STOP => state.is_stopped = true,
            _ => {
                if signal == Signal::CONT {
                    state.is_stopped = false;
                }
                if state.caught.contains(&signal) {
                    state.pending.push_back(signal);
                } else if !state.is_first
                    && !state.ignored.contains(&signal)
                    && !signal.is_harmless()
                {
                    state.killed = state.killed.or(Some(signal));
                }
            }
        });
    }

    /// Sets which signals are caught, and which ignored.
    pub(crate) fn set_dispositions(&self, caught: BTreeSet<Signal>, ignored: BTreeSet<Signal>) {
        let mut state = self.state();
        state.caught = caught;
        state.ignored = ignored;
    }

    /// Returns whether a signal is caught.
    pub(crate) fn catches(&self, signal: Signal) -> bool {
        self.state().caught.contains(&signal)
    }

    /// Returns which signals are ignored.
    pub(crate) fn ignored(&self) -> BTreeSet<Signal> {
        self.state().ignored.clone()
    }

    /// Takes the next signal that was caught.
    pub(crate) fn take_pending(&self) -> Option<Signal> {
        self.state().pending.pop_front()
    }

    /// Returns whether a signal that is caught waits.
    pub(crate) fn has_pending(&self) -> bool {
        !self.state().pending.is_empty()
    }

    /// Returns the next signal that was caught, and leaves it.
    pub(crate) fn first_pending(&self) -> Option<Signal> {
        self.state().pending.front().copied()
    }

    fn wait(state: &mut State, context: &Context<'_>) {
        let known = |waker: &Waker| waker.will_wake(context.waker());
        if !state.wakers.iter().any(known) {
            state.wakers.push(context.waker().clone());
        }
    }

    /// Waits until a signal that is caught arrives.
    pub(crate) async fn interrupted(&self) {
        std::future::poll_fn(|context| {
            let mut state = self.state();
            if !state.pending.is_empty() {
                return Poll::Ready(());
            }
            Self::wait(&mut state, context);
            Poll::Pending
        })
        .await;
    }

    /// Waits for the end; returns how it was, and the time that is owed.
    pub(crate) async fn ended(&self) -> (Ended, Duration) {
        std::future::poll_fn(|context| {
            let mut state = self.state();
            if let Some(ended) = state.ended {
                return Poll::Ready(ended);
            }
            Self::wait(&mut state, context);
            Poll::Pending
        })
        .await
    }

    fn finish(&self, ended: Ended, owed: Duration) {
        self.change(|state| {
            state.ended.get_or_insert((ended, owed));
        });
    }
}

/// A future that a signal ends.
struct Controlled<'a, F> {
    control: &'a Control,
    inner: Pin<Box<F>>,
}

impl<F: Future> Future for Controlled<'_, F> {
    type Output = Result<F::Output, Signal>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        {
            let mut state = self.control.state();
            if let Some(signal) = state.killed {
                return Poll::Ready(Err(signal));
            }
            Control::wait(&mut state, context);
            if state.is_stopped {
                return Poll::Pending;
            }
        }
        let result = self.inner.as_mut().poll(context);
        // What it did to itself counts at once.
        if result.is_pending() {
            let state = self.control.state();
            if let Some(signal) = state.killed {
                return Poll::Ready(Err(signal));
            }
        }
        result.map(Ok)
    }
}

/// What is known of a process from outside.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    /// Its parent; 1 where that has ended.
    pub(crate) parent: Pid,
    /// The session of the connection that it came from; 0 for what the system started.
    pub(crate) session: u64,
    /// Who runs it.
    pub(crate) user: String,
    /// Its command line.
    pub(crate) command: Vec<String>,
    /// When it started: time since 1970 by the clock of its host.
    pub(crate) started: Duration,
    /// What it is steered by.
    pub(crate) control: Arc<Control>,
}

/// The processes of a host.
#[derive(Debug)]
pub(crate) struct Processes {
    last: u32,
    table: BTreeMap<Pid, Process>,
    /// The first process of each session.
    leaders: BTreeMap<u64, Pid>,
}

impl Default for Processes {
    fn default() -> Self {
        Self {
            last: 1200,
            table: BTreeMap::new(),
            leaders: BTreeMap::new(),
        }
    }
}

impl Processes {
    /// Returns all processes by id.
    pub(crate) fn all(&self) -> &BTreeMap<Pid, Process> {
        &self.table
    }

    /// Adds a process that no task stands for: what the system runs. It ends when it is killed.
    pub(crate) fn add_resident(&mut self, pid: Option<Pid>, process: Process) -> Pid {
        let pid = pid.unwrap_or_else(|| self.next());
        self.table.insert(pid, process);
        pid
    }

    /// Takes a number for a process that ends at once.
    pub(crate) fn take_number(&mut self) -> u32 {
        self.next().0
    }

    /// Removes a process that no task stands for.
    pub(crate) fn remove(&mut self, pid: Pid) {
        self.table.remove(&pid);
    }

    /// Sets the command line of a process.
    pub(crate) fn set_command(&mut self, pid: Pid, name: &str, arguments: &[String]) {
        let Some(process) = self.table.get_mut(&pid) else {
            return;
        };
        let words = || std::iter::once(name).chain(arguments.iter().map(String::as_str));
        if !process.command.iter().eq(words()) {
            process.command = words().map(str::to_owned).collect();
        }
    }

    /// Delivers a signal to a process, where the user may do so.
    ///
    /// # Errors
    ///
    /// Fails with the text of the C library.
    pub(crate) fn kill(
        &mut self,
        pid: Pid,
        signal: Signal,
        user: &str,
    ) -> Result<(), &'static str> {
        let Some(process) = self.table.get(&pid) else {
            return Err("No such process");
        };
        if user != "root" && process.user != user {
            return Err("Operation not permitted");
        }
        process.control.signal(signal);
        Ok(())
    }

    /// Delivers a signal to a process group, by the id of its leader: the processes of a session
    /// are one.
    ///
    /// # Errors
    ///
    /// Fails with the text of the C library where none of them is left.
    pub(crate) fn kill_group(
        &mut self,
        leader: Pid,
        signal: Signal,
        user: &str,
    ) -> Result<(), &'static str> {
        let mut sessions = self.leaders.iter();
        let session = sessions
            .find(|(_, pid)| **pid == leader)
            .map(|(session, _)| *session);
        let Some(session) = session else {
            return Err("No such process");
        };
        let may = |process: &&Process| user == "root" || process.user == user;
        let members = self
            .table
            .values()
            .filter(|process| process.session == session);
        let members: Vec<&Process> = members.collect();
        if members.is_empty() {
            self.leaders.remove(&session);
            return Err("No such process");
        }
        let mine: Vec<&&Process> = members.iter().filter(|process| may(process)).collect();
        if mine.is_empty() {
            return Err("Operation not permitted");
        }
        for process in mine {
            process.control.signal(signal);
        }
        Ok(())
    }

    /// Delivers a signal to all processes of a session that a user may send one to.
    pub(crate) fn signal_session(&mut self, session: u64, signal: Signal, user: &str) {
        let may = |process: &&Process| user == "root" || process.user == user;
        let members = self.table.values();
        let members = members.filter(|process| process.session == session);
        for process in members.filter(may) {
            process.control.signal(signal);
        }
    }

    /// Lets the next process be number 1: that of a container that starts.
    pub(crate) fn start_with_one(&mut self) {
        self.kill_all();
        self.table.clear();
        self.leaders.clear();
        self.last = 0;
    }

    /// Kills everything, as a reboot does.
    pub(crate) fn kill_all(&mut self) {
        for process in self.table.values() {
            process.control.signal(Signal::KILL);
        }
        self.table.retain(|pid, _| pid.0 == 1);
    }

    fn next(&mut self) -> Pid {
        self.last = if self.last >= 4_194_303 {
            300
        } else {
            self.last + 1
        };
        Pid(self.last)
    }
}

/// A process that was started.
#[derive(Debug, Clone)]
pub(crate) struct Child {
    /// Its id.
    pub(crate) pid: Pid,
    /// What it is steered by.
    pub(crate) control: Arc<Control>,
}

impl Child {
    /// Waits for the end; returns how it was, and the time that is owed.
    pub(crate) async fn wait(&self) -> (Ended, Duration) {
        self.control.ended().await
    }
}

/// What is known of a process before it starts.
#[derive(Debug, Clone)]
pub(crate) struct Birth {
    /// Who starts it.
    pub(crate) parent: Pid,
    /// The session that it belongs to.
    pub(crate) session: u64,
    /// Who runs it.
    pub(crate) user: String,
    /// Its command line.
    pub(crate) command: Vec<String>,
    /// The signals that it ignores from the start.
    pub(crate) ignored: BTreeSet<Signal>,
}

/// Says that a process has ended, whatever happens to its task.
struct Obituary {
    fleet: Fleet,
    host: HostId,
    pid: Pid,
    control: Arc<Control>,
    ended: Option<(Ended, Duration)>,
}

impl Obituary {
    fn conclude(mut self, ended: (Ended, Duration)) {
        self.ended = Some(ended);
    }
}

impl Drop for Obituary {
    fn drop(&mut self) {
        self.fleet.host(self.host, |host| {
            let processes = &mut host.processes;
            let is_mine = processes
                .table
                .get(&self.pid)
                .is_some_and(|process| Arc::ptr_eq(&process.control, &self.control));
            if is_mine {
                processes.table.remove(&self.pid);
                for process in processes.table.values_mut() {
                    if process.parent == self.pid {
                        process.parent = Pid(1);
                    }
                }
            }
        });
        let (ended, owed) = self
            .ended
            .unwrap_or((Ended::Signal(Signal::KILL), Duration::ZERO));
        self.control.finish(ended, owed);
    }
}

/// Starts a process; `make` gets its id and its control, and says how it ends and what it owes.
pub(crate) fn start<F>(
    fleet: &Fleet,
    host: HostId,
    birth: Birth,
    make: impl FnOnce(Pid, Arc<Control>) -> F,
) -> Child
where
    F: Future<Output = (Ended, Duration)> + Send + 'static,
{
    let control = Arc::new(Control::default());
    control.set_dispositions(BTreeSet::new(), birth.ignored);
    let started = fleet.time_of(host);
    let pid = fleet.host(host, |host| {
        let pid = host.processes.next();
        let process = Process {
            parent: birth.parent,
            session: birth.session,
            user: birth.user,
            command: birth.command,
            started,
            control: Arc::clone(&control),
        };
        // What sshd starts leads the process group of all that comes from it.
        if process.session != 0 {
            let leaders = &mut host.processes.leaders;
            leaders.entry(process.session).or_insert(pid);
        }
        host.processes.table.insert(pid, process);
        pid
    });
    control.change(|state| state.is_first = pid.0 == 1);
    let inner = Box::pin(make(pid, Arc::clone(&control)));
    let obituary = Obituary {
        fleet: fleet.clone(),
        host,
        pid,
        control: Arc::clone(&control),
        ended: None,
    };
    tokio::spawn(async move {
        let control = Arc::clone(&obituary.control);
        let result = Controlled {
            control: &control,
            inner,
        }
        .await;
        obituary.conclude(match result {
            Ok(ended) => ended,
            Err(signal) => (Ended::Signal(signal), Duration::ZERO),
        });
    });
    Child { pid, control }
}
