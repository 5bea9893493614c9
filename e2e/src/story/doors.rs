//! What a login finds on strange hosts: shells that are not Bourne's and that chat, few sessions, a home that
//! cannot be written to, a /tmp that runs nothing, sudo that wants a password or a terminal, doas in its place.

use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::future::try_join_all;

use super::refusal::{Before, Refusal, refused};
use super::{Scene, converged};
use crate::lab::Host;
use crate::lab::services::MKE_VERSIONS;

/// A host and what is strange about it.
struct Door {
    host: &'static str,
    /// The login shell.
    shell: &'static str,
    /// Packages that it needs.
    packages: &'static str,
    /// What makes it strange, as root.
    set_up: &'static str,
    /// How many sessions sshd allows on a connection.
    sessions: u8,
}

/// All of them greet: a shell that is started by sshd reads these files, also where no terminal is.
const DOORS: &[Door] = &[
    Door {
        host: "m1",
        shell: "/bin/bash",
        packages: "",
        set_up: r#"
            for file in .bashrc .profile .bash_profile; do
                printf '%s\n' "echo bash greets from $file" 'echo and complains >&2' \
                    "printf 'without a line feed'" >"/home/lab/$file"
            done"#,
        sessions: 2,
    },
    Door {
        host: "w1",
        shell: "/usr/bin/fish",
        packages: "fish",
        set_up: r#"
            mkdir -p /home/lab/.config/fish
            printf '%s\n' 'echo fish greets' 'echo and complains >&2' >/home/lab/.config/fish/config.fish
            chown -R lab: /home/lab/.config"#,
        sessions: 1,
    },
    Door {
        host: "w2",
        shell: "/usr/bin/tcsh",
        packages: "tcsh",
        // A home that nobody can write to.
        set_up: r#"
            echo 'echo tcsh greets' >/home/lab/.cshrc
            mount --bind /home/lab /home/lab
            mount -o remount,bind,ro /home/lab"#,
        sessions: 10,
    },
    Door {
        host: "w3",
        shell: "/usr/bin/zsh",
        packages: "zsh opendoas",
        set_up: r#"
            printf '%s\n' 'echo zsh greets' 'echo and complains >&2' >/home/lab/.zshenv
            mount -o remount,noexec /tmp
            rm /usr/bin/sudo
            (umask 077 && echo 'permit nopass lab' >/etc/doas.conf)"#,
        sessions: 10,
    },
];

/// How long a run may take to say what it saw at its first look.
const FIRST_LOOK: Duration = Duration::from_secs(20);

/// How long an sshd may take to listen again.
const BACK: Duration = Duration::from_secs(30);

/// Plays the story.
pub(crate) async fn play(scene: &mut Scene) -> Result<()> {
    set_up(scene).await?;
    let path = scene.save(&scene.lab.config())?;
    no_shell(scene, &path).await?;
    no_privilege(scene, &path).await?;

    let before = Before::of(&scene.lab.hosts).await?;
    let plan = scene.launchpad()?.run(&["plan", "-c", &path]).await?;
    scene.check_equal("the exit status of a plan", plan.code, 3);
    before.check_unchanged(scene, "in a plan").await?;
    scene
        .launchpad()?
        .run(&["apply", "-c", &path])
        .await?
        .expect(0)?;
    converged::check(scene, MKE_VERSIONS[0]).await?;
    converged::check_clean(scene, "after an apply").await?;
    let plan = scene.launchpad()?.run(&["plan", "-c", &path]).await?;
    scene.check_equal("the exit status of a plan with nothing to do", plan.code, 0);
    Ok(())
}

