//! One command or shell of a connection: its streams, its terminal, its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use rig::connection::ExitStatus;
use russh::server::{Handle, Msg, Session as Protocol};
use russh::{ChannelId, ChannelWriteHalf, Pty, Sig};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::Door;
use super::backlog::{Backlog, Piece};
use super::visitor::Visitor;
use crate::connection::session::{Asked, Session, Streams};
use crate::connection::{Cut, Meter, session_of};
use crate::environment::Environment;
use crate::fault::Verdict;
use crate::pipe::{Reader, Writer, pipe, watched_pipe};
use crate::process::Signal;
use crate::terminal::{Modes, Size, Terminal};

/// How much output is sent at a time.
const PIECE: usize = 32 << 10;

/// A terminal that was asked for.
struct Wish {
    kind: String,
    size: Size,
    modes: Modes,
}

/// A channel.
pub(super) struct Seat {
    writer: Option<ChannelWriteHalf<Msg>>,
    handle: Handle,
    /// The variables that the client has sent.
    pub(super) environment: Environment,
    input: Option<mpsc::UnboundedSender<Piece>>,
    backlog: Backlog,
    /// What takes its input, as long as the channel is open.
    taking: Option<JoinHandle<()>>,
    /// What gives its answer.
    giving: Option<JoinHandle<()>>,
    /// Which command it is.
    number: Option<u64>,
    wish: Option<Wish>,
    terminal: Option<Arc<Terminal>>,
    /// Whether its end was told.
    is_over: Arc<AtomicBool>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(taking) = &self.taking {
            taking.abort();
        }
        // An end that is about to be told is told: without it, the client waits forever.
        if let Some(giving) = &self.giving
            && !self.is_over()
        {
            giving.abort();
        }
        if let Some(terminal) = &self.terminal {
            terminal.hang_up();
        }
    }
}

impl Seat {
    /// Makes one on which nothing runs.
    pub(super) fn new(writer: ChannelWriteHalf<Msg>, handle: Handle, backlog: Backlog) -> Self {
        Self {
            writer: Some(writer),
            handle,
            environment: Environment::default(),
            input: None,
            backlog,
            taking: None,
            giving: None,
            number: None,
            wish: None,
            terminal: None,
            is_over: Arc::default(),
        }
    }

    /// Takes what the client has sent; returns whether it is not too much.
    pub(super) fn input(&mut self, data: &[u8]) -> bool {
        let Some(input) = &self.input else {
            return true;
        };
        let Some(piece) = self.backlog.keep(data) else {
            return false;
        };
        if input.send(piece).is_err() {
            // Nobody reads any more: what comes is thrown away.
            self.input = None;
        }
        true
    }

    /// Returns whether its end was told. The library does not say when the client has heard it.
    pub(super) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// The client sends nothing more.
    pub(super) fn end_input(&mut self) {
        self.input = None;
    }

    /// Takes note of a terminal that it is to have.
    pub(super) fn wish_for_terminal(&mut self, kind: &str, size: Size, modes: &[(Pty, u32)]) {
        let mut wanted = Modes::default();
        for (name, value) in modes {
            set_mode(&mut wanted, *name, *value);
        }
        self.wish = Some(Wish {
            kind: kind.to_owned(),
            size,
            modes: wanted,
        });
    }

    /// Changes the size of its terminal.
    pub(super) fn resize(&mut self, size: Size) {
        if let Some(terminal) = &self.terminal {
            terminal.resize(size);
        }
        if let Some(wish) = &mut self.wish {
            wish.size = size;
        }
    }

    /// Makes the terminal that was asked for.
    fn make_terminal(&mut self, door: &Door, number: u64, environment: &mut Environment) {
        let Some(wish) = self.wish.take() else {
            return;
        };
        let count = door.terminals.fetch_add(1, Ordering::Relaxed);
        let name = format!("/dev/pts/{count}");
        environment.insert("TERM", wish.kind);
        environment.insert("SSH_TTY", name.as_str());
        let terminal = Terminal::new(
            &door.house.fleet,
            (door.host, session_of(door.host, number)),
            name,
            wish.size,
            door.house.simulation.terminal_input(),
        );
        terminal.set_modes(wish.modes);
        self.terminal = Some(terminal);
    }
}

