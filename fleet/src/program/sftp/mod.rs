//! `sftp-server`: version 3 of the protocol, with the extensions that OpenSSH's clients use, over
//! the streams of its process.

mod handle;

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use russh_sftp::extensions::{FsyncExtension, HardlinkExtension, Statvfs, StatvfsExtension};
use russh_sftp::protocol::{
    Attrs, Data, ExtendedReply, File, FileAttributes, Handle, Name, OpenFlags, Packet, Status,
    StatusCode, Version,
};
use russh_sftp::server::{self, Handler};
use tokio::sync::oneshot;

use super::attribute::{letters, owner_names};
use super::{Invocation, Program, time};
use crate::files::{Credentials, Errno, Follow, Stat};
use crate::host::Host;
use crate::pipe::{Reader, Writer};
use crate::world::{Fleet, HostId};

use handle::{Directory, OpenFile, Wish};

pub(crate) const PROGRAMS: &[Program] = &[Program {
    name: "sftp-server",
    run: |invocation| Box::pin(sftp_server(invocation)),
}];

/// How many bytes are on their way to and from the protocol.
const MIDDLE: usize = 64 << 10;
/// How many names are told at a time.
const NAMES: usize = 100;
/// What the server can besides version 3.
const EXTENSIONS: &[(&str, &str)] = &[
    ("posix-rename@openssh.com", "1"),
    ("statvfs@openssh.com", "2"),
    ("fstatvfs@openssh.com", "2"),
    ("hardlink@openssh.com", "1"),
    ("fsync@openssh.com", "1"),
];

async fn sftp_server(invocation: &mut Invocation) -> u8 {
    if let Some(word) = invocation.arguments.first().cloned() {
        return invocation.not_simulated(&format!("argument {word}"));
    }
    let (ended, end) = oneshot::channel::<()>();
    let server = Server {
        fleet: invocation.fleet.clone(),
        host: invocation.host,
        who: invocation.credentials.clone(),
        umask: invocation.umask,
        directory: invocation.directory.clone(),
        handles: HashMap::new(),
        next: 0,
        _ended: ended,
    };
    let stdin = std::mem::replace(&mut invocation.stdin, Reader::null());
    let stdout = std::mem::replace(&mut invocation.stdout, Writer::null());
    let mut outside = tokio::io::join(stdin, stdout);
    // The library serves in a task of its own: it ends when this process, and with it the other end,
    // is gone.
    let (inside, mut middle) = tokio::io::duplex(MIDDLE);
    server::run(inside, server).await;
    tokio::select! {
        // However the streams end, it is over.
        _ = tokio::io::copy_bidirectional(&mut outside, &mut middle) => {}
        _ = end => {}
    }
    0
}

/// What has been opened.
enum Open {
    File(OpenFile),
    Directory(Directory),
}

struct Server {
    fleet: Fleet,
    host: HostId,
    who: Credentials,
    umask: u32,
    directory: String,
    handles: HashMap<String, Open>,
    next: u64,
    /// Is gone when nobody serves any more.
    _ended: oneshot::Sender<()>,
}

type Answer<T> = Result<T, StatusCode>;

/// Returns what the protocol says of an error, as OpenSSH has it.
fn status_of(errno: Errno) -> StatusCode {
    match errno {
        Errno::NotFound | Errno::NotDirectory | Errno::Loop => StatusCode::NoSuchFile,
        Errno::Access | Errno::NotPermitted => StatusCode::PermissionDenied,
        Errno::Invalid => StatusCode::BadMessage,
        _ => StatusCode::Failure,
    }
}

fn done(id: u32) -> Status {
    Status {
        id,
        status_code: StatusCode::Ok,
        error_message: "Success".to_owned(),
        language_tag: String::new(),
    }
}

fn attributes_of(stat: &Stat) -> FileAttributes {
    let kind = match stat.letter {
        'd' => 0o040_000,
        'l' => 0o120_000,
        'c' => 0o020_000,
        'b' => 0o060_000,
        's' => 0o140_000,
        'p' => 0o010_000,
        _ => 0o100_000,
    };
    let modified = u32::try_from(stat.modified.as_secs()).unwrap_or(u32::MAX);
    FileAttributes {
        size: Some(stat.size),
        uid: Some(stat.uid),
        user: None,
        gid: Some(stat.gid),
        group: None,
        permissions: Some(kind | stat.mode),
        atime: Some(modified),
        mtime: Some(modified),
    }
}

impl Server {
    fn absolute(&self, path: &str) -> String {
        super::absolute(&self.directory, path)
    }

