//! Carrying a template out.

use std::cmp::Ordering;

use super::{Binding, Missing, Node, Pipeline, Range, Term};
use crate::engine::value::Value;

/// How large the output may become, in bytes.
const LARGEST: usize = 64 << 20;

/// Carries nodes out over a value.
pub(super) fn run(nodes: &[Node], value: &Value, missing: Missing) -> Result<String, String> {
    let mut run = Run {
        out: String::new(),
        variables: vec![(String::new(), value.clone())],
        missing,
    };
    run.all(nodes, value)?;
    Ok(run.out)
}

struct Run {
    out: String,
    variables: Vec<(String, Value)>,
    missing: Missing,
}

impl Run {
    fn all(&mut self, nodes: &[Node], dot: &Value) -> Result<(), String> {
        let known = self.variables.len();
        for node in nodes {
            self.one(node, dot)?;
            if self.out.len() > LARGEST {
                return Err("the output is too large".to_owned());
            }
        }
        self.variables.truncate(known);
        Ok(())
    }

    fn one(&mut self, node: &Node, dot: &Value) -> Result<(), String> {
        match node {
            Node::Text(text) => self.out.push_str(text),
            Node::Print(pipeline) => {
                let value = self.pipeline(pipeline, dot)?;
                self.out.push_str(&shown(&value));
            }
            Node::Set(name, pipeline, binding) => {
                let value = self.pipeline(pipeline, dot)?;
                self.set(name, value, *binding);
            }
            Node::If(branches, otherwise) => {
                for (condition, body) in branches {
                    if self.pipeline(condition, dot)?.is_true() {
                        return self.all(body, dot);
                    }
                }
                self.all(otherwise, dot)?;
            }
            Node::With(pipeline, body, otherwise) => {
                let value = self.pipeline(pipeline, dot)?;
                if value.is_true() {
                    self.all(body, &value)?;
                } else {
                    self.all(otherwise, dot)?;
                }
            }
            Node::Range(range) => self.range(range, dot)?,
        }
        Ok(())
    }

    fn set(&mut self, name: &str, value: Value, binding: Binding) {
        let mut found = self.variables.iter_mut().rev();
        let old = found.find(|(known, _)| binding == Binding::Old && known == name);
        match old {
            Some(old) => old.1 = value,
            None => self.variables.push((name.to_owned(), value)),
        }
    }

    fn range(&mut self, range: &Range, dot: &Value) -> Result<(), String> {
        let items: Vec<(Value, Value)> = match self.pipeline(&range.over, dot)? {
            Value::List(values) => {
                let numbered = values.into_iter().enumerate();
                numbered.map(|(i, value)| (Value::from(i), value)).collect()
            }
            Value::Map(mut members) => {
                members.sort_by(|(one, _), (other, _)| one.cmp(other));
                let members = members.into_iter();
                members.map(|(name, value)| (name.into(), value)).collect()
            }
            Value::Int(count) => (0..count).map(|i| (Value::Int(i), Value::Int(i))).collect(),
            Value::Null => Vec::new(),
            other => return Err(format!("range can't iterate over {}", shown(&other))),
        };
        if items.is_empty() {
            return self.all(&range.otherwise, dot);
        }
        for (index, value) in items {
            let known = self.variables.len();
            if let Some(name) = &range.index {
                self.variables.push((name.clone(), index));
            }
            if let Some(name) = &range.value {
                self.variables.push((name.clone(), value.clone()));
            }
            self.all(&range.body, &value)?;
            self.variables.truncate(known);
        }
        Ok(())
    }

    fn pipeline(&self, pipeline: &Pipeline, dot: &Value) -> Result<Value, String> {
        let mut last = None;
        for call in &pipeline.calls {
            last = Some(self.call(call, dot, last)?);
        }
        Ok(last.unwrap_or_default())
    }

    fn call(&self, call: &[Term], dot: &Value, last: Option<Value>) -> Result<Value, String> {
        let Some((first, rest)) = call.split_first() else {
            return Ok(Value::Null);
        };
        if let (Term::Field(names), [key]) = (first, rest)
            && names.as_slice() == ["Label"]
        {
            let key = shown(&self.term(key, dot)?);
            return Ok(label(dot, &key));
        }
        let Term::Function(name) = first else {
            if !rest.is_empty() || last.is_some() {
                return Err(format!(
                    "can't give argument to non-function {}",
                    text(first)
                ));
            }
            return self.term(first, dot);
        };
        let mut arguments = Vec::with_capacity(rest.len() + 1);
        for term in rest {
            arguments.push(self.term(term, dot)?);
        }
        arguments.extend(last);
        function(name, &arguments).map_err(|problem| {
            format!("template: :1:2: executing \"\" at <{name}>: error calling {name}: {problem}")
        })
    }

