//! Aligned tables, as text and as JSON.

use unicode_width::UnicodeWidthStr;

use crate::printable::{pad, printable};

/// What a cell without a value shows.
const MISSING: &str = "n/a";

/// Rows of text under a header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<Option<String>>>,
}

impl Table {
    /// Makes a table with a header (`ADDRESS`, `INTERNAL_IP`) and no rows.
    pub fn new<T: Into<String>>(header: impl IntoIterator<Item = T>) -> Self {
        Self {
            header: header.into_iter().map(Into::into).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row. Cells that it lacks count as missing; cells too many are left out.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Option<String>>) {
        let mut row: Vec<Option<String>> = cells
            .into_iter()
            .take(self.header.len())
            .map(|cell| cell.map(|text| printable(&text).into_owned()))
            .collect();
        row.resize(self.header.len(), None);
        self.rows.push(row);
    }

    /// Returns the table as aligned text, `n/a` where a value is missing.
    pub fn to_text(&self) -> String {
        let shown = |cell: &Option<String>| match cell {
            Some(text) if !text.is_empty() => text.clone(),
            _ => MISSING.to_owned(),
        };
        let mut lines = vec![self.header.clone()];
        lines.extend(self.rows.iter().map(|row| row.iter().map(shown).collect()));
        let widths: Vec<usize> = (0..self.header.len())
            .map(|column| lines.iter().map(|line| line[column].width()).max())
            .map(Option::unwrap_or_default)
            .collect();
        let mut text = String::new();
        for line in lines {
            let cells: Vec<String> = line
                .iter()
                .zip(&widths)
                .map(|(cell, width)| pad(cell, *width))
                .collect();
            text.push_str(cells.join("  ").trim_end());
            text.push('\n');
        }
        text
    }

    /// Returns the rows as a JSON array of objects: the keys are the header in lower case, a
    /// missing value is `null`.
    pub fn to_json(&self) -> serde_json::Value {
        let object = |row: &Vec<Option<String>>| -> serde_json::Map<String, serde_json::Value> {
            let names = self.header.iter().map(|name| name.to_lowercase());
            names.zip(row.iter().cloned().map(Into::into)).collect()
        };
        self.rows.iter().map(object).collect::<Vec<_>>().into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hosts() -> Table {
        let mut table = Table::new(["ADDRESS", "HOSTNAME", "ROLE"]);
        table.row([Some("10.0.0.1".to_owned()), Some("日本".to_owned())]);
        table.row([
            Some("node-with-a-long-name".to_owned()),
            None,
            Some("wor\u{1b}[31mker".to_owned()),
        ]);
        table
    }

    #[test]
    fn aligns_columns_and_names_what_is_missing() {
        let expected = "\
ADDRESS                HOSTNAME  ROLE
10.0.0.1               日本      n/a
node-with-a-long-name  n/a       worker
";

        assert_eq!(hosts().to_text(), expected);
    }

    #[test]
    fn json_has_null_for_what_is_missing() {
        let expected = json!([
            {"address": "10.0.0.1", "hostname": "日本", "role": null},
            {"address": "node-with-a-long-name", "hostname": null, "role": "worker"},
        ]);

        assert_eq!(hosts().to_json(), expected);
    }
}
