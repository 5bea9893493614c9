//! What a configuration asks for that has no phase yet: an error before any change, never skipped.

use config::{Config, Connection, Role};

/// Something in the configuration that cannot be done yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotYet {
    /// Where it stands (`spec.hosts[2].winRM`).
    pub path: String,
    /// What cannot be done, as a phrase.
    pub message: String,
}

fn not_yet(path: impl Into<String>, what: &str) -> NotYet {
    NotYet {
        path: path.into(),
        message: format!("this version of launchpad cannot {what} yet"),
    }
}

/// Returns everything that `apply`, `plan` and `reset` cannot do yet; pure.
pub fn not_yet_supported(config: &Config) -> Vec<NotYet> {
    let mut found = Vec::new();
    for host in &config.hosts {
        let path = host.path();
        if host.role == Role::Msr {
            found.push(not_yet(
                format!("{path}.role"),
                "install Mirantis Secure Registry",
            ));
        }
        match &host.connection {
            Connection::Ssh(_) | Connection::OpenSsh(_) | Connection::Localhost(_) => {}
            Connection::WinRm(_) => {
                found.push(not_yet(
                    format!("{path}.winRM"),
                    "use Windows Remote Management",
                ));
            }
        }
        if host.image_dir.is_some() {
            found.push(not_yet(format!("{path}.imageDir"), "upload images"));
        }
    }
    if config.msr.is_some() && config.hosts.iter().all(|host| host.role != Role::Msr) {
        found.push(not_yet("spec.msr", "install Mirantis Secure Registry"));
    }
    if config.mke.cloud.is_some() {
        found.push(not_yet("spec.mke.cloud", "hand a cloud provider to MKE"));
    }
    if config.mcr.license.is_some() {
        found.push(not_yet(
            "spec.mcr.license",
            "install a license of the engine",
        ));
    }
    if config.cluster.prune {
        found.push(not_yet(
            "spec.cluster.prune",
            "remove nodes that are not in the configuration",
        ));
    }
    found
}
