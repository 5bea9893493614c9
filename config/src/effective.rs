//! The configuration as it is used: every key that has a value, defaults included, as a tree.

use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value as Json;

use crate::api;
use crate::certificates::CertificateParts;
use crate::config::{Config, Secrets};
use crate::connection::{Connection, OpenSsh, Ssh, WinRm};
use crate::flags::Flags;
use crate::host::{Hooks, Host};
use crate::mcr::Mcr;
use crate::mke::Mke;
use crate::msr::{Msr, ReplicaIds};
use crate::node::{self, Node};
use crate::secret::{self, REDACTED};
use crate::yaml_out::Tree;

/// Returns the tree of a configuration.
pub(crate) fn tree(config: &Config, secrets: Secrets) -> Tree {
    let writer = Writer {
        shown: secrets == Secrets::Shown,
        root: &config.document.root,
    };
    let hosts = config.hosts.iter().map(|host| writer.host(host)).collect();
    let mut spec = Map::default();
    spec.put("hosts", Tree::List(hosts));
    spec.put("mcr", writer.mcr(&config.mcr));
    spec.put("mke", writer.mke(&config.mke));
    spec.some("msr", config.msr.as_ref().map(|msr| writer.msr(msr)));
    let mut cluster = Map::default();
    cluster.put("prune", switch(config.cluster.prune));
    spec.put("cluster", cluster.done());
    let mut metadata = Map::default();
    metadata.put("name", plain(&config.name));
    let mut root = Map::default();
    root.put("apiVersion", plain(api::CURRENT));
    root.put("kind", plain(&config.kind));
    root.put("metadata", metadata.done());
    root.put("spec", spec.done());
    root.done()
}

/// A mapping that is being written.
#[derive(Default)]
struct Map(Vec<(String, Tree)>);

impl Map {
    fn put(&mut self, key: &str, value: Tree) {
        self.0.push((key.to_owned(), value));
    }

    fn some(&mut self, key: &str, value: Option<Tree>) {
        if let Some(value) = value {
            self.put(key, value);
        }
    }

    fn done(self) -> Tree {
        Tree::Map(self.0)
    }
}

fn switch(value: bool) -> Tree {
    Tree::Word(value.to_string())
}

fn number(value: impl ToString) -> Tree {
    Tree::Word(value.to_string())
}

/// Returns a text so that loading it again gives the same text.
fn plain(text: &str) -> Tree {
    Tree::Text(escaped(text))
}

/// Doubles each `$` that would begin a variable of the environment.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(c);
        let begins = |next: &char| next.is_alphabetic() || matches!(next, '_' | '{' | '$');
        if c == '$' && chars.peek().is_some_and(begins) {
            out.push('$');
        }
    }
    out
}

fn path(path: &Path) -> Tree {
    plain(&path.display().to_string())
}

fn ssh(ssh: &Ssh) -> Tree {
    let mut map = Map::default();
    map.put("address", plain(&ssh.address));
    map.some("port", ssh.port.map(number));
    map.some("user", ssh.user.as_deref().map(plain));
    map.some("keyPath", ssh.key_path.as_deref().map(path));
    map.some("hostKey", ssh.host_key.as_deref().map(plain));
    map.some("bastion", ssh.bastion.as_deref().map(self::ssh));
    map.done()
}

struct Writer<'c> {
    shown: bool,
    root: &'c Node,
}

