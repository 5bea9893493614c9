//! `rpm -i`, `-U`, `-F` and `-e`: without anybody who looks for what is missing.

use std::sync::Arc;

use super::Wishes;
use super::query::{database, is_spelt};
use super::work::{self, Done, Happened, Source};
use crate::packages::rpm::version::compare;
use crate::packages::rpm::{meets, needs, nvra, show};
use crate::packages::{Installed, Package, State};
use crate::program::Invocation;
use crate::web::{self, Url};

/// `rpm -e NAME...`
pub(super) async fn erase(invocation: &mut Invocation, wishes: &Wishes) -> u8 {
    if wishes.operands.is_empty() {
        invocation.complain("rpm: no packages given for erase\n");
        return 1;
    }
    let all = database(invocation);
    let mut going: Vec<Installed> = Vec::new();
    let mut is_whole = true;
    for operand in &wishes.operands {
        let found: Vec<Installed> = all
            .iter()
            .filter(|one| is_spelt(one, operand))
            .cloned()
            .collect();
        if found.is_empty() {
            invocation.complain(&format!("error: package {operand} is not installed\n"));
            is_whole = false;
        }
        going.extend(found);
    }
    if !is_whole {
        return 1;
    }
    if invocation.credentials.uid != 0 {
        invocation.complain(&format!("{}\n", super::LOCKED_AWAY));
        return 1;
    }
    if !wishes.ignores_needs {
        let broken = broken_by(&all, &going);
        if !broken.is_empty() {
            invocation.complain(&format!("error: Failed dependencies:\n{broken}"));
            return 1;
        }
    }
    if wishes.is_test {
        return 0;
    }
    let mut status = 0;
    for one in going {
        if one.package.name == "gpg-pubkey" {
            let name = one.package.version.clone();
            invocation.host(|host| {
                host.packages
                    .keys
                    .retain(|key| super::keys::package(key).package.version != name);
            });
            continue;
        }
        let done = work::erase(invocation, &one.package, 0).await;
        status |= report(invocation, &done);
    }
    status
}

/// Says what installed packages need of those that go.
fn broken_by(all: &[Installed], going: &[Installed]) -> String {
    let goes = |one: &Installed| going.iter().any(|other| other.package == one.package);
    let stays: Vec<&Installed> = all.iter().filter(|one| !goes(one)).collect();
    let mut text = String::new();
    for one in &stays {
        for need in needs(&one.package) {
            let had = going.iter().any(|other| meets(&other.package, need));
            let has = stays.iter().any(|other| meets(&other.package, need));
            if had && !has {
                let (need, name) = (show(need), nvra(&one.package));
                text.push_str(&format!("\t{need} is needed by (installed) {name}\n"));
            }
        }
    }
    text
}

/// How packages are installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// Beside what is there.
    Install,
    /// In the place of what is there.
    Upgrade,
    /// Only where an older one is there.
    Freshen,
}

/// `rpm -i`, `-U`, `-F` with addresses of packages.
pub(super) async fn install(invocation: &mut Invocation, wishes: &Wishes, how: How) -> u8 {
    if wishes.operands.is_empty() {
        let verb = if how == How::Install {
            "install"
        } else {
            "upgrade"
        };
        invocation.complain(&format!("rpm: no packages given for {verb}\n"));
        return 1;
    }
    let mut packages = Vec::new();
    for operand in &wishes.operands {
        match find(invocation, operand).await {
            Ok(package) => packages.push(package),
            Err(said) => {
                invocation.complain(&said);
                return 1;
            }
        }
    }
    if invocation.credentials.uid != 0 {
        invocation.complain(&format!("{}\n", super::LOCKED_AWAY));
        return 1;
    }
    let here = |invocation: &Invocation, name: &str| {
        invocation.host(|host| host.packages.get(name).cloned())
    };
    if how == How::Freshen {
        packages.retain(|package| {
            here(invocation, &package.name)
                .is_some_and(|old| compare(&package.version, &old.package.version).is_gt())
        });
    }
    if !wishes.ignores_needs {
        let missing = missing(invocation, &packages);
        if !missing.is_empty() {
            invocation.complain(&format!("error: Failed dependencies:\n{missing}"));
            return 1;
        }
    }
    let mut status = 0;
    for package in &packages {
        status |= install_one(invocation, wishes, package).await;
    }
    status
}

async fn install_one(invocation: &mut Invocation, wishes: &Wishes, package: &Arc<Package>) -> u8 {
    let old = invocation.host(|host| host.packages.get(&package.name).cloned());
    if let Some(old) = old.as_ref().filter(|_| !wishes.is_forced)
        && !compare(&package.version, &old.package.version).is_gt()
    {
        let (own, old) = (nvra(package), nvra(&old.package));
        invocation.complain(&match own == old {
            true => format!("\tpackage {own} is already installed\n"),
            false => {
                format!("\tpackage {old} (which is newer than {own}) is already installed\n")
            }
        });
        return 1;
    }
    if wishes.is_test {
        return 0;
    }
    let done = work::install(invocation, package, &Source::default()).await;
    let mut status = report(invocation, &done);
    if let Some(old) = old {
        let done = work::erase(invocation, &old.package, 1).await;
        status |= report(invocation, &done);
    }
    status
}

fn missing(invocation: &Invocation, packages: &[Arc<Package>]) -> String {
    let here: Vec<Arc<Package>> = invocation.host(|host| {
        let all = host.packages.installed.values();
        let all = all.filter(|one| one.state != State::ConfigFiles);
        all.map(|one| Arc::clone(&one.package)).collect()
    });
    let mut text = String::new();
    for package in packages {
        for need in needs(package) {
            let mut all = here.iter().chain(packages);
            if !all.any(|one| meets(one, need)) {
                let (need, name) = (show(need), nvra(package));
                text.push_str(&format!("\t{need} is needed by {name}\n"));
            }
        }
    }
    text
}

/// Finds a package by an address: that of a repository and its name.
async fn find(invocation: &mut Invocation, operand: &str) -> Result<Arc<Package>, String> {
    let Some(url) = Url::parse(operand).filter(|_| operand.contains("://")) else {
        let path = invocation.path(operand);
        return Err(match invocation.host(|host| host.files.exists(&path)) {
            true => format!("error: {operand}: not an rpm package (or package manifest)\n"),
            false => format!("error: open of {operand} failed: No such file or directory\n"),
        });
    };
    let page = web::fetch(&invocation.fleet, invocation.host, &url, &web::Request::GET).await;
    invocation.sleep(web::ROUND_TRIP * 2).await;
    let is_there = page.is_ok_and(|page| page.is_trusted && page.status < 500);
    let found = invocation.world(|world| {
        world.repositories.iter().find_map(|repository| {
            let file = operand.strip_prefix(&format!("{}/", repository.url))?;
            let file = file.rsplit('/').next()?.strip_suffix(".rpm")?;
            let mut packages = repository.packages.iter();
            packages.find(|package| nvra(package) == file).cloned()
        })
    });
    found
        .filter(|_| is_there)
        .ok_or_else(|| format!("error: skipping {operand} - transfer failed\n"))
}

/// Says what scripts printed, and what rpm says of them.
fn report(invocation: &mut Invocation, done: &Done) -> u8 {
    for one in &done.happened {
        let (Happened::Script(said) | Happened::Files(said)) = one;
        if !said.is_empty() {
            invocation.complain(said);
        }
    }
    u8::from(done.is_refused)
}
