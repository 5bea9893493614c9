//! What a transaction leads to: every package that comes, is replaced or goes, and why; or what is
//! in the way.
//!
//! One package after the other takes its place in what will be there; what it needs comes with it,
//! what it obsoletes goes. There is no search: where the best offer does not fit, the next one is
//! tried only where the caller allows it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::version::compare;
use super::{meets, needs, nevra, show};
use crate::packages::{Package, Relation};

/// A package that a repository offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The package.
    pub package: Arc<Package>,
    /// The repository.
    pub repository: String,
}

/// A package that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Here {
    /// The package.
    pub package: Arc<Package>,
    /// Whether it came because others need it.
    pub is_automatic: bool,
}

/// What there is to choose from.
#[derive(Debug, Clone, Default)]
pub struct Pool {
    /// What is installed, by name.
    pub here: BTreeMap<String, Here>,
    /// What is offered.
    pub offers: Vec<Offer>,
}

impl Pool {
    /// Returns the offers that meet a need, the newest first.
    pub fn providers(&self, wanted: &Relation) -> Vec<&Offer> {
        let fitting = self.offers.iter();
        let mut fitting: Vec<&Offer> = fitting
            .filter(|offer| meets(&offer.package, wanted))
            .collect();
        sort_newest_first(&mut fitting);
        fitting
    }

    /// Returns the offers of a name, the newest first.
    pub fn offers_of(&self, name: &str) -> Vec<&Offer> {
        let own = self.offers.iter();
        let mut own: Vec<&Offer> = own.filter(|one| one.package.name == name).collect();
        sort_newest_first(&mut own);
        own
    }

    /// Returns the newest offer of a name that is newer than what is there.
    pub fn update_of(&self, name: &str) -> Option<&Offer> {
        let here = self.here.get(name)?;
        let newest = self.offers_of(name).into_iter().next()?;
        compare(&newest.package.version, &here.package.version)
            .is_gt()
            .then_some(newest)
    }

    /// Returns offers that take the place of a package with another name.
    pub fn successors_of(&self, name: &str) -> Vec<&Offer> {
        let Some(here) = self.here.get(name) else {
            return Vec::new();
        };
        let replaces =
            |offer: &&Offer| offer.package.name != name && obsoletes(&offer.package, &here.package);
        let mut found: Vec<&Offer> = self.offers.iter().filter(replaces).collect();
        sort_newest_first(&mut found);
        found
    }
}

/// Sorts offers: by name, and of one name the newest first.
pub fn sort_newest_first(offers: &mut [&Offer]) {
    offers.sort_by(|one, other| {
        let order = compare(&other.package.version, &one.package.version);
        one.package.name.cmp(&other.package.name).then(order)
    });
}

fn obsoletes(package: &Package, other: &Package) -> bool {
    let own = super::own_capability(other);
    package
        .obsoletes
        .iter()
        .any(|gone| super::overlaps(&own, gone))
}

/// Why something happens to a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// It was asked for.
    Asked,
    /// Others need it, or it needs what goes.
    Dependency,
    /// Nothing needs it any more.
    Unused,
}

/// A package that comes, and what it takes the place of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The package.
    pub offer: Offer,
    /// The one of the same name that was there.
    pub old: Option<Arc<Package>>,
    /// Those with other names that it obsoletes.
    pub obsoleted: Vec<Arc<Package>>,
    /// Why it comes.
    pub reason: Reason,
}

/// What will happen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Packages that come, in the order in which they are installed.
    pub arrivals: Vec<Arrival>,
    /// Packages that go, in the order in which they are removed.
    pub removals: Vec<(Arc<Package>, Reason)>,
    /// Packages that were asked for and left out.
    pub skipped: Vec<Offer>,
}

impl Plan {
    /// Returns whether nothing happens.
    pub fn is_empty(&self) -> bool {
        self.arrivals.is_empty() && self.removals.is_empty()
    }
}

