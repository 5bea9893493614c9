//! What coreutils complain of, in the words of each implementation: GNU's first (9.1 of Debian 12), then those
//! of uutils (0.8.0).
//!
//! Only what they say differently is here, a function for each complaint; the rest stands where it is said.

use super::Coreutils;
use crate::files::Errno;

/// Returns the words of an errno as uutils has most of them: those of the kinds of Rust's errors.
fn plain(errno: Errno) -> String {
    match errno {
        Errno::Exists => "Already exists".to_owned(),
        other => other.to_string(),
    }
}

/// Returns the words of an errno as Rust prints an error of the system.
pub(super) fn numbered(errno: Errno) -> String {
    format!("{errno} (os error {})", errno.number())
}

/// Returns why uutils cannot read a mode.
fn mode_problem(text: &str) -> String {
    if text.starts_with(|one: char| one.is_ascii_digit()) {
        return "invalid digit found in string".to_owned();
    }
    let found = text.trim_start_matches(['u', 'g', 'o', 'a']).chars().next();
    let found = found.unwrap_or_default();
    format!("invalid operator (expected +, -, or =, but found {found})")
}

/// Errors of the system.
impl Coreutils {
    /// An errno; uutils prints Rust's error here.
    pub(crate) fn errno(self, errno: Errno) -> String {
        self.pick(errno.to_string(), numbered(errno))
    }

    /// A file or a stream that `tee` cannot write to; uutils leaves its own name out.
    pub(crate) fn tee(self, operand: &str, errno: Errno) -> String {
        let gnu = format!("tee: {operand}: {errno}");
        self.pick(gnu, format!("{operand}: {}", numbered(errno)))
    }

    /// `env -C`.
    pub(crate) fn change_directory(self, path: &str, errno: Errno) -> String {
        format!("cannot change directory to '{path}': {}", self.errno(errno))
    }

    /// A command that cannot be started, of `env`, `nice`, `nohup` or `timeout`; nothing where uutils
    /// says nothing.
    pub(crate) fn run(self, program: &str, command: &str, errno: Errno) -> Option<String> {
        let gnu = match program {
            "env" | "nice" => format!("'{command}': {errno}"),
            _ => format!("failed to run command '{command}': {errno}"),
        };
        match (self, program) {
            (Self::Gnu, _) | (Self::Uutils, "env") => Some(gnu),
            (Self::Uutils, "nice") => Some(format!("{command}: {}", numbered(errno))),
            (Self::Uutils, "timeout") => {
                Some(format!("failed to execute process: {}", numbered(errno)))
            }
            (Self::Uutils, _) => None,
        }
    }

    /// An output that refuses what is written to it, with the last operand; nothing where a program of
    /// uutils does not notice.
    pub(crate) fn write(self, program: &str, operand: Option<&str>, why: &str) -> Option<String> {
        let gnu = format!("{program}: write error: {why}");
        let operand = operand.unwrap_or("-");
        let with_number = match why == Errno::NoSpace.to_string() {
            true => numbered(Errno::NoSpace),
            false => why.to_owned(),
        };
        let uutils = match program {
            "ls" | "printf" => None,
            "cat" => Some(format!("cat: {operand}: {why}")),
            "wc" => Some(format!("wc: failed to print result for {operand}: {why}")),
            "head" => Some(format!(
                "head: error writing 'standard output': {with_number}"
            )),
            "date" => Some(format!("date: write error: {with_number}")),
            "sort" => Some(format!("sort: write failed: 'standard output': {why}")),
            "echo" | "id" => Some(format!("{program}: {why}")),
            _ => Some(gnu.clone()),
        };
        self.pick(Some(gnu), uutils)
    }
}

/// Files that are made, and links.
impl Coreutils {
    /// `mkdir`; whether with `-p`.
    pub(crate) fn make_directory(self, shown: &str, errno: Errno, has_parents: bool) -> String {
        let gnu = format!("cannot create directory '{shown}': {errno}");
        let uutils = match errno {
            Errno::Exists if !has_parents => format!("{shown}: {errno}"),
            other => plain(other),
        };
        self.pick(gnu, uutils)
    }

