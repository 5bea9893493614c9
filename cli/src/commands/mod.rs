//! The commands, one file each.

pub(crate) mod apply;
pub(crate) mod check;
pub(crate) mod client_config;
pub(crate) mod completion;
pub(crate) mod describe;
pub(crate) mod download;
pub(crate) mod exec;
pub(crate) mod explain;
#[cfg(feature = "fleet")]
pub(crate) mod fleet;
pub(crate) mod init;
pub(crate) mod migrate;
pub(crate) mod plan;
pub(crate) mod register;
#[cfg(feature = "fleet")]
pub(crate) mod rehearse;
pub(crate) mod reset;
pub(crate) mod schema;
pub(crate) mod upload;
pub(crate) mod validate;
pub(crate) mod version;
