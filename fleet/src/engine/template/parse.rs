//! Reading a template.

use super::{Binding, Node, Pipeline, Range, Term};
use crate::engine::value::Value;

/// The functions that there are.
pub(super) const FUNCTIONS: &[&str] = &[
    "and", "eq", "ge", "gt", "index", "join", "json", "le", "len", "lower", "lt", "ne", "not",
    "or", "pad", "print", "printf", "println", "slice", "split", "title", "truncate", "upper",
];

/// A piece between actions, or an action.
enum Piece<'a> {
    Text(&'a str),
    Action(&'a str),
}

/// What ends a list of nodes.
#[derive(Debug, Clone, PartialEq)]
enum Stop {
    /// The end of the text.
    Eof,
    End,
    Else,
    ElseIf(String),
}

/// Reads a whole template.
pub(super) fn nodes(text: &str) -> Result<Vec<Node>, String> {
    let mut parser = Parser {
        pieces: cut(text)?.into_iter(),
        variables: vec!["$".to_owned()],
    };
    match parser.list()? {
        (nodes, Stop::Eof) => Ok(nodes),
        (_, Stop::End) => Err("unexpected {{end}}".to_owned()),
        (_, Stop::Else | Stop::ElseIf(_)) => Err("unexpected {{else}}".to_owned()),
    }
}

/// Cuts a text at its actions; blanks beside `{{- ` and ` -}}` go, and so do comments.
fn cut(text: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut trims = false;
    loop {
        let Some(start) = rest.find("{{") else {
            let last = if trims { rest.trim_start() } else { rest };
            pieces.push(Piece::Text(last));
            return Ok(pieces);
        };
        let mut before = &rest[..start];
        if trims {
            before = before.trim_start();
        }
        let inner = &rest[start + 2..];
        let inner = match inner.strip_prefix("- ") {
            Some(inner) => {
                before = before.trim_end();
                inner
            }
            None => inner,
        };
        pieces.push(Piece::Text(before));
        let end = end_of_action(inner).ok_or("unclosed action")?;
        let mut action = &inner[..end];
        trims = action.ends_with(" -") || action == "-";
        if trims {
            action = &action[..action.len() - 1];
        }
        let action = action.trim();
        if !action.starts_with("/*") {
            if action.is_empty() {
                return Err("missing value for command".to_owned());
            }
            pieces.push(Piece::Action(action));
        }
        rest = &inner[end + 2..];
    }
}

/// Returns where `}}` is, outside of quotes.
fn end_of_action(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut quote = None;
    let mut at = 0;
    while at < bytes.len() {
        match (quote, bytes[at]) {
            (Some(b'"'), b'\\') => at += 1,
            (Some(open), byte) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, byte @ (b'"' | b'`' | b'\'')) => quote = Some(byte),
            (None, b'}') if bytes.get(at + 1) == Some(&b'}') => return Some(at),
            (None, _) => {}
        }
        at += 1;
    }
    None
}

struct Parser<'a> {
    pieces: std::vec::IntoIter<Piece<'a>>,
    variables: Vec<String>,
}

