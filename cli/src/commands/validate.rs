//! `launchpad validate`: what is wrong with configurations, without connecting to anything.

use config::{Code, Diagnostic, Diagnostics, Severity};
use product::mke::supported::not_yet_supported;
use serde_json::json;

use crate::arguments::{OutputFormat, ValidateArguments};
use crate::error::{self, CliError};
use crate::world::World;
use crate::{reading, session};

/// A configuration that was looked at.
struct Checked {
    file: String,
    found: Diagnostics,
}

pub(crate) async fn run(world: &mut World, arguments: &ValidateArguments) -> Result<u8, CliError> {
    let paths = arguments.paths();
    if paths.iter().filter(|path| **path == "-").count() > 1 {
        let message = "standard input can be read only once: give `-` once";
        return Err(CliError::Usage(message.to_owned()));
    }
    let mut checked = Vec::new();
    for path in &paths {
        checked.push(check(world, Some(path)).await?);
    }
    if paths.is_empty() {
        checked.push(check(world, None).await?);
    }
    match arguments.output {
        OutputFormat::Json => {
            let files: Vec<_> = checked.iter().map(Checked::json).collect();
            world.print(&session::pretty(&files.into()))?;
        }
        OutputFormat::Table => {
            let texts: Vec<String> = checked.iter().map(Checked::text).collect();
            world.say(&texts.join("\n\n"));
        }
    }
    let is_wrong = checked.iter().any(|one| one.found.has_errors());
    Ok(if is_wrong { error::USAGE } else { error::DONE })
}

/// Looks at one configuration; one that cannot be read does not hide the others.
async fn check(world: &mut World, path: Option<&str>) -> Result<Checked, CliError> {
    let unreadable = |file: String, message: String| {
        let problem = Diagnostic::of_file(Code::Unreadable, file.clone(), message);
        let found = Diagnostics::from(vec![problem]);
        Ok(Checked { file, found })
    };
    let source = match reading::read(world, path).await {
        Ok((source, _)) => source,
        Err(CliError::NoConfig(error)) => {
            let first = error.tried.first().map(|path| path.display().to_string());
            let file = path.map(str::to_owned).or(first).unwrap_or_default();
            return unreadable(file, error.to_string());
        }
        Err(CliError::Read { path, source }) => {
            let file = path.display().to_string();
            return unreadable(file, format!("the file cannot be read: {source}"));
        }
        Err(other) => return Err(other),
    };
    let file = source.name.clone();
    let found = match config::load(source, world) {
        Ok(loaded) => {
            let not_yet = not_yet_supported(&loaded.config).into_iter().map(|one| {
                let message = format!("{}: `plan` and `apply` refuse it", one.message);
                Diagnostic {
                    severity: Severity::Warning,
                    ..loaded.config.problem_at(Code::NotYet, &one.path, message)
                }
            });
            loaded
                .warnings
                .iter()
                .cloned()
                .chain(not_yet)
                .collect::<Vec<_>>()
                .into()
        }
        Err(found) => found,
    };
    Ok(Checked { file, found })
}

impl Checked {
    /// Returns the problems, and how many there are, for people.
    fn text(&self) -> String {
        let summary = format!("`{}` {}", self.file, self.summary());
        if self.found.items.is_empty() {
            return summary;
        }
        format!("{}\n\n{summary}", self.found)
    }

    fn summary(&self) -> String {
        let count = |severity: Severity| match self.found.count(severity) {
            0 => None,
            1 => Some(format!("1 {severity}")),
            count => Some(format!("{count} {severity}s")),
        };
        match (count(Severity::Error), count(Severity::Warning)) {
            (None, None) => "is valid".to_owned(),
            (None, Some(warnings)) => format!("is valid, with {warnings}"),
            (Some(errors), None) => format!("is not valid: {errors}"),
            (Some(errors), Some(warnings)) => format!("is not valid: {errors}, {warnings}"),
        }
    }

    /// Returns the same for programs.
    fn json(&self) -> serde_json::Value {
        let problems: Vec<_> = self.found.items.iter().map(problem).collect();
        json!({
            "file": self.file,
            "valid": !self.found.has_errors(),
            "errors": self.found.count(Severity::Error),
            "warnings": self.found.count(Severity::Warning),
            "more": self.found.more,
            "problems": problems,
        })
    }
}

fn problem(one: &Diagnostic) -> serde_json::Value {
    json!({
        "file": one.file,
        "line": one.position.map(|at| at.line),
        "column": one.position.map(|at| at.column),
        "path": one.path,
        "severity": one.severity,
        "code": one.code,
        "message": one.message,
        "hint": one.hint,
    })
}
