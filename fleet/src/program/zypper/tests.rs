//! zypper on a host of SLES 15.

use std::time::Duration;

use crate::packages::Holder;
use crate::testing::{bash as sh, host_of};

#[tokio::test(start_paused = true)]
async fn the_engine_of_the_distribution_makes_room_for_ours() {
    let (fleet, host) = host_of("sles-15", |_| {});
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
    let (fleet, host) = host_of("sles-15", |_| {});
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
