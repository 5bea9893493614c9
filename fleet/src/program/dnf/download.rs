//! Fetching packages, and judging their signatures.

use std::collections::BTreeMap;

use super::repository::{Repo, Settings};
use super::table::{WIDTH, transfer};
use super::transaction::kept_at;
use super::wishes::Wishes;
use crate::files::Credentials;
use crate::packages::rpm::plan::{Arrival, Plan};
use crate::packages::rpm::{nevra, nvra};
use crate::packages::{Metadata, Package};
use crate::program::rpm::fetch::{self, Failure, Verdict};
use crate::program::rpm::keys;
use crate::program::{Invocation, gpg};

/// Keeps a place for an archive; what is in it nobody reads.
fn keep(invocation: &Invocation, path: &str) {
    let (root, now) = (Credentials::root(), invocation.now());
    let (directory, _) = crate::files::split(path);
    // Without room for it, it is fetched again.
    let _ = invocation.host(|host| {
        host.files.make_dirs(directory, 0o755, &root, now)?;
        host.files.write(path, "", 0o644, &root, now)
    });
}

/// Fetches packages and judges their signatures.
pub(super) async fn download(
    invocation: &mut Invocation,
    wishes: &Wishes,
    settings: &Settings,
    metadata: &BTreeMap<String, Metadata>,
    plan: &Plan,
) -> Result<(), u8> {
    if plan.arrivals.is_empty() {
        return Ok(());
    }
    if !wishes.is_quiet {
        invocation.print("Downloading Packages:\n");
    }
    let mut arrivals: Vec<&Arrival> = plan.arrivals.iter().collect();
    arrivals.sort_by(|one, other| one.offer.package.name.cmp(&other.offer.package.name));
    let count = arrivals.len();
    let (mut total, started) = (0, invocation.fleet.elapsed());
    for (index, arrival) in arrivals.iter().enumerate() {
        let package = &arrival.offer.package;
        let Some(from) = metadata.get(&arrival.offer.repository) else {
            continue;
        };
        let before = invocation.fleet.elapsed();
        let kept = kept_at(arrival);
        if invocation.host(|host| host.files.exists(&kept)) {
            if !wishes.is_quiet {
                let text = format!("[SKIPPED] {}.rpm: Already downloaded", nvra(package));
                invocation.print(&format!("{text:<79}\n"));
            }
            continue;
        }
        if let Err(failure) = fetch::package(invocation, &from.url, package).await {
            say_failed(invocation, &failure, &from.url, &nvra(package));
            return Err(1);
        }
        total += package.size;
        keep(invocation, &kept);
        if !wishes.is_quiet {
            let name = match count {
                1 => format!("{}.rpm", nvra(package)),
                count => format!("({}/{count}): {}.rpm", index + 1, nvra(package)),
            };
            let time = invocation.fleet.elapsed() - before;
            invocation.print(&transfer(&name, package.size, time));
        }
    }
    if !wishes.is_quiet && total > 0 {
        let time = invocation.fleet.elapsed() - started;
        let line = transfer("Total", total, time);
        // This line alone has a blank more at its end.
        let line = line.trim_end_matches('\n');
        invocation.print(&format!("{}\n{line} \n", "-".repeat(WIDTH)));
    }
    for arrival in arrivals {
        let id = &arrival.offer.repository;
        let repo = settings.repos.iter().find(|repo| repo.id == *id);
        let (Some(repo), Some(from)) = (repo, metadata.get(id)) else {
            continue;
        };
        if repo.checks_keys {
            check_key(invocation, wishes, repo, from, &arrival.offer.package).await?;
        }
    }
    Ok(())
}

