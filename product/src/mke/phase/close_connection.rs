//! Removes this run's registry login from a host, whatever the end of the run.

use std::time::Duration;

use async_trait::async_trait;
use phase::{Closing, Context, Failure, HostId};
use rig::command::{Command, Effect};

use crate::mke::domain::MkeDomain;
use crate::mke::facts::Facts;
use crate::mke::failure::explain;
use crate::mke::images::docker_config_dir;

/// Removes the login of this run.
pub struct CloseConnection;

#[async_trait]
impl Closing<MkeDomain> for CloseConnection {
    fn id(&self) -> &'static str {
        "close-connection"
    }

    async fn close(
        &self,
        cx: &Context<MkeDomain>,
        id: HostId,
        facts: &mut Facts,
    ) -> Result<(), Failure> {
        if !std::mem::take(&mut facts.logged_in) {
            return Ok(());
        }
        let command = Command::new("rm", Effect::Change)
            .args(["-rf", "--", &docker_config_dir(&cx.shared)])
            .title("remove the registry login of this run")
            .timeout(Duration::from_secs(20))
            .elevated();
        cx.shared
            .host(id)?
            .run(command)
            .await
            .map(drop)
            .map_err(|error| explain("the registry login could not be removed", &error))
    }
}
