//! `test` and `[`: the builtins and the programs share it.

use crate::files::{Credentials, Files, Follow};

use super::format::Style;

/// What a test looks at.
pub(crate) struct Probe<'a> {
    /// The file tree.
    pub(crate) files: &'a Files,
    /// Who asks.
    pub(crate) who: &'a Credentials,
    /// Where relative paths begin.
    pub(crate) directory: &'a str,
    /// Whose words are used for errors.
    pub(crate) style: Style,
    /// The descriptors that are terminals.
    pub(crate) terminals: &'a [u32],
}

const UNARY: &[&str] = &[
    "-e", "-f", "-d", "-r", "-w", "-x", "-s", "-h", "-L", "-p", "-S", "-b", "-c", "-g", "-u", "-k",
    "-O", "-G", "-t", "-n", "-z",
];

const BINARY: &[&str] = &[
    "=", "==", "!=", "<", ">", "-eq", "-ne", "-gt", "-ge", "-lt", "-le", "-nt", "-ot", "-ef",
];

type Answer = Result<bool, String>;

/// Answers a test; `words` is without the closing bracket.
///
/// # Errors
///
/// Fails with what the shell says of a wrong test.
pub(crate) fn evaluate(words: &[String], probe: &Probe<'_>) -> Answer {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if let Some(answer) = by_count(&words, probe) {
        return answer;
    }
    let mut reader = Reader {
        words: &words,
        at: 0,
        probe,
    };
    let answer = reader.or()?;
    match reader.words.get(reader.at) {
        None => Ok(answer),
        Some(word) => Err(probe.unexpected(word)),
    }
}

/// What POSIX says of up to four words.
fn by_count(words: &[&str], probe: &Probe<'_>) -> Option<Answer> {
    match words {
        [] => Some(Ok(false)),
        [one] => Some(Ok(!one.is_empty())),
        ["!", one] => Some(Ok(one.is_empty())),
        [operator, one] if UNARY.contains(operator) => Some(probe.unary(operator, one)),
        [left, operator, right] if BINARY.contains(operator) => {
            Some(probe.binary(left, operator, right))
        }
        ["!", rest @ ..] if rest.len() <= 3 => {
            by_count(rest, probe).map(|answer| answer.map(|answer| !answer))
        }
        ["(", one, ")"] => Some(Ok(!one.is_empty())),
        ["(", rest @ .., ")"] if rest.len() == 2 => by_count(rest, probe),
        _ => None,
    }
}

struct Reader<'a> {
    words: &'a [&'a str],
    at: usize,
    probe: &'a Probe<'a>,
}

impl Reader<'_> {
    fn or(&mut self) -> Answer {
        let mut answer = self.and()?;
        while self.words.get(self.at) == Some(&"-o") {
            self.at += 1;
            answer |= self.and()?;
        }
        Ok(answer)
    }

    fn and(&mut self) -> Answer {
        let mut answer = self.not()?;
        while self.words.get(self.at) == Some(&"-a") {
            self.at += 1;
            answer &= self.not()?;
        }
        Ok(answer)
    }

    fn not(&mut self) -> Answer {
        let is_alone = self.at + 1 >= self.words.len();
        if self.words.get(self.at) == Some(&"!") && !is_alone {
            self.at += 1;
            return self.not().map(|answer| !answer);
        }
        self.primary()
    }

    fn primary(&mut self) -> Answer {
        let rest = &self.words[self.at..];
        match rest {
            [] => Err("argument expected".to_owned()),
            [left, operator, right, ..] if BINARY.contains(operator) => {
                self.at += 3;
                self.probe.binary(left, operator, right)
            }
            ["(", ..] if rest.len() > 1 => {
                self.at += 1;
                let answer = self.or()?;
                if self.words.get(self.at) != Some(&")") {
                    return Err("closing paren expected".to_owned());
                }
                self.at += 1;
                Ok(answer)
            }
            [operator, one, ..] if UNARY.contains(operator) => {
                self.at += 2;
                self.probe.unary(operator, one)
            }
            [_, operator] if BINARY.contains(operator) => {
                Err(format!("{operator}: argument expected"))
            }
            [one, next, ..] if !matches!(*next, "-a" | "-o" | ")") => {
                Err(self.probe.unexpected(one))
            }
            [one, ..] => {
                self.at += 1;
                Ok(!one.is_empty())
            }
        }
    }
}

