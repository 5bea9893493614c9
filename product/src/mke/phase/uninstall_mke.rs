//! Removes MKE: with the vendor's uninstaller where MKE is whole, by hand where it is not, or
//! where the uninstaller fails.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use phase::{Assembly, Context, Disruption, Failure, HostId, Meeting, Plan, Work};
use rig::command::{Command, Effect};
use serde::Serialize;

use crate::mke::bootstrapper::{self, Operation};
use crate::mke::cluster::{Cluster, Mke};
use crate::mke::domain::MkeDomain;
use crate::mke::facts::Facts;
use crate::mke::failure::explain;
use crate::mke::shared::Shared;

/// How long the vendor's uninstaller may take.
const UNINSTALL: Duration = Duration::from_secs(20 * 60);

/// Removes the services of MKE and its uninstaller, or swarm would make their containers again.
const REMOVE_SERVICES: &str = r#"
services=$(timeout 30 docker service ls -q --filter name=ucp-) || exit 0
[ -z "$services" ] || docker service rm $services >/dev/null
for kind in config secret; do
  names=$(docker $kind ls --format '{{.Name}}' 2>/dev/null | grep -E '^(com\.docker\.ucp|ucp-)') || continue
  docker $kind rm $names >/dev/null 2>&1 || true
done
"#;

/// Removes the containers and volumes of MKE on one host, again and again while agents that are
/// just being stopped make new ones.
const REMOVE_PARTS: &str = r#"
left=30
while [ $left -gt 0 ]; do
  containers=$(timeout 30 docker ps -aq --filter name=^/ucp) || exit 0
  [ -n "$containers" ] || break
  docker rm -f $containers >/dev/null 2>&1
  left=$((left - 1))
  sleep 1
done
volumes=$(docker volume ls -q --filter name=ucp- | grep '^ucp-') || exit 0
docker volume rm --force $volumes >/dev/null
"#;

/// Removes MKE.
pub struct UninstallMke;

/// Remove MKE from all hosts.
#[derive(Debug, Serialize)]
pub struct Uninstall {
    /// The version that is installed; none where only parts of one are there.
    pub version: Option<String>,
    /// Id of the swarm, which the uninstaller wants to be told.
    pub cluster_id: Option<String>,
}

impl fmt::Display for Uninstall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Some(version) => write!(f, "uninstall MKE {version} from all hosts"),
            None => f.write_str("remove what is there of MKE from all hosts"),
        }
    }
}

fn has_parts(facts: &Facts) -> bool {
    !facts.mke.containers.is_empty() || !facts.mke.services.is_empty() || facts.bootstrap.is_some()
}

#[async_trait]
impl Meeting<MkeDomain> for UninstallMke {
    type Change = Uninstall;

    fn id(&self) -> &'static str {
        "uninstall-mke"
    }

    fn title(&self) -> &'static str {
        "Uninstall MKE components"
    }

    fn invites(&self, shared: &Shared, _: &Cluster) -> Vec<HostId> {
        shared.ids().collect()
    }

    fn plan(&self, assembly: &Assembly<MkeDomain>) -> Plan<Uninstall> {
        let cluster = &assembly.cluster;
        let Some(leader) = cluster.leader else {
            return Plan::skip("there is no manager");
        };
        let version = cluster.mke_version().map(str::to_owned);
        if version.is_none() && !assembly.hosts.values().any(has_parts) {
            return Plan::skip("MKE is not installed");
        }
        let cluster_id = assembly
            .hosts
            .get(&leader)
            .and_then(Facts::cluster_id)
            .map(str::to_owned);
        let why = match &version {
            Some(_) => "the cluster is reset",
            None => "parts of MKE are on the hosts",
        };
        let change = Uninstall {
            version,
            cluster_id,
        };
        Plan::step(leader, change, why, Disruption::Destroy)
    }

    fn predict(&self, _: &phase::Step<&Uninstall>, assembly: &mut Assembly<MkeDomain>) {
        assembly.cluster.mke = Mke::Absent;
        for facts in assembly.hosts.values_mut() {
            forget(facts);
        }
    }

    async fn run(
        &self,
        cx: &Context<MkeDomain>,
        step: &phase::Step<&Uninstall>,
        assembly: &mut Assembly<MkeDomain>,
    ) -> Result<(), Failure> {
        if let (Some(version), Some(id)) = (&step.change.version, &step.change.cluster_id) {
            let facts = assembly
                .hosts
                .get_mut(&step.host)
                .ok_or_else(|| Failure::new("the leader is not at the meeting"))?;
            let operation = operation(&cx.shared, version, id);
            match bootstrapper::run(cx, step.host, &operation, facts).await {
                Ok(()) => {}
                // Somebody wants to stop: the uninstaller goes on and is joined by the next run.
                Err(failure) if facts.bootstrap.as_ref().is_some_and(|found| found.running) => {
                    return Err(failure);
                }
                Err(failure) => cx.warn(
                    Some(step.host),
                    format!("{failure}; MKE is removed by hand instead"),
                    None,
                ),
            }
        }
        dissolve(cx, step.host, assembly).await?;
        assembly.cluster.mke = Mke::Absent;
        for facts in assembly.hosts.values_mut() {
            forget(facts);
        }
        Ok(())
    }
}

fn operation(shared: &Shared, version: &str, cluster_id: &str) -> Operation {
    Operation {
        name: "uninstall-ucp",
        image: format!("{}/ucp:{version}", shared.config.mke.image_repo),
        version: version.to_owned(),
        flags: vec![format!("--id {cluster_id}"), "--purge-config".to_owned()],
        secrets: Vec::new(),
        license: None,
        deadline: UNINSTALL,
    }
}

/// Writes down that nothing of MKE is on a host any more.
fn forget(facts: &mut Facts) {
    facts.mke.proxy_version = None;
    facts.mke.containers.clear();
    facts.mke.services.clear();
    facts.mke.ping = None;
    facts.bootstrap = None;
    facts.certificates.clear();
}

/// Removes what is left of MKE: services first, then what they had made, on all hosts at once.
pub(super) async fn dissolve(
    cx: &Context<MkeDomain>,
    leader: HostId,
    assembly: &Assembly<MkeDomain>,
) -> Result<(), Failure> {
    let managers = assembly
        .hosts
        .iter()
        .filter(|(_, facts)| facts.swarm.is_manager);
    let through = managers
        .map(|(&id, _)| id)
        .find(|id| *id == leader)
        .unwrap_or(leader);
    if assembly.hosts.get(&through).is_some_and(Facts::engine_runs) {
        let command = Command::script(REMOVE_SERVICES, Effect::Change)
            .title("remove the services of MKE")
            .timeout(Duration::from_secs(180))
            .docker();
        if let Err(error) = cx.shared.host(through)?.run(command).await {
            let failure = explain("the services of MKE could not be removed", &error);
            cx.warn(Some(through), failure.to_string(), None);
        }
    }
    let running: Vec<HostId> = assembly
        .hosts
        .iter()
        .filter(|(_, facts)| facts.engine_runs())
        .map(|(&id, _)| id)
        .collect();
    let results = cx
        .on_each_host(running, Work::Own, |id| async move {
            let command = Command::script(REMOVE_PARTS, Effect::Change)
                .title("remove the containers and volumes of MKE")
                .timeout(Duration::from_secs(300))
                .docker();
            let host = cx.shared.host(id)?;
            host.run(command).await.map(drop).map_err(|error| {
                explain("the containers of MKE cannot be removed", &error)
                    .on_host(cx.roster.name(id))
            })
        })
        .await;
    results.into_iter().flatten().collect()
}
