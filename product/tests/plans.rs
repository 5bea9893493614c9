//! What `apply` and `reset` plan over facts as real hosts have printed them.
//!
//! The recordings are the output of the discovery script on hosts of the lab (Ubuntu 22.04, engine
//! 20.10.24, the stand-in of MKE 3.8.8), taken as the login user over SSH.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use config::Source;
use phase::fold::fold;
use phase::phases::Severity;
use phase::{Complaint, Disruption, Domain as _, Emitter, HostId, Manager, PlanReport, Roster};
use product::mke::MkeDomain;
use product::mke::cluster::Cluster;
use product::mke::connect::Connecting;
use product::mke::facts::Facts;
use product::mke::facts::parse::{ParseError, Question, parse};
use product::mke::shared::{Clock, Shared, Wishes};
use proptest::prelude::*;

const BARE: &str = include_str!("recorded/bare.txt");
const MANAGER: &str = include_str!("recorded/manager.txt");
const WORKER: &str = include_str!("recorded/worker.txt");
/// The mark with which the recordings were made.
const MARK: &str = "launchpad-recorded";

struct Nowhere;

#[async_trait]
impl rig::Connector for Nowhere {
    async fn connect(
        &self,
        _: &rig::Endpoint,
    ) -> Result<Arc<dyn rig::Connection>, rig::ConnectError> {
        panic!("a plan connects to nobody")
    }
}

/// An environment with nothing in it.
struct Empty;

impl config::World for Empty {
    fn var(&self, _: &str) -> Option<String> {
        None
    }
    fn home(&self) -> Option<PathBuf> {
        None
    }
    fn current_dir(&self) -> PathBuf {
        PathBuf::from("/")
    }
    fn read(&self, _: &Path) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

fn connecting() -> Connecting {
    Connecting {
        connector: Arc::new(Nowhere),
        emitter: Emitter::new(Vec::new()),
        redactor: rig::redact::Redactor::new(),
        limits: rig::limits::SharedLimits::default(),
        backoff: rig::retry::Backoff::default(),
        dry_run: true,
        confirm: None,
    }
}

/// The hosts of the recordings: two managers, of which the first leads, and a worker.
const HOSTS: [(&str, &str); 3] = [
    ("manager", "10.77.1.1"),
    ("manager", "10.77.1.2"),
    ("worker", "10.77.1.11"),
];

struct Case {
    hosts: [String; 3],
    mcr: &'static str,
    mke: &'static str,
    facts: Vec<Facts>,
}

impl Case {
    /// All hosts bare.
    fn bare() -> Self {
        let facts = HOSTS.iter().enumerate().map(|(index, (_, address))| {
            let text = BARE
                .replace("10.77.1.13", address)
                .replace("\nw3\n", &format!("\nh{index}\n"));
            read(&text, address)
        });
        Self::of(facts.collect())
    }

    /// The cluster as the first `apply` leaves it.
    fn installed() -> Self {
        let second = MANAGER
            .replace("10.77.1.1/", "10.77.1.2/")
            .replace("\nm1\n", "\nm2\n");
        let mut second = read(&second, HOSTS[1].1);
        let own = second.nodes.values().find(|node| node.hostname == "m2");
        assert!(own.is_some(), "the recording knows a second manager");
        let id = second.nodes.iter().find(|(_, node)| node.hostname == "m2");
        second.swarm.node_id = id.map(|(id, _)| phase::Known::Is(id.clone()));
        second.swarm.is_leader = false;
        Self::of(vec![
            read(MANAGER, HOSTS[0].1),
            second,
            read(WORKER, HOSTS[2].1),
        ])
    }

    fn of(facts: Vec<Facts>) -> Self {
        Self {
            hosts: [String::new(), String::new(), String::new()],
            mcr: "",
            mke: "",
            facts,
        }
    }

