//! The root file systems of images: what a container finds when it starts.
//!
//! Images of busybox have one program and the names of its applets; an applet does what our program
//! of that name does, so its complaints are those of Debian. Applets and programs that are not
//! simulated are there, and fail loudly.

use std::time::Duration;

use crate::files::{Content, Credentials, DEVICES, Files, Kind, Live};

/// Which system is in an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum System {
    /// Only busybox: no user is known there.
    Bare,
    /// The image of busybox.
    Busybox,
    /// Alpine.
    Alpine,
    /// Debian or Ubuntu.
    Debian,
}

/// The applets of busybox: those of its package in Debian 12 that people use.
const APPLETS: &[&str] = &[
    "[",
    "[[",
    "adduser",
    "ash",
    "awk",
    "base64",
    "basename",
    "bc",
    "bunzip2",
    "bzip2",
    "cal",
    "cat",
    "chgrp",
    "chmod",
    "chown",
    "chroot",
    "cksum",
    "clear",
    "cmp",
    "comm",
    "cp",
    "cpio",
    "crond",
    "cut",
    "date",
    "dc",
    "dd",
    "df",
    "diff",
    "dirname",
    "dmesg",
    "dnsdomainname",
    "du",
    "echo",
    "ed",
    "egrep",
    "env",
    "expand",
    "expr",
    "factor",
    "false",
    "fgrep",
    "find",
    "flock",
    "fold",
    "free",
    "fuser",
    "getopt",
    "grep",
    "groups",
    "gunzip",
    "gzip",
    "head",
    "hexdump",
    "hostname",
    "httpd",
    "id",
    "ifconfig",
    "install",
    "ip",
    "kill",
    "killall",
    "less",
    "link",
    "ln",
    "logger",
    "logname",
    "ls",
    "lsof",
    "md5sum",
    "mkdir",
    "mkfifo",
    "mknod",
    "mktemp",
    "more",
    "mount",
    "mountpoint",
    "mv",
    "nc",
    "netstat",
    "nice",
    "nl",
    "nohup",
    "nproc",
    "nslookup",
    "od",
    "paste",
    "pgrep",
    "pidof",
    "ping",
    "pkill",
    "printenv",
    "printf",
    "ps",
    "pwd",
    "readlink",
    "realpath",
    "renice",
    "reset",
    "rev",
    "rm",
    "rmdir",
    "route",
    "sed",
    "seq",
    "setsid",
    "sh",
    "sha1sum",
    "sha256sum",
    "sha3sum",
    "sha512sum",
    "shuf",
    "sleep",
    "sort",
    "split",
    "stat",
    "strings",
    "stty",
    "su",
    "sum",
    "sync",
    "sysctl",
    "tac",
    "tail",
    "tar",
    "tee",
    "telnet",
    "test",
    "time",
    "timeout",
    "top",
    "touch",
    "tr",
    "traceroute",
    "true",
    "truncate",
    "tty",
    "umount",
    "uname",
    "uniq",
    "unlink",
    "unxz",
    "unzip",
    "uptime",
    "usleep",
    "vi",
    "watch",
    "wc",
    "wget",
    "which",
    "who",
    "whoami",
    "xargs",
    "xxd",
    "xz",
    "yes",
    "zcat",
];

/// The programs of Debian's smallest image: essential packages and apt.
const PROGRAMS: &[&str] = &[
    "[",
    "awk",
    "base64",
    "basename",
    "bash",
    "cat",
    "chgrp",
    "chmod",
    "chown",
    "cksum",
    "cmp",
    "comm",
    "cp",
    "cut",
    "dash",
    "date",
    "dd",
    "df",
    "diff",
    "dirname",
    "dmesg",
    "du",
    "echo",
    "egrep",
    "env",
    "expand",
    "expr",
    "factor",
    "false",
    "fgrep",
    "find",
    "flock",
    "fold",
    "getent",
    "getopt",
    "grep",
    "groups",
    "gunzip",
    "gzip",
    "head",
    "hostname",
    "id",
    "install",
    "join",
    "link",
    "ln",
    "logger",
    "logname",
    "ls",
    "md5sum",
    "mkdir",
    "mkfifo",
    "mknod",
    "mktemp",
    "more",
    "mount",
    "mountpoint",
    "mv",
    "nice",
    "nl",
    "nohup",
    "nproc",
    "od",
    "paste",
    "perl",
    "printenv",
    "printf",
    "pwd",
    "readlink",
    "realpath",
    "rev",
    "rm",
    "rmdir",
    "sed",
    "seq",
    "setsid",
    "sh",
    "sha1sum",
    "sha256sum",
    "sha512sum",
    "shuf",
    "sleep",
    "sort",
    "split",
    "stat",
    "stty",
    "su",
    "sum",
    "sync",
    "tac",
    "tail",
    "tar",
    "tee",
    "test",
    "timeout",
    "touch",
    "tr",
    "true",
    "truncate",
    "tty",
    "umount",
    "uname",
    "uniq",
    "unlink",
    "wc",
    "which",
    "whoami",
    "xargs",
    "yes",
    "zcat",
];

