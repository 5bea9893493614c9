//! Programs about what files are: `chmod`, `chown`, `chgrp`, `stat`.

use super::coreutils::Coreutils;
use super::options::{self, Value};
use super::{Invocation, Program};
use crate::accounts;
use crate::files::{Errno, Files, Follow, Stat};

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "chmod",
        run: |invocation| Box::pin(async { chmod(invocation) }),
    },
    Program {
        name: "chown",
        run: |invocation| Box::pin(async { chown(invocation, false) }),
    },
    Program {
        name: "chgrp",
        run: |invocation| Box::pin(async { chown(invocation, true) }),
    },
    Program {
        name: "stat",
        run: |invocation| Box::pin(async { stat(invocation) }),
    },
];

/// Returns a path and everything below it.
pub(crate) fn tree_of(files: &Files, path: &str) -> Vec<String> {
    let mut all = vec![path.to_owned()];
    files.visit(path, &mut |path, _| all.push(path.to_owned()));
    all
}

fn chmod(invocation: &mut Invocation) -> u8 {
    // `-x` is a mode here, not an option.
    let mut words = invocation.arguments.clone();
    let is_mode = |word: &String| {
        word.starts_with('-')
            && word.len() > 1
            && word[1..].chars().all(|one| "rwxXst".contains(one))
    };
    let early = words.iter().position(is_mode).map(|at| words.remove(at));
    invocation.arguments = words;
    let long = [
        ("recursive", 'R', Value::None),
        ("reference", 'F', Value::Needed),
    ];
    let mut options = match options::read(invocation, "Rfvc", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.has('F') {
        return invocation.not_simulated("the option --reference");
    }
    if early.is_none() && options.operands.is_empty() {
        return invocation.lacks(0, "missing operand");
    }
    let text = early.unwrap_or_else(|| options.operands.remove(0));
    if options.operands.is_empty() {
        return match invocation.coreutils {
            Coreutils::Gnu => invocation.misused(&format!("missing operand after '{text}'")),
            Coreutils::Uutils => invocation.misused("missing operand"),
        };
    }
    if super::mode::change(&text, 0, 0, false).is_none() {
        if invocation.coreutils == Coreutils::Gnu {
            return invocation.misused(&format!("invalid mode: '{text}'"));
        }
        let text = invocation.coreutils.mode(&text);
        invocation.error(&text);
        return 1;
    }
    let mut status = 0;
    let umask = invocation.umask;
    for operand in &options.operands {
        let path = invocation.path(operand);
        let changed = invocation.files(|files, who, _| {
            files
                .stat(&path, Follow::Yes, who)
                .map_err(|errno| (errno, true))?;
            let paths = if options.has('R') {
                tree_of(files, &path)
            } else {
                vec![path.clone()]
            };
            for path in paths {
                let stat = files
                    .stat(&path, Follow::No, who)
                    .map_err(|errno| (errno, false))?;
                if stat.letter == 'l' && options.has('R') {
                    continue;
                }
                let stat = files
                    .stat(&path, Follow::Yes, who)
                    .map_err(|errno| (errno, false))?;
                let mode = super::mode::change(&text, stat.mode, umask, stat.is_directory());
                files
                    .set_mode(&path, mode.unwrap_or(stat.mode), who)
                    .map_err(|errno| (errno, false))?;
            }
            Ok::<(), (Errno, bool)>(())
        });
        if let Err((errno, is_access)) = changed {
            if !options.has('f') {
                let said = invocation.coreutils;
                let text = match is_access {
                    true => said.mode_of(operand, errno),
                    false => said.change_mode(operand, errno),
                };
                invocation.error(&text);
            }
            status = 1;
        }
    }
    status
}

/// Reads `user`, `user:group`, `user:` and `:group`.
fn read_owner(invocation: &mut Invocation, text: &str) -> Result<(Option<u32>, Option<u32>), u8> {
    let (user, group) = match text.split_once([':', '.']) {
        Some((user, group)) => (user, Some(group)),
        None => (text, None),
    };
    let account = invocation.host(|host| accounts::account(&host.files, user));
    let uid = match (user, &account) {
        ("", _) => None,
        (_, Some(account)) => Some(account.uid),
        (number, None) => match number.parse() {
            Ok(uid) => Some(uid),
            Err(_) => {
                invocation.error(&format!("invalid user: '{text}'"));
                return Err(1);
            }
        },
    };
    let gid = match group {
        None => None,
        // uutils does not take `user:` for the group of the user.
        Some("") if invocation.coreutils == Coreutils::Uutils => None,
        Some("") => account.map(|account| account.gid),
        Some(name) => Some(read_group(invocation, name, text)?),
    };
    Ok((uid, gid))
}

fn read_group(invocation: &mut Invocation, name: &str, shown: &str) -> Result<u32, u8> {
    let group = invocation.host(|host| accounts::group(&host.files, name));
    match (group, name.parse()) {
        (Some(group), _) => Ok(group.gid),
        (None, Ok(gid)) => Ok(gid),
        (None, Err(_)) => {
            invocation.error(&format!("invalid group: '{shown}'"));
            Err(1)
        }
    }
}

fn chown(invocation: &mut Invocation, is_group: bool) -> u8 {
    let long = [
        ("recursive", 'R', Value::None),
        ("no-dereference", 'h', Value::None),
        ("reference", 'F', Value::Needed),
    ];
    let options = match options::read(invocation, "Rhfvc", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.has('F') {
        return invocation.not_simulated("the option --reference");
    }
    let Some((owner, operands)) = options
        .operands
        .split_first()
        .filter(|(_, rest)| !rest.is_empty())
    else {
        let given = options.operands.first().cloned();
        return match given {
            Some(first) => invocation.lacks(1, &format!("missing operand after '{first}'")),
            None => invocation.lacks(0, "missing operand"),
        };
    };
    let ids = match is_group {
        true => read_group(invocation, owner, owner).map(|gid| (None, Some(gid))),
        false => read_owner(invocation, owner),
    };
    let (uid, gid) = match ids {
        Ok(ids) => ids,
        Err(status) => return status,
    };
    let follow = if options.has('h') || options.has('R') {
        Follow::No
    } else {
        Follow::Yes
    };
    let mut status = 0;
    for operand in operands {
        let path = invocation.path(operand);
        let changed = invocation.files(|files, who, _| {
            files
                .stat(&path, follow, who)
                .map_err(|errno| (errno, true))?;
            let paths = if options.has('R') {
                tree_of(files, &path)
            } else {
                vec![path.clone()]
            };
            for path in paths {
                files
                    .set_owner(&path, uid, gid, follow, who)
                    .map_err(|errno| (errno, false))?;
            }
            Ok::<(), (Errno, bool)>(())
        });
        if let Err((errno, is_access)) = changed {
            let said = invocation.coreutils;
            let text = match (is_access, is_group) {
                (true, _) => said.owner_of(operand, errno),
                (false, true) => said.change_owner("group", operand, errno),
                (false, false) => said.change_owner("ownership", operand, errno),
            };
            invocation.error(&text);
            status = 1;
        }
    }
    status
}

/// Names for ids.
pub(crate) fn owner_names(files: &Files, stat: &Stat) -> (String, String) {
    let user = accounts::accounts(files)
        .into_iter()
        .find(|one| one.uid == stat.uid);
    let group = accounts::groups(files)
        .into_iter()
        .find(|one| one.gid == stat.gid);
    (
        user.map_or_else(|| "UNKNOWN".to_owned(), |one| one.name),
        group.map_or_else(|| "UNKNOWN".to_owned(), |one| one.name),
    )
}

/// Writes a mode as `ls -l` does.
pub(crate) fn letters(stat: &Stat) -> String {
    letters_of(stat.letter, stat.mode)
}

/// Writes the letter of a kind, and a mode.
pub(crate) fn letters_of(letter: char, mode: u32) -> String {
    let mut text = String::from(letter);
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (bits & 1 != 0, mode & special != 0) {
            (true, false) => 'x',
            (false, false) => '-',
            (true, true) => letter,
            (false, true) => letter.to_ascii_uppercase(),
        });
    }
    text
}