    fn shared(&self) -> Arc<Shared> {
        let hosts: String = HOSTS
            .iter()
            .zip(&self.hosts)
            .map(|((role, address), more)| {
                format!("  - role: {role}\n    ssh: {{address: {address}, user: lab}}\n{more}")
            })
            .collect();
        let (mcr, mke) = (self.mcr, self.mke);
        let text = format!(
            "apiVersion: launchpad.mirantis.com/mke/v1.6\nkind: mke\nspec:\n  hosts:\n{hosts}\
             \x20 mcr:\n    channel: stable-20.10\n{mcr}  mke:\n    version: 3.8.8\n    \
             adminUsername: admin\n    adminPassword: orcaorcaorca\n    installFlags: \
             [--san=10.77.1.1, --san=10.77.1.2]\n{mke}"
        );
        let source = Source {
            name: "launchpad.yaml".to_owned(),
            text: text.into_bytes(),
        };
        let loaded = config::load(source, &Empty).unwrap_or_else(|problems| panic!("{problems}"));
        let clock = Clock(Arc::new(|| 0.0));
        Arc::new(Shared::new(
            loaded.config,
            "run".to_owned(),
            Wishes::default(),
            clock,
        ))
    }

    fn cluster(&self, shared: &Shared) -> (BTreeMap<HostId, Facts>, Cluster) {
        let facts: BTreeMap<HostId, Facts> = self
            .facts
            .iter()
            .cloned()
            .enumerate()
            .map(|(index, facts)| (HostId(index), facts))
            .collect();
        let mut cluster = Cluster::default();
        MkeDomain::summarise(shared, &facts, &mut cluster);
        (facts, cluster)
    }

    fn plan_of(&self, manager: &Manager<MkeDomain>) -> PlanReport {
        let shared = self.shared();
        let (facts, cluster) = self.cluster(&shared);
        let roster = Roster::new(shared.names().iter().cloned());
        fold(&manager.list, &shared, &roster, &facts, &cluster)
    }

    fn plan(&self) -> PlanReport {
        self.plan_of(&product::mke::apply::apply(connecting()))
    }

    fn plan_reset(&self) -> PlanReport {
        self.plan_of(&product::mke::reset::reset(connecting()))
    }

    fn complaints(&self, manager: &Manager<MkeDomain>) -> Vec<Complaint> {
        let shared = self.shared();
        let (facts, cluster) = self.cluster(&shared);
        let checks = manager.checks.iter();
        checks
            .flat_map(|check| check.check(&shared, &cluster, &facts))
            .collect()
    }

    /// What the checks of `apply` call an error.
    fn errors(&self) -> Vec<String> {
        let complaints = self.complaints(&product::mke::apply::apply(connecting()));
        assert!(
            complaints.iter().all(|one| one.hint.is_some()),
            "{complaints:?}"
        );
        complaints
            .into_iter()
            .filter(|one| one.severity == Severity::Error)
            .map(|one| one.message)
            .collect()
    }
}

fn question(address: &str) -> Question<'_> {
    Question {
        mark: MARK,
        private_interface: None,
        address,
        now: 0.0,
        doubt: 0.0,
    }
}

fn read(text: &str, address: &str) -> Facts {
    let mut facts = parse(text, &question(address)).unwrap();
    // The hosts were recorded one after the other.
    facts.clock_skew_seconds = 0.0;
    facts
}

/// The steps as `phase host`, in their order.
fn steps(plan: &PlanReport) -> Vec<String> {
    plan.steps
        .iter()
        .map(|step| format!("{} {}", step.phase, step.host))
        .collect()
}

#[test]
fn bare_hosts_get_everything_in_order() {
    let plan = Case::bare().plan();

    assert_eq!(
        steps(&plan),
        [
            "prepare-hosts 10.77.1.1",
            "prepare-hosts 10.77.1.2",
            "prepare-hosts 10.77.1.11",
            "install-mcr 10.77.1.1",
            "install-mcr 10.77.1.2",
            "install-mcr 10.77.1.11",
            "list-mke-images 10.77.1.1",
            "pull-mke-images 10.77.1.1",
            "pull-mke-images 10.77.1.2",
            "init-swarm 10.77.1.1",
            "install-mke 10.77.1.1",
            "join-managers 10.77.1.2",
            "join-workers 10.77.1.11",
            "validate-mke-health 10.77.1.1",
            "label-nodes 10.77.1.1",
            "label-nodes 10.77.1.2",
            "label-nodes 10.77.1.11",
        ]
    );
    let worst = plan.steps.iter().map(|step| step.disruption).max();
    assert_eq!(worst, Some(Disruption::Live));
    assert_eq!(Case::bare().errors(), Vec::<String>::new());
}

