//! MKE as the phase manager sees it.

use std::collections::BTreeMap;

use config::Role;
use phase::{Domain, HostId};

use super::cluster::{self, Cluster};
use super::facts::Facts;
use super::shared::Shared;

/// The product: MCR, MKE and MSR.
pub struct MkeDomain;

impl Domain for MkeDomain {
    type Shared = Shared;
    type Facts = Facts;
    type Cluster = Cluster;

    fn summarise(shared: &Shared, facts: &BTreeMap<HostId, Facts>, cluster: &mut Cluster) {
        cluster::summarise(shared, facts, cluster);
    }

    fn may_be_set_aside(shared: &Shared, host: HostId) -> bool {
        shared.role(host) == Role::Worker
    }
}
