//! The run lock on the managers: a directory in `/run`, made atomically, gone with a reboot.
//!
//! While there is no swarm the first manager of the configuration holds it; with one, every
//! manager does, taken in configuration order. A manager on which a dead run has left its lock
//! joins them, so that the lock is taken over and given back.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use phase::Failure;
use phase::lock::{Acquired, LockRecord, LockStore, STALE_AFTER};
use rig::Host;
use rig::command::{Command, Effect};

use super::failure::explain;
use super::shared::Shared;

/// Takes the lock. $1 record, $2 run id that discovery saw as the last, $3 `break` or `keep`,
/// $4 seconds after which a lock is stale. Prints `ours <last run>` or `held <age> <record>`.
const ACQUIRE: &str = r#"
set -eu
umask 077
dir=/run/launchpad
mkdir -p "$dir"
age() { expr "$(date +%s)" - "$(stat -c %Y "$dir/lock/record" 2>/dev/null || stat -c %Y "$dir/lock" 2>/dev/null || date +%s)" || true; }
take() {
  mkdir "$dir/lock" 2>/dev/null || return 1
  printf '%s\n' "$1" > "$dir/lock/record"
}
if ! take "$1"; then
  held=$(age)
  if [ "$3" = break ] || [ "$held" -gt "$4" ]; then
    # Only one of several takers gets the old directory out of the way.
    if mv "$dir/lock" "$dir/stale.$$" 2>/dev/null; then rm -rf "$dir/stale.$$"; fi
    take "$1" || { printf 'held %s %s\n' "$(age)" "$(cat "$dir/lock/record" 2>/dev/null)"; exit 0; }
    printf 'ours taken-over\n'
    exit 0
  fi
  printf 'held %s %s\n' "$held" "$(cat "$dir/lock/record" 2>/dev/null)"
  exit 0
fi
printf 'ours %s\n' "$(cat "$dir/last-run" 2>/dev/null || echo none)"
"#;

/// Gives a sign of life. $1 run id. Prints `kept` or `lost`.
const RENEW: &str = r#"
record=/run/launchpad/lock/record
if grep -qF "\"run_id\":\"$1\"" "$record" 2>/dev/null; then touch -c "$record"; echo kept; else echo lost; fi
"#;

/// Gives the lock back. $1 run id.
const RELEASE: &str = r#"
dir=/run/launchpad
if grep -qF "\"run_id\":\"$1\"" "$dir/lock/record" 2>/dev/null; then
  printf '%s\n' "$1" > "$dir/last-run"
  rm -rf "$dir/lock"
fi
"#;

/// The lock of one run, on the hosts that discovery has found.
pub struct HostLocks {
    shared: Arc<Shared>,
    /// The hosts that hold it for us.
    held: Mutex<Vec<Host>>,
}

impl HostLocks {
    /// Makes the lock of a run; nothing is taken yet.
    pub fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            held: Mutex::default(),
        }
    }

    fn held(&self) -> Vec<Host> {
        self.held
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Returns the managers that hold the lock, with the run that discovery saw as the last on
    /// each: all that are connected where any is in a swarm, else the first and those on which a
    /// lock was seen.
    ///
    /// The first manager is always among them, so that a run that begins before there is a swarm
    /// and one that begins after it meet there.
    fn holders(&self) -> Vec<(Host, Option<String>)> {
        let seen = self
            .shared
            .lock_seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let any_swarm = seen.values().any(|facts| facts.is_in_swarm);
        let managers = self.shared.managers();
        let mut holders = Vec::new();
        for (index, id) in managers.into_iter().enumerate() {
            let facts = seen.get(&id);
            let is_locked = facts.is_some_and(|facts| facts.is_locked);
            if let Ok(host) = self.shared.host(id)
                && (index == 0 || any_swarm || is_locked)
            {
                let last_run = facts.and_then(|facts| facts.last_run.clone());
                holders.push((host.clone(), last_run));
            }
        }
        holders
    }
}

