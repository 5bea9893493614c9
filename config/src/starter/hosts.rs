//! Hosts as they are typed: `10.0.0.11`, `10.0.0.11-10.0.0.15`, `node[01-05].example.com`,
//! `ops@10.0.0.1:2222`.

use std::net::IpAddr;

use super::StarterError;
use crate::address;
use crate::host::Role;

/// How many hosts may be listed.
const MOST: usize = 10_000;

/// A host of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListedHost {
    /// The name or address.
    pub address: String,
    /// The login user.
    pub user: Option<String>,
    /// The port of the SSH server.
    pub port: Option<u16>,
    /// The private key.
    pub key: Option<String>,
    /// Its role, where the list says one.
    pub role: Option<Role>,
}

/// Reads hosts that are separated by commas or white space.
///
/// # Errors
///
/// Fails with the first text that is no host, and where there are too many.
pub fn parse_hosts(text: &str) -> Result<Vec<ListedHost>, StarterError> {
    let mut found: Vec<ListedHost> = Vec::new();
    for word in words(text) {
        found.extend(hosts(&word)?);
        check_count(found.len())?;
    }
    for (index, host) in found.iter().enumerate() {
        let is_same = |other: &ListedHost| other.address == host.address && other.port == host.port;
        if found[..index].iter().any(is_same) {
            return Err(wrong(&host.address, "it is in the list twice"));
        }
    }
    Ok(found)
}

pub(super) fn check_count(count: usize) -> Result<(), StarterError> {
    if count > MOST {
        return Err(StarterError::TooMany(MOST));
    }
    Ok(())
}

/// Splits a list at commas and white space, not within brackets.
fn words(text: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut is_inside = false;
    for c in text.chars() {
        match c {
            '[' => is_inside = true,
            ']' => is_inside = false,
            _ => {}
        }
        let is_gap = !is_inside && (c == ',' || c.is_whitespace());
        match found.last_mut() {
            Some(last) if !is_gap => last.push(c),
            _ => found.push(String::new()),
        }
    }
    found.retain(|word| !word.is_empty());
    found
}

fn wrong(text: &str, why: &str) -> StarterError {
    StarterError::Host {
        text: crate::shown::short(text),
        why: why.to_owned(),
    }
}

/// Reads one word: `[USER@]HOSTS[:PORT]`.
pub(super) fn hosts(word: &str) -> Result<Vec<ListedHost>, StarterError> {
    let (user, rest) = match word.rsplit_once('@') {
        Some((user, rest)) => (Some(user), rest),
        None => (None, word),
    };
    if user.is_some_and(|user| user.is_empty() || user.contains([':', '@'])) {
        return Err(wrong(
            word,
            "a user stands before the `@`, without a password",
        ));
    }
    let (names, port) = port(rest).ok_or_else(|| wrong(word, "the port is no number"))?;
    let host = |address: String| match address::check(&address) {
        Ok(()) => Ok(ListedHost {
            address,
            user: user.map(str::to_owned),
            port,
            ..ListedHost::default()
        }),
        Err(error) => Err(wrong(&address, &error.to_string())),
    };
    addresses(names)?.into_iter().map(host).collect()
}

/// Splits a port off; an IPv6 address has one only behind brackets.
fn port(text: &str) -> Option<(&str, Option<u16>)> {
    let inner = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let is_address = |inner: &str| inner.contains(':') && inner.parse::<IpAddr>().is_ok();
    if let Some((inner, rest)) = inner.filter(|(inner, _)| is_address(inner)) {
        return match rest.strip_prefix(':') {
            Some(port) => Some((inner, Some(port.parse().ok().filter(|port| *port > 0)?))),
            None => rest.is_empty().then_some((inner, None)),
        };
    }
    match text.rsplit_once(':') {
        Some((names, port)) if !names.contains(':') && !port.contains(']') => {
            Some((names, Some(port.parse().ok().filter(|port| *port > 0)?)))
        }
        _ => Some((text, None)),
    }
}

/// Returns the addresses of a range, or the one that is none.
fn addresses(text: &str) -> Result<Vec<String>, StarterError> {
    if let Some((before, rest)) = text.split_once('[') {
        let (range, after) = rest
            .split_once(']')
            .ok_or_else(|| wrong(text, "a bracket is not closed"))?;
        let mut found = Vec::new();
        for number in numbers(range).ok_or_else(|| wrong(text, "a range is like `[01-05]`"))? {
            found.extend(addresses(&format!("{before}{number}{after}"))?);
            check_count(found.len())?;
        }
        return Ok(found);
    }
    let ends = text.split_once('-').and_then(|(first, last)| {
        let first: IpAddr = first.parse().ok()?;
        Some((first, last))
    });
    match ends {
        Some((first, last)) => between(first, last)
            .ok_or_else(|| wrong(text, "a range goes from an address to a higher one"))?,
        None => Ok(vec![text.to_owned()]),
    }
}

