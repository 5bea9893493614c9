//! The same files, read here and by the `ssh` of this machine (`ssh -G`).
//!
//! `PROPTEST_CASES=5000` looks at more of them. What `ssh -G` prints without its tokens expanded
//! is written here without tokens.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// What `ssh -G` prints, by keyword.
type Printed = BTreeMap<String, Vec<String>>;

const COMPARED: &[&str] = &[
    "addressfamily",
    "bindaddress",
    "certificatefile",
    "checkhostip",
    "connectionattempts",
    "connecttimeout",
    "globalknownhostsfile",
    "hashknownhosts",
    "hostkeyalias",
    "hostname",
    "identitiesonly",
    "identityagent",
    "identityfile",
    "kbdinteractiveauthentication",
    "numberofpasswordprompts",
    "passwordauthentication",
    "port",
    "preferredauthentications",
    "proxycommand",
    "proxyjump",
    "pubkeyauthentication",
    "revokedhostkeys",
    "serveralivecountmax",
    "serveraliveinterval",
    "stricthostkeychecking",
    "user",
    "userknownhostsfile",
];

const SETTINGS: &[(&str, &[&str])] = &[
    ("AddressFamily", &["any", "inet", "INET6"]),
    ("BindAddress", &["127.0.0.1", "::1"]),
    ("CanonicalizeHostname", &["no", "yes"]),
    ("CertificateFile", &["/c1", "/c2", "\"/c 3\""]),
    ("CheckHostIP", &["yes", "no"]),
    ("Compression", &["yes", "no"]),
    ("ConnectTimeout", &["5", "1m30", "2H", "none"]),
    ("ConnectionAttempts", &["1", "3"]),
    ("GlobalKnownHostsFile", &["/g1", "/g1 /g2", "none"]),
    ("HashKnownHosts", &["yes", "NO", "true"]),
    ("HostKeyAlias", &["Alias", "other"]),
    (
        "HostName",
        &["%h.lan", "Real.LAN", "10.0.0.1", "web%%", "%h", "FE80::1"],
    ),
    ("IdentitiesOnly", &["yes", "no", "False"]),
    ("IdentityAgent", &["/agent", "none", "SSH_AUTH_SOCK"]),
    ("IdentityFile", &["/k1", "/k2", "'/k 3'", "\"/k1\""]),
    ("KbdInteractiveAuthentication", &["yes", "no"]),
    ("NumberOfPasswordPrompts", &["1", "7"]),
    ("PasswordAuthentication", &["yes", "no"]),
    ("Port", &["22", "2222", "\"7\""]),
    (
        "PreferredAuthentications",
        &["publickey", "password,publickey"],
    ),
    (
        "ProxyCommand",
        &["none", "nc  a 1", "sh -c \"x y\" # z", "'a b' c"],
    ),
    (
        "ProxyJump",
        &["none", "b1", "u@b1:7,b2", "[::1]:7", "ssh://x@b3:9"],
    ),
    ("PubkeyAuthentication", &["yes", "no"]),
    ("RevokedHostKeys", &["/r1", "\"/r 2\"", "none"]),
    ("ServerAliveCountMax", &["0", "5"]),
    ("ServerAliveInterval", &["0", "15", "1m"]),
    (
        "StrictHostKeyChecking",
        &["yes", "no", "ask", "accept-new", "off"],
    ),
    ("User", &["deploy", "admin", "\"a\\\\b\"", "x#y", "o'k'"]),
    (
        "UserKnownHostsFile",
        &[
            "~/k",
            "\"/k a\" %d/b",
            "/%h-%p-%r-%u-%n",
            "/%k-%L-%l-%i",
            "${HOME}/h",
            "none",
        ],
    ),
];

const MISTAKES: &[&str] = &[
    "Port 0",
    "Port",
    "User a b",
    "User \"a",
    "User \"\"",
    "IdentitiesOnly perhaps",
    "ConnectTimeout soon",
    "ServerAliveCountMax -1",
    "ProxyJump a,,b",
    "ProxyJump @b",
    "ProxyCommand 'a",
    "Match",
    "Match host",
    "Match all host a",
    "Match host a user b all",
    "Host \"\"",
    "UserKnownHostsFile /a none",
    "HostName %p",
    "Host #",
];

const PATTERNS: &[&str] = &[
    "*", "web*", "!db.lan", "*.lan", "w?b1", "10.*", "DB", "\"web1\"", "web1,db*", "!*", "real*",
];

const CRITERIA: &[&str] = &[
    "host *.lan",
    "host=real.lan",
    "!host web*",
    "Host WEB*,!db.lan",
    "originalhost web1,db.lan",
    "!originalhost \"web1\"",
    "user deploy",
    "user = a*,root",
    "!user admin",
    "localuser *",
    "!localuser root",
    "final",
    "!final",
    "canonical",
    "!canonical",
    "all",
];

