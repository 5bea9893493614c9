//! Where the first of several YAML documents ends. The marks between documents are lines of their own
//! wherever they stand, so they are found without parsing: what follows may be anything.

/// What of a text is the first document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct First {
    /// Where it ends.
    pub(crate) end: usize,
    /// Where the next one begins, if there is one.
    pub(crate) next: Option<usize>,
}

/// Finds the end of the first document.
pub(crate) fn first(text: &str) -> First {
    let mut has_begun = false;
    let mut end = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let at = start;
        start += line.len();
        let is_content = !line.trim().is_empty() && !line.trim_start().starts_with('#');
        if is_mark(line, "...") && has_begun {
            end.get_or_insert(at);
        } else if let Some(end) = end {
            if is_content {
                let next = Some(at);
                return First { end, next };
            }
        } else if is_mark(line, "---") && has_begun {
            let next = Some(at);
            return First { end: at, next };
        } else {
            // Directives stand before the document.
            has_begun |= is_content && !line.starts_with('%');
        }
    }
    First {
        end: end.unwrap_or(text.len()),
        next: None,
    }
}

/// Whether a line is a mark, with white space or nothing behind it.
fn is_mark(line: &str, mark: &str) -> bool {
    line.strip_prefix(mark)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_end_of_the_first_document() {
        for (text, document, next) in [
            ("a: 1\n", "a: 1\n", None),
            ("", "", None),
            ("---\na: 1\n", "---\na: 1\n", None),
            (
                "# x\n%YAML 1.1\n---\na: 1\n",
                "# x\n%YAML 1.1\n---\na: 1\n",
                None,
            ),
            ("a: 1\n---\nb: [\n", "a: 1\n", Some("---\nb: [\n")),
            ("--- a\n--- b", "--- a\n", Some("--- b")),
            ("a: 1\r\n---\r\nb", "a: 1\r\n", Some("---\r\nb")),
            ("a: 1\n...\n", "a: 1\n", None),
            ("a: 1\n...\n# end\n\n", "a: 1\n", None),
            ("a: 1\n...\n# b\nb: 1\n", "a: 1\n", Some("b: 1\n")),
            ("a: 1\n...\n---\nb: 1\n", "a: 1\n", Some("---\nb: 1\n")),
            ("---\n---\na: 1\n", "---\n", Some("---\na: 1\n")),
            ("a: |\n  x\n  ---\n", "a: |\n  x\n  ---\n", None),
            ("a: 1\n----\n", "a: 1\n----\n", None),
            ("---x: 1\n", "---x: 1\n", None),
        ] {
            let First { end, next: at } = first(text);
            assert_eq!(&text[..end], document, "{text:?}");
            assert_eq!(at.map(|at| &text[at..]), next, "{text:?}");
        }
    }
}
