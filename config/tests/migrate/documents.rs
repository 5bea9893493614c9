//! Documents of every old form, and what becomes of them: `UPDATE=1` writes what does.
//!
//! A file holds cases: `##### name`, the document, `##### becomes`, the new document, and a line
//! `! message` for each thing that the user has to know.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use crate::fake::Machine;
use crate::{load_shown, migrate};

/// A document with what becomes of it.
pub(crate) struct Case {
    pub(crate) file: String,
    pub(crate) name: String,
    pub(crate) before: String,
    becomes: String,
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/migrate/documents")
}

/// Returns all cases.
pub(crate) fn cases() -> Vec<Case> {
    let mut files: Vec<PathBuf> = fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut found = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let file = file.file_stem().unwrap().to_str().unwrap().to_owned();
        for case in text.split("##### ").skip(1).collect::<Vec<_>>().chunks(2) {
            let (name, before) = case[0].split_once('\n').unwrap();
            let (_, becomes) = case[1].split_once('\n').unwrap();
            found.push(Case {
                file: file.clone(),
                name: name.to_owned(),
                before: before.to_owned(),
                becomes: becomes.strip_suffix('\n').unwrap_or(becomes).to_owned(),
            });
        }
    }
    found
}

/// What the variables of the documents hold.
pub(crate) fn machine() -> Machine {
    Machine::default()
        .var("ADDRESS", "10.0.0.1")
        .var("VERSION", "25.0.9")
        .var("CHANNEL", "stable")
        .var("MKE", "3.7.1")
}

fn became(before: &str) -> String {
    match migrate(before) {
        Err(problems) => format!("refused: {problems}\n"),
        Ok(migrated) => {
            let mut out = migrated.text.clone();
            if migrated.is_plain {
                out.push_str("(written anew)\n");
            }
            for note in migrated.notes.iter().filter(|note| note.changes_meaning) {
                let old = note.old.as_deref().unwrap_or("-");
                let _ = writeln!(out, "! {}: {old}: {}", note.line, note.why);
            }
            out
        }
    }
}

#[test]
fn every_document_becomes_what_it_should() {
    let cases = cases();
    assert!(cases.len() >= 150, "{} documents", cases.len());
    if std::env::var_os("UPDATE").is_some() {
        return update(&cases);
    }
    let mut wrong = Vec::new();
    for case in &cases {
        let now = became(&case.before);
        if now != case.becomes {
            wrong.push(format!("{}: {}\n{now}", case.file, case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn update(cases: &[Case]) {
    let mut files: std::collections::BTreeMap<&str, String> = std::collections::BTreeMap::new();
    for case in cases {
        let text = files.entry(&case.file).or_default();
        let _ = write!(
            text,
            "##### {}\n{}##### becomes\n{}\n",
            case.name,
            case.before,
            became(&case.before)
        );
    }
    for (file, text) in files {
        fs::write(directory().join(format!("{file}.txt")), text).unwrap();
    }
}

#[test]
fn a_document_in_the_newest_form_means_what_the_old_one_meant() {
    for case in cases() {
        let new = migrate(&case.before).unwrap().text;
        let (old, new) = (load_shown(&case.before), load_shown(&new));
        // What was left to the user cannot be loaded before it is decided.
        if let (Ok(old), Ok(new)) = (&old, &new) {
            assert_eq!(old, new, "{}: {}", case.file, case.name);
        } else {
            let is_left = migrate(&case.before).unwrap().text.contains("# TODO");
            assert!(is_left, "{}: {}: {old:?} {new:?}", case.file, case.name);
        }
    }
}

#[test]
fn migrating_twice_changes_nothing() {
    for case in cases() {
        let once = migrate(&case.before).unwrap().text;
        let twice = migrate(&once).unwrap();
        assert_eq!(once, twice.text);
        assert!(twice.notes.is_empty());
    }
}

#[test]
fn line_ends_stay() {
    for case in cases() {
        let windows = case.before.replace('\n', "\r\n");
        let migrated = migrate(&windows).unwrap();
        let expected = migrate(&case.before).unwrap();
        if !migrated.is_plain {
            assert_eq!(
                migrated.text,
                expected.text.replace('\n', "\r\n"),
                "{}: {}",
                case.file,
                case.name
            );
        }
        assert_eq!(
            migrated.is_plain, expected.is_plain,
            "{}: {}",
            case.file, case.name
        );
    }
}

#[test]
fn a_form_without_variables_is_not_told_to_use_them() {
    let hint = |version: &str| {
        let text = format!(
            "apiVersion: launchpad.mirantis.com/{version}\nkind: mke\nspec:\n  hosts:\n  - role: manager\n    \
             address: 10.0.0.1\n  {}:\n    version: 3.8.8\n    installFlags:\n    - --admin-username=admin\n    \
             - --admin-password=hunter2\n",
            if version == "v1" { "ucp" } else { "mke" }
        );
        let text = text.replace(
            "kind: mke",
            if version == "v1" {
                "kind: DockerEnterprise"
            } else {
                "kind: mke"
            },
        );
        let loaded = config::load(crate::source(&text), &machine()).unwrap();
        let found = loaded
            .warnings
            .into_iter()
            .find(|one| one.code == config::Code::PlainPassword);
        found.unwrap().hint.unwrap()
    };

    assert!(hint("v1").contains("launchpad migrate"), "{}", hint("v1"));
    assert!(
        hint("mke/v1.1").contains("write `${"),
        "{}",
        hint("mke/v1.1")
    );
}
