//! Looking at the engine: only at what is asked for.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use standin::engine::{
    Config, Container, Node, Part, Payload, Refusal, Service, Swarm, Task, View,
};

use crate::engine::{Engine, encode};
use crate::world::refused;

/// Looks at some parts of the engine.
///
/// # Errors
///
/// Fails where the engine refuses one of them.
pub(crate) async fn look(engine: &Engine, parts: &[Part]) -> Result<View, Refusal> {
    let mut view = View::default();
    for part in parts {
        match part {
            Part::Swarm => swarm(engine, &mut view).await?,
            Part::Nodes => {
                let nodes: Vec<ApiNode> = read(engine, "/nodes").await?;
                view.nodes = nodes.into_iter().map(Node::from).collect();
            }
            Part::Services => {
                let path = filtered("/services", "name", "ucp");
                let services: Vec<ApiService> = read(engine, &path).await?;
                view.services = services.into_iter().map(Service::from).collect();
            }
            Part::Tasks(service) => view.tasks = tasks(engine, service).await?,
            Part::Containers => {
                let path = filtered("/containers/json", "name", "ucp");
                let containers: Vec<ApiContainer> = read(engine, &format!("{path}&all=1")).await?;
                view.containers = containers.into_iter().map(Container::from).collect();
            }
            Part::Configs => {
                let configs: Vec<ApiConfig> = read(engine, "/configs").await?;
                view.configs = configs.into_iter().map(Config::from).collect();
            }
            Part::Volumes => {
                let volumes: ApiVolumes = read(engine, "/volumes").await?;
                let volumes = volumes.volumes.unwrap_or_default();
                view.volumes = volumes.into_iter().map(|volume| volume.name).collect();
            }
            Part::Images => {
                let images: Vec<ApiImage> = read(engine, "/images/json").await?;
                let tags = images.into_iter().filter_map(|image| image.repo_tags);
                view.images = tags.flatten().collect();
            }
        }
    }
    Ok(view)
}

/// Reads the node's membership alone.
///
/// # Errors
///
/// Fails where the engine does not answer.
pub(crate) async fn membership(engine: &Engine) -> Result<Swarm, Refusal> {
    look(engine, &[Part::Swarm]).await.map(|view| view.swarm)
}

async fn read<T: DeserializeOwned>(engine: &Engine, path: &str) -> Result<T, Refusal> {
    let value = engine.json(path).await?;
    serde_json::from_value(value)
        .map_err(|error| refused(&format!("the engine's answer to {path} is odd: {error}")))
}

fn filtered(path: &str, filter: &str, value: &str) -> String {
    let filters: Value = json!({ filter: { value: true } });
    format!("{path}?filters={}", encode(&filters.to_string()))
}

async fn swarm(engine: &Engine, view: &mut View) -> Result<(), Refusal> {
    let info: ApiInfo = read(engine, "/info").await?;
    view.host_name = info.name;
    view.engine_version = info.server_version;
    view.swarm = Swarm {
        node_id: info.swarm.node_id,
        node_address: info.swarm.node_addr,
        is_manager: info.swarm.control_available,
        cluster_id: info.swarm.cluster.map(|found| found.id).unwrap_or_default(),
        error: info.swarm.error.filter(|error| !error.is_empty()),
    };
    Ok(())
}

