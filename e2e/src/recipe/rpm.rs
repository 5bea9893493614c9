//! Building, signing and indexing packages of rpm, in a root file system that has the tools.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use parity::Package;

use super::base::{Base, Root};
use super::keys::{Keys, SIGNER};
use crate::command::Cmd;
use crate::paths::{Paths, write};

/// What builds and indexes.
pub(super) const TOOLS: &[&str] = &["createrepo-c", "rpm"];

/// Builds all specifications below `/build/specs`. Times and the name of the machine are constants, so that
/// what `rpm -qi` says is the same everywhere.
pub(super) const BUILD: &str = r#"
set -eu
export SOURCE_DATE_EPOCH=1700000000
cd /build/specs
for place in $(find . -name '*.spec' -printf '%h\n' | sort -u); do
    mkdir -p "/build/out/$place"
    rpmbuild -bb --quiet --target x86_64 --define '_topdir /build/top' --define "_rpmdir /build/out/$place" \
        --define '_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm' \
        --define '_build_id_links none' --define 'debug_package %{nil}' --define '__os_install_post %{nil}' \
        --define '_buildhost build.lab' --define 'use_source_date_epoch_as_buildtime 1' \
        --define 'clamp_mtime_to_source_date_epoch 1' "$place"/*.spec
done
"#;

/// Signs all packages below `/build/out`. Debian's rpm looks for gpg under its old name.
pub(super) const SIGN: &str = r#"
set -eu
gpg --batch --quiet --import /build/secret.asc
find /build/out -name '*.rpm' -exec rpmsign --define '__gpg /usr/bin/gpg' --define "_gpg_name $1" \
    --define '_gpg_digest_algo sha256' --addsign {} +
gpgconf --kill gpg-agent
"#;

/// Makes a repository of the packages in a directory, and signs its index.
pub(super) const INDEX: &str = r#"
set -eu
createrepo_c --quiet "$1"
gpg --batch --yes --armor --detach-sign "$1/repodata/repomd.xml"
gpg --batch --armor --export "$2" >"$1/repodata/repomd.xml.key"
gpgconf --kill gpg-agent
"#;

/// A root file system with the tools; packages are built in its directory `build`.
pub(super) struct Workshop {
    root: Root,
}

impl Workshop {
    /// Furnishes one.
    pub(super) async fn open(base: &Base, paths: &Paths) -> Result<Self> {
        let root = base.unpack(paths, "rpms").await?;
        root.install(TOOLS).await?;
        Ok(Self { root })
    }

    /// Takes a specification; what is built of it comes to a place of that name.
    pub(super) fn add(&self, place: &str, name: &str, specification: &str) -> Result<()> {
        let dir = self.root.path("build/specs").join(place);
        write(&dir.join(format!("{name}.spec")), specification)
    }

    /// Unpacks a package of Debian, for a specification that takes its files, and says where they are.
    pub(super) async fn unpack(&self, deb: &Path, name: &str) -> Result<String> {
        let inside = format!("build/payload/{name}");
        let to = self.root.path(&inside);
        std::fs::create_dir_all(&to).with_context(|| format!("cannot create `{inside}`"))?;
        Cmd::new("dpkg-deb")
            .arg("-x")
            .arg(deb)
            .arg(to)
            .run()
            .await?;
        Ok(format!("/{inside}"))
    }

    /// Builds and signs all that was taken.
    pub(super) async fn build(&self, keys: &Keys) -> Result<()> {
        self.sh(BUILD, &[]).await?;
        let secret = self.root.path("build/secret.asc");
        std::fs::copy(keys.repository_secret(), &secret).context("cannot copy the signing key")?;
        self.sh(SIGN, &[SIGNER]).await
    }

    /// Makes a repository of what was built for a place.
    pub(super) async fn index(&self, place: &str) -> Result<()> {
        self.sh(INDEX, &[&format!("/build/out/{place}"), SIGNER])
            .await
    }

    /// Returns what was built for a place.
    pub(super) fn built(&self, place: &str) -> PathBuf {
        self.root.path("build/out").join(place)
    }

    async fn sh(&self, script: &str, arguments: &[&str]) -> Result<()> {
        self.root
            .chroot("sh")
            .args(["-c", script, "sh"])
            .args(arguments)
            .run()
            .await?;
        Ok(())
    }

    /// Removes it.
    pub(super) fn close(self) -> Result<()> {
        self.root.discard()
    }
}

/// Returns the specification of a package of the table. Its description is its summary.
pub(super) fn specification(package: &Package) -> String {
    let (epoch, version, release) = package.evr();
    let mut text = format!(
        "Name: {}\nVersion: {version}\nRelease: {release}\nSummary: {}\nLicense: {}\nVendor: Lab\n\
         URL: https://example.com/{}\nAutoReqProv: no\n",
        package.name, package.summary, package.license, package.name
    );
    let relations = [
        ("Provides", &package.provides),
        ("Requires", &package.requires),
        ("Conflicts", &package.conflicts),
        ("Obsoletes", &package.obsoletes),
    ];
    let lines = relations
        .iter()
        .flat_map(|(tag, values)| values.iter().map(move |value| (*tag, value.as_str())));
    let architecture = (package.architecture == "noarch").then_some(("BuildArch", "noarch"));
    let epoch = epoch.map(|epoch| ("Epoch", epoch));
    for (tag, value) in epoch.into_iter().chain(architecture).chain(lines) {
        let _ = writeln!(text, "{tag}: {value}");
    }
    let _ = write!(
        text,
        "\n%description\n{}.\n\n%install\nmkdir -p %{{buildroot}}\n",
        package.summary
    );
    for file in &package.files {
        let (directory, _) = file.path.rsplit_once('/').unwrap_or_default();
        let _ = writeln!(
            text,
            "mkdir -p %{{buildroot}}{directory}\ncat >%{{buildroot}}{} <<'END'\n{}END",
            file.path,
            package.content()
        );
    }
    for (name, script) in &package.scripts {
        let _ = write!(text, "\n%{name}\n{script}");
    }
    text.push_str("\n%files\n");
    for file in &package.files {
        let mark = if file.is_configuration {
            "%config(noreplace) "
        } else {
            ""
        };
        let _ = writeln!(
            text,
            "%attr({:04o},root,root) {mark}{}",
            file.mode(),
            file.path
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_of_the_table_becomes_a_specification() {
        let table = "package tool 2:1.0-1.{dist} noarch\nwhere base\nsummary A tool\nlicense MIT\n\
            requires /bin/sh\nconfig /etc/tool.conf\nscript post echo \"$1\"\n";
        let package = &Package::read_all(table, "el9").unwrap()[0];

        let text = specification(package);

        assert_eq!(
            text,
            "Name: tool\nVersion: 1.0\nRelease: 1.el9\nSummary: A tool\nLicense: MIT\nVendor: Lab\n\
             URL: https://example.com/tool\nAutoReqProv: no\nEpoch: 2\nBuildArch: noarch\n\
             Requires: /bin/sh\n\n%description\nA tool.\n\n%install\nmkdir -p %{buildroot}\n\
             mkdir -p %{buildroot}/etc\ncat >%{buildroot}/etc/tool.conf <<'END'\ntool-1.0\nEND\n\
             \n%post\necho \"$1\"\n\n%files\n\
             %attr(0644,root,root) %config(noreplace) /etc/tool.conf\n"
        );
    }
}
