//! dnf on hosts of RHEL and its children.

use std::time::Duration;

use crate::network::Condition;
use crate::testing::{bash as sh, host_of};

const REPOSITORY: &str = "printf '[mirantis]\\nname=MCR\\nbaseurl=https://repos.mirantis.com/rocky/\
                          $releasever/$basearch/stable-25.0\\ngpgkey=https://repos.mirantis.com/rocky/\
                          gpg\\ngpgcheck=1\\n' > /etc/yum.repos.d/docker-ee.repo\n";

#[tokio::test(start_paused = true)]
async fn an_engine_comes_with_what_it_needs_and_goes() {
    let (fleet, host) = host_of("rocky-9", |_| {});
    let script = format!(
        "{REPOSITORY}dnf install -y -q docker-ee && systemctl enable --now docker && docker version \
         --format '{{{{.Server.Version}}}}'; rpm -q container-selinux docker-ee-cli; dnf remove -y -q \
         docker-ee; systemctl is-active docker; rpm -q docker-ee"
    );

    let ran = sh(&fleet, host, &script).await;

    assert!(
        ran.stdout.contains("\n25.0.14\ncontainer-selinux-"),
        "{} {}",
        ran.stdout,
        ran.stderr
    );
    assert!(
        ran.stdout
            .ends_with("inactive\npackage docker-ee is not installed\n"),
        "{}",
        ran.stdout
    );
}

#[tokio::test(start_paused = true)]
async fn arm64_has_packages_of_its_own() {
    let (fleet, host) = host_of("rocky-9", |spec| spec.machine = "aarch64".to_owned());

    let ran = sh(
        &fleet,
        host,
        "uname -m; dnf -y -q install socat; rpm -q socat bash",
    )
    .await;

    assert!(ran.stdout.starts_with("aarch64\n"), "{}", ran.stdout);
    assert!(
        ran.stdout
            .ends_with("socat-1.7.4.1-5.el9.aarch64\nbash-5.1.8-9.el9.aarch64\n"),
        "{} {}",
        ran.stdout,
        ran.stderr
    );
}

#[tokio::test(start_paused = true)]
async fn a_repository_that_is_silent_is_given_up() {
    let (fleet, host) = host_of("rocky-9", |_| {});
    fleet.world(|world| {
        if let Some(site) = world.network.sites.get_mut("archive.example.com") {
            site.condition = Condition::Silent;
        }
    });

    let ran = sh(&fleet, host, "dnf makecache").await;

    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr.contains("Curl error (28): Timeout was reached"),
        "{}",
        ran.stderr
    );
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_not_registered_has_no_repositories() {
    let (fleet, host) = host_of("rocky-9", |spec| {
        spec.profile = "rhel-9".to_owned();
        spec.is_registered = false;
    });

    let ran = sh(
        &fleet,
        host,
        "dnf install -y socat; echo $?; /usr/sbin/subscription-manager identity",
    )
    .await;

    assert!(
        ran.stdout
            .starts_with("Updating Subscription Management repositories.\nUnable to read"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.ends_with("\n1\n"), "{}", ran.stdout);
    assert!(
        ran.stderr.contains("There are no enabled repositories"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("not yet registered"), "{}", ran.stderr);
}

#[tokio::test(start_paused = true)]
async fn who_is_early_after_a_boot_waits_for_the_engine() {
    let (fleet, host) = host_of("rocky-9", |_| {});
    let script =
        format!("{REPOSITORY}dnf install -y -q docker-ee && systemctl enable --now docker");
    assert_eq!(sh(&fleet, host, &script).await.status, 0);
    fleet.power_off(host);
    let booting = tokio::spawn({
        let fleet = fleet.clone();
        async move { fleet.power_on(host).await }
    });
    while !fleet.host(host, |host| host.is_up()) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    let ran = sh(
        &fleet,
        host,
        "docker version --format '{{.Server.Version}}'",
    )
    .await;

    assert_eq!(
        (ran.status, ran.stdout.as_str()),
        (0, "25.0.14\n"),
        "{ran:?}"
    );
    booting.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_query_takes_the_names_of_rpm_for_its_tags() {
    let (fleet, host) = crate::testing::host_of("rocky-9", |_| {});

    let script = "dnf repoquery --quiet --queryformat '%{NAME} %{name}' --whatprovides jq";
    let ran = crate::testing::bash(&fleet, host, script).await;

    assert_eq!(ran.stdout, "jq jq\n", "{ran:?}");
}
