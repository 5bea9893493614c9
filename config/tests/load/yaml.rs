//! YAML as people, editors and templates write it.

use config::{Code, Severity};
use serde_json::json;

use crate::fake::{Machine, document, told};

fn good() -> String {
    document("", "", "", "")
}

/// Returns the one error of a text: code, line and column, message.
fn error(text: impl AsRef<[u8]>) -> String {
    let problems = Machine::default().problems(text);
    let one = &problems.items[0];
    let at = one.position.map_or((0, 0), |at| (at.line, at.column));
    format!("{} {}:{} {}", one.code, at.0, at.1, one.message)
}

#[test]
fn every_encoding_and_line_end_loads() {
    let text = good().replace("name: test", "name: tést");
    let wide = |mark: u16, bytes: fn(u16) -> [u8; 2]| {
        let units = std::iter::once(mark).chain(text.encode_utf16());
        units.flat_map(bytes).collect::<Vec<u8>>()
    };
    for bytes in [
        text.clone().into_bytes(),
        format!("\u{FEFF}{text}").into_bytes(),
        wide(0xFEFF, u16::to_le_bytes),
        wide(0xFEFF, u16::to_be_bytes),
        text.replace('\n', "\r\n").into_bytes(),
        text.replace('\n', "\r").into_bytes(),
    ] {
        let loaded = Machine::default().load(&bytes).unwrap();
        assert_eq!(loaded.config.name, "tést");
        assert_eq!(loaded.warnings, []);
    }
}

#[test]
fn json_loads() {
    let text = json!({
        "apiVersion": "launchpad.mirantis.com/mke/v1.6",
        "kind": "mke",
        "metadata": {"name": "json"},
        "spec": {
            "hosts": [{"role": "manager", "ssh": {"address": "10.0.0.1", "port": 22},
                "mcrConfig": {"debug": true, "mtu": 1400, "hosts": []}}],
            "mcr": {"channel": "stable-25.0", "license": null},
            "mke": {"version": "3.8.10", "nodesHealthRetry": 3}
        }
    });

    for text in [
        format!("{text:#}").replace("  ", "\t"),
        text.to_string(),
        format!("{text:#}"),
        format!("\t{text}\n\n"),
    ] {
        let config = Machine::default().config(&text);
        assert_eq!(config.mke.nodes_health_retry, 3);
        assert_eq!(config.hosts[0].mcr_config["mtu"], 1400);
    }
}

#[test]
fn blocks_keep_their_lines() {
    let text = document(
        "hooks:\n  apply:\n    before:\n    - |\n      a\n        b\n    - >\n      c\n      d\n    - |-\n      e\n    - |2+\n        f\n",
        "",
        "",
        "",
    );

    let before = &Machine::default().config(&text).hosts[0].hooks.apply.before;

    assert_eq!(*before, ["a\n  b\n", "c d\n", "e", "  f\n"]);
}

#[test]
fn windows_paths_are_texts() {
    let text = document(
        "environment:\n  A: C:\\Windows\\System32\n  B: 'C:\\'\n  C: \"C:\\\\temp\"\n  D: C:\\\n  E: \\\\server\\share",
        "installURLWindows: C:\\mirror\\install.ps1",
        "",
        "",
    );

    let config = Machine::default().config(&text);

    let values: Vec<&String> = config.hosts[0].environment.values().collect();
    assert_eq!(
        values,
        [
            "C:\\Windows\\System32",
            "C:\\",
            "C:\\temp",
            "C:\\",
            "\\\\server\\share"
        ]
    );
    assert_eq!(config.mcr.install_url_windows, "C:\\mirror\\install.ps1");
}

#[test]
fn the_first_of_several_documents_loads_with_a_warning() {
    let text = good();
    let line = text.lines().count() + 1;
    for more in [
        "---\nkind: other\n",
        "---\n\t{ broken: [\n",
        "--- |\n  x\n",
        "...\n---\n*a\n",
        "---\n",
    ] {
        let found = Machine::default().findings(format!("{text}{more}"));
        let line = line + usize::from(more.starts_with("..."));
        assert_eq!(
            told(&found),
            [format!(
                "{line}: another YAML document begins here, which is not read | - | \
                 keep one document in a file"
            )],
            "{more}"
        );
        assert_eq!(found.items[0].severity, Severity::Warning);
    }
    for fine in [format!("---\n{text}"), format!("{text}...\n# end\n")] {
        assert_eq!(Machine::default().findings(&fine).items, [], "{fine}");
    }
}

