//! Variables of the environment, from the document to the value: every form, every kind of field.

use config::{Code, Connection, ReplicaIds, Role};
use serde_json::json;

use crate::fake::{Machine, document, told};

fn machine() -> Machine {
    Machine::default()
        .var("N", "value")
        .var("EMPTY", "")
        .var("B", "b")
        .var("A", "a")
        .var("N_b", "other")
}

/// Returns what a text in quotes becomes.
fn becomes(written: &str) -> String {
    let line = format!("adminUsername: '{written}x'");
    let config = machine().config(&document("", "", &line, ""));
    let name = config.mke.admin_username.unwrap_or_default();
    name.strip_suffix('x').unwrap_or(&name).to_owned()
}

#[test]
fn every_form_of_an_expression() {
    for (written, value) in [
        // The value.
        ("$N-", "value-"),
        ("${N}", "value"),
        // A word where there is none.
        ("${U-word}", "word"),
        ("${EMPTY-word}", ""),
        ("${U:-word}", "word"),
        ("${EMPTY:-word}", "word"),
        ("${N:-word}", "value"),
        ("${U=word}", "word"),
        ("${U:=word}", "word"),
        ("${EMPTY:=word}", "word"),
        // A word where there is one.
        ("${N+word}", "word"),
        ("${EMPTY+word}", "word"),
        ("${EMPTY:+word}", "word"),
        ("${U+word}", ""),
        ("${U:+word}", ""),
        // Words.
        ("${U:-a b: c/d {x}}", "a b: c/d {x}"),
        ("${U:-$B}", "b"),
        ("${U:-$B-x}", "x"),
        ("${U:-${B}}", "}"),
        ("${U:-$$A}", "$A"),
        // A doubled `$`.
        ("$$N", "$N"),
        ("$$$N-", "$value-"),
        ("$$$$N", "$$N"),
        // No expression at all.
        ("$1", "$1"),
        ("${1}", "${1}"),
        ("$(cmd)", "$(cmd)"),
        ("$-x", "$-x"),
        ("${}", "${}"),
        ("${-a}", "${-a}"),
        ("$ ", "$ "),
        // Operators that nobody knows.
        ("${N:0:2}", "value"),
        ("${N?err}", "value"),
        ("${N%x}", "value"),
        // Where a name ends.
        ("$N_b ", "other "),
        ("$N.b", "value.b"),
    ] {
        assert_eq!(becomes(written), value, "{written}");
    }
}

#[test]
fn the_end_of_a_text_is_no_expression() {
    for (written, value) in [("x$", "x$"), ("x$_", "x$_"), ("x${_", "x${_")] {
        let line = format!("adminUsername: '{written}'");
        let config = machine().config(&document("", "", &line, ""));
        assert_eq!(config.mke.admin_username.as_deref(), Some(value));
    }
}

#[test]
fn what_is_not_set_and_what_is_not_closed_are_errors() {
    let found = |written: &str| {
        let line = format!("adminUsername: '{written}'");
        let problems = machine().problems(document("", "", &line, ""));
        problems.items[0].code
    };

    for written in ["$U", "${U}", "${U:0:2}", "${U?err}", "${U:-$V}"] {
        assert_eq!(found(written), Code::VariableNotSet, "{written}");
    }
    for written in ["${N", "${N:-x", "${N:-{x}"] {
        assert_eq!(found(written), Code::UnclosedBrace, "{written}");
    }
}

#[test]
fn a_value_is_one_value_whatever_is_in_it() {
    for value in [
        "a #b", "#abc", "&x", "!x", "null", "a: b", "*x", "%x", "@x", "- x", "a\nb: c", "{a}",
        "[a]", "\"a\"", "'a'", " a ", "0123", "true", "~", "$N", "${N}",
    ] {
        let machine = Machine::default().var("V", value);
        for line in [
            "adminUsername: $V",
            "adminUsername: \"${V}\"",
            "{adminUsername: '$V'}",
        ] {
            let line = line.trim_matches(['{', '}']).to_owned();
            let config = machine.config(&document("", "", &line, ""));
            assert_eq!(config.mke.admin_username.as_deref(), Some(value), "{line}");
        }
    }
}

