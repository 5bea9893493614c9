//! `ip`, `ping`.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::json;

use super::{Invocation, Program};
use crate::host::Route;
use crate::network::Interface;

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "ip",
        run: ip,
    },
    Program {
        name: "ping",
        run: ping,
    },
];

/// What was asked for before the object.
#[derive(Debug, Default, Clone, Copy)]
struct Form {
    is_on_line: bool,
    is_brief: bool,
    is_json: bool,
    only_four: bool,
    only_six: bool,
}

fn ip(invocation: &mut Invocation) -> BoxFuture<'_, u8> {
    Box::pin(async move {
        let mut form = Form::default();
        let arguments = invocation.arguments.clone();
        let mut words: &[String] = &arguments;
        while let Some((word, rest)) = words.split_first() {
            match word.as_str() {
                "-o" | "-oneline" => form.is_on_line = true,
                "-br" | "-brief" => form.is_brief = true,
                "-j" | "-json" => form.is_json = true,
                "-4" => form.only_four = true,
                "-6" => form.only_six = true,
                "-o4" | "-4o" => (form.is_on_line, form.only_four) = (true, true),
                option if option.starts_with('-') => {
                    return invocation.not_simulated(&format!("option {option}"));
                }
                _ => break,
            }
            words = rest;
        }
        let Some((object, words)) = words.split_first() else {
            return invocation.not_simulated("no object");
        };
        match object.as_str() {
            "a" | "addr" | "address" => addresses(invocation, form, words),
            _ if form.is_json => invocation.not_simulated("option -j for this object"),
            "r" | "ro" | "route" => routes(invocation, form, words),
            "l" | "link" => links(invocation, form, words),
            other if !["n", "neigh", "rule", "netns"].contains(&other) => {
                invocation.complain(&format!(
                    "Object \"{other}\" is unknown, try \"ip help\".\n"
                ));
                1
            }
            other => invocation.not_simulated(&format!("object {other}")),
        }
    })
}

fn addresses(invocation: &mut Invocation, form: Form, words: &[String]) -> u8 {
    let (mut device, mut scope) = (None, None);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "show" | "list" | "s" | "ls" => {}
            "dev" => device = words.next().cloned(),
            "scope" => scope = words.next().cloned(),
            "add" | "del" | "flush" | "replace" | "up" => {
                return invocation.not_simulated(&format!("address {word}"));
            }
            name => device = Some(name.to_owned()),
        }
    }
    let interfaces = invocation.host(|host| host.interfaces.clone());
    if let Some(device) = &device
        && !interfaces.iter().any(|one| one.name == *device)
    {
        invocation.complain(&format!("Device \"{device}\" does not exist.\n"));
        return 1;
    }
    let is_wanted = |address: &IpAddr| {
        let family = !(form.only_four && address.is_ipv6() || form.only_six && address.is_ipv4());
        family
            && scope
                .as_deref()
                .is_none_or(|scope| scope == scope_of(address))
    };
    let mut values = Vec::new();
    for one in &interfaces {
        if device.as_ref().is_some_and(|device| *device != one.name) {
            continue;
        }
        let shown: Vec<(IpAddr, u8)> = one
            .addresses
            .iter()
            .filter(|(address, _)| is_wanted(address))
            .copied()
            .collect();
        let filters = scope.is_some() || form.only_four || form.only_six;
        if filters && shown.is_empty() {
            continue;
        }
        if form.is_json {
            values.push(address_value(one, &shown));
            continue;
        }
        let text = address_text(one, &shown, form);
        invocation.print(&text);
    }
    if form.is_json {
        invocation.print(&format!("{}\n", serde_json::Value::Array(values)));
    }
    0
}

