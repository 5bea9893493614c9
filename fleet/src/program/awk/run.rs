//! Running a program of `awk`.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::bytes::Regex;

use super::parse::{Expression, Rule, Statement, When};
use crate::program::posix::{self, Syntax};
use crate::shell::format::{self, Style};

/// How many turns all loops may take together.
const MOST_TURNS: usize = 1_000_000;

/// A value: a number, a text, or text of the input, which is a number where it looks like one.
#[derive(Debug, Clone)]
enum Value {
    Number(f64),
    Text(String),
    Input(String),
}

/// Where a statement leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Next,
    Break,
    Continue,
    Exit,
}

type Done<T> = Result<T, String>;

/// The state of a program.
pub(super) struct Machine {
    variables: BTreeMap<String, Value>,
    arrays: BTreeMap<String, BTreeMap<String, Value>>,
    fields: Vec<String>,
    line: String,
    regexes: BTreeMap<String, Arc<Regex>>,
    open_ranges: BTreeMap<usize, bool>,
    turns: usize,
    /// What was printed.
    pub(super) out: String,
    /// The status, where `exit` gave one.
    pub(super) status: Option<u8>,
    is_over: bool,
}

/// Writes a number as `print` does.
fn number_text(number: f64) -> String {
    if number == number.trunc() && number.abs() < 1e16 {
        return format!("{}", number as i64);
    }
    let text = format::real(number.abs(), b'g', 6);
    if number < 0.0 {
        format!("-{text}")
    } else {
        text
    }
}

