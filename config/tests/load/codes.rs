//! Every code has a page whose wrong document has that problem, and whose right one has not.

use std::path::Path;

use config::{Code, Diagnostics, Example, LARGEST_DOCUMENT, LARGEST_FILE, reference};

use crate::fake::Machine;

/// The machine that the examples of the pages are on.
fn machine() -> Machine {
    Machine::default()
        .var("MKE_PASSWORD", "a password")
        .var("MKE_USER", "admin")
        .file("/work/license.lic", "a license")
        .file("/work/mke.toml", "[auth]")
        .file("/work/ca.pem", "CA")
        .file("/work/cert.pem", "CERT")
        .file("/work/key.pem", "KEY")
        .file("/work/logo.png", b"\x89PNG")
        .file("/work/backup.tar", vec![b'x'; LARGEST_FILE + 1])
        .mode("/home/me/.ssh/id_ed25519", 0o100_600)
        .mode("/home/me/.ssh/open_to_all", 0o100_644)
}

/// Returns the whole document of an example: what is not shown of it is as it should be.
fn whole(example: &Example) -> String {
    let text = example.text.replace("→   ", "\t");
    if example.is_whole {
        return text;
    }
    let has = |key: &str| text.lines().any(|line| line.starts_with(key));
    let mut whole = "apiVersion: launchpad.mirantis.com/mke/v1.6\nkind: mke\n".to_owned();
    whole += &text;
    for (key, lines) in [
        ("spec:", "spec:\n"),
        (
            "  hosts:",
            "  hosts:\n  - role: manager\n    ssh: {address: 10.0.0.1}\n",
        ),
        ("  mcr:", "  mcr: {channel: stable-25.0}\n"),
        ("  mke:", "  mke: {version: 3.8.10}\n"),
    ] {
        if !has(key) {
            whole += lines;
        }
    }
    whole
}

/// Wrong documents that nobody wants to read on a page.
fn unreadable(code: Code) -> Option<Vec<u8>> {
    let aliases = |count: usize, of: &str| vec![of; count].join(", ");
    let text = match code {
        Code::TooLarge => return Some(vec![b'#'; LARGEST_DOCUMENT + 1]),
        Code::NotText => return Some(b"kind: \xE9".to_vec()),
        Code::NulByte => "kind: \0mke".to_owned(),
        Code::TooDeep => format!("a: {}", "[".repeat(100_000)),
        Code::TooManyValues => {
            let many = aliases(2000, "x");
            format!("a: &a [{many}]\nb: [{}]\n", aliases(2000, "*a"))
        }
        Code::AliasesTooLarge => {
            let large = "x".repeat(1 << 19);
            format!("a: &a {large}\nb: [{}]\n", aliases(40, "*a"))
        }
        _ => return None,
    };
    Some(text.into_bytes())
}

/// Codes that are not found by loading: the command line has tests for them.
const BY_COMMANDS: &[Code] = &[
    Code::Unreadable,
    Code::NotYet,
    Code::NotSimulated,
    Code::NoCredentials,
];

#[expect(clippy::panic, reason = "a test ends here, with the whole story")]
fn assert_has(code: Code, found: &Diagnostics, text: &[u8]) {
    let text = String::from_utf8_lossy(text.get(..2000).unwrap_or(text));
    let one = found.items.iter().find(|one| one.code == code);
    let one = one.unwrap_or_else(|| panic!("{code} is not found:\n{found}\n\n{text}"));
    assert_eq!(one.severity, code.severity(), "{one}");
}

#[test]
fn the_wrong_document_of_each_code_has_that_problem() {
    for code in Code::ALL {
        let examples = code.page().examples();
        let wrong: Vec<&Example> = examples.iter().filter(|one| one.is_wrong).collect();
        let unreadable = unreadable(*code);
        let count = wrong.len() + usize::from(unreadable.is_some());
        assert!(count > 0 || BY_COMMANDS.contains(code), "{code}");
        if BY_COMMANDS.contains(code) {
            continue;
        }
        let texts = wrong.into_iter().map(|one| whole(one).into_bytes());
        for text in texts.chain(unreadable) {
            assert_has(*code, &machine().findings(&text), &text);
        }
    }
}

#[test]
fn the_right_document_of_each_code_loads_without_a_warning() {
    for code in Code::ALL {
        for example in code.page().examples() {
            if example.is_wrong {
                continue;
            }
            let found = machine().findings(whole(&example));
            assert!(
                found.items.is_empty(),
                "{code}: {found}\n\n{}",
                example.text
            );
        }
    }
}

#[test]
fn the_page_of_all_codes_is_what_launchpad_prints() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, reference()).unwrap();
    }

    let page = std::fs::read_to_string(&path).unwrap();

    assert!(
        page == reference(),
        "docs/errors.md is not up to date: run `UPDATE_DOCS=1 cargo test -p config`"
    );
}
