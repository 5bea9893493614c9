//! Prepares a host: environment, proxy settings of the engine, packages that have to be there, and
//! what a run that was killed has left.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use configurer::action::Action;
use configurer::{Owned, carry_out, environment, mcr, owned, proxy};
use phase::{Context, Disruption, Failure, HostId, HostPhase, HostView, Plan};
use secrecy::SecretString;
use serde::Serialize;

use crate::mke::cluster::Cluster;
use crate::mke::domain::MkeDomain;
use crate::mke::facts::parse::text_hash;
use crate::mke::facts::{EngineState, Facts};
use crate::mke::failure::explain_action;
use crate::mke::phase::gather_facts::gather;
use crate::mke::phase::restart_mcr::take_over;
use crate::mke::shared::Shared;

/// $1 `reload` where systemd has to read its units again.
const RELOAD: &str = "[ ! -d /run/systemd/system ] || exec systemctl daemon-reload\n";

/// Prepares hosts.
pub struct PrepareHosts;

/// Prepare a host.
#[derive(Debug, Default, Serialize)]
pub struct Prepare {
    /// Variables of /etc/environment that are set.
    pub set: Vec<String>,
    /// Variables of /etc/environment that are removed.
    pub unset: Vec<String>,
    /// Whether the engine's proxy settings change.
    pub proxies: bool,
    /// Packages that are installed.
    pub packages: Vec<String>,
    /// Directories of a run that was killed.
    pub leftovers: Vec<String>,
}

impl fmt::Display for Prepare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if !self.packages.is_empty() {
            parts.push(format!("install {}", self.packages.join(", ")));
        }
        if !self.set.is_empty() {
            parts.push(format!("set {} in /etc/environment", self.set.join(", ")));
        }
        if !self.unset.is_empty() {
            parts.push(format!(
                "remove {} from /etc/environment",
                self.unset.join(", ")
            ));
        }
        if self.proxies {
            parts.push("change the proxy settings of the engine".to_owned());
        }
        if !self.leftovers.is_empty() {
            parts.push("remove what a killed run has left".to_owned());
        }
        f.write_str(&parts.join(", "))
    }
}

/// What has to be done, with everything that doing it needs.
struct Work {
    change: Prepare,
    environment: Option<environment::Edit>,
    /// The new text of the proxy drop-in; the inner `None` removes it.
    drop_in: Option<Option<String>>,
    owned: Owned,
}

/// Decides; pure.
fn decide(shared: &Shared, id: HostId, facts: &Facts) -> Work {
    let wanted = shared.environment(id);
    let mut owned = facts.owned.clone();
    let environment = environment::plan(
        facts.texts.environment.as_deref(),
        &wanted,
        &mut owned.environment,
    );
    let drop_in = decide_drop_in(facts, proxy::drop_in(&wanted), &mut owned);
    let packages = match (&facts.engine.state, shared.selection(facts)) {
        (EngineState::Absent, Ok(selection)) => {
            mcr::missing(&selection, |name| facts.packages.contains_key(name))
                .into_iter()
                .map(str::to_owned)
                .collect()
        }
        // What the engine needs is there where the engine is; systems without a row are refused
        // before anything is changed.
        _ => Vec::new(),
    };
    Work {
        change: Prepare {
            set: environment
                .as_ref()
                .map(|edit| edit.set.clone())
                .unwrap_or_default(),
            unset: environment
                .as_ref()
                .map(|edit| edit.unset.clone())
                .unwrap_or_default(),
            proxies: drop_in.is_some(),
            packages,
            leftovers: facts.leftovers.clone(),
        },
        environment,
        drop_in,
        owned,
    }
}

