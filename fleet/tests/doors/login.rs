//! Who gets in.

use std::process::Command;

use fleet::HostId;

use crate::house::{House, Plan, run};

#[test]
fn a_key_that_is_not_listed_does_not_get_in() {
    let house = House::open();
    assert_eq!(house.as_root("rm /home/ubuntu/.ssh/authorized_keys"), 0);

    let answer = house.ssh(&["m1", "true"]);

    assert_eq!(answer.status, Some(255));
    assert!(
        answer
            .err
            .contains("Permission denied (publickey,password)"),
        "{}",
        answer.err
    );
}

#[test]
fn a_key_in_a_file_that_others_may_write_to_does_not_count() {
    let house = House::open();
    assert_eq!(
        house.as_root("chmod 666 /home/ubuntu/.ssh/authorized_keys"),
        0
    );

    assert_eq!(house.ssh(&["m1", "true"]).status, Some(255));

    assert_eq!(
        house.as_root("chmod 600 /home/ubuntu/.ssh/authorized_keys"),
        0
    );
    assert_eq!(house.ssh(&["m1", "true"]).status, Some(0));
}

#[test]
fn a_password_gets_in_and_a_wrong_one_does_not() {
    let house = House::open();
    house.fleet.set_password(HostId(0), "open sesame").unwrap();
    let with = |password: &str, method: &str| {
        let script = house.path("askpass");
        std::fs::write(&script, format!("#!/bin/sh\necho '{password}'\n")).unwrap();
        make_executable(&script);
        let mut command = house.client("ssh");
        command
            .env("SSH_ASKPASS", &script)
            .env("SSH_ASKPASS_REQUIRE", "force");
        command.args(["-o", "BatchMode=no", "-o", "PubkeyAuthentication=no"]);
        command.args(["-o", "NumberOfPasswordPrompts=1"]);
        command
            .arg("-o")
            .arg(format!("PreferredAuthentications={method}"));
        command.args(["m1", "id -un"]);
        run(command, b"")
    };

    assert_eq!(with("open sesame", "password").out, "ubuntu\n");
    assert_eq!(with("open barley", "password").status, Some(255));
}

#[test]
fn a_password_gets_in_where_the_server_asks_for_it_the_second_time_too() {
    let house = House::with(Plan::with_sshd(
        "KbdInteractiveAuthentication yes\nPasswordAuthentication no\n",
    ));
    house.fleet.set_password(HostId(0), "sesame").unwrap();
    let (script, asked) = (house.path("askpass"), house.path("asked"));
    let text = "#!/bin/sh\n[ -e \"$ASKED\" ] && echo sesame || echo barley\necho >> \"$ASKED\"\n";
    std::fs::write(&script, text).unwrap();
    make_executable(&script);
    let login = |prompts: &str| {
        let mut command = house.client("ssh");
        command
            .env("SSH_ASKPASS", &script)
            .env("SSH_ASKPASS_REQUIRE", "force")
            .env("ASKED", &asked);
        command.args(["-o", "BatchMode=no", "-o", "PubkeyAuthentication=no"]);
        command.args(["-o", prompts, "m1", "id -un"]);
        run(command, b"")
    };

    let first = login("NumberOfPasswordPrompts=1");
    std::fs::remove_file(&asked).unwrap();
    let second = login("NumberOfPasswordPrompts=2");

    assert_eq!((first.status, first.out.as_str()), (Some(255), ""));
    assert_eq!(second.out, "ubuntu\n", "{}", second.err);
}

#[test]
fn a_certificate_of_an_authority_that_the_host_trusts_gets_in() {
    let house = House::open();
    let key = |name: &str| {
        let mut command = Command::new("ssh-keygen");
        command
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(house.path(name));
        assert!(command.status().unwrap().success());
    };
    key("authority");
    key("user");
    let sign = |principal: &str| {
        let mut command = Command::new("ssh-keygen");
        command.args([
            "-q",
            "-I",
            "user",
            "-n",
            principal,
            "-V",
            "20260101:20460101",
            "-s",
        ]);
        command
            .arg(house.path("authority"))
            .arg(house.path("user.pub"));
        assert!(command.status().unwrap().success());
    };
    let public = std::fs::read_to_string(house.path("authority.pub")).unwrap();
    let script = format!(
        "echo '{}' > /etc/ssh/authority.pub && \
         echo 'TrustedUserCAKeys /etc/ssh/authority.pub' > /etc/ssh/sshd_config.d/1.conf && \
         rm /home/ubuntu/.ssh/authorized_keys && systemctl restart ssh",
        public.trim()
    );
    assert_eq!(house.as_root(&script), 0);
    house.until("the server listens again", || {
        std::net::TcpStream::connect(house.address()).is_ok()
    });
    let identity = house.path("user").display().to_string();
    let login = || house.ssh(&["-o", &format!("IdentityFile={identity}"), "m1", "id -un"]);

    sign("somebody");
    assert_eq!(login().status, Some(255));

    sign("ubuntu");
    house.until("it gets in", || login().out == "ubuntu\n");
}

#[test]
fn the_keys_of_a_host_are_those_in_its_files_and_an_authority_signs_them() {
    let house = House::with(Plan {
        has_certificates: true,
        ..Plan::with_sshd("HostCertificate /etc/ssh/ssh_host_ed25519_key-cert.pub\n")
    });
    let mut command = Command::new("ssh-keyscan");
    let address = house.address();
    command.arg("-p").arg(address.port().to_string());
    command.args(["-t", "ed25519,ecdsa", &address.ip().to_string()]);
    let scanned = run(command, b"");
    let keys: Vec<String> = ["ed25519", "ecdsa"]
        .iter()
        .filter_map(|kind| house.text(&format!("/etc/ssh/ssh_host_{kind}_key.pub")))
        .collect();

    assert_eq!(keys.len(), 2);
    for key in keys {
        let words: Vec<&str> = key.split(' ').take(2).collect();
        assert!(scanned.out.contains(&words.join(" ")), "{scanned:?}");
    }

    let authority = fleet::door::authority_of(5).unwrap();
    let line = format!(
        "@cert-authority m1 {}\n",
        authority.public_key().to_openssh().unwrap()
    );
    std::fs::write(house.path("known_hosts"), line).unwrap();
    let answer = house.ssh(&[
        "-o",
        "HostKeyAlgorithms=ssh-ed25519-cert-v01@openssh.com",
        "m1",
        "echo in",
    ]);
    assert_eq!(answer.out, "in\n", "{}", answer.err);
}

#[test]
fn a_key_may_run_the_command_that_its_line_names_and_no_other() {
    let house = House::open();
    let script = "sed -i 's/^/command=\"echo forced: $SSH_ORIGINAL_COMMAND\",no-port-forwarding /' \
                  /home/ubuntu/.ssh/authorized_keys";
    assert_eq!(house.as_root(script), 0);

    let answer = house.ssh(&["m1", "id"]);

    assert_eq!(answer.out, "forced: id\n", "{}", answer.err);
}

#[test]
fn a_banner_is_shown_and_algorithms_are_those_of_the_configuration() {
    let house = House::with(Plan::with_sshd(
        "Banner /etc/os-release\nCiphers aes256-gcm@openssh.com\n",
    ));

    let answer = house.ssh(&["m1", "true"]);
    let refused = house.ssh(&["-o", "Ciphers=aes128-ctr", "m1", "true"]);

    assert!(answer.err.contains("PRETTY_NAME="), "{}", answer.err);
    assert!(
        refused.err.contains("Their offer: aes256-gcm@openssh.com"),
        "{}",
        refused.err
    );
}

fn make_executable(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}
