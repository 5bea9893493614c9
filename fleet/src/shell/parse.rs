//! The grammar: one complete command at a time, as a shell reads it.

use std::sync::{Arc, OnceLock};

use super::tree::{Assignment, Command, Redirection, Simple, Target, Word};

/// How deep commands may be nested.
const DEEPEST: usize = 80;

/// Which language is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Dialect {
    /// `sh`, as dash reads it.
    Posix,
    /// `bash`, the parts of it that are common.
    Bash,
}

/// Why a text cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    /// The line.
    pub(crate) line: u32,
    /// What the shell says, without its prefix.
    pub(crate) text: String,
    /// Whether more text may make it right.
    pub(crate) is_incomplete: bool,
    /// What is not simulated, where that is the reason.
    pub(crate) not_simulated: Option<&'static str>,
}

pub(super) type Parsed<T> = Result<T, SyntaxError>;

/// A here-document whose body comes after the end of the line.
struct Pending {
    slot: Arc<OnceLock<Word>>,
    delimiter: String,
    strips_tabs: bool,
    is_quoted: bool,
}

/// A token.
#[derive(Debug, Clone)]
enum Token {
    Word(Word),
    Operator(&'static str),
    /// The number before `<` or `>`.
    Number(u32),
    Newline,
    End,
}

/// Reads a text.
pub(crate) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    pub(super) line: u32,
    pub(super) dialect: Dialect,
    depth: usize,
    /// The token that was looked at, and where it began.
    token: Option<(Token, usize, u32)>,
    pending: Vec<Pending>,
    here_ended_early: bool,
}

const OPERATORS: &[&str] = &[
    "<<<", "<<-", "&&", "||", ";;", "<<", ">>", "<&", ">&", "<>", ">|", "&>", "&", "|", ";", "<",
    ">", "(", ")",
];

const RESERVED: &[&str] = &[
    "!", "{", "}", "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in", "then",
    "until", "while",
];

/// Returns whether a word is reserved.
pub(crate) fn is_reserved(word: &str) -> bool {
    RESERVED.contains(&word)
}

