//! Programs that choose among lines and within them: `sort`, `uniq`, `cut`, `tr`.

use std::cmp::Ordering;

use super::coreutils::Coreutils;
use super::options::{self, Value};
use super::text::{lines_of, operands_or_input, without_end};
use super::{Invocation, Program};
use crate::files::Follow;
use crate::shell::pattern::is_in_class;

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "sort",
        run: |invocation| Box::pin(sort(invocation)),
    },
    Program {
        name: "uniq",
        run: |invocation| Box::pin(uniq(invocation)),
    },
    Program {
        name: "cut",
        run: |invocation| Box::pin(cut(invocation)),
    },
    Program {
        name: "tr",
        run: |invocation| Box::pin(tr(invocation)),
    },
];

/// A key to sort by.
#[derive(Debug, Clone, Default)]
struct Key {
    /// First and last field, from 1; 0 for the end of the line.
    fields: Option<(usize, usize)>,
    /// The character within the first field, from 1.
    offset: usize,
    letters: String,
}

/// Reads `2,3nr` and `2.4`.
fn read_key(text: &str) -> Option<Key> {
    let (start, end) = match text.split_once(',') {
        Some((start, end)) => (start, Some(end)),
        None => (text, None),
    };
    let number = |text: &str| {
        let end = text
            .find(|one: char| !one.is_ascii_digit())
            .unwrap_or(text.len());
        Some((text[..end].parse::<usize>().ok()?, text[end..].to_owned()))
    };
    let (first, mut rest) = number(start)?;
    let mut offset = 0;
    if let Some(behind) = rest.strip_prefix('.') {
        let (number, behind) = number(behind)?;
        offset = number;
        rest = behind;
    }
    let mut letters = rest;
    let last = match end {
        Some(end) => {
            let (last, rest) = number(end)?;
            if rest.starts_with('.') {
                return None;
            }
            letters.push_str(&rest);
            last
        }
        None => 0,
    };
    letters
        .chars()
        .all(|one| "nrfbVdh".contains(one))
        .then_some(Key {
            fields: Some((first, last)),
            offset,
            letters,
        })
}

fn part<'a>(line: &'a str, key: &Key, separator: Option<char>) -> &'a str {
    let Some((first, last)) = key.fields else {
        return line;
    };
    // Without a separator a field begins with the blanks before it.
    let mut bounds = Vec::new();
    match separator {
        Some(separator) => {
            let mut start = 0;
            for (at, one) in line.char_indices() {
                if one == separator {
                    bounds.push((start, at));
                    start = at + one.len_utf8();
                }
            }
            bounds.push((start, line.len()));
        }
        None => {
            let mut start = 0;
            let mut was_blank = true;
            for (at, one) in line.char_indices() {
                let is_blank = one == ' ' || one == '\t';
                if is_blank && !was_blank {
                    bounds.push((start, at));
                    start = at;
                }
                was_blank = is_blank;
            }
            bounds.push((start, line.len()));
        }
    }
    let Some((start, _)) = bounds.get(first.saturating_sub(1)) else {
        return "";
    };
    let start = (start + key.offset.saturating_sub(1)).min(line.len());
    let end = match last {
        0 => line.len(),
        last => bounds.get(last - 1).map_or(line.len(), |(_, end)| *end),
    };
    line.get(start..end.max(start)).unwrap_or("")
}

fn numeric(text: &str) -> f64 {
    let text = text.trim_start();
    let end = text
        .char_indices()
        .find(|(at, one)| !(one.is_ascii_digit() || *one == '.' || (*at == 0 && *one == '-')))
        .map_or(text.len(), |(at, _)| at);
    text[..end].parse().unwrap_or(0.0)
}

