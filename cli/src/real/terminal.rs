//! The terminal of the user: questions, secrets, and keys as they are pressed.

use std::fs::File;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cli::world::{Ask, RawTerminal, UserTerminal};
use report::terminal::Size;
use rig::connection::TerminalSize;
use rustix::fs::OFlags;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::SecretString;
use tokio::net::unix::pipe;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

pub(super) fn terminal_size() -> Size {
    match rustix::termios::tcgetwinsize(io::stderr()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => Size {
            columns: usize::from(size.ws_col),
            rows: usize::from(size.ws_row),
        },
        _ => Size::default(),
    }
}

/// The terminal that the user sits at, whatever the streams are connected to.
#[derive(Clone, Default)]
pub(crate) struct Terminal {
    /// The settings to go back to, while a secret is typed or a host has the terminal.
    silenced: Arc<Mutex<Option<Termios>>>,
}

impl Terminal {
    /// Makes the terminal what it was, where a question for a secret or a host was left.
    pub(crate) fn restore(&self) {
        let before = self.settings().take();
        if let (Some(before), Some(terminal)) = (before, Self::open()) {
            // Nobody is left to tell, and nothing else to try.
            let _ = tcsetattr(&terminal, OptionalActions::Now, &before);
        }
    }

    fn settings(&self) -> MutexGuard<'_, Option<Termios>> {
        self.silenced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn open() -> Option<File> {
        std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/tty")
            .ok()
    }

    fn read_line(terminal: &File) -> io::Result<Option<String>> {
        let mut line = String::new();
        let read = io::BufReader::new(terminal).read_line(&mut line)?;
        Ok((read > 0).then(|| line.trim_end_matches(['\n', '\r']).to_owned()))
    }
}

impl Ask for Terminal {
    fn secret(&self, question: &str) -> io::Result<Option<SecretString>> {
        let Some(mut terminal) = Self::open() else {
            return Ok(None);
        };
        let before = tcgetattr(&terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        terminal.write_all(question.as_bytes())?;
        *self.settings() = Some(before);
        tcsetattr(&terminal, OptionalActions::Now, &silent)?;
        let line = Self::read_line(&terminal);
        self.restore();
        terminal.write_all(b"\n")?;
        Ok(line?.map(SecretString::from))
    }

    fn line(&self, question: &str) -> io::Result<Option<String>> {
        if !io::stdin().is_terminal() {
            return Ok(None);
        }
        let Some(mut terminal) = Self::open() else {
            return Ok(None);
        };
        terminal.write_all(question.as_bytes())?;
        Self::read_line(&terminal)
    }
}

/// The size of the terminal on standard input.
fn size_of_input() -> TerminalSize {
    match rustix::termios::tcgetwinsize(io::stdin()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => TerminalSize {
            columns: size.ws_col,
            rows: size.ws_row,
        },
        _ => TerminalSize {
            columns: 80,
            rows: 24,
        },
    }
}

/// Tells of every new size of the terminal, for as long as somebody wants to know.
fn sizes() -> io::Result<watch::Receiver<TerminalSize>> {
    let mut changes = signal(SignalKind::window_change())?;
    let (sizes, receiver) = watch::channel(size_of_input());
    tokio::spawn(async move {
        loop {
            tokio::select! {
                change = changes.recv() => match change {
                    Some(()) => sizes.send_replace(size_of_input()),
                    None => return,
                },
                () = sizes.closed() => return,
            };
        }
    });
    Ok(receiver)
}

/// Gives the terminal back.
struct GiveBack(Terminal);

impl Drop for GiveBack {
    fn drop(&mut self) {
        self.0.restore();
    }
}

impl UserTerminal for Terminal {
    fn is_there(&self) -> bool {
        io::stdin().is_terminal() && io::stdout().is_terminal()
    }

    fn size(&self) -> io::Result<watch::Receiver<TerminalSize>> {
        sizes()
    }

    fn take_over(&self) -> io::Result<RawTerminal> {
        // Opened anew: what does not block here must not keep the user's shell from blocking.
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
        let mut options = std::fs::OpenOptions::new();
        options.read(true).write(true).custom_flags(flags);
        let terminal = options.open("/dev/tty")?;
        let before = tcgetattr(&terminal)?;
        let mut raw = before.clone();
        raw.make_raw();
        *self.settings() = Some(before);
        let give_back = GiveBack(self.clone());
        tcsetattr(&terminal, OptionalActions::Now, &raw)?;
        Ok(RawTerminal {
            input: Box::new(pipe::Receiver::from_file_unchecked(terminal.try_clone()?)?),
            output: Box::new(pipe::Sender::from_file_unchecked(terminal)?),
            give_back: Box::new(give_back),
        })
    }
}
