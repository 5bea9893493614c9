//! `find`.

use std::collections::VecDeque;
use std::sync::Arc;

use regex::bytes::Regex;

use super::attribute::{expand, owner_names};
use super::{Invocation, Program};
use crate::files::{Errno, Files, Follow, Stat};
use crate::pipe::Reader;
use crate::shell::pattern::Pattern;

pub(crate) const PROGRAMS: &[Program] = &[Program {
    name: "find",
    run: |invocation| Box::pin(find(invocation)),
}];

/// An expression.
enum Expression {
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    Not(Box<Expression>),
    Name(Pattern, bool),
    Path(Pattern),
    Regex(Arc<Regex>),
    Kind(String),
    /// Age in a unit of that many seconds.
    Age(char, u64, u64),
    Size(char, u64, u64),
    Newer(std::time::Duration),
    Mode(char, u32),
    User(u32),
    Group(u32),
    Empty,
    Always(bool),
    Prune,
    Print(char),
    Format(String),
    Delete,
    Quit,
    Run {
        words: Vec<String>,
        collects: bool,
        index: usize,
    },
}

/// Reads an expression.
struct Parser<'a> {
    words: VecDeque<String>,
    invocation: &'a mut Invocation,
    least: usize,
    most: usize,
    is_depth_first: bool,
    acts: bool,
    runs: usize,
}

type Read = Result<Expression, u8>;

