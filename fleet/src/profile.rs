//! Operating systems as data: what a host is before anybody has touched it.
//!
//! The form of the data is described at the top of `data/ubuntu-22.04.txt`, with where it comes
//! from.

pub mod release;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::files::{Content, Credentials, DEVICES, Files, Follow, Kind, Live, Mount};
use crate::packages::{Installed, Package, Packages, Paths, State};
use crate::systemd::{Active, Load, Systemd, Unit, UnitState};
pub use release::{Family, names};
use release::{Place, Release, Tools};

const UBUNTU_22_04: &str = include_str!("../data/ubuntu-22.04.txt");

/// What is known of the packages of the base system; its form is described at its top.
const PACKAGES: &str = include_str!("../data/debian-12-packages.txt");

/// What Ubuntu 26.04 has otherwise.
const UBUNTU_26_04: &str = include_str!("../data/ubuntu-26.04.txt");

/// What is known of its packages.
const PACKAGES_26_04: &str = include_str!("../data/ubuntu-26.04-packages.txt");

/// Returns the summaries of packages, and their paths.
fn package_facts(data: &'static str) -> BTreeMap<&'static str, (&'static str, Paths)> {
    let mut facts: BTreeMap<&str, (&str, Paths)> = BTreeMap::new();
    for line in data.lines() {
        let mut words = line.splitn(3, ' ');
        let (Some(kind), Some(name), Some(rest)) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let fact = facts.entry(name).or_default();
        match kind {
            "s" => fact.0 = rest,
            "l" => fact.1 = Paths::All(rest),
            "o" => fact.1 = Paths::Some(rest),
            _ => {}
        }
    }
    facts
}

/// The profile that a host has if nobody asks for another.
pub const DEFAULT: &str = "ubuntu-22.04";

/// What RHEL and its children have otherwise.
const EL: &str = include_str!("../data/el.txt");

/// What SLES has otherwise than those.
const SLES: &str = include_str!("../data/sles.txt");

/// What a host is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hardware {
    /// How many processors it has.
    pub processors: u32,
    /// How many KiB of memory it has.
    pub memory_kib: u64,
    /// Its kernel.
    pub kernel: Kernel,
    /// How many files a process may open at most.
    pub open_files: u32,
    /// What `uname -m` says.
    pub machine: String,
    /// The name of the host in the kernel.
    pub host_name: String,
}

/// The kernel of a host, and what engines find in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kernel {
    /// What `uname -r` says.
    pub release: String,
    /// What `uname -v` says.
    pub build: String,
    /// The version of its control groups.
    pub cgroups: u8,
    /// Whether it has AppArmor.
    pub has_apparmor: bool,
}

impl Default for Kernel {
    /// That of Ubuntu 22.04.
    fn default() -> Self {
        Self {
            release: "5.15.0-125-generic".to_owned(),
            build: "#135-Ubuntu SMP Fri Sep 27 13:53:58 UTC 2024".to_owned(),
            cgroups: 2,
            has_apparmor: true,
        }
    }
}

/// What a host is before anybody has touched it.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Its name (`ubuntu-22.04`).
    pub name: &'static str,
    /// Its family.
    pub family: Family,
    /// The code name (`jammy`); empty where it has none.
    pub codename: &'static str,
    /// Its kernel.
    pub kernel: Kernel,
    /// Its files.
    pub files: Files,
    /// Its packages.
    pub packages: Packages,
    /// Its units.
    pub systemd: Systemd,
}

impl Profile {
    /// Reads a profile for a machine (`x86_64`); `None` where there is none of that name. `now` is
    /// the time since 1970 at which its files were written.
    pub fn read(name: &str, machine: &str, now: Duration) -> Option<Self> {
        let release = release::find(name)?;
        let mut profile = Self {
            name: release.name,
            family: release.family,
            codename: release.codename,
            kernel: release.kernel.clone(),
            files: Files::new(),
            packages: Packages::default(),
            systemd: Systemd::default(),
        };
        profile.kernel.release = profile.kernel.release.replace("x86_64", machine);
        let mut reader = Reader::new(&mut profile, now);
        reader.has_debian = release.family == Family::Debian;
        reader.machine = machine.to_owned();
        reader.read(UBUNTU_22_04);
        reader.add_kernel();
        match release.family {
            Family::Debian if release.tools == Tools::Rust => {
                reader.facts = package_facts(PACKAGES_26_04);
                reader.read(UBUNTU_26_04);
            }
            Family::Debian => {}
            Family::El => reader.read(EL),
            Family::Sles => {
                reader.read(EL);
                reader.read(SLES);
            }
        }
        reader.finish(&release);
        profile.add_mounts();
        Some(profile)
    }

