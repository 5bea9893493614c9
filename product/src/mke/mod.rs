//! Mirantis Container Runtime (MCR) and Mirantis Kubernetes Engine (MKE).
//!
//! | module | holds |
//! |---|---|
//! | [`apply`] [`reset`] [`describe`] | the phases of each command, in their order |
//! | [`supported`] | what a configuration asks for that has no phase yet |
//! | [`shared`] | what every phase may look at: configuration, hosts, wishes |
//! | [`facts`] | what is known of one host, and the script that finds it out |
//! | [`cluster`] | what is known of the cluster, derived from its hosts |
//! | [`phase`] | one file for each phase |
//! | [`bootstrapper`] | the vendor's installer: detached, followed, joined again |
//! | [`api`] | MKE's HTTPS API, reached through a host |
//! | [`login`] | a session as the administrator |
//! | [`client_config`] | client bundles: from any manager that answers |
//! | [`bundle`] | their archives, in which nothing is believed |
//! | [`kubeconfig`] | kubeconfig files: named after the cluster, merged into others |
//! | [`health`] | gates between disruptive steps |
//! | [`swarm`] | commands of the swarm |
//! | [`images`] | which images a host needs |
//! | [`lock`] | the run lock on the managers |
//! | [`connect`] | host handles, and their observations as events |
//! | [`failure`] | errors of `rig` as failures |

pub mod api;
pub mod apply;
pub mod bootstrapper;
pub mod bundle;
pub mod client_config;
pub mod cluster;
pub mod connect;
pub mod describe;
mod domain;
pub mod facts;
pub mod failure;
pub mod health;
pub mod images;
pub mod kubeconfig;
pub mod lock;
pub mod login;
pub mod phase;
pub mod reset;
pub mod shared;
pub mod supported;
pub mod swarm;

pub use domain::MkeDomain;
