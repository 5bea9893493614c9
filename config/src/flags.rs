//! Lists of command-line flags, as they are given to the installer of MKE or to `docker swarm`.
//!
//! A flag is `--name`, `--name=value` or `--name value`. What is sent to a host is pasted into a
//! shell there, so that `$(hostname -f)` works; what is read here is unquoted as a shell would.

use std::fmt;

use crate::secret;

/// A list of flags, in order; a name may be there several times.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Flags(Vec<Flag>);

/// One flag.
#[derive(Clone, PartialEq, Eq)]
struct Flag {
    /// The text to paste into a shell.
    raw: String,
    /// The name, with its dashes.
    name: String,
    /// The value, unquoted.
    value: Option<String>,
}

/// What is wrong with an item of a list of flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FlagError {
    /// It does not start with a dash.
    #[error("a flag starts with `--`")]
    NoDash,
    /// A quote is not closed.
    #[error("a quote is not closed")]
    OpenQuote,
}

impl Flags {
    /// Adds the flags of an item; a text without dashes is the value of the flag before it.
    pub(crate) fn push(&mut self, item: &str) -> Result<(), FlagError> {
        let words = words(item)?;
        for word in words {
            if word.starts_with('-')
                || word.starts_with(['"', '\'']) && unquoted(&word).starts_with('-')
            {
                self.0.push(Flag::parse(word));
                continue;
            }
            let before = self.0.last_mut().filter(|flag| flag.value.is_none());
            let before = before.ok_or(FlagError::NoDash)?;
            before.value = Some(unquoted(&word));
            before.raw = format!("{} {word}", before.raw);
        }
        Ok(())
    }

    /// Adds flags of a name before all others, one for each value, quoted as a shell wants it.
    pub fn add_first(&mut self, name: &str, values: &[String]) {
        let flags = values.iter().map(|value| Flag::with_value(name, value));
        self.0.splice(0..0, flags);
    }

    /// Whether a flag is there (`--san`), with a value or without.
    pub fn has(&self, name: &str) -> bool {
        self.named(name).next().is_some()
    }

    /// Returns the value of the first flag of a name, unquoted.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.named(name).next()?.value.as_deref()
    }

    /// Returns the values of all flags of a name, unquoted.
    pub fn values(&self, name: &str) -> Vec<&str> {
        self.named(name)
            .filter_map(|flag| flag.value.as_deref())
            .collect()
    }

    /// Returns whether there are no flags.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the text of each flag, to be pasted into a shell as it is.
    pub fn shell_words(&self) -> Vec<String> {
        self.0.iter().map(|flag| flag.raw.clone()).collect()
    }

    /// Returns the text of each flag, the values of secret ones masked.
    pub(crate) fn masked(&self) -> Vec<String> {
        self.0.iter().map(Flag::masked).collect()
    }

    /// Removes all flags of a name.
    pub(crate) fn remove(&mut self, name: &str) {
        let name = query(name).to_owned();
        self.0.retain(|flag| flag.name != name);
    }

    /// Returns the values of all flags of a name as they are written.
    pub(crate) fn written(&self, name: &str) -> Vec<&str> {
        self.named(name).map(|flag| flag.raw.as_str()).collect()
    }

    fn named<'f>(&'f self, name: &str) -> impl Iterator<Item = &'f Flag> + use<'f> {
        let name = query(name).to_owned();
        self.0.iter().filter(move |flag| flag.name == name)
    }
}

/// Returns the name in what is asked for.
fn query(name: &str) -> &str {
    let end = name.find(|c: char| c == '=' || c.is_whitespace());
    name.get(..end.unwrap_or(name.len())).unwrap_or(name)
}

impl Flag {
    fn parse(raw: String) -> Self {
        let is_quoted = raw.starts_with(['"', '\'']);
        let text = if is_quoted {
            unquoted(&raw)
        } else {
            raw.clone()
        };
        let end = text.find(|c: char| c == '=' || c.is_whitespace());
        let (name, value) = match end.and_then(|end| text.split_at_checked(end)) {
            Some((name, rest)) => {
                let value = rest.trim();
                let value = value.strip_prefix('=').unwrap_or(value);
                let value = if is_quoted {
                    value.to_owned()
                } else {
                    unquoted(value)
                };
                (name.to_owned(), Some(value))
            }
            None => (text, None),
        };
        Self { raw, name, value }
    }

