//! The way to a host: hosts to go through, one after the other.

use super::config::{JumpSpec, Proxy};
use crate::connection::SshEndpoint;

/// One host on a way, with the way to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Hop {
    /// The host; what it goes through is told by `before`.
    pub(super) endpoint: SshEndpoint,
    /// Who named it.
    pub(super) named_in: NamedIn,
    /// The host before it; nothing where ssh_config may name one.
    pub(super) before: Option<Box<Hop>>,
}

/// Where a host is named: there are two opinions of who logs in where nobody says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum NamedIn {
    /// In `launchpad.yaml`: root does.
    Configuration,
    /// In a ProxyJump of ssh_config: the user of this machine does.
    SshConfig,
}

impl Hop {
    /// Returns the way to a host as the configuration has it.
    pub(super) fn to(endpoint: &SshEndpoint) -> Self {
        let before = endpoint
            .bastion
            .as_deref()
            .map(|one| Box::new(Self::to(one)));
        Self {
            endpoint: SshEndpoint {
                bastion: None,
                ..endpoint.clone()
            },
            named_in: NamedIn::Configuration,
            before,
        }
    }

    /// Returns the way over the hosts of a ProxyJump, the first of them first.
    fn over(jumps: &[JumpSpec]) -> Option<Self> {
        jumps.iter().fold(None, |before, jump| {
            Some(Self {
                endpoint: SshEndpoint {
                    address: jump.host.clone(),
                    port: jump.port,
                    user: jump.user.clone(),
                    key_path: None,
                    host_key: None,
                    bastion: None,
                },
                named_in: NamedIn::SshConfig,
                before: before.map(Box::new),
            })
        })
    }

    /// Returns the host before this one. What `launchpad.yaml` says wins over ssh_config, and of a
    /// list of hosts only the first one may have a way of its own.
    pub(super) fn before(&self, proxy: &Proxy) -> Option<Self> {
        match (&self.before, proxy) {
            (Some(before), _) => Some((**before).clone()),
            (None, Proxy::Jump(jumps)) => Self::over(jumps),
            (None, Proxy::None | Proxy::Command(_)) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(address: &str, bastion: Option<SshEndpoint>) -> SshEndpoint {
        SshEndpoint {
            address: address.to_owned(),
            port: None,
            user: None,
            key_path: None,
            host_key: None,
            bastion: bastion.map(Box::new),
        }
    }

    fn jump(host: &str) -> JumpSpec {
        JumpSpec {
            user: None,
            host: host.to_owned(),
            port: Some(2222),
        }
    }

    fn names(hop: Option<Hop>) -> Vec<String> {
        let mut names = Vec::new();
        let mut next = hop;
        while let Some(hop) = next {
            names.push(hop.endpoint.address.clone());
            next = hop.before.map(|before| *before);
        }
        names
    }

    #[test]
    fn the_configuration_wins_over_ssh_config() {
        let jumps = Proxy::Jump(vec![jump("j")]);
        let host = Hop::to(&endpoint(
            "h",
            Some(endpoint("b", Some(endpoint("a", None)))),
        ));

        assert_eq!(names(host.before(&jumps)), ["b", "a"]);
        assert_eq!(names(Hop::to(&endpoint("h", None)).before(&jumps)), ["j"]);
        assert_eq!(
            names(Hop::to(&endpoint("h", None)).before(&Proxy::None)),
            [""; 0]
        );
    }

    #[test]
    fn the_first_host_of_a_list_comes_first() {
        let jumps = Proxy::Jump(vec![jump("first"), jump("second")]);

        let last = Hop::to(&endpoint("h", None)).before(&jumps);

        assert_eq!(last.as_ref().unwrap().named_in, NamedIn::SshConfig);
        assert_eq!(names(last), ["second", "first"]);
    }

    #[test]
    fn who_goes_the_same_way_is_known_by_it() {
        let way = |first: &str| Hop::to(&endpoint("b", Some(endpoint(first, None))));

        assert_eq!(way("a"), way("a"));
        assert_ne!(way("a"), way("c"));
    }
}
