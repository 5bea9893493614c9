//! Times and sizes, as people write them.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

/// A time, as in `250ms`, `2m30s`, `1h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Time(pub Duration);

impl TryFrom<String> for Time {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no time such as `250ms`, `90s` or `2m30s`");
        let mut total = Duration::ZERO;
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(wrong());
        }
        while !rest.is_empty() {
            let end = rest.find(|one: char| !one.is_ascii_digit() && one != '.');
            let (number, after) = rest.split_at(end.ok_or_else(wrong)?);
            let number: f64 = number.parse().map_err(|_error| wrong())?;
            let end = after
                .find(|one: char| one.is_ascii_digit())
                .unwrap_or(after.len());
            let (unit, after) = after.split_at(end);
            let factor = match unit {
                "ms" => 0.001,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                _ => return Err(wrong()),
            };
            let seconds = number * factor;
            total += Duration::try_from_secs_f64(seconds).map_err(|_error| wrong())?;
            rest = after;
        }
        Ok(Self(total))
    }
}

/// A number of bytes, as in `10MB`, `512KiB`, `20GB`, or without a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String")]
pub struct Size(pub u64);

impl TryFrom<String> for Size {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no size such as `512KiB`, `10MB` or `20GB`");
        let trimmed = text.trim();
        let end = trimmed
            .find(|one: char| !one.is_ascii_digit())
            .unwrap_or(trimmed.len());
        let (number, unit) = trimmed.split_at(end);
        let number: u64 = number.parse().map_err(|_error| wrong())?;
        let factor: u64 = match unit.trim() {
            "" | "B" => 1,
            "kB" | "KB" => 1000,
            "KiB" => 1 << 10,
            "MB" => 1_000_000,
            "MiB" => 1 << 20,
            "GB" => 1_000_000_000,
            "GiB" => 1 << 30,
            "TB" => 1_000_000_000_000,
            _ => return Err(wrong()),
        };
        number.checked_mul(factor).map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, milliseconds) = (self.0.as_secs(), self.0.subsec_millis());
        match (seconds / 60, seconds % 60, milliseconds) {
            (0, 0, milliseconds) => write!(f, "{milliseconds}ms"),
            (0, seconds, 0) => write!(f, "{seconds}s"),
            (minutes, 0, 0) => write!(f, "{minutes}m"),
            (minutes, seconds, 0) => write!(f, "{minutes}m{seconds}s"),
            (minutes, seconds, milliseconds) => write!(f, "{minutes}m{seconds}s{milliseconds}ms"),
        }
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        for milliseconds in [0, 1, 999, 1000, 59_000, 60_000, 61_000, 61_001, 7_200_000] {
            let time = Time(Duration::from_millis(milliseconds));

            assert_eq!(Time::try_from(time.to_string()), Ok(time));
        }
    }
}
