//! What values become: as written, from anchors, from the environment, from flags.

use proptest::prelude::*;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::fake::{Machine, document, told};

#[test]
fn texts_stay_as_they_are_written() {
    let lines = "environment:\n  A: 3.10\n  B: 0123\n  C: yes\n  D: 1e5\n  E: '~'\n  F: ~\n  G: 0x1F\n  \
                 H: 1_000\n  I: \"null\"\n  J: !!str 25.0\n  K: >-\n    a\n    b";
    let config = Machine::default().config(&document(lines, "", "", ""));

    let values: Vec<&str> = config.hosts[0]
        .environment
        .values()
        .map(String::as_str)
        .collect();
    assert_eq!(
        values,
        [
            "3.10", "0123", "yes", "1e5", "~", "", "0x1F", "1_000", "null", "25.0", "a b"
        ]
    );
}

#[test]
fn free_values_are_resolved_once() {
    let lines = "mcrConfig: {a: yes, b: 0123, c: '0123', d: ~, e: [1, 2.5, x], f: {g: !!str 1}}";
    let config = Machine::default().config(&document(lines, "", "", ""));

    let found = serde_json::to_value(&config.hosts[0].mcr_config).unwrap();
    assert_eq!(
        found,
        json!({"a": true, "b": 83, "c": "0123", "d": null, "e": [1, 2.5, "x"], "f": {"g": "1"}})
    );
}

#[test]
fn a_version_keeps_its_zero() {
    let text = document("", "", "", "").replace("3.8.10", "3.10");

    assert_eq!(
        Machine::default().config(&text).mke.version.as_str(),
        "3.10"
    );
}

#[test]
fn booleans_have_all_forms_of_yaml_1_1() {
    for (word, value) in [
        ("y", true),
        ("Y", true),
        ("yes", true),
        ("On", true),
        ("TRUE", true),
        ("true", true),
        ("n", false),
        ("NO", false),
        ("off", false),
        ("False", false),
        ("~", false),
        ("", false),
    ] {
        let text = document(&format!("sudodocker: {word}"), "", "", "");
        assert_eq!(
            Machine::default().config(&text).hosts[0].sudodocker,
            value,
            "{word}"
        );
    }
}

#[test]
fn null_is_as_if_it_were_not_there() {
    let lines = "hooks:\nenvironment: ~\nmcrConfig: null\nimageDir:\nswarmAddress: ''";
    let config = Machine::default().config(&document(
        lines,
        "license:",
        "installFlags:",
        "msr:\ncluster:",
    ));

    assert!(config.hosts[0].environment.is_empty() && config.hosts[0].swarm_address.is_none());
    assert!(config.msr.is_none() && config.mcr.license.is_none());
}

#[test]
fn anchors_and_merge_keys_share_blocks() {
    let text = document("environment: &e {A: 1, B: 2}", "", "", "").replace(
        "  mcr:",
        "  - role: worker\n    ssh: &ssh {address: b, user: &u ops, port: 23}\n    environment: \
         {<<: *e, B: 3}\n  - role: worker\n    ssh: {<<: [*ssh, {keyPath: k}], address: c}\n    \
         environment: *e\n  mcr:",
    );
    let config = Machine::default().config(&text);

    let environment = |index: usize| {
        let each = config.hosts[index].environment.iter();
        each.map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        (environment(1), environment(2)),
        ("A=1 B=3".to_owned(), "A=1 B=2".to_owned())
    );
    let config::Connection::Ssh(ssh) = &config.hosts[2].connection else {
        panic!()
    };
    assert_eq!(
        (ssh.address.as_str(), ssh.port, ssh.user.as_deref()),
        ("c", Some(23), Some("ops"))
    );
    assert_eq!(ssh.key_path.as_deref(), Some("k".as_ref()));
}

#[test]
fn json_and_windows_line_ends_are_read() {
    let json = json!({
        "apiVersion": "launchpad.mirantis.com/mke/v1.6",
        "kind": "mke",
        "spec": {
            "hosts": [{"role": "manager", "ssh": {"address": "a", "port": 22}}],
            "mcr": {"channel": "stable"},
            "mke": {"version": "3.8.10"}
        }
    });

    assert_eq!(
        Machine::default().config(&json.to_string()).hosts[0].address(),
        "a"
    );
    let text = document("", "", "", "").replace('\n', "\r\n");
    assert_eq!(
        Machine::default().config(&format!("\u{FEFF}{text}")).name,
        "test"
    );
}

