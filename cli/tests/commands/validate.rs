//! `validate` and `explain`: what needs no host.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};

use super::{CONFIG, Given, PASSWORD, Ran, nobody, run, run_words, sent};

/// Runs a command beside files of the current directory.
async fn run_beside(files: &[(&str, &str)], line: &str) -> Ran {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("work");
    std::fs::create_dir_all(&directory).unwrap();
    for (name, text) in files {
        std::fs::write(directory.join(name), text).unwrap();
    }
    run_at(home, line, Vec::new()).await
}

async fn run_at(home: tempfile::TempDir, line: &str, stdin: Vec<u8>) -> Ran {
    let given = Given {
        stdin,
        home: Some(home),
        signals: None,
    };
    let words: Vec<&str> = line.split(' ').collect();
    run_words(&nobody(), CONFIG, &words, given).await
}

#[tokio::test(start_paused = true)]
async fn a_valid_configuration_is_called_so_and_nobody_is_connected_to() {
    let hosts = nobody();

    let ran = run(&hosts, CONFIG, "validate").await;

    assert_eq!((ran.status, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    assert_eq!(ran.stderr, "`launchpad.yaml` is valid\n");
    assert_eq!(sent(&hosts), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn warnings_are_shown_and_do_not_fail() {
    let config = CONFIG
        .replace("role: worker", "role: manager")
        .replace("stable-20.10", "stable");

    let ran = run(&nobody(), &config, "validate").await;

    assert_eq!(ran.status, 0, "{}", ran.stderr);
    for part in [
        "warning[LP-C0080]: 2 managers",
        "warning[LP-C0085]: the channel `stable`",
        "launchpad.yaml:10:18",
        "to read more: launchpad explain LP-C0080",
        "`launchpad.yaml` is valid, with 2 warnings",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
}

#[tokio::test(start_paused = true)]
async fn errors_of_one_file_do_not_hide_those_of_another() {
    let wrong = CONFIG.replace("role: worker", "role: wroker");
    let files = [
        ("a.yaml", wrong.as_str()),
        ("b.yaml", "kind: mke\n"),
        ("c.yaml", CONFIG),
    ];

    let ran = run_beside(&files, "validate -c a.yaml b.yaml missing.yaml -c c.yaml").await;

    assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{}", ran.stderr);
    for part in [
        "error[LP-C0038]: `wroker` is not a role\n --> a.yaml:8:11",
        "`a.yaml` is not valid: 1 error\n",
        "error[LP-C0030]: `apiVersion` is missing\n --> b.yaml:1:1",
        "`b.yaml` is not valid: 2 errors\n",
        "error[LP-C0006]: there is no configuration file",
        "work/missing.yaml` or",
        "`missing.yaml` is not valid: 1 error\n",
        "`c.yaml` is valid\n",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
}

#[tokio::test(start_paused = true)]
async fn programs_get_all_problems_as_data() {
    let keys: String = (0..30).map(|index| format!("key{index}: 1\n")).collect();
    let wrong = CONFIG.replace("role: worker", "role: wroker") + &keys;
    let files = [("a.yaml", wrong.as_str())];

    let ran = run_beside(&files, "validate --output json -c a.yaml -c launchpad.yaml").await;

    assert_eq!((ran.status, ran.stderr.as_str()), (2, ""));
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        found[0]["problems"][0],
        json!({
            "file": "a.yaml",
            "line": 8,
            "column": 11,
            "path": "spec.hosts[1].role",
            "severity": "error",
            "code": "LP-C0038",
            "message": "`wroker` is not a role",
            "hint": "did you mean `worker`?",
        })
    );
    assert_eq!(found[0]["problems"].as_array().unwrap().len(), 31);
    assert_eq!(
        (&found[0]["file"], &found[0]["valid"], &found[0]["errors"]),
        (&json!("a.yaml"), &json!(false), &json!(31))
    );
    assert_eq!(
        found[1],
        json!({"file": "launchpad.yaml", "valid": true, "errors": 0, "warnings": 0, "more": 0,
            "problems": []})
    );
    assert!(!ran.stdout.contains(PASSWORD), "{}", ran.stdout);
}

#[tokio::test(start_paused = true)]
async fn people_get_twenty_problems_and_a_count() {
    let keys: String = (0..30).map(|index| format!("key{index}: 1\n")).collect();

    let ran = run(&nobody(), &format!("{CONFIG}{keys}"), "validate").await;

    assert_eq!(ran.status, 2);
    assert_eq!(
        ran.stderr.matches("error[LP-C0032]").count(),
        20,
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("and 10 more problems"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("is not valid: 30 errors"),
        "{}",
        ran.stderr
    );
}

#[tokio::test(start_paused = true)]
async fn standard_input_is_a_file_as_any_other_and_there_is_one() {
    let home = || tempfile::tempdir().unwrap();
    let text = CONFIG.replace("kind: mke", "kind: mkf").into_bytes();

    let ran = run_at(home(), "validate -c - launchpad.yaml", text).await;
    let twice = run_at(home(), "validate -c - -", Vec::new()).await;

    assert_eq!(ran.status, 2);
    assert!(ran.stderr.contains("--> <stdin>:2:7"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("`launchpad.yaml` is valid"),
        "{}",
        ran.stderr
    );
    assert_eq!(twice.status, 2);
    assert!(twice.stderr.contains("only once"), "{}", twice.stderr);
}

#[tokio::test(start_paused = true)]
async fn what_no_phase_can_do_yet_is_a_warning_here_and_an_error_of_a_run() {
    let config = format!("{CONFIG}  cluster: {{prune: true}}\n");

    let valid = run(&nobody(), &config, "validate").await;
    let planned = run(&nobody(), &config, "plan").await;

    assert_eq!((valid.status, planned.status), (0, 2), "{}", valid.stderr);
    assert!(
        valid.stderr.contains("warning[LP-C0075]: this version"),
        "{}",
        valid.stderr
    );
    assert!(
        planned.stderr.contains("error[LP-C0075]: this version"),
        "{}",
        planned.stderr
    );
}

#[tokio::test(start_paused = true)]
async fn a_bundle_wants_somebody_to_log_in_as() {
    let config = CONFIG.replace("    adminPassword: ${PASSWORD}\n", "");

    let ran = run(&nobody(), &config, "client-config").await;

    assert_eq!(ran.status, 2);
    assert!(ran.stderr.contains("error[LP-C0077]"), "{}", ran.stderr);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_simulated_has_a_code() {
    let config = CONFIG.replace(
        "ssh: {address: 10.77.1.11, user: lab}",
        "winRM: {address: 10.77.1.11}",
    );

    let ran = run(&nobody(), &config, "rehearse").await;

    assert_eq!(ran.status, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("error[LP-C0076]"), "{}", ran.stderr);
}

#[tokio::test(start_paused = true)]
async fn a_private_key_that_others_may_read_is_told_of() {
    let with_mode = async |mode: u32| {
        let home = tempfile::tempdir().unwrap();
        let key = home.path().join("id");
        std::fs::write(&key, "a key").unwrap();
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
        let config = CONFIG.replacen("user: lab", "user: lab, keyPath: ~/id", 1);
        let given = Given {
            home: Some(home),
            ..Given::default()
        };
        run_words(&nobody(), &config, &["validate"], given).await
    };

    let open = with_mode(0o644).await;
    let private = with_mode(0o600).await;

    assert_eq!((open.status, private.status), (0, 0));
    assert!(open.stderr.contains("warning[LP-C0083]"), "{}", open.stderr);
    assert!(
        open.stderr.contains("is open to everybody"),
        "{}",
        open.stderr
    );
    assert!(open.stderr.contains("chmod 600 "), "{}", open.stderr);
    assert_eq!(private.stderr, "`launchpad.yaml` is valid\n");
}

#[tokio::test(start_paused = true)]
async fn files_of_any_size_are_read_up_to_their_limit() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("work");
    std::fs::create_dir_all(&directory).unwrap();
    let large = |name: &str| {
        let file = std::fs::File::create(directory.join(name)).unwrap();
        // It takes no room on the disk, and would not fit into memory.
        file.set_len(1_000_000_000_000).unwrap();
    };
    large("large.yaml");
    large("large.lic");
    let config = CONFIG.replace(
        "version: 3.8.8",
        "version: 3.8.8\n    licenseFilePath: large.lic",
    );
    std::fs::write(directory.join("names.yaml"), config).unwrap();

    let ran = run_at(home, "validate large.yaml names.yaml", Vec::new()).await;

    assert_eq!(ran.status, 2);
    assert!(
        ran.stderr
            .contains("error[LP-C0001]: the configuration is larger than 1 MiB"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("error[LP-C0053]: `"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("work/large.lic` is larger than 4 MiB"),
        "{}",
        ran.stderr
    );
}

#[tokio::test(start_paused = true)]
async fn a_pipe_is_read_once() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("work");
    std::fs::create_dir_all(&directory).unwrap();
    let pipe = directory.join("pipe.yaml");
    make_pipe(&pipe);
    let writer = std::thread::spawn(move || {
        let mut file = std::fs::File::options().write(true).open(pipe).unwrap();
        file.write_all(CONFIG.as_bytes()).unwrap();
    });

    let ran = run_at(home, "validate -c pipe.yaml", Vec::new()).await;

    writer.join().unwrap();
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(ran.stderr, "`pipe.yaml` is valid\n");
}

fn make_pipe(path: &Path) {
    let status = std::process::Command::new("mkfifo").arg(path).status();
    assert!(status.unwrap().success());
}

#[tokio::test(start_paused = true)]
async fn a_directory_is_no_configuration() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join("work/d.yaml")).unwrap();

    let ran = run_at(home, "validate -c d.yaml", Vec::new()).await;

    assert_eq!(ran.status, 2);
    assert!(
        ran.stderr
            .contains("error[LP-C0006]: the file cannot be read"),
        "{}",
        ran.stderr
    );
}

#[tokio::test(start_paused = true)]
async fn a_code_is_explained() {
    for line in ["explain LP-C0038", "explain c38", "explain LP-C38"] {
        let ran = run(&nobody(), "", line).await;

        assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{line}");
        for part in [
            "error[LP-C0038]: a value is not one of the words that there are\n\n",
            "\nWrong:\n\n    spec:\n      hosts:\n      - role: master\n",
            "\nRight:\n\n    spec:\n      hosts:\n      - role: manager\n",
        ] {
            assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_code_that_is_not_there_has_a_neighbour() {
    let ran = run(&nobody(), "", "explain LP-X0038").await;

    assert_eq!((ran.status, ran.stdout.as_str()), (2, ""));
    let expected = "error: there is no code `LP-X0038`, did you mean `LP-C0038`? `launchpad explain` \
                    lists all codes\n";
    assert_eq!(ran.stderr, expected);
}

#[tokio::test(start_paused = true)]
async fn all_codes_are_listed() {
    let ran = run(&nobody(), "", "explain").await;

    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(ran.stdout.lines().count(), config::Code::ALL.len() + 1);
    assert!(
        ran.stdout
            .contains("LP-C0084  warning   a password stands in the file\n"),
        "{}",
        ran.stdout
    );
}

#[tokio::test(start_paused = true)]
async fn secrets_are_shown_where_they_are_asked_for_by_name() {
    let shown = run(&nobody(), CONFIG, "describe config --show-secrets").await;
    let refused = run(&nobody(), CONFIG, "describe hosts --show-secrets").await;

    assert_eq!((shown.status, refused.status), (0, 2));
    assert!(shown.stdout.contains(PASSWORD), "{}", shown.stdout);
    assert!(
        refused.stderr.contains("describe config"),
        "{}",
        refused.stderr
    );
}
