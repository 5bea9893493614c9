//! `shutdown` of the init of System V, as sysvinit-core 3.06 of Debian 12 has it. It knows no long
//! options, and goes nowhere without a time.

use super::Invocation;
use crate::program::power;

const USAGE: &str = include_str!("../../../data/openrc/shutdown-usage.txt");

/// What was asked of `shutdown`.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Now(&'static str),
    /// What is wrong with it, before the usage.
    Wrong(String),
    NotSimulated(String),
}

/// `shutdown -r|-h TIME`.
pub(crate) async fn shutdown(invocation: &mut Invocation) -> u8 {
    let asked = match invocation.credentials.uid {
        0 => read(&invocation.name, &invocation.arguments),
        _ => Asked::Wrong("shutdown: you must be root to do that!\n".to_owned()),
    };
    match asked {
        Asked::Now(verb) => power::ask(invocation, verb).await,
        Asked::Wrong(what) => {
            invocation.print_error(&what);
            invocation.print_error(USAGE);
            1
        }
        Asked::NotSimulated(what) => invocation.not_simulated(&what),
    }
}

/// Reads options as `getopt` does, before and behind the time.
fn read(name: &str, arguments: &[String]) -> Asked {
    let mut flags = String::new();
    let mut operands = Vec::new();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.strip_prefix('-') {
            Some("-") => operands.extend(words.by_ref()),
            Some(letters) if !letters.is_empty() => flags.push_str(letters),
            _ => operands.push(word),
        }
    }
    for flag in flags.chars() {
        match flag {
            'r' | 'h' | 'P' | 'H' | 'f' => {}
            'a' | 'c' | 'F' | 'g' | 'i' | 'k' | 'n' | 'q' | 'Q' | 't' | 'y' => {
                return Asked::NotSimulated(format!("option -{flag}"));
            }
            _ => return Asked::Wrong(format!("{name}: invalid option -- '{flag}'\n")),
        }
    }
    let halts = flags.contains('h');
    if !halts && flags.contains(['P', 'H']) {
        let what = "shutdown: -H and -P flags can only be used along with -h flag.\n";
        return Asked::Wrong(what.to_owned());
    }
    let Some(time) = operands.first() else {
        return Asked::Wrong(String::new());
    };
    let digits = time.strip_prefix('+').unwrap_or(time);
    match time.as_str() {
        "now" | "0" | "+0" if flags.contains('r') => Asked::Now("reboot"),
        "now" | "0" | "+0" if halts => Asked::Now("poweroff"),
        "now" | "0" | "+0" => Asked::NotSimulated("without -r or -h".to_owned()),
        _ if digits.starts_with(|first: char| first.is_ascii_digit()) => {
            Asked::NotSimulated(format!("time {time}"))
        }
        _ => Asked::Wrong(String::new()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::host::Init;
    use crate::testing::{bash, host_of};

    #[tokio::test(start_paused = true)]
    async fn it_knows_no_long_options_and_wants_a_time() {
        let (fleet, host) = host_of("ubuntu-22.04", |spec| spec.init = Init::OpenRc);
        let before = fleet.host(host, |host| host.boot_id.clone());
        for (words, said) in [
            (
                "--reboot 0",
                "/usr/sbin/shutdown: invalid option -- '-'\nUsage:\t",
            ),
            ("-r", "Usage:\t"),
            ("-r xx", "Usage:\t"),
            (
                "-P now",
                "shutdown: -H and -P flags can only be used along with -h",
            ),
        ] {
            let ran = bash(&fleet, host, &format!("/usr/sbin/shutdown {words}")).await;

            assert_eq!(ran.status, 1, "{words}");
            assert!(ran.stderr.starts_with(said), "{words}: {ran:?}");
        }
        tokio::time::sleep(Duration::from_secs(120)).await;
        let after = fleet.host(host, |host| host.boot_id.clone());
        assert_eq!(after, before);
    }

    #[tokio::test(start_paused = true)]
    async fn it_reboots_now() {
        for words in ["-r now", "-r 0", "now -r", "-fr +0"] {
            let (fleet, host) = host_of("ubuntu-22.04", |spec| spec.init = Init::OpenRc);
            let before = fleet.host(host, |host| host.boot_id.clone());

            let ran = bash(&fleet, host, &format!("/usr/sbin/shutdown {words}")).await;
            tokio::time::sleep(Duration::from_secs(120)).await;

            assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{words}");
            let after = fleet.host(host, |host| host.boot_id.clone());
            assert_ne!(after, before, "{words}");
        }
    }
}
