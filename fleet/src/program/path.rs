//! Programs that are about paths: `basename`, `dirname`, `readlink`, `realpath`, `mktemp`, `pwd`.

use rand::Rng as _;

use super::options::{self, Value};
use super::{Invocation, Program};
use crate::files::{Errno, Follow, normalise, split};

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "basename",
        run: |invocation| Box::pin(async { basename(invocation) }),
    },
    Program {
        name: "dirname",
        run: |invocation| Box::pin(async { dirname(invocation) }),
    },
    Program {
        name: "readlink",
        run: |invocation| Box::pin(async { readlink(invocation) }),
    },
    Program {
        name: "realpath",
        run: |invocation| Box::pin(async { realpath(invocation) }),
    },
    Program {
        name: "mktemp",
        run: |invocation| Box::pin(async { mktemp(invocation) }),
    },
    Program {
        name: "pwd",
        run: |invocation| Box::pin(async { pwd(invocation) }),
    },
];

/// Returns the last part of a path.
fn last_part(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    match trimmed.is_empty() {
        true if path.is_empty() => "",
        true => "/",
        false => trimmed.rsplit('/').next().unwrap_or(trimmed),
    }
}

fn basename(invocation: &mut Invocation) -> u8 {
    let long = [
        ("multiple", 'a', Value::None),
        ("suffix", 's', Value::Needed),
    ];
    let options = match options::read(invocation, "+as:", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let is_multiple = options.has('a') || options.has('s');
    let (paths, suffix) = match options.operands.as_slice() {
        [] => return invocation.lacks(0, "missing operand"),
        paths if is_multiple => (paths, options.value('s').unwrap_or_default()),
        [path, suffix] => (std::slice::from_ref(path), suffix.as_str()),
        [path] => (std::slice::from_ref(path), ""),
        [_, _, third, ..] => {
            invocation.error(&format!("extra operand '{third}'"));
            invocation.complain("Try 'basename --help' for more information.");
            return 1;
        }
    };
    for path in paths {
        let name = last_part(path);
        let short = name.strip_suffix(suffix).filter(|short| !short.is_empty());
        invocation.print(&format!("{}\n", short.unwrap_or(name)));
    }
    0
}

fn dirname(invocation: &mut Invocation) -> u8 {
    let options = match options::read(invocation, "", &[]) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.operands.is_empty() {
        return invocation.lacks(0, "missing operand");
    }
    for path in &options.operands {
        let trimmed = path.trim_end_matches('/');
        let directory = match trimmed.rfind('/') {
            _ if trimmed.is_empty() && path.starts_with('/') => "/",
            None => ".",
            Some(at) => match trimmed[..at].trim_end_matches('/') {
                "" => "/",
                directory => directory,
            },
        };
        invocation.print(&format!("{directory}\n"));
    }
    0
}

/// Returns a canonical path; where parts may be missing, the rest is taken as it is.
fn canonical(invocation: &Invocation, path: &str, missing: char) -> Result<String, Errno> {
    let whole = invocation.path(path);
    if whole.is_empty() {
        return Err(Errno::NotFound);
    }
    invocation.files(|files, who, _| {
        let result = files.resolve(&whole, Follow::Yes, who);
        match (missing, result) {
            ('e', Ok(found)) => files.stat(&found, Follow::No, who).map(|_| found),
            ('m', Err(Errno::NotFound | Errno::NotDirectory)) => {
                // The longest part that is there.
                let (mut base, mut rest) = (normalise(&whole), Vec::new());
                while files.stat(&base, Follow::Yes, who).is_err() && base != "/" {
                    let (directory, name) = split(&base);
                    rest.push(name.to_owned());
                    base = directory.to_owned();
                }
                let base = files.resolve(&base, Follow::Yes, who)?;
                rest.reverse();
                Ok(normalise(&format!("{base}/{}", rest.join("/"))))
            }
            (_, result) => result,
        }
    })
}

fn readlink(invocation: &mut Invocation) -> u8 {
    let long = [
        ("canonicalize", 'f', Value::None),
        ("canonicalize-existing", 'e', Value::None),
        ("canonicalize-missing", 'm', Value::None),
        ("no-newline", 'n', Value::None),
        ("quiet", 'q', Value::None),
        ("silent", 's', Value::None),
    ];
    let options = match options::read(invocation, "femnqsv", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.operands.is_empty() {
        return invocation.lacks(0, "missing operand");
    }
    let mode = ['f', 'e', 'm'].into_iter().find(|mode| options.has(*mode));
    let mut status = 0;
    for operand in &options.operands {
        let found = match mode {
            Some(mode) => canonical(invocation, operand, mode).ok(),
            None => {
                let path = invocation.path(operand);
                invocation.files(|files, who, _| {
                    let stat = files.stat(&path, Follow::No, who).ok()?;
                    stat.target.map(|target| target.to_string())
                })
            }
        };
        match found {
            Some(found) if options.has('n') => invocation.print(&found),
            Some(found) => invocation.print(&format!("{found}\n")),
            None => status = 1,
        }
    }
    status
}

fn realpath(invocation: &mut Invocation) -> u8 {
    let long = [
        ("canonicalize-existing", 'e', Value::None),
        ("canonicalize-missing", 'm', Value::None),
        ("quiet", 'q', Value::None),
    ];
    let options = match options::read(invocation, "emq", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.operands.is_empty() {
        return invocation.lacks(0, "missing operand");
    }
    let mode = ['e', 'm']
        .into_iter()
        .find(|mode| options.has(*mode))
        .unwrap_or('f');
    let mut status = 0;
    for operand in &options.operands {
        match canonical(invocation, operand, mode) {
            Ok(path) => invocation.print(&format!("{path}\n")),
            Err(errno) => {
                if !options.has('q') {
                    invocation.error(&format!("{operand}: {errno}"));
                }
                status = 1;
            }
        }
    }
    status
}

fn mktemp(invocation: &mut Invocation) -> u8 {
    let long = [
        ("directory", 'd', Value::None),
        ("dry-run", 'u', Value::None),
        ("quiet", 'q', Value::None),
        ("tmpdir", 'T', Value::Optional),
        ("suffix", 'S', Value::Needed),
    ];
    let options = match options::read(invocation, "duqtp:", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let given = options.operands.first().cloned();
    let template = given.clone().unwrap_or_else(|| "tmp.XXXXXXXXXX".to_owned());
    let suffix = options.value('S').unwrap_or_default();
    let stem = template.trim_end_matches('X');
    let places = template.len() - stem.len();
    if places < 3 {
        invocation.error(&format!("too few X's in template '{template}'"));
        return 1;
    }
    let temporary = invocation
        .variable("TMPDIR")
        .filter(|text| !text.is_empty())
        .unwrap_or("/tmp")
        .to_owned();
    let directory = match (
        options.value('p').or(options.value('T')),
        options.has('t') || given.is_none(),
    ) {
        (Some(""), _) => Some(temporary),
        (Some(directory), _) => Some(directory.to_owned()),
        (None, true) => Some(temporary),
        (None, false) => None,
    };
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let random: String = invocation.world(|world| {
        (0..places)
            .map(|_| char::from(LETTERS[world.rng.random_range(0..LETTERS.len())]))
            .collect()
    });
    let name = format!("{stem}{random}{suffix}");
    let (name, shown) = match directory {
        Some(directory) => {
            let directory = directory.trim_end_matches('/');
            (
                format!("{directory}/{name}"),
                format!("{directory}/{template}"),
            )
        }
        None => (name, template.clone()),
    };
    let path = invocation.path(&name);
    if !options.has('u') {
        let made = invocation.files(|files, who, now| match options.has('d') {
            true => files.make_dir(&path, 0o700, who, now),
            false => files.write(&path, "", 0o600, who, now),
        });
        if let Err(errno) = made {
            let kind = if options.has('d') {
                "directory"
            } else {
                "file"
            };
            let text = invocation.coreutils.temporary(kind, &shown, &name, errno);
            invocation.error(&text);
            return 1;
        }
    }
    invocation.print(&format!("{name}\n"));
    0
}

fn pwd(invocation: &mut Invocation) -> u8 {
    let directory = invocation.directory.clone();
    let found = invocation.files(|files, who, _| files.resolve(&directory, Follow::Yes, who));
    invocation.print(&format!("{}\n", found.unwrap_or(directory)));
    0
}
