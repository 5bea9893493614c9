//! `uninstall-ucp`: removes MKE from all nodes, and what it runs on each of them.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{POLL, Stage, Stop};
use crate::engine::{Action, Container, Part, Restart, ServiceSpec, View};
use crate::fault::Point;
use crate::image::{COMPONENTS, Component};
use crate::log::{Level, Line};
use crate::state::{AGENT_SERVICE, NODE_CERTS, STATE, UNINSTALL_SERVICE, USER_CONFIG};

/// How long all nodes may take; the real one has the same limit, and gives up with these words.
const ALL_NODES: Duration = Duration::from_secs(120);

pub(super) async fn run(stage: &Stage) -> Result<(), Stop> {
    let view = stage
        .look_as_manager(&[Part::Services, Part::Configs])
        .await?;
    stage.check_id(&view)?;
    stage.pass(Point::Checked).await?;
    stage.say(Level::Info, "Uninstalling MKE from all nodes");
    for service in [AGENT_SERVICE, UNINSTALL_SERVICE] {
        let what = format!("remove the service {service}");
        let remove = Action::RemoveService(service.to_owned());
        stage.act(&what, remove).await?;
    }
    let create = Action::CreateService(service(stage));
    let what = "create the service ucp-uninstall-agent";
    stage.act(what, create).await?;
    stage.pass(Point::Deployed).await?;
    wait_for_nodes(stage).await?;
    let remove = Action::RemoveService(UNINSTALL_SERVICE.to_owned());
    let what = "remove the service ucp-uninstall-agent";
    stage.act(what, remove).await?;
    remove_configs(stage, &view).await?;
    stage.say(Level::Info, "MKE has been removed from this cluster");
    Ok(())
}

fn service(stage: &Stage) -> ServiceSpec {
    let image = stage.release.image(Component::Agent);
    ServiceSpec {
        name: UNINSTALL_SERVICE.to_owned(),
        environment: vec![("UCP_IMAGE".to_owned(), image.clone())],
        image,
        arguments: vec!["uninstall-agent".to_owned()],
        restart: Restart::OnFailure,
    }
}

async fn wait_for_nodes(stage: &Stage) -> Result<(), Stop> {
    let parts = [Part::Nodes, Part::Tasks(UNINSTALL_SERVICE)];
    let start = stage.desk.now();
    let mut said = usize::MAX;
    loop {
        if let Ok(view) = stage.desk.look(POLL, &parts).await {
            let waiting = waiting(&view);
            if waiting == 0 && !view.nodes.is_empty() {
                return Ok(());
            }
            if waiting != said {
                let line = Line::log(Level::Info, "Waiting for nodes");
                stage.desk.print(line.with("left", waiting.to_string()));
                said = waiting;
            }
        }
        if stage.desk.now().saturating_sub(start) > ALL_NODES {
            return Err(Stop::Fatal(
                "Uninstalling UCP took too long. Remove the service ucp-uninstall-agent and let \
                 every node leave the swarm by force"
                    .to_owned(),
            ));
        }
    }
}

/// Returns how many nodes have not said that they are done; nodes that are down count.
fn waiting(view: &View) -> usize {
    let done: BTreeSet<&str> = view
        .tasks
        .iter()
        .filter(|task| task.state == "complete")
        .map(|task| task.node_id.as_str())
        .collect();
    let is_waiting = |node: &&crate::engine::Node| !done.contains(node.id.as_str());
    view.nodes.iter().filter(is_waiting).count()
}

async fn remove_configs(stage: &Stage, view: &View) -> Result<(), Stop> {
    let is_purged = stage.flags.has("purge-config");
    for config in &view.configs {
        if config.name == STATE || is_purged && config.name.starts_with(USER_CONFIG) {
            let what = format!("remove the config {}", config.name);
            let remove = Action::RemoveConfig(config.name.clone());
            stage.act(&what, remove).await?;
        }
    }
    Ok(())
}

