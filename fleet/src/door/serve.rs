//! What the server of a host offers: its name, keys, methods and algorithms.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::{Algorithm, PrivateKey, PublicKey};
use russh::server::Config;
use russh::{MethodKind, MethodSet, Preferred, SshId, cipher, compression, kex, mac};

use super::gate::Manner;
use super::settings::Settings;
use super::{Door, KeyKind, keys};
use crate::host::Host;

/// How many bytes a client may send before he hears of them.
const WINDOW: u32 = 1 << 20;
/// How many pieces of a client wait for a stream through the host that does not read. A connection
/// stands still where it is more.
const PIECES: usize = 4096;

/// The server of a host, as it was started.
pub(super) struct Served {
    /// What it was told.
    pub(super) settings: Settings,
    /// What it offers.
    plain: Arc<Config>,
    other: Option<Arc<Config>>,
}

impl Served {
    /// Reads what the server of a host is told.
    pub(super) fn read(door: &Door) -> Self {
        let (files, name) = door
            .house
            .fleet
            .host(door.host, |host| (host.files.clone(), version_of(host)));
        let settings = Settings::read(&files);
        let shown = keys::read_host_keys(&files, &settings);
        for wrong in &shown.wrong {
            door.note(wrong.as_str());
        }
        let config = |keys: Vec<PrivateKey>, certificates| {
            Arc::new(Config {
                server_id: SshId::Standard(Cow::Owned(name.clone())),
                methods: methods(&settings),
                auth_rejection_time: Duration::ZERO,
                keys,
                certificates,
                window_size: WINDOW,
                channel_buffer_size: PIECES,
                preferred: preferred(&settings, door),
                max_auth_attempts: attempts(&settings),
                inactivity_timeout: None,
                keepalive_interval: alive(&settings),
                keepalive_max: usize::try_from(settings.number("clientalivecountmax", None, 3))
                    .unwrap_or(3),
                ..Config::default()
            })
        };
        let seed = door.house.fleet.seed();
        let other = keys::key_of(seed, KeyKind::Ed25519, &["other", &door.name]);
        let other = other.ok().map(|key| config(vec![key], Vec::new()));
        Self {
            plain: config(shown.keys, shown.certificates),
            other,
            settings,
        }
    }

    /// Returns what is offered.
    pub(super) fn config(&self, manner: Manner) -> Arc<Config> {
        let other = self.other.as_ref().filter(|_| manner == Manner::OtherKey);
        Arc::clone(other.unwrap_or(&self.plain))
    }
}

/// Returns the keys that a host shows.
pub(super) fn public_keys(door: &Door) -> Vec<PublicKey> {
    let files = door.house.fleet.host(door.host, |host| host.files.clone());
    let shown = keys::read_host_keys(&files, &Settings::read(&files));
    let keys = shown.keys.iter();
    keys.map(|key| key.public_key().clone()).collect()
}

/// Returns the name of the server: that of the package that is installed.
fn version_of(host: &Host) -> String {
    let installed = host.packages.get("openssh-server");
    let version = installed.map_or("1:9.2p1-2", |one| one.package.version.as_str());
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    let (upstream, revision) = version.split_once('-').unwrap_or((version, ""));
    match revision {
        "" => format!("SSH-2.0-OpenSSH_{upstream}"),
        revision => format!("SSH-2.0-OpenSSH_{upstream} Debian-{revision}"),
    }
}

fn methods(settings: &Settings) -> MethodSet {
    let mut methods = MethodSet::empty();
    if settings.is_on("pubkeyauthentication", None, true) {
        methods.push(MethodKind::PublicKey);
    }
    if settings.is_on("passwordauthentication", None, true) {
        methods.push(MethodKind::Password);
    }
    if settings.asks_interactively(None) {
        methods.push(MethodKind::KeyboardInteractive);
    }
    methods
}

fn attempts(settings: &Settings) -> usize {
    usize::try_from(settings.number("maxauthtries", None, 6)).unwrap_or(6)
}

fn alive(settings: &Settings) -> Option<Duration> {
    let seconds = settings.number("clientaliveinterval", None, 0);
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

/// Returns the algorithms of a server: those of OpenSSH 9.2 that there are here, or those that its
/// configuration names.
fn preferred(settings: &Settings, door: &Door) -> Preferred {
    let unknown = |key: &str, name: &str| {
        door.note(format!("sshd_config: {key} `{name}` is not simulated"));
    };
    let mut exchanges = chosen(settings, "kexalgorithms", KEX, |name| {
        kex::Name::try_from(name).map_err(|()| unknown("KexAlgorithms", name))
    });
    exchanges.push(kex::EXTENSION_SUPPORT_AS_SERVER);
    exchanges.push(kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER);
    Preferred {
        kex: Cow::Owned(exchanges),
        cipher: Cow::Owned(chosen(settings, "ciphers", CIPHERS, |name| {
            cipher::Name::try_from(name).map_err(|()| unknown("Ciphers", name))
        })),
        mac: Cow::Owned(chosen(settings, "macs", MACS, |name| {
            mac::Name::try_from(name).map_err(|()| unknown("MACs", name))
        })),
        key: Cow::Owned(chosen(settings, "hostkeyalgorithms", KEYS, |name| {
            Algorithm::new(name).map_err(|_unknown| unknown("HostKeyAlgorithms", name))
        })),
        compression: Cow::Owned(vec![compression::NONE]),
        host_key_certificates: Cow::Borrowed(&[]),
    }
}

const KEX: &[&str] = &[
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group14-sha256",
];
const CIPHERS: &[&str] = &[
    "chacha20-poly1305@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
];
const MACS: &[&str] = &[
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha1-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
    "hmac-sha1",
];
const KEYS: &[&str] = &[
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
];

/// Returns the algorithms that a keyword chooses: a list, or changes to the default (`+`, `-`, `^`).
fn chosen<T>(
    settings: &Settings,
    key: &str,
    default: &[&str],
    read: impl Fn(&str) -> Result<T, ()>,
) -> Vec<T> {
    let value = settings.value(key, None).unwrap_or_default();
    let (sign, list) = match value.chars().next() {
        Some(sign @ ('+' | '-' | '^')) => (Some(sign), &value[1..]),
        _ => (None, value),
    };
    let named: Vec<&str> = list.split(',').map(str::trim).collect();
    let named: Vec<&str> = named.into_iter().filter(|name| !name.is_empty()).collect();
    let names: Vec<&str> = match sign {
        Some('+') => default.iter().copied().chain(named).collect(),
        Some('^') => named
            .iter()
            .copied()
            .chain(default.iter().copied())
            .collect(),
        Some(_) => {
            let fits = |name: &&str| {
                named
                    .iter()
                    .any(|one| crate::shell::pattern::fits(one, name))
            };
            default.iter().copied().filter(|name| !fits(name)).collect()
        }
        None if named.is_empty() => default.to_vec(),
        None => named,
    };
    let mut seen = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen.into_iter()
        .filter_map(|name| read(name).ok())
        .collect()
}
