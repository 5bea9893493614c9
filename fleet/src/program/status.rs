//! Programs that tell how a machine is: `uptime`, `lscpu`, `vmstat`, `last`, `lastlog`, `locale`.

use super::options::{self, Value};
use super::{Invocation, Program, time};
use std::time::Duration;

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "uptime",
        run: |invocation| Box::pin(async { uptime(invocation) }),
    },
    Program {
        name: "lscpu",
        run: |invocation| Box::pin(async { lscpu(invocation) }),
    },
    Program {
        name: "vmstat",
        run: |invocation| Box::pin(async { vmstat(invocation) }),
    },
    Program {
        name: "last",
        run: |invocation| Box::pin(async { last(invocation) }),
    },
    Program {
        name: "lastlog",
        run: |invocation| Box::pin(async { lastlog(invocation) }),
    },
    Program {
        name: "locale",
        run: |invocation| Box::pin(async { locale(invocation) }),
    },
];

fn uptime(invocation: &mut Invocation) -> u8 {
    let long = [("pretty", 'p', Value::None), ("since", 's', Value::None)];
    let options = match options::read(invocation, "ps", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let now = invocation.now();
    let first = |path: &str| {
        let bytes = invocation.read_file(path).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let (up, load) = (first("/proc/uptime"), first("/proc/loadavg"));
    let up = up.split(' ').next().and_then(|text| text.parse().ok());
    let up = Duration::try_from_secs_f64(up.unwrap_or_default()).unwrap_or_default();
    let text = match (options.has('p'), options.has('s')) {
        (true, _) => Some(format!("up {}", in_words(up))),
        (_, true) => time::format("%Y-%m-%d %H:%M:%S", now.saturating_sub(up)),
        _ => {
            // Nobody has a terminal that `utmp` knows.
            let load: Vec<&str> = load.split(' ').take(3).collect();
            time::format("%H:%M:%S", now).map(|clock| {
                format!(
                    " {clock} up {},  0 users,  load average: {}",
                    in_figures(up),
                    load.join(", ")
                )
            })
        }
    };
    invocation.print(&format!("{}\n", text.unwrap_or_default()));
    0
}

/// `1 day, 2:03`, as `uptime` has it.
fn in_figures(up: Duration) -> String {
    let minutes = up.as_secs() / 60;
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    let rest = match hours {
        0 => format!("{minutes} min"),
        _ => format!("{hours:2}:{minutes:02}"),
    };
    match days {
        0 => rest,
        1 => format!("1 day, {rest}"),
        _ => format!("{days} days, {rest}"),
    }
}

/// `2 hours, 3 minutes`, as `uptime -p` has it.
fn in_words(up: Duration) -> String {
    let minutes = up.as_secs() / 60;
    let parts = [
        (minutes / 10_080, "week"),
        (minutes / 1440 % 7, "day"),
        (minutes / 60 % 24, "hour"),
        (minutes % 60, "minute"),
    ];
    let said = parts.iter().filter(|(count, _)| *count > 0);
    let said: Vec<String> = said
        .map(|(count, unit)| {
            let plural = if *count == 1 { "" } else { "s" };
            format!("{count} {unit}{plural}")
        })
        .collect();
    match said.is_empty() {
        true => "0 minutes".to_owned(),
        false => said.join(", "),
    }
}

/// The processors of `/proc/cpuinfo`: one socket of an EPYC, or of a Neoverse.
fn lscpu(invocation: &mut Invocation) -> u8 {
    if let Err(status) = options::read(invocation, "", &[]) {
        return status;
    }
    let (machine, count) =
        invocation.host(|host| (host.hardware.machine.clone(), host.hardware.processors));
    let modes = match machine.as_str() {
        "x86_64" => "32-bit, 64-bit",
        _ => "64-bit",
    };
    let (vendor, model) = match machine.as_str() {
        "x86_64" => ("AuthenticAMD", "AMD EPYC"),
        _ => ("ARM", "Neoverse-N1"),
    };
    let list = match count {
        1 => "0".to_owned(),
        count => format!("0-{}", count.saturating_sub(1)),
    };
    let rows = [
        ("Architecture", machine),
        ("CPU op-mode(s)", modes.to_owned()),
        ("Byte Order", "Little Endian".to_owned()),
        ("CPU(s)", count.to_string()),
        ("On-line CPU(s) list", list.clone()),
        ("Vendor ID", vendor.to_owned()),
        ("Model name", model.to_owned()),
        ("Thread(s) per core", "1".to_owned()),
        ("Core(s) per socket", count.to_string()),
        ("Socket(s)", "1".to_owned()),
        ("NUMA node(s)", "1".to_owned()),
        ("NUMA node0 CPU(s)", list),
    ];
    for (name, value) in rows {
        invocation.print(&format!("{:<33}{value}\n", format!("{name}:")));
    }
    0
}

/// `vmstat -s`, with the figures of `/proc/meminfo`; a host counts nothing else.
fn vmstat(invocation: &mut Invocation) -> u8 {
    let options = match options::read(invocation, "s", &[("stats", 's', Value::None)]) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if !options.has('s') {
        return invocation.not_simulated("anything but the option -s");
    }
    let total = invocation.host(|host| host.hardware.memory_kib);
    let (unused, buffers, cached) = (total / 10 * 7, total / 100, total / 10 * 2);
    let used = total - unused - buffers - cached;
    let rows = [
        (total, "K total memory"),
        (used, "K used memory"),
        (used, "K active memory"),
        (cached, "K inactive memory"),
        (unused, "K free memory"),
        (buffers, "K buffer memory"),
        (cached, "K swap cache"),
        (0, "K total swap"),
        (0, "K used swap"),
        (0, "K free swap"),
    ];
    for (number, name) in rows {
        invocation.print(&format!("{number:13} {name}\n"));
    }
    0
}

/// `last` and `lastb` of a host that keeps no record of logins.
fn last(invocation: &mut Invocation) -> u8 {
    let file = match invocation.name.rsplit('/').next() {
        Some("lastb") => "/var/log/btmp",
        _ => "/var/log/wtmp",
    };
    invocation.error(&format!("cannot open {file}: No such file or directory"));
    1
}

/// `lastlog`: nobody has logged in where a terminal is kept account of.
fn lastlog(invocation: &mut Invocation) -> u8 {
    let long = [("user", 'u', Value::Needed)];
    let options = match options::read(invocation, "u:", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let passwd = invocation
        .host(|host| host.files.text("/etc/passwd"))
        .unwrap_or_default();
    let names = passwd.lines().filter_map(|line| line.split(':').next());
    let wanted = options.value('u');
    let names: Vec<&str> = names
        .filter(|name| wanted.is_none_or(|wanted| wanted == *name))
        .collect();
    if let (Some(wanted), true) = (wanted, names.is_empty()) {
        invocation.error(&format!("Unknown user or range: {wanted}"));
        return 1;
    }
    let mut text = "Username         Port     From             Latest\n".to_owned();
    for name in names {
        text.push_str(&format!("{name:<43}**Never logged in**\n"));
    }
    invocation.print(&text);
    0
}

fn locale(invocation: &mut Invocation) -> u8 {
    let long = [("all-locales", 'a', Value::None)];
    let options = match options::read(invocation, "a", &long) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.has('a') {
        invocation.print("C\nC.utf8\nPOSIX\n");
        return 0;
    }
    let of = |name: &str| invocation.variable(name).filter(|value| !value.is_empty());
    let (lang, all) = (of("LANG").unwrap_or_default(), of("LC_ALL"));
    let mut text = format!(
        "LANG={lang}\nLANGUAGE={}\n",
        of("LANGUAGE").unwrap_or_default()
    );
    for part in [
        "CTYPE",
        "NUMERIC",
        "TIME",
        "COLLATE",
        "MONETARY",
        "MESSAGES",
        "PAPER",
        "NAME",
        "ADDRESS",
        "TELEPHONE",
        "MEASUREMENT",
        "IDENTIFICATION",
    ] {
        let name = format!("LC_{part}");
        let line = match (all, of(&name)) {
            // What is not said itself stands in quotes.
            (Some(all), _) => format!("{name}=\"{all}\"\n"),
            (None, Some(own)) => format!("{name}={own}\n"),
            (None, None) if lang.is_empty() => format!("{name}=\"POSIX\"\n"),
            (None, None) => format!("{name}=\"{lang}\"\n"),
        };
        text.push_str(&line);
    }
    text.push_str(&format!("LC_ALL={}\n", all.unwrap_or_default()));
    invocation.print(&text);
    0
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use crate::testing::{self, Ran};

    async fn on_ubuntu(script: &str) -> Ran {
        let (fleet, host) = testing::host_of("ubuntu-22.04", |_| {});
        testing::bash(&fleet, host, script).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_says_how_long_it_is_up() {
        let ran = on_ubuntu("uptime; uptime -s").await;

        assert!(
            ran.stdout.contains(" up ") && !ran.stdout.contains(" days"),
            "{ran:?}"
        );
        assert!(
            ran.stdout
                .contains(",  0 users,  load average: 0.08, 0.03, 0.01\n2026-"),
            "{ran:?}"
        );
        let up = std::time::Duration::from_secs;
        assert_eq!(super::in_figures(up(47 * 60)), "47 min");
        assert_eq!(super::in_figures(up(86_400 + 7_380)), "1 day,  2:03");
        assert_eq!(
            super::in_words(up(86_400 + 7_380)),
            "1 day, 2 hours, 3 minutes"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn processors_and_memory_are_those_of_proc() {
        let ran = on_ubuntu(
            "[ $(lscpu | sed -n 's/^CPU(s): *//p') = $(nproc) ] && echo same; \
             vmstat -s | grep -c \"$(sed -n 's/MemTotal: *//p' /proc/meminfo | tr -d ' kB') K total memory\"",
        )
        .await;

        assert_eq!(ran.stdout, "same\n1\n", "{ran:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_remembered_to_have_logged_in() {
        let ran = on_ubuntu("lastlog -u root; lastlog -u nobody-at-all; last; lastb").await;

        assert!(
            ran.stdout
                .ends_with("root                                       **Never logged in**\n")
        );
        assert_eq!(
            ran.stderr,
            "lastlog: Unknown user or range: nobody-at-all\n\
             last: cannot open /var/log/wtmp: No such file or directory\n\
             lastb: cannot open /var/log/btmp: No such file or directory\n"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_set_of_the_locale_is_posix_in_quotes() {
        let ran =
            on_ubuntu("unset LC_ALL; LANG=C.UTF-8 locale | grep -E 'LANG=|TIME'; locale -a").await;

        assert_eq!(
            ran.stdout, "LANG=C.UTF-8\nLC_TIME=\"C.UTF-8\"\nC\nC.utf8\nPOSIX\n",
            "{ran:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn mounts_processes_and_parameters_are_listed_as_tools_ask_for_them() {
        let ran = on_ubuntu(
            "awk '$5 == \"/\" {print $1, $2, $7, $8, $9}' /proc/self/mountinfo; \
             ps -eo pid,user,stat,%cpu,%mem,comm,args --no-headers | head -n 1; \
             /usr/sbin/sysctl -a | grep ^net.ipv4.ip_forward; readlink -f /etc/localtime; \
             getconf NPROCESSORS_ONLN; ip -j addr show dev eth0 | grep -o '\"local\":\"10.0.0.1\"'",
        )
        .await;

        assert!(ran.stdout.starts_with("25 1 shared:1 - "), "{ran:?}");
        assert!(ran.stdout.contains("0.0     0.0 systemd "), "{ran:?}");
        assert!(ran.stdout.contains("net.ipv4.ip_forward = "), "{ran:?}");
        assert!(
            ran.stdout
                .ends_with("/usr/share/zoneinfo/Etc/UTC\n\"local\":\"10.0.0.1\"\n"),
            "{ran:?}"
        );
        assert!(
            ran.stderr
                .contains("getconf: Unrecognized variable `NPROCESSORS_ONLN'"),
            "{ran:?}"
        );
    }
}
