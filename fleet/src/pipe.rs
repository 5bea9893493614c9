//! Byte streams between processes: pipes, files that are open, and what is neither.
//!
//! Handles are cheap clones of one open end. A reader sees the end when the last writer is gone; a
//! writer is refused when the last reader is.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::files::{Content, Credentials, Errno, Follow};
use crate::terminal::Terminal;
use crate::world::{Fleet, HostId};

/// How many bytes a pipe holds, as on Linux.
const CAPACITY: usize = 64 << 10;
/// How much is read from a file at a time.
const PIECE: usize = 64 << 10;

/// Who is told when somebody begins to wait for what comes from outside, and when that is over.
pub(crate) trait Awaited: std::fmt::Debug + Send + Sync {
    /// Is told.
    fn set(&self, is_awaited: bool);
}

/// Makes a pipe.
pub(crate) fn pipe() -> (Writer, Reader) {
    watched_pipe(None)
}

/// Makes a pipe whose reader is watched.
pub(crate) fn watched_pipe(watch: Option<Arc<dyn Awaited>>) -> (Writer, Reader) {
    let channel = Arc::new(Channel {
        state: Mutex::default(),
        watch,
    });
    let writer = Writer(
        Sink::Pipe(Arc::new(WriteEnd(Arc::clone(&channel)))),
        Way::Plain,
    );
    let reader = Reader(Source::Pipe(Arc::new(ReadEnd(channel))));
    (writer, reader)
}

/// Returns the whole lines of what is left from before and a piece that has come, and leaves the rest
/// for the next one; where the piece is the end, all of it.
pub(crate) fn take_lines(left: &mut Vec<u8>, piece: &[u8]) -> String {
    left.extend_from_slice(piece);
    let end = match piece.is_empty() {
        true => left.len(),
        false => left
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1),
    };
    let rest = left.split_off(end);
    String::from_utf8_lossy(&std::mem::replace(left, rest)).into_owned()
}

/// Why a write failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteError {
    /// Nobody reads.
    Broken,
    /// The descriptor is closed.
    Closed,
    /// The file system refused.
    Errno(Errno),
}

#[derive(Debug)]
struct Channel {
    state: Mutex<State>,
    watch: Option<Arc<dyn Awaited>>,
}

#[derive(Debug, Default)]
struct State {
    bytes: BytesMut,
    has_no_reader: bool,
    has_no_writer: bool,
    /// Whether somebody waits for more; known where it is watched.
    is_awaited: bool,
    wakers: Vec<Waker>,
}

impl State {
    fn wait(&mut self, context: &Context<'_>) {
        if !self
            .wakers
            .iter()
            .any(|waker| waker.will_wake(context.waker()))
        {
            self.wakers.push(context.waker().clone());
        }
    }

    fn wake(&mut self) {
        for waker in self.wakers.drain(..) {
            waker.wake();
        }
    }
}

impl Channel {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of whether somebody waits for more. Who does not any more is woken before: a clock
    /// that may jump then must find that there is something to do.
    fn set_awaited(&self, state: &mut State, is_awaited: bool) {
        if let Some(watch) = &self.watch
            && state.is_awaited != is_awaited
        {
            state.is_awaited = is_awaited;
            watch.set(is_awaited);
        }
    }
}

#[derive(Debug)]
struct ReadEnd(Arc<Channel>);

impl Drop for ReadEnd {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.has_no_reader = true;
        state.wake();
        self.0.set_awaited(&mut state, false);
    }
}

#[derive(Debug)]
struct WriteEnd(Arc<Channel>);

impl Drop for WriteEnd {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.has_no_writer = true;
        state.wake();
        self.0.set_awaited(&mut state, false);
    }
}

/// A file that is open for reading; its clones share one position.
#[derive(Debug)]
struct OpenFile {
    content: Content,
    position: Mutex<u64>,
}

#[derive(Debug, Clone)]
enum Source {
    Null,
    Zero,
    Closed,
    Directory,
    Pipe(Arc<ReadEnd>),
    File(Arc<OpenFile>),
    Terminal(Arc<Terminal>),
}

