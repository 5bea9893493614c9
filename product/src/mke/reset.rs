//! The phases of `reset`.
//!
//! It works on hosts that are only half installed, without internet, and twice: every phase does
//! what is left to do, and nothing is needed from outside.

use std::collections::BTreeMap;

use phase::{Check, Complaint, HostId, Manager, Phase};

use super::apply::{closing, observe};
use super::cluster::Cluster;
use super::connect::Connecting;
use super::domain::MkeDomain;
use super::facts::{Facts, Node};
use super::phase::clean_up_hosts::CleanUpHosts;
use super::phase::leave_swarm::{LeaveSwarm, LeaveSwarmAsManagers};
use super::phase::run_hooks::{Moment, RunHooks};
use super::phase::uninstall_mcr::UninstallMcr;
use super::phase::uninstall_mke::UninstallMke;
use super::phase::validate_facts::{Purpose, one_swarm};
use super::phase::validate_hosts::{privilege, system};
use super::shared::Shared;

/// Returns the phases of `reset`.
pub fn reset(connecting: Connecting) -> Manager<MkeDomain> {
    Manager {
        observe: observe(connecting),
        checks: vec![Box::new(ValidateReset)],
        list: vec![
            Phase::host(RunHooks(Moment::BeforeReset)),
            Phase::meeting(UninstallMke),
            Phase::host(LeaveSwarm),
            Phase::meeting(LeaveSwarmAsManagers),
            Phase::host(UninstallMcr),
            Phase::host(CleanUpHosts),
            Phase::host(RunHooks(Moment::AfterReset)),
        ],
        closing: closing(),
    }
}

/// Judges whether the hosts can be reset: what would go wrong half way is refused before.
struct ValidateReset;

impl Check<MkeDomain> for ValidateReset {
    fn id(&self) -> &'static str {
        "validate-hosts"
    }

    fn title(&self) -> &'static str {
        "Validate Hosts"
    }

    fn check(
        &self,
        shared: &Shared,
        cluster: &Cluster,
        facts: &BTreeMap<HostId, Facts>,
    ) -> Vec<Complaint> {
        let mut found = one_swarm(shared, cluster, facts, Purpose::Reset);
        for (&id, facts) in facts {
            found.extend(system(shared, id, facts));
            found.extend(privilege(id, facts));
        }
        found.extend(strangers(cluster, facts));
        found
    }
}

/// Nodes that are not in the configuration lose their cluster: they are told of, not touched.
fn strangers(cluster: &Cluster, facts: &BTreeMap<HostId, Facts>) -> Vec<Complaint> {
    // A host whose engine does not answer does not know its node: its names tell.
    let is_of = |facts: &Facts, id: &str, node: &Node| match facts.node_id() {
        Some(own) => own == id,
        None => facts.hostname == node.hostname || facts.internal_address == node.address,
    };
    cluster
        .nodes
        .iter()
        .filter(|(id, node)| !facts.values().any(|facts| is_of(facts, id, node)))
        .map(|(_, node)| {
            Complaint::warning(
                None,
                format!(
                    "the node `{}` ({}) is in the swarm and not in the configuration: it loses its \
                     cluster and is not cleaned up",
                    node.hostname, node.address
                ),
                "add the host to the configuration, or clean it up by hand",
            )
        })
        .collect()
}
