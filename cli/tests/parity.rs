//! Real hosts as judges: rows that were run on hosts of the lab are run on the fleet, and what came
//! of them is compared. What a row is, how it is run and where its recording comes from:
//! `fleet/tests/parity/README.md`.
//!
//! `PARITY_DIFFERENCES=directory` writes what differs there.

#![cfg(feature = "fleet")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "tests"
)]

#[path = "parity/lab.rs"]
mod lab;
#[path = "parity/rpm.rs"]
mod rpm;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use parity::{Answer, Row, Rules, STATES, State, difference};

/// Returns where rows and recordings are.
fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fleet/tests/parity")
}

fn rules() -> Rules {
    Rules::parse(&std::fs::read_to_string(data().join("normalise.md")).unwrap()).unwrap()
}

/// Rows that are not equal yet, each with the reason.
fn unequal() -> BTreeSet<String> {
    let text = std::fs::read_to_string(data().join("unequal.txt")).unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| line.split_whitespace().next().unwrap().to_owned())
        .collect()
}

/// A row, what the fleet answers to it, and how that differs from the recording.
struct Judged {
    row: Row,
    answer: Answer,
    difference: Option<String>,
}

/// Runs all rows of a state.
fn run(state: &str, rules: &Rules) -> Vec<Judged> {
    let state = State::named(state).unwrap();
    let rows = Row::read_all(&data(), state).unwrap();
    let runtime = cli::rehearsal::runtime().unwrap();
    runtime.block_on(async {
        let lab = lab::Lab::of(state).await;
        let mut judged = Vec::new();
        for row in rows {
            let answer = lab.run(&row).await;
            let difference = difference(rules, &row, &answer)
                .map(|lines| format!("# {} ({})\n{lines}", row.name, row.from));
            judged.push(Judged {
                row,
                answer,
                difference,
            });
        }
        judged
    })
}

/// Returns the rows of a state that differ, and how.
fn differences(state: &str) -> Vec<(String, String)> {
    let judged = run(state, &rules()).into_iter();
    let differing = judged.filter_map(|one| {
        let path = one.row.path();
        one.difference.map(|difference| (path, difference))
    });
    differing.collect()
}

fn judge(state: &str) {
    let found = differences(state);
    if let Some(directory) = std::env::var_os("PARITY_DIFFERENCES") {
        let directory = Path::new(&directory);
        std::fs::create_dir_all(directory).unwrap();
        let text: String = found
            .iter()
            .map(|(_, difference)| difference.as_str())
            .collect();
        std::fs::write(directory.join(format!("{state}.diff")), text).unwrap();
    }
    let listed: BTreeSet<String> = unequal()
        .into_iter()
        .filter(|name| name.starts_with(&format!("{state}/")))
        .collect();
    let differing: BTreeSet<String> = found.iter().map(|(name, _)| name.clone()).collect();
    let new: Vec<&(String, String)> = found
        .iter()
        .filter(|(name, _)| !listed.contains(name))
        .collect();
    let mended: Vec<&String> = listed.difference(&differing).collect();
    assert!(
        new.is_empty(),
        "{} rows differ from the lab:\n{}",
        new.len(),
        new.iter()
            .map(|(_, text)| text.as_str())
            .collect::<String>()
    );
    assert!(
        mended.is_empty(),
        "these rows are equal now; take them off unequal.txt: {mended:?}"
    );
}

#[test]
fn bare_hosts_answer_as_those_of_the_lab() {
    judge("bare");
}

#[test]
fn hosts_change_as_those_of_the_lab() {
    judge("changes");
}

#[test]
fn workers_answer_as_those_of_the_lab() {
    judge("worker");
}

#[test]
fn managers_answer_as_those_of_the_lab() {
    judge("manager");
}

#[test]
fn hosts_with_dnf_answer_as_real_ones() {
    judge("el9");
}

#[test]
fn hosts_with_zypper_answer_as_real_ones() {
    judge("sles15");
}

#[test]
fn hosts_with_openrc_answer_as_real_ones() {
    judge("openrc");
}

#[test]
fn hosts_with_uutils_answer_as_real_programs() {
    judge("uutils");
}

