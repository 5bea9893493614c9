//! The arguments of `ssh`, and what `ssh -G` says of a host: pure.
//!
//! What the user says wins: first the `openSSH` block of the host, then ssh_config. Ours is only
//! what neither speaks of, and what a master needs to be one.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Duration;

use crate::connection::OpenSshEndpoint;
use crate::protocol::target;

/// How long name resolution and TCP may take, where nobody says otherwise.
pub(super) const CONNECT_SECONDS: u64 = 15;
/// The pause after which a host is asked whether it is still there, where nobody says otherwise;
/// `ssh` gives up after three questions.
const KEEP_ALIVE_SECONDS: u64 = 15;

/// What `ssh -G` says of a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Settings {
    /// The name or address that is connected to.
    pub(super) host_name: String,
    /// The port.
    pub(super) port: u16,
    /// The login user.
    pub(super) user: String,
    /// The name that known_hosts has for it.
    pub(super) host_key_alias: Option<String>,
    /// The first host to go through.
    pub(super) first_jump: Option<String>,
    /// Whether something else than TCP leads there.
    pub(super) has_proxy: bool,
    /// The user's own control socket.
    pub(super) control_path: Option<String>,
    /// Variables to set on the host (`name=value`).
    pub(super) environment: Vec<String>,
    /// How long connecting may take.
    connect_timeout: Option<Duration>,
    /// How often it is tried.
    connection_attempts: u32,
    /// Whether new host keys are asked about: somebody says so, or nobody says anything.
    pub(super) asks_about_keys: bool,
    /// Whether the host is asked whether it is still there.
    has_keep_alive: bool,
    /// Settings that would make another thing of a master than one, and what undoes them.
    undone: Vec<&'static str>,
}

impl Settings {
    /// Returns the settings of a host of which no more is known than this.
    pub(super) fn of(host_name: &str, port: u16, user: &str) -> Self {
        Self {
            host_name: host_name.to_owned(),
            port,
            user: user.to_owned(),
            connection_attempts: 1,
            ..Self::default()
        }
    }

    /// Reads what `ssh -G` has printed.
    pub(super) fn parse(text: &str) -> Self {
        let mut settings = Self::of("", 22, "");
        for line in text.lines() {
            let (key, value) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
            settings.take(&key.to_ascii_lowercase(), value.trim());
        }
        settings
    }

    fn take(&mut self, key: &str, value: &str) {
        let is_none = value.is_empty() || value.eq_ignore_ascii_case("none");
        match key {
            "hostname" => self.host_name = value.to_owned(),
            "port" => self.port = value.parse().unwrap_or(22),
            "user" => self.user = value.to_owned(),
            "hostkeyalias" if !is_none => self.host_key_alias = Some(value.to_owned()),
            "proxyjump" if !is_none => {
                self.has_proxy = true;
                let first = value.split(',').next().unwrap_or(value);
                self.first_jump = Some(first.to_owned());
            }
            "proxycommand" if !is_none => self.has_proxy = true,
            "controlpath" if !is_none => self.control_path = Some(value.to_owned()),
            "setenv" if !is_none => self.environment.push(value.to_owned()),
            "connecttimeout" => {
                let seconds = value.parse().ok().filter(|seconds| *seconds > 0);
                self.connect_timeout = seconds.map(Duration::from_secs);
            }
            "connectionattempts" => self.connection_attempts = value.parse().unwrap_or(1).max(1),
            "stricthostkeychecking" => self.asks_about_keys = value == "ask",
            "serveraliveinterval" => self.has_keep_alive = value != "0",
            "remotecommand" if !is_none => self.undone.push("RemoteCommand=none"),
            "forkafterauthentication" if value == "yes" => {
                self.undone.push("ForkAfterAuthentication=no");
            }
            _ => {}
        }
    }

    /// Returns `host:port`.
    pub(super) fn target(&self) -> String {
        target(&self.host_name, self.port)
    }

