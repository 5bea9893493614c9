//! The phase manager: plans what has to change and walks the hosts through it.
//!
//! It knows no product and no host: a product hands in a [`Domain`] (its configuration, the facts
//! of one host, the facts of the cluster) and lists of phases. The one rule: deciding is pure
//! (`plan`, `predict`, `check`), doing is a short async function, and the same deciding code
//! serves a dry run and a real one.
//!
//! | module | holds |
//! |---|---|
//! | [`domain`] | what a product supplies: facts, host ids, the assembly lent to a meeting |
//! | [`phases`] | the traits of phases: observe, check, host phase, meeting, closing |
//! | [`plan`] | plans, steps, disruption, facts known only after apply |
//! | [`fold`] | the whole plan, worked out over predicted facts |
//! | [`manager`] | the run: observe, check, plan, lock, walk, close |
//! | [`walk`] | hosts at their own pace, meetings, hosts set aside |
//! | [`context`] | what a running phase may use: events, stop signal, limits |
//! | [`limits`] | bounds by kind of work |
//! | [`stop`] | graceful and immediate stop |
//! | [`lock`] | the run lock |
//! | [`event`] | the typed, serialisable stream of events |
//! | [`failure`] | an error as data: message, causes, command, hint |
//! | [`wait`] | waiting for a condition with a deadline and the last status seen |

pub mod context;
pub mod domain;
mod erased;
pub mod event;
pub mod failure;
pub mod fold;
pub mod limits;
pub mod lock;
pub mod manager;
pub mod phases;
pub mod plan;
pub mod stop;
pub mod wait;
pub mod walk;

pub use context::Context;
pub use domain::{Assembly, Domain, HostId, HostView, Roster};
pub use event::{Emitter, Ending, Envelope, Event, Sink};
pub use failure::Failure;
pub use limits::{Limits, Work};
pub use manager::{Manager, Mode, Options, RunReport, Stage};
pub use phases::{Check, Closing, Complaint, HostPhase, Meeting, Observe, Phase};
pub use plan::{Disruption, Known, Plan, PlanReport, PlannedStep, Step};
pub use stop::{Stop, StopReason};
pub use wait::{Look, Patience, wait_until};
