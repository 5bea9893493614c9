//! Judges the facts against the configuration: versions, swarms, address pools, and everything
//! that has to change but has no phase yet.

use std::collections::{BTreeMap, BTreeSet};

use config::{Role, Version};
use phase::{Check, Complaint, HostId};

use crate::mke::bootstrapper::{self, Found, LABEL_OPERATION, LABEL_VERSION};
use crate::mke::cluster::{Cluster, Mke};
use crate::mke::domain::MkeDomain;
use crate::mke::facts::{EngineState, Facts};
use crate::mke::phase::install_mke;
use crate::mke::shared::Shared;

/// Validates facts.
pub struct ValidateFacts;

impl Check<MkeDomain> for ValidateFacts {
    fn id(&self) -> &'static str {
        "validate-facts"
    }

    fn title(&self) -> &'static str {
        "Validate Facts"
    }

    fn check(
        &self,
        shared: &Shared,
        cluster: &Cluster,
        facts: &BTreeMap<HostId, Facts>,
    ) -> Vec<Complaint> {
        let mut found = Vec::new();
        found.extend(one_swarm(shared, cluster, facts, Purpose::Apply));
        found.extend(mke_state(shared, cluster, facts));
        found.extend(mke_version(shared, cluster));
        found.extend(engine_channel(shared, facts));
        found.extend(install_only_flags(shared, cluster, facts));
        found.extend(vendor_step(shared, facts));
        found.extend(default_sans(shared));
        found.extend(credentials(shared));
        found.extend(foreign_engine(facts));
        found.extend(swarm_state(facts));
        found
    }
}

/// What the swarm is looked at for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::mke) enum Purpose {
    /// It is to become what the configuration says.
    Apply,
    /// It is to be dissolved: what an earlier reset has left of it is no stranger.
    Reset,
}

/// Two swarms are an error before any change; so is a node that belongs to another one.
pub(in crate::mke) fn one_swarm(
    shared: &Shared,
    cluster: &Cluster,
    facts: &BTreeMap<HostId, Facts>,
    purpose: Purpose,
) -> Vec<Complaint> {
    let mut found = Vec::new();
    let managers = shared.managers();
    let swarm_of = |id: &HostId| facts.get(id).and_then(Facts::cluster_id);
    let swarms: BTreeSet<&str> = managers.iter().filter_map(swarm_of).collect();
    if swarms.len() > 1 {
        let parts: Vec<String> = managers
            .iter()
            .filter_map(|id| Some(format!("{} in {}", shared.name(*id), swarm_of(id)?)))
            .collect();
        found.push(Complaint::error(
            None,
            format!(
                "the managers belong to {} different swarms: {}",
                swarms.len(),
                parts.join(", ")
            ),
            "take the hosts of the other swarm out of the configuration, or let them leave it with \
             `docker swarm leave --force`",
        ));
        return found;
    }
    if purpose == Purpose::Reset && !cluster.has_swarm() {
        return found;
    }
    // A manager that is silent may well be of the swarm that the others are nodes of: nobody is
    // told to leave it.
    let is_known = cluster.has_swarm() || !managers.iter().any(|id| is_silent(facts.get(id)));
    let mut strangers = BTreeSet::new();
    for (&id, facts) in facts.iter().filter(|_| is_known) {
        let Some(node) = facts.node_id().filter(|_| facts.swarm.is_member()) else {
            continue;
        };
        if cluster.nodes.contains_key(node) {
            continue;
        }
        strangers.insert(id);
        let hint = if facts.swarm.is_manager {
            "let the host leave that swarm with `docker swarm leave --force`, then run again"
        } else {
            "let the host leave that swarm with `docker swarm leave`, then run again"
        };
        if cluster.has_swarm() {
            let message = format!("the host is node {node} of another swarm than the managers");
            found.push(Complaint::error(id, message, hint));
        } else {
            let message = format!("the host is node {node} of a swarm that no manager belongs to");
            found.push(Complaint::error(id, message, hint));
        }
    }
    // What a stranger is in its own swarm says nothing about this one.
    for (&id, facts) in facts.iter().filter(|(id, _)| !strangers.contains(id)) {
        let wanted = shared.is_manager(id);
        if facts.swarm.is_member() && facts.swarm.is_manager != wanted {
            let (is, should) = if wanted {
                ("worker", "manager")
            } else {
                ("manager", "worker")
            };
            found.push(Complaint::error(
                id,
                format!("the node is a {is} of the swarm, and a {should} in the configuration"),
                "change `role`, or promote or demote the node with `docker node`",
            ));
        }
    }
    found
}

