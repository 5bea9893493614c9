//! The cluster as its nodes see it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request, StatusCode, header};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Host;
use crate::https::{Connection, Trust};

/// A node of the swarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) hostname: String,
    pub(crate) role: String,
    pub(crate) availability: String,
    pub(crate) state: String,
    pub(crate) is_leader: bool,
    pub(crate) labels: BTreeMap<String, String>,
}

/// Returns the nodes as a manager sees them, by host name.
pub(crate) async fn nodes(manager: &Host) -> Result<Vec<Node>> {
    let ids = manager.exec(["docker", "node", "ls", "-q"]).run().await?;
    let inspected = manager
        .exec(["docker", "node", "inspect"])
        .args(ids.stdout.split_whitespace())
        .run()
        .await?;
    let nodes: Vec<Value> =
        serde_json::from_str(&inspected.stdout).context("the engine's answer is not JSON")?;
    let mut nodes: Vec<Node> = nodes.iter().map(node).collect();
    nodes.sort_by(|one, two| one.hostname.cmp(&two.hostname));
    Ok(nodes)
}

fn node(value: &Value) -> Node {
    let text = |path: &str| {
        value
            .pointer(path)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let labels = value.pointer("/Spec/Labels").and_then(Value::as_object);
    Node {
        hostname: text("/Description/Hostname"),
        role: text("/Spec/Role"),
        availability: text("/Spec/Availability"),
        state: text("/Status/State"),
        is_leader: value.pointer("/ManagerStatus/Leader") == Some(&Value::Bool(true)),
        labels: labels
            .into_iter()
            .flatten()
            .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
            .collect(),
    }
}

/// Waits until so many nodes are ready.
pub(crate) async fn wait_ready(leader: &Host, count: usize) -> Result<()> {
    let started = Instant::now();
    loop {
        let nodes = leader
            .exec([
                "docker",
                "node",
                "ls",
                "--format",
                "{{.Hostname}} {{.Status}}",
            ])
            .within(Duration::from_secs(30))
            .finish()
            .await?;
        let ready = nodes
            .stdout
            .lines()
            .filter(|line| line.ends_with(" Ready"))
            .count();
        if ready == count {
            return Ok(());
        }
        if started.elapsed() > Duration::from_secs(90) {
            bail!(
                "only {ready} of {count} nodes are ready: {}{}",
                nodes.stdout,
                nodes.stderr
            );
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Returns the CA of the cluster, as the bootstrapper prints it.
pub(crate) async fn ca(manager: &Host, version: &str) -> Result<Trust> {
    let image = format!("mirantis/ucp:{version}");
    let socket = "/var/run/docker.sock:/var/run/docker.sock";
    let printed = manager
        .exec([
            "docker",
            "run",
            "--rm",
            "-v",
            socket,
            &image,
            "dump-certs",
            "--ca",
        ])
        .run()
        .await?;
    let start = printed.stdout.find("-----BEGIN CERTIFICATE-----");
    let start = start.context("the bootstrapper prints no certificate")?;
    Trust::only(&printed.stdout[start..])
}

/// Asks a manager's API for its health, under the manager's address and with the cluster's CA only.
pub(crate) async fn ping(host: &Host, ca: &Trust) -> Result<StatusCode> {
    let mut connection = open(host, ca).await?;
    let request = request(host, Method::GET, "/_ping")?.body(Full::new(Bytes::new()))?;
    Ok(connection.send(request).await?.status())
}

/// Logs in at a manager's API and says whether a token was given.
pub(crate) async fn log_in(host: &Host, ca: &Trust, user: &str, password: &str) -> Result<bool> {
    let mut connection = open(host, ca).await?;
    let body = serde_json::json!({ "username": user, "password": password }).to_string();
    let request = request(host, Method::POST, "/auth/login")?
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))?;
    let answer = connection.send(request).await?;
    let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    Ok(answer.status() == StatusCode::OK && body["auth_token"].is_string())
}

async fn open(host: &Host, ca: &Trust) -> Result<Connection> {
    let address = SocketAddr::from((host.ip, 443));
    Connection::open(address, &host.ip.to_string(), ca).await
}

fn request(host: &Host, method: Method, path: &str) -> Result<hyper::http::request::Builder> {
    Ok(Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, host.ip.to_string()))
}

/// Waits until every manager's API is healthy.
pub(crate) async fn wait_healthy(managers: &[&Host], ca: &Trust, deadline: Duration) -> Result<()> {
    let started = Instant::now();
    for host in managers {
        loop {
            let last = match ping(host, ca).await {
                Ok(StatusCode::OK) => break,
                Ok(status) => status.to_string(),
                Err(error) => format!("{error:#}"),
            };
            if started.elapsed() > deadline {
                bail!(
                    "/_ping of {} is not OK after {} s: {last}",
                    host.name,
                    deadline.as_secs()
                );
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    Ok(())
}

/// Asks managers for their health again and again, and remembers when they did not answer well.
pub(crate) struct HealthWatch {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<Health>>,
}

/// What a watch has found on one manager.
#[derive(Clone, Debug)]
pub(crate) struct Health {
    pub(crate) host: String,
    pub(crate) good: usize,
    /// When, after the start, and what.
    pub(crate) bad: Vec<(Duration, String)>,
}

impl HealthWatch {
    /// Starts asking.
    pub(crate) fn start(managers: &[Host], ca: &Trust) -> Self {
        let (stop, stopped) = watch::channel(false);
        let tasks = managers
            .iter()
            .map(|host| tokio::spawn(ask(host.clone(), ca.clone(), stopped.clone())))
            .collect();
        Self { stop, tasks }
    }

    /// Stops asking.
    pub(crate) async fn stop(self) -> Result<Vec<Health>> {
        self.stop.send_replace(true);
        let mut found = Vec::new();
        for task in self.tasks {
            found.push(task.await.context("a watch of the API has panicked")?);
        }
        Ok(found)
    }
}

async fn ask(host: Host, ca: Trust, mut stopped: watch::Receiver<bool>) -> Health {
    let started = Instant::now();
    let mut health = Health {
        host: host.name.to_string(),
        good: 0,
        bad: Vec::new(),
    };
    loop {
        let asked = tokio::time::timeout(Duration::from_secs(5), ping(&host, &ca)).await;
        let problem = match asked {
            Ok(Ok(StatusCode::OK)) => None,
            Ok(Ok(status)) => Some(status.to_string()),
            Ok(Err(error)) => Some(format!("{error:#}")),
            Err(_) => Some("no answer in 5 s".to_owned()),
        };
        match problem {
            None => health.good += 1,
            Some(problem) => health.bad.push((started.elapsed(), problem)),
        }
        let stop = stopped.wait_for(|is_stopped| *is_stopped);
        if tokio::time::timeout(Duration::from_millis(100), stop)
            .await
            .is_ok()
        {
            return health;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_read_from_the_engines_answer() {
        // From `docker node inspect` of engine 20.10 on a lab host, shortened.
        let value = serde_json::json!({
            "ID": "x",
            "Spec": { "Labels": { "a": "b" }, "Role": "manager", "Availability": "active" },
            "Description": { "Hostname": "m1" },
            "Status": { "State": "ready", "Addr": "10.77.1.1" },
            "ManagerStatus": { "Leader": true, "Reachability": "reachable" },
        });

        let node = node(&value);

        assert_eq!(
            (node.hostname.as_str(), node.role.as_str()),
            ("m1", "manager")
        );
        assert_eq!((node.state.as_str(), node.is_leader), ("ready", true));
        assert_eq!(node.labels.get("a").map(String::as_str), Some("b"));
    }
}
