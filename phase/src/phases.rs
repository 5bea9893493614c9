//! The traits of phases, and the list entry that holds one.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use serde::Serialize;

use crate::context::Context;
use crate::domain::{Assembly, Domain, HostId, HostView};
use crate::erased::{AnyHostPhase, AnyMeeting, Erased};
use crate::failure::Failure;
use crate::limits::Work;
use crate::plan::{Plan, Step};

/// Looks at a host and writes what it sees into its facts; changes nothing on it.
#[async_trait]
pub trait Observe<D: Domain>: Send + Sync + 'static {
    /// Id of the phase (`gather-facts`).
    fn id(&self) -> &'static str;

    /// Title of the phase ("Gather Facts").
    fn title(&self) -> &'static str;

    /// Returns whether this host has to be looked at, given what is known of it so far.
    fn is_needed(&self, _shared: &D::Shared, _host: HostId, _facts: &D::Facts) -> bool {
        true
    }

    /// The kind of work that it is.
    fn work(&self) -> Work {
        Work::Own
    }

    /// Looks at one host.
    ///
    /// # Errors
    ///
    /// Fails where the host cannot be reached or its answer cannot be read.
    async fn observe(
        &self,
        cx: &Context<D>,
        host: HostId,
        facts: &mut D::Facts,
    ) -> Result<(), Failure>;
}

/// How bad a complaint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The run stops before any change.
    Error,
    /// The run goes on.
    Warning,
}

/// One problem that a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The host it is about; `None` for the cluster.
    pub host: Option<HostId>,
    /// What is wrong, as a phrase.
    pub message: String,
    /// One step that mends it.
    pub hint: Option<String>,
    /// How bad it is.
    pub severity: Severity,
}

impl Complaint {
    /// Makes an error with its fix.
    pub fn error(
        host: impl Into<Option<HostId>>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            host: host.into(),
            message: message.into(),
            hint: Some(hint.into()),
            severity: Severity::Error,
        }
    }

    /// Makes a warning with its fix.
    pub fn warning(
        host: impl Into<Option<HostId>>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(host, message, hint)
        }
    }
}

/// Judges what was observed; pure. All complaints of all checks are reported at once.
pub trait Check<D: Domain>: Send + Sync + 'static {
    /// Id of the phase (`validate-facts`).
    fn id(&self) -> &'static str;

    /// Title of the phase ("Validate Facts").
    fn title(&self) -> &'static str;

    /// Returns every problem.
    fn check(
        &self,
        shared: &D::Shared,
        cluster: &D::Cluster,
        facts: &BTreeMap<HostId, D::Facts>,
    ) -> Vec<Complaint>;
}

