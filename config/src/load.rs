//! From a document to a configuration: parse, migrate, substitute, decode, validate.
//!
//! All problems of a document are collected; only what makes everything behind it meaningless ends
//! the way early.

use std::sync::Arc;

use crate::api::{self, Version};
use crate::code::Code;
use crate::config::{Cluster, Config, Document};
use crate::decode::{Context, Fields, Value};
use crate::diagnostic::{Diagnostic, Diagnostics, tell};
use crate::host::{self, Host};
use crate::mcr::{self, Mcr};
use crate::migration::{Paths, Purpose, migrate, warnings};
use crate::mke::{self, Mke};
use crate::msr::{self, Msr};
use crate::node::{Kind, Node};
use crate::parse::{Duplicates, Parsed, parse};
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
    let text = Text::decode(source).map_err(|problem| vec![*problem])?;
    let problems = Problems::default();
    let (mut root, version) = read(&text, &problems)?;
    let (mut paths, mut keeps_engine) = (None, false);
    let kind = match version {
        Version::Unknown => return Err(failed(problems, &text, &root, Vec::new())),
        Version::Current => {
            let kind = api::kind(&root, &problems);
            substitute(&mut root, &text, world, &problems);
            kind
        }
        Version::Older(form) => {
            let old = Paths::of(&root);
            if form.has_variables {
                substitute(&mut root, &text, world, &problems);
            }
            let place = root.field("apiVersion").map(|entry| entry.value.span);
            let place = place.unwrap_or_else(|| start_of(&root));
            let before = secret::spans(&root);
            before.into_iter().for_each(|span| problems.hide(span));
            let done = migrate(&mut root, form, Purpose::Load);
            keeps_engine = done.keeps_engine;
            for problem in warnings(&done.changes, form, &old, place) {
                problems.add(problem);
            }
            paths = Some(old);
            api::kind(&root, &problems)
        }
    };
    let ignores_unknown = matches!(version, Version::Older(form) if form.ignores_unknown);
    let secrets = secret::spans(&root);
    let draft = {
        let cx = Context::new(world, &problems, &secrets).ignoring_unknown(ignores_unknown);
        let draft = document(&Value::root(&cx, &root));
        draft.inspect(|draft| validate::check(draft, &root, &problems))
    };
    if matches!(version, Version::Older(form) if !form.has_variables) {
        let hint = "variables came with mke/v1.1: `launchpad migrate --write`, then put one here";
        problems.advise(Code::PlainPassword, hint);
    }
    if let Some(paths) = &paths {
        let new = Paths::of(&root);
        problems.call_as(|span| Some((new.at(span)?, paths.at(span)?)));
    }
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
    let Some((mut mcr, mke, kind, name, hosts, msr, cluster)) = complete else {
        return Err(failed(problems, &text, &root, secrets));
    };
    mcr.keeps_engine = keeps_engine;
    let findings = problems.finish();
    let hidden = [findings.hidden.as_slice(), &secrets].concat();
    let warnings = tell(findings, &text, &secrets).items;
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

/// Reads the tree of a document, as the releases did that knew its form.
pub(crate) fn read(text: &Text, problems: &Problems) -> Result<(Node, Version), Diagnostics> {
    let mut parsed = parsed(text, Duplicates::Refused)?;
    let is_map = matches!(parsed.root.kind, Kind::Map(_));
    let version = if is_map {
        api::version(&parsed.root, problems)
    } else {
        Version::Unknown
    };
    let has_duplicates = || {
        let mut problems = parsed.problems.iter();
        problems.any(|problem| problem.code == Code::DuplicateKey)
    };
    if matches!(version, Version::Older(_)) && has_duplicates() {
        // The first tree goes before the second one comes: both may be large.
        drop(parsed);
        parsed = self::parsed(text, Duplicates::LastCounts)?;
    }
    let Parsed {
        root,
        problems: found,
        dropped,
    } = parsed;
    found.into_iter().for_each(|problem| problems.add(problem));
    dropped.into_iter().for_each(|span| problems.hide(span));
    is_mapping(&root, problems);
    Ok((root, version))
}

fn parsed(text: &Text, duplicates: Duplicates) -> Result<Parsed, Diagnostics> {
    parse(text, duplicates).map_err(|problem| {
        let problems = Problems::default();
        problems.add(*problem);
        tell(problems.finish(), text, &[])
    })
}

fn start_of(root: &Node) -> Span {
    let start = root.span.start;
    Span { start, end: start }
}

/// Says what a document is, if it is no mapping.
fn is_mapping(root: &Node, problems: &Problems) {
    if matches!(root.kind, Kind::Map(_)) {
        return;
    }
    let start = root.span.start;
    let message = format!("expected a mapping, found {}", root.describe());
    let problem = Problem::error(Code::WrongType, Span { start, end: start }, message);
    problems.add(problem.hint(format!("start with `apiVersion: {}`", api::CURRENT)));
}

/// Tells all problems.
pub(crate) fn failed(
    problems: Problems,
    text: &Text,
    root: &Node,
    mut secrets: Vec<Span>,
) -> Diagnostics {
    if secrets.is_empty() {
        secrets = secret::spans(root);
    }
    tell(problems.finish(), text, &secrets)
}

/// The name of a cluster that has none.
const DEFAULT_NAME: &str = "launchpad-mke";

/// Reads the whole document.
pub(crate) fn document(root: &Value<'_>) -> Option<Draft> {
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
        let problem = value.wrong(Code::EmptyKey, "`metadata` is empty");
        value.add(problem.hint("remove it, or set `metadata.name`"));
        return None;
    }
    let mut fields = value.fields(&schema::METADATA)?;
    let name = fields.take("name");
    fields.finish();
    let name = name?;
    let text = name.text()?;
    if let Some(why) = unsafe_name(&text) {
        let message = format!("{} cannot name a cluster: {why}", name.shown());
        let problem = name.wrong(Code::ClusterName, message);
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