#[async_trait]
impl LockStore for HostLocks {
    async fn acquire(&self, record: &LockRecord, break_lock: bool) -> Result<Acquired, Failure> {
        let mut undisturbed = true;
        let holders = self.holders();
        if holders.is_empty() {
            return Err(Failure::new(
                "no manager is connected that could hold the run lock",
            ));
        }
        for (index, (host, last_run)) in holders.iter().enumerate() {
            let ended = match take(host, record, break_lock).await {
                Ok(Answer::Ours { last }) => {
                    undisturbed &= last.as_deref() == Some(last_run.as_deref().unwrap_or("none"));
                    continue;
                }
                Ok(Answer::Held { by, age }) => Ok(Acquired::Held { by, age }),
                Err(failure) => Err(failure),
            };
            // What was taken on others goes back, the one that did not answer included: it may
            // have taken it all the same. Why it failed counts, not whether this works.
            for (host, _) in &holders[..=index] {
                let _ = release(host, record).await;
            }
            return ended;
        }
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) =
            holders.into_iter().map(|(host, _)| host).collect();
        Ok(Acquired::Ours { undisturbed })
    }

    async fn renew(&self, record: &LockRecord) -> Result<bool, Failure> {
        let holders = self.held();
        let renewals = holders.iter().map(|host| async move {
            let command = Command::script(RENEW, Effect::Change)
                .arg(&record.run_id)
                .title("renew the run lock")
                .timeout(Duration::from_secs(10))
                .elevated()
                .unasked();
            host.run(command).await
        });
        // One manager whose engine or network is being restarted must not end the run: the lock
        // is lost only where a manager says so, or none of them answers.
        let mut answered = false;
        let mut last_error = None;
        for result in futures_util::future::join_all(renewals).await {
            match result {
                Ok(output) if output.stdout_text().trim() == "lost" => return Ok(false),
                Ok(_) => answered = true,
                Err(error) => last_error = Some(error),
            }
        }
        match last_error {
            Some(error) if !answered => Err(explain("the run lock cannot be renewed", &error)),
            _ => Ok(true),
        }
    }

    async fn release(&self, record: &LockRecord) -> Result<(), Failure> {
        let mut result = Ok(());
        for host in self.held().iter().rev() {
            if let Err(failure) = release(host, record).await {
                result = Err(failure);
            }
        }
        result
    }
}

enum Answer {
    Ours { last: Option<String> },
    Held { by: LockRecord, age: Duration },
}

async fn take(host: &Host, record: &LockRecord, break_lock: bool) -> Result<Answer, Failure> {
    let text = serde_json::to_string(record)
        .map_err(|error| Failure::new("the lock record cannot be written").caused_by(&error))?;
    let command = Command::script(ACQUIRE, Effect::Change)
        .args([text.as_str(), "", if break_lock { "break" } else { "keep" }])
        .arg(STALE_AFTER.as_secs().to_string())
        .title("take the run lock")
        .timeout(Duration::from_secs(30))
        .elevated()
        .unasked();
    let output = host
        .run(command)
        .await
        .map_err(|error| explain("the run lock cannot be taken", &error))?;
    Ok(parse_answer(output.stdout_text().trim(), record))
}

fn parse_answer(text: &str, ours: &LockRecord) -> Answer {
    if let Some(last) = text.strip_prefix("ours ") {
        return Answer::Ours {
            last: Some(last.to_owned()),
        };
    }
    let rest = text.strip_prefix("held ").unwrap_or(text);
    let (age, record) = rest.split_once(' ').unwrap_or((rest, ""));
    // A lock without a record was made this very moment: its holder is about to write it.
    let by = serde_json::from_str(record).unwrap_or_else(|_| LockRecord {
        run_id: "unknown".to_owned(),
        owner: "somebody".to_owned(),
        command: "?".to_owned(),
        started_at: ours.started_at.clone(),
    });
    Answer::Held {
        by,
        age: Duration::from_secs(age.parse().unwrap_or(0)),
    }
}

async fn release(host: &Host, record: &LockRecord) -> Result<(), Failure> {
    let command = Command::script(RELEASE, Effect::Change)
        .arg(&record.run_id)
        .title("give the run lock back")
        .timeout(Duration::from_secs(10))
        .elevated()
        .unasked();
    host.run(command)
        .await
        .map(drop)
        .map_err(|error| explain("the run lock cannot be given back", &error))
}
