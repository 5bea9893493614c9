//! What is legal, and hurts: each is a warning, and none stops a run.

use config::Severity;

use crate::fake::{Machine, document, told};

/// Returns the warnings of a document that loads.
#[expect(clippy::unwrap_used, reason = "a test ends here")]
fn warnings(machine: &Machine, text: &str) -> Vec<String> {
    let loaded = machine.load(text).unwrap();
    let is_warning = |one: &config::Diagnostic| one.severity == Severity::Warning;
    assert!(loaded.warnings.iter().all(is_warning));
    told(&loaded.warnings.into())
}

fn with_managers(count: usize) -> String {
    let more: String = (1..count)
        .map(|index| format!("  - {{role: manager, ssh: {{address: m{index}}}}}\n"))
        .collect();
    document("", "", "", "").replace("  mcr:", &format!("{more}  mcr:"))
}

#[test]
fn an_even_number_of_managers() {
    let found = |count| warnings(&Machine::default(), &with_managers(count));

    assert_eq!(
        found(4),
        [
            "6: 4 managers survive no more failures than 3 | spec.hosts | \
             have an odd number of managers: 3 or 5"
        ]
    );
    assert_eq!(found(2).len(), 1);
    for odd in [1, 3, 5, 7] {
        assert!(found(odd).is_empty(), "{odd}");
    }
}

#[test]
fn a_private_key_that_others_may_read() {
    let key = |mode: u32, path: &str| {
        let machine = Machine::default()
            .mode("/work/keys/a", mode)
            .mode("/home/me/k", mode);
        let text = document("", "", "", "");
        let block = format!("{{address: a, keyPath: {path}}}");
        warnings(&machine, &text.replace("{address: 10.0.0.1}", &block))
    };

    assert_eq!(
        key(0o100_644, "./keys/../keys/a"),
        [""; 0],
        "another path than that of the fake machine"
    );
    assert_eq!(
        key(0o100_644, "./keys/a"),
        [
            "8: the private key `/work/keys/a` is open to everybody on this machine | \
             spec.hosts[0].ssh.keyPath | chmod 600 /work/keys/a"
        ]
    );
    assert_eq!(
        key(0o100_640, "~/k"),
        [
            "8: the private key `/home/me/k` is open to its group on this machine | \
             spec.hosts[0].ssh.keyPath | chmod 600 /home/me/k"
        ]
    );
    for fine in [0o100_600, 0o100_400] {
        assert!(key(fine, "~/k").is_empty(), "{fine:o}");
    }
}

#[test]
fn every_private_key_is_looked_at() {
    let machine = Machine::default()
        .file("/work/k", "k")
        .mode("/work/k", 0o100_644);
    let text = document(
        "",
        "",
        "caCertPath: k\ncertPath: k\nkeyPath: k",
        "msr: {version: 2.9.28, keyPath: k}",
    );
    let hosts = "  - {role: worker, openSSH: {address: b, keyPath: k}}\n  \
                 - {role: worker, winRM: {address: c, keyPath: k}}\n  \
                 - {role: worker, ssh: {address: d, bastion: {address: e, keyPath: k}}}\n  mcr:";

    let found = warnings(&machine, &text.replacen("  mcr:", hosts, 1));

    let paths: Vec<&str> = found
        .iter()
        .map(|one| one.split(" | ").nth(1).unwrap())
        .collect();
    assert_eq!(
        paths,
        [
            "spec.hosts[1].openSSH.keyPath",
            "spec.hosts[2].winRM.keyPath",
            "spec.hosts[3].ssh.bastion.keyPath",
            "spec.mke.keyPath",
            "spec.msr.keyPath"
        ]
    );
}

