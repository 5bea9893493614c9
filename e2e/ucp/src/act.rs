//! What is done to the engine, and to the process's own files.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper::Method;
use serde_json::{Value, json};
use standin::engine::{Action, ContainerSpec, Payload, Refusal, Reply, Restart, ServiceSpec};

use crate::certificate;
use crate::engine::{Engine, encode};
use crate::tarball::first_file;
use crate::world::refused;

/// Where containers find the engine.
const SOCKET: &str = "/var/run/docker.sock";

/// How long a pull may take.
const PULL: Duration = Duration::from_secs(600);

/// Carries something out.
///
/// # Errors
///
/// Fails where the engine refuses it; removing what is not there is done already.
pub(crate) async fn carry_out(engine: &Engine, action: Action) -> Result<Reply, Refusal> {
    match action {
        Action::MakeAuthority => return certificate::authority().map(Reply::Identity),
        Action::Issue {
            authority,
            common_name,
            names,
        } => return certificate::issue(&authority, &common_name, &names).map(Reply::Identity),
        Action::ReadFile(path) => return read_file(&path).map(Reply::File),
        Action::ReadContainerFile { container, path } => {
            return read_container_file(engine, &container, &path)
                .await
                .map(Reply::File);
        }
        Action::WriteFile { path, content } => write_file(&path, &content)?,
        Action::CreateConfig { name, data } => {
            let config = json!({ "Name": name, "Data": BASE64_STANDARD.encode(&data.0) });
            engine
                .call(Method::POST, "/configs/create", Some(&config))
                .await?;
        }
        Action::RemoveConfig(name) => remove(engine, &format!("/configs/{name}")).await?,
        Action::CreateService(spec) => {
            let service = service(&spec);
            engine
                .call(Method::POST, "/services/create", Some(&service))
                .await?;
        }
        Action::UpdateService(spec) => update_service(engine, &spec).await?,
        Action::RemoveService(name) => remove(engine, &format!("/services/{name}")).await?,
        Action::RunContainer(spec) => run_container(engine, &spec).await?,
        Action::RemoveContainer(name) => {
            remove(engine, &format!("/containers/{name}?force=1&v=1")).await?;
        }
        Action::RemoveVolume(name) => remove(engine, &format!("/volumes/{name}?force=1")).await?,
        Action::PullImage { image, login } => {
            engine.within(PULL).pull(&image, login.as_ref()).await?;
        }
    }
    Ok(Reply::Done)
}

async fn remove(engine: &Engine, path: &str) -> Result<(), Refusal> {
    match engine.call(Method::DELETE, path, None).await {
        Ok(_) => Ok(()),
        Err(refusal) if refusal.is_missing() => Ok(()),
        Err(refusal) => Err(refusal),
    }
}

async fn update_service(engine: &Engine, spec: &ServiceSpec) -> Result<(), Refusal> {
    let found = engine.json(&format!("/services/{}", spec.name)).await?;
    let version = found.pointer("/Version/Index").and_then(Value::as_u64);
    let version = version.ok_or_else(|| refused("the engine names no version of the service"))?;
    let path = format!("/services/{}/update?version={version}", spec.name);
    engine
        .call(Method::POST, &path, Some(&service(spec)))
        .await
        .map(drop)
}

async fn run_container(engine: &Engine, spec: &ContainerSpec) -> Result<(), Refusal> {
    let path = format!("/containers/create?name={}", encode(&spec.name));
    let container = container(spec);
    engine.call(Method::POST, &path, Some(&container)).await?;
    let path = format!("/containers/{}/start", spec.name);
    engine.call(Method::POST, &path, None).await.map(drop)
}

fn variables(environment: &[(String, String)]) -> Vec<String> {
    let pairs = environment.iter();
    pairs
        .map(|(name, value)| format!("{name}={value}"))
        .collect()
}

/// Returns a service as the engine takes it.
fn service(spec: &ServiceSpec) -> Value {
    let second = 1_000_000_000_u64;
    let (condition, delay) = match spec.restart {
        Restart::Always => ("any", 2 * second),
        Restart::OnFailure => ("on-failure", second),
    };
    json!({
        "Name": spec.name,
        "Mode": { "Global": {} },
        "TaskTemplate": {
            "ContainerSpec": {
                "Image": spec.image,
                "Args": spec.arguments,
                "Env": variables(&spec.environment),
                "Mounts": [{ "Type": "bind", "Source": SOCKET, "Target": SOCKET }],
            },
            "RestartPolicy": { "Condition": condition, "Delay": delay },
            "Placement": { "Constraints": ["node.platform.os==linux"] },
        },
        "UpdateConfig": {
            "Parallelism": 2,
            "Order": "stop-first",
            "Monitor": second,
            "FailureAction": "continue",
        },
    })
}

/// Returns a container as the engine takes it.
fn container(spec: &ContainerSpec) -> Value {
    let mut binds = vec![format!("{SOCKET}:{SOCKET}")];
    let volumes = spec.volumes.iter();
    binds.extend(volumes.map(|(volume, path)| format!("{volume}:{path}")));
    let network = if spec.uses_host_network {
        "host"
    } else {
        "default"
    };
    json!({
        "Image": spec.image,
        "Cmd": spec.arguments,
        "Env": variables(&spec.environment),
        "Labels": spec.labels,
        "HostConfig": {
            "Binds": binds,
            "NetworkMode": network,
            "RestartPolicy": { "Name": "unless-stopped" },
        },
    })
}

