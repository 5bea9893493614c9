//! The vendor's bootstrapper, `mirantis/ucp`: run detached, followed, re-attached to.
//!
//! A long operation runs as the container `ucp`, without `--rm`, with labels that say what it is
//! and a hash of what was asked. Its log and its exit status are read to the end, then it is
//! removed: by this run, or by the next one after a lost connection.

pub mod log;

use std::collections::BTreeMap;
use std::time::Duration;

use phase::{Context, Failure, HostId, Look, Patience, wait_until};
use rig::Host;
use rig::command::{Command, Effect};
use rig::redact::REDACTED;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use self::log::{Level, parse_line};
use super::domain::MkeDomain;
use super::facts::{Bootstrap, Facts};
use super::failure::explain;

/// Name of the container; the vendor asks for it.
pub const CONTAINER: &str = "ucp";
/// Label: the operation.
pub const LABEL_OPERATION: &str = "com.mirantis.launchpad.operation";
/// Label: the version of the bootstrapper.
pub const LABEL_VERSION: &str = "com.mirantis.launchpad.version";
/// Label: a hash of what was asked, without its secrets.
pub const LABEL_REQUEST: &str = "com.mirantis.launchpad.request";

/// How many lines of the log a failure shows.
const TAIL: usize = 20;

/// One operation of the bootstrapper.
#[derive(Debug, Clone)]
pub struct Operation {
    /// `install`, `upgrade`, `uninstall-ucp`.
    pub name: &'static str,
    /// The image, with its tag.
    pub image: String,
    /// The version, for the label.
    pub version: String,
    /// The user's flags and ours, as shell text: the seed's semantics, `$(…)` included.
    pub flags: Vec<String>,
    /// Secrets, delivered through the environment of the container.
    pub secrets: Vec<(&'static str, SecretString)>,
    /// The license text: the one secret that the vendor takes only as an argument.
    pub license: Option<SecretString>,
    /// How long it may take.
    pub deadline: Duration,
}

/// Starts the container. $1 image, $2 operation, $3 flags as shell text, $4 SELinux option or
/// nothing, $5.. `--label` values. The environment of the container comes on stdin: it is in no
/// environment and no argument list of the host's own processes.
const START: &str = r#"
set -eu
image=$1 operation=$2 flags=$3 selinux=$4
shift 4
labels=
for label in "$@"; do labels="$labels --label $label"; done
eval "set -- $flags"
if [ -n "${LAUNCHPAD_LICENSE:-}" ]; then set -- --license "$LAUNCHPAD_LICENSE" "$@"; fi
exec docker run -d --name ucp --env-file /dev/stdin $labels $selinux \
  -v /var/run/docker.sock:/var/run/docker.sock "$image" "$operation" "$@" >/dev/null
"#;

/// Follows the log from its start. The engine closes it when the container has ended.
const FOLLOW: &str = "docker logs --follow ucp 2>&1";

/// Prints `running` or `exited <status>`, or `absent`.
const STATUS: &str = r#"
docker inspect --type container ucp --format '{{if .State.Running}}running{{else}}exited {{.State.ExitCode}}{{end}}' 2>/dev/null || {
  docker version --format '{{.Server.Version}}' >/dev/null && echo absent
}
"#;

impl Operation {
    /// Returns the hash of what is asked: operation, image and flags, no secret. How much the
    /// bootstrapper says is not part of it.
    pub fn request_hash(&self) -> String {
        let mut hash = Sha256::new();
        let flags = self.flags.iter().map(String::as_str);
        for part in [self.name, &self.image]
            .into_iter()
            .chain(flags.filter(|flag| *flag != "--debug"))
        {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        let digest: String = hash
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        digest[..32].to_owned()
    }

    fn labels(&self) -> [String; 3] {
        [
            format!("{LABEL_OPERATION}={}", self.name),
            format!("{LABEL_VERSION}={}", self.version),
            format!("{LABEL_REQUEST}={}", self.request_hash()),
        ]
    }

    fn start_command(&self, selinux: bool) -> Command {
        let mut command = Command::script(START, Effect::Change)
            .args([self.image.as_str(), self.name, &self.flags.join(" ")])
            .arg(selinux_option(selinux))
            .args(self.labels())
            .title(format!("start the MKE bootstrapper: {}", self.name))
            .timeout(Duration::from_secs(300))
            .docker();
        let environment: String = self
            .secrets
            .iter()
            .map(|(name, value)| format!("{name}={}\n", value.expose_secret()))
            .collect();
        command = command.secret_stdin(SecretString::from(environment));
        if let Some(license) = &self.license {
            command = command.secret_env("LAUNCHPAD_LICENSE", license.clone());
        }
        command
    }
}

/// What to do about a container that is already there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// There is none: start one.
    Nothing,
    /// It is this very operation: read it to its end.
    Same,
    /// It has ended, and was another one: remove it, then start.
    EndedOther,
    /// It is running, and is not this operation: refuse.
    RunningOther,
}

/// Judges a container that discovery has found; pure.
pub fn judge(operation: &Operation, found: Option<&Bootstrap>) -> Found {
    let Some(found) = found else {
        return Found::Nothing;
    };
    let same = found.labels.get(LABEL_REQUEST) == Some(&operation.request_hash())
        && found.labels.get(LABEL_OPERATION).map(String::as_str) == Some(operation.name);
    match (same, found.running) {
        (true, _) => Found::Same,
        (false, true) => Found::RunningOther,
        (false, false) => Found::EndedOther,
    }
}

/// What the log of an operation said.
#[derive(Debug, Default)]
struct Transcript {
    fatal: Option<String>,
    tail: std::collections::VecDeque<String>,
    lines: u64,
}

/// What stands before the password that the installer makes where it is given none (the Go
/// Launchpad looks for the same words).
const GENERATED: &str = "Generated random admin password: ";

impl Transcript {
    fn take(&mut self, cx: &Context<MkeDomain>, host: HostId, operation: &str, line: &str) {
        self.lines += 1;
        let mut parsed = parse_line(line);
        if let Some((before, password)) = parsed.message.split_once(GENERATED) {
            let hidden = format!("{before}{GENERATED}{REDACTED}");
            cx.shared
                .keep_generated_password(SecretString::from(password.trim()));
            parsed.message = hidden.into();
        }
        if parsed.level == Level::Fatal {
            self.fatal
                .get_or_insert_with(|| parsed.message.clone().into_owned());
        }
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(parsed.message.clone().into_owned());
        if parsed.level == Level::Warning {
            cx.warn(
                Some(host),
                format!("MKE {operation}: {}", parsed.message),
                None,
            );
        } else if parsed.level != Level::Debug {
            cx.progress(host, format!("MKE {operation}: {}", parsed.message));
        }
    }
}

/// Runs an operation on a manager, or joins the one that is running, until it has ended.
///
/// The first Ctrl-C leaves the container running: the vendor would roll back otherwise. The next
/// run joins it again.
///
/// # Errors
///
/// Fails where the operation ends with a status other than 0 or says something fatal, where
/// another operation is running, and where it takes longer than its deadline.
pub async fn run(
    cx: &Context<MkeDomain>,
    host_id: HostId,
    operation: &Operation,
    facts: &mut Facts,
) -> Result<(), Failure> {
    let host = cx.shared.host(host_id)?;
    match judge(operation, facts.bootstrap.as_ref()) {
        Found::Same => cx.progress(host_id, format!("joining the running `{}`", operation.name)),
        Found::Nothing => start(host, operation, facts).await?,
        Found::EndedOther => {
            remove(host).await?;
            start(host, operation, facts).await?;
        }
        Found::RunningOther => return Err(running_other(facts.bootstrap.as_ref())),
    }
    let status = tokio::select! {
        status = follow(cx, host_id, host, operation) => status,
        () = cx.stop.interrupted() => return Err(left_running(operation)),
    };
    let (status, transcript) = status?;
    remove(host).await?;
    facts.bootstrap = None;
    conclude(operation, status, &transcript)
}

fn conclude(operation: &Operation, status: i64, transcript: &Transcript) -> Result<(), Failure> {
    let name = operation.name;
    if status == 0 && transcript.fatal.is_none() {
        return Ok(());
    }
    let mut failure = Failure::new(format!("the MKE bootstrapper failed: {name}"));
    if let Some(fatal) = &transcript.fatal {
        failure.causes.push(fatal.clone());
    }
    Err(failure.command(phase::failure::FailedCommand {
        command: format!("docker run {} {name}", operation.image),
        status: format!("exit status {status}"),
        stderr_tail: transcript.tail.iter().cloned().collect(),
    }))
}

fn left_running(operation: &Operation) -> Failure {
    Failure::new(format!(
        "left the MKE bootstrapper running: {}",
        operation.name
    ))
    .hint("it goes on by itself; run the same command again to join it")
}

fn running_other(found: Option<&Bootstrap>) -> Failure {
    let label = |name: &str| {
        found
            .and_then(|found| found.labels.get(name))
            .map_or("unknown", String::as_str)
    };
    Failure::new(format!(
        "another run of the MKE bootstrapper is going on in the container `{CONTAINER}` (operation \
         `{}`, version `{}`)",
        label(LABEL_OPERATION),
        label(LABEL_VERSION)
    ))
    .hint("wait until it has ended, or see `docker logs ucp` on this host; then run again")
}

async fn start(host: &Host, operation: &Operation, facts: &mut Facts) -> Result<(), Failure> {
    host.run(operation.start_command(facts.selinux_enforcing))
        .await
        .map_err(|error| explain("cannot start the MKE bootstrapper", &error))?;
    facts.bootstrap = Some(Bootstrap {
        id: String::new(),
        running: true,
        exit_code: 0,
        labels: operation
            .labels()
            .iter()
            .filter_map(|label| label.split_once('='))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect::<BTreeMap<_, _>>(),
    });
    Ok(())
}

/// Follows the log to its end; a broken connection is taken up again from the line it broke at.
async fn follow(
    cx: &Context<MkeDomain>,
    host_id: HostId,
    host: &Host,
    operation: &Operation,
) -> Result<(i64, Transcript), Failure> {
    let mut transcript = Transcript::default();
    let what = format!("the end of `{}`", operation.name);
    let transcript_cell = tokio::sync::Mutex::new(&mut transcript);
    let patience = Patience::until(operation.deadline);
    let status = wait_until(&what, patience, || async {
        let mut transcript = transcript_cell.lock().await;
        let seen_before = transcript.lines;
        let mut line_number = 0;
        let mut sink = |line: &str| {
            line_number += 1;
            if line_number > seen_before {
                transcript.take(cx, host_id, operation.name, line);
            }
        };
        let command = Command::script(FOLLOW, Effect::Read)
            .title("follow the MKE bootstrapper")
            .sensitive_output()
            .docker();
        if let Err(error) = host.stream(command, &mut sink).await {
            return Ok(Look::NotYet(error.to_string()));
        }
        read_status(host).await
    })
    .await?;
    Ok((status, transcript))
}

async fn read_status(host: &Host) -> Result<Look<i64>, Failure> {
    let command = Command::script(STATUS, Effect::Read)
        .title("status of the MKE bootstrapper")
        .timeout(Duration::from_secs(30))
        .docker();
    let text = match host.run(command).await {
        Ok(output) => output.stdout_text().trim().to_owned(),
        Err(error) => return Ok(Look::NotYet(error.to_string())),
    };
    match text
        .strip_prefix("exited ")
        .and_then(|status| status.parse().ok())
    {
        Some(status) => Ok(Look::Done(status)),
        None if text == "absent" => Err(Failure::new(
            "the container of the MKE bootstrapper is gone: somebody else has removed it",
        )
        .hint("run `launchpad plan` to see the state of the cluster")),
        None => Ok(Look::NotYet(text)),
    }
}

async fn remove(host: &Host) -> Result<(), Failure> {
    let command = Command::change("docker")
        .args(["rm", "--force", CONTAINER])
        .timeout(Duration::from_secs(60))
        .docker();
    host.run(command).await.map(drop).map_err(|error| {
        explain(
            "cannot remove the container of the MKE bootstrapper",
            &error,
        )
    })
}

/// Asks in the foreground. $1 image, $2 SELinux option or nothing, $3.. operation and flags.
/// Status 44: the image is not on the host; it is never pulled from here, as this only looks.
const ASK: &str = r#"
image=$1 selinux=$2
shift 2
docker image inspect "$image" >/dev/null 2>&1 || exit 44
exec docker run --rm -i $selinux -v /var/run/docker.sock:/var/run/docker.sock "$image" "$@"
"#;

/// Runs a short operation in the foreground and returns its output (`images --list`,
/// `dump-certs`); `None` where the host does not have the image.
///
/// # Errors
///
/// Fails where the container ends with a status other than 0 or says something fatal.
pub async fn ask(
    host: &Host,
    image: &str,
    selinux: bool,
    arguments: &[&str],
) -> Result<Option<String>, Failure> {
    let what = format!(
        "cannot ask the MKE bootstrapper for `{}`",
        arguments.join(" ")
    );
    let command = Command::script(ASK, Effect::Read)
        .args([image, selinux_option(selinux)])
        .args(arguments.iter().copied())
        .title(format!(
            "ask the MKE bootstrapper for {}",
            arguments.join(" ")
        ))
        .timeout(Duration::from_secs(300))
        .docker();
    let output = match host.run(command).await {
        Ok(output) => output,
        Err(error)
            if error
                .exited()
                .is_some_and(|(_, status, _)| status.code() == Some(44)) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(explain(&what, &error)),
    };
    let text = output.stdout_text().into_owned();
    let fatal = text
        .lines()
        .map(parse_line)
        .find(|line| line.level == Level::Fatal);
    match fatal {
        Some(line) => {
            let mut failure = Failure::new(what);
            failure.causes.push(line.message.into_owned());
            Err(failure)
        }
        None => Ok(Some(text)),
    }
}

fn selinux_option(enforcing: bool) -> &'static str {
    if enforcing {
        "--security-opt label=disable"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(flags: &[&str]) -> Operation {
        Operation {
            name: "install",
            image: "docker.io/mirantis/ucp:3.8.8".into(),
            version: "3.8.8".into(),
            flags: flags.iter().map(ToString::to_string).collect(),
            secrets: vec![("UCP_ADMIN_PASSWORD", SecretString::from("hunter2"))],
            license: None,
            deadline: Duration::from_secs(60),
        }
    }

    fn found(operation: &Operation, running: bool) -> Bootstrap {
        Bootstrap {
            id: "x".into(),
            running,
            exit_code: 0,
            labels: operation
                .labels()
                .iter()
                .filter_map(|label| label.split_once('='))
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
        }
    }

    #[test]
    fn joins_only_the_same_operation() {
        let ours = operation(&["--san=a"]);
        let other = operation(&["--san=b"]);

        assert_eq!(judge(&ours, None), Found::Nothing);
        assert_eq!(judge(&ours, Some(&found(&ours, true))), Found::Same);
        assert_eq!(judge(&ours, Some(&found(&ours, false))), Found::Same);
        assert_eq!(
            judge(&ours, Some(&found(&other, true))),
            Found::RunningOther
        );
        assert_eq!(judge(&ours, Some(&found(&other, false))), Found::EndedOther);
    }

    #[test]
    fn a_status_other_than_0_and_a_fatal_line_both_fail() {
        let operation = operation(&[]);
        let quiet = Transcript::default();
        let fatal = Transcript {
            fatal: Some("no".into()),
            ..Transcript::default()
        };

        assert!(conclude(&operation, 0, &quiet).is_ok());
        assert!(conclude(&operation, 3, &quiet).is_err());
        assert!(conclude(&operation, 0, &fatal).is_err());
    }

    #[test]
    fn the_hash_does_not_depend_on_secrets() {
        let mut other = operation(&["--san=a"]);
        other.secrets.clear();

        assert_eq!(operation(&["--san=a"]).request_hash(), other.request_hash());
    }
}
