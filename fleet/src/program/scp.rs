//! `scp -t` and `scp -f`: the far end of the old protocol of `scp`.

use std::time::Duration;

use super::{Invocation, Program};
use crate::files::{Content, Errno, Follow};

pub(crate) const PROGRAMS: &[Program] = &[Program {
    name: "scp",
    run: |invocation| Box::pin(scp(invocation)),
}];

/// How much is sent at a time.
const PIECE: usize = 64 << 10;

/// What the near end asks for.
#[derive(Default)]
struct Wishes {
    is_sink: bool,
    is_source: bool,
    is_recursive: bool,
    keeps_times: bool,
    wants_directory: bool,
    operands: Vec<String>,
}

/// Why a copy ends early: the streams are gone, or the near end does not speak the protocol.
struct Broken;

async fn scp(invocation: &mut Invocation) -> u8 {
    let mut wishes = Wishes::default();
    let mut is_over = false;
    for word in invocation.arguments.clone() {
        if is_over || !word.starts_with('-') {
            wishes.operands.push(word);
            continue;
        }
        is_over = word == "--";
        for letter in word[1..].chars().filter(|_| !is_over) {
            match letter {
                't' => wishes.is_sink = true,
                'f' => wishes.is_source = true,
                'r' => wishes.is_recursive = true,
                'p' => wishes.keeps_times = true,
                'd' => wishes.wants_directory = true,
                'v' | 'q' | 'O' => {}
                _ => return invocation.not_simulated(&format!("the option -{letter}")),
            }
        }
    }
    let mut copy = Copy {
        invocation,
        wishes,
        errors: 0,
    };
    let ended = match (copy.wishes.is_sink, copy.wishes.is_source) {
        (true, false) => copy.receive().await,
        (false, true) => copy.send().await,
        _ => {
            return copy
                .invocation
                .not_simulated("a call that is not the far end of another scp");
        }
    };
    u8::from(ended.is_err() || copy.errors > 0)
}

struct Copy<'a> {
    invocation: &'a mut Invocation,
    wishes: Wishes,
    errors: usize,
}

/// Where the sink writes to.
enum Target {
    /// Into a directory.
    Inside(String),
    /// To this very path.
    Exactly(String),
}

impl Target {
    fn path(&self, name: &str) -> String {
        match self {
            Self::Inside(directory) => super::absolute(directory, name),
            Self::Exactly(path) => path.clone(),
        }
    }
}