/// What is in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Nothing provides what a package needs. The chain leads from what was asked for to it, each
    /// with the need that leads on.
    Missing {
        /// Packages and their needs.
        chain: Vec<(String, String)>,
    },
    /// A package that is installed needs what would go.
    InTheWay {
        /// The installed package.
        package: String,
        /// What it needs.
        need: String,
        /// Packages that cannot be there at once.
        rivals: Vec<(String, String)>,
        /// Packages whose best candidate cannot be installed.
        candidates: Vec<String>,
    },
    /// Two packages cannot live with each other.
    Conflict {
        /// The one that comes.
        package: String,
        /// What it cannot live with.
        with: String,
        /// The other one.
        other: String,
        /// Whether that is installed.
        is_here: bool,
        /// Further offers with the same name, which do not help.
        others: Vec<String>,
    },
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// One of these, the best first.
    Install(Vec<Offer>),
    /// This one away.
    Remove(String),
}

/// How a plan is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    /// Whether only the best candidate will do.
    pub is_best: bool,
    /// Whether what is in the way may go.
    pub may_erase: bool,
    /// Whether what nobody needs any more goes along with what is removed.
    pub cleans: bool,
}

/// Makes a plan.
///
/// # Errors
///
/// Fails with everything that is in the way.
pub fn plan(pool: &Pool, jobs: &[Job], manner: Manner) -> Result<Plan, Vec<Problem>> {
    let mut work = Work::new(pool, manner);
    for job in jobs {
        match job {
            Job::Remove(name) => work.erase(name, Reason::Asked),
            Job::Install(offers) => {
                if let Some(offer) = offers.first() {
                    work.asked.insert(offer.package.name.clone());
                }
            }
        }
    }
    let mut problems = Vec::new();
    let mut skipped = Vec::new();
    for job in jobs {
        let Job::Install(offers) = job else { continue };
        let mut first = None;
        for offer in offers {
            let mut trial = work.clone();
            trial.put(offer, Reason::Asked, &[]);
            trial.repair();
            if trial.problems.is_empty() {
                work = trial;
                first = None;
                break;
            }
            let found = std::mem::take(&mut trial.problems);
            first.get_or_insert((offer.clone(), found));
            if manner.is_best {
                break;
            }
        }
        if let Some((offer, found)) = first {
            let is_here = pool.here.contains_key(&offer.package.name);
            if !manner.is_best && is_here {
                skipped.push(offer);
            } else {
                problems.extend(found);
            }
        }
    }
    work.repair();
    problems.extend(std::mem::take(&mut work.problems));
    if !problems.is_empty() {
        return Err(problems);
    }
    if manner.cleans {
        work.clean();
    }
    let mut plan = work.finish();
    plan.skipped = skipped;
    Ok(plan)
}

#[derive(Debug, Clone)]
struct Entry {
    package: Arc<Package>,
    /// Where it comes from; none where it is there already.
    offer: Option<(Offer, Reason)>,
}

#[derive(Clone)]
struct Work<'a> {
    pool: &'a Pool,
    manner: Manner,
    target: BTreeMap<String, Entry>,
    asked: BTreeSet<String>,
    gone: BTreeMap<String, Reason>,
    obsoleted: BTreeMap<String, Vec<Arc<Package>>>,
    problems: Vec<Problem>,
}

impl<'a> Work<'a> {
    fn new(pool: &'a Pool, manner: Manner) -> Self {
        let here = pool.here.iter().map(|(name, here)| {
            let package = Arc::clone(&here.package);
            (
                name.clone(),
                Entry {
                    package,
                    offer: None,
                },
            )
        });
        Self {
            pool,
            manner,
            target: here.collect(),
            asked: BTreeSet::new(),
            gone: BTreeMap::new(),
            obsoleted: BTreeMap::new(),
            problems: Vec::new(),
        }
    }

    fn is_met(&self, wanted: &Relation) -> bool {
        self.target
            .values()
            .any(|entry| meets(&entry.package, wanted))
    }

    fn erase(&mut self, name: &str, reason: Reason) {
        if self.target.remove(name).is_some() && self.pool.here.contains_key(name) {
            self.gone.insert(name.to_owned(), reason);
        }
    }

    /// Puts a package in its place. `chain` is what leads to it.
    fn put(&mut self, offer: &Offer, reason: Reason, chain: &[(String, String)]) {
        let package = &offer.package;
        let is_same = |entry: &Entry| entry.package.version == package.version;
        let is_there = self.target.get(&package.name);
        if is_there.is_some_and(|entry| is_same(entry) && entry.offer.is_some()) {
            return;
        }
        let gone: Vec<String> = self
            .target
            .iter()
            .filter(|(name, entry)| **name != package.name && obsoletes(package, &entry.package))
            .map(|(name, _)| name.clone())
            .collect();
        for name in gone {
            if let Some(entry) = self.target.remove(&name)
                && entry.offer.is_none()
            {
                let of = self.obsoleted.entry(package.name.clone()).or_default();
                of.push(entry.package);
            }
        }
        self.target.insert(
            package.name.clone(),
            Entry {
                package: Arc::clone(package),
                offer: Some((offer.clone(), reason)),
            },
        );
        for need in needs(package) {
            self.meet(package, need, chain);
        }
        self.make_room(package);
    }

