//! In which order dpkg removes packages and sets them up, and what comes last.

use std::sync::Arc;

use crate::packages::{Package, Packages, Plan};
use crate::program::Invocation;

/// Those that need others go before these.
pub(super) fn removal_order(packages: &Packages, names: &[String]) -> Vec<String> {
    let mut left: Vec<String> = names.to_vec();
    let mut order = Vec::new();
    while !left.is_empty() {
        let is_needed = |name: &String| {
            left.iter().filter(|other| *other != name).any(|other| {
                let other = packages.installed.get(other);
                other.is_some_and(|other| needs(&other.package, name))
            })
        };
        let next = left.iter().position(|name| !is_needed(name)).unwrap_or(0);
        order.push(left.remove(next));
    }
    order
}

fn needs(package: &Package, name: &str) -> bool {
    let mut all = package.depends.iter().flatten();
    all.any(|relation| relation.name == name)
}

/// Those that are needed go before those that need them; else they come as they lie in the table of
/// dpkg, whose hash and size these are (`lib/dpkg/pkg-hash.c`).
pub(super) fn setup_order(packages: &[Arc<Package>]) -> Vec<String> {
    let place = |name: &str| {
        let hash = name.bytes().fold(2_166_136_261_u32, |hash, byte| {
            hash.wrapping_mul(16_777_619) ^ u32::from(byte)
        });
        hash % 8191
    };
    let mut left: Vec<&Arc<Package>> = packages.iter().collect();
    left.sort_by_key(|package| std::cmp::Reverse(place(&package.name)));
    let mut order = Vec::new();
    while !left.is_empty() {
        let waits = |package: &Package| {
            let others = left.iter().filter(|other| other.name != package.name);
            others.into_iter().any(|other| needs(package, &other.name))
        };
        let next = left.iter().position(|package| !waits(package)).unwrap_or(0);
        order.push(left.remove(next).name.clone());
    }
    order
}

/// Libraries that come or go let the cache of the linker be made anew.
pub(super) fn run_triggers(invocation: &mut Invocation, packages: &Packages, plan: &Plan) {
    let removed = plan
        .remove
        .iter()
        .filter_map(|name| packages.installed.get(name));
    let removed = removed.map(|one| Arc::clone(&one.package));
    let mut changed = plan.unpacks().into_iter().chain(removed);
    let cache = packages.get("libc-bin");
    if let (true, Some(cache)) = (changed.any(|package| package.is_for_each), cache) {
        let version = &cache.package.version;
        invocation.print(&format!(
            "Processing triggers for libc-bin ({version}) ...\n"
        ));
    }
}
