//! The interpreter beside the real `sh` of this machine.

mod alone;
mod differential;
