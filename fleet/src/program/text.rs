//! Programs that pass text on: `cat`, `head`, `tail`, `tee` and their like.

use super::options::{self, Options, Value};
use super::{Invocation, Program};
use crate::open::{Mode, Opened};
use crate::pipe::Reader;

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "cat",
        run: |invocation| Box::pin(cat(invocation)),
    },
    Program {
        name: "head",
        run: |invocation| Box::pin(head(invocation)),
    },
    Program {
        name: "tail",
        run: |invocation| Box::pin(tail(invocation)),
    },
    Program {
        name: "tee",
        run: |invocation| Box::pin(tee(invocation)),
    },
    Program {
        name: "tac",
        run: |invocation| Box::pin(tac(invocation)),
    },
    Program {
        name: "rev",
        run: |invocation| Box::pin(rev(invocation)),
    },
    Program {
        name: "nl",
        run: |invocation| Box::pin(nl(invocation)),
    },
    Program {
        name: "paste",
        run: |invocation| Box::pin(paste(invocation)),
    },
    Program {
        name: "comm",
        run: |invocation| Box::pin(comm(invocation)),
    },
];

/// How much is passed on at a time.
const PIECE: usize = 64 << 10;

/// Returns the lines of a text with their ends.
pub(crate) fn lines_of(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n').collect()
}

/// Returns a line without its end.
pub(crate) fn without_end(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

/// Returns the operands, or standard input where there are none.
pub(crate) fn operands_or_input(options: &Options) -> Vec<String> {
    match options.operands.is_empty() {
        true => vec!["-".to_owned()],
        false => options.operands.clone(),
    }
}

async fn cat(invocation: &mut Invocation) -> u8 {
    let long = [("number", 'n', Value::None), ("show-all", 'A', Value::None)];
    let options = match options::read(invocation, "nuAEvT", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.flags.iter().any(|(flag, _)| "AEvT".contains(*flag)) {
        return invocation.not_simulated("showing what cannot be seen");
    }
    let mut failures: u8 = 0;
    let mut number = 0;
    for operand in operands_or_input(&options) {
        if !options.has('n') {
            let failed = match open(invocation, &operand) {
                Some(reader) => pass_on(invocation, &operand, &reader).await,
                None => 1,
            };
            failures = failures.saturating_add(failed);
            continue;
        }
        let Some(bytes) = invocation.read_operand(&operand).await else {
            failures = failures.saturating_add(1);
            continue;
        };
        for line in lines_of(&bytes) {
            number += 1;
            invocation.print(&format!("{number:>6}\t"));
            invocation.print_bytes(line);
        }
        invocation.flush().await;
    }
    // uutils counts what it could not show.
    invocation.coreutils.pick(failures.min(1), failures)
}

fn open(invocation: &mut Invocation, operand: &str) -> Option<Reader> {
    if operand == "-" {
        return Some(invocation.stdin.clone());
    }
    let path = invocation.path(operand);
    match invocation.opener().read(&path) {
        Ok(Opened::Stream(reader)) => Some(reader),
        Ok(Opened::Descriptor(_)) => Some(invocation.stdin.clone()),
        Err(errno) => {
            invocation.error(&format!("{operand}: {errno}"));
            None
        }
    }
}

/// Passes a stream on piece by piece.
async fn pass_on(invocation: &mut Invocation, operand: &str, reader: &Reader) -> u8 {
    loop {
        match reader.read(PIECE).await {
            Ok(piece) if piece.is_empty() => return 0,
            Ok(piece) => {
                invocation.print_bytes(&piece);
                invocation.flush().await;
                if invocation.has_failed_to_write {
                    return 1;
                }
            }
            Err(error) => {
                invocation.error(&format!("{operand}: {error}"));
                return 1;
            }
        }
    }
}

/// Turns `-5` into `-n 5`.
fn with_old_counts(invocation: &mut Invocation) {
    let Some(first) = invocation.arguments.first_mut() else {
        return;
    };
    let Some(count) = first.strip_prefix('-') else {
        return;
    };
    let (letter, digits) = match count.strip_suffix('c') {
        Some(digits) => ('c', digits),
        None => ('n', count),
    };
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        *first = format!("-{letter}{digits}");
    }
}

const COUNTS: &[options::Long] = &[
    ("lines", 'n', Value::Needed),
    ("bytes", 'c', Value::Needed),
    ("quiet", 'q', Value::None),
    ("silent", 'q', Value::None),
    ("verbose", 'v', Value::None),
];

/// Prints what stands above a file where there are several; `is_first` is whether nothing was shown yet.
fn print_header(
    invocation: &mut Invocation,
    options: &Options,
    is_first: &mut bool,
    operand: &str,
) {
    let shows = (options.operands.len() > 1 && !options.has('q')) || options.has('v');
    if shows {
        let name = if operand == "-" {
            "standard input"
        } else {
            operand
        };
        let blank = if *is_first { "" } else { "\n" };
        *is_first = false;
        invocation.print(&format!("{blank}==> {name} <==\n"));
    }
}

/// Reads a number with a unit.
pub(super) fn size_of(text: &str) -> Option<u64> {
    let end = text
        .find(|one: char| !one.is_ascii_digit())
        .unwrap_or(text.len());
    let number: u64 = text[..end].parse().ok()?;
    let factor = match &text[end..] {
        "" => 1,
        "b" => 512,
        "k" | "K" | "KiB" => 1 << 10,
        "M" | "MiB" => 1 << 20,
        "G" | "GiB" => 1 << 30,
        "kB" | "KB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return None,
    };
    number.checked_mul(factor)
}

async fn head(invocation: &mut Invocation) -> u8 {
    with_old_counts(invocation);
    let options = match options::read(invocation, "n:c:qv", COUNTS) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let by_bytes = options.has('c');
    let value = options
        .value('c')
        .or(options.value('n'))
        .unwrap_or("10")
        .to_owned();
    let (is_from_end, digits) = match value.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, value.as_str()),
    };
    let Some(count) = size_of(digits).and_then(|count| usize::try_from(count).ok()) else {
        let kind = if by_bytes { "bytes" } else { "lines" };
        invocation.error(&format!("invalid number of {kind}: '{value}'"));
        return 1;
    };
    let mut status = 0;
    let mut is_first = true;
    for operand in operands_or_input(&options) {
        if let Some(reader) = stream_of(invocation, &operand).filter(|_| !is_from_end) {
            print_header(invocation, &options, &mut is_first, &operand);
            head_of(invocation, &reader, count, by_bytes).await;
            continue;
        }
        let Some(bytes) = read_named(invocation, &operand).await else {
            status = 1;
            continue;
        };
        print_header(invocation, &options, &mut is_first, &operand);
        let lines = lines_of(&bytes);
        let total = if by_bytes { bytes.len() } else { lines.len() };
        let end = if is_from_end {
            total.saturating_sub(count)
        } else {
            count.min(total)
        };
        match by_bytes {
            true => invocation.print_bytes(&bytes[..end]),
            false => invocation.print_bytes(&lines[..end].concat()),
        }
    }
    status
}

