//! Removes the engine from a host; its data goes only with `mcr.prune`.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use configurer::action::Action;
use configurer::{carry_out, daemon_json, mcr};
use phase::{Context, Disruption, Failure, HostId, HostPhase, HostView, Plan};
use serde::Serialize;

use crate::mke::cluster::Cluster;
use crate::mke::domain::MkeDomain;
use crate::mke::facts::{Engine, EngineState, Facts, Files};
use crate::mke::failure::explain_action;
use crate::mke::phase::gather_facts::gather;
use crate::mke::phase::restart_mcr::take_over;

/// How long stopping the engine may take: each container that ignores SIGTERM holds it up by 10 s.
const STOP_LIMIT: Duration = Duration::from_secs(300);

/// Stops the engine. With $1 `prune` its networks and data go while it can still do that itself.
const STOP: &str = r#"
if [ "$1" = prune ]; then
  containers=$(timeout 60 docker ps -aq 2>/dev/null)
  [ -z "$containers" ] || timeout 200 docker rm -f $containers >/dev/null 2>&1
fi
if [ -d /run/systemd/system ]; then
  for unit in docker.socket docker.service containerd.service; do
    systemctl cat "$unit" >/dev/null 2>&1 || continue
    systemctl stop "$unit" || exit 1
  done
  systemctl reset-failed docker.service 2>/dev/null || true
elif command -v rc-service >/dev/null; then
  rc-update del docker default >/dev/null 2>&1 || true
  ! rc-service --exists docker || rc-service docker stop || exit 1
fi
"#;

/// Removes what an engine leaves in the network of the host: its bridges, and the rules of its
/// packet filter. Rules of others stay as they are. Also the state of a swarm that could not be
/// left, as no engine answered: the node would come back to it. $1 directory of the data.
const REMOVE_TRACES: &str = r#"
for bridge in docker0 docker_gwbridge; do
  [ ! -e "/sys/class/net/$bridge" ] || ip link delete "$bridge" 2>/dev/null || true
done
for tool in iptables ip6tables; do
  command -v $tool-save >/dev/null && command -v $tool-restore >/dev/null || continue
  rules=$($tool-save 2>/dev/null) || continue
  case $rules in *DOCKER*|*docker0*|*docker_gwbridge*) ;; *) continue ;; esac
  # Not `DOCKER_OUTPUT` and its like: by them a host that is itself a container resolves names.
  printf '%s\n' "$rules" |
    grep -vE '(^|[ :])DOCKER(-[A-Z0-9-]+)?( |$)|docker0|docker_gwbridge' | $tool-restore || true
done
[ ! -d "$1/image" ] || rm -rf -- "$1/swarm"
rm -f /run/docker.pid /run/docker-ssd.pid /run/docker.sock
"#;

