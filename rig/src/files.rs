//! Files of a host: read, written atomically, streamed up and down.

use std::time::Duration;

use base64::Engine as _;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncSeek, AsyncSeekExt as _, AsyncWrite, AsyncWriteExt as _,
};

use crate::command::{Command, Effect};
use crate::connection::ExitStatus;
use crate::host::{CommandError, Host};
use crate::privilege::Privilege;
use crate::shell;

/// How long a small file may take.
const SMALL: Duration = Duration::from_secs(60);
/// How much of a local file is read at a time.
const PIECE: usize = 256 << 10;

/// Reads a file. $1 path. Status 44: there is none.
const READ: &str = "[ -e \"$1\" ] || exit 44\nexec cat -- \"$1\"\n";

/// Writes a file atomically, if it is not so already; the content comes on stdin. $1 path, $2
/// mode, $3 owner, $4 SHA-256. Prints `same` or `written`.
///
/// A rename over a bind mount fails (EBUSY): such a file is written in place.
const WRITE: &str = r#"
set -eu
path=$1 mode=$2 owner=$3 sum=$4
if [ -L "$path" ]; then path=$(readlink -f -- "$path"); fi
dir=$(dirname -- "$path")
if [ -f "$path" ] && [ "$(stat -c '%a %U:%G' -- "$path")" = "${mode#0} $owner" ] &&
   [ "$(sha256sum < "$path" | cut -d' ' -f1)" = "$sum" ]; then
  cat > /dev/null
  echo same
  exit 0
fi
mkdir -p -- "$dir"
umask 077
temp=$dir/.$(basename -- "$path").launchpad-$$
trap 'rm -f -- "$temp"' EXIT
trap 'exit 1' HUP INT TERM
cat > "$temp"
[ "$(sha256sum < "$temp" | cut -d' ' -f1)" = "$sum" ] || { echo 'the content did not arrive whole' >&2; exit 1; }
chmod "$mode" "$temp"
chown "$owner" "$temp"
mv -f -- "$temp" "$path" 2>/dev/null || { cat "$temp" > "$path"; chmod "$mode" "$path"; chown "$owner" "$path"; }
echo written
"#;

/// Takes an upload. $1 path, $2 mode, $3 SHA-256. Prints `same` or `written`; status 45: what has
/// arrived is not what was sent, as where the connection broke. The temporary file goes on every
/// way out.
const UPLOAD: &str = r#"
set -eu
path=$1 mode=$2 sum=$3
if [ -L "$path" ]; then path=$(readlink -f -- "$path"); fi
sum_of() { sha256sum < "$1" | cut -d' ' -f1; }
if [ -f "$path" ] && [ "$(sum_of "$path")" = "$sum" ]; then
  chmod "$mode" "$path"
  echo same
  exit 0
fi
dir=$(dirname -- "$path")
mkdir -p -- "$dir"
umask 077
temp=$dir/.$(basename -- "$path").launchpad-$$
trap 'rm -f -- "$temp"' EXIT
trap 'exit 1' HUP INT TERM
cat > "$temp"
arrived=$(sum_of "$temp")
[ "$arrived" = "$sum" ] || { echo "$arrived"; exit 45; }
chmod "$mode" "$temp"
mv -f -- "$temp" "$path"
echo written
"#;

/// Why a file could not be moved.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The command at the far end failed.
    #[error("cannot transfer `{path}`")]
    Command {
        /// The file on the host.
        path: String,
        /// The cause.
        #[source]
        source: CommandError,
    },
    /// Reading or writing on this side failed.
    #[error("cannot read or write the local side of `{path}`")]
    Local {
        /// The file on the host.
        path: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// What arrived is not what was sent.
    #[error("`{path}` did not arrive whole: sent {sent}, arrived {arrived}")]
    Checksum {
        /// The file on the host.
        path: String,
        /// SHA-256 of what was sent.
        sent: String,
        /// SHA-256 of what arrived.
        arrived: String,
    },
}

/// What came of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Content, mode and owner were so already.
    Unchanged,
    /// The file was written.
    Changed,
}

/// A file to be written.
#[derive(Debug, Clone)]
pub struct FileSpec<'a> {
    /// Absolute path.
    pub path: &'a str,
    /// Mode, octal (`0644`).
    pub mode: &'a str,
    /// Owner and group (`root:root`).
    pub owner: &'a str,
}

impl<'a> FileSpec<'a> {
    /// A file of root.
    pub fn root(path: &'a str, mode: &'a str) -> Self {
        Self {
            path,
            mode,
            owner: "root:root",
        }
    }
}

/// The files of a host.
#[derive(Debug, Clone, Copy)]
pub struct Files<'a> {
    host: &'a Host,
}

impl<'a> Files<'a> {
    pub(crate) fn new(host: &'a Host) -> Self {
        Self { host }
    }

