//! Passwords: asked for only where the user allows it, kept in memory only.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;

use async_trait::async_trait;
use secrecy::SecretString;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct PasswordQuestion<'a> {
    /// Login user.
    pub user: &'a str,
    /// `host:port`.
    pub target: &'a str,
    /// What the host wants to know, in its own words; nothing where it is the password.
    pub prompt: Option<&'a str>,
    /// Whether the last answer was wrong.
    pub again: bool,
}

/// Gives passwords, and answers to other questions of hosts.
#[async_trait]
pub trait AskPassword: Send + Sync {
    /// Answers a question; nothing where nobody can be asked, or does not want to answer.
    async fn ask(&self, question: &PasswordQuestion<'_>) -> Option<SecretString>;
}

/// One password for all hosts, as an environment variable gives it; no other question is answered.
pub struct OnePassword(pub SecretString);

#[async_trait]
impl AskPassword for OnePassword {
    async fn ask(&self, question: &PasswordQuestion<'_>) -> Option<SecretString> {
        let fits = question.prompt.is_none() && !question.again;
        fits.then(|| self.0.clone())
    }
}

/// The passwords that were given.
#[derive(Default)]
pub(super) struct Passwords {
    kept: Mutex<HashMap<String, SecretString>>,
    /// One question at a time: there is one user, with one terminal.
    asking: tokio::sync::Mutex<()>,
}

impl Passwords {
    /// Returns the password of `user` on `target`; asks for it once.
    pub(super) async fn find(
        &self,
        ask: &dyn AskPassword,
        question: PasswordQuestion<'_>,
    ) -> Option<SecretString> {
        let key = format!("{}@{}", question.user, question.target);
        let _asking = self.asking.lock().await;
        if question.again {
            self.lock().remove(&key);
        } else if let Some(known) = self.lock().get(&key) {
            return Some(known.clone());
        }
        let password = ask.ask(&question).await?;
        self.lock().insert(key, password.clone());
        Some(password)
    }

    /// Asks something that is not to be kept.
    pub(super) async fn ask(
        &self,
        ask: &dyn AskPassword,
        question: PasswordQuestion<'_>,
    ) -> Option<SecretString> {
        let _asking = self.asking.lock().await;
        ask.ask(&question).await
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, SecretString>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
