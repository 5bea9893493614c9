//! What `echo` and `printf` do to their arguments; the builtins and the programs share it.

use super::arithmetic::parse_prefix;

/// Whose words are used for errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// The builtin of dash.
    Dash,
    /// The program of the GNU project.
    Gnu,
}

/// What `printf` prints.
#[derive(Debug, Default)]
pub(crate) struct Printed {
    /// The bytes.
    pub(crate) bytes: Vec<u8>,
    /// What it complains of.
    pub(crate) errors: Vec<String>,
}

/// Replaces escapes as `echo` and `%b` do; the second is whether `\c` ended the output.
pub(crate) fn unescape(text: &str) -> (Vec<u8>, bool) {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        match bytes.get(at) {
            Some(b'c') => return (out, true),
            Some(b'0') => at += 1 + octal(&bytes[at + 1..], 3, &mut out),
            Some(_) => at += escape(&bytes[at..], &mut out),
            None => out.push(b'\\'),
        }
    }
    (out, false)
}

/// Reads an escape behind its backslash; returns how long it is.
fn escape(rest: &[u8], out: &mut Vec<u8>) -> usize {
    let simple = match rest.first() {
        Some(b'a') => 7,
        Some(b'b') => 8,
        Some(b'e') => 27,
        Some(b'f') => 12,
        Some(b'n') => b'\n',
        Some(b'r') => b'\r',
        Some(b't') => b'\t',
        Some(b'v') => 11,
        Some(b'\\') => b'\\',
        Some(b'0'..=b'7') => return octal(rest, 3, out),
        Some(b'x') => {
            let digits: String = rest[1..]
                .iter()
                .take(2)
                .map(|byte| char::from(*byte))
                .take_while(char::is_ascii_hexdigit)
                .collect();
            if let Ok(value) = u8::from_str_radix(&digits, 16) {
                out.push(value);
                return 1 + digits.len();
            }
            out.extend_from_slice(b"\\x");
            return 1;
        }
        Some(other) => {
            out.push(b'\\');
            out.push(*other);
            return 1;
        }
        None => {
            out.push(b'\\');
            return 0;
        }
    };
    out.push(simple);
    1
}

fn octal(rest: &[u8], most: usize, out: &mut Vec<u8>) -> usize {
    let digits: Vec<u8> = rest
        .iter()
        .take(most)
        .copied()
        .take_while(|byte| (b'0'..=b'7').contains(byte))
        .collect();
    let value = digits
        .iter()
        .fold(0u32, |value, digit| value * 8 + u32::from(digit - b'0'));
    out.push((value & 0xff) as u8);
    digits.len()
}

/// The arguments of `printf`, as they are used up.
struct Arguments<'a> {
    all: &'a [String],
    next: usize,
    style: Style,
    errors: Vec<String>,
}

impl Arguments<'_> {
    fn text(&mut self) -> &str {
        let text = self.all.get(self.next).map_or("", String::as_str);
        self.next += 1;
        text
    }

    fn number(&mut self) -> i128 {
        let style = self.style;
        let is_missing = self.next >= self.all.len();
        let text = self.text().to_owned();
        if is_missing {
            return 0;
        }
        if let Some(rest) = text.strip_prefix(['\'', '"']) {
            return rest
                .chars()
                .next()
                .map_or(0, |one| i128::from(u32::from(one)));
        }
        let trimmed = text.trim_start();
        let (is_negative, digits) = match trimmed.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
        };
        let (value, length) = parse_prefix(digits);
        if length == 0 && !(text.is_empty() && style == Style::Dash) {
            self.errors.push(match style {
                Style::Dash => format!("{text}: expected numeric value"),
                Style::Gnu => format!("'{text}': expected a numeric value"),
            });
        } else if length < digits.len() {
            self.errors.push(match style {
                Style::Dash => format!("{text}: not completely converted"),
                Style::Gnu => format!("'{text}': value not completely converted"),
            });
        }
        let value = i128::from(value);
        if is_negative { -value } else { value }
    }

    fn real(&mut self) -> f64 {
        let text = self.text().trim().to_owned();
        text.parse().unwrap_or(0.0)
    }
}

