//! Terminals: what is between who types and what reads, as the line discipline of Linux has it.
//!
//! What is typed is echoed and edited line by line, or handed on as it comes; some keys are signals.
//! What is written gets a carriage return before each line end.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};

use crate::files::Errno;
use crate::pipe::{Awaited, WriteError};
use crate::process::Signal;
use crate::world::{Fleet, HostId};

/// How long a line may get, as on Linux.
const LONGEST_LINE: usize = 4095;
/// How much output waits to be shown.
const CAPACITY: usize = 64 << 10;

/// A key that does something: its name, as `stty` has it, and what it is before anybody changes it.
pub(crate) const KEYS: [(&str, u8); 8] = [
    ("intr", 3),
    ("quit", 28),
    ("erase", 127),
    ("kill", 21),
    ("eof", 4),
    ("susp", 26),
    ("werase", 23),
    ("lnext", 22),
];

/// What a terminal does with what goes through it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Modes {
    /// Lines are edited before they are handed on.
    pub(crate) icanon: bool,
    /// What is typed is shown.
    pub(crate) echo: bool,
    /// Erased characters are taken off the screen.
    pub(crate) echoe: bool,
    /// The line end is shown, whether the rest is or not.
    pub(crate) echonl: bool,
    /// Keys are signals.
    pub(crate) isig: bool,
    /// A carriage return that is typed is a line end.
    pub(crate) icrnl: bool,
    /// Output is changed at all.
    pub(crate) opost: bool,
    /// Line ends get a carriage return.
    pub(crate) onlcr: bool,
    /// The keys, in the order of [`KEYS`]; 0 for none.
    pub(crate) keys: [u8; 8],
}

impl Default for Modes {
    fn default() -> Self {
        Self {
            icanon: true,
            echo: true,
            echoe: true,
            echonl: false,
            isig: true,
            icrnl: true,
            opost: true,
            onlcr: true,
            keys: KEYS.map(|(_, key)| key),
        }
    }
}

impl Modes {
    fn key(&self, byte: u8) -> Option<&'static str> {
        let at = self.keys.iter().position(|key| *key == byte && byte != 0)?;
        KEYS.get(at).map(|(name, _)| *name)
    }
}

/// The size of a terminal, in characters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Size {
    /// Its height.
    pub(crate) rows: u32,
    /// Its width.
    pub(crate) columns: u32,
}

/// A terminal of a session.
#[derive(Debug)]
pub(crate) struct Terminal {
    fleet: Fleet,
    host: HostId,
    session: u64,
    /// Its name: `/dev/pts/0`.
    pub(crate) name: String,
    state: Mutex<State>,
    watch: Option<Arc<dyn Awaited>>,
}

#[derive(Debug, Default)]
struct State {
    modes: Modes,
    size: Size,
    /// The line that is edited.
    line: Vec<u8>,
    /// What can be read; an empty piece is the end of the input, once.
    input: VecDeque<Bytes>,
    /// What is to be shown.
    output: BytesMut,
    /// The next key is taken as it is.
    is_literal: bool,
    is_hung_up: bool,
    is_awaited: bool,
    wakers: Vec<Waker>,
}

impl State {
    fn wait(&mut self, context: &Context<'_>) {
        let known = |waker: &Waker| waker.will_wake(context.waker());
        if !self.wakers.iter().any(known) {
            self.wakers.push(context.waker().clone());
        }
    }

    /// Shows a key that was typed.
    fn echo(&mut self, byte: u8) {
        match byte {
            b'\n' if self.modes.echo || self.modes.echonl => self.show(b"\n"),
            _ if !self.modes.echo => {}
            b'\t' => self.show(b"\t"),
            byte if byte < 32 => self.show(&[b'^', byte + 64]),
            127 => self.show(b"^?"),
            byte => self.show(&[byte]),
        }
    }

