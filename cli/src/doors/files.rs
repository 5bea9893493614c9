//! What clients of a fleet are told.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use config::{Config, Connection, Secrets, Ssh};
use fleet::door::{Doors, KeyKind, Opened, key_of};
use fleet::{Fleet, HostId};

use crate::private::{self, PrivateError};

/// A key that all hosts of a fleet know.
pub(crate) struct Identity {
    /// The public half, as `authorized_keys` has it.
    pub(crate) public: fleet::door::PublicKey,
    private: String,
}

impl Identity {
    /// Makes one that nobody has had before.
    ///
    /// # Errors
    ///
    /// Fails where the library does.
    pub(crate) fn generate() -> io::Result<Self> {
        let words = [rand::random::<u128>(), rand::random::<u128>()].map(|word| word.to_string());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let key = key_of(rand::random(), KeyKind::Ed25519, &words).map_err(io::Error::other)?;
        let (public, private) = fleet::door::halves_of(&key).map_err(io::Error::other)?;
        Ok(Self { public, private })
    }
}

/// The files of a fleet.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    /// Where they are.
    pub(crate) directory: PathBuf,
}

impl Files {
    /// The configuration of OpenSSH.
    pub(crate) fn ssh_config(&self) -> PathBuf {
        self.directory.join("ssh_config")
    }

    /// The keys of the hosts.
    pub(crate) fn known_hosts(&self) -> PathBuf {
        self.directory.join("known_hosts")
    }

    /// The inventory of Ansible.
    pub(crate) fn inventory(&self) -> PathBuf {
        self.directory.join("inventory.yaml")
    }

    /// The configuration of launchpad.
    pub(crate) fn launchpad(&self) -> PathBuf {
        self.directory.join("launchpad.yaml")
    }

    /// The key that all hosts know.
    pub(crate) fn identity(&self) -> PathBuf {
        self.directory.join("id_ed25519")
    }

    /// The certificate of the authority that signs for registries.
    pub(crate) fn registries(&self) -> PathBuf {
        self.directory.join("registries.pem")
    }

    /// The socket that steers the fleet.
    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.join("control")
    }
}

/// A host as clients see it.
struct Shown<'a> {
    door: &'a Opened,
    user: String,
    /// Its addresses and names among the hosts.
    aliases: Vec<String>,
    /// The host that connections go through.
    bastion: Option<String>,
    /// Its own address, where it is reached through another host.
    inside: String,
}

/// Writes all files of a fleet.
///
/// # Errors
///
/// Fails where the directory cannot be written to.
pub(crate) fn write(
    files: &Files,
    config: &Config,
    fleet: &Fleet,
    doors: &Doors,
    identity: &Identity,
) -> Result<(), PrivateError> {
    let put = |path: PathBuf, text: &str| private::write_anew(&path, text.as_bytes());
    let shown = shown(config, fleet, doors);
    put(files.identity(), &identity.private)?;
    let public = format!("{} fleet\n", fleet::door::text_of(&identity.public));
    put(files.directory.join("id_ed25519.pub"), &public)?;
    put(files.known_hosts(), &known_hosts(&shown))?;
    put(files.ssh_config(), &ssh_config(files, &shown))?;
    let authority = fleet.registry_authority();
    put(files.registries(), &authority.unwrap_or_default())?;
    let inventory = inventory(files, config, identity, &shown);
    put(files.inventory(), &inventory)?;
    put(files.launchpad(), &launchpad(files, config, fleet, doors))
}

/// Returns the first jump of each host of a configuration, by its address.
fn bastions(config: &Config) -> BTreeMap<&str, &str> {
    let mut all = BTreeMap::new();
    for host in &config.hosts {
        let Connection::Ssh(ssh) = &host.connection else {
            continue;
        };
        let mut near = ssh;
        while let Some(bastion) = near.bastion.as_deref() {
            all.insert(near.address.as_str(), bastion.address.as_str());
            near = bastion;
        }
    }
    all
}

fn shown<'a>(config: &Config, fleet: &Fleet, doors: &'a Doors) -> Vec<Shown<'a>> {
    let bastions = bastions(config);
    let name_of = |address: &str| {
        fleet.world(|world| {
            let host = world.host_at(address)?;
            Some(world.hosts[host.0].name.clone())
        })
    };
    let shown = doors.opened().iter().map(|door| {
        fleet.host(door.host, |host| {
            let mut aliases = host.aliases.clone();
            aliases.extend(host.addresses().map(|one| one.to_string()));
            aliases.retain(|alias| *alias != host.name);
            aliases.sort();
            aliases.dedup();
            Shown {
                door,
                user: host.login.clone(),
                bastion: None,
                inside: host
                    .address()
                    .map(|one| one.to_string())
                    .unwrap_or_default(),
                aliases,
            }
        })
    });
    let mut shown: Vec<Shown<'_>> = shown.collect();
    for one in &mut shown {
        let mut jumps = one
            .aliases
            .iter()
            .filter_map(|alias| bastions.get(alias.as_str()));
        one.bastion = jumps.next().and_then(|bastion| name_of(bastion));
    }
    shown
}

