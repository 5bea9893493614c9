//! `openrc-run`: what starts and stops one service. The script itself is run by a shell.

use std::collections::BTreeMap;

use super::{Invocation, Running, is_root, is_started, set_started};
use crate::files::Credentials;
use crate::openrc::{self, Depends, RUNNER, SCRIPTS};
use crate::pipe::{Reader, Writer, pipe};
use crate::program::launch::Launch;

/// What scripts find programs by.
const PATH: &str = "/lib/rc/bin:/lib/rc/sbin:/sbin:/usr/sbin:/bin:/usr/bin";

/// What `openrc-run` says without a command.
const USAGE: &str = "Usage: NAME [options] stop | start | restart | describe | zap

Options: [ dDsSvl:ZChqVv ]
  -d, --debug                       set xtrace when running the script
  -Z, --dry-run                     show what would be done
  -s, --ifstarted                   only run commands when started
  -S, --ifstopped                   only run commands when stopped
  -D, --nodeps                      ignore dependencies
  -l, --lockfd <arg>                fd of the exclusive lock from rc
  -h, --help                        Display this help output
  -C, --nocolor                     Disable color output
  -V, --version                     Display software version
  -v, --verbose                     Run verbosely
  -q, --quiet                       Run quietly (repeat to suppress errors)
";

const LEARNT: &str = " * Caching service dependencies ... [ ok ]\n";

/// What was asked of a service.
struct Order {
    name: String,
    is_quiet: bool,
    ignores_others: bool,
    /// What it says itself on standard output, which comes when it ends.
    said: String,
}

pub(super) fn openrc_run(invocation: &mut Invocation) -> Running<'_> {
    Box::pin(async move {
        let (options, mut words): (Vec<String>, Vec<String>) = invocation
            .arguments
            .clone()
            .into_iter()
            .partition(|word| word.starts_with('-'));
        let has = |names: [&str; 2]| options.iter().any(|one| names.contains(&one.as_str()));
        if words.is_empty() {
            invocation.complain("openrc-run should not be run directly");
            return 1;
        }
        let script = words.remove(0);
        let mut order = Order {
            name: script.rsplit('/').next().unwrap_or_default().to_owned(),
            is_quiet: has(["-q", "--quiet"]),
            ignores_others: has(["-D", "--nodeps"]),
            said: String::new(),
        };
        if words.is_empty() {
            invocation.print(&USAGE.replace("NAME", &order.name));
            return 1;
        }
        let mut status = 0;
        for command in words {
            status = obey(invocation, &mut order, &command).await;
            if status != 0 {
                break;
            }
        }
        let said = std::mem::take(&mut order.said);
        invocation.print(&said);
        status
    })
}

async fn obey(invocation: &mut Invocation, order: &mut Order, command: &str) -> u8 {
    let changes = ["start", "stop", "restart", "zap"].contains(&command);
    if changes && !is_root(invocation) {
        invocation.complain(&format!(" * {}: superuser access required", order.name));
        return 1;
    }
    let is_started = is_started(invocation, &order.name);
    match command {
        "start" if is_started => {
            warn(invocation, order, "has already been started");
            0
        }
        "stop" if !is_started => {
            warn(invocation, order, "is already stopped");
            0
        }
        "start" => start(invocation, order).await,
        "stop" => stop(invocation, order).await,
        "restart" => {
            if is_started {
                let status = stop(invocation, order).await;
                if status != 0 {
                    return status;
                }
            }
            start(invocation, order).await
        }
        "zap" => {
            let said = format!(" * Manually resetting {} to stopped state\n", order.name);
            order.said.push_str(&said);
            set_started(invocation, &order.name, false);
            0
        }
        other => run(invocation, &order.name, other).await,
    }
}

fn warn(invocation: &mut Invocation, order: &Order, what: &str) {
    if !order.is_quiet {
        invocation.complain(&format!(" * WARNING: {} {what}", order.name));
    }
}

fn learn(invocation: &Invocation, order: &mut Order) {
    let now = invocation.now();
    if invocation.host(|host| openrc::learn(&mut host.files, now)) {
        order.said.push_str(LEARNT);
    }
}

async fn start(invocation: &mut Invocation, order: &mut Order) -> u8 {
    learn(invocation, order);
    let name = order.name.clone();
    if !order.ignores_others {
        let depends = depends_of(invocation, &name).await;
        for (other, must) in all(&depends) {
            if !can_start(invocation, other) {
                continue;
            }
            let status = command(invocation, other, "start").await;
            if status != 0 && must {
                invocation.complain(&format!(
                    " * ERROR: cannot start {name} as {other} would not start"
                ));
                return 1;
            }
        }
    }
    let status = run(invocation, &name, "start").await;
    if status != 0 {
        invocation.complain(&format!(" * ERROR: {name} failed to start"));
        return 1;
    }
    set_started(invocation, &name, true);
    0
}

