//! Programs about the machine: `getconf`, `free`, `hostnamectl`, `swapoff`, `modprobe`; and a few
//! about files: `truncate`, `fold`, `join`.

use super::options::{self, Value};
use super::text::operands_or_input;
use super::{Invocation, Program};

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "getconf",
        run: |invocation| Box::pin(async { getconf(invocation) }),
    },
    Program {
        name: "free",
        run: |invocation| Box::pin(async { free(invocation) }),
    },
    Program {
        name: "hostnamectl",
        run: |invocation| Box::pin(async { hostnamectl(invocation) }),
    },
    Program {
        name: "swapoff",
        run: |invocation| Box::pin(async { swapoff(invocation) }),
    },
    Program {
        name: "kmod",
        run: |invocation| {
            Box::pin(async {
                match invocation.name.rsplit('/').next() {
                    Some("modprobe") => modprobe(invocation),
                    _ => invocation.not_simulated("anything but modprobe"),
                }
            })
        },
    },
    Program {
        name: "truncate",
        run: |invocation| Box::pin(async { truncate(invocation) }),
    },
    Program {
        name: "join",
        run: |invocation| Box::pin(join(invocation)),
    },
    Program {
        name: "fold",
        run: |invocation| Box::pin(fold(invocation)),
    },
];

fn getconf(invocation: &mut Invocation) -> u8 {
    let processors = invocation.host(|host| host.hardware.processors);
    let value = match invocation.arguments.first().map(String::as_str) {
        Some("_NPROCESSORS_ONLN" | "_NPROCESSORS_CONF") => processors.to_string(),
        // That of other systems.
        Some(name @ "NPROCESSORS_ONLN") => {
            invocation.error(&format!("Unrecognized variable `{name}'"));
            return 2;
        }
        Some("PAGESIZE" | "PAGE_SIZE") => "4096".to_owned(),
        Some("LONG_BIT") => "64".to_owned(),
        Some("CLK_TCK") => "100".to_owned(),
        other => {
            let what = format!("the variable {}", other.unwrap_or_default());
            return invocation.not_simulated(&what);
        }
    };
    invocation.print(&format!("{value}\n"));
    0
}

fn free(invocation: &mut Invocation) -> u8 {
    let options = match options::read(invocation, "bkmgw", &[]) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let unit = match options.flags.last() {
        Some(('b', _)) => 1,
        Some(('m', _)) => 1 << 20,
        Some(('g', _)) => 1 << 30,
        Some(('w', _)) => return invocation.not_simulated("the option -w"),
        _ => 1 << 10,
    };
    let total = invocation.host(|host| host.hardware.memory_kib) * 1024;
    // As in `/proc/meminfo`.
    let (unused, available, cached) = (total / 10 * 7, total / 10 * 9, total / 10 * 2);
    let rest = total - unused - cached;
    let heads = ["total", "used", "free", "shared", "buff/cache", "available"];
    let head: String = heads.iter().map(|head| format!("{head:>12}")).collect();
    let row = |numbers: &[u64]| {
        let cells = numbers
            .iter()
            .map(|number| format!("{:>12}", number / unit));
        cells.collect::<String>()
    };
    invocation.print(&format!(
        "        {head}\nMem:    {}\nSwap:   {}\n",
        row(&[total, rest, unused, 0, cached, available]),
        row(&[0, 0, 0])
    ));
    0
}

fn hostnamectl(invocation: &mut Invocation) -> u8 {
    let words = invocation.arguments.clone();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let name = match words[..] {
        ["set-hostname" | "hostname", name] => name.to_owned(),
        ["hostname"] => {
            let name = invocation.host(|host| host.host_name().to_owned());
            invocation.print(&format!("{name}\n"));
            return 0;
        }
        _ => return invocation.not_simulated("anything but a host name"),
    };
    if invocation.credentials.uid != 0 {
        invocation.complain("Could not set static hostname: Access denied\n");
        return 1;
    }
    let is_mounted = |point: &str| {
        invocation.host(|host| host.files.mounts().iter().any(|one| one.point == point))
    };
    if is_mounted("/etc/hostname") {
        // It is written anew and put in place, which a mount does not allow.
        invocation.complain(
            "Could not set static hostname: Failed to set static hostname: Device or resource \
             busy\n",
        );
        return 1;
    }
    let text = format!("{name}\n");
    let written =
        invocation.files(|files, who, now| files.write("/etc/hostname", text, 0o644, who, now));
    if let Err(errno) = written {
        invocation.complain(&format!("Could not set static hostname: {errno}\n"));
        return 1;
    }
    invocation.host(|host| host.hardware.host_name = name);
    0
}

