//! Values as they are written where no text can be kept.

use std::collections::HashMap;

use crate::node::{Entry, Kind, Node, Scalar, Style};
use crate::yaml_out;

/// Comments by where the key stands that they are written above.
pub(super) type Comments = HashMap<usize, Vec<String>>;

/// Writes a whole document.
pub(super) fn document(root: &Node, comments: &Comments) -> String {
    let mut out = String::new();
    if let Kind::Map(all) = &root.kind {
        entries(all, 0, comments, &mut out);
    }
    // A mapping begins on a line of its own.
    format!("{}\n", out.trim_start_matches('\n'))
}

/// Writes a value behind the colon of a key that stands at a column.
pub(super) fn block(node: &Node, column: usize, comments: &Comments, out: &mut String) {
    match &node.kind {
        Kind::Map(all) if !all.is_empty() => entries(all, column + 2, comments, out),
        Kind::List(items) if !items.is_empty() => {
            for item in items {
                out.push('\n');
                out.push_str(&" ".repeat(column + 2));
                out.push('-');
                let mut inner = String::new();
                block(item, column + 2, comments, &mut inner);
                // The first line of an item stands behind its dash.
                out.push(' ');
                out.push_str(inner.trim_start());
            }
        }
        Kind::Scalar(scalar) if scalar.is_null() => {}
        _ => {
            out.push(' ');
            out.push_str(&flow(node, false));
        }
    }
}

fn entries(all: &[Entry], column: usize, comments: &Comments, out: &mut String) {
    for entry in all {
        let lines = comments.get(&entry.key_span.start);
        for line in lines.filter(|_| entry.is_written()).into_iter().flatten() {
            out.push('\n');
            out.push_str(&" ".repeat(column));
            out.push_str(line);
        }
        out.push('\n');
        out.push_str(&" ".repeat(column));
        out.push_str(&yaml_out::text(&entry.key));
        out.push(':');
        block(&entry.value, column, comments, out);
    }
}

/// Writes a value on one line.
pub(super) fn flow(node: &Node, is_json: bool) -> String {
    match &node.kind {
        Kind::Scalar(scalar) => self::scalar(scalar, is_json),
        Kind::List(items) => {
            let items: Vec<String> = items.iter().map(|item| flow(item, is_json)).collect();
            format!("[{}]", items.join(", "))
        }
        Kind::Map(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|entry| {
                    format!(
                        "{}: {}",
                        key(&entry.key, is_json),
                        flow(&entry.value, is_json)
                    )
                })
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// Writes a key.
pub(super) fn key(text: &str, is_json: bool) -> String {
    if is_json {
        yaml_out::double_quoted(text)
    } else {
        in_flow(yaml_out::text(text), text)
    }
}

/// Writes a scalar.
pub(super) fn scalar(scalar: &Scalar, is_json: bool) -> String {
    if scalar.is_null() {
        return "null".to_owned();
    }
    match scalar.style {
        // What YAML makes of it stays.
        Style::Plain | Style::Tagged if scalar.written.is_none() => {
            let is_word = crate::scalar::is_ambiguous(&scalar.text);
            if is_word {
                return scalar.text.clone();
            }
        }
        Style::Plain | Style::Tagged | Style::Quoted => {}
    }
    if is_json {
        return yaml_out::double_quoted(&scalar.text);
    }
    in_flow(yaml_out::text(&scalar.text), &scalar.text)
}

/// A text that a bracket or comma would end is quoted.
fn in_flow(written: String, text: &str) -> String {
    let is_plain = !written.starts_with('"');
    if is_plain && text.contains([',', '[', ']', '{', '}']) {
        return yaml_out::double_quoted(text);
    }
    written
}
