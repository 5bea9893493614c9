//! Building hosts.

use std::net::IpAddr;
use std::time::Duration;

use crate::files::{Content, Credentials, Follow, Kind, Mount};
use crate::host::{Host, Init, Route};
use crate::network::Interface;
use crate::process::{Pid, Process};
use crate::profile::{Family, Kernel, Profile};
use crate::world::{Fleet, HostId};

/// How the login user of a host becomes root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sudo {
    /// `sudo` without a password.
    #[default]
    Free,
    /// `sudo` with a password.
    Password,
    /// `sudo` without a password, but only for some programs.
    Partial,
    /// `doas` without a password; no `sudo`.
    Doas,
    /// Not at all.
    None,
}

/// What SELinux does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeLinux {
    /// It refuses.
    Enforcing,
    /// It warns.
    Permissive,
    /// It is off.
    Disabled,
}

/// A host to build.
#[derive(Debug, Clone)]
pub struct HostSpec {
    /// Its host name.
    pub name: String,
    /// Further names by which DNS knows it.
    pub aliases: Vec<String>,
    /// The operating system, one of [`crate::profile::names`].
    pub profile: String,
    /// Its interfaces: name, address, length of the prefix. The first is the way out.
    pub addresses: Vec<(String, IpAddr, u8)>,
    /// Who logs in; made where the profile has no such user.
    pub login: String,
    /// How that user becomes root.
    pub sudo: Sudo,
    /// How many processors it has.
    pub processors: u32,
    /// How many KiB of memory it has.
    pub memory_kib: u64,
    /// How many bytes its disk holds.
    pub disk: u64,
    /// Its kernel; that of its profile without.
    pub kernel: Option<Kernel>,
    /// What `uname -m` says.
    pub machine: String,
    /// What runs its services.
    pub init: Init,
    /// Whether SELinux is enforcing, permissive or disabled; as the profile has it without.
    pub selinux: Option<SeLinux>,
    /// Whether it runs in FIPS mode.
    pub is_fips: bool,
    /// Whether it is registered with Red Hat; of no other system.
    pub is_registered: bool,
    /// Whether it is a container: a system in one, as the lab's hosts are.
    pub is_container: bool,
    /// How many files a process may open at most.
    pub open_files: u32,
    /// Further file systems.
    pub mounts: Vec<Mount>,
}

impl HostSpec {
    /// A host with 4 processors, 16 GiB of memory and a disk of 100 GB, with one interface.
    pub fn new(name: &str, address: IpAddr) -> Self {
        Self {
            name: name.to_owned(),
            aliases: Vec::new(),
            profile: crate::profile::DEFAULT.to_owned(),
            addresses: vec![("eth0".to_owned(), address, 16)],
            login: "ubuntu".to_owned(),
            sudo: Sudo::Free,
            processors: 4,
            memory_kib: 16 << 20,
            disk: 100 << 30,
            kernel: None,
            machine: "x86_64".to_owned(),
            init: Init::Systemd,
            selinux: None,
            is_fips: false,
            is_registered: true,
            is_container: false,
            open_files: 524_288,
            mounts: Vec::new(),
        }
    }
}

/// Why a host cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// There is no such profile.
    #[error("there is no profile `{wanted}`; there are {known}")]
    Profile {
        /// What was asked for.
        wanted: String,
        /// What there is.
        known: String,
    },
    /// Its system has no OpenRC.
    #[error("there is no OpenRC for `{profile}`; Ubuntu has it")]
    OpenRc {
        /// The profile.
        profile: String,
    },
    /// Two hosts have one address.
    #[error("the address {address} belongs to two hosts, {one} and {other}")]
    Address {
        /// The address.
        address: IpAddr,
        /// One of them.
        one: String,
        /// The other.
        other: String,
    },
}

impl Fleet {
    /// Adds a host.
    ///
    /// # Errors
    ///
    /// Fails where there is no such profile, or the address is taken.
    pub fn add_host(&self, spec: &HostSpec) -> Result<HostId, BuildError> {
        let now = self.epoch();
        // Files of an operating system are older than the fleet.
        let written = now.saturating_sub(Duration::from_secs(30 * 86_400));
        let profile = self.profile(&spec.profile, &spec.machine, written);
        let profile = profile.ok_or_else(|| BuildError::Profile {
            wanted: spec.profile.clone(),
            known: crate::profile::names().collect::<Vec<_>>().join(", "),
        })?;
        if spec.init == Init::OpenRc && profile.family != Family::Debian {
            return Err(BuildError::OpenRc {
                profile: spec.profile.clone(),
            });
        }
        self.world(|world| {
            for (_, address, _) in &spec.addresses {
                let taken = world.hosts.iter().find(|host| host.has_address(*address));
                if let Some(other) = taken {
                    return Err(BuildError::Address {
                        address: *address,
                        one: other.name.clone(),
                        other: spec.name.clone(),
                    });
                }
            }
            let host = build(spec, &profile, written, &mut world.rng);
            world.hosts.push(host);
            Ok(HostId(world.hosts.len() - 1))
        })
    }
}

