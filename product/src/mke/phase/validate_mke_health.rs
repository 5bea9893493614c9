//! Makes sure that MKE answers on every manager, verified with the CA of the cluster.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use phase::{
    Assembly, Context, Disruption, Failure, HostId, Look, Meeting, Patience, Plan, Step, wait_until,
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use crate::mke::api::Api;
use crate::mke::bootstrapper;
use crate::mke::cluster::{Cluster, Mke};
use crate::mke::domain::MkeDomain;
use crate::mke::login::{Credentials, LoginError, log_in};
use crate::mke::phase::pull_mke_images::pull;
use crate::mke::shared::Shared;

/// How long every manager may take to answer.
const ANSWER: Duration = Duration::from_secs(600);
/// How long the bootstrapper's own image may take to come.
const PULL: Duration = Duration::from_secs(30 * 60);
/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(10);

/// Validates the health of MKE.
pub struct ValidateMkeHealth;

/// Wait until MKE answers on every manager.
#[derive(Debug, Serialize)]
pub struct WaitForMke {
    /// How many rounds `nodesHealthRetry` asks for; 0 leaves the nodes out.
    pub node_rounds: u32,
}

impl fmt::Display for WaitForMke {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("wait until MKE answers on every manager")
    }
}

#[async_trait]
impl Meeting<MkeDomain> for ValidateMkeHealth {
    type Change = WaitForMke;

    fn id(&self) -> &'static str {
        "validate-mke-health"
    }

    fn title(&self) -> &'static str {
        "Validating MKE Health"
    }

    fn invites(&self, shared: &Shared, _: &Cluster) -> Vec<HostId> {
        shared.managers()
    }

    fn plan(&self, assembly: &Assembly<MkeDomain>) -> Plan<WaitForMke> {
        let cluster = &assembly.cluster;
        let (Mke::Installed(_), Some(leader)) = (&cluster.mke, cluster.leader) else {
            return Plan::skip("MKE is not installed");
        };
        let all_answer = assembly
            .hosts
            .values()
            .all(|facts| facts.mke.ping == Some(200));
        if all_answer && !cluster.is_disturbed {
            return Plan::skip("MKE answered on every manager when the facts were gathered");
        }
        let change = WaitForMke {
            node_rounds: assembly.shared.config.mke.nodes_health_retry,
        };
        let why = if cluster.is_disturbed {
            "the run has changed something"
        } else {
            "not every manager answered when the facts were gathered"
        };
        Plan::step(leader, change, why, Disruption::None)
    }

    fn predict(&self, _: &Step<&WaitForMke>, assembly: &mut Assembly<MkeDomain>) {
        for facts in assembly.hosts.values_mut() {
            facts.mke.ping = Some(200);
        }
    }

    async fn run(
        &self,
        cx: &Context<MkeDomain>,
        step: &Step<&WaitForMke>,
        assembly: &mut Assembly<MkeDomain>,
    ) -> Result<(), Failure> {
        let ca = cluster_ca(cx, step.host, assembly).await?;
        let api = client(cx, assembly, &ca)?;
        let managers: Vec<HostId> = assembly.hosts.keys().copied().collect();
        wait_until(
            "MKE answering on every manager",
            Patience::until(ANSWER),
            || async {
                Ok(match ping_all(cx, &api, &managers).await? {
                    None => Look::Done(()),
                    Some(trouble) => Look::NotYet(trouble),
                })
            },
        )
        .await
        .map_err(|failure| {
            failure.hint("see `docker ps -a` and `docker logs ucp-controller` on that manager")
        })?;
        for facts in assembly.hosts.values_mut() {
            facts.mke.ping = Some(200);
        }
        if step.change.node_rounds > 0 {
            nodes_ready(cx, step, &api).await?;
        }
        Ok(())
    }
}

/// Returns the CA that MKE's certificates are to be verified with: that of the cluster, and the
/// user's own where there is one.
///
/// # Errors
///
/// Fails where the bootstrapper does not print it.
pub async fn cluster_ca(
    cx: &Context<MkeDomain>,
    leader: HostId,
    assembly: &Assembly<MkeDomain>,
) -> Result<String, Failure> {
    let ca = cx
        .shared
        .cluster_ca
        .get_or_try_init(|| dump_ca(cx, leader, assembly))
        .await?;
    let own = cx.shared.config.mke.certificates.as_ref();
    Ok(match own {
        Some(own) => format!("{ca}\n{}", own.ca.expose_secret()),
        None => ca.clone(),
    })
}