#[test]
fn variables_become_values_and_nothing_else() {
    let machine = Machine::default()
        .var("TRICK", "a: b\n- {x: y} # z")
        .var("PORT", "2222")
        .var("YES", "yes")
        .var("NULL", "null")
        .var("EMPTY", "");
    let text = document(
        "environment: {A: \"${NULL}\", B: \"a $$TRICK $1\"}\nsudodocker: ${YES}\nprivateInterface: ${EMPTY}",
        "license: ${TRICK}",
        "adminPassword: ${TRICK}\nadminUsername: $NULL",
        "",
    )
    .replace("{address: 10.0.0.1}", "{address: 10.0.0.1, port: \"${PORT}\"}");

    let config = machine.config(&text);

    let password = config.mke.admin_password.as_ref().unwrap();
    assert_eq!(password.expose_secret(), "a: b\n- {x: y} # z");
    assert_eq!(config.mke.admin_username.as_deref(), Some("null"));
    assert_eq!(config.hosts[0].environment["A"], "null");
    assert_eq!(config.hosts[0].environment["B"], "a $TRICK $1");
    assert!(config.hosts[0].sudodocker && config.hosts[0].private_interface.is_none());
    let config::Connection::Ssh(ssh) = &config.hosts[0].connection else {
        panic!()
    };
    assert_eq!(ssh.port, Some(2222));
}