    fn with_value(name: &str, value: &str) -> Self {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._:/,@".contains(c);
        Self::parse(if value.chars().all(is_plain) {
            format!("{name}={value}")
        } else {
            format!("{name}='{}'", value.replace('\'', "'\\''"))
        })
    }

    fn masked(&self) -> String {
        let is_secret = secret::is_secret_name(&self.name) || secret::is_secret_text(&self.raw);
        match &self.value {
            Some(_) if is_secret => format!("{}={}", self.name, secret::REDACTED),
            Some(_) | None => self.raw.clone(),
        }
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.masked()).finish()
    }
}

/// What of a shell's quoting is open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Single,
    Double,
    Backquote,
    /// `$(`, this deep.
    Command(usize),
}

/// Splits an item into flags: a word that starts with a dash begins one. White space outside of
/// quotes becomes a space, as a line break would end the command.
fn words(item: &str) -> Result<Vec<String>, FlagError> {
    let mut found: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut open: Vec<Open> = Vec::new();
    let mut chars = item.trim().chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        match (open.last().copied(), c) {
            (Some(Open::Single), '\'') => drop(open.pop()),
            (Some(Open::Single), _) => {}
            (_, '\\') => {
                word.push(c);
                word.extend(chars.next());
                continue;
            }
            (Some(Open::Double), '"') | (Some(Open::Backquote), '`') => drop(open.pop()),
            (None | Some(Open::Command(_) | Open::Double | Open::Backquote), '$')
                if next == Some('(') =>
            {
                open.push(Open::Command(0));
                word.push(c);
                word.extend(chars.next());
                continue;
            }
            (_, '`') => open.push(Open::Backquote),
            (Some(Open::Double), _) => {}
            (_, '"') => open.push(Open::Double),
            (_, '\'') => open.push(Open::Single),
            (Some(Open::Command(depth)), '(') => set_depth(&mut open, depth + 1),
            (Some(Open::Command(0)), ')') => drop(open.pop()),
            (Some(Open::Command(depth)), ')') => set_depth(&mut open, depth - 1),
            (None, c) if c.is_whitespace() => {
                let begins_flag = chars.clone().find(|c| !c.is_whitespace()) == Some('-');
                if begins_flag {
                    found.push(std::mem::take(&mut word));
                } else if !word.ends_with(' ') {
                    word.push(' ');
                }
                continue;
            }
            _ => {}
        }
        word.push(c);
    }
    if !open.is_empty() {
        return Err(FlagError::OpenQuote);
    }
    found.push(word);
    let trimmed = found.iter().map(|word| word.trim_end().to_owned());
    Ok(trimmed.filter(|word| !word.is_empty()).collect())
}

fn set_depth(open: &mut [Open], depth: usize) {
    if let Some(last) = open.last_mut() {
        *last = Open::Command(depth);
    }
}

