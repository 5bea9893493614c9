//! What is true of any document.

use proptest::prelude::*;

use crate::damage::{damaged, runner};
use crate::documents::cases;
use crate::{load_shown, migrate, source};

/// The documents of the corpus, damaged.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let documents = cases().into_iter().map(|case| case.before.into_bytes());
    damaged(documents.collect())
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
