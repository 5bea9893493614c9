//! What is true of a cluster that Launchpad has made, looked at from its hosts.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::Scene;
use crate::https::Trust;
use crate::lab::{Host, cluster};

/// The label of every node that Launchpad manages.
const MANAGED: &str = "com.mirantis.launchpad.managed";

/// The label of managers with the names their certificate must have.
const SANS: &str = "com.docker.ucp.SANs";

/// How long the API may take after the last change of its nodes.
const HEALTHY: Duration = Duration::from_secs(60);

/// How long workers may take until they have reported to a leader that is new.
const KNOWN: Duration = Duration::from_secs(30);

/// Checks nodes, roles, labels, certificates, health, and the engines of all hosts.
pub(crate) async fn check(scene: &mut Scene, version: &str) -> Result<Trust> {
    let hosts = scene.lab.hosts.clone();
    check_hosts(scene, &hosts, "", version).await
}

/// Checks the same of some hosts, whose names end with a domain.
pub(crate) async fn check_hosts(
    scene: &mut Scene,
    hosts: &[Host],
    domain: &str,
    version: &str,
) -> Result<Trust> {
    let managers: Vec<&Host> = hosts.iter().filter(|host| host.name.is_manager()).collect();
    check_nodes(scene, hosts, domain, managers[0]).await?;
    let ca = cluster::ca(managers[0], version).await?;
    // Under each manager's own address: its certificate has that name, signed by the cluster's CA.
    cluster::wait_healthy(&managers, &ca, HEALTHY).await?;
    for host in hosts {
        check_engine(scene, host, version).await?;
    }
    Ok(ca)
}

async fn check_nodes(scene: &mut Scene, hosts: &[Host], domain: &str, leader: &Host) -> Result<()> {
    let started = Instant::now();
    let nodes = loop {
        let nodes = cluster::nodes(leader).await?;
        let is_known = nodes.iter().all(|node| node.state != "unknown");
        if is_known || started.elapsed() > KNOWN {
            break nodes;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let found: Vec<String> = nodes
        .iter()
        .map(|node| {
            format!(
                "{} {} {} {}",
                node.hostname, node.role, node.state, node.availability
            )
        })
        .collect();
    let mut wanted: Vec<String> = hosts
        .iter()
        .map(|host| {
            let role = if host.name.is_manager() {
                "manager"
            } else {
                "worker"
            };
            format!("{}{domain} {role} ready active", host.name)
        })
        .collect();
    wanted.sort();
    scene.check_equal("the nodes of the swarm", found, wanted);
    let addresses: BTreeSet<String> = hosts
        .iter()
        .filter(|host| host.name.is_manager())
        .map(|host| host.ip.to_string())
        .collect();
    for node in nodes {
        let managed = node.labels.get(MANAGED).map(String::as_str);
        scene.check_equal(
            &format!("label {MANAGED} of {}", node.hostname),
            managed,
            Some("true"),
        );
        let sans = node.labels.get(SANS).map(|sans| names(sans));
        let wanted = (node.role == "manager").then(|| addresses.clone());
        scene.check_equal(&format!("label {SANS} of {}", node.hostname), sans, wanted);
    }
    Ok(())
}

fn names(list: &str) -> BTreeSet<String> {
    list.split(',').map(str::to_owned).collect()
}

/// Checks that the engine comes from the product's repository and starts with the host, and that MKE runs in it.
async fn check_engine(scene: &mut Scene, host: &Host, version: &str) -> Result<()> {
    let script = r#"
        if command -v dpkg-query >/dev/null; then
            dpkg-query -W -f '${Package} ${db:Status-Abbrev}\n' docker-ee docker-ee-cli containerd.io
        else
            rpm -q --qf '%{NAME} ii\n' containerd.io docker-ee docker-ee-cli
        fi
        systemctl is-enabled docker.service
        systemctl is-active docker.service containerd.service
        grep -rlsF repos.mirantis.com /etc/apt/sources.list.d /etc/yum.repos.d /etc/zypp/repos.d | wc -l
    "#;
    let found = host.sh(script).await?;
    let lines: Vec<&str> = found.stdout.lines().map(str::trim).collect();
    let wanted = vec![
        "containerd.io ii",
        "docker-ee ii",
        "docker-ee-cli ii",
        "enabled",
        "active",
        "active",
        "1",
    ];
    scene.check_equal(&format!("the engine of {}", host.name), lines, wanted);
    let wanted = format!("mirantis/ucp-proxy:{version} true");
    let proxy = wait_proxy(host, &wanted).await?;
    scene.check_equal(
        &format!("container ucp-proxy of {}", host.name),
        proxy,
        wanted,
    );
    Ok(())
}

/// Waits for MKE's proxy: the agent of a node that has just joined starts it by itself.
async fn wait_proxy(host: &Host, wanted: &str) -> Result<String> {
    let started = Instant::now();
    loop {
        let proxy = host
            .exec([
                "docker",
                "inspect",
                "--format",
                "{{.Config.Image}} {{.State.Running}}",
            ])
            .arg("ucp-proxy")
            .finish()
            .await?;
        // Whatever registry it came from.
        let found = proxy.text();
        let found = found
            .find("mirantis/")
            .map_or(found, |start| &found[start..]);
        if found == wanted || started.elapsed() > HEALTHY {
            return Ok(found.to_owned());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Checks that a run left nothing half done: no temporary file, no lock, no process, no bootstrap container.
pub(crate) async fn check_clean(scene: &mut Scene, when: &str) -> Result<()> {
    for host in scene.lab.hosts.clone() {
        let left = leftovers(&host).await?;
        scene.check(left.is_empty(), || {
            format!("{when}, {} has left on it: {left}", host.name)
        });
    }
    Ok(())
}

/// Returns what a stopped run may not leave on a host.
pub(crate) async fn leftovers(host: &Host) -> Result<String> {
    // The names of editors' and downloaders' temporary files, and anything of launchpad's in volatile places.
    let script = r#"
        find /etc /root /home /usr/local /usr/share/keyrings -xdev \
            \( -name '*.tmp' -o -name '*.part' -o -name '*.launchpad-*' -o -name '.launchpad*' \
            -o -name '*.dpkg-new' -o -name '*~' \) 2>/dev/null
        find /tmp /var/tmp /dev/shm -mindepth 1 -maxdepth 1 \
            ! -name 'systemd-private-*' ! -name '.*-unix' 2>/dev/null
        find /run/lock -type f 2>/dev/null
        find /run -maxdepth 1 -iname '*launchpad*' ! -name launchpad 2>/dev/null
        # The name of the last run stays: by it the next one sees that its facts are not stale.
        find /run/launchpad -mindepth 1 ! -name last-run 2>/dev/null
        pgrep -a -x 'apt-get|dpkg|apt|dnf|yum|rpm|zypper' || true
        if command -v dpkg >/dev/null; then dpkg --audit; fi
    "#;
    let found = host.sh(script).await?;
    Ok(found.stdout.lines().collect::<Vec<_>>().join("; "))
}
