//! Everything that is refused, and how it is told.

use crate::fake::{Machine, document, told};

/// Returns what is told of a document, without lines.
fn messages(text: &str) -> Vec<String> {
    let problems = Machine::default().problems(text);
    problems.items.into_iter().map(|one| one.message).collect()
}

#[test]
fn tells_all_problems_at_once() {
    let text = document(
        "rol: x\nswarmAddress: 10.0.0.1:2377\nsudodocker: maybe\nprivateInterface: lo",
        "version: 1\nprune: 'yes'",
        "adminPasword: hunter2\ninstallFlags:\n- --controller-port=x\n- --x='\nlicenseFilePath: ~/l",
        "x: 1",
    );

    assert_eq!(
        told(&Machine::default().problems(&text)),
        [
            "9: unknown key `rol` | spec.hosts[0].rol | did you mean `role`?",
            "10: `10.0.0.1:2377` must not contain a port | spec.hosts[0].swarmAddress | \
             remove the port: 2377 is used",
            "11: expected `true` or `false`, found `maybe` | spec.hosts[0].sudodocker | -",
            "12: the name of an interface has at least three characters | \
             spec.hosts[0].privateInterface | -",
            "15: unknown key `version` | spec.mcr.version | \
             the version is part of `channel` now, as in `stable-25.0.9`",
            "16: expected `true` or `false`, found `yes` | spec.mcr.prune | \
             remove the quotes of a number or boolean",
            "19: unknown key `adminPasword` | spec.mke.adminPasword | \
             did you mean `adminPassword`?",
            "21: the value of `--controller-port` is not a port | spec.mke.installFlags[0] | \
             use a number between 1 and 65535",
            "22: `--x='` is no flag: a quote is not closed | spec.mke.installFlags[1] | -",
            "23: cannot read `/home/me/l`: there is no such file | spec.mke.licenseFilePath | \
             correct the path, or what you may read",
            "24: unknown key `x` | spec.x | `spec` has the keys `hosts`, `mcr`, `mke`, `msr` and `cluster`",
        ]
    );
}

#[test]
fn shows_the_line_and_what_is_meant() {
    let text = document("", "", "", "").replace("manager", "manger");

    assert_eq!(
        Machine::default().problems(&text).to_string(),
        "\
error[LP-C0038]: `manger` is not a role
 --> launchpad.yaml:7:11
  |
7 |   - role: manger
  |           ^^^^^^
  = path: spec.hosts[0].role
  = hint: did you mean `manager`?

to read more: launchpad explain LP-C0038"
    );
}

#[test]
fn shows_the_first_twenty_and_counts_the_rest() {
    let many: Vec<String> = (0..5000).map(|index| format!("key{index}: 1")).collect();

    let problems = Machine::default().problems(document("", "", "", &many.join("\n")));

    assert_eq!((problems.items.len(), problems.more), (1000, 4000));
    let text = problems.to_string();
    assert!(text.len() < 4400, "{}", text.len());
    assert!(text.contains("\n\nand 4980 more problems\n\n"), "{text}");
}

#[test]
fn refuses_what_is_no_configuration() {
    for (text, message) in [
        ("", "the configuration is empty"),
        ("# only a comment\n", "the configuration is empty"),
        ("---\n", "the configuration is empty"),
        ("~\n", "the configuration is empty"),
        ("- a\n", "expected a mapping, found a list"),
        ("text\n", "expected a mapping, found a single value"),
        ("---\n---\na: 1\n", "the configuration is empty"),
        ("---\n# a: 1\n...\na: 1\n", "the configuration is empty"),
    ] {
        assert_eq!(messages(text), [message], "{text}");
    }
}

#[test]
fn refuses_other_versions_of_the_api() {
    let with = |version: &str| {
        document("", "", "", "").replace("launchpad.mirantis.com/mke/v1.6", version)
    };

    assert_eq!(messages(&with("v2")), ["unknown `apiVersion` `v2`"]);
    assert_eq!(messages(&with("${V}")), ["unknown `apiVersion` `${V}`"]);
    assert_eq!(
        messages(&with("[a]")),
        ["`apiVersion` has to be a text, not a list"]
    );
    let without = document("", "", "", "").replace("apiVersion", "apiversion");
    assert_eq!(
        messages(&without),
        ["`apiVersion` is missing", "unknown key `apiversion`"]
    );
}

#[test]
fn refuses_other_kinds() {
    let with = |kind: &str| document("", "", "", "").replace("kind: mke", kind);

    assert_eq!(messages(&with("kind: mke+mrs")), ["unknown kind `mke+mrs`"]);
    assert_eq!(
        messages(&with("kind: ${KIND}"))[0],
        "unknown kind `${KIND}`"
    );
    assert_eq!(
        messages(&with("kind:")),
        ["`kind` has to be a text, not nothing"]
    );
    assert_eq!(messages(&with("kinds: 1")).len(), 2);
}

