//! Values as docker shows them: like JSON, with the order of their keys kept.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// A value.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Value {
    /// Nothing.
    #[default]
    Null,
    /// A truth.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any number.
    Float(f64),
    /// A text.
    Text(String),
    /// Bytes: JSON shows them in base64.
    Bytes(Vec<u8>),
    /// Several values.
    List(Vec<Value>),
    /// Values under names.
    Map(Vec<(String, Value)>),
}

/// Makes a map of names and values, in their order.
macro_rules! map {
    ($($name:literal : $value:expr),* $(,)?) => {
        $crate::engine::value::Value::Map(vec![
            $(($name.to_owned(), $crate::engine::value::Value::from($value))),*
        ])
    };
}
pub(crate) use map;

/// The names that are left out where their values say nothing: `omitempty` in the engine's types.
const OMITTED_WHEN_EMPTY: &[&str] = &[
    "ManagerStatus",
    "Cluster",
    "Nodes",
    "Managers",
    "UpdateStatus",
    "ServiceStatus",
    "PreviousSpec",
    "Leader",
    "ServerErrors",
    "Health",
    "Constraints",
    "Err",
    "ContainerStatus",
];

impl Value {
    /// Returns a member of a map; where there is none with exactly this name, one whose name
    /// differs only in upper and lower case (`Id` and `ID`).
    pub(crate) fn member(&self, name: &str) -> Option<&Self> {
        let Self::Map(members) = self else {
            return None;
        };
        let exact = members.iter().find(|(key, _)| key == name);
        let alike = || {
            let mut members = members.iter();
            members.find(|(key, _)| key.eq_ignore_ascii_case(name))
        };
        exact.or_else(alike).map(|(_, value)| value)
    }

    /// Follows several names.
    pub(crate) fn at(&self, names: &[&str]) -> &Self {
        const NOTHING: &Value = &Value::Null;
        let mut found = self;
        for name in names {
            found = found.member(name).unwrap_or(NOTHING);
        }
        found
    }

    /// Returns a text, or nothing.
    pub(crate) fn as_text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            _ => "",
        }
    }

    /// Returns whether a template takes it for true.
    pub(crate) fn is_true(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(truth) => *truth,
            Self::Int(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::Bytes(bytes) => !bytes.is_empty(),
            Self::List(values) => !values.is_empty(),
            Self::Map(members) => !members.is_empty(),
        }
    }

    /// Returns it as JSON in one line.
    pub(crate) fn json(&self) -> String {
        let mut text = String::new();
        self.write_json(&mut text, None);
        text
    }

    /// Returns it as JSON in several lines, each level moved in by four blanks.
    pub(crate) fn pretty(&self) -> String {
        let mut text = String::new();
        self.write_json(&mut text, Some(0));
        text
    }

    fn write_json(&self, out: &mut String, depth: Option<usize>) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
            Self::Int(number) => push(out, format_args!("{number}")),
            Self::Float(number) => push(out, format_args!("{number}")),
            Self::Text(text) => quote(out, text),
            Self::Bytes(bytes) => quote(out, &BASE64_STANDARD.encode(bytes)),
            Self::List(values) => {
                let items = values.iter().map(|value| (None, value));
                write_all(out, depth, ['[', ']'], items);
            }
            Self::Map(members) => {
                let shown = members.iter().filter(|(name, value)| {
                    value.is_true() || !OMITTED_WHEN_EMPTY.contains(&name.as_str())
                });
                let items = shown.map(|(name, value)| (Some(name.as_str()), value));
                write_all(out, depth, ['{', '}'], items);
            }
        }
    }
}

fn write_all<'a>(
    out: &mut String,
    depth: Option<usize>,
    [open, close]: [char; 2],
    items: impl Iterator<Item = (Option<&'a str>, &'a Value)>,
) {
    out.push(open);
    let mut is_empty = true;
    for (name, value) in items {
        if !is_empty {
            out.push(',');
        }
        is_empty = false;
        new_line(out, depth.map(|depth| depth + 1));
        if let Some(name) = name {
            quote(out, name);
            out.push_str(if depth.is_some() { ": " } else { ":" });
        }
        value.write_json(out, depth.map(|depth| depth + 1));
    }
    if !is_empty {
        new_line(out, depth);
    }
    out.push(close);
}

fn new_line(out: &mut String, depth: Option<usize>) {
    if let Some(depth) = depth {
        out.push('\n');
        out.push_str(&"    ".repeat(depth));
    }
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = out.write_fmt(text);
}

/// Quotes a text as Go does: `<`, `>` and `&` are escaped, too.
fn quote(out: &mut String, text: &str) {
    out.push('"');
    for one in text.chars() {
        match one {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                push(out, format_args!("\\u{:04x}", one as u32));
            }
            one if one.is_control() && one.is_ascii() => {
                push(out, format_args!("\\u{:04x}", one as u32));
            }
            one => out.push(one),
        }
    }
    out.push('"');
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

macro_rules! from_number {
    ($($kind:ty),*) => {
        $(impl From<$kind> for Value {
            fn from(number: $kind) -> Self {
                Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
            }
        })*
    };
}
from_number!(i32, i64, u8, u16, u32, u64, usize);

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<&BTreeMap<String, String>> for Value {
    fn from(pairs: &BTreeMap<String, String>) -> Self {
        let pairs = pairs.iter();
        Self::Map(
            pairs
                .map(|(name, value)| (name.clone(), value.into()))
                .collect(),
        )
    }
}

impl FromIterator<Value> for Value {
    fn from_iter<T: IntoIterator<Item = Value>>(values: T) -> Self {
        Self::List(values.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_their_order_and_empty_ones_may_be_left_out() {
        let value = map! {
            "Zone": 1,
            "Addr": "a<b",
            "ManagerStatus": Value::Null,
            "Labels": Value::Map(Vec::new()),
        };

        assert_eq!(value.json(), r#"{"Zone":1,"Addr":"a\u003cb","Labels":{}}"#);
        assert_eq!(
            value.pretty(),
            "{\n    \"Zone\": 1,\n    \"Addr\": \"a\\u003cb\",\n    \"Labels\": {}\n}"
        );
    }

    #[test]
    fn members_are_found_under_either_spelling_of_id() {
        let value = map! { "Id": "x", "State": map! { "Running": true } };

        assert_eq!(value.member("ID").map(Value::as_text), Some("x"));
        assert!(value.at(&["State", "Running"]).is_true());
        assert_eq!(value.at(&["State", "Nope", "Deep"]), &Value::Null);
    }
}
