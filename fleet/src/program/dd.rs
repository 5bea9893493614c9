//! `dd`: copies so many blocks, and not one byte more.

use bytes::Bytes;

use super::coreutils::{Coreutils, usage};
use super::{Invocation, Program};
use crate::open::{Mode, Opened};
use crate::pipe::{Reader, WriteError};

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
        let piece = match wishes.source {
            Some(_) => read_block(&source, wanted).await,
            None => source.read(wanted).await,
        };
        let Ok(piece) = piece else {
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
                    let text = invocation.coreutils.dd_write(operand, errno);
                    invocation.error(&text);
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

/// Reads a block of a file, which is whole but at the end.
async fn read_block(source: &Reader, wanted: usize) -> std::io::Result<Bytes> {
    let first = source.read(wanted).await?;
    if first.is_empty() || first.len() == wanted {
        return Ok(first);
    }
    let mut block = first.to_vec();
    while block.len() < wanted {
        let more = source.read(wanted - block.len()).await?;
        if more.is_empty() {
            break;
        }
        block.extend_from_slice(&more);
    }
    Ok(block.into())
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
    let sizes = sizes(*bytes);
    invocation.complain(&format!(
        "{bytes} {unit}{sizes} copied, 0.001 s, {bytes}.0 kB/s"
    ));
}

/// Returns how many bytes there are in larger units, from a thousand on: `2.0 kB`, and from 1024 on
/// `2.0 KiB` besides.
fn sizes(bytes: usize) -> String {
    let scaled = |base: f64, units: [&str; 4]| {
        let mut value = bytes as f64;
        let mut unit = "";
        for next in units {
            if value < base {
                break;
            }
            (value, unit) = (value / base, next);
        }
        match value {
            _ if unit.is_empty() => None,
            value if value < 9.95 => Some(format!("{value:.1} {unit}")),
            value => Some(format!("{value:.0} {unit}")),
        }
    };
    let decimal = scaled(1000.0, ["kB", "MB", "GB", "TB"]);
    let binary = scaled(1024.0, ["KiB", "MiB", "GiB", "TiB"]);
    match (decimal, binary) {
        (Some(decimal), Some(binary)) => format!(" ({decimal}, {binary})"),
        (Some(decimal), None) => format!(" ({decimal})"),
        _ => String::new(),
    }
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
            return Err(strange(invocation, &argument));
        };
        let number = || size(value);
        match name {
            "if" => wishes.source = Some(value.to_owned()),
            "of" => wishes.target = Some(value.to_owned()),
            "bs" | "count" => match number() {
                Some(number) if name == "count" => wishes.count = Some(number),
                Some(number) if number > 0 => wishes.block = number,
                _ => {
                    let text = invocation.coreutils.dd_number(value);
                    invocation.error(&text);
                    return Err(1);
                }
            },
            "status" => wishes.is_quiet = value == "none",
            _ if OTHER.contains(&name) => return Err(invocation.not_simulated(&argument)),
            _ => return Err(strange(invocation, &argument)),
        }
    }
    Ok(wishes)
}

/// Operands of the real `dd` that are not simulated.
const OTHER: [&str; 9] = [
    "cbs", "conv", "ibs", "iflag", "obs", "oflag", "seek", "skip", "iseek",
];

/// Complains of an operand that there is not.
fn strange(invocation: &mut Invocation, argument: &str) -> u8 {
    if invocation.coreutils == Coreutils::Gnu {
        return invocation.misused(&format!("unrecognized operand '{argument}'"));
    }
    if argument.starts_with('-')
        && let Some(status) = usage::unknown(invocation, argument)
    {
        return status;
    }
    invocation.error(&format!("Unrecognized operand '{argument}'"));
    1
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
