//! Files: `sftp`, `scp` in both protocols, `rsync`, `ssh-copy-id`.

use std::process::Command;

use crate::house::{House, Plan, run};

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 % 251) as u8).collect()
}

#[test]
fn a_batch_of_sftp_does_what_it_says() {
    let house = House::open();
    let content = bytes(3_000_000);
    std::fs::write(house.path("big"), &content).unwrap();
    let local = house.path("").display().to_string();
    let batch = format!(
        "mkdir work\nput {local}big work/big\nchmod 640 work/big\nrename work/big work/large\n\
         ln -s large work/link\nls -l work\nget work/link {local}back\nls -1 /etc/ssh\n\
         rm work/link\nrm work/large\nrmdir work\ndf\npwd\n"
    );
    std::fs::write(house.path("batch"), batch).unwrap();
    let mut command = house.client("sftp");
    command.arg("-b").arg(house.path("batch")).arg("m1");

    let answer = run(command, b"");

    assert_eq!(answer.status, Some(0), "{answer:?}");
    let is_listed = |line: &str| {
        line.starts_with("-rw-r-----") && line.contains(" 3000000 ") && line.ends_with("large")
    };
    assert!(answer.out.lines().any(is_listed), "{answer:?}");
    assert!(
        answer.out.contains("/etc/ssh/ssh_host_ed25519_key.pub"),
        "{answer:?}"
    );
    assert!(
        answer
            .out
            .contains("Remote working directory: /home/ubuntu"),
        "{answer:?}"
    );
    assert!(std::fs::read(house.path("back")).unwrap() == content);
}

#[test]
fn hosts_of_all_families_take_files_and_restart_their_server() {
    for (os, unit) in [
        ("rocky-9", "sshd"),
        ("sles-15.5", "sshd"),
        ("ubuntu-24.04", "ssh"),
    ] {
        let house = House::with(Plan {
            os,
            ..Plan::default()
        });
        std::fs::write(house.path("here"), "content").unwrap();
        for protocol in ["-s", "-O"] {
            let mut scp = house.client("scp");
            scp.arg(protocol).arg(house.path("here")).arg("m1:there");
            let answer = run(scp, b"");
            assert_eq!(answer.status, Some(0), "{os} {protocol}: {answer:?}");
        }
        assert_eq!(house.as_root(&format!("systemctl stop {unit}")), 0, "{os}");
        house.until("the door is closed", || {
            std::net::TcpStream::connect(house.address()).is_err()
        });
        assert_eq!(house.as_root(&format!("systemctl start {unit}")), 0, "{os}");
        house.until("the door is open", || {
            std::net::TcpStream::connect(house.address()).is_ok()
        });

        let answer = house.ssh(&["m1", "cat there"]);

        assert_eq!(answer.out, "content", "{os}: {answer:?}");
    }
}

#[test]
fn sftp_says_no_as_the_file_system_does() {
    let house = House::open();
    let refused = |command: &str| {
        std::fs::write(house.path("batch"), command).unwrap();
        let mut sftp = house.client("sftp");
        sftp.arg("-b").arg(house.path("batch")).arg("m1");
        let answer = run(sftp, b"");
        assert_eq!(answer.status, Some(1), "{answer:?}");
        answer.err
    };

    assert!(refused("ls /root\n").contains("Permission denied"));
    assert!(refused("rm /etc/passwd\n").contains("Permission denied"));
    assert!(refused("get nothing\n").contains("not found"));
    assert!(refused("mkdir /tmp\n").contains("Failure"));
}

