//! What happens on the way to a host, for whoever wants to show it.

use std::time::Duration;

/// Which output of a command a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Something that happened. Texts are redacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// A command was sent.
    CommandStarted {
        /// Number of the command on this host, from 1.
        id: u64,
        /// The command or its title.
        command: String,
        /// Whether it was declared to only read.
        reads_only: bool,
    },
    /// A command printed a line.
    OutputLine {
        /// Number of the command.
        id: u64,
        /// Where it printed it.
        output: Output,
        /// The line, without control characters.
        line: String,
    },
    /// A command ended.
    CommandFinished {
        /// Number of the command.
        id: u64,
        /// How (`exit status 0`, `the connection was lost: …`).
        status: String,
        /// How long it took.
        duration: Duration,
    },
    /// Something is tried again.
    Retrying {
        /// What.
        what: &'static str,
        /// The try that failed, from 1.
        attempt: u32,
        /// The pause before the next.
        delay: Duration,
        /// Why it failed.
        error: String,
    },
    /// The host was connected to.
    Connected {
        /// How long that took.
        duration: Duration,
    },
}

/// Takes observations of one host.
pub trait Observer: Send + Sync {
    /// Takes one observation; must not block.
    fn observe(&self, observation: Observation);
}

/// Takes no notice.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn observe(&self, _: Observation) {}
}

/// Returns a line fit for a screen: no escape sequences, no control characters but tabs.
pub fn printable(line: &str) -> String {
    // Nearly every line: nothing to take off.
    if line.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return line.to_owned();
    }
    let mut clean = String::with_capacity(line.len());
    let mut chars = line.chars().peekable();
    while let Some(character) = chars.next() {
        match character {
            '\u{1b}' if chars.peek() == Some(&'[') => {
                // A control sequence ends with its first byte in `@` to `~` after the bracket.
                chars.next();
                for character in chars.by_ref() {
                    if ('@'..='~').contains(&character) {
                        break;
                    }
                }
            }
            '\t' => clean.push('\t'),
            character if character.is_control() => {}
            character => clean.push(character),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn takes_escapes_off() {
        assert_eq!(
            printable("\u{1b}[31;1mred\u{1b}[0m\r\u{7}\tend"),
            "red\tend"
        );
    }
}