/// An interface with its addresses, as `-j` has it.
fn address_value(one: &Interface, shown: &[(IpAddr, u8)]) -> serde_json::Value {
    let (kind, end) = hardware_of(one);
    let address = |(address, prefix): &(IpAddr, u8)| {
        let mut value = json!({
            "family": if address.is_ipv4() { "inet" } else { "inet6" },
            "local": address,
            "prefixlen": prefix,
            "scope": scope_of(address),
            "valid_life_time": u32::MAX,
            "preferred_life_time": u32::MAX,
        });
        if address.is_ipv4() {
            value["label"] = json!(one.name);
        }
        if let Some(broadcast) = broadcast_of(address, *prefix) {
            value["broadcast"] = json!(broadcast);
        }
        value
    };
    json!({
        "ifindex": one.index,
        "ifname": one.name,
        "flags": flags(one).split(',').collect::<Vec<_>>(),
        "mtu": one.mtu,
        "operstate": state(one),
        "group": "default",
        "link_type": kind,
        "address": if one.name == "lo" { end } else { &one.mac },
        "broadcast": end,
        "addr_info": shown.iter().map(address).collect::<Vec<_>>(),
    })
}

/// The kind of an interface, and its address that means all.
fn hardware_of(one: &Interface) -> (&'static str, &'static str) {
    match one.name.as_str() {
        "lo" => ("loopback", "00:00:00:00:00:00"),
        _ => ("ether", "ff:ff:ff:ff:ff:ff"),
    }
}

fn scope_of(address: &IpAddr) -> &'static str {
    match address.is_loopback() {
        true => "host",
        false => "global",
    }
}

fn broadcast_of(address: &IpAddr, prefix: u8) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V4(four) if !address.is_loopback() && prefix < 31 => {
            let mask = u32::MAX.checked_shr(u32::from(prefix)).unwrap_or(0);
            Some(Ipv4Addr::from(u32::from(*four) | mask))
        }
        _ => None,
    }
}

fn address_text(one: &Interface, shown: &[(IpAddr, u8)], form: Form) -> String {
    if form.is_brief {
        let state = if one.name == "lo" {
            "UNKNOWN"
        } else {
            state(one)
        };
        let list: Vec<String> = shown
            .iter()
            .map(|(ip, prefix)| format!("{ip}/{prefix} "))
            .collect();
        return format!("{:16} {state:14} {}\n", with_peer(one), list.concat());
    }
    let mut text = String::new();
    if !form.is_on_line {
        text = header(one, "group default ");
    }
    for (address, prefix) in shown {
        let family = if address.is_ipv4() { "inet" } else { "inet6" };
        let broadcast = broadcast_of(address, *prefix)
            .map(|broadcast| format!(" brd {broadcast}"))
            .unwrap_or_default();
        let scope = scope_of(address);
        let body = format!(
            "{family} {address}/{prefix}{broadcast} scope {scope} {}",
            one.name
        );
        if form.is_on_line {
            text.push_str(&format!(
                "{}: {}    {body}\\       valid_lft forever preferred_lft forever\n",
                one.index, one.name
            ));
        } else {
            text.push_str(&format!(
                "    {body}\n       valid_lft forever preferred_lft forever\n"
            ));
        }
    }
    text
}

fn state(one: &Interface) -> &'static str {
    match (one.name.as_str(), one.is_up) {
        ("lo", _) => "UNKNOWN",
        (_, true) => "UP",
        (_, false) => "DOWN",
    }
}

fn flags(one: &Interface) -> &'static str {
    match (one.name.as_str(), one.is_up, one.is_virtual) {
        ("lo", ..) => "LOOPBACK,UP,LOWER_UP",
        (_, true, _) => "BROADCAST,MULTICAST,UP,LOWER_UP",
        // A bridge is up, and nothing hangs on it.
        (_, false, true) => "NO-CARRIER,BROADCAST,MULTICAST,UP",
        (_, false, false) => "BROADCAST,MULTICAST",
    }
}

fn header(one: &Interface, group: &str) -> String {
    let flags = flags(one);
    let (kind, end) = hardware_of(one);
    let (queue, length) = match one.name.as_str() {
        "lo" => ("noqueue", "qlen 1000"),
        _ if one.peer.is_some() || one.is_virtual => ("noqueue", ""),
        _ => ("fq_codel", "qlen 1000"),
    };
    let outside = match one.peer {
        Some(_) => " link-netnsid 0",
        None => "",
    };
    format!(
        "{}: {}: <{flags}> mtu {} qdisc {queue} state {} {group}{length}\n    link/{kind} {} brd \
         {end}{outside}\n",
        one.index,
        with_peer(one),
        one.mtu,
        state(one),
        one.mac
    )
}

