//! Puts the user's server certificate where MKE's controllers look for it. Where MKE runs already
//! it reads the new one, one manager after the other.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use phase::{Assembly, Context, Disruption, Failure, HostId, Meeting, Plan, Step};
use rig::Host;
use rig::command::{Command, Effect};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::mke::cluster::{Cluster, Mke};
use crate::mke::domain::MkeDomain;
use crate::mke::facts::Facts;
use crate::mke::failure::explain;
use crate::mke::health;
use crate::mke::shared::Shared;

/// Makes the volume if it is not there and writes one of its files atomically; the content comes
/// on stdin. $1 name of the file. Prints its hash as it is on the disk.
const WRITE: &str = r#"
set -eu
umask 077
name=$1
docker volume inspect ucp-controller-server-certs >/dev/null 2>&1 ||
  docker volume create ucp-controller-server-certs >/dev/null
dir=$(docker volume inspect ucp-controller-server-certs --format '{{.Mountpoint}}')
temporary="$dir/.$name.$$"
trap 'rm -f "$temporary"' EXIT HUP INT TERM
cat > "$temporary"
chmod 0600 "$temporary"
mv "$temporary" "$dir/$name"
trap - EXIT
sha256sum < "$dir/$name"
"#;

/// Writes the server certificate.
pub struct InstallMkeCertificates;

/// Write the server certificate.
#[derive(Debug, Serialize)]
pub struct WriteCertificates {
    /// The files that are missing or differ, with their hashes.
    pub files: BTreeMap<String, String>,
}

impl fmt::Display for WriteCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.files.keys().map(String::as_str).collect();
        write!(f, "write the server certificate ({})", names.join(", "))
    }
}

fn hash(text: &SecretString) -> String {
    let digest = Sha256::digest(text.expose_secret().as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the three files, where all of them are given.
fn wanted(shared: &Shared) -> Option<BTreeMap<&'static str, SecretString>> {
    let certificates = shared.config.mke.certificates.as_ref()?;
    Some(BTreeMap::from([
        ("ca.pem", certificates.ca.clone()),
        ("cert.pem", certificates.cert.clone()),
        ("key.pem", certificates.key.clone()),
    ]))
}

/// Lets MKE read its certificate again.
const RELOAD: &str = "exec docker restart ucp-controller >/dev/null\n";

/// Returns the files of a manager that are missing or differ, with the hashes they shall have.
fn missing(shared: &Shared, facts: &Facts) -> BTreeMap<String, String> {
    wanted(shared)
        .unwrap_or_default()
        .iter()
        .map(|(name, text)| ((*name).to_owned(), hash(text)))
        .filter(|(name, hash)| facts.certificates.get(name) != Some(hash))
        .collect()
}

#[async_trait]
impl Meeting<MkeDomain> for InstallMkeCertificates {
    type Change = WriteCertificates;

    fn id(&self) -> &'static str {
        "install-mke-certificates"
    }

    fn title(&self) -> &'static str {
        "Install MKE certificates"
    }

    fn invites(&self, shared: &Shared, _: &Cluster) -> Vec<HostId> {
        shared.managers()
    }

    fn plan(&self, assembly: &Assembly<MkeDomain>) -> Plan<WriteCertificates> {
        if wanted(&assembly.shared).is_none() {
            return Plan::skip("no server certificate is configured");
        }
        let runs = matches!(assembly.cluster.mke, Mke::Installed(_));
        let mut steps: Vec<Step<WriteCertificates>> = assembly
            .hosts
            .iter()
            .map(|(&host, facts)| (host, missing(&assembly.shared, facts)))
            .filter(|(_, files)| !files.is_empty())
            .map(|(host, files)| Step {
                host,
                change: WriteCertificates { files },
                why: "the server certificate differs".to_owned(),
                disruption: if runs {
                    Disruption::Restart
                } else {
                    Disruption::Live
                },
            })
            .collect();
        steps.sort_by_key(|step| Some(step.host) == assembly.cluster.leader);
        Plan::steps_or_skip(steps, "the server certificate is in its place")
    }

    fn predict(&self, step: &Step<&WriteCertificates>, assembly: &mut Assembly<MkeDomain>) {
        assembly.cluster.is_disturbed = true;
        if let Some(facts) = assembly.hosts.get_mut(&step.host) {
            facts.certificates.extend(step.change.files.clone());
        }
    }

    async fn run(
        &self,
        cx: &Context<MkeDomain>,
        step: &Step<&WriteCertificates>,
        assembly: &mut Assembly<MkeDomain>,
    ) -> Result<(), Failure> {
        assembly.cluster.is_disturbed = true;
        let host = cx.shared.host(step.host)?;
        for (name, text) in wanted(&cx.shared).unwrap_or_default() {
            if !step.change.files.contains_key(name) {
                continue;
            }
            let seen = write(host, name, text).await?;
            if let Some(facts) = assembly.hosts.get_mut(&step.host) {
                facts.certificates.insert(name.to_owned(), seen);
            }
        }
        let serves = assembly.hosts.get(&step.host).is_some_and(|facts| {
            facts
                .mke
                .containers
                .iter()
                .any(|name| name == "ucp-controller")
        });
        if !serves {
            return Ok(());
        }
        let command = Command::script(RELOAD, Effect::Change)
            .title("let MKE read its certificate again")
            .timeout(Duration::from_secs(180))
            .docker();
        host.run(command)
            .await
            .map_err(|error| explain("MKE cannot be restarted with its new certificate", &error))?;
        health::gate(cx, step.host, assembly).await
    }
}

/// Writes one file; returns its hash as it is on the disk.
async fn write(host: &Host, name: &str, text: SecretString) -> Result<String, Failure> {
    let command = Command::script(WRITE, Effect::Change)
        .arg(name)
        .secret_stdin(text)
        .title(format!("write {name} of the server certificate"))
        .timeout(Duration::from_secs(60))
        .elevated();
    let output = host
        .run(command)
        .await
        .map_err(|error| explain("cannot write the server certificate", &error))?;
    let text = output.stdout_text();
    Ok(text
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned())
}
