//! How a host is reached: one block of `ssh`, `openSSH`, `winRM` or `localhost`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use secrecy::SecretString;

use crate::address;
use crate::code::Code;
use crate::decode::{Fields, Value};
use crate::schema;

/// How a host is reached.
#[derive(Debug, Clone)]
pub enum Connection {
    /// By SSH.
    Ssh(Ssh),
    /// By the OpenSSH client of this machine.
    OpenSsh(OpenSsh),
    /// By Windows Remote Management.
    WinRm(WinRm),
    /// It is this machine.
    Localhost(Localhost),
}

/// An `ssh` block. What is not given is left to the SSH configuration of the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ssh {
    /// The name or address of the host.
    pub address: String,
    /// The port, if given.
    pub port: Option<u16>,
    /// The user, if given.
    pub user: Option<String>,
    /// The file of the private key, `~` expanded.
    pub key_path: Option<PathBuf>,
    /// The public key that the host has to show (deprecated).
    pub host_key: Option<String>,
    /// The host that the connection goes through.
    pub bastion: Option<Box<Ssh>>,
}

/// An `openSSH` block.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenSsh {
    /// The name, address or alias of the host.
    pub address: String,
    /// The port, if given.
    pub port: Option<u16>,
    /// The user, if given.
    pub user: Option<String>,
    /// The file of the private key, `~` expanded.
    pub key_path: Option<PathBuf>,
    /// The file of the SSH configuration, `~` expanded.
    pub config_path: Option<PathBuf>,
    /// Options of the client with their values, nearly always one; booleans are `yes` and `no`.
    pub options: BTreeMap<String, Vec<String>>,
    /// Whether each command has a connection of its own.
    pub disable_multiplexing: bool,
}

/// A `winRM` block.
#[derive(Debug, Clone)]
pub struct WinRm {
    /// The name or address of the host.
    pub address: String,
    /// The user.
    pub user: String,
    /// The port.
    pub port: u16,
    /// The password.
    pub password: Option<SecretString>,
    /// Whether TLS is used.
    pub use_https: bool,
    /// Whether certificates are not checked.
    pub insecure: bool,
    /// Whether NTLM is used for the login.
    pub use_ntlm: bool,
    /// The file of the CA certificate.
    pub ca_cert_path: Option<PathBuf>,
    /// The file of the client certificate.
    pub cert_path: Option<PathBuf>,
    /// The file of the key of the client certificate.
    pub key_path: Option<PathBuf>,
    /// The name that the certificate of the host has to have.
    pub tls_server_name: Option<String>,
    /// The host that the connection goes through.
    pub bastion: Option<Box<Ssh>>,
}

/// A `localhost` block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Localhost {}

impl Connection {
    /// Returns the name or address; `127.0.0.1` for this machine.
    pub fn address(&self) -> &str {
        match self {
            Self::Ssh(ssh) => &ssh.address,
            Self::OpenSsh(open_ssh) => &open_ssh.address,
            Self::WinRm(win_rm) => &win_rm.address,
            Self::Localhost(_) => "127.0.0.1",
        }
    }

    /// Returns the port, 22 where it is left to the SSH configuration of the user; `None` for this
    /// machine.
    pub fn port(&self) -> Option<u16> {
        match self {
            Self::Ssh(ssh) => Some(ssh.port.unwrap_or(22)),
            Self::OpenSsh(open_ssh) => Some(open_ssh.port.unwrap_or(22)),
            Self::WinRm(win_rm) => Some(win_rm.port),
            Self::Localhost(_) => None,
        }
    }

    /// Returns what two equal hosts have in common: address, port, and the way there.
    pub(crate) fn identity(&self) -> Vec<(String, u16)> {
        let bastion = match self {
            Self::Ssh(ssh) => &ssh.bastion,
            Self::WinRm(win_rm) => &win_rm.bastion,
            Self::OpenSsh(_) | Self::Localhost(_) => &None,
        };
        let Some(port) = self.port() else {
            return vec![("localhost".to_owned(), 0)];
        };
        let mut chain = vec![(address::canonical(self.address()), port)];
        let mut next = bastion.as_deref();
        while let Some(ssh) = next {
            chain.push((address::canonical(&ssh.address), ssh.port.unwrap_or(22)));
            next = ssh.bastion.as_deref();
        }
        chain
    }
}

impl fmt::Debug for OpenSsh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Options may hold anything, a proxy command with a password too.
        f.debug_struct("OpenSsh")
            .field("address", &self.address)
            .field("port", &self.port)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// What to write where no connection is given.
const HINT: &str = "add one of `ssh`, `openSSH`, `winRM` and `localhost`";

