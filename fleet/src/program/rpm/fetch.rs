//! Fetching what a repository tells, and its packages: for dnf and zypper alike.

use std::time::Duration;

use crate::packages::{Metadata, Package, Signature};
use crate::program::Invocation;
use crate::web::{self, Unfetched, Url};

/// Why nothing comes from a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The server answers with a status; its address.
    Status(u16, String),
    /// curl gives up: its number, its words for that, and what it says of this time.
    Curl(u8, &'static str, String),
}

/// Fetches an address; what comes back, and how many bytes a second.
pub(crate) async fn page(
    invocation: &mut Invocation,
    address: &str,
) -> Result<(String, u64), Failure> {
    let Some(url) = Url::parse(address).filter(|_| address.contains("://")) else {
        let said = format!("Bad URL: {address}");
        return Err(Failure::Curl(
            3,
            "URL using bad/illegal format or missing URL",
            said,
        ));
    };
    let found = web::fetch(&invocation.fleet, invocation.host, &url, &web::Request::GET).await;
    invocation.sleep(web::ROUND_TRIP * 3).await;
    let (host, port) = (&url.host, url.port);
    let unreachable = "Couldn't connect to server";
    let refused = format!("Failed to connect to {host} port {port} after 0 ms: {unreachable}");
    match found {
        Ok(page) if !page.is_trusted => Err(Failure::Curl(
            60,
            "SSL peer certificate or SSH remote key was not OK",
            "SSL certificate problem: unable to get local issuer certificate".to_owned(),
        )),
        Ok(page) if page.status == 200 => {
            let text = String::from_utf8_lossy(&page.body).into_owned();
            Ok((text, page.bandwidth.max(1)))
        }
        Ok(page) => {
            let address = invocation.world(|world| world.resolve(invocation.host, host));
            let address = address.map_or_else(String::new, |address| address.to_string());
            Err(Failure::Status(page.status, address))
        }
        Err(Unfetched::NoName) => Err(Failure::Curl(
            6,
            "Couldn't resolve host name",
            format!("Could not resolve host: {host}"),
        )),
        Err(Unfetched::Silent) => {
            invocation.sleep(Duration::from_secs(30)).await;
            Err(Failure::Curl(
                28,
                "Timeout was reached",
                "Connection timed out after 30000 milliseconds".to_owned(),
            ))
        }
        Err(Unfetched::Garbled) => Err(Failure::Curl(
            35,
            "SSL connect error",
            "error:0A00010B:SSL routines::wrong version number".to_owned(),
        )),
        Err(Unfetched::Refused | Unfetched::NoRoute) => Err(Failure::Curl(7, unreachable, refused)),
    }
}

/// Fetches what a repository tells.
pub(crate) async fn metadata(invocation: &mut Invocation, url: &str) -> Result<Metadata, Failure> {
    let url = url.trim_end_matches('/');
    page(invocation, &format!("{url}/repodata/repomd.xml")).await?;
    let found = invocation.world(|world| {
        let mut all = world.repositories.iter();
        all.find(|one| one.url == url && one.suite.is_empty())
            .cloned()
    });
    let Some(repository) = found else {
        // A page without a repository behind it is none.
        return Err(Failure::Status(404, String::new()));
    };
    Ok(Metadata {
        url: url.to_owned(),
        fetched: invocation.now(),
        key: repository.key,
        signature: repository.signature,
        packages: repository.packages,
    })
}

/// Fetches a package: takes the time that its bytes take.
pub(crate) async fn package(
    invocation: &mut Invocation,
    url: &str,
    package: &Package,
) -> Result<(), Failure> {
    let address = format!("{}/repodata/repomd.xml", url.trim_end_matches('/'));
    let (_, bandwidth) = page(invocation, &address).await?;
    let seconds = package.size as f64 / bandwidth as f64;
    invocation.sleep(Duration::from_secs_f64(seconds)).await;
    Ok(())
}

/// Judges the signature of a package by the keys that the host has.
pub(crate) fn judge(invocation: &Invocation, metadata: &Metadata) -> Verdict {
    let is_known = invocation.host(|host| host.packages.keys.contains(&metadata.key));
    match metadata.signature {
        Signature::Missing => Verdict::Unsigned,
        Signature::Good if is_known => Verdict::Good,
        Signature::Good | Signature::OtherKey => Verdict::Unknown,
    }
}

/// What a signature is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is by a key that the host has.
    Good,
    /// It is by a key that the host does not have.
    Unknown,
    /// There is none.
    Unsigned,
}

/// Returns how many bytes there is too little room for what comes, where that is so.
pub(crate) fn lacking(invocation: &Invocation, grows: u64) -> Option<u64> {
    let free = invocation.host(|host| host.disk_free("/usr"));
    (grows > free).then(|| grows - free)
}