async fn read_container_file(
    engine: &Engine,
    container: &str,
    path: &str,
) -> Result<Payload, Refusal> {
    let path = format!("/containers/{container}/archive?path={}", encode(path));
    let answer = engine.call(Method::GET, &path, None).await?;
    let file = first_file(&answer.body).ok_or_else(|| refused("the archive holds no file"))?;
    Ok(Payload(file.to_vec()))
}

fn read_file(path: &str) -> Result<Payload, Refusal> {
    let content = std::fs::read(path);
    content.map(Payload).map_err(|error| Refusal {
        status: (error.kind() == std::io::ErrorKind::NotFound).then_some(404),
        message: format!("cannot read {path}: {error}"),
    })
}

fn write_file(path: &str, content: &Payload) -> Result<(), Refusal> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options
        .open(path)
        .and_then(|mut file| file.write_all(&content.0))
        .map_err(|error| refused(&format!("cannot write {path}: {error}")))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::fake::{Fake, Seen};

    fn spec() -> ServiceSpec {
        ServiceSpec {
            name: "ucp-agent".to_owned(),
            image: "mirantis/ucp-agent:3.8.9".to_owned(),
            arguments: vec!["agent".to_owned()],
            environment: vec![("A".to_owned(), "b".to_owned())],
            restart: Restart::OnFailure,
        }
    }

    async fn requests(action: Action, answer: fn(&Seen) -> (u16, String)) -> Vec<Seen> {
        let fake = Fake::start(answer);
        carry_out(&fake.engine(), action).await.unwrap();
        fake.requests()
    }

    fn targets(requests: &[Seen]) -> Vec<String> {
        let lines = requests.iter();
        lines
            .map(|seen| format!("{} {}", seen.method, seen.target))
            .collect()
    }

    #[tokio::test]
    async fn a_service_is_global_and_talks_to_the_engine() {
        let sent = requests(Action::CreateService(spec()), |_| (201, "{}".into())).await;

        let body = &sent[0].body;
        assert_eq!(body["Mode"], json!({ "Global": {} }));
        let task = &body["TaskTemplate"];
        assert_eq!(task["ContainerSpec"]["Args"], json!(["agent"]));
        assert_eq!(task["ContainerSpec"]["Env"], json!(["A=b"]));
        assert_eq!(task["ContainerSpec"]["Mounts"][0]["Source"], SOCKET);
        assert_eq!(task["RestartPolicy"]["Condition"], "on-failure");
    }

    #[tokio::test]
    async fn an_update_names_the_version_it_is_of() {
        let sent = requests(Action::UpdateService(spec()), |_| {
            (200, r#"{"Version":{"Index":42}}"#.into())
        })
        .await;

        assert_eq!(
            targets(&sent),
            [
                "GET /services/ucp-agent",
                "POST /services/ucp-agent/update?version=42"
            ]
        );
    }

    #[tokio::test]
    async fn a_container_is_created_and_started() {
        let spec = ContainerSpec {
            name: "ucp-controller".to_owned(),
            image: "mirantis/ucp-controller:3.8.8".to_owned(),
            arguments: vec!["serve".to_owned()],
            environment: Vec::new(),
            labels: BTreeMap::new(),
            volumes: vec![("ucp-node-certs".to_owned(), "/node".to_owned())],
            uses_host_network: true,
        };

        let sent = requests(Action::RunContainer(spec), |_| (201, "{}".into())).await;

        assert_eq!(
            targets(&sent),
            [
                "POST /containers/create?name=ucp-controller",
                "POST /containers/ucp-controller/start"
            ]
        );
        let host = &sent[0].body["HostConfig"];
        assert_eq!(host["NetworkMode"], "host");
        assert_eq!(host["Binds"][1], "ucp-node-certs:/node");
    }

    #[tokio::test]
    async fn what_is_not_there_is_removed_already() {
        for action in [
            Action::RemoveConfig("x".to_owned()),
            Action::RemoveService("x".to_owned()),
            Action::RemoveContainer("x".to_owned()),
            Action::RemoveVolume("x".to_owned()),
        ] {
            let sent = requests(action, |_| (404, r#"{"message":"no"}"#.into())).await;

            assert_eq!(sent[0].method, "DELETE");
        }
        let fake = Fake::start(|_| (409, r#"{"message":"in use"}"#.into()));
        let refused = carry_out(&fake.engine(), Action::RemoveConfig("x".to_owned())).await;
        assert_eq!(refused.unwrap_err().message, "in use");
    }

    #[tokio::test]
    async fn a_config_is_base64() {
        let action = Action::CreateConfig {
            name: "x".to_owned(),
            data: Payload(b"hello".to_vec()),
        };

        let sent = requests(action, |_| (201, "{}".into())).await;

        assert_eq!(sent[0].body, json!({ "Name": "x", "Data": "aGVsbG8=" }));
    }

    #[tokio::test]
    async fn own_files_are_written_and_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x").display().to_string();
        let engine = Engine::at("/nowhere");

        let missing = carry_out(&engine, Action::ReadFile(path.clone())).await;
        assert!(missing.unwrap_err().is_missing());
        let content = Payload(b"hello".to_vec());
        let write = Action::WriteFile {
            path: path.clone(),
            content: content.clone(),
        };
        carry_out(&engine, write).await.unwrap();

        let read = carry_out(&engine, Action::ReadFile(path)).await.unwrap();
        assert_eq!(read, Reply::File(content));
    }
}