/// Returns the name of an interface, with that of its other end where it has one.
fn with_peer(one: &Interface) -> String {
    match one.peer {
        Some(peer) => format!("{}@if{peer}", one.name),
        None => one.name.clone(),
    }
}

/// Returns the line of an interface in `ip -br link`.
fn brief(one: &Interface) -> String {
    let flags = flags(one);
    format!(
        "{:16} {:14} {} <{flags}> \n",
        with_peer(one),
        state(one),
        one.mac
    )
}

fn links(invocation: &mut Invocation, form: Form, words: &[String]) -> u8 {
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    let verb = match words.first() {
        Some(&("show" | "list" | "delete" | "del" | "set" | "add")) => words.remove(0),
        _ => "show",
    };
    words.retain(|word| *word != "dev");
    let name = words.first().map(|name| (*name).to_owned());
    match (verb, &name) {
        ("show" | "list", _) => {
            let interfaces = invocation.host(|host| host.interfaces.clone());
            let is_known = |name: &String| interfaces.iter().any(|one| one.name == *name);
            if let Some(name) = name.as_ref().filter(|name| !is_known(name)) {
                invocation.complain(&format!("Device \"{name}\" does not exist.\n"));
                return 1;
            }
            for one in interfaces {
                if name.as_ref().is_some_and(|name| *name != one.name) {
                    continue;
                }
                let text = header(&one, "mode DEFAULT group default ");
                let text = match form {
                    Form { is_brief: true, .. } => brief(&one),
                    Form {
                        is_on_line: true, ..
                    } => format!("{}\n", text.trim_end().replace('\n', "\\")),
                    _ => text,
                };
                invocation.print(&text);
            }
            0
        }
        ("delete" | "del", Some(name)) => {
            if invocation.credentials.uid != 0 {
                invocation.complain("RTNETLINK answers: Operation not permitted\n");
                return 2;
            }
            let removed = invocation.host(|host| host.remove_interface(name));
            if removed {
                return 0;
            }
            invocation.complain(&format!("Cannot find device \"{name}\"\n"));
            1
        }
        (other, _) => invocation.not_simulated(&format!("link {other}")),
    }
}

fn routes(invocation: &mut Invocation, _form: Form, words: &[String]) -> u8 {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let routes = invocation.host(|host| host.routes.clone());
    let is_shown = |route: &&Route| match words[..] {
        [] | ["show"] | ["list"] => true,
        ["show" | "list", "default"] | ["default"] => route.destination == "default",
        // Routes to a network of one's own have the scope `link`.
        ["show" | "list", "scope", "global"] => route.gateway.is_some(),
        _ => false,
    };
    if let ["get", address] = words[..] {
        return route_to(invocation, address, &routes);
    }
    let known = [
        &[][..],
        &["show"],
        &["list"],
        &["show", "default"],
        &["list", "default"],
        &["default"],
        &["show", "scope", "global"],
        &["list", "scope", "global"],
    ];
    if let ["show" | "list", "dev", device] = words[..] {
        let its = routes.iter().filter(|route| route.interface == device);
        let its: Vec<String> = its
            .map(|route| route_text(invocation, route, false))
            .collect();
        invocation.print(&its.concat());
        return 0;
    }
    if !known.contains(&&words[..]) {
        return invocation.not_simulated(&format!("route {}", words.join(" ")));
    }
    let lines = routes.iter().filter(is_shown);
    let lines: Vec<String> = lines
        .map(|route| route_text(invocation, route, true))
        .collect();
    invocation.print(&lines.concat());
    0
}

fn route_text(invocation: &Invocation, route: &Route, names_device: bool) -> String {
    let via = route.gateway;
    let via = via.map_or_else(String::new, |gateway| format!(" via {gateway}"));
    let to = &route.destination;
    let device = match names_device {
        true => format!(" dev {}", route.interface),
        false => String::new(),
    };
    let rest = route.source.map_or_else(String::new, |source| {
        format!(" proto kernel scope link src {source}")
    });
    let is_down = invocation.host(|host| {
        let mut interfaces = host.interfaces.iter();
        interfaces.any(|one| one.name == route.interface && !one.is_up)
    });
    let down = if is_down { " linkdown" } else { "" };
    format!("{to}{via}{device}{rest}{down} \n")
}

