//! What to do on a host, as data, and doing it.

use std::time::Duration;

use rig::command::{Command, Effect};
use rig::files::FileSpec;
use rig::{CommandError, Host};
use secrecy::SecretString;

/// One thing to do on a host, as root.
#[derive(Debug, Clone)]
pub enum Action {
    /// Write a file atomically, owned by root; nothing where it is so already.
    Write {
        /// Absolute path.
        path: String,
        /// Mode, octal (`0644`).
        mode: &'static str,
        /// Content; it may hold secrets (a proxy's password).
        content: SecretString,
    },
    /// Remove files; missing ones are no error.
    Remove {
        /// Absolute paths.
        paths: Vec<String>,
    },
    /// Run a POSIX shell script.
    Script {
        /// What it does, as an imperative phrase.
        title: &'static str,
        /// The script.
        text: String,
        /// Its arguments.
        arguments: Vec<String>,
        /// How long it may take.
        limit: Duration,
    },
}

/// Why an action failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what}")]
pub struct ActionError {
    /// What was to be done, as an imperative phrase.
    pub what: String,
    /// The cause.
    #[source]
    pub source: CommandError,
}

impl Action {
    /// Returns a write of a text that holds no secret.
    pub fn write(path: impl Into<String>, mode: &'static str, text: &str) -> Self {
        Self::Write {
            path: path.into(),
            mode,
            content: SecretString::from(text),
        }
    }

    /// Returns a script without arguments.
    pub fn script(title: &'static str, text: impl Into<String>, limit: Duration) -> Self {
        Self::Script {
            title,
            text: text.into(),
            arguments: Vec::new(),
            limit,
        }
    }

    /// Returns what it does, as an imperative phrase.
    pub fn what(&self) -> String {
        match self {
            Self::Write { path, .. } => format!("write {path}"),
            Self::Remove { paths } => format!("remove {}", paths.join(", ")),
            Self::Script { title, .. } => (*title).to_owned(),
        }
    }
}

/// Performs actions in their order, each as root.
///
/// # Errors
///
/// Fails at the first action that does; those before it are done, and it can all be repeated.
pub async fn carry_out(host: &Host, actions: &[Action]) -> Result<(), ActionError> {
    for action in actions {
        let result = match action {
            Action::Write {
                path,
                mode,
                content,
            } => {
                let spec = FileSpec::root(path, mode);
                host.files().write(&spec, content).await.map(drop)
            }
            Action::Remove { paths } => {
                let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
                host.files().remove(&paths).await
            }
            Action::Script {
                title,
                text,
                arguments,
                limit,
            } => {
                let command = Command::script(text.as_str(), Effect::Change)
                    .args(arguments.iter().map(String::as_str))
                    .title(*title)
                    .timeout(*limit)
                    .elevated();
                host.run(command).await.map(drop)
            }
        };
        result.map_err(|source| ActionError {
            what: action.what(),
            source,
        })?;
    }
    Ok(())
}
