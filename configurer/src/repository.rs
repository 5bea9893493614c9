//! The package repository of the engine, and its key.

use std::time::Duration;

use rig::packages::Manager;

use crate::action::Action;
use crate::family::Selection;

/// Where the key of an apt repository is.
pub const KEYRING: &str = "/usr/share/keyrings/mirantis-archive-keyring.gpg";

/// Fetches the key and turns it into a keyring. $1 URL, $2 keyring.
///
/// Checked before it takes the place of an old one: it must be one or more public keys. What the
/// repository holds is checked against it by apt.
const APT_KEY: &str = r#"
set -eu
umask 022
temp=$(mktemp -d)
trap 'rm -rf -- "$temp"' EXIT
trap 'exit 1' HUP INT TERM
curl -fsSL --retry 3 --connect-timeout 20 --max-time 120 -o "$temp/key" "$1"
chmod 700 "$temp"
GNUPGHOME=$temp gpg --batch --quiet --no-tty --show-keys "$temp/key" > "$temp/keys" 2> "$temp/said" ||
  { echo "what $1 answers is no public key:" >&2; cat "$temp/said" >&2; exit 1; }
grep -q '^pub' "$temp/keys" || { echo "what $1 answers holds no public key" >&2; exit 1; }
if grep -q -e '-----BEGIN' "$temp/key"; then
  GNUPGHOME=$temp gpg --batch --quiet --no-tty --yes --output "$temp/keyring" --dearmor "$temp/key"
else
  mv "$temp/key" "$temp/keyring"
fi
mkdir -p "$(dirname "$2")"
install -m 0644 "$temp/keyring" "$2.launchpad-new"
mv -f "$2.launchpad-new" "$2"
"#;

/// The record of the keys that rpm did not know before: a line for each.
pub const RPM_KEYS: &str = "/var/lib/launchpad/rpm-keys";

/// Lets rpm forget keys. $1 the record of them.
pub const FORGET_RPM_KEYS: &str = r#"
[ -e "$1" ] || exit 0
while read -r key; do
  ! rpm -q "$key" >/dev/null 2>&1 || rpm -e --allmatches "$key" || exit 1
done < "$1"
"#;

/// Fetches the key and hands it to rpm. $1 URL, $2 the record of keys that it did not know before.
const RPM_KEY: &str = r#"
set -eu
umask 077
temp=$(mktemp)
trap 'rm -f -- "$temp"' EXIT
trap 'exit 1' HUP INT TERM
curl -fsSL --retry 3 --connect-timeout 20 --max-time 120 -o "$temp" "$1"
grep -q -e '-----BEGIN PGP PUBLIC KEY BLOCK-----' "$temp" || { echo "what $1 answers holds no public key" >&2; exit 1; }
before=" $(rpm -qa 'gpg-pubkey*' | tr '\n' ' ')"
rpm --import "$temp"
for key in $(rpm -qa 'gpg-pubkey*'); do
  case $before in
  *" $key "*) ;;
  *) mkdir -p -- "$(dirname -- "$2")"; echo "$key" >> "$2" ;;
  esac
done
"#;

/// The repository of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// The file that tells the package manager.
    pub path: &'static str,
    /// Its mode, octal.
    pub mode: &'static str,
    /// Its text.
    pub text: String,
    /// Where the key is to be had.
    pub key_url: String,
    /// What a host has to be able to fetch before it is worth trying: the key.
    pub probe_url: String,
}

