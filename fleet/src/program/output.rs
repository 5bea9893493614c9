//! Programs that print their arguments.

use super::{Invocation, Program};
use crate::shell::format::{self, Style};
use crate::shell::test;

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "echo",
        run: |invocation| Box::pin(async { echo(invocation) }),
    },
    Program {
        name: "printf",
        run: |invocation| Box::pin(async { printf(invocation) }),
    },
    Program {
        name: "true",
        run: |_| Box::pin(async { 0 }),
    },
    Program {
        name: "false",
        run: |_| Box::pin(async { 1 }),
    },
    Program {
        name: "yes",
        run: |invocation| Box::pin(yes(invocation)),
    },
    Program {
        name: "test",
        run: |invocation| {
            Box::pin(async {
                let words = invocation.arguments.clone();
                answer(invocation, &words)
            })
        },
    },
    Program {
        name: "[",
        run: |invocation| {
            Box::pin(async {
                match invocation.arguments.clone().split_last() {
                    Some((last, words)) if last == "]" => answer(invocation, words),
                    _ => {
                        invocation.error("missing ']'");
                        2
                    }
                }
            })
        },
    },
];

fn echo(invocation: &mut Invocation) -> u8 {
    let mut words = invocation.arguments.as_slice();
    let (mut ends_line, mut escapes) = (true, false);
    while let Some(word) = words.first() {
        let is_option = word.len() > 1
            && word.starts_with('-')
            && word[1..].chars().all(|one| "neE".contains(one));
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
    invocation.print_bytes(&bytes);
    0
}

fn printf(invocation: &mut Invocation) -> u8 {
    let words = invocation.arguments.clone();
    let words = match words.first().map(String::as_str) {
        Some("--") => &words[1..],
        _ => &words[..],
    };
    let Some((format, arguments)) = words.split_first() else {
        invocation.error("missing operand");
        invocation.complain("Try 'printf --help' for more information.");
        return 1;
    };
    let printed = format::printf(format, arguments, Style::Gnu);
    for error in &printed.errors {
        invocation.error(error);
    }
    invocation.print_bytes(&printed.bytes);
    u8::from(!printed.errors.is_empty())
}

async fn yes(invocation: &mut Invocation) -> u8 {
    let line = match invocation.arguments.is_empty() {
        true => "y\n".to_owned(),
        false => format!("{}\n", invocation.arguments.join(" ")),
    };
    let block = line.repeat(8192 / line.len() + 1);
    while !invocation.has_failed_to_write {
        invocation.print(&block);
        invocation.flush().await;
        invocation.spend(std::time::Duration::from_micros(10)).await;
    }
    1
}

fn answer(invocation: &mut Invocation, words: &[String]) -> u8 {
    let terminals = invocation.terminals();
    let answer = invocation.host(|host| {
        let probe = test::Probe {
            files: &host.files,
            who: &invocation.credentials,
            directory: &invocation.directory,
            style: Style::Gnu,
            terminals: &terminals,
        };
        test::evaluate(words, &probe)
    });
    match answer {
        Ok(answer) => u8::from(!answer),
        Err(error) => {
            invocation.error(&error);
            2
        }
    }
}
