//! What reads: `read`, `getopts`.

use super::super::{Flow, Shell};
use super::{Builtin, Done};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin {
        name: "read",
        is_special: false,
        run: |shell, words| Box::pin(read(shell, words)),
    },
    Builtin {
        name: "getopts",
        is_special: false,
        run: |shell, words| Box::pin(getopts(shell, words)),
    },
];

/// Reads a line; characters behind a backslash are marked.
async fn read_line(shell: &mut Shell, is_raw: bool) -> Result<(Vec<(char, bool)>, bool), String> {
    let reader = shell.reader(0);
    let mut all = Vec::new();
    loop {
        let line = reader
            .read_line()
            .await
            .map_err(|error| error.to_string())?;
        let is_complete = line.ends_with(b"\n");
        let text = String::from_utf8_lossy(&line).into_owned();
        let mut characters = text.strip_suffix('\n').unwrap_or(&text).chars();
        let mut goes_on = false;
        while let Some(one) = characters.next() {
            if one == '\0' {
                continue;
            }
            if one != '\\' || is_raw {
                all.push((one, false));
                continue;
            }
            match characters.next() {
                Some(next) => all.push((next, true)),
                None => goes_on = is_complete,
            }
        }
        if !goes_on {
            return Ok((all, is_complete));
        }
    }
}

impl Shell {
    /// Prints on standard error, without a place.
    async fn say(&mut self, text: &str) {
        self.print_to(2, text.as_bytes()).await;
    }
}

async fn read(shell: &mut Shell, words: Vec<String>) -> Done {
    let mut is_raw = false;
    let mut at = 1;
    while let Some(word) = words.get(at) {
        match word.as_str() {
            "-r" => is_raw = true,
            "-p" => at += 1,
            "--" => {
                at += 1;
                break;
            }
            word if word.starts_with('-') && word.len() > 1 => {
                return Err(shell.not_simulated("options of read"));
            }
            _ => break,
        }
        at += 1;
    }
    let mut names = words.get(at..).unwrap_or_default().to_vec();
    if names.is_empty() {
        if shell.dialect == super::Dialect::Posix {
            return Err(shell.fail("arg count"));
        }
        names.push("REPLY".to_owned());
    }
    let (line, is_complete) = match read_line(shell, is_raw).await {
        Ok(line) => line,
        Err(_) => return shell.done(1),
    };
    let separators = shell.variable("IFS").unwrap_or(" \t\n").to_owned();
    let values = split(&line, names.len(), &separators);
    for (index, name) in names.iter().enumerate() {
        if !super::super::parse::is_name(name) {
            return Err(shell.fail(&format!("{name}: bad variable name")));
        }
        let value = values.get(index).map_or("", String::as_str);
        shell.set(name, value)?;
    }
    shell.done(u8::from(!is_complete))
}

/// Splits a line into as many fields as there are names; the last takes the rest.
fn split(line: &[(char, bool)], count: usize, separators: &str) -> Vec<String> {
    let is_separator = |at: usize| {
        line.get(at)
            .is_some_and(|(one, is_quoted)| !is_quoted && separators.contains(*one))
    };
    let is_blank = |at: usize| is_separator(at) && matches!(line[at].0, ' ' | '\t' | '\n');
    let skip_blanks = |mut at: usize| {
        while is_blank(at) {
            at += 1;
        }
        at
    };
    let text = |from: usize, to: usize| line[from..to].iter().map(|(one, _)| *one).collect();
    let mut values: Vec<String> = Vec::new();
    let mut at = skip_blanks(0);
    while values.len() + 1 < count && at < line.len() {
        let start = at;
        while at < line.len() && !is_separator(at) {
            at += 1;
        }
        values.push(text(start, at));
        at = skip_blanks(at);
        if is_separator(at) && !is_blank(at) {
            at = skip_blanks(at + 1);
        }
    }
    if at < line.len() {
        let mut end = line.len();
        while end > at && is_blank(end - 1) {
            end -= 1;
        }
        // One field with its separator is just the field.
        let is_single = end > at && is_separator(end - 1) && !(at..end - 1).any(is_separator);
        let end = if is_single { end - 1 } else { end };
        values.push(text(at, end));
    }
    values
}

async fn getopts(shell: &mut Shell, words: Vec<String>) -> Done {
    let [_, known, name, rest @ ..] = words.as_slice() else {
        return Err(shell.fail("Usage: getopts optstring var [arg...]"));
    };
    let arguments = match rest.is_empty() {
        true => shell.positional.clone(),
        false => rest.to_vec(),
    };
    let index: usize = shell
        .variable("OPTIND")
        .and_then(|text| text.parse().ok())
        .unwrap_or(1);
    // Within a word, the index is already that of the next one.
    let index = index - usize::from(shell.option_offset > 0 && index > 1);
    let offset = shell.option_offset.max(1);
    let Some(word) = arguments
        .get(index.wrapping_sub(1))
        .filter(|word| word.len() > 1 && word.starts_with('-'))
    else {
        shell.set(name, "?")?;
        return shell.done(1);
    };
    if word == "--" {
        shell.set(name, "?")?;
        shell.set("OPTIND", &(index + 1).to_string())?;
        return shell.done(1);
    }
    let letter = word[offset..].chars().next().unwrap_or('?');
    let rest = word[offset + letter.len_utf8()..].to_owned();
    let (mut next, mut next_offset) = match rest.is_empty() {
        true => (index + 1, 0),
        false => (index + 1, offset + letter.len_utf8()),
    };
    let silent = known.starts_with(':');
    let place = known.find(letter).filter(|_| letter != ':');
    let mut found = letter.to_string();
    let mut value = None;
    match place {
        None => {
            found = "?".to_owned();
            match silent {
                true => value = Some(letter.to_string()),
                false => shell.say(&format!("Illegal option -{letter}\n")).await,
            }
        }
        Some(place) if known[place + 1..].starts_with(':') => {
            (next, next_offset) = (index + 1, 0);
            value = match rest.is_empty() {
                false => Some(rest),
                true => {
                    next += 1;
                    arguments.get(index).cloned()
                }
            };
            if value.is_none() {
                next = index + 1;
                found = if silent { ":" } else { "?" }.to_owned();
                value = silent.then(|| letter.to_string());
                if !silent {
                    shell.say(&format!("No arg for -{letter} option\n")).await;
                }
            }
        }
        Some(_) => {}
    }
    shell.set(name, &found)?;
    match value {
        Some(value) => shell.set("OPTARG", &value)?,
        None => shell.change_variable("OPTARG", |variable| variable.value = None),
    }
    shell.set("OPTIND", &next.to_string())?;
    shell.option_offset = next_offset;
    shell.status = 0;
    Ok(Flow::Next)
}
