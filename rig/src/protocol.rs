//! The kinds of connections.

mod closing;
mod dispatch;
mod handshakes;
mod held;
pub mod local;
pub mod openssh;
pub mod ssh;

use std::path::{Path, PathBuf};

pub use dispatch::Dispatch;
pub use local::Local;

/// Returns the path of what stands beside a key file, such as its public half.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Returns `host:port`.
fn target(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}
