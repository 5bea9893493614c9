//! Which texts of a document are secrets: by the name of their key, by their flag, by their looks.
//!
//! The rule: rather hide too much than too little.

use crate::node::{Entry, Kind, Node};
use crate::source::{Span, Text};

/// What stands in the place of a secret.
pub(crate) const REDACTED: &str = "[REDACTED]";

/// Words that make a name that of a secret.
const WORDS: &[&str] = &[
    "passw",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "license",
    "credential",
    "apikey",
    "api-key",
    "api_key",
    "access-key",
    "access_key",
    "privatekey",
    "private-key",
    "private_key",
    "keydata",
    "certdata",
    "configdata",
];

/// Pieces of words that may belong to a misspelt name of a secret.
const PIECES: &[&str] = &[
    "pass", "pasw", "pwd", "pw", "secret", "token", "licen", "cred", "key", "auth", "data", "cert",
];

/// Whether a key or flag of this name holds a secret.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let low = name.to_lowercase();
    if low.ends_with("path") || low.ends_with("file") {
        return false;
    }
    let is_word = WORDS.iter().any(|word| low.contains(word));
    is_word || matches!(low.as_str(), "key" | "pw" | "pass") || low.ends_with("-key")
}

/// Whether a variable of the environment of a host holds a secret.
pub(crate) fn is_secret_variable(name: &str) -> bool {
    let low = name.to_lowercase();
    is_secret_name(name)
        || ["pass", "key", "auth", "cred"]
            .iter()
            .any(|word| low.contains(word))
        || low.ends_with("pw")
}

/// Whether a text looks as if a secret stood in it.
pub(crate) fn is_secret_text(text: &str) -> bool {
    let low = text.to_lowercase();
    low.contains("-----begin") || has_user_info(&low) || names_secret(&low)
}

/// Whether an address has a password before its `@`.
fn has_user_info(text: &str) -> bool {
    text.split("://").skip(1).any(|rest| {
        let end = rest.find(['/', ' ', '?', '#', '"']).unwrap_or(rest.len());
        rest.get(..end)
            .is_some_and(|authority| authority.contains('@'))
    }) || text.split(" -u ").skip(1).any(|rest| {
        let word = rest.split_whitespace().next().unwrap_or_default();
        word.contains(':')
    })
}

/// Whether the name of a secret stands before a value (`--password=x`, `TOKEN: x`, `pwd x`).
fn names_secret(low: &str) -> bool {
    let words = [
        "passwd",
        "password",
        "passphrase",
        "pwd",
        "pw",
        "secret",
        "token",
        "license",
        "key",
    ];
    words.iter().any(|word| {
        let has_flag = || low.contains(&format!("-{word} "));
        low.match_indices(word).any(|(at, _)| {
            let rest = low.get(at + word.len()..).unwrap_or_default();
            let rest = rest.trim_start_matches(['"', '\'']);
            let value = rest.trim_start_matches(|c: char| c.is_whitespace());
            let is_set = rest.starts_with(['=', ':']);
            let is_flag = || !value.is_empty() && value.len() < rest.len() && has_flag();
            (is_set && rest.len() > 1) || is_flag()
        })
    })
}

/// Whether a flag is that of a secret (`--admin-password=x`).
fn is_secret_flag(text: &str) -> bool {
    let text = text.trim_start_matches(['"', '\'']);
    let end = text.find(|c: char| c == '=' || c.is_whitespace());
    let name = text.get(..end.unwrap_or(text.len())).unwrap_or(text);
    name.starts_with('-') && is_secret_name(name)
}

/// Whether a flag gives a secret as it is: without a variable, and without a command of the shell.
pub(crate) fn is_plain_flag(text: &str) -> bool {
    let value = text.split_once(['=', ' ', '\t']).map(|(_, value)| value);
    let is_plain = |value: &str| !value.trim().is_empty() && !value.contains(['$', '`']);
    is_secret_flag(text) && value.is_some_and(is_plain)
}

/// Returns where the secrets of a document stand.
pub(crate) fn spans(root: &Node) -> Vec<Span> {
    let mut found = Vec::new();
    collect(root, "", &mut found);
    found
}

fn collect(node: &Node, parent: &str, found: &mut Vec<Span>) {
    match &node.kind {
        Kind::Scalar(scalar) => {
            let written = scalar.written.as_ref().unwrap_or(&scalar.text);
            if is_secret_flag(written) || is_secret_text(written) {
                hide(node, found);
            }
        }
        Kind::List(items) => {
            let mut is_value = false;
            for item in items {
                let text = item.scalar().map_or("", |scalar| scalar.text.trim());
                if is_value && !text.starts_with('-') {
                    hide(item, found);
                }
                is_value = is_secret_flag(text) && !text.contains(['=', ' ', '\t']);
                collect(item, parent, found);
            }
        }
        Kind::Map(entries) => {
            for Entry { key, value, .. } in entries {
                let is_variable =
                    parent == "environment" && (is_secret_variable(key) || has_default(value));
                if is_variable || is_secret_name(key) {
                    hide(value, found);
                } else {
                    collect(value, key, found);
                }
            }
        }
    }
}

