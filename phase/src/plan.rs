//! Plans: what a phase will do to which host, why, and how disruptive it is.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::HostId;

/// What a phase has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan<C> {
    /// Nothing, for this reason: a full phrase ("MKE 3.8.8 is already installed").
    Skip(String),
    /// These steps, in this order.
    Steps(Vec<Step<C>>),
}

impl<C> Plan<C> {
    /// Returns a plan to do nothing.
    pub fn skip(reason: impl Into<String>) -> Self {
        Self::Skip(reason.into())
    }

    /// Returns a plan of one step.
    pub fn step(host: HostId, change: C, why: impl Into<String>, disruption: Disruption) -> Self {
        Self::Steps(vec![Step {
            host,
            change,
            why: why.into(),
            disruption,
        }])
    }

    /// Returns the steps, or a plan to skip for `reason` where there are none.
    pub fn steps_or_skip(steps: Vec<Step<C>>, reason: impl Into<String>) -> Self {
        if steps.is_empty() {
            Self::Skip(reason.into())
        } else {
            Self::Steps(steps)
        }
    }
}

/// One change of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step<C> {
    /// The host that is changed.
    pub host: HostId,
    /// What is done: a typed value of the phase; its `Display` is an imperative phrase.
    pub change: C,
    /// The reason, as a phrase ("the engine is not installed").
    pub why: String,
    /// How much it disturbs what runs on the host.
    pub disruption: Disruption,
}

/// How much a step disturbs what runs on a host, from least to most.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Disruption {
    /// Runs something that is not a change of the cluster (hooks of the user).
    #[default]
    None,
    /// Changes files, packages or records; nothing that runs notices.
    Live,
    /// Restarts the container engine of the host, or its containers.
    Restart,
    /// Reboots the host.
    Reboot,
    /// Removes software or data from the host.
    Destroy,
}

impl fmt::Display for Disruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::None => "none",
            Self::Live => "live",
            Self::Restart => "restart",
            Self::Reboot => "reboot",
            Self::Destroy => "destroy",
        })
    }
}

/// The text by which events and plans show a fact that only the run can tell.
pub const KNOWN_AFTER_APPLY: &str = "(known after apply)";

/// A fact that a prediction may be unable to name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known<T> {
    /// The fact is known.
    Is(T),
    /// The step that was planned will make it so, and only then can it be read.
    AfterApply,
}

impl<T> Known<T> {
    /// Returns the value if it is known.
    pub fn get(&self) -> Option<&T> {
        match self {
            Self::Is(value) => Some(value),
            Self::AfterApply => None,
        }
    }
}

impl<T: Default> Default for Known<T> {
    fn default() -> Self {
        Self::Is(T::default())
    }
}

impl<T: Serialize> Serialize for Known<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Is(value) => value.serialize(serializer),
            Self::AfterApply => serializer.serialize_str(KNOWN_AFTER_APPLY),
        }
    }
}

/// A step as data: what the plan shows, and what events carry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// Id of the phase (`install-mke`).
    pub phase: String,
    /// Name of the host that is changed.
    pub host: String,
    /// What is done, as an imperative phrase.
    pub what: String,
    /// The reason.
    pub why: String,
    /// How much it disturbs what runs on the host.
    pub disruption: Disruption,
    /// The typed change of the phase.
    pub change: serde_json::Value,
    /// The facts that this step leads to.
    pub predicts: Vec<Prediction>,
}

/// A fact of a host before and after a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prediction {
    /// Path of the fact (`engine.version`).
    pub fact: String,
    /// Its value when the plan was made.
    pub from: serde_json::Value,
    /// Its value after the step; [`KNOWN_AFTER_APPLY`] where only the run can tell.
    pub to: serde_json::Value,
}

/// A phase that has nothing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedPhase {
    /// Id of the phase.
    pub phase: String,
    /// The reason, as a full phrase; of the first host where it differs between hosts.
    pub reason: String,
}

/// The whole plan of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanReport {
    /// All steps, in the order of the phase list and of the hosts.
    pub steps: Vec<PlannedStep>,
    /// The phases with no step for any host.
    pub skipped: Vec<SkippedPhase>,
}

