//! What differs from run to run is taken out of both sides before they are compared:
//! `fleet/tests/parity/normalise.md`.

use anyhow::{Context, Result, bail};
use regex::{Captures, Regex};

use crate::row::Row;

/// Rows whose lines come in an order that nobody promises.
const UNORDERED: &[&str] = &["probe-sources", "pull-unknown"];

/// The rules, in their order.
#[derive(Debug)]
pub struct Rules {
    replacements: Vec<(Regex, String)>,
    remote_managers: Regex,
}

impl Rules {
    /// Reads them off the document that gives their reasons.
    ///
    /// # Errors
    ///
    /// Fails where a pattern is none, where it has no replacement, and where there are no rules.
    pub fn parse(document: &str) -> Result<Self> {
        let mut replacements = Vec::new();
        let mut pattern: Option<Regex> = None;
        for line in document.lines() {
            if let Some(find) = line.strip_prefix("find ") {
                if let Some(before) = pattern {
                    bail!("`find {before}` has no `put`");
                }
                pattern = Some(Regex::new(find).with_context(|| format!("cannot read `{find}`"))?);
            } else if let Some(put) = line.strip_prefix("put") {
                let pattern = pattern.take().context("`put` comes before its `find`")?;
                replacements.push((pattern, put.trim_start().to_owned()));
            }
        }
        if replacements.is_empty() {
            bail!("there are no rules");
        }
        let remote_managers = Regex::new(r#""RemoteManagers":\[([^\]]*)\]"#)
            .context("cannot read a pattern of this program")?;
        Ok(Self {
            replacements,
            remote_managers,
        })
    }

    /// Applies them to a recording or an answer of a row.
    pub fn apply_to(&self, row: &Row, text: &str) -> String {
        if UNORDERED.iter().any(|name| row.name.contains(name)) {
            self.apply_unordered(text)
        } else {
            self.apply(text)
        }
    }

    /// Applies them where the order of lines matters.
    pub fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (pattern, put) in &self.replacements {
            text = pattern.replace_all(&text, put.as_str()).into_owned();
        }
        sort_ports(&self.sort_remote_managers(&text))
    }

    /// Applies them where nobody promises an order of lines.
    pub fn apply_unordered(&self, text: &str) -> String {
        let text = self.apply(text);
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        lines.join("\n")
    }

    fn sort_remote_managers(&self, text: &str) -> String {
        let sorted = self
            .remote_managers
            .replace_all(text, |found: &Captures<'_>| {
                let mut managers: Vec<&str> = found[1]
                    .split("},")
                    .map(|one| one.trim_end_matches('}'))
                    .collect();
                managers.sort_unstable();
                format!("\"RemoteManagers\":[{}]", managers.join("},"))
            });
        sorted.into_owned()
    }
}

/// The kernel's table of sockets has no order that anybody promises, and so the lines of `ss` have
/// none.
fn sort_ports(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let mut from = 0;
    while from < lines.len() {
        let length = lines[from..]
            .iter()
            .take_while(|line| line.starts_with("LISTEN "))
            .count();
        lines[from..from + length].sort_unstable();
        from += length.max(1);
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "# Rules\n\n```text\nfind (in )\\d+( s)\nput  ${1}N${2}\n```\n\n\
                            ```text\nfind (?m)^noise\\n\nput\n```\n";

    #[test]
    fn rules_are_read_off_the_document_and_applied_in_their_order() {
        let rules = Rules::parse(DOCUMENT).unwrap();

        assert_eq!(rules.apply("noise\ndone in 12 s\n"), "done in N s");
    }

    #[test]
    fn a_broken_document_is_refused() {
        let shown = |document: &str| Rules::parse(document).unwrap_err().to_string();

        assert_eq!(shown("nothing"), "there are no rules");
        assert_eq!(shown("put x"), "`put` comes before its `find`");
        assert_eq!(shown("find a\nfind b\nput"), "`find a` has no `put`");
        assert_eq!(shown("find (\nput"), "cannot read `(`");
    }

    #[test]
    fn what_has_no_order_is_sorted() {
        let rules = Rules::parse(DOCUMENT).unwrap();

        let sockets = "State\nLISTEN 0 4096 127.0.0.11\nLISTEN 0 128 0.0.0.0\nend";
        let sorted = "State\nLISTEN 0 128 0.0.0.0\nLISTEN 0 4096 127.0.0.11\nend";
        assert_eq!(rules.apply(sockets), sorted);
        let managers = r#"{"RemoteManagers":[{"Addr":"2"},{"Addr":"1"}],"Nodes":4}"#;
        let turned = r#"{"RemoteManagers":[{"Addr":"1"},{"Addr":"2"}],"Nodes":4}"#;
        assert_eq!(rules.apply(managers), rules.apply(turned));
        assert_eq!(rules.apply_unordered("b\na\n"), "a\nb");
    }
}
