//! What goes wrong, and when.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::access::Trouble;
use crate::connection::{Kind, Sent};
use crate::files::Credentials;
use crate::host::{Init, Power};
use crate::network::Condition;
use crate::world::{Fleet, HostId};

/// What becomes of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The connection breaks before the host has read it.
    LoseBefore,
    /// It is carried out; the connection breaks before anybody knows.
    LoseAfter,
    /// The connection breaks when the host has sent so many bytes.
    CutAfter(u64),
    /// It fails without having done anything.
    Fail {
        /// Its exit status.
        status: u8,
        /// What it says on standard error.
        said: String,
    },
    /// It does nothing, for ever.
    Hang,
}

/// Something that happens to a host or to what is around it.
#[derive(Debug, Clone, PartialEq)]
pub enum Blow {
    /// The SSH server restarts: its connections break, new ones come through.
    RestartSshd,
    /// All connections break.
    Cut,
    /// The host boots anew.
    Reboot,
    /// The host loses its power, for so long; for ever without.
    PowerOff(Option<Duration>),
    /// The host does nothing, for so long; for ever without.
    Freeze(Option<Duration>),
    /// The disk is full, for so long; for ever without.
    FillDisk(Option<Duration>),
    /// The way to the host, or its login, is not what it was, for so long; for ever without.
    Access(Trouble, Option<Duration>),
    /// Somebody holds the locks of the package manager, for so long.
    LockPackages(Duration),
    /// The engine is killed; systemd starts it again.
    KillEngine,
    /// The engine is killed, and does not start again for so long; for ever without.
    BreakEngine(Option<Duration>),
    /// The engine takes connections and answers nothing, for so long; for ever without.
    HangEngine(Option<Duration>),
    /// The clock jumps by so many seconds.
    SkewClock(f64),
    /// The cable is out, for so long; for ever without.
    Unplug(Option<Duration>),
    /// A site is down, for so long; for ever without.
    SiteDown(String, Option<Duration>),
    /// A site lets packets vanish, for so long; for ever without.
    SiteSilent(String, Option<Duration>),
    /// A site sends so many bytes a second.
    SiteSlow(String, u64),
    /// A site signs its packages with another key.
    SiteBadSignature(String),
    /// Two hosts do not reach each other, for so long; for ever without.
    Part(HostId, HostId, Option<Duration>),
    /// The next run of the bootstrapper fails: flags of the stand-in (`UCP_SIM_…`).
    Bootstrapper(BTreeMap<String, String>),
    /// Somebody else begins a run at the same time: he takes the lock of the cluster.
    SecondOperator(Duration),
    /// The API of MKE on the host answers requests to a path with this, for so long; for ever
    /// without.
    ApiAnswers(String, ApiAnswer, Option<Duration>),
}

/// What an API answers, whatever is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiAnswer {
    /// The status.
    pub status: u16,
    /// The body.
    pub text: String,
}

/// When something goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub enum When {
    /// So long after the start of the fleet.
    At(Duration),
    /// When a host is sent its command of this number, from 1.
    Command(HostId, u64),
}

/// What goes wrong at commands, and what has been sent so far.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    verdicts: BTreeMap<(HostId, u64), Verdict>,
    blows: BTreeMap<(HostId, u64), Vec<(HostId, Blow)>>,
    /// Who waits for a command.
    waiting: BTreeMap<(HostId, u64), Vec<oneshot::Sender<()>>>,
    counts: BTreeMap<HostId, u64>,
    kinds: BTreeMap<(HostId, u64), Kind>,
    /// Commands that were sent, in their order.
    sent: Vec<Sent>,
}

impl Faults {
    /// Returns what was noted of a command, the latest of this number.
    fn sent(&mut self, host: HostId, number: u64) -> Option<&mut Sent> {
        let mut sent = self.sent.iter_mut().rev();
        sent.find(|one| one.host == host && one.number == number)
    }

    /// Returns how many commands a host was sent.
    pub(crate) fn count(&self, host: HostId) -> u64 {
        self.counts.get(&host).copied().unwrap_or(0)
    }

