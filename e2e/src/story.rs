//! Stories: what users do, asserted from the hosts' side, and the faults that must turn each of them red.

mod again;
mod change;
mod converged;
mod doors;
mod fault;
mod frozen;
mod install;
mod interrupted;
mod mixed;
mod outages;
mod refusal;
mod reset;
mod runner;
mod secrets;
mod shortage;
mod smoke;
mod ways;

use std::fmt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures_util::future::BoxFuture;

use crate::lab::launchpad::Launchpad;
use crate::lab::services::MKE_VERSIONS;
use crate::lab::{Config, Flavour, Lab, Name};
use crate::talk::seconds;

pub(crate) use fault::Fault;
pub(crate) use runner::{caught, play_all, play_faults};

/// Something users do, with what must then be true.
pub(crate) struct Story {
    pub(crate) name: &'static str,
    /// What is proved, in one line.
    pub(crate) about: &'static str,
    /// The hosts it starts with.
    hosts: &'static [&'static str],
    flavour: Flavour,
    /// What the hosts are when it starts, and when it has ended well.
    from: State,
    leaves: State,
    /// Whether it runs Launchpad.
    tool: Tool,
    play: for<'a> fn(&'a mut Scene) -> BoxFuture<'a, Result<()>>,
}

/// What a set of hosts is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Fresh.
    Bare,
    /// A cluster made by `apply` of the lab's configuration.
    Installed,
    /// Anything: the next story gets fresh hosts.
    Used,
}

/// What a story tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tool {
    Lab,
    Launchpad,
}

/// All stories, in the order they are played.
const STORIES: &[Story] = &[
    Story {
        name: "smoke",
        about: "the lab itself: hosts, packages, registries, a swarm, reboots, inventories, counts",
        hosts: &["m1", "m2", "w1"],
        flavour: Flavour::Bare,
        from: State::Bare,
        leaves: State::Used,
        tool: Tool::Lab,
        play: |scene| Box::pin(smoke::play(scene)),
    },
    Story {
        name: "install",
        about: "a plan changes nothing, an apply makes a healthy cluster of bare hosts",
        hosts: &["m1", "m2", "m3", "w1", "w2"],
        flavour: Flavour::Bare,
        from: State::Bare,
        leaves: State::Installed,
        tool: Tool::Launchpad,
        play: |scene| Box::pin(install::play(scene)),
    },
    Story {
        name: "again",
        about: "an apply with nothing to do changes nothing and asks each host once",
        hosts: &["m1", "m2", "m3", "w1", "w2"],
        flavour: Flavour::Bare,
        from: State::Installed,
        leaves: State::Installed,
        tool: Tool::Launchpad,
        play: |scene| Box::pin(again::play(scene)),
    },
    Story {
        name: "change",
        about: "a new host, engine settings, an environment: only those hosts are touched",
        hosts: &["m1", "m2", "m3", "w1", "w2"],
        flavour: Flavour::Bare,
        from: State::Installed,
        leaves: State::Installed,
        tool: Tool::Launchpad,
        play: |scene| Box::pin(change::play(scene)),
    },
    Story {
        name: "outages",
        about: "a dead engine, a frozen host, a new host key, another swarm, a slow way, a reboot",
        // As `change` leaves them.
        hosts: &["m1", "m2", "m3", "w1", "w2", "w3"],
        flavour: Flavour::Bare,
        from: State::Installed,
        leaves: State::Used,
        tool: Tool::Launchpad,
        play: |scene| Box::pin(outages::play(scene)),
    },
    Story {
        name: "interrupted",
        about: "Ctrl-C at five points, kill -9, a cut connection, two applies at once",
        hosts: &["m1", "m2", "m3", "w1"],
        flavour: Flavour::Bare,
        from: State::Bare,
        leaves: State::Used,
        tool: Tool::Launchpad,
        play: |scene| Box::pin(interrupted::play(scene)),
    },
    Story {
        name: "reset",
        about: "reset with and without prune leaves hosts as they were, twice, and usable",
        hosts: &["m1", "m2", "m3", "w1"],
        flavour: Flavour::Bare,
        from: State::Bare,
        leaves: State::Used,
        tool: Tool::Launchpad,
        play: |scene| Box::pin(reset::play(scene)),
    },
    Story {
        name: "secrets",
        about: "passwords reach those who need them and are seen nowhere else",
        hosts: &["m1", "w1"],
        flavour: Flavour::Bare,
        from: State::Bare,
        leaves: State::Used,
        tool: Tool::Launchpad,
        play: |scene| Box::pin(secrets::play(scene)),
    },
    Story {
        name: "doors",
        about: "login shells that are not Bourne's and chat, few sessions, sudo that refuses, doas",
        hosts: &["m1", "w1", "w2", "w3"],
        flavour: Flavour::Bare,
        from: State::Bare,
        leaves: State::Used,
        tool: Tool::Launchpad,
        play: |scene| Box::pin(doors::play(scene)),
    },
    Story {
        name: "shortage",
        about: "no packages, no room, a registry that refuses, one with a CA of its own",
        hosts: &["m1", "w1"],
        flavour: Flavour::Bare,
        from: State::Bare,
        leaves: State::Used,
        tool: Tool::Launchpad,
        play: |scene| Box::pin(shortage::play(scene)),
    },
    Story {
        name: "ways",
        about: "bastions, names that only they resolve, IPv6, a second interface",
        hosts: &["m1", "w1", "w2", "w9"],
        flavour: Flavour::Bare,
        from: State::Bare,
        leaves: State::Used,
        tool: Tool::Launchpad,
        play: |scene| Box::pin(ways::play(scene)),
    },
    Story {
        name: "mixed",
        about: "Ubuntu, Rocky Linux and SLES in one cluster: an apply, one with nothing to do, a reset",
        // It starts those of the other systems itself.
        hosts: &["m1"],
        flavour: Flavour::Bare,
        from: State::Bare,
        leaves: State::Used,
        tool: Tool::Launchpad,
        play: |scene| Box::pin(mixed::play(scene)),
    },
    Story {
        name: "hard/frozen",
        about: "a host that freezes in the middle of an apply, an engine that hangs",
        hosts: &["m1", "w1", "w2"],
        flavour: Flavour::Bare,
        from: State::Bare,
        leaves: State::Used,
        tool: Tool::Launchpad,
        play: |scene| Box::pin(frozen::play(scene)),
    },
];

