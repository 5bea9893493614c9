//! Registries: who may have which image, and how long that takes.
//!
//! | module | holds |
//! |---|---|
//! | `catalogue` | the images that there are |
//! | `content` | the bytes of images, and their digests |
//! | `distribution` | what clients are answered that are no engines of the fleet |
//! | `serve` | TLS and HTTP for them |

mod catalogue;
pub(super) mod content;
mod distribution;
pub(super) mod serve;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::catalogue::{image_of_mke, small_images};
use super::image::{Image, Layer, Reference};
use super::push::Place;
use crate::web::{Request, Url};

/// A registry.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Registry {
    /// Its users and their passwords; with none, nobody has to say who they are.
    pub(crate) users: BTreeMap<String, String>,
    /// What it holds.
    pub(crate) repositories: BTreeMap<String, Repository>,
    /// How it is.
    pub(crate) health: Health,
    /// How it proves who it is.
    pub(crate) transport: Transport,
    /// Bytes per second, for each host.
    pub(crate) bandwidth: u64,
    /// How long a question and its answer take.
    pub(crate) round_trip: Duration,
    /// How many more manifests it hands out before it says that these were too many.
    pub(crate) pulls_left: Option<u32>,
    /// Whether it pretends to hold every image of MKE, whatever its version.
    pub(crate) has_all_of_mke: bool,
    /// Whether it is one that somebody runs for themselves.
    pub(crate) own: Option<Own>,
    /// The images of MKE that clients from outside have asked for, by repository and tag.
    handed: BTreeMap<(String, String), Arc<Image>>,
}

/// A registry that somebody runs for themselves: it tells what it does not hold, and its images of
/// MKE are of one small program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Own {
    /// The versions of MKE that it holds.
    pub(crate) versions: Vec<String>,
    /// The label in which its images carry their names.
    pub(crate) label: String,
}

/// A repository.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Repository {
    /// Whether only users of the registry see it.
    pub(crate) is_private: bool,
    /// Its images, by their tags.
    pub(crate) tags: BTreeMap<String, Arc<Image>>,
}

/// How a registry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Health {
    /// It answers.
    #[default]
    Well,
    /// Its port is closed.
    Refuses,
    /// Nothing comes back.
    Silent,
    /// It answers that something is wrong with it.
    Broken,
}

/// How a registry proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "no scenario has a registry with a certificate of its own yet"
    )
)]
pub(crate) enum Transport {
    /// With a certificate that everybody trusts.
    #[default]
    Public,
    /// With a certificate of an authority that hosts have to be told about.
    PrivateAuthority,
    /// Not at all.
    Plain,
}

impl Default for Registry {
    fn default() -> Self {
        Self {
            users: BTreeMap::new(),
            repositories: BTreeMap::new(),
            health: Health::default(),
            transport: Transport::default(),
            bandwidth: 50_000_000,
            round_trip: Duration::from_millis(60),
            pulls_left: None,
            has_all_of_mke: false,
            own: None,
            handed: BTreeMap::new(),
        }
    }
}

/// Who asks a registry.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Login {
    /// The name.
    pub(crate) username: String,
    /// The password.
    pub(crate) password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Login({})", self.username)
    }
}

/// What a host and its network say about a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Its address is known, and packets arrive.
    Yes,
    /// Its port is closed.
    Refused,
    /// Nothing comes back.
    Timeout,
    /// Its name is not known.
    NoSuchHost,
}

/// Why something could not be had, and how long it took to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// What the engine says.
    pub(crate) message: String,
    /// How long it took.
    pub(crate) took: Duration,
}

/// The name by which the engine calls a registry on the network.
pub(crate) fn endpoint(domain: &str) -> &str {
    if domain == "docker.io" {
        "registry-1.docker.io"
    } else {
        domain
    }
}

/// Takes the name of a registry apart into a host and its port.
pub(crate) fn host_and_port(domain: &str) -> (&str, u16) {
    let endpoint = endpoint(domain);
    match endpoint.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().unwrap_or(443)),
        None => (endpoint, 443),
    }
}

/// All registries, by the names under which images are known: `docker.io`, `registry.lab:5000`.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Registries {
    all: BTreeMap<String, Registry>,
}

