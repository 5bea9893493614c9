//! Changes the text of a kubeconfig where its tree shall be another one, and nowhere else, so that
//! comments, order and quotes stay. Who calls it parses what comes out and compares: here a text
//! that is written in an unusual way may be changed wrongly, and `None` is always a good answer.

use std::ops::Range;

use super::tree::{self, Key, Kind, Node};

/// A piece of text in the place of another.
struct Edit {
    range: Range<usize>,
    text: String,
}

/// Returns the text with the differences between two trees worked in; `None` where it is not
/// written line by line.
pub(super) fn splice(text: &str, root: &Node, wanted: &Node) -> Option<String> {
    let (Kind::Map(old), Kind::Map(new)) = (&root.kind, &wanted.kind) else {
        return None;
    };
    let is_in_braces = text[root.start..].starts_with('{');
    if is_in_braces || column(text, root.start)? != 0 {
        return None;
    }
    let mut edits = Vec::new();
    let mut appended = String::new();
    for (key, value) in new {
        match old.iter().find(|(found, _)| found.name == key.name) {
            Some((_, same)) if same.is_like(value) => {}
            Some((found, old)) => edits.extend(change(text, found, old, value)?),
            None => {
                let entry = Node::made(Kind::Map(vec![(key.clone(), value.clone())]));
                tree::block(&entry, 0, &mut appended);
            }
        }
    }
    if !appended.is_empty() {
        edits.push(append(text, root.end, appended.trim_end()));
    }
    // From the end: the places before stay where they are. Of two at one place the later comes
    // first.
    edits.sort_by_key(|edit| edit.range.start);
    let mut edited = text.to_owned();
    for edit in edits.into_iter().rev() {
        edited.replace_range(edit.range, &edit.text);
    }
    if !edited.ends_with('\n') {
        edited.push('\n');
    }
    Some(edited)
}

/// Returns the edits that make a value of the document another one.
fn change(text: &str, key: &Key, old: &Node, new: &Node) -> Option<Vec<Edit>> {
    match (&old.kind, &new.kind) {
        (Kind::List(items), Kind::List(wanted)) if !items.is_empty() => {
            if text[old.start..].starts_with('[') {
                return None;
            }
            change_list(text, old, items, wanted)
        }
        (Kind::Scalar { .. } | Kind::List(_), Kind::List(wanted)) => {
            let mut lines = String::new();
            for one in wanted {
                lines.push_str("\n- ");
                lines.push_str(&tree::item(one, 2));
            }
            let range = behind_key(text, key, old)?;
            Some(vec![Edit { range, text: lines }])
        }
        (
            Kind::Scalar { .. },
            Kind::Scalar {
                text: word,
                is_plain,
            },
        ) => {
            let range = behind_key(text, key, old)?;
            let text = format!(" {}", tree::scalar(word, *is_plain));
            Some(vec![Edit { range, text }])
        }
        _ => None,
    }
}

fn change_list(text: &str, list: &Node, items: &[Node], wanted: &[Node]) -> Option<Vec<Edit>> {
    let mut edits = Vec::new();
    for (old, new) in items.iter().zip(wanted) {
        if old.is_like(new) {
            continue;
        }
        let indent = column(text, old.start)?;
        edits.push(Edit {
            range: old.start..end(text, old),
            text: tree::item(new, indent),
        });
    }
    let dash = column(text, list.start)?;
    let pad = " ".repeat(dash);
    let more: Vec<String> = wanted
        .iter()
        .skip(items.len())
        .map(|new| format!("{pad}- {}", tree::item(new, dash + 2)))
        .collect();
    if !more.is_empty() {
        edits.push(append(text, list.end, &more.join("\n")));
    }
    Some(edits)
}

/// Puts lines behind the line in which something ends.
fn append(text: &str, after: usize, lines: &str) -> Edit {
    let after = text[..after].trim_end().len();
    let end = text[after..].find('\n').map_or(text.len(), |at| after + at);
    Edit {
        range: end..end,
        text: format!("\n{lines}"),
    }
}

/// Returns the place of a value on the line of its key, from the colon on.
fn behind_key(text: &str, key: &Key, value: &Node) -> Option<Range<usize>> {
    let colon = key.end + text[key.end..].find(|char: char| !char.is_whitespace())?;
    if !text[colon..].starts_with(':') {
        return None;
    }
    let start = colon + 1;
    // What is left out may stand anywhere behind its key.
    let is_left_out = text[value.start..value.end].trim().is_empty();
    let end = if is_left_out { start } else { end(text, value) };
    (end >= start).then_some(start..end)
}

/// Returns where a value ends, without the line ends behind it.
fn end(text: &str, value: &Node) -> usize {
    value.start + text[value.start..value.end].trim_end().len()
}

/// Returns how many spaces and dashes stand before a place in its line.
fn column(text: &str, place: usize) -> Option<usize> {
    let start = text[..place].rfind('\n').map_or(0, |end| end + 1);
    let before = &text[start..place];
    before
        .chars()
        .all(|char| matches!(char, ' ' | '-'))
        .then_some(before.len())
}
