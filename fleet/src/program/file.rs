//! Programs that make, move and remove files: `mkdir`, `rmdir`, `rm`, `cp`, `mv`, `touch`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::options::{self, Options, Value};
use super::{Invocation, Program};
use crate::files::{Credentials, Device, Errno, Files, Follow, Kind, split};

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "mkdir",
        run: |invocation| Box::pin(async { mkdir(invocation) }),
    },
    Program {
        name: "rmdir",
        run: |invocation| Box::pin(async { rmdir(invocation) }),
    },
    Program {
        name: "rm",
        run: |invocation| Box::pin(async { rm(invocation) }),
    },
    Program {
        name: "cp",
        run: |invocation| Box::pin(async { cp(invocation) }),
    },
    Program {
        name: "mv",
        run: |invocation| Box::pin(async { mv(invocation) }),
    },
    Program {
        name: "touch",
        run: |invocation| Box::pin(async { touch(invocation) }),
    },
];

fn mkdir(invocation: &mut Invocation) -> u8 {
    let long = [
        ("parents", 'p', Value::None),
        ("mode", 'm', Value::Needed),
        ("verbose", 'v', Value::None),
    ];
    let options = match options::read(invocation, "pm:v", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.operands.is_empty() {
        return invocation.lacks(0, "missing operand");
    }
    let bits = 0o777 & !invocation.umask;
    let mode = match options.value('m') {
        Some(text) => match super::mode::change(text, 0o777, invocation.umask, true) {
            Some(mode) => mode,
            None => {
                let text = invocation.coreutils.mode(text);
                invocation.error(&text);
                return 1;
            }
        },
        None => bits,
    };
    let mut status = 0;
    for operand in &options.operands {
        let path = invocation.path(operand);
        let is_there = invocation.files(|files, who, _| {
            files
                .stat(&path, Follow::Yes, who)
                .is_ok_and(|stat| stat.is_directory())
        });
        if options.has('p') && is_there {
            continue;
        }
        let made = invocation.files(|files, who, now| {
            match options.has('p') {
                true => files.make_dirs(&path, bits, who, now)?,
                false => files.make_dir(&path, mode, who, now)?,
            }
            if options.has('m') {
                files.set_mode(&path, mode, who)?;
            }
            Ok::<(), Errno>(())
        });
        match made {
            Ok(()) if options.has('v') => {
                invocation.print(&format!("mkdir: created directory '{operand}'\n"));
            }
            Ok(()) => {}
            Err(errno) => {
                let shown = first_wrong(invocation, operand, errno);
                let said = invocation.coreutils;
                let text = said.make_directory(&shown, errno, options.has('p'));
                invocation.error(&text);
                status = 1;
            }
        }
    }
    status
}

/// Returns the part of a path that is no directory, where that is the matter.
fn first_wrong(invocation: &Invocation, operand: &str, errno: Errno) -> String {
    if errno != Errno::NotDirectory {
        return operand.to_owned();
    }
    let ends = operand
        .match_indices('/')
        .map(|(at, _)| at)
        .filter(|at| *at > 0);
    let wrong = ends.map(|end| &operand[..end]).find(|part| {
        let path = invocation.path(part);
        invocation.files(|files, who, _| {
            files
                .stat(&path, Follow::Yes, who)
                .is_ok_and(|stat| !stat.is_directory())
        })
    });
    wrong.unwrap_or(operand).to_owned()
}

fn rmdir(invocation: &mut Invocation) -> u8 {
    let long = [
        ("parents", 'p', Value::None),
        ("ignore-fail-on-non-empty", 'I', Value::None),
    ];
    let options = match options::read(invocation, "p", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.operands.is_empty() {
        return invocation.lacks(0, "missing operand");
    }
    let mut status = 0;
    for operand in &options.operands {
        let mut path = invocation.path(operand);
        loop {
            let removed = invocation.files(|files, who, now| files.remove_dir(&path, who, now));
            match removed {
                Ok(()) => {}
                Err(Errno::NotEmpty) if options.has('I') => break,
                Err(errno) => {
                    invocation.error(&format!("failed to remove '{operand}': {errno}"));
                    status = 1;
                    break;
                }
            }
            if !options.has('p') || !operand.trim_end_matches('/').contains('/') {
                break;
            }
            path = split(&path).0.to_owned();
            if path == "/" || path == invocation.directory {
                break;
            }
        }
    }
    status
}

fn rm(invocation: &mut Invocation) -> u8 {
    let long = [
        ("force", 'f', Value::None),
        ("recursive", 'r', Value::None),
        ("verbose", 'v', Value::None),
        ("dir", 'd', Value::None),
        ("one-file-system", 'x', Value::None),
    ];
    let options = match options::read(invocation, "fRrvd", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let is_recursive = options.has('r') || options.has('R');
    if options.operands.is_empty() {
        return match options.has('f') {
            true => 0,
            false => invocation.lacks(0, "missing operand"),
        };
    }
    let mut status = 0;
    for operand in &options.operands {
        let name = operand
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or_default();
        if matches!(name, "." | "..") && is_recursive {
            let text = format!("refusing to remove '.' or '..' directory: skipping '{operand}'");
            invocation.error(&text);
            status = 1;
            continue;
        }
        let path = invocation.path(operand);
        if is_recursive && path.trim_end_matches('/').is_empty() {
            invocation.error("it is dangerous to operate recursively on '/'");
            invocation.error("use --no-preserve-root to override this failsafe");
            return 1;
        }
        let removed = invocation.files(|files, who, now| {
            let stat = files.stat(path.trim_end_matches('/'), Follow::No, who)?;
            match stat.is_directory() {
                true if is_recursive => remove_tree(files, path.trim_end_matches('/'), who, now),
                true if options.has('d') => files.remove_dir(&path, who, now),
                true => Err(Errno::IsDirectory),
                false => files.remove_file(&path, who, now),
            }
        });
        match removed {
            Ok(()) if options.has('v') => {
                invocation.print(&format!("removed '{operand}'\n"));
            }
            Ok(()) => {}
            Err(Errno::NotFound | Errno::NotDirectory) if options.has('f') => {}
            Err(errno) => {
                invocation.error(&format!("cannot remove '{operand}': {errno}"));
                status = 1;
            }
        }
    }
    status
}

/// Removes what it can of a tree, as `rm -r` does where a part of it is mounted.
fn remove_tree(
    files: &mut Files,
    path: &str,
    who: &Credentials,
    now: Duration,
) -> Result<(), Errno> {
    match files.remove_tree(path, who, now) {
        Err(Errno::Busy) => {}
        result => return result,
    }
    let mut result = Ok(());
    for name in files.list(path, who)? {
        let child = format!("{path}/{name}");
        let is_directory = files.stat(&child, Follow::No, who)?.is_directory();
        let removed = match is_directory {
            true => remove_tree(files, &child, who, now),
            false => files.remove_file(&child, who, now),
        };
        result = result.and(removed);
    }
    result.and_then(|()| files.remove_dir(path, who, now))
}

/// Returns pairs of what goes where, for `cp`, `mv`, `ln` and `install`.
pub(crate) fn targets(
    invocation: &mut Invocation,
    options: &Options,
) -> Result<Vec<(String, String)>, u8> {
    let mut sources = options.operands.clone();
    let directory = options.value('t').map(str::to_owned);
    let target = match directory.clone() {
        Some(directory) => directory,
        None if sources.len() == 1 => {
            let text = format!("missing destination file operand after '{}'", sources[0]);
            return Err(invocation.misused(&text));
        }
        None => match sources.pop() {
            Some(target) => target,
            None => return Err(invocation.lacks(0, "missing file operand")),
        },
    };
    let path = invocation.path(&target);
    let follow = if options.has('n') && invocation.name.ends_with("ln") {
        Follow::No
    } else {
        Follow::Yes
    };
    let is_directory = !options.has('T')
        && invocation.files(|files, who, _| {
            files
                .stat(&path, follow, who)
                .is_ok_and(|stat| stat.is_directory())
        });
    if sources.len() > 1 && !is_directory {
        let exists = invocation.host(|host| host.files.exists(&path));
        let errno = if exists {
            Errno::NotDirectory
        } else {
            Errno::NotFound
        };
        let text = invocation.coreutils.target(&target, errno);
        invocation.error(&text);
        return Err(1);
    }
    let place = |source: String| {
        let name = source
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        let to = match is_directory {
            true => format!("{}/{name}", target.trim_end_matches('/')),
            false => target.clone(),
        };
        (source, to)
    };
    Ok(sources.into_iter().map(place).collect())
}

/// How a copy is made.
#[derive(Clone, Copy)]
struct Copying {
    is_recursive: bool,
    keeps: bool,
    follows: bool,
    umask: u32,
}

/// Where files with several names were copied to, by their numbers.
type Copied = BTreeMap<u64, String>;

fn copy(
    files: &mut Files,
    from: &str,
    to: &str,
    how: Copying,
    copied: &mut Copied,
    who: &Credentials,
    now: Duration,
) -> Result<(), Errno> {
    let follow = if how.follows { Follow::Yes } else { Follow::No };
    let node = files.node(from, follow, who)?.clone();
    match &node.kind {
        Kind::Directory(_) => {
            if files.stat(to, Follow::Yes, who).is_err() {
                files.make_dir(to, node.mode & !how.umask | 0o700, who, now)?;
            }
            for name in files.list(from, who)? {
                copy(
                    files,
                    &format!("{from}/{name}"),
                    &format!("{to}/{name}"),
                    how,
                    copied,
                    who,
                    now,
                )?;
            }
        }
        Kind::Link(target) => {
            files.remove_file(to, who, now).ok();
            return files.link_symbolic(target, to, who, now);
        }
        Kind::File(_) if how.keeps && copied.contains_key(&node.inode) => {
            files.remove_file(to, who, now).ok();
            return files.link_hard(&copied[&node.inode], to, who, now);
        }
        Kind::File(_) => {
            if node.names > 1 {
                copied.insert(node.inode, to.to_owned());
            }
            let content = files.read(from, who)?;
            files.write(to, content, node.mode & !how.umask & 0o777, who, now)?;
        }
        // What is read of it; only `-r` makes another device.
        Kind::Device(Device::Null) if !how.is_recursive => {
            files.write(to, "", node.mode & !how.umask & 0o777, who, now)?;
        }
        kind => files.make_node(to, kind.clone(), node.mode, who, now)?,
    }
    if how.keeps {
        files
            .set_owner(to, Some(node.uid), Some(node.gid), Follow::No, who)
            .ok();
        files.set_mode(to, node.mode, who)?;
        files.set_modified(to, node.modified, who)?;
    }
    Ok(())
}

fn cp(invocation: &mut Invocation) -> u8 {
    let long = [
        ("recursive", 'r', Value::None),
        ("archive", 'a', Value::None),
        ("preserve", 'p', Value::Optional),
        ("force", 'f', Value::None),
        ("target-directory", 't', Value::Needed),
        ("no-target-directory", 'T', Value::None),
        ("no-clobber", 'n', Value::None),
        ("verbose", 'v', Value::None),
        ("update", 'u', Value::None),
    ];
    let options = match options::read(invocation, "rRapfPdLt:Tnv", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let is_recursive = ['r', 'R', 'a'].iter().any(|flag| options.has(*flag));
    let how = Copying {
        is_recursive,
        keeps: options.has('p') || options.has('a'),
        follows: !is_recursive && !options.has('P') && !options.has('d') || options.has('L'),
        umask: invocation.umask,
    };
    let pairs = match targets(invocation, &options) {
        Ok(pairs) => pairs,
        Err(status) => return status,
    };
    let mut status = 0;
    for (source, target) in pairs {
        status |= copy_one(invocation, &options, how, &source, &target);
    }
    status
}

fn copy_one(
    invocation: &mut Invocation,
    options: &Options,
    how: Copying,
    source: &str,
    target: &str,
) -> u8 {
    let (from, to) = (invocation.path(source), invocation.path(target));
    let follow = if how.follows { Follow::Yes } else { Follow::No };
    let stat = invocation.files(|files, who, _| files.stat(&from, follow, who));
    let stat = match stat {
        Ok(stat) => stat,
        Err(errno) => {
            invocation.error(&format!("cannot stat '{source}': {errno}"));
            return 1;
        }
    };
    if stat.is_directory() && !how.is_recursive {
        invocation.error(&format!("-r not specified; omitting directory '{source}'"));
        return 1;
    }
    let existing = invocation.files(|files, who, _| files.stat(&to, Follow::Yes, who));
    if let Ok(existing) = existing {
        if options.has('n') {
            return 0;
        }
        if existing.inode == stat.inode {
            invocation.error(&format!("'{source}' and '{target}' are the same file"));
            return 1;
        }
    }
    // What a link or a live file shows is copied, not the link.
    let shown = match stat.is_file() {
        true => invocation.opener().content(&from).ok(),
        false => None,
    };
    let copied = invocation.files(|files, who, now| {
        copy(files, &from, &to, how, &mut Copied::new(), who, now)?;
        match shown {
            Some(content)
                if files.read(&to, &Credentials::root()).ok().as_ref() != Some(&content) =>
            {
                files.write(&to, content, 0o644, who, now)
            }
            _ => Ok(()),
        }
    });
    match copied {
        Ok(()) => {
            if options.has('v') {
                invocation.print(&format!("'{source}' -> '{target}'\n"));
            }
            0
        }
        Err(Errno::Access) if invocation.opener().content(&from).is_err() => {
            invocation.error(&format!(
                "cannot open '{source}' for reading: Permission denied"
            ));
            1
        }
        Err(errno @ Errno::NoSpace) => {
            invocation.error(&format!("error writing '{target}': {errno}"));
            1
        }
        Err(errno) => {
            let kind = if stat.is_directory() {
                "directory"
            } else {
                "regular file"
            };
            invocation.error(&format!("cannot create {kind} '{target}': {errno}"));
            1
        }
    }
}

fn mv(invocation: &mut Invocation) -> u8 {
    let long = [
        ("force", 'f', Value::None),
        ("no-clobber", 'n', Value::None),
        ("target-directory", 't', Value::Needed),
        ("no-target-directory", 'T', Value::None),
        ("verbose", 'v', Value::None),
    ];
    let options = match options::read(invocation, "fnt:Tv", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let pairs = match targets(invocation, &options) {
        Ok(pairs) => pairs,
        Err(status) => return status,
    };
    let mut status = 0;
    for (source, target) in pairs {
        let (from, to) = (invocation.path(&source), invocation.path(&target));
        let from = from.trim_end_matches('/').to_owned();
        let is_there = invocation.files(|files, who, _| files.stat(&from, Follow::No, who));
        if let Err(errno) = is_there {
            invocation.error(&format!("cannot stat '{source}': {errno}"));
            status = 1;
            continue;
        }
        if options.has('n')
            && invocation
                .files(|files, who, _| files.stat(&to, Follow::No, who))
                .is_ok()
        {
            continue;
        }
        let umask = invocation.umask;
        let moved = invocation.files(|files, who, now| match files.rename(&from, &to, who, now) {
            Err(Errno::CrossDevice) => {
                let how = Copying {
                    is_recursive: true,
                    keeps: true,
                    follows: false,
                    umask,
                };
                copy(files, &from, &to, how, &mut Copied::new(), who, now)?;
                remove_tree_or_file(files, &from, who, now)
            }
            result => result,
        });
        match moved {
            Ok(()) if options.has('v') => {
                invocation.print(&format!("renamed '{source}' -> '{target}'\n"))
            }
            Ok(()) => {}
            Err(Errno::Invalid) => {
                invocation.error(&format!(
                    "cannot move '{source}' to a subdirectory of itself, '{target}'"
                ));
                status = 1;
            }
            Err(errno) => {
                invocation.error(&format!("cannot move '{source}' to '{target}': {errno}"));
                status = 1;
            }
        }
    }
    status
}

fn remove_tree_or_file(
    files: &mut Files,
    path: &str,
    who: &Credentials,
    now: Duration,
) -> Result<(), Errno> {
    match files.stat(path, Follow::No, who)?.is_directory() {
        true => files.remove_tree(path, who, now),
        false => files.remove_file(path, who, now),
    }
}

fn touch(invocation: &mut Invocation) -> u8 {
    let long = [
        ("no-create", 'c', Value::None),
        ("date", 'd', Value::Needed),
        ("reference", 'r', Value::Needed),
    ];
    let options = match options::read(invocation, "camd:r:t:", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let now = invocation.now();
    let time = match (options.value('d'), options.value('r'), options.has('t')) {
        (_, _, true) => return invocation.not_simulated("the option -t"),
        (Some(text), _, _) => match super::time::parse(text, now) {
            Some(time) => time,
            None if text.chars().all(|one| one.is_ascii_lowercase()) => {
                let text = invocation.coreutils.date(text);
                invocation.error(&text);
                return 1;
            }
            None => {
                let what = format!("the date {text}");
                return invocation.not_simulated(&what);
            }
        },
        (None, Some(reference), _) => {
            let path = invocation.path(reference);
            match invocation.files(|files, who, _| files.stat(&path, Follow::Yes, who)) {
                Ok(stat) => stat.modified,
                Err(errno) => {
                    let text = format!("failed to get attributes of '{reference}': {errno}");
                    invocation.error(&text);
                    return 1;
                }
            }
        }
        (None, None, _) => now,
    };
    if options.operands.is_empty() {
        return invocation.lacks(0, "missing file operand");
    }
    let mut status = 0;
    let mode = 0o666 & !invocation.umask;
    for operand in &options.operands {
        let path = invocation.path(operand);
        let touched = invocation.files(|files, who, now| {
            match files.stat(&path, Follow::Yes, who) {
                Ok(_) => {}
                Err(Errno::NotFound) if options.has('c') => return Ok(()),
                Err(Errno::NotFound) => files.write(&path, "", mode, who, now)?,
                Err(errno) => return Err(errno),
            }
            files.set_modified(&path, time, who)
        });
        if let Err(errno) = touched {
            let is_seen = invocation
                .files(|files, who, _| files.stat(&path, Follow::Yes, who))
                .is_err_and(|errno| errno != Errno::Access);
            let text = invocation.coreutils.touch(operand, errno, is_seen);
            invocation.error(&text);
            status = 1;
        }
    }
    status
}
