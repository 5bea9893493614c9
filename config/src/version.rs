//! Versions of MKE, MSR and MCR: their text as it was given, and their order.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// A version such as `3.8.10`, `v3.7`, `25.0.14m1` or `3.9.0-rc2`.
///
/// Any number of parts, missing ones count as zero; a suffix that starts with a letter may follow
/// without a dash; what follows `+` does not take part in the order. A pre-release is before its
/// release, its parts are compared part by part and, within a part, number by number, so that
/// `rc9` is before `rc10`; the vendor's technology previews (`tp`) are before its candidates
/// (`rc`).
#[derive(Clone)]
pub struct Version {
    text: String,
    segments: Vec<u64>,
    prerelease: Option<String>,
}

/// A text that is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} is not a version", crate::shown::quoted(.text))]
pub struct VersionError {
    text: String,
}

impl Version {
    /// Reads a version.
    ///
    /// # Errors
    ///
    /// Fails where the text does not start with numbers, or goes on with something else than a
    /// suffix.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        let parsed = parts(text).ok_or_else(|| VersionError {
            text: text.to_owned(),
        })?;
        let (segments, prerelease) = parsed;
        Ok(Self {
            text: text.to_owned(),
            segments,
            prerelease: prerelease.map(str::to_owned),
        })
    }

    /// Returns the version that is before all others.
    pub(crate) fn zero() -> Self {
        Self {
            text: "0".to_owned(),
            segments: vec![0],
            prerelease: None,
        }
    }

    /// Returns the text as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns whether it may be the version of one release, as releases of MKE and MSR are counted.
    pub(crate) fn is_release(&self) -> bool {
        self.segments.len() >= 3
    }

    /// Returns the first number.
    pub fn major(&self) -> u64 {
        self.segment(0)
    }

    /// Returns the second number.
    pub fn minor(&self) -> u64 {
        self.segment(1)
    }

    /// Returns the third number.
    pub fn patch(&self) -> u64 {
        self.segment(2)
    }

    /// Returns the suffix of a pre-release, without the dash.
    pub fn prerelease(&self) -> Option<&str> {
        self.prerelease.as_deref()
    }

    /// Returns the release that a pre-release leads to.
    #[must_use]
    pub fn release(&self) -> Self {
        let numbers: Vec<String> = self.segments.iter().map(ToString::to_string).collect();
        Self {
            text: numbers.join("."),
            segments: self.segments.clone(),
            prerelease: None,
        }
    }

    fn segment(&self, index: usize) -> u64 {
        self.segments.get(index).copied().unwrap_or(0)
    }
}

/// Takes a version apart: its numbers and its suffix.
fn parts(text: &str) -> Option<(Vec<u64>, Option<&str>)> {
    let rest = text.strip_prefix('v').unwrap_or(text);
    let (rest, metadata) = match rest.split_once('+') {
        Some((rest, metadata)) => (rest, Some(metadata)),
        None => (rest, None),
    };
    if metadata.is_some_and(|metadata| !is_dotted(metadata)) {
        return None;
    }
    let end = rest
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(rest.len());
    let (numbers, suffix) = rest.split_at(end);
    let segments: Option<Vec<u64>> = numbers
        .split('.')
        .map(|number| number.parse().ok())
        .collect();
    let suffix = suffix.strip_prefix('-').unwrap_or(suffix);
    if rest.len() > end && !is_dotted(suffix) {
        return None;
    }
    Some((segments?, Some(suffix).filter(|_| rest.len() > end)))
}

/// Whether a suffix consists of parts, with dots between.
fn is_dotted(text: &str) -> bool {
    text.split('.').all(|part| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '~')
    })
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Version({})", self.text)
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        Self::parse(text)
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let length = self.segments.len().max(other.segments.len());
        let numbers = (0..length)
            .map(|index| self.segment(index).cmp(&other.segment(index)))
            .find(|ordering| ordering.is_ne());
        if let Some(ordering) = numbers {
            return ordering;
        }
        match (&self.prerelease, &other.prerelease) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) => compare_suffixes(a, b),
        }
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

/// Compares suffixes part by part; where one has no more parts it is the smaller.
fn compare_suffixes(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let ordering = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => compare_parts(a, b),
        };
        if ordering.is_ne() {
            return ordering;
        }
    }
}

