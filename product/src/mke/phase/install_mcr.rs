//! Installs the engine where there is none, or where an installation was cut off.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use configurer::action::Action;
use configurer::{carry_out, mcr, repository};
use phase::{Context, Disruption, Failure, HostId, HostPhase, HostView, Known, Plan};
use serde::Serialize;

use crate::mke::cluster::Cluster;
use crate::mke::domain::MkeDomain;
use crate::mke::facts::parse::text_hash;
use crate::mke::facts::{EngineState, Facts};
use crate::mke::failure::explain_action;
use crate::mke::phase::gather_facts::gather;
use crate::mke::phase::restart_mcr::take_over;
use crate::mke::shared::Shared;

/// Installs the engine.
pub struct InstallMcr;

/// Install the engine.
#[derive(Debug, Serialize)]
pub struct InstallEngine {
    /// The channel that it comes from; it decides the version.
    pub channel: String,
    /// The repository that it comes from.
    pub repository: String,
}

impl fmt::Display for InstallEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "install MCR from channel {} of {}",
            self.channel, self.repository
        )
    }
}

/// Returns why the engine has to be installed, if it has to.
pub fn why_install(facts: &Facts) -> Option<String> {
    if !facts.broken_packages.is_empty() {
        return Some(format!(
            "the installation of {} was cut off",
            facts.broken_packages.join(", ")
        ));
    }
    (facts.engine.state == EngineState::Absent).then(|| "there is no engine".to_owned())
}

fn repository_of(shared: &Shared, facts: &Facts) -> Option<repository::Repository> {
    let selection = shared.selection(facts).ok()?;
    let mcr = &shared.config.mcr;
    Some(repository::repository(
        &selection,
        &mcr.repo_url,
        &mcr.channel,
    ))
}

#[async_trait]
impl HostPhase<MkeDomain> for InstallMcr {
    type Change = InstallEngine;

    fn id(&self) -> &'static str {
        "install-mcr"
    }

    fn title(&self) -> &'static str {
        "Install Mirantis Container Runtime on the hosts"
    }

    fn plan(&self, view: &HostView<'_, MkeDomain>) -> Plan<InstallEngine> {
        let Some(why) = why_install(view.facts) else {
            return Plan::skip("every host has an engine");
        };
        let mcr = &view.shared.config.mcr;
        let change = InstallEngine {
            channel: mcr.channel.clone(),
            repository: mcr.repo_url.clone(),
        };
        Plan::step(view.host, change, why, Disruption::Live)
    }

    fn predict(&self, view: &HostView<'_, MkeDomain>, _: &InstallEngine, facts: &mut Facts) {
        facts.engine.state = EngineState::Running;
        facts.engine.version = Some(Known::AfterApply);
        facts.engine.started = Some(Known::AfterApply);
        facts.engine.needs_restart = false;
        facts.broken_packages.clear();
        if facts.swarm.state.is_empty() {
            facts.swarm.state = "inactive".to_owned();
        }
        if let Some(repository) = repository_of(view.shared, view.facts) {
            facts.files.repository = Some(text_hash(&repository.text));
            facts.texts.repository = Some(repository.text);
        }
    }

    async fn run(
        &self,
        cx: &Context<MkeDomain>,
        _cluster: &Cluster,
        id: HostId,
        _change: &InstallEngine,
        facts: &mut Facts,
    ) -> Result<(), Failure> {
        let selection = cx
            .shared
            .selection(facts)
            .map_err(|error| Failure::new("cannot install the engine").caused_by(&error))?;
        let config = &cx.shared.config.mcr;
        let repository = repository::repository(&selection, &config.repo_url, &config.channel);
        let mut owned = facts.owned.clone();
        let is_installed = |name: &str| facts.packages.contains_key(name);
        let mut actions = mcr::install(&selection, &repository, is_installed, &mut owned);
        if facts.is_container {
            // An engine in a container needs mounts that it can share; before it is started.
            let limit = Duration::from_secs(30);
            actions.insert(0, Action::script("share mounts", mcr::SHARED_MOUNTS, limit));
        }
        let host = cx.shared.host(id)?;
        for action in &actions {
            cx.progress(id, action.what());
            carry_out(host, std::slice::from_ref(action))
                .await
                .map_err(|error| explain_action(&error))?;
        }
        take_over(facts, gather(cx, id).await?);
        match &facts.engine.state {
            EngineState::Running => Ok(()),
            EngineState::Silent(said) => {
                Err(Failure::new("the engine was installed and does not answer")
                    .caused_by(&Failure::new(said.clone()))
                    .hint(format!("see `{}` on the host", facts.engine_log())))
            }
            EngineState::Absent => Err(Failure::new("the packages hold no engine")
                .hint("check `spec.mcr.channel` and `spec.mcr.repoURL`")),
        }
    }
}