/// What a story works with.
pub(crate) struct Scene {
    pub(crate) lab: Lab,
    launchpad: Option<Launchpad>,
    fault: Option<&'static Fault>,
    is_planted: bool,
    problems: Vec<String>,
}

impl Scene {
    /// Starts with a lab that may have hosts of others.
    pub(crate) fn new(lab: Lab) -> Self {
        Self {
            lab,
            launchpad: None,
            fault: None,
            is_planted: false,
            problems: Vec::new(),
        }
    }

    /// Puts fresh hosts in the place of those that run.
    pub(crate) async fn start_hosts(&mut self, names: &[&str], flavour: Flavour) -> Result<()> {
        let names = names
            .iter()
            .map(|name| name.parse())
            .collect::<Result<Vec<Name>>>()?;
        self.lab.remove_hosts().await?;
        self.lab.add_hosts(&names, flavour).await
    }

    /// Names the binary of Launchpad.
    pub(crate) fn use_launchpad(&mut self, binary: &Path) -> Result<()> {
        let output = self.lab.dir().join("output");
        self.launchpad = Some(Launchpad::new(binary, &self.lab.home(), &output)?);
        Ok(())
    }

    /// Makes a cluster of all hosts, and looks whether it is whole.
    pub(crate) async fn install(&mut self) -> Result<()> {
        let config = self.save(&self.lab.config())?;
        self.launchpad()?
            .run(&["apply", "-c", &config])
            .await?
            .expect(0)?;
        // Agents start what belongs to their nodes by themselves, some of it after the apply.
        converged::check(self, MKE_VERSIONS[0]).await?;
        Ok(())
    }

    /// Returns the problems that were noted since the last call.
    pub(crate) fn take_problems(&mut self) -> Vec<String> {
        std::mem::take(&mut self.problems)
    }

    /// Returns Launchpad.
    pub(crate) fn launchpad(&self) -> Result<&Launchpad> {
        self.launchpad
            .as_ref()
            .context("this story does not run launchpad")
    }

    /// Notes a problem unless something is true; the story goes on, to show all problems at once.
    pub(crate) fn check(&mut self, is_true: bool, problem: impl FnOnce() -> String) {
        if !is_true {
            self.problem(problem());
        }
    }

    /// Notes a problem unless two things are equal.
    pub(crate) fn check_equal<T: PartialEq + fmt::Debug>(
        &mut self,
        what: &str,
        found: T,
        wanted: T,
    ) {
        if found != wanted {
            self.problem(format!("{what}: {found:?} instead of {wanted:?}"));
        }
    }

    /// Notes a problem.
    pub(crate) fn problem(&mut self, problem: String) {
        let mut lines = problem.lines();
        self.lab
            .talk
            .say(format!("problem: {}", lines.next().unwrap_or_default()));
        self.lab.talk.detail(lines.collect::<Vec<_>>().join("\n"));
        self.problems.push(problem);
    }