    fn on_host<T>(
        &self,
        work: impl FnOnce(&mut Host, &Credentials, Duration) -> Result<T, Errno>,
    ) -> Answer<T> {
        let now = self.fleet.time_of(self.host);
        let result = self
            .fleet
            .host(self.host, |host| work(host, &self.who, now));
        result.map_err(status_of)
    }

    fn stat_of(&self, path: &str, follow: Follow) -> Answer<FileAttributes> {
        let path = self.absolute(path);
        let stat = self.on_host(|host, who, _| host.files.stat(&path, follow, who))?;
        Ok(attributes_of(&stat))
    }

    fn keep(&mut self, open: Open) -> String {
        self.next += 1;
        let name = self.next.to_string();
        self.handles.insert(name.clone(), open);
        name
    }

    fn file(&mut self, handle: &str) -> Answer<&mut OpenFile> {
        match self.handles.get_mut(handle) {
            Some(Open::File(file)) => Ok(file),
            _ => Err(StatusCode::Failure),
        }
    }

    /// Lets everybody see what was written and is still kept.
    fn settle(&mut self) -> Answer<()> {
        for open in self.handles.values_mut() {
            if let Open::File(file) = open {
                file.settle(&self.fleet, self.host).map_err(status_of)?;
            }
        }
        Ok(())
    }

    fn change(&mut self, path: &str, attributes: &FileAttributes) -> Answer<()> {
        self.settle()?;
        let path = self.absolute(path);
        let attributes = attributes.clone();
        self.on_host(move |host, who, now| {
            let files = &mut host.files;
            if let Some(size) = attributes.size {
                handle::truncate(files, &path, size, who, now)?;
            }
            if let Some(mode) = attributes.permissions {
                files.set_mode(&path, mode & 0o7777, who)?;
            }
            if let Some(modified) = attributes.mtime {
                files.set_modified(&path, Duration::from_secs(modified.into()), who)?;
            }
            if attributes.uid.is_some() || attributes.gid.is_some() {
                files.set_owner(&path, attributes.uid, attributes.gid, Follow::Yes, who)?;
            }
            Ok(())
        })
    }

    /// Returns an entry as `ls -l` shows it.
    fn entry(&self, name: &str, path: &str) -> Answer<File> {
        let (stat, owner, group) = self.on_host(|host, who, _| {
            let stat = host.files.stat(path, Follow::No, who)?;
            let (owner, group) = owner_names(&host.files, &stat);
            Ok((stat, owner, group))
        })?;
        let modified = time::format("%b %e %H:%M", stat.modified).unwrap_or_default();
        let longname = format!(
            "{} {:>4} {owner:<8} {group:<8} {:>8} {modified} {name}",
            letters(&stat),
            stat.links,
            stat.size
        );
        Ok(File {
            filename: name.to_owned(),
            longname,
            attrs: attributes_of(&stat),
        })
    }

    fn free_of(&self, path: &str) -> Answer<Statvfs> {
        const BLOCK: u64 = 4096;
        let path = self.absolute(path);
        self.on_host(|host, who, _| {
            let path = host.files.resolve(&path, Follow::Yes, who)?;
            host.files.stat(&path, Follow::No, who)?;
            let mount = host.files.mount_of(&path).ok_or(Errno::NotFound)?;
            let free = mount.free() / BLOCK;
            Ok(Statvfs {
                block_size: BLOCK,
                fragment_size: BLOCK,
                blocks: mount.size / BLOCK,
                blocks_free: free,
                blocks_avail: free,
                inodes: mount.size / 16_384,
                inodes_free: mount.free() / 16_384,
                inodes_avail: mount.free() / 16_384,
                fs_id: 0,
                flags: u64::from(mount.has("ro")),
                name_max: 255,
            })
        })
    }