    fn add_mounts(&mut self) {
        let memory = [("tmpfs", "/dev", 64 << 20), ("shm", "/dev/shm", 64 << 20)];
        let runtime = [("tmpfs", "/run", 2 << 30), ("tmpfs", "/run/lock", 5 << 20)];
        for (device, point, size) in memory.into_iter().chain(runtime) {
            self.files.mount(Mount {
                point: point.to_owned(),
                device: device.to_owned(),
                kind: "tmpfs".to_owned(),
                options: "rw,nosuid,nodev,relatime".to_owned(),
                size,
                used: 0,
            });
        }
    }
}

/// Reads the data of a profile, line by line. The data is ours: a line that makes no sense is
/// found by a test, not by a user.
struct Reader<'a> {
    profile: &'a mut Profile,
    now: Duration,
    users: BTreeMap<String, u32>,
    groups: BTreeMap<String, u32>,
    facts: BTreeMap<&'static str, (&'static str, Paths)>,
    bad: Vec<String>,
    has_debian: bool,
    machine: String,
}

impl<'a> Reader<'a> {
    fn new(profile: &'a mut Profile, now: Duration) -> Self {
        Self {
            profile,
            now,
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            facts: package_facts(PACKAGES),
            bad: Vec::new(),
            has_debian: true,
            machine: "x86_64".to_owned(),
        }
    }

    fn read(&mut self, data: &str) {
        let ids = |path: &str| {
            let start = data.find(&format!(" root {path}\n"));
            let lines = start.map_or("", |at| &data[at + path.len() + 7..]).lines();
            let lines = lines.map_while(|line| line.strip_prefix("> "));
            let parse = |line: &str| {
                let mut fields = line.split(':');
                let name = fields.next()?.to_owned();
                Some((name, fields.nth(1)?.parse().ok()?))
            };
            lines.filter_map(parse).collect::<BTreeMap<String, u32>>()
        };
        // Data that names none means those of what it adds to.
        for (known, path) in [
            (&mut self.users, "/etc/passwd"),
            (&mut self.groups, "/etc/group"),
        ] {
            let found = ids(path);
            if !found.is_empty() {
                *known = found;
            }
        }
        let mut lines = data.lines().peekable();
        while let Some(line) = lines.next() {
            if line.starts_with('#') || line.is_empty() {
                continue;
            }
            let mut text = String::new();
            while let Some(next) = lines.next_if(|next| next.starts_with('>')) {
                text.push_str(next.strip_prefix("> ").unwrap_or_default());
                text.push('\n');
            }
            if self.take(line, text).is_none() {
                self.bad.push(line.to_owned());
            }
        }
    }