/// One conversion of a format.
#[derive(Debug, Default)]
struct Conversion {
    is_left: bool,
    is_zero: bool,
    is_signed: bool,
    is_blank: bool,
    is_alternate: bool,
    width: usize,
    precision: Option<usize>,
}

/// Does what `printf` does.
pub(crate) fn printf(format: &str, arguments: &[String], style: Style) -> Printed {
    let mut printed = Printed::default();
    let mut arguments = Arguments {
        all: arguments,
        next: 0,
        style,
        errors: Vec::new(),
    };
    loop {
        let before = arguments.next;
        let goes_on = once(format.as_bytes(), &mut arguments, &mut printed);
        let is_done = arguments.next >= arguments.all.len() || arguments.next == before;
        if !goes_on || is_done {
            break;
        }
    }
    printed.errors = arguments.errors;
    printed
}

fn once(format: &[u8], arguments: &mut Arguments<'_>, printed: &mut Printed) -> bool {
    let mut at = 0;
    while let Some(byte) = format.get(at) {
        at += 1;
        match byte {
            b'\\' if format.get(at) == Some(&b'c') => return false,
            b'\\' => at += escape_in_format(&format[at..], &mut printed.bytes),
            b'%' if format.get(at) == Some(&b'%') => {
                at += 1;
                printed.bytes.push(b'%');
            }
            b'%' => {
                let start = at - 1;
                let conversion = flags(format, &mut at, arguments);
                let letter = format.get(at).copied().unwrap_or(0);
                at += 1;
                match convert(&conversion, letter, arguments, printed) {
                    Some(true) => {}
                    Some(false) => return false,
                    None => {
                        let text = String::from_utf8_lossy(&format[start..at.min(format.len())]);
                        arguments.errors.push(match arguments.style {
                            Style::Dash => format!("{text}: invalid directive"),
                            Style::Gnu => {
                                format!("{text}: invalid conversion specification")
                            }
                        });
                        return false;
                    }
                }
            }
            byte => printed.bytes.push(*byte),
        }
    }
    true
}

fn escape_in_format(rest: &[u8], out: &mut Vec<u8>) -> usize {
    match rest.first() {
        Some(b'"') => {
            out.push(b'"');
            1
        }
        _ => escape(rest, out),
    }
}

fn flags(format: &[u8], at: &mut usize, arguments: &mut Arguments<'_>) -> Conversion {
    let mut conversion = Conversion::default();
    loop {
        match format.get(*at) {
            Some(b'-') => conversion.is_left = true,
            Some(b'0') => conversion.is_zero = true,
            Some(b'+') => conversion.is_signed = true,
            Some(b' ') => conversion.is_blank = true,
            Some(b'#') => conversion.is_alternate = true,
            _ => break,
        }
        *at += 1;
    }
    if format.get(*at) == Some(&b'*') {
        *at += 1;
        let width = arguments.number();
        conversion.is_left |= width < 0;
        conversion.width = usize::try_from(width.unsigned_abs()).unwrap_or(0);
    } else {
        conversion.width = digits(format, at);
    }
    if format.get(*at) == Some(&b'.') {
        *at += 1;
        conversion.precision = Some(match format.get(*at) {
            Some(b'*') => {
                *at += 1;
                usize::try_from(arguments.number()).unwrap_or(0)
            }
            _ => digits(format, at),
        });
    }
    let has_sizes = arguments.style == Style::Gnu;
    while has_sizes
        && matches!(format.get(*at), Some(b'l' | b'h' | b'j' | b'z' | b't'))
        && *at + 1 < format.len()
    {
        *at += 1;
    }
    conversion
}

fn digits(format: &[u8], at: &mut usize) -> usize {
    let mut value = 0usize;
    while let Some(digit) = format.get(*at).filter(|byte| byte.is_ascii_digit()) {
        value = (value * 10 + usize::from(digit - b'0')).min(100_000);
        *at += 1;
    }
    value
}

