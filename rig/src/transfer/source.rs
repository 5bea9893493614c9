//! A file of this machine, that goes to hosts.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use tokio::fs::File;
use tokio_util::task::AbortOnDropHandle;

use super::Fingerprint;

/// A file of this machine. However many hosts it goes to, it is summed once.
#[derive(Debug)]
pub struct LocalFile {
    path: PathBuf,
    size: u64,
    mode: u32,
    sha256: Shared<BoxFuture<'static, Result<String, Arc<io::Error>>>>,
}

impl LocalFile {
    /// Looks at a file.
    ///
    /// # Errors
    ///
    /// Fails where it cannot be read, or is no file.
    pub async fn look(path: &Path) -> io::Result<Self> {
        let path = path.to_owned();
        let file = File::open(&path).await?;
        let metadata = file.metadata().await?;
        if !metadata.is_file() {
            return Err(io::Error::other(
                "it is not a file; pack a directory with `tar`",
            ));
        }
        let size = metadata.len();
        // In a task of its own: while one thread sums, another one encrypts.
        let sha256 = async move {
            let summing = AbortOnDropHandle::new(tokio::spawn(sum(file, size)));
            let summed = summing.await.map_err(io::Error::other).flatten();
            summed.map_err(Arc::new)
        };
        Ok(Self {
            path,
            size,
            mode: metadata.permissions().mode() & 0o7777,
            sha256: sha256.boxed().shared(),
        })
    }

    /// Returns its size, in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns its mode: permissions, set-user-ID, set-group-ID, sticky.
    pub fn mode(&self) -> u32 {
        self.mode
    }

    /// Returns the SHA-256 of its content, in hexadecimal digits. The first who asks has it read.
    ///
    /// # Errors
    ///
    /// Fails where it cannot be read, or is not as large as it was.
    pub async fn sha256(&self) -> io::Result<String> {
        let summed = self.sha256.clone().await;
        summed.map_err(|error| io::Error::new(error.kind(), error))
    }

    pub(super) async fn open(&self) -> io::Result<File> {
        File::open(&self.path).await
    }
}

async fn sum(mut file: File, size: u64) -> io::Result<String> {
    let content = Fingerprint::of(&mut file).await?;
    match content.size == size {
        true => Ok(content.sha256),
        false => Err(changed()),
    }
}

/// Returns the error of a file that is not as large as it was.
pub(super) fn changed() -> io::Error {
    io::Error::other("its size has changed in the meantime")
}
