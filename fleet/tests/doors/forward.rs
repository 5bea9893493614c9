//! Hosts as bastions.

use fleet::HostId;
use fleet::access::Trouble;

use crate::house::{House, Plan, run};

fn two() -> House {
    House::with(Plan {
        hosts: 2,
        prepare: Box::new(|fleet| fleet.world(|world| world.network.has_dns = true)),
        ..Plan::default()
    })
}

#[test]
fn a_host_is_reached_through_another() {
    let house = two();

    let answer = house.ssh(&["-J", "m1", "m2", "hostname"]);

    assert_eq!(answer.out, "m2\n", "{answer:?}");
    let dials = |host| {
        house
            .fleet
            .world(|world| world.traffic.get(&HostId(host)).map(|one| one.dials))
    };
    assert_eq!(dials(0), Some(1));
}

#[test]
fn hosts_reach_each_other_by_the_addresses_that_they_have() {
    let house = two();
    for target in ["10.0.0.2:22", "m2:22"] {
        let mut command = house.client("ssh");
        command.args(["-W", target, "m1"]);

        let answer = run(command, b"nonsense\n");

        assert!(
            answer.out.starts_with("SSH-2.0-OpenSSH_9"),
            "{target} {answer:?}"
        );
    }
}

#[test]
fn a_way_that_is_cut_or_forbidden_is_none() {
    let house = two();
    let refused = |target: &str| {
        let mut command = house.client("ssh");
        command.args(["-W", target, "m1"]);
        let answer = run(command, b"x\n");
        assert_eq!(answer.status, Some(255), "{answer:?}");
        answer.err
    };

    assert!(refused("m2:8").contains("open failed: connect failed: Connection refused"));
    assert!(refused("nobody:22").contains("Name or service not known"));
    house
        .fleet
        .world(|world| world.network.set_cut(HostId(0), HostId(1), true));
    assert!(refused("m2:22").contains("connect failed: Connection timed out"));
    house.fleet.trouble(HostId(0), Trouble::NoForwarding, true);
    assert!(refused("m2:22").contains("administratively prohibited: open failed"));
}
