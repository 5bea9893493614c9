//! Products composed of phases.
//!
//! A product says what its phases are; the manager in `phase` carries them out, `rig` reaches the
//! hosts. Nothing here prints, reads files of this machine, or asks whether a host is simulated.
//!
//! | module | holds |
//! |---|---|
//! | [`mke`] | Mirantis Container Runtime and Mirantis Kubernetes Engine |

pub mod mke;
