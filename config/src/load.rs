//! From a document to a configuration: parse, migrate, substitute, decode, validate.
//!
//! All problems of a document are collected; only what makes everything behind it meaningless ends
//! the way early.

use std::sync::Arc;

use crate::api;
use crate::config::{Cluster, Config, Document};
use crate::decode::{Context, Fields, Value};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity, tell};
use crate::host::{self, Host};
use crate::mcr::{self, Mcr};
use crate::mke::{self, Mke};
use crate::msr::{self, Msr};
use crate::node::{Kind, Node};
use crate::parse::{Parsed, parse};
use crate::problem::{Problem, Problems};
use crate::schema;
use crate::secret;
use crate::source::{Source, Span, Text};
use crate::substitute::substitute;
use crate::validate;
use crate::world::World;

/// A configuration that was loaded.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What in it is not as it seems.
    pub warnings: Vec<Diagnostic>,
}

/// What was decoded, as far as it could be.
pub(crate) struct Draft {
    pub(crate) name: String,
    pub(crate) hosts: Vec<Host>,
    /// Whether all hosts could be read.
    pub(crate) has_all_hosts: bool,
    pub(crate) mcr: Option<Mcr>,
    pub(crate) mke: Option<Mke>,
    pub(crate) msr: Option<Msr>,
    /// Whether there is a block for MSR, even if it could not be read.
    pub(crate) has_msr: bool,
    pub(crate) cluster: Cluster,
}

/// Loads a configuration.
///
/// # Errors
///
/// Fails with all problems of the document.
pub fn load(source: Source, world: &dyn World) -> Result<Loaded, Diagnostics> {
    let text = Text::decode(source)
        .map_err(|(file, message)| vec![Diagnostic::unreadable(file, message)])?;
    let Parsed {
        mut root,
        problems: found,
        dropped,
    } = parse(&text).map_err(|problem| tell(vec![*problem], &text, &[]))?;
    let problems = Problems::default();
    found.into_iter().for_each(|problem| problems.add(problem));
    dropped.into_iter().for_each(|span| problems.hide(span));
    if !is_mapping(&root, &problems) {
        return Err(failed(problems, &text, &root, Vec::new()));
    }
    if !api::migrate(&mut root, &problems) {
        return Err(failed(problems, &text, &root, Vec::new()));
    }
    let kind = api::kind(&root, &problems);
    substitute(&mut root, &text, world, &problems);
    let secrets = secret::spans(&root);
    let draft = {
        let cx = Context::new(world, &problems, &secrets);
        let draft = document(&Value::root(&cx, &root));
        draft.inspect(|draft| validate::check(draft, &root, &problems))
    };
    let draft = draft.filter(|_| !problems.has_errors());
    let complete = draft.and_then(|draft| {
        Some((
            draft.mcr?,
            draft.mke?,
            kind?,
            draft.name,
            draft.hosts,
            draft.msr,
            draft.cluster,
        ))
    });
    let Some((mcr, mke, kind, name, hosts, msr, cluster)) = complete else {
        return Err(failed(problems, &text, &root, secrets));
    };
    let (warnings, mut hidden) = problems.finish();
    hidden.extend(secrets);
    let warnings = warnings
        .into_iter()
        .map(|problem| Diagnostic::of(problem, &text, &hidden))
        .collect();
    let document = Arc::new(Document { text, root, hidden });
    let config = Config {
        name,
        kind,
        hosts,
        mcr,
        mke,
        msr,
        cluster,
        document,
    };
    Ok(Loaded { config, warnings })
}

/// Says what a document is, if it is no mapping.
fn is_mapping(root: &Node, problems: &Problems) -> bool {
    if matches!(root.kind, Kind::Map(_)) {
        return true;
    }
    let start = root.span.start;
    let message = format!("expected a mapping, found {}", root.describe());
    let problem = Problem::error(Span { start, end: start }, message);
    problems.add(problem.hint(format!("start with `apiVersion: {}`", api::CURRENT)));
    false
}

/// Tells all problems.
fn failed(problems: Problems, text: &Text, root: &Node, mut secrets: Vec<Span>) -> Diagnostics {
    if secrets.is_empty() {
        secrets = secret::spans(root);
    }
    let (found, hidden) = problems.finish();
    secrets.extend(hidden);
    let errors = found
        .into_iter()
        .filter(|problem| problem.severity == Severity::Error)
        .collect();
    tell(errors, text, &secrets)
}

