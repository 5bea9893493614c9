//! Installs and removes the engine. The channel of the repository decides its version.

use std::collections::BTreeSet;
use std::time::Duration;

use rig::packages::{Manager, install_script, refresh_script};

use crate::action::Action;
use crate::family::Selection;
use crate::owned::Owned;
use crate::repository::{KEYRING, RPM_KEYS, Repository};

/// The packages of the engine, in the order in which they are installed. The command line comes
/// by name: an engine that pulls it in without a version would leave an old one in place.
pub const PACKAGES: &[&str] = &["containerd.io", "docker-ee-cli", "docker-ee"];

/// How long packages may take.
const LIMIT: Duration = Duration::from_secs(45 * 60);

/// Starts the engine with the host, and now; waits until it answers.
const START: &str = r#"
set -eu
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl unmask --quiet docker.service docker.socket containerd.service 2>/dev/null || true
  systemctl enable --quiet docker.service
  systemctl start docker.service || { journalctl -u docker.service -n 20 --no-pager >&2; exit 1; }
else
  rc-update add docker default
  rc-service docker start
fi
left=60
until timeout 10 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; do
  left=$((left - 1))
  if [ $left -le 0 ]; then
    [ -d /run/systemd/system ] || tail -n 20 /var/log/docker.log >&2
    echo 'the engine was started and does not answer' >&2
    exit 1
  fi
  sleep 1
done
"#;

/// On AWS the client of Red Hat's update infrastructure has to be current before any package can
/// be installed; elsewhere nothing happens.
const RHUI: &str = r#"
service=http://169.254.169.254/latest
token=$(curl -s -m 2 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$service/api/token" 2>/dev/null) || exit 0
if curl -s -m 2 -H "X-aws-ec2-metadata-token: $token" "$service/dynamic/instance-identity/document" 2>/dev/null |
  grep -q region; then
  tool=$(command -v dnf || command -v yum) || exit 0
  "$tool" install -y -q rh-amazon-rhui-client || true
fi
"#;

/// SLES has an engine of its own, which is in the way of this one.
const SLES_DOCKER: &str = r#"
if rpm -q docker >/dev/null 2>&1 && ! rpm -q docker-ee >/dev/null 2>&1; then
  ZYPP_LOCK_TIMEOUT=300 zypper --non-interactive --quiet remove --clean-deps docker
fi
"#;

/// Shared mounts for an engine inside a container; elsewhere they are shared already.
pub const SHARED_MOUNTS: &str = r#"
if tr '\0' '\n' < /proc/1/environ 2>/dev/null | grep -q '^container=docker'; then mount --make-rshared /; fi
"#;

/// Removes packages that are installed. $1 `remove` or `purge`, $2.. names.
const APT_REMOVE: &str = r#"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
command=$1
shift
if [ -n "$(dpkg --audit 2>/dev/null)" ]; then dpkg --configure -a >&2 || exit 1; fi
for name in "$@"; do
  shift
  status=$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)
  case $command/$status in
    */|*/not-installed|remove/config-files) ;;
    *) set -- "$@" "$name" ;;
  esac
done
[ $# -gt 0 ] || exit 0
exec apt-get "$command" -y -q -o DPkg::Lock::Timeout=300 "$@"
"#;

/// Returns the prerequisites that are not installed.
pub fn missing(selection: &Selection, installed: impl Fn(&str) -> bool) -> Vec<&'static str> {
    selection
        .row
        .prerequisites
        .iter()
        .filter(|one| !one.satisfied_by.iter().any(|name| installed(name)))
        .map(|one| one.package)
        .collect()
}

/// Returns what installs `packages` from the repositories that the host knows.
pub fn install_packages(selection: &Selection, packages: &[&str]) -> Vec<Action> {
    let manager = selection.row.manager;
    vec![
        Action::script("refresh the package index", refresh_script(manager), LIMIT),
        Action::Script {
            title: "install packages",
            text: install_script(manager),
            arguments: packages.iter().map(|name| (*name).to_owned()).collect(),
            limit: LIMIT,
        },
    ]
}

