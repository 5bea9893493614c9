//! The text of a first configuration.

use std::fmt::Write as _;

use super::{
    Assigned, ListedHost, PASSWORD_VARIABLE, Starter, USUAL_MSR, counted, fitting_channel,
};
use crate::api::CURRENT;
use crate::effective::escaped;
use crate::host::Role;
use crate::schema::SCHEMA_URL;
use crate::yaml_out::text;

/// How wide comments are.
const WIDTH: usize = 96;

/// Writes lines.
struct Lines(String);

impl Lines {
    fn line(&mut self, indent: usize, text: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{:indent$}{text}", "");
    }

    /// Adds a comment, on as many lines as it takes.
    fn comment(&mut self, indent: usize, text: &str) {
        let mut line = String::new();
        for word in text.split(' ') {
            if !line.is_empty() && indent + line.len() + word.len() + 3 > WIDTH {
                self.line(indent, &format!("# {line}"));
                line.clear();
            }
            let gap = if line.is_empty() { "" } else { " " };
            line.push_str(gap);
            line.push_str(word);
        }
        self.line(indent, &format!("# {line}"));
    }

    /// Adds what is still to be done; on one line, so that loading tells all of it.
    fn still(&mut self, indent: usize, text: &str) {
        self.line(indent, &format!("# TODO: {text}"));
    }

    fn value(&mut self, indent: usize, key: &str, value: &str) {
        self.line(indent, &format!("{key}: {}", text(&escaped(value))));
    }
}

/// Returns the whole text.
pub(super) fn document(starter: &Starter, assigned: &[Assigned]) -> String {
    let mut lines = Lines(String::new());
    lines.line(0, &format!("# yaml-language-server: $schema={SCHEMA_URL}"));
    lines.comment(
        0,
        "Made by `launchpad init`. `launchpad plan` shows what would be done, and changes nothing.",
    );
    let has_msr = starter.msr_hosts > 0 || assigned.iter().any(|one| one.role == Role::Msr);
    lines.line(0, &format!("apiVersion: {CURRENT}"));
    lines.line(
        0,
        if has_msr {
            "kind: mke+msr"
        } else {
            "kind: mke"
        },
    );
    lines.line(0, "metadata:");
    lines.comment(
        2,
        "Logs, and the client bundle, are in a directory of this name.",
    );
    let name = starter.name.as_deref().unwrap_or("my-cluster");
    lines.value(2, "name", name);
    lines.line(0, "spec:");
    hosts(&mut lines, starter, assigned);
    runtime(&mut lines, starter);
    mke(&mut lines, starter, assigned);
    if has_msr {
        lines.comment(
            2,
            "Read and checked; this version of launchpad has no phase for it yet.",
        );
        lines.line(2, "msr:");
        lines.value(4, "version", USUAL_MSR);
        lines.comment(4, "Replicas are numbered one after the other.");
        lines.line(4, "replicaIDs: sequential");
    }
    lines.0
}

fn hosts(lines: &mut Lines, starter: &Starter, assigned: &[Assigned]) {
    if assigned.is_empty() {
        lines.still(
            2,
            "put the addresses of your hosts here, with an odd number of managers",
        );
        lines.line(2, "hosts:");
        let wanted = starter.managers.unwrap_or(1);
        let roles = std::iter::repeat_n(Role::Manager, wanted).chain([Role::Worker]);
        let roles = roles.chain(std::iter::repeat_n(Role::Msr, starter.msr_hosts));
        for (index, role) in roles.enumerate() {
            let host = ListedHost {
                address: format!("10.0.{}.{}", index / 250, index % 250 + 1),
                ..ListedHost::default()
            };
            self::host(lines, starter, &host, role);
        }
        return;
    }
    let odd = "managers hold the state of the cluster, and their number has to be odd";
    lines.comment(2, &format!("{}: {odd}.", counted(assigned)));
    let is_without = |one: &Assigned| one.host.user.is_none();
    if starter.user.is_none() && assigned.iter().any(is_without) {
        let user = "say who logs in with `user`, where that is neither root nor in your ssh_config";
        lines.still(2, user);
    }
    lines.line(2, "hosts:");
    for one in assigned {
        if let Some(what) = &one.to_do {
            lines.still(4, what);
        }
        host(lines, starter, &one.host, one.role);
    }
}

fn host(lines: &mut Lines, starter: &Starter, host: &ListedHost, role: Role) {
    lines.line(4, &format!("- role: {role}"));
    lines.line(6, "ssh:");
    lines.value(8, "address", &host.address);
    if let Some(user) = host.user.as_ref().or(starter.user.as_ref()) {
        lines.value(8, "user", user);
    }
    if let Some(port) = host.port {
        lines.line(8, &format!("port: {port}"));
    }
    if let Some(key) = host.key.as_ref().or(starter.key.as_ref()) {
        lines.value(8, "keyPath", key);
    }
}

fn runtime(lines: &mut Lines, starter: &Starter) {
    let version = starter.version();
    lines.comment(2, "The container runtime of all hosts.");
    lines.line(2, "mcr:");
    let fitting = fitting_channel(version);
    match (&starter.channel, fitting) {
        (Some(channel), _) => lines.value(4, "channel", channel),
        (None, Some(channel)) => {
            let fits = format!("The channel decides the version; this one fits MKE {version}.");
            lines.comment(4, &fits);
            lines.value(4, "channel", channel);
        }
        (None, None) => {
            lines.still(
                4,
                &format!("name the channel that fits MKE {version}, as in `stable-25.0`"),
            );
            lines.line(4, "channel: stable");
        }
    }
}

fn mke(lines: &mut Lines, starter: &Starter, assigned: &[Assigned]) {
    lines.line(2, "mke:");
    if starter.mke_version.is_none() {
        lines.comment(4, "Nobody has asked for another version.");
    }
    lines.value(4, "version", starter.version());
    if starter.has_password {
        lines.line(4, "adminUsername: admin");
        lines.line(4, &format!("adminPassword: ${{{PASSWORD_VARIABLE}}}"));
    } else {
        let how = "set the administrator: remove the `#` of both lines, and export the variable";
        lines.still(4, how);
        lines.line(4, "# adminUsername: admin");
        lines.line(4, &format!("# adminPassword: ${{{PASSWORD_VARIABLE}}}"));
    }
    let is_manager = |one: &&Assigned| one.role == Role::Manager;
    let managers: Vec<&Assigned> = assigned.iter().filter(is_manager).collect();
    if managers.len() > 1 {
        lines.still(
            4,
            "add the name of the load balancer in front of the managers, if there is one",
        );
    }
    if managers.is_empty() {
        return;
    }
    lines.comment(
        4,
        "Names and addresses that MKE is called by: its certificate is for these.",
    );
    lines.line(4, "installFlags:");
    for one in managers {
        let flag = format!("--san={}", one.host.address);
        lines.line(6, &format!("- {}", text(&flag)));
    }
}
