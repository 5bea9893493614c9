//! Documents that were damaged: each is read or told, and every place lies in the file.

use config::{Diagnostics, LARGEST_DOCUMENT};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::fake::{Machine, document};

/// Documents to damage.
fn corpus() -> Vec<Vec<u8>> {
    let minimal = document("", "", "", "");
    let wide: Vec<u8> = std::iter::once(0xFEFF)
        .chain(minimal.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let flow = "{apiVersion: launchpad.mirantis.com/mke/v1.6, kind: mke, spec: {hosts: [{role: manager, \
                ssh: &a {address: é, port: 22}}, {role: worker, ssh: {<<: *a, address: b}}], mcr: \
                {channel: stable-25.0}, mke: {version: \"3.8.10\"}}}";
    vec![
        include_bytes!("complete.yaml").to_vec(),
        minimal.into_bytes(),
        wide,
        flow.as_bytes().to_vec(),
    ]
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

/// Makes sure that what is told can be found in the file.
fn assert_inside(found: &Diagnostics, text: &[u8]) {
    let longest = text.len() + 1;
    for one in &found.items {
        let Some(at) = one.position else {
            assert!(text.len() > LARGEST_DOCUMENT, "{one}");
            continue;
        };
        assert!((1..=longest).contains(&at.line), "{one}");
        assert!((1..=longest).contains(&at.column), "{one}");
        if let Some(snippet) = &one.snippet {
            let width = snippet.line.chars().count();
            assert!(snippet.width >= 1, "{one}");
            assert!(snippet.start + snippet.width <= width + 1, "{one:?}");
        }
    }
    assert!(!format!("{found}").contains("hunter2"), "{found}");
}

#[test]
fn damaged_documents_are_read_or_told() {
    let corpus = corpus();
    let config = Config {
        cases: 2000,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]));
    let changes = prop::collection::vec((any::<usize>(), change()), 1..5);
    let machine = Machine::default().var("A", "hunter2");

    let result = runner.run(&(0..corpus.len(), changes), |(index, changes)| {
        let mut text = corpus[index].clone();
        for (at, change) in &changes {
            apply(&mut text, *at, change);
        }
        assert_inside(&machine.findings(&text), &text);
        Ok(())
    });

    assert!(result.is_ok(), "{}", result.unwrap_err());
}
