//! The start of a controller: it finds the state of its cluster and a certificate to serve with.
//!
//! What it found is kept in a volume of the node, so that a controller comes up again while the
//! managers have no quorum, and says so.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Stage, Stop, identity_of};
use crate::controller::Site;
use crate::engine::{Action, Identity, Part, Payload, Reply, View};
use crate::log::Level;
use crate::machine::{End, Next};
use crate::state::{ClusterState, NODE_CERTS_PATH, SERVER_CERTS_PATH};

/// How often a controller without a state looks for it.
const ROUND: Duration = Duration::from_secs(1);

/// The name that every controller's certificate has.
const COMMON_NAME: &str = "ucp-controller";

/// What a controller keeps on its node.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    /// The id of the state's config.
    id: String,
    state: ClusterState,
    names: Vec<String>,
    identity: Identity,
}

pub(super) async fn run(stage: &Stage) -> Result<End, Stop> {
    let kept = kept(stage).await;
    let wanted = stage.world.environment.value("UCP_STATE");
    let kept = kept.filter(|kept| wanted == Some(&kept.id));
    let (id, state) = match &kept {
        Some(kept) => (kept.id.clone(), kept.state.clone()),
        None => find_state(stage).await,
    };
    let seen = stage.desk.look(Duration::ZERO, &[Part::Swarm]).await;
    let identity = match (kept, seen) {
        (Some(kept), Ok(view)) if kept.names == names(&state, &view) => kept.identity,
        (Some(kept), Err(_)) => kept.identity,
        (_, seen) => issue(stage, &id, &state, &seen.unwrap_or_default()).await?,
    };
    let site = match external(stage, &state).await {
        Some((server, ca)) => Site { state, server, ca },
        None => Site {
            ca: state.authority.certificate.clone(),
            server: identity,
            state,
        },
    };
    stage.say(
        Level::Info,
        format!("serving the API on port {}", site.state.port),
    );
    Ok(Next::Serve(Box::new(site)))
}

async fn kept(stage: &Stage) -> Option<Kept> {
    let content = read(stage, &format!("{NODE_CERTS_PATH}/controller.json")).await?;
    serde_json::from_str(&content).ok()
}

async fn read(stage: &Stage, path: &str) -> Option<String> {
    match stage.desk.act(Action::ReadFile(path.to_owned())).await {
        Ok(Reply::File(content)) => String::from_utf8(content.0).ok(),
        Ok(Reply::Done | Reply::Identity(_)) | Err(_) => None,
    }
}

async fn find_state(stage: &Stage) -> (String, ClusterState) {
    let mut pause = Duration::ZERO;
    loop {
        match stage.desk.look(pause, &[Part::Configs]).await {
            Ok(view) => match ClusterState::of(&view) {
                Some(found) => return found,
                None => stage.say(Level::Warning, "this swarm is no cluster of MKE"),
            },
            Err(refusal) => stage.say(Level::Error, refusal.to_string()),
        }
        pause = ROUND;
    }
}

/// Returns the names that the certificate of this node is for.
fn names(state: &ClusterState, view: &View) -> Vec<String> {
    let own = [
        view.swarm.node_address.as_str(),
        view.host_name.as_str(),
        "localhost",
        "127.0.0.1",
    ];
    let own = own.into_iter().filter(|name| !name.is_empty());
    let mut names: Vec<String> = state.sans.clone();
    names.extend(own.map(str::to_owned));
    names.sort();
    names.dedup();
    names
}