    /// Reads a small file as root; `None` where there is none.
    ///
    /// # Errors
    ///
    /// Fails where the file cannot be read.
    pub async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, CommandError> {
        let command = Command::script(READ, Effect::Read)
            .arg(path)
            .title(format!("read {path}"))
            .timeout(SMALL)
            .sensitive_output()
            .elevated();
        let output = self.host.run_unchecked(command).await?;
        match output.status.code() {
            Some(0) => Ok(Some(output.stdout)),
            Some(44) => Ok(None),
            _ => Err(CommandError::Exited {
                command: format!("read {path}"),
                status: output.status,
                stderr: output.stderr,
            }),
        }
    }

    /// Writes a small text file as root: a temporary file beside it, checked, then renamed. Does
    /// nothing where content, mode and owner are so already.
    ///
    /// # Errors
    ///
    /// Fails where the file cannot be written; then it is as it was, and no other file is left.
    pub async fn write(
        &self,
        spec: &FileSpec<'_>,
        content: &SecretString,
    ) -> Result<Written, CommandError> {
        let command = Command::script(WRITE, Effect::Change)
            .args([spec.path, spec.mode, spec.owner])
            .arg(hex(&Sha256::digest(content.expose_secret().as_bytes())))
            .title(format!("write {}", spec.path))
            .timeout(SMALL)
            .elevated();
        let command = if content.expose_secret().len() < 4096 && looks_secret(spec) {
            command.secret_stdin(content.clone())
        } else {
            command.stdin(content.expose_secret().to_owned())
        };
        let output = self.host.run(command).await?;
        Ok(match output.stdout_text().trim() {
            "same" => Written::Unchanged,
            _ => Written::Changed,
        })
    }

    /// Removes files as root; those that are not there are no error.
    ///
    /// # Errors
    ///
    /// Fails where a file cannot be removed.
    pub async fn remove(&self, paths: &[&str]) -> Result<(), CommandError> {
        let command = Command::change("rm")
            .args(["-f", "--"])
            .args(paths.iter().copied())
            .timeout(SMALL)
            .elevated();
        self.host.run(command).await.map(drop)
    }

    /// Streams a file up, as root where `elevated`, and checks what has arrived. Does nothing
    /// where the file is there already, whole.
    ///
    /// The source is read twice: once for its checksum, so that the host itself can refuse what
    /// did not arrive whole. The file stands under its name only when it is.
    ///
    /// # Errors
    ///
    /// Fails where either side fails or the checksums differ; then nothing is left on the host.
    pub async fn upload<S>(
        &self,
        source: &mut S,
        path: &str,
        mode: &str,
        elevated: bool,
    ) -> Result<Written, TransferError>
    where
        S: AsyncRead + AsyncSeek + Send + Unpin,
    {
        let failed = |source| TransferError::Command {
            path: path.to_owned(),
            source,
        };
        let shown = format!("upload {path}");
        if self.host.is_dry_run() {
            return Err(failed(CommandError::RefusedInDryRun { command: shown }));
        }
        self.host.confirm(&shown).await.map_err(failed)?;
        // The semaphore is never closed.
        let _upload = self.host.shared_limits().uploads.acquire().await.ok();
        let sum = checksum(source)
            .await
            .map_err(|source| TransferError::Local {
                path: path.to_owned(),
                source,
            })?;
        let privilege = if elevated {
            Some(self.host.privilege().await.map_err(failed)?)
        } else {
            None
        };
        let line = bootstrap_line(UPLOAD, &[path, mode, &sum], privilege);
        let (process, _connection) = self
            .host
            .open_process(&shown, &line)
            .await
            .map_err(failed)?;
        let (status, answer, stderr) = send(process, source, path, &shown).await?;
        match status.code() {
            Some(0) if answer == "same" => Ok(Written::Unchanged),
            Some(0) => Ok(Written::Changed),
            Some(45) => Err(TransferError::Checksum {
                path: path.to_owned(),
                sent: sum,
                arrived: answer,
            }),
            _ => Err(failed(CommandError::Exited {
                command: shown,
                status,
                stderr,
            })),
        }
    }

