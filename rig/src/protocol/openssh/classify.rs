//! What `ssh` says, as errors that can be told apart: pure.
//!
//! `ssh` writes its own words to a log of ours, and the one line that matters stands among many.
//! What a jump host's `ssh` says comes on standard error, where a server may greet, too: that is
//! looked at only where the words of the log say that the way there broke.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::arguments::Settings;
use crate::connection::ConnectError;
use crate::passage::Passage;

/// What a failed `ssh` has left behind.
#[derive(Debug, Clone, Default)]
pub(super) struct Words {
    /// Its log, with the level DEBUG1.
    pub(super) log: String,
    /// What it and its helpers wrote to standard error.
    pub(super) stderr: String,
}

/// Returns the lines that are meant for people.
fn spoken(text: &str) -> Vec<&str> {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with("debug"))
        .collect()
}

/// Returns the rest of the last line that has a text in it.
fn after<'a>(text: &'a str, mark: &str) -> Option<&'a str> {
    let found = text.lines().rev().find_map(|line| line.split_once(mark));
    found.map(|(_, rest)| rest.trim())
}

/// What tells in a log how a master came to be.
const PASSAGE: [&str; 4] = [
    "Authenticated to ",
    "Server accepts key: ",
    "debug1: Server host key: ",
    "debug1: Found key in ",
];

/// Returns the lines of a log that tell how a master came to be.
pub(super) fn words_of_passage(log: &str) -> String {
    let lines = log
        .lines()
        .filter(|line| PASSAGE.iter().any(|mark| line.contains(mark)));
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns how a master came to be, from its log.
pub(super) fn passage(log: &str, settings: &Settings) -> Passage {
    // The words of `ssh` itself come last: those of a jump host stand in a log of its own.
    let method = after(log, "Authenticated to ").and_then(|rest| {
        let (_, method) = rest.split_once(" using \"")?;
        method.split_once('"').map(|(method, _)| method.to_owned())
    });
    let key = after(log, "Server accepts key: ").map(str::to_owned);
    Passage {
        target: Some(settings.target()),
        user: Some(settings.user.clone()),
        through: settings.first_jump.iter().cloned().collect(),
        credential: match method.as_deref() {
            Some("publickey") => key.or(method),
            _ => method,
        },
        host_key: after(log, "debug1: Server host key: ").map(str::to_owned),
        known_by: after(log, "debug1: Found key in ").map(str::to_owned),
    }
}

/// Returns why a master did not come to be.
pub(super) fn failure(words: &Words, settings: &Settings) -> ConnectError {
    let has_logged_in = words.log.contains("Authenticated to ");
    let target = settings.target();
    if let Some(error) = option_error(&words.log).or_else(|| option_error(&words.stderr)) {
        return error;
    }
    if has_logged_in {
        return ConnectError::Protocol {
            target,
            reason: format!("it ended after the login: {}", last_words(words)),
        };
    }
    let error = own_failure(words, settings);
    let broke_on_the_way = matches!(
        error,
        ConnectError::ResetBeforeAuth { .. } | ConnectError::Protocol { .. }
    );
    if !(settings.has_proxy && broke_on_the_way) || spoken(&words.stderr).is_empty() {
        return error;
    }
    jump_failure(words, settings)
}

/// Returns what the `ssh` of the jump host, or a proxy command, has said.
fn jump_failure(words: &Words, settings: &Settings) -> ConnectError {
    let text = &words.stderr;
    let jump = settings.first_jump.clone();
    let name = jump.unwrap_or_else(|| "the proxy command".to_owned());
    let (user, host) = match name.rsplit_once('@') {
        Some((user, host)) => (user.to_owned(), host.to_owned()),
        None => (String::new(), name),
    };
    if let Some(reason) = after(text, "open failed: connect failed: ") {
        return ConnectError::BeyondBastion {
            bastion: host,
            target: settings.target(),
            reason: reason.to_owned(),
        };
    }
    if text.contains("open failed: administratively prohibited") {
        return ConnectError::ForwardingRefused {
            bastion: host,
            target: settings.target(),
            reason: "it is not allowed".to_owned(),
        };
    }
    let (host_name, port) = match host.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.starts_with('[') => {
            (host.to_owned(), port.parse().unwrap_or(22))
        }
        _ => (host, 22),
    };
    let user = settings_user(text).unwrap_or(user);
    let of_jump = Settings::of(host_name.trim_matches(['[', ']']), port, &user);
    let its_words = Words {
        log: text.clone(),
        stderr: String::new(),
    };
    ConnectError::Bastion {
        source: Arc::new(own_failure(&its_words, &of_jump)),
        bastion: host_name,
    }
}

/// Returns the user of `user@host: Permission denied (…).`.
fn settings_user(text: &str) -> Option<String> {
    let line = text
        .lines()
        .find(|line| line.contains(": Permission denied"))?;
    let (user, _) = line.trim().split_once('@')?;
    Some(user.to_owned())
}