    /// Returns whether a command runs on a host that may change it.
    pub(crate) fn is_changing(&self, host: HostId) -> bool {
        let mut running = self.sent.iter().filter(|one| one.ended.is_none());
        running.any(|one| one.host == host && one.kind == Kind::Change)
    }

    fn kind(&self, host: HostId, number: u64) -> Kind {
        let kind = self.kinds.get(&(host, number));
        kind.copied().unwrap_or(Kind::Unknown)
    }
}

impl Fleet {
    /// Lets a command go wrong: the one of this number that a host is sent, from 1.
    pub fn plan_verdict(&self, host: HostId, number: u64, verdict: Verdict) {
        self.world(|world| world.faults.verdicts.insert((host, number), verdict));
    }

    /// Lets something happen to a host.
    pub fn plan_blow(&self, host: HostId, when: When, blow: Blow) {
        match when {
            When::At(at) => {
                let fleet = self.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(at.saturating_sub(fleet.elapsed())).await;
                    fleet.strike(host, blow).await;
                });
            }
            When::Command(of, number) => self.world(|world| {
                let blows = world.faults.blows.entry((of, number)).or_default();
                blows.push((host, blow));
            }),
        }
    }

    /// Returns what is told when a host is sent its command of this number, from 1.
    pub fn when_sent(&self, host: HostId, number: u64) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        self.world(|world| {
            let waiting = world.faults.waiting.entry((host, number)).or_default();
            waiting.push(sender);
        });
        receiver
    }

    /// Lets the next bootstrappers go wrong: flags of the stand-in (`UCP_SIM_…`).
    pub fn set_bootstrapper_faults(&self, variables: BTreeMap<String, String>) {
        self.world(|world| world.engines.faults = variables);
    }

    /// Forgets everything that was to go wrong and has not yet.
    pub fn forget_faults(&self) {
        self.world(|world| {
            world.faults.verdicts.clear();
            world.faults.blows.clear();
            world.faults.waiting.clear();
        });
    }

    /// Returns all commands that were sent, in their order.
    pub fn sent(&self) -> Vec<Sent> {
        self.world(|world| world.faults.sent.clone())
    }

    /// Counts a command that is about to be sent; returns its number and what becomes of it.
    pub(crate) fn before_command(&self, host: HostId) -> (u64, Option<Verdict>) {
        let (number, verdict, blows) = self.world(|world| {
            let count = world.faults.counts.entry(host).or_default();
            *count += 1;
            let number = *count;
            let verdict = world.faults.verdicts.get(&(host, number)).cloned();
            let blows = world
                .faults
                .blows
                .remove(&(host, number))
                .unwrap_or_default();
            for waiting in world
                .faults
                .waiting
                .remove(&(host, number))
                .unwrap_or_default()
            {
                // Nobody has to wait any more.
                let _ = waiting.send(());
            }
            (number, verdict, blows)
        });
        for (target, blow) in blows {
            let fleet = self.clone();
            tokio::spawn(async move { fleet.strike(target, blow).await });
        }
        (number, verdict)
    }

    pub(crate) fn cuts_after(&self, host: HostId, number: u64, bytes: u64) -> bool {
        self.world(|world| match world.faults.verdicts.get(&(host, number)) {
            Some(Verdict::CutAfter(limit)) => bytes >= *limit,
            _ => false,
        })
    }

    pub(crate) fn command_started(&self, host: HostId, number: u64) {
        let started = self.elapsed();
        self.world(|world| {
            let kind = world.faults.kind(host, number);
            world.faults.sent.push(Sent {
                host,
                number,
                started,
                ended: None,
                kind,
                status: None,
            });
        });
    }

    /// Takes note of what a command was declared to be.
    pub(crate) fn command_is(&self, host: HostId, number: u64, kind: Kind) {
        self.world(|world| {
            world.faults.kinds.insert((host, number), kind);
            if let Some(one) = world.faults.sent(host, number) {
                one.kind = kind;
            }
        });
    }

    /// Returns what was declared of the command that a session stands for.
    pub(crate) fn kind_of(&self, session: u64) -> Kind {
        let (host, number) = ((session >> 32) as usize, session & 0xffff_ffff);
        let host = HostId(host.wrapping_sub(1));
        self.world(|world| world.faults.kind(host, number))
    }

    /// Forgets what was sent and counted so far.
    pub fn forget_counts(&self) {
        self.world(|world| {
            world.traffic.clear();
            world.faults.counts.clear();
            world.faults.sent.clear();
            world.faults.kinds.clear();
        });
    }

    /// Returns whether a program that is not simulated is taken to succeed without effect: where a
    /// hook of the user calls it, and a rehearsal may assume so. Takes note of it then.
    pub(crate) fn takes_for_done(&self, host: HostId, session: u64, program: &str) -> bool {
        let assumes = self.world(|world| world.assumes);
        if !assumes || self.kind_of(session) != Kind::User {
            return false;
        }
        self.note_not_simulated(host, program, "taken to succeed without effect");
        true
    }

    /// Lets hooks of users ask for what is not simulated: it is taken to succeed without effect.
    pub fn set_assumes(&self, assumes: bool) {
        self.world(|world| world.assumes = assumes);
    }

    pub(crate) fn command_ended(&self, host: HostId, number: u64, status: Option<u32>) {
        let ended = self.elapsed();
        self.world(|world| {
            if let Some(one) = world.faults.sent(host, number) {
                one.ended = Some(ended);
                one.status = status;
            }
        });
    }
}