/// Returns the stream of an operand, where it can be opened.
fn stream_of(invocation: &Invocation, operand: &str) -> Option<Reader> {
    if operand == "-" {
        return Some(invocation.stdin.clone());
    }
    match invocation.opener().read(&invocation.path(operand)) {
        Ok(Opened::Stream(reader)) if !reader.is_directory() => Some(reader),
        _ => None,
    }
}

/// Prints the start of a stream and reads no more than a block beyond it.
async fn head_of(invocation: &mut Invocation, reader: &Reader, count: usize, by_bytes: bool) {
    let mut left = count;
    while left > 0 {
        let Ok(piece) = reader.read(1024).await else {
            return;
        };
        if piece.is_empty() {
            return;
        }
        if by_bytes {
            let end = piece.len().min(left);
            invocation.print_bytes(&piece[..end]);
            left -= end;
            continue;
        }
        for line in lines_of(&piece) {
            if left == 0 {
                break;
            }
            invocation.print_bytes(line);
            left -= usize::from(line.ends_with(b"\n"));
        }
    }
}

async fn read_named(invocation: &mut Invocation, operand: &str) -> Option<Vec<u8>> {
    if operand == "-" {
        return Some(invocation.read_input().await);
    }
    let path = invocation.path(operand);
    match invocation.opener().content(&path) {
        Ok(content) => Some(content.whole().to_vec()),
        Err(crate::files::Errno::IsDirectory) => {
            invocation.error(&format!("error reading '{operand}': Is a directory"));
            None
        }
        Err(errno) => {
            invocation.error(&format!("cannot open '{operand}' for reading: {errno}"));
            None
        }
    }
}

