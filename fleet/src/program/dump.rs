//! `od`.

use super::options::{self, Options, Value};
use super::text::operands_or_input;
use super::{Invocation, Program};

pub(crate) const PROGRAMS: &[Program] = &[Program {
    name: "od",
    run: |invocation| Box::pin(od(invocation)),
}];

/// What control characters are called with `-t a`.
const NAMES: &[&str] = &[
    "nul", "soh", "stx", "etx", "eot", "enq", "ack", "bel", "bs", "ht", "nl", "vt", "ff", "cr",
    "so", "si", "dle", "dc1", "dc2", "dc3", "dc4", "nak", "syn", "etb", "can", "em", "sub", "esc",
    "fs", "gs", "rs", "us", "sp",
];

/// A way in which bytes are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shape {
    letter: char,
    /// How many bytes are one number.
    size: usize,
}

impl Shape {
    /// Returns how wide a number can be.
    fn width(self) -> usize {
        let widths = match self.letter {
            'x' => [2, 4, 8, 16],
            'o' => [3, 6, 11, 22],
            'u' => [3, 5, 10, 20],
            'd' => [4, 6, 11, 20],
            _ => [3; 4],
        };
        widths[self.size.ilog2() as usize]
    }

    fn show(self, bytes: &[u8]) -> String {
        let value = bytes
            .iter()
            .rev()
            .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        match self.letter {
            'x' => format!("{value:0width$x}", width = self.width()),
            'o' => format!("{value:0width$o}", width = self.width()),
            'u' => value.to_string(),
            'd' => {
                let shift = 64 - 8 * self.size;
                ((value << shift) as i64 >> shift).to_string()
            }
            'a' => match bytes[0] & 0x7f {
                127 => "del".to_owned(),
                byte => NAMES
                    .get(usize::from(byte))
                    .map_or_else(|| char::from(byte).to_string(), |name| (*name).to_owned()),
            },
            _ => character(bytes[0]),
        }
    }
}

fn character(byte: u8) -> String {
    match byte {
        0 => "\\0".to_owned(),
        7 => "\\a".to_owned(),
        8 => "\\b".to_owned(),
        9 => "\\t".to_owned(),
        10 => "\\n".to_owned(),
        11 => "\\v".to_owned(),
        12 => "\\f".to_owned(),
        13 => "\\r".to_owned(),
        b' '..=b'~' => char::from(byte).to_string(),
        byte => format!("{byte:03o}"),
    }
}

/// Reads the shapes that a value of `-t` names: `x1`, `oC`, `d4`, `c`.
fn shapes(text: &str) -> Option<Vec<Shape>> {
    let mut shapes = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let size = match letter {
            'a' | 'c' => 1,
            'x' | 'o' | 'u' | 'd' => match letters.next_if(|one| "1248CSIL".contains(*one)) {
                Some('1' | 'C') => 1,
                Some('2' | 'S') => 2,
                Some('8' | 'L') => 8,
                _ => 4,
            },
            _ => return None,
        };
        shapes.push(Shape { letter, size });
    }
    Some(shapes)
}

/// What is shown, and how.
struct Setting {
    shapes: Vec<Shape>,
    base: char,
    width: usize,
    shows_all: bool,
}

fn setting(options: &Options) -> Option<Setting> {
    let mut found = Vec::new();
    for (flag, value) in &options.flags {
        let text = match flag {
            't' => value.as_str(),
            'a' => "a",
            'b' => "o1",
            'c' => "c",
            'd' => "u2",
            'i' => "d4",
            'l' => "d8",
            'o' => "o2",
            's' => "d2",
            'x' => "x2",
            _ => continue,
        };
        found.extend(shapes(text)?);
    }
    if found.is_empty() {
        found = shapes("o2")?;
    }
    let width = match options.value('w') {
        None => 16,
        Some("") => 32,
        Some(text) => text
            .parse()
            .ok()
            .filter(|width| *width > 0 && width % 8 == 0)?,
    };
    Some(Setting {
        shapes: found,
        base: options
            .value('A')
            .and_then(|text| text.chars().next())
            .unwrap_or('o'),
        width,
        shows_all: options.has('v'),
    })
}

async fn od(invocation: &mut Invocation) -> u8 {
    let long = [
        ("address-radix", 'A', Value::Needed),
        ("format", 't', Value::Needed),
        ("read-bytes", 'N', Value::Needed),
        ("skip-bytes", 'j', Value::Needed),
        ("output-duplicates", 'v', Value::None),
        ("width", 'w', Value::Optional),
    ];
    let options = match options::read(invocation, "A:t:N:j:w:vabcdilosx", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let number = |flag: char| options.value(flag).map(|text| text.parse::<usize>().ok());
    let (setting, Some(skips), Some(most)) = (
        setting(&options),
        number('j').unwrap_or(Some(0)),
        number('N').unwrap_or(Some(usize::MAX)),
    ) else {
        return invocation.not_simulated("one of these numbers");
    };
    let Some(setting) = setting.filter(|one| "doxn".contains(one.base)) else {
        return invocation.not_simulated("such a format");
    };
    let mut status = 0;
    let mut bytes = Vec::new();
    for operand in operands_or_input(&options) {
        match invocation.read_operand(&operand).await {
            Some(more) => bytes.extend(more),
            None => status = 1,
        }
    }
    if status != 0 && bytes.is_empty() {
        return status;
    }
    let bytes = bytes.get(skips..).unwrap_or_default();
    let bytes = &bytes[..bytes.len().min(most)];
    let text = dump(bytes, &setting, skips);
    invocation.print(&text);
    status
}

fn dump(bytes: &[u8], setting: &Setting, skips: usize) -> String {
    let address = |at: usize| match setting.base {
        'd' => format!("{at:07}"),
        'x' => format!("{at:06x}"),
        'n' => String::new(),
        _ => format!("{at:07o}"),
    };
    let mut out = String::new();
    let (mut last, mut is_hidden) = (None, false);
    for (number, block) in bytes.chunks(setting.width).enumerate() {
        if !setting.shows_all && last == Some(block) && block.len() == setting.width {
            if !is_hidden {
                out.push_str("*\n");
            }
            is_hidden = true;
            continue;
        }
        (last, is_hidden) = (Some(block), false);
        let start = address(skips + number * setting.width);
        for (index, line) in lines(block, setting).into_iter().enumerate() {
            match index {
                0 => out.push_str(&start),
                _ => out.push_str(&" ".repeat(start.len())),
            }
            out.push_str(&line);
            out.push('\n');
        }
    }
    if setting.base != 'n' {
        out.push_str(&format!("{}\n", address(skips + bytes.len())));
    }
    out
}

/// Shows a block in each shape: what is above each other is as wide (`print_*` and `width_per_block`
/// of `od.c`).
fn lines(block: &[u8], setting: &Setting) -> Vec<String> {
    let fields = |shape: &Shape| setting.width / shape.size;
    let widths = setting
        .shapes
        .iter()
        .map(|shape| (shape.width() + 1) * fields(shape));
    let whole = widths.max().unwrap_or_default();
    let line = |shape: &Shape| {
        let count = fields(shape);
        let pad = whole - shape.width() * count;
        let mut left = pad;
        let mut text = String::new();
        for (place, part) in block.chunks(shape.size).enumerate() {
            let next = pad * (count - place - 1) / count;
            let mut part = part.to_vec();
            part.resize(shape.size, 0);
            let width = left - next + shape.width();
            text.push_str(&format!("{:>width$}", shape.show(&part)));
            left = next;
        }
        text
    };
    setting.shapes.iter().map(line).collect()
}
