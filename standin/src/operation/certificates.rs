//! `dump-certs`: prints the certificates of the cluster.

use super::{Stage, Stop};
use crate::engine::{Action, Part, Reply};
use crate::fault::Point;
use crate::state::{ClusterState, NODE_CERTS_PATH, SERVER_CERTS_PATH};

pub(super) async fn run(stage: &Stage) -> Result<(), Stop> {
    let view = stage.look_as_manager(&[Part::Configs]).await?;
    stage.pass(Point::Checked).await?;
    let Some((_, state)) = ClusterState::of(&view) else {
        return Err(Stop::Fatal(
            "MKE is not installed on this cluster: it has no certificates".to_owned(),
        ));
    };
    let root = &state.authority.certificate;
    if stage.flags.has("cluster") || stage.flags.has("etcd") {
        stage.data(root.trim_end());
        return Ok(());
    }
    // What the controller serves with is the user's where there is one, else the cluster's.
    let is_external = state.uses_external_cert;
    let own = if is_external {
        read(stage, SERVER_CERTS_PATH, "ca.pem").await
    } else {
        None
    };
    stage.data(own.as_ref().unwrap_or(root).trim_end());
    if !stage.flags.has("ca") {
        let directory = if is_external {
            SERVER_CERTS_PATH
        } else {
            NODE_CERTS_PATH
        };
        if let Some(certificate) = read(stage, directory, "cert.pem").await {
            stage.data(certificate.trim_end());
        }
    }
    Ok(())
}

/// Reads a file of this node's controller; one that is not there is nothing.
async fn read(stage: &Stage, directory: &str, name: &str) -> Option<String> {
    let read = Action::ReadContainerFile {
        container: "ucp-controller".to_owned(),
        path: format!("{directory}/{name}"),
    };
    match stage.desk.act(read).await {
        Ok(Reply::File(content)) => String::from_utf8(content.0).ok(),
        Ok(Reply::Done | Reply::Identity(_)) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::rehearsal::Rehearsal;

    fn installed(line: &str) -> Rehearsal {
        let mut engine = Rehearsal::manager();
        engine
            .view
            .volumes
            .push("ucp-controller-server-certs".to_owned());
        assert_eq!(engine.run(line, &[]).status, 0);
        engine
            .files
            .insert("/certs/ca.pem".to_owned(), "USER CA\n".to_owned());
        engine
            .files
            .insert("/certs/cert.pem".to_owned(), "USER CERT\n".to_owned());
        engine
            .files
            .insert("/node/cert.pem".to_owned(), "NODE CERT\n".to_owned());
        engine
    }

    #[test]
    fn prints_the_authority_of_the_cluster() {
        let mut engine = installed("install");

        assert_eq!(engine.run("dump-certs --ca", &[]).data(), ["CLUSTER CA"]);
        assert_eq!(
            engine.run("dump-certs", &[]).data(),
            ["CLUSTER CA", "NODE CERT"]
        );
        assert_eq!(
            engine.run("dump-certs --cluster --ca", &[]).data(),
            ["CLUSTER CA"]
        );
    }

    #[test]
    fn prints_what_the_user_has_brought() {
        let mut engine = installed("install --external-server-cert");

        assert_eq!(engine.run("dump-certs --ca", &[]).data(), ["USER CA"]);
        assert_eq!(
            engine.run("dump-certs", &[]).data(),
            ["USER CA", "USER CERT"]
        );
        assert_eq!(
            engine.run("dump-certs --cluster --ca", &[]).data(),
            ["CLUSTER CA"]
        );
    }

    #[test]
    fn a_swarm_without_mke_has_none() {
        let run = Rehearsal::manager().run("dump-certs --ca", &[]);

        assert!(run.fatal().contains("not installed"), "{run:?}");
    }
}