/// Returns what installs the engine and starts it. `owned` becomes what is ours afterwards.
pub fn install(
    selection: &Selection,
    repository: &Repository,
    installed: impl Fn(&str) -> bool,
    owned: &mut Owned,
) -> Vec<Action> {
    owned.files.insert(
        repository.path.to_owned(),
        crate::owned::hash(&repository.text),
    );
    owned.packages.extend(
        PACKAGES
            .iter()
            .filter(|name| !installed(name))
            .map(|name| (*name).to_owned()),
    );
    let mut actions = vec![owned.record()];
    if selection.row.id == "rhel" {
        actions.push(Action::script(
            "bring the RHUI client up to date",
            RHUI,
            LIMIT,
        ));
    }
    if selection.row.manager == Manager::Zypper {
        actions.push(Action::script(
            "remove the engine of the distribution",
            SLES_DOCKER,
            LIMIT,
        ));
    }
    actions.extend(repository.actions(selection.row.manager));
    actions.extend(install_packages(selection, PACKAGES));
    actions.push(Action::script(
        "start the engine",
        START,
        Duration::from_secs(300),
    ));
    actions
}

/// Returns what removes the packages of the engine. With `purge` their configuration files go
/// along, where the package manager keeps them.
///
/// The engine itself goes, whoever has installed it: that is what a reset is. containerd goes only
/// where we have installed it, as others may live on it.
pub fn remove(selection: &Selection, owned: &Owned, purge: bool) -> Action {
    let mut names: BTreeSet<&str> = BTreeSet::from(["docker-ee", "docker-ee-cli"]);
    names.extend(owned.packages.iter().map(String::as_str));
    let mut arguments: Vec<String> = names.into_iter().map(str::to_owned).collect();
    let text = match selection.row.manager {
        Manager::Apt => {
            arguments.insert(0, if purge { "purge" } else { "remove" }.to_owned());
            APT_REMOVE.to_owned()
        }
        manager @ (Manager::Dnf | Manager::Zypper) => rig::packages::remove_script(manager),
    };
    Action::Script {
        title: "remove the packages of the engine",
        text,
        arguments,
        limit: LIMIT,
    }
}

