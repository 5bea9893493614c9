//! What programs ask of everything around them.

use super::Invocation;
use super::launch::find_executable;
use crate::connection::Kind;
use crate::files::Errno;
use crate::open::Opener;

impl Invocation {
    /// Reads a file to its end.
    ///
    /// # Errors
    ///
    /// Fails as the system calls would.
    pub(crate) fn read_file(&self, path: &str) -> Result<Vec<u8>, Errno> {
        let opener = Opener {
            fleet: &self.fleet,
            host: self.host,
            who: &self.credentials,
            umask: self.umask,
        };
        let content = opener.content(&self.path(path))?;
        Ok(content.slice(0, content.size() as usize).to_vec())
    }

    /// Writes a file; what it held before goes.
    ///
    /// # Errors
    ///
    /// Fails as the system calls would.
    pub(crate) fn write_file(&self, path: &str, bytes: Vec<u8>) -> Result<(), Errno> {
        let (path, now) = (self.path(path), self.now());
        let mode = 0o666 & !self.umask;
        self.host(|host| host.files.write(&path, bytes, mode, &self.credentials, now))
    }

    /// Returns the path of a program, as the search path leads to it.
    pub(crate) fn find_program(&self, name: &str) -> Option<String> {
        self.find_program_in(self.variable("PATH"), name)
    }

    /// Finds a program along other places than those of the environment.
    pub(crate) fn find_program_in(&self, search: Option<&str>, name: &str) -> Option<String> {
        let found = find_executable(
            &self.fleet,
            self.host,
            name,
            search,
            &self.directory,
            &self.credentials,
        );
        found.ok()
    }

    /// Returns whether it runs for text that the user supplied: a hook.
    pub(crate) fn is_users(&self) -> bool {
        self.fleet.kind_of(self.session) == Kind::User
    }

    /// Returns whether this program, which is not simulated, is taken to succeed without effect.
    pub(crate) fn is_taken_for_done(&self) -> bool {
        self.fleet
            .takes_for_done(self.host, self.session, &self.name)
    }

    /// Takes note of something that is not simulated and taken to be so.
    pub(crate) fn assume(&self, what: &str) {
        self.fleet.note_not_simulated(self.host, &self.name, what);
    }
}
