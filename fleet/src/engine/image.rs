//! Images: their names, what they are made of, and what their containers do.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::registry::content;
use super::root::System;

/// An image; hosts that have it share it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Image {
    /// Its id, `sha256:…`.
    pub(crate) id: String,
    /// The digest of its manifest, `sha256:…`.
    pub(crate) digest: String,
    /// The sizes of its layers: what is sent, and what they take on a disk.
    pub(crate) layers: Vec<Layer>,
    /// What its containers run.
    pub(crate) entrypoint: Vec<String>,
    /// The arguments of that, unless others are given.
    pub(crate) command: Vec<String>,
    /// The environment.
    pub(crate) environment: Vec<String>,
    /// Labels.
    pub(crate) labels: BTreeMap<String, String>,
    /// When it was made, since 1970.
    pub(crate) created: Duration,
    /// What its containers do.
    pub(crate) behaviour: Behaviour,
    /// The system whose programs it has; none where it has only what it runs.
    pub(crate) system: Option<System>,
}

/// A layer of an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Layer {
    /// Its digest, `sha256:…`.
    pub(crate) digest: String,
    /// What is in it: what the file says that it has for whoever is no engine of the fleet.
    pub(crate) text: String,
    /// What is sent.
    pub(crate) compressed: u64,
    /// What it takes on a disk.
    pub(crate) size: u64,
}

/// What the containers of an image do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// They are MKE.
    Mke,
    /// They are the bootstrapper of MSR.
    Msr,
    /// They run until they are stopped.
    Stays,
    /// They greet and end.
    Greets,
    /// They run a command in a small file tree of their own.
    Shell,
}

impl Image {
    /// Makes an image.
    pub(crate) fn new(name: &str, tag: &str, megabytes: u64, behaviour: Behaviour) -> Self {
        let layer = |what: &str, share: u64| {
            let text = format!("{what} of {name}:{tag}");
            Layer {
                digest: content::digest(&content::layer(&text)),
                text,
                compressed: megabytes * share * 4_000,
                size: megabytes * share * 10_000,
            }
        };
        let (entrypoint, command): (&[&str], &[&str]) = match behaviour {
            Behaviour::Mke => (&["/ucp"], &[]),
            Behaviour::Msr => (&["/bin/dtr"], &[]),
            Behaviour::Stays => (&["/docker-entrypoint.sh"], &["serve"]),
            Behaviour::Greets => (&[], &["/hello"]),
            Behaviour::Shell => (&[], &["/bin/sh"]),
        };
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        let shares: &[(&str, u64)] = match behaviour {
            Behaviour::Mke | Behaviour::Msr | Behaviour::Stays => {
                &[("base", 20), ("files", 50), ("program", 30)]
            }
            Behaviour::Greets | Behaviour::Shell => &[("files", 100)],
        };
        Self {
            id: String::new(),
            digest: String::new(),
            layers: shares
                .iter()
                .map(|(what, share)| layer(what, *share))
                .collect(),
            entrypoint: words(entrypoint),
            command: words(command),
            environment: vec![
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
            ],
            labels: BTreeMap::new(),
            created: Duration::from_secs(1_735_689_600),
            behaviour,
            system: None,
        }
        .sealed()
    }

    /// Makes its id and its digest those of what it is.
    pub(crate) fn sealed(mut self) -> Self {
        self.id = content::digest(&content::config(&self));
        self.digest = content::digest(&content::manifest(&self));
        self
    }

    /// Lets it have the programs of a system.
    pub(crate) fn with(self, system: System) -> Self {
        Self {
            system: Some(system),
            ..self
        }
    }

    /// Returns what it takes on a disk.
    pub(crate) fn size(&self) -> u64 {
        self.layers.iter().map(|layer| layer.size).sum()
    }
}

/// An image that a host has, with the names that it has there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Local {
    /// The image.
    pub(crate) image: Arc<Image>,
    /// Its names, each whole, like `docker.io/mirantis/ucp:3.8.8`.
    pub(crate) tags: BTreeSet<String>,
    /// The repositories that it was pulled from.
    pub(crate) repositories: BTreeSet<String>,
}

/// The name of an image, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    /// The registry, with its port: `docker.io` where none is named.
    pub(crate) domain: String,
    /// The repository, like `mirantis/ucp`.
    pub(crate) path: String,
    /// The tag; `latest` where there is neither tag nor digest.
    pub(crate) tag: Option<String>,
    /// The digest, `sha256:…`.
    pub(crate) digest: Option<String>,
}