impl Probe<'_> {
    fn unexpected(&self, word: &str) -> String {
        match self.style {
            Style::Dash => format!("{word}: unexpected operator"),
            Style::Gnu => format!("extra argument '{word}'"),
        }
    }

    fn path(&self, path: &str) -> String {
        crate::program::absolute(self.directory, path)
    }

    fn unary(&self, operator: &str, word: &str) -> Answer {
        let follow = match operator {
            "-h" | "-L" => Follow::No,
            _ => Follow::Yes,
        };
        match operator {
            "-n" => return Ok(!word.is_empty()),
            "-z" => return Ok(word.is_empty()),
            "-t" => {
                let number = word.parse::<u32>();
                return Ok(number.is_ok_and(|number| self.terminals.contains(&number)));
            }
            _ => {}
        }
        let Ok(node) = self.files.node(&self.path(word), follow, self.who) else {
            return Ok(false);
        };
        let stat = node.stat();
        let is_read_only = || {
            let mount = self.files.mount_of(&self.path(word));
            mount.is_some_and(|mount| mount.has("ro"))
        };
        Ok(match operator {
            "-e" => true,
            "-f" => stat.letter == '-',
            "-d" => stat.letter == 'd',
            "-h" | "-L" => stat.letter == 'l',
            "-p" => stat.letter == 'p',
            "-S" => stat.letter == 's',
            "-b" => stat.letter == 'b',
            "-c" => stat.letter == 'c',
            "-s" => stat.size > 0,
            "-r" => node.allows(self.who, 4),
            "-w" => node.allows(self.who, 2) && !is_read_only(),
            "-x" => node.allows(self.who, 1),
            "-g" => stat.mode & 0o2000 != 0,
            "-u" => stat.mode & 0o4000 != 0,
            "-k" => stat.mode & 0o1000 != 0,
            "-O" => stat.uid == self.who.uid,
            _ => stat.gid == self.who.gid,
        })
    }

    fn integer(&self, text: &str) -> Result<i64, String> {
        text.trim().parse().ok().ok_or_else(|| match self.style {
            Style::Dash => format!("Illegal number: {text}"),
            Style::Gnu => format!("invalid integer '{text}'"),
        })
    }

    fn binary(&self, left: &str, operator: &str, right: &str) -> Answer {
        Ok(match operator {
            "=" | "==" => left == right,
            "!=" => left != right,
            "<" => left < right,
            ">" => left > right,
            "-nt" | "-ot" | "-ef" => {
                let stat = |path: &str| {
                    self.files
                        .stat(&self.path(path), Follow::Yes, self.who)
                        .ok()
                };
                let (left, right) = (stat(left), stat(right));
                let modified =
                    |stat: &Option<crate::files::Stat>| stat.as_ref().map(|stat| stat.modified);
                match operator {
                    // Dash compares only what is there.
                    "-nt" | "-ot" if left.is_none() || right.is_none() => false,
                    "-nt" => modified(&left) > modified(&right),
                    "-ot" => modified(&left) < modified(&right),
                    _ => {
                        left.is_some()
                            && left.map(|stat| stat.inode) == right.map(|stat| stat.inode)
                    }
                }
            }
            operator => {
                let (left, right) = (self.integer(left)?, self.integer(right)?);
                match operator {
                    "-eq" => left == right,
                    "-ne" => left != right,
                    "-gt" => left > right,
                    "-ge" => left >= right,
                    "-lt" => left < right,
                    _ => left <= right,
                }
            }
        })
    }
}
