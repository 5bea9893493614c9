//! A machine of texts: its environment and its files, and documents that start from a good one.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use config::{Config, Diagnostics, Loaded, Severity, Source, World, load};

/// A machine.
#[derive(Default)]
pub(crate) struct Machine {
    environment: BTreeMap<String, String>,
    files: BTreeMap<PathBuf, Vec<u8>>,
    modes: BTreeMap<PathBuf, u32>,
}

impl Machine {
    pub(crate) fn var(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn file(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.files.insert(path.into(), content.as_ref().to_vec());
        self
    }

    pub(crate) fn mode(mut self, path: &str, mode: u32) -> Self {
        self.modes.insert(path.into(), mode);
        self
    }

    pub(crate) fn load(&self, text: impl AsRef<[u8]>) -> Result<Loaded, Diagnostics> {
        let name = "launchpad.yaml".to_owned();
        let text = text.as_ref().to_vec();
        load(Source { name, text }, self)
    }

    /// Loads what has to be fine.
    #[expect(clippy::panic, reason = "a test ends here, with the whole story")]
    pub(crate) fn config(&self, text: &str) -> Config {
        match self.load(text) {
            Ok(loaded) => loaded.config,
            Err(problems) => panic!("{problems}\n\n{text}"),
        }
    }

    /// Returns the errors of what must not be fine.
    #[expect(clippy::panic, reason = "a test ends here, with the whole story")]
    pub(crate) fn problems(&self, text: impl AsRef<[u8]>) -> Diagnostics {
        match self.load(&text) {
            Ok(loaded) => panic!(
                "loaded: {:?}\n\n{}",
                loaded.config,
                String::from_utf8_lossy(text.as_ref())
            ),
            Err(mut problems) => {
                problems.items.retain(|one| one.severity == Severity::Error);
                problems
            }
        }
    }

    /// Returns errors and warnings, of what is fine and of what is not.
    pub(crate) fn findings(&self, text: impl AsRef<[u8]>) -> Diagnostics {
        match self.load(text) {
            Ok(loaded) => loaded.warnings.into(),
            Err(problems) => problems,
        }
    }
}

impl World for Machine {
    fn var(&self, name: &str) -> Option<String> {
        self.environment.get(name).cloned()
    }

    fn home(&self) -> Option<PathBuf> {
        Some(PathBuf::from("/home/me"))
    }

    fn current_dir(&self) -> PathBuf {
        PathBuf::from("/work")
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        // A path like `./a` is the same file as `a`.
        let path: PathBuf = path.components().collect();
        let found = self.files.get(&path).cloned();
        found.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn mode(&self, path: &Path) -> Option<u32> {
        let path: PathBuf = path.components().collect();
        self.modes.get(&path).copied()
    }
}

/// A document with `@HOST`, `@MCR`, `@MKE` and `@SPEC` replaced by lines.
const GOOD: &str = "\
apiVersion: launchpad.mirantis.com/mke/v1.6
kind: mke
metadata:
  name: test
spec:
  hosts:
  - role: manager
    ssh: {address: 10.0.0.1}
@HOST  mcr:
    channel: stable-25.0
@MCR  mke:
    version: 3.8.10
@MKE@SPEC";

/// Returns a good document with lines added to the host, `spec.mcr`, `spec.mke` and `spec`.
pub(crate) fn document(host: &str, mcr: &str, mke: &str, spec: &str) -> String {
    let lines = |text: &str, indent: usize| {
        let pad = " ".repeat(indent);
        let lines = text.lines().map(|line| format!("{pad}{line}\n"));
        lines.collect::<String>()
    };
    GOOD.replace("@HOST", &lines(host, 4))
        .replace("@MCR", &lines(mcr, 4))
        .replace("@MKE", &lines(mke, 4))
        .replace("@SPEC", &lines(spec, 2))
}

/// Returns the message, the line, the path and the hint of each problem.
pub(crate) fn told(problems: &Diagnostics) -> Vec<String> {
    let each = problems.items.iter().map(|one| {
        let line = one.position.map_or(0, |position| position.line);
        let path = one.path.as_deref().unwrap_or("-");
        let hint = one.hint.as_deref().unwrap_or("-");
        format!("{line}: {} | {path} | {hint}", one.message)
    });
    each.collect()
}
