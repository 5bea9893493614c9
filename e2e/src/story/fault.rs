//! Faults planted on purpose: a story that does not see its fault proves nothing.

use std::time::Duration;

use anyhow::{Result, bail};
use futures_util::future::BoxFuture;

use super::secrets::ADMIN_PASSWORD;
use crate::command::Cmd;
use crate::lab::{Lab, PREFIX};

/// A fault and the moment of the story at which it is planted.
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) story: &'static str,
    /// The moment, as the story names it.
    pub(crate) moment: &'static str,
    /// What it does.
    pub(crate) about: &'static str,
    /// What the story must say about it.
    pub(crate) sign: &'static str,
    pub(crate) plant: for<'a> fn(&'a mut Lab) -> BoxFuture<'a, Result<()>>,
}

/// All faults.
pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "registry-down",
        story: "smoke",
        moment: "before-pull",
        about: "the registry is stopped before the hosts pull from it",
        sign: "mirantis/ucp:3.8.8",
        plant: |_| Box::pin(stop_service("registry")),
    },
    Fault {
        name: "file-rewritten",
        story: "smoke",
        moment: "between-inventories",
        about: "a file is replaced by a copy of itself while nothing should change",
        sign: "/etc/hostname.lab: written again",
        plant: |lab| {
            Box::pin(on(
                lab,
                "m1",
                "cd /etc && cp -p hostname.lab x && mv x hostname.lab",
            ))
        },
    },
    Fault {
        name: "plan-changes-a-host",
        story: "install",
        moment: "after-plan",
        about: "a plan updates the package lists of one host",
        sign: "a plan changed w2",
        plant: |lab| Box::pin(on(lab, "w2", "apt-get update -q")),
    },
    Fault {
        name: "label-not-set",
        story: "install",
        moment: "after-apply",
        about: "one node lacks its label",
        sign: "label com.mirantis.launchpad.managed of w1",
        plant: |lab| {
            let script = "docker node update --label-rm com.mirantis.launchpad.managed w1";
            Box::pin(on(lab, "m1", script))
        },
    },
    Fault {
        name: "controller-down",
        story: "install",
        moment: "after-apply",
        about: "MKE's API does not answer on one manager",
        sign: "/_ping of m3 is not OK",
        plant: |lab| {
            let script = "iptables -I INPUT -p tcp --dport 443 -j REJECT --reject-with tcp-reset";
            Box::pin(on(lab, "m3", script))
        },
    },
    Fault {
        name: "second-apply-rewrites",
        story: "again",
        moment: "after-second-apply",
        about: "a second apply writes a repository file again, with the same content",
        sign: "written again with the same content",
        plant: |lab| {
            let script = "cd /etc/apt/sources.list.d && for f in *; do cp -p $f /tmp/x && mv /tmp/x $f; done";
            Box::pin(on(lab, "w1", script))
        },
    },
    Fault {
        name: "second-apply-asks-more",
        story: "again",
        moment: "after-second-apply",
        about: "a second apply sends one host two commands more",
        sign: "an apply with nothing to do sent",
        plant: |lab| {
            Box::pin(async {
                let host = lab.host("w2")?.clone();
                host.ssh(&["true"]).run().await?;
                host.ssh(&["true"]).run().await?;
                Ok(())
            })
        },
    },
    Fault {
        name: "no-daemon-reload",
        story: "change",
        moment: "before-change",
        about: "systemd on w1 does not read changed units again",
        // Launchpad notices by itself, and does not call it done.
        sign: "engine.needs_restart",
        plant: |lab| {
            let script = r#"
                mv /usr/bin/systemctl /usr/bin/systemctl.real
                cat >/usr/bin/systemctl <<'END'
#!/bin/sh
# Enabling a unit makes systemd read all of them again, too.
case $1 in daemon-reload|enable) exit 0 ;; esac
exec /usr/bin/systemctl.real "$@"
END
                chmod 755 /usr/bin/systemctl"#;
            Box::pin(on(lab, "w1", script))
        },
    },
    Fault {
        name: "other-host-touched",
        story: "change",
        moment: "before-comparing",
        about: "the engine of a host that has nothing to change is restarted",
        sign: "w2 was not to be touched",
        plant: |lab| Box::pin(on(lab, "w2", "systemctl restart docker")),
    },
    Fault {
        name: "other-engine-restarted",
        story: "outages",
        moment: "after-restart",
        about: "the engine of a worker is restarted, where only that of the leader was dead",
        sign: "engine starts on w2",
        plant: |lab| Box::pin(on(lab, "w2", "systemctl restart docker")),
    },
    Fault {
        name: "temporary-file-left",
        story: "interrupted",
        moment: "after-interrupt",
        about: "an interrupted run leaves a temporary file beside its target",
        sign: "/etc/docker/daemon.json.tmp",
        plant: |lab| {
            Box::pin(on(
                lab,
                "w1",
                "mkdir -p /etc/docker && touch /etc/docker/daemon.json.tmp",
            ))
        },
    },
    Fault {
        name: "installer-removed",
        story: "interrupted",
        moment: "held",
        about: "the installer at work is replaced by a new one",
        sign: "installer",
        plant: |lab| Box::pin(on(lab, "m1", "docker unpause ucp; docker rm -f ucp")),
    },
    Fault {
        name: "repository-left",
        story: "reset",
        moment: "after-reset",
        about: "a reset leaves the product's repository on a host",
        sign: "/etc/apt/sources.list.d/mirantis.sources",
        plant: |lab| {
            Box::pin(on(
                lab,
                "w1",
                "echo left >/etc/apt/sources.list.d/mirantis.sources",
            ))
        },
    },
    Fault {
        name: "data-left",
        story: "reset",
        moment: "after-prune",
        about: "a reset with prune leaves the engine's data",
        sign: "file /var/lib/docker: new",
        plant: |lab| Box::pin(on(lab, "w1", "mkdir -p /var/lib/docker/volumes")),
    },
    Fault {
        name: "secret-in-arguments",
        story: "secrets",
        moment: "during-apply",
        about: "a process on a host has the administrator's password in its arguments",
        sign: "the admin password was in the Arguments",
        plant: |lab| {
            Box::pin(async {
                let host = lab.host("w1")?.clone();
                host.exec(["sh", "-c", "sleep 1; :", ADMIN_PASSWORD])
                    .run()
                    .await?;
                Ok(())
            })
        },
    },
    Fault {
        name: "secret-in-a-file",
        story: "secrets",
        moment: "after-apply",
        about: "a host keeps the administrator's password in a file, as JSON",
        sign: "the admin password is in files of w1",
        plant: |lab| {
            Box::pin(async {
                let host = lab.host("w1")?.clone();
                let content = serde_json::json!({ "password": ADMIN_PASSWORD }).to_string();
                host.exec(["tee", "/root/answers.json"])
                    .input(content)
                    .run()
                    .await?;
                Ok(())
            })
        },
    },
    Fault {
        name: "refusal-changes-a-host",
        story: "doors",
        moment: "after-refusal",
        about: "a run that refuses has updated the package lists of one host",
        sign: "without a way to become root, launchpad has changed m1",
        plant: |lab| Box::pin(on(lab, "m1", "apt-get update -q")),
    },
    Fault {
        name: "refusal-writes-a-file",
        story: "shortage",
        moment: "after-refusal",
        about: "a run that refuses has written the settings of an engine",
        sign: "without its package repository, launchpad has changed w1",
        plant: |lab| {
            let script = "mkdir -p /etc/docker && echo '{}' >/etc/docker/daemon.json";
            Box::pin(on(lab, "w1", script))
        },
    },
    Fault {
        name: "host-thaws",
        story: "hard/frozen",
        moment: "frozen",
        about: "the host that freezes in the middle of an apply goes on at once",
        sign: "the exit status with a host that freezes in the middle",
        plant: |lab| {
            Box::pin(async {
                let host = lab.host("w2")?.clone();
                host.unpause().await
            })
        },
    },
    Fault {
        name: "direct-way",
        story: "ways",
        moment: "after-apply",
        about: "a run tries the direct way to a host behind a bastion",
        sign: "packets of this machine that were dropped by m1",
        plant: |lab| {
            Box::pin(async {
                let address = (lab.host("m1")?.ip, 22);
                let connecting = tokio::net::TcpStream::connect(address);
                let tried = tokio::time::timeout(Duration::from_secs(2), connecting).await;
                match tried {
                    Ok(Ok(_)) => bail!("the direct way to m1 is open"),
                    Ok(Err(_)) | Err(_) => Ok(()),
                }
            })
        },
    },
    Fault {
        name: "engine-not-enabled",
        story: "mixed",
        moment: "after-apply",
        about: "the engine of a host with Rocky Linux does not start with it",
        sign: "the engine of w2",
        plant: |lab| Box::pin(on(lab, "w2", "systemctl disable docker.service")),
    },
];

/// Runs a script on a host.
async fn on(lab: &mut Lab, host: &str, script: &'static str) -> Result<()> {
    lab.host(host)?.sh(script).await?;
    Ok(())
}

async fn stop_service(name: &str) -> Result<()> {
    Cmd::new("docker")
        .args(["stop", &format!("{PREFIX}-{name}")])
        .run()
        .await?;
    Ok(())
}
