//! Archives in the format of GNU tar, kept by their members.

use bytes::{Bytes, BytesMut};

use super::Content;

/// The unit of the format.
const BLOCK: usize = 512;
/// Archives are filled up to a multiple of this.
const RECORD: u64 = 20 * BLOCK as u64;

/// An archive.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Archive {
    members: Vec<Member>,
}

/// A member of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its path; that of a directory ends with a slash.
    pub name: String,
    /// The lower twelve bits of its mode.
    pub mode: u32,
    /// Its owner, and what he is called.
    pub user: (u32, String),
    /// Its group, and what it is called.
    pub group: (u32, String),
    /// When it was written, in seconds since 1970.
    pub modified: u64,
    /// What it is.
    pub kind: MemberKind,
    /// What is in it.
    pub content: Content,
}

/// What a member of an archive is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link to a path.
    Link(String),
    /// Another name of the member with this path.
    HardLink(String),
}

/// Why bytes are no archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadArchive {
    /// They are something else.
    Header,
    /// They end too early, within what stands before a member.
    HeaderEnd,
    /// They end too early, within a member.
    End,
}

impl Member {
    /// Makes a file of root.
    pub fn file(name: impl Into<String>, content: impl Into<Content>, modified: u64) -> Self {
        Self {
            name: name.into(),
            mode: 0o644,
            user: (0, String::new()),
            group: (0, String::new()),
            modified,
            kind: MemberKind::File,
            content: content.into(),
        }
    }

    /// Makes a directory of root.
    pub fn directory(name: impl Into<String>, modified: u64) -> Self {
        Self {
            mode: 0o755,
            kind: MemberKind::Directory,
            ..Self::file(name, Vec::new(), modified)
        }
    }

    /// Returns what stands before its content.
    fn header(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.name.len() > 100 {
            // A long name comes first, as GNU tar does.
            let length = self.name.len() as u64 + 1;
            let nobody = (0, String::new());
            let first = Header {
                name: "././@LongLink",
                mode: 0,
                user: &nobody,
                group: &nobody,
                modified: 0,
                kind: b'L',
                target: "",
                length,
            };
            out.extend(first.bytes());
            out.extend_from_slice(self.name.as_bytes());
            out.push(0);
            out.resize(out.len().next_multiple_of(BLOCK), 0);
        }
        let (kind, target) = match &self.kind {
            MemberKind::File => (b'0', ""),
            MemberKind::Directory => (b'5', ""),
            MemberKind::Link(target) => (b'2', target.as_str()),
            MemberKind::HardLink(target) => (b'1', target.as_str()),
        };
        let own = Header {
            name: &self.name,
            mode: self.mode,
            user: &self.user,
            group: &self.group,
            modified: self.modified,
            kind,
            target,
            length: self.content.size(),
        };
        out.extend(own.bytes());
        out
    }

    fn room(&self) -> u64 {
        self.header().len() as u64 + self.content.size().next_multiple_of(BLOCK as u64)
    }
}

/// One block before a content.
struct Header<'a> {
    name: &'a str,
    mode: u32,
    user: &'a (u32, String),
    group: &'a (u32, String),
    modified: u64,
    kind: u8,
    target: &'a str,
    length: u64,
}

impl Header<'_> {
    fn bytes(&self) -> Vec<u8> {
        let mut header = vec![0u8; BLOCK];
        let mut put = |at: usize, bytes: &[u8], most: usize| {
            let length = bytes.len().min(most);
            header[at..at + length].copy_from_slice(&bytes[..length]);
        };
        put(0, self.name.as_bytes(), 100);
        put(100, &octal(u64::from(self.mode), 8), 8);
        put(108, &octal(u64::from(self.user.0), 8), 8);
        put(116, &octal(u64::from(self.group.0), 8), 8);
        put(124, &octal(self.length, 12), 12);
        put(136, &octal(self.modified, 12), 12);
        put(148, b"        ", 8);
        put(156, &[self.kind], 1);
        put(157, self.target.as_bytes(), 100);
        put(257, b"ustar  \0", 8);
        put(265, self.user.1.as_bytes(), 31);
        put(297, self.group.1.as_bytes(), 31);
        let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
        let mut digits = format!("{sum:06o}").into_bytes();
        digits.extend([0, b' ']);
        header[148..156].copy_from_slice(&digits);
        header
    }
}

impl Archive {
    /// Makes an archive of members.
    pub fn new(members: Vec<Member>) -> Self {
        Self { members }
    }

    /// Reads an archive.
    ///
    /// # Errors
    ///
    /// Fails where the content is none, or only a part of one.
    pub fn read(content: &Content) -> Result<Self, BadArchive> {
        match Self::read_start(content) {
            (archive, None) => Ok(archive),
            (_, Some(problem)) => Err(problem),
        }
    }

    /// Reads as much of an archive as there is; also returns what is wrong with the rest.
    pub fn read_start(content: &Content) -> (Self, Option<BadArchive>) {
        if let Content::Archive(archive) = content {
            return (Self::clone(archive), None);
        }
        let mut archive = Self::default();
        let problem = parse(&content.whole(), &mut archive.members).err();
        (archive, problem)
    }