/// Returns whether a name is that of a repository alone, without a tag or a digest.
pub(crate) fn is_repository(name: &str) -> bool {
    !name.rsplit('/').next().unwrap_or(name).contains([':', '@'])
}

impl Reference {
    /// Reads a name.
    ///
    /// # Errors
    ///
    /// Returns what docker says about a name that is none.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let bad = || "invalid reference format".to_owned();
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        let is_digest = |digest: &str| {
            let digits = digest.strip_prefix("sha256:");
            digits.is_some_and(|digits| {
                digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
            })
        };
        if digest.is_some_and(|digest| !is_digest(digest)) {
            return Err(bad());
        }
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(bad());
        }
        let (domain, path) = match name.split_once('/') {
            Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => {
                (first, rest.to_owned())
            }
            _ => ("docker.io", name.to_owned()),
        };
        let domain = if domain == "index.docker.io" {
            "docker.io"
        } else {
            domain
        };
        let path = if domain == "docker.io" && !path.contains('/') {
            format!("library/{path}")
        } else {
            path
        };
        if path.chars().any(|one| one.is_ascii_uppercase()) {
            return Err(format!(
                "invalid reference format: repository name ({path}) must be lowercase"
            ));
        }
        if !is_path(&path) {
            return Err(bad());
        }
        let tag = match (tag, digest) {
            (None, None) => Some("latest"),
            (tag, _) => tag,
        };
        Ok(Self {
            domain: domain.to_owned(),
            path,
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }

    /// Returns the name without tag and digest, whole: `docker.io/mirantis/ucp`.
    pub(crate) fn repository(&self) -> String {
        format!("{}/{}", self.domain, self.path)
    }

    /// Returns the name without tag and digest as docker shows it: `mirantis/ucp`.
    pub(crate) fn familiar_repository(&self) -> String {
        familiar(&self.repository()).to_owned()
    }

    /// Returns the name with its tag, whole.
    pub(crate) fn tagged(&self) -> Option<String> {
        let tag = self.tag.as_ref()?;
        Some(format!("{}:{tag}", self.repository()))
    }
}

impl fmt::Display for Reference {
    /// Writes it as docker shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.familiar_repository())?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// Returns a name without its digest.
pub(crate) fn without_digest(name: &str) -> &str {
    name.split_once('@').map_or(name, |(name, _)| name)
}

/// Returns a whole name as docker shows it.
pub(crate) fn familiar(name: &str) -> &str {
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    name.strip_prefix("library/").unwrap_or(name)
}

fn is_tag(tag: &str) -> bool {
    let is_good = |one: char| one.is_ascii_alphanumeric() || "_.-".contains(one);
    !tag.is_empty() && tag.len() <= 128 && !tag.starts_with(['.', '-']) && tag.chars().all(is_good)
}

fn is_path(path: &str) -> bool {
    let is_part = |part: &str| {
        let is_good = |one: char| one.is_ascii_alphanumeric() || "_.-".contains(one);
        !part.is_empty()
            && part.chars().all(is_good)
            && !part.starts_with(['.', '-', '_'])
            && !part.ends_with(['.', '-', '_'])
    };
    path.split('/').all(is_part)
}

/// The images of a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Images {
    /// By id.
    all: BTreeMap<String, Local>,
}

