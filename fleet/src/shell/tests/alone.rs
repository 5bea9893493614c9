//! What has no real counterpart: virtual time, signals, limits.

use std::time::Duration;

use crate::testing::{self, run};

#[tokio::test(start_paused = true)]
async fn a_pipeline_ends_when_its_reader_does() {
    let ran = run("yes | (read x; echo $x); echo $?").await;

    assert_eq!(ran.stdout, "y\n0\n");
}

#[tokio::test(start_paused = true)]
async fn a_loop_that_does_nothing_can_be_ended() {
    let (fleet, host) = testing::fleet();
    let child = testing::launch(&fleet, host, &["sh", "-c", "while :; do :; done"]).start();
    tokio::time::sleep(Duration::from_secs(1)).await;
    child.control.signal(crate::process::Signal::TERM);

    let (ended, _) = child.wait().await;

    assert_eq!(ended.status(), 143);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_known_fails_loudly() {
    let ran = run("alias x=y; echo $?").await;

    assert_eq!(ran.stderr, "sh: not simulated: alias\n");
    assert_eq!(ran.stdout, "70\n");
}

#[tokio::test(start_paused = true)]
async fn nesting_and_recursion_are_limited() {
    let deep = format!("{}echo{}", "$(".repeat(300), ")".repeat(300));

    assert_eq!(run(&deep).await.status, 70);
    assert_eq!(run("f() { f; }; f").await.status, 2);
    let brackets = format!("echo $(({}1{}))", "(".repeat(5000), ")".repeat(5000));
    assert_eq!(run(&brackets).await.status, 2);
}

#[tokio::test(start_paused = true)]
async fn commands_run_as_soon_as_they_are_complete() {
    let (fleet, host) = testing::fleet();
    let (stdin, reader) = crate::pipe::pipe();
    let (writer, out) = crate::pipe::pipe();
    let launch = crate::program::launch::Launch {
        stdin: reader,
        stdout: writer,
        ..testing::launch(&fleet, host, &["sh", "-s", "a"])
    };
    let child = launch.start();
    stdin.write(b"echo one $1\nif true; then\n").await.unwrap();
    assert_eq!(out.read_line().await.unwrap(), b"one a\n");

    stdin.write(b"echo two\nfi\nexit 3\n").await.unwrap();

    assert_eq!(out.read_line().await.unwrap(), b"two\n");
    assert_eq!(child.wait().await.0.status(), 3);
}

#[tokio::test(start_paused = true)]
async fn traps_run_on_hangup_and_at_the_end() {
    let (fleet, host) = testing::fleet();
    let (writer, out) = crate::pipe::pipe();
    let script = "trap 'echo bye' EXIT; trap 'exit 1' HUP INT TERM; \
                  while :; do echo turn; sleep 1; done";
    let launch = crate::program::launch::Launch {
        stdout: writer,
        ..testing::launch(&fleet, host, &["sh", "-c", script])
    };
    let child = launch.start();
    assert_eq!(out.read_line().await.unwrap(), b"turn\n");
    child.control.signal(crate::process::Signal::HUP);

    assert_eq!(child.wait().await.0.status(), 1);
    assert!(String::from_utf8_lossy(&out.read_to_end().await.unwrap()).ends_with("bye\n"));
}

#[tokio::test(start_paused = true)]
async fn two_parentheses_are_two_subshells_where_they_do_not_end_together() {
    let (fleet, host) = testing::fleet();

    let ran = testing::bash(
        &fleet,
        host,
        "x=`(((echo a || echo b) 2>/dev/null) | tr a c)`; echo $x",
    )
    .await;
    let sum = testing::bash(&fleet, host, "((1 + 1))").await;

    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("c\n", ""));
    assert_eq!(sum.stderr, "bash: not simulated: (( … ))\n");
}
