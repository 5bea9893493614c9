//! The view of an engine, and what can be asked of one.

use std::collections::BTreeMap;
use std::fmt;

/// A part of the view; only what is asked for is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// [`View::swarm`] and [`View::host_name`].
    Swarm,
    /// [`View::nodes`]; managers only.
    Nodes,
    /// [`View::services`]; managers only.
    Services,
    /// [`View::tasks`] of one service; managers only.
    Tasks(&'static str),
    /// [`View::containers`].
    Containers,
    /// [`View::configs`]; managers only.
    Configs,
    /// [`View::volumes`].
    Volumes,
    /// [`View::images`].
    Images,
}

/// What an engine shows at one moment, as far as it was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// The name of the host.
    pub host_name: String,
    /// The version of the engine.
    pub engine_version: String,
    /// The node's membership.
    pub swarm: Swarm,
    /// All nodes.
    pub nodes: Vec<Node>,
    /// The services whose name starts with `ucp`.
    pub services: Vec<Service>,
    /// The tasks of the service that was asked for; none where there is no such service.
    pub tasks: Vec<Task>,
    /// The node's containers whose name has `ucp` in it, stopped ones too.
    pub containers: Vec<Container>,
    /// All configs of the swarm.
    pub configs: Vec<Config>,
    /// The names of the node's volumes.
    pub volumes: Vec<String>,
    /// The names of the node's images.
    pub images: Vec<String>,
}

impl View {
    /// Returns the container with a name.
    pub fn container(&self, name: &str) -> Option<&Container> {
        self.containers.iter().find(|one| one.name == name)
    }

    /// Returns the config with a name.
    pub fn config(&self, name: &str) -> Option<&Config> {
        self.configs.iter().find(|one| one.name == name)
    }

    /// Returns the service with a name.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|one| one.name == name)
    }

    /// Returns whether the node has an image.
    pub fn has_image(&self, image: &str) -> bool {
        self.images
            .iter()
            .any(|one| crate::image::is_same(one, image))
    }
}

/// A node's membership, from its own engine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swarm {
    /// The id of the node; empty outside a swarm.
    pub node_id: String,
    /// The address of the node.
    pub node_address: String,
    /// Whether the node is an active manager.
    pub is_manager: bool,
    /// The id of the swarm; empty where the managers have no quorum.
    pub cluster_id: String,
    /// What is wrong, like a lost quorum.
    pub error: Option<String>,
}

/// A node, as managers see it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// Its id.
    pub id: String,
    /// The name of its host.
    pub host_name: String,
    /// Whether it is a manager.
    pub is_manager: bool,
    /// `ready`, `down`, …
    pub state: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// A service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// The image of its tasks.
    pub image: String,
    /// The state of its last update: `updating`, `completed`, `paused`, …
    pub update: Option<String>,
}

/// A task of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Task {
    /// The node it belongs to.
    pub node_id: String,
    /// `running`, `complete`, `failed`, …
    pub state: String,
}

/// A container of the node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Container {
    /// Its name, without a slash.
    pub name: String,
    /// The name of its image.
    pub image: String,
    /// `running`, `paused`, `exited`, …
    pub state: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

impl Container {
    /// Returns whether its process is there.
    pub fn is_alive(&self) -> bool {
        ["running", "paused", "restarting"].contains(&self.state.as_str())
    }
}

/// A config of the swarm.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its content.
    pub data: Payload,
}

/// Bytes that are never printed: keys and hashes are in them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Payload(pub Vec<u8>);

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.0.len())
    }
}

/// Something that is asked of the engine, or of the adapter itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Makes a certificate authority: [`Reply::Identity`].
    MakeAuthority,
    /// Makes a certificate that an authority has signed: [`Reply::Identity`].
    Issue {
        /// The authority.
        authority: Identity,
        /// The common name.
        common_name: String,
        /// Host names and addresses that the certificate is for.
        names: Vec<String>,
    },
    /// Stores a config in the swarm.
    CreateConfig {
        /// Its name.
        name: String,
        /// Its content.
        data: Payload,
    },
    /// Removes a config; one that is not there is no error.
    RemoveConfig(String),
    /// Creates a global service.
    CreateService(ServiceSpec),
    /// Gives a service another specification.
    UpdateService(ServiceSpec),
    /// Removes a service; one that is not there is no error.
    RemoveService(String),
    /// Creates and starts a container.
    RunContainer(ContainerSpec),
    /// Ends and removes a container; one that is not there is no error.
    RemoveContainer(String),
    /// Removes a volume; one that is not there is no error.
    RemoveVolume(String),
    /// Pulls an image.
    PullImage {
        /// Its name.
        image: String,
        /// Who asks for it.
        login: Option<Login>,
    },
    /// Reads a file out of a container of the node: [`Reply::File`].
    ReadContainerFile {
        /// The name of the container.
        container: String,
        /// The path in it.
        path: String,
    },
    /// Reads a file of the process's own container: [`Reply::File`].
    ReadFile(String),
    /// Writes a file of the process's own container.
    WriteFile {
        /// Where.
        path: String,
        /// What.
        content: Payload,
    },
}

/// What comes of an [`Action`] that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It is done.
    Done,
    /// A certificate and its key.
    Identity(Identity),
    /// The content of a file.
    File(Payload),
}

/// Why an action or a look came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status of the engine's answer; none where there was no answer.
    pub status: Option<u16>,
    /// What it said.
    pub message: String,
}

impl Refusal {
    /// Returns whether what was meant is not there.
    pub fn is_missing(&self) -> bool {
        self.status == Some(404)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "{} (status {status})", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// A certificate and its key, as PEM; the key is never printed.
#[derive(Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Identity {
    /// The certificate, and those that lead to its root.
    pub certificate: String,
    /// The private key.
    pub key: String,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(..)")
    }
}

/// Who asks a registry for an image; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub username: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(..)")
    }
}

/// A service with one task on every Linux node, each of which talks to its node's engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSpec {
    /// Its name.
    pub name: String,
    /// The image.
    pub image: String,
    /// The arguments.
    pub arguments: Vec<String>,
    /// The environment.
    pub environment: Vec<(String, String)>,
    /// When a task that has ended is started again.
    pub restart: Restart,
}

/// When a task that has ended is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// Always.
    Always,
    /// Only when it has failed.
    OnFailure,
}

/// A container that is started again with its engine, and talks to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerSpec {
    /// Its name.
    pub name: String,
    /// The image.
    pub image: String,
    /// The arguments.
    pub arguments: Vec<String>,
    /// The environment.
    pub environment: Vec<(String, String)>,
    /// The labels.
    pub labels: BTreeMap<String, String>,
    /// Named volumes and where they are mounted.
    pub volumes: Vec<(String, String)>,
    /// Whether it lives in the network of its host.
    pub uses_host_network: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_is_not_printed() {
        let identity = Identity {
            certificate: "public".to_owned(),
            key: "secret".to_owned(),
        };
        let action = Action::PullImage {
            image: "x".to_owned(),
            login: Some(Login {
                username: "u".to_owned(),
                password: "secret".to_owned(),
            }),
        };
        let data = Payload(b"secret".to_vec());

        for shown in [
            format!("{identity:?}"),
            format!("{action:?}"),
            format!("{data:?}"),
        ] {
            assert!(!shown.contains("secret"), "{shown}");
        }
    }

    #[test]
    fn an_image_is_there_under_either_name() {
        let view = View {
            images: vec!["mirantis/ucp:1".to_owned()],
            ..View::default()
        };

        assert!(view.has_image("docker.io/mirantis/ucp:1"));
        assert!(!view.has_image("mirantis/ucp:2"));
    }
}
