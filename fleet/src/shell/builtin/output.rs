//! What prints: `echo`, `printf`; and `test`.

use super::super::expand::Fault;
use super::super::format::{self, Style};
use super::super::parse::Dialect;
use super::super::{Shell, test};
use super::{Builtin, Done};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin {
        name: "echo",
        is_special: false,
        run: |shell, words| Box::pin(echo(shell, words)),
    },
    Builtin {
        name: "printf",
        is_special: false,
        run: |shell, words| Box::pin(printf(shell, words)),
    },
    Builtin {
        name: "test",
        is_special: false,
        run: |shell, words| Box::pin(async move { answer(shell, &words[1..]) }),
    },
    Builtin {
        name: "[",
        is_special: false,
        run: |shell, words| {
            Box::pin(async move {
                match words.split_last() {
                    Some((last, rest)) if last == "]" && !rest.is_empty() => {
                        answer(shell, &rest[1..])
                    }
                    _ => Err(shell.fail("missing ]")),
                }
            })
        },
    },
];

impl Shell {
    /// Prints what a builtin has; a failure is complained of as dash does.
    pub(super) async fn put(&mut self, bytes: &[u8]) -> Done {
        if self.print_to(1, bytes).await {
            return self.done(0);
        }
        let name = self.builtin.unwrap_or_default();
        self.complain(&format!("{name}: I/O error")).await;
        self.done(1)
    }

    /// Answers a test.
    pub(in super::super) fn answer_test(&mut self, words: &[String]) -> Result<bool, Fault> {
        let terminals = self.terminals();
        let answer = self.fleet.host(self.host, |host| {
            let probe = test::Probe {
                files: &host.files,
                who: &self.credentials,
                directory: &self.directory,
                style: Style::Dash,
                terminals: &terminals,
            };
            test::evaluate(words, &probe)
        });
        answer.map_err(|error| Fault {
            status: 2,
            ..self.fail(&error)
        })
    }
}

async fn echo(shell: &mut Shell, words: Vec<String>) -> Done {
    let mut words = &words[1..];
    let mut ends_line = true;
    let mut escapes = shell.dialect == Dialect::Posix;
    while let Some(word) = words.first() {
        let is_option = match shell.dialect {
            Dialect::Posix => word == "-n" && ends_line,
            Dialect::Bash => {
                word.len() > 1
                    && word.starts_with('-')
                    && word[1..].chars().all(|one| "neE".contains(one))
            }
        };
        if !is_option {
            break;
        }
        for letter in word[1..].chars() {
            match letter {
                'n' => ends_line = false,
                letter => escapes = letter == 'e',
            }
        }
        words = &words[1..];
    }
    let text = words.join(" ");
    let (mut bytes, stops) = match escapes {
        true => format::unescape(&text),
        false => (text.into_bytes(), false),
    };
    if ends_line && !stops {
        bytes.push(b'\n');
    }
    shell.put(&bytes).await
}

async fn printf(shell: &mut Shell, words: Vec<String>) -> Done {
    if shell.dialect == Dialect::Bash && words.get(1).is_some_and(|word| word == "-v") {
        let text = format::printf(
            words.get(3).map_or("", |word| word),
            &words[4..],
            Style::Dash,
        );
        let name = words[2].clone();
        shell.set(&name, &String::from_utf8_lossy(&text.bytes))?;
        return shell.done(0);
    }
    let (_, operands) = shell.letters(&words, "")?;
    let Some((format, arguments)) = operands.split_first() else {
        return Err(shell.fail("usage: printf format [arg ...]"));
    };
    let printed = format::printf(format, arguments, Style::Dash);
    for error in &printed.errors {
        shell.complain(error).await;
    }
    let done = shell.put(&printed.bytes).await;
    if !printed.errors.is_empty() {
        shell.status = 1;
    }
    done
}

fn answer(shell: &mut Shell, words: &[String]) -> Done {
    let answer = shell.answer_test(words)?;
    shell.done(u8::from(!answer))
}
