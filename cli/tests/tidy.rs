//! What the compiler cannot hold: who may use which crate, who prints, how files are named and how
//! long they are. A rule that is broken names the file and the line.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The longest source file, in lines.
const LONGEST: usize = 900;

/// The crates, and which of ours each may use (tests may use any).
const MAY_USE: &[(&str, &[&str])] = &[
    ("config", &[]),
    ("rig", &[]),
    ("configurer", &["config", "rig"]),
    ("phase", &[]),
    ("product", &["config", "rig", "configurer", "phase"]),
    ("report", &["phase"]),
    ("standin", &[]),
    ("fleet", &["rig", "standin"]),
    (
        "cli",
        &[
            "config",
            "rig",
            "configurer",
            "phase",
            "product",
            "report",
            "standin",
            "fleet",
        ],
    ),
    ("parity", &[]),
    ("e2e", &["parity"]),
    ("e2e/ucp", &["standin"]),
];

/// Names that say nothing.
const VAGUE: &[&str] = &["util", "utils", "common", "helper", "helpers", "misc"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Returns all files of the repository that have an extension, without what is built.
fn files(extensions: &[&str]) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![root()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                if !name.starts_with('.') && name != "target" {
                    open.push(path);
                }
            } else if extensions
                .iter()
                .any(|one| path.extension().is_some_and(|it| it == *one))
            {
                let text = std::fs::read_to_string(&path).unwrap();
                found.insert(path.strip_prefix(root()).unwrap().to_owned(), text);
            }
        }
    }
    assert!(
        !found.is_empty(),
        "no file was found below {}",
        root().display()
    );
    found
}

/// Returns the lines of a source file that are not tests, numbered from 1.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
        .take_while(|(_, line)| *line != "#[cfg(test)]")
}

fn is_test(path: &Path) -> bool {
    path.components().any(|part| {
        matches!(part.as_os_str().to_str(), Some("tests" | "benches"))
            || part.as_os_str() == "tests.rs"
    })
}

#[test]
fn crates_use_only_what_they_may() {
    for (name, may_use) in MAY_USE {
        let manifest = std::fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
        let dependencies = manifest.split("[dev-dependencies]").next().unwrap();
        for (other, _) in MAY_USE {
            let is_named = |line: &str| {
                line.strip_prefix(other)
                    .is_some_and(|rest| rest.starts_with(".workspace") || rest.starts_with(" = "))
            };
            let uses = dependencies.lines().any(is_named);
            assert!(
                !uses || may_use.contains(other),
                "{name} may not use {other}"
            );
        }
    }
}

#[test]
fn only_the_command_line_prints() {
    for (path, text) in files(&["rs"]) {
        let may_print = path.starts_with("cli") || path.starts_with("e2e") || is_test(&path);
        if may_print {
            continue;
        }
        for (number, line) in code(&text) {
            let prints = [
                "println!",
                "eprintln!",
                "print!(",
                "io::stdout()",
                "io::stderr()",
            ]
            .iter()
            .any(|word| line.contains(word));
            assert!(
                !prints,
                "{}:{number}: only cli prints: {line}",
                path.display()
            );
        }
    }
}

#[test]
fn nothing_waits_for_a_fixed_time() {
    // Waiting for a condition, trying again, keeping a lock alive, watching a deadline.
    let may_wait = [
        "phase/src/wait.rs",
        "phase/src/lock.rs",
        "phase/src/manager.rs",
        "rig/src/protocol/ssh/dial.rs",
        "rig/src/retry.rs",
    ];
    for (path, text) in files(&["rs"]) {
        let shown = path.display().to_string();
        // Simulated hosts take their time, and it costs nothing.
        let is_simulated = path.starts_with("fleet") || path.starts_with("cli/src/rehearsal");
        let may = is_simulated || may_wait.contains(&shown.as_str());
        if is_test(&path) || path.starts_with("e2e") || may {
            continue;
        }
        for (number, line) in code(&text) {
            assert!(
                !line.contains("thread::sleep") && !line.contains("time::sleep("),
                "{shown}:{number}: wait for a condition instead: {line}"
            );
        }
    }
}

#[test]
fn the_clock_is_handed_in() {
    for (path, text) in files(&["rs"]) {
        if is_test(&path) || path.starts_with("e2e") || path.starts_with("cli") {
            continue;
        }
        for (number, line) in code(&text) {
            let reads = [
                "SystemTime::now",
                "Timestamp::now",
                "std::time::Instant",
                "env::var",
            ]
            .iter()
            .any(|word| line.contains(word));
            let shown = path.display();
            assert!(
                !reads,
                "{shown}:{number}: clock and environment are handed in: {line}"
            );
        }
    }
}

#[test]
fn files_say_what_they_are_and_stay_readable() {
    for (path, text) in files(&["rs"]) {
        let shown = path.display();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        assert!(!VAGUE.contains(&stem), "{shown}: name it for what it does");
        let lines = text.lines().count();
        assert!(
            lines <= LONGEST,
            "{shown} has {lines} lines: split it by idea"
        );
        assert!(text.starts_with("//!"), "{shown} does not say what it is");
    }
}

#[test]
fn a_phase_has_one_name_in_all_its_spellings() {
    let phases = Path::new("product/src/mke/phase");
    for (path, text) in files(&["rs"]) {
        if !path.starts_with(phases) || path.ends_with("mod.rs") {
            continue;
        }
        let id = path
            .file_stem()
            .unwrap()
            .to_str()
            .unwrap()
            .replace('_', "-");
        let ids = ["run-hooks", "clean-up-hosts"];
        let has_id = ids.contains(&id.as_str()) || text.contains(&format!("\"{id}\""));
        assert!(has_id, "{}: its id is not `{id}`", path.display());
    }
}

#[test]
fn texts_name_no_place_of_this_machine() {
    let home = std::env::var("HOME").unwrap_or_default();
    for (path, text) in files(&["rs", "md", "toml", "sh", "yml", "yaml"]) {
        for (number, line) in text.lines().enumerate() {
            let named = home.len() > 6 && line.contains(&home);
            assert!(!named, "{}:{}: {line}", path.display(), number + 1);
        }
    }
}

/// Hosts from which packages come, in two parts, so that they do not stand here either. Facts from
/// there have names of their own, and machines that build this have mirrors.
const REGISTRIES: &[(&str, &str)] = &[
    ("crates", "io"),
    ("pypi", "org"),
    ("pythonhosted", "org"),
    ("deb.debian", "org"),
    ("packages.debian", "org"),
    ("packages.ubuntu", "com"),
    ("archive.ubuntu", "com"),
    ("registry.npmjs", "org"),
    ("proxy.golang", "org"),
];

#[test]
fn no_registry_of_packages_is_named() {
    let mut wrong = Vec::new();
    for (path, text) in files(&["rs", "md", "txt", "toml", "yaml", "yml", "sh", "py"]) {
        for (index, line) in text.lines().enumerate() {
            let named = |(name, end): &(&str, &str)| line.contains(&format!("{name}.{end}"));
            if REGISTRIES.iter().any(named) {
                wrong.push(format!("{}:{}: {line}", path.display(), index + 1));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
