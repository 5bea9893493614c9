//! `install`: makes a cluster of a swarm that has none.

use super::{Stage, Stop, deploy, identity_of};
use crate::engine::{Action, Part, View};
use crate::fault::Point;
use crate::log::Level;
use crate::password::{PasswordHash, make_up};
use crate::state::{AGENT_SERVICE, ClusterState, SERVER_CERTS, STATE, USER_CONFIG};

/// The name of the administrator where none is given.
const USERNAME: &str = "admin";

/// The port of the controllers where none is given.
const PORT: u16 = 443;

pub(super) async fn run(stage: &Stage) -> Result<(), Stop> {
    let release = &stage.release;
    stage.say(
        Level::Info,
        format!("Installing MKE {} from {}", release.tag, release.repository),
    );
    let port = port(stage)?;
    let view = stage
        .look_as_manager(&[
            Part::Services,
            Part::Containers,
            Part::Configs,
            Part::Volumes,
            Part::Images,
        ])
        .await?;
    check(stage, &view)?;
    stage.pass(Point::Checked).await?;
    deploy::provide_images(stage, &view).await?;
    stage.pass(Point::Pulled).await?;
    let state = make_state(stage, port).await?;
    let store = Action::CreateConfig {
        name: STATE.to_owned(),
        data: state.payload(),
    };
    stage.act("store the state of the cluster", store).await?;
    stage.pass(Point::Stored).await?;
    stage.say(Level::Info, "Deploying");
    let create = Action::CreateService(deploy::agent_service(release));
    stage.act("create the service ucp-agent", create).await?;
    stage.pass(Point::Deployed).await?;
    deploy::wait_for_node(stage).await?;
    stage.say(Level::Info, "All Installation Steps Completed");
    Ok(())
}

fn port(stage: &Stage) -> Result<u16, Stop> {
    let Some(port) = stage.flags.value("controller-port") else {
        return Ok(PORT);
    };
    let parsed = port.parse();
    parsed.map_err(|error| Stop::Fatal(format!("--controller-port {port} is wrong: {error}")))
}

fn check(stage: &Stage, view: &View) -> Result<(), Stop> {
    stage.say(
        Level::Debug,
        format!("engine {} on {}", view.engine_version, view.host_name),
    );
    let has_parts = ["ucp-proxy", "ucp-controller"]
        .iter()
        .any(|name| view.container(name).is_some());
    let is_installed = view.config(STATE).is_some() || view.service(AGENT_SERVICE).is_some();
    if is_installed || has_parts {
        return Err(Stop::Fatal(
            "MKE is already installed on this cluster: uninstall it first (uninstall-ucp)"
                .to_owned(),
        ));
    }
    if stage.flags.has("existing-config") && view.config(USER_CONFIG).is_none() {
        return Err(Stop::Fatal(format!(
            "--existing-config was given, but there is no config {USER_CONFIG}"
        )));
    }
    let has_volume = view.volumes.iter().any(|name| name == SERVER_CERTS);
    if stage.flags.has("external-server-cert") && !has_volume {
        return Err(Stop::Fatal(format!(
            "--external-server-cert was given, but there is no volume {SERVER_CERTS}"
        )));
    }
    stage.say(Level::Info, "Checking that this node can run MKE");
    if !stage.flags.has("force-minimums") {
        stage.say(
            Level::Warning,
            "the resources of this node are not checked: this is a stand-in",
        );
    }
    Ok(())
}

async fn make_state(stage: &Stage, port: u16) -> Result<ClusterState, Stop> {
    let flags = &stage.flags;
    let made_up = make_up(stage.seed());
    let password = match flags.value("admin-password") {
        Some(password) => password,
        None => {
            stage.say(
                Level::Info,
                format!("Generated random admin password: {made_up}"),
            );
            &made_up
        }
    };
    stage.say(Level::Info, "Generating the certificates of the cluster");
    let authority = stage
        .act("make the authority of the cluster", Action::MakeAuthority)
        .await?;
    Ok(ClusterState {
        authority: identity_of(authority)?,
        sans: flags.list("san"),
        username: flags.value("admin-username").unwrap_or(USERNAME).to_owned(),
        password: PasswordHash::of(password, stage.seed()),
        port,
        uses_external_cert: flags.has("external-server-cert"),
        has_license: flags.has("license"),
    })
}

#[cfg(test)]
mod tests {
    use super::super::rehearsal::Rehearsal;
    use super::*;
    use crate::engine::{Config, Container, Service};

    #[test]
    fn makes_a_cluster_of_a_bare_swarm() {
        let mut engine = Rehearsal::manager();

        let run = engine.run("install --san a,b --san=c --controller-port 8443", &[]);

        assert_eq!(run.status, 0, "{run:?}");
        let (_, state) = ClusterState::of(&engine.view).unwrap();
        assert_eq!(state.sans, ["a", "b", "c"]);
        assert_eq!(state.port, 8443);
        assert!(!state.uses_external_cert);
        let service = engine.view.service(AGENT_SERVICE).unwrap();
        assert_eq!(service.image, "mirantis/ucp-agent:3.8.8");
        assert!(run.says("All Installation Steps Completed"));
    }