    /// Returns the name that known_hosts has for the host.
    pub(super) fn known_as(&self) -> String {
        match &self.host_key_alias {
            Some(alias) => alias.clone(),
            None if self.port == 22 => self.host_name.clone(),
            None => format!("[{}]:{}", self.host_name, self.port),
        }
    }

    /// Returns the server that sees our connections first.
    pub(super) fn door(&self) -> String {
        match &self.first_jump {
            Some(jump) => jump.clone(),
            None => self.target(),
        }
    }

    /// Returns how long connecting may take; `ssh` keeps to it by itself.
    pub(super) fn connect_limit(&self) -> Duration {
        let once = self
            .connect_timeout
            .unwrap_or(Duration::from_secs(CONNECT_SECONDS));
        once.saturating_mul(self.connection_attempts)
    }
}

/// Whether somebody can be asked while a connection is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    /// Nobody: what needs an answer fails.
    Nobody,
    /// Somebody answers.
    Somebody,
}

/// Returns the arguments of the question how a host is reached (`ssh -G`).
pub(super) fn question(endpoint: &OpenSshEndpoint) -> Vec<OsString> {
    let mut arguments = vec![OsString::from("-G")];
    arguments.extend(of_user(endpoint));
    arguments.extend(destination(endpoint));
    arguments
}

/// Returns the arguments of the same question, with another ssh_config.
pub(super) fn question_with(endpoint: &OpenSshEndpoint, config: &Path) -> Vec<OsString> {
    let config_path = Some(config.to_owned());
    question(&OpenSshEndpoint {
        config_path,
        ..endpoint.clone()
    })
}

/// Returns an ssh_config that reads what the host's own question reads, and accepts new host keys
/// where that says nothing of them: `ssh -G` prints `ask` for both.
pub(super) fn with_default_for_keys(endpoint: &OpenSshEndpoint) -> String {
    let included = match &endpoint.config_path {
        Some(path) => format!("Include \"{}\"\n", path.display()),
        None => "Include ~/.ssh/config\nInclude /etc/ssh/ssh_config\n".to_owned(),
    };
    format!("{included}Host *\nStrictHostKeyChecking accept-new\n")
}

/// Returns the arguments of a master.
pub(super) fn master(
    endpoint: &OpenSshEndpoint,
    settings: &Settings,
    socket: &Path,
    log: &Path,
    asking: Asking,
) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = ["-M", "-N", "-T", "-S"].map(OsString::from).into();
    arguments.push(unexpanded(socket));
    arguments.push("-E".into());
    arguments.push(log.into());
    let batch = match asking {
        Asking::Nobody => "BatchMode=yes",
        Asking::Somebody => "BatchMode=no",
    };
    // The first value of an option counts: these are not the user's to change.
    let fixed = [
        batch,
        "LogLevel=DEBUG1",
        "ControlPersist=no",
        "ClearAllForwardings=yes",
    ];
    let mut options: Vec<String> = fixed.map(str::to_owned).into();
    options.extend(settings.undone.iter().map(|&option| option.to_owned()));
    // These are what nobody has spoken of.
    if settings.asks_about_keys {
        options.push("StrictHostKeyChecking=accept-new".to_owned());
    }
    if !settings.has_keep_alive {
        options.push(format!("ServerAliveInterval={KEEP_ALIVE_SECONDS}"));
    }
    if settings.connect_timeout.is_none() {
        options.push(format!("ConnectTimeout={CONNECT_SECONDS}"));
    }
    for option in options {
        arguments.push("-o".into());
        arguments.push(option.into());
    }
    arguments.extend(of_user(endpoint));
    arguments.extend(destination(endpoint));
    arguments
}

