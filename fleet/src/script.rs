//! Scripts that mean the same and look different.
//!
//! A host must not recognise a script by its text. Tests run what the product sends once as it is
//! and once mutated: other names for variables, other quotes, other ends of lines, comments.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use crate::shell::parse::{Dialect, Lexeme, lexemes};

/// Rewrites a POSIX script so that it means the same. What cannot be read is left alone.
pub fn mutate(script: &str, seed: u64) -> String {
    let mut rng = SmallRng::seed_from_u64(seed);
    let renamed = rename(script, &mut rng);
    let Some(all) = lexemes(&renamed, Dialect::Posix) else {
        return renamed;
    };
    let mut out = String::with_capacity(renamed.len() * 2);
    let mut end = 0;
    // Words that must stay as they are follow these.
    let mut previous = "\n".to_owned();
    let has_here_documents = renamed.contains("<<");
    for lexeme in &all {
        out.push_str(&renamed[end..lexeme.start]);
        let text = &renamed[lexeme.start..lexeme.end];
        let next = all.iter().find(|one| one.start >= lexeme.end);
        let next = next.map_or("", |one| &renamed[one.start..one.end]);
        out.push_str(&rewritten(
            text,
            lexeme,
            &previous,
            next,
            has_here_documents,
            &mut rng,
        ));
        end = lexeme.end;
        previous = text.to_owned();
    }
    out.push_str(&renamed[end..]);
    out
}

fn rewritten(
    text: &str,
    lexeme: &Lexeme,
    previous: &str,
    next: &str,
    has_here_documents: bool,
    rng: &mut SmallRng,
) -> String {
    if text == "\n" && !has_here_documents {
        let ends_command = !matches!(
            previous,
            "\n" | ";"
                | "&"
                | ";;"
                | "&&"
                | "||"
                | "|"
                | "("
                | ")"
                | "{"
                | "then"
                | "do"
                | "else"
                | "in"
                | "!"
        );
        let may_join = ends_command && !next.is_empty() && !matches!(next, "\n" | ";;" | ")" | "{");
        return match rng.random_range(0..3) {
            0 if may_join => "; ".to_owned(),
            1 => format!(" # note {}\n", rng.random_range(0..100)),
            _ => "\n\n".to_owned(),
        };
    }
    if text == ";" && !has_here_documents && rng.random_bool(0.5) {
        return "\n".to_owned();
    }
    let is_argument = lexeme.is_word
        && !is_start(previous)
        && !matches!(previous, "for" | "case" | "<<" | "<<-")
        && next != "("
        && !matches!(text, "in" | "do" | "then" | "{" | "}" | "!" | "]");
    match is_argument {
        true => requoted(text, rng),
        false => text.to_owned(),
    }
}

/// Whether a command begins behind a token.
fn is_start(previous: &str) -> bool {
    matches!(
        previous,
        "\n" | ";"
            | "&"
            | ";;"
            | "&&"
            | "||"
            | "|"
            | "("
            | ")"
            | "{"
            | "then"
            | "do"
            | "else"
            | "elif"
            | "if"
            | "while"
            | "until"
            | "!"
            | "fi"
            | "done"
            | "esac"
            | "}"
    ) || previous.contains('=')
}

/// Quotes a word in another way, where it is plain text.
fn requoted(text: &str, rng: &mut SmallRng) -> String {
    let bare = text
        .strip_prefix('\'')
        .and_then(|text| text.strip_suffix('\''))
        .or_else(|| {
            text.strip_prefix('"')
                .and_then(|text| text.strip_suffix('"'))
        })
        .unwrap_or(text);
    let is_plain = |one: char| {
        one.is_ascii_alphanumeric() || matches!(one, '_' | '.' | '/' | '-' | ':' | ',' | '%' | '+')
    };
    if bare.is_empty() || !bare.chars().all(is_plain) {
        return text.to_owned();
    }
    // A bare number before `<` would be a descriptor, and a bare word may be reserved.
    let may_be_bare = !crate::shell::parse::is_reserved(bare)
        && bare != "in"
        && bare.chars().any(|one| !one.is_ascii_digit());
    match rng.random_range(0..3) {
        0 => format!("'{bare}'"),
        1 => format!("\"{bare}\""),
        _ if may_be_bare => bare.to_owned(),
        _ => text.to_owned(),
    }
}

