//! `--confirm`: asks before each remote command.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;

use crate::world::Ask;

/// Asks a person, one question at a time; whoever cannot be asked has not said yes.
pub(crate) struct Confirmer {
    ask: Arc<dyn Ask>,
    turn: Mutex<()>,
}

impl Confirmer {
    pub(crate) fn new(ask: Arc<dyn Ask>) -> Self {
        Self {
            ask,
            turn: Mutex::new(()),
        }
    }
}

/// Whether an answer means yes: a line that is empty does, the end of the input does not.
fn is_yes(answer: Option<&str>) -> bool {
    matches!(answer.map(str::trim), Some("" | "y" | "Y" | "yes"))
}

#[async_trait]
impl rig::Confirm for Confirmer {
    async fn may_run(&self, host: &str, command: &str) -> bool {
        let _turn = self.turn.lock().await;
        let ask = Arc::clone(&self.ask);
        let question = format!("\nHost: {host}\nCommand: {command}\nAllow? [Y/n]: ");
        // A person is slow, and the terminal blocks.
        let asked = tokio::task::spawn_blocking(move || ask.line(&question)).await;
        match asked {
            Ok(Ok(answer)) => is_yes(answer.as_deref()),
            Ok(Err(_)) | Err(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_yes;

    #[test]
    fn the_end_of_the_input_is_no() {
        assert!(is_yes(Some("")));
        assert!(is_yes(Some("y\n")));
        assert!(!is_yes(Some("n")));
        assert!(!is_yes(None));
    }
}