impl Parser<'_> {
    fn list(&mut self) -> Result<(Vec<Node>, Stop), String> {
        let mut nodes = Vec::new();
        let known = self.variables.len();
        let stop = loop {
            let action = match self.pieces.next() {
                None => break Stop::Eof,
                Some(Piece::Text("")) => continue,
                Some(Piece::Text(text)) => {
                    nodes.push(Node::Text(text.to_owned()));
                    continue;
                }
                Some(Piece::Action(action)) => action,
            };
            let (word, rest) = action
                .split_once(char::is_whitespace)
                .unwrap_or((action, ""));
            match word {
                "end" => break Stop::End,
                "else" => {
                    break match rest.trim().strip_prefix("if") {
                        Some(condition) => Stop::ElseIf(condition.to_owned()),
                        None => Stop::Else,
                    };
                }
                "if" => nodes.push(self.branches(rest)?),
                "with" => nodes.push(self.with(rest)?),
                "range" => nodes.push(self.range(rest)?),
                "define" | "template" | "block" | "break" | "continue" => {
                    return Err(format!("the action {{{{{word}}}}} is not simulated"));
                }
                _ => nodes.push(self.action(action)?),
            }
        };
        self.variables.truncate(known);
        Ok((nodes, stop))
    }

    fn body(&mut self) -> Result<(Vec<Node>, Stop), String> {
        match self.list()? {
            (_, Stop::Eof) => Err("unexpected EOF".to_owned()),
            list => Ok(list),
        }
    }

    fn otherwise(&mut self, stop: &Stop) -> Result<Vec<Node>, String> {
        match stop {
            Stop::End => Ok(Vec::new()),
            Stop::Else => match self.body()? {
                (nodes, Stop::End) => Ok(nodes),
                _ => Err("expected end; found {{else}}".to_owned()),
            },
            Stop::ElseIf(_) | Stop::Eof => Err("unexpected {{else}}".to_owned()),
        }
    }

    fn branches(&mut self, condition: &str) -> Result<Node, String> {
        let mut branches = Vec::new();
        let mut condition = condition.to_owned();
        loop {
            let pipeline = self.pipeline(&condition)?;
            let (body, stop) = self.body()?;
            branches.push((pipeline, body));
            match stop {
                Stop::ElseIf(next) => condition = next,
                stop => return Ok(Node::If(branches, self.otherwise(&stop)?)),
            }
        }
    }

    fn with(&mut self, text: &str) -> Result<Node, String> {
        let pipeline = self.pipeline(text)?;
        let (body, stop) = self.body()?;
        Ok(Node::With(pipeline, body, self.otherwise(&stop)?))
    }

    fn range(&mut self, text: &str) -> Result<Node, String> {
        let (names, over) = match text.split_once(":=") {
            Some((names, over)) => (names, over),
            None => ("", text),
        };
        let over = self.pipeline(over)?;
        let mut names: Vec<String> = names
            .split(',')
            .map(|name| name.trim().trim_start_matches('$').to_owned())
            .filter(|name| !name.is_empty())
            .collect();
        let value = names.pop();
        let index = names.pop();
        let known = self.variables.len();
        let made = index.iter().chain(&value);
        self.variables.extend(made.map(|name| format!("${name}")));
        let (body, stop) = self.body()?;
        self.variables.truncate(known);
        let otherwise = self.otherwise(&stop)?;
        Ok(Node::Range(Range {
            index,
            value,
            over,
            body,
            otherwise,
        }))
    }

    fn action(&mut self, text: &str) -> Result<Node, String> {
        if text.starts_with('$') {
            for (sign, binding) in [(":=", Binding::New), ("=", Binding::Old)] {
                let Some((name, value)) = text.split_once(sign) else {
                    continue;
                };
                let name = name.trim();
                if name.contains(|one: char| one.is_whitespace() || one == '"' || one == '|') {
                    continue;
                }
                let pipeline = self.pipeline(value)?;
                if binding == Binding::New {
                    self.variables.push(name.to_owned());
                }
                let name = name.trim_start_matches('$').to_owned();
                return Ok(Node::Set(name, pipeline, binding));
            }
        }
        self.pipeline(text).map(Node::Print)
    }

    fn pipeline(&self, text: &str) -> Result<Pipeline, String> {
        let tokens = tokens(text)?;
        let mut at = 0;
        let pipeline = self.calls(&tokens, &mut at)?;
        match tokens.get(at) {
            None => Ok(pipeline),
            Some(_) => Err("unexpected right paren".to_owned()),
        }
    }

    fn calls(&self, tokens: &[Token], at: &mut usize) -> Result<Pipeline, String> {
        let mut calls = Vec::new();
        let mut call = Vec::new();
        while let Some(token) = tokens.get(*at) {
            if *token == Token::Close {
                break;
            }
            *at += 1;
            match token {
                Token::Pipe => {
                    if call.is_empty() {
                        return Err("missing value for command".to_owned());
                    }
                    calls.push(std::mem::take(&mut call));
                }
                Token::Open => {
                    let group = self.calls(tokens, at)?;
                    if tokens.get(*at) != Some(&Token::Close) {
                        return Err("unclosed left paren".to_owned());
                    }
                    *at += 1;
                    let mut names = Vec::new();
                    if let Some(Token::Chain(chain)) = tokens.get(*at) {
                        names.clone_from(chain);
                        *at += 1;
                    }
                    call.push(Term::Group(group, names));
                }
                Token::Word(word) => call.push(self.word(word)?),
                Token::Chain(names) => call.push(Term::Field(names.clone())),
                Token::Literal(value) => call.push(Term::Literal(value.clone())),
                Token::Close => {}
            }
        }
        if call.is_empty() {
            return Err("missing value for command".to_owned());
        }
        calls.push(call);
        Ok(Pipeline { calls })
    }

    fn word(&self, word: &str) -> Result<Term, String> {
        if let Some(rest) = word.strip_prefix('$') {
            let mut names = rest.split('.').map(str::to_owned);
            let name = names.next().unwrap_or_default();
            if !self.variables.contains(&format!("${name}")) {
                return Err(format!("undefined variable \"${name}\""));
            }
            return Ok(Term::Variable(name, names.collect()));
        }
        match word {
            "true" => Ok(Term::Literal(Value::Bool(true))),
            "false" => Ok(Term::Literal(Value::Bool(false))),
            "nil" => Ok(Term::Literal(Value::Null)),
            word if FUNCTIONS.contains(&word) => Ok(Term::Function(word.to_owned())),
            word => Err(format!("function \"{word}\" not defined")),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Chain(Vec<String>),
    Literal(Value),
    Pipe,
    Open,
    Close,
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '|' => (Token::Pipe, 1),
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '"' | '`' | '\'' => quoted(rest, first)?,
            _ => word(rest)?,
        };
        found.push(token);
        // A chain belongs to a group only where nothing is between them.
        rest = rest[length..].trim_start();
    }
    Ok(found)
}