#[test]
fn both_protocols_of_scp_copy_trees_with_modes_and_times() {
    let house = House::open();
    for protocol in ["-s", "-O"] {
        let tree = house.path("tree");
        std::fs::create_dir_all(tree.join("below")).unwrap();
        std::fs::write(tree.join("one"), bytes(100_000)).unwrap();
        std::fs::write(tree.join("below/two"), b"two").unwrap();
        let mut touch = Command::new("touch");
        touch.args(["-d", "@1700000000"]).arg(tree.join("one"));
        assert!(touch.status().unwrap().success());
        let mut chmod = Command::new("chmod");
        assert!(
            chmod
                .arg("750")
                .arg(tree.join("one"))
                .status()
                .unwrap()
                .success()
        );

        let mut up = house.client("scp");
        up.args([protocol, "-rp"]).arg(&tree).arg("m1:copied");
        let up = run(up, b"");
        let seen = house.ssh(&["m1", "stat -c '%a %Y %s' copied/one; cat copied/below/two"]);
        let mut down = house.client("scp");
        down.args([protocol, "-rp", "m1:copied"])
            .arg(house.path("down"));
        let down = run(down, b"");

        assert_eq!(
            (up.status, down.status),
            (Some(0), Some(0)),
            "{protocol} {up:?} {down:?}"
        );
        assert_eq!(
            seen.out, "750 1700000000 100000\ntwo",
            "{protocol} {seen:?}"
        );
        assert!(std::fs::read(house.path("down/one")).unwrap() == bytes(100_000));
        std::fs::remove_dir_all(house.path("down")).unwrap();
        assert_eq!(house.as_root("rm -r /home/ubuntu/copied"), 0);
    }
}

#[test]
fn a_copy_that_is_refused_says_why() {
    let house = House::open();
    std::fs::write(house.path("file"), "x").unwrap();
    for protocol in ["-s", "-O"] {
        let mut command = house.client("scp");
        command
            .arg(protocol)
            .arg(house.path("file"))
            .arg("m1:/etc/file");

        let answer = run(command, b"");

        assert_eq!(answer.status, Some(1), "{answer:?}");
        assert!(
            answer.err.contains("ermission denied"),
            "{protocol} {answer:?}"
        );
    }
}

#[test]
fn a_key_that_is_copied_gets_in() {
    let house = House::open();
    let mut keygen = Command::new("ssh-keygen");
    keygen
        .args(["-q", "-t", "ecdsa", "-N", "", "-f"])
        .arg(house.path("new"));
    assert!(keygen.status().unwrap().success());
    std::fs::create_dir(house.path(".ssh")).unwrap();
    let mut command = Command::new("ssh-copy-id");
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", house.path(""));
    command.arg("-f").arg("-i").arg(house.path("new.pub"));
    for option in ["IdentityFile", "UserKnownHostsFile"] {
        let file = if option == "IdentityFile" {
            "id"
        } else {
            "known_hosts"
        };
        command
            .arg("-o")
            .arg(format!("{option}={}", house.path(file).display()));
    }
    let address = house.address();
    command.args(["-o", "HostKeyAlias=m1", "-o", "IdentityAgent=none"]);
    command.arg("-p").arg(address.port().to_string());
    command.arg(format!("ubuntu@{}", address.ip()));

    let copied = run(command, b"");
    let login = house.ssh(&[
        "-o",
        &format!("IdentityFile={}", house.path("new").display()),
        "m1",
        "true",
    ]);

    assert_eq!(copied.status, Some(0), "{copied:?}");
    assert_eq!(login.status, Some(0), "{login:?}");
    assert_eq!(
        house
            .text("/home/ubuntu/.ssh/authorized_keys")
            .unwrap()
            .lines()
            .count(),
        2
    );
}

#[test]
fn rsync_is_told_that_the_host_has_none() {
    let house = House::open();

    // What `rsync` runs on the other side.
    let answer = house.ssh(&["m1", "rsync --server -e.LsfxCIvu . /tmp"]);

    assert_eq!(answer.status, Some(127), "{answer:?}");
    assert!(answer.err.contains("command not found"), "{answer:?}");
}

#[test]
fn an_archive_keeps_its_modes_where_it_is_asked_to() {
    let house = House::open();

    let script = "umask 022; cd /tmp; echo > f; chmod 664 f; tar -cf t f; tar -xf t; stat -c %a f; \
                  tar -xpf t; stat -c %a f";
    let answer = house.ssh(&["m1", script]);

    assert_eq!(answer.out, "644\n664\n", "{answer:?}");
}
