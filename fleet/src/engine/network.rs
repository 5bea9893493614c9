//! Networks of an engine. Nothing passes through them; they are there and can be looked at.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::Rng;

use super::names;

/// A network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Network {
    /// Its id.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// `bridge`, `host`, `null`, `overlay`.
    pub(crate) driver: String,
    /// `local` or `swarm`.
    pub(crate) scope: String,
    /// Its addresses; none for `host` and `none`.
    pub(crate) subnet: Option<String>,
    /// Its labels.
    pub(crate) labels: BTreeMap<String, String>,
    /// Whether it is of no use for others.
    pub(crate) is_internal: bool,
    /// Whether single containers may use it.
    pub(crate) is_attachable: bool,
    /// When it was made.
    pub(crate) created: Duration,
}

/// The networks that cannot be removed.
pub(crate) const PREDEFINED: &[&str] = &["bridge", "host", "none"];

impl Network {
    /// Makes a network of this host.
    pub(crate) fn local(
        rng: &mut impl Rng,
        name: &str,
        driver: &str,
        subnet: Option<&str>,
        created: Duration,
    ) -> Self {
        Self {
            id: names::hex(rng, 32),
            name: name.to_owned(),
            driver: driver.to_owned(),
            scope: "local".to_owned(),
            subnet: subnet.map(str::to_owned),
            labels: BTreeMap::new(),
            is_internal: false,
            is_attachable: false,
            created,
        }
    }
}

/// Returns the networks that every engine has.
pub(crate) fn predefined(rng: &mut impl Rng, now: Duration) -> BTreeMap<String, Network> {
    [
        ("bridge", "bridge", Some("172.17.0.0/16")),
        ("host", "host", None),
        ("none", "null", None),
    ]
    .into_iter()
    .map(|(name, driver, subnet)| {
        let network = Network::local(rng, name, driver, subnet, now);
        (name.to_owned(), network)
    })
    .collect()
}

/// Adds what a member of a swarm has.
pub(crate) fn add_swarm(
    networks: &mut BTreeMap<String, Network>,
    rng: &mut impl Rng,
    ingress: &Network,
    now: Duration,
) {
    networks
        .entry("docker_gwbridge".to_owned())
        .or_insert_with(|| {
            Network::local(rng, "docker_gwbridge", "bridge", Some("172.18.0.0/16"), now)
        });
    networks.insert("ingress".to_owned(), ingress.clone());
}
