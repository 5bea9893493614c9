//! Programs about the system: mounts, parameters of the kernel, memory, time since the boot.

use super::options::{self, Value};
use super::{Invocation, Program};
use crate::files::{Errno, Follow, Mount, normalise};

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "mount",
        run: |invocation| Box::pin(async { mount(invocation) }),
    },
    Program {
        name: "umount",
        run: |invocation| Box::pin(async { umount(invocation) }),
    },
    Program {
        name: "mountpoint",
        run: |invocation| Box::pin(async { mountpoint(invocation) }),
    },
    Program {
        name: "findmnt",
        run: |invocation| Box::pin(async { findmnt(invocation) }),
    },
    Program {
        name: "sync",
        run: |_| Box::pin(async { 0 }),
    },
    Program {
        name: "logger",
        run: |_| Box::pin(async { 0 }),
    },
    Program {
        name: "sysctl",
        run: |invocation| Box::pin(async { sysctl(invocation) }),
    },
    Program {
        name: "which",
        run: |invocation| Box::pin(async { which(invocation) }),
    },
];

fn mount(invocation: &mut Invocation) -> u8 {
    let long = [
        ("make-rshared", 's', Value::None),
        ("make-shared", 's', Value::None),
        ("bind", 'b', Value::None),
        ("types", 't', Value::Needed),
        ("options", 'o', Value::Needed),
    ];
    let options = match options::read(invocation, "t:o:", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.operands.is_empty() && !options.has('s') {
        let lines = invocation.host(|host| {
            let line = |mount: &Mount| {
                format!(
                    "{} on {} type {} ({})\n",
                    mount.device, mount.point, mount.kind, mount.options
                )
            };
            host.files.mounts().iter().map(line).collect::<String>()
        });
        invocation.print(&lines);
        return 0;
    }
    if invocation.credentials.uid != 0 {
        invocation.error("only root can do that");
        return 1;
    }
    if options.has('s') {
        return 0;
    }
    let kind = options.value('t').unwrap_or_default().to_owned();
    let [device, point] = options.operands.as_slice() else {
        return invocation.not_simulated("mounting what fstab names");
    };
    if kind != "tmpfs" {
        return invocation.not_simulated("mounting this kind of file system");
    }
    let path = normalise(&invocation.path(point));
    let is_directory = invocation.files(|files, who, _| {
        files
            .stat(&path, Follow::Yes, who)
            .is_ok_and(|stat| stat.is_directory())
    });
    if !is_directory {
        invocation.error(&format!("{point}: mount point does not exist."));
        return 32;
    }
    let mount = Mount {
        point: path,
        device: device.clone(),
        kind,
        options: options.value('o').unwrap_or("rw,relatime").to_owned(),
        size: 8 << 30,
        used: 0,
    };
    invocation.host(|host| host.files.mount(mount));
    0
}

fn umount(invocation: &mut Invocation) -> u8 {
    let options = match options::read(invocation, "lf", &[]) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let mut status = 0;
    for operand in &options.operands {
        let path = normalise(&invocation.path(operand));
        if invocation.credentials.uid != 0 {
            invocation.error(&format!("{operand}: must be superuser to unmount."));
            status = 32;
        } else if !invocation.host(|host| host.files.unmount(&path)) {
            let exists = invocation.host(|host| host.files.exists(&path));
            let why = if exists {
                "not mounted."
            } else {
                "no mount point specified."
            };
            invocation.error(&format!("{operand}: {why}"));
            status = 32;
        }
    }
    status
}

fn mountpoint(invocation: &mut Invocation) -> u8 {
    let options = match options::read(invocation, "q", &[("quiet", 'q', Value::None)]) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let Some(operand) = options.operands.first() else {
        return invocation.not_simulated("a call without a path");
    };
    let path = normalise(&invocation.path(operand));
    let (exists, is_one) = invocation.host(|host| {
        let is_one = host.files.mounts().iter().any(|mount| mount.point == path);
        (host.files.exists(&path), is_one)
    });
    let quiet = options.has('q');
    match (exists, is_one) {
        (false, _) if !quiet => invocation.error(&format!("{operand}: {}", Errno::NotFound)),
        (true, true) if !quiet => invocation.print(&format!("{operand} is a mountpoint\n")),
        (true, false) if !quiet => invocation.print(&format!("{operand} is not a mountpoint\n")),
        _ => {}
    }
    match (exists, is_one) {
        (true, true) => 0,
        (true, false) => 32,
        (false, _) => 1,
    }
}

fn findmnt(invocation: &mut Invocation) -> u8 {
    let long = [
        ("noheadings", 'n', Value::None),
        ("output", 'o', Value::Needed),
        ("target", 'T', Value::Needed),
    ];
    let options = match options::read(invocation, "no:T:", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let Some(columns) = options.value('o').filter(|_| options.has('n')) else {
        return invocation.not_simulated("a call without -n and -o");
    };
    let target = options
        .value('T')
        .or(options.operands.first().map(String::as_str));
    let Some(target) = target else {
        return invocation.not_simulated("a call without a path");
    };
    let path = normalise(&invocation.path(target));
    let is_exact = !options.has('T');
    let found = invocation.host(|host| {
        let mount = host.files.mount_of(&path)?;
        (!is_exact || mount.point == path).then(|| mount.clone())
    });
    let Some(mount) = found else {
        return 1;
    };
    let mut cells = Vec::new();
    for column in columns.split(',') {
        cells.push(match column.to_ascii_uppercase().as_str() {
            "TARGET" => mount.point.clone(),
            "SOURCE" => mount.device.clone(),
            "FSTYPE" => mount.kind.clone(),
            "OPTIONS" => mount.options.clone(),
            other => return invocation.not_simulated(&format!("the column {other}")),
        });
    }
    invocation.print(&format!("{}\n", cells.join(" ")));
    0
}

fn sysctl(invocation: &mut Invocation) -> u8 {
    let long = [
        ("write", 'w', Value::None),
        ("values", 'n', Value::None),
        ("quiet", 'q', Value::None),
        ("all", 'a', Value::None),
    ];
    let mut options = match options::read(invocation, "wnqea", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.has('a') {
        let paths = invocation.host(|host| super::attribute::tree_of(&host.files, "/proc/sys"));
        let names = paths
            .iter()
            .filter_map(|path| path.strip_prefix("/proc/sys/"));
        options.operands = names.map(|name| name.replace('/', ".")).collect();
    }
    let mut status = 0;
    for operand in &options.operands {
        let (name, value) = match operand.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (operand.as_str(), None),
        };
        let path = format!("/proc/sys/{}", name.replace('.', "/"));
        let Some(text) = invocation.host(|host| host.files.text(&path)) else {
            if options.has('a') {
                // A directory, or what is made when it is read.
                continue;
            }
            invocation.error(&format!("cannot stat {path}: No such file or directory"));
            status = 255;
            continue;
        };
        let shown = match value {
            Some(value) => {
                let text = format!("{value}\n");
                let written =
                    invocation.files(|files, who, now| files.write(&path, text, 0o644, who, now));
                if written.is_err() {
                    invocation.error(&format!("permission denied on key \"{name}\""));
                    status = 255;
                    continue;
                }
                value.to_owned()
            }
            None => text.trim().to_owned(),
        };
        match (options.has('q'), options.has('n')) {
            (true, _) => {}
            (false, true) => invocation.print(&format!("{shown}\n")),
            (false, false) => invocation.print(&format!("{name} = {shown}\n")),
        }
    }
    status
}

fn which(invocation: &mut Invocation) -> u8 {
    let options = match options::read(invocation, "as", &[]) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.has('a') {
        return invocation.not_simulated("the option -a");
    }
    let mut status = u8::from(options.operands.is_empty());
    for name in &options.operands {
        let found = super::launch::find_executable(
            &invocation.fleet,
            invocation.host,
            name,
            invocation.variable("PATH"),
            &invocation.directory,
            &invocation.credentials,
        );
        match found {
            Ok(path) if !options.has('s') => invocation.print(&format!("{path}\n")),
            Ok(_) => {}
            Err(_) => status = 1,
        }
    }
    status
}
