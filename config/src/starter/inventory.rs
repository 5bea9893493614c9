//! Hosts of a file: one on each line, or an inventory of Ansible in its INI form.

use std::collections::{BTreeMap, BTreeSet};

use super::StarterError;
use super::hosts::{self, ListedHost, check_count};
use crate::host::Role;

/// Names of groups that say what a host is for; the first that a host is in counts.
const GROUPS: &[(&[&str], Role)] = &[
    (&["msr", "dtr", "registry"], Role::Msr),
    (
        &[
            "manager",
            "managers",
            "master",
            "masters",
            "controller",
            "controllers",
            "control_plane",
            "controlplane",
            "kube_control_plane",
            "swarm_managers",
        ],
        Role::Manager,
    ),
    (
        &["worker", "workers", "agents", "kube_node", "swarm_workers"],
        Role::Worker,
    ),
];

/// Variables of a host or a group.
type Variables = BTreeMap<String, String>;

/// What a section of the file holds.
#[derive(Clone, PartialEq, Eq)]
enum Section {
    /// Hosts of a group; no group before the first section.
    Hosts(Option<String>),
    /// Variables of a group.
    Variables(String),
    /// Groups of a group.
    Children(String),
}

/// A file as it was read.
#[derive(Default)]
struct Inventory {
    /// Hosts in their order, each with its variables.
    hosts: Vec<(ListedHost, Variables)>,
    /// The groups of each host, by its place.
    members: BTreeMap<String, BTreeSet<usize>>,
    /// The groups of each group.
    children: BTreeMap<String, Vec<String>>,
    /// The variables of each group.
    variables: BTreeMap<String, Variables>,
}

/// Reads the hosts of a file.
///
/// # Errors
///
/// Fails with the first line that cannot be read.
pub fn parse_inventory(text: &str) -> Result<Vec<ListedHost>, StarterError> {
    let mut inventory = Inventory::default();
    let mut section = Section::Hosts(None);
    for (index, line) in text.lines().enumerate() {
        let line = without_comment(line.trim_start_matches('\u{FEFF}'));
        let read = match line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            _ if line.is_empty() => Ok(()),
            Some(name) if !name.contains('[') && is_section(name) => {
                section = named(name);
                Ok(())
            }
            _ => inventory.line(&section, line),
        };
        read.map_err(|why| StarterError::Inventory {
            line: index + 1,
            why,
        })?;
        check_count(inventory.hosts.len())?;
    }
    Ok(inventory.finish())
}

/// Whether a text in brackets is the name of a section, and not a range or an address.
fn is_section(name: &str) -> bool {
    let group = name.split(':').next().unwrap_or_default();
    group.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.parse::<std::net::IpAddr>().is_err()
}

fn named(name: &str) -> Section {
    match name.split_once(':') {
        Some((group, "vars")) => Section::Variables(group.to_owned()),
        Some((group, "children")) => Section::Children(group.to_owned()),
        Some(_) | None => Section::Hosts(Some(name.to_owned())),
    }
}

/// Returns a line without white space around it and without its comment.
fn without_comment(line: &str) -> &str {
    let is_start = |at: &usize| {
        let before = line.get(..*at).unwrap_or_default();
        before.is_empty() || before.ends_with(char::is_whitespace)
    };
    let starts = line.match_indices(['#', ';']).map(|(at, _)| at);
    let end = starts.clone().find(is_start).unwrap_or(line.len());
    line.get(..end).unwrap_or(line).trim()
}

impl Inventory {
    fn line(&mut self, section: &Section, line: &str) -> Result<(), String> {
        match section {
            Section::Hosts(group) => self.host(group.as_deref(), line),
            Section::Children(group) => {
                let below = self.children.entry(group.clone()).or_default();
                below.push(line.to_owned());
                Ok(())
            }
            Section::Variables(group) => {
                let (name, value) = assignment(line).ok_or("a variable is `name=value`")?;
                let of = self.variables.entry(group.clone()).or_default();
                of.insert(name, value);
                Ok(())
            }
        }
    }

    fn host(&mut self, group: Option<&str>, line: &str) -> Result<(), String> {
        let words = shell_words(line).ok_or("a quote is not closed")?;
        let mut words = words.into_iter();
        let name = words.next().unwrap_or_default();
        let mut variables = Variables::new();
        for word in words {
            let (name, value) = assignment(&word)
                .ok_or_else(|| format!("`{word}` is no variable such as `ansible_user=ops`"))?;
            variables.insert(name, value);
        }
        for host in named_hosts(&name, &variables)? {
            let known = self
                .hosts
                .iter()
                .position(|(one, _)| one.address == host.address);
            let index = known.unwrap_or(self.hosts.len());
            if known.is_none() {
                self.hosts.push((host, Variables::new()));
            }
            if let Some((_, of)) = self.hosts.get_mut(index) {
                of.extend(variables.clone());
            }
            let groups = group.into_iter().chain(["all"]);
            for group in groups {
                let of = self.members.entry(group.to_owned()).or_default();
                of.insert(index);
            }
        }
        Ok(())
    }

    /// Returns the hosts of a group and of the groups below it.
    fn members(&self, group: &str, above: &mut Vec<String>) -> BTreeSet<usize> {
        let mut found = self.members.get(group).cloned().unwrap_or_default();
        if above.iter().any(|one| one == group) {
            return found;
        }
        above.push(group.to_owned());
        for below in self.children.get(group).into_iter().flatten() {
            found.extend(self.members(below, above));
        }
        above.pop();
        found
    }

