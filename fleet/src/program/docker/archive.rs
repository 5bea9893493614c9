//! `save`, `load`.

use std::time::Duration;

use super::flags::{Flag, Flags};
use super::{Docker, Failure, Outcome, none, said, some, unknown};
use crate::engine::archive::{self, Unloaded};
use crate::engine::disk::cannot;
use crate::files::{Content, Follow};

/// How many bytes of an archive are written or read in a second.
const BANDWIDTH: u64 = 200_000_000;

impl Docker<'_> {
    /// `docker save`.
    pub(super) async fn save(&mut self, words: &[&str]) -> Outcome {
        let flags = Flags::parse(&[Flag::value("output").short('o')], words)?;
        some(&flags, "save")?;
        let output = flags.value("output").map(str::to_owned);
        if let Some(output) = &output {
            self.check_output(output)?;
        }
        let archive = self
            .engine(|world, host, _| archive::save(world, host, &flags.rest))
            .await?;
        let content = Content::Archive(archive.into());
        self.take_time(&content).await;
        match output {
            Some(output) => self.write_output(&output, content)?,
            None => {
                self.invocation.flush().await;
                // Where nobody reads, the rest is not written.
                self.invocation.stdout.write_content(&content).await.ok();
            }
        }
        Ok(0)
    }

    /// Fails where there is no directory for a file.
    fn check_output(&self, output: &str) -> Result<(), Failure> {
        let path = crate::files::normalise(&self.invocation.path(output));
        let (directory, _) = crate::files::split(&path);
        let is_there = self.invocation.files(|files, who, _| {
            let stat = files.stat(directory, Follow::Yes, who);
            stat.is_ok_and(|stat| stat.is_directory())
        });
        match is_there {
            true => Ok(()),
            false => {
                let shown = output
                    .rsplit_once('/')
                    .map_or(".", |(directory, _)| directory);
                Err(said(format!(
                    "failed to save image: invalid output path: directory \"{shown}\" does not exist"
                )))
            }
        }
    }

    fn write_output(&self, output: &str, content: Content) -> Result<(), Failure> {
        let path = self.invocation.path(output);
        let written = self
            .invocation
            .files(|files, who, now| files.write(&path, content, 0o600, who, now));
        written.map_err(|errno| said(cannot(&format!("write {output}"), errno)))
    }

    /// `docker load`.
    pub(super) async fn load(&mut self, words: &[&str]) -> Outcome {
        let known = [
            Flag::value("input").short('i'),
            Flag::switch("quiet").short('q'),
        ];
        let flags = Flags::parse(&known, words)?;
        none(&flags, "load")?;
        let content = match flags.value("input") {
            Some(input) => {
                let path = self.invocation.path(input);
                let read = self.invocation.opener().content(&path);
                read.map_err(|errno| said(cannot(&format!("open {input}"), errno)))?
            }
            None => match self.invocation.stdin.whole_content() {
                Some(content) => content,
                None => Content::from(self.invocation.read_input().await),
            },
        };
        let content = crate::program::archive::unpacked(content);
        self.take_time(&content).await;
        let loaded = self
            .engine(|world, host, now| Ok(archive::load(world, host, &content, now)))
            .await?;
        match loaded {
            Ok(lines) => {
                for line in lines {
                    self.invocation.print(&format!("{line}\n"));
                }
                Ok(0)
            }
            Err(Unloaded::Said(text)) => Err(said(text)),
            Err(Unloaded::Unknown) => Err(unknown("an image that no engine here has saved")),
        }
    }

    async fn take_time(&mut self, content: &Content) {
        let millis = content.size() * 1000 / BANDWIDTH;
        self.invocation.sleep(Duration::from_millis(millis)).await;
    }
}