#[test]
fn an_installed_cluster_needs_nothing() {
    let plan = Case::installed().plan();

    assert_eq!(steps(&plan), Vec::<String>::new());
    assert!(!plan.has_changes());
    assert_eq!(Case::installed().errors(), Vec::<String>::new());
}

#[test]
fn a_setting_of_one_engine_restarts_that_engine_only() {
    let mut case = Case::installed();
    case.hosts[2] = "    mcrConfig: {debug: true}\n".to_owned();

    let plan = case.plan();

    assert_eq!(
        steps(&plan),
        [
            "configure-mcr 10.77.1.11",
            "restart-mcr-on-workers 10.77.1.11"
        ]
    );
    assert_eq!(plan.steps[1].disruption, Disruption::Restart);
}

#[test]
fn the_leader_is_the_last_manager_to_be_disturbed() {
    let mut case = Case::installed();
    for host in &mut case.hosts[..2] {
        *host = "    mcrConfig: {debug: true}\n".to_owned();
    }

    let plan = case.plan();

    let restarts: Vec<&str> = plan
        .steps
        .iter()
        .filter(|step| step.phase == "restart-mcr")
        .map(|step| step.host.as_str())
        .collect();
    assert_eq!(restarts, ["10.77.1.2", "10.77.1.1"]);
}

#[test]
fn a_variable_that_is_ours_is_removed_when_it_is_no_longer_wanted() {
    let mut case = Case::installed();
    let facts = &mut case.facts[2];
    facts.texts.environment = Some("LANG=C\nNOTE=x\n".to_owned());
    facts
        .owned
        .environment
        .insert("NOTE".to_owned(), configurer::owned::hash("x"));

    let plan = case.plan();

    assert_eq!(steps(&plan), ["prepare-hosts 10.77.1.11"]);
    assert_eq!(plan.steps[0].what, "remove NOTE from /etc/environment");
}

#[test]
fn a_new_worker_joins_and_nobody_else_is_touched() {
    let mut case = Case::installed();
    let node = case.facts[2].node_id().unwrap().to_owned();
    for facts in &mut case.facts {
        facts.nodes.remove(&node);
    }
    let bare = BARE.replace("10.77.1.13", HOSTS[2].1);
    case.facts[2] = read(&bare, HOSTS[2].1);

    let plan = case.plan();

    assert_eq!(
        steps(&plan),
        [
            "prepare-hosts 10.77.1.11",
            "install-mcr 10.77.1.11",
            "join-workers 10.77.1.11",
            "label-nodes 10.77.1.11",
        ]
    );
}

#[test]
fn a_label_that_was_taken_off_is_put_back_with_one_step() {
    let mut case = Case::installed();
    for facts in &mut case.facts {
        for node in facts.nodes.values_mut() {
            if node.hostname == "m2" {
                node.labels.clear();
            }
        }
    }

    let plan = case.plan();

    assert_eq!(steps(&plan), ["label-nodes 10.77.1.2"]);
}

#[test]
fn an_engine_that_does_not_answer_is_restarted_and_mke_is_not_installed_again() {
    let text = without_engine(MANAGER);
    let mut case = Case::installed();
    case.facts[0] = read(&text, HOSTS[0].1);

    let plan = case.plan();

    let steps = steps(&plan);
    assert!(
        steps.contains(&"restart-mcr 10.77.1.1".to_owned()),
        "{steps:?}"
    );
    assert!(
        !steps.iter().any(|step| step.starts_with("install-")),
        "{steps:?}"
    );
    assert!(
        !steps.iter().any(|step| step.starts_with("init-")),
        "{steps:?}"
    );
}

#[test]
fn an_engine_that_hangs_is_restarted_and_nobody_is_told_to_stop_it() {
    let mut case = Case::installed();
    case.facts[2] = read(&without_engine(WORKER), HOSTS[2].1);
    assert!(case.facts[2].listening.contains(&7946), "dockerd listens");

    let errors = case.errors();

    assert!(errors.is_empty(), "{errors:?}");
    let plan = case.plan();
    let restart = format!("restart-mcr-on-workers {}", HOSTS[2].1);
    assert!(steps(&plan).contains(&restart), "{:?}", steps(&plan));
}