impl Parser<'_> {
    fn or(&mut self) -> Read {
        let mut left = self.and()?;
        while matches!(self.words.front().map(String::as_str), Some("-o" | "-or")) {
            self.words.pop_front();
            left = Expression::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Read {
        let mut left = self.not()?;
        loop {
            match self.words.front().map(String::as_str) {
                None | Some(")" | "-o" | "-or") => return Ok(left),
                Some("-a" | "-and") => {
                    self.words.pop_front();
                }
                Some(_) => {}
            }
            left = Expression::And(Box::new(left), Box::new(self.not()?));
        }
    }

    fn not(&mut self) -> Read {
        match self.words.front().map(String::as_str) {
            Some("!" | "-not") => {
                self.words.pop_front();
                Ok(Expression::Not(Box::new(self.not()?)))
            }
            Some("(") => {
                self.words.pop_front();
                let inner = self.or()?;
                if self.words.pop_front().as_deref() != Some(")") {
                    self.invocation
                        .error("invalid expression; expected to find a ')'");
                    return Err(1);
                }
                Ok(inner)
            }
            _ => self.primary(),
        }
    }

    fn value(&mut self, name: &str) -> Result<String, u8> {
        self.words.pop_front().ok_or_else(|| {
            self.invocation
                .error(&format!("missing argument to `{name}'"));
            1
        })
    }

    fn number(&mut self, name: &str) -> Result<(char, u64, String), u8> {
        let value = self.value(name)?;
        let (sign, rest) = match value.chars().next() {
            Some(sign @ ('+' | '-')) => (sign, &value[1..]),
            _ => ('=', value.as_str()),
        };
        let end = rest
            .find(|one: char| !one.is_ascii_digit())
            .unwrap_or(rest.len());
        match rest[..end].parse() {
            Ok(number) => Ok((sign, number, rest[end..].to_owned())),
            Err(_) => Err(self
                .invocation
                .not_simulated(&format!("the number {value}"))),
        }
    }

    fn primary(&mut self) -> Read {
        let Some(name) = self.words.pop_front() else {
            self.invocation.error("invalid expression");
            return Err(1);
        };
        Ok(match name.as_str() {
            "-name" | "-iname" => {
                let value = self.value(&name)?;
                let ignores_case = name == "-iname";
                let value = if ignores_case {
                    value.to_lowercase()
                } else {
                    value
                };
                Expression::Name(Pattern::new(&value), ignores_case)
            }
            "-path" | "-wholename" => Expression::Path(Pattern::new(&self.value(&name)?)),
            "-regex" => {
                let value = self.value(&name)?;
                match super::posix::compile(
                    &format!("^\\({value}\\)$"),
                    super::posix::Syntax::Basic,
                    false,
                ) {
                    Ok(regex) => Expression::Regex(regex),
                    Err(_) => return Err(self.invocation.not_simulated("this expression")),
                }
            }
            "-type" => Expression::Kind(self.value(&name)?.replace('f', "-").replace(',', "")),
            "-mtime" | "-mmin" | "-ctime" | "-cmin" | "-atime" | "-amin" => {
                let (sign, number, _) = self.number(&name)?;
                Expression::Age(
                    sign,
                    number,
                    if name.ends_with("min") { 60 } else { 86_400 },
                )
            }
            "-size" => {
                let (sign, number, unit) = self.number(&name)?;
                let unit = match unit.as_str() {
                    "" | "b" => 512,
                    "c" => 1,
                    "k" => 1 << 10,
                    "M" => 1 << 20,
                    "G" => 1 << 30,
                    _ => return Err(self.invocation.not_simulated("this unit")),
                };
                Expression::Size(sign, number, unit)
            }
            "-newer" => {
                let value = self.value(&name)?;
                let path = self.invocation.path(&value);
                match self
                    .invocation
                    .files(|files, who, _| files.stat(&path, Follow::Yes, who))
                {
                    Ok(stat) => Expression::Newer(stat.modified),
                    Err(errno) => {
                        self.invocation.error(&format!("'{value}': {errno}"));
                        return Err(1);
                    }
                }
            }
            "-perm" => {
                let value = self.value(&name)?;
                let (kind, text) = match value.chars().next() {
                    Some(kind @ ('-' | '/')) => (kind, &value[1..]),
                    _ => ('=', value.as_str()),
                };
                match super::mode::change(text, 0, 0, false) {
                    Some(mode) => Expression::Mode(kind, mode),
                    None => return Err(self.invocation.not_simulated("this mode")),
                }
            }
            "-user" | "-group" => self.owner(&name)?,
            "-empty" => Expression::Empty,
            "-true" => Expression::Always(true),
            "-false" => Expression::Always(false),
            "-prune" => Expression::Prune,
            "-maxdepth" | "-mindepth" => {
                let (_, number, _) = self.number(&name)?;
                let number = usize::try_from(number).unwrap_or(usize::MAX);
                match name.as_str() {
                    "-maxdepth" => self.most = number,
                    _ => self.least = number,
                }
                Expression::Always(true)
            }
            "-xdev" | "-mount" | "-noleaf" => Expression::Always(true),
            "-depth" => {
                self.is_depth_first = true;
                Expression::Always(true)
            }
            _ => return self.action(&name),
        })
    }

    fn owner(&mut self, name: &str) -> Read {
        let value = self.value(name)?;
        let (user, group) = self.invocation.host(|host| {
            let user = crate::accounts::account(&host.files, &value).map(|one| one.uid);
            let group = crate::accounts::group(&host.files, &value).map(|one| one.gid);
            (user, group)
        });
        let id = if name == "-user" { user } else { group };
        match id.or(value.parse().ok()) {
            Some(id) if name == "-user" => Ok(Expression::User(id)),
            Some(id) => Ok(Expression::Group(id)),
            None => {
                let kind = name.trim_start_matches('-');
                self.invocation
                    .error(&format!("'{value}' is not the name of a known {kind}"));
                Err(1)
            }
        }
    }

    fn action(&mut self, name: &str) -> Read {
        self.acts = true;
        Ok(match name {
            "-print" => Expression::Print('\n'),
            "-print0" => Expression::Print('\0'),
            "-printf" => {
                let format = self.value(name)?;
                let bytes = crate::shell::format::unescape(&format).0;
                Expression::Format(String::from_utf8_lossy(&bytes).into_owned())
            }
            "-delete" => {
                self.is_depth_first = true;
                Expression::Delete
            }
            "-quit" => Expression::Quit,
            "-exec" => {
                let mut words = Vec::new();
                let collects = loop {
                    let word = self.words.pop_front();
                    match word.as_deref() {
                        None => {
                            self.invocation.error("missing argument to `-exec'");
                            return Err(1);
                        }
                        Some(";") => break false,
                        Some("+") if words.last().is_some_and(|word| word == "{}") => {
                            words.pop();
                            break true;
                        }
                        Some(_) => words.extend(word),
                    }
                };
                self.runs += 1;
                Expression::Run {
                    words,
                    collects,
                    index: self.runs - 1,
                }
            }
            other if other.starts_with('-') => {
                return Err(self
                    .invocation
                    .not_simulated(&format!("the predicate {other}")));
            }
            other => {
                self.invocation
                    .error(&format!("paths must precede expression: `{other}'"));
                return Err(1);
            }
        })
    }
}

/// What the walk has found.
struct Walk {
    status: u8,
    is_over: bool,
    prunes: bool,
    collected: Vec<Vec<String>>,
}

/// A place that the walk has come to.
struct Place {
    shown: String,
    path: String,
    stat: Stat,
    depth: usize,
    start: String,
}

fn compare(sign: char, value: u64, number: u64) -> bool {
    match sign {
        '+' => value > number,
        '-' => value < number,
        _ => value == number,
    }
}

fn evaluate<'a>(
    expression: &'a Expression,
    place: &'a Place,
    walk: &'a mut Walk,
    invocation: &'a mut Invocation,
) -> futures_util::future::BoxFuture<'a, bool> {
    Box::pin(async move {
        let stat = &place.stat;
        let name = match place.shown.trim_end_matches('/').rsplit('/').next() {
            Some("") | None => "/",
            Some(name) => name,
        };
        match expression {
            Expression::And(left, right) => {
                evaluate(left, place, walk, invocation).await
                    && !walk.is_over
                    && evaluate(right, place, walk, invocation).await
            }
            Expression::Or(left, right) => {
                evaluate(left, place, walk, invocation).await
                    || evaluate(right, place, walk, invocation).await
            }
            Expression::Not(inner) => !evaluate(inner, place, walk, invocation).await,
            Expression::Name(pattern, false) => pattern.matches(name),
            Expression::Name(pattern, true) => pattern.matches(&name.to_lowercase()),
            Expression::Path(pattern) => pattern.matches(&place.shown),
            Expression::Regex(regex) => regex.is_match(place.shown.as_bytes()),
            Expression::Kind(letters) => letters.contains(stat.letter),
            Expression::Age(sign, number, unit) => {
                let age = invocation.now().saturating_sub(stat.modified).as_secs() / unit;
                compare(*sign, age, *number)
            }
            Expression::Size(sign, number, unit) => {
                compare(*sign, stat.size.div_ceil(*unit), *number)
            }
            Expression::Newer(time) => stat.modified > *time,
            Expression::Mode('-', mode) => stat.mode & mode == *mode,
            Expression::Mode('/', mode) => *mode == 0 || stat.mode & mode != 0,
            Expression::Mode(_, mode) => stat.mode == *mode,
            Expression::User(uid) => stat.uid == *uid,
            Expression::Group(gid) => stat.gid == *gid,
            Expression::Empty => match stat.letter {
                'd' => invocation.files(|files, who, _| {
                    files
                        .list(&place.path, who)
                        .is_ok_and(|names| names.is_empty())
                }),
                '-' => stat.size == 0,
                _ => false,
            },
            Expression::Always(answer) => *answer,
            Expression::Prune => {
                walk.prunes = true;
                true
            }
            Expression::Quit => {
                walk.is_over = true;
                true
            }
            Expression::Print(end) => {
                invocation.print(&format!("{}{end}", place.shown));
                true
            }
            Expression::Format(format) => {
                let text = invocation.host(|host| {
                    expand(format, |_, letter| shown(&host.files, place, name, letter))
                });
                match text {
                    Ok(text) => invocation.print(&text),
                    Err(letter) => {
                        walk.status = invocation.not_simulated(&format!("the directive %{letter}"));
                        walk.is_over = true;
                    }
                }
                true
            }
            Expression::Delete => {
                let removed = invocation.files(|files, who, now| match stat.is_directory() {
                    true => files.remove_dir(&place.path, who, now),
                    false => files.remove_file(&place.path, who, now),
                });
                match removed {
                    Ok(()) => true,
                    Err(errno) => {
                        invocation.error(&format!("cannot delete '{}': {errno}", place.shown));
                        walk.status = 1;
                        false
                    }
                }
            }
            Expression::Run {
                collects: true,
                index,
                ..
            } => {
                walk.collected[*index].push(place.shown.clone());
                true
            }
            Expression::Run { words, .. } => {
                let words: Vec<String> = words
                    .iter()
                    .map(|word| word.replace("{}", &place.shown))
                    .collect();
                run(invocation, &words).await == 0
            }
        }
    })
}

