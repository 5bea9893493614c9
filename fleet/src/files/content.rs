//! What is in a file.

use std::sync::Arc;

use bytes::Bytes;

use super::Archive;

/// What is in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// These bytes.
    Bytes(Bytes),
    /// Many bytes that nobody looks at one by one: made from a seed when they are read.
    Large {
        /// How many.
        size: u64,
        /// What they are made from.
        seed: u64,
    },
    /// An archive, by its members: its bytes are made when they are read.
    Archive(Arc<Archive>),
    /// A program, by the name under which it is simulated.
    Program(Arc<str>),
    /// Made anew at each reading, from what the host is.
    Live(Live),
}

/// A file of `/proc` or `/sys` that tells what the host is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Live {
    /// `/proc/uptime`.
    Uptime,
    /// `/proc/sys/kernel/random/boot_id`.
    BootId,
    /// `/proc/sys/kernel/hostname`.
    HostName,
    /// `/proc/sys/kernel/osrelease`.
    Kernel,
    /// `/proc/mounts`.
    Mounts,
    /// `/proc/self/mountinfo`.
    MountInfo,
    /// `/proc/meminfo`.
    MemInfo,
    /// `/proc/cpuinfo`.
    CpuInfo,
    /// `/proc/loadavg`.
    LoadAverage,
}

impl Content {
    /// Returns how many bytes there are; programs and live files have a length of their own kind.
    pub fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Large { size, .. } => *size,
            Self::Archive(archive) => archive.size(),
            Self::Program(_) => 64 << 10,
            Self::Live(_) => 0,
        }
    }

    /// Returns the bytes as text; empty for what is not kept as bytes.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        match self {
            Self::Bytes(bytes) => String::from_utf8_lossy(bytes),
            Self::Large { .. } | Self::Archive(_) | Self::Program(_) | Self::Live(_) => "".into(),
        }
    }

    /// Returns all bytes, as [`Content::slice`] has them.
    pub fn whole(&self) -> Bytes {
        self.slice(0, usize::MAX)
    }

    /// Returns the bytes from `offset`, at most `length`: those of a large file are made here. A
    /// live file has none of its own.
    pub fn slice(&self, offset: u64, length: usize) -> Bytes {
        let end = self.size().min(offset.saturating_add(length as u64));
        if offset >= end {
            return Bytes::new();
        }
        match self {
            Self::Bytes(bytes) => bytes.slice(offset as usize..end as usize),
            Self::Archive(archive) => archive.slice(offset, end),
            Self::Large { seed, .. } => (offset..end).map(|at| noise(*seed, at)).collect(),
            Self::Program(name) => {
                let header = format!("\u{7f}ELF{name}");
                let at = |at: u64| header.as_bytes().get(at as usize).copied();
                (offset..end).map(|one| at(one).unwrap_or(0)).collect()
            }
            Self::Live(_) => Bytes::new(),
        }
    }
}

/// One byte of a large file.
fn noise(seed: u64, at: u64) -> u8 {
    let mut word = (at / 8)
        .wrapping_add(seed)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    word ^= word >> 29;
    word = word.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word.to_le_bytes()[(at % 8) as usize]
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::Bytes(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::Bytes(text.into())
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}
