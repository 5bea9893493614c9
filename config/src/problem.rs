//! What is wrong with a document, before it is made into a message with its line.

use std::cell::{Cell, RefCell};

use crate::code::Code;
use crate::diagnostic::Severity;
use crate::node::Node;
use crate::secret;
use crate::source::Span;

/// How many errors are kept of one document, and how many warnings; the others are only counted.
pub(crate) const MOST_KEPT: usize = 1000;

/// A problem with its place.
#[derive(Clone)]
pub(crate) struct Problem {
    /// What kind of problem it is.
    pub(crate) code: Code,
    /// Whether it stops the run.
    pub(crate) severity: Severity,
    /// What is underlined; nothing where the text itself could not be read.
    pub(crate) span: Option<Span>,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) hint: Option<String>,
    /// The path of the value.
    pub(crate) path: Option<String>,
    /// Another place that belongs to it, and what its line is.
    pub(crate) also: Option<(Span, &'static str)>,
    /// Whether there is no tree that tells secrets from other text.
    pub(crate) is_syntax: bool,
}

impl Problem {
    /// Makes an error.
    pub(crate) fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            span: Some(span),
            message: message.into(),
            hint: None,
            path: None,
            also: None,
            is_syntax: false,
        }
    }

    /// Makes a warning.
    pub(crate) fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, span, message)
        }
    }

    /// Makes an error of the whole document.
    pub(crate) fn whole(code: Code, message: impl Into<String>) -> Self {
        Self {
            span: None,
            ..Self::error(code, Span::default(), message)
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the path of the value.
    #[must_use]
    pub(crate) fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into()).filter(|path| !path.is_empty());
        self
    }

    /// Adds another place.
    #[must_use]
    pub(crate) fn also(mut self, span: Span, what: &'static str) -> Self {
        self.also = Some((span, what));
        self
    }

    /// Says that the text could not be parsed.
    #[must_use]
    pub(crate) fn in_syntax(mut self) -> Self {
        self.is_syntax = true;
        self
    }
}

/// Problems as they are found, in any order, and what must not be shown beside them.
#[derive(Default)]
pub(crate) struct Problems {
    found: RefCell<Vec<Problem>>,
    hidden: RefCell<Vec<Span>>,
    errors: Cell<usize>,
    warnings: Cell<usize>,
}

/// What is told of a document.
pub(crate) struct Findings {
    /// The problems in the order of the document, errors first, each once.
    pub(crate) problems: Vec<Problem>,
    /// How many more there were.
    pub(crate) more: usize,
    /// What must not be shown.
    pub(crate) hidden: Vec<Span>,
}

impl Problems {
    /// Takes note of a problem.
    pub(crate) fn add(&self, problem: Problem) {
        self.add_with(problem.severity, || problem);
    }

    /// Takes note of a problem that is only made where it is kept.
    pub(crate) fn add_with(&self, severity: Severity, problem: impl FnOnce() -> Problem) {
        let count = match severity {
            Severity::Error => &self.errors,
            Severity::Warning => &self.warnings,
        };
        count.set(count.get() + 1);
        // No number of warnings may hide an error.
        if count.get() <= MOST_KEPT {
            self.found.borrow_mut().push(problem());
        }
    }

    /// Takes note of text that no message may show.
    pub(crate) fn hide(&self, span: Span) {
        self.hidden.borrow_mut().push(span);
    }

    /// Takes note of a value that no message may show any part of.
    pub(crate) fn hide_all(&self, value: &Node) {
        secret::hide(value, &mut self.hidden.borrow_mut());
    }

    /// Gives what has a path the one that the user knows it by: `names` returns the path of a place
    /// now, and the one that was written.
    pub(crate) fn call_as<'p>(&self, names: impl Fn(Span) -> Option<(&'p str, &'p str)>) {
        for problem in self.found.borrow_mut().iter_mut() {
            let known = problem.span.and_then(&names);
            if let (Some(path), Some((now, written))) = (&mut problem.path, known)
                && let Some(rest) = path.strip_prefix(now)
            {
                *path = format!("{written}{rest}");
            }
        }
    }

    /// Gives all problems of a kind another hint.
    pub(crate) fn advise(&self, code: Code, hint: &str) {
        for problem in self.found.borrow_mut().iter_mut() {
            if problem.code == code {
                problem.hint = Some(hint.to_owned());
            }
        }
    }

    /// Whether there is an error among them.
    pub(crate) fn has_errors(&self) -> bool {
        self.errors.get() > 0
    }

    /// Returns all that was found.
    pub(crate) fn finish(self) -> Findings {
        let mut problems = self.found.into_inner();
        let more = self.errors.get() + self.warnings.get() - problems.len();
        problems.sort_by_key(|problem| (problem.severity, problem.span));
        let mut seen = std::collections::BTreeSet::new();
        problems.retain(|problem| seen.insert((problem.span, problem.message.clone())));
        let cut = problems.len().saturating_sub(MOST_KEPT);
        problems.truncate(MOST_KEPT);
        Findings {
            problems,
            more: more + cut,
            hidden: self.hidden.into_inner(),
        }
    }
}
