//! The order of versions, as rpm has it (`rpmvercmp`, `docs/manual/dependencies.md` of rpm 4.18).

use std::cmp::Ordering;

/// Epoch, version and release of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evr<'a> {
    /// The epoch; none is 0.
    pub epoch: u64,
    /// The version.
    pub version: &'a str,
    /// The release, where there is one.
    pub release: Option<&'a str>,
}

impl<'a> Evr<'a> {
    /// Reads `[epoch:]version[-release]`.
    pub fn parse(text: &'a str) -> Self {
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) => (epoch.parse().unwrap_or(0), rest),
            None => (0, text),
        };
        let (version, release) = match rest.rsplit_once('-') {
            Some((version, release)) => (version, Some(release)),
            None => (rest, None),
        };
        Self {
            epoch,
            version,
            release,
        }
    }

    /// Compares with another one; releases only where both have one.
    pub fn compare(&self, other: &Self) -> Ordering {
        let order = self.epoch.cmp(&other.epoch);
        let order = order.then_with(|| compare_part(self.version, other.version));
        order.then_with(|| match (self.release, other.release) {
            (Some(one), Some(other)) => compare_part(one, other),
            _ => Ordering::Equal,
        })
    }
}

/// Compares two texts of the form `[epoch:]version[-release]`.
pub fn compare(one: &str, other: &str) -> Ordering {
    Evr::parse(one).compare(&Evr::parse(other))
}

/// Compares two versions, or two releases.
pub fn compare_part(one: &str, other: &str) -> Ordering {
    let is_separator = |letter: char| !letter.is_ascii_alphanumeric() && !"~^".contains(letter);
    let (mut one, mut other) = (one, other);
    loop {
        one = one.trim_start_matches(is_separator);
        other = other.trim_start_matches(is_separator);
        match (one.strip_prefix('~'), other.strip_prefix('~')) {
            (Some(rest), Some(other_rest)) => {
                (one, other) = (rest, other_rest);
                continue;
            }
            // A tilde comes before everything, the end too.
            (Some(_), None) => return Ordering::Less,
            (None, Some(_)) => return Ordering::Greater,
            (None, None) => {}
        }
        match (one.strip_prefix('^'), other.strip_prefix('^')) {
            (Some(rest), Some(other_rest)) => {
                (one, other) = (rest, other_rest);
                continue;
            }
            // A caret comes after the end, and before everything else.
            (Some(_), None) if other.is_empty() => return Ordering::Greater,
            (None, Some(_)) if one.is_empty() => return Ordering::Less,
            (Some(_), None) => return Ordering::Less,
            (None, Some(_)) => return Ordering::Greater,
            (None, None) => {}
        }
        if one.is_empty() || other.is_empty() {
            return one.len().cmp(&other.len());
        }
        let is_number = one.starts_with(|letter: char| letter.is_ascii_digit());
        let belongs = |letter: char| match is_number {
            true => letter.is_ascii_digit(),
            false => letter.is_ascii_alphabetic(),
        };
        let (segment, rest) = cut(one, belongs);
        let (other_segment, other_rest) = cut(other, belongs);
        if other_segment.is_empty() {
            // Numbers are newer than words.
            return if is_number {
                Ordering::Greater
            } else {
                Ordering::Less
            };
        }
        let order = match is_number {
            true => {
                let plain = segment.trim_start_matches('0');
                let other_plain = other_segment.trim_start_matches('0');
                plain
                    .len()
                    .cmp(&other_plain.len())
                    .then_with(|| plain.cmp(other_plain))
            }
            false => segment.cmp(other_segment),
        };
        if order.is_ne() {
            return order;
        }
        (one, other) = (rest, other_rest);
    }
}

fn cut(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|letter| !belongs(letter));
    text.split_at(end.unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_as_rpm_does() {
        // Each was asked of rpm 4.18 with `rpm --eval '%{lua:print(rpm.vercmp("…", "…"))}'`.
        let rows = [
            ("1.0", "1.0", Ordering::Equal),
            ("1.0", "1", Ordering::Greater),
            ("2.0.1a", "2.0.1", Ordering::Greater),
            ("5.5p1", "5.5p10", Ordering::Less),
            ("10xyz", "10.1xyz", Ordering::Less),
            ("xyz10", "xyz10.1", Ordering::Less),
            ("1.0010", "1.9", Ordering::Greater),
            ("1.05", "1.5", Ordering::Equal),
            ("2_0", "2.0", Ordering::Equal),
            ("1.0~rc1", "1.0", Ordering::Less),
            ("1.0~rc1~git", "1.0~rc1", Ordering::Less),
            ("1.0^", "1.0", Ordering::Greater),
            ("1.0^git1", "1.0.1", Ordering::Less),
            ("1.0^git1~pre", "1.0^git1", Ordering::Less),
            ("1.0~rc1^git1", "1.0~rc1", Ordering::Greater),
            ("8.7p1", "8.8", Ordering::Less),
            ("20240101", "1.99999999999999999999", Ordering::Greater),
            ("a", "1", Ordering::Less),
            ("1.1.α", "1.1.β", Ordering::Equal),
        ];

        for (one, other, expected) in rows {
            assert_eq!(compare_part(one, other), expected, "{one} and {other}");
            assert_eq!(
                compare_part(other, one),
                expected.reverse(),
                "{other} and {one}"
            );
        }
    }

    #[test]
    fn epochs_go_first_and_a_missing_release_fits_all() {
        let rows = [
            ("1:0.9-1", "2.0-1", Ordering::Greater),
            ("3:20.10.24-1.el9", "3:26.1.5-1.el9", Ordering::Less),
            ("0:1.0-1", "1.0-1", Ordering::Equal),
            ("1.0", "1.0-7", Ordering::Equal),
            ("1.0-2.el9", "1.0-10.el9", Ordering::Less),
        ];

        for (one, other, expected) in rows {
            assert_eq!(compare(one, other), expected, "{one} and {other}");
        }
    }
}
