//! The phases of `apply` and `plan`.

use std::sync::Arc;

use phase::{Check, Closing, Manager, Observe, Phase};

use super::connect::Connecting;
use super::domain::MkeDomain;
use super::phase::authenticate_docker::AuthenticateDocker;
use super::phase::close_connection::CloseConnection;
use super::phase::configure_mcr::ConfigureMcr;
use super::phase::connect::Connect;
use super::phase::gather_facts::GatherFacts;
use super::phase::init_swarm::InitSwarm;
use super::phase::install_mcr::InstallMcr;
use super::phase::install_mke::InstallMke;
use super::phase::install_mke_certificates::InstallMkeCertificates;
use super::phase::join_managers::JoinManagers;
use super::phase::join_workers::JoinWorkers;
use super::phase::label_nodes::LabelNodes;
use super::phase::list_mke_images::ListMkeImages;
use super::phase::prepare_hosts::PrepareHosts;
use super::phase::probe_sources::ProbeSources;
use super::phase::pull_mke_images::PullMkeImages;
use super::phase::restart_mcr::RestartMcr;
use super::phase::restart_mcr_on_workers::RestartMcrOnWorkers;
use super::phase::run_hooks::{Moment, RunHooks};
use super::phase::validate_facts::ValidateFacts;
use super::phase::validate_hosts::ValidateHosts;
use super::phase::validate_mke_health::ValidateMkeHealth;

/// Returns the phases that look at hosts.
pub(super) fn observe(connecting: Connecting) -> Vec<Box<dyn Observe<MkeDomain>>> {
    vec![
        Box::new(Connect(Arc::new(connecting))),
        Box::new(GatherFacts),
    ]
}

/// Returns the phases that tidy up at the end of every run.
pub(super) fn closing() -> Vec<Box<dyn Closing<MkeDomain>>> {
    vec![Box::new(CloseConnection)]
}

/// Returns the phases of `apply`.
pub fn apply(connecting: Connecting) -> Manager<MkeDomain> {
    let mut observe = observe(connecting);
    observe.push(Box::new(ProbeSources));
    let checks: Vec<Box<dyn Check<MkeDomain>>> =
        vec![Box::new(ValidateFacts), Box::new(ValidateHosts)];
    Manager {
        observe,
        checks,
        list: vec![
            Phase::host(RunHooks(Moment::BeforeApply)),
            Phase::host(PrepareHosts),
            Phase::host(ConfigureMcr),
            Phase::host(InstallMcr),
            Phase::meeting(RestartMcr),
            Phase::host(RestartMcrOnWorkers),
            Phase::host(AuthenticateDocker),
            Phase::meeting(ListMkeImages),
            Phase::host(PullMkeImages),
            Phase::meeting(InitSwarm),
            Phase::meeting(InstallMkeCertificates),
            Phase::meeting(InstallMke),
            Phase::meeting(JoinManagers),
            Phase::host(JoinWorkers),
            Phase::meeting(ValidateMkeHealth),
            Phase::host(LabelNodes),
            Phase::host(RunHooks(Moment::AfterApply)),
        ],
        closing: closing(),
    }
}
