//! Hosts as launchpad meets them: through a connection, with programs on standard input.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use fleet::access::Trouble;
use fleet::build::{HostSpec, Sudo};
use fleet::fault::{Blow, Verdict, When};
use fleet::host::Sshd;
use fleet::{Fleet, HostId};
use rig::connection::{Process, SshEndpoint};
use rig::{ConnectError, Connection, Connector as _, Endpoint, ExitStatus};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// What came of a program.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    out: String,
    error: String,
    status: Option<ExitStatus>,
}

fn fleet(spec: impl Fn(&mut HostSpec)) -> Fleet {
    let fleet = Fleet::new(3, Duration::from_secs(1_795_000_000));
    for (name, last) in [("a", 1), ("b", 2)] {
        let mut one = HostSpec::new(name, [10, 0, 0, last].into());
        spec(&mut one);
        fleet.add_host(&one).unwrap();
    }
    fleet.add_archive();
    fleet.add_engine_repository("https://repos.mirantis.com", "stable-25.0");
    fleet.add_registry("docker.io");
    fleet
}

fn endpoint(address: &str) -> Endpoint {
    Endpoint::Ssh(SshEndpoint {
        address: address.to_owned(),
        port: None,
        user: None,
        key_path: None,
        host_key: None,
        bastion: None,
    })
}

async fn connect(fleet: &Fleet) -> std::sync::Arc<dyn Connection> {
    fleet
        .connector()
        .connect(&endpoint("10.0.0.1"))
        .await
        .unwrap()
}

async fn tell(connection: &dyn Connection, program: &str) -> Said {
    let process = connection.exec("exec /bin/sh -s").await.unwrap();
    let Process {
        mut stdin,
        mut stdout,
        mut stderr,
        exit,
    } = process;
    let (mut out, mut error) = (String::new(), String::new());
    let send = async {
        // A host that has gone takes nothing.
        let _ = stdin.write_all(program.as_bytes()).await;
        let _ = stdin.shutdown().await;
    };
    let (_, _, _, status) = tokio::join!(
        send,
        stdout.read_to_string(&mut out),
        stderr.read_to_string(&mut error),
        exit
    );
    Said {
        out,
        error,
        status: status.ok(),
    }
}

async fn ask(fleet: &Fleet, program: &str) -> Said {
    tell(&*connect(fleet).await, program).await
}

async fn root(fleet: &Fleet, program: &str) -> Said {
    ask(fleet, &format!("sudo -n -- /bin/sh -c '{program}'")).await
}

const DONE: Option<ExitStatus> = Some(ExitStatus::Code(0));
const FAILED: Option<ExitStatus> = Some(ExitStatus::Code(1));

#[tokio::test(start_paused = true)]
async fn packages_come_from_repositories() {
    let fleet = fleet(|_| {});

    let before = root(&fleet, "apt-get install -y -q socat").await;
    let update = root(&fleet, "apt-get update -q").await;
    let install = root(&fleet, "apt-get install -y -q socat").await;
    let again = root(&fleet, "apt-get install -y -q socat; command -v socat").await;

    assert!(
        before.error.contains("E: Unable to locate package socat"),
        "{before:?}"
    );
    assert_eq!(update.status, DONE, "{update:?}");
    assert!(
        install.out.contains("Setting up socat (1.7.4.4-2) ..."),
        "{install:?}"
    );
    assert!(
        again.out.contains("socat is already the newest version"),
        "{again:?}"
    );
    assert!(again.out.ends_with("/usr/bin/socat\n"), "{again:?}");
    assert_eq!(fleet.not_simulated(), []);
}