#[test]
fn a_value_becomes_what_its_field_wants() {
    let machine = Machine::default()
        .var("PORT", "2222")
        .var("YES", "yes")
        .var("FALSE", "False")
        .var("ROLE", "manager")
        .var("IDS", "sequential")
        .var("VERSION", "3.10")
        .var("THREE", "0x3");
    let text = document(
        "sudodocker: ${YES}\nsudooverride: \"$FALSE\"\n\
         mcrConfig: {mtu: $PORT, debug: $YES, name: \"a-$PORT\", list: [$THREE]}",
        "prune: $YES",
        "nodesHealthRetry: \"${THREE}\"\ninstallFlags: [\"--controller-port=$PORT\"]",
        "msr: {version: 2.9.28, replicaIDs: $IDS}",
    )
    .replace("role: manager", "role: ${ROLE}")
    .replace("{address: 10.0.0.1}", "{address: 10.0.0.1, port: $PORT}")
    .replace("3.8.10", "${VERSION}");

    let config = machine.config(&text);

    let host = &config.hosts[0];
    assert_eq!(host.role, Role::Manager);
    assert!(host.sudodocker && !host.sudooverride && config.mcr.prune);
    assert!(matches!(&host.connection, Connection::Ssh(ssh) if ssh.port == Some(2222)));
    assert_eq!(
        serde_json::to_value(&host.mcr_config).unwrap(),
        json!({"mtu": 2222, "debug": true, "name": "a-2222", "list": [3]})
    );
    assert_eq!(config.mke.nodes_health_retry, 3);
    assert_eq!(config.mke.controller_port(), 2222);
    assert_eq!(config.mke.version.as_str(), "3.10");
    assert_eq!(config.msr.unwrap().replica_ids, ReplicaIds::Sequential);
}

#[test]
fn a_value_of_the_wrong_kind_is_told_without_the_value() {
    let machine = Machine::default().var("PORT", "s3cret");
    let text = document("", "", "nodesHealthRetry: ${PORT}", "");

    let problems = machine.problems(&text);

    assert_eq!(
        told(&problems),
        [
            "13: expected a whole number between 0 and 4294967295, found `${PORT}` | \
          spec.mke.nodesHealthRetry | -"
        ]
    );
    assert!(!problems.to_string().contains("s3cret"));
}

#[test]
fn comments_and_keys_are_left_alone() {
    let text = document(
        "# $UNSET ${UNSET} ${\nenvironment:\n  $N: 1 # ${UNSET\n  \"${N}\": 2",
        "",
        "",
        "",
    );

    let config = machine().config(&text);

    let names: Vec<&String> = config.hosts[0].environment.keys().collect();
    assert_eq!(names, ["$N", "${N}"]);
}

#[test]
fn anchored_texts_are_expanded_wherever_they_are_used() {
    let text = document(
        "environment: {A: &v $N, B: *v}",
        "",
        "adminUsername: *v",
        "",
    );

    let config = machine().config(&text);

    assert_eq!(config.hosts[0].environment["B"], "value");
    assert_eq!(config.mke.admin_username.as_deref(), Some("value"));
}

#[test]
fn paths_are_named_in_full_without_what_came_from_the_environment() {
    let machine = Machine::default().var("DIR", "s3cret");
    let path = |path: &str| {
        let problems = machine.problems(document("", "", &format!("configFile: {path}"), ""));
        problems.items[0].message.clone()
    };

    for (written, full) in [
        ("./a/../b.toml", "/work/a/../b.toml"),
        ("b.toml", "/work/b.toml"),
        ("/x/b.toml", "/x/b.toml"),
        ("~/b.toml", "/home/me/b.toml"),
        ("$DIR/b.toml", "/work/$DIR/b.toml"),
        ("'~/${DIR}'", "/home/me/${DIR}"),
    ] {
        assert_eq!(
            path(written),
            format!("cannot read `{full}`: there is no such file")
        );
    }
}