async fn run(invocation: &mut Invocation, words: &[String]) -> u8 {
    let status = invocation.run_program(words, Reader::null()).await;
    if matches!(status, 126 | 127) && invocation.launch(words.to_vec()).is_err() {
        let name = words.first().cloned().unwrap_or_default();
        invocation.error(&format!("'{name}': No such file or directory"));
    }
    status
}

fn shown(files: &Files, place: &Place, name: &str, letter: char) -> Option<String> {
    let stat = &place.stat;
    Some(match letter {
        'p' => place.shown.clone(),
        'f' => name.to_owned(),
        'P' => place.shown[place.start.len()..]
            .trim_start_matches('/')
            .to_owned(),
        'h' => place
            .shown
            .rsplit_once('/')
            .map_or(".", |(directory, _)| directory)
            .to_owned(),
        's' => stat.size.to_string(),
        'm' => format!("{:o}", stat.mode),
        'M' => super::attribute::letters(stat),
        'd' => place.depth.to_string(),
        'u' => owner_names(files, stat).0,
        'g' => owner_names(files, stat).1,
        'U' => stat.uid.to_string(),
        'G' => stat.gid.to_string(),
        'y' => {
            if stat.letter == '-' {
                "f".to_owned()
            } else {
                stat.letter.to_string()
            }
        }
        'l' => stat.target.as_deref().unwrap_or_default().to_owned(),
        'i' => stat.inode.to_string(),
        _ => return None,
    })
}