async fn tasks(engine: &Engine, service: &str) -> Result<Vec<Task>, Refusal> {
    let found: Result<Vec<ApiTask>, Refusal> =
        read(engine, &filtered("/tasks", "service", service)).await;
    match found {
        Ok(tasks) => Ok(tasks.into_iter().map(Task::from).collect()),
        Err(refusal) if refusal.is_missing() => Ok(Vec::new()),
        Err(refusal) => Err(refusal),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct ApiInfo {
    name: String,
    server_version: String,
    swarm: ApiSwarm,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ApiSwarm {
    #[serde(rename = "NodeID")]
    node_id: String,
    #[serde(rename = "NodeAddr")]
    node_addr: String,
    #[serde(rename = "ControlAvailable")]
    control_available: bool,
    #[serde(rename = "Error")]
    error: Option<String>,
    #[serde(rename = "Cluster")]
    cluster: Option<ApiCluster>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ApiCluster {
    #[serde(rename = "ID")]
    id: String,
}

#[derive(Deserialize)]
struct ApiNode {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "Spec")]
    spec: ApiNodeSpec,
    #[serde(rename = "Description", default)]
    description: ApiDescription,
    #[serde(rename = "Status", default)]
    status: ApiStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ApiNodeSpec {
    role: String,
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct ApiDescription {
    hostname: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct ApiStatus {
    state: String,
}

impl From<ApiNode> for Node {
    fn from(node: ApiNode) -> Self {
        Self {
            id: node.id,
            host_name: node.description.hostname,
            is_manager: node.spec.role == "manager",
            state: node.status.state,
            labels: node.spec.labels.unwrap_or_default(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ApiService {
    spec: ApiServiceSpec,
    update_status: Option<ApiStatus>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ApiServiceSpec {
    name: String,
    task_template: Value,
}

impl From<ApiService> for Service {
    fn from(service: ApiService) -> Self {
        let image = service.spec.task_template.pointer("/ContainerSpec/Image");
        let image = image.and_then(Value::as_str).unwrap_or_default();
        Self {
            image: image.to_owned(),
            name: service.spec.name,
            update: service
                .update_status
                .map(|status| status.state)
                .filter(|state| !state.is_empty()),
        }
    }
}

#[derive(Deserialize)]
struct ApiTask {
    #[serde(rename = "NodeID", default)]
    node_id: String,
    #[serde(rename = "Status", default)]
    status: ApiStatus,
}

impl From<ApiTask> for Task {
    fn from(task: ApiTask) -> Self {
        Self {
            node_id: task.node_id,
            state: task.status.state,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ApiContainer {
    #[serde(default)]
    names: Vec<String>,
    image: String,
    state: String,
    labels: Option<BTreeMap<String, String>>,
}

impl From<ApiContainer> for Container {
    fn from(container: ApiContainer) -> Self {
        let name = container.names.into_iter().next().unwrap_or_default();
        Self {
            name: name.trim_start_matches('/').to_owned(),
            image: container.image,
            state: container.state,
            labels: container.labels.unwrap_or_default(),
        }
    }
}

#[derive(Deserialize)]
struct ApiConfig {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "Spec")]
    spec: ApiConfigSpec,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ApiConfigSpec {
    name: String,
    data: Option<String>,
}

impl From<ApiConfig> for Config {
    fn from(config: ApiConfig) -> Self {
        let data = config.spec.data.unwrap_or_default();
        Self {
            id: config.id,
            name: config.spec.name,
            // Data that cannot be read is no state of ours.
            data: Payload(BASE64_STANDARD.decode(data).unwrap_or_default()),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ApiVolumes {
    volumes: Option<Vec<ApiVolume>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ApiVolume {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ApiImage {
    repo_tags: Option<Vec<String>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{Fake, Seen};

    /// Answers of engine 20.10, shortened.
    fn answer(request: &Seen) -> (u16, String) {
        let text = match request.path.as_str() {
            "/info" => {
                r#"{"Name":"m1","ServerVersion":"20.10.24+dfsg1","Swarm":{"NodeID":"n1",
                "NodeAddr":"10.77.1.1","LocalNodeState":"active","ControlAvailable":true,"Error":"",
                "RemoteManagers":null,"Cluster":{"ID":"c1"}}}"#
            }
            "/nodes" => {
                r#"[{"ID":"n1","Spec":{"Labels":{"a":"b"},"Role":"manager","Availability":"active"},
                "Description":{"Hostname":"m1"},"Status":{"State":"ready","Addr":"10.77.1.1"}}]"#
            }
            "/services" => {
                r#"[{"ID":"s1","Spec":{"Name":"ucp-agent","Labels":{},"TaskTemplate":{
                "ContainerSpec":{"Image":"mirantis/ucp-agent:3.8.8"}}},
                "UpdateStatus":{"State":"completed"}}]"#
            }
            "/tasks" => r#"[{"ID":"t1","NodeID":"n1","Status":{"State":"complete"}}]"#,
            "/containers/json" => {
                r#"[{"Id":"x","Names":["/ucp-proxy"],"Image":"mirantis/ucp-proxy:3.8.8",
                "State":"running","Labels":{"k":"v"}}]"#
            }
            "/configs" => r#"[{"ID":"f1","Spec":{"Name":"ucp-x","Labels":{},"Data":"aGVsbG8="}}]"#,
            "/volumes" => r#"{"Volumes":[{"Name":"ucp-node-certs"}],"Warnings":null}"#,
            "/images/json" => {
                r#"[{"Id":"i","RepoTags":["mirantis/ucp:3.8.8","a/b:1"]},{"Id":"j","RepoTags":null}]"#
            }
            _ => return (404, r#"{"message":"page not found"}"#.to_owned()),
        };
        (200, text.to_owned())
    }

    #[tokio::test]
    async fn an_engine_is_seen_as_it_is() {
        let fake = Fake::start(answer);
        let parts = [
            Part::Swarm,
            Part::Nodes,
            Part::Services,
            Part::Tasks("ucp-agent"),
            Part::Containers,
            Part::Configs,
            Part::Volumes,
            Part::Images,
        ];

        let view = look(&fake.engine(), &parts).await.unwrap();

        assert_eq!(
            (view.host_name.as_str(), view.swarm.is_manager),
            ("m1", true)
        );
        assert_eq!(view.swarm.cluster_id, "c1");
        assert_eq!(view.swarm.error, None);
        assert!(view.nodes[0].is_manager && view.nodes[0].labels["a"] == "b");
        let service = view.service("ucp-agent").unwrap();
        assert_eq!(service.image, "mirantis/ucp-agent:3.8.8");
        assert_eq!(service.update.as_deref(), Some("completed"));
        assert_eq!(
            (view.tasks[0].node_id.as_str(), view.tasks[0].state.as_str()),
            ("n1", "complete")
        );
        assert!(view.container("ucp-proxy").unwrap().is_alive());
        assert_eq!(
            view.config("ucp-x").unwrap().data,
            Payload(b"hello".to_vec())
        );
        assert_eq!(view.volumes, ["ucp-node-certs"]);
        assert_eq!(view.images, ["mirantis/ucp:3.8.8", "a/b:1"]);
    }

    #[tokio::test]
    async fn only_what_is_asked_for_is_looked_at() {
        let fake = Fake::start(answer);

        look(&fake.engine(), &[Part::Containers]).await.unwrap();

        let targets: Vec<String> = fake
            .requests()
            .into_iter()
            .map(|seen| seen.target)
            .collect();
        assert_eq!(
            targets,
            ["/containers/json?filters=%7B%22name%22:%7B%22ucp%22:true%7D%7D&all=1"]
        );
    }

    #[tokio::test]
    async fn a_worker_and_a_lost_quorum_are_told_apart() {
        let worker = r#"{"Swarm":{"NodeID":"n2","ControlAvailable":false,"Cluster":null}}"#;
        let lost = r#"{"Swarm":{"ControlAvailable":true,"Error":"no leader"}}"#;

        let fake = Fake::start(move |_| (200, worker.to_owned()));
        let swarm = membership(&fake.engine()).await.unwrap();
        assert!(!swarm.is_manager && swarm.error.is_none());

        let fake = Fake::start(move |_| (200, lost.to_owned()));
        let swarm = membership(&fake.engine()).await.unwrap();
        assert_eq!(swarm.error.as_deref(), Some("no leader"));
    }

    #[tokio::test]
    async fn a_service_that_is_not_there_has_no_tasks() {
        let fake = Fake::start(|_| (404, r#"{"message":"service x not found"}"#.to_owned()));

        let view = look(&fake.engine(), &[Part::Tasks("x")]).await.unwrap();

        assert_eq!(view.tasks, []);
    }
}
