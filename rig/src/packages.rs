//! Packages of a host: apt, dnf or yum, zypper.
//!
//! Every script waits for the locks of other package managers with a deadline of its own, asks
//! nothing, and says what it waits for.

use std::time::Duration;

use crate::command::{Command, Effect};
use crate::host::{CommandError, Host};

/// How long an installation may take.
const LIMIT: Duration = Duration::from_secs(60 * 60);

/// A package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Manager {
    /// Debian and its children.
    Apt,
    /// RHEL and its children: dnf, else yum.
    Dnf,
    /// SLES.
    Zypper,
}

/// Refreshes the index. `apt-get update` has a lock of its own on its lists, which
/// `DPkg::Lock::Timeout` does not cover.
const APT_UPDATE: &str = r#"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
left=300
while :; do
  said=$(apt-get update -q 2>&1) && exit 0
  status=$?
  case $said in
    *'Could not get lock'*|*'is held by process'*|*'Unable to lock'*) ;;
    *) printf '%s\n' "$said" >&2; exit $status ;;
  esac
  if [ $left -le 0 ]; then printf '%s\n' "$said" >&2; exit $status; fi
  left=$((left - 2))
  sleep 2
done
"#;

/// Installs packages (`name` or `name=version`). An interrupted dpkg is brought to its end first.
const APT_INSTALL: &str = r#"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
if [ -n "$(dpkg --audit 2>/dev/null)" ]; then dpkg --configure -a >&2 || exit 1; fi
exec apt-get install -y -q -o DPkg::Lock::Timeout=300 \
  -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
"#;

const APT_REMOVE: &str = r#"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
if [ -n "$(dpkg --audit 2>/dev/null)" ]; then dpkg --configure -a >&2 || exit 1; fi
for name in "$@"; do
  shift
  case $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) in
    ''|not-installed) ;;
    *) set -- "$@" "$name" ;;
  esac
done
[ $# -gt 0 ] || exit 0
exec apt-get purge -y -q -o DPkg::Lock::Timeout=300 "$@"
"#;

const DNF: &str = "tool=$(command -v dnf || command -v yum) || { echo 'neither dnf nor yum is \
                   there' >&2; exit 1; }\n";

const DNF_INSTALL: &str = "exec \"$tool\" install -y -q \"$@\"\n";

const DNF_REMOVE: &str = r#"
for name in "$@"; do
  shift
  if rpm -q "$name" >/dev/null 2>&1; then set -- "$@" "$name"; fi
done
[ $# -gt 0 ] || exit 0
exec "$tool" remove -y -q "$@"
"#;

const DNF_UPDATE: &str = "exec \"$tool\" makecache -q\n";

/// zypper gives up at once where another one runs (status 7): wait for it.
const ZYPPER: &str = r#"
ZYPP_LOCK_TIMEOUT=300
export ZYPP_LOCK_TIMEOUT
"#;

const ZYPPER_INSTALL: &str =
    "exec zypper --non-interactive --quiet install --auto-agree-with-licenses -- \"$@\"\n";

const ZYPPER_REMOVE: &str = r#"
for name in "$@"; do
  shift
  if rpm -q "$name" >/dev/null 2>&1; then set -- "$@" "$name"; fi
done
[ $# -gt 0 ] || exit 0
exec zypper --non-interactive --quiet remove --clean-deps -- "$@"
"#;

const ZYPPER_UPDATE: &str = "exec zypper --non-interactive --quiet refresh\n";

/// Returns the script that refreshes the index.
pub fn refresh_script(manager: Manager) -> String {
    match manager {
        Manager::Apt => APT_UPDATE.to_owned(),
        Manager::Dnf => format!("{DNF}{DNF_UPDATE}"),
        Manager::Zypper => format!("{ZYPPER}{ZYPPER_UPDATE}"),
    }
}

/// Returns the script that installs its arguments.
pub fn install_script(manager: Manager) -> String {
    match manager {
        Manager::Apt => APT_INSTALL.to_owned(),
        Manager::Dnf => format!("{DNF}{DNF_INSTALL}"),
        Manager::Zypper => format!("{ZYPPER}{ZYPPER_INSTALL}"),
    }
}

/// Returns the script that removes its arguments, where they are installed.
pub fn remove_script(manager: Manager) -> String {
    match manager {
        Manager::Apt => APT_REMOVE.to_owned(),
        Manager::Dnf => format!("{DNF}{DNF_REMOVE}"),
        Manager::Zypper => format!("{ZYPPER}{ZYPPER_REMOVE}"),
    }
}

/// The packages of a host.
#[derive(Debug, Clone, Copy)]
pub struct Packages<'a> {
    host: &'a Host,
}

impl<'a> Packages<'a> {
    pub(crate) fn new(host: &'a Host) -> Self {
        Self { host }
    }

    async fn send(
        &self,
        script: String,
        title: String,
        names: &[&str],
    ) -> Result<(), CommandError> {
        let command = Command::script(script, Effect::Change)
            .args(names.iter().copied())
            .title(title)
            .timeout(LIMIT)
            .elevated();
        self.host.run(command).await.map(drop)
    }

    /// Refreshes the index of packages.
    ///
    /// # Errors
    ///
    /// Fails where a repository cannot be reached or is not signed as it should be.
    pub async fn refresh(&self, manager: Manager) -> Result<(), CommandError> {
        self.send(
            refresh_script(manager),
            "refresh the package index".to_owned(),
            &[],
        )
        .await
    }

    /// Installs packages; those that are there already are no error.
    ///
    /// # Errors
    ///
    /// Fails where the package manager does.
    pub async fn install(&self, manager: Manager, names: &[&str]) -> Result<(), CommandError> {
        self.send(
            install_script(manager),
            format!("install {}", names.join(" ")),
            names,
        )
        .await
    }

    /// Removes packages; those that are not there are no error.
    ///
    /// # Errors
    ///
    /// Fails where the package manager does.
    pub async fn remove(&self, manager: Manager, names: &[&str]) -> Result<(), CommandError> {
        self.send(
            remove_script(manager),
            format!("remove {}", names.join(" ")),
            names,
        )
        .await
    }
}
