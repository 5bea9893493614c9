//! Regular expressions of POSIX, as those of the `regex` crate.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use regex::bytes::{Regex, RegexBuilder};

/// How many compiled expressions a thread keeps.
const KEPT: usize = 256;

thread_local! {
    /// Compiled expressions, by what they were made of. Thousands of hosts run the same scripts, and
    /// an expression takes longer to compile, and more memory, than the files that it is used on.
    /// They are shared: each clone would have working memory of its own.
    static COMPILED: RefCell<BTreeMap<(String, bool), Arc<Regex>>> = const { RefCell::new(BTreeMap::new()) };
}

/// How an expression is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// Basic, as `grep` and `sed` read it.
    Basic,
    /// Extended, as `grep -E`, `sed -E` and `awk` read it.
    Extended,
    /// That of Perl, as `grep -P` reads it.
    Perl,
    /// No expression at all.
    Fixed,
}

/// Why an expression cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// It is not simulated.
    NotSimulated(&'static str),
    /// It is wrong.
    Invalid,
}

/// Compiles an expression.
///
/// # Errors
///
/// Fails where it is wrong or not simulated.
pub(crate) fn compile(text: &str, syntax: Syntax, ignores_case: bool) -> Result<Arc<Regex>, Wrong> {
    let translated = match syntax {
        Syntax::Fixed => regex::escape(text),
        Syntax::Perl => perl(text)?,
        syntax => translate(text, syntax == Syntax::Extended)?,
    };
    build(&translated, ignores_case)
}

/// Compiles what is translated.
///
/// # Errors
///
/// Fails where it is wrong.
pub(crate) fn build(translated: &str, ignores_case: bool) -> Result<Arc<Regex>, Wrong> {
    let key = (translated.to_owned(), ignores_case);
    if let Some(regex) = COMPILED.with_borrow(|kept| kept.get(&key).cloned()) {
        return Ok(regex);
    }
    let built = RegexBuilder::new(translated)
        .case_insensitive(ignores_case)
        .unicode(true)
        .build();
    let regex = Arc::new(built.ok().ok_or(Wrong::Invalid)?);
    COMPILED.with_borrow_mut(|kept| {
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(key, Arc::clone(&regex));
    });
    Ok(regex)
}

/// Takes an expression of Perl as it is: what the `regex` crate knows of them means the same there.
///
/// # Errors
///
/// Fails where it is not simulated, as looking around and back is not.
pub(crate) fn perl(text: &str) -> Result<String, Wrong> {
    match Regex::new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(Wrong::NotSimulated("this expression of Perl")),
    }
}

/// Translates an expression.
///
/// # Errors
///
/// Fails where it is wrong or not simulated.
pub(crate) fn translate(text: &str, is_extended: bool) -> Result<String, Wrong> {
    let all: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len() + 8);
    let mut at = 0;
    // Whether a repetition has nothing to repeat, and whether `^` is an anchor.
    let mut is_start = true;
    while let Some(one) = all.get(at).copied() {
        at += 1;
        let was_start = std::mem::replace(&mut is_start, false);
        match one {
            '\\' => {
                let next = *all.get(at).ok_or(Wrong::Invalid)?;
                at += 1;
                is_start = escaped(next, is_extended, &mut out)?;
            }
            '[' => at = bracket(&all, at, &mut out)?,
            '*' if was_start => out.push_str("\\*"),
            '^' if is_extended || was_start => {
                out.push('^');
                is_start = true;
            }
            '$' if is_extended || ends(&all, at) => out.push('$'),
            '(' | '|' if is_extended => {
                out.push(one);
                is_start = true;
            }
            '{' if is_extended && !all.get(at).is_some_and(char::is_ascii_digit) => {
                out.push_str("\\{")
            }
            ')' | '{' | '}' | '+' | '?' if is_extended => out.push(one),
            '*' | '.' => out.push(one),
            one => push_plain(one, &mut out),
        }
    }
    Ok(out)
}

fn ends(all: &[char], at: usize) -> bool {
    at == all.len() || (all[at] == '\\' && matches!(all.get(at + 1), Some(')' | '|')))
}

fn push_plain(one: char, out: &mut String) {
    let mut buffer = [0; 4];
    out.push_str(&regex::escape(one.encode_utf8(&mut buffer)));
}

/// Translates what follows a backslash; returns whether a repetition has nothing to repeat then.
fn escaped(next: char, is_extended: bool, out: &mut String) -> Result<bool, Wrong> {
    match next {
        '(' | '|' if !is_extended => {
            out.push(next);
            return Ok(true);
        }
        ')' | '{' | '}' | '+' | '?' if !is_extended => out.push(next),
        '1'..='9' => return Err(Wrong::NotSimulated("back-references in expressions")),
        'w' => out.push_str("[0-9A-Za-z_]"),
        'W' => out.push_str("[^0-9A-Za-z_]"),
        's' | 'S' | 'b' | 'B' => {
            out.push('\\');
            out.push(next);
        }
        '<' => out.push_str("\\b{start}"),
        '>' => out.push_str("\\b{end}"),
        'n' => out.push_str("\\n"),
        't' => out.push_str("\\t"),
        next => push_plain(next, out),
    }
    Ok(false)
}

/// Translates what follows `[`; returns the place behind `]`.
fn bracket(all: &[char], start: usize, out: &mut String) -> Result<usize, Wrong> {
    let mut at = start;
    out.push('[');
    if all.get(at) == Some(&'^') {
        out.push('^');
        at += 1;
    }
    let first = at;
    loop {
        let one = *all.get(at).ok_or(Wrong::Invalid)?;
        if one == ']' && at > first {
            out.push(']');
            return Ok(at + 1);
        }
        if one == '[' && matches!(all.get(at + 1), Some(':' | '.' | '=')) {
            if all.get(at + 1) != Some(&':') {
                return Err(Wrong::NotSimulated("collating elements"));
            }
            let rest = &all[at..];
            let end = rest
                .windows(2)
                .position(|pair| pair == [':', ']'])
                .ok_or(Wrong::Invalid)?;
            let class: String = rest[..end + 2].iter().collect();
            out.push_str(&class);
            at += end + 2;
            continue;
        }
        match one {
            '\\' | '[' | ']' | '&' | '~' | '^' => {
                out.push('\\');
                out.push(one);
            }
            '-' if at == first || all.get(at + 1) == Some(&']') => out.push_str("\\-"),
            one => out.push(one),
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_become_what_they_mean() {
        for (basic, extended, text, fits) in [
            ("a\\+b", "a+b", "aab", true),
            ("a+b", "a\\+b", "aab", false),
            ("^\\(ab\\)*$", "^(ab)*$", "abab", true),
            ("[[:digit:]]\\{2\\}", "[[:digit:]]{2}", "x12", true),
            ("*a", "\\*a", "*a", true),
            ("a\\|b", "a|b", "b", true),
            ("[]a]", "[]a]", "]", true),
            ("[a\\]", "[a\\]", "\\", true),
            ("x$y", "x\\$y", "x$y", true),
            ("a\\.b", "a\\.b", "axb", false),
        ] {
            for (pattern, syntax) in [(basic, Syntax::Basic), (extended, Syntax::Extended)] {
                let regex = compile(pattern, syntax, false).unwrap();
                assert_eq!(regex.is_match(text.as_bytes()), fits, "{pattern} {text}");
            }
        }
    }
}