    fn term(&self, term: &Term, dot: &Value) -> Result<Value, String> {
        match term {
            Term::Literal(value) => Ok(value.clone()),
            Term::Field(names) => self.follow(dot, names, term),
            Term::Variable(name, names) => {
                let mut found = self.variables.iter().rev();
                let value = found.find(|(known, _)| known == name);
                let value = value.map_or(Value::Null, |(_, value)| value.clone());
                self.follow(&value, names, term)
            }
            Term::Group(pipeline, names) => {
                let value = self.pipeline(pipeline, dot)?;
                self.follow(&value, names, term)
            }
            Term::Function(name) => function(name, &[]),
        }
    }

    fn follow(&self, value: &Value, names: &[String], term: &Term) -> Result<Value, String> {
        let mut found = value;
        for name in names {
            found = match (found, found.member(name)) {
                (_, Some(member)) => member,
                (Value::Map(members), None) if is_free(members) => &Value::Null,
                (Value::Null, None) => {
                    return Err(at(term, &format!("nil data; no entry for key \"{name}\"")));
                }
                (_, None) => {
                    return Err(at(
                        term,
                        &match self.missing {
                            Missing::Key => format!("map has no entry for key \"{name}\""),
                            Missing::Nil(part) => format!(
                                "reflect: indirection through nil pointer to embedded struct \
                                 field {part}"
                            ),
                            Missing::Type(kind) => {
                                format!("can't evaluate field {name} in type {kind}")
                            }
                        },
                    ));
                }
            };
        }
        Ok(found.clone())
    }
}

/// Returns a label of a row of a listing, whose labels are one text.
fn label(row: &Value, key: &str) -> Value {
    let labels = row.at(&["Labels"]).as_text();
    let mut pairs = labels.split(',').filter_map(|pair| pair.split_once('='));
    let found = pairs.find(|(name, _)| *name == key);
    Value::from(found.map_or("", |(_, value)| value))
}

/// Returns whether a map has names that users choose, like labels: what is not there is nothing.
fn is_free(members: &[(String, Value)]) -> bool {
    let is_chosen = |name: &str| !name.starts_with(|one: char| one.is_ascii_uppercase());
    members.iter().all(|(name, _)| is_chosen(name))
}

fn at(term: &Term, problem: &str) -> String {
    format!(
        "template: :1:2: executing \"\" at <{}>: {problem}",
        text(term)
    )
}

fn text(term: &Term) -> String {
    match term {
        Term::Field(names) => format!(".{}", names.join(".")),
        Term::Variable(name, names) => {
            let names: String = names.iter().map(|name| format!(".{name}")).collect();
            format!("${name}{names}")
        }
        Term::Function(name) => name.clone(),
        Term::Literal(value) => value.json(),
        Term::Group(..) => "(…)".to_owned(),
    }
}

/// Shows a value as Go prints it with `%v`.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "<no value>".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        Value::Bytes(bytes) => {
            let bytes: Vec<String> = bytes.iter().map(u8::to_string).collect();
            format!("[{}]", bytes.join(" "))
        }
        Value::List(values) => {
            let values: Vec<String> = values.iter().map(shown).collect();
            format!("[{}]", values.join(" "))
        }
        Value::Map(members) => {
            let mut members: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("{name}:{}", shown(value)))
                .collect();
            members.sort();
            format!("map[{}]", members.join(" "))
        }
    }
}

fn function(name: &str, arguments: &[Value]) -> Result<Value, String> {
    let first = arguments.first();
    let one = || first.cloned().ok_or_else(|| few(name, arguments.len()));
    let text = |index: usize| arguments.get(index).map(shown).unwrap_or_default();
    Ok(match name {
        "json" => Value::Text(one()?.json()),
        "upper" => Value::Text(text(0).to_uppercase()),
        "lower" => Value::Text(text(0).to_lowercase()),
        "title" => Value::Text(title(&text(0))),
        "not" => Value::Bool(!one()?.is_true()),
        "and" | "or" => {
            let decides = |value: &&Value| value.is_true() == (name == "or");
            let found = arguments.iter().find(decides).or(arguments.last());
            found.cloned().unwrap_or_default()
        }
        "eq" => Value::Bool(arguments.iter().skip(1).any(|other| Some(other) == first)),
        "ne" => Value::Bool(arguments.get(1) != first),
        "lt" | "le" | "gt" | "ge" => Value::Bool(compares(name, arguments)?),
        "len" => length(&one()?)?,
        "index" => index(&one()?, &arguments[1..])?,
        "join" => Value::Text(match first {
            Some(Value::List(values)) => {
                let values: Vec<String> = values.iter().map(shown).collect();
                values.join(&text(1))
            }
            _ => return Err("the first argument is no list".to_owned()),
        }),
        "split" => text(0).split(text(1).as_str()).map(Value::from).collect(),
        "print" => Value::Text(print(arguments)),
        "println" => {
            let words: Vec<String> = arguments.iter().map(shown).collect();
            Value::Text(words.join(" ") + "\n")
        }
        "printf" => Value::Text(printf(&text(0), &arguments[1.min(arguments.len())..])),
        "truncate" => {
            let length = text(1).parse().unwrap_or(usize::MAX);
            Value::Text(text(0).chars().take(length).collect())
        }
        "pad" => {
            let blanks = |index: usize| " ".repeat(text(index).parse().unwrap_or(0).min(1000));
            Value::Text(match text(0) {
                text if text.is_empty() => text,
                text => format!("{}{text}{}", blanks(1), blanks(2)),
            })
        }
        _ => return Err(format!("the function {name} is not simulated")),
    })
}