/// What a host is like for a registry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller<'a> {
    /// Whether its engine takes the registry for one without TLS, or with a certificate of its own.
    pub(crate) is_insecure: bool,
    /// Whether the registry can be reached from it.
    pub(crate) reach: Reach,
    /// Whether it has been told about the authority of the registry.
    pub(crate) trusts: bool,
    /// Who asks.
    pub(crate) login: Option<&'a Login>,
}

impl Registries {
    /// Returns the registry under a name, which is made if there is none.
    pub(crate) fn registry(&mut self, domain: &str) -> &mut Registry {
        self.all.entry(domain.to_owned()).or_default()
    }

    /// Returns the registry under a name.
    pub(crate) fn get(&self, domain: &str) -> Option<&Registry> {
        self.all.get(domain)
    }

    /// Adds an image under a name like `docker.io/library/alpine:3.19`.
    pub(crate) fn add(&mut self, name: &str, image: Image) {
        let Ok(reference) = Reference::parse(name) else {
            return;
        };
        let registry = self.registry(&reference.domain);
        let repository = registry.repositories.entry(reference.path).or_default();
        let tag = reference.tag.unwrap_or_else(|| "latest".to_owned());
        repository.tags.insert(tag, Arc::new(image));
    }

    /// Checks whether somebody may log in.
    ///
    /// # Errors
    ///
    /// Returns what the engine says otherwise.
    pub(crate) fn check_login(&self, domain: &str, caller: &Caller<'_>) -> Result<(), Trouble> {
        let registry = self.connect(domain, caller)?;
        let login = caller.login;
        let is_known = login.is_some_and(|login| {
            registry.users.is_empty()
                || registry.users.get(&login.username) == Some(&login.password)
        });
        if is_known {
            return Ok(());
        }
        // Docker Hub has a server for tokens; others ask for the password themselves.
        let message = match domain {
            "docker.io" => format!(
                "Get \"https://{}/v2/\": unauthorized: incorrect username or password",
                endpoint(domain)
            ),
            domain => format!(
                "login attempt to https://{domain}/v2/ failed with status: 401 Unauthorized"
            ),
        };
        Err(Trouble {
            message,
            took: registry.round_trip * 3,
        })
    }

    /// Returns an image, as far as somebody may have it.
    ///
    /// # Errors
    ///
    /// Returns what the engine says otherwise.
    pub(crate) fn manifest(
        &mut self,
        reference: &Reference,
        caller: &Caller<'_>,
    ) -> Result<Arc<Image>, Trouble> {
        let (image, took) = self.look(reference, caller)?;
        let registry = self.registry(&reference.domain);
        match registry.pulls_left {
            Some(0) => Err(Trouble {
                message:
                    "toomanyrequests: You have reached your pull rate limit. You may increase \
                          the limit by authenticating and upgrading: \
                          https://www.docker.com/increase-rate-limit"
                        .to_owned(),
                took,
            }),
            left => {
                registry.pulls_left = left.map(|left| left - 1);
                Ok(image)
            }
        }
    }

    /// Returns an image as a question for its manifest tells it, and how long that takes. It is no
    /// pull.
    ///
    /// # Errors
    ///
    /// Returns what the engine says where somebody may not have it.
    pub(crate) fn look(
        &self,
        reference: &Reference,
        caller: &Caller<'_>,
    ) -> Result<(Arc<Image>, Duration), Trouble> {
        let registry = self.connect(&reference.domain, caller)?;
        let took = registry.round_trip * 4;
        let is_user = caller
            .login
            .is_some_and(|login| registry.users.get(&login.username) == Some(&login.password));
        let trouble = |message: String| Trouble { message, took };
        if caller.login.is_some() && !is_user && !registry.users.is_empty() {
            return Err(trouble(format!(
                "Head \"https://{}/v2/{}/manifests/{}\": unauthorized: incorrect username or \
                 password",
                endpoint(&reference.domain),
                reference.path,
                reference.tag.as_deref().unwrap_or("latest"),
            )));
        }
        let found = registry.find(reference, is_user);
        found.map(|image| (image, took)).map_err(trouble)
    }

