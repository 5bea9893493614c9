//! `jq`, as far as paths go: `.`, `.a.b`, `.a[0]`, `.[]`.

use serde_json::Value as Json;

use super::options::{self, Value};
use super::text::operands_or_input;
use super::{Invocation, Program};

pub(crate) const PROGRAMS: &[Program] = &[Program {
    name: "jq",
    run: |invocation| Box::pin(jq(invocation)),
}];

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    Item(usize),
    All,
}

async fn jq(invocation: &mut Invocation) -> u8 {
    let long = [
        ("raw-output", 'r', Value::None),
        ("compact-output", 'c', Value::None),
        ("exit-status", 'e', Value::None),
        ("version", 'V', Value::None),
    ];
    let mut options = match options::read(invocation, "rce", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.has('V') {
        let version = invocation.host(|host| {
            let found = host.packages.get("jq");
            found.map(|one| one.package.version.clone())
        });
        let version = version.unwrap_or_default();
        let version = version.split('-').next().unwrap_or_default();
        invocation.print(&format!("jq-{version}\n"));
        return 0;
    }
    if options.operands.is_empty() {
        return invocation.not_simulated("a call without a filter");
    }
    let filter = options.operands.remove(0);
    let Some(steps) = parse(filter.trim()) else {
        return invocation.not_simulated(&format!("the filter {filter}"));
    };
    let mut last = Json::Null;
    for operand in operands_or_input(&options) {
        let Some(bytes) = invocation.read_operand(&operand).await else {
            return 2;
        };
        for document in serde_json::Deserializer::from_slice(&bytes).into_iter::<Json>() {
            let found = document
                .map_err(|error| format!("parse error: {error}"))
                .and_then(|document| walk(document, &steps));
            let values = match found {
                Ok(values) => values,
                Err(said) => {
                    invocation.complain(&format!("jq: error (at <stdin>:0): {said}\n"));
                    return 5;
                }
            };
            for value in values {
                let text = shown(&value, options.has('r'), options.has('c'));
                invocation.print(&format!("{text}\n"));
                last = value;
            }
        }
    }
    let is_nothing = matches!(last, Json::Null | Json::Bool(false));
    u8::from(options.has('e') && is_nothing)
}

fn shown(value: &Json, is_raw: bool, is_compact: bool) -> String {
    match value {
        Json::String(text) if is_raw => text.clone(),
        value if is_compact => value.to_string(),
        // A value that was read can be written.
        value => serde_json::to_string_pretty(value).unwrap_or_default(),
    }
}

/// Reads a path.
fn parse(filter: &str) -> Option<Vec<Step>> {
    let mut rest = filter.strip_prefix('.')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (index, after) = inner.split_once(']')?;
            steps.push(match index {
                "" => Step::All,
                index => match index
                    .strip_prefix('"')
                    .and_then(|name| name.strip_suffix('"'))
                {
                    Some(name) => Step::Member(name.to_owned()),
                    None => Step::Item(index.parse().ok()?),
                },
            });
            rest = after.strip_prefix('.').unwrap_or(after);
            continue;
        }
        let is_part = |one: char| one.is_ascii_alphanumeric() || one == '_';
        let end = rest.find(|one| !is_part(one)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if name.is_empty() || !after.is_empty() && !after.starts_with(['.', '[']) {
            return None;
        }
        steps.push(Step::Member(name.to_owned()));
        rest = after.strip_prefix('.').unwrap_or(after);
    }
    Some(steps)
}

fn walk(document: Json, steps: &[Step]) -> Result<Vec<Json>, String> {
    let mut values = vec![document];
    for step in steps {
        let mut next = Vec::new();
        for value in values {
            match (step, value) {
                (Step::Member(name), Json::Object(members)) => {
                    next.push(members.get(name).cloned().unwrap_or_default());
                }
                (Step::Item(index), Json::Array(items)) => {
                    next.push(items.get(*index).cloned().unwrap_or_default());
                }
                (Step::All, Json::Array(items)) => next.extend(items),
                (Step::All, Json::Object(members)) => next.extend(members.into_values()),
                (Step::Member(_) | Step::Item(_), Json::Null) => next.push(Json::Null),
                (step, value) => return Err(format!("Cannot go by {step:?} into {value}")),
            }
        }
        values = next;
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_values() {
        let document: Json = serde_json::json!({"a": {"b": [1, {"c": "x"}]}});
        for (filter, wanted) in [
            (".a.b[1].c", vec![serde_json::json!("x")]),
            (".a.b[0]", vec![serde_json::json!(1)]),
            (
                ".a.b[]",
                vec![serde_json::json!(1), serde_json::json!({"c": "x"})],
            ),
            (".nope.deeper", vec![Json::Null]),
        ] {
            let steps = parse(filter).unwrap();

            assert_eq!(walk(document.clone(), &steps), Ok(wanted), "{filter}");
        }
        assert_eq!(parse(".a | length"), None);
    }
}
