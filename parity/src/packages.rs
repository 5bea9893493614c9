//! The packages of the hosts with rpm: what is installed at first, and what repositories offer. What the
//! words mean is told at the head of the table, `fleet/tests/parity/packages.txt`.

use anyhow::{Context, Result, bail};

/// A package of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// `[EPOCH:]VERSION-RELEASE`.
    pub version: String,
    /// `x86_64` or `noarch`.
    pub architecture: String,
    /// `installed`, `base`, or a channel of the engine.
    pub place: String,
    /// What it is, in one line.
    pub summary: String,
    /// Its licence.
    pub license: String,
    /// What it provides besides its name.
    pub provides: Vec<String>,
    /// What it needs.
    pub requires: Vec<String>,
    /// What it cannot be beside.
    pub conflicts: Vec<String>,
    /// What it takes the place of.
    pub obsoletes: Vec<String>,
    /// Its files.
    pub files: Vec<File>,
    /// `pre`, `post`, `preun` or `postun`, and the text.
    pub scripts: Vec<(String, String)>,
    /// How large the archive is, and what is in it.
    pub size: Option<(u64, u64)>,
}

/// A file of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it is.
    pub path: String,
    /// Whether it is one that users change.
    pub is_configuration: bool,
}

impl Package {
    /// Reads the packages that are there for a state.
    ///
    /// # Errors
    ///
    /// Fails where a line has a word that the head of the table does not know.
    pub fn read_all(table: &str, state: &str) -> Result<Vec<Self>> {
        let table = table.replace("{dist}", state);
        let blocks = table
            .split("\n\n")
            .filter(|block| block.starts_with("package "));
        let packages: Vec<Option<Self>> = blocks
            .map(|block| parse(block, state))
            .collect::<Result<_>>()?;
        Ok(packages.into_iter().flatten().collect())
    }

    /// Returns the epoch, the version and the release.
    #[must_use]
    pub fn evr(&self) -> (Option<&str>, &str, &str) {
        let (epoch, rest) = match self.version.split_once(':') {
            Some((epoch, rest)) => (Some(epoch), rest),
            None => (None, self.version.as_str()),
        };
        let (version, release) = rest.rsplit_once('-').unwrap_or((rest, ""));
        (epoch, version, release)
    }

    /// Returns what is in each of its files.
    #[must_use]
    pub fn content(&self) -> String {
        format!("{}-{}\n", self.name, self.evr().1)
    }
}

impl File {
    /// Returns the permissions.
    #[must_use]
    pub fn mode(&self) -> u32 {
        let is_text = self.path.starts_with("/etc/") || self.path.contains("/share/");
        if is_text { 0o644 } else { 0o755 }
    }
}

/// Reads a block; there is nothing where it is for another state.
fn parse(block: &str, state: &str) -> Result<Option<Package>> {
    let mut package = Package::default();
    for line in block.lines() {
        let cannot = || format!("cannot read `{line}` in the table of packages");
        let (word, value) = line.split_once(' ').with_context(cannot)?;
        match word {
            "package" => {
                let mut words = value.splitn(3, ' ').map(str::to_owned);
                let mut next = || words.next().with_context(cannot);
                (package.name, package.version, package.architecture) = (next()?, next()?, next()?);
            }
            "where" => value.clone_into(&mut package.place),
            "system" if value != state => return Ok(None),
            "system" => {}
            "summary" => value.clone_into(&mut package.summary),
            "license" => value.clone_into(&mut package.license),
            "provides" => package.provides.push(value.to_owned()),
            "requires" => package.requires.push(value.to_owned()),
            "conflicts" => package.conflicts.push(value.to_owned()),
            "obsoletes" => package.obsoletes.push(value.to_owned()),
            "file" | "config" => package.files.push(File {
                path: value.to_owned(),
                is_configuration: word == "config",
            }),
            "script" => {
                let (name, text) = value.split_once(' ').with_context(cannot)?;
                package.scripts.push((name.to_owned(), format!("{text}\n")));
            }
            "size" => {
                let words: Vec<&str> = value.split(' ').collect();
                let [of, archive, installed] = words[..] else {
                    bail!(cannot());
                };
                if of == state {
                    let number = |text: &str| text.parse().with_context(cannot);
                    package.size = Some((number(archive)?, number(installed)?));
                }
            }
            _ => bail!(cannot()),
        }
    }
    Ok(Some(package))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "# words\n\n\
        package tool 2:1.0~rc1-1.{dist} noarch\nwhere base\nsummary A tool\nlicense MIT\n\
        requires /bin/sh\nfile /usr/bin/tool\nconfig /etc/tool.conf\nscript post echo \"$1\"\n\
        size el9 100 9\nsize sles15 200 9\n\n\
        package other 1-1 x86_64\nwhere installed\nsystem sles15\n";

    #[test]
    fn a_package_is_read_for_a_state() {
        let packages = Package::read_all(TABLE, "el9").unwrap();

        assert_eq!(packages.len(), 1);
        let tool = &packages[0];
        assert_eq!(tool.evr(), (Some("2"), "1.0~rc1", "1.el9"));
        assert_eq!(tool.content(), "tool-1.0~rc1\n");
        assert_eq!(tool.size, Some((100, 9)));
        assert_eq!(
            tool.scripts,
            [("post".to_owned(), "echo \"$1\"\n".to_owned())]
        );
        let modes: Vec<u32> = tool.files.iter().map(File::mode).collect();
        assert_eq!(modes, [0o755, 0o644]);
    }

    #[test]
    fn a_package_of_another_system_is_left_out() {
        assert_eq!(Package::read_all(TABLE, "sles15").unwrap().len(), 2);
    }

    #[test]
    fn an_unknown_word_is_refused() {
        let error = Package::read_all("package a 1-1 noarch\ncolour red\n", "el9").unwrap_err();

        assert!(error.to_string().contains("`colour red`"), "{error}");
    }
}