    fn meet(&mut self, package: &Package, need: &Relation, chain: &[(String, String)]) {
        if self.is_met(need) {
            return;
        }
        let mut chain = chain.to_vec();
        chain.push((nevra(package), show(need)));
        let providers = self.pool.providers(need);
        let may_come = |offer: &&&Offer| {
            let name = &offer.package.name;
            // What was asked for in another version stays at that.
            !(self.asked.contains(name)
                && self
                    .target
                    .get(name)
                    .is_some_and(|entry| entry.offer.is_some()))
        };
        match providers.iter().find(may_come) {
            Some(offer) => {
                let offer = (*offer).clone();
                self.put(&offer, Reason::Dependency, &chain);
            }
            None => match providers.first() {
                None => self.problems.push(Problem::Missing { chain }),
                Some(rival) => {
                    let other = self.target.get(&rival.package.name);
                    let other = other.map(|entry| nevra(&entry.package));
                    self.problems.push(Problem::InTheWay {
                        package: nevra(package),
                        need: show(need),
                        rivals: vec![(other.unwrap_or_default(), nevra(&rival.package))],
                        candidates: Vec::new(),
                    });
                }
            },
        }
    }

    /// Looks for packages that cannot live with one that comes.
    fn make_room(&mut self, package: &Arc<Package>) {
        let against = |one: &Package, other: &Package| {
            let mut all = one.conflicts.iter();
            all.find(|conflict| one.name != other.name && meets(other, conflict))
                .map(show)
        };
        let found: Vec<(Arc<Package>, String)> = self
            .target
            .values()
            .filter_map(|entry| {
                let other = &entry.package;
                let conflict = against(package, other).or_else(|| against(other, package));
                conflict.map(|conflict| (Arc::clone(other), conflict))
            })
            .collect();
        for (other, with) in found {
            let is_here = self
                .target
                .get(&other.name)
                .is_some_and(|entry| entry.offer.is_none());
            if self.manner.may_erase && is_here {
                self.erase(&other.name, Reason::Dependency);
                continue;
            }
            let mut others: Vec<String> = self
                .pool
                .offers_of(&other.name)
                .into_iter()
                .map(|offer| nevra(&offer.package))
                .filter(|name| *name != nevra(&other))
                .collect();
            others.sort();
            self.problems.push(Problem::Conflict {
                package: nevra(package),
                with,
                other: nevra(&other),
                is_here,
                others,
            });
        }
    }

    /// Cares for installed packages that need what has changed.
    fn repair(&mut self) {
        let mut known: BTreeSet<String> = BTreeSet::new();
        loop {
            let broken = self.target.iter().find_map(|(name, entry)| {
                if entry.offer.is_some() || known.contains(name) {
                    return None;
                }
                let need = needs(&entry.package).find(|need| self.was_met(need))?;
                Some((name.clone(), need.clone()))
            });
            let Some((name, need)) = broken else { return };
            known.insert(name.clone());
            if self.follow(&name) {
                continue;
            }
            let goes = self.pool.here.values();
            let by_removal = goes
                .filter(|here| meets(&here.package, &need))
                .any(|here| self.gone.contains_key(&here.package.name));
            if by_removal || self.manner.may_erase {
                self.erase(&name, Reason::Dependency);
                known.clear();
                continue;
            }
            self.blame(&name, &need);
        }
    }

    /// Whether something was provided before, and is no more.
    fn was_met(&self, need: &Relation) -> bool {
        let before = self.pool.here.values();
        !self.is_met(need) && before.into_iter().any(|here| meets(&here.package, need))
    }

