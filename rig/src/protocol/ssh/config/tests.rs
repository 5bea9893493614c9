//! What ssh_config says, rule by rule.

use std::collections::BTreeMap;

use super::world::Fake;
use super::*;

fn read(text: &str, alias: &str) -> Result<HostConfig, ConnectError> {
    read_in(&Fake::default(), text, alias)
}

fn read_in(world: &Fake, text: &str, alias: &str) -> Result<HostConfig, ConnectError> {
    read_as(world, text, alias, None, None)
}

fn read_as(
    world: &Fake,
    text: &str,
    alias: &str,
    user: Option<&str>,
    port: Option<u16>,
) -> Result<HostConfig, ConnectError> {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config");
    std::fs::write(&path, text).unwrap();
    let reader = Reader {
        home: home.path(),
        world,
    };
    let document = reader.read(&path)?;
    let asker = Asker {
        alias,
        user,
        port,
        usual_user: "root",
        home: Path::new("/home/me"),
        local_user: "me",
        local_uid: 1000,
        local_host: "box.lan",
        world,
    };
    resolve(&[Arc::new(document)], &asker)
}

fn files(paths: &[&str]) -> Option<Vec<PathBuf>> {
    Some(paths.iter().map(PathBuf::from).collect())
}

#[test]
fn the_first_value_counts_and_identity_files_add_up() {
    let text = "Host web*\n  HostName %h.example.com\n  User deploy\n  IdentityFile ~/.ssh/a\n\
                Host *\n  User nobody\n  Port 2222\n  IdentityFile %d/.ssh/%r@%h:%p-%n-%u%%\n\
                CertificateFile ~/c\nIdentityFile ~/.ssh/a\nCertificateFile ~/d\n";

    let config = read(text, "web1").unwrap();

    assert_eq!(config.host_name, "web1.example.com");
    assert_eq!((config.user.as_str(), config.port), ("deploy", 2222));
    assert_eq!(
        config.identity_files,
        files(&[
            "/home/me/.ssh/a",
            "/home/me/.ssh/deploy@web1.example.com:2222-web1-me%",
        ])
    );
    let certificates = files(&["/home/me/c", "/home/me/d"]);
    assert_eq!(Some(config.certificate_files), certificates);
}

#[test]
fn no_identity_file_at_all_is_not_the_same_as_none_named() {
    assert_eq!(read("", "h").unwrap().identity_files, None);
    let config = read("IdentityFile none\n", "h").unwrap();
    assert_eq!(config.identity_files, Some(Vec::new()));
}

#[test]
fn what_the_host_says_beats_ssh_config() {
    let world = Fake::default();
    let text = "User a\nPort 1\nMatch user b\nHostKeyAlias seen\n";

    let config = read_as(&world, text, "h", Some("b"), Some(2)).unwrap();

    assert_eq!((config.user.as_str(), config.port), ("b", 2));
    assert_eq!(config.host_key_alias.as_deref(), Some("seen"));
}

#[test]
fn without_a_word_it_is_root_on_port_22() {
    let config = read("Host other\nUser a\nPort 1\nHostName b\n", "h").unwrap();

    assert_eq!((config.user.as_str(), config.port), ("root", 22));
    assert_eq!(config.host_name, "h");
}

#[test]
fn keywords_quotes_and_equal_signs_are_understood() {
    let text = "HOST=\"a b\" h\n\tuser = \"x y\" # why\nPORT\t=\t7\nUnknownThing what \"ever\n\
                UserKnownHostsFile \"/a b\" /c\nGlobalKnownHostsFile none\n";

    let config = read(text, "h").unwrap();

    assert_eq!((config.user.as_str(), config.port), ("x y", 7));
    assert_eq!(config.user_known_hosts, files(&["/a b", "/c"]));
    assert_eq!(config.global_known_hosts, files(&[]));
}

#[test]
fn match_blocks_apply_by_their_criteria_and_never_leak() {
    let text = "Host alias\nHostName web.lan\nUser deploy\nTag prod\n\
                Match host *.lan user deploy\nPort 1\n\
                Match originalhost other\nHostName wrong\n\
                Match !host web.lan\nHashKnownHosts yes\n\
                Match localuser me tagged prod\nCheckHostIP yes\n\
                Match all\nHostKeyAlias Always\n";

    let config = read(text, "alias").unwrap();

    assert_eq!((config.port, config.host_name.as_str()), (1, "web.lan"));
    assert!(!config.identities_only && !config.hash_known_hosts && config.check_host_ip);
    assert_eq!(config.host_key_alias.as_deref(), Some("always"));
    assert_eq!(read(text, "db-1").unwrap().port, 22);
}

