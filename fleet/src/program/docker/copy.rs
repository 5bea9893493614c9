//! `cp`: between containers, whether they run or not, and their host.

use std::time::Duration;

use super::flags::{Flag, Flags};
use super::{Docker, Failure, Outcome, said, unknown, usage};
use crate::engine::disk::cannot;
use crate::engine::{lifecycle, process, show};
use crate::files::{Archive, Content, Credentials, Files, Follow, Kind, Member, MemberKind, Node};
use crate::world::HostId;

/// One end of a copy.
struct End {
    /// The container, as it was named; none for the host itself.
    container: Option<String>,
    /// The path, as it was given.
    given: String,
    /// Where that is.
    host: HostId,
    /// The absolute path.
    path: String,
}

/// What is copied: paths below the source, which is the first, and what is there.
type Tree = Vec<(String, Node)>;

impl Docker<'_> {
    /// `docker cp`.
    pub(super) async fn copy(&mut self, words: &[&str]) -> Outcome {
        let known = [
            Flag::switch("archive").short('a'),
            Flag::switch("follow-link").short('L'),
            Flag::switch("quiet").short('q'),
        ];
        let flags = Flags::parse(&known, words)?;
        let [from, to] = flags.rest.as_slice() else {
            return Err(usage("cp", "requires exactly 2 arguments"));
        };
        match (container_of(from), container_of(to)) {
            (Some(_), Some(_)) => {
                return Err(said("copying between containers is not supported"));
            }
            (None, None) => {
                return Err(said("must specify at least one container source"));
            }
            _ => {}
        }
        let source = self.end(from).await?;
        let target = self.end(to).await?;
        if from == "-" {
            return self.unpack(&target).await;
        }
        let follow = if flags.has("follow-link") {
            Follow::Yes
        } else {
            Follow::No
        };
        let tree = self.read_tree(&source, follow)?;
        if to == "-" {
            self.pack(&source, &tree);
            return Ok(0);
        }
        let owner = match (&target.container, flags.has("archive")) {
            (_, true) => None,
            (Some(_), false) => Some(Credentials::root()),
            (None, false) => Some(self.invocation.credentials.clone()),
        };
        self.put_tree(&source, &target, &tree, owner.as_ref())?;
        Ok(0)
    }

    /// Finds one end of a copy.
    async fn end(&mut self, given: &str) -> Result<End, Failure> {
        let Some((name, path)) = container_of(given) else {
            return Ok(End {
                container: None,
                given: given.to_owned(),
                host: self.host(),
                path: self.invocation.path(given),
            });
        };
        let is_old = show::info::major(&self.client_version()) < 25;
        let inside = self
            .engine(|world, host, now| {
                let id = lifecycle::find(world, host, name)?.id.clone();
                process::inside(world, host, &id, now)
            })
            .await;
        let host = inside.map_err(|failure| match failure {
            Failure::Said(text, status) if is_old && text.contains("No such container") => {
                Failure::Said(format!("Error: No such container:path: {given}"), status)
            }
            other => other,
        })?;
        Ok(End {
            container: Some(name.to_owned()),
            given: path.to_owned(),
            host,
            path: format!("/{}", path.trim_start_matches('/')),
        })
    }

    /// Returns whose rights count at an end: the engine's in a container.
    fn who(&self, end: &End) -> Credentials {
        match end.container {
            Some(_) => Credentials::root(),
            None => self.invocation.credentials.clone(),
        }
    }

    fn read_tree(&self, source: &End, follow: Follow) -> Result<Tree, Failure> {
        let who = self.who(source);
        let found = self.invocation.fleet.host(source.host, |host| {
            let path = host.files.resolve(&source.path, follow, &who)?;
            let node = host.files.node(&path, Follow::No, &who)?.clone();
            let mut tree = vec![(String::new(), node)];
            host.files.visit(&path, &mut |below, node| {
                tree.push((
                    below[path.trim_end_matches('/').len()..].to_owned(),
                    node.clone(),
                ));
            });
            Ok(tree)
        });
        let is_old = show::info::major(&self.client_version()) < 25;
        found.map_err(|errno: crate::files::Errno| match &source.container {
            Some(name) if is_old => said(format!(
                "Error: No such container:path: {name}:{}",
                source.given
            )),
            Some(name) => unfound(&source.given, name),
            None => said(cannot(&format!("lstat {}", source.path), errno)),
        })
    }

    /// Writes what is copied. A directory that is there takes it in; `/.` at the end of the source
    /// means what is in it.
    fn put_tree(
        &self,
        source: &End,
        target: &End,
        tree: &Tree,
        owner: Option<&Credentials>,
    ) -> Result<(), Failure> {
        let who = self.who(target);
        let now = self.invocation.now();
        let is_directory =
            matches!(tree.first(), Some((_, node)) if matches!(node.kind, Kind::Directory(_)));
        self.invocation.fleet.host(target.host, |host| {
            let stat = host.files.stat(&target.path, Follow::Yes, &who);
            let trimmed = source.given.trim_end_matches('/');
            let name = trimmed.rsplit('/').next().unwrap_or_default();
            let top = match stat {
                Ok(stat) if stat.is_directory() && name != "." => {
                    format!("{}/{name}", target.path.trim_end_matches('/'))
                }
                Ok(stat) if is_directory && !stat.is_directory() => {
                    return Err(said("cannot copy directory"));
                }
                Err(_) if target.given.ends_with('/') && !is_directory => {
                    return Err(said("no such directory"));
                }
                _ => target.path.trim_end_matches('/').to_owned(),
            };
            for (below, node) in tree {
                let path = format!("{top}{below}");
                put(&mut host.files, &path, node, owner, &who, now).map_err(
                    |errno| match &target.container {
                        Some(name) => unfound(crate::files::split(&target.path).0, name),
                        None => said(cannot(&format!("open {path}"), errno)),
                    },
                )?;
            }
            Ok(())
        })
    }

    /// Prints what is copied as an archive.
    fn pack(&mut self, source: &End, tree: &Tree) {
        let name = source
            .path
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or_default();
        let members = tree
            .iter()
            .filter_map(|(below, node)| member(&format!("{name}{below}"), node));
        let content = Content::Archive(Archive::new(members.collect()).into());
        self.invocation.print_bytes(&content.whole());
    }

    /// Unpacks an archive from the standard input into a directory.
    async fn unpack(&mut self, target: &End) -> Outcome {
        let content = Content::from(self.invocation.read_input().await);
        let content = crate::program::archive::unpacked(content);
        let Ok(archive) = Archive::read(&content) else {
            return Err(said("Error response from daemon: unexpected EOF"));
        };
        if archive
            .members()
            .iter()
            .any(|one| matches!(one.kind, MemberKind::HardLink(_)))
        {
            return Err(unknown("an archive with hard links"));
        }
        let now = self.invocation.now();
        let root = Credentials::root();
        let done = self.invocation.fleet.host(target.host, |host| {
            for one in archive.members() {
                let path = format!("{}/{}", target.path.trim_end_matches('/'), one.name);
                let (directory, _) = crate::files::split(path.trim_end_matches('/'));
                match host.files.make_dirs(directory, 0o755, &root, now) {
                    Ok(()) | Err(crate::files::Errno::Exists) => {}
                    Err(errno) => return Err(errno),
                }
                let kind = match &one.kind {
                    MemberKind::Directory => Kind::Directory(std::collections::BTreeMap::new()),
                    MemberKind::Link(link) => Kind::Link(link.as_str().into()),
                    MemberKind::File | MemberKind::HardLink(_) => Kind::File(one.content.clone()),
                };
                let node = Node {
                    mode: one.mode,
                    uid: one.user.0,
                    gid: one.group.0,
                    modified: Duration::from_secs(one.modified),
                    kind,
                    ..Node::directory(0, 0, 0, Duration::ZERO, 0)
                };
                put(
                    &mut host.files,
                    path.trim_end_matches('/'),
                    &node,
                    None,
                    &root,
                    now,
                )?;
            }
            Ok(())
        });
        done.map_err(|_errno: crate::files::Errno| {
            let name = target.container.as_deref().unwrap_or_default();
            unfound(&target.given, name)
        })?;
        Ok(0)
    }
}

