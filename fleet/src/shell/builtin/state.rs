//! What is about the shell itself: options, parameters, directory, limits.

use super::super::parse::Dialect;
use super::super::variable::quote;
use super::super::{Options, Shell};
use super::{Builtin, Done};
use crate::files::{Follow, normalise};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin {
        name: "set",
        is_special: true,
        run: |shell, words| Box::pin(set(shell, words)),
    },
    Builtin {
        name: "shift",
        is_special: true,
        run: |shell, words| Box::pin(async move { shift(shell, &words) }),
    },
    Builtin {
        name: "cd",
        is_special: false,
        run: |shell, words| Box::pin(cd(shell, words)),
    },
    Builtin {
        name: "pwd",
        is_special: false,
        run: |shell, words| Box::pin(pwd(shell, words)),
    },
    Builtin {
        name: "umask",
        is_special: false,
        run: |shell, words| Box::pin(umask(shell, words)),
    },
    Builtin {
        name: "ulimit",
        is_special: false,
        run: |shell, words| Box::pin(ulimit(shell, words)),
    },
    Builtin {
        name: "times",
        is_special: true,
        run: |shell, _| Box::pin(shell.put(b"0m0.000000s 0m0.000000s\n0m0.000000s 0m0.000000s\n")),
    },
];

const LONG: &[(&str, char)] = &[
    ("errexit", 'e'),
    ("noglob", 'f'),
    ("noexec", 'n'),
    ("stdin", 's'),
    ("xtrace", 'x'),
    ("verbose", 'v'),
    ("noclobber", 'C'),
    ("allexport", 'a'),
    ("nounset", 'u'),
];

impl Options {
    /// Switches an option; returns whether there is one with that letter.
    pub(in super::super) fn switch(&mut self, letter: char, is_on: bool) -> bool {
        let option = match letter {
            'e' => &mut self.exits_on_error,
            'u' => &mut self.no_unset,
            'x' => &mut self.traces,
            'f' => &mut self.no_glob,
            'n' => &mut self.no_exec,
            'C' => &mut self.no_clobber,
            'a' => &mut self.exports_all,
            'v' => &mut self.verbose,
            's' => &mut self.reads_stdin,
            // Jobs, notices and the rest are for people.
            'b' | 'm' | 'h' | 'E' | 'I' => return true,
            _ => return false,
        };
        *option = is_on;
        true
    }

    /// Switches an option by its long name; returns whether there is one.
    pub(in super::super) fn switch_long(
        &mut self,
        name: &str,
        is_on: bool,
        dialect: Dialect,
    ) -> bool {
        if name == "pipefail" && dialect == Dialect::Bash {
            self.fails_in_pipes = is_on;
            return true;
        }
        let found = LONG.iter().find(|(one, _)| *one == name);
        found.is_some_and(|(_, letter)| self.switch(*letter, is_on))
    }
}

async fn set(shell: &mut Shell, words: Vec<String>) -> Done {
    if words.len() == 1 {
        let lines = shell.variables.iter().filter_map(|(name, variable)| {
            let value = variable.value.as_ref()?;
            Some(format!("{name}={}\n", quote(value)))
        });
        let text: String = lines.collect();
        return shell.put(text.as_bytes()).await;
    }
    let mut at = 1;
    while let Some(word) = words.get(at) {
        let is_on = match word.chars().next() {
            Some('-') => true,
            Some('+') => false,
            _ => break,
        };
        at += 1;
        if word == "--" {
            shell.positional = words[at..].to_vec();
            return shell.done(0);
        }
        if word == "-" {
            break;
        }
        for letter in word[1..].chars() {
            if letter != 'o' {
                if !shell.options.switch(letter, is_on) {
                    return Err(shell.illegal_option(letter));
                }
                continue;
            }
            let Some(name) = words.get(at).cloned() else {
                return list_options(shell).await;
            };
            at += 1;
            let dialect = shell.dialect;
            if !shell.options.switch_long(&name, is_on, dialect) {
                return Err(shell.fail(&format!("Illegal option -o {name}")));
            }
        }
    }
    if at < words.len() {
        shell.positional = words[at..].to_vec();
    }
    shell.done(0)
}

async fn list_options(shell: &mut Shell) -> Done {
    let on = shell.options.letters();
    let mut text = "Current option settings\n".to_owned();
    for (name, letter) in LONG {
        let state = if on.contains(*letter) { "on" } else { "off" };
        text.push_str(&format!("{name:<16}{state}\n"));
    }
    shell.put(text.as_bytes()).await
}

