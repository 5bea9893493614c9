//! Writes the engine's configuration file where it differs from what is wanted.

use std::fmt;

use async_trait::async_trait;
use configurer::action::Action;
use configurer::{Owned, carry_out, daemon_json};
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

/// An engine's configuration that says nothing. The file stays, so that a change of it can be told
/// from the time of its last write until the engine has been restarted.
const EMPTY: &str = "{}\n";

/// Configures the engine.
pub struct ConfigureMcr;

/// Write the engine's configuration file; values may be secret and are not shown.
#[derive(Debug, Serialize)]
pub struct WriteDaemonJson {
    /// Keys that are set.
    pub set: Vec<String>,
    /// Keys that are removed.
    pub unset: Vec<String>,
}

impl fmt::Display for WriteDaemonJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.set.is_empty(), self.unset.is_empty()) {
            (false, true) => write!(f, "set {} in daemon.json", self.set.join(", ")),
            (true, _) => write!(f, "remove {} from daemon.json", self.unset.join(", ")),
            (false, false) => write!(
                f,
                "set {} in daemon.json and remove {} from it",
                self.set.join(", "),
                self.unset.join(", ")
            ),
        }
    }
}

/// Decides; pure. A file that is not JSON is refused by the validation, before any change.
fn decide(
    shared: &Shared,
    id: HostId,
    facts: &Facts,
) -> Result<Option<(daemon_json::Edit, Owned)>, daemon_json::DaemonJsonError> {
    let wanted = shared.daemon_json(id, facts);
    let mut owned = facts.owned.clone();
    let text = facts.texts.daemon_json.as_deref();
    let edit = daemon_json::plan(text, &wanted, &mut owned.daemon_json)?;
    Ok(edit.map(|edit| {
        let text = edit.text.as_deref().unwrap_or(EMPTY);
        // By this the engine is known to need a restart until it has had one.
        owned
            .files
            .insert(daemon_json::PATH.to_owned(), configurer::owned::hash(text));
        (edit, owned)
    }))
}

/// Returns why the file of a host cannot be changed, where it has to be.
pub fn problem(shared: &Shared, id: HostId, facts: &Facts) -> Option<String> {
    let error = decide(shared, id, facts).err()?;
    let mut text = error.to_string();
    if let Some(cause) = std::error::Error::source(&error) {
        text = format!("{text}: {cause}");
    }
    let needed = !shared.daemon_json(id, facts).is_empty() || !facts.owned.daemon_json.is_empty();
    needed.then_some(text)
}

#[async_trait]
impl HostPhase<MkeDomain> for ConfigureMcr {
    type Change = WriteDaemonJson;

    fn id(&self) -> &'static str {
        "configure-mcr"
    }

    fn title(&self) -> &'static str {
        "Configure Mirantis Container Runtime on the hosts"
    }

    fn plan(&self, view: &HostView<'_, MkeDomain>) -> Plan<WriteDaemonJson> {
        match decide(view.shared, view.host, view.facts) {
            Ok(Some((edit, _))) => {
                let change = WriteDaemonJson {
                    set: edit.set,
                    unset: edit.unset,
                };
                Plan::step(
                    view.host,
                    change,
                    "`mcrConfig` of the host differs",
                    Disruption::Live,
                )
            }
            Ok(None) | Err(_) => Plan::skip("daemon.json says what it should on every host"),
        }
    }

    fn predict(&self, view: &HostView<'_, MkeDomain>, _: &WriteDaemonJson, facts: &mut Facts) {
        if let Ok(Some((edit, owned))) = decide(view.shared, view.host, view.facts) {
            let text = edit.text.unwrap_or_else(|| EMPTY.to_owned());
            facts.files.daemon_json = Some(text_hash(&text));
            facts.texts.daemon_json = Some(text);
            facts.engine.needs_restart |= facts.engine.state == EngineState::Running;
            facts.owned = owned;
        }
    }

    async fn run(
        &self,
        cx: &Context<MkeDomain>,
        _cluster: &Cluster,
        id: HostId,
        _change: &WriteDaemonJson,
        facts: &mut Facts,
    ) -> Result<(), Failure> {
        let decided = decide(&cx.shared, id, facts).map_err(|error| {
            Failure::new("cannot change the engine's configuration").caused_by(&error)
        })?;
        let Some((edit, owned)) = decided else {
            return Ok(());
        };
        let text = edit.text.unwrap_or_else(|| EMPTY.to_owned());
        let actions = [
            owned.record(),
            Action::Write {
                path: daemon_json::PATH.to_owned(),
                mode: "0600",
                content: SecretString::from(text),
            },
        ];
        let host = cx.shared.host(id)?;
        carry_out(host, &actions)
            .await
            .map_err(|error| explain_action(&error))?;
        take_over(facts, gather(cx, id).await?);
        Ok(())
    }
}
