//! How an answer differs from a recording.

use std::fmt::Write as _;

use crate::{Answer, Row, Rules};

/// Returns how an answer differs from the row's recording: lines that are missing begin with `-`,
/// lines that are too many with `+`. Nothing where it is the same answer.
pub fn difference(rules: &Rules, row: &Row, answer: &Answer) -> Option<String> {
    let recorded = row.recorded.as_deref().unwrap_or_default();
    let expected = rules.apply_to(row, recorded);
    let got = rules.apply_to(row, &answer.text());
    (expected != got).then(|| changed_lines(&expected, &got))
}

/// Returns the lines that stand in only one of two texts.
fn changed_lines(expected: &str, got: &str) -> String {
    let expected: Vec<&str> = expected.split('\n').collect();
    let got: Vec<&str> = got.split('\n').collect();
    let common = common_lengths(&expected, &got);
    let mut text = String::new();
    let (mut one, mut other) = (0, 0);
    while one < expected.len() || other < got.len() {
        let (left, right) = (expected.get(one), got.get(other));
        if left.is_some() && left == right {
            (one, other) = (one + 1, other + 1);
            continue;
        }
        let is_missing =
            left.is_some() && (right.is_none() || common[one + 1][other] >= common[one][other + 1]);
        // Writing into a string cannot fail.
        if is_missing {
            let _ = writeln!(text, "- {}", expected[one].escape_debug());
            one += 1;
        } else {
            let _ = writeln!(text, "+ {}", got[other].escape_debug());
            other += 1;
        }
    }
    text
}

/// Returns, for each pair of places, how many lines after them two texts have in common at most.
fn common_lengths(expected: &[&str], got: &[&str]) -> Vec<Vec<usize>> {
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
    common
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::State;

    fn row(recorded: Option<&str>) -> Row {
        let mut row = Row::parse(State::named("bare").unwrap(), "01-some", "true\n");
        row.recorded = recorded.map(str::to_owned);
        row
    }

    fn answer(stdout: &str) -> Answer {
        Answer {
            status: 0,
            stdout: stdout.to_owned(),
            stderr: String::new(),
        }
    }

    #[test]
    fn what_the_rules_take_away_is_no_difference() {
        let rules = Rules::parse("find \\d+ s\nput N s\n").unwrap();
        let row = row(Some("status: 0\n--- stdout\nin 3 s\n--- stderr\n"));

        assert_eq!(difference(&rules, &row, &answer("in 5 s\n")), None);
    }

    #[test]
    fn lines_of_one_side_only_are_shown() {
        let rules = Rules::parse("find x\nput\n").unwrap();
        let row = row(Some("status: 0\n--- stdout\none\ntwo\n--- stderr\n"));

        let shown = difference(&rules, &row, &answer("one\nthree\t\n")).unwrap();

        assert_eq!(shown, "- two\n+ three\\t\n");
    }

    #[test]
    fn an_answer_that_was_never_recorded_differs() {
        let rules = Rules::parse("find x\nput\n").unwrap();

        let shown = difference(&rules, &row(None), &answer("one\n")).unwrap();

        assert!(shown.contains("+ one\n"), "{shown}");
    }
}