impl Visitor {
    /// Starts what a client asks for: a command line, or his shell.
    pub(super) fn start(
        &mut self,
        channel: ChannelId,
        line: Option<String>,
        protocol: &mut Protocol,
    ) -> Result<(), russh::Error> {
        let (Some(known), Some(seat)) = (&self.known, self.seats.get_mut(&channel)) else {
            return protocol.channel_failure(channel);
        };
        let Some(writer) = seat.writer.take() else {
            // One command a channel.
            return protocol.channel_failure(channel);
        };
        let house = &self.door.house;
        let (fleet, host) = (&house.fleet, self.door.host);
        let (number, verdict) = house.simulation.enter(|| fleet.before_command(host));
        if verdict == Some(Verdict::LoseBefore) {
            self.cut.cut();
            return Ok(());
        }
        fleet.count(host, |traffic| {
            traffic.commands += 1;
            traffic.round_trips += 1;
        });
        protocol.channel_success(channel)?;
        let forced = self.served.settings.value("forcecommand", known.who());
        let forced = known
            .grant
            .command
            .as_deref()
            .or(forced.filter(|one| *one != "none"));
        let mut environment = seat.environment.clone();
        for (name, value) in &known.grant.environment {
            environment.insert(name.as_str(), value.as_str());
        }
        add_places(&mut environment, self.peer, &self.door);
        seat.make_terminal(&self.door, number, &mut environment);
        if let (Some(_), Some(line)) = (forced, &line) {
            environment.insert("SSH_ORIGINAL_COMMAND", line.as_str());
        }
        let asked = match forced.map(str::to_owned).or(line) {
            Some(line) => Asked::Command(line),
            None => Asked::Shell,
        };
        let session = Session {
            fleet: fleet.clone(),
            host,
            number,
            verdict,
            user: known.credentials.user.clone(),
            environment,
            asked,
            cut: self.cut.clone(),
        };
        seat.number = Some(number);
        seat.run(session, &self.door, writer);
        Ok(())
    }

    /// Delivers a signal to a command. The real server does so for nobody whose processes it has
    /// started as root.
    pub(super) fn deliver(&self, channel: ChannelId, signal: &Sig) {
        let number = self.seats.get(&channel).and_then(|seat| seat.number);
        let (Some(number), Some(known)) = (number, &self.known) else {
            return;
        };
        if known.credentials.uid == 0 {
            return;
        }
        let Some(signal) = signal_of(signal) else {
            return;
        };
        let session = session_of(self.door.host, number);
        let user = known.credentials.user.clone();
        self.door.house.fleet.host(self.door.host, |host| {
            host.processes.signal_session(session, signal, &user);
        });
    }
}

impl Seat {
    fn run(&mut self, session: Session, door: &Arc<Door>, writer: ChannelWriteHalf<Msg>) {
        let simulation = &door.house.simulation;
        let meter = Arc::new(Meter::new(&session.fleet, session.host, session.number));
        let (input, pieces) = mpsc::unbounded_channel();
        self.input = Some(input);
        let (streams, outputs) = match &self.terminal {
            Some(terminal) => {
                let typed = type_in(pieces, Arc::clone(terminal), Arc::clone(&meter));
                self.taking = Some(tokio::spawn(typed));
                let streams = Streams {
                    stdin: Reader::terminal(Arc::clone(terminal)),
                    stdout: Writer::terminal(Arc::clone(terminal)),
                    stderr: Writer::terminal(Arc::clone(terminal)),
                };
                (streams, Outputs::Terminal(Arc::clone(terminal)))
            }
            None => {
                let (stdin, stdin_reader) = watched_pipe(simulation.input());
                let (stdout_writer, stdout) = pipe();
                let (stderr_writer, stderr) = pipe();
                let fed = feed(pieces, stdin, Arc::clone(&meter));
                self.taking = Some(tokio::spawn(fed));
                let streams = Streams {
                    stdin: stdin_reader,
                    stdout: stdout_writer,
                    stderr: stderr_writer,
                };
                (streams, Outputs::Pipes(stdout, stderr))
            }
        };
        let cut = session.cut.clone();
        let waiting = simulation.wait_for_host();
        let (ended, end) = oneshot::channel();
        simulation.spawn(async move {
            let status = session.run(streams).await;
            drop(waiting);
            // Nobody may be waiting any more.
            let _ = ended.send(status);
        });
        let answer = Answer {
            writer,
            handle: self.handle.clone(),
            meter,
            cut,
            is_over: Arc::clone(&self.is_over),
        };
        self.giving = Some(tokio::spawn(answer.give(outputs, end)));
    }
}

