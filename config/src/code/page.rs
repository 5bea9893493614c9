//! Pages that explain codes: as text for a terminal, as Markdown, and the examples in them.

use std::fmt::Write as _;

use super::Code;

/// The page that explains a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page(pub(super) &'static str);

/// A document in a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// Whether it has the problem; else it is how to mend it.
    pub is_wrong: bool,
    /// Whether it is a whole document.
    pub is_whole: bool,
    /// Its text; `→` and three spaces stand for a tab.
    pub text: &'static str,
}

/// A piece of a page.
enum Piece {
    Text(&'static str),
    Example(Example),
}

impl Page {
    /// Returns the examples.
    pub fn examples(self) -> Vec<Example> {
        let pieces = self.pieces().into_iter();
        let example = |piece| match piece {
            Piece::Example(example) => Some(example),
            Piece::Text(_) => None,
        };
        pieces.filter_map(example).collect()
    }

    /// Takes the page apart at its fences.
    fn pieces(self) -> Vec<Piece> {
        let fenced = self.0.split("```").enumerate();
        let piece = |(index, text): (usize, &'static str)| {
            if index % 2 == 0 {
                return Piece::Text(text.trim());
            }
            let (label, text) = text.split_once('\n').unwrap_or((text, ""));
            Piece::Example(Example {
                is_wrong: label.contains("wrong"),
                is_whole: label.contains("whole"),
                text,
            })
        };
        fenced.map(piece).collect()
    }

    /// Returns the page as plain text.
    pub fn to_text(self) -> String {
        self.written("", "")
    }

    /// Returns the page as Markdown.
    fn to_markdown(self) -> String {
        self.written("```yaml\n", "```\n")
    }

    /// Writes the page with its examples between fences, or indented where there are none.
    fn written(self, open: &str, close: &str) -> String {
        let mut out = String::new();
        for piece in self.pieces() {
            match piece {
                Piece::Text("") => {}
                Piece::Text(text) => push(&mut out, &format!("{text}\n")),
                Piece::Example(example) => {
                    let label = if example.is_wrong { "Wrong" } else { "Right" };
                    push(&mut out, &format!("{label}:\n"));
                    let pad = if open.is_empty() { "    " } else { "" };
                    let lines = example.text.lines().map(|line| format!("{pad}{line}\n"));
                    let lines: String = lines.collect();
                    push(&mut out, &format!("{open}{lines}{close}"));
                }
            }
        }
        out
    }
}

/// Adds a paragraph.
fn push(out: &mut String, paragraph: &str) {
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(paragraph);
}

/// Returns the pages of all codes as one Markdown document.
pub fn reference() -> String {
    let mut out = String::from(
        "# Codes of problems\n\n\
         Each problem of a configuration has a code. It never changes its meaning, and `launchpad explain \
         LP-C0012`\nprints what stands here. An error stops the run, and a warning does not. This page is made \
         from what launchpad\nprints, and a test compares the two.\n\n\
         Most examples show only a part of a document.\n\n\
         | code | | problem |\n|---|---|---|\n",
    );
    for code in Code::ALL {
        let (severity, title) = (code.severity(), code.title());
        let anchor = code.to_string().to_lowercase();
        // Writing to a string cannot fail.
        let _ = writeln!(out, "| [`{code}`](#{anchor}) | {severity} | {title} |");
    }
    for code in Code::ALL {
        let (severity, title) = (code.severity(), code.title());
        let page = code.page().to_markdown();
        let _ = write!(out, "\n## {code}\n\n**{severity}: {title}**\n\n{page}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_text_and_markdown() {
        let page = Page(
            "Why.\n\n```yaml wrong\na:\n  b: 1\n```\n\n```yaml right whole\nc: 2\n```\n\nMore.\n",
        );

        assert_eq!(
            page.to_text(),
            "Why.\n\nWrong:\n\n    a:\n      b: 1\n\nRight:\n\n    c: 2\n\nMore.\n"
        );
        assert_eq!(
            page.to_markdown(),
            "Why.\n\nWrong:\n\n```yaml\na:\n  b: 1\n```\n\nRight:\n\n```yaml\nc: 2\n```\n\nMore.\n"
        );
        let examples = page.examples();
        assert_eq!((examples.len(), examples[0].is_wrong), (2, true));
        assert!(!examples[0].is_whole && examples[1].is_whole);
    }
}
