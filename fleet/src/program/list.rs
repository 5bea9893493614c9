//! Programs that list: `ls`, `df`, `du`.

use super::attribute::{letters, owner_names, tree_of};
use super::coreutils::Coreutils;
use super::options::{self, Value};
use super::{Invocation, Program};
use crate::files::{Errno, Follow, Stat};

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "ls",
        run: |invocation| Box::pin(async { ls(invocation) }),
    },
    Program {
        name: "df",
        run: |invocation| Box::pin(async { df(invocation) }),
    },
    Program {
        name: "du",
        run: |invocation| Box::pin(async { du(invocation) }),
    },
];

fn ls(invocation: &mut Invocation) -> u8 {
    let long = [
        ("all", 'a', Value::None),
        ("almost-all", 'A', Value::None),
        ("dereference", 'L', Value::None),
    ];
    let options = match options::read(invocation, "laA1dtrnSRFhpL", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.has('h') {
        return invocation.not_simulated("the option -h");
    }
    let operands = match options.operands.is_empty() {
        true => vec![".".to_owned()],
        false => options.operands.clone(),
    };
    let mut status = 0;
    let (mut plain, mut directories) = (Vec::new(), Vec::new());
    for operand in operands {
        let path = invocation.path(&operand);
        let follow = match options.has('l') || options.has('F') {
            true if !options.has('L') => Follow::No,
            _ => Follow::Yes,
        };
        let found = invocation.files(|files, who, _| {
            files
                .stat(&path, follow, who)
                .or_else(|_| files.stat(&path, Follow::No, who))
        });
        match found {
            Ok(stat) if stat.is_directory() && !options.has('d') => {
                directories.push((operand, path))
            }
            Ok(stat) => plain.push((operand, stat)),
            Err(errno) => {
                let text = invocation.coreutils.list(&operand, errno);
                invocation.error(&text);
                status = 2;
            }
        }
    }
    plain.sort_by(|one, other| one.0.cmp(&other.0));
    directories.sort();
    let has_headers = options.operands.len() > 1 || options.has('R');
    print_entries(invocation, &options, None, plain.clone());
    let mut is_first = plain.is_empty();
    // The first is listed next; what is in a directory comes before its neighbours.
    directories.reverse();
    while let Some((operand, path)) = directories.pop() {
        if has_headers {
            let blank = if is_first { "" } else { "\n" };
            invocation.print(&format!("{blank}{operand}:\n"));
        }
        is_first = false;
        match entries_of(invocation, &options, &path) {
            Ok(entries) => {
                let entries = print_entries(invocation, &options, Some(&path), entries);
                let inner = entries.into_iter().rev().filter(|(name, stat)| {
                    options.has('R') && stat.is_directory() && name != "." && name != ".."
                });
                directories.extend(inner.map(|(name, _)| {
                    let below = |text: &str| format!("{}/{name}", text.trim_end_matches('/'));
                    (below(&operand), below(&path))
                }));
            }
            Err(errno) => {
                invocation.error(&format!("cannot open directory '{operand}': {errno}"));
                status = 2;
            }
        }
    }
    status
}

/// Returns what is in a directory, as far as it is shown.
fn entries_of(
    invocation: &Invocation,
    options: &options::Options,
    path: &str,
) -> Result<Vec<(String, Stat)>, Errno> {
    invocation.files(|files, who, _| {
        let mut names = files.list(path, who)?;
        if options.has('a') {
            names.extend([".".to_owned(), "..".to_owned()]);
        }
        let shows = |name: &String| options.has('a') || options.has('A') || !name.starts_with('.');
        let mut entries = Vec::new();
        for name in names.into_iter().filter(shows) {
            let inner = format!("{path}/{name}");
            let led_to = options
                .has('L')
                .then(|| files.stat(&inner, Follow::Yes, who));
            let stat = match led_to {
                Some(Ok(stat)) => stat,
                _ => files.stat(&inner, Follow::No, who)?,
            };
            entries.push((name, stat));
        }
        entries.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(entries)
    })
}

/// Returns the sign that `-F` puts behind a name; `-p` only that of directories.
fn sign(options: &options::Options, stat: &Stat) -> &'static str {
    match stat.letter {
        'd' if options.has('F') || options.has('p') => "/",
        _ if !options.has('F') => "",
        'l' => "@",
        's' => "=",
        'p' => "|",
        '-' if stat.mode & 0o111 != 0 => "*",
        _ => "",
    }
}

