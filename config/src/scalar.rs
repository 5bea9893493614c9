//! What a plain scalar means, as YAML 1.1 and yaml.v2 say.

use serde_json::Value;

use crate::node::{Scalar, Style};

/// Returns the boolean of a text, in the forms of YAML 1.1.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Some(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Some(false)
        }
        _ => None,
    }
}

/// Returns the whole number of a text: decimal, `0x`, `0o`, `0b`, `0` for octal, `_` anywhere.
pub(crate) fn integer(text: &str) -> Option<i128> {
    let plain = text.replace('_', "");
    let (negative, digits) = match plain.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let starts = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+'));
    if !starts || digits.starts_with(['+', '-']) {
        return None;
    }
    let prefixed = |prefixes: [&str; 2]| prefixes.iter().find_map(|p| digits.strip_prefix(p));
    let value = if let Some(hex) = prefixed(["0x", "0X"]) {
        i128::from_str_radix(hex, 16)
    } else if let Some(octal) = prefixed(["0o", "0O"]) {
        i128::from_str_radix(octal, 8)
    } else if let Some(binary) = prefixed(["0b", "0B"]) {
        i128::from_str_radix(binary, 2)
    } else if digits.len() > 1 && digits.starts_with('0') {
        i128::from_str_radix(digits, 8)
    } else {
        digits.parse()
    };
    let value = value.ok()?;
    Some(if negative { -value } else { value })
}

/// Returns the number of a text that has a fraction or an exponent.
fn float(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let starts = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let is_number = digits
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    if !starts || !is_number || !digits.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Returns what a scalar of a free-form mapping is as JSON.
pub(crate) fn json(scalar: &Scalar) -> Value {
    let text = scalar.text.as_str();
    if scalar.is_null() {
        return Value::Null;
    }
    let as_text = || Value::String(text.to_owned());
    if scalar.style == Style::Quoted {
        return as_text();
    }
    if let Some(value) = boolean(text) {
        return Value::Bool(value);
    }
    if let Some(number) = integer(text) {
        let number = i64::try_from(number)
            .map(Value::from)
            .or_else(|_| u64::try_from(number).map(Value::from));
        return number.unwrap_or_else(|_| as_text());
    }
    match float(text).and_then(serde_json::Number::from_f64) {
        Some(number) => Value::Number(number),
        None => as_text(),
    }
}

/// Whether a reader of YAML could take a plain text for something else than a text.
pub(crate) fn is_ambiguous(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_number = integer(text).is_some() || float(&text.replace('_', "")).is_some();
    // Minutes and seconds (`12:30:45`), and dates.
    let is_time = digits.contains(':')
        && digits
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, ':' | '.' | '_'));
    let is_date = digits.find('-') == Some(4)
        && digits
            .chars()
            .all(|c| c.is_ascii_digit() || "-: .TtZz+".contains(c));
    let is_prefix = ["0x", "0o", "0b", "0X", "0O", "0B"].contains(&digits);
    let is_word = matches!(
        text,
        "" | "~"
            | "null"
            | "Null"
            | "NULL"
            | "="
            | "<<"
            | ".inf"
            | ".Inf"
            | ".INF"
            | ".nan"
            | ".NaN"
            | ".NAN"
    );
    is_word || is_number || is_time || is_date || is_prefix || boolean(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Scalar {
        Scalar {
            text: text.to_owned(),
            style: Style::Plain,
            written: None,
        }
    }

    #[test]
    fn plain_values_of_a_free_mapping_are_resolved() {
        for (text, json_text) in [
            ("", "null"),
            ("~", "null"),
            ("NULL", "null"),
            ("yes", "true"),
            ("Off", "false"),
            ("tRUE", "\"tRUE\""),
            ("12", "12"),
            ("-0x1F", "-31"),
            ("0o17", "15"),
            ("0123", "83"),
            ("0b11", "3"),
            ("1_000", "1000"),
            ("089", "89.0"),
            ("+1", "1"),
            ("18446744073709551615", "18446744073709551615"),
            ("1e3", "1000.0"),
            (".5", "0.5"),
            ("3.10", "3.1"),
            ("1.2.3", "\"1.2.3\""),
            ("10m", "\"10m\""),
            ("2024-01-01", "\"2024-01-01\""),
            ("-", "\"-\""),
            ("+-1", "\"+-1\""),
            ("0x", "\"0x\""),
        ] {
            assert_eq!(json(&plain(text)).to_string(), json_text, "{text}");
        }
    }

    #[test]
    fn quoted_values_are_texts() {
        let quoted = Scalar {
            style: Style::Quoted,
            ..plain("12")
        };

        assert_eq!(json(&quoted), Value::from("12"));
    }

    #[test]
    fn knows_what_other_readers_take_for_something_else() {
        for text in [
            "yes",
            "n",
            "0123",
            "3.10",
            "1e5",
            "2024-01-01",
            "12:30",
            "~",
            "",
            "1_0",
        ] {
            assert!(is_ambiguous(text), "{text}");
        }
        for text in ["stable-25.0", "10.0.0.1", "a", "no way"] {
            assert!(!is_ambiguous(text), "{text}");
        }
    }
}
