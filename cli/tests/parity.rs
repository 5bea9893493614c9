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
#[path = "parity/normalise.rs"]
mod normalise;
#[path = "parity/row.rs"]
mod row;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use normalise::Rules;
use row::{Answer, Row};

/// Returns where rows and recordings are.
fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fleet/tests/parity")
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
    let rows = Row::read_all(&data(), state);
    assert!(!rows.is_empty(), "there are no rows of {state}");
    let runtime = cli::rehearsal::runtime().unwrap();
    runtime.block_on(async {
        let lab = lab::Lab::of(state).await;
        let mut judged = Vec::new();
        for row in rows {
            let answer = lab.run(&row).await;
            let difference = compare(rules, &row, &answer);
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
    let judged = run(state, &Rules::read(&data().join("normalise.md"))).into_iter();
    let differing = judged.filter_map(|one| {
        let name = format!("{state}/{}", one.row.name);
        one.difference.map(|difference| (name, difference))
    });
    differing.collect()
}

/// Returns how an answer differs from the recording.
fn compare(rules: &Rules, row: &Row, answer: &Answer) -> Option<String> {
    let sort = ["probe-sources", "pull-unknown"]
        .iter()
        .any(|name| row.name.contains(name));
    let expected = rules.apply(&row.recorded, sort);
    let got = rules.apply(&answer.text(), sort);
    if expected == got {
        return None;
    }
    let mut text = format!("# {} ({})\n", row.name, row.from);
    let (expected, got): (Vec<&str>, Vec<&str>) =
        (expected.split('\n').collect(), got.split('\n').collect());
    let mut common = vec![vec![0_usize; got.len() + 1]; expected.len() + 1];
    for one in (0..expected.len()).rev() {
        for other in (0..got.len()).rev() {
            common[one][other] = if expected[one] == got[other] {
                common[one + 1][other + 1] + 1
            } else {
                common[one + 1][other].max(common[one][other + 1])
            };
        }
    }
    let (mut one, mut other) = (0, 0);
    while one < expected.len() || other < got.len() {
        let (left, right) = (expected.get(one), got.get(other));
        if left.is_some() && left == right {
            (one, other) = (one + 1, other + 1);
        } else if left.is_some()
            && (right.is_none() || common[one + 1][other] >= common[one][other + 1])
        {
            writeln!(text, "- {}", expected[one].escape_debug()).unwrap();
            one += 1;
        } else {
            writeln!(text, "+ {}", got[other].escape_debug()).unwrap();
            other += 1;
        }
    }
    Some(text)
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

/// Lies that are told in an answer, each in another place.
const LIES: usize = 12;

/// A judge that notices nothing proves nothing: nearly every change of a value has to be noticed.
#[test]
fn a_changed_value_is_noticed() {
    let rules = Rules::read(&data().join("normalise.md"));
    let (mut told, mut noticed, mut missed) = (0, 0, Vec::new());
    for state in ["bare", "changes"] {
        for one in run(state, &rules)
            .iter()
            .filter(|one| one.difference.is_none())
        {
            for number in 0..LIES {
                let Some(lie) = lie(&one.answer, number) else {
                    continue;
                };
                told += 1;
                if compare(&rules, &one.row, &lie).is_some() {
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
    let rules = Rules::read(&data().join("normalise.md"));
    let mut compared = 0;
    for state in ["bare", "changes"] {
        let plain = run(state, &rules);
        let runtime = cli::rehearsal::runtime().unwrap();
        let mutated: Vec<(String, String)> = runtime.block_on(async {
            let lab = lab::Lab::of(state).await;
            let mut answers = Vec::new();
            for (seed, mut row) in Row::read_all(&data(), state).into_iter().enumerate() {
                if row.from != "hook" {
                    row.script = fleet::script::mutate(&row.script, seed as u64);
                }
                let answer = lab.run(&row).await;
                answers.push((row.script, rules.apply(&answer.text(), true)));
            }
            answers
        });
        for (one, (script, answer)) in plain.iter().zip(mutated) {
            // Numbers of lines are those of the text.
            if one.row.from == "hook" || one.answer.stderr.contains("/bin/sh: ") {
                continue;
            }
            compared += 1;
            let expected = rules.apply(&one.answer.text(), true);
            assert_eq!(answer, expected, "{state}/{}:\n{script}", one.row.name);
        }
    }
    assert!(compared > 60, "only {compared} scripts were compared");
}
