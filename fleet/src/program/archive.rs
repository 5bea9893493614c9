//! `tar` and `gzip`.
//!
//! Archives have the real format of tar. What is compressed is not: it is the content behind a
//! header of gzip, which our own programs read back.

use super::options::{self, Options, Value};
use super::text::operands_or_input;
use super::{Invocation, Program};
use crate::files::{Errno, Follow, Kind};

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "tar",
        run: |invocation| Box::pin(tar(invocation)),
    },
    Program {
        name: "gzip",
        run: |invocation| Box::pin(gzip(invocation, false, false)),
    },
    Program {
        name: "gunzip",
        run: |invocation| Box::pin(gzip(invocation, true, false)),
    },
    Program {
        name: "zcat",
        run: |invocation| Box::pin(gzip(invocation, true, true)),
    },
];

/// How a compressed stream begins.
const MAGIC: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\x03";
const BLOCK: usize = 512;

fn compress(bytes: &[u8]) -> Vec<u8> {
    [MAGIC, bytes].concat()
}

fn expand(bytes: &[u8]) -> Option<Vec<u8>> {
    bytes.strip_prefix(MAGIC).map(<[u8]>::to_vec)
}

/// One entry of an archive.
struct Entry {
    name: String,
    mode: u32,
    uid: u32,
    gid: u32,
    modified: u64,
    kind: u8,
    target: String,
    bytes: Vec<u8>,
}

fn octal(value: u64, width: usize) -> Vec<u8> {
    let digits = width - 1;
    let mut text = format!("{value:0digits$o}").into_bytes();
    text.push(0);
    text
}

fn write_entry(out: &mut Vec<u8>, entry: &Entry) {
    if entry.name.len() > 100 {
        // A long name comes first, as GNU tar does.
        let mut name = entry.name.clone().into_bytes();
        name.push(0);
        let long = Entry {
            name: "././@LongLink".to_owned(),
            mode: 0,
            uid: 0,
            gid: 0,
            modified: 0,
            kind: b'L',
            target: String::new(),
            bytes: name,
        };
        write_entry(out, &long);
    }
    let mut header = vec![0u8; BLOCK];
    let mut put = |at: usize, bytes: &[u8], most: usize| {
        let length = bytes.len().min(most);
        header[at..at + length].copy_from_slice(&bytes[..length]);
    };
    put(0, entry.name.as_bytes(), 100);
    put(100, &octal(u64::from(entry.mode), 8), 8);
    put(108, &octal(u64::from(entry.uid), 8), 8);
    put(116, &octal(u64::from(entry.gid), 8), 8);
    put(124, &octal(entry.bytes.len() as u64, 12), 12);
    put(136, &octal(entry.modified, 12), 12);
    put(148, b"        ", 8);
    put(156, &[entry.kind], 1);
    put(157, entry.target.as_bytes(), 100);
    put(257, b"ustar  \0", 8);
    let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
    let mut digits = format!("{sum:06o}").into_bytes();
    digits.extend([0, b' ']);
    header[148..156].copy_from_slice(&digits);
    out.extend(header);
    out.extend_from_slice(&entry.bytes);
    out.resize(out.len().next_multiple_of(BLOCK), 0);
}

fn text_of(bytes: &[u8]) -> String {
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

fn number_of(bytes: &[u8]) -> u64 {
    u64::from_str_radix(text_of(bytes).trim(), 8).unwrap_or(0)
}

fn read_entries(bytes: &[u8]) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut at = 0;
    let mut long_name = None;
    while let Some(header) = bytes.get(at..at + BLOCK) {
        at += BLOCK;
        if header.iter().all(|byte| *byte == 0) {
            return Some(entries);
        }
        if &header[257..262] != b"ustar" {
            return None;
        }
        let size = usize::try_from(number_of(&header[124..136])).ok()?;
        let content = bytes.get(at..at.checked_add(size)?)?.to_vec();
        at += size.next_multiple_of(BLOCK);
        if header[156] == b'L' {
            long_name = Some(text_of(&content));
            continue;
        }
        entries.push(Entry {
            name: long_name.take().unwrap_or_else(|| text_of(&header[..100])),
            mode: u32::try_from(number_of(&header[100..108])).ok()?,
            uid: u32::try_from(number_of(&header[108..116])).ok()?,
            gid: u32::try_from(number_of(&header[116..124])).ok()?,
            modified: number_of(&header[136..148]),
            kind: header[156],
            target: text_of(&header[157..257]),
            bytes: content,
        });
    }
    (!entries.is_empty()).then_some(entries)
}

