//! Runs the user's hooks of a host, before or after an action.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use phase::failure::FailedCommand;
use phase::{Context, Disruption, Failure, HostId, HostPhase, HostView, Plan};
use rig::command::{Command, Effect};
use serde::Serialize;

use crate::mke::cluster::Cluster;
use crate::mke::domain::MkeDomain;
use crate::mke::facts::Facts;
use crate::mke::failure::{explain, last_lines};

/// How long one hook may take.
const LIMIT: Duration = Duration::from_secs(30 * 60);

/// When hooks run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before `apply`.
    BeforeApply,
    /// After `apply`.
    AfterApply,
    /// Before `reset`.
    BeforeReset,
    /// After `reset`.
    AfterReset,
}

/// Runs the hooks of one moment.
pub struct RunHooks(pub Moment);

/// Run the hooks of one host, in their order.
#[derive(Debug, Serialize)]
pub struct RunHooksOfHost {
    /// How many there are; their text may hold secrets.
    pub count: usize,
}

impl fmt::Display for RunHooksOfHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            1 => f.write_str("run 1 hook"),
            count => write!(f, "run {count} hooks"),
        }
    }
}

impl RunHooks {
    fn commands<'a>(&self, host: &'a config::Host) -> &'a [String] {
        match self.0 {
            Moment::BeforeApply => &host.hooks.apply.before,
            Moment::AfterApply => &host.hooks.apply.after,
            Moment::BeforeReset => &host.hooks.reset.before,
            Moment::AfterReset => &host.hooks.reset.after,
        }
    }
}

#[async_trait]
impl HostPhase<MkeDomain> for RunHooks {
    type Change = RunHooksOfHost;

    fn id(&self) -> &'static str {
        match self.0 {
            Moment::BeforeApply => "run-before-apply-hooks",
            Moment::AfterApply => "run-after-apply-hooks",
            Moment::BeforeReset => "run-before-reset-hooks",
            Moment::AfterReset => "run-after-reset-hooks",
        }
    }

    fn title(&self) -> &'static str {
        match self.0 {
            Moment::BeforeApply => "Run Before Apply Hooks",
            Moment::AfterApply => "Run After Apply Hooks",
            Moment::BeforeReset => "Run Before Reset Hooks",
            Moment::AfterReset => "Run After Reset Hooks",
        }
    }

    fn plan(&self, view: &HostView<'_, MkeDomain>) -> Plan<RunHooksOfHost> {
        let count = self.commands(view.shared.host_config(view.host)).len();
        if count == 0 {
            return Plan::skip("no host has such hooks");
        }
        let change = RunHooksOfHost { count };
        Plan::step(view.host, change, "hooks run every time", Disruption::None)
    }

    fn predict(&self, _: &HostView<'_, MkeDomain>, _: &RunHooksOfHost, _: &mut Facts) {}

    async fn run(
        &self,
        cx: &Context<MkeDomain>,
        _cluster: &Cluster,
        id: HostId,
        _change: &RunHooksOfHost,
        _facts: &mut Facts,
    ) -> Result<(), Failure> {
        let host = cx.shared.host(id)?;
        let commands = self.commands(cx.shared.host_config(id));
        for (index, text) in commands.iter().enumerate() {
            let number = index + 1;
            let command = Command::raw(text, Effect::Change)
                .title(format!("hook {number} of {}", commands.len()))
                .timeout(LIMIT);
            let mut show = |line: &str| cx.progress(id, format!("hook {number}: {line}"));
            let ended = host
                .stream(command, &mut show)
                .await
                .map_err(|error| explain(&format!("hook {number} could not be run"), &error))?;
            if !ended.status.success() {
                return Err(Failure::new(format!("hook {number} failed"))
                    .command(FailedCommand {
                        command: format!("hook {number} of {}", commands.len()),
                        status: ended.status.to_string(),
                        stderr_tail: last_lines(&ended.stderr),
                    })
                    .hint("check `hooks` of this host"));
            }
        }
        Ok(())
    }
}
