//! `rpm --eval`: macros of rpm, and those of files on the host.

use std::collections::BTreeMap;

use crate::files::Credentials;
use crate::program::Invocation;

/// Macros that rpm itself brings; `_arch` and `_dbpath` come from the host.
const OWN: &[(&str, &str)] = &[
    ("_prefix", "/usr"),
    ("_exec_prefix", "%{_prefix}"),
    ("_bindir", "%{_exec_prefix}/bin"),
    ("_sbindir", "%{_exec_prefix}/sbin"),
    ("_libexecdir", "%{_exec_prefix}/libexec"),
    ("_datadir", "%{_prefix}/share"),
    ("_sysconfdir", "/etc"),
    ("_localstatedir", "/var"),
    ("_sharedstatedir", "/var/lib"),
    ("_lib", "lib64"),
    ("_libdir", "%{_exec_prefix}/%{_lib}"),
    ("_mandir", "%{_datadir}/man"),
    ("_rundir", "/run"),
    ("_tmppath", "%{_var}/tmp"),
    ("_var", "/var"),
    ("_os", "linux"),
    ("_target_os", "linux"),
    ("_unitdir", "/usr/lib/systemd/system"),
];

/// How deep macros may name each other.
const DEPTH: u8 = 16;

pub(super) fn evaluate(invocation: &mut Invocation, expression: &str) -> u8 {
    let macros = known(invocation);
    match expand(&macros, expression, DEPTH) {
        Ok(text) => {
            invocation.print(&format!("{text}\n"));
            0
        }
        Err(what) => invocation.not_simulated(&format!("the macro {what}")),
    }
}

/// Reads all macros of a host; what comes later wins.
fn known(invocation: &Invocation) -> BTreeMap<String, String> {
    let mut macros: BTreeMap<String, String> = OWN
        .iter()
        .map(|(name, body)| ((*name).to_owned(), (*body).to_owned()))
        .collect();
    let machine = invocation.host(|host| host.hardware.machine.clone());
    let base = invocation.host(|host| {
        let is_new = host.files.exists("/usr/lib/sysimage/rpm");
        let path = if is_new {
            "/usr/lib/sysimage/rpm"
        } else {
            "/var/lib/rpm"
        };
        path.to_owned()
    });
    for name in ["_arch", "_target_cpu", "_host_cpu", "_build_arch"] {
        macros.insert(name.to_owned(), machine.clone());
    }
    macros.insert("_dbpath".to_owned(), base);
    let root = Credentials::root();
    let texts = invocation.host(|host| {
        let directory = "/usr/lib/rpm/macros.d";
        let names = host.files.list(directory, &root).unwrap_or_default();
        let mut paths: Vec<String> = names
            .iter()
            .map(|one| format!("{directory}/{one}"))
            .collect();
        paths.push("/etc/rpm/macros".to_owned());
        let read = |path: &String| host.files.text(path);
        paths.iter().filter_map(read).collect::<Vec<String>>()
    });
    for line in texts.iter().flat_map(|text| text.lines()) {
        let Some(rest) = line.trim().strip_prefix('%') else {
            continue;
        };
        let (name, body) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        macros.insert(name.to_owned(), body.trim().to_owned());
    }
    macros
}

/// Expands a text; what is no macro stays as it is.
fn expand(macros: &BTreeMap<String, String>, text: &str, depth: u8) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        if rest.starts_with('(') {
            return Err("%(...)".to_owned());
        }
        let (inner, after, is_braced) = match rest.strip_prefix('{') {
            Some(inside) => match closing(inside) {
                Some(end) => (&inside[..end], &inside[end + 1..], true),
                None => return Err(format!("%{rest}")),
            },
            None => {
                let is_part =
                    |letter: char| letter.is_ascii_alphanumeric() || "_?!".contains(letter);
                let end = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
                (&rest[..end], &rest[end..], false)
            }
        };
        rest = after;
        out.push_str(&one(macros, inner, is_braced, depth)?);
    }
    out.push_str(rest);
    Ok(out)
}

/// Expands what stands in one `%{...}`.
fn one(
    macros: &BTreeMap<String, String>,
    inner: &str,
    is_braced: bool,
    depth: u8,
) -> Result<String, String> {
    let name = inner.trim_start_matches(['?', '!']);
    let marks = &inner[..inner.len() - name.len()];
    let (name, body) = match name.split_once(':') {
        Some((name, body)) => (name, Some(body)),
        None => (name, None),
    };
    if body.is_some() && marks.is_empty() {
        return Err(format!("%{{{inner}}}"));
    }
    let value = macros.get(name);
    if marks.is_empty() {
        return match value {
            None if is_braced => Ok(format!("%{{{inner}}}")),
            None => Ok(format!("%{inner}")),
            Some(_) if depth == 0 => Err(format!("%{{{inner}}}, which names itself")),
            Some(value) => expand(macros, value, depth - 1),
        };
    }
    let wants_missing = marks.contains('!');
    if wants_missing == value.is_some() {
        return Ok(String::new());
    }
    match (body, value) {
        (Some(body), _) => expand(macros, body, depth.saturating_sub(1)),
        (None, Some(value)) => expand(macros, value, depth.saturating_sub(1)),
        (None, None) => Ok(String::new()),
    }
}

fn closing(text: &str) -> Option<usize> {
    let mut depth = 1;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}
