//! `tty` and `stty`.

use std::sync::Arc;

use super::{Invocation, Program};
use crate::terminal::{KEYS, Modes, Size, Terminal};

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "tty",
        run: |invocation| Box::pin(async { tty(invocation) }),
    },
    Program {
        name: "stty",
        run: |invocation| Box::pin(async { stty(invocation) }),
    },
];

fn tty(invocation: &mut Invocation) -> u8 {
    let words: Vec<&str> = invocation.arguments.iter().map(String::as_str).collect();
    let is_silent = matches!(words[..], ["-s" | "--silent" | "--quiet"]);
    if !is_silent && let Some(word) = words.first() {
        let what = format!("argument {word}");
        return invocation.not_simulated(&what);
    }
    let name = invocation.stdin.as_terminal().map(|one| one.name.clone());
    let said = name.as_deref().unwrap_or("not a tty");
    if !is_silent {
        invocation.print(&format!("{said}\n"));
    }
    u8::from(name.is_none())
}

fn stty(invocation: &mut Invocation) -> u8 {
    let Some(terminal) = invocation.stdin.as_terminal().map(Arc::clone) else {
        let input = invocation
            .coreutils
            .pick("'standard input'", "standard input");
        invocation.error(&format!("{input}: Inappropriate ioctl for device"));
        return 1;
    };
    let words = invocation.arguments.clone();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        [] | ["-a" | "--all"] => {
            let text = told(&terminal, words.is_empty());
            invocation.print(&text);
        }
        ["-g" | "--save"] => {
            let text = saved(terminal.modes());
            invocation.print(&format!("{text}\n"));
        }
        ["size"] => {
            let Size { rows, columns } = terminal.size();
            invocation.print(&format!("{rows} {columns}\n"));
        }
        _ => return change(invocation, &terminal, &words),
    }
    0
}

fn change(invocation: &mut Invocation, terminal: &Terminal, words: &[&str]) -> u8 {
    let mut modes = terminal.modes();
    let mut size = terminal.size();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if let Some(flag) = flag(&mut modes, word.trim_start_matches('-')) {
            *flag = !word.starts_with('-');
            continue;
        }
        if let Some(at) = KEYS.iter().position(|(name, _)| name == word) {
            let Some(key) = words.next().and_then(|text| key_of(text)) else {
                invocation.error(&format!("missing argument to '{word}'"));
                return 1;
            };
            modes.keys[at] = key;
            continue;
        }
        match *word {
            "sane" => modes = Modes::default(),
            "raw" | "-cooked" => set_raw(&mut modes, true),
            "-raw" | "cooked" => set_raw(&mut modes, false),
            "rows" | "cols" | "columns" => {
                let Some(number) = words.next().and_then(|text| text.parse().ok()) else {
                    invocation.error(&format!("missing argument to '{word}'"));
                    return 1;
                };
                match *word {
                    "rows" => size.rows = number,
                    _ => size.columns = number,
                }
            }
            word => match restored(word) {
                Some(saved) => modes = saved,
                None => {
                    invocation.error(&format!("invalid argument '{word}'"));
                    return 1;
                }
            },
        }
    }
    terminal.set_modes(modes);
    terminal.resize(size);
    0
}

fn set_raw(modes: &mut Modes, is_raw: bool) {
    modes.icanon = !is_raw;
    modes.isig = !is_raw;
    modes.icrnl = !is_raw;
    modes.opost = !is_raw;
}

const FLAGS: [&str; 8] = [
    "isig", "icanon", "icrnl", "opost", "onlcr", "echo", "echoe", "echonl",
];

fn flag<'a>(modes: &'a mut Modes, name: &str) -> Option<&'a mut bool> {
    Some(match name {
        "isig" => &mut modes.isig,
        "icanon" => &mut modes.icanon,
        "icrnl" => &mut modes.icrnl,
        "opost" => &mut modes.opost,
        "onlcr" => &mut modes.onlcr,
        "echo" => &mut modes.echo,
        "echoe" => &mut modes.echoe,
        "echonl" => &mut modes.echonl,
        _ => return None,
    })
}

/// Reads a key: `^C`, `undef`, a character.
fn key_of(text: &str) -> Option<u8> {
    match text.as_bytes() {
        b"undef" | b"^-" => Some(0),
        b"^?" => Some(127),
        [b'^', letter] => Some(letter.to_ascii_uppercase() & 0x1f),
        [key] => Some(*key),
        _ => None,
    }
}

fn key_text(key: u8) -> String {
    match key {
        0 => "<undef>".to_owned(),
        127 => "^?".to_owned(),
        key if key < 32 => format!("^{}", char::from(key + 64)),
        key => char::from(key).to_string(),
    }
}

/// Returns what `stty` tells: everything, or what is not as it usually is.
fn told(terminal: &Terminal, is_short: bool) -> String {
    let mut modes = terminal.modes();
    let mut usual = Modes::default();
    let Size { rows, columns } = terminal.size();
    let mut text = match is_short {
        true => "speed 38400 baud; line = 0;\n".to_owned(),
        false => format!("speed 38400 baud; rows {rows}; columns {columns}; line = 0;\n"),
    };
    let keys = KEYS.iter().zip(modes.keys);
    let keys = keys.filter(|((_, before), key)| !is_short || before != key);
    let keys: Vec<String> = keys
        .map(|((name, _), key)| format!("{name} = {};", key_text(key)))
        .collect();
    if !keys.is_empty() {
        text.push_str(&format!("{}\n", keys.join(" ")));
    }
    let mut flags = Vec::new();
    for name in FLAGS {
        let (now, before) = (flag(&mut modes, name), flag(&mut usual, name));
        if let (Some(now), Some(before)) = (now, before)
            && (!is_short || *now != *before)
        {
            flags.push(format!("{}{name}", if *now { "" } else { "-" }));
        }
    }
    if !flags.is_empty() {
        text.push_str(&format!("{}\n", flags.join(" ")));
    }
    text
}

/// Returns modes as a word that brings them back.
fn saved(mut modes: Modes) -> String {
    let bits = FLAGS.iter().enumerate().map(|(at, name)| {
        let is_on = flag(&mut modes, name).is_some_and(|flag| *flag);
        u32::from(is_on) << at
    });
    let bits: u32 = bits.sum();
    let keys = modes.keys.iter().map(|key| format!("{key:x}"));
    let keys: Vec<String> = keys.collect();
    format!("{bits:x}:{}", keys.join(":"))
}

fn restored(word: &str) -> Option<Modes> {
    let mut parts = word
        .split(':')
        .map(|part| u32::from_str_radix(part, 16).ok());
    let bits = parts.next()??;
    let mut modes = Modes::default();
    for (at, name) in FLAGS.iter().enumerate() {
        *flag(&mut modes, name)? = bits >> at & 1 == 1;
    }
    for key in &mut modes.keys {
        *key = u8::try_from(parts.next()??).ok()?;
    }
    parts.next().is_none().then_some(modes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_saved_can_be_brought_back() {
        let mut modes = Modes::default();
        set_raw(&mut modes, true);
        modes.keys[0] = 0;

        assert_eq!(restored(&saved(modes)), Some(modes));
        assert_eq!(restored("raw"), None);
        assert_eq!(
            [key_of("^c"), key_of("undef"), key_of("x"), key_of("xy")],
            [Some(3), Some(0), Some(b'x'), None]
        );
    }
}
