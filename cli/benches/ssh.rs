//! Measures commands and files over real SSH, against what can be had without launchpad: `./dev bench`.
//! Servers are private ones on the loopback. What is compared takes turns, and medians are reported.
//! `--write` puts the figures into `docs/benchmarks.md`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark is a program of its own"
)]

mod figures;
#[path = "figures/peak.rs"]
mod peak;
#[path = "figures/run.rs"]
mod run;

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use figures::{Figure, conclude, median};
use run::Run;
use russh::client::{self, Handler};
use russh::keys::{PrivateKeyWithHashAlg, load_secret_key};
use tokio::sync::Semaphore;

const SSHD: &str = "/usr/sbin/sshd";
/// What keeps bash from reading `~/.bashrc` for each command, as it does under a server: that of
/// whoever runs this may take a second.
const NO_RC: &str = "SetEnv SHLVL=2";
/// How many hosts a command goes to.
const HOSTS: usize = 500;
/// How many of them are behind a bastion.
const BEHIND: usize = 200;
/// How many connections the bare client opens at the same time.
const BARE_AT_ONCE: usize = 64;
/// The size of a file.
const FILE: u64 = 1 << 30;
/// How often each is measured.
const ROUNDS: usize = 3;

/// A private server.
struct Sshd {
    port: u16,
    process: Child,
}

