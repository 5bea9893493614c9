//! `info`, `version`, `system`.

use super::flags::{Flag, Flags};
use super::listing::{Listing, fill, template};
use super::{Docker, Failure, Outcome, said, unknown};
use crate::engine::template::Missing;
use crate::engine::value::{Value, map};
use crate::engine::{names, show};

impl Docker<'_> {
    /// `docker -v`.
    pub(super) fn print_version(&mut self) -> Outcome {
        let version = self.client_version();
        self.invocation
            .print(&format!("Docker version {version}, build 5f9da84\n"));
        Ok(0)
    }

    /// Commands of the system.
    pub(super) async fn system(&mut self, words: &[&str]) -> Outcome {
        match words {
            ["df", rest @ ..] => self.disk_use(rest).await,
            ["prune", rest @ ..] => self.prune(rest).await,
            [word, ..] => Err(unknown(format!("the command system {word}"))),
            [] => Err(unknown("the help of system")),
        }
    }

    fn client(&self) -> Value {
        let version = self.client_version();
        map! {
            "Debug": false,
            "Version": &version,
            "GitCommit": "5f9da84",
            "GoVersion": "go1.21.11",
            "Os": "linux",
            "Arch": "amd64",
            "BuildTime": "Wed Jun  5 11:29:22 2024",
            "Context": "default",
            "Plugins": Value::List(Vec::new()),
            "Warnings": Value::Null,
        }
    }

    /// `docker info`.
    pub(super) async fn info(&mut self, words: &[&str]) -> Outcome {
        let flags = Flags::parse(&[Flag::value("format").short('f')], words)?;
        let seen = self
            .engine(|world, host, now| Ok(show::info::info(world, host, now)))
            .await;
        let (mut info, problem) = match seen {
            Ok(info) => (info, None),
            Err(Failure::Said(text, _)) => (show::info::nothing(&text), Some(text)),
            Err(other) => return Err(other),
        };
        let client = self.client();
        let Some(format) = flags.value("format") else {
            let text = plain(&info, &client, problem.as_deref());
            self.invocation.print(&text);
            if let Some(problem) = problem {
                self.invocation
                    .complain(&format!("ERROR: {problem}\nerrors pretty printing info"));
                return Ok(1);
            }
            return Ok(0);
        };
        if let Value::Map(members) = &mut info {
            members.push(("ClientInfo".to_owned(), client));
        }
        let format = if format == "json" {
            "{{json .}}"
        } else {
            format
        };
        let template = template(format).map_err(|failure| match failure {
            Failure::Said(text, _) => Failure::Said(text, 64),
            other => other,
        })?;
        let filled = template.execute(&info, Missing::Type("system.info"));
        let text = filled.as_deref().unwrap_or_default();
        self.invocation.print(&format!("{text}\n"));
        if let Err(wrong) = filled {
            return Err(said(wrong));
        }
        // The command told of it by its status only since version 23.
        match problem {
            Some(problem) if show::info::major(&self.client_version()) >= 23 => {
                self.invocation.complain(&problem);
                Ok(1)
            }
            _ => Ok(0),
        }
    }

    /// `docker version`.
    pub(super) async fn version(&mut self, words: &[&str]) -> Outcome {
        let flags = Flags::parse(&[Flag::value("format").short('f')], words)?;
        let seen = self
            .engine(|world, host, _| Ok(show::info::version(world, host)))
            .await;
        let (server, failure) = match seen {
            Ok(server) => (server, None),
            Err(failure @ Failure::Said(..)) => (Value::Null, Some(failure)),
            Err(other) => return Err(other),
        };
        let version = self.client_version();
        let mut client = vec![
            (
                "Platform".to_owned(),
                map! { "Name": "Mirantis Container Runtime" },
            ),
            (
                "ApiVersion".to_owned(),
                Value::from(show::info::api_version(&version)),
            ),
            (
                "DefaultAPIVersion".to_owned(),
                Value::from(show::info::api_version(&version)),
            ),
        ];
        if let Value::Map(members) = self.client() {
            client.extend(
                members
                    .into_iter()
                    .filter(|(name, _)| !["Debug", "Plugins", "Warnings"].contains(&name.as_str())),
            );
        }
        let both = map! { "Client": Value::Map(client), "Server": server };
        match flags.value("format") {
            Some(format) => {
                let format = if format == "json" {
                    "{{json .}}"
                } else {
                    format
                };
                let filled = fill(&template(format)?, &both);
                match (filled, failure.is_some()) {
                    (Ok(text), _) => self.invocation.print(&format!("{text}\n")),
                    // What the engine does not say matters more.
                    (Err(_), true) => self.invocation.print("\n"),
                    (Err(problem), false) => return Err(problem),
                }
            }
            None => {
                let text = versions(&both);
                self.invocation.print(&text);
            }
        }
        failure.map_or(Ok(0), Err)
    }

    async fn disk_use(&mut self, words: &[&str]) -> Outcome {
        let flags = Flags::parse(&[Flag::value("format")], words)?;
        let rows = self
            .engine(|world, host, _| {
                let engine = world.engine(host);
                let alive = engine.containers.values();
                let alive = alive.filter(|one| one.state.status.is_alive()).count();
                let row = |kind: &str, total: usize, active: usize, size: u64| {
                    map! {
                        "Type": kind,
                        "TotalCount": total.to_string(),
                        "Active": active.to_string(),
                        "Size": names::short_size(size),
                        "Reclaimable": "0B",
                    }
                };
                Ok(vec![
                    row("Images", engine.images.len(), alive, engine.images.size()),
                    row("Containers", engine.containers.len(), alive, 0),
                    row("Local Volumes", engine.volumes.len(), 0, 0),
                    row("Build Cache", 0, 0, 0),
                ])
            })
            .await?;
        let listing = Listing {
            columns: &[
                ("Type", "TYPE"),
                ("TotalCount", "TOTAL"),
                ("Active", "ACTIVE"),
                ("Size", "SIZE"),
                ("Reclaimable", "RECLAIMABLE"),
            ],
            rows,
            key: "Type",
        };
        let text = listing.show(flags.value("format"), false)?;
        self.invocation.print(&text);
        Ok(0)
    }

    async fn prune(&mut self, words: &[&str]) -> Outcome {
        let known = [
            Flag::switch("force").short('f'),
            Flag::switch("all").short('a'),
            Flag::switch("volumes"),
        ];
        let flags = Flags::parse(&known, words)?;
        if !flags.has("force") {
            return Err(unknown("a question to the user"));
        }
        Box::pin(self.container("prune", &["-f"])).await?;
        if flags.has("volumes") {
            self.volume(&["prune", "-f"]).await?;
        }
        let all: &[&str] = if flags.has("all") {
            &["prune", "-f", "-a"]
        } else {
            &["prune", "-f"]
        };
        self.image(all).await
    }
}

