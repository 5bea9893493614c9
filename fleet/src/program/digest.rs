//! Programs that sum up, encode and compare: `sha256sum`, `cksum`, `base64`, `cmp`, `diff`.

use base64::Engine as _;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use super::coreutils::Coreutils;
use super::options::{self, Value};
use super::text::{lines_of, operands_or_input, without_end};
use super::{Invocation, Program};
use crate::files::Content;

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "sha224sum",
        run: |invocation| Box::pin(sum(invocation, "SHA224", of::<Sha224>)),
    },
    Program {
        name: "sha256sum",
        run: |invocation| Box::pin(sum(invocation, "SHA256", of::<Sha256>)),
    },
    Program {
        name: "sha384sum",
        run: |invocation| Box::pin(sum(invocation, "SHA384", of::<Sha384>)),
    },
    Program {
        name: "sha512sum",
        run: |invocation| Box::pin(sum(invocation, "SHA512", of::<Sha512>)),
    },
    Program {
        name: "sha1sum",
        run: |invocation| Box::pin(sum(invocation, "SHA1", of::<sha1::Sha1>)),
    },
    Program {
        name: "md5sum",
        run: |invocation| Box::pin(sum(invocation, "MD5", md5)),
    },
    Program {
        name: "cksum",
        run: |invocation| Box::pin(cksum(invocation)),
    },
    Program {
        name: "base64",
        run: |invocation| Box::pin(base64_program(invocation)),
    },
    Program {
        name: "cmp",
        run: |invocation| Box::pin(cmp(invocation)),
    },
    Program {
        name: "diff",
        run: |invocation| Box::pin(diff(invocation)),
    },
];

