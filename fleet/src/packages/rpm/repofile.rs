//! Files that name repositories (`/etc/yum.repos.d/*.repo`, `/etc/zypp/repos.d/*.repo`), and the
//! variables in them.

use std::collections::BTreeMap;

/// A section of such a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// What stands in the brackets.
    pub id: String,
    /// The file.
    pub path: String,
    /// Its values, in their order.
    pub values: Vec<(String, String)>,
}

impl Section {
    /// Returns a value.
    pub fn value(&self, name: &str) -> Option<&str> {
        let mut found = self.values.iter().rev().filter(|(key, _)| key == name);
        found.next().map(|(_, value)| value.as_str())
    }

    /// Returns whether a value says yes.
    pub fn says_yes(&self, name: &str, default: bool) -> bool {
        match self.value(name).map(str::to_ascii_lowercase).as_deref() {
            Some("1" | "yes" | "true" | "on") => true,
            Some("0" | "no" | "false" | "off") => false,
            _ => default,
        }
    }
}

/// Reads a file; a line that belongs to no section is an error, which is returned.
///
/// # Errors
///
/// Fails with the number of the line, from 1, and its text.
pub fn read(path: &str, text: &str) -> Result<Vec<Section>, (usize, String)> {
    let mut all: Vec<Section> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(id) = trimmed
            .strip_prefix('[')
            .and_then(|rest| rest.split(']').next())
        {
            all.push(Section {
                id: id.to_owned(),
                path: path.to_owned(),
                values: Vec::new(),
            });
            continue;
        }
        let bad = || (index + 1, line.to_owned());
        let section = all.last_mut().ok_or_else(bad)?;
        if line.starts_with([' ', '\t'])
            && let Some((_, value)) = section.values.last_mut()
        {
            // A line that begins with a blank goes on with the value before it.
            value.push(' ');
            value.push_str(trimmed);
            continue;
        }
        let (key, value) = trimmed.split_once('=').ok_or_else(bad)?;
        let pair = (key.trim().to_owned(), value.trim().to_owned());
        section.values.push(pair);
    }
    Ok(all)
}

/// Puts values in the place of `$name` and `${name}`; what is unknown stays.
pub fn replace(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        let (name, end) = match after
            .strip_prefix('{')
            .and_then(|rest| rest.split_once('}'))
        {
            Some((name, _)) => (name, name.len() + 2),
            None => {
                let end = after.find(|letter| !is_part(letter)).unwrap_or(after.len());
                (&after[..end], end)
            }
        };
        match variables.get(name) {
            Some(value) => out.push_str(value),
            None => out.push_str(&rest[at..=at + end]),
        }
        rest = &after[end..];
    }
    out.push_str(rest);
    out
}

/// Changes a value of a section in the text of a file, or adds it at the end of the section.
pub fn set(text: &str, id: &str, name: &str, value: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    let (mut is_inside, mut is_set) = (false, false);
    let mut end = None;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with('[') {
            is_inside = trimmed == format!("[{id}]");
        }
        let is_it = line
            .split_once('=')
            .is_some_and(|(key, _)| key.trim() == name);
        if is_inside && is_it {
            out.push(format!("{name}={value}"));
            is_set = true;
            continue;
        }
        out.push(line.to_owned());
        if is_inside && !trimmed.is_empty() {
            end = Some(out.len());
        }
    }
    if let Some(end) = end.filter(|_| !is_set) {
        out.insert(end, format!("{name}={value}"));
    }
    let mut text = out.join("\n");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_have_values_that_may_go_on() {
        let text =
            "# head\n[a]\nname = A name\nbaseurl=http://one\n  http://two\n\n[b]\nenabled=0\n";
        let all = read("/x.repo", text).unwrap();

        assert_eq!(all.len(), 2);
        assert_eq!(all[0].value("name"), Some("A name"));
        assert_eq!(all[0].value("baseurl"), Some("http://one http://two"));
        assert!(all[0].says_yes("enabled", true));
        assert!(!all[1].says_yes("enabled", true));
        assert_eq!(
            read("/x.repo", "nonsense\n"),
            Err((1, "nonsense".to_owned()))
        );
    }

    #[test]
    fn variables_are_replaced_where_they_are_known() {
        let variables = [("releasever", "9"), ("basearch", "x86_64")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let variables = BTreeMap::from(variables);

        let text = replace("http://x/$releasever/${basearch}/$other/", &variables);

        assert_eq!(text, "http://x/9/x86_64/$other/");
    }

    #[test]
    fn a_value_is_set_in_its_section_only() {
        let text = "[a]\nenabled=1\n\n[b]\nname=B\n";

        assert_eq!(
            set(text, "b", "enabled", "0"),
            "[a]\nenabled=1\n\n[b]\nname=B\nenabled=0\n"
        );
        assert_eq!(
            set(text, "a", "enabled", "0"),
            "[a]\nenabled=0\n\n[b]\nname=B\n"
        );
    }
}
