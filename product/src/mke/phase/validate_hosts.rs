//! Finds every problem of every host before anything is changed, each with its fix.

use std::collections::BTreeMap;

use configurer::proxy;
use phase::{Check, Complaint, HostId};

use crate::mke::cluster::{Cluster, Mke};
use crate::mke::domain::MkeDomain;
use crate::mke::facts::{EngineState, Facts};
use crate::mke::phase::configure_mcr;
use crate::mke::shared::Shared;

/// The least main memory of a manager and of a worker, in bytes: 8 GB and 4 GB after the system
/// requirements of UCP 3.2, less what a machine of that size keeps for itself.
const LEAST_MEMORY: (u64, u64) = (7_500_000_000, 3_700_000_000);
/// The least free disk of a manager and of a worker, in bytes: 10 GB and 500 MB in `/var`.
const LEAST_DISK: (u64, u64) = (10_000_000_000, 500_000_000);
/// How far the clocks of two hosts may be apart, in seconds: certificates and raft suffer beyond.
const LARGEST_SKEW: f64 = 5.0;

/// TCP ports that MKE takes on every host, beside those of managers (MKE 3.8, `mke install`).
const PORTS_ALL: &[u16] = &[179, 6444, 7946, 9099, 10250, 12376, 12378];
/// TCP ports that MKE takes on managers.
const PORTS_MANAGER: &[u16] = &[
    2376, 2377, 6443, 12379, 12380, 12381, 12382, 12383, 12384, 12385, 12386, 12387, 12388, 12390,
];

/// Validates hosts.
pub struct ValidateHosts;

impl Check<MkeDomain> for ValidateHosts {
    fn id(&self) -> &'static str {
        "validate-hosts"
    }

    fn title(&self) -> &'static str {
        "Validate Hosts"
    }

    fn check(
        &self,
        shared: &Shared,
        cluster: &Cluster,
        facts: &BTreeMap<HostId, Facts>,
    ) -> Vec<Complaint> {
        let mut found = Vec::new();
        for (&id, facts) in facts {
            found.extend(system(shared, id, facts));
            let refused = privilege(id, facts);
            // Without root, half of the facts are missing: whatever they seem to say is not it.
            let is_seen = refused.is_empty();
            found.extend(refused);
            if !is_seen {
                continue;
            }
            found.extend(names(id, facts));
            found.extend(proxies(shared, id, facts));
            if cluster.mke == Mke::Absent || !facts.swarm.is_member() {
                found.extend(resources(shared, id, facts));
                found.extend(ports(shared, id, facts));
            }
            found.extend(sources(id, facts));
            found.extend(files(shared, id, facts));
        }
        found.extend(clashes(shared, facts));
        found.extend(clocks(facts));
        found
    }
}

pub(in crate::mke) fn system(shared: &Shared, id: HostId, facts: &Facts) -> Vec<Complaint> {
    match shared.selection(facts) {
        Ok(selection) => selection
            .warning
            .map(|warning| {
                Complaint::warning(
                    id,
                    warning,
                    "tell us whether it works, so that we can list it",
                )
            })
            .into_iter()
            .collect(),
        Err(error) => vec![Complaint::error(
            id,
            error.to_string(),
            "use a host with Ubuntu, RHEL, CentOS, Rocky Linux, Oracle Linux or SLES",
        )],
    }
}

pub(in crate::mke) fn privilege(id: HostId, facts: &Facts) -> Vec<Complaint> {
    if facts.privilege != "none" {
        return Vec::new();
    }
    let refusal = facts.no_privilege.clone().unwrap_or_default();
    vec![Complaint::error(
        id,
        format!("`{}` is not root, and {}", facts.login, refusal.said()),
        refusal.hint().replace("USER", &facts.login),
    )]
}

/// The engine gets its proxies from a drop-in of systemd; what other inits read is a file of the
/// engine's package, which is not ours.
fn proxies(shared: &Shared, id: HostId, facts: &Facts) -> Option<Complaint> {
    let is_wanted = proxy::drop_in(&shared.environment(id)).is_some();
    (is_wanted && facts.init == "openrc").then(|| {
        Complaint::error(
            id,
            "the host has OpenRC, and launchpad sets the proxies of an engine only with systemd",
            "take the `*_PROXY` variables out of `environment` of this host, and export them in \
             /etc/default/docker and /etc/environment yourself",
        )
    })
}

