//! Rows, and the program that is sent for one.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::state::State;

/// A command or a script that is run on a host.
#[derive(Clone, Debug)]
pub struct Row {
    /// What the hosts are.
    pub state: &'static State,
    /// The name of its file, without the extension.
    pub name: String,
    /// What sends it: a phase and its step, a part of a crate, or a user's hook.
    pub from: String,
    /// The program that it is about, with its version, where that is not told for its whole state.
    pub of: String,
    /// Whether it is run through sudo.
    pub is_root: bool,
    /// The host.
    pub host: String,
    /// Its arguments, quoted as for a shell.
    pub arguments: String,
    /// Its standard input; `/dev/null` where there is none.
    pub stdin: Option<String>,
    /// The text that is run.
    pub script: String,
    /// What hosts of the lab have answered, where they were asked already.
    pub recorded: Option<String>,
}

/// A word that stands for what a row cannot know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// The password of the user `puller` at `private.lab`.
    PrivatePassword,
    /// The swarm's token for workers.
    WorkerToken,
    /// The id of the host in the swarm.
    NodeId,
}

impl Word {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::PrivatePassword, Self::WorkerToken, Self::NodeId];

    /// Returns how it is written in a row.
    pub fn text(self) -> &'static str {
        match self {
            Self::PrivatePassword => "{{private-password}}",
            Self::WorkerToken => "{{worker-token}}",
            Self::NodeId => "{{node-id}}",
        }
    }

    /// Returns the host to ask and the command that root runs there; none for what no host knows.
    pub fn question(self, row: &Row) -> Option<(&str, &'static str)> {
        match self {
            Self::PrivatePassword => None,
            Self::WorkerToken => Some(("m1", "docker swarm join-token -q worker")),
            Self::NodeId => Some((&row.host, "docker info --format '{{.Swarm.NodeID}}'")),
        }
    }
}

impl Row {
    /// Reads all rows of a state, in their order, with their recordings.
    ///
    /// # Errors
    ///
    /// Fails where there are no rows, or where one cannot be read.
    pub fn read_all(data: &Path, state: &'static State) -> Result<Vec<Self>> {
        let directory = data.join("rows").join(state.name);
        let cannot = || format!("cannot read the rows in `{}`", directory.display());
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(&directory).with_context(cannot)? {
            paths.push(entry.with_context(cannot)?.path());
        }
        paths.sort();
        if paths.is_empty() {
            bail!("there are no rows in `{}`", directory.display());
        }
        paths.iter().map(|path| read(data, state, path)).collect()
    }

