//! Commands of the swarm, and what their answers mean.

use std::time::Duration;

use phase::{Context, Failure, HostId};
use rig::Host;
use rig::command::{Command, Effect};
use secrecy::{ExposeSecret, SecretString};

use super::domain::MkeDomain;
use super::facts::Facts;
use super::failure::{explain, explain_or};
use super::shared::JoinTokens;

/// How long a node may take to join; a manager waits for the raft.
const JOIN: Duration = Duration::from_secs(120);

/// Label of the nodes that launchpad takes care of.
pub const LABEL_MANAGED: &str = "com.mirantis.launchpad.managed";
/// Label by which MKE learns the names of its certificates; managers only.
pub const LABEL_SANS: &str = "com.docker.ucp.SANs";

/// Prints both join tokens, managers' first.
const TOKENS: &str = r#"
set -e
docker swarm join-token -q manager
docker swarm join-token -q worker
"#;

/// Joins a swarm: the request comes on stdin, so that the token is in no process list. The
/// engine's client takes it only as an argument.
const JOIN_SCRIPT: &str = r#"
answer=$(curl -sS --max-time 110 --unix-socket /var/run/docker.sock \
  -H 'Content-Type: application/json' -w ' %{http_code}' --data-binary @- \
  http://localhost/swarm/join) || exit 1
case $answer in
  *' 200') ;;
  *) printf 'the engine refused: %s\n' "$answer" >&2; exit 1 ;;
esac
"#;

/// Prints state, node id and cluster id of the local node.
const STATE: &str = r#"
docker info --format '{{.Swarm.LocalNodeState}} {{.Swarm.NodeID}} {{if .Swarm.Cluster}}{{.Swarm.Cluster.ID}}{{end}} {{.Swarm.ControlAvailable}}'
"#;

/// Reads the join tokens from the leader, once a run.
///
/// # Errors
///
/// Fails where the leader does not hand them out.
pub async fn join_tokens(cx: &Context<MkeDomain>, leader: HostId) -> Result<&JoinTokens, Failure> {
    let host = cx.shared.host(leader)?;
    cx.shared
        .tokens
        .get_or_try_init(|| async {
            let command = Command::script(TOKENS, Effect::Read)
                .title("read the join tokens")
                .timeout(Duration::from_secs(60))
                .sensitive_output()
                .docker();
            let output = host
                .run(command)
                .await
                .map_err(|error| explain("cannot read the join tokens of the swarm", &error))?;
            let text = output.stdout_text();
            let mut lines = text
                .lines()
                .map(str::trim)
                .filter(|line| line.starts_with("SWMTKN-"));
            match (lines.next(), lines.next()) {
                (Some(manager), Some(worker)) => {
                    let tokens = JoinTokens {
                        manager: SecretString::from(manager.to_owned()),
                        worker: SecretString::from(worker.to_owned()),
                    };
                    host.redact(&tokens.manager);
                    host.redact(&tokens.worker);
                    Ok(tokens)
                }
                _ => Err(Failure::new("the leader printed no join tokens")),
            }
        })
        .await
}

/// Joins a host to the swarm and reads back what it has become.
///
/// # Errors
///
/// Fails where the engine refuses or the leader does not answer.
pub async fn join(
    host: &Host,
    token: &SecretString,
    advertise: &str,
    leader: &str,
    facts: &mut Facts,
) -> Result<(), Failure> {
    let request = serde_json::json!({
        "ListenAddr": "0.0.0.0:2377",
        "AdvertiseAddr": advertise,
        "RemoteAddrs": [leader],
        "JoinToken": token.expose_secret(),
    });
    let command = Command::script(JOIN_SCRIPT, Effect::Change)
        .secret_stdin(SecretString::from(request.to_string()))
        .title("join the swarm")
        .timeout(JOIN)
        .docker();
    host.run(command).await.map_err(|error| {
        let otherwise = format!(
            "check that `{leader}` can be reached from this host, and that port 2377 is open"
        );
        explain_or("cannot join the swarm", &error, otherwise)
    })?;
    read_membership(host, facts).await
}

/// Reads the membership of the local node into its facts.
///
/// # Errors
///
/// Fails where the engine does not answer.
pub async fn read_membership(host: &Host, facts: &mut Facts) -> Result<(), Failure> {
    let command = Command::script(STATE, Effect::Read)
        .title("read the swarm membership")
        .timeout(Duration::from_secs(60))
        .docker();
    let output = host
        .run(command)
        .await
        .map_err(|error| explain("cannot read the swarm membership", &error))?;
    let text = output.stdout_text();
    let words: Vec<&str> = text.trim().split(' ').collect();
    let known = |index: usize| {
        words
            .get(index)
            .filter(|word| !word.is_empty())
            .map(|word| phase::Known::Is((*word).to_owned()))
    };
    facts.swarm.state = words.first().copied().unwrap_or_default().to_owned();
    facts.swarm.node_id = known(1);
    facts.swarm.cluster_id = known(2);
    facts.swarm.is_manager = words.get(3) == Some(&"true");
    Ok(())
}
