//! Fetches a client bundle: from the first manager through which the administrator can log in.
//!
//! All managers are tried at the same time, and those that answer wait for each other before they
//! log in: a wrong password is tried once, not once for each manager. It prints nothing, and what
//! it fetches is for the caller to write.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use hyper::StatusCode;
use phase::{Failure, HostId};
use rig::Host;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;

use super::api::{Api, ApiError};
use super::bootstrapper;
use super::bundle::{self, File};
use super::connect::Connecting;
use super::facts::{EngineState, Facts};
use super::kubeconfig::Access;
use super::login::{Complaint, Credentials, LoginError, log_in};
use super::phase::gather_facts::look;
use super::phase::pull_mke_images::pull;
use super::shared::Shared;

/// How many managers are tried at the same time.
const AT_ONCE: usize = 8;
/// How long a controller may take to answer at all.
const PING: Duration = Duration::from_secs(10);
/// How long a login may take.
const LOGIN: Duration = Duration::from_secs(30);
/// How long MKE may take to make a bundle.
const BUNDLE: Duration = Duration::from_secs(60);
/// How long the image of the bootstrapper may take to come.
const PULL: Duration = Duration::from_secs(30 * 60);

/// The file of a bundle that `kubectl` reads.
pub const KUBE_YML: &str = "kube.yml";

/// A client bundle.
#[derive(Debug)]
pub struct ClientBundle {
    /// The manager that it came from.
    pub manager: String,
    /// Its files; the names in `kube.yml` are those of `access`.
    pub files: Vec<File>,
    /// What its `kube.yml` says; none where the cluster has no Kubernetes.
    pub access: Option<Access>,
}

/// Why a manager gave no bundle.
enum Trouble {
    /// Another manager may give it.
    Manager(Failure),
    /// It has everything but the image that knows the CA.
    NoImage(Failure),
    /// No manager will give it.
    Cluster(Failure),
}

impl Trouble {
    fn into_failure(self) -> Failure {
        match self {
            Self::Manager(failure) | Self::NoImage(failure) | Self::Cluster(failure) => failure,
        }
    }
}

/// Fetches a client bundle of the administrator; a new key is made for it at every call.
///
/// # Errors
///
/// Fails where no manager gives one, with what each of them said in the order of the
/// configuration; or with one failure where that speaks for all of them.
pub async fn fetch(shared: &Shared, connecting: &Connecting) -> Result<ClientBundle, Vec<Failure>> {
    let credentials = Credentials::of(&shared.config.mke).map_err(|error| vec![refused(&error)])?;
    let asking = Asking {
        shared,
        connecting,
        credentials,
        turn: Mutex::new(()),
    };
    let mut troubles = BTreeMap::new();
    let mut attempts = futures_util::stream::iter(shared.managers())
        .map(|id| {
            let asking = &asking;
            async move { (id, asking.manager(id).await) }
        })
        .buffer_unordered(AT_ONCE);
    while let Some((id, result)) = attempts.next().await {
        match result {
            Ok(bundle) => return Ok(bundle),
            Err(Trouble::Cluster(failure)) => return Err(vec![asking.told(id, failure)]),
            Err(trouble) => {
                troubles.insert(id, trouble);
            }
        }
    }
    drop(attempts);
    // Nobody is left. The image can be pulled where only that is missing, to one after the other.
    let without_image: Vec<HostId> = troubles
        .iter()
        .filter(|(_, trouble)| matches!(trouble, Trouble::NoImage(_)))
        .map(|(id, _)| *id)
        .collect();
    for id in without_image {
        match asking.with_image(id).await {
            Ok(bundle) => return Ok(bundle),
            Err(Trouble::Cluster(failure)) => return Err(vec![asking.told(id, failure)]),
            Err(trouble) => {
                troubles.insert(id, trouble);
            }
        }
    }
    Err(troubles
        .into_iter()
        .map(|(id, trouble)| asking.told(id, trouble.into_failure()))
        .collect())
}

/// What every attempt shares.
struct Asking<'a> {
    shared: &'a Shared,
    connecting: &'a Connecting,
    credentials: Credentials<'a>,
    /// Held by who logs in.
    turn: Mutex<()>,
}

