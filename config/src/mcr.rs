//! `spec.mcr`: the container runtime.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

use crate::code::Code;
use crate::decode::Value;
use crate::flags::Flags;
use crate::schema;

/// Settings of the container runtime.
#[derive(Clone)]
pub struct Mcr {
    /// The channel that it is installed from (`stable-25.0`).
    pub channel: String,
    /// Whether an engine that a host has stays as it is, since the configuration is one of an old
    /// release and names none.
    pub keeps_engine: bool,
    /// The root of the package repositories.
    pub repo_url: String,
    /// The installer for Windows: a URL, or a file of this machine.
    pub install_url_windows: String,
    /// The content of the license.
    pub license: Option<SecretString>,
    /// Whether reset deletes what the runtime has left.
    pub prune: bool,
    /// Flags of `docker swarm init`.
    pub swarm_install_flags: Flags,
    /// Docker commands that are run after the swarm was made.
    pub swarm_update_commands: Vec<String>,
}

impl fmt::Debug for Mcr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Commands and URLs may hold passwords.
        f.debug_struct("Mcr")
            .field("channel", &self.channel)
            .field("license", &self.license)
            .field("prune", &self.prune)
            .field("swarm_install_flags", &self.swarm_install_flags)
            .finish_non_exhaustive()
    }
}

const REPO_URL: &str = "https://repos.mirantis.com";
const INSTALL_URL_WINDOWS: &str = "https://get.mirantis.com/install.ps1";

/// Options that the Go Launchpad accepts and never reads.
const WITHOUT_EFFECT: [&str; 3] = [
    "additionalRuntimes",
    "defaultRuntime",
    "installScriptRemoteDirLinux",
];

/// Reads `spec.mcr`.
pub(crate) fn decode(value: &Value<'_>) -> Option<Mcr> {
    let mut fields = value.fields(&schema::MCR)?;
    let channel = fields.require("channel", "set the channel, as in `stable-25.0`");
    let channel = channel.and_then(|value| channel_text(&value));
    let repo_url = fields.take("repoURL").and_then(|value| url(&value));
    let install_url_windows = fields.take("installURLWindows").and_then(|value| {
        let text = value.text().filter(|text| !text.is_empty())?;
        if text.contains("://") {
            return Some(text);
        }
        value.local_path().map(|path| path.display().to_string())
    });
    let license = fields.take("license").and_then(|value| value.secret());
    let prune = fields.switch("prune");
    let flags = fields.take("swarmInstallFlags").map(|value| value.flags());
    let commands = fields
        .take("swarmUpdateCommands")
        .map(|value| value.texts());
    for key in WITHOUT_EFFECT {
        if let Some(value) = fields.take(key) {
            value.text();
            warn(&value, key);
        }
    }
    if let Some(value) = fields.take("forceUpgrade") {
        value.boolean();
        warn(&value, "forceUpgrade");
    }
    fields.finish();
    Some(Mcr {
        channel: channel.unwrap_or_default(),
        keeps_engine: false,
        repo_url: repo_url.unwrap_or_else(|| REPO_URL.to_owned()),
        install_url_windows: install_url_windows.unwrap_or_else(|| INSTALL_URL_WINDOWS.to_owned()),
        license: license.filter(|text| !text.expose_secret().is_empty()),
        prune,
        swarm_install_flags: flags.unwrap_or_default(),
        swarm_update_commands: commands.unwrap_or_default(),
    })
}

fn warn(value: &Value<'_>, key: &str) {
    let warning = value.warning_key(Code::WithoutEffect, format!("`{key}` has no effect"));
    value.add(warning.hint("remove it"));
}

/// The channel becomes a part of URLs and of repository files.
fn channel_text(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    let is_channel = text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._~+/-".contains(c))
        && !text.contains("..");
    if !is_channel {
        let problem = value.wrong(Code::Channel, format!("{} is not a channel", value.shown()));
        value.add(
            problem.hint("use a name such as `stable`, `stable-25.0` or `stable-29.2.1/fips`"),
        );
        return None;
    }
    if !text.contains(|c: char| c.is_ascii_digit()) {
        let message = format!(
            "the channel {} names no version: hosts that come later get another engine",
            value.shown()
        );
        let warning = value.warning(Code::ChannelWithoutVersion, message);
        value.add(warning.hint("name the version, as in `stable-25.0`"));
    }
    Some(text)
}

fn url(value: &Value<'_>) -> Option<String> {
    let text = value.text().filter(|text| !text.is_empty())?;
    let is_url =
        text.contains("://") && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    if !is_url {
        let problem = value.wrong(Code::Url, format!("{} is not a URL", value.shown()));
        value.add(problem.hint("start it with `https://`"));
        return None;
    }
    Some(text)
}