/// Programs that are there and cannot be what they are on a host of the fleet.
const OTHERS: &[&str] = &[
    "apt",
    "apt-cache",
    "apt-get",
    "dpkg",
    "dpkg-query",
    "useradd",
];

/// Makes the root file system of an image; `entrypoint` is what an image without a system has.
pub(crate) fn tree(system: Option<System>, entrypoint: &str, written: Duration) -> Files {
    let mut root = Root {
        files: Files::new(),
        who: Credentials::root(),
        written,
    };
    root.add_kernel();
    match system {
        None => root.program(
            entrypoint,
            entrypoint.rsplit('/').next().unwrap_or_default(),
        ),
        Some(System::Bare) => root.add_busybox("busybox"),
        Some(System::Busybox) => {
            root.add_busybox("busybox");
            root.add_users("/bin/sh");
        }
        Some(System::Alpine) => {
            root.add_busybox("/bin/busybox");
            root.add_users("/bin/ash");
            let release = "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.19.1\n\
                           PRETTY_NAME=\"Alpine Linux v3.19\"\n";
            root.text("/etc/os-release", release);
            root.text("/etc/alpine-release", "3.19.1\n");
            root.program("/sbin/apk", "apk");
        }
        Some(System::Debian) => root.add_debian(),
    }
    root.files
}

/// A file system that is being made. It is empty at first and has room: nothing can fail.
struct Root {
    files: Files,
    who: Credentials,
    written: Duration,
}

impl Root {
    fn directory(&mut self, path: &str, mode: u32) {
        let _ = self.files.make_dirs(path, 0o755, &self.who, self.written);
        let _ = self.files.set_mode(path, mode, &self.who);
    }

    fn node(&mut self, path: &str, kind: Kind, mode: u32) {
        let (directory, _) = crate::files::split(path);
        let _ = self
            .files
            .make_dirs(directory, 0o755, &self.who, self.written);
        let _ = self
            .files
            .make_node(path, kind, mode, &self.who, self.written);
    }

    fn text(&mut self, path: &str, text: &str) {
        self.node(path, Kind::File(Content::from(text)), 0o644);
    }

    fn program(&mut self, path: &str, name: &str) {
        let content = Content::Program(name.into());
        self.node(path, Kind::File(content), 0o755);
    }

    fn link(&mut self, path: &str, target: &str) {
        self.node(path, Kind::Link(target.into()), 0o777);
    }

    /// Adds what runc mounts, and what it makes for that.
    fn add_kernel(&mut self) {
        for (path, live) in [
            ("/proc/uptime", Live::Uptime),
            ("/proc/mounts", Live::Mounts),
            ("/proc/self/mounts", Live::Mounts),
            ("/proc/self/mountinfo", Live::MountInfo),
            ("/proc/meminfo", Live::MemInfo),
            ("/proc/cpuinfo", Live::CpuInfo),
            ("/proc/loadavg", Live::LoadAverage),
            ("/proc/sys/kernel/hostname", Live::HostName),
            ("/proc/sys/kernel/osrelease", Live::Kernel),
            ("/proc/sys/kernel/random/boot_id", Live::BootId),
        ] {
            self.node(path, Kind::File(Content::Live(live)), 0o444);
        }
        for (path, device) in DEVICES {
            self.node(path, Kind::Device(device), 0o666);
        }
        self.directory("/dev/shm", 0o1777);
        self.directory("/sys", 0o555);
        self.directory("/etc", 0o755);
    }

    fn add_busybox(&mut self, target: &str) {
        self.program("/bin/busybox", "busybox");
        for applet in APPLETS {
            self.link(&format!("/bin/{applet}"), target);
        }
    }

    fn add_users(&mut self, shell: &str) {
        let passwd = format!(
            "root:x:0:0:root:/root:{shell}\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\n\
             www-data:x:33:33:www-data:/var/www:/bin/false\n\
             nobody:x:65534:65534:nobody:/home:/bin/false\n"
        );
        self.text("/etc/passwd", &passwd);
        let group = "root:x:0:\ndaemon:x:1:\nwww-data:x:33:\nnogroup:x:65534:\n";
        self.text("/etc/group", group);
        self.directory("/root", 0o700);
        self.directory("/tmp", 0o1777);
        for path in [
            "/home",
            "/var/spool",
            "/usr/bin",
            "/usr/sbin",
            "/lib",
            "/mnt",
            "/opt",
        ] {
            self.directory(path, 0o755);
        }
    }

    fn add_debian(&mut self) {
        for name in PROGRAMS {
            self.program(&format!("/usr/bin/{name}"), name);
        }
        for name in OTHERS {
            self.program(
                &format!("/usr/bin/{name}"),
                &format!("{name} in a container"),
            );
        }
        self.directory("/usr/sbin", 0o755);
        for (path, target) in [("/bin", "usr/bin"), ("/sbin", "usr/sbin")] {
            self.link(path, target);
        }
        self.add_users("/bin/bash");
        let release = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\n\
                       VERSION_ID=\"12\"\nID=debian\n";
        self.text("/etc/os-release", release);
        self.text("/etc/debian_version", "12.15\n");
    }
}