/// Returns what the `openSSH` block of a host says.
fn of_user(endpoint: &OpenSshEndpoint) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = Vec::new();
    if let Some(path) = &endpoint.config_path {
        arguments.extend(["-F".into(), path.into()]);
    }
    for (name, values) in &endpoint.options {
        for option in option(name, values) {
            arguments.extend(["-o".into(), option.into()]);
        }
    }
    if let Some(path) = &endpoint.key_path {
        let only = "IdentitiesOnly=yes".into();
        arguments.extend(["-i".into(), path.into(), "-o".into(), only]);
    }
    if let Some(port) = endpoint.port {
        arguments.extend(["-p".into(), port.to_string().into()]);
    }
    if let Some(user) = &endpoint.user {
        arguments.extend(["-l".into(), user.into()]);
    }
    arguments
}

/// Returns an option as `ssh` takes several values of it.
fn option(name: &str, values: &[String]) -> Vec<String> {
    let lower = name.to_ascii_lowercase();
    let is_repeated = ["identityfile", "certificatefile", "sendenv", "setenv"];
    if is_repeated.contains(&lower.as_str()) || lower.ends_with("forward") {
        let each = values.iter().map(|value| format!("{name}={value}"));
        return each.collect();
    }
    let is_list = ["ciphers", "macs", "proxyjump", "preferredauthentications"];
    let between = if is_list.contains(&lower.as_str()) || lower.ends_with("algorithms") {
        ","
    } else {
        " "
    };
    vec![format!("{name}={}", values.join(between))]
}

fn destination(endpoint: &OpenSshEndpoint) -> [OsString; 2] {
    ["--".into(), OsStr::new(&endpoint.address).into()]
}