fn setting() -> impl Strategy<Value = String> {
    (select(SETTINGS), any::<prop::sample::Index>(), 0..6usize).prop_map(
        |((keyword, values), index, dress)| {
            let value = index.get(values);
            match dress {
                0 => format!("\t{}\t{value}", keyword.to_uppercase()),
                1 => format!("{keyword}={value}"),
                2 => format!("  {keyword} = {value}  "),
                // Of a comment behind a proxy each version of ssh makes something else.
                3 if !keyword.starts_with("Proxy") => {
                    format!("{} {value} # {value}", keyword.to_lowercase())
                }
                _ => format!("{keyword} {value}"),
            }
        },
    )
}

fn block() -> impl Strategy<Value = String> {
    let hosts = prop::collection::vec(select(PATTERNS), 1..4)
        .prop_map(|patterns| format!("Host {}", patterns.join(" ")));
    let matches = prop::collection::vec(select(CRITERIA), 1..4)
        .prop_map(|criteria| format!("Match {}", criteria.join(" ")));
    let all = select(&["Match all", "Match !all", "Match final all", "# Host *", ""][..]);
    prop_oneof![4 => hosts, 4 => matches, 1 => all.prop_map(str::to_owned)]
}

/// Lines of a file; `Include` stands for others, by number.
fn lines(includes: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    let line = prop_oneof![
        12 => setting(),
        5 => block(),
        2 => select(includes).prop_map(|names| format!("Include {names}")),
    ];
    prop::collection::vec(line, 0..14)
}

#[derive(Debug, Clone)]
struct Question {
    files: [Vec<String>; 3],
    alias: &'static str,
    user: Option<&'static str>,
    port: Option<u16>,
}

fn question() -> impl Strategy<Value = Question> {
    let files = (
        lines(&["DIR/1", "DIR/2", "DIR/[12]", "DIR/none", "DIR/2 DIR/1"]),
        lines(&["DIR/2"]),
        lines(&["DIR/none"]),
    );
    let mistake = prop::option::weighted(0.1, (select(MISTAKES), any::<prop::sample::Index>()));
    let aliases = select(&["web1", "web2.lan", "db.lan", "DB", "10.0.0.1", "Real.LAN"][..]);
    let user = prop::option::weighted(0.2, select(&["deploy", "admin"][..]));
    let port = prop::option::weighted(0.2, select(&[7_u16, 22][..]));
    (files, mistake, aliases, user, port).prop_map(|(files, mistake, alias, user, port)| {
        let mut files = [files.0, files.1, files.2];
        if let Some((line, index)) = mistake {
            let at = index.index(files[0].len() + 1);
            files[0].insert(at, line.to_owned());
        }
        Question {
            files,
            alias,
            user,
            port,
        }
    })
}

fn output_of(program: &str, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Asks `ssh`; nothing where it refuses the files.
fn theirs(question: &Question, config: &Path, home: &str) -> Option<Printed> {
    let mut command = Command::new("ssh");
    command.arg("-G").arg("-F").arg(config).env("HOME", home);
    if let Some(user) = question.user {
        command.args(["-l", user]);
    }
    if let Some(port) = question.port {
        command.args(["-p", &port.to_string()]);
    }
    let output = command.arg(question.alias).output().unwrap();
    if !output.status.success() {
        return None;
    }
    let mut printed = Printed::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        let value = value.to_owned();
        printed.entry(key.to_owned()).or_default().push(value);
    }
    printed.retain(|key, _| COMPARED.contains(&key.as_str()));
    Some(printed)
}

