//! Pulling images, logging in.

use std::sync::Arc;
use std::time::Duration;

use super::disk::keep_layers;
use super::image::{Image, Layer, Reference};
use super::registry::{Login, Trouble};
use super::{Refusal, around, refusal};
use crate::world::{HostId, World};

/// What a pull comes to.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The image, or what is wrong.
    pub(crate) image: Result<Arc<Image>, Trouble>,
    /// The layers that have to come.
    pub(crate) layers: Vec<Layer>,
    /// How long they take.
    transfer: Duration,
}

impl Plan {
    /// Returns how long it takes.
    pub(crate) fn took(&self) -> Duration {
        match &self.image {
            Ok(_) => self.transfer,
            Err(trouble) => trouble.took,
        }
    }
}

/// Finds out what a pull comes to.
pub(crate) fn plan(
    world: &mut World,
    host: HostId,
    reference: &Reference,
    login: Option<&Login>,
) -> Plan {
    let caller = around::caller(world, host, &reference.domain, login);
    let image = world.engines.registries.manifest(reference, &caller);
    let image = image.map_err(|trouble| told(world, host, trouble));
    let layers = image
        .as_ref()
        .map(|image| world.engine(host).images.missing_layers(image))
        .unwrap_or_default();
    let registry = world.engines.registries.get(&reference.domain);
    let at_once = world.engine(host).settings.downloads;
    let transfer = registry.map(|one| one.transfer(&layers, at_once));
    Plan {
        image,
        layers,
        transfer: transfer.unwrap_or_default(),
    }
}

/// Finds out the digest of an image, and how long that takes.
pub(crate) fn digest(
    world: &mut World,
    host: HostId,
    reference: &Reference,
    login: Option<&Login>,
) -> Result<(String, Duration), Trouble> {
    let caller = around::caller(world, host, &reference.domain, login);
    let (image, took) = world.engines.registries.look(reference, &caller)?;
    Ok((image.digest.clone(), took))
}

/// Adds who was asked for a name, as the engine does.
fn told(world: &World, host: HostId, trouble: Trouble) -> Trouble {
    let text = world.hosts[host.0]
        .files
        .text("/etc/resolv.conf")
        .unwrap_or_default();
    let mut servers = text
        .lines()
        .filter_map(|line| line.strip_prefix("nameserver "));
    let Some(server) = servers.next().map(str::trim) else {
        return trouble;
    };
    let asked = format!(" on {server}:53: no such host");
    Trouble {
        message: trouble.message.replace(": no such host", &asked),
        ..trouble
    }
}

/// Keeps an image that has come.
pub(crate) fn keep(
    world: &mut World,
    host: HostId,
    reference: &Reference,
    image: &Arc<Image>,
    now: Duration,
) -> Result<(), Refusal> {
    keep_layers(world, host, image, "tmp/GetImageBlob3084256391", now)
        .map_err(|problem| refusal(500, problem))?;
    world.engine_mut(host).images.pulled(image, reference);
    world.touch(host);
    Ok(())
}

/// Pulls an image; the time for it has passed already.
pub(crate) fn at_once(
    world: &mut World,
    host: HostId,
    reference: &Reference,
    login: Option<&Login>,
    now: Duration,
) -> Result<(), Refusal> {
    match plan(world, host, reference, login).image {
        Ok(image) => keep(world, host, reference, &image, now),
        Err(trouble) => Err(refusal(500, trouble.message)),
    }
}

/// Logs in to a registry.
pub(crate) fn log_in(
    world: &World,
    host: HostId,
    domain: &str,
    login: &Login,
) -> Result<(), Trouble> {
    let caller = around::caller(world, host, domain, Some(login));
    world.engines.registries.check_login(domain, &caller)
}