#[tokio::test(start_paused = true)]
async fn a_repository_with_an_unknown_key_is_refused() {
    let fleet = fleet(|_| {});
    let source = "printf \"%s\\n\" \"deb https://repos.mirantis.com/ubuntu jammy stable-25.0\" > \
                  /etc/apt/sources.list.d/mcr.list; apt-get update -q";

    let said = root(&fleet, source).await;

    assert!(said.error.contains("NO_PUBKEY"), "{said:?}");
    assert_eq!(said.status, Some(ExitStatus::Code(100)), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn locks_of_the_package_manager_are_waited_for_as_asked() {
    let fleet = fleet(|_| {});
    root(&fleet, "apt-get update -q").await;
    fleet
        .strike(HostId(0), Blow::LockPackages(Duration::from_secs(60)))
        .await;

    let refused = root(&fleet, "apt-get install -y socat").await;
    let started = fleet.elapsed();
    let waited = root(
        &fleet,
        "apt-get install -y -o DPkg::Lock::Timeout=300 socat",
    )
    .await;

    assert!(
        refused
            .error
            .contains("is held by process 1207 (unattended-upgr)"),
        "{refused:?}"
    );
    assert_eq!(waited.status, DONE, "{waited:?}");
    assert!((fleet.elapsed() - started).as_secs() >= 55);
}

#[tokio::test(start_paused = true)]
async fn sudo_finds_what_only_root_has_in_its_path() {
    let fleet = fleet(|_| {});

    let said = ask(
        &fleet,
        "command -v groupadd; sudo -n groupadd judged; sudo -n nothing",
    )
    .await;

    assert_eq!(said.error, "sudo: nothing: command not found\n");
    let made = root(&fleet, "grep -c judged: /etc/group").await;
    assert_eq!(made.out.trim(), "1", "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn sudo_follows_its_rules() {
    for (sudo, expected) in [
        (Sudo::Free, DONE),
        (Sudo::Password, FAILED),
        (Sudo::None, FAILED),
        (Sudo::Partial, FAILED),
    ] {
        let fleet = fleet(|spec| spec.sudo = sudo);

        let said = root(&fleet, ":").await;

        assert_eq!(said.status, expected, "{sudo:?}: {said:?}");
    }
    let fleet = fleet(|spec| spec.sudo = Sudo::Doas);
    assert_eq!(ask(&fleet, "doas -n /bin/sh -c :").await.status, DONE);
    assert_eq!(
        ask(&fleet, "sudo -n :").await.status,
        Some(ExitStatus::Code(127))
    );
}

#[tokio::test(start_paused = true)]
async fn services_are_units_of_files() {
    let fleet = fleet(|_| {});
    let unit = "printf \"[Service]\\nExecStart=/usr/bin/sleep 9\\n[Install]\\nWantedBy=multi-user.target\\n\" > \
                /etc/systemd/system/x.service";

    let unknown = root(&fleet, "systemctl start x").await;
    let started = root(
        &fleet,
        &format!("{unit}; systemctl enable --now x; systemctl is-active x"),
    )
    .await;
    fleet.reboot(HostId(0)).await;
    let after = root(&fleet, "systemctl is-active x").await;
    let changed = root(
        &fleet,
        &format!(
            "{unit}; systemctl show x -p NeedDaemonReload; systemctl mask x; systemctl start x"
        ),
    )
    .await;

    assert_eq!(
        unknown.error,
        "Failed to start x.service: Unit x.service not found.\n"
    );
    assert_eq!(started.out, "active\n", "{started:?}");
    assert_eq!(after.out, "active\n", "{after:?}");
    assert!(
        changed.out.starts_with("NeedDaemonReload=yes\n"),
        "{changed:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_reboot_breaks_connections_and_has_another_boot_id() {
    let fleet = fleet(|_| {});
    let connection = connect(&fleet).await;
    let read = "read -r id < /proc/sys/kernel/random/boot_id; echo $id";
    let before = tell(&*connection, read).await;
    fleet.plan_blow(
        HostId(0),
        When::At(fleet.elapsed() + Duration::from_secs(5)),
        Blow::Reboot,
    );

    let broken = tell(&*connection, "sleep 60; echo never").await;
    let away = fleet.connector().connect(&endpoint("10.0.0.1")).await.err();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let after = ask(&fleet, read).await;

    assert_eq!(broken.status, None, "{broken:?}");
    assert!(!connection.is_open());
    assert!(
        matches!(away, Some(ConnectError::TimedOut { .. })),
        "{away:?}"
    );
    assert_ne!(before.out, after.out);
}

#[tokio::test(start_paused = true)]
async fn commands_go_wrong_as_planned() {
    let fleet = fleet(|_| {});
    let lost = Verdict::LoseAfter;
    let fail = Verdict::Fail {
        status: 9,
        said: "no".to_owned(),
    };
    fleet.plan_verdict(HostId(0), 1, Verdict::LoseBefore);
    fleet.plan_verdict(HostId(0), 2, lost);
    fleet.plan_verdict(HostId(0), 3, fail);
    let connection = connect(&fleet).await;

    let before = connection.exec("exec /bin/sh -s").await.err();
    let after = ask(&fleet, "echo x > /tmp/done").await;
    let failed = ask(&fleet, "echo x > /tmp/never").await;
    let seen = ask(&fleet, "[ -e /tmp/done ] && [ ! -e /tmp/never ]").await;

    assert!(before.unwrap().is_lost());
    assert_eq!(after.status, None);
    assert_eq!(failed.status, Some(ExitStatus::Code(9)));
    assert_eq!(seen.status, DONE);
}

#[tokio::test(start_paused = true)]
async fn servers_meet_connections_in_many_ways() {
    for (sshd, is_expected) in [
        (
            Sshd::Down,
            (|error| matches!(error, ConnectError::Refused { .. })) as fn(&ConnectError) -> bool,
        ),
        (Sshd::Resets, |error| {
            matches!(error, ConnectError::ResetBeforeAuth { .. })
        }),
        (Sshd::Silent, |error| {
            matches!(error, ConnectError::NoBanner { .. })
        }),
        (Sshd::Filtered, |error| {
            matches!(error, ConnectError::TimedOut { .. })
        }),
        (Sshd::OtherKey, |error| {
            matches!(error, ConnectError::HostKeyChanged { .. })
        }),
        (Sshd::Rejects, |error| {
            matches!(error, ConnectError::Auth { .. })
        }),
    ] {
        let fleet = fleet(|_| {});
        fleet.host(HostId(0), |host| host.sshd = sshd);

        let error = fleet
            .connector()
            .connect(&endpoint("10.0.0.1"))
            .await
            .err()
            .unwrap();

        assert!(is_expected(&error), "{sshd:?}: {error}");
    }
    let nowhere = fleet(|_| {})
        .connector()
        .connect(&endpoint("nowhere.example"))
        .await
        .err();
    assert!(matches!(nowhere, Some(ConnectError::Dns { .. })));
}

#[tokio::test(start_paused = true)]
async fn names_lead_to_the_host_that_has_the_whole_of_them() {
    let fleet = Fleet::new(3, Duration::from_secs(1_795_000_000));
    for (name, alias, last) in [("m1", "m1.one.lab", 1), ("m1x", "m1.two.lab", 2)] {
        let mut spec = HostSpec::new(name, [10, 0, 0, last].into());
        spec.aliases = vec![alias.to_owned()];
        fleet.add_host(&spec).unwrap();
    }
    // With it come the names of the world.
    fleet.add_archive();
    for (name, host) in [
        ("m1.one.lab", "m1\n"),
        ("m1.two.lab", "m1x\n"),
        ("m1.three.lab", "m1\n"),
        ("10.0.0.2", "m1x\n"),
    ] {
        let connection = fleet.connector().connect(&endpoint(name)).await.unwrap();
        assert_eq!(tell(&*connection, "hostname").await.out, host, "{name}");
    }
    let connection = connect(&fleet).await;
    let said = tell(&*connection, "getent ahostsv4 m1.two.lab | head -n 1").await;
    assert!(said.out.starts_with("10.0.0.2 "), "{}", said.out);
}

#[tokio::test(start_paused = true)]
async fn what_a_host_does_not_know_fails_loudly() {
    let fleet = fleet(|_| {});

    let unknown = ask(&fleet, "chattr +i /tmp").await;
    let absent = ask(&fleet, "frobnicate").await;
    let option = ask(&fleet, "systemctl --recursive list-units").await;

    assert_eq!(unknown.status, Some(ExitStatus::Code(70)), "{unknown:?}");
    assert_eq!(absent.status, Some(ExitStatus::Code(127)), "{absent:?}");
    assert_eq!(option.status, Some(ExitStatus::Code(70)), "{option:?}");
    let noted: Vec<String> = fleet
        .not_simulated()
        .into_iter()
        .map(|one| one.program)
        .collect();
    assert_eq!(noted, ["chattr", "systemctl"]);
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_installation_is_told_and_mended() {
    let fleet = fleet(|_| {});
    root(&fleet, "apt-get update -q").await;
    let connection = connect(&fleet).await;
    fleet.plan_blow(
        HostId(0),
        When::At(fleet.elapsed() + Duration::from_millis(640)),
        Blow::Reboot,
    );
    tell(&*connection, "sudo -n apt-get install -y -q socat").await;
    tokio::time::sleep(Duration::from_secs(60)).await;

    let audit = root(&fleet, "dpkg --audit").await;
    let refused = root(&fleet, "apt-get install -y jq").await;
    let mended = root(&fleet, "dpkg --configure -a && apt-get install -y -q jq").await;

    assert!(audit.out.contains("socat"), "{audit:?}");
    assert!(
        refused.error.contains("dpkg was interrupted"),
        "{refused:?}"
    );
    assert_eq!(mended.status, DONE, "{mended:?}");
}

#[test]
fn a_host_costs_little() {
    let fleet = Fleet::new(1, Duration::from_secs(1_795_000_000));
    let count = 1000_u32;
    for number in 0..count {
        let address = std::net::Ipv4Addr::from(0x0a00_0000 + number + 1);
        let spec = HostSpec::new(&format!("h{number}"), address.into());
        fleet.add_host(&spec).unwrap();
    }
    let name = fleet.host(HostId(999), |host| host.files.text("/etc/hostname"));

    assert_eq!(name.as_deref(), Some("h999\n"));
}

#[tokio::test(start_paused = true)]
async fn programs_do_not_start_where_the_mount_forbids_them() {
    let fleet = fleet(|_| {});
    let script = "printf '#!/bin/sh\\necho ran\\n' >/tmp/it && chmod 755 /tmp/it && ln -s /tmp/it \
                  /root/link";
    assert_eq!(
        root(&fleet, &script.replace('\'', "'\\''")).await.status,
        DONE
    );
    assert_eq!(root(&fleet, "/root/link").await.out, "ran\n");

    fleet.trouble(HostId(0), Trouble::NoexecTmp, true);

    for program in ["/tmp/it", "/root/link", "PATH=/tmp:$PATH; it"] {
        let said = root(&fleet, program).await;
        assert_eq!(
            said.status,
            Some(ExitStatus::Code(126)),
            "{program}: {said:?}"
        );
        assert!(said.error.ends_with("Permission denied\n"), "{said:?}");
    }
    assert_eq!(root(&fleet, "/bin/sh /tmp/it").await.out, "ran\n");
}

#[tokio::test(start_paused = true)]
async fn a_connection_ends_with_the_bastion_that_it_goes_through() {
    for blow in [Blow::Reboot, Blow::Cut, Blow::PowerOff(None)] {
        let fleet = fleet(|_| {});
        let Endpoint::Ssh(bastion) = endpoint("10.0.0.2") else {
            panic!("no SSH");
        };
        let Endpoint::Ssh(mut behind) = endpoint("10.0.0.1") else {
            panic!("no SSH");
        };
        behind.bastion = Some(Box::new(bastion));
        let connection = fleet.connector().connect(&Endpoint::Ssh(behind)).await;
        let connection = connection.unwrap();
        assert_eq!(tell(&*connection, "hostname").await.out, "a\n");

        fleet.plan_blow(HostId(1), When::At(Duration::ZERO), blow.clone());
        tokio::time::sleep(Duration::from_secs(1)).await;

        assert!(connection.exec("true").await.is_err(), "{blow:?}");
        assert!(!connection.is_open(), "{blow:?}");
        // The host itself is well.
        assert_eq!(ask(&fleet, "hostname").await.out, "a\n");
    }
}

#[tokio::test(start_paused = true)]
async fn of_many_hosts_some_are_named() {
    let fleet = Fleet::new(3, Duration::from_secs(1_795_000_000));
    assert_eq!(fleet.world(|world| world.some_hosts()), "");
    for number in 1..=14 {
        let spec = HostSpec::new(&format!("m{number}"), [10, 0, 0, number].into());
        fleet.add_host(&spec).unwrap();
    }

    let named = fleet.world(|world| world.some_hosts());

    assert_eq!(
        named,
        "m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12 and 2 more"
    );
}