impl Writer<'_> {
    fn secret(&self, secret: &SecretString) -> Tree {
        if self.shown {
            return plain(secret.expose_secret());
        }
        Tree::Text(REDACTED.to_owned())
    }

    /// Returns a text that may hold a secret: by its looks, or as it came from the environment.
    fn maybe_secret(&self, text: &str, path: &str) -> Tree {
        let scalar = node::value(self.root, path).and_then(Node::scalar);
        let is_foreign = scalar.is_some_and(|scalar| scalar.written.is_some());
        if !self.shown && (is_foreign || secret::is_secret_text(text)) {
            return Tree::Text(REDACTED.to_owned());
        }
        plain(text)
    }

    /// Returns a file with the size of what it holds.
    fn file(&self, file: Option<&Path>, content: Option<&SecretString>) -> Option<Tree> {
        let size = content.map_or(0, |content| content.expose_secret().len());
        let name = escaped(&file?.display().to_string());
        Some(Tree::Noted(name, format!("{size} bytes")))
    }

    /// Returns a content, unless it came from a file and is not to be shown.
    fn content(&self, file: Option<&Path>, content: Option<&SecretString>) -> Option<Tree> {
        content
            .filter(|_| self.shown || file.is_none())
            .map(|content| self.secret(content))
    }

    fn host(&self, host: &Host) -> Tree {
        let mut map = Map::default();
        map.put("role", plain(&host.role.to_string()));
        match &host.connection {
            Connection::Ssh(block) => map.put("ssh", ssh(block)),
            Connection::OpenSsh(block) => map.put("openSSH", self.open_ssh(block)),
            Connection::WinRm(block) => map.put("winRM", self.win_rm(block)),
            Connection::Localhost(_) => {
                let mut local = Map::default();
                local.put("enabled", switch(true));
                map.put("localhost", local.done());
            }
        }
        let text = |text: &Option<String>| text.as_deref().map(plain);
        map.some("privateInterface", text(&host.private_interface));
        map.some("swarmAddress", text(&host.swarm_address));
        let below = |key: &str| node::key_path(&host.path(), key);
        let config = host.mcr_config.iter();
        let config: Vec<(String, Tree)> = config
            .map(|(key, value)| {
                let path = node::key_path(&below("mcrConfig"), key);
                (key.clone(), self.json(key, value, &path))
            })
            .collect();
        map.some(
            "mcrConfig",
            (!config.is_empty()).then_some(Tree::Map(config)),
        );
        let environment = self.environment(host, &below("environment"));
        map.some("environment", environment);
        if host.hooks != Hooks::default() {
            map.put("hooks", self.hooks(&host.hooks, &below("hooks")));
        }
        map.some("imageDir", host.image_dir.as_deref().map(path));
        map.put("sudodocker", switch(host.sudodocker));
        map.put("sudooverride", switch(host.sudooverride));
        map.put("mcrupgradeskip", switch(host.mcrupgradeskip));
        map.done()
    }

    fn environment(&self, host: &Host, path: &str) -> Option<Tree> {
        let entries = host.environment.iter().map(|(name, value)| {
            let value = if secret::is_secret_variable(name) && !self.shown {
                Tree::Text(REDACTED.to_owned())
            } else {
                self.maybe_secret(value, &node::key_path(path, name))
            };
            (name.clone(), value)
        });
        (!host.environment.is_empty()).then(|| Tree::Map(entries.collect()))
    }

    fn hooks(&self, hooks: &Hooks, path: &str) -> Tree {
        let mut map = Map::default();
        for (name, pair) in [("apply", &hooks.apply), ("reset", &hooks.reset)] {
            let mut inner = Map::default();
            for (when, commands) in [("before", &pair.before), ("after", &pair.after)] {
                let path = node::key_path(&node::key_path(path, name), when);
                let commands = self.texts(commands, &path);
                inner.some(when, commands);
            }
            map.some(name, (!inner.0.is_empty()).then(|| inner.done()));
        }
        map.done()
    }

    fn texts(&self, texts: &[String], path: &str) -> Option<Tree> {
        let items = texts.iter().enumerate();
        let items =
            items.map(|(index, text)| self.maybe_secret(text, &node::item_path(path, index)));
        (!texts.is_empty()).then(|| Tree::List(items.collect()))
    }

    fn json(&self, key: &str, value: &Json, path: &str) -> Tree {
        match value {
            Json::Object(entries) => {
                let each = |(key, value): (&String, &Json)| {
                    (
                        key.clone(),
                        self.json(key, value, &node::key_path(path, key)),
                    )
                };
                Tree::Map(entries.iter().map(each).collect())
            }
            Json::Array(items) => {
                let each = items.iter().enumerate();
                let each =
                    each.map(|(index, item)| self.json(key, item, &node::item_path(path, index)));
                Tree::List(each.collect())
            }
            _ if !self.shown && secret::is_secret_name(key) => Tree::Text(REDACTED.to_owned()),
            Json::String(text) => self.maybe_secret(text, path),
            Json::Null | Json::Bool(_) | Json::Number(_) => Tree::Word(value.to_string()),
        }
    }

    fn open_ssh(&self, block: &OpenSsh) -> Tree {
        let mut map = Map::default();
        map.put("address", plain(&block.address));
        map.some("port", block.port.map(number));
        map.some("user", block.user.as_deref().map(plain));
        map.some("keyPath", block.key_path.as_deref().map(path));
        map.some("configPath", block.config_path.as_deref().map(path));
        let options = block.options.iter();
        let options: Vec<(String, Tree)> = options
            .map(|(name, values)| {
                let mut values = values.iter().map(|value| self.maybe_secret(value, ""));
                let value = match values.len() {
                    1 => values.next(),
                    _ => None,
                };
                let value = value.unwrap_or_else(|| Tree::List(values.collect()));
                (name.clone(), value)
            })
            .collect();
        map.some(
            "options",
            (!options.is_empty()).then_some(Tree::Map(options)),
        );
        map.put("disableMultiplexing", switch(block.disable_multiplexing));
        map.done()
    }

    fn win_rm(&self, block: &WinRm) -> Tree {
        let mut map = Map::default();
        map.put("address", plain(&block.address));
        map.put("user", plain(&block.user));
        map.put("port", number(block.port));
        map.some(
            "password",
            block.password.as_ref().map(|it| self.secret(it)),
        );
        map.put("useHTTPS", switch(block.use_https));
        map.put("insecure", switch(block.insecure));
        map.put("useNTLM", switch(block.use_ntlm));
        map.some("caCertPath", block.ca_cert_path.as_deref().map(path));
        map.some("certPath", block.cert_path.as_deref().map(path));
        map.some("keyPath", block.key_path.as_deref().map(path));
        map.some("tlsServerName", block.tls_server_name.as_deref().map(plain));
        map.some("bastion", block.bastion.as_deref().map(ssh));
        map.done()
    }

    fn flags(&self, flags: &Flags) -> Option<Tree> {
        let words = if self.shown {
            flags.shell_words()
        } else {
            flags.masked()
        };
        let items = words.iter().map(|word| plain(word)).collect();
        (!flags.is_empty()).then_some(Tree::List(items))
    }

    fn mcr(&self, mcr: &Mcr) -> Tree {
        let mut map = Map::default();
        map.put("channel", plain(&mcr.channel));
        map.put("repoURL", self.maybe_secret(&mcr.repo_url, ""));
        map.put(
            "installURLWindows",
            self.maybe_secret(&mcr.install_url_windows, ""),
        );
        map.some("license", mcr.license.as_ref().map(|it| self.secret(it)));
        map.put("prune", switch(mcr.prune));
        map.some("swarmInstallFlags", self.flags(&mcr.swarm_install_flags));
        let commands = &mcr.swarm_update_commands;
        let commands = self.texts(commands, "spec.mcr.swarmUpdateCommands");
        map.some("swarmUpdateCommands", commands);
        map.done()
    }

    fn mke(&self, mke: &Mke) -> Tree {
        let mut map = Map::default();
        map.put("version", plain(mke.version.as_str()));
        map.put("imageRepo", plain(&mke.image_repo));
        map.some("adminUsername", mke.admin_username.as_deref().map(plain));
        map.some(
            "adminPassword",
            mke.admin_password.as_ref().map(|it| self.secret(it)),
        );
        map.some("installFlags", self.flags(&mke.install_flags));
        map.some("upgradeFlags", self.flags(&mke.upgrade_flags));
        let (file, data) = (mke.config_file.as_deref(), mke.config_data.as_ref());
        map.some("configFile", self.file(file, data));
        map.some("configData", self.content(file, data));
        let license = mke.license_file_path.as_deref();
        map.some("licenseFilePath", self.file(license, mke.license.as_ref()));
        self.certificates(&mke.certificate_parts, &mut map);
        if let Some(cloud) = &mke.cloud {
            let mut inner = Map::default();
            inner.put("provider", plain(&cloud.provider));
            let (file, data) = (cloud.config_file.as_deref(), cloud.config_data.as_ref());
            inner.some("configFile", self.file(file, data));
            inner.some("configData", self.content(file, data));
            map.put("cloud", inner.done());
        }
        map.put("nodesHealthRetry", number(mke.nodes_health_retry));
        map.done()
    }

    fn msr(&self, msr: &Msr) -> Tree {
        let mut map = Map::default();
        map.put("version", plain(msr.version.as_str()));
        map.put("imageRepo", plain(&msr.image_repo));
        map.some("installFlags", self.flags(&msr.install_flags));
        map.some("upgradeFlags", self.flags(&msr.upgrade_flags));
        let ids = match msr.replica_ids {
            ReplicaIds::Random => "random",
            ReplicaIds::Sequential => "sequential",
        };
        map.put("replicaIDs", plain(ids));
        self.certificates(&msr.certificates, &mut map);
        map.done()
    }

    fn certificates(&self, parts: &CertificateParts, map: &mut Map) {
        for (part, path, data) in [
            (&parts.ca, "caCertPath", "caCertData"),
            (&parts.cert, "certPath", "certData"),
            (&parts.key, "keyPath", "keyData"),
        ] {
            let (file, content) = (part.path.as_deref(), part.data.as_ref());
            map.some(path, self.file(file, content));
            map.some(data, self.content(file, content));
        }
    }
}
