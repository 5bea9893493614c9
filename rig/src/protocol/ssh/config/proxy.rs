//! ProxyJump and ProxyCommand: what a connection goes through.

/// What a connection goes through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in super::super) enum Proxy {
    /// Nothing.
    #[default]
    None,
    /// Other hosts, the first of them first.
    Jump(Vec<JumpSpec>),
    /// A program that speaks with the host on its standard streams; tokens are expanded. It is
    /// meant for the user's shell.
    Command(String),
}

/// One host of a ProxyJump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct JumpSpec {
    pub(in super::super) user: Option<String>,
    /// A name of ssh_config, or an address.
    pub(in super::super) host: String,
    pub(in super::super) port: Option<u16>,
}

/// Parses the hosts of a ProxyJump; `none` is an empty list.
pub(super) fn jumps(text: &str) -> Result<Vec<JumpSpec>, String> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(Vec::new());
    }
    text.split(',')
        .map(|part| jump(part).ok_or_else(|| format!("`{part}` is not a host to jump through")))
        .collect()
}

/// Parses `[user@]host[:port]`, also with `ssh://` before it.
fn jump(text: &str) -> Option<JumpSpec> {
    let text = match text.strip_prefix("ssh://") {
        Some(rest) => rest.strip_suffix('/').unwrap_or(rest),
        None => text,
    };
    let (user, place) = match text.rsplit_once('@') {
        Some(("", _)) => return None,
        Some((user, place)) => (Some(user.to_owned()), place),
        None => (None, text),
    };
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']')?;
            match after {
                "" => (host, None),
                after => (host, Some(after.strip_prefix(':')?)),
            }
        }
        None => match place.split_once(':') {
            // An IPv6 address without brackets has no port.
            Some((_, rest)) if rest.contains(':') => (place, None),
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    let port = match port.filter(|port| !port.is_empty()) {
        Some(port) => Some(port.parse().ok().filter(|port| *port > 0)?),
        None => None,
    };
    let is_bad = host.is_empty() || host.starts_with('-') || host.contains(char::is_whitespace);
    (!is_bad).then(|| JumpSpec {
        user,
        host: host.to_owned(),
        port,
    })
}

/// Characters with which a text becomes more than a word to a shell.
const SHELL: &str = "'`\";&<>|(){}";

/// Returns whether a host name may go into a command.
pub(super) fn is_host_safe(name: &str) -> bool {
    is_word(name) && !name.contains(['$', '\\'])
}

/// Returns whether a user may go into a command: there are names with `\` and `$` in them.
pub(super) fn is_user_safe(name: &str) -> bool {
    is_word(name) && !name.ends_with('\\')
}

fn is_word(name: &str) -> bool {
    let is_bad = |character: char| {
        character.is_whitespace() || character.is_control() || SHELL.contains(character)
    };
    !name.starts_with('-') && !name.contains(is_bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumps_have_users_ports_and_addresses() {
        for (text, expected) in [
            ("b", vec![(None, "b", None)]),
            (
                "u@a:23,b",
                vec![(Some("u"), "a", Some(23)), (None, "b", None)],
            ),
            ("u@v@[::1]:44", vec![(Some("u@v"), "::1", Some(44))]),
            ("ssh://u@a:23", vec![(Some("u"), "a", Some(23))]),
            ("ssh://a/", vec![(None, "a", None)]),
            ("fe80::1", vec![(None, "fe80::1", None)]),
            ("NONE", vec![]),
        ] {
            let found: Vec<_> = jumps(text).unwrap();
            let found: Vec<_> = found
                .iter()
                .map(|jump| (jump.user.as_deref(), jump.host.as_str(), jump.port))
                .collect();
            assert_eq!(found, expected, "{text}");
        }
        for text in ["", "a,,b", "@a", "a:0", "a:ssh", "[::1", "-oProxyCommand=x"] {
            assert!(jumps(text).is_err(), "{text}");
        }
    }
}
