//! `awk`: patterns, actions, fields, arrays, the usual functions.

mod parse;
mod run;

use super::options;
use super::text::{lines_of, operands_or_input, without_end};
use super::{Invocation, Program};

pub(crate) const PROGRAMS: &[Program] = &[
    Program {
        name: "awk",
        run: |invocation| Box::pin(awk(invocation)),
    },
    Program {
        name: "mawk",
        run: |invocation| Box::pin(awk(invocation)),
    },
];

async fn awk(invocation: &mut Invocation) -> u8 {
    let options = match options::read(invocation, "+F:v:f:", &[]) {
        Ok(options) => options,
        Err(status) => return status,
    };
    let mut options = options;
    let text = match options.value('f').map(str::to_owned) {
        Some(file) => match invocation.read_operand(&file).await {
            Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            None => return 2,
        },
        None if options.operands.is_empty() => {
            return invocation.not_simulated("a call without a program");
        }
        None => options.operands.remove(0),
    };
    let rules = match parse::parse(&text) {
        Ok(rules) => rules,
        Err(what) => return invocation.not_simulated(&what),
    };
    let environment = invocation.environment.iter();
    let environment = environment.map(|(name, value)| (name.to_string(), value.to_string()));
    let mut machine = run::Machine::new(environment.collect());
    for value in options.values('v') {
        if let Some((name, value)) = value.split_once('=') {
            let bytes = crate::shell::format::unescape(value).0;
            machine.set_text(name, &String::from_utf8_lossy(&bytes));
        }
    }
    if let Some(separator) = options.value('F') {
        let separator = if separator == "t" { "\t" } else { separator };
        machine.set_text("FS", &separator.replace("\\t", "\t"));
    }
    let mut status = 0;
    let has_input = rules
        .iter()
        .any(|rule| !matches!(rule.when, parse::When::Begin));
    let result = machine.begin(&rules);
    let goes_on = matches!(result, Ok(true));
    if let Err(what) = &result {
        return refuse(invocation, &machine, what);
    }
    if goes_on && has_input {
        for operand in operands_or_input(&options) {
            if let Some((name, value)) = operand
                .split_once('=')
                .filter(|(name, _)| crate::shell::parse::is_name(name))
            {
                machine.set_text(name, value);
                continue;
            }
            let Some(bytes) = read(invocation, &operand).await else {
                status = 2;
                continue;
            };
            machine.set_text("FILENAME", if operand == "-" { "" } else { &operand });
            machine.start_file();
            let mut is_over = false;
            for line in lines_of(&bytes) {
                let line = String::from_utf8_lossy(without_end(line)).into_owned();
                match machine.line(&rules, &line) {
                    Ok(true) => {}
                    Ok(false) => {
                        is_over = true;
                        break;
                    }
                    Err(what) => return refuse(invocation, &machine, &what),
                }
            }
            if is_over {
                break;
            }
        }
    }
    if let Err(what) = machine.end(&rules) {
        return refuse(invocation, &machine, &what);
    }
    invocation.print(&machine.out);
    machine.status.unwrap_or(status)
}

fn refuse(invocation: &mut Invocation, machine: &run::Machine, what: &str) -> u8 {
    invocation.print(&machine.out);
    invocation.not_simulated(what)
}

async fn read(invocation: &mut Invocation, operand: &str) -> Option<Vec<u8>> {
    if operand == "-" {
        return Some(invocation.read_input().await);
    }
    match invocation.opener().content(&invocation.path(operand)) {
        Ok(content) => Some(content.whole().to_vec()),
        Err(errno) => {
            invocation.error(&format!("cannot open {operand} ({errno})"));
            None
        }
    }
}