    fn take(&mut self, line: &str, text: String) -> Option<()> {
        let (kind, rest) = line.split_once(' ')?;
        let mut words = rest.split(' ');
        match kind {
            "d" | "f" | "t" => {
                let mode = u32::from_str_radix(words.next()?, 8).ok()?;
                let uid = *self.users.get(words.next()?)?;
                let gid = *self.groups.get(words.next()?)?;
                let size = if kind == "f" {
                    words.next()?.parse().ok()?
                } else {
                    0
                };
                let path = words.next()?;
                let kind = match kind {
                    "d" => Kind::Directory(BTreeMap::new()),
                    "t" => Kind::File(Content::from(text)),
                    _ => Kind::File(Content::Large {
                        size,
                        seed: size ^ path.len() as u64,
                    }),
                };
                self.add(path, kind, mode, uid, gid)
            }
            "l" => {
                let uid = *self.users.get(words.next()?)?;
                let gid = *self.groups.get(words.next()?)?;
                let (path, target) = (words.next()?, words.next()?);
                self.add(path, Kind::Link(Arc::from(target)), 0o777, uid, gid)
            }
            "p" => {
                let path = words.next()?;
                let name = match words.next() {
                    Some(name) => name,
                    None => path.rsplit('/').next()?,
                };
                let mode = if ["sudo", "sudo-rs", "su", "mount", "umount", "passwd"].contains(&name)
                {
                    0o4755
                } else {
                    0o755
                };
                let content = Content::Program(Arc::from(name));
                self.add(path, Kind::File(content), mode, 0, 0)
            }
            "x" => {
                self.remove(words.next()?);
                Some(())
            }
            "v" => {
                self.profile.systemd.forget_base(words.next()?);
                Some(())
            }
            "k" if !self.has_debian => Some(()),
            "k" => {
                let (name, version) = (words.next()?, words.next()?);
                let architecture = match words.next()? {
                    "amd64" => crate::packages::debian_architecture(&self.machine),
                    other => other,
                };
                let mut package = Package::base(name, version, architecture);
                if let Some((summary, paths)) = self.facts.get(package.name.as_str()) {
                    (*summary).clone_into(&mut package.summary);
                    package.paths = *paths;
                }
                self.profile.packages.set(Installed {
                    package: Arc::new(package),
                    state: State::Installed,
                    is_automatic: false,
                    is_held: false,
                    origin: String::new(),
                    since: Duration::ZERO,
                });
                Some(())
            }
            "u" => self.unit(&mut words),
            _ => None,
        }
    }