/// Compares versions as `sort -V` does.
pub(crate) fn compare_versions(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left, right);
    loop {
        let split = |text: &str, digits: bool| {
            text.find(|one: char| one.is_ascii_digit() != digits)
                .unwrap_or(text.len())
        };
        let (one, other) = (split(left, false), split(right, false));
        let rank = |one: u8| match one {
            b'~' => -1,
            one if one.is_ascii_alphabetic() => i32::from(one),
            one => i32::from(one) + 256,
        };
        let (texts, others) = (&left.as_bytes()[..one], &right.as_bytes()[..other]);
        for at in 0..texts.len().max(others.len()) {
            let left = texts.get(at).map_or(0, |one| rank(*one));
            let right = others.get(at).map_or(0, |one| rank(*one));
            if left != right {
                return left.cmp(&right);
            }
        }
        (left, right) = (&left[one..], &right[other..]);
        let (one, other) = (split(left, true), split(right, true));
        let trim = |text: &str| text.trim_start_matches('0').to_owned();
        let (digits, others) = (trim(&left[..one]), trim(&right[..other]));
        let order = digits
            .len()
            .cmp(&others.len())
            .then_with(|| digits.cmp(&others));
        if order.is_ne() {
            return order;
        }
        (left, right) = (&left[one..], &right[other..]);
        if left.is_empty() && right.is_empty() {
            return Ordering::Equal;
        }
    }
}

fn compare_by(key: &Key, left: &str, right: &str) -> Ordering {
    let has = |letter: char| key.letters.contains(letter);
    let (left, right) = match has('b') {
        true => (left.trim_start(), right.trim_start()),
        false => (left, right),
    };
    let order = if has('n') {
        numeric(left).total_cmp(&numeric(right))
    } else if has('V') {
        compare_versions(left, right)
    } else if has('f') {
        left.to_uppercase().cmp(&right.to_uppercase())
    } else {
        left.as_bytes().cmp(right.as_bytes())
    };
    if has('r') { order.reverse() } else { order }
}