impl Sshd {
    fn start(home: &Path, name: &str, settings: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let (config, home) = (home.join(name), home.display());
        let text = format!(
            "{settings}\nPort {port}\nListenAddress 127.0.0.1\nHostKey {home}/host\n\
             AuthorizedKeysFile {home}/key.pub\nStrictModes no\nUsePAM no\nPidFile none\n\
             PermitRootLogin yes\nPrintMotd no\nLogLevel ERROR\nSubsystem sftp internal-sftp\n{NO_RC}\n"
        );
        fs::write(&config, text).unwrap();
        let process = Command::new(SSHD)
            .args(["-D", "-e", "-f"])
            .arg(&config)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { port, process }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A home directory with a key, hosts of three kinds, and servers for them.
struct Bench {
    home: tempfile::TempDir,
    /// With the limits of a stock server.
    stock: Sshd,
    _bastion: Sshd,
    /// Without limits, for whoever does not know them.
    open: Sshd,
}

fn keygen(path: &Path) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(path)
        .status();
    assert!(made.unwrap().success());
}

impl Bench {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let path = home.path();
        keygen(&path.join("key"));
        keygen(&path.join("host"));
        // Only root needs it, and only where no packaged server has made it.
        let _ = fs::create_dir_all("/run/sshd");
        let stock = Sshd::start(path, "stock", "");
        let bastion = Sshd::start(path, "bastion", "");
        let open = Sshd::start(path, "open", "MaxStartups 2000:30:4000");
        fs::create_dir(path.join(".ssh")).unwrap();
        let user = user();
        let common = format!(
            "Host *\n  User {user}\n  HostName 127.0.0.1\n  IdentityFile {0}/key\n  \
             IdentitiesOnly yes\n  StrictHostKeyChecking accept-new\n  HostKeyAlias bench\n",
            path.display()
        );
        let text = format!(
            "Host bastion\n  Port {}\nHost behind*\n  Port {}\n  ProxyJump bastion\n\
             Host direct*\n  Port {}\n{common}",
            bastion.port, stock.port, stock.port
        );
        fs::write(path.join(".ssh/config"), text).unwrap();
        for (name, count) in [("direct", HOSTS), ("direct200", BEHIND), ("behind", BEHIND)] {
            let prefix = name.trim_end_matches("200");
            fs::write(path.join(format!("{name}.yaml")), config(prefix, count)).unwrap();
        }
        Self {
            home,
            stock,
            _bastion: bastion,
            open,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Runs launchpad to its end.
    fn launchpad(&self, arguments: &[&str]) -> Run {
        run::launchpad(self.home.path(), arguments)
    }

    fn exec(&self, config: &str) -> Run {
        let parallel = format!("--parallel={HOSTS}");
        self.launchpad(&["exec", "-c", config, "--all", &parallel, "echo", "hello"])
    }
}

fn user() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn config(prefix: &str, count: usize) -> String {
    let hosts: String = (0..count)
        .map(|number| {
            let role = if number == 0 { "manager" } else { "worker" };
            format!("  - {{role: {role}, ssh: {{address: {prefix}{number}}}}}\n")
        })
        .collect();
    format!(
        "apiVersion: launchpad.mirantis.com/mke/v1.6\nkind: mke\nmetadata: {{name: bench}}\nspec:\n  \
         hosts:\n{hosts}  mcr: {{channel: stable-25.0}}\n  mke: {{version: 3.8.8}}\n"
    )
}

struct AnyKey;

impl Handler for AnyKey {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        _: &russh::keys::PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

/// Does the same with the bare library: connect, log in, run a command, read its output.
async fn bare(port: u16, key: &Path, user: &str) {
    let key = Arc::new(load_secret_key(key, None).unwrap());
    let limit = Arc::new(Semaphore::new(BARE_AT_ONCE));
    let config = Arc::new(client::Config::default());
    let all = (0..HOSTS).map(|_| {
        let (key, limit, config) = (Arc::clone(&key), Arc::clone(&limit), Arc::clone(&config));
        let user = user.to_owned();
        tokio::spawn(async move {
            let _turn = limit.acquire_owned().await.unwrap();
            let mut session = client::connect(config, ("127.0.0.1", port), AnyKey)
                .await
                .unwrap();
            let key = PrivateKeyWithHashAlg::new(key, None);
            let login = session.authenticate_publickey(user, key).await.unwrap();
            assert!(login.success());
            let mut channel = session.channel_open_session().await.unwrap();
            channel.exec(true, "echo hello").await.unwrap();
            while channel.wait().await.is_some() {}
        })
    });
    for one in all.collect::<Vec<_>>() {
        one.await.unwrap();
    }
}

fn scp(bench: &Bench, source: &Path, target: &Path) -> f64 {
    let started = Instant::now();
    let copied = Command::new("scp")
        .args(["-q", "-F"])
        .arg(bench.path(".ssh/config"))
        .arg("-o")
        .arg(format!(
            "UserKnownHostsFile={}/scp_hosts",
            bench.home.path().display()
        ))
        .arg(source)
        .arg(format!("direct0:{}", target.display()))
        .status();
    assert!(copied.unwrap().success());
    started.elapsed().as_secs_f64()
}

/// Makes a file that no compression and no cache makes smaller.
fn big_file(path: &Path) {
    let mut source = std::io::Read::take(fs::File::open("/dev/urandom").unwrap(), FILE);
    std::io::copy(&mut source, &mut fs::File::create(path).unwrap()).unwrap();
}

fn commands(bench: &Bench, figures: &mut Vec<Figure>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let (key, user) = (bench.path("key"), user());
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(bench.exec("direct.yaml"));
        let started = Instant::now();
        runtime.block_on(bare(bench.open.port, &key, &user));
        theirs.push(started.elapsed().as_secs_f64());
    }
    let of = |value: fn(&Run) -> f64| median(ours.iter().map(value).collect());
    let (took, bare) = (of(|run| run.seconds), median(theirs));
    println!("exec on {HOSTS} hosts: {took:.2} s, the bare library {bare:.2} s");
    figures.push(Figure {
        name: "exec",
        value: took / bare,
        unit: "×",
        budget: 1.1,
        about: "exec on 500 hosts over one sshd with stock limits, against the bare SSH library",
    });
    figures.push(Figure {
        name: "exec-cpu",
        value: of(|run| run.cpu_seconds),
        unit: "s",
        budget: 1.0,
        about: "its own processor time",
    });
    figures.push(Figure {
        name: "exec-memory",
        value: of(|run| run.peak_megabytes),
        unit: "MB",
        budget: 60.0,
        about: "its resident memory at its most",
    });
}

fn files(bench: &Bench, figures: &mut Vec<Figure>) {
    let (source, target) = (bench.path("big"), bench.path("copied"));
    big_file(&source);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (from, to) = (source.to_str().unwrap(), target.to_str().unwrap());
        let run = bench.launchpad(&["upload", "-c", "direct.yaml", "-f", from, to]);
        ours.push(run.seconds);
        fs::remove_file(&target).unwrap();
        theirs.push(scp(bench, &source, &target));
        fs::remove_file(&target).unwrap();
    }
    let (ours, theirs) = (median(ours), median(theirs));
    println!("upload of 1 GiB: {ours:.2} s, scp {theirs:.2} s");
    figures.push(Figure {
        name: "upload",
        value: ours / theirs,
        unit: "×",
        budget: 1.1,
        about: "upload of 1 GiB, checked on both sides, against `scp`, which checks nothing",
    });
}

fn bastion(bench: &Bench, figures: &mut Vec<Figure>) {
    let (mut behind, mut direct) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        direct.push(bench.exec("direct200.yaml"));
        behind.push(bench.exec("behind.yaml"));
    }
    let of = |runs: &[Run], value: fn(&Run) -> f64| median(runs.iter().map(value).collect());
    let seconds = [&behind, &direct].map(|runs| of(runs, |run| run.seconds));
    let cpu = [&behind, &direct].map(|runs| of(runs, |run| run.cpu_seconds));
    println!(
        "exec on {BEHIND} hosts: {:.2} s through a bastion, {:.2} s direct; own processor time \
         {:.2} s and {:.2} s",
        seconds[0], seconds[1], cpu[0], cpu[1]
    );
    figures.push(Figure {
        name: "bastion-time",
        value: seconds[0] / seconds[1],
        unit: "×",
        budget: 1.2,
        about: "exec on 200 hosts through one bastion with stock limits, against without it",
    });
    figures.push(Figure {
        name: "bastion",
        value: cpu[0] / cpu[1],
        unit: "×",
        budget: 1.2,
        about: "the same: its own processor time",
    });
}

fn main() -> ExitCode {
    let bench = Bench::new();
    println!("stock server on port {}", bench.stock.port);
    let mut figures = Vec::new();
    commands(&bench, &mut figures);
    files(&bench, &mut figures);
    bastion(&bench, &mut figures);
    conclude("Over SSH", &figures)
}