/// Several programs have answered there, so each row says which.
#[test]
fn rows_of_uutils_say_which_program_has_answered() {
    let rows = Row::read_all(&data(), State::named("uutils").unwrap()).unwrap();

    for row in rows {
        assert!(
            row.of.ends_with(|end: char| end.is_ascii_digit()),
            "{}",
            row.path()
        );
    }
}

/// A row that was taken away leaves no recording behind.
#[test]
fn every_recording_is_of_a_row() {
    for state in STATES {
        let rows = Row::read_all(&data(), state).unwrap();
        let wanted: BTreeSet<PathBuf> = rows.iter().map(|row| row.recording(&data())).collect();

        let entries = std::fs::read_dir(data().join("recorded").join(state.name)).unwrap();
        let found: BTreeSet<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();

        assert_eq!(found, wanted);
    }
}

/// Lies that are told in an answer, each in another place.
const LIES: usize = 12;

/// A judge that notices nothing proves nothing: nearly every change of a value has to be noticed.
#[test]
fn a_changed_value_is_noticed() {
    let rules = rules();
    let (mut told, mut noticed, mut missed) = (0, 0, Vec::new());
    for state in ["bare", "changes", "el9", "sles15", "openrc", "uutils"] {
        for one in run(state, &rules)
            .iter()
            .filter(|one| one.difference.is_none())
        {
            for number in 0..LIES {
                let Some(lie) = lie(&one.answer, number) else {
                    continue;
                };
                told += 1;
                if difference(&rules, &one.row, &lie).is_some() {
                    noticed += 1;
                } else {
                    missed.push(one.row.name.clone());
                }
            }
        }
    }
    assert!(told > 300, "only {told} lies were told");
    assert!(
        noticed * 100 >= told * 95,
        "{noticed} of {told} lies were noticed; not in {missed:?}"
    );
}

/// Changes one value of an answer: a number, a word, or the status.
fn lie(answer: &Answer, number: usize) -> Option<Answer> {
    if number == 0 {
        return Some(Answer {
            status: answer.status + 1,
            stdout: answer.stdout.clone(),
            stderr: answer.stderr.clone(),
        });
    }
    let mut places: Vec<usize> = Vec::new();
    let mut was_word = false;
    for (at, character) in answer.stdout.char_indices() {
        let is_word = character.is_ascii_alphanumeric();
        if is_word && !was_word {
            places.push(at);
        }
        was_word = is_word;
    }
    let count = places.len();
    let at = *places.get(count * (number - 1) / (LIES - 1))?;
    let mut stdout = answer.stdout.clone();
    let other = if &stdout[at..=at] == "7" { "8" } else { "7" };
    stdout.replace_range(at..=at, other);
    Some(Answer {
        status: answer.status,
        stdout,
        stderr: answer.stderr.clone(),
    })
}

/// No script is recognised by its text: with other names, line ends and quotes it does the same.
#[test]
fn scripts_do_the_same_in_other_words() {
    let rules = rules();
    let mut compared = 0;
    for state in ["bare", "changes", "el9", "sles15", "openrc", "uutils"] {
        let plain = run(state, &rules);
        let runtime = cli::rehearsal::runtime().unwrap();
        let mutated: Vec<(String, String)> = runtime.block_on(async {
            let state = State::named(state).unwrap();
            let lab = lab::Lab::of(state).await;
            let mut answers = Vec::new();
            let rows = Row::read_all(&data(), state).unwrap();
            for (seed, mut row) in rows.into_iter().enumerate() {
                if row.from != "hook" {
                    row.script = fleet::script::mutate(&row.script, seed as u64);
                }
                let answer = lab.run(&row).await;
                answers.push((row.script, rules.apply_unordered(&answer.text())));
            }
            answers
        });
        for (one, (script, answer)) in plain.iter().zip(mutated) {
            // Numbers of lines are those of the text.
            if one.row.from == "hook" || one.answer.stderr.contains("/bin/sh: ") {
                continue;
            }
            compared += 1;
            let expected = rules.apply_unordered(&one.answer.text());
            assert_eq!(answer, expected, "{}:\n{script}", one.row.path());
        }
    }
    assert!(compared > 60, "only {compared} scripts were compared");
}