    /// Says what comes next, and plants the fault that belongs here.
    pub(crate) async fn moment(&mut self, name: &str) -> Result<()> {
        match self.fault {
            Some(fault) if fault.moment == name => {
                self.lab.talk.say(format!(
                    "planting the fault `{}`: {}",
                    fault.name, fault.about
                ));
                self.is_planted = true;
                let planted = (fault.plant)(&mut self.lab).await;
                planted.with_context(|| format!("cannot plant the fault `{}`", fault.name))
            }
            _ => Ok(()),
        }
    }

    /// Writes the configuration and returns the path for the command line.
    pub(crate) fn save(&self, config: &Config) -> Result<String> {
        let path = self.lab.dir().join("launchpad.yaml");
        config.save(&path)?;
        Ok(path.display().to_string())
    }

    pub(crate) fn say(&self, line: impl AsRef<str>) {
        self.lab.talk.say(line);
    }
}

/// How a story, or a fault, went.
#[derive(Debug)]
pub(crate) struct Outcome {
    name: String,
    took: Duration,
    problems: Vec<String>,
}

impl Outcome {
    fn new(name: &str, took: Duration, problems: Vec<String>) -> Self {
        Self {
            name: name.to_owned(),
            took,
            problems,
        }
    }

    /// Says whether all was as expected.
    pub(crate) fn is_green(&self) -> bool {
        self.problems.is_empty()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.is_green() { "ok    " } else { "FAILED" };
        write!(f, "{word} {} ({})", self.name, seconds(self.took))?;
        for problem in &self.problems {
            let line: String = problem
                .lines()
                .next()
                .unwrap_or_default()
                .chars()
                .take(160)
                .collect();
            write!(f, "\n             - {line}")?;
        }
        Ok(())
    }
}

/// The beginning of the names of stories that take long, and are played only where they are asked for.
const HARD: &str = "hard/";

/// Returns the stories with these names; all but the hard ones if there are none. `hard` stands for all of those.
pub(crate) fn select(names: &[String]) -> Result<Vec<&'static Story>> {
    let (hard, usual): (Vec<_>, Vec<_>) = STORIES
        .iter()
        .partition(|story| story.name.starts_with(HARD));
    if names.is_empty() {
        return Ok(usual);
    }
    let mut found = Vec::new();
    for name in names {
        if name == HARD.trim_end_matches('/') {
            found.extend(&hard);
        } else {
            found.push(by_name(name)?);
        }
    }
    Ok(found)
}

fn by_name(name: &str) -> Result<&'static Story> {
    let found = STORIES.iter().find(|story| story.name == name);
    found.with_context(|| {
        let known: Vec<&str> = STORIES.iter().map(|story| story.name).collect();
        format!("there is no story `{name}`; there are {}", known.join(", "))
    })
}

/// Returns the faults with these names; all if there are none.
pub(crate) fn select_faults(names: &[String]) -> Result<Vec<&'static Fault>> {
    if names.is_empty() {
        return Ok(fault::FAULTS.iter().collect());
    }
    let mut found = Vec::new();
    for name in names {
        match fault::FAULTS.iter().find(|fault| fault.name == name) {
            Some(fault) => found.push(fault),
            None => bail!("there is no fault `{name}`"),
        }
    }
    Ok(found)
}

/// Lists stories and faults.
pub(crate) fn list() -> String {
    let stories = STORIES
        .iter()
        .map(|story| format!("{:<14} {}\n", story.name, story.about));
    let faults = fault::FAULTS
        .iter()
        .map(|fault| format!("{:<26} ({}) {}\n", fault.name, fault.story, fault.about));
    format!(
        "Stories:\n{}\nFaults that must turn a story red:\n{}",
        stories.collect::<String>(),
        faults.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_story_has_a_fault_and_every_fault_a_story() {
        for story in STORIES {
            let has_fault = fault::FAULTS.iter().any(|fault| fault.story == story.name);
            assert!(has_fault, "no fault for {}", story.name);
        }
        for fault in fault::FAULTS {
            assert!(by_name(fault.story).is_ok(), "{}", fault.name);
        }
    }

    #[test]
    fn hard_stories_are_played_only_where_they_are_asked_for() {
        let names = |asked: &[&str]| -> Vec<&str> {
            let asked: Vec<String> = asked.iter().map(ToString::to_string).collect();
            let found = select(&asked).unwrap();
            found.iter().map(|story| story.name).collect()
        };

        assert!(names(&[]).iter().all(|name| !name.starts_with(HARD)));
        assert_eq!(names(&["hard"]), ["hard/frozen"]);
        assert_eq!(names(&["again", "hard/frozen"]), ["again", "hard/frozen"]);
    }

    #[test]
    fn every_story_names_hosts_that_can_be() {
        for name in STORIES.iter().flat_map(|story| story.hosts) {
            assert!(name.parse::<Name>().is_ok(), "{name}");
        }
    }
}
