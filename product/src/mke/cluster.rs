//! The facts of the cluster as a whole, derived from those of its hosts.

use std::collections::BTreeMap;

use phase::{HostId, Known};
use serde::Serialize;

use super::bootstrapper::{LABEL_OPERATION, LABEL_VERSION};
use super::facts::{Facts, Node};
use super::shared::Shared;

/// What is known about the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Cluster {
    /// The manager that cluster-wide commands go to: the raft leader where there is a swarm, else
    /// the first manager of the configuration.
    pub leader: Option<HostId>,
    /// Id of the swarm.
    pub swarm_id: Option<Known<String>>,
    /// The address by which nodes join, with its port.
    pub join_address: Option<String>,
    /// The nodes as the leader sees them, by node id.
    pub nodes: BTreeMap<String, Node>,
    /// What is known of MKE.
    pub mke: Mke,
    /// The version that an installer, which an earlier run has started, is installing.
    pub install_under_way: Option<String>,
    /// Whether hosts will join for which images have to be pulled.
    pub hosts_to_join: bool,
    /// Whether this run has seen the installer end well.
    pub is_installer_done: bool,
    /// The images of MKE, once the bootstrapper has listed them.
    pub images: Vec<String>,
    /// Whether this run has changed something that MKE's health may depend on.
    pub is_disturbed: bool,
}

/// Whether MKE is on the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mke {
    /// Nothing of it is there.
    #[default]
    Absent,
    /// The managers cannot say: their engine does not answer.
    Unknown,
    /// Parts of it are there, left by an install that did not end.
    Partial,
    /// It is installed, in this version.
    Installed(String),
}

impl Cluster {
    /// Returns the version of MKE that is installed.
    pub fn mke_version(&self) -> Option<&str> {
        match &self.mke {
            Mke::Installed(version) => Some(version),
            Mke::Absent | Mke::Unknown | Mke::Partial => None,
        }
    }

    /// Returns whether there is a swarm.
    pub fn has_swarm(&self) -> bool {
        self.swarm_id.is_some()
    }
}

/// Derives the facts of the cluster.
pub fn summarise(shared: &Shared, facts: &BTreeMap<HostId, Facts>, cluster: &mut Cluster) {
    let managers = || {
        shared
            .managers()
            .into_iter()
            .filter_map(|id| facts.get(&id).map(|facts| (id, facts)))
    };
    let in_swarm = || managers().filter(|(_, facts)| facts.swarm.is_manager);
    cluster.leader = in_swarm()
        .find(|(_, facts)| facts.swarm.is_leader)
        .or_else(|| in_swarm().next())
        .map(|(id, _)| id)
        .or_else(|| shared.managers().into_iter().next());
    let leader = cluster.leader.and_then(|id| facts.get(&id));
    cluster.swarm_id = in_swarm().find_map(|(_, facts)| facts.swarm.cluster_id.clone());
    cluster.nodes = leader.map(|facts| facts.nodes.clone()).unwrap_or_default();
    cluster.join_address = cluster
        .leader
        .zip(leader)
        .map(|(id, facts)| shared.swarm_address(id, facts));
    cluster.install_under_way = managers()
        .filter_map(|(_, facts)| facts.bootstrap.as_ref())
        .find(|found| {
            found
                .labels
                .get(LABEL_OPERATION)
                .is_some_and(|name| name == "install")
        })
        .map(|found| found.labels.get(LABEL_VERSION).cloned().unwrap_or_default());
    let custom = shared.config.mke.has_custom_repo();
    cluster.hosts_to_join = facts
        .iter()
        .any(|(&id, facts)| !facts.swarm.is_member() && (custom || shared.is_manager(id)));
    cluster.mke = judge_mke(&managers().map(|(_, facts)| facts).collect::<Vec<_>>());
}

/// Judges whether MKE is installed.
///
/// Installed means: a manager runs the proxy, and the swarm has the service that keeps it there.
/// An engine that does not answer says nothing: then the answer is [`Mke::Unknown`], unless
/// another manager knows.
fn judge_mke(managers: &[&Facts]) -> Mke {
    let has_agent = managers.iter().any(|facts| !facts.mke.services.is_empty());
    let version = managers
        .iter()
        .find_map(|facts| facts.mke.proxy_version.clone());
    let has_parts = managers
        .iter()
        .any(|facts| !facts.mke.containers.is_empty());
    let silent = managers
        .iter()
        .any(|facts| matches!(facts.engine.state, super::facts::EngineState::Silent(_)));
    match version {
        Some(version) if has_agent => Mke::Installed(version),
        _ if silent => Mke::Unknown,
        Some(_) => Mke::Partial,
        None if has_agent || has_parts => Mke::Partial,
        None => Mke::Absent,
    }
}

#[cfg(test)]
mod tests {
    use super::super::facts::{EngineState, MkeOnHost};
    use super::*;

    fn manager(proxy: Option<&str>, services: &[&str], state: EngineState) -> Facts {
        let mut facts = Facts::default();
        facts.engine.state = state;
        facts.mke = MkeOnHost {
            proxy_version: proxy.map(str::to_owned),
            services: services.iter().map(ToString::to_string).collect(),
            ..MkeOnHost::default()
        };
        facts
    }

    #[test]
    fn a_silent_engine_is_not_an_absent_mke() {
        let silent = manager(None, &[], EngineState::Silent("no answer".into()));

        assert_eq!(judge_mke(&[&silent]), Mke::Unknown);
    }

    #[test]
    fn another_manager_can_tell_for_a_silent_one() {
        let silent = manager(None, &[], EngineState::Silent("no answer".into()));
        let well = manager(Some("3.8.8"), &["ucp-agent"], EngineState::Running);

        assert_eq!(judge_mke(&[&silent, &well]), Mke::Installed("3.8.8".into()));
    }

    #[test]
    fn a_proxy_without_its_service_is_half_an_install() {
        let half = manager(Some("3.8.8"), &[], EngineState::Running);

        assert_eq!(judge_mke(&[&half]), Mke::Partial);
    }
}