/// Gives other names to variables that nothing outside of the script can see.
fn rename(script: &str, rng: &mut SmallRng) -> String {
    if script.contains("<<") || script.contains("eval") {
        return script.to_owned();
    }
    let Some(all) = lexemes(script, Dialect::Posix) else {
        return script.to_owned();
    };
    // Words where a command may begin: only there is `name=value` an assignment.
    let mut starts = BTreeSet::new();
    let mut previous = "\n";
    for lexeme in &all {
        let text = &script[lexeme.start..lexeme.end];
        let follows_assignment = starts.contains(&previous.as_ptr()) && previous.contains('=');
        if lexeme.is_word && (is_start(previous) && !previous.contains('=') || follows_assignment) {
            starts.insert(text.as_ptr());
        }
        previous = text;
    }
    let starts: BTreeSet<usize> = all
        .iter()
        .filter(|one| starts.contains(&script[one.start..one.end].as_ptr()))
        .map(|one| one.start)
        .collect();
    let quoted = in_single_quotes(script);
    let mut uses: BTreeMap<&str, Option<Vec<usize>>> = BTreeMap::new();
    for (at, name) in names(script) {
        let before = script[..at].chars().next_back();
        let is_expansion = before == Some('$') || script[..at].ends_with("${");
        let is_assignment = starts.contains(&at) && script[at + name.len()..].starts_with('=');
        let is_escaped = script[..at].trim_end_matches(['$', '{']).ends_with('\\');
        let is_known = (is_expansion || is_assignment) && !quoted.contains(&at) && !is_escaped;
        let entry = uses.entry(name).or_insert_with(|| Some(Vec::new()));
        match entry {
            Some(places) if is_known => places.push(at),
            _ => *entry = None,
        }
    }
    let is_assigned = |name: &str, places: &[usize]| {
        let is_lower = name
            .chars()
            .all(|one| one.is_ascii_lowercase() || one == '_');
        is_lower
            && places
                .iter()
                .any(|at| script[at + name.len()..].starts_with('=') && starts.contains(at))
    };
    let mut changes: BTreeMap<usize, (usize, String)> = BTreeMap::new();
    for (name, places) in &uses {
        let Some(places) = places.as_ref().filter(|places| is_assigned(name, places)) else {
            continue;
        };
        let other = format!("{name}_{}", rng.random_range(0..1000));
        for at in places {
            changes.insert(*at, (name.len(), other.clone()));
        }
    }
    let mut out = String::with_capacity(script.len() * 2);
    let mut end = 0;
    for (at, (length, other)) in changes {
        out.push_str(&script[end..at]);
        out.push_str(&other);
        end = at + length;
    }
    out + &script[end..]
}

/// Returns all words that could be names, with their places.
fn names(script: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = script.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let length = bytes[at..]
            .iter()
            .take_while(|byte| is_part(**byte))
            .count();
        if length > 0 && !bytes[at].is_ascii_digit() {
            found.push((at, &script[at..at + length]));
        }
        at += length.max(1);
    }
    found
}

/// Returns the places in single quotes and in comments.
fn in_single_quotes(script: &str) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let (mut is_single, mut is_double, mut is_comment) = (false, false, false);
    let mut previous = b'\n';
    let mut bytes = script.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        if is_single || is_comment {
            found.insert(at);
            is_single &= byte != b'\'';
            is_comment &= byte != b'\n';
            previous = byte;
            continue;
        }
        match byte {
            b'\\' => {
                bytes.next();
            }
            b'\'' if !is_double => is_single = true,
            b'"' => is_double = !is_double,
            b'#' if !is_double && previous.is_ascii_whitespace() => is_comment = true,
            _ => {}
        }
        previous = byte;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutation_looks_different() {
        let script = "dir=/tmp\nif [ -d \"$dir\" ]; then echo 'yes'; fi\n";

        let mutated: BTreeSet<String> = (0..20).map(|seed| mutate(script, seed)).collect();

        assert!(mutated.len() > 10, "{mutated:?}");
        assert!(
            mutated.iter().all(|one| !one.contains("$dir\"")),
            "{mutated:?}"
        );
    }

    #[test]
    fn names_that_others_see_stay() {
        let script = "export value=1; other=2; printf '%s $other' \"$value\" $other\n";

        assert!(mutate(script, 3).contains("$value"));
        assert!(mutate(script, 3).contains("$other'"));
    }
}
