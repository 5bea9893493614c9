//! Looks whether a host that has something to install reaches the places it comes from, before
//! anything is changed anywhere.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use configurer::repository;
use phase::{Context, Failure, HostId, Observe};
use rig::command::{Command, Effect};
use secrecy::SecretString;

use crate::mke::domain::MkeDomain;
use crate::mke::facts::{EngineState, Facts};
use crate::mke::failure::explain;
use crate::mke::shared::Shared;

/// $1.. URLs. Prints `<url> <status> <what curl said>` for each; nothing where there is no curl.
///
/// All at the same time, each with its own limit.
const PROBE: &str = r#"
command -v curl >/dev/null || exit 0
probe() {
  curl -sSL -o /dev/null --connect-timeout 8 -m 20 -w '%{http_code}' "$@" 2>&1
}
for url in "$@"; do
  (
    said=$(probe "$url")
    status=$?
    # A certificate that only the engine is told to trust: curl has to be told, too.
    place=${url#https://}
    for ca in /etc/docker/certs.d/"${place%%/*}"/*.crt; do
      # 35 where a trusted CA has the same name and another key.
      case $status in 35 | 60) ;; *) continue ;; esac
      [ -e "$ca" ] || continue
      said=$(probe --cacert "$ca" "$url")
      status=$?
    done
    printf '%s %s %s\n' "$url" "$status" "$(printf '%s' "$said" | tr '\n' ' ')"
  ) &
done
wait
"#;

/// Probes repositories and registries.
pub struct ProbeSources;

/// Returns what a host has to reach: URLs, each with the name by which a complaint speaks of it.
fn sources(shared: &Shared, id: HostId, facts: &Facts) -> BTreeMap<String, String> {
    let mut sources = BTreeMap::new();
    if facts.engine.state == EngineState::Absent
        && let Ok(selection) = shared.selection(facts)
    {
        let mcr = &shared.config.mcr;
        let repository = repository::repository(&selection, &mcr.repo_url, &mcr.channel);
        sources.insert(repository.probe_url.clone(), repository.probe_url);
    }
    let mke = &shared.config.mke;
    let pulls = !facts.swarm.is_member() && (shared.is_manager(id) || mke.has_custom_repo());
    // An engine that is told to use a mirror or a proxy of its own goes another way than curl.
    let goes_another_way = ["registry-mirrors", "proxies", "insecure-registries"]
        .iter()
        .any(|key| shared.host_config(id).mcr_config.contains_key(*key));
    if pulls && !goes_another_way {
        let registry = registry_of(&mke.image_repo);
        sources.insert(format!("https://{registry}/v2/"), registry);
    }
    sources
}

/// Returns the host of the registry that holds a repository, by the rules of image references.
fn registry_of(repository: &str) -> String {
    let first = repository.split('/').next().unwrap_or_default();
    match first {
        "docker.io" | "index.docker.io" => "registry-1.docker.io".to_owned(),
        host if host.contains(['.', ':']) || host == "localhost" => host.to_owned(),
        _ => "registry-1.docker.io".to_owned(),
    }
}

#[async_trait]
impl Observe<MkeDomain> for ProbeSources {
    fn id(&self) -> &'static str {
        "probe-sources"
    }

    fn title(&self) -> &'static str {
        "Probe Repositories and Registries"
    }

    fn is_needed(&self, shared: &Shared, id: HostId, facts: &Facts) -> bool {
        !sources(shared, id, facts).is_empty()
    }

    async fn observe(
        &self,
        cx: &Context<MkeDomain>,
        id: HostId,
        facts: &mut Facts,
    ) -> Result<(), Failure> {
        let sources = sources(&cx.shared, id, facts);
        let mut command = Command::script(PROBE, Effect::Read)
            .args(sources.keys().cloned())
            .title("probe repositories and registries")
            .timeout(Duration::from_secs(60))
            .sensitive_output();
        for (name, value) in cx.shared.environment(id) {
            if name.to_ascii_lowercase().ends_with("_proxy") {
                // curl knows http_proxy in lower case only.
                command = command
                    .secret_env(name.to_ascii_lowercase(), SecretString::from(value.clone()))
                    .secret_env(name, SecretString::from(value));
            }
        }
        let output = cx
            .shared
            .host(id)?
            .run(command)
            .await
            .map_err(|error| explain("cannot probe repositories and registries", &error))?;
        for line in output.stdout_text().lines() {
            let mut words = line.splitn(3, ' ');
            let (Some(url), Some(status)) = (words.next(), words.next()) else {
                continue;
            };
            let said = words.next().unwrap_or_default().trim();
            if let (Some(name), Some(trouble)) = (sources.get(url), trouble(status, said)) {
                facts.unreachable_sources.insert(name.clone(), trouble);
            }
        }
        Ok(())
    }
}

/// Returns what is wrong with an answer; a registry that wants a login is well.
fn trouble(status: &str, said: &str) -> Option<String> {
    if status != "0" {
        let said = said.trim_end_matches("000").trim();
        return Some(if said.is_empty() {
            format!("curl status {status}")
        } else {
            said.to_owned()
        });
    }
    match said {
        "200" | "204" | "401" | "403" => None,
        code => Some(format!("HTTP status {code}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_of_a_repository() {
        assert_eq!(registry_of("docker.io/mirantis"), "registry-1.docker.io");
        assert_eq!(registry_of("mirantis"), "registry-1.docker.io");
        assert_eq!(registry_of("registry.lab:5000/a/b"), "registry.lab:5000");
    }

    #[test]
    fn a_registry_that_wants_a_login_is_reached() {
        assert_eq!(trouble("0", "401"), None);
        assert_eq!(trouble("0", "503"), Some("HTTP status 503".to_owned()));
        assert_eq!(
            trouble("6", "curl: (6) Could not resolve host: x 000"),
            Some("curl: (6) Could not resolve host: x".to_owned())
        );
    }
}