impl Asking<'_> {
    /// Names the manager of a failure, and takes secrets out that the other side has repeated.
    fn told(&self, id: HostId, mut failure: Failure) -> Failure {
        let redactor = &self.connecting.redactor;
        failure.message = redactor.apply(&failure.message).into_owned();
        for cause in &mut failure.causes {
            *cause = redactor.apply(cause).into_owned();
        }
        failure.on_host(self.shared.name(id))
    }

    async fn manager(&self, id: HostId) -> Result<ClientBundle, Trouble> {
        let (shared, name) = (self.shared, self.shared.name(id));
        let host = self
            .connecting
            .open(id, name, shared.host_config(id))
            .await
            .map_err(Trouble::Manager)?;
        shared.connected(id, host);
        self.connected(id).await
    }

    async fn connected(&self, id: HostId) -> Result<ClientBundle, Trouble> {
        let host = self.shared.host(id).map_err(Trouble::Manager)?;
        let facts = look(self.shared, id).await.map_err(Trouble::Manager)?;
        let version = installed(&facts).map_err(Trouble::Manager)?;
        let ca = self.ca(host, &facts, version).await?;
        let api = self.api(id, &facts, &ca).map_err(Trouble::Manager)?;
        // Who does not answer at all shall not keep the others from their turn.
        api.get(host, "/_ping", None, PING)
            .await
            .map_err(|error| Trouble::Manager(unanswered(&error)))?;
        let _turn = self.turn.lock().await;
        let token = self.log_in(&api, host).await?;
        let archive = download(&api, host, &token).await?;
        self.read(id, &archive).map_err(Trouble::Manager)
    }

    /// Pulls the image of the bootstrapper to a manager, and tries it again.
    async fn with_image(&self, id: HostId) -> Result<ClientBundle, Trouble> {
        let host = self.shared.host(id).map_err(Trouble::Manager)?;
        let image = self.shared.config.mke.bootstrap_image();
        pull(self.shared, host, false, &[image], PULL)
            .await
            .map_err(Trouble::Manager)?;
        self.connected(id).await
    }

    /// Returns the CA to verify with: that of the cluster, and the user's own where there is one.
    async fn ca(&self, host: &Host, facts: &Facts, version: &str) -> Result<String, Trouble> {
        let mke = &self.shared.config.mke;
        let wanted = mke.bootstrap_image();
        let running = format!("{}/ucp:{version}", mke.image_repo);
        let mut images = vec![wanted.clone()];
        if running != wanted {
            images.push(running);
        }
        let own = mke.certificates.as_ref().map(|own| own.ca.expose_secret());
        for image in &images {
            let flags = ["dump-certs", "--ca"];
            let answer = bootstrapper::ask(host, image, facts.selinux_enforcing, &flags)
                .await
                .map_err(Trouble::Manager)?;
            let Some(text) = answer else {
                continue;
            };
            let Some(start) = text.find("-----BEGIN CERTIFICATE-----") else {
                let failure = Failure::new("the bootstrapper of MKE printed no CA certificate");
                return Err(Trouble::Manager(failure));
            };
            let ca = text[start..].trim_end();
            return Ok(format!("{ca}\n{}", own.unwrap_or_default()));
        }
        match own {
            Some(own) => Ok(own.to_owned()),
            None => Err(Trouble::NoImage(
                Failure::new("the CA of the cluster cannot be read")
                    .caused_by(&NoImage(wanted.clone()))
                    .hint(format!("run `docker pull {wanted}` on a manager")),
            )),
        }
    }

    /// Returns a client that accepts every name of the manager and of the cluster.
    fn api(&self, id: HostId, facts: &Facts, ca: &str) -> Result<Api, Failure> {
        let config = &self.shared.config;
        let mut names = self.shared.sans();
        names.push(self.shared.host_config(id).address().to_owned());
        names.push(facts.internal_address.clone());
        names.push(facts.hostname.clone());
        let url = config.mke_url();
        let authority = url.trim_start_matches("https://").trim_end_matches('/');
        Api::try_new(ca, &names, config.mke.controller_port())
            .map(|api| api.addressed_as(authority.to_owned()))
            .map_err(|error| Failure::new("cannot talk to MKE").caused_by(&error))
    }

    async fn log_in(&self, api: &Api, host: &Host) -> Result<SecretString, Trouble> {
        match log_in(api, host, self.credentials, LOGIN).await {
            Ok(token) => {
                self.connecting.redactor.add(&token);
                Ok(token)
            }
            Err(LoginError::Api(error)) => Err(Trouble::Manager(unanswered(&error))),
            Err(error) if error.is_final() => Err(Trouble::Cluster(refused(&error))),
            Err(error) => Err(Trouble::Manager(unwell(
                Failure::new("cannot log in to MKE").caused_by(&error),
            ))),
        }
    }

    /// Reads an archive; the names in its `kube.yml` become those of the cluster.
    fn read(&self, id: HostId, archive: &[u8]) -> Result<ClientBundle, Failure> {
        let odd = |error: &(dyn std::error::Error + '_)| {
            Failure::new("the client bundle of MKE cannot be used; nothing of it is kept")
                .caused_by(error)
                .hint("if a proxy is between, look at it; else send us this message")
        };
        let mut files = bundle::unpack(archive).map_err(|error| odd(&error))?;
        let (name, user) = (&self.shared.config.name, self.credentials.username);
        let mut access = None;
        if let Some(file) = files.iter_mut().find(|file| file.name() == KUBE_YML) {
            let text = file.text().unwrap_or_default();
            let found = Access::parse(text, name, user).map_err(|error| {
                let mut failure = odd(&error);
                failure.causes.insert(0, format!("`{KUBE_YML}`"));
                failure
            })?;
            let content = found.document().expose_secret().as_bytes().to_vec();
            *file = File::new(file.path.clone(), content);
            access = Some(found);
        }
        Ok(ClientBundle {
            manager: self.shared.name(id).to_owned(),
            files,
            access,
        })
    }
}