impl Images {
    /// Returns all images, by their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Local> {
        self.all.values()
    }

    /// Returns how many there are.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Returns what all layers take together.
    pub(crate) fn size(&self) -> u64 {
        let layers: BTreeSet<&Layer> = self.iter().flat_map(|one| &one.image.layers).collect();
        layers.into_iter().map(|layer| layer.size).sum()
    }

    /// Returns the layers that are not there.
    pub(crate) fn missing_layers(&self, image: &Image) -> Vec<Layer> {
        let layers: BTreeSet<&Layer> = self.iter().flat_map(|one| &one.image.layers).collect();
        let missing = image.layers.iter().filter(|layer| !layers.contains(layer));
        missing.cloned().collect()
    }

    /// Finds an image by name, id or the beginning of an id.
    pub(crate) fn find(&self, text: &str) -> Option<&Local> {
        let by_name = Reference::parse(text).ok().and_then(|reference| {
            let tagged = reference.tagged();
            let mut images = self.iter();
            images.find(|one| match &reference.digest {
                Some(digest) => {
                    one.image.digest == *digest
                        && one.repositories.contains(&reference.repository())
                }
                None => tagged.as_ref().is_some_and(|name| one.tags.contains(name)),
            })
        });
        by_name.or_else(|| self.find_id(text))
    }

    fn find_id(&self, text: &str) -> Option<&Local> {
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut found = self
            .iter()
            .filter(|one| one.image.id["sha256:".len()..].starts_with(digits));
        let first = found.next();
        first.filter(|_| found.next().is_none())
    }

    /// Adds a name of an image; it is taken from the one that had it.
    pub(crate) fn tag(&mut self, image: &Arc<Image>, name: &str) {
        for one in self.all.values_mut() {
            one.tags.remove(name);
        }
        self.entry(image).tags.insert(name.to_owned());
    }

    /// Adds an image that was loaded.
    pub(crate) fn loaded(&mut self, image: &Arc<Image>) {
        self.entry(image);
    }

    /// Adds an image that was pulled: by its digest, it gets no name.
    pub(crate) fn pulled(&mut self, image: &Arc<Image>, reference: &Reference) {
        if let Some(name) = reference.tagged().filter(|_| reference.digest.is_none()) {
            self.tag(image, &name);
        }
        let entry = self.entry(image);
        entry.repositories.insert(reference.repository());
    }

    /// Takes note that an image was pushed.
    pub(crate) fn pushed(&mut self, image: &Arc<Image>, reference: &Reference) {
        let entry = self.entry(image);
        entry.repositories.insert(reference.repository());
    }

    fn entry(&mut self, image: &Arc<Image>) -> &mut Local {
        self.all.entry(image.id.clone()).or_insert_with(|| Local {
            image: Arc::clone(image),
            tags: BTreeSet::new(),
            repositories: BTreeSet::new(),
        })
    }

    /// Removes a name of an image; returns whether the image has no other.
    pub(crate) fn untag(&mut self, id: &str, name: &str) -> bool {
        let Some(local) = self.all.get_mut(id) else {
            return true;
        };
        local.tags.remove(name);
        local.tags.is_empty()
    }

    /// Removes an image.
    pub(crate) fn remove(&mut self, id: &str) -> Option<Local> {
        self.all.remove(id)
    }

    /// Removes all images.
    pub(crate) fn clear(&mut self) {
        self.all.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::names;

    #[test]
    fn names_are_taken_apart() {
        for (text, domain, path, shown) in [
            ("alpine", "docker.io", "library/alpine", "alpine:latest"),
            (
                "mirantis/ucp:3.8.8",
                "docker.io",
                "mirantis/ucp",
                "mirantis/ucp:3.8.8",
            ),
            (
                "docker.io/mirantis/ucp:1",
                "docker.io",
                "mirantis/ucp",
                "mirantis/ucp:1",
            ),
            (
                "registry.lab:5000/a/ucp",
                "registry.lab:5000",
                "a/ucp",
                "registry.lab:5000/a/ucp:latest",
            ),
            ("localhost/x:1", "localhost", "x", "localhost/x:1"),
        ] {
            let reference = Reference::parse(text).unwrap();

            assert_eq!((&*reference.domain, &*reference.path), (domain, path));
            assert_eq!(reference.to_string(), shown);
        }
        assert_eq!(
            Reference::parse("a b"),
            Err("invalid reference format".to_owned())
        );
        assert_eq!(
            Reference::parse("Foo"),
            Err(
                "invalid reference format: repository name (library/Foo) must be lowercase"
                    .to_owned()
            )
        );
    }

    #[test]
    fn an_image_is_found_by_name_and_by_the_beginning_of_its_id() {
        let mut images = Images::default();
        let image = Arc::new(Image::new("mirantis/ucp", "3.8.8", 40, Behaviour::Mke));
        let reference = Reference::parse("docker.io/mirantis/ucp:3.8.8").unwrap();
        images.pulled(&image, &reference);

        for name in ["mirantis/ucp:3.8.8", &image.id, &names::short(&image.id)] {
            assert!(images.find(name).is_some(), "{name}");
        }
        assert!(images.find("mirantis/ucp").is_none());
        assert!(
            images
                .find(&format!("mirantis/ucp@{}", image.digest))
                .is_some()
        );
        assert!(images.missing_layers(&image).is_empty());
        assert!(images.untag(&image.id, "docker.io/mirantis/ucp:3.8.8"));
    }
}
