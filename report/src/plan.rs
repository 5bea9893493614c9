//! Plans for people and for programs.
//!
//! # JSON
//!
//! [`to_json`] returns an object with these keys; keys may be added, none is removed or changes
//! its meaning while `schema` stays the same.
//!
//! | key | holds |
//! |---|---|
//! | `schema` | `1` |
//! | `changes` | whether the plan changes anything (hooks of the user do not count) |
//! | `summary.hosts` | number of hosts that change |
//! | `summary.steps` | number of steps that change something |
//! | `summary.hooks` | number of steps that change nothing of the cluster |
//! | `summary.restart`, `.reboot`, `.destroy` | number of hosts with such a step |
//! | `steps[]` | in the order they would be carried out |
//! | `steps[].phase`, `.title` | id and title of the phase |
//! | `steps[].host` | name of the host |
//! | `steps[].what`, `.why` | what is done and why, as phrases |
//! | `steps[].disruption` | `none`, `live`, `restart`, `reboot` or `destroy` |
//! | `steps[].change` | the typed change of the phase |
//! | `steps[].predicts[]` | `fact`, `from`, `to`; `to` is `(known after apply)` where only the run can tell |
//! | `skipped[]` | phases with nothing to do: `phase`, `title`, `reason` |

use std::collections::BTreeSet;
use std::fmt;

use phase::plan::Prediction;
use phase::{Disruption, PlanReport, PlannedStep};
use serde_json::{Value, json};

use crate::errors::name_hosts;
use crate::fold::Titles;
use crate::plain::count;
use crate::printable::{fit, printable};
use crate::style::{Style, Tone};

/// How much of a value is shown.
const VALUE_COLUMNS: usize = 60;

/// What the steps of a plan are put together by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum By {
    /// By phase, in the order of the run; equal steps of many hosts are one.
    #[default]
    Phase,
    /// By host, in the order of the configuration.
    Host,
}

/// What a plan comes down to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Hosts that change.
    pub hosts: usize,
    /// Steps that change something.
    pub steps: usize,
    /// Steps that change nothing of the cluster: hooks of the user.
    pub hooks: usize,
    /// Hosts whose engine or containers restart.
    pub restart: usize,
    /// Hosts that reboot.
    pub reboot: usize,
    /// Hosts that lose software or data.
    pub destroy: usize,
}

