//! The kinds of connections.

mod dispatch;
pub mod local;
pub mod openssh;
pub mod ssh;

pub use dispatch::Dispatch;
pub use local::Local;
