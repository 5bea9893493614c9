//! Labels the nodes that launchpad takes care of: one call for each node that differs.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use phase::{Context, Disruption, Failure, HostId, HostPhase, HostView, Plan, Work};
use rig::command::{Command, Effect};
use serde::Serialize;

use crate::mke::cluster::Cluster;
use crate::mke::domain::MkeDomain;
use crate::mke::facts::Facts;
use crate::mke::failure::explain;
use crate::mke::swarm::{LABEL_MANAGED, LABEL_SANS};

/// Labels nodes.
pub struct LabelNodes;

/// Set labels of the node.
#[derive(Debug, Serialize)]
pub struct SetLabels {
    /// The labels that are missing or differ.
    pub labels: BTreeMap<String, String>,
}

impl fmt::Display for SetLabels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("label the node")?;
        for (index, (key, value)) in self.labels.iter().enumerate() {
            write!(f, "{} {key}={value}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

/// $1 node id, $2.. labels. Prints the labels of the node afterwards.
const LABEL: &str = r#"
set -eu
node=$1
shift
for label in "$@"; do set -- "$@" --label-add "$label"; shift; done
docker node update "$@" "$node" >/dev/null
docker node inspect "$node" --format '{{json .Spec.Labels}}'
"#;

fn wanted(view: &HostView<'_, MkeDomain>) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::from([(LABEL_MANAGED.to_owned(), "true".to_owned())]);
    let sans = view.shared.sans();
    if view.shared.is_manager(view.host) && !sans.is_empty() {
        labels.insert(LABEL_SANS.to_owned(), sans.join(","));
    }
    labels
}

#[async_trait]
impl HostPhase<MkeDomain> for LabelNodes {
    type Change = SetLabels;

    fn id(&self) -> &'static str {
        "label-nodes"
    }

    fn title(&self) -> &'static str {
        "Label nodes"
    }

    fn work(&self) -> Work {
        Work::Swarm
    }

    fn plan(&self, view: &HostView<'_, MkeDomain>) -> Plan<SetLabels> {
        let present = view
            .facts
            .node_id()
            .and_then(|id| view.cluster.nodes.get(id));
        let present = present.map(|node| &node.labels);
        let labels: BTreeMap<String, String> = wanted(view)
            .into_iter()
            .filter(|(key, value)| present.and_then(|labels| labels.get(key)) != Some(value))
            .collect();
        if labels.is_empty() {
            return Plan::skip("every node has its labels");
        }
        Plan::step(
            view.host,
            SetLabels { labels },
            "labels are missing or differ",
            Disruption::Live,
        )
    }

    fn predict(&self, _: &HostView<'_, MkeDomain>, change: &SetLabels, facts: &mut Facts) {
        facts.labels_set.extend(change.labels.clone());
    }

    async fn run(
        &self,
        cx: &Context<MkeDomain>,
        cluster: &Cluster,
        _id: HostId,
        change: &SetLabels,
        facts: &mut Facts,
    ) -> Result<(), Failure> {
        let leader = cluster
            .leader
            .ok_or_else(|| Failure::new("there is no swarm"))?;
        let node = facts
            .node_id()
            .ok_or_else(|| Failure::new("the host has no node id"))?
            .to_owned();
        let command = Command::script(LABEL, Effect::Change)
            .arg(node)
            .args(
                change
                    .labels
                    .iter()
                    .map(|(key, value)| format!("{key}={value}")),
            )
            .title("docker node update")
            .timeout(Duration::from_secs(60))
            .docker();
        let output = cx
            .shared
            .host(leader)?
            .run(command)
            .await
            .map_err(|error| explain("cannot label the node", &error))?;
        let seen: BTreeMap<String, String> = output
            .stdout_text()
            .lines()
            .rev()
            .find(|line| line.starts_with('{'))
            .and_then(|line| serde_json::from_str(line).ok())
            .unwrap_or_default();
        for key in change.labels.keys() {
            if let Some(value) = seen.get(key) {
                facts.labels_set.insert(key.clone(), value.clone());
            }
        }
        Ok(())
    }
}
