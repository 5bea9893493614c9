//! known_hosts files: read as OpenSSH reads them, appended to in one write.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::fs::OpenOptions;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::pattern;
use crate::connection::ConnectError;

/// What a line says about its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    /// It belongs to the host.
    Host,
    /// It signs the keys of hosts.
    Authority,
    /// It must not be accepted.
    Revoked,
}

/// The names that a line is for.
#[derive(Debug, Clone)]
enum Names {
    Patterns(Vec<String>),
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
}

/// One line of a file.
#[derive(Debug, Clone)]
struct Entry {
    line: usize,
    marker: Marker,
    names: Names,
    kind: String,
    key: Vec<u8>,
}

/// A key that is recorded for a name.
#[derive(Debug, Clone)]
pub(super) struct Recorded {
    pub(super) path: PathBuf,
    pub(super) line: usize,
    pub(super) marker: Marker,
    /// `ssh-ed25519`.
    pub(super) kind: String,
    /// The key as it goes over the wire.
    pub(super) key: Vec<u8>,
}

/// Tells whether a file is still the one that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    inode: u64,
}

/// A file, as it was read.
#[derive(Debug)]
struct Read {
    stamp: Stamp,
    /// What it held.
    text: Vec<u8>,
    entries: Vec<Entry>,
    /// Names that were looked up.
    answers: HashMap<String, Answer>,
}

/// What a file holds for a name.
#[derive(Debug, Default)]
struct Answer {
    /// How many entries were compared with the name.
    seen: usize,
    /// Which of them are for it.
    found: Vec<usize>,
}

/// The known_hosts files that were read.
///
/// A thousand new hosts are a thousand lines that are appended one by one, and a hashed name costs
/// a hash for each line: so what was read before is not read again, and no line is compared twice
/// with a name.
#[derive(Debug, Default)]
pub(super) struct KnownHosts {
    files: Mutex<HashMap<PathBuf, Read>>,
    /// Held from looking a name up until it is written.
    pub(super) writing: Mutex<()>,
}

impl KnownHosts {
    /// Returns what is recorded for `name`, in the order of the files.
    pub(super) fn find(
        &self,
        paths: &[PathBuf],
        name: &str,
    ) -> Result<Vec<Recorded>, ConnectError> {
        let name = name.to_lowercase();
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = Vec::new();
        for path in paths {
            let read = load(&mut files, path).map_err(|source| ConnectError::File {
                path: path.clone(),
                source,
            })?;
            found.extend(read.into_iter().flat_map(|read| read.find(path, &name)));
        }
        Ok(found)
    }

    /// Appends a line for `name`.
    pub(super) fn append(path: &Path, name: &str, hashed: bool, key: &str) -> io::Result<()> {
        if let Some(directory) = path.parent().filter(|directory| !directory.exists()) {
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(directory)?;
        }
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)?;
        let mut line = String::new();
        if file.metadata()?.is_file() && !ends_with_newline(&mut file)? {
            line.push('\n');
        }
        let name = name.to_lowercase();
        line.push_str(&if hashed { hash(&name) } else { name });
        line.push(' ');
        line.push_str(key.trim());
        line.push('\n');
        file.write_all(line.as_bytes())
    }
}

/// Reads a file, as far as it has changed; nothing where there is none.
fn load<'r>(
    files: &'r mut HashMap<PathBuf, Read>,
    path: &Path,
) -> io::Result<Option<&'r mut Read>> {
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let stamp = Stamp {
        modified: metadata.modified().ok(),
        length: metadata.len(),
        inode: metadata.ino(),
    };
    let read = match files.entry(path.to_owned()) {
        Slot::Occupied(slot) => slot.into_mut(),
        Slot::Vacant(slot) => slot.insert(Read::new(&stamp)),
    };
    if read.stamp != stamp || read.text.is_empty() {
        read.go_on(stamp, std::fs::read(path)?);
    }
    Ok(Some(read))
}

