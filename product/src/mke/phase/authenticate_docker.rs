//! Logs in to the registries where something has to be pulled from them.
//!
//! The login goes to a directory of this run in `/run`, which is removed at its end: the
//! administrator's own login stays what it is.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use phase::{Context, Disruption, Failure, HostId, HostPhase, HostView, Plan};
use rig::command::{Command, Effect};
use serde::Serialize;

use crate::mke::cluster::Cluster;
use crate::mke::domain::MkeDomain;
use crate::mke::facts::Facts;
use crate::mke::failure::explain_or;
use crate::mke::images::{docker_config_dir, needs_images};

/// $1 directory of the login, $2 user, $3 registry or nothing; the password comes on stdin.
const LOGIN: &str = r#"
set -eu
umask 077
mkdir -p "$1"
DOCKER_CONFIG=$1
export DOCKER_CONFIG
if [ -n "$3" ]; then set -- "$2" "$3"; else set -- "$2"; fi
user=$1
shift
docker login --username "$user" --password-stdin "$@" >/dev/null
"#;

/// Logs in to registries.
pub struct AuthenticateDocker;

/// Log in to registries.
#[derive(Debug, Serialize)]
pub struct LogIn {
    /// The registries.
    pub registries: Vec<String>,
}

impl fmt::Display for LogIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "log in to {}", self.registries.join(", "))
    }
}

#[async_trait]
impl HostPhase<MkeDomain> for AuthenticateDocker {
    type Change = LogIn;

    fn id(&self) -> &'static str {
        "authenticate-docker"
    }

    fn title(&self) -> &'static str {
        "Authenticate docker"
    }

    fn plan(&self, view: &HostView<'_, MkeDomain>) -> Plan<LogIn> {
        let logins = &view.shared.wishes.logins;
        if logins.is_empty() {
            return Plan::skip("no registry credentials are given");
        }
        if !needs_images(view) {
            return Plan::skip("nothing has to be pulled");
        }
        let registries = logins
            .iter()
            .map(|login| match login.server.as_str() {
                "" => "docker.io".to_owned(),
                server => server.to_owned(),
            })
            .collect();
        Plan::step(
            view.host,
            LogIn { registries },
            "images have to be pulled",
            Disruption::None,
        )
    }

    fn predict(&self, _: &HostView<'_, MkeDomain>, _: &LogIn, facts: &mut Facts) {
        facts.logged_in = true;
    }

    async fn run(
        &self,
        cx: &Context<MkeDomain>,
        _cluster: &Cluster,
        id: HostId,
        _change: &LogIn,
        facts: &mut Facts,
    ) -> Result<(), Failure> {
        let host = cx.shared.host(id)?;
        // Set first: whatever comes of the login, the directory has to go at the end.
        facts.logged_in = true;
        for login in &cx.shared.wishes.logins {
            let command = Command::script(LOGIN, Effect::Change)
                .args([
                    docker_config_dir(&cx.shared).as_str(),
                    &login.username,
                    &login.server,
                ])
                .secret_stdin(login.password.clone())
                .title("docker login")
                .timeout(Duration::from_secs(60))
                .elevated();
            host.run(command).await.map_err(|error| {
                explain_or(
                    &format!("cannot log in to the registry `{}`", login.server),
                    &error,
                    "check `REGISTRY_USERNAME` and `REGISTRY_PASSWORD` (or `MKE_REGISTRY_…`), and \
                     that the host reaches the registry",
                )
            })?;
        }
        Ok(())
    }
}
