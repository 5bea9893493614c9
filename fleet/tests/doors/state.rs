//! Servers that stop, hosts that fall silent, faults.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Duration;

use fleet::HostId;
use fleet::access::Trouble;
use fleet::fault::{Blow, Verdict};
use fleet::host::Init;

use crate::house::{House, Plan, finish};

const FIRST: HostId = HostId(0);

#[test]
fn nothing_listens_where_the_server_is_stopped_until_it_is_started() {
    let house = House::open();
    assert_eq!(house.as_root("systemctl stop ssh"), 0);
    house.until("the door is closed", || {
        TcpStream::connect(house.address()).is_err()
    });

    let answer = house.ssh(&["m1", "true"]);
    assert!(answer.err.contains("Connection refused"), "{}", answer.err);

    assert_eq!(house.as_root("systemctl start ssh"), 0);
    house.until("the door is open", || {
        TcpStream::connect(house.address()).is_ok()
    });
    assert_eq!(house.ssh(&["m1", "true"]).status, Some(0));
}

#[test]
fn a_server_that_openrc_stops_is_closed_until_it_is_started() {
    let house = House::with(Plan {
        init: Init::OpenRc,
        ..Plan::default()
    });
    assert_eq!(house.ssh(&["m1", "true"]).status, Some(0));
    assert_eq!(house.as_root("rc-service ssh stop"), 0);
    house.until("the door is closed", || {
        TcpStream::connect(house.address()).is_err()
    });

    assert_eq!(house.as_root("rc-service ssh start"), 0);
    house.until("the door is open", || {
        TcpStream::connect(house.address()).is_ok()
    });
    assert_eq!(house.ssh(&["m1", "true"]).status, Some(0));
}

#[test]
fn troubles_of_the_way_are_met_as_the_client_says_it() {
    let house = House::open();
    let cases = [
        (Trouble::Refused, "Connection refused"),
        (Trouble::Reset, "Connection reset by"),
        (Trouble::LoginRefused, "Permission denied"),
        (
            Trouble::HostKeyChanged,
            "REMOTE HOST IDENTIFICATION HAS CHANGED",
        ),
    ];

    for (trouble, said) in cases {
        house.fleet.trouble(FIRST, trouble, true);
        house.until("the client notices", || {
            house.ssh(&["m1", "true"]).err.contains(said)
        });
        house.fleet.trouble(FIRST, trouble, false);
        house.until("it is over", || {
            house.ssh(&["m1", "true"]).status == Some(0)
        });
    }
}

#[test]
fn a_client_of_a_host_that_is_filtered_waits_for_a_connection_that_never_comes() {
    let house = House::open();
    house.fleet.trouble(FIRST, Trouble::Filtered, true);

    house.until("packets vanish", || {
        let answer = house.ssh(&["-o", "ConnectTimeout=1", "m1", "true"]);
        answer.err.contains("Connection timed out")
    });

    house.fleet.trouble(FIRST, Trouble::Filtered, false);
    house.until("it is over", || {
        house.ssh(&["m1", "true"]).status == Some(0)
    });
}

#[test]
fn a_connection_breaks_when_the_server_restarts_by_a_fault() {
    let house = House::open();
    let mut command = house.client("ssh");
    command.args(["m1", "echo begun; sleep 1000"]);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut begun = [0; 6];
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut begun)
        .unwrap();

    let fleet = house.fleet.clone();
    let strike = async move { fleet.strike(FIRST, Blow::RestartSshd).await };
    house
        .runtime
        .block_on(house.simulation.run(strike))
        .unwrap();
    let answer = finish(child);

    assert_eq!(answer.status, Some(255), "{answer:?}");
    assert_eq!(house.ssh(&["m1", "true"]).status, Some(0));
}

#[test]
fn a_host_that_is_frozen_says_nothing_until_it_is_not() {
    let house = House::open();
    let mut command = house.client("ssh");
    command.args(["m1", "cat"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut input, mut output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut piece = [0; 2];
    input.write_all(b"a\n").unwrap();
    output.read_exact(&mut piece).unwrap();

    house
        .fleet
        .host(FIRST, |host| host.power = fleet::host::Power::Frozen);
    let (sender, receiver) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        output.read_exact(&mut piece).unwrap();
        sender.send(piece).unwrap();
    });
    house.until("the door is shut", || {
        house.ssh(&["-o", "ConnectTimeout=1", "m1", "true"]).status == Some(255)
    });
    input.write_all(b"b\n").unwrap();
    assert!(receiver.recv_timeout(Duration::from_millis(300)).is_err());

    house
        .fleet
        .host(FIRST, |host| host.power = fleet::host::Power::On);
    assert_eq!(receiver.recv_timeout(crate::house::SOON).unwrap(), *b"b\n");
    reader.join().unwrap();
    drop(input);
    finish(child);
}

