//! Options of programs, as `getopt_long` reads them.

use super::Invocation;
use super::coreutils::{Coreutils, usage};

/// A long option: its name, the letter that stands for it, and whether it takes a value.
pub(crate) type Long = (&'static str, char, Value);

/// Whether an option takes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    /// It takes none.
    None,
    /// It must have one.
    Needed,
    /// It may have one, behind `=`.
    Optional,
}

/// What a program was given.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// The options, in order.
    pub(crate) flags: Vec<(char, String)>,
    /// What is no option.
    pub(crate) operands: Vec<String>,
}

impl Options {
    /// Returns whether an option was given.
    pub(crate) fn has(&self, flag: char) -> bool {
        self.flags.iter().any(|(one, _)| *one == flag)
    }

    /// Returns the last value of an option.
    pub(crate) fn value(&self, flag: char) -> Option<&str> {
        let found = self.flags.iter().rev().find(|(one, _)| *one == flag);
        found.map(|(_, value)| value.as_str())
    }

    /// Returns all values of an option.
    pub(crate) fn values(&self, flag: char) -> impl Iterator<Item = &str> {
        let those = self.flags.iter().filter(move |(one, _)| *one == flag);
        those.map(|(_, value)| value.as_str())
    }
}

/// Reads the arguments of a program. `short` is written as for `getopt`: a letter that takes a value
/// is followed by a colon, and a `+` first means that options end at the first operand.
///
/// # Errors
///
/// Fails with the exit status where an option is not simulated, or has no value.
pub(crate) fn read(invocation: &mut Invocation, short: &str, long: &[Long]) -> Result<Options, u8> {
    let mut options = Options::default();
    let mut words = invocation.arguments.clone().into_iter();
    let stops = short.starts_with('+');
    while let Some(word) = words.next() {
        if word == "--" {
            options.operands.extend(words);
            return Ok(options);
        }
        if let Some(name) = word.strip_prefix("--") {
            let (name, value) = match name.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (name, None),
            };
            let Some((_, letter, takes)) = long.iter().find(|(one, _, _)| *one == name) else {
                return Err(unknown(invocation, &format!("--{name}")));
            };
            let value = match takes {
                Value::Needed => match value.or_else(|| words.next()) {
                    Some(value) => value,
                    None => {
                        let gnu = format!("option '--{name}' requires an argument");
                        return Err(valueless(invocation, &format!("--{name}"), &gnu));
                    }
                },
                Value::None | Value::Optional => value.unwrap_or_default(),
            };
            options.flags.push((*letter, value));
        } else if word.len() > 1 && word.starts_with('-') {
            read_letters(invocation, short, &word, &mut words, &mut options)?;
        } else if stops {
            options.operands.push(word);
            options.operands.extend(words);
            return Ok(options);
        } else {
            options.operands.push(word);
        }
    }
    Ok(options)
}

fn read_letters(
    invocation: &mut Invocation,
    short: &str,
    word: &str,
    words: &mut impl Iterator<Item = String>,
    options: &mut Options,
) -> Result<(), u8> {
    for (at, letter) in word[1..].char_indices() {
        let known = short
            .find(letter)
            .filter(|_| letter != ':' && letter != '+');
        let Some(place) = known else {
            return Err(unknown(invocation, &format!("-{letter}")));
        };
        let takes_value = short[place + letter.len_utf8()..].starts_with(':');
        if !takes_value {
            options.flags.push((letter, String::new()));
            continue;
        }
        let rest = &word[1 + at + letter.len_utf8()..];
        let value = if rest.is_empty() {
            words.next()
        } else {
            Some(rest.to_owned())
        };
        let Some(value) = value else {
            let gnu = format!("option requires an argument -- '{letter}'");
            return Err(valueless(invocation, &format!("-{letter}"), &gnu));
        };
        options.flags.push((letter, value));
        return Ok(());
    }
    Ok(())
}

/// Says that an option is not there, as far as that is known, or not simulated; returns the exit status.
fn unknown(invocation: &mut Invocation, word: &str) -> u8 {
    if invocation.coreutils == Coreutils::Uutils
        && let Some(status) = usage::unknown(invocation, word)
    {
        return status;
    }
    invocation.not_simulated(&format!("the option {word}"))
}

/// Says that an option lacks its value; returns the exit status.
fn valueless(invocation: &mut Invocation, word: &str, gnu: &str) -> u8 {
    if invocation.coreutils == Coreutils::Uutils
        && let Some(status) = usage::valueless(invocation, word)
    {
        return status;
    }
    invocation.error(gnu);
    1
}
