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

impl Inner {
    /// Returns the way to a host, once it is sure that it has an end.
    ///
    /// # Errors
    ///
    /// Fails where hosts of ssh_config jump through each other.
    pub(super) fn way_to(&self, endpoint: &SshEndpoint) -> Result<Hop, ConnectError> {
        let way = Hop::to(endpoint);
        let mut last = Arc::new(way.clone());
        for _ in 0..=MOST_HOPS {
            match last.before(&self.resolve(&last)?.config.proxy) {
                Some(before) => last = before,
                None => return Ok(way),
            }
        }
        Err(ConnectError::TooManyJumps {
            target: endpoint.address.clone(),
            most: MOST_HOPS,
        })
    }

    /// Connects to the host at the end of a way, and logs in. The way has an end, as
    /// [`Inner::way_to`] has seen.
    pub(super) fn connect(
        self: Arc<Self>,
        way: Hop,
    ) -> BoxFuture<'static, Result<SshConnection, ConnectError>> {
        async move {
            let resolved = self.resolve(&way)?;
            let (agent, offer) = self.offer(&resolved).await?;
            let before = way.before(&resolved.config.proxy);
            if let Some(before) = &before {
                // Its hosts are worth a place in the queues only once the bastion is there.
                self.wait_for(before).await?;
            }
            let _slots = self.slots(&resolved.target()).await;
            let route = self.route(before.as_deref(), &resolved).await?;
            let complaint = route.complaint;
            self.set_up(route.stream, &resolved, agent, &offer, route.address)
                .await
                .map_err(|error| blame(error, complaint.as_ref(), &resolved))
        }
        .boxed()
    }

    /// Waits until there is a connection to a bastion.
    async fn wait_for(self: &Arc<Self>, way: &Hop) -> Result<(), ConnectError> {
        let bastion = self.bastions.bastion(way);
        let there = bastion.is_there(&|| self.connecting(way)).await;
        there.map_err(|source| ConnectError::Bastion {
            bastion: way.endpoint.address.clone(),
            source,
        })
    }

    async fn route(
        self: &Arc<Self>,
        before: Option<&Hop>,
        resolved: &Resolved,
    ) -> Result<Route, ConnectError> {
        let config = &resolved.config;
        let limit = config
            .connect_timeout
            .unwrap_or(self.options.timeouts.connect);
        if let Some(before) = before {
            let stream = self.through(before, resolved, limit).await?;
            return Ok(Route {
                stream,
                address: None,
                complaint: None,
            });
        }
        if let Proxy::Command(command) = &config.proxy {
            let shell = self.options.environment.get("SHELL").map(String::as_str);
            let (stream, complaint) = proxy_command::start(command, shell, &resolved.target())?;
            return Ok(Route {
                stream: Box::new(stream),
                address: None,
                complaint: Some(complaint),
            });
        }
        let stream = dial::dial(config, limit).await?;
        Ok(Route {
            address: stream.peer_addr().ok().map(|address| address.ip()),
            stream: Box::new(stream),
            complaint: None,
        })
    }

    /// Opens a stream to a host through a bastion.
    async fn through(
        self: &Arc<Self>,
        way: &Hop,
        resolved: &Resolved,
        limit: Duration,
    ) -> Result<Box<dyn ByteStream>, ConnectError> {
        let (host, port) = (&resolved.config.host_name, resolved.config.port);
        let (bastion, target) = (way.endpoint.address.clone(), resolved.target());
        let opener = self.bastions.bastion(way);
        let connect = || self.connecting(way);
        let opening = opener.dial(host, port, connect);
        let fault = match tokio::time::timeout(limit, opening).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(Through::NotThere(source))) => {
                return Err(ConnectError::Bastion { bastion, source });
            }
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
            DialFault::Lost(reason) => ConnectError::Bastion {
                source: Arc::new(ConnectError::ResetBeforeAuth {
                    target: bastion.clone(),
                    reason,
                }),
                bastion,
            },
        })
    }

    /// Returns what connects to a bastion.
    fn connecting(self: &Arc<Self>, way: &Hop) -> Connect {
        let (inner, way) = (Arc::clone(self), way.clone());
        Box::new(move || inner.connect(way))
    }
}

/// Lets a program that led nowhere speak for itself: without its words, only the silence of the
/// host would be seen.
fn blame(error: ConnectError, complaint: Option<&Complaint>, resolved: &Resolved) -> ConnectError {
    let said = complaint.and_then(Complaint::last_line);
    match (error, said) {
        (
            ConnectError::ResetBeforeAuth { .. }
            | ConnectError::NoBanner { .. }
            | ConnectError::Protocol { .. },
            Some(reason),
        ) => ConnectError::ProxyCommand {
            target: resolved.target(),
            reason,
        },
        (error, _) => error,
    }
}
