//! What uutils says of wrong calls: the words of its argument parser, clap 4, around what
//! `data/uutils-usage.txt` tells of each program.

use std::fmt::Write as _;

use crate::program::Invocation;

const USAGE: &str = include_str!("../../../data/uutils-usage.txt");

/// How a program is called.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Usage {
    /// The exit status of a wrong call.
    status: u8,
    /// Whether it takes no operands.
    is_bare: bool,
    /// Whether what it says of its use is not simulated.
    is_long: bool,
    /// The ways to call it.
    calls: Vec<&'static str>,
    /// What has to be there.
    required: Vec<&'static str>,
    /// Letter, name and value of its options, each empty where there is none.
    options: Vec<[&'static str; 3]>,
}

/// Returns how a program of uutils is called; `None` for one that reads its arguments itself.
pub(crate) fn find(name: &str) -> Option<Usage> {
    let mut lines = USAGE
        .lines()
        .skip_while(|line| *line != format!("p {name}"));
    lines.next()?;
    let mut usage = Usage {
        status: 1,
        ..Usage::default()
    };
    for line in lines {
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        match kind {
            "e" => usage.status = rest.parse().unwrap_or(1),
            "n" => usage.is_bare = true,
            "l" => usage.is_long = true,
            "u" => usage.calls.push(rest),
            "r" => usage.required.push(rest),
            "o" => {
                let mut words = rest.splitn(3, ' ');
                let mut next = || match words.next() {
                    None | Some("-") => "",
                    Some(word) => word,
                };
                usage.options.push([next(), next(), next()]);
            }
            _ => break,
        }
    }
    Some(usage)
}

impl Usage {
    /// Returns the option that a word like `-n` or `--lines` means.
    fn option(&self, word: &str) -> Option<&[&'static str; 3]> {
        let is_it = |option: &&[&str; 3]| match word.strip_prefix("--") {
            Some(name) => option[1] == name,
            None => word.strip_prefix('-') == Some(option[0]),
        };
        self.options.iter().find(is_it)
    }

    /// Returns whether it has an option, written as `-n` or `--lines`.
    pub(crate) fn has(&self, word: &str) -> bool {
        self.option(word).is_some()
    }

    /// Returns the name of the option that a word means.
    pub(crate) fn names(&self, word: &str) -> Option<&'static str> {
        self.option(word).map(|option| option[1])
    }

    /// Returns whether it takes no operands.
    pub(crate) fn is_bare(&self) -> bool {
        self.is_bare
    }

    /// Returns the lines that tell how it is called.
    fn calls(&self) -> String {
        let mut text = String::new();
        for (number, call) in self.calls.iter().enumerate() {
            let head = if number == 0 { "Usage: " } else { "       " };
            // Writing into a string cannot fail.
            let _ = writeln!(text, "{head}{call}");
        }
        text
    }

    /// Says that an option is unknown, as clap does.
    fn unexpected(&self, word: &str) -> String {
        let tip = match self.is_bare {
            true => String::new(),
            false => format!("  tip: to pass '{word}' as a value, use '-- {word}'\n\n"),
        };
        let calls = self.calls();
        format!("error: unexpected argument '{word}' found\n\n{tip}{calls}\n{MORE}")
    }

    /// Says that an option has no value, as clap does.
    fn valueless(&self, word: &str) -> String {
        let option = match self.option(word) {
            Some(["", name, value]) => format!("--{name} {value}"),
            Some([letter, "", value]) => format!("-{letter} {value}"),
            Some([_, name, value]) => format!("--{name} {value}"),
            None => word.to_owned(),
        };
        format!("error: a value is required for '{option}' but none was supplied\n\n{MORE}")
    }

    /// Says what is missing where there are so many operands, as clap does; nothing where all is there.
    fn incomplete(&self, operands: usize) -> Option<String> {
        let named = self.required.iter().filter(|what| what.starts_with('-'));
        let places = self.required.iter().filter(|what| what.starts_with('<'));
        let missing: Vec<&&str> = named.chain(places.skip(operands)).collect();
        if missing.is_empty() {
            return None;
        }
        let list: String = missing.iter().map(|what| format!("  {what}\n")).collect();
        let calls = self.calls();
        Some(format!(
            "error: the following required arguments were not provided:\n{list}\n{calls}\n{MORE}"
        ))
    }
}

/// What `env` says where it cannot run something: it may stand behind `#!`.
pub(crate) const SHEBANG: &str = "use -[v]S to pass options in shebang lines";

/// The last line of what clap says.
const MORE: &str = "For more information, try '--help'.\n";

/// Says that an option is not known; where uutils has it, that it is not simulated. Returns the exit
/// status; `None` where the program is not one whose arguments clap reads.
pub(crate) fn unknown(invocation: &mut Invocation, word: &str) -> Option<u8> {
    let usage = find(&invocation.name)?;
    if usage.has(word) {
        return None;
    }
    if usage.is_long {
        return Some(invocation.not_simulated("what it says of its use"));
    }
    Some(wrong(invocation, &usage, &usage.unexpected(word)))
}

/// Says that an option lacks its value; returns the exit status.
pub(crate) fn valueless(invocation: &mut Invocation, word: &str) -> Option<u8> {
    let usage = find(&invocation.name)?;
    let status = wrong(invocation, &usage, &usage.valueless(word));
    // `ls` and `sort` have another status only for options that they do not know.
    Some(if status == 2 { 1 } else { status })
}

/// Says what has to be there besides so many operands; `None` where clap has nothing to say.
pub(crate) fn incomplete(invocation: &mut Invocation, operands: usize) -> Option<u8> {
    let usage = find(&invocation.name)?;
    let text = usage.incomplete(operands)?;
    Some(wrong(invocation, &usage, &text))
}

/// Says that an operand is too many; `name` is what clap calls the operands.
pub(crate) fn too_many(invocation: &mut Invocation, word: &str, name: &str) -> Option<u8> {
    let usage = find(&invocation.name)?;
    let text = format!(
        "error: unexpected value '{word}' for '{name}' found; no more were expected\n\n{}\n{MORE}",
        usage.calls()
    );
    Some(wrong(invocation, &usage, &text))
}

fn wrong(invocation: &mut Invocation, usage: &Usage, text: &str) -> u8 {
    invocation.print_error(text);
    if invocation.name == "env" {
        invocation.error(SHEBANG);
    }
    usage.status
}