fn known_hosts(shown: &[Shown<'_>]) -> String {
    let mut text = String::new();
    for one in shown {
        let address = one.door.address;
        let mut names = vec![one.door.name.clone()];
        names.extend(one.aliases.iter().cloned());
        names.push(format!("[{}]:{}", address.ip(), address.port()));
        for key in &one.door.keys {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{} {}", names.join(","), fleet::door::text_of(key));
        }
    }
    text
}

fn ssh_config(files: &Files, shown: &[Shown<'_>]) -> String {
    let mut text = String::from("# Written by `launchpad fleet up`.\n");
    for one in shown {
        let (name, address) = (&one.door.name, one.door.address);
        let _ = writeln!(text, "Host {name} {}", one.aliases.join(" "));
        let _ = match &one.bastion {
            // Behind another host it is reached as the hosts reach it.
            Some(bastion) => writeln!(
                text,
                "  HostName {}\n  Port 22\n  ProxyJump {bastion}",
                one.inside
            ),
            None => writeln!(
                text,
                "  HostName {}\n  Port {}",
                address.ip(),
                address.port()
            ),
        };
        let _ = writeln!(text, "  User {}\n  HostKeyAlias {name}", one.user);
    }
    let _ = write!(
        text,
        "Host *\n  IdentityFile \"{}\"\n  IdentitiesOnly yes\n  IdentityAgent none\n  \
         UserKnownHostsFile \"{}\"\n  GlobalKnownHostsFile none\n  StrictHostKeyChecking yes\n",
        files.identity().display(),
        files.known_hosts().display()
    );
    text
}

fn inventory(files: &Files, config: &Config, identity: &Identity, shown: &[Shown<'_>]) -> String {
    let mut groups: BTreeMap<&str, Vec<&Shown<'_>>> = BTreeMap::new();
    for one in shown {
        let is_it = |host: &&config::Host| {
            let address = host.connection.address();
            one.door.name == address || one.aliases.iter().any(|alias| alias == address)
        };
        let host = config.hosts.iter().find(is_it);
        let group = match host.map(|host| host.role) {
            Some(config::Role::Manager) => "managers",
            Some(config::Role::Worker) => "workers",
            Some(config::Role::Msr) => "msrs",
            None => "bastions",
        };
        groups.entry(group).or_default().push(one);
    }
    let mut text = String::from("# Written by `launchpad fleet up`.\nall:\n  vars:\n");
    let _ = writeln!(
        text,
        "    ansible_ssh_common_args: \"-F '{}'\"\n    # Ansible keeps connections by the name of a \
         host, which other fleets have, too.\n    ansible_control_path: \
         \"%(directory)s/{}-%%h-%%p\"\n  children:",
        files.ssh_config().display(),
        own_word(identity)
    );
    for (group, hosts) in groups {
        let _ = writeln!(text, "    {group}:\n      hosts:");
        for one in hosts {
            let _ = writeln!(
                text,
                "        {}:\n          ansible_user: {}",
                one.door.name, one.user
            );
        }
    }
    text
}

/// Returns a word that no other fleet has: its key is a new one each time.
fn own_word(identity: &Identity) -> String {
    let key = fleet::door::text_of(&identity.public);
    let letters = key.chars().rev().filter(char::is_ascii_alphanumeric);
    letters.take(12).collect()
}

/// Returns the configuration with the addresses, ports and keys of the doors.
fn launchpad(files: &Files, config: &Config, fleet: &Fleet, doors: &Doors) -> String {
    let mut config = config.clone();
    let outside = |ssh: &mut Ssh| {
        let host = fleet.world(|world| world.host_at(&ssh.address));
        let door = host.and_then(|host| door_of(doors, host));
        if let Some(door) = door {
            ssh.address = door.address.ip().to_string();
            ssh.port = Some(door.address.port());
            ssh.host_key = door.keys.first().map(fleet::door::text_of);
        }
        ssh.key_path = Some(files.identity());
    };
    for host in &mut config.hosts {
        let mut ssh = match &host.connection {
            Connection::Ssh(ssh) => ssh.clone(),
            Connection::OpenSsh(ssh) => Ssh {
                address: ssh.address.clone(),
                port: ssh.port,
                user: ssh.user.clone(),
                key_path: None,
                host_key: None,
                bastion: None,
            },
            Connection::Localhost(_) => Ssh {
                address: "localhost".to_owned(),
                port: None,
                user: Some("root".to_owned()),
                key_path: None,
                host_key: None,
                bastion: None,
            },
            Connection::WinRm(_) => continue,
        };
        let mut near = &mut ssh;
        loop {
            match near.bastion.is_some() {
                // Behind another host it is reached as the hosts reach it.
                true => near.key_path = Some(files.identity()),
                false => outside(near),
            }
            match near.bastion.as_deref_mut() {
                Some(bastion) => near = bastion,
                None => break,
            }
        }
        host.connection = Connection::Ssh(ssh);
    }
    let text = config.to_yaml(Secrets::Shown);
    format!("# Written by `launchpad fleet up`: the same cluster, at its doors.\n{text}")
}

fn door_of(doors: &Doors, host: HostId) -> Option<&Opened> {
    doors.opened().iter().find(|door| door.host == host)
}
