//! Many commands at once on one connection, by `rig`: nobody asks faster.

use std::sync::Arc;
use std::time::SystemTime;

use futures_util::StreamExt as _;
use rig::connection::{Process, SshEndpoint};
use rig::protocol::ssh::{SshConnector, SshOptions};
use rig::{Connection, Connector as _, Endpoint, ExitStatus};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::house::{House, SOON};

/// How many there are.
const COMMANDS: usize = 4000;
/// As many at a time as a stock server allows.
const AT_ONCE: usize = 10;

#[test]
fn a_channel_that_ends_while_the_next_one_opens_is_closed() {
    let house = House::open();

    let statuses = house.runtime.block_on(async {
        let connection = connect(&house).await;
        let all = futures_util::stream::iter(0..COMMANDS)
            .map(|_| tokio::time::timeout(SOON, tell(&*connection, "echo one; exit 3")))
            .buffer_unordered(AT_ONCE);
        all.collect::<Vec<_>>().await
    });

    let unended = statuses.iter().filter(|status| status.is_err()).count();
    assert_eq!(unended, 0, "so many of {COMMANDS} commands never ended");
    for status in statuses.into_iter().flatten() {
        assert_eq!(status, ExitStatus::Code(3));
    }
}

/// Logs in to the first host.
async fn connect(house: &House) -> Arc<dyn Connection> {
    let home = house.path("");
    let mut options = SshOptions::for_home(&home, Arc::new(SystemTime::now));
    options.config_files = vec![house.path("config")];
    options.user_known_hosts = vec![house.path("known_hosts")];
    options.global_known_hosts.clear();
    let endpoint = Endpoint::Ssh(SshEndpoint {
        address: "m1".to_owned(),
        port: None,
        user: None,
        key_path: None,
        host_key: None,
        bastion: None,
    });
    SshConnector::new(options).connect(&endpoint).await.unwrap()
}

/// Runs a program of standard input; returns how it ended.
async fn tell(connection: &dyn Connection, program: &str) -> ExitStatus {
    let process = connection.exec("exec /bin/sh -s").await.unwrap();
    let Process {
        mut stdin,
        mut stdout,
        exit,
        ..
    } = process;
    let mut out = String::new();
    let send = async {
        stdin.write_all(program.as_bytes()).await.unwrap();
        stdin.shutdown().await.unwrap();
    };
    let (_, read, status) = tokio::join!(send, stdout.read_to_string(&mut out), exit);
    read.unwrap();
    assert_eq!(out, "one\n");
    status.unwrap()
}
