//! Asks the bootstrapper on the leader which images MKE needs.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use phase::{Assembly, Context, Disruption, Failure, HostId, Meeting, Plan, Step};
use serde::Serialize;

use crate::mke::bootstrapper;
use crate::mke::cluster::{Cluster, Mke};
use crate::mke::domain::MkeDomain;
use crate::mke::images::parse_listing;
use crate::mke::phase::pull_mke_images::pull;
use crate::mke::shared::Shared;

/// How long the bootstrapper's own image may take to come.
const PULL: Duration = Duration::from_secs(30 * 60);

/// Lists the images of MKE.
pub struct ListMkeImages;

/// Pull the bootstrapper and ask it for the list.
#[derive(Debug, Serialize)]
pub struct AskBootstrapper {
    /// The image of the bootstrapper.
    pub image: String,
}

impl fmt::Display for AskBootstrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pull `{}` and list the images of MKE", self.image)
    }
}

#[async_trait]
impl Meeting<MkeDomain> for ListMkeImages {
    type Change = AskBootstrapper;

    fn id(&self) -> &'static str {
        "list-mke-images"
    }

    fn title(&self) -> &'static str {
        "List MKE images"
    }

    fn invites(&self, _: &Shared, cluster: &Cluster) -> Vec<HostId> {
        cluster.leader.into_iter().collect()
    }

    fn plan(&self, assembly: &Assembly<MkeDomain>) -> Plan<AskBootstrapper> {
        let cluster = &assembly.cluster;
        let install = cluster.mke == Mke::Absent && cluster.install_under_way.is_none();
        let join = matches!(cluster.mke, Mke::Installed(_)) && cluster.hosts_to_join;
        let Some(&leader) = assembly.hosts.keys().next() else {
            return Plan::skip("there is no manager");
        };
        if !install && !join {
            return Plan::skip("no host needs images");
        }
        let image = assembly.shared.config.mke.bootstrap_image();
        let why = if install {
            "MKE is not installed"
        } else {
            "hosts will join"
        };
        Plan::step(leader, AskBootstrapper { image }, why, Disruption::Live)
    }

    fn predict(&self, _: &Step<&AskBootstrapper>, _: &mut Assembly<MkeDomain>) {}

    async fn run(
        &self,
        cx: &Context<MkeDomain>,
        step: &Step<&AskBootstrapper>,
        assembly: &mut Assembly<MkeDomain>,
    ) -> Result<(), Failure> {
        let host = cx.shared.host(step.host)?;
        let facts = assembly
            .hosts
            .get(&step.host)
            .ok_or_else(|| Failure::new("the leader is not at the meeting"))?;
        pull(
            &cx.shared,
            host,
            facts.logged_in,
            std::slice::from_ref(&step.change.image),
            PULL,
        )
        .await?;
        let mut arguments = vec!["images", "--list"];
        if cx.shared.config.mke.install_flags.has("--swarm-only") {
            arguments.push("--swarm-only");
        }
        let text = bootstrapper::ask(
            host,
            &step.change.image,
            facts.selinux_enforcing,
            &arguments,
        )
        .await?
        .unwrap_or_default();
        assembly.cluster.images = parse_listing(&text);
        if assembly.cluster.images.is_empty() {
            return Err(Failure::new("the bootstrapper listed no image")
                .hint("check that `spec.mke.version` names a released version"));
        }
        Ok(())
    }
}
