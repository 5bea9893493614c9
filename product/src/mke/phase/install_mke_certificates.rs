//! Puts the user's server certificate where MKE's controllers look for it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use phase::{Context, Disruption, Failure, HostId, HostPhase, HostView, Plan};
use rig::command::{Command, Effect};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::mke::cluster::Cluster;
use crate::mke::domain::MkeDomain;
use crate::mke::facts::Facts;
use crate::mke::failure::explain;
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

#[async_trait]
impl HostPhase<MkeDomain> for InstallMkeCertificates {
    type Change = WriteCertificates;

    fn id(&self) -> &'static str {
        "install-mke-certificates"
    }

    fn title(&self) -> &'static str {
        "Install MKE certificates"
    }

    fn plan(&self, view: &HostView<'_, MkeDomain>) -> Plan<WriteCertificates> {
        if !view.shared.is_manager(view.host) {
            return Plan::skip("only managers serve MKE");
        }
        let Some(wanted) = wanted(view.shared) else {
            return Plan::skip("no server certificate is configured");
        };
        let files: BTreeMap<String, String> = wanted
            .iter()
            .map(|(name, text)| ((*name).to_owned(), hash(text)))
            .filter(|(name, hash)| view.facts.certificates.get(name) != Some(hash))
            .collect();
        if files.is_empty() {
            return Plan::skip("the server certificate is in its place");
        }
        let change = WriteCertificates { files };
        Plan::step(
            view.host,
            change,
            "the server certificate differs",
            Disruption::Live,
        )
    }

    fn predict(&self, _: &HostView<'_, MkeDomain>, change: &WriteCertificates, facts: &mut Facts) {
        facts.certificates.extend(change.files.clone());
    }

    async fn run(
        &self,
        cx: &Context<MkeDomain>,
        _cluster: &Cluster,
        id: HostId,
        change: &WriteCertificates,
        facts: &mut Facts,
    ) -> Result<(), Failure> {
        let host = cx.shared.host(id)?;
        for (name, text) in wanted(&cx.shared).unwrap_or_default() {
            if !change.files.contains_key(name) {
                continue;
            }
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
            let seen = text.split_whitespace().next().unwrap_or_default();
            facts.certificates.insert(name.to_owned(), seen.to_owned());
        }
        Ok(())
    }
}
