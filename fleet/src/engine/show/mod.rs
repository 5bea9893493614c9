//! Documents: what `inspect` and the API show.
//!
//! | module | holds |
//! |---|---|
//! | [`container`] | containers |
//! | [`info`] | an engine as a whole: `info`, `version` |
//! | [`local`] | images, volumes, networks |
//! | [`swarm`] | nodes, services, tasks, configs, secrets |

pub(crate) mod container;
pub(crate) mod info;
pub(crate) mod local;
pub(crate) mod swarm;
