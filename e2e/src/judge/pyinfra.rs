//! pyinfra: what it finds on hosts, and what it changes, once.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::{Bench, Check, ensure_same, ensure_so};
use crate::command::{Cmd, Finished};
use crate::paths::write_mode;

pub(super) const CHECKS: &[(&str, Check)] = &[
    ("facts of three systems", |bench| Box::pin(facts(bench))),
    ("changes of four hosts", |bench| Box::pin(changes(bench))),
    ("no changes the second time", |bench| {
        Box::pin(no_changes(bench))
    }),
    ("changes of what somebody has changed", |bench| {
        Box::pin(drift(bench))
    }),
    ("what it takes back", |bench| Box::pin(undone(bench))),
    ("a failure and its words", |bench| Box::pin(failure(bench))),
];

/// The hosts that are changed: two of apt, one of dnf, one of zypper.
const CHANGED: &[&str] = &["m1", "w1", "w2", "w3"];

/// What `server.shell` does every time.
const ALWAYS: &str = "shell";

const FILES: &[(&str, &str)] = &[
    ("inventory.py", include_str!("pyinfra/inventory.py")),
    ("facts.py", include_str!("pyinfra/facts.py")),
    ("deploy.py", include_str!("pyinfra/deploy.py")),
    ("undo.py", include_str!("pyinfra/undo.py")),
];

/// Runs pyinfra on hosts.
async fn pyinfra(bench: &Bench, hosts: &[&str], words: &[&str]) -> Result<Finished> {
    let directory = bench.path("pyinfra");
    for (name, text) in FILES {
        write_mode(&directory.join(name), text, 0o644)?;
    }
    std::fs::create_dir_all(directory.join("facts"))?;
    let command = Cmd::new("pyinfra")
        .args(["-y", "inventory.py"])
        .args(words)
        .env("SIM", bench.sim.file(""))
        .env("HOSTS", hosts.join(","))
        .env("OUT", directory.join("facts"))
        .env("SSH_AUTH_SOCK", "")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .inside(&directory);
    command.finish().await
}

/// What became of the operations: how many hosts each has changed, has failed at, and has left.
fn outcomes(said: &Finished) -> BTreeMap<String, [usize; 3]> {
    let lines = said.stderr.lines().chain(said.stdout.lines());
    let row = |line: &str| {
        // The name may have spaces; four columns follow.
        let mut words: Vec<&str> = line.split_whitespace().collect();
        let cells = words.split_off(words.len().checked_sub(4)?);
        let number = |cell: &str| match cell {
            "-" => Some(0),
            cell => cell.parse().ok(),
        };
        let numbers = [number(cells[1])?, number(cells[2])?, number(cells[3])?];
        number(cells[0])?;
        Some((words.join(" "), numbers))
    };
    let after = lines.skip_while(|line| !line.contains("--> Results"));
    after
        .filter_map(row)
        .filter(|(name, _)| name != "Grand total")
        .collect()
}

async fn facts(bench: &Bench) -> Result<()> {
    let hosts = ["m1", "w2", "w3"];
    let said = pyinfra(bench, &hosts, &["facts.py"]).await?;
    ensure_so(said.code() == 0, "pyinfra", &said)?;
    for host in hosts {
        let path = bench.path("pyinfra").join("facts").join(host);
        let found: Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
        facts_of(bench, host, &found)
            .await
            .with_context(|| format!("facts of {host}"))?;
    }
    Ok(())
}

