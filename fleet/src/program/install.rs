//! `install`: copies files with a mode and an owner, and makes directories.

use super::coreutils::Coreutils;
use super::file::targets;
use super::options::{self, Options, Value};
use super::{Invocation, Program};
use crate::accounts;
use crate::files::{Content, Errno, Follow, normalise, split};
use crate::open::Opened;

pub(crate) const PROGRAMS: &[Program] = &[Program {
    name: "install",
    run: |invocation| Box::pin(install(invocation)),
}];

/// What files get: a mode, an owner and a group.
struct Wishes {
    mode: u32,
    ids: (Option<u32>, Option<u32>),
    is_verbose: bool,
}

async fn install(invocation: &mut Invocation) -> u8 {
    let long = [
        ("mode", 'm', Value::Needed),
        ("owner", 'o', Value::Needed),
        ("group", 'g', Value::Needed),
        ("directory", 'd', Value::None),
        ("target-directory", 't', Value::Needed),
        ("no-target-directory", 'T', Value::None),
        ("verbose", 'v', Value::None),
    ];
    let options = match options::read(invocation, "m:o:g:dDt:Tv", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let wishes = match wishes(invocation, &options) {
        Ok(wishes) => wishes,
        Err(status) => return status,
    };
    if options.has('d') {
        return make_directories(invocation, &wishes, &options.operands);
    }
    let pairs = match targets(invocation, &options) {
        Ok(pairs) => pairs,
        Err(status) => return status,
    };
    let mut status = 0;
    for (source, target) in pairs {
        let done = match read(invocation, &source, &target).await {
            Ok(content) => write(invocation, &wishes, &options, &target, content),
            Err(complaint) => Err(complaint),
        };
        match done {
            Ok(()) if wishes.is_verbose => {
                invocation.print(&format!("'{source}' -> '{target}'\n"));
            }
            Ok(()) => {}
            Err(complaint) => {
                invocation.error(&complaint);
                status = 1;
            }
        }
    }
    status
}

fn wishes(invocation: &mut Invocation, options: &Options) -> Result<Wishes, u8> {
    let text = options.value('m').unwrap_or("755");
    let Some(mode) = super::mode::change(text, 0, 0, options.has('d')) else {
        let text = invocation.coreutils.install_mode(text);
        invocation.error(&text);
        return Err(1);
    };
    let (user, group) = (options.value('o'), options.value('g'));
    let (uid, gid) = invocation.host(|host| {
        let uid = user.map(|name| {
            let account = accounts::account(&host.files, name);
            account.map_or_else(|| name.parse().ok(), |account| Some(account.uid))
        });
        let gid = group.map(|name| {
            let group = accounts::group(&host.files, name);
            group.map_or_else(|| name.parse().ok(), |group| Some(group.gid))
        });
        (uid, gid)
    });
    for (kind, name, id) in [("user", user, uid), ("group", group, gid)] {
        if id == Some(None) {
            let name = name.unwrap_or_default();
            let text = invocation.coreutils.install_owner(kind, name);
            invocation.error(&text);
            return Err(1);
        }
    }
    Ok(Wishes {
        mode,
        ids: (uid.flatten(), gid.flatten()),
        is_verbose: options.has('v'),
    })
}

/// Makes directories, with those above them.
fn make_directories(invocation: &mut Invocation, wishes: &Wishes, operands: &[String]) -> u8 {
    if operands.is_empty() {
        if invocation.coreutils == Coreutils::Gnu {
            return invocation.misused("missing file operand");
        }
        invocation.error("install with -d requires at least one argument.");
        return 1;
    }
    let mut status = 0;
    for operand in operands {
        let path = invocation.path(operand);
        let is_there = invocation.host(|host| host.files.exists(&path));
        let made =
            invocation.files(
                |files, who, now| match files.make_dirs(&path, 0o755, who, now) {
                    Ok(()) | Err(Errno::Exists) => Ok(()),
                    Err(errno) => Err(errno),
                },
            );
        let done = match made {
            Ok(()) => adorn(invocation, wishes, operand),
            Err(errno) => Err(format!("cannot create directory '{operand}': {errno}")),
        };
        match done {
            Ok(()) if wishes.is_verbose && !is_there => {
                let name = invocation.coreutils.pick("install: ", "");
                invocation.print(&format!("{name}creating directory '{operand}'\n"));
            }
            Ok(()) => {}
            Err(complaint) => {
                invocation.error(&complaint);
                status = 1;
            }
        }
    }
    status
}

/// Reads a source; fails with what there is to complain of.
async fn read(invocation: &mut Invocation, source: &str, target: &str) -> Result<Content, String> {
    let said = invocation.coreutils;
    let (from, to) = (invocation.path(source), invocation.path(target));
    let (stat, place, taken) = invocation.files(|files, who, _| {
        (
            files.stat(&from, Follow::Yes, who),
            files.resolve(&from, Follow::Yes, who).ok(),
            files
                .resolve(&to, Follow::Yes, who)
                .ok()
                .filter(|path| files.exists(path)),
        )
    });
    let stat = stat.map_err(|errno| said.install_source(source, errno))?;
    if stat.is_directory() {
        return Err(format!("omitting directory '{source}'"));
    }
    let taken_itself = invocation
        .files(|files, who, _| files.stat(&to, Follow::No, who))
        .ok();
    if taken_itself
        .as_ref()
        .is_some_and(crate::files::Stat::is_directory)
    {
        return Err(said.install_over(source, target));
    }
    let is_same = match said {
        Coreutils::Gnu => taken_itself.is_some_and(|taken| taken.inode == stat.inode),
        // A link to the source counts, too.
        Coreutils::Uutils => taken.is_some() && taken == place,
    };
    if is_same {
        return Err(format!("'{source}' and '{target}' are the same file"));
    }
    if !matches!(invocation.opener().read(&from), Ok(Opened::Descriptor(0))) {
        let content = invocation.opener().content(&from);
        return content.map_err(|errno| format!("cannot open '{source}' for reading: {errno}"));
    }
    if let Some(content) = invocation.stdin.whole_content() {
        return Ok(content);
    }
    // uutils looks for the path of a pipe where there is a file to compare it with, and finds none.
    if said == Coreutils::Uutils && taken.is_some() {
        return Err(said.install_source(source, Errno::NotFound));
    }
    Ok(Content::from(invocation.read_input().await))
}

/// Writes a file; fails with what there is to complain of.
fn write(
    invocation: &mut Invocation,
    wishes: &Wishes,
    options: &Options,
    target: &str,
    content: Content,
) -> Result<(), String> {
    let to = invocation.path(target);
    let written = invocation.files(|files, who, now| {
        if options.has('D') {
            files.make_dirs(split(&normalise(&to)).0, 0o755, who, now)?;
        }
        match files.remove_file(&to, who, now) {
            Ok(()) | Err(Errno::NotFound) => {}
            Err(errno) => return Err(errno),
        }
        files.write(&to, content, 0o600, who, now)
    });
    written.map_err(|errno| invocation.coreutils.install_file(target, errno))?;
    adorn(invocation, wishes, target)
}

/// Gives what was made its owner and its mode.
fn adorn(invocation: &mut Invocation, wishes: &Wishes, target: &str) -> Result<(), String> {
    let path = invocation.path(target);
    let (uid, gid) = wishes.ids;
    let done = invocation.files(|files, who, _| {
        if wishes.ids != (None, None) {
            files
                .set_owner(&path, uid, gid, Follow::Yes, who)
                .map_err(|errno| (errno, true))?;
        }
        let set = files.set_mode(&path, wishes.mode, who);
        set.map_err(|errno| (errno, false))
    });
    done.map_err(|(errno, is_owner)| match is_owner {
        true => invocation.coreutils.install_chown(target, errno),
        false => format!("cannot change permissions of '{target}': {errno}"),
    })
}
