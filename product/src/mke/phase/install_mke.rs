//! Installs MKE with the vendor's bootstrapper, on the leader.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use phase::{
    Assembly, Context, Disruption, Failure, HostId, Look, Meeting, Patience, Plan, Step, wait_until,
};
use rig::command::{Command, Effect};
use secrecy::SecretString;
use serde::Serialize;

use crate::mke::bootstrapper::{self, Found, Operation};
use crate::mke::cluster::{Cluster, Mke};
use crate::mke::domain::MkeDomain;
use crate::mke::failure::{explain, explain_action};
use crate::mke::phase::gather_facts::gather;
use crate::mke::phase::restart_mcr::take_over;
use crate::mke::phase::uninstall_mke::dissolve;
use crate::mke::shared::Shared;

/// How long the installer may take.
const INSTALL: Duration = Duration::from_secs(60 * 60);
/// How long the proxy may take to appear once the installer has ended.
const SETTLE: Duration = Duration::from_secs(300);
/// The swarm config by which a configuration reaches the installer.
const CONFIG_NAME: &str = "com.docker.ucp.config";

/// $1 name; the content comes on stdin.
const CREATE_CONFIG: &str = r#"
docker config rm "$1" >/dev/null 2>&1 || true
docker config create "$1" - >/dev/null
"#;

/// Installs MKE.
pub struct InstallMke;

/// Install MKE, or join the install that is under way.
#[derive(Debug, Serialize)]
pub struct Install {
    /// The version.
    pub version: String,
    /// The image of the bootstrapper.
    pub image: String,
    /// The flags, without secrets.
    pub flags: Vec<String>,
    /// Whether it is under way already.
    pub is_under_way: bool,
}

impl fmt::Display for Install {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_under_way {
            write!(
                f,
                "join the install of MKE {} that is under way",
                self.version
            )
        } else {
            write!(f, "install MKE {}", self.version)
        }
    }
}

/// Returns the operation, without starting it; pure.
pub fn operation(shared: &Shared) -> Operation {
    let mke = &shared.config.mke;
    let mut flags = shared.install_flags();
    if shared.wishes.debug && !mke.install_flags.has("--debug") {
        flags.push("--debug".to_owned());
    }
    if mke.config_data.is_some() && !mke.install_flags.has("--existing-config") {
        flags.push("--existing-config".to_owned());
    }
    if mke.certificates.is_some() && !mke.install_flags.has("--external-server-cert") {
        flags.push("--external-server-cert".to_owned());
    }
    if mke.has_custom_repo() && !mke.install_flags.has("--pull") {
        flags.push("--pull never".to_owned());
    }
    let mut secrets = Vec::new();
    if let Some(username) = &mke.admin_username {
        secrets.push(("UCP_ADMIN_USER", SecretString::from(username.clone())));
    }
    if let Some(password) = &mke.admin_password {
        secrets.push(("UCP_ADMIN_PASSWORD", password.clone()));
    }
    Operation {
        name: "install",
        image: mke.bootstrap_image(),
        version: mke.version.to_string(),
        flags,
        secrets,
        license: mke.license.clone(),
        deadline: INSTALL,
    }
}

#[async_trait]
impl Meeting<MkeDomain> for InstallMke {
    type Change = Install;