fn names(id: HostId, facts: &Facts) -> Vec<Complaint> {
    let mut found = Vec::new();
    if !facts.localhost_resolves {
        found.push(Complaint::error(
            id,
            "the name `localhost` does not resolve",
            "add `127.0.0.1 localhost` to /etc/hosts",
        ));
    }
    let own = facts
        .addresses
        .iter()
        .any(|one| one.address.to_string() == facts.internal_address);
    if !own {
        found.push(Complaint::error(
            id,
            format!(
                "the internal address `{}` is not an address of the host",
                facts.internal_address
            ),
            "set `privateInterface` of this host to the interface of its private network",
        ));
    }
    found
}

fn resources(shared: &Shared, id: HostId, facts: &Facts) -> Vec<Complaint> {
    let pick = |(manager, worker)| {
        if shared.is_manager(id) {
            manager
        } else {
            worker
        }
    };
    let role = if shared.is_manager(id) {
        "manager"
    } else {
        "worker"
    };
    let gigabytes =
        |bytes: u64| format!("{}.{} GB", bytes / 1_000_000_000, bytes / 100_000_000 % 10);
    let mut found = Vec::new();
    let (memory, least) = (facts.machine.memory_bytes, pick(LEAST_MEMORY));
    if memory > 0 && memory < least {
        found.push(Complaint::warning(
            id,
            format!(
                "a {role} wants {} of memory, the host has {}",
                gigabytes(least),
                gigabytes(memory)
            ),
            "give the host more memory; MKE itself refuses where it is far too little",
        ));
    }
    let (disk, least) = (facts.machine.free_disk_bytes, pick(LEAST_DISK));
    if disk > 0 && disk < least {
        found.push(Complaint::error(
            id,
            format!(
                "a {role} needs {} of free disk under /var/lib/docker, the host has {}",
                gigabytes(least),
                gigabytes(disk)
            ),
            "make room there, or give the host a larger disk",
        ));
    }
    found
}

/// Ports that somebody else listens on, where neither swarm nor MKE is there yet.
fn ports(shared: &Shared, id: HostId, facts: &Facts) -> Vec<Complaint> {
    let is_taken_by_us =
        facts.swarm.is_member() || !facts.mke.containers.is_empty() || facts.bootstrap.is_some();
    // An engine that hangs holds the ports of its swarm, and does not say so.
    if is_taken_by_us || matches!(facts.engine.state, EngineState::Silent(_)) {
        return Vec::new();
    }
    let controller = shared.config.mke.controller_port();
    let mut wanted: Vec<u16> = PORTS_ALL.to_vec();
    if shared.is_manager(id) {
        wanted.push(controller);
        wanted.extend(PORTS_MANAGER);
    }
    let taken: Vec<String> = wanted
        .into_iter()
        .filter(|port| facts.listening.contains(port))
        .map(|port| port.to_string())
        .collect();
    if taken.is_empty() {
        return Vec::new();
    }
    vec![Complaint::error(
        id,
        format!(
            "something listens on ports that MKE needs: {}",
            taken.join(", ")
        ),
        "see `ss -ltnp` on the host, and stop what listens there",
    )]
}

fn sources(id: HostId, facts: &Facts) -> Vec<Complaint> {
    facts
        .unreachable_sources
        .iter()
        .map(|(source, said)| {
            Complaint::error(
                id,
                format!("the host does not reach `{source}`: {said}"),
                way_to(source, said),
            )
        })
        .collect()
}