#[test]
fn faults_of_commands_are_seen_by_clients() {
    let house = House::open();
    let said = "no luck".to_owned();
    house
        .fleet
        .plan_verdict(FIRST, 1, Verdict::Fail { status: 9, said });
    house.fleet.plan_verdict(FIRST, 2, Verdict::LoseBefore);
    house.fleet.plan_verdict(FIRST, 3, Verdict::LoseAfter);
    house.fleet.plan_verdict(FIRST, 4, Verdict::CutAfter(3));

    let failed = house.ssh(&["m1", "touch /tmp/1"]);
    let before = house.ssh(&["m1", "touch /tmp/2"]);
    let after = house.ssh(&["m1", "touch /tmp/3"]);
    let cut = house.ssh(&["m1", "echo 123456; touch /tmp/4"]);

    assert_eq!(failed.status, Some(9));
    assert!(failed.err.contains("no luck"));
    assert_eq!([before.status, after.status, cut.status], [Some(255); 3]);
    let exists = |path| house.text(path).is_some();
    assert_eq!(
        [exists("/tmp/1"), exists("/tmp/2"), exists("/tmp/3")],
        [false, false, true]
    );
}

#[test]
fn too_many_sessions_are_refused_one_by_one() {
    let house = House::with(Plan::with_sshd("MaxSessions 1\n"));
    let socket = house.path("mux").display().to_string();
    let mut command = house.client("ssh");
    command.args(["-M", "-S", &socket, "m1", "cat"]);
    let child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    house.until("the master is there", || {
        std::path::Path::new(&socket).exists()
    });
    house.until("its session is open", || {
        house.fleet.world(|world| {
            world
                .traffic
                .get(&FIRST)
                .is_some_and(|one| one.commands == 1)
        })
    });

    // A client that is refused a session of its master opens a connection of its own.
    let answer = house.ssh(&["-S", &socket, "-v", "m1", "true"]);

    assert!(
        answer.err.contains("Session open refused by peer"),
        "{}",
        answer.err
    );
    let mut child = child;
    child.kill().unwrap();
    finish(child);
}

#[test]
fn the_fleet_outlives_garbage_half_open_connections_and_crowds() {
    let house = House::with(Plan {
        most: 200,
        ..Plan::with_sshd("LoginGraceTime 1\nMaxStartups 300\n")
    });
    let mut garbage = TcpStream::connect(house.address()).unwrap();
    garbage.write_all(&[0xff; 70_000]).unwrap_or(());
    let silent = TcpStream::connect(house.address()).unwrap();
    let crowd: Vec<TcpStream> = (0..400)
        .filter_map(|_| TcpStream::connect(house.address()).ok())
        .collect();

    house.until("the silent one is thrown out", || {
        silent
            .set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        let mut all = Vec::new();
        (&silent).read_to_end(&mut all).is_ok()
    });
    drop(crowd);
    house.until("there is room again", || {
        house.ssh(&["m1", "true"]).status == Some(0)
    });

    let mut notes = Vec::new();
    while let Ok(note) = house.notes.lock().unwrap().try_recv() {
        notes.push(note.what);
    }
    assert!(
        notes.iter().any(|note| note.contains("LoginGraceTime")),
        "{notes:?}"
    );
    assert!(
        notes
            .iter()
            .any(|note| note.contains("as many connections")),
        "{notes:?}"
    );
}

#[test]
fn who_comes_while_too_many_are_about_to_log_in_is_turned_away() {
    let house = House::with(Plan::with_sshd("MaxStartups 1\n"));
    let mut first = TcpStream::connect(house.address()).unwrap();
    let mut greeting = [0; 8];
    first.read_exact(&mut greeting).unwrap();

    let mut second = TcpStream::connect(house.address()).unwrap();
    let mut said = String::new();
    second.read_to_string(&mut said).unwrap();

    assert_eq!(&greeting, b"SSH-2.0-");
    assert_eq!(said, "Exceeded MaxStartups\r\n");
    drop(first);
    house.until("there is room again", || {
        house.ssh(&["m1", "true"]).status == Some(0)
    });
}

#[test]
fn a_scenario_tells_servers_what_to_do() {
    let house = House::open();
    let scenario = "ssh: {banner: Look out!, methods: [password], password: word}\n\
                    hosts: [{host: m1, ssh: {banner: Stop!, accept-env: [WORD]}}]\n";
    house.apply(scenario);
    assert_eq!(house.as_root("systemctl restart ssh"), 0);

    house.until("the server is told", || {
        let mut command = house.client("ssh");
        command.env("WORD", "in");
        command.args(["-o", "SendEnv=WORD", "m1", "echo $WORD"]);
        let answer = crate::house::run(command, b"");
        answer.err.contains("Stop!") && answer.out == "in\n"
    });
}