/// Hands what a client sends to a command.
async fn feed(mut pieces: mpsc::UnboundedReceiver<Piece>, stdin: Writer, meter: Arc<Meter>) {
    while let Some(piece) = pieces.recv().await {
        meter.sent(&piece.bytes);
        if stdin.write(&piece.bytes).await.is_err() {
            return;
        }
    }
}

/// Types what a client sends.
async fn type_in(
    mut pieces: mpsc::UnboundedReceiver<Piece>,
    terminal: Arc<Terminal>,
    meter: Arc<Meter>,
) {
    while let Some(piece) = pieces.recv().await {
        meter.sent(&piece.bytes);
        terminal.type_in(&piece.bytes);
    }
}

/// Where the output of a command comes from.
enum Outputs {
    Pipes(Reader, Reader),
    Terminal(Arc<Terminal>),
}

/// What a command answers.
struct Answer {
    writer: ChannelWriteHalf<Msg>,
    handle: Handle,
    meter: Arc<Meter>,
    cut: Cut,
    is_over: Arc<AtomicBool>,
}

impl Answer {
    /// Sends everything that a command says, and how it has ended.
    async fn give(self, outputs: Outputs, end: oneshot::Receiver<Option<ExitStatus>>) {
        let is_told = match outputs {
            Outputs::Pipes(stdout, stderr) => {
                let out = self.send(stdout, None);
                let err = self.send(stderr, Some(1));
                let (is_told, (), ()) = tokio::join!(self.tell_end(end), out, err);
                is_told
            }
            Outputs::Terminal(terminal) => self.show(&terminal, end).await,
        };
        if !is_told && self.cut.is_cut() {
            return;
        }
        let id = self.writer.id();
        // A connection that is gone hears nothing.
        let _ = self.handle.eof(id).await;
        // Before the client hears it: he may ask for the next one at once.
        self.is_over.store(true, Ordering::Relaxed);
        let _ = self.handle.close(id).await;
    }

    /// Tells how a command has ended, once it has; returns whether that is known.
    async fn tell_end(&self, end: oneshot::Receiver<Option<ExitStatus>>) -> bool {
        let Ok(Some(status)) = end.await else {
            return false;
        };
        self.tell(status).await;
        true
    }

    /// Sends what a terminal shows until what runs in it has ended.
    async fn show(
        &self,
        terminal: &Terminal,
        mut end: oneshot::Receiver<Option<ExitStatus>>,
    ) -> bool {
        let status = loop {
            tokio::select! {
                biased;
                () = self.cut.happens() => {
                    terminal.hang_up();
                    return false;
                }
                piece = terminal.shown() => if !self.send_piece(piece, None).await {
                    terminal.hang_up();
                    return false;
                },
                status = &mut end => break status.ok().flatten(),
            }
        };
        // A connection that is gone hears nothing.
        let _ = self.send_piece(terminal.rest(), None).await;
        terminal.hang_up();
        match status {
            Some(status) => self.tell(status).await,
            None => return false,
        }
        true
    }

    /// Sends a piece of output; returns whether it went.
    async fn send_piece(&self, piece: Bytes, kind: Option<u32>) -> bool {
        if self.meter.received(piece.len()) {
            self.cut.cut();
            return false;
        }
        let sent = match kind {
            None => self.writer.data_bytes(piece).await,
            Some(kind) => self.writer.extended_data_bytes(kind, piece).await,
        };
        sent.is_ok()
    }

