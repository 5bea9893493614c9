//! `exec` at a real terminal: a pseudo-terminal that the binary is started on.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rustix::pty::OpenptFlags;
use rustix::termios::{LocalModes, Winsize};

use crate::SOON;
use crate::server::Server;

/// What a terminal has shown so far.
type Shown = Arc<(Mutex<String>, Condvar)>;

/// A terminal with launchpad on it.
struct Terminal {
    keys: File,
    /// The other side, so that its modes can be looked at.
    screen: OwnedFd,
    shown: Shown,
    process: Child,
}

fn size(columns: u16, rows: u16) -> Winsize {
    Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

impl Terminal {
    fn start(home: &Path, arguments: &[&str]) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let keys = rustix::pty::openpt(flags).unwrap();
        rustix::pty::grantpt(&keys).unwrap();
        rustix::pty::unlockpt(&keys).unwrap();
        let screen = rustix::pty::ioctl_tiocgptpeer(&keys, flags).unwrap();
        rustix::termios::tcsetwinsize(&keys, size(81, 23)).unwrap();
        let stream = || Stdio::from(screen.try_clone().unwrap());
        // It makes the terminal that of its session, as a login does.
        let process = Command::new("setsid")
            .args(["--ctty", "--wait", env!("CARGO_BIN_EXE_launchpad")])
            .args(arguments)
            .current_dir(home)
            .env("HOME", home)
            .env("TERM", "vt220")
            .env("SHELL", "/bin/sh")
            .env_remove("SSH_AUTH_SOCK")
            .stdin(stream())
            .stdout(stream())
            .stderr(stream())
            .spawn()
            .unwrap();
        let keys = File::from(keys);
        let shown = Shown::default();
        let (mut from, to) = (keys.try_clone().unwrap(), Arc::clone(&shown));
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = from.read(&mut piece) {
                let text = String::from_utf8_lossy(&piece[..length]);
                to.0.lock().unwrap().push_str(&text);
                to.1.notify_all();
            }
        });
        Self {
            keys,
            screen,
            shown,
            process,
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until the terminal has shown something.
    fn wait_for(&self, text: &str) {
        let (shown, news) = &*self.shown;
        let seen = shown.lock().unwrap();
        let (seen, wait) = news
            .wait_timeout_while(seen, SOON, |seen| !seen.contains(text))
            .unwrap();
        assert!(!wait.timed_out(), "no `{text}` in:\n{seen}");
    }

    fn resize(&self, columns: u16, rows: u16) {
        rustix::termios::tcsetwinsize(&self.keys, size(columns, rows)).unwrap();
    }

    fn echoes(&self) -> bool {
        let modes = rustix::termios::tcgetattr(&self.screen).unwrap();
        modes.local_modes.contains(LocalModes::ECHO)
    }

    fn ended(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status;
            }
            if started.elapsed() > SOON {
                panic!("it does not end:\n{}", self.shown.0.lock().unwrap());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// What somebody does at a terminal: looks at its size, changes it, presses Ctrl-C, leaves.
fn sit_at(server: &Server, target: &str) {
    let script = "trap 'echo caught' INT; stty size; echo \"$TERM\"; \
                  until [ \"$(stty size)\" = '50 132' ]; do sleep 0.05; done; echo resized; \
                  while [ -z \"$line\" ]; do read line; done; echo \"read $line\"; exit 7";
    let words = ["exec", "-i", "-t", target, "sh", "-c", script];
    let mut terminal = Terminal::start(server.home.path(), &words);

    terminal.wait_for("23 81");
    terminal.wait_for("vt220");
    terminal.resize(132, 50);
    terminal.wait_for("resized");
    terminal.press("\u{3}");
    terminal.wait_for("caught");
    terminal.press("some words\r");
    terminal.wait_for("read some words");

    assert_eq!(terminal.ended().code(), Some(7), "{target}");
    assert!(terminal.echoes(), "{target}: the terminal is what it was");
}

#[test]
fn a_host_is_given_the_terminal() {
    let server = Server::start("");

    sit_at(&server, "127.0.0.1");
}

#[test]
fn a_host_of_the_systems_ssh_is_given_the_terminal() {
    let server = Server::start("");

    sit_at(&server, "localhost.");
}

#[test]
fn this_machine_is_given_the_terminal() {
    let server = Server::start("");

    sit_at(&server, "localhost");
}

#[test]
fn without_a_command_there_is_a_shell() {
    let server = Server::start("");
    let mut terminal = Terminal::start(server.home.path(), &["exec", "-t", "127.0.0.1"]);

    terminal.press("echo $((40 + 2))_here; exit 3\r");

    terminal.wait_for("42_here");
    assert_eq!(terminal.ended().code(), Some(3));
    assert!(terminal.echoes());
}

#[test]
fn a_signal_gives_the_terminal_back() {
    let server = Server::start("");
    let words = [
        "exec",
        "-i",
        "-t",
        "127.0.0.1",
        "sh",
        "-c",
        "echo begun; sleep 1000",
    ];
    let mut terminal = Terminal::start(server.home.path(), &words);
    terminal.wait_for("begun");
    assert!(!terminal.echoes(), "the host has it");

    // `setsid` has become launchpad: it forks only where it leads a group.
    let process = terminal.process.id().to_string();
    let told = Command::new("kill").args(["-TERM", &process]).status();
    assert!(told.unwrap().success());

    assert_eq!(terminal.ended().code(), Some(143));
    assert!(terminal.echoes());
}