/// Where a process reads from.
#[derive(Debug, Clone)]
pub(crate) struct Reader(Source);

impl Reader {
    /// Returns a reader that is at its end.
    pub(crate) fn null() -> Self {
        Self(Source::Null)
    }

    /// Returns a reader without an end.
    pub(crate) fn zero() -> Self {
        Self(Source::Zero)
    }

    /// Returns a reader that is closed.
    pub(crate) fn closed() -> Self {
        Self(Source::Closed)
    }

    /// Returns a reader of a directory: opening it works, reading does not.
    pub(crate) fn directory() -> Self {
        Self(Source::Directory)
    }

    /// Returns a reader of what a file holds now.
    pub(crate) fn content(content: impl Into<Content>) -> Self {
        Self(Source::File(Arc::new(OpenFile {
            content: content.into(),
            position: Mutex::new(0),
        })))
    }

    /// Returns a reader of what is typed at a terminal.
    pub(crate) fn terminal(terminal: Arc<Terminal>) -> Self {
        Self(Source::Terminal(terminal))
    }

    /// Returns the terminal that it reads from.
    pub(crate) fn as_terminal(&self) -> Option<&Arc<Terminal>> {
        match &self.0 {
            Source::Terminal(terminal) => Some(terminal),
            _ => None,
        }
    }

    /// Returns whether it is a directory.
    pub(crate) fn is_directory(&self) -> bool {
        matches!(self.0, Source::Directory)
    }

    /// Returns the content of the file, where it is one that was not read from yet.
    pub(crate) fn whole_content(&self) -> Option<Content> {
        match &self.0 {
            Source::File(file) => {
                let position = file.position.lock().unwrap_or_else(PoisonError::into_inner);
                (*position == 0).then(|| file.content.clone())
            }
            _ => None,
        }
    }

    fn poll_bytes(&self, context: &Context<'_>, most: usize) -> Poll<io::Result<Bytes>> {
        match &self.0 {
            Source::Null => Poll::Ready(Ok(Bytes::new())),
            Source::Zero => Poll::Ready(Ok(Bytes::from(vec![0; most.min(PIECE)]))),
            Source::Closed => Poll::Ready(Err(io::Error::other("Bad file descriptor"))),
            Source::Directory => Poll::Ready(Err(io::Error::other("Is a directory"))),
            Source::File(file) => {
                let mut position = file.position.lock().unwrap_or_else(PoisonError::into_inner);
                let bytes = file.content.slice(*position, most.min(PIECE));
                *position += bytes.len() as u64;
                Poll::Ready(Ok(bytes))
            }
            Source::Terminal(terminal) => terminal.poll_read(context, most),
            Source::Pipe(end) => {
                let mut state = end.0.state();
                if !state.bytes.is_empty() {
                    let length = state.bytes.len().min(most);
                    let bytes = state.bytes.split_to(length).freeze();
                    state.wake();
                    return Poll::Ready(Ok(bytes));
                }
                if state.has_no_writer {
                    return Poll::Ready(Ok(Bytes::new()));
                }
                state.wait(context);
                end.0.set_awaited(&mut state, true);
                Poll::Pending
            }
        }
    }

    /// Reads what is there, at least one byte and at most `most`; nothing at the end.
    ///
    /// # Errors
    ///
    /// Fails where the descriptor is closed or a directory; the text is that of the C library.
    pub(crate) async fn read(&self, most: usize) -> io::Result<Bytes> {
        std::future::poll_fn(|context| self.poll_bytes(context, most)).await
    }