/// The name of a cluster that has none.
const DEFAULT_NAME: &str = "launchpad-mke";

/// Reads the whole document.
fn document(root: &Value<'_>) -> Option<Draft> {
    let mut fields = root.fields(&schema::DOCUMENT)?;
    // Both were read before variables of the environment were put in.
    let _ = (fields.given("apiVersion"), fields.given("kind"));
    let name = fields.given("metadata").and_then(|value| metadata(&value));
    let spec = fields.require(
        "spec",
        "describe the cluster with `spec.hosts`, `spec.mcr` and `spec.mke`",
    );
    let draft = spec.and_then(|value| self::spec(&value));
    fields.finish();
    let name = name.unwrap_or_else(|| DEFAULT_NAME.to_owned());
    draft.map(|draft| Draft { name, ..draft })
}

fn metadata(value: &Value<'_>) -> Option<String> {
    if value.is_null() {
        let problem = value.wrong("`metadata` is empty");
        value.add(problem.hint("remove it, or set `metadata.name`"));
        return None;
    }
    let mut fields = value.fields(&schema::METADATA)?;
    let name = fields.take("name");
    fields.finish();
    let name = name?;
    let text = name.text()?;
    if let Some(why) = unsafe_name(&text) {
        let problem = name.wrong(format!("{} cannot name a cluster: {why}", name.shown()));
        name.add(problem.hint("use letters, digits, `-`, `_` and `.`"));
        return None;
    }
    Some(text)
}

/// The name becomes a directory: says why it cannot.
fn unsafe_name(name: &str) -> Option<&'static str> {
    let is_bad = |c: char| c.is_control() || "/\\:*?\"<>|".contains(c);
    match name {
        "" => Some("it is empty"),
        "." | ".." => Some("it is a directory of its own"),
        _ if name.contains(['/', '\\']) => Some("it is a path"),
        _ if name.contains(is_bad) => Some("it has characters that file names cannot have"),
        _ if name.len() > 128 => Some("it is longer than 128 bytes"),
        _ if name.trim() != name || name.ends_with('.') => Some("of its first or last character"),
        _ => None,
    }
}

fn spec(value: &Value<'_>) -> Option<Draft> {
    let mut fields = value.fields(&schema::SPEC)?;
    let (hosts, has_all_hosts) = hosts(&mut fields);
    let mcr = block(
        &mut fields,
        "mcr",
        "set `spec.mcr.channel`, as in `stable-25.0`",
        mcr::decode,
    );
    let mke = block(
        &mut fields,
        "mke",
        "set `spec.mke.version`, as in `3.8.10`",
        mke::decode,
    );
    let msr = fields.take("msr");
    let has_msr = msr.is_some();
    let msr = msr.and_then(|value| msr::decode(&value));
    let cluster = fields.take("cluster").and_then(|value| cluster(&value));
    fields.finish();
    Some(Draft {
        name: String::new(),
        hosts,
        has_all_hosts,
        mcr,
        mke,
        msr,
        has_msr,
        cluster: cluster.unwrap_or_default(),
    })
}

fn block<T>(
    fields: &mut Fields<'_>,
    key: &'static str,
    hint: &str,
    decode: fn(&Value<'_>) -> Option<T>,
) -> Option<T> {
    fields.require(key, hint).and_then(|value| decode(&value))
}

fn hosts(fields: &mut Fields<'_>) -> (Vec<Host>, bool) {
    let Some(list) = fields.require("hosts", "add at least one host with the role `manager`")
    else {
        return (Vec::new(), false);
    };
    if list.is_scalar() {
        list.list();
        return (Vec::new(), false);
    }
    let items = list.list();
    let decoded = items.iter().enumerate();
    let found: Vec<Host> = decoded
        .filter_map(|(index, value)| host::decode(value, index))
        .collect();
    let has_all = found.len() == items.len();
    (found, has_all)
}

fn cluster(value: &Value<'_>) -> Option<Cluster> {
    let mut fields = value.fields(&schema::CLUSTER)?;
    let prune = fields.switch("prune");
    fields.finish();
    Some(Cluster { prune })
}