/// Prints entries, those of a directory or those that were named; returns them in their order.
fn print_entries(
    invocation: &mut Invocation,
    options: &options::Options,
    directory: Option<&str>,
    mut entries: Vec<(String, Stat)>,
) -> Vec<(String, Stat)> {
    if options.has('t') {
        entries.sort_by_key(|(_, stat)| std::cmp::Reverse(stat.modified));
    }
    if options.has('S') {
        entries.sort_by_key(|(_, stat)| std::cmp::Reverse(stat.size));
    }
    if options.has('r') {
        entries.reverse();
    }
    if !options.has('l') && !options.has('n') {
        for (name, stat) in &entries {
            invocation.print(&format!("{name}{}\n", sign(options, stat)));
        }
        return entries;
    }
    if directory.is_some() {
        let blocks: u64 = entries
            .iter()
            .filter(|(_, stat)| stat.letter != 'l')
            .map(|(_, stat)| stat.size.div_ceil(4096) * 4)
            .sum();
        invocation.print(&format!("total {blocks}\n"));
    }
    let who = invocation.credentials.clone();
    let own = invocation.directory.clone();
    let now = invocation.now();
    let rows: Vec<[String; 7]> = invocation.host(|host| {
        let led_to = |name: &str| {
            let path = super::absolute(directory.unwrap_or(&own), name);
            host.files.stat(&path, Follow::Yes, &who).ok()
        };
        let row = |(name, stat): &(String, Stat)| {
            let (user, group) = match options.has('n') {
                true => (stat.uid.to_string(), stat.gid.to_string()),
                false => {
                    let (user, group) = owner_names(&host.files, stat);
                    let shown = |name: String, id: u32| match name.as_str() {
                        "UNKNOWN" => id.to_string(),
                        _ => name,
                    };
                    (shown(user, stat.uid), shown(group, stat.gid))
                }
            };
            let shown = match &stat.target {
                Some(target) => {
                    let end = led_to(name).map_or("", |stat| sign(options, &stat));
                    format!("{name} -> {target}{end}")
                }
                None => format!("{name}{}", sign(options, stat)),
            };
            // The year takes the place of the clock half a year later (`ls.c`: 31556952 s / 2).
            let is_recent = stat.modified <= now && now - stat.modified < HALF_A_YEAR;
            let time = match is_recent {
                true => super::time::format("%b %e %H:%M", stat.modified),
                false => super::time::format("%b %e  %Y", stat.modified),
            };
            let time = time.unwrap_or_default();
            [
                letters(stat),
                stat.links.to_string(),
                user,
                group,
                stat.size.to_string(),
                time,
                shown,
            ]
        };
        entries.iter().map(row).collect()
    });
    let width = |at: usize| rows.iter().map(|row| row[at].len()).max().unwrap_or(0);
    let widths = [width(1), width(2), width(3), width(4)];
    for [mode, links, user, group, size, time, name] in &rows {
        invocation.print(&format!(
            "{mode} {links:>0$} {user:<1$} {group:<2$} {size:>3$} {time} {name}\n",
            widths[0], widths[1], widths[2], widths[3]
        ));
    }
    entries
}

/// How old a file is that `ls` shows with its year.
const HALF_A_YEAR: std::time::Duration = std::time::Duration::from_secs(15_778_476);

