//! Lines: data on the standard output, talk on the standard error.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use standin::log::{Format, Level, Line};

/// Prints a line in its form.
pub(crate) fn line(line: &Line, format: Format) {
    let text = line.render(format, now());
    match line {
        Line::Plain(_) => put(std::io::stdout().lock(), &text),
        Line::Log { .. } => put(std::io::stderr().lock(), &text),
    }
}

/// Prints data.
pub(crate) fn plain(text: &str) {
    put(std::io::stdout().lock(), text);
}

/// Prints what ends the process before there is anything else to say it.
pub(crate) fn fatal(message: &str) {
    line(&Line::log(Level::Fatal, message), Format::Text);
}

/// A reader that is gone is no reason to stop: the work counts, and the exit status.
fn put(mut to: impl Write, text: &str) {
    let _ = writeln!(to, "{text}").and_then(|()| to.flush());
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