/// Makes the hosts strange, and makes sure that they are.
async fn set_up(scene: &mut Scene) -> Result<()> {
    let lab = &scene.lab;
    let found = try_join_all(DOORS.iter().map(|door| async move {
        let host = lab.host(door.host)?;
        let Door {
            shell,
            packages,
            set_up,
            sessions,
            ..
        } = door;
        let install = if packages.is_empty() {
            String::new()
        } else {
            format!(
                "apt-get update -q; DEBIAN_FRONTEND=noninteractive apt-get install -y -q {packages}"
            )
        };
        let script = format!(
            "set -eu\n{install}\n{set_up}\nusermod -s {shell} lab\n\
             echo 'MaxSessions {sessions}' >/etc/ssh/sshd_config.d/sessions.conf\n\
             systemctl reload ssh\n"
        );
        host.sh(&script).await?;
        let limit = host.sh("sshd -T | grep -x 'maxsessions .*'").await?;
        // An sshd that reads its configuration again does not listen meanwhile.
        host.wait_ssh(BACK).await?;
        let greeting = host.ssh(&["true"]).run().await?;
        Ok::<_, anyhow::Error>((limit.text().to_owned(), greeting.stdout))
    }))
    .await
    .context("the hosts cannot be made strange")?;
    for (door, (limit, greeting)) in DOORS.iter().zip(found) {
        let wanted = format!("maxsessions {}", door.sessions);
        scene.check_equal(&format!("the sshd of {}", door.host), limit, wanted);
        scene.check(greeting.contains("greets"), || {
            format!("the shell of {} does not greet: {greeting}", door.host)
        });
    }
    Ok(())
}

/// A user who may not log in.
async fn no_shell(scene: &mut Scene, path: &str) -> Result<()> {
    let host = scene.lab.host("w2")?.clone();
    host.sh("usermod -s /usr/sbin/nologin lab").await?;
    let address = host.ip.to_string();
    let refusal = Refusal {
        when: "with a login shell that ends at once",
        within: FIRST_LOOK,
        says: &[
            &address,
            "This account is currently not available",
            "`usermod -s /bin/sh USER`",
        ],
        never_says: &[],
    };
    refused(scene, &["apply", "-c", path], &refusal).await?;
    host.sh("usermod -s /usr/bin/tcsh lab").await?;
    Ok(())
}

/// sudo that wants a terminal, sudo that wants a password, doas that wants one: all are told at once.
async fn no_privilege(scene: &mut Scene, path: &str) -> Result<()> {
    let host = |name: &str| scene.lab.host(name).cloned();
    let (tty, password, doas) = (host("w1")?, host("w2")?, host("w3")?);
    tty.sh("echo 'Defaults requiretty' >/etc/sudoers.d/tty")
        .await?;
    let rule = |rule: &str| format!("echo 'lab ALL=(ALL) {rule}' >/etc/sudoers.d/lab");
    password.sh(&rule("ALL")).await?;
    doas.sh("echo 'permit lab' >/etc/doas.conf").await?;
    let before = Before::of(&scene.lab.hosts).await?;
    let addresses: Vec<String> = [&tty, &password, &doas]
        .map(|host| host.ip.to_string())
        .into();
    let mut says = vec![
        "`lab` is not root",
        "you must have a tty to run sudo",
        "`Defaults:lab !requiretty`",
        "a password is required",
        "`lab ALL=(ALL) NOPASSWD: ALL`",
        "doas: Authentication required",
        "`permit nopass lab`",
    ];
    says.extend(addresses.iter().map(String::as_str));
    let refusal = Refusal {
        when: "without a way to become root",
        within: FIRST_LOOK,
        says: &says,
        never_says: &["listens on ports"],
    };
    refused(scene, &["apply", "-c", path], &refusal).await?;
    scene.moment("after-refusal").await?;
    before
        .check_unchanged(scene, "without a way to become root")
        .await?;
    // What the messages say is done, letter for letter.
    tty.sh("echo 'Defaults:lab !requiretty' >/etc/sudoers.d/zz-tty")
        .await?;
    password.sh(&rule("NOPASSWD: ALL")).await?;
    doas.sh("echo 'permit nopass lab' >/etc/doas.conf").await?;
    check_modes(scene, &[tty, password]).await
}

/// A file that sudo does not take would prove nothing.
async fn check_modes(scene: &mut Scene, hosts: &[Host]) -> Result<()> {
    for host in hosts {
        let id = host.ssh(&["sudo", "-n", "id", "-u"]).run().await?;
        let last = id.text().lines().last().unwrap_or_default().to_owned();
        scene.check_equal(&format!("sudo on {}", host.name), last, "0".to_owned());
    }
    Ok(())
}
