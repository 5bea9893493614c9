//! Reading a configuration: from a file or from standard input, and never more than is allowed.

use std::io::{self, Read as _};
use std::path::Path;

use config::Source;

use crate::error::CliError;
use crate::session::interruptible;
use crate::world::World;

/// Reads the configuration that is given, else the one in the current directory; returns it with how
/// it was given, for a command line that repeats the run.
pub(crate) async fn read(
    world: &mut World,
    given: Option<&str>,
) -> Result<(Source, String), CliError> {
    if given == Some("-") {
        let stdin = std::mem::replace(&mut world.stdin, Box::new(io::empty()));
        let text = interruptible(world, move || limited(stdin, config::LARGEST_DOCUMENT))
            .await?
            .map_err(|source| CliError::Local {
                what: "cannot read the configuration from standard input".to_owned(),
                source,
            })?;
        let name = "<stdin>".to_owned();
        return Ok((Source { name, text }, "-".to_owned()));
    }
    let path = config::locate(given.map(Path::new), world)?;
    let full = world.current_dir.join(&path);
    // A pipe (`<(command)`) may have nothing to give for a while.
    let text = if full.is_file() {
        read_file(&full, config::LARGEST_DOCUMENT)
    } else {
        interruptible(world, move || read_file(&full, config::LARGEST_DOCUMENT)).await?
    };
    let text = text.map_err(|source| CliError::Read {
        path: path.clone(),
        source,
    })?;
    let name = path.display().to_string();
    Ok((
        Source {
            name: name.clone(),
            text,
        },
        name,
    ))
}

/// Reads a file up to a limit, and one byte more where there is more.
pub(crate) fn read_file(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    limited(std::fs::File::open(path)?, limit)
}

/// One byte more than the limit is enough to tell that there is too much.
fn limited(reader: impl io::Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    reader.take(limit as u64 + 1).read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_too_large_is_not_read_to_its_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("large.yaml");
        let file = std::fs::File::create(&path).unwrap();
        // It takes no room on the disk.
        file.set_len(100_000_000_000).unwrap();

        assert_eq!(read_file(&path, 1000).unwrap().len(), 1001);
        assert_eq!(limited(&b"abc"[..], 3).unwrap(), b"abc");
        assert!(read_file(directory.path(), 3).is_err());
    }
}
