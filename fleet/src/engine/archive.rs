//! Archives of images: what `docker save` writes and `docker load` reads.
//!
//! Their layout is that of the engine: version 1.2 of the image specification
//! (<https://github.com/moby/moby/blob/v20.10.24/image/spec/v1.2.md>), since version 25 with the
//! blobs of OCI. What an image does is no part of its archive: it is known by its id.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::disk::keep_layers;
use super::image::{Image, Layer, Local, Reference, familiar, is_repository};
use super::registry::content;
use super::show::info::major;
use super::{Refusal, refusal};
use crate::files::{Archive, BadArchive, Content, Member};
use crate::world::{HostId, World};

/// Where the engine unpacks an archive, in its data root.
const UNPACKED: &str = "tmp/docker-import-2862146353";

/// Images to save, each with the names that go along.
type Chosen = Vec<(Arc<Image>, BTreeSet<String>)>;

/// How paths in an archive are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// A directory for each layer.
    Directories,
    /// Everything by its digest.
    Blobs,
}

impl Layout {
    fn config(self, image: &Image) -> String {
        match self {
            Self::Directories => format!("{}.json", digits(&image.id)),
            Self::Blobs => format!("blobs/sha256/{}", digits(&image.id)),
        }
    }

    fn layer(self, layer: &Layer) -> String {
        match self {
            Self::Directories => format!("{}/layer.tar", digits(&layer.digest)),
            Self::Blobs => format!("blobs/sha256/{}", digits(&layer.digest)),
        }
    }
}

fn digits(digest: &str) -> &str {
    digest.strip_prefix("sha256:").unwrap_or(digest)
}

/// Makes an archive of images.
///
/// # Errors
///
/// Fails where there is no such image.
pub(crate) fn save(world: &mut World, host: HostId, wanted: &[String]) -> Result<Archive, Refusal> {
    let mut chosen = Chosen::new();
    for name in wanted {
        for (image, tags) in choose(world, host, name)? {
            let known = chosen.iter_mut().find(|(one, _)| one.id == image.id);
            match known {
                Some((_, all)) => all.extend(tags),
                None => chosen.push((image, tags)),
            }
        }
    }
    for (image, _) in &chosen {
        let saved = &mut world.engines.saved;
        saved.insert(image.id.clone(), Arc::clone(image));
    }
    let layout = match major(&world.engine(host).version) {
        ..25 => Layout::Directories,
        _ => Layout::Blobs,
    };
    Ok(archive_of(&chosen, layout))
}

/// Returns what a name stands for: the name of a repository alone for all of its images.
fn choose(world: &World, host: HostId, name: &str) -> Result<Chosen, Refusal> {
    let images = &world.engine(host).images;
    let reference = Reference::parse(name).ok();
    if let Some(reference) = reference.as_ref().filter(|_| is_repository(name)) {
        let start = format!("{}:", reference.repository());
        let of = |local: &Local| {
            let tags = local.tags.iter().filter(|tag| tag.starts_with(&start));
            (Arc::clone(&local.image), tags.cloned().collect())
        };
        let all: Chosen = images.iter().map(of).collect();
        let all: Chosen = all
            .into_iter()
            .filter(|(_, tags)| !tags.is_empty())
            .collect();
        if !all.is_empty() {
            return Ok(all);
        }
    }
    let local = images.find(name);
    let local = local.ok_or_else(|| refusal(404, format!("No such image: {name}")))?;
    let tag = reference.and_then(|reference| reference.tagged());
    let tags = tag.filter(|tag| local.tags.contains(tag)).into_iter();
    Ok(vec![(Arc::clone(&local.image), tags.collect())])
}

fn archive_of(chosen: &Chosen, layout: Layout) -> Archive {
    let mut members: BTreeMap<String, Member> = BTreeMap::new();
    let mut put = |member: Member| {
        members.insert(member.name.clone(), member);
    };
    let mut manifest = Vec::new();
    let mut repositories = serde_json::Map::new();
    for (image, tags) in chosen {
        let written = image.created.as_secs();
        let config = content::config(image);
        put(Member::file(layout.config(image), config, written));
        for layer in &image.layers {
            put_layer(&mut put, layer, layout, written);
        }
        for tag in tags {
            let (name, tag) = familiar(tag).rsplit_once(':').unwrap_or((tag, ""));
            let top = image
                .layers
                .last()
                .map_or("", |layer| digits(&layer.digest));
            repositories.entry(name).or_insert_with(|| json!({}))[tag] = json!(top);
        }
        let shown: Vec<&str> = tags.iter().map(|tag| familiar(tag)).collect();
        manifest.push(json!({
            "Config": layout.config(image),
            "RepoTags": if shown.is_empty() { Json::Null } else { json!(shown) },
            "Layers": image.layers.iter().map(|layer| layout.layer(layer)).collect::<Vec<_>>(),
        }));
    }
    put(Member::file(
        "manifest.json",
        Json::from(manifest).to_string() + "\n",
        0,
    ));
    if !repositories.is_empty() {
        let text = Json::Object(repositories).to_string() + "\n";
        put(Member::file("repositories", text, 0));
    }
    if layout == Layout::Blobs {
        put(Member::directory("blobs/", 0));
        put(Member::directory("blobs/sha256/", 0));
        put(Member::file(
            "oci-layout",
            "{\"imageLayoutVersion\":\"1.0.0\"}",
            0,
        ));
        put_index(&mut put, chosen);
    }
    Archive::new(members.into_values().collect())
}

