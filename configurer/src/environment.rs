//! Lines of /etc/environment: `KEY=value`, unquoted, as `pam_env(8)` reads them.

use std::collections::BTreeMap;

use crate::owned::hash;

/// Where the file is.
pub const PATH: &str = "/etc/environment";

/// What a change of the file leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The new text.
    pub text: String,
    /// Variables that are set.
    pub set: Vec<String>,
    /// Variables that were ours and are wanted no more.
    pub unset: Vec<String>,
}

/// Why variables cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentError {
    /// The name is none that a shell takes.
    #[error("`{name}` is no name of an environment variable")]
    Name {
        /// The name.
        name: String,
    },
    /// The value cannot stand on one line.
    #[error("the value of the environment variable `{name}` has more than one line")]
    Lines {
        /// The name.
        name: String,
    },
}

/// Judges names and values.
///
/// # Errors
///
/// Fails at the first variable that cannot be written.
pub fn check<'a>(
    wanted: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<(), EnvironmentError> {
    for (name, value) in wanted {
        let good = |(index, byte): (usize, u8)| {
            byte == b'_' || byte.is_ascii_alphabetic() || (index > 0 && byte.is_ascii_digit())
        };
        let name = name.to_owned();
        if name.is_empty() || !name.bytes().enumerate().all(good) {
            return Err(EnvironmentError::Name { name });
        }
        if value.contains(['\n', '\r', '\0']) {
            return Err(EnvironmentError::Lines { name });
        }
    }
    Ok(())
}

/// Returns what the text lacks of `wanted`, and what of it is ours and wanted no more; `None`
/// where it is as it should be. `owned` becomes what is ours afterwards.
pub fn plan(
    text: Option<&str>,
    wanted: &BTreeMap<String, String>,
    owned: &mut BTreeMap<String, String>,
) -> Option<Edit> {
    let mut lines: Vec<String> = text
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect();
    let (mut set, mut unset) = (Vec::new(), Vec::new());
    for (name, hashed) in std::mem::take(owned) {
        if wanted.contains_key(&name) {
            owned.insert(name, hashed);
            continue;
        }
        let before = lines.len();
        lines.retain(|line| value_of(line, &name).is_none_or(|value| hash(value) != hashed));
        if lines.len() < before {
            unset.push(name);
        }
    }
    for (name, value) in wanted {
        let values: Vec<&str> = lines
            .iter()
            .filter_map(|line| value_of(line, name))
            .collect();
        // The last line of a name counts.
        if values.last() == Some(&value.as_str()) {
            continue;
        }
        let line = format!("{name}={}", written(value));
        match lines
            .iter()
            .rposition(|line| value_of(line, name).is_some())
        {
            Some(index) => lines[index] = line,
            None => lines.push(line),
        }
        owned.insert(name.clone(), hash(value));
        set.push(name.clone());
    }
    if set.is_empty() && unset.is_empty() {
        return None;
    }
    let mut text = lines.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    Some(Edit { text, set, unset })
}

/// A value that begins with a quote is quoted once more: `pam_env` takes one pair of quotes off.
fn written(value: &str) -> String {
    if value.starts_with(['"', '\'']) || value != value.trim() {
        format!("\"{value}\"")
    } else {
        value.to_owned()
    }
}

fn value_of<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").unwrap_or(line);
    let value = line.strip_prefix(name)?.strip_prefix('=')?.trim_end();
    let quoted = ['"', '\''].into_iter().find_map(|quote| {
        value
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
    });
    Some(quoted.unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn sets_what_is_missing_and_replaces_what_differs() {
        let mut owned = BTreeMap::new();
        let edit = plan(
            Some("A=1\nPATH=\"/bin\"\n"),
            &map(&[("A", "2"), ("B", "x y")]),
            &mut owned,
        );

        assert_eq!(edit.unwrap().text, "A=2\nPATH=\"/bin\"\nB=x y\n");
        assert_eq!(owned, map(&[("A", &hash("2")), ("B", &hash("x y"))]));
    }

    #[test]
    fn a_value_that_is_there_already_is_not_ours() {
        let mut owned = BTreeMap::new();

        assert_eq!(
            plan(Some("A=\"1\"\n"), &map(&[("A", "1")]), &mut owned),
            None
        );
        assert!(owned.is_empty());
    }

    #[test]
    fn removes_only_what_is_ours_and_unchanged() {
        let mut owned = map(&[("A", &hash("1")), ("B", &hash("1"))]);
        let edit = plan(Some("A=1\nB=changed\n"), &BTreeMap::new(), &mut owned).unwrap();

        assert_eq!(
            (edit.text.as_str(), edit.unset),
            ("B=changed\n", vec!["A".to_owned()])
        );
        assert!(owned.is_empty());
    }

    #[test]
    fn refuses_what_cannot_be_written() {
        assert!(check([("A_1", "x")]).is_ok());
        assert!(check([("1A", "x")]).is_err());
        assert!(check([("A", "x\ny")]).is_err());
    }

    proptest! {
        #[test]
        fn twice_is_once_and_undoing_restores(
            text in "([A-C]=[a-z \"']{0,6}\n){0,4}",
            value in "[a-z\"' =]{0,8}",
        ) {
            let wanted = map(&[("NEW", &value)]);
            let mut owned = BTreeMap::new();
            let edit = plan(Some(&text), &wanted, &mut owned).unwrap();
            prop_assert_eq!(plan(Some(&edit.text), &wanted, &mut owned), None);
            let undone = plan(Some(&edit.text), &BTreeMap::new(), &mut owned).unwrap();
            prop_assert_eq!(undone.text, text);
        }
    }
}