    /// Returns its members.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Returns the member with a path.
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }

    /// Returns how many bytes it has.
    pub fn size(&self) -> u64 {
        let members: u64 = self.members.iter().map(Member::room).sum();
        (members + 2 * BLOCK as u64).next_multiple_of(RECORD)
    }

    /// Returns the bytes from `start` to `end`.
    pub(super) fn slice(&self, start: u64, end: u64) -> Bytes {
        let mut out = BytesMut::new();
        let mut at = 0;
        for member in &self.members {
            let header = member.header();
            let length = header.len() as u64;
            let room = length + member.content.size().next_multiple_of(BLOCK as u64);
            let (from, to) = (start.max(at), end.min(at + room));
            if from < to {
                let inside = |place: u64| place.saturating_sub(at);
                let part =
                    &header[inside(from).min(length) as usize..inside(to).min(length) as usize];
                out.extend_from_slice(part);
                let (first, last) = (
                    inside(from).saturating_sub(length),
                    inside(to).saturating_sub(length),
                );
                out.extend_from_slice(&member.content.slice(first, (last - first) as usize));
                out.resize((to - start) as usize, 0);
            }
            at += room;
        }
        out.resize(end.saturating_sub(start) as usize, 0);
        out.freeze()
    }
}

fn parse(bytes: &Bytes, members: &mut Vec<Member>) -> Result<(), BadArchive> {
    let mut at = 0;
    let mut long_name = None;
    while at < bytes.len() {
        let header = bytes.get(at..at + BLOCK).ok_or(BadArchive::HeaderEnd)?;
        at += BLOCK;
        if header.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        if &header[257..262] != b"ustar" {
            return Err(BadArchive::Header);
        }
        let size = usize::try_from(number_of(&header[124..136]));
        let size = size.map_err(|_too_large| BadArchive::Header)?;
        let end = at.checked_add(size).filter(|end| *end <= bytes.len());
        let content = bytes.slice(at..end.ok_or(BadArchive::End)?);
        at += size.next_multiple_of(BLOCK);
        if header[156] == b'L' {
            long_name = Some(text_of(&content));
            continue;
        }
        let name = long_name.take().unwrap_or_else(|| text_of(&header[..100]));
        members.push(member(header, name, content));
        if at > bytes.len() {
            return Err(BadArchive::End);
        }
    }
    Ok(())
}

fn member(header: &[u8], name: String, content: Bytes) -> Member {
    let target = text_of(&header[157..257]);
    let number = |from: usize, to: usize| number_of(&header[from..to]) as u32;
    Member {
        name,
        mode: number(100, 108) & 0o7777,
        user: (number(108, 116), text_of(&header[265..297])),
        group: (number(116, 124), text_of(&header[297..329])),
        modified: number_of(&header[136..148]),
        kind: match header[156] {
            b'5' => MemberKind::Directory,
            b'2' => MemberKind::Link(target),
            b'1' => MemberKind::HardLink(target),
            _ => MemberKind::File,
        },
        content: Content::Bytes(content),
    }
}

fn octal(value: u64, width: usize) -> Vec<u8> {
    let digits = width - 1;
    let mut text = format!("{value:0digits$o}").into_bytes();
    text.push(0);
    text
}

fn text_of(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0);
    String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]).into_owned()
}

fn number_of(bytes: &[u8]) -> u64 {
    u64::from_str_radix(text_of(bytes).trim(), 8).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_read_back_from_its_bytes_whatever_the_pieces() {
        let archive = Archive::new(vec![
            Member::directory("d/", 7),
            Member::file(format!("d/{}", "n".repeat(120)), "text", 8),
            Member::file(
                "large",
                Content::Large {
                    size: 3000,
                    seed: 2,
                },
                9,
            ),
        ]);
        let content = Content::Archive(archive.clone().into());
        let size = archive.size() as usize;

        let whole = content.slice(0, size);
        let pieces: Vec<u8> = (0..size as u64)
            .step_by(700)
            .flat_map(|at| content.slice(at, 700).to_vec())
            .collect();

        assert_eq!((whole.len(), size % 10_240), (size, 0));
        assert_eq!(pieces, whole);
        let read = Archive::read(&Content::Bytes(whole.clone())).unwrap();
        let names: Vec<&str> = read.members().iter().map(|one| one.name.as_str()).collect();
        assert_eq!((names[0], names[1].len(), names[2]), ("d/", 122, "large"));
        assert_eq!(
            read.members()[2].content.slice(0, 3000),
            archive.members()[2].content.slice(0, 3000)
        );
        let half = Archive::read(&Content::Bytes(whole.slice(0..700)));
        assert_eq!(half, Err(BadArchive::HeaderEnd));
        let (start, problem) = Archive::read_start(&Content::Bytes(whole.slice(0..4096)));
        assert_eq!((start.members().len(), problem), (2, Some(BadArchive::End)));
        assert_eq!(
            Archive::read(&"x".repeat(600).as_str().into()),
            Err(BadArchive::Header)
        );
    }
}