fn yes_or_no(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

fn joined(paths: &[PathBuf]) -> String {
    let texts: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    if texts.is_empty() {
        "none".to_owned()
    } else {
        texts.join(" ")
    }
}

/// Prints our settings as `ssh -G` would.
fn ours(config: &HostConfig, home: &str) -> Printed {
    let mut printed = Printed::new();
    let mut put = |key: &str, value: String| {
        printed.entry(key.to_owned()).or_default().push(value);
    };
    put("hostname", config.host_name.clone());
    put("user", config.user.clone());
    put("port", config.port.to_string());
    put("checkhostip", yes_or_no(config.check_host_ip));
    put("hashknownhosts", yes_or_no(config.hash_known_hosts));
    put("identitiesonly", yes_or_no(config.identities_only));
    put("passwordauthentication", yes_or_no(config.methods.password));
    let interactive = config.methods.keyboard_interactive;
    put("kbdinteractiveauthentication", yes_or_no(interactive));
    put(
        "pubkeyauthentication",
        config.methods.public_key.to_string(),
    );
    put(
        "numberofpasswordprompts",
        config.methods.prompts.to_string(),
    );
    put("connectionattempts", config.connection_attempts.to_string());
    let count = config.server_alive.count_max.unwrap_or(3);
    put("serveralivecountmax", count.to_string());
    let interval = config.server_alive.interval.unwrap_or_default();
    put("serveraliveinterval", interval.as_secs().to_string());
    let timeout = config
        .connect_timeout
        .map(|time| time.as_secs().to_string());
    put(
        "connecttimeout",
        timeout.unwrap_or_else(|| "none".to_owned()),
    );
    let family = match config.address_family {
        AddressFamily::Any => "any",
        AddressFamily::V4 => "inet",
        AddressFamily::V6 => "inet6",
    };
    put("addressfamily", family.to_owned());
    let strictness = match config.strictness {
        Some(Strictness::AcceptNew) => "accept-new",
        Some(Strictness::Off) => "false",
        Some(Strictness::Known) | None => "true",
    };
    put("stricthostkeychecking", strictness.to_owned());
    for (key, value) in [
        ("bindaddress", &config.bind_address),
        ("hostkeyalias", &config.host_key_alias),
    ] {
        if let Some(value) = value {
            put(key, value.clone());
        }
    }
    if let Some(preferred) = &config.methods.preferred {
        put("preferredauthentications", preferred.join(","));
    }
    put_keys(config, &mut put);
    put_known_hosts(config, home, &mut put);
    put_proxy(&config.proxy, &mut put);
    printed
}

fn put_keys(config: &HostConfig, put: &mut impl FnMut(&str, String)) {
    match &config.identity_agent {
        AgentChoice::Usual => {}
        AgentChoice::Nobody => put("identityagent", "none".to_owned()),
        AgentChoice::Socket(path) => put("identityagent", path.display().to_string()),
    }
    for path in config.identity_files.iter().flatten() {
        put("identityfile", path.display().to_string());
    }
    for path in &config.certificate_files {
        put("certificatefile", path.display().to_string());
    }
}

fn put_known_hosts(config: &HostConfig, home: &str, put: &mut impl FnMut(&str, String)) {
    let user = match &config.user_known_hosts {
        Some(paths) => joined(paths),
        None => format!("{home}/.ssh/known_hosts {home}/.ssh/known_hosts2"),
    };
    put("userknownhostsfile", user);
    let usual = "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2".to_owned();
    let global = config.global_known_hosts.as_deref();
    put("globalknownhostsfile", global.map_or(usual, joined));
    for path in &config.revoked_host_keys {
        put("revokedhostkeys", path.display().to_string());
    }
}

fn put_proxy(proxy: &Proxy, put: &mut impl FnMut(&str, String)) {
    match proxy {
        Proxy::None => {}
        Proxy::Command(command) => put("proxycommand", command.clone()),
        Proxy::Jump(jumps) => {
            let mut text = String::new();
            for jump in jumps {
                let comma = if text.is_empty() { "" } else { "," };
                let user = jump.user.iter().map(|user| format!("{user}@"));
                let user: String = user.collect();
                let host = if jump.host.contains(':') {
                    format!("[{}]", jump.host)
                } else {
                    jump.host.clone()
                };
                let port = jump.port.map(|port| format!(":{port}"));
                let port = port.unwrap_or_default();
                let _ = write!(text, "{comma}{user}{host}{port}");
            }
            put("proxyjump", text);
        }
    }
}

/// Brings to one form what both say in different words.
fn level(printed: &mut Printed, ours: &Printed) {
    // `ask` and `yes` are one to us: there is nobody to ask.
    if let Some(values) = printed.get_mut("stricthostkeychecking") {
        for value in values.iter_mut().filter(|value| *value == "ask") {
            "true".clone_into(value);
        }
    }
    // We have no list of usual keys here.
    if !ours.contains_key("identityfile") {
        printed.remove("identityfile");
    }
    if printed
        .get("identityagent")
        .is_some_and(|agent| agent == &["SSH_AUTH_SOCK"])
    {
        printed.remove("identityagent");
    }
    if let Some(jumps) = printed.get_mut("proxyjump") {
        for jump in jumps {
            *jump = jump.replace("ssh://", "");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn generated_files_mean_what_they_mean_to_ssh(question in question()) {
        compare(&question)?;
    }
}

fn compare(question: &Question) -> Result<(), TestCaseError> {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().display().to_string();
    for (index, lines) in question.files.iter().enumerate() {
        let text = lines.join("\n").replace("DIR", &place);
        std::fs::write(directory.path().join(index.to_string()), text + "\n").unwrap();
    }
    let user = output_of("id", "-un");
    let variables = BTreeMap::from([("HOME".to_owned(), place.clone())]);
    let world = ThisMachine::new(variables, false);
    let home = world.home_of(&user).unwrap();
    let reader = Reader {
        home: directory.path(),
        world: &world,
    };
    let config = directory.path().join("0");
    let local_host = output_of("uname", "-n");
    let asker = Asker {
        alias: question.alias,
        user: question.user,
        port: question.port,
        usual_user: &user,
        home: &home,
        local_user: &user,
        local_uid: output_of("id", "-u").parse().unwrap(),
        local_host: &local_host,
        world: &world,
    };
    let resolved = reader
        .read(&config)
        .and_then(|document| resolve(&[Arc::new(document)], &asker));
    let theirs = theirs(question, &config, &place);
    match (resolved, theirs) {
        (Err(_), None) => Ok(()),
        (Ok(resolved), Some(mut theirs)) => {
            let ours = ours(&resolved, &home.display().to_string());
            level(&mut theirs, &ours);
            prop_assert_eq!(ours, theirs);
            Ok(())
        }
        (Ok(_), None) => Err(TestCaseError::fail("ssh refuses it")),
        (Err(error), Some(_)) => Err(TestCaseError::fail(format!("only we refuse it: {error}"))),
    }
}
