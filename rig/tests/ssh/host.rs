//! The handle of a host, through a real login shell.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rig::command::{Command, Effect};
use rig::files::Written;
use rig::transfer::{Fingerprint, LocalFile, TransferError, UploadTarget, Uploaded};
use rig::{CommandError, ExitStatus, Host};
use secrecy::SecretString;
use tokio::sync::Mutex;

use crate::server::{DryRun, Server};

pub(crate) fn script(text: &str) -> Command {
    Command::script(text, Effect::Read).timeout(Duration::from_secs(60))
}

pub(crate) async fn printed(host: &Host, command: Command) -> String {
    match host.run(command).await {
        Ok(output) => output.stdout_text().into_owned(),
        Err(error) => panic!("{error}: {error:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_arrive_as_they_are() {
    let server = Server::start();
    let words = ["a b", "it's", "$HOME", "`id`", "*", "", "x\ny", "€"];
    let command = Command::read("printf").arg("%s|").args(words);

    let text = printed(&server.host(), command).await;

    assert_eq!(text, words.map(|word| format!("{word}|")).concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_command_keeps_its_status_and_its_words() {
    let server = Server::start();
    let command = script("echo out; echo 'no such luck' >&2; exit 3");

    let error = server.host().run(command).await.unwrap_err();

    let (_, status, stderr) = error.exited().unwrap();
    assert_eq!(status, &ExitStatus::Code(3));
    assert_eq!(stderr, "no such luck\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_login_shell_prints_is_no_part_of_an_answer() {
    let server = Server::with(
        "ForceCommand echo 'Welcome!'; printf 'no line end'; echo noise >&2; \
         eval \"$SSH_ORIGINAL_COMMAND\"",
    );
    let host = server.host();

    let output = host
        .run(script("echo answer; echo words >&2"))
        .await
        .unwrap();

    assert_eq!(output.stdout_text(), "answer\n");
    assert_eq!(output.stderr, "words\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_shell_that_only_greets_is_named() {
    let server = Server::with("ForceCommand echo 'This account is currently not available.'");

    let error = server.host().run(script("true")).await.unwrap_err();

    assert!(matches!(error, CommandError::NoShell { .. }), "{error}");
    assert!(error.to_string().contains("not available"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_may_be_long() {
    let server = Server::start();

    let text = printed(
        &server.host(),
        script("head -c 300000 /dev/zero | tr '\\0' x; echo"),
    )
    .await;

    assert_eq!(text.len(), 300_001);
}

/// Held by whoever measures the memory of this process, or uses much of it.
static MEMORY: Mutex<()> = Mutex::const_new(());

#[tokio::test(flavor = "multi_thread")]
async fn a_gigabyte_of_output_does_not_grow_memory() {
    let _memory = MEMORY.lock().await;
    let server = Server::start();
    let host = server.host();
    host.connect().await.unwrap();
    let before = resident_bytes();
    let mut peak = 0;
    let mut seen = 0_u64;

    let flood = script("head -c 1073741824 /dev/zero | tr '\\0' x").sensitive_output();
    let mut count = |line: &str| {
        seen += line.len() as u64;
        peak = peak.max(resident_bytes());
    };
    let ended = host.stream(flood, &mut count).await.unwrap();

    assert!(ended.status.success());
    assert_eq!(seen, 1 << 30);
    // Windows and buffers are a few MiB; the rest is room for an allocator that keeps pages.
    let grown = peak.saturating_sub(before);
    assert!(grown < 48 << 20, "{} MiB", grown >> 20);
}

fn resident_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_is_kept_is_an_error_and_not_memory() {
    let _memory = MEMORY.lock().await;
    let server = Server::start();
    let flood = script("head -c 100000000 /dev/zero").sensitive_output();

    let error = server.host().run(flood).await.unwrap_err();

    assert!(
        matches!(error, CommandError::TooMuchOutput { .. }),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_out_ends_the_remote_process() {
    let server = Server::start();
    let host = server.host();
    let mark = format!("sleep 98{}", server.port);
    let command = script(&mark).timeout(Duration::from_millis(500));

    let error = host.run(command).await.unwrap_err();

    assert!(matches!(error, CommandError::TimedOut { .. }), "{error}");
    assert!(gone(&mark).await, "`{mark}` still runs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_nobody_waits_for_ends() {
    let server = Server::start();
    let host = server.host();
    host.connect().await.unwrap();
    let mark = format!("sleep 97{}", server.port);

    let waited = tokio::time::timeout(Duration::from_millis(700), host.run(script(&mark))).await;

    assert!(waited.is_err());
    assert!(gone(&mark).await, "`{mark}` still runs");
}

/// Says whether a process has this command line.
pub(crate) fn runs(line: &str) -> bool {
    let found = std::process::Command::new("pgrep")
        .args(["-f", "-x", line])
        .output();
    !found.unwrap().stdout.is_empty()
}

/// Waits until a process has this command line.
pub(crate) async fn started(line: &str) {
    let started = Instant::now();
    while !runs(line) {
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "`{line}` does not start"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until no process has this command line.
async fn gone(line: &str) -> bool {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(20) {
        if !runs(line) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_no_success_and_the_next_command_connects_anew() {
    let server = Server::start();
    let host = server.host();
    let mark = format!("sleep 96{}", server.port);
    let running = {
        let host = host.clone();
        let command = Command::script(mark.clone(), Effect::Change);
        tokio::spawn(async move { host.run(command).await })
    };
    started(&mark).await;

    server.kill_sessions("-KILL");

    let error = running.await.unwrap().unwrap_err();
    assert!(error.is_connection_lost(), "{error}");
    let hint = error.hint().unwrap();
    assert!(hint.contains("run again"), "{hint}");
    assert_eq!(printed(&host, script("echo again")).await, "again\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_only_looks_is_sent_again_where_its_answer_was_lost() {
    let server = Server::start();
    let host = server.host();
    let directory = tempfile::tempdir().unwrap();
    let seen = directory.path().join("seen");
    let mark = format!("sleep 95{}", server.port);
    // The first time it waits, for longer than anybody does.
    let text = format!(
        "if [ -e {path} ]; then echo again; else touch {path}; {mark}; fi",
        path = seen.display()
    );
    let running = {
        let host = host.clone();
        tokio::spawn(async move { printed(&host, script(&text)).await })
    };
    started(&mark).await;

    server.kill_sessions("-KILL");

    assert_eq!(running.await.unwrap(), "again\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_one_session_serves_all_commands() {
    let server = Server::with("MaxSessions 1");
    let host = server.host();

    let tasks: Vec<_> = (0..4)
        .map(|number| {
            let host = host.clone();
            tokio::spawn(async move { printed(&host, script(&format!("echo {number}"))).await })
        })
        .collect();

    for (number, task) in tasks.into_iter().enumerate() {
        assert_eq!(task.await.unwrap(), format!("{number}\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_in_no_argument_list() {
    let server = Server::start();
    let secret = "tr0ub4dor-and-3";
    let looks = "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; echo; done 2>/dev/null; cat";
    let command = script(looks)
        .secret_stdin(SecretString::from(secret))
        .secret_env("TOKEN", SecretString::from("other-s3cret"));

    let text = printed(&server.host(), command).await;

    assert_eq!(text.matches(secret).count(), 1, "only as its own input");
    assert!(!text.contains("other-s3cret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_are_whole_or_not_there() {
    let server = Server::start();
    let host = server.host();
    let target = server.path("up/load.bin");
    let target = target.to_str().unwrap();
    let content: Vec<u8> = (0..3_000_000_u32)
        .map(|number| (number % 251) as u8)
        .collect();

    let first = upload(&host, &content, target, "0640").await;
    let second = upload(&host, &content, target, "0640").await;

    let uploaded = |written| Uploaded {
        written,
        path: target.to_owned(),
    };
    assert_eq!(first.unwrap(), uploaded(Written::Changed));
    assert_eq!(second.unwrap(), uploaded(Written::Unchanged));
    assert_eq!(std::fs::read(target).unwrap(), content);
    let mut back = Vec::new();
    let downloaded = host.files().download(target, &mut back, false).await;
    assert_eq!(back, content);
    let expected = Fingerprint::of(&mut content.as_slice()).await.unwrap();
    let downloaded = downloaded.unwrap();
    assert_eq!((downloaded.fingerprint, downloaded.mode), (expected, 0o640));
}

/// A server on which a program is a script; it finds `used` beside it.
fn with_program(name: &str, text: &str) -> (Server, tempfile::TempDir) {
    let programs = tempfile::tempdir().unwrap();
    let path = programs.path().join(name);
    std::fs::write(&path, format!("#!/bin/sh\nbeside=${{0%/*}}\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let folder = programs.path().display();
    let server = Server::with(&format!(
        "ForceCommand PATH={folder}:$PATH; export PATH; eval \"$SSH_ORIGINAL_COMMAND\""
    ));
    (server, programs)
}

#[tokio::test(flavor = "multi_thread")]
async fn large_files_are_summed_by_the_fastest_program_that_can() {
    let works = "echo >> \"$beside/used\"; sum=$(sha256sum | cut -c1-64); echo \"$sum *stdin\"";
    let fails = "echo >> \"$beside/used\"; echo 'unknown option -r' >&2; exit 1";
    // An upload looks whether it works, and asks it once; so does a download.
    for (openssl, size, uses) in [(works, 17 << 20, 4), (fails, 17 << 20, 2), (works, 1000, 0)] {
        let (server, programs) = with_program("openssl", openssl);
        let host = server.host();
        let target = server.path("large.bin");
        let path = target.to_str().unwrap();

        // It takes no memory, which another test measures.
        let zeros = tempfile::NamedTempFile::new().unwrap();
        zeros.as_file().set_len(size).unwrap();
        let uploaded = upload_file(&host, zeros.path(), path, "0600").await;
        let mut back = tokio::io::sink();
        let downloaded = host.files().download(path, &mut back, false).await;

        assert_eq!(uploaded.unwrap().written, Written::Changed);
        let mut sent = tokio::fs::File::from_std(zeros.into_file());
        let sent = Fingerprint::of(&mut sent).await.unwrap();
        assert_eq!(downloaded.unwrap().fingerprint, sent);
        assert_eq!(sent.size, size);
        let used = std::fs::read_to_string(programs.path().join("used")).unwrap_or_default();
        assert_eq!(used.lines().count(), uses, "{openssl}");
    }
}

/// Uploads as the user who logs in.
pub(crate) async fn upload(
    host: &Host,
    content: &[u8],
    path: &str,
    mode: &str,
) -> Result<Uploaded, TransferError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(content).unwrap();
    upload_file(host, file.path(), path, mode).await
}

async fn upload_file(
    host: &Host,
    file: &Path,
    path: &str,
    mode: &str,
) -> Result<Uploaded, TransferError> {
    let file = LocalFile::look(file).await.unwrap();
    let target = UploadTarget {
        path,
        name: "file name",
        mode,
        elevated: false,
    };
    host.files().upload(&file, &target).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_gets_a_file_of_the_name() {
    let server = Server::start();
    let host = server.host();
    let directory = server.path("some where");
    std::fs::create_dir(&directory).unwrap();
    let path = directory.to_str().unwrap();

    for (target, expected) in [
        (path.to_owned(), format!("{path}/file name")),
        (format!("{path}/new/"), format!("{path}/new/file name")),
    ] {
        let uploaded = upload(&host, b"x", &target, "0600").await;
        assert_eq!(uploaded.unwrap().path, expected);
        assert_eq!(std::fs::read(expected).unwrap(), b"x");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_is_told_in_the_words_of_the_host() {
    let server = Server::start();
    let host = server.host();

    let error = upload(&host, &[1; 100_000], "/proc/nowhere/x", "0600")
        .await
        .unwrap_err();

    let TransferError::Command { source, .. } = &error else {
        panic!("{error}");
    };
    let (_, _, stderr) = source.exited().unwrap();
    assert!(stderr.contains("/proc/nowhere"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_file_is_not_downloaded() {
    let server = Server::start();
    let host = server.host();

    for (path, word) in [("/no/such/file", "there is no"), ("/etc", "is no file")] {
        let mut nothing = Vec::new();
        let refused = host.files().download(path, &mut nothing, false).await;
        let Err(TransferError::Command { source, .. }) = refused else {
            panic!("{path} was downloaded");
        };
        assert!(source.exited().unwrap().2.contains(word), "{source}");
        assert!(nothing.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_arrives_otherwise_leaves_nothing() {
    // Small ones are summed by `sha256sum`, large ones by `openssl`.
    for size in [100_000, 17 << 20] {
        let (server, _programs) = with_program("cat", "exec tr z y");
        let directory = server.path("up");
        let target = directory.join("load.bin");

        let path = target.to_str().unwrap();
        let error = upload(&server.host(), &vec![b'\xaa'; size], path, "0600").await;

        assert_eq!(error.unwrap().written, Written::Changed);
        let error = upload(&server.host(), &vec![b'z'; size], path, "0600")
            .await
            .unwrap_err();
        assert!(matches!(error, TransferError::Checksum { .. }), "{error}");
        let left: Vec<_> = std::fs::read_dir(directory).unwrap().collect();
        assert_eq!(left.len(), 1);
        assert_eq!(std::fs::read(target).unwrap(), vec![b'\xaa'; size]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_of_a_file_that_shrinks_leaves_nothing() {
    // The removal is hit by the signal that ends what has been started.
    let (server, _programs) = with_program("rm", "kill -TERM 0; exec /bin/rm \"$@\"");
    let directory = server.path("up");
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&[1; 1000]).unwrap();
    let looked = LocalFile::look(file.path()).await.unwrap();
    file.as_file().set_len(999).unwrap();
    let path = directory.join("load.bin");
    let target = UploadTarget {
        path: path.to_str().unwrap(),
        name: "load.bin",
        mode: "0600",
        elevated: false,
    };

    let error = server.host().files().upload(&looked, &target).await;

    let error = error.unwrap_err();
    assert!(matches!(error, TransferError::Local { .. }), "{error}");
    let gone = async {
        while std::fs::read_dir(&directory).is_ok_and(|files| files.count() > 0) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), gone)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_change_of_a_dry_run_is_never_sent() {
    let server = Server::start();
    let host = server.host_in(DryRun::Yes);
    let file = server.path("made");
    let make = Command::change("touch").arg(file.to_str().unwrap());

    let error = host.run(make).await.unwrap_err();

    assert!(
        matches!(error, CommandError::RefusedInDryRun { .. }),
        "{error}"
    );
    assert!(!file.exists());
    assert_eq!(printed(&host, script("echo looks")).await, "looks\n");
}
