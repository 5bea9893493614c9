//! Faults planted on purpose: a story that does not see its fault proves nothing.

use anyhow::Result;
use futures_util::future::BoxFuture;

use crate::command::Cmd;
use crate::lab::{Lab, PREFIX};

/// A fault and the moment of the story at which it is planted.
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) story: &'static str,
    /// The moment, as the story names it.
    pub(crate) moment: &'static str,
    /// What it does.
    pub(crate) about: &'static str,
    pub(crate) plant: for<'a> fn(&'a mut Lab) -> BoxFuture<'a, Result<()>>,
}

/// All faults.
pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "registry-down",
        story: "smoke",
        moment: "before-pull",
        about: "the registry is stopped before the hosts pull from it",
        plant: |_| {
            Box::pin(async {
                Cmd::new("docker")
                    .args(["stop", &format!("{PREFIX}-registry")])
                    .run()
                    .await?;
                Ok(())
            })
        },
    },
    Fault {
        name: "file-rewritten",
        story: "smoke",
        moment: "between-inventories",
        about: "a file is replaced by a copy with the same content while nothing should change",
        plant: |lab| {
            Box::pin(async {
                lab.host("m1")?
                    .sh("cp -p /etc/hostname.lab /etc/x && mv /etc/x /etc/hostname.lab")
                    .await?;
                Ok(())
            })
        },
    },
];
