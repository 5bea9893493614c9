//! The log of the MKE bootstrapper: every form it has, no line lost.
//!
//! Forms seen: logrus text (`time="…" level=info msg="two words"`, also `msg=Done` unquoted, with
//! further fields), logrus JSON (`--jsonlog`), and plain lines.

use std::borrow::Cow;

/// How a line of the bootstrapper was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// `trace`, `debug`.
    Debug,
    /// `info`, and lines without a level.
    Info,
    /// `warning`, `warn`.
    Warning,
    /// `error`.
    Error,
    /// `fatal`, `panic`: the step has failed, whatever its exit status says.
    Fatal,
}

/// One line of the bootstrapper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine<'a> {
    /// How it was meant.
    pub level: Level,
    /// The message, unquoted; the whole line where it has no known form.
    pub message: Cow<'a, str>,
}

/// Reads one line; never fails.
pub fn parse_line(line: &str) -> LogLine<'_> {
    let line = line.trim_end_matches(['\r', '\n']);
    json(line).or_else(|| logrus(line)).unwrap_or(LogLine {
        level: Level::Info,
        message: Cow::Borrowed(line),
    })
}

fn level(text: &str) -> Level {
    match text.to_ascii_lowercase().as_str() {
        "trace" | "debug" | "debu" => Level::Debug,
        "warning" | "warn" => Level::Warning,
        "error" | "erro" => Level::Error,
        "fatal" | "fata" | "panic" => Level::Fatal,
        _ => Level::Info,
    }
}

fn json(line: &str) -> Option<LogLine<'_>> {
    if !line.starts_with('{') {
        return None;
    }
    let value: serde_json::Value = serde_json::from_str(line).ok()?;
    let text = |key: &str| value.get(key).and_then(serde_json::Value::as_str);
    let message = text("msg").or_else(|| text("message"))?.to_owned();
    Some(LogLine {
        level: level(text("level").unwrap_or("info")),
        message: Cow::Owned(message),
    })
}

fn logrus(line: &str) -> Option<LogLine<'_>> {
    let mut found_level = None;
    let mut message = None;
    let mut rest = line;
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=')?;
        if key.is_empty()
            || !key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            return None;
        }
        let (value, after) = value(after)?;
        match key {
            "level" => found_level = Some(level(&value)),
            "msg" => message = Some(value),
            _ => {}
        }
        rest = after.trim_start_matches(' ');
    }
    Some(LogLine {
        level: found_level?,
        message: message?,
    })
}

/// Takes one value off a logrus line: quoted as Go quotes strings, or bare up to a blank.
fn value(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(' ').unwrap_or(text.len());
        return Some((Cow::Borrowed(&text[..end]), &text[end..]));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((index, character)) = chars.next() {
        match character {
            '"' => return Some((Cow::Owned(value), &quoted[index + 1..])),
            '\\' => match chars.next()?.1 {
                'n' => value.push('\n'),
                't' => value.push('\t'),
                'r' => value.push('\r'),
                'x' => value.push(hex(&mut chars, 2)?),
                'u' => value.push(hex(&mut chars, 4)?),
                'U' => value.push(hex(&mut chars, 8)?),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

fn hex(chars: &mut std::str::CharIndices<'_>, digits: u32) -> Option<char> {
    let mut code = 0;
    for _ in 0..digits {
        code = code * 16 + chars.next()?.1.to_digit(16)?;
    }
    char::from_u32(code)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(level: Level, message: &str) -> LogLine<'_> {
        LogLine {
            level,
            message: Cow::Borrowed(message),
        }
    }

    #[test]
    fn reads_quoted_and_bare_messages() {
        assert_eq!(
            parse_line(r#"time="2026-01-01T00:00:00Z" level=info msg="Checking that \"x\" runs""#),
            line(Level::Info, r#"Checking that "x" runs"#)
        );
        assert_eq!(
            parse_line(r#"time="2026-01-01T00:00:00Z" level=fatal msg=Failed phase=2"#),
            line(Level::Fatal, "Failed")
        );
    }

    #[test]
    fn reads_json_lines() {
        assert_eq!(
            parse_line(r#"{"level":"warning","msg":"low memory","time":"x"}"#),
            line(Level::Warning, "low memory")
        );
    }

    #[test]
    fn keeps_lines_of_no_known_form_whole() {
        for text in [
            "Unable to find image",
            "a = b",
            "level=info but no message",
            "{not json",
            "",
        ] {
            assert_eq!(parse_line(text), line(Level::Info, text));
        }
    }

    #[test]
    fn a_message_that_speaks_of_fatal_is_not_fatal() {
        let text = r#"time="t" level=info msg="level=fatal msg=\"no\"""#;

        assert_eq!(
            parse_line(text),
            line(Level::Info, r#"level=fatal msg="no""#)
        );
    }

    proptest! {
        #[test]
        fn never_panics_and_never_loses_a_plain_line(text in "[^\r\n]{0,80}") {
            let parsed = parse_line(&text);

            prop_assert!(parsed.message.len() <= text.len());
        }
    }
}