    /// Streams a file down, as root where `elevated`.
    ///
    /// # Errors
    ///
    /// Fails where either side fails.
    pub async fn download(
        &self,
        path: &str,
        target: &mut (dyn AsyncWrite + Send + Unpin),
        elevated: bool,
    ) -> Result<u64, TransferError> {
        let failed = |source| TransferError::Command {
            path: path.to_owned(),
            source,
        };
        let local = |source| TransferError::Local {
            path: path.to_owned(),
            source,
        };
        let shown = format!("download {path}");
        self.host.confirm(&shown).await.map_err(failed)?;
        let privilege = if elevated {
            Some(self.host.privilege().await.map_err(failed)?)
        } else {
            None
        };
        let script = "exec cat -- \"$1\"";
        let line = bootstrap_line(script, &[path], privilege);
        let (process, _connection) = self
            .host
            .open_process(&shown, &line)
            .await
            .map_err(failed)?;
        drop(process.stdin);
        let mut stdout = process.stdout;
        skip_greeting(&mut stdout).await.map_err(local)?;
        let drain = async {
            let mut stderr = String::new();
            let _ = process
                .stderr
                .take(64 << 10)
                .read_to_string(&mut stderr)
                .await;
            stderr
        };
        let copy = tokio::io::copy(&mut stdout, target);
        let (copied, stderr) = tokio::join!(copy, drain);
        let copied = copied.map_err(local)?;
        let status = process.exit.await.map_err(|source| {
            failed(CommandError::Connection {
                command: shown.clone(),
                source,
            })
        })?;
        if status.success() {
            return Ok(copied);
        }
        Err(failed(CommandError::Exited {
            command: shown,
            status,
            stderr,
        }))
    }
}

/// Whether the content of a file is kept out of every log as a whole.
fn looks_secret(spec: &FileSpec<'_>) -> bool {
    spec.mode.ends_with("00")
}

/// The bytes with which a transfer starts, after whatever a login shell greets with.
const START: &[u8] = b"\nlaunchpad-transfer\n";

/// A command line that starts a script whose standard input is all data.
///
/// The script holds no secret; base64 has no character that any login shell would read.
fn bootstrap_line(script: &str, arguments: &[&str], privilege: Option<Privilege>) -> String {
    let words: Vec<String> = arguments
        .iter()
        .map(|word| shell::quote(word).unwrap_or_default())
        .collect();
    let text = format!(
        "printf '\\nlaunchpad-transfer\\n'\nset -- {}\n{script}",
        words.join(" ")
    );
    let encoded = base64::engine::general_purpose::STANDARD.encode(text);
    let wrapper = privilege.and_then(Privilege::wrapper).unwrap_or("exec");
    format!("{wrapper} /bin/sh -c 'eval \"$(echo {encoded} | base64 -d)\"'")
}

async fn skip_greeting(stdout: &mut (dyn AsyncRead + Send + Unpin)) -> std::io::Result<()> {
    let mut seen: Vec<u8> = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(START) {
        if stdout.read(&mut byte).await? == 0 {
            return Err(std::io::Error::new(
                std::io::ErrorKind::UnexpectedEof,
                "the transfer did not start",
            ));
        }
        seen.push(byte[0]);
        if seen.len() > 1 << 20 {
            seen.drain(..1 << 19);
        }
    }
    Ok(())
}

/// Reads a source to its end and back to its start.
async fn checksum<S>(source: &mut S) -> std::io::Result<String>
where
    S: AsyncRead + AsyncSeek + Unpin,
{
    let start = source.stream_position().await?;
    let mut sum = Sha256::new();
    let mut buffer = vec![0; PIECE];
    loop {
        let read = source.read(&mut buffer).await?;
        if read == 0 {
            break;
        }
        sum.update(&buffer[..read]);
    }
    source.seek(std::io::SeekFrom::Start(start)).await?;
    Ok(hex(&sum.finalize()))
}

/// Sends a source to a process; returns how that ended, what it printed, and its errors.
async fn send(
    process: crate::connection::Process,
    source: &mut (dyn AsyncRead + Send + Unpin),
    path: &str,
    shown: &str,
) -> Result<(ExitStatus, String, String), TransferError> {
    let crate::connection::Process {
        mut stdin,
        mut stdout,
        stderr,
        exit,
    } = process;
    let write = async {
        let mut buffer = vec![0; PIECE];
        loop {
            let read = source.read(&mut buffer).await?;
            if read == 0 {
                break;
            }
            // The far end may end early (a full disk): its exit status says why.
            if stdin.write_all(&buffer[..read]).await.is_err() {
                break;
            }
        }
        let _ = stdin.shutdown().await;
        Ok::<_, std::io::Error>(())
    };
    let read = async {
        let _ = skip_greeting(&mut *stdout).await;
        let mut answer = String::new();
        let _ = stdout.take(4096).read_to_string(&mut answer).await;
        answer.trim().to_owned()
    };
    let errors = async {
        let mut text = String::new();
        let _ = stderr.take(64 << 10).read_to_string(&mut text).await;
        text
    };
    let (answer, stderr) = {
        let mut write = std::pin::pin!(write);
        let mut read = std::pin::pin!(async { tokio::join!(read, errors) });
        // A writer that waits for room must not outlive a reader that has seen the end.
        tokio::select! {
            written = &mut write => {
                written.map_err(|source| TransferError::Local {
                    path: path.to_owned(),
                    source,
                })?;
                read.await
            }
            ended = &mut read => ended,
        }
    };
    let status = exit.await.map_err(|source| TransferError::Command {
        path: path.to_owned(),
        source: CommandError::Connection {
            command: shown.to_owned(),
            source,
        },
    })?;
    Ok((status, answer, stderr))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