/// Compares parts: numbers are before words; words run by run of digits and of others.
fn compare_parts(a: &str, b: &str) -> Ordering {
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    match (is_number(a), is_number(b)) {
        (true, true) => return compare_numbers(a, b),
        (true, false) => return Ordering::Less,
        (false, true) => return Ordering::Greater,
        (false, false) => {}
    }
    let (a, b) = (preview_first(a), preview_first(b));
    let (mut a, mut b) = (a.as_str(), b.as_str());
    while !a.is_empty() && !b.is_empty() {
        let (run_a, rest_a) = run(a);
        let (run_b, rest_b) = run(b);
        let ordering = match (is_number(run_a), is_number(run_b)) {
            (true, true) => compare_numbers(run_a, run_b),
            _ => run_a.cmp(run_b),
        };
        if ordering.is_ne() {
            return ordering;
        }
        (a, b) = (rest_a, rest_b);
    }
    a.len().cmp(&b.len())
}

/// Technology previews are between betas and candidates.
fn preview_first(part: &str) -> String {
    match part.strip_prefix("tp") {
        Some(rest) if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) => format!("qp{rest}"),
        Some(_) | None => part.to_owned(),
    }
}

/// Splits off the first run of digits, or of other characters.
fn run(text: &str) -> (&str, &str) {
    let is_digit = text.starts_with(|c: char| c.is_ascii_digit());
    let end = text
        .find(|c: char| c.is_ascii_digit() != is_digit)
        .unwrap_or(text.len());
    text.split_at(end)
}

/// Compares numbers of any length.
fn compare_numbers(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn orders_as_releases_follow_each_other() {
        let ascending = [
            "1",
            "3.7.0-beta1",
            "3.7.0-tp1",
            "3.7.0-tp2",
            "3.7.0-tp10",
            "3.7.0-rc1",
            "3.7.0-rc9",
            "3.7.0-rc10",
            "3.7.0-rc10.1",
            "3.7.0",
            "3.7.0.1",
            "3.7.1",
            "3.8.10",
            "3.10",
            "25.0.14m1",
            "25.0.14",
        ];

        for pair in ascending.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn numbers_of_a_suffix_are_before_words() {
        for (less, greater) in [
            ("1.0-1", "1.0-a"),
            ("1.0-9", "1.0-10"),
            ("1.0-a", "1.0-a.1"),
            ("1.0-a.9", "1.0-a.10"),
            ("2.9.2-abc~1", "2.9.2-abc~2"),
        ] {
            assert!(version(less) < version(greater), "{less} {greater}");
        }
    }

    #[test]
    fn equal_versions_may_be_written_differently() {
        for (a, b) in [
            ("1.0", "1.0.0"),
            ("v3.7.1", "3.7.1"),
            ("3.7.0+a", "3.7.0+b"),
            ("01.2.3", "1.2.3"),
        ] {
            assert_eq!(version(a), version(b));
        }
        assert_eq!(version("v3.10").to_string(), "v3.10");
    }

    #[test]
    fn refuses_what_is_no_version() {
        for text in [
            "", "v", "latest", "1..2", "1.", ".1", "1.2-", "1.2 ", "1.2-a..b", "1+", "1.2_3",
        ] {
            assert!(Version::parse(text).is_err(), "{text}");
        }
        assert_eq!(
            Version::parse("x y").unwrap_err().to_string(),
            "`x y` is not a version"
        );
    }

    #[test]
    fn gives_its_parts() {
        let version = version("v3.8.10-rc2+build");

        assert_eq!(
            (version.major(), version.minor(), version.patch()),
            (3, 8, 10)
        );
        assert_eq!(version.prerelease(), Some("rc2"));
        assert_eq!(version.release().to_string(), "3.8.10");
    }

    proptest! {
        #[test]
        fn the_order_is_total(
            texts in prop::collection::vec("[0-3](\\.[0-2]){0,2}(-?(a|tp|rc)[0-9]{0,2})?(\\.[0-9a])?", 3)
        ) {
            let found: Vec<Version> = texts.iter().filter_map(|t| Version::parse(t).ok()).collect();
            for a in &found {
                for b in &found {
                    prop_assert_eq!(a.cmp(b), b.cmp(a).reverse());
                    for c in &found {
                        prop_assert!(!(a <= b && b <= c) || a <= c, "{} {} {}", a, b, c);
                    }
                }
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            if let Ok(version) = Version::parse(&text) {
                prop_assert_eq!(version.to_string(), text);
            }
        }
    }
}
