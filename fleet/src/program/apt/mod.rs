//! `apt-get`, `apt-cache`, `apt-mark`.

mod cache;
mod change;
pub(crate) mod lock;
mod order;
mod update;

use futures_util::future::BoxFuture;

use super::{Invocation, Program};

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "apt-get",
        run: apt_get,
    },
    Program {
        name: "apt",
        run: apt,
    },
    Program {
        name: "apt-cache",
        run: cache::apt_cache,
    },
    Program {
        name: "apt-mark",
        run: cache::apt_mark,
    },
];

/// What was asked for besides verb and names.
#[derive(Debug, Clone, Default)]
pub(super) struct Wishes {
    pub(super) yes: bool,
    pub(super) quiet: u8,
    pub(super) simulates: bool,
    pub(super) reinstalls: bool,
    pub(super) allows_downgrades: bool,
    pub(super) purges: bool,
    pub(super) changes_held: bool,
    pub(super) names: Vec<String>,
    /// How many seconds a lock is waited for.
    pub(super) lock_timeout: u64,
}

fn apt_get(invocation: &mut Invocation) -> BoxFuture<'_, u8> {
    Box::pin(run(invocation))
}

fn apt(invocation: &mut Invocation) -> BoxFuture<'_, u8> {
    Box::pin(async move {
        invocation.complain(
            "\nWARNING: apt does not have a stable CLI interface. Use with caution in \
             scripts.\n\n",
        );
        if invocation
            .arguments
            .first()
            .is_some_and(|verb| verb == "list")
        {
            return cache::list(invocation);
        }
        run(invocation).await
    })
}

async fn run(invocation: &mut Invocation) -> u8 {
    let wishes = match parse(&invocation.arguments) {
        Ok(wishes) => wishes,
        Err(option) => return invocation.not_simulated(&format!("option {option}")),
    };
    let mut names = wishes.names.clone();
    if names.is_empty() {
        return invocation.not_simulated("no verb");
    }
    let verb = names.remove(0);
    let wishes = Wishes { names, ..wishes };
    match verb.as_str() {
        "update" => update::update(invocation, &wishes).await,
        "install" | "reinstall" => change::install(invocation, &wishes).await,
        "remove" => change::remove(invocation, &wishes, false).await,
        "purge" => change::remove(invocation, &wishes, true).await,
        "autoremove" | "autopurge" => change::autoremove(invocation, &wishes).await,
        "upgrade" | "dist-upgrade" | "full-upgrade" => change::upgrade(invocation, &wishes).await,
        "clean" | "autoclean" | "check" => 0,
        other => invocation.not_simulated(&format!("verb {other}")),
    }
}

fn parse(arguments: &[String]) -> Result<Wishes, String> {
    let mut wishes = Wishes::default();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-y" | "--yes" | "--assume-yes" => wishes.yes = true,
            "-q" | "--quiet" => wishes.quiet += 1,
            "-qq" => wishes.quiet += 2,
            "-qy" | "-yq" => {
                wishes.yes = true;
                wishes.quiet += 1;
            }
            "-yqq" | "-qqy" => {
                wishes.yes = true;
                wishes.quiet += 2;
            }
            "-s" | "--simulate" | "--dry-run" | "--just-print" => wishes.simulates = true,
            "--reinstall" => wishes.reinstalls = true,
            "--allow-downgrades" => wishes.allows_downgrades = true,
            "--purge" => wishes.purges = true,
            "--allow-change-held-packages" => wishes.changes_held = true,
            "-f"
            | "--fix-broken"
            | "--no-install-recommends"
            | "--no-install-suggests"
            | "--force-yes"
            | "-m"
            | "--fix-missing" => {}
            "-o" | "--option" => option(&mut wishes, words.next().ok_or("-o")?)?,
            word => match word
                .strip_prefix("-o")
                .or_else(|| word.strip_prefix("--option="))
            {
                Some(rest) => option(&mut wishes, rest)?,
                None if word.starts_with('-') => return Err(word.to_owned()),
                None => wishes.names.push(word.to_owned()),
            },
        }
    }
    Ok(wishes)
}