/// Removes the data of the engine and of MKE. $1 directory of the engine's data, $2 `containerd`
/// where that goes along: somebody else's stays.
///
/// Nothing but the well-known places, and only what looks like the data of an engine and is no
/// place of the system. What lies beside a directory that somebody chose is not touched.
const PRUNE: &str = r#"
set -u
refuse() { echo "refusing to remove the data directory '$1': $2" >&2; exit 1; }
data=$(readlink -m -- "$1") || refuse "$1" 'its path cannot be resolved'
case $data in
  /|/bin|/bin/*|/boot|/boot/*|/dev|/dev/*|/etc|/etc/*|/home|/lib|/lib/*|/lib32|/lib64|/media|/mnt|/opt|\
  /proc|/proc/*|/root|/run|/sbin|/sbin/*|/srv|/sys|/sys/*|/tmp|/usr|/usr/*|/var|/var/cache|/var/lib|\
  /var/log|/var/log/*|/var/run|/var/spool|/var/tmp) refuse "$data" 'it is a directory of the system' ;;
esac
is_engine_data() {
  for name in containers image volumes network swarm buildkit overlay2; do
    [ ! -d "$data/$name" ] || return 0
  done
  [ -z "$(ls -A -- "$data" 2>/dev/null)" ]
}
is_engine_data || refuse "$data" 'it holds no data of an engine'
containerd=$2
set -- "$data"
umount /run/docker/netns/* 2>/dev/null
grep -F " $1/" /proc/mounts | cut -d' ' -f2 | sort -r | while read -r mount; do umount -l "$mount"; done
remove() {
  [ -e "$1" ] || return 0
  if mountpoint -q "$1" 2>/dev/null; then
    find "$1" -xdev -mindepth 1 -delete
  else
    rm -rf -- "$1"
  fi
}
remove "$1"
for name in $containerd cri-dockerd kubelet; do remove "/var/lib/$name"; done
remove /run/docker
[ -z "$containerd" ] || remove /run/containerd
rm -f /run/cri-dockerd-mke.sock /run/docker.sock
if [ -e /lib/systemd/system/cri-dockerd-mke.service ]; then
  systemctl disable --quiet --now cri-dockerd-mke.service cri-dockerd-mke.socket 2>/dev/null || true
  rm -f /lib/systemd/system/cri-dockerd-mke.service /lib/systemd/system/cri-dockerd-mke.socket
fi
[ -d /run/systemd/system ] || rm -f /var/log/docker.log
rm -f /etc/docker/daemon.json /etc/docker/key.json
rmdir /etc/docker 2>/dev/null || true
"#;

/// Lets systemd forget the units that are gone: packages leave them masked and wanted. Also the
/// directories that an engine makes when it is started, where they are empty.
const FORGET_UNITS: &str = r#"
rmdir /etc/cni/net.d /etc/cni /opt/containerd/bin /opt/containerd/lib /opt/containerd 2>/dev/null
[ -d /run/systemd/system ] || exit 0
for unit in docker.service docker.socket containerd.service; do
  [ ! -e "/lib/systemd/system/$unit" ] && [ ! -e "/usr/lib/systemd/system/$unit" ] || continue
  if [ "$(readlink "/etc/systemd/system/$unit")" = /dev/null ]; then rm -f "/etc/systemd/system/$unit"; fi
  rm -f "/etc/systemd/system/multi-user.target.wants/$unit" "/etc/systemd/system/sockets.target.wants/$unit"
done
rmdir /etc/systemd/system/sockets.target.wants 2>/dev/null
systemctl daemon-reload
systemctl reset-failed docker.service docker.socket containerd.service 2>/dev/null || true
"#;

/// Removes the engine.
pub struct UninstallMcr;

/// Remove the engine.
#[derive(Debug, Serialize)]
pub struct RemoveEngine {
    /// Whether its data and configuration go, too.
    pub prune: bool,
}

impl fmt::Display for RemoveEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.prune {
            "remove the container engine, its data and its configuration"
        } else {
            "remove the container engine, and keep its data"
        })
    }
}

fn has_packages(facts: &Facts) -> bool {
    let ours = ["docker-ee", "docker-ee-cli"];
    ours.iter().any(|name| facts.packages.contains_key(*name))
        || facts
            .owned
            .packages
            .iter()
            .any(|name| facts.packages.contains_key(name))
        || !facts.broken_packages.is_empty()
}

/// Returns the directory of the engine's data.
fn data_directory(facts: &Facts) -> String {
    let configured = || {
        let text = facts.texts.daemon_json.as_deref()?;
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        value
            .get("data-root")
            .and_then(serde_json::Value::as_str)
            .map(str::to_owned)
    };
    facts
        .engine
        .root_dir
        .clone()
        .or_else(configured)
        .unwrap_or_else(|| "/var/lib/docker".to_owned())
}

#[async_trait]
impl HostPhase<MkeDomain> for UninstallMcr {
    type Change = RemoveEngine;

    fn id(&self) -> &'static str {
        "uninstall-mcr"
    }

    fn title(&self) -> &'static str {
        "Uninstall Mirantis Container Runtime from the hosts"
    }

    fn plan(&self, view: &HostView<'_, MkeDomain>) -> Plan<RemoveEngine> {
        let facts = view.facts;
        let prune = view.shared.config.mcr.prune;
        let has_data = prune && (facts.has_engine_data || facts.files.daemon_json.is_some());
        // A record of our packages without the packages: an earlier reset has stopped half way.
        let is_half_way = !facts.owned.packages.is_empty();
        let is_gone = facts.engine.state == EngineState::Absent && !has_packages(facts);
        if is_gone && !has_data && !is_half_way {
            return Plan::skip("no host has an engine");
        }
        let change = RemoveEngine { prune };
        Plan::step(
            view.host,
            change,
            "the cluster is reset",
            Disruption::Destroy,
        )
    }

    fn predict(&self, _: &HostView<'_, MkeDomain>, change: &RemoveEngine, facts: &mut Facts) {
        facts.engine = Engine::default();
        facts.swarm = crate::mke::facts::Swarm::default();
        facts.broken_packages.clear();
        facts.packages.retain(|name, _| {
            !["docker-ee", "docker-ee-cli"].contains(&name.as_str())
                && !facts.owned.packages.contains(name)
        });
        facts.owned.packages.clear();
        if change.prune {
            facts.has_engine_data = false;
            facts.files = Files {
                daemon_json: None,
                ..facts.files.clone()
            };
            facts.texts.daemon_json = None;
            facts.owned.daemon_json.clear();
        }
    }

    async fn run(
        &self,
        cx: &Context<MkeDomain>,
        _cluster: &Cluster,
        id: HostId,
        change: &RemoveEngine,
        facts: &mut Facts,
    ) -> Result<(), Failure> {
        let selection = cx
            .shared
            .selection(facts)
            .map_err(|error| Failure::new("cannot remove the engine").caused_by(&error))?;
        let data = data_directory(facts);
        let with = |title, text: &str, arguments: Vec<String>, limit| Action::Script {
            title,
            text: text.to_owned(),
            arguments,
            limit,
        };
        let prune = if change.prune { "prune" } else { "keep" };
        let short = Duration::from_secs(120);
        let mut owned = facts.owned.clone();
        let mut actions = vec![
            with("stop the engine", STOP, vec![prune.to_owned()], STOP_LIMIT),
            mcr::remove(&selection, &owned, change.prune),
            with(
                "remove the engine's networks",
                REMOVE_TRACES,
                vec![data.clone()],
                short,
            ),
        ];
        let containerd = owned.packages.contains("containerd.io");
        owned.packages.clear();
        if change.prune {
            let containerd = if containerd { "containerd" } else { "" };
            actions.push(with(
                "remove the engine's data",
                PRUNE,
                vec![data, containerd.to_owned()],
                STOP_LIMIT,
            ));
            owned.daemon_json.clear();
            owned.files.remove(daemon_json::PATH);
        }
        actions.push(Action::script(
            "let systemd read its units again",
            FORGET_UNITS,
            short,
        ));
        if owned != facts.owned {
            actions.push(owned.record());
        }
        let host = cx.shared.host(id)?;
        for action in &actions {
            cx.progress(id, action.what());
            carry_out(host, std::slice::from_ref(action))
                .await
                .map_err(|error| explain_action(&error))?;
        }
        take_over(facts, gather(cx, id).await?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    /// Runs the guard of the script that removes data, and nothing behind it.
    fn is_refused(directory: &str) -> bool {
        let guard = PRUNE.split("containerd=$2").next().unwrap();
        let ended = Command::new("/bin/sh")
            .args(["-c", guard, "sh", directory])
            .stderr(Stdio::null())
            .status();
        !ended.unwrap().success()
    }

    #[test]
    fn directories_of_the_system_are_never_removed() {
        for directory in [
            "/",
            "/usr/lib",
            "/var/../etc/x",
            "/var/lib",
            "/home",
            "relative/../../../../../../etc",
        ] {
            assert!(is_refused(directory), "{directory}");
        }
    }

    #[test]
    fn only_what_looks_like_an_engines_data_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_str().unwrap().to_owned();
        std::fs::write(directory.path().join("thesis.tex"), "years of work").unwrap();
        assert!(is_refused(&path));
        std::fs::create_dir(directory.path().join("overlay2")).unwrap();
        assert!(!is_refused(&path));
    }

    #[test]
    fn the_data_directory_is_the_engines_own_or_the_configured_one() {
        let mut facts = Facts::default();
        assert_eq!(data_directory(&facts), "/var/lib/docker");
        facts.texts.daemon_json = Some("{\"data-root\": \"/data/docker\"}".to_owned());
        assert_eq!(data_directory(&facts), "/data/docker");
        facts.engine.root_dir = Some("/mnt/docker".to_owned());
        assert_eq!(data_directory(&facts), "/mnt/docker");
    }
}
