//! The order of versions, as `deb-version(7)` has it.

use std::cmp::Ordering;

/// Compares two versions.
pub fn compare(one: &str, other: &str) -> Ordering {
    let (epoch, upstream, revision) = parts(one);
    let (other_epoch, other_upstream, other_revision) = parts(other);
    epoch
        .cmp(&other_epoch)
        .then_with(|| compare_part(upstream, other_upstream))
        .then_with(|| compare_part(revision, other_revision))
}

/// Returns epoch, upstream version and revision.
fn parts(version: &str) -> (u64, &str, &str) {
    let (epoch, rest) = match version.split_once(':') {
        Some((epoch, rest)) => (epoch.parse().unwrap_or(0), rest),
        None => (0, version),
    };
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, "0"));
    (epoch, upstream, revision)
}

fn compare_part(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    while !one.is_empty() || !other.is_empty() {
        let (word, rest) = cut(one, |byte| !byte.is_ascii_digit());
        let (other_word, other_rest) = cut(other, |byte| !byte.is_ascii_digit());
        let longest = word.len().max(other_word.len());
        for at in 0..=longest {
            let order = weight(word.get(at)).cmp(&weight(other_word.get(at)));
            if order.is_ne() {
                return order;
            }
        }
        let (digits, rest) = cut(rest, u8::is_ascii_digit);
        let (other_digits, other_rest) = cut(other_rest, u8::is_ascii_digit);
        let order = number(digits).cmp(&number(other_digits));
        if order.is_ne() {
            return order;
        }
        (one, other) = (rest, other_rest);
    }
    Ordering::Equal
}

fn cut(text: &[u8], belongs: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !belongs(byte));
    text.split_at(end.unwrap_or(text.len()))
}

/// `~` before the end, the end before letters, letters before everything else.
fn weight(byte: Option<&u8>) -> i32 {
    match byte {
        Some(b'~') => -1,
        None => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    }
}

fn number(digits: &[u8]) -> u64 {
    let digits = std::str::from_utf8(digits).unwrap_or_default();
    digits.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_as_dpkg_does() {
        let rows = [
            ("1.0", "1.0", Ordering::Equal),
            ("1.0~rc1", "1.0", Ordering::Less),
            ("1:0.9", "1.0", Ordering::Greater),
            (
                "5:20.10.24-1~ubuntu-jammy",
                "5:26.1.5-1~ubuntu-jammy",
                Ordering::Less,
            ),
            ("1.9", "1.10", Ordering::Less),
            ("1.0-1", "1.0-1+b1", Ordering::Less),
            ("1.0a", "1.0+", Ordering::Less),
            ("7.88.1-10+deb12u9", "7.88.1-10+deb12u15", Ordering::Less),
        ];

        for (one, other, expected) in rows {
            assert_eq!(compare(one, other), expected, "{one} and {other}");
            assert_eq!(compare(other, one), expected.reverse(), "{other} and {one}");
        }
    }
}