#[test]
fn refuses_blocks_without_anything() {
    let head = "apiVersion: launchpad.mirantis.com/mke/v1.6\nkind: mke\n";

    for (text, found) in [
        ("spec:\n", vec!["`spec` is empty"]),
        ("", vec!["`spec` is missing"]),
        (
            "metadata:\nspec:\n",
            vec!["`metadata` is empty", "`spec` is empty"],
        ),
        (
            "spec: {hosts: [], mcr: {}, mke: }\n",
            vec![
                "there is no host with the role `manager`",
                "`spec.mcr.channel` is missing",
                "`spec.mke` is empty",
            ],
        ),
        (
            "spec: {}\n",
            vec![
                "`spec.hosts` is missing",
                "`spec.mcr` is missing",
                "`spec.mke` is missing",
            ],
        ),
    ] {
        assert_eq!(messages(&format!("{head}{text}")), found, "{text}");
    }
}

#[test]
fn refuses_wrong_types() {
    for (host, message) in [
        ("hooks: []", "expected a mapping, found a list"),
        (
            "hooks: {apply: {before: x}}",
            "expected a list, found a single value",
        ),
        (
            "hooks: {apply: {before: [{a: b}]}}",
            "expected a text, found a mapping",
        ),
        ("mcrConfig: x", "expected a mapping, found `x`"),
        ("environment: {A: [b]}", "expected a text, found a list"),
        (
            "environment: {A B: c}",
            "this cannot be the name of a variable",
        ),
        (
            "environment: {A: \"b\\nc\"}",
            "the value of a variable is one line",
        ),
        ("imageDir: ~root/x", "`~user` cannot be expanded"),
        ("privateInterface: [a]", "expected a text, found a list"),
        ("sudodocker: 1", "expected `true` or `false`, found `1`"),
        ("hooks: {apply: {befor: []}}", "unknown key `befor`"),
    ] {
        assert_eq!(messages(&document(host, "", "", "")), [message], "{host}");
    }
    let retry = document("", "", "nodesHealthRetry: -1", "");
    let expected = "expected a whole number between 0 and 4294967295, found `-1`";
    assert_eq!(messages(&retry), [expected]);
}

/// Returns what is told of a host with other lines for its connection.
fn connection(lines: &str) -> Vec<String> {
    messages(&document("", "", "", "").replace("ssh: {address: 10.0.0.1}", lines))
}

#[test]
fn refuses_two_connection_blocks() {
    assert_eq!(
        connection("ssh: {address: a}\n    winRM: {address: b}"),
        ["a host has one connection block, this is another one"]
    );
    assert_eq!(
        connection("ssh: {address: a}\n    localhost: {}"),
        ["a host has one connection block, this is another one"]
    );
}

#[test]
fn refuses_a_host_without_a_connection_block() {
    let none = "the host has no connection block";
    let off = "`localhost` is not enabled, so that the host has no connection block";

    assert_eq!(connection("sudodocker: true"), [none]);
    assert_eq!(connection("ssh:"), [none]);
    assert_eq!(connection("localhost: {enabled: false}"), [off]);
    assert_eq!(connection("localhost: {enabled: no}"), [off]);
    assert_eq!(
        connection("localhost: true"),
        ["expected a mapping, found `true`"]
    );
    assert_eq!(
        connection("address: 10.0.0.1"),
        [none, "unknown key `address`"]
    );
}

#[test]
fn a_disabled_localhost_is_no_connection_block() {
    let text = document("localhost: {enabled: false}", "", "", "");

    assert_eq!(
        Machine::default().config(&text).hosts[0].address(),
        "10.0.0.1"
    );
}

