//! Whose coreutils a program is of: those of GNU, or those of uutils, which Ubuntu 26.04 has.
//!
//! What programs do is written once, in the modules beside this one. They ask the implementation that they
//! run as ([`Coreutils`]) for its words, and which it is for the few things that it does otherwise. Which
//! implementation that is, the file says that is run: it holds `stat`, or `uutils/stat`.
//!
//! Ubuntu 26.04 has uutils 0.8.0 for everything but `cp`, `mv` and `rm`, which stay those of GNU: Canonical's
//! "An update on rust-coreutils" of 2026-04-22 (discourse.ubuntu.com/t/80773). What uutils says and does was
//! recorded with the published coreutils 0.8.0 (`fleet/tests/parity`, state `uutils`).

pub(crate) mod usage;
mod words;

use super::Invocation;

/// Stands before the name of a program in the content of its file where it is of uutils.
const OF_UUTILS: &str = "uutils/";

/// What `--version` says of uutils.
const VERSION: &str = "(uutils coreutils) 0.8.0";

/// Whose coreutils a program is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Coreutils {
    /// GNU's; also of everything that is no part of coreutils.
    #[default]
    Gnu,
    /// Those of uutils.
    Uutils,
}

impl Coreutils {
    /// Returns whose a program is, and its plain name.
    pub(crate) fn of(image: &str) -> (Self, &str) {
        match image.strip_prefix(OF_UUTILS) {
            Some(name) => (Self::Uutils, name),
            None => (Self::Gnu, image),
        }
    }

    /// Chooses between the texts, or the numbers, of both.
    pub(crate) fn pick<T>(self, gnu: T, uutils: T) -> T {
        match self {
            Self::Gnu => gnu,
            Self::Uutils => uutils,
        }
    }
}

/// Answers what programs of uutils answer alike: `--version`, which all have but `test`, and words that those
/// do not take that take none. Returns the exit status where nothing is left to do.
pub(crate) fn answer_first(invocation: &mut Invocation) -> Option<u8> {
    if invocation.coreutils == Coreutils::Gnu || invocation.name == "test" {
        return None;
    }
    let first = invocation.arguments.first()?.clone();
    let usage = usage::find(&invocation.name);
    let is_version = match first.as_str() {
        "--version" => true,
        "-V" => usage
            .as_ref()
            .is_some_and(|usage| usage.names("-V") == Some("version")),
        _ => false,
    };
    if is_version {
        let name = invocation.name.clone();
        invocation.print(&format!("{name} {VERSION}\n"));
        return Some(0);
    }
    usage.filter(usage::Usage::is_bare)?;
    match invocation.name.as_str() {
        // They read their options themselves.
        "uname" | "id" => None,
        _ => usage::unknown(invocation, &first),
    }
}

#[cfg(test)]
mod tests;
