//! Trying again: only what may pass, with a growing pause, until a deadline.

use std::time::Duration;

use rand::Rng as _;
use tokio::time::Instant;

/// How the pause between two tries grows.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// The first pause.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// When to give up, from the first try.
    pub deadline: Duration,
}

impl Default for Backoff {
    /// 0.5 s, doubling to 5 s, for one minute.
    fn default() -> Self {
        Self {
            first: Duration::from_millis(500),
            longest: Duration::from_secs(5),
            deadline: Duration::from_secs(60),
        }
    }
}

impl Backoff {
    /// Returns the pause after a failed try (from 1), without its jitter.
    pub fn pause(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(16);
        self.first.saturating_mul(1 << doublings).min(self.longest)
    }

    /// Tries until it works, until an error will not pass, or until the deadline.
    ///
    /// `note` is told of every try that will be repeated. Half of each pause is random, so that
    /// hosts that failed together do not come back together.
    ///
    /// # Errors
    ///
    /// The last error.
    pub async fn retry<T, E, F>(
        &self,
        mut attempt: impl FnMut() -> F,
        will_pass: impl Fn(&E) -> bool,
        mut note: impl FnMut(u32, Duration, &E),
    ) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let end = Instant::now() + self.deadline;
        let mut number = 1;
        loop {
            let error = match attempt().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let pause = self.pause(number);
            let pause = pause / 2 + pause.mul_f64(rand::rng().random_range(0.0..0.5));
            if !will_pass(&error) || Instant::now() + pause >= end {
                return Err(error);
            }
            note(number, pause, &error);
            tokio::time::sleep(pause).await;
            number += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn gives_up_at_the_deadline() {
        let started = Instant::now();
        let tries = Cell::new(0);

        let result: Result<(), &str> = Backoff::default()
            .retry(
                || async {
                    tries.set(tries.get() + 1);
                    Err("refused")
                },
                |_| true,
                |_, _, _| {},
            )
            .await;

        assert_eq!(result, Err("refused"));
        assert!(started.elapsed() <= Duration::from_secs(60));
        assert!((12..40).contains(&tries.get()), "{} tries", tries.get());
    }

    #[tokio::test(start_paused = true)]
    async fn does_not_repeat_what_will_not_pass() {
        let tries = Cell::new(0);

        let result: Result<(), &str> = Backoff::default()
            .retry(
                || async {
                    tries.set(tries.get() + 1);
                    Err("wrong key")
                },
                |_| false,
                |_, _, _| {},
            )
            .await;

        assert_eq!((result, tries.get()), (Err("wrong key"), 1));
    }
}