#[test]
fn a_final_block_sees_the_real_name() {
    let text = "Match final host real.lan\nPort 7\nHost alias\nHostName Real.LAN\n\
                Host real.lan\nUser late\n";

    let config = read(text, "alias").unwrap();

    assert_eq!(config.host_name, "real.lan");
    assert_eq!((config.port, config.user.as_str()), (7, "late"));
}

#[test]
fn commands_are_passed_over_unless_they_are_allowed() {
    let text = "Match exec \"test %h = web\"\nPort 7\nMatch !exec \"test %h = web\"\nPort 8\n";
    let mut world = Fake::default();

    let off = read_in(&world, text, "web").unwrap();
    world.commands = Some(vec!["test web = web".to_owned()]);
    let on = read_in(&world, text, "web").unwrap();
    let other = read_in(&world, text, "db").unwrap();

    assert_eq!((off.port, on.port, other.port), (22, 7, 8));
    let lines: Vec<usize> = off.warnings.iter().map(|warning| warning.line).collect();
    assert_eq!(lines, [1, 3], "{:?}", off.warnings);
    assert!(off.warnings[0].to_string().contains("exec"));
    assert!(on.warnings.is_empty());
}

#[test]
fn unknown_criteria_are_not_met_and_said() {
    let config = read("Match localnetwork 10.0.0.0/8\nPort 7\n", "h").unwrap();

    assert_eq!(config.port, 22);
    assert!(config.warnings[0].text.contains("localnetwork"));
}

#[test]
fn includes_belong_to_the_block_they_stand_in() {
    let directory = tempfile::tempdir().unwrap();
    let include = directory.path().join("conf.d");
    std::fs::create_dir(&include).unwrap();
    std::fs::write(include.join("10-a.conf"), "Port 1\nHost db\nUser db\n").unwrap();
    std::fs::write(include.join("20-b.conf"), "Port 2\nUser b\n").unwrap();
    let mut world = Fake::default();
    let place = include.display().to_string();
    world.variables.insert("CONF".into(), place);
    let text = "Host web\nInclude ${CONF}/[12]*.conf\nHostName after\n";

    let web = read_in(&world, text, "web").unwrap();
    let db = read_in(&world, text, "db").unwrap();

    assert_eq!((web.port, web.user.as_str()), (1, "b"));
    assert_eq!(web.host_name, "after");
    assert_eq!((db.port, db.user.as_str()), (22, "root"));
}

#[test]
fn an_endless_include_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config");
    std::fs::write(&path, format!("Include {}\n", path.display())).unwrap();

    let error = read(&format!("Include {}\n", path.display()), "h").unwrap_err();

    assert!(error.to_string().contains("Include"), "{error}");
}

#[test]
fn a_file_that_others_may_write_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("config");
    std::fs::write(&path, "Port 1\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o620)).unwrap();

    let error = read(&format!("Include {}\n", path.display()), "h").unwrap_err();

    assert!(error.to_string().contains("chmod go-w"), "{error}");
}

#[test]
fn the_first_word_on_a_proxy_rules_out_the_other() {
    let jump = |text: &str| match read(text, "h").unwrap().proxy {
        Proxy::Jump(jumps) => jumps.into_iter().map(|jump| jump.host).collect(),
        Proxy::None | Proxy::Command(_) => Vec::new(),
    };

    assert_eq!(read("ProxyJump none\n", "h").unwrap().proxy, Proxy::None);
    let text = "Host x\nProxyJump b\n";
    assert_eq!(read(text, "h").unwrap().proxy, Proxy::None);
    assert_eq!(jump("ProxyJump a,b.%h\nProxyCommand nc %h\n"), ["a", "b.h"]);
    let text = "ProxyCommand none\nProxyJump b\n";
    assert_eq!(read(text, "h").unwrap().proxy, Proxy::None);
    let text = "ProxyJump none\nProxyJump b\n";
    assert_eq!(read(text, "h").unwrap().proxy, Proxy::None);
    let text = "ProxyJump none\nProxyCommand nc\n";
    let proxy = read(text, "h").unwrap().proxy;
    assert_eq!(proxy, Proxy::Command("nc".to_owned()));
}

#[test]
fn a_proxy_command_keeps_its_blanks_and_gets_its_tokens() {
    let text = "HostName H.lan\nPort 7\nProxyCommand = sh  -c 'nc \"%h\" %p' # %n %r 100%%\n";

    let proxy = read(text, "h").unwrap().proxy;

    let command = "sh  -c 'nc \"h.lan\" 7' # h root 100%";
    assert_eq!(proxy, Proxy::Command(command.to_owned()));
}

