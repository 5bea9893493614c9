//! Services and runlevels on a host with OpenRC.

use std::time::Duration;

use crate::host::Init;
use crate::testing::{Ran, bash, host_of};
use crate::world::{Fleet, HostId};

const INSTALL: &str = "curl -fsSL https://repos.mirantis.com/ubuntu/gpg | gpg --dearmor -o /usr/share/keyrings/x.gpg
echo 'deb [signed-by=/usr/share/keyrings/x.gpg] https://repos.mirantis.com/ubuntu jammy stable-25.0' > /etc/apt/sources.list.d/x.list
apt-get update -qq && apt-get install -y -qq docker-ee >/dev/null 2>&1; echo installed $?; sleep 2\n";

const OWN: &str = "cat > /etc/init.d/own <<'X'
#!/sbin/openrc-run
command=/usr/bin/sleep
command_args=100000
command_background=yes
pidfile=/run/own.pid
X
chmod 755 /etc/init.d/own
";

fn host() -> (Fleet, HostId) {
    host_of("ubuntu-22.04", |spec| spec.init = Init::OpenRc)
}

async fn run(fleet: &Fleet, host: HostId, script: &str) -> Ran {
    let path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin\n";
    bash(fleet, host, &format!("{path}{script}")).await
}

#[tokio::test(start_paused = true)]
async fn the_package_of_the_engine_brings_its_service() {
    let (fleet, host) = host();

    let ran = run(
        &fleet,
        host,
        &format!(
            "{INSTALL}rc-service docker status; docker info --format '{{{{.CgroupDriver}}}}'
             rc-update show default | grep docker; rc-service docker restart; sleep 1
             docker ps -q; echo $?; rc-service docker stop; docker ps 2>&1 | head -c 30; echo
             rc-service docker status; echo $?; ls /run/docker.pid; cat /var/log/docker.log | wc -l"
        ),
    )
    .await;

    assert_eq!(
        ran.stdout,
        "installed 0\nDocker is running.\ncgroupfs\n               docker | default\n\
         Stopping Docker: docker.\nStarting Docker: docker.\n0\nStopping Docker: docker.\n\
         Cannot connect to the Docker d\nDocker is not running ... failed!\n3\n10\n",
        "{ran:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_cannot_start_says_so_in_its_log_only() {
    let (fleet, host) = host();

    let ran = run(
        &fleet,
        host,
        &format!(
            "{INSTALL}echo '{{' > /etc/docker/daemon.json; rc-service docker restart; echo $?; sleep 2
             rc-service docker status; echo $?; tail -n 1 /var/log/docker.log | head -c 20"
        ),
    )
    .await;

    assert!(
        ran.stdout.ends_with("Starting Docker: docker.\n0\nDocker is not running ... failed!\n1\nunable to configure "),
        "{ran:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_in_no_runlevel_does_not_come_back_after_a_boot() {
    let (fleet, host) = host();
    let script = format!("{INSTALL}{OWN}rc-service own start; rc-service docker status");
    let before = run(&fleet, host, &script).await;
    assert!(before.stdout.contains("Docker is running"), "{before:?}");

    fleet.reboot(host).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let first = run(
        &fleet,
        host,
        "rc-service own status; rc-service docker status; rc-service ssh status; rc-status -r",
    )
    .await;
    run(
        &fleet,
        host,
        "rc-update add own default; rc-update del docker default",
    )
    .await;
    fleet.reboot(host).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let second = run(
        &fleet,
        host,
        "rc-service own status; rc-service docker status; rc-service ssh status",
    )
    .await;

    assert_eq!(
        first.stdout, " * status: stopped\nDocker is running.\nsshd is running.\ndefault\n",
        "{first:?}"
    );
    assert_eq!(
        second.stdout, " * status: started\nDocker is not running ... failed!\nsshd is running.\n",
        "{second:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_killed_stays_dead() {
    let (fleet, host) = host();

    let ran = run(
        &fleet,
        host,
        &format!(
            "{INSTALL}kill -9 $(cat /run/docker.pid); sleep 60; docker ps >/dev/null 2>&1; echo $?
                  rc-service docker start; sleep 1; docker ps >/dev/null; echo $?"
        ),
    )
    .await;

    assert_eq!(
        ran.stdout, "installed 0\n1\nStarting Docker: docker.\n0\n",
        "{ran:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_of_systemd_is_there() {
    let (fleet, host) = host();

    let ran = run(
        &fleet,
        host,
        "ls -d /run/systemd; command -v systemctl journalctl timedatectl; ps -p 1 -o comm=; systemctl",
    )
    .await;

    assert_eq!(
        (ran.stdout.as_str(), ran.status),
        ("init\n", 127),
        "{ran:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_reboot_is_asked_for_as_anywhere() {
    let (fleet, host) = host();
    let before = fleet.host(host, |host| host.boot_id.clone());

    let refused = run(&fleet, host, "sudo -u nobody /usr/sbin/reboot").await;
    let ran = run(&fleet, host, "reboot").await;
    tokio::time::sleep(Duration::from_secs(60)).await;

    assert_eq!(refused.stderr, "reboot: must be superuser.\n");
    assert_eq!(ran.status, 0, "{ran:?}");
    assert_ne!(fleet.host(host, |host| host.boot_id.clone()), before);
}

#[test]
fn systems_without_openrc_are_refused() {
    let fleet = Fleet::new(1, Duration::ZERO);
    let mut spec = crate::build::HostSpec::new("m1", [10, 0, 0, 1].into());
    (spec.init, spec.profile) = (Init::OpenRc, "rocky-9".to_owned());

    let refused = fleet.add_host(&spec).unwrap_err();

    assert_eq!(
        refused.to_string(),
        "there is no OpenRC for `rocky-9`; Ubuntu has it"
    );
}
