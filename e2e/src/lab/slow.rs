//! A slow and lossy way from this machine to hosts.
//!
//! The delay is that of relays, and the loss that of the packet filter: not every kernel has netem.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::Host;
use crate::command::Cmd;

/// The chain of the packet filter that loses packets.
const CHAIN: &str = "LAUNCHPAD-LAB-LOSS";

/// How much may be on its way at the same time, in pieces of up to 16 KiB.
const ON_THE_WAY: usize = 64;

/// Relays to hosts, until it is dropped; the loss until [`SlowWay::close`].
pub(crate) struct SlowWay {
    relays: Vec<Relay>,
    carried: Arc<AtomicU64>,
}

struct Relay {
    host: Host,
    port: u16,
    task: JoinHandle<()>,
}

impl SlowWay {
    /// Lays a way to each host: every byte takes `delay`, in both directions, and of all packets some per cent are
    /// lost.
    pub(crate) async fn lay(hosts: &[Host], delay: Duration, loss_per_cent: u8) -> Result<Self> {
        let carried = Arc::new(AtomicU64::new(0));
        let mut relays = Vec::new();
        for host in hosts {
            let listener = TcpListener::bind("127.0.0.1:0")
                .await
                .context("cannot listen")?;
            let port = listener
                .local_addr()
                .context("a listener has no address")?
                .port();
            let task = tokio::spawn(serve(
                listener,
                (host.ip, 22).into(),
                delay,
                carried.clone(),
            ));
            relays.push(Relay {
                host: host.clone(),
                port,
                task,
            });
        }
        let way = Self { relays, carried };
        if let Err(error) = way.lose(loss_per_cent).await {
            restore().await;
            return Err(error);
        }
        Ok(way)
    }

    /// Returns what ssh_config has to say, so that the hosts are reached by it under their own names.
    pub(crate) fn ssh_config(&self) -> String {
        let entry = |relay: &Relay| {
            format!(
                "Host {ip}\n  HostName 127.0.0.1\n  Port {port}\n  HostKeyAlias {ip}\n",
                ip = relay.host.ip,
                port = relay.port,
            )
        };
        self.relays.iter().map(entry).collect()
    }

    /// Takes the loss back; returns how many bytes were carried and how many packets were lost.
    pub(crate) async fn close(self) -> Result<(u64, u64)> {
        let listed = iptables(&["-nvxL", CHAIN]).run().await;
        restore().await;
        let lost = listed?.stdout.lines().filter_map(lost_packets).sum();
        Ok((self.carried.load(Ordering::Relaxed), lost))
    }

    async fn lose(&self, per_cent: u8) -> Result<()> {
        restore().await;
        iptables(&["-N", CHAIN]).run().await?;
        let probability = format!("{}", f64::from(per_cent) / 100.0);
        for relay in &self.relays {
            for direction in ["-s", "-d"] {
                iptables(&[
                    "-A",
                    CHAIN,
                    direction,
                    &relay.host.ip.to_string(),
                    "-p",
                    "tcp",
                ])
                .args([
                    "-m",
                    "statistic",
                    "--mode",
                    "random",
                    "--probability",
                    &probability,
                ])
                .args(["-j", "DROP"])
                .run()
                .await?;
            }
        }
        for hook in ["INPUT", "OUTPUT"] {
            iptables(&["-I", hook, "-j", CHAIN]).run().await?;
        }
        Ok(())
    }
}

impl Drop for SlowWay {
    fn drop(&mut self) {
        for relay in &self.relays {
            relay.task.abort();
        }
    }
}

/// Takes the loss back, where there is any.
pub(crate) async fn restore() {
    for hook in ["INPUT", "OUTPUT"] {
        while iptables(&["-D", hook, "-j", CHAIN]).succeeds().await {}
    }
    for action in ["-F", "-X"] {
        // Where there is no such chain, there is nothing to take back.
        let _ = iptables(&[action, CHAIN]).finish().await;
    }
}

fn iptables(args: &[&str]) -> Cmd {
    Cmd::new("iptables").arg("--wait").args(args)
}

/// Reads the first column of a rule of `iptables -nvxL`.
fn lost_packets(line: &str) -> Option<u64> {
    let (count, rest) = line.trim_start().split_once(' ')?;
    rest.contains("DROP").then(|| count.parse().ok())?
}

async fn serve(listener: TcpListener, to: SocketAddr, delay: Duration, carried: Arc<AtomicU64>) {
    while let Ok((near, _)) = listener.accept().await {
        let carried = carried.clone();
        tokio::spawn(async move {
            // The round trip of the connection itself; what goes wrong ends it, as a network would.
            tokio::time::sleep(2 * delay).await;
            let Ok(far) = TcpStream::connect(to).await else {
                return;
            };
            let _ = (near.set_nodelay(true), far.set_nodelay(true));
            let (near_read, near_write) = near.into_split();
            let (far_read, far_write) = far.into_split();
            tokio::join!(
                carry(near_read, far_write, delay, &carried),
                carry(far_read, near_write, delay, &carried)
            );
        });
    }
}

/// Carries bytes, each for as long as the others.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    delay: Duration,
    carried: &AtomicU64,
) {
    let (send, mut receive) = mpsc::channel::<(Instant, Vec<u8>)>(ON_THE_WAY);
    let read = async move {
        loop {
            let mut piece = vec![0; 16 << 10];
            match from.read(&mut piece).await {
                Ok(0) | Err(_) => return,
                Ok(length) => piece.truncate(length),
            }
            if send.send((Instant::now() + delay, piece)).await.is_err() {
                return;
            }
        }
    };
    let write = async {
        while let Some((due, piece)) = receive.recv().await {
            tokio::time::sleep_until(due).await;
            carried.fetch_add(piece.len() as u64, Ordering::Relaxed);
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
        // The other side sees the end; one that is gone needs not.
        let _ = to.shutdown().await;
    };
    tokio::join!(read, write);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn every_byte_takes_its_time_and_arrives_in_order() {
        let (mut near, from) = tokio::io::duplex(1 << 10);
        let (to, mut far) = tokio::io::duplex(1 << 10);
        let carried = AtomicU64::new(0);
        let started = Instant::now();
        let talk = async {
            near.write_all(b"one ").await.unwrap();
            near.write_all(b"two").await.unwrap();
            drop(near);
            let mut text = String::new();
            far.read_to_string(&mut text).await.unwrap();
            text
        };

        let ((), text) = tokio::join!(carry(from, to, Duration::from_millis(25), &carried), talk);

        assert_eq!(text, "one two");
        assert_eq!(carried.load(Ordering::Relaxed), 7);
        assert!(started.elapsed() >= Duration::from_millis(25));
    }

    #[test]
    fn lost_packets_are_read_from_the_packet_filter() {
        // From iptables 1.8.9.
        let list = "Chain X (2 references)\n    pkts      bytes target     prot opt in     out     source               destination\n      12      960 DROP       tcp  --  *      *       10.77.1.1            0.0.0.0/0            statistic mode random probability 0.02000000000\n";

        let counts: Vec<u64> = list.lines().filter_map(lost_packets).collect();

        assert_eq!(counts, [12]);
    }
}