fn own_failure(words: &Words, settings: &Settings) -> ConnectError {
    let text = spoken(&words.log).join("\n");
    host_key(&text, words, settings)
        .or_else(|| key_file(&text))
        .or_else(|| unsigned_key(&text, &words.log))
        .or_else(|| login(&text, words, settings))
        .or_else(|| network(&text, settings))
        .unwrap_or_else(|| ConnectError::Protocol {
            target: settings.target(),
            reason: last_words(words),
        })
}

fn host_key(text: &str, words: &Words, settings: &Settings) -> Option<ConnectError> {
    let target = settings.known_as();
    let shown = match after(&words.log, "debug1: Server host key: ") {
        Some(key) => format!("it shows {key}"),
        None => "it shows another one".to_owned(),
    };
    let place = after(text, "Offending ").map(|known| format!("; known is the {known}"));
    let reason = shown + &place.unwrap_or_default();
    if text.contains("REVOKED HOST KEY") || text.contains("is marked as revoked") {
        return Some(ConnectError::HostKeyRevoked { target, reason });
    }
    if text.contains("REMOTE HOST IDENTIFICATION HAS CHANGED") {
        return Some(ConnectError::HostKeyChanged { target, reason });
    }
    let is_unknown = text.contains("Host key verification failed")
        || text.contains("you have requested strict checking");
    is_unknown.then_some(ConnectError::HostKeyUnknown { target, reason })
}

/// Something is wrong with a key file, and that is why the login failed.
fn key_file(text: &str) -> Option<ConnectError> {
    if !text.contains("Permission denied (") {
        return None;
    }
    if text.contains("UNPROTECTED PRIVATE KEY FILE") {
        let path = after(text, "Permissions ").and_then(quoted)?;
        return Some(ConnectError::KeyFile {
            hint: format!("keep it from others: `chmod 600 '{path}'`"),
            path: PathBuf::from(path),
            reason: "others may read it, so `ssh` does not use it".to_owned(),
        });
    }
    let rest = after(text, "Load key ")?;
    let path = quoted(rest)?;
    let (_, reason) = rest.rsplit_once(": ")?;
    // Without a passphrase it cannot be opened, and nobody is asked in the middle of a run.
    let hint = if reason.contains("passphrase") {
        format!("add it to your agent: `ssh-add '{path}'`")
    } else {
        "name another file in `keyPath` of this host".to_owned()
    };
    Some(ConnectError::KeyFile {
        path: PathBuf::from(path),
        reason: reason.to_owned(),
        hint,
    })
}

/// The server would take a key, and nobody could sign with it.
fn unsigned_key(text: &str, log: &str) -> Option<ConnectError> {
    if !text.contains("Permission denied (") {
        return None;
    }
    let (key, _) = after(log, "Server accepts key: ")?.split_once(" SHA256:")?;
    let (path, _kind) = key.rsplit_once(' ')?;
    let (reason, hint) = if text.contains("agent refused operation") {
        let reason = "the host accepts it, and the agent refuses to sign with it";
        (
            reason,
            "unlock it in your agent, or confirm there".to_owned(),
        )
    } else {
        let reason = "the host accepts it, and nobody could be asked for its passphrase";
        (reason, format!("add it to your agent: `ssh-add '{path}'`"))
    };
    Some(ConnectError::KeyFile {
        path: PathBuf::from(path),
        reason: reason.to_owned(),
        hint,
    })
}

/// Returns the first quoted word.
fn quoted(text: &str) -> Option<&str> {
    let start = text.find(['\'', '"'])?;
    let (mark, rest) = (text.get(start..=start)?, text.get(start + 1..)?);
    rest.split_once(mark).map(|(word, _)| word)
}

fn login(text: &str, words: &Words, settings: &Settings) -> Option<ConnectError> {
    let accepted = if text.contains("Too many authentication failures") {
        "no more tries: too many keys were offered (`IdentitiesOnly yes` offers fewer)".to_owned()
    } else if let Some(methods) = after(text, "Permission denied (") {
        methods.trim_end_matches(['.', ')']).replace(',', ", ")
    } else if text.contains("No supported authentication methods available") {
        after(&words.log, "Authentications that can continue: ")
            .unwrap_or("other methods")
            .to_owned()
    } else {
        return None;
    };
    let mut tried: Vec<&str> = Vec::new();
    for line in words.log.lines() {
        let key = line.split_once("Offering public key: ").map(|(_, key)| key);
        if let Some(key) = key.filter(|key| !tried.contains(key)) {
            tried.push(key.trim());
        }
    }
    let (user, target) = (settings.user.clone(), settings.target());
    let tried = match tried.as_slice() {
        [] => "no key".to_owned(),
        [first @ .., last] if first.len() >= 8 => {
            format!("{}, … and {last}", first[..8].join(", "))
        }
        all => all.join(", "),
    };
    // Where no variable names an agent, there is not this line.
    if let Some(reason) = after(&words.log, "get_authentication_socket: ") {
        let agent = format!("the agent cannot be reached ({reason})");
        return Some(ConnectError::Agent {
            agent,
            user,
            target,
            tried,
        });
    }
    Some(ConnectError::Auth {
        user,
        target,
        tried,
        accepted,
    })
}