/// Prints one argument; `None` where there is no such conversion, false where the output ends.
fn convert(
    conversion: &Conversion,
    letter: u8,
    arguments: &mut Arguments<'_>,
    printed: &mut Printed,
) -> Option<bool> {
    match letter {
        b's' => {
            let text = arguments.text().to_owned();
            let text: String = match conversion.precision {
                Some(most) => text.chars().take(most).collect(),
                None => text,
            };
            pad(conversion, text.as_bytes(), &mut printed.bytes);
        }
        b'b' => {
            let (bytes, ends) = unescape(arguments.text());
            pad(conversion, &bytes, &mut printed.bytes);
            if ends {
                return Some(false);
            }
        }
        b'c' => {
            let one: String = arguments.text().chars().take(1).collect();
            pad(conversion, one.as_bytes(), &mut printed.bytes);
        }
        b'd' | b'i' => {
            let value = arguments.number();
            let sign = match value {
                value if value < 0 => "-",
                _ if conversion.is_signed => "+",
                _ if conversion.is_blank => " ",
                _ => "",
            };
            number(
                conversion,
                sign,
                value.unsigned_abs().to_string(),
                &mut printed.bytes,
            );
        }
        b'u' | b'o' | b'x' | b'X' => {
            let value = arguments.number() as i64 as u64;
            let (prefix, text) = match letter {
                b'u' => ("", value.to_string()),
                b'o' => ("0", format!("{value:o}")),
                b'x' => ("0x", format!("{value:x}")),
                _ => ("0X", format!("{value:X}")),
            };
            let prefix = if conversion.is_alternate { prefix } else { "" };
            number(conversion, prefix, text, &mut printed.bytes);
        }
        b'f' | b'F' | b'e' | b'E' | b'g' | b'G' => {
            let value = arguments.real();
            let text = real(value.abs(), letter, conversion.precision.unwrap_or(6));
            let sign = match value {
                value if value < 0.0 => "-",
                _ if conversion.is_signed => "+",
                _ => "",
            };
            let plain = Conversion {
                precision: None,
                ..*conversion
            };
            number(&plain, sign, text, &mut printed.bytes);
        }
        _ => return None,
    }
    Some(true)
}

/// Writes a number as `%f`, `%e` or `%g` do.
pub(crate) fn real(value: f64, letter: u8, precision: usize) -> String {
    let exponential = |precision: usize| {
        let text = format!("{value:.precision$e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{digits}e{sign}{:02}", exponent.abs())
    };
    match letter.to_ascii_lowercase() {
        b'f' => format!("{value:.precision$}"),
        b'e' => exponential(precision),
        _ => {
            let precision = precision.max(1);
            let text = format!("{value:.*e}", precision - 1);
            let exponent = text.split_once('e').map_or("0", |(_, exponent)| exponent);
            let exponent: i32 = exponent.parse().unwrap_or(0);
            let limit = i32::try_from(precision).unwrap_or(i32::MAX);
            let trim = |text: String| match text.contains('.') {
                true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => text,
            };
            if exponent < -4 || exponent >= limit {
                let text = exponential(precision - 1);
                let (digits, exponent) = text.split_once('e').unwrap_or((&text, "+00"));
                return format!("{}e{exponent}", trim(digits.to_owned()));
            }
            let decimals = usize::try_from(limit - 1 - exponent).unwrap_or(0);
            trim(format!("{value:.decimals$}"))
        }
    }
}

fn number(conversion: &Conversion, prefix: &str, digits: String, out: &mut Vec<u8>) {
    let digits = match conversion.precision {
        Some(least) => format!("{digits:0>least$}"),
        None => digits,
    };
    let fills = conversion.is_zero && !conversion.is_left && conversion.precision.is_none();
    let text = match fills {
        true => {
            let width = conversion.width.saturating_sub(prefix.len());
            format!("{prefix}{digits:0>width$}")
        }
        false => format!("{prefix}{digits}"),
    };
    pad(conversion, text.as_bytes(), out);
}

fn pad(conversion: &Conversion, bytes: &[u8], out: &mut Vec<u8>) {
    let missing = conversion.width.saturating_sub(bytes.len());
    if !conversion.is_left {
        out.extend(std::iter::repeat_n(b' ', missing));
    }
    out.extend_from_slice(bytes);
    if conversion.is_left {
        out.extend(std::iter::repeat_n(b' ', missing));
    }
}
