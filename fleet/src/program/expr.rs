//! `expr`.

use super::posix::{self, Syntax};
use super::{Invocation, Program};

pub(crate) const PROGRAMS: &[Program] = &[Program {
    name: "expr",
    run: |invocation| Box::pin(async { expr(invocation) }),
}];

struct Reader<'a> {
    words: &'a [String],
    at: usize,
    depth: usize,
}

const LEVELS: &[&[&str]] = &[
    &["|"],
    &["&"],
    &["=", "==", "!=", "<", "<=", ">", ">="],
    &["+", "-"],
    &["*", "/", "%"],
    &[":"],
];

fn is_null(text: &str) -> bool {
    text.is_empty() || text.parse::<i64>() == Ok(0)
}

impl Reader<'_> {
    fn next(&mut self) -> Result<&str, String> {
        let word = self.words.get(self.at);
        self.at += 1;
        match word {
            Some(word) => Ok(word),
            None => {
                let last = self.words.last().map_or("", String::as_str);
                Err(format!("syntax error: missing argument after '{last}'"))
            }
        }
    }

    fn level(&mut self, level: usize) -> Result<String, String> {
        if level == LEVELS.len() {
            return self.primary();
        }
        let mut left = self.level(level + 1)?;
        while let Some(operator) = self
            .words
            .get(self.at)
            .filter(|word| LEVELS[level].contains(&word.as_str()))
        {
            self.at += 1;
            let right = self.level(level + 1)?;
            left = apply(operator, left, right)?;
        }
        Ok(left)
    }

    fn primary(&mut self) -> Result<String, String> {
        self.depth += 1;
        if self.depth > 100 {
            return Err("too deep".to_owned());
        }
        let word = self.next()?.to_owned();
        let value = match word.as_str() {
            "(" => {
                let value = self.level(0)?;
                if self.next().ok() != Some(")") {
                    return Err("syntax error: expecting ')' after '(' "
                        .trim_end()
                        .to_owned());
                }
                value
            }
            "length" if self.words.len() > self.at => self.primary()?.chars().count().to_string(),
            "substr" if self.words.len() > self.at + 1 => {
                let text = self.primary()?;
                let start: usize = self.primary()?.parse().unwrap_or(0);
                let length: usize = self.primary()?.parse().unwrap_or(0);
                match start {
                    0 => String::new(),
                    start => text.chars().skip(start - 1).take(length).collect(),
                }
            }
            "index" if self.words.len() > self.at + 1 => {
                let text = self.primary()?;
                let set = self.primary()?;
                text.chars()
                    .position(|one| set.contains(one))
                    .map_or(0, |at| at + 1)
                    .to_string()
            }
            "match" if self.words.len() > self.at + 1 => {
                let text = self.primary()?;
                let pattern = self.primary()?;
                apply(":", text, pattern)?
            }
            "+" => self.next()?.to_owned(),
            _ => word,
        };
        self.depth -= 1;
        Ok(value)
    }
}

fn apply(operator: &str, left: String, right: String) -> Result<String, String> {
    let numbers = (left.parse::<i64>(), right.parse::<i64>());
    let truth = |answer: bool| Ok(u8::from(answer).to_string());
    match operator {
        "|" if !is_null(&left) => Ok(left),
        "|" if !is_null(&right) => Ok(right),
        "|" => Ok("0".to_owned()),
        "&" if is_null(&left) || is_null(&right) => Ok("0".to_owned()),
        "&" => Ok(left),
        ":" => {
            let regex = posix::compile(&format!("^\\(\\)\\?{right}"), Syntax::Basic, false);
            let Ok(regex) = regex else {
                return Err("Invalid regular expression".to_owned());
            };
            let captures = regex.captures(left.as_bytes());
            let has_group = regex.captures_len() > 2;
            let text = |part: regex::bytes::Match<'_>| {
                String::from_utf8_lossy(part.as_bytes()).into_owned()
            };
            Ok(match (captures, has_group) {
                (Some(captures), true) => captures.get(2).map(text).unwrap_or_default(),
                (None, true) => String::new(),
                (Some(captures), false) => captures
                    .get(0)
                    .map(text)
                    .unwrap_or_default()
                    .chars()
                    .count()
                    .to_string(),
                (None, false) => "0".to_owned(),
            })
        }
        "=" | "==" | "!=" | "<" | "<=" | ">" | ">=" => {
            let order = match numbers {
                (Ok(left), Ok(right)) => left.cmp(&right),
                _ => left.cmp(&right),
            };
            truth(match operator {
                "=" | "==" => order.is_eq(),
                "!=" => order.is_ne(),
                "<" => order.is_lt(),
                "<=" => order.is_le(),
                ">" => order.is_gt(),
                _ => order.is_ge(),
            })
        }
        operator => {
            let (Ok(left), Ok(right)) = numbers else {
                return Err("non-integer argument".to_owned());
            };
            if matches!(operator, "/" | "%") && right == 0 {
                return Err("division by zero".to_owned());
            }
            let value = match operator {
                "+" => left.checked_add(right),
                "-" => left.checked_sub(right),
                "*" => left.checked_mul(right),
                "/" => left.checked_div(right),
                _ => left.checked_rem(right),
            };
            value
                .map(|value| value.to_string())
                .ok_or_else(|| "Numerical result out of range".to_owned())
        }
    }
}

fn expr(invocation: &mut Invocation) -> u8 {
    let mut words = invocation.arguments.clone();
    if words.first().is_some_and(|word| word == "--") {
        words.remove(0);
    }
    if words.is_empty() {
        invocation.error("missing operand");
        invocation.complain("Try 'expr --help' for more information.");
        return 2;
    }
    let mut reader = Reader {
        words: &words,
        at: 0,
        depth: 0,
    };
    let result = reader
        .level(0)
        .and_then(|value| match words.get(reader.at) {
            None => Ok(value),
            Some(word) => Err(format!("syntax error: unexpected argument '{word}'")),
        });
    match result {
        Ok(value) => {
            let status = u8::from(is_null(&value));
            invocation.print(&format!("{value}\n"));
            status
        }
        Err(text) => {
            invocation.error(&text);
            2
        }
    }
}
