//! Chooses the protocol that an endpoint names.

use std::sync::Arc;

use async_trait::async_trait;

use super::local::Local;
use super::openssh::OpenSshConnector;
use super::ssh::SshConnector;
use crate::connection::{ConnectError, Connection, Connector, Endpoint};

/// Connects to hosts of all kinds that are there.
#[derive(Clone)]
pub struct Dispatch {
    ssh: SshConnector,
    open_ssh: OpenSshConnector,
}

impl Dispatch {
    /// Makes a connector of those of the protocols.
    pub fn new(ssh: SshConnector, open_ssh: OpenSshConnector) -> Self {
        Self { ssh, open_ssh }
    }
}

#[async_trait]
impl Connector for Dispatch {
    async fn connect(&self, endpoint: &Endpoint) -> Result<Arc<dyn Connection>, ConnectError> {
        match endpoint {
            Endpoint::Ssh(_) => self.ssh.connect(endpoint).await,
            Endpoint::Local => Ok(Arc::new(Local)),
            Endpoint::OpenSsh(_) => self.open_ssh.connect(endpoint).await,
            Endpoint::WinRm { .. } => Err(ConnectError::Unsupported { what: "winRM" }),
        }
    }
}
