//! Variables of the environment in the values of a document.
//!
//! The rules are those of the Go Launchpad, with two differences: a variable that is not set and
//! has no default is an error, and `$1` is no variable. A value is put into its own scalar, so
//! that it can never change the structure of the document.

use crate::code::Code;
use crate::node::{Kind, Node, Scalar};
use crate::problem::{Problem, Problems};
use crate::source::{Span, Text};
use crate::world::World;

/// Puts variables into every value below a node.
pub(crate) fn substitute(node: &mut Node, text: &Text, world: &dyn World, problems: &Problems) {
    match &mut node.kind {
        Kind::List(items) => {
            for item in items {
                substitute(item, text, world, problems);
            }
        }
        Kind::Map(entries) => {
            for entry in entries {
                substitute(&mut entry.value, text, world, problems);
            }
        }
        Kind::Scalar(scalar) => {
            if !scalar.text.contains('$') {
                return;
            }
            let place = node.origin.unwrap_or(node.span);
            let expanded = expand(&scalar.text, &|name| world.var(name));
            for trouble in expanded.troubles {
                let span = within(scalar, place, text, trouble.at);
                problems.add(trouble.problem(span));
            }
            let before = std::mem::replace(&mut scalar.text, expanded.text);
            if expanded.has_value {
                scalar.written = Some(before);
            }
        }
    }
}

/// Whether a text holds an expression that stands for something else.
pub(crate) fn has_expression(text: &str) -> bool {
    let expanded = expand(text, &|_| Some(String::new()));
    expanded.has_value || !expanded.troubles.is_empty()
}

/// Returns what a text stands for where no variable is set: what the file itself tells.
pub(crate) fn without_variables(text: &str) -> String {
    expand(text, &|_| None).text
}

/// Returns the default of a text that is one expression and nothing else, if it has one.
pub(crate) fn only_expression(text: &str) -> Option<Option<&str>> {
    let rest = text.strip_prefix('$')?;
    if let Some(braced) = rest.strip_prefix('{') {
        let name = name_of(braced)?;
        let after = braced.get(name.len()..)?;
        let body = body_of(after)?;
        if after.len() != body.len() + 1 {
            return None;
        }
        let default = [":-", ":=", "-", "="]
            .iter()
            .find_map(|sign| body.strip_prefix(sign));
        return (body.is_empty() || default.is_some()).then_some(default);
    }
    (name_of(rest)?.len() == rest.len()).then_some(None)
}

/// Returns where a part of a scalar stands, if the scalar stands in the text as it is.
fn within(scalar: &Scalar, place: Span, text: &Text, at: (usize, usize)) -> Span {
    let slice = text.slice(place);
    let offset = slice.find(&scalar.text).filter(|offset| *offset <= 1);
    offset.map_or(place, |offset| Span {
        start: place.start + offset + at.0,
        end: place.start + offset + at.1,
    })
}

/// What became of a text.
struct Expanded {
    text: String,
    /// Whether a variable or a default was put in.
    has_value: bool,
    troubles: Vec<Trouble>,
}

/// Something wrong with an expression, and where in the text it stands.
struct Trouble {
    at: (usize, usize),
    kind: TroubleKind,
}

enum TroubleKind {
    /// The variable is not set and has no default.
    Unset(String),
    /// There is no closing brace.
    Unclosed,
    /// A default has a variable and more, which does not give what it seems to.
    Nested,
}

impl Trouble {
    fn problem(self, span: Span) -> Problem {
        match self.kind {
            TroubleKind::Unset(name) => Problem::error(
                Code::VariableNotSet,
                span,
                format!("the environment variable `{name}` is not set"),
            )
            .hint(format!(
                "set it, write `${{{name}:-default}}`, or `$${name}` for the text"
            )),
            TroubleKind::Unclosed => {
                let message = "the closing brace of `${` is missing";
                Problem::error(Code::UnclosedBrace, span, message)
                    .hint("close it, or write `$${` for the text")
            }
            TroubleKind::Nested => {
                let message = "a default is a text or one variable, not both";
                Problem::warning(Code::NestedDefault, span, message).hint("write `${A:-$B}`")
            }
        }
    }
}

type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Expands all expressions of a text.
fn expand(text: &str, lookup: Lookup<'_>) -> Expanded {
    let mut expanded = Expanded {
        text: String::new(),
        has_value: false,
        troubles: Vec::new(),
    };
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('$')) {
        let start = at + found;
        expanded.text += text.get(at..start).unwrap_or_default();
        at = start + expanded.expression(text, start, lookup);
    }
    expanded.text += text.get(at..).unwrap_or_default();
    expanded
}