    /// Returns whether somebody may push to a repository: on Docker Hub to those under their own
    /// name, elsewhere to all.
    ///
    /// # Errors
    ///
    /// Returns what the engine says otherwise.
    pub(crate) fn may_push(
        &self,
        reference: &Reference,
        caller: &Caller<'_>,
    ) -> Result<(), Trouble> {
        let registry = self.connect(&reference.domain, caller)?;
        let is_hub = reference.domain == "docker.io";
        let is_user = |login: &Login| registry.users.get(&login.username) == Some(&login.password);
        let message = match caller.login {
            None if registry.users.is_empty() && !is_hub => return Ok(()),
            Some(_) if registry.users.is_empty() && !is_hub => return Ok(()),
            None if is_hub => "denied: requested access to the resource is denied",
            None => "no basic auth credentials",
            Some(login) if !is_user(login) => "unauthorized: authentication required",
            Some(login)
                if is_hub && !reference.path.starts_with(&format!("{}/", login.username)) =>
            {
                "denied: requested access to the resource is denied"
            }
            Some(_) => return Ok(()),
        };
        Err(Trouble {
            message: message.to_owned(),
            took: registry.round_trip * 3,
        })
    }

    /// Returns the status and the body that a registry answers a request of a host with.
    pub(crate) fn respond(
        &mut self,
        domain: &str,
        url: &Url,
        request: &Request<'_>,
    ) -> (u16, Vec<u8>) {
        let (path, query) = url.path.split_once('?').unwrap_or((&url.path, ""));
        let question = distribution::Question {
            method: request.method,
            path,
            query,
            authorization: request.authorization,
        };
        let answer = distribution::answer(self, domain, &question);
        (answer.status, answer.body)
    }

    /// Keeps an image that was pushed.
    pub(crate) fn keep(&mut self, reference: &Reference, image: &Arc<Image>) {
        let registry = self.registry(&reference.domain);
        let path = reference.path.clone();
        let repository = registry.repositories.entry(path).or_default();
        let tag = reference.tag.clone().unwrap_or_else(|| "latest".to_owned());
        repository.tags.insert(tag, Arc::clone(image));
    }

    /// Connects to a registry.
    fn connect(&self, domain: &str, caller: &Caller<'_>) -> Result<&Registry, Trouble> {
        let endpoint = endpoint(domain);
        let (host, port) = host_and_port(domain);
        let get = |why: &str, seconds: f64| Trouble {
            message: format!("Get \"https://{endpoint}/v2/\": {why}"),
            took: Duration::from_secs_f64(seconds),
        };
        let refused = || {
            get(
                &format!("dial tcp {host}:{port}: connect: connection refused"),
                0.1,
            )
        };
        let silent = || {
            get(
                "net/http: request canceled while waiting for connection (Client.Timeout exceeded \
                 while awaiting headers)",
                15.0,
            )
        };
        match caller.reach {
            Reach::Yes => {}
            Reach::Refused => return Err(refused()),
            Reach::Timeout => return Err(silent()),
            Reach::NoSuchHost => {
                let why = format!("dial tcp: lookup {host}: no such host");
                return Err(get(&why, 0.2));
            }
        }
        let Some(registry) = self.get(domain) else {
            let why = format!("dial tcp: lookup {host}: no such host");
            return Err(get(&why, 0.2));
        };
        match registry.health {
            Health::Well => {}
            Health::Refuses => return Err(refused()),
            Health::Silent => return Err(silent()),
            Health::Broken => {
                return Err(get(
                    "received unexpected HTTP status: 503 Service Unavailable",
                    0.3,
                ));
            }
        }
        let is_insecure = caller.is_insecure || host == "localhost" || host.starts_with("127.");
        match registry.transport {
            Transport::Public => Ok(registry),
            Transport::PrivateAuthority if caller.trusts || is_insecure => Ok(registry),
            Transport::PrivateAuthority => Err(get(
                "tls: failed to verify certificate: x509: certificate signed by unknown authority",
                0.2,
            )),
            Transport::Plain if is_insecure => Ok(registry),
            Transport::Plain => Err(get("http: server gave HTTP response to HTTPS client", 0.2)),
        }
    }
}

impl Own {
    /// Makes an image of one program, 6.3 MB of it, without a date.
    fn image(&self, image: Image, reference: &Reference) -> Image {
        let plain = Reference {
            digest: None,
            ..reference.clone()
        };
        let name = plain.to_string();
        let mut layers = Image::new(&name, "", 6_347, image.behaviour).layers;
        for layer in &mut layers {
            layer.size /= 1000;
            layer.compressed /= 1000;
        }
        Image {
            layers,
            labels: BTreeMap::from([(self.label.clone(), name)]),
            created: Duration::ZERO,
            ..image
        }
        .sealed()
    }
}

