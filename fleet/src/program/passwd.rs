//! `passwd -S`, `runuser`, `visudo -c`.

use super::launch::Launch;
use super::options::{self, Value};
use super::{Invocation, Program};
use crate::accounts;

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "passwd",
        run: |invocation| Box::pin(async { passwd(invocation) }),
    },
    Program {
        name: "runuser",
        run: |invocation| Box::pin(runuser(invocation)),
    },
    Program {
        name: "visudo",
        run: |invocation| Box::pin(async { visudo(invocation) }),
    },
];

fn passwd(invocation: &mut Invocation) -> u8 {
    let options = match options::read(invocation, "S", &[("status", 'S', Value::None)]) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let Some(name) = options.operands.first().filter(|_| options.has('S')) else {
        return invocation.not_simulated("anything but -S");
    };
    let shadow = invocation
        .host(|host| host.files.text("/etc/shadow"))
        .unwrap_or_default();
    let mut lines = shadow
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>());
    let secret = lines.find(|fields| fields.first() == Some(&name.as_str()));
    let secret = secret.and_then(|fields| fields.get(1).map(|one| (*one).to_owned()));
    let is_known = invocation.host(|host| accounts::account(&host.files, name).is_some());
    if !is_known {
        invocation.error(&format!("user '{name}' does not exist"));
        return 1;
    }
    let state = match secret.as_deref() {
        Some("") => "NP",
        Some(secret) if !secret.starts_with(['!', '*']) => "P",
        _ => "L",
    };
    let date = &standin::log::timestamp(invocation.now().as_secs())[..10];
    invocation.print(&format!("{name} {state} {date} 0 99999 7 -1\n"));
    0
}

async fn runuser(invocation: &mut Invocation) -> u8 {
    let options = match options::read(invocation, "+u:", &[("user", 'u', Value::Needed)]) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let Some(name) = options.value('u').map(str::to_owned) else {
        return invocation.not_simulated("a call without -u");
    };
    if invocation.credentials.uid != 0 {
        invocation.error("may not be used by non-root users");
        return 1;
    }
    let found = invocation.host(|host| accounts::credentials(&host.files, &name));
    let Some(credentials) = found else {
        invocation.error(&format!(
            "user {name} does not exist or the user entry does not contain \
             all the required fields"
        ));
        return 1;
    };
    match invocation.launch(options.operands) {
        Ok(launch) => {
            let launch = Launch {
                credentials,
                ..launch
            };
            invocation.run_launch(launch).await
        }
        Err(status) => status,
    }
}

/// `visudo -c`: whether rules make sense.
fn visudo(invocation: &mut Invocation) -> u8 {
    let options = match options::read(invocation, "cqf:", &[("check", 'c', Value::None)]) {
        Ok(options) => options,
        Err(status) => return status,
    };
    if !options.has('c') {
        return invocation.not_simulated("anything but -c");
    }
    let path = options.value('f').unwrap_or("/etc/sudoers").to_owned();
    let bytes = match invocation.read_file(&path) {
        Ok(bytes) => bytes,
        Err(errno) => {
            invocation.error(&format!("unable to open {path}: {errno}"));
            return 1;
        }
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let makes_sense = |line: &str| {
        let line = line.trim();
        line.is_empty()
            || line.starts_with(['#', '@'])
            || line.starts_with("Defaults")
            || line.contains('=')
    };
    if let Some(number) = text.lines().position(|line| !makes_sense(line)) {
        let number = number + 1;
        invocation.complain(&format!("{path}:{number}:1: syntax error\n"));
        return 1;
    }
    if !options.has('q') {
        invocation.print(&format!("{path}: parsed OK\n"));
    }
    0
}
