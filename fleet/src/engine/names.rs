//! Ids, names, times and sizes, in the forms in which docker shows them.

use std::time::Duration;

use rand::Rng;
use sha2::{Digest, Sha256};

/// Returns `bytes` random bytes as hexadecimal digits.
pub(crate) fn hex(rng: &mut impl Rng, bytes: usize) -> String {
    (0..bytes)
        .map(|_| format!("{:02x}", rng.random::<u8>()))
        .collect()
}

/// Returns the id of a node, task, service, config or cluster.
pub(crate) fn swarm_id(rng: &mut impl Rng) -> String {
    base36(rng, 25)
}

/// Returns random digits of base 36.
pub(crate) fn base36(rng: &mut impl Rng, length: usize) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    (0..length)
        .map(|_| char::from(DIGITS[rng.random_range(0..36)]))
        .collect()
}

/// Returns the id of an engine: twelve groups of four.
pub(crate) fn engine_id(rng: &mut impl Rng) -> String {
    const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let group = |rng: &mut _| -> String {
        (0..4)
            .map(|_| char::from(DIGITS[Rng::random_range(rng, 0..32)]))
            .collect()
    };
    let groups: Vec<String> = (0..12).map(|_| group(&mut *rng)).collect();
    groups.join(":")
}

/// Returns a name for a container that was given none.
pub(crate) fn container_name(rng: &mut impl Rng) -> String {
    const LEFT: &[&str] = &[
        "admiring", "bold", "brave", "clever", "cool", "eager", "elated", "funny", "gallant",
        "happy", "jolly", "keen", "kind", "loving", "modest", "nifty", "quirky", "serene", "sharp",
        "stoic", "trusting", "vibrant", "wizardly", "zen",
    ];
    const RIGHT: &[&str] = &[
        "archimedes",
        "babbage",
        "bohr",
        "curie",
        "darwin",
        "einstein",
        "euclid",
        "euler",
        "fermat",
        "galileo",
        "gauss",
        "hopper",
        "hypatia",
        "kepler",
        "lovelace",
        "mendel",
        "newton",
        "noether",
        "pasteur",
        "ptolemy",
        "ramanujan",
        "tesla",
        "turing",
        "wozniak",
    ];
    let left = LEFT[rng.random_range(0..LEFT.len())];
    let right = RIGHT[rng.random_range(0..RIGHT.len())];
    format!("{left}_{right}")
}

/// Returns the hexadecimal digits of a hash.
pub(crate) fn sha256(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns a time since 1970 as RFC 3339 with nanoseconds, without zeros at its end.
pub(crate) fn timestamp(wall: Duration) -> String {
    let text = standin::log::timestamp(wall.as_secs());
    let text = text.trim_end_matches('Z');
    match wall.subsec_nanos() {
        0 => format!("{text}Z"),
        nanos => {
            let digits = format!("{nanos:09}");
            format!("{text}.{}Z", digits.trim_end_matches('0'))
        }
    }
}

/// The time of what has not happened.
pub(crate) const NEVER: &str = "0001-01-01T00:00:00Z";

/// Returns a time since 1970 as listings show it, like `2026-11-25 18:49:36 +0000 UTC`.
pub(crate) fn date(wall: Duration) -> String {
    let text = standin::log::timestamp(wall.as_secs());
    let text = text.replace('T', " ").replace('Z', "");
    format!("{text} +0000 UTC")
}

/// Returns how long something has lasted, in docker's words: `5 seconds`, `About an hour`.
pub(crate) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let (minutes, hours) = (seconds / 60, (seconds + 1800) / 3600);
    match () {
        () if seconds < 1 => "Less than a second".to_owned(),
        () if seconds == 1 => "1 second".to_owned(),
        () if seconds < 60 => format!("{seconds} seconds"),
        () if minutes == 1 => "About a minute".to_owned(),
        () if minutes < 60 => format!("{minutes} minutes"),
        () if hours == 1 => "About an hour".to_owned(),
        () if hours < 48 => format!("{hours} hours"),
        () if hours < 24 * 7 * 2 => format!("{} days", hours / 24),
        () if hours < 24 * 30 * 2 => format!("{} weeks", hours / 24 / 7),
        () if hours < 24 * 365 * 2 => format!("{} months", hours / 24 / 30),
        () => format!("{} years", hours / 24 / 365),
    }
}

/// Returns a size with four digits and a unit of thousands: `13.3kB`.
#[expect(
    clippy::cast_precision_loss,
    reason = "four digits are shown, sizes are far below 2^52"
)]
pub(crate) fn size(bytes: u64) -> String {
    scaled(bytes as f64, 1000.0, &["B", "kB", "MB", "GB", "TB"], 4)
}

/// Returns a size with a unit of 1024: `23.54GiB`.
#[expect(
    clippy::cast_precision_loss,
    reason = "four digits are shown, sizes are far below 2^52"
)]
pub(crate) fn binary_size(bytes: u64) -> String {
    scaled(bytes as f64, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB"], 4)
}

/// Returns a size with three digits, as listings of images and containers show it: `133MB`.
#[expect(
    clippy::cast_precision_loss,
    reason = "three digits are shown, sizes are far below 2^52"
)]
pub(crate) fn short_size(bytes: u64) -> String {
    scaled(bytes as f64, 1000.0, &["B", "kB", "MB", "GB", "TB"], 3)
}

fn scaled(mut number: f64, base: f64, units: &[&str], digits: usize) -> String {
    let mut unit = 0;
    while number >= base && unit + 1 < units.len() {
        number /= base;
        unit += 1;
    }
    let before = match number {
        number if number >= 1000.0 => 4,
        number if number >= 100.0 => 3,
        number if number >= 10.0 => 2,
        _ => 1,
    };
    let decimals = digits.saturating_sub(before);
    let text = format!("{number:.decimals$}");
    let text = match text.split_once('.') {
        Some(_) => text.trim_end_matches('0').trim_end_matches('.'),
        None => &text,
    };
    format!("{text}{}", units[unit])
}

/// Returns the twelve digits by which people know an id.
pub(crate) fn short(id: &str) -> String {
    let id = id.strip_prefix("sha256:").unwrap_or(id);
    id.chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_spans_are_said_as_docker_says_them() {
        assert_eq!(size(13_256), "13.26kB");
        assert_eq!(short_size(0), "0B");
        assert_eq!(short_size(133_400_000), "133MB");
        assert_eq!(short_size(5_580_000), "5.58MB");
        assert_eq!(binary_size(25_276_063_744), "23.54GiB");
        for (seconds, wanted) in [
            (0, "Less than a second"),
            (5, "5 seconds"),
            (61, "About a minute"),
            (600, "10 minutes"),
            (3600, "About an hour"),
            (7300, "2 hours"),
            (86_400 * 3, "3 days"),
            (86_400 * 20, "2 weeks"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), wanted);
        }
    }

    #[test]
    fn times_have_no_zeros_at_their_end() {
        let wall = Duration::new(1_795_632_576, 29_363_900);

        assert_eq!(timestamp(wall), "2026-11-25T18:49:36.0293639Z");
        assert_eq!(date(wall), "2026-11-25 18:49:36 +0000 UTC");
    }
}
