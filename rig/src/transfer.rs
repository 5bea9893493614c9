//! Files of any size, up to a host and down from it: streamed, checked, and under their names only
//! when they are whole.

mod source;

use std::io;

use sha2::{Digest, Sha256};
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite,
    AsyncWriteExt as _, BufReader,
};

pub use self::source::LocalFile;

use crate::attached::Attached;
use crate::command::{Command, Effect};
use crate::files::{Files, Written, hex};
use crate::host::CommandError;

/// How much of a file is read at a time.
const PIECE: usize = 1 << 20;
/// How much of what a host prints beside a file is kept.
const WORDS: u64 = 64 << 10;
/// Status of [`UPLOAD`]: what has arrived is not what was sent.
const OTHERWISE: u32 = 45;

/// Defines `choose SIZE`, which chooses the program that sums about so many bytes, and `sum`, which
/// prints the SHA-256 of its input by it.
///
/// `sha256sum` of GNU coreutils is mostly built without the instructions that processors have for
/// it: 6.4 s for 1 GiB, where `openssl` takes 1.0 s (coreutils 9.1, OpenSSL 3.0, AMD EPYC). For
/// less than 16 MiB it does not pay to start one, and one that does not know the SHA-256 of
/// nothing is not asked for more.
const SHA256: &str = r#"
choose() {
  digest=sha256sum
  if [ "$1" -ge 16777216 ] && command -v openssl >/dev/null 2>&1; then
    nothing=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
    case $(openssl dgst -sha256 -r </dev/null 2>/dev/null) in
    "$nothing "*) digest='openssl dgst -sha256 -r' ;;
    esac
  fi
}
sum() { $digest | cut -d' ' -f1; }
"#;

/// Takes an upload. $1 path, $2 name in a directory, $3 mode, $4 size.
///
/// It says first whether there is a file of that size, and with which SHA-256: `there SUM`, or
/// `new`. The answer is a line: `keep`, or `send`, the content, and a line (65
/// bytes) of its SHA-256, which the sender knows only then. Prints `same` or `written` and the path at the end.
/// The temporary file goes on every way out; a disk that fills up is told by `cat`.
const UPLOAD: &str = r#"
set -eu
path=$1 name=$2 mode=$3 size=$4
choose "$size"
case $path in '~'/*) path=$HOME/${path#??} ;; esac
case $path in
*/) path=$path$name ;;
*) if [ -d "$path" ]; then path=$path/$name; fi ;;
esac
if [ -L "$path" ]; then path=$(readlink -f -- "$path"); fi
if [ -d "$path" ]; then echo "$path is a directory" >&2; exit 1; fi
if [ -f "$path" ] && [ "$(wc -c < "$path")" -eq "$size" ]; then
  printf 'there %s
' "$(sum < "$path")"
else
  echo new
fi
read -r answer
if [ "$answer" = keep ]; then
  chmod "$mode" "$path"
  printf 'same %s
' "$path"
  exit 0
fi
dir=$(dirname -- "$path")
# Some programs do not say what they cannot make.
mkdir -p -- "$dir" || { echo "cannot make $dir" >&2; exit 1; }
umask 077
temp=$dir/.$(basename -- "$path").launchpad-$$
# Signals go to all processes: the removal must not be ended by them.
tidy() { trap '' HUP INT TERM; rm -f -- "$temp" 2>/dev/null; }
trap tidy EXIT
trap 'tidy; exit 1' HUP INT TERM
: > "$temp"
cat > "$temp"
if [ "$(wc -c < "$temp")" -ne $((size + 65)) ]; then
  echo 'the file did not arrive whole' >&2
  exit 1
fi
sent=$(tail -c 65 "$temp")
truncate -s "$size" "$temp"
arrived=$(sum < "$temp")
if [ "$arrived" != "$sent" ]; then
  printf '%s
' "$arrived"
  exit 45
fi
chmod "$mode" "$temp"
mv -f -- "$temp" "$path"
printf 'written %s
' "$path"
"#;

