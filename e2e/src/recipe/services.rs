//! The image of the lab's services: a web server and a container registry.

use anyhow::Result;

use super::base::Base;
use crate::cache::{Id, Recipe};
use crate::paths::{Paths, write};
use crate::talk::Talk;

const NGINX: &str = include_str!("../../files/nginx.conf");
const REGISTRY: &str = include_str!("../../files/registry.yml");
const REGISTRY_PRIVATE: &str = include_str!("../../files/registry-private.yml");

/// What the services are.
const PACKAGES: &[&str] = &["docker-registry", "nginx-light"];

/// Where the configurations are in the image.
pub(crate) const REGISTRY_CONFIG: &str = "/etc/registry.yml";
/// The configuration of the registry that asks for a password.
pub(crate) const REGISTRY_PRIVATE_CONFIG: &str = "/etc/registry-private.yml";

/// Returns the name of the image, without making it.
pub(crate) fn id(base: &str) -> Id {
    Recipe::new("services")
        .with(base)
        .with_all([NGINX, REGISTRY, REGISTRY_PRIVATE])
        .with_all(PACKAGES)
        .with("1")
        .id()
}

/// Makes the image.
pub(crate) async fn make(id: &Id, paths: &Paths, base: &Base, talk: Talk) -> Result<()> {
    let root = base.unpack(paths, "services").await?;
    root.install(PACKAGES).await?;
    root.close_apt().await?;
    root.slim()?;
    write(&root.path("etc/nginx/nginx.conf"), NGINX)?;
    write(
        &root.path(REGISTRY_CONFIG.trim_start_matches('/')),
        REGISTRY,
    )?;
    write(
        &root.path(REGISTRY_PRIVATE_CONFIG.trim_start_matches('/')),
        REGISTRY_PRIVATE,
    )?;
    root.import(&id.image(), &[]).await?;
    talk.say("the image of the services is ready");
    root.discard()
}
