//! `id`: prints the id of the cluster.

use super::{Stage, Stop};
use crate::engine::Part;
use crate::fault::Point;
use crate::state::STATE;

pub(super) async fn run(stage: &Stage) -> Result<(), Stop> {
    let view = stage.look_as_manager(&[Part::Configs]).await?;
    stage.pass(Point::Checked).await?;
    if view.config(STATE).is_none() {
        return Err(Stop::Fatal(
            "MKE is not installed on this cluster".to_owned(),
        ));
    }
    stage.data(view.swarm.cluster_id);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::rehearsal::Rehearsal;

    #[test]
    fn prints_the_id_of_a_cluster() {
        let mut engine = Rehearsal::manager();
        assert!(engine.run("id", &[]).fatal().contains("not installed"));
        engine.run("install", &[]);

        assert_eq!(engine.run("id", &[]).data(), ["cluster1"]);
    }
}
