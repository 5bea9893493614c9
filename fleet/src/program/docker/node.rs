//! `node`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::flags::{Flag, Flags};
use super::inspect::look;
use super::listing::{Listing, capital, has_label};
use super::service::{TASKS, task_row};
use super::{Docker, Failure, Outcome, only, said, some, unknown};
use crate::engine::swarm::node::{self, AVAILABILITIES, Node, Update};
use crate::engine::swarm::{Swarm, managed};
use crate::engine::value::{Value, map};
use crate::engine::{names, refusal, show};

const COLUMNS: &[(&str, &str)] = &[
    ("ID", "ID"),
    ("Hostname", "HOSTNAME"),
    ("Status", "STATUS"),
    ("Availability", "AVAILABILITY"),
    ("ManagerStatus", "MANAGER STATUS"),
    ("EngineVersion", "ENGINE VERSION"),
];

impl Docker<'_> {
    /// Commands of nodes.
    pub(super) async fn node(&mut self, words: &[&str]) -> Outcome {
        match words {
            ["ls" | "list", rest @ ..] => self.list_nodes(rest).await,
            ["inspect", rest @ ..] if rest.contains(&"--pretty") => self.describe_nodes(rest).await,
            ["inspect", rest @ ..] => self.inspect(rest, Some("node")).await,
            ["update", rest @ ..] => self.update_node(rest).await,
            ["promote", rest @ ..] => self.change_role(rest, true).await,
            ["demote", rest @ ..] => self.change_role(rest, false).await,
            ["rm" | "remove", rest @ ..] => self.remove_nodes(rest).await,
            ["ps", rest @ ..] => self.tasks_of_node(rest).await,
            [word, ..] => Err(unknown(format!("the command node {word}"))),
            [] => Err(unknown("the help of node")),
        }
    }

    async fn list_nodes(&mut self, words: &[&str]) -> Outcome {
        let known = [
            Flag::switch("quiet").short('q'),
            Flag::value("filter").short('f'),
            Flag::value("format"),
        ];
        let flags = Flags::parse(&known, words)?;
        let filters =
            flags.filters(&["role", "name", "id", "membership", "node.label", "label"])?;
        let is_quiet = flags.has("quiet");
        let is_plain = flags.value("format").is_none() && !is_quiet;
        let rows = self
            .engine(|world, host, now| {
                let swarm = world.swarm(managed(world, host)?);
                let own = world.engine(host).membership.as_ref();
                let own = own.map(|own| own.node.as_str());
                let mut nodes: Vec<&Node> = swarm
                    .nodes
                    .values()
                    .filter(|node| filters.iter().all(|(name, value)| fits(node, name, value)))
                    .collect();
                nodes.sort_by(|one, other| {
                    (&one.host_name, &one.id).cmp(&(&other.host_name, &other.id))
                });
                let rows = nodes.into_iter();
                let rows =
                    rows.map(|node| row(swarm, node, own == Some(node.id.as_str()), is_plain, now));
                Ok(rows.collect::<Vec<_>>())
            })
            .await?;
        let listing = Listing {
            columns: COLUMNS,
            rows,
            key: "ID",
        };
        self.list(listing, &flags)
    }

    /// `docker node inspect --pretty`.
    async fn describe_nodes(&mut self, words: &[&str]) -> Outcome {
        let known = [Flag::switch("pretty"), Flag::value("format").short('f')];
        let flags = Flags::parse(&known, words)?;
        some(&flags, "node inspect")?;
        if flags.has("format") {
            return Err(said("--format is incompatible with human friendly format"));
        }
        for name in &flags.rest {
            let node = self
                .engine(|world, host, now| look(world, host, "node", name, now))
                .await?;
            self.invocation.print(&described(&node));
        }
        Ok(0)
    }

    async fn update_node(&mut self, words: &[&str]) -> Outcome {
        let known = [
            Flag::value("label-add"),
            Flag::value("label-rm"),
            Flag::value("availability"),
            Flag::value("role"),
        ];
        let flags = Flags::parse(&known, words)?;
        let name = only(&flags, "node update")?.to_owned();
        let update = Update {
            labels_to_add: flags.pairs("label-add"),
            labels_to_remove: flags.all("label-rm"),
            availability: match flags.value("availability") {
                None => None,
                Some(text) => {
                    let found = AVAILABILITIES.iter().find(|(name, _)| *name == text);
                    let bad = || refusal(400, format!("invalid Availability: \"{text}\""));
                    Some(found.ok_or_else(bad)?.1)
                }
            },
            is_manager: match flags.value("role") {
                None => None,
                Some("manager") => Some(true),
                Some("worker") => Some(false),
                Some(text) => {
                    return Err(refusal(400, format!("invalid Role: \"{text}\"")).into());
                }
            },
        };
        let updated = self
            .engine(|world, host, now| {
                let swarm = managed(world, host)?;
                node::update(world, swarm, &name, &update, now)
            })
            .await;
        updated.map_err(|failure| match failure {
            // The command itself looks for the labels.
            Failure::Said(text, status) if text.contains("doesn't exist in node's labels") => {
                let text = text.trim_start_matches("Error response from daemon: ");
                Failure::Said(text.to_owned(), status)
            }
            other => other,
        })?;
        self.invocation.print(&format!("{name}\n"));
        Ok(0)
    }

    async fn change_role(&mut self, words: &[&str], is_manager: bool) -> Outcome {
        let flags = Flags::parse(&[], words)?;
        some(
            &flags,
            if is_manager {
                "node promote"
            } else {
                "node demote"
            },
        )?;
        self.each(&flags.rest, |world, host, now, name| {
            let swarm = managed(world, host)?;
            let node = world.swarm(swarm).find_node(name)?;
            if node.is_manager == is_manager {
                let what = if is_manager { "manager" } else { "worker" };
                return Ok(format!("Node {} is already a {what}.", node.id));
            }
            let update = Update {
                is_manager: Some(is_manager),
                ..Update::default()
            };
            node::update(world, swarm, name, &update, now)?;
            Ok(if is_manager {
                format!("Node {name} promoted to a manager in the swarm.")
            } else {
                format!("Manager {name} demoted in the swarm.")
            })
        })
        .await
    }

    async fn remove_nodes(&mut self, words: &[&str]) -> Outcome {
        let flags = Flags::parse(&[Flag::switch("force").short('f')], words)?;
        some(&flags, "node rm")?;
        let is_forced = flags.has("force");
        self.each(&flags.rest, |world, host, now, name| {
            let swarm = managed(world, host)?;
            node::remove(world, swarm, name, is_forced, now).map(|_| name.to_owned())
        })
        .await
    }

    async fn tasks_of_node(&mut self, words: &[&str]) -> Outcome {
        let known = [
            Flag::switch("quiet").short('q'),
            Flag::switch("no-trunc"),
            Flag::value("format"),
        ];
        let flags = Flags::parse(&known, words)?;
        let names = match flags.rest.as_slice() {
            [] => vec!["self".to_owned()],
            names => names.to_vec(),
        };
        let rows = self
            .engine(|world, host, now| {
                let swarm = world.swarm(managed(world, host)?);
                let own = world.engine(host).membership.as_ref();
                let mut rows = Vec::new();
                for name in &names {
                    let id = match (name.as_str(), own) {
                        ("self", Some(own)) => own.node.clone(),
                        (name, _) => swarm.find_node(name)?.id.clone(),
                    };
                    let tasks = swarm.tasks.values();
                    let own = tasks.filter(|task| task.node.as_deref() == Some(&id));
                    rows.extend(own.map(|task| task_row(swarm, task, now, &flags)));
                }
                Ok(rows)
            })
            .await?;
        let listing = Listing {
            columns: TASKS,
            rows,
            key: "ID",
        };
        self.list(listing, &flags)
    }
}