fn build(spec: &HostSpec, profile: &Profile, written: Duration, rng: &mut impl rand::Rng) -> Host {
    let mut host = Host {
        aliases: spec.aliases.clone(),
        login: spec.login.clone(),
        files: profile.files.clone(),
        fresh: profile.files.clone(),
        systemd: profile.systemd.clone(),
        packages: profile.packages.clone(),
        interfaces: interfaces(spec, rng),
        routes: routes(spec),
        booted: -3600.0 - rng.random_range(0.0..86_400.0_f64),
        boot_id: uuid(rng),
        is_container: spec.is_container,
        ..Host::blank(&spec.name)
    };
    host.hardware.processors = spec.processors;
    host.hardware.memory_kib = spec.memory_kib;
    host.hardware.kernel = spec
        .kernel
        .clone()
        .unwrap_or_else(|| profile.kernel.clone());
    host.hardware.machine.clone_from(&spec.machine);
    host.family = profile.family;
    crate::program::selinux::build(&mut host, spec, profile, written);
    host.hardware.open_files = spec.open_files;
    host.files.change_mount("/", |mount| mount.size = spec.disk);
    if spec.is_container {
        contain(&mut host);
    }
    for mount in &spec.mounts {
        host.files.mount(mount.clone());
    }
    let machine_id = format!("{:032x}\n", rng.random::<u128>());
    let address = host
        .address()
        .map(|one| one.to_string())
        .unwrap_or_default();
    let hosts = format!(
        "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n\
         fe00::0\tip6-localnet\nff00::0\tip6-mcastprefix\nff02::1\tip6-allnodes\n\
         ff02::2\tip6-allrouters\n{address}\t{}\n",
        spec.name
    );
    let texts = [
        ("/etc/hostname", 0o644, format!("{}\n", spec.name)),
        ("/etc/machine-id", 0o444, machine_id),
        ("/etc/hosts", 0o644, hosts),
    ];
    for (path, mode, text) in texts {
        put(&mut host, path, mode, text, written);
    }
    init(&mut host, spec.init, written);
    host.firewall = crate::engine::rules_without_engine(&host);
    add_login(&mut host, spec, written);
    for interface in host.interfaces.clone() {
        host.show_interface(&interface, written);
    }
    host
}

/// Makes a host what a container is: an engine outside of it has made its root, and has mounted
/// three of its files.
fn contain(host: &mut Host) {
    host.files.change_mount("/", |mount| {
        mount.device = "overlay".to_owned();
        mount.kind = "overlay".to_owned();
    });
    let root = host.files.mount_of("/").cloned();
    for point in ["/etc/resolv.conf", "/etc/hostname", "/etc/hosts"] {
        if let Some(root) = &root {
            host.files.mount(Mount {
                point: point.to_owned(),
                device: "/dev/vda".to_owned(),
                kind: "ext4".to_owned(),
                ..root.clone()
            });
        }
    }
}

/// Gives a host what runs its services.
fn init(host: &mut Host, init: Init, written: Duration) {
    match init {
        Init::Systemd => add_processes(host, written),
        Init::OpenRc => crate::openrc::furnish(host, written),
    }
}

/// Adds the processes that every host with systemd has.
fn add_processes(host: &mut Host, started: Duration) {
    let process = |words: &[&str]| Process {
        parent: Pid(0),
        session: 0,
        user: "root".to_owned(),
        command: words.iter().map(|&word| word.to_owned()).collect(),
        started,
        control: std::sync::Arc::default(),
    };
    let init = process(&["/usr/lib/systemd/systemd"]);
    host.processes.add_resident(Some(Pid(1)), init);
    let sshd = process(&["/usr/sbin/sshd", "-D"]);
    host.processes.add_resident(Some(Pid(212)), sshd);
}

fn put(host: &mut Host, path: &str, mode: u32, text: String, written: Duration) {
    let root = Credentials::root();
    // A profile has all directories that are written to here; its test makes sure.
    let _ = host.files.write(path, text, mode, &root, written);
}

