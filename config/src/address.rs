//! Names and addresses of hosts, and networks.

use std::net::IpAddr;

/// Why a text cannot be the address of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddressError {
    /// There is nothing.
    #[error("must not be empty")]
    Empty,
    /// There is a port behind it.
    #[error("must not contain a port")]
    Port,
    /// There are brackets around it.
    #[error("must be written without brackets")]
    Brackets,
    /// It is neither.
    #[error("is neither a host name nor an IP address")]
    Other,
}

/// Checks that a text is a host name (RFC 1123) or an IP address.
pub(crate) fn check(text: &str) -> Result<(), AddressError> {
    if text.is_empty() {
        return Err(AddressError::Empty);
    }
    if text.parse::<IpAddr>().is_ok() || is_host_name(text) {
        return Ok(());
    }
    let inner = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    if let Some((inner, rest)) = inner {
        let is_port = rest.starts_with(':');
        return Err(match inner.parse::<IpAddr>() {
            Ok(_) if is_port => AddressError::Port,
            Ok(_) if rest.is_empty() => AddressError::Brackets,
            Ok(_) | Err(_) => AddressError::Other,
        });
    }
    match text.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() && check(host).is_ok() => {
            Err(AddressError::Port)
        }
        _ => Err(AddressError::Other),
    }
}

fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // A name that ends in a number is a mistyped address (`10.0.0.300`).
    let last = text.rsplit('.').next().unwrap_or_default();
    let is_number = text.contains('.') && last.chars().all(|c| c.is_ascii_digit());
    text.len() <= 253 && text.split('.').all(is_label) && !is_number
}

/// Returns an address in the one form that equal addresses have.
pub(crate) fn canonical(text: &str) -> String {
    text.parse::<IpAddr>()
        .map_or_else(|_| text.to_lowercase(), |address| address.to_string())
}

/// Returns an address as it stands in a URL.
pub(crate) fn in_url(address: &str) -> String {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        Ok(IpAddr::V4(_)) | Err(_) => address.to_owned(),
    }
}

/// A network such as `10.0.0.0/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    /// Reads a network.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let is_number = prefix.chars().all(|c| c.is_ascii_digit());
        let prefix = prefix.parse().ok().filter(|_| is_number)?;
        let widest = if address.is_ipv4() { 32 } else { 128 };
        (prefix <= widest).then_some(Self { address, prefix })
    }

    /// Whether two networks have addresses in common.
    pub(crate) fn overlaps(self, other: Self) -> bool {
        let prefix = self.prefix.min(other.prefix);
        match (self.address, other.address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
                u32::from(a) & mask == u32::from(b) & mask
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => {
                let mask = u128::MAX.checked_shl(128 - prefix).unwrap_or(0);
                u128::from(a) & mask == u128::from(b) & mask
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_names_and_addresses() {
        for text in [
            "10.0.0.1",
            "::1",
            "fd00::1",
            "a",
            "a-b.example.net",
            "1a.b",
            "localhost",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
        for (text, error) in [
            ("", AddressError::Empty),
            ("10.0.0.1:22", AddressError::Port),
            ("host:22", AddressError::Port),
            ("[::1]:22", AddressError::Port),
            ("[::1]", AddressError::Brackets),
            ("10.0.0.300", AddressError::Other),
            ("10.0.1", AddressError::Other),
            ("a_b", AddressError::Other),
            ("-a", AddressError::Other),
            ("a.", AddressError::Other),
            ("user@host", AddressError::Other),
            ("ssh://host", AddressError::Other),
        ] {
            assert_eq!(check(text), Err(error), "{text}");
        }
        assert!(check(&"a".repeat(64)).is_err());
    }

    #[test]
    fn networks_overlap_where_one_holds_the_other() {
        for (a, b, overlap) in [
            ("10.0.0.0/8", "10.244.0.0/16", true),
            ("10.244.0.0/16", "10.0.0.0/8", true),
            ("192.168.0.0/16", "10.0.0.0/8", false),
            ("0.0.0.0/0", "10.0.0.0/8", true),
            ("10.1.2.3/16", "10.1.9.9/24", true),
            ("fd00::/8", "fd00:1::/32", true),
            ("::/0", "10.0.0.0/8", false),
        ] {
            let (a, b) = (Network::parse(a).unwrap(), Network::parse(b).unwrap());
            assert_eq!(a.overlaps(b), overlap, "{a:?} {b:?}");
        }
        for text in [
            "10.0.0.0",
            "10.0.0.0/33",
            "10.0.0/8",
            "x/8",
            "10.0.0.0/+8",
            "10.0.0.0/",
        ] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
