//! `migrate`, and old configurations that are run as they are.

use super::*;

/// A configuration that was written in 2020.
const OLD: &str = "# our cluster
apiVersion: launchpad.mirantis.com/v1beta1
kind: UCP
metadata:
  name: toy # short
spec:
  hosts:
  - address: 10.77.1.1 # the manager
    user: lab
    role: manager
  - address: 10.77.1.11
    user: lab
    sshPort: 22
    role: worker
  engine:
    version: '20.10'
    installURL: https://get.mirantis.com/
  ucp:
    version: 3.8.8
    installFlags:
    - --admin-username=admin
    - --admin-password=s3cret-of-admin
    - --san=10.77.1.1
";

#[tokio::test(start_paused = true)]
async fn a_configuration_of_five_years_ago_gives_a_plan_and_three_warnings() {
    let old = OLD.replace("    - --admin-password=s3cret-of-admin\n", "");
    let ran = run(&bare(), &old, "plan").await;

    assert_eq!(ran.status, 3, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("install MCR from channel stable-20.10"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("install MKE 3.8.8"));
    for part in [
        "this is a configuration of `launchpad.mirantis.com/v1beta1`, of Launchpad 0.6 to 0.11",
        "the version of MCR is part of the channel now: `stable-20.10`",
        "no script is run any more",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    assert_eq!(ran.stderr.matches("warning[").count(), 3, "{}", ran.stderr);
    assert!(!ran.stderr.contains(PASSWORD));
}

#[tokio::test(start_paused = true)]
async fn mistakes_in_an_old_configuration_are_told_by_its_own_keys_and_lines() {
    let wrong = OLD
        .replace("sshPort: 22", "sshPort: many")
        .replace("version: 3.8.8", "version: new");

    let ran = run(&bare(), &wrong, "plan").await;

    assert_eq!(ran.status, 2);
    for part in [
        "launchpad.yaml:13:14",
        "path: spec.hosts[1].sshPort",
        "launchpad.yaml:19:14",
        "path: spec.ucp.version",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
}

#[tokio::test(start_paused = true)]
async fn the_newest_form_is_printed_and_nothing_is_written() {
    let ran = run(&nobody(), OLD, "migrate").await;

    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert_eq!(
        ran.stdout,
        "# our cluster
apiVersion: launchpad.mirantis.com/mke/v1.6
kind: mke
metadata:
  name: toy # short
spec:
  hosts:
  - ssh:
      address: 10.77.1.1 # the manager
      user: lab
    role: manager
  - ssh:
      address: 10.77.1.11
      user: lab
      port: 22
    role: worker
  mcr:
    channel: 'stable-20.10'
  mke:
    version: 3.8.8
    installFlags:
    - --san=10.77.1.1
    adminUsername: admin
    adminPassword: s3cret-of-admin
"
    );
    for part in [
        "line 9, 12: `spec.hosts[0].user` is `spec.hosts[0].ssh.user` now",
        "warning: line 17: `spec.engine.installURL`: no script is run any more",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    assert!(!ran.stderr.contains(PASSWORD), "{}", ran.stderr);
    assert_eq!(ran.files().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_file_is_replaced_and_the_old_text_kept() {
    let ran = run(&nobody(), OLD, "migrate --write").await;

    assert_eq!((ran.status, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    let files = ran.files();
    let text = |name: &str| &files[&ran.home.path().join("work").join(name)];
    assert_eq!(text("launchpad.yaml.bak"), OLD);
    assert!(text("launchpad.yaml").contains("mke/v1.6"));
    assert_eq!(files.len(), 2);
    let mode = |name: &str| {
        let path = ran.home.path().join("work").join(name);
        path.metadata().unwrap().permissions().mode() & 0o777
    };
    assert_eq!(mode("launchpad.yaml"), mode("launchpad.yaml.bak"));

    let new = text("launchpad.yaml").clone();
    let again = run(&nobody(), &new, "migrate --write").await;
    assert_eq!(again.status, 0);
    assert!(again.stderr.contains("nothing to do"), "{}", again.stderr);
    assert_eq!(again.files().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_difference_is_shown() {
    let ran = run(&nobody(), OLD, "migrate --diff").await;

    assert_eq!(ran.status, 0, "{}", ran.stderr);
    for part in [
        "--- launchpad.yaml\n+++ launchpad.yaml (launchpad.mirantis.com/mke/v1.6)\n@@ ",
        "\n-apiVersion: launchpad.mirantis.com/v1beta1\n",
        "\n+apiVersion: launchpad.mirantis.com/mke/v1.6\n",
        "\n   name: toy # short\n",
    ] {
        let part = part.strip_prefix('\n').unwrap_or(part);
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
}

#[tokio::test(start_paused = true)]
async fn standard_input_is_migrated_but_not_replaced() {
    let ran = run(&nobody(), OLD, "migrate -c -").await;
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("mke/v1.6"));

    let ran = run(&nobody(), OLD, "migrate -c - --write").await;
    assert_eq!(ran.status, 2);
    assert!(
        ran.stderr.contains("`--write` replaces a file"),
        "{}",
        ran.stderr
    );
}

#[test]
fn where_nothing_can_be_written_the_old_file_stays_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("launchpad.yaml");
    std::fs::write(&file, OLD).unwrap();

    // No file may become larger than nothing: what a full disk is, too.
    let ran = std::process::Command::new("sh")
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 0; exec \"$0\" migrate --write",
        ])
        .arg(env!("CARGO_BIN_EXE_launchpad"))
        .current_dir(directory.path())
        .env("HOME", directory.path())
        .output()
        .unwrap();

    let stderr = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("cannot write"), "{stderr}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), OLD);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
}