/// A drop-in that is wanted no more goes only where it is ours.
fn decide_drop_in(
    facts: &Facts,
    wanted: Option<String>,
    owned: &mut Owned,
) -> Option<Option<String>> {
    let present = facts.texts.proxy_drop_in.as_deref();
    match (&wanted, present) {
        (Some(text), Some(present)) if text_hash(text) == text_hash(present) => None,
        (Some(text), _) => {
            owned
                .files
                .insert(proxy::PATH.to_owned(), owned::hash(text));
            Some(wanted)
        }
        (None, Some(present)) if owned.owns_file(proxy::PATH, present) => {
            owned.files.remove(proxy::PATH);
            Some(None)
        }
        (None, _) => None,
    }
}

#[async_trait]
impl HostPhase<MkeDomain> for PrepareHosts {
    type Change = Prepare;

    fn id(&self) -> &'static str {
        "prepare-hosts"
    }

    fn title(&self) -> &'static str {
        "Prepare hosts"
    }

    fn plan(&self, view: &HostView<'_, MkeDomain>) -> Plan<Prepare> {
        let change = decide(view.shared, view.host, view.facts).change;
        let why = if !change.packages.is_empty() {
            "the engine needs these packages"
        } else if change.proxies || !change.set.is_empty() || !change.unset.is_empty() {
            "`environment` of the host differs"
        } else if !change.leftovers.is_empty() {
            "a run was killed"
        } else {
            return Plan::skip("every host is prepared");
        };
        Plan::step(view.host, change, why, Disruption::Live)
    }

    fn predict(&self, view: &HostView<'_, MkeDomain>, _: &Prepare, facts: &mut Facts) {
        let work = decide(view.shared, view.host, view.facts);
        if let Some(edit) = work.environment {
            facts.files.environment = Some(text_hash(&edit.text));
            facts.texts.environment = Some(edit.text);
        }
        if let Some(text) = work.drop_in {
            facts.files.proxy_drop_in = text.as_deref().map(text_hash);
            facts.texts.proxy_drop_in = text;
            facts.engine.needs_restart |= facts.engine.state == EngineState::Running;
        }
        for name in work.change.packages {
            facts
                .packages
                .insert(name, phase::plan::KNOWN_AFTER_APPLY.to_owned());
        }
        facts.leftovers.clear();
        facts.owned = work.owned;
    }

    async fn run(
        &self,
        cx: &Context<MkeDomain>,
        _cluster: &Cluster,
        id: HostId,
        _change: &Prepare,
        facts: &mut Facts,
    ) -> Result<(), Failure> {
        let work = decide(&cx.shared, id, facts);
        let actions = actions(&cx.shared, facts, work);
        let host = cx.shared.host(id)?;
        carry_out(host, &actions)
            .await
            .map_err(|error| explain_action(&error))?;
        take_over(facts, gather(cx, id).await?);
        Ok(())
    }
}

/// Returns what to do, the record of what is ours first.
fn actions(shared: &Shared, facts: &Facts, work: Work) -> Vec<Action> {
    let mut actions = Vec::new();
    if work.owned != facts.owned {
        actions.push(work.owned.record());
    }
    if !facts.leftovers.is_empty() {
        actions.push(Action::Script {
            title: "remove what a killed run has left",
            text: "exec rm -rf -- \"$@\"\n".to_owned(),
            arguments: facts.leftovers.clone(),
            limit: Duration::from_secs(60),
        });
    }
    if let Some(edit) = work.environment {
        actions.push(Action::Write {
            path: environment::PATH.to_owned(),
            mode: "0644",
            content: SecretString::from(edit.text),
        });
    }
    if let Some(text) = work.drop_in {
        actions.push(match text {
            Some(text) => Action::Write {
                path: proxy::PATH.to_owned(),
                mode: "0600",
                content: SecretString::from(text),
            },
            None => Action::Remove {
                paths: vec![proxy::PATH.to_owned()],
            },
        });
        let limit = Duration::from_secs(60);
        actions.push(Action::script(
            "let systemd read its units again",
            RELOAD,
            limit,
        ));
    }
    if !work.change.packages.is_empty()
        && let Ok(selection) = shared.selection(facts)
    {
        let names: Vec<&str> = work.change.packages.iter().map(String::as_str).collect();
        actions.extend(mcr::install_packages(&selection, &names));
    }
    actions
}
