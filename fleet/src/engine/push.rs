//! Pushing images.

use std::sync::Arc;
use std::time::Duration;

use super::image::{Image, Layer, Reference};
use super::registry::Login;
use super::{Refusal, around, refusal};
use crate::world::{HostId, World};

/// What a push comes to.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The image.
    pub(crate) image: Arc<Image>,
    /// Its layers, and where the registry has them.
    pub(crate) layers: Vec<Pushed>,
    /// How long it takes.
    pub(crate) took: Duration,
    /// Why it fails.
    pub(crate) problem: Option<String>,
}

/// A layer, and where the registry has it.
#[derive(Debug)]
pub(crate) struct Pushed {
    /// The layer.
    pub(crate) layer: Layer,
    /// Where it is.
    pub(crate) place: Place,
}

/// Where a registry has a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the repository that it belongs to.
    Here,
    /// In another repository.
    In(String),
    /// Nowhere: it has to be sent.
    Nowhere,
}

/// Finds out what a push comes to.
///
/// # Errors
///
/// Fails where there is no such image.
pub(crate) fn plan(
    world: &World,
    host: HostId,
    reference: &Reference,
    login: Option<&Login>,
) -> Result<Plan, Refusal> {
    let name = reference.to_string();
    let found = world.engine(host).images.find(&name);
    let missing = || refusal(404, format!("tag does not exist: {name}"));
    let image = Arc::clone(&found.ok_or_else(missing)?.image);
    let caller = around::caller(world, host, &reference.domain, login);
    let registries = &world.engines.registries;
    let problem = registries.may_push(reference, &caller).err();
    let registry = registries.get(&reference.domain);
    let place = |layer: &Layer| match registry {
        Some(registry) => registry.place_of(layer, &reference.path),
        None => Place::Nowhere,
    };
    let layers: Vec<Pushed> = image
        .layers
        .iter()
        .map(|layer| Pushed {
            layer: layer.clone(),
            place: place(layer),
        })
        .collect();
    let sent = layers.iter().filter(|one| one.place == Place::Nowhere);
    let sent: Vec<Layer> = sent.map(|one| one.layer.clone()).collect();
    // The engine sends five layers at the same time unless it is told otherwise.
    let took = registry.map(|registry| registry.transfer(&sent, 5));
    Ok(Plan {
        image,
        layers,
        took: problem
            .as_ref()
            .map_or(took.unwrap_or_default(), |one| one.took),
        problem: problem.map(|one| one.message),
    })
}

/// Keeps an image that was pushed, where it was pushed to.
pub(crate) fn keep(world: &mut World, host: HostId, reference: &Reference, image: &Arc<Image>) {
    world.engines.registries.keep(reference, image);
    let images = &mut world.engine_mut(host).images;
    images.pushed(image, reference);
    world.touch(host);
}

/// Returns how long the manifest of an image is: what stands around its layers, and about as much
/// for each as docker prints for images with one layer and with two (528, 739).
pub(crate) fn manifest_size(image: &Image) -> usize {
    317 + 211 * image.layers.len()
}