    fn extend(&mut self, id: u32, request: &str, data: Vec<u8>) -> Answer<Packet> {
        fn read<T: serde::de::DeserializeOwned>(data: Vec<u8>) -> Answer<T> {
            let mut bytes = Bytes::from(data);
            // The protocol knows no finer words for it.
            russh_sftp::de::from_bytes(&mut bytes).or(Err(StatusCode::BadMessage))
        }
        match request {
            "posix-rename@openssh.com" => {
                let names: HardlinkExtension = read(data)?;
                let (from, to) = (self.absolute(&names.oldpath), self.absolute(&names.newpath));
                self.on_host(|host, who, now| host.files.rename(&from, &to, who, now))?;
                Ok(Packet::Status(done(id)))
            }
            "hardlink@openssh.com" => {
                let names: HardlinkExtension = read(data)?;
                let (from, to) = (self.absolute(&names.oldpath), self.absolute(&names.newpath));
                self.on_host(|host, who, now| host.files.link_hard(&from, &to, who, now))?;
                Ok(Packet::Status(done(id)))
            }
            "fsync@openssh.com" => {
                let named: FsyncExtension = read(data)?;
                self.file(&named.handle)?;
                self.settle()?;
                Ok(Packet::Status(done(id)))
            }
            "statvfs@openssh.com" => {
                let named: StatvfsExtension = read(data)?;
                let told = self.free_of(&named.path)?;
                let data = russh_sftp::ser::to_bytes(&told).or(Err(StatusCode::Failure))?;
                let data = data.to_vec();
                Ok(Packet::ExtendedReply(ExtendedReply { id, data }))
            }
            "fstatvfs@openssh.com" => {
                let named: FsyncExtension = read(data)?;
                let path = self.file(&named.handle)?.path.clone();
                let told = self.free_of(&path)?;
                let data = russh_sftp::ser::to_bytes(&told).or(Err(StatusCode::Failure))?;
                let data = data.to_vec();
                Ok(Packet::ExtendedReply(ExtendedReply { id, data }))
            }
            _ => Err(StatusCode::OpUnsupported),
        }
    }
}

impl Handler for Server {
    type Error = StatusCode;

    fn unimplemented(&self) -> StatusCode {
        StatusCode::OpUnsupported
    }

    async fn init(&mut self, _: u32, _: HashMap<String, String>) -> Answer<Version> {
        let mut version = Version::new();
        let known = EXTENSIONS.iter();
        let known = known.map(|(name, data)| ((*name).to_owned(), (*data).to_owned()));
        version.extensions.extend(known);
        Ok(version)
    }

    async fn open(
        &mut self,
        id: u32,
        filename: String,
        flags: OpenFlags,
        attributes: FileAttributes,
    ) -> Answer<Handle> {
        self.settle()?;
        let path = self.absolute(&filename);
        let mode = attributes.permissions.unwrap_or(0o666) & 0o7777 & !self.umask;
        let elapsed = self.fleet.elapsed();
        let file = self.on_host(|host, who, now| {
            let wish = Wish {
                path: &path,
                flags,
                mode,
                now,
                elapsed,
            };
            OpenFile::open(host, &wish, who)
        })?;
        let handle = self.keep(Open::File(file));
        Ok(Handle { id, handle })
    }

    async fn close(&mut self, id: u32, handle: String) -> Answer<Status> {
        match self.handles.remove(&handle) {
            Some(Open::File(mut file)) => {
                file.settle(&self.fleet, self.host).map_err(status_of)?;
                Ok(done(id))
            }
            Some(Open::Directory(_)) => Ok(done(id)),
            None => Err(StatusCode::Failure),
        }
    }

    async fn read(&mut self, id: u32, handle: String, offset: u64, length: u32) -> Answer<Data> {
        self.settle()?;
        let (fleet, host) = (self.fleet.clone(), self.host);
        let file = self.file(&handle)?;
        let data = file.read(&fleet, host, offset, length).map_err(status_of)?;
        if data.is_empty() {
            return Err(StatusCode::Eof);
        }
        Ok(Data {
            id,
            data: data.to_vec(),
        })
    }

    async fn write(
        &mut self,
        id: u32,
        handle: String,
        offset: u64,
        data: Vec<u8>,
    ) -> Answer<Status> {
        let (fleet, host) = (self.fleet.clone(), self.host);
        let file = self.file(&handle)?;
        file.write(&fleet, host, offset, &data).map_err(status_of)?;
        Ok(done(id))
    }

    async fn lstat(&mut self, id: u32, path: String) -> Answer<Attrs> {
        self.settle()?;
        let attrs = self.stat_of(&path, Follow::No)?;
        Ok(Attrs { id, attrs })
    }

    async fn stat(&mut self, id: u32, path: String) -> Answer<Attrs> {
        self.settle()?;
        let attrs = self.stat_of(&path, Follow::Yes)?;
        Ok(Attrs { id, attrs })
    }

    async fn fstat(&mut self, id: u32, handle: String) -> Answer<Attrs> {
        self.settle()?;
        let path = match self.handles.get(&handle) {
            Some(Open::File(file)) => file.path.clone(),
            Some(Open::Directory(directory)) => directory.path.clone(),
            None => return Err(StatusCode::Failure),
        };
        let attrs = self.stat_of(&path, Follow::No)?;
        Ok(Attrs { id, attrs })
    }

