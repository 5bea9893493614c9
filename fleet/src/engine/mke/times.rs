//! How long things take.
//!
//! The figures come from installations of MKE 3.8 on hosts with 4 processors and 16 GB, as users
//! report them and as the vendor's documentation speaks of them: 4 to 7 minutes for `install` on
//! one manager, about 2 minutes until a manager that joins is healthy, 8 to 12 minutes for
//! `upgrade`, 1 to 2 minutes for `uninstall-ucp`. They are spread over what the stand-in does.

use std::time::Duration;

use rand::Rng;
use standin::command::Operation;
use standin::engine::Action;

use crate::engine::image::Reference;
use crate::engine::pull;
use crate::engine::registry::Login;
use crate::world::{HostId, World};

/// How long a process takes to start.
pub(super) const START: Duration = Duration::from_millis(400);

/// How long an agent takes to see that something has changed: half of its rounds.
pub(super) const AGENT_NOTICES: Duration = Duration::from_secs(1);

/// How long a controller takes from its certificate to its port.
pub(super) const LISTENING: Duration = Duration::from_secs(6);

/// Returns how long a look takes; the first one of an operation checks ports, disks and clocks.
pub(super) fn look(rng: &mut impl Rng, operation: Operation, is_first: bool) -> Duration {
    let seconds = match operation {
        Operation::Install if is_first => 18..30,
        Operation::Upgrade if is_first => 25..40,
        Operation::Uninstall if is_first => 4..8,
        _ => return Duration::ZERO,
    };
    Duration::from_millis(rng.random_range(seconds.start * 1000..seconds.end * 1000))
}

/// Returns how long it takes to carry something out.
pub(super) fn action(
    world: &mut World,
    host: HostId,
    operation: Operation,
    action: &Action,
) -> Duration {
    if let Action::PullImage { image, login } = action {
        let login = login.as_ref().map(|login| Login {
            username: login.username.clone(),
            password: login.password.clone(),
        });
        return match Reference::parse(image) {
            Ok(reference) => pull::plan(world, host, &reference, login.as_ref()).took(),
            Err(_) => Duration::ZERO,
        };
    }
    let seconds = match (operation, action) {
        (Operation::Install, Action::MakeAuthority) => 20..35,
        // The key-value store and the database come up.
        (Operation::Install, Action::CreateConfig { .. }) => 55..85,
        (Operation::Install, Action::CreateService(_)) => 50..75,
        // The components of the managers are replaced, one after the other.
        (Operation::Upgrade, Action::UpdateService(_)) => 280..380,
        (Operation::Uninstall, Action::CreateService(_)) => 8..15,
        (Operation::Uninstall, Action::RemoveService(_)) => 3..6,
        (Operation::Agent, Action::RunContainer(spec)) if spec.uses_host_network => 45..70,
        (Operation::Agent, Action::RunContainer(_)) => 8..14,
        (Operation::Agent, Action::RemoveContainer(_)) => 2..5,
        (Operation::UninstallAgent, Action::RemoveContainer(_)) => 3..8,
        _ => return Duration::from_millis(world.rng.random_range(20..80)),
    };
    Duration::from_millis(
        world
            .rng
            .random_range(seconds.start * 1000..seconds.end * 1000),
    )
}