/// The image that prints the CA is not there.
#[derive(Debug, thiserror::Error)]
#[error("the image `{0}` is not on the host")]
struct NoImage(String);

/// Returns the version of MKE that a manager runs.
fn installed(facts: &Facts) -> Result<&str, Failure> {
    if let Some(version) = &facts.mke.proxy_version {
        return Ok(version);
    }
    if let EngineState::Silent(said) = &facts.engine.state {
        let mut failure = Failure::new("the engine does not answer, so that MKE cannot").hint(
            format!("see `{}` on that manager", facts.engine_command("status")),
        );
        failure.causes.push(said.clone());
        return Err(failure);
    }
    if facts.mke.containers.is_empty() && facts.mke.services.is_empty() {
        return Err(Failure::new("MKE is not installed").hint("install it with `launchpad apply`"));
    }
    Err(Failure::new("MKE is only partly there").hint("see what is missing with `launchpad plan`"))
}

async fn download(api: &Api, host: &Host, token: &SecretString) -> Result<Vec<u8>, Trouble> {
    let token = Some(token.expose_secret());
    let answer = api
        .get(host, "/api/clientbundle", token, BUNDLE)
        .await
        .map_err(|error| Trouble::Manager(unanswered(&error)))?;
    match answer.status {
        StatusCode::OK => Ok(answer.body.to_vec()),
        StatusCode::FORBIDDEN => Err(Trouble::Cluster({
            let mut failure = Failure::new("MKE does not give a client bundle to this user")
                .hint("check in MKE what the user may do");
            failure.causes.push(Complaint::of(&answer).to_string());
            failure
        })),
        _ => Err(Trouble::Manager({
            let mut failure = Failure::new("MKE gives no client bundle");
            failure.causes.push(Complaint::of(&answer).to_string());
            unwell(failure)
        })),
    }
}

fn refused(error: &LoginError) -> Failure {
    let failure = Failure::new("cannot log in to MKE").caused_by(error);
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn unanswered(error: &ApiError) -> Failure {
    if error.is_untrusted() {
        return Failure::new("MKE shows a certificate that cannot be trusted")
            .caused_by(error)
            .hint(
                "where MKE has a server certificate of your own, give its CA as \
                 `spec.mke.caCertData`, with `certData` and `keyData`",
            );
    }
    unwell(Failure::new("MKE does not answer").caused_by(error))
}

fn unwell(failure: Failure) -> Failure {
    failure.hint("see `docker ps -a` and `docker logs ucp-controller` on that manager")
}
