//! Damage that is done to documents: the same in each run.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// Returns what tries a property so many times.
pub(crate) fn runner(cases: u32) -> TestRunner {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]))
}

/// Documents of a corpus with a few changes.
pub(crate) fn damaged(corpus: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<usize>(), change()), 1..5);
    (prop::sample::select(corpus), changes).prop_map(|(mut text, changes)| {
        for (at, change) in &changes {
            apply(&mut text, *at, change);
        }
        text
    })
}

/// A change of a document.
#[derive(Debug, Clone)]
enum Change {
    Set(u8),
    Insert(Vec<u8>),
    Remove(usize),
    Repeat(usize),
    Cut,
}

fn change() -> impl Strategy<Value = Change> {
    let piece = prop::sample::select(vec![
        "\t", "\n", "\r", "- ", ": ", "{", "}", "[", "]", "'", "\"", "*a", "&a ", "<<: *a\n",
        "---\n", "...\n", "${", "$A", "#", "|\n", ">-\n", "!!str ", "!x ", "é", "\u{FEFF}", "\0",
        "%", "? ", "~", "\\", "@", "`", "# TODO\n",
    ]);
    prop_oneof![
        any::<u8>().prop_map(Change::Set),
        piece.prop_map(|text| Change::Insert(text.as_bytes().to_vec())),
        prop::collection::vec(any::<u8>(), 1..4).prop_map(Change::Insert),
        (1_usize..40).prop_map(Change::Remove),
        (1_usize..200).prop_map(Change::Repeat),
        Just(Change::Cut),
    ]
}

fn apply(text: &mut Vec<u8>, at: usize, change: &Change) {
    let at = at % (text.len() + 1);
    let end = |length: usize| (at + length).min(text.len());
    match change {
        Change::Set(byte) => {
            if let Some(place) = text.get_mut(at) {
                *place = *byte;
            }
        }
        Change::Insert(bytes) => drop(text.splice(at..at, bytes.iter().copied())),
        Change::Remove(length) => drop(text.drain(at..end(*length))),
        Change::Repeat(length) => {
            let piece = text[at..end(*length)].to_vec();
            text.splice(at..at, piece);
        }
        Change::Cut => text.truncate(at),
    }
}
