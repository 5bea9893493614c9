//! Ways to hosts: behind a bastion and not otherwise, under names that only it resolves, over IPv6; and a second
//! interface for what the nodes say to each other.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::future::try_join_all;
use serde_json::json;

use super::refusal::{Before, Refusal, refused};
use super::{Scene, converged};
use crate::command::Cmd;
use crate::lab::services::MKE_VERSIONS;
use crate::lab::{Config, Host, PREFIX};
use crate::paths::write;
use crate::recipe::host::USER;

/// The domain of the hosts.
const DOMAIN: &str = ".lab.example";

/// The way to the others; it is no host of the cluster.
const BASTION: &str = "w9";

/// The hosts that are reached only through it: by `bastion`, and by `ProxyJump`.
const BEHIND: [&str; 2] = ["m1", "w1"];

/// The address of this machine in the lab's network.
const MACHINE: &str = "10.77.0.1";

/// The second interface, and the network on it.
const INTERFACE: &str = "lab1";
const PRIVATE: &str = "10.77.9";

/// Plays the story.
pub(crate) async fn play(scene: &mut Scene) -> Result<()> {
    let bastion = scene.lab.host(BASTION)?.clone();
    let hosts: Vec<Host> = scene
        .lab
        .hosts
        .iter()
        .filter(|host| host.name != bastion.name)
        .cloned()
        .collect();
    set_up(&hosts, &bastion).await?;
    let config = config(scene, &hosts, &bastion)?;
    let path = scene.save(&config)?;
    closed_bastion(scene, &path, &hosts, &bastion).await?;

    let before = bastion.ssh_count().await?;
    scene
        .launchpad()?
        .run(&["apply", "-c", &path])
        .await?
        .expect(0)?;
    let plan = scene.launchpad()?.run(&["plan", "-c", &path]).await?;
    scene.check_equal("the exit status of a plan with nothing to do", plan.code, 0);
    let logins = bastion.ssh_count().await?.since(before).logins;
    scene.moment("after-apply").await?;
    // Once by `bastion` and once by `ProxyJump`, for each of the two runs.
    scene.check((2..=4).contains(&logins), || {
        format!("two runs have logged in to the bastion {logins} times")
    });
    check_ways(scene, &hosts).await?;
    converged::check_hosts(scene, &hosts, DOMAIN, MKE_VERSIONS[0]).await?;
    converged::check_clean(scene, "after an apply").await
}

fn full_name(host: &Host) -> String {
    format!("{}{DOMAIN}", host.name)
}

fn last_octet(host: &Host) -> u8 {
    host.ip.octets()[3]
}

fn six(host: &Host) -> String {
    format!("fd77::1:{}", last_octet(host))
}

fn is_behind(host: &Host) -> bool {
    BEHIND.contains(&host.name.to_string().as_str())
}

/// Gives the hosts names, interfaces and addresses, and closes the direct ways.
async fn set_up(hosts: &[Host], bastion: &Host) -> Result<()> {
    Cmd::new("ip")
        .args([
            "-6",
            "address",
            "replace",
            "fd77::ff/64",
            "dev",
            PREFIX,
            "nodad",
        ])
        .run()
        .await?;
    let names: String = hosts
        .iter()
        .map(|host| format!("{} {}\n", host.ip, full_name(host)))
        .collect();
    bastion
        .exec(["tee", "-a", "/etc/hosts"])
        .input(names)
        .run()
        .await?;
    try_join_all(hosts.iter().map(|host| async move {
        let (name, number) = (full_name(host), last_octet(host));
        // A process of this machine would come from its own address in the network, and not get in.
        let close = if is_behind(host) {
            format!("iptables -I INPUT -s {MACHINE} -p tcp -j DROP")
        } else {
            format!(
                "sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0\n\
                 ip -6 address add {}/64 dev eth0 nodad",
                six(host)
            )
        };
        let script = format!(
            "set -eu\n\
             echo {name} >/etc/hostname; hostname {name}; echo '{ip} {name}' >>/etc/hosts\n\
             ip link add {INTERFACE} link eth0 type macvlan mode bridge\n\
             ip address add {PRIVATE}.{number}/24 dev {INTERFACE}\n\
             ip link set {INTERFACE} up\n{close}\n",
            ip = host.ip,
        );
        host.sh(&script).await
    }))
    .await
    .context("the ways to the hosts cannot be laid")?;
    Ok(())
}