/// No host has swap.
fn swapoff(invocation: &mut Invocation) -> u8 {
    let options = match options::read(invocation, "av", &[("all", 'a', Value::None)]) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if invocation.credentials.uid != 0 {
        invocation.error("Not superuser.");
        return 1;
    }
    let mut status = 0;
    for operand in &options.operands {
        invocation.error(&format!("{operand}: swapoff failed: Invalid argument"));
        status = 4;
    }
    status
}

fn modprobe(invocation: &mut Invocation) -> u8 {
    let options = match options::read(invocation, "qarv", &[]) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let (is_container, release) =
        invocation.host(|host| (host.is_container, host.hardware.kernel.release.clone()));
    // A container has the kernel of somebody else, and nothing of its modules.
    if is_container && let Some(name) = options.operands.first() {
        if !options.has('q') {
            invocation.complain(&format!(
                "modprobe: FATAL: Module {name} not found in directory /lib/modules/{release}\n"
            ));
        }
        return 1;
    }
    if invocation.credentials.uid != 0 {
        let name = options.operands.first().cloned().unwrap_or_default();
        invocation.error(&format!(
            "ERROR: could not insert '{name}': Operation not permitted"
        ));
        return 1;
    }
    0
}

/// `truncate -s SIZE FILE…`, with a plain size.
fn truncate(invocation: &mut Invocation) -> u8 {
    let options = match options::read(invocation, "s:c", &[("size", 's', Value::Needed)]) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let Some(text) = options.value('s') else {
        return invocation.lacks(
            options.operands.len(),
            "you must specify either '--size' or '--reference'",
        );
    };
    let Some(size) = super::text::size_of(text).and_then(|size| usize::try_from(size).ok()) else {
        if text.starts_with(['+', '-', '<', '>', '/', '%']) {
            return invocation.not_simulated("a size beside that of the file");
        }
        invocation.error(&format!("Invalid number: '{text}'"));
        return 1;
    };
    if options.operands.is_empty() {
        return invocation.lacks(0, "missing file operand");
    }
    let mut status = 0;
    for operand in &options.operands {
        let mut bytes = invocation.read_file(operand).unwrap_or_default();
        bytes.resize(size, 0);
        if let Err(errno) = invocation.write_file(operand, bytes) {
            invocation.error(&format!("cannot open '{operand}' for writing: {errno}"));
            status = 1;
        }
    }
    status
}

/// `join FILE FILE` by the first fields.
async fn join(invocation: &mut Invocation) -> u8 {
    let options = match options::read(invocation, "", &[]) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let [one, other] = options.operands.as_slice() else {
        let count = options.operands.len();
        return match options.operands.first() {
            Some(first) if count == 1 => {
                invocation.lacks(1, &format!("missing operand after '{first}'"))
            }
            None => invocation.lacks(0, "missing operand"),
            Some(_) => invocation.not_simulated("more than two files"),
        };
    };
    let (Some(left), Some(right)) = (
        invocation.read_operand(one).await,
        invocation.read_operand(other).await,
    ) else {
        return 1;
    };
    let (left, right) = (
        String::from_utf8_lossy(&left),
        String::from_utf8_lossy(&right),
    );
    let rows = |text: &str| {
        let lines = text.lines();
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
        lines.map(words).collect::<Vec<Vec<String>>>()
    };
    let (left, right) = (rows(&left), rows(&right));
    let (mut at, mut to) = (0, 0);
    while let (Some(one), Some(other)) = (left.get(at), right.get(to)) {
        match one.first().cmp(&other.first()) {
            std::cmp::Ordering::Less => at += 1,
            std::cmp::Ordering::Greater => to += 1,
            std::cmp::Ordering::Equal => {
                let words: Vec<&str> = one
                    .iter()
                    .chain(other.iter().skip(1))
                    .map(String::as_str)
                    .collect();
                invocation.print(&format!("{}\n", words.join(" ")));
                (at, to) = (at + 1, to + 1);
            }
        }
    }
    0
}

async fn fold(invocation: &mut Invocation) -> u8 {
    let options = match options::read(invocation, "w:", &[("width", 'w', Value::Needed)]) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let width = options
        .value('w')
        .unwrap_or("80")
        .parse::<usize>()
        .unwrap_or(80)
        .max(1);
    let (mut bytes, mut status) = (Vec::new(), 0);
    for operand in operands_or_input(&options) {
        match invocation.read_operand(&operand).await {
            Some(more) => bytes.extend(more),
            None => status = 1,
        }
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    for line in text.split_inclusive('\n') {
        let (line, end) = match line.strip_suffix('\n') {
            Some(line) => (line, "\n"),
            None => (line, ""),
        };
        let letters: Vec<char> = line.chars().collect();
        let parts = letters
            .chunks(width)
            .map(|part| part.iter().collect::<String>());
        let parts: Vec<String> = parts.collect();
        invocation.print(&format!("{}{end}", parts.join("\n")));
    }
    status
}