/// Returns what helps where a source is not reached: a repository by its URL, or a registry by its
/// name.
fn way_to(source: &str, said: &str) -> String {
    // 60 is the status of curl for a certificate that nobody it knows has signed.
    let is_distrusted = said.starts_with("curl: (60)");
    match (is_distrusted, source.contains("://")) {
        (true, true) => "add its CA to the trusted ones of the host (`update-ca-certificates`, \
                         `update-ca-trust`), then run again"
            .to_owned(),
        (true, false) => format!(
            "put the CA certificate of the registry into `/etc/docker/certs.d/{source}/ca.crt` on \
             the host, then run again"
        ),
        (false, _) => {
            "check the host's route, DNS, proxy (`environment`) and CA certificates, and \
                       `spec.mcr.repoURL` or `spec.mke.imageRepo`"
                .to_owned()
        }
    }
}

/// Files of the host that cannot be changed as they are, and variables that no file can hold.
fn files(shared: &Shared, id: HostId, facts: &Facts) -> Vec<Complaint> {
    let mut found = Vec::new();
    if let Some(problem) = configure_mcr::problem(shared, id, facts) {
        found.push(Complaint::error(
            id,
            problem,
            "mend the file, or move it out of the way",
        ));
    }
    let environment = shared.environment(id);
    let pairs = environment
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    if let Err(error) = configurer::environment::check(pairs) {
        found.push(Complaint::error(
            id,
            error.to_string(),
            "change `environment` of this host",
        ));
    }
    found
}

/// Host names and internal addresses that two hosts share.
fn clashes(shared: &Shared, facts: &BTreeMap<HostId, Facts>) -> Vec<Complaint> {
    let mut found = Vec::new();
    for (what, hint, value) in [
        (
            "host name",
            "give every host a name of its own (`hostnamectl set-hostname`)",
            (|facts: &Facts| facts.hostname.clone()) as fn(&Facts) -> String,
        ),
        (
            "internal address",
            "set `privateInterface` so that every host has an address of its own",
            |facts: &Facts| facts.internal_address.clone(),
        ),
    ] {
        let mut seen: BTreeMap<String, Vec<HostId>> = BTreeMap::new();
        for (&id, facts) in facts {
            seen.entry(value(facts)).or_default().push(id);
        }
        for (value, ids) in seen.into_iter().filter(|(_, ids)| ids.len() > 1) {
            for &id in &ids {
                let others: Vec<&str> = ids
                    .iter()
                    .filter(|other| **other != id)
                    .map(|other| shared.name(*other))
                    .collect();
                let message = format!("the {what} `{value}` is also that of {}", others.join(", "));
                found.push(Complaint::error(id, message, hint));
            }
        }
    }
    found
}

/// Clocks that are apart; measured against ours, compared among the hosts.
fn clocks(facts: &BTreeMap<HostId, Facts>) -> Vec<Complaint> {
    let mut skews: Vec<(f64, f64)> = facts
        .values()
        .map(|facts| (facts.clock_skew_seconds, facts.clock_doubt_seconds))
        .collect();
    skews.sort_by(|one, other| one.0.total_cmp(&other.0));
    let Some(&(middle, doubt)) = skews.get(skews.len() / 2) else {
        return Vec::new();
    };
    facts
        .iter()
        .map(|(&id, facts)| {
            let apart = facts.clock_skew_seconds - middle;
            (id, apart, doubt + facts.clock_doubt_seconds)
        })
        .filter(|(_, apart, doubt)| apart.abs() - doubt > LARGEST_SKEW)
        .map(|(id, apart, _)| {
            Complaint::error(
                id,
                format!("the clock is {apart:+.0} s off those of the other hosts"),
                "synchronise the clocks (chrony, ntpd or systemd-timesyncd)",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_that_is_not_trusted_is_put_where_it_belongs() {
        // Printed by curl 7.88.
        let said = "curl: (60) SSL certificate problem: unable to get local issuer certificate";

        let registry = way_to("private.lab:5000", said);
        let repository = way_to("https://repos.mirantis.com/ubuntu/gpg", said);
        let other = way_to(
            "private.lab",
            "curl: (6) Could not resolve host: private.lab",
        );

        assert!(registry.contains("/etc/docker/certs.d/private.lab:5000/ca.crt"));
        assert!(repository.contains("update-ca-certificates"));
        assert!(other.contains("DNS"));
    }
}