    async fn setstat(
        &mut self,
        id: u32,
        path: String,
        attributes: FileAttributes,
    ) -> Answer<Status> {
        self.change(&path, &attributes)?;
        Ok(done(id))
    }

    async fn fsetstat(
        &mut self,
        id: u32,
        handle: String,
        attributes: FileAttributes,
    ) -> Answer<Status> {
        let path = match self.handles.get(&handle) {
            Some(Open::File(file)) => file.path.clone(),
            Some(Open::Directory(directory)) => directory.path.clone(),
            None => return Err(StatusCode::Failure),
        };
        self.change(&path, &attributes)?;
        Ok(done(id))
    }

    async fn opendir(&mut self, id: u32, path: String) -> Answer<Handle> {
        let path = self.absolute(&path);
        let directory = self.on_host(|host, who, _| {
            let names = host.files.list(&path, who)?;
            Ok(Directory::new(&path, names))
        })?;
        let handle = self.keep(Open::Directory(directory));
        Ok(Handle { id, handle })
    }

    async fn readdir(&mut self, id: u32, handle: String) -> Answer<Name> {
        self.settle()?;
        let Some(Open::Directory(directory)) = self.handles.get_mut(&handle) else {
            return Err(StatusCode::Failure);
        };
        let (path, names) = (directory.path.clone(), directory.next(NAMES));
        if names.is_empty() {
            return Err(StatusCode::Eof);
        }
        let entries = names.iter().filter_map(|name| {
            let full = super::absolute(&path, name);
            // What has gone since is not told of.
            self.entry(name, &full).ok()
        });
        let files = entries.collect();
        Ok(Name { id, files })
    }

    async fn remove(&mut self, id: u32, filename: String) -> Answer<Status> {
        let path = self.absolute(&filename);
        self.on_host(|host, who, now| host.files.remove_file(&path, who, now))?;
        Ok(done(id))
    }

    async fn mkdir(&mut self, id: u32, path: String, attributes: FileAttributes) -> Answer<Status> {
        let path = self.absolute(&path);
        let mode = attributes.permissions.unwrap_or(0o777) & 0o7777 & !self.umask;
        self.on_host(|host, who, now| host.files.make_dir(&path, mode, who, now))?;
        Ok(done(id))
    }

    async fn rmdir(&mut self, id: u32, path: String) -> Answer<Status> {
        let path = self.absolute(&path);
        self.on_host(|host, who, now| host.files.remove_dir(&path, who, now))?;
        Ok(done(id))
    }

    async fn realpath(&mut self, id: u32, path: String) -> Answer<Name> {
        let path = self.absolute(&path);
        let path = self.on_host(|host, who, _| host.files.resolve(&path, Follow::Yes, who))?;
        let file = File {
            filename: path.clone(),
            longname: path,
            attrs: FileAttributes::empty(),
        };
        Ok(Name {
            id,
            files: vec![file],
        })
    }

    async fn rename(&mut self, id: u32, from: String, to: String) -> Answer<Status> {
        self.settle()?;
        let (from, to) = (self.absolute(&from), self.absolute(&to));
        self.on_host(|host, who, now| {
            // Version 3 does not replace.
            match host.files.stat(&to, Follow::No, who) {
                Ok(_) => Err(Errno::Exists),
                Err(_) => host.files.rename(&from, &to, who, now),
            }
        })?;
        Ok(done(id))
    }

    async fn readlink(&mut self, id: u32, path: String) -> Answer<Name> {
        let path = self.absolute(&path);
        let target = self.on_host(|host, who, _| {
            let stat = host.files.stat(&path, Follow::No, who)?;
            stat.target.ok_or(Errno::Invalid)
        })?;
        let file = File {
            filename: target.to_string(),
            longname: target.to_string(),
            attrs: FileAttributes::empty(),
        };
        Ok(Name {
            id,
            files: vec![file],
        })
    }

    /// OpenSSH, both client and server, has the two the other way round than the draft.
    async fn symlink(&mut self, id: u32, target: String, link: String) -> Answer<Status> {
        let link = self.absolute(&link);
        self.on_host(|host, who, now| host.files.link_symbolic(&target, &link, who, now))?;
        Ok(done(id))
    }

    async fn extended(&mut self, id: u32, request: String, data: Vec<u8>) -> Answer<Packet> {
        self.settle()?;
        self.extend(id, &request, data)
    }
}