    #[test]
    fn the_administrator_comes_from_flags_or_the_environment() {
        let environment = [("UCP_ADMIN_USER", "root"), ("UCP_ADMIN_PASSWORD", "orca'9")];
        for (line, environment) in [
            (
                "install --admin-username root --admin-password orca'9",
                &[][..],
            ),
            ("install", &environment[..]),
        ] {
            let mut engine = Rehearsal::manager();

            let run = engine.run(line, environment);

            let (_, state) = ClusterState::of(&engine.view).unwrap();
            assert_eq!(state.username, "root");
            assert!(state.password.fits("orca'9"));
            assert!(!run.says("Generated random admin password"), "{run:?}");
        }
    }

    #[test]
    fn the_password_is_in_nothing_that_is_emitted() {
        let password = r#"orca'9 "$x\`pw&*"#;
        let environment = [("UCP_ADMIN_PASSWORD", password)];
        let mut engine = Rehearsal::manager();

        let run = engine.run("install --debug", &environment);

        assert_eq!(run.status, 0);
        let emitted = run.everything();
        let json = serde_json::Value::from(password).to_string();
        for form in [password, json.trim_matches('"'), "b3JjYSc5"] {
            assert!(!emitted.contains(form), "{form} is in {emitted}");
        }
    }

    #[test]
    fn a_password_is_generated_where_none_is_given() {
        let mut engine = Rehearsal::manager();

        let run = engine.run("install", &[]);

        let line = run.line("Generated random admin password: ");
        let password = line.rsplit(' ').next().unwrap();
        let (_, state) = ClusterState::of(&engine.view).unwrap();
        assert!(state.password.fits(password));
        assert_eq!(state.username, "admin");
    }

    #[test]
    fn a_second_install_is_refused() {
        let mut engine = Rehearsal::manager();
        engine.run("install", &[]);

        let run = engine.run("install", &[]);

        assert_eq!(run.status, 1);
        assert!(run.fatal().contains("already installed"), "{run:?}");
        assert_eq!(run.actions, []);
    }

    #[test]
    fn any_part_of_mke_is_an_install() {
        let container = Container {
            name: "ucp-proxy".to_owned(),
            ..Container::default()
        };
        let service = Service {
            name: AGENT_SERVICE.to_owned(),
            ..Service::default()
        };
        let mut with_container = Rehearsal::manager();
        with_container.view.containers.push(container);
        let mut with_service = Rehearsal::manager();
        with_service.view.services.push(service);

        for mut engine in [with_container, with_service] {
            assert_eq!(engine.run("install", &[]).status, 1);
        }
    }

    #[test]
    fn a_worker_or_a_swarm_without_quorum_is_refused() {
        let mut worker = Rehearsal::manager();
        worker.view.swarm.is_manager = false;
        let mut lost = Rehearsal::manager();
        lost.view.swarm.error = Some("no leader".to_owned());

        assert!(worker.run("install", &[]).fatal().contains("manager"));
        assert!(lost.run("install", &[]).fatal().contains("no leader"));
    }

    #[test]
    fn what_a_flag_promises_has_to_be_there() {
        let mut engine = Rehearsal::manager();

        let run = engine.run("install --existing-config", &[]);
        assert!(run.fatal().contains(USER_CONFIG), "{run:?}");
        let run = engine.run("install --external-server-cert", &[]);
        assert!(run.fatal().contains(SERVER_CERTS), "{run:?}");

        engine.view.configs.push(Config {
            name: USER_CONFIG.to_owned(),
            ..Config::default()
        });
        engine.view.volumes.push(SERVER_CERTS.to_owned());
        let run = engine.run("install --existing-config --external-server-cert", &[]);
        assert_eq!(run.status, 0, "{run:?}");
        let (_, state) = ClusterState::of(&engine.view).unwrap();
        assert!(state.uses_external_cert);
    }

    #[test]
    fn a_port_that_is_none_is_refused() {
        let run = Rehearsal::manager().run("install --controller-port x", &[]);

        assert!(run.fatal().contains("--controller-port x"), "{run:?}");
    }

    #[test]
    fn images_come_from_where_the_bootstrapper_came() {
        let mut engine = Rehearsal::manager();
        engine.image = "registry.lab:5000/foo/ucp:3.9.0".to_owned();

        engine.run("install --registry-username u --registry-password p", &[]);

        let service = engine.view.service(AGENT_SERVICE).unwrap();
        assert_eq!(service.image, "registry.lab:5000/foo/ucp-agent:3.9.0");
        assert!(
            engine
                .view
                .has_image("registry.lab:5000/foo/ucp-proxy:3.9.0")
        );
    }

    #[test]
    fn nothing_is_pulled_where_that_is_forbidden() {
        let mut engine = Rehearsal::manager();

        let run = engine.run("install --pull never", &[]);

        assert!(run.fatal().contains("mirantis/ucp-agent:3.8.8"), "{run:?}");
    }

    #[test]
    fn a_node_that_does_not_come_up_is_not_waited_for_forever() {
        let mut engine = Rehearsal::manager();
        engine.has_agents = false;

        let run = engine.run("install", &[]);

        assert_eq!(run.status, 1);
        assert!(run.fatal().contains("timed out"), "{run:?}");
        assert!((120..130).contains(&run.took.as_secs()), "{:?}", run.took);
    }

    #[test]
    fn a_node_that_came_up_during_a_pause_is_well() {
        let mut engine = Rehearsal::manager();
        engine.pause_at_look = Some(std::time::Duration::from_secs(3600));

        assert_eq!(engine.run("install", &[]).status, 0);
    }
}
