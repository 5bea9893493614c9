//! Text of the user in messages: quoted, short, and harmless to a terminal.

/// The longest text that a message repeats, in characters.
const LONGEST: usize = 60;
/// The longest path that a message repeats, in characters.
const LONGEST_PATH: usize = 200;

/// Returns a text in backticks, cut where it is long, without control characters.
pub(crate) fn quoted(text: &str) -> String {
    format!("`{}`", short(text))
}

/// Returns a path in backticks; of a long one the end, which tells more than the beginning.
pub(crate) fn quoted_path(path: &str) -> String {
    let chars: Vec<char> = path.chars().map(visible).collect();
    let skipped = chars.len().saturating_sub(LONGEST_PATH);
    let mark = if skipped > 0 { "…" } else { "" };
    let shown: String = chars.get(skipped..).unwrap_or_default().iter().collect();
    format!("`{mark}{shown}`")
}

/// Returns a text as one short line.
pub(crate) fn short(text: &str) -> String {
    let mut chars = text.chars();
    let mut line: String = chars.by_ref().take(LONGEST).map(visible).collect();
    if chars.next().is_some() {
        line.push('…');
    }
    line
}

/// Returns a text as one line, at full length.
pub(crate) fn line(text: &str) -> String {
    text.chars().map(visible).collect()
}

/// Replaces what would move the cursor, or change the direction of writing.
pub(crate) fn visible(c: char) -> char {
    match c {
        '\t' => ' ',
        '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' => '\u{FFFD}',
        '\u{2028}' | '\u{2029}' | '\u{FEFF}' => '\u{FFFD}',
        c if c.is_control() => '\u{FFFD}',
        c => c,
    }
}

/// Returns the name nearest to what was written, if it is near enough to be meant.
pub(crate) fn nearest<'a>(written: &str, names: &[&'a str]) -> Option<&'a str> {
    let length = written.chars().count();
    if length > 40 {
        return None;
    }
    let low = written.to_lowercase();
    let near = names.iter().filter_map(|name| {
        let farthest = 1 + name.len().min(written.len()) / 4;
        // No distance is shorter than the difference of the lengths, and that is known at once.
        let may_be = name.chars().count().abs_diff(length) <= farthest;
        let distance = may_be.then(|| distance(&low, &name.to_lowercase()))?;
        (distance <= farthest).then_some((distance, *name))
    });
    near.min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Counts the letters to insert, delete, replace or swap with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before = vec![0; b.len() + 1];
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, right) in b.iter().enumerate() {
            let replaced = row[j] + usize::from(left != right);
            let mut best = replaced.min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && *left == b[j - 1] && a[i - 1] == *right {
                best = best.min(before[j - 1] + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
    }
    row[b.len()]
}

/// Returns `a`, `b` or `c` for a sentence.
pub(crate) fn one_of(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let names = ["role", "ssh", "openSSH", "mcrConfig", "imageDir"];

        for (written, meant) in [
            ("rol", Some("role")),
            ("roel", Some("role")),
            ("openssh", Some("openSSH")),
            ("mcrconfig", Some("mcrConfig")),
            ("imagesDir", Some("imageDir")),
            ("zzz", None),
            ("", None),
        ] {
            assert_eq!(nearest(written, &names), meant, "{written}");
        }
    }

    #[test]
    fn a_text_of_the_user_stays_one_harmless_line() {
        assert_eq!(quoted("a\u{1b}[31m\nb"), "`a\u{FFFD}[31m\u{FFFD}b`");
        assert_eq!(quoted(&"x".repeat(61)), format!("`{}…`", "x".repeat(60)));
        assert_eq!(one_of(&["a", "b", "c"]), "`a`, `b` or `c`");
        assert_eq!(one_of(&["a"]), "`a`");
        assert_eq!(quoted_path("/a\n"), "`/a\u{FFFD}`");
        let long = format!("/{}/end", "x".repeat(300));
        assert_eq!(quoted_path(&long), format!("`…{}/end`", "x".repeat(196)));
    }
}
