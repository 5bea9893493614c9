//! The grammar of `awk`.

/// When a rule applies.
#[derive(Debug)]
pub(super) enum When {
    Begin,
    End,
    Always,
    Pattern(Expression),
    Range(Expression, Expression),
}

/// A rule.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) when: When,
    /// `None` prints the line.
    pub(super) action: Option<Statement>,
}

/// A statement.
#[derive(Debug)]
pub(super) enum Statement {
    Block(Vec<Statement>),
    Value(Expression),
    Print(Vec<Expression>),
    Printf(Vec<Expression>),
    If(Expression, Box<Statement>, Option<Box<Statement>>),
    While(Expression, Box<Statement>),
    For(
        Option<Box<Statement>>,
        Option<Expression>,
        Option<Box<Statement>>,
        Box<Statement>,
    ),
    ForIn(String, String, Box<Statement>),
    Delete(String, Option<Expression>),
    Next,
    Break,
    Continue,
    Exit(Option<Expression>),
}

/// An expression.
#[derive(Debug, Clone)]
pub(super) enum Expression {
    Number(f64),
    Text(String),
    Regex(String),
    Variable(String),
    Field(Box<Expression>),
    Element(String, Box<Expression>),
    Assign(Box<Expression>, Option<&'static str>, Box<Expression>),
    Increment {
        place: Box<Expression>,
        by: f64,
        is_before: bool,
    },
    Unary(char, Box<Expression>),
    Binary(&'static str, Box<Expression>, Box<Expression>),
    Conditional(Box<Expression>, Box<Expression>, Box<Expression>),
    In(Box<Expression>, String),
    Call(String, Vec<Expression>),
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(f64),
    Text(String),
    Regex(String),
    Name(String),
    /// A name with its parenthesis.
    Call(String),
    Operator(&'static str),
    Newline,
}

const OPERATORS: &[&str] = &[
    "&&", "||", "==", "!=", "<=", ">=", "++", "--", "+=", "-=", "*=", "/=", "%=", "^=", "!~", ">>",
    "{", "}", "(", ")", "[", "]", ";", ",", "+", "-", "*", "/", "%", "^", "!", ">", "<", "=", "~",
    "?", ":", "$", "|",
];

const KEYWORDS: &[&str] = &[
    "BEGIN", "END", "if", "else", "while", "for", "do", "in", "next", "exit", "print", "printf",
    "delete", "break", "continue", "function", "func", "getline", "return",
];

type Parsed<T> = Result<T, String>;

fn unescape(text: &str) -> String {
    String::from_utf8_lossy(&crate::shell::format::unescape(text).0).into_owned()
}

fn lex(text: &str) -> Parsed<Vec<Token>> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(one) = text[at..].chars().next() {
        let rest = &text[at..];
        match one {
            ' ' | '\t' | '\r' => at += 1,
            '\n' => {
                tokens.push(Token::Newline);
                at += 1;
            }
            '\\' if rest.starts_with("\\\n") => at += 2,
            '#' => at += rest.find('\n').unwrap_or(rest.len()),
            '"' => {
                let end = closing(rest, '"').ok_or("a text without its end")?;
                tokens.push(Token::Text(unescape(
                    &rest[1..end].replace("\\\"", "\"").replace("\\/", "/"),
                )));
                at += end + 1;
            }
            '/' if may_be_regex(tokens.last()) => {
                let end = closing(rest, '/').ok_or("an expression without its end")?;
                tokens.push(Token::Regex(rest[1..end].replace("\\/", "/")));
                at += end + 1;
            }
            one if one.is_ascii_digit()
                || (one == '.' && rest[1..].starts_with(|one: char| one.is_ascii_digit())) =>
            {
                let length = number_length(rest);
                tokens.push(Token::Number(rest[..length].parse().unwrap_or(0.0)));
                at += length;
            }
            one if one.is_ascii_alphabetic() || one == '_' => {
                let end = rest
                    .find(|one: char| !one.is_ascii_alphanumeric() && one != '_')
                    .unwrap_or(rest.len());
                let name = rest[..end].to_owned();
                let calls = rest[end..].starts_with('(') && !KEYWORDS.contains(&name.as_str());
                tokens.push(if calls {
                    Token::Call(name)
                } else {
                    Token::Name(name)
                });
                at += end;
            }
            one => {
                let operator = OPERATORS
                    .iter()
                    .find(|operator| rest.starts_with(**operator));
                let operator = operator.ok_or_else(|| format!("the character {one}"))?;
                tokens.push(Token::Operator(operator));
                at += operator.len();
            }
        }
    }
    Ok(tokens)
}

fn closing(text: &str, end: char) -> Option<usize> {
    let mut is_escaped = false;
    let mut is_in_set = false;
    text.char_indices()
        .skip(1)
        .find(|(_, one)| {
            let ends = *one == end && !is_escaped && !(is_in_set && end == '/');
            match one {
                '[' if !is_escaped => is_in_set = true,
                ']' if !is_escaped => is_in_set = false,
                _ => {}
            }
            is_escaped = *one == '\\' && !is_escaped;
            ends
        })
        .map(|(at, _)| at)
}

fn may_be_regex(last: Option<&Token>) -> bool {
    match last {
        Some(Token::Number(_) | Token::Text(_) | Token::Regex(_)) => false,
        Some(Token::Name(name)) => KEYWORDS.contains(&name.as_str()),
        Some(Token::Operator(operator)) => !matches!(*operator, ")" | "]" | "$" | "++" | "--"),
        Some(Token::Call(_) | Token::Newline) | None => true,
    }
}

fn number_length(text: &str) -> usize {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut length = digits(text);
    if text[length..].starts_with('.') {
        length += 1 + digits(&text[length + 1..]);
    }
    if text[length..].starts_with(['e', 'E']) {
        let sign = usize::from(text[length + 1..].starts_with(['+', '-']));
        let exponent = digits(&text[length + 1 + sign..]);
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    length
}

/// Parses a program.
///
/// # Errors
///
/// Fails with what is not simulated, or not understood.
pub(super) fn parse(text: &str) -> Parsed<Vec<Rule>> {
    let tokens = lex(text)?;
    let mut reader = Reader {
        tokens,
        at: 0,
        depth: 0,
        is_printing: false,
        is_in_for: false,
    };
    let mut rules = Vec::new();
    loop {
        reader.skip_ends();
        if reader.at >= reader.tokens.len() {
            return Ok(rules);
        }
        rules.push(reader.rule()?);
    }
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    /// `>` is a redirection here.
    is_printing: bool,
    /// `in` belongs to the loop here.
    is_in_for: bool,
}

impl Reader {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn takes(&mut self, operator: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Operator(one)) if *one == operator);
        self.at += usize::from(found);
        found
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Name(one)) if one == word);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, operator: &str) -> Parsed<()> {
        match self.takes(operator) {
            true => Ok(()),
            false => Err(format!("a program without {operator} at {:?}", self.peek())),
        }
    }

    fn skip_newlines(&mut self) {
        while self.peek() == Some(&Token::Newline) {
            self.at += 1;
        }
    }

    fn skip_ends(&mut self) {
        while matches!(self.peek(), Some(Token::Newline | Token::Operator(";"))) {
            self.at += 1;
        }
    }

    fn rule(&mut self) -> Parsed<Rule> {
        let when = if self.takes_word("BEGIN") {
            When::Begin
        } else if self.takes_word("END") {
            When::End
        } else if matches!(self.peek(), Some(Token::Operator("{"))) {
            When::Always
        } else {
            let first = self.expression()?;
            match self.takes(",") {
                true => When::Range(first, self.expression()?),
                false => When::Pattern(first),
            }
        };
        let action = match self.peek() {
            Some(Token::Operator("{")) => Some(self.block()?),
            _ => None,
        };
        Ok(Rule { when, action })
    }

    fn block(&mut self) -> Parsed<Statement> {
        self.expect("{")?;
        let mut statements = Vec::new();
        loop {
            self.skip_ends();
            if self.takes("}") {
                return Ok(Statement::Block(statements));
            }
            statements.push(self.statement()?);
        }
    }

    fn body(&mut self) -> Parsed<Box<Statement>> {
        self.skip_newlines();
        if self.takes(";") {
            return Ok(Box::new(Statement::Block(Vec::new())));
        }
        Ok(Box::new(self.statement()?))
    }

    fn statement(&mut self) -> Parsed<Statement> {
        self.depth += 1;
        if self.depth > 60 {
            return Err("a program that is nested so deep".to_owned());
        }
        let statement = self.statement_within();
        self.depth -= 1;
        statement
    }

    fn statement_within(&mut self) -> Parsed<Statement> {
        if matches!(self.peek(), Some(Token::Operator("{"))) {
            return self.block();
        }
        if self.takes_word("if") {
            self.expect("(")?;
            let condition = self.expression()?;
            self.expect(")")?;
            let body = self.body()?;
            let start = self.at;
            self.skip_ends();
            if self.takes_word("else") {
                return Ok(Statement::If(condition, body, Some(self.body()?)));
            }
            self.at = start;
            return Ok(Statement::If(condition, body, None));
        }
        if self.takes_word("while") {
            self.expect("(")?;
            let condition = self.expression()?;
            self.expect(")")?;
            return Ok(Statement::While(condition, self.body()?));
        }
        if self.takes_word("for") {
            return self.for_statement();
        }
        self.simple()
    }

    fn for_statement(&mut self) -> Parsed<Statement> {
        self.expect("(")?;
        if let [
            Some(Token::Name(name)),
            Some(Token::Name(word)),
            Some(Token::Name(array)),
        ] = [
            self.tokens.get(self.at),
            self.tokens.get(self.at + 1),
            self.tokens.get(self.at + 2),
        ] && word == "in"
        {
            let (name, array) = (name.clone(), array.clone());
            self.at += 3;
            self.expect(")")?;
            return Ok(Statement::ForIn(name, array, self.body()?));
        }
        let first = match self.takes(";") {
            true => None,
            false => {
                let first = self.simple()?;
                self.expect(";")?;
                Some(Box::new(first))
            }
        };
        let condition = match self.takes(";") {
            true => None,
            false => {
                let condition = self.expression()?;
                self.expect(";")?;
                Some(condition)
            }
        };
        let step = match self.takes(")") {
            true => None,
            false => {
                let step = self.simple()?;
                self.expect(")")?;
                Some(Box::new(step))
            }
        };
        Ok(Statement::For(first, condition, step, self.body()?))
    }

    fn simple(&mut self) -> Parsed<Statement> {
        let word = match self.peek() {
            Some(Token::Name(word)) if KEYWORDS.contains(&word.as_str()) => word.clone(),
            _ => return Ok(Statement::Value(self.expression()?)),
        };
        self.at += 1;
        Ok(match word.as_str() {
            "next" => Statement::Next,
            "break" => Statement::Break,
            "continue" => Statement::Continue,
            "exit" => match self.is_end() {
                true => Statement::Exit(None),
                false => Statement::Exit(Some(self.expression()?)),
            },
            "delete" => {
                let Some(Token::Name(name)) = self.peek().cloned() else {
                    return Err("such a delete".to_owned());
                };
                self.at += 1;
                if self.takes("[") {
                    let index = self.index()?;
                    return Ok(Statement::Delete(name, Some(index)));
                }
                Statement::Delete(name, None)
            }
            "print" | "printf" => {
                let values = self.printed()?;
                match word.as_str() {
                    "print" => Statement::Print(values),
                    _ => Statement::Printf(values),
                }
            }
            other => return Err(format!("the statement {other}")),
        })
    }

    fn is_end(&self) -> bool {
        matches!(
            self.peek(),
            None | Some(Token::Newline | Token::Operator(";" | "}"))
        )
    }

    fn printed(&mut self) -> Parsed<Vec<Expression>> {
        let mut values = Vec::new();
        self.is_printing = true;
        while !self.is_end() {
            // `print (a, b)` has its list in parentheses.
            if values.is_empty() && matches!(self.peek(), Some(Token::Operator("("))) {
                let start = self.at;
                self.at += 1;
                let mut list = vec![self.expression()?];
                while self.takes(",") {
                    list.push(self.expression()?);
                }
                if self.takes(")") && list.len() > 1 && self.is_end() {
                    values = list;
                    break;
                }
                self.at = start;
            }
            values.push(self.expression()?);
            if !self.takes(",") {
                break;
            }
            self.skip_newlines();
        }
        self.is_printing = false;
        if matches!(self.peek(), Some(Token::Operator(">" | ">>" | "|"))) {
            return Err("output to files and commands".to_owned());
        }
        Ok(values)
    }

    fn index(&mut self) -> Parsed<Expression> {
        let mut index = self.expression()?;
        while self.takes(",") {
            let next = self.expression()?;
            let joined = Expression::Binary(
                " ",
                Box::new(index),
                Box::new(Expression::Variable("SUBSEP".to_owned())),
            );
            index = Expression::Binary(" ", Box::new(joined), Box::new(next));
        }
        self.expect("]")?;
        Ok(index)
    }

    fn expression(&mut self) -> Parsed<Expression> {
        self.depth += 1;
        if self.depth > 60 {
            return Err("a program that is nested so deep".to_owned());
        }
        let result = self.assignment();
        self.depth -= 1;
        result
    }

    fn assignment(&mut self) -> Parsed<Expression> {
        let left = self.conditional()?;
        let is_place = matches!(
            left,
            Expression::Variable(_) | Expression::Field(_) | Expression::Element(..)
        );
        if !is_place {
            return Ok(left);
        }
        for (text, operator) in [
            ("=", None),
            ("+=", Some("+")),
            ("-=", Some("-")),
            ("*=", Some("*")),
            ("/=", Some("/")),
            ("%=", Some("%")),
            ("^=", Some("^")),
        ] {
            if self.takes(text) {
                let right = self.expression()?;
                return Ok(Expression::Assign(
                    Box::new(left),
                    operator,
                    Box::new(right),
                ));
            }
        }
        Ok(left)
    }

    fn conditional(&mut self) -> Parsed<Expression> {
        let condition = self.binary(0)?;
        if !self.takes("?") {
            return Ok(condition);
        }
        let left = self.expression()?;
        self.expect(":")?;
        let right = self.expression()?;
        Ok(Expression::Conditional(
            Box::new(condition),
            Box::new(left),
            Box::new(right),
        ))
    }

    fn operator(&mut self, level: usize) -> Option<&'static str> {
        const LEVELS: &[&[&str]] = &[
            &["||"],
            &["&&"],
            &["in"],
            &["~", "!~"],
            &["<", "<=", "==", "!=", ">", ">="],
            &[" "],
            &["+", "-"],
            &["*", "/", "%"],
        ];
        match (level, self.peek()) {
            (2, Some(Token::Name(word))) if word == "in" && !self.is_in_for => {
                self.at += 1;
                Some("in")
            }
            (5, Some(token)) => {
                let joins = match token {
                    Token::Number(_) | Token::Text(_) | Token::Call(_) => true,
                    Token::Name(name) => !KEYWORDS.contains(&name.as_str()),
                    Token::Operator(operator) => matches!(*operator, "$" | "!" | "(" | "++" | "--"),
                    Token::Regex(_) | Token::Newline => false,
                };
                joins.then_some(" ")
            }
            (_, Some(Token::Operator(operator))) if level != 5 => {
                if self.is_printing && *operator == ">" {
                    return None;
                }
                let found = LEVELS[level].iter().find(|one| *one == operator)?;
                self.at += 1;
                Some(found)
            }
            _ => None,
        }
    }

    fn binary(&mut self, level: usize) -> Parsed<Expression> {
        if level == 8 {
            return self.unary();
        }
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = self.operator(level) {
            if operator == "in" {
                let Some(Token::Name(array)) = self.peek().cloned() else {
                    return Err("such an in".to_owned());
                };
                self.at += 1;
                left = Expression::In(Box::new(left), array);
                continue;
            }
            if matches!(operator, "&&" | "||") {
                self.skip_newlines();
            }
            let right = self.binary(level + 1)?;
            left = Expression::Binary(operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed<Expression> {
        for (text, letter) in [("!", '!'), ("-", '-'), ("+", '+')] {
            if self.takes(text) {
                self.depth += 1;
                if self.depth > 60 {
                    return Err("a program that is nested so deep".to_owned());
                }
                let inner = self.unary()?;
                self.depth -= 1;
                return Ok(Expression::Unary(letter, Box::new(inner)));
            }
        }
        let base = self.postfix()?;
        if self.takes("^") {
            let right = self.unary()?;
            return Ok(Expression::Binary("^", Box::new(base), Box::new(right)));
        }
        Ok(base)
    }

    fn postfix(&mut self) -> Parsed<Expression> {
        for (text, by) in [("++", 1.0), ("--", -1.0)] {
            if self.takes(text) {
                let place = Box::new(self.primary()?);
                return Ok(Expression::Increment {
                    place,
                    by,
                    is_before: true,
                });
            }
        }
        let place = self.primary()?;
        if !matches!(
            place,
            Expression::Variable(_) | Expression::Field(_) | Expression::Element(..)
        ) {
            return Ok(place);
        }
        for (text, by) in [("++", 1.0), ("--", -1.0)] {
            if self.takes(text) {
                return Ok(Expression::Increment {
                    place: Box::new(place),
                    by,
                    is_before: false,
                });
            }
        }
        Ok(place)
    }

    fn primary(&mut self) -> Parsed<Expression> {
        let token = self.peek().cloned().ok_or("a program that ends early")?;
        self.at += 1;
        Ok(match token {
            Token::Number(number) => Expression::Number(number),
            Token::Text(text) => Expression::Text(text),
            Token::Regex(text) => Expression::Regex(text),
            Token::Name(name) if name == "length" => Expression::Call(name, Vec::new()),
            Token::Name(name) if KEYWORDS.contains(&name.as_str()) => {
                return Err(format!("the word {name} here"));
            }
            Token::Name(name) => match self.takes("[") {
                true => Expression::Element(name, Box::new(self.index()?)),
                false => Expression::Variable(name),
            },
            Token::Call(name) => {
                self.expect("(")?;
                let was_printing = std::mem::replace(&mut self.is_printing, false);
                let mut arguments = Vec::new();
                while !self.takes(")") {
                    arguments.push(self.expression()?);
                    self.takes(",");
                }
                self.is_printing = was_printing;
                Expression::Call(name, arguments)
            }
            Token::Operator("$") => {
                let inner = if matches!(self.peek(), Some(Token::Operator("++" | "--"))) {
                    self.postfix()?
                } else {
                    self.primary()?
                };
                Expression::Field(Box::new(inner))
            }
            Token::Operator("-") => Expression::Unary('-', Box::new(self.primary()?)),
            Token::Operator("(") => {
                let was_printing = std::mem::replace(&mut self.is_printing, false);
                let inner = self.expression()?;
                self.is_printing = was_printing;
                if matches!(self.peek(), Some(Token::Operator(","))) {
                    return Err("lists in parentheses".to_owned());
                }
                self.expect(")")?;
                // A value in parentheses is no place.
                match inner {
                    Expression::Variable(_) | Expression::Field(_) | Expression::Element(..) => {
                        Expression::Call("(".to_owned(), vec![inner])
                    }
                    inner => inner,
                }
            }
            Token::Operator(operator) => return Err(format!("the operator {operator} here")),
            Token::Newline => return Err("a line that ends here".to_owned()),
        })
    }
}
