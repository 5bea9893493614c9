//! Processes and streams over one connection.

use std::sync::Arc;
use std::time::Duration;

use rig::{Connection, ConnectionError, ExitStatus};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::server::Server;

/// Longer than anything here takes, shorter than a hang is noticed by a person.
const SOON: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_waits_for_room_ends_with_the_process() {
    let server = Server::start();
    expect_a_writer_to_end(&server.connect().await).await;
}

/// A writer ends with the process that it writes to.
pub(crate) async fn expect_a_writer_to_end(connection: &Arc<dyn Connection>) {
    let mut process = connection
        .exec("head -c 100 >/dev/null; exit 7")
        .await
        .unwrap();

    let ended = timeout(SOON, async {
        let write = async {
            let block = vec![b'x'; 1 << 20];
            // Far more than any window or buffer takes.
            while process.stdin.write_all(&block).await.is_ok() {}
        };
        tokio::join!(write, process.exit).1
    });

    assert_eq!(ended.await.unwrap().unwrap(), ExitStatus::Code(7));
}

#[tokio::test(flavor = "multi_thread")]
async fn output_that_nobody_reads_does_not_stop_others() {
    let server = Server::start();
    let mut options = server.options();
    options.timeouts.unread_output = Duration::from_millis(500);
    expect_unread_output_to_stop_nobody(&server.connect_with(options).await).await;
}

/// Output that nobody reads does not hold up other processes.
pub(crate) async fn expect_unread_output_to_stop_nobody(connection: &Arc<dyn Connection>) {
    let _unread = connection.exec("yes | head -c 200000000").await.unwrap();

    let mut other = connection.exec("echo well").await.unwrap();
    let mut text = String::new();
    let read = timeout(SOON, other.stdout.read_to_string(&mut text)).await;

    read.unwrap().unwrap();
    assert_eq!(text, "well\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_no_exit_status() {
    let server = Server::start();
    let connection = server.connect().await;
    let mut process = connection.exec("echo started; sleep 1000").await.unwrap();
    let mut first = [0; 8];
    process.stdout.read_exact(&mut first).await.unwrap();

    server.kill_sessions("-KILL");

    let ended = timeout(SOON, process.exit).await.unwrap();
    let error = ended.unwrap_err();
    assert!(error.is_lost(), "{error}");
    assert!(!connection.is_open());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_falls_silent_is_given_up() {
    let server = Server::start();
    let mut options = server.options();
    options.timeouts.keep_alive = Duration::from_millis(300);
    let connection = server.connect_with(options).await;
    let mut process = connection.exec("echo started; sleep 1000").await.unwrap();
    let mut first = [0; 8];
    process.stdout.read_exact(&mut first).await.unwrap();

    server.kill_sessions("-STOP");
    let ended = timeout(SOON, process.exit).await;
    server.kill_sessions("-KILL");

    assert!(ended.unwrap().unwrap_err().is_lost());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_is_told_apart_from_a_status() {
    let server = Server::start();
    let connection = server.connect().await;

    let process = connection.exec("kill -TERM $$").await.unwrap();

    let ended = timeout(SOON, process.exit).await.unwrap().unwrap();
    assert_eq!(ended, ExitStatus::Signal("TERM".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_lead_where_the_host_can_go() {
    let server = Server::start();
    let connection = server.connect().await;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let port = listener.local_addr().unwrap().port();
    let echo = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (mut read, mut write) = stream.split();
        tokio::io::copy(&mut read, &mut write).await.unwrap();
    });

    let mut stream = connection.dial("127.0.0.1", port).await.unwrap();
    let block = vec![7; 300_000];
    stream.write_all(&block).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut back = Vec::new();
    timeout(SOON, stream.read_to_end(&mut back))
        .await
        .unwrap()
        .unwrap();

    assert_eq!(back, block);
    echo.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_the_host_cannot_reach_is_refused() {
    let server = Server::start();
    let connection = server.connect().await;
    let closed = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);

    let refused = connection.dial("127.0.0.1", port).await;

    assert!(matches!(
        refused.err(),
        Some(ConnectionError::DialRefused { .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_processes_share_one_connection() {
    let server = Server::with("MaxSessions 100");
    expect_many_processes(&server.connect().await).await;
}

/// Many processes at once have input, output and a status each.
pub(crate) async fn expect_many_processes(connection: &Arc<dyn Connection>) {
    let running: Vec<_> = (0..50)
        .map(|number| {
            let connection = Arc::clone(connection);
            tokio::spawn(async move {
                let line = format!("cat >/dev/null; echo {number}; exit {number}");
                let mut process = connection.exec(&line).await.unwrap();
                process.stdin.shutdown().await.unwrap();
                let mut text = String::new();
                process.stdout.read_to_string(&mut text).await.unwrap();
                (text, process.exit.await.unwrap())
            })
        })
        .collect();

    for (number, task) in running.into_iter().enumerate() {
        let (text, status) = timeout(SOON, task).await.unwrap().unwrap();
        assert_eq!(text, format!("{number}\n"));
        assert_eq!(status.code(), u32::try_from(number).ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_keys_in_the_middle_of_a_stream_do_no_harm() {
    let server = Server::with("RekeyLimit 1M");
    let connection = server.connect().await;
    let mut process = connection.exec("head -c 20000000 /dev/zero").await.unwrap();

    let mut bytes = Vec::new();
    timeout(SOON, process.stdout.read_to_end(&mut bytes))
        .await
        .unwrap()
        .unwrap();

    assert_eq!(bytes.len(), 20_000_000);
    assert!(process.exit.await.unwrap().success());
}
