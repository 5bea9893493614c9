//! Makes the swarm on the first manager, where there is none.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use phase::{Assembly, Context, Disruption, Failure, HostId, Known, Meeting, Plan, Step};
use rig::command::{Command, Effect};
use serde::Serialize;

use crate::mke::cluster::Cluster;
use crate::mke::domain::MkeDomain;
use crate::mke::facts::Swarm;
use crate::mke::failure::{explain, explain_or};
use crate::mke::shared::Shared;
use crate::mke::swarm::read_membership;

/// How long the engine may take to make the swarm.
const LIMIT: Duration = Duration::from_secs(120);

/// $1 address to advertise, $2 the user's flags as shell text (the seed's semantics).
const INIT: &str = r#"
set -eu
advertise=$1
eval "set -- $2"
exec docker swarm init --advertise-addr "$advertise" "$@" >/dev/null
"#;

/// Makes the swarm.
pub struct InitSwarm;

/// Make a swarm, led by this host.
#[derive(Debug, Serialize)]
pub struct InitSwarmOnLeader {
    /// The address by which the host is known in the swarm, with its port.
    pub advertise: String,
    /// The user's flags.
    pub flags: Vec<String>,
    /// The user's commands that follow; each is what comes after `docker`.
    pub then: Vec<String>,
}

impl fmt::Display for InitSwarmOnLeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "make a swarm on {}", self.advertise)
    }
}

#[async_trait]
impl Meeting<MkeDomain> for InitSwarm {
    type Change = InitSwarmOnLeader;

    fn id(&self) -> &'static str {
        "init-swarm"
    }

    fn title(&self) -> &'static str {
        "Initialize Swarm"
    }

    fn invites(&self, _: &Shared, cluster: &Cluster) -> Vec<HostId> {
        cluster.leader.into_iter().collect()
    }

    fn plan(&self, assembly: &Assembly<MkeDomain>) -> Plan<InitSwarmOnLeader> {
        if assembly.cluster.has_swarm() {
            return Plan::skip("there is a swarm already");
        }
        let Some((&leader, facts)) = assembly.hosts.first_key_value() else {
            return Plan::skip("there is no manager");
        };
        let mcr = &assembly.shared.config.mcr;
        let change = InitSwarmOnLeader {
            advertise: assembly.shared.swarm_address(leader, facts),
            flags: mcr.swarm_install_flags.shell_words(),
            then: mcr.swarm_update_commands.clone(),
        };
        Plan::step(leader, change, "no manager is in a swarm", Disruption::Live)
    }

    fn predict(&self, step: &Step<&InitSwarmOnLeader>, assembly: &mut Assembly<MkeDomain>) {
        assembly.cluster.swarm_id = Some(Known::AfterApply);
        assembly.cluster.is_disturbed = true;
        assembly.cluster.join_address = Some(step.change.advertise.clone());
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
        step: &Step<&InitSwarmOnLeader>,
        assembly: &mut Assembly<MkeDomain>,
    ) -> Result<(), Failure> {
        let host = cx.shared.host(step.host)?;
        let change = step.change;
        let command = Command::script(INIT, Effect::Change)
            .args([change.advertise.as_str(), &change.flags.join(" ")])
            .title("docker swarm init")
            .timeout(LIMIT)
            .sensitive_output()
            .docker();
        host.run(command).await.map_err(|error| {
            let otherwise =
                "check that `privateInterface` or `swarmAddress` names an address of this host";
            explain_or("cannot make the swarm", &error, otherwise)
        })?;
        for text in &change.then {
            let command = Command::raw(format!("docker {text}"), Effect::Change)
                .timeout(LIMIT)
                .docker();
            host.run(command)
                .await
                .map_err(|error| explain(&format!("cannot run `docker {text}`"), &error))?;
        }
        assembly.cluster.is_disturbed = true;
        assembly.cluster.join_address = Some(change.advertise.clone());
        if let Some(facts) = assembly.hosts.get_mut(&step.host) {
            read_membership(host, facts).await?;
            assembly.cluster.swarm_id = facts.swarm.cluster_id.clone();
        }
        Ok(())
    }

    /// Takes the swarm back where the user's commands failed: the next run would find one, and
    /// never run the rest of them.
    async fn clean_up(
        &self,
        cx: &Context<MkeDomain>,
        step: &Step<&InitSwarmOnLeader>,
        assembly: &mut Assembly<MkeDomain>,
    ) -> Result<bool, Failure> {
        let host = cx.shared.host(step.host)?;
        let Some(facts) = assembly.hosts.get_mut(&step.host) else {
            return Ok(false);
        };
        read_membership(host, facts).await?;
        if !facts.swarm.is_member() {
            return Ok(false);
        }
        let command = Command::change("docker")
            .args(["swarm", "leave", "--force"])
            .timeout(LIMIT)
            .docker();
        host.run(command)
            .await
            .map_err(|error| explain("cannot take the swarm back", &error))?;
        facts.swarm = Swarm {
            state: "inactive".to_owned(),
            ..Swarm::default()
        };
        assembly.cluster.swarm_id = None;
        Ok(true)
    }
}