#[test]
fn variables_that_are_not_set_are_named_with_their_place() {
    let text = document(
        "environment: {A: \"x $UNSET y\"}",
        "",
        "adminUsername: ${NO}",
        "",
    );

    let problems = Machine::default().problems(&text);

    assert_eq!(
        problems.items[0].to_string(),
        "\
error[LP-C0025]: the environment variable `UNSET` is not set
 --> launchpad.yaml:9:25
  |
9 |     environment: {A: \"x $UNSET y\"}
  |                         ^^^^^^
  = hint: set it, write `${UNSET:-default}`, or `$$UNSET` for the text"
    );
    assert_eq!(problems.items[1].position.unwrap().line, 14);
    let unclosed = document("", "", "adminUsername: \"${NO\"", "");
    assert_eq!(
        told(&Machine::default().problems(&unclosed)),
        ["13: the closing brace of `${` is missing | - | close it, or write `$${` for the text"]
    );
}

#[test]
fn warns_of_defaults_that_do_not_nest() {
    let machine = Machine::default().var("A", "x");
    let loaded = machine
        .load(document(
            "",
            "",
            "adminUsername: \"${A:-$B-c}${B:-${A}}\"",
            "",
        ))
        .unwrap();

    assert_eq!(loaded.config.mke.admin_username.as_deref(), Some("x}"));
    assert_eq!(
        loaded.warnings[0].message,
        "a default is a text or one variable, not both"
    );
}

#[test]
fn the_administrator_moves_out_of_the_flags() {
    for mke in [
        "installFlags: [--admin-username=ops, \"--admin-password 'p w'\", --san=x]",
        "upgradeFlags: [--admin-username ops, '--admin-password=\"p w\"']\ninstallFlags: [--san=x]",
        "adminUsername: ops\nadminPassword: p w\ninstallFlags: [\"--admin-password='p w'\", --san=x]\n\
         upgradeFlags: [\"--admin-password=p\\\\ w\"]",
        "installFlags: [\"--san=x --admin-username ops --admin-password 'p w'\"]",
        "adminUsername: ops\ninstallFlags: [--san=x, --admin-password, p w]",
    ] {
        let config = Machine::default().config(&document("", "", mke, ""));

        assert_eq!(config.mke.admin_username.as_deref(), Some("ops"), "{mke}");
        let password = config.mke.admin_password.as_ref().unwrap();
        assert_eq!(password.expose_secret(), "p w", "{mke}");
        assert_eq!(config.mke.install_flags.shell_words(), ["--san=x"], "{mke}");
        assert!(config.mke.upgrade_flags.is_empty(), "{mke}");
    }
}

#[test]
fn an_administrator_is_one() {
    for (mke, found) in [
        (
            "adminPassword: hunter2\ninstallFlags: [--san=x, --admin-password=hunter3]",
            "14: `adminPassword` and `--admin-password` of `spec.mke.installFlags` differ | \
             spec.mke.installFlags[1] | keep `spec.mke.adminPassword` and remove the flag",
        ),
        (
            "adminUsername: a\nupgradeFlags: [--admin-username=b]",
            "14: `adminUsername` and `--admin-username` of `spec.mke.upgradeFlags` differ | \
             spec.mke.upgradeFlags[0] | keep `spec.mke.adminUsername` and remove the flag",
        ),
        (
            "installFlags: [--admin-password]",
            "13: `--admin-password` has no value | spec.mke.installFlags[0] | \
             set `spec.mke.adminPassword`",
        ),
        (
            "installFlags: [--admin-password=$(cat /pw)]",
            "13: the value of `--admin-password` is a command of the shell | \
             spec.mke.installFlags[0] | set `spec.mke.adminPassword` to the value itself",
        ),
    ] {
        let problems = Machine::default().problems(document("", "", mke, ""));
        assert_eq!(told(&problems), [found]);
        assert!(!problems.to_string().contains("hunter"), "{problems}");
    }
}

#[test]
fn the_address_of_mke_is_known_before_it_is_there() {
    let url = |mke: &str, address: &str, spec: &str| {
        let text = document("", "", mke, spec).replace("10.0.0.1", address);
        Machine::default().config(&text).mke_url()
    };

    assert_eq!(url("", "10.0.0.1", ""), "https://10.0.0.1/");
    assert_eq!(url("", "'fd00::1'", ""), "https://[fd00::1]/");
    assert_eq!(
        url("installFlags: [--controller-port=8443]", "a", ""),
        "https://a:8443/"
    );
    assert_eq!(
        url("installFlags: [\"--san 'b,c'\", --san=d]", "a", ""),
        "https://b/"
    );
    assert_eq!(
        url("installFlags: [--san=$(hostname -f), --san=d]", "a", ""),
        "https://d/"
    );
    let msr = "msr: {version: 2.9.28, installFlags: [--ucp-url=mke.example.net:4443]}";
    assert_eq!(url("", "a", msr), "https://mke.example.net:4443/");
    let msr = "msr: {version: 2.9.28, installFlags: [--ucp-url=http://x/y]}";
    assert_eq!(url("", "a", msr), "http://x/y");
}

#[test]
fn images_of_old_versions_come_from_the_old_repository() {
    let image = |version: &str, mke: &str| {
        let text = document("", "", mke, "").replace("3.8.10", version);
        let mke = Machine::default().config(&text).mke;
        (mke.bootstrap_image(), mke.has_custom_repo())
    };

    assert_eq!(
        image("3.2.7", ""),
        ("docker.io/docker/ucp:3.2.7".to_owned(), false)
    );
    assert_eq!(
        image("3.8.1", ""),
        ("docker.io/mirantis/ucp:3.8.1".to_owned(), false)
    );
    assert_eq!(
        image("3.2.7", "imageRepo: my.io/x"),
        ("my.io/x/ucp:3.2.7".to_owned(), true)
    );
}

#[test]
fn windows_remote_management_has_its_defaults() {
    let win_rm = |block: &str| {
        let text = document("", "", "", "")
            .replace("ssh: {address: 10.0.0.1}", &format!("winRM: {block}"));
        match Machine::default().config(&text).hosts.remove(0).connection {
            config::Connection::WinRm(win_rm) => win_rm,
            other => panic!("{other:?}"),
        }
    };

    let plain = win_rm("{address: a}");
    assert_eq!((plain.port, plain.user.as_str()), (5985, "Administrator"));
    assert_eq!(win_rm("{address: a, useHTTPS: true}").port, 5986);
    assert_eq!(
        win_rm("{address: a, useHTTPS: true, port: 5985}").port,
        5986
    );
    assert_eq!(win_rm("{address: a, useHTTPS: true, port: 99}").port, 99);
    assert!(
        win_rm("{address: a, bastion: {address: b}}")
            .bastion
            .is_some()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_variable_is_one_value(value in "\\PC{0,40}|[-\\n: #{}\\[\\]'\"&*!|>%@`a]{0,20}") {
        let machine = Machine::default().var("V", &value);

        let config = machine.config(&document("", "", "adminPassword: ${V}\nadminUsername: a", ""));

        let password = config.mke.admin_password.as_ref().map(|it| it.expose_secret().to_owned());
        prop_assert_eq!(password.unwrap_or_default(), value);
        prop_assert_eq!(config.mke.admin_username.as_deref(), Some("a"));
    }

    #[test]
    fn a_plain_word_is_kept(word in "[A-Za-z0-9._+][A-Za-z0-9._+-]{0,12}") {
        prop_assume!(!["null", "Null", "NULL"].contains(&word.as_str()));
        let config = Machine::default().config(&document(&format!("environment: {{A: {word}}}"), "", "", ""));

        prop_assert_eq!(&config.hosts[0].environment["A"], &word);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}|[-: \\n\\t#{}\\[\\],'\"&*!|>%@`?a~<$]{0,80}") {
        let _ = Machine::default().load(&text);
    }

    #[test]
    fn any_change_is_read_or_told_with_its_place(at in 0_usize..300, piece in "[-: \\n\\t#{}\\[\\],'\"&*!|>%@`?a~<$]{0,8}") {
        let mut text = document("environment: {A: \"é\"}", "prune: true", "adminPassword: hunter2", "");
        let at = (at..).find(|at| text.is_char_boundary(*at) || *at > text.len()).unwrap().min(text.len());
        text.insert_str(at, &piece);
        if let Err(problems) = Machine::default().load(&text) {
            prop_assert!(!problems.items.is_empty());
            prop_assert!(problems.items.iter().all(|one| one.position.is_some()), "{}", problems);
        }
    }
}
