//! The time of a fleet whose doors are open.
//!
//! The hosts live on a thread and a runtime of their own, so that their clock is theirs: it goes as
//! fast as the clock outside, so many times as fast, or it jumps to whatever is waited for. Sockets
//! are served outside, by the clock outside.

use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::{Builder, Handle};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use crate::pipe::Awaited;

/// How often a clock that is not the one outside is set.
const TICK: Duration = Duration::from_millis(5);
/// Hosts may call deep: it is an interpreter that is interpreted.
const STACK: usize = 64 << 20;

/// How fast the time of hosts goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As fast as outside.
    Real,
    /// So many times as fast.
    Scaled(u32),
    /// Waits take no time: the clock jumps while somebody waits for a host, and goes as outside
    /// while no command runs or one waits for its input.
    Instant,
}

impl Pace {
    /// Returns how long something of the simulated world takes outside of it.
    pub(super) fn outside(self, time: Duration) -> Duration {
        match self {
            Self::Real => time,
            Self::Scaled(factor) => time / factor.max(1),
            Self::Instant => Duration::ZERO,
        }
    }

    fn factor(self) -> u32 {
        match self {
            Self::Real | Self::Instant => 1,
            Self::Scaled(factor) => factor.max(1),
        }
    }
}

/// The thread that hosts live on; it ends with the last handle.
#[derive(Debug, Clone)]
pub struct Simulation(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    handle: Handle,
    pace: Pace,
    jumps: Arc<Jumps>,
    /// Ends the thread when it is dropped.
    _stop: oneshot::Sender<()>,
}

impl Simulation {
    /// Starts the thread. It is asked for by a runtime with a clock that is real.
    ///
    /// # Errors
    ///
    /// Fails where the operating system refuses a thread.
    pub async fn start(pace: Pace) -> io::Result<Self> {
        let (stop, stopped) = oneshot::channel::<()>();
        let (ready, started) = oneshot::channel();
        let ticks = ticks();
        std::thread::Builder::new()
            .name("hosts".to_owned())
            .stack_size(STACK)
            .spawn(move || {
                let mut builder = Builder::new_current_thread();
                let built = builder
                    .enable_time()
                    .start_paused(pace != Pace::Real)
                    .build();
                let runtime = match built {
                    Ok(runtime) => runtime,
                    Err(error) => return drop(ready.send(Err(error))),
                };
                // Whoever has started it may be gone.
                let _ = ready.send(Ok(runtime.handle().clone()));
                runtime.block_on(async {
                    tokio::select! {
                        _ = stopped => {}
                        () = follow(ticks, pace) => {}
                    }
                });
                runtime.shutdown_background();
            })?;
        let handle = started
            .await
            .unwrap_or_else(|_| Err(io::Error::other("the thread has ended")))?;
        let jumps = Arc::new(Jumps {
            handle: handle.clone(),
            state: Mutex::new(State {
                is_real: pace == Pace::Real,
                ..State::default()
            }),
        });
        if pace != Pace::Real {
            jumps.change(|state| state.is_never = pace != Pace::Instant);
        }
        Ok(Self(Arc::new(Inner {
            handle,
            pace,
            jumps,
            _stop: stop,
        })))
    }

    /// Runs something among the hosts, and waits for it.
    ///
    /// # Errors
    ///
    /// Fails where the hosts are gone, or it panics.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> io::Result<T> {
        self.0.handle.spawn(work).await.map_err(io::Error::other)
    }

    /// Runs something among the hosts whose waits take no time, whatever the pace is.
    ///
    /// # Errors
    ///
    /// Fails as [`Simulation::run`].
    pub async fn run_at_once<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> io::Result<T> {
        let is_real = self.0.pace == Pace::Real;
        self.0.jumps.change(|state| state.is_rushed = true);
        let result = self.run(async move {
            if is_real {
                tokio::time::pause();
            }
            let result = work.await;
            if is_real {
                tokio::time::resume();
            }
            result
        });
        let result = result.await;
        self.0.jumps.change(|state| state.is_rushed = false);
        result
    }

    /// Starts something among the hosts.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.0.handle.spawn(work);
    }

    /// Does something among the hosts that does not wait.
    pub(super) fn enter<T>(&self, work: impl FnOnce() -> T) -> T {
        let _inside = self.0.handle.enter();
        work()
    }

    /// Returns how fast time goes.
    pub fn pace(&self) -> Pace {
        self.0.pace
    }

    /// Somebody waits for a host, as long as the result lives.
    pub(super) fn wait_for_host(&self) -> Option<Waiting> {
        (self.0.pace == Pace::Instant).then(|| Waiting::new(&self.0.jumps))
    }

    /// Returns what is told when the input of a command is waited for.
    pub(super) fn input(&self) -> Option<Arc<dyn Awaited>> {
        let jumps = Arc::clone(&self.0.jumps);
        (self.0.pace == Pace::Instant).then(|| Arc::new(Input(jumps)) as Arc<dyn Awaited>)
    }

    /// Returns what is told when a terminal is waited for.
    pub(super) fn terminal_input(&self) -> Option<Arc<dyn Awaited>> {
        let jumps = Arc::clone(&self.0.jumps);
        (self.0.pace == Pace::Instant).then(|| Arc::new(Prompt(jumps)) as Arc<dyn Awaited>)
    }
}

