//! `seq`, of whole numbers.

use super::coreutils::{Coreutils, usage};
use super::{Invocation, Program};

pub(crate) const PROGRAMS: &[Program] = &[Program {
    name: "seq",
    run: |invocation| Box::pin(async { seq(invocation) }),
}];

/// What is counted, and how it is shown.
struct Series {
    first: i64,
    step: i64,
    last: i64,
    separator: String,
    is_padded: bool,
}

fn seq(invocation: &mut Invocation) -> u8 {
    let series = match read(invocation) {
        Ok(series) => series,
        Err(status) => return status,
    };
    let Series {
        first, step, last, ..
    } = series;
    let width = match series.is_padded {
        true => first.to_string().len().max(last.to_string().len()),
        false => 0,
    };
    let mut all = Vec::new();
    let mut number = first;
    while (step > 0 && number <= last) || (step < 0 && number >= last) {
        all.push(format!("{number:0width$}"));
        if all.len() > 1_000_000 {
            return invocation.not_simulated("more than a million numbers");
        }
        number += step;
    }
    if !all.is_empty() {
        invocation.print(&format!("{}\n", all.join(&series.separator)));
    }
    0
}

fn read(invocation: &mut Invocation) -> Result<Series, u8> {
    let mut words = invocation.arguments.clone();
    let mut separator = "\n".to_owned();
    let mut is_padded = false;
    loop {
        match words.first().map(String::as_str) {
            Some("-s") if words.len() > 1 => {
                separator = words[1].clone();
                words.drain(..2);
            }
            Some(word) if word.starts_with("-s") && word.len() > 2 => {
                separator = word[2..].to_owned();
                words.remove(0);
            }
            Some("-w") => {
                is_padded = true;
                words.remove(0);
            }
            Some(word) if word.starts_with('-') && word.parse::<f64>().is_err() => {
                let is_known = usage::find("seq").is_some_and(|usage| usage.has(word));
                if invocation.coreutils == Coreutils::Uutils && !is_known {
                    // uutils takes it for a number.
                    break;
                }
                return Err(invocation.not_simulated(&format!("the option {word}")));
            }
            _ => break,
        }
    }
    let (first, step, last) = bounds(invocation, &words)?;
    Ok(Series {
        first,
        step,
        last,
        separator,
        is_padded,
    })
}

/// Reads where it begins, by how much it goes on, and where it ends.
fn bounds(invocation: &mut Invocation, words: &[String]) -> Result<(i64, i64, i64), u8> {
    if let Some(word) = words.get(3) {
        let status = match invocation.coreutils {
            Coreutils::Gnu => None,
            Coreutils::Uutils => usage::too_many(invocation, word, "[numbers]..."),
        };
        return Err(match status {
            Some(status) => status,
            None => invocation.misused(&format!("extra operand '{word}'")),
        });
    }
    if let Some(word) = words.iter().find(|word| word.parse::<f64>().is_err()) {
        return Err(invocation.misused(&format!("invalid floating point argument: '{word}'")));
    }
    let numbers: Option<Vec<i64>> = words.iter().map(|word| word.parse().ok()).collect();
    match numbers.as_deref() {
        None => Err(invocation.not_simulated("numbers that are not whole")),
        Some([last]) => Ok((1, 1, *last)),
        Some([first, last]) => Ok((*first, 1, *last)),
        Some([_, 0, _]) => {
            let word = &words[1];
            Err(invocation.misused(&format!("invalid Zero increment value: '{word}'")))
        }
        Some([first, step, last]) => Ok((*first, *step, *last)),
        Some(_) => Err(invocation.misused("missing operand")),
    }
}
