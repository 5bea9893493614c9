//! Small files of a host: read, written atomically, removed. [`transfer`](crate::transfer) moves
//! those of any size.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::command::{Command, Effect};
use crate::host::{CommandError, Host};

/// How long a small file may take.
const SMALL: Duration = Duration::from_secs(60);

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
    pub(crate) host: &'a Host,
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
}

/// Whether the content of a file is kept out of every log as a whole.
fn looks_secret(spec: &FileSpec<'_>) -> bool {
    spec.mode.ends_with("00")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