#[test]
fn managers_that_are_all_silent_stop_the_run() {
    let mut case = Case::installed();
    for (facts, (_, address)) in case.facts[..2].iter_mut().zip(HOSTS) {
        *facts = read(&without_engine(MANAGER), address);
    }

    let errors = case.errors();

    assert!(
        errors
            .iter()
            .any(|error| error.contains("no manager's engine answers")
                && error.contains("10.77.1.1: ")
                && error.contains("10.77.1.2: ")),
        "{errors:?}"
    );
    // They did not refuse, they ran into the limit: as in an election, which passes.
    let complaints = case.complaints(&product::mke::apply::apply(connecting()));
    let mut hints = complaints.iter().filter_map(|one| one.hint.as_deref());
    assert!(
        hints.any(|hint| hint.contains("electing a leader")),
        "{complaints:?}"
    );
    // The worker is a node of their swarm, whatever they say: it must not be told to leave it.
    assert!(
        !errors
            .iter()
            .any(|error| error.contains("that no manager belongs to")),
        "{errors:?}"
    );
}

/// The answer of a host whose engine hangs: `docker info` was ended at its limit.
fn without_engine(text: &str) -> String {
    let info = format!("{MARK} info 0\n");
    let (before, after) = text.split_once(&info).unwrap();
    let rest = format!("{MARK} end 0\n");
    assert!(after.ends_with(&rest));
    format!("{before}{MARK} info 124\n{rest}")
}

#[test]
fn parts_of_mke_are_no_mke() {
    let mut case = Case::installed();
    for facts in &mut case.facts {
        facts.mke.proxy_version = None;
    }

    let errors = case.errors();

    assert!(
        errors.iter().any(|error| error.contains("parts of MKE")),
        "{errors:?}"
    );
}

#[test]
fn a_worker_that_manages_a_swarm_of_its_own_is_told_to_leave_that() {
    let mut case = Case::installed();
    let swarm = &mut case.facts[2].swarm;
    swarm.cluster_id = Some(phase::Known::Is("other".to_owned()));
    swarm.node_id = Some(phase::Known::Is("stranger".to_owned()));
    (swarm.is_manager, swarm.is_leader) = (true, true);

    let complaints = case.complaints(&product::mke::apply::apply(connecting()));

    let told: Vec<_> = complaints
        .iter()
        .filter(|one| one.message.contains("swarm"))
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].host, Some(HostId(2)), "{told:?}");
    assert!(told[0].message.contains("of another swarm"), "{told:?}");
    let hint = told[0].hint.as_deref().unwrap_or_default();
    assert!(hint.contains("docker swarm leave --force"), "{told:?}");
}

#[test]
fn two_swarms_are_an_error_before_any_change() {
    let mut case = Case::installed();
    case.facts[1].swarm.cluster_id = Some(phase::Known::Is("other".to_owned()));

    let errors = case.errors();

    assert!(
        errors
            .iter()
            .any(|error| error.contains("2 different swarms")),
        "{errors:?}"
    );
}

#[test]
fn an_engine_of_somebody_else_is_not_taken_for_mcr() {
    let mut case = Case::installed();
    let packages = &mut case.facts[2].packages;
    packages.remove("docker-ee");
    packages.insert("docker-ce".to_owned(), "5:26".to_owned());

    let errors = case.errors();

    assert!(
        errors.iter().any(|error| error.contains("`docker-ce`")),
        "{errors:?}"
    );
}

#[test]
fn what_cannot_be_done_yet_is_refused() {
    let mut older = Case::installed();
    older.facts[0].mke.proxy_version = Some("3.7.1".to_owned());
    older.facts[1].mke.proxy_version = Some("3.7.1".to_owned());
    let mut newer = Case::installed();
    newer.facts[0].mke.proxy_version = Some("3.9.0".to_owned());
    newer.facts[1].mke.proxy_version = Some("3.9.0".to_owned());
    let mut channel = Case::installed();
    let repository = channel.facts[2].texts.repository.as_mut().unwrap();
    *repository = repository.replace("stable-20.10", "stable-19.03");

    assert!(
        older
            .errors()
            .iter()
            .any(|error| error.contains("cannot upgrade"))
    );
    assert!(
        newer
            .errors()
            .iter()
            .any(|error| error.contains("cannot be downgraded"))
    );
    assert!(
        channel
            .errors()
            .iter()
            .any(|error| error.contains("stable-19.03"))
    );
}

