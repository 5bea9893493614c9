//! Joins managers to the swarm, strictly one at a time, each followed by a health gate.

use std::fmt;

use async_trait::async_trait;
use phase::{Assembly, Context, Disruption, Failure, HostId, Known, Meeting, Plan, Step};
use serde::Serialize;

use crate::mke::cluster::Cluster;
use crate::mke::domain::MkeDomain;
use crate::mke::health;
use crate::mke::shared::Shared;
use crate::mke::swarm::{join, join_tokens};

/// Joins managers.
pub struct JoinManagers;

/// Join the swarm as a manager.
#[derive(Debug, Serialize)]
pub struct JoinAsManager {
    /// The address by which the host is known in the swarm, with its port.
    pub advertise: String,
}

impl fmt::Display for JoinAsManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "join the swarm as a manager, at {}", self.advertise)
    }
}

#[async_trait]
impl Meeting<MkeDomain> for JoinManagers {
    type Change = JoinAsManager;

    fn id(&self) -> &'static str {
        "join-managers"
    }

    fn title(&self) -> &'static str {
        "Join managers to swarm"
    }

    fn invites(&self, shared: &Shared, _: &Cluster) -> Vec<HostId> {
        shared.managers()
    }

    fn plan(&self, assembly: &Assembly<MkeDomain>) -> Plan<JoinAsManager> {
        let steps = assembly
            .hosts
            .iter()
            .filter(|(_, facts)| !facts.swarm.is_member())
            .map(|(&host, facts)| Step {
                host,
                change: JoinAsManager {
                    advertise: assembly.shared.swarm_address(host, facts),
                },
                why: "the host is not in the swarm".to_owned(),
                disruption: Disruption::Live,
            })
            .collect();
        Plan::steps_or_skip(steps, "every manager is in the swarm")
    }

    fn predict(&self, step: &Step<&JoinAsManager>, assembly: &mut Assembly<MkeDomain>) {
        assembly.cluster.is_disturbed = true;
        if let Some(facts) = assembly.hosts.get_mut(&step.host) {
            facts.swarm.state = "active".to_owned();
            facts.swarm.is_manager = true;
            facts.swarm.node_id = Some(Known::AfterApply);
            facts.swarm.cluster_id = Some(Known::AfterApply);
        }
    }

    async fn run(
        &self,
        cx: &Context<MkeDomain>,
        step: &Step<&JoinAsManager>,
        assembly: &mut Assembly<MkeDomain>,
    ) -> Result<(), Failure> {
        let leader = assembly
            .cluster
            .leader
            .ok_or_else(|| Failure::new("there is no swarm to join"))?;
        let address = assembly.cluster.join_address.clone().unwrap_or_default();
        let token = join_tokens(cx, leader).await?.manager.clone();
        let host = cx.shared.host(step.host)?;
        assembly.cluster.is_disturbed = true;
        if let Some(facts) = assembly.hosts.get_mut(&step.host) {
            join(host, &token, &step.change.advertise, &address, facts).await?;
        }
        health::gate(cx, step.host, assembly).await
    }
}
