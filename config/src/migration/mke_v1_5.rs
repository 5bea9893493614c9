//! Launchpad 1.5.8 to 1.5.15: a script installed the engine, in a version of its own.

use super::draft::{Draft, form, meaning};
use crate::node::Kind;
use crate::substitute::only_expression;

const VERSION: &str = "spec.mcr.version";
const CHANNEL: &str = "spec.mcr.channel";

/// To `mke/v1.6`.
pub(super) fn step(draft: &mut Draft) {
    for host in draft.hosts() {
        connection(draft, &host);
    }
    draft.drop_null("spec.mcr");
    let is_block = draft.value("spec.mcr").is_none() || draft.is_mapping("spec.mcr");
    if is_block {
        script(draft);
        for path in [VERSION, CHANNEL] {
            draft.drop_null(path);
        }
        channel(draft);
    }
    draft.version(super::CURRENT);
}

/// Of several connections of a host one was used.
fn connection(draft: &mut Draft, host: &str) {
    let at = |key: &str| format!("{host}.{key}");
    let is_off = draft.boolean(&at("localhost.enabled")) == Some(false);
    let mut given: Vec<&str> = ["winRM", "localhost", "ssh", "openSSH"]
        .into_iter()
        .filter(|key| draft.given(&at(key)).is_some())
        .collect();
    if is_off && given.len() > 1 {
        given.retain(|key| *key != "localhost");
        draft.drop(
            &at("localhost"),
            form("it says that this is no local machine"),
        );
    }
    let Some((first, others)) = given.split_first() else {
        return;
    };
    for other in others {
        let why = format!("the host has a block `{first}`, too, and that one is used");
        draft.drop(&at(other), meaning(why, format!("remove `{other}`")));
    }
}

/// The scripts that installed the engine.
fn script(draft: &mut Draft) {
    for key in ["installURL", "installURLLinux"] {
        let path = format!("spec.mcr.{key}");
        draft.drop_null(&path);
        let why = "no script is run any more: the packages of the engine come from \
                   `spec.mcr.repoURL` (https://repos.mirantis.com by default)";
        let hint = "in an air-gapped network set `spec.mcr.repoURL` to your mirror";
        draft.drop(&path, meaning(why, hint));
    }
}

/// A version and a channel become a channel.
fn channel(draft: &mut Draft) {
    let is_scalar = |path: &str| {
        draft
            .value(path)
            .is_none_or(|value| matches!(value.kind, Kind::Scalar(_)))
    };
    if !is_scalar(VERSION) || !is_scalar(CHANNEL) {
        return;
    }
    let (version, channel) = (text(draft, VERSION), text(draft, CHANNEL));
    match (version, channel) {
        (None, None) => {
            let engine = draft.form.engine;
            let why = format!(
                "no version of MCR is set: it was {engine} in the releases that read this form; the \
                 channel is `stable` now, and an engine that is installed stays as it is"
            );
            draft.keeps_engine = true;
            let span = draft.written_at("spec.mcr");
            draft.drop(VERSION, form("it is empty"));
            let reason = meaning(why, "set `spec.mcr.channel`, as in `stable-25.0`");
            draft.set(CHANNEL, "stable", span, reason);
        }
        (None, Some(channel)) => {
            draft.drop(VERSION, form("it is empty"));
            if !channel.contains('-') && !draft.is_open(CHANNEL) {
                draft.keeps_engine = true;
                let engine = draft.form.engine;
                let why = format!(
                    "no version of MCR is set: it was {engine} in the releases that read this \
                     form; an engine that is installed stays as it is"
                );
                let hint = format!("set `spec.mcr.channel`, as in `{channel}-25.0`");
                draft.note(CHANNEL, meaning(why, hint));
            }
        }
        (Some(version), channel) => {
            let channel = channel.as_deref();
            let Some(merged) = merged(draft, &version, channel.unwrap_or("stable")) else {
                let why = "the version belongs to the channel now, and what the variables hold \
                           decides how";
                let hint = "write the channel with its version, as in `stable-25.0.9`, and remove \
                            `version`";
                return draft.leave(VERSION, meaning(why, hint));
            };
            let shown = merged.clone();
            let why = format!("the version of MCR is part of the channel now: `{shown}`");
            let reason = meaning(why, "packages of this version have to be in the repository");
            let span = draft.written_at(VERSION);
            if channel.is_some() {
                draft.drop(VERSION, form("it is part of the channel now"));
                let span = draft.written_at(CHANNEL);
                draft.set(CHANNEL, merged, span, reason);
            } else {
                draft.drop(CHANNEL, form("it is empty"));
                draft.rename(VERSION, "channel", form("it is part of the channel now"));
                draft.set(CHANNEL, merged, span, reason);
            }
        }
    }
}

fn text(draft: &Draft, path: &str) -> Option<String> {
    draft.filled(path).map(ToOwned::to_owned)
}

/// Returns the channel with the version in it; nothing where variables decide how.
fn merged(draft: &Draft, version: &str, channel: &str) -> Option<String> {
    if draft.is_open(VERSION) && only_expression(version) == Some(Some("")) {
        return None;
    }
    if draft.is_open(CHANNEL) {
        let default = only_expression(channel)?;
        let is_name = default.is_none_or(|text| !text.contains(['-', '/', '$']));
        return is_name.then(|| format!("{channel}-{}", full(version)));
    }
    let (name, suffix) = match channel.split_once('/') {
        Some((name, suffix)) => (name, format!("/{suffix}")),
        None => (channel, String::new()),
    };
    let name = name.split('-').next().unwrap_or(name);
    Some(format!("{name}-{}{suffix}", full(version)))
}

/// A channel has at least a major and a minor version.
fn full(version: &str) -> String {
    let is_major = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
    if is_major {
        format!("{version}.0")
    } else {
        version.to_owned()
    }
}
