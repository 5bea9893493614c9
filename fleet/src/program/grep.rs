//! `grep`, `egrep`, `fgrep`.

use std::sync::Arc;

use regex::bytes::Regex;

use super::options::{self, Options, Value};
use super::posix::{self, Syntax, Wrong};
use super::text::{lines_of, without_end};
use super::{Invocation, Program};
use crate::files::{Errno, Follow};

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "grep",
        run: |invocation| Box::pin(grep(invocation, Syntax::Basic)),
    },
    Program {
        name: "egrep",
        run: |invocation| Box::pin(grep(invocation, Syntax::Extended)),
    },
    Program {
        name: "fgrep",
        run: |invocation| Box::pin(grep(invocation, Syntax::Fixed)),
    },
];

const LONG: &[options::Long] = &[
    ("extended-regexp", 'E', Value::None),
    ("fixed-strings", 'F', Value::None),
    ("basic-regexp", 'G', Value::None),
    ("perl-regexp", 'P', Value::None),
    ("quiet", 'q', Value::None),
    ("silent", 'q', Value::None),
    ("no-messages", 's', Value::None),
    ("invert-match", 'v', Value::None),
    ("count", 'c', Value::None),
    ("ignore-case", 'i', Value::None),
    ("only-matching", 'o', Value::None),
    ("line-number", 'n', Value::None),
    ("files-with-matches", 'l', Value::None),
    ("files-without-match", 'L', Value::None),
    ("recursive", 'r', Value::None),
    ("word-regexp", 'w', Value::None),
    ("line-regexp", 'x', Value::None),
    ("regexp", 'e', Value::Needed),
    ("file", 'f', Value::Needed),
    ("after-context", 'A', Value::Needed),
    ("before-context", 'B', Value::Needed),
    ("context", 'C', Value::Needed),
    ("max-count", 'm', Value::Needed),
    ("no-filename", 'h', Value::None),
    ("with-filename", 'H', Value::None),
    ("text", 'a', Value::None),
    ("color", 'k', Value::Optional),
    ("include", 'I', Value::Needed),
];

/// What is looked for, and how it is shown.
struct Search {
    regex: Arc<Regex>,
    options: Options,
    most: usize,
    before: usize,
    after: usize,
    shows_names: bool,
}

async fn grep(invocation: &mut Invocation, syntax: Syntax) -> u8 {
    let mut options = match options::read(invocation, "EFGPqsvciontlLrRwxe:f:A:B:C:m:hHa", LONG) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let mut patterns: Vec<String> = Vec::new();
    for (flag, value) in options.flags.clone() {
        match flag {
            'e' => patterns.extend(value.split('\n').map(str::to_owned)),
            'f' => match invocation.read_operand(&value).await {
                Some(bytes) => patterns.extend(
                    lines_of(&bytes)
                        .into_iter()
                        .map(|line| String::from_utf8_lossy(without_end(line)).into_owned()),
                ),
                None => return 2,
            },
            'I' => return invocation.not_simulated("the option --include"),
            _ => {}
        }
    }
    if !options.has('e') && !options.has('f') {
        if options.operands.is_empty() {
            invocation.complain("Usage: grep [OPTION]... PATTERNS [FILE]...");
            invocation.complain("Try 'grep --help' for more information.");
            return 2;
        }
        patterns.extend(options.operands.remove(0).split('\n').map(str::to_owned));
    }
    if options.has('P') && patterns.len() > 1 {
        invocation.error("the -P option only supports a single pattern");
        return 2;
    }
    let regex = match compile(&patterns, &options, syntax) {
        Ok(regex) => regex,
        Err(Wrong::NotSimulated(what)) => return invocation.not_simulated(what),
        Err(Wrong::Invalid) => {
            invocation.error("Invalid regular expression");
            return 2;
        }
    };
    let number = |flag: char| {
        options
            .value(flag)
            .or(options.value('C'))
            .and_then(|text| text.parse().ok())
    };
    let (before, after) = (number('B').unwrap_or(0), number('A').unwrap_or(0));
    let most = options
        .value('m')
        .and_then(|text| text.parse().ok())
        .unwrap_or(usize::MAX);
    let is_recursive = options.has('r') || options.has('R');
    if options.operands.is_empty() {
        options
            .operands
            .push(if is_recursive { "." } else { "-" }.to_owned());
    }
    let has_directory = is_recursive
        && options.operands.iter().any(|operand| {
            let path = invocation.path(operand);
            invocation.files(|files, who, _| {
                let stat = files.stat(&path, crate::files::Follow::Yes, who);
                stat.is_ok_and(|stat| stat.is_directory())
            })
        });
    let (files, mut failed) = files_of(invocation, &options, is_recursive);
    let shows_names =
        (files.len() + failed > 1 || has_directory || options.has('H')) && !options.has('h');
    let search = Search {
        regex,
        options,
        most,
        before,
        after,
        shows_names,
    };
    let mut found = false;
    for file in files {
        let is_quiet = search.options.has('s');
        let bytes = match file.as_str() {
            "-" => Ok(invocation.read_input().await),
            file => {
                let content = invocation.opener().content(&invocation.path(file));
                content.map(|content| content.whole().to_vec())
            }
        };
        match bytes {
            Ok(bytes) => found |= search_one(invocation, &search, &file, &bytes),
            Err(errno) => {
                failed += 1;
                if !is_quiet {
                    invocation.error(&format!("{file}: {errno}"));
                }
            }
        }
        if found && search.options.has('q') {
            return 0;
        }
    }
    match (found, failed) {
        (_, failed) if failed > 0 => 2,
        (true, _) => 0,
        (false, _) => 1,
    }
}

