//! What changes where the shell goes on.

use super::super::expand::Fault;
use super::super::{Context, Flow, Shell};
use super::{Builtin, Done};
use crate::files::Errno;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin {
        name: ":",
        is_special: true,
        run: |shell, _| Box::pin(async { shell.done(0) }),
    },
    Builtin {
        name: "true",
        is_special: false,
        run: |shell, _| Box::pin(async { shell.done(0) }),
    },
    Builtin {
        name: "false",
        is_special: false,
        run: |shell, _| Box::pin(async { shell.done(1) }),
    },
    Builtin {
        name: "break",
        is_special: true,
        run: |shell, words| Box::pin(async move { out_of_loops(shell, &words, Flow::Break) }),
    },
    Builtin {
        name: "continue",
        is_special: true,
        run: |shell, words| Box::pin(async move { out_of_loops(shell, &words, Flow::Continue) }),
    },
    Builtin {
        name: "return",
        is_special: true,
        run: |shell, words| Box::pin(async move { leave(shell, &words, Flow::Return) }),
    },
    Builtin {
        name: "exit",
        is_special: true,
        run: |shell, words| {
            Box::pin(async move {
                shell.is_ending = words.len() > 1 || shell.is_ending;
                leave(shell, &words, Flow::Exit)
            })
        },
    },
    Builtin {
        name: "eval",
        is_special: true,
        run: |shell, words| Box::pin(eval(shell, words)),
    },
    Builtin {
        name: ".",
        is_special: true,
        run: |shell, words| Box::pin(source(shell, words)),
    },
    Builtin {
        name: "source",
        is_special: false,
        run: |shell, words| Box::pin(source(shell, words)),
    },
    Builtin {
        name: "exec",
        is_special: true,
        run: |shell, words| Box::pin(exec(shell, words)),
    },
];

fn out_of_loops(shell: &mut Shell, words: &[String], flow: fn(usize) -> Flow) -> Done {
    let levels = match words.get(1) {
        Some(word) => shell.number(word)? as usize,
        None => 1,
    };
    if levels == 0 {
        return Err(shell.fail("Illegal number: 0"));
    }
    shell.status = 0;
    match levels.min(shell.loops) {
        0 => Ok(Flow::Next),
        levels => Ok(flow(levels)),
    }
}

fn leave(shell: &mut Shell, words: &[String], flow: Flow) -> Done {
    if let Some(word) = words.get(1) {
        let status = shell.number(word)?;
        shell.status = (status & 0xff) as u8;
    }
    Ok(flow)
}

async fn eval(shell: &mut Shell, words: Vec<String>) -> Done {
    let text = words[1..].join(" ");
    let context = Context {
        is_tested: shell.is_tested,
        is_last: false,
    };
    Ok(shell.run_text(&text, 1, context).await)
}

async fn source(shell: &mut Shell, words: Vec<String>) -> Done {
    let Some(name) = words.get(1).filter(|name| *name != "--").or(words.get(2)) else {
        return shell.done(0);
    };
    let text = read_source(shell, name)?;
    let outer = shell.builtin.take();
    let positional = match words.len() > 2 {
        true => Some(std::mem::replace(
            &mut shell.positional,
            words[2..].to_vec(),
        )),
        false => None,
    };
    let flow = shell.run_text(&text, 1, Context::default()).await;
    if let Some(positional) = positional {
        shell.positional = positional;
    }
    shell.builtin = outer;
    Ok(match flow {
        Flow::Return => Flow::Next,
        flow => flow,
    })
}

fn read_source(shell: &mut Shell, name: &str) -> Result<String, Fault> {
    let path = match name.contains('/') {
        true => Some(shell.absolute(name)),
        false => {
            let search = shell.variable("PATH").unwrap_or_default().to_owned();
            let places: Vec<String> = search
                .split(':')
                .map(|place| shell.absolute(&format!("{place}/{name}")))
                .collect();
            let opener = shell.opener();
            places.into_iter().find(|path| opener.content(path).is_ok())
        }
    };
    let Some(path) = path else {
        return Err(shell.fail(&format!("{name}: not found")));
    };
    match shell.opener().content(&path) {
        Ok(content) => Ok(content.text().into_owned()),
        Err(errno) => {
            let why = match errno {
                Errno::NotFound => "No such file".to_owned(),
                other => other.to_string(),
            };
            Err(shell.fail(&format!("cannot open {name}: {why}")))
        }
    }
}

async fn exec(shell: &mut Shell, words: Vec<String>) -> Done {
    let words: Vec<String> = match words.get(1).map(String::as_str) {
        Some("--") => words[2..].to_vec(),
        Some("-a" | "-c" | "-l") => return Err(shell.not_simulated("options of exec")),
        _ => words[1..].to_vec(),
    };
    let Some(name) = words.first().cloned() else {
        return shell.done(0);
    };
    let Some(path) = shell.find_program(&name, &[]).await else {
        return Ok(Flow::Exit);
    };
    let launch = shell.launch(path, words, shell.environment(Vec::new()));
    shell.become_program(launch).await;
    Ok(Flow::Exit)
}
