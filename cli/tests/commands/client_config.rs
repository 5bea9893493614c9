//! `client-config` on simulated clusters: any manager, bundles and kubeconfig files as they are
//! left on this machine.

use fleet::fault::{ApiAnswer, Blow, When};

use tokio::sync::mpsc::unbounded_channel;

use super::*;

/// The configuration with three managers and no worker.
fn three() -> String {
    let mut config = CONFIG.replace("role: worker", "role: manager");
    config = config.replace("10.77.1.11", "10.77.1.2");
    config.replace(
        "  mcr: {",
        "  - role: manager\n    ssh: {address: 10.77.1.3, user: lab}\n  mcr: {",
    )
}

/// Three bare managers.
fn bare_managers() -> Fleet {
    let fleet = nobody();
    for last in [1, 2, 3] {
        let mut spec = HostSpec::new(&format!("m{last}"), [10, 77, 1, last].into());
        spec.login = "lab".to_owned();
        fleet.add_host(&spec).unwrap();
    }
    fleet.add_archive();
    fleet.add_engine_repository("https://repos.mirantis.com", "stable-20.10");
    fleet.add_registry("docker.io");
    fleet
}

async fn managers() -> Fleet {
    let fleet = bare_managers();
    let ran = run(&fleet, &three(), "apply").await;
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    fleet.forget_counts();
    fleet
}

fn bundle(home: &Path) -> PathBuf {
    home.join(".mirantis-launchpad/cluster/toy/bundle/admin")
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json(ran: &Ran) -> serde_json::Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}{}", ran.stdout, ran.stderr))
}