    fn id(&self) -> &'static str {
        "install-mke"
    }

    fn title(&self) -> &'static str {
        "Install MKE components"
    }

    fn invites(&self, _: &Shared, cluster: &Cluster) -> Vec<HostId> {
        cluster.leader.into_iter().collect()
    }

    fn plan(&self, assembly: &Assembly<MkeDomain>) -> Plan<Install> {
        let Some((&leader, facts)) = assembly.hosts.first_key_value() else {
            return Plan::skip("there is no manager");
        };
        let operation = operation(&assembly.shared);
        let is_under_way = bootstrapper::judge(&operation, facts.bootstrap.as_ref()) == Found::Same;
        if !is_under_way {
            match &assembly.cluster.mke {
                Mke::Absent => {}
                Mke::Installed(version) => {
                    return Plan::skip(format!("MKE {version} is already installed"));
                }
                // Both are refused by the validation, before anything is changed.
                Mke::Unknown => return Plan::skip("the managers cannot say whether MKE is there"),
                Mke::Partial => return Plan::skip("parts of MKE are there"),
            }
        }
        let change = Install {
            version: operation.version,
            image: operation.image,
            flags: operation.flags,
            is_under_way,
        };
        let why = if is_under_way {
            "the installer of an earlier run is there"
        } else {
            "MKE is not installed"
        };
        Plan::step(leader, change, why, Disruption::Live)
    }

    fn predict(&self, step: &Step<&Install>, assembly: &mut Assembly<MkeDomain>) {
        assembly.cluster.mke = Mke::Installed(step.change.version.clone());
        assembly.cluster.is_disturbed = true;
        if let Some(facts) = assembly.hosts.get_mut(&step.host) {
            facts.mke.proxy_version = Some(step.change.version.clone());
            facts.bootstrap = None;
        }
    }

    async fn run(
        &self,
        cx: &Context<MkeDomain>,
        step: &Step<&Install>,
        assembly: &mut Assembly<MkeDomain>,
    ) -> Result<(), Failure> {
        let host = cx.shared.host(step.host)?;
        let operation = operation(&cx.shared);
        let config = cx.shared.config.mke.config_data.clone();
        assembly.cluster.is_disturbed = true;
        if let Some(data) = config.clone().filter(|_| !step.change.is_under_way) {
            let command = Command::script(CREATE_CONFIG, Effect::Change)
                .arg(CONFIG_NAME)
                .secret_stdin(data)
                .title("docker config create")
                .timeout(Duration::from_secs(60))
                .docker();
            host.run(command)
                .await
                .map_err(|error| explain("cannot hand the configuration to MKE", &error))?;
        }
        let facts = assembly
            .hosts
            .get_mut(&step.host)
            .ok_or_else(|| Failure::new("the leader is not at the meeting"))?;
        // Before the installer, as every record: afterwards nobody would write it any more.
        facts.owned.mke_install_flags = Some(cx.shared.install_flags_digest());
        let record = facts.owned.record();
        configurer::carry_out(host, &[record])
            .await
            .map_err(|error| explain_action(&error))?;
        let result = bootstrapper::run(cx, step.host, &operation, facts).await;
        let is_over = facts.bootstrap.is_none();
        if config.is_some() && is_over {
            let command = Command::change("docker")
                .args(["config", "rm", CONFIG_NAME])
                .timeout(Duration::from_secs(60))
                .docker();
            if let Err(error) = host.run(command).await {
                let warning = format!("the swarm config `{CONFIG_NAME}` is still there: {error}");
                cx.warn(Some(step.host), warning, None);
            }
        }
        result?;
        settle(cx, step, assembly).await
    }

    async fn clean_up(
        &self,
        cx: &Context<MkeDomain>,
        step: &Step<&Install>,
        assembly: &mut Assembly<MkeDomain>,
    ) -> Result<bool, Failure> {
        let left = assembly
            .hosts
            .get(&step.host)
            .is_some_and(|facts| facts.bootstrap.is_some());
        // An installer that is still running is not ours to tidy up after; nor is anything of it
        // where it did not fail itself (`settle` timed out): it may be well a moment later.
        if left || assembly.cluster.mke != Mke::Absent || assembly.cluster.is_installer_done {
            return Ok(false);
        }
        // Not the containers alone: volumes and configs of a half-made cluster keep the next install
        // from beginning. When this one began, nothing of MKE was there.
        dissolve(cx, step.host, assembly).await.map(|()| true)
    }
}

/// Waits until the leader runs MKE's proxy in the wanted version, and takes its facts over.
async fn settle(
    cx: &Context<MkeDomain>,
    step: &Step<&Install>,
    assembly: &mut Assembly<MkeDomain>,
) -> Result<(), Failure> {
    assembly.cluster.is_installer_done = true;
    let wanted = &step.change.version;
    let what = format!("MKE {wanted} running on the leader");
    let seen = wait_until(&what, Patience::until(SETTLE), || async {
        let facts = gather(cx, step.host).await?;
        Ok(match &facts.mke.proxy_version {
            Some(version) if version == wanted && !facts.mke.services.is_empty() => {
                Look::Done(facts)
            }
            Some(version) => Look::NotYet(format!("version {version}")),
            None => Look::NotYet("no container ucp-proxy".to_owned()),
        })
    })
    .await?;
    assembly.cluster.mke = Mke::Installed(wanted.clone());
    assembly.cluster.nodes = seen.nodes.clone();
    if let Some(facts) = assembly.hosts.get_mut(&step.host) {
        take_over(facts, seen);
    }
    Ok(())
}