/// Asks the bootstrapper for the CA: the leader, then every other manager, as the image is only
/// where somebody has pulled it. It is pulled to the leader where nobody has it.
async fn dump_ca(
    cx: &Context<MkeDomain>,
    leader: HostId,
    assembly: &Assembly<MkeDomain>,
) -> Result<String, Failure> {
    let image = cx.shared.config.mke.bootstrap_image();
    let others = assembly.hosts.keys().copied().filter(|id| *id != leader);
    let mut managers: Vec<HostId> = std::iter::once(leader).chain(others).collect();
    managers.push(leader);
    let last = managers.len() - 1;
    for (index, id) in managers.into_iter().enumerate() {
        let host = cx.shared.host(id)?;
        let facts = assembly.hosts.get(&id);
        if index == last {
            let logged_in = facts.is_some_and(|facts| facts.logged_in);
            pull(
                &cx.shared,
                host,
                logged_in,
                std::slice::from_ref(&image),
                PULL,
            )
            .await?;
        }
        let selinux = facts.is_some_and(|facts| facts.selinux_enforcing);
        let answer = bootstrapper::ask(host, &image, selinux, &["dump-certs", "--ca"]).await?;
        if let Some(text) = answer {
            return match text.find("-----BEGIN CERTIFICATE-----") {
                Some(start) => Ok(text[start..].to_owned()),
                None => Err(Failure::new("the bootstrapper printed no CA certificate")),
            };
        }
    }
    Err(Failure::new("no manager has the image of the bootstrapper"))
}

/// Returns a client that accepts every name of the cluster's managers.
fn client(
    cx: &Context<MkeDomain>,
    assembly: &Assembly<MkeDomain>,
    ca: &str,
) -> Result<Api, Failure> {
    let mut names = cx.shared.sans();
    for (&id, facts) in &assembly.hosts {
        names.push(cx.shared.host_config(id).address().to_owned());
        names.push(facts.internal_address.clone());
        names.push(facts.hostname.clone());
    }
    Api::try_new(ca, &names, cx.shared.config.mke.controller_port())
        .map_err(|error| Failure::new("cannot talk to MKE").caused_by(&error))
}

/// Asks every manager once; returns what is wrong with the first that is not well.
async fn ping_all(
    cx: &Context<MkeDomain>,
    api: &Api,
    managers: &[HostId],
) -> Result<Option<String>, Failure> {
    let answers = futures_util::future::join_all(managers.iter().map(|&id| async move {
        let host = cx.shared.host(id)?;
        Ok::<_, Failure>(api.get(host, "/_ping", None, REQUEST).await)
    }))
    .await;
    for (id, answer) in managers.iter().zip(answers) {
        let trouble = match answer? {
            Ok(answer) if answer.status.as_u16() == 200 => continue,
            Ok(answer) => format!("status {}", answer.status.as_u16()),
            Err(error) => chain(&error),
        };
        return Ok(Some(format!("{}: {trouble}", cx.roster.name(*id))));
    }
    Ok(None)
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ApiNode {
    description: Option<Description>,
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
    hostname: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Status {
    state: Option<String>,
}

/// Waits until MKE itself calls every node ready (`nodesHealthRetry`).
///
/// Each round stands for 10 s, with a first look at once and frequent ones after it.
async fn nodes_ready(
    cx: &Context<MkeDomain>,
    step: &Step<&WaitForMke>,
    api: &Api,
) -> Result<(), Failure> {
    let host = cx.shared.host(step.host)?;
    let refused = |error: LoginError| {
        let failure = Failure::new("cannot ask MKE for its nodes (`nodesHealthRetry`)");
        let failure = failure.caused_by(&error);
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    };
    let credentials = Credentials::of(&cx.shared.config.mke).map_err(refused)?;
    let rounds = step.change.node_rounds;
    let deadline = (Duration::from_secs(10) * rounds).max(Duration::from_secs(30));
    wait_until(
        "every node being ready",
        Patience::until(deadline),
        || async {
            let token = match log_in(api, host, credentials, REQUEST).await {
                Ok(token) => token,
                Err(error) if error.is_final() => return Err(refused(error)),
                Err(error) => return Ok(Look::NotYet(chain(&error))),
            };
            let nodes = match api
                .get(host, "/nodes", Some(token.expose_secret()), REQUEST * 3)
                .await
            {
                Ok(answer) => serde_json::from_slice::<Vec<ApiNode>>(&answer.body).ok(),
                Err(error) => return Ok(Look::NotYet(chain(&error))),
            };
            Ok(match nodes.map(|nodes| not_ready(&nodes)) {
                None => Look::NotYet("the list of nodes cannot be read".to_owned()),
                Some(None) => Look::Done(()),
                Some(Some(trouble)) => Look::NotYet(trouble),
            })
        },
    )
    .await
}

fn not_ready(nodes: &[ApiNode]) -> Option<String> {
    nodes.iter().find_map(|node| {
        let state = node
            .status
            .as_ref()
            .and_then(|status| status.state.as_deref());
        let name = node
            .description
            .as_ref()
            .and_then(|about| about.hostname.as_deref());
        (state != Some("ready"))
            .then(|| format!("{} is {}", name.unwrap_or("?"), state.unwrap_or("unknown")))
    })
}