/// Settings that change nothing here, or that are known.
fn option(wishes: &mut Wishes, text: &str) -> Result<(), String> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    match name.to_ascii_lowercase().as_str() {
        "dpkg::lock::timeout" => {
            wishes.lock_timeout = match value.parse::<i64>() {
                Ok(seconds) if seconds < 0 => u64::MAX,
                Ok(seconds) => seconds.unsigned_abs(),
                Err(_) => return Err(format!("-o {text}")),
            };
            Ok(())
        }
        "dpkg::options::"
        | "acquire::retries"
        | "dpkg::use-pty"
        | "apt::get::assume-yes"
        | "acquire::http::timeout"
        | "acquire::https::timeout" => Ok(()),
        _ => Err(format!("-o {text}")),
    }
}

/// Returns what Debian calls the processor of the host.
pub(super) fn architecture(invocation: &Invocation) -> &'static str {
    let machine = invocation.host(|host| host.hardware.machine.clone());
    crate::packages::debian_architecture(&machine)
}

/// Returns a number of bytes as apt says it: `31.4 MB`, `684 kB`, `512 B`.
pub(super) fn bytes(count: u64) -> String {
    let count = count as f64;
    let mut unit = 0;
    let mut value = count;
    while value > 10_000.0 {
        value /= 1000.0;
        unit += 1;
    }
    let names = ["", "k", "M", "G", "T"];
    let name = names.get(unit).copied().unwrap_or("T");
    if value > 100.0 || unit == 0 {
        format!("{value:.0} {name}B")
    } else {
        format!("{value:.1} {name}B")
    }
}

/// Returns a time as apt says it: `3s`, `1min 5s`.
pub(super) fn duration(time: std::time::Duration) -> String {
    match time.as_secs() {
        seconds @ 0..=59 => format!("{seconds}s"),
        seconds => format!("{}min {}s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{bash, host_of};

    #[tokio::test(start_paused = true)]
    async fn a_source_for_another_architecture_has_no_package_for_the_host() {
        // apt 2.6.1 of Debian 12, with `APT::Architecture=arm64`.
        let missing = "install 100\nE: Unable to locate package docker-ee\n";
        let fetched = "/stable-25.0 amd64 Packages [";
        for (stanza, line, said) in [
            ("Architectures: amd64\n", "arch=amd64", missing),
            (
                "Architectures: amd64 arm64\n",
                "arch=amd64,arm64",
                "install 0\n",
            ),
            ("", "trusted=no", "install 0\n"),
        ] {
            let deb822 = format!(
                "Types: deb\nURIs: https://repos.mirantis.com/ubuntu\nSuites: jammy\n{stanza}\
                 Components: stable-25.0\nSigned-By: /usr/share/keyrings/x.gpg\n"
            );
            let one_line = format!(
                "deb [{line} signed-by=/usr/share/keyrings/x.gpg] \
                 https://repos.mirantis.com/ubuntu jammy stable-25.0\n"
            );
            for (name, text) in [("x.sources", deb822), ("x.list", one_line)] {
                let (fleet, host) =
                    host_of("ubuntu-22.04", |spec| spec.machine = "aarch64".to_owned());
                let script = format!(
                    "PATH=$PATH:/usr/sbin:/sbin\ncurl -fsSL https://repos.mirantis.com/ubuntu/gpg | gpg --dearmor -o \
                     /usr/share/keyrings/x.gpg\nprintf '%s' '{text}' > \
                     /etc/apt/sources.list.d/{name}\napt-get update > /tmp/said\napt-get install \
                     -y -qq docker-ee >/dev/null; echo install $?; cat /tmp/said >&2"
                );

                let ran = bash(&fleet, host, &script).await;

                let errors = ran.stderr.lines().filter(|line| line.starts_with("E: "));
                let errors: String = errors.map(|line| format!("{line}\n")).collect();
                assert_eq!(format!("{}{errors}", ran.stdout), said, "{text}{ran:?}");
                let is_fetched = ran.stderr.contains(fetched);
                assert_eq!(is_fetched, text.contains("amd64"), "{text}{ran:?}");
            }
        }
    }

    #[test]
    fn sizes_are_said_as_apt_says_them() {
        // From a run on the lab: sizes of packages and sums.
        let rows = [
            (0, "0 B"),
            (309_000, "309 kB"),
            (684_000, "684 kB"),
            (2_613_000, "2613 kB"),
            (31_400_000, "31.4 MB"),
            (69_600_000, "69.6 MB"),
        ];

        for (count, said) in rows {
            assert_eq!(bytes(count), said);
        }
    }
}
