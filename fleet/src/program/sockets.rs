//! `ss`: who listens where.

use futures_util::future::BoxFuture;

use super::{Invocation, Program};
use crate::engine::Listener;

pub(crate) const PROGRAMS: &[Program] = &[Program {
    name: "ss",
    run: ss,
}];

fn ss(invocation: &mut Invocation) -> BoxFuture<'_, u8> {
    Box::pin(async move {
        let mut letters = String::new();
        for word in &invocation.arguments {
            match word.strip_prefix('-') {
                Some(rest) if rest.chars().all(|letter| "Htlnpaux".contains(letter)) => {
                    letters.push_str(rest);
                }
                _ => {
                    let what = format!("argument {word}");
                    return invocation.not_simulated(&what);
                }
            }
        }
        let has = |letter: char| letters.contains(letter);
        match (has('l'), has('t'), has('x')) {
            (true, true, false) => internet(invocation, !has('H')),
            (true, false, true) if has('H') => local(invocation),
            _ => return invocation.not_simulated("anything but what listens"),
        }
        0
    })
}

/// Returns all that listens for TCP, in the order of their ports.
fn listeners(invocation: &Invocation) -> Vec<Listener> {
    let one = |address: &str, port: u16, queue: u32| Listener {
        address: address.to_owned(),
        port,
        queue,
    };
    let (has_ssh, has_containerd, is_container) =
        invocation.host(|host| (host.has_sshd(), host.has_containerd(), host.is_container));
    let mut all = Vec::new();
    if is_container {
        // The name service of the engine that it is a container of.
        all.push(one("127.0.0.11", 45_763, 4096));
    }
    if has_containerd {
        all.push(one("127.0.0.1", 36_297, 4096));
    }
    if has_ssh {
        all.push(one("0.0.0.0", 22, 128));
        all.push(one("[::]", 22, 128));
    }
    all.extend(crate::engine::listening(&invocation.fleet, invocation.host));
    all
}

/// Aligns addresses and ports on the colon between them, as the real one does.
fn internet(invocation: &mut Invocation, has_head: bool) {
    let all = listeners(invocation);
    let peer = |one: &Listener| match one.address.as_str() {
        "*" => "*",
        address if address.starts_with('[') => "[::]",
        _ => "0.0.0.0",
    };
    let widest = |least: usize, of: &dyn Fn(&Listener) -> usize| {
        all.iter().map(of).max().unwrap_or(0).max(least)
    };
    let least = |width: usize| if has_head { width } else { 0 };
    let local = widest(least(13), &|one| one.address.len());
    let port = widest(least(4), &|one| one.port.to_string().len());
    let remote = widest(least(12), &|one| peer(one).len());
    let rest = least(10);
    if has_head {
        invocation.print(&format!(
            "State  Recv-Q Send-Q {:>local$}:{:<port$} {:>remote$}:PortProcess\n",
            "Local Address", "Port", "Peer Address"
        ));
    }
    for one in &all {
        invocation.print(&format!(
            "LISTEN 0      {:<6} {:>local$}:{:<port$} {:>remote$}:*{:rest$}\n",
            one.queue,
            one.address,
            one.port,
            peer(one),
            ""
        ));
    }
}

/// Sockets of the engine; others are not told of.
fn local(invocation: &mut Invocation) {
    let is_running = invocation.host(|host| host.has_engine());
    let paths = [
        "/run/docker.sock",
        "/var/run/docker/metrics.sock",
        "/run/docker/libnetwork/f2a9d1b0c3e4.sock",
    ];
    for path in paths.iter().filter(|_| is_running) {
        invocation.print(&format!("u_str LISTEN 0      4096 {path} 21190 * 0\n"));
    }
}
