//! Whether a host answers, and how its server meets who comes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};

use crate::host::{Host, Init, Power, Sshd};

/// What the door of a host depends on. Whoever changes a host is compared before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reach {
    power: Power,
    has_cable: bool,
    sshd: Sshd,
    /// Whether the server runs, and since when.
    server: Option<(u64, u32)>,
    /// When it was booted.
    booted: u64,
}

impl Reach {
    /// Returns that of a host.
    pub(crate) fn of(host: &Host) -> Self {
        let server = match host.init {
            Init::Systemd => {
                let state = host.systemd.states.get(host.family.ssh_unit());
                let state = state.filter(|state| state.is_active());
                state.map(|state| (state.since, state.main_pid))
            }
            Init::OpenRc => {
                let process = crate::openrc::process_of(host, "/usr/sbin/sshd");
                process.map(|(pid, process)| (process.started.as_secs(), pid.0))
            }
        };
        Self {
            power: host.power,
            has_cable: host.has_cable,
            sshd: host.sshd,
            server,
            booted: host.booted.to_bits(),
        }
    }

    /// Returns whether bytes get in and out.
    pub(super) fn is_open(&self) -> bool {
        self.power == Power::On && self.has_cable
    }

    /// Returns whether connections from another boot are unknown to it.
    pub(super) fn forgets(&self, before: &Self) -> bool {
        self.booted != before.booted
    }

    /// Returns how somebody is met who comes now.
    pub(super) fn reception(&self) -> Reception {
        if !self.is_open() || self.sshd == Sshd::Filtered {
            return Reception::Vanishes;
        }
        match self.sshd {
            _ if self.server.is_none() => Reception::Refused,
            Sshd::Down => Reception::Refused,
            Sshd::Filtered => Reception::Vanishes,
            Sshd::Resets => Reception::Reset,
            Sshd::Silent => Reception::Silence,
            Sshd::Up => Reception::Welcome(Manner::Plain),
            Sshd::Rejects => Reception::Welcome(Manner::KnowsNobody),
            Sshd::OtherKey => Reception::Welcome(Manner::OtherKey),
        }
    }
}

/// How somebody is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reception {
    /// The server talks to him.
    Welcome(Manner),
    /// Nothing listens.
    Refused,
    /// His packets vanish.
    Vanishes,
    /// He is taken, and thrown out.
    Reset,
    /// He is taken, and nobody says anything.
    Silence,
}

/// How a server behaves that talks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// As it should.
    Plain,
    /// It knows none of the keys.
    KnowsNobody,
    /// It shows another key than before.
    OtherKey,
}

/// Lets bytes through, or not; shared by all connections of a host.
#[derive(Debug, Clone, Default)]
pub(super) struct Gate(Arc<State>);

#[derive(Debug, Default)]
struct State {
    is_shut: AtomicBool,
    wakers: Mutex<Vec<Waker>>,
}

impl Gate {
    /// Opens or shuts it.
    pub(super) fn set(&self, is_open: bool) {
        self.0.is_shut.store(!is_open, Ordering::Release);
        if is_open {
            let mut wakers = self.0.wakers.lock().unwrap_or_else(PoisonError::into_inner);
            for waker in wakers.drain(..) {
                waker.wake();
            }
        }
    }

    /// Returns whether it is open; else the task is woken when it is.
    pub(super) fn poll_open(&self, context: &Context<'_>) -> bool {
        if !self.0.is_shut.load(Ordering::Acquire) {
            return true;
        }
        let mut wakers = self.0.wakers.lock().unwrap_or_else(PoisonError::into_inner);
        if !wakers.iter().any(|known| known.will_wake(context.waker())) {
            wakers.push(context.waker().clone());
        }
        // It may have been opened in between.
        !self.0.is_shut.load(Ordering::Acquire)
    }
}
