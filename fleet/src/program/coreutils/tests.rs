//! Hosts of Ubuntu 26.04, beside those of 24.04.

use super::usage;
use crate::testing::{self, Ran};

async fn on(profile: &str, script: &str) -> Ran {
    let (fleet, host) = testing::host_of(profile, |_| {});
    testing::bash(&fleet, host, script).await
}

/// Which implementation answers is a matter of the file that is run.
#[tokio::test(start_paused = true)]
async fn the_file_says_whose_program_it_is() {
    let script = "stat /nix; gnustat /nix; cp nix x; /usr/lib/cargo/bin/coreutils/cp --version; \
                  cp /usr/bin/gnustat /usr/local/bin/stat; /usr/local/bin/stat /nix";

    let ran = on("ubuntu-26.04", script).await;

    assert_eq!(
        ran.stderr,
        "stat: cannot stat '/nix': No such file or directory (os error 2)\n\
         gnustat: cannot statx '/nix': No such file or directory\n\
         cp: cannot stat 'nix': No such file or directory\n\
         /usr/local/bin/stat: cannot statx '/nix': No such file or directory\n"
    );
    assert_eq!(ran.stdout, "cp (uutils coreutils) 0.8.0\n");
}

#[tokio::test(start_paused = true)]
async fn older_releases_have_those_of_gnu() {
    let ran = on(
        "ubuntu-24.04",
        "stat /nix; readlink -f /usr/bin/stat /usr/bin/sudo; mkdir",
    )
    .await;

    assert_eq!(
        ran.stderr,
        "stat: cannot statx '/nix': No such file or directory\nmkdir: missing operand\n\
         Try 'mkdir --help' for more information.\n"
    );
    assert_eq!(ran.stdout, "/usr/bin/stat\n/usr/bin/sudo\n");
}

/// The lists of files in Ubuntu's own index of packages (resolute): links are of one package, what they lead to of
/// others, and an alternative of none.
#[tokio::test(start_paused = true)]
async fn packages_are_those_of_resolute() {
    let script = "dpkg -S /usr/bin/stat; dpkg -S /usr/bin/cp; dpkg -S /usr/bin/gnucp; \
                  dpkg -S /usr/lib/cargo/bin/coreutils/stat; dpkg -S /usr/lib/cargo/bin/sudo; dpkg -S /usr/bin/sudo; \
                  dpkg-query -W -f '${Package} ${Version} ${Architecture}\\n' coreutils coreutils-from-uutils \
                  gnu-coreutils rust-coreutils sudo sudo-rs; dpkg -l rust-coreutils | tail -n 1 | tr -s ' '";

    let ran = on("ubuntu-26.04", script).await;

    assert_eq!(
        ran.stdout,
        "coreutils-from-uutils: /usr/bin/stat\ncoreutils-from-uutils: /usr/bin/cp\n\
         gnu-coreutils: /usr/bin/gnucp\nrust-coreutils: /usr/lib/cargo/bin/coreutils/stat\n\
         sudo-rs: /usr/lib/cargo/bin/sudo\n\
         coreutils 9.5-1ubuntu2+0.0.0~ubuntu25 all\ncoreutils-from-uutils 0.0.0~ubuntu25 all\n\
         gnu-coreutils 9.7-3ubuntu2 amd64\nrust-coreutils 0.8.0-0ubuntu3 amd64\n\
         sudo 1.9.17p2-1ubuntu3 amd64\nsudo-rs 0.2.13-0ubuntu1 amd64\n\
         ii rust-coreutils 0.8.0-0ubuntu3 amd64 Universal coreutils utils, written in Rust\n"
    );
    let nobody = "dpkg-query: no path found matching pattern /usr/bin/sudo\n";
    assert_eq!(ran.stderr, nobody);
}

/// What comes through a pipe is a source like any other, for both; uutils fails where the target is there.
#[tokio::test(start_paused = true)]
async fn install_reads_pipes() {
    let script = "cd /tmp; echo one | install -m 640 /dev/stdin f; cat f; echo two | install /dev/stdin f; echo $?; cat f";

    let gnu = on("ubuntu-24.04", script).await;
    let uutils = on("ubuntu-26.04", script).await;

    assert_eq!(gnu.stdout, "one\n0\ntwo\n");
    assert_eq!(uutils.stdout, "one\n1\none\n");
}

/// sudo-rs does not know `requiretty`: it says so, and goes on.
#[tokio::test(start_paused = true)]
async fn sudo_rs_wants_no_terminal() {
    let (fleet, host) = testing::host_of("ubuntu-26.04", |spec| {
        "lab".clone_into(&mut spec.login);
    });
    fleet.host(host, |host| {
        host.sudo_wish = Some(crate::host::SudoWish::Terminal)
    });

    let ran = testing::bash(&fleet, host, "su lab -c 'sudo -n id -u'").await;

    assert_eq!(ran.stdout, "0\n", "{ran:?}");
    assert!(
        ran.stderr.contains("unknown setting: 'requiretty'"),
        "{ran:?}"
    );
}

/// What is known of calls is known of every program of uutils that is simulated, and of no other.
#[test]
fn calls_are_known_of_all_programs_that_let_clap_read() {
    let data = include_str!("../../../data/uutils-usage.txt");
    let names = data.lines().filter_map(|line| line.strip_prefix("p "));
    let unknown: Vec<&str> = names
        .filter(|name| crate::program::find(name).is_none())
        .collect();

    assert_eq!(unknown, Vec::<&str>::new());
    assert!(usage::find("stat").is_some_and(|usage| usage.has("-c") && !usage.has("-@")));
    assert!(usage::find("printf").is_none());
}
