//! The configuration of a cluster, and what follows from it.

use std::fmt;
use std::sync::Arc;

use crate::address;
use crate::code::Code;
use crate::connection::Connection;
use crate::diagnostic::Diagnostic;
use crate::effective;
use crate::host::{Host, Role};
use crate::mcr::Mcr;
use crate::mke::Mke;
use crate::msr::Msr;
use crate::node::{self, Node};
use crate::problem::Problem;
use crate::source::{Position, Span, Text};
use crate::yaml_out;

/// Whether secrets are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// They are not.
    Masked,
    /// They are: somebody has asked for it.
    Shown,
}

/// The configuration of a cluster. Nothing in it is wrong.
#[derive(Debug, Clone)]
pub struct Config {
    /// The name of the cluster.
    pub name: String,
    /// The kind of cluster, `mke` or `mke+msr`.
    pub kind: String,
    /// The hosts, at least one manager among them.
    pub hosts: Vec<Host>,
    /// The container runtime.
    pub mcr: Mcr,
    /// MKE.
    pub mke: Mke,
    /// MSR, if it is asked for.
    pub msr: Option<Msr>,
    /// Settings of the cluster as a whole.
    pub cluster: Cluster,
    /// The document that it was read from.
    pub(crate) document: Arc<Document>,
}

/// `spec.cluster`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cluster {
    /// Whether nodes that are not in the configuration are removed.
    pub prune: bool,
}

/// A document after it was read, for messages about it.
pub(crate) struct Document {
    /// The text.
    pub(crate) text: Text,
    /// The tree, variables of the environment put in.
    pub(crate) root: Node,
    /// What no message may show.
    pub(crate) hidden: Vec<Span>,
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({})", self.text.name)
    }
}

impl Config {
    /// Returns where a path stands in the document (`spec.hosts[2].role`), or what of it is there.
    pub fn position(&self, path: &str) -> Option<Position> {
        let span = node::find(&self.document.root, path)?;
        Some(self.document.text.position(span.start))
    }

    /// Returns an error about the value at a path, with its line.
    pub fn problem_at(&self, code: Code, path: &str, message: String) -> Diagnostic {
        let problem = match node::find(&self.document.root, path) {
            Some(span) => Problem::error(code, span, message),
            None => Problem::whole(code, message),
        };
        Diagnostic::of(
            problem.path(path),
            &self.document.text,
            &self.document.hidden,
        )
    }

    /// Returns the configuration as it is used, defaults included, as YAML that can be loaded
    /// again. Files stay files; secrets are masked unless they are to be shown.
    pub fn to_yaml(&self, secrets: Secrets) -> String {
        yaml_out::write(&effective::tree(self, secrets))
    }

    /// Returns the managers, in the order of the configuration.
    pub fn managers(&self) -> impl Iterator<Item = &Host> {
        self.hosts.iter().filter(|host| host.role == Role::Manager)
    }

    /// Returns the names of all hosts in messages, each one its own: the address, with the port where
    /// several hosts share it, and with the way there where that is not enough.
    pub fn host_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.hosts.iter().map(|it| it.name().to_owned()).collect();
        let longer: [fn(&Host) -> String; 2] = [Host::name_with_port, Host::name_with_way];
        for longer in longer {
            let mut count = std::collections::HashMap::new();
            for name in &names {
                *count.entry(name.clone()).or_insert(0) += 1;
            }
            for (name, host) in names.iter_mut().zip(&self.hosts) {
                if count[name.as_str()] > 1 {
                    *name = longer(host);
                }
            }
        }
        names
    }

    /// Returns the address of MKE in a browser: that which MSR is told, else the first name of its
    /// certificate, else the first manager.
    pub fn mke_url(&self) -> String {
        let flags = self.msr.as_ref().map(|msr| &msr.install_flags);
        if let Some(url) = flags.and_then(|flags| flags.value("--ucp-url")) {
            return complete_url(url);
        }
        let sans = self.mke.install_flags.values("--san");
        let san = sans
            .into_iter()
            .flat_map(|value| value.split(','))
            .map(str::trim)
            // What a host has to evaluate first is not known here.
            .find(|name| address::check(name).is_ok());
        let first = self.managers().next().map(|host| &host.connection);
        let host = san.or(first.map(Connection::address)).unwrap_or_default();
        let host = address::in_url(host);
        match self.mke.controller_port() {
            443 => format!("https://{host}/"),
            port => format!("https://{host}:{port}/"),
        }
    }

    /// Returns the address of MSR in a browser, if there is MSR: that which it is told, else the
    /// first host with MSR.
    pub fn msr_url(&self) -> Option<String> {
        let flags = &self.msr.as_ref()?.install_flags;
        if let Some(url) = flags.value("--dtr-external-url") {
            return Some(complete_url(url));
        }
        let host = self.hosts.iter().find(|host| host.role == Role::Msr)?;
        let host = address::in_url(host.address());
        Some(match flags.value("--replica-https-port") {
            Some(port) if port != "443" => format!("https://{host}:{port}/"),
            Some(_) | None => format!("https://{host}/"),
        })
    }
}

/// Adds a scheme and a path where they are missing.
fn complete_url(url: &str) -> String {
    let url = if url.contains("://") {
        url.to_owned()
    } else {
        format!("https://{url}")
    };
    let has_path = url
        .split_once("://")
        .is_some_and(|(_, rest)| rest.contains('/'));
    if has_path { url } else { format!("{url}/") }
}
