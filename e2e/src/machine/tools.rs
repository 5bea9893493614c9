//! Programs the driver runs: installed when it may, else named together with their packages.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail};

use crate::command::Cmd;
use crate::talk::Talk;

/// A program, or a file, and the package of Debian and Ubuntu that has it.
struct Tool {
    path: &'static str,
    package: &'static str,
}

/// All that the driver needs beyond a minimal system.
const TOOLS: &[Tool] = &[
    Tool {
        path: "apt-ftparchive",
        package: "apt-utils",
    },
    Tool {
        path: "debootstrap",
        package: "debootstrap",
    },
    Tool {
        path: "docker",
        package: "docker.io",
    },
    Tool {
        path: "dockerd",
        package: "docker.io",
    },
    Tool {
        path: "dpkg-deb",
        package: "dpkg",
    },
    Tool {
        path: "gpg",
        package: "gnupg",
    },
    Tool {
        path: "ip",
        package: "iproute2",
    },
    Tool {
        path: "iptables",
        package: "iptables",
    },
    Tool {
        path: "ssh",
        package: "openssh-client",
    },
    Tool {
        path: "ssh-keygen",
        package: "openssh-client",
    },
    Tool {
        path: "tar",
        package: "tar",
    },
    Tool {
        path: "zstd",
        package: "zstd",
    },
    Tool {
        path: "/etc/ssl/certs/ca-certificates.crt",
        package: "ca-certificates",
    },
    Tool {
        path: "/usr/share/keyrings/debian-archive-keyring.gpg",
        package: "debian-archive-keyring",
    },
];

/// Says whether this process is root.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Installs what is missing, or says what to install.
pub(crate) async fn ensure(talk: Talk) -> Result<()> {
    let missing = missing_packages(&search_path());
    if missing.is_empty() {
        return Ok(());
    }
    let command = format!(
        "apt-get install --no-install-recommends {}",
        missing.join(" ")
    );
    if !is_root() || !found("apt-get", &search_path()) {
        bail!("the lab needs more programs; install them with: sudo {command}");
    }
    talk.say(format!("installing {}", missing.join(" ")));
    let apt = |args: &[&str]| {
        Cmd::new("apt-get")
            .args(args)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .within(Duration::from_secs(600))
    };
    apt(&["update", "-qq"]).run().await?;
    apt(&["install", "-y", "-qq", "--no-install-recommends"])
        .args(&missing)
        .run()
        .await?;
    let missing = missing_packages(&search_path());
    if !missing.is_empty() {
        bail!("still missing after `{command}`: {}", missing.join(" "));
    }
    Ok(())
}

fn missing_packages(search_path: &[PathBuf]) -> Vec<&'static str> {
    let mut packages: Vec<_> = TOOLS
        .iter()
        .filter(|tool| !found(tool.path, search_path))
        .map(|tool| tool.package)
        .collect();
    packages.dedup();
    packages
}

fn found(program: &str, search_path: &[PathBuf]) -> bool {
    // Joining an absolute path gives that path.
    search_path.iter().any(|dir| dir.join(program).exists())
}

/// Returns the directories of programs, with those of an administrator.
fn search_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut dirs: Vec<PathBuf> = std::env::split_paths(&path).collect();
    dirs.extend(["/usr/sbin", "/sbin", "/usr/local/sbin"].map(|dir| Path::new(dir).to_owned()));
    dirs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_machine_lacks_every_package_once() {
        let dir = tempfile::tempdir().unwrap();

        let missing = missing_packages(&[dir.path().to_owned()]);

        assert!(missing.contains(&"debootstrap"), "{missing:?}");
        assert_eq!(
            missing.iter().filter(|name| **name == "docker.io").count(),
            1
        );
        assert_eq!(
            missing
                .iter()
                .filter(|name| **name == "openssh-client")
                .count(),
            1
        );
    }
}
