//! One host: everything that it is.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::engine::Engine;
use crate::fault::ApiAnswer;
use crate::files::Files;
use crate::network::{Interface, Link};
use crate::packages::Packages;
use crate::process::Processes;
use crate::profile::{Family, Hardware, Kernel};
use crate::systemd::Systemd;

/// Whether a host runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// It runs.
    On,
    /// It is booting; nothing of it answers.
    Booting,
    /// It is off, or frozen.
    Off,
    /// It does nothing, and its connections stay: a virtual machine that was paused.
    Frozen,
}

/// What runs the services of a host: process 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Init {
    /// systemd.
    #[default]
    Systemd,
    /// OpenRC, started by the init of System V.
    OpenRc,
}

/// How the SSH server of a host meets new connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sshd {
    /// It takes them.
    Up,
    /// Nothing listens.
    Down,
    /// It closes them before anybody has logged in.
    Resets,
    /// It takes them and says nothing.
    Silent,
    /// It knows none of the keys.
    Rejects,
    /// Packets to it vanish: a firewall.
    Filtered,
    /// It shows another key than before.
    OtherKey,
}

/// What the login shell of a host does before it does what it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LoginShell {
    /// Nothing.
    #[default]
    Plain,
    /// It greets on both outputs.
    Greets,
    /// It ends.
    Ends,
}

/// What sudo wants of everybody, whatever the rules say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SudoWish {
    /// A password.
    Password,
    /// A terminal (`requiretty`).
    Terminal,
}

/// A route of a host: destination (`default`, `10.0.0.0/16`), gateway, interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// `default` or a network.
    pub destination: String,
    /// The gateway, where there is one.
    pub gateway: Option<IpAddr>,
    /// The interface.
    pub interface: String,
    /// The address that packets leave with.
    pub source: Option<IpAddr>,
}

/// A host.
#[derive(Debug)]
pub struct Host {
    /// Its name in the fleet, and its host name.
    pub name: String,
    /// Further names by which DNS knows it.
    pub aliases: Vec<String>,
    /// Who logs in.
    pub login: String,
    /// Its file tree; cheap to clone.
    pub files: Files,
    /// Its file tree before anybody has touched it: what is below `/run` is made again by a boot.
    pub(crate) fresh: Files,
    /// Its processes.
    pub(crate) processes: Processes,
    /// Its container engine (state of docker: containers, images, volumes, membership).
    pub(crate) engine: Engine,
    /// What runs its services.
    pub init: Init,
    /// Its service manager, where that is systemd; else nothing is known to it.
    pub systemd: Systemd,
    /// Its packages.
    pub packages: Packages,
    /// Its interfaces, the loopback one first.
    pub interfaces: Vec<Interface>,
    /// Its routes.
    pub routes: Vec<Route>,
    /// The rules of its firewall, as `iptables-save` prints them.
    pub firewall: String,
    /// The family of its system.
    pub family: Family,
    /// What it is made of.
    pub hardware: Hardware,
    /// Whether it is a container: a system in one, as the lab's hosts are.
    pub is_container: bool,
    /// By how many seconds its clock is ahead.
    pub clock_skew: f64,
    /// When it was booted, as seconds since the start of the fleet; negative for before that.
    pub booted: f64,
    /// The id of this boot.
    pub boot_id: String,
    /// Whether it runs.
    pub power: Power,
    /// How its SSH server meets new connections.
    pub sshd: Sshd,
    /// What its login shell does first.
    pub login_shell: LoginShell,
    /// What its sudo wants, besides its rules.
    pub sudo_wish: Option<SudoWish>,
    /// How many sessions its SSH server allows on one connection (`MaxSessions`).
    pub max_sessions: u64,
    /// What the API of MKE answers here in place of the truth, by path.
    pub(crate) api_answers: BTreeMap<String, ApiAnswer>,
    /// Whether its SSH server forwards connections.
    pub forwards: bool,
    /// Whether its cable is plugged in.
    pub has_cable: bool,
    /// The link between it and the machine that launchpad runs on.
    pub link: Link,
    /// How long it takes to boot.
    pub boot_time: Duration,
}

impl Host {
    /// Makes a host with nothing on it, not even a directory.
    pub(crate) fn blank(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            aliases: Vec::new(),
            login: "root".to_owned(),
            files: Files::new(),
            fresh: Files::new(),
            processes: Processes::default(),
            engine: Engine::default(),
            init: Init::Systemd,
            systemd: Systemd::default(),
            packages: Packages::default(),
            interfaces: Vec::new(),
            routes: Vec::new(),
            firewall: String::new(),
            family: Family::Debian,
            hardware: Hardware {
                processors: 4,
                memory_kib: 16 << 20,
                kernel: Kernel::default(),
                open_files: 524_288,
                machine: "x86_64".to_owned(),
                host_name: name.to_owned(),
            },
            is_container: false,
            clock_skew: 0.0,
            booted: -3600.0,
            boot_id: String::new(),
            power: Power::On,
            sshd: Sshd::Up,
            login_shell: LoginShell::Plain,
            sudo_wish: None,
            max_sessions: 10,
            api_answers: BTreeMap::new(),
            forwards: true,
            has_cable: true,
            link: Link::default(),
            boot_time: Duration::from_secs(30),
        }
    }

    /// Returns its first address that is neither the loopback one nor that of a bridge.
    pub fn address(&self) -> Option<IpAddr> {
        self.addresses().next()
    }

    /// Returns its addresses but the loopback one and those of bridges.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + '_ {
        let real = self.interfaces.iter().filter(|one| !one.is_virtual);
        let addresses = real.flat_map(|one| &one.addresses);
        let addresses = addresses.map(|(address, _)| *address);
        addresses.filter(|address| !address.is_loopback())
    }

    /// Returns whether an address is its own.
    pub fn has_address(&self, address: IpAddr) -> bool {
        let mut all = self.interfaces.iter().flat_map(|one| &one.addresses);
        all.any(|(one, _)| *one == address)
    }

    /// Returns whether packets get in and out.
    pub fn is_connected(&self) -> bool {
        self.has_cable
    }

    /// Returns whether it runs and does things.
    pub fn is_up(&self) -> bool {
        self.power == Power::On
    }

    /// Returns the name of the host: what `/proc/sys/kernel/hostname` says.
    pub fn host_name(&self) -> &str {
        &self.hardware.host_name
    }

    /// Returns whether its SSH server runs.
    pub(crate) fn has_sshd(&self) -> bool {
        match self.init {
            Init::Systemd => self.systemd.is_active(self.family.ssh_unit()),
            Init::OpenRc => crate::openrc::process_of(self, "/usr/sbin/sshd").is_some(),
        }
    }

    /// Returns whether its engine runs.
    pub(crate) fn has_engine(&self) -> bool {
        match self.init {
            Init::Systemd => self.systemd.is_active("docker.service"),
            Init::OpenRc => self.engine.is_running,
        }
    }

    /// Returns whether its containerd runs.
    pub(crate) fn has_containerd(&self) -> bool {
        match self.init {
            Init::Systemd => self.systemd.is_active("containerd.service"),
            // The engine has started one of its own.
            Init::OpenRc => self.engine.is_running,
        }
    }

    /// Returns how many bytes are free where a path is.
    pub fn disk_free(&self, path: &str) -> u64 {
        let mount = self.files.mount_of(path);
        mount.map_or(0, crate::files::Mount::free)
    }
}