async fn tar(invocation: &mut Invocation) -> u8 {
    // The first word may be letters without their dash.
    if let Some(first) = invocation.arguments.first_mut()
        && !first.starts_with('-')
    {
        first.insert(0, '-');
    }
    let long = [
        ("create", 'c', Value::None),
        ("extract", 'x', Value::None),
        ("list", 't', Value::None),
        ("file", 'f', Value::Needed),
        ("directory", 'C', Value::Needed),
        ("gzip", 'z', Value::None),
        ("verbose", 'v', Value::None),
        ("strip-components", 'S', Value::Needed),
        ("no-same-owner", 'o', Value::None),
    ];
    let options = match options::read(invocation, "cxtf:C:zvpo", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let directory = options.value('C').map_or_else(
        || invocation.directory.clone(),
        |path| invocation.path(path),
    );
    if !invocation.host(|host| host.files.exists(&directory)) {
        let shown = options.value('C').unwrap_or_default();
        let text = format!("{shown}: Cannot open: No such file or directory");
        invocation.error(&text);
        invocation.error("Error is not recoverable: exiting now");
        return 2;
    }
    match (options.has('c'), options.has('x'), options.has('t')) {
        (true, false, false) => create(invocation, &options, &directory).await,
        (false, _, _) => take_out(invocation, &options, &directory).await,
        _ => invocation.not_simulated("such a call"),
    }
}

async fn create(invocation: &mut Invocation, options: &Options, directory: &str) -> u8 {
    let mut out = Vec::new();
    let mut status = 0;
    for operand in &options.operands {
        let path = super::absolute(directory, operand);
        let mut all = invocation.files(|files, _, _| {
            match files.node(&path, Follow::No, &crate::files::Credentials::root()) {
                Ok(_) => super::attribute::tree_of(files, path.trim_end_matches('/')),
                Err(_) => Vec::new(),
            }
        });
        if all.is_empty() {
            invocation.error(&format!(
                "{operand}: Cannot stat: No such file or directory"
            ));
            status = 2;
        }
        all.sort();
        for found in all {
            let shown = format!(
                "{}{}",
                operand.trim_end_matches('/'),
                &found[path.trim_end_matches('/').len()..]
            );
            match entry_of(invocation, &found, shown.trim_start_matches('/')) {
                Ok(entry) => {
                    if options.has('v') {
                        invocation.complain(&entry.name);
                    }
                    write_entry(&mut out, &entry);
                }
                Err(errno) => {
                    invocation.error(&format!("{shown}: Cannot open: {errno}"));
                    status = 2;
                }
            }
        }
        if operand.starts_with('/') {
            invocation.error("Removing leading `/' from member names");
        }
    }
    if status != 0 {
        invocation.error("Exiting with failure status due to previous errors");
    }
    out.resize((out.len() + 2 * BLOCK).next_multiple_of(20 * BLOCK), 0);
    let out = if options.has('z') {
        compress(&out)
    } else {
        out
    };
    match options.value('f') {
        None | Some("-") => invocation.print_bytes(&out),
        Some(file) => {
            let path = invocation.path(file);
            let mode = 0o666 & !invocation.umask;
            if let Err(errno) =
                invocation.files(|files, who, now| files.write(&path, out, mode, who, now))
            {
                let text = format!("{file}: Cannot open: {errno}");
                invocation.error(&text);
                invocation.error("Error is not recoverable: exiting now");
                return 2;
            }
        }
    }
    status
}

fn entry_of(invocation: &Invocation, path: &str, shown: &str) -> Result<Entry, Errno> {
    invocation.files(|files, who, _| {
        let node = files.node(path, Follow::No, who)?.clone();
        let (kind, target, bytes) = match &node.kind {
            Kind::Directory(_) => (b'5', String::new(), Vec::new()),
            Kind::Link(target) => (b'2', target.to_string(), Vec::new()),
            _ => {
                let content = files.read(path, who)?;
                let size = usize::try_from(content.size()).unwrap_or(0);
                (b'0', String::new(), content.slice(0, size).to_vec())
            }
        };
        Ok(Entry {
            name: if kind == b'5' {
                format!("{shown}/")
            } else {
                shown.to_owned()
            },
            mode: node.mode,
            uid: node.uid,
            gid: node.gid,
            modified: node.modified.as_secs(),
            kind,
            target,
            bytes,
        })
    })
}

async fn take_out(invocation: &mut Invocation, options: &Options, directory: &str) -> u8 {
    let file = options.value('f').unwrap_or("-").to_owned();
    let bytes = match file.as_str() {
        "-" => invocation.read_input().await,
        file => match invocation.opener().content(&invocation.path(file)) {
            Ok(content) => content
                .slice(0, usize::try_from(content.size()).unwrap_or(0))
                .to_vec(),
            Err(errno) => {
                invocation.error(&format!("{file}: Cannot open: {errno}"));
                invocation.error("Error is not recoverable: exiting now");
                return 2;
            }
        },
    };
    let bytes = expand(&bytes).unwrap_or(bytes);
    let Some(entries) = read_entries(&bytes) else {
        invocation.error("This does not look like a tar archive");
        invocation.error("Exiting with failure status due to previous errors");
        return 2;
    };
    let strips = options
        .value('S')
        .and_then(|text| text.parse::<usize>().ok())
        .unwrap_or(0);
    let is_wanted = |entry: &Entry| {
        options.operands.is_empty()
            || options.operands.iter().any(|name| {
                let name = name.trim_end_matches('/');
                entry.name.trim_end_matches('/') == name
                    || entry.name.starts_with(&format!("{name}/"))
            })
    };
    let mut status = 0;
    for entry in entries.iter().filter(|entry| is_wanted(entry)) {
        if !options.has('x') || options.has('v') {
            invocation.print(&format!("{}\n", entry.name));
        }
        if !options.has('x') {
            continue;
        }
        let parts: Vec<&str> = entry
            .name
            .trim_end_matches('/')
            .split('/')
            .skip(strips)
            .collect();
        if parts.is_empty() || parts.contains(&"..") {
            continue;
        }
        let path = format!("{}/{}", directory.trim_end_matches('/'), parts.join("/"));
        if let Err(errno) = put(invocation, entry, &path) {
            invocation.error(&format!("{}: Cannot open: {errno}", entry.name));
            status = 2;
        }
    }
    status
}

fn put(invocation: &Invocation, entry: &Entry, path: &str) -> Result<(), Errno> {
    let umask = invocation.umask;
    invocation.files(|files, who, now| {
        files.make_dirs(crate::files::split(path).0, 0o755, who, now)?;
        match entry.kind {
            b'5' => files.make_dirs(path, 0o755, who, now)?,
            b'2' => {
                files.remove_file(path, who, now).ok();
                return files.link_symbolic(&entry.target, path, who, now);
            }
            _ => {
                files.remove_file(path, who, now).ok();
                files.write(path, entry.bytes.clone(), 0o600, who, now)?;
            }
        }
        let mode = if who.uid == 0 {
            entry.mode
        } else {
            entry.mode & !umask
        };
        files.set_mode(path, mode, who)?;
        if who.uid == 0 {
            files.set_owner(path, Some(entry.uid), Some(entry.gid), Follow::Yes, who)?;
        }
        files.set_modified(path, std::time::Duration::from_secs(entry.modified), who)
    })
}

async fn gzip(invocation: &mut Invocation, expands: bool, prints: bool) -> u8 {
    let long = [
        ("decompress", 'd', Value::None),
        ("stdout", 'c', Value::None),
        ("keep", 'k', Value::None),
        ("force", 'f', Value::None),
        ("test", 't', Value::None),
    ];
    let options = match options::read(invocation, "dckfnq123456789t", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let expands = expands || options.has('d') || options.has('t');
    let prints = prints || options.has('c');
    let mut status = 0;
    for operand in operands_or_input(&options) {
        let Some(bytes) = invocation.read_operand(&operand).await else {
            status = 1;
            continue;
        };
        let result = match expands {
            true if bytes.is_empty() => {
                let shown = if operand == "-" { "stdin" } else { &operand };
                invocation.complain(&format!("\ngzip: {shown}: unexpected end of file"));
                status = 1;
                continue;
            }
            true => expand(&bytes),
            false => Some(compress(&bytes)),
        };
        let Some(result) = result else {
            let shown = if operand == "-" { "stdin" } else { &operand };
            invocation.complain(&format!("\ngzip: {shown}: not in gzip format"));
            status = 1;
            continue;
        };
        if options.has('t') {
            continue;
        }
        if operand == "-" || prints {
            invocation.print_bytes(&result);
            continue;
        }
        let target = match expands {
            true => operand.strip_suffix(".gz").map(str::to_owned),
            false => Some(format!("{operand}.gz")),
        };
        let Some(target) = target else {
            invocation.error(&format!("{operand}: unknown suffix -- ignored"));
            status = 2;
            continue;
        };
        let (from, to) = (invocation.path(&operand), invocation.path(&target));
        let done = invocation.files(|files, who, now| {
            let stat = files.stat(&from, Follow::Yes, who)?;
            files.write(&to, result, stat.mode, who, now)?;
            if options.has('k') {
                return Ok(());
            }
            files.remove_file(&from, who, now)
        });
        if let Err(errno) = done {
            invocation.error(&format!("{target}: {errno}"));
            status = 1;
        }
    }
    status
}