/// What follows the name where `stat` is not told what to say.
const WITHOUT_FORMAT: &str = concat!(
    "  %Q: %-10s\tBlocks: %-10b IO Block: %-6o %F\n",
    "Device: %D\tInode: %-10i  Links: %h\n",
    "Access: (%04a/%10A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)\n",
    "Access: %x\nModify: %y\nChange: %z\n Birth: %w\n",
);

/// Returns the format that `stat` has for a file where it is given none.
fn without_format(
    files: &Files,
    path: &str,
    name: &str,
    stat: &Stat,
    coreutils: Coreutils,
) -> String {
    // uutils puts links into quotes, and writes `size` small.
    let name = match (&stat.target, coreutils) {
        (None, _) => name.to_owned(),
        (Some(target), Coreutils::Gnu) => format!("{name} -> {target}"),
        (Some(target), Coreutils::Uutils) => format!("'{name}' -> '{target}'"),
    };
    let name = name.replace('%', "%%");
    let device = device_of(files, path);
    let rest = WITHOUT_FORMAT.replace("%D", &device);
    let rest = rest.replace("%Q", coreutils.pick("Size", "size"));
    format!("  File: {name}\n{rest}")
}

/// Returns the number of the device that a file is on, as `major,minor`.
fn device_of(files: &Files, path: &str) -> String {
    let mounts = files.mounts();
    let point = files.mount_of(path).map(|mount| &mount.point);
    let at = mounts
        .iter()
        .position(|mount| Some(&mount.point) == point)
        .unwrap_or(0);
    match mounts.get(at) {
        Some(mount) if mount.device.starts_with("/dev/") => format!("253,{}", at + 1),
        _ => format!("0,{}", at + 20),
    }
}

