//! Standard input for commands: handed on as it comes to one host, kept for several.

use std::io::Read;

use bytes::Bytes;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::Mutex;

use crate::error::CliError;
use crate::session::interruptible;
use crate::world::World;

/// How much is kept for several hosts.
const MOST: usize = 64 << 20;
/// How much is read at a time.
const PIECE: usize = 64 << 10;

/// What commands read.
pub(super) enum Input {
    /// Nothing.
    None,
    /// What comes, for the one host that is there.
    Stream(Mutex<Option<Box<dyn Read + Send>>>),
    /// All of it, for each.
    Kept(Bytes),
}

impl Input {
    pub(super) fn none() -> Self {
        Self::None
    }

    /// Takes standard input over for so many hosts.
    pub(super) async fn open(world: &mut World, hosts: usize) -> Result<Self, CliError> {
        let stdin = std::mem::replace(&mut world.stdin, Box::new(std::io::empty()));
        if hosts == 1 {
            return Ok(Self::Stream(Mutex::new(Some(stdin))));
        }
        // One byte more than is kept is enough to tell that there is too much.
        let mut limited = stdin.take(MOST as u64 + 1);
        let read = interruptible(world, move || {
            let mut all = Vec::new();
            limited.read_to_end(&mut all).map(|_| all)
        });
        let all = read.await?.map_err(|source| CliError::Local {
            what: "cannot read standard input".to_owned(),
            source,
        })?;
        if all.len() > MOST {
            return Err(CliError::Usage(format!(
                "standard input has more than {} MiB, which is too much for several hosts: bring it \
                 there with `launchpad upload`",
                MOST >> 20
            )));
        }
        Ok(Self::Kept(all.into()))
    }

    pub(super) fn is_there(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// Writes the input to a process, up to its end or that of the process.
    pub(super) async fn feed(&self, stdin: &mut (dyn AsyncWrite + Send + Unpin)) {
        match self {
            Self::None => {}
            Self::Kept(bytes) => {
                // A process that reads no further has its own reasons.
                let _ = stdin.write_all(bytes).await;
            }
            Self::Stream(reader) => {
                let mut reader = reader.lock().await.take();
                while let Some(source) = reader.take() {
                    let Ok((source, piece)) = read_piece(source).await else {
                        break;
                    };
                    if piece.is_empty() || stdin.write_all(&piece).await.is_err() {
                        break;
                    }
                    let _ = stdin.flush().await;
                    reader = Some(source);
                }
            }
        }
        let _ = stdin.shutdown().await;
    }
}

type Source = Box<dyn Read + Send>;

/// Reads what is there; nothing at the end. The reader may block for as long as a pipe likes.
async fn read_piece(mut source: Source) -> std::io::Result<(Source, Vec<u8>)> {
    let read = tokio::task::spawn_blocking(move || {
        let mut piece = vec![0; PIECE];
        loop {
            match source.read(&mut piece) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(length) => {
                    piece.truncate(length);
                    return Ok((source, piece));
                }
            }
        }
    });
    read.await.map_err(std::io::Error::from)?
}