/// Whether a value has a default of its own for a variable (`${X:-default}`).
fn has_default(value: &Node) -> bool {
    let written = value.scalar().and_then(|scalar| scalar.written.as_ref());
    written.is_some_and(|text| text.contains("${") && text.contains(['-', '=', '+']))
}

/// Hides a value with all that is in it, wherever that was written.
pub(crate) fn hide(node: &Node, found: &mut Vec<Span>) {
    found.push(node.span);
    found.extend(node.origin);
    match &node.kind {
        Kind::Scalar(_) => {}
        Kind::List(items) => items.iter().for_each(|item| hide(item, found)),
        Kind::Map(entries) => {
            for entry in entries {
                found.push(entry.key_span);
                hide(&entry.value, found);
            }
        }
    }
}

/// Returns the part of a line that has to be hidden where the text could not be parsed: names of
/// secrets, and what may go on from the lines before.
pub(crate) fn unparsed(text: &Text, line: usize) -> Option<Span> {
    let (content, start) = text.line(line);
    let end = start + content.len();
    let whole = Some(Span { start, end });
    if let Some(after) = after_secret(content) {
        let start = start + after;
        return Some(Span { start, end });
    }
    let trimmed = content.trim();
    let is_blob = trimmed.len() >= 40 && !trimmed.contains(' ');
    if is_blob || goes_on_from_secret(text, line) {
        return whole;
    }
    None
}

/// Returns where the value begins that follows the name of a secret.
fn after_secret(line: &str) -> Option<usize> {
    let low = line.to_ascii_lowercase();
    let first = PIECES.iter().filter_map(|piece| low.find(piece)).min()?;
    let rest = low.get(first..).unwrap_or_default();
    let separator = rest.find(|c: char| matches!(c, ':' | '=') || c.is_whitespace());
    Some(first + separator.map_or(0, |at| at + 1))
}

/// Whether a value that began behind the name of a secret may reach a line.
fn goes_on_from_secret(text: &Text, line: usize) -> bool {
    let found = (0..line).rev().find_map(|index| {
        let (content, start) = text.line(index);
        after_secret(content).map(|after| (index, content, start + after))
    });
    let Some((index, content, value)) = found else {
        return false;
    };
    let (_, start) = text.line(line);
    let between = text.text.get(value..start).unwrap_or_default();
    let is_odd = |quote: char| between.matches(quote).count() % 2 == 1;
    if is_odd('"') || is_odd('\'') || between.trim().is_empty() {
        return true;
    }
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '-']).len();
    let limit = indent(content);
    (index + 1..=line).all(|index| {
        let content = text.line(index).0;
        content.trim().is_empty() || indent(content) > limit
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_secrets() {
        for name in [
            "adminPassword",
            "password",
            "license",
            "keyData",
            "--ucp-password",
            "--dtr-key",
            "caCertData",
            "apiToken",
            "key",
            "client_secret",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "keyPath",
            "licenseFilePath",
            "configFile",
            "hostKey",
            "name",
            "--san",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
        assert!(is_secret_variable("AWS_ACCESS_KEY_ID"));
        assert!(!is_secret_variable("NO_PROXY"));
    }

    #[test]
    fn texts_tell_secrets() {
        for text in [
            "http://user:pw@proxy:3128",
            "docker login --password hunter2",
            "PASSWORD=x ./run",
            "curl -u admin:x https://a",
            "-----BEGIN PRIVATE KEY-----",
            "${PW:-hunter2}",
            "echo \"token\": \"x\"",
        ] {
            assert!(is_secret_text(text), "{text}");
        }
        for text in [
            "http://proxy:3128",
            "docker login --password-stdin",
            "uptime",
            "a@b",
        ] {
            assert!(!is_secret_text(text), "{text}");
        }
    }

    fn hidden(text: &str, line: usize) -> Option<String> {
        let text = Text::new("x".to_owned(), text.to_owned());
        unparsed(&text, line).map(|span| text.slice(span).to_owned())
    }

    #[test]
    fn lines_that_were_not_parsed_show_no_secret() {
        assert_eq!(hidden("a: b: c\n", 0), None);
        assert_eq!(hidden("adminPasword: h: x", 0).as_deref(), Some(" h: x"));
        assert_eq!(hidden("password: \"a\nb: c\n", 1).as_deref(), Some("b: c"));
        assert_eq!(hidden("key: |\n  b: c\n", 1).as_deref(), Some("  b: c"));
        assert_eq!(hidden("{password:\nx: y}\n", 1).as_deref(), Some("x: y}"));
        assert_eq!(hidden("password: x\nrole: [\n", 1), None);
    }
}