/// Describes the cluster as somebody would who knows the ways, partly in `launchpad.yaml` and partly in ssh_config.
fn config(scene: &Scene, hosts: &[Host], bastion: &Host) -> Result<Config> {
    let key = scene.lab.key();
    let mut config = Config::of(hosts, &key);
    for host in hosts {
        config = config.with_host(host, "privateInterface", json!(INTERFACE));
        if host.name.to_string() == BEHIND[0] {
            let bastion =
                json!({ "address": bastion.ip.to_string(), "user": USER, "keyPath": key });
            config = config.with_host(host, "ssh/bastion", bastion);
        }
        let address = if is_behind(host) {
            full_name(host)
        } else {
            six(host)
        };
        // Last: by its address the host is found.
        config = config.with_host(host, "ssh/address", json!(address));
    }
    let ssh_config = ssh_config(bastion, &key);
    write(&scene.lab.home().join(".ssh/config"), ssh_config)?;
    Ok(config)
}

fn ssh_config(bastion: &Host, key: &Path) -> String {
    format!(
        "Host {}{DOMAIN}\n  ProxyJump {USER}@{ip}\n\nHost {ip}\n  IdentityFile {}\n  IdentitiesOnly yes\n",
        BEHIND[1],
        key.display(),
        ip = bastion.ip,
    )
}

/// A bastion that does not forward leads nowhere, and says so.
async fn closed_bastion(
    scene: &mut Scene,
    path: &str,
    hosts: &[Host],
    bastion: &Host,
) -> Result<()> {
    let set = |allowed: &str| {
        format!(
            "echo 'AllowTcpForwarding {allowed}' >/etc/ssh/sshd_config.d/forwarding.conf; systemctl reload ssh"
        )
    };
    bastion.sh(&set("no")).await?;
    let before = Before::of(hosts).await?;
    let address = bastion.ip.to_string();
    let when = "behind a bastion that does not forward";
    let behind = BEHIND.map(|name| format!("{name}{DOMAIN}"));
    let refusal = Refusal {
        when,
        within: Duration::from_secs(20),
        says: &[
            &address,
            &behind[0],
            &behind[1],
            "refuses to forward",
            "`AllowTcpForwarding`",
        ],
        never_says: &[],
    };
    refused(scene, &["apply", "-c", path], &refusal).await?;
    before.check_unchanged(scene, when).await?;
    bastion.sh(&set("yes")).await?;
    Ok(())
}

/// Nothing came to the hosts by a way that is closed, and the nodes talk over the second interface. Then the ways
/// are opened for whoever looks at the hosts.
async fn check_ways(scene: &mut Scene, hosts: &[Host]) -> Result<()> {
    for host in hosts {
        let address = host
            .exec(["docker", "info", "--format", "{{.Swarm.NodeAddr}}"])
            .run()
            .await?;
        let wanted = format!("{PRIVATE}.{}", last_octet(host));
        scene.check_equal(
            &format!("the address of the node {}", host.name),
            address.text(),
            &wanted,
        );
        if !is_behind(host) {
            continue;
        }
        let script = format!(
            "iptables -nvxL INPUT | awk '$8 == \"{MACHINE}\" {{ print $1 }}'; \
             iptables -D INPUT -s {MACHINE} -p tcp -j DROP"
        );
        let packets = host.sh(&script).await?;
        scene.check_equal(
            &format!("packets of this machine that were dropped by {}", host.name),
            packets.text(),
            "0",
        );
    }
    Ok(())
}
