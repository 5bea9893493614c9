//! The same scripts, run by the real `/bin/sh` and by ours.

use std::process::{Command, Stdio};

use crate::testing::{self, Ran};

/// Runs a script with the real shell in a directory of its own.
fn real(script: &str) -> Ran {
    let directory = tempfile::tempdir().unwrap();
    let output = Command::new("/usr/bin/sh")
        .arg0_sh()
        .args(["-c", script])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", "/root")
        .env("LC_ALL", "C")
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    use std::os::unix::process::ExitStatusExt as _;
    let code = output.status.code();
    let signal = output.status.signal().unwrap_or(0);
    Ran {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        status: u8::try_from(code.unwrap_or(128 + signal)).unwrap(),
    }
}

trait NamedSh {
    fn arg0_sh(&mut self) -> &mut Self;
}

impl NamedSh for Command {
    fn arg0_sh(&mut self) -> &mut Self {
        use std::os::unix::process::CommandExt as _;
        self.arg0("sh")
    }
}

/// Splits a table: cases are separated by lines of `----`.
fn cases(table: &str) -> impl Iterator<Item = &str> {
    table
        .split("\n----\n")
        .filter(|case| !case.trim().is_empty())
}

async fn compare(table: &str) {
    let mut wrong = Vec::new();
    let mut count = 0;
    for script in cases(table) {
        count += 1;
        let ours = testing::run(script);
        let ours = tokio::time::timeout(std::time::Duration::from_secs(3600), ours).await;
        let theirs = real(script);
        let Ok(ours) = ours else {
            wrong.push(format!("=== does not end\n{script}"));
            continue;
        };
        if ours != theirs {
            wrong.push(format!(
                "=== {script}\n--- real: {theirs:?}\n--- ours: {ours:?}"
            ));
        }
    }
    let sum = wrong.len();
    assert!(
        wrong.is_empty(),
        "{}\n{sum} of {count} differ",
        wrong.join("\n")
    );
}

#[tokio::test(start_paused = true)]
async fn the_language_is_that_of_the_real_shell() {
    compare(include_str!("language.txt")).await;
}

#[tokio::test(start_paused = true)]
async fn programs_do_what_the_real_ones_do() {
    compare(include_str!("programs.txt")).await;
}