impl Registry {
    /// Returns whether it lets somebody in, by what is in a request for that.
    pub(crate) fn admits(&self, authorization: Option<&str>) -> bool {
        use base64::Engine as _;
        let admitted = |(user, password): (&String, &String)| {
            let pair = base64::prelude::BASE64_STANDARD.encode(format!("{user}:{password}"));
            authorization.is_some_and(|text| text == format!("Basic {pair}"))
        };
        self.users.is_empty() || self.users.iter().any(admitted)
    }

    fn find(&self, reference: &Reference, is_user: bool) -> Result<Arc<Image>, String> {
        let name = reference.familiar_repository();
        let denied = || {
            format!(
                "pull access denied for {name}, repository does not exist or may require 'docker \
                 login': denied: requested access to the resource is denied"
            )
        };
        let tag = reference.tag.as_deref().unwrap_or("latest");
        if let Some(repository) = self.repositories.get(&reference.path) {
            let is_private =
                repository.is_private || !self.users.is_empty() && reference.domain != "docker.io";
            if is_private && !is_user {
                // Docker Hub does not tell whether there is such a repository; others do.
                return Err(match reference.domain.as_str() {
                    "docker.io" => denied(),
                    domain => format!(
                        "Head \"https://{domain}/v2/{}/manifests/{tag}\": no basic auth credentials",
                        reference.path
                    ),
                });
            }
            let found = match &reference.digest {
                Some(digest) => {
                    let mut images = repository.tags.values();
                    images.find(|image| image.digest == *digest)
                }
                None => repository.tags.get(tag),
            };
            if let Some(image) = found {
                return Ok(Arc::clone(image));
            }
        }
        if let Some(image) = self.mke(reference, tag)
            && reference
                .digest
                .as_ref()
                .is_none_or(|digest| image.digest == *digest)
        {
            return Ok(Arc::new(image));
        }
        match self.own.is_some() || self.repositories.contains_key(&reference.path) {
            true => Err(format!(
                "manifest for {reference} not found: manifest unknown: manifest unknown"
            )),
            false => Err(denied()),
        }
    }

    /// Returns an image of MKE, as far as the registry has it.
    fn mke(&self, reference: &Reference, tag: &str) -> Option<Image> {
        let image = image_of_mke(&reference.path, tag).filter(|_| self.has_all_of_mke)?;
        let Some(own) = &self.own else {
            return Some(image);
        };
        let has_version = own.versions.iter().any(|version| version == tag);
        has_version.then(|| own.image(image, reference))
    }

    /// Returns where a layer of a repository is.
    pub(crate) fn place_of(&self, layer: &Layer, path: &str) -> Place {
        let has = |repository: &Repository| {
            let mut images = repository.tags.values();
            images.any(|image| image.layers.contains(layer))
        };
        if self.repositories.get(path).is_some_and(has) {
            return Place::Here;
        }
        let mut others = self.repositories.iter();
        let other = others.find(|(_, repository)| has(repository));
        other.map_or(Place::Nowhere, |(path, _)| Place::In(path.clone()))
    }

