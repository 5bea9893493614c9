//! `dpkg` and `dpkg-query`, and what installs packages for `apt-get`.

mod query;
mod work;

use futures_util::future::BoxFuture;

use super::{Invocation, Program};
use crate::packages::{Package, State};

pub(crate) use query::stanza;
pub(crate) use work::{Reading, configure, place, purge, remove, take_away, unpack};

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "dpkg",
        run: dpkg,
    },
    Program {
        name: "dpkg-query",
        run: query::dpkg_query,
    },
];

fn dpkg(invocation: &mut Invocation) -> BoxFuture<'_, u8> {
    Box::pin(async move {
        invocation.spend(crate::time::of("dpkg-query")).await;
        let arguments = invocation.arguments.clone();
        let Some((verb, names)) = arguments.split_first() else {
            invocation.complain("dpkg: error: need an action option\n");
            return 2;
        };
        match verb.as_str() {
            "--audit" | "-C" => audit(invocation),
            "--configure" => configure_all(invocation, names).await,
            "--print-architecture" => {
                let machine = invocation.host(|host| host.hardware.machine.clone());
                let own = crate::packages::debian_architecture(&machine);
                invocation.print(&format!("{own}\n"));
                0
            }
            "-l" | "--list" | "-s" | "--status" | "-L" | "--listfiles" | "-S" | "--search" => {
                query::run(invocation, &arguments)
            }
            "--compare-versions" => query::compare(invocation, names),
            "-r" | "--remove" | "-P" | "--purge" => {
                let purges = ["-P", "--purge"].contains(&verb.as_str());
                let (mut status, mut reading) = (0, Reading::default());
                for name in names {
                    status = status.max(remove(invocation, name, &mut reading).await);
                    if purges {
                        status = status.max(purge(invocation, name, &mut reading).await);
                    }
                }
                status
            }
            other => invocation.not_simulated(&format!("action {other}")),
        }
    })
}

/// Tells of installations that were interrupted.
fn audit(invocation: &mut Invocation) -> u8 {
    let packages = invocation.host(|host| host.packages.clone());
    let rows = [
        (
            State::Unpacked,
            "The following packages have been unpacked but not yet configured.\nThey must be \
             configured using dpkg --configure or the configure\nmenu option in dselect for them \
             to work:\n",
        ),
        (
            State::HalfConfigured,
            "The following packages are only half configured, probably due to problems\n\
             configuring them the first time.  The configuration should be retried using\ndpkg \
             --configure <package> or the configure menu option in dselect:\n",
        ),
    ];
    for (state, title) in rows {
        let found = packages.installed.values().filter(|one| one.state == state);
        let found: Vec<&Package> = found.map(|one| &*one.package).collect();
        if found.is_empty() {
            continue;
        }
        invocation.print(title);
        for package in found {
            invocation.print(&format!(" {:20} {}\n", package.name, package.summary));
        }
        invocation.print("\n");
    }
    0
}

async fn configure_all(invocation: &mut Invocation, names: &[String]) -> u8 {
    if invocation.credentials.uid != 0 {
        invocation.complain("dpkg: error: requested operation requires superuser privilege\n");
        return 2;
    }
    let is_all = names.iter().any(|name| name == "-a" || name == "--pending");
    let names = if is_all {
        invocation.host(|host| host.packages.interrupted())
    } else {
        names.to_vec()
    };
    let mut status = 0;
    for name in names {
        status = status.max(configure(invocation, &name).await);
    }
    status
}
