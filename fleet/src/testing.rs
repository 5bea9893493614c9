//! Small hosts for tests.

use std::time::Duration;

use crate::build::HostSpec;
use crate::files::{Content, Credentials, Device, Files, Kind};
use crate::host::Host;
use crate::pipe::{Reader, pipe};
use crate::process::Ended;
use crate::program::launch::Launch;
use crate::world::{Fleet, HostId};

/// What came of a run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) status: u8,
}

/// Returns a tree with every program and little else.
pub(crate) fn tree() -> Files {
    let mut files = Files::new();
    let root = Credentials::root();
    let now = Duration::from_secs(1_700_000_000);
    for path in [
        "/usr/bin", "/etc", "/root", "/tmp", "/dev", "/work", "/proc", "/var/lib",
    ] {
        files.make_dirs(path, 0o755, &root, now).unwrap();
    }
    files.set_mode("/tmp", 0o1777, &root).unwrap();
    files.link_symbolic("usr/bin", "/bin", &root, now).unwrap();
    for name in crate::program::names() {
        let content = Content::Program(name.into());
        files
            .write(&format!("/usr/bin/{name}"), content, 0o755, &root, now)
            .unwrap();
    }
    for (name, device) in [
        ("null", Device::Null),
        ("zero", Device::Zero),
        ("full", Device::Full),
    ] {
        let path = format!("/dev/{name}");
        files
            .make_node(&path, Kind::Device(device), 0o666, &root, now)
            .unwrap();
    }
    let passwd = "root:x:0:0:root:/root:/bin/bash\nlab:x:1000:1000::/home/lab:/bin/sh\n";
    files
        .write("/etc/passwd", passwd, 0o644, &root, now)
        .unwrap();
    files
        .write("/etc/group", "root:x:0:\nlab:x:1000:\n", 0o644, &root, now)
        .unwrap();
    files
}

/// Returns a fleet with one host.
pub(crate) fn fleet() -> (Fleet, HostId) {
    let fleet = Fleet::new(1, Duration::from_secs(1_700_000_000));
    fleet.world(|world| {
        let mut host = Host::blank("box");
        host.files = tree();
        host.booted = -100.0;
        world.hosts.push(host);
    });
    (fleet, HostId(0))
}

/// Returns a fleet with one host of a distribution, and repositories with an engine; root logs in.
pub(crate) fn host_of(profile: &str, change: impl FnOnce(&mut HostSpec)) -> (Fleet, HostId) {
    let fleet = Fleet::new(3, Duration::from_secs(1_795_000_000));
    let name = format!("{}1", profile.get(..1).unwrap_or_default());
    let mut spec = HostSpec::new(&name, [10, 0, 0, 1].into());
    profile.clone_into(&mut spec.profile);
    spec.login = "root".to_owned();
    change(&mut spec);
    let host = fleet.add_host(&spec).unwrap();
    fleet.add_archive();
    fleet.add_engine_repository("https://repos.mirantis.com", "stable-25.0");
    (fleet, host)
}

/// Runs a script with `bash -c` on a host.
pub(crate) async fn bash(fleet: &Fleet, host: HostId, script: &str) -> Ran {
    run_with(fleet, host, &["bash", "-c", script], "").await
}

/// Returns what starts a program as root in `/work`.
pub(crate) fn launch(fleet: &Fleet, host: HostId, words: &[&str]) -> Launch {
    let environment = [
        ("PATH", "/usr/bin:/bin"),
        ("HOME", "/root"),
        ("LC_ALL", "C"),
    ];
    Launch {
        fleet: fleet.clone(),
        host,
        parent: crate::process::Pid(1),
        session: 1,
        path: format!("/usr/bin/{}", words[0]),
        arguments: words.iter().map(|word| (*word).to_owned()).collect(),
        environment: environment
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        directory: "/work".to_owned(),
        credentials: Credentials::root(),
        umask: 0o022,
        stdin: Reader::null(),
        stdout: crate::pipe::Writer::null(),
        stderr: crate::pipe::Writer::null(),
        ignored: std::collections::BTreeSet::new(),
    }
}

/// Runs a program to its end.
pub(crate) async fn run_with(fleet: &Fleet, host: HostId, words: &[&str], stdin: &str) -> Ran {
    let (stdout, out) = pipe();
    let (stderr, err) = pipe();
    let launch = Launch {
        stdin: Reader::content(stdin),
        stdout,
        stderr,
        ..launch(fleet, host, words)
    };
    let child = launch.start();
    let (out, err) = tokio::join!(out.read_to_end(), err.read_to_end());
    let (ended, owed) = child.wait().await;
    tokio::time::sleep(owed).await;
    Ran {
        stdout: String::from_utf8_lossy(&out.unwrap()).into_owned(),
        stderr: String::from_utf8_lossy(&err.unwrap()).into_owned(),
        status: match ended {
            Ended::Code(code) => code,
            Ended::Signal(signal) => 128 + signal.0,
        },
    }
}

/// Runs a script with `sh -c` on a new host.
pub(crate) async fn run(script: &str) -> Ran {
    let (fleet, host) = fleet();
    run_with(&fleet, host, &["sh", "-c", script], "").await
}
