//! Health gates: several good answers in a row from every manager.
//!
//! Restarting one manager disturbs the others too while the raft elects a leader (two managers
//! down together for 10 s were seen in a health-gated rolling restart), so that a gate asks all of
//! them, and more than once.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use phase::{Assembly, Context, Failure, HostId, Look, Patience, wait_until};
use rig::command::{Command, Effect};

use super::cluster::Mke;
use super::domain::MkeDomain;

/// How many rounds in which every manager is well make a gate pass.
const GOOD_ROUNDS: u32 = 3;

/// Prints `well`, or what is wrong. $1 port of the controller, or nothing without MKE.
const PROBE: &str = r#"
timeout 10 docker node ls -q >/dev/null 2>&1 || { echo "the swarm does not answer"; exit 0; }
[ -n "$1" ] || { echo well; exit 0; }
code=$(curl -ks -m 5 -o /dev/null -w '%{http_code}' "https://127.0.0.1:$1/_ping") || true
case $code in
  200) echo well ;;
  000) echo "MKE does not answer" ;;
  *) echo "MKE answers with status $code" ;;
esac
"#;

/// How long all managers may take to be well again.
const GATE: Duration = Duration::from_secs(600);

/// Waits until every manager of the swarm, and MKE on it where it is installed, has been well
/// several times in a row, after `disturbed` was.
///
/// # Errors
///
/// Fails at the deadline, naming the manager that was not well and what it said last.
pub async fn gate(
    cx: &Context<MkeDomain>,
    disturbed: HostId,
    assembly: &Assembly<MkeDomain>,
) -> Result<(), Failure> {
    let managers: Vec<HostId> = assembly
        .hosts
        .iter()
        .filter(|(_, facts)| facts.swarm.is_manager)
        .map(|(&id, _)| id)
        .collect();
    let mke_port = matches!(assembly.cluster.mke, Mke::Installed(_))
        .then(|| cx.shared.config.mke.controller_port());
    cx.progress(disturbed, "waiting until every manager is well");
    wait(cx, &managers, mke_port).await
}

async fn wait(
    cx: &Context<MkeDomain>,
    managers: &[HostId],
    mke_port: Option<u16>,
) -> Result<(), Failure> {
    let good = AtomicU32::new(0);
    let patience = Patience {
        first: Duration::from_millis(250),
        longest: Duration::from_secs(2),
        deadline: GATE,
    };
    wait_until("every manager being well", patience, || async {
        match round(cx, managers, mke_port).await? {
            None => {
                let times = good.fetch_add(1, Ordering::Relaxed) + 1;
                if times >= GOOD_ROUNDS {
                    return Ok(Look::Done(()));
                }
                Ok(Look::NotYet(format!("well {times} of {GOOD_ROUNDS} times")))
            }
            Some(trouble) => {
                good.store(0, Ordering::Relaxed);
                Ok(Look::NotYet(trouble))
            }
        }
    })
    .await
}

/// Asks every manager once; returns what is wrong with the first that is not well.
async fn round(
    cx: &Context<MkeDomain>,
    managers: &[HostId],
    mke_port: Option<u16>,
) -> Result<Option<String>, Failure> {
    let port = mke_port.map(|port| port.to_string()).unwrap_or_default();
    let answers = futures_util::future::join_all(managers.iter().map(|&id| {
        let command = Command::script(PROBE, Effect::Read)
            .arg(&port)
            .title("ask the manager how it is")
            .timeout(Duration::from_secs(20))
            .docker();
        async move {
            let host = cx.shared.host(id)?;
            Ok::<_, Failure>(match host.run(command).await {
                Ok(output) => output.stdout_text().trim().to_owned(),
                Err(error) => error.to_string(),
            })
        }
    }))
    .await;
    for (id, answer) in managers.iter().zip(answers) {
        let answer = answer?;
        if answer != "well" {
            return Ok(Some(format!("{}: {answer}", cx.roster.name(*id))));
        }
    }
    Ok(None)
}