impl Copy<'_> {
    async fn put(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let written = self.invocation.stdout.write(bytes).await;
        written.map_err(|_ended| Broken)
    }

    /// Tells the near end what went wrong, and goes on.
    async fn complain(&mut self, text: &str) -> Result<(), Broken> {
        self.errors += 1;
        self.put(format!("\u{1}scp: {text}\n").as_bytes()).await
    }

    async fn line(&mut self) -> Result<Option<String>, Broken> {
        let line = self.invocation.stdin.read_line().await;
        let line = line.map_err(|_ended| Broken)?;
        if line.is_empty() {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&line);
        Ok(Some(text.trim_end_matches('\n').to_owned()))
    }

    /// Waits for the near end to say that all is well.
    async fn answer(&mut self) -> Result<bool, Broken> {
        let byte = self.invocation.stdin.read(1).await;
        match byte.map_err(|_ended| Broken)?.first() {
            Some(0) => Ok(true),
            Some(1) => {
                self.line().await?;
                self.errors += 1;
                Ok(false)
            }
            _ => Err(Broken),
        }
    }

    fn is_directory(&self, path: &str) -> bool {
        self.invocation.files(|files, who, _| {
            let stat = files.stat(path, Follow::Yes, who);
            stat.is_ok_and(|stat| stat.is_directory())
        })
    }

    async fn receive(&mut self) -> Result<(), Broken> {
        let Some(operand) = self.wishes.operands.first().cloned() else {
            return Err(Broken);
        };
        let path = self.invocation.path(&operand);
        let target = match self.is_directory(&path) {
            true => Target::Inside(path),
            false if self.wishes.wants_directory => {
                self.complain(&format!("{operand}: Not a directory"))
                    .await?;
                return Err(Broken);
            }
            false => Target::Exactly(path),
        };
        self.put(&[0]).await?;
        let mut open = vec![target];
        let mut times: Option<Duration> = None;
        while let Some(line) = self.line().await? {
            let rest = line.get(1..).unwrap_or_default().to_owned();
            match line.chars().next() {
                Some('T') => {
                    let seconds = rest.split(' ').next().and_then(|word| word.parse().ok());
                    times = seconds.map(Duration::from_secs);
                    self.put(&[0]).await?;
                }
                Some('E') => {
                    open.pop();
                    self.put(&[0]).await?;
                    if open.is_empty() {
                        return Err(Broken);
                    }
                }
                Some('C' | 'D') => {
                    let Some((mode, size, name)) = header(&rest) else {
                        self.complain("protocol error: bad header").await?;
                        return Err(Broken);
                    };
                    let path = open.last().ok_or(Broken)?.path(name);
                    if line.starts_with('D') {
                        let target = self.enter(&path, mode).await?;
                        open.push(target);
                    } else {
                        self.take(&path, mode, size, times.take()).await?;
                    }
                }
                Some('\u{1}' | '\u{2}') => self.errors += 1,
                _ => {
                    self.complain("protocol error: unexpected <newline>")
                        .await?;
                    return Err(Broken);
                }
            }
        }
        Ok(())
    }

    /// Makes a directory, and goes into it.
    async fn enter(&mut self, path: &str, mode: u32) -> Result<Target, Broken> {
        if !self.wishes.is_recursive {
            self.complain("received directory without -r").await?;
            return Err(Broken);
        }
        let umask = self.invocation.umask;
        if !self.is_directory(path) {
            let made = self
                .invocation
                .files(|files, who, now| files.make_dir(path, (mode | 0o700) & !umask, who, now));
            if let Err(errno) = made {
                self.complain(&format!("{path}: {errno}")).await?;
                return Err(Broken);
            }
        }
        self.put(&[0]).await?;
        Ok(Target::Inside(path.to_owned()))
    }

    /// Takes a file.
    async fn take(
        &mut self,
        path: &str,
        mode: u32,
        size: u64,
        modified: Option<Duration>,
    ) -> Result<(), Broken> {
        let mode = match self.wishes.keeps_times {
            true => mode,
            false => mode & !self.invocation.umask,
        };
        let began = self.invocation.files(|files, who, now| {
            let is_new = files.stat(path, Follow::Yes, who).is_err();
            files.write(path, Vec::new(), mode, who, now)?;
            if !is_new && files.set_mode(path, mode, who).is_err() {
                // The file of somebody else keeps its mode.
            }
            Ok::<_, Errno>(())
        });
        if let Err(errno) = began {
            return self.complain(&format!("{path}: {errno}")).await;
        }
        self.put(&[0]).await?;
        let mut all = Vec::new();
        while (all.len() as u64) < size {
            let most = (size - all.len() as u64).min(PIECE as u64) as usize;
            let piece = self.invocation.stdin.read(most).await;
            let piece = piece.map_err(|_ended| Broken)?;
            if piece.is_empty() {
                return Err(Broken);
            }
            all.extend_from_slice(&piece);
        }
        let written = self.invocation.files(|files, who, now| {
            files.write(path, all, mode, who, now)?;
            match modified {
                Some(modified) => files.set_modified(path, modified, who),
                None => Ok(()),
            }
        });
        let is_well = self.answer().await?;
        match written {
            Err(errno) => self.complain(&format!("{path}: {errno}")).await,
            Ok(()) if is_well => self.put(&[0]).await,
            Ok(()) => Ok(()),
        }
    }

    async fn send(&mut self) -> Result<(), Broken> {
        self.answer().await?;
        for operand in self.wishes.operands.clone() {
            let path = self.invocation.path(&operand);
            Box::pin(self.send_one(&path, &operand)).await?;
        }
        Ok(())
    }

    async fn send_one(&mut self, path: &str, shown: &str) -> Result<(), Broken> {
        let stat = self
            .invocation
            .files(|files, who, _| files.stat(path, Follow::Yes, who));
        let stat = match stat {
            Ok(stat) => stat,
            Err(errno) => return self.complain(&format!("{shown}: {errno}")).await,
        };
        let name = path
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or_default();
        if stat.is_directory() && !self.wishes.is_recursive {
            return self.complain(&format!("{shown}: not a regular file")).await;
        }
        if self.wishes.keeps_times {
            let seconds = stat.modified.as_secs();
            self.put(format!("T{seconds} 0 {seconds} 0\n").as_bytes())
                .await?;
            self.answer().await?;
        }
        if stat.is_directory() {
            return Box::pin(self.send_directory(path, name, stat.mode)).await;
        }
        let content = match self.invocation.opener().content(path) {
            Ok(content) => content,
            Err(errno) => return self.complain(&format!("{shown}: {errno}")).await,
        };
        self.send_file(name, stat.mode, &content).await
    }

    async fn send_file(&mut self, name: &str, mode: u32, content: &Content) -> Result<(), Broken> {
        let size = content.size();
        self.put(format!("C{:04o} {size} {name}\n", mode & 0o7777).as_bytes())
            .await?;
        if !self.answer().await? {
            return Ok(());
        }
        let mut at = 0;
        while at < size {
            let piece = content.slice(at, PIECE);
            self.put(&piece).await?;
            at += piece.len() as u64;
        }
        self.put(&[0]).await?;
        self.answer().await.map(drop)
    }

    async fn send_directory(&mut self, path: &str, name: &str, mode: u32) -> Result<(), Broken> {
        let names = self.invocation.files(|files, who, _| files.list(path, who));
        let names = match names {
            Ok(names) => names,
            Err(errno) => return self.complain(&format!("{path}: {errno}")).await,
        };
        self.put(format!("D{:04o} 0 {name}\n", mode & 0o7777).as_bytes())
            .await?;
        if !self.answer().await? {
            return Ok(());
        }
        for name in names {
            let path = super::absolute(path, &name);
            Box::pin(self.send_one(&path, &path)).await?;
        }
        self.put(b"E\n").await?;
        self.answer().await.map(drop)
    }
}

/// Reads mode, size and name.
fn header(text: &str) -> Option<(u32, u64, &str)> {
    let mut words = text.splitn(3, ' ');
    let mode = u32::from_str_radix(words.next()?, 8).ok()?;
    let size = words.next()?.parse().ok()?;
    let name = words.next()?;
    let is_name = !name.is_empty() && !name.contains('/') && name != "." && name != "..";
    is_name.then_some((mode & 0o7777, size, name))
}