fn all(depends: &Depends) -> impl Iterator<Item = (&String, bool)> {
    let needs = depends.needs.iter().map(|name| (name, true));
    needs.chain(depends.wants.iter().map(|name| (name, false)))
}

/// Whether a service is there and does not run. What is not there is something virtual (`net`), which
/// the distribution provides.
fn can_start(invocation: &Invocation, name: &str) -> bool {
    invocation.host(|host| {
        let has_script = host.files.exists(&format!("{SCRIPTS}/{name}"));
        has_script && !openrc::is_started(&host.files, name)
    })
}

async fn stop(invocation: &mut Invocation, order: &mut Order) -> u8 {
    learn(invocation, order);
    let name = order.name.clone();
    if !order.ignores_others {
        let others = invocation.host(|host| openrc::started(&host.files));
        for other in others {
            let depends = depends_of(invocation, &other).await;
            if depends.needs.contains(&name) && command(invocation, &other, "stop").await != 0 {
                invocation.complain(&format!(
                    " * ERROR: cannot stop {name} as {other} is still up"
                ));
                return 1;
            }
        }
    }
    let status = run(invocation, &name, "stop").await;
    if status != 0 {
        invocation.complain(&format!(" * ERROR: {name} failed to stop"));
        return 1;
    }
    set_started(invocation, &name, false);
    0
}

/// Runs the script of a service as a user would.
pub(super) async fn command(invocation: &mut Invocation, name: &str, what: &str) -> u8 {
    let words = [format!("{SCRIPTS}/{name}"), what.to_owned()];
    invocation.run_program(&words, Reader::null()).await
}

/// Runs what a script says about a command.
async fn run(invocation: &mut Invocation, name: &str, what: &str) -> u8 {
    let stdout = invocation.stdout.clone();
    match prepared(invocation, name, what, stdout) {
        Ok(launch) => invocation.run_launch(launch).await,
        Err(status) => status,
    }
}

fn prepared(invocation: &Invocation, name: &str, what: &str, stdout: Writer) -> Result<Launch, u8> {
    let script = format!("{SCRIPTS}/{name}");
    let words = ["/bin/sh", RUNNER, &script, what]
        .map(str::to_owned)
        .to_vec();
    let launch = invocation.launch(words)?;
    let level = invocation.host(|host| openrc::level(&host.files));
    let environment = [
        ("PATH", PATH),
        ("RC_SVCNAME", name),
        ("SVCNAME", name),
        ("RC_RUNLEVEL", &level),
        ("RC_SERVICE", &script),
    ];
    Ok(Launch {
        environment: environment.into_iter().collect(),
        directory: "/".to_owned(),
        session: 0,
        stdin: Reader::null(),
        stdout,
        ..launch
    })
}

/// Returns what a service depends on, as its script says.
pub(super) async fn depends_of(invocation: &mut Invocation, name: &str) -> Depends {
    let path = format!("{SCRIPTS}/{name}");
    let text = invocation.host(|host| host.files.read(&path, &Credentials::root()));
    let text = text
        .map(|content| content.text().into_owned())
        .unwrap_or_default();
    let first = text.lines().next().unwrap_or_default();
    if !first.ends_with("openrc-run") && !first.ends_with("runscript") {
        // What LSB's headers name is virtual.
        return Depends::default();
    }
    invocation.flush().await;
    let (writer, reader) = pipe();
    let Ok(launch) = prepared(invocation, name, "depend", writer) else {
        return Depends::default();
    };
    let launch = Launch {
        stderr: Writer::null(),
        ..launch
    };
    let (said, _) = tokio::join!(reader.read_to_end(), invocation.run_launch(launch));
    // A pipe of ours can be read.
    Depends::read(&String::from_utf8_lossy(&said.unwrap_or_default()))
}

/// Returns services in the order in which they are started.
pub(super) async fn in_order(invocation: &mut Invocation, names: Vec<String>) -> Vec<String> {
    let mut depends = BTreeMap::new();
    for name in &names {
        depends.insert(name.clone(), depends_of(invocation, name).await);
    }
    openrc::in_order(names, &depends)
}

/// Says that dependencies were read anew, where they were.
pub(super) fn tell_learnt(invocation: &mut Invocation) {
    let now = invocation.now();
    // Others cannot write down what they read, and say nothing.
    if is_root(invocation) && invocation.host(|host| openrc::learn(&mut host.files, now)) {
        invocation.print(LEARNT);
    }
}
