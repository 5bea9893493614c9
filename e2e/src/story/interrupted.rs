//! Runs that end before their time: interrupted, killed, cut off, doubled. The next apply takes up where they stopped.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use serde_json::json;

use super::{Scene, converged};
use crate::lab::Host;
use crate::lab::launchpad::{Run, Running};
use crate::lab::services::MKE_VERSIONS;

/// How long launchpad may take to reach a point.
const REACH: Duration = Duration::from_secs(180);

/// How long it may take to end after a signal: a package that is being installed is waited for.
const END: Duration = Duration::from_secs(120);

/// The status of a run that Ctrl-C has ended.
const INTERRUPTED: i32 = 130;

/// The container of a long step of the vendor.
const BOOTSTRAPPER: &str = "ucp";

/// Moments of an apply on bare hosts, in their order, each seen on a host.
const POINTS: &[Point] = &[
    Point {
        name: "while it connects",
        host: "w1",
        seen: "pgrep -f '^sshd: lab'",
    },
    Point {
        name: "while it prepares hosts",
        host: "w1",
        seen: "pgrep -x apt-get",
    },
    Point {
        name: "while an engine is installed",
        host: "w1",
        seen: "pgrep -x dpkg",
    },
    Point {
        name: "while the swarm is made",
        host: "m1",
        seen: "docker info --format '{{.Swarm.LocalNodeState}}' | grep -qx active",
    },
    Point {
        name: "while MKE is installed",
        host: "m1",
        // Held from here on, so that what follows finds the installer at work.
        seen: "[ \"$(docker inspect -f '{{.State.Running}}' ucp)\" = true ] && docker pause ucp",
    },
];

/// A moment and how a host shows it.
struct Point {
    name: &'static str,
    host: &'static str,
    seen: &'static str,
}

/// Plays the story.
pub(crate) async fn play(scene: &mut Scene) -> Result<()> {
    let path = scene.save(&scene.lab.config())?;
    for point in POINTS {
        interrupt(scene, &path, point)
            .await
            .with_context(|| point.name.to_owned())?;
    }
    take_up(scene, &path).await?;
    converged::check(scene, MKE_VERSIONS[0]).await?;
    converged::check_clean(scene, "after all interruptions").await?;
    two_at_once(scene).await
}

/// Presses Ctrl-C at a point, and looks for what is left.
async fn interrupt(scene: &mut Scene, path: &str, point: &Point) -> Result<()> {
    let host = scene.lab.host(point.host)?.clone();
    let mut running = scene.launchpad()?.start(&["apply", "-c", path])?;
    running.until(wait_for(&host, point.seen)).await?;
    running.signal(Signal::INT)?;
    let run = running.finish(END).await?;
    scene.check_equal(
        &format!("the exit status {}", point.name),
        run.code,
        INTERRUPTED,
    );
    scene.moment("after-interrupt").await?;
    converged::check_clean(scene, &format!("after Ctrl-C {}", point.name)).await
}

/// Waits until a command on a host succeeds.
pub(super) async fn wait_for(host: &Host, seen: &str) -> Result<()> {
    let script = format!("until {{ {seen}; }} >/dev/null 2>&1; do sleep 0.02; done");
    host.exec(["sh", "-c", &script]).within(REACH).run().await?;
    Ok(())
}

/// With the installer held: a killed run, a cut connection, and then the run that finds its end.
async fn take_up(scene: &mut Scene, path: &str) -> Result<()> {
    let leader = scene.lab.host("m1")?.clone();
    let held = installer(&leader).await?;
    let since = leader.exec(["date", "+%s.%N"]).run().await?;
    scene.moment("held").await?;

    let mut running = follow(scene, &leader, path).await?;
    running.signal(Signal::KILL)?;
    running.finish(END).await?;
    // The host notices by itself; what runs there then belongs to the next run.
    let quiet = wait_for(&leader, "! pgrep -f '^sshd: lab@'").await;
    quiet.context("the session of a killed run goes on")?;
    running = follow(scene, &leader, path).await?;
    leader.kill_ssh_sessions().await?;
    leader
        .exec(["docker", "unpause", BOOTSTRAPPER])
        .finish()
        .await?;
    let cut = running.finish(REACH).await?;
    scene.check(cut.code == 0 || cut.code == 1, || {
        format!("a cut run ended with {}", cut.code)
    });
    scene
        .launchpad()?
        .run(&["apply", "-c", path])
        .await?
        .expect(0)?;

    let events = leader
        .exec(["docker", "events", "--since", since.text(), "--until", "0s"])
        .args(["--filter", "type=container", "--format"])
        .arg("{{.Action}} {{.ID}} {{.Actor.Attributes.name}} {{.Actor.Attributes.exitCode}}")
        .run()
        .await?;
    if let Err(problem) = one_installer(&events.stdout, &held) {
        scene.problem(problem);
    }
    Ok(())
}

