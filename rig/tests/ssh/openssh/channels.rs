//! Processes, streams and commands over the master.

use std::time::Duration;

use rig::command::{Command, Effect};
use rig::files::Written;
use rig::{CommandError, ConnectionError, ExitStatus};
use secrecy::SecretString;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::{Client, SOON, status};
use crate::attached::{expect_a_terminal_to_change_its_size, expect_keys_to_be_signals};
use crate::channels::{
    expect_a_writer_to_end, expect_many_processes, expect_unread_output_to_stop_nobody,
};
use crate::host::{printed, runs, script, started, upload};
use crate::server::Server;

#[tokio::test(flavor = "multi_thread")]
async fn processes_have_streams_and_a_status_of_their_own() {
    let server = Server::start();
    let client = Client::of(&server);
    let connection = client.connect().await;

    let mut process = connection
        .exec("cat; echo words >&2; exit 255")
        .await
        .unwrap();
    process.stdin.write_all(b"in and out\n").await.unwrap();
    process.stdin.shutdown().await.unwrap();
    let (mut stdout, mut stderr) = (String::new(), String::new());
    process.stdout.read_to_string(&mut stdout).await.unwrap();
    process.stderr.read_to_string(&mut stderr).await.unwrap();
    let ended = timeout(SOON, process.exit).await.unwrap().unwrap();

    assert_eq!(stdout, "in and out\n");
    // The login shell of whoever runs the tests may have something to say, too.
    assert!(stderr.ends_with("words\n"), "{stderr}");
    assert_eq!(ended, ExitStatus::Code(255));
    assert_eq!(status(&connection, "exit 7").await, ExitStatus::Code(7));
    let signalled = status(&connection, "kill -TERM $$").await;
    assert!(matches!(signalled, ExitStatus::Signal(_)), "{signalled}");
    assert!(connection.is_open());
    connection.close().await;
    assert!(!connection.is_open());
    assert!(matches!(
        connection.exec("true").await.err(),
        Some(ConnectionError::Lost { .. })
    ));
    drop(connection);
    client.assert_nothing_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_dropped_leaves_nothing_behind() {
    let server = Server::start();
    let client = Client::of(&server);
    let connection = client.connect().await;
    assert_eq!(client.masters(), 1);
    let running = connection.exec("sleep 1000").await.unwrap();

    drop(connection);
    assert_eq!(client.masters(), 1, "a process keeps its connection");
    drop(running);

    client.assert_nothing_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_waits_for_room_ends_with_the_process() {
    let server = Server::start();
    let client = Client::of(&server);
    expect_a_writer_to_end(&client.connect().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn output_that_nobody_reads_does_not_stop_others() {
    let server = Server::start();
    let client = Client::of(&server);
    expect_unread_output_to_stop_nobody(&client.connect().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_processes_share_one_connection() {
    let server = Server::with("MaxSessions 100");
    let client = Client::of(&server);
    let connection = client.connect().await;

    expect_many_processes(&connection).await;

    assert_eq!(client.masters(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_with_few_sessions_serves_all_commands() {
    for settings in ["MaxSessions 10", "MaxSessions 1"] {
        let server = Server::with(settings);
        let client = Client::of(&server);
        let host = client.host();

        let count = if settings.ends_with("10") { 50 } else { 4 };
        let tasks: Vec<_> = (0..count)
            .map(|number| {
                let host = host.clone();
                tokio::spawn(async move { printed(&host, script(&format!("echo {number}"))).await })
            })
            .collect();

        for (number, task) in tasks.into_iter().enumerate() {
            assert_eq!(task.await.unwrap(), format!("{number}\n"), "{settings}");
        }
        host.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_without_multiplexing_has_a_connection_for_each_command() {
    let server = Server::with("MaxSessions 1");
    let client = Client::of(&server);
    let mut endpoint = client.endpoint();
    endpoint.disable_multiplexing = true;
    let host = client.host_of(endpoint);

    let waiting = {
        let host = host.clone();
        let fifo = server.path("fifo");
        let text = format!("mkfifo {0}; cat {0}", fifo.display());
        tokio::spawn(async move { printed(&host, script(&text)).await })
    };
    // The second ends while the first is still open: one session would not do for both.
    let fifo = server.path("fifo");
    let text = format!(
        "until [ -p {0} ]; do sleep 0.05; done; echo hello >{0}; echo said",
        fifo.display()
    );
    assert_eq!(printed(&host, script(&text)).await, "said\n");
    assert_eq!(waiting.await.unwrap(), "hello\n");
    let error = host.run(script("exit 255")).await.unwrap_err();
    assert_eq!(error.exited().unwrap().1, &ExitStatus::Code(255));

    host.close().await;
    drop(host);
    client.assert_nothing_is_left().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_files_and_secrets_go_the_same_way_as_over_our_own_ssh() {
    let server = Server::start();
    let client = Client::of(&server);
    let host = client.host();
    let words = ["a b", "it's", "$HOME", "`id`", "*", "", "x\ny", "€"];
    let target = server.path("up/load.bin");
    let target = target.to_str().unwrap();
    let content: Vec<u8> = (0..3_000_000_u32).map(|it| (it % 251) as u8).collect();

    let text = printed(&host, Command::read("printf").arg("%s|").args(words)).await;
    let secret = "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; echo; done 2>/dev/null; cat";
    let secret = script(secret).secret_stdin(SecretString::from("tr0ub4dor-and-3"));
    let seen = printed(&host, secret).await;
    let uploaded = upload(&host, &content, target, "0640").await;
    let mut back = Vec::new();
    host.files()
        .download(target, &mut back, false)
        .await
        .unwrap();
    let mut lines = 0;
    let mut count = |_: &str| lines += 1;
    let streamed = host.stream(script("seq 100000"), &mut count).await;

    assert_eq!(text, words.map(|word| format!("{word}|")).concat());
    assert_eq!(
        seen.matches("tr0ub4dor-and-3").count(),
        1,
        "only its own input"
    );
    assert_eq!(uploaded.unwrap().written, Written::Changed);
    assert_eq!(back, content);
    assert!(streamed.unwrap().status.success());
    assert_eq!(lines, 100_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_takes_too_long_is_ended_on_the_host() {
    let server = Server::start();
    let client = Client::of(&server);
    let host = client.host();
    let mark = format!("sleep 93{}", server.port);
    let command = Command::script(mark.clone(), Effect::Change).timeout(Duration::from_secs(1));

    let error = host.run(command).await.unwrap_err();

    assert!(matches!(error, CommandError::TimedOut { .. }), "{error}");
    assert!(!runs(&mark), "{mark} goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_no_status_and_the_next_command_connects_anew() {
    let server = Server::start();
    let client = Client::of(&server);
    let host = client.host();
    let mark = format!("sleep 92{}", server.port);
    let running = {
        let (host, mark) = (host.clone(), mark.clone());
        tokio::spawn(async move { host.run(Command::script(mark, Effect::Change)).await })
    };
    started(&mark).await;

    server.kill_sessions("-KILL");

    let error = timeout(SOON, running).await.unwrap().unwrap().unwrap_err();
    assert!(error.is_connection_lost(), "{error}");
    assert_eq!(printed(&host, script("echo again")).await, "again\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_falls_silent_is_given_up() {
    let server = Server::start();
    let client = Client::of(&server);
    let endpoint = client.endpoint_with(&[("ServerAliveInterval", "1")]);
    let connection = client.connect_to(endpoint).await.unwrap();
    let mut process = connection.exec("echo started; sleep 1000").await.unwrap();
    let mut first = [0; 8];
    process.stdout.read_exact(&mut first).await.unwrap();

    server.kill_sessions("-STOP");
    let ended = timeout(SOON, process.exit).await;
    server.kill_sessions("-KILL");

    let error = ended.unwrap().unwrap_err();
    assert!(error.is_lost(), "{error}");
    assert!(error.to_string().contains("not responding"), "{error}");
    assert!(!connection.is_open());
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_lead_where_the_host_can_go_and_a_broken_one_is_no_end() {
    let server = Server::start();
    let client = Client::of(&server);
    let connection = client.connect().await;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let port = listener.local_addr().unwrap().port();
    let echo = tokio::spawn(async move {
        let (mut first, _) = listener.accept().await.unwrap();
        let (mut read, mut write) = first.split();
        tokio::io::copy(&mut read, &mut write).await.unwrap();
        drop(first);
        // The second one is kept open, and says one word.
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"x").await.unwrap();
        let _ = stream.read(&mut [0]).await;
    });

    let mut stream = connection.dial("127.0.0.1", port).await.unwrap();
    let block = vec![7; 300_000];
    let (mut read, mut write) = tokio::io::split(&mut stream);
    let mut back = Vec::new();
    let send = async {
        write.write_all(&block).await.unwrap();
        write.shutdown().await.unwrap();
    };
    let both = async { tokio::join!(send, read.read_to_end(&mut back)).1 };
    timeout(SOON, both).await.unwrap().unwrap();
    assert_eq!(back, block);

    let mut cut = connection.dial("127.0.0.1", port).await.unwrap();
    assert_eq!(cut.read_u8().await.unwrap(), b'x');
    server.kill_sessions("-KILL");
    let ended = timeout(SOON, cut.read(&mut [0; 8])).await.unwrap();
    assert!(ended.is_err(), "{ended:?}");
    echo.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_the_host_cannot_or_may_not_reach_is_refused() {
    let closed = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    for (settings, words) in [("", "refused"), ("AllowTcpForwarding no", "prohibited")] {
        let server = Server::with(settings);
        let client = Client::of(&server);
        let connection = client.connect().await;

        let error = connection.dial("127.0.0.1", port).await.err().unwrap();

        assert!(
            matches!(error, ConnectionError::DialRefused { .. }),
            "{error}"
        );
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(status(&connection, "exit 3").await, ExitStatus::Code(3));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn terminals_are_those_of_the_user() {
    let server = Server::start();
    let client = Client::of(&server);
    let host = client.host();

    expect_a_terminal_to_change_its_size(&host).await;
    expect_keys_to_be_signals(&host).await;
}