    /// Shows what is written.
    fn show(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\n' && self.modes.opost && self.modes.onlcr {
                self.output.extend_from_slice(b"\r");
            }
            self.output.extend_from_slice(&[*byte]);
        }
    }

    /// Takes the last character off the line; returns whether there was one.
    fn erase(&mut self) -> bool {
        // The bytes of a character that has more than one go together.
        let mut last = self.line.pop();
        let mut wide = last;
        while wide.is_some_and(|byte| byte & 0xc0 == 0x80) {
            wide = self.line.pop();
        }
        if self.modes.echo && self.modes.echoe {
            let columns = match last.take() {
                None => 0,
                Some(b'\t') => 1,
                Some(byte) if byte < 32 => 2,
                Some(_) => 1,
            };
            for _ in 0..columns {
                self.output.extend_from_slice(b"\x08 \x08");
            }
            return columns > 0;
        }
        last.is_some()
    }

    /// Hands the line on.
    fn enter(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.input.push_back(line.into());
    }

    /// Takes a key; returns the signal that it is.
    fn take(&mut self, byte: u8) -> Option<Signal> {
        let byte = match byte {
            b'\r' if self.modes.icrnl => b'\n',
            byte => byte,
        };
        if std::mem::take(&mut self.is_literal) {
            self.add(byte);
            return None;
        }
        let key = self.modes.key(byte).unwrap_or_default();
        let signal = match key {
            "intr" => Some(Signal::INT),
            "quit" => Some(Signal::QUIT),
            "susp" => Some(Signal::TSTP),
            _ => None,
        };
        if let Some(signal) = signal.filter(|_| self.modes.isig) {
            self.line.clear();
            self.input.clear();
            self.echo(byte);
            return Some(signal);
        }
        if !self.modes.icanon {
            self.echo(byte);
            match self.input.back_mut() {
                Some(last) if !last.is_empty() => *last = [last, &[byte][..]].concat().into(),
                _ => self.input.push_back(Bytes::copy_from_slice(&[byte])),
            }
            return None;
        }
        match key {
            "erase" => drop(self.erase()),
            "kill" => while !self.line.is_empty() && (self.erase() || !self.line.is_empty()) {},
            "werase" => self.erase_word(),
            "eof" => self.enter(),
            "lnext" => {
                self.is_literal = true;
                if self.modes.echo {
                    self.output.extend_from_slice(b"^\x08");
                }
            }
            _ => self.add(byte),
        }
        None
    }

    fn erase_word(&mut self) {
        let is_space = |line: &[u8]| line.last().is_some_and(|byte| *byte == b' ');
        while is_space(&self.line) {
            self.erase();
        }
        while !self.line.is_empty() && !is_space(&self.line) {
            self.erase();
        }
    }

    fn add(&mut self, byte: u8) {
        if byte != b'\n' && self.line.len() >= LONGEST_LINE {
            // It rings.
            self.output.extend_from_slice(b"\x07");
            return;
        }
        self.line.push(byte);
        self.echo(byte);
        if byte == b'\n' {
            self.enter();
        }
    }
}

impl Terminal {
    /// Makes the terminal of a session.
    pub(crate) fn new(
        fleet: &Fleet,
        (host, session): (HostId, u64),
        name: String,
        size: Size,
        watch: Option<Arc<dyn Awaited>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            fleet: fleet.clone(),
            host,
            session,
            name,
            state: Mutex::new(State {
                size,
                ..State::default()
            }),
            watch,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes it, and wakes everybody.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state();
        let result = change(&mut state);
        for waker in state.wakers.drain(..) {
            waker.wake();
        }
        // Not before the others are awake: see `pipe`.
        if !state.input.is_empty() || state.is_hung_up {
            self.set_awaited(&mut state, false);
        }
        result
    }

    fn set_awaited(&self, state: &mut State, is_awaited: bool) {
        if let Some(watch) = &self.watch
            && state.is_awaited != is_awaited
        {
            state.is_awaited = is_awaited;
            watch.set(is_awaited);
        }
    }

    /// Delivers a signal to what runs in it.
    fn signal(&self, signal: Signal) {
        self.fleet.host(self.host, |host| {
            host.processes.signal_session(self.session, signal, "root");
        });
    }

    /// Takes what somebody has typed.
    pub(crate) fn type_in(&self, bytes: &[u8]) {
        for byte in bytes {
            if let Some(signal) = self.change(|state| state.take(*byte)) {
                self.signal(signal);
            }
        }
    }

    /// Changes its size, and tells what runs in it.
    pub(crate) fn resize(&self, size: Size) {
        let is_other = self.change(|state| std::mem::replace(&mut state.size, size) != size);
        if is_other {
            self.signal(Signal::WINCH);
        }
    }

    /// Returns its size.
    pub(crate) fn size(&self) -> Size {
        self.state().size
    }

    /// Returns what it does.
    pub(crate) fn modes(&self) -> Modes {
        self.state().modes
    }