fn route_to(invocation: &mut Invocation, address: &str, routes: &[Route]) -> u8 {
    let Ok(address) = address.parse::<IpAddr>() else {
        invocation.complain(&format!(
            "Error: any valid prefix is expected rather than \"{address}\".\n"
        ));
        return 1;
    };
    let own = routes.iter().find(|route| {
        let network = route.destination.split_once('/');
        network.is_some_and(|(base, prefix)| contains(base, prefix, address))
    });
    let Some(route) = own.or_else(|| routes.iter().find(|route| route.gateway.is_some())) else {
        invocation.complain("RTNETLINK answers: Network is unreachable\n");
        return 2;
    };
    let via = route
        .gateway
        .map(|gateway| format!(" via {gateway}"))
        .unwrap_or_default();
    let source = invocation.host(|host| host.address());
    let source = source.map(|source| source.to_string()).unwrap_or_default();
    let (device, uid) = (&route.interface, invocation.credentials.uid);
    invocation.print(&format!(
        "{address}{via} dev {device} src {source} uid {uid} \n    cache \n"
    ));
    0
}

/// Returns whether a network contains an address.
pub(crate) fn contains(base: &str, prefix: &str, address: IpAddr) -> bool {
    let (Ok(IpAddr::V4(base)), IpAddr::V4(address)) = (base.parse(), address) else {
        return false;
    };
    let prefix: u32 = prefix.parse().unwrap_or(32);
    let mask = u32::MAX.checked_shl(32 - prefix.min(32)).unwrap_or(0);
    u32::from(base) & mask == u32::from(address) & mask
}

fn ping(invocation: &mut Invocation) -> BoxFuture<'_, u8> {
    Box::pin(async move {
        let (mut count, mut limit, mut is_quiet, mut name) = (None, 10, false, None);
        let arguments = invocation.arguments.clone();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "-c" => count = words.next().and_then(|text| text.parse::<u32>().ok()),
                "-W" | "-w" => {
                    limit = words
                        .next()
                        .and_then(|text| text.parse().ok())
                        .unwrap_or(10)
                }
                "-q" => is_quiet = true,
                "-n" | "-4" => {}
                "-i" | "-s" => drop(words.next()),
                word if word.starts_with("-c") => count = word[2..].parse().ok(),
                word if word.starts_with("-W") => limit = word[2..].parse().unwrap_or(10),
                word if word.starts_with('-') => {
                    return invocation.not_simulated(&format!("option {word}"));
                }
                word => name = Some(word.to_owned()),
            }
        }
        let (Some(name), Some(count)) = (name, count) else {
            return invocation.not_simulated("without a count and a name");
        };
        let from = invocation.host;
        let address = invocation.world(|world| world.resolve(from, &name));
        let Some(address) = address else {
            invocation.complain(&format!("ping: {name}: Name or service not known\n"));
            return 2;
        };
        let is_there = invocation.world(|world| world.route(from, &name)).is_ok();
        invocation.print(&format!("PING {name} ({address}) 56(84) bytes of data.\n"));
        for sequence in 1..=count {
            if is_there {
                invocation
                    .sleep(Duration::from_millis(if sequence < count {
                        1000
                    } else {
                        1
                    }))
                    .await;
                if !is_quiet {
                    invocation.print(&format!(
                        "64 bytes from {address}: icmp_seq={sequence} ttl=64 time=0.250 ms\n"
                    ));
                }
            } else {
                invocation.sleep(Duration::from_secs(limit.min(10))).await;
            }
        }
        let received = if is_there { count } else { 0 };
        let loss = 100 - received * 100 / count.max(1);
        invocation.print(&format!(
            "\n--- {name} ping statistics ---\n{count} packets transmitted, {received} received, \
             {loss}% packet loss, time {}ms\n",
            count.saturating_sub(1) * 1000
        ));
        u8::from(received == 0)
    })
}