#[test]
fn a_password_in_the_file() {
    let machine = Machine::default().var("PW", "hunter2");
    let text = document(
        "environment: {DB_PASSWORD: hunter2, PATH: /x, TOKEN: $PW, SECRET: ''}",
        "",
        "adminUsername: a\nadminPassword: hunter2\ninstallFlags: [--san=x, '--swarm-secret hunter2', \
         --x-password=$$PW, --y-password=$PW, --z-token=$(cat /z)]",
        "msr: {version: 2.9.28, upgradeFlags: ['--ucp-password=hunter2']}",
    );
    let host = "  - {role: worker, winRM: {address: c, password: hunter2}}\n  mcr:";

    let found = warnings(&machine, &text.replacen("  mcr:", host, 1));

    let what = "a password stands in the file as plain text";
    let one = |line: usize, path: &str, variable: &str| {
        format!("{line}: {what} | {path} | write `${{{variable}}}`, and set the variable")
    };
    assert_eq!(
        found,
        [
            one(9, "spec.hosts[0].environment.DB_PASSWORD", "DB_PASSWORD"),
            one(10, "spec.hosts[1].winRM.password", "WINRM_PASSWORD"),
            one(16, "spec.mke.adminPassword", "MKE_ADMIN_PASSWORD"),
            one(17, "spec.mke.installFlags[1]", "SWARM_SECRET"),
            one(18, "spec.msr.upgradeFlags[0]", "UCP_PASSWORD"),
        ]
    );
    let printed = machine.findings(&text).to_string();
    assert!(!printed.contains("hunter2"), "{printed}");
}

#[test]
fn a_password_that_is_the_default_of_a_variable() {
    let machine = Machine::default().var("PW", "other").var("EMPTY", "");
    let text = document(
        "environment: {A_PASSWORD: '${PW:-hunter2}', B_PASSWORD: '${EMPTY-hunter2}', \
         C_PASSWORD: '${PW:-}', D_PASSWORD: '${NONE:-$PW}'}",
        "",
        "adminUsername: a\nadminPassword: ${NONE:-hunter2}\n\
         installFlags: ['--x-password=${NONE:-hunter2}', '--y-password=${NONE:-$PW}']",
        "",
    );

    let found = warnings(&machine, &text);

    let one = |line: usize, path: &str, variable: &str| {
        format!(
            "{line}: a password stands in the file as the default of a variable | {path} | \
             write `${{{variable}}}`, and set the variable"
        )
    };
    assert_eq!(
        found,
        [
            one(9, "spec.hosts[0].environment.A_PASSWORD", "A_PASSWORD"),
            one(9, "spec.hosts[0].environment.B_PASSWORD", "B_PASSWORD"),
            one(15, "spec.mke.adminPassword", "MKE_ADMIN_PASSWORD"),
            one(16, "spec.mke.installFlags[0]", "X_PASSWORD"),
        ]
    );
}

#[test]
fn a_version_that_is_no_release() {
    let text = document("", "", "", "").replace("3.8.10", "3.8");

    assert_eq!(
        warnings(&Machine::default(), &text),
        [
            "12: `3.8` names no release: those have three numbers | spec.mke.version | \
             set the version, as in `3.8.10`"
        ]
    );
}

#[test]
fn a_channel_without_a_version() {
    let text = document("", "", "", "").replace("stable-25.0", "stable");

    assert_eq!(
        warnings(&Machine::default(), &text),
        [
            "10: the channel `stable` names no version: hosts that come later get another engine | \
             spec.mcr.channel | name the version, as in `stable-25.0`"
        ]
    );
}

#[test]
fn something_left_to_do() {
    let text = document(
        "# TODO: the user\nsudodocker: no # todo",
        "#TODO",
        "# TODOS are fine",
        "",
    );

    let found = warnings(&Machine::default(), &text);

    let hint = "do it, and remove the comment";
    assert_eq!(
        found,
        [
            format!("9: to do: the user | - | {hint}"),
            format!("13: something is still to be done here | - | {hint}")
        ]
    );
}

#[test]
fn warnings_are_told_beside_errors_and_behind_them() {
    let text = with_managers(2).replace("3.8.10", "latest");

    let found = Machine::default().findings(&text);

    let severities: Vec<Severity> = found.items.iter().map(|one| one.severity).collect();
    assert_eq!(severities, [Severity::Error, Severity::Warning], "{found}");
    assert!(found.has_errors() && found.count(Severity::Warning) == 1);
}

#[test]
fn warnings_never_crowd_out_errors() {
    let hosts: String = (0..30)
        .map(|index| format!("  - {{role: worker, winRM: {{address: w{index}, password: x}}}}\n"))
        .collect();
    let text = document("", "", "", "x: 1").replacen("  mcr:", &format!("{hosts}  mcr:"), 1);

    let found = Machine::default().findings(&text);

    assert!(
        found
            .to_string()
            .starts_with("error[LP-C0032]: unknown key `x`"),
        "{found}"
    );
    assert!(
        found
            .to_string()
            .contains("= also in lines 12, 13, 14, 15 and 23 more"),
        "{found}"
    );
}
