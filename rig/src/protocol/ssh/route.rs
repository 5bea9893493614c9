//! Getting to a host: directly, through a bastion, or through a program of the user.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::bastion::{Connect, Through};
use super::config::Proxy;
use super::connection::{DialFault, SshConnection};
use super::hop::Hop;
use super::prompt::Prompt;
use super::proxy_command::{self, Complaint};
use super::{Inner, Resolved, dial};
use crate::connection::{ByteStream, ConnectError, SshEndpoint};

/// A stream that leads to the server.
struct Route {
    stream: Box<dyn ByteStream>,
    /// The address of the server, where it was connected to from here.
    address: Option<IpAddr>,
    /// What the program that leads there complains of.
    complaint: Option<Complaint>,
}

/// How many hosts a way may go through.
const MOST_HOPS: usize = 8;

/// The way to a host, with what is known of the hosts on it.
pub(super) struct Way {
    pub(super) hop: Hop,
    pub(super) resolved: Resolved,
    /// The way to the host before it.
    pub(super) before: Option<Arc<Way>>,
}

impl Inner {
    /// Finds out which way leads to a host.
    ///
    /// # Errors
    ///
    /// Fails where ssh_config cannot be read, or leads in a circle: hosts that jump through each
    /// other would wait for each other.
    pub(super) fn way_to(&self, endpoint: &SshEndpoint) -> Result<Arc<Way>, ConnectError> {
        self.way(Hop::to(endpoint), endpoint, MOST_HOPS)
    }

    fn way(&self, hop: Hop, to: &SshEndpoint, left: usize) -> Result<Arc<Way>, ConnectError> {
        let resolved = self.resolve(&hop)?;
        let before = match (hop.before(&resolved.config.proxy), left) {
            (None, _) => None,
            (Some(_), 0) => {
                return Err(ConnectError::TooManyJumps {
                    target: to.address.clone(),
                    most: MOST_HOPS,
                });
            }
            (Some(before), left) => Some(self.way(before, to, left - 1)?),
        };
        Ok(Arc::new(Way {
            hop,
            resolved,
            before,
        }))
    }

    /// Connects to the host at the end of a way, and logs in.
    pub(super) fn connect(
        self: Arc<Self>,
        way: Arc<Way>,
    ) -> BoxFuture<'static, Result<SshConnection, ConnectError>> {
        async move {
            let resolved = &way.resolved;
            let (agent, offer) = self.offer(resolved).await?;
            if let Some(before) = &way.before {
                // Its hosts are worth a place in the queues only once the bastion is there.
                self.wait_for(before).await?;
            }
            let _leave = self.handshakes.with(&resolved.target()).await;
            let route = self.route(&way).await?;
            let complaint = route.complaint;
            let set_up = self
                .set_up(route.stream, resolved, agent, &offer, route.address)
                .await;
            match set_up {
                Ok(connection) => Ok(connection.led_through(way.through())),
                Err(error) => Err(blame(error, complaint.as_ref(), resolved).await),
            }
        }
        .boxed()
    }

    /// Waits until there is a connection to a bastion.
    async fn wait_for(self: &Arc<Self>, way: &Arc<Way>) -> Result<(), ConnectError> {
        let bastion = self.bastions.bastion(&way.hop);
        let there = bastion.is_there(&|| self.connecting(way)).await;
        there.map_err(|source| way.failed(source))
    }

    async fn route(self: &Arc<Self>, way: &Way) -> Result<Route, ConnectError> {
        let config = &way.resolved.config;
        let limit = config
            .connect_timeout
            .unwrap_or(self.options.timeouts.connect);
        if let Some(before) = &way.before {
            let stream = self.through(before, &way.resolved, limit).await?;
            return Ok(Route {
                stream,
                address: None,
                complaint: None,
            });
        }
        if let Proxy::Command(command) = &config.proxy {
            let shell = self.options.environment.get("SHELL").map(String::as_str);
            let (stream, complaint) = proxy_command::start(command, shell, &way.resolved.target())?;
            return Ok(Route {
                stream,
                address: None,
                complaint: Some(complaint),
            });
        }
        let stream = dial::dial(config, limit).await?;
        Ok(Route {
            address: stream.peer_addr().ok().map(|address| address.ip()),
            stream: Box::new(Prompt(stream)),
            complaint: None,
        })
    }

    /// Opens a stream to a host through a bastion.
    async fn through(
        self: &Arc<Self>,
        way: &Arc<Way>,
        resolved: &Resolved,
        limit: Duration,
    ) -> Result<Box<dyn ByteStream>, ConnectError> {
        let (host, port) = (&resolved.config.host_name, resolved.config.port);
        let (bastion, target) = (way.hop.endpoint.address.clone(), resolved.target());
        let opener = self.bastions.bastion(&way.hop);
        let connect = || self.connecting(way);
        let opening = opener.dial(host, port, connect);
        let fault = match tokio::time::timeout(limit, opening).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(Through::NotThere(source))) => return Err(way.failed(source)),
            Ok(Err(Through::Fault(fault))) => fault,
            Err(_elapsed) => DialFault::Failed(format!("no answer for {} s", limit.as_secs())),
        };
        Err(match fault {
            DialFault::Forbidden(reason) => ConnectError::ForwardingRefused {
                bastion,
                target,
                reason,
            },
            DialFault::Failed(reason) => ConnectError::BeyondBastion {
                bastion,
                target,
                reason,
            },
            DialFault::Full => ConnectError::BeyondBastion {
                bastion,
                target,
                reason: "it has no room for one more channel".to_owned(),
            },
            DialFault::Lost(reason) => way.failed(Arc::new(ConnectError::ResetBeforeAuth {
                target: bastion,
                reason,
            })),
        })
    }

    /// Returns what connects to a bastion.
    fn connecting(self: &Arc<Self>, way: &Arc<Way>) -> Connect {
        let (inner, way) = (Arc::clone(self), Arc::clone(way));
        Box::new(move || inner.connect(way))
    }
}

impl Way {
    /// Returns the hosts on it but the last, the first of them first.
    fn through(&self) -> Vec<String> {
        let Some(before) = &self.before else {
            return match &self.resolved.config.proxy {
                Proxy::Command(_) => vec!["a ProxyCommand".to_owned()],
                Proxy::None | Proxy::Jump(_) => Vec::new(),
            };
        };
        let mut through = before.through();
        through.push(before.hop.endpoint.address.clone());
        through
    }

    /// Returns the error of a host that cannot be reached, as the one at the end of this way
    /// cannot.
    pub(super) fn failed(&self, source: Arc<ConnectError>) -> ConnectError {
        ConnectError::Bastion {
            bastion: self.hop.endpoint.address.clone(),
            source,
        }
    }
}

/// Lets a program that led nowhere speak for itself: without its words, only the silence of the
/// host would be seen.
async fn blame(
    error: ConnectError,
    complaint: Option<&Complaint>,
    resolved: &Resolved,
) -> ConnectError {
    let is_silence = matches!(
        error,
        ConnectError::ResetBeforeAuth { .. }
            | ConnectError::NoBanner { .. }
            | ConnectError::Protocol { .. }
    );
    let Some(complaint) = complaint.filter(|_| is_silence) else {
        return error;
    };
    match complaint.last_line().await {
        Some(reason) => ConnectError::ProxyCommand {
            target: resolved.target(),
            reason,
        },
        None => error,
    }
}