fn few(name: &str, count: usize) -> String {
    format!("wrong number of args for {name}: want 1 got {count}")
}

fn title(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

fn compares(name: &str, arguments: &[Value]) -> Result<bool, String> {
    let order = match arguments {
        [Value::Int(one), Value::Int(other)] => one.cmp(other),
        [Value::Text(one), Value::Text(other)] => one.cmp(other),
        [Value::Float(one), Value::Float(other)] => one.total_cmp(other),
        _ => return Err("incompatible types for comparison".to_owned()),
    };
    Ok(match name {
        "lt" => order == Ordering::Less,
        "le" => order != Ordering::Greater,
        "gt" => order == Ordering::Greater,
        _ => order != Ordering::Less,
    })
}

fn length(value: &Value) -> Result<Value, String> {
    Ok(Value::from(match value {
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(values) => values.len(),
        Value::Map(members) => members.len(),
        other => return Err(format!("len of type {}", shown(other))),
    }))
}

fn index(value: &Value, keys: &[Value]) -> Result<Value, String> {
    let mut found = value.clone();
    for key in keys {
        found = match (&found, key) {
            (Value::List(values), Value::Int(number)) => {
                let place = usize::try_from(*number).ok();
                let item = place.and_then(|place| values.get(place)).cloned();
                item.ok_or_else(|| format!("error calling index: index out of range: {number}"))?
            }
            (Value::Map(members), key) => {
                let name = shown(key);
                let member = members.iter().find(|(known, _)| *known == name);
                // What a map of texts does not have is the empty text.
                member.map_or_else(|| Value::from(""), |(_, value)| value.clone())
            }
            (Value::Null, _) => return Err("index of untyped nil".to_owned()),
            (other, _) => return Err(format!("can't index item of type {}", shown(other))),
        };
    }
    Ok(found)
}

/// Puts a blank between two things where neither is a text.
fn print(arguments: &[Value]) -> String {
    let mut out = String::new();
    let is_text = |value: &Value| matches!(value, Value::Text(_));
    for (i, value) in arguments.iter().enumerate() {
        if i > 0 && !is_text(value) && !is_text(&arguments[i - 1]) {
            out.push(' ');
        }
        out.push_str(&shown(value));
    }
    out
}

/// Returns what `%s` makes of a value: bytes are those of a text.
fn string(value: &Value) -> String {
    match value {
        Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        value => shown(value),
    }
}

fn printf(format: &str, arguments: &[Value]) -> String {
    let mut out = String::new();
    let mut arguments = arguments.iter();
    let mut characters = format.chars().peekable();
    while let Some(one) = characters.next() {
        if one != '%' {
            out.push(one);
            continue;
        }
        let mut width = String::new();
        while let Some(digit) = characters.next_if(|one| "-.0123456789".contains(*one)) {
            width.push(digit);
        }
        let verb = characters.next().unwrap_or('%');
        if verb == '%' {
            out.push('%');
            continue;
        }
        let Some(value) = arguments.next() else {
            out.push_str(&format!("%!{verb}(MISSING)"));
            continue;
        };
        let text = match verb {
            'q' => Value::Text(string(value)).json(),
            's' => string(value),
            'x' => match value {
                Value::Int(number) => format!("{number:x}"),
                other => string(other)
                    .bytes()
                    .map(|byte| format!("{byte:02x}"))
                    .collect(),
            },
            _ => shown(value),
        };
        out.push_str(&padded(&text, &width));
    }
    out
}

fn padded(text: &str, width: &str) -> String {
    let (width, precision) = width.split_once('.').unwrap_or((width, ""));
    let text: String = match precision.parse() {
        Ok(precision) => text.chars().take(precision).collect(),
        Err(_) => text.to_owned(),
    };
    let is_left = width.starts_with('-');
    let width: usize = width.trim_start_matches('-').parse().unwrap_or(0).min(1000);
    if is_left {
        format!("{text:<width$}")
    } else {
        format!("{text:>width$}")
    }
}
