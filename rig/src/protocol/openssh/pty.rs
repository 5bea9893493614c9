//! A terminal that is handed to a master: it sends keys and sizes to the host as those of a user.
//!
//! The user's own terminal cannot be handed over: a master is in the background, where the kernel
//! stops whoever reads from it.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::pty::OpenptFlags;
use rustix::termios::{OptionalActions, Winsize};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::unix::pipe;

use crate::connection::TerminalSize;

/// Both sides of a terminal that nobody sits at.
pub(super) struct Pty {
    ours: OwnedFd,
    theirs: OwnedFd,
}

/// What changes the size of a terminal.
pub(super) struct Resize(OwnedFd);

impl Pty {
    /// Makes a terminal.
    pub(super) fn open(size: TerminalSize) -> io::Result<Self> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let ours = rustix::pty::openpt(flags)?;
        rustix::pty::grantpt(&ours)?;
        rustix::pty::unlockpt(&ours)?;
        let theirs = rustix::pty::ioctl_tiocgptpeer(&ours, flags)?;
        Resize(ours.try_clone()?).to(size)?;
        Ok(Self { ours, theirs })
    }

    /// Returns the side of the master.
    pub(super) fn theirs(&self) -> &OwnedFd {
        &self.theirs
    }

    /// Returns our side, once the master has taken over its own. From here on bytes go through as
    /// they are: the terminal of the host does what a terminal does.
    pub(super) fn into_streams(self) -> io::Result<(pipe::Sender, Output, Resize)> {
        let mut modes = rustix::termios::tcgetattr(&self.theirs)?;
        modes.make_raw();
        rustix::termios::tcsetattr(&self.theirs, OptionalActions::Now, &modes)?;
        rustix::io::ioctl_fionbio(self.ours.as_fd(), true)?;
        let input = pipe::Sender::from_owned_fd_unchecked(self.ours.try_clone()?)?;
        let output = pipe::Receiver::from_owned_fd_unchecked(self.ours.try_clone()?)?;
        Ok((input, Output(output), Resize(self.ours)))
    }
}

impl Resize {
    pub(super) fn to(&self, size: TerminalSize) -> io::Result<()> {
        let size = Winsize {
            ws_row: size.rows,
            ws_col: size.columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        Ok(rustix::termios::tcsetwinsize(&self.0, size)?)
    }
}

/// What is shown on a terminal. It ends where nobody has its other side any more.
pub(super) struct Output(pipe::Receiver);

impl AsyncRead for Output {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = ready!(Pin::new(&mut self.get_mut().0).poll_read(context, buffer));
        let is_over =
            |error: &io::Error| error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error());
        Poll::Ready(match read {
            Err(error) if is_over(&error) => Ok(()),
            read => read,
        })
    }
}