/// Tells the time that has passed outside, again and again, until nobody listens.
fn ticks() -> watch::Receiver<Duration> {
    let (sender, receiver) = watch::channel(Duration::ZERO);
    tokio::spawn(async move {
        let start = Instant::now();
        let mut interval = tokio::time::interval(TICK);
        while !sender.is_closed() {
            interval.tick().await;
            sender.send_replace(start.elapsed());
        }
    });
    receiver
}

/// Lets the clock of the hosts follow the one outside.
async fn follow(mut ticks: watch::Receiver<Duration>, pace: Pace) {
    if pace == Pace::Real {
        drop(ticks);
        return std::future::pending().await;
    }
    let mut seen = Duration::ZERO;
    while ticks.changed().await.is_ok() {
        let now = *ticks.borrow_and_update();
        tokio::time::advance((now - seen) * pace.factor()).await;
        seen = now;
    }
    std::future::pending().await
}

/// Says whether the clock may jump: a paused clock of tokio does when nothing is left to do, unless
/// a blocking task runs.
#[derive(Debug)]
struct Jumps {
    handle: Handle,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Whether it is the clock outside, which never jumps and is never held.
    is_real: bool,
    /// Whether it never jumps.
    is_never: bool,
    /// Whether it jumps in any case.
    is_rushed: bool,
    /// How many wait for a host.
    waiting: usize,
    /// How many commands wait for their input.
    inputs: usize,
    /// How many wait at a prompt.
    prompts: usize,
    /// Ends the blocking task when it is dropped.
    hold: Option<std::sync::mpsc::Sender<()>>,
}

impl Jumps {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        let is_waited_for = state.inputs == 0 && state.waiting > state.prompts;
        let may = state.is_rushed || !state.is_never && is_waited_for;
        if may || state.is_real {
            state.hold = None;
        } else if state.hold.is_none() {
            let (hold, held) = std::sync::mpsc::channel::<()>();
            self.handle.spawn_blocking(move || {
                // It ends when the sender is gone, which is what it waits for.
                let _ = held.recv();
            });
            state.hold = Some(hold);
        }
    }
}

/// Somebody who waits for a host.
#[derive(Debug)]
pub(super) struct Waiting(Arc<Jumps>);

impl Waiting {
    fn new(jumps: &Arc<Jumps>) -> Self {
        jumps.change(|state| state.waiting += 1);
        Self(Arc::clone(jumps))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.change(|state| state.waiting -= 1);
    }
}

#[derive(Debug)]
struct Input(Arc<Jumps>);

impl Awaited for Input {
    fn set(&self, is_awaited: bool) {
        self.0.change(|state| match is_awaited {
            true => state.inputs += 1,
            false => state.inputs -= 1,
        });
    }
}

#[derive(Debug)]
struct Prompt(Arc<Jumps>);

impl Awaited for Prompt {
    fn set(&self, is_awaited: bool) {
        self.0.change(|state| match is_awaited {
            true => state.prompts += 1,
            false => state.prompts -= 1,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns how much time passes among the hosts while they sleep, and whether it took as long
    /// outside.
    async fn sleep(simulation: &Simulation, time: Duration) -> (Duration, Duration) {
        let start = Instant::now();
        let inside = simulation.run(async move {
            let start = Instant::now();
            tokio::time::sleep(time).await;
            start.elapsed()
        });
        (inside.await.unwrap(), start.elapsed())
    }

    #[tokio::test]
    async fn a_clock_jumps_only_while_somebody_waits_for_a_host() {
        let simulation = Simulation::start(Pace::Instant).await.unwrap();
        let day = Duration::from_secs(86_400);

        let waiting = simulation.wait_for_host();
        let (inside, outside) = sleep(&simulation, day).await;
        assert!(inside >= day && outside < Duration::from_secs(60));

        let input = simulation.input().unwrap();
        input.set(true);
        let short = Duration::from_millis(300);
        let (_, outside) = sleep(&simulation, short).await;
        assert!(outside >= short - TICK, "{outside:?}");

        input.set(false);
        let (inside, _) = sleep(&simulation, day).await;
        assert!(inside >= day);

        drop(waiting);
        let (_, outside) = sleep(&simulation, short).await;
        assert!(outside >= short - TICK, "{outside:?}");
    }

    #[tokio::test]
    async fn what_is_to_be_done_at_once_takes_no_time_at_any_pace() {
        for pace in [Pace::Real, Pace::Scaled(2), Pace::Instant] {
            let simulation = Simulation::start(pace).await.unwrap();
            let start = Instant::now();
            let day = Duration::from_secs(86_400);

            let inside = simulation.run_at_once(async move {
                let start = Instant::now();
                tokio::time::sleep(day).await;
                start.elapsed()
            });

            assert!(inside.await.unwrap() >= day);
            assert!(start.elapsed() < Duration::from_secs(60));
            let short = Duration::from_millis(200);
            let (_, outside) = sleep(&simulation, short).await;
            assert!(outside >= short / 2 - TICK, "{pace:?}: {outside:?}");
        }
    }

    #[tokio::test]
    async fn a_scaled_clock_is_so_many_times_as_fast() {
        let simulation = Simulation::start(Pace::Scaled(1000)).await.unwrap();

        let (inside, outside) = sleep(&simulation, Duration::from_secs(300)).await;

        assert!(inside >= Duration::from_secs(300), "{inside:?}");
        assert!(outside >= Duration::from_millis(290), "{outside:?}");
    }
}
