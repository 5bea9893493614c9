//! Joins workers to the swarm, several at a time.

use std::fmt;

use async_trait::async_trait;
use phase::{Context, Disruption, Failure, HostId, HostPhase, HostView, Known, Plan, Work};
use serde::Serialize;

use crate::mke::cluster::Cluster;
use crate::mke::domain::MkeDomain;
use crate::mke::facts::Facts;
use crate::mke::swarm::{join, join_tokens};

/// Joins workers.
pub struct JoinWorkers;

/// Join the swarm as a worker.
#[derive(Debug, Serialize)]
pub struct JoinAsWorker {
    /// The address by which the host is known in the swarm, with its port.
    pub advertise: String,
}

impl fmt::Display for JoinAsWorker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "join the swarm as a worker, at {}", self.advertise)
    }
}

#[async_trait]
impl HostPhase<MkeDomain> for JoinWorkers {
    type Change = JoinAsWorker;

    fn id(&self) -> &'static str {
        "join-workers"
    }

    fn title(&self) -> &'static str {
        "Join workers"
    }

    fn work(&self) -> Work {
        Work::Swarm
    }

    fn plan(&self, view: &HostView<'_, MkeDomain>) -> Plan<JoinAsWorker> {
        if view.shared.is_manager(view.host) || view.facts.swarm.is_member() {
            return Plan::skip("every worker is in the swarm");
        }
        let change = JoinAsWorker {
            advertise: view.shared.swarm_address(view.host, view.facts),
        };
        Plan::step(
            view.host,
            change,
            "the host is not in the swarm",
            Disruption::Live,
        )
    }

    fn predict(&self, _: &HostView<'_, MkeDomain>, _: &JoinAsWorker, facts: &mut Facts) {
        facts.swarm.state = "active".to_owned();
        facts.swarm.node_id = Some(Known::AfterApply);
    }

    async fn run(
        &self,
        cx: &Context<MkeDomain>,
        cluster: &Cluster,
        id: HostId,
        change: &JoinAsWorker,
        facts: &mut Facts,
    ) -> Result<(), Failure> {
        let leader = cluster
            .leader
            .ok_or_else(|| Failure::new("there is no swarm to join"))?;
        let address = cluster.join_address.clone().unwrap_or_default();
        let token = join_tokens(cx, leader).await?.worker.clone();
        join(
            cx.shared.host(id)?,
            &token,
            &change.advertise,
            &address,
            facts,
        )
        .await
    }
}
