//! Restarts the engines of managers whose configuration has changed: one at a time, the leader
//! last, each followed by a health gate.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use phase::{
    Assembly, Context, Disruption, Failure, HostId, Known, Look, Meeting, Patience, Plan, Step,
    wait_until,
};
use rig::Host;
use rig::command::{Command, Effect};
use serde::Serialize;

use crate::mke::cluster::{Cluster, Mke, summarise};
use crate::mke::domain::MkeDomain;
use crate::mke::facts::{EngineState, Facts};
use crate::mke::failure::explain_or;
use crate::mke::health;
use crate::mke::phase::gather_facts::gather;
use crate::mke::shared::Shared;

/// How long a restart may take: nested containers that ignore SIGTERM hold it up by 10 s each.
const RESTART: Duration = Duration::from_secs(300);

const RESTART_SCRIPT: &str = r#"
set -eu
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl reset-failed docker.service 2>/dev/null || true
  systemctl enable --quiet docker.service
  systemctl restart docker.service || {
    journalctl -u docker.service -n 20 --no-pager >&2
    [ "$(systemctl is-system-running)" != stopping ] || echo "the host is shutting down" >&2
    exit 1
  }
else
  rc-update add docker default >/dev/null
  rc-service docker restart
  # OpenRC has started it in the background, and does not look whether it stays.
  left=30
  until timeout 5 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; do
    left=$((left - 1))
    if [ $left -eq 0 ] || ! rc-service docker status >/dev/null 2>&1; then
      tail -n 20 /var/log/docker.log >&2
      exit 1
    fi
    sleep 1
  done
fi
"#;

/// Restarts the engines of managers.
pub struct RestartMcr;

/// Restart the engine.
#[derive(Debug, Serialize)]
pub struct RestartEngine;

impl fmt::Display for RestartEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("restart the container engine")
    }
}

/// Returns why the engine of a host has to be restarted, if it has to.
pub fn why_restart(facts: &Facts) -> Option<String> {
    match &facts.engine.state {
        EngineState::Running if facts.engine.needs_restart => {
            Some("its configuration has changed since it was started".to_owned())
        }
        EngineState::Silent(said) => Some(format!("it does not answer: {said}")),
        EngineState::Running | EngineState::Absent => None,
    }
}

/// Writes what a restart leads to.
pub fn predict_restart(facts: &mut Facts) {
    facts.engine.needs_restart = false;
    facts.engine.started = Some(Known::AfterApply);
    if facts.engine.state != EngineState::Running {
        facts.engine.state = EngineState::Running;
        facts.engine.version = Some(Known::AfterApply);
    }
}

/// Restarts the engine of a host and waits until it answers.
///
/// # Errors
///
/// Fails where the service does not start, with the last lines of its journal.
pub async fn restart(cx: &Context<MkeDomain>, id: HostId) -> Result<Facts, Failure> {
    let host: &Host = cx.shared.host(id)?;
    let command = Command::script(RESTART_SCRIPT, Effect::Change)
        .title("restart the engine")
        .timeout(RESTART)
        .elevated();
    host.run(command).await.map_err(|error| {
        let said = error.exited().map_or("", |(_, _, stderr)| stderr);
        explain_or("the engine does not start", &error, next_move(said))
    })?;
    let what = "the engine answering";
    wait_until(what, Patience::until(RESTART), || async {
        let facts = gather(cx, id).await?;
        Ok(match &facts.engine.state {
            EngineState::Running if facts.swarm.state != "pending" => Look::Done(facts),
            EngineState::Running => Look::NotYet("the node is coming back to its swarm".to_owned()),
            EngineState::Silent(said) => Look::NotYet(said.clone()),
            EngineState::Absent => Look::NotYet("there is no engine".to_owned()),
        })
    })
    .await
}

/// Returns what to do about an engine that does not start, from what was printed about it.
fn next_move(said: &str) -> &'static str {
    if said.contains("the host is shutting down") {
        "wait until the host is back, then run again"
    } else if said.contains(" is masked") {
        "run `systemctl unmask docker.service` on the host, then run again"
    } else {
        "check `mcrConfig` of this host against the lines of the journal above"
    }
}

/// Takes new facts over without what only this run knows.
pub fn take_over(facts: &mut Facts, seen: Facts) {
    let (images_pulled, logged_in) = (facts.images_pulled, facts.logged_in);
    let labels_set = std::mem::take(&mut facts.labels_set);
    *facts = seen;
    facts.images_pulled = images_pulled;
    facts.logged_in = logged_in;
    facts.labels_set = labels_set;
}

#[async_trait]
impl Meeting<MkeDomain> for RestartMcr {
    type Change = RestartEngine;

    fn id(&self) -> &'static str {
        "restart-mcr"
    }

    fn title(&self) -> &'static str {
        "Restart Mirantis Container Runtime on the managers"
    }

    fn invites(&self, shared: &Shared, _: &Cluster) -> Vec<HostId> {
        shared.managers()
    }

    fn plan(&self, assembly: &Assembly<MkeDomain>) -> Plan<RestartEngine> {
        let mut steps: Vec<Step<RestartEngine>> = assembly
            .hosts
            .iter()
            .filter_map(|(&host, facts)| why_restart(facts).map(|why| (host, why)))
            .map(|(host, why)| Step {
                host,
                change: RestartEngine,
                why,
                disruption: Disruption::Restart,
            })
            .collect();
        // The raft leader is always the last manager to be disturbed.
        steps.sort_by_key(|step| {
            assembly
                .hosts
                .get(&step.host)
                .is_some_and(|facts| facts.swarm.is_leader)
        });
        Plan::steps_or_skip(
            steps,
            "the engine of every manager runs with its configuration",
        )
    }

    fn predict(&self, step: &Step<&RestartEngine>, assembly: &mut Assembly<MkeDomain>) {
        assembly.cluster.is_disturbed = true;
        if let Some(facts) = assembly.hosts.get_mut(&step.host) {
            predict_restart(facts);
        }
    }

    async fn run(
        &self,
        cx: &Context<MkeDomain>,
        step: &Step<&RestartEngine>,
        assembly: &mut Assembly<MkeDomain>,
    ) -> Result<(), Failure> {
        assembly.cluster.is_disturbed = true;
        let seen = restart(cx, step.host).await?;
        let in_swarm = seen.swarm.is_manager;
        if let Some(facts) = assembly.hosts.get_mut(&step.host) {
            take_over(facts, seen);
        }
        if in_swarm {
            health::gate(cx, step.host, assembly).await?;
        }
        if assembly.cluster.mke == Mke::Unknown {
            summarise(&cx.shared, &assembly.hosts, &mut assembly.cluster);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_move_follows_from_what_was_printed() {
        // Printed by systemd 252 and the script.
        let masked = "Failed to enable unit: Unit file /etc/systemd/system/docker.service is \
                      masked.\n";
        let broken = "dockerd[2710]: unable to configure the Docker daemon with file\n";

        assert!(next_move(masked).contains("unmask"));
        assert!(next_move("the host is shutting down\n").contains("is back"));
        assert!(next_move(broken).contains("mcrConfig"));
    }
}
