//! The time of hosts, and of the way to them.

use std::time::{Duration, Instant};

use fleet::door::Pace;

use crate::house::{House, Plan, SOON};

fn at(pace: Pace) -> House {
    House::with(Plan {
        pace,
        ..Plan::default()
    })
}

#[test]
fn hours_of_a_host_pass_at_once_where_time_is_instant() {
    let house = at(Pace::Instant);
    let start = Instant::now();

    let answer = house.ssh(&[
        "m1",
        "a=$(date +%s); sleep 7200; b=$(date +%s); echo $((b - a >= 7200))",
    ]);

    assert_eq!(answer.out, "1\n", "{answer:?}");
    assert!(start.elapsed() < SOON);
}

#[test]
fn who_waits_for_his_input_is_not_hurried() {
    let house = at(Pace::Instant);
    let mut command = house.client("ssh");
    command.args(["m1", "timeout 3000 cat; echo $?"]);
    let mut child = command
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    std::io::Write::write_all(&mut input, b"in time\n").unwrap();
    drop(input);

    let answer = crate::house::finish(child);

    assert_eq!(answer.out, "in time\n0\n", "{answer:?}");
}

#[test]
fn minutes_of_a_host_are_seconds_where_time_is_scaled() {
    let house = at(Pace::Scaled(600));

    let answer = house.ssh(&["m1", "sleep 600; echo over"]);

    assert_eq!(answer.out, "over\n", "{answer:?}");
}

#[test]
fn a_link_takes_its_time_and_loses_nothing() {
    let house = House::open();
    let scenario = "network: {latency: 30ms, jitter: 10ms, bandwidth: 20MB}\n";
    house.apply(scenario);
    let input = vec![b'x'; 1_000_000];

    let start = Instant::now();
    let mut command = house.client("ssh");
    command.args(["m1", "cat"]);
    let answer = crate::house::run(command, &input);

    assert!(
        answer.out.as_bytes() == input,
        "{} bytes, {}",
        answer.out.len(),
        answer.err
    );
    // Key exchange, login and command are more than four times there and back.
    assert!(
        start.elapsed() >= Duration::from_millis(240),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn what_runs_for_ever_hurries_no_clock() {
    let house = at(Pace::Instant);
    let unit = "[Service]\\nExecStart=/bin/sleep infinity\\n";
    let root = |script: &str| {
        let words = ["sh", "-c", script].map(str::to_owned).to_vec();
        let simulation = &house.simulation;
        let ran = simulation.exec(&house.fleet, fleet::HostId(0), words, drop);
        house.runtime.block_on(ran).unwrap()
    };
    let script = format!(
        "printf '{unit}' > /etc/systemd/system/ever.service && systemctl daemon-reload && \
         date +%Y > /tmp/year"
    );
    assert_eq!(root(&script), 0);

    for _ in 0..5 {
        assert_eq!(root("systemctl restart ever"), 0);
    }

    let script = "systemctl is-active -q ever && test $(date +%Y) = $(cat /tmp/year)";
    assert_eq!(root(script), 0);
}
