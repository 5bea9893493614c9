//! Problems as they are told: message, place, the line with the place underlined, and a hint.
//!
//! No secret of the document is in them: what must not be shown is masked before a line is kept.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::code::Code;
use crate::problem::{Findings, Problem};
use crate::secret::{self, REDACTED};
use crate::shown::{quoted, visible};
use crate::source::{Places, Position, Span, Text};

/// How many problems are printed of one document.
const MOST_SHOWN: usize = 20;
/// How many of equal problems are printed; of the others, the lines are.
const EQUAL_SHOWN: usize = 3;
/// How many of those lines.
const MOST_LINES: usize = 4;
/// The longest part of a line that is shown, in characters.
const WIDEST: usize = 110;

/// Whether a problem stops the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// It can, but something in it is not as it seems.
    Warning,
}

/// One problem of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Whether it stops the run.
    pub severity: Severity,
    /// What kind of problem it is.
    pub code: Code,
    /// What is wrong, in one line.
    pub message: String,
    /// The name of the document.
    pub file: String,
    /// Where it stands; nothing where the text cannot be read at all.
    pub position: Option<Position>,
    /// The path of the value (`spec.hosts[2].role`).
    pub path: Option<String>,
    /// The line of the document; of the first problems only.
    pub snippet: Option<Snippet>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// A line of the document as it may be shown, and which part of it is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Snippet {
    /// The line, secrets masked.
    pub line: String,
    /// How many characters stand before what is meant.
    pub start: usize,
    /// How many characters are meant, at least one.
    pub width: usize,
}

/// All problems of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostics {
    /// The problems, errors first, in the order of the document; at most 1000.
    pub items: Vec<Diagnostic>,
    /// How many more there were.
    pub more: usize,
}

impl Diagnostic {
    /// Tells a problem of a text.
    pub(crate) fn of(problem: Problem, text: &Text, hidden: &[Span]) -> Self {
        let mut message = problem.message.clone();
        let mut hint = problem.hint.clone();
        let snippet = problem.span.map(|span| {
            let line = text.line_at(span.start);
            let unparsed = || secret::unparsed(text, line);
            let unparsed = problem.is_syntax.then(unparsed).flatten();
            if unparsed.is_some() && problem.code == Code::Syntax {
                "not valid YAML".clone_into(&mut message);
                hint = Some("quote the value".to_owned());
            }
            let hidden: Vec<Span> = hidden.iter().copied().chain(unparsed).collect();
            Snippet::of(text, line, span, &hidden)
        });
        let problem = Problem {
            message,
            hint,
            ..problem
        };
        Self {
            snippet: snippet.filter(|snippet| !snippet.line.trim().is_empty()),
            ..Self::brief(problem, &mut Places::new(text))
        }
    }

    /// Tells a problem without its line.
    fn brief(problem: Problem, places: &mut Places<'_>) -> Self {
        let mut hint = problem.hint;
        if let Some((other, what)) = problem.also {
            let line = places.text.line_at(other.start) + 1;
            hint.get_or_insert_with(|| format!("{what} {line}"));
        }
        Self {
            severity: problem.severity,
            code: problem.code,
            message: problem.message,
            file: places.text.name.clone(),
            position: problem.span.map(|span| places.position(span.start)),
            path: problem.path,
            snippet: None,
            hint,
        }
    }

    /// Tells what is wrong with a file that is no document at all.
    pub fn of_file(code: Code, file: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            severity: code.severity(),
            code,
            message: message.into(),
            file: file.into(),
            position: None,
            path: None,
            snippet: None,
            hint: None,
        }
    }
}

