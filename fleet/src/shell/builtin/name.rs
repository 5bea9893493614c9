//! What is about names: variables, functions, commands.

use std::sync::Arc;

use super::super::expand::Fault;
use super::super::parse::{self, Dialect};
use super::super::variable::quote;
use super::super::{Flow, Shell};
use super::{Builtin, Done};
use crate::program::launch::{DEFAULT_PATH, find_executable};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin {
        name: "export",
        is_special: true,
        run: |shell, words| Box::pin(mark(shell, words, true)),
    },
    Builtin {
        name: "readonly",
        is_special: true,
        run: |shell, words| Box::pin(mark(shell, words, false)),
    },
    Builtin {
        name: "unset",
        is_special: true,
        run: |shell, words| Box::pin(async move { unset(shell, &words) }),
    },
    Builtin {
        name: "local",
        is_special: true,
        run: |shell, words| Box::pin(async move { local(shell, &words) }),
    },
    Builtin {
        name: "declare",
        is_special: false,
        run: |shell, _| Box::pin(async { Err(shell.not_simulated("declare")) }),
    },
    Builtin {
        name: "typeset",
        is_special: false,
        run: |shell, _| Box::pin(async { Err(shell.not_simulated("typeset")) }),
    },
    Builtin {
        name: "let",
        is_special: false,
        run: |shell, _| Box::pin(async { Err(shell.not_simulated("let")) }),
    },
    Builtin {
        name: "mapfile",
        is_special: false,
        run: |shell, _| Box::pin(async { Err(shell.not_simulated("mapfile")) }),
    },
    Builtin {
        name: "shopt",
        is_special: false,
        run: |shell, _| Box::pin(async { Err(shell.not_simulated("shopt")) }),
    },
    Builtin {
        name: "alias",
        is_special: false,
        run: |shell, words| {
            Box::pin(async move {
                match words.len() {
                    1 => shell.done(0),
                    _ => Err(shell.not_simulated("alias")),
                }
            })
        },
    },
    Builtin {
        name: "unalias",
        is_special: false,
        run: |shell, words| {
            Box::pin(
                async move { shell.done(u8::from(words.get(1).is_some_and(|word| word != "-a"))) },
            )
        },
    },
    Builtin {
        name: "hash",
        is_special: false,
        run: |shell, _| Box::pin(async { shell.done(0) }),
    },
    Builtin {
        name: "type",
        is_special: false,
        run: |shell, words| Box::pin(type_of(shell, words)),
    },
    Builtin {
        name: "command",
        is_special: false,
        run: |shell, words| Box::pin(command(shell, words)),
    },
    Builtin {
        name: "builtin",
        is_special: false,
        run: |shell, words| Box::pin(command(shell, words)),
    },
];

async fn mark(shell: &mut Shell, words: Vec<String>, exports: bool) -> Done {
    let (letters, operands) = shell.letters(&words, "pn")?;
    if operands.is_empty() || letters.contains('p') {
        let word = if exports { "export" } else { "readonly" };
        let mut text = String::new();
        for (name, variable) in shell.variables.iter() {
            let is_marked = match exports {
                true => variable.is_exported,
                false => variable.is_read_only,
            };
            match &variable.value {
                _ if !is_marked => {}
                Some(value) => text.push_str(&format!("{word} {name}={}\n", quote(value))),
                None => text.push_str(&format!("{word} {name}\n")),
            }
        }
        return shell.put(text.as_bytes()).await;
    }
    for operand in &operands {
        let (name, value) = match operand.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (operand.as_str(), None),
        };
        check_name(shell, name)?;
        if let Some(value) = value {
            shell.set(name, value)?;
        }
        let unmarks = letters.contains('n');
        shell.change_variable(name, |variable| match exports {
            true => variable.is_exported = !unmarks,
            false => variable.is_read_only = true,
        });
    }
    shell.done(0)
}

fn check_name(shell: &mut Shell, name: &str) -> Result<(), Fault> {
    match parse::is_name(name) {
        true => Ok(()),
        false => Err(shell.fail(&format!("{name}: bad variable name"))),
    }
}

fn unset(shell: &mut Shell, words: &[String]) -> Done {
    let (letters, operands) = shell.letters(words, "vf")?;
    for name in &operands {
        if letters.contains('f') {
            Arc::make_mut(&mut shell.functions).remove(name);
            continue;
        }
        check_name(shell, name)?;
        if shell
            .variables
            .get(name.as_str())
            .is_some_and(|one| one.is_read_only)
        {
            return Err(shell.fail(&format!("{name}: is read only")));
        }
        Arc::make_mut(&mut shell.variables).remove(name.as_str());
    }
    shell.done(0)
}

