//! What a cluster keeps in its swarm: one config that every manager can read.

use serde::{Deserialize, Serialize};

use crate::engine::{Config, Identity, Payload, View};
use crate::password::PasswordHash;

/// The config that holds the state. Its presence is what makes a swarm a cluster of MKE.
pub const STATE: &str = "ucp-cluster-state";

/// The config by which a configuration reaches `install --existing-config`.
pub const USER_CONFIG: &str = "com.docker.ucp.config";

/// The service whose tasks keep MKE on every node.
pub const AGENT_SERVICE: &str = "ucp-agent";

/// The service that removes MKE from every node.
pub const UNINSTALL_SERVICE: &str = "ucp-uninstall-agent";

/// The volume with the server certificate of the user.
pub const SERVER_CERTS: &str = "ucp-controller-server-certs";

/// The volume with the certificates of the node.
pub const NODE_CERTS: &str = "ucp-node-certs";

/// Where [`SERVER_CERTS`] is mounted in a controller.
pub const SERVER_CERTS_PATH: &str = "/certs";

/// Where [`NODE_CERTS`] is mounted in a controller.
pub const NODE_CERTS_PATH: &str = "/node";

/// The state of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterState {
    /// The authority that signs the certificates of nodes and users.
    pub authority: Identity,
    /// The names that the controllers' certificates are for, besides their own.
    pub sans: Vec<String>,
    /// The name of the administrator.
    pub username: String,
    /// What is kept of the administrator's password.
    pub password: PasswordHash,
    /// The port of the controllers.
    pub port: u16,
    /// Whether the controllers serve with the certificate of the user.
    pub uses_external_cert: bool,
    /// The license, if one was given.
    pub has_license: bool,
}

impl ClusterState {
    /// Returns the state that an engine shows, with the id of its config.
    pub fn of(view: &View) -> Option<(String, Self)> {
        let config = view.config(STATE)?;
        Some((config.id.clone(), Self::read(config)?))
    }

    fn read(config: &Config) -> Option<Self> {
        serde_json::from_slice(&config.data.0).ok()
    }

    /// Returns the content of the config.
    pub fn payload(&self) -> Payload {
        // Strings, numbers and truths always have a form in JSON.
        Payload(serde_json::to_vec(self).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Seed;

    fn state() -> ClusterState {
        ClusterState {
            authority: Identity {
                certificate: "certificate".to_owned(),
                key: "key".to_owned(),
            },
            sans: vec!["mke.lab".to_owned()],
            username: "admin".to_owned(),
            password: PasswordHash::of("orcaorcaorca", Seed([1; 32])),
            port: 443,
            uses_external_cert: false,
            has_license: false,
        }
    }

    #[test]
    fn what_is_stored_is_read_again() {
        let view = View {
            configs: vec![Config {
                id: "c1".to_owned(),
                name: STATE.to_owned(),
                data: state().payload(),
            }],
            ..View::default()
        };

        assert_eq!(ClusterState::of(&view), Some(("c1".to_owned(), state())));
        assert_eq!(ClusterState::of(&View::default()), None);
    }

    #[test]
    fn no_password_is_stored() {
        let stored = String::from_utf8(state().payload().0).unwrap();

        assert!(!stored.contains("orcaorca"), "{stored}");
    }
}