    /// Reads to the end.
    ///
    /// # Errors
    ///
    /// Fails where the descriptor is closed or a directory.
    pub(crate) async fn read_to_end(&self) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        loop {
            let piece = self.read(PIECE).await?;
            if piece.is_empty() {
                return Ok(all);
            }
            all.extend_from_slice(&piece);
        }
    }

    /// Reads a line with its end; nothing at the end. Takes no byte that follows.
    ///
    /// # Errors
    ///
    /// Fails where the descriptor is closed or a directory.
    pub(crate) async fn read_line(&self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        loop {
            match self.take_line(&mut line) {
                Some(true) => return Ok(line),
                Some(false) => {}
                None => {
                    let byte = self.read(1).await?;
                    line.extend_from_slice(&byte);
                    if byte.is_empty() || byte.ends_with(b"\n") {
                        return Ok(line);
                    }
                }
            }
        }
    }

    /// Takes what is there up to the end of the line; `None` where one has to wait or nothing is
    /// left, else whether the line is complete.
    fn take_line(&self, line: &mut Vec<u8>) -> Option<bool> {
        let Source::Pipe(end) = &self.0 else {
            return None;
        };
        let mut state = end.0.state();
        if state.bytes.is_empty() {
            return None;
        }
        let at = state.bytes.iter().position(|byte| *byte == b'\n');
        let length = at.map_or(state.bytes.len(), |at| at + 1);
        line.extend_from_slice(&state.bytes.split_to(length));
        state.wake();
        Some(at.is_some())
    }
}

impl AsyncRead for Reader {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let most = buffer.remaining();
        self.poll_bytes(context, most)
            .map_ok(|bytes| buffer.put_slice(&bytes))
    }
}

/// A file that is open for writing.
#[derive(Debug)]
struct FileSink {
    fleet: Fleet,
    host: HostId,
    path: String,
    inode: u64,
}

impl FileSink {
    /// Lets an empty file hold a content; returns whether it was empty.
    fn fill(&self, content: &Content) -> Result<bool, WriteError> {
        let now = self.fleet.time_of(self.host);
        let root = Credentials::root();
        self.fleet.host(self.host, |host| {
            match host.files.stat(&self.path, Follow::No, &root) {
                Ok(stat) if stat.inode == self.inode && stat.size == 0 => host
                    .files
                    .write(&self.path, content.clone(), 0o644, &root, now)
                    .map(|()| true)
                    .map_err(WriteError::Errno),
                _ => Ok(false),
            }
        })
    }

    /// Writes at the end. A file that was removed or replaced since takes what nobody will see.
    fn write(&self, bytes: &[u8]) -> Result<(), WriteError> {
        let now = self.fleet.time_of(self.host);
        let root = Credentials::root();
        self.fleet.host(self.host, |host| {
            match host.files.stat(&self.path, Follow::No, &root) {
                Ok(stat) if stat.inode == self.inode => host
                    .files
                    .append(&self.path, bytes, 0o644, &root, now)
                    .map_err(WriteError::Errno),
                _ => Ok(()),
            }
        })
    }
}

#[derive(Debug, Clone)]
enum Sink {
    Null,
    Full,
    Closed,
    Pipe(Arc<WriteEnd>),
    File(Arc<FileSink>),
    Terminal(Arc<Terminal>),
}

/// What leads to where a process writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Plain,
    /// Programs that write to a terminal may write something else.
    Terminal,
}

/// Where a process writes to.
#[derive(Debug, Clone)]
pub(crate) struct Writer(Sink, Way);

impl Writer {
    /// Returns a writer that forgets.
    pub(crate) fn null() -> Self {
        Self(Sink::Null, Way::Plain)
    }

    /// Returns a writer that is always full.
    pub(crate) fn full() -> Self {
        Self(Sink::Full, Way::Plain)
    }

    /// Returns a writer that is closed.
    pub(crate) fn closed() -> Self {
        Self(Sink::Closed, Way::Plain)
    }

    /// Returns a writer to a terminal.
    pub(crate) fn terminal(terminal: Arc<Terminal>) -> Self {
        Self(Sink::Terminal(terminal), Way::Terminal)
    }

    /// Returns the terminal that it writes to.
    pub(crate) fn as_terminal(&self) -> Option<&Arc<Terminal>> {
        match &self.0 {
            Sink::Terminal(terminal) => Some(terminal),
            _ => None,
        }
    }

    /// Returns a writer at the end of the file at a canonical path, which must exist.
    pub(crate) fn file(fleet: &Fleet, host: HostId, path: String, inode: u64) -> Self {
        Self(
            Sink::File(Arc::new(FileSink {
                fleet: fleet.clone(),
                host,
                path,
                inode,
            })),
            Way::Plain,
        )
    }

