//! Names of images: where they come from, and how they compare.

/// What MKE is made of; each is an image, and all are this stand-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Component {
    /// Runs on every node and keeps the others there.
    Agent,
    /// Serves the API of a manager.
    Controller,
    /// Runs on every node; its image tells the version of MKE.
    Proxy,
}

/// The components, in the order of the list of images.
pub const COMPONENTS: [Component; 3] = [Component::Agent, Component::Controller, Component::Proxy];

impl Component {
    /// Returns the name of the image, container or service.
    pub fn name(self) -> &'static str {
        match self {
            Self::Agent => "ucp-agent",
            Self::Controller => "ucp-controller",
            Self::Proxy => "ucp-proxy",
        }
    }
}

/// Where the images of a release are, taken from the name of one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The repository without the name, like `mirantis` or `registry.lab:5000/foo`.
    pub repository: String,
    /// The version.
    pub tag: String,
}

impl Release {
    /// Reads the name of an image, like `docker.io/mirantis/ucp:3.8.8`.
    pub fn of(image: &str) -> Self {
        let image = short(image);
        let (path, last) = match image.rsplit_once('/') {
            Some((path, last)) => (path, last),
            None => ("mirantis", image),
        };
        let tag = last.split_once(':').map_or("latest", |(_, tag)| tag);
        Self {
            repository: path.to_owned(),
            tag: tag.to_owned(),
        }
    }

    /// Returns the image of a component.
    pub fn image(&self, component: Component) -> String {
        self.named(component.name())
    }

    /// Returns an image of the release under any name.
    pub fn named(&self, name: &str) -> String {
        format!("{}/{name}:{}", self.repository, self.tag)
    }

    /// Returns the images of the release.
    pub fn images(&self, with_windows: bool) -> Vec<String> {
        let windows = ["ucp-agent-win", "ucp-dsinfo-win", "ucp-hardware-info-win"];
        let linux = COMPONENTS.iter().map(|component| component.name());
        let windows = windows.into_iter().filter(|_| with_windows);
        linux.chain(windows).map(|name| self.named(name)).collect()
    }
}

/// Returns the name of an image as swarm has it: without the registry that needs no name, and
/// without a digest.
pub fn short(image: &str) -> &str {
    let image = image.split_once('@').map_or(image, |(name, _)| name);
    let image = image.strip_prefix("docker.io/").unwrap_or(image);
    image.strip_prefix("index.docker.io/").unwrap_or(image)
}

/// Returns whether two names are of one image.
pub fn is_same(one: &str, other: &str) -> bool {
    short(one) == short(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_read_from_the_name_of_an_image() {
        for (image, repository, tag) in [
            ("docker.io/mirantis/ucp:3.8.8", "mirantis", "3.8.8"),
            ("mirantis/ucp-agent:3.8.8@sha256:0a", "mirantis", "3.8.8"),
            (
                "registry.lab/foo/ucp:3.9.0-rc1",
                "registry.lab/foo",
                "3.9.0-rc1",
            ),
            ("registry.lab:5000/ucp:3.8.8", "registry.lab:5000", "3.8.8"),
            (
                "registry.lab:5000/a/b/ucp",
                "registry.lab:5000/a/b",
                "latest",
            ),
            ("ucp:3.8.8", "mirantis", "3.8.8"),
        ] {
            let release = Release::of(image);

            assert_eq!(
                (release.repository.as_str(), release.tag.as_str()),
                (repository, tag),
                "{image}"
            );
        }
    }

    #[test]
    fn the_list_has_short_names() {
        let release = Release::of("docker.io/mirantis/ucp:3.8.8");

        assert_eq!(
            release.images(false),
            [
                "mirantis/ucp-agent:3.8.8",
                "mirantis/ucp-controller:3.8.8",
                "mirantis/ucp-proxy:3.8.8"
            ]
        );
        assert!(
            release
                .images(true)
                .contains(&"mirantis/ucp-agent-win:3.8.8".to_owned())
        );
    }

    #[test]
    fn names_compare_without_their_registry_and_digest() {
        assert!(is_same(
            "docker.io/mirantis/ucp:1",
            "mirantis/ucp:1@sha256:0"
        ));
        assert!(!is_same("mirantis/ucp:1", "mirantis/ucp:2"));
    }
}