#[test]
fn what_is_no_text_is_told_with_its_place() {
    for (bytes, found) in [
        (
            &b"kind: mke\nname: \xE9t\xE9\n"[..],
            "LP-C0002 2:7 the configuration is not valid UTF-8",
        ),
        (
            b"kind: \xC3\xA9\xF0\x9F",
            "LP-C0002 1:8 the configuration is not valid UTF-8",
        ),
        (
            b"\xFF\xFEk\0\n\0\x00\xD8",
            "LP-C0002 2:1 the configuration is not valid UTF-16",
        ),
        (
            b"kind: mke\n\0\0\0\0",
            "LP-C0003 2:1 the configuration has a NUL byte",
        ),
        (
            b"k\0i\0n\0d\0",
            "LP-C0003 1:2 the configuration has a NUL byte",
        ),
    ] {
        assert_eq!(error(bytes), found);
    }
}

#[test]
fn what_holds_nothing_is_empty() {
    for text in [
        "",
        "\n\n",
        "# a\n# b\n",
        "---\n",
        "---\n...\n",
        "~",
        "\u{FEFF}",
        "  \n\t\n",
    ] {
        assert_eq!(
            error(text),
            "LP-C0004 1:1 the configuration is empty",
            "{text:?}"
        );
    }
}

#[test]
fn tabs_cannot_indent() {
    for (text, at) in [
        ("spec:\n\tmke: x\n", "2:1"),
        ("spec:\n  mke:\n\t  version: 1\n", "3:1"),
        ("spec:\n  mke:\n  \tversion: 1\n  \tx: y\n", "3:3"),
        ("a:\n- b: 1\n\tc: 2\n", "3:1"),
        ("a: b\n\tc: d\n", "2:1"),
    ] {
        assert_eq!(
            error(text),
            format!("LP-C0011 {at} tabs cannot indent"),
            "{text:?}"
        );
    }
    // JSON may, and what is wrong there is something else.
    let found = error("{\n\t\"a\": 1,\n\t\"b\": [\n\t}\n");
    assert!(found.starts_with("LP-C0010"), "{found}");
    // Between words, and where nothing is indented, a tab is white space as any other.
    let fine = good()
        .replace("kind: mke", "kind:\tmke\t# x")
        .replace("metadata:\n", "metadata:\n\t\n\t# a comment\n");
    assert_eq!(Machine::default().config(&fine).name, "test");
}

#[test]
fn items_that_are_null_are_told_with_their_place() {
    let null = |host: &str, mcr: &str, mke: &str| {
        let problems = Machine::default().problems(document(host, mcr, mke, ""));
        assert_eq!(problems.items.len(), 1, "{problems}");
        problems.items[0].message.clone()
    };

    let found = "expected a text, found nothing";
    assert_eq!(null("hooks: {apply: {before: [~]}}", "", ""), found);
    assert_eq!(null("", "swarmInstallFlags:\n-", ""), found);
    assert_eq!(null("", "swarmUpdateCommands:\n- ~\n- x", ""), found);
    assert_eq!(null("", "", "installFlags: [--san=a, null]"), found);
}

#[test]
fn a_template_that_was_not_filled_in_is_no_riddle() {
    for (text, code) in [
        (
            document("", "", "adminUsername: {{ user }}", ""),
            Code::KeyNotText,
        ),
        (
            document("", "", "adminUsername: {% user %}", ""),
            Code::Syntax,
        ),
        (
            document("", "", "adminUsername: !vault 3062", ""),
            Code::Tag,
        ),
        (document("", "", "adminUsername: @user@", ""), Code::Syntax),
    ] {
        let problems = Machine::default().problems(&text);
        let one = problems.items.iter().find(|one| one.code == code);
        let line = one.and_then(|one| one.position).map(|at| at.line);
        assert_eq!(line, Some(13), "{problems}");
    }
}