/// Returns the files to look at, and how many could not be.
fn files_of(
    invocation: &mut Invocation,
    options: &Options,
    is_recursive: bool,
) -> (Vec<String>, usize) {
    let mut files = Vec::new();
    let mut failed = 0;
    for operand in &options.operands {
        if operand == "-" {
            files.push(operand.clone());
            continue;
        }
        let path = invocation.path(operand);
        let stat = invocation.files(|files, who, _| files.stat(&path, Follow::Yes, who));
        match stat {
            Ok(stat) if stat.is_directory() && is_recursive => {
                let base = operand.trim_end_matches('/');
                let mut all = invocation.files(|files, who, _| {
                    let mut all = super::attribute::tree_of(files, &path);
                    all.retain(|path| {
                        files
                            .stat(path, Follow::No, who)
                            .is_ok_and(|stat| stat.is_file())
                    });
                    all
                });
                all.sort();
                let start = path.trim_end_matches('/').len();
                files.extend(
                    all.into_iter()
                        .map(|path| format!("{base}{}", &path[start..])),
                );
            }
            Ok(stat) if stat.is_directory() => {
                failed += 1;
                invocation.error(&format!("{operand}: {}", Errno::IsDirectory));
            }
            Ok(_) => files.push(operand.clone()),
            // It is complained of when its turn has come.
            Err(_) => files.push(operand.clone()),
        }
    }
    (files, failed)
}

fn compile(patterns: &[String], options: &Options, syntax: Syntax) -> Result<Arc<Regex>, Wrong> {
    let syntax = match options
        .flags
        .iter()
        .rev()
        .find(|(flag, _)| "EFGP".contains(*flag))
    {
        Some(('E', _)) => Syntax::Extended,
        Some(('F', _)) => Syntax::Fixed,
        Some(('P', _)) => Syntax::Perl,
        Some(_) => Syntax::Basic,
        None => syntax,
    };
    let mut parts = Vec::with_capacity(patterns.len());
    for pattern in patterns {
        let part = match syntax {
            Syntax::Fixed => regex::escape(pattern),
            Syntax::Perl => posix::perl(pattern)?,
            syntax => posix::translate(pattern, syntax == Syntax::Extended)?,
        };
        parts.push(if options.has('x') {
            format!("^(?:{part})$")
        } else if options.has('w') {
            format!("\\b{{start-half}}(?:{part})\\b{{end-half}}")
        } else {
            format!("(?:{part})")
        });
    }
    posix::build(&parts.join("|"), options.has('i'))
}

/// Looks at one file; returns whether something was found.
fn search_one(invocation: &mut Invocation, search: &Search, file: &str, bytes: &[u8]) -> bool {
    let options = &search.options;
    let lines = lines_of(bytes);
    let is_chosen = |line: &&[u8]| search.regex.is_match(without_end(line)) != options.has('v');
    let mut chosen: Vec<usize> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        if chosen.len() >= search.most {
            break;
        }
        if is_chosen(line) {
            chosen.push(at);
            if options.has('q') {
                return true;
            }
        }
    }
    let found = !chosen.is_empty();
    let shown = if file == "-" {
        "(standard input)"
    } else {
        file
    };
    if options.has('q') {
        return found;
    }
    if options.has('l') || options.has('L') {
        if found == options.has('l') {
            invocation.print(&format!("{shown}\n"));
        }
        return found;
    }
    let name = if search.shows_names { shown } else { "" };
    if options.has('c') {
        let separator = if name.is_empty() { "" } else { ":" };
        invocation.print(&format!("{name}{separator}{}\n", chosen.len()));
        return found;
    }
    if bytes.contains(&0) && !options.has('a') && found {
        invocation.print(&format!("grep: {shown}: binary file matches\n"));
        return found;
    }
    let mut last_shown: Option<usize> = None;
    for at in &chosen {
        let from = at.saturating_sub(search.before);
        let from = last_shown.map_or(from, |last| from.max(last + 1));
        if (search.before > 0 || search.after > 0) && last_shown.is_some_and(|last| from > last + 1)
        {
            invocation.print("--\n");
        }
        let to = (at + search.after).min(lines.len() - 1);
        for (line, text) in lines.iter().enumerate().take(to + 1).skip(from) {
            if last_shown.is_some_and(|last| line <= last)
                || (line != *at && line > *at && chosen.contains(&line))
            {
                continue;
            }
            if line > *at && chosen.iter().any(|other| *other > *at && *other <= line) {
                break;
            }
            print_line(invocation, search, name, line, text, line == *at);
            last_shown = Some(line);
        }
    }
    found
}

fn print_line(
    invocation: &mut Invocation,
    search: &Search,
    name: &str,
    at: usize,
    line: &[u8],
    is_match: bool,
) {
    let separator = if is_match { ':' } else { '-' };
    let mut prefix = String::new();
    if !name.is_empty() {
        prefix.push_str(&format!("{name}{separator}"));
    }
    if search.options.has('n') {
        prefix.push_str(&format!("{}{separator}", at + 1));
    }
    let line = without_end(line);
    if search.options.has('o') {
        if search.options.has('v') {
            return;
        }
        let parts: Vec<Vec<u8>> = search
            .regex
            .find_iter(line)
            .map(|part| part.as_bytes().to_vec())
            .filter(|part| !part.is_empty())
            .collect();
        for part in parts {
            invocation.print(&prefix);
            invocation.print_bytes(&part);
            invocation.print("\n");
        }
        return;
    }
    invocation.print(&prefix);
    invocation.print_bytes(line);
    invocation.print("\n");
}
