//! Opening files of a host as streams.

use std::time::Duration;

use crate::files::{Content, Credentials, Device, Errno, Follow, Kind, Live, Mount};
use crate::host::Host;
use crate::pipe::{Reader, Writer};
use crate::world::{Fleet, HostId};

/// Who opens, and where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opener<'a> {
    /// The fleet.
    pub(crate) fleet: &'a Fleet,
    /// The host.
    pub(crate) host: HostId,
    /// Who opens.
    pub(crate) who: &'a Credentials,
    /// The bits that new files do not get.
    pub(crate) umask: u32,
}

/// How a file is opened for writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// What it holds goes.
    Truncate,
    /// It must not be there yet.
    New,
    /// What is written goes behind what it holds.
    Append,
}

/// What was opened.
#[derive(Debug, Clone)]
pub(crate) enum Opened<T> {
    /// A stream.
    Stream(T),
    /// A name of a descriptor that the process has (`/dev/stdout`).
    Descriptor(u32),
}

impl Opener<'_> {
    /// Opens a file for reading.
    ///
    /// # Errors
    ///
    /// Fails as the system call would.
    pub(crate) fn read(&self, path: &str) -> Result<Opened<Reader>, Errno> {
        if let Some(descriptor) = descriptor_of(path) {
            return Ok(Opened::Descriptor(descriptor));
        }
        let now = self.fleet.elapsed();
        let wall = self.fleet.time_of(self.host);
        self.fleet.host(self.host, |host| {
            let node = host.files.node(path, Follow::Yes, self.who)?;
            if !node.allows(self.who, 4) {
                return Err(Errno::Access);
            }
            Ok(Opened::Stream(match &node.kind {
                Kind::Directory(_) => Reader::directory(),
                Kind::Device(Device::Null) => Reader::null(),
                Kind::Device(Device::Zero | Device::Full) => Reader::zero(),
                Kind::Device(Device::Random) => {
                    let seed = u64::try_from(wall.as_nanos() % 1_000_003).unwrap_or(0);
                    Reader::content(Content::Large {
                        size: 1 << 30,
                        seed,
                    })
                }
                Kind::Device(Device::Stdin) => return Ok(Opened::Descriptor(0)),
                Kind::Device(Device::Stdout) => return Ok(Opened::Descriptor(1)),
                Kind::Device(Device::Stderr) => return Ok(Opened::Descriptor(2)),
                Kind::File(content) => Reader::content(shown(host, content, now)),
                Kind::Device(Device::Terminal) | Kind::Socket | Kind::Fifo | Kind::Link(_) => {
                    return Err(Errno::NoDevice);
                }
            }))
        })
    }

    /// Opens a file for writing.
    ///
    /// # Errors
    ///
    /// Fails as the system call would.
    pub(crate) fn write(&self, path: &str, mode: Mode) -> Result<Opened<Writer>, Errno> {
        if let Some(descriptor) = descriptor_of(path) {
            return Ok(Opened::Descriptor(descriptor));
        }
        let now = self.fleet.time_of(self.host);
        self.fleet.host(self.host, |host| {
            match host.files.node(path, Follow::Yes, self.who) {
                Ok(node) => match &node.kind {
                    Kind::Device(Device::Null | Device::Zero | Device::Random) => {
                        return Ok(Opened::Stream(Writer::null()));
                    }
                    Kind::Device(Device::Full) => return Ok(Opened::Stream(Writer::full())),
                    Kind::Device(Device::Stdin) => return Ok(Opened::Descriptor(0)),
                    Kind::Device(Device::Stdout) => return Ok(Opened::Descriptor(1)),
                    Kind::Device(Device::Stderr) => return Ok(Opened::Descriptor(2)),
                    Kind::Device(Device::Terminal) => return Err(Errno::NoDevice),
                    _ if mode == Mode::New => return Err(Errno::Exists),
                    _ => {}
                },
                Err(Errno::NotFound) => {}
                Err(other) => return Err(other),
            }
            let bits = 0o666 & !self.umask;
            match mode {
                Mode::Append => host.files.append(path, b"", bits, self.who, now)?,
                Mode::Truncate | Mode::New => {
                    host.files.write(path, Vec::new(), bits, self.who, now)?;
                }
            }
            let path = host.files.resolve(path, Follow::Yes, self.who)?;
            let inode = host.files.stat(&path, Follow::No, self.who)?.inode;
            Ok(Opened::Stream(Writer::file(
                self.fleet, self.host, path, inode,
            )))
        })
    }

    /// Reads what a file holds.
    ///
    /// # Errors
    ///
    /// Fails as the system calls would.
    pub(crate) fn content(&self, path: &str) -> Result<Content, Errno> {
        let now = self.fleet.elapsed();
        self.fleet.host(self.host, |host| {
            let node = host.files.node(path, Follow::Yes, self.who)?;
            if matches!(node.kind, Kind::Device(_)) && node.allows(self.who, 4) {
                return Ok(Content::from(Vec::new()));
            }
            let content = host.files.read(path, self.who)?;
            Ok(shown(host, &content, now))
        })
    }
}

