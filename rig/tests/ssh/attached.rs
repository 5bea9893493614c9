//! Commands whose streams the user holds, and terminals.

use std::time::Duration;

use rig::command::{Command, Effect};
use rig::connection::{Interactive, Terminal, TerminalSize};
use rig::{CommandError, ExitStatus, Host};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::server::{DryRun, Server};

/// Longer than anything here takes, shorter than a hang is noticed by a person.
const SOON: Duration = Duration::from_secs(30);

fn raw(text: &str) -> Command {
    Command::raw(text, Effect::Change)
}

/// Runs a command to its end: both outputs, and how it ended.
async fn run(
    host: &Host,
    command: Command,
    input: Option<&[u8]>,
) -> (Vec<u8>, Vec<u8>, ExitStatus) {
    let attached = host.attach(command, input.is_some()).await.unwrap();
    let (mut stdin, mut stdout, mut stderr) = (attached.stdin, attached.stdout, attached.stderr);
    let mut ending = attached.ending;
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let write = async {
        if let Some(input) = input {
            stdin.write_all(input).await.unwrap();
            stdin.shutdown().await.unwrap();
        }
    };
    let both = async {
        tokio::join!(
            write,
            stdout.read_to_end(&mut out),
            stderr.read_to_end(&mut err)
        )
    };
    let (_, read, read_errors) = timeout(SOON, both).await.unwrap();
    read.unwrap();
    read_errors.unwrap();
    let status = ending.wait().await.unwrap();
    (out, err, status)
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_go_in_and_come_out_as_they_are() {
    let server = Server::start();
    let input: Vec<u8> = (0..=255).cycle().take(300_000).collect();

    let (out, err, status) = run(
        &server.host(),
        raw("cat; echo end >&2; exit 5"),
        Some(&input),
    )
    .await;

    assert!(out == input, "{} bytes", out.len());
    assert_eq!(err, b"end\n");
    assert_eq!(status, ExitStatus::Code(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_login_shell_prints_is_on_neither_output() {
    let server = Server::with(
        "ForceCommand echo 'Welcome!'; printf 'no line end'; echo noise >&2; \
         eval \"$SSH_ORIGINAL_COMMAND\"",
    );
    let host = server.host();

    for input in [None, Some(&b"in\n"[..])] {
        let (out, err, _) = run(&host, raw("cat; echo out; echo err >&2"), input).await;

        let expected = [input.unwrap_or_default(), b"out\n"].concat();
        assert_eq!((out, err), (expected, b"err\n".to_vec()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_input_a_command_sees_its_end() {
    let server = Server::start();

    let (out, _, status) = run(&server.host(), raw("cat; echo over"), None).await;

    assert_eq!(out, b"over\n");
    assert!(status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_shell_that_only_greets_is_named() {
    let server = Server::with("ForceCommand echo 'This account is currently not available.'");

    let Err(error) = server.host().attach(raw("true"), false).await else {
        panic!("it started");
    };

    assert!(matches!(error, CommandError::NoShell { .. }), "{error}");
    assert!(error.to_string().contains("not available"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_early_ends_what_was_started() {
    let server = Server::start();
    let host = server.host();
    let marker = server.path("alive");
    let text = format!("touch {0}; sleep 1000; rm {0}", marker.display());

    for is_told in [true, false] {
        let command = raw(&format!("echo $$; {text}"));
        let mut attached = host.attach(command, false).await.unwrap();
        let mut lines = BufReader::new(attached.stdout).lines();
        let id = lines.next_line().await.unwrap().unwrap();
        if is_told {
            attached.ending.end().await;
        } else {
            drop(attached.ending);
        }

        let gone = async {
            while std::path::Path::new(&format!("/proc/{id}")).exists() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(SOON, gone).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_starts_nothing() {
    let server = Server::start();

    let refused = server.host_in(DryRun::Yes).attach(raw("true"), false).await;

    assert!(matches!(refused, Err(CommandError::RefusedInDryRun { .. })));
}

fn terminal(columns: u16, rows: u16) -> (watch::Sender<TerminalSize>, Terminal) {
    let (sizes, size) = watch::channel(TerminalSize { columns, rows });
    let kind = "vt220".to_owned();
    (sizes, Terminal { kind, size })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_has_the_size_that_the_users_has() {
    let server = Server::start();
    expect_a_terminal_to_change_its_size(&server.host()).await;
}

/// A terminal has the size of the user's, at first and after every change.
pub(crate) async fn expect_a_terminal_to_change_its_size(host: &Host) {
    let (sizes, terminal) = terminal(81, 23);
    let text = "tty >/dev/null && echo \"$TERM\"; stty size; \
                until [ \"$(stty size)\" = '50 132' ]; do sleep 0.05; done; echo resized; exit 4";

    let started = host.interact(Some(text), false, &terminal).await;

    let Ok(Interactive::Streams(process)) = started else {
        panic!("no terminal");
    };
    let mut lines = BufReader::new(process.stdout).lines();
    let mut next = async || lines.next_line().await.unwrap().unwrap_or_default();
    assert_eq!(next().await.trim_end(), "vt220");
    assert_eq!(next().await.trim_end(), "23 81");
    sizes.send_replace(TerminalSize {
        columns: 132,
        rows: 50,
    });
    let resized = timeout(SOON, next()).await.unwrap();
    assert_eq!(resized.trim_end(), "resized");
    assert_eq!(process.exit.await.unwrap(), ExitStatus::Code(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_a_terminal_are_signals_on_the_host() {
    let server = Server::start();
    expect_keys_to_be_signals(&server.host()).await;
}

/// Ctrl-C is a key: what it means is decided on the host.
pub(crate) async fn expect_keys_to_be_signals(host: &Host) {
    let (_sizes, terminal) = terminal(80, 24);
    let text = "trap 'echo caught; exit 9' INT; echo ready; read line";

    let started = host.interact(Some(text), false, &terminal).await;

    let Ok(Interactive::Streams(mut process)) = started else {
        panic!("no terminal");
    };
    let mut lines = BufReader::new(process.stdout).lines();
    let first = lines.next_line().await.unwrap().unwrap();
    assert_eq!(first.trim_end(), "ready");
    process.stdin.write_all(&[3]).await.unwrap();
    let second = lines.next_line().await.unwrap().unwrap();
    assert!(
        second.ends_with("caught\r") || second.ends_with("caught"),
        "{second:?}"
    );
    assert_eq!(process.exit.await.unwrap(), ExitStatus::Code(9));
}