fn interfaces(spec: &HostSpec, rng: &mut impl rand::Rng) -> Vec<Interface> {
    let loopback = Interface {
        name: "lo".to_owned(),
        index: 1,
        mac: "00:00:00:00:00:00".to_owned(),
        addresses: vec![(IpAddr::from([127, 0, 0, 1]), 8)],
        mtu: 65_536,
        is_up: true,
        peer: None,
        is_virtual: false,
    };
    let mut all = vec![loopback];
    for (name, address, prefix) in &spec.addresses {
        if let Some(known) = all.iter_mut().find(|one| one.name == *name) {
            known.addresses.push((*address, *prefix));
            continue;
        }
        let bytes: [u8; 4] = rng.random();
        // The engine makes hardware addresses of addresses.
        let (maker, bytes) = match address {
            IpAddr::V4(four) if spec.is_container => ("02:42", four.octets()),
            _ => ("52:54", bytes),
        };
        let mac: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let index = all.len() as u32 + 1;
        all.push(Interface {
            name: name.clone(),
            index: if spec.is_container {
                index + 700
            } else {
                index
            },
            mac: format!("{maker}:{}", mac.join(":")),
            addresses: vec![(*address, *prefix)],
            mtu: 1500,
            is_up: true,
            peer: spec.is_container.then_some(index + 701),
            is_virtual: false,
        });
    }
    all
}

fn routes(spec: &HostSpec) -> Vec<Route> {
    let mut routes = Vec::new();
    for (index, (name, address, prefix)) in spec.addresses.iter().enumerate() {
        let IpAddr::V4(four) = address else { continue };
        let mask = u32::MAX.checked_shl(32 - u32::from(*prefix)).unwrap_or(0);
        let network = std::net::Ipv4Addr::from(u32::from(*four) & mask);
        if index == 0 {
            let gateway = std::net::Ipv4Addr::from((u32::from(*four) & mask) | 1);
            routes.push(Route {
                destination: "default".to_owned(),
                gateway: Some(gateway.into()),
                interface: name.clone(),
                source: None,
            });
        }
        routes.push(Route {
            destination: format!("{network}/{prefix}"),
            gateway: None,
            interface: name.clone(),
            source: Some(*address),
        });
    }
    routes
}

/// Makes the login user, and the rules by which it becomes root.
fn add_login(host: &mut Host, spec: &HostSpec, written: Duration) {
    let root = Credentials::root();
    let name = &spec.login;
    if crate::accounts::account(&host.files, name).is_none() {
        let user = format!("{name}:x:1000:1000::/home/{name}:/bin/bash\n");
        let group = format!("{name}:x:1000:\n");
        let home = format!("/home/{name}");
        // Directories and files of every profile; see `put`.
        let _ = host
            .files
            .append("/etc/passwd", user.as_bytes(), 0o644, &root, written);
        let _ = host
            .files
            .append("/etc/group", group.as_bytes(), 0o644, &root, written);
        let _ = host.files.make_dirs(&home, 0o755, &root, written);
        let _ = host
            .files
            .set_owner(&home, Some(1000), Some(1000), Follow::Yes, &root);
    }
    if name == "root" {
        return;
    }
    let rule = match spec.sudo {
        Sudo::Free => format!("{name} ALL=(ALL) NOPASSWD: ALL\n"),
        Sudo::Password => format!("{name} ALL=(ALL) ALL\n"),
        Sudo::Partial => {
            let manager = match host.family {
                Family::Debian => "apt-get",
                Family::El => "dnf",
                Family::Sles => "zypper",
            };
            format!("{name} ALL=(ALL) NOPASSWD: /usr/bin/{manager}, /usr/bin/id\n")
        }
        Sudo::Doas | Sudo::None => String::new(),
    };
    if !rule.is_empty() {
        put(
            host,
            &format!("/etc/sudoers.d/{name}"),
            0o440,
            rule,
            written,
        );
    }
    if spec.sudo == Sudo::Doas {
        // There is no sudo where there is doas.
        let _ = host.files.remove_file("/usr/bin/sudo", &root, written);
        let content = Content::Program("doas".into());
        let kind = Kind::File(content);
        let _ = host
            .files
            .make_node("/usr/bin/doas", kind, 0o4755, &root, written);
        put(
            host,
            "/etc/doas.conf",
            0o400,
            format!("permit nopass {name}\n"),
            written,
        );
    }
}

/// Returns a random id in the form of `/proc/sys/kernel/random/uuid`.
pub(crate) fn uuid(rng: &mut impl rand::Rng) -> String {
    let bits: u128 = rng.random();
    let text = format!("{bits:032x}");
    format!(
        "{}-{}-4{}-a{}-{}",
        &text[0..8],
        &text[8..12],
        &text[13..16],
        &text[17..20],
        &text[20..32]
    )
}
