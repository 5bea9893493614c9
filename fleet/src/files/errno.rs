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
