//! Writing YAML that every reader takes for what is meant, readers of YAML 1.1 included.

use std::fmt::Write as _;

use crate::scalar::is_ambiguous;

/// What is written.
pub(crate) enum Tree {
    /// A text; quoted where it could be read as something else.
    Text(String),
    /// A number, a boolean or `null`, as it is.
    Word(String),
    /// A text with a comment behind it.
    Noted(String, String),
    /// A list.
    List(Vec<Tree>),
    /// A mapping.
    Map(Vec<(String, Tree)>),
}

/// Returns a mapping as a document.
pub(crate) fn write(tree: &Tree) -> String {
    let mut text = String::new();
    block(tree, 0, &mut text);
    text
}

/// Writes what stands on lines of its own.
fn block(tree: &Tree, indent: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    match tree {
        Tree::Map(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                out.push_str(&pad);
                out.push_str(&text(key));
                out.push(':');
                behind(value, indent, out);
            }
        }
        Tree::List(items) if !items.is_empty() => {
            for item in items {
                out.push_str(&pad);
                out.push('-');
                item_behind(item, indent, out);
            }
        }
        other => {
            out.push_str(&pad);
            inline(other, out);
            out.push('\n');
        }
    }
}

/// Writes a value behind its key.
fn behind(value: &Tree, indent: usize, out: &mut String) {
    match value {
        Tree::Map(entries) if !entries.is_empty() => {
            out.push('\n');
            block(value, indent + 2, out);
        }
        Tree::List(items) if !items.is_empty() => {
            out.push('\n');
            block(value, indent + 2, out);
        }
        other => {
            out.push(' ');
            inline(other, out);
            out.push('\n');
        }
    }
}

/// Writes an item behind its dash: the first key of a mapping stands on the same line.
fn item_behind(item: &Tree, indent: usize, out: &mut String) {
    let is_block = match item {
        Tree::Map(entries) => !entries.is_empty(),
        Tree::List(items) => !items.is_empty(),
        Tree::Text(_) | Tree::Word(_) | Tree::Noted(..) => false,
    };
    if !is_block {
        return behind(item, indent, out);
    }
    let mut inner = String::new();
    block(item, indent + 2, &mut inner);
    out.push(' ');
    out.push_str(inner.trim_start());
}

fn inline(tree: &Tree, out: &mut String) {
    match tree {
        Tree::Text(value) => out.push_str(&text(value)),
        Tree::Word(word) => out.push_str(word),
        Tree::Noted(value, note) => {
            // Writing to a string cannot fail.
            let _ = write!(out, "{} # {note}", text(value));
        }
        Tree::List(_) => out.push_str("[]"),
        Tree::Map(_) => out.push_str("{}"),
    }
}

/// Returns a text as a scalar.
pub(crate) fn text(text: &str) -> String {
    if is_plain(text) {
        text.to_owned()
    } else {
        double_quoted(text)
    }
}

/// Whether a text means itself without quotes, wherever it stands.
fn is_plain(text: &str) -> bool {
    let starts = text
        .starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_'))
        || (text.starts_with("--") && text.len() > 3 && !text.starts_with("---"));
    let is_harmless = |c: char| c.is_ascii_alphanumeric() || " /._-+=@:~$()^".contains(c);
    starts
        && text.chars().all(is_harmless)
        && !text.contains(": ")
        && !text.ends_with([' ', ':'])
        && !text.starts_with("...")
        && !is_ambiguous(text)
}

fn double_quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if needs_escape(c) => {
                // Writing to a string cannot fail.
                let _ = match u32::from(c) {
                    code if code <= 0xFFFF => write!(out, "\\u{code:04X}"),
                    code => write!(out, "\\U{code:08X}"),
                };
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Whether YAML, or a terminal, does not take a character as it is.
fn needs_escape(c: char) -> bool {
    c.is_control() || crate::shown::visible(c) != c || matches!(u32::from(c), 0xFFFE | 0xFFFF)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::parse::parse;
    use crate::source::Text;

    fn map(entries: Vec<(&str, Tree)>) -> Tree {
        let owned = entries
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value));
        Tree::Map(owned.collect())
    }

    #[test]
    fn writes_blocks() {
        let tree = map(vec![
            ("a", Tree::Text("x y".to_owned())),
            (
                "b",
                Tree::List(vec![
                    map(vec![
                        ("c", Tree::Word("1".to_owned())),
                        ("d", Tree::List(Vec::new())),
                    ]),
                    Tree::Text("--e=f".to_owned()),
                    Tree::List(vec![Tree::Text("g".to_owned())]),
                ]),
            ),
            (
                "h",
                map(vec![(
                    "yes",
                    Tree::Noted("./i".to_owned(), "3 bytes".to_owned()),
                )]),
            ),
            ("j", Tree::Map(Vec::new())),
        ]);

        assert_eq!(
            write(&tree),
            "a: x y\nb:\n  - c: 1\n    d: []\n  - --e=f\n  - - g\nh:\n  \"yes\": ./i # 3 bytes\nj: {}\n"
        );
    }

    #[test]
    fn quotes_what_could_be_misread() {
        for word in [
            "yes",
            "n",
            "0123",
            "3.10",
            "",
            "~",
            "null",
            "2024-01-01",
            "a: b",
            "a #b",
            "- a",
            "#a",
            "*a",
            "&a",
            "a\nb",
            "é",
            "'a",
            "[a",
            "---",
            "1e5",
            "12:30:45",
            "a:",
        ] {
            assert!(text(word).starts_with('"'), "{word}");
        }
        for word in [
            "a b",
            "10.0.0.1x",
            "/etc/x",
            "--san=$(hostname -f)",
            "https://a/b",
            "3.8.10-rc1",
        ] {
            assert_eq!(text(word), word);
        }
    }

    proptest! {
        #[test]
        fn every_text_is_read_as_it_was(value in any::<String>(), key in any::<String>()) {
            let tree = Tree::Map(vec![(key.clone(), Tree::List(vec![Tree::Text(value.clone())]))]);

            let text = Text::new("x".to_owned(), write(&tree));
            let Ok(parsed) = parse(&text) else {
                panic!("{}", text.text)
            };

            let entry = parsed.root.field(&key).unwrap();
            prop_assert_eq!(&entry.value.item(0).unwrap().scalar().unwrap().text, &value);
        }
    }
}
