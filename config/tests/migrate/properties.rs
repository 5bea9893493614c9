//! What is true of any document.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::documents::cases;
use crate::{load_shown, migrate, source};

/// A runner that does the same each time.
fn runner(count: u32) -> TestRunner {
    let config = Config {
        cases: count,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// A document of the corpus with a few bytes of it changed, taken out, or doubled.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let documents: Vec<String> = cases().into_iter().map(|case| case.before).collect();
    let changes = prop::collection::vec((any::<prop::sample::Index>(), 0..5_u8, any::<u8>()), 1..4);
    (prop::sample::select(documents), changes).prop_map(|(text, changes)| {
        let mut bytes = text.into_bytes();
        for (index, what, byte) in changes {
            if bytes.is_empty() {
                break;
            }
            let at = index.index(bytes.len());
            match what {
                0 => bytes[at] = byte,
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, b" \n\t:-{}[]&*$\"'#|"[usize::from(byte) % 16]),
                3 => {
                    let line = bytes[at..].to_vec();
                    bytes.extend(line);
                }
                _ => bytes.truncate(at),
            }
        }
        bytes
    })
}

#[test]
fn no_bytes_make_it_panic_and_what_is_told_stands_in_the_text() {
    runner(3000)
        .run(&mutated(), |bytes| {
            let lines = bytes.split(|byte| *byte == b'\n' || *byte == b'\r').count() + 1;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Err(problems) = load_shown(&text) {
                for problem in problems.items {
                    if let Some(at) = problem.position {
                        prop_assert!(at.line <= lines, "{problem}");
                    }
                }
            }
            let raw = config::Source {
                text: bytes,
                ..source("")
            };
            let _ = config::migrated(raw, &crate::documents::machine());
            Ok(())
        })
        .unwrap();
}

#[test]
fn what_loads_is_written_so_that_it_loads_as_the_same() {
    runner(3000)
        .run(&mutated(), |bytes| {
            let Ok(text) = String::from_utf8(bytes) else {
                return Ok(());
            };
            let (Ok(before), Ok(migrated)) = (load_shown(&text), migrate(&text)) else {
                return Ok(());
            };
            if !migrated.text.contains("# TODO") {
                let after = load_shown(&migrated.text);
                prop_assert_eq!(
                    after.as_ref().ok(),
                    Some(&before),
                    "{}\n{:?}",
                    migrated.text,
                    after
                );
            }
            Ok(())
        })
        .unwrap();
}
