//! The `launchpad.yaml` of the lab, as a tree that stories change, and as text.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::Host;
use super::services::MKE_VERSIONS;
use crate::paths::write_mode;
use crate::recipe::packages::OLD_CHANNEL;

/// The administrator of the lab's MKE.
pub(crate) const ADMIN: &str = "admin";

/// The password of that administrator, where a story does not plant one of its own.
pub(crate) const ADMIN_PASSWORD: &str = "orcaorcaorca";

/// Returns a text as a configuration has to write it: `$` stands for variables of the environment.
pub(crate) fn literal(text: &str) -> String {
    text.replace('$', "$$")
}

/// A configuration.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config(Value);

impl Config {
    /// Describes a cluster of hosts.
    pub(crate) fn of(hosts: &[Host], key: &Path) -> Self {
        let managers = hosts.iter().filter(|host| host.name.is_manager());
        let sans: Vec<String> = managers.map(|host| format!("--san={}", host.ip)).collect();
        let hosts: Vec<Value> = hosts
            .iter()
            .map(|host| {
                json!({
                    "role": if host.name.is_manager() { "manager" } else { "worker" },
                    "ssh": {
                        "address": host.ip.to_string(),
                        "user": crate::recipe::host::USER,
                        "keyPath": key,
                    },
                })
            })
            .collect();
        Self(json!({
            "apiVersion": "launchpad.mirantis.com/mke/v1.6",
            "kind": "mke",
            "metadata": { "name": "lab" },
            "spec": {
                "hosts": hosts,
                "mcr": { "channel": OLD_CHANNEL, "repoURL": "https://repos.mirantis.com" },
                "mke": {
                    "version": MKE_VERSIONS[0],
                    "adminUsername": ADMIN,
                    "adminPassword": ADMIN_PASSWORD,
                    "installFlags": sans,
                },
            },
        }))
    }

    /// Sets the value at a path like `/spec/mcr/prune`, adding mappings on the way.
    pub(crate) fn with(mut self, path: &str, value: Value) -> Self {
        let mut place = &mut self.0;
        for key in path.split('/').skip(1) {
            place = match key.parse::<usize>() {
                Ok(index) if place.is_array() => &mut place[index],
                _ => &mut place[key],
            };
        }
        *place = value;
        self
    }

    /// Sets a field of the host with an address.
    pub(crate) fn with_host(self, host: &Host, field: &str, value: Value) -> Self {
        let hosts = self.0["spec"]["hosts"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let address = Value::from(host.ip.to_string());
        let index = hosts
            .iter()
            .position(|entry| entry["ssh"]["address"] == address);
        match index {
            Some(index) => self.with(&format!("/spec/hosts/{index}/{field}"), value),
            None => self,
        }
    }

    /// Writes the file that Launchpad reads.
    pub(crate) fn save(&self, path: &Path) -> Result<()> {
        write_mode(path, self.to_yaml(), 0o600)
            .with_context(|| format!("cannot save the configuration `{}`", path.display()))
    }

    /// Returns the configuration as YAML.
    pub(crate) fn to_yaml(&self) -> String {
        let mut text = String::new();
        block(&self.0, 0, &mut text);
        text
    }
}

/// Writes a mapping or a list, one entry per line; scalars as JSON, which YAML reads.
fn block(value: &Value, indent: usize, text: &mut String) {
    let pad = " ".repeat(indent);
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                let _ = write!(text, "{pad}{key}:");
                nested(field, indent, text);
            }
        }
        Value::Array(items) => {
            for item in items {
                if item.is_object() {
                    let mut entry = String::new();
                    block(item, indent + 2, &mut entry);
                    // The first field stands behind the dash.
                    let _ = write!(text, "{pad}- {}", entry.trim_start());
                } else {
                    let _ = writeln!(text, "{pad}- {item}");
                }
            }
        }
        scalar => {
            let _ = writeln!(text, "{pad}{scalar}");
        }
    }
}

fn nested(field: &Value, indent: usize, text: &mut String) {
    let is_empty = match field {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => true,
    };
    if is_empty {
        let _ = writeln!(text, " {field}");
    } else {
        text.push('\n');
        block(field, indent + 2, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_becomes_yaml() {
        let config = Config(json!({
            "spec": { "hosts": [{ "role": "manager", "ssh": { "port": 22 } }], "flags": ["--a b"] },
            "empty": {},
        }));

        let expected = "empty: {}\nspec:\n  flags:\n    - \"--a b\"\n  hosts:\n    - role: \
                        \"manager\"\n      ssh:\n        port: 22\n";
        assert_eq!(config.to_yaml(), expected);
    }

    #[test]
    fn a_value_can_be_set_where_nothing_was() {
        let config = Config(json!({ "spec": { "hosts": [{}] } }));

        let config = config.with("/spec/hosts/0/mcrConfig/debug", json!(true));

        assert_eq!(
            config.0["spec"]["hosts"][0]["mcrConfig"]["debug"],
            json!(true)
        );
    }
}