    /// Reads a row off its text.
    pub fn parse(state: &'static State, name: &str, text: &str) -> Self {
        let mut row = Self {
            state,
            name: name.to_owned(),
            from: String::new(),
            of: String::new(),
            is_root: false,
            host: state.host.to_owned(),
            arguments: String::new(),
            stdin: None,
            script: String::new(),
            recorded: None,
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
                "of" => row.of = value,
                "user" => row.is_root = value == "root",
                "host" => row.host = value,
                "args" => row.arguments = value,
                "stdin" => row.stdin = Some(unescape(&value)),
                _ => break,
            }
            rest = after;
        }
        rest.clone_into(&mut row.script);
        row
    }

    /// Returns its state and its name.
    pub fn path(&self) -> String {
        format!("{}/{}", self.state.name, self.name)
    }

    /// Returns where its recording is.
    pub fn recording(&self, data: &Path) -> PathBuf {
        let directory = data.join("recorded").join(self.state.name);
        directory.join(format!("{}.txt", self.name))
    }

    /// Returns the words that have to be replaced in it.
    pub fn words(&self) -> Vec<Word> {
        let stdin = self.stdin.as_deref().unwrap_or_default();
        let texts = [self.script.as_str(), &self.arguments, stdin];
        let stands = |word: &Word| texts.iter().any(|text| text.contains(word.text()));
        Word::ALL.into_iter().filter(stands).collect()
    }

    /// Returns the program that is sent, with words replaced.
    pub fn program(&self, words: &[(Word, String)]) -> String {
        let fill = |text: &str| {
            words.iter().fold(text.to_owned(), |text, (word, value)| {
                text.replace(word.text(), value)
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

fn read(data: &Path, state: &'static State, path: &Path) -> Result<Row> {
    let cannot = || format!("cannot read the row `{}`", path.display());
    let text = std::fs::read_to_string(path).with_context(cannot)?;
    let name = path.file_stem().and_then(|stem| stem.to_str());
    let mut row = Row::parse(state, name.with_context(cannot)?, &text);
    let recording = row.recording(data);
    row.recorded = match std::fs::read_to_string(&recording) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => {
            let cannot = format!("cannot read the recording `{}`", recording.display());
            return Err(error).context(cannot);
        }
    };
    Ok(row)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str) -> Row {
        Row::parse(State::named("changes").unwrap(), "07-some", text)
    }

    #[test]
    fn a_row_is_its_head_and_the_rest_byte_for_byte() {
        let row = row(
            "# from: label-nodes: docker node update\n# of: docker 20.10\n# user: root\n# host: w1\n# args: '' 'a=b'\n\
             # stdin: one\\ntwo\\\\\n\n# a comment of the script\necho $1\n",
        );

        assert_eq!(row.from, "label-nodes: docker node update");
        assert_eq!(row.of, "docker 20.10");
        assert_eq!((row.is_root, row.host.as_str()), (true, "w1"));
        assert_eq!(row.arguments, "'' 'a=b'");
        assert_eq!(row.stdin.as_deref(), Some("one\ntwo\\"));
        assert_eq!(row.script, "\n# a comment of the script\necho $1\n");
    }

    #[test]
    fn a_comment_that_looks_like_a_head_belongs_to_the_script() {
        let row = row("# from: hook\n# user: lab\n# note: this\ntrue\n");

        assert_eq!(row.script, "# note: this\ntrue\n");
        assert_eq!((row.is_root, row.host.as_str()), (false, "m1"));
    }

    #[test]
    fn the_program_of_the_login_user_has_every_word_in_quotes() {
        let row = row("# user: lab\n# args: 'a b'\necho 'it'\n");

        let expected = "set -- 'a b'\n( eval 'echo '\\''it'\\''\n' ) </dev/null\nexit $?\n";
        assert_eq!(row.program(&[]), expected);
    }

    #[test]
    fn a_program_with_input_gets_it_through_a_pipe() {
        let row = row("# stdin: x\\n\n\ncat\n");

        let expected = "set -- \nprintf '%s' 'x\n' | ( eval '\ncat\n' )\nexit $?\n";
        assert_eq!(row.program(&[]), expected);
    }

    #[test]
    fn a_program_for_root_is_handed_on() {
        let row = row("# user: root\nid\n");

        let expected = "printf '%s' 'set -- \n( eval '\\''id\n'\\'' ) </dev/null\nexit $?\n' \
                        | sudo -n -- /bin/sh -s\nexit $?\n";
        assert_eq!(row.program(&[]), expected);
    }

    #[test]
    fn words_are_replaced_wherever_they_stand() {
        let row = row("# args: '{{node-id}}'\n# stdin: {{worker-token}}\ntrue\n");

        let words = row.words();

        assert_eq!(words, [Word::WorkerToken, Word::NodeId]);
        let values = [
            (Word::WorkerToken, "token".to_owned()),
            (Word::NodeId, "id".to_owned()),
        ];
        let expected = "set -- 'id'\nprintf '%s' 'token' | ( eval 'true\n' )\nexit $?\n";
        assert_eq!(row.program(&values), expected);
    }

    #[test]
    fn the_id_of_a_node_is_asked_where_the_row_is_run() {
        let row = row("# host: w1\necho {{node-id}}\n");

        assert_eq!(Word::NodeId.question(&row).unwrap().0, "w1");
        assert_eq!(Word::WorkerToken.question(&row).unwrap().0, "m1");
        assert!(Word::PrivatePassword.question(&row).is_none());
    }

    #[test]
    fn rows_come_in_their_order_and_without_a_recording_too() {
        let data = tempfile::tempdir().unwrap();
        let state = State::named("bare").unwrap();
        for part in ["rows/bare", "recorded/bare"] {
            std::fs::create_dir_all(data.path().join(part)).unwrap();
        }
        std::fs::write(data.path().join("rows/bare/02-b.sh"), "true\n").unwrap();
        std::fs::write(data.path().join("rows/bare/01-a.sh"), "true\n").unwrap();
        std::fs::write(data.path().join("recorded/bare/01-a.txt"), "status: 0\n").unwrap();

        let rows = Row::read_all(data.path(), state).unwrap();

        let paths: Vec<String> = rows.iter().map(Row::path).collect();
        assert_eq!(paths, ["bare/01-a", "bare/02-b"]);
        assert_eq!(rows[0].recorded.as_deref(), Some("status: 0\n"));
        assert_eq!(rows[1].recorded, None);
    }
}