fn df(invocation: &mut Invocation) -> u8 {
    let long = [
        ("portability", 'P', Value::None),
        ("output", 'O', Value::Optional),
        ("block-size", 'B', Value::Needed),
        ("human-readable", 'h', Value::None),
        ("print-type", 'T', Value::None),
    ];
    let options = match options::read(invocation, "PkhTaiB:", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let block = match options.value('B') {
        None | Some("1K" | "K" | "1024") => 1024,
        Some("1") => 1,
        Some("M" | "1M") => 1 << 20,
        Some("G" | "1G") => 1 << 30,
        Some(_) => return invocation.not_simulated("this block size"),
    };
    if options.has('T') || options.has('a') {
        return invocation.not_simulated("one of the options -T, -a");
    }
    let mut status = 0;
    let mut mounts = Vec::new();
    for operand in &options.operands {
        let path = invocation.path(operand);
        let found = invocation.files(|files, who, _| {
            let path = files.resolve(&path, Follow::Yes, who)?;
            files.stat(&path, Follow::Yes, who)?;
            files.mount_of(&path).cloned().ok_or(Errno::NotFound)
        });
        match found {
            Ok(mount) => mounts.push(mount),
            Err(errno) => {
                invocation.error(&format!("{operand}: {errno}"));
                status = 1;
            }
        }
    }
    if options.operands.is_empty() {
        mounts = invocation.host(|host| host.files.mounts().to_vec());
        mounts.retain(|mount| mount.size > 0);
    }
    if mounts.is_empty() {
        return status;
    }
    if options.has('i') {
        df_inodes(invocation, &mounts);
        return status;
    }
    if let Some(columns) = options.value('O') {
        return df_columns(invocation, columns, block, &mounts);
    }
    if options.has('h') {
        df_for_humans(invocation, &mounts);
        return status;
    }
    let percent = |mount: &crate::files::Mount| (mount.used * 100).div_ceil(mount.size.max(1));
    let label = match (options.has('P'), options.value('B')) {
        (true, _) => format!("{block}-blocks"),
        (false, Some("M" | "1M")) => "1M-blocks".to_owned(),
        (false, Some("G" | "1G")) => "1G-blocks".to_owned(),
        (false, Some("1")) => "1B-blocks".to_owned(),
        (false, _) => "1K-blocks".to_owned(),
    };
    // GNU says the unit again behind each number.
    let unit = match (options.value('B'), invocation.coreutils) {
        (Some("M"), Coreutils::Gnu) => "M",
        (Some("G"), Coreutils::Gnu) => "G",
        _ => "",
    };
    let capacity = if options.has('P') { "Capacity" } else { "Use%" };
    let device = mounts
        .iter()
        .map(|mount| mount.device.len())
        .max()
        .unwrap_or(0)
        .max(14);
    let numbers = |read: fn(&crate::files::Mount) -> u64, name: &str| {
        let longest = mounts
            .iter()
            .map(|mount| (read(mount) / block).to_string().len() + unit.len())
            .max();
        longest.unwrap_or(0).max(name.len())
    };
    let size = numbers(|mount| mount.size, &label);
    let used = numbers(|mount| mount.used, "Used").max(5);
    let free = numbers(crate::files::Mount::free, "Available");
    invocation.print(&format!(
        "{:<device$} {label:>size$} {:>used$} {:>free$} {capacity} Mounted on\n",
        "Filesystem", "Used", "Available"
    ));
    let width = capacity.len();
    for mount in &mounts {
        let share = format!("{}%", percent(mount));
        invocation.print(&format!(
            "{:<device$} {:>size$} {:>used$} {:>free$} {share:>width$} {}\n",
            mount.device,
            format!("{}{unit}", mount.size.div_ceil(block)),
            format!("{}{unit}", mount.used.div_ceil(block)),
            format!("{}{unit}", mount.free() / block),
            mount.point
        ));
    }
    status
}

/// Returns a size as `df -h` shows it: rounded up, with one digit behind the point below 10.
fn human(bytes: u64) -> String {
    let (mut value, mut unit) = (bytes as f64, 0);
    while value >= 1024.0 {
        value /= 1024.0;
        unit += 1;
    }
    let name = ["", "K", "M", "G", "T", "P"]
        .get(unit)
        .copied()
        .unwrap_or("E");
    if unit > 0 && value < 10.0 {
        format!("{:.1}{name}", (value * 10.0).ceil() / 10.0)
    } else {
        format!("{:.0}{name}", value.ceil())
    }
}

/// One file for 16 KiB of the disk, as ext4 is made.
fn df_inodes(invocation: &mut Invocation, mounts: &[crate::files::Mount]) {
    let device = mounts.iter().map(|mount| mount.device.len()).max();
    let device = device.unwrap_or(0).max(14);
    invocation.print(&format!(
        "{:<device$} Inodes IUsed IFree IUse% Mounted on\n",
        "Filesystem"
    ));
    for mount in mounts {
        let (all, used) = (mount.size / 16384, mount.used / 65536);
        let free = all.saturating_sub(used);
        let share = (used * 100).div_ceil(all.max(1));
        invocation.print(&format!(
            "{:<device$} {all} {used} {free} {share}% {}\n",
            mount.device, mount.point
        ));
    }
}

fn df_for_humans(invocation: &mut Invocation, mounts: &[crate::files::Mount]) {
    let device = mounts.iter().map(|mount| mount.device.len()).max();
    let device = device.unwrap_or(0).max(14);
    invocation.print(&format!(
        "{:<device$}  Size  Used Avail Use% Mounted on\n",
        "Filesystem"
    ));
    for mount in mounts {
        let share = (mount.used * 100).div_ceil(mount.size.max(1));
        invocation.print(&format!(
            "{:<device$} {:>5} {:>5} {:>5} {share:>3}% {}\n",
            mount.device,
            human(mount.size),
            human(mount.used),
            human(mount.free()),
            mount.point
        ));
    }
}

fn df_columns(
    invocation: &mut Invocation,
    columns: &str,
    block: u64,
    mounts: &[crate::files::Mount],
) -> u8 {
    let mut rows = vec![Vec::new(); mounts.len() + 1];
    let mut are_numbers = Vec::new();
    for column in columns.split(',') {
        are_numbers.push(matches!(column, "size" | "used" | "avail"));
        let (title, read): (&str, fn(&crate::files::Mount, u64) -> String) = match column {
            "size" => ("1K-blocks", |mount, block| (mount.size / block).to_string()),
            "used" => ("Used", |mount, block| (mount.used / block).to_string()),
            "avail" => ("Avail", |mount, block| (mount.free() / block).to_string()),
            "target" => ("Mounted on", |mount, _| mount.point.clone()),
            "source" => ("Filesystem", |mount, _| mount.device.clone()),
            "fstype" => ("Type", |mount, _| mount.kind.clone()),
            _ => return invocation.not_simulated("this column"),
        };
        rows[0].push(title.to_owned());
        for (row, mount) in rows[1..].iter_mut().zip(mounts) {
            row.push(read(mount, block));
        }
    }
    let widths: Vec<usize> = (0..rows[0].len())
        .map(|at| rows.iter().map(|row| row[at].len()).max().unwrap_or(0))
        .collect();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .zip(&are_numbers)
            .map(|((cell, width), is_number)| match is_number {
                true => format!("{cell:>width$}"),
                false => format!("{cell:<width$}"),
            })
            .collect();
        invocation.print(&format!("{}\n", cells.join(" ").trim_end()));
    }
    0
}

fn du(invocation: &mut Invocation) -> u8 {
    let long = [("summarize", 's', Value::None), ("bytes", 'b', Value::None)];
    let options = match options::read(invocation, "skbm", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if !options.has('s') {
        return invocation.not_simulated("output for each directory");
    }
    let mut status = 0;
    for operand in &options.operands {
        let path = invocation.path(operand);
        let found = invocation.files(|files, who, _| {
            files.stat(&path, Follow::No, who)?;
            let sizes = tree_of(files, &path).into_iter().filter_map(|path| {
                let stat = files.stat(&path, Follow::No, who).ok()?;
                Some(match options.has('b') {
                    true => stat.size,
                    false => stat.size.div_ceil(4096) * 4096,
                })
            });
            Ok::<u64, Errno>(sizes.sum())
        });
        match found {
            Ok(bytes) => {
                let unit = match (options.has('b'), options.has('m')) {
                    (true, _) => 1,
                    (_, true) => 1 << 20,
                    _ => 1024,
                };
                invocation.print(&format!("{}\t{operand}\n", bytes.div_ceil(unit)));
            }
            Err(errno) => {
                invocation.error(&format!("cannot access '{operand}': {errno}"));
                status = 1;
            }
        }
    }
    status
}
