//! `upgrade`: brings a cluster to the version of this image.

use std::time::Duration;

use super::{POLL, Stage, Stop, deploy};
use crate::engine::{Action, Part};
use crate::fault::Point;
use crate::image::{Component, is_same};
use crate::log::Level;
use crate::state::{AGENT_SERVICE, STATE};

/// How long an upgrade may take: the real one goes back after 20 minutes without progress.
const ALL_NODES: Duration = Duration::from_secs(20 * 60);

pub(super) async fn run(stage: &Stage) -> Result<(), Stop> {
    let release = &stage.release;
    let view = stage
        .look_as_manager(&[Part::Services, Part::Configs, Part::Images])
        .await?;
    stage.check_id(&view)?;
    let service = view.service(AGENT_SERVICE);
    let (Some(service), Some(_)) = (service, view.config(STATE)) else {
        return Err(Stop::Fatal(
            "MKE is not installed on this cluster: there is nothing to upgrade".to_owned(),
        ));
    };
    stage.say(Level::Info, format!("Upgrading MKE to {}", release.tag));
    if stage.flags.has("manual-worker-upgrade") {
        stage.say(
            Level::Warning,
            "all workers are upgraded at once: this is a stand-in",
        );
    }
    stage.pass(Point::Checked).await?;
    deploy::provide_images(stage, &view).await?;
    stage.pass(Point::Pulled).await?;
    let is_rolling = !is_same(&service.image, &release.image(Component::Agent));
    if is_rolling {
        let update = Action::UpdateService(deploy::agent_service(release));
        stage.act("update the service ucp-agent", update).await?;
    }
    stage.pass(Point::Deployed).await?;
    // On a large cluster the turn of this node may come long after the first one's.
    if is_rolling {
        wait_for_nodes(stage).await?;
    }
    deploy::wait_for_node(stage).await?;
    stage.say(Level::Info, "Upgrade completed");
    Ok(())
}

/// Waits until the agents of all nodes are new.
async fn wait_for_nodes(stage: &Stage) -> Result<(), Stop> {
    stage.say(Level::Info, "Waiting for all nodes");
    let start = stage.desk.now();
    loop {
        let last = match stage.desk.look(POLL, &[Part::Services]).await {
            Ok(view) => match view.service(AGENT_SERVICE) {
                None => return Err(Stop::Fatal("the service ucp-agent is gone".to_owned())),
                Some(service) => match service.update.as_deref() {
                    Some("completed") => return Ok(()),
                    Some("paused") => {
                        return Err(Stop::Fatal(
                            "the update of ucp-agent has stopped".to_owned(),
                        ));
                    }
                    state => state.unwrap_or("starting").to_owned(),
                },
            },
            Err(refusal) => refusal.to_string(),
        };
        if stage.desk.now().saturating_sub(start) > ALL_NODES {
            return Err(Stop::Fatal(format!("timed out waiting for nodes: {last}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rehearsal::Rehearsal;

    fn installed() -> Rehearsal {
        let mut engine = Rehearsal::manager();
        assert_eq!(engine.run("install", &[]).status, 0);
        engine.image = "mirantis/ucp:3.8.9".to_owned();
        engine
    }

    #[test]
    fn rolls_the_agents() {
        let mut engine = installed();

        let run = engine.run("upgrade --id cluster1", &[]);

        assert_eq!(run.status, 0, "{run:?}");
        let service = engine.view.service("ucp-agent").unwrap();
        assert_eq!(service.image, "mirantis/ucp-agent:3.8.9");
        let proxy = engine.view.container("ucp-proxy").unwrap();
        assert_eq!(proxy.image, "mirantis/ucp-proxy:3.8.9");
        assert!(run.says("Upgrade completed"));
    }

    #[test]
    fn the_id_has_to_be_that_of_the_cluster() {
        let mut engine = installed();

        let run = engine.run("upgrade --id other", &[]);
        assert!(run.fatal().contains("cluster1"), "{run:?}");
        let run = engine.run("upgrade", &[]);
        assert!(run.fatal().contains("--id cluster1"), "{run:?}");
    }

    #[test]
    fn nothing_is_upgraded_where_nothing_is_installed() {
        let run = Rehearsal::manager().run("upgrade --id cluster1", &[]);

        assert!(run.fatal().contains("not installed"), "{run:?}");
    }

    #[test]
    fn the_same_version_changes_nothing() {
        let mut engine = installed();
        engine.image = "docker.io/mirantis/ucp:3.8.8".to_owned();

        let run = engine.run("upgrade --id cluster1", &[]);

        assert_eq!((run.status, run.actions), (0, vec![]));
    }

    #[test]
    fn an_update_that_stops_is_a_failure() {
        let mut engine = installed();
        engine.update_ends = "paused";

        let run = engine.run("upgrade --id cluster1", &[]);

        assert!(run.fatal().contains("has stopped"), "{run:?}");
    }
}