/// Reads the connection of a host: exactly one block.
pub(crate) fn connection(host: &mut Fields<'_>) -> Option<Connection> {
    let given = [
        host.take("ssh"),
        host.take("openSSH"),
        host.take("winRM"),
        host.take("localhost"),
    ];
    let [ssh, open_ssh, win_rm, local] = given;
    let is_off = local.as_ref().is_some_and(is_disabled);
    let blocks: Vec<&Value<'_>> = [&ssh, &open_ssh, &win_rm]
        .into_iter()
        .flatten()
        .chain(local.iter().filter(|_| !is_off))
        .collect();
    if let [_, second, ..] = blocks.as_slice() {
        let problem = second.wrong_key(
            Code::TwoConnections,
            "a host has one connection block, this is another one",
        );
        second.add(problem.hint("remove one of them"));
    }
    if blocks.is_empty() {
        match local.filter(|_| is_off) {
            Some(local) => {
                let message =
                    "`localhost` is not enabled, so that the host has no connection block";
                local.add(local.wrong(Code::NoConnection, message).hint(HINT));
            }
            None => {
                let message = "the host has no connection block";
                host.error(Code::NoConnection, message, HINT);
            }
        }
        return None;
    }
    // All of them are read, for what is wrong in them.
    let ssh = ssh
        .and_then(|value| decode_ssh(&value))
        .map(Connection::Ssh);
    let open_ssh = open_ssh.and_then(|value| decode_open_ssh(&value));
    let win_rm = win_rm.and_then(|value| decode_win_rm(&value));
    let local = local.and_then(|value| decode_localhost(&value));
    ssh.or(open_ssh.map(Connection::OpenSsh))
        .or(win_rm.map(Connection::WinRm))
        .or(local.map(Connection::Localhost))
}

/// Whether a `localhost` block says that it is not meant.
fn is_disabled(block: &Value<'_>) -> bool {
    if block.is_scalar() {
        return false;
    }
    let entries = block.entries();
    let enabled = entries.iter().find(|(key, _)| key == "enabled");
    enabled.is_some_and(|(_, value)| value.is_scalar() && value.json() == false)
}

fn decode_localhost(block: &Value<'_>) -> Option<Localhost> {
    if block.is_scalar() {
        let message = format!("expected a mapping, found {}", block.shown());
        let problem = block.wrong(Code::WrongType, message);
        block.add(problem.hint("write `localhost: {enabled: true}`"));
        return None;
    }
    let mut fields = block.fields(&schema::LOCALHOST)?;
    if let Some(enabled) = fields.take("enabled") {
        enabled.boolean()?;
    }
    fields.finish();
    Some(Localhost {})
}

/// Reads the address of a host.
fn host_address(fields: &mut Fields<'_>) -> Option<String> {
    let value = fields.require("address", "set the name or address of the host")?;
    let text = value.text()?;
    if let Err(error) = address::check(&text) {
        let hint = match error {
            address::AddressError::Port => "set `port` beside it",
            address::AddressError::Brackets => "remove the brackets",
            address::AddressError::Empty | address::AddressError::Other => {
                "use a host name (letters, digits, `-` and `.`) or an IP address"
            }
        };
        let message = match error {
            address::AddressError::Empty => "the address is empty".to_owned(),
            _ => format!("{} {error}", value.shown()),
        };
        value.add(value.wrong(Code::Address, message).hint(hint));
        return None;
    }
    Some(text)
}

/// Reads the name of a user, which must not be taken for an option of the SSH client.
fn user(fields: &mut Fields<'_>) -> Option<String> {
    let value = fields.take("user")?;
    let text = value.text().filter(|text| !text.is_empty())?;
    if text.starts_with('-') || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        let message = format!("{} is not the name of a user", value.shown());
        value.error(Code::UserName, message);
        return None;
    }
    Some(text)
}

fn local_path(fields: &mut Fields<'_>, key: &'static str) -> Option<PathBuf> {
    let value = fields.take(key)?;
    let is_empty = value.is_scalar() && value.text().is_some_and(|text| text.is_empty());
    if is_empty { None } else { value.local_path() }
}

/// Reads the path of a private key, which others should not be able to read.
fn key_path(fields: &mut Fields<'_>) -> Option<PathBuf> {
    let path = local_path(fields, "keyPath")?;
    if let Some(value) = fields.take("keyPath") {
        value.check_private(&path);
    }
    Some(path)
}