impl Snippet {
    /// Masks a line, and cuts it around the span where it is long.
    fn of(text: &Text, line: usize, span: Span, hidden: &[Span]) -> Self {
        let (content, start) = text.line(line);
        let end = start + content.len();
        let hidden: Vec<Span> = hidden
            .iter()
            .copied()
            .chain(secret_comment(content, start))
            .filter(|span| span.start < end && span.end > start && span.start < span.end)
            .collect();
        let mut hidden = merged(hidden).into_iter().peekable();
        let shown_end = span.end.clamp(span.start, end.max(span.start));
        let (mut shown, mut from, mut to) = (Vec::new(), None, None);
        let mut skip_until = start;
        for (at, c) in content.char_indices() {
            let at = start + at;
            if at >= span.start && from.is_none() {
                from = Some(shown.len());
            }
            if at >= shown_end && to.is_none() {
                to = Some(shown.len());
            }
            if at < skip_until {
                continue;
            }
            while hidden.next_if(|mask| mask.end <= at).is_some() {}
            if let Some(mask) = hidden.next_if(|mask| mask.start <= at) {
                skip_until = mask.end;
                if from == Some(shown.len()) || from.is_none() && span.start < mask.end {
                    from = Some(shown.len());
                }
                shown.extend(REDACTED.chars());
                if shown_end <= mask.end && shown_end > at {
                    to = Some(shown.len());
                }
                continue;
            }
            shown.push(visible(c));
        }
        let start = from.unwrap_or(shown.len());
        let end = to.unwrap_or(shown.len());
        Self {
            line: shown.iter().collect(),
            start,
            width: end.saturating_sub(start).max(1),
        }
        .cut(&shown)
    }

    /// Keeps what stands around the underlined part of a long line.
    fn cut(self, shown: &[char]) -> Self {
        if shown.len() <= WIDEST {
            return self;
        }
        let first = self.start.saturating_sub(WIDEST / 3);
        let last = (first + WIDEST).min(shown.len());
        let mut line: String = shown.get(first..last).unwrap_or_default().iter().collect();
        let mut start = self.start - first;
        if first > 0 {
            line.insert(0, '…');
            start += 1;
        }
        if last < shown.len() {
            line.push('…');
        }
        let width = self.width.min(WIDEST.saturating_sub(start).max(1));
        Self { line, start, width }
    }
}

/// Sorts spans, and joins those that overlap.
fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort();
    let mut found: Vec<Span> = Vec::new();
    for span in spans {
        match found.last_mut() {
            Some(last) if span.start < last.end => last.end = last.end.max(span.end),
            Some(_) | None => found.push(span),
        }
    }
    found
}

/// Returns a comment that looks as if a secret stood in it.
fn secret_comment(line: &str, start: usize) -> Option<Span> {
    let comment = |at: &usize| {
        let before = line.get(..*at).unwrap_or_default();
        before.is_empty() || before.ends_with(char::is_whitespace)
    };
    let at = line.match_indices('#').map(|(at, _)| at).find(comment)?;
    let rest = line.get(at..).unwrap_or_default();
    secret::is_secret_text(rest).then_some(Span {
        start: start + at,
        end: start + line.len(),
    })
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]: {}", self.severity, self.code, self.message)?;
        let line = self.position.map(|at| at.line.to_string());
        let pad = " ".repeat(line.as_ref().map_or(1, String::len));
        match self.position {
            Some(at) => write!(f, "\n{pad}--> {}:{}:{}", self.file, at.line, at.column)?,
            None => write!(f, "\n{pad}--> {}", self.file)?,
        }
        if let (Some(line), Some(snippet)) = (&line, &self.snippet) {
            let before = " ".repeat(snippet.start);
            let under = "^".repeat(snippet.width);
            write!(f, "\n{pad} |\n{line} | {}", snippet.line)?;
            write!(f, "\n{pad} | {before}{under}")?;
        }
        if let Some(path) = &self.path {
            write!(f, "\n{pad} = path: {path}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n{pad} = hint: {hint}")?;
        }
        Ok(())
    }
}

impl Diagnostics {
    /// Whether one of them stops the run.
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// Returns how many there are of a severity, of those that are kept.
    pub fn count(&self, severity: Severity) -> usize {
        let is_it = |item: &&Diagnostic| item.severity == severity;
        self.items.iter().filter(is_it).count()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self
            .items
            .iter()
            .map(|item| (item.position.is_some(), item.code, item.message.as_str()));
        let choice = Choice::of(keys);
        for (index, &shown) in choice.shown.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n\n" };
            let item = &self.items[shown];
            write!(f, "{gap}{item}")?;
            if let Some(others) = choice.folded.get(&shown) {
                let positions = others.iter().filter_map(|at| self.items[*at].position);
                let mut lines: Vec<usize> = positions.map(|position| position.line).collect();
                lines.dedup();
                let pad = " ".repeat(item.position.map_or(1, |at| at.line.to_string().len()));
                write!(f, "\n{pad} = also in {}", in_lines(&lines))?;
            }
        }
        match choice.cut + self.more {
            0 => {}
            1 => write!(f, "\n\nand 1 more problem")?,
            more => write!(f, "\n\nand {more} more problems")?,
        }
        match self.items.first() {
            Some(first) => write!(f, "\n\nto read more: launchpad explain {}", first.code),
            None => Ok(()),
        }
    }
}

