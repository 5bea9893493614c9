//! Lines of `authorized_keys`, as sshd(8) reads them: options, and a key.

use russh::keys::PublicKey;

/// A key that may log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The names of its options, in lower case, with their values.
    pub(super) options: Vec<(String, String)>,
    /// The key.
    pub(super) key: PublicKey,
}

impl Entry {
    /// Reads all lines that are keys; the others are skipped.
    pub(super) fn read_all(text: &str) -> Vec<Self> {
        text.lines().filter_map(Self::parse).collect()
    }

    fn parse(line: &str) -> Option<Self> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return None;
        }
        if let Ok(key) = PublicKey::from_openssh(line) {
            return Some(Self {
                options: Vec::new(),
                key,
            });
        }
        let (options, rest) = line.split_at(end_of_options(line)?);
        Some(Self {
            options: options_of(options),
            key: PublicKey::from_openssh(rest.trim()).ok()?,
        })
    }

    /// Returns whether it has an option.
    pub(super) fn has(&self, name: &str) -> bool {
        self.options.iter().any(|(known, _)| known == name)
    }
}

/// Returns where the first blank is that is not quoted.
fn end_of_options(line: &str) -> Option<usize> {
    let mut is_quoted = false;
    let mut before = ' ';
    for (at, one) in line.char_indices() {
        match one {
            '"' if before != '\\' => is_quoted = !is_quoted,
            ' ' | '\t' if !is_quoted => return Some(at),
            _ => {}
        }
        before = one;
    }
    None
}

fn options_of(text: &str) -> Vec<(String, String)> {
    let mut all = vec![String::new()];
    let mut is_quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(one) = characters.next() {
        let Some(last) = all.last_mut() else { break };
        match one {
            '\\' if is_quoted && characters.peek() == Some(&'"') => {
                last.extend(characters.next());
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => all.push(String::new()),
            one => last.push(one),
        }
    }
    let pairs = all.into_iter().map(|option| {
        let (name, value) = option.split_once('=').unwrap_or((&option, ""));
        (name.to_ascii_lowercase(), value.to_owned())
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::{KeyKind, key_of};

    #[test]
    fn options_are_split_at_commas_that_are_not_quoted() {
        let key = key_of(1, KeyKind::Ed25519, &[]).unwrap();
        let key = key.public_key().to_openssh().unwrap();
        let text = format!(
            "# no key\nnonsense\n{key} a comment, with words\n\
             no-pty,Command=\"echo \\\"a, b\\\" $X\",from=\"10.0.0.*\" {key} me\n"
        );

        let all = Entry::read_all(&text);

        assert_eq!(all.len(), 2);
        assert!(all[0].options.is_empty());
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            all[1].options,
            [
                pair("no-pty", ""),
                pair("command", "echo \"a, b\" $X"),
                pair("from", "10.0.0.*")
            ]
        );
        assert!(all[1].has("no-pty") && !all[1].has("pty"));
    }
}