    /// Writes a content as a whole: by reference where it is all that is in a file, else its bytes.
    ///
    /// # Errors
    ///
    /// Fails as [`Writer::write`].
    pub(crate) async fn write_content(&self, content: &Content) -> Result<(), WriteError> {
        if let Sink::File(file) = &self.0
            && file.fill(content)?
        {
            return Ok(());
        }
        let mut at = 0;
        while at < content.size() {
            self.write(&content.slice(at, PIECE)).await?;
            at += PIECE as u64;
        }
        Ok(())
    }

    /// Returns it as the end of a terminal.
    pub(crate) fn of_terminal(self) -> Self {
        Self(self.0, Way::Terminal)
    }

    /// Returns whether it is the end of a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        self.1 == Way::Terminal
    }

    fn poll_bytes(&self, context: &Context<'_>, bytes: &[u8]) -> Poll<Result<usize, WriteError>> {
        match &self.0 {
            Sink::Null => Poll::Ready(Ok(bytes.len())),
            Sink::Full => Poll::Ready(Err(WriteError::Errno(Errno::NoSpace))),
            Sink::Closed => Poll::Ready(Err(WriteError::Closed)),
            Sink::Terminal(terminal) => terminal.poll_write(context, bytes),
            Sink::File(file) => Poll::Ready(file.write(bytes).map(|()| bytes.len())),
            Sink::Pipe(end) => {
                let mut state = end.0.state();
                if state.has_no_reader {
                    return Poll::Ready(Err(WriteError::Broken));
                }
                let room = CAPACITY.saturating_sub(state.bytes.len());
                if room == 0 {
                    state.wait(context);
                    return Poll::Pending;
                }
                let length = bytes.len().min(room);
                state.bytes.extend_from_slice(&bytes[..length]);
                state.wake();
                end.0.set_awaited(&mut state, false);
                Poll::Ready(Ok(length))
            }
        }
    }

    /// Writes everything, waiting for room.
    ///
    /// # Errors
    ///
    /// Fails where nobody reads, the descriptor is closed, or the file system refuses.
    pub(crate) async fn write(&self, mut bytes: &[u8]) -> Result<(), WriteError> {
        while !bytes.is_empty() {
            let done = std::future::poll_fn(|context| self.poll_bytes(context, bytes)).await?;
            bytes = &bytes[done..];
        }
        Ok(())
    }
}

impl AsyncWrite for Writer {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_bytes(context, bytes)
            .map_err(|error| match error {
                WriteError::Broken => io::Error::from(io::ErrorKind::BrokenPipe),
                WriteError::Closed => io::Error::other("Bad file descriptor"),
                WriteError::Errno(errno) => io::Error::other(errno),
            })
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0 = Sink::Closed;
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_reader_sees_the_end_when_the_last_writer_is_gone() {
        let (writer, reader) = pipe();
        let other = writer.clone();
        writer.write(b"ab").await.unwrap();
        drop(writer);
        other.write(b"c").await.unwrap();
        drop(other);

        assert_eq!(reader.read_to_end().await.unwrap(), b"abc");
    }

    #[tokio::test]
    async fn a_writer_waits_for_room_and_is_refused_without_a_reader() {
        let (writer, reader) = pipe();
        let many = vec![b'x'; CAPACITY * 3];
        let write = tokio::spawn(async move { writer.write(&many).await });

        assert_eq!(reader.read(10).await.unwrap().len(), 10);
        drop(reader);

        assert_eq!(write.await.unwrap(), Err(WriteError::Broken));
    }

    #[tokio::test]
    async fn a_line_is_taken_and_no_more() {
        let (writer, reader) = pipe();
        writer.write(b"a\nb").await.unwrap();
        drop(writer);

        assert_eq!(reader.read_line().await.unwrap(), b"a\n");
        assert_eq!(reader.read_line().await.unwrap(), b"b");
        assert_eq!(reader.read_line().await.unwrap(), b"");
    }
}