    fn unit<'w>(&mut self, words: &mut impl Iterator<Item = &'w str>) -> Option<()> {
        let active = (words.next()? == "active").then_some(Active::Active)?;
        let sub = match words.next()? {
            "running" => "running",
            "exited" => "exited",
            "waiting" => "waiting",
            "listening" => "listening",
            "active" => "active",
            _ => return None,
        };
        let name = words.next()?.to_owned();
        let description: Vec<&str> = words.collect();
        let description = description.join(" ");
        let unit = Unit {
            name: name.clone(),
            load: Load::Loaded,
            fragment: Some(format!("/lib/systemd/system/{name}")),
            drop_ins: Vec::new(),
            settings: vec![("Unit".to_owned(), "Description".to_owned(), description)],
            stamp: Vec::new(),
        };
        let state = UnitState {
            active,
            sub,
            ..UnitState::default()
        };
        self.profile.systemd.add_base(unit, state);
        Some(())
    }

    fn add(&mut self, path: &str, kind: Kind, mode: u32, uid: u32, gid: u32) -> Option<()> {
        let root = Credentials::root();
        let files = &mut self.profile.files;
        if matches!(kind, Kind::Directory(_)) && files.exists(path) {
            return Some(());
        }
        if files.exists(path) || files.stat(path, Follow::No, &root).is_ok() {
            // Data that is read later takes the place of what was there.
            files.remove_file(path, &root, self.now).ok()?;
        }
        let (parent, _) = crate::files::split(path);
        files.make_dirs(parent, 0o755, &root, self.now).ok()?;
        files.make_node(path, kind, mode, &root, self.now).ok()?;
        let follow = Follow::No;
        files
            .set_owner(path, Some(uid), Some(gid), follow, &root)
            .ok()
    }

    /// Removes what a pattern fits: a path, whose last part may have wildcards.
    fn remove(&mut self, pattern: &str) {
        let root = Credentials::root();
        let (directory, last) = crate::files::split(pattern);
        let names = self.profile.files.list(directory, &root);
        for name in names.unwrap_or_default() {
            if !crate::shell::pattern::fits(last, &name) {
                continue;
            }
            let path = format!("{directory}/{name}");
            let removed = self.profile.files.remove_tree(&path, &root, self.now);
            if removed.is_err() {
                self.bad.push(path);
            }
        }
    }

    /// Writes what the release says of itself, and its packages.
    fn finish(&mut self, release: &Release) {
        if !release.text.is_empty() {
            self.text("/usr/lib/os-release", 0o644, release.text.clone());
        }
        if self.has_debian {
            let codename = release.codename;
            let sources = format!("deb http://archive.example.com/ubuntu {codename} main\n");
            self.text("/etc/apt/sources.list", 0o644, sources);
            return;
        }
        self.profile.packages.keys = vec![crate::packages::DISTRIBUTION_KEY.to_owned()];
        for (place, package) in release::packages(release, &self.machine) {
            if place == Place::Host {
                self.profile.packages.set(Installed {
                    package: Arc::new(package),
                    state: State::Installed,
                    is_automatic: false,
                    is_held: false,
                    origin: String::new(),
                    since: self.now,
                });
            }
        }
        crate::outside::rpm::configure(release, &mut |path, text| self.text(path, 0o644, text));
    }

    fn text(&mut self, path: &str, mode: u32, text: String) {
        let root = Credentials::root();
        let written = self.profile.files.write(path, text, mode, &root, self.now);
        if written.is_err() {
            self.bad.push(path.to_owned());
        }
    }

    /// Adds what the kernel shows, and devices.
    fn add_kernel(&mut self) {
        let live = [
            ("/proc/uptime", Live::Uptime),
            ("/proc/mounts", Live::Mounts),
            ("/proc/self/mounts", Live::Mounts),
            ("/proc/self/mountinfo", Live::MountInfo),
            ("/proc/1/mounts", Live::Mounts),
            ("/proc/meminfo", Live::MemInfo),
            ("/proc/cpuinfo", Live::CpuInfo),
            ("/proc/loadavg", Live::LoadAverage),
            ("/proc/sys/kernel/hostname", Live::HostName),
            ("/proc/sys/kernel/osrelease", Live::Kernel),
            ("/proc/sys/kernel/random/boot_id", Live::BootId),
        ];
        for (path, live) in live {
            self.add(path, Kind::File(Content::Live(live)), 0o444, 0, 0);
        }
        let environ = "container=docker\0PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:\
                       /sbin:/bin\0";
        self.add(
            "/proc/1/environ",
            Kind::File(Content::from(environ)),
            0o400,
            0,
            0,
        );
        let comm = Kind::File(Content::from("systemd\n"));
        self.add("/proc/1/comm", comm, 0o444, 0, 0);
        let line = Kind::File(Content::from("/sbin/init\0"));
        self.add("/proc/1/cmdline", line, 0o444, 0, 0);
        self.add("/run/dbus/system_bus_socket", Kind::Socket, 0o666, 0, 0);
        let forward = Kind::File(Content::from("1\n"));
        self.add("/proc/sys/net/ipv4/ip_forward", forward, 0o644, 0, 0);
        for (path, device) in DEVICES {
            self.add(path, Kind::Device(device), 0o666, 0, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_data_makes_sense() {
        let mut profile = Profile::read(DEFAULT, "x86_64", Duration::ZERO).unwrap();
        profile.files = Files::new();
        let mut reader = Reader::new(&mut profile, Duration::ZERO);

        reader.read(UBUNTU_22_04);
        reader.add_kernel();
        reader.read(UBUNTU_26_04);
        reader.read(EL);
        reader.read(SLES);

        assert_eq!(reader.bad, Vec::<String>::new());
    }

    #[test]
    fn profiles_differ_in_their_release() {
        for name in names() {
            let profile = Profile::read(name, "x86_64", Duration::ZERO).unwrap();
            let text = profile.files.text("/etc/os-release").unwrap();
            let id = name.split('-').next().unwrap();

            assert!(text.contains(&format!("ID={id}")) || text.contains(&format!("ID=\"{id}\"")));
            assert!(profile.files.exists("/bin/sh"), "{name}");
            assert!(profile.packages.get("curl").is_some(), "{name}");
            let unit = match profile.family {
                Family::Debian => "ssh.service",
                Family::El | Family::Sles => "sshd.service",
            };
            assert!(profile.systemd.is_active(unit), "{name}");
            let has = |path: &str| profile.files.exists(path);
            let managers = (
                has("/usr/bin/apt-get"),
                has("/usr/bin/dnf"),
                has("/usr/bin/zypper"),
            );
            let expected = match profile.family {
                Family::Debian => (true, false, false),
                Family::El => (false, true, false),
                Family::Sles => (false, false, true),
            };
            assert_eq!(managers, expected, "{name}");
        }
        assert!(Profile::read("windows", "x86_64", Duration::ZERO).is_none());
    }
}
