//! The JSON Schema of the newest form (draft 2020-12), for editors and for checks without launchpad.
//!
//! It never refuses what launchpad reads. What only launchpad can tell (whether a file is there, whether
//! two keys go together) it lets pass.

use serde_json::{Map, Value, json};

use super::{Absent, Block, DOCUMENT, Key, Kind, Standing, every_key};
use crate::node::{Kind as Shape, Node};
use crate::scalar;
use crate::source::Text;

/// Where the schema of the newest form is found.
pub const SCHEMA_URL: &str =
    "https://raw.githubusercontent.com/Mirantis/launchpad/main/docs/launchpad-mke-v1.6.schema.json";

/// The draft that it is written in.
const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";
/// A text with a variable of the environment in it: what it will be is not known yet.
const VARIABLE: &str = "\\$";
/// What else YAML 1.1 knows for true and false, which editors take for texts.
const SWITCH_WORDS: [&str; 16] = [
    "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off",
    "OFF",
];
/// The connection blocks, of which a host has exactly one.
const CONNECTIONS: [&str; 4] = ["ssh", "openSSH", "winRM", "localhost"];

/// Returns the JSON Schema of the newest form of launchpad.yaml, as text.
pub fn json_schema() -> String {
    let mut root = block(&DOCUMENT);
    root.insert("$schema".to_owned(), DRAFT.into());
    root.insert("$id".to_owned(), SCHEMA_URL.into());
    let mut definitions = Map::new();
    for placed in every_key() {
        if let Some(below) = placed.key.block() {
            definitions.insert(below.name.to_owned(), Value::Object(block(below)));
        }
    }
    root.insert("$defs".to_owned(), Value::Object(definitions));
    // `{:#}` is the indented form, which cannot fail.
    format!("{:#}\n", Value::Object(root))
}

fn block(block: &Block) -> Map<String, Value> {
    let mut properties = Map::new();
    for key in block.keys {
        properties.insert(key.name.to_owned(), Value::Object(property(key)));
    }
    let is_required = |key: &&Key| matches!(key.absent, Absent::Refused);
    let required: Vec<&str> = block
        .keys
        .iter()
        .filter(is_required)
        .map(|key| key.name)
        .collect();
    let mut schema = Map::new();
    schema.insert("title".to_owned(), block.title.into());
    schema.insert("description".to_owned(), block.about.into());
    schema.insert("type".to_owned(), "object".into());
    schema.insert("properties".to_owned(), Value::Object(properties));
    schema.insert("additionalProperties".to_owned(), false.into());
    if !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
    if block.key(CONNECTIONS[0]).is_some() {
        let ways: Vec<Value> = CONNECTIONS.iter().map(|name| connection(name)).collect();
        schema.insert("oneOf".to_owned(), ways.into());
    }
    schema
}

/// Returns what is true of a host that has this connection block; one that is off does not count.
fn connection(name: &str) -> Value {
    let mut off: Vec<Value> = vec![false.into()];
    off.extend(SWITCH_WORDS.iter().skip(8).map(|word| Value::from(*word)));
    let given = if name == "localhost" {
        let is_off = json!({"required": ["enabled"], "properties": {"enabled": {"enum": off}}});
        json!({"type": "object", "not": is_off})
    } else {
        json!({"type": "object"})
    };
    json!({"required": [name], "properties": {name: given}})
}

fn property(key: &Key) -> Map<String, Value> {
    let is_optional = !matches!(key.absent, Absent::Refused);
    let mut value = value(&key.kind, is_optional);
    if is_optional && key.may_be_empty {
        value = or_null(value);
    }
    let mut schema = match value {
        Value::Object(schema) => schema,
        _ => Map::new(),
    };
    schema.insert("description".to_owned(), description(key).into());
    if let Absent::Value(yaml) = key.absent {
        schema.insert("default".to_owned(), read(yaml, &key.kind));
    }
    if !key.example.is_empty() {
        let example = read(key.example, &key.kind);
        schema.insert("examples".to_owned(), vec![example].into());
    }
    if matches!(key.standing, Standing::Deprecated | Standing::NoEffect) {
        schema.insert("deprecated".to_owned(), true.into());
    }
    schema
}

fn description(key: &Key) -> String {
    let mut text = unlinked(key.about);
    if let Absent::Told(phrase) = key.absent {
        text.push_str(&format!(". Default: {phrase}"));
    }
    match key.standing {
        Standing::Used => text,
        Standing::NotYet => format!("{text}. Not yet: `plan`, `apply` and `reset` refuse it"),
        Standing::Deprecated => format!("{text}. Deprecated"),
        Standing::NoEffect => format!("Without effect: {text}"),
    }
}

/// Returns a text without links, which lead nowhere outside of the reference.
fn unlinked(markdown: &str) -> String {
    let mut out = String::new();
    let mut rest = markdown;
    while let Some((before, after)) = rest.split_once('[') {
        let link = after.split_once("](").and_then(|(text, tail)| {
            let (_, tail) = tail.split_once(')')?;
            Some((text, tail))
        });
        let Some((text, tail)) = link else { break };
        out.push_str(before);
        out.push_str(if text == "below" {
            "the reference"
        } else {
            text
        });
        rest = tail;
    }
    out.push_str(rest);
    out.replace("**", "")
}

