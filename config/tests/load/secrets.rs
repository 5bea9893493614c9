//! No message and no debug output shows a secret, whatever else is wrong.

use config::{Code, Secrets};

use serde_json::json;

use crate::fake::{Machine, document};

/// Loads a document, and looks for the secret in all that could be printed.
fn leaks(machine: &Machine, text: &str) -> bool {
    let printed = match machine.load(text) {
        Ok(loaded) => format!(
            "{:?} {:?} {}",
            loaded.config,
            loaded.warnings,
            loaded.config.to_yaml(Secrets::Masked)
        ),
        Err(problems) => format!("{problems} {problems:?} {}", json!(problems.items)),
    };
    printed.contains("hunter")
}

#[test]
fn no_problem_shows_a_secret() {
    let machine = Machine::default()
        .var("PW", "hunter2")
        .file("/work/f", "hunter2");
    for (host, mcr, mke) in [
        ("", "", "adminPassword: [hunter2]"),
        ("", "", "adminPassword: {hunter1: hunter2}"),
        ("", "", "adminPassword:\n  hunter1:\n  - hunter2"),
        ("", "", "adminPasword: hunter2"),
        ("", "", "adminPassword: hunter2\nadminPassword: hunter3"),
        ("", "", "adminPassword: hunter2: x"),
        ("", "", "adminPassword: x\n? [hunter1]\n: hunter2"),
        ("", "", "<<: hunter2"),
        (
            "",
            "",
            "cloud: {x: y, configData: x, <<: {configData: hunter2}, provider: z}",
        ),
        ("", "", "adminPassword: \"hunter2"),
        ("", "", "adminPassword: |\n  hunter2\n x: y: z"),
        ("", "", "adminPassword: *hunter2x"),
        ("", "", "cloud: {configData: hunter2, provider: [x], y: 1}"),
        ("", "", "keyData: |\n  -----BEGIN\n  hunter2\nx: 1"),
        ("", "", "nodesHealthRetry: {adminPassword: hunter2}"),
        ("", "", "nodesHealthRetry: x # adminPassword: hunter2"),
        (
            "",
            "",
            "installFlags: [--admin-password=hunter2, x=1, --san=']",
        ),
        ("", "", "installFlags: ['--admin-password hunter2', {a: b}]"),
        ("", "", "installFlags: [--admin-password, hunter2, {a: b}]"),
        (
            "",
            "",
            "installFlags: ['--debug --admin-password hunter2', [x]]",
        ),
        ("", "", "installFlags: [\"--admin-password='hunter2\"]"),
        ("", "", "installFlags: --admin-password=hunter2"),
        ("", "", "version: ${PW}"),
        ("", "", "nodesHealthRetry: $PW"),
        ("", "", "licenseFilePath: /${PW}"),
        (
            "",
            "",
            "installFlags: [--pod-cidr=$PW, --controller-port=$PW]",
        ),
        ("", "license: {x: hunter2}", ""),
        ("", "license: hunter2\nprune: 3", ""),
        ("", "repoURL: 'https://a:hunter2@b c'", ""),
        ("", "channel: x\nlicense: hunter2", ""),
        ("environment: {API_KEY: hunter2, x y: 1}", "", ""),
        ("environment: {PASSWORD: [hunter3], x y: 1}", "", ""),
        ("environment: {A: \"${B:-hunter2}\", x y: 1}", "", ""),
        ("environment: {A: \"http://u:hunter2@b\", x y: 1}", "", ""),
        (
            "hooks: {apply: {before: [\"x --password hunter2\", [1]]}}",
            "",
            "",
        ),
        ("sudodocker: $PW", "", ""),
        ("winRM: {address: a_b, password: hunter2, port: x}", "", ""),
        ("winRM: {password: hunter2}", "", ""),
        ("mcrConfig: {token: hunter2, token: 2}", "", ""),
    ] {
        let text = document(host, mcr, mke, "");
        assert!(machine.load(&text).is_err(), "{text}");
        let problems = machine.problems(&text);
        assert!(!leaks(&machine, &text), "{text}\n{problems}");
    }
}

#[test]
fn no_configuration_shows_a_secret() {
    let machine = Machine::default()
        .var("PW", "hunter2")
        .file("/work/f", "hunter2");
    let text = document(
        "environment: {TOKEN: hunter2, A: $PW, B: 'http://u:hunter2@b'}\n\
         hooks: {apply: {before: ['x --password=hunter2', 'y $PW']}}\n\
         mcrConfig: {log-opts: {splunk-token: hunter2, url: 'https://u:hunter2@x'}}",
        "license: hunter2\nswarmUpdateCommands: ['login -p $PW']\nrepoURL: https://u:hunter2@b",
        "adminUsername: a\nupgradeFlags: ['--admin-password=hunter2', --x-secret=hunter2]\n\
         installFlags: ['--y-token hunter2']\nconfigData: hunter2\nlicenseFilePath: f\n\
         caCertData: hunter2\ncertPath: f\nkeyPath: f\ncloud: {provider: azure, configFile: f}",
        "msr: {version: 2.9.28, installFlags: [--ucp-password=hunter2, --dtr-key hunter2]}",
    );
    let config = machine.config(&text);

    assert!(
        !leaks(&machine, &text),
        "{}",
        config.to_yaml(Secrets::Masked)
    );
    for path in [
        "spec.mcr",
        "spec.mcr.license",
        "spec.mke.upgradeFlags[0]",
        "spec.hosts[0].hooks",
    ] {
        let problem = config.problem_at(Code::NotYet, path, "m".to_owned());
        assert!(!problem.to_string().contains("hunter"), "{problem}");
    }
    assert!(config.to_yaml(Secrets::Shown).contains("license: hunter2"));
}
