//! What differs from run to run is taken out of both sides: `fleet/tests/parity/normalise.md`.

use std::path::Path;

use regex::Regex;

/// The rules, in their order.
pub(crate) struct Rules(Vec<(Regex, String)>);

impl Rules {
    /// Reads them off the document that gives their reasons.
    pub(crate) fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let mut rules = Vec::new();
        let mut pattern = None;
        for line in text.lines() {
            if let Some(find) = line.strip_prefix("find ") {
                pattern = Some(Regex::new(find).unwrap_or_else(|error| panic!("{find}: {error}")));
            } else if let Some(put) = line.strip_prefix("put") {
                let pattern = pattern.take().expect("a pattern before its replacement");
                rules.push((pattern, put.trim_start().to_owned()));
            }
        }
        assert!(!rules.is_empty());
        Self(rules)
    }

    /// Applies them; `sorts` where nobody promises an order.
    pub(crate) fn apply(&self, text: &str, sorts: bool) -> String {
        let mut text = text.to_owned();
        for (pattern, put) in &self.0 {
            text = pattern.replace_all(&text, put.as_str()).into_owned();
        }
        let text = sort_ports(&sort_remote_managers(&text));
        if !sorts {
            return text;
        }
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        lines.join("\n")
    }
}

/// The kernel's table of sockets has no order that anybody promises.
fn sort_ports(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let start = lines.iter().position(|line| line.ends_with(" ports 0"));
    if let Some(start) = start {
        let length = lines[start + 1..]
            .iter()
            .take_while(|line| line.starts_with(' '))
            .count();
        lines[start + 1..start + 1 + length].sort_unstable();
    }
    lines.join("\n")
}

fn sort_remote_managers(text: &str) -> String {
    let pattern = Regex::new(r#""RemoteManagers":\[([^\]]*)\]"#).unwrap();
    let sorted = pattern.replace_all(text, |found: &regex::Captures<'_>| {
        let mut managers: Vec<&str> = found[1]
            .split("},")
            .map(|one| one.trim_end_matches('}'))
            .collect();
        managers.sort_unstable();
        format!("\"RemoteManagers\":[{}]", managers.join("},"))
    });
    sorted.into_owned()
}
