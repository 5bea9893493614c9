//! Rows that hosts of the lab have answered, and what counts as the same answer.
//!
//! A row is a command or a script; its recording is what came of it on a host of the lab. The lab
//! runs rows to compare or to record them, a test runs them on the fleet. Both read, send and judge
//! them with this crate, which reaches no host itself. What is implemented here is described in
//! `fleet/tests/parity/README.md`.
//!
//! | module | holds |
//! |---|---|
//! | [`state`] | what hosts are when rows are run on them |
//! | [`row`] | rows, and the program that is sent for one |
//! | [`answer`] | what came of a row, as a recording |
//! | [`rules`] | what differs from run to run |
//! | [`mod@difference`] | how an answer differs from a recording |
//! | [`packages`] | what hosts with rpm have, and what repositories offer them |

pub mod answer;
pub mod difference;
pub mod packages;
pub mod row;
pub mod rules;
pub mod state;

pub use answer::Answer;
pub use difference::difference;
pub use packages::Package;
pub use row::{Row, Word};
pub use rules::Rules;
pub use state::{STATES, State, System};