async fn issue(
    stage: &Stage,
    id: &str,
    state: &ClusterState,
    view: &View,
) -> Result<Identity, Stop> {
    let names = names(state, view);
    let action = Action::Issue {
        authority: state.authority.clone(),
        common_name: COMMON_NAME.to_owned(),
        names: names.clone(),
    };
    let what = "issue the certificate of this node";
    let identity = identity_of(stage.act(what, action).await?)?;
    let kept = Kept {
        id: id.to_owned(),
        state: state.clone(),
        names,
        identity: identity.clone(),
    };
    // Strings, numbers and truths always have a form in JSON.
    let kept = serde_json::to_string(&kept).unwrap_or_default();
    let files = [
        ("controller.json", kept),
        ("ca.pem", state.authority.certificate.clone()),
        ("cert.pem", identity.certificate.clone()),
    ];
    for (name, content) in files {
        let write = Action::WriteFile {
            path: format!("{NODE_CERTS_PATH}/{name}"),
            content: Payload(content.into_bytes()),
        };
        stage.act(&format!("keep {name}"), write).await?;
    }
    Ok(identity)
}

/// Returns the server certificate of the user and the CA that goes with it.
async fn external(stage: &Stage, state: &ClusterState) -> Option<(Identity, String)> {
    if !state.uses_external_cert {
        return None;
    }
    let certificate = read(stage, &format!("{SERVER_CERTS_PATH}/cert.pem")).await;
    let key = read(stage, &format!("{SERVER_CERTS_PATH}/key.pem")).await;
    let ca = read(stage, &format!("{SERVER_CERTS_PATH}/ca.pem")).await;
    match (certificate, key, ca) {
        (Some(certificate), Some(key), Some(ca)) => Some((Identity { certificate, key }, ca)),
        _ => {
            stage.say(
                Level::Warning,
                "the volume ucp-controller-server-certs lacks a file: serving with a certificate \
                 of the cluster",
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rehearsal::{Rehearsal, Run};

    fn installed(line: &str) -> Rehearsal {
        let mut engine = Rehearsal::manager();
        engine
            .view
            .volumes
            .push("ucp-controller-server-certs".to_owned());
        engine.run(line, &[]);
        engine
    }

    fn serve(engine: &mut Rehearsal) -> Run {
        let id = engine.view.configs[0].id.clone();
        engine.run("serve", &[("UCP_STATE", &id)])
    }

    #[test]
    fn serves_with_a_certificate_for_the_node() {
        let mut engine = installed("install --san mke.lab");

        let site = serve(&mut engine).site.unwrap();

        assert_eq!(site.ca, "CLUSTER CA\n");
        assert_eq!(
            site.server.certificate,
            "ucp-controller for 10.0.0.1,127.0.0.1,localhost,m1,mke.lab"
        );
        assert_eq!(engine.files["/node/cert.pem"], site.server.certificate);
    }

    #[test]
    fn comes_up_with_the_same_certificate_without_the_other_managers() {
        let mut engine = installed("install");
        let first = serve(&mut engine).site.unwrap();
        engine.refuses = usize::MAX;

        let run = serve(&mut engine);

        assert_eq!(run.site.unwrap().server, first.server);
    }

    #[test]
    fn another_cluster_needs_another_certificate() {
        let mut engine = installed("install");
        serve(&mut engine);
        engine.view.configs[0].id = "another".to_owned();

        let run = serve(&mut engine);

        assert!(!run.actions.is_empty(), "{run:?}");
    }

    #[test]
    fn waits_for_the_state() {
        let mut engine = installed("install");
        engine.refuses = 3;

        let run = serve(&mut engine);

        assert!(run.site.is_some());
        assert!(run.took.as_secs() >= 2, "{:?}", run.took);
    }

    #[test]
    fn the_certificate_of_the_user_comes_first() {
        let mut engine = installed("install --external-server-cert");
        for name in ["ca", "cert", "key"] {
            let content = format!("USER {name}");
            engine.files.insert(format!("/certs/{name}.pem"), content);
        }

        let site = serve(&mut engine).site.unwrap();
        assert_eq!(
            (site.server.certificate.as_str(), site.ca.as_str()),
            ("USER cert", "USER ca")
        );

        engine.files.remove("/certs/key.pem");
        let run = serve(&mut engine);
        assert!(run.says("lacks a file"), "{run:?}");
        assert_eq!(run.site.unwrap().ca, "CLUSTER CA\n");
    }
}