fn kind_name(stat: &Stat) -> &'static str {
    match stat.letter {
        'd' => "directory",
        'l' => "symbolic link",
        's' => "socket",
        'p' => "fifo",
        'c' => "character special file",
        _ if stat.size == 0 => "regular empty file",
        _ => "regular file",
    }
}

/// Returns the bits of a mode that tell the kind of a file.
fn kind_bits(stat: &Stat) -> u32 {
    match stat.letter {
        'd' => 0o040_000,
        'l' => 0o120_000,
        's' => 0o140_000,
        'p' => 0o010_000,
        'c' => 0o020_000,
        _ => 0o100_000,
    }
}

/// Writes one letter of a format of `stat`; `None` where it is not simulated.
fn shown(
    files: &Files,
    name: &str,
    stat: &Stat,
    precision: Option<usize>,
    letter: char,
) -> Option<String> {
    let (user, group) = owner_names(files, stat);
    Some(match letter {
        'n' => name.to_owned(),
        'N' => match &stat.target {
            Some(target) => format!("'{name}' -> '{target}'"),
            None => format!("'{name}'"),
        },
        'a' => format!("{:o}", stat.mode),
        'A' => letters(stat),
        'u' => stat.uid.to_string(),
        'g' => stat.gid.to_string(),
        'U' => user,
        'G' => group,
        's' => stat.size.to_string(),
        'F' => kind_name(stat).to_owned(),
        'i' => stat.inode.to_string(),
        'h' => stat.links.to_string(),
        'b' => (stat.size.div_ceil(4096) * 8).to_string(),
        'B' => "512".to_owned(),
        'o' => "4096".to_owned(),
        'f' => format!("{:x}", stat.mode | kind_bits(stat)),
        'Y' | 'X' | 'Z' => match precision {
            Some(digits) => {
                let nanos = format!("{:09}", stat.modified.subsec_nanos());
                format!("{}.{}", stat.modified.as_secs(), &nanos[..digits.min(9)])
            }
            None => stat.modified.as_secs().to_string(),
        },
        'y' | 'x' | 'z' => super::time::format("%Y-%m-%d %H:%M:%S.%N %z", stat.modified)?,
        'm' => files.mount_of(name)?.point.clone(),
        'W' => "0".to_owned(),
        'w' => "-".to_owned(),
        _ => return None,
    })
}

