//! `dd`: copies so many blocks, and not one byte more.

use super::{Invocation, Program};
use crate::open::{Mode, Opened};
use crate::pipe::WriteError;

pub(crate) const PROGRAMS: &[Program] = &[Program {
    name: "dd",
    run: |invocation| Box::pin(dd(invocation)),
}];

/// What is asked for.
struct Wishes {
    source: Option<String>,
    target: Option<String>,
    block: usize,
    count: Option<usize>,
    is_quiet: bool,
}

/// What was moved: whole blocks, others, bytes.
#[derive(Default)]
struct Moved {
    whole: usize,
    partial: usize,
    bytes: usize,
}

async fn dd(invocation: &mut Invocation) -> u8 {
    let wishes = match read(invocation) {
        Ok(wishes) => wishes,
        Err(status) => return status,
    };
    let source = match &wishes.source {
        None => invocation.stdin.clone(),
        Some(operand) => {
            let path = invocation.path(operand);
            match invocation.opener().read(&path) {
                Ok(Opened::Stream(reader)) => reader,
                Ok(Opened::Descriptor(_)) => invocation.stdin.clone(),
                Err(errno) => return failed(invocation, operand, &errno.to_string()),
            }
        }
    };
    let target = match &wishes.target {
        None => None,
        Some(operand) => {
            let path = invocation.path(operand);
            match invocation.opener().write(&path, Mode::Truncate) {
                Ok(Opened::Stream(writer)) => Some((operand.clone(), writer)),
                Ok(Opened::Descriptor(_)) => None,
                Err(errno) => return failed(invocation, operand, &errno.to_string()),
            }
        }
    };
    let mut moved = Moved::default();
    let mut status = 0;
    while let Some(wanted) = next(&wishes, &moved) {
        let Ok(piece) = source.read(wanted).await else {
            status = 1;
            break;
        };
        if piece.is_empty() {
            break;
        }
        moved.bytes += piece.len();
        match wishes.block {
            1 => moved.whole += piece.len(),
            block if piece.len() == block => moved.whole += 1,
            _ => moved.partial += 1,
        }
        match &target {
            None => {
                invocation.print_bytes(&piece);
                invocation.flush().await;
            }
            Some((operand, writer)) => {
                if let Err(WriteError::Errno(errno)) = writer.write(&piece).await {
                    invocation.error(&format!("error writing '{operand}': {errno}"));
                    status = 1;
                    break;
                }
            }
        }
    }
    if !wishes.is_quiet {
        tell(invocation, &moved);
    }
    status
}

/// Returns how much is read next. Blocks of one byte are read together: nobody can tell.
fn next(wishes: &Wishes, moved: &Moved) -> Option<usize> {
    let left = match wishes.count {
        None => usize::MAX,
        Some(count) => count.saturating_sub(moved.whole + moved.partial),
    };
    match (left, wishes.block) {
        (0, _) => None,
        (left, 1) => Some(left.min(64 << 10)),
        (_, block) => Some(block),
    }
}

fn failed(invocation: &mut Invocation, operand: &str, why: &str) -> u8 {
    invocation.error(&format!("failed to open '{operand}': {why}"));
    1
}

fn tell(invocation: &mut Invocation, moved: &Moved) {
    let Moved {
        whole,
        partial,
        bytes,
    } = moved;
    invocation.complain(&format!("{whole}+{partial} records in"));
    invocation.complain(&format!("{whole}+{partial} records out"));
    let unit = if *bytes == 1 { "byte" } else { "bytes" };
    invocation.complain(&format!("{bytes} {unit} copied, 0.001 s, {bytes}.0 kB/s"));
}

fn read(invocation: &mut Invocation) -> Result<Wishes, u8> {
    let mut wishes = Wishes {
        source: None,
        target: None,
        block: 512,
        count: None,
        is_quiet: false,
    };
    for argument in invocation.arguments.clone() {
        let Some((name, value)) = argument.split_once('=') else {
            invocation.error(&format!("unrecognized operand '{argument}'"));
            invocation.complain("Try 'dd --help' for more information.");
            return Err(1);
        };
        let number = || size(value);
        match name {
            "if" => wishes.source = Some(value.to_owned()),
            "of" => wishes.target = Some(value.to_owned()),
            "bs" | "count" => match number() {
                Some(number) if name == "count" => wishes.count = Some(number),
                Some(number) if number > 0 => wishes.block = number,
                _ => {
                    invocation.error(&format!("invalid number: '{value}'"));
                    return Err(1);
                }
            },
            "status" => wishes.is_quiet = value == "none",
            _ => return Err(invocation.not_simulated(&argument)),
        }
    }
    Ok(wishes)
}

/// Reads a number with a unit: `4k`, `1M`, `10kB`.
fn size(text: &str) -> Option<usize> {
    let digits = text.find(|char: char| !char.is_ascii_digit());
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    let factor = match unit {
        "" | "c" => 1,
        "w" => 2,
        "b" => 512,
        "kB" => 1000,
        "k" | "K" | "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "M" | "MiB" => 1 << 20,
        "G" | "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<usize>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_units() {
        assert_eq!(size("20"), Some(20));
        assert_eq!(size("4k"), Some(4096));
        assert_eq!(size("10kB"), Some(10_000));
        assert_eq!(size("x"), None);
        assert_eq!(size("1Q"), None);
    }

    #[test]
    fn no_more_is_read_than_was_asked_for() {
        let wishes = |block, count| Wishes {
            source: None,
            target: None,
            block,
            count,
            is_quiet: true,
        };
        let moved = |whole, partial| Moved {
            whole,
            partial,
            bytes: 0,
        };

        assert_eq!(next(&wishes(1, Some(300)), &moved(100, 0)), Some(200));
        assert_eq!(next(&wishes(1, Some(300)), &moved(300, 0)), None);
        assert_eq!(next(&wishes(10, Some(3)), &moved(1, 1)), Some(10));
        assert_eq!(next(&wishes(10, Some(3)), &moved(2, 1)), None);
        assert_eq!(next(&wishes(512, None), &moved(9, 9)), Some(512));
    }
}
