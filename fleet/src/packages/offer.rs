//! What repositories offer.

use std::sync::Arc;

use super::Package;

/// How a repository is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signature {
    /// With its key.
    Good,
    /// With another key.
    OtherKey,
    /// Not at all.
    Missing,
}

/// A repository, as its server has it: one component of one suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Its address without a slash at the end (`https://repos.mirantis.com/ubuntu`).
    pub url: String,
    /// The suite (`jammy`).
    pub suite: String,
    /// The component (`stable-25.0`).
    pub component: String,
    /// The fingerprint of its key.
    pub key: String,
    /// How it is signed.
    pub signature: Signature,
    /// What is in it.
    pub packages: Arc<Vec<Arc<Package>>>,
}

/// A list of packages that a host has fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// The address of the repository.
    pub url: String,
    /// The suite.
    pub suite: String,
    /// The component.
    pub component: String,
    /// What was in it.
    pub packages: Arc<Vec<Arc<Package>>>,
}

/// What a host knows of a repository of rpm packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The address of the repository, variables replaced.
    pub url: String,
    /// When it was fetched, as time since 1970.
    pub fetched: std::time::Duration,
    /// The fingerprint of its key.
    pub key: String,
    /// How it is signed.
    pub signature: Signature,
    /// What is in it.
    pub packages: Arc<Vec<Arc<Package>>>,
}