async fn tail(invocation: &mut Invocation) -> u8 {
    with_old_counts(invocation);
    let options = match options::read(invocation, "n:c:qv", COUNTS) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let by_bytes = options.has('c');
    let value = options
        .value('c')
        .or(options.value('n'))
        .unwrap_or("10")
        .to_owned();
    let (is_from_start, digits) = match value.strip_prefix('+') {
        Some(digits) => (true, digits),
        None => (false, value.strip_prefix('-').unwrap_or(&value)),
    };
    let Some(count) = size_of(digits).and_then(|count| usize::try_from(count).ok()) else {
        let kind = if by_bytes { "bytes" } else { "lines" };
        invocation.error(&format!("invalid number of {kind}: '{value}'"));
        return 1;
    };
    let mut status = 0;
    let mut is_first = true;
    for operand in operands_or_input(&options) {
        let Some(bytes) = read_named(invocation, &operand).await else {
            status = 1;
            continue;
        };
        print_header(invocation, &options, &mut is_first, &operand);
        let lines = lines_of(&bytes);
        let total = if by_bytes { bytes.len() } else { lines.len() };
        let start = match is_from_start {
            true => count.saturating_sub(1).min(total),
            false => total.saturating_sub(count),
        };
        match by_bytes {
            true => invocation.print_bytes(&bytes[start..]),
            false => invocation.print_bytes(&lines[start..].concat()),
        }
    }
    status
}

