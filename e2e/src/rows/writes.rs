//! Which recordings are written anew, and how: never by halves.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context, Result};

/// Which recordings are written anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writes {
    /// None: answers are compared.
    Nothing,
    /// Those that differ, so that equal ones make no noise.
    Differing,
    /// Those of all rows that were chosen.
    All,
}

impl Writes {
    /// Reads the flags `--refresh` and `--all`.
    pub(crate) fn from_flags(refresh: bool, all: bool) -> Self {
        match (refresh, all) {
            (false, _) => Self::Nothing,
            (true, false) => Self::Differing,
            (true, true) => Self::All,
        }
    }

    /// Says whether an answer is recorded.
    pub(super) fn wants(self, is_different: bool) -> bool {
        match self {
            Self::Nothing => false,
            Self::Differing => is_different,
            Self::All => true,
        }
    }
}

/// Replaces a recording: whoever reads it sees the old one or the new one, whole.
pub(super) fn replace(recording: &Path, text: &str) -> Result<()> {
    let cannot = || format!("cannot write the recording `{}`", recording.display());
    let directory = recording.parent().with_context(cannot)?;
    std::fs::create_dir_all(directory).with_context(cannot)?;
    let mut file = tempfile::Builder::new()
        .prefix(".recording-")
        .permissions(std::fs::Permissions::from_mode(0o644))
        .tempfile_in(directory)
        .with_context(cannot)?;
    file.write_all(text.as_bytes()).with_context(cannot)?;
    file.persist(recording).with_context(cannot)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_recorded_unless_all_is_wanted() {
        let wants = |refresh, all| {
            let writes = Writes::from_flags(refresh, all);
            (writes.wants(false), writes.wants(true))
        };

        assert_eq!(wants(false, false), (false, false));
        assert_eq!(wants(true, false), (false, true));
        assert_eq!(wants(true, true), (true, true));
    }

    #[test]
    fn a_recording_is_replaced_and_nothing_is_left_beside_it() {
        let data = tempfile::tempdir().unwrap();
        let recording = data.path().join("recorded/bare/01-some.txt");

        replace(&recording, "old\n").unwrap();
        replace(&recording, "new\n").unwrap();

        assert_eq!(std::fs::read_to_string(&recording).unwrap(), "new\n");
        let beside = std::fs::read_dir(recording.parent().unwrap()).unwrap();
        assert_eq!(beside.count(), 1);
    }
}