/// Sums a content up, piece by piece.
fn of<D: sha2::Digest>(content: &Content) -> String {
    const PIECE: u64 = 1 << 20;
    let mut digest = D::new();
    let mut at = 0;
    while at < content.size() {
        let piece = content.slice(at, PIECE as usize);
        digest.update(&piece);
        at += PIECE;
    }
    digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Returns what a file or standard input holds.
async fn content_of(invocation: &mut Invocation, operand: &str) -> Option<Content> {
    if operand == "-" {
        // A large file is not copied.
        if let Some(content) = invocation.stdin.whole_content() {
            return Some(content);
        }
        return Some(Content::from(invocation.read_input().await));
    }
    match invocation.opener().content(&invocation.path(operand)) {
        Ok(content) => Some(content),
        Err(errno) => {
            invocation.error(&format!("{operand}: {errno}"));
            None
        }
    }
}

async fn sum(invocation: &mut Invocation, kind: &str, of: fn(&Content) -> String) -> u8 {
    let long = [
        ("check", 'c', Value::None),
        ("quiet", 'q', Value::None),
        ("status", 's', Value::None),
        ("tag", 't', Value::None),
        ("binary", 'b', Value::None),
        ("text", 'T', Value::None),
    ];
    let options = match options::read(invocation, "cb", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.has('c') {
        return check(invocation, &options, of).await;
    }
    let mut status = 0;
    for operand in operands_or_input(&options) {
        let Some(content) = content_of(invocation, &operand).await else {
            status = 1;
            continue;
        };
        // About 500 MB a second.
        invocation
            .spend(std::time::Duration::from_nanos(
                content.size().saturating_mul(2),
            ))
            .await;
        let text = of(&content);
        let mark = if options.has('b') { '*' } else { ' ' };
        match options.has('t') {
            true => invocation.print(&format!("{kind} ({operand}) = {text}\n")),
            false => invocation.print(&format!("{text} {mark}{operand}\n")),
        }
    }
    status
}

async fn cksum(invocation: &mut Invocation) -> u8 {
    let options = match options::read(invocation, "", &[]) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let mut status = 0;
    for operand in operands_or_input(&options) {
        let Some(content) = content_of(invocation, &operand).await else {
            status = 1;
            continue;
        };
        let (sum, size) = (crc(&content), content.size());
        match options.operands.is_empty() {
            true => invocation.print(&format!("{sum} {size}\n")),
            false => invocation.print(&format!("{sum} {size} {operand}\n")),
        }
    }
    status
}

/// Sums a content up as POSIX has it for `cksum`: the bytes, then their number.
fn crc(content: &Content) -> u32 {
    const PIECE: u64 = 1 << 20;
    let add = |sum: u32, byte: u8| {
        let mut sum = sum ^ u32::from(byte) << 24;
        for _ in 0..8 {
            let carries = sum & 0x8000_0000 != 0;
            sum = sum << 1 ^ if carries { 0x04c1_1db7 } else { 0 };
        }
        sum
    };
    let mut sum = 0;
    let mut at = 0;
    while at < content.size() {
        sum = content
            .slice(at, PIECE as usize)
            .iter()
            .fold(sum, |sum, byte| add(sum, *byte));
        at += PIECE;
    }
    let mut length = content.size();
    while length > 0 {
        sum = add(sum, (length & 0xff) as u8);
        length >>= 8;
    }
    !sum
}

async fn check(
    invocation: &mut Invocation,
    options: &options::Options,
    of: fn(&Content) -> String,
) -> u8 {
    let mut wrong = 0;
    let mut missing = 0;
    let mut unreadable = 0;
    for operand in operands_or_input(options) {
        let Some(list) = content_of(invocation, &operand).await else {
            return 1;
        };
        let text = list.text().into_owned();
        let digits = of(&Content::from("")).len();
        let is_sum =
            |text: &str| text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let mut is_list = false;
        for line in text.lines() {
            let Some((wanted, name)) = line.split_once(' ').filter(|(sum, _)| is_sum(sum)) else {
                continue;
            };
            is_list = true;
            let name = name.trim_start_matches([' ', '*']);
            let Some(content) = content_of(invocation, name).await else {
                missing += 1;
                invocation.print(&format!("{name}: FAILED open or read\n"));
                continue;
            };
            let fits = of(&content) == wanted;
            wrong += usize::from(!fits);
            let says_nothing = options.has('s') || (fits && options.has('q'));
            if !says_nothing {
                invocation.print(&format!("{name}: {}\n", if fits { "OK" } else { "FAILED" }));
            }
        }
        if !is_list {
            let text = format!("{operand}: no properly formatted checksum lines found");
            invocation.error(&text);
            unreadable += 1;
        }
    }
    if missing > 0 {
        invocation.error(&format!("WARNING: {missing} listed file could not be read"));
    }
    if wrong > 0 && !options.has('s') {
        let many = if wrong > 1 { "s" } else { "" };
        invocation.error(&format!(
            "WARNING: {wrong} computed checksum{many} did NOT match"
        ));
    }
    u8::from(wrong + missing + unreadable > 0)
}

async fn base64_program(invocation: &mut Invocation) -> u8 {
    let long = [
        ("decode", 'd', Value::None),
        ("wrap", 'w', Value::Needed),
        ("ignore-garbage", 'i', Value::None),
    ];
    let options = match options::read(invocation, "dw:i", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let operand = options
        .operands
        .first()
        .cloned()
        .unwrap_or_else(|| "-".to_owned());
    let Some(bytes) = invocation.read_operand(&operand).await else {
        return 1;
    };
    let engine = base64::engine::general_purpose::STANDARD;
    if options.has('d') {
        let text: Vec<u8> = bytes
            .into_iter()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect();
        if invocation.coreutils == Coreutils::Uutils {
            return decode_whole(invocation, text);
        }
        return match engine.decode(&text) {
            Ok(bytes) => {
                invocation.print_bytes(&bytes);
                0
            }
            Err(_) => {
                // What is right comes out before the complaint.
                let good = text
                    .iter()
                    .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
                    .count()
                    / 4
                    * 4;
                invocation.print_bytes(&engine.decode(&text[..good]).unwrap_or_default());
                let text = invocation.coreutils.base64();
                invocation.error(text);
                1
            }
        };
    }
    let text = engine.encode(&bytes);
    let width: usize = match options.value('w').map(str::parse) {
        None => 76,
        Some(Ok(width)) => width,
        Some(Err(_)) => {
            let text = options.value('w').unwrap_or_default();
            invocation.error(&format!("invalid wrap size: '{text}'"));
            return 1;
        }
    };
    if width == 0 {
        invocation.print(&text);
        return 0;
    }
    for line in text.as_bytes().chunks(width) {
        invocation.print_bytes(line);
        invocation.print("\n");
    }
    0
}

/// Decodes as uutils does: signs that fill up the end may be missing, and nothing comes of what is not
/// right as a whole.
fn decode_whole(invocation: &mut Invocation, mut text: Vec<u8>) -> u8 {
    text.resize(text.len().next_multiple_of(4), b'=');
    let mut bytes = Vec::new();
    // Each part may have its own end.
    for part in text.chunks(4) {
        match base64::engine::general_purpose::STANDARD.decode(part) {
            Ok(part) => bytes.extend(part),
            Err(_) => {
                let text = invocation.coreutils.base64();
                invocation.error(text);
                return 1;
            }
        }
    }
    invocation.print_bytes(&bytes);
    0
}

async fn cmp(invocation: &mut Invocation) -> u8 {
    let long = [("silent", 's', Value::None), ("quiet", 's', Value::None)];
    let options = match options::read(invocation, "s", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let [left, right] = options.operands.as_slice() else {
        return invocation.not_simulated("a call without two files");
    };
    let Some(one) = invocation.read_operand(left).await else {
        return 2;
    };
    let Some(other) = invocation.read_operand(right).await else {
        return 2;
    };
    let place = one.iter().zip(&other).position(|(one, other)| one != other);
    if place.is_none() && one.len() == other.len() {
        return 0;
    }
    if !options.has('s') {
        let end = place.unwrap_or_else(|| one.len().min(other.len()));
        let line = one[..end].iter().filter(|byte| **byte == b'\n').count();
        match place {
            Some(at) => invocation.print(&format!(
                "{left} {right} differ: char {}, line {}\n",
                at + 1,
                line + 1
            )),
            None => {
                let shorter = if one.len() < other.len() { left } else { right };
                let text = match end {
                    0 => format!("EOF on {shorter} which is empty"),
                    end if one[..end].ends_with(b"\n") => {
                        format!("EOF on {shorter} after byte {end}, line {line}")
                    }
                    end => format!("EOF on {shorter} after byte {end}, in line {}", line + 1),
                };
                invocation.error(&text);
            }
        }
    }
    1
}

/// The longest common part of two lists of lines, as pairs of places.
fn common(one: &[&[u8]], other: &[&[u8]]) -> Vec<(usize, usize)> {
    let mut lengths = vec![vec![0u32; other.len() + 1]; one.len() + 1];
    for at in (0..one.len()).rev() {
        for to in (0..other.len()).rev() {
            lengths[at][to] = match one[at] == other[to] {
                true => lengths[at + 1][to + 1] + 1,
                false => lengths[at + 1][to].max(lengths[at][to + 1]),
            };
        }
    }
    let (mut at, mut to, mut pairs) = (0, 0, Vec::new());
    while at < one.len() && to < other.len() {
        if one[at] == other[to] {
            pairs.push((at, to));
            at += 1;
            to += 1;
        } else if lengths[at + 1][to] >= lengths[at][to + 1] {
            at += 1;
        } else {
            to += 1;
        }
    }
    pairs
}

async fn diff(invocation: &mut Invocation) -> u8 {
    let long = [("brief", 'q', Value::None), ("unified", 'u', Value::None)];
    let options = match options::read(invocation, "qubBwN", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if ['b', 'B', 'w', 'N'].iter().any(|flag| options.has(*flag)) {
        return invocation.not_simulated("one of the options -b, -B, -w, -N");
    }
    let [left, right] = options.operands.as_slice() else {
        return invocation.not_simulated("a call without two files");
    };
    let (one, other) = (
        invocation.read_operand(left).await,
        invocation.read_operand(right).await,
    );
    let (Some(one), Some(other)) = (one, other) else {
        return 2;
    };
    if one == other {
        return 0;
    }
    if options.has('q') {
        invocation.print(&format!("Files {left} and {right} differ\n"));
        return 1;
    }
    if options.has('u') {
        return invocation.not_simulated("the option -u where files differ");
    }
    let (one, other) = (lines_of(&one), lines_of(&other));
    if one.len() * other.len() > 4_000_000 {
        return invocation.not_simulated("files as long as these");
    }
    let mut pairs = common(&one, &other);
    pairs.push((one.len(), other.len()));
    let (mut at, mut to) = (0, 0);
    for (next, next_to) in pairs {
        let range = |from: usize, end: usize| match end - from {
            1 => format!("{}", from + 1),
            _ => format!("{},{}", from + 1, end),
        };
        let header = match (next > at, next_to > to) {
            (true, true) => Some(format!("{}c{}", range(at, next), range(to, next_to))),
            (true, false) => Some(format!("{}d{}", range(at, next), to)),
            (false, true) => Some(format!("{}a{}", at, range(to, next_to))),
            (false, false) => None,
        };
        if let Some(header) = header {
            let is_change = header.contains('c');
            invocation.print(&format!("{header}\n"));
            print_side(invocation, '<', &one[at..next]);
            if is_change {
                invocation.print("---\n");
            }
            print_side(invocation, '>', &other[to..next_to]);
        }
        (at, to) = (next + 1, next_to + 1);
    }
    1
}

fn print_side(invocation: &mut Invocation, mark: char, lines: &[&[u8]]) {
    for line in lines {
        invocation.print(&format!("{mark} "));
        invocation.print_bytes(without_end(line));
        invocation.print("\n");
        if !line.ends_with(b"\n") {
            invocation.print("\\ No newline at end of file\n");
        }
    }
}

/// Sums a content up with MD5 (RFC 1321).
fn md5(content: &Content) -> String {
    const SHIFTS: [[u32; 4]; 4] = [
        [7, 12, 17, 22],
        [5, 9, 14, 20],
        [4, 11, 16, 23],
        [6, 10, 15, 21],
    ];
    let mut bytes = content.whole().to_vec();
    let bits = (bytes.len() as u64).wrapping_mul(8);
    bytes.push(0x80);
    while bytes.len() % 64 != 56 {
        bytes.push(0);
    }
    bytes.extend(bits.to_le_bytes());
    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    for block in bytes.chunks_exact(64) {
        let word = |at: usize| {
            let four = &block[at * 4..at * 4 + 4];
            u32::from_le_bytes([four[0], four[1], four[2], four[3]])
        };
        let [mut a, mut b, mut c, mut d] = state;
        for step in 0..64 {
            let (mix, at) = match step / 16 {
                0 => ((b & c) | (!b & d), step),
                1 => ((d & b) | (!d & c), (5 * step + 1) % 16),
                2 => (b ^ c ^ d, (3 * step + 5) % 16),
                _ => (c ^ (b | !d), (7 * step) % 16),
            };
            let constant = (((step + 1) as f64).sin().abs() * 4_294_967_296.0) as u32;
            let sum = a
                .wrapping_add(mix)
                .wrapping_add(constant)
                .wrapping_add(word(at));
            let turned = sum.rotate_left(SHIFTS[step / 16][step % 4]);
            (a, d, c, b) = (d, c, b, b.wrapping_add(turned));
        }
        for (old, new) in state.iter_mut().zip([a, b, c, d]) {
            *old = old.wrapping_add(new);
        }
    }
    let bytes = state.iter().flat_map(|word| word.to_le_bytes());
    bytes.map(|byte| format!("{byte:02x}")).collect()
}