async fn find(invocation: &mut Invocation) -> u8 {
    let mut words: VecDeque<String> = invocation.arguments.iter().cloned().collect();
    if matches!(words.front().map(String::as_str), Some("-L" | "-H")) {
        return invocation.not_simulated("following links");
    }
    if words.front().is_some_and(|word| word == "-P") {
        words.pop_front();
    }
    let mut starts = Vec::new();
    while let Some(word) = words.front() {
        if word.starts_with('-') || matches!(word.as_str(), "!" | "(" | ")") {
            break;
        }
        starts.extend(words.pop_front());
    }
    if starts.is_empty() {
        starts.push(".".to_owned());
    }
    let is_plain = words.is_empty();
    let mut reader = Parser {
        words,
        invocation,
        least: 0,
        most: usize::MAX,
        is_depth_first: false,
        acts: false,
        runs: 0,
    };
    let expression = if is_plain {
        Ok(Expression::Always(true))
    } else {
        reader.or()
    };
    let mut expression = match expression {
        Ok(expression) => expression,
        Err(status) => return status,
    };
    let (least, most, is_depth_first, acts, runs) = (
        reader.least,
        reader.most,
        reader.is_depth_first,
        reader.acts,
        reader.runs,
    );
    if !acts {
        expression = Expression::And(Box::new(expression), Box::new(Expression::Print('\n')));
    }
    let mut walk = Walk {
        status: 0,
        is_over: false,
        prunes: false,
        collected: vec![Vec::new(); runs],
    };
    for start in starts {
        let path = invocation.path(&start);
        let stat = invocation.files(|files, who, _| files.stat(&path, Follow::No, who));
        let stat = match stat {
            Ok(stat) => stat,
            Err(errno) => {
                invocation.error(&format!("'{start}': {errno}"));
                walk.status = 1;
                continue;
            }
        };
        let place = Place {
            shown: start.clone(),
            path,
            stat,
            depth: 0,
            start,
        };
        visit(
            invocation,
            &expression,
            place,
            &mut walk,
            (least, most, is_depth_first),
        )
        .await;
    }
    for (index, paths) in std::mem::take(&mut walk.collected).into_iter().enumerate() {
        if let Some(words) = words_of(&expression, index).filter(|_| !paths.is_empty()) {
            let words = [words, paths].concat();
            if run(invocation, &words).await != 0 {
                walk.status = 1;
            }
        }
    }
    walk.status
}

fn words_of(expression: &Expression, wanted: usize) -> Option<Vec<String>> {
    match expression {
        Expression::And(left, right) | Expression::Or(left, right) => {
            words_of(left, wanted).or_else(|| words_of(right, wanted))
        }
        Expression::Not(inner) => words_of(inner, wanted),
        Expression::Run { words, index, .. } if *index == wanted => Some(words.clone()),
        _ => None,
    }
}

fn visit<'a>(
    invocation: &'a mut Invocation,
    expression: &'a Expression,
    place: Place,
    walk: &'a mut Walk,
    limits: (usize, usize, bool),
) -> futures_util::future::BoxFuture<'a, ()> {
    Box::pin(async move {
        let (least, most, is_depth_first) = limits;
        walk.prunes = false;
        if !is_depth_first && place.depth >= least {
            evaluate(expression, &place, walk, invocation).await;
        }
        let prunes = std::mem::take(&mut walk.prunes);
        if place.stat.is_directory() && place.depth < most && !prunes && !walk.is_over {
            let children = invocation.files(|files, who, _| {
                let names = files.list(&place.path, who)?;
                let stat = |name: String| {
                    let path = format!("{}/{name}", place.path.trim_end_matches('/'));
                    let stat = files.stat(&path, Follow::No, who).ok()?;
                    Some((name, path, stat))
                };
                Ok::<_, Errno>(names.into_iter().filter_map(stat).collect::<Vec<_>>())
            });
            match children {
                Ok(children) => {
                    for (name, path, stat) in children {
                        if walk.is_over {
                            return;
                        }
                        let shown = format!("{}/{name}", place.shown.trim_end_matches('/'));
                        let child = Place {
                            shown,
                            path,
                            stat,
                            depth: place.depth + 1,
                            start: place.start.clone(),
                        };
                        visit(invocation, expression, child, walk, limits).await;
                    }
                }
                Err(errno) => {
                    invocation.error(&format!("'{}': {errno}", place.shown));
                    walk.status = 1;
                }
            }
        }
        if is_depth_first && place.depth >= least && !walk.is_over {
            evaluate(expression, &place, walk, invocation).await;
        }
    })
}