/// Returns what the engine says where a path is not in a container.
fn unfound(path: &str, container: &str) -> Failure {
    said(format!(
        "Error response from daemon: Could not find the file {path} in container {container}"
    ))
}

/// Takes `CONTAINER:PATH` apart; a path of the host begins with a slash or a dot, or has no colon.
fn container_of(text: &str) -> Option<(&str, &str)> {
    if text.starts_with(['/', '.']) {
        return None;
    }
    text.split_once(':')
}

/// Puts one node at a path. A directory that is there stays as it is.
fn put(
    files: &mut Files,
    path: &str,
    node: &Node,
    owner: Option<&Credentials>,
    who: &Credentials,
    now: Duration,
) -> Result<(), crate::files::Errno> {
    let (uid, gid) = owner.map_or((node.uid, node.gid), |owner| (owner.uid, owner.gid));
    match &node.kind {
        Kind::Directory(_) => {
            let is_there = files.stat(path, Follow::Yes, who);
            if is_there.is_ok_and(|stat| stat.is_directory()) {
                return Ok(());
            }
            files.make_dir(path, node.mode, who, now)?;
        }
        Kind::Link(target) => {
            files.remove_file(path, who, now).ok();
            return files.link_symbolic(target, path, who, now);
        }
        Kind::File(content) => {
            files.write(path, content.clone(), node.mode, who, now)?;
        }
        // Sockets, pipes and devices are not copied.
        Kind::Socket | Kind::Fifo | Kind::Device(_) => return Ok(()),
    }
    files.set_mode(path, node.mode, who)?;
    if who.uid == 0 {
        files.set_owner(path, Some(uid), Some(gid), Follow::No, who)?;
    }
    files.set_modified(path, node.modified, who)
}

/// Returns a node as an archive keeps it.
fn member(name: &str, node: &Node) -> Option<Member> {
    let (name, kind, content) = match &node.kind {
        Kind::Directory(_) => (format!("{name}/"), MemberKind::Directory, None),
        Kind::Link(target) => (name.to_owned(), MemberKind::Link(target.to_string()), None),
        Kind::File(content) => (name.to_owned(), MemberKind::File, Some(content.clone())),
        Kind::Socket | Kind::Fifo | Kind::Device(_) => return None,
    };
    Some(Member {
        mode: node.mode,
        user: (node.uid, String::new()),
        group: (node.gid, String::new()),
        kind,
        ..Member::file(
            name,
            content.unwrap_or_else(|| Content::from(Vec::new())),
            node.modified.as_secs(),
        )
    })
}
