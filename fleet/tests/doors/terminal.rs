//! Terminals: shells that somebody types to, sizes, keys that are signals.

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use crate::house::{House, finish, run};

/// A client that somebody types to.
struct Typist {
    child: Child,
    shown: Arc<Mutex<String>>,
    reader: std::thread::JoinHandle<()>,
}

impl Typist {
    fn start(house: &House, arguments: &[&str]) -> Self {
        let mut command = house.client("ssh");
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut output = child.stdout.take().unwrap();
        let shown = Arc::new(Mutex::new(String::new()));
        let seen = Arc::clone(&shown);
        let reader = std::thread::spawn(move || {
            let mut piece = [0; 1024];
            while let Ok(length @ 1..) = output.read(&mut piece) {
                seen.lock()
                    .unwrap()
                    .push_str(&String::from_utf8_lossy(&piece[..length]));
            }
        });
        Self {
            child,
            shown,
            reader,
        }
    }

    fn types(&mut self, text: &str) {
        self.child
            .stdin
            .as_mut()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
    }

    fn shown(&self) -> String {
        self.shown.lock().unwrap().clone()
    }

    fn sees(&self, house: &House, text: &str) {
        house.until(&format!("it shows {text:?}: {:?}", self.shown()), || {
            self.shown().contains(text)
        });
    }

    fn end(self) -> (Option<i32>, String) {
        let status = finish(self.child).status;
        self.reader.join().unwrap();
        (
            status,
            Arc::try_unwrap(self.shown).unwrap().into_inner().unwrap(),
        )
    }
}

#[test]
fn a_shell_prompts_echoes_and_ends_as_it_is_told() {
    let house = House::open();
    let mut typist = Typist::start(&house, &["-tt", "m1"]);

    typist.sees(&house, "ubuntu@m1:~$ ");
    typist.types("echo $((40 + 2)) $-; cd /tmp\n");
    typist.sees(&house, "42 ");
    typist.sees(&house, "ubuntu@m1:/tmp$ ");
    typist.types("for i in 1 2; do\n");
    typist.sees(&house, "> ");
    typist.types("echo turn $i; done\n");
    typist.sees(&house, "turn 2\r\n");
    typist.types("exit 3\n");
    let (status, shown) = typist.end();

    assert_eq!(status, Some(3), "{shown:?}");
    assert!(
        shown.contains("echo $((40 + 2)) $-; cd /tmp\r\n42 "),
        "{shown:?}"
    );
}

#[test]
fn a_key_interrupts_what_runs_and_not_the_shell() {
    let house = House::open();
    let mut typist = Typist::start(&house, &["-tt", "m1"]);
    typist.sees(&house, "$ ");

    typist.types("echo go; sleep 1000; echo never-$((1 + 1))\n");
    typist.sees(&house, "\r\ngo\r\n");
    typist.types("\u{3}");
    typist.sees(&house, "^C");
    typist.types("echo status $?\n");
    typist.sees(&house, "status 130\r\n");
    typist.types("\u{4}");
    let (status, shown) = typist.end();

    assert_eq!(status, Some(0), "{shown:?}");
    assert!(!shown.contains("never-2"), "{shown:?}");
    assert!(shown.contains("logout"), "{shown:?}");
}

#[test]
fn a_key_ends_a_command_that_has_a_terminal() {
    let house = House::open();
    let mut typist = Typist::start(&house, &["-tt", "m1", "echo go; sleep 1000"]);
    typist.sees(&house, "go\r\n");

    typist.types("\u{3}");
    let (status, shown) = typist.end();

    assert_eq!(status, Some(255), "{shown:?}");
}

#[test]
fn the_size_of_the_users_terminal_is_that_of_the_host_and_follows_it() {
    let house = House::open();
    let config = house.path("config").display().to_string();
    let script = format!(
        "stty rows 33 cols 101; ssh -F {config} -tt m1 'stty size; tty; [ -t 1 ] && echo $TERM'"
    );
    // At the end of its input `script` would type something: its input is a pipe that has no end.
    let mut command = Command::new("sh");
    command.env("TERM", "vt220").env("SHELL", "/bin/sh");
    let line = "mkfifo \"$1\"; script -qec \"$2\" /dev/null <>\"$1\"";
    command.args(["-c", line, "sh"]);
    command.arg(house.path("typed")).arg(&script);

    let answer = run(command, b"");

    assert!(
        answer.out.contains("33 101\r\n/dev/pts/0\r\nvt220\r\n"),
        "{answer:?}"
    );
    let plain = house.ssh(&["m1", "tty; stty size; [ -t 0 ] || echo none"]);
    assert_eq!(plain.out, "not a tty\nnone\n", "{plain:?}");
}

#[test]
fn what_runs_in_a_terminal_hears_when_it_is_gone() {
    let house = House::open();
    let script = "trap 'echo heard > /tmp/heard; exit' HUP; echo ready; sleep 1000";
    let mut typist = Typist::start(&house, &["-tt", "m1", script]);
    typist.sees(&house, "ready");

    typist.child.kill().unwrap();
    typist.end();

    house.until("it has heard", || house.text("/tmp/heard").is_some());
}

#[test]
fn a_secret_is_not_echoed() {
    let house = House::open();
    let script = "stty -echo; echo ask; read -r word; stty echo; echo \"len ${#word}\"";
    let mut typist = Typist::start(&house, &["-tt", "m1", script]);
    typist.sees(&house, "ask");

    typist.types("sesame\n");
    let (status, shown) = typist.end();

    assert_eq!(status, Some(0));
    assert!(
        shown.contains("len 6") && !shown.contains("sesame"),
        "{shown:?}"
    );
}
