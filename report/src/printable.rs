//! Text of a remote side without what could steer a terminal.
//!
//! A host, a log line of a vendor's container or a file name may hold escape sequences. They are
//! taken out before anything is printed, so that no remote side can move the cursor, set the
//! title, hide a line or reorder it.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Returns `text` as one printable line: no escape sequences, no control characters, no
/// characters that reorder text; line ends and tabs become spaces.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_steering) {
        return Cow::Borrowed(text.trim_end());
    }
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.trim_end().chars();
    while let Some(char) = chars.next() {
        match char {
            '\u{1b}' => skip_escape(&mut chars),
            '\u{9b}' => skip_control_sequence(&mut chars),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => skip_string(&mut chars),
            '\n' | '\t' => clean.push(' '),
            other if is_steering(other) => {}
            other => clean.push(other),
        }
    }
    Cow::Owned(clean)
}

/// Returns the printable lines of a text that may have several.
pub fn printable_lines(text: &str) -> Vec<String> {
    text.lines()
        .map(|line| printable(line).into_owned())
        .collect()
}

/// Returns as much of `text` as fits into `columns`; what is cut off shows as `…`.
pub fn fit(text: &str, columns: usize) -> Cow<'_, str> {
    if text.width() <= columns {
        return Cow::Borrowed(text);
    }
    let mut used = 0;
    let mut kept = String::new();
    for char in text.chars() {
        used += char.width().unwrap_or(0);
        if used + 1 > columns {
            break;
        }
        kept.push(char);
    }
    if columns > 0 {
        kept.push('…');
    }
    Cow::Owned(kept)
}

/// Returns `text` filled up with spaces to `columns`.
pub fn pad(text: &str, columns: usize) -> String {
    let missing = columns.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(missing))
}

fn is_steering(char: char) -> bool {
    // Beside controls: marks, embeddings, overrides and isolates of the bidirectional algorithm
    // (they reorder what is shown), line and paragraph separators, the byte order mark.
    char.is_control()
        || matches!(char, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{feff}')
        || ('\u{2028}'..='\u{202e}').contains(&char)
        || ('\u{2066}'..='\u{2069}').contains(&char)
}

fn skip_escape(chars: &mut std::str::Chars<'_>) {
    match chars.next() {
        Some('[') => skip_control_sequence(chars),
        Some(']' | 'P' | 'X' | '^' | '_') => skip_string(chars),
        // Intermediate bytes, then one final byte (`ESC ( B`).
        Some(' '..='/') => {
            for char in chars.by_ref() {
                if !(' '..='/').contains(&char) {
                    break;
                }
            }
        }
        _ => {}
    }
}

fn skip_control_sequence(chars: &mut std::str::Chars<'_>) {
    for char in chars.by_ref() {
        if ('@'..='~').contains(&char) {
            break;
        }
    }
}

/// Skips to the end of a string sequence (title, device control): BEL, ST or its two-byte form.
fn skip_string(chars: &mut std::str::Chars<'_>) {
    while let Some(char) = chars.next() {
        match char {
            '\u{7}' | '\u{9c}' => break,
            '\u{1b}' => {
                let mut ahead = chars.clone();
                if ahead.next() == Some('\\') {
                    *chars = ahead;
                    break;
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_out_what_steers_a_terminal() {
        let cases = [
            ("plain", "plain"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{9b}2Jwiped", "wiped"),
            ("\u{1b}(Bascii", "ascii"),
            ("a\rb\u{8}c", "abc"),
            ("two\nlines\tand tab\n", "two lines and tab"),
            ("abc\u{202e}fed", "abcfed"),
            ("cut \u{1b}[", "cut "),
        ];

        for (given, wanted) in cases {
            assert_eq!(printable(given), wanted, "{given:?}");
        }
    }

    #[test]
    fn wide_characters_count_twice_when_a_line_is_cut() {
        assert_eq!(fit("日本語", 6), "日本語");
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!(fit("abcdef", 4), "abc…");
        assert_eq!(fit("abc", 0), "");
    }
}