    /// A mode of `mkdir`.
    pub(crate) fn mode(self, text: &str) -> String {
        self.pick(format!("invalid mode '{text}'"), mode_problem(text))
    }

    /// A symbolic link of `ln`.
    pub(crate) fn symbolic_link(self, target: &str, errno: Errno) -> String {
        let gnu = format!("failed to create symbolic link '{target}': {errno}");
        self.pick(gnu, plain(errno))
    }

    /// A hard link of `ln`.
    pub(crate) fn hard_link(self, source: &str, target: &str, errno: Errno) -> String {
        let gnu = match errno {
            Errno::NotFound | Errno::Exists => {
                format!("failed to create hard link '{target}': {errno}")
            }
            _ => format!("failed to create hard link '{target}' => '{source}': {errno}"),
        };
        let why = plain(errno);
        let uutils = format!("failed to create hard link '{source}' => '{target}': {why}");
        self.pick(gnu, uutils)
    }

    /// What `ln` should give another name, and is not there.
    pub(crate) fn linked(self, source: &str, target: &str, errno: Errno) -> String {
        let gnu = format!("failed to access '{source}': {errno}");
        self.pick(gnu, self.hard_link(source, target, errno))
    }

    /// A target that has to be a directory, for several sources.
    pub(crate) fn target(self, target: &str, errno: Errno) -> String {
        let gnu = format!("target '{target}': {errno}");
        self.pick(gnu, format!("target '{target}' is not a directory"))
    }

    /// A date of `touch`.
    pub(crate) fn date(self, text: &str) -> String {
        let gnu = format!("invalid date format '{text}'");
        self.pick(gnu, format!("Unable to parse date: {text}"))
    }

    /// A file of `touch`; whether it could be looked at.
    pub(crate) fn touch(self, operand: &str, errno: Errno, is_seen: bool) -> String {
        let gnu = format!("cannot touch '{operand}': {errno}");
        let uutils = match (errno, is_seen) {
            (Errno::Access, false) => format!("setting times of '{operand}': {errno}"),
            _ => gnu.clone(),
        };
        self.pick(gnu, uutils)
    }

    /// What `mktemp` cannot make: a kind of file, its template, and the path that was tried.
    pub(crate) fn temporary(self, kind: &str, shown: &str, path: &str, errno: Errno) -> String {
        let gnu = format!("failed to create {kind} via template '{shown}': {errno}");
        let uutils = match errno {
            Errno::Access => format!("{} at path \"{path}\"", numbered(errno)),
            _ => gnu.clone(),
        };
        self.pick(gnu, uutils)
    }
}

/// What files are.
impl Coreutils {
    /// A file that `stat` does not find.
    pub(crate) fn stat(self, operand: &str, errno: Errno) -> String {
        let gnu = format!("cannot statx '{operand}': {errno}");
        self.pick(gnu, format!("cannot stat '{operand}': {}", numbered(errno)))
    }

    /// A file that `ls` does not find.
    pub(crate) fn list(self, operand: &str, errno: Errno) -> String {
        let what = match (self, errno) {
            (Self::Uutils, Errno::Access) => "cannot open file",
            _ => "cannot access",
        };
        format!("{what} '{operand}': {errno}")
    }

    /// A file that `chmod` does not find.
    pub(crate) fn mode_of(self, operand: &str, errno: Errno) -> String {
        let errno = self.pick(
            errno,
            if errno == Errno::Access {
                Errno::NotFound
            } else {
                errno
            },
        );
        format!("cannot access '{operand}': {errno}")
    }

    /// A file that `chmod` may not change.
    pub(crate) fn change_mode(self, operand: &str, errno: Errno) -> String {
        let gnu = format!("changing permissions of '{operand}': {errno}");
        self.pick(gnu, numbered(errno))
    }