/// Returns the name at the start of a text; `_` alone and what starts with a digit is none.
fn name_of(text: &str) -> Option<&str> {
    let end = text
        .find(|c: char| !(c.is_alphabetic() || c.is_numeric() || c == '_'))
        .unwrap_or(text.len());
    let name = text.get(..end)?;
    let is_name = !name.is_empty() && name != "_" && !name.starts_with(char::is_numeric);
    is_name.then_some(name)
}

impl Expanded {
    /// Expands what a `$` begins; returns how long it is.
    fn expression(&mut self, text: &str, start: usize, lookup: Lookup<'_>) -> usize {
        let rest = text.get(start + 1..).unwrap_or_default();
        if rest.starts_with('$') {
            self.text.push('$');
            return 2;
        }
        if let Some(name) = name_of(rest) {
            let length = 1 + name.len();
            let value = self.value(name, (start, start + length), lookup);
            self.put(&value);
            return length;
        }
        let braced = rest.strip_prefix('{').unwrap_or_default();
        let Some(name) = name_of(braced) else {
            self.text.push('$');
            return 1;
        };
        let after = braced.get(name.len()..).unwrap_or_default();
        let Some(body) = body_of(after) else {
            let line = text.get(start..).and_then(|rest| rest.lines().next());
            let length = line.map_or(1, str::len);
            self.trouble((start, start + length), TroubleKind::Unclosed);
            return length;
        };
        let length = 2 + name.len() + body.len() + 1;
        let value = self.braced(name, body, (start, start + length), lookup);
        self.put(&value);
        length
    }

    /// Returns the value of `${NAME<body>}`.
    fn braced(&mut self, name: &str, body: &str, at: (usize, usize), lookup: Lookup<'_>) -> String {
        let value = lookup(name);
        let is_empty = value.as_ref().is_none_or(String::is_empty);
        let operators = [":-", ":=", ":+", "-", "=", "+"];
        let found = operators
            .iter()
            .find_map(|operator| Some((*operator, body.strip_prefix(operator)?)));
        match (found, value) {
            (Some((":+" | "+", word)), Some(_)) => self.word(word, at, lookup),
            (Some((":+" | "+", _)), None) => String::new(),
            (Some((":-" | ":=", word)), _) if is_empty => self.word(word, at, lookup),
            (Some((_, word)), None) => self.word(word, at, lookup),
            (_, Some(value)) => value,
            (None, None) => self.value(name, at, lookup),
        }
    }

    /// Returns the value of the word of an operator: a text, or one variable.
    fn word(&mut self, word: &str, at: (usize, usize), lookup: Lookup<'_>) -> String {
        let mut text = String::new();
        let mut rest = word;
        while let Some((before, after)) = rest.split_once('$') {
            text += before;
            if let Some(after) = after.strip_prefix('$') {
                text.push('$');
                rest = after;
            } else if after.starts_with('{') {
                self.trouble(at, TroubleKind::Nested);
                return String::new();
            } else if let Some(name) = name_of(after) {
                let after = after.get(name.len()..).unwrap_or_default();
                if after.is_empty() && text.is_empty() {
                    return self.value(name, at, lookup);
                }
                // The Go Launchpad drops the variable, and the operator that it sees behind it.
                self.trouble(at, TroubleKind::Nested);
                let after = after.strip_prefix(':').unwrap_or(after);
                rest = after.strip_prefix(['-', '=', '+']).unwrap_or(after);
            } else {
                text.push('$');
                rest = after;
            }
        }
        text + rest
    }

    fn value(&mut self, name: &str, at: (usize, usize), lookup: Lookup<'_>) -> String {
        lookup(name).unwrap_or_else(|| {
            self.trouble(at, TroubleKind::Unset(name.to_owned()));
            String::new()
        })
    }

    fn put(&mut self, value: &str) {
        self.text += value;
        self.has_value = true;
    }

    fn trouble(&mut self, at: (usize, usize), kind: TroubleKind) {
        self.troubles.push(Trouble { at, kind });
    }
}