/// Returns the numbers of `01-05`, `1:3` or `1,4-6`, each as wide as the first.
fn numbers(text: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once(['-', ':']).unwrap_or((part, part));
        let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        if !is_number(first) || !is_number(last) {
            return None;
        }
        let (low, high): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        if low > high || high - low > MOST {
            return None;
        }
        let width = first.len();
        found.extend((low..=high).map(|number| format!("{number:0width$}")));
    }
    Some(found)
}

/// Returns all addresses from one to another, which may be its last part (`10.0.0.11-15`).
fn between(first: IpAddr, last: &str) -> Option<Result<Vec<String>, StarterError>> {
    let last = match (first, last.parse::<u8>()) {
        (IpAddr::V4(first), Ok(part)) => {
            let [a, b, c, _] = first.octets();
            IpAddr::from([a, b, c, part])
        }
        _ => last.parse().ok()?,
    };
    let (low, high) = match (first, last) {
        (IpAddr::V4(low), IpAddr::V4(high)) => (low.to_bits().into(), high.to_bits().into()),
        (IpAddr::V6(low), IpAddr::V6(high)) => (low.to_bits(), high.to_bits()),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return None,
    };
    if high < low {
        return None;
    }
    if high - low >= MOST as u128 {
        return Some(Err(StarterError::TooMany(MOST)));
    }
    let address = |bits: u128| match (first, u32::try_from(bits)) {
        (IpAddr::V4(_), Ok(bits)) => std::net::Ipv4Addr::from_bits(bits).to_string(),
        _ => std::net::Ipv6Addr::from_bits(bits).to_string(),
    };
    Some(Ok((low..=high).map(address).collect()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn listed(text: &str) -> Vec<String> {
        let hosts = parse_hosts(text).unwrap();
        hosts.into_iter().map(|host| host.address).collect()
    }

    #[test]
    fn ranges_are_all_their_hosts() {
        for (text, hosts) in [
            ("10.0.0.1", "10.0.0.1"),
            ("a, b c", "a b c"),
            (
                "10.0.0.254-10.0.1.1",
                "10.0.0.254 10.0.0.255 10.0.1.0 10.0.1.1",
            ),
            ("10.0.0.11-13", "10.0.0.11 10.0.0.12 10.0.0.13"),
            ("fd00::9-fd00::a", "fd00::9 fd00::a"),
            (
                "node[08-10].example.com",
                "node08.example.com node09.example.com node10.example.com",
            ),
            ("n[1:2]-r[1,3]", "n1-r1 n1-r3 n2-r1 n2-r3"),
            ("node-1,node-2", "node-1 node-2"),
            ("10.0.0.[1-2]", "10.0.0.1 10.0.0.2"),
            ("", ""),
        ] {
            assert_eq!(listed(text).join(" "), hosts, "{text}");
        }
    }

    #[test]
    fn user_and_port_may_stand_around_a_host() {
        let hosts = parse_hosts("ops@10.0.0.1-2:2222 [fd00::1]:22").unwrap();

        assert_eq!(hosts[1].address, "10.0.0.2");
        assert_eq!(
            (hosts[1].user.as_deref(), hosts[1].port),
            (Some("ops"), Some(2222))
        );
        assert_eq!(
            (hosts[2].address.as_str(), hosts[2].port),
            ("fd00::1", Some(22))
        );
    }

    #[test]
    fn what_is_no_host_is_told() {
        for (text, why) in [
            ("10.0.0.300", "is neither a host name nor an IP address"),
            ("a_b", "is neither a host name nor an IP address"),
            ("10.0.0.9-10.0.0.1", "from an address to a higher one"),
            ("10.0.0.9-x", "from an address to a higher one"),
            ("n[3-1]", "a range is like"),
            ("n[1", "a bracket is not closed"),
            ("a:x", "the port is no number"),
            ("a:0", "the port is no number"),
            ("a,b,a", "it is in the list twice"),
            ("me:pw@a", "without a password"),
            ("10.0.0.0-10.255.0.0", "more than 10000 hosts"),
            ("n[0-99]-[0-99]-[0-99]", "more than 10000 hosts"),
        ] {
            let told = parse_hosts(text).unwrap_err().to_string();
            assert!(told.contains(why), "{text}: {told}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[0-9a-c.:@,\\[\\]\\- ]{0,24}") {
            let _ = parse_hosts(&text);
        }
    }
}
