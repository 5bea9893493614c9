//! What has to be true of a configuration as a whole, before anything connects.

use std::collections::HashMap;

use crate::address::Network;
use crate::code::Code;
use crate::flags::Flags;
use crate::host::Role;
use crate::load::Draft;
use crate::node::{self, Node};
use crate::problem::{Problem, Problems};
use crate::shown::quoted;
use crate::source::Span;

/// Checks a configuration.
pub(crate) fn check(draft: &Draft, root: &Node, problems: &Problems) {
    let check = Check { root, problems };
    check.manager(draft);
    check.parity(draft);
    check.duplicates(draft);
    check.registry(draft);
    check.controller_port(draft);
    check.pod_network(draft);
}

struct Check<'a> {
    root: &'a Node,
    problems: &'a Problems,
}

impl Check<'_> {
    fn span(&self, path: &str) -> Span {
        node::find(self.root, path).unwrap_or_default()
    }

    fn error(&self, code: Code, path: &str, message: impl Into<String>) -> Problem {
        Problem::error(code, self.span(path), message).path(path)
    }

    /// Returns the item of a list of flags that a flag stands in.
    fn flag_path(&self, list: &str, flag: &str) -> String {
        let paths = (0..).map(|index| node::item_path(list, index));
        let mut items = paths.map_while(|path| {
            let steps = node::value(self.root, &path)?;
            Some((
                path,
                steps.scalar().map_or("", |scalar| scalar.text.as_str()),
            ))
        });
        let found = items.find(|(_, text)| text.contains(flag));
        found.map_or_else(|| list.to_owned(), |(path, _)| path)
    }

    /// Returns a flag for a message; what came from the environment is not repeated.
    fn shown(&self, path: &str, flag: &str, value: &str) -> String {
        let scalar = node::value(self.root, path).and_then(Node::scalar);
        match scalar.and_then(|scalar| scalar.written.as_ref()) {
            Some(written) => quoted(written),
            None => quoted(&format!("{flag}={value}")),
        }
    }

    fn manager(&self, draft: &Draft) {
        if draft.has_all_hosts && draft.hosts.iter().all(|host| host.role != Role::Manager) {
            let message = "there is no host with the role `manager`";
            let problem = self.error(Code::NoManager, "spec.hosts", message);
            self.problems
                .add(problem.hint("give at least one host the role `manager`"));
        }
    }

    /// An even number of managers survives no more failures than the odd number below it.
    fn parity(&self, draft: &Draft) {
        let managers = draft
            .hosts
            .iter()
            .filter(|host| host.role == Role::Manager)
            .count();
        if !draft.has_all_hosts || managers == 0 || managers % 2 == 1 {
            return;
        }
        let message = format!(
            "{managers} managers survive no more failures than {}",
            managers - 1
        );
        let span = self.span("spec.hosts");
        let problem = Problem::warning(Code::EvenManagers, span, message).path("spec.hosts");
        let hint = format!(
            "have an odd number of managers: {} or {}",
            managers - 1,
            managers + 1
        );
        self.problems.add(problem.hint(hint));
    }

    /// Two entries for one host would be worked on at the same time.
    fn duplicates(&self, draft: &Draft) {
        let mut seen = HashMap::new();
        for host in &draft.hosts {
            let path = host.path();
            let Some(first) = seen.insert(host.connection.identity(), path.clone()) else {
                continue;
            };
            let line = "it is already there in line";
            let message = "this host is in the list twice: same address, port and bastion";
            let problem = self.error(Code::DuplicateHost, &path, message);
            self.problems.add(problem.also(self.span(&first), line));
            seen.insert(host.connection.identity(), first);
        }
    }

    fn registry(&self, draft: &Draft) {
        let host = draft.hosts.iter().find(|host| host.role == Role::Msr);
        let Some(host) = host.filter(|_| !draft.has_msr) else {
            return;
        };
        let path = format!("{}.role", host.path());
        let problem = self.error(
            Code::MsrWithoutSpec,
            &path,
            "the host has the role `msr`, and there is no `spec.msr`",
        );
        self.problems
            .add(problem.hint("add `spec.msr` with a `version`"));
    }

    fn controller_port(&self, draft: &Draft) {
        let Some(mke) = &draft.mke else { return };
        let flag = "--controller-port";
        for given in mke.install_flags.values(flag) {
            if given.parse::<u16>().is_ok_and(|port| port > 0) {
                continue;
            }
            let path = self.flag_path("spec.mke.installFlags", flag);
            let message = format!("the value of `{flag}` is not a port");
            let problem = self.error(Code::ControllerPort, &path, message);
            self.problems
                .add(problem.hint("use a number between 1 and 65535"));
        }
    }

    /// The addresses of pods must not be those of the networks of the swarm.
    fn pod_network(&self, draft: &Draft) {
        let (Some(mke), Some(mcr)) = (&draft.mke, &draft.mcr) else {
            return;
        };
        let (pod_flag, pool_flag) = ("--pod-cidr", "--default-addr-pool");
        let pods = self.networks(&mke.install_flags, "spec.mke.installFlags", pod_flag);
        let pools = self.networks(
            &mcr.swarm_install_flags,
            "spec.mcr.swarmInstallFlags",
            pool_flag,
        );
        let has_pools = mcr.swarm_install_flags.has(pool_flag);
        let swarm: Vec<(&str, Network)> = match Network::parse(SWARM_POOL) {
            Some(default) if !has_pools => vec![(SWARM_POOL, default)],
            _ => pools,
        };
        for (pod, network) in pods {
            let Some((pool, _)) = swarm.iter().find(|(_, pool)| pool.overlaps(network)) else {
                continue;
            };
            let path = self.flag_path("spec.mke.installFlags", pod_flag);
            let whose = if has_pools {
                let path = self.flag_path("spec.mcr.swarmInstallFlags", pool_flag);
                self.shown(&path, pool_flag, pool)
            } else {
                format!("the default address pool {} of the swarm", quoted(pool))
            };
            let message = format!("{} overlaps with {whose}", self.shown(&path, pod_flag, pod));
            let hint = format!("set another `{pool_flag}` in `spec.mcr.swarmInstallFlags`");
            let problem = self.error(Code::NetworkOverlap, &path, message);
            self.problems.add(problem.hint(hint));
        }
    }

    /// Returns the networks that flags name; says which are none.
    fn networks<'f>(&self, flags: &'f Flags, list: &str, flag: &'f str) -> Vec<(&'f str, Network)> {
        let mut found = Vec::new();
        for value in flags
            .values(flag)
            .into_iter()
            .filter(|value| !value.is_empty())
        {
            match Network::parse(value) {
                Some(network) => found.push((value, network)),
                None => {
                    let path = self.flag_path(list, flag);
                    let message = format!("the value of `{flag}` is not a network");
                    let hint = "use an address with a prefix length, as in `172.30.0.0/16`";
                    let problem = self.error(Code::Network, &path, message);
                    self.problems.add(problem.hint(hint));
                }
            }
        }
        found
    }
}

/// The addresses that the networks of a swarm have by default.
const SWARM_POOL: &str = "10.0.0.0/8";