impl Summary {
    /// Counts what a plan does.
    pub fn of(plan: &PlanReport) -> Self {
        let changing = || {
            plan.steps
                .iter()
                .filter(|step| step.disruption > Disruption::None)
        };
        let hosts_with = |wanted: Disruption| {
            let hosts: BTreeSet<&str> = changing()
                .filter(|step| step.disruption == wanted)
                .map(|step| step.host.as_str())
                .collect();
            hosts.len()
        };
        let hosts: BTreeSet<&str> = changing().map(|step| step.host.as_str()).collect();
        let steps = changing().count();
        Self {
            hosts: hosts.len(),
            steps,
            hooks: plan
                .steps
                .iter()
                .filter(|step| step.phase.ends_with("-hooks"))
                .count(),
            restart: hosts_with(Disruption::Restart),
            reboot: hosts_with(Disruption::Reboot),
            destroy: hosts_with(Disruption::Destroy),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hooks = match self.hooks {
            0 => String::new(),
            1 => "; 1 hook runs".to_owned(),
            hooks => format!("; {hooks} hooks run"),
        };
        if self.steps == 0 {
            return write!(f, "nothing to do{hooks}");
        }
        let verb = |hosts: usize, one: &str, many: &str| match hosts {
            1 => format!("1 {one}"),
            hosts => format!("{hosts} {many}"),
        };
        let mut parts = vec![verb(self.hosts, "host changes", "hosts change")];
        parts[0].push_str(&format!(" ({})", count(self.steps, "step")));
        let effects = [
            (self.restart, "restarts its engine", "restart their engine"),
            (self.reboot, "reboots", "reboot"),
            (
                self.destroy,
                "loses software or data",
                "lose software or data",
            ),
        ];
        let effects = effects.into_iter().filter(|(hosts, ..)| *hosts > 0);
        parts.extend(effects.map(|(hosts, one, many)| verb(hosts, one, many)));
        write!(f, "{}{hooks}", parts.join(", "))
    }
}

/// Returns a plan as text, with a summary at its end.
pub fn text(plan: &PlanReport, by: By, titles: &Titles, style: Style) -> String {
    let mut lines = match by {
        By::Phase => by_phase(plan, titles, style),
        By::Host => by_host(plan, titles, style),
    };
    let summary = Summary::of(plan).to_string();
    let mut chars = summary.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    let summary: String = first.into_iter().chain(chars).collect();
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines.push(style.paint(Tone::Title, &format!("{summary}.")));
    lines.join("\n") + "\n"
}

/// Returns a plan as JSON; see the front page of this module.
pub fn to_json(plan: &PlanReport, titles: &Titles) -> Value {
    let summary = Summary::of(plan);
    let step = |step: &PlannedStep| {
        json!({
            "phase": step.phase,
            "title": titles.of(&step.phase),
            "host": step.host,
            "what": step.what,
            "why": step.why,
            "disruption": step.disruption,
            "change": step.change,
            "predicts": step.predicts,
        })
    };
    let skipped = |skipped: &phase::plan::SkippedPhase| {
        json!({
            "phase": skipped.phase,
            "title": titles.of(&skipped.phase),
            "reason": skipped.reason,
        })
    };
    json!({
        "schema": 1,
        "changes": plan.has_changes(),
        "summary": {
            "hosts": summary.hosts,
            "steps": summary.steps,
            "hooks": summary.hooks,
            "restart": summary.restart,
            "reboot": summary.reboot,
            "destroy": summary.destroy,
        },
        "steps": plan.steps.iter().map(step).collect::<Vec<_>>(),
        "skipped": plan.skipped.iter().map(skipped).collect::<Vec<_>>(),
    })
}

fn by_phase(plan: &PlanReport, titles: &Titles, style: Style) -> Vec<String> {
    let mut lines = Vec::new();
    for phase in unique(plan.steps.iter().map(|step| step.phase.as_str())) {
        lines.push(style.paint(Tone::Title, &printable(titles.of(phase))));
        let steps = || plan.steps.iter().filter(|step| step.phase == phase);
        for (step, hosts) in merged(steps()) {
            lines.push(format!("  {}: {}", name_hosts(&hosts), what(step, style)));
            lines.extend(details(step));
        }
    }
    lines
}

fn by_host(plan: &PlanReport, titles: &Titles, style: Style) -> Vec<String> {
    let mut lines = Vec::new();
    for host in unique(plan.steps.iter().map(|step| step.host.as_str())) {
        lines.push(style.paint(Tone::Title, &printable(host)));
        for step in plan.steps.iter().filter(|step| step.host == host) {
            let title = printable(titles.of(&step.phase));
            lines.push(format!("  {title}: {}", what(step, style)));
            lines.extend(details(step));
        }
    }
    lines
}

fn what(step: &PlannedStep, style: Style) -> String {
    let tone = match step.disruption {
        Disruption::None | Disruption::Live => Tone::Faint,
        Disruption::Restart | Disruption::Reboot => Tone::Warn,
        Disruption::Destroy => Tone::Bad,
    };
    let disruption = style.paint(tone, &format!("[{}]", step.disruption));
    format!("{} {disruption}", printable(&step.what))
}

fn details(step: &PlannedStep) -> Vec<String> {
    let mut lines = vec![format!("    why: {}", printable(&step.why))];
    lines.extend(step.predicts.iter().map(prediction));
    lines
}

fn prediction(prediction: &Prediction) -> String {
    let fact = printable(&prediction.fact);
    let (from, to) = (value(&prediction.from), value(&prediction.to));
    format!("    {fact}: {from} -> {to}")
}

fn value(value: &Value) -> String {
    let text = match value {
        Value::Null => "none".to_owned(),
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    fit(&printable(&text), VALUE_COLUMNS).into_owned()
}

fn unique<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    names.filter(|name| seen.insert(*name)).collect()
}

/// Puts steps that differ only in their host together.
fn merged<'a>(
    steps: impl Iterator<Item = &'a PlannedStep>,
) -> Vec<(&'a PlannedStep, Vec<&'a str>)> {
    let mut groups: Vec<(&PlannedStep, Vec<&str>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for step in steps {
        let predicts = serde_json::to_string(&step.predicts).unwrap_or_default();
        let likeness = (&step.what, &step.why, step.disruption, predicts);
        let place = *places.entry(likeness).or_insert_with(|| {
            groups.push((step, Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(&step.host);
    }
    groups
}