    /// Gives every host its role and what its variables say: its own first, then those of its group,
    /// those of all hosts last.
    fn finish(self) -> Vec<ListedHost> {
        let mut groups: Vec<&String> = self.variables.keys().collect();
        groups.sort_by_key(|name| {
            (
                name.as_str() != "all",
                self.members(name, &mut Vec::new()).len(),
            )
        });
        groups.sort_by_key(|name| std::cmp::Reverse(self.members(name, &mut Vec::new()).len()));
        let mut inherited = vec![Variables::new(); self.hosts.len()];
        for group in groups {
            for index in self.members(group, &mut Vec::new()) {
                inherited[index].extend(self.variables[group].clone());
            }
        }
        let mut roles = vec![None; self.hosts.len()];
        for (names, role) in GROUPS {
            for index in names
                .iter()
                .flat_map(|name| self.members(name, &mut Vec::new()))
            {
                roles[index].get_or_insert(*role);
            }
        }
        let all = self.hosts.into_iter().zip(inherited).zip(roles);
        all.map(|(((host, own), mut variables), role)| {
            variables.extend(own);
            described(host, role, &variables)
        })
        .collect()
    }
}

/// Returns the hosts that a word names. Where an address is given beside it, it is only a name.
fn named_hosts(name: &str, variables: &Variables) -> Result<Vec<ListedHost>, String> {
    let address = ["ansible_host", "ansible_ssh_host"]
        .iter()
        .find_map(|one| variables.get(*one));
    let text = address.map_or(name, String::as_str);
    hosts::hosts(text).map_err(|error| error.to_string())
}

fn described(host: ListedHost, role: Option<Role>, variables: &Variables) -> ListedHost {
    let variable = |names: &[&str]| names.iter().find_map(|name| variables.get(*name).cloned());
    let port = variable(&["ansible_port", "ansible_ssh_port"]);
    ListedHost {
        user: host
            .user
            .or_else(|| variable(&["ansible_user", "ansible_ssh_user"])),
        port: host.port.or_else(|| port?.parse().ok()),
        key: variable(&["ansible_ssh_private_key_file", "ansible_private_key_file"]),
        role,
        ..host
    }
}

fn assignment(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=')?;
    let value = value.trim().trim_matches(['"', '\'']);
    let name = name.trim();
    (!name.is_empty()).then(|| (name.to_owned(), value.to_owned()))
}

/// Splits a line at white space, not within quotes; nothing where a quote is not closed.
fn shell_words(line: &str) -> Option<Vec<String>> {
    let mut found = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, c) if c.is_whitespace() => {
                found.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = found.last_mut() {
            last.push(c);
        }
    }
    found.retain(|word| !word.is_empty());
    quote.is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSIBLE: &str = "\
# Hosts of the lab
bastion-is-none ansible_host=10.0.0.9

[kube_control_plane]
m[01:03].example.com

[workers]
w1 ansible_host=10.0.0.21 ansible_port=2222   ; the old one
w2 ansible_host=10.0.0.22 ansible_user=\"root\"

[cluster:children]
kube_control_plane
workers

[cluster:vars]
ansible_user=ops
[all:vars]
ansible_user=nobody
ansible_ssh_private_key_file = '~/.ssh/lab'
";

    #[test]
    fn one_host_on_a_line_is_an_inventory() {
        let hosts =
            parse_inventory("\u{FEFF}10.0.0.1\r\n\n# x\n10.0.0.2-3 # two\nops@a:22\n").unwrap();

        let names: Vec<&str> = hosts.iter().map(|host| host.address.as_str()).collect();
        assert_eq!(names, ["10.0.0.1", "10.0.0.2", "10.0.0.3", "a"]);
        assert_eq!(hosts[3].user.as_deref(), Some("ops"));
        assert!(hosts.iter().all(|host| host.role.is_none()));
    }

    #[test]
    fn an_inventory_of_ansible_gives_roles_users_ports_and_keys() {
        let hosts = parse_inventory(ANSIBLE).unwrap();

        let told: Vec<String> = hosts
            .iter()
            .map(|host| {
                let role = host.role.map(|role| role.to_string()).unwrap_or_default();
                let user = host.user.as_deref().unwrap_or_default();
                format!("{user}@{}:{} {role}", host.address, host.port.unwrap_or(22))
            })
            .collect();
        assert_eq!(
            told,
            [
                "nobody@10.0.0.9:22 ",
                "ops@m01.example.com:22 manager",
                "ops@m02.example.com:22 manager",
                "ops@m03.example.com:22 manager",
                "ops@10.0.0.21:2222 worker",
                "root@10.0.0.22:22 worker",
            ]
        );
        assert!(
            hosts
                .iter()
                .all(|host| host.key.as_deref() == Some("~/.ssh/lab"))
        );
    }

    #[test]
    fn groups_that_hold_each_other_end() {
        let hosts =
            parse_inventory("[a:children]\nb\n[b:children]\na\n[a]\nx\n[a:vars]\nansible_user=u\n");

        assert_eq!(hosts.unwrap()[0].user.as_deref(), Some("u"));
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        for (text, told) in [
            ("a\nb c\n", "line 2 of the inventory: `c` is no variable"),
            ("a x='1\n", "line 1 of the inventory: a quote is not closed"),
            ("[x:vars]\ny\n", "line 2 of the inventory: a variable is"),
            (
                "10.0.0.300\n",
                "line 1 of the inventory: `10.0.0.300` is no host",
            ),
        ] {
            let error = parse_inventory(text).unwrap_err().to_string();
            assert!(error.starts_with(told), "{text}: {error}");
        }
    }
}
