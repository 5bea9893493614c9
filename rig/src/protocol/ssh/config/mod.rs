//! ssh_config: what it says about one host.
//!
//! [`resolve`] is pure: documents and the one who asks go in, settings come out; what it has to
//! ask of the machine goes through [`World`]. The rules are those of ssh_config(5).
//!
//! | module | holds |
//! |---|---|
//! | `file`, `words`, `glob` | from text to documents |
//! | `key` | the keywords, and what their values may be |
//! | `reading` | which blocks apply, the first value |
//! | `tokens` | `%h`, `${HOME}`, `~` |
//! | `proxy` | ProxyJump and ProxyCommand |
//! | `world` | variables, users, names and commands of this machine |

#[cfg(test)]
mod against_ssh;
mod file;
mod glob;
mod key;
mod proxy;
mod reading;
#[cfg(test)]
mod tests;
mod tokens;
mod words;
mod world;

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub(super) use self::file::{Document, Reader};
pub(super) use self::proxy::{JumpSpec, Proxy};
pub(super) use self::world::{ThisMachine, World};

use self::file::Setting;
use self::key::Key;
use self::reading::Reading;
use super::host_key::Strictness;
use super::pattern;
use crate::connection::ConnectError;

/// Who asks.
#[derive(Clone)]
pub(super) struct Asker<'a> {
    /// The host, as the user named it.
    pub(super) alias: &'a str,
    /// What the user decided already.
    pub(super) user: Option<&'a str>,
    pub(super) port: Option<u16>,
    /// Who logs in where nobody says.
    pub(super) usual_user: &'a str,
    /// The user on this machine.
    pub(super) home: &'a Path,
    pub(super) local_user: &'a str,
    pub(super) local_uid: u32,
    /// The name of this machine.
    pub(super) local_host: &'a str,
    pub(super) world: &'a dyn World,
}

/// Something in ssh_config that was passed over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigWarning {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// What was passed over, and why.
    pub text: String,
}