/// The answer of a host on which nothing makes the login user root: what bookworm's sudo and doas
/// said there.
fn without_privilege(text: &str, said: &str) -> String {
    let privilege = format!("{MARK} privilege 0\nsudo\n");
    assert!(text.contains(&privilege));
    text.replace(&privilege, &format!("{MARK} privilege 0\nnone\n{said}"))
}

#[test]
fn a_refusal_says_what_sudo_and_doas_said_and_how_to_mend_it() {
    for (said, hint) in [
        (
            "sudo> sudo: sorry, you must have a tty to run sudo\n",
            "`Defaults:lab !requiretty`",
        ),
        (
            "sudo> sudo: a password is required\n",
            "`lab ALL=(ALL) NOPASSWD: ALL`",
        ),
        (
            "doas> doas: Authentication required\n",
            "`permit nopass lab`",
        ),
        ("", "install sudo"),
    ] {
        let mut case = Case::installed();
        case.facts[0] = read(
            &without_privilege(&without_engine(MANAGER), said),
            HOSTS[0].1,
        );
        case.facts[0].listening.push(7946);

        let complaints = case.complaints(&product::mke::apply::apply(connecting()));

        // One problem, not all that is not seen without root.
        let errors = complaints.iter();
        let errors: Vec<_> = errors
            .filter(|one| one.severity == Severity::Error)
            .collect();
        assert_eq!(errors.len(), 1, "{errors:?}");
        let told = errors[0];
        assert!(told.message.starts_with("`lab` is not root"), "{told:?}");
        for line in said.lines() {
            let (_, words) = line.split_once("> ").unwrap();
            assert!(told.message.contains(words), "{told:?}");
        }
        assert!(told.hint.as_ref().unwrap().contains(hint), "{told:?}");
    }
}

#[test]
fn a_host_that_was_long_in_answering_has_no_wrong_clock() {
    // Two managers waited 14 s for an election; their clocks were read as it began.
    let mut case = Case::installed();
    for facts in &mut case.facts[..2] {
        (facts.clock_skew_seconds, facts.clock_doubt_seconds) = (-7.0, 7.0);
    }
    let slow = case.errors();
    case.facts[2].clock_skew_seconds = 30.0;
    let wrong = case.errors();

    assert!(slow.is_empty(), "{slow:?}");
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert!(wrong[0].contains("the clock is +37 s off"), "{wrong:?}");
}

#[test]
fn all_problems_of_all_hosts_are_told_at_once() {
    let mut case = Case::bare();
    case.facts[0].privilege = "none".to_owned();
    case.facts[1].hostname = "h2".to_owned();
    case.facts[1].listening.push(2377);
    case.facts[2].localhost_resolves = false;
    case.facts[2].machine.free_disk_bytes = 1;
    case.facts[2].clock_skew_seconds = 900.0;

    let errors = case.errors();

    for part in [
        "is not root",
        "host name `h2`",
        "2377",
        "`localhost` does not resolve",
        "free disk",
        "the clock is +900 s",
    ] {
        assert!(
            errors.iter().any(|error| error.contains(part)),
            "{part}: {errors:?}"
        );
    }
}

#[test]
fn a_changed_install_flag_is_a_warning_that_says_so() {
    let mut case = Case::installed();
    case.facts[0].owned.mke_install_flags = Some("another".to_owned());

    let complaints = case.complaints(&product::mke::apply::apply(connecting()));

    let found = complaints
        .iter()
        .find(|one| one.message.contains("installFlags"))
        .unwrap();
    assert_eq!(found.severity, Severity::Warning);
}

#[test]
fn a_reset_takes_the_leader_out_last_and_removes_everything() {
    let plan = Case::installed().plan_reset();

    assert_eq!(
        steps(&plan),
        [
            "uninstall-mke 10.77.1.1",
            "leave-swarm 10.77.1.11",
            "leave-swarm-as-managers 10.77.1.2",
            "leave-swarm-as-managers 10.77.1.1",
            "uninstall-mcr 10.77.1.1",
            "uninstall-mcr 10.77.1.2",
            "uninstall-mcr 10.77.1.11",
            "clean-up 10.77.1.1",
            "clean-up 10.77.1.2",
            "clean-up 10.77.1.11",
        ]
    );
}

