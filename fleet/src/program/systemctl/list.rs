//! Lists of units.

use super::{Invocation, Wishes};
use crate::systemd::{self, Active, DIRECTORIES};

struct Row {
    name: String,
    load: &'static str,
    active: Active,
    sub: &'static str,
    description: String,
}

pub(super) fn units(invocation: &mut Invocation, wishes: &Wishes) -> u8 {
    let mut rows = invocation.host(|host| {
        let read = host.systemd.read.values();
        let row = |unit: &std::sync::Arc<systemd::Unit>| {
            let state = host.systemd.state(&unit.name);
            Row {
                name: unit.name.clone(),
                load: unit.load.word(),
                active: state.active,
                sub: state.sub,
                description: unit.description().to_owned(),
            }
        };
        read.map(row).collect::<Vec<Row>>()
    });
    let kind = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    rows.retain(|row| {
        let is_kind = wishes.kinds.is_empty() || wishes.kinds.contains(&kind(&row.name));
        let is_state = wishes.states.is_empty()
            || wishes
                .states
                .iter()
                .any(|state| state == row.active.word() || state == row.sub);
        let is_shown = wishes.all || !wishes.states.is_empty() || row.active != Active::Inactive;
        let fits =
            |name: &String| crate::shell::pattern::fits(&systemd::full_name(name), &row.name);
        let is_named = wishes.names.is_empty() || wishes.names.iter().any(fits);
        is_kind && is_state && is_shown && is_named
    });
    rows.sort_by(|one, other| (kind(&one.name), &one.name).cmp(&(kind(&other.name), &other.name)));
    let text = table(&rows, wishes);
    invocation.print(&text);
    0
}

fn table(rows: &[Row], wishes: &Wishes) -> String {
    let width = |column: fn(&Row) -> usize, title: &str| {
        rows.iter().map(column).max().unwrap_or(0).max(title.len())
    };
    let name = width(|row| row.name.len(), "UNIT");
    let load = width(|row| row.load.len(), "LOAD");
    let active = width(|row| row.active.word().len(), "ACTIVE");
    let sub = width(|row| row.sub.len(), "SUB");
    let mut text = String::new();
    let indent = if wishes.plain { "" } else { "  " };
    if !wishes.no_legend && !rows.is_empty() {
        text = format!(
            "{indent}{:name$} {:load$} {:active$} {:sub$} DESCRIPTION\n",
            "UNIT", "LOAD", "ACTIVE", "SUB"
        );
    }
    for row in rows {
        let mark = match row.active {
            _ if wishes.plain => "",
            Active::Failed => "● ",
            _ => "  ",
        };
        let (word, description) = (row.active.word(), &row.description);
        text.push_str(&format!(
            "{mark}{:name$} {:load$} {word:active$} {:sub$} {description}\n",
            row.name, row.load, row.sub
        ));
    }
    if wishes.no_legend {
        return text;
    }
    if rows.is_empty() {
        return "0 loaded units listed.\n".to_owned();
    }
    text.push_str(&format!(
        "\nLOAD   = Reflects whether the unit definition was properly loaded.\n\
         ACTIVE = The high-level unit activation state, i.e. generalization of SUB.\n\
         SUB    = The low-level unit activation state, values depend on unit type.\n\
         {} loaded units listed.",
        rows.len()
    ));
    text.push_str(if wishes.all {
        "\n"
    } else {
        " Pass --all to see loaded but inactive units, too.\n"
    });
    text.push_str("To show all installed unit files use 'systemctl list-unit-files'.\n");
    text
}

pub(super) fn files(invocation: &mut Invocation, wishes: &Wishes) -> u8 {
    let root = crate::files::Credentials::root();
    let rows = invocation.host(|host| {
        let mut names: Vec<String> = Vec::new();
        for directory in DIRECTORIES {
            let listed = host.files.list(directory, &root).unwrap_or_default();
            names.extend(
                listed
                    .into_iter()
                    .filter(|name| systemd::full_name(name) == *name),
            );
        }
        names.sort();
        names.dedup();
        let fits = |name: &String| {
            let is_named = |wanted: &String| {
                let whole = match wanted.contains(['*', '?', '[']) {
                    true => wanted.clone(),
                    false => systemd::full_name(wanted),
                };
                crate::shell::pattern::fits(&whole, name)
            };
            wishes.names.is_empty() || wishes.names.iter().any(is_named)
        };
        names.retain(fits);
        let state = |name: &String| systemd::file_state(&host.files, name).unwrap_or("static");
        names
            .iter()
            .map(|name| (name.clone(), state(name)))
            .collect::<Vec<_>>()
    });
    let width = rows
        .iter()
        .map(|(name, _)| name.len())
        .max()
        .unwrap_or(0)
        .max(9);
    let mut text = String::new();
    if !wishes.no_legend {
        text = format!("{:width$} STATE   PRESET\n", "UNIT FILE");
    }
    for (name, state) in &rows {
        text.push_str(&format!("{name:width$} {state:8}enabled\n"));
    }
    if !wishes.no_legend {
        text.push_str(&format!("\n{} unit files listed.\n", rows.len()));
    }
    invocation.print(&text);
    0
}

/// `list-dependencies`: the unit and what it needs, each behind its names of those.
pub(super) fn dependencies(invocation: &mut Invocation, wishes: &Wishes) -> u8 {
    let Some(name) = wishes.names.first().filter(|_| wishes.plain) else {
        return invocation.not_simulated("list-dependencies without --plain and a unit");
    };
    let unit = super::unit(invocation, &crate::systemd::full_name(name));
    let mut needed = unit.values("Unit", "Wants");
    needed.extend(unit.values("Unit", "Requires"));
    needed.sort_by_key(|name| (name.ends_with(".target"), name.clone()));
    needed.dedup();
    let lines = needed.iter().map(|name| format!("  {name}\n"));
    invocation.print(&format!("{}\n{}", unit.name, lines.collect::<String>()));
    0
}

pub(super) fn is_running(invocation: &mut Invocation) -> u8 {
    let has_failed = invocation.host(|host| {
        let mut states = host.systemd.states.values();
        states.any(|state| state.active == Active::Failed)
    });
    invocation.print(if has_failed {
        "degraded\n"
    } else {
        "running\n"
    });
    u8::from(has_failed)
}
