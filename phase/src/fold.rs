//! The whole plan, worked out over predicted facts: what `plan` prints and `apply` announces.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::{Assembly, Domain, HostId, HostView, Roster};
use crate::erased::AnyStep;
use crate::phases::{Kind, Phase};
use crate::plan::{Plan, PlanReport, PlannedStep, SkippedPhase, differences};

/// Plans every phase of `list` in order, each over the facts that the ones before it predict.
pub fn fold<D: Domain>(
    list: &[Phase<D>],
    shared: &Arc<D::Shared>,
    roster: &Roster,
    facts: &BTreeMap<HostId, D::Facts>,
    cluster: &D::Cluster,
) -> PlanReport {
    let mut facts = facts.clone();
    let mut cluster = cluster.clone();
    let mut report = PlanReport::default();
    for phase in list {
        let (steps, reason) = match &phase.kind {
            Kind::Host(host_phase) => {
                let mut steps = Vec::new();
                let mut reason = None;
                for (&host, facts) in &mut facts {
                    let view = HostView {
                        shared: shared.as_ref(),
                        cluster: &cluster,
                        host,
                        facts,
                    };
                    match host_phase.plan(&view) {
                        Plan::Skip(why) => reason = reason.or(Some(why)),
                        Plan::Steps(planned) => {
                            for step in planned {
                                let before = facts.clone();
                                let view = HostView {
                                    shared: shared.as_ref(),
                                    cluster: &cluster,
                                    host,
                                    facts: &before,
                                };
                                host_phase.predict(&view, &step.change, facts);
                                steps.push(describe::<D>(
                                    phase.id(),
                                    roster,
                                    &step,
                                    &before,
                                    facts,
                                ));
                            }
                        }
                    }
                }
                (steps, reason)
            }
            Kind::Meeting(meeting) => {
                let invited = meeting.invites(shared, &cluster);
                let hosts = invited
                    .iter()
                    .filter_map(|host| facts.get(host).map(|known| (*host, known.clone())))
                    .collect();
                let mut assembly = Assembly {
                    shared: Arc::clone(shared),
                    cluster: cluster.clone(),
                    hosts,
                };
                let mut steps = Vec::new();
                let mut reason = None;
                match meeting.plan(&assembly) {
                    Plan::Skip(why) => reason = Some(why),
                    Plan::Steps(planned) => {
                        for step in planned {
                            let before = assembly.hosts.get(&step.host).cloned();
                            meeting.predict(&step, &mut assembly);
                            let (before, after) =
                                (before.unwrap_or_default(), assembly.hosts.get(&step.host));
                            let after = after.cloned().unwrap_or_default();
                            steps.push(describe::<D>(phase.id(), roster, &step, &before, &after));
                        }
                    }
                }
                cluster = assembly.cluster;
                facts.extend(assembly.hosts);
                (steps, reason)
            }
        };
        if steps.is_empty() {
            let reason = reason.unwrap_or_else(|| "no host is concerned".to_owned());
            report.skipped.push(SkippedPhase {
                phase: phase.id().to_owned(),
                reason,
            });
        }
        report.steps.extend(steps);
    }
    report
}

/// Returns a step as data.
pub(crate) fn describe<D: Domain>(
    phase: &str,
    roster: &Roster,
    step: &AnyStep,
    before: &D::Facts,
    after: &D::Facts,
) -> PlannedStep {
    let value = |facts: &D::Facts| serde_json::to_value(facts).unwrap_or_default();
    PlannedStep {
        phase: phase.to_owned(),
        host: roster.name(step.host).to_owned(),
        what: step.change.what.clone(),
        why: step.why.clone(),
        disruption: step.disruption,
        change: step.change.value.clone(),
        predicts: differences(&value(before), &value(after)),
    }
}
