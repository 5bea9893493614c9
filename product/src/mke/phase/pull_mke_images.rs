//! Pulls the images of MKE to the hosts that need them.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use phase::{Context, Disruption, Failure, HostId, HostPhase, HostView, Plan};
use rig::Host;
use rig::command::{Command, Effect};
use serde::Serialize;

use crate::mke::cluster::Cluster;
use crate::mke::domain::MkeDomain;
use crate::mke::facts::Facts;
use crate::mke::failure::{explain, explain_or};
use crate::mke::images::{docker_config_dir, in_repository, needs_images, vendor_name};
use crate::mke::shared::Shared;

/// How long all images of one host may take.
const LIMIT: Duration = Duration::from_secs(2 * 60 * 60);

/// $1 directory of the login or nothing, $2.. images. Pulls what is not there, five at a time; a
/// registry that is slow or limits the rate is asked again with a growing pause, one that refuses
/// is not.
const PULL: &str = r#"
set -eu
if [ -n "$1" ]; then DOCKER_CONFIG=$1; export DOCKER_CONFIG; fi
shift
printf '%s\n' "$@" | xargs -P 5 -n 1 sh -c '
  docker image inspect "$0" >/dev/null 2>&1 && exit 0
  tries=0
  while :; do
    error=$(docker pull "$0" 2>&1 >/dev/null) && exit 0
    tries=$((tries + 1))
    case $error in
      *"pull access"*|*"manifest unknown"*|*unauthorized*|*"no basic auth"*) tries=9 ;;
      *"no space left"*|*"docker: not found"*) tries=9 ;;
    esac
    if [ $tries -ge 5 ]; then printf "%s: %s\n" "$0" "$error" >&2; exit 1; fi
    sleep $((tries * tries))
  done
'
"#;

/// $1.. pairs of image and further name.
const TAG: &str = r#"
set -eu
while [ $# -gt 0 ]; do docker tag "$1" "$2"; shift 2; done
"#;

/// Pulls images.
pub struct PullMkeImages;

/// Pull the images of MKE.
#[derive(Debug, Serialize)]
pub struct PullImages {
    /// The version of MKE.
    pub version: String,
    /// The repository they come from.
    pub repository: String,
}

impl fmt::Display for PullImages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "pull the images of MKE {} from {}",
            self.version, self.repository
        )
    }
}

#[async_trait]
impl HostPhase<MkeDomain> for PullMkeImages {
    type Change = PullImages;

    fn id(&self) -> &'static str {
        "pull-mke-images"
    }

    fn title(&self) -> &'static str {
        "Pull MKE images"
    }

    fn plan(&self, view: &HostView<'_, MkeDomain>) -> Plan<PullImages> {
        if !needs_images(view) {
            return Plan::skip("no host needs images");
        }
        let mke = &view.shared.config.mke;
        let change = PullImages {
            version: mke.version.to_string(),
            repository: mke.image_repo.clone(),
        };
        Plan::step(view.host, change, "the host will run MKE", Disruption::Live)
    }

    fn predict(&self, _: &HostView<'_, MkeDomain>, _: &PullImages, facts: &mut Facts) {
        facts.images_pulled = true;
    }

    async fn run(
        &self,
        cx: &Context<MkeDomain>,
        cluster: &Cluster,
        id: HostId,
        _change: &PullImages,
        facts: &mut Facts,
    ) -> Result<(), Failure> {
        let host = cx.shared.host(id)?;
        let mke = &cx.shared.config.mke;
        let custom = mke.has_custom_repo();
        let images: Vec<String> = cluster
            .images
            .iter()
            .map(|image| {
                if custom {
                    in_repository(mke, image)
                } else {
                    image.clone()
                }
            })
            .collect();
        pull(&cx.shared, host, facts.logged_in, &images, LIMIT).await?;
        if custom {
            let pairs = images
                .iter()
                .flat_map(|image| [image.clone(), vendor_name(image)]);
            let command = Command::script(TAG, Effect::Change)
                .args(pairs)
                .title("docker tag")
                .timeout(Duration::from_secs(120))
                .docker();
            host.run(command)
                .await
                .map_err(|error| explain("cannot name the images as MKE knows them", &error))?;
        }
        facts.images_pulled = true;
        Ok(())
    }
}

/// Pulls images that are not there, with this run's login where it has one.
///
/// # Errors
///
/// Fails where an image cannot be pulled, naming it and what the registry said.
pub async fn pull(
    shared: &Shared,
    host: &Host,
    logged_in: bool,
    images: &[String],
    limit: Duration,
) -> Result<(), Failure> {
    let login = if logged_in {
        docker_config_dir(shared)
    } else {
        String::new()
    };
    let command = Command::script(PULL, Effect::Change)
        .arg(login)
        .args(images.iter().cloned())
        .title(format!("docker pull of {} images", images.len()))
        .timeout(limit);
    // The login belongs to root; without one the rights of the engine's socket will do.
    let command = if logged_in {
        command.elevated()
    } else {
        command.docker()
    };
    host.run(command).await.map(drop).map_err(|error| {
        let otherwise =
            "check `spec.mke.version` and `spec.mke.imageRepo`, and the registry's credentials";
        explain_or("cannot pull the images of MKE", &error, otherwise)
    })
}
