//! `check ssh`, and what other commands say of the same troubles.

use fleet::access::{TROUBLES, Trouble};

use super::*;

/// Returns the class of the finding that a trouble leads to, and whether a run comes through.
fn expected(trouble: Trouble) -> (&'static str, bool) {
    match trouble {
        Trouble::Refused => ("refused", false),
        Trouble::Filtered => ("timed-out", false),
        Trouble::Reset => ("reset", false),
        Trouble::Silent => ("no-banner", false),
        Trouble::LoginRefused => ("login", false),
        Trouble::HostKeyChanged => ("host-key-changed", false),
        Trouble::SudoPassword | Trouble::Requiretty => ("no-root", false),
        Trouble::ShellGreets => ("greeting", true),
        Trouble::ShellEnds => ("no-shell", false),
        Trouble::OneSession | Trouble::TwoSessions => ("max-sessions", true),
        Trouble::ReadOnlyHome => ("read-only-home", true),
        Trouble::NoexecTmp => ("noexec", true),
        Trouble::NoForwarding => ("forwarding-refused", false),
    }
}

fn json(ran: &Ran) -> serde_json::Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}{}", ran.stdout, ran.stderr))
}

/// The worker behind a bastion, which is the manager.
fn behind_a_bastion() -> String {
    CONFIG.replace(
        "ssh: {address: 10.77.1.11, user: lab}",
        "ssh: {address: 10.77.1.11, user: lab, bastion: {address: 10.77.1.1, user: lab}}",
    )
}

#[tokio::test(start_paused = true)]
async fn good_hosts_are_told_with_the_way_to_them() {
    let hosts = bare();
    let before = hosts.snapshots();

    let table = run(&hosts, CONFIG, "check ssh").await;
    let ran = run(&hosts, CONFIG, "check ssh -t 10.77.1.11 --output json").await;

    assert_eq!((table.status, table.stderr.as_str()), (0, ""));
    let lines: Vec<&str> = table.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{}", table.stdout);
    assert!(lines[0].starts_with("HOST "), "{}", table.stdout);
    assert!(lines[2].starts_with("10.77.1.11 "), "{}", table.stdout);
    assert!(lines[2].ends_with(" ok"), "{}", table.stdout);
    let found = json(&ran);
    let host = &found["hosts"][0];
    assert_eq!((&found["ok"], &found["failed"]), (&1.into(), &0.into()));
    assert_eq!(host["privilege"], "sudo");
    assert_eq!(host["login"]["user"], "lab");
    assert_eq!(host["sessions"], 8);
    assert_eq!(host["findings"], serde_json::json!([]));
    let (_, changes) = sent(&hosts);
    assert_eq!(changes, 0);
    assert_eq!(
        fleet::snapshot::differences(&before, &hosts.snapshots()),
        [""; 0]
    );
}