impl Fleet {
    /// Lets something happen now, and waits until it is over.
    pub async fn strike(&self, host: HostId, blow: Blow) {
        // What a blow changes on a host is no command's doing.
        self.note_change(host);
        self.carry_out(host, blow).await;
        self.note_change(host);
    }

    async fn carry_out(&self, host: HostId, blow: Blow) {
        match blow {
            Blow::RestartSshd | Blow::Cut => self.cut_connections(host),
            Blow::Reboot => {
                self.cut_connections(host);
                self.reboot(host).await;
            }
            Blow::PowerOff(time) => {
                // Connections stay until somebody notices.
                self.power_off(host);
                if let Some(time) = time {
                    tokio::time::sleep(time).await;
                    self.cut_connections(host);
                    self.power_on(host).await;
                }
            }
            Blow::Freeze(time) => {
                self.set_power(host, Power::Frozen);
                self.after(time).await;
                self.set_power(host, Power::On);
            }
            Blow::FillDisk(time) => {
                let fill = |mount: &mut crate::files::Mount| {
                    std::mem::replace(&mut mount.size, mount.used)
                };
                let mut size = 0;
                self.host(host, |host| {
                    host.files.change_mount("/", |mount| size = fill(mount))
                });
                self.after(time).await;
                self.host(host, |host| {
                    host.files.change_mount("/", |mount| mount.size = size)
                });
            }
            Blow::Access(trouble, time) => {
                self.trouble(host, trouble, true);
                self.after(time).await;
                self.trouble(host, trouble, false);
            }
            Blow::LockPackages(time) => {
                let until = Some(self.elapsed() + time);
                let holder = crate::packages::Holder {
                    pid: 1207,
                    name: "unattended-upgr".to_owned(),
                    until,
                };
                self.host(host, |host| {
                    host.packages.holder = Some(holder.clone());
                    host.packages.list_holder = Some(holder);
                });
            }
            Blow::KillEngine => self.kill_engine(host).await,
            Blow::BreakEngine(time) => {
                let said = "failed to start daemon: broken by the scenario".to_owned();
                self.set_broken(host, Some(said));
                self.kill_engine(host).await;
                self.after(time).await;
                self.set_broken(host, None);
            }
            Blow::HangEngine(time) => {
                crate::engine::hang(self, host, true);
                self.after(time).await;
                crate::engine::hang(self, host, false);
            }
            Blow::SkewClock(seconds) => self.host(host, |host| host.clock_skew += seconds),
            Blow::Unplug(time) => {
                self.host(host, |host| host.has_cable = false);
                crate::engine::network_changed(self);
                self.after(time).await;
                self.host(host, |host| host.has_cable = true);
                crate::engine::network_changed(self);
            }
            Blow::Part(one, other, time) => {
                self.world(|world| world.network.set_cut(one, other, true));
                crate::engine::network_changed(self);
                self.after(time).await;
                self.world(|world| world.network.set_cut(one, other, false));
                crate::engine::network_changed(self);
            }
            Blow::Bootstrapper(variables) => {
                self.world(|world| world.engines.faults = variables);
            }
            Blow::SecondOperator(time) => self.take_lock(host, time).await,
            Blow::ApiAnswers(path, answer, time) => {
                self.host(host, |host| host.api_answers.insert(path.clone(), answer));
                self.after(time).await;
                self.host(host, |host| host.api_answers.remove(&path));
            }
            Blow::SiteDown(..)
            | Blow::SiteSilent(..)
            | Blow::SiteSlow(..)
            | Blow::SiteBadSignature(..) => self.strike_site(blow).await,
        }
    }

