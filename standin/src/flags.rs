//! The parser of the bootstrapper's command line, with the rules of Go's `flag` package.
//!
//! One dash is as good as two; a value follows `=` or is the next argument, whatever it looks
//! like; a switch takes a value only behind `=`. A flag that the operation does not have is an
//! error.

use std::collections::BTreeMap;
use std::fmt;

use crate::command::Environment;

/// What a flag takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Nothing: it is on or off.
    Nothing,
    /// One value; the last one counts.
    One,
    /// A value each time it is given, and lists with commas.
    Many,
}

/// A flag that an operation has.
#[derive(Debug, Clone, Copy)]
pub struct Flag {
    /// Its name, without dashes.
    pub name: &'static str,
    /// A short name.
    pub short: Option<&'static str>,
    /// What it takes.
    pub takes: Takes,
    /// The variable that stands for it in the environment.
    pub variable: Option<&'static str>,
}

impl Flag {
    /// Names a flag that is on or off.
    pub const fn switch(name: &'static str) -> Self {
        Self::of(name, Takes::Nothing)
    }

    /// Names a flag with one value.
    pub const fn one(name: &'static str) -> Self {
        Self::of(name, Takes::One)
    }

    /// Names a flag with many values.
    pub const fn many(name: &'static str) -> Self {
        Self::of(name, Takes::Many)
    }

    const fn of(name: &'static str, takes: Takes) -> Self {
        Self {
            name,
            short: None,
            takes,
            variable: None,
        }
    }

    /// Adds a short name.
    pub const fn short(mut self, short: &'static str) -> Self {
        self.short = Some(short);
        self
    }

    /// Adds the variable that stands for it.
    pub const fn variable(mut self, variable: &'static str) -> Self {
        self.variable = Some(variable);
        self
    }
}

/// What is wrong with a command line, in the words of Go's `flag` package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misuse(pub String);

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misuse {}

/// The flags of one command line; their values are never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Flags(BTreeMap<&'static str, Vec<String>>);

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Flags {
    /// Reads arguments, then the environment for what they do not say.
    ///
    /// # Errors
    ///
    /// Fails at the first argument that is no flag of `known`, or lacks its value.
    pub fn parse(
        known: &[Flag],
        arguments: &[String],
        environment: &Environment,
    ) -> Result<Self, Misuse> {
        let mut flags = Self::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let (name, value) = split(argument)?;
            let flag = known
                .iter()
                .find(|flag| flag.name == name || flag.short == Some(name))
                .ok_or_else(|| Misuse(format!("flag provided but not defined: -{name}")))?;
            let value = match (flag.takes, value) {
                (Takes::Nothing, None) => "true".to_owned(),
                (Takes::Nothing, Some(value)) => truth(name, value)?.to_string(),
                (Takes::One | Takes::Many, Some(value)) => value.to_owned(),
                (Takes::One | Takes::Many, None) => rest
                    .next()
                    .ok_or_else(|| Misuse(format!("flag needs an argument: -{name}")))?
                    .clone(),
            };
            flags.add(flag, value);
        }
        flags.take_environment(known, environment)?;
        Ok(flags)
    }

    fn add(&mut self, flag: &Flag, value: String) {
        let values = self.0.entry(flag.name).or_default();
        if flag.takes != Takes::Many {
            values.clear();
        }
        values.push(value);
    }

    fn take_environment(
        &mut self,
        known: &[Flag],
        environment: &Environment,
    ) -> Result<(), Misuse> {
        for flag in known {
            let value = flag.variable.and_then(|name| environment.value(name));
            if let Some(value) = value.filter(|_| !self.0.contains_key(flag.name)) {
                let value = match flag.takes {
                    Takes::Nothing => truth(flag.name, value)?.to_string(),
                    Takes::One | Takes::Many => value.to_owned(),
                };
                self.add(flag, value);
            }
        }
        Ok(())
    }

    /// Returns the value of a flag.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.last().map(String::as_str)
    }

    /// Returns whether a switch is on, or a flag with a value was given.
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| value != "false")
    }

    /// Returns all values of a flag, lists with commas taken apart.
    pub fn list(&self, name: &str) -> Vec<String> {
        let values = self.0.get(name).into_iter().flatten();
        values
            .flat_map(|value| value.split(','))
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
            .collect()
    }
}

