//! The words of a line of ssh_config: keyword, values, quotes.

/// Splits a line into its keyword and the rest; nothing where it is empty or a comment.
pub(super) fn split_keyword(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_matches([' ', '\t', '\r', '\x0c']);
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let end = line.find([' ', '\t', '=']).unwrap_or(line.len());
    let (keyword, rest) = line.split_at(end);
    Some((keyword.trim_matches('"'), after_keyword(rest)))
}

/// Leaves out what stands between a keyword and its value: blanks, and one `=`.
fn after_keyword(rest: &str) -> &str {
    let rest = skip_blanks(rest);
    skip_blanks(rest.strip_prefix('=').unwrap_or(rest))
}

fn skip_blanks(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

/// Splits values into words: quotes hold them together, a `#` that begins one ends the line.
pub(super) fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut characters = text.chars().peekable();
    loop {
        while characters
            .next_if(|next| matches!(next, ' ' | '\t'))
            .is_some()
        {}
        match characters.peek() {
            None | Some('#') => return Ok(words),
            Some(_) => {}
        }
        let mut word = String::new();
        let mut quote = None;
        while let Some(character) = characters.next() {
            match (character, quote) {
                ('\\', _) => {
                    let escaped = characters.next_if(|next| {
                        matches!(next, '"' | '\'' | '\\') || (*next == ' ' && quote.is_none())
                    });
                    word.push(escaped.unwrap_or('\\'));
                }
                (character, Some(open)) if character == open => quote = None,
                ('"' | '\'', None) => quote = Some(character),
                (' ' | '\t', None) => break,
                (character, _) => word.push(character),
            }
        }
        if quote.is_some() {
            return Err("a quote is not closed".to_owned());
        }
        words.push(word);
    }
}

/// Splits the criteria of a `Match`: here `=` separates as a blank does, and a quote counts only
/// where a word begins with it.
pub(super) fn criteria_words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = skip_blanks(text);
    while let Some(first) = rest.chars().next().filter(|first| *first != '#') {
        if first == '"' || first == '\'' {
            let Some((word, after)) = rest[1..].split_once(first) else {
                return Err("a quote is not closed".to_owned());
            };
            words.push(word.to_owned());
            rest = skip_blanks(after);
            continue;
        }
        let end = rest.find([' ', '\t', '=', '"']).unwrap_or(rest.len());
        words.push(rest[..end].to_owned());
        rest = after_keyword(&rest[end..]);
    }
    Ok(words)
}

/// Reads a time: seconds, or numbers with units (`1h30m`).
pub(super) fn seconds(text: &str) -> Option<u64> {
    let mut total: u64 = 0;
    let mut rest = text;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest
            .find(|character: char| !character.is_ascii_digit())
            .unwrap_or(rest.len());
        let number: u64 = rest[..end].parse().ok()?;
        let unit = rest[end..].chars().next();
        let factor = match unit.map(|unit| unit.to_ascii_lowercase()) {
            None | Some('s') => 1,
            Some('m') => 60,
            Some('h') => 60 * 60,
            Some('d') => 24 * 60 * 60,
            Some('w') => 7 * 24 * 60 * 60,
            Some(_) => return None,
        };
        rest = &rest[end + unit.map_or(0, char::len_utf8)..];
        total = total.checked_add(number.checked_mul(factor)?)?;
    }
    (total <= i32::MAX as u64).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_end_at_a_blank_or_an_equal_sign() {
        for (line, expected) in [
            ("Port 22", Some(("Port", "22"))),
            ("\tPort\t=\t22  ", Some(("Port", "22"))),
            ("Port=22", Some(("Port", "22"))),
            ("Port = = 22", Some(("Port", "= 22"))),
            ("Port", Some(("Port", ""))),
            ("  # Port 22", None),
            ("\x0c", None),
        ] {
            assert_eq!(split_keyword(line), expected, "{line:?}");
        }
    }

    #[test]
    fn quotes_and_backslashes_keep_words_together() {
        for (text, expected) in [
            ("a b", vec!["a", "b"]),
            ("\"a b\" 'c d'", vec!["a b", "c d"]),
            ("a\" b\"c", vec!["a bc"]),
            ("a\\ b \"c\\ d\"", vec!["a b", "c\\ d"]),
            ("\\\"a\\\\ \\n", vec!["\"a\\", "\\n"]),
            ("a#b #c", vec!["a#b"]),
            ("\"\"", vec![""]),
        ] {
            assert_eq!(words(text).unwrap(), expected, "{text}");
        }
        assert!(words("\"a").is_err());
    }

    #[test]
    fn criteria_may_be_written_with_equal_signs() {
        for (text, expected) in [
            ("host a,b user c", vec!["host", "a,b", "user", "c"]),
            ("host=a user = c", vec!["host", "a", "user", "c"]),
            ("exec \"test 1 = 1\" # why", vec!["exec", "test 1 = 1"]),
        ] {
            assert_eq!(criteria_words(text).unwrap(), expected, "{text}");
        }
        assert!(criteria_words("exec \"a").is_err());
    }

    #[test]
    fn times_may_have_units() {
        for (text, expected) in [
            ("90", Some(90)),
            ("1m30", Some(90)),
            ("1h30M5s", Some(5405)),
            ("1w1d", Some(691_200)),
            ("", None),
            ("m", None),
            ("1y", None),
            ("99999999999", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