/// `uninstall-agent`: removes what there is of MKE on this node until nothing of it is left, then
/// ends, which is how the uninstaller knows.
pub(super) async fn clear_node(stage: &Stage) -> Result<(), Stop> {
    loop {
        let parts = [Part::Containers, Part::Volumes];
        let view = match stage.desk.look(POLL, &parts).await {
            Ok(view) => view,
            Err(refusal) => {
                stage.say(Level::Error, refusal.to_string());
                continue;
            }
        };
        let mut removals: Vec<Action> = view
            .containers
            .iter()
            .filter(|container| is_ours(container))
            .map(|container| Action::RemoveContainer(container.name.clone()))
            .collect();
        // The certificates of the user stay, as those of the real one do.
        if view.volumes.iter().any(|name| name == NODE_CERTS) {
            removals.push(Action::RemoveVolume(NODE_CERTS.to_owned()));
        }
        if removals.is_empty() {
            stage.say(Level::Info, "Done");
            return Ok(());
        }
        for action in removals {
            // An agent that is just being stopped may hold on to it: it is looked for again.
            if let Err(refusal) = stage.desk.act(action).await {
                stage.say(Level::Warning, refusal.to_string());
            }
        }
    }
}

/// Returns whether a container is of MKE: the agent's tasks too, but neither the bootstrapper nor
/// the tasks of this very service.
fn is_ours(container: &Container) -> bool {
    COMPONENTS.iter().any(|component| {
        let rest = container.name.strip_prefix(component.name());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::super::rehearsal::{Rehearsal, container};
    use super::*;
    use crate::engine::{Config, Node};

    const LINE: &str = "uninstall-ucp --id cluster1";

    fn installed() -> Rehearsal {
        let mut engine = Rehearsal::manager();
        assert_eq!(engine.run("install", &[]).status, 0);
        engine
    }

    #[test]
    fn removes_services_and_state() {
        let mut engine = installed();

        let run = engine.run(LINE, &[]);

        assert_eq!(run.status, 0, "{run:?}");
        assert_eq!(engine.view.services, []);
        assert_eq!(engine.view.config(STATE), None);
        assert!(run.says("has been removed"));
    }

    #[test]
    fn the_configuration_of_the_user_goes_only_when_asked() {
        for (line, is_left) in [
            (LINE.to_owned(), true),
            (format!("{LINE} --purge-config"), false),
        ] {
            let mut engine = installed();
            engine.view.configs.push(Config {
                name: USER_CONFIG.to_owned(),
                ..Config::default()
            });

            engine.run(&line, &[]);

            assert_eq!(engine.view.config(USER_CONFIG).is_some(), is_left, "{line}");
        }
    }

    #[test]
    fn a_node_that_is_down_makes_it_take_too_long() {
        let mut engine = installed();
        engine.view.nodes.push(Node {
            id: "lost".to_owned(),
            state: "down".to_owned(),
            ..Node::default()
        });

        let run = engine.run(LINE, &[]);

        assert_eq!(run.status, 1);
        assert!(run.fatal().contains("Uninstalling UCP took too long"));
        assert!((120..130).contains(&run.took.as_secs()), "{:?}", run.took);
        assert!(engine.view.service(UNINSTALL_SERVICE).is_some());
    }

    #[test]
    fn the_id_has_to_be_that_of_the_cluster() {
        let mut engine = installed();

        let run = engine.run("uninstall-ucp --id other", &[]);

        assert_eq!((run.status, run.actions), (1, vec![]));
    }

    #[test]
    fn a_node_is_cleared_until_nothing_is_left() {
        let mut engine = Rehearsal::worker();
        let names = [
            "ucp",
            "ucp-proxy",
            "ucp-agent.n1.t1",
            "ucp-uninstall-agent.n1.t2",
        ];
        engine.view.containers = names.map(|name| container(name, "x")).to_vec();
        engine.view.volumes = vec![
            NODE_CERTS.to_owned(),
            "ucp-controller-server-certs".to_owned(),
        ];

        let run = engine.run("uninstall-agent", &[]);

        assert_eq!(run.status, 0);
        let left: Vec<&str> = engine
            .view
            .containers
            .iter()
            .map(|container| container.name.as_str())
            .collect();
        assert_eq!(left, ["ucp", "ucp-uninstall-agent.n1.t2"]);
        assert_eq!(engine.view.volumes, ["ucp-controller-server-certs"]);
    }
}
