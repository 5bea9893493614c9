//! Patterns of `case`, of expansions and of file names.

/// One thing that a pattern asks for.
#[derive(Debug, Clone, PartialEq)]
enum Item {
    Any,
    One,
    Character(char),
    Set {
        is_negated: bool,
        ranges: Vec<(char, char)>,
        classes: Vec<&'static str>,
    },
}

/// A pattern.
#[derive(Debug, Clone)]
pub(crate) struct Pattern(Vec<Item>);

const CLASSES: &[&str] = &[
    "alpha", "digit", "alnum", "upper", "lower", "space", "blank", "punct", "print", "graph",
    "cntrl", "xdigit",
];

/// Returns whether a character belongs to a class of POSIX.
pub(crate) fn is_in_class(one: char, class: &str) -> bool {
    match class {
        "alpha" => one.is_alphabetic(),
        "digit" => one.is_ascii_digit(),
        "alnum" => one.is_alphanumeric(),
        "upper" => one.is_uppercase(),
        "lower" => one.is_lowercase(),
        "space" => one.is_whitespace() || one == '\u{b}',
        "blank" => one == ' ' || one == '\t',
        "punct" => one.is_ascii_punctuation(),
        "print" => !one.is_control(),
        "graph" => !one.is_control() && one != ' ',
        "cntrl" => one.is_control(),
        "xdigit" => one.is_ascii_hexdigit(),
        _ => false,
    }
}

/// Returns whether a text fits a pattern.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    Pattern::new(pattern).matches(text)
}

impl Pattern {
    /// Reads a pattern in which a backslash makes the next character plain.
    pub(crate) fn new(text: &str) -> Self {
        let all: Vec<char> = text.chars().collect();
        let mut items = Vec::with_capacity(all.len());
        let mut at = 0;
        while let Some(one) = all.get(at) {
            at += 1;
            match one {
                '*' => {
                    if items.last() != Some(&Item::Any) {
                        items.push(Item::Any);
                    }
                }
                '?' => items.push(Item::One),
                '\\' if at < all.len() => {
                    items.push(Item::Character(all[at]));
                    at += 1;
                }
                '[' => match set(&all, at) {
                    Some((item, next)) => {
                        items.push(item);
                        at = next;
                    }
                    None => items.push(Item::Character('[')),
                },
                one => items.push(Item::Character(*one)),
            }
        }
        Self(items)
    }

    /// Returns whether it fits a whole text.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let items = &self.0;
        let mut at = 0;
        let mut rest = text.chars();
        let mut back: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            if items.get(at) == Some(&Item::Any) {
                at += 1;
                back = Some((at, rest.clone()));
                continue;
            }
            let mut next = rest.clone();
            match (items.get(at), next.next()) {
                (None, None) => return true,
                (Some(item), Some(one)) if item.fits(one) => {
                    at += 1;
                    rest = next;
                }
                (_, _) => match &mut back {
                    // The star takes one character more.
                    Some((start, from)) => {
                        if from.next().is_none() {
                            return false;
                        }
                        at = *start;
                        rest = from.clone();
                    }
                    None => return false,
                },
            }
        }
    }

    /// Returns the length of a prefix that fits.
    pub(crate) fn prefix(&self, text: &str, is_longest: bool) -> Option<usize> {
        let mut ends = boundaries(text);
        match is_longest {
            true => ends.rev().find(|end| self.matches(&text[..*end])),
            false => ends.find(|end| self.matches(&text[..*end])),
        }
    }

    /// Returns the start of a suffix that fits.
    pub(crate) fn suffix(&self, text: &str, is_longest: bool) -> Option<usize> {
        let mut starts = boundaries(text);
        match is_longest {
            true => starts.find(|start| self.matches(&text[*start..])),
            false => starts.rev().find(|start| self.matches(&text[*start..])),
        }
    }
}

fn boundaries(text: &str) -> impl DoubleEndedIterator<Item = usize> {
    let inner = text.char_indices().map(|(at, _)| at);
    inner.chain(std::iter::once(text.len()))
}

impl Item {
    fn fits(&self, one: char) -> bool {
        match self {
            Self::Any => false,
            Self::One => true,
            Self::Character(wanted) => *wanted == one,
            Self::Set {
                is_negated,
                ranges,
                classes,
            } => {
                let is_in = ranges.iter().any(|(from, to)| (*from..=*to).contains(&one))
                    || classes.iter().any(|class| is_in_class(one, class));
                is_in != *is_negated
            }
        }
    }
}

/// Reads what follows `[`; returns the place behind `]`.
fn set(all: &[char], start: usize) -> Option<(Item, usize)> {
    let mut at = start;
    let is_negated = matches!(all.get(at), Some('!' | '^'));
    at += usize::from(is_negated);
    let first = at;
    let (mut ranges, mut classes) = (Vec::new(), Vec::new());
    loop {
        let one = *all.get(at)?;
        if one == ']' && at > first {
            let item = Item::Set {
                is_negated,
                ranges,
                classes,
            };
            return Some((item, at + 1));
        }
        if one == '[' && all.get(at + 1) == Some(&':') {
            let rest: String = all[at + 2..].iter().take(12).collect();
            if let Some(class) = CLASSES.iter().find(|class| {
                rest.strip_prefix(**class)
                    .is_some_and(|rest| rest.starts_with(":]"))
            }) {
                classes.push(*class);
                at += class.len() + 4;
                continue;
            }
        }
        let (from, next) = member(all, at)?;
        at = next;
        let is_range = all.get(at) == Some(&'-') && all.get(at + 1).is_some_and(|one| *one != ']');
        if is_range {
            let (to, next) = member(all, at + 1)?;
            ranges.push((from, to));
            at = next;
        } else {
            ranges.push((from, from));
        }
    }
}

fn member(all: &[char], at: usize) -> Option<(char, usize)> {
    match all.get(at)? {
        '\\' => Some((*all.get(at + 1)?, at + 2)),
        one => Some((*one, at + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_what_they_should() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abb", false),
            ("?", "ä", true),
            ("[!a-c]x", "dx", true),
            ("[[:digit:]]*", "1b", true),
            ("[]]", "]", true),
            ("[a", "[a", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("*a*b*", "xxaxxbxx", true),
            ("[a-]", "-", true),
        ] {
            assert_eq!(
                Pattern::new(pattern).matches(text),
                fits,
                "{pattern} {text}"
            );
        }
    }
}