/// Returns whether there is anything below the directory of bundles.
fn bundles(home: &Path) -> Vec<String> {
    let directory = bundle(home).parent().unwrap().to_owned();
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_bundle_is_for_its_user_alone() {
    let ran = run(&installed().await, CONFIG, "client-config --trace").await;

    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let directory = bundle(ran.home.path());
    let path = directory.display().to_string();
    assert_eq!(ran.stdout.lines().next(), Some(path.as_str()));
    let kubectl = format!("kubectl --kubeconfig {path}/kube.yml get nodes");
    assert!(ran.stdout.contains(&kubectl), "{}", ran.stdout);
    let kube = read(&directory.join("kube.yml"));
    for line in [
        "    server: https://10.77.1.1:6443",
        "current-context: toy",
        "- name: admin@toy",
    ] {
        assert!(kube.lines().any(|found| found == line), "{line}: {kube}");
    }
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let files = ran.files();
    let written: Vec<_> = files
        .keys()
        .filter(|path| path.starts_with(&directory))
        .collect();
    assert_eq!(written.len(), 15, "{written:?}");
    for path in written {
        assert_eq!(mode(path), 0o600, "{}", path.display());
        assert_eq!(mode(path.parent().unwrap()), 0o700, "{}", path.display());
    }
    assert_eq!(mode(directory.parent().unwrap()), 0o700);
    // Neither the password nor the key is anywhere else.
    let key = read(&directory.join("key.pem"));
    let key = key.lines().nth(1).unwrap();
    let elsewhere = files
        .iter()
        .filter(|(path, _)| !path.starts_with(&directory));
    let texts = elsewhere
        .map(|(_, text)| text)
        .chain([&ran.stdout, &ran.stderr]);
    for text in texts {
        assert!(!text.contains(PASSWORD) && !text.contains(key), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bundle_is_described_as_data() {
    let ran = run(
        &installed().await,
        CONFIG,
        "client-config --output json --merge",
    )
    .await;

    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let home = ran.home.path();
    let directory = bundle(home).display().to_string();
    let mut found = json(&ran);
    let files = found["files"].take();
    assert_eq!(files.as_array().map(Vec::len), Some(15));
    let wanted = serde_json::json!({
        "directory": directory,
        "files": null,
        "manager": "10.77.1.1",
        "username": "admin",
        "kubeconfig": format!("{directory}/kube.yml"),
        "context": "toy",
        "server": "https://10.77.1.1:6443",
        "merged": {
            "path": home.join(".kube/config").display().to_string(),
            "current_context": "toy",
            "copy": null,
        },
    });
    assert_eq!(found, wanted);
}

#[tokio::test(start_paused = true)]
async fn a_manager_that_is_down_is_not_missed() {
    let hosts = managers().await;
    hosts.host(HostId(0), |host| host.sshd = Sshd::Down);

    let ran = run(&hosts, &three(), "client-config --output json").await;

    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(json(&ran)["manager"] != "10.77.1.1", "{}", ran.stdout);
    assert_eq!(ran.stderr, "");
}

/// Lets the API of managers answer with this where a bundle is asked for.
async fn answer(hosts: &Fleet, managers: &[usize], status: u16, text: &str) {
    for id in managers {
        let answer = ApiAnswer {
            status,
            text: text.to_owned(),
        };
        let blow = Blow::ApiAnswers("/api/clientbundle".to_owned(), answer, None);
        hosts.plan_blow(HostId(*id), When::At(hosts.elapsed()), blow);
    }
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_manager_whose_answer_is_of_no_use_is_not_missed() {
    for (status, text) in [
        (503, "no healthy upstream"),
        (500, ""),
        (200, "<html>sign in</html>"),
    ] {
        let hosts = managers().await;
        answer(&hosts, &[0, 1], status, text).await;

        let ran = run(&hosts, &three(), "client-config --output json").await;

        assert_eq!(ran.status, 0, "{status}: {}", ran.stderr);
        assert_eq!(json(&ran)["manager"], "10.77.1.3", "{}", ran.stdout);
    }
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_no_bundle_leave_the_older_one() {
    for (status, text, told) in [
        (
            403,
            "{\"errors\":[{\"code\":\"FORBIDDEN\",\"message\":\"no bundles for you\"}]}",
            &[
                "MKE does not give a client bundle to this user",
                "no bundles for you",
            ],
        ),
        (
            503,
            "no healthy upstream",
            &["MKE gives no client bundle", "no healthy upstream"],
        ),
        (200, "<html>sign in</html>", &["client bundle", "archive"]),
        (200, "", &["client bundle", "archive"]),
    ] {
        let hosts = installed().await;
        let first = run(&hosts, CONFIG, "client-config").await;
        let before = first.files();
        answer(&hosts, &[0], status, text).await;

        let ran = run_in(first.home, &hosts, CONFIG, "client-config").await;

        assert_eq!(ran.status, 1, "{status}: {}", ran.stderr);
        for part in told.iter().chain(&["10.77.1.1", "hint"]) {
            assert!(
                ran.stderr.contains(part),
                "{status}: {part}: {}",
                ran.stderr
            );
        }
        assert_eq!(bundles(ran.home.path()), ["admin"], "{status}");
        let directory = bundle(ran.home.path());
        let after = ran.files();
        for (path, text) in before
            .iter()
            .filter(|(path, _)| path.starts_with(&directory))
        {
            assert_eq!(after.get(path), Some(text), "{}", path.display());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn ctrl_c_leaves_the_older_bundle_or_a_whole_new_one() {
    let hosts = installed().await;
    let first = run(&hosts, CONFIG, "client-config").await;
    assert_eq!(first.status, 0, "{}", first.stderr);
    let steps = hosts
        .sent()
        .iter()
        .filter(|one| one.host == HostId(0))
        .count() as u64;
    let directory = bundle(first.home.path());
    let whole = |files: BTreeMap<PathBuf, String>| -> Vec<PathBuf> {
        let names = files.into_keys();
        names
            .filter(|path| path.starts_with(directory.parent().unwrap()))
            .collect()
    };
    let expected = whole(first.files());
    let mut home = first.home;
    let mut interrupted = 0;
    for number in 1..=steps {
        for pause in [0, 20, 60] {
            hosts.forget_counts();
            let (send, signals) = unbounded_channel();
            let sent = hosts.when_sent(HostId(0), number);
            let press = tokio::spawn(async move {
                if sent.await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                    // The command may be over.
                    let _ = send.send(2);
                }
                std::future::pending::<()>().await;
            });
            let given = Given {
                stdin: CONFIG.as_bytes().to_vec(),
                home: Some(home),
                signals: Some(signals),
            };

            let ran = run_words(&hosts, CONFIG, &["client-config"], given).await;

            press.abort();
            interrupted += u32::from(ran.status == 130);
            assert!(matches!(ran.status, 0 | 130), "{number}: {}", ran.stderr);
            assert_eq!(whole(ran.files()), expected, "{number}: {}", ran.stderr);
            home = ran.home;
        }
    }
    assert!(interrupted > 2, "{interrupted} of {steps} steps");
}

#[tokio::test(start_paused = true)]
async fn only_managers_are_asked() {
    let hosts = installed().await;
    hosts.host(HostId(1), |host| host.sshd = Sshd::Silent);

    let ran = run(&hosts, CONFIG, "client-config").await;

    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(hosts.sent().iter().all(|one| one.host == HostId(0)));
}

#[tokio::test(start_paused = true)]
async fn managers_that_all_fail_alike_are_one_error() {
    let hosts = bare_managers();
    for id in [0, 1, 2] {
        hosts.host(HostId(id), |host| host.sshd = Sshd::Down);
    }

    let down = run(&hosts, &three(), "client-config").await;
    let absent = run(&bare_managers(), &three(), "client-config").await;

    for (ran, what) in [(&down, "refused"), (&absent, "MKE is not installed")] {
        assert_eq!(ran.status, 1, "{}", ran.stderr);
        assert!(ran.stderr.contains(what), "{}", ran.stderr);
        assert!(ran.stderr.contains("3 hosts: "), "{}", ran.stderr);
        let hosts = "hosts: 10.77.1.1, 10.77.1.2, 10.77.1.3";
        assert!(ran.stderr.contains(hosts), "{}", ran.stderr);
        assert_eq!(bundles(ran.home.path()), Vec::<String>::new());
        assert_eq!(ran.stdout, "");
    }
    assert!(
        absent.stderr.contains("launchpad apply"),
        "{}",
        absent.stderr
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_leaves_the_older_bundle() {
    let hosts = installed().await;
    let first = run(&hosts, CONFIG, "client-config").await;
    let before = read(&bundle(first.home.path()).join("key.pem"));
    let wrong = CONFIG.replace("${PASSWORD}", "not-the-password");

    let second = run_in(first.home, &hosts, &wrong, "client-config --trace").await;

    assert_eq!(second.status, 1);
    for part in [
        "10.77.1.1: cannot log in to MKE",
        "does not accept the password of `admin`",
        "`spec.mke.adminPassword`",
    ] {
        assert!(second.stderr.contains(part), "{part}: {}", second.stderr);
    }
    assert!(
        !second.stderr.contains("not-the-password"),
        "{}",
        second.stderr
    );
    assert_eq!(read(&bundle(second.home.path()).join("key.pem")), before);
    assert_eq!(bundles(second.home.path()), ["admin"]);
}

#[tokio::test(start_paused = true)]
async fn a_new_bundle_replaces_the_old_one_whole() {
    let hosts = installed().await;
    let first = run(&hosts, CONFIG, "client-config").await;
    let directory = bundle(first.home.path());
    let before = read(&directory.join("key.pem"));
    std::fs::write(directory.join("stale.pem"), "of an older version").unwrap();

    let second = run_in(first.home, &hosts, CONFIG, "client-config").await;

    assert_eq!(second.status, 0, "{}", second.stderr);
    assert!(!directory.join("stale.pem").exists());
    assert_ne!(read(&directory.join("key.pem")), before);
    assert_eq!(bundles(second.home.path()), ["admin"]);
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_does_not_answer_is_told_within_its_time() {
    let hosts = installed().await;
    hosts.plan_blow(HostId(0), When::At(hosts.elapsed()), Blow::HangEngine(None));
    tokio::time::sleep(Duration::from_secs(1)).await;

    let ran = run(&hosts, CONFIG, "client-config").await;

    assert_eq!(ran.status, 1);
    assert!(
        ran.stderr.contains("the engine does not answer"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("repeat with: launchpad client-config"),
        "{}",
        ran.stderr
    );
}

#[tokio::test(start_paused = true)]
async fn the_access_is_merged_into_a_kubeconfig() {
    let hosts = installed().await;
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join(".kube/config");
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    let mine = "# mine\napiVersion: v1\nkind: Config\ncurrent-context: other # stays\n";
    std::fs::write(&path, mine).unwrap();

    let first = run_in(home, &hosts, CONFIG, "client-config --merge").await;
    let once = read(&path);
    let second = run_in(first.home, &hosts, CONFIG, "client-config --merge").await;

    assert_eq!((first.status, second.status), (0, 0), "{}", second.stderr);
    assert!(once.starts_with(mine), "{once}");
    for part in ["still `other`", "kubectl --context toy get nodes"] {
        assert!(first.stdout.contains(part), "{part}: {}", first.stdout);
    }
    let twice = read(&path);
    let keys = |text: &str| text.matches("client-key-data").count();
    assert_eq!((keys(&once), keys(&twice)), (1, 1), "{twice}");
    assert_ne!(once, twice);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
}

#[tokio::test(start_paused = true)]
async fn a_kubeconfig_may_be_a_link_and_has_to_be_one() {
    let hosts = installed().await;
    let home = tempfile::tempdir().unwrap();
    let link = home.path().join("link");
    std::os::unix::fs::symlink("work/real", &link).unwrap();
    let line = format!("client-config --merge={}", link.display());

    let linked = run_in(home, &hosts, CONFIG, &line).await;
    assert_eq!(linked.status, 0, "{}", linked.stderr);
    hosts.forget_counts();
    let refused = run(&hosts, CONFIG, "client-config --merge=launchpad.yaml").await;

    assert!(link.is_symlink());
    assert!(read(&linked.home.path().join("work/real")).contains("admin@toy"));
    assert_eq!(refused.status, 2);
    let place = "launchpad.yaml:2:7`: this is no kubeconfig";
    assert!(refused.stderr.contains(place), "{}", refused.stderr);
    assert_eq!(sent(&hosts), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_here_is_told_before_anybody_is_connected_to() {
    let hosts = bare();
    let nameless = CONFIG.replace("    adminUsername: admin\n", "");
    let without = CONFIG.replace("    adminPassword: ${PASSWORD}\n", "");
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join(".mirantis-launchpad"), "a file").unwrap();

    let nameless = run(&hosts, &nameless, "client-config").await;
    let without = run(&hosts, &without, "client-config").await;
    let blocked = run_in(home, &hosts, CONFIG, "client-config").await;

    let statuses = [nameless.status, without.status, blocked.status];
    assert_eq!(statuses, [2, 2, 1], "{}", blocked.stderr);
    assert!(
        nameless.stderr.contains("spec.mke.adminUsername"),
        "{}",
        nameless.stderr
    );
    assert!(
        without.stderr.contains("spec.mke.adminPassword"),
        "{}",
        without.stderr
    );
    assert!(
        blocked.stderr.contains("cannot create the directory"),
        "{}",
        blocked.stderr
    );
    assert_eq!(sent(&hosts), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn older_scripts_work_on_and_are_told_better() {
    let line = "download-bundle --username bob --Password hunter22";

    let ran = run(&installed().await, CONFIG, line).await;

    assert_eq!(ran.status, 0, "{}", ran.stderr);
    for part in [
        "`client-config` now",
        "`--username` is not",
        "`--password` is not",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    for text in ran.files().values().chain([&ran.stdout, &ran.stderr]) {
        assert!(!text.contains("hunter22"), "{text}");
    }
    assert!(bundle(ran.home.path()).join("cert.pem").exists());
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_is_told_once_for_all_managers() {
    let wrong = three().replace("${PASSWORD}", "not-the-password");

    let ran = run(&managers().await, &wrong, "client-config").await;

    assert_eq!(ran.status, 1);
    let told = ran.stderr.matches("cause: MKE does not accept").count();
    assert_eq!(told, 1, "{}", ran.stderr);
    assert!(!ran.stderr.contains("3 hosts"), "{}", ran.stderr);
}

#[tokio::test(start_paused = true)]
async fn the_image_that_knows_the_ca_is_pulled_where_nobody_has_it() {
    let hosts = installed().await;
    let hook = CONFIG.replacen(
        "user: lab}",
        "user: lab}\n    hooks: {apply: {after: [sudo docker image rm -f docker.io/mirantis/ucp:3.8.8]}}",
        1,
    );
    let removed = run(&hosts, &hook, "apply").await;
    assert_eq!(removed.status, 0, "{}", removed.stderr);
    hosts.forget_counts();

    let ran = run(&hosts, CONFIG, "client-config").await;
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    let (_, changes) = sent(&hosts);
    hosts.forget_counts();
    let again = run(&hosts, CONFIG, "client-config").await;

    assert_eq!((again.status, changes), (0, 1), "{}", again.stderr);
    assert_eq!(sent(&hosts).1, 0);
}
