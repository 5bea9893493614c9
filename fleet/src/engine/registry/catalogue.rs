//! The images that registries have.

use crate::engine::image::{Behaviour, Image};
use crate::engine::root::System;

/// The images of MKE and their sizes in MB, as Docker Hub shows them for 3.8 (rounded).
const MKE: &[(&str, u64)] = &[
    ("ucp", 42),
    ("ucp-agent", 66),
    ("ucp-controller", 104),
    ("ucp-proxy", 40),
    ("ucp-agent-win", 300),
    ("ucp-dsinfo-win", 280),
    ("ucp-hardware-info-win", 260),
];

/// The images of MSR and their sizes in MB, as Docker Hub shows them for 2.9 (rounded).
const MSR: &[(&str, u64)] = &[
    ("dtr", 44),
    ("dtr-api", 60),
    ("dtr-garant", 38),
    ("dtr-jobrunner", 170),
    ("dtr-nginx", 45),
    ("dtr-notary-server", 40),
    ("dtr-notary-signer", 40),
    ("dtr-postgres", 92),
    ("dtr-registry", 55),
    ("dtr-rethink", 58),
];

/// Returns whether the name of a repository is that of an image of MKE or MSR.
pub(super) fn is_of_mke(path: &str) -> bool {
    size_of(path).is_some()
}

fn size_of(path: &str) -> Option<(&str, u64)> {
    let name = path.rsplit('/').next()?;
    let (_, size) = MKE.iter().chain(MSR).find(|(known, _)| *known == name)?;
    Some((name, *size))
}

/// Returns an image of MKE or MSR, where the name is of one and the tag is a version.
pub(crate) fn image_of_mke(path: &str, tag: &str) -> Option<Image> {
    let (name, size) = size_of(path)?;
    let behaviour = match name {
        "dtr" => Behaviour::Msr,
        name if name.starts_with("dtr-") => Behaviour::Stays,
        _ => Behaviour::Mke,
    };
    let is_version = tag.starts_with(|one: char| one.is_ascii_digit()) && tag.contains('.');
    is_version.then(|| Image::new(name, tag, size, behaviour))
}

/// The small images that everybody knows.
pub(crate) fn small_images() -> Vec<(String, Image)> {
    [
        ("alpine", 8, Behaviour::Shell, Some(System::Alpine)),
        ("busybox", 4, Behaviour::Shell, Some(System::Busybox)),
        ("ubuntu", 78, Behaviour::Shell, Some(System::Debian)),
        ("debian", 117, Behaviour::Shell, Some(System::Debian)),
        ("hello-world", 1, Behaviour::Greets, None),
        ("nginx", 188, Behaviour::Stays, Some(System::Debian)),
        ("registry", 25, Behaviour::Stays, Some(System::Alpine)),
        ("redis", 117, Behaviour::Stays, Some(System::Debian)),
    ]
    .into_iter()
    .map(|(name, size, behaviour, system)| {
        let image = Image::new(name, "latest", size, behaviour);
        let image = Image { system, ..image };
        (format!("docker.io/library/{name}:latest"), image)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mke_is_known_by_the_last_part_of_a_name() {
        assert!(image_of_mke("mirantis/ucp-agent", "3.8.8").is_some());
        assert!(image_of_mke("a/b/ucp", "3.9.0-rc1").is_some());
        assert!(image_of_mke("mirantis/ucp", "latest").is_none());
        assert!(image_of_mke("mirantis/other", "3.8.8").is_none());
    }
}
