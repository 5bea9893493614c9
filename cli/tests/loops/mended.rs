//! What the loops have found, each by itself: how it was is told by the name.

use std::collections::BTreeMap;
use std::time::Duration;

use fleet::HostId;
use fleet::fault::{Blow, Verdict, When};
use fleet::snapshot::{Snapshot, differences};

use crate::cluster::{Cluster, HOSTS, ORDER, Ran, in_its_own_time};

/// Returns which command of a host has a title, from 1, as an undisturbed run tells it.
fn number_of(ran: &Ran, host: HostId, title: &str) -> u64 {
    let address = format!("10.0.0.{}", HOSTS[host.0].1);
    let events = ran
        .told
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let commands = events
        .filter(|event| event["event"] == "command-started" && event["host"] == address.as_str());
    let titles: Vec<String> = commands
        .map(|event| event["command"].as_str().unwrap().to_owned())
        .collect();
    let at = titles.iter().position(|one| one.starts_with(title));
    at.unwrap_or_else(|| panic!("no command `{title}` among {titles:#?}")) as u64 + 1
}

async fn installed() -> (Cluster, Ran) {
    let cluster = Cluster::new(1, &ORDER);
    let ran = cluster.run(&["apply"], None).await.unwrap();
    assert_eq!(ran.status, 0, "{}", ran.printed);
    (cluster, ran)
}

/// Returns what an undisturbed command tells, and what hosts are after it.
async fn reference(words: &[&str], from_installed: bool) -> (Ran, Snapshot) {
    let cluster = if from_installed {
        installed().await.0
    } else {
        Cluster::new(1, &ORDER)
    };
    cluster.fleet.forget_counts();
    let ran = cluster.run(words, None).await.unwrap();
    assert_eq!(ran.status, 0, "{}", ran.printed);
    tokio::time::sleep(Duration::from_secs(120)).await;
    (ran, cluster.fleet.snapshots())
}

#[test]
fn an_install_that_failed_half_way_does_not_keep_the_next_one_from_beginning() {
    for point in ["stored", "deployed", "finished"] {
        let faults = BTreeMap::from([
            ("UCP_SIM_AT".to_owned(), point.to_owned()),
            ("UCP_SIM_FAIL".to_owned(), "no".to_owned()),
        ]);

        let (first, second) = in_its_own_time(async {
            let cluster = Cluster::new(1, &ORDER);
            cluster.fleet.set_bootstrapper_faults(faults);
            let first = cluster.run(&["apply"], None).await.unwrap();
            cluster.fleet.set_bootstrapper_faults(BTreeMap::new());
            (first, cluster.run(&["apply"], None).await.unwrap())
        });

        assert_eq!(first.status, 1, "{point}: {}", first.printed);
        assert_eq!(second.status, 0, "{point}: {}", second.printed);
    }
}

/// Resets hosts of which one has trouble with a command, and then once more: in the end they have to
/// be as they are where nothing happens.
fn reset_goes_on(host: HostId, title: &str, trouble: &Verdict) {
    let reset = ["reset", "--force"];
    let (ran, expected) = in_its_own_time(reference(&reset, true));
    let number = number_of(&ran, host, title);

    let (first, second, found) = in_its_own_time(async {
        let (cluster, _) = installed().await;
        cluster.fleet.forget_counts();
        cluster.fleet.plan_verdict(host, number, trouble.clone());
        let first = cluster.run(&reset, None).await.unwrap();
        cluster.fleet.forget_faults();
        let second = cluster.run(&reset, None).await.unwrap();
        tokio::time::sleep(Duration::from_secs(120)).await;
        let found = differences(&expected, &cluster.fleet.snapshots());
        (first, second, found)
    });

    assert_eq!(first.status, 1, "{title}: {}", first.printed);
    assert_eq!(second.status, 0, "{title}: {}", second.printed);
    assert_eq!(found, Vec::<String>::new(), "{title}");
}

fn failure() -> Verdict {
    Verdict::Fail {
        status: 1,
        said: "no".to_owned(),
    }
}

#[test]
fn a_reset_that_stopped_between_managers_goes_on() {
    reset_goes_on(HostId(0), "docker swarm leave", &failure());
}

#[test]
fn a_reset_that_stopped_at_its_last_command_leaves_no_directory() {
    reset_goes_on(HostId(3), "tidy up", &failure());
}

#[test]
fn a_reset_that_stopped_while_it_removed_the_engine_goes_on_there() {
    for title in [
        "remove the packages of the engine",
        "let systemd read its units again",
    ] {
        reset_goes_on(HostId(3), title, &Verdict::LoseAfter);
    }
}

#[test]
fn a_look_whose_answer_was_lost_is_looked_again() {
    let (ran, _) = in_its_own_time(reference(&["apply"], false));
    let number = number_of(&ran, HostId(0), "read the swarm membership");

    let ran = in_its_own_time(async {
        let cluster = Cluster::new(1, &ORDER);
        cluster
            .fleet
            .plan_verdict(HostId(0), number, Verdict::LoseAfter);
        cluster.run(&["apply"], None).await.unwrap()
    });

    assert_eq!(ran.status, 0, "{}", ran.printed);
    assert!(ran.told.contains("look again"), "{}", ran.printed);
}

#[test]
fn a_disk_that_is_full_for_a_while_costs_no_record() {
    let (ran, expected) = in_its_own_time(reference(&["apply"], false));
    let number = number_of(&ran, HostId(0), "start the MKE bootstrapper");

    let found = in_its_own_time(async {
        let cluster = Cluster::new(1, &ORDER);
        let full = Blow::FillDisk(Some(Duration::from_secs(400)));
        cluster
            .fleet
            .plan_blow(HostId(0), When::Command(HostId(0), number), full);
        cluster.run(&["apply"], None).await.unwrap();
        tokio::time::sleep(Duration::from_secs(600)).await;
        cluster.fleet.forget_faults();
        let second = cluster.run(&["apply"], None).await.unwrap();
        assert_eq!(second.status, 0, "{}", second.printed);
        tokio::time::sleep(Duration::from_secs(120)).await;
        let found = differences(&expected, &cluster.fleet.snapshots()).into_iter();
        found
            .filter(|line| line.contains("owned.json"))
            .collect::<Vec<String>>()
    });

    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn a_lock_that_a_reboot_took_is_told_as_such() {
    let ran = in_its_own_time(async {
        let cluster = Cluster::new(1, &ORDER);
        cluster
            .fleet
            .plan_blow(HostId(0), When::At(Duration::from_secs(60)), Blow::Reboot);
        cluster.run(&["apply"], None).await.unwrap()
    });

    assert_eq!(ran.status, 1, "{}", ran.printed);
    assert!(
        !ran.printed.contains("was taken over by somebody else"),
        "{}",
        ran.printed
    );
}
