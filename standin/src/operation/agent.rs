//! `agent`: keeps the containers of its node as they should be.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Stage, Stop};
use crate::engine::{Action, ContainerSpec, Part, View};
use crate::image::{Component, Release, is_same};
use crate::log::Level;
use crate::machine::End;
use crate::state::{ClusterState, NODE_CERTS, NODE_CERTS_PATH, SERVER_CERTS, SERVER_CERTS_PATH};

/// How often an agent looks.
const ROUND: Duration = Duration::from_secs(2);

/// The label of a controller with the id of the state that it was made for.
const STATE_LABEL: &str = "com.docker.ucp.state";

pub(super) async fn run(stage: &Stage) -> Result<End, Stop> {
    stage.say(
        Level::Info,
        format!("keeping MKE {} on this node", stage.release.tag),
    );
    let mut pause = Duration::ZERO;
    loop {
        match round(stage, pause).await {
            Ok(()) => {}
            Err(Stop::Fatal(message)) => stage.say(Level::Error, message),
            Err(stop) => return Err(stop),
        }
        pause = ROUND;
    }
}

async fn round(stage: &Stage, pause: Duration) -> Result<(), Stop> {
    let cannot_ask = |refusal| Stop::cannot("ask the engine", &refusal);
    let seen = stage
        .desk
        .look(pause, &[Part::Swarm, Part::Containers])
        .await;
    let view = seen.map_err(cannot_ask)?;
    let mut configs = Vec::new();
    if view.swarm.is_manager {
        configs = stage.look(&[Part::Configs]).await?.configs;
    }
    let view = View { configs, ..view };
    for change in changes(&view, &stage.release) {
        carry_out(stage, change).await?;
    }
    Ok(())
}

/// Returns what has to be done on the node.
fn changes(view: &View, release: &Release) -> Vec<Action> {
    let mut changes = Vec::new();
    let mut keep = |spec: ContainerSpec| match view.container(&spec.name) {
        Some(found) if fits(found, &spec) => {}
        Some(found) => {
            changes.push(Action::RemoveContainer(found.name.clone()));
            changes.push(Action::RunContainer(spec));
        }
        None => changes.push(Action::RunContainer(spec)),
    };
    if !view.swarm.is_manager {
        keep(proxy(release));
        if view.container("ucp-controller").is_some() {
            changes.push(Action::RemoveContainer("ucp-controller".to_owned()));
        }
        return changes;
    }
    // Without a state there is no cluster yet, or no more.
    if let Some((id, _)) = ClusterState::of(view) {
        keep(controller(release, &id));
        keep(proxy(release));
    }
    changes
}

fn fits(found: &crate::engine::Container, wanted: &ContainerSpec) -> bool {
    is_same(&found.image, &wanted.image)
        && found.is_alive()
        && found.labels.get(STATE_LABEL) == wanted.labels.get(STATE_LABEL)
}

fn proxy(release: &Release) -> ContainerSpec {
    let image = release.image(Component::Proxy);
    ContainerSpec {
        name: Component::Proxy.name().to_owned(),
        environment: vec![("UCP_IMAGE".to_owned(), image.clone())],
        image,
        arguments: vec!["proxy".to_owned()],
        labels: BTreeMap::new(),
        volumes: Vec::new(),
        uses_host_network: false,
    }
}

fn controller(release: &Release, state: &str) -> ContainerSpec {
    let image = release.image(Component::Controller);
    ContainerSpec {
        name: Component::Controller.name().to_owned(),
        environment: vec![
            ("UCP_IMAGE".to_owned(), image.clone()),
            ("UCP_STATE".to_owned(), state.to_owned()),
        ],
        image,
        arguments: vec!["serve".to_owned()],
        labels: BTreeMap::from([(STATE_LABEL.to_owned(), state.to_owned())]),
        volumes: vec![
            (SERVER_CERTS.to_owned(), SERVER_CERTS_PATH.to_owned()),
            (NODE_CERTS.to_owned(), NODE_CERTS_PATH.to_owned()),
        ],
        uses_host_network: true,
    }
}