/// Compares facts with what the host says through another door.
async fn facts_of(bench: &Bench, host: &str, found: &Value) -> Result<()> {
    let script = "uname -r; nproc; sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo; \
                  sha256sum /etc/hostname | cut -d' ' -f1; hostname -I | cut -d' ' -f1; \
                  cut -d: -f1 /etc/passwd | sort | tr '\\n' ' '; echo; \
                  systemctl show -p MainPID --value docker; date +%Y-%m-%d";
    let told = bench.sim.root(host, script).await?;
    let told: Vec<&str> = told.lines().collect();
    let [kernel, processors, memory, sum, address, users, engine, day] = told[..] else {
        anyhow::bail!("the host says {told:?}");
    };
    let same = |key: &str, expected: Value| ensure_same(key, &found[key], &expected);
    let own = |ubuntu: Value, rocky: Value, sles: Value| match host {
        "w2" => rocky,
        "w3" => sles,
        _ => ubuntu,
    };
    same("hostname", json!(host))?;
    same("kernel", json!("Linux"))?;
    same("kernelVersion", json!(kernel))?;
    same("arch", json!("x86_64"))?;
    same("cpus", json!(processors.parse::<u32>()?))?;
    ensure_same("lscpu", &found["cpuInfo"]["CPU(s)"], &json!(processors))?;
    same("memory", json!(memory.parse::<u64>()?.div_ceil(1024)))?;
    same("sum", json!(sum))?;
    same("which", json!("/usr/bin/systemctl"))?;
    same("whichMissing", Value::Null)?;
    same("missing", Value::Null)?;
    same("timezone", json!("Etc/UTC"))?;
    same("rebootRequired", json!(false))?;
    same("locales", json!(["C", "C.UTF-8", "POSIX"]))?;
    same("lines", json!(["root:x:0:0:root:/root:/bin/bash"]))?;
    let user = own(json!("ubuntu"), json!("rocky"), json!("sles"));
    ensure_same(
        "home",
        &found["home"],
        &json!(format!("/home/{}", user.as_str().unwrap_or_default())),
    )?;
    same("user", user)?;
    let name = own(json!("Ubuntu"), json!("Rocky Linux"), json!("SLES"));
    ensure_same("distribution", &found["distribution"]["name"], &name)?;
    let major = own(json!(22), json!(9), json!(15));
    ensure_same("its release", &found["distribution"]["major"], &major)?;
    let mode = own(json!(640), json!(0), json!(0));
    ensure_same("the mode of shadow", &found["shadow"]["mode"], &mode)?;
    ensure_same("the mode of a file", &found["file"]["mode"], &json!(644))?;
    ensure_same("its owner", &found["file"]["user"], &json!("root"))?;
    let target = json!("/usr/share/zoneinfo/Etc/UTC");
    ensure_same("a link", &found["link"]["link_target"], &target)?;
    ensure_same("an address", &found["ipv4"]["eth0"], &json!([address]))?;
    ensure_same("the root", &found["mounts"]["/"]["type"], &json!("ext4"))?;
    let kept = found["users"].as_object().context("no users")?;
    let kept: Vec<&str> = kept.keys().map(String::as_str).collect();
    ensure_same("users", kept.join(" ").as_str(), users.trim())?;
    ensure_same(
        "the engine",
        &found["processes"][engine]["command"],
        &json!("dockerd"),
    )?;
    ensure_same("its unit", &found["status"]["docker.service"], &json!(true))?;
    ensure_same("at boot", &found["enabled"]["docker.service"], &json!(true))?;
    let date = found["date"].as_str().unwrap_or_default();
    ensure_so(date.starts_with(day), "the date", date)?;
    let uptime = found["uptime"].as_u64().unwrap_or_default();
    ensure_so(uptime > 60, "the time since it was booted", uptime)?;

    let packages = bench
        .sim
        .root(host, "(rpm -q --qf '%{VERSION}-%{RELEASE}' bash || dpkg-query -Wf '${Version}' bash) 2>/dev/null")
        .await?;
    let key = own(json!("deb"), json!("rpm"), json!("rpm"));
    let package = &found[key.as_str().unwrap_or_default()];
    let version = package["version"].as_str().unwrap_or_default();
    ensure_so(
        !version.is_empty() && packages.contains(version),
        "bash",
        (version, &packages),
    )?;
    match host {
        "m1" => ensure_so(
            found["aptSources"]
                .to_string()
                .contains("repos.mirantis.com"),
            "apt",
            &found["aptSources"],
        ),
        "w2" => {
            ensure_so(
                found["dnf"].to_string().contains("repos.mirantis.com"),
                "dnf",
                &found["dnf"],
            )?;
            let provider = format!(r#"[["bash","{version}"]]"#);
            ensure_same("who provides bash", found["provider"].to_string(), provider)
        }
        _ => ensure_so(
            found["zypper"].to_string().contains("SLES15-SP7"),
            "zypper",
            &found["zypper"],
        ),
    }
}

async fn changes(bench: &Bench) -> Result<()> {
    let said = pyinfra(bench, CHANGED, &["deploy.py"]).await?;
    ensure_so(said.code() == 0, "pyinfra", &said)?;
    let outcomes = outcomes(&said);
    ensure_same("operations", outcomes.len(), 16)?;
    for (name, [changed, failed, _]) in outcomes {
        let expected = match name.as_str() {
            // The manager forwards packets already where an engine runs.
            "sysctl" | "replace" => continue,
            _ => (CHANGED.len(), 0),
        };
        ensure_same(&name, (changed, failed), expected)?;
    }
    for host in CHANGED {
        state_of(bench, host)
            .await
            .with_context(|| format!("on {host}"))?;
    }
    Ok(())
}

/// Compares what was deployed with what the host says.
async fn state_of(bench: &Bench, host: &str) -> Result<()> {
    let user = match host {
        "w2" => "rocky",
        "w3" => "sles",
        _ => "ubuntu",
    };
    let script = format!(
        "stat -c '%a %U:%G' /etc/judged/put.conf; cat /etc/judged/put.conf; \
         stat -c '%a %U' ~{user}/judged.txt; cat ~{user}/judged.txt; \
         stat -c '%a' /srv/judged; readlink /srv/judged/link; cat /srv/judged/lines; \
         cat /srv/judged/template; id judge | sed 's/[=,][0-9]*(/ (/g'; getent passwd judge | cut -d: -f6-; \
         stat -c '%U' /home/judge; \
         systemctl is-active judged; systemctl is-enabled judged; pgrep -c -x sleep; \
         readlink /etc/systemd/system/multi-user.target.wants/judged.service; \
         cat /proc/sys/net/ipv4/ip_forward; grep -h ip_forward /etc/sysctl.conf; \
         cat /srv/judged/shell; command -v jq; echo '{{\"a\":1}}' | jq .a; \
         (rpm -qa jq oniguruma libonig4 || dpkg-query -Wf '${{Package}} ${{Status}}\\n' jq libjq1 libonig5) 2>/dev/null | sort -u"
    );
    let kept = bench.sim.root(host, &script).await?;
    let packages = match host {
        "w2" => "jq-1.6-16.el9.x86_64\noniguruma-6.9.6-1.5.el9.x86_64\n",
        "w3" => "jq-1.6-150000.3.150700.x86_64\nlibonig4-6.7.0-150000.3.150700.x86_64\n",
        _ => {
            "jq install ok installed\nlibjq1 install ok installed\nlibonig5 install ok installed\n"
        }
    };
    let expected = format!(
        "600 root:root\nalpha\nbeta\n640 {user}\nown\n750\n/etc/judged/put.conf\ngamma\n\
         # BEGIN PYINFRA BLOCK\nin a block\n# END PYINFRA BLOCK\nhost {host}\n\
         uid (judge) gid (judge) groups (judge) (judged)\n/home/judge:/bin/bash\njudge\n\
         active\nenabled\n1\n/etc/systemd/system/judged.service\n1\nnet.ipv4.ip_forward = 1\n\
         root\n/usr/bin/jq\n1\n{packages}"
    );
    ensure_same("what is there", kept.as_str(), expected.as_str())
}

async fn no_changes(bench: &Bench) -> Result<()> {
    let said = pyinfra(bench, CHANGED, &["deploy.py"]).await?;
    ensure_so(said.code() == 0, "pyinfra", &said)?;
    for (name, [changed, failed, _]) in outcomes(&said) {
        let expected = if name == ALWAYS { CHANGED.len() } else { 0 };
        ensure_same(&name, (changed, failed), (expected, 0))?;
    }
    Ok(())
}

async fn drift(bench: &Bench) -> Result<()> {
    let script = "chmod 644 /etc/judged/put.conf; sed -i s/gamma/other/ /srv/judged/lines; \
                  systemctl stop judged; rm ~rocky/judged.txt; usermod -G adm judge; dnf -q -y remove jq >/dev/null";
    bench.sim.root("w2", script).await?;
    let said = pyinfra(bench, CHANGED, &["deploy.py"]).await?;
    ensure_so(said.code() == 0, "pyinfra", &said)?;
    let mended = [
        "put",
        "put as a user",
        "line",
        "user",
        "service",
        "packages",
    ];
    for (name, [changed, failed, _]) in outcomes(&said) {
        let expected = match name.as_str() {
            ALWAYS => CHANGED.len(),
            name => usize::from(mended.contains(&name)),
        };
        ensure_same(&name, (changed, failed), (expected, 0))?;
    }
    let kept =
        "stat -c %a /etc/judged/put.conf; systemctl is-active judged; command -v jq; id -nG judge";
    let kept = bench.sim.root("w2", kept).await?;
    ensure_same(
        "what is there",
        kept.as_str(),
        "600\nactive\n/usr/bin/jq\njudge judged\n",
    )
}

async fn undone(bench: &Bench) -> Result<()> {
    let said = pyinfra(bench, CHANGED, &["undo.py"]).await?;
    ensure_so(said.code() == 0, "pyinfra", &said)?;
    for host in CHANGED {
        let script = "for path in /srv/judged /etc/systemd/system/judged.service \
                      /usr/bin/jq; do test -e $path && echo $path; done; \
                      grep judge /etc/passwd /etc/group; systemctl is-active judged; \
                      pgrep -x sleep; true";
        let kept = bench.sim.root(host, script).await?;
        ensure_same("what is left", kept.as_str(), "inactive\n")?;
    }
    Ok(())
}

async fn failure(bench: &Bench) -> Result<()> {
    for (host, operation, expected) in [
        (
            "m1",
            "apt.packages",
            "E: Unable to locate package no-such-package",
        ),
        (
            "w2",
            "dnf.packages",
            "Unable to find a match: no-such-package",
        ),
        (
            "w3",
            "zypper.packages",
            "'no-such-package' not found in package names",
        ),
    ] {
        let words = [operation, "no-such-package", "_sudo=true"];
        let said = pyinfra(bench, &[host], &words).await?;
        ensure_same("the status", said.code(), 1)?;
        let text = format!("{}{}", said.stdout, said.stderr);
        ensure_so(text.contains(expected), "its words", &text)?;
    }
    let said = pyinfra(bench, &["w1"], &["exec", "--", "exit 3"]).await?;
    ensure_so(said.code() != 0, "a command that fails", &said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_read_from_the_table() {
        let table = "--> Starting operation: put\n--> Results:\n    Operation       Hosts   \
                     Success   Error   No Change   \n    put as a user   4       3         -       \
                     1           \n    Grand total     4       3         -       1           \n";
        let said = Finished {
            status: std::process::ExitStatus::default(),
            stdout: String::new(),
            stderr: table.to_owned(),
            took: std::time::Duration::ZERO,
        };

        assert_eq!(
            outcomes(&said).into_iter().collect::<Vec<_>>(),
            [("put as a user".to_owned(), [3, 0, 1])]
        );
    }
}
