//! Commands: their streams, their ends.

use std::process::Stdio;

use fleet::HostId;

use crate::house::{House, Plan, finish, run};

#[test]
fn a_command_says_what_it_says_where_it_says_it_and_how_it_ended() {
    let house = House::open();

    let answer = house.ssh(&["m1", "echo out; echo err >&2; exit 7"]);

    assert_eq!(answer.out, "out\n", "{}", answer.err);
    assert_eq!(answer.err, "err\n");
    assert_eq!(answer.status, Some(7));
}

#[test]
fn bytes_go_in_and_come_out_as_they_are() {
    let house = House::open();
    // More than two windows of the client, which are 2 MiB.
    let input: Vec<u8> = (0..5_000_000_u32)
        .map(|one| b"0123456789abcdef\n"[one as usize % 17])
        .collect();

    let mut command = house.client("ssh");
    command.args(["m1", "cat > /tmp/all; cat /tmp/all; wc -c < /tmp/all >&2"]);
    let answer = run(command, &input);

    assert!(
        answer.out.as_bytes() == input,
        "{} bytes, {}",
        answer.out.len(),
        answer.err
    );
    assert_eq!(answer.err, "5000000\n");
}

#[test]
fn a_command_that_a_signal_has_ended_has_no_status() {
    let house = House::open();

    let answer = house.ssh(&["-v", "m1", "kill -TERM $$"]);

    assert_eq!(answer.status, Some(255));
    assert!(answer.err.contains("exit-signal"), "{}", answer.err);
}

#[test]
fn variables_are_taken_where_the_server_accepts_them() {
    let house = House::with(Plan::with_sshd("AcceptEnv LC_* WORD\n"));
    let mut command = house.client("ssh");
    command.env("LC_WORD", "in").env("OTHER", "out");
    command.args(["-o", "SendEnv=LC_WORD OTHER", "m1"]);
    command.arg("echo \"$LC_WORD $OTHER.\"; echo ${SSH_CONNECTION##* }");

    let answer = run(command, b"");

    assert_eq!(answer.out, "in .\n22\n", "{}", answer.err);
}

#[test]
fn what_runs_in_the_background_lives_on_and_what_reads_sees_the_end() {
    let house = House::open();
    let mut command = house.client("ssh");
    let script = "(trap '' HUP; sleep 0.3; echo late > /tmp/late) >/dev/null 2>&1 </dev/null & cat; \
                  echo over > /tmp/over";
    command.args(["m1", script]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let has_come = || {
        house.fleet.world(|world| {
            world
                .traffic
                .get(&HostId(0))
                .is_some_and(|one| one.commands == 1)
        })
    };
    house.until("the command was sent", has_come);

    child.kill().unwrap();
    finish(child);

    house.until("both have ended", || {
        house.text("/tmp/late").as_deref() == Some("late\n")
            && house.text("/tmp/over").as_deref() == Some("over\n")
    });
}

#[test]
fn tar_goes_through_a_connection() {
    let house = House::open();
    std::fs::create_dir(house.path("tree")).unwrap();
    std::fs::write(house.path("tree/one"), "1").unwrap();
    let mut tar = std::process::Command::new("tar");
    let made = tar
        .arg("-C")
        .arg(house.path("tree"))
        .args(["-cf", "-", "one"])
        .output()
        .unwrap();

    let mut command = house.client("ssh");
    command.args([
        "m1",
        "mkdir /tmp/tree && tar -xf - -C /tmp/tree && cat /tmp/tree/one",
    ]);
    let answer = run(command, &made.stdout);

    assert_eq!(
        (answer.out.as_str(), answer.status),
        ("1", Some(0)),
        "{}",
        answer.err
    );
}

#[test]
fn a_script_on_the_input_of_a_shell_is_run() {
    let house = House::open();
    let mut command = house.client("ssh");
    command.args(["-T", "m1"]);

    let answer = run(command, b"echo $0\nfalse || exit 5\n");

    assert_eq!(
        (answer.out.as_str(), answer.status),
        ("-bash\n", Some(5)),
        "{}",
        answer.err
    );
}

#[test]
fn what_is_sent_comes_back_however_much_it_is() {
    let house = House::with(Plan {
        hosts: 2,
        ..Plan::default()
    });
    let input = vec![b'y'; 12_000_000];
    for arguments in [&["m1", "cat"][..], &["-J", "m1", "m2", "cat"]] {
        let mut command = house.client("ssh");
        command.args(arguments);

        let answer = run(command, &input);

        assert!(
            answer.out.as_bytes() == input,
            "{} bytes, {}",
            answer.out.len(),
            answer.err
        );
    }
}

#[test]
fn one_connection_has_as_many_commands_one_after_the_other_as_somebody_likes() {
    let house = House::open();
    let socket = house.path("mux").display().to_string();
    let master = house.ssh(&["-fNM", "-S", &socket, "-o", "ControlPersist=yes", "m1"]);
    assert_eq!(master.status, Some(0), "{master:?}");

    for number in 0..25 {
        let answer = house.ssh(&["-S", &socket, "m1", &format!("echo {number}")]);

        assert_eq!(answer.out, format!("{number}\n"), "{answer:?}");
    }

    let traffic = house
        .fleet
        .world(|world| world.traffic.get(&HostId(0)).copied().unwrap());
    assert_eq!((traffic.connections, traffic.commands), (1, 25));
    house.ssh(&["-S", &socket, "-O", "exit", "m1"]);
}