async fn sort(invocation: &mut Invocation) -> u8 {
    let long = [
        ("numeric-sort", 'n', Value::None),
        ("reverse", 'r', Value::None),
        ("unique", 'u', Value::None),
        ("key", 'k', Value::Needed),
        ("field-separator", 't', Value::Needed),
        ("version-sort", 'V', Value::None),
        ("output", 'o', Value::Needed),
        ("zero-terminated", 'z', Value::None),
    ];
    let options = match options::read(invocation, "nrufbVszcsk:t:o:", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let global: String = options
        .flags
        .iter()
        .map(|(flag, _)| *flag)
        .filter(|flag| "nrfbV".contains(*flag))
        .collect();
    let mut keys = Vec::new();
    for value in options.values('k') {
        match read_key(value) {
            Some(mut key) => {
                if key.letters.is_empty() {
                    key.letters.clone_from(&global);
                }
                keys.push(key);
            }
            None => {
                let what = format!("the key {value}");
                return invocation.not_simulated(&what);
            }
        }
    }
    if keys.is_empty() {
        keys.push(Key {
            letters: global.clone(),
            ..Key::default()
        });
    }
    let separator = options.value('t').and_then(|text| text.chars().next());
    let end = if options.has('z') { '\0' } else { '\n' };
    let mut lines: Vec<String> = Vec::new();
    for operand in operands_or_input(&options) {
        if operand != "-"
            && !invocation.host(|host| {
                host.files
                    .exists(&crate::program::absolute(&invocation.directory, &operand))
            })
        {
            invocation.error(&format!(
                "cannot read: {operand}: No such file or directory"
            ));
            return 2;
        }
        let path = invocation.path(&operand);
        let is_directory = invocation.files(|files, who, _| {
            let stat = files.stat(&path, Follow::Yes, who);
            operand != "-" && stat.is_ok_and(|stat| stat.is_directory())
        });
        if is_directory {
            let text = invocation.coreutils.sort_directory(&operand);
            invocation.error(&text);
            return 2;
        }
        let Some(bytes) = invocation.read_operand(&operand).await else {
            return 2;
        };
        let text = String::from_utf8_lossy(&bytes);
        let text = text.strip_suffix(end).unwrap_or(&text);
        if !bytes.is_empty() {
            lines.extend(text.split(end).map(str::to_owned));
        }
    }
    let by_keys = |left: &String, right: &String| {
        keys.iter()
            .map(|key| compare_by(key, part(left, key, separator), part(right, key, separator)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    };
    let is_stable = options.has('s') || options.has('u');
    let compare = |left: &String, right: &String| {
        by_keys(left, right).then_with(|| match is_stable {
            true => Ordering::Equal,
            false if global.contains('r') => right.cmp(left),
            false => left.cmp(right),
        })
    };
    if options.has('c') {
        let wrong = lines
            .windows(2)
            .position(|pair| compare(&pair[0], &pair[1]).is_gt());
        if let Some(at) = wrong {
            let line = lines[at + 1].clone();
            let name = options.operands.first().map_or("-", String::as_str);
            invocation.error(&format!("{name}:{}: disorder: {line}", at + 2));
            return 1;
        }
        return 0;
    }
    lines.sort_by(compare);
    if options.has('u') {
        lines.dedup_by(|right, left| by_keys(left, right).is_eq());
    }
    let mut text = lines.join(&end.to_string());
    if !lines.is_empty() {
        text.push(end);
    }
    match options.value('o') {
        Some(shown) => {
            let path = invocation.path(shown);
            let mode = 0o666 & !invocation.umask;
            let written =
                invocation.files(|files, who, now| files.write(&path, text, mode, who, now));
            if let Err(errno) = written {
                invocation.error(&format!("open failed: {shown}: {errno}"));
                return 2;
            }
        }
        None => invocation.print(&text),
    }
    0
}

async fn uniq(invocation: &mut Invocation) -> u8 {
    let long = [
        ("count", 'c', Value::None),
        ("repeated", 'd', Value::None),
        ("unique", 'u', Value::None),
        ("ignore-case", 'i', Value::None),
    ];
    let options = match options::read(invocation, "cdui", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.operands.len() > 1 {
        return invocation.not_simulated("an output file");
    }
    let operand = options
        .operands
        .first()
        .cloned()
        .unwrap_or_else(|| "-".to_owned());
    if operand != "-"
        && let Err(errno) = invocation.opener().content(&invocation.path(&operand))
    {
        let text = invocation.coreutils.uniq(&operand, errno);
        invocation.error(&text);
        return 1;
    }
    let Some(bytes) = invocation.read_operand(&operand).await else {
        return 1;
    };
    let mut groups: Vec<(usize, String)> = Vec::new();
    for line in lines_of(&bytes) {
        let text = String::from_utf8_lossy(without_end(line)).into_owned();
        match groups.last_mut() {
            Some((count, last))
                if *last == text || (options.has('i') && last.eq_ignore_ascii_case(&text)) =>
            {
                *count += 1
            }
            _ => groups.push((1, text)),
        }
    }
    for (count, text) in groups {
        if (options.has('d') && count < 2) || (options.has('u') && count > 1) {
            continue;
        }
        match options.has('c') {
            true => invocation.print(&format!("{count:>7} {text}\n")),
            false => invocation.print(&format!("{text}\n")),
        }
    }
    0
}

/// Reads `1,3-5,7-`.
fn read_ranges(text: &str) -> Option<Vec<(usize, usize)>> {
    let read = |part: &str| match part.split_once('-') {
        Some(("", "")) => None,
        Some(("", end)) => Some((1, end.parse().ok()?)),
        Some((start, "")) => Some((start.parse().ok()?, usize::MAX)),
        Some((start, end)) => Some((start.parse().ok()?, end.parse().ok()?)),
        None => part.parse().ok().map(|number| (number, number)),
    };
    let ranges: Option<Vec<(usize, usize)>> = text.split([',', ' ']).map(read).collect();
    ranges.filter(|ranges| ranges.iter().all(|(start, end)| *start > 0 && start <= end))
}

async fn cut(invocation: &mut Invocation) -> u8 {
    let long = [
        ("fields", 'f', Value::Needed),
        ("delimiter", 'd', Value::Needed),
        ("characters", 'c', Value::Needed),
        ("bytes", 'b', Value::Needed),
        ("only-delimited", 's', Value::None),
        ("complement", 'C', Value::None),
        ("output-delimiter", 'O', Value::Needed),
    ];
    let options = match options::read(invocation, "f:d:c:b:s", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let list = options
        .value('f')
        .or(options.value('c'))
        .or(options.value('b'));
    let Some(list) = list.map(str::to_owned) else {
        return match invocation.coreutils {
            Coreutils::Gnu => {
                invocation.misused("you must specify a list of bytes, characters, or fields")
            }
            Coreutils::Uutils => {
                let options = "--fields (-f), --chars (-c) or --bytes (-b)";
                invocation.error(&format!("invalid usage: expects one of {options}"));
                1
            }
        };
    };
    let Some(ranges) = read_ranges(&list) else {
        let text = invocation.coreutils.cut_range(&list);
        if invocation.coreutils == Coreutils::Gnu {
            return invocation.misused(&text);
        }
        invocation.error(&text);
        return 1;
    };
    let wants = |number: usize| {
        let is_in = ranges
            .iter()
            .any(|(start, end)| (*start..=*end).contains(&number));
        is_in != options.has('C')
    };
    let delimiter = options.value('d').unwrap_or("\t").to_owned();
    let output = options.value('O').unwrap_or(&delimiter).to_owned();
    let mut status = 0;
    for operand in operands_or_input(&options) {
        let Some(bytes) = invocation.read_operand(&operand).await else {
            status = 1;
            continue;
        };
        for line in lines_of(&bytes) {
            let text = String::from_utf8_lossy(without_end(line)).into_owned();
            let chosen: String = if options.has('f') {
                if !text.contains(&delimiter) {
                    if !options.has('s') {
                        invocation.print(&format!("{text}\n"));
                    }
                    continue;
                }
                let fields = text.split(&delimiter).enumerate();
                let fields: Vec<&str> = fields
                    .filter(|(at, _)| wants(at + 1))
                    .map(|(_, field)| field)
                    .collect();
                fields.join(&output)
            } else {
                let characters = text.chars().enumerate();
                characters
                    .filter(|(at, _)| wants(at + 1))
                    .map(|(_, one)| one)
                    .collect()
            };
            invocation.print(&format!("{chosen}\n"));
        }
    }
    status
}

/// Reads a set of `tr`; `None` where it holds what is not simulated.
fn read_set(text: &str) -> Option<Vec<char>> {
    let unescaped = String::from_utf8(crate::shell::format::unescape(text).0).ok()?;
    let all: Vec<char> = unescaped.chars().collect();
    let mut set = Vec::new();
    let mut at = 0;
    while at < all.len() {
        let rest: String = all[at..].iter().collect();
        if let Some(class) = rest
            .strip_prefix("[:")
            .and_then(|rest| rest.split_once(":]"))
        {
            let members = (0u32..128)
                .filter_map(char::from_u32)
                .filter(|one| is_in_class(*one, class.0));
            set.extend(members);
            at += class.0.chars().count() + 4;
        } else if rest.starts_with("[=")
            || (rest.starts_with('[') && rest[1..].chars().nth(1) == Some('*'))
        {
            return None;
        } else if all.get(at + 1) == Some(&'-') && at + 2 < all.len() {
            set.extend(all[at]..=all[at + 2]);
            at += 3;
        } else {
            set.push(all[at]);
            at += 1;
        }
    }
    Some(set)
}

async fn tr(invocation: &mut Invocation) -> u8 {
    let long = [
        ("delete", 'd', Value::None),
        ("squeeze-repeats", 's', Value::None),
        ("complement", 'c', Value::None),
    ];
    let options = match options::read(invocation, "+dscCt", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let Some(first) = options.operands.first() else {
        invocation.error("missing operand");
        invocation.complain("Try 'tr --help' for more information.");
        return 1;
    };
    let second = options.operands.get(1);
    if second.is_none() && !options.has('d') && !options.has('s') {
        invocation.error(&format!("missing operand after '{first}'"));
        invocation.complain("Two strings must be given when translating.");
        invocation.complain("Try 'tr --help' for more information.");
        return 1;
    }
    let sets = (
        read_set(first),
        second.map_or(Some(Vec::new()), |text| read_set(text)),
    );
    let (Some(from), Some(to)) = sets else {
        return invocation.not_simulated("such a set");
    };
    let is_complement = options.has('c') || options.has('C');
    let is_in = |one: char| from.contains(&one) != is_complement;
    let input = invocation.read_input().await;
    let text = String::from_utf8_lossy(&input).into_owned();
    let translates = !options.has('d') && second.is_some();
    let mut out = String::with_capacity(text.len());
    let squeezed = |one: char| match (options.has('s'), second.is_some()) {
        (false, _) => false,
        (true, true) => to.contains(&one),
        (true, false) => is_in(one),
    };
    let mut last = None;
    for one in text.chars() {
        let mut one = one;
        if is_in(one) {
            if options.has('d') {
                continue;
            }
            if translates {
                let at = match is_complement {
                    true => usize::MAX,
                    false => from.iter().rposition(|other| *other == one).unwrap_or(0),
                };
                one = to.get(at).or(to.last()).copied().unwrap_or(one);
            }
        }
        if last == Some(one) && squeezed(one) {
            continue;
        }
        last = Some(one);
        out.push(one);
    }
    invocation.print(&out);
    0
}
