//! Rows and recordings.

use std::path::Path;

/// A row.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) from: String,
    pub(crate) is_root: bool,
    pub(crate) host: Option<String>,
    pub(crate) arguments: String,
    pub(crate) stdin: Option<String>,
    pub(crate) script: String,
    pub(crate) recorded: String,
}

/// What came of a row.
pub(crate) struct Answer {
    pub(crate) status: u32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Row {
    /// Reads all rows of a state, in their order.
    pub(crate) fn read_all(data: &Path, state: &str) -> Vec<Self> {
        let directory = data.join("rows").join(state);
        let entries = std::fs::read_dir(directory).unwrap();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let read = |path: &std::path::PathBuf| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let recorded = data
                .join("recorded")
                .join(state)
                .join(format!("{name}.txt"));
            let recorded = std::fs::read_to_string(recorded).unwrap();
            Self::parse(name, &std::fs::read_to_string(path).unwrap(), recorded)
        };
        paths.iter().map(read).collect()
    }

    fn parse(name: String, text: &str, recorded: String) -> Self {
        let mut row = Self {
            name,
            from: String::new(),
            is_root: false,
            host: None,
            arguments: String::new(),
            stdin: None,
            script: String::new(),
            recorded,
        };
        let mut rest = text;
        while let Some((line, after)) = rest.split_once('\n') {
            let Some((key, value)) = line
                .strip_prefix("# ")
                .and_then(|line| line.split_once(':'))
            else {
                break;
            };
            let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
            match key {
                "from" => row.from = value,
                "user" => row.is_root = value == "root",
                "host" => row.host = Some(value),
                "args" => row.arguments = value,
                "stdin" => row.stdin = Some(unescape(&value)),
                _ => break,
            }
            rest = after;
        }
        rest.clone_into(&mut row.script);
        row
    }

    /// Returns whether a word stands anywhere in it.
    pub(crate) fn has(&self, word: &str) -> bool {
        let stdin = self.stdin.as_deref().unwrap_or_default();
        [self.script.as_str(), &self.arguments, stdin]
            .iter()
            .any(|text| text.contains(word))
    }

    /// Returns the program that is sent, with words replaced.
    pub(crate) fn program(&self, words: &[(&str, String)]) -> String {
        let fill = |text: &str| {
            words.iter().fold(text.to_owned(), |text, (word, value)| {
                text.replace(word, value)
            })
        };
        let script = quote(&fill(&self.script));
        let call = match &self.stdin {
            None => format!("( eval {script} ) </dev/null\n"),
            Some(stdin) => format!("printf '%s' {} | ( eval {script} )\n", quote(&fill(stdin))),
        };
        let program = format!("set -- {}\n{call}exit $?\n", fill(&self.arguments));
        if self.is_root {
            format!(
                "printf '%s' {} | sudo -n -- /bin/sh -s\nexit $?\n",
                quote(&program)
            )
        } else {
            program
        }
    }
}

fn unescape(text: &str) -> String {
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, character == '\\') {
            (_, true) => match characters.next() {
                Some('n') => plain.push('\n'),
                Some(other) => plain.push(other),
                None => plain.push('\\'),
            },
            (other, false) => plain.push(other),
        }
    }
    plain
}

fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

impl Answer {
    /// Returns it in the form of a recording.
    pub(crate) fn text(&self) -> String {
        let part = |text: &str| {
            if text.is_empty() || text.ends_with('\n') {
                text.to_owned()
            } else {
                format!("{text}\n\\ No newline at end\n")
            }
        };
        format!(
            "status: {}\n--- stdout\n{}--- stderr\n{}",
            self.status,
            part(&self.stdout),
            part(&self.stderr)
        )
    }
}