/// Names lines, not all of many.
fn in_lines(lines: &[usize]) -> String {
    if let [line] = lines {
        return format!("line {line}");
    }
    let first = lines.iter().take(MOST_LINES).map(usize::to_string);
    let first = first.collect::<Vec<_>>().join(", ");
    match lines.len().saturating_sub(MOST_LINES) {
        0 => format!("lines {first}"),
        more => format!("lines {first} and {more} more"),
    }
}

/// Which of many problems are printed.
#[derive(Default)]
struct Choice {
    /// Those that are, by their places in the list.
    shown: Vec<usize>,
    /// What is told with one of them: problems that are equal to it.
    folded: BTreeMap<usize, Vec<usize>>,
    /// How many are only counted.
    cut: usize,
}

impl Choice {
    /// Chooses from problems, each with whether it has a place, its code and its message.
    fn of<'a>(problems: impl Iterator<Item = (bool, Code, &'a str)>) -> Self {
        let mut choice = Self::default();
        let mut equals: BTreeMap<(Code, &str), Vec<usize>> = BTreeMap::new();
        for (index, (has_place, code, message)) in problems.enumerate() {
            let equal = equals.entry((code, message)).or_default();
            match equal.last() {
                Some(last) if has_place && equal.len() >= EQUAL_SHOWN => {
                    choice.folded.entry(*last).or_default().push(index);
                }
                _ if choice.shown.len() < MOST_SHOWN => {
                    equal.push(index);
                    choice.shown.push(index);
                }
                _ => choice.cut += 1,
            }
        }
        choice
    }
}

impl std::error::Error for Diagnostics {}

impl From<Vec<Diagnostic>> for Diagnostics {
    fn from(items: Vec<Diagnostic>) -> Self {
        Self { items, more: 0 }
    }
}

/// Tells problems of a text, the first ones with their lines. `secrets` are hidden, too.
pub(crate) fn tell(findings: Findings, text: &Text, secrets: &[Span]) -> Diagnostics {
    let hidden: Vec<Span> = [findings.hidden.as_slice(), secrets].concat();
    let mut places = Places::new(text);
    let keys = findings.problems.iter().map(|problem| {
        (
            problem.span.is_some(),
            problem.code,
            problem.message.as_str(),
        )
    });
    let mut shown = Choice::of(keys).shown.into_iter().peekable();
    let each = findings.problems.into_iter().enumerate();
    let items = each.map(|(index, problem)| {
        // Lines may be long: they are looked at only as often as they are shown.
        if shown.next_if_eq(&index).is_some() {
            Diagnostic::of(problem, text, &hidden)
        } else {
            Diagnostic::brief(problem, &mut places)
        }
    });
    Diagnostics {
        items: items.collect(),
        more: findings.more,
    }
}

