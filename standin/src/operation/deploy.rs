//! Services, and waiting for what they make; shared by install and upgrade.

use std::time::Duration;

use super::{POLL, Stage, Stop};
use crate::engine::{Action, Part, Restart, ServiceSpec, View};
use crate::image::{COMPONENTS, Component, Release, is_same};
use crate::log::Level;
use crate::state::AGENT_SERVICE;

/// How long the containers of this node may take.
const NODE: Duration = Duration::from_secs(120);

/// Returns the service that keeps MKE on every node.
pub(super) fn agent_service(release: &Release) -> ServiceSpec {
    let image = release.image(Component::Agent);
    ServiceSpec {
        name: AGENT_SERVICE.to_owned(),
        environment: vec![("UCP_IMAGE".to_owned(), image.clone())],
        image,
        arguments: vec!["agent".to_owned()],
        restart: Restart::Always,
    }
}

/// Pulls the images of this node that are not there, as `--pull` says.
pub(super) async fn provide_images(stage: &Stage, view: &View) -> Result<(), Stop> {
    let pull = stage.flags.value("pull").unwrap_or("missing");
    if !["always", "missing", "never"].contains(&pull) {
        return Err(Stop::Fatal(format!(
            "--pull is always, missing or never, not {pull}"
        )));
    }
    let images = COMPONENTS.map(|component| stage.release.image(component));
    let is_wanted = |image: &String| pull == "always" || !view.has_image(image);
    let wanted: Vec<String> = images.into_iter().filter(is_wanted).collect();
    if pull == "never" && !wanted.is_empty() {
        return Err(Stop::Fatal(format!(
            "images are missing and may not be pulled: {}",
            wanted.join(", ")
        )));
    }
    for image in wanted {
        stage.say(Level::Info, format!("Pulling required image {image}"));
        let what = format!("pull {image}");
        let login = stage.login();
        stage.act(&what, Action::PullImage { image, login }).await?;
    }
    Ok(())
}

/// Waits until this node runs proxy and controller of the release.
///
/// The limit is judged after a look: a process that was paused for longer is no failure.
pub(super) async fn wait_for_node(stage: &Stage) -> Result<(), Stop> {
    stage.say(
        Level::Info,
        "Waiting for the controller of this node to come up",
    );
    let start = stage.desk.now();
    loop {
        let last = match stage.desk.look(POLL, &[Part::Containers]).await {
            Ok(view) => match missing(&view, &stage.release) {
                None => return Ok(()),
                Some(missing) => missing,
            },
            Err(refusal) => refusal.to_string(),
        };
        if stage.desk.now().saturating_sub(start) > NODE {
            return Err(Stop::Fatal(format!("timed out waiting for MKE: {last}")));
        }
    }
}

/// Returns what a manager does not run yet.
fn missing(view: &View, release: &Release) -> Option<String> {
    [Component::Proxy, Component::Controller]
        .into_iter()
        .find_map(|component| match view.container(component.name()) {
            None => Some(format!("there is no {}", component.name())),
            Some(found) if !is_same(&found.image, &release.image(component)) => {
                Some(format!("{} is of {}", found.name, found.image))
            }
            Some(found) if !found.is_alive() => Some(format!("{} is {}", found.name, found.state)),
            Some(_) => None,
        })
}
