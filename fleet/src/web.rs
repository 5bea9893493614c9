//! What hosts fetch over HTTP: pages of sites, and the API of controllers on other hosts.

use std::time::Duration;

use crate::network::{Barred, Condition, Place};
use crate::world::{Fleet, HostId};

/// An address, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) scheme: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The path with its query.
    pub(crate) path: String,
}

impl Url {
    /// Takes an address apart; without a scheme it is one of HTTP.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let authority = authority.rsplit('@').next().unwrap_or(authority);
        let standard = if scheme == "https" { 443 } else { 80 };
        let (host, port) = match authority
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
        {
            Some((host, port)) => (host, port.strip_prefix(':')),
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        let port = match port {
            Some(port) => port.parse().ok()?,
            None => standard,
        };
        if host.is_empty() {
            return None;
        }
        let path = match path.split('#').next().unwrap_or_default() {
            "" => "/".to_owned(),
            path if path.starts_with('?') => format!("/{path}"),
            path => path.to_owned(),
        };
        Some(Self {
            scheme: scheme.to_owned(),
            host: host.to_owned(),
            port,
            path,
        })
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    /// The status.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: Vec<u8>,
    /// Bytes per second.
    pub(crate) bandwidth: u64,
    /// Whether the certificate leads to an authority that the host knows; of HTTP: yes.
    pub(crate) is_trusted: bool,
}

/// Why nothing came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfetched {
    /// The name does not resolve.
    NoName,
    /// Nothing listens.
    Refused,
    /// Nothing answers.
    Silent,
    /// There is no way there.
    NoRoute,
    /// What answers speaks no TLS, or no HTTP.
    Garbled,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) authorization: Option<&'a str>,
    pub(crate) body: &'a [u8],
}

impl Request<'_> {
    pub(crate) const GET: Self = Self {
        method: "GET",
        authorization: None,
        body: b"",
    };
}

/// How long a round trip between a host and a site takes.
pub(crate) const ROUND_TRIP: Duration = Duration::from_millis(8);

/// Fetches an address from a host, without its time.
///
/// # Errors
///
/// Fails where nothing comes back.
pub(crate) async fn fetch(
    fleet: &Fleet,
    from: HostId,
    url: &Url,
    request: &Request<'_>,
) -> Result<Page, Unfetched> {
    let place =
        fleet
            .world(|world| world.route(from, &url.host))
            .map_err(|barred| match barred {
                Barred::NoName => Unfetched::NoName,
                Barred::NoRoute => Unfetched::NoRoute,
                Barred::Silent => Unfetched::Silent,
                Barred::Refused => Unfetched::Refused,
            })?;
    match place {
        Place::Site(name) => fleet.world(|world| {
            let site = world.network.sites.get(&name).ok_or(Unfetched::Refused)?;
            if let Condition::Status(status) = site.condition {
                return Ok(Page {
                    status,
                    body: Vec::new(),
                    bandwidth: site.bandwidth,
                    is_trusted: site.is_trusted || url.scheme == "http",
                });
            }
            let path = url.path.split('?').next().unwrap_or_default();
            let is_trusted = site.is_trusted || url.scheme == "http";
            if path.starts_with("/v2/") && world.engines.registries.get(&name).is_some() {
                let (status, body) = world.engines.registries.respond(&name, url, request);
                return Ok(Page {
                    status,
                    body,
                    bandwidth: site.bandwidth.max(1),
                    is_trusted,
                });
            }
            let page = site.pages.get(path);
            Ok(Page {
                status: if page.is_some() { 200 } else { 404 },
                body: page
                    .map(|text| text.clone().into_bytes())
                    .unwrap_or_default(),
                bandwidth: site.bandwidth.max(1),
                is_trusted: site.is_trusted || url.scheme == "http",
            })
        }),
        Place::Here => crate::engine::fetch(fleet, from, url, request).await,
        Place::Host(other) => crate::engine::fetch(fleet, other, url, request).await,
    }
}
