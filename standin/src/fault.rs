//! Faults that a test can ask for; how is on the front page of the crate.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::engine::Part;
use crate::flags::Flags;
use crate::log::Level;
use crate::operation::{Stage, Stop};

/// The volume whose presence on the node lets a held operation go on.
pub const RELEASE: &str = "ucp-sim-release";

/// How often a held operation looks whether it is released.
const HELD: Duration = Duration::from_millis(200);

/// The length of a long line, in bytes.
const LONG_LINE: usize = 100 << 10;

/// Where faults can happen, in the order of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// Nothing was looked at.
    Started,
    /// Everything was looked at, nothing is changed.
    Checked,
    /// The images are there.
    Pulled,
    /// The state of the cluster is stored.
    Stored,
    /// The service is created or updated.
    Deployed,
    /// All is done but the end.
    Finished,
}

/// The points under their names.
pub const POINTS: &[(&str, Point)] = &[
    ("started", Point::Started),
    ("checked", Point::Checked),
    ("pulled", Point::Pulled),
    ("stored", Point::Stored),
    ("deployed", Point::Deployed),
    ("finished", Point::Finished),
];

/// The faults of one run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    at: Option<Point>,
    fail: Option<String>,
    exit: Option<u8>,
    dies: bool,
    is_held: bool,
    slow: Option<Duration>,
    has_long_line: bool,
}

impl Faults {
    /// Reads them off the flags.
    ///
    /// Fails where a value makes no sense: a fault that does not happen proves nothing.
    pub(crate) fn parse(flags: &Flags) -> Result<Self, String> {
        let at = flags.value("sim-at").unwrap_or("checked");
        let point = POINTS.iter().find(|(name, _)| *name == at);
        let Some((_, point)) = point else {
            return Err(format!("there is no point {at} for a fault"));
        };
        Ok(Self {
            at: Some(*point),
            fail: flags.value("sim-fail").map(str::to_owned),
            exit: number(flags, "sim-exit")?,
            dies: flags.has("sim-die"),
            is_held: flags.has("sim-hold"),
            slow: number(flags, "sim-slow")?.map(Duration::from_secs),
            has_long_line: flags.has("sim-long-line"),
        })
    }
}

fn number<T>(flags: &Flags, name: &str) -> Result<Option<T>, String>
where
    T: FromStr<Err: fmt::Display>,
{
    let number = flags.value(name).map(|value| {
        let parsed = value.parse();
        parsed.map_err(|wrong| format!("--{name} is wrong: {wrong}"))
    });
    number.transpose()
}

impl Stage {
    /// Passes a point: whatever fault belongs here happens.
    pub(crate) async fn pass(&self, point: Point) -> Result<(), Stop> {
        let faults = &self.faults;
        if let Some(slow) = faults.slow {
            self.rest(slow).await;
        }
        if faults.at != Some(point) {
            return Ok(());
        }
        if faults.has_long_line {
            self.say(Level::Info, "long ".repeat(LONG_LINE / 5));
        }
        if faults.is_held {
            self.say(Level::Info, "Held");
            while !self.is_released().await {}
        }
        if faults.dies {
            return Err(Stop::Exit(137));
        }
        if let Some(status) = faults.exit {
            self.say(Level::Error, "failed as asked, without a fatal line");
            return Err(Stop::Exit(status));
        }
        match &faults.fail {
            Some(text) => Err(Stop::Fatal(text.clone())),
            None => Ok(()),
        }
    }

    async fn is_released(&self) -> bool {
        let seen = self.desk.look(HELD, &[Part::Volumes]).await;
        seen.is_ok_and(|view| view.volumes.iter().any(|name| name == RELEASE))
    }
}

#[cfg(test)]
mod tests {
    use crate::fault::RELEASE;
    use crate::log::Line;
    use crate::operation::rehearsal::Rehearsal;

    #[test]
    fn an_operation_fails_as_asked_before_it_changes_anything() {
        for (line, environment) in [
            ("install --sim-fail=broken", &[][..]),
            ("install", &[("UCP_SIM_FAIL", "broken")][..]),
        ] {
            let run = Rehearsal::manager().run(line, environment);

            assert_eq!((run.status, run.fatal()), (1, "broken"));
            assert_eq!(run.actions, []);
        }
    }

    #[test]
    fn a_fault_can_come_later() {
        let mut engine = Rehearsal::manager();

        let run = engine.run("install --sim-fail broken --sim-at deployed", &[]);

        assert_eq!(run.fatal(), "broken");
        assert!(engine.view.service("ucp-agent").is_some());
    }

    #[test]
    fn only_the_status_may_tell() {
        let run = Rehearsal::manager().run("install --sim-exit=3", &[]);
        assert_eq!(run.status, 3);
        assert!(
            !run.lines
                .iter()
                .any(|line| format!("{line:?}").contains("Fatal"))
        );

        let run = Rehearsal::manager().run("images --list --sim-die --sim-at=started", &[]);
        assert_eq!((run.status, run.lines.len()), (137, 0));
    }

    #[test]
    fn a_held_operation_waits_for_its_release() {
        let mut engine = Rehearsal::manager();

        let run = engine.rounds("install --sim-hold", 500);
        assert!(run.says("Held"), "{run:?}");
        assert_eq!(run.actions, []);

        engine.view.volumes.push(RELEASE.to_owned());
        assert_eq!(engine.run("install --sim-hold", &[]).status, 0);
    }

    #[test]
    fn an_operation_can_be_slow() {
        let run = Rehearsal::manager().run("install --sim-slow=10", &[]);

        assert_eq!(run.status, 0);
        assert!(run.took.as_secs() >= 60, "{:?}", run.took);
    }

    #[test]
    fn a_line_can_be_long() {
        let run = Rehearsal::manager().run("upgrade --id x --sim-long-line --sim-at started", &[]);

        let longest = run.lines.iter().map(|line| match line {
            Line::Log { message, .. } => message.len(),
            Line::Plain(text) => text.len(),
        });
        assert!(longest.max() > Some(64 << 10));
    }

    #[test]
    fn a_fault_that_makes_no_sense_is_refused() {
        for line in [
            "install --sim-at=never",
            "install --sim-exit=many",
            "install --sim-slow=x",
        ] {
            assert_eq!(Rehearsal::manager().run(line, &[]).status, 1, "{line}");
        }
    }
}