    /// Changes what it does.
    pub(crate) fn set_modes(&self, modes: Modes) {
        self.change(|state| {
            // What was typed so far can be read as it is.
            if state.modes.icanon && !modes.icanon && !state.line.is_empty() {
                state.enter();
            }
            state.modes = modes;
        });
    }

    /// Whoever looked at it is gone.
    pub(crate) fn hang_up(&self) {
        let was_there = self.change(|state| !std::mem::replace(&mut state.is_hung_up, true));
        if was_there {
            self.signal(Signal::HUP);
            self.signal(Signal::CONT);
        }
    }

    /// Returns what is to be shown, as soon as there is some.
    pub(crate) fn shown(&self) -> impl Future<Output = Bytes> + '_ {
        std::future::poll_fn(|context| {
            let mut state = self.state();
            if state.output.is_empty() {
                state.wait(context);
                return Poll::Pending;
            }
            let bytes = state.output.split().freeze();
            let wakers = std::mem::take(&mut state.wakers);
            drop(state);
            for waker in wakers {
                waker.wake();
            }
            Poll::Ready(bytes)
        })
    }

    /// Returns what is left to be shown.
    pub(crate) fn rest(&self) -> Bytes {
        self.change(|state| state.output.split().freeze())
    }

    pub(crate) fn poll_read(&self, context: &Context<'_>, most: usize) -> Poll<io::Result<Bytes>> {
        let mut state = self.state();
        if state.is_hung_up {
            return Poll::Ready(Ok(Bytes::new()));
        }
        let Some(mut piece) = state.input.pop_front() else {
            state.wait(context);
            self.set_awaited(&mut state, true);
            return Poll::Pending;
        };
        if piece.len() > most {
            let rest = piece.split_off(most);
            state.input.push_front(rest);
        }
        Poll::Ready(Ok(piece))
    }

    pub(crate) fn poll_write(
        &self,
        context: &Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, WriteError>> {
        if self.state().is_hung_up {
            return Poll::Ready(Err(WriteError::Errno(Errno::Io)));
        }
        if self.state().output.len() >= CAPACITY {
            self.state().wait(context);
            return Poll::Pending;
        }
        let length = bytes.len().min(CAPACITY);
        self.change(|state| state.show(&bytes[..length]));
        Poll::Ready(Ok(length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Types, and returns what is shown and what can be read.
    fn typed(change: impl FnOnce(&mut Modes), bytes: &[u8]) -> (String, Vec<String>) {
        let mut state = State::default();
        change(&mut state.modes);
        for byte in bytes {
            state.take(*byte);
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let pieces = state.input.iter().map(|piece| text(piece)).collect();
        (text(&state.output), pieces)
    }

    fn pieces(all: &[&str]) -> Vec<String> {
        all.iter().map(|piece| (*piece).to_owned()).collect()
    }

    #[test]
    fn a_line_is_edited_before_it_is_handed_on() {
        let (shown, read) = typed(|_| {}, b"ax\x7fb c d\x17e\r");

        assert_eq!(read, pieces(&["ab c e\n"]));
        assert_eq!(shown, "ax\x08 \x08b c d\x08 \x08e\r\n");
    }

    #[test]
    fn the_key_for_the_end_hands_on_what_there_is() {
        let (_, read) = typed(|_| {}, b"ab\x04\x04");

        assert_eq!(read, pieces(&["ab", ""]));
    }

    #[test]
    fn a_whole_line_is_taken_back_and_a_wide_character_at_once() {
        let (_, read) = typed(|_| {}, "abc\u{15}ü\u{7f}d\n".as_bytes());

        assert_eq!(read, pieces(&["d\n"]));
    }

    #[test]
    fn the_key_for_an_interrupt_is_a_signal_and_takes_the_line_with_it() {
        let mut state = State::default();
        for byte in b"abc" {
            assert_eq!(state.take(*byte), None);
        }

        assert_eq!(state.take(3), Some(Signal::INT));
        assert_eq!(&state.output[..], b"abc^C");
        assert!(state.line.is_empty());
    }

    #[test]
    fn without_lines_every_key_is_handed_on_as_it_comes() {
        let raw = |modes: &mut Modes| {
            modes.icanon = false;
            modes.isig = false;
            modes.icrnl = false;
            modes.echo = false;
        };

        assert_eq!(
            typed(raw, b"a\x03\r"),
            (String::new(), pieces(&["a\x03\r"]))
        );
    }
}