fn local(shell: &mut Shell, words: &[String]) -> Done {
    if shell.locals.is_empty() {
        return Err(shell.fail("not in a function"));
    }
    for word in &words[1..] {
        if shell.dialect == Dialect::Bash && word.starts_with('-') {
            if word != "-r" {
                return Err(shell.not_simulated("options of local"));
            }
            continue;
        }
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word.as_str(), None),
        };
        check_name(shell, name)?;
        let before = shell.variables.get(name).cloned();
        if let Some(level) = shell.locals.last_mut() {
            level.entry(name.to_owned()).or_insert(before);
        }
        match value {
            Some(value) => shell.set(name, value)?,
            // A local variable without a value keeps the outer one in dash.
            None if shell.dialect == Dialect::Bash => {
                shell.change_variable(name, |variable| variable.value = None);
            }
            None => {}
        }
    }
    shell.done(0)
}

/// What a name stands for.
enum Meaning {
    Keyword,
    Builtin { is_special: bool },
    Function,
    Program(String),
}

fn meaning(shell: &Shell, name: &str) -> Option<Meaning> {
    if parse::is_reserved(name) {
        return Some(Meaning::Keyword);
    }
    if shell.functions.contains_key(name) {
        return Some(Meaning::Function);
    }
    if let Some(builtin) = super::find(name, shell.dialect) {
        return Some(Meaning::Builtin {
            is_special: builtin.is_special,
        });
    }
    let search = shell.variable("PATH").unwrap_or(DEFAULT_PATH);
    let found = find_executable(
        &shell.fleet,
        shell.host,
        name,
        Some(search),
        &shell.directory,
        &shell.credentials,
    );
    found.ok().map(Meaning::Program)
}

fn describe(shell: &Shell, name: &str) -> Option<String> {
    Some(match meaning(shell, name)? {
        Meaning::Keyword => format!("{name} is a shell keyword"),
        Meaning::Builtin { is_special: true } if shell.dialect == Dialect::Posix => {
            format!("{name} is a special shell builtin")
        }
        Meaning::Builtin { .. } => format!("{name} is a shell builtin"),
        Meaning::Function if shell.dialect == Dialect::Bash => format!("{name} is a function"),
        Meaning::Function => format!("{name} is a shell function"),
        Meaning::Program(path) => format!("{name} is {path}"),
    })
}

async fn type_of(shell: &mut Shell, words: Vec<String>) -> Done {
    let mut status = 0;
    let mut text = String::new();
    for name in &words[1..] {
        match describe(shell, name) {
            Some(line) => text.push_str(&format!("{line}\n")),
            None => {
                text.push_str(&format!("{name}: not found\n"));
                status = 127;
            }
        }
    }
    shell.put(text.as_bytes()).await?;
    shell.done(status)
}

async fn command(shell: &mut Shell, words: Vec<String>) -> Done {
    let mut at = 1;
    let mut mode = ' ';
    while let Some(word) = words.get(at).filter(|word| word.starts_with('-')) {
        at += 1;
        match word.as_str() {
            "--" => break,
            "-v" => mode = 'v',
            "-V" => mode = 'V',
            "-p" => {}
            _ => {
                let letter = word.chars().nth(1).unwrap_or('-');
                return Err(shell.illegal_option(letter));
            }
        }
    }
    let rest = words[at..].to_vec();
    if rest.is_empty() {
        return shell.done(0);
    }
    if mode == ' ' {
        return run(shell, rest).await;
    }
    let name = &rest[0];
    let line = match mode {
        'V' => describe(shell, name),
        _ => meaning(shell, name).map(|meaning| match meaning {
            Meaning::Program(path) => path,
            _ => name.clone(),
        }),
    };
    match line {
        Some(line) => shell.put(format!("{line}\n").as_bytes()).await,
        None => {
            if mode == 'V' {
                shell.put(format!("{name}: not found\n").as_bytes()).await?;
            }
            shell.done(127)
        }
    }
}

/// Runs a command that no function hides.
async fn run(shell: &mut Shell, words: Vec<String>) -> Done {
    let outer = shell.builtin.take();
    let flow = match super::find(&words[0], shell.dialect) {
        Some(builtin) => Box::pin(shell.run_builtin(builtin, words)).await,
        None => match shell.find_program(&words[0], &[]).await {
            Some(path) => {
                let launch = shell.launch(path, words, shell.environment(Vec::new()));
                let child = launch.start();
                shell.status = shell.wait_for(&child).await;
                Flow::Next
            }
            None => Flow::Next,
        },
    };
    shell.builtin = outer;
    Ok(flow)
}