/// Returns a text that matches a pattern, or has a variable in it; a number without quotes is one, too.
fn matching(pattern: &str, is_optional: bool) -> Value {
    // What is empty is as good as absent.
    let empty = if is_optional { "|^$" } else { "" };
    let pattern = format!("{VARIABLE}{empty}|{pattern}");
    json!({"type": ["string", "number", "boolean"], "pattern": pattern})
}

fn text() -> Value {
    json!({"type": ["string", "number", "boolean"]})
}

fn variable() -> Value {
    json!({"type": "string", "pattern": VARIABLE})
}

fn value(kind: &Kind, is_optional: bool) -> Value {
    match kind {
        Kind::Text if !is_optional => matching("^[\\s\\S]+$", false),
        Kind::Text | Kind::Secret | Kind::Path | Kind::File => text(),
        Kind::Constant(word) => json!({"const": word}),
        Kind::Fixed(words) => json!({"enum": words}),
        Kind::Word(words) => json!({"anyOf": [{"enum": words}, variable()]}),
        Kind::ClusterName => matching(
            "^[^/\\\\:*?\"<>|\\s]([^/\\\\:*?\"<>|]*[^/\\\\:*?\"<>|.\\s])?$",
            false,
        ),
        Kind::Address => matching(
            "^[0-9A-Za-z-]+(\\.[0-9A-Za-z-]+)*$|^[0-9A-Fa-f:.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*$",
            is_optional,
        ),
        Kind::Alias | Kind::User => matching("^[^-\\s]\\S*$", is_optional),
        Kind::LongText => matching("^[\\s\\S]{3,}$", is_optional),
        Kind::Url => matching("^\\S*://\\S*$", is_optional),
        Kind::Channel => matching("^[0-9A-Za-z][0-9A-Za-z._~+/-]*$", false),
        Kind::Version => matching("^v?[0-9]", false),
        Kind::Switch => {
            json!({"anyOf": [{"type": "boolean"}, {"enum": SWITCH_WORDS}, variable()]})
        }
        Kind::Number(least, most) => {
            let number = json!({"type": "integer", "minimum": least, "maximum": most});
            json!({"anyOf": [number, variable()]})
        }
        Kind::Texts => json!({"type": "array", "items": text()}),
        Kind::Flags => {
            let first = json!({"type": "string", "pattern": "^\\s*$|^\\s*[\"']?-|\\$"});
            json!({"type": "array", "prefixItems": [first], "items": text()})
        }
        Kind::Free => json!({"type": "object"}),
        Kind::Variables => json!({
            "type": "object",
            "propertyNames": {"pattern": "^[^=\\s]+$"},
            "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
        }),
        Kind::Options => {
            let several = json!({"type": "array", "items": text()});
            json!({"type": "object", "additionalProperties": {"anyOf": [text(), several]}})
        }
        Kind::One(below) => json!({"$ref": format!("#/$defs/{}", below.name)}),
        Kind::Many(below) => {
            let manager = json!({"anyOf": [{"const": "manager"}, variable()]});
            json!({
                "type": "array",
                "items": {"$ref": format!("#/$defs/{}", below.name)},
                "contains": {"required": ["role"], "properties": {"role": manager}},
            })
        }
    }
}

/// Returns the same value, or nothing.
fn or_null(mut value: Value) -> Value {
    let nothing = json!({"type": "null"});
    if let Some(ways) = value.get_mut("anyOf").and_then(Value::as_array_mut) {
        ways.push(nothing);
        return value;
    }
    match value.get("type").cloned() {
        Some(Value::Array(mut types)) => {
            types.push("null".into());
            value["type"] = types.into();
            value
        }
        Some(one) => {
            value["type"] = vec![one, "null".into()].into();
            value
        }
        None => json!({"anyOf": [value, nothing]}),
    }
}

/// Returns a value of the description as JSON, as the key understands it.
pub(super) fn read(yaml: &str, kind: &Kind) -> Value {
    let text = Text::new(String::new(), yaml.to_owned());
    let parsed = crate::parse::parse(&text, crate::parse::Duplicates::Refused);
    // A test reads every value of the description.
    parsed.map_or(Value::Null, |parsed| converted(&parsed.root, kind))
}

fn converted(node: &Node, kind: &Kind) -> Value {
    match (&node.kind, kind) {
        (Shape::Scalar(found), Kind::Switch | Kind::Number(..) | Kind::Free | Kind::Options) => {
            scalar::json(found)
        }
        (Shape::Scalar(found), _) => found.text.clone().into(),
        (Shape::List(items), kind) => items.iter().map(|item| converted(item, kind)).collect(),
        (Shape::Map(entries), kind) => {
            let each = entries.iter().map(|entry| {
                let kind = match kind {
                    Kind::One(below) | Kind::Many(below) => {
                        below.key(&entry.key).map_or(kind, |key| &key.kind)
                    }
                    _ => kind,
                };
                (entry.key.clone(), converted(&entry.value, kind))
            });
            Value::Object(each.collect())
        }
    }
}