/// Returns the repository of a host for a channel (`stable-25.0`) under a base URL.
pub fn repository(selection: &Selection, repo_url: &str, channel: &str) -> Repository {
    let base = format!(
        "{}/{}",
        repo_url.trim_end_matches('/'),
        selection.row.directory
    );
    let key_url = format!("{base}/gpg");
    let (path, text) = match selection.row.manager {
        Manager::Apt => (
            "/etc/apt/sources.list.d/mirantis.sources",
            format!(
                "Types: deb\nURIs: {base}\nSuites: {}\nArchitectures: {}\nComponents: {channel}\n\
                 Signed-by: {KEYRING}\n",
                selection.codename, selection.architecture
            ),
        ),
        Manager::Dnf => (
            "/etc/yum.repos.d/docker-ee.repo",
            format!(
                "[mirantis]\nname=Mirantis Container Runtime\n\
                 baseurl={base}/$releasever/$basearch/{channel}\nenabled=1\ngpgcheck=1\n\
                 gpgkey={key_url}\n"
            ),
        ),
        Manager::Zypper => (
            "/etc/zypp/repos.d/mirantis.repo",
            format!(
                "[mirantis]\nname=mirantis\nenabled=1\nautorefresh=1\n\
                 baseurl={base}/$releasever_major/$basearch/{channel}\ntype=rpm-md\ngpgcheck=1\n\
                 gpgkey={key_url}\n"
            ),
        ),
    };
    Repository {
        path,
        mode: "0644",
        text,
        probe_url: key_url.clone(),
        key_url,
    }
}

impl Repository {
    /// Returns what makes the host know the repository and trust its key.
    pub fn actions(&self, manager: Manager) -> Vec<Action> {
        let limit = Duration::from_secs(600);
        let (text, arguments) = match manager {
            Manager::Apt => (APT_KEY, vec![self.key_url.clone(), KEYRING.to_owned()]),
            Manager::Dnf | Manager::Zypper => {
                (RPM_KEY, vec![self.key_url.clone(), RPM_KEYS.to_owned()])
            }
        };
        vec![
            Action::Script {
                title: "fetch the key of the package repository",
                text: text.to_owned(),
                arguments,
                limit,
            },
            Action::write(self.path, self.mode, &self.text),
        ]
    }
}

/// Returns the channel that a repository file names.
pub fn channel_of(text: &str) -> Option<&str> {
    text.lines().map(str::trim).find_map(|line| {
        if let Some(components) = line.strip_prefix("Components:") {
            return components.split_whitespace().next();
        }
        if let Some(url) = line.strip_prefix("baseurl=") {
            return url
                .trim_end_matches('/')
                .rsplit('/')
                .next()
                .filter(|name| !name.is_empty());
        }
        // One line per repository, as older versions of apt have it.
        let rest = line.strip_prefix("deb ")?;
        rest.split_whitespace().next_back()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family::select;

    fn of(id: &str, version: &str) -> Repository {
        let text = format!("ID={id}\nVERSION_ID={version}\nVERSION_CODENAME=jammy\n");
        let selection = select(&text, "aarch64").unwrap();
        repository(&selection, "https://repos.mirantis.com/", "stable-25.0")
    }

    #[test]
    fn an_apt_repository_names_code_name_architecture_and_channel() {
        let repository = of("ubuntu", "22.04");

        assert_eq!(
            repository.text,
            "Types: deb\nURIs: https://repos.mirantis.com/ubuntu\nSuites: jammy\n\
             Architectures: arm64\nComponents: stable-25.0\n\
             Signed-by: /usr/share/keyrings/mirantis-archive-keyring.gpg\n"
        );
        assert_eq!(repository.key_url, "https://repos.mirantis.com/ubuntu/gpg");
    }

    #[test]
    fn oracle_linux_has_a_directory_of_another_name() {
        assert_eq!(
            of("ol", "9.4").text,
            "[mirantis]\nname=Mirantis Container Runtime\n\
             baseurl=https://repos.mirantis.com/oraclelinux/$releasever/$basearch/stable-25.0\n\
             enabled=1\ngpgcheck=1\ngpgkey=https://repos.mirantis.com/oraclelinux/gpg\n"
        );
    }

    #[test]
    fn every_repository_file_tells_its_channel() {
        for (id, version) in [("ubuntu", "22.04"), ("rhel", "9.4"), ("sles", "15.5")] {
            assert_eq!(
                channel_of(&of(id, version).text),
                Some("stable-25.0"),
                "{id}"
            );
        }
        let line = "deb [arch=amd64] https://repos.mirantis.com/ubuntu jammy stable-20.10";
        assert_eq!(channel_of(line), Some("stable-20.10"));
        assert_eq!(channel_of("# nothing"), None);
    }
}
