//! The binary as the program that `ssh` starts to ask something.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Output};

fn ask(socket: &Path, question: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_launchpad"))
        .arg(question)
        .env_clear()
        .env("LAUNCHPAD_ASKPASS", socket)
        .output()
        .unwrap()
}

#[test]
fn a_question_goes_to_the_run_that_waits_and_its_answer_to_ssh() {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("ask");
    let listener = UnixListener::bind(&socket).unwrap();
    let run = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut question = String::new();
        stream.read_to_string(&mut question).unwrap();
        stream.write_all(b"=open sesame").unwrap();
        question
    });

    let output = ask(&socket, "ops@web's password: ");

    assert_eq!(run.join().unwrap(), "ops@web's password: ");
    assert!(output.status.success());
    assert_eq!(output.stdout, b"open sesame\n");
    assert_eq!(output.stderr, b"");
}

#[test]
fn without_somebody_who_answers_ssh_gets_none() {
    let directory = tempfile::tempdir().unwrap();

    let output = ask(&directory.path().join("nobody"), "Password: ");

    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stdout, b"");
}
