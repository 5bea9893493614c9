//! Which rows are run, and which of them are compared.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use parity::{Row, Rules, STATES, State};

/// Rows, with what they are compared by.
pub(crate) struct Selection {
    /// Where rows and recordings are.
    pub(super) data: PathBuf,
    pub(super) rules: Rules,
    /// The rows to run, by their states.
    pub(super) states: Vec<(&'static State, Vec<Row>)>,
    /// Beginnings of the paths of the rows that are compared; all of them where there are none.
    words: Vec<String>,
}

impl Selection {
    /// Reads the rows whose path begins with one of the words, and those that have to run before them.
    pub(crate) fn read(data: &Path, words: &[String]) -> Result<Self> {
        let document = data.join("normalise.md");
        let text = std::fs::read_to_string(&document)
            .with_context(|| format!("cannot read `{}`", document.display()))?;
        let mut all = Vec::new();
        for state in STATES {
            all.push((state, Row::read_all(data, state)?));
        }
        for word in words {
            let mut paths = all.iter().flat_map(|(_, rows)| rows).map(Row::path);
            if !paths.any(|path| path.starts_with(word.as_str())) {
                let states: Vec<&str> = STATES.iter().map(|state| state.name).collect();
                bail!(
                    "no row begins with `{word}`; the states are {}",
                    states.join(", ")
                );
            }
        }
        let states = all
            .into_iter()
            .map(|(state, rows)| (state, needed(state, rows, words)))
            .filter(|(_, rows)| !rows.is_empty());
        Ok(Self {
            data: data.to_owned(),
            rules: Rules::parse(&text)?,
            states: states.collect(),
            words: words.to_vec(),
        })
    }

    /// Says whether a row is compared.
    pub(super) fn has(&self, row: &Row) -> bool {
        is_chosen(row, &self.words)
    }
}

fn is_chosen(row: &Row, words: &[String]) -> bool {
    let path = row.path();
    words.is_empty() || words.iter().any(|word| path.starts_with(word.as_str()))
}

/// Returns the rows of a state that have to run: the chosen ones, and those that they may depend on.
fn needed(state: &State, mut rows: Vec<Row>, words: &[String]) -> Vec<Row> {
    if state.is_ordered {
        let last = rows.iter().rposition(|row| is_chosen(row, words));
        rows.truncate(last.map_or(0, |last| last + 1));
    } else {
        rows.retain(|row| is_chosen(row, words));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(state: &str, words: &[&str]) -> Vec<String> {
        let state = State::named(state).unwrap();
        let rows = ["01-a", "02-b", "03-c", "04-d"]
            .iter()
            .map(|name| Row::parse(state, name, "true\n"))
            .collect();
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        needed(state, rows, &words).iter().map(Row::path).collect()
    }

    #[test]
    fn all_rows_are_run_without_a_word() {
        assert_eq!(paths("bare", &[]).len(), 4);
        assert_eq!(paths("manager", &[]).len(), 4);
    }

    #[test]
    fn rows_that_leave_hosts_alone_are_run_alone() {
        assert_eq!(paths("bare", &["bare/03", "manager"]), ["bare/03-c"]);
    }

    #[test]
    fn rows_that_others_depend_on_are_run_before_them() {
        let expected = ["changes/01-a", "changes/02-b", "changes/03-c"];
        assert_eq!(paths("changes", &["changes/03", "changes/01"]), expected);
    }

    #[test]
    fn a_state_without_a_chosen_row_is_not_needed() {
        assert!(paths("worker", &["manager"]).is_empty());
    }

    #[test]
    fn a_word_that_no_row_begins_with_is_refused() {
        let data = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(crate::rows::DATA);

        let refused = Selection::read(&data, &["nosuch".to_owned()]);

        let shown = refused.err().unwrap().to_string();
        assert!(shown.contains("no row begins with `nosuch`"), "{shown}");
    }

    #[test]
    fn the_rows_of_the_repository_can_be_read() {
        let data = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .join(crate::rows::DATA);

        let selection = Selection::read(&data, &["bare/01".to_owned()]).unwrap();

        assert_eq!(selection.states.len(), 1);
        assert!(selection.has(&selection.states[0].1[0]));
    }
}
