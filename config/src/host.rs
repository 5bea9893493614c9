//! A host of the cluster: its role, its connection and its settings.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::address::{self, AddressError};
use crate::code::Code;
use crate::connection::{self, Connection};
use crate::decode::Value;
use crate::node;
use crate::schema;
use crate::secret;

/// What a host is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// A manager of the swarm.
    Manager,
    /// A worker.
    Worker,
    /// A replica of Mirantis Secure Registry.
    Msr,
}

const ROLES: &[(&str, Role)] = &[
    ("manager", Role::Manager),
    ("worker", Role::Worker),
    ("msr", Role::Msr),
];

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Manager => "manager",
            Self::Worker => "worker",
            Self::Msr => "msr",
        })
    }
}

/// A text that names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no role: there are `manager`, `worker` and `msr`")]
pub struct UnknownRole(String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let known = ROLES.iter().find(|(name, _)| *name == text);
        known
            .map(|(_, role)| *role)
            .ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// Commands before and after an operation.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct HookPair {
    /// Commands to run before it.
    pub before: Vec<String>,
    /// Commands to run after it.
    pub after: Vec<String>,
}

/// Commands of the user that are run on a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hooks {
    /// Around `apply`.
    pub apply: HookPair,
    /// Around `reset`.
    pub reset: HookPair,
}

/// A host.
#[derive(Clone)]
pub struct Host {
    /// Its place in the configuration, from 0.
    pub index: usize,
    /// What it is for.
    pub role: Role,
    /// How it is reached.
    pub connection: Connection,
    /// The interface whose address the other nodes use.
    pub private_interface: Option<String>,
    /// Wanted keys of the engine's configuration file.
    pub mcr_config: BTreeMap<String, serde_json::Value>,
    /// Wanted variables of the environment.
    pub environment: BTreeMap<String, String>,
    /// Commands of the user.
    pub hooks: Hooks,
    /// The directory of image archives on this machine, `~` expanded.
    pub image_dir: Option<PathBuf>,
    /// Whether docker commands are run through sudo.
    pub sudodocker: bool,
    /// Whether sudo is used without asking whether it is needed.
    pub sudooverride: bool,
    /// Whether the engine is left as it is.
    pub mcrupgradeskip: bool,
    /// The address of the host in the swarm.
    pub swarm_address: Option<String>,
}

impl Host {
    /// Returns the address of the connection.
    pub fn address(&self) -> &str {
        self.connection.address()
    }

    /// Returns the name of the host in messages, where no other has the same address; see
    /// [`Config::host_names`](crate::Config::host_names).
    pub(crate) fn name(&self) -> &str {
        match &self.connection {
            Connection::Localhost(_) => "localhost",
            other => other.address(),
        }
    }

    pub(crate) fn name_with_port(&self) -> String {
        match self.connection.port() {
            Some(port) => format!("{}:{port}", address::in_url(self.address())),
            None => self.name().to_owned(),
        }
    }

    pub(crate) fn name_with_way(&self) -> String {
        let mut name = self.name_with_port();
        for (address, port) in self.connection.identity().into_iter().skip(1) {
            name.push_str(&format!(" via {}:{port}", address::in_url(&address)));
        }
        name
    }

    /// Returns its path in the document (`spec.hosts[2]`).
    pub fn path(&self) -> String {
        node::item_path("spec.hosts", self.index)
    }
}

impl fmt::Debug for HookPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Commands may hold passwords.
        f.debug_struct("HookPair")
            .field("before", &self.before.len())
            .field("after", &self.after.len())
            .finish()
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The environment and the engine's configuration may hold passwords.
        f.debug_struct("Host")
            .field("index", &self.index)
            .field("role", &self.role)
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