#[test]
fn a_node_whose_engine_is_dead_is_no_stranger_to_a_reset() {
    let reset = product::mke::reset::reset(connecting());
    let mut silent = Case::installed();
    silent.facts[2] = read(&without_engine(WORKER), HOSTS[2].1);
    let mut stranger = Case::installed();
    stranger.facts[2] = read(&BARE.replace("10.77.1.13", "10.77.9.9"), "10.77.9.9");

    assert_eq!(silent.complaints(&reset), []);
    let told = stranger.complaints(&reset);
    assert!(
        told.iter().any(|one| one.message.contains("`w1`")),
        "{told:?}"
    );
}

#[test]
fn a_reset_of_bare_hosts_has_nothing_to_do() {
    assert!(!Case::bare().plan_reset().has_changes());
}

#[test]
fn a_plan_shows_no_secret() {
    let mut case = Case::bare();
    case.hosts[0] = "    environment: {HTTPS_PROXY: \"http://u:hunter2@proxy:3128\"}\n    \
                     mcrConfig: {proxies: {http-proxy: \"http://u:hunter2@proxy\"}}\n    \
                     hooks: {apply: {before: [\"echo hunter2\"]}}\n"
        .to_owned();

    let text = serde_json::to_string(&case.plan()).unwrap();

    assert!(text.contains("HTTPS_PROXY"));
    assert!(
        !text.contains("hunter2") && !text.contains("orcaorca"),
        "{text}"
    );
}

#[test]
fn facts_are_read_as_they_were_printed() {
    let facts = read(MANAGER, "10.77.1.1");

    assert_eq!(
        (facts.privilege.as_str(), facts.login.as_str()),
        ("sudo", "lab")
    );
    assert_eq!(
        (facts.os.id.as_str(), facts.os.version.as_str()),
        ("ubuntu", "22.04")
    );
    assert_eq!(facts.hostname, "m1");
    assert_eq!(facts.internal_address, "10.77.1.1");
    assert_eq!(facts.private_interface.as_deref(), Some("eth0"));
    assert!(facts.engine_runs() && facts.swarm.is_manager && facts.swarm.is_leader);
    assert!(facts.engine_version().unwrap().starts_with("20.10.24"));
    assert_eq!(facts.mke.proxy_version.as_deref(), Some("3.8.8"));
    assert_eq!(facts.mke.ping, Some(200));
    assert!(facts.packages.contains_key("docker-ee"));
    assert!(facts.owned.packages.contains("docker-ee"));
    assert!(facts.listening.contains(&443));
    let worker = read(WORKER, "10.77.1.11");
    assert!(worker.swarm.is_member() && !worker.swarm.is_manager);
    assert!(!read(BARE, "10.77.1.13").engine_runs());
}

#[test]
fn a_host_is_asked_for_root_with_the_same_words_everywhere() {
    let (function, _) = rig::privilege::TRY.split_once("refused=\nif").unwrap();

    assert!(product::mke::facts::SCRIPT.contains(function));
}

proptest! {
    #[test]
    fn an_answer_that_was_cut_off_is_never_taken_for_whole(at in 0..MANAGER.len()) {
        let at = (0..=at).rev().find(|at| MANAGER.is_char_boundary(*at)).unwrap_or(0);
        let whole = MANAGER.trim_end().len();

        let result = parse(&MANAGER[..at], &question("10.77.1.1"));

        let is_refused =
            matches!(result, Err(ParseError::Truncated { .. } | ParseError::NoAnswer));
        prop_assert!(is_refused || at >= whole - 1);
    }

    #[test]
    fn any_answer_is_read_without_a_panic(
        at in 0..MANAGER.len(),
        length in 0_usize..200,
        noise in "[ -~\n]{0,60}",
    ) {
        let boundary = |at: usize| (0..=at).rev().find(|at| MANAGER.is_char_boundary(*at));
        let start = boundary(at).unwrap_or(0);
        let end = boundary((at + length).min(MANAGER.len())).unwrap_or(0);
        let text = format!("{}{noise}{}", &MANAGER[..start], &MANAGER[end..]);

        let _ = parse(&text, &question("10.77.1.1"));
    }
}
