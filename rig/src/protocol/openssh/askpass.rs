//! Questions of `ssh`, on their way to whoever answers.
//!
//! `ssh` starts a program for each question (`SSH_ASKPASS`). That program is launchpad once more:
//! it hands the question over a socket in a private directory to the launchpad that waits, and
//! prints the answer. So the terminal stays with one program, and a secret is in no argument list
//! and in no file.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

/// Tells the program that `ssh` has started where to ask.
pub const VARIABLE: &str = "LAUNCHPAD_ASKPASS";

/// The longest question.
const LONGEST: u64 = 16 << 10;

/// Answers what `ssh` asks.
#[async_trait]
pub trait AskPrompt: Send + Sync {
    /// Asks; `None` where nobody answers.
    async fn ask(&self, question: &str) -> Option<SecretString>;
}

/// Asks whoever listens at a socket, and writes the answer: what the program does that `ssh`
/// starts.
///
/// # Errors
///
/// Fails where nobody listens, or nobody has answered.
pub fn answer(socket: &Path, question: &str, output: &mut dyn io::Write) -> io::Result<()> {
    let mut stream = BlockingStream::connect(socket)?;
    stream.write_all(question.as_bytes())?;
    stream.shutdown(std::net::Shutdown::Write)?;
    let mut answer = Zeroizing::new(String::new());
    stream.read_to_string(&mut answer)?;
    // The mark of an answer: an empty one is not the same as none.
    let Some(answer) = answer.strip_prefix('=') else {
        return Err(io::Error::other("there was no answer"));
    };
    output.write_all(answer.as_bytes())?;
    output.write_all(b"\n")?;
    output.flush()
}

/// Listens for questions, as long as it is there.
pub(super) struct Questions(JoinHandle<()>);

impl Questions {
    /// Listens at a socket.
    pub(super) fn listen(socket: &Path, ask: Arc<dyn AskPrompt>) -> io::Result<Self> {
        let listener = UnixListener::bind(socket)?;
        Ok(Self(tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // One question after the other: there is one terminal. Who asked may be gone.
                let _ = pass_on(stream, &*ask).await;
            }
        })))
    }
}

impl Drop for Questions {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn pass_on(mut stream: UnixStream, ask: &dyn AskPrompt) -> io::Result<()> {
    let mut question = String::new();
    let mut limited = (&mut stream).take(LONGEST);
    limited.read_to_string(&mut question).await?;
    if let Some(answer) = ask.ask(&question).await {
        stream.write_all(b"=").await?;
        stream.write_all(answer.expose_secret().as_bytes()).await?;
    }
    stream.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Knows the answer to one question.
    struct Knows;

    #[async_trait]
    impl AskPrompt for Knows {
        async fn ask(&self, question: &str) -> Option<SecretString> {
            let answer = match question {
                "ops@web's password: " => "open sesame",
                "Empty? " => "",
                _ => return None,
            };
            Some(SecretString::from(answer))
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn questions_are_answered_by_whoever_listens() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("ask");
        let questions = Questions::listen(&socket, Arc::new(Knows)).unwrap();
        let ask = |question: &'static str| {
            let socket = socket.clone();
            let ask = move || {
                let mut output = Vec::new();
                answer(&socket, question, &mut output).map(|()| output)
            };
            tokio::task::spawn_blocking(ask)
        };

        let known = ask("ops@web's password: ").await.unwrap();
        let empty = ask("Empty? ").await.unwrap();
        let unknown = ask("Who are you? ").await.unwrap();
        drop(questions);

        assert_eq!(known.unwrap(), b"open sesame\n");
        assert_eq!(empty.unwrap(), b"\n");
        assert!(unknown.is_err());
    }
}