    /// Returns how long layers take to come, with some of them at the same time.
    pub(crate) fn transfer(&self, layers: &[Layer], at_once: usize) -> Duration {
        let bytes: u64 = layers.iter().map(|layer| layer.compressed).sum();
        let rounds = layers.len().div_ceil(at_once.max(1));
        let rounds = u32::try_from(rounds).unwrap_or(u32::MAX);
        Duration::from_secs(1) * u32::try_from(bytes / self.bandwidth.max(1)).unwrap_or(u32::MAX)
            + Duration::from_millis(bytes % self.bandwidth.max(1) * 1000 / self.bandwidth.max(1))
            + self.round_trip * (2 * rounds + 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::image::Behaviour;
    use crate::engine::settings::Settings;

    fn pull(registries: &mut Registries, name: &str, login: Option<&Login>) -> Result<(), String> {
        pull_by(registries, name, login, &Settings::default(), Reach::Yes)
    }

    fn pull_by(
        registries: &mut Registries,
        name: &str,
        login: Option<&Login>,
        settings: &Settings,
        reach: Reach,
    ) -> Result<(), String> {
        let reference = Reference::parse(name).unwrap();
        let caller = Caller {
            is_insecure: settings.is_insecure(&reference.domain),
            reach,
            trusts: false,
            login,
        };
        let image = registries.manifest(&reference, &caller);
        image.map(drop).map_err(|trouble| trouble.message)
    }

    fn registries() -> Registries {
        let mut registries = Registries::default();
        registries.add(
            "alpine:3.19",
            Image::new("alpine", "3.19", 8, Behaviour::Shell),
        );
        registries
    }

    #[test]
    fn what_is_there_can_be_had_and_what_is_not_is_explained() {
        let mut registries = registries();

        assert_eq!(pull(&mut registries, "alpine:3.19", None), Ok(()));
        assert_eq!(
            pull(&mut registries, "alpine:9", None).unwrap_err(),
            "manifest for alpine:9 not found: manifest unknown: manifest unknown"
        );
        assert_eq!(
            pull(&mut registries, "nobody/nothing:1", None).unwrap_err(),
            "pull access denied for nobody/nothing, repository does not exist or may require \
             'docker login': denied: requested access to the resource is denied"
        );
        let unknown = pull(&mut registries, "registry.nowhere/x:1", None).unwrap_err();
        assert!(
            unknown.ends_with("lookup registry.nowhere: no such host"),
            "{unknown}"
        );
    }

    #[test]
    fn private_repositories_want_the_right_password() {
        let mut registries = registries();
        let hub = registries.registry("docker.io");
        hub.users.insert("u".to_owned(), "p".to_owned());
        if let Some(repository) = hub.repositories.get_mut("library/alpine") {
            repository.is_private = true;
        }
        let right = Login {
            username: "u".to_owned(),
            password: "p".to_owned(),
        };
        let wrong = Login {
            password: "x".to_owned(),
            ..right.clone()
        };

        assert_eq!(pull(&mut registries, "alpine:3.19", Some(&right)), Ok(()));
        let denied = pull(&mut registries, "alpine:3.19", None).unwrap_err();
        assert!(denied.starts_with("pull access denied"), "{denied}");
        let denied = pull(&mut registries, "alpine:3.19", Some(&wrong)).unwrap_err();
        assert!(denied.contains("unauthorized: incorrect"), "{denied}");
    }

    #[test]
    fn a_registry_that_proves_nothing_is_refused() {
        let mut registries = Registries::default();
        registries.add(
            "registry.lab:5000/x:1",
            Image::new("x", "1", 8, Behaviour::Stays),
        );
        let name = "registry.lab:5000/x:1";
        let insecure = Settings {
            insecure_registries: vec!["registry.lab:5000".to_owned()],
            ..Settings::default()
        };

        for (transport, wanted) in [
            (Transport::PrivateAuthority, "signed by unknown authority"),
            (Transport::Plain, "HTTP response to HTTPS client"),
        ] {
            registries.registry("registry.lab:5000").transport = transport;
            let refused = pull(&mut registries, name, None).unwrap_err();
            assert!(refused.contains(wanted), "{refused}");
            let taken = pull_by(&mut registries, name, None, &insecure, Reach::Yes);
            assert_eq!(taken, Ok(()));
        }
    }

    #[test]
    fn a_registry_may_be_down_silent_or_tired() {
        let mut registries = registries();
        let plain = Settings::default();
        let cut = pull_by(&mut registries, "alpine:3.19", None, &plain, Reach::Timeout);
        assert!(cut.unwrap_err().contains("Client.Timeout exceeded"));

        registries.registry("docker.io").health = Health::Refuses;
        let down = pull(&mut registries, "alpine:3.19", None).unwrap_err();
        assert!(down.ends_with("connect: connection refused"), "{down}");

        registries.registry("docker.io").health = Health::Well;
        registries.registry("docker.io").pulls_left = Some(1);
        assert_eq!(pull(&mut registries, "alpine:3.19", None), Ok(()));
        let tired = pull(&mut registries, "alpine:3.19", None).unwrap_err();
        assert!(tired.starts_with("toomanyrequests: "), "{tired}");
    }

    #[test]
    fn larger_images_take_longer() {
        let registry = Registry::default();
        let small = Image::new("a", "1", 10, Behaviour::Stays);
        let large = Image::new("b", "1", 1000, Behaviour::Stays);

        let times = [small, large].map(|image| registry.transfer(&image.layers, 3));

        assert!(times[0] < Duration::from_secs(1), "{times:?}");
        assert!(times[1] > Duration::from_secs(7), "{times:?}");
    }
}