fn mke_state(
    shared: &Shared,
    cluster: &Cluster,
    facts: &BTreeMap<HostId, Facts>,
) -> Vec<Complaint> {
    let under_way = cluster.install_under_way.is_some();
    match &cluster.mke {
        Mke::Partial if !under_way => vec![Complaint::error(
            cluster.leader,
            "parts of MKE are on the managers, but it does not run: an install that did not end, \
             or a cluster that is unwell",
            "see `docker ps -a` on the managers; `launchpad reset` removes what is there",
        )],
        // An engine that was stopped is started by the restart phase where systemd knows it; what
        // is on it can be judged only then. Until then nothing about MKE is decided.
        Mke::Unknown if shared.managers().iter().all(|id| is_silent(facts.get(id))) => {
            vec![Complaint::error(
                None,
                format!(
                    "no manager's engine answers, so that nobody can say whether MKE is installed: \
                     {}",
                    silences(shared, facts)
                ),
                if is_any_slow(facts) {
                    format!(
                        "the swarm may be electing a leader: run again in a minute; if that does \
                         not help, restart the engines (`{}`) one by one",
                        engine_command(shared, facts, "restart")
                    )
                } else {
                    format!(
                        "start the engines (`{}` on each of them) and run again",
                        engine_command(shared, facts, "start")
                    )
                },
            )]
        }
        Mke::Absent | Mke::Installed(_) | Mke::Partial | Mke::Unknown => Vec::new(),
    }
}

/// What is typed on a manager; all are taken to be like the first.
fn engine_command(shared: &Shared, facts: &BTreeMap<HostId, Facts>, verb: &str) -> String {
    let managers = shared.managers();
    let first = managers.first().and_then(|id| facts.get(id));
    first.map_or_else(
        || Facts::default().engine_command(verb),
        |facts| facts.engine_command(verb),
    )
}

/// What the engine of each manager says in place of an answer.
fn silences(shared: &Shared, facts: &BTreeMap<HostId, Facts>) -> String {
    let managers = shared.managers().into_iter();
    let said: Vec<String> = managers
        .map(|id| match facts.get(&id).map(|facts| &facts.engine.state) {
            Some(EngineState::Silent(said)) => format!("{}: {said}", shared.name(id)),
            _ => format!("{}: nothing is known of it", shared.name(id)),
        })
        .collect();
    said.join("; ")
}

/// Returns whether an engine runs into its time limit instead of refusing: it is not dead.
fn is_any_slow(facts: &BTreeMap<HostId, Facts>) -> bool {
    let mut states = facts.values().map(|facts| &facts.engine.state);
    states.any(
        |state| matches!(state, EngineState::Silent(said) if said.contains("no answer within")),
    )
}

fn is_silent(facts: Option<&Facts>) -> bool {
    facts.is_none_or(|facts| matches!(facts.engine.state, EngineState::Silent(_)))
}

/// The version that is installed against the one that is wanted.
fn mke_version(shared: &Shared, cluster: &Cluster) -> Vec<Complaint> {
    let wanted = &shared.config.mke.version;
    let Some(text) = cluster.mke_version() else {
        return Vec::new();
    };
    let Ok(installed) = Version::parse(text) else {
        return vec![Complaint::error(
            cluster.leader,
            format!("the installed version of MKE, `{text}`, is not a version"),
            "see the image of the container `ucp-proxy` on the managers",
        )];
    };
    if installed == *wanted {
        return Vec::new();
    }
    if *wanted < installed {
        return vec![Complaint::error(
            None,
            format!("MKE {installed} is installed, and it cannot be downgraded to {wanted}"),
            format!("set `spec.mke.version: {installed}`"),
        )];
    }
    vec![Complaint::error(
        None,
        format!(
            "MKE {installed} is installed, and this version of launchpad cannot upgrade it to \
             {wanted} yet"
        ),
        format!("set `spec.mke.version: {installed}`"),
    )]
}

/// A channel that differs from the one on the host would be an upgrade of the engine.
fn engine_channel(shared: &Shared, facts: &BTreeMap<HostId, Facts>) -> Vec<Complaint> {
    let wanted = &shared.config.mcr;
    facts
        .iter()
        .filter(|(_, facts)| facts.engine.state != EngineState::Absent)
        .filter_map(|(&id, facts)| {
            let text = facts.texts.repository.as_deref()?;
            let on_host = configurer::repository::channel_of(text)?;
            (on_host != wanted.channel && !wanted.keeps_engine).then(|| {
                Complaint::error(
                    id,
                    format!(
                        "the engine comes from the channel `{on_host}`, and this version of \
                         launchpad cannot bring it to `{}` yet",
                        wanted.channel
                    ),
                    format!("set `spec.mcr.channel: {on_host}`"),
                )
            })
        })
        .collect()
}

