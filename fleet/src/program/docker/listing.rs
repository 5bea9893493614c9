//! Tables, and the templates of `--format`.

use std::collections::BTreeMap;

use super::flags::Flags;
use super::{Docker, Failure, Outcome, said};
use crate::engine::template::{Missing, Template};
use crate::engine::value::Value;

/// What is listed.
pub(super) struct Listing<'a> {
    /// The columns of the table: names of members, and what stands above them.
    pub(super) columns: &'a [(&'a str, &'a str)],
    /// The rows: maps.
    pub(super) rows: Vec<Value>,
    /// The member that `-q` prints.
    pub(super) key: &'a str,
}

/// Parses a template; a mistake has the words of the command.
pub(super) fn template(text: &str) -> Result<Template, Failure> {
    let text = text.replace("\\t", "\t").replace("\\n", "\n");
    Template::parse(&text).map_err(|problem| said(format!("template parsing error: {problem}")))
}

/// Carries a template out.
pub(super) fn fill(template: &Template, value: &Value) -> Result<String, Failure> {
    let filled = template.execute(value, Missing::Key);
    filled.map_err(|problem| said(format!("template parsing error: {problem}")))
}

/// Returns labels as a cell of a table shows them.
pub(super) fn labels(labels: &BTreeMap<String, String>) -> String {
    let labels = labels.iter().map(|(name, value)| format!("{name}={value}"));
    labels.collect::<Vec<_>>().join(",")
}

/// Returns whether the filter `label=wanted` lets through what has these labels: `wanted` is a
/// name, or a name and a value.
pub(super) fn has_label(labels: &BTreeMap<String, String>, wanted: &str) -> bool {
    match wanted.split_once('=') {
        Some((name, value)) => labels.get(name).is_some_and(|own| own == value),
        None => labels.contains_key(wanted),
    }
}

/// Returns a word with a capital letter, as tables show states.
pub(super) fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

impl Docker<'_> {
    /// Prints a listing in the form that `--format` and `--quiet` ask for.
    pub(super) fn list(&mut self, listing: Listing<'_>, flags: &Flags) -> Outcome {
        let text = listing.show(flags.value("format"), flags.has("quiet"))?;
        self.invocation.print(&text);
        Ok(0)
    }
}

impl Listing<'_> {
    fn show(mut self, format: Option<&str>, is_quiet: bool) -> Result<String, Failure> {
        for row in &mut self.rows {
            if let Value::Map(members) = row {
                members.sort_by(|(one, _), (other, _)| one.cmp(other));
            }
        }
        match format.filter(|format| *format != "table") {
            None if is_quiet => {
                let keys = self.rows.iter().map(|row| row.at(&[self.key]).as_text());
                Ok(keys.map(|key| format!("{key}\n")).collect())
            }
            None => Ok(self.table()),
            Some("json") => self.filled("{{json .}}"),
            Some(format) => match format.strip_prefix("table ") {
                Some(format) => self.filled_table(format),
                None => self.filled(format),
            },
        }
    }

    fn filled(&self, format: &str) -> Result<String, Failure> {
        let template = template(format)?;
        let mut out = String::new();
        for row in &self.rows {
            out.push_str(&fill(&template, row)?);
            out.push('\n');
        }
        Ok(out)
    }

    fn filled_table(&self, format: &str) -> Result<String, Failure> {
        let template = template(format)?;
        let names = template.fields().into_iter();
        let heads = names.map(|name| {
            let known = self.columns.iter().find(|(column, _)| *column == name);
            let head = known.map_or_else(|| spaced(&name), |(_, head)| (*head).to_owned());
            (name, Value::from(head))
        });
        let mut lines = vec![fill(&template, &Value::Map(heads.collect()))?];
        for row in &self.rows {
            lines.push(fill(&template, row)?);
        }
        let rows = lines
            .iter()
            .map(|line| line.split('\t').map(str::to_owned).collect());
        Ok(aligned(&rows.collect::<Vec<Vec<String>>>()))
    }

    fn table(&self) -> String {
        let heads = self.columns.iter().map(|(_, head)| (*head).to_owned());
        let mut rows: Vec<Vec<String>> = vec![heads.collect()];
        for row in &self.rows {
            let cells = self.columns.iter().map(|(name, _)| match row.at(&[name]) {
                Value::Text(text) => text.clone(),
                other => other.json(),
            });
            rows.push(cells.collect());
        }
        aligned(&rows)
    }
}

/// Returns a name in capital letters with blanks between its words.
fn spaced(name: &str) -> String {
    let mut out = String::new();
    let mut was_small = false;
    for one in name.chars() {
        if one.is_uppercase() && was_small {
            out.push(' ');
        }
        was_small = one.is_lowercase();
        out.extend(one.to_uppercase());
    }
    out
}

/// Aligns columns: at least ten wide, three blanks between them, none behind the last.
fn aligned(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widths: Vec<usize> = (0..count)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            let widest = cells.map(|cell| cell.chars().count()).max();
            (widest.unwrap_or_default() + 3).max(10)
        })
        .collect();
    let mut out = String::new();
    for row in rows {
        let last = row.len().saturating_sub(1);
        for (column, cell) in row.iter().enumerate() {
            if column == last {
                out.push_str(cell);
            } else {
                let width = widths[column];
                out.push_str(&format!("{cell:<width$}"));
            }
        }
        out.push('\n');
    }
    out
}
