//! A host of Rocky Linux 9 asked by rpm.

use crate::testing::{bash as sh, host_of};

#[tokio::test(start_paused = true)]
async fn the_database_is_that_of_the_profile() {
    let (fleet, host) = host_of("rocky-9", |_| {});

    let ran = sh(
        &fleet,
        host,
        "rpm -q bash nothing; rpm -qf /usr/bin/curl; rpm -q --whatprovides /bin/sh; rpm -E '%dist %{rhel}'; \
         rpm -q --qf '%{NAME} %{EPOCH}\\n' dbus",
    )
    .await;

    assert_eq!(
        ran.stdout,
        "bash-5.1.8-9.el9.x86_64\npackage nothing is not installed\ncurl-7.76.1-29.el9.x86_64\n\
         bash-5.1.8-9.el9.x86_64\n.el9 9\ndbus 1\n",
        "{}",
        ran.stderr
    );
}

#[tokio::test(start_paused = true)]
async fn what_others_need_is_not_erased() {
    let (fleet, host) = host_of("rocky-9", |_| {});

    let ran = sh(
        &fleet,
        host,
        "dnf -y -q install jq; rpm -e oniguruma; echo $?; rpm -e jq oniguruma; rpm -q jq",
    )
    .await;

    assert!(
        ran.stdout.contains("\n1\npackage jq is not installed\n"),
        "{}",
        ran.stdout
    );
    assert_eq!(
        ran.stderr,
        "error: Failed dependencies:\n\tlibonig.so.5()(64bit) is needed by (installed) \
         jq-1.6-16.el9.x86_64\n"
    );
}

#[tokio::test(start_paused = true)]
async fn selinux_is_what_its_file_says_and_its_configuration_after_a_boot() {
    let (fleet, host) = host_of("rocky-9", |_| {});
    let script = "PATH=$PATH:/usr/sbin; getenforce; setenforce 0; getenforce; sed -i s/^SELINUX=.*/SELINUX=disabled/ \
                  /etc/selinux/config";

    let before = sh(&fleet, host, script).await;
    fleet.power_off(host);
    fleet.power_on(host).await;
    let after = sh(&fleet, host, "PATH=$PATH:/usr/sbin; getenforce; sestatus").await;

    assert_eq!(
        before.stdout, "Enforcing\nPermissive\n",
        "{}",
        before.stderr
    );
    assert_eq!(
        after.stdout,
        "Disabled\nSELinux status:                 disabled\n"
    );
}
