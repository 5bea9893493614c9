//! The programs that a host can run, in tables.
//!
//! A program is there where the file tree of the host has an executable file with its name as
//! [`Content::Program`](crate::files::Content): `command -v docker` finds nothing before the package
//! is installed.

mod account;
mod apt;
mod archive;
mod around;
mod attribute;
mod awk;
mod busybox;
pub(crate) mod clock;
pub(crate) mod coreutils;
mod curl;
mod dd;
mod digest;
mod dnf;
mod docker;
mod dpkg;
mod dump;
mod expr;
mod file;
mod find;
mod firewall;
pub(crate) mod gpg;
mod grep;
mod identity;
mod install;
mod invocation;
mod journalctl;
mod jq;
pub(crate) mod launch;
mod lines;
mod link;
mod list;
mod machine;
pub(crate) mod mode;
pub(crate) mod net;
pub(crate) mod openrc;
pub(crate) mod options;
mod output;
mod passwd;
mod path;
pub(crate) mod posix;
pub(crate) mod power;
mod privilege;
mod processes;
pub(crate) mod rpm;
mod run;
mod scp;
mod sed;
pub(crate) mod selinux;
mod seq;
mod sftp;
mod sockets;
mod status;
mod subscription;
mod sudo;
mod system;
pub(crate) mod systemctl;
mod terminal;
mod text;
pub(crate) mod time;
mod wc;
mod zypper;

use futures_util::future::BoxFuture;

pub(crate) use invocation::{Invocation, WORTH_SLEEPING, absolute};

/// A program that is simulated.
pub(crate) struct Program {
    /// Its name: the last part of its path.
    pub(crate) name: &'static str,
    /// Runs it; returns its exit status.
    pub(crate) run: for<'a> fn(&'a mut Invocation) -> BoxFuture<'a, u8>,
}

/// All tables.
const TABLES: &[&[Program]] = &[
    crate::shell::PROGRAMS,
    output::PROGRAMS,
    apt::PROGRAMS,
    curl::PROGRAMS,
    dd::PROGRAMS,
    dnf::PROGRAMS,
    docker::PROGRAMS,
    dpkg::PROGRAMS,
    gpg::PROGRAMS,
    journalctl::PROGRAMS,
    jq::PROGRAMS,
    net::PROGRAMS,
    firewall::PROGRAMS,
    selinux::PROGRAMS,
    seq::PROGRAMS,
    sockets::PROGRAMS,
    subscription::PROGRAMS,
    sudo::PROGRAMS,
    openrc::PROGRAMS,
    power::PROGRAMS,
    privilege::PROGRAMS,
    rpm::PROGRAMS,
    systemctl::PROGRAMS,
    account::PROGRAMS,
    archive::PROGRAMS,
    attribute::PROGRAMS,
    awk::PROGRAMS,
    busybox::PROGRAMS,
    digest::PROGRAMS,
    dump::PROGRAMS,
    expr::PROGRAMS,
    file::PROGRAMS,
    find::PROGRAMS,
    grep::PROGRAMS,
    identity::PROGRAMS,
    install::PROGRAMS,
    lines::PROGRAMS,
    link::PROGRAMS,
    list::PROGRAMS,
    machine::PROGRAMS,
    passwd::PROGRAMS,
    path::PROGRAMS,
    processes::PROGRAMS,
    run::PROGRAMS,
    scp::PROGRAMS,
    sed::PROGRAMS,
    sftp::PROGRAMS,
    status::PROGRAMS,
    system::PROGRAMS,
    terminal::PROGRAMS,
    text::PROGRAMS,
    time::PROGRAMS,
    wc::PROGRAMS,
    zypper::PROGRAMS,
];

/// Returns the program with a name.
pub(crate) fn find(name: &str) -> Option<&'static Program> {
    TABLES
        .iter()
        .flat_map(|table| table.iter())
        .find(|program| program.name == name)
}

/// Returns whether what a file holds as a program is simulated.
pub(crate) fn is_known(image: &str) -> bool {
    find(coreutils::Coreutils::of(image).1).is_some()
}

/// Returns the names of all programs.
#[cfg(test)]
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    TABLES
        .iter()
        .flat_map(|table| table.iter())
        .map(|program| program.name)
}