/// Returns whether a text is a name of a variable.
pub(crate) fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    let starts = bytes
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    starts && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl<'a> Parser<'a> {
    /// Makes a parser of a text whose first line has a number.
    pub(crate) fn new(text: &'a str, line: u32, dialect: Dialect) -> Self {
        Self {
            text,
            at: 0,
            line,
            dialect,
            depth: 0,
            token: None,
            pending: Vec::new(),
            here_ended_early: false,
        }
    }

    /// Returns a parser of a text within this one.
    pub(super) fn within<'b>(&self, text: &'b str, line: u32) -> Parser<'b> {
        let mut inner = Parser::new(text, line, self.dialect);
        inner.depth = self.depth;
        inner
    }

    /// Parses the next complete command: what stands up to the end of a line. `None` at the end.
    ///
    /// # Errors
    ///
    /// Fails where the text is wrong, or ends too early.
    pub(crate) fn next_command(&mut self) -> Parsed<Option<Command>> {
        self.skip_newlines()?;
        if matches!(self.peek()?, Token::End) {
            return Ok(None);
        }
        let mut commands = Vec::new();
        loop {
            let ends = self.item(&mut commands)?;
            match self.peek()? {
                Token::Newline => {
                    self.take()?;
                    break;
                }
                Token::End => {
                    self.here_documents()?;
                    break;
                }
                _ if ends => {}
                _ => return Err(self.unexpected(None)),
            }
        }
        Ok(Some(one_or_sequence(commands)))
    }

    /// Returns how many bytes of the text have been read.
    pub(crate) fn position(&self) -> usize {
        self.token.as_ref().map_or(self.at, |(_, at, _)| *at)
    }

    /// Returns the line that is read next.
    pub(crate) fn line(&self) -> u32 {
        self.token.as_ref().map_or(self.line, |(_, _, line)| *line)
    }

    /// Returns whether a here-document was ended by the end of the text.
    pub(crate) fn here_ended_early(&self) -> bool {
        self.here_ended_early
    }

    // Tokens.

    fn peek(&mut self) -> Parsed<&Token> {
        if self.token.is_none() {
            self.skip_blanks();
            let (at, line) = (self.at, self.line);
            let token = self.lex()?;
            self.token = Some((token, at, line));
        }
        match &self.token {
            Some((token, _, _)) => Ok(token),
            None => Ok(&Token::End),
        }
    }

    fn take(&mut self) -> Parsed<Token> {
        self.peek()?;
        Ok(self.token.take().map_or(Token::End, |(token, _, _)| token))
    }

    fn skip_blanks(&mut self) {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b' ' | b'\t') => self.at += 1,
                Some(b'\\') if bytes.get(self.at + 1) == Some(&b'\n') => {
                    self.at += 2;
                    self.line += 1;
                }
                Some(b'#') => {
                    let rest = &self.text[self.at..];
                    self.at += rest.find('\n').unwrap_or(rest.len());
                }
                _ => return,
            }
        }
    }

    fn lex(&mut self) -> Parsed<Token> {
        let rest = &self.text[self.at..];
        let Some(first) = rest.chars().next() else {
            return Ok(Token::End);
        };
        if first == '\n' {
            self.at += 1;
            self.line += 1;
            self.here_documents()?;
            return Ok(Token::Newline);
        }
        let is_known =
            |operator: &str| self.dialect == Dialect::Bash || !matches!(operator, "<<<" | "&>");
        let found = OPERATORS
            .iter()
            .find(|operator| rest.starts_with(**operator) && is_known(operator));
        if let Some(operator) = found {
            self.at += operator.len();
            return Ok(Token::Operator(operator));
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 && digits < 4 && rest[digits..].starts_with(['<', '>']) {
            self.at += digits;
            return Ok(Token::Number(rest[..digits].parse().unwrap_or(0)));
        }
        self.word().map(Token::Word)
    }

    fn is_operator(&mut self, operator: &str) -> Parsed<bool> {
        Ok(matches!(self.peek()?, Token::Operator(one) if *one == operator))
    }

    fn is_word(&mut self, text: &str) -> Parsed<bool> {
        Ok(matches!(self.peek()?, Token::Word(word) if word.plain() == Some(text)))
    }

    /// Returns the reserved word that comes next.
    fn reserved(&mut self) -> Parsed<Option<&'static str>> {
        Ok(match self.peek()? {
            Token::Word(word) => match word.plain() {
                Some(text) => RESERVED.iter().find(|one| **one == text).copied(),
                None => None,
            },
            _ => None,
        })
    }

    fn skip_newlines(&mut self) -> Parsed<()> {
        while matches!(self.peek()?, Token::Newline) {
            self.take()?;
        }
        Ok(())
    }

    fn expect_word(&mut self, text: &'static str) -> Parsed<()> {
        if self.is_word(text)? {
            self.take()?;
            return Ok(());
        }
        Err(self.unexpected(Some(text)))
    }

    fn expect_operator(&mut self, text: &'static str) -> Parsed<()> {
        if self.is_operator(text)? {
            self.take()?;
            return Ok(());
        }
        Err(self.unexpected(Some(text)))
    }

    // Errors.

    pub(super) fn error(&self, text: impl Into<String>) -> SyntaxError {
        SyntaxError {
            line: self.line,
            text: format!("Syntax error: {}", text.into()),
            is_incomplete: false,
            not_simulated: None,
        }
    }

    pub(super) fn incomplete(&self, text: impl Into<String>) -> SyntaxError {
        SyntaxError {
            is_incomplete: true,
            ..self.error(text)
        }
    }

    pub(super) fn not_simulated(&self, what: &'static str) -> SyntaxError {
        SyntaxError {
            not_simulated: Some(what),
            ..self.error(what)
        }
    }

    fn unexpected(&mut self, expected: Option<&str>) -> SyntaxError {
        let (name, is_end) = match &self.token {
            Some((Token::Word(word), _, _)) => match word.plain() {
                Some(text) if is_reserved(text) => (format!("\"{text}\""), false),
                _ => ("word".to_owned(), false),
            },
            Some((Token::Operator(operator), _, _)) if operator.starts_with(['<', '>']) => {
                ("redirection".to_owned(), false)
            }
            Some((Token::Operator(operator), _, _)) => (format!("\"{operator}\""), false),
            Some((Token::Number(_), _, _)) => ("redirection".to_owned(), false),
            Some((Token::Newline, _, _)) => ("newline".to_owned(), false),
            Some((Token::End, _, _)) | None => ("end of file".to_owned(), true),
        };
        let expecting = expected.map(|what| match what {
            "word" => " (expecting word)".to_owned(),
            what => format!(" (expecting \"{what}\")"),
        });
        SyntaxError {
            is_incomplete: is_end,
            ..self.error(format!(
                "{name} unexpected{}",
                expecting.unwrap_or_default()
            ))
        }
    }

    pub(super) fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEEPEST {
            return Err(self.not_simulated("commands that are nested so deep"));
        }
        self.depth += 1;
        let result = parse(self);
        self.depth -= 1;
        result
    }

    // Lists.

    /// Parses one item with its separator; returns whether there was one that lets more follow.
    fn item(&mut self, commands: &mut Vec<Command>) -> Parsed<bool> {
        let command = self.and_or()?;
        if self.is_operator("&")? {
            self.take()?;
            commands.push(Command::Background(Arc::new(command)));
            return Ok(true);
        }
        commands.push(command);
        if self.is_operator(";")? {
            self.take()?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Parses a list up to something that cannot begin a command.
    fn list(&mut self, may_be_empty: bool) -> Parsed<Command> {
        let mut commands = Vec::new();
        loop {
            self.skip_newlines()?;
            let ends = match self.peek()? {
                Token::End => true,
                Token::Operator(operator) => {
                    matches!(*operator, ")" | ";;" | ";" | "&" | "&&" | "||" | "|")
                }
                _ => matches!(
                    self.reserved()?,
                    Some("then" | "do" | "done" | "elif" | "else" | "esac" | "fi" | "}")
                ),
            };
            if ends {
                break;
            }
            let separated = self.item(&mut commands)?;
            if !separated && !matches!(self.peek()?, Token::Newline) {
                break;
            }
        }
        // At the end of the text the caller says what it expects.
        let is_over = matches!(self.peek()?, Token::End);
        if commands.is_empty() && !may_be_empty && !is_over {
            return Err(self.unexpected(None));
        }
        Ok(one_or_sequence(commands))
    }

    /// Parses what stands between `$(` and `)`.
    pub(super) fn substitution(&mut self) -> Parsed<Command> {
        let saved = self.token.take();
        let body = self.deeper(|parser| {
            let body = parser.list(true)?;
            parser.expect_operator(")")?;
            Ok(body)
        })?;
        self.token = saved;
        Ok(body)
    }

    /// Parses a whole text.
    pub(super) fn whole(&mut self) -> Parsed<Command> {
        self.deeper(|parser| {
            let body = parser.list(true)?;
            if !matches!(parser.peek()?, Token::End) {
                return Err(parser.unexpected(None));
            }
            parser.here_documents()?;
            Ok(body)
        })
    }

    fn and_or(&mut self) -> Parsed<Command> {
        let mut left = self.pipeline()?;
        loop {
            let is_and = self.is_operator("&&")?;
            if !is_and && !self.is_operator("||")? {
                return Ok(left);
            }
            self.take()?;
            self.skip_newlines()?;
            let right = Box::new(self.pipeline()?);
            left = match is_and {
                true => Command::And(Box::new(left), right),
                false => Command::Or(Box::new(left), right),
            };
        }
    }

    fn pipeline(&mut self) -> Parsed<Command> {
        let mut is_negated = false;
        while self.is_word("!")? {
            self.take()?;
            is_negated = !is_negated;
        }
        let first = self.command()?;
        let command = if self.is_operator("|")? {
            let mut stages = vec![Arc::new(first)];
            while self.is_operator("|")? {
                self.take()?;
                self.skip_newlines()?;
                stages.push(Arc::new(self.command()?));
            }
            Command::Pipeline(stages)
        } else {
            first
        };
        Ok(match is_negated {
            true => Command::Not(Box::new(command)),
            false => command,
        })
    }

    // Commands.

    fn command(&mut self) -> Parsed<Command> {
        self.deeper(Self::command_within)
    }

    fn command_within(&mut self) -> Parsed<Command> {
        let is_bash = self.dialect == Dialect::Bash;
        let body = match self.reserved()? {
            Some("if") => self.if_command()?,
            Some("while") => self.loop_command(false)?,
            Some("until") => self.loop_command(true)?,
            Some("for") => self.for_command()?,
            Some("case") => self.case_command()?,
            Some("{") => {
                self.take()?;
                let body = self.list(false)?;
                self.expect_word("}")?;
                body
            }
            Some(_) => return Err(self.unexpected(None)),
            None if self.is_operator("(")? => {
                self.take()?;
                if is_bash && super::arithmetic::opens(&self.text[self.at..]) {
                    return Err(self.not_simulated("(( … ))"));
                }
                let body = self.list(false)?;
                self.expect_operator(")")?;
                Command::Subshell(Arc::new(body))
            }
            None if is_bash && self.is_word("[[")? => self.test_command()?,
            None if is_bash && self.is_word("function")? => return self.bash_function(),
            None => return self.simple(),
        };
        self.redirected(body)
    }

    fn redirected(&mut self, body: Command) -> Parsed<Command> {
        let line = self.line;
        let mut redirections = Vec::new();
        while let Some(redirection) = self.redirection()? {
            redirections.push(redirection);
        }
        if redirections.is_empty() {
            return Ok(body);
        }
        Ok(Command::Redirected {
            body: Box::new(body),
            redirections,
            line,
        })
    }

    fn if_command(&mut self) -> Parsed<Command> {
        let mut branches = Vec::new();
        loop {
            self.take()?;
            let condition = self.list(false)?;
            self.expect_word("then")?;
            branches.push((condition, self.list(false)?));
            if !self.is_word("elif")? {
                break;
            }
        }
        let otherwise = if self.is_word("else")? {
            self.take()?;
            Some(Box::new(self.list(false)?))
        } else {
            None
        };
        self.expect_word("fi")?;
        Ok(Command::If(branches, otherwise))
    }

    fn loop_command(&mut self, is_until: bool) -> Parsed<Command> {
        self.take()?;
        let condition = Box::new(self.list(false)?);
        Ok(Command::Loop {
            is_until,
            condition,
            body: self.do_group()?,
        })
    }

    fn do_group(&mut self) -> Parsed<Box<Command>> {
        self.expect_word("do")?;
        let body = self.list(false)?;
        self.expect_word("done")?;
        Ok(Box::new(body))
    }

    fn for_command(&mut self) -> Parsed<Command> {
        let line = self.line;
        self.take()?;
        let name = match self.take()? {
            Token::Word(word) => word.plain().filter(|name| is_name(name)).map(str::to_owned),
            _ => None,
        };
        let Some(name) = name else {
            return Err(self.error("Bad for loop variable"));
        };
        self.skip_newlines()?;
        let words = if self.is_word("in")? {
            self.take()?;
            let mut words = Vec::new();
            while let Token::Word(_) = self.peek()? {
                if let Token::Word(word) = self.take()? {
                    words.push(word);
                }
            }
            match self.peek()? {
                Token::Newline | Token::Operator(";") => self.take()?,
                _ => return Err(self.unexpected(None)),
            };
            Some(words)
        } else {
            if self.is_operator(";")? {
                self.take()?;
            }
            None
        };
        self.skip_newlines()?;
        Ok(Command::For {
            name,
            words,
            body: self.do_group()?,
            line,
        })
    }

    fn case_command(&mut self) -> Parsed<Command> {
        let line = self.line;
        self.take()?;
        let Token::Word(word) = self.take()? else {
            return Err(self.error("word unexpected"));
        };
        self.skip_newlines()?;
        self.expect_word("in")?;
        let mut arms = Vec::new();
        loop {
            self.skip_newlines()?;
            if self.is_word("esac")? {
                break;
            }
            arms.push(self.case_arm()?);
            if self.is_operator(";;")? {
                self.take()?;
            } else if !self.is_word("esac")? {
                return Err(self.unexpected(Some(";;")));
            }
        }
        self.expect_word("esac")?;
        Ok(Command::Case { word, arms, line })
    }

    fn case_arm(&mut self) -> Parsed<(Vec<Word>, Command)> {
        if self.is_operator("(")? {
            self.take()?;
        }
        let mut patterns = Vec::new();
        loop {
            match self.peek()? {
                Token::Word(_) => {}
                Token::End => return Err(self.unexpected(Some(")"))),
                _ => return Err(self.unexpected(None)),
            }
            if let Token::Word(pattern) = self.take()? {
                patterns.push(pattern);
            }
            if !self.is_operator("|")? {
                break;
            }
            self.take()?;
        }
        self.expect_operator(")")?;
        Ok((patterns, self.list(true)?))
    }

    /// `[[ … ]]`: kept as words, operators being plain text.
    fn test_command(&mut self) -> Parsed<Command> {
        let line = self.line;
        self.take()?;
        let mut words = Vec::new();
        loop {
            match self.take()? {
                Token::Word(word) if word.plain() == Some("]]") => break,
                Token::Word(word) => {
                    let is_regex = word.plain() == Some("=~");
                    words.push(word);
                    if is_regex {
                        return Err(self.not_simulated("[[ … =~ … ]]"));
                    }
                }
                Token::Operator(operator) => words.push(plain_word(operator)),
                Token::Newline => {}
                Token::Number(number) => words.push(plain_word(&number.to_string())),
                Token::End => return Err(self.unexpected(Some("]]"))),
            }
        }
        Ok(Command::Test(words, line))
    }

    fn bash_function(&mut self) -> Parsed<Command> {
        self.take()?;
        let name = match self.take()? {
            Token::Word(word) => word.plain().map(str::to_owned),
            _ => None,
        };
        let Some(name) = name else {
            return Err(self.error("Bad function name"));
        };
        if self.is_operator("(")? {
            self.take()?;
            self.expect_operator(")")?;
        }
        self.skip_newlines()?;
        Ok(Command::Function(name, Arc::new(self.command()?)))
    }

    fn simple(&mut self) -> Parsed<Command> {
        let mut simple = Simple {
            line: self.line(),
            ..Simple::default()
        };
        // The token has been looked at: the line is that of its start.
        if let Some((_, _, line)) = &self.token {
            simple.line = *line;
        }
        loop {
            if let Some(redirection) = self.redirection()? {
                simple.redirections.push(redirection);
                continue;
            }
            if !matches!(self.peek()?, Token::Word(_)) {
                break;
            }
            let Token::Word(word) = self.take()? else {
                break;
            };
            if simple.words.is_empty() {
                match self.assignment(word)? {
                    Ok(assignment) => simple.assignments.push(assignment),
                    Err(word) => {
                        let is_first =
                            simple.assignments.is_empty() && simple.redirections.is_empty();
                        simple.words.push(word);
                        if is_first && self.is_operator("(")? {
                            return self.function(&simple.words[0]);
                        }
                    }
                }
            } else {
                simple.words.push(word);
            }
        }
        if simple.words.is_empty()
            && simple.assignments.is_empty()
            && simple.redirections.is_empty()
        {
            return Err(self.unexpected(None));
        }
        Ok(Command::Simple(simple))
    }

    /// Reads a word as an assignment, or gives it back.
    fn assignment(&mut self, word: Word) -> Parsed<Result<Assignment, Word>> {
        let Some((name, value, appends)) = super::word::split_assignment(&word, self.dialect)
        else {
            return Ok(Err(word));
        };
        if self.dialect == Dialect::Bash && value.parts.is_empty() && self.is_operator("(")? {
            return Err(self.not_simulated("arrays"));
        }
        Ok(Ok(Assignment {
            name,
            value,
            appends,
        }))
    }

    fn function(&mut self, name: &Word) -> Parsed<Command> {
        self.take()?;
        self.expect_operator(")")?;
        let name = match name.plain() {
            Some(name) if is_name(name) => name.to_owned(),
            Some(name) if self.dialect == Dialect::Bash => name.to_owned(),
            _ => return Err(self.error("Bad function name")),
        };
        self.skip_newlines()?;
        Ok(Command::Function(name, Arc::new(self.command()?)))
    }

    // Redirections.

    fn redirection(&mut self) -> Parsed<Option<Redirection>> {
        let number = match self.peek()? {
            Token::Number(number) => {
                let number = *number;
                self.take()?;
                Some(number)
            }
            _ => None,
        };
        let operator = match self.peek()? {
            Token::Operator(operator) if operator.starts_with(['<', '>']) || *operator == "&>" => {
                *operator
            }
            _ => return Ok(None),
        };
        self.take()?;
        let default = u32::from(!operator.starts_with('<'));
        let descriptor = number.unwrap_or(default);
        let target = if matches!(operator, "<<" | "<<-") {
            self.here(operator == "<<-")?
        } else {
            if !matches!(self.peek()?, Token::Word(_)) {
                return Err(self.unexpected(None));
            }
            let Token::Word(word) = self.take()? else {
                return Err(self.unexpected(None));
            };
            match operator {
                "<" => Target::Read(word),
                ">" => Target::Write(word),
                ">|" => Target::Clobber(word),
                ">>" => Target::Append(word),
                "<>" => Target::ReadWrite(word),
                "<<<" => Target::HereString(word),
                "&>" => Target::Both(word),
                _ => Target::Duplicate(word),
            }
        };
        Ok(Some(Redirection { descriptor, target }))
    }

    fn here(&mut self, strips_tabs: bool) -> Parsed<Target> {
        self.skip_blanks();
        let (delimiter, is_quoted) = self.delimiter()?;
        if delimiter.is_empty() && !is_quoted {
            self.peek()?;
            return Err(self.unexpected(None));
        }
        let slot = Arc::new(OnceLock::new());
        self.pending.push(Pending {
            slot: Arc::clone(&slot),
            delimiter,
            strips_tabs,
            is_quoted,
        });
        Ok(Target::Here(slot))
    }

    /// Reads the bodies of the here-documents of the line that has ended.
    fn here_documents(&mut self) -> Parsed<()> {
        for pending in std::mem::take(&mut self.pending) {
            let first_line = self.line;
            let mut body = String::new();
            loop {
                let rest = &self.text[self.at..];
                if rest.is_empty() {
                    self.here_ended_early = true;
                    break;
                }
                let length = rest.find('\n').map_or(rest.len(), |at| at + 1);
                let whole = &rest[..length];
                self.at += length;
                self.line += 1;
                let line = match pending.strips_tabs {
                    true => whole.trim_start_matches('\t'),
                    false => whole,
                };
                if line.strip_suffix('\n').unwrap_or(line) == pending.delimiter {
                    break;
                }
                body.push_str(line);
            }
            let word = match pending.is_quoted {
                true => super::word::quoted(body),
                false => self.within(&body, first_line).here_document()?,
            };
            // It is filled here, and nowhere else.
            pending.slot.set(word).ok();
        }
        Ok(())
    }
}

fn plain_word(text: &str) -> Word {
    Word {
        parts: vec![super::tree::Part::Text(text.to_owned())],
    }
}

fn one_or_sequence(mut commands: Vec<Command>) -> Command {
    match commands.pop() {
        Some(only) if commands.is_empty() => only,
        Some(last) => {
            commands.push(last);
            Command::Sequence(commands)
        }
        None => Command::Sequence(Vec::new()),
    }
}

/// A token of a text, and where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lexeme {
    /// Where it begins.
    pub(crate) start: usize,
    /// Where it ends.
    pub(crate) end: usize,
    /// Whether it is a word.
    pub(crate) is_word: bool,
}

/// Returns the tokens of a text; `None` where it cannot be read.
pub(crate) fn lexemes(text: &str, dialect: Dialect) -> Option<Vec<Lexeme>> {
    let mut parser = Parser::new(text, 1, dialect);
    let mut all = Vec::new();
    // What cannot be parsed is not touched.
    let mut whole = Parser::new(text, 1, dialect);
    while whole.next_command().ok()?.is_some() {}
    loop {
        parser.skip_blanks();
        let start = parser.at;
        let token = parser.lex().ok()?;
        let end = parser.at;
        match token {
            Token::End => return Some(all),
            Token::Newline => all.push(Lexeme {
                start,
                end: start + 1,
                is_word: false,
            }),
            Token::Operator(operator @ ("<<" | "<<-")) => {
                // The delimiter and the body are no tokens.
                parser.here(operator == "<<-").ok()?;
                all.push(Lexeme {
                    start,
                    end,
                    is_word: false,
                });
            }
            token => all.push(Lexeme {
                start,
                end,
                is_word: matches!(token, Token::Word(_)),
            }),
        }
    }
}
