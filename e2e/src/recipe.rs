//! What the lab is made of, each made once and kept by a hash of its recipe.

pub(crate) mod archive;
pub(crate) mod base;
pub(crate) mod host;
pub(crate) mod images;
pub(crate) mod keys;
pub(crate) mod packages;
pub(crate) mod repository;
pub(crate) mod rpm;
pub(crate) mod rpm_host;
pub(crate) mod rpms;
pub(crate) mod services;
pub(crate) mod standin;

pub(crate) use images::{Images, ensure};