/// Returns a path in which `ssh` finds nothing to expand.
fn unexpanded(path: &Path) -> OsString {
    match path.to_str() {
        Some(text) => text.replace('%', "%%").into(),
        None => path.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn endpoint() -> OpenSshEndpoint {
        OpenSshEndpoint {
            address: "web".to_owned(),
            port: None,
            user: None,
            key_path: None,
            config_path: None,
            options: BTreeMap::new(),
            disable_multiplexing: false,
        }
    }

    fn full() -> OpenSshEndpoint {
        let options = [("ServerAliveInterval", "5"), ("Compression", "yes")];
        OpenSshEndpoint {
            address: "fd00::1".to_owned(),
            port: Some(2222),
            user: Some("ops".to_owned()),
            key_path: Some("/keys/a b".into()),
            config_path: Some("/etc/own config".into()),
            options: options
                .map(|(name, value)| (name.to_owned(), vec![value.to_owned()]))
                .into(),
            disable_multiplexing: false,
        }
    }

    const BARE: &str = "hostname 10.0.0.1\nport 22\nuser root\nstricthostkeychecking ask\n\
                        serveraliveinterval 0\nconnecttimeout none\n";

    fn line(arguments: Vec<OsString>) -> String {
        let words: Vec<String> = arguments
            .into_iter()
            .map(|word| word.into_string().unwrap())
            .collect();
        words.join(" ")
    }

    fn master_line(endpoint: &OpenSshEndpoint, settings: &str) -> String {
        let (socket, log) = (Path::new("/run/l%d/1"), Path::new("/run/l%d/1.log"));
        let settings = Settings::parse(settings);
        line(master(endpoint, &settings, socket, log, Asking::Nobody))
    }

    #[test]
    fn the_question_holds_what_the_user_says_and_nothing_else() {
        assert_eq!(line(question(&endpoint())), "-G -- web");
        assert_eq!(
            line(question(&full())),
            "-G -F /etc/own config -o Compression=yes -o ServerAliveInterval=5 -i /keys/a b \
             -o IdentitiesOnly=yes -p 2222 -l ops -- fd00::1"
        );
    }

    #[test]
    fn several_values_of_an_option_are_given_as_it_takes_them() {
        let values = ["a".to_owned(), "b".to_owned()];

        for (name, options) in [
            ("IdentityFile", &["IdentityFile=a", "IdentityFile=b"][..]),
            ("SetEnv", &["SetEnv=a", "SetEnv=b"]),
            ("LocalForward", &["LocalForward=a", "LocalForward=b"]),
            ("Ciphers", &["Ciphers=a,b"]),
            ("HostKeyAlgorithms", &["HostKeyAlgorithms=a,b"]),
            ("proxyJump", &["proxyJump=a,b"]),
            ("UserKnownHostsFile", &["UserKnownHostsFile=a b"]),
        ] {
            assert_eq!(option(name, &values), options);
        }
    }

    #[test]
    fn a_master_adds_what_nobody_speaks_of() {
        assert_eq!(
            master_line(&endpoint(), BARE),
            "-M -N -T -S /run/l%%d/1 -E /run/l%d/1.log -o BatchMode=yes -o LogLevel=DEBUG1 \
             -o ControlPersist=no -o ClearAllForwardings=yes \
             -o StrictHostKeyChecking=accept-new -o ServerAliveInterval=15 -o ConnectTimeout=15 \
             -- web"
        );
    }

    #[test]
    fn what_somebody_speaks_of_stays() {
        let cases = [
            ("stricthostkeychecking true", "StrictHostKeyChecking"),
            ("stricthostkeychecking false", "StrictHostKeyChecking"),
            ("stricthostkeychecking accept-new", "StrictHostKeyChecking"),
            ("serveraliveinterval 60", "ServerAliveInterval"),
            ("connecttimeout 3", "ConnectTimeout"),
        ];
        for (said, option) in cases {
            let text = master_line(&endpoint(), &format!("{BARE}{said}\n"));

            assert!(!text.contains(option), "{said}: {text}");
        }
    }

    #[test]
    fn the_question_about_keys_reads_the_same_files() {
        let path = Path::new("/run/l/1.log");

        assert_eq!(
            with_default_for_keys(&endpoint()),
            "Include ~/.ssh/config\nInclude /etc/ssh/ssh_config\n\
             Host *\nStrictHostKeyChecking accept-new\n"
        );
        assert_eq!(
            with_default_for_keys(&full()),
            "Include \"/etc/own config\"\nHost *\nStrictHostKeyChecking accept-new\n"
        );
        assert_eq!(
            line(question_with(&endpoint(), path)),
            "-G -F /run/l/1.log -- web"
        );
    }

    #[test]
    fn a_master_stays_one_whatever_ssh_config_says() {
        let said = "remotecommand tmux attach\nforkafterauthentication yes\ncontrolpersist yes\n";

        let text = master_line(&endpoint(), &format!("{BARE}{said}"));

        for undone in [
            "-o RemoteCommand=none",
            "-o ForkAfterAuthentication=no",
            "-o ControlPersist=no",
        ] {
            assert!(text.contains(undone), "{text}");
        }
        // Older versions do not know these options: they are named only where they are set.
        let text = master_line(&endpoint(), BARE);
        assert!(!text.contains("Fork") && !text.contains("Remote"), "{text}");
    }

    #[test]
    fn settings_know_the_host_its_names_and_its_door() {
        let settings = Settings::parse(
            "user ops\nhostname fd00::1\nport 2222\nproxyjump a@gate:22,second\n\
             connecttimeout 4\nconnectionattempts 3\nsetenv A=b c\nsetenv B=d\n\
             controlpath /home/u/.ssh/c-1\n",
        );

        assert_eq!(settings.target(), "[fd00::1]:2222");
        assert_eq!(settings.known_as(), "[fd00::1]:2222");
        assert_eq!(settings.door(), "a@gate:22");
        assert!(settings.has_proxy);
        assert_eq!(settings.connect_limit(), Duration::from_secs(12));
        assert_eq!(settings.environment, ["A=b c", "B=d"]);
        assert_eq!(settings.control_path.as_deref(), Some("/home/u/.ssh/c-1"));
        let plain = Settings::parse(BARE);
        assert_eq!(
            (plain.known_as(), plain.door()),
            ("10.0.0.1".into(), "10.0.0.1:22".into())
        );
        assert_eq!(plain.connect_limit(), Duration::from_secs(CONNECT_SECONDS));
    }
}
