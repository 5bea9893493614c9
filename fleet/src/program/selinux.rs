//! SELinux as scripts see it: `getenforce`, `setenforce`, `sestatus`. What it does now is in
//! `/sys/fs/selinux/enforce`, what it does after a boot in `/etc/selinux/config`.

use std::time::Duration;

use super::{Invocation, Program};
use crate::build::{HostSpec, SeLinux};
use crate::files::Credentials;
use crate::host::Host;
use crate::packages::rpm::repofile;
use crate::profile::{Family, Profile};

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "getenforce",
        run: |invocation| Box::pin(async { getenforce(invocation) }),
    },
    Program {
        name: "setenforce",
        run: |invocation| Box::pin(async { setenforce(invocation) }),
    },
    Program {
        name: "sestatus",
        run: |invocation| Box::pin(async { sestatus(invocation) }),
    },
];

const NOW: &str = "/sys/fs/selinux/enforce";
const CONFIG: &str = "/etc/selinux/config";

/// What it does now; none where it is off.
fn is_enforcing(host: &Host) -> Option<bool> {
    let text = host.files.text(NOW)?;
    Some(text.trim() == "1")
}

fn configured(host: &Host) -> String {
    let text = host.files.text(CONFIG).unwrap_or_default();
    let mut lines = text.lines().rev();
    let found = lines.find_map(|line| line.strip_prefix("SELINUX="));
    found.unwrap_or("disabled").trim().to_owned()
}

fn getenforce(invocation: &mut Invocation) -> u8 {
    let said = match invocation.host(|host| is_enforcing(host)) {
        Some(true) => "Enforcing\n",
        Some(false) => "Permissive\n",
        None => "Disabled\n",
    };
    invocation.print(said);
    0
}

fn setenforce(invocation: &mut Invocation) -> u8 {
    let word = invocation.arguments.first().cloned().unwrap_or_default();
    let value = match word.to_ascii_lowercase().as_str() {
        "1" | "enforcing" => "1",
        "0" | "permissive" => "0",
        _ => {
            invocation.complain("usage:  setenforce [ Enforcing | Permissive | 1 | 0 ]\n");
            return 1;
        }
    };
    if invocation.host(|host| is_enforcing(host)).is_none() {
        invocation.complain("setenforce: SELinux is disabled\n");
        return 1;
    }
    if invocation.credentials.uid != 0 {
        invocation.complain("setenforce:  security_setenforce() failed:  Permission denied\n");
        return 1;
    }
    match invocation.write_file(NOW, format!("{value}\n").into_bytes()) {
        Ok(()) => 0,
        Err(errno) => {
            invocation.complain(&format!(
                "setenforce:  security_setenforce() failed:  {errno}\n"
            ));
            1
        }
    }
}

fn sestatus(invocation: &mut Invocation) -> u8 {
    let (now, later) = invocation.host(|host| (is_enforcing(host), configured(host)));
    let text = match now {
        None => "SELinux status:                 disabled\n".to_owned(),
        Some(is_enforcing) => format!(
            "SELinux status:                 enabled\nSELinuxfs mount:                \
             /sys/fs/selinux\nSELinux root directory:         /etc/selinux\nLoaded policy name:             \
             targeted\nCurrent mode:                   {}\nMode from config file:          {later}\n\
             Policy MLS status:              enabled\nPolicy deny_unknown status:     allowed\n\
             Memory protection checking:     actual (secure)\nMax kernel policy version:      33\n",
            if is_enforcing {
                "enforcing"
            } else {
                "permissive"
            }
        ),
    };
    invocation.print(&text);
    0
}

/// What a boot makes of the configuration.
pub(crate) fn boot(host: &mut Host, now: Duration) {
    if host.family != Family::El {
        return;
    }
    let value = match configured(host).as_str() {
        "enforcing" => Some("1\n"),
        "permissive" => Some("0\n"),
        _ => None,
    };
    let root = Credentials::root();
    // The kernel writes these itself; there is nothing that could refuse it.
    let _ = match value {
        Some(value) => host.files.write(NOW, value, 0o644, &root, now),
        None => host.files.remove_file(NOW, &root, now),
    };
}

/// Brings a new host into the state that its specification names.
pub(crate) fn build(host: &mut Host, spec: &HostSpec, profile: &Profile, now: Duration) {
    let root = Credentials::root();
    if let Some(mode) = spec.selinux.filter(|_| host.family == Family::El) {
        let word = match mode {
            SeLinux::Enforcing => "enforcing",
            SeLinux::Permissive => "permissive",
            SeLinux::Disabled => "disabled",
        };
        let text = host.files.text(CONFIG).unwrap_or_default();
        let lines = text.lines().map(|line| match line.starts_with("SELINUX=") {
            true => format!("SELINUX={word}\n"),
            false => format!("{line}\n"),
        });
        let text: String = lines.collect();
        // Directories of every profile of this family; its test makes sure.
        let _ = host.files.write(CONFIG, text, 0o644, &root, now);
        boot(host, now);
    }
    if spec.is_fips {
        let path = "/proc/sys/crypto/fips_enabled";
        let _ = host.files.make_dirs("/proc/sys/crypto", 0o755, &root, now);
        let _ = host.files.write(path, "1\n", 0o644, &root, now);
    }
    if !profile.name.starts_with("rhel-") {
        return;
    }
    for path in ["/usr/sbin/subscription-manager", "/usr/bin/rhc"] {
        let name = path.rsplit('/').next().unwrap_or_default();
        let content = crate::files::Content::Program(name.into());
        let _ = host.files.write(path, content, 0o755, &root, now);
    }
    if spec.is_registered {
        let directory = "/etc/pki/consumer";
        let _ = host.files.make_dirs(directory, 0o755, &root, now);
        let id = "6a1d3a0c-0f5e-4f0e-9a52-2f9a1c1b7f11";
        let path = format!("{directory}/cert.pem");
        let _ = host
            .files
            .write(&path, format!("{id}\n"), 0o644, &root, now);
    } else {
        let path = "/etc/yum.repos.d/redhat.repo";
        let text = host.files.text(path).unwrap_or_default();
        let id = text.split(['[', ']']).nth(1).unwrap_or_default().to_owned();
        let text = repofile::set(&text, &id, "enabled", "0");
        let _ = host.files.write(path, text, 0o644, &root, now);
    }
}
