//! Times as programs print them, always in UTC.

/// A moment, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) year: u64,
    pub(crate) month: u64,
    pub(crate) day: u64,
    pub(crate) hour: u64,
    pub(crate) minute: u64,
    pub(crate) second: u64,
    /// 0 is Sunday.
    pub(crate) weekday: u64,
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

impl Moment {
    /// Takes seconds since 1970 apart.
    pub(crate) fn of(seconds: u64) -> Self {
        let text = standin::log::timestamp(seconds);
        let part = |from: usize, to: usize| {
            text.get(from..to)
                .and_then(|part| part.parse().ok())
                .unwrap_or(0)
        };
        Self {
            year: part(0, 4),
            month: part(5, 7),
            day: part(8, 10),
            hour: part(11, 13),
            minute: part(14, 16),
            second: part(17, 19),
            weekday: (seconds / 86_400 + 4) % 7,
        }
    }

    /// Returns `Nov`.
    pub(crate) fn month_name(&self) -> &'static str {
        MONTHS.get(self.month as usize - 1).copied().unwrap_or("")
    }

    /// Returns `Wed`.
    pub(crate) fn weekday_name(&self) -> &'static str {
        WEEKDAYS.get(self.weekday as usize).copied().unwrap_or("")
    }
}

/// Returns a time as ctime writes it: `Wed Nov 25 21:55:07 2026`.
pub(crate) fn plain(seconds: u64) -> String {
    let now = Moment::of(seconds);
    format!(
        "{} {} {:2} {:02}:{:02}:{:02} {}",
        now.weekday_name(),
        now.month_name(),
        now.day,
        now.hour,
        now.minute,
        now.second,
        now.year
    )
}

/// Returns `Wed 2026-11-25 21:15:41 UTC`.
pub(crate) fn systemd(seconds: u64) -> String {
    let moment = Moment::of(seconds);
    let stamp = standin::log::timestamp(seconds);
    format!(
        "{} {} {} UTC",
        moment.weekday_name(),
        &stamp[..10],
        &stamp[11..19]
    )
}

/// Returns `Nov 25 21:15:41`, as syslog has it.
pub(crate) fn syslog(seconds: u64) -> String {
    let moment = Moment::of(seconds);
    format!(
        "{} {:02} {:02}:{:02}:{:02}",
        moment.month_name(),
        moment.day,
        moment.hour,
        moment.minute,
        moment.second
    )
}

/// Returns how long ago something was, as systemd says it: `1min 21s`, `3h 35min`.
pub(crate) fn ago(seconds: u64) -> String {
    match seconds {
        0..=59 => format!("{seconds}s"),
        60..=3599 => format!("{}min {}s", seconds / 60, seconds % 60),
        3600..=86_399 => format!("{}h {}min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} days", seconds / 86_400),
    }
}