fn quoted(text: &str, quote: char) -> Result<(Token, usize), String> {
    let mut content = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, one)) = characters.next() {
        match one {
            one if one == quote => {
                return Ok((Token::Literal(Value::Text(content)), at + one.len_utf8()));
            }
            '\\' if quote == '"' => match characters.next() {
                Some((_, 'n')) => content.push('\n'),
                Some((_, 't')) => content.push('\t'),
                Some((_, 'r')) => content.push('\r'),
                Some((_, other)) => content.push(other),
                None => break,
            },
            one => content.push(one),
        }
    }
    Err("unterminated quoted string".to_owned())
}

fn word(text: &str) -> Result<(Token, usize), String> {
    let ends = |one: char| one.is_whitespace() || "|()\"`".contains(one);
    let length = text.find(ends).unwrap_or(text.len());
    let word = &text[..length];
    let token = if word == "." {
        Token::Chain(Vec::new())
    } else if let Some(names) = word.strip_prefix('.') {
        if names.split('.').any(str::is_empty) {
            return Err(format!("unexpected <.> in operand {word:?}"));
        }
        Token::Chain(names.split('.').map(str::to_owned).collect())
    } else if word.starts_with(|one: char| one.is_ascii_digit() || one == '-') {
        Token::Literal(number(word)?)
    } else {
        let good = |one: char| one.is_alphanumeric() || "_.$".contains(one);
        if let Some(bad) = word.chars().find(|&one| !good(one)) {
            return Err(format!("unexpected {bad:?} in command"));
        }
        Token::Word(word.to_owned())
    };
    Ok((token, length))
}

fn number(word: &str) -> Result<Value, String> {
    if let Ok(number) = word.parse() {
        return Ok(Value::Int(number));
    }
    let parsed = word.parse().ok().map(Value::Float);
    parsed.ok_or_else(|| format!("bad number syntax: {word:?}"))
}
