//! The operations: one file each, written as they happen.
//!
//! | file | holds |
//! |---|---|
//! | `agent` | what keeps the containers of a node as they should be |
//! | `certificates` | `dump-certs` |
//! | `deploy` | services, and waiting for what they make; shared by install and upgrade |
//! | `identity` | `id` |
//! | `install` | `install` |
//! | `listing` | `images` |
//! | `serving` | the start of a controller |
//! | `uninstall` | `uninstall-ucp`, and what it runs on every node |
//! | `upgrade` | `upgrade` |

mod agent;
mod certificates;
mod deploy;
mod identity;
mod install;
mod listing;
mod serving;
mod uninstall;
mod upgrade;

#[cfg(test)]
pub(crate) mod rehearsal;

use std::time::Duration;

use crate::command::{Command, Operation, Seed, World};
use crate::engine::{Action, Login, Part, Refusal, Reply, View};
use crate::fault::{Faults, Point};
use crate::flags::Flags;
use crate::image::Release;
use crate::log::{Level, Line};
use crate::machine::{Desk, End, Next, out_of_turn};

/// How often an operation that waits looks again.
const POLL: Duration = Duration::from_millis(300);

/// Why an operation does not go on.
#[derive(Debug)]
pub(crate) enum Stop {
    /// With a fatal line and status 1.
    Fatal(String),
    /// With a status alone.
    Exit(u8),
}

impl Stop {
    /// Stops because something could not be done.
    fn cannot(what: &str, refusal: &Refusal) -> Self {
        Self::Fatal(format!("unable to {what}: {refusal}"))
    }
}

/// What an operation works with.
pub(crate) struct Stage {
    pub(crate) desk: Desk,
    pub(crate) flags: Flags,
    pub(crate) release: Release,
    pub(crate) world: World,
    pub(crate) faults: Faults,
}

/// Runs an operation to its end.
pub(crate) async fn run(desk: Desk, command: Command, world: World) -> End {
    let faults = match Faults::parse(&command.flags) {
        Ok(faults) => faults,
        Err(problem) => {
            desk.print(Line::log(Level::Fatal, problem));
            return Next::Exit(1);
        }
    };
    let stage = Stage {
        desk,
        flags: command.flags,
        release: Release::of(&world.image),
        world,
        faults,
    };
    match stage.run(command.operation).await {
        Ok(end) => end,
        Err(Stop::Exit(status)) => Next::Exit(status),
        Err(Stop::Fatal(message)) => {
            stage.say(Level::Fatal, message);
            Next::Exit(1)
        }
    }
}

impl Stage {
    async fn run(&self, operation: Operation) -> Result<End, Stop> {
        self.pass(Point::Started).await?;
        match operation {
            Operation::Install => install::run(self).await?,
            Operation::Upgrade => upgrade::run(self).await?,
            Operation::Uninstall => uninstall::run(self).await?,
            Operation::Images => listing::run(self).await?,
            Operation::DumpCerts => certificates::run(self).await?,
            Operation::Id => identity::run(self).await?,
            Operation::Agent => return agent::run(self).await,
            Operation::UninstallAgent => uninstall::clear_node(self).await?,
            Operation::Controller => return serving::run(self).await,
            Operation::Proxy => return Ok(Next::Idle),
        }
        self.pass(Point::Finished).await?;
        Ok(Next::Exit(0))
    }

    /// Prints a log line.
    pub(crate) fn say(&self, level: Level, message: impl Into<String>) {
        self.desk.print(Line::log(level, message));
    }

    /// Prints data.
    fn data(&self, text: impl Into<String>) {
        self.desk.print(Line::Plain(text.into()));
    }

    /// Does nothing for some time.
    pub(crate) async fn rest(&self, time: Duration) {
        // Nothing is looked at, so nothing can be refused.
        let _ = self.desk.look(time, &[]).await;
    }

    /// Looks at the engine at once.
    async fn look(&self, parts: &[Part]) -> Result<View, Stop> {
        let seen = self.desk.look(Duration::ZERO, parts).await;
        seen.map_err(|refusal| Stop::cannot("ask the engine", &refusal))
    }

    /// Has something done; `what` completes "unable to".
    async fn act(&self, what: &str, action: Action) -> Result<Reply, Stop> {
        let done = self.desk.act(action).await;
        done.map_err(|refusal| Stop::cannot(what, &refusal))
    }

    /// Looks at the engine of a node that has to be a manager.
    async fn look_as_manager(&self, parts: &[Part]) -> Result<View, Stop> {
        let view = self.look(&[&[Part::Swarm], parts].concat()).await?;
        if !view.swarm.is_manager {
            return Err(Stop::Fatal(
                "this node is not a swarm manager: run the command on a manager of the cluster"
                    .to_owned(),
            ));
        }
        match &view.swarm.error {
            Some(error) => Err(Stop::Fatal(format!("the swarm is not well: {error}"))),
            None => Ok(view),
        }
    }

    /// Checks that the user means this cluster.
    fn check_id(&self, view: &View) -> Result<(), Stop> {
        let id = &view.swarm.cluster_id;
        match self.flags.value("id") {
            Some(given) if given == id => Ok(()),
            Some(given) => Err(Stop::Fatal(format!(
                "the id {given} is not that of this cluster, {id}"
            ))),
            None => Err(Stop::Fatal(format!(
                "nobody is there to confirm: give the id of this cluster, --id {id}"
            ))),
        }
    }

    fn login(&self) -> Option<Login> {
        Some(Login {
            username: self.flags.value("registry-username")?.to_owned(),
            password: self.flags.value("registry-password")?.to_owned(),
        })
    }

    fn seed(&self) -> Seed {
        self.world.seed
    }
}

/// Takes the certificate out of a reply.
fn identity_of(reply: Reply) -> Result<crate::engine::Identity, Stop> {
    match reply {
        Reply::Identity(identity) => Ok(identity),
        Reply::Done | Reply::File(_) => Err(Stop::cannot("make a certificate", &out_of_turn())),
    }
}
