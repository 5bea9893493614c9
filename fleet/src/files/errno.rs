//! Why a file operation fails, in the words of the C library.

/// Why a file operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Errno {
    /// ENOENT.
    #[error("No such file or directory")]
    NotFound,
    /// EEXIST.
    #[error("File exists")]
    Exists,
    /// ENOTDIR.
    #[error("Not a directory")]
    NotDirectory,
    /// EISDIR.
    #[error("Is a directory")]
    IsDirectory,
    /// ENOTEMPTY.
    #[error("Directory not empty")]
    NotEmpty,
    /// EACCES.
    #[error("Permission denied")]
    Access,
    /// EPERM.
    #[error("Operation not permitted")]
    NotPermitted,
    /// ENOSPC.
    #[error("No space left on device")]
    NoSpace,
    /// ELOOP.
    #[error("Too many levels of symbolic links")]
    Loop,
    /// EBUSY.
    #[error("Device or resource busy")]
    Busy,
    /// EROFS.
    #[error("Read-only file system")]
    ReadOnly,
    /// EXDEV.
    #[error("Invalid cross-device link")]
    CrossDevice,
    /// EINVAL.
    #[error("Invalid argument")]
    Invalid,
    /// EIO.
    #[error("Input/output error")]
    Io,
    /// ENXIO.
    #[error("No such device or address")]
    NoDevice,
}

impl Errno {
    /// Returns its number on Linux (`errno-base.h`, `errno.h`).
    #[must_use]
    pub fn number(self) -> i32 {
        match self {
            Self::NotPermitted => 1,
            Self::NotFound => 2,
            Self::Io => 5,
            Self::NoDevice => 6,
            Self::Access => 13,
            Self::Busy => 16,
            Self::Exists => 17,
            Self::CrossDevice => 18,
            Self::NotDirectory => 20,
            Self::IsDirectory => 21,
            Self::Invalid => 22,
            Self::NoSpace => 28,
            Self::ReadOnly => 30,
            Self::NotEmpty => 39,
            Self::Loop => 40,
        }
    }
}