/// Sends a file. $1 path. Prints SHA-256 and mode on a line of their own first.
const DOWNLOAD: &str = r#"
path=$1
case $path in '~'/*) path=$HOME/${path#??} ;; esac
if [ ! -e "$path" ]; then echo "there is no $path" >&2; exit 44; fi
if [ ! -f "$path" ]; then echo "$path is no file" >&2; exit 44; fi
choose "$(wc -c < "$path")"
sum=$(sum < "$path") && mode=$(stat -L -c %a -- "$path") || exit 1
[ -n "$sum" ] || exit 1
printf '%s %s\n' "$sum" "$mode"
exec cat -- "$path"
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
        source: io::Error,
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

impl TransferError {
    /// Returns one step that the user can take.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Command { source, .. } => source.hint(),
            Self::Local { .. } => None,
            Self::Checksum { .. } => {
                Some("something has changed it in the meantime: try again".to_owned())
            }
        }
    }
}

/// What is known of the content of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// SHA-256, in hexadecimal digits.
    pub sha256: String,
    /// Size, in bytes.
    pub size: u64,
}

impl Fingerprint {
    /// Reads a source to its end.
    ///
    /// # Errors
    ///
    /// Fails where the source cannot be read.
    pub async fn of(source: &mut (dyn AsyncRead + Send + Unpin)) -> io::Result<Self> {
        copy(source, &mut tokio::io::sink()).await
    }
}

/// Where an upload goes.
#[derive(Debug, Clone, Copy)]
pub struct UploadTarget<'a> {
    /// Path on the host; `~/` is the home directory of the user there. One that ends with `/`, or is
    /// a directory, gets a file of `name`.
    pub path: &'a str,
    /// Name of the file in a directory.
    pub name: &'a str,
    /// Mode, octal (`0644`).
    pub mode: &'a str,
    /// Whether it is written as root.
    pub elevated: bool,
}

/// What came of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uploaded {
    /// Whether the file was there already.
    pub written: Written,
    /// Where it is.
    pub path: String,
}

/// What was downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Downloaded {
    /// Its content.
    pub fingerprint: Fingerprint,
    /// Its mode on the host.
    pub mode: u32,
}

impl Files<'_> {
    /// Streams a file up. Does nothing where the file is there already, whole.
    ///
    /// The host itself refuses what did not arrive whole. The file stands under its name only when
    /// it is.
    ///
    /// # Errors
    ///
    /// Fails where either side fails or the checksums differ; then nothing is left on the host.
    pub async fn upload(
        &self,
        file: &LocalFile,
        target: &UploadTarget<'_>,
    ) -> Result<Uploaded, TransferError> {
        let path = target.path;
        let failed = |source| TransferError::Command {
            path: path.to_owned(),
            source,
        };
        let local = |source| TransferError::Local {
            path: path.to_owned(),
            source,
        };
        // The semaphore is never closed.
        let _upload = self.host.shared_limits().uploads.acquire().await.ok();
        let shown = format!("upload {path}");
        let command = Command::script(format!("{SHA256}{UPLOAD}"), Effect::Change)
            .args([path, target.name, target.mode])
            .arg(file.size().to_string())
            .title(shown.as_str());
        let command = elevate(command, target.elevated);
        let attached = self.host.attach(command, true).await.map_err(failed)?;
        let Attached {
            stdin,
            stdout,
            stderr,
            mut ending,
        } = attached;
        let talk = talk(stdin, BufReader::new(stdout), file);
        let words = async { Ok(words(stderr).await) };
        let (answer, words) = match tokio::try_join!(talk, words) {
            Ok(ended) => ended,
            Err(error) => {
                ending.end().await;
                return Err(local(error));
            }
        };
        let status = ending.wait().await.map_err(failed)?;
        let answer = answer.trim_end_matches('\n');
        match (status.code(), answer.split_once(' ')) {
            (Some(0), Some((word, path))) => Ok(Uploaded {
                written: match word {
                    "same" => Written::Unchanged,
                    _ => Written::Changed,
                },
                path: path.to_owned(),
            }),
            (Some(OTHERWISE), _) => Err(TransferError::Checksum {
                path: path.to_owned(),
                sent: file.sha256().await.map_err(local)?,
                arrived: answer.to_owned(),
            }),
            _ => Err(failed(CommandError::Exited {
                command: shown,
                status,
                stderr: words,
            })),
        }
    }

    /// Streams a file down, as root where `elevated`. `~/` is the home directory of the user there.
    ///
    /// # Errors
    ///
    /// Fails where either side fails, and where what arrived is not what the host has read before.
    pub async fn download(
        &self,
        path: &str,
        target: &mut (dyn AsyncWrite + Send + Unpin),
        elevated: bool,
    ) -> Result<Downloaded, TransferError> {
        let failed = |source| TransferError::Command {
            path: path.to_owned(),
            source,
        };
        let local = |source| TransferError::Local {
            path: path.to_owned(),
            source,
        };
        let shown = format!("download {path}");
        let command = Command::script(format!("{SHA256}{DOWNLOAD}"), Effect::Read)
            .arg(path)
            .title(shown.as_str());
        let command = elevate(command, elevated);
        let attached = self.host.attach(command, false).await.map_err(failed)?;
        let Attached {
            stdout,
            stderr,
            mut ending,
            ..
        } = attached;
        let mut stdout = BufReader::with_capacity(PIECE, stdout);
        let read = async {
            let mut head = String::new();
            (&mut stdout).take(WORDS).read_line(&mut head).await?;
            let fingerprint = copy(&mut stdout, target).await?;
            Ok((head, fingerprint))
        };
        let (read, words) = tokio::join!(read, words(stderr));
        let (head, fingerprint) = match read {
            Ok(read) => read,
            Err(error) => {
                ending.end().await;
                return Err(local(error));
            }
        };
        let status = ending.wait().await.map_err(failed)?;
        let promised = head.trim_end().split_once(' ');
        let promised = promised.filter(|_| status.success());
        let Some((sent, mode)) = promised else {
            return Err(failed(CommandError::Exited {
                command: shown,
                status,
                stderr: words,
            }));
        };
        if sent != fingerprint.sha256 {
            return Err(TransferError::Checksum {
                path: path.to_owned(),
                sent: sent.to_owned(),
                arrived: fingerprint.sha256,
            });
        }
        Ok(Downloaded {
            fingerprint,
            mode: u32::from_str_radix(mode, 8).unwrap_or(0o600),
        })
    }
}

fn elevate(command: Command, elevated: bool) -> Command {
    if elevated {
        command.elevated()
    } else {
        command
    }
}

/// Answers [`UPLOAD`]; returns what it says at its end.
///
/// What is wrong on the host is told by how its script ends: then the rest is not sent.
async fn talk(
    mut stdin: impl AsyncWrite + Unpin,
    mut stdout: impl AsyncBufRead + Unpin,
    file: &LocalFile,
) -> io::Result<String> {
    let mut first = String::new();
    // What is no text is no word of ours, either.
    let _ = (&mut stdout).take(WORDS).read_line(&mut first).await;
    let first = first.trim_end();
    let is_there = match first.strip_prefix("there ") {
        Some(sum) => sum == file.sha256().await?,
        None if first == "new" => false,
        None => return Ok(String::new()),
    };
    let write = async {
        if is_there {
            let _ = stdin.write_all(b"keep\n").await;
        } else {
            send(&mut stdin, file).await?;
        }
        let _ = stdin.shutdown().await;
        Ok::<_, io::Error>(())
    };
    let read = async {
        let mut last = String::new();
        let _ = stdout.take(WORDS).read_to_string(&mut last).await;
        last
    };
    let mut read = std::pin::pin!(read);
    // A writer that waits for room must not outlive a reader that has seen the end.
    tokio::select! {
        written = write => written?,
        ended = &mut read => return Ok(ended),
    }
    Ok(read.await)
}

/// Sends the content and what it has to be.
async fn send(stdin: &mut (impl AsyncWrite + Unpin), file: &LocalFile) -> io::Result<()> {
    let content = async {
        let mut content = file.open().await?.take(file.size());
        let mut buffer = vec![0; PIECE];
        let mut taken = stdin.write_all(b"send\n").await;
        // The host may take no more (a full disk).
        while taken.is_ok() && content.limit() > 0 {
            match content.read(&mut buffer).await? {
                0 => return Err(source::changed()),
                length => taken = stdin.write_all(&buffer[..length]).await,
            }
        }
        Ok(())
    };
    let ((), sum) = tokio::try_join!(content, file.sha256())?;
    let _ = stdin.write_all(format!("{sum}\n").as_bytes()).await;
    Ok(())
}

/// Copies a source to its end.
async fn copy(
    source: &mut (dyn AsyncRead + Send + Unpin),
    target: &mut (dyn AsyncWrite + Send + Unpin),
) -> io::Result<Fingerprint> {
    let mut sum = Sha256::new();
    let mut size = 0;
    let mut buffer = vec![0; PIECE];
    loop {
        let read = source.read(&mut buffer).await?;
        if read == 0 {
            break;
        }
        sum.update(&buffer[..read]);
        target.write_all(&buffer[..read]).await?;
        size += read as u64;
    }
    target.flush().await?;
    Ok(Fingerprint {
        sha256: hex(&sum.finalize()),
        size,
    })
}

/// Reads what a command says on standard error; more than is kept is thrown away.
async fn words(mut stderr: impl AsyncRead + Unpin) -> String {
    let mut kept = Vec::new();
    let _ = (&mut stderr).take(WORDS).read_to_end(&mut kept).await;
    let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&kept).into_owned()
}
