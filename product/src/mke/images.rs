//! Which hosts need the images of MKE, and under which names.

use config::Mke as MkeConfig;
use phase::HostView;

use super::cluster::Mke;
use super::domain::MkeDomain;
use super::shared::Shared;

/// Returns the directory of this run's registry logins on a host.
pub fn docker_config_dir(shared: &Shared) -> String {
    format!("/run/launchpad/docker-config-{}", shared.run_id)
}

/// Returns whether a host has to have the images of MKE before MKE or the host can join.
///
/// With the vendor's repositories MKE itself pulls on the workers; from a custom repository the
/// images have to be there under the names that MKE knows them by.
pub fn needs_images(view: &HostView<'_, MkeDomain>) -> bool {
    if view.facts.images_pulled {
        return false;
    }
    let concerned = view.shared.is_manager(view.host) || view.shared.config.mke.has_custom_repo();
    let comes = match &view.cluster.mke {
        Mke::Absent => view.cluster.install_under_way.is_none(),
        Mke::Installed(_) => !view.facts.swarm.is_member(),
        Mke::Unknown | Mke::Partial => false,
    };
    concerned && comes
}

/// Returns the image names in a listing of the bootstrapper; other lines are ignored.
pub fn parse_listing(text: &str) -> Vec<String> {
    let mut images: Vec<String> = Vec::new();
    for line in text.lines().map(str::trim) {
        if is_image(line) && !images.iter().any(|known| known == line) {
            images.push(line.to_owned());
        }
    }
    images
}

/// Whether a text is `repository/name:tag`, after the grammar of the OCI distribution
/// specification, as far as the bootstrapper uses it.
fn is_image(text: &str) -> bool {
    let Some((repository, last)) = text.rsplit_once('/') else {
        return false;
    };
    let Some((name, tag)) = last.split_once(':') else {
        return false;
    };
    let part = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
    };
    let mut parts = repository.split('/');
    let host = parts.next().unwrap_or_default();
    let (host, port) = host.split_once(':').unwrap_or((host, "0"));
    part(host)
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && parts.all(part)
        && part(name)
        && part(tag)
}

/// Returns the name by which an image is pulled from a custom repository.
pub fn in_repository(mke: &MkeConfig, image: &str) -> String {
    let name = image.rsplit('/').next().unwrap_or(image);
    format!("{}/{name}", mke.image_repo)
}

/// Returns the name by which MKE knows an image.
pub fn vendor_name(image: &str) -> String {
    let name = image.rsplit('/').next().unwrap_or(image);
    format!("mirantis/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_listing_between_other_lines() {
        let text = "Unable to find image locally\nmirantis/ucp:3.8.8\n\
                    registry.lab:5000/a/b/ucp-agent:3.8.8\nmirantis/ucp:3.8.8\nlevel=info\n";

        assert_eq!(
            parse_listing(text),
            [
                "mirantis/ucp:3.8.8",
                "registry.lab:5000/a/b/ucp-agent:3.8.8"
            ]
        );
    }
}
