//! What an installation or a removal leads to.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Package, Packages, Relation, State};

/// A package that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its name.
    pub name: String,
    /// The version, where one is asked for.
    pub version: Option<String>,
}

impl Request {
    /// Reads `name` or `name=version`.
    pub fn parse(text: &str) -> Self {
        match text.split_once('=') {
            Some((name, version)) => Self {
                name: name.to_owned(),
                version: Some(version.to_owned()),
            },
            None => Self {
                name: text.to_owned(),
                version: None,
            },
        }
    }
}

/// What will happen, in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Packages to install that are not there; those that others need come first.
    pub install: Vec<Arc<Package>>,
    /// Packages to replace by a newer version.
    pub upgrade: Vec<Arc<Package>>,
    /// Packages to replace by an older version.
    pub downgrade: Vec<Arc<Package>>,
    /// Names of packages to remove.
    pub remove: Vec<String>,
    /// Names of packages that come only because others need them.
    pub automatic: Vec<String>,
    /// Names, with their versions, that are there already.
    pub already: Vec<(String, String)>,
}

impl Plan {
    /// Returns whether nothing will happen.
    pub fn is_empty(&self) -> bool {
        self.install.is_empty()
            && self.upgrade.is_empty()
            && self.downgrade.is_empty()
            && self.remove.is_empty()
    }

    /// Returns all packages to unpack, in their order.
    pub fn unpacks(&self) -> Vec<Arc<Package>> {
        let all = self
            .install
            .iter()
            .chain(&self.upgrade)
            .chain(&self.downgrade);
        all.cloned().collect()
    }
}

/// A package that nobody offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unavailable {
    /// There is no such package.
    Package(String),
    /// There is no such version of it.
    Version(String, String),
    /// It is named by others, and nobody offers it.
    Candidate(String),
    /// Dependencies that cannot be met.
    Broken(Vec<Broken>),
}

/// A dependency that cannot be met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Whose.
    pub package: String,
    /// The relation.
    pub relation: String,
    /// Why not, as apt words it.
    pub reason: String,
}

/// Returns what installing leads to.
///
/// # Errors
///
/// Fails where something is not to be had.
pub fn plan_install(packages: &Packages, requests: &[Request]) -> Result<Plan, Unavailable> {
    let mut work = Work {
        packages,
        plan: Plan::default(),
        chosen: BTreeMap::new(),
        broken: Vec::new(),
    };
    for request in requests {
        let package = work.choose(request)?;
        work.chosen
            .insert(package.name.clone(), Arc::clone(&package));
    }
    let named: Vec<Arc<Package>> = work.chosen.values().cloned().collect();
    let order: Vec<&Request> = requests.iter().collect();
    for request in order {
        let Some(package) = named.iter().find(|one| one.name == request.name) else {
            continue;
        };
        work.add(package, true);
    }
    if work.broken.is_empty() {
        Ok(work.plan)
    } else {
        Err(Unavailable::Broken(work.broken))
    }
}

/// Returns what removing leads to: those that need what is removed go, too.
///
/// # Errors
///
/// Fails where there is no such package at all.
pub fn plan_remove(
    packages: &Packages,
    names: &[String],
    purges: bool,
) -> Result<Plan, Unavailable> {
    let mut plan = Plan::default();
    for name in names {
        let state = packages.installed.get(name).map(|one| one.state);
        match state {
            Some(State::ConfigFiles) if purges => plan.remove.push(name.clone()),
            Some(State::ConfigFiles) | None
                if packages.offers(name).is_empty() && state.is_none() =>
            {
                return Err(Unavailable::Package(name.clone()));
            }
            Some(State::ConfigFiles) | None => {}
            Some(_) => plan.remove.push(name.clone()),
        }
    }
    loop {
        let needs_removed = |package: &Package| {
            package.depends.iter().any(|choice| {
                choice.iter().all(|relation| {
                    let stays = packages.get(&relation.name).is_some();
                    !stays || plan.remove.contains(&relation.name)
                }) && choice
                    .iter()
                    .any(|relation| plan.remove.contains(&relation.name))
            })
        };
        let further: Vec<String> = packages
            .installed
            .values()
            .filter(|one| one.state != State::ConfigFiles)
            .filter(|one| !plan.remove.contains(&one.package.name) && needs_removed(&one.package))
            .map(|one| one.package.name.clone())
            .collect();
        if further.is_empty() {
            return Ok(plan);
        }
        plan.remove.extend(further);
    }
}

