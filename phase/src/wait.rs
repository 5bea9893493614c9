//! Waiting for a condition: fast first, then slower, with a deadline and the last status seen.

use std::time::Duration;

use tokio::time::Instant;

use crate::failure::Failure;

/// How often to look, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// The pause after the first look.
    pub first: Duration,
    /// The longest pause between two looks; each is half as long again as the one before it.
    pub longest: Duration,
    /// When to give up, from the start of the wait.
    pub deadline: Duration,
}

impl Patience {
    /// Looks after 0.25 s first and every 3 s at last, until `deadline` has passed.
    pub fn until(deadline: Duration) -> Self {
        Self {
            first: Duration::from_millis(250),
            longest: Duration::from_secs(3),
            deadline,
        }
    }
}

/// What one look saw.
#[derive(Debug)]
pub enum Look<T> {
    /// It is so; the wait is over.
    Done(T),
    /// Not yet; a phrase that says what was seen instead.
    NotYet(String),
}

/// Looks until it is so, or the deadline has passed.
///
/// # Errors
///
/// A look that fails ends the wait with its error. A passed deadline is an error that names
/// `what` and the last status seen. A look that is still under way at the deadline is dropped.
pub async fn wait_until<T, F>(
    what: &str,
    patience: Patience,
    mut look: impl FnMut() -> F,
) -> Result<T, Failure>
where
    F: Future<Output = Result<Look<T>, Failure>>,
{
    let end = Instant::now() + patience.deadline;
    let mut pause = patience.first;
    let mut last = "no answer yet".to_owned();
    loop {
        match tokio::time::timeout_at(end, look()).await {
            Ok(Ok(Look::Done(value))) => return Ok(value),
            Ok(Ok(Look::NotYet(status))) => last = status,
            Ok(Err(failure)) => return Err(failure),
            Err(_elapsed) => return Err(gave_up(what, patience.deadline, &last)),
        }
        if Instant::now() + pause >= end {
            return Err(gave_up(what, patience.deadline, &last));
        }
        tokio::time::sleep(pause).await;
        pause = (pause + pause / 2).min(patience.longest);
    }
}

fn gave_up(what: &str, deadline: Duration, last: &str) -> Failure {
    Failure::new(format!(
        "{what} did not happen within {} s; last seen: {last}",
        deadline.as_secs()
    ))
}
