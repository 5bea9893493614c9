//! Quoting for POSIX shells.

/// A text that no shell word can hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a NUL byte cannot be part of a shell word")]
pub struct NulByte;

/// Quotes one word so that any POSIX shell reads it back as it is.
///
/// Always quotes: the text also stands inside scripts where a bare word could be a keyword.
///
/// # Errors
///
/// Fails for a text with a NUL byte.
pub fn quote(text: &str) -> Result<String, NulByte> {
    if text.contains('\0') {
        return Err(NulByte);
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for part in text.split_inclusive('\'') {
        match part.strip_suffix('\'') {
            Some(before) => {
                quoted.push_str(before);
                quoted.push_str(r"'\''");
            }
            None => quoted.push_str(part),
        }
    }
    quoted.push('\'');
    Ok(quoted)
}

/// Quotes and joins words to one command line.
///
/// # Errors
///
/// Fails for a word with a NUL byte.
pub fn join<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<String, NulByte> {
    let words: Result<Vec<String>, NulByte> = words.into_iter().map(quote).collect();
    Ok(words?.join(" "))
}

/// Shows words as a person would type them: quoted only where needed.
pub fn show<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = words
        .into_iter()
        .map(|word| {
            shlex::try_quote(word).map_or_else(|_nul| format!("{word:?}"), |word| word.into_owned())
        })
        .collect();
    quoted.join(" ")
}

/// Splits a command line into words, as a POSIX shell would without any expansion; `None` where a
/// quote is not closed.
pub fn split(line: &str) -> Option<Vec<String>> {
    shlex::split(line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_quotes() {
        assert_eq!(quote("it's"), Ok(r"'it'\''s'".to_owned()));
        assert_eq!(quote(""), Ok("''".to_owned()));
        assert_eq!(quote("a\0b"), Err(NulByte));
    }

    proptest! {
        #[test]
        fn a_quoted_word_reads_back(text in "[^\0]{0,40}") {
            prop_assert_eq!(split(&quote(&text).unwrap()), Some(vec![text]));
        }
    }

    #[test]
    fn a_real_shell_reads_it_back() {
        let text = "a'b\"c$HOME`id`\\n\n{x,y} *?[z] ~ #!\t€";

        let output = std::process::Command::new("/bin/sh")
            .arg("-c")
            .arg(format!("printf %s {}", quote(text).unwrap()))
            .output()
            .unwrap();

        assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
    }
}