    /// Tries another version of an installed package that can live with what has changed.
    fn follow(&mut self, name: &str) -> bool {
        let Some(own) = self
            .target
            .get(name)
            .map(|entry| Arc::clone(&entry.package))
        else {
            return false;
        };
        let offers: Vec<Offer> = self.pool.offers_of(name).into_iter().cloned().collect();
        for offer in offers {
            if offer.package.version == own.version {
                continue;
            }
            let mut trial = self.clone();
            let before = trial.problems.len();
            trial.put(&offer, Reason::Dependency, &[]);
            if trial.problems.len() == before {
                *self = trial;
                return true;
            }
        }
        false
    }

    fn blame(&mut self, name: &str, need: &Relation) {
        let Some(entry) = self.target.get(name) else {
            return;
        };
        let package = nevra(&entry.package);
        let mut rivals = Vec::new();
        let mut candidates = vec![package.clone()];
        for here in self.pool.here.values() {
            let own = &here.package;
            let now = self.target.get(&own.name);
            if let Some(now) = now.filter(|now| now.offer.is_some())
                && meets(own, need)
            {
                rivals.push((nevra(&now.package), nevra(own)));
                candidates.push(nevra(own));
            }
        }
        self.problems.push(Problem::InTheWay {
            package,
            need: show(need),
            rivals,
            candidates,
        });
    }

    /// Removes what came with what goes, and what nothing needs any more.
    fn clean(&mut self) {
        loop {
            let gone: Vec<Arc<Package>> = self
                .gone
                .keys()
                .filter_map(|name| self.pool.here.get(name))
                .map(|here| Arc::clone(&here.package))
                .collect();
            let unused = self.target.values().find(|entry| {
                let here = self.pool.here.get(&entry.package.name);
                let is_automatic = here.is_some_and(|here| here.is_automatic);
                is_automatic
                    && entry.offer.is_none()
                    && gone
                        .iter()
                        .any(|gone| needs(gone).any(|need| meets(&entry.package, need)))
                    && !self.is_needed(&entry.package)
            });
            let Some(name) = unused.map(|entry| entry.package.name.clone()) else {
                return;
            };
            self.erase(&name, Reason::Unused);
        }
    }

    fn is_needed(&self, package: &Package) -> bool {
        let others = self.target.values();
        others
            .filter(|other| other.package.name != package.name)
            .any(|other| needs(&other.package).any(|need| meets(package, need)))
    }

    fn finish(mut self) -> Plan {
        let mut arrivals = Vec::new();
        for (name, entry) in &self.target {
            let Some((offer, reason)) = &entry.offer else {
                continue;
            };
            let old = self
                .pool
                .here
                .get(name)
                .map(|here| Arc::clone(&here.package));
            arrivals.push(Arrival {
                offer: offer.clone(),
                old,
                obsoleted: self.obsoleted.remove(name).unwrap_or_default(),
                reason: *reason,
            });
        }
        let removals: Vec<(Arc<Package>, Reason)> = self
            .gone
            .iter()
            .filter_map(|(name, reason)| {
                let here = self.pool.here.get(name)?;
                Some((Arc::clone(&here.package), *reason))
            })
            .collect();
        Plan {
            arrivals: in_order(arrivals, |one| &one.offer.package),
            removals: out_order(removals, |(package, _)| package),
            skipped: Vec::new(),
        }
    }
}

/// Brings packages into the order in which they are installed: what is needed goes first.
pub fn in_order<T>(items: Vec<T>, package: impl Fn(&T) -> &Arc<Package>) -> Vec<T> {
    let mut left = items;
    let mut order = Vec::new();
    while !left.is_empty() {
        let waits = |one: &T| {
            let own = package(one);
            left.iter().any(|other| {
                let other = package(other);
                other.name != own.name && needs(own).any(|need| meets(other, need))
            })
        };
        let next = left.iter().position(|one| !waits(one)).unwrap_or(0);
        order.push(left.remove(next));
    }
    order
}

/// Brings packages into the order in which they are removed: what needs others goes first.
pub fn out_order<T>(items: Vec<T>, package: impl Fn(&T) -> &Arc<Package>) -> Vec<T> {
    let mut left = items;
    let mut order = Vec::new();
    while !left.is_empty() {
        let is_needed = |one: &T| {
            let own = package(one);
            left.iter().any(|other| {
                let other = package(other);
                other.name != own.name && needs(other).any(|need| meets(own, need))
            })
        };
        let next = left.iter().position(|one| !is_needed(one)).unwrap_or(0);
        order.push(left.remove(next));
    }
    order
}