async fn tee(invocation: &mut Invocation) -> u8 {
    let long = [
        ("append", 'a', Value::None),
        ("ignore-interrupts", 'i', Value::None),
    ];
    let options = match options::read(invocation, "ai", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let mode = if options.has('a') {
        Mode::Append
    } else {
        Mode::Truncate
    };
    let mut writers = Vec::new();
    let mut status = 0;
    for operand in &options.operands {
        let path = invocation.path(operand);
        match invocation.opener().write(&path, mode) {
            Ok(Opened::Stream(writer)) => writers.push((operand.clone(), writer)),
            Ok(Opened::Descriptor(2)) => writers.push((operand.clone(), invocation.stderr.clone())),
            Ok(Opened::Descriptor(_)) => writers.push((operand.clone(), invocation.stdout.clone())),
            Err(errno) => {
                let text = invocation.coreutils.tee(operand, errno);
                invocation.complain(&text);
                status = 1;
            }
        }
    }
    loop {
        let piece = match invocation.stdin.read(PIECE).await {
            Ok(piece) if !piece.is_empty() => piece,
            _ => return status,
        };
        invocation.print_bytes(&piece);
        invocation.flush().await;
        let mut refused = Vec::new();
        for (operand, writer) in &writers {
            if let Err(crate::pipe::WriteError::Errno(errno)) = writer.write(&piece).await {
                refused.push((operand.clone(), errno));
            }
        }
        for (operand, errno) in refused {
            let text = invocation.coreutils.tee(&operand, errno);
            invocation.complain(&text);
            status = 1;
            writers.retain(|(one, _)| *one != operand);
        }
    }
}

async fn tac(invocation: &mut Invocation) -> u8 {
    let options = match options::read(invocation, "", &[]) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let mut status = 0;
    for operand in operands_or_input(&options) {
        if operand != "-"
            && let Err(errno) = invocation.opener().content(&invocation.path(&operand))
        {
            invocation.error(&format!("failed to open '{operand}' for reading: {errno}"));
            status = 1;
            continue;
        }
        let Some(bytes) = read_named(invocation, &operand).await else {
            status = 1;
            continue;
        };
        let mut lines = lines_of(&bytes);
        lines.reverse();
        invocation.print_bytes(&lines.concat());
    }
    status
}

async fn rev(invocation: &mut Invocation) -> u8 {
    let options = match options::read(invocation, "", &[]) {
        Ok(options) => options,
        Err(status) => return status,
    };
    for operand in operands_or_input(&options) {
        let Some(bytes) = invocation.read_operand(&operand).await else {
            return 1;
        };
        for line in lines_of(&bytes) {
            let text = String::from_utf8_lossy(without_end(line)).into_owned();
            let text: String = text.chars().rev().collect();
            invocation.print(&format!("{text}\n"));
        }
    }
    0
}

async fn nl(invocation: &mut Invocation) -> u8 {
    let options = match options::read(invocation, "b:", &[]) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let all = options.value('b') == Some("a");
    let mut number = 0;
    for operand in operands_or_input(&options) {
        let Some(bytes) = invocation.read_operand(&operand).await else {
            return 1;
        };
        for line in lines_of(&bytes) {
            if line == b"\n" && !all {
                invocation.print("       \n");
                continue;
            }
            number += 1;
            invocation.print(&format!("{number:>6}\t"));
            invocation.print_bytes(line);
        }
    }
    0
}

async fn paste(invocation: &mut Invocation) -> u8 {
    let long = [
        ("serial", 's', Value::None),
        ("delimiters", 'd', Value::Needed),
    ];
    let options = match options::read(invocation, "sd:", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let delimiters = options
        .value('d')
        .unwrap_or("\t")
        .replace("\\n", "\n")
        .replace("\\t", "\t");
    let delimiters: Vec<char> = delimiters.chars().collect();
    let between = |index: usize| match delimiters.is_empty() {
        true => String::new(),
        false => delimiters[index % delimiters.len()].to_string(),
    };
    let mut columns = Vec::new();
    for operand in operands_or_input(&options) {
        if operand != "-"
            && let Err(errno) = invocation.opener().content(&invocation.path(&operand))
        {
            let text = invocation.coreutils.paste(&operand, errno);
            invocation.error(&text);
            return 1;
        }
        let Some(bytes) = invocation.read_operand(&operand).await else {
            return 1;
        };
        let lines: Vec<String> = lines_of(&bytes)
            .into_iter()
            .map(|line| String::from_utf8_lossy(without_end(line)).into_owned())
            .collect();
        columns.push(lines);
    }
    let rows: Vec<Vec<String>> = match options.has('s') {
        true => columns,
        false => {
            let longest = columns.iter().map(Vec::len).max().unwrap_or(0);
            let cell =
                |column: &Vec<String>, row: usize| column.get(row).cloned().unwrap_or_default();
            (0..longest)
                .map(|row| columns.iter().map(|column| cell(column, row)).collect())
                .collect()
        }
    };
    for row in rows {
        let mut text = String::new();
        for (index, cell) in row.iter().enumerate() {
            if index > 0 {
                text.push_str(&between(index - 1));
            }
            text.push_str(cell);
        }
        invocation.print(&format!("{text}\n"));
    }
    0
}

async fn comm(invocation: &mut Invocation) -> u8 {
    let options = match options::read(invocation, "123", &[]) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let [left, right] = options.operands.as_slice() else {
        let count = options.operands.len();
        return match options.operands.first() {
            Some(first) => invocation.lacks(count, &format!("missing operand after '{first}'")),
            None => invocation.lacks(count, "missing operand"),
        };
    };
    let (Some(left), Some(right)) = (
        invocation.read_operand(left).await,
        invocation.read_operand(right).await,
    ) else {
        return 1;
    };
    let (left, right) = (lines_of(&left), lines_of(&right));
    let indent = |column: usize| {
        "\t".repeat(
            ('1'..='2')
                .take(column)
                .filter(|one| !options.has(*one))
                .count(),
        )
    };
    let (mut one, mut other) = (0, 0);
    while one < left.len() || other < right.len() {
        let order = match (left.get(one), right.get(other)) {
            (Some(left), Some(right)) => without_end(left).cmp(without_end(right)),
            (Some(_), None) => std::cmp::Ordering::Less,
            _ => std::cmp::Ordering::Greater,
        };
        let (flag, column, line) = match order {
            std::cmp::Ordering::Less => ('1', 0, left[one]),
            std::cmp::Ordering::Greater => ('2', 1, right[other]),
            std::cmp::Ordering::Equal => ('3', 2, left[one]),
        };
        one += usize::from(order.is_le());
        other += usize::from(order.is_ge());
        if !options.has(flag) {
            invocation.print(&indent(column));
            invocation.print_bytes(without_end(line));
            invocation.print("\n");
        }
    }
    0
}
