//! `date` and `sleep`; times as text. All hosts keep UTC.

use std::time::Duration;

use super::coreutils::{Coreutils, usage};
use super::options::{self, Value};
use super::{Invocation, Program};

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "date",
        run: |invocation| Box::pin(async { date(invocation) }),
    },
    Program {
        name: "sleep",
        run: |invocation| Box::pin(sleep(invocation)),
    },
];

const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Returns year, month and day of a number of days since 1970.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Returns the number of days since 1970.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Writes a time as `strftime` does; `None` where a letter is not simulated.
pub(crate) fn format(format: &str, time: Duration) -> Option<String> {
    let seconds = i64::try_from(time.as_secs()).ok()?;
    let (day_number, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(day_number);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let weekday = (day_number + 4).rem_euclid(7);
    let name = |all: &[&'static str], at: i64| all.get(usize::try_from(at).ok()?).copied();
    let mut text = String::new();
    let mut rest = format.chars();
    while let Some(one) = rest.next() {
        if one != '%' {
            text.push(one);
            continue;
        }
        let mut letter = rest.next().unwrap_or('%');
        let unpadded = letter == '-';
        let mut width = String::new();
        if unpadded {
            letter = rest.next()?;
        }
        while letter.is_ascii_digit() || letter == ':' {
            width.push(letter);
            letter = rest.next()?;
        }
        let two = |value: i64| {
            if unpadded {
                value.to_string()
            } else {
                format!("{value:02}")
            }
        };
        let inner = |inner: &str| self::format(inner, time);
        text.push_str(&match letter {
            '%' => "%".to_owned(),
            'n' => "\n".to_owned(),
            't' => "\t".to_owned(),
            's' => seconds.to_string(),
            'N' => {
                let nanos = format!("{:09}", time.subsec_nanos());
                let digits: usize = width.parse().unwrap_or(9);
                nanos[..digits.clamp(1, 9)].to_owned()
            }
            'Y' => year.to_string(),
            'y' => two(year % 100),
            'm' => two(month),
            'd' => two(day),
            'e' => format!("{day:>2}"),
            'H' => two(hour),
            'I' => two((hour + 11) % 12 + 1),
            'M' => two(minute),
            'S' => two(second),
            'p' => if hour < 12 { "AM" } else { "PM" }.to_owned(),
            'j' => format!("{:03}", day_number - days(year, 1, 1) + 1),
            'u' => (if weekday == 0 { 7 } else { weekday }).to_string(),
            'w' => weekday.to_string(),
            'a' => name(&DAYS, weekday)?[..3].to_owned(),
            'A' => name(&DAYS, weekday)?.to_owned(),
            'b' | 'h' => name(&MONTHS, month - 1)?[..3].to_owned(),
            'B' => name(&MONTHS, month - 1)?.to_owned(),
            'F' => inner("%Y-%m-%d")?,
            'T' => inner("%H:%M:%S")?,
            'R' => inner("%H:%M")?,
            'D' => inner("%m/%d/%y")?,
            'c' => inner("%a %b %e %H:%M:%S %Y")?,
            'z' if width == ":" => "+00:00".to_owned(),
            'z' => "+0000".to_owned(),
            'Z' => "UTC".to_owned(),
            _ => return None,
        });
    }
    Some(text)
}

/// Options of the real `date` that are not simulated.
const OTHER: [&str; 7] = [
    "debug",
    "file",
    "help",
    "resolution",
    "rfc-email",
    "universal",
    "version",
];

/// Reads a time: `@seconds`, `now`, ISO 8601, and `2 hours ago`.
pub(crate) fn parse(text: &str, now: Duration) -> Option<Duration> {
    let text = text.trim();
    if let Some(seconds) = text.strip_prefix('@') {
        return seconds
            .parse()
            .ok()
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    }
    if text.is_empty() || text == "now" {
        return Some(now);
    }
    if let Some(time) = relative(text, now) {
        return Some(time);
    }
    // A date, and a way from there: `2024-01-01 +1 day`.
    if let Some((date, way)) = text.split_once(" +").or_else(|| text.split_once(" -"))
        && let Some(date) = parse(date, now)
    {
        let sign = text.as_bytes().get(text.len() - way.len() - 1).copied()?;
        return relative(&format!("{}{way}", sign as char), date);
    }
    let text = text
        .strip_suffix("UTC")
        .unwrap_or(text)
        .trim_end()
        .trim_end_matches('Z');
    let text = text.strip_suffix("+00:00").unwrap_or(text);
    let (date, clock) = text.split_once(['T', ' ']).unwrap_or((text, "0:0:0"));
    let numbers: Option<Vec<i64>> = date.split('-').map(|part| part.parse().ok()).collect();
    let [year, month, day] = numbers?[..] else {
        return None;
    };
    let parts: Vec<&str> = clock.trim().split(':').collect();
    let (hour, minute): (i64, i64) = (parts.first()?.parse().ok()?, parts.get(1)?.parse().ok()?);
    let second: f64 = parts.get(2).map_or(Some(0.0), |part| part.parse().ok())?;
    let whole = days(year, month, day) * 86_400 + hour * 3600 + minute * 60;
    Duration::try_from_secs_f64(whole as f64 + second).ok()
}

fn relative(text: &str, now: Duration) -> Option<Duration> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (number, unit, is_ago) = match words[..] {
        [number, unit, "ago"] => (number, unit, true),
        [number, unit] => (number, unit, false),
        ["yesterday"] => ("1", "day", true),
        ["tomorrow"] => ("1", "day", false),
        _ => return None,
    };
    let (is_back, digits) = match number.strip_prefix('-') {
        Some(digits) => (!is_ago, digits),
        None => (is_ago, number.trim_start_matches('+')),
    };
    let factor = match unit.trim_end_matches('s') {
        "second" | "sec" => 1,
        "minute" | "min" => 60,
        "hour" => 3600,
        "day" => 86_400,
        "week" => 604_800,
        _ => return None,
    };
    let by = Duration::from_secs(digits.parse::<u64>().ok()?.checked_mul(factor)?);
    if is_back {
        now.checked_sub(by)
    } else {
        now.checked_add(by)
    }
}

fn date(invocation: &mut Invocation) -> u8 {
    let long = [
        ("utc", 'u', Value::None),
        ("universal", 'u', Value::None),
        ("date", 'd', Value::Needed),
        ("iso-8601", 'I', Value::Optional),
        ("rfc-3339", '3', Value::Needed),
        ("set", 's', Value::Needed),
        ("reference", 'r', Value::Needed),
    ];
    // `-Iseconds` has its value behind it.
    for word in &mut invocation.arguments {
        if let Some(rest) = word.strip_prefix("-I").map(str::to_owned) {
            *word = format!("--iso-8601={rest}");
        }
    }
    let known: Vec<&str> = long.iter().map(|(name, ..)| *name).collect();
    let strange = invocation.arguments.iter().find(|word| {
        let name = word
            .strip_prefix("--")
            .and_then(|word| word.split('=').next());
        name.is_some_and(|name| {
            !name.is_empty() && !known.contains(&name) && !OTHER.contains(&name)
        })
    });
    if let Some(strange) = strange
        .cloned()
        .filter(|_| invocation.coreutils == Coreutils::Gnu)
    {
        return invocation.misused(&format!("unrecognized option '{strange}'"));
    }
    let options = match options::read(invocation, "ud:s:r:R", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let may_set = invocation.credentials.uid == 0 && invocation.host(|host| !host.is_container);
    if options.has('s') && !may_set {
        let why = invocation
            .coreutils
            .pick("Operation not permitted", "Permission denied");
        invocation.error(&format!("cannot set date: {why}"));
        return 1;
    }
    if options.has('s') || options.has('r') {
        return invocation.not_simulated("setting the clock, or the time of a file");
    }
    let now = invocation.now();
    let time = match options.value('d') {
        Some(text) => match parse(text, now) {
            Some(time) => time,
            None if text.chars().all(|one| one.is_ascii_lowercase()) => {
                invocation.error(&format!("invalid date '{text}'"));
                return 1;
            }
            None => {
                let what = format!("the date {text}");
                return invocation.not_simulated(&what);
            }
        },
        None => now,
    };
    let format = match (
        options.value('I'),
        options.value('3'),
        options.operands.first(),
    ) {
        (Some("" | "date"), _, _) => "%Y-%m-%d".to_owned(),
        (Some("hours"), _, _) => "%Y-%m-%dT%H%:z".to_owned(),
        (Some("minutes"), _, _) => "%Y-%m-%dT%H:%M%:z".to_owned(),
        (Some("seconds" | "s"), _, _) => "%Y-%m-%dT%H:%M:%S%:z".to_owned(),
        (Some("ns"), _, _) => "%Y-%m-%dT%H:%M:%S,%N%:z".to_owned(),
        (Some(_), _, _) => return invocation.not_simulated("this precision"),
        (None, Some("seconds"), _) => "%Y-%m-%d %H:%M:%S%:z".to_owned(),
        (None, Some("date"), _) => "%Y-%m-%d".to_owned(),
        (None, Some(_), _) => return invocation.not_simulated("this precision"),
        (None, None, Some(operand)) => match operand.strip_prefix('+') {
            Some(format) => format.to_owned(),
            None => {
                let text = format!("invalid date '{operand}'");
                invocation.error(&text);
                return 1;
            }
        },
        (None, None, None) if options.has('R') => "%a, %d %b %Y %H:%M:%S %z".to_owned(),
        (None, None, None) => "%a %b %e %H:%M:%S UTC %Y".to_owned(),
    };
    match self::format(&format, time) {
        Some(text) => {
            invocation.print(&format!("{text}\n"));
            0
        }
        None => invocation.not_simulated(&format!("the format {format}")),
    }
}

/// Reads `5`, `0.5`, `2m`, `1h`, `infinity`, which is the longest time there is.
pub(crate) fn parse_interval(text: &str) -> Option<Duration> {
    if matches!(text, "infinity" | "inf") {
        return Some(Duration::MAX);
    }
    let (number, factor) = match text.char_indices().last()? {
        (at, 's') => (&text[..at], 1.0),
        (at, 'm') => (&text[..at], 60.0),
        (at, 'h') => (&text[..at], 3600.0),
        (at, 'd') => (&text[..at], 86_400.0),
        _ => (text, 1.0),
    };
    let seconds: f64 = number.parse().ok()?;
    Duration::try_from_secs_f64(seconds * factor).ok()
}

async fn sleep(invocation: &mut Invocation) -> u8 {
    let words = invocation.arguments.clone();
    if words.is_empty() {
        invocation.error("missing operand");
        invocation.complain("Try 'sleep --help' for more information.");
        return 1;
    }
    let mut whole = Duration::ZERO;
    for word in &words {
        if word.starts_with('-')
            && invocation.coreutils == Coreutils::Uutils
            && let Some(status) = usage::unknown(invocation, word)
        {
            return status;
        }
        match parse_interval(word) {
            Some(time) => whole = whole.saturating_add(time),
            None => {
                invocation.error(&format!("invalid time interval '{word}'"));
                invocation.complain("Try 'sleep --help' for more information.");
                return 1;
            }
        }
    }
    if whole == Duration::MAX {
        // No clock gets there, however it jumps.
        invocation.flush().await;
        std::future::pending::<()>().await;
    }
    invocation.sleep(whole).await;
    0
}