/// Returns "unknown key" with what was meant, if something was.
pub(crate) fn unknown(what: &str, written: &str) -> String {
    format!("unknown {what} {}", quoted(written))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str, start: usize, end: usize, hidden: &[(usize, usize)]) -> String {
        let text = Text::new("x.yaml".to_owned(), text.to_owned());
        let hidden: Vec<Span> = hidden
            .iter()
            .map(|&(start, end)| Span { start, end })
            .collect();
        let problem = Problem::error(Code::WrongType, Span { start, end }, "wrong");
        let told = Diagnostic::of(problem, &text, &hidden).to_string();
        told.lines().skip(3).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn underlines_what_is_meant() {
        assert_eq!(told("a: bc\n", 3, 5, &[]), "1 | a: bc\n  |    ^^");
        assert_eq!(told("a: b\nc: d\n", 5, 9, &[]), "2 | c: d\n  | ^^^^");
        assert_eq!(told("a:\n", 2, 2, &[]), "1 | a:\n  |   ^");
        assert_eq!(
            told("é: \u{1b}[1m\n", 4, 8, &[]),
            "1 | é: \u{FFFD}[1m\n  |    ^^^^"
        );
    }

    #[test]
    fn masks_before_under_and_after_the_underlined_part() {
        let text = "{p: hunter2, q: x}\n";

        assert_eq!(
            told(text, 16, 17, &[(4, 11)]),
            "1 | {p: [REDACTED], q: x}\n  |                    ^"
        );
        assert_eq!(
            told(text, 4, 11, &[(4, 11)]),
            "1 | {p: [REDACTED], q: x}\n  |     ^^^^^^^^^^"
        );
        assert_eq!(
            told(text, 1, 2, &[(4, 11), (4, 11)]),
            "1 | {p: [REDACTED], q: x}\n  |  ^"
        );
        assert_eq!(
            told("a: |\n  pem\n", 7, 10, &[(3, 11)]),
            "2 | [REDACTED]\n  | ^^^^^^^^^^"
        );
        assert_eq!(
            told("a: b # pw=x\n", 3, 4, &[]),
            "1 | a: b [REDACTED]\n  |    ^"
        );
    }

    #[test]
    fn cuts_long_lines_around_the_underlined_part() {
        let text = format!("{}X{}", "a".repeat(5000), "b".repeat(5000));

        let told = told(&text, 5000, 5001, &[]);

        assert!(told.len() < 400, "{told}");
        let lines: Vec<&str> = told.lines().collect();
        let column = lines[1].chars().position(|c| c == '^').unwrap();
        assert_eq!(lines[0].chars().nth(column), Some('X'));
    }

    #[test]
    fn of_equal_problems_a_few_are_printed_and_the_lines_of_the_others() {
        let text = Text::new("x.yaml".to_owned(), "a: 1\n".repeat(40));
        let equal = |line: usize| {
            let start = (line - 1) * 5;
            let span = Span {
                start,
                end: start + 1,
            };
            Problem::error(Code::WrongType, span, "wrong")
        };
        let told = |lines: &[usize]| {
            let mut problems: Vec<Problem> = lines.iter().map(|line| equal(*line)).collect();
            let span = Span {
                start: 195,
                end: 196,
            };
            problems.push(Problem::error(Code::WrongType, span, "another"));
            let findings = Findings {
                problems,
                more: 0,
                hidden: Vec::new(),
            };
            tell(findings, &text, &[]).to_string()
        };

        let many = told(&(1..=30).collect::<Vec<_>>());
        assert_eq!(many.matches("]: wrong").count(), 3, "{many}");
        let third = "--> x.yaml:3:1\n  |\n3 | a: 1\n  | ^\n  = also in lines 4, 5, 6, 7 and 23 \
                     more\n\n";
        assert!(many.contains(third), "{many}");
        // With its line, although it is the thirty-first.
        assert!(
            many.contains("]: another\n  --> x.yaml:40:1\n   |\n40 | a: 1"),
            "{many}"
        );
        assert!(!many.contains("more problem"), "{many}");

        let four = told(&[1, 2, 3, 9]);
        assert!(four.contains("\n  = also in line 9\n\n"), "{four}");
        let three = told(&[1, 2, 3]);
        assert!(!three.contains("also"), "{three}");
    }

    #[test]
    fn prints_the_first_problems_and_counts_the_rest() {
        let one = Diagnostic::of_file(Code::Empty, "x", "m");

        let mut all = Diagnostics::from(vec![one; 23]);

        let end = |all: &Diagnostics, count: &str| {
            let end = format!("\n\nand {count}\n\nto read more: launchpad explain LP-C0004");
            let text = all.to_string();
            assert!(text.ends_with(&end), "{text}");
            assert_eq!(text.matches("error[LP-C0004]: m").count(), 20);
        };
        end(&all, "3 more problems");
        all.more = 100;
        end(&all, "103 more problems");
        (all.more, _) = (0, all.items.drain(21..));
        end(&all, "1 more problem");
    }
}
