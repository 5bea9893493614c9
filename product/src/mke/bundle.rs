//! Reads a client bundle: a zip archive in, files out.
//!
//! Pure: bytes in, files or a refusal out. The archive comes from a server, so that nothing in it
//! is believed: names are checked part by part, sizes are counted as bytes come out, and what is
//! neither a plain file nor a directory is refused. MKE packs the files of the user at the top and
//! those of docker contexts below `tls/docker` and `tls/kubernetes`, without entries for
//! directories; older versions had such entries.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Cursor, Read};

use secrecy::{ExposeSecret, SecretSlice};
use zip::read::ZipFileEntry;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive, ZipReadOptions};

/// How many entries a bundle may have; MKE's have 15.
pub const MOST_ENTRIES: usize = 256;
/// How large a file may be, in bytes; the largest of MKE has some 20 KiB.
pub const LARGEST_FILE: u64 = 1 << 20;
/// How large all files may be together, in bytes.
pub const LARGEST_BUNDLE: u64 = 8 << 20;
/// How many parts a path may have; MKE's have three.
pub const DEEPEST: usize = 4;
/// How long a part of a path may be, in bytes: more is no file name anywhere.
const LONGEST_PART: usize = 255;

/// A file of a bundle.
pub struct File {
    /// Its path, part by part; each is a plain file name.
    pub path: Vec<String>,
    /// Its content, which may be a key.
    pub content: SecretSlice<u8>,
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "File({})", self.name())
    }
}

impl File {
    /// Makes a file of a path whose parts are plain names.
    pub fn new(path: Vec<String>, content: Vec<u8>) -> Self {
        let content = content.into();
        Self { path, content }
    }

    /// Returns its path with `/` between the parts.
    pub fn name(&self) -> String {
        self.path.join("/")
    }

    /// Returns its content as text, where it is one.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(self.content.expose_secret()).ok()
    }
}

/// Why an archive is no client bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// It is not an archive.
    #[error("the bundle is no zip archive")]
    NotAnArchive(#[source] ZipError),
    /// It has nothing in it.
    #[error("the bundle has no files")]
    Empty,
    /// It has more entries than any bundle.
    #[error("the bundle has {count} entries, more than {MOST_ENTRIES}")]
    TooMany {
        /// How many it says that it has.
        count: usize,
    },
    /// All files together are larger than any bundle.
    #[error("the bundle unpacks to more than {} MiB", LARGEST_BUNDLE >> 20)]
    TooLarge,
    /// Two entries have the same name.
    #[error("the bundle has two entries of one name")]
    Twice,
    /// An entry cannot be taken.
    #[error("the bundle has an entry `{name}` that {refusal}")]
    Entry {
        /// Its name, made printable.
        name: String,
        /// Why.
        #[source]
        refusal: Refusal,
    },
}

