//! A private sshd, and a home directory of somebody who may log in to it.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::SOON;

/// A running server, and a home directory with a configuration that names it: twice, as a manager
/// by `ssh`, and as a worker by `openSSH`.
pub(crate) struct Server {
    pub(crate) home: tempfile::TempDir,
    pub(crate) port: u16,
    process: Child,
}

/// What a program did.
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Server {
    /// Starts one with further settings.
    pub(crate) fn start(settings: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        keygen(&home.path().join("key"));
        keygen(&home.path().join("host"));
        let (key, authorized) = (home.path().join("key.pub"), home.path().join("authorized"));
        fs::copy(key, authorized).unwrap();
        let port = free_port();
        write_settings(home.path(), port, settings);
        write_configuration(home.path(), port);
        let process = spawn(home.path());
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < SOON, "sshd does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self {
            home,
            port,
            process,
        }
    }

    pub(crate) fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Writes a file in the home directory, and the directories that it is in.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.home.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Returns the text of a file in the home directory.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.home.path().join(name)).unwrap()
    }

    /// Runs launchpad in the home directory.
    pub(crate) fn launchpad(&self, arguments: &[&str]) -> Ran {
        let output = Command::new(env!("CARGO_BIN_EXE_launchpad"))
            .args(arguments)
            .current_dir(self.home.path())
            .env("HOME", self.home.path())
            .env("NO_COLOR", "1")
            .env_remove("SSH_AUTH_SOCK")
            // As under systemd: who somebody is does not hang on it.
            .env_remove("USER")
            .env_remove("LOGNAME")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Ran {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Makes a pair of keys.
pub(crate) fn keygen(path: &Path) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(path)
        .status();
    assert!(made.unwrap().success());
}

/// Returns a port on which nobody listens.
fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn write_settings(home: &Path, port: u16, settings: &str) {
    let path = home.display();
    let text = format!(
        "{settings}\nPort {port}\nListenAddress 127.0.0.1\nHostKey {path}/host\n\
         AuthorizedKeysFile {path}/authorized\nStrictModes no\nUsePAM no\nPidFile none\n\
         PermitRootLogin yes\nPrintMotd no\nPrintLastLog no\nLogLevel ERROR\nSetEnv SHLVL=2\n"
    );
    fs::write(home.join("sshd_config"), text).unwrap();
}

fn write_configuration(home: &Path, port: u16) {
    let path = home.display();
    let user = Command::new("id").arg("-un").output().unwrap().stdout;
    let user = String::from_utf8(user).unwrap();
    let user = user.trim();
    let config = format!(
        "apiVersion: launchpad.mirantis.com/mke/v1.6\nkind: mke\nmetadata: {{name: toy}}\nspec:\n  \
         hosts:\n  - role: manager\n    ssh: {{address: 127.0.0.1, port: {port}, user: {user}, \
         keyPath: key}}\n  - role: worker\n    openSSH:\n      address: localhost.\n      \
         port: {port}\n      user: {user}\n      keyPath: key\n      options:\n        \
         HostName: 127.0.0.1\n        StrictHostKeyChecking: accept-new\n        \
         UserKnownHostsFile: {path}/known\n  mcr: {{channel: stable-25.0}}\n  \
         mke: {{version: 3.8.8}}\n"
    );
    fs::write(home.join("launchpad.yaml"), config).unwrap();
}

fn spawn(home: &Path) -> Child {
    // Only root needs it, and only where no packaged server has made it.
    let _ = fs::create_dir_all("/run/sshd");
    Command::new("/usr/sbin/sshd")
        .args(["-D", "-E"])
        .arg(home.join("sshd.log"))
        .arg("-f")
        .arg(home.join("sshd_config"))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}
