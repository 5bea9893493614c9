//! The machine the lab runs on: its tools, its apt mirror, its container engine.

pub(crate) mod engine;
pub(crate) mod mirror;
pub(crate) mod tools;