/// Describes a node as `nodeInspectPrettyTemplate` of the command does
/// (`cli/command/formatter/node.go` of docker/cli).
fn described(node: &Value) -> String {
    let text = |names: &[&str]| node.at(names).as_text().to_owned();
    let number = |names: &[&str]| match node.at(names) {
        Value::Int(number) => u64::try_from(*number).unwrap_or_default(),
        _ => 0,
    };
    let mut out = format!("ID:\t\t\t{}\n", text(&["ID"]));
    if let Value::Map(labels) = node.at(&["Spec", "Labels"])
        && !labels.is_empty()
    {
        out.push_str("Labels:\n");
        for (name, value) in labels {
            let value = match value.as_text() {
                "" => String::new(),
                value => format!("={value}"),
            };
            out.push_str(&format!(" - {name}{value}\n"));
        }
    }
    let joined = text(&["CreatedAt"])
        .replace('T', " ")
        .replace('Z', " +0000 utc");
    out.push_str(&format!(
        "Hostname:              \t{}\nJoined at:             \t{joined}\nStatus:\n State:\t\t\t{}\n",
        text(&["Description", "Hostname"]),
        capital(&text(&["Status", "State"])),
    ));
    let message = text(&["Status", "Message"]);
    if !message.is_empty() {
        out.push_str(&format!(" Message:              \t{}\n", capital(&message)));
    }
    out.push_str(&format!(
        " Availability:         \t{}\n Address:\t\t{}\n",
        capital(&text(&["Spec", "Availability"])),
        text(&["Status", "Addr"])
    ));
    if node.at(&["ManagerStatus"]).is_true() {
        let leads = node.at(&["ManagerStatus", "Leader"]).is_true();
        out.push_str(&format!(
            "Manager Status:\n Address:\t\t{}\n Raft Status:\t\t{}\n Leader:\t\t{}\n",
            text(&["ManagerStatus", "Addr"]),
            capital(&text(&["ManagerStatus", "Reachability"])),
            if leads { "Yes" } else { "No" }
        ));
    }
    out.push_str(&format!(
        "Platform:\n Operating System:\t{}\n Architecture:\t\t{}\nResources:\n CPUs:\t\t\t{}\n \
         Memory:\t\t{}\n",
        text(&["Description", "Platform", "OS"]),
        text(&["Description", "Platform", "Architecture"]),
        number(&["Description", "Resources", "NanoCPUs"]) / 1_000_000_000,
        names::binary_size(number(&["Description", "Resources", "MemoryBytes"])),
    ));
    out.push_str(&plugins(node.at(&["Description", "Engine", "Plugins"])));
    out.push_str(&format!(
        "Engine Version:\t\t{}\n",
        text(&["Description", "Engine", "EngineVersion"])
    ));
    out
}

