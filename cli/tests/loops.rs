//! Every command and phase, put through everything that can go wrong, on three managers and a
//! worker: whatever happens, the same command converges to what an undisturbed run comes to.
//!
//! Each seed is one trial: it chooses the order of hosts, a command, one event, and where in the
//! run it happens. `SIMULATE_SEEDS=FROM..TO` runs other seeds than those of `./dev test`
//! (`./dev simulate --seeds N`). A trial that fails prints its seed and the scenario that repeats
//! it.

#![cfg(feature = "fleet")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "tests"
)]

#[path = "loops/cluster.rs"]
mod cluster;
#[path = "loops/event.rs"]
mod event;
#[path = "loops/good.rs"]
mod good;
#[path = "loops/mended.rs"]
mod mended;
#[path = "loops/openrc.rs"]
mod openrc;
#[path = "loops/trial.rs"]
mod trial;
#[path = "loops/uutils.rs"]
mod uutils;

use std::ops::Range;

/// How many seeds `cargo test` runs.
const SEEDS: u64 = 50;

fn seeds() -> Range<u64> {
    let Ok(text) = std::env::var("SIMULATE_SEEDS") else {
        return 0..SEEDS;
    };
    let (from, to) = text.split_once("..").unwrap_or(("0", &text));
    from.parse().unwrap()..to.parse().unwrap()
}

#[test]
fn whatever_happens_the_same_command_converges() {
    let seeds = seeds();
    let count = seeds.end - seeds.start;
    let parts = std::thread::available_parallelism().map_or(2, |count| count.get() as u64);
    let failures: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..parts)
            .map(|part| {
                let seeds = seeds.clone();
                let work = move || {
                    let mine = seeds.filter(|seed| seed % parts == part);
                    mine.filter_map(|seed| trial::run(seed).err())
                        .collect::<Vec<String>>()
                };
                std::thread::Builder::new()
                    .stack_size(64 << 20)
                    .spawn_scoped(scope, work)
                    .unwrap()
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    assert!(
        failures.is_empty(),
        "{} of {count} trials failed:\n\n{}",
        failures.len(),
        failures.join("\n\n")
    );
}