#[test]
fn refuses_bad_addresses_and_ports() {
    for (lines, message) in [
        ("ssh: {}", "`spec.hosts[0].ssh.address` is missing"),
        ("ssh: {address: ''}", "the address is empty"),
        (
            "ssh: {address: a_b}",
            "`a_b` is neither a host name nor an IP address",
        ),
        (
            "ssh: {address: 10.0.0.300}",
            "`10.0.0.300` is neither a host name nor an IP address",
        ),
        (
            "ssh: {address: '10.0.0.1:22'}",
            "`10.0.0.1:22` must not contain a port",
        ),
        (
            "ssh: {address: '[::1]'}",
            "`[::1]` must be written without brackets",
        ),
        (
            "ssh: {address: a, user: -x}",
            "`-x` is not the name of a user",
        ),
        (
            "ssh: {address: a, port: 0}",
            "expected a whole number between 1 and 65535, found `0`",
        ),
        (
            "ssh: {address: a, port: 65536}",
            "expected a whole number between 1 and 65535, found `65536`",
        ),
        (
            "ssh: {address: a, port: 22.5}",
            "expected a whole number between 1 and 65535, found `22.5`",
        ),
        (
            "ssh: {address: a, bastion: {}}",
            "`spec.hosts[0].ssh.bastion.address` is missing",
        ),
        (
            "openSSH: {address: -oProxyCommand=x}",
            "`-oProxyCommand=x` is not the name of a host",
        ),
        (
            "winRM: {address: a, user: ab}",
            "the name of the user is too short: it has at least three characters",
        ),
        (
            "winRM: {address: a, caCertPath: ~/ca}",
            "cannot read `/home/me/ca`: there is no such file",
        ),
        (
            "winRM: {address: a, tlsServerName: a_b}",
            "`a_b` is neither a host name nor an IP address",
        ),
    ] {
        assert_eq!(connection(lines), [message], "{lines}");
    }
}

#[test]
fn refuses_hosts_that_are_there_twice() {
    let more = |hosts: &str| document("", "", "", "").replace("  mcr:", &format!("{hosts}  mcr:"));

    for (host, is_twice) in [
        ("ssh: {address: 10.0.0.1}", true),
        ("ssh: {address: 10.0.0.1, port: 22, user: x}", true),
        ("openSSH: {address: 10.0.0.1}", true),
        ("ssh: {address: 10.0.0.1, port: 23}", false),
        ("ssh: {address: 10.0.0.1, bastion: {address: b}}", false),
        ("ssh: {address: 10.0.0.2}", false),
        ("winRM: {address: 10.0.0.1}", false),
    ] {
        let text = more(&format!("  - role: worker\n    {host}\n"));
        let found = Machine::default().load(&text);
        assert_eq!(found.is_err(), is_twice, "{host}");
        if let Err(problems) = found {
            assert_eq!(
                told(&problems),
                [
                    "9: this host is in the list twice: same address, port and bastion | \
                  spec.hosts[1] | it is already there in line 7"
                ]
            );
        }
    }
    let twice = "  - {role: worker, ssh: {address: A.b, bastion: {address: c}}}\n\
                 \x20 - {role: worker, ssh: {address: a.B, bastion: {address: C, port: 22}}}\n";
    assert_eq!(messages(&more(twice)).len(), 1);
}

#[test]
fn refuses_hosts_that_are_empty() {
    let text = document("", "", "", "").replace("  mcr:", "  -\n  - ~\n  mcr:");

    assert_eq!(messages(&text), ["the host is empty"; 2]);
}

#[test]
fn refuses_a_cluster_without_a_manager() {
    let text = document("", "", "", "").replace("manager", "worker");

    assert_eq!(
        messages(&text),
        ["there is no host with the role `manager`"]
    );
}

#[test]
fn refuses_msr_hosts_without_msr() {
    let host = "  - {role: msr, ssh: {address: b}}\n  mcr:";
    let text = document("", "", "", "").replace("  mcr:", host);

    assert_eq!(
        messages(&text),
        ["the host has the role `msr`, and there is no `spec.msr`"]
    );
    let msr = |block: &str| messages(&format!("{text}  msr: {block}\n"));
    assert_eq!(msr("{}"), ["`spec.msr.version` is missing"]);
    assert_eq!(msr("{version: latest}"), ["`latest` is not a version"]);
    assert_eq!(
        msr("{version: 2.9.1, replicaIDs: sequental}"),
        ["`sequental` is not a way to number replicas"]
    );
}

#[test]
fn refuses_names_that_are_no_safe_directory() {
    for name in [
        "''",
        "..",
        "a/b",
        "../x",
        "'a\\b'",
        "'a:b'",
        "' a'",
        "a.",
        "\"a\\u0001\"",
    ] {
        let text = document("", "", "", "").replace("name: test", &format!("name: {name}"));
        let found = messages(&text);
        assert!(
            found[0].contains("cannot name a cluster"),
            "{name} {found:?}"
        );
    }
    let text = document("", "", "", "").replace("metadata:\n  name: test\n", "");
    assert_eq!(Machine::default().config(&text).name, "launchpad-mke");
}

