//! All that a lab is started from, in the order it can be made: what does not depend on each other at the same time.

use std::path::PathBuf;

use anyhow::Result;

use super::archive::{self, Archive};
use super::base;
use super::host;
use super::keys::{self, Keys};
use super::packages::{self, Packages};
use super::rpm_host::{self, System};
use super::rpms::{self, Rpms};
use super::services;
use super::standin;
use crate::cache::{Cache, Id};
use crate::command::Cmd;
use crate::paths::Paths;
use crate::talk::Talk;

/// What a lab is started from.
#[derive(Clone, Debug)]
pub(crate) struct Images {
    pub(crate) keys: Keys,
    pub(crate) packages: Packages,
    pub(crate) archive: Archive,
    pub(crate) rpms: Rpms,
    /// The image of a host as it comes from the distribution.
    pub(crate) bare: String,
    /// The image of a host with the engine of the older channel.
    pub(crate) engine: String,
    /// The image of a host that is Rocky Linux.
    pub(crate) rocky: String,
    /// The image of a host that is SLES.
    pub(crate) sles: String,
    /// The image of the services.
    pub(crate) services: String,
    /// The stand-in's binary.
    pub(crate) ucp: PathBuf,
}

/// Makes what is missing.
pub(crate) async fn ensure(paths: &Paths, talk: Talk) -> Result<Images> {
    let cache = Cache::new(paths.cache());
    let keys = keys::ensure(&cache).await?;
    let (base, packages, ucp) = tokio::try_join!(
        base::ensure(&cache, paths, talk),
        packages::ensure(&cache, paths, &keys, talk),
        standin::ensure(paths, talk),
    )?;
    let hosts = host::ids(&base.id, &keys, &packages);
    let services = services::id(&base.id);
    let make_hosts = async {
        if is_there(&hosts.bare).await && is_there(&hosts.engine).await {
            return Ok(());
        }
        host::make(&hosts, paths, &keys, &base, &packages, talk).await
    };
    let make_services = async {
        if is_there(&services).await {
            return Ok(());
        }
        services::make(&services, paths, &base, talk).await
    };
    let make_rpm_hosts = async {
        let rpms = rpms::ensure(&cache, paths, &keys, &base, &packages, talk).await?;
        let image = async |system: &System| {
            let id = system.id(&base.id, &keys, &rpms);
            if !is_there(&id).await {
                system.make(&id, paths, &keys, &base, &rpms, talk).await?;
            }
            anyhow::Ok(id.image())
        };
        let (rocky, sles) = tokio::try_join!(image(&rpm_host::ROCKY), image(&rpm_host::SLES))?;
        anyhow::Ok((rpms, rocky, sles))
    };
    let (archive, (), (), (rpms, rocky, sles)) = tokio::try_join!(
        archive::ensure(&cache, paths, &keys, &base, talk),
        make_hosts,
        make_services,
        make_rpm_hosts
    )?;
    Ok(Images {
        keys,
        packages,
        archive,
        rpms,
        rocky,
        sles,
        bare: hosts.bare.image(),
        engine: hosts.engine.image(),
        services: services.image(),
        ucp,
    })
}

async fn is_there(id: &Id) -> bool {
    Cmd::new("docker")
        .args(["image", "inspect", &id.image()])
        .succeeds()
        .await
}
