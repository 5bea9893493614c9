//! `wc`.

use super::options::{self, Options, Value};
use super::text::operands_or_input;
use super::{Invocation, Program};
use crate::files::Follow;

pub(crate) const PROGRAMS: &[Program] = &[Program {
    name: "wc",
    run: |invocation| Box::pin(wc(invocation)),
}];

/// What is counted of a file: lines, words, characters, bytes; and how its name is shown.
type Row = ([usize; 4], String);

async fn wc(invocation: &mut Invocation) -> u8 {
    let long = [
        ("lines", 'l', Value::None),
        ("words", 'w', Value::None),
        ("bytes", 'c', Value::None),
        ("chars", 'm', Value::None),
    ];
    let options = match options::read(invocation, "lwcm", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let (mut rows, mut status, mut is_sized) = (Vec::new(), 0, !options.operands.is_empty());
    for operand in operands_or_input(&options) {
        let is_directory = operand != "-" && is_directory(invocation, &operand);
        let bytes = match invocation.read_operand(&operand).await {
            Some(bytes) => bytes,
            None => {
                status = 1;
                if !is_directory {
                    continue;
                }
                // It is counted as empty, all the same.
                is_sized = false;
                Vec::new()
            }
        };
        let name = match options.operands.is_empty() {
            true => String::new(),
            false => format!(" {operand}"),
        };
        rows.push((count(&bytes), name));
    }
    if options.operands.len() > 1 {
        rows.push(total(&rows));
    }
    print(invocation, &options, &rows, is_sized);
    status
}

fn is_directory(invocation: &Invocation, operand: &str) -> bool {
    let path = invocation.path(operand);
    invocation.files(|files, who, _| {
        let stat = files.stat(&path, Follow::Yes, who);
        stat.is_ok_and(|stat| stat.is_directory())
    })
}

fn count(bytes: &[u8]) -> [usize; 4] {
    let text = String::from_utf8_lossy(bytes);
    [
        bytes.iter().filter(|byte| **byte == b'\n').count(),
        text.split_whitespace().count(),
        text.chars().count(),
        bytes.len(),
    ]
}

fn total(rows: &[Row]) -> Row {
    let mut total = [0; 4];
    for (counts, _) in rows {
        for (sum, count) in total.iter_mut().zip(counts) {
            *sum += count;
        }
    }
    (total, " total".to_owned())
}

/// Prints what was wished for; numbers are as wide as the size of all files, or 7 where one has no size.
fn print(invocation: &mut Invocation, options: &Options, rows: &[Row], is_sized: bool) {
    let wants = |flag: char| options.has(flag) || (options.flags.is_empty() && flag != 'm');
    let shown: Vec<usize> = [('l', 0), ('w', 1), ('m', 2), ('c', 3)]
        .into_iter()
        .filter_map(|(flag, at)| wants(flag).then_some(at))
        .collect();
    let largest = rows.iter().map(|(counts, _)| counts[3]).max().unwrap_or(0);
    let width = match (shown.len() == 1 && rows.len() == 1, is_sized) {
        (true, _) => 1,
        (false, true) => largest.to_string().len(),
        (false, false) => 7,
    };
    for (counts, name) in rows {
        let numbers: Vec<String> = shown
            .iter()
            .map(|at| format!("{:>width$}", counts[*at]))
            .collect();
        invocation.print(&format!("{}{name}\n", numbers.join(" ")));
    }
}