/// Takes the dashes off an argument, and its value.
fn split(argument: &str) -> Result<(&str, Option<&str>), Misuse> {
    let Some(name) = argument.strip_prefix('-').filter(|name| !name.is_empty()) else {
        return Err(Misuse("unexpected argument behind the flags".to_owned()));
    };
    let name = name.strip_prefix('-').unwrap_or(name);
    let (name, value) = match name.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (name, None),
    };
    if name.is_empty() || name.starts_with('-') {
        return Err(Misuse(format!("bad flag syntax: {argument}")));
    }
    Ok((name, value))
}

fn truth(name: &str, value: &str) -> Result<bool, Misuse> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(Misuse(format!(
            "invalid boolean value {value:?} for -{name}: parse error"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[Flag] = &[
        Flag::switch("debug").short("D"),
        Flag::one("id").variable("ID"),
        Flag::many("san"),
    ];

    fn parse(arguments: &[&str]) -> Result<Flags, Misuse> {
        parse_in(arguments, &[])
    }

    fn parse_in(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Flags, Misuse> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        Flags::parse(KNOWN, &arguments, &environment.iter().copied().collect())
    }

    #[test]
    fn a_value_follows_an_equals_sign_or_is_the_next_argument() {
        for arguments in [&["--id=x y"][..], &["--id", "x y"], &["-id", "x y"]] {
            assert_eq!(parse(arguments).unwrap().value("id"), Some("x y"));
        }
        assert_eq!(parse(&["--id", "--x"]).unwrap().value("id"), Some("--x"));
        assert_eq!(parse(&["--id=a=b"]).unwrap().value("id"), Some("a=b"));
    }

    #[test]
    fn a_switch_is_on_unless_it_is_told_otherwise() {
        assert!(parse(&["-D"]).unwrap().has("debug"));
        assert!(parse(&["--debug=1"]).unwrap().has("debug"));
        assert!(!parse(&["--debug=false"]).unwrap().has("debug"));
        assert!(!parse(&[]).unwrap().has("debug"));
    }

    #[test]
    fn many_values_come_one_by_one_and_in_lists() {
        let flags = parse(&["--san", "a", "--san=b, c,"]).unwrap();

        assert_eq!(flags.list("san"), ["a", "b", "c"]);
    }

    #[test]
    fn mistakes_are_told_as_go_tells_them() {
        for (arguments, message) in [
            (&["--nope"][..], "flag provided but not defined: -nope"),
            (&["--id"], "flag needs an argument: -id"),
            (
                &["--debug=maybe"],
                "invalid boolean value \"maybe\" for -debug: parse error",
            ),
            (&["--=x"], "bad flag syntax: --=x"),
            (&["word"], "unexpected argument behind the flags"),
            (&["-"], "unexpected argument behind the flags"),
        ] {
            assert_eq!(parse(arguments), Err(Misuse(message.to_owned())));
        }
    }

    #[test]
    fn the_environment_speaks_where_the_arguments_do_not() {
        let environment = [("ID", "from environment")];

        let flags = parse_in(&[], &environment).unwrap();
        assert_eq!(flags.value("id"), Some("from environment"));
        let flags = parse_in(&["--id=x"], &environment).unwrap();
        assert_eq!(flags.value("id"), Some("x"));
        assert!(!parse_in(&[], &[("ID", "")]).unwrap().has("id"));
    }

    #[test]
    fn values_are_not_printed() {
        let flags = parse(&["--id=secret"]).unwrap();

        assert_eq!(format!("{flags:?}"), r#"{"id"}"#);
    }
}