#[tokio::test(start_paused = true)]
async fn each_trouble_is_told_with_a_next_move_and_changes_nothing() {
    for trouble in TROUBLES {
        let (class, comes_through) = expected(*trouble);
        let hosts = bare();
        let at = usize::from(*trouble != Trouble::NoForwarding);
        hosts.trouble(HostId(at), *trouble, true);
        let before = hosts.snapshots();
        let config = behind_a_bastion();

        let ran = run(&hosts, &config, "check ssh --output json").await;
        let plan = run(&hosts, &config, "plan").await;

        let status = u8::from(!comes_through);
        assert_eq!(ran.status, status, "{trouble:?}: {}", ran.stdout);
        let found = json(&ran);
        let finding = &found["hosts"][1]["findings"][0];
        assert_eq!(finding["class"], class, "{trouble:?}: {found:#}");
        assert!(finding["hint"].is_string(), "{trouble:?}: {finding}");
        assert_eq!(found["hosts"][0]["state"], "ok", "{trouble:?}: {found:#}");
        let of_plan = if comes_through { 3 } else { 1 };
        assert_eq!(plan.status, of_plan, "{trouble:?}: {}", plan.stderr);
        let says_what_to_do = plan.stderr.contains("hint: ");
        assert!(
            comes_through || says_what_to_do,
            "{trouble:?}: {}",
            plan.stderr
        );
        assert_eq!(sent(&hosts).1, 0, "{trouble:?}");
        let changed = fleet::snapshot::differences(&before, &hosts.snapshots());
        assert_eq!(changed, [""; 0], "{trouble:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn once_the_trouble_is_over_the_same_command_converges() {
    for trouble in TROUBLES.iter().filter(|it| !expected(**it).1) {
        let hosts = bare();
        let at = usize::from(*trouble != Trouble::NoForwarding);
        hosts.trouble(HostId(at), *trouble, true);
        let config = behind_a_bastion();

        let first = run(&hosts, &config, "apply").await;
        let (_, changes) = sent(&hosts);
        hosts.end_troubles();
        let second = run(&hosts, &config, "apply").await;

        assert_eq!(
            (first.status, changes),
            (1, 0),
            "{trouble:?}: {}",
            first.stderr
        );
        assert_eq!(second.status, 0, "{trouble:?}: {}", second.stderr);
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_subnet_is_one_error() {
    let fleet = nobody();
    let mut rows = String::new();
    for number in 1..=40_u8 {
        let mut spec = HostSpec::new(&format!("h{number}"), [10, 77, 1, number].into());
        spec.login = "lab".to_owned();
        let host = fleet.add_host(&spec).unwrap();
        if number > 3 {
            fleet.trouble(host, Trouble::Filtered, true);
        }
        let role = if number <= 3 { "manager" } else { "worker" };
        rows.push_str(&format!(
            "  - role: {role}\n    ssh: {{address: 10.77.1.{number}, user: lab}}\n"
        ));
    }
    fleet.add_archive();
    fleet.add_engine_repository("https://repos.mirantis.com", "stable-20.10");
    fleet.add_registry("docker.io");
    let (head, _) = CONFIG.split_once("  - role").unwrap();
    let (_, tail) = CONFIG.split_once("  mcr:").unwrap();
    let config = format!("{head}{rows}  mcr:{tail}");

    let check = run(&fleet, &config, "check ssh").await;
    let plan = run(&fleet, &config, "plan").await;

    for (text, ran) in [(&check.stdout, &check), (&plan.stderr, &plan)] {
        assert_eq!(ran.status, 1, "{text}");
        assert_eq!(
            text.matches("37 hosts: cannot connect").count(),
            1,
            "{text}"
        );
        assert_eq!(text.matches("hint: ").count(), 1, "{text}");
    }
}

/// sudo-rs, the sudo of Ubuntu 26.04, has words of its own, and knows no `requiretty`.
#[tokio::test(start_paused = true)]
async fn what_sudo_rs_refuses_is_told_with_a_remedy() {
    for (trouble, status) in [(Trouble::SudoPassword, 1), (Trouble::Requiretty, 0)] {
        let fleet = nobody();
        let mut spec = HostSpec::new("m1", [10, 77, 1, 1].into());
        "lab".clone_into(&mut spec.login);
        "ubuntu-26.04".clone_into(&mut spec.profile);
        let host = fleet.add_host(&spec).unwrap();
        fleet.trouble(host, trouble, true);
        let (head, _) = CONFIG.split_once("  - role").unwrap();
        let (_, tail) = CONFIG.split_once("  mcr:").unwrap();
        let row = "  - role: manager\n    ssh: {address: 10.77.1.1, user: lab}\n";

        let ran = run(&fleet, &format!("{head}{row}  mcr:{tail}"), "check ssh").await;

        assert_eq!(ran.status, status, "{trouble:?}: {}", ran.stdout);
        let is_told = ran
            .stdout
            .contains("interactive authentication is required")
            && ran.stdout.contains("allow it without a password");
        assert_eq!(is_told, status == 1, "{trouble:?}: {}", ran.stdout);
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_hangs_is_left_in_time_and_told_where() {
    let hosts = bare();
    hosts.plan_verdict(HostId(1), 1, fleet::fault::Verdict::Hang);
    let started = tokio::time::Instant::now();

    let ran = run(&hosts, CONFIG, "check ssh --timeout 20s").await;

    assert_eq!(ran.status, 1, "{}", ran.stdout);
    assert!(
        ran.stdout
            .contains("no answer within 20 s, while asking the host"),
        "{}",
        ran.stdout
    );
    assert!(started.elapsed() < Duration::from_secs(40));
}

#[tokio::test(start_paused = true)]
async fn what_was_typed_wrong_is_told_as_that() {
    let ran = run(&bare(), CONFIG, "check ssh -t nowhere").await;

    assert_eq!(ran.status, 2, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("`nowhere` is no host"),
        "{}",
        ran.stderr
    );
}
