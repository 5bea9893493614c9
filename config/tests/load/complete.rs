//! A document with every key there is.

use config::{Code, Connection, HookPair, ReplicaIds, Role, Secrets, Ssh};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::fake::{Machine, told};

const COMPLETE: &str = include_str!("complete.yaml");

fn machine() -> Machine {
    Machine::default()
        .var("WINPW", "w: #1")
        .var("MKE_PW", "p: '#\"x")
        .file("/work/mke.lic", "the license")
        .file("/work/mke.toml", "[auth]")
        .file("/home/me/ca.pem", "CA")
        .file("/home/me/cert.pem", "CERT")
        .file("/home/me/key.pem", "KEY")
        .file("/work/azure.json", "{}")
}

fn shown(secret: Option<&SecretString>) -> &str {
    secret.map_or("", |secret| secret.expose_secret())
}

#[test]
fn reads_every_key_of_a_host() {
    let config = machine().config(COMPLETE);

    let manager = &config.hosts[0];
    assert_eq!(
        (manager.role, manager.address()),
        (Role::Manager, "10.1.0.11")
    );
    let Connection::Ssh(ssh) = &manager.connection else {
        panic!("{manager:?}")
    };
    assert_eq!(ssh.key_path.as_deref(), Some("/home/me/.ssh/ops".as_ref()));
    assert_eq!((ssh.port, ssh.user.as_deref()), (Some(22), Some("ops")));
    let bastion = Ssh {
        address: "jump.example.net".to_owned(),
        port: None,
        user: Some("ops".to_owned()),
        key_path: None,
        host_key: None,
        bastion: None,
    };
    assert_eq!(ssh.bastion.as_deref(), Some(&bastion));
    assert_eq!(manager.private_interface.as_deref(), Some("ens5"));
    assert_eq!(manager.swarm_address.as_deref(), Some("10.1.0.11"));
    assert_eq!(manager.mcr_config["debug"], json!(true));
    assert_eq!(
        manager.mcr_config["log-opts"],
        json!({"max-size": "10m", "max-file": 3})
    );
    assert_eq!(
        manager.environment["HTTPS_PROXY"],
        "http://proxy.example.net:3128"
    );
    assert_eq!(manager.environment["VERSION"], "3.10");
    let apply = HookPair {
        before: vec!["uptime".to_owned()],
        after: vec!["docker ps -q".to_owned()],
    };
    assert_eq!(manager.hooks.apply, apply);
    assert_eq!(manager.hooks.reset.after, ["rm -rf /opt/demo"]);
    assert_eq!(manager.image_dir.as_deref(), Some("./images".as_ref()));
    assert!(manager.sudodocker && !manager.sudooverride && manager.mcrupgradeskip);
}

#[test]
fn reads_every_kind_of_connection() {
    let config = machine().config(COMPLETE);

    let Connection::WinRm(win_rm) = &config.hosts[1].connection else {
        panic!()
    };
    assert_eq!(shown(win_rm.password.as_ref()), "w: #1");
    assert_eq!(
        (win_rm.port, win_rm.use_https, win_rm.insecure),
        (5986, true, true)
    );
    let Connection::OpenSsh(open_ssh) = &config.hosts[2].connection else {
        panic!()
    };
    assert_eq!(open_ssh.options["StrictHostKeyChecking"], ["yes"]);
    assert_eq!(open_ssh.options["ConnectTimeout"], ["10"]);
    assert_eq!(
        open_ssh.options["Ciphers"],
        ["aes128-gcm@openssh.com", "aes256-ctr"]
    );
    assert!(open_ssh.disable_multiplexing);
    assert!(matches!(
        config.hosts[3].connection,
        Connection::Localhost(_)
    ));
    assert_eq!(config.host_names()[3], "localhost");
    assert_eq!(config.hosts[3].path(), "spec.hosts[3]");
}