struct Work<'a> {
    packages: &'a Packages,
    plan: Plan,
    chosen: BTreeMap<String, Arc<Package>>,
    broken: Vec<Broken>,
}

impl Work<'_> {
    fn choose(&self, request: &Request) -> Result<Arc<Package>, Unavailable> {
        let candidate = self.packages.candidate(&request.name);
        let Some(wanted) = &request.version else {
            return candidate.ok_or_else(|| Unavailable::Package(request.name.clone()));
        };
        let here = self.packages.get(&request.name).map(|one| &one.package);
        let offers = self.packages.offers(&request.name);
        let mut all = offers.iter().map(|(_, package)| *package).chain(here);
        let found = all.find(|package| package.version == *wanted).cloned();
        match (found, candidate) {
            (Some(found), _) => Ok(found),
            (None, Some(_)) => Err(Unavailable::Version(request.name.clone(), wanted.clone())),
            (None, None) => Err(Unavailable::Package(request.name.clone())),
        }
    }

    /// Adds a package behind all that it needs.
    fn add(&mut self, package: &Arc<Package>, is_asked_for: bool) {
        let name = package.name.clone();
        let planned = self.plan.unpacks();
        if planned.iter().any(|one| one.name == name) {
            return;
        }
        let here = self
            .packages
            .get(&name)
            .map(|one| one.package.version.clone());
        if here.as_ref() == Some(&package.version) {
            if is_asked_for {
                self.plan.already.push((name, package.version.clone()));
            }
            return;
        }
        self.chosen.insert(name.clone(), Arc::clone(package));
        for choice in &package.depends {
            self.meet(package, choice);
        }
        for relation in &package.conflicts {
            let is_in_the_way = self.packages.get(&relation.name).is_some()
                && !self.plan.remove.contains(&relation.name);
            if is_in_the_way {
                self.plan.remove.push(relation.name.clone());
            }
        }
        if !is_asked_for {
            self.plan.automatic.push(name);
        }
        let list = match here {
            None => &mut self.plan.install,
            Some(here) if super::version::compare(&package.version, &here).is_lt() => {
                &mut self.plan.downgrade
            }
            Some(_) => &mut self.plan.upgrade,
        };
        list.push(Arc::clone(package));
    }

    fn meet(&mut self, package: &Package, choice: &[Relation]) {
        let is_met = |relation: &Relation| {
            let chosen = self
                .chosen
                .get(&relation.name)
                .map(|one| one.version.clone());
            let here = self.packages.get(&relation.name);
            let version = chosen.or_else(|| here.map(|one| one.package.version.clone()));
            version.is_some_and(|version| relation.accepts(&version))
        };
        if let Some(met) = choice.iter().find(|relation| is_met(relation)) {
            if let Some(package) = self.chosen.get(&met.name).cloned() {
                let is_asked_for = !self.plan.automatic.contains(&met.name);
                self.add(&package, is_asked_for);
            }
            return;
        }
        let offered = choice.iter().find_map(|relation| {
            let offers = self.packages.offers(&relation.name);
            let mut fitting = offers
                .into_iter()
                .filter(|(_, one)| relation.accepts(&one.version));
            fitting.next().map(|(_, package)| Arc::clone(package))
        });
        match (offered, choice.first()) {
            (Some(offered), _) => self.add(&offered, false),
            (None, Some(relation)) => {
                let other = self.packages.candidate(&relation.name);
                let reason = match (&other, &relation.version) {
                    (Some(other), Some(_)) => format!("but {} is to be installed", other.version),
                    (Some(_), None) => "but it is not going to be installed".to_owned(),
                    (None, _) => "but it is not installable".to_owned(),
                };
                self.broken.push(Broken {
                    package: package.name.clone(),
                    relation: relation.to_string(),
                    reason,
                });
            }
            (None, None) => {}
        }
    }
}