/// Flags that only an install reads: a change of theirs cannot have an effect any more.
fn install_only_flags(
    shared: &Shared,
    cluster: &Cluster,
    facts: &BTreeMap<HostId, Facts>,
) -> Vec<Complaint> {
    let Some(version) = cluster.mke_version() else {
        return Vec::new();
    };
    // The manager that MKE was installed on keeps the hash; it need not lead any more.
    let recorded = facts
        .values()
        .find_map(|facts| facts.owned.mke_install_flags.as_ref());
    let Some(installed_with) = recorded else {
        return Vec::new();
    };
    let wanted = shared.install_flags_digest();
    if *installed_with == wanted {
        return Vec::new();
    }
    vec![Complaint::warning(
        None,
        format!(
            "`spec.mke.installFlags` has changed since MKE {version} was installed; flags are read \
             only by the install, so that the change has no effect (names in `--san` do: they are \
             set as a label)"
        ),
        "change the setting in MKE itself, or reset and install again",
    )]
}

/// A vendor step that is still going on and is not the one that this run would start: another
/// operation, or an install that was asked for otherwise.
fn vendor_step(shared: &Shared, facts: &BTreeMap<HostId, Facts>) -> Vec<Complaint> {
    let ours = install_mke::operation(shared);
    facts
        .iter()
        .filter_map(|(&id, facts)| {
            let found = facts.bootstrap.as_ref()?;
            let label = |name: &str| found.labels.get(name).map_or("unknown", String::as_str);
            let is_other = bootstrapper::judge(&ours, Some(found)) == Found::RunningOther;
            is_other.then(|| {
                Complaint::error(
                    id,
                    format!(
                        "the MKE bootstrapper is running on this host (operation `{}`, version \
                         `{}`)",
                        label(LABEL_OPERATION),
                        label(LABEL_VERSION)
                    ),
                    "wait until it has ended (`docker logs -f ucp` on this host), or run with the \
                     configuration that it was started with",
                )
            })
        })
        .collect()
}

/// What needs the administrator's password, and does not have it.
fn credentials(shared: &Shared) -> Vec<Complaint> {
    let mke = &shared.config.mke;
    if mke.nodes_health_retry == 0 || (mke.admin_username.is_some() && mke.admin_password.is_some())
    {
        return Vec::new();
    }
    vec![Complaint::error(
        None,
        "`nodesHealthRetry` needs the administrator's name and password",
        "set `spec.mke.adminUsername` and `spec.mke.adminPassword`",
    )]
}

/// Packages of engines that are not MCR.
const FOREIGN_ENGINES: &[&str] = &[
    "docker.io",
    "docker-ce",
    "moby-engine",
    "docker",
    "podman-docker",
];

/// An engine of somebody else is not taken for MCR, nor replaced unasked.
fn foreign_engine(facts: &BTreeMap<HostId, Facts>) -> Vec<Complaint> {
    facts
        .iter()
        .filter(|(_, facts)| {
            facts.engine.state != EngineState::Absent && !facts.packages.contains_key("docker-ee")
        })
        .filter_map(|(&id, facts)| {
            let package = FOREIGN_ENGINES
                .iter()
                .find(|name| facts.packages.contains_key(**name))?;
            Some(Complaint::error(
                id,
                format!("the container engine is that of the package `{package}`, not MCR"),
                format!("move its workloads away and remove the package `{package}`"),
            ))
        })
        .collect()
}

/// A node that is in a swarm and cannot take part in it.
fn swarm_state(facts: &BTreeMap<HostId, Facts>) -> Vec<Complaint> {
    facts
        .iter()
        .filter_map(|(&id, facts)| {
            let said = facts.swarm.error.as_deref().unwrap_or("no reason given");
            let (message, hint) = match facts.swarm.state.as_str() {
                "locked" => (
                    "the swarm of this node is locked".to_owned(),
                    "unlock it with `docker swarm unlock`, then run again",
                ),
                "error" => (
                    format!("the swarm of this node has an error: {said}"),
                    "see `docker info` on the host; `docker swarm leave --force` takes it out",
                ),
                _ => return None,
            };
            Some(Complaint::error(id, message, hint))
        })
        .collect()
}

/// Without any `--san` the managers' addresses are used, as the seed does.
fn default_sans(shared: &Shared) -> Vec<Complaint> {
    if shared.config.mke.install_flags.has("--san") {
        return Vec::new();
    }
    shared
        .managers()
        .into_iter()
        .filter(|id| shared.role(*id) == Role::Manager)
        .map(|id| {
            let address = shared.host_config(id).address();
            Complaint::warning(
                id,
                format!("no `--san` is given: `--san={address}` is used for this manager"),
                "add the names by which the cluster is reached to `spec.mke.installFlags`",
            )
        })
        .collect()
}
