//! `tar` and `gzip`.
//!
//! Archives have the real format of tar, and what is compressed that of gzip.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

use flate2::read::MultiGzDecoder;
use flate2::{Compression, GzBuilder};

use super::attribute::{letters_of, owner_names};
use super::options::{self, Options, Value};
use super::text::operands_or_input;
use super::{Invocation, Program};
use crate::files::{
    Archive, BadArchive, Content, Credentials, Errno, Files, Follow, Kind, Member, MemberKind,
};

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
const MAGIC: &[u8] = b"\x1f\x8b\x08";
/// How many bytes are expanded at most.
const LONGEST: u64 = 1 << 30;
/// What gzip calls Unix.
const UNIX: u8 = 3;

fn compress(bytes: &[u8]) -> Vec<u8> {
    let writer = GzBuilder::new().operating_system(UNIX);
    let mut writer = writer.write(Vec::new(), Compression::fast());
    // A vector takes everything.
    let _ = writer.write_all(bytes);
    writer.finish().unwrap_or_default()
}

/// Returns what is in a compressed content; another one is as it was.
pub(super) fn unpacked(content: Content) -> Content {
    if *content.slice(0, MAGIC.len()) != *MAGIC {
        return content;
    }
    match expand(&content.whole()) {
        Some(bytes) => Content::from(bytes),
        None => content,
    }
}

