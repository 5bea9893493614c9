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

#[tokio::test(start_paused = true)]
async fn no_script_is_recognised_by_its_text() {
    let tables = [include_str!("language.txt"), include_str!("programs.txt")];
    let mut wrong = Vec::new();
    for script in tables.into_iter().flat_map(cases) {
        // Lines and traces of commands change with the text.
        let as_it_is = testing::run(script).await;
        if as_it_is.stdout.contains("sh: ")
            || script.contains("set -x")
            || script.contains("$$")
            || script.contains("mktemp")
        {
            continue;
        }
        for seed in 0..2 {
            let mutated = crate::script::mutate(script, seed);
            let ran = testing::run(&mutated).await;
            let same = ran.status == as_it_is.status && ran.stdout == as_it_is.stdout;
            if !same {
                wrong.push(format!(
                    "=== {script}\n=== {mutated}\n{as_it_is:?}\n{ran:?}"
                ));
            }
        }
    }
    let sum = wrong.len();
    assert!(wrong.is_empty(), "{}\n{sum} differ", wrong.join("\n"));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig {
        cases: 96,
        failure_persistence: None,
        ..proptest::prelude::ProptestConfig::default()
    })]

    #[test]
    fn words_are_quoted_and_expanded_as_by_the_real_shell(
        words in proptest::collection::vec("[ab *?'\"$\\\\{}()\\[\\]~:#;&|<>=\\n-]{0,6}", 1..4),
        value in "[ab :*\\n\\\\]{0,5}",
    ) {
        let quoted: Vec<String> = words
            .iter()
            .map(|word| format!("'{}'", word.replace('\'', "'\\''")))
            .collect();
        let value = format!("'{}'", value.replace('\'', "'\\''"));
        let script = format!(
            "v={value}; set -- {}; printf '<%s>' \"$@\" \"$*\" $v \"$v\" ${{v#a}} \"${{v%b}}\" ${{v:-x}} $*; \
             IFS=:; printf '<%s>' $v $*; case $v in a*) echo a;; *:*) echo c;; esac",
            quoted.join(" ")
        );
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let ours = runtime.block_on(testing::run(&script));
        proptest::prop_assert_eq!(ours, real(&script), "{}", script);
    }

    #[test]
    fn what_is_no_script_fails_as_in_the_real_shell(
        text in "(if|then|fi|do|done|case|x|a|in|esac|\\(|\\)|;|;;|&&|\\||\\{|\\}|!|\"| |\n|'|\\$|<|:){1,8}",
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let ours = runtime.block_on(testing::run(&text));
        proptest::prop_assert_eq!(ours.status, real(&text).status, "{}", text);
    }
}

/// `cargo test --release -p fleet -- --ignored --nocapture a_script_is_run_in`
#[tokio::test(start_paused = true)]
#[ignore = "prints how long a script takes"]
async fn a_script_is_run_in() {
    let (fleet, host) = testing::fleet();
    let part = "x=$((x + 1)); if [ \"$x\" -gt 5 ]; then y=${x#1}; case $y in a*) :;; *) z=b$y;; esac; fi\n";
    let script = part.repeat(100);
    let words = ["sh", "-c", script.as_str()];
    testing::run_with(&fleet, host, &words, "").await;
    let started = std::time::Instant::now();
    for _ in 0..100 {
        testing::run_with(&fleet, host, &words, "").await;
    }
    println!("100 lines: {:?}", started.elapsed() / 100);
}