/// Starts an apply and waits until it follows the installer that is at work already.
async fn follow(scene: &Scene, leader: &Host, path: &str) -> Result<Running> {
    let mut running = scene.launchpad()?.start(&["apply", "-c", path])?;
    let seen =
        "pgrep -f '^sshd: lab@' && pgrep -f 'docker (container )?(logs|wait|attach)( .*)? ucp'";
    running
        .until(wait_for(leader, seen))
        .await
        .context("no run follows the held installer")?;
    Ok(running)
}

async fn installer(leader: &Host) -> Result<String> {
    let id = leader
        .exec(["docker", "inspect", "--format", "{{.Id}}", BOOTSTRAPPER])
        .run()
        .await?;
    Ok(id.text().to_owned())
}

/// Checks that the held installer ended well and that no other was started beside it.
fn one_installer(events: &str, held: &str) -> Result<(), String> {
    for line in events.lines() {
        let mut words = line.split_whitespace();
        let (action, id, name) = (words.next(), words.next(), words.next());
        match (action, id) {
            (Some("die"), Some(id)) if id == held => {
                return match words.next() {
                    Some("0") => Ok(()),
                    code => Err(format!("the held installer ended with {code:?}")),
                };
            }
            (Some("create"), Some(id)) if name == Some(BOOTSTRAPPER) => {
                return Err(format!(
                    "a second installer, {id}, was made beside the first"
                ));
            }
            _ => {}
        }
    }
    Err("the held installer has not ended".to_owned())
}

/// Starts two applies of the same change: the work is done once, and the one that comes second says why it waits.
async fn two_at_once(scene: &mut Scene) -> Result<()> {
    let worker = scene.lab.host("w1")?.clone();
    let environment = json!({ "NO_PROXY": "10.77.0.0/16" });
    let path = scene.save(
        &scene
            .lab
            .config()
            .with_host(&worker, "environment", environment),
    )?;
    let before = worker.engine_starts().await?;
    let start = || scene.launchpad()?.start(&["apply", "-c", &path]);
    let (one, two) = (start()?, start()?);
    let (one, two) = tokio::try_join!(one.finish(REACH), two.finish(REACH))?;
    let starts = worker.engine_starts().await? - before;
    scene.check_equal("engine starts on w1 after two applies at once", starts, 1);
    if let Err(problem) = one_waits(&one, &two, &machine_name()?) {
        scene.problem(problem);
    }
    converged::check_clean(scene, "after two applies at once").await
}

/// Checks how two runs at once have ended: at least one well, the other well or with the holder's name.
fn one_waits(one: &Run, two: &Run, machine: &str) -> Result<(), String> {
    let failed: Vec<&Run> = [one, two].into_iter().filter(|run| run.code != 0).collect();
    match failed.as_slice() {
        [] => Ok(()),
        [refused] if refused.code == 1 && refused.text().contains(machine) => Ok(()),
        [refused] => Err(format!(
            "the second of two applies ended with {} and does not name the holder:\n{}",
            refused.code,
            refused.text()
        )),
        _ => Err("two applies at once failed both".to_owned()),
    }
}

fn machine_name() -> Result<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .context("cannot read the name of this machine")?;
    if name.trim().is_empty() {
        bail!("this machine has no name");
    }
    Ok(name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_held_installer_must_end_well() {
        assert_eq!(
            one_installer("create x other \ndie held ucp 0\n", "held"),
            Ok(())
        );
        assert!(one_installer("die held ucp 1\n", "held").is_err());
        assert!(one_installer("die other ucp 0\n", "held").is_err());
    }

    #[test]
    fn a_second_installer_is_seen() {
        let events = "create second ucp \ndie held ucp 0\n";

        let problem = one_installer(events, "held").unwrap_err();

        assert!(problem.contains("second"), "{problem}");
    }

    #[test]
    fn an_installer_after_the_first_has_ended_is_another_matter() {
        assert_eq!(
            one_installer("die held ucp 0\ncreate second ucp \n", "held"),
            Ok(())
        );
    }

    #[test]
    fn the_second_of_two_runs_names_the_holder() {
        let run = |code: i32, text: &str| Run {
            args: String::new(),
            code,
            took: Duration::ZERO,
            lines: vec![crate::lab::launchpad::Line {
                at: Duration::ZERO,
                stream: crate::lab::launchpad::Stream::Stderr,
                text: text.to_owned(),
            }],
        };

        assert_eq!(one_waits(&run(0, ""), &run(0, ""), "box"), Ok(()));
        assert_eq!(
            one_waits(&run(0, ""), &run(1, "held by root@box"), "box"),
            Ok(())
        );
        assert!(one_waits(&run(0, ""), &run(1, "locked"), "box").is_err());
        assert!(one_waits(&run(1, "box"), &run(1, "box"), "box").is_err());
    }
}