/// Reads what a file holds, whoever may read it; `now` is the time since the start of the fleet.
///
/// # Errors
///
/// Fails where it is no file.
pub(crate) fn content_now(host: &Host, path: &str, now: Duration) -> Result<Content, Errno> {
    let content = host.files.read(path, &Credentials::root())?;
    Ok(shown(host, &content, now))
}

/// Returns the descriptor that a path is a name of.
fn descriptor_of(path: &str) -> Option<u32> {
    let number = path
        .strip_prefix("/dev/fd/")
        .or_else(|| path.strip_prefix("/proc/self/fd/"));
    match path {
        "/dev/stdin" => Some(0),
        "/dev/stdout" => Some(1),
        "/dev/stderr" => Some(2),
        _ => number?.parse().ok(),
    }
}

/// Returns the mounts as `proc(5)` has them; the first one is what the others hang on.
fn mount_info(host: &Host) -> String {
    let line = |(at, mount): (usize, &Mount)| {
        let parent = if at == 0 { 1 } else { 25 };
        format!(
            "{} {parent} 0:{} / {} {} shared:{} - {} {} rw\n",
            25 + at,
            22 + at,
            mount.point,
            mount.options,
            1 + at,
            mount.kind,
            mount.device
        )
    };
    host.files.mounts().iter().enumerate().map(line).collect()
}

/// Returns what a content is at this moment.
fn shown(host: &Host, content: &Content, now: Duration) -> Content {
    match content {
        Content::Live(Live::HostName) => Content::from(format!("{}\n", host.host_name())),
        Content::Live(Live::Kernel) => Content::from(format!("{}\n", host.hardware.kernel.release)),
        Content::Live(Live::BootId) => Content::from(format!("{}\n", host.boot_id)),
        Content::Live(Live::Uptime) => {
            let up = now.as_secs_f64() - host.booted;
            Content::from(format!("{up:.2} {up:.2}\n"))
        }
        Content::Live(Live::Mounts) => {
            let lines = host.files.mounts().iter().map(|mount| {
                format!(
                    "{} {} {} {} 0 0\n",
                    mount.device, mount.point, mount.kind, mount.options
                )
            });
            Content::from(lines.collect::<String>())
        }
        Content::Live(Live::MountInfo) => Content::from(mount_info(host)),
        Content::Live(Live::MemInfo) => {
            let total = host.hardware.memory_kib;
            Content::from(format!(
                "MemTotal:       {total:8} kB\nMemFree:        {:8} kB\nMemAvailable:   {:8} kB\n\
                 Buffers:        {:8} kB\nCached:         {:8} kB\nSwapTotal:             0 kB\n\
                 SwapFree:              0 kB\n",
                total / 10 * 7,
                total / 10 * 9,
                total / 100,
                total / 10 * 2
            ))
        }
        Content::Live(Live::CpuInfo) => {
            let one = |number: u32| {
                format!(
                    "processor\t: {number}\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC\n\
                     cpu cores\t: {}\n\n",
                    host.hardware.processors
                )
            };
            Content::from((0..host.hardware.processors).map(one).collect::<String>())
        }
        Content::Live(Live::LoadAverage) => Content::from("0.08 0.03 0.01 1/120 1200\n"),
        content => content.clone(),
    }
}