/// Removes the quotes of a value as a shell does, without evaluating anything.
fn unquoted(text: &str) -> String {
    let mut value = String::new();
    let mut chars = text.chars().peekable();
    let mut quote = None;
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None, '\\') => value.extend(chars.next()),
            (Some('"'), '\\') => match chars.peek() {
                Some('"' | '\\' | '$' | '`') => value.extend(chars.next()),
                _ => value.push(c),
            },
            _ => value.push(c),
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn flags(items: &[&str]) -> Flags {
        let mut flags = Flags::default();
        for item in items {
            flags.push(item).unwrap();
        }
        flags
    }

    #[test]
    fn reads_every_form_of_a_flag() {
        for (item, name, value) in [
            ("--debug", "--debug", None),
            ("--san=a", "--san", Some("a")),
            ("--san a", "--san", Some("a")),
            ("--san\ta", "--san", Some("a")),
            ("--san \t a\n", "--san", Some("a")),
            ("--san=", "--san", Some("")),
            ("--x=a=b", "--x", Some("a=b")),
            ("--x='a b'", "--x", Some("a b")),
            ("--x=\"a \\\"b\\\" \\n\"", "--x", Some("a \"b\" \\n")),
            ("--x=a\\ b", "--x", Some("a b")),
            ("--x 'it'\\''s'", "--x", Some("it's")),
            ("--x=a'b'\"c\"", "--x", Some("abc")),
            ("'--x=a b'", "--x", Some("a b")),
            ("--x=$(hostname --fqdn)", "--x", Some("$(hostname --fqdn)")),
            ("--x=`hostname --fqdn`", "--x", Some("`hostname --fqdn`")),
            ("-D", "-D", None),
        ] {
            let flags = flags(&[item]);
            assert!(flags.has(name), "{item}");
            assert_eq!(flags.value(name), value, "{item}");
            assert_eq!(flags.shell_words().len(), 1, "{item}");
        }
    }

    #[test]
    fn a_name_is_matched_whole() {
        let flags = flags(&["--debug", "--sans=x"]);

        assert!(flags.has("--debug=true"));
        assert!(!flags.has("--san"));
        assert!(!flags.has("--deb"));
        assert_eq!(flags.value("--debug"), None);
    }

    #[test]
    fn gives_all_values_and_the_first() {
        let flags = flags(&["--san=a", "--other", "--san b", "--san"]);

        assert_eq!(flags.values("--san"), ["a", "b"]);
        assert_eq!(flags.value("--san"), Some("a"));
    }

    #[test]
    fn sends_what_was_written() {
        let words = flags(&["--san=$(hostname -f)", " --x\n'a\nb' ", "--y  \t z"]).shell_words();

        assert_eq!(words, ["--san=$(hostname -f)", "--x 'a\nb'", "--y z"]);
    }

    #[test]
    fn splits_several_flags_of_one_item() {
        let flags = flags(&["--debug --admin-password=x --san 'a --b'"]);

        assert_eq!(
            flags.shell_words(),
            ["--debug", "--admin-password=x", "--san 'a --b'"]
        );
        assert_eq!(flags.value("--san"), Some("a --b"));
    }

    #[test]
    fn a_value_may_be_an_item_of_its_own() {
        let flags = flags(&["--san", "a", "--debug"]);

        assert_eq!(flags.value("--san"), Some("a"));
        assert_eq!(flags.shell_words(), ["--san a", "--debug"]);
    }

    #[test]
    fn refuses_what_is_no_flag() {
        for (item, error) in [
            ("san=x", FlagError::NoDash),
            ("--a='x", FlagError::OpenQuote),
            ("--a=\"x", FlagError::OpenQuote),
            ("--a=$(x", FlagError::OpenQuote),
        ] {
            assert_eq!(Flags::default().push(item), Err(error), "{item}");
        }
    }

    #[test]
    fn debug_output_has_no_secret() {
        let flags = flags(&[
            "--admin-password=hunter2",
            "--san=a",
            "--ucp-token 'hunter2 x'",
        ]);

        let text = format!("{flags:?}");

        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains("--san=a"));
    }

    #[test]
    fn adds_values_before_others_as_a_shell_wants_them() {
        let mut flags = flags(&["--debug", "--san=a"]);

        flags.add_first("--san", &["10.0.0.1".to_owned(), "it's $HOME".to_owned()]);

        assert_eq!(flags.values("--san"), ["10.0.0.1", "it's $HOME", "a"]);
        let words = ["--san=10.0.0.1", r"--san='it'\''s $HOME'", "--debug"];
        assert_eq!(flags.shell_words()[..3], words);
    }

    #[test]
    fn removes_all_of_a_name() {
        let mut flags = flags(&["--a=1", "--b", "--a 2"]);

        flags.remove("--a");

        assert_eq!(flags.shell_words(), ["--b"]);
    }

    proptest! {
        #[test]
        fn any_item_is_read_or_refused(item in "[-a='\"`$()\\\\ \\n]{0,20}") {
            let _ = Flags::default().push(&item);
        }

        #[test]
        fn a_quoted_value_comes_back(value in "[^\\x00]{0,20}") {
            let quoted = shlex::try_quote(&value).unwrap();
            let flags = flags(&[&format!("--x={quoted}")]);
            prop_assert_eq!(flags.value("--x"), Some(value.as_str()));
        }
    }
}
