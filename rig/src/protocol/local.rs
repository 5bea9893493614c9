//! The machine that launchpad runs on.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use tokio::net::TcpStream;

use super::closing::Closing;
use crate::connection::{
    ByteStream, Connection, ConnectionError, ExitStatus, Interactive, Process, Terminal,
};

/// A "connection" to the machine that launchpad runs on.
#[derive(Debug, Clone, Copy, Default)]
pub struct Local;

#[async_trait]
impl Connection for Local {
    async fn exec(&self, line: &str) -> Result<Process, ConnectionError> {
        let mut child = tokio::process::Command::new("/bin/sh")
            .args(["-c", line])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own: Ctrl-C on the terminal is ours to handle, not the step's.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| ConnectionError::Spawn(Arc::new(error)))?;
        let missing = || ConnectionError::Lost {
            reason: "a stream is missing".to_owned(),
        };
        let stdin = child.stdin.take().ok_or_else(missing)?;
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let stderr = child.stderr.take().ok_or_else(missing)?;
        let exit = async move {
            let status = child
                .wait()
                .await
                .map_err(|error| ConnectionError::Io(Arc::new(error)))?;
            match (status.code(), status.signal()) {
                (Some(code), _) => Ok(ExitStatus::Code(code.unsigned_abs())),
                (None, Some(signal)) => Ok(ExitStatus::Signal(signal.to_string())),
                (None, None) => Err(ConnectionError::Lost {
                    reason: "no exit status".to_owned(),
                }),
            }
        };
        Ok(Process {
            stdin: Box::new(Closing::new(stdin)),
            stdout: Box::new(stdout),
            stderr: Box::new(stderr),
            exit: exit.boxed(),
        })
    }

    async fn interact(
        &self,
        line: Option<&str>,
        _terminal: &Terminal,
    ) -> Result<Interactive, ConnectionError> {
        // In the group of this program, which has the terminal already.
        let mut program = std::process::Command::new("/bin/sh");
        program.args(["-c", line.unwrap_or("exec \"${SHELL:-/bin/sh}\" -l")]);
        Ok(Interactive::Program(program))
    }

    async fn dial(&self, host: &str, port: u16) -> Result<Box<dyn ByteStream>, ConnectionError> {
        let stream = TcpStream::connect((host, port)).await.map_err(|error| {
            ConnectionError::DialRefused {
                target: format!("{host}:{port}"),
                reason: error.to_string(),
            }
        })?;
        Ok(Box::new(stream))
    }

    fn is_open(&self) -> bool {
        true
    }

    async fn close(&self) {}
}