    async fn strike_site(&self, blow: Blow) {
        let condition = |name: &str, condition: Condition| {
            self.world(|world| {
                if let Some(site) = world.network.sites.get_mut(name) {
                    site.condition = condition;
                }
            });
            crate::engine::site_changed(self, name, condition);
        };
        match blow {
            Blow::SiteDown(name, time) => {
                condition(&name, Condition::Down);
                self.after(time).await;
                condition(&name, Condition::Up);
            }
            Blow::SiteSilent(name, time) => {
                condition(&name, Condition::Silent);
                self.after(time).await;
                condition(&name, Condition::Up);
            }
            Blow::SiteSlow(name, bandwidth) => {
                self.world(|world| {
                    if let Some(site) = world.network.sites.get_mut(&name) {
                        site.bandwidth = bandwidth;
                    }
                });
                crate::engine::site_slows(self, &name, bandwidth);
            }
            Blow::SiteBadSignature(name) => self.world(|world| {
                for repository in &mut world.repositories {
                    if repository.url.contains(&name) {
                        repository.signature = crate::packages::Signature::OtherKey;
                    }
                }
            }),
            _ => {}
        }
    }

    /// Waits for the end of something; for ever where it has none.
    async fn after(&self, time: Option<Duration>) {
        match time {
            Some(time) => tokio::time::sleep(time).await,
            None => std::future::pending().await,
        }
    }

    fn set_power(&self, host: HostId, power: Power) {
        self.host(host, |host| host.power = power);
        crate::engine::network_changed(self);
    }

    async fn kill_engine(&self, host: HostId) {
        match self.host(host, |host| host.init) {
            Init::Systemd => crate::program::systemctl::kill_engine(self, host).await,
            Init::OpenRc => crate::program::openrc::kill_engine(self, host),
        }
    }

    fn set_broken(&self, host: HostId, said: Option<String>) {
        self.host(host, |host| {
            let broken = Arc::make_mut(&mut host.systemd.broken);
            match said {
                Some(said) => drop(broken.insert("docker.service".to_owned(), said)),
                None => drop(broken.remove("docker.service")),
            }
        });
    }

    /// Another operator holds the lock of the cluster on a host, and shows signs of life.
    async fn take_lock(&self, host: HostId, time: Duration) {
        let root = Credentials::root();
        let end = self.elapsed() + time;
        let record = "{\"run_id\":\"0ddba11e\",\"owner\":\"somebody@elsewhere\",\"host\":\"elsewhere\",\
                      \"started_at\":\"2026-01-01T00:00:00.000Z\",\"command\":\"apply\"}\n";
        let lock = "/run/launchpad/lock";
        loop {
            let now = self.time_of(host);
            let is_held = self.host(host, |host| {
                let files = &mut host.files;
                let held = files.text(&format!("{lock}/record"));
                if held.is_some_and(|text| text != record) {
                    return false;
                }
                files.make_dirs(lock, 0o700, &root, now).is_ok()
                    && files
                        .write(&format!("{lock}/record"), record, 0o600, &root, now)
                        .is_ok()
            });
            if !is_held || self.elapsed() >= end {
                break;
            }
            tokio::time::sleep(Duration::from_secs(10).min(end - self.elapsed())).await;
        }
        let now = self.time_of(host);
        self.host(host, |host| {
            if host
                .files
                .text(&format!("{lock}/record"))
                .is_some_and(|text| text == record)
            {
                // It was there a moment ago.
                let _ = host.files.remove_tree(lock, &root, now);
            }
        });
    }
}
