//! Takes every host out of the swarm: workers first, then managers one by one, the leader last.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use phase::{
    Assembly, Context, Disruption, Failure, HostId, HostPhase, HostView, Meeting, Plan, Step, Work,
};
use rig::command::{Command, Effect};
use serde::Serialize;

use crate::mke::cluster::Cluster;
use crate::mke::domain::MkeDomain;
use crate::mke::facts::{EngineState, Facts, Swarm};
use crate::mke::failure::explain;
use crate::mke::shared::Shared;
use crate::mke::swarm::read_membership;

/// Leaves; a node that has left already is well.
const LEAVE: &str = r#"
said=$(docker swarm leave --force 2>&1) && exit 0
case $said in *'not part of a swarm'*) exit 0 ;; esac
printf '%s\n' "$said" >&2
exit 1
"#;

/// Takes workers out of the swarm.
pub struct LeaveSwarm;

/// Takes managers out of the swarm, once the workers have left.
pub struct LeaveSwarmAsManagers;

/// Leave the swarm.
#[derive(Debug, Serialize)]
pub struct Leave;

impl fmt::Display for Leave {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("leave the swarm")
    }
}

/// Whether a node has to leave: also where its swarm is locked or has an error.
fn is_in(facts: &Facts) -> bool {
    facts.engine.state == EngineState::Running
        && !matches!(facts.swarm.state.as_str(), "" | "inactive")
}

fn forget(facts: &mut Facts) {
    facts.swarm = Swarm {
        state: "inactive".to_owned(),
        ..Swarm::default()
    };
    facts.nodes.clear();
}

async fn leave(cx: &Context<MkeDomain>, id: HostId, facts: &mut Facts) -> Result<(), Failure> {
    let host = cx.shared.host(id)?;
    let command = Command::script(LEAVE, Effect::Change)
        .title("docker swarm leave")
        .timeout(Duration::from_secs(180))
        .docker();
    host.run(command)
        .await
        .map_err(|error| explain("cannot leave the swarm", &error))?;
    read_membership(host, facts).await?;
    if facts.swarm.state == "inactive" {
        forget(facts);
    }
    Ok(())
}

#[async_trait]
impl HostPhase<MkeDomain> for LeaveSwarm {
    type Change = Leave;

    fn id(&self) -> &'static str {
        "leave-swarm"
    }

    fn title(&self) -> &'static str {
        "Take workers out of the swarm"
    }

    fn work(&self) -> Work {
        Work::Swarm
    }

    fn plan(&self, view: &HostView<'_, MkeDomain>) -> Plan<Leave> {
        if view.shared.is_manager(view.host) || view.facts.swarm.is_manager || !is_in(view.facts) {
            return Plan::skip("no worker is in a swarm");
        }
        Plan::step(
            view.host,
            Leave,
            "the cluster is reset",
            Disruption::Destroy,
        )
    }

    fn predict(&self, _: &HostView<'_, MkeDomain>, _: &Leave, facts: &mut Facts) {
        forget(facts);
    }

    async fn run(
        &self,
        cx: &Context<MkeDomain>,
        _cluster: &Cluster,
        id: HostId,
        _change: &Leave,
        facts: &mut Facts,
    ) -> Result<(), Failure> {
        leave(cx, id, facts).await
    }
}

#[async_trait]
impl Meeting<MkeDomain> for LeaveSwarmAsManagers {
    type Change = Leave;

    fn id(&self) -> &'static str {
        "leave-swarm-as-managers"
    }

    fn title(&self) -> &'static str {
        "Take managers out of the swarm"
    }

    /// Everybody: the workers come when they have left.
    fn invites(&self, shared: &Shared, _: &Cluster) -> Vec<HostId> {
        shared.ids().collect()
    }

    fn plan(&self, assembly: &Assembly<MkeDomain>) -> Plan<Leave> {
        let mut steps: Vec<Step<Leave>> = assembly
            .hosts
            .iter()
            .filter(|(_, facts)| is_in(facts))
            .map(|(&host, _)| Step {
                host,
                change: Leave,
                why: "the cluster is reset".to_owned(),
                disruption: Disruption::Destroy,
            })
            .collect();
        steps.sort_by_key(|step| Some(step.host) == assembly.cluster.leader);
        Plan::steps_or_skip(steps, "no manager is in a swarm")
    }

    fn predict(&self, step: &Step<&Leave>, assembly: &mut Assembly<MkeDomain>) {
        if let Some(facts) = assembly.hosts.get_mut(&step.host) {
            forget(facts);
        }
        if Some(step.host) == assembly.cluster.leader {
            assembly.cluster.swarm_id = None;
            assembly.cluster.nodes.clear();
        }
    }

    async fn run(
        &self,
        cx: &Context<MkeDomain>,
        step: &Step<&Leave>,
        assembly: &mut Assembly<MkeDomain>,
    ) -> Result<(), Failure> {
        let facts = assembly
            .hosts
            .get_mut(&step.host)
            .ok_or_else(|| Failure::new("the host is not at the meeting"))?;
        leave(cx, step.host, facts).await?;
        if Some(step.host) == assembly.cluster.leader {
            assembly.cluster.swarm_id = None;
            assembly.cluster.nodes.clear();
        }
        Ok(())
    }
}