impl fmt::Display for ConfigWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}`, line {}: {}",
            self.path.display(),
            self.line,
            self.text
        )
    }
}

/// The addresses to use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum AddressFamily {
    #[default]
    Any,
    V4,
    V6,
}

/// The agent to ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum AgentChoice {
    /// That of the environment.
    #[default]
    Usual,
    /// None.
    Nobody,
    /// The one behind this socket.
    Socket(PathBuf),
}

/// When a connection that is silent counts as lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ServerAlive {
    /// The pause before a question; nothing where ssh_config does not say, zero for never.
    pub(super) interval: Option<Duration>,
    /// How many questions may stay without an answer.
    pub(super) count_max: Option<u32>,
}

/// Lists of algorithms, as they stand in the file (`+a,b`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct AlgorithmLists {
    pub(super) ciphers: Option<String>,
    pub(super) macs: Option<String>,
    pub(super) key_exchanges: Option<String>,
    pub(super) host_keys: Option<String>,
    pub(super) public_keys: Option<String>,
}

/// The ways to log in that are allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Methods {
    /// The order, best first; nothing where it is the usual one.
    pub(super) preferred: Option<Vec<String>>,
    pub(super) public_key: bool,
    pub(super) password: bool,
    pub(super) keyboard_interactive: bool,
    /// How often a password is asked for.
    pub(super) prompts: u32,
}

/// What ssh_config says about a host; names and paths are expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HostConfig {
    pub(super) host_name: String,
    pub(super) user: String,
    pub(super) port: u16,
    /// Nothing where none is named; empty for `none`.
    pub(super) identity_files: Option<Vec<PathBuf>>,
    pub(super) certificate_files: Vec<PathBuf>,
    pub(super) identities_only: bool,
    pub(super) identity_agent: AgentChoice,
    pub(super) user_known_hosts: Option<Vec<PathBuf>>,
    pub(super) global_known_hosts: Option<Vec<PathBuf>>,
    /// Lists of keys that no host may have.
    pub(super) revoked_host_keys: Vec<PathBuf>,
    pub(super) strictness: Option<Strictness>,
    pub(super) hash_known_hosts: bool,
    pub(super) host_key_alias: Option<String>,
    pub(super) check_host_ip: bool,
    pub(super) proxy: Proxy,
    pub(super) connect_timeout: Option<Duration>,
    /// How often the TCP connection is tried.
    pub(super) connection_attempts: u32,
    pub(super) server_alive: ServerAlive,
    pub(super) address_family: AddressFamily,
    pub(super) bind_address: Option<String>,
    pub(super) bind_interface: Option<String>,
    pub(super) algorithms: AlgorithmLists,
    pub(super) methods: Methods,
    pub(super) warnings: Vec<ConfigWarning>,
}

/// Reads what the documents say about a host.
pub(super) fn resolve(
    documents: &[Arc<Document>],
    asker: &Asker<'_>,
) -> Result<HostConfig, ConnectError> {
    let mut reading = Reading::new(asker);
    reading.pass(documents)?;
    let mut host_name = reading.host_name()?;
    if !is_address(&host_name) {
        host_name = host_name.to_lowercase();
    }
    let canonicalizes = reading.flag(Key::CanonicalizeHostname, false);
    if canonicalizes {
        host_name = canonical(&reading, host_name)?;
    }
    if canonicalizes || reading.wants_final {
        reading.host.clone_from(&host_name);
        reading.is_final = true;
        reading.pass(documents)?;
    }
    settle(reading, host_name)
}

/// Tells addresses from names; an IPv6 address may have a zone.
fn is_address(host: &str) -> bool {
    let plain = host.split_once('%').map_or(host, |(plain, _zone)| plain);
    plain.parse::<IpAddr>().is_ok()
}

/// Completes a short name with the first of CanonicalDomains where it has an address.
fn canonical(reading: &Reading<'_>, host: String) -> Result<String, ConnectError> {
    let is_direct = reading.proxy().is_none();
    let always = reading
        .word(Key::CanonicalizeHostname)
        .is_some_and(|word| word.eq_ignore_ascii_case("always"));
    let most_dots = reading.number(Key::CanonicalizeMaxDots).unwrap_or(1) as usize;
    let dots = host.matches('.').count();
    if is_address(&host) || !(is_direct || always) || dots > most_dots {
        return Ok(host);
    }
    let Some(setting) = reading.setting(Key::CanonicalDomains) else {
        return Ok(host);
    };
    let found = setting
        .words
        .iter()
        .map(|domain| format!("{host}.{}", domain.to_lowercase()))
        // The dot at the end keeps the resolver from adding domains of its own.
        .find(|name| reading.asker.world.has_address(&format!("{name}.")));
    match found {
        Some(name) => Ok(name),
        None if reading.flag(Key::CanonicalizeFallbackLocal, true) => Ok(host),
        None => Err(setting.place.error(format!(
            "`{host}` is in none of CanonicalDomains, and CanonicalizeFallbackLocal forbids others"
        ))),
    }
}

/// Makes settings of what was found.
fn settle(mut reading: Reading<'_>, host_name: String) -> Result<HostConfig, ConnectError> {
    let warnings = std::mem::take(&mut reading.warnings);
    let text = |key| reading.word(key).map(str::to_owned);
    let count = |key| reading.number(key);
    let expand = |setting: &Setting| paths(&reading, &host_name, setting);
    let listed = |key| reading.setting(key).map(expand).transpose();
    let identity_files = match reading.identity_files() {
        [] => None,
        named => Some(flat(named, expand)?),
    };
    Ok(HostConfig {
        user: reading.user().to_owned(),
        port: reading.port(),
        identity_files,
        certificate_files: flat(reading.certificate_files(), expand)?,
        identities_only: reading.flag(Key::IdentitiesOnly, false),
        identity_agent: agent(&reading, &host_name)?,
        user_known_hosts: listed(Key::UserKnownHostsFile)?,
        global_known_hosts: listed(Key::GlobalKnownHostsFile)?,
        revoked_host_keys: listed(Key::RevokedHostKeys)?.unwrap_or_default(),
        strictness: reading.word(Key::StrictHostKeyChecking).map(strictness),
        hash_known_hosts: reading.flag(Key::HashKnownHosts, false),
        host_key_alias: text(Key::HostKeyAlias).map(|alias| alias.to_lowercase()),
        check_host_ip: reading.flag(Key::CheckHostIp, false),
        proxy: proxy(&reading, &host_name)?,
        connect_timeout: time(&reading, Key::ConnectTimeout).filter(|time| !time.is_zero()),
        connection_attempts: count(Key::ConnectionAttempts).unwrap_or(1).max(1),
        server_alive: ServerAlive {
            interval: time(&reading, Key::ServerAliveInterval),
            count_max: count(Key::ServerAliveCountMax),
        },
        address_family: family(&reading),
        bind_address: text(Key::BindAddress),
        bind_interface: text(Key::BindInterface),
        algorithms: AlgorithmLists {
            ciphers: text(Key::Ciphers),
            macs: text(Key::Macs),
            key_exchanges: text(Key::KexAlgorithms),
            host_keys: text(Key::HostKeyAlgorithms),
            public_keys: text(Key::PubkeyAcceptedAlgorithms),
        },
        methods: methods(&reading),
        warnings,
        host_name,
    })
}

fn flat(
    settings: &[&Setting],
    expand: impl Fn(&Setting) -> Result<Vec<PathBuf>, ConnectError>,
) -> Result<Vec<PathBuf>, ConnectError> {
    let mut all = Vec::new();
    for setting in settings {
        for path in expand(setting)? {
            if !all.contains(&path) {
                all.push(path);
            }
        }
    }
    Ok(all)
}

/// Expands the paths of a setting; `none` stands for no path at all.
fn paths(
    reading: &Reading<'_>,
    host_name: &str,
    setting: &Setting,
) -> Result<Vec<PathBuf>, ConnectError> {
    let tokens = reading.tokens(host_name);
    setting
        .words
        .iter()
        .filter(|word| !word.eq_ignore_ascii_case("none"))
        .map(|word| match setting.key {
            // The manual gives it neither tokens nor variables.
            Key::GlobalKnownHostsFile => Ok(PathBuf::from(word)),
            _ => tokens
                .path(word)
                .map_err(|reason| setting.place.error(reason)),
        })
        .collect()
}

fn agent(reading: &Reading<'_>, host_name: &str) -> Result<AgentChoice, ConnectError> {
    let Some(setting) = reading.setting(Key::IdentityAgent) else {
        return Ok(AgentChoice::Usual);
    };
    let word = setting.words.first().map_or("", String::as_str);
    if word.eq_ignore_ascii_case("none") {
        return Ok(AgentChoice::Nobody);
    }
    if word == "SSH_AUTH_SOCK" {
        return Ok(AgentChoice::Usual);
    }
    // `$NAME` is the variable that holds the path, and may be unset; `${NAME}` is a part of it.
    match word.strip_prefix('$').filter(|name| !name.starts_with('{')) {
        Some(name) => Ok(match reading.asker.world.variable(name) {
            Some(path) => AgentChoice::Socket(PathBuf::from(path)),
            None => AgentChoice::Nobody,
        }),
        None => {
            let path = paths(reading, host_name, setting)?;
            Ok(path
                .into_iter()
                .next()
                .map_or(AgentChoice::Usual, AgentChoice::Socket))
        }
    }
}

fn strictness(word: &str) -> Strictness {
    match word.to_ascii_lowercase().as_str() {
        "no" | "false" | "off" => Strictness::Off,
        "accept-new" => Strictness::AcceptNew,
        // `ask` too: there may be nobody to ask, and they asked to be asked.
        _ => Strictness::Known,
    }
}

fn proxy(reading: &Reading<'_>, host_name: &str) -> Result<Proxy, ConnectError> {
    let Some(setting) = reading.proxy() else {
        return Ok(Proxy::None);
    };
    let word = setting.words.first().map_or("", String::as_str);
    let tokens = reading.tokens(host_name);
    let expand = |text: &str| {
        tokens
            .expand(text, tokens::PROXY)
            .map_err(|reason| setting.place.error(reason))
    };
    if setting.key == Key::ProxyJump {
        let mut jumps = proxy::jumps(word).map_err(|reason| setting.place.error(reason))?;
        for jump in &mut jumps {
            jump.host = expand(&jump.host)?;
            jump.user = jump.user.as_deref().map(&expand).transpose()?;
        }
        return Ok(Proxy::Jump(jumps));
    }
    // They come from elsewhere, and go through a shell.
    let alias = reading.asker.alias;
    let bad = [host_name, alias]
        .into_iter()
        .find(|name| !proxy::is_host_safe(name))
        .or_else(|| Some(reading.user()).filter(|user| !proxy::is_user_safe(user)));
    if let Some(bad) = bad {
        return Err(setting.place.error(format!(
            "`{bad}` has characters that must not go into a ProxyCommand"
        )));
    }
    Ok(Proxy::Command(expand(word)?))
}

fn time(reading: &Reading<'_>, key: Key) -> Option<Duration> {
    words::seconds(reading.word(key)?).map(Duration::from_secs)
}

fn family(reading: &Reading<'_>) -> AddressFamily {
    match reading.word(Key::AddressFamily) {
        Some(word) if word.eq_ignore_ascii_case("inet") => AddressFamily::V4,
        Some(word) if word.eq_ignore_ascii_case("inet6") => AddressFamily::V6,
        _ => AddressFamily::Any,
    }
}

fn methods(reading: &Reading<'_>) -> Methods {
    Methods {
        preferred: reading
            .word(Key::PreferredAuthentications)
            .map(|word| word.split(',').map(str::to_owned).collect()),
        public_key: reading.flag(Key::PubkeyAuthentication, true),
        password: reading.flag(Key::PasswordAuthentication, true),
        keyboard_interactive: reading.flag(Key::KbdInteractiveAuthentication, true),
        prompts: reading.number(Key::NumberOfPasswordPrompts).unwrap_or(3),
    }
}
