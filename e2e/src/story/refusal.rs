//! Runs that have to refuse: they say why, in time, and the hosts are what they were.

use std::time::Duration;

use anyhow::Result;
use futures_util::future::try_join_all;

use super::Scene;
use crate::lab::Host;
use crate::lab::inventory::{BY_ITSELF, Compare, Ignored, Inventory, listed};
use crate::lab::launchpad::Run;

/// What a run must say when it refuses.
pub(crate) struct Refusal<'a> {
    /// The situation, for whoever reads the problem.
    pub(crate) when: &'a str,
    /// How long it may take until it has ended.
    pub(crate) within: Duration,
    /// Words of the message: the host, what the other side said, the next move.
    pub(crate) says: &'a [&'a str],
    /// What would send the reader the wrong way.
    pub(crate) never_says: &'a [&'a str],
}

/// Runs launchpad, and notes where it does not refuse as it must.
pub(crate) async fn refused(
    scene: &mut Scene,
    command: &[&str],
    refusal: &Refusal<'_>,
) -> Result<Run> {
    let run = scene.launchpad()?.run(command).await?;
    let when = refusal.when;
    scene.check_equal(&format!("the exit status {when}"), run.code, 1);
    let text = run.text();
    for words in refusal.says {
        scene.check(text.contains(words), || {
            format!("{when}, launchpad does not say `{words}`:\n{text}")
        });
    }
    for words in refusal.never_says {
        scene.check(!text.contains(words), || {
            format!("{when}, launchpad says `{words}`:\n{text}")
        });
    }
    let hints = text.matches("hint: ").count();
    scene.check(hints > 0, || {
        format!("{when}, launchpad names no next move:\n{text}")
    });
    scene.check(run.took <= refusal.within, || {
        format!(
            "{when}, launchpad took {:.1} s to say so, and may take {} s",
            run.took.as_secs_f64(),
            refusal.within.as_secs()
        )
    });
    Ok(run)
}

/// What hosts were before launchpad came.
pub(crate) struct Before {
    hosts: Vec<Host>,
    inventories: Vec<Inventory>,
    allowed: &'static [Ignored],
}

impl Before {
    /// Looks at hosts.
    pub(crate) async fn of(hosts: &[Host]) -> Result<Self> {
        let inventories = try_join_all(hosts.iter().map(Host::inventory)).await?;
        Ok(Self {
            hosts: hosts.to_vec(),
            inventories,
            allowed: &[],
        })
    }

    /// Leaves out what the situation itself changes on hosts, whoever comes.
    pub(crate) fn but(mut self, allowed: &'static [Ignored]) -> Self {
        self.allowed = allowed;
        self
    }

    /// Notes every host that has been changed since.
    pub(crate) async fn check_unchanged(&self, scene: &mut Scene, when: &str) -> Result<()> {
        let after = try_join_all(self.hosts.iter().map(Host::inventory)).await?;
        for (index, host) in self.hosts.iter().enumerate() {
            let allowed = [BY_ITSELF, self.allowed];
            let differences =
                self.inventories[index].differences(&after[index], Compare::Writes, &allowed);
            scene.check(differences.is_empty(), || {
                let list = listed(&differences).unwrap_or_default();
                format!("{when}, launchpad has changed {}:\n{list}", host.name)
            });
        }
        Ok(())
    }
}
