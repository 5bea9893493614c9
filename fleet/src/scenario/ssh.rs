//! What the SSH servers of hosts are told: keys of a scenario that become a file of the host.

use std::fmt::Write as _;

use serde::Deserialize;

use super::value::Time;
use crate::files::{Credentials, Errno};
use crate::host::Host;
use crate::world::{Fleet, HostId};

/// Where it is written.
const PATH: &str = "/etc/ssh/sshd_config.d/10-scenario.conf";

/// What the SSH server of a host is told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct SshSpec {
    /// How many may be about to log in: `start:rate:full`.
    pub max_startups: Option<String>,
    /// How many sessions a connection may have.
    pub max_sessions: Option<u64>,
    /// How long somebody may take to log in.
    pub login_grace_time: Option<Time>,
    /// What is said before anybody has logged in.
    pub banner: Option<String>,
    /// How somebody may log in.
    pub methods: Vec<Method>,
    /// The password of the user who logs in; `root` may use one then, too.
    pub password: Option<Password>,
    /// Key exchanges.
    pub kex: Vec<String>,
    /// Ciphers.
    pub ciphers: Vec<String>,
    /// Message authentication codes.
    pub macs: Vec<String>,
    /// Algorithms of host keys.
    pub host_key_algorithms: Vec<String>,
    /// Variables of the client that are taken (`LANG`, `LC_*`).
    pub accept_env: Vec<String>,
    /// The only command that anybody may run.
    pub force_command: Option<String>,
}

/// A password, which nothing shows.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl std::fmt::Debug for Password {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Password(…)")
    }
}

/// How somebody may log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// With a key.
    Publickey,
    /// With a password.
    Password,
    /// With a password that the server asks for.
    KeyboardInteractive,
}

impl SshSpec {
    /// Returns it as sshd_config(5) has it.
    fn text(&self) -> String {
        let mut text = String::from("# Written by the scenario.\n");
        let mut put = |key: &str, value: Option<String>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{key} {value}");
            }
        };
        put("MaxStartups", self.max_startups.clone());
        put(
            "MaxSessions",
            self.max_sessions.map(|most| most.to_string()),
        );
        let grace = self
            .login_grace_time
            .map(|time| time.0.as_secs().to_string());
        put("LoginGraceTime", grace);
        let banner = self
            .banner
            .as_ref()
            .map(|_| "/etc/issue.scenario".to_owned());
        put("Banner", banner);
        put("KexAlgorithms", Some(self.kex.join(",")));
        put("Ciphers", Some(self.ciphers.join(",")));
        put("MACs", Some(self.macs.join(",")));
        put(
            "HostKeyAlgorithms",
            Some(self.host_key_algorithms.join(",")),
        );
        put("AcceptEnv", Some(self.accept_env.join(" ")));
        put("ForceCommand", self.force_command.clone());
        if !self.methods.is_empty() {
            for (key, method) in [
                ("PubkeyAuthentication", Method::Publickey),
                ("PasswordAuthentication", Method::Password),
                ("KbdInteractiveAuthentication", Method::KeyboardInteractive),
            ] {
                let is_on = self.methods.contains(&method);
                put(key, Some(if is_on { "yes" } else { "no" }.to_owned()));
            }
        }
        put(
            "PermitRootLogin",
            self.password.as_ref().map(|_| "yes".to_owned()),
        );
        text
    }

    /// Lets the server of a host be told so.
    ///
    /// # Errors
    ///
    /// Fails where the host refuses the file, or the password.
    pub(super) fn apply(&self, fleet: &Fleet, host: HostId) -> Result<(), String> {
        let now = fleet.time_of(host);
        let written = fleet.host(host, |host| self.write(host, now));
        written.map_err(|errno| format!("cannot write `{PATH}`: {errno}"))?;
        if let Some(password) = &self.password {
            let set = fleet.set_password(host, &password.0);
            set.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn write(&self, host: &mut Host, now: std::time::Duration) -> Result<(), Errno> {
        let root = Credentials::root();
        if let Some(banner) = &self.banner {
            let text = format!("{}\n", banner.trim_end());
            host.files
                .write("/etc/issue.scenario", text, 0o644, &root, now)?;
        }
        if let Some(most) = self.max_sessions {
            host.max_sessions = most;
        }
        host.files.write(PATH, self.text(), 0o644, &root, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_lines_of_the_configuration() {
        let spec: SshSpec = serde_saphyr::from_str(
            "max-startups: 2:50:4\nmax-sessions: 3\nlogin-grace-time: 5s\nbanner: Stop!\n\
             methods: [publickey]\nciphers: [aes256-ctr, aes128-ctr]\naccept-env: [LC_*]\n",
        )
        .unwrap();

        assert_eq!(
            spec.text(),
            "# Written by the scenario.\nMaxStartups 2:50:4\nMaxSessions 3\nLoginGraceTime 5\n\
             Banner /etc/issue.scenario\nCiphers aes256-ctr,aes128-ctr\nAcceptEnv LC_*\n\
             PubkeyAuthentication yes\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\n"
        );
    }
}
