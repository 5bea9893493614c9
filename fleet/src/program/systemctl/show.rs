//! What `systemctl` tells of single units.

use std::fmt::Write as _;

use super::{Invocation, Wishes, expand, unit};
use crate::program::clock;
use crate::systemd::{self, Active, Behaviour, Load, Unit, UnitState, full_name};

/// The properties that are told, in the order of `systemctl show`. Another one is refused loudly.
const PROPERTIES: [&str; 22] = [
    "Type",
    "Restart",
    "MainPID",
    "Result",
    "NRestarts",
    "ExecMainStartTimestampMonotonic",
    "ExecMainStatus",
    "Environment",
    "Id",
    "Names",
    "Requires",
    "Wants",
    "Description",
    "LoadState",
    "ActiveState",
    "SubState",
    "FragmentPath",
    "DropInPaths",
    "UnitFileState",
    "UnitFilePreset",
    "ActiveEnterTimestamp",
    "NeedDaemonReload",
];

/// Those that only services have.
const OF_SERVICES: [&str; 6] = [
    "Type",
    "Restart",
    "MainPID",
    "NRestarts",
    "ExecMainStartTimestampMonotonic",
    "ExecMainStatus",
];

pub(super) fn is_in_state(invocation: &mut Invocation, verb: &str, wishes: &Wishes) -> u8 {
    let mut is_any = false;
    let mut last = Active::Inactive;
    for name in expand(invocation, &wishes.names) {
        let known = unit(invocation, &name);
        let state = invocation.host(|host| host.systemd.state(&known.name));
        last = state.active;
        is_any |= match verb {
            "is-active" => state.active == Active::Active,
            _ => state.active == Active::Failed,
        };
        if !wishes.is_quiet {
            invocation.print(&format!("{}\n", state.active.word()));
        }
    }
    match (is_any, verb, last) {
        (true, ..) => 0,
        (false, "is-active", _) => 3,
        (false, ..) => 1,
    }
}

pub(super) fn is_enabled(invocation: &mut Invocation, wishes: &Wishes) -> u8 {
    let mut is_any = false;
    for name in &wishes.names {
        let state = invocation.host(|host| systemd::file_state(&host.files, name));
        match state {
            Some(state) => {
                is_any |= ["enabled", "static", "alias", "enabled-runtime"].contains(&state);
                if !wishes.is_quiet {
                    invocation.print(&format!("{state}\n"));
                }
            }
            None => {
                let name = full_name(name);
                invocation.complain(&format!(
                    "Failed to get unit file state for {name}: No such file or directory\n"
                ));
            }
        }
    }
    u8::from(!is_any)
}

pub(super) fn show(invocation: &mut Invocation, wishes: &Wishes) -> u8 {
    let unknown = wishes.properties.iter();
    let mut unknown = unknown.filter(|name| !PROPERTIES.contains(&name.as_str()));
    if let Some(name) = unknown.next() {
        let what = format!("property {name}");
        return invocation.not_simulated(&what);
    }
    if wishes.properties.is_empty() {
        return invocation.not_simulated("show without -p");
    }
    for (index, name) in expand(invocation, &wishes.names).iter().enumerate() {
        if index > 0 {
            invocation.print("\n");
        }
        let known = unit(invocation, name);
        for property in PROPERTIES {
            if !wishes.properties.iter().any(|one| one == property) {
                continue;
            }
            let is_service = known.name.ends_with(".service");
            if !is_service && OF_SERVICES.contains(&property) {
                continue;
            }
            let value = property_of(invocation, &known, property);
            if wishes.only_value {
                invocation.print(&format!("{value}\n"));
            } else {
                invocation.print(&format!("{property}={value}\n"));
            }
        }
    }
    0
}

fn property_of(invocation: &Invocation, unit: &Unit, property: &str) -> String {
    let name = &unit.name;
    let state = invocation.host(|host| host.systemd.state(name));
    // Nothing is remembered of a unit that is gone and does not run.
    let is_gone = unit.load == Load::NotFound && state.active == Active::Inactive;
    let state = if is_gone { UnitState::default() } else { state };
    let own = |key: &str, other: &str| unit.value("Service", key).unwrap_or(other).to_owned();
    match property {
        "Type" => own("Type", "simple"),
        "Restart" => own("Restart", "no"),
        "MainPID" => state.main_pid.to_string(),
        "Result" => state.result.to_owned(),
        "NRestarts" => state.restarts.to_string(),
        "ExecMainStatus" => state.exit_status.to_string(),
        "ExecMainStartTimestampMonotonic" => state.started.to_string(),
        "Environment" => {
            let pairs = unit.environment().into_iter();
            let words = pairs.map(|(name, value)| format!("{name}={value}"));
            words.collect::<Vec<_>>().join(" ")
        }
        "Id" | "Names" => name.clone(),
        "Requires" | "Wants" => unit.values("Unit", property).join(" "),
        "Description" => unit.description().to_owned(),
        "LoadState" => unit.load.word().to_owned(),
        "ActiveState" => state.active.word().to_owned(),
        "SubState" => state.sub.to_owned(),
        "FragmentPath" => unit.fragment.clone().unwrap_or_default(),
        "DropInPaths" => unit.drop_ins.join(" "),
        "UnitFileState" => {
            let file = invocation.host(|host| systemd::file_state(&host.files, name));
            file.unwrap_or_default().to_owned()
        }
        "UnitFilePreset" if unit.load == Load::Loaded => "enabled".to_owned(),
        "ActiveEnterTimestamp" if state.is_active() => clock::systemd(state.since),
        "NeedDaemonReload" => {
            let needs = invocation.host(|host| host.systemd.needs_reload(&host.files, name));
            if needs { "yes" } else { "no" }.to_owned()
        }
        _ => String::new(),
    }
}