#[test]
fn reads_every_key_of_the_products() {
    let loaded = machine().load(COMPLETE).unwrap();

    let config = loaded.config;
    assert_eq!(
        (config.name.as_str(), config.kind.as_str()),
        ("prod-east", "mke+msr")
    );
    let mcr = &config.mcr;
    assert_eq!(mcr.channel, "stable-25.0");
    assert!(mcr.prune && mcr.license.is_none());
    assert_eq!(
        mcr.swarm_install_flags.value("--default-addr-pool"),
        Some("172.30.0.0/16")
    );
    assert_eq!(
        mcr.swarm_update_commands,
        ["swarm update --cert-expiry 720h"]
    );
    let mke = &config.mke;
    assert_eq!(mke.version.as_str(), "3.8.10");
    assert_eq!(mke.bootstrap_image(), "docker.io/mirantis/ucp:3.8.10");
    assert!(!mke.has_custom_repo());
    assert_eq!(mke.admin_username.as_deref(), Some("admin"));
    assert_eq!(shown(mke.admin_password.as_ref()), "p: '#\"x");
    assert_eq!(mke.install_flags.shell_words().len(), 3);
    assert!(mke.upgrade_flags.has("--manual-worker-upgrade"));
    assert_eq!(shown(mke.license.as_ref()), "the license");
    assert_eq!(shown(mke.config_data.as_ref()), "[auth]");
    assert_eq!(
        mke.certificates.as_ref().unwrap().key.expose_secret(),
        "KEY"
    );
    assert_eq!(
        shown(mke.cloud.as_ref().unwrap().config_data.as_ref()),
        "{}"
    );
    assert_eq!((mke.nodes_health_retry, mke.controller_port()), (3, 8443));
    let msr = config.msr.as_ref().unwrap();
    assert_eq!(msr.bootstrap_image(), "docker.io/mirantis/dtr:2.9.28");
    assert_eq!(msr.replica_ids, ReplicaIds::Sequential);
    assert_eq!(shown(msr.certificates.ca.data.as_ref()), "CA");
    assert!(config.cluster.prune);
    assert_eq!(config.mke_url(), "https://mke.example.net:8443/");
    assert_eq!(config.msr_url().as_deref(), Some("https://msr1:4443/"));
    assert_eq!(
        told(&loaded.warnings.into()),
        [
            "17: a password stands in the file as plain text | \
             spec.hosts[0].environment.API_TOKEN | write `${API_TOKEN}`, and set the variable",
            "45: `additionalRuntimes` has no effect | spec.mcr.additionalRuntimes | remove it",
            "46: `defaultRuntime` has no effect | spec.mcr.defaultRuntime | remove it",
            "47: `installScriptRemoteDirLinux` has no effect | \
             spec.mcr.installScriptRemoteDirLinux | remove it",
            "48: `forceUpgrade` has no effect | spec.mcr.forceUpgrade | remove it",
            "69: a password stands in the file as plain text | spec.msr.installFlags[2] | \
             write `${UCP_PASSWORD}`, and set the variable",
        ]
    );
}

#[test]
fn prints_what_it_reads_again() {
    let config = machine().config(COMPLETE);

    let shown = config.to_yaml(Secrets::Shown);
    let again = machine().config(&shown);

    assert_eq!(again.to_yaml(Secrets::Shown), shown);
    assert!(shown.contains("password: \"w: #1\""), "{shown}");
    assert!(
        shown.contains("licenseFilePath: ./mke.lic # 11 bytes"),
        "{shown}"
    );
}

#[test]
fn prints_no_secret_unless_asked() {
    let config = machine().config(COMPLETE);

    let masked = config.to_yaml(Secrets::Masked);
    let debug = format!("{config:?}");

    for secret in [
        "w: #1",
        "p: '#",
        "the license",
        "[auth]",
        "CERT\n",
        "hunter2",
    ] {
        assert!(!masked.contains(secret), "{secret}\n{masked}");
        assert!(!debug.contains(secret), "{secret}\n{debug}");
    }
    assert!(masked.contains("adminPassword: \"[REDACTED]\""), "{masked}");
    assert!(masked.contains("--ucp-password=[REDACTED]"), "{masked}");
    assert!(
        masked.contains("configFile: mke.toml # 6 bytes\n"),
        "{masked}"
    );
    assert!(!masked.contains("configData"), "{masked}");
}

#[test]
fn knows_where_every_path_stands() {
    let config = machine().config(COMPLETE);

    for (path, line, column) in [
        ("spec.hosts[1].role", 26, 11),
        ("spec.hosts[1]", 26, 5),
        ("spec.hosts[1].winRM", 27, 5),
        ("spec.hosts[0].ssh.bastion.address", 10, 26),
        ("spec.mke.installFlags[1]", 56, 7),
        ("spec.mke.nothing.there", 50, 3),
        ("spec.hosts[9]", 6, 3),
    ] {
        let position = config.position(path).unwrap();
        assert_eq!((position.line, position.column), (line, column), "{path}");
    }
    assert_eq!(config.position("nothing"), None);
    let problem = config.problem_at(
        Code::NotYet,
        "spec.hosts[1].winRM",
        "cannot do this yet".to_owned(),
    );
    assert_eq!(
        problem.to_string(),
        "error[LP-C0075]: cannot do this yet\n  --> launchpad.yaml:27:5\n   |\n27 |     winRM: {address: \
         10.1.0.30, user: Administrator, password: [REDACTED],\n   |     ^^^^^\n   = path: \
         spec.hosts[1].winRM"
    );
}
