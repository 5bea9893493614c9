//! The files that an `Include` stands for.

use std::path::{Component, Path, PathBuf};

/// Returns the files that a path with `*`, `?` and `[…]` stands for, sorted.
pub(super) fn glob(path: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for component in path.components() {
        let text = component.as_os_str().to_string_lossy();
        let is_plain =
            !matches!(component, Component::Normal(_)) || !text.contains(['*', '?', '[', '\\']);
        if is_plain {
            for path in &mut found {
                path.push(component);
            }
            continue;
        }
        found = found
            .iter()
            .flat_map(|directory| entries(directory, &text))
            .collect();
    }
    found
}

fn entries(directory: &Path, wanted: &str) -> Vec<PathBuf> {
    let wanted: Vec<char> = wanted.chars().collect();
    // A directory that is not there, or not ours to read, holds nothing for us.
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut names: Vec<_> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.file_name())
        .filter(|name| {
            let name: Vec<char> = name.to_string_lossy().chars().collect();
            let hidden = name.first() == Some(&'.') && wanted.first() != Some(&'.');
            !hidden && fits(&wanted, &name)
        })
        .collect();
    names.sort();
    names.into_iter().map(|name| directory.join(name)).collect()
}

fn fits(pattern: &[char], name: &[char]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some(('*', rest)) => (0..=name.len()).any(|taken| fits(rest, &name[taken..])),
        Some((first, rest)) => {
            let Some((character, left)) = name.split_first() else {
                return false;
            };
            match first {
                '?' => fits(rest, left),
                '[' => match set(rest, *character) {
                    Some((holds, after)) => holds && fits(after, left),
                    // A bracket that is not closed stands for itself.
                    None => *character == '[' && fits(rest, left),
                },
                '\\' if !rest.is_empty() => rest[0] == *character && fits(&rest[1..], left),
                first => first == character && fits(rest, left),
            }
        }
    }
}

/// Says whether a set holds a character, and what follows the set.
fn set(pattern: &[char], character: char) -> Option<(bool, &[char])> {
    let (is_negated, mut rest) = match pattern.first() {
        Some('!' | '^') => (true, &pattern[1..]),
        _ => (false, pattern),
    };
    let mut holds = false;
    let mut is_first = true;
    loop {
        match rest {
            [']', after @ ..] if !is_first => return Some((holds != is_negated, after)),
            [from, '-', to, after @ ..] if *to != ']' => {
                holds |= (*from..=*to).contains(&character);
                rest = after;
            }
            [one, after @ ..] => {
                holds |= *one == character;
                rest = after;
            }
            [] => return None,
        }
        is_first = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_as_in_a_shell() {
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.conf.bak", false),
            ("[0-9]?-*", "10-web", true),
            ("[0-9]?-*", "a0-web", false),
            ("[!a]b", "ab", false),
            ("[!a]b", "cb", true),
            ("[]]", "]", true),
            ("[a", "[a", true),
            ("a\\*", "a*", true),
            ("a\\*", "ab", false),
        ] {
            let pattern: Vec<char> = pattern.chars().collect();
            let text: Vec<char> = name.chars().collect();
            assert_eq!(fits(&pattern, &text), expected, "{pattern:?} {name}");
        }
    }

    #[test]
    fn directories_are_patterns_too_and_dots_are_hidden() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["b/1", "a/2", "a/.3"] {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }

        let found = glob(&directory.path().join("[ab]/*"));

        let expected = ["a/2", "b/1"].map(|name| directory.path().join(name));
        assert_eq!(found, expected);
    }
}
