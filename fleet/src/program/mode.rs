//! Modes of files as `chmod` takes them.

/// Returns the mode after a change, octal or symbolic; `None` where it is none.
pub(crate) fn change(text: &str, mode: u32, umask: u32, is_directory: bool) -> Option<u32> {
    if text.starts_with(|one: char| one.is_ascii_digit()) {
        let bits = u32::from_str_radix(text, 8)
            .ok()
            .filter(|bits| *bits <= 0o7777)?;
        // Directories keep their set-group-id bit where it is not named.
        let kept = if is_directory && text.len() < 5 {
            mode & 0o6000
        } else {
            0
        };
        return Some(bits | kept);
    }
    text.split(',')
        .try_fold(mode, |mode, part| clause(part, mode, umask, is_directory))
}

fn clause(text: &str, mode: u32, umask: u32, is_directory: bool) -> Option<u32> {
    let at = text.find(['+', '-', '='])?;
    let mut who = 0;
    for one in text[..at].chars() {
        who |= match one {
            'u' => 0o4700,
            'g' => 0o2070,
            'o' => 0o1007,
            'a' => 0o7777,
            _ => return None,
        };
    }
    let is_implied = who == 0;
    let who = if is_implied { 0o7777 & !umask } else { who };
    let mut mode = mode;
    let mut rest = &text[at..];
    while let Some(operator) = rest.chars().next() {
        let end = rest[1..]
            .find(['+', '-', '='])
            .map_or(rest.len(), |at| at + 1);
        let mut bits = 0;
        for one in rest[1..end].chars() {
            bits |= match one {
                'r' => 0o444,
                'w' => 0o222,
                'x' => 0o111,
                'X' if is_directory || mode & 0o111 != 0 => 0o111,
                'X' => 0,
                's' => 0o6000,
                't' => 0o1000,
                'u' => ((mode >> 6) & 7) * 0o111,
                'g' => ((mode >> 3) & 7) * 0o111,
                'o' => (mode & 7) * 0o111,
                _ => return None,
            };
        }
        let bits = bits & who;
        mode = match operator {
            '+' => mode | bits,
            '-' => mode & !bits,
            _ => {
                let cleared = if is_implied { 0o7777 } else { who };
                // Directories keep their set-id bits.
                let cleared = if is_directory {
                    cleared & !0o6000
                } else {
                    cleared
                };
                (mode & !cleared) | bits
            }
        };
        rest = &rest[end..];
    }
    Some(mode)
}