fn network(text: &str, settings: &Settings) -> Option<ConnectError> {
    let target = settings.target();
    let connecting = text
        .lines()
        .find(|line| line.contains("connect to host ") || line.contains("connect to address "));
    if let Some(rest) = after(text, "Could not resolve hostname ") {
        let (name, reason) = rest.split_once(": ").unwrap_or((rest, "no such name"));
        return Some(ConnectError::Dns {
            name: name.to_owned(),
            source: io::Error::other(reason.to_owned()),
        });
    }
    if let Some(line) = connecting {
        let reason = line.rsplit(": ").next().unwrap_or(line);
        return Some(if reason.contains("refused") {
            ConnectError::Refused { target }
        } else if reason.contains("timed out") {
            timed_out(target, "the TCP connection", settings.connect_limit())
        } else {
            ConnectError::Unreachable {
                target,
                source: io::Error::other(reason.to_owned()),
            }
        });
    }
    if text.contains("timed out during banner exchange") {
        let limit = settings.connect_limit();
        return Some(ConnectError::NoBanner { target, limit });
    }
    if let Some(error) = no_common_algorithm(text, &target) {
        return Some(error);
    }
    let is_cut = |line: &&str| {
        [
            "Connection closed by",
            "Connection reset by",
            "exchange_identification",
            "banner exchange",
        ]
        .iter()
        .any(|mark| line.contains(mark))
    };
    let reason = text.lines().find(is_cut)?.to_owned();
    Some(ConnectError::ResetBeforeAuth { target, reason })
}

/// Reads `no matching host key type found. Their offer: ssh-rsa`.
fn no_common_algorithm(text: &str, target: &str) -> Option<ConnectError> {
    let line = after(text, "no matching ")?;
    let (kind, offer) = line.split_once(" found. Their offer: ")?;
    Some(ConnectError::NoCommonAlgorithm {
        target: target.to_owned(),
        what: match kind {
            "key exchange method" => "key exchange",
            "host key type" => "host key",
            "cipher" => "cipher",
            "MAC" => "MAC",
            _ => "compression",
        },
        ours: Vec::new(),
        theirs: offer.split(',').map(str::to_owned).collect(),
    })
}

/// Returns the error for something that took too long.
pub(super) fn timed_out(target: String, stage: &'static str, limit: Duration) -> ConnectError {
    ConnectError::TimedOut {
        target,
        stage,
        limit,
    }
}

/// Returns what is wrong with options or ssh_config, where that is what `ssh` complains about.
pub(super) fn option_error(text: &str) -> Option<ConnectError> {
    for line in spoken(text) {
        if let Some(rest) = line.split_once("Can't open user config file ") {
            let (path, reason) = rest.1.rsplit_once(": ").unwrap_or((rest.1, ""));
            return Some(ConnectError::File {
                path: PathBuf::from(path),
                source: io::Error::other(reason.to_owned()),
            });
        }
        if let Some((_, path)) = line.split_once("Bad owner or permissions on ") {
            return Some(ConnectError::File {
                path: PathBuf::from(path),
                source: io::Error::other("others may write to it, or it is somebody else's"),
            });
        }
        let Some((path, rest)) = line.split_once(" line ") else {
            continue;
        };
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let Ok(number) = rest[..digits].parse::<usize>() else {
            continue;
        };
        let path = path.trim_end_matches(':');
        let reason = rest[digits..].trim_start_matches([':', ' ']).to_owned();
        let is_complaint = !path.contains(' ') || path.starts_with('/');
        if !is_complaint || reason.is_empty() || is_only_a_remark(&reason) {
            continue;
        }
        return Some(if path == "command-line" {
            ConnectError::OpenSshOptions { reason }
        } else {
            ConnectError::SshConfig {
                path: PathBuf::from(path),
                line: number,
                reason,
            }
        });
    }
    None
}

/// What is said of a line that does no harm.
fn is_only_a_remark(reason: &str) -> bool {
    // With a small letter it is a value that is not taken: an error.
    ["Deprecated option", "Unsupported option", "Ignored"]
        .iter()
        .any(|mark| reason.starts_with(mark))
}

/// Returns the last thing that `ssh` has said.
pub(super) fn last_words(words: &Words) -> String {
    let own = spoken(&words.log);
    let all = spoken(&words.stderr);
    let is_talk = |line: &&&str| {
        ![
            "Transferred: ",
            "Bytes per second: ",
            "Authenticated to ",
            "Warning: Permanently ",
        ]
        .iter()
        .any(|mark| line.starts_with(mark))
    };
    let last = own.iter().rev().find(is_talk).or_else(|| all.last());
    last.map_or_else(
        || "`ssh` ended without a word".to_owned(),
        |line| (*line).to_owned(),
    )
}

/// Returns why a stream to an address was refused, from what the master has said since it was
/// asked for.
pub(super) fn dial_reason(log: &str) -> Option<String> {
    let reasons: Vec<&str> = log
        .lines()
        .filter_map(|line| line.split_once(": open failed: "))
        .map(|(_, reason)| reason.trim())
        .collect();
    match reasons.as_slice() {
        // Of several it is not known which is meant.
        [first, rest @ ..] if rest.iter().all(|reason| reason == first) => {
            Some((*first).to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
