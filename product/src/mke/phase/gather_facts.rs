//! Gathers the facts of a host: one script, one round trip.

use std::time::Duration;

use async_trait::async_trait;
use phase::{Context, Event, Failure, HostId, Observe, Work};
use rig::command::{Command, Effect};
use rig::privilege::Privilege;

use crate::mke::domain::MkeDomain;
use crate::mke::facts::parse::{Question, parse};
use crate::mke::facts::{Facts, SCRIPT};
use crate::mke::failure::explain;
use crate::mke::shared::Shared;

/// How long the whole script may take; its parts have limits of their own.
const LIMIT: Duration = Duration::from_secs(180);

/// Gathers facts.
pub struct GatherFacts;

#[async_trait]
impl Observe<MkeDomain> for GatherFacts {
    fn id(&self) -> &'static str {
        "gather-facts"
    }

    fn title(&self) -> &'static str {
        "Gather Facts"
    }

    fn work(&self) -> Work {
        Work::Look
    }

    async fn observe(
        &self,
        cx: &Context<MkeDomain>,
        id: HostId,
        facts: &mut Facts,
    ) -> Result<(), Failure> {
        *facts = gather(cx, id).await?;
        let gathered = |fact: &str, value: serde_json::Value| {
            cx.emit(Event::FactGathered {
                host: Some(cx.roster.name(id).to_owned()),
                fact: fact.to_owned(),
                value,
            });
        };
        gathered("os", facts.os.name.clone().into());
        gathered("internal_address", facts.internal_address.clone().into());
        gathered(
            "engine",
            serde_json::to_value(&facts.engine).unwrap_or_default(),
        );
        Ok(())
    }
}

/// Sends the discovery script to a host and reads its answer.
///
/// # Errors
///
/// Fails where the host does not answer in time, or not as a host with a shell would.
pub async fn gather(cx: &Context<MkeDomain>, id: HostId) -> Result<Facts, Failure> {
    look(&cx.shared, id).await
}

/// The same outside of a run of phases.
///
/// # Errors
///
/// Fails where the host does not answer in time, or not as a host with a shell would.
pub async fn look(shared: &Shared, id: HostId) -> Result<Facts, Failure> {
    let host = shared.host(id)?;
    let config = shared.host_config(id);
    let mark = format!("launchpad-{}", shared.run_id);
    let mode = if config.sudooverride {
        "override"
    } else {
        "detect"
    };
    let command = Command::script(SCRIPT, Effect::Read)
        .args([mark.as_str(), mode])
        .arg(shared.config.mke.controller_port().to_string())
        .title("gather facts")
        .timeout(LIMIT)
        .sensitive_output();
    let asked_at = shared.clock.now();
    let output = host
        .run(command)
        .await
        .map_err(|error| explain("cannot gather the facts", &error))?;
    let answered_at = shared.clock.now();
    let question = Question {
        mark: &mark,
        private_interface: config.private_interface.as_deref(),
        address: config.address(),
        now: f64::midpoint(asked_at, answered_at),
        doubt: (answered_at - asked_at).abs() / 2.0,
    };
    let facts = parse(&output.stdout_text(), &question).map_err(|error| {
        Failure::new("cannot read the facts")
            .caused_by(&error)
            .hint("check that `/bin/sh` works on this host for the login user")
    })?;
    let found = Privilege::parse(&facts.privilege);
    host.adopt_privilege(found.ok_or_else(|| facts.no_privilege.clone().unwrap_or_default()));
    shared.note_lock(id, &facts);
    Ok(facts)
}