impl Read {
    fn new(stamp: &Stamp) -> Self {
        Self {
            stamp: stamp.clone(),
            text: Vec::new(),
            entries: Vec::new(),
            answers: HashMap::new(),
        }
    }

    /// Takes what a file holds now; of one that was only appended to, only what is new is parsed.
    fn go_on(&mut self, stamp: Stamp, text: Vec<u8>) {
        if !text.starts_with(&self.text) || !self.text.ends_with(b"\n") {
            *self = Self::new(&stamp);
        }
        let lines = self.text.iter().filter(|byte| **byte == b'\n').count();
        let new = text.get(self.text.len()..).unwrap_or_default();
        self.entries
            .extend(parse(lines, &String::from_utf8_lossy(new)));
        self.stamp = stamp;
        self.text = text;
    }

    /// Returns what is recorded for a name, in lower case.
    fn find(&mut self, path: &Path, name: &str) -> Vec<Recorded> {
        let answer = self.answers.entry(name.to_owned()).or_default();
        for (index, entry) in self.entries.iter().enumerate().skip(answer.seen) {
            if entry.names.hold(name) {
                answer.found.push(index);
            }
        }
        answer.seen = self.entries.len();
        let entries = answer
            .found
            .iter()
            .filter_map(|index| self.entries.get(*index));
        let recorded = |entry: &Entry| Recorded {
            path: path.to_owned(),
            line: entry.line,
            marker: entry.marker,
            kind: entry.kind.clone(),
            key: entry.key.clone(),
        };
        entries.map(recorded).collect()
    }
}

fn ends_with_newline(file: &mut std::fs::File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// Returns the name under which a host is recorded.
pub(super) fn name(host: &str, port: u16) -> String {
    let host = host.to_lowercase();
    if port == 22 {
        host
    } else {
        format!("[{host}]:{port}")
    }
}

/// Returns `SHA256:…` of a key as it goes over the wire.
pub(super) fn fingerprint(key: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(key)))
}

impl Names {
    fn hold(&self, name: &str) -> bool {
        match self {
            Self::Patterns(patterns) => {
                pattern::list_matches(patterns.iter().map(String::as_str), name)
            }
            Self::Hashed { salt, hash } => Hmac::<Sha1>::new_from_slice(salt)
                .is_ok_and(|mac| mac.chain_update(name).verify_slice(hash).is_ok()),
        }
    }
}

fn hash(name: &str) -> String {
    let salt: [u8; 20] = rand::random();
    // A key of any length is a key.
    let hash = Hmac::<Sha1>::new_from_slice(&salt)
        .map(|mac| mac.chain_update(name).finalize().into_bytes().to_vec())
        .unwrap_or_default();
    format!("|1|{}|{}", STANDARD.encode(salt), STANDARD.encode(hash))
}

/// Parses what stands behind so many lines; lines that cannot be understood are passed over, as
/// OpenSSH does.
fn parse(before: usize, text: &str) -> Vec<Entry> {
    let lines = text.lines().zip(before + 1..);
    lines
        .filter_map(|(line, number)| parse_line(number, line))
        .collect()
}

