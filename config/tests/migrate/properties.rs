//! What is true of any document: all documents of the corpus, damaged.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use crate::damage::{damaged, runner};
use crate::documents::{cases, machine};
use crate::property::holds;

#[test]
fn damaged_documents_are_told_or_mean_the_same_once_migrated() {
    let documents = cases().into_iter().map(|case| case.before.into_bytes());
    let machine = machine();

    let result = runner(3000).run(&damaged(documents.collect()), |bytes| {
        holds(&bytes, &machine).map_err(TestCaseError::fail)
    });

    assert!(result.is_ok(), "{}", result.unwrap_err());
}

/// What libFuzzer begins with is written where `CORPUS` says.
#[test]
fn every_document_holds_and_is_a_seed() {
    let directory = std::env::var_os("CORPUS");
    for (number, case) in cases().into_iter().enumerate() {
        let bytes = case.before.as_bytes();
        assert_eq!(
            holds(bytes, &machine()),
            Ok(()),
            "{}: {}",
            case.file,
            case.name
        );
        if let Some(directory) = &directory {
            let name = format!("{}-{number}", case.file);
            fs::write(Path::new(directory).join(name), bytes).unwrap();
        }
    }
}
