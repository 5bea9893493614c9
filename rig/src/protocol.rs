//! The kinds of connections.

mod dispatch;
pub mod local;
pub mod ssh;

pub use dispatch::Dispatch;
pub use local::Local;