fn parse_line(number: usize, line: &str) -> Option<Entry> {
    let mut fields = line.split([' ', '\t']).filter(|field| !field.is_empty());
    let mut first = fields.next().filter(|field| !field.starts_with('#'))?;
    let marker = match first {
        "@cert-authority" => Marker::Authority,
        "@revoked" => Marker::Revoked,
        other if other.starts_with('@') => return None,
        _ => Marker::Host,
    };
    if marker != Marker::Host {
        first = fields.next()?;
    }
    let names = match first.strip_prefix("|1|") {
        Some(hashed) => {
            let (salt, hash) = hashed.split_once('|')?;
            Names::Hashed {
                salt: STANDARD.decode(salt).ok()?,
                hash: STANDARD.decode(hash).ok()?,
            }
        }
        None => Names::Patterns(first.split(',').map(str::to_lowercase).collect()),
    };
    let kind = fields.next()?.to_owned();
    let key = STANDARD.decode(fields.next()?).ok()?;
    Some(Entry {
        line: number,
        marker,
        names,
        kind,
        key,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_for(text: &str, name: &str) -> Vec<usize> {
        parse(0, text)
            .iter()
            .filter(|entry| entry.names.hold(name))
            .map(|entry| entry.line)
            .collect()
    }

    #[test]
    fn names_ports_patterns_and_negations_are_told_apart() {
        let text = "# comment\n\
                    web.example.com,10.0.0.1 ssh-ed25519 AAAA comment here\n\
                    \n\
                    [web.example.com]:2222\tssh-ed25519\tAAAA\n\
                    *.example.com,!db.example.com ssh-rsa AAAA\n\
                    broken\n\
                    web.example.com ssh-ed25519 not-base64!\n";

        assert_eq!(lines_for(text, "web.example.com"), [2, 5]);
        assert_eq!(lines_for(text, "10.0.0.1"), [2]);
        assert_eq!(lines_for(text, "[web.example.com]:2222"), [4]);
        assert_eq!(lines_for(text, "db.example.com"), [0; 0]);
    }

    #[test]
    fn hashed_names_are_found() {
        let text = format!("{} ssh-ed25519 AAAA\n", hash("[10.0.0.1]:2222"));

        assert_eq!(lines_for(&text, "[10.0.0.1]:2222"), [1]);
        assert_eq!(lines_for(&text, "10.0.0.1"), [0; 0]);
    }

    #[test]
    fn markers_are_read() {
        let text = "@revoked h ssh-ed25519 AAAA\n@cert-authority *.lan ssh-rsa AAAA\n@new h a AAAA";

        let markers: Vec<_> = parse(0, text).iter().map(|entry| entry.marker).collect();

        assert_eq!(markers, [Marker::Revoked, Marker::Authority]);
    }

    #[test]
    fn an_appended_line_starts_on_a_line_of_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new/known_hosts");
        KnownHosts::append(&path, "Web", false, "ssh-ed25519 AAAA").unwrap();
        std::fs::write(&path, "web ssh-ed25519 AAAA").unwrap();

        KnownHosts::append(&path, "[db]:22022", false, "ssh-ed25519 AAAB").unwrap();

        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, "web ssh-ed25519 AAAA\n[db]:22022 ssh-ed25519 AAAB\n");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    }

    #[test]
    fn a_file_is_read_again_once_it_changes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("known_hosts");
        let hosts = KnownHosts::default();
        let paths = [path.clone()];

        assert!(hosts.find(&paths, "web").unwrap().is_empty());
        KnownHosts::append(&path, "web", true, "ssh-ed25519 AAAA").unwrap();

        assert_eq!(hosts.find(&paths, "WEB").unwrap().len(), 1);
    }

    #[test]
    fn what_is_known_of_a_file_follows_all_its_changes() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("known_hosts");
        let hosts = KnownHosts::default();
        let paths = [path.clone()];
        let lines = || -> Vec<usize> {
            let found = hosts.find(&paths, "web").unwrap();
            found.iter().map(|one| one.line).collect()
        };
        let mut text = String::new();
        for (change, expected) in [
            ("", vec![]),
            ("a ssh-rsa AAAA\nweb ssh-rsa AAAA\n", vec![2]),
            // Appended to, also in the middle of a line.
            ("# b\nweb ssh-ed25519 AAAA\nweb ssh-", vec![2, 4]),
            ("dss AAAA\n", vec![2, 4, 5]),
        ] {
            text += change;
            std::fs::write(&path, &text).unwrap();
            assert_eq!(lines(), expected, "{text}");
        }
        // Written anew, and longer.
        std::fs::write(&path, text.replace("a ssh-rsa", "# was a\nb ssh-rsa")).unwrap();
        assert_eq!(lines(), [3, 5, 6]);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(lines(), [0; 0]);
    }
}
