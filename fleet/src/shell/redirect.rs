//! Descriptors and redirections.

use crate::files::Errno;
use crate::open::{Mode, Opened, Opener};
use crate::pipe::{Reader, Writer};

use super::expand::Fault;
use super::tree::{Redirection, Target, Word};
use super::{Descriptor, Shell};

/// What descriptors were before redirections.
pub(super) type Saved = Vec<(u32, Option<Descriptor>)>;

impl Shell {
    /// Applies redirections; returns what the descriptors were before.
    ///
    /// # Errors
    ///
    /// Fails where one is refused; it has been complained of, and all are as they were.
    pub(super) async fn redirect(&mut self, redirections: &[Redirection]) -> Result<Saved, Fault> {
        let mut saved = Saved::new();
        for redirection in redirections {
            if let Err(fault) = self.redirect_one(redirection, &mut saved).await {
                self.restore(saved);
                return Err(fault);
            }
        }
        Ok(saved)
    }

    /// Makes descriptors what they were before.
    pub(super) fn restore(&mut self, saved: Saved) {
        for (number, descriptor) in saved.into_iter().rev() {
            match descriptor {
                Some(descriptor) => self.descriptors.insert(number, descriptor),
                None => self.descriptors.remove(&number),
            };
        }
    }

    async fn redirect_one(
        &mut self,
        redirection: &Redirection,
        saved: &mut Saved,
    ) -> Result<(), Fault> {
        let number = redirection.descriptor;
        let descriptor = match &redirection.target {
            Target::Read(word) => self.open_to_read(word).await?,
            Target::Write(word) => {
                let mode = match self.options.no_clobber {
                    true => Mode::New,
                    false => Mode::Truncate,
                };
                self.open_to_write(word, mode).await?
            }
            Target::Clobber(word) => self.open_to_write(word, Mode::Truncate).await?,
            Target::Append(word) => self.open_to_write(word, Mode::Append).await?,
            Target::ReadWrite(word) => self.open_for_both(word).await?,
            Target::Here(slot) => {
                let text = match slot.get() {
                    Some(word) => self.expand_text(word).await?,
                    None => String::new(),
                };
                Descriptor::reader(Reader::content(text))
            }
            Target::HereString(word) => {
                let text = self.expand_text(word).await?;
                Descriptor::reader(Reader::content(format!("{text}\n")))
            }
            Target::Both(word) => {
                let descriptor = self.open_to_write(word, Mode::Truncate).await?;
                saved.push((2, self.descriptors.insert(2, descriptor.clone())));
                saved.push((1, self.descriptors.insert(1, descriptor)));
                return Ok(());
            }
            Target::Duplicate(word) => {
                let text = self.expand_text(word).await?;
                if text == "-" {
                    saved.push((number, self.descriptors.remove(&number)));
                    return Ok(());
                }
                self.duplicate(&text)?
            }
        };
        saved.push((number, self.descriptors.insert(number, descriptor)));
        Ok(())
    }

    fn duplicate(&mut self, text: &str) -> Result<Descriptor, Fault> {
        let Ok(number) = text.parse::<u32>() else {
            return Err(self.fail("Syntax error: Bad fd number"));
        };
        match self.descriptors.get(&number) {
            Some(descriptor) => Ok(descriptor.clone()),
            None => Err(self.fail(&format!("{number}: Bad file descriptor"))),
        }
    }

    pub(super) fn opener(&self) -> Opener<'_> {
        Opener {
            fleet: &self.fleet,
            host: self.host,
            who: &self.credentials,
            umask: self.umask,
        }
    }

    async fn open_to_read(&mut self, word: &Word) -> Result<Descriptor, Fault> {
        let name = self.expand_text(word).await?;
        let path = self.absolute(&name);
        match self.opener().read(&path) {
            Ok(Opened::Stream(reader)) => Ok(Descriptor::reader(reader)),
            Ok(Opened::Descriptor(number)) => self.duplicate(&number.to_string()),
            Err(errno) => Err(self.fail(&format!("cannot open {name}: {}", open_error(errno)))),
        }
    }

    async fn open_to_write(&mut self, word: &Word, mode: Mode) -> Result<Descriptor, Fault> {
        let name = self.expand_text(word).await?;
        let path = self.absolute(&name);
        match self.opener().write(&path, mode) {
            Ok(Opened::Stream(writer)) => Ok(Descriptor::writer(writer)),
            Ok(Opened::Descriptor(number)) => self.duplicate(&number.to_string()),
            Err(errno) => Err(self.fail(&format!("cannot create {name}: {}", create_error(errno)))),
        }
    }

    async fn open_for_both(&mut self, word: &Word) -> Result<Descriptor, Fault> {
        let name = self.expand_text(word).await?;
        let path = self.absolute(&name);
        let opened = self.opener().write(&path, Mode::Append);
        let writer = match opened {
            Ok(Opened::Stream(writer)) => writer,
            Ok(Opened::Descriptor(number)) => return self.duplicate(&number.to_string()),
            Err(errno) => {
                return Err(self.fail(&format!("cannot create {name}: {}", create_error(errno))));
            }
        };
        let reader = match self.opener().read(&path) {
            Ok(Opened::Stream(reader)) => Some(reader),
            _ => None,
        };
        Ok(Descriptor {
            reader,
            writer: Some(writer),
        })
    }

    /// Returns the reader of a descriptor.
    pub(super) fn reader(&self, number: u32) -> Reader {
        let found = self.descriptors.get(&number);
        found
            .and_then(|descriptor| descriptor.reader.clone())
            .unwrap_or_else(Reader::closed)
    }

    /// Returns the descriptors that are terminals.
    pub(super) fn terminals(&self) -> Vec<u32> {
        let is_one = |descriptor: &Descriptor| {
            let reader = descriptor.reader.as_ref().and_then(Reader::as_terminal);
            let writer = descriptor.writer.as_ref().and_then(Writer::as_terminal);
            reader.or(writer).is_some()
        };
        let all = self.descriptors.iter();
        let found = all.filter(|(_, descriptor)| is_one(descriptor));
        found.map(|(number, _)| *number).collect()
    }

    /// Returns the writer of a descriptor.
    pub(super) fn writer(&self, number: u32) -> Writer {
        let found = self.descriptors.get(&number);
        found
            .and_then(|descriptor| descriptor.writer.clone())
            .unwrap_or_else(Writer::closed)
    }
}

/// Dash has words of its own for what cannot be opened.
pub(super) fn open_error(errno: Errno) -> String {
    match errno {
        Errno::NotFound => "No such file".to_owned(),
        other => other.to_string(),
    }
}

fn create_error(errno: Errno) -> String {
    match errno {
        Errno::NotFound => "Directory nonexistent".to_owned(),
        other => other.to_string(),
    }
}