/// Returns what stands before the closing brace, braces of its own included; nothing where the
/// line ends first. A `${` in it does not count: expressions cannot be nested.
fn body_of(text: &str) -> Option<&str> {
    let mut open = 0_usize;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '\n' | '\r' => return None,
            '{' if before != '$' => open += 1,
            '}' if open == 0 => return text.get(..at),
            '}' => open -= 1,
            _ => {}
        }
        before = c;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn environment(name: &str) -> Option<String> {
        let value = match name {
            "N" => "value",
            "N_b" => "other",
            "EMPTY" => "",
            "A" | "B" => "b",
            "É" => "accent",
            "TRICK" => "${N} $N: [x] # y",
            _ => return None,
        };
        Some(value.to_owned())
    }

    fn text(text: &str) -> String {
        expand(text, &environment).text
    }

    #[test]
    fn expands_as_the_table_says() {
        for (written, becomes) in [
            ("$N", "value"),
            ("${N}", "value"),
            ("a${N}b$N-c", "avaluebvalue-c"),
            ("${U-word}", "word"),
            ("${EMPTY-word}", ""),
            ("${U:-word}", "word"),
            ("${EMPTY:-word}", "word"),
            ("${N:-word}", "value"),
            ("${U=word}", "word"),
            ("${EMPTY=word}", ""),
            ("${U:=word}", "word"),
            ("${EMPTY:=word}", "word"),
            ("${N+word}", "word"),
            ("${EMPTY+word}", "word"),
            ("${U+word}", ""),
            ("${N:+word}", "word"),
            ("${EMPTY:+word}", "word"),
            ("${U:+word}", ""),
            ("${U:-a b:/c {x} d}", "a b:/c {x} d"),
            ("${U:-}", ""),
            ("${U:-$B}", "b"),
            ("${U:-$B-x}", "x"),
            ("${U:-${B}}", "}"),
            ("${U:-$$A}", "$A"),
            ("${U:-a$}", "a$"),
            ("$$N", "$N"),
            ("$$$N", "$value"),
            ("$$$$N", "$$N"),
            ("$${N}", "${N}"),
            ("$1", "$1"),
            ("${1}", "${1}"),
            ("$1N", "$1N"),
            ("pa$ word", "pa$ word"),
            ("end$", "end$"),
            ("$(cmd)", "$(cmd)"),
            ("$-x", "$-x"),
            ("${}", "${}"),
            ("${-a}", "${-a}"),
            ("$_", "$_"),
            ("${_", "${_"),
            ("${N:0:2}", "value"),
            ("${N?err}", "value"),
            ("$N_b", "other"),
            ("$É", "accent"),
            ("$TRICK", "${N} $N: [x] # y"),
        ] {
            assert_eq!(text(written), becomes, "{written}");
        }
    }

    #[test]
    fn names_what_is_not_set() {
        for (written, name, at) in [
            ("a $U", "U", (2, 4)),
            ("${U}", "U", (0, 4)),
            ("${U:0:2}", "U", (0, 8)),
            ("${U?x}", "U", (0, 6)),
            ("${U:-$V}", "V", (0, 8)),
            ("$_x", "_x", (0, 3)),
        ] {
            let troubles = expand(written, &environment).troubles;
            assert_eq!(troubles.len(), 1, "{written}");
            assert_eq!(troubles[0].at, at, "{written}");
            let TroubleKind::Unset(found) = &troubles[0].kind else {
                panic!("{written}")
            };
            assert_eq!(found, name);
        }
    }

    #[test]
    fn misses_the_closing_brace_before_the_end_of_the_line() {
        for written in ["${N", "${N\n}", "${N:-a\nb}", "${N:-{x}"] {
            let troubles = expand(written, &environment).troubles;
            assert_eq!(troubles.len(), 1, "{written}");
            assert!(
                matches!(troubles[0].kind, TroubleKind::Unclosed),
                "{written}"
            );
        }
    }

    #[test]
    fn says_which_texts_hold_a_value() {
        assert!(expand("$N", &environment).has_value);
        assert!(expand("${U:-x}", &environment).has_value);
        assert!(!expand("$$N $1 $(x)", &environment).has_value);
    }

    proptest! {
        #[test]
        fn any_text_is_expanded(written in "[$${}a-zN:=+\\-_1\\n é]{0,30}") {
            let expanded = expand(&written, &environment);
            for trouble in expanded.troubles {
                prop_assert!(written.get(trouble.at.0..trouble.at.1).is_some());
            }
        }

        #[test]
        fn what_is_escaped_comes_back(written in any::<String>()) {
            prop_assert_eq!(text(&written.replace('$', "$$")), written);
        }
    }
}