    /// A file that `chown` or `chgrp` does not find.
    pub(crate) fn owner_of(self, operand: &str, errno: Errno) -> String {
        let what = self.pick("cannot access", "cannot dereference");
        format!("{what} '{operand}': {errno}")
    }

    /// A file that `chown` or `chgrp` may not change; `what` is `ownership` or `group`.
    pub(crate) fn change_owner(self, what: &str, operand: &str, errno: Errno) -> String {
        format!("changing {what} of '{operand}': {}", self.errno(errno))
    }
}

/// `install`.
impl Coreutils {
    /// A mode.
    pub(crate) fn install_mode(self, text: &str) -> String {
        let uutils = format!("Invalid mode string: {}", mode_problem(text));
        self.pick(format!("invalid mode '{text}'"), uutils)
    }

    /// A user or a group (`kind`) that is not there.
    pub(crate) fn install_owner(self, kind: &str, name: &str) -> String {
        let colon = self.pick("", ":");
        format!("invalid {kind}{colon} '{name}'")
    }

    /// A file that may not be given to somebody.
    pub(crate) fn install_chown(self, target: &str, errno: Errno) -> String {
        let gnu = format!("cannot change ownership of '{target}': {errno}");
        let why = self.change_owner("ownership", target, errno);
        self.pick(gnu, format!("failed to chown '{target}': {why}"))
    }

    /// A source that is not there.
    pub(crate) fn install_source(self, source: &str, errno: Errno) -> String {
        let gnu = format!("cannot stat '{source}': {errno}");
        self.pick(gnu, plain(errno))
    }

    /// A file that cannot be made.
    pub(crate) fn install_file(self, target: &str, errno: Errno) -> String {
        let gnu = format!("cannot create regular file '{target}': {errno}");
        let uutils = match errno {
            Errno::NotFound => format!("invalid target '{target}': {errno}"),
            _ => gnu.clone(),
        };
        self.pick(gnu, uutils)
    }

    /// A file that would have to take the place of a directory.
    pub(crate) fn install_over(self, source: &str, target: &str) -> String {
        let gnu = format!("cannot overwrite directory '{target}' with non-directory");
        self.pick(gnu.clone(), format!("{gnu} '{source}'"))
    }
}

/// Texts, and numbers.
impl Coreutils {
    /// A file that `uniq` cannot open.
    pub(crate) fn uniq(self, operand: &str, errno: Errno) -> String {
        let head = self.pick("", "Could not open ");
        format!("{head}{operand}: {errno}")
    }

    /// A file that `paste` cannot open.
    pub(crate) fn paste(self, operand: &str, errno: Errno) -> String {
        self.pick(format!("{operand}: {errno}"), errno.to_string())
    }

    /// A directory that `sort` should read.
    pub(crate) fn sort_directory(self, operand: &str) -> String {
        let errno = Errno::IsDirectory;
        self.pick(format!("read failed: {operand}: {errno}"), numbered(errno))
    }

    /// A list of `cut` that makes no sense, and whether more is said behind it.
    pub(crate) fn cut_range(self, list: &str) -> String {
        let gnu = "invalid field range".to_owned();
        let why = match list.split([',', '-', ' ']).any(|part| part == "0") {
            true => "fields and positions are numbered from 1",
            false => "failed to parse range",
        };
        self.pick(gnu, format!("range '{list}' was invalid: {why}"))
    }

    /// What `base64` cannot read.
    pub(crate) fn base64(self) -> &'static str {
        self.pick("invalid input", "error: invalid input")
    }

    /// An output of `dd` that refuses.
    pub(crate) fn dd_write(self, operand: &str, errno: Errno) -> String {
        self.pick(
            format!("error writing '{operand}': {errno}"),
            format!("IO error: {errno}"),
        )
    }

    /// A number of `dd`.
    pub(crate) fn dd_number(self, text: &str) -> String {
        let (open, close) = self.pick(("'", "'"), ("\u{2018}", "\u{2019}"));
        format!("invalid number: {open}{text}{close}")
    }
}