fn say_failed(invocation: &mut Invocation, failure: &Failure, url: &str, name: &str) {
    let reason = match failure {
        Failure::Status(status, _) => format!("Status code: {status}"),
        Failure::Curl(number, words, _) => format!("Curl error ({number}): {words}"),
    };
    invocation.complain(&format!(
        "[MIRROR] {name}.rpm: {reason} for {url}/{name}.rpm\n[FAILED] {name}.rpm: No more mirrors to try \
         - All mirrors were already tried without success\nError: Error downloading packages:\n  Cannot \
         download {name}.rpm: All mirrors were tried\n"
    ));
}

/// Checks the signature of a package; fetches the keys of its repository where that helps.
async fn check_key(
    invocation: &mut Invocation,
    wishes: &Wishes,
    repo: &Repo,
    from: &Metadata,
    package: &Package,
) -> Result<(), u8> {
    let file = format!("{}.rpm", nvra(package));
    let complaint = match fetch::judge(invocation, from) {
        Verdict::Good => return Ok(()),
        Verdict::Unsigned => format!("Package {file} is not signed\n"),
        Verdict::Unknown if repo.keys.is_empty() => {
            format!("Public key for {file} is not installed\n")
        }
        Verdict::Unknown => {
            for address in &repo.keys {
                import(invocation, wishes, repo, address).await?;
            }
            if fetch::judge(invocation, from) == Verdict::Good {
                return Ok(());
            }
            format!(
                "Public key for {file} is not installed. Failing package is: {}\n GPG Keys are \
                 configured as: {}\n",
                nevra(package),
                repo.keys.join(", ")
            )
        }
    };
    invocation.complain(&complaint);
    say_kept(invocation, wishes);
    invocation.complain("Error: GPG check FAILED\n");
    Err(1)
}

fn say_kept(invocation: &mut Invocation, wishes: &Wishes) {
    if !wishes.is_quiet {
        invocation.print(
            "The downloaded packages were saved in cache until the next successful \
             transaction.\nYou can remove cached packages by executing 'dnf clean packages'.\n",
        );
    }
}

/// Takes the keys up that an address holds.
async fn import(
    invocation: &mut Invocation,
    wishes: &Wishes,
    repo: &Repo,
    address: &str,
) -> Result<(), u8> {
    let text = match address.strip_prefix("file://") {
        Some(path) => invocation
            .host(|host| host.files.text(path))
            .ok_or_else(|| {
                format!("Curl error (37): Couldn't read a file:// file for {address}\n")
            }),
        None => {
            if address.starts_with("http://") {
                invocation.complain(&format!(
                    "retrieving repo key for {} unencrypted from {address}\n",
                    repo.id
                ));
            }
            let started = invocation.fleet.elapsed();
            let found = fetch::page(invocation, address).await;
            let time = invocation.fleet.elapsed() - started;
            if !wishes.is_quiet {
                let size = found.as_ref().map_or(335, |(text, _)| text.len() as u64);
                invocation.print(&transfer(&repo.name, size, time));
            }
            found
                .map(|(text, _)| text)
                .map_err(|failure| match failure {
                    Failure::Status(status, from) => {
                        format!("Status code: {status} for {address} (IP: {from})\n")
                    }
                    Failure::Curl(number, words, said) => {
                        format!("Curl error ({number}): {words} for {address} [{said}]\n")
                    }
                })
        }
    };
    let text = match text {
        Ok(text) => text,
        Err(said) => {
            invocation.complain(&said);
            say_kept(invocation, wishes);
            return Err(1);
        }
    };
    for key in gpg::keys(&text) {
        let short = key.get(32..).unwrap_or(&key);
        let groups: Vec<&str> = (0..10)
            .filter_map(|at| key.get(at * 4..at * 4 + 4))
            .collect();
        invocation.complain(&format!(
            "Importing GPG key 0x{short}:\n Userid     : \"{}\"\n Fingerprint: {}\n From       : \
             {address}\n",
            gpg::OWNER,
            groups.join(" ")
        ));
        keys::trust(invocation, &key);
        if !wishes.is_quiet {
            invocation.print("Key imported successfully\n");
        }
    }
    Ok(())
}