fn put_layer(put: &mut impl FnMut(Member), layer: &Layer, layout: Layout, written: u64) {
    let content = Content::Large {
        size: layer.size,
        seed: 1,
    };
    put(Member::file(layout.layer(layer), content, written));
    if layout == Layout::Directories {
        let directory = digits(&layer.digest);
        put(Member::directory(format!("{directory}/"), written));
        put(Member::file(format!("{directory}/VERSION"), "1.0", written));
        let text = json!({ "id": directory, "os": "linux" }).to_string();
        put(Member::file(format!("{directory}/json"), text, written));
    }
}

/// Adds what OCI asks for: an index of manifests.
fn put_index(put: &mut impl FnMut(Member), chosen: &Chosen) {
    let mut manifests = Vec::new();
    for (image, _) in chosen {
        let text = content::manifest(image);
        manifests.push(json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": &image.digest,
            "size": text.len(),
        }));
        put(Member::file(
            format!("blobs/sha256/{}", digits(&image.digest)),
            text,
            0,
        ));
    }
    let index = json!({ "schemaVersion": 2, "manifests": manifests });
    put(Member::file("index.json", index.to_string(), 0));
}

/// Why an archive cannot be loaded.
#[derive(Debug)]
pub(crate) enum Unloaded {
    /// The engine says so, in the stream of its answer.
    Said(String),
    /// It has an image that no engine of the fleet has saved.
    Unknown,
}

/// Takes in the images of an archive; returns what the engine says.
///
/// # Errors
///
/// Fails where the content is no archive of images, or the disk is full.
pub(crate) fn load(
    world: &mut World,
    host: HostId,
    content: &Content,
    now: Duration,
) -> Result<Vec<String>, Unloaded> {
    let archive = read(world, host, content).map_err(Unloaded::Said)?;
    let manifest = manifest(world, host, &archive).map_err(Unloaded::Said)?;
    let mut lines = Vec::new();
    let mut ids = Vec::new();
    let mut has_tags = false;
    for entry in &manifest {
        let texts = |key: &str| -> Vec<String> {
            let texts = entry[key].as_array().into_iter().flatten();
            texts
                .filter_map(|one| one.as_str().map(str::to_owned))
                .collect()
        };
        let config = entry["Config"].as_str().unwrap_or_default().to_owned();
        for path in std::iter::once(&config).chain(&texts("Layers")) {
            if archive.member(path).is_none() {
                return Err(Unloaded::Said(missing(world, host, path)));
            }
        }
        let digits = config
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .trim_end_matches(".json");
        let image = world.engines.saved.get(&format!("sha256:{digits}"));
        let image = Arc::clone(image.ok_or(Unloaded::Unknown)?);
        keep(world, host, &image, now).map_err(Unloaded::Said)?;
        ids.push(format!("Loaded image ID: {}", image.id));
        let tags = texts("RepoTags");
        has_tags = !tags.is_empty();
        for tag in tags {
            lines.extend(name(world, host, &image, &tag));
        }
    }
    // The engine looks whether the last image has names (`load.go` of moby, `imageRefCount`).
    if !has_tags {
        lines.extend(ids);
    }
    world.touch(host);
    Ok(lines)
}

/// Reads an archive. Before version 24, a process of its own unpacked it and was named.
fn read(world: &World, host: HostId, content: &Content) -> Result<Archive, String> {
    let what = match Archive::read(content) {
        Ok(archive) => return Ok(archive),
        Err(BadArchive::Header) => "archive/tar: invalid tar header",
        Err(BadArchive::HeaderEnd | BadArchive::End) => "unexpected EOF",
    };
    Err(match major(&world.engine(host).version) {
        ..24 => format!("Error processing tar file(exit status 1): {what}"),
        _ => what.to_owned(),
    })
}

/// Returns the list of images. Without one, the engine looks for the layout before version 1.10: a
/// description in each directory, or at least a list of repositories.
fn manifest(world: &World, host: HostId, archive: &Archive) -> Result<Vec<Json>, String> {
    let Some(member) = archive.member("manifest.json") else {
        let mut names: Vec<&str> = archive
            .members()
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        names.sort_unstable();
        let first = names.iter().find_map(|name| name.split_once('/'));
        let path = match first {
            Some((directory, _)) => format!("{directory}/json"),
            None => "repositories".to_owned(),
        };
        return Err(missing(world, host, &path));
    };
    let text = member.content.text();
    serde_json::from_str(&text).map_err(|problem| problem.to_string())
}

fn missing(world: &World, host: HostId, path: &str) -> String {
    let root = &world.engine(host).settings.data_root;
    format!("open {root}/{UNPACKED}/{path}: no such file or directory")
}

fn keep(world: &mut World, host: HostId, image: &Arc<Image>, now: Duration) -> Result<(), String> {
    let file = format!("{UNPACKED}/layer.tar");
    keep_layers(world, host, image, &file, now)?;
    world.engine_mut(host).images.loaded(image);
    Ok(())
}

/// Gives an image a name; returns what is said.
fn name(world: &mut World, host: HostId, image: &Arc<Image>, tag: &str) -> Vec<String> {
    let Some(whole) = Reference::parse(tag).ok().and_then(|one| one.tagged()) else {
        return Vec::new();
    };
    let images = &mut world.engine_mut(host).images;
    let old = images.find(tag).map(|local| local.image.id.clone());
    let old = old.filter(|id| *id != image.id).map(|id| {
        format!(
            "The image {} already exists, renaming the old one with ID {id} to empty string",
            familiar(&whole)
        )
    });
    images.tag(image, &whole);
    let loaded = format!("Loaded image: {}", familiar(&whole));
    old.into_iter().chain([loaded]).collect()
}
