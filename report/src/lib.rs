//! Sinks of the event stream: what a run says, and where.
//!
//! It knows events, plans and failures of `phase`, and no product. Everything is written to
//! writers that are handed in: who owns stdout and stderr is the business of the caller.
//! The one rule: making text is pure, printing it never holds the run back. Only the files of the
//! run directory may.
//!
//! | module | holds |
//! |---|---|
//! | [`sinks`] | opens all sinks of a run and closes them at its end |
//! | [`fold`] | the state of a run, worked out from its events; every sink reads it |
//! | [`plain`] | events as lines of text |
//! | [`terminal`] | the live lines of a terminal |
//! | [`display`] | the task that prints lines and live lines at its own pace |
//! | [`jsonl`] | `events.jsonl` and `launchpad.log` |
//! | [`directory`] | the run directory |
//! | [`plan`] | plans as text and as JSON |
//! | [`table`] | aligned tables, as text and as JSON |
//! | [`errors`] | failures for people, equal ones of many hosts as one |
//! | [`summary`] | the last words of a run |
//! | [`printable`] | text of a remote side without control characters |
//! | [`elapsed`] | durations for people |
//! | [`style`] | colours, where wanted |

pub mod directory;
pub mod display;
pub mod elapsed;
pub mod errors;
pub mod fold;
pub mod jsonl;
mod pen;
pub mod plain;
pub mod plan;
pub mod printable;
pub mod sinks;
pub mod style;
pub mod summary;
pub mod table;
pub mod terminal;

pub use directory::{DirectoryError, RunDirectory};
pub use display::{Held, Holder};
pub use fold::Fold;
pub use plain::Verbosity;
pub use sinks::{FinishReport, Output, Sinks, SinksOptions, Writing};
pub use style::{Style, Tone};
pub use table::Table;