fn expand(bytes: &[u8]) -> Option<Vec<u8>> {
    if !bytes.starts_with(MAGIC) {
        return None;
    }
    let mut all = Vec::new();
    let reader = MultiGzDecoder::new(bytes);
    reader.take(LONGEST).read_to_end(&mut all).ok()?;
    Some(all)
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
    let mut members = Vec::new();
    let mut seen = BTreeMap::new();
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
            match member_of(invocation, &found, shown.trim_start_matches('/'), &mut seen) {
                Ok(member) => {
                    if options.has('v') {
                        invocation.complain(&member.name);
                    }
                    members.push(member);
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
    let archive = Content::Archive(Archive::new(members).into());
    let out = match options.has('z') {
        true => Content::from(compress(&archive.whole())),
        false => archive,
    };
    match options.value('f') {
        None | Some("-") => invocation.print_bytes(&out.whole()),
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

/// Returns what an archive keeps of a path. `seen` are the names of files that have further ones,
/// by their numbers.
fn member_of(
    invocation: &Invocation,
    path: &str,
    shown: &str,
    seen: &mut BTreeMap<u64, String>,
) -> Result<Member, Errno> {
    invocation.files(|files, who, _| {
        let node = files.node(path, Follow::No, who)?;
        let mut content = Content::from(Vec::new());
        let kind = match &node.kind {
            Kind::Directory(_) => MemberKind::Directory,
            Kind::Link(target) => MemberKind::Link(target.to_string()),
            _ if seen.contains_key(&node.inode) => MemberKind::HardLink(seen[&node.inode].clone()),
            _ => {
                content = files.read(path, who)?;
                if node.stat().links > 1 {
                    seen.insert(node.inode, shown.to_owned());
                }
                MemberKind::File
            }
        };
        let stat = node.stat();
        let (user, group) = owner_names(files, &stat);
        // Whoever has no name is known by the number alone.
        let [user, group] = [user, group].map(|name| name.replace("UNKNOWN", ""));
        Ok(Member {
            name: match kind {
                MemberKind::Directory => format!("{shown}/"),
                _ => shown.to_owned(),
            },
            mode: stat.mode,
            user: (stat.uid, user),
            group: (stat.gid, group),
            modified: stat.modified.as_secs(),
            kind,
            content,
        })
    })
}

async fn take_out(invocation: &mut Invocation, options: &Options, directory: &str) -> u8 {
    let umask = match options.has('p') {
        true => 0,
        false => invocation.umask,
    };
    let file = options.value('f').unwrap_or("-").to_owned();
    let content = match file.as_str() {
        "-" => Content::from(invocation.read_input().await),
        file => match invocation.opener().content(&invocation.path(file)) {
            Ok(content) => content,
            Err(errno) => {
                invocation.error(&format!("{file}: Cannot open: {errno}"));
                invocation.error("Error is not recoverable: exiting now");
                return 2;
            }
        },
    };
    let content = unpacked(content);
    let (archive, problem) = Archive::read_start(&content);
    if problem == Some(BadArchive::Header) && archive.members().is_empty() {
        invocation.error("This does not look like a tar archive");
        invocation.error("Exiting with failure status due to previous errors");
        return 2;
    }
    let strips = options
        .value('S')
        .and_then(|text| text.parse::<usize>().ok())
        .unwrap_or(0);
    let is_wanted = |entry: &&Member| {
        options.operands.is_empty()
            || options.operands.iter().any(|name| {
                let name = name.trim_end_matches('/');
                entry.name.trim_end_matches('/') == name
                    || entry.name.starts_with(&format!("{name}/"))
            })
    };
    let mut status = 0;
    let mut width = LEAST_WIDTH;
    for entry in archive.members().iter().filter(is_wanted) {
        match (options.has('x'), options.has('v')) {
            (false, true) => {
                let line = long_line(entry, &mut width);
                invocation.print(&format!("{line}\n"));
            }
            (true, false) => {}
            _ => invocation.print(&format!("{}\n", entry.name)),
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
        if let Err(errno) = put(invocation, directory, entry, &path, umask) {
            invocation.error(&format!("{}: Cannot open: {errno}", entry.name));
            status = 2;
        }
    }
    if problem.is_some_and(|problem| problem != BadArchive::HeaderEnd) {
        invocation.error("Unexpected EOF in archive");
        invocation.error("Error is not recoverable: exiting now");
        return 2;
    }
    status
}

/// How wide owners and sizes are together at least (`ugswidth` in `src/list.c` of GNU tar); a longer
/// one moves all that follow.
const LEAST_WIDTH: usize = 19;

/// Returns a line of `tar -tv`.
fn long_line(entry: &Member, width: &mut usize) -> String {
    let (letter, target) = match &entry.kind {
        MemberKind::File => ('-', String::new()),
        MemberKind::Directory => ('d', String::new()),
        MemberKind::Link(target) => ('l', format!(" -> {target}")),
        MemberKind::HardLink(target) => ('h', format!(" link to {target}")),
    };
    let shown = |(id, name): &(u32, String)| match name.is_empty() {
        true => id.to_string(),
        false => name.clone(),
    };
    let owner = format!("{}/{}", shown(&entry.user), shown(&entry.group));
    let size = entry.content.size().to_string();
    *width = (*width).max(owner.len() + size.len() + 1);
    let modified = std::time::Duration::from_secs(entry.modified);
    let time = super::time::format("%Y-%m-%d %H:%M", modified).unwrap_or_default();
    let blank = *width - owner.len();
    let letters = &letters_of(letter, entry.mode);
    format!(
        "{letters} {owner}{size:>blank$} {time} {}{target}",
        entry.name
    )
}

/// Puts a member in its place, without the bits of `umask` where it is not root's to keep all.
fn put(
    invocation: &Invocation,
    directory: &str,
    entry: &Member,
    path: &str,
    umask: u32,
) -> Result<(), Errno> {
    invocation.files(|files, who, now| {
        files.make_dirs(crate::files::split(path).0, 0o755, who, now)?;
        match &entry.kind {
            MemberKind::Directory => make_directory(files, path, who, now)?,
            MemberKind::Link(target) => {
                files.remove_file(path, who, now).ok();
                return files.link_symbolic(target, path, who, now);
            }
            MemberKind::HardLink(target) => {
                files.remove_file(path, who, now).ok();
                return files.link_hard(&super::absolute(directory, target), path, who, now);
            }
            MemberKind::File => {
                files.remove_file(path, who, now).ok();
                files.write(path, entry.content.clone(), 0o600, who, now)?;
            }
        }
        let mode = if who.uid == 0 {
            entry.mode
        } else {
            entry.mode & !umask
        };
        files.set_mode(path, mode, who)?;
        if who.uid == 0 {
            let (uid, gid) = (Some(entry.user.0), Some(entry.group.0));
            files.set_owner(path, uid, gid, Follow::Yes, who)?;
        }
        files.set_modified(path, std::time::Duration::from_secs(entry.modified), who)
    })
}

fn make_directory(
    files: &mut Files,
    path: &str,
    who: &Credentials,
    now: std::time::Duration,
) -> Result<(), Errno> {
    match files.make_dirs(path, 0o755, who, now) {
        // One that is there will do.
        Err(Errno::Exists) => Ok(()),
        made => made,
    }
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