/// Does one thing; an image that is not there is pulled first.
async fn carry_out(stage: &Stage, action: Action) -> Result<(), Stop> {
    let Action::RunContainer(spec) = action else {
        return stage.act("remove a container", action).await.map(drop);
    };
    let what = format!("run {}", spec.name);
    stage.say(
        Level::Info,
        format!("running {} as {}", spec.image, spec.name),
    );
    let run = Action::RunContainer(spec.clone());
    match stage.desk.act(run.clone()).await {
        Ok(_) => Ok(()),
        Err(refusal) if refusal.is_missing() => {
            let image = spec.image;
            let pull = Action::PullImage { image, login: None };
            stage.act(&format!("pull for {}", spec.name), pull).await?;
            stage.act(&what, run).await.map(drop)
        }
        Err(refusal) => Err(Stop::cannot(&what, &refusal)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::rehearsal::{Rehearsal, container};

    fn names(engine: &Rehearsal) -> Vec<(&str, &str)> {
        let containers = engine.view.containers.iter();
        containers
            .map(|one| (one.name.as_str(), one.image.as_str()))
            .collect()
    }

    fn installed() -> Rehearsal {
        let mut engine = Rehearsal::manager();
        engine.run("install", &[]);
        engine.has_agents = false;
        engine.view.containers.clear();
        engine
    }

    #[test]
    fn a_worker_has_a_proxy() {
        let mut engine = Rehearsal::worker();

        engine.rounds("agent", 2);

        assert_eq!(names(&engine), [("ucp-proxy", "mirantis/ucp-proxy:3.8.8")]);
        let again = engine.rounds("agent", 3);
        assert_eq!(again.actions, []);
    }

    #[test]
    fn a_manager_has_a_controller_too() {
        let mut engine = installed();

        engine.rounds("agent", 2);

        assert_eq!(
            names(&engine),
            [
                ("ucp-controller", "mirantis/ucp-controller:3.8.8"),
                ("ucp-proxy", "mirantis/ucp-proxy:3.8.8")
            ]
        );
        assert_eq!(engine.rounds("agent", 3).actions, []);
    }

    #[test]
    fn a_manager_without_a_state_gets_nothing() {
        let mut engine = Rehearsal::manager();

        assert_eq!(engine.rounds("agent", 3).actions, []);
    }

    #[test]
    fn another_version_another_state_and_a_dead_container_are_replaced() {
        let mut engine = installed();
        engine.rounds("agent", 2);
        engine.image = "mirantis/ucp-agent:3.8.9".to_owned();
        engine.rounds("agent", 2);
        assert!(names(&engine).contains(&("ucp-proxy", "mirantis/ucp-proxy:3.8.9")));

        engine.view.configs[0].id = "another".to_owned();
        let run = engine.rounds("agent", 2);
        assert_eq!(run.actions.len(), 2, "{run:?}");

        engine.view.containers[0].state = "exited".to_owned();
        let run = engine.rounds("agent", 2);
        assert_eq!(run.actions.len(), 2, "{run:?}");
    }

    #[test]
    fn a_manager_that_became_a_worker_loses_its_controller() {
        let mut engine = installed();
        engine.rounds("agent", 2);
        engine.view.swarm.is_manager = false;

        engine.rounds("agent", 2);

        assert_eq!(names(&engine), [("ucp-proxy", "mirantis/ucp-proxy:3.8.8")]);
    }

    #[test]
    fn an_image_that_is_not_there_is_pulled() {
        let mut engine = Rehearsal::worker();
        engine.needs_images = true;

        engine.rounds("agent", 2);

        assert!(engine.view.has_image("mirantis/ucp-proxy:3.8.8"));
        assert_eq!(names(&engine).len(), 1);
    }

    #[test]
    fn what_fails_is_tried_again() {
        let mut engine = Rehearsal::worker();
        engine.refuses = 3;

        let run = engine.rounds("agent", 6);

        assert_eq!(names(&engine).len(), 1, "{run:?}");
    }

    #[test]
    fn others_containers_are_left_alone() {
        let mut engine = Rehearsal::worker();
        engine
            .view
            .containers
            .push(container("ucp-of-somebody", "x"));

        engine.rounds("agent", 2);

        assert_eq!(names(&engine).len(), 2);
    }
}
