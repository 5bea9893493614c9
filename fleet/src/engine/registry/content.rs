//! The bytes of images, and their digests, in the forms of OCI (image specification 1.1).
//!
//! Among the hosts only the sizes of layers count: a layer of 400 MB takes its time and its place.
//! Its bytes, for whoever is no engine of the fleet, are an archive of one small file.

use std::sync::Arc;

use serde_json::json;

use crate::engine::image::{Image, Layer};
use crate::engine::names;
use crate::files::{Archive, Content, Member};

/// The type of a manifest.
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The type of what describes an image.
pub(crate) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// The type of a layer.
pub(crate) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// Returns the digest of some bytes, `sha256:…`.
pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", names::sha256(bytes))
}

/// Returns the bytes of a layer of which a text is known.
pub(crate) fn layer(text: &str) -> Vec<u8> {
    Content::Archive(Arc::new(archive(text))).whole().to_vec()
}

fn archive(text: &str) -> Archive {
    Archive::new(vec![Member::file("contents", format!("{text}\n"), 0)])
}

/// Returns what describes an image.
pub(crate) fn config(image: &Image) -> Vec<u8> {
    let layers: Vec<&str> = image.layers.iter().map(|one| one.digest.as_str()).collect();
    let config = json!({
        "architecture": "amd64",
        "config": {
            "Env": &image.environment,
            "Entrypoint": &image.entrypoint,
            "Cmd": &image.command,
            "Labels": &image.labels,
        },
        "created": names::timestamp(image.created),
        "os": "linux",
        "rootfs": { "type": "layers", "diff_ids": layers },
    });
    config.to_string().into_bytes()
}

/// Returns the manifest of an image.
pub(crate) fn manifest(image: &Image) -> Vec<u8> {
    let of_layer = |layer: &Layer| {
        json!({
            "mediaType": LAYER,
            "digest": &layer.digest,
            "size": archive(&layer.text).size(),
        })
    };
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": { "mediaType": CONFIG, "digest": &image.id, "size": config(image).len() },
        "layers": image.layers.iter().map(of_layer).collect::<Vec<_>>(),
    });
    manifest.to_string().into_bytes()
}
