//! What `describe` tells, worked out from facts: rows of values, `None` where a host is silent.

use std::collections::BTreeMap;

use phase::{HostId, Manager};
use serde::Serialize;

use super::apply::{closing, observe};
use super::cluster::{Cluster, Mke};
use super::connect::Connecting;
use super::domain::MkeDomain;
use super::facts::{EngineState, Facts};
use super::shared::Shared;

/// Returns the phases of `describe`: they only look.
pub fn describe(connecting: Connecting) -> Manager<MkeDomain> {
    Manager {
        observe: observe(connecting),
        checks: Vec::new(),
        list: Vec::new(),
        closing: closing(),
    }
}

/// What is told of one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostRow {
    /// Its address in the configuration.
    pub address: String,
    /// Its internal address.
    pub internal_address: Option<String>,
    /// Its host name.
    pub hostname: Option<String>,
    /// Its role.
    pub role: String,
    /// Its operating system.
    pub os: Option<String>,
    /// The version of its engine; `-` where there is none.
    pub engine: Option<String>,
    /// Its state in the swarm, as the managers see it (`ready`, `down`).
    pub node: Option<String>,
}

/// What is told of MKE.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MkeStatus {
    /// Whether it is installed: `installed`, `not installed`, `partly installed`, `unknown`.
    pub state: String,
    /// The version that is installed.
    pub version: Option<String>,
    /// The version that the configuration wants.
    pub wanted_version: String,
    /// Where it is reached.
    pub url: String,
    /// How many managers answered `/_ping` with 200.
    pub managers_healthy: usize,
    /// How many managers the configuration has.
    pub managers: usize,
    /// How many nodes are ready.
    pub nodes_ready: usize,
    /// How many nodes there are.
    pub nodes: usize,
}

/// Returns a row for every host of the configuration.
pub fn host_rows(
    shared: &Shared,
    cluster: &Cluster,
    facts: &BTreeMap<HostId, Facts>,
) -> Vec<HostRow> {
    shared
        .ids()
        .map(|id| {
            let config = shared.host_config(id);
            let known = facts.get(&id);
            let engine = known.and_then(|facts| match &facts.engine.state {
                EngineState::Running => facts.engine_version().map(str::to_owned),
                EngineState::Absent => Some("-".to_owned()),
                EngineState::Silent(_) => Some("not answering".to_owned()),
            });
            HostRow {
                address: shared.name(id).to_owned(),
                internal_address: known.map(|facts| facts.internal_address.clone()),
                hostname: known.map(|facts| facts.hostname.clone()),
                role: config.role.to_string(),
                os: known.map(|facts| facts.os.name.clone()),
                engine,
                node: known
                    .and_then(Facts::node_id)
                    .and_then(|node| cluster.nodes.get(node))
                    .map(|node| node.state.clone()),
            }
        })
        .collect()
}

/// Returns what is told of MKE.
pub fn mke_status(
    shared: &Shared,
    cluster: &Cluster,
    facts: &BTreeMap<HostId, Facts>,
) -> MkeStatus {
    let state = match &cluster.mke {
        Mke::Installed(_) => "installed",
        Mke::Absent if facts.is_empty() => "unknown",
        Mke::Absent => "not installed",
        Mke::Partial => "partly installed",
        Mke::Unknown => "unknown",
    };
    MkeStatus {
        state: state.to_owned(),
        version: cluster.mke_version().map(str::to_owned),
        wanted_version: shared.config.mke.version.to_string(),
        url: shared.config.mke_url(),
        managers_healthy: facts
            .values()
            .filter(|facts| facts.mke.ping == Some(200))
            .count(),
        managers: shared.managers().len(),
        nodes_ready: cluster
            .nodes
            .values()
            .filter(|node| node.state == "ready")
            .count(),
        nodes: cluster.nodes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_not_made_up() {
        let row = serde_json::to_value(HostRow {
            address: "10.0.0.1".into(),
            internal_address: None,
            hostname: None,
            role: "worker".into(),
            os: None,
            engine: None,
            node: None,
        });

        assert_eq!(
            row.ok().and_then(|row| row.get("engine").cloned()),
            Some(serde_json::Value::Null)
        );
    }
}