/// Changes hosts one by one, each at its own pace, with its own facts.
#[async_trait]
pub trait HostPhase<D: Domain>: Send + Sync + 'static {
    /// What a step does; its `Display` is an imperative phrase, and neither form holds a secret.
    type Change: fmt::Display + Serialize + Send + Sync + 'static;

    /// Id of the phase (`install-mcr`).
    fn id(&self) -> &'static str;

    /// Title of the phase.
    fn title(&self) -> &'static str;

    /// The kind of work, which bounds how many hosts do it at the same time.
    fn work(&self) -> Work {
        Work::Own
    }

    /// Decides what to do with one host; pure.
    fn plan(&self, view: &HostView<'_, D>) -> Plan<Self::Change>;

    /// Writes the facts that a change will lead to; pure.
    fn predict(&self, view: &HostView<'_, D>, change: &Self::Change, facts: &mut D::Facts);

    /// Carries one step out and reads back the facts that it predicted.
    ///
    /// # Errors
    ///
    /// Fails where the host does not do what it should; a broken prediction is found by the
    /// manager.
    async fn run(
        &self,
        cx: &Context<D>,
        cluster: &D::Cluster,
        host: HostId,
        change: &Self::Change,
        facts: &mut D::Facts,
    ) -> Result<(), Failure>;

    /// Removes what a failed step of this run has made; nothing that was there before.
    ///
    /// # Errors
    ///
    /// A failure here is reported beside the one that led to it.
    async fn clean_up(
        &self,
        _cx: &Context<D>,
        _host: HostId,
        _change: &Self::Change,
        _facts: &mut D::Facts,
    ) -> Result<bool, Failure> {
        Ok(false)
    }
}

/// Changes the cluster: needs several hosts at the same place in the list.
#[async_trait]
pub trait Meeting<D: Domain>: Send + Sync + 'static {
    /// What a step does; its `Display` is an imperative phrase, and neither form holds a secret.
    type Change: fmt::Display + Serialize + Send + Sync + 'static;

    /// Id of the phase (`install-mke`).
    fn id(&self) -> &'static str;

    /// Title of the phase.
    fn title(&self) -> &'static str;

    /// Returns whom the meeting needs: as few as the truth allows. Pure.
    fn invites(&self, shared: &D::Shared, cluster: &D::Cluster) -> Vec<HostId>;

    /// Decides what to do, step by step in order; pure.
    fn plan(&self, assembly: &Assembly<D>) -> Plan<Self::Change>;

    /// Writes the facts that a step will lead to; pure.
    fn predict(&self, step: &Step<&Self::Change>, assembly: &mut Assembly<D>);

    /// Carries one step out and reads back the facts that it predicted.
    ///
    /// # Errors
    ///
    /// Fails where the cluster does not do what it should.
    async fn run(
        &self,
        cx: &Context<D>,
        step: &Step<&Self::Change>,
        assembly: &mut Assembly<D>,
    ) -> Result<(), Failure>;

    /// Removes what a failed step of this run has made; nothing that was there before. Returns
    /// whether there was anything to remove.
    ///
    /// # Errors
    ///
    /// A failure here is reported beside the one that led to it.
    async fn clean_up(
        &self,
        _cx: &Context<D>,
        _step: &Step<&Self::Change>,
        _assembly: &mut Assembly<D>,
    ) -> Result<bool, Failure> {
        Ok(false)
    }
}

/// Tidies a host at the end of a run, whatever its end; must be quick and may be run twice.
#[async_trait]
pub trait Closing<D: Domain>: Send + Sync + 'static {
    /// Id of the phase (`close-connection`).
    fn id(&self) -> &'static str;

    /// Tidies one host.
    ///
    /// # Errors
    ///
    /// A failure is reported as a warning.
    async fn close(
        &self,
        cx: &Context<D>,
        host: HostId,
        facts: &mut D::Facts,
    ) -> Result<(), Failure>;
}

/// An entry of the list of phases that change something.
pub struct Phase<D: Domain> {
    pub(crate) kind: Kind<D>,
}

pub(crate) enum Kind<D: Domain> {
    Host(Box<dyn AnyHostPhase<D>>),
    Meeting(Box<dyn AnyMeeting<D>>),
}

impl<D: Domain> Phase<D> {
    /// Makes the entry of a host phase.
    pub fn host(phase: impl HostPhase<D>) -> Self {
        Self {
            kind: Kind::Host(Box::new(Erased(phase))),
        }
    }

    /// Makes the entry of a meeting.
    pub fn meeting(meeting: impl Meeting<D>) -> Self {
        Self {
            kind: Kind::Meeting(Box::new(Erased(meeting))),
        }
    }

    /// Returns the id of the phase.
    pub fn id(&self) -> &'static str {
        match &self.kind {
            Kind::Host(phase) => phase.id(),
            Kind::Meeting(meeting) => meeting.id(),
        }
    }

    /// Returns the title of the phase.
    pub fn title(&self) -> &'static str {
        match &self.kind {
            Kind::Host(phase) => phase.title(),
            Kind::Meeting(meeting) => meeting.title(),
        }
    }
}