#[test]
fn refuses_pod_networks_that_overlap_with_the_swarm() {
    let with = |mcr: &str, mke: &str| {
        document(
            "",
            &format!("swarmInstallFlags: [{mcr}]"),
            &format!("installFlags: [{mke}]"),
            "",
        )
    };

    assert_eq!(
        messages(&with("", "--pod-cidr=10.1.0.0/16")),
        [
            "`--pod-cidr=10.1.0.0/16` overlaps with the default address pool `10.0.0.0/8` of the swarm"
        ]
    );
    assert_eq!(
        messages(&with(
            "--default-addr-pool 172.30.0.0/16, --default-addr-pool=172.31.0.0/16",
            "--pod-cidr=172.31.1.0/24"
        )),
        ["`--pod-cidr=172.31.1.0/24` overlaps with `--default-addr-pool=172.31.0.0/16`"]
    );
    assert_eq!(
        messages(&with("--default-addr-pool=x", "--pod-cidr=y")),
        [
            "the value of `--default-addr-pool` is not a network",
            "the value of `--pod-cidr` is not a network"
        ]
    );
    let fine = with(
        "--default-addr-pool=172.30.0.0/16",
        "--pod-cidr=10.1.0.0/16",
    );
    assert_eq!(Machine::default().config(&fine).hosts.len(), 1);
}

#[test]
fn refuses_files_that_cannot_be_used() {
    let machine = Machine::default()
        .file("/work/bin", b"\xFF")
        .file("/work/x", "x");
    let found = |mke: &str| told(&machine.problems(document("", "", mke, "")));

    for (mke, message) in [
        (
            "configFile: no",
            "13: cannot read `/work/no`: there is no such file | spec.mke.configFile | \
             relative paths start from the directory that launchpad runs in",
        ),
        (
            "licenseFilePath: bin",
            "13: `/work/bin` is not a text (byte 0) | spec.mke.licenseFilePath | \
             name a file in UTF-8, as PEM and TOML are",
        ),
        (
            "licenseFilePath: ~x/y",
            "13: `~user` cannot be expanded | spec.mke.licenseFilePath | -",
        ),
        (
            "cloud: {provider: azure, configFile: no}",
            "13: cannot read `/work/no`: there is no such file | spec.mke.cloud.configFile | \
             relative paths start from the directory that launchpad runs in",
        ),
        (
            "cloud: {provider: aws, configFile: x}",
            "13: a cloud configuration is for `azure` and `openstack` only | \
             spec.mke.cloud.configFile | remove it",
        ),
        (
            "cloud: {}",
            "13: `spec.mke.cloud.provider` is missing | spec.mke.cloud.provider | \
             set the name of the cloud, as in `azure`",
        ),
        (
            "certPath: x",
            "11: of the certificates, `caCertPath` and `keyPath` is missing | spec.mke | \
             set `caCertPath`, `certPath` and `keyPath`, or none of them",
        ),
    ] {
        assert_eq!(found(mke), [message], "{mke}");
    }
}

#[test]
fn refuses_duplicate_keys_wherever_they_are() {
    let text = document("role: worker\nmcrConfig: {a: 1, a: 2}", "", "", "");

    assert_eq!(
        told(&Machine::default().problems(&text)),
        [
            "9: duplicate key `role` | - | it is already set in line 7",
            "10: duplicate key `a` | - | it is already set in line 10",
        ]
    );
}

#[test]
fn refuses_channels_and_versions_that_are_none() {
    let channel = |text: &str| messages(&document("", "", "", "").replace("stable-25.0", text));
    let version = |text: &str| messages(&document("", "", "", "").replace("3.8.10", text));

    assert_eq!(channel("''"), ["`` is not a channel"]);
    assert_eq!(channel("a b"), ["`a b` is not a channel"]);
    assert_eq!(channel("../x"), ["`../x` is not a channel"]);
    assert_eq!(channel(""), ["`spec.mcr.channel` is empty"]);
    assert_eq!(version("latest"), ["`latest` is not a version"]);
    assert_eq!(version("~"), ["`spec.mke.version` is empty"]);
    assert_eq!(
        messages(&document("", "repoURL: x", "", "")),
        ["`x` is not a URL"]
    );
}

#[test]
fn warns_of_a_host_key() {
    let text = document("", "", "", "").replace("{address: 10.0.0.1}", "{address: a, hostKey: k}");

    let warnings = Machine::default().load(&text).unwrap().warnings;

    assert_eq!(
        warnings[0].to_string(),
        "\
warning[LP-C0082]: `hostKey` is deprecated: the host is accepted only with this one key
 --> launchpad.yaml:8:23
  |
8 |     ssh: {address: a, hostKey: k}
  |                       ^^^^^^^
  = path: spec.hosts[0].ssh.hostKey
  = hint: put the key into the known hosts file, and remove `hostKey`"
    );
}
