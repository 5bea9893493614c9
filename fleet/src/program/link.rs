//! Programs about the names of files: `ln`, `unlink`.

use super::file::targets;
use super::options::{self, Value};
use super::{Invocation, Program};
use crate::files::{Errno, Follow};

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "ln",
        run: |invocation| Box::pin(async { ln(invocation) }),
    },
    Program {
        name: "unlink",
        run: |invocation| Box::pin(async { unlink(invocation) }),
    },
];

fn ln(invocation: &mut Invocation) -> u8 {
    let long = [
        ("symbolic", 's', Value::None),
        ("force", 'f', Value::None),
        ("no-dereference", 'n', Value::None),
        ("no-target-directory", 'T', Value::None),
        ("target-directory", 't', Value::Needed),
        ("verbose", 'v', Value::None),
    ];
    let mut options = match options::read(invocation, "sfnTt:v", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.operands.len() == 1 {
        options.operands.push(".".to_owned());
    }
    let pairs = match targets(invocation, &options) {
        Ok(pairs) => pairs,
        Err(status) => return status,
    };
    let mut status = 0;
    for (source, target) in pairs {
        let (from, path) = (invocation.path(&source), invocation.path(&target));
        if !options.has('s') && cannot_be_linked(invocation, &source, &target) {
            status = 1;
            continue;
        }
        let made = invocation.files(|files, who, now| {
            if options.has('f') {
                match files.remove_file(&path, who, now) {
                    Ok(()) | Err(Errno::NotFound) => {}
                    Err(errno) => return Err(errno),
                }
            }
            match options.has('s') {
                true => files.link_symbolic(&source, &path, who, now),
                false => files.link_hard(&from, &path, who, now),
            }
        });
        match made {
            Ok(()) if options.has('v') => {
                let arrow = if options.has('s') { "->" } else { "=>" };
                invocation.print(&format!("'{target}' {arrow} '{source}'\n"));
            }
            Ok(()) => {}
            Err(errno) => {
                let said = invocation.coreutils;
                let text = match options.has('s') {
                    true => said.symbolic_link(&target, errno),
                    false => said.hard_link(&source, &target, errno),
                };
                invocation.error(&text);
                status = 1;
            }
        }
    }
    status
}

/// Complains about what cannot have another name; returns whether it did.
fn cannot_be_linked(invocation: &mut Invocation, source: &str, target: &str) -> bool {
    let path = invocation.path(source);
    let complaint = match invocation.files(|files, who, _| files.stat(&path, Follow::No, who)) {
        Ok(stat) if stat.is_directory() => {
            format!("{source}: hard link not allowed for directory")
        }
        Ok(_) => return false,
        Err(errno) => invocation.coreutils.linked(source, target, errno),
    };
    invocation.error(&complaint);
    true
}

fn unlink(invocation: &mut Invocation) -> u8 {
    let options = match options::read(invocation, "", &[]) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let operand = match options.operands.as_slice() {
        [] => return invocation.lacks(0, "missing operand"),
        [operand] => operand,
        [_, other, ..] => return invocation.misused(&format!("extra operand '{other}'")),
    };
    let path = invocation.path(operand);
    match invocation.files(|files, who, now| files.remove_file(&path, who, now)) {
        Ok(()) => 0,
        Err(errno) => {
            invocation.error(&format!("cannot unlink '{operand}': {errno}"));
            1
        }
    }
}
