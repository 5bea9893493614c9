//! Restarts the engines of workers whose configuration has changed, a few at a time.

use async_trait::async_trait;
use phase::{Context, Disruption, Failure, HostId, HostPhase, HostView, Plan, Work};

use crate::mke::cluster::Cluster;
use crate::mke::domain::MkeDomain;
use crate::mke::facts::Facts;
use crate::mke::phase::restart_mcr::{
    RestartEngine, predict_restart, restart, take_over, why_restart,
};

/// Restarts the engines of workers.
pub struct RestartMcrOnWorkers;

#[async_trait]
impl HostPhase<MkeDomain> for RestartMcrOnWorkers {
    type Change = RestartEngine;

    fn id(&self) -> &'static str {
        "restart-mcr-on-workers"
    }

    fn title(&self) -> &'static str {
        "Restart Mirantis Container Runtime on the workers"
    }

    fn work(&self) -> Work {
        Work::DisruptiveWorker
    }

    fn plan(&self, view: &HostView<'_, MkeDomain>) -> Plan<RestartEngine> {
        if view.shared.is_manager(view.host) {
            return Plan::skip("managers are restarted one by one");
        }
        match why_restart(view.facts) {
            None => Plan::skip("the engine of every worker runs with its configuration"),
            Some(why) => Plan::step(view.host, RestartEngine, why, Disruption::Restart),
        }
    }

    fn predict(&self, _: &HostView<'_, MkeDomain>, _: &RestartEngine, facts: &mut Facts) {
        predict_restart(facts);
    }

    async fn run(
        &self,
        cx: &Context<MkeDomain>,
        _cluster: &Cluster,
        id: HostId,
        _change: &RestartEngine,
        facts: &mut Facts,
    ) -> Result<(), Failure> {
        let seen = restart(cx, id).await?;
        take_over(facts, seen);
        Ok(())
    }
}