fn versions(both: &Value) -> String {
    let mut out = String::new();
    let client = both.at(&["Client"]);
    let line = |out: &mut String, name: &str, value: &Value| {
        out.push_str(&format!(" {name:<18}{}\n", value.as_text()));
    };
    out.push_str("Client: Mirantis Container Runtime\n");
    for (name, key) in [
        ("Version:", "Version"),
        ("API version:", "ApiVersion"),
        ("Go version:", "GoVersion"),
        ("Git commit:", "GitCommit"),
        ("Built:", "BuildTime"),
    ] {
        line(&mut out, name, client.at(&[key]));
    }
    out.push_str(" OS/Arch:          linux/amd64\n Context:          default\n");
    let server = both.at(&["Server"]);
    if server.is_true() {
        out.push_str("\nServer: Mirantis Container Runtime\n Engine:\n");
        for (name, key) in [
            ("Version:", "Version"),
            ("API version:", "ApiVersion"),
            ("Go version:", "GoVersion"),
            ("Git commit:", "GitCommit"),
        ] {
            out.push_str(&format!("  {name:<17}{}\n", server.at(&[key]).as_text()));
        }
        out.push_str("  OS/Arch:         linux/amd64\n  Experimental:    false\n");
    }
    out
}

fn plain(info: &Value, client: &Value, problem: Option<&str>) -> String {
    let mut out = format!(
        "Client: Mirantis Container Runtime\n Version:    {}\n Context:    default\n Debug Mode: \
         false\n\nServer:\n",
        client.at(&["Version"]).as_text()
    );
    if problem.is_some() {
        return out;
    }
    let text = |names: &[&str]| match info.at(names) {
        Value::Text(text) => text.clone(),
        other => other.json(),
    };
    let memory = match info.at(&["MemTotal"]) {
        Value::Int(bytes) => names::binary_size(u64::try_from(*bytes).unwrap_or_default()),
        _ => String::new(),
    };
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line(format!(" Containers: {}", text(&["Containers"])));
    line(format!("  Running: {}", text(&["ContainersRunning"])));
    line(format!("  Paused: {}", text(&["ContainersPaused"])));
    line(format!("  Stopped: {}", text(&["ContainersStopped"])));
    line(format!(" Images: {}", text(&["Images"])));
    line(format!(" Server Version: {}", text(&["ServerVersion"])));
    line(format!(" Storage Driver: {}", text(&["Driver"])));
    line(format!(" Logging Driver: {}", text(&["LoggingDriver"])));
    line(format!(" Cgroup Driver: {}", text(&["CgroupDriver"])));
    line(format!(" Cgroup Version: {}", text(&["CgroupVersion"])));
    let swarm = |name: &str| text(&["Swarm", name]);
    line(format!(" Swarm: {}", swarm("LocalNodeState")));
    if info.at(&["Swarm", "NodeID"]).is_true() {
        line(format!("  NodeID: {}", swarm("NodeID")));
        if info.at(&["Swarm", "Error"]).is_true() {
            line(format!("  Error: {}", swarm("Error")));
        }
        line(format!("  Is Manager: {}", swarm("ControlAvailable")));
        if info.at(&["Swarm", "Cluster"]).is_true() {
            line(format!(
                "  ClusterID: {}",
                text(&["Swarm", "Cluster", "ID"])
            ));
            line(format!("  Managers: {}", swarm("Managers")));
            line(format!("  Nodes: {}", swarm("Nodes")));
        }
        line(format!("  Node Address: {}", swarm("NodeAddr")));
    }
    line(format!(" Kernel Version: {}", text(&["KernelVersion"])));
    line(format!(" Operating System: {}", text(&["OperatingSystem"])));
    line(format!(" OSType: {}", text(&["OSType"])));
    line(format!(" Architecture: {}", text(&["Architecture"])));
    line(format!(" CPUs: {}", text(&["NCPU"])));
    line(format!(" Total Memory: {memory}"));
    line(format!(" Name: {}", text(&["Name"])));
    line(format!(" ID: {}", text(&["ID"])));
    line(format!(" Docker Root Dir: {}", text(&["DockerRootDir"])));
    line(format!(" Debug Mode: {}", text(&["Debug"])));
    line(format!(
        " Live Restore Enabled: {}",
        text(&["LiveRestoreEnabled"])
    ));
    out.push('\n');
    out
}
