//! Durations for people.

use std::fmt;

/// A duration in milliseconds, shown as `0.3s`, `12s`, `1m 05s` or `2h 03m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Elapsed(pub u64);

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / 1000;
        let text = if seconds < 10 {
            format!("{seconds}.{}s", self.0 % 1000 / 100)
        } else if seconds < 60 {
            format!("{seconds}s")
        } else if seconds < 3600 {
            format!("{}m {:02}s", seconds / 60, seconds % 60)
        } else {
            format!("{}h {:02}m", seconds / 3600, seconds % 3600 / 60)
        };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_as_much_as_one_wants_to_know() {
        let shown = |ms| Elapsed(ms).to_string();

        assert_eq!(shown(0), "0.0s");
        assert_eq!(shown(9_999), "9.9s");
        assert_eq!(shown(59_999), "59s");
        assert_eq!(shown(65_000), "1m 05s");
        assert_eq!(shown(7_380_000), "2h 03m");
    }
}
