//! The description, the decoders, the JSON Schema and the reference agree.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::io;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use serde_json::{Value as Json, json};

use super::{Absent, Block, Kind, Placed, Standing, every_key, json as schema_of, markdown};
use crate::load::load;
use crate::source::{Source, Text};
use crate::world::World;

/// A machine where every variable is set and every file is there.
struct Machine;

impl World for Machine {
    fn var(&self, _name: &str) -> Option<String> {
        Some("x".to_owned())
    }

    fn home(&self) -> Option<PathBuf> {
        Some(PathBuf::from("/home/me"))
    }

    fn current_dir(&self) -> PathBuf {
        PathBuf::from("/work")
    }

    fn read(&self, _path: &Path) -> io::Result<Vec<u8>> {
        Ok(b"content".to_vec())
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn validator() -> Validator {
    let schema: Json = serde_json::from_str(&super::json_schema()).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
}

/// Returns the errors of a document at a path and below it; none where it loads.
fn errors_at(text: &str, path: &str) -> Vec<String> {
    let source = Source {
        name: "launchpad.yaml".to_owned(),
        text: text.as_bytes().to_vec(),
    };
    let Err(found) = load(source, &Machine) else {
        return Vec::new();
    };
    let is_here = |at: &str| {
        at.strip_prefix(path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let here = found.items.into_iter();
    here.filter(|one| one.path.as_deref().is_some_and(is_here))
        .map(|one| one.message)
        .collect()
}

/// Returns a document as an editor reads it.
fn as_json(text: &str) -> Json {
    let text = Text::new(String::new(), text.to_owned());
    let root = crate::parse::parse(&text, crate::parse::Duplicates::Refused)
        .ok()
        .unwrap()
        .root;
    crate::decode::json(&root)
}

/// What a block has to have, by the description.
fn least(block: &Block) -> Json {
    let required = block
        .keys
        .iter()
        .filter(|key| matches!(key.absent, Absent::Refused));
    let each = required.map(|key| (key.name.to_owned(), schema_of::read(key.example, &key.kind)));
    Json::Object(each.collect())
}

/// Returns a document that is right but for one key, which has a value written in YAML.
fn document(placed: &Placed, yaml: &str) -> (String, String) {
    let host = json!({"role": "manager", "ssh": {"address": "10.0.0.1"}});
    let other = json!({"role": "manager", "ssh": {"address": "10.0.0.2"}});
    let mut root = json!({
        "apiVersion": crate::api::CURRENT,
        "kind": "mke",
        "spec": {
            "hosts": [host, other],
            "mcr": {"channel": "stable-25.0"},
            "mke": {"version": "3.8.8"},
            "msr": {"version": "2.9.28"},
        },
    });
    let path = placed.path().replace("[]", "[0]");
    let ways = ["ssh", "openSSH", "winRM", "localhost"];
    let way = path.strip_prefix("spec.hosts[0].").unwrap_or_default();
    let way = way.split('.').next().unwrap_or_default();
    if ways.contains(&way) {
        let host = &mut root["spec"]["hosts"][0];
        let other = if yaml == "null" && placed.parent == "spec.hosts[]" {
            ways.into_iter().find(|one| *one != way)
        } else {
            None
        };
        host.as_object_mut().unwrap().remove("ssh");
        if let Some(other) = other {
            host[other] = json!({"address": "10.0.0.1"});
        }
    }
    let mut at = &mut root;
    let mut block: &Block = &super::DOCUMENT;
    for step in placed.parent.split('.').filter(|step| !step.is_empty()) {
        let name = step.trim_end_matches("[]");
        block = block.key(name).unwrap().block().unwrap();
        let at_key = &mut at[name];
        if at_key.is_null() {
            *at_key = least(block);
        }
        at = if step.ends_with("[]") {
            &mut at_key[0]
        } else {
            at_key
        };
    }
    at[placed.key.name] = "@value".into();
    (root.to_string().replace("\"@value\"", yaml), path)
}

/// Returns values that a kind takes.
fn right(kind: &Kind) -> Vec<String> {
    let texts = |words: &[&str]| words.iter().map(ToString::to_string).collect();
    match kind {
        Kind::Constant(word) => texts(&[word]),
        Kind::Fixed(words) | Kind::Word(words) => texts(words),
        Kind::Switch => texts(&["true", "false", "yes", "Off"]),
        Kind::Number(least, most) => vec![least.to_string(), most.to_string()],
        Kind::Texts => texts(&["[]", "[a, 1, true]"]),
        Kind::Flags => texts(&["[]", "[--a, --b=c, --d e]", "[--san, a]", "['\"--a b\"']"]),
        Kind::Free => texts(&["{}", "{a: [1, {b: null}]}"]),
        Kind::Variables => texts(&["{}", "{A: 1, B: null, C: ''}"]),
        Kind::Options => texts(&["{A: 1, B: [c, d], E: false}"]),
        Kind::Address => texts(&["a-b.example.com", "10.0.0.9", "\"fd00::9\""]),
        Kind::Version => texts(&["3.10", "v3.8.8", "3.9.0-rc2"]),
        Kind::Channel => texts(&["stable", "stable-29.2.1/fips"]),
        Kind::Text | Kind::Secret | Kind::Path | Kind::File => texts(&["0123", "''", "yes"]),
        Kind::ClusterName | Kind::Alias | Kind::User | Kind::LongText => texts(&["abc", "123"]),
        Kind::Url => texts(&["http://x/y"]),
        Kind::One(_) | Kind::Many(_) => Vec::new(),
    }
}

/// Returns values that a kind refuses.
fn wrong(kind: &Kind) -> Vec<String> {
    let texts = |words: &[&str]| words.iter().map(ToString::to_string).collect();
    match kind {
        Kind::Text | Kind::Secret | Kind::Path | Kind::File => texts(&["[a]", "{a: b}"]),
        Kind::Constant(_) | Kind::Fixed(_) | Kind::Word(_) => texts(&["other", "[a]", "{a: b}"]),
        Kind::ClusterName => texts(&["a/b", "'..'", "' a'", "[a]"]),
        Kind::Address => texts(&["a b", "'10.0.0.1:22'", "a_b", "[a]", "{a: b}"]),
        Kind::Alias | Kind::User => texts(&["a b", "-x", "[a]"]),
        Kind::LongText => texts(&["ab", "[abc]"]),
        Kind::Url => texts(&["packages.example.net", "[a]"]),
        Kind::Channel => texts(&["a b", "../x", "''", "[a]"]),
        Kind::Version => texts(&["newest", "''", "[a]"]),
        Kind::Switch => texts(&["maybe", "'true'", "2", "[true]"]),
        Kind::Number(least, most) => vec![
            (i64::from(*least) - 1).to_string(),
            (i64::from(*most) + 1).to_string(),
            format!("'{least}'"),
            "many".to_owned(),
            "[1]".to_owned(),
        ],
        Kind::Texts => texts(&["a", "[[a]]", "{a: b}"]),
        Kind::Flags => texts(&["--a", "[san]", "[[--a]]"]),
        Kind::Free => texts(&["a", "[a]"]),
        Kind::Variables => texts(&["a", "{a: [b]}", "{'a b': c}"]),
        Kind::Options => texts(&["a", "{a: {b: c}}", "{a: null}"]),
        Kind::One(_) | Kind::Many(_) => texts(&["a", "[a]"]),
    }
}

#[test]
fn decoders_and_schema_take_what_the_description_says() {
    let validator = validator();
    for placed in every_key() {
        let mut values = right(&placed.key.kind);
        values.extend(Some(placed.key.example.to_owned()).filter(|yaml| !yaml.is_empty()));
        if let Absent::Value(yaml) = placed.key.absent {
            values.push(yaml.to_owned());
        }
        if placed.key.may_be_empty {
            values.push("null".to_owned());
        }
        // A text that has to be there may not be empty.
        values.retain(|yaml| yaml != "''" || placed.key.may_be_empty);
        // What is off is no connection; a test of its own looks at that.
        values.retain(|yaml| {
            placed.key.name != "enabled" || !["false", "Off"].contains(&yaml.as_str())
        });
        for yaml in values {
            let (text, path) = document(placed, &yaml);
            assert_eq!(errors_at(&text, &path), [""; 0], "{path}: {yaml}\n{text}");
            let told: Vec<String> = validator
                .iter_errors(&as_json(&text))
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert_eq!(told, [""; 0], "{path}: {yaml}\n{text}");
        }
    }
}

#[test]
fn decoders_and_schema_refuse_what_the_description_does_not_say() {
    let validator = validator();
    for placed in every_key() {
        let mut values = wrong(&placed.key.kind);
        if !placed.key.may_be_empty {
            values.push("null".to_owned());
        }
        for yaml in values {
            let (text, path) = document(placed, &yaml);
            assert_ne!(errors_at(&text, &path), [""; 0], "{path}: {yaml}\n{text}");
            assert!(
                !validator.is_valid(&as_json(&text)),
                "{path}: {yaml}\n{text}"
            );
        }
    }
}

#[test]
fn what_is_missing_or_unknown_is_refused_by_both() {
    let validator = validator();
    for placed in every_key() {
        let (text, path) = document(placed, "'@'");
        let mut root: Json = as_json(&text);
        let pointer = format!("/{}", placed.parent.replace("[]", ".0").replace('.', "/"));
        let pointer = if placed.parent.is_empty() {
            ""
        } else {
            &pointer
        };
        let block = root
            .pointer_mut(pointer)
            .and_then(Json::as_object_mut)
            .unwrap();
        block.remove(placed.key.name);
        if matches!(placed.key.absent, Absent::Refused) {
            let text = root.to_string();
            let is_told = load_messages(&text)
                .iter()
                .any(|one| one.ends_with("is missing"));
            assert!(is_told, "{path}\n{text}");
            assert!(!validator.is_valid(&root), "{path}");
        }
        let block = root
            .pointer_mut(pointer)
            .and_then(Json::as_object_mut)
            .unwrap();
        block.insert("zzz".to_owned(), 1.into());
        let text = root.to_string();
        let is_told = load_messages(&text)
            .iter()
            .any(|one| one == "unknown key `zzz`");
        assert!(is_told, "{path}\n{text}");
        assert!(!validator.is_valid(&root), "{path}");
    }
}

fn load_messages(text: &str) -> Vec<String> {
    let source = Source {
        name: String::new(),
        text: text.as_bytes().to_vec(),
    };
    let problems = load(source, &Machine).map(|_| ()).unwrap_err();
    problems.items.into_iter().map(|one| one.message).collect()
}

#[test]
fn a_host_has_exactly_one_connection_for_both() {
    let validator = validator();
    let with = |ways: &str| {
        format!(
            "apiVersion: {}\nkind: mke\nspec:\n  hosts: [{{role: manager, {ways}}}]\n  \
             mcr: {{channel: stable}}\n  mke: {{version: 3.8.8}}\n",
            crate::api::CURRENT
        )
    };
    for (ways, is_right) in [
        ("ssh: {address: a}", true),
        ("ssh: {address: a}, winRM: null", true),
        ("ssh: {address: a}, localhost: {enabled: false}", true),
        ("localhost: {}", true),
        ("localhost: {enabled: false}", false),
        ("localhost: {enabled: no}", false),
        ("ssh: {address: a}, openSSH: {address: a}", false),
        ("ssh: {address: a}, localhost: {}", false),
        ("sudodocker: true", false),
        ("ssh: null", false),
    ] {
        let text = with(ways);
        let source = Source {
            name: String::new(),
            text: text.clone().into_bytes(),
        };
        assert_eq!(load(source, &Machine).is_ok(), is_right, "{ways}");
        assert_eq!(validator.is_valid(&as_json(&text)), is_right, "{ways}");
    }
}

#[test]
fn variables_may_stand_for_any_value_but_kind_and_version_of_the_api() {
    let validator = validator();
    for placed in every_key() {
        let is_scalar = !right(&placed.key.kind)
            .iter()
            .any(|one| one.starts_with(['[', '{']));
        let is_fixed = matches!(placed.key.kind, Kind::Constant(_) | Kind::Fixed(_));
        if placed.key.block().is_some() || !is_scalar {
            continue;
        }
        let (text, path) = document(placed, "\"${ANY:-1}\"");
        assert_eq!(validator.is_valid(&as_json(&text)), !is_fixed, "{path}");
    }
}

#[test]
fn the_schema_is_one() {
    let schema: Json = serde_json::from_str(&super::json_schema()).unwrap();

    assert!(jsonschema::meta::is_valid(&schema));
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    let port = &schema["$defs"]["ssh"]["properties"]["port"];
    assert_eq!(port["examples"], json!([22]));
    assert_eq!(
        schema["$defs"]["mcr"]["properties"]["prune"]["default"],
        false
    );
    assert_eq!(
        schema["$defs"]["ssh"]["properties"]["hostKey"]["deprecated"],
        true
    );
    for link in ["](#", ".md)"] {
        assert!(!schema.to_string().contains(link), "there is a link in it");
    }
}

#[test]
fn every_key_is_described() {
    for placed in every_key() {
        let (path, key) = (placed.path(), placed.key);
        let is_given = !key.example.is_empty() || ["spec", "hosts"].contains(&key.name);
        assert!(is_given, "{path} has no example");
        assert!(key.about.len() > 5 && !key.about.ends_with('.'), "{path}");
        assert!(!key.about.contains(['|', '\n']), "{path}");
        let is_void = key.standing == Standing::NoEffect;
        assert!(!is_void || placed.block.name == "mcr", "{path}");
        for (name, _) in placed.block.former {
            assert!(placed.block.key(name).is_none(), "{path}: {name} is a key");
        }
    }
}

/// Returns the documents that stand in a Markdown text.
fn documents(markdown: &str) -> Vec<String> {
    let mut parts = markdown.split("```yaml\n").skip(1);
    let mut found = Vec::new();
    for part in parts.by_ref() {
        let text = part.split("```").next().unwrap();
        if text.contains("apiVersion:") && text.contains("spec:") {
            found.push(text.to_owned());
        }
    }
    found
}

#[test]
fn every_example_of_the_documentation_loads_and_fits_the_schema() {
    let validator = validator();
    let mut found = Vec::new();
    for folder in ["docs", "docs/examples", "."] {
        for entry in std::fs::read_dir(repository().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let extension = path
                .extension()
                .and_then(|it| it.to_str())
                .unwrap_or_default();
            let name = path.display().to_string();
            match extension {
                "yaml" => found.push((name, std::fs::read_to_string(path).unwrap())),
                // The examples of the codes have tests of their own, and half of them are wrong.
                "md" if name.ends_with("errors.md") => {}
                "md" => {
                    let text = std::fs::read_to_string(path).unwrap();
                    found.extend(documents(&text).into_iter().map(|one| (name.clone(), one)));
                }
                _ => {}
            }
        }
    }
    assert!(found.len() >= 3, "{}", found.len());
    for (name, text) in found {
        if text.contains("mke/v1.6") {
            let source = Source {
                name: name.clone(),
                text: text.clone().into_bytes(),
            };
            if let Err(problems) = load(source, &Machine) {
                panic!("{problems}\n{text}");
            }
            let errors: Vec<String> = validator
                .iter_errors(&as_json(&text))
                .map(|error| error.to_string())
                .collect();
            assert_eq!(errors, [""; 0], "{name}");
        }
    }
}

/// Compares a file of the repository with what it has to be; with `UPDATE` set, writes it.
fn is_generated(file: &str, renew: impl Fn(&str) -> String) {
    let path = repository().join(file);
    let is = std::fs::read_to_string(&path).unwrap_or_default();
    let wanted = renew(&is);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, wanted).unwrap();
    } else {
        assert!(
            is == wanted,
            "`{file}` is not what the description says: run `./dev docs`"
        );
    }
}

#[test]
fn the_reference_is_made_of_the_description() {
    is_generated("docs/configuration.md", |text| {
        for name in markdown::sections() {
            let mark = format!("<!-- keys: {name} -->");
            assert_eq!(text.matches(&mark).count(), 1, "{mark}");
        }
        markdown::renewed(text).unwrap()
    });
}

#[test]
fn the_schema_of_the_documentation_is_the_one_that_is_printed() {
    let file = super::SCHEMA_URL.rsplit('/').next().unwrap();

    is_generated(&format!("docs/{file}"), |_| super::json_schema());
}
