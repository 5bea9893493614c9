//! The phases of the product, one file each, named by their id.

pub mod authenticate_docker;
pub mod clean_up_hosts;
pub mod close_connection;
pub mod configure_mcr;
pub mod connect;
pub mod gather_facts;
pub mod init_swarm;
pub mod install_mcr;
pub mod install_mke;
pub mod install_mke_certificates;
pub mod join_managers;
pub mod join_workers;
pub mod label_nodes;
pub mod leave_swarm;
pub mod list_mke_images;
pub mod prepare_hosts;
pub mod probe_sources;
pub mod pull_mke_images;
pub mod restart_mcr;
pub mod restart_mcr_on_workers;
pub mod run_hooks;
pub mod uninstall_mcr;
pub mod uninstall_mke;
pub mod validate_facts;
pub mod validate_hosts;
pub mod validate_mke_health;
