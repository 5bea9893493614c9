//! Removes the rest of what is ours on a host: environment, proxy settings, the package
//! repository, the record itself.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use configurer::action::Action;
use configurer::repository::{FORGET_RPM_KEYS, RPM_KEYS};
use configurer::{Owned, carry_out, environment, mcr, proxy};
use phase::{Context, Disruption, Failure, HostId, HostPhase, HostView, Plan};
use secrecy::SecretString;
use serde::Serialize;

use crate::mke::cluster::Cluster;
use crate::mke::domain::MkeDomain;
use crate::mke::facts::Facts;
use crate::mke::facts::parse::text_hash;
use crate::mke::failure::explain_action;
use crate::mke::phase::gather_facts::gather;
use crate::mke::phase::restart_mcr::take_over;
use crate::mke::shared::Shared;

/// Removes directories that are empty, and lets systemd forget the drop-in.
const TIDY: &str = r#"
[ ! -d /run/systemd/system ] || systemctl daemon-reload
for record in "$@"; do rm -f -- "$record"; done
rmdir /etc/systemd/system/docker.service.d /var/lib/launchpad 2>/dev/null || true
"#;

/// Cleans up.
pub struct CleanUpHosts;

/// Remove the rest of what is ours.
#[derive(Debug, Serialize)]
pub struct CleanUp {
    /// Variables that are removed from /etc/environment.
    pub unset: Vec<String>,
    /// Files that are removed.
    pub files: Vec<String>,
}

impl fmt::Display for CleanUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if !self.files.is_empty() {
            parts.push(format!("remove {}", self.files.join(", ")));
        }
        if !self.unset.is_empty() {
            parts.push(format!(
                "remove {} from /etc/environment",
                self.unset.join(", ")
            ));
        }
        if parts.is_empty() {
            parts.push("remove the record of what is ours".to_owned());
        }
        f.write_str(&parts.join(", "))
    }
}

/// What has to be done, with everything that doing it needs.
struct Work {
    environment: Option<environment::Edit>,
    files: Vec<String>,
    owned: Owned,
}

fn decide(shared: &Shared, facts: &Facts) -> Work {
    let mut owned = facts.owned.clone();
    let environment = environment::plan(
        facts.texts.environment.as_deref(),
        &BTreeMap::new(),
        &mut owned.environment,
    );
    let mut files = match shared.selection(facts) {
        Ok(selection) => {
            mcr::repository_files(&selection, facts.texts.repository.as_deref(), &owned)
        }
        Err(_) => Vec::new(),
    };
    let drop_in = facts.texts.proxy_drop_in.as_deref();
    if drop_in.is_some_and(|text| owned.owns_file(proxy::PATH, text)) {
        files.push(proxy::PATH.to_owned());
    }
    files.extend(facts.leftovers.iter().cloned());
    // What the engine's data directory still holds of ours is that of a later apply.
    owned.files.clear();
    owned.mke_install_flags = None;
    Work {
        environment,
        files,
        owned,
    }
}

#[async_trait]
impl HostPhase<MkeDomain> for CleanUpHosts {
    type Change = CleanUp;

    fn id(&self) -> &'static str {
        "clean-up"
    }

    fn title(&self) -> &'static str {
        "Clean up"
    }

    fn plan(&self, view: &HostView<'_, MkeDomain>) -> Plan<CleanUp> {
        let work = decide(view.shared, view.facts);
        let unset = work.environment.map(|edit| edit.unset).unwrap_or_default();
        if unset.is_empty() && work.files.is_empty() && work.owned == view.facts.owned {
            return Plan::skip("nothing of launchpad is on the hosts");
        }
        let change = CleanUp {
            unset,
            files: work.files,
        };
        Plan::step(view.host, change, "the cluster is reset", Disruption::Live)
    }

    fn predict(&self, view: &HostView<'_, MkeDomain>, change: &CleanUp, facts: &mut Facts) {
        let work = decide(view.shared, view.facts);
        if let Some(edit) = work.environment {
            facts.files.environment = Some(text_hash(&edit.text));
            facts.texts.environment = Some(edit.text);
        }
        if change.files.iter().any(|path| path == proxy::PATH) {
            facts.files.proxy_drop_in = None;
            facts.texts.proxy_drop_in = None;
        }
        if change
            .files
            .iter()
            .any(|path| path.ends_with(".sources") || path.ends_with(".repo"))
        {
            facts.files.repository = None;
            facts.texts.repository = None;
        }
        facts.leftovers.clear();
        facts.owned = work.owned;
    }

    async fn run(
        &self,
        cx: &Context<MkeDomain>,
        _cluster: &Cluster,
        id: HostId,
        _change: &CleanUp,
        facts: &mut Facts,
    ) -> Result<(), Failure> {
        let work = decide(&cx.shared, facts);
        let mut actions = Vec::new();
        if let Some(edit) = work.environment {
            actions.push(Action::Write {
                path: environment::PATH.to_owned(),
                mode: "0644",
                content: SecretString::from(edit.text),
            });
        }
        if work.files.iter().any(|path| path == RPM_KEYS) {
            actions.push(Action::Script {
                title: "let rpm forget the key of the package repository",
                text: FORGET_RPM_KEYS.to_owned(),
                arguments: vec![RPM_KEYS.to_owned()],
                limit: Duration::from_secs(60),
            });
        }
        if !work.files.is_empty() {
            actions.push(Action::Script {
                title: "remove files of launchpad",
                text: "exec rm -rf -- \"$@\"\n".to_owned(),
                arguments: work.files,
                limit: Duration::from_secs(60),
            });
        }
        // The record goes last, and with its directory: while it is there, there is something to do.
        let mut records = Vec::new();
        if work.owned.is_empty() {
            records.push(configurer::owned::PATH.to_owned());
        } else {
            actions.push(work.owned.record());
        }
        actions.push(Action::Script {
            title: "tidy up",
            text: TIDY.to_owned(),
            arguments: records,
            limit: Duration::from_secs(60),
        });
        carry_out(cx.shared.host(id)?, &actions)
            .await
            .map_err(|error| explain_action(&error))?;
        take_over(facts, gather(cx, id).await?);
        Ok(())
    }
}
