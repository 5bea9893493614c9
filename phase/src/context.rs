//! What a running phase may use beside its facts.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use crate::domain::{Domain, HostId, Roster};
use crate::event::{Emitter, Event};
use crate::limits::{Limits, Work};
use crate::stop::Stop;

/// What a running phase may use: the shared world of the product, events, the stop signal.
pub struct Context<D: Domain> {
    /// Configuration and host handles.
    pub shared: Arc<D::Shared>,
    /// The stop signal of the run.
    pub stop: Stop,
    /// The bounds of the run.
    pub limits: Limits,
    /// The names of the hosts.
    pub roster: Roster,
    /// Id of the phase that runs.
    pub phase: &'static str,
    pub(crate) emitter: Emitter,
}

impl<D: Domain> Clone for Context<D> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            stop: self.stop.clone(),
            limits: self.limits.clone(),
            roster: self.roster.clone(),
            phase: self.phase,
            emitter: self.emitter.clone(),
        }
    }
}

impl<D: Domain> Context<D> {
    /// Emits an event.
    pub fn emit(&self, event: Event) {
        self.emitter.emit(event);
    }

    /// Says how far a long step is.
    pub fn progress(&self, host: HostId, message: impl Into<String>) {
        self.emit(Event::Progress {
            phase: self.phase.to_owned(),
            host: self.roster.name(host).to_owned(),
            message: message.into(),
        });
    }

    /// Warns about one host, or about the cluster.
    pub fn warn(&self, host: Option<HostId>, message: impl Into<String>, hint: Option<&str>) {
        self.emit(Event::Warning {
            host: host.map(|id| self.roster.name(id).to_owned()),
            message: message.into(),
            hint: hint.map(str::to_owned),
        });
    }

    /// Does something on each of `items` at the same time, within the bound of `work`.
    ///
    /// Results come back in the order of `items`. An item whose turn has not come when the run
    /// starts to stop yields `None`.
    pub async fn on_each_host<T, R, F>(
        &self,
        items: impl IntoIterator<Item = T>,
        work: Work,
        action: impl Fn(T) -> F,
    ) -> Vec<Option<R>>
    where
        F: Future<Output = R>,
    {
        let action = &action;
        let mut running: FuturesUnordered<_> = items
            .into_iter()
            .enumerate()
            .map(|(index, item)| async move {
                let permits = self.limits.enter(work, &self.stop).await;
                let result = match permits {
                    Some(_held) => Some(action(item).await),
                    None => None,
                };
                (index, result)
            })
            .collect();
        let mut results: Vec<Option<R>> = (0..running.len()).map(|_| None).collect();
        while let Some((index, result)) = running.next().await {
            results[index] = result;
        }
        results
    }
}