    /// Sends an output to its end.
    async fn send(&self, output: Reader, kind: Option<u32>) {
        loop {
            let piece = tokio::select! {
                biased;
                () = self.cut.happens() => return,
                piece = output.read(PIECE) => piece.unwrap_or_default(),
            };
            if piece.is_empty() || !self.send_piece(piece, kind).await {
                return;
            }
        }
    }

    async fn tell(&self, status: ExitStatus) {
        let id = self.writer.id();
        // A connection that is gone hears nothing.
        let _ = match status {
            ExitStatus::Code(code) => self.handle.exit_status_request(id, code).await,
            ExitStatus::Signal(name) => {
                let signal = protocol_signal(&name);
                let (text, tag) = (String::new(), String::new());
                let handle = &self.handle;
                handle
                    .exit_signal_request(id, signal, false, text, tag)
                    .await
            }
        };
    }
}

/// Tells a command where it is called from.
fn add_places(environment: &mut Environment, peer: std::net::SocketAddr, door: &Door) {
    let address = door.house.fleet.host(door.host, |host| host.address());
    let address = address.unwrap_or_else(|| door.address.ip());
    let (from, port) = (peer.ip(), peer.port());
    environment.insert("SSH_CLIENT", format!("{from} {port} 22"));
    environment.insert("SSH_CONNECTION", format!("{from} {port} {address} 22"));
}

/// Sets a mode of a terminal as the protocol names it; those that change nothing here are left.
fn set_mode(modes: &mut Modes, name: Pty, value: u32) {
    let is_on = value != 0;
    let key = |at: usize, modes: &mut Modes| {
        // 255 is none.
        modes.keys[at] = u8::try_from(value)
            .ok()
            .filter(|key| *key != 255)
            .unwrap_or(0);
    };
    match name {
        Pty::ICANON => modes.icanon = is_on,
        Pty::ECHO => modes.echo = is_on,
        Pty::ECHOE => modes.echoe = is_on,
        Pty::ECHONL => modes.echonl = is_on,
        Pty::ISIG => modes.isig = is_on,
        Pty::ICRNL => modes.icrnl = is_on,
        Pty::OPOST => modes.opost = is_on,
        Pty::ONLCR => modes.onlcr = is_on,
        Pty::VINTR => key(0, modes),
        Pty::VQUIT => key(1, modes),
        Pty::VERASE => key(2, modes),
        Pty::VKILL => key(3, modes),
        Pty::VEOF => key(4, modes),
        Pty::VSUSP => key(5, modes),
        Pty::VWERASE => key(6, modes),
        Pty::VLNEXT => key(7, modes),
        _ => {}
    }
}

/// Returns a signal of the protocol.
fn signal_of(signal: &Sig) -> Option<Signal> {
    let name = match signal {
        Sig::ABRT => "ABRT",
        Sig::ALRM => "ALRM",
        Sig::FPE => "FPE",
        Sig::HUP => "HUP",
        Sig::ILL => "ILL",
        Sig::INT => "INT",
        Sig::KILL => "KILL",
        Sig::PIPE => "PIPE",
        Sig::QUIT => "QUIT",
        Sig::SEGV => "SEGV",
        Sig::TERM => "TERM",
        Sig::USR1 => "USR1",
        Sig::Custom(name) => name.as_str(),
    };
    // The protocol has names, no numbers.
    let is_name = name.chars().all(|one| one.is_ascii_alphanumeric());
    is_name.then(|| Signal::parse(name)).flatten()
}

/// Returns a signal as the protocol names it.
fn protocol_signal(name: &str) -> Sig {
    match name {
        "ABRT" => Sig::ABRT,
        "ALRM" => Sig::ALRM,
        "FPE" => Sig::FPE,
        "HUP" => Sig::HUP,
        "ILL" => Sig::ILL,
        "INT" => Sig::INT,
        "KILL" => Sig::KILL,
        "PIPE" => Sig::PIPE,
        "QUIT" => Sig::QUIT,
        "SEGV" => Sig::SEGV,
        "TERM" => Sig::TERM,
        "USR1" => Sig::USR1,
        "USR2" => Sig::Custom("USR2".to_owned()),
        // Those that the protocol does not know are named as OpenSSH names them.
        other => Sig::Custom(format!("SIG{other}@openssh.com")),
    }
}