/// Describes the plugins of a node, those of one type in a line.
fn plugins(plugins: &Value) -> String {
    let mut types: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    if let Value::List(plugins) = plugins {
        for plugin in plugins {
            let (kind, name) = (plugin.at(&["Type"]), plugin.at(&["Name"]));
            types
                .entry(kind.as_text())
                .or_default()
                .push(name.as_text());
        }
    }
    let lines = types.iter();
    let lines = lines.map(|(kind, names)| format!(" {kind}:\t\t{}\n", names.join(", ")));
    format!("Plugins:\n{}", lines.collect::<String>())
}

fn fits(node: &Node, filter: &str, value: &str) -> bool {
    match filter {
        "role" => (value == "manager") == node.is_manager,
        "name" => node.host_name.starts_with(value),
        "id" => node.id.starts_with(value),
        "membership" => value == "accepted",
        _ => has_label(&node.labels, value),
    }
}

fn row(swarm: &Swarm, node: &Node, is_self: bool, is_plain: bool, now: Duration) -> Value {
    let manager = match node.is_manager {
        true if swarm.leader.as_deref() == Some(&node.id) => "Leader".to_owned(),
        true => capital(show::swarm::reachability(node)),
        false => String::new(),
    };
    let mark = if is_self && is_plain { " *" } else { "" };
    let state = capital(node.state(now));
    map! {
        "ID": format!("{}{mark}", node.id),
        "Self": is_self,
        "Hostname": &node.host_name,
        "Status": state,
        "Availability": capital(node.availability.name()),
        "ManagerStatus": manager,
        "EngineVersion": &node.engine_version,
        "TLSStatus": "Ready",
    }
}
