//! What a product supplies to the manager, and the views of it that phases get.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

/// The types of one product.
pub trait Domain: Send + Sync + Sized + 'static {
    /// Configuration and host handles; does not change during a run.
    type Shared: Send + Sync;
    /// What is known about one host. Holds no secret: plans and events print it.
    type Facts: Clone + Default + Serialize + Send + Sync;
    /// What is known about the cluster as a whole; written only between observations and by
    /// meetings.
    type Cluster: Clone + Default + Serialize + Send + Sync;

    /// Derives the facts of the cluster from those of all its hosts. Pure.
    fn summarise(
        shared: &Self::Shared,
        facts: &BTreeMap<HostId, Self::Facts>,
        cluster: &mut Self::Cluster,
    );

    /// Whether the run may go on without this host when the budget allows it (workers).
    fn may_be_set_aside(shared: &Self::Shared, host: HostId) -> bool;
}

/// The place of a host in the configuration, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct HostId(pub usize);

impl fmt::Display for HostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// The names of all hosts, in configuration order.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    names: Arc<[String]>,
}

impl Roster {
    /// Makes a roster from the names in configuration order.
    pub fn new(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            names: names.into_iter().map(Into::into).collect(),
        }
    }

    /// Returns the number of hosts.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Returns whether there is no host.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Returns all ids in configuration order.
    pub fn ids(&self) -> impl Iterator<Item = HostId> + use<> {
        (0..self.names.len()).map(HostId)
    }

    /// Returns the name of a host; `?` for an id that is not on the roster.
    pub fn name(&self, host: HostId) -> &str {
        self.names.get(host.0).map_or("?", String::as_str)
    }

    /// Returns all names in configuration order.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

/// What the plan of a host phase may look at.
pub struct HostView<'a, D: Domain> {
    /// Configuration and host handles.
    pub shared: &'a D::Shared,
    /// Facts of the cluster, as of the last meeting.
    pub cluster: &'a D::Cluster,
    /// The host in question.
    pub host: HostId,
    /// Its facts.
    pub facts: &'a D::Facts,
}

/// The hosts of a meeting with their facts, and the facts of the cluster.
pub struct Assembly<D: Domain> {
    /// Configuration and host handles.
    pub shared: Arc<D::Shared>,
    /// Facts of the cluster; what a meeting leaves here is published at its end.
    pub cluster: D::Cluster,
    /// The facts of the hosts that were invited and came, in configuration order.
    pub hosts: BTreeMap<HostId, D::Facts>,
}

impl<D: Domain> Clone for Assembly<D> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            cluster: self.cluster.clone(),
            hosts: self.hosts.clone(),
        }
    }
}