fn shift(shell: &mut Shell, words: &[String]) -> Done {
    let count = match words.get(1) {
        Some(word) => shell.number(word)? as usize,
        None => 1,
    };
    if count > shell.positional.len() {
        return Err(shell.fail("can't shift that many"));
    }
    shell.positional.drain(..count);
    shell.done(0)
}

async fn cd(shell: &mut Shell, words: Vec<String>) -> Done {
    let (letters, operands) = shell.letters(&words, "LPe")?;
    let mut shows = false;
    let target = match operands.first().map(String::as_str) {
        None => shell.variable("HOME").unwrap_or_default().to_owned(),
        Some("-") => {
            shows = true;
            shell.variable("OLDPWD").unwrap_or_default().to_owned()
        }
        Some(path) => path.to_owned(),
    };
    if target.is_empty() {
        return shell.done(0);
    }
    let mut path = normalise(&shell.absolute(&target));
    let found = shell.fleet.host(shell.host, |host| {
        let files = &host.files;
        let whole = shell.absolute(&target);
        let node = files.node(&whole, Follow::Yes, &shell.credentials).ok()?;
        let is_entered = node.stat().is_directory() && node.allows(&shell.credentials, 1);
        is_entered.then(|| files.resolve(&whole, Follow::Yes, &shell.credentials).ok())?
    });
    let Some(physical) = found else {
        return Err(match shell.dialect {
            Dialect::Posix => shell.fail(&format!("can't cd to {target}")),
            Dialect::Bash => shell.fail(&format!("{target}: No such file or directory")),
        });
    };
    if letters.contains('P') {
        path = physical;
    }
    let before = std::mem::replace(&mut shell.directory, path.clone());
    shell.set("OLDPWD", &before)?;
    shell.set("PWD", &path)?;
    match shows {
        true => shell.put(format!("{path}\n").as_bytes()).await,
        false => shell.done(0),
    }
}

async fn pwd(shell: &mut Shell, words: Vec<String>) -> Done {
    let (letters, _) = shell.letters(&words, "LP")?;
    let directory = match letters.contains('P') {
        true => shell.fleet.host(shell.host, |host| {
            let files = &host.files;
            files
                .resolve(&shell.directory, Follow::Yes, &shell.credentials)
                .unwrap_or_default()
        }),
        false => shell.directory.clone(),
    };
    shell.put(format!("{directory}\n").as_bytes()).await
}

async fn umask(shell: &mut Shell, words: Vec<String>) -> Done {
    let (letters, operands) = shell.letters(&words, "S")?;
    let Some(mode) = operands.first() else {
        let text = match letters.contains('S') {
            true => symbolic(shell.umask),
            false => format!("{:04o}", shell.umask),
        };
        return shell.put(format!("{text}\n").as_bytes()).await;
    };
    if mode.starts_with(|one: char| one.is_ascii_digit()) {
        match u32::from_str_radix(mode, 8) {
            Ok(bits) => shell.umask = bits & 0o777,
            Err(_) => return Err(shell.fail(&format!("Illegal number: {mode}"))),
        }
        return shell.done(0);
    }
    let allowed = !shell.umask & 0o777;
    match crate::program::mode::change(mode, allowed, 0, true) {
        Some(allowed) => shell.umask = !allowed & 0o777,
        None => return Err(shell.fail(&format!("Illegal mode: {mode}"))),
    }
    shell.done(0)
}

fn symbolic(umask: u32) -> String {
    let part = |shift: u32| {
        let bits = !umask >> shift;
        let letters = [(4, 'r'), (2, 'w'), (1, 'x')];
        letters
            .into_iter()
            .filter_map(|(bit, letter)| (bits & bit != 0).then_some(letter))
            .collect::<String>()
    };
    format!("u={},g={},o={}", part(6), part(3), part(0))
}

async fn ulimit(shell: &mut Shell, words: Vec<String>) -> Done {
    let (letters, operands) = shell.letters(&words, "HSatfdscmlpnvwr")?;
    let kind = letters
        .chars()
        .rfind(|one| !"HS".contains(*one))
        .unwrap_or('f');
    if kind == 'a' {
        return Err(shell.not_simulated("ulimit -a"));
    }
    if !operands.is_empty() {
        return shell.done(0);
    }
    let most = shell
        .fleet
        .host(shell.host, |host| host.hardware.open_files.to_string());
    let value = match kind {
        'n' if letters.contains('H') => most.as_str(),
        'n' => "1024",
        's' => "8192",
        'l' => "65536",
        'c' => "0",
        _ => "unlimited",
    };
    shell.put(format!("{value}\n").as_bytes()).await
}
