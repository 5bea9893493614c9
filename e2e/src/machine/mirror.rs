//! The machine's own apt mirror and settings, so that the lab asks no other source for packages.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The environment variable that names another archive of Debian.
const MIRROR: &str = "LAUNCHPAD_LAB_MIRROR";

/// Returns the archive of Debian that this machine uses.
pub(crate) fn find() -> Result<String> {
    if let Some(mirror) = std::env::var(MIRROR)
        .ok()
        .filter(|mirror| !mirror.is_empty())
    {
        return Ok(mirror);
    }
    let os_release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let field = |name: &str| {
        let line = os_release
            .lines()
            .find_map(|line| line.strip_prefix(name))?;
        Some(line.trim_matches('"').to_owned())
    };
    let codename = field("VERSION_CODENAME=").unwrap_or_default();
    if field("ID=").as_deref() == Some("debian")
        && let Some(mirror) = in_files(&codename)?
    {
        return Ok(mirror);
    }
    bail!(
        "the apt sources of this machine name no archive of Debian: \
         set {MIRROR} to the address of one (a URL ending in `/debian`)"
    );
}

fn in_files(codename: &str) -> Result<Option<String>> {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    files.extend(files_of(Path::new("/etc/apt/sources.list.d"))?);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let found = match file.extension().and_then(|extension| extension.to_str()) {
            Some("list") => in_list(&text, codename),
            Some("sources") => in_sources(&text, codename),
            _ => None,
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Returns the machine's settings of how apt downloads: proxies, retries, checks.
pub(crate) fn settings() -> Result<String> {
    let mut files = vec![PathBuf::from("/etc/apt/apt.conf")];
    files.extend(files_of(Path::new("/etc/apt/apt.conf.d"))?);
    let texts = files
        .iter()
        .map(|file| std::fs::read_to_string(file).unwrap_or_default());
    Ok(texts
        .filter(|text| text.lines().any(is_download_setting))
        .collect::<Vec<_>>()
        .join("\n"))
}

fn is_download_setting(line: &str) -> bool {
    [
        "Acquire::http",
        "Acquire::https",
        "Acquire::Check",
        "Acquire::Retries",
    ]
    .iter()
    .any(|setting| line.trim_start().starts_with(setting))
}

fn files_of(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read `{}`", dir.display()));
        }
    };
    let mut files = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<Vec<_>>>()
        .with_context(|| format!("cannot read `{}`", dir.display()))?;
    files.sort();
    Ok(files)
}

/// Finds the archive in the one-line format.
fn in_list(text: &str, codename: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let line = line.trim();
        let rest = line
            .strip_prefix("deb ")
            .or_else(|| line.strip_prefix("deb\t"))?
            .trim_start();
        let rest = match rest.strip_prefix('[') {
            Some(options) => options.split_once(']')?.1,
            None => rest,
        };
        let mut words = rest.split_whitespace();
        let (uri, suite) = (words.next()?, words.next()?);
        let is_ours = suite == codename && words.any(|component| component == "main");
        (is_ours && is_web(uri)).then(|| uri.to_owned())
    })
}

/// Finds the archive in the format of stanzas.
fn in_sources(text: &str, codename: &str) -> Option<String> {
    text.split("\n\n").find_map(|stanza| {
        let field = |name: &str| {
            let line = stanza.lines().find_map(|line| line.strip_prefix(name))?;
            Some(line.split_whitespace().collect::<Vec<_>>())
        };
        let is_off = field("Enabled:").is_some_and(|words| words.contains(&"no"));
        let is_ours = field("Types:")?.contains(&"deb")
            && field("Suites:")?.contains(&codename)
            && field("Components:")?.contains(&"main");
        let uri = field("URIs:")?.into_iter().find(|uri| is_web(uri))?;
        (is_ours && !is_off).then(|| uri.to_owned())
    })
}

fn is_web(uri: &str) -> bool {
    uri.starts_with("http://") || uri.starts_with("https://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_archive_in_a_list() {
        let text = "# a comment\n\
            deb-src http://one.example/debian bookworm main\n\
            deb [arch=amd64 signed-by=/k] http://tools.example/apt stable main\n\
            deb [signed-by=/usr/share/k.gpg] http://two.example/debian bookworm main contrib\n";

        assert_eq!(
            in_list(text, "bookworm").as_deref(),
            Some("http://two.example/debian")
        );
    }

    #[test]
    fn finds_the_archive_in_stanzas() {
        let text = "Types: deb\nURIs: https://tools.example\nSuites: nodistro\nComponents: main\n\n\
            Types: deb\nURIs: http://one.example/debian\n\
            Suites: bookworm bookworm-updates\nComponents: main\n";

        assert_eq!(
            in_sources(text, "bookworm").as_deref(),
            Some("http://one.example/debian")
        );
    }

    #[test]
    fn a_disabled_stanza_is_no_archive() {
        let text = "Types: deb\nEnabled: no\nURIs: http://one.example/debian\n\
            Suites: bookworm\nComponents: main\n";

        assert_eq!(in_sources(text, "bookworm"), None);
    }
}