pub(super) fn cat(invocation: &mut Invocation, wishes: &Wishes) -> u8 {
    let mut status = 0;
    for name in &wishes.names {
        let unit = invocation.host(|host| systemd::Systemd::on_disk(&host.files, name));
        let paths = unit.fragment.iter().chain(&unit.drop_ins);
        let paths: Vec<String> = paths.cloned().collect();
        if paths.is_empty() {
            invocation.complain(&format!("No files found for {}.\n", full_name(name)));
            status = 1;
        }
        for (index, path) in paths.iter().enumerate() {
            let text = invocation
                .host(|host| host.files.text(path))
                .unwrap_or_default();
            let gap = if index > 0 { "\n" } else { "" };
            invocation.print(&format!("{gap}# {path}\n{text}"));
        }
    }
    status
}

pub(super) fn status(invocation: &mut Invocation, wishes: &Wishes) -> u8 {
    if wishes.names.is_empty() {
        return invocation.not_simulated("status without a unit");
    }
    let mut status = 0;
    for (index, name) in expand(invocation, &wishes.names).iter().enumerate() {
        let known = unit(invocation, name);
        if known.load == Load::NotFound {
            let name = full_name(name);
            invocation.complain(&format!("Unit {name} could not be found.\n"));
            status = 4;
            continue;
        }
        if index > 0 {
            invocation.print("\n");
        }
        let state = invocation.host(|host| host.systemd.state(&known.name));
        let text = describe(invocation, &known, &state);
        invocation.print(&text);
        if !state.is_active() && status == 0 {
            status = 3;
        }
    }
    status
}

fn describe(invocation: &Invocation, unit: &Unit, state: &UnitState) -> String {
    let name = &unit.name;
    let dot = match state.active {
        Active::Active => '●',
        Active::Failed => '×',
        _ => '○',
    };
    let mut text = format!("{dot} {name} - {}\n", unit.description());
    let path = unit.fragment.clone().unwrap_or_default();
    let file = invocation.host(|host| systemd::file_state(&host.files, name));
    let file = file.unwrap_or("static");
    let loaded = match (unit.load, file) {
        (Load::Masked, _) => format!("masked (Reason: Unit {name} is masked.)"),
        (_, "static") => format!("loaded ({path}; static)"),
        (_, file) => format!("loaded ({path}; {file}; preset: enabled)"),
    };
    // Writing to a string cannot fail.
    let _ = writeln!(text, "     Loaded: {loaded}");
    for (index, drop_in) in unit.drop_ins.iter().enumerate() {
        let (directory, file) = crate::files::split(drop_in);
        if index == 0 {
            let _ = writeln!(text, "    Drop-In: {directory}");
        }
        let branch = if index + 1 == unit.drop_ins.len() {
            "└─"
        } else {
            "├─"
        };
        let _ = writeln!(text, "             {branch}{file}");
    }
    let now = invocation.now().as_secs();
    let since = format!(
        " since {}; {} ago",
        clock::systemd(state.since),
        clock::ago(now.saturating_sub(state.since))
    );
    let active = match state.active {
        Active::Active => format!("active ({}){since}", state.sub),
        Active::Failed => format!("failed (Result: {}){since}", state.result),
        Active::Inactive if state.since > 0 => format!("inactive (dead){since}"),
        other => format!("{} ({})", other.word(), state.sub),
    };
    let _ = writeln!(text, "     Active: {active}");
    let socket = name.replace(".service", ".socket");
    if socket != *name && invocation.host(|host| host.systemd.states.contains_key(&socket)) {
        let _ = writeln!(text, "TriggeredBy: ● {socket}");
    }
    for (index, page) in unit.values("Unit", "Documentation").iter().enumerate() {
        let label = if index == 0 {
            "       Docs: "
        } else {
            "             "
        };
        let _ = writeln!(text, "{label}{page}");
    }
    if state.main_pid > 0 {
        let program = match unit.behaviour() {
            Behaviour::Engine => "dockerd".to_owned(),
            Behaviour::Containerd => "containerd".to_owned(),
            Behaviour::Daemon(name) => name,
            Behaviour::OneShot(_) | Behaviour::Passive => String::new(),
        };
        let _ = writeln!(text, "   Main PID: {} ({program})", state.main_pid);
    }
    let lines = super::super::journalctl::lines(invocation, Some(name), Some(10));
    if !lines.is_empty() {
        let _ = write!(text, "\n{lines}");
    }
    text
}