fn decode_ssh(block: &Value<'_>) -> Option<Ssh> {
    let mut fields = block.fields(&schema::SSH)?;
    let address = host_address(&mut fields);
    let port = fields.take("port").and_then(|value| value.port());
    let user = user(&mut fields);
    let key_path = key_path(&mut fields);
    let host_key = fields.take("hostKey").and_then(|value| {
        let message = "`hostKey` is deprecated: the host is accepted only with this one key";
        let warning = value.warning_key(Code::HostKey, message);
        value.add(warning.hint("put the key into the known hosts file, and remove `hostKey`"));
        value.text().filter(|text| !text.is_empty())
    });
    let bastion = bastion(&mut fields);
    fields.finish();
    Some(Ssh {
        address: address?,
        port,
        user,
        key_path,
        host_key,
        bastion: bastion?,
    })
}

/// Returns nothing where the bastion is wrong: without it the host would be another one.
fn bastion(fields: &mut Fields<'_>) -> Option<Option<Box<Ssh>>> {
    match fields.take("bastion") {
        Some(block) => decode_ssh(&block).map(|ssh| Some(Box::new(ssh))),
        None => Some(None),
    }
}

fn decode_open_ssh(block: &Value<'_>) -> Option<OpenSsh> {
    let mut fields = block.fields(&schema::OPEN_SSH)?;
    let address = fields.require("address", "set the name or address of the host");
    let address = address.and_then(|value| {
        let text = value.text()?;
        let is_alias = !text.is_empty()
            && !text.starts_with('-')
            && !text.contains(|c: char| c.is_whitespace() || c.is_control());
        if !is_alias {
            let message = format!("{} is not the name of a host", value.shown());
            value.error(Code::Address, message);
        }
        is_alias.then_some(text)
    });
    let port = fields.take("port").and_then(|value| value.port());
    let user = user(&mut fields);
    let key_path = key_path(&mut fields);
    let config_path = local_path(&mut fields, "configPath");
    let options = fields.take("options").map(|options| {
        let entries = options.entries().into_iter();
        entries
            .filter_map(|(name, value)| Some((name, option_values(&value)?)))
            .collect()
    });
    let disable_multiplexing = fields.switch("disableMultiplexing");
    fields.finish();
    Some(OpenSsh {
        address: address?,
        port,
        user,
        key_path,
        config_path,
        options: options.unwrap_or_default(),
        disable_multiplexing,
    })
}

/// Returns the values of an option of the SSH client: of a list, all of them.
fn option_values(value: &Value<'_>) -> Option<Vec<String>> {
    if !value.json().is_array() {
        return Some(vec![option_text(value)?]);
    }
    value.list().iter().map(option_text).collect()
}

/// Returns one value of an option of the SSH client.
fn option_text(value: &Value<'_>) -> Option<String> {
    match value.json() {
        serde_json::Value::Bool(true) => Some("yes".to_owned()),
        serde_json::Value::Bool(false) => Some("no".to_owned()),
        _ => value.text(),
    }
}

fn decode_win_rm(block: &Value<'_>) -> Option<WinRm> {
    let mut fields = block.fields(&schema::WIN_RM)?;
    let address = host_address(&mut fields);
    let user = fields.take("user").and_then(|value| {
        let text = value.text().filter(|text| !text.is_empty())?;
        if text.chars().count() <= 2 {
            let message = "the name of the user is too short: it has at least three characters";
            value.error(Code::UserName, message);
        }
        Some(text)
    });
    let port = fields.take("port").and_then(|value| value.port());
    let password = fields.take("password").and_then(|value| {
        value.check_plain_secret("WINRM_PASSWORD");
        value.secret()
    });
    let use_https = fields.switch("useHTTPS");
    let insecure = fields.switch("insecure");
    let use_ntlm = fields.switch("useNTLM");
    let mut file = |key| {
        fields.take(key).and_then(|value| {
            let path = value.file()?.0;
            if key == "keyPath" {
                value.check_private(&path);
            }
            Some(path)
        })
    };
    let (ca_cert_path, cert_path, key_path) =
        (file("caCertPath"), file("certPath"), file("keyPath"));
    let tls_server_name = fields.take("tlsServerName").and_then(|value| {
        let text = value.text().filter(|text| !text.is_empty())?;
        if let Err(error) = address::check(&text) {
            let message = format!("{} {error}", value.shown());
            value.error(Code::Address, message);
        }
        Some(text)
    });
    let bastion = bastion(&mut fields);
    fields.finish();
    Some(WinRm {
        address: address?,
        user: user.unwrap_or_else(|| "Administrator".to_owned()),
        port: match port {
            // The Go Launchpad cannot tell the default from the same number given.
            None | Some(5985) if use_https => 5986,
            None => 5985,
            Some(port) => port,
        },
        password: password.filter(|password| {
            use secrecy::ExposeSecret as _;
            !password.expose_secret().is_empty()
        }),
        use_https,
        insecure,
        use_ntlm,
        ca_cert_path,
        cert_path,
        key_path,
        tls_server_name,
        bastion: bastion?,
    })
}
