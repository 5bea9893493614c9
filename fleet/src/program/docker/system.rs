//! `info`, `version`, `system`.

use super::flags::{Flag, Flags};
use super::listing::{Listing, fill, template};
use super::{Docker, Failure, Outcome, info, said, unknown};
use crate::engine::template::Missing;
use crate::engine::value::{Value, map};
use crate::engine::{Build, names, show};

impl Docker<'_> {
    /// `docker -v`.
    pub(super) fn print_version(&mut self) -> Outcome {
        let build = self.build();
        let (version, commit) = (&build.version, &build.client_commit);
        self.invocation
            .print(&format!("Docker version {version}, build {commit}\n"));
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

    /// Returns how this command was built.
    fn build(&self) -> Build {
        let version = self.client_version();
        self.invocation.world(|world| world.build(&version))
    }

    fn is_old(&self) -> bool {
        show::info::major(&self.client_version()) < 23
    }

    /// Returns what the command tells of itself in `docker info`.
    fn client_info(&self) -> Value {
        let mut told = vec![
            ("Debug", Value::from(false)),
            ("Context", Value::from("default")),
            ("Plugins", Value::List(Vec::new())),
            ("Warnings", Value::Null),
        ];
        if !self.is_old() {
            let build = self.build();
            told.push(("Platform", map! { "Name": &build.platform }));
            told.push(("Version", Value::from(&build.version)));
        }
        let told = told.into_iter();
        Value::Map(told.map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// Returns what the command tells of itself in `docker version`.
    fn client(&self) -> Value {
        let build = self.build();
        let api = show::info::api_version(&self.client_version());
        map! {
            "Platform": map! { "Name": &build.platform },
            "Version": &build.version,
            "ApiVersion": api,
            "DefaultAPIVersion": api,
            "APIVersion": api,
            "GitCommit": &build.client_commit,
            "GoVersion": &build.go,
            "Os": "linux",
            "Arch": "amd64",
            "BuildTime": &build.built,
            "Context": "default",
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
        let client = self.client_info();
        let is_old = self.is_old();
        let Some(format) = flags.value("format") else {
            let text = info::plain(&info, &client, problem.as_deref());
            self.invocation.print(&text);
            if let Some(problem) = problem {
                self.invocation
                    .complain(&format!("ERROR: {problem}\nerrors pretty printing info"));
                return Ok(1);
            }
            return Ok(0);
        };
        if let (Some(problem), true) = (&problem, is_old) {
            info = map! { "ServerErrors": vec![problem.as_str()] };
        }
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
        let missing = match (&problem, is_old) {
            (Some(_), true) => Missing::Nil("Info"),
            _ => Missing::Type("system.info"),
        };
        let filled = template.execute(&info, missing);
        let text = filled.as_deref().unwrap_or_default();
        self.invocation.print(&format!("{text}\n"));
        if let Err(wrong) = filled {
            return Err(said(wrong));
        }
        // The command told of it by its status only since version 23.
        match problem {
            Some(problem) if !is_old => {
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
        let both = map! { "Client": self.client(), "Server": server };
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
                let text = versions(&both, self.is_old());
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
        self.list(listing, &flags)
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

fn versions(both: &Value, is_old: bool) -> String {
    let client = both.at(&["Client"]);
    let text = |value: &Value, keys: &[&str]| value.at(keys).as_text().to_owned();
    let platform = |value: &Value| match value.at(&["Platform", "Name"]).as_text() {
        "" => String::new(),
        name => format!(" {name}"),
    };
    let mut out = format!("Client:{}\n", platform(client));
    for (name, key) in [
        ("Version:", "Version"),
        ("API version:", "ApiVersion"),
        ("Go version:", "GoVersion"),
        ("Git commit:", "GitCommit"),
        ("Built:", "BuildTime"),
    ] {
        out.push_str(&format!(" {name:<18} {}\n", text(client, &[key])));
    }
    out.push_str(" OS/Arch:           linux/amd64\n Context:           default\n");
    if is_old {
        out.push_str(" Experimental:      true\n");
    }
    let server = both.at(&["Server"]);
    if !server.is_true() {
        return out;
    }
    out.push_str(&format!("\nServer:{}\n Engine:\n", platform(server)));
    let api = format!(
        "{} (minimum version {})",
        text(server, &["ApiVersion"]),
        text(server, &["MinAPIVersion"])
    );
    let engine = [
        ("Version:", text(server, &["Version"])),
        ("API version:", api),
        ("Go version:", text(server, &["GoVersion"])),
        ("Git commit:", text(server, &["GitCommit"])),
        ("Built:", text(server, &["BuildTime"])),
        ("OS/Arch:", "linux/amd64".to_owned()),
        ("Experimental:", "false".to_owned()),
    ];
    for (name, value) in engine {
        out.push_str(&format!("  {name:<17} {value}\n"));
    }
    if let Value::List(components) = server.at(&["Components"]) {
        for component in components.iter().skip(1) {
            out.push_str(&format!(
                " {}:\n  {:<17} {}\n  {:<17} {}\n",
                text(component, &["Name"]),
                "Version:",
                text(component, &["Version"]),
                "GitCommit:",
                text(component, &["Details", "GitCommit"])
            ));
        }
    }
    out
}