/// Reads the number that a text begins with.
fn number_of(text: &str) -> f64 {
    let text = text.trim_start();
    let mut end = 0;
    let bytes = text.as_bytes();
    let mut has_point = false;
    while let Some(byte) = bytes.get(end) {
        match byte {
            b'+' | b'-' if end == 0 => {}
            b'.' if !has_point => has_point = true,
            b'0'..=b'9' => {}
            _ => break,
        }
        end += 1;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let digits = bytes[(end + 1 + sign).min(bytes.len())..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if digits > 0 {
            end += 1 + sign + digits;
        }
    }
    text[..end].trim_start_matches('+').parse().unwrap_or(0.0)
}

fn looks_like_number(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && text.parse::<f64>().is_ok() && !text.contains(['n', 'N', 'i', 'I'])
}

impl Value {
    fn number(&self) -> f64 {
        match self {
            Self::Number(number) => *number,
            Self::Text(text) | Self::Input(text) => number_of(text),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Number(number) => number_text(*number),
            Self::Text(text) | Self::Input(text) => text.clone(),
        }
    }

    fn is_number(&self) -> bool {
        match self {
            Self::Number(_) => true,
            Self::Text(_) => false,
            Self::Input(text) => looks_like_number(text),
        }
    }

    fn is_true(&self) -> bool {
        match self.is_number() {
            true => self.number() != 0.0,
            false => !self.text().is_empty(),
        }
    }
}

fn truth(answer: bool) -> Value {
    Value::Number(f64::from(u8::from(answer)))
}

impl Machine {
    /// Makes a machine that has run nothing.
    pub(super) fn new(environment: BTreeMap<String, String>) -> Self {
        let preset = [
            ("FS", " "),
            ("OFS", " "),
            ("ORS", "\n"),
            ("SUBSEP", "\u{1c}"),
            ("RS", "\n"),
        ];
        let variables = preset
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Value::Text(value.to_owned())));
        let environment = environment
            .into_iter()
            .map(|(name, value)| (name, Value::Input(value)))
            .collect();
        Self {
            variables: variables.collect(),
            arrays: BTreeMap::from([("ENVIRON".to_owned(), environment)]),
            fields: Vec::new(),
            line: String::new(),
            regexes: BTreeMap::new(),
            open_ranges: BTreeMap::new(),
            turns: 0,
            out: String::new(),
            status: None,
            is_over: false,
        }
    }

    /// Sets a variable to text of the input.
    pub(super) fn set_text(&mut self, name: &str, value: &str) {
        self.variables
            .insert(name.to_owned(), Value::Input(value.to_owned()));
    }

    /// Starts to read a file.
    pub(super) fn start_file(&mut self) {
        self.variables.insert("FNR".to_owned(), Value::Number(0.0));
    }

    /// Runs what comes before the input; returns whether to go on.
    pub(super) fn begin(&mut self, rules: &[Rule]) -> Done<bool> {
        for rule in rules.iter().filter(|rule| matches!(rule.when, When::Begin)) {
            if self.act(rule)? == Flow::Exit {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Runs what comes behind the input.
    pub(super) fn end(&mut self, rules: &[Rule]) -> Done<()> {
        if self.is_over && !rules.iter().any(|rule| matches!(rule.when, When::End)) {
            return Ok(());
        }
        let was_begin = self.is_over && self.number("NR") == 0.0;
        if was_begin {
            return Ok(());
        }
        for rule in rules.iter().filter(|rule| matches!(rule.when, When::End)) {
            if self.act(rule)? == Flow::Exit {
                break;
            }
        }
        Ok(())
    }

    /// Runs the rules over a line; returns whether to go on.
    pub(super) fn line(&mut self, rules: &[Rule], line: &str) -> Done<bool> {
        for name in ["NR", "FNR"] {
            let number = self.number(name) + 1.0;
            self.variables
                .insert(name.to_owned(), Value::Number(number));
        }
        self.set_line(line.to_owned())?;
        for (index, rule) in rules.iter().enumerate() {
            let applies = match &rule.when {
                When::Begin | When::End => false,
                When::Always => true,
                When::Pattern(pattern) => self.value(pattern)?.is_true(),
                When::Range(first, last) => {
                    let is_open =
                        self.open_ranges.get(&index) == Some(&true) || self.value(first)?.is_true();
                    let closes = is_open && self.value(last)?.is_true();
                    self.open_ranges.insert(index, is_open && !closes);
                    is_open
                }
            };
            if !applies {
                continue;
            }
            match self.act(rule)? {
                Flow::Exit => return Ok(false),
                Flow::Next => break,
                Flow::On | Flow::Break | Flow::Continue => {}
            }
        }
        Ok(true)
    }

    fn act(&mut self, rule: &Rule) -> Done<Flow> {
        match &rule.action {
            Some(action) => self.run(action),
            None => {
                self.out.push_str(&self.line.clone());
                self.out.push_str(&self.text("ORS"));
                Ok(Flow::On)
            }
        }
    }

    fn number(&self, name: &str) -> f64 {
        self.variables.get(name).map_or(0.0, Value::number)
    }

    fn text(&self, name: &str) -> String {
        self.variables
            .get(name)
            .map(Value::text)
            .unwrap_or_default()
    }

    fn regex(&mut self, text: &str) -> Done<Arc<Regex>> {
        if let Some(regex) = self.regexes.get(text) {
            return Ok(regex.clone());
        }
        let regex = posix::compile(text, Syntax::Extended, false);
        let regex = regex.ok().ok_or_else(|| format!("the expression {text}"))?;
        self.regexes.insert(text.to_owned(), regex.clone());
        Ok(regex)
    }

    fn set_line(&mut self, line: String) -> Done<()> {
        self.fields = self.split(&line, &self.text("FS"))?;
        self.line = line;
        let count = self.fields.len() as f64;
        self.variables.insert("NF".to_owned(), Value::Number(count));
        Ok(())
    }

    fn split(&mut self, text: &str, separator: &str) -> Done<Vec<String>> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        Ok(match separator {
            " " => text.split_whitespace().map(str::to_owned).collect(),
            "" => text.chars().map(String::from).collect(),
            separator
                if separator.chars().count() == 1
                    && separator != "\\"
                    && !"|".contains(separator)
                    || separator == "|" =>
            {
                text.split(separator).map(str::to_owned).collect()
            }
            separator => {
                let regex = self.regex(separator)?;
                regex
                    .split(text.as_bytes())
                    .map(|part| String::from_utf8_lossy(part).into_owned())
                    .collect()
            }
        })
    }

    fn rebuild(&mut self) {
        self.line = self.fields.join(&self.text("OFS"));
        let count = self.fields.len() as f64;
        self.variables.insert("NF".to_owned(), Value::Number(count));
    }

    fn assign(&mut self, place: &Expression, value: Value) -> Done<()> {
        match place {
            Expression::Variable(name) => {
                let count = value.number();
                self.variables.insert(name.clone(), value);
                if name == "NF" {
                    self.fields
                        .resize(count.clamp(0.0, 10_000.0) as usize, String::new());
                    self.rebuild();
                }
            }
            Expression::Element(name, index) => {
                let index = self.value(index)?.text();
                self.arrays
                    .entry(name.clone())
                    .or_default()
                    .insert(index, value);
            }
            Expression::Field(index) => {
                let index = self.value(index)?.number();
                if index < 1.0 {
                    return self.set_line(value.text());
                }
                let index = index.min(10_000.0) as usize;
                if self.fields.len() < index {
                    self.fields.resize(index, String::new());
                }
                self.fields[index - 1] = value.text();
                self.rebuild();
            }
            _ => return Err("such an assignment".to_owned()),
        }
        Ok(())
    }

    fn value(&mut self, expression: &Expression) -> Done<Value> {
        Ok(match expression {
            Expression::Number(number) => Value::Number(*number),
            Expression::Text(text) => Value::Text(text.clone()),
            Expression::Regex(text) => truth(self.regex(text)?.is_match(self.line.as_bytes())),
            Expression::Variable(name) => self
                .variables
                .get(name)
                .cloned()
                .unwrap_or(Value::Input(String::new())),
            Expression::Field(index) => match self.value(index)?.number() {
                index if index < 1.0 => Value::Input(self.line.clone()),
                index => Value::Input(
                    self.fields
                        .get(index as usize - 1)
                        .cloned()
                        .unwrap_or_default(),
                ),
            },
            Expression::Element(name, index) => {
                let index = self.value(index)?.text();
                let array = self.arrays.entry(name.clone()).or_default();
                array
                    .entry(index)
                    .or_insert_with(|| Value::Input(String::new()))
                    .clone()
            }
            Expression::Assign(place, operator, right) => {
                let right = self.value(right)?;
                let value = match operator {
                    Some(operator) => {
                        let left = self.value(place)?;
                        Value::Number(arithmetic(operator, left.number(), right.number())?)
                    }
                    None => right,
                };
                self.assign(place, value.clone())?;
                value
            }
            Expression::Increment {
                place,
                by,
                is_before,
            } => {
                let before = self.value(place)?.number();
                self.assign(place, Value::Number(before + by))?;
                Value::Number(if *is_before { before + by } else { before })
            }
            Expression::Unary(operator, inner) => {
                let inner = self.value(inner)?;
                match operator {
                    '!' => truth(!inner.is_true()),
                    '-' => Value::Number(-inner.number()),
                    _ => Value::Number(inner.number()),
                }
            }
            Expression::Binary(operator, left, right) => self.binary(operator, left, right)?,
            Expression::Conditional(condition, left, right) => {
                match self.value(condition)?.is_true() {
                    true => self.value(left)?,
                    false => self.value(right)?,
                }
            }
            Expression::In(index, array) => {
                let index = self.value(index)?.text();
                truth(
                    self.arrays
                        .get(array)
                        .is_some_and(|array| array.contains_key(&index)),
                )
            }
            Expression::Call(name, arguments) => self.call(name, arguments)?,
        })
    }

    fn pattern(&mut self, expression: &Expression) -> Done<Arc<Regex>> {
        let text = match expression {
            Expression::Regex(text) => text.clone(),
            other => self.value(other)?.text(),
        };
        self.regex(&text)
    }

    fn binary(&mut self, operator: &str, left: &Expression, right: &Expression) -> Done<Value> {
        match operator {
            "&&" => {
                return Ok(truth(
                    self.value(left)?.is_true() && self.value(right)?.is_true(),
                ));
            }
            "||" => {
                return Ok(truth(
                    self.value(left)?.is_true() || self.value(right)?.is_true(),
                ));
            }
            "~" | "!~" => {
                let text = self.value(left)?.text();
                let fits = self.pattern(right)?.is_match(text.as_bytes());
                return Ok(truth(fits == (operator == "~")));
            }
            _ => {}
        }
        let (left, right) = (self.value(left)?, self.value(right)?);
        if operator == " " {
            return Ok(Value::Text(left.text() + &right.text()));
        }
        if matches!(operator, "<" | "<=" | "==" | "!=" | ">" | ">=") {
            let order = match left.is_number() && right.is_number() {
                true => left.number().total_cmp(&right.number()),
                false => left.text().cmp(&right.text()),
            };
            return Ok(truth(match operator {
                "<" => order.is_lt(),
                "<=" => order.is_le(),
                "==" => order.is_eq(),
                "!=" => order.is_ne(),
                ">" => order.is_gt(),
                _ => order.is_ge(),
            }));
        }
        arithmetic(operator, left.number(), right.number()).map(Value::Number)
    }

    fn call(&mut self, name: &str, arguments: &[Expression]) -> Done<Value> {
        let text = |machine: &mut Self, at: usize| match arguments.get(at) {
            Some(argument) => machine.value(argument).map(|value| value.text()),
            None => Ok(machine.line.clone()),
        };
        let number = |machine: &mut Self, at: usize| match arguments.get(at) {
            Some(argument) => machine.value(argument).map(|value| value.number()),
            None => Ok(0.0),
        };
        Ok(match name {
            "(" => match arguments.first() {
                Some(argument) => self.value(argument)?,
                None => Value::Text(String::new()),
            },
            "length" => {
                if let Some(Expression::Variable(name)) = arguments.first()
                    && let Some(array) = self.arrays.get(name)
                {
                    return Ok(Value::Number(array.len() as f64));
                }
                Value::Number(text(self, 0)?.chars().count() as f64)
            }
            "substr" => {
                let all: Vec<char> = text(self, 0)?.chars().collect();
                let start = number(self, 1)?.round();
                let end = match arguments.get(2) {
                    Some(_) => start + number(self, 2)?.round(),
                    None => f64::INFINITY,
                };
                let chosen = all
                    .iter()
                    .enumerate()
                    .filter(|(at, _)| (*at as f64 + 1.0) >= start && (*at as f64 + 1.0) < end);
                Value::Text(chosen.map(|(_, one)| *one).collect())
            }
            "index" => {
                let (all, wanted) = (text(self, 0)?, text(self, 1)?);
                Value::Number(
                    all.find(&wanted)
                        .map_or(0.0, |at| all[..at].chars().count() as f64 + 1.0),
                )
            }
            "toupper" => Value::Text(text(self, 0)?.to_uppercase()),
            "tolower" => Value::Text(text(self, 0)?.to_lowercase()),
            "int" => Value::Number(number(self, 0)?.trunc()),
            "sqrt" => Value::Number(number(self, 0)?.sqrt()),
            "split" => {
                let all = text(self, 0)?;
                let Some(Expression::Variable(array)) = arguments.get(1) else {
                    return Err("such a split".to_owned());
                };
                let separator = match arguments.get(2) {
                    Some(Expression::Regex(text)) => text.clone(),
                    Some(argument) => self.value(argument)?.text(),
                    None => self.text("FS"),
                };
                let parts = self.split(&all, &separator)?;
                let count = parts.len() as f64;
                let entries = parts
                    .into_iter()
                    .enumerate()
                    .map(|(at, part)| ((at + 1).to_string(), Value::Input(part)));
                self.arrays.insert(array.clone(), entries.collect());
                Value::Number(count)
            }
            "sub" | "gsub" => self.substitute(name == "gsub", arguments)?,
            "match" => {
                let all = text(self, 0)?;
                let Some(pattern) = arguments.get(1) else {
                    return Err("such a match".to_owned());
                };
                let found = self
                    .pattern(pattern)?
                    .find(all.as_bytes())
                    .map(|part| (part.start(), part.len()));
                let (start, length) = found.map_or((0.0, -1.0), |(start, length)| {
                    (start as f64 + 1.0, length as f64)
                });
                self.variables
                    .insert("RSTART".to_owned(), Value::Number(start));
                self.variables
                    .insert("RLENGTH".to_owned(), Value::Number(length));
                Value::Number(start)
            }
            "sprintf" => Value::Text(self.formatted(arguments)?),
            other => return Err(format!("the function {other}")),
        })
    }

    fn substitute(&mut self, is_all: bool, arguments: &[Expression]) -> Done<Value> {
        let [pattern, with, rest @ ..] = arguments else {
            return Err("such a sub".to_owned());
        };
        let regex = self.pattern(pattern)?;
        let with = self.value(with)?.text();
        let line = Expression::Field(Box::new(Expression::Number(0.0)));
        let place = rest.first().unwrap_or(&line);
        let text = self.value(place)?.text();
        let mut out = Vec::new();
        let (mut end, mut count) = (0, 0);
        for part in regex.find_iter(text.as_bytes()) {
            out.extend_from_slice(&text.as_bytes()[end..part.start()]);
            let found = String::from_utf8_lossy(part.as_bytes()).into_owned();
            let replaced = with
                .replace("\\&", "\u{1}")
                .replace('&', &found)
                .replace('\u{1}', "&");
            out.extend(replaced.into_bytes());
            end = part.end();
            count += 1;
            if !is_all {
                break;
            }
        }
        out.extend_from_slice(&text.as_bytes()[end..]);
        if count > 0 {
            self.assign(
                place,
                Value::Text(String::from_utf8_lossy(&out).into_owned()),
            )?;
        }
        Ok(Value::Number(f64::from(count)))
    }

    fn formatted(&mut self, arguments: &[Expression]) -> Done<String> {
        let Some((first, rest)) = arguments.split_first() else {
            return Err("such a printf".to_owned());
        };
        let format = self.value(first)?.text();
        // Each conversion takes one value; whole ones are cut.
        let mut letters = Vec::new();
        let mut characters = format.chars();
        while let Some(one) = characters.next() {
            if one == '%' {
                let letter = characters
                    .by_ref()
                    .find(|one| one.is_ascii_alphabetic() || *one == '%');
                letters.extend(letter.filter(|letter| *letter != '%'));
            }
        }
        let mut words = Vec::with_capacity(rest.len());
        for (at, argument) in rest.iter().enumerate() {
            let value = self.value(argument)?;
            words.push(match letters.get(at) {
                Some('d' | 'i' | 'u' | 'x' | 'X' | 'o') => format!("{}", value.number() as i64),
                Some('f' | 'e' | 'g' | 'E' | 'G') => format!("{}", value.number()),
                Some('c') if value.is_number() => char::from_u32(value.number() as u32)
                    .map(String::from)
                    .unwrap_or_default(),
                _ => value.text(),
            });
        }
        words.truncate(letters.len());
        let format = format.replace('\\', "\\\\");
        let printed = format::printf(&format, &words, Style::Gnu);
        Ok(String::from_utf8_lossy(&printed.bytes).into_owned())
    }

    fn turn(&mut self) -> Done<()> {
        self.turns += 1;
        match self.turns > MOST_TURNS {
            true => Err("a program that does not end".to_owned()),
            false => Ok(()),
        }
    }

    fn run(&mut self, statement: &Statement) -> Done<Flow> {
        match statement {
            Statement::Block(statements) => {
                for statement in statements {
                    let flow = self.run(statement)?;
                    if flow != Flow::On {
                        return Ok(flow);
                    }
                }
            }
            Statement::Value(value) => {
                self.value(value)?;
            }
            Statement::Print(values) => {
                let mut texts = Vec::with_capacity(values.len());
                for value in values {
                    texts.push(self.value(value)?.text());
                }
                let text = if values.is_empty() {
                    self.line.clone()
                } else {
                    texts.join(&self.text("OFS"))
                };
                self.out.push_str(&text);
                self.out.push_str(&self.text("ORS"));
            }
            Statement::Printf(values) => {
                let text = self.formatted(values)?;
                self.out.push_str(&text);
            }
            Statement::If(condition, body, otherwise) => {
                if self.value(condition)?.is_true() {
                    return self.run(body);
                }
                if let Some(otherwise) = otherwise {
                    return self.run(otherwise);
                }
            }
            Statement::While(condition, body) => {
                while self.value(condition)?.is_true() {
                    self.turn()?;
                    match self.run(body)? {
                        Flow::On | Flow::Continue => {}
                        Flow::Break => break,
                        flow => return Ok(flow),
                    }
                }
            }
            Statement::For(first, condition, step, body) => {
                if let Some(first) = first {
                    self.run(first)?;
                }
                loop {
                    self.turn()?;
                    if let Some(condition) = condition
                        && !self.value(condition)?.is_true()
                    {
                        break;
                    }
                    match self.run(body)? {
                        Flow::On | Flow::Continue => {}
                        Flow::Break => break,
                        flow => return Ok(flow),
                    }
                    if let Some(step) = step {
                        self.run(step)?;
                    }
                }
            }
            Statement::ForIn(name, array, body) => {
                let keys: Vec<String> = self
                    .arrays
                    .get(array)
                    .map(|array| array.keys().cloned().collect())
                    .unwrap_or_default();
                for key in keys {
                    self.variables.insert(name.clone(), Value::Input(key));
                    match self.run(body)? {
                        Flow::On | Flow::Continue => {}
                        Flow::Break => break,
                        flow => return Ok(flow),
                    }
                }
            }
            Statement::Delete(array, index) => match index {
                Some(index) => {
                    let index = self.value(index)?.text();
                    self.arrays.entry(array.clone()).or_default().remove(&index);
                }
                None => {
                    self.arrays.remove(array);
                }
            },
            Statement::Next => return Ok(Flow::Next),
            Statement::Break => return Ok(Flow::Break),
            Statement::Continue => return Ok(Flow::Continue),
            Statement::Exit(status) => {
                if let Some(status) = status {
                    let status = self.value(status)?.number();
                    self.status = Some((status as i64 & 0xff) as u8);
                }
                self.is_over = true;
                return Ok(Flow::Exit);
            }
        }
        Ok(Flow::On)
    }
}

fn arithmetic(operator: &str, left: f64, right: f64) -> Done<f64> {
    if matches!(operator, "/" | "%") && right == 0.0 {
        return Err("a division by zero".to_owned());
    }
    Ok(match operator {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" => left / right,
        "%" => left % right,
        _ => left.powf(right),
    })
}