fn stat(invocation: &mut Invocation) -> u8 {
    let long = [
        ("format", 'c', Value::Needed),
        ("printf", 'P', Value::Needed),
        ("dereference", 'L', Value::None),
    ];
    let options = match options::read(invocation, "c:L", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let format = match (options.value('P'), options.value('c')) {
        (Some(format), _) => {
            Some(String::from_utf8_lossy(&crate::shell::format::unescape(format).0).into_owned())
        }
        (None, Some(format)) => Some(format!("{format}\n")),
        (None, None) => None,
    };
    if options.operands.is_empty() {
        return invocation.lacks(0, "missing operand");
    }
    let follow = if options.has('L') {
        Follow::Yes
    } else {
        Follow::No
    };
    let mut status = 0;
    let said = invocation.coreutils;
    for operand in &options.operands {
        let path = invocation.path(operand);
        let found = invocation.files(|files, who, _| {
            let stat = files.stat(&path, follow, who)?;
            let format = format
                .clone()
                .unwrap_or_else(|| without_format(files, &path, operand, &stat, said));
            Ok::<_, Errno>(expand(&format, |precision, letter| {
                shown(files, operand, &stat, precision, letter)
            }))
        });
        match found {
            Ok(Ok(text)) => invocation.print(&text),
            Ok(Err(letter)) => {
                return invocation.not_simulated(&format!("the directive %{letter}"));
            }
            Err(errno) => {
                let text = invocation.coreutils.stat(operand, errno);
                invocation.error(&text);
                status = 1;
            }
        }
    }
    status
}

/// Fills a format in; fails with a letter that is not known.
pub(crate) fn expand(
    format: &str,
    mut value: impl FnMut(Option<usize>, char) -> Option<String>,
) -> Result<String, char> {
    let mut text = String::new();
    let mut rest = format.chars().peekable();
    while let Some(one) = rest.next() {
        if one != '%' {
            text.push(one);
            continue;
        }
        let is_marked = rest.next_if_eq(&'#').is_some();
        let mut digits = String::new();
        while let Some(one) = rest.next_if(|one| one.is_ascii_digit() || matches!(one, '.' | '-')) {
            digits.push(one);
        }
        let (width, precision) = match digits.split_once('.') {
            Some((width, precision)) => (width.to_owned(), Some(precision.parse().unwrap_or(9))),
            None => (digits.clone(), None),
        };
        match rest.next() {
            None => text.push('%'),
            Some('%') => text.push('%'),
            Some(letter) => {
                let value = value(precision, letter).ok_or(letter)?;
                let value = match letter {
                    'a' if is_marked => format!("0{value}"),
                    'f' | 'D' | 't' | 'T' if is_marked => format!("0x{value}"),
                    _ => value,
                };
                let is_left = width.starts_with('-');
                let is_filled = width.starts_with('0');
                let width: usize = width.trim_start_matches('-').parse().unwrap_or(0);
                match (is_left, is_filled) {
                    (true, _) => text.push_str(&format!("{value:<width$}")),
                    (false, true) => text.push_str(&format!("{value:0>width$}")),
                    (false, false) => text.push_str(&format!("{value:>width$}")),
                }
            }
        }
    }
    Ok(text)
}
