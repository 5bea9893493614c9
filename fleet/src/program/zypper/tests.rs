//! zypper on a host of SLES 15.

use std::time::Duration;

use crate::build::HostSpec;
use crate::packages::Holder;
use crate::testing::{Ran, run_with};
use crate::world::{Fleet, HostId};

fn sles() -> (Fleet, HostId) {
    let fleet = Fleet::new(3, Duration::from_secs(1_795_000_000));
    let mut spec = HostSpec::new("s1", [10, 0, 0, 1].into());
    spec.profile = "sles-15".to_owned();
    spec.login = "root".to_owned();
    let host = fleet.add_host(&spec).unwrap();
    fleet.add_archive();
    fleet.add_engine_repository("https://repos.mirantis.com", "stable-25.0");
    (fleet, host)
}

async fn sh(fleet: &Fleet, host: HostId, script: &str) -> Ran {
    run_with(fleet, host, &["bash", "-c", script], "").await
}

#[tokio::test(start_paused = true)]
async fn the_engine_of_the_distribution_makes_room_for_ours() {
    let (fleet, host) = sles();
    let script = "zypper -n -q in docker >/dev/null && rpm -q docker >/dev/null && zypper -n -q rm \
                  --clean-deps docker >/dev/null
curl -fsSL -o /tmp/key https://repos.mirantis.com/sles/gpg && rpm --import /tmp/key
zypper addrepo --refresh 'https://repos.mirantis.com/sles/$releasever_major/$basearch/stable-25.0' mirantis >/dev/null
zypper -n -q install containerd.io docker-ee >/dev/null; echo $?
systemctl enable --now docker && docker version --format '{{.Server.Version}}'; rpm -q docker";

    let ran = sh(&fleet, host, script).await;

    assert_eq!(
        ran.stdout, "0\n25.0.14\npackage docker is not installed\n",
        "{}",
        ran.stderr
    );
}

#[tokio::test(start_paused = true)]
async fn a_lock_is_waited_for_as_long_as_the_environment_says() {
    let (fleet, host) = sles();
    fleet.host(host, |host| {
        host.packages.holder = Some(Holder {
            pid: 4242,
            name: "zypper".to_owned(),
            until: Some(Duration::from_secs(60)),
        });
    });

    let ran = sh(
        &fleet,
        host,
        "zypper -n -q in socat; echo $?; ZYPP_LOCK_TIMEOUT=300 zypper -n -q in socat >/dev/null; echo $?",
    )
    .await;

    assert_eq!(ran.stdout, "7\n0\n", "{}", ran.stderr);
    assert_eq!(
        ran.stderr,
        "System management is locked by the application with pid 4242 (/usr/bin/zypper).\nClose this \
         application before trying again.\n"
    );
}
