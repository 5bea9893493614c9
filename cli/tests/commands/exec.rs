//! `exec`, `upload` and `download` on simulated hosts.

use serde_json::{Value, json};
use tokio::sync::mpsc::unbounded_channel;

use super::*;

async fn exec(fleet: &Fleet, words: &[&str]) -> Ran {
    run_words(fleet, CONFIG, words, Given::default()).await
}

fn objects(ran: &Ran) -> Vec<Value> {
    let lines = ran.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn one_host_speaks_for_itself() {
    let fleet = bare();
    let text = "printf 'no line end'; echo words >&2; exit 37";

    let ran = exec(&fleet, &["exec", "-t", "10.77.1.11", "sh", "-c", text]).await;

    let expected = (37, "no line end", "words\n");
    assert_eq!(
        (ran.status, ran.stdout.as_str(), ran.stderr.as_str()),
        expected
    );
    assert_eq!(sent(&fleet).0, 1, "one round trip");
    assert!(ran.files().len() == 1, "{:?}", ran.files().keys());
}

#[tokio::test(start_paused = true)]
async fn words_arrive_as_they_were_typed() {
    let fleet = bare();
    let words = [
        "printf", "%s|", "a b", "it's", "$HOME", "*", "", "-l", "--all",
    ];

    let ran = exec(
        &fleet,
        &[&["exec", "-r", "worker"], words.as_slice()].concat(),
    )
    .await;

    assert_eq!(ran.stdout, "a b|it's|$HOME|*||-l|--all|", "{}", ran.stderr);
}

#[tokio::test(start_paused = true)]
async fn several_hosts_have_to_be_allowed_and_are_told_apart() {
    let fleet = bare();

    let refused = exec(&fleet, &["exec", "hostname"]).await;
    let ran = exec(
        &fleet,
        &["exec", "--all", "sh", "-c", "hostname; printf end"],
    )
    .await;

    assert_eq!((refused.status, refused.stdout.as_str()), (2, ""));
    assert!(
        refused.stderr.contains("these are 2 hosts"),
        "{}",
        refused.stderr
    );
    assert_eq!(
        ran.stdout,
        "10.77.1.1: m1\n10.77.1.1: end\n10.77.1.11: w1\n10.77.1.11: end\n"
    );
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
}

#[tokio::test(start_paused = true)]
async fn in_turn_the_first_failure_is_the_last_and_in_parallel_all_are_done() {
    let fleet = bare();

    let in_turn = exec(&fleet, &["exec", "-A", "sh", "-c", "echo x; exit 3"]).await;
    let parallel = exec(&fleet, &["exec", "-A", "-p", "sh", "-c", "echo no; exit 3"]).await;

    assert_eq!(
        (in_turn.status, in_turn.stdout.as_str()),
        (1, "10.77.1.1: x\n")
    );
    assert!(
        in_turn.stderr.contains("- 10.77.1.11: not begun"),
        "{}",
        in_turn.stderr
    );
    assert_eq!(parallel.status, 1);
    let summary = "error: 2 of 2 hosts failed\n- 2 hosts: exit status 3\n    \
                   hosts: 10.77.1.1, 10.77.1.11\n    | no\n";
    assert_eq!(parallel.stderr, summary);
}

#[tokio::test(start_paused = true)]
async fn json_is_one_object_for_each_host() {
    let fleet = bare();
    let words = [
        "exec",
        "-A",
        "--output",
        "json",
        "sh",
        "-c",
        "hostname; echo no >&2; exit 1",
    ];

    let ran = exec(&fleet, &words).await;

    let objects = objects(&ran);
    assert_eq!((ran.status, ran.stderr.as_str()), (1, ""));
    assert_eq!(objects.len(), 2, "{}", ran.stdout);
    let mut first = objects[0].clone();
    first.as_object_mut().unwrap().remove("duration_ms");
    let expected = json!({
        "host": "10.77.1.1", "state": "failed", "status": 1, "signal": null, "error": null,
        "stdout": "m1\n", "stderr": "no\n",
    });
    assert_eq!(first, expected);
    assert_eq!(objects[1]["state"], "not-begun");
}

#[tokio::test(start_paused = true)]
async fn standard_input_is_read_only_where_it_is_asked_for() {
    let fleet = bare();
    let given = || Given {
        stdin: b"to all\n".to_vec(),
        ..Given::default()
    };

    let without = run_words(&fleet, CONFIG, &["exec", "-A", "cat"], given()).await;
    let one = run_words(&fleet, CONFIG, &["exec", "-f", "--stdin", "cat"], given()).await;
    let all = run_words(&fleet, CONFIG, &["exec", "-A", "--stdin", "cat"], given()).await;
    let as_root = ["exec", "-f", "--stdin", "--sudo", "sh", "-c", "id -u; cat"];
    let as_root = run_words(&fleet, CONFIG, &as_root, given()).await;

    assert_eq!(without.stdout, "", "{}", without.stderr);
    assert_eq!(one.stdout, "to all\n", "{}", one.stderr);
    assert_eq!(all.stdout, "10.77.1.1: to all\n10.77.1.11: to all\n");
    assert_eq!(as_root.stdout, "0\nto all\n", "{}", as_root.stderr);
}

#[tokio::test(start_paused = true)]
async fn a_host_is_left_when_its_time_is_over_and_so_is_what_runs_there() {
    let fleet = bare();
    let words = [
        "exec",
        "-f",
        "--timeout",
        "90s",
        "sh",
        "-c",
        "echo begun; sleep 1000",
    ];

    let ran = exec(&fleet, &words).await;

    assert_eq!((ran.status, ran.stdout.as_str()), (124, "begun\n"));
    assert_eq!(ran.stderr, "error: 10.77.1.1: not done within 90 s\n");
    let left = exec(
        &fleet,
        &["exec", "-f", "sh", "-c", "pgrep -x sleep || echo nothing"],
    )
    .await;
    assert_eq!(left.stdout, "nothing\n");
}

#[tokio::test(start_paused = true)]
async fn ctrl_c_ends_what_runs_on_hosts() {
    let fleet = bare();
    let (send, signals) = unbounded_channel();
    let press = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(30)).await;
        send.send(2).unwrap();
        send
    });
    let given = Given {
        signals: Some(signals),
        ..Given::default()
    };

    let ran = run_words(
        &fleet,
        CONFIG,
        &["exec", "-A", "-p", "sleep", "1000"],
        given,
    )
    .await;

    drop(press.await);
    assert_eq!(ran.status, 130, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("2 hosts: interrupted"),
        "{}",
        ran.stderr
    );
    let left = exec(
        &fleet,
        &["exec", "-A", "sh", "-c", "pgrep -x sleep || echo nothing"],
    )
    .await;
    assert_eq!(left.stdout.matches("nothing").count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_cannot_be_reached_is_no_exit_status() {
    let fleet = bare();
    fleet.host(HostId(1), |host| host.sshd = Sshd::Down);

    let ran = exec(&fleet, &["exec", "-A", "-p", "hostname"]).await;

    assert_eq!((ran.status, ran.stdout.as_str()), (255, "10.77.1.1: m1\n"));
    assert!(
        ran.stderr
            .contains("error: 1 of 2 hosts failed\n- 10.77.1.11: cannot connect"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("refused"), "{}", ran.stderr);
}

#[tokio::test(start_paused = true)]
async fn operating_systems_are_asked_for() {
    let fleet = bare();

    let linux = exec(&fleet, &["exec", "-A", "-o", "linux", "hostname"]).await;
    let ubuntu = exec(&fleet, &["exec", "-f", "-o", "ubuntu", "hostname"]).await;
    let windows = exec(&fleet, &["exec", "-A", "-o", "windows", "hostname"]).await;

    assert_eq!(linux.stdout.lines().count(), 2, "{}", linux.stderr);
    assert_eq!(ubuntu.stdout, "m1\n", "{}", ubuntu.stderr);
    assert_eq!(
        (
            windows.status,
            windows.stdout.as_str(),
            windows.stderr.as_str()
        ),
        (0, "", "no hosts found\n")
    );
}

#[tokio::test(start_paused = true)]
async fn what_makes_no_sense_is_refused_before_anything_is_connected_to() {
    let fleet = bare();
    for (words, text) in [
        (&["exec", "-f"][..], "no command to run, and no terminal"),
        (&["exec", "-f", "-i", "top"], "wants a terminal"),
        (&["exec", "-f", "--stdin"], "no command to run"),
        (
            &["exec", "-f", "-i", "--output", "json", "top"],
            "takes neither",
        ),
        (&["exec", "-f", ""], "the command is empty"),
        (
            &["exec", "-t", "10.77.1.9", "true"],
            "is no host of the configuration",
        ),
        (
            &["download", "-f", "/etc/", "x"],
            "is not the name of a file",
        ),
        (&["upload", "-f", "nothing-there", "/tmp/"], "cannot read"),
    ] {
        let ran = exec(&fleet, words).await;

        assert!(ran.status == 2 || ran.status == 1, "{words:?}");
        assert!(ran.stderr.contains(text), "{words:?}: {}", ran.stderr);
    }
    assert_eq!(sent(&fleet).0, 0);
}

#[tokio::test(start_paused = true)]
async fn files_go_up_and_come_back_as_they_are() {
    let fleet = bare();
    let home = tempfile::tempdir().unwrap();
    let work = home.path().join("work");
    std::fs::create_dir_all(&work).unwrap();
    let content: Vec<u8> = (0..=255).cycle().take(200_000).collect();
    std::fs::write(work.join("it's a file"), &content).unwrap();
    let mode = std::fs::Permissions::from_mode(0o640);
    std::fs::set_permissions(work.join("it's a file"), mode).unwrap();
    let given = |home| Given {
        home: Some(home),
        ..Given::default()
    };

    let up = ["upload", "-A", "-p", "--sudo", "it's a file", "/srv/new/"];
    let first = run_words(&fleet, CONFIG, &up, given(home)).await;
    let again = run_words(&fleet, CONFIG, &up, given(first.home)).await;
    let down = ["download", "-A", "-s", "/srv/new/it's a file", "back"];
    let down = run_words(&fleet, CONFIG, &down, given(again.home)).await;
    let one = [
        "download",
        "-f",
        "-s",
        "--output",
        "json",
        "/srv/new/it's a file",
        ".",
    ];
    let one = run_words(&fleet, CONFIG, &one, given(down.home)).await;

    assert_eq!(first.status, 0, "{}", first.stderr);
    assert_eq!(
        first
            .stdout
            .matches("/srv/new/it's a file written\n")
            .count(),
        2
    );
    assert_eq!(
        again
            .stdout
            .matches("/srv/new/it's a file unchanged\n")
            .count(),
        2
    );
    assert_eq!(down.status, 0, "{}", down.stderr);
    let work = one.home.path().join("work");
    for host in ["10.77.1.1", "10.77.1.11"] {
        let back = work.join("back").join(host).join("it's a file");
        assert!(std::fs::read(&back).unwrap() == content, "{host}");
        let mode = std::fs::metadata(&back).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
    }
    let object: Value = serde_json::from_str(&one.stdout).unwrap();
    assert_eq!(
        (&object["state"], &object["bytes"]),
        (&json!("done"), &json!(200_000))
    );
    let left: Vec<_> = std::fs::read_dir(&work)
        .unwrap()
        .map(|it| it.unwrap().file_name())
        .collect();
    assert!(
        left.iter()
            .all(|name| !name.to_string_lossy().starts_with('.')),
        "{left:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_fails_leaves_nothing() {
    let fleet = bare();

    let missing = exec(&fleet, &["download", "-f", "/no/such", "here"]).await;
    let directory = exec(&fleet, &["download", "-f", "/etc", "here"]).await;

    assert_eq!(missing.status, 1);
    assert!(
        missing.stderr.contains("cause: there is no /no/such"),
        "{}",
        missing.stderr
    );
    assert!(
        directory.stderr.contains("/etc is no file"),
        "{}",
        directory.stderr
    );
    assert_eq!(missing.files().len(), 1, "only the configuration");
}