/// Returns the files of the repository that are ours. `text` is that of the repository's file on
/// the host: one that somebody has changed since is his.
pub fn repository_files(selection: &Selection, text: Option<&str>, owned: &Owned) -> Vec<String> {
    let mut files: Vec<String> = owned
        .files
        .keys()
        .filter(|path| path.ends_with(".sources") || path.ends_with(".repo"))
        .filter(|path| text.is_none_or(|text| owned.owns_file(path, text)))
        .cloned()
        .collect();
    if !files.is_empty() {
        let key = match selection.row.manager {
            Manager::Apt => KEYRING,
            Manager::Dnf | Manager::Zypper => RPM_KEYS,
        };
        files.push(key.to_owned());
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family::select;
    use crate::repository::repository;

    fn selection(id: &str, version: &str) -> Selection {
        let text = format!("ID={id}\nVERSION_ID={version}\nVERSION_CODENAME=jammy\n");
        select(&text, "x86_64").unwrap()
    }

    /// The actions as a transcript: titles, arguments, and the lines that call a package manager.
    fn transcript(actions: &[Action]) -> Vec<String> {
        actions
            .iter()
            .map(|action| match action {
                Action::Script {
                    title,
                    text,
                    arguments,
                    ..
                } => {
                    let calls: Vec<&str> = text
                        .lines()
                        .map(str::trim)
                        .filter(|line| {
                            [
                                "apt-get",
                                "zypper ",
                                "\"$tool\" ",
                                "rpm --import",
                                "curl -f",
                            ]
                            .iter()
                            .any(|tool| line.contains(tool))
                        })
                        .collect();
                    format!("{title} [{}] {}", arguments.join(" "), calls.join(" ; "))
                }
                other => other.what(),
            })
            .collect()
    }

    fn installing(id: &str, version: &str) -> Vec<String> {
        let selection = selection(id, version);
        let repository = repository(&selection, "https://repos.mirantis.com", "stable-25.0");
        transcript(&install(
            &selection,
            &repository,
            |_| false,
            &mut Owned::default(),
        ))
    }

    #[test]
    fn ubuntu_installs_with_apt() {
        assert_eq!(
            installing("ubuntu", "22.04"),
            [
                "write /var/lib/launchpad/owned.json",
                "fetch the key of the package repository \
                 [https://repos.mirantis.com/ubuntu/gpg \
                 /usr/share/keyrings/mirantis-archive-keyring.gpg] \
                 curl -fsSL --retry 3 --connect-timeout 20 --max-time 120 -o \"$temp/key\" \"$1\"",
                "write /etc/apt/sources.list.d/mirantis.sources",
                "refresh the package index [] said=$(apt-get update -q 2>&1) && exit 0",
                "install packages [containerd.io docker-ee-cli docker-ee] \
                 exec apt-get install -y -q -o DPkg::Lock::Timeout=300 \\",
                "start the engine [] ",
            ]
        );
    }

    #[test]
    fn el_installs_with_dnf_and_asks_rhui_on_rhel_only() {
        let rocky = installing("rocky", "9.4");

        assert_eq!(
            rocky,
            [
                "write /var/lib/launchpad/owned.json",
                "fetch the key of the package repository \
                 [https://repos.mirantis.com/rocky/gpg /var/lib/launchpad/rpm-keys] \
                 curl -fsSL --retry 3 --connect-timeout 20 --max-time 120 -o \"$temp\" \"$1\" ; \
                 rpm --import \"$temp\"",
                "write /etc/yum.repos.d/docker-ee.repo",
                "refresh the package index [] exec \"$tool\" makecache -q",
                "install packages [containerd.io docker-ee-cli docker-ee] \
                 exec \"$tool\" install -y -q \"$@\"",
                "start the engine [] ",
            ]
        );
        let rhel = installing("rhel", "9.4");
        assert_eq!(rhel.len(), rocky.len() + 1);
        assert!(rhel[1].contains("rh-amazon-rhui-client"), "{rhel:?}");
        for id in ["centos", "ol"] {
            assert_eq!(installing(id, "9").len(), rocky.len(), "{id}");
        }
    }

    #[test]
    fn sles_gets_the_engine_of_the_distribution_out_of_the_way() {
        let sles = installing("sles", "15.5");

        assert!(sles[1].contains("remove --clean-deps docker"), "{sles:?}");
        assert!(
            sles[3].contains("/etc/zypp/repos.d/mirantis.repo"),
            "{sles:?}"
        );
        assert!(
            sles[5].contains("zypper --non-interactive --quiet install"),
            "{sles:?}"
        );
    }

    #[test]
    fn what_was_there_before_is_not_ours() {
        let selection = selection("ubuntu", "22.04");
        let repository = repository(&selection, "https://repos.mirantis.com", "stable-25.0");
        let mut owned = Owned::default();
        install(
            &selection,
            &repository,
            |name| name == "containerd.io",
            &mut owned,
        );

        assert!(!owned.packages.contains("containerd.io"));
        assert!(owned.packages.contains("docker-ee"));
        let Action::Script { arguments, .. } = remove(&selection, &owned, false) else {
            panic!("removing packages is a script");
        };
        assert_eq!(arguments, ["remove", "docker-ee", "docker-ee-cli"]);
    }

    #[test]
    fn only_missing_prerequisites_are_installed() {
        let selection = selection("ubuntu", "22.04");
        let has = |name: &str| ["curl", "gpg", "iputils-ping"].contains(&name);

        assert_eq!(missing(&selection, has), ["apt-utils", "socat"]);
    }
}