#[test]
fn a_name_that_a_shell_would_take_apart_is_refused() {
    let text = "ProxyCommand nc %h\n";

    let error = read(text, "a;reboot").unwrap_err();

    assert!(error.to_string().contains("ProxyCommand"), "{error}");
    let world = Fake::default();
    assert!(read_as(&world, text, "h", Some("$(id)"), None).is_err());
    assert!(read_as(&world, text, "h", Some("LAN\\me$"), None).is_ok());
}

#[test]
fn the_agent_may_be_none_a_path_or_a_variable() {
    let mut world = Fake::default();
    world.variables.insert("SOCKET".into(), "/run/agent".into());
    let agent = |text: &str| {
        let text = format!("IdentityAgent {text}\n");
        read_in(&world, &text, "h").unwrap().identity_agent
    };

    assert_eq!(agent("none"), AgentChoice::Nobody);
    assert_eq!(agent("SSH_AUTH_SOCK"), AgentChoice::Usual);
    assert_eq!(agent("$SOCKET"), AgentChoice::Socket("/run/agent".into()));
    assert_eq!(agent("$UNSET"), AgentChoice::Nobody);
    let path = AgentChoice::Socket("/run/agent/1".into());
    assert_eq!(agent("${SOCKET}/1"), path);
    let path = AgentChoice::Socket("/home/me/a".into());
    assert_eq!(agent("~/a"), path);
}

#[test]
fn short_names_get_the_first_domain_that_knows_them() {
    let text = "CanonicalizeHostname yes\nCanonicalDomains a.lan B.lan\n\
                CanonicalizeFallbackLocal no\nMatch canonical host web.b.lan\nPort 7\n";
    let world = Fake {
        names: vec!["web.b.lan.".to_owned()],
        variables: BTreeMap::new(),
        ..Fake::default()
    };

    let config = read_in(&world, text, "web").unwrap();

    assert_eq!((config.host_name.as_str(), config.port), ("web.b.lan", 7));
    let dotted = read_in(&world, text, "web.c.lan").unwrap();
    assert_eq!(dotted.host_name, "web.c.lan");
    let error = read_in(&world, text, "db").unwrap_err();
    assert!(error.to_string().contains("CanonicalDomains"), "{error}");
}

#[test]
fn times_and_families_are_read() {
    let text = "ConnectTimeout 1m\nServerAliveInterval 10\nServerAliveCountMax 2\n\
                AddressFamily INET6\nConnectionAttempts 0\n";

    let config = read(text, "h").unwrap();

    assert_eq!(config.connect_timeout, Some(Duration::from_secs(60)));
    let alive = ServerAlive {
        interval: Some(Duration::from_secs(10)),
        count_max: Some(2),
    };
    assert_eq!(config.server_alive, alive);
    assert_eq!(config.address_family, AddressFamily::V6);
    assert_eq!(config.connection_attempts, 1);
}

#[test]
fn bad_lines_are_named() {
    for (text, wanted) in [
        ("User a\nPort ssh\n", "line 2"),
        ("Port 0\n", "line 1"),
        ("\n\nHost \"a\n", "line 3"),
        ("Host\n", "line 1"),
        ("IdentitiesOnly maybe\n", "line 1"),
        ("StrictHostKeyChecking perhaps\n", "line 1"),
        ("Match\n", "line 1"),
        ("Match all host a\n", "line 1"),
        ("Match host\n", "line 1"),
        ("IdentityFile %Z\n", "line 1"),
        ("IdentityFile ${NONE}/a\n", "line 1"),
        ("User\n", "line 1"),
        ("User a b\n", "line 1"),
        ("Host other\nConnectTimeout soon\n", "line 2"),
        ("ProxyJump a,,b\n", "line 1"),
        ("UserKnownHostsFile /a none\n", "line 1"),
        ("HostName %p\n", "line 1"),
    ] {
        let error = read(text, "h").unwrap_err().to_string();
        assert!(error.contains(wanted), "{text:?}: {error}");
    }
}

#[test]
fn strictness_is_what_the_words_mean() {
    for (word, expected) in [
        ("yes", Strictness::Known),
        ("ask", Strictness::Known),
        ("accept-new", Strictness::AcceptNew),
        ("no", Strictness::Off),
        ("OFF", Strictness::Off),
    ] {
        let config = read(&format!("StrictHostKeyChecking {word}\n"), "h").unwrap();
        assert_eq!(config.strictness, Some(expected), "{word}");
    }
}