/// Why an entry is refused.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Its name is no text.
    #[error("has a name that is not UTF-8")]
    NotText,
    /// Its name is empty, or has an empty part.
    #[error("has a name with an empty part")]
    EmptyPart,
    /// Its name begins at the root.
    #[error("has an absolute path")]
    Absolute,
    /// Its name leads somewhere else.
    #[error("leads out of its directory")]
    Outside,
    /// Its name has a character with which other systems separate paths, drives or streams, or one
    /// that cannot be printed.
    #[error("has {0:?} in its name")]
    Character(char),
    /// A part of its name is none on every system.
    #[error("has a name that is reserved")]
    Reserved,
    /// Its name is too long.
    #[error("has a name that is too long")]
    TooLong,
    /// It is in too many directories.
    #[error("is deeper than {DEEPEST} levels")]
    TooDeep,
    /// Another entry has a name that some systems take for the same.
    #[error("is there twice")]
    Twice,
    /// It is a file, and a directory for others.
    #[error("is a file and a directory")]
    FileAndDirectory,
    /// It is a symbolic link.
    #[error("is a symbolic link")]
    Link,
    /// It is a device, a pipe or a socket.
    #[error("is no plain file")]
    NotPlain,
    /// It is encrypted.
    #[error("is encrypted")]
    Encrypted,
    /// It is packed in a way that bundles are not.
    #[error("is packed by method {0}")]
    Method(String),
    /// It is too large.
    #[error("is larger than {} MiB", LARGEST_FILE >> 20)]
    TooLarge,
    /// Its data is broken.
    #[error("cannot be unpacked")]
    Broken(#[source] ZipError),
    /// Its data is broken, or its checksum is.
    #[error("cannot be read")]
    Unreadable(#[source] io::Error),
}

/// Reads a bundle.
///
/// # Errors
///
/// Fails at the first thing that no bundle of MKE has; nothing of it is to be trusted then.
pub fn unpack(archive: &[u8]) -> Result<Vec<File>, BundleError> {
    if archive.len() as u64 > LARGEST_BUNDLE {
        return Err(BundleError::TooLarge);
    }
    let mut archive = ZipArchive::new(Cursor::new(archive)).map_err(BundleError::NotAnArchive)?;
    if archive.len() > MOST_ENTRIES {
        let count = archive.len();
        return Err(BundleError::TooMany { count });
    }
    // The library keeps one entry of each name, and counts them all.
    if archive.has_duplicate_names() {
        return Err(BundleError::Twice);
    }
    let mut names = Names::default();
    let mut files = Vec::new();
    let mut total = 0;
    for index in 0..archive.len() {
        let entry = archive
            .by_index_data(index)
            .map_err(BundleError::NotAnArchive)?;
        let name = printable(entry.name_raw());
        let refused = |refusal| BundleError::Entry {
            name: name.clone(),
            refusal,
        };
        let is_directory = check(&entry).map_err(refused)?;
        let path = path(entry.name_raw()).map_err(refused)?;
        names.take(&path, is_directory).map_err(refused)?;
        if is_directory {
            continue;
        }
        let left = LARGEST_BUNDLE - total;
        let content = content(&mut archive, index, left.min(LARGEST_FILE)).map_err(|refusal| {
            if matches!(refusal, Refusal::TooLarge) && left < LARGEST_FILE {
                return BundleError::TooLarge;
            }
            refused(refusal)
        })?;
        total += content.len() as u64;
        files.push(File::new(path, content));
    }
    if files.is_empty() {
        return Err(BundleError::Empty);
    }
    Ok(files)
}

/// Types of a file in its mode (`S_IFMT` and what it may say).
const TYPE: u32 = 0o170_000;
const DIRECTORY: u32 = 0o040_000;
const PLAIN: u32 = 0o100_000;
const LINK: u32 = 0o120_000;

/// Returns whether an entry is a directory; what is neither a directory nor a plain file is
/// refused, and what is packed as no bundle is.
fn check(entry: &ZipFileEntry<'_>) -> Result<bool, Refusal> {
    if entry.encrypted() {
        return Err(Refusal::Encrypted);
    }
    let method = entry.compression();
    if !matches!(
        method,
        CompressionMethod::Stored | CompressionMethod::Deflated
    ) {
        return Err(Refusal::Method(method.to_string()));
    }
    let is_named_directory = entry.name_raw().ends_with(b"/");
    // The upper half is the mode where a Unix has packed it; others leave it empty, and one that
    // claims to be from elsewhere is not believed.
    match (entry.external_attributes() >> 16) & TYPE {
        0 | PLAIN if is_named_directory => Ok(true),
        0 | PLAIN => Ok(false),
        DIRECTORY if is_named_directory => Ok(true),
        LINK => Err(Refusal::Link),
        _ => Err(Refusal::NotPlain),
    }
}

/// Returns the parts of a name, each a plain file name on every system.
fn path(name: &[u8]) -> Result<Vec<String>, Refusal> {
    let Ok(name) = std::str::from_utf8(name) else {
        return Err(Refusal::NotText);
    };
    if name.starts_with('/') {
        return Err(Refusal::Absolute);
    }
    let is_unfit = |char: char| char.is_control() || matches!(char, '\\' | ':' | '\u{fffd}');
    if let Some(char) = name.chars().find(|&char| is_unfit(char)) {
        return Err(Refusal::Character(char));
    }
    let parts: Vec<&str> = name.strip_suffix('/').unwrap_or(name).split('/').collect();
    if parts.len() > DEEPEST {
        return Err(Refusal::TooDeep);
    }
    for part in &parts {
        check_part(part)?;
    }
    Ok(parts.into_iter().map(str::to_owned).collect())
}

fn check_part(part: &str) -> Result<(), Refusal> {
    match part {
        "" => Err(Refusal::EmptyPart),
        "." | ".." => Err(Refusal::Outside),
        _ if part.len() > LONGEST_PART => Err(Refusal::TooLong),
        // Windows drops these ends, so that the name would be another one there.
        _ if part.ends_with(['.', ' ']) || is_device(part) => Err(Refusal::Reserved),
        _ => Ok(()),
    }
}

/// Whether Windows takes a name for that of a device, in any directory and with any ending.
fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or_default().trim_end();
    let stem = stem.to_ascii_lowercase();
    let is_numbered = |name: &str| {
        let number = stem.strip_prefix(name);
        number.is_some_and(|number| number.len() == 1 && number.as_bytes()[0].is_ascii_digit())
    };
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul")
        || is_numbered("com")
        || is_numbered("lpt")
}

/// The names that an archive has had so far, as a system that ignores case sees them.
#[derive(Default)]
struct Names {
    entries: BTreeSet<String>,
    files: BTreeSet<String>,
    directories: BTreeSet<String>,
}

impl Names {
    fn take(&mut self, path: &[String], is_directory: bool) -> Result<(), Refusal> {
        let lower: Vec<String> = path.iter().map(|part| part.to_lowercase()).collect();
        let whole = lower.join("/");
        if !self.entries.insert(whole.clone()) {
            return Err(Refusal::Twice);
        }
        let above = (1..lower.len()).map(|depth| lower[..depth].join("/"));
        self.directories.extend(above);
        if is_directory {
            self.directories.insert(whole);
        } else {
            self.files.insert(whole);
        }
        match self.files.is_disjoint(&self.directories) {
            true => Ok(()),
            false => Err(Refusal::FileAndDirectory),
        }
    }
}

/// Unpacks a file, as far as `limit`: what comes out is counted, not what the archive says.
fn content(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    index: usize,
    limit: u64,
) -> Result<Vec<u8>, Refusal> {
    let options = ZipReadOptions::new().enforce_header_consistency(true);
    let file = archive
        .by_index_with_options(index, options)
        .map_err(Refusal::Broken)?;
    let mut content = Vec::new();
    let mut limited = file.take(limit + 1);
    limited
        .read_to_end(&mut content)
        .map_err(Refusal::Unreadable)?;
    if content.len() as u64 > limit {
        return Err(Refusal::TooLarge);
    }
    Ok(content)
}

/// Returns a name that can be shown: it may be anything.
fn printable(name: &[u8]) -> String {
    const SHOWN: usize = 80;
    let text = String::from_utf8_lossy(name);
    let mut shown: String = text
        .chars()
        .take(SHOWN)
        .flat_map(|char| match char {
            '`' => vec!['\''],
            char if char.is_ascii_graphic() || char == ' ' || char.is_alphanumeric() => vec![char],
            char => char.escape_unicode().collect(),
        })
        .collect();
    if text.chars().count() > SHOWN {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
#[path = "bundle_tests.rs"]
mod tests;