impl PlanReport {
    /// Returns whether the plan changes anything; hooks of the user do not count.
    pub fn has_changes(&self) -> bool {
        self.steps
            .iter()
            .any(|step| step.disruption > Disruption::None)
    }

    /// Returns the worst disruption that the plan names for a phase on a host.
    pub fn worst(&self, phase: &str, host: &str) -> Option<Disruption> {
        self.steps
            .iter()
            .filter(|step| step.phase == phase && step.host == host)
            .map(|step| step.disruption)
            .max()
    }
}

/// Returns where two serialised facts differ, leaf by leaf, in the order of their paths.
pub fn differences(before: &serde_json::Value, after: &serde_json::Value) -> Vec<Prediction> {
    let mut found = Vec::new();
    collect_differences("", before, after, &mut found);
    found
}

fn collect_differences(
    path: &str,
    before: &serde_json::Value,
    after: &serde_json::Value,
    found: &mut Vec<Prediction>,
) {
    use serde_json::Value;
    if before == after {
        return;
    }
    if let (Value::Object(old), Value::Object(new)) = (before, after) {
        let keys: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for key in keys {
            let nested = if path.is_empty() {
                key.clone()
            } else {
                format!("{path}.{key}")
            };
            let null = Value::Null;
            collect_differences(
                &nested,
                old.get(key).unwrap_or(&null),
                new.get(key).unwrap_or(&null),
                found,
            );
        }
        return;
    }
    found.push(Prediction {
        fact: path.to_owned(),
        from: before.clone(),
        to: after.clone(),
    });
}

/// Returns the promises that a step did not keep: `(fact, promised, seen)`.
///
/// Only what the prediction changed is compared; what it cannot know is taken as it is.
pub fn broken_promises(
    before: &serde_json::Value,
    promised: &serde_json::Value,
    seen: &serde_json::Value,
) -> Vec<(String, serde_json::Value, serde_json::Value)> {
    differences(before, promised)
        .into_iter()
        .filter(|prediction| !mentions_after_apply(&prediction.to))
        .filter_map(|prediction| {
            let now = at(seen, &prediction.fact);
            (now != prediction.to).then_some((prediction.fact, prediction.to, now))
        })
        .collect()
}

fn mentions_after_apply(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::String(text) => text == KNOWN_AFTER_APPLY,
        serde_json::Value::Array(items) => items.iter().any(mentions_after_apply),
        serde_json::Value::Object(map) => map.values().any(mentions_after_apply),
        _ => false,
    }
}

fn at(value: &serde_json::Value, path: &str) -> serde_json::Value {
    if path.is_empty() {
        return value.clone();
    }
    // Keys may hold dots themselves (`com.docker.ucp.SANs`): try the longest key first.
    if let serde_json::Value::Object(map) = value {
        if let Some(found) = map.get(path) {
            return found.clone();
        }
        for (index, _) in path.match_indices('.') {
            let (head, tail) = (&path[..index], &path[index + 1..]);
            if let Some(nested) = map.get(head) {
                let found = at(nested, tail);
                if !found.is_null() {
                    return found;
                }
            }
        }
    }
    serde_json::Value::Null
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_broken_promise_names_promised_and_seen() {
        let before = json!({"engine": {"version": null}, "labels": {"a.b": "1"}});
        let promised = json!({"engine": {"version": "25.0"}, "labels": {"a.b": "2"}});
        let seen = json!({"engine": {"version": "24.0"}, "labels": {"a.b": "2"}});

        let broken = broken_promises(&before, &promised, &seen);

        assert_eq!(
            broken,
            [("engine.version".to_owned(), json!("25.0"), json!("24.0"))]
        );
    }

    #[test]
    fn what_is_known_after_apply_is_no_promise() {
        let before = json!({"id": null});
        let promised = json!({"id": KNOWN_AFTER_APPLY});

        assert!(broken_promises(&before, &promised, &json!({"id": "x"})).is_empty());
    }

    #[test]
    fn hooks_are_not_changes() {
        let mut report = PlanReport::default();
        report.steps.push(PlannedStep {
            phase: "hooks".into(),
            host: "a".into(),
            what: "run".into(),
            why: "configured".into(),
            disruption: Disruption::None,
            change: json!(null),
            predicts: vec![],
        });

        assert!(!report.has_changes());
    }
}
