//! The forms of log lines: logrus text, logrus JSON, and plain text.

use serde_json::{Map, Value};

/// How a line is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Only with `--debug`.
    Debug,
    /// What is going on.
    Info,
    /// What may matter.
    Warning,
    /// What went wrong.
    Error,
    /// What ended the operation.
    Fatal,
}

impl Level {
    /// Returns the word that logrus prints.
    pub fn word(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }
}

/// A line that a process prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Talk; goes to the standard error.
    Log {
        /// How it is meant.
        level: Level,
        /// The message.
        message: String,
        /// Further fields, in their order.
        fields: Vec<(&'static str, String)>,
    },
    /// Data; goes to the standard output.
    Plain(String),
}

impl Line {
    /// Makes a log line.
    pub fn log(level: Level, message: impl Into<String>) -> Self {
        Self::Log {
            level,
            message: message.into(),
            fields: Vec::new(),
        }
    }

    /// Adds a field.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Log { fields, .. } = &mut self {
            fields.push((name, value.into()));
        }
        self
    }

    /// Returns the text of the line, without its end.
    pub fn render(&self, format: Format, unix_seconds: u64) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Log {
                level,
                message,
                fields,
            } => match format {
                Format::Text => text(*level, message, fields, unix_seconds),
                Format::Json => json(*level, message, fields, unix_seconds),
            },
        }
    }
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `time="…" level=info msg="…"`.
    Text,
    /// One object per line, with `--jsonlog`.
    Json,
}

fn text(level: Level, message: &str, fields: &[(&str, String)], unix_seconds: u64) -> String {
    let mut line = format!(
        "time={} level={} msg={}",
        value(&timestamp(unix_seconds)),
        level.word(),
        value(message)
    );
    for (name, field) in fields {
        line.push_str(&format!(" {name}={}", value(field)));
    }
    line
}

fn json(level: Level, message: &str, fields: &[(&str, String)], unix_seconds: u64) -> String {
    let known = [
        ("level", level.word()),
        ("msg", message),
        ("time", &timestamp(unix_seconds)),
    ];
    let further = fields.iter().map(|(name, field)| (*name, field.as_str()));
    let object: Map<String, Value> = known
        .into_iter()
        .chain(further)
        .map(|(name, text)| (name.to_owned(), Value::from(text)))
        .collect();
    Value::Object(object).to_string()
}

/// Quotes a value only where logrus does: where it holds more than these characters, or nothing.
fn value(text: &str) -> String {
    let is_bare = !text.is_empty()
        && text
            .chars()
            .all(|one| one.is_ascii_alphanumeric() || "-._/@^+".contains(one));
    if is_bare {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for one in text.chars() {
        match one {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            one if one.is_ascii_control() => quoted.push_str(&format!("\\x{:02x}", one as u32)),
            one => quoted.push(one),
        }
    }
    quoted.push('"');
    quoted
}

/// Returns a time as RFC 3339 in UTC, from seconds since 1970.
pub fn timestamp(unix_seconds: u64) -> String {
    let (days, second) = (unix_seconds / 86_400, unix_seconds % 86_400);
    let (year, month, day) = date(days);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// Returns year, month and day, from days since 1970.
fn date(mut days: u64) -> (u64, u64, u64) {
    let is_leap =
        |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let mut year = 1970;
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if days < length {
            break;
        }
        days -= length;
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(line: &Line) -> String {
        line.render(Format::Text, 1_767_225_600)
    }

    #[test]
    fn only_what_needs_quotes_has_them() {
        let start = "time=\"2026-01-01T00:00:00Z\"";

        assert_eq!(
            text_of(&Line::log(Level::Info, "Done")),
            format!("{start} level=info msg=Done")
        );
        assert_eq!(
            text_of(&Line::log(Level::Warning, "two words").with("phase", "2")),
            format!("{start} level=warning msg=\"two words\" phase=2")
        );
        assert_eq!(
            text_of(&Line::log(Level::Fatal, "a \"b\"\\\n\u{1}").with("of", "")),
            format!("{start} level=fatal msg=\"a \\\"b\\\"\\\\\\n\\x01\" of=\"\"")
        );
    }

    #[test]
    fn a_line_can_be_json() {
        let line = Line::log(Level::Error, "two words").with("node", "x");

        let text = line.render(Format::Json, 0);

        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            value,
            serde_json::json!({
                "level": "error", "msg": "two words", "node": "x", "time": "1970-01-01T00:00:00Z",
            })
        );
    }

    #[test]
    fn data_is_printed_as_it_is() {
        let line = Line::Plain("mirantis/ucp-agent:3.8.8".to_owned()).with("x", "y");

        assert_eq!(text_of(&line), "mirantis/ucp-agent:3.8.8");
    }

    #[test]
    fn dates_are_right() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00Z");
        assert_eq!(timestamp(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(timestamp(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(timestamp(1_709_164_800), "2024-02-29T00:00:00Z");
        assert_eq!(timestamp(4_107_542_400), "2100-03-01T00:00:00Z");
    }
}
