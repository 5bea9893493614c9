//! `images`: lists or pulls the images of the release.

use super::{Stage, Stop, deploy};
use crate::engine::Part;
use crate::fault::Point;

pub(super) async fn run(stage: &Stage) -> Result<(), Stop> {
    stage.pass(Point::Checked).await?;
    if stage.flags.has("list") {
        // Swarm alone needs the same: the stand-in has no Kubernetes to leave out.
        for image in stage.release.images(stage.flags.has("enable-windows")) {
            stage.data(image);
        }
        return Ok(());
    }
    let view = stage.look(&[Part::Images]).await?;
    deploy::provide_images(stage, &view).await
}

#[cfg(test)]
mod tests {
    use super::super::rehearsal::Rehearsal;

    #[test]
    fn a_list_is_data_without_the_registry_that_needs_no_name() {
        let mut engine = Rehearsal::worker();
        engine.image = "docker.io/mirantis/ucp:3.8.8".to_owned();

        let run = engine.run("images --list", &[]);

        assert_eq!(
            run.data(),
            [
                "mirantis/ucp-agent:3.8.8",
                "mirantis/ucp-controller:3.8.8",
                "mirantis/ucp-proxy:3.8.8"
            ]
        );
        assert_eq!((run.status, run.actions), (0, vec![]));
    }

    #[test]
    fn windows_has_more_images() {
        let run = Rehearsal::worker().run("images --list --enable-windows --swarm-only", &[]);

        assert!(run.data().contains(&"mirantis/ucp-agent-win:3.8.8"));
    }

    #[test]
    fn without_a_list_the_images_are_pulled() {
        let mut engine = Rehearsal::worker();

        let run = engine.run("images", &[]);

        assert_eq!(run.status, 0);
        assert!(engine.view.has_image("mirantis/ucp-proxy:3.8.8"));
        assert_eq!(engine.run("images", &[]).actions, []);
        assert_eq!(engine.run("images --pull always", &[]).actions.len(), 3);
        assert_eq!(engine.run("images --pull perhaps", &[]).status, 1);
    }
}
