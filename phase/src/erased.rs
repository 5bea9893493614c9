//! One form behind all phases, whatever their type of change.

use std::any::Any;

use async_trait::async_trait;

use crate::context::Context;
use crate::domain::{Assembly, Domain, HostId, HostView};
use crate::failure::Failure;
use crate::limits::Work;
use crate::phases::{HostPhase, Meeting};
use crate::plan::{Plan, Step};

/// A change without its type.
pub(crate) struct AnyChange {
    pub(crate) what: String,
    pub(crate) value: serde_json::Value,
    inner: Box<dyn Any + Send + Sync>,
}

pub(crate) type AnyStep = Step<AnyChange>;

impl AnyChange {
    fn new<C: std::fmt::Display + serde::Serialize + Send + Sync + 'static>(change: C) -> Self {
        Self {
            what: change.to_string(),
            value: serde_json::to_value(&change).unwrap_or_default(),
            inner: Box::new(change),
        }
    }

    fn typed<C: 'static>(&self) -> Result<&C, Failure> {
        self.inner
            .downcast_ref()
            .ok_or_else(|| Failure::new("a step was handed to a phase that did not plan it"))
    }
}

fn erase<C: std::fmt::Display + serde::Serialize + Send + Sync + 'static>(
    plan: Plan<C>,
) -> Plan<AnyChange> {
    match plan {
        Plan::Skip(reason) => Plan::Skip(reason),
        Plan::Steps(steps) => Plan::Steps(
            steps
                .into_iter()
                .map(|step| Step {
                    host: step.host,
                    change: AnyChange::new(step.change),
                    why: step.why,
                    disruption: step.disruption,
                })
                .collect(),
        ),
    }
}

pub(crate) struct Erased<P>(pub(crate) P);

#[async_trait]
pub(crate) trait AnyHostPhase<D: Domain>: Send + Sync {
    fn id(&self) -> &'static str;
    fn title(&self) -> &'static str;
    fn work(&self) -> Work;
    fn plan(&self, view: &HostView<'_, D>) -> Plan<AnyChange>;
    fn predict(&self, view: &HostView<'_, D>, change: &AnyChange, facts: &mut D::Facts);
    async fn run(
        &self,
        cx: &Context<D>,
        cluster: &D::Cluster,
        host: HostId,
        change: &AnyChange,
        facts: &mut D::Facts,
    ) -> Result<(), Failure>;
    async fn clean_up(
        &self,
        cx: &Context<D>,
        host: HostId,
        change: &AnyChange,
        facts: &mut D::Facts,
    ) -> Result<bool, Failure>;
}

#[async_trait]
impl<D: Domain, P: HostPhase<D>> AnyHostPhase<D> for Erased<P> {
    fn id(&self) -> &'static str {
        self.0.id()
    }

    fn title(&self) -> &'static str {
        self.0.title()
    }

    fn work(&self) -> Work {
        self.0.work()
    }

    fn plan(&self, view: &HostView<'_, D>) -> Plan<AnyChange> {
        erase(self.0.plan(view))
    }

    fn predict(&self, view: &HostView<'_, D>, change: &AnyChange, facts: &mut D::Facts) {
        if let Ok(change) = change.typed() {
            self.0.predict(view, change, facts);
        }
    }

    async fn run(
        &self,
        cx: &Context<D>,
        cluster: &D::Cluster,
        host: HostId,
        change: &AnyChange,
        facts: &mut D::Facts,
    ) -> Result<(), Failure> {
        self.0.run(cx, cluster, host, change.typed()?, facts).await
    }

    async fn clean_up(
        &self,
        cx: &Context<D>,
        host: HostId,
        change: &AnyChange,
        facts: &mut D::Facts,
    ) -> Result<bool, Failure> {
        self.0.clean_up(cx, host, change.typed()?, facts).await
    }
}

#[async_trait]
pub(crate) trait AnyMeeting<D: Domain>: Send + Sync {
    fn id(&self) -> &'static str;
    fn title(&self) -> &'static str;
    fn invites(&self, shared: &D::Shared, cluster: &D::Cluster) -> Vec<HostId>;
    fn plan(&self, assembly: &Assembly<D>) -> Plan<AnyChange>;
    fn predict(&self, step: &AnyStep, assembly: &mut Assembly<D>);
    async fn run(
        &self,
        cx: &Context<D>,
        step: &AnyStep,
        assembly: &mut Assembly<D>,
    ) -> Result<(), Failure>;
    async fn clean_up(
        &self,
        cx: &Context<D>,
        step: &AnyStep,
        assembly: &mut Assembly<D>,
    ) -> Result<bool, Failure>;
}

/// Returns the step around a reference to its typed change.
fn typed_step<C: 'static>(step: &AnyStep) -> Result<Step<&C>, Failure> {
    Ok(Step {
        host: step.host,
        change: step.change.typed()?,
        why: step.why.clone(),
        disruption: step.disruption,
    })
}

#[async_trait]
impl<D: Domain, M: Meeting<D>> AnyMeeting<D> for Erased<M> {
    fn id(&self) -> &'static str {
        self.0.id()
    }

    fn title(&self) -> &'static str {
        self.0.title()
    }

    fn invites(&self, shared: &D::Shared, cluster: &D::Cluster) -> Vec<HostId> {
        self.0.invites(shared, cluster)
    }

    fn plan(&self, assembly: &Assembly<D>) -> Plan<AnyChange> {
        erase(self.0.plan(assembly))
    }

    fn predict(&self, step: &AnyStep, assembly: &mut Assembly<D>) {
        if let Ok(step) = typed_step(step) {
            self.0.predict(&step, assembly);
        }
    }

    async fn run(
        &self,
        cx: &Context<D>,
        step: &AnyStep,
        assembly: &mut Assembly<D>,
    ) -> Result<(), Failure> {
        self.0.run(cx, &typed_step(step)?, assembly).await
    }

    async fn clean_up(
        &self,
        cx: &Context<D>,
        step: &AnyStep,
        assembly: &mut Assembly<D>,
    ) -> Result<bool, Failure> {
        self.0.clean_up(cx, &typed_step(step)?, assembly).await
    }
}