/// Reads a host.
pub(crate) fn decode(value: &Value<'_>, index: usize) -> Option<Host> {
    if value.is_null() {
        let problem = value.wrong(Code::EmptyHost, "the host is empty");
        value.add(problem.hint("remove the `-`, or give the host a role and a connection"));
        return None;
    }
    let mut fields = value.fields(&schema::HOST)?;
    let role = fields.require("role", "set it to `manager`, `worker` or `msr`");
    let role = role.and_then(|value| value.one_of("a role", ROLES));
    let connection = connection::connection(&mut fields);
    let private_interface = fields.take("privateInterface").and_then(|value| {
        let text = value.text().filter(|text| !text.is_empty())?;
        if text.chars().count() <= 2 {
            let message = "the name of an interface has at least three characters";
            value.error(Code::InterfaceName, message);
        }
        Some(text)
    });
    let swarm_address = fields
        .take("swarmAddress")
        .and_then(|value| swarm_address(&value));
    let mcr_config = fields.take("mcrConfig").map(|value| {
        let entries = value.entries().into_iter();
        entries.map(|(key, value)| (key, value.json())).collect()
    });
    let environment = fields.take("environment").map(|value| environment(&value));
    let hooks = fields.take("hooks").and_then(|value| hooks(&value));
    let image_dir = fields.take("imageDir").and_then(|value| value.local_path());
    let sudodocker = fields.switch("sudodocker");
    let sudooverride = fields.switch("sudooverride");
    let mcrupgradeskip = fields.switch("mcrupgradeskip");
    fields.finish();
    Some(Host {
        index,
        role: role?,
        connection: connection?,
        private_interface,
        mcr_config: mcr_config.unwrap_or_default(),
        environment: environment.unwrap_or_default(),
        hooks: hooks.unwrap_or_default(),
        image_dir: image_dir.filter(|path| !path.as_os_str().is_empty()),
        sudodocker,
        sudooverride,
        mcrupgradeskip,
        swarm_address,
    })
}

fn swarm_address(value: &Value<'_>) -> Option<String> {
    let text = value.text().filter(|text| !text.is_empty())?;
    if let Err(error) = address::check(&text) {
        let hint = match error {
            AddressError::Port => "remove the port: 2377 is used",
            AddressError::Brackets => "remove the brackets",
            AddressError::Empty | AddressError::Other => "use the host's address in the swarm",
        };
        let message = format!("{} {error}", value.shown());
        value.add(value.wrong(Code::Address, message).hint(hint));
        return None;
    }
    Some(text)
}

fn environment(value: &Value<'_>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (name, value) in value.entries() {
        let is_name =
            !name.is_empty() && !name.contains(['=', '\0']) && !name.contains(char::is_whitespace);
        if !is_name {
            let message = "this cannot be the name of a variable";
            value.add(value.wrong_key(Code::EnvironmentVariable, message));
            continue;
        }
        let text = if value.is_null() {
            Some(String::new())
        } else {
            value.text()
        };
        let Some(text) = text else { continue };
        if secret::is_secret_name(&name) {
            value.check_plain_secret(&name);
        }
        if text.contains(['\n', '\r', '\0']) {
            let message = "the value of a variable is one line";
            value.error(Code::EnvironmentVariable, message);
            continue;
        }
        found.insert(name, text);
    }
    found
}

fn hooks(value: &Value<'_>) -> Option<Hooks> {
    let mut fields = value.fields(&schema::HOOKS)?;
    let mut pair = |key| {
        fields
            .take(key)
            .and_then(|value| hook_pair(&value))
            .unwrap_or_default()
    };
    let hooks = Hooks {
        apply: pair("apply"),
        reset: pair("reset"),
    };
    fields.finish();
    Some(hooks)
}

fn hook_pair(value: &Value<'_>) -> Option<HookPair> {
    let mut fields = value.fields(&schema::HOOK_PAIR)?;
    let mut commands = |key| {
        fields
            .take(key)
            .map(|value| value.texts())
            .unwrap_or_default()
    };
    let pair = HookPair {
        before: commands("before"),
        after: commands("after"),
    };
    fields.finish();
    Some(pair)
}
