//! The keywords of ssh_config that are used, and what their values may be.

use super::proxy;
use super::words::seconds;

/// A keyword that is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    AddressFamily,
    BindAddress,
    BindInterface,
    CanonicalDomains,
    CanonicalizeFallbackLocal,
    CanonicalizeHostname,
    CanonicalizeMaxDots,
    CertificateFile,
    CheckHostIp,
    Ciphers,
    ConnectTimeout,
    ConnectionAttempts,
    GlobalKnownHostsFile,
    HashKnownHosts,
    HostKeyAlgorithms,
    HostKeyAlias,
    HostName,
    IdentitiesOnly,
    IdentityAgent,
    IdentityFile,
    KbdInteractiveAuthentication,
    KexAlgorithms,
    Macs,
    NumberOfPasswordPrompts,
    PasswordAuthentication,
    Port,
    PreferredAuthentications,
    ProxyCommand,
    ProxyJump,
    PubkeyAcceptedAlgorithms,
    PubkeyAuthentication,
    RevokedHostKeys,
    ServerAliveCountMax,
    ServerAliveInterval,
    StrictHostKeyChecking,
    Tag,
    User,
    UserKnownHostsFile,
}

/// What the value of a keyword looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// One word.
    Word,
    /// One word or several; `none` stands alone.
    Words,
    /// One of these, in any case.
    OneOf(&'static [&'static str]),
    /// Seconds or a time with units, or `none`.
    Time,
    /// A number.
    Count,
    /// A port.
    Port,
    /// The rest of the line.
    Command,
    /// The hosts of a ProxyJump.
    Jumps,
}

const FLAG: Form = Form::OneOf(&["yes", "no", "true", "false"]);

/// Names in lower case. Several names of a key are old ones.
const KEYS: &[(&str, Key, Form)] = &[
    (
        "addressfamily",
        Key::AddressFamily,
        Form::OneOf(&["any", "inet", "inet6"]),
    ),
    ("bindaddress", Key::BindAddress, Form::Word),
    ("bindinterface", Key::BindInterface, Form::Word),
    ("canonicaldomains", Key::CanonicalDomains, Form::Words),
    (
        "canonicalizefallbacklocal",
        Key::CanonicalizeFallbackLocal,
        FLAG,
    ),
    (
        "canonicalizehostname",
        Key::CanonicalizeHostname,
        Form::OneOf(&["yes", "no", "true", "false", "always"]),
    ),
    ("canonicalizemaxdots", Key::CanonicalizeMaxDots, Form::Count),
    ("certificatefile", Key::CertificateFile, Form::Word),
    (
        "challengeresponseauthentication",
        Key::KbdInteractiveAuthentication,
        FLAG,
    ),
    ("checkhostip", Key::CheckHostIp, FLAG),
    ("ciphers", Key::Ciphers, Form::Word),
    ("connectionattempts", Key::ConnectionAttempts, Form::Count),
    ("connecttimeout", Key::ConnectTimeout, Form::Time),
    (
        "globalknownhostsfile",
        Key::GlobalKnownHostsFile,
        Form::Words,
    ),
    ("hashknownhosts", Key::HashKnownHosts, FLAG),
    ("hostkeyalgorithms", Key::HostKeyAlgorithms, Form::Word),
    ("hostkeyalias", Key::HostKeyAlias, Form::Word),
    ("hostname", Key::HostName, Form::Word),
    ("identitiesonly", Key::IdentitiesOnly, FLAG),
    ("identityagent", Key::IdentityAgent, Form::Word),
    ("identityfile", Key::IdentityFile, Form::Word),
    (
        "kbdinteractiveauthentication",
        Key::KbdInteractiveAuthentication,
        FLAG,
    ),
    ("kexalgorithms", Key::KexAlgorithms, Form::Word),
    ("macs", Key::Macs, Form::Word),
    (
        "numberofpasswordprompts",
        Key::NumberOfPasswordPrompts,
        Form::Count,
    ),
    ("passwordauthentication", Key::PasswordAuthentication, FLAG),
    ("port", Key::Port, Form::Port),
    (
        "preferredauthentications",
        Key::PreferredAuthentications,
        Form::Word,
    ),
    ("proxycommand", Key::ProxyCommand, Form::Command),
    ("proxyjump", Key::ProxyJump, Form::Jumps),
    (
        "pubkeyacceptedalgorithms",
        Key::PubkeyAcceptedAlgorithms,
        Form::Word,
    ),
    (
        "pubkeyacceptedkeytypes",
        Key::PubkeyAcceptedAlgorithms,
        Form::Word,
    ),
    (
        "pubkeyauthentication",
        Key::PubkeyAuthentication,
        Form::OneOf(&["yes", "no", "true", "false", "unbound", "host-bound"]),
    ),
    ("revokedhostkeys", Key::RevokedHostKeys, Form::Word),
    ("serveralivecountmax", Key::ServerAliveCountMax, Form::Count),
    ("serveraliveinterval", Key::ServerAliveInterval, Form::Time),
    (
        "skeyauthentication",
        Key::KbdInteractiveAuthentication,
        FLAG,
    ),
    (
        "stricthostkeychecking",
        Key::StrictHostKeyChecking,
        Form::OneOf(&["yes", "true", "no", "false", "off", "ask", "accept-new"]),
    ),
    ("tag", Key::Tag, Form::Word),
    ("user", Key::User, Form::Word),
    ("userknownhostsfile", Key::UserKnownHostsFile, Form::Words),
];

/// Finds a keyword, given in lower case.
pub(super) fn find(keyword: &str) -> Option<(Key, Form)> {
    KEYS.iter()
        .find(|(name, ..)| *name == keyword)
        .map(|(_, key, form)| (*key, *form))
}

impl Form {
    /// Says what is wrong with a value, if anything is.
    pub(super) fn fault(self, keyword: &str, words: &[String]) -> Option<String> {
        let Some(first) = words.first().filter(|first| !first.is_empty()) else {
            return Some("the value is missing".to_owned());
        };
        if self != Self::Words && words.len() > 1 {
            return Some(format!("`{}` is too much for `{keyword}`", words[1]));
        }
        match self {
            Self::Word | Self::Command => None,
            Self::Words => {
                let has_none = words.iter().any(|word| word.eq_ignore_ascii_case("none"));
                if has_none && words.len() > 1 {
                    return Some("`none` must stand alone".to_owned());
                }
                let has_empty = words.iter().any(String::is_empty);
                has_empty.then(|| "one of the values is empty".to_owned())
            }
            Self::OneOf(known) => {
                let is_known = known.iter().any(|word| first.eq_ignore_ascii_case(word));
                (!is_known).then(|| format!("`{first}` is none of {}", known.join(", ")))
            }
            Self::Time => {
                let is_time = first.eq_ignore_ascii_case("none") || seconds(first).is_some();
                (!is_time).then(|| format!("`{first}` is not a time"))
            }
            Self::Count => {
                let is_count = first.parse::<i32>().is_ok_and(|count| count >= 0);
                (!is_count).then(|| format!("`{first}` is not a number"))
            }
            Self::Port => {
                let is_port = first.parse::<u16>().is_ok_and(|port| port > 0);
                (!is_port).then(|| format!("`{first}` is not a port"))
            }
            Self::Jumps => proxy::jumps(first).err(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_in_lower_case() {
        assert!(KEYS.is_sorted_by_key(|(name, ..)| *name));
        for (name, ..) in KEYS {
            assert_eq!(*name, name.to_ascii_lowercase());
        }
    }
}
